# pyright: reportPrivateUsage=false
# What JAX and NumPy give, and what `isinstance` finds in an Any, is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false
"""The thread's pending trace: what eager code records, when it runs, and how it is cached."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from lamina.engine import errors
from lamina.engine.assertions import checked
from lamina.engine.context import config, local, set_pending_factory
from lamina.engine.identity import identity
from lamina.engine.program import HalfwayError, Key, Programs, stats
from lamina.engine.signature import Signature
from lamina.engine.tensor import Tensor
from lamina.engine.trace import Equation, Trace

__all__ = ["Pending", "flush"]


_lock = threading.RLock()
_ref = weakref.ref
_gone = _ref(set[int]())  # the reference of a Tensor that nobody holds
_cache = Programs()

# Outside of tapes a trace is cut after about this many equations, those of the programs in it
# counted; under a tape the whole step stays together, up to the second figure.
_SOFT_LIMIT = 512
# Elements of a dataset with fewer equations than this run together: a run costs more than they do.
_STEP_SIZE = 16
_TAPE_LIMIT = 20_000


_Array: type = object
"""The class of JAX's arrays: jax.Array itself is abstract, and no device is touched to find it."""


class Pending:
    """What this thread recorded and did not run yet.

    Attributes:
        equations: The program so far.
        inputs: Values from before: jax arrays, and NumPy scalars made from Python numbers.
        outputs: A weak reference to the Tensor of each slot; the dead ones are not computed.
        taped: So many equations are of tapes and gradients.
    """

    eager = True
    parent = None

    __slots__ = (
        "_inputs_at",
        "_least",
        "_numbers",
        "aliases",
        "alive",
        "assigned",
        "calls_host",
        "equations",
        "error",
        "input_types",
        "inputs",
        "limit",
        "outputs",
        "starts",
        "taped",
    )

    def __init__(self) -> None:
        self.alive = True
        self.equations: list[Equation] = []
        self.inputs: list[Any] = []
        self.input_types: list[int] = []
        self.outputs: list[weakref.ref[Tensor]] = []
        self.aliases: list[weakref.ref[Tensor]] = []
        self._inputs_at: dict[int, int] = {}
        self._numbers: list[Tensor] = []
        self.assigned: dict[Any, Tensor | None] = {}
        self.calls_host = False
        self.starts = False  # whether variables start from its results
        self.taped = 0
        # In "sync" mode each operation is one trace.
        self.limit = _SOFT_LIMIT if config.eager == "record" else 0
        self.error: BaseException | None = None
        self._least: tuple[int, ...] | None = None

    # -- recording

    def emit(self, signature: Signature, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Record one equation and return the Tensors of its outputs."""
        equation = [signature.id]
        inputs_at = self._inputs_at
        for t in tensors:
            if t._trace is self:
                equation.append(t._slot)
                continue
            value = t._value
            key = identity(value)
            at = inputs_at.get(key)
            if at is None:
                if type(value) is _Array:  # as `_adopt` would; most inputs of a step are such
                    at = inputs_at[key] = ~len(self.inputs)
                    self.inputs.append(value)
                    self.input_types.append(t._type.id)
                else:
                    at = self._adopt(t)
            equation.append(at)
        equations = self.equations
        equations.append(tuple(equation))
        if signature.weight:
            if signature.asserts:
                return self._run_apart(signature, tensors)
            self._weigh(signature)
        outputs = self.outputs
        kinds = signature.outputs
        if len(kinds) == 1:
            t = Tensor(kinds[0], self, len(outputs), None)
            outputs.append(_ref(t))
            made = [t]
        else:
            made = [Tensor(kind, self, slot, None) for slot, kind in enumerate(kinds, len(outputs))]
            outputs.extend(map(_ref, made))
        if len(equations) >= self.limit:
            self._maybe_cut()
        return made

    def _weigh(self, signature: Signature) -> None:
        """Take note of an equation that holds a program of its own, or that calls Python."""
        if signature.calls_host:
            self.calls_host = True
        self.limit -= signature.weight

    def _run_apart(self, signature: Signature, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Run at once what may stop by an assertion, so that the call that holds it raises.

        What was recorded before runs first: it must not be lost with it.
        """
        self.equations.pop()
        self.flush()
        with jax.enable_x64(True):
            values = checked(signature.run)([t._jax() for t in tensors])
        return [Tensor(k, None, 0, v) for k, v in zip(signature.outputs, values, strict=True)]

    def extend(
        self, equations: Sequence[Equation], outputs: int, wanted: Sequence[Any]
    ) -> list[Tensor | None]:
        """Record equations as they stand, and return the Tensors of some of their outputs.

        Args:
            equations: The equations, in slots of this trace.
            outputs: How many outputs they have.
            wanted: (slot, type) of each Tensor wanted, or None, which stays None.
        """
        self.equations.extend(equations)
        self.outputs.extend([_gone] * outputs)  # pyright: ignore[reportArgumentType]
        made: dict[int, Tensor] = {}
        found: list[Tensor | None] = []
        for one in wanted:
            if one is None:
                found.append(None)
                continue
            slot, kind = one
            t = made.get(slot)
            if t is None:
                t = made[slot] = Tensor(kind, self, slot, None)
                self.outputs[slot] = _ref(t)
            found.append(t)
        return found

    def _adopt(self, tensor: Tensor) -> int:
        value = tensor._value
        if value is None:
            value = tensor._trace.materialize(tensor)
        kind = tensor._type.id
        key = identity(value)
        if type(value) is np.ndarray:
            key = identity(value := tensor._used())
        elif isinstance(value, np.generic):
            # A number counts by its handle, not by its value: `x * i` in a loop is one structure.
            key, kind = identity(tensor), ~kind
        else:
            global _Array
            _Array = type(value)
        at = self._inputs_at.get(key)
        if at is None:
            at = self._inputs_at[key] = ~len(self.inputs)
            self.inputs.append(value)
            self.input_types.append(kind)
            if kind < 0:
                self._numbers.append(tensor)  # so that its id stays its own
        return at

    def alias(self, tensor: Tensor) -> Tensor:
        """Return another handle of the same slot."""
        made = Tensor(tensor._type, self, tensor._slot, None)
        self.aliases.append(weakref.ref(made))
        return made

    def read(self, variable: Any) -> Tensor:
        """Return the variable's value of now."""
        return variable._tensor

    def write(self, variable: Any, tensor: Tensor) -> None:
        """Give the variable a new value."""
        if variable not in self.assigned:
            self.assigned[variable] = variable._tensor
        variable._tensor = tensor

    def write_all(self, variables: Sequence[Any], tensors: Sequence[Tensor]) -> None:
        """Give several variables new values."""
        assigned = self.assigned
        for variable, tensor in zip(variables, tensors, strict=True):
            if variable not in assigned:
                assigned[variable] = variable._tensor
            variable._tensor = tensor

    def _maybe_cut(self) -> None:
        """Run a long trace, at a place that depends on what was recorded only.

        That is where the last operations are again the least, in the order of their signatures,
        that the trace had: a program that repeats is then cut at the same phase each time, so its
        pieces repeat too.
        """
        if config.eager == "record":
            count = len(self.equations)
            # A gradient stays with its forward pass: apart, that would be computed once more.
            if count < _TAPE_LIMIT and (local.tapes or 0 < self.taped > count - _SOFT_LIMIT):
                return
            if self._least is None:
                ids = [equation[0] for equation in self.equations]
                self._least = min(zip(ids[3:], ids[2:], ids[1:], ids), default=())  # noqa: B905
            last = tuple([equation[0] for equation in self.equations[:-5:-1]])
            size = len(self.equations) + _SOFT_LIMIT - self.limit
            if last > self._least and size < 2 * _SOFT_LIMIT:
                return
        self.flush()

    def begin_step(self) -> None:
        """Run what was recorded before an outermost tape, if it gives variables values, or is much.

        The next step is then the same program.
        """
        if self.gives_values or len(self.equations) >= _SOFT_LIMIT:
            self.flush()

    @property
    def gives_values(self) -> bool:
        """Whether variables have their values from what was recorded."""
        return self.starts or bool(self.assigned)

    def note_tape(self, ended: bool) -> None:
        """Keep together what is recorded from here on, or what was, for a gradient of it."""
        self.taped = len(self.equations) if ended else _TAPE_LIMIT

    def end_step(self) -> None:
        """Run what a loop over a dataset recorded for one element, when it asks for the next.

        It comes again for each element, so it is compiled once; with what stands behind the loop,
        or for several elements together, it would be another program.
        """
        if not local.tapes and len(self.equations) >= _STEP_SIZE:
            self.flush()

    # -- running

    def materialize(self, tensor: Tensor) -> Any:
        """Return the value of one of this trace's Tensors, running what it needs."""
        if self.error is not None:
            self._rescue(tensor)
        elif local.trace is self or (self.alive and _owner_is_here(self)):
            self.flush()
        else:
            self._snapshot(tensor)
        if tensor._value is None:
            raise errors.InternalError(None, None, "a pending Tensor got no value.")
        return tensor._value

    def _rescue(self, tensor: Tensor) -> None:
        """Compute a Tensor of a trace whose run failed; what failed need not concern it."""
        assert self.error is not None
        try:
            self._snapshot(tensor)
        except Exception:
            raise self.error from None

    def _snapshot(self, tensor: Tensor) -> None:
        """Compute one Tensor: of another thread, which may go on recording, or a failed run."""
        with _lock:
            if tensor._value is not None:
                return
            # In this order: an equation's inputs are there before it is.
            equations, inputs = list(self.equations), list(self.inputs)
            # Only what the Tensor needs, so that the same work is found again.
            trace = Trace((), tuple(equations), (tensor._slot,), (tensor._type,)).pruned()
            places = sorted({~slot for e in trace.equations for slot in e[1:] if slot < 0})
            moved = {~place: ~i for i, place in enumerate(places)}
            needed = tuple((e[0], *(moved.get(s, s) for s in e[1:])) for e in trace.equations)
            inputs = [inputs[place] for place in places]
            types = tuple(self.input_types[place] for place in places)
            tensor._value = _cache.run(Key(needed, types, trace.outputs), inputs)[0]

    def flush(self) -> None:
        """Run the trace as one program; its live Tensors get their values."""
        if local.trace is self:
            local.trace = Pending()
        self.alive = False
        if not self.equations:
            return
        with _lock:
            live = [t for ref in self.outputs if (t := ref()) is not None]
            aliases = [t for ref in self.aliases if (t := ref()) is not None]
            if live or aliases or self.calls_host:
                try:
                    self._fill(live, aliases)
                except BaseException as error:
                    self._fail(error)
                    raise
            stats.flushes += 1
            stats.recorded += len(self.equations)
            self._clear()

    def _fill(self, live: list[Tensor], aliases: list[Tensor]) -> None:
        """Run the trace, and give the Tensors their values."""
        tensors = (*live, *aliases)
        wanted = tuple([t._slot for t in live])
        if aliases:
            wanted = tuple(sorted({t._slot for t in tensors}))
        # A program that may fail half way must not have taken the variables' values.
        donated = () if self.calls_host else self._donated()
        key = Key(tuple(self.equations), tuple(self.input_types), wanted, donated)
        try:
            values = _cache.run(key, self.inputs, None if self.calls_host else self._may_part)
        except HalfwayError as half:
            _give(tensors, half.values)
            raise half.error from None
        if aliases:
            _give(tensors, dict(zip(wanted, values, strict=True)))
            return
        for t, value in zip(live, values, strict=True):
            t._value = value
            t._trace = None

    def _donated(self) -> tuple[int, ...]:
        """Return the inputs that are old values of variables; their buffers get the new ones.

        Which they are depends on the program alone: a value that somebody else holds is copied.
        """
        places: set[int] = set()
        inputs, inputs_at, references = self.inputs, self._inputs_at, sys.getrefcount
        for old in self.assigned.values():
            if old is None or old._type.size < SMALL:
                continue
            value = old._value
            if value is None:
                continue
            at = inputs_at.get(identity(value))
            if at is None or ~at in places:
                continue
            places.add(~at)
            if references(old) > _HANDLE_REFS or references(value) > _VALUE_REFS:
                inputs[~at] = value.copy()
        return tuple(sorted(places))

    def _may_part(self, step: Key) -> bool:
        """Return whether what stands behind a known step may fail without a variable being lost.

        One that both assign has no value to go back to: the step takes the old one's buffer.
        """
        made, inputs_at = step.made, self._inputs_at
        for variable, old in self.assigned.items():
            new = variable._tensor
            if old is None or new is None or new._trace is not self or new._slot < made:
                continue
            at = inputs_at.get(identity(old._value))
            if at is not None and ~at in step.donated:
                return False
        return True

    def _fail(self, error: BaseException) -> None:
        """Give variables their old values back, so that nothing is lost with a failed run."""
        self.error = error
        for variable, old in self.assigned.items():
            current = variable._tensor
            if current is not None and current._trace is self and old is not None:
                variable._tensor = old

    def _clear(self) -> None:
        self.inputs = []
        self._inputs_at = {}
        self._numbers = []
        self.assigned = {}
        self.equations = []
        self.outputs = []
        self.aliases = []


# References while `_donated` looks at them, to a variable's old handle: the `assigned` dictionary,
# the loop variable, getrefcount's argument; and to its array: the handle, the list of inputs,
# `value`, getrefcount's argument.
_HANDLE_REFS = 3
_VALUE_REFS = 4


def _give(tensors: Sequence[Tensor], values: Mapping[int, Any]) -> None:
    """Give Tensors their values, by slot; some may have none yet."""
    for t in tensors:
        if t._slot in values:
            t._value = values[t._slot]
            t._trace = None


SMALL = 256
"""Values with fewer elements are not worth donating."""


def _owner_is_here(trace: Pending) -> bool:
    """Return whether `trace` is this thread's, with a closed trace recording above it."""
    at = local.trace
    while at is not None:
        if at is trace:
            return True
        at = at.parent
    return False


def flush() -> None:
    """Run what this thread has recorded so far."""
    trace = local.trace
    while not trace.eager:
        trace = trace.parent
    trace.flush()


set_pending_factory(Pending)
