"""Grids of numbers: evenly spaced ones, powers, matrices with a diagonal."""

import jax.numpy as jnp
import numpy as np

from lamina.engine import op

__all__ = ["line", "ones_below", "powers", "shifted_eye", "step"]


@op
def step(start, stop, *, num, endpoint):
    """Return the distance of `num` even steps from `start` to `stop`; NaN for a single one."""
    count = num - 1 if endpoint else num
    return (stop - start) / count if count > 0 else (stop - start) * np.asarray(np.nan, start.dtype)


@op
def line(start, stop, *, num, endpoint, axis, base, dtype):
    """Return `num` evenly spaced numbers; powers of `base` with these exponents unless None.

    Args:
        start: Floats, of any shape.
        stop: Floats of a shape that broadcasts with it.
        num: How many, at least 0.
        endpoint: Whether `stop` is the last.
        axis: Where the new axis stands.
        base: The base of a logarithmic scale, or None.
        dtype: The dtype of the result; integers round down.
    """
    start, stop = jnp.broadcast_arrays(start, stop)
    count = max(num - 1 if endpoint else num, 1)
    rank = start.ndim + 1
    steps = jnp.reshape(jnp.arange(num, dtype=start.dtype), [num] + [1] * start.ndim)
    found = start + steps / count * (stop - start)
    if endpoint and num > 1:
        found = found.at[-1].set(stop)
    if base is not None:
        found = jnp.power(np.asarray(base, start.dtype), found)
    if dtype.is_integer:
        found = jnp.floor(found)
    return jnp.moveaxis(found, 0, axis % rank).astype(dtype.np)


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
