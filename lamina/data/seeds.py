"""Seeds: where random stages have theirs from, if the user gives none."""

import threading
from collections.abc import Callable

import numpy as np

from lamina.engine import global_stream

__all__ = ["derived", "fresh_seed"]


class _Derived(threading.local):
    """What gives the seeds of datasets that a function of flat_map makes, in this thread."""

    draw: Callable[[], int] | None = None


derived = _Derived()


def fresh_seed() -> int:
    """Return a seed from the global stream; in a function of flat_map, one of its element."""
    if derived.draw is not None:
        return derived.draw()
    stream = global_stream()
    key, counter = stream.next()
    # The stream moves on now. Pending, that would be part of the loop's first step, and the step
    # a program of its own in each epoch.
    stream.counter.numpy()
    high, low = (int(k) for k in np.asarray(key))
    return ((high << 32 | low) + 0x9E3779B97F4A7C15 * (int(counter) + 1)) & (2**63 - 1)
