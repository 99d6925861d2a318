"""Changes: the stages that make other elements, or make them elsewhere."""

import itertools
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lamina.data import composites, elements, tables
from lamina.data import structure as nest
from lamina.data.lasting import flattened, stepping
from lamina.data.mapping import InOrder, Mapped, UserFunction
from lamina.data.stages import INFINITE, UNKNOWN, Ordered, Run, Stage, skipping
from lamina.engine import TensorSpec, errors

__all__ = [
    "Batch",
    "Filter",
    "Forwarding",
    "HostMap",
    "Loose",
    "Map",
    "PaddedBatch",
    "Prefetch",
    "Unbatch",
]


class Batch(Stage):
    """Lists or arrays of items, each of which is gathered at once."""

    label = "Batch"

    def __init__(self, before: Stage, number: int, drop: bool) -> None:
        self.before = before
        self.number = number
        self.drop = drop
        self.table: tables.Table = tables.Gathered(before.table, before.spec)
        self.runs_user_code = before.runs_user_code
        self.in_memory = before.in_memory
        self.options = before.options

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

    def items(self, run: Run) -> Iterator[Any]:
        if self.before.indices:
            return self._arrays(run)
        return self._lists(run)

    def tensors(self, run: Run, skip: int = 0) -> Iterator[Any]:
        if self.in_memory and self.before.indices:
            return map(self.before.table.tensors, skipping(self.items(run), skip))
        return super().tensors(run, skip)

    def _lists(self, run: Run) -> Iterator[Any]:
        items = self.before.items(run)

        def step() -> list[Any]:
            chunk = list(itertools.islice(items, self.number))
            if not chunk or (self.drop and len(chunk) < self.number):
                raise StopIteration
            return chunk

        return stepping(step)

    def _arrays(self, run: Run) -> Iterator[np.ndarray]:
        number = self.number
        rest: Any = None
        for block in self.before.blocks(run):
            whole = block if rest is None or not len(rest) else np.concatenate([rest, block])
            end = len(whole) - len(whole) % number
            for start in range(0, end, number):
                yield whole[start : start + number]
            rest = whole[end:]
        if rest is not None and len(rest) and not self.drop:
            yield rest


class PaddedBatch(Batch):
    """Batches of elements of different shapes, filled up to one.

    Args:
        before: The stage before.
        number: Elements a batch.
        drop: Whether a smaller last batch is left out.
        shapes: For each leaf the shape to fill up to, None in it for the largest of the batch.
        values: For each leaf what fills up.
    """

    label = "PaddedBatch"

    def __init__(
        self, before: Stage, number: int, drop: bool, shapes: list[Any], values: list[Any]
    ) -> None:
        super().__init__(before, number, drop)
        self.table = tables.Padded(before.table, shapes, values)
        self.in_memory = False
        self._shapes = shapes

    def spec(self) -> Any:
        first = self.number if self.drop else None
        inner = self.before.spec()
        found = [
            TensorSpec([first, *shape], leaf.dtype)
            for shape, leaf in zip(self._shapes, nest.flatten(inner), strict=True)
        ]
        return nest.pack_sequence_as(inner, found)


class Forwarding(Ordered):
    """A stage with the items of the stage before, which its table may read otherwise."""

    def items(self, run: Run) -> Iterator[Any]:
        return self.before.items(run)

    def blocks(self, run: Run) -> Iterator[np.ndarray]:
        return self.before.blocks(run)


class Map(Forwarding):
    """Elements after a user's function, which runs when a row is asked for.

    Args:
        before: The stage before.
        function: The function.
        threads: In how many threads it runs, where it runs as Python.
    """

    def __init__(self, before: Stage, function: Callable[..., Any], threads: int = 1) -> None:
        super().__init__(before)
        self.runs_user_code = True
        self.in_memory = False
        self.label = "ParallelMap" if threads > 1 else "Map"
        self._function = UserFunction(function, before.spec)
        self.table = self._mapped = Mapped(before.table, self._function, threads)
        self._threads = threads
        self._spec: Any = None
        self._first: Any = None  # made for the specs, until the next stage takes it for its own

    def first(self) -> Any:
        row, self._first = self._first, None
        if row is None and (row := self.before.first()) is not None:
            row = self._mapped.after(row)
        return row

    def spec(self) -> Any:
        if self._spec is None:
            self._spec = self._function.result_spec()
        if self._spec is None:
            first = self._first = self.first()
            if first is None:
                return self.before.spec()
            # What ran as Python may give another size for the next element.
            self._spec = elements.map_spec(
                lambda dims: [None] * len(dims or ()), elements.spec_of(first)
            )
        return self._spec

    def rows(self, run: Run, skip: int = 0) -> Iterator[Any]:
        items = skipping(self.items(run), skip)
        if self._threads > 1 and self._function.is_python:
            return InOrder(self.table.row, items, self._threads)
        return map(self.table.row, items)


class HostMap(Forwarding):
    """Elements after a function of NumPy arrays: reading files, decoding.

    Args:
        before: The stage before.
        function: A function of an element that returns an element.
        spec: The specs of what it returns.
        many: The same of many elements, stacked; None calls `function` for each.
    """

    label = "Map"

    def __init__(
        self, before: Stage, function: Callable[[Any], Any], spec: Any, many: Any = None
    ) -> None:
        super().__init__(before)
        self.in_memory = False
        self.table = tables.HostMapped(before.table, function, many)
        self._spec = spec

    def spec(self) -> Any:
        return self._spec


class Loose(Ordered):
    """A stage whose items are elements, computed here."""

    def __init__(self, before: Stage) -> None:
        super().__init__(before)
        self.table = tables.Loose()
        self.indices = 0
        self.in_memory = False


class Filter(Ordered):
    """The items of the elements for which a user's function is true."""

    label = "Filter"

    def __init__(self, before: Stage, predicate: Callable[..., Any]) -> None:
        super().__init__(before)
        self.indices = 0
        self.in_memory = False
        self.runs_user_code = True
        if before.runs_user_code:  # what made the element is not run again to gather it
            self.table = tables.Loose()
        self._test = UserFunction(predicate, before.spec)

    def size(self) -> int:
        return UNKNOWN

    def items(self, run: Run) -> Iterator[Any]:
        if self.before.runs_user_code:
            return filter(self._keeps, self.before.rows(run))
        table = self.before.table
        return filter(lambda item: self._keeps(table.row(item)), self.before.items(run))

    def _keeps(self, row: Any) -> bool:
        return self._test.is_true(elements.as_tensors(row), "filter")


class Unbatch(Loose):
    """The rows of the elements."""

    label = "Unbatch"

    def spec(self) -> Any:
        return elements.map_spec(lambda dims: None if dims is None else dims[1:], super().spec())

    def size(self) -> int:
        size = self.before.size()
        firsts = [(elements.dims_of(s) or [None])[0] for s in nest.flatten(self.before.spec())]
        known = next((n for n in firsts if n is not None), None)
        if size == INFINITE or size == 0:
            return size
        return size * known if known is not None and size >= 0 else UNKNOWN

    def items(self, run: Run) -> Iterator[Any]:
        return flattened(map(_rows_in, self.before.rows(run)))


def _rows_in(element: Any) -> Iterator[Any]:
    as_array = lambda e: e if e is None or elements.is_whole(e) else np.asarray(e)  # noqa: E731
    arrays = nest.map_structure(as_array, element)
    parts = [a for a in nest.flatten(arrays) if a is not None]
    lengths = {_rows_of(a) for a in parts} if parts else {_rows_of(None)}
    if len(lengths) != 1:
        raise errors.InvalidArgumentError(
            f"tf.data.Dataset.unbatch: all parts of an element must have one length; got "
            f"{sorted(lengths)}.\n  Fix: check the arrays along axis 0."
        )
    return map(tables.Columns(arrays).row, range(lengths.pop()))


def _rows_of(array: Any) -> int:
    count = composites.rows_in(array)
    if count is None:
        raise errors.InvalidArgumentError(
            f"tf.data.Dataset.unbatch: all parts of an element must have a first axis; got "
            f"{array!r}.\n  Fix: leave it out by map, or batch first."
        )
    return count


class Prefetch(Forwarding):
    """Elements made ahead of their use, in a thread.

    Users' functions run in the thread that asks: they draw random numbers and read variables in
    the order of the program then, and what they compute is dispatched ahead anyway. Rows of arrays
    in memory are copied where they are asked for, if that takes less than waking a thread.
    """

    label = "Prefetch"

    def __init__(self, before: Stage, number: int) -> None:
        super().__init__(before)
        self.number = number
        self._threaded: bool | None = None

    def first(self) -> Any:
        return self.before.first()

    def rows(self, run: Run, skip: int = 0) -> Iterator[Any]:
        rows = self.before.rows(run, skip)
        return _Ahead(rows, self.number) if self._is_threaded() else rows

    def tensors(self, run: Run, skip: int = 0) -> Iterator[Any]:
        if self._is_threaded():
            return super().tensors(run, skip)
        return self.before.tensors(run, skip)

    def _is_threaded(self) -> bool:
        if self._threaded is None:
            self._threaded = not self.runs_user_code and not self._is_cheap()
        return self._threaded

    def _is_cheap(self) -> bool:
        """Return whether an element is in memory, and small."""
        if not self.in_memory:
            return False
        bytes_each = 0
        for leaf in nest.flatten(self.spec()):
            if type(leaf) is not TensorSpec:
                return False
            dims = elements.dims_of(leaf) or []
            first = self.before.number if isinstance(self.before, Batch) else 1
            bytes_each += int(np.prod([first if n is None else n for n in dims])) * (
                8 if leaf.dtype.name == "string" else leaf.dtype.size
            )
        return bytes_each < _WORTH_A_THREAD


_WORTH_A_THREAD = 4 << 20  # bytes that take longer to copy than a thread to wake


class _Ahead(Iterator[Any]):
    """Elements, some of which a thread makes ahead; it starts when the first is asked for.

    Args:
        rows: The elements.
        number: How many are made ahead.
    """

    def __init__(self, rows: Iterator[Any], number: int) -> None:
        self._rows = rows
        self._found: queue.Queue[tuple[str, Any]] = queue.Queue(number)
        self._left = threading.Event()
        self._state = "new"

    def __next__(self) -> Any:
        if self._state == "new":
            self._state = "running"
            # The thread does not hold this object: who drops it ends the thread.
            arguments = self._rows, self._found, self._left
            threading.Thread(
                target=_produce, args=arguments, name="tf.data prefetch", daemon=True
            ).start()
        if self._state == "ended":
            raise StopIteration
        what, value = self._found.get()
        if what == "row":
            return value
        if what == "error":
            raise value
        self._state = "ended"
        raise StopIteration

    def __del__(self) -> None:
        self._left.set()


def _produce(rows: Iterator[Any], found: queue.Queue[Any], left: threading.Event) -> None:
    """Put rows, and errors where they raise, into a queue until they end, or nobody waits."""
    while not left.is_set():
        try:
            step = "row", next(rows)
        except StopIteration:
            step = "end", None
        except BaseException as error:  # raised where the elements are used
            step = "error", error
        while not left.is_set():
            try:
                found.put(step, timeout=0.1)
                break
            except queue.Full:
                continue
        if step[0] == "end":
            return
