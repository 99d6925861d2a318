# pyright: reportPrivateUsage=false
# Traces and tapes come as Any, and what is found in them is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false
"""Why a gradient is None, and which variables a model reads without holding them.

Nothing here runs where gradients are found: only the walk of a tape that finds none, or that sees
a variable nobody asked for, comes here; and that once for each structure of a program.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Iterable, Sequence
from typing import Any

from lamina.engine.context import local
from lamina.engine.dtypes import as_dtype
from lamina.engine.identity import identity
from lamina.engine.places import place_of_caller
from lamina.engine.signature import signatures
from lamina.engine.tensor import Tensor
from lamina.engine.variable import Variable

__all__ = [
    "note",
    "note_place",
    "reasons",
    "report_unreached",
]


# ---- variables that a model reads, and does not hold --------------------------------------------


def report_unreached(reads: Iterable[Any], wanted: Sequence[Any]) -> None:
    """Warn of variables that a model's call read, and that its attributes do not lead to.

    Args:
        reads: The trainable variables that were read under the tape.
        wanted: The sources whose gradients were asked for.
    """
    asked = {identity(s) for s in wanted}
    held: dict[int, set[int]] = {}
    for variable in reads:
        where = variable.__dict__.get("_first_read")
        if identity(variable) in asked or where is None:
            continue
        model, place = where[0](), where[1]
        if model is None:
            continue
        if identity(model) not in held:
            held[identity(model)] = {identity(v) for v in model.variables}
        mine = held[identity(model)]
        if identity(variable) in mine or not mine & asked:
            continue
        variable.__dict__["_first_read"] = None  # once for each variable
        warnings.warn(
            f'{type(model).__name__} "{model.name}": its call reads the trainable variable '
            f'"{variable.name}", shape {variable.shape}, which its attributes do not lead to, so '
            f"it is not in `trainable_variables` and does not train.\n"
            f"  Read at: {place}\n"
            f"  Fix: keep it on the model or a layer of it, self.v = tf.Variable(...), in a list "
            f"or dict too; or make it with trainable=False.",
            stacklevel=5,
        )


# ---- gradients that are None --------------------------------------------------------------------


def reasons(
    tape: Any, targets: Sequence[Tensor], wanted: Sequence[Any], found: Sequence[Any]
) -> list[str | None] | None:
    """Return for each source why its gradient is None; None if there is nothing to explain."""
    if all(g is not None for g in found):
        return None
    return [
        _reason(tape, targets, s) if g is None and isinstance(s, Variable) else None
        for s, g in zip(wanted, found, strict=True)
    ]


def note(wanted: Sequence[Any], why: Sequence[str | None]) -> None:
    """Note on each Variable without a gradient why it has none, for those who tell the user."""
    for source, reason in zip(wanted, why, strict=True):
        if reason is not None:
            source.__dict__["_no_gradient"] = reason


def _reason(tape: Any, targets: Sequence[Tensor], source: Any) -> str:
    kind = as_dtype(source.dtype)
    if not (kind.is_floating or kind.is_complex):
        return f"it is {kind.name}; gradients exist with respect to floating point"
    if source._number >= tape._ended:
        return "it was made after the tape stopped recording"
    reads = tape._reads.get(source)
    if not reads:
        if not source._trainable:
            return "it is not trainable, and the tape does not watch it: tape.watch(variable)"
        return "it was not used while the tape recorded"
    if not any(t._type.differentiable for t in targets):
        return "the loss is not floating point"
    return _cut(targets, list(reads.values()))


def _cut(targets: Sequence[Tensor], starts: Sequence[Tensor]) -> str:
    """Say what lies between a variable's values and the loss."""
    trace = next((t._trace for t in targets if t._trace is not None), None)
    if trace is None or not trace.equations:
        return "the loss does not depend on it"
    reached = {_slot(trace, t) for t in starts}
    at = 0
    ends: dict[int, str] = {}  # slots that a value flows to, and the operation that cuts it off
    for equation in trace.equations:
        signature = signatures[equation[0]]
        slots = range(at, at + len(signature.outputs))
        at += len(signature.outputs)
        through = [s for s in equation[1:] if s in reached]
        cut = next((ends[s] for s in equation[1:] if s in ends), None)
        if through and signature.differentiable and signature.forward is None:
            reached.update(slots)
        elif through or cut is not None:
            for s in slots:
                ends[s] = cut or f"tf.{signature.name.strip('_')}"
    wanted = {_slot(trace, t) for t in targets}
    for slot in wanted:
        if slot in ends:
            return f"on its way to the loss stands {ends[slot]}, which has no gradient"
    assigned = _assigned(trace, reached | set(ends))
    if assigned is not None:
        return (
            f'its value went into the variable "{assigned.name}" by an assignment, which '
            f"gradients do not follow"
        )
    if wanted & reached:
        return "the tape did not record all operations between it and the loss"
    return "the loss does not depend on it"


def _slot(trace: Any, tensor: Tensor) -> Any:
    if tensor._trace is trace:
        return tensor._slot
    known = getattr(trace, "_inputs_at", None)
    if known is not None:
        return known.get(identity(tensor._value))
    return next((slot for t, slot in trace.captures.values() if t is tensor), None)


def _assigned(trace: Any, slots: set[Any]) -> Any:
    """Return a variable that was assigned one of these slots, or None."""
    if trace.eager:
        current = [(v, v._tensor) for v in trace.assigned]
    else:
        current = [(v, state.current) for v, state in trace.variables.items() if state.written]
    for variable, tensor in current:
        if tensor is not None and tensor._trace is trace and tensor._slot in slots:
            return variable
    return None


def note_place(variable: Any) -> None:
    """Note the model and the line at the first read of a variable that is no layer's weight."""
    variable.__dict__["_first_read"] = weakref.ref(local.calls[0]), place_of_caller()
