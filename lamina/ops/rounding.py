"""Rounding, elementwise."""

import jax
import jax.numpy as jnp

from lamina.engine import op
from lamina.ops import checks

__all__ = [
    "ceil",
    "floor",
    "nextafter",
    "rint",
    "round",
]


@op(differentiable=False)
def floor(x):
    """Return the largest whole number not above ``x``, elementwise.

    Args:
        x: Float.

    Returns:
        Whole numbers, in the dtype of `x`. No gradient.

    Example:
        >>> tf.floor([1.7, -1.2]).numpy()
        array([ 1., -2.], dtype=float32)
    """
    return jnp.floor(checks.inexact(x))


@op(differentiable=False)
def ceil(x):
    """Return the smallest whole number not below ``x``, elementwise.

    Args:
        x: Float.

    Returns:
        Whole numbers, in the dtype of `x`. No gradient.

    Example:
        >>> tf.math.ceil([1.7, -1.2]).numpy()
        array([ 2., -1.], dtype=float32)
    """
    return jnp.ceil(checks.inexact(x))


@op(differentiable=False)
def round(x):
    """Return the nearest whole number elementwise, the even one at a tie.

    Args:
        x: Real numbers; integers stay as they are.

    Returns:
        Whole numbers, in the dtype of `x`. No gradient.

    Example:
        >>> tf.round([0.5, 1.5, -1.7]).numpy()
        array([ 0.,  2., -2.], dtype=float32)
    """
    if jnp.issubdtype(x.dtype, jnp.integer):
        return x
    return jnp.round(checks.numeric(x))


@op(differentiable=False)
def rint(x):
    """Return the nearest whole number of floats elementwise, the even one at a tie.

    Args:
        x: Float.

    Returns:
        Whole numbers, in the dtype of `x`. No gradient.

    Example:
        >>> tf.math.rint([0.5, 1.5, -1.7]).numpy()
        array([ 0.,  2., -2.], dtype=float32)
    """
    return jnp.round(checks.inexact(x))


@jax.custom_jvp
def _nextafter(x1, x2):
    return jnp.nextafter(x1, x2)


@_nextafter.defjvp
def _nextafter_jvp(primals, tangents):
    out = _nextafter(*primals)
    return out, jnp.broadcast_to(tangents[0], out.shape)


@op
def nextafter(x1, x2):
    """Return the next float after ``x1`` towards ``x2``, elementwise.

    Args:
        x1: float32 or float64.
        x2: The same dtype.

    Returns:
        The neighbours, in the operands' dtype. The gradient goes to `x1`.

    Example:
        >>> tf.math.nextafter([1.0], [2.0]).numpy() > 1.0
        array([ True])
    """
    return _nextafter(checks.inexact(x1, "x1"), x2)
