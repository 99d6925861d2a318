"""Distributed datasets: batches split between the replicas, or one element for each."""

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np

from lamina import ops
from lamina.distribute.values import (
    InputContext,
    InputReplicationMode,
    PerReplica,
    PerReplicaSpec,
    map_leaves,
)
from lamina.engine import Tensor, TensorSpec, convert_to_tensor, errors, local
from lamina.ops.sparse.making import slice as sparse_slice

__all__ = [
    "DistributedDataset",
    "DistributedIterator",
    "InputContext",
    "check_options",
    "divided",
    "shares",
]


def check_options(options: Any) -> bool:
    """Return whether each replica has a pipeline of its own."""
    mode = getattr(options, "experimental_replication_mode", None)
    return mode is InputReplicationMode.PER_REPLICA


class DistributedIterator:
    """One pass over a distributed dataset.

    Attributes:
        element_spec: As the dataset's.
    """

    def __init__(self, dataset: "DistributedDataset | None" = None) -> None:
        if dataset is None:
            raise ValueError(
                "tf.distribute.DistributedIterator: it is made by iter(distributed_dataset)."
            )
        self.element_spec = dataset.element_spec
        self._elements = dataset._elements()

    def get_next(self) -> Any:
        """Return the next element.

        Raises:
            errors.OutOfRangeError: there is none.
        """
        return next(self)

    def get_next_as_optional(self) -> Any:
        """Return the next element, or that there is none: see its `has_value` and `get_value`."""
        try:
            return Optional(next(self))
        except StopIteration:
            return Optional()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        trace = local.trace
        if trace.eager:
            trace.end_step()
        elif getattr(trace, "is_function", False):
            raise errors.HostLoopError(
                f"{trace.what}: the next element of a distributed dataset is taken in Python, not "
                f"in the program."
            )
        for element in self._elements:
            return element
        raise errors.EndOfSequenceError("tf.distribute: the dataset has no further element.")


class Optional:
    """An element, or nothing.

    Args:
        *value: The element, if there is one.
    """

    def __init__(self, *value: Any) -> None:
        self._value = value

    def has_value(self) -> Tensor:
        """Return whether there is an element, a bool Tensor."""
        return convert_to_tensor(bool(self._value))

    def get_value(self) -> Any:
        """Return the element.

        Raises:
            errors.InvalidArgumentError: there is none.
        """
        if not self._value:
            raise errors.InvalidArgumentError("tf.experimental.Optional: it has no value.")
        return self._value[0]


class DistributedDataset:
    """A dataset whose elements hold a value for each replica; strategies make it.

    Args:
        strategy: The strategy.
        datasets: The pipelines: one for all replicas, or one for each.
        split: Whether an element is a batch to be split between the replicas.
    """

    def __init__(
        self, strategy: Any = None, datasets: Sequence[Any] = (), split: bool = False
    ) -> None:
        if strategy is None:
            raise ValueError(
                "tf.distribute.DistributedDataset: it is made by "
                "strategy.experimental_distribute_dataset(dataset)."
            )
        self._strategy = strategy
        self._datasets = list(datasets)
        for dataset in self._datasets:
            if not hasattr(dataset, "element_spec"):
                raise TypeError(
                    f"tf.distribute: a tf.data.Dataset was expected; got {dataset!r}.\n"
                    f"  Fix: tf.data.Dataset.from_tensor_slices(arrays).batch(size) makes one."
                )
        self._split = split
        self._replicas = strategy.num_replicas_in_sync

    @property
    def element_spec(self) -> Any:
        """The specs of an element: with several replicas, a `PerReplicaSpec` for each Tensor."""
        spec = self._datasets[0].element_spec
        if self._replicas == 1:
            return spec
        return map_leaves(lambda s: PerReplicaSpec(*[_loose(s)] * self._replicas), spec)

    @property
    def cardinality(self) -> Any:
        """The number of elements, int64; -1 is infinite, -2 unknown."""
        size = int(self._datasets[0].cardinality())
        if size < 0 or self._split or self._replicas == 1 or len(self._datasets) > 1:
            return convert_to_tensor(np.int64(size))
        return convert_to_tensor(np.int64(-(-size // len(self._strategy._own))))

    def __iter__(self) -> DistributedIterator:
        trace = local.trace
        if not trace.eager and getattr(trace, "is_function", False):
            raise errors.HostLoopError(
                f"{trace.what}: a loop over a distributed dataset runs in Python."
            )
        return DistributedIterator(self)

    def _elements(self) -> Iterator[Any]:
        if self._replicas == 1:
            return iter(self._datasets[0])
        return self._batches() if self._split else self._in_turn()

    def _batches(self) -> Iterator[Any]:
        for batch in self._datasets[0]:
            sizes = shares(_size(batch), self._replicas)
            yield map_leaves(lambda t, s=sizes: _divided(t, s), batch)

    def _in_turn(self) -> Iterator[Any]:
        if len(self._datasets) > 1:
            for each in zip(*self._datasets, strict=False):
                yield map_leaves(lambda *v: PerReplica(v), *self._of_all(each))
            return
        elements = iter(self._datasets[0])
        own = len(self._strategy._own)
        while True:
            each = [e for _, e in zip(range(own), elements, strict=False)]
            if not each:
                return
            while len(each) < own:  # as in TF, replicas without data get empty batches
                each.append(map_leaves(lambda t: _rows_of(t, 0, 0), each[0]))
            yield map_leaves(lambda *v: PerReplica(v), *self._of_all(each))

    def _of_all(self, each: Sequence[Any]) -> Sequence[Any]:
        """Return an element for each replica, from those of this process' own.

        Each process hands its own to the program; what stands for the others' is not read.
        """
        if len(each) == self._replicas:
            return each
        mine = dict(zip(self._strategy._own, each, strict=True))
        return [mine.get(i, each[0]) for i in range(self._replicas)]


def _loose(spec: Any) -> Any:
    if not isinstance(spec, TensorSpec) or spec.shape.rank in (0, None):
        return spec
    return TensorSpec([None, *spec.shape.as_list()[1:]], spec.dtype)


def _size(batch: Any) -> int:
    leaves: list[Any] = []
    map_leaves(leaves.append, batch)
    first = leaves[0]
    if len(first.shape) == 0:
        raise ValueError(
            "strategy.experimental_distribute_dataset: the elements must be batches, which are "
            "split between the replicas; got a scalar.\n  Fix: dataset.batch(global_batch_size)."
        )
    return int(first.shape[0])


def shares(size: int, replicas: int) -> list[int]:
    """Return how many samples of a batch each replica gets: the first ones one more if need be."""
    least, more = divmod(size, replicas)
    return [least + (i < more) for i in range(replicas)]


def _rows_of(value: Any, start: int, stop: int) -> Any:
    """Return some rows of a Tensor, ragged or sparse ones too."""
    if hasattr(value, "dense_shape"):
        rest = [int(n) for n in value.shape[1:]]
        return sparse_slice(value, [start, *[0] * len(rest)], [stop - start, *rest])
    return value[start:stop]


def _divided(tensor: Any, sizes: list[int]) -> PerReplica:
    """Split a batch, on the host where its parts are equal."""
    if len(set(sizes)) == 1 and tensor.dtype.name != "string" and isinstance(tensor, Tensor):
        array = np.asarray(tensor._jax())
        shape = (len(sizes), sizes[0], *array.shape[1:])
        return PerReplica(None, convert_to_tensor(array.reshape(shape)))
    return divided(tensor, sizes)


def divided(tensor: Any, sizes: list[int]) -> PerReplica:
    """Split a Tensor, ragged or sparse ones too, along its first axis into parts of sizes."""
    if len(set(sizes)) == 1 and tensor.dtype.name != "string" and isinstance(tensor, Tensor):
        shape = [len(sizes), sizes[0], *tensor.shape.as_list()[1:]]
        return PerReplica(None, ops.reshape(tensor, shape))
    parts, start = [], 0
    for size in sizes:
        parts.append(_rows_of(tensor, start, start + size))
        start += size
    return PerReplica(parts)
