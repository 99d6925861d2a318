"""tf.distribute.experimental.partitioners: into how many shards a variable would be split."""

import math
from collections.abc import Sequence
from typing import Any

from lamina.engine import TensorShape, as_dtype

__all__ = ["FixedShardsPartitioner", "MaxSizePartitioner", "MinSizePartitioner", "Partitioner"]


class Partitioner:
    """What says into how many shards a variable is split; a subclass writes `__call__`."""

    def __call__(self, shape: Any, dtype: Any, axis: int = 0) -> Sequence[int]:
        """Return the number of shards along each axis.

        Args:
            shape: The variable's shape.
            dtype: Its element type.
            axis: The axis to split; along the others there is one shard.

        Raises:
            NotImplementedError: a subclass did not write it.
        """
        raise NotImplementedError(
            f"{type(self).__name__}: `__call__` must be written by the subclass.\n"
            f"  Fix: def __call__(self, shape, dtype, axis=0): return a list of counts."
        )


def _positive(who: str, **values: Any) -> None:
    for name, value in values.items():
        if value is not None and value < 1:
            raise ValueError(f"{who}: `{name}` must be positive; got {value}.")


def _shards(shape: Any, axis: int, count: int) -> list[int]:
    """Return `count` shards along an axis, no more than it is long."""
    sizes = TensorShape(shape).as_list()
    if not -len(sizes) <= axis < len(sizes):
        raise ValueError(
            f"Partitioner: `axis` must be one of the variable's {len(sizes)}, of shape "
            f"{tuple(sizes)}; got {axis}."
        )
    found = [1] * len(sizes)
    found[axis] = max(1, min(count, sizes[axis]))
    return found


def _element_bytes(dtype: Any, bytes_per_string: int) -> int:
    kind = as_dtype(dtype)
    return bytes_per_string if kind.name == "string" else kind.size


class FixedShardsPartitioner(Partitioner):
    """Split into a fixed number of shards.

    Args:
        num_shards: The number; an axis that is shorter has as many as it is long.

    Example:
        >>> partitioner = tf.distribute.experimental.partitioners.FixedShardsPartitioner(2)
        >>> partitioner((10, 3), tf.float32)
        [2, 1]
    """

    def __init__(self, num_shards: int) -> None:
        self._num_shards = num_shards

    def __call__(self, shape: Any, dtype: Any, axis: int = 0) -> Sequence[int]:
        """Return the number of shards along each axis; see `Partitioner`."""
        return _shards(shape, axis, self._num_shards)


class MinSizePartitioner(Partitioner):
    """Split into as many shards as there can be that hold a number of bytes each.

    Args:
        min_shard_bytes: The fewest bytes of a shard.
        max_shards: The most shards.
        bytes_per_string: How many bytes a string counts as.

    Raises:
        ValueError: one of them is not positive.

    Example:
        >>> partitioner = tf.distribute.experimental.partitioners.MinSizePartitioner(40, 3)
        >>> partitioner((8, 4), tf.float32)
        [3, 1]
    """

    def __init__(
        self, min_shard_bytes: int = 256 << 10, max_shards: int = 1, bytes_per_string: int = 16
    ) -> None:
        _positive(
            "MinSizePartitioner",
            min_shard_bytes=min_shard_bytes,
            max_shards=max_shards,
            bytes_per_string=bytes_per_string,
        )
        self._least, self._most = min_shard_bytes, max_shards
        self._bytes_per_string = bytes_per_string

    def __call__(self, shape: Any, dtype: Any, axis: int = 0) -> Sequence[int]:
        """Return the number of shards along each axis; see `Partitioner`."""
        count = TensorShape(shape).num_elements() or 0
        size = count * _element_bytes(dtype, self._bytes_per_string)
        return _shards(shape, axis, min(self._most, math.ceil(size / self._least)))


class MaxSizePartitioner(Partitioner):
    """Split into as few shards as there can be that hold at most a number of bytes each.

    Args:
        max_shard_bytes: The most bytes of a shard; one slice is the least that it holds.
        max_shards: The most shards, which counts more; None is any number.
        bytes_per_string: How many bytes a string counts as.

    Raises:
        ValueError: one of them is not positive.

    Example:
        >>> partitioner = tf.distribute.experimental.partitioners.MaxSizePartitioner(40)
        >>> partitioner((8, 4), tf.float32)
        [4, 1]
    """

    def __init__(
        self, max_shard_bytes: int, max_shards: int | None = None, bytes_per_string: int = 16
    ) -> None:
        _positive(
            "MaxSizePartitioner",
            max_shard_bytes=max_shard_bytes,
            max_shards=max_shards,
            bytes_per_string=bytes_per_string,
        )
        self._largest, self._most = max_shard_bytes, max_shards
        self._bytes_per_string = bytes_per_string

    def __call__(self, shape: Any, dtype: Any, axis: int = 0) -> Sequence[int]:
        """Return the number of shards along each axis; see `Partitioner`."""
        whole = _shards(shape, axis, TensorShape(shape).num_elements() or 1)[axis]
        elements = max(1, (TensorShape(shape).num_elements() or 1) // whole)
        slices = max(1, self._largest // (elements * _element_bytes(dtype, self._bytes_per_string)))
        count = math.ceil(whole / slices)
        return _shards(shape, axis, count if self._most is None else min(count, self._most))
