# pyright: reportPrivateUsage=false
# A tape's log holds Any, and what `isinstance` finds in one is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false
"""Gradients of a program seen before: its backward equations are recorded again as they were.

A training loop differentiates the same program in each step. Walking its tape costs more than
recording it did, so the equations that the walk recorded are kept under the structure of what was
walked, and appended at once when that structure comes again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from lamina.engine.identity import identity
from lamina.engine.signature import Signature
from lamina.engine.tensor import Tensor

__all__ = ["recalled"]


class _Plans:
    """Backward passes by structure, the least recently used first; safe to use from threads.

    A plan holds the equations of a program twice, so what bounds them is how many equations.
    """

    most = 200_000

    def __init__(self) -> None:
        self._plans: OrderedDict[Any, tuple[int, Any]] = OrderedDict()
        self._equations = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._plans)

    def find(self, key: Any) -> Any:
        with self._lock:
            found = self._plans.get(key)
            if found is None:
                return None
            self._plans.move_to_end(key)
            return found[1]

    def keep(self, key: Any, plan: Any) -> None:
        size = len(key[0]) + len(plan[0])
        with self._lock:
            if key in self._plans:  # another thread was as quick
                return
            self._plans[key] = size, plan
            self._equations += size
            while self._equations > self.most and len(self._plans) > 1:
                self._equations -= self._plans.popitem(last=False)[1][0]


_plans = _Plans()


def recalled(
    trace: Any,
    log: Sequence[Any],
    targets: Sequence[Tensor],
    roots: Sequence[Sequence[Tensor]],
    walk: Callable[[], tuple[list[Tensor | None], Any]],
) -> tuple[list[Tensor | None], Any]:
    """Return the gradients that `walk` gives, recording what it recorded the last time.

    Args:
        trace: The pending trace, into which alone the log was recorded.
        log: What the tape recorded.
        targets: The Tensors to differentiate.
        roots: For each source the Tensors whose gradients add up to its own.
        walk: Walks the log, records the backward equations, and returns the gradients and why
            some are None.
    """
    key = _structure(trace, log, targets, roots)
    if key is None:
        return walk()
    plan = _plans.find(key)
    if plan is not None:
        equations, outputs, wanted, why = plan
        return trace.extend(equations, outputs, wanted), why
    at, start, inputs = len(trace.equations), len(trace.outputs), len(trace.inputs)
    found, why = walk()
    # Not where the walk ran the trace, brought new values into it, or gave a Tensor of before.
    if trace.alive and len(trace.inputs) == inputs:
        wanted = [None if t is None else (t._slot, t._type) for t in found]
        own = all(t is None or (t._trace is trace and t._slot >= start) for t in found)
        if own:
            plan = trace.equations[at:], len(trace.outputs) - start, wanted, why
            _plans.keep(key, plan)
    return found, why


def _structure(
    trace: Any, log: Sequence[Any], targets: Sequence[Tensor], roots: Sequence[Sequence[Tensor]]
) -> Any:
    """Return what the walk depends on, or None where it depends on more than the trace.

    The equations of the trace say what was computed. They do not say which handle of a value an
    equation was given, and gradients belong to handles: so the handles are numbered.
    """
    numbers: dict[int, int] = {}
    number = numbers.get
    parts: list[Any] = []
    for entry in log:
        if type(entry) is not tuple:
            numbers[identity(entry)] = len(numbers)
            continue
        signature, inputs, outputs = entry
        if type(signature) is not Signature or not outputs or outputs[0]._trace is not trace:
            return None
        parts.append(outputs[0]._slot)
        parts.extend(map(number, map(identity, inputs)))
        for t in outputs:
            numbers[identity(t)] = len(numbers)
    parts.extend(map(number, map(identity, targets)))
    for handles in roots:
        parts.append(tuple([number(identity(t)) for t in handles]))
    # A target that is a source stands in no equation that would tell its type.
    parts.extend([t._type for t in targets])
    return tuple(trace.equations), tuple(parts)
