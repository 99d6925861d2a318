"""Integers into other integers, bins and counts: what lookup and encoding layers run."""

import jax.numpy as jnp
import numpy as np

from lamina.engine import dtypes, op, type_of

__all__ = ["count_tokens", "digitize", "lookup_sorted"]


@op(mixed=True, differentiable=False)
def lookup_sorted(x, keys, values, default):
    """Return the value that stands beside each key, as a hash table would.

    Args:
        x: Integers of any shape.
        keys: The keys `(N,)`, ascending, of the dtype of `x`.
        values: The values `(N,)`.
        default: What to return for other numbers; broadcasts to the shape of `x`.

    Returns:
        A Tensor of the shape of `x` and the dtype of `values`.

    Example:
        >>> from lamina import ops
        >>> table = np.array([3, 8]), np.array([1, 2])
        >>> ops.lookup_sorted(tf.constant([8, 5], tf.int64), *table, np.int64(0)).numpy()
        array([2, 0])
    """
    default = jnp.broadcast_to(default, x.shape).astype(values.dtype)
    if keys.shape[0] == 0:
        return default
    at = jnp.minimum(jnp.searchsorted(keys, x), keys.shape[0] - 1)
    return jnp.where(keys[at] == x, values[at], default)


@op(differentiable=False)
def digitize(x, *, boundaries):
    """Return the bin of each number: how many boundaries are at most the number.

    Args:
        x: Numbers of any shape.
        boundaries: The boundaries of the bins, ascending.

    Returns:
        int32 in `[0, len(boundaries)]`, of the shape of `x`.

    Example:
        >>> from lamina import ops
        >>> ops.digitize(tf.constant([-5.0, 0.0, 0.5]), boundaries=(0.0, 1.0)).numpy()
        array([0, 1, 1], dtype=int32)
    """
    kind = x.dtype if jnp.issubdtype(x.dtype, np.floating) else np.dtype("float64")
    places = jnp.searchsorted(np.array(boundaries, kind), x.astype(kind), side="right")
    return places.astype("int32")


def _infer_counts(kinds, *, depth, binary, dtype):
    return (type_of((*kinds[0].dims[:-1], depth), dtype or dtypes.float32),), None


@op(mixed=True, infer=_infer_counts)
def count_tokens(x, weights, *, depth, binary=False, dtype):
    """Return how often each number occurs in each row.

    Args:
        x: Integers `(N,)` or `(B, N)`; those outside of `[0, depth)` are left out.
        weights: What each occurrence counts, of the shape of `x`; None is 1.
        depth: The number of counts, D.
        binary: Whether to return 1 in place of a count.
        dtype: The dtype of the counts.

    Returns:
        `(D,)` or `(B, D)`.

    Example:
        >>> from lamina import ops
        >>> ops.count_tokens(tf.constant([[1, 1, 2]]), None, depth=4, dtype=tf.int32).numpy()
        array([[0, 2, 1, 0]], dtype=int32)
    """
    rows = jnp.atleast_2d(x)
    rows = jnp.where(rows < 0, depth, rows)  # JAX takes negative ones from the end
    amount = 1 if weights is None else jnp.atleast_2d(weights).astype(dtype.np)
    place = jnp.zeros((rows.shape[0], depth), dtype.np).at[jnp.arange(rows.shape[0])[:, None], rows]
    found = place.set(1, mode="drop") if binary else place.add(amount, mode="drop")
    return found if x.ndim == 2 else found[0]
