"""`tf.train.ExponentialMovingAverage`: shadow variables that follow others slowly."""

from collections.abc import Callable, Iterable
from typing import Any

from lamina import ops
from lamina.engine import Tensor, Variable, init_scope

__all__ = ["ExponentialMovingAverage"]


class ExponentialMovingAverage:
    """Keeps moving averages of variables: ``average -= (1 - decay) * (average - variable)``.

    Args:
        decay: The share of the old average that stays, such as 0.999.
        num_updates: A count of steps, or a function that returns it; then the decay is at most
            ``(1 + num_updates) / (10 + num_updates)``, so that the first steps count more.
        zero_debias: Whether to start from 0 and correct for it, where a Tensor is averaged.
        name: What the names of the averages end with.

    Example:
        >>> v = tf.Variable(1.0)
        >>> ema = tf.train.ExponentialMovingAverage(decay=0.9)
        >>> ema.apply([v])
        >>> _ = v.assign(2.0)
        >>> ema.apply([v])
        >>> float(ema.average(v))
        1.100000023841858
    """

    def __init__(
        self,
        decay: Any,
        num_updates: Any = None,
        zero_debias: bool = False,
        name: str = "ExponentialMovingAverage",
    ) -> None:
        self._decay = decay
        self._num_updates = num_updates
        self._zero_debias = zero_debias
        self._name = name
        self._averages: dict[Any, Variable] = {}

    @property
    def name(self) -> str:
        """What the names of the averages end with."""
        return self._name

    def apply(self, var_list: Iterable[Variable] | None = None) -> None:
        """Make the averages of variables that have none, from their values, and move all on.

        Args:
            var_list: float Variables.

        Raises:
            TypeError: a variable is not floating point.
            ValueError: no variables are given.
        """
        if var_list is None:
            raise ValueError(
                "ExponentialMovingAverage.apply: `var_list` must be given; got None.\n"
                "  Fix: ema.apply(model.trainable_variables)."
            )
        decay = self._decay_now()
        for variable in var_list:
            if isinstance(variable, Tensor):
                raise TypeError(
                    f"ExponentialMovingAverage.apply: `var_list` must hold tf.Variables; got "
                    f"{variable!r}.\n  Fix: keep the value in a tf.Variable."
                )
            kind = ops.convert_to_tensor(variable).dtype
            if not kind.is_floating:
                raise TypeError(
                    f"ExponentialMovingAverage.apply: the variables must be floating point; got "
                    f'"{variable.name}" of dtype {kind.name}.'
                )
            average = self._averages.get(variable.ref())
            if average is None:
                with init_scope():
                    start = variable.value() if callable(variable.value) else variable.value
                    name = f"{variable.name.split(':')[0]}/{self._name}"
                    average = Variable(start, trainable=False, name=name)
                self._averages[variable.ref()] = average
            share = ops.cast(1.0 - decay, kind)
            step = ops.multiply(ops.subtract(average, variable), share)
            average.assign_sub(step)

    def _decay_now(self) -> Any:
        count = self._num_updates
        count = count() if isinstance(count, Callable) else count
        if count is None:
            return self._decay
        count = ops.cast(count, "float32")
        return ops.minimum(self._decay, ops.divide(count + 1.0, count + 10.0))

    def average(self, var: Variable) -> Variable | None:
        """Return the variable that holds the average of another, or None."""
        return self._averages.get(var.ref())

    def average_name(self, var: Variable) -> str:
        """Return the name that the average of a variable has or gets."""
        average = self._averages.get(var.ref())
        if average is not None:
            return average.name.split(":")[0]
        return f"{var.name.split(':')[0]}/{self._name}"

    def variables_to_restore(self, moving_avg_variables: Any = None) -> dict[str, Variable]:
        """Return variables by the names that their averages have in a checkpoint.

        Args:
            moving_avg_variables: The variables to take averages for; None takes those of `apply`.
        """
        if moving_avg_variables is None:
            return {self.average_name(key.deref()): key.deref() for key in self._averages}
        return {self.average_name(v): v for v in moving_avg_variables}
