"""Dataset: a lazy pipeline of elements."""

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.data import caching, changes, shuffling, stages
from lamina.data.iterating import DatasetSpec, NumpyIterator, OwnedIterator
from lamina.data.keeping import Keeping
from lamina.data.ordering import AUTOTUNE
from lamina.demand import missing_member
from lamina.engine import Tensor, convert_to_tensor, errors, local

__all__ = ["AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "Dataset"]

INFINITE_CARDINALITY = stages.INFINITE
UNKNOWN_CARDINALITY = stages.UNKNOWN


class Dataset(Keeping):
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

    @classmethod
    def _of(cls, stage: stages.Stage) -> Any:
        return Dataset(stage)

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

    @property
    def _type_spec(self) -> DatasetSpec:
        return DatasetSpec(self.element_spec)

    def __iter__(self) -> OwnedIterator:
        trace = local.trace
        if not trace.eager and trace.is_function:
            raise errors.HostLoopError(
                f"{trace.what}: a loop over a tf.data.Dataset runs in Python, not in the program."
            )
        return OwnedIterator(self)

    def as_numpy_iterator(self) -> NumpyIterator:
        """Return an iterator over the elements as NumPy arrays and scalars.

        Example:
            >>> list(tf.data.Dataset.range(2).as_numpy_iterator())
            [np.int64(0), np.int64(1)]
        """
        return NumpyIterator(self)

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

    def fingerprint(self) -> Tensor:
        """Return a number that is equal for datasets built alike, uint64 of shape ().

        The arrays in memory and the Python functions count by what they are called, not by value.
        """
        text = "/".join(_described(self._stage))
        digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
        return convert_to_tensor(np.frombuffer(digest, np.uint64)[0])

    def _batch_size(self) -> int | None:
        """Return the batch size of the last stage that is no prefetch or shuffle, or None."""
        stage: Any = self._stage
        while isinstance(stage, changes.Prefetch | shuffling.Shuffle | caching.Cache):
            stage = stage.before
        return stage.number if isinstance(stage, changes.Batch) else None

    def _passes(self) -> list[int]:
        """Return how many passes each random stage has begun; it decides the next order."""
        return [stage.passes for stage in stages.seeded(self._stage)]

    def _set_passes(self, passes: list[int]) -> None:
        """Go to where `_passes` told."""
        for stage, number in zip(stages.seeded(self._stage), passes, strict=True):
            stage.passes = number

    if not TYPE_CHECKING:  # type checkers would let every name pass

        def __getattr__(self, name: str) -> Any:
            """Raise, and say of older attributes what to use."""
            return missing_member(self, name, "Dataset")

    def __repr__(self) -> str:
        label = self._stage.label
        name = label if label.endswith("V2") or label == "CacheDataset" else f"_{label}Dataset"
        return f"<{name} element_spec={self.element_spec}>"


def _described(stage: stages.Stage) -> list[str]:
    """Return a pipeline in words: each stage's label, specs and plain arguments."""
    plain = {
        key: value
        for key, value in sorted(vars(stage).items())
        if isinstance(value, bool | int | str) and key not in ("passes", "seed")
    }
    found = [f"{stage.label}{plain}"]
    for part in stages.inner(stage):
        found += _described(part)
    return found
