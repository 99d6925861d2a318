"""What an optimizer is, from the outside."""

import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from lamina import engine, ops
from lamina.demand import missing_member
from lamina.engine import Tensor, convert_to_tensor, local, recording_hooks
from lamina.engine.identity import identity
from lamina.keras import registry
from lamina.keras.core.module import watchers
from lamina.keras.optimizers.steps import _Steps, as_gradient, dense_gradient
from lamina.keras.variable import Variable, overwriting
from lamina.ops import optim

__all__ = ["Optimizer"]


class Optimizer(_Steps):
    """Base class of all optimizers.

    Three ways to write one, shortest first. Give ``slots``, the names of the state kept for each
    variable, and ``update``, the new values from the old ones; or ``build`` and ``update_step`` as
    in Keras, assigning variables; lamina's own give a ``rule`` of `lamina.ops.optim`, which makes
    the update of a variable a single operation.

    Args:
        learning_rate: A float, a `LearningRateSchedule`, or a function without arguments.
        weight_decay: Fraction of a variable, times the learning rate, taken off in each step.
        clipnorm: Largest L2 norm of each gradient; longer ones are scaled down.
        clipvalue: Largest absolute value of each gradient element.
        global_clipnorm: Largest joint L2 norm of all gradients. At most one of the three is set.
        use_ema: Whether to keep a moving average of each variable.
        ema_momentum: Share of the old average in the new one, in [0, 1].
        ema_overwrite_frequency: Steps between overwriting the variables by their averages; None
            leaves that to `finalize_variable_values`.
        loss_scale_factor: Factor on the loss (`scale_loss`) that the gradients are divided by.
        gradient_accumulation_steps: Steps whose mean gradient makes one update, 2 or more.
        name: A name; the class's name in snake case by default.

    State:
        Changes in each `apply`: ``iterations``, the slots, the averages. Slots of variables that
        were not there before are added when their first gradient comes.

    Raises:
        ValueError: an argument is unknown or out of its range.

    Example:
        >>> class Sign(tf.keras.optimizers.Optimizer):
        ...     slots = ("momentum",)
        ...
        ...     def update(self, grad, value, momentum, *, step, lr):
        ...         momentum = 0.9 * momentum + grad
        ...         return value - lr * tf.sign(momentum), momentum
        >>> w = tf.Variable([1.0, 2.0])
        >>> _ = Sign(learning_rate=0.5).apply_gradients([(tf.constant([3.0, -1.0]), w)])
        >>> w.numpy()
        array([0.5, 2.5], dtype=float32)
    """

    def apply_gradients(
        self,
        grads_and_vars: Iterable[tuple[Any, engine.Variable]],
        name: str | None = None,
        experimental_aggregate_gradients: bool = True,
        skip_gradients_aggregation: bool = False,
    ) -> Variable:
        """Update variables by their gradients.

        Args:
            grads_and_vars: Pairs (gradient, variable). A gradient is a Tensor of the variable's
                shape, `tf.IndexedSlices`, or None: that variable is left as it is, and named in
                a warning.
            name: Accepted, unused.
            experimental_aggregate_gradients: Accepted, unused.
            skip_gradients_aggregation: Accepted, unused.

        Returns:
            The count of calls, an int64 Variable.

        Raises:
            ValueError: there is no gradient at all.
        """
        pairs = list(grads_and_vars)
        if not pairs:
            raise self._no_gradients([])
        self.apply([grad for grad, _ in pairs], [variable for _, variable in pairs])
        return self._iterations

    def apply(
        self, grads: Sequence[Any], trainable_variables: Iterable[engine.Variable] | None = None
    ):
        """Update variables by their gradients.

        Args:
            grads: One gradient for each variable; see `apply_gradients`.
            trainable_variables: The variables; None for those that the optimizer was built with.

        Raises:
            ValueError: no variables and not built, other counts, or all gradients are None.
        """
        grads = list(grads)
        if not grads:
            return
        if local.replica is not None:
            local.replica.updating(self.apply, grads, trainable_variables)
            return
        variables = self._matched(grads, trainable_variables)
        if any(g is None for g in grads):
            grads, variables = self._with_gradient(grads, variables)
        grads = [g if type(g) is Tensor else as_gradient(g) for g in grads]
        if overwriting[0]:
            grads, variables = self._overwritten(grads, variables)
        if self.loss_scale_factor is not None:
            grads = [dense_gradient(g, v) for g, v in zip(grads, variables, strict=True)]
            grads = [ops.divide(g, ops.cast(self.loss_scale_factor, g.dtype)) for g in grads]
        if self.gradient_accumulation_steps:
            self._accumulate(grads, variables)
        else:
            self._step(self._clipped(grads, variables), variables)
        if self.use_ema:
            self._average()
        for v in variables:
            if v.constraint is not None:
                v.assign(v.constraint(v))
        self._iterations._set(optim.next_step(self._iterations._read()))

    def _overwritten(
        self, grads: list[Any], variables: list[engine.Variable]
    ) -> tuple[list[Any], list[engine.Variable]]:
        """Assign the gradients of variables that take them as values; return what is left.

        Where gradients are accumulated, such a variable takes the largest of a round at its end.
        """
        kept = []
        steps = self.gradient_accumulation_steps
        for g, v in zip(grads, variables, strict=True):
            if not getattr(v, "overwrite_with_gradient", False):
                kept.append((g, v))
            elif not steps:
                v.assign(dense_gradient(g, v))
            else:
                self._add_missing_sums()
                total = self._accumulated_gradients[self._get_variable_index(v)]
                is_last = optim.is_last(self._iterations._read(), steps=steps)
                largest = ops.maximum(dense_gradient(g, v), total._read())
                v.assign(ops.where(is_last, largest, v._read()))
                total.assign(ops.where(is_last, ops.zeros_like(largest), largest))
        return [g for g, _ in kept], [v for _, v in kept]

    def minimize(
        self,
        loss: Any,
        var_list: Any = None,
        tape: engine.GradientTape | None = None,
    ) -> Variable:
        """Compute the gradients of a loss and apply them.

        Args:
            loss: A function without arguments that returns the loss, or a Tensor.
            var_list: The variables, or a function that returns them; None takes all trainable
                ones that a function `loss` reads.
            tape: The tape that recorded `loss`; needed if `loss` is a Tensor.

        Returns:
            The count of calls, an int64 Variable.

        Raises:
            ValueError: a Tensor without its tape, or without variables.
        """
        if callable(loss):
            tape = engine.GradientTape() if tape is None else tape
            with tape:
                loss = loss()
            var_list = tape.watched_variables() if var_list is None else var_list
        if tape is None or var_list is None:
            raise ValueError(
                f'{type(self).__name__} "{self.name}": minimize needs `tape` and `var_list` for a '
                f"loss that is a Tensor; got tape={tape}, var_list={var_list}.\n"
                f"  Fix: pass a function, minimize(lambda: loss(...), variables), or the tape."
            )
        variables = list(var_list() if callable(var_list) else var_list)  # type: ignore[call-overload]
        grads = tape.gradient(loss, variables)
        return self.apply_gradients(zip(grads, variables, strict=True))

    def scale_loss(self, loss: Any) -> Any:
        """Return the loss times `loss_scale_factor`, if there is one."""
        if self.loss_scale_factor is None:
            return loss
        loss = convert_to_tensor(loss)
        return ops.multiply(loss, ops.cast(self.loss_scale_factor, loss.dtype))

    def _matched(self, grads: list[Any], variables: Any) -> list[engine.Variable]:
        """Return the variables of the gradients, with their state made where it is missing."""
        if variables is None:
            return self._known(len(grads))
        variables = list(variables)
        if len(variables) != len(grads):
            raise ValueError(
                f'{type(self).__name__} "{self.name}": as many gradients as variables were '
                f"expected; got {len(grads)} gradients for {len(variables)} variables."
            )
        if not self.built:
            before = len(self._variables)
            with engine.init_scope(), self._scope():
                self.build(variables)
            self.built = True
            # As in TF, state that a later call of a `tf.function` would make is an error there.
            for hook in recording_hooks if not local.trace.eager else ():
                hook(self._variables[before:])
            for watch in watchers:
                watch(self)
        indices = self._trainable_variables_indices
        fresh = [v for v in variables if identity(v) not in indices]
        if fresh:
            self._adopt(fresh)
            self._reorder(variables)
        return variables

    def _known(self, count: int) -> list[engine.Variable]:
        who = f'{type(self).__name__} "{self.name}"'
        if not self.built:
            raise ValueError(
                f"{who}: `trainable_variables` must be given until the optimizer is built; got "
                f"None.\n  Fix: optimizer.apply(grads, model.trainable_variables)."
            )
        if len(self._trainable_variables) != count:
            raise ValueError(
                f"{who}: one gradient for each of the {len(self._trainable_variables)} variables "
                f"it was built with was expected; got {count}.\n"
                f"  Fix: pass the variables too, optimizer.apply(grads, variables)."
            )
        return self._trainable_variables

    def _adopt(self, variables: list[engine.Variable]):
        """Make the state of variables that come after `build`."""
        builder = next(cls for cls in type(self).__mro__ if "build" in cls.__dict__)
        if not registry.is_own(builder):
            names = ", ".join(map(_name_of, variables))
            raise ValueError(
                f'{type(self).__name__} "{self.name}": only the variables that it was built with '
                f"were expected, since {builder.__name__}.build makes the state; got {names}.\n"
                f"  Fix: build it with all variables, name the state in `slots` instead of writing "
                f"`build`, or make a new optimizer."
            )
        with engine.init_scope(), self._scope():
            self.build(variables)

    def _with_gradient(self, grads: list[Any], variables: list[engine.Variable]) -> Any:
        """Leave out the variables without a gradient, and say so."""
        missing = tuple(_name_of(v) for g, v in zip(grads, variables, strict=True) if g is None)
        if len(missing) == len(grads):
            raise self._no_gradients(missing, _reasons(grads, variables))
        if missing not in self._warned:
            self._warned.add(missing)
            warnings.warn(
                f"Gradients do not exist for variables {list(missing)} when minimizing the loss: "
                f"they stay as they are.{_reasons(grads, variables)}\n"
                f"  Fix: leave them out, or let the loss depend on them.",
                stacklevel=4,
            )
        kept = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
        return [g for g, _ in kept], [v for _, v in kept]

    if not TYPE_CHECKING:  # type checkers would let every name pass

        def __getattr__(self, name: str) -> Any:
            """Raise, and say of older attributes what to use."""
            return missing_member(self, name, "Optimizer")

    def _no_gradients(self, names: Sequence[str], reasons: str = "") -> ValueError:
        return ValueError(
            f'{type(self).__name__} "{self.name}": No gradients provided for any variable: '
            f"{list(names)}.{reasons}\n  Fix: compute the loss from the variables inside `with "
            f"tf.GradientTape() as tape`, before tape.gradient."
        )


def _reasons(grads: Sequence[Any], variables: Sequence[engine.Variable]) -> str:
    """Return lines that say why each None is one, as far as the tape could tell."""
    lines = [
        f"\n  {_name_of(v)}: {reason}."
        for g, v in zip(grads, variables, strict=True)
        if g is None and (reason := v.__dict__.get("_no_gradient"))
    ]
    return "".join(lines)


def _name_of(variable: engine.Variable) -> str:
    return getattr(variable, "path", None) or variable.name
