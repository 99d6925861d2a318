"""What a metric is: variables that `update_state` changes and `result` reads."""

from lamina import ops
from lamina.engine import Tensor, Variable, context, versions
from lamina.keras import initializers, policy
from lamina.keras.capture import Captured
from lamina.keras.core.module import children
from lamina.keras.naming import auto_name
from lamina.keras.spelling import note_older
from lamina.keras.variable import Variable as KerasVariable

__all__ = ["Metric"]


class Metric(Captured):
    """Base class of metrics: make variables in the constructor, write the two methods below.

    All state lives in variables on the device, so that metrics update inside a compiled step.

    Args:
        dtype: Dtype, or dtype policy, to compute in; None is ``tf.keras.config.floatx()``.
        name: Name of the metric; None makes one from the class name.

    Call:
        Updates the state with the arguments, then returns the result so far.

    State:
        The variables; `update_state` adds a batch to them, `reset_state` sets them to zero.

    Example:
        >>> class Largest(tf.keras.metrics.Metric):
        ...     def __init__(self, name="largest", **kwargs):
        ...         super().__init__(name=name, **kwargs)
        ...         self.value = self.add_weight(name="value", initializer="zeros")
        ...
        ...     def update_state(self, values, sample_weight=None):
        ...         self.value.assign(tf.maximum(self.value, tf.reduce_max(values)))
        ...
        ...     def result(self):
        ...         return tf.identity(self.value)
        >>> Largest()([1.0, 3.0, 2.0]).numpy()
        np.float32(3.0)
    """

    _config_head_keys = ("name", "dtype")
    _tracked_as = "metric"  # so that layers and models find metrics in their attributes

    def __init__(self, dtype=None, name=None):
        self.name = name or auto_name(type(self).__name__)
        self._dtype_policy = policy.get(dtype or policy.floatx())

    @property
    def dtype(self) -> str:
        """Name of the dtype that the metric computes in."""
        return self._dtype_policy.compute_dtype

    @property
    def variables(self) -> list:
        """The metric's variables in the order they were set, then those of metrics inside it."""
        found = [part for path, part in children(self) if not path.startswith("_captured")]
        own = [part for part in found if isinstance(part, Variable)]
        inner = [part for part in found if not isinstance(part, Variable)]
        every = own + [variable for part in inner for variable in part.variables]
        return list({id(variable): variable for variable in every}.values())

    def add_variable(self, shape, initializer, dtype=None, aggregation="sum", name=None):
        """Make a variable of the metric's state; set it as an attribute, or keep it in a list.

        Args:
            shape: Its shape, () for a scalar.
            initializer: Its start value: an initializer, or the name of one.
            dtype: Its dtype; None is ``tf.keras.config.floatx()``.
            aggregation: How copies on several devices become one.
            name: The last part of its path, behind the metric's name.

        Returns:
            The variable, not trainable.

        Raises:
            RuntimeError: the subclass has not called ``super().__init__()`` yet.
        """
        if "_dtype_policy" not in vars(self):
            raise RuntimeError(
                f"{type(self).__name__}: `super().__init__(name=…)` must run before variables are "
                "made; got no such call.\n  Fix: make it the first line of `__init__`."
            )
        versions.tracked += 1
        with context.name_scope(self.name.replace("/", ">")):
            return KerasVariable(
                initializers.get(initializer),
                shape=shape,
                dtype=dtype,
                trainable=False,
                aggregation=aggregation,
                synchronization="on_read",
                name=name,
            )

    def add_weight(self, shape=(), initializer=None, dtype=None, name=None):
        """Make a variable of the metric's state: `add_variable` with defaults.

        Args:
            shape: Its shape, () for a scalar.
            initializer: Its start value: an initializer, or the name of one; None is "zeros".
            dtype: Its dtype; None is ``tf.keras.config.floatx()``.
            name: The last part of its path, behind the metric's name.

        Returns:
            The variable, not trainable.
        """
        return self.add_variable(shape, initializer or "zeros", dtype=dtype, name=name)

    def update_state(self, *args, **kwargs):
        """Add a batch to the state, usually from ``(y_true, y_pred, sample_weight=None)``.

        Raises:
            NotImplementedError: the subclass has no such method.
        """
        raise _missing(self, "update_state(self, y_true, y_pred, sample_weight=None)")

    def result(self):
        """Return the metric of all batches since the last reset: a Tensor, or a dict of such.

        Raises:
            NotImplementedError: the subclass has no such method.
        """
        raise _missing(self, "result(self)")

    def reset_state(self):
        """Set all variables to zero."""
        for variable in self.variables:
            variable.assign(ops.zeros(variable.shape, dtype=variable.dtype))

    def reset_states(self):
        """Set all variables to zero: the older name of `reset_state`."""
        note_older("Metric.reset_states", "reset_state")
        self.reset_state()

    def __call__(self, *args, **kwargs):
        self.update_state(*args, **kwargs)
        return self.result()

    def stateless_update_state(self, metric_variables, *args, **kwargs) -> list[Tensor]:
        """Return the variables' values after an update from given values, changing nothing.

        Args:
            metric_variables: Values to start from, in the order of `variables`.
            *args: Arguments of `update_state`.
            **kwargs: Arguments of `update_state`.
        """
        return self._stateless(
            metric_variables, lambda: self.update_state(*args, **kwargs) or self._values()
        )

    def stateless_result(self, metric_variables):
        """Return the result that given values of the variables have, changing nothing.

        Args:
            metric_variables: Values in the order of `variables`.
        """
        return self._stateless(metric_variables, self.result)

    def stateless_reset_state(self) -> list[Tensor]:
        """Return the variables' values after a reset, changing nothing."""
        return [ops.zeros(variable.shape, dtype=variable.dtype) for variable in self.variables]

    def _values(self) -> list[Tensor]:
        return [variable.read_value() for variable in self.variables]

    def _stateless(self, metric_variables, function):
        variables, before = self.variables, self._values()
        if len(metric_variables) != len(variables):
            raise ValueError(
                f"{type(self).__name__}: `metric_variables` must hold {len(variables)} values, one "
                f"for each of `variables`; got {len(metric_variables)}.\n"
                "  Fix: start from `[v.value for v in metric.variables]`."
            )
        try:
            for variable, value in zip(variables, metric_variables, strict=True):
                variable.assign(value)
            return function()
        finally:
            for variable, value in zip(variables, before, strict=True):
                variable.assign(value)

    def _config_head(self) -> dict:
        return {"name": self.name, "dtype": self.dtype}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _missing(metric: Metric, method: str) -> NotImplementedError:
    return NotImplementedError(
        f"{type(metric).__name__}: a metric needs the method `{method}`; got none.\n"
        "  Fix: define it in the class."
    )
