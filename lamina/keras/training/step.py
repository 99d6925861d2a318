"""One compiled step, made of a model's `train_step`, `test_step` or `predict_step`."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import Function, Tensor, convert_to_tensor, nest
from lamina.ops.loops import run_scan

__all__ = ["ahead", "make_step", "stacked"]


def make_step(
    method: Callable[[Any], Any], name: str, run_eagerly: bool, steps: int = 1
) -> Callable[[Any], Any]:
    """Return a function of one batch that runs `method` compiled.

    Args:
        method: The model's `train_step` or its like.
        name: For messages.
        run_eagerly: Whether to call `method` itself, so that `pdb` and `print` work in it.
        steps: How many batches, stacked, one call runs through (`steps_per_execution`).
    """
    if run_eagerly:
        return method if steps == 1 else _each(method)
    if steps == 1:
        return Function(method, name)

    def scan(batches: Any) -> Any:
        _, logs = run_scan(lambda _, batch: ((), method(batch)), (), batches, who=name)
        return nest.map_structure(lambda t: t[-1], logs)

    one, many = Function(method, name), Function(scan, name)

    def run(batches: list[Any]) -> Any:
        if len(batches) == steps and _alike(batches):
            return many(nest.map_structure(lambda *b: _stack(b), *batches))
        logs: Any = None
        for batch in batches:
            logs = one(batch)
        return logs

    return run


def _each(method: Callable[[Any], Any]) -> Callable[[list[Any]], Any]:
    def run(batches: list[Any]) -> Any:
        logs: Any = None
        for batch in batches:
            logs = method(batch)
        return logs

    return run


def _alike(batches: list[Any]) -> bool:
    shapes = [[tuple(np.shape(t)) for t in nest.flatten(b) if t is not None] for b in batches]
    return all(s == shapes[0] for s in shapes)


def _stack(values: tuple[Any, ...]) -> Any:
    if values[0] is None:
        return None
    if all(isinstance(getattr(v, "_value", v), np.ndarray) for v in values):  # not on the device
        return convert_to_tensor(np.stack([np.asarray(v) for v in values]))
    return ops.stack([convert_to_tensor(v) for v in values])


def stacked(batches: Iterator[Any], steps: int) -> Iterator[Any]:
    """Yield the batches one by one, or in lists of `steps` of them."""
    if steps == 1:
        yield from batches
        return
    while group := list(islice(batches, steps)):
        yield group


def ahead(limit: int = 8) -> Callable[[Any], None]:
    """Return a function to call with each step's logs: it waits for a step some steps before.

    Steps are dispatched ahead of the device, but at most `limit` of them, so that their batches
    do not fill the memory.
    """
    waiting: list[Tensor] = []

    def note(logs: Any) -> None:
        values = logs.values() if type(logs) is dict else nest.flatten(logs)
        waiting.extend([t for t in values if isinstance(t, Tensor)][:1])
        if len(waiting) == limit:  # for half of them at once: waiting costs time itself
            value = waiting[limit // 2 - 1]._jax()
            if hasattr(value, "block_until_ready"):
                value.block_until_ready()
            del waiting[: limit // 2]

    return note
