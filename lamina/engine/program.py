# pyright: reportPrivateUsage=false
# What JAX and NumPy give is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false
"""Compiled programs, which of them are kept, and how a pending trace is run by them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from lamina.engine.compiling import jitted
from lamina.engine.context import config
from lamina.engine.outlining import outlined
from lamina.engine.signature import signatures
from lamina.engine.trace import Equation, replay

__all__ = ["HalfwayError", "Key", "Program", "Programs", "Stats", "shared_program", "stats"]


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
        self._run = jitted(run, donate=1, calls=len(pieces) < len(equations))
        stats.compiles += 1

    def __call__(self, inputs: Sequence[Any]) -> list[Any]:
        """Run on one value for each input of the trace."""
        kept = [inputs[i] for i in self._keep]
        donated = [inputs[i] for i in self._donate]
        packed = [np.array([inputs[i] for i in at], dtype) for dtype, at in self._packs]
        with jax.enable_x64(True):
            return self._run(kept, donated, packed)


_shared: OrderedDict[Any, Program] = OrderedDict()
_shared_lock = threading.Lock()


def shared_program(key: Any, make: Callable[[], Program]) -> Program:
    """Return the compiled program of a closed trace; who asks first makes it.

    Functions that record the same share one: a property that makes a dataset records its functions
    again at each use, and a loop that makes one model after the other records their steps again.

    Args:
        key: What decides the program.
        make: Makes it.
    """
    with _shared_lock:
        found = _shared.get(key)
        if found is not None:
            _shared.move_to_end(key)
            return found
    made = make()
    with _shared_lock:
        found = _shared.setdefault(key, made)  # another thread may have been as quick
        while len(_shared) > config.cache_size // 4:
            _shared.popitem(last=False)
    return found


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


class Key(NamedTuple):
    """What tells the runs of pending traces apart: equal keys run the same program.

    Attributes:
        equations: The program.
        types: The type of each input; inverted where it is a number.
        wanted: The slots returned.
        donated: The inputs whose buffers are overwritten.
    """

    equations: tuple[Equation, ...]
    types: tuple[int, ...]
    wanted: tuple[int, ...]
    donated: tuple[int, ...] = ()

    @property
    def made(self) -> int:
        """How many slots its equations fill."""
        return sum([len(signatures[equation[0]].outputs) for equation in self.equations])


class HalfwayError(Exception):
    """The second part of a run failed; the first part's values are there.

    Attributes:
        values: They, by slot.
        error: What the second part raised.
    """

    def __init__(self, values: dict[int, Any], error: BaseException) -> None:
        super().__init__()
        self.values, self.error = values, error


class Split:
    """A new structure that begins with a known program: that one runs, then the rest.

    What stands behind the last step of a loop, to print a result, would else compile the step
    once more with it.

    Args:
        programs: Where the rest's program is found, or compiled.
        first: The known program's key.
        key: The new structure.

    Attributes:
        first: The known program's key.
    """

    __slots__ = ("_given", "_key", "_programs", "_rest", "_wanted", "first")

    def __init__(self, programs: Programs, first: Key, key: Key) -> None:
        kinds = [kind for e in first.equations for kind in signatures[e[0]].outputs]
        made = first.made
        given: dict[int, int] = {}
        rest = tuple(
            (
                e[0],
                *[s - made if s >= made else ~given.setdefault(s, len(given)) for s in e[1:]],
            )
            for e in key.equations[len(first.equations) :]
        )
        types = tuple([kinds[s].id if s >= 0 else key.types[~s] for s in given])
        wanted = tuple([s - made for s in key.wanted if s >= made])
        self._programs = programs
        self.first, self._key = first, key
        self._given = list(given)
        self._rest = Key(rest, types, wanted)
        self._wanted = [s for s in key.wanted if s >= made]

    def __call__(self, inputs: Sequence[Any]) -> list[Any]:
        """Run on one value for each input of the trace.

        Raises:
            HalfwayError: from the error of the second part.
        """
        first = self.first
        ran = self._programs.run(first, inputs[: len(first.types)])
        values = dict(zip(first.wanted, ran, strict=True))
        try:
            if self._wanted:
                given = [values[s] if s >= 0 else inputs[~s] for s in self._given]
                ran = self._programs.run(self._rest, given)
                values.update(zip(self._wanted, ran, strict=True))
        except BaseException as error:
            raise HalfwayError(values, error) from error
        return [values[s] for s in self._key.wanted]


class Programs:
    """The compiled programs of pending traces, least recently used first, and the tiers.

    A structure that is new is compiled whole, as the step of a training loop should be. When
    new structures keep coming and none comes back (`strikes`), the next new ones run operation
    by operation from kernels compiled once for each signature, and are compiled when they recur:
    a program that never repeats is then not slower than operation-by-operation JAX.
    """

    def __init__(self) -> None:
        self.programs: OrderedDict[Key, Program | Split] = OrderedDict()
        self.steps: dict[tuple[Equation, ...], list[Key]] = {}
        self.seen: OrderedDict[int, None] = OrderedDict()
        self.moved: dict[tuple[str, ...], int] = {}
        self.strikes = 0

    def run(
        self, key: Key, inputs: Sequence[Any], parts: Callable[[Key], bool] | None = None
    ) -> list[Any]:
        """Return the values of the slots that the key wants.

        Args:
            key: The program.
            inputs: One value for each of its inputs.
            parts: Whether it may run in two, the first of which is a known program; None: never.

        Raises:
            HalfwayError: the first part ran and the second did not.
        """
        program = self._find(key)
        if program is None or type(program) is Split:
            program = self._split(key, program, parts)
        if program is not None:
            return program(inputs)
        if self._should_step(key):
            stats.stepped += 1
            return _step(key.equations, inputs, key.wanted)
        scalars = [v.dtype if isinstance(v, np.generic) else None for v in inputs]
        program = Program(key.equations, key.wanted, scalars, key.donated)
        values = program(inputs)
        self._keep(key, program)
        return values

    def _split(
        self, key: Key, known: Split | None, parts: Callable[[Key], bool] | None
    ) -> Split | None:
        """Return how the structure runs in two parts, if it may."""
        if parts is None:
            return None
        first = self._known_step(key) if known is None else known.first
        if first is None or not parts(first):
            return None
        if known is None:
            known = Split(self, first, key)
            self._keep(key, known)
        return known

    def _find(self, key: Key) -> Program | Split | None:
        found = self.programs.get(key)
        if found is not None:
            self.programs.move_to_end(key)
            self.strikes = 0
        return found

    def _keep(self, key: Key, program: Program | Split) -> None:
        self.programs[key] = program
        if isinstance(program, Program):
            self.strikes += 1
            if key.donated:
                steps = self.steps.setdefault(key.equations[:_START], [])
                steps.append(key)
                del steps[:-_START]
        while len(self.programs) > config.cache_size:
            gone, _ = self.programs.popitem(last=False)
            self.steps.pop(gone.equations[:_START], None)

    def _known_step(self, key: Key) -> Key | None:
        """Return the step of a loop that this structure begins with, if it is known.

        A step is what gives variables new values. The rest must need nothing that the step's
        program does not return or overwrites, and hold no derivative of an equation in it, which
        would then be run once more.
        """
        for step in reversed(self.steps.get(key.equations[:_START], ())):
            size = len(step.equations)
            if (
                size < len(key.equations)
                and step.equations == key.equations[:size]
                and step.types == key.types[: len(step.types)]
                and {*step.donated} <= {*key.donated}
                and _parts(step, key)
            ):
                return step
        return None

    def _should_step(self, key: Key) -> bool:
        """Return whether to run this new structure operation by operation, this time."""
        equations = key.equations
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
# So many equations find the steps that begin with them; as many steps that do are kept.
_START = 8


def _parts(step: Key, key: Key) -> bool:
    """Return whether a program can run after its first equations, a step, have run alone."""
    made = step.made
    there = set(step.equations)
    used = {slot for slot in key.wanted if slot < made}
    for equation in key.equations[len(step.equations) :]:
        forward = signatures[equation[0]].forward
        if forward is not None:
            pair = (forward[0].id, *equation[1 : 1 + len(forward[0].inputs)])
            if pair in there:
                return False
        used.update([slot for slot in equation[1:] if slot < made])
    return {s for s in used if s >= 0} <= {*step.wanted} and not used & {~d for d in step.donated}


def _step(equations: Sequence[Equation], inputs: Sequence[Any], wanted: Sequence[int]) -> list[Any]:
    """Run operation by operation, each from its own kernel."""
    values: list[Any] = []
    with jax.enable_x64(True):
        for equation in equations:
            args = [values[slot] if slot >= 0 else inputs[~slot] for slot in equation[1:]]
            values.extend(signatures[equation[0]].run(args))
    return [values[slot] for slot in wanted]
