"""Division rounded as IEEE 754 says, and the means that need it."""

import jax
import jax.numpy as jnp

__all__ = ["divided", "mean", "size_of"]


def divided(x, y):
    """Return ``x / y`` with broadcasting, each quotient rounded once.

    XLA turns a division by a broadcast or constant value into a product with its reciprocal, which
    rounds twice: ``41.0 / 41.0`` became 0.99999994, and its floor 0. The divisor is therefore made
    to depend on ``x``, by a maximum with what is -inf wherever ``x`` is a number.

    Args:
        x: Float or complex array.
        y: Array of the same dtype.

    Returns:
        The quotients, in that dtype; complex ones are left to XLA.
    """
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return x / y
    return _rounded_once(x, jnp.asarray(y, x.dtype))


@jax.custom_jvp
def _rounded_once(x, y):
    return x / jnp.maximum(y, jnp.minimum(x, -jnp.inf))


@_rounded_once.defjvp
def _derivative(primals, tangents):
    """Return the value and its change, which is that of a plain quotient: it reads `y` alone."""
    return _rounded_once(*primals), jax.jvp(jnp.divide, primals, tangents)[1]


def mean(x, axes, keepdims=False):
    """Return the mean of an array over axes; the sum of 16-bit floats is taken in float32.

    Args:
        x: Float or complex array.
        axes: Axes, counted from the front.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The means, in the dtype of `x`; NaN where there is nothing to average.
    """
    total = jnp.sum(x, axis=axes, keepdims=keepdims, dtype=jnp.promote_types(x.dtype, jnp.float32))
    count = jnp.asarray(size_of(x, axes)).astype(total.dtype)
    return divided(total, count).astype(x.dtype)


def size_of(x, axes):
    """Return how many elements a reduction over `axes` joins, symbolic where a size is."""
    count = 1
    for each in axes:
        count = count * x.shape[each]
    return count
