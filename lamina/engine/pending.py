# pyright: reportPrivateUsage=false
# What JAX and NumPy give, and what `isinstance` finds in an Any, is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false
"""The thread's pending trace: what eager code records, when it runs, and how it is cached."""

from __future__ import annotations

import sys
import threading
import weakref
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from lamina.engine import errors
from lamina.engine.assertions import checked
from lamina.engine.context import config, local, set_pending_factory
from lamina.engine.identity import identity
from lamina.engine.outlining import OPTIONS, outlined
from lamina.engine.signature import Signature, signatures
from lamina.engine.tensor import Tensor
from lamina.engine.trace import Equation, Trace, replay

__all__ = ["Pending", "Program", "Stats", "flush", "stats"]


class Stats:
    """Counters of the process, public as `lamina.stats`.

    Attributes:
        flushes: Pending traces run.
        compiles: Programs compiled, those of `tf.function` and `fit` included.
        stepped: Pending traces run operation by operation.
        recorded: Equations in the pending traces run.
    """

    def __init__(self) -> None:
        self.flushes = self.compiles = self.stepped = self.recorded = 0

    def __repr__(self) -> str:
        return f"Stats({', '.join(f'{k}={v}' for k, v in vars(self).items())})"


stats = Stats()
_lock = threading.RLock()
_ref = weakref.ref
_gone = _ref(set[int]())  # the reference of a Tensor that nobody holds


class Program:
    """A compiled straight-line program: `run(inputs)` with the inputs in the trace's order.

    Scalars made from Python numbers travel packed, one array for each dtype, since every
    argument of an XLA executable costs a microsecond.

    Args:
        equations: The program.
        wanted: The slots of it that are returned.
        scalars: For each input its NumPy dtype if it is a packed scalar, else None.
        donated: The inputs whose buffers the program may overwrite.
        constants: The inputs that are the same in each run, and their values.
    """

    __slots__ = ("_donate", "_keep", "_packs", "_run")

    def __init__(
        self,
        equations: Sequence[Equation],
        wanted: Sequence[int],
        scalars: Sequence[np.dtype[Any] | None],
        donated: Sequence[int] = (),
        constants: Mapping[int, Any] | None = None,
    ) -> None:
        constants = constants or {}
        gone = {*donated, *constants}
        packs: dict[np.dtype[Any], list[int]] = {}
        for i, dtype in enumerate(scalars):
            if dtype is not None and i not in constants:
                packs.setdefault(dtype, []).append(i)
        keep = [i for i, dtype in enumerate(scalars) if dtype is None and i not in gone]
        self._keep = keep
        self._donate = list(donated)
        self._packs = list(packs.items())
        count = len(scalars)
        pieces = outlined(equations, wanted, replay)
        options = OPTIONS if len(pieces) < len(equations) else None

        def run(kept: list[Any], donated_: list[Any], packed: list[Any]) -> list[Any]:
            inputs: list[Any] = [constants.get(i) for i in range(count)]
            for i, value in zip(keep, kept, strict=True):
                inputs[i] = value
            for i, value in zip(donated, donated_, strict=True):
                inputs[i] = value
            for (_, places), pack in zip(packs.items(), packed, strict=True):
                for k, i in enumerate(places):
                    inputs[i] = pack[k]
            return replay(pieces, inputs, wanted)

        _keep_on_disk()
        self._run = jax.jit(run, donate_argnums=1, compiler_options=options)
        stats.compiles += 1

    def __call__(self, inputs: Sequence[Any]) -> list[Any]:
        """Run on one value for each input of the trace."""
        kept = [inputs[i] for i in self._keep]
        donated = [inputs[i] for i in self._donate]
        packed = [np.array([inputs[i] for i in at], dtype) for dtype, at in self._packs]
        with jax.enable_x64(True):
            return self._run(kept, donated, packed)


_asked_for_disk = False


def _keep_on_disk() -> None:
    """Turn on XLA's persistent compilation cache, unless the program chose one, or none.

    It makes the second process that runs a program start quickly. LAMINA_CACHE names the
    directory; "off" leaves JAX's setting as it is.
    """
    global _asked_for_disk
    if _asked_for_disk:
        return
    _asked_for_disk = True
    where = config.cache_dir
    if where == "off" or jax.config.jax_compilation_cache_dir is not None:
        return
    jax.config.update("jax_compilation_cache_dir", where)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.05)


class _Cache:
    """The compiled programs of pending traces, least recently used first, and the tiers.

    A structure that is new is compiled whole, as the step of a training loop should be. When
    new structures keep coming and none comes back (`strikes`), the next new ones run operation
    by operation from kernels compiled once for each signature, and are compiled when they recur:
    a program that never repeats is then not slower than operation-by-operation JAX.
    """

    def __init__(self) -> None:
        self.programs: OrderedDict[Any, Program] = OrderedDict()
        self.seen: OrderedDict[int, None] = OrderedDict()
        self.moved: dict[tuple[str, ...], int] = {}
        self.strikes = 0

    def find(self, key: Any) -> Program | None:
        found = self.programs.get(key)
        if found is not None:
            self.programs.move_to_end(key)
            self.strikes = 0
        return found

    def keep(self, key: Any, program: Program) -> None:
        self.programs[key] = program
        self.strikes += 1
        while len(self.programs) > config.cache_size:
            self.programs.popitem(last=False)

    def should_step(self, key: Any, equations: Sequence[Equation]) -> bool:
        """Return whether to run this new structure operation by operation, this time."""
        if self._grows(equations):
            return True
        used = [signatures[number] for number in {equation[0] for equation in equations}]
        appends = sum(each.move is not None for each in used) >= max(_SIZES, len(equations) / 4)
        if self.strikes < _STRIKES and not appends:
            return False
        mark = hash(key)
        if mark in self.seen:
            return False
        self.seen[mark] = None
        if len(self.seen) > 16384:
            self.seen.popitem(last=False)
        unknown = sum(not each.runs_at_once for each in used)
        # Compiling a kernel costs about three equations of a whole program.
        return 3 * unknown <= len(equations) * max(self.strikes - _STRIKES + 1, appends) / 2

    def _grows(self, equations: Sequence[Equation]) -> bool:
        """Return whether these moves came before, in other sizes each time.

        `steps = tf.concat([steps, step], 0)` in a loop is another program each time. What is
        made of moves that need no compiling runs so from the third size on.
        """
        for equation in equations:
            if not signatures[equation[0]].runs_at_once:
                return False
        names = tuple([signatures[equation[0]].name for equation in equations])
        seen = self.moved[names] = self.moved.pop(names, 0) + 1
        if len(self.moved) > 4096:
            del self.moved[next(iter(self.moved))]
        return seen > 2


_STRIKES = 4
# A trace with so many moves of different sizes, a quarter of it, is of a loop that appends: it
# will not come back, and XLA's time for such a chain grows with the square of its length.
_SIZES = 32
_cache = _Cache()

# Outside of tapes a trace is cut after about this many equations, those of the programs in it
# counted; under a tape the whole step stays together, up to the second figure.
_SOFT_LIMIT = 512
_TAPE_LIMIT = 20_000


_Array: type = object
"""The class of JAX's arrays: jax.Array itself is abstract, and no device is touched to find it."""


class Pending:
    """What this thread recorded and did not run yet.

    Attributes:
        equations: The program so far.
        inputs: Values from before: jax arrays, and NumPy scalars made from Python numbers.
        outputs: A weak reference to the Tensor of each slot; the dead ones are not computed.
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
            if local.tapes and len(self.equations) < _TAPE_LIMIT:
                return
            if self._least is None:
                ids = [equation[0] for equation in self.equations]
                self._least = min(zip(ids[3:], ids[2:], ids[1:], ids), default=())  # noqa: B905
            last = tuple([equation[0] for equation in self.equations[:-5:-1]])
            size = len(self.equations) + _SOFT_LIMIT - self.limit
            if last > self._least and size < 2 * _SOFT_LIMIT:
                return
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
            key = (needed, tuple(self.input_types[place] for place in places), trace.outputs)
            program = _cache.find(key)
            if program is None:
                scalars = [v.dtype if isinstance(v, np.generic) else None for v in inputs]
                program = Program(needed, trace.outputs, scalars)
                _cache.keep(key, program)
            tensor._value = program(inputs)[0]

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
        wanted = [t._slot for t in live]
        if aliases:
            wanted = sorted({*wanted, *(t._slot for t in aliases)})
            by_slot = dict(zip(wanted, self._run(wanted), strict=True))
            values = [by_slot[t._slot] for t in (*live, *aliases)]
        else:
            values = self._run(wanted)
        for t, value in zip((*live, *aliases), values, strict=True):
            t._value = value
            t._trace = None

    def _run(self, wanted: list[int]) -> list[Any]:
        equations = self.equations
        # A program that may fail half way must not have taken the variables' values.
        donated = () if self.calls_host else self._donated()
        key = (tuple(equations), tuple(self.input_types), tuple(wanted), donated)
        program = _cache.find(key)
        if program is None:
            if _cache.should_step(key, equations):
                stats.stepped += 1
                return _step(equations, self.inputs, wanted)
            program = Program(
                equations,
                wanted,
                [v.dtype if isinstance(v, np.generic) else None for v in self.inputs],
                donated,
            )
            values = program(self.inputs)
            _cache.keep(key, program)
            return values
        return program(self.inputs)

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


def _step(equations: Sequence[Equation], inputs: Sequence[Any], wanted: Sequence[int]) -> list[Any]:
    """Run operation by operation, each from its own kernel."""
    values: list[Any] = []
    with jax.enable_x64(True):
        for equation in equations:
            args = [values[slot] if slot >= 0 else inputs[~slot] for slot in equation[1:]]
            values.extend(signatures[equation[0]].run(args))
    return [values[slot] for slot in wanted]


def flush() -> None:
    """Run what this thread has recorded so far."""
    trace = local.trace
    while not trace.eager:
        trace = trace.parent
    trace.flush()


set_pending_factory(Pending)
