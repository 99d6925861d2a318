"""Reductions: sums, means, extrema and norms over axes.

`axis` is None for all axes, an int, or several ints; an empty list reduces nothing.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina.engine import as_dtype, convert_to_tensor, dtypes, op
from lamina.ops import checks
from lamina.ops.comparison import not_equal
from lamina.ops.quotient import mean, size_of

__all__ = [
    "count_nonzero",
    "reduce_all",
    "reduce_any",
    "reduce_euclidean_norm",
    "reduce_logsumexp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_std",
    "reduce_sum",
    "reduce_variance",
    "zero_fraction",
]


def _on_host(reduce):
    """Return the NumPy reduction with an op's parameters."""

    def host(input_tensor, axis=None, keepdims=False):
        return reduce(input_tensor, axis=axis, keepdims=checks.flag(keepdims))

    return host


def _numbers(x, axis):
    """Return the checked input and the axes from the front."""
    return checks.numeric(x, "input_tensor"), checks.axes(x, axis)


@op(host=_on_host(np.sum))
def reduce_sum(input_tensor, axis=None, keepdims=False):
    """Return the sum over axes.

    Args:
        input_tensor: Numbers.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `input_tensor`; 0 where nothing is summed.

    Raises:
        InvalidArgumentError: an axis is out of range or given twice, or the input is bool.

    Example:
        >>> tf.reduce_sum([[1, 2], [3, 4]], axis=0).numpy()
        array([4, 6], dtype=int32)
    """
    x, axes = _numbers(input_tensor, axis)
    return jnp.sum(x, axis=axes, keepdims=checks.flag(keepdims), dtype=x.dtype)


@op
def reduce_mean(input_tensor, axis=None, keepdims=False):
    """Return the mean over axes.

    Args:
        input_tensor: Numbers.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `input_tensor`: the mean of integers drops the fraction, as in TF.

    Example:
        >>> tf.reduce_mean([[1.0, 2.0], [3.0, 4.0]], axis=0).numpy()
        array([2., 3.], dtype=float32)
    """
    x, axes = _numbers(input_tensor, axis)
    if not jnp.issubdtype(x.dtype, jnp.integer):
        return mean(x, axes, checks.flag(keepdims))
    total = jnp.sum(x, axis=axes, keepdims=checks.flag(keepdims), dtype=x.dtype)
    # The mean of no integers is 0, as in TF; XLA's quotient by 0 is -1.
    count = jnp.maximum(jnp.asarray(size_of(x, axes)).astype(x.dtype), 1)
    return lax.div(total, jnp.broadcast_to(count, total.shape))


@op(host=_on_host(np.prod))
def reduce_prod(input_tensor, axis=None, keepdims=False):
    """Return the product over axes.

    Args:
        input_tensor: Numbers.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `input_tensor`; 1 where nothing is multiplied.

    Example:
        >>> tf.reduce_prod([[1, 2], [3, 4]], axis=0).numpy()
        array([3, 8], dtype=int32)
    """
    x, axes = _numbers(input_tensor, axis)
    return jnp.prod(x, axis=axes, keepdims=checks.flag(keepdims), dtype=x.dtype)


def _keep(reduced, axes, keepdims):
    return lax.expand_dims(reduced, axes) if keepdims else reduced


@op(host=_on_host(np.max))
def reduce_max(input_tensor, axis=None, keepdims=False):
    """Return the maximum over axes.

    Args:
        input_tensor: Real numbers.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `input_tensor`; -inf or the least integer where there is nothing. Equal
        maxima share the gradient, as in TF.

    Example:
        >>> tf.reduce_max([[1, 2], [3, 4]], axis=0).numpy()
        array([3, 4], dtype=int32)
    """
    x, axes = _numbers(input_tensor, axis)
    return _keep(lax.reduce_max(x, axes), axes, checks.flag(keepdims))


@op(host=_on_host(np.min))
def reduce_min(input_tensor, axis=None, keepdims=False):
    """Return the minimum over axes.

    Args:
        input_tensor: Real numbers.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `input_tensor`; inf or the largest integer where there is nothing. Equal
        minima share the gradient, as in TF.

    Example:
        >>> tf.reduce_min([[1, 2], [3, 4]], axis=0).numpy()
        array([1, 2], dtype=int32)
    """
    x, axes = _numbers(input_tensor, axis)
    return _keep(lax.reduce_min(x, axes), axes, checks.flag(keepdims))


@op(differentiable=False, host=_on_host(np.all))
def reduce_all(input_tensor, axis=None, keepdims=False):
    """Return whether all hold, over axes.

    Args:
        input_tensor: bool.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        bool; True where there is nothing.

    Raises:
        InvalidArgumentError: the input is not bool.

    Example:
        >>> tf.reduce_all([[True, False], [True, True]], axis=0).numpy()
        array([ True, False])
    """
    x = checks.boolean(input_tensor, "input_tensor")
    return jnp.all(x, axis=checks.axes(x, axis), keepdims=checks.flag(keepdims))


@op(differentiable=False, host=_on_host(np.any))
def reduce_any(input_tensor, axis=None, keepdims=False):
    """Return whether any holds, over axes.

    Args:
        input_tensor: bool.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        bool; False where there is nothing.

    Raises:
        InvalidArgumentError: the input is not bool.

    Example:
        >>> tf.reduce_any([[True, False], [False, False]], axis=0).numpy()
        array([ True, False])
    """
    x = checks.boolean(input_tensor, "input_tensor")
    return jnp.any(x, axis=checks.axes(x, axis), keepdims=checks.flag(keepdims))


def _variance(x, axis, keepdims):
    axes = checks.axes(checks.inexact(x, "input_tensor"), axis)
    deviation = x - mean(x, axes, keepdims=True)
    squared = jnp.real(deviation * jnp.conj(deviation))
    return mean(squared, axes, checks.flag(keepdims))


@op
def reduce_variance(input_tensor, axis=None, keepdims=False):
    """Return the mean squared distance from the mean, over axes.

    Args:
        input_tensor: Float or complex.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `input_tensor`, its real one for complex numbers.

    Raises:
        InvalidArgumentError: the input is an integer or bool.

    Example:
        >>> tf.math.reduce_variance([[1.0, 2.0], [3.0, 4.0]], axis=0).numpy()
        array([1., 1.], dtype=float32)
    """
    return _variance(input_tensor, axis, keepdims)


@op
def reduce_std(input_tensor, axis=None, keepdims=False):
    """Return the standard deviation over axes: the square root of the variance.

    Args:
        input_tensor: Float or complex.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `input_tensor`, its real one for complex numbers. The gradient is NaN where
        all values agree, as in TF.

    Raises:
        InvalidArgumentError: the input is an integer or bool.

    Example:
        >>> tf.math.reduce_std([[1.0, 2.0], [3.0, 4.0]], axis=0).numpy()
        array([1., 1.], dtype=float32)
    """
    return jnp.sqrt(_variance(input_tensor, axis, keepdims))


@op
def reduce_euclidean_norm(input_tensor, axis=None, keepdims=False):
    """Return the square root of the sum of squares over axes.

    Args:
        input_tensor: Numbers.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `input_tensor`. The gradient is NaN at norm 0, as in TF.

    Example:
        >>> tf.math.reduce_euclidean_norm([[3.0, 4.0], [5.0, 12.0]], axis=1).numpy()
        array([ 5., 13.], dtype=float32)
    """
    x, axes = _numbers(input_tensor, axis)
    total = jnp.sum(x * jnp.conj(x), axis=axes, keepdims=checks.flag(keepdims), dtype=x.dtype)
    return jnp.sqrt(total).astype(x.dtype)


@op
def reduce_logsumexp(input_tensor, axis=None, keepdims=False):
    """Return ``log(sum(exp(x)))`` over axes, without overflow.

    Args:
        input_tensor: Float.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `input_tensor`; -inf where there is nothing.

    Example:
        >>> tf.reduce_logsumexp([[0.0, 0.0], [1000.0, 1000.0]], axis=1).numpy()
        array([6.93147...e-01, 1.00069...e+03], dtype=float32)
    """
    x = checks.inexact(input_tensor, "input_tensor")
    axes = checks.axes(x, axis)
    top = lax.stop_gradient(lax.expand_dims(lax.reduce_max(x, axes), axes))
    top = jnp.where(jnp.isfinite(top), top, 0)
    out = jnp.log(jnp.sum(jnp.exp(x - top), axis=axes, keepdims=True)) + top
    return out if checks.flag(keepdims) else lax.squeeze(out, axes)


@op(differentiable=False)
def _count_nonzero(input, *, axis, keepdims, dtype):
    axes = checks.axes(input, axis)
    return jnp.sum(input != 0, axis=axes, keepdims=checks.flag(keepdims), dtype=dtype.np)


def count_nonzero(input, axis=None, keepdims=None, dtype: Any = dtypes.int64, name=None):
    """Return how many elements are not 0, over axes.

    Args:
        input: Numbers, bools, or strings, of which the empty ones count as 0.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.
        dtype: The dtype of the counts.
        name: Accepted, unused.

    Returns:
        Counts in `dtype`.

    Example:
        >>> tf.math.count_nonzero([[0, 1], [2, 3]], axis=0).numpy()
        array([1, 2])
    """
    input = convert_to_tensor(input)
    if input.dtype is dtypes.string:
        input = not_equal(input, "")
    return _count_nonzero(input, axis=axis, keepdims=keepdims, dtype=as_dtype(dtype))


@op(differentiable=False)
def zero_fraction(value):
    """Return the fraction of elements that are 0.

    Args:
        value: Numbers.

    Returns:
        A float32 scalar in [0, 1]; NaN if there are no elements.

    Example:
        >>> tf.math.zero_fraction([0.0, 1.0, 0.0, 3.0]).numpy()
        np.float32(0.5)
    """
    empty = (checks.numeric(value, "value") == 0).astype(jnp.float32)
    return mean(empty, tuple(range(empty.ndim)))
