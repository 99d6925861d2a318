"""Cache: elements kept after the first whole pass, in memory or in a file."""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from lamina.data import elements, tables
from lamina.data.lasting import Failed, caught, lasting, stepping
from lamina.data.stages import Ordered, Run, Stage, seeded

__all__ = ["Cache", "FileCache"]


class _Fresh:
    """An element of the pass that fills a cache."""

    __slots__ = ("element",)

    def __init__(self, element: Any) -> None:
        self.element = element


class _Kept(tables.Table):
    """Items are numbers of kept elements, or new elements."""

    def __init__(self) -> None:
        self.rows_kept: list[Any] = []
        self.columns: tables.Columns | None = None

    def fill(self, kept: list[Any]) -> None:
        """Take the elements of a whole pass; as columns, if all have one shape."""
        first = elements.spec_of(kept[0]) if kept else None
        if (
            first is not None
            and elements.is_fixed(first)
            and all(elements.spec_of(row) == first for row in kept[1:])
        ):
            self.columns = tables.Columns(elements.stack(kept))
        else:
            self.rows_kept = kept

    def row(self, item: Any) -> Any:
        if type(item) is _Fresh:
            return item.element
        return self.rows_kept[item] if self.columns is None else self.columns.row(item)

    def gather(self, items: Any) -> Any:
        if self.columns is None or any(type(i) is _Fresh for i in items):
            return elements.stack(self.rows(items))
        return self.columns.gather(items)


class Cache(Ordered):
    """Elements kept in memory after the first whole pass.

    What is in memory already is not copied: the order of its items is kept.
    """

    label = "CacheDataset"

    def __init__(self, before: Stage) -> None:
        super().__init__(before)
        self._size: int | None = None
        self._order: np.ndarray | None = None
        self.numbers: list[int] | None = None  # the passes of the stages below that filled it
        if not before.in_memory or not before.indices:
            self.indices = 0
            self._kept = _Kept()
            self.table = self._kept

    def size(self) -> int:
        return self.before.size() if self._size is None else self._size

    def first(self) -> Any:
        return self.before.first() if self._size is None else super().first()

    def items(self, run: Run) -> Iterator[Any]:
        if self.indices:
            return super().items(run)
        return self._filling(run) if self._size is None else iter(range(self._size))

    def _filling(self, run: Run) -> Iterator[Any]:
        kept: list[Any] = []
        numbers = [run.number(s) for s in seeded(self.before)]
        rows, size = self.before.rows(run), self.before.size()

        def step() -> _Fresh:
            try:
                row = next(rows)
            except StopIteration:
                self._fill(kept, numbers)
                raise
            kept.append(row)
            # Who takes all elements need not ask for one more, as `zip` does not of all its
            # datasets: what was kept is whole then.
            if len(kept) == size:
                self._fill(kept, numbers)
            return _Fresh(row)

        return stepping(step)

    def _fill(self, kept: list[Any], numbers: list[int]) -> None:
        if self._size is None:
            self._kept.fill(list(kept))
            self.numbers = numbers
            self._size = len(kept)
            self.in_memory = self._kept.columns is not None

    def blocks(self, run: Run) -> Iterator[np.ndarray]:
        if self._order is not None:
            yield self._order
            return
        kept: list[np.ndarray] = []
        numbers = [run.number(s) for s in seeded(self.before)]
        size, count = self.before.size(), 0
        for block in self.before.blocks(run):
            kept.append(block)
            count += len(block)
            if count == size:
                self._keep(kept, numbers)
            yield block
        self._keep(kept, numbers)

    def _keep(self, kept: list[np.ndarray], numbers: list[int]) -> None:
        if self._order is None and kept:
            self._order = np.concatenate(kept)
            self.numbers = numbers
            self._size = len(self._order)


class FileCache(Ordered):
    """Elements kept in a file after the first whole pass, and read from it from then on.

    Args:
        before: The stage before.
        path: The file's name; `.data` is put behind it.
        write: What writes elements to a file.
        read: What returns an iterator over the elements in a file.
    """

    label = "CacheDataset"

    def __init__(self, before: Stage, path: str, write: Any, read: Any) -> None:
        super().__init__(before)
        self.table = tables.Loose()
        self.indices = 0
        self.in_memory = False
        self._path = path + ".data"
        self._write, self._read = write, read

    def items(self, run: Run) -> Iterator[Any]:
        return lasting(self._elements(run))

    def _elements(self, run: Run) -> Iterator[Any]:
        if os.path.exists(self._path):
            yield from self._read(self._path, self.before.spec())
            return
        os.makedirs(os.path.dirname(os.path.abspath(self._path)), exist_ok=True)
        partial = f"{self._path}.{os.getpid()}.partial"
        held: list[Any] = []
        size, count = self.before.size(), 0
        with self._write(partial) as put:
            for row in caught(self.before.rows(run)):
                if type(row) is not Failed:
                    put(row)
                    count += 1
                if count == size:  # as in a cache in memory
                    held.append(row)
                    break
                yield row
        os.replace(partial, self._path)
        yield from held
