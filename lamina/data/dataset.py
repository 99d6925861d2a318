"""Dataset: a lazy pipeline of elements."""

from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from lamina.data import changes, elements, stages
from lamina.data.changing import Changing
from lamina.data.ordering import AUTOTUNE
from lamina.engine import Tensor, convert_to_tensor, errors, local, nest

__all__ = ["AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "Dataset", "DatasetIterator"]

INFINITE_CARDINALITY = stages.INFINITE
UNKNOWN_CARDINALITY = stages.UNKNOWN


class DatasetIterator:
    """One pass over a dataset."""

    def __init__(self, stage: stages.Stage) -> None:
        self._stage = stage
        self._rows = stage.rows()

    @property
    def element_spec(self) -> Any:
        """The TensorSpecs of an element."""
        return self._stage.spec()

    def get_next(self) -> Any:
        """Return the next element.

        Raises:
            errors.OutOfRangeError: there is none.
        """
        try:
            return next(self)
        except StopIteration:
            raise errors.OutOfRangeError("tf.data: the dataset has no further element.") from None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        return elements.as_tensors(next(self._rows))


class Dataset(Changing):
    """A lazy pipeline of elements, each a structure of Tensors.

    A structure is made of tuples and dicts; a list is one Tensor. Each pass over the dataset runs
    the pipeline anew. Nothing is read or computed before it is asked for.

    Args:
        variant_tensor: The last stage; use the `from_…` functions instead.

    Attributes:
        element_spec: The TensorSpecs of an element.

    Example:
        >>> numbers = tf.data.Dataset.range(5).map(lambda x: x * x).batch(2)
        >>> [batch.tolist() for batch in numbers.as_numpy_iterator()]
        [[0, 1], [4, 9], [16]]
    """

    @property
    def element_spec(self) -> Any:
        """The TensorSpecs of an element, in its structure."""
        return self._stage.spec()

    def cardinality(self) -> Tensor:
        """Return the number of elements, int64; -1 is infinite, -2 unknown."""
        return convert_to_tensor(self._stage.size(), "int64")

    def __len__(self) -> int:
        size = self._stage.size()
        if size < 0:
            kind = "infinite" if size == stages.INFINITE else "unknown"
            raise TypeError(
                f"tf.data.Dataset: its length is {kind}.\n  Fix: use take(n), or count with "
                f"sum(1 for _ in dataset) where it ends."
            )
        return size

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> DatasetIterator:
        trace = local.trace
        if not trace.eager and trace.is_function:
            raise errors.HostLoopError(
                f"{trace.what}: a loop over a tf.data.Dataset runs in Python, not in the program."
            )
        return DatasetIterator(self._stage)

    def as_numpy_iterator(self) -> Iterator[Any]:
        """Return an iterator over the elements as NumPy arrays and scalars."""
        return (nest.map_structure(_to_numpy, row) for row in self._stage.rows())

    def get_single_element(self, name: str | None = None) -> Any:
        """Return the only element.

        Raises:
            errors.InvalidArgumentError: there are none, or several.
        """
        rows = list(Dataset.take(self, 2))
        if len(rows) != 1:
            raise errors.InvalidArgumentError(
                f"tf.data.Dataset.get_single_element: one element was expected; there "
                f"{'are more' if rows else 'is none'}.\n  Fix: use take(1), or batch them."
            )
        return rows[0]

    def _batch_size(self) -> int | None:
        """Return the batch size of the last stage that is no prefetch or shuffle, or None."""
        stage: Any = self._stage
        while isinstance(stage, changes.Prefetch | stages.Shuffle | changes.Cache):
            stage = stage.before
        return stage.number if isinstance(stage, changes.Batch) else None

    def _passes(self) -> list[int]:
        """Return how many passes each shuffle was asked for; it decides the next order."""
        return [shuffle.passes for shuffle in stages.shuffles(self._stage)]

    def _set_passes(self, passes: list[int]) -> None:
        """Go to where `_passes` told."""
        for shuffle, number in zip(stages.shuffles(self._stage), passes, strict=True):
            shuffle.passes = number

    def __repr__(self) -> str:
        return f"<{type(self._stage).__name__}Dataset element_spec={self.element_spec}>"


def _to_numpy(leaf: Any) -> Any:
    if isinstance(leaf, Tensor):
        return leaf.numpy()
    return leaf[()] if isinstance(leaf, np.ndarray) and leaf.ndim == 0 else leaf
