"""Grids of numbers: evenly spaced ones, powers, matrices with a diagonal."""

import jax.numpy as jnp
import numpy as np

from lamina.engine import op

__all__ = ["geometric", "line", "ones_below", "powers", "shifted_eye", "step"]


@op
def step(start, stop, *, num, endpoint):
    """Return the distance of `num` even steps from `start` to `stop`; NaN for a single one."""
    count = num - 1 if endpoint else num
    return (stop - start) / count if count > 0 else (stop - start) * np.asarray(np.nan, start.dtype)


def _spaced(start, stop, num, endpoint):
    """Return `num` evenly spaced floats along a new first axis."""
    start, stop = jnp.broadcast_arrays(start, stop)
    count = max(num - 1 if endpoint else num, 1)
    steps = jnp.reshape(jnp.arange(num, dtype=start.dtype), [num] + [1] * start.ndim)
    found = start + steps / count * (stop - start)
    return found.at[-1].set(stop) if endpoint and num > 1 else found


def _finished(found, axis, dtype):
    """Return numbers with their first axis in its place, in a dtype; integers round down."""
    found = jnp.floor(found) if dtype.is_integer else found
    return jnp.moveaxis(found, 0, axis % found.ndim).astype(dtype.np)


@op
def line(start, stop, *, num, endpoint, axis, dtype, base=None):
    """Return `num` evenly spaced numbers; powers of `base` with these exponents unless None.

    Args:
        start: Floats, of any shape.
        stop: Floats of a shape that broadcasts with it.
        num: How many, at least 0.
        endpoint: Whether `stop` is the last.
        axis: Where the new axis stands.
        dtype: The dtype of the result; integers round down.
        base: The base of a logarithmic scale, or None.
    """
    found = _spaced(start, stop, num, endpoint)
    if base is not None:
        found = jnp.power(np.asarray(base, start.dtype), found)
    return _finished(found, axis, dtype)


@op
def geometric(start, stop, *, num, endpoint, axis, dtype):
    """Return `num` numbers with evenly spaced logarithms; the ends have one sign."""
    start, stop = jnp.broadcast_arrays(start, stop)
    sign = jnp.where((start < 0) & (stop < 0), -1, 1).astype(start.dtype)
    found = _spaced(jnp.log10(sign * start), jnp.log10(sign * stop), num, endpoint)
    found = sign * jnp.power(np.asarray(10, start.dtype), found)
    if num > 0:
        found = found.at[0].set(start)
    if num > 1 and endpoint:
        found = found.at[-1].set(stop)
    return _finished(found, axis, dtype)


@op
def powers(x, *, count, increasing):
    """Return ``x ** k`` in the columns of a matrix, k from 0 up or down to 0."""
    exponents = np.arange(count) if increasing else np.arange(count)[::-1]
    return jnp.power(x[:, None], exponents.astype(x.dtype)[None])


@op(differentiable=False)
def shifted_eye(*, rows, columns, k, dtype):
    """Return 1 on the diagonal `k`, 0 elsewhere."""
    return jnp.eye(rows, columns, k, dtype.np)


@op(differentiable=False)
def ones_below(*, rows, columns, k, dtype):
    """Return 1 on and below the diagonal `k`, 0 above."""
    return jnp.tri(rows, columns, k, dtype.np)
