"""tf.keras.ops: moments, and what they normalise."""

from collections.abc import Sequence
from typing import Any

from lamina import ops
from lamina.engine import Tensor, convert_to_tensor
from lamina.keras.ops.linalg import norm
from lamina.keras.policy import epsilon as default_epsilon
from lamina.keras.promotion import result_type

__all__ = [
    "batch_normalization",
    "layer_normalization",
    "moments",
    "normalize",
    "rms_normalization",
]

_Axes = int | Sequence[int]
_HALF_MAX = 65504.0  # float16's greatest number, which bounds moments of both half dtypes


def moments(
    x: Any, axes: _Axes, keepdims: bool = False, synchronized: bool = False
) -> tuple[Tensor, Tensor]:
    """Return mean and variance over some axes.

    Args:
        x: Floating point, any shape.
        axes: The axes.
        keepdims: Whether they stay, with size 1.
        synchronized: Accepted; one process sees the whole batch.

    Returns:
        Mean and variance, the dtype of `x`; computed in float32 at least.

    Example:
        >>> mean, variance = tf.keras.ops.moments(tf.constant([1.0, 3.0]), axes=[0])
        >>> mean.numpy(), variance.numpy()
        (np.float32(2.0), np.float32(1.0))
    """
    x = convert_to_tensor(x)
    if x.dtype not in ("float16", "bfloat16"):
        return ops.moments(x, axes, keepdims=keepdims)
    found = ops.moments(ops.cast(x, "float32"), axes, keepdims=keepdims)
    mean, variance = (ops.cast(ops.clip_by_value(m, -_HALF_MAX, _HALF_MAX), x.dtype) for m in found)
    return mean, variance


def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    axis: int,
    offset: Any = None,
    scale: Any = None,
    epsilon: float = 0.001,
) -> Tensor:
    """Return ``(x - mean) / sqrt(variance + epsilon) * scale + offset``.

    Args:
        x: Floating point, any shape with C channels.
        mean: ``(C,)``.
        variance: ``(C,)``.
        axis: The channel axis.
        offset: ``(C,)``, or None.
        scale: ``(C,)``, or None.
        epsilon: A small number against division by zero.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> x = tf.constant([[1.0], [3.0]])
        >>> tf.keras.ops.batch_normalization(x, [2.0], [1.0], axis=-1, epsilon=0.0).numpy()
        array([[-1.],
               [ 1.]], dtype=float32)
    """
    x = convert_to_tensor(x)
    values = [
        v if v is None else convert_to_tensor(v, dtype_hint=x.dtype)
        for v in (mean, variance, offset, scale)
    ]
    if axis != -1:
        along = [1] * x.ndim
        along[axis] = -1
        values = [v if v is None else ops.reshape(v, along) for v in values]
    return ops.batch_normalization(x, *values, epsilon)


def _wide(x: Tensor) -> Tensor:
    return ops.cast(x, result_type(x.dtype, "float32"))


def _sorted_axes(axis: _Axes) -> tuple[int, ...]:
    return (axis,) if isinstance(axis, int) else tuple(sorted(axis))


def rms_normalization(
    x: Any, scale: Any = None, axis: _Axes = -1, epsilon: float | None = None
) -> Tensor:
    """Divide by the root of the mean square over some axes, then scale.

    Args:
        x: Floating point, any shape.
        scale: Broadcasts to `x`, or None.
        axis: The axis or axes.
        epsilon: Added to the mean square; None is `tf.keras.config.epsilon()`.

    Returns:
        Shape and dtype of `x`; computed in float32 at least.

    Example:
        >>> tf.keras.ops.rms_normalization(tf.constant([3.0, -3.0])).numpy()
        array([ 1., -1.], dtype=float32)

    Reference: Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467.
    """
    x = convert_to_tensor(x)
    values = _wide(x)
    if x.ndim == 0:
        values = ops.expand_dims(values, 0)
    small = default_epsilon() if epsilon is None else epsilon
    found = ops.rms_norm(values, None, axes=_sorted_axes(axis), epsilon=small)
    if scale is not None:
        found = found * ops.cast(scale, found.dtype)
    return ops.cast(found, x.dtype)


def layer_normalization(
    x: Any,
    gamma: Any = None,
    beta: Any = None,
    axis: _Axes = -1,
    epsilon: float | None = None,
    **kwargs: Any,
) -> Tensor:
    """Normalise over some axes to mean 0 and variance 1, then scale and shift.

    Args:
        x: Floating point, any shape.
        gamma: The scale, the sizes of the axes; or None.
        beta: The shift, likewise.
        axis: The axis or axes.
        epsilon: Added to the variance; None is `tf.keras.config.epsilon()`.
        **kwargs: `rms_scaling`: divide by the deviation only, as older versions did.

    Returns:
        Shape and dtype of `x`; computed in float32 at least.

    Example:
        >>> tf.keras.ops.layer_normalization(tf.constant([1.0, 3.0]), epsilon=0.0).numpy()
        array([-1.,  1.], dtype=float32)

    Reference: Ba et al. 2016, https://arxiv.org/abs/1607.06450.
    """
    x = convert_to_tensor(x)
    found = ops.layer_norm(
        _wide(x),
        gamma,
        beta,
        axes=_sorted_axes(axis),
        epsilon=default_epsilon() if epsilon is None else epsilon,
        rms_scaling=bool(kwargs.pop("rms_scaling", False)),
    )
    return ops.cast(found, x.dtype)


def normalize(x: Any, axis: _Axes = -1, order: int = 2, epsilon: float | None = None) -> Tensor:
    """Divide by the norm along some axes.

    Args:
        x: Floating point, any shape.
        axis: The axis or axes.
        order: n of the norm ``(Σ |x|ⁿ)^(1/n)``, a positive int.
        epsilon: The least norm to divide by; None is `tf.keras.config.epsilon()`.

    Returns:
        Shape and dtype of `x`.

    Raises:
        ValueError: `order` is no positive int.

    Example:
        >>> tf.keras.ops.normalize(tf.constant([3.0, 4.0])).numpy()
        array([0.6, 0.8], dtype=float32)
    """
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"normalize: `order` must be a positive int; got {order!r}.")
    x = convert_to_tensor(x)
    if x.ndim == 0:
        x = ops.expand_dims(x, 0)
    small = default_epsilon() if epsilon is None else epsilon
    if order == 2:
        inverse = ops.rsqrt(ops.reduce_sum(ops.square(x), axis=axis, keepdims=True))
        return x * ops.minimum(inverse, 1.0 / small)
    return x / ops.maximum(norm(x, ord=order, axis=axis, keepdims=True), small)
