"""Shuffle: items in random order."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from lamina.data.lasting import Failed, caught, lasting
from lamina.data.stages import Ordered, Run, Stage

__all__ = ["Random", "Shuffle", "generator"]

_DRAWS = 1024  # random numbers drawn at once
_BLOCK = 16384  # items whose places are found at once


class Random:
    """A stage that draws random numbers.

    Attributes:
        seed: An int.
        again: Whether each pass draws other numbers.
        passes: How many passes were started.
    """

    is_random = True
    seed: Any = None
    again = True
    passes = 0

    def begin(self) -> int:
        """Return the number of the pass that starts now."""
        number = self.passes
        if self.again:
            self.passes += 1
        return number


def generator(stage: Any, run: Run) -> np.random.Generator:
    """Return the random numbers of a stage's next pass."""
    return np.random.Generator(np.random.PCG64([stage.seed, *run.next(stage, stage.again)]))


class Shuffle(Random, Ordered):
    """Items in random order, each drawn from a buffer of the next `buffer`.

    Args:
        before: The stage before.
        buffer: How many items to choose from; -1 is all.
        seed: An int.
        again: Whether each pass has another order.
    """

    label = "Shuffle"

    def __init__(self, before: Stage, buffer: int, seed: int, again: bool) -> None:
        super().__init__(before)
        self.buffer = buffer
        self.seed = seed
        self.again = again

    def items(self, run: Run) -> Iterator[Any]:
        if self.indices:
            return super().items(run)
        return lasting(self._shuffled(run, generator(self, run)))

    def _shuffled(self, run: Run, random: np.random.Generator) -> Iterator[Any]:
        kept: list[Any] = []
        draws: Iterator[float] = iter(())
        for item in caught(self.before.items(run)):
            if type(item) is Failed:
                yield item
                continue
            if self.buffer < 0 or len(kept) < self.buffer:
                kept.append(item)
                continue
            draw = next(draws, None)
            if draw is None:
                draws = iter(random.random(_DRAWS).tolist())
                draw = next(draws)
            place = int(draw * len(kept))
            yield kept[place]
            kept[place] = item
        for place in random.permutation(len(kept)).tolist():
            yield kept[place]

    def blocks(self, run: Run) -> Iterator[np.ndarray]:
        return self._shuffled_blocks(run, generator(self, run))

    def _shuffled_blocks(self, run: Run, random: np.random.Generator) -> Iterator[np.ndarray]:
        blocks = _pieces(self.before.blocks(run))
        first: list[np.ndarray] = []
        held = 0
        rest = None
        for block in blocks:
            if 0 <= self.buffer < held + len(block):
                cut = self.buffer - held
                first.append(block[:cut])
                rest = block[cut:]
                break
            first.append(block)
            held += len(block)
        if not first:
            return
        kept = np.concatenate(first)
        for block in itertools.chain(() if rest is None else (rest,), blocks):
            yield _exchange(kept, block, random.integers(len(kept), size=len(block)))
        random.shuffle(kept)
        yield kept


def _pieces(blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Return blocks that are cut where they are long."""
    for block in blocks:
        for start in range(0, len(block), _BLOCK):
            yield block[start : start + _BLOCK]


def _exchange(kept: np.ndarray, coming: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Put items into a buffer, one after the other; return what each takes the place of.

    What leaves place p is what came to p last: the item of the step before that has the same
    place, else what was in the buffer. So it needs no loop.

    Args:
        kept: The buffer, changed in place.
        coming: The items.
        places: The place of each in the buffer.
    """
    order = np.argsort(places, kind="stable")
    sorted_places = places[order]
    first = np.ones(len(order), bool)
    first[1:] = sorted_places[1:] != sorted_places[:-1]
    leaving = np.empty_like(coming)
    leaving[order[first]] = kept[sorted_places[first]]
    others = np.flatnonzero(~first)
    leaving[order[others]] = coming[order[others - 1]]
    last = np.append(first[1:], True) if len(order) else first
    kept[sorted_places[last]] = coming[order[last]]
    return leaving
