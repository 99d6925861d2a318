"""Interleaved timing: all ways take turns in one process, so that noise hits them alike."""

import gc
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

__all__ = ["Ratio", "interleaved", "ratio"]

# A way runs n steps and waits for the device at the end.
Way = Callable[[int], object]


class Ratio(NamedTuple):
    """How many times as long one way takes as another.

    Attributes:
        middle: The median over the rounds.
        low: The first quartile.
        high: The third quartile.
        extra: Seconds a step that it takes longer, median over the rounds.
        base: Seconds a step of the other way, median over the rounds.
    """

    middle: float
    low: float
    high: float
    extra: float
    base: float

    def __str__(self) -> str:
        return f"{self.middle:.2f} ({self.low:.2f}–{self.high:.2f})"


def interleaved(
    ways: Mapping[str, Way], rounds: int = 15, chunk: float = 0.1, warmup: int = 3
) -> dict[str, np.ndarray]:
    """Time several ways in turns, and return seconds a step of each, `(rounds,)`.

    Each way runs in chunks of as many steps as fill `chunk` seconds, the first way in each round
    a different one.

    Args:
        ways: Name → function of a number of steps that runs them and waits for the device.
        rounds: How many chunks of each.
        chunk: Seconds a chunk should take at least.
        warmup: Steps before anything is timed: compilation, caches.
    """
    for run in ways.values():
        run(warmup)
    steps = {name: _steps_for(run, chunk) for name, run in ways.items()}
    times: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    enabled = gc.isenabled()
    gc.disable()
    try:
        for r in range(rounds):
            turn = r % len(names)
            for name in names[turn:] + names[:turn]:
                start = time.perf_counter()
                ways[name](steps[name])
                times[name].append((time.perf_counter() - start) / steps[name])
            gc.collect()
    finally:
        if enabled:
            gc.enable()
    return {name: np.array(found) for name, found in times.items()}


def _steps_for(run: Way, chunk: float) -> int:
    """Return how many steps fill `chunk` seconds."""
    steps = 1
    while True:
        start = time.perf_counter()
        run(steps)
        spent = time.perf_counter() - start
        if spent >= chunk / 2 or steps >= 100_000:
            return max(1, round(steps * chunk / max(spent, 1e-9)))
        steps *= 4


def ratio(times: np.ndarray, base: np.ndarray) -> Ratio:
    """Return how one way's times compare with another's, round by round."""
    low, middle, high = np.quantile(times / base, [0.25, 0.5, 0.75])
    return Ratio(
        float(middle),
        float(low),
        float(high),
        float(np.median(times - base)),
        float(np.median(base)),
    )
