"""Iterators: one pass over a dataset, and where in it one is."""

import abc
import itertools
import json
from collections.abc import Iterator as _Iterator
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Self

import numpy as np

from lamina.data import composites, elements, stages
from lamina.data import structure as nest
from lamina.engine import (
    Tensor,
    TensorShape,
    convert_to_tensor,
    errors,
    init_scope,
    local,
)
from lamina.engine.typespec import TypeSpec
from lamina.ops.hosting import eager_in_functions
from lamina.ops.optional import Optional

__all__ = [
    "DatasetSpec",
    "Iterator",
    "IteratorSpec",
    "NumpyIterator",
    "OwnedIterator",
]

_VERSION = 1


class DatasetSpec(TypeSpec):
    """The spec of a dataset as an element: the specs of its own elements.

    Args:
        element_spec: A structure of specs.
        dataset_shape: Always `()`.

    Example:
        >>> tf.data.Dataset.range(6).window(3).element_spec
        DatasetSpec(TensorSpec(shape=(), dtype=tf.int64, name=None), TensorShape([]))
    """

    def __init__(self, element_spec: Any, dataset_shape: Any = ()) -> None:
        self._element_spec = element_spec
        self._dataset_shape = TensorShape(dataset_shape)

    @property
    def value_type(self) -> Any:
        """The class of the values."""
        return import_module("lamina.data.dataset").Dataset

    @property
    def element_spec(self) -> Any:
        """The specs of the dataset's elements."""
        return self._element_spec

    @staticmethod
    def from_value(value: Any) -> "DatasetSpec":
        """Return the spec of a dataset."""
        return DatasetSpec(value.element_spec)

    def _serialize(self) -> tuple[Any, ...]:
        return self._element_spec, self._dataset_shape

    @property
    def _component_specs(self) -> Any:
        return []

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Return whether a dataset, or another spec, has such elements."""
        return super().is_compatible_with(getattr(spec_or_value, "_type_spec", spec_or_value))


class IteratorSpec(TypeSpec):
    """The spec of an iterator: the specs of its elements.

    Args:
        element_spec: A structure of specs.
    """

    def __init__(self, element_spec: Any) -> None:
        self._element_spec = element_spec

    @property
    def value_type(self) -> Any:
        """The class of the values."""
        return OwnedIterator

    @property
    def element_spec(self) -> Any:
        """The specs of the iterator's elements."""
        return self._element_spec

    @staticmethod
    def from_value(value: Any) -> "IteratorSpec":
        """Return the spec of an iterator."""
        return IteratorSpec(value.element_spec)

    def _serialize(self) -> tuple[Any, ...]:
        return (self._element_spec,)

    @property
    def _component_specs(self) -> Any:
        return []

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Return whether an iterator, or another spec, has such elements."""
        return super().is_compatible_with(getattr(spec_or_value, "_type_spec", spec_or_value))


class Iterator(abc.ABC):
    """One pass over a dataset: `iter(dataset)` makes it.

    It can be told where it is, and be put there again, also in another process; see `state`.

    Example:
        >>> it = iter(tf.data.Dataset.range(3))
        >>> it.get_next().numpy(), next(it).numpy()
        (np.int64(0), np.int64(1))
        >>> isinstance(it, tf.data.Iterator)
        True
    """

    @property
    @abc.abstractmethod
    def element_spec(self) -> Any:
        """The specs of an element."""

    @abc.abstractmethod
    def get_next(self) -> Any:
        """Return the next element, or raise OutOfRangeError."""

    @abc.abstractmethod
    def get_next_as_optional(self) -> Optional:
        """Return the next element as an Optional, without a value after the end."""


class _Pass:
    """One pass over a dataset, and where in it one is.

    Args:
        dataset: The dataset.
    """

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        self._stage: stages.Stage = dataset._stage
        self._start(None, 0)

    def _start(self, numbers: list[int] | None, count: int) -> None:
        self._run = stages.Run(self._stage, numbers)
        self._count = count
        with init_scope():
            self._rows = self._begin(self._run, count)

    def _begin(self, run: stages.Run, count: int) -> _Iterator[Any]:
        """Return an iterator over the elements, some of which are passed over."""
        return self._stage.rows(run, count)

    def _step(self) -> Any:
        """Return the next element; `_END` if there is none."""
        try:
            for element in self._rows:
                self._count += 1
                return element
        except Exception:
            self._count += 1  # what failed is passed over, here and where `restore` goes
            raise
        return _END

    def state(self) -> dict[str, Any]:
        """Return where the iterator is, as plain values that JSON can hold.

        Returns:
            `version`, `count` (elements given out, or failed), and for each random stage its
            `seeds` and `passes`: where its pass started.

        Example:
            >>> numbers = tf.data.Dataset.range(9).shuffle(9).batch(3)
            >>> it = iter(numbers)
            >>> _ = next(it)
            >>> state = it.state()
            >>> rest = [b.numpy().tolist() for b in it]
            >>> other = iter(numbers)
            >>> other.restore(state)
            >>> [b.numpy().tolist() for b in other] == rest
            True
        """
        filled = _filled(self._stage)
        random = stages.seeded(self._stage)
        pairs = zip(random, self._run.numbers, strict=True)
        return {
            "version": _VERSION,
            "count": self._count,
            "seeds": [s.seed for s in random],
            "passes": [filled.get(s, number) for s, number in pairs],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go to where an iterator over the same pipeline was, in this process or another.

        The elements before are passed over: those that stages choose by index (arrays, `shuffle`,
        `batch`, `map`) are not made; files are read, and filters and generators run, again.

        Args:
            state: What `state` returned.

        State:
            The dataset's random stages take the saved seeds; passes that start later follow.

        Raises:
            ValueError: the state is of another pipeline, or of a later version.
        """
        random = stages.seeded(self._stage)
        seeds, passes = list(state["seeds"]), [int(n) for n in state["passes"]]
        if int(state["version"]) > _VERSION or len(random) != len(passes):
            raise ValueError(
                f"tf.data.Iterator.restore: a state of version {_VERSION} with {len(random)} "
                f"random stages was expected; got version {state['version']} with {len(passes)}."
                f"\n  Fix: build the dataset as it was when the state was saved."
            )
        for stage, seed, number in zip(random, seeds, passes, strict=True):
            stage.seed = None if seed is None else int(seed)
            stage.passes = number + int(stage.again)
        self._start(passes, int(state["count"]))


_END = object()


class OwnedIterator(_Pass, Iterator):
    """The iterator of a dataset."""

    def _start(self, numbers: list[int] | None, count: int) -> None:
        # What variables got before the loop (metrics are reset) runs before it: in the first
        # step's program, it would make that one differ from those of the other steps.
        if local.trace.eager and local.trace.gives_values and not local.tapes:
            local.trace.flush()
        super()._start(numbers, count)

    def _begin(self, run: stages.Run, count: int) -> _Iterator[Any]:
        return self._stage.tensors(run, count)

    @property
    def element_spec(self) -> Any:
        """The specs of an element."""
        return self._stage.spec()

    @property
    def _type_spec(self) -> IteratorSpec:
        return IteratorSpec(self.element_spec)

    def get_next(self) -> Any:
        """Return the next element.

        Raises:
            errors.OutOfRangeError: there is none.
        """
        return next(self)

    def get_next_as_optional(self) -> Optional:
        """Return the next element as an Optional, without a value after the end."""
        found = list(itertools.islice(self, 1))
        return Optional(self.element_spec, *found, present=bool(found))

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        if local.trace.eager:
            local.trace.end_step()
        else:
            eager_in_functions("the next element of a tf.data.Dataset")
        element = self._step()
        if element is not _END:
            return element
        raise errors.EndOfSequenceError(
            "tf.data.Iterator: End of sequence, the dataset has no further element.\n"
            "  Fix: repeat() the dataset, or loop over it."
        )

    next = __next__


def _filled(stage: Any) -> dict[Any, int]:
    """Return the passes of the stages below caches that were filled by an earlier pass."""
    found: dict[Any, int] = {}
    todo = [stage]
    while todo:
        this = todo.pop()
        below = stages.inner(this)
        if getattr(this, "numbers", None) is not None:
            found.update(zip(stages.seeded(this), this.numbers, strict=True))
            continue
        todo.extend(below)
    return found


class NumpyIterator(_Pass):
    """The elements of a dataset as NumPy arrays and scalars; `as_numpy_iterator` makes it.

    Arrays cannot be written to. Sparse Tensors come as dense arrays, ragged ones as nested arrays.
    As `iter(dataset)`, it tells where it is, and a `tf.train.Checkpoint` keeps that.

    Args:
        dataset: The dataset.

    Example:
        >>> iterator = tf.data.Dataset.range(3).as_numpy_iterator()
        >>> saved = iterator.save()
        >>> next(iterator)
        np.int64(0)
        >>> iterator.restore(saved)
        >>> next(iterator)
        np.int64(0)
    """

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        element = self._step()
        if element is _END:
            raise StopIteration
        return nest.map_structure(_to_numpy, element)

    next = __next__

    def save(self) -> Tensor:
        """Return where the iterator is, as a string for `restore`."""
        return convert_to_tensor(json.dumps(self.state()))

    def restore(self, state: Any) -> None:
        """Go to where an iterator over the same pipeline was, in this process or another.

        Args:
            state: What `save` or `state` returned.

        Raises:
            ValueError: the state is of another pipeline, or of a later version.
        """
        if not isinstance(state, Mapping):
            state = json.loads(bytes(np.asarray(state)[()]))
        super().restore(state)


def _to_numpy(leaf: Any) -> Any:
    if type(leaf) is not np.ndarray:
        leaf = leaf if isinstance(leaf, np.generic) else _array_of(leaf)
        if not isinstance(leaf, np.ndarray):
            return leaf
    if leaf.ndim == 0:
        return leaf[()]
    array = leaf.view(np.ndarray)
    array.setflags(write=False)
    return array


def _array_of(leaf: Any) -> Any:
    if hasattr(leaf, "as_numpy_iterator"):
        raise TypeError(
            f"tf.data.Dataset.as_numpy_iterator: elements must be made of Tensors; got a dataset, "
            f"{leaf!r}.\n  Fix: loop over the dataset, and ask each element for its iterator."
        )
    if composites.is_sparse(leaf):
        leaf = import_module("lamina.sparse").to_dense(leaf)
    if isinstance(leaf, Tensor) or (elements.is_whole(leaf) and hasattr(leaf, "numpy")):
        leaf = leaf.numpy()
    return leaf if isinstance(leaf, np.ndarray) else composites.with_tensors(leaf)
