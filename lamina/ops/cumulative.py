"""Running sums, products and log-sum-exps along an axis."""

import jax.numpy as jnp
from jax import lax

from lamina.engine import op
from lamina.ops import checks

__all__ = ["cumprod", "cumsum", "cumulative_logsumexp"]


def _scan(cumulate, x, axis, exclusive, reverse, start):
    """Return `cumulate` along `axis`; if exclusive, moved by one place with `start` coming in."""
    axis = checks.axis(x, axis)
    out = cumulate(x, axis=axis, reverse=bool(reverse))
    size = x.shape[axis]
    if not exclusive or (isinstance(size, int) and size == 0):
        return out
    first = jnp.full_like(lax.slice_in_dim(out, 0, 1, axis=axis), start)
    if reverse:
        return jnp.concatenate([lax.slice_in_dim(out, 1, size, axis=axis), first], axis)
    return jnp.concatenate([first, lax.slice_in_dim(out, 0, size - 1, axis=axis)], axis)


@op
def cumsum(x, axis=0, exclusive=False, reverse=False):
    """Return the sums of all elements up to each, along an axis.

    Args:
        x: Numbers.
        axis: The axis to sum along.
        exclusive: Whether each sum leaves its own element out: ``[0, a, a + b]``.
        reverse: Whether to sum from the end.

    Returns:
        The shape and dtype of `x`.

    Raises:
        InvalidArgumentError: `axis` is out of range.

    Example:
        >>> tf.cumsum([1, 2, 3], exclusive=True).numpy()
        array([0, 1, 3], dtype=int32)
    """
    return _scan(lax.cumsum, checks.numeric(x), axis, exclusive, reverse, 0)


@op
def cumprod(x, axis=0, exclusive=False, reverse=False):
    """Return the products of all elements up to each, along an axis.

    Args:
        x: Numbers.
        axis: The axis to multiply along.
        exclusive: Whether each product leaves its own element out: ``[1, a, a * b]``.
        reverse: Whether to multiply from the end.

    Returns:
        The shape and dtype of `x`.

    Differs from TF:
        The gradient is exact where an element is 0.

    Example:
        >>> tf.math.cumprod([2, 3, 4], reverse=True).numpy()
        array([24, 12,  4], dtype=int32)
    """
    return _scan(lax.cumprod, checks.numeric(x), axis, exclusive, reverse, 1)


@op
def cumulative_logsumexp(x, axis=0, exclusive=False, reverse=False):
    """Return ``log(sum(exp(x)))`` of all elements up to each, along an axis.

    Args:
        x: Float.
        axis: The axis to sum along.
        exclusive: Whether each sum leaves its own element out: ``[-inf, a, …]``.
        reverse: Whether to sum from the end.

    Returns:
        The shape and dtype of `x`.

    Example:
        >>> tf.math.cumulative_logsumexp([0.0, 0.0, 0.0]).numpy()
        array([0.       , 0.69314..., 1.09861...], dtype=float32)
    """
    return _scan(lax.cumlogsumexp, checks.inexact(x), axis, exclusive, reverse, -jnp.inf)
