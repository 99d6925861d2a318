"""Penalties on weights."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lamina import ops
from lamina.keras import registry
from lamina.keras.capture import Captured
from lamina.keras.policy import floatx

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]


class Regularizer(Captured):
    """Turn a weight into a penalty: a callable from a Tensor to a scalar, 0 here.

    A subclass defines ``__call__(self, x)``. Layers sum the penalties of their weights into
    `losses`, and `fit` adds them to the loss.

    Example:
        >>> class Cubic(tf.keras.regularizers.Regularizer):
        ...     def __call__(self, x):
        ...         return 0.1 * tf.reduce_sum(tf.abs(x) ** 3)
        >>> round(float(Cubic()(tf.constant([1.0, 2.0]))), 3)
        0.9
    """

    def __call__(self, x: Any) -> Any:
        """Return the penalty of a weight, a scalar.

        Args:
            x: The weight, of any shape.
        """
        return 0.0


def _factor(who: str, argument: str, value: Any, default: float) -> float:
    """Return a penalty factor as a float; `default` for None."""
    if value is None:
        return default
    number = isinstance(value, int | float | np.integer | np.floating)
    if isinstance(value, bool) or not number or not 0 <= value < math.inf:
        raise ValueError(
            f"{who}: `{argument}` must be a finite number that is not negative; got {value!r}.\n"
            f"  Fix: pass a float such as 0.01."
        )
    return float(value)


class L1L2(Regularizer):
    """Penalise ``l1 * sum(|x|) + l2 * sum(x²)``.

    Args:
        l1: Factor of the absolute values; 0 or None leaves them out.
        l2: Factor of the squares; 0 or None leaves them out.

    Raises:
        ValueError: a factor is negative, not finite or no number.

    Example:
        >>> float(tf.keras.regularizers.L1L2(1.0, 0.5)(tf.constant([1.0, -2.0])))
        5.5
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0):
        self.l1 = _factor("L1L2", "l1", l1, 0.0)
        self.l2 = _factor("L1L2", "l2", l2, 0.0)

    def __call__(self, x: Any) -> Any:
        penalties = []
        if self.l1:
            penalties.append(self.l1 * ops.reduce_sum(ops.abs(x)))
        if self.l2:
            penalties.append(self.l2 * ops.reduce_sum(ops.square(x)))
        if not penalties:
            return ops.zeros((), floatx())
        return sum(penalties[1:], start=penalties[0])


class L1(Regularizer):
    """Penalise ``l1 * sum(|x|)``.

    Args:
        l1: The factor; None is 0.01.

    Raises:
        ValueError: the factor is negative, not finite or no number.

    Example:
        >>> float(tf.keras.regularizers.L1(0.5)(tf.constant([1.0, -2.0])))
        1.5
    """

    def __init__(self, l1: float | None = 0.01):
        # Keras keeps this factor in single precision, and its config shows it.
        self.l1 = float(np.float32(_factor("L1", "l1", l1, 0.01)))

    def __call__(self, x: Any) -> Any:
        return self.l1 * ops.reduce_sum(ops.abs(x))


class L2(Regularizer):
    """Penalise ``l2 * sum(x²)``.

    Args:
        l2: The factor; None is 0.01.

    Raises:
        ValueError: the factor is negative, not finite or no number.

    Example:
        >>> float(tf.keras.regularizers.L2(0.5)(tf.constant([1.0, -2.0])))
        2.5
    """

    def __init__(self, l2: float | None = 0.01):
        self.l2 = _factor("L2", "l2", l2, 0.01)

    def __call__(self, x: Any) -> Any:
        return self.l2 * ops.reduce_sum(ops.square(x))


class OrthogonalRegularizer(Regularizer):
    """Penalise the mean absolute cosine between the rows, or columns, of a matrix.

    Args:
        factor: What the mean is multiplied by.
        mode: "rows" or "columns".

    Raises:
        ValueError: another `mode`, a bad factor, or an input that is no matrix.

    Example:
        >>> penalty = tf.keras.regularizers.OrthogonalRegularizer(1.0)
        >>> round(float(penalty(tf.constant([[1.0, 0.0], [1.0, 1.0]]))), 4)
        0.7071
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows"):
        if mode not in ("rows", "columns"):
            raise ValueError(
                f"OrthogonalRegularizer: `mode` must be 'rows' or 'columns'; got {mode!r}.\n"
                f"  Fix: pass one of these."
            )
        # In single precision, as in L1.
        self.factor = float(np.float32(_factor("OrthogonalRegularizer", "factor", factor, 0.01)))
        self.mode = mode

    def __call__(self, x: Any) -> Any:
        x = ops.convert_to_tensor(x)
        if x.ndim != 2:
            raise ValueError(
                f"OrthogonalRegularizer: the input must have rank 2; got shape {tuple(x.shape)}.\n"
                f"  Fix: use it on matrices, such as the kernel of Dense."
            )
        units = ops.l2_normalize(x, axis=1 if self.mode == "rows" else 0)
        rows = self.mode == "rows"
        cosines = ops.matmul(units, units, transpose_a=not rows, transpose_b=rows)
        size = x.shape[0] if rows else x.shape[1]
        others = ops.abs(cosines * ops.cast(1.0 - np.eye(size), x.dtype))
        return self.factor * 0.5 * ops.reduce_sum(others) / (size * (size - 1) / 2)


l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer

Like = str | Mapping[str, Any] | Regularizer | Callable[[Any], Any]


def get(identifier: Any) -> Any:
    """Return the regularizer that an identifier names.

    Args:
        identifier: A name such as "l2" or "L2", a config, a class, a function of the weight, a
            regularizer, or None.

    Returns:
        A regularizer or function; None for None.

    Raises:
        ValueError: the name is unknown, or the identifier is none of the above.

    Example:
        >>> tf.keras.regularizers.get("l2").l2
        0.01
    """
    return registry.resolve(identifier, "keras.regularizers", "regularizer")


def serialize(regularizer: Any) -> Any:
    """Return the config of a regularizer, with its class.

    Example:
        >>> tf.keras.regularizers.serialize(tf.keras.regularizers.L2(0.5))["config"]
        {'l2': 0.5}
    """
    return registry.serialize_keras_object(regularizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the regularizer that a config describes.

    Args:
        config: What `serialize` returned.
        custom_objects: Name → class or function, for those that are not registered.

    Example:
        >>> tf.keras.regularizers.deserialize({"class_name": "L2", "config": {"l2": 0.5}}).l2
        0.5
    """
    return registry.deserialize_keras_object(config, custom_objects, hint="keras.regularizers")


registry.publish("keras.regularizers", globals(), ("l1", "l2", "l1_l2", "orthogonal_regularizer"))
registry.builtin("keras.regularizers", "l1l2")(L1L2)  # what Keras 3 makes of the class name
