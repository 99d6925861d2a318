"""Projections that optimizers apply to weights after each update."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lamina import ops
from lamina.keras import registry
from lamina.keras.capture import Captured
from lamina.keras.policy import epsilon

__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]


class Constraint(Captured):
    """Turn a weight into the nearest allowed one: a callable from a Tensor to a Tensor.

    A subclass defines ``__call__(self, w)``; this one returns the weight as it is.

    Example:
        >>> class Bounded(tf.keras.constraints.Constraint):
        ...     def __call__(self, w):
        ...         return tf.clip_by_value(w, -1.0, 1.0)
        >>> Bounded()(tf.constant([-3.0, 0.5])).numpy()
        array([-1. ,  0.5], dtype=float32)
    """

    def __call__(self, w: Any) -> Any:
        """Return the weight to keep.

        Args:
            w: The weight after an update.
        """
        return w


def _norms(w: Any, axis: int | Sequence[int]) -> Any:
    return ops.sqrt(ops.reduce_sum(ops.square(w), axis=axis, keepdims=True))


class MaxNorm(Constraint):
    """Scale vectors down to a greatest length.

    Args:
        max_value: The greatest length.
        axis: The axes that one vector extends over: 0 for the kernel of Dense, ``[0, 1, 2]`` for
            that of Conv2D.

    Example:
        >>> tf.keras.constraints.MaxNorm(1.0)(tf.constant([[3.0], [4.0]])).numpy()
        array([[0.6],
               [0.8]], dtype=float32)
    """

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0):
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        norms = _norms(w, self.axis)
        return w * (ops.clip_by_value(norms, 0, self.max_value) / (epsilon() + norms))


class NonNeg(Constraint):
    """Set negative values to 0.

    Example:
        >>> tf.keras.constraints.NonNeg()(tf.constant([-1.0, 2.0])).numpy() + 0.0
        array([0., 2.], dtype=float32)
    """

    def __call__(self, w: Any) -> Any:
        w = ops.convert_to_tensor(w)
        return w * ops.cast(ops.greater_equal(w, 0), w.dtype)


class UnitNorm(Constraint):
    """Scale vectors to length 1.

    Args:
        axis: The axes that one vector extends over: 0 for the kernel of Dense, ``[0, 1, 2]`` for
            that of Conv2D.

    Example:
        >>> tf.keras.constraints.UnitNorm()(tf.constant([[3.0], [4.0]])).numpy()
        array([[0.6],
               [0.8]], dtype=float32)
    """

    def __init__(self, axis: int | Sequence[int] = 0):
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        return w / (epsilon() + _norms(w, self.axis))


class MinMaxNorm(Constraint):
    """Scale vectors so that their length lies in a range.

    Args:
        min_value: The least length.
        max_value: The greatest length.
        rate: How far to go at each call, in [0, 1]: 1 goes all the way.
        axis: The axes that one vector extends over: 0 for the kernel of Dense, ``[0, 1, 2]`` for
            that of Conv2D.

    Example:
        >>> tf.keras.constraints.MinMaxNorm(1.0, 2.0)(tf.constant([[3.0], [4.0]])).numpy()
        array([[1.2],
               [1.6]], dtype=float32)
    """

    def __init__(
        self,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: int | Sequence[int] = 0,
    ):
        if isinstance(rate, str):
            raise TypeError(f"MinMaxNorm: `rate` must be a number; got {rate!r}.")
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        norms = _norms(w, self.axis)
        inside = ops.clip_by_value(norms, self.min_value, self.max_value)
        wanted = self.rate * inside + (1 - self.rate) * norms
        return w * (wanted / (epsilon() + norms))


max_norm = MaxNorm
non_neg = NonNeg
unit_norm = UnitNorm
min_max_norm = MinMaxNorm

Like = str | Mapping[str, Any] | Constraint | Callable[[Any], Any]


def get(identifier: Any) -> Any:
    """Return the constraint that an identifier names.

    Args:
        identifier: A name such as "max_norm" or "MaxNorm", a config, a class, a function of the
            weight, a constraint, or None.

    Returns:
        A constraint or function; None for None.

    Raises:
        ValueError: the name is unknown, or the identifier is none of the above.

    Example:
        >>> tf.keras.constraints.get("non_neg")
        <NonNeg>
    """
    return registry.resolve(identifier, "keras.constraints", "constraint")


def serialize(constraint: Any) -> Any:
    """Return the config of a constraint, with its class.

    Example:
        >>> tf.keras.constraints.serialize(tf.keras.constraints.UnitNorm())["config"]
        {'axis': 0}
    """
    return registry.serialize_keras_object(constraint)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the constraint that a config describes.

    Args:
        config: What `serialize` returned.
        custom_objects: Name → class or function, for those that are not registered.

    Example:
        >>> tf.keras.constraints.deserialize({"class_name": "NonNeg", "config": {}})
        <NonNeg>
    """
    return registry.deserialize_keras_object(config, custom_objects, hint="keras.constraints")


registry.publish(
    "keras.constraints", globals(), ("max_norm", "non_neg", "unit_norm", "min_max_norm")
)
