"""Activation functions made of straight pieces and parabolas."""

from typing import Any

from lamina import ops

__all__ = [
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "relu",
    "relu6",
    "soft_shrink",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "threshold",
]


def relu(
    x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Any:
    """Return ``max(x, 0)``, with a slope, a ceiling and a threshold if they are given.

    Args:
        x: Any shape.
        negative_slope: The slope below the threshold: ``negative_slope * (x - threshold)``.
        max_value: The greatest result, or None.
        threshold: Values up to here count as negative.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> x = tf.constant([-2.0, 1.0, 8.0])
        >>> tf.keras.activations.relu(x, negative_slope=0.5, max_value=6.0).numpy()
        array([-1.,  1.,  6.], dtype=float32)
    """
    if threshold == 0:
        if max_value is None:
            return ops.leaky_relu(x, negative_slope) if negative_slope else ops.relu(x)
        if max_value == 6 and not negative_slope:
            return ops.relu6(x)
    x = ops.convert_to_tensor(x)
    positive = x * ops.cast(ops.greater(x, threshold), x.dtype) if threshold else ops.relu(x)
    if max_value is not None:
        positive = ops.clip_by_value(positive, 0, max_value)
    if not negative_slope:
        return positive
    return positive - negative_slope * ops.relu(threshold - x)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """Return `x` where positive, ``negative_slope * x`` elsewhere.

    Args:
        x: Any shape.
        negative_slope: The slope of the negative side.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.leaky_relu(tf.constant([-1.0, 2.0])).numpy()
        array([-0.2,  2. ], dtype=float32)
    """
    return ops.leaky_relu(x, negative_slope)


def relu6(x: Any) -> Any:
    """Return ``min(max(x, 0), 6)``.

    Args:
        x: Any shape.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.relu6(tf.constant([-1.0, 8.0])).numpy()
        array([0., 6.], dtype=float32)
    """
    return ops.relu6(x)


def hard_sigmoid(x: Any) -> Any:
    """Return ``min(max(x + 3, 0), 6) / 6``.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.hard_sigmoid(tf.constant([-4.0, 0.0, 4.0])).numpy()
        array([0. , 0.5, 1. ], dtype=float32)
    """
    return ops.hard_sigmoid(x)


def hard_silu(x: Any) -> Any:
    """Return ``x * hard_sigmoid(x)``, also called hard swish.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.hard_silu(tf.constant([-4.0, 3.0])).numpy() + 0.0
        array([0., 3.], dtype=float32)

    Reference: Howard et al. 2019, https://arxiv.org/abs/1905.02244, section 5.2.
    """
    return ops.hard_silu(x)


def hard_tanh(x: Any) -> Any:
    """Return `x` clipped to [-1, 1].

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.hard_tanh(tf.constant([-2.0, 0.5])).numpy()
        array([-1. ,  0.5], dtype=float32)
    """
    return ops.hard_tanh(x)


def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """Return `x` where its absolute value exceeds the threshold, else 0.

    Args:
        x: Floating point, any shape.
        threshold: The greatest absolute value that becomes 0.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.hard_shrink(tf.constant([-2.0, 0.3, 1.0])).numpy()
        array([-2.,  0.,  1.], dtype=float32)
    """
    return ops.hard_shrink(x, threshold)


def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """Return `x` moved towards 0 by the threshold, and 0 within it.

    Args:
        x: Floating point, any shape.
        threshold: How far.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.soft_shrink(tf.constant([-2.0, 0.3, 1.0])).numpy()
        array([-1.5,  0. ,  0.5], dtype=float32)
    """
    return ops.soft_shrink(x, threshold)


def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """Return `x` where it exceeds the threshold, else the default value.

    Args:
        x: Any shape.
        threshold: The greatest value that is replaced.
        default_value: What it is replaced by.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.threshold(tf.constant([0.0, 2.0]), 1.0, 9.0).numpy()
        array([9., 2.], dtype=float32)
    """
    return ops.threshold(x, threshold, default_value)


def sparse_plus(x: Any) -> Any:
    """Return 0 up to -1, `x` from 1, and ``(x + 1)² / 4`` between.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.sparse_plus(tf.constant([-2.0, 0.0, 3.0])).numpy()
        array([0.  , 0.25, 3.  ], dtype=float32)
    """
    return ops.sparse_plus(x)


def sparse_sigmoid(x: Any) -> Any:
    """Return ``(x + 1) / 2`` clipped to [0, 1].

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.sparse_sigmoid(tf.constant([-2.0, 0.0, 3.0])).numpy()
        array([0. , 0.5, 1. ], dtype=float32)
    """
    return ops.sparse_sigmoid(x)


def sparsemax(x: Any, axis: int = -1) -> Any:
    """Return the nearest weights that sum to 1 along an axis; many of them are 0.

    Args:
        x: Floating point, any shape but a scalar.
        axis: The axis along which the weights sum to 1.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.sparsemax(tf.constant([0.0, 0.5, 3.0])).numpy()
        array([0., 0., 1.], dtype=float32)

    Reference: Martins and Astudillo 2016, https://arxiv.org/abs/1602.02068, algorithm 1.
    """
    return ops.sparsemax(x, axis)


def linear(x: Any) -> Any:
    """Return `x` as it is.

    Example:
        >>> tf.keras.activations.linear(3.0)
        3.0
    """
    return x


hard_swish = hard_silu
