"""Progbar: a progress bar on the terminal."""

import sys
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from lamina.keras import console

__all__ = ["Progbar"]

_GREEN, _WHITE, _BOLD, _PLAIN = "\x1b[32m", "\x1b[37m", "\x1b[1m", "\x1b[0m"


class Progbar:
    """A progress bar with the time left and the means of some values.

    Args:
        target: The number of steps, or None if unknown.
        width: The width of the bar, in characters.
        verbose: 0 silent, 1 a bar, 2 one line at the end.
        interval: The least time between two updates on the screen, in seconds.
        stateful_metrics: Names of values that are shown as they are; the others are averaged.
        stateless_metrics: Names of values that are averaged; the others are shown as they are.
        unit_name: What a step is called.

    State:
        `update` and `add` move the bar and add to the means.

    Raises:
        ValueError: both lists of names are given.

    Example:
        >>> bar = tf.keras.utils.Progbar(2, verbose=0)
        >>> bar.add(1, [("loss", 0.5)])
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Progbar: only one of `stateful_metrics` and `stateless_metrics` can be given; got "
                "both.\n  Fix: name the values of one kind; all others are of the other."
            )
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateful_metrics = (
            None if stateless_metrics is not None else set(stateful_metrics or ())
        )
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self._sums: dict[str, tuple[Any, int]] = {}
        self._seen = 0
        self._shown = 0.0
        self._drawn = 0  # characters on the screen
        self._start = time.time()
        self._after_first: float | None = None

    def update(self, current: int, values: Any = None, finalize: bool | None = None) -> None:
        """Move the bar to a step.

        Args:
            current: The number of steps done.
            values: Pairs (name, value of the last step).
            finalize: Whether the bar is done; None asks whether `current` reached the target.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        for name, value in values or ():
            self._note(name, value, max(current - self._seen, 1), finalize)
        self._seen = current
        now = time.time()
        pace = self._pace(current, now)
        if self.verbose == 1:
            if now - self._shown < self.interval and not finalize:
                return
            self._draw(current, now, pace, finalize)
        elif self.verbose == 2 and finalize and self.target:
            line = f"{self._count(current)} - {now - self._start:.0f}s - {self._each(pace)}"
            console.show(f"{line}{self._results()}")
        self._shown = now

    def add(self, n: int, values: Any = None) -> None:
        """Move the bar on by `n` steps."""
        self.update(self._seen + n, values)

    def _note(self, name: str, value: Any, steps: int, finalize: bool) -> None:
        if self.stateless_metrics is not None:
            averaged = name in self.stateless_metrics
        else:
            averaged = name not in (self.stateful_metrics or ())
        if averaged and not finalize:
            total, count = self._sums.get(name, (0, 0))
            self._sums[name] = (total + value * steps, count + steps)
        else:
            self._sums[name] = (value, 1)

    def _pace(self, current: int, now: float) -> float:
        """Return the seconds of a step, the first one left out where there are more."""
        if not current:
            return 0.0
        if self._after_first is not None and current > 1:
            found = (now - self._after_first) / (current - 1)
        else:
            found = (now - self._start) / current
        if current == 1:
            self._after_first = now
        return found

    def _draw(self, current: int, now: float, pace: float, finalize: bool) -> None:
        bar, plain = self._bar(current)
        if self.target and not finalize:
            clock = _clock(pace * (self.target - current))
        else:
            clock = f"{now - self._start:.0f}s"
        tail = f" {self._each(pace)}{self._results()}"
        length = len(plain) + 1 + len(clock) + len(tail)
        dynamic = sys.stdout.isatty() or "ipykernel" in sys.modules
        start = "\r" if dynamic else "" if self._shown == 0 else "\n"
        blank = " " * max(self._drawn - length, 0)
        end = "\n" if finalize else ""
        text = f"{start}{bar} {_BOLD}{clock}{_PLAIN}{tail}{blank}{end}"
        if not dynamic:
            text = f"{start}{plain} {clock}{tail}{end}"
        console.show(text, line_break=False)
        self._drawn = length

    def _bar(self, current: int) -> tuple[str, str]:
        """Return the steps and the bar, with colours and without."""
        if not self.target:
            text = f"{current:7d}/Unknown"
            return text, text
        done = int(self.width * min(current / self.target, 1.0))
        full, rest = "━" * done, "━" * (self.width - done)
        count = self._count(current)
        coloured = f"{_BOLD}{count}{_PLAIN} {_GREEN}{full}{_PLAIN}{_WHITE}{rest}{_PLAIN}"
        return coloured, f"{count} {full}{rest}"

    def _count(self, current: int) -> str:
        return f"{current:{len(str(self.target))}d}/{self.target}"

    def _each(self, pace: float) -> str:
        if pace >= 1 or pace == 0:
            return f"{pace:.0f}s/{self.unit_name}"
        if pace >= 1e-3:
            return f"{pace * 1e3:.0f}ms/{self.unit_name}"
        return f"{pace * 1e6:.0f}us/{self.unit_name}"

    def _results(self) -> str:
        found = ""
        for name, (total, count) in self._sums.items():
            mean = float(np.mean(total)) / max(count, 1)
            found += f" - {name}: {mean:.4f}" if abs(mean) > 1e-3 else f" - {name}: {mean:.4e}"
        return found


def _clock(seconds: float) -> str:
    whole = int(seconds)
    if whole > 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}" if whole > 60 else f"{whole}s"
