"""Changes: the stages that make other elements, or make them elsewhere."""

import itertools
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lamina.data import elements, tables
from lamina.data.stages import INFINITE, UNKNOWN, Ordered, Stage
from lamina.engine import TensorSpec, nest

__all__ = ["Batch", "Cache", "Filter", "HostMap", "Map", "PaddedBatch", "Prefetch", "Unbatch"]


class Batch(Stage):
    """Lists of items, each of which is gathered at once."""

    def __init__(self, before: Stage, number: int, drop: bool) -> None:
        self.before = before
        self.number = number
        self.drop = drop
        self.table = tables.Gathered(before.table)
        self.runs_user_code = before.runs_user_code

    def spec(self) -> Any:
        first = self.number if self.drop else None
        return elements.map_spec(
            lambda dims: None if dims is None else [first, *dims], self.before.spec()
        )

    def size(self) -> int:
        size = self.before.size()
        if size < 0:
            return size
        return size // self.number if self.drop else -(-size // self.number)

    def items(self) -> Iterator[Any]:
        items = self.before.items()
        while chunk := list(itertools.islice(items, self.number)):
            if self.drop and len(chunk) < self.number:
                return
            yield chunk


class PaddedBatch(Batch):
    """Batches of elements of different shapes, filled up to one.

    Args:
        before: The stage before.
        number: Elements a batch.
        drop: Whether a smaller last batch is left out.
        shapes: For each leaf the shape to fill up to, None in it for the largest of the batch.
        values: For each leaf what fills up.
    """

    def __init__(
        self, before: Stage, number: int, drop: bool, shapes: list[Any], values: list[Any]
    ) -> None:
        super().__init__(before, number, drop)
        self.table = tables.Padded(before.table, shapes, values)
        self._shapes = shapes

    def spec(self) -> Any:
        first = self.number if self.drop else None
        inner = self.before.spec()
        found = [
            TensorSpec([first, *shape], leaf.dtype)
            for shape, leaf in zip(self._shapes, nest.flatten(inner), strict=True)
        ]
        return nest.pack_sequence_as(inner, found)


class Map(Stage):
    """Elements after a user's function, which runs when a row is asked for."""

    runs_user_code = True

    def __init__(self, before: Stage, function: Callable[..., Any]) -> None:
        self.before = before
        self._mapped = tables.Mapped(before.table, function, before.spec)
        self.table = self._mapped
        self._spec: Any = None

    def spec(self) -> Any:
        if self._spec is None:
            self._spec = self._mapped.result_spec()
        if self._spec is None:
            first = next(self.rows(), None)
            if first is None:
                return self.before.spec()
            # What ran as Python may give another size for the next element.
            self._spec = elements.map_spec(
                lambda dims: [None] * len(dims or ()), elements.spec_of(first)
            )
        return self._spec

    def size(self) -> int:
        return self.before.size()

    def items(self) -> Iterator[Any]:
        return self.before.items()


class HostMap(Stage):
    """Elements after a function of NumPy arrays: reading files, decoding.

    Args:
        before: The stage before.
        function: A function of an element that returns an element.
        spec: The specs of what it returns.
        many: The same of many elements, stacked; None calls `function` for each.
    """

    def __init__(
        self, before: Stage, function: Callable[[Any], Any], spec: Any, many: Any = None
    ) -> None:
        self.before = before
        self.table = tables.HostMapped(before.table, function, many)
        self.runs_user_code = before.runs_user_code
        self._spec = spec

    def spec(self) -> Any:
        return self._spec

    def size(self) -> int:
        return self.before.size()

    def items(self) -> Iterator[Any]:
        return self.before.items()


class Loose(Ordered):
    """A stage whose items are elements, computed here."""

    def __init__(self, before: Stage) -> None:
        super().__init__(before)
        self.table = tables.Loose()


class Filter(Loose):
    """The elements for which a user's function is true."""

    def __init__(self, before: Stage, predicate: Callable[..., Any]) -> None:
        super().__init__(before)
        self.runs_user_code = True
        self._test = tables.Mapped(tables.Loose(), predicate, before.spec)

    def size(self) -> int:
        return UNKNOWN

    def items(self) -> Iterator[Any]:
        return (row for row in self.before.rows() if bool(self._test.row(row)))


class Unbatch(Loose):
    """The rows of the elements."""

    def spec(self) -> Any:
        return elements.map_spec(lambda dims: None if dims is None else dims[1:], super().spec())

    def size(self) -> int:
        size = self.before.size()
        firsts = [(elements.dims_of(s) or [None])[0] for s in nest.flatten(self.before.spec())]
        known = next((n for n in firsts if n is not None), None)
        if size == INFINITE or size == 0:
            return size
        return size * known if known is not None and size >= 0 else UNKNOWN

    def items(self) -> Iterator[Any]:
        for element in self.before.rows():
            arrays = nest.map_structure(np.asarray, element)
            lengths = {len(a) for a in nest.flatten(arrays)}
            if len(lengths) != 1:
                raise ValueError(
                    f"tf.data.Dataset.unbatch: all parts of an element must have one length; got "
                    f"{sorted(lengths)}.\n  Fix: check the arrays along axis 0."
                )
            rows = tables.Columns(arrays)
            yield from map(rows.row, range(lengths.pop()))


class Cache(Loose):
    """Elements kept in memory after the first whole pass."""

    def __init__(self, before: Stage) -> None:
        super().__init__(before)
        self._kept: list[Any] | None = None

    def size(self) -> int:
        return self.before.size() if self._kept is None else len(self._kept)

    def items(self) -> Iterator[Any]:
        if self._kept is not None:
            yield from self._kept
            return
        kept: list[Any] = []
        for row in self.before.rows():
            kept.append(row)
            yield row
        self._kept = kept


class Prefetch(Loose):
    """Elements made ahead of their use, in a thread.

    Users' functions run in the thread that asks: they draw random numbers and read variables in
    the order of the program then, and what they compute is dispatched ahead anyway.
    """

    def __init__(self, before: Stage, number: int) -> None:
        super().__init__(before)
        self.number = number
        if before.runs_user_code:
            self.table = before.table

    def items(self) -> Iterator[Any]:
        if self.runs_user_code:
            return self.before.items()
        return iter(_Ahead(self.before, self.number))


class _Ahead:
    """The elements of a stage, some of which a thread makes ahead.

    Args:
        stage: The stage.
        number: How many are made ahead.
    """

    def __init__(self, stage: Stage, number: int) -> None:
        self._stage = stage
        self._found: queue.Queue[tuple[bool, Any]] = queue.Queue(number)
        self._left = threading.Event()

    def __iter__(self) -> Iterator[Any]:
        thread = threading.Thread(target=self._produce, name="tf.data prefetch", daemon=True)
        thread.start()
        try:
            while True:
                is_row, value = self._found.get()
                if is_row:
                    yield value
                elif value is None:
                    return
                else:
                    raise value
        finally:
            self._left.set()

    def _produce(self) -> None:
        try:
            for row in self._stage.rows():
                self._put(True, row)
                if self._left.is_set():
                    return
            self._put(False, None)
        except BaseException as error:  # raised where the elements are used
            self._put(False, error)

    def _put(self, is_row: bool, value: Any) -> None:
        while not self._left.is_set():
            try:
                self._found.put((is_row, value), timeout=0.1)
            except queue.Full:
                continue
            return
