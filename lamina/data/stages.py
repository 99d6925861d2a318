"""Stages: which items come, in which order. A stage is lazy; each pass starts it anew."""

import abc
import itertools
from collections import deque
from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from lamina.data import elements, tables
from lamina.data import structure as nest
from lamina.data.lasting import flattened, stepping

__all__ = [
    "INFINITE",
    "UNKNOWN",
    "Concatenate",
    "Ordered",
    "Repeat",
    "Run",
    "Shard",
    "Skip",
    "Stage",
    "Take",
    "Zip",
    "inner",
    "seeded",
    "skipping",
]

INFINITE, UNKNOWN = -1, -2


class Run:
    """One pass of an iterator: which numbers the random stages in it start from.

    Args:
        stage: The last stage; each random stage below begins a pass, whose number is kept.
        numbers: The passes to take instead; None begins new ones.
        below: For a dataset that is made while another one runs, what tells that place apart.
    """

    def __init__(
        self, stage: Any = None, numbers: list[int] | None = None, below: tuple[int, ...] = ()
    ) -> None:
        self._below = below
        self._places: WeakKeyDictionary[Any, list[int]] = WeakKeyDictionary()
        found = [] if stage is None else seeded(stage)
        if numbers is None:
            numbers = [s.begin() for s in found]
        for s, number in zip(found, numbers, strict=True):
            self._places[s] = [number, 0]
        self.numbers = numbers

    def next(self, stage: Any, again: bool = True) -> list[int]:
        """Return the numbers that decide the order of a stage's next pass in this run."""
        number, repeats = self.number(stage), self._places[stage][1]
        self._places[stage][1] += int(again)
        return [*self._below, number] if not repeats else [*self._below, number, repeats]

    def number(self, stage: Any) -> int:
        """Return the number of a stage's pass in this run."""
        place = self._places.get(stage)
        if place is None:
            place = self._places[stage] = [0 if self._below else stage.begin(), 0]
        return place[0]

    def below(self, *place: int) -> "Run":
        """Return the run of a dataset that is made at a place of this one."""
        return Run(below=(*self._below, *place, 1))


class Stage(abc.ABC):
    """A step of a pipeline.

    Attributes:
        table: What the items stand for.
        label: The name in the dataset's repr.
        indices: How many integers an item is; 0 if items are no integers. Such items can be had
            as arrays, `(n,)` for one integer and `(n, indices)` for several.
        runs_user_code: Whether a user's Python runs in it or before it.
        in_memory: Whether its elements are rows of arrays, which cost no more than their copying.
        options: The Options set last, or None.
        seed: What its random numbers come from, or None if there are none.
    """

    table: tables.Table
    label = ""
    indices = 0
    runs_user_code = False
    in_memory = False
    options: Any = None
    seed: Any = None
    is_random = False

    @abc.abstractmethod
    def spec(self) -> Any:
        """Return the specs of the elements."""

    @abc.abstractmethod
    def size(self) -> int:
        """Return the number of elements, INFINITE or UNKNOWN."""

    def items(self, run: Run) -> Iterator[Any]:
        """Return an iterator over the items of one pass; as it is, those of `blocks`."""
        return itertools.chain.from_iterable(map(_listed, self.blocks(run)))

    def blocks(self, run: Run) -> Iterator[np.ndarray]:
        """Return an iterator over the items as arrays of any length, where they are integers."""
        raise TypeError(f"{type(self).__name__}: its items are no integers; ask for `items`.")

    def rows(self, run: Run, skip: int = 0) -> Iterator[Any]:
        """Return an iterator over the elements of one pass, `skip` of them left out.

        Elements that are left out are not made where items alone tell how many there are.
        """
        return map(self.table.row, skipping(self.items(run), skip))

    def first(self) -> Any:
        """Return the first element, None without one, for stages that must see what it is."""
        return next(self.rows(Run(below=(0,))), None)

    def tensors(self, run: Run, skip: int = 0) -> Iterator[Any]:
        """Return what `rows` does, with Tensors as leaves."""
        return map(elements.as_tensors, self.rows(run, skip))


def _listed(block: np.ndarray) -> list[Any]:
    return block.tolist() if block.ndim == 1 else list(map(tuple, block.tolist()))


def skipping(items: Iterator[Any], count: int) -> Iterator[Any]:
    """Return an iterator that has passed over its first items, failed ones among them."""
    numbers = iter(range(count))
    while True:
        try:
            deque(zip(numbers, items, strict=False), maxlen=0)
        except Exception:  # its number was taken: it was passed over
            continue
        return items


def inner(stage: Any) -> list[Any]:
    """Return the stages that a stage directly stands on."""
    found = []
    for value in vars(stage).values():
        if isinstance(value, Stage):
            found.append(value)
        elif type(value) in (list, tuple, dict):
            found += [part for part in nest.flatten(value) if isinstance(part, Stage)]
    return found


def seeded(stage: Any) -> list[Any]:
    """Return the random stages in a pipeline, the last one first, each once."""
    found: dict[Any, None] = {}
    todo = [stage]
    while todo:
        this = todo.pop()
        if this.is_random:
            found.setdefault(this)
        todo.extend(reversed(inner(this)))
    return list(found)


# ---- choosing and ordering items, whatever they stand for -----------------------------------


class Ordered(Stage):
    """A stage whose items are those of the stage before."""

    def __init__(self, before: Stage) -> None:
        self.before = before
        self.table = before.table
        self.indices = before.indices
        self.runs_user_code = before.runs_user_code
        self.in_memory = before.in_memory
        self.options = before.options

    def spec(self) -> Any:
        return self.before.spec()

    def size(self) -> int:
        return self.before.size()


class _Counted(Ordered):
    """A stage that a number of items, or of passes, decides."""

    def __init__(self, before: Stage, count: int) -> None:
        super().__init__(before)
        self.count = count


class Take(_Counted):
    """The first `count` items; -1 takes all."""

    label = "Take"

    def size(self) -> int:
        size = self.before.size()
        if self.count < 0:
            return size
        return self.count if size == INFINITE else size if size < 0 else min(self.count, size)

    def items(self, run: Run) -> Iterator[Any]:
        if self.indices:
            return super().items(run)
        items: Iterator[Any] = self.before.items(run)
        left = self.count

        def step() -> Any:
            nonlocal items, left
            if not left:
                items = iter(())  # a generator, or a file, is closed now
                raise StopIteration
            item = next(items)
            left -= 1
            return item

        return items if left < 0 else stepping(step)

    def blocks(self, run: Run) -> Iterator[np.ndarray]:
        left = self.count
        if left == 0:
            return
        for block in self.before.blocks(run):
            if left < 0 or len(block) < left:
                yield block
                left -= len(block) if left > 0 else 0
            else:
                yield block[:left]
                return


class Skip(_Counted):
    """All but the first `count` items; -1 skips all."""

    label = "Skip"

    def size(self) -> int:
        size = self.before.size()
        if self.count < 0:
            return 0
        return size if size < 0 else max(size - self.count, 0)

    def items(self, run: Run) -> Iterator[Any]:
        if self.count < 0:
            return iter(())
        if self.indices:
            return super().items(run)
        return _parted(self.before.items(run), self.count, 0)

    def blocks(self, run: Run) -> Iterator[np.ndarray]:
        left = self.count
        if left < 0:
            return
        for block in self.before.blocks(run):
            if len(block) > left:
                yield block[left:]
            left = max(left - len(block), 0)


class Shard(Ordered):
    """Every `number`-th item, from `index` on."""

    label = "Shard"

    def __init__(self, before: Stage, number: int, index: int) -> None:
        super().__init__(before)
        self.number, self.index = number, index

    def size(self) -> int:
        size = self.before.size()
        return size if size < 0 else len(range(self.index, size, self.number))

    def items(self, run: Run) -> Iterator[Any]:
        if self.indices:
            return super().items(run)
        return _parted(self.before.items(run), self.index, self.number - 1)

    def blocks(self, run: Run) -> Iterator[np.ndarray]:
        first = self.index
        for block in self.before.blocks(run):
            yield block[first :: self.number]
            first = (first - len(block)) % self.number


def _parted(items: Iterator[Any], first: int, gap: int) -> Iterator[Any]:
    """Return an iterator that leaves out the first items, and so many behind each that it gives."""
    left = first

    def step() -> Any:
        nonlocal left
        while left:
            next(items)
            left -= 1
        item = next(items)
        left = gap
        return item

    return stepping(step)


class Repeat(_Counted):
    """All items, `count` times; -1 is without end."""

    label = "Repeat"

    def size(self) -> int:
        size = self.before.size()
        if size == 0 or self.count == 0:
            return 0
        if self.count < 0:
            return INFINITE
        return size if size < 0 else size * self.count

    def items(self, run: Run) -> Iterator[Any]:
        return self._again(self.before.items, run)

    def blocks(self, run: Run) -> Iterator[np.ndarray]:
        return self._again(self.before.blocks, run)

    def _again(self, start: Any, run: Run) -> Iterator[Any]:
        left = self.count
        items: Iterator[Any] = iter(())
        empty = False

        def step() -> Any:
            nonlocal items, left, empty
            while True:
                for item in items:
                    empty = False
                    return item
                if empty or not left:
                    raise StopIteration
                left -= 1
                items, empty = start(run), True

        return stepping(step)


# ---- combining stages ------------------------------------------------------------------------


class Zip(Stage):
    """Tuples, or other structures, of the elements of several stages; the shortest ends it."""

    label = "Zip"

    def __init__(self, stages: Any) -> None:
        self._flat: list[Stage] = nest.flatten(stages)
        self._stages = stages
        widths = [s.indices for s in self._flat]
        self.indices = sum(widths) if all(widths) and len(widths) > 1 else 0
        self.table = tables.Zipped(nest.map_structure(lambda s: s.table, stages), widths)
        self.runs_user_code = any(s.runs_user_code for s in self._flat)
        self.in_memory = all(s.in_memory for s in self._flat)
        self.options = next((s.options for s in self._flat if s.options is not None), None)

    def spec(self) -> Any:
        return nest.map_structure(lambda s: s.spec(), self._stages)

    def size(self) -> int:
        sizes = [s.size() for s in self._flat]
        known = [n for n in sizes if n >= 0]
        if 0 in sizes:
            return 0
        if UNKNOWN in sizes:
            return UNKNOWN
        return min(known) if known else INFINITE

    def items(self, run: Run) -> Iterator[Any]:
        if self.indices:
            return super().items(run)
        return zip(*[s.items(run) for s in self._flat], strict=False)

    def blocks(self, run: Run) -> Iterator[np.ndarray]:
        streams = [s.blocks(run) for s in self._flat]
        held: list[Any] = [None] * len(streams)
        while True:
            for i, stream in enumerate(streams):
                while held[i] is None or not len(held[i]):
                    held[i] = next(stream, None)
                    if held[i] is None:
                        return
            count = min(map(len, held))
            yield np.column_stack([h[:count] for h in held])
            held = [h[count:] for h in held]


class Concatenate(Stage):
    """The elements of one stage, then those of another."""

    label = "Concatenate"

    def __init__(self, first: Stage, second: Stage) -> None:
        self._stages = [first, second]
        self.table = tables.Either([first.table, second.table])
        self.runs_user_code = first.runs_user_code or second.runs_user_code
        self.options = first.options or second.options

    def spec(self) -> Any:
        return elements.merge(self._stages[0].spec(), self._stages[1].spec())

    def size(self) -> int:
        sizes = [s.size() for s in self._stages]
        for special in (INFINITE, UNKNOWN):
            if special in sizes:
                return special
        return sum(sizes)

    def items(self, run: Run) -> Iterator[Any]:
        def numbered(number: int, stage: Stage) -> Iterator[Any]:
            return zip(itertools.repeat(number), stage.items(run), strict=False)

        return flattened(itertools.starmap(numbered, enumerate(self._stages)))
