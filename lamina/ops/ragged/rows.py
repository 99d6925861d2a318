"""Rows of ragged Tensors picked, repeated and put in order: what the other functions are made of.

A place is the index of a row, a NumPy array of them an order. Row partitions are computed on the
host; the elements move in one `tf.gather`, through which gradients flow.
"""

import numpy as np

from lamina.engine import as_dtype, convert_to_tensor, dtypes, errors
from lamina.ops import indexing, shaping
from lamina.ops.ragged.partition import RowPartition
from lamina.ops.ragged.tensor import RaggedTensor, is_ragged, parts_of

__all__ = [
    "as_ragged",
    "concat_rows",
    "count_rows",
    "joined_splits_dtype",
    "lengths_of",
    "ranges",
    "splits_of",
    "take_rows",
    "with_lengths",
]


def splits_of(value):
    """Return the row splits of a ragged Tensor as a NumPy array."""
    return value._partition._numbers


def lengths_of(value):
    """Return the row lengths of a ragged Tensor, or of a Tensor with two axes or more."""
    if is_ragged(value):
        return np.diff(splits_of(value))
    return np.full(int(value.shape[0]), int(value.shape[1]), np.int64)


def count_rows(value):
    """Return the number of rows of a ragged or dense Tensor."""
    return value._partition._count if is_ragged(value) else int(value.shape[0])


def with_lengths(values, lengths, dtype=None, uniform=None):
    """Return `values` cut into rows of the given lengths (a NumPy array)."""
    if dtype is None:
        dtype = values._partition.dtype if is_ragged(values) else dtypes.int64
    splits = np.zeros(len(lengths) + 1, as_dtype(dtype).np)
    np.cumsum(lengths, out=splits[1:])
    return RaggedTensor._of(values, RowPartition._of_host(splits, uniform))


def ranges(starts, lengths):
    """Return `[starts[0], starts[0] + 1, …, starts[1], …]`, `lengths[i]` numbers for each."""
    starts, lengths = np.asarray(starts, np.int64), np.asarray(lengths, np.int64)
    total = int(lengths.sum())
    before = np.cumsum(lengths) - lengths
    return np.arange(total) + np.repeat(starts - before, lengths)


def take_rows(value, places):
    """Return the rows at `places`, a NumPy array of indices that are in range."""
    places = np.asarray(places, np.int64)
    if not is_ragged(value):
        whole = count_rows(value)
        if len(places) == whole and np.array_equal(places, np.arange(whole)):
            return value
        return indexing.gather(value, places)
    splits = splits_of(value)
    lengths = np.diff(splits)[places]
    values = take_rows(value.values, ranges(splits[:-1][places], lengths))
    return with_lengths(values, lengths, value._partition.dtype, value._partition._uniform)


def as_ragged(value, ragged_rank, dtype=dtypes.int64):
    """Return a value with (at least) so many row partitions.

    Args:
        value: A ragged or dense Tensor.
        ragged_rank: The number of row partitions wanted.
        dtype: The dtype of row splits for a dense Tensor.
    """
    if ragged_rank <= 0:
        return value
    if is_ragged(value):
        return value.with_values(as_ragged(value.values, ragged_rank - 1, value._partition.dtype))
    if value.shape.rank < 2:
        raise ValueError(
            f"a Tensor with more axes than {value.shape.rank} was expected beside a ragged one; "
            f"got shape {value.shape}.\n  Fix: tf.expand_dims it."
        )
    rows, size, *inner = (int(n) for n in value.shape)
    flat = shaping.reshape(value, [rows * size, *inner])
    partition = RowPartition.from_uniform_row_length(size, rows * size, rows, dtype=dtype)
    return RaggedTensor._of(as_ragged(flat, ragged_rank - 1, dtype), partition)


def joined_splits_dtype(values):
    """Return the dtype that row splits have where ragged Tensors meet."""
    found = {p.dtype for v in values for p in parts_of(v)}
    if len(found) > 1:
        raise ValueError(
            "ragged Tensors must have row splits of one dtype; got int32 and int64.\n"
            "  Fix: x.with_row_splits_dtype(tf.int64)."
        )
    return next(iter(found), dtypes.int64)


def concat_rows(values):
    """Return the rows of all values, one after the other.

    Args:
        values: Ragged and dense Tensors with as many axes each.
    """
    rank = max((len(parts_of(v)) for v in values), default=0)
    shapes = [list(v.shape) for v in values]
    for axis in range(rank + 1, len(shapes[0])):
        if any(shape[axis] != shapes[0][axis] for shape in shapes):
            rank = axis  # sizes that differ make an axis ragged
    if rank == 0:
        return shaping.concat(values, 0)
    dtype = joined_splits_dtype(values)
    values = [as_ragged(v, rank, dtype) for v in values]
    inner = concat_rows([v.values for v in values])
    lengths = np.concatenate([lengths_of(v) for v in values])
    uniform = {v._partition._uniform for v in values}
    same = uniform.pop() if len(uniform) == 1 else None
    return with_lengths(inner, lengths, dtype, same)


def to_values(values):
    """Return ragged Tensors as they are, and everything else as Tensors of their dtype."""
    dtype = next((v.dtype for v in values if is_ragged(v) or hasattr(v, "_type")), None)
    found = [v if is_ragged(v) else convert_to_tensor(v, dtype) for v in values]
    ranks = {len(v.shape) for v in found}
    if len(ranks) > 1:
        raise ValueError(
            f"all Tensors must have as many axes; got shapes {[str(v.shape) for v in found]}."
        )
    kinds = {v.dtype for v in found}
    if len(kinds) > 1:
        raise errors.InvalidArgumentError(
            f"all Tensors must have one dtype; got {sorted(k.name for k in kinds)}."
        )
    return found
