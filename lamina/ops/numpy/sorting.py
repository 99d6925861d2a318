"""Order and counts: sorting, places in sorted rows, bins, distinct elements.

Places and counts are int32.
"""

import jax.numpy as jnp
import numpy as np

from lamina.engine import op
from lamina.ops import checks

__all__ = [
    "bin_counts",
    "digits",
    "distinct",
    "filled_up",
    "histogram_counts",
    "histogram_edges",
    "insertions",
    "membership",
    "partition_order",
    "sorted_order",
    "sorted_values",
]


def _along(x, axis):
    """Return the array and the axis to work on: all elements as one row for None."""
    return (jnp.ravel(x), 0) if axis is None else (x, checks.axis(x, axis))


@op
def sorted_values(x, *, axis):
    """Return the elements in rising order along an axis, NaN last."""
    rows, along = _along(x, axis)
    return jnp.sort(rows, axis=along)


@op(differentiable=False)
def sorted_order(x, *, axis):
    """Return the places that sort `x`; equal elements keep their order."""
    rows, along = _along(x, axis)
    return jnp.argsort(rows, axis=along, stable=True).astype(np.int32)


@op(differentiable=False)
def partition_order(x, *, kth, axis):
    """Return places with the smallest ``kth + 1`` first, rising, and then the others, falling."""
    rows, along = _along(x, axis)
    size = rows.shape[along]
    if isinstance(size, int) and not -size <= kth < size:
        raise ValueError(
            f"`kth` must lie in [{-size}, {size}) for shape {rows.shape}; got {kth}.\n"
            "  Fix: it counts the elements along the axis."
        )
    count = kth % size + 1
    rows = jnp.moveaxis(rows, along, -1)
    least = jnp.argsort(rows, stable=True)[..., :count]
    falling = jnp.argsort(rows, stable=True, descending=True)
    chosen = jnp.any(falling[..., :, None] == least[..., None, :], axis=-1)
    others = jnp.take_along_axis(falling, jnp.argsort(chosen, stable=True), -1)[..., : size - count]
    return jnp.moveaxis(jnp.concatenate([least, others], -1), -1, along).astype(np.int32)


@op(differentiable=False)
def insertions(row, values, *, side):
    """Return where to put `values` into a sorted vector: before ("left") or after equal ones."""
    return jnp.searchsorted(row, values, side=side).astype(np.int32)


@op(differentiable=False)
def digits(x, bins):
    """Return the number of bin edges, a rising vector, at or below each element."""
    return jnp.searchsorted(bins, x, side="right").astype(np.int32)


@op(differentiable=False)
def membership(x, members, *, invert):
    """Return which elements are among `members`, bool; `invert` turns it around."""
    return jnp.isin(x, members, invert=invert)


@op(mixed=True)
def bin_counts(x, weights, *, size):
    """Return how often each integer below `size` occurs in each row, int32, or its weights."""
    rows = x if x.ndim == 2 else jnp.reshape(x, (1, -1))
    amounts = jnp.ones(rows.shape, np.int32) if weights is None else weights.reshape(rows.shape)
    row = jnp.arange(rows.shape[0])[:, None]
    counts = jnp.zeros((rows.shape[0], size), amounts.dtype).at[row, rows].add(amounts, mode="drop")
    return counts if x.ndim == 2 else counts[0]


@op
def histogram_edges(low, high, *, bins):
    """Return the ``bins + 1`` edges between two scalars, in their dtype."""
    wide = low.dtype if jnp.issubdtype(low.dtype, jnp.floating) else jnp.float64
    first, last = low.astype(wide), high.astype(wide)
    edges = first + (last - first) * (jnp.arange(bins + 1, dtype=wide) / bins)
    return edges.at[-1].set(last).astype(low.dtype)


@op(differentiable=False)
def histogram_counts(x, edges):
    """Return how many elements lie between edges, in the dtype of `x`; the last edge belongs in."""
    bins = edges.shape[0] - 1
    inside = (x >= edges[0]) & (x <= edges[-1])
    places = jnp.clip(jnp.searchsorted(edges, x, side="right") - 1, 0, bins - 1)
    return jnp.zeros(bins, np.int64).at[places].add(inside.astype(np.int64)).astype(x.dtype)


@op(differentiable=False)
def distinct(x, *, axis, size, rising):
    """Return what describes the distinct slices of an array along an axis.

    Returns:
        Where each first occurs ``(size,)``; the number of each slice among them; how often each
        occurs ``(size,)``. They are in rising order, or in that of appearance; those that fill
        up have place 1, as in Keras, and count 0.
    """
    length = x.shape[axis]
    _, index, inverse, counts = jnp.unique(
        x,
        return_index=True,
        return_inverse=True,
        return_counts=True,
        axis=axis,
        size=length,
        equal_nan=False,
    )
    if not rising:
        order = jnp.argsort(jnp.where(counts > 0, index, length), stable=True)
        index, counts = index[order], counts[order]
        inverse = jnp.argsort(order)[inverse]
    more = max(size - length, 0)
    index = jnp.pad(jnp.where(counts > 0, index, 1), (0, more), constant_values=1)[:size]
    counts = jnp.pad(counts, (0, more))[:size]
    return tuple(v.astype(np.int32) for v in (index, jnp.ravel(inverse), counts))


@op(mixed=True)
def filled_up(x, counts, *, axis, value):
    """Return slices with `value` for those that count 0."""
    line = [-1 if i == axis else 1 for i in range(x.ndim)]
    return jnp.where(jnp.reshape(counts > 0, line), x, np.asarray(value, x.dtype))
