"""Where the generators of random numbers stand, as plain values."""

import random
from typing import Any

import numpy as np

from lamina.engine import global_stream

__all__ = ["random_state", "set_random_state"]


def random_state() -> dict[str, Any]:
    """Return the state of Python's, NumPy's and lamina's global generators, fit for JSON."""
    stream = global_stream()
    kind, keys, place, has_gauss, gauss = np.random.get_state(legacy=True)
    return {
        "python": random.getstate(),
        "numpy": [kind, keys.tolist(), place, has_gauss, gauss],  # type: ignore[union-attr]
        "stream": [stream.key.numpy().tolist(), int(stream.counter.numpy())],
    }


def set_random_state(state: dict[str, Any]) -> None:
    """Set the generators to a state that `random_state` returned."""
    version, inner, gauss = state["python"]
    random.setstate((version, tuple(inner), gauss))
    kind, keys, place, has_gauss, gauss = state["numpy"]
    np.random.set_state((kind, np.array(keys, np.uint32), place, has_gauss, gauss))
    stream = global_stream()
    key, counter = state["stream"]
    stream.key.assign(np.array(key, np.uint32))
    stream.counter.assign(np.int64(counter))
