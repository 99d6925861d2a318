"""Stages: which items come, in which order. A stage is lazy; each pass starts it anew."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from lamina.data import elements, tables
from lamina.engine import nest

__all__ = [
    "INFINITE",
    "UNKNOWN",
    "Concatenate",
    "Ordered",
    "Repeat",
    "Shard",
    "Shuffle",
    "Skip",
    "Stage",
    "Take",
    "Zip",
    "shuffles",
]

INFINITE, UNKNOWN = -1, -2
_DRAWS = 1024  # random numbers drawn at once


class Stage:
    """A step of a pipeline.

    Attributes:
        table: What the items stand for.
        runs_user_code: Whether a user's Python runs in it or before it.
    """

    table: tables.Table
    runs_user_code = False

    def spec(self) -> Any:
        """Return the specs of the elements."""
        raise NotImplementedError

    def size(self) -> int:
        """Return the number of elements, INFINITE or UNKNOWN."""
        raise NotImplementedError

    def items(self) -> Iterator[Any]:
        """Return an iterator over the items of one pass."""
        raise NotImplementedError

    def rows(self) -> Iterator[Any]:
        """Return an iterator over the elements of one pass."""
        return map(self.table.row, self.items())


# ---- choosing and ordering items, whatever they stand for -----------------------------------


class Ordered(Stage):
    """A stage whose items are those of the stage before."""

    def __init__(self, before: Stage) -> None:
        self.before = before
        self.table = before.table
        self.runs_user_code = before.runs_user_code

    def spec(self) -> Any:
        return self.before.spec()

    def size(self) -> int:
        return self.before.size()


class Take(Ordered):
    """The first `count` items; -1 takes all."""

    def __init__(self, before: Stage, count: int) -> None:
        super().__init__(before)
        self.count = count

    def size(self) -> int:
        size = self.before.size()
        if self.count < 0:
            return size
        return self.count if size == INFINITE else size if size < 0 else min(self.count, size)

    def items(self) -> Iterator[Any]:
        items = self.before.items()
        return items if self.count < 0 else itertools.islice(items, self.count)


class Skip(Ordered):
    """All but the first `count` items; -1 skips all."""

    def __init__(self, before: Stage, count: int) -> None:
        super().__init__(before)
        self.count = count

    def size(self) -> int:
        size = self.before.size()
        if self.count < 0:
            return 0
        return size if size < 0 else max(size - self.count, 0)

    def items(self) -> Iterator[Any]:
        if self.count < 0:
            return iter(())
        return itertools.islice(self.before.items(), self.count, None)


class Shard(Ordered):
    """Every `number`-th item, from `index` on."""

    def __init__(self, before: Stage, number: int, index: int) -> None:
        super().__init__(before)
        self.number, self.index = number, index

    def size(self) -> int:
        size = self.before.size()
        return size if size < 0 else len(range(self.index, size, self.number))

    def items(self) -> Iterator[Any]:
        return itertools.islice(self.before.items(), self.index, None, self.number)


class Repeat(Ordered):
    """All items, `count` times; -1 is without end."""

    def __init__(self, before: Stage, count: int) -> None:
        super().__init__(before)
        self.count = count

    def size(self) -> int:
        size = self.before.size()
        if size == 0 or self.count == 0:
            return 0
        if self.count < 0:
            return INFINITE
        return size if size < 0 else size * self.count

    def items(self) -> Iterator[Any]:
        passes = itertools.count() if self.count < 0 else range(self.count)
        for _ in passes:
            empty = True
            for item in self.before.items():
                empty = False
                yield item
            if empty:
                return


class Shuffle(Ordered):
    """Items in random order, each drawn from a buffer of the next `buffer`.

    Args:
        before: The stage before.
        buffer: How many items to choose from; -1 is all.
        seed: An int.
        again: Whether each pass has another order.

    Attributes:
        passes: How many passes were started, if each has another order.
    """

    def __init__(self, before: Stage, buffer: int, seed: int, again: bool) -> None:
        super().__init__(before)
        self.buffer = buffer
        self.seed = seed
        self.again = again
        self.passes = 0

    def items(self) -> Iterator[Any]:
        random = np.random.Generator(np.random.PCG64([self.seed, self.passes]))
        if self.again:
            self.passes += 1
        return self._shuffled(random)

    def _shuffled(self, random: np.random.Generator) -> Iterator[Any]:
        items = self.before.items()
        kept = list(items if self.buffer < 0 else itertools.islice(items, self.buffer))
        draws: Iterator[float] = iter(())
        for item in items:
            draw = next(draws, None)
            if draw is None:
                draws = iter(random.random(_DRAWS).tolist())
                draw = next(draws)
            place = int(draw * len(kept))
            yield kept[place]
            kept[place] = item
        for place in random.permutation(len(kept)).tolist():
            yield kept[place]


# ---- combining stages ------------------------------------------------------------------------


class Zip(Stage):
    """Tuples, or other structures, of the elements of several stages; the shortest ends it."""

    def __init__(self, stages: Any) -> None:
        self._stages = stages
        self._flat: list[Stage] = nest.flatten(stages)
        self.table = tables.Zipped(nest.map_structure(lambda s: s.table, stages))
        self.runs_user_code = any(s.runs_user_code for s in self._flat)

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

    def items(self) -> Iterator[Any]:
        return zip(*[s.items() for s in self._flat], strict=False)


class Concatenate(Stage):
    """The elements of one stage, then those of another."""

    def __init__(self, first: Stage, second: Stage) -> None:
        self._stages = [first, second]
        self.table = tables.Either([first.table, second.table])
        self.runs_user_code = first.runs_user_code or second.runs_user_code

    def spec(self) -> Any:
        return elements.merge(self._stages[0].spec(), self._stages[1].spec())

    def size(self) -> int:
        sizes = [s.size() for s in self._stages]
        for special in (INFINITE, UNKNOWN):
            if special in sizes:
                return special
        return sum(sizes)

    def items(self) -> Iterator[Any]:
        for number, stage in enumerate(self._stages):
            for item in stage.items():
                yield number, item


def shuffles(stage: Stage) -> list[Shuffle]:
    """Return the shuffles in a pipeline, the last one first."""
    found = [stage] if isinstance(stage, Shuffle) else []
    for value in vars(stage).values():
        parts = nest.flatten(value) if isinstance(value, list | tuple | dict) else [value]
        for part in parts:
            if isinstance(part, Stage):
                found += shuffles(part)
    return found
