# pyright: reportPrivateUsage=false
"""Random streams: a key, and a counter that every draw moves on."""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np

from lamina.engine.context import init_scope
from lamina.engine.dispatch import op
from lamina.engine.tensor import Tensor
from lamina.engine.variable import Variable

__all__ = ["Stream", "global_stream", "key_of", "set_global_seed"]


def key_of(seed: int) -> np.ndarray:
    """Return the threefry key of a Python int, uint32 of shape (2,)."""
    return np.array([(seed >> 32) & 0xFFFFFFFF, seed & 0xFFFFFFFF], np.uint32)


class Stream:
    """A stream of random numbers: draws fold the counter into the key.

    Key and counter are Variables, so programs that draw have the same structure at every step,
    `tf.function` sees the state, and a run is reproducible on any number of devices.

    Args:
        seed: A Python int; None takes one from the system.

    State:
        counter: int64, the number of draws so far.
    """

    def __init__(self, seed: int | None = None) -> None:
        seed = secrets.randbits(63) if seed is None else int(seed)
        with init_scope():
            self.key = Variable(key_of(seed), trainable=False, name="key")
            self.counter = Variable(np.int64(0), trainable=False, name="counter")
        # So that a vectorized map knows the draws of its rows, and keeps them apart.
        self.key._stream = self.counter._stream = self

    def next(self) -> tuple[Tensor, Tensor]:
        """Return (key, counter) for one draw, and move on."""
        counter = self.counter._read()
        self.counter._set(_advance(counter))
        return self.key._read(), counter

    def reset(self, seed: int) -> None:
        """Start again from a seed."""
        self.key.assign(key_of(int(seed)))
        self.counter.assign(np.int64(0))


@op(differentiable=False)
def _advance(counter: Any) -> Any:
    return counter + 1


_global: list[Stream] = []
_first_seed: list[int] = []


def global_stream() -> Stream:
    """Return the stream of the ops without a seed of their own, made at the first use."""
    if not _global:
        _global.append(Stream(*_first_seed))
    return _global[0]


def set_global_seed(seed: int) -> None:
    """Start the global stream again from a seed."""
    if _global:
        _global[0].reset(seed)
    else:  # devices are not touched yet: a program may still configure them
        _first_seed[:] = [seed]
