"""Ragged features: partitions of a record's values, put together over records."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.engine import dtypes, errors
from lamina.ops.parsing import features
from lamina.ops.parsing.records import Named, as_tensor, joined, values_of

__all__ = ["from_lengths", "ragged"]


def _lengths(partition: Any, row: Any, count: int, where: Named) -> np.ndarray:
    """Return the lengths of the rows that a partition cuts `count` items in."""
    if isinstance(partition, features.UniformRowLength):
        size = partition.length
        found: Any = np.full(count // size if size else 0, size, np.int64)
    else:
        raw = values_of(row.get(partition.key), dtypes.int64, Named(partition.key, where.record))
        numbers = np.empty(0, np.int64) if raw is None else raw
        found = _from_numbers(partition, numbers, count)
    if (found < 0).any() or found.sum() != count:
        raise errors.InvalidArgumentError(
            f"tf.io: Key: {where.key}, Index: {where.record}.  The partition "
            f"{partition!r} must cut "
            f"{count} values; got rows of lengths {found.tolist()}.\n"
            f"  Fix: write partitions that end with the values."
        )
    return found


def _from_numbers(partition: Any, numbers: np.ndarray, count: int) -> np.ndarray:
    if isinstance(partition, features.RowLengths):
        return numbers
    if isinstance(partition, features.RowSplits):
        return np.diff(numbers)
    if isinstance(partition, features.RowStarts):
        return np.diff(np.append(numbers, count))
    if isinstance(partition, features.RowLimits):
        return np.diff(np.insert(numbers, 0, 0))
    return np.bincount(numbers, minlength=0) if numbers.size else numbers


def from_lengths(values: Any, lengths: Sequence[Any], splits_dtype: Any) -> Any:
    """Return a RaggedTensor.

    Args:
        values: The flat values, an array.
        lengths: The lengths of rows of each axis, the innermost last; an int for rows of one
            length.
        splits_dtype: The dtype of the row splits.
    """
    from lamina.ragged import RaggedTensor

    made: Any = as_tensor(values)
    for rows in reversed(lengths):
        if isinstance(rows, int):
            length = as_tensor(np.asarray(rows, splits_dtype.np))
            made = RaggedTensor.from_uniform_row_length(made, length)
        else:
            splits = np.concatenate([[0], np.cumsum(rows)]).astype(splits_dtype.np)
            made = RaggedTensor.from_row_splits(made, as_tensor(splits), validate=False)
    return made


def ragged(rows: Sequence[Any], key: str, feature: Any, is_one: bool, dtype: Any) -> Any:
    """Return a ragged feature of records: with partitions, and one axis of records before them.

    One record without partitions gives a vector.
    """
    name = feature.value_key or key
    parts, levels = [], [[] for _ in feature.partitions]
    outer = []
    for i, row in enumerate(rows):
        found = values_of(row.get(name), dtype, Named(name, i))
        values = np.empty(0, dtype.np) if found is None else found
        parts.append(values)
        count = values.size
        for level, partition in reversed(list(enumerate(feature.partitions))):
            lengths = _lengths(partition, row, count, Named(key, i))
            levels[level].append(lengths)
            count = lengths.size
        outer.append(count)
    cuts: list[Any] = [
        p.length if isinstance(p, features.UniformRowLength) else np.concatenate([[], *lengths])
        for p, lengths in zip(feature.partitions, levels, strict=True)
    ]
    flat = joined(parts, dtype)
    if is_one and all(isinstance(cut, int) for cut in cuts):
        return as_tensor(flat.reshape(-1, *cuts))
    return from_lengths(
        flat, cuts if is_one else [np.array(outer), *cuts], feature.row_splits_dtype
    )
