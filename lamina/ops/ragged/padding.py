"""Ragged rows laid out as a dense Tensor, with something in the cells that no row reaches."""

import numpy as np

from lamina.engine import TensorShape, convert_to_tensor, dtypes, static_ints
from lamina.ops.indexing import gather
from lamina.ops.ragged.nesting import is_ragged
from lamina.ops.ragged.partition import on_host
from lamina.ops.shaping import broadcast_to, concat, reshape

__all__ = ["filling", "padded", "places_of", "sizes_asked"]


def places_of(value):
    """Return the index of each row of the innermost values: (V, ragged rank + 1)."""
    partition = value._partition
    if is_ragged(value.values):
        inner = places_of(value.values)
        rows = inner[:, 0]
        heads = np.stack([partition._host_rowids(), on_host(partition.offsets_in_rows())], 1)
        return np.concatenate([heads[rows], inner[:, 1:]], 1)
    return np.stack([partition._host_rowids(), on_host(partition.offsets_in_rows())], 1)


def sizes_asked(shape, rank, given):
    """Return the sizes that `to_tensor` is asked for, None for those to keep.

    Args:
        shape: A shape; -1 in a Tensor, or a Tensor that is -1, also stands for a size to keep.
        rank: How many sizes there must be.
        given: The shape of the ragged Tensor, for a message.

    Raises:
        ValueError: there are more or fewer.
    """
    if hasattr(shape, "dtype"):
        found = [None if n < 0 else int(n) for n in static_ints(shape, "shape")]
        shape = None if not len(shape.shape) and found == [None] else found
    if shape is None or TensorShape(shape).rank is None:
        return [None] * rank
    asked = list(TensorShape(shape))
    if len(asked) != rank:
        raise ValueError(
            f"RaggedTensor.to_tensor: `shape` must have {rank} axes for shape {given}; got "
            f"{TensorShape(shape)}."
        )
    return asked


def padded(value, wanted, default_value):
    """Return a ragged Tensor as a dense one of shape `wanted`; what is longer is cut."""
    depth = value.ragged_rank + 1
    flat = value.flat_values
    inner_wanted = wanted[depth:]
    cuts = tuple(slice(0, n) for n in inner_wanted)
    if any(w < int(s) for w, s in zip(inner_wanted, flat.shape[1:], strict=True)):
        flat = flat[(slice(None), *cuts)]
    kept = [int(n) for n in flat.shape[1:]]
    places = places_of(value)
    inside = np.all(places < np.asarray(wanted[:depth]), axis=1)
    where = np.ravel_multi_index(tuple(places[inside].T), wanted[:depth]) if inside.any() else []
    total = int(np.prod(wanted[:depth]))
    # Row `source[i]` of the values goes to cell i; the cells without one take the last row.
    source = np.full(total, flat.shape[0], np.int64)
    source[np.asarray(where, np.int64)] = np.nonzero(inside)[0]
    fill = filling(default_value, flat.dtype)
    row = broadcast_to(fill, kept)
    out = gather(concat([flat, reshape(row, [1, *kept])], 0), source)
    out = reshape(out, [*wanted[:depth], *kept])
    for axis, (size, want) in enumerate(zip(kept, inner_wanted, strict=True)):
        if want > size:
            sizes = [int(n) for n in out.shape]
            sizes[depth + axis] = want - size
            out = concat([out, broadcast_to(fill, sizes)], depth + axis)
    return out


def filling(value, dtype):
    """Return what fills the cells without a value: a scalar Tensor; None is zero or ""."""
    if value is None:
        value = b"" if dtype is dtypes.string else np.zeros((), dtype.np)
    return convert_to_tensor(value, dtype)
