"""Moments, and the normalisations that stand on them.

Sums run in float32 at least: half inputs are widened first, and the result narrowed again.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina.engine import convert_to_tensor, op
from lamina.ops import checks, quotient

__all__ = [
    "batch_norm",
    "batch_norm_train",
    "batch_norm_with_global_normalization",
    "batch_normalization",
    "group_norm",
    "layer_norm",
    "local_response_normalization",
    "lrn",
    "moments",
    "moving_average",
    "normalize_moments",
    "rms_norm",
    "sufficient_statistics",
    "weighted_moments",
]


def widen(array) -> Any:
    """Return float16 and bfloat16 arrays as float32, others (and None) as they are."""
    if array is not None and array.dtype in (jnp.float16, jnp.bfloat16):
        return array.astype(jnp.float32)
    return array


def _mean_and_variance(x, axes, keepdims=True):
    centre = quotient.mean(x, axes, keepdims=True)
    # As in TF the mean counts as a constant here: its term in the gradient is zero anyway.
    variance = quotient.mean(jnp.square(x - lax.stop_gradient(centre)), axes, keepdims)
    return (centre if keepdims else jnp.squeeze(centre, axes)), variance


@op
def _moments(x, *, axes, keepdims):
    checks.inexact(x)
    mean, variance = _mean_and_variance(widen(x), checks.axes(x, axes, "axes"), keepdims)
    return mean.astype(x.dtype), variance.astype(x.dtype)


def moments(x, axes, shift=None, keepdims=False, name=None):
    """Return mean and (biased) variance along ``axes``.

    Args:
        x: Floating point, any shape; half dtypes are summed in float32.
        axes: An axis, or a sequence of axes, that the sums run along.
        shift: Accepted as in TF, unused.
        keepdims: Keep the reduced axes, with size 1.
        name: Accepted, unused.

    Returns:
        ``(mean, variance)``, of the dtype of ``x``.

    Raises:
        InvalidArgumentError: ``x`` is not floating point.
        InvalidArgumentError: an axis is out of range.

    Example:
        >>> mean, variance = tf.nn.moments(tf.constant([1.0, 3.0]), axes=[0])
        >>> mean.numpy(), variance.numpy()
        (np.float32(2.0), np.float32(1.0))
    """
    return _moments(x, axes=axes, keepdims=keepdims)


@op(mixed=True)
def _weighted_moments(x, weights, *, axes, keepdims):
    checks.inexact(x)
    values = widen(x)
    shape = jnp.broadcast_shapes(x.shape, weights.shape)
    weights = jnp.broadcast_to(weights.astype(values.dtype), shape)
    axes = checks.axes(weights, axes, "axes")
    total = jnp.sum(weights, axis=axes, keepdims=True)
    total = jnp.where(total == 0, 1, total)  # as in TF, the moments of nothing are 0
    centre = quotient.divided(jnp.sum(weights * values, axis=axes, keepdims=True), total)
    distance = jnp.square(values - lax.stop_gradient(centre))
    variance = quotient.divided(jnp.sum(weights * distance, axis=axes, keepdims=True), total)
    if not keepdims:
        centre, variance = jnp.squeeze(centre, axes), jnp.squeeze(variance, axes)
    return centre.astype(x.dtype), variance.astype(x.dtype)


def weighted_moments(x, axes, frequency_weights, keepdims=False, name=None):
    """Return mean and variance along ``axes``, each value counted ``frequency_weights`` times.

    Args:
        x: Floating point, any shape.
        axes: An axis, or a sequence of axes, that the sums run along.
        frequency_weights: Non-negative weights that broadcast against ``x``.
        keepdims: Keep the reduced axes, with size 1.
        name: Accepted, unused.

    Returns:
        ``(mean, variance)``, of the dtype of ``x``; 0 where the weights sum to 0.

    Raises:
        InvalidArgumentError: ``x`` is not floating point.

    Example:
        >>> mean, variance = tf.nn.weighted_moments([1.0, 4.0], [0], [2.0, 1.0])
        >>> mean.numpy(), variance.numpy()
        (np.float32(2.0), np.float32(2.0))
    """
    return _weighted_moments(x, frequency_weights, axes=axes, keepdims=keepdims)


@op
def _sums(x, shift, *, axes, keepdims):
    checks.inexact(x)
    axes = checks.axes(x, axes, "axes")
    count = jnp.asarray(1, x.dtype)
    for axis in axes:
        count = count * jnp.asarray(x.shape[axis], x.dtype)
    shifted = x if shift is None else x - shift
    total = jnp.sum(shifted, axis=axes, keepdims=keepdims)
    squares = jnp.sum(jnp.square(shifted), axis=axes, keepdims=keepdims)
    return count, total, squares


def sufficient_statistics(x, axes, shift=None, keepdims=False, name=None):
    """Return count, sum and sum of squares of ``x - shift`` along ``axes``.

    Args:
        x: Floating point, any shape.
        axes: A sequence of axes that the sums run along.
        shift: A value near the mean, that keeps the sums small; None is 0.
        keepdims: Keep the reduced axes, with size 1.
        name: Accepted, unused.

    Returns:
        ``(count, sum, sum of squares, shift)``; ``shift`` as a Tensor, or None.

    Raises:
        InvalidArgumentError: ``x`` is not floating point.

    Example:
        >>> count, total, squares, _ = tf.nn.sufficient_statistics(tf.constant([1.0, 3.0]), [0])
        >>> float(count), float(total), float(squares)
        (2.0, 4.0, 10.0)
    """
    x = convert_to_tensor(x)
    shift = None if shift is None else convert_to_tensor(shift, x.dtype)
    return (*_sums(x, shift, axes=axes, keepdims=keepdims), shift)


@op
def _normalize_moments(counts, mean_ss, variance_ss, shift):
    shifted = mean_ss / counts
    mean = shifted if shift is None else shifted + shift
    return mean, variance_ss / counts - jnp.square(shifted)


def normalize_moments(counts, mean_ss, variance_ss, shift, name=None):
    """Return mean and variance from what `sufficient_statistics` gives.

    Args:
        counts: How many values were summed.
        mean_ss: Sums of the shifted values.
        variance_ss: Sums of the squared shifted values.
        shift: What was subtracted from the values, or None.
        name: Accepted, unused.

    Returns:
        ``(mean, variance)``.

    Example:
        >>> mean, variance = tf.nn.normalize_moments(2.0, 4.0, 10.0, None)
        >>> float(mean), float(variance)
        (2.0, 1.0)
    """
    return _normalize_moments(counts, mean_ss, variance_ss, shift)


def _normalize(x, mean, variance, offset, scale, epsilon):
    """Return ``(x - mean) / sqrt(variance + epsilon) * scale + offset`` as one multiply-add."""
    inverse = lax.rsqrt(variance + jnp.asarray(epsilon, variance.dtype))
    if scale is not None:
        inverse = inverse * scale
    shift = -mean * inverse if offset is None else offset - mean * inverse
    return x * inverse + shift


@op(mixed=True)
def _batch_normalization(x, mean, variance, offset, scale, epsilon):
    checks.inexact(x)
    checks.inexact(mean, "mean")
    checks.inexact(variance, "variance")
    inverse = lax.rsqrt(variance + epsilon.astype(variance.dtype))
    if scale is not None:
        inverse = inverse * scale.astype(inverse.dtype)
    shift = -mean * inverse if offset is None else offset - mean * inverse
    return x * inverse.astype(x.dtype) + shift.astype(x.dtype)


def batch_normalization(x, mean, variance, offset, scale, variance_epsilon, name=None):
    """Return ``(x - mean) / sqrt(variance + variance_epsilon) * scale + offset``.

    Args:
        x: Floating point, any shape.
        mean: Broadcasts to ``x``.
        variance: Broadcasts to ``x``.
        offset: Broadcasts to ``x``; None adds nothing.
        scale: Broadcasts to ``x``; None multiplies by 1.
        variance_epsilon: A small number against division by zero.
        name: Accepted, unused.

    Returns:
        Shape and dtype of ``x``.

    Raises:
        InvalidArgumentError: an operand is not floating point, or shapes do not broadcast.

    Example:
        >>> tf.nn.batch_normalization([1.0, 3.0], 2.0, 1.0, None, None, 0.0).numpy()
        array([-1.,  1.], dtype=float32)

    Reference: Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167.
    """
    return _batch_normalization(x, mean, variance, offset, scale, variance_epsilon)


def batch_norm_with_global_normalization(
    input, mean, variance, beta, gamma, variance_epsilon, scale_after_normalization, name=None
):
    """Return `batch_normalization` with ``gamma`` used only if asked for.

    Args:
        input: Floating point, ``(B, H, W, C)``.
        mean: ``(C,)``.
        variance: ``(C,)``.
        beta: ``(C,)``, added at the end.
        gamma: ``(C,)``, multiplied if ``scale_after_normalization``.
        variance_epsilon: A small number against division by zero.
        scale_after_normalization: Whether ``gamma`` is used.
        name: Accepted, unused.

    Returns:
        Shape and dtype of ``input``.

    Example:
        >>> x = tf.ones((1, 1, 1, 2))
        >>> c = tf.ones(2)
        >>> tf.nn.batch_norm_with_global_normalization(x, c, c, c, c, 0.0, True).numpy().ravel()
        array([1., 1.], dtype=float32)
    """
    scale = gamma if scale_after_normalization else None
    return batch_normalization(input, mean, variance, beta, scale, variance_epsilon)


def _along(vector, axis, x):
    """Return a vector of per-channel values in the shape that broadcasts along ``axis``."""
    if vector is None:
        return None
    shape = [1] * x.ndim
    shape[axis] = -1
    return jnp.reshape(vector.astype(x.dtype), shape)


@op(mixed=True)
def batch_norm(x, mean, variance, offset, scale, *, axis=-1, epsilon=1e-3):
    """Normalise channels by given statistics, as BatchNormalization does at inference.

    Args:
        x: Floating point, any shape with C channels at ``axis``.
        mean: ``(C,)``.
        variance: ``(C,)``.
        offset: ``(C,)``, or None.
        scale: ``(C,)``, or None.
        axis: The channel axis.
        epsilon: A small number against division by zero.

    Returns:
        Shape and dtype of ``x``; computed in float32 at least.

    Example:
        >>> from lamina import ops
        >>> ops.batch_norm([[1.0], [3.0]], [2.0], [1.0], None, None, epsilon=0.0).numpy()
        array([[-1.],
               [ 1.]], dtype=float32)
    """
    checks.inexact(x)
    values = widen(x)
    mean, variance, offset, scale = (
        _along(v, axis, values) for v in (mean, variance, offset, scale)
    )
    return _normalize(values, mean, variance, offset, scale, epsilon).astype(x.dtype)


@op(mixed=True)
def batch_norm_train(x, offset, scale, mask, *, axis=-1, epsilon=1e-3):
    """Normalise channels by the batch's own statistics, as BatchNormalization does in training.

    Args:
        x: Floating point, any shape with C channels at ``axis``.
        offset: ``(C,)``, or None.
        scale: ``(C,)``, or None.
        mask: Boolean, the shape of ``x`` without its last axis: what counts in the statistics.
            None counts everything.
        axis: The channel axis.
        epsilon: A small number against division by zero.

    Returns:
        ``(y, mean, variance)``: y like ``x``; mean and (biased) variance ``(C,)``, in float32
        at least.

    Raises:
        ValueError: the mask's rank is not one less than that of ``x``.

    Example:
        >>> from lamina import ops
        >>> y, mean, variance = ops.batch_norm_train([[1.0], [3.0]], None, None, None)
        >>> mean.numpy(), variance.numpy()
        (array([2.], dtype=float32), array([1.], dtype=float32))

    Reference: Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167, algorithm 1.
    """
    checks.inexact(x)
    values = widen(x)
    axis = axis % x.ndim
    axes = tuple(i for i in range(x.ndim) if i != axis)
    if mask is None:
        mean, variance = _mean_and_variance(values, axes)
    else:
        mean, variance = _masked_moments(values, mask, axes)
    offset, scale = _along(offset, axis, values), _along(scale, axis, values)
    y = _normalize(values, mean, variance, offset, scale, epsilon).astype(x.dtype)
    return y, jnp.ravel(mean), jnp.ravel(variance)


@op(mixed=True, differentiable=False)
def moving_average(average, value, *, momentum):
    """Return ``average * momentum + value * (1 - momentum)``, in the dtype of ``average``.

    Args:
        average: Floating point.
        value: Floating point, the shape of ``average``.
        momentum: Share of the old average, in [0, 1].

    Example:
        >>> from lamina import ops
        >>> ops.moving_average(2.0, 4.0, momentum=0.75).numpy()
        np.float32(2.5)
    """
    return average * momentum + value.astype(average.dtype) * (1 - momentum)


def _masked_moments(x, mask, axes):
    if mask.ndim != x.ndim - 1:
        raise ValueError(
            f"`mask` must have one axis less than `x`; got mask {tuple(mask.shape)}, "
            f"x {tuple(x.shape)}.\n  Fix: give one boolean for each position, not channel."
        )
    counted = jnp.broadcast_to(mask.astype(bool)[..., None], x.shape)
    # Keras adds its epsilon to the number of counted values.
    total = jnp.sum(counted, axis=axes, keepdims=True).astype(x.dtype) + 1e-7
    mean = jnp.sum(jnp.where(counted, x, 0), axis=axes, keepdims=True) / total
    distance = jnp.square(jnp.where(counted, x - mean, 0))
    return mean, jnp.sum(distance, axis=axes, keepdims=True) / total


def _over(vector, axes, x):
    """Return weights of the normalised axes in the shape that broadcasts to ``x``."""
    if vector is None:
        return None
    shape = [x.shape[i] if i in axes else 1 for i in range(x.ndim)]
    return jnp.reshape(vector.astype(x.dtype), shape)


@op(mixed=True)
def layer_norm(x, scale, offset, *, axes=(-1,), epsilon=1e-3, rms_scaling=False):
    """Normalise each example over ``axes`` to mean 0 and variance 1, then scale and shift.

    Args:
        x: Floating point, any shape.
        scale: The sizes of ``axes``, or None.
        offset: The sizes of ``axes``, or None.
        axes: An axis, or a sequence of axes.
        epsilon: A small number against division by zero.
        rms_scaling: Keras's old switch: divide by the deviation, but subtract no mean and add
            no offset.

    Returns:
        Shape and dtype of ``x``; computed in float32 at least.

    Raises:
        InvalidArgumentError: an axis is out of range.

    Example:
        >>> from lamina import ops
        >>> ops.layer_norm([[1.0, 3.0]], None, None, epsilon=0.0).numpy()
        array([[-1.,  1.]], dtype=float32)

    Reference: Ba et al. 2016, https://arxiv.org/abs/1607.06450.
    """
    checks.inexact(x)
    values = widen(x)
    axes = checks.axes(x, axes, "axes")
    mean, variance = _mean_and_variance(values, axes)
    scale, offset = _over(scale, axes, values), _over(offset, axes, values)
    if rms_scaling:
        mean, offset = jnp.zeros_like(mean), None
    return _normalize(values, mean, variance, offset, scale, epsilon).astype(x.dtype)


@op(mixed=True)
def rms_norm(x, scale, *, axes=(-1,), epsilon=1e-6):
    """Divide each example by the root of its mean square over ``axes``, then scale.

    Args:
        x: Floating point, any shape.
        scale: The sizes of ``axes``, or None.
        axes: An axis, or a sequence of axes.
        epsilon: Added to the mean square.

    Returns:
        Shape and dtype of ``x``; computed in float32 at least.

    Raises:
        InvalidArgumentError: an axis is out of range.

    Example:
        >>> from lamina import ops
        >>> ops.rms_norm([[3.0, -3.0]], None, epsilon=0.0).numpy()
        array([[ 1., -1.]], dtype=float32)

    Reference: Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467.
    """
    checks.inexact(x)
    values = widen(x)
    axes = checks.axes(x, axes, "axes")
    square = quotient.mean(jnp.square(values), axes, keepdims=True)
    y = values * lax.rsqrt(square + jnp.asarray(epsilon, square.dtype))
    if scale is not None:
        y = y * _over(scale, axes, values)
    return y.astype(x.dtype)


@op(mixed=True)
def group_norm(x, scale, offset, *, groups, axis=-1, epsilon=1e-3):
    """Normalise each example over all positions and the channels of one group.

    Args:
        x: Floating point, ``(B, …)`` with C channels at ``axis``.
        scale: ``(C,)``, or None.
        offset: ``(C,)``, or None.
        groups: How many groups of C / groups neighbouring channels; divides C.
        axis: The channel axis.
        epsilon: A small number against division by zero.

    Returns:
        Shape and dtype of ``x``; computed in float32 at least.

    Raises:
        ValueError: ``groups`` does not divide C.

    Example:
        >>> from lamina import ops
        >>> ops.group_norm([[1.0, 3.0, 5.0, 7.0]], None, None, groups=2, epsilon=0.0).numpy()
        array([[-1.,  1., -1.,  1.]], dtype=float32)

    Reference: Wu and He 2018, https://arxiv.org/abs/1803.08494.
    """
    checks.inexact(x)
    axis = axis % x.ndim
    channels = x.shape[axis]
    if channels % groups != 0:
        raise ValueError(
            f"`groups` must divide the number of channels; got {groups} groups, {channels} "
            "channels.\n  Fix: choose a divisor."
        )
    inside = (groups, channels // groups)
    values = jnp.reshape(widen(x), (*x.shape[:axis], *inside, *x.shape[axis + 1 :]))
    shape = [1] * values.ndim
    shape[axis : axis + 2] = inside
    scale, offset = (
        None if v is None else jnp.reshape(v.astype(values.dtype), shape) for v in (scale, offset)
    )
    axes = tuple(i for i in range(1, values.ndim) if i != axis)
    mean, variance = _mean_and_variance(values, axes)
    y = _normalize(values, mean, variance, offset, scale, epsilon)
    return jnp.reshape(y, x.shape).astype(x.dtype)


@op
def local_response_normalization(input, depth_radius=5, bias=1.0, alpha=1.0, beta=0.5):
    """Return ``input / (bias + alpha * s)^beta``, s the squares summed over nearby channels.

    Args:
        input: Floating point, ``(B, H, W, C)``.
        depth_radius: How many channels on each side belong to the sum.
        bias: Added to the sum; positive, against division by zero.
        alpha: Weight of the sum.
        beta: Exponent.

    Returns:
        Shape and dtype of ``input``.

    Raises:
        InvalidArgumentError: ``input`` is not floating point.
        ValueError: ``input`` does not have rank 4.

    Example:
        >>> tf.nn.lrn(tf.ones((1, 1, 1, 2)), depth_radius=1).numpy().ravel()
        array([0.57735026, 0.57735026], dtype=float32)

    Reference: Krizhevsky et al. 2012, "ImageNet Classification", section 3.3.
    """
    checks.inexact(input, "input")
    if input.ndim != 4:
        raise ValueError(
            f"`input` must have rank 4, (B, H, W, C); got shape {tuple(input.shape)}.\n"
            "  Fix: add the missing axes with tf.expand_dims."
        )
    window = (1, 1, 1, 2 * depth_radius + 1)
    edges = ((0, 0), (0, 0), (0, 0), (depth_radius, depth_radius))
    zero = np.zeros((), input.dtype)  # NumPy: a traced start value has no gradient
    sums = lax.reduce_window(jnp.square(input), zero, lax.add, window, (1, 1, 1, 1), edges)
    return input * jnp.power(bias + alpha * sums, -beta)


lrn = local_response_normalization
