"""Sources: the stages that a pipeline starts with."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from lamina.data import elements, tables
from lamina.data import structure as nest
from lamina.data.lasting import later
from lamina.data.shuffling import Random, generator
from lamina.data.stages import INFINITE, UNKNOWN, Run, Stage
from lamina.engine import TensorSpec, as_dtype, convert_to_tensor, errors

__all__ = ["ENDLESS", "Constant", "Drawn", "Empty", "Generated", "Listed", "Numbers", "Slices"]

ENDLESS = 2**60  # so many numbers stand for all


def _counted(count: int) -> Iterator[np.ndarray]:
    """Yield the numbers below `count`, as ever longer arrays."""
    start, length = 0, 64
    while start < count:
        stop = min(start + length, count)
        yield np.arange(start, stop)
        start, length = stop, min(2 * length, 65536)


class Slices(Stage):
    """The rows of arrays."""

    label = "TensorSlice"
    indices = 1
    in_memory = True

    def __init__(self, columns: Any, length: int) -> None:
        self.table = tables.Columns(columns)
        self._columns = columns
        self._length = length

    def spec(self) -> Any:
        return elements.map_spec(lambda dims: (dims or [0])[1:], elements.spec_of(self._columns))

    def size(self) -> int:
        return self._length

    def blocks(self, run: Run) -> Iterator[np.ndarray]:
        return _counted(self._length)


class Constant(Stage):
    """One element."""

    label = "Tensor"

    def __init__(self, element: Any) -> None:
        self.table = tables.Loose()
        # A copy: the Tensors are made of it without another.
        self._element = nest.map_structure(
            lambda e: e.copy() if isinstance(e, np.ndarray) else e, element
        )

    def spec(self) -> Any:
        return elements.spec_of(self._element)

    def size(self) -> int:
        return 1

    def items(self, run: Run) -> Iterator[Any]:
        return iter((self._element,))


class Numbers(Stage):
    """The integers of a range."""

    label = "Range"
    indices = 1
    in_memory = True

    def __init__(self, numbers: range, dtype: Any, label: str = "Range") -> None:
        self._dtype = as_dtype(dtype)
        self.label = label
        self.table = tables.Arithmetic(numbers.start, numbers.step, self._dtype.np)
        self._length = len(numbers)

    def spec(self) -> Any:
        return TensorSpec([], self._dtype)

    def size(self) -> int:
        return INFINITE if self._length >= ENDLESS else self._length

    def blocks(self, run: Run) -> Iterator[np.ndarray]:
        return _counted(self._length)


class Drawn(Random, Stage):
    """Random integers in [0, 2**32), without end.

    Args:
        seed: An int.
        again: Whether each pass has others.
    """

    label = "Random"

    def __init__(self, seed: int, again: bool) -> None:
        self.table = tables.Loose()
        self.seed = seed
        self.again = again

    def spec(self) -> Any:
        return TensorSpec([], "int64")

    def size(self) -> int:
        return INFINITE

    def items(self, run: Run) -> Iterator[Any]:
        random = generator(self, run)
        while True:
            yield from random.integers(2**32, size=256)


class Listed(Stage):
    """Some items of a table: a window, a group.

    Args:
        table: The table.
        items: A list or an array of its items.
        spec: The specs of its elements.
        indices: How many integers an item is, 0 if items are none.
    """

    label = "Window"

    def __init__(self, table: tables.Table, items: Any, spec: Any, indices: int) -> None:
        self.table = table
        self.indices = indices
        self._items = items
        self._spec = spec

    def spec(self) -> Any:
        return self._spec() if callable(self._spec) else self._spec

    def size(self) -> int:
        return len(self._items)

    def items(self, run: Run) -> Iterator[Any]:
        return super().items(run) if self.indices else iter(self._items)

    def blocks(self, run: Run) -> Iterator[np.ndarray]:
        if len(self._items):
            yield self._items if isinstance(self._items, np.ndarray) else np.array(self._items)


class Empty(Stage):
    """No element, of some specs: what stands for a dataset that is not there yet."""

    def __init__(self, spec: Any) -> None:
        self.table = tables.Loose()
        self._spec = spec

    def spec(self) -> Any:
        return self._spec

    def size(self) -> int:
        return 0

    def items(self, run: Run) -> Iterator[Any]:
        return iter(())


class Generated(Stage):
    """What a user's generator yields.

    Args:
        start: A function that returns an iterable.
        spec: TensorSpecs, which each element is held against.
    """

    label = "FlatMap"
    runs_user_code = True

    def __init__(self, start: Callable[[], Any], spec: Any) -> None:
        self.table = tables.Loose()
        self._start = start
        self._spec = spec

    def spec(self) -> Any:
        return self._spec

    def size(self) -> int:
        return UNKNOWN

    def items(self, run: Run) -> Iterator[Any]:
        return later(self._begin)

    def _begin(self) -> Iterator[Any]:
        found = self._start()
        if not isinstance(found, Iterable):
            raise TypeError(
                f"tf.data.Dataset.from_generator: `generator` must return an iterable; got "
                f"{found!r}.\n  Fix: use `yield` in it, or return a list."
            )
        return map(lambda value: _shaped_like(self._spec, value), found)


def _shaped_like(spec: Any, value: Any) -> Any:
    """Return a value with tuples where the specs have tuples, and arrays where they have leaves."""
    if not nest.is_nested(spec) and not isinstance(value, dict):
        return _fitting(spec, value)
    if isinstance(spec, dict) and isinstance(value, dict) and set(spec) == set(value):
        return {k: _shaped_like(spec[k], value[k]) for k in spec}
    if isinstance(spec, tuple) and isinstance(value, list | tuple) and len(spec) == len(value):
        parts = [_shaped_like(s, v) for s, v in zip(spec, value, strict=True)]
        return type(spec)(*parts) if hasattr(spec, "_fields") else tuple(parts)
    raise errors.InvalidArgumentError(
        f"tf.data.Dataset.from_generator: the generator must yield elements like {spec}; it "
        f"yielded {value!r}.\n  Fix: yield that structure, or change `output_signature`."
    )


def _fitting(spec: Any, value: Any) -> Any:
    if type(spec) is not TensorSpec:
        return value
    try:
        if spec.dtype.name == "string":
            array = np.asarray(convert_to_tensor(value, "string"))
        else:
            array = np.array(value, spec.dtype.np)  # a copy: generators fill their arrays anew
    except (TypeError, ValueError) as error:
        raise errors.InvalidArgumentError(
            f"tf.data.Dataset.from_generator: the generator must yield {spec.dtype.name}; it "
            f"yielded {value!r}.\n  Reason: {error}\n  Fix: change `output_signature`."
        ) from None
    if not spec.shape.is_compatible_with(array.shape):
        raise errors.InvalidArgumentError(
            f"tf.data.Dataset.from_generator: the generator must yield shape {spec.shape}; it "
            f"yielded shape {array.shape}.\n  Fix: change `output_signature`."
        )
    return array
