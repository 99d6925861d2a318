"""`rt[key]`: rows, items and slices of ragged Tensors."""

import numpy as np

from lamina.engine import Tensor, errors
from lamina.ops.ragged.partition import on_host
from lamina.ops.ragged.picking import boolean_mask
from lamina.ops.ragged.rows import lengths_of, ranges, splits_of, take_rows, with_lengths
from lamina.ops.ragged.shaping import expand_dims
from lamina.ops.ragged.tensor import is_ragged

__all__ = ["read"]


def read(value, key):
    """Return a part of a ragged Tensor, as `value[key]` means it.

    Args:
        value: A RaggedTensor.
        key: Ints, slices, `...` and `tf.newaxis`, or a bool mask.

    Raises:
        IndexError: a row index is out of bounds.
        ValueError: an int indexes a ragged axis, whose rows may be too short.
        TypeError: the key is of another kind.
    """
    if is_ragged(key) or (isinstance(key, Tensor) and key.dtype.name == "bool"):
        return boolean_mask(value, key)
    keys = list(key) if isinstance(key, list | tuple) else [key]
    return _read(value, _without_ellipsis(value, keys))


def _without_ellipsis(value, keys):
    if sum(k is Ellipsis for k in keys) > 1:
        raise ValueError("RaggedTensor: only one `...` may be in an index; got several.")
    for i, k in enumerate(keys):
        if k is Ellipsis:
            used = sum(k is not None for k in keys) - 1
            rest = len(value.shape) - used
            return [*keys[:i], *[slice(None)] * rest, *keys[i + 1 :]]
    return keys


def _read(value, keys):
    """Index a value whose first axis is the first key's."""
    if not keys:
        return value
    if not is_ragged(value):
        return value[tuple(keys)]
    first, *rest = keys
    if first is None:
        return expand_dims(_read(value, rest), 0)
    if isinstance(first, slice):
        return _inside(_sliced_rows(value, first), rest)
    return _read(_row(value, _whole(first)), rest)


def _whole(key):
    if isinstance(key, Tensor):
        if key.shape.rank:
            raise ValueError(
                f"RaggedTensor: an index must be a scalar; got shape {key.shape}.\n"
                f"  Fix: tf.gather(rt, indices)."
            )
        key = on_host(key)
    try:
        return int(key.__index__())
    except (AttributeError, TypeError):
        raise TypeError(
            f"RaggedTensor: an index must be ints, slices, `...` or None; got {key!r}."
        ) from None


def _row(value, index):
    count = value._partition._count
    if not -count <= index < count:
        raise IndexError(f"Row key {index} out of bounds; there are {count} rows.")
    index = index + count if index < 0 else index
    splits = splits_of(value)
    start, stop = int(splits[index]), int(splits[index + 1])
    if is_ragged(value.values):
        return take_rows(value.values, np.arange(start, stop))
    return value.values[start:stop]


def _bounds(key):
    parts = [None if p is None else _whole(p) for p in (key.start, key.stop, key.step)]
    if parts[2] == 0:
        raise ValueError("RaggedTensor: the step of a slice may not be 0.")
    return slice(*parts)


def _sliced_rows(value, key):
    order = range(value._partition._count)[_bounds(key)]
    if len(order) == value._partition._count and order.step == 1:
        return value
    return take_rows(value, np.asarray(order, np.int64))


def _inside(value, keys):
    """Index each row of a ragged value."""
    if not keys:
        return value
    if not is_ragged(value):
        return value[(slice(None), *keys)]
    first, *rest = keys
    if first is None:
        return expand_dims(_inside(value, rest), 1)
    if isinstance(first, slice):
        cut = _cut_rows(value, _bounds(first))
        return cut.with_values(_inside(cut.values, rest)) if rest else cut
    index, length = _whole(first), value._partition._uniform
    if length is None:
        raise ValueError(
            "Cannot index into an inner ragged dimension; rows may be too short.\n"
            "  Fix: rt[:, i:i + 1] keeps the axis; rt.to_tensor()[:, i] pads."
        )
    if not -length <= index < length:
        raise errors.InvalidArgumentError(
            f"RaggedTensor: index {index} is out of bounds for an axis of size {length}."
        )
    places = splits_of(value)[:-1] + (index + length if index < 0 else index)
    picked = take_rows(value.values, places)
    return _inside(picked, rest) if rest else picked


def _cut_rows(value, key):
    """Return a slice of each row."""
    lengths, starts = lengths_of(value), splits_of(value)[:-1]
    if key == slice(None):
        return value
    step = 1 if key.step is None else key.step
    first, counts = np.zeros_like(lengths), np.zeros_like(lengths)
    for size in np.unique(lengths):
        chosen = range(int(size))[key]
        first[lengths == size], counts[lengths == size] = chosen.start, len(chosen)
    offsets = ranges(np.zeros(len(counts), np.int64), counts)
    order = np.repeat(starts + first, counts) + offsets * step
    uniform = value._partition._uniform
    made = take_rows(value.values, order)
    same = int(counts[0]) if uniform is not None and len(counts) else None
    return with_lengths(made, counts, value._partition.dtype, same)
