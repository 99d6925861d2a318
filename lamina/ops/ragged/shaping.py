"""Ragged Tensors joined, stacked, repeated, turned: `tf.concat`, `tf.tile`, ... for them."""

import numpy as np

from lamina.engine import convert_to_tensor, dtypes, errors, static_int, static_ints
from lamina.ops import padding, shaping
from lamina.ops.ragged.partition import on_host
from lamina.ops.ragged.rows import (
    as_ragged,
    concat_rows,
    count_rows,
    lengths_of,
    ranges,
    splits_of,
    take_rows,
    to_values,
    with_lengths,
)
from lamina.ops.ragged.tensor import is_ragged, parts_of

__all__ = ["concat", "expand_dims", "reverse", "split", "squeeze", "stack", "tile"]


def _axis(axis, rank, who):
    axis = static_int(axis, "axis")
    if not -rank <= axis < rank:
        raise ValueError(f"{who}: `axis` must lie in [{-rank}, {rank}); got {axis}.")
    return axis + rank if axis < 0 else axis


def concat(values, axis, name=None):
    """Join ragged Tensors along an axis; `tf.concat` for them."""
    if not isinstance(values, list | tuple):
        values = [values]
    values = to_values(values)
    axis = _axis(axis, len(values[0].shape), "tf.concat")
    return _concat(values, axis)


def _concat(values, axis):
    if len(values) == 1:
        return values[0]
    if axis == 0:
        return concat_rows(values)
    depth = max(len(parts_of(v)) for v in values)
    values = [as_ragged(v, max(depth, 1)) for v in values]
    _same_counts(values, "tf.concat")
    if axis > 1:
        _same_splits(values, "tf.concat")
        inner = [v.values for v in values]
        joined = _concat(inner, axis - 1) if any(map(is_ragged, inner)) else None
        return values[0].with_values(shaping.concat(inner, axis - 1) if joined is None else joined)
    lengths = np.stack([lengths_of(v) for v in values], axis=1)  # (rows, values)
    whole = concat_rows([v.values for v in values])
    counts = [count_rows(v.values) for v in values]
    before = np.cumsum(counts) - counts
    starts = np.stack([splits_of(v)[:-1] for v in values], axis=1) + before
    order = ranges(starts.reshape(-1), lengths.reshape(-1))
    dtype = values[0]._partition.dtype
    return with_lengths(take_rows(whole, order), lengths.sum(axis=1), dtype)


def _same_counts(values, who):
    counts = {count_rows(v) for v in values}
    if len(counts) > 1:
        raise errors.InvalidArgumentError(
            f"{who}: Input tensors have incompatible shapes; the numbers of rows must be equal, "
            f"got {[count_rows(v) for v in values]}."
        )


def _same_splits(values, who):
    first = splits_of(values[0])
    for other in values[1:]:
        if not np.array_equal(first, splits_of(other)):
            raise errors.InvalidArgumentError(
                f"{who}: Inputs must have identical ragged splits before the axis; got row "
                f"lengths {np.diff(first).tolist()[:20]} and {lengths_of(other).tolist()[:20]}."
            )


def stack(values, axis=0, name=None):
    """Stack values along a new axis, ragged where their sizes differ; `tf.ragged.stack`.

    Args:
        values: Ragged or dense Tensors of equal rank and dtype.
        axis: Where the new axis stands.
        name: Accepted, unused.

    Returns:
        A RaggedTensor; a Tensor for scalars.

    Raises:
        ValueError: `values` is empty, or the ranks differ.

    Example:
        >>> tf.ragged.stack([[1, 2], [3]])
        <tf.RaggedTensor [[1, 2], [3]]>
    """
    if not isinstance(values, list | tuple):
        values = [values]
    if not values:
        raise ValueError("tf.ragged.stack: `values` may not be empty; got [].")
    values = to_values(values)
    rank = len(values[0].shape)
    axis = _axis(axis, rank + 1, "tf.ragged.stack")
    if rank == 0:
        return shaping.stack(values)
    return _stack(values, axis)


def _stack(values, axis):
    if axis == 0:
        counts = np.asarray([count_rows(v) for v in values])
        same = int(counts[0]) if len(set(counts.tolist())) == 1 and len(values) > 1 else None
        dtype = next((p.dtype for v in values for p in parts_of(v)), dtypes.int64)
        same = same if any(map(is_ragged, values)) else None
        return with_lengths(concat_rows(values), counts, dtype, same)
    if axis == 1:
        return _concat([expand_dims(v, 1) for v in values], 1)
    depth = max(len(parts_of(v)) for v in values)
    values = [as_ragged(v, max(depth, 1)) for v in values]
    _same_splits(values, "tf.stack")
    inner = [v.values for v in values]
    if any(map(is_ragged, inner)):
        return values[0].with_values(_stack(inner, axis - 1))
    return values[0].with_values(shaping.stack(inner, axis - 1))


def expand_dims(input, axis, name=None):
    """Add an axis of size 1 to a ragged Tensor; `tf.expand_dims` for it."""
    if not is_ragged(input):
        return shaping.expand_dims(input, axis)
    axis = _axis(axis, len(input.shape) + 1, "tf.expand_dims")
    rows = count_rows(input)
    dtype = input._partition.dtype
    if axis == 0:
        return with_lengths(input, np.asarray([rows]), dtype, rows)
    if axis == 1:
        return with_lengths(input, np.ones(rows, np.int64), dtype, 1)
    return input.with_values(expand_dims(input.values, axis - 1))


def squeeze(input, axis=None, name=None):
    """Drop axes of size 1 of a ragged Tensor; `tf.squeeze` for it.

    Raises:
        ValueError: `axis` is None.
        InvalidArgumentError: an axis is longer than 1.
    """
    if axis is None:
        raise ValueError(
            "tf.squeeze: a ragged Tensor needs an `axis`; got None.\n  Fix: name the axes."
        )
    given = axis if isinstance(axis, list | tuple) else [axis]
    rank = len(input.shape)
    for a in sorted({_axis(a, rank, "tf.squeeze") for a in given}, reverse=True):
        input = _squeeze(input, a)
    return input


def _squeeze(value, axis):
    if not is_ragged(value):
        return shaping.squeeze(value, axis)
    if axis > 1:
        return value.with_values(_squeeze(value.values, axis - 1))
    lengths = lengths_of(value) if axis else np.asarray([count_rows(value)])
    if np.any(lengths != 1):
        raise errors.InvalidArgumentError(
            f"tf.squeeze: axis {axis} must have size 1; got sizes {lengths.tolist()[:20]}."
        )
    return value.values


def reverse(tensor, axis, name=None):
    """Turn the items of axes round; `tf.reverse` for ragged Tensors."""
    rank = len(tensor.shape)
    axes = axis if isinstance(axis, list | tuple) else static_ints(axis, "axis")
    for a in {_axis(a, rank, "tf.reverse") for a in axes}:
        tensor = _reverse(tensor, a)
    return tensor


def _reverse(value, axis):
    if not is_ragged(value):
        return padding.reverse(value, [axis])
    if axis == 0:
        return take_rows(value, np.arange(count_rows(value))[::-1])
    if axis > 1:
        return value.with_values(_reverse(value.values, axis - 1))
    lengths, splits = lengths_of(value), splits_of(value)
    offsets = on_host(value._partition.offsets_in_rows())
    order = np.repeat(splits[1:], lengths) - 1 - offsets
    return value.with_values(take_rows(value.values, order))


def tile(input, multiples, name=None):
    """Repeat a ragged Tensor along each axis; `tf.tile` for it."""
    given = static_ints(multiples, "multiples")
    rank = len(input.shape)
    if len(given) != rank:
        raise ValueError(
            f"tf.tile: `multiples` must have {rank} items for shape {input.shape}; got {given}."
        )
    for axis, times in enumerate(given):
        if times != 1:
            input = _tile(input, axis, times)
    return input


def _tile(value, axis, times):
    if not is_ragged(value):
        return padding.tile(value, [times if i == axis else 1 for i in range(len(value.shape))])
    if axis == 0:
        return take_rows(value, np.tile(np.arange(count_rows(value)), times))
    if axis > 1:
        return value.with_values(_tile(value.values, axis - 1, times))
    lengths, starts = lengths_of(value), splits_of(value)[:-1]
    order = ranges(np.repeat(starts, times), np.repeat(lengths, times))
    uniform = value._partition._uniform
    return with_lengths(
        take_rows(value.values, order),
        lengths * times,
        value._partition.dtype,
        None if uniform is None else uniform * times,
    )


def split(value, num_or_size_splits, axis=0, num=None, name=None):
    """Cut a ragged Tensor into parts along an axis; `tf.split` for it.

    Raises:
        ValueError: the axis is ragged, or the parts do not use it up.
    """
    axis = _axis(axis, len(value.shape), "tf.split")
    size = value.shape[axis]
    if size is None:
        raise ValueError(
            f"tf.split: the axis must not be ragged; got axis {axis} of shape {value.shape}."
        )
    parts = num_or_size_splits
    if np.ndim(parts) > 1:
        raise TypeError(
            f"tf.split: `num_or_size_splits` must be an integer or a vector of them; got {parts!r}."
        )
    if isinstance(parts, int) or np.ndim(parts) == 0:
        count = static_int(parts, "num_or_size_splits")
        if count <= 0 or size % count:
            raise errors.InvalidArgumentError(
                f"tf.split: {size} rows must be a multiple of `num_or_size_splits`; got {count}."
            )
        sizes = [size // count] * count
    else:
        sizes = list(static_ints(parts, "num_or_size_splits"))
        if sum(sizes) != size:
            raise errors.InvalidArgumentError(
                f"tf.split: the sizes must add up to {size}; got {sizes}."
            )
    stops = np.cumsum(sizes)
    key = (slice(None),) * axis
    return [value[(*key, slice(int(b - s), int(b)))] for s, b in zip(sizes, stops, strict=True)]


def constant_like(value, number, dtype=None):
    """Return a ragged Tensor of the same rows in which every element is `number`."""
    kind = value.dtype if dtype is None else dtypes.as_dtype(dtype)
    shape = tuple(value.flat_values.shape)
    filler = (b"", object) if kind is dtypes.string else (number, kind.np)
    return value.with_flat_values(convert_to_tensor(np.full(shape, *filler), kind))
