# pyright: reportPrivateUsage=false
# What JAX gives is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownLambdaType=false
"""Programs with strings as files: compiled pieces, and the host's operations between them.

XLA has no strings, so what reads or makes them is saved by its name in lamina and its attributes,
and the equations between such operations as StableHLO. Loading runs no code of the file: names
are looked up among lamina's operations and `restorer`s only.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np

from lamina.engine import dtypes, errors
from lamina.engine.closure import Closed
from lamina.engine.dispatch import Op
from lamina.engine.dtypes import DType, as_dtype
from lamina.engine.exporting import ExportedProgram, compiled, run_exported
from lamina.engine.hosted import RESTORERS, HostOp
from lamina.engine.signature import Signature, TensorType, signatures
from lamina.engine.tensor import Tensor
from lamina.engine.trace import Equation, Trace

__all__ = [
    "StagedProgram",
    "as_json",
    "export_stages",
    "has_strings",
    "load_program",
    "of_json",
    "run_program",
]

_MARK = b"lamina stages 1\n"


def has_strings(trace: Trace) -> bool:
    """Return whether a program has equations that only the host can run."""
    kinds = [*trace.inputs, *trace.types]
    return any(signatures[e[0]].origin is not None for e in trace.equations) or any(
        k.dtype is dtypes.string for k in kinds
    )


class StagedProgram:
    """A program in stages: inputs, then values from outside → all outputs, as `ExportedProgram`.

    Args:
        data: The bytes that `export_stages` gave.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        head, _, rest = data[len(_MARK) :].partition(b"\n")
        notes = json.loads(head)
        sizes = notes["sizes"]
        ends = np.cumsum([0, *sizes]).tolist()
        programs = [ExportedProgram(rest[a:b]) for a, b in pairwise(ends)]
        self._stages = [_loaded(stage, programs) for stage in notes["stages"]]
        self._outputs: list[int] = notes["outputs"]

    def run(self, operands: Sequence[Tensor]) -> list[Tensor]:
        """Run on Tensors."""
        values = list(operands)
        for run, places in self._stages:
            found = run(*[None if place is None else values[place] for place in places])
            values.extend(found if isinstance(found, list | tuple) else [found])
        return [values[place] for place in self._outputs]


def load_program(data: bytes) -> ExportedProgram | StagedProgram:
    """Return a program of a file."""
    return StagedProgram(data) if data.startswith(_MARK) else ExportedProgram(data)


def run_program(program: Any, operands: Sequence[Any]) -> list[Any]:
    """Run a program of a file on Tensors and variables; return Tensors."""
    if isinstance(program, StagedProgram):
        return program.run([o if isinstance(o, Tensor) else o._as_tensor() for o in operands])
    return run_exported(*operands, program=program)


# ---- writing ------------------------------------------------------------------------------------


def export_stages(closed: Closed) -> StagedProgram:
    """Return a closed trace that has strings in it as a program that can be saved.

    Raises:
        InvalidArgumentError: an operation on the host is no operation of lamina's own.
    """
    return _Stages(closed.trace.pruned()).made()


class _Stages:
    """Cuts a trace in stages; each place is an input, or the output of a stage."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.starts = trace._starts()
        self.kinds: dict[int, TensorType] = {~i: kind for i, kind in enumerate(trace.inputs)}
        for k, equation in enumerate(trace.equations):
            for i, kind in enumerate(signatures[equation[0]].outputs):
                self.kinds[self.starts[k] + i] = kind
        self.places = {~i: i for i in range(len(trace.inputs))}
        self.stages: list[Any] = []
        self.programs: list[bytes] = []
        self.group: list[int] = []

    def made(self) -> StagedProgram:
        for k, equation in enumerate(self.trace.equations):
            signature = signatures[equation[0]]
            if signature.origin is None:
                self.group.append(k)
                continue
            if any(slot in self._in_group() for slot in equation[1:]):
                self._close_group()
            self._add_host(k, equation, signature)
        self._close_group()
        notes = {
            "sizes": [len(p) for p in self.programs],
            "stages": self.stages,
            "outputs": [self.places[slot] for slot in self.trace.outputs],
        }
        data = _MARK + json.dumps(notes).encode() + b"\n" + b"".join(self.programs)
        return StagedProgram(data)

    def _slots(self, k: int) -> range:
        return range(self.starts[k], self.starts[k + 1])

    def _in_group(self) -> set[int]:
        return {slot for k in self.group for slot in self._slots(k)}

    def _add_host(self, k: int, equation: Equation, signature: Signature) -> None:
        assert signature.origin is not None
        reference, values, present = signature.origin
        slots = iter(equation[1:])
        places = [self.places[next(slots)] if there else None for there in present]
        note = _described_op(reference(), signature.name)
        note["attributes"] = {name: as_json(value) for name, value in values.items()}
        self.stages.append(note | {"operands": places})
        self._place(self._slots(k))

    def _place(self, slots: Sequence[int]) -> None:
        for slot in slots:
            self.places[slot] = len(self.places)

    def _close_group(self) -> None:
        """Compile the equations that wait, with the values that are used after them as outputs."""
        group, inside = self.group, self._in_group()
        self.group = []
        if not group:
            return
        later = [e[1:] for k, e in enumerate(self.trace.equations) if k not in set(group)]
        wanted = {slot for slots in [*later, self.trace.outputs] for slot in slots}
        outputs = sorted(wanted & inside)
        if not outputs:
            return
        used = [slot for k in group for slot in self.trace.equations[k][1:]]
        inputs = sorted(set(used) - inside)
        moved = {slot: ~i for i, slot in enumerate(inputs)}
        equations: list[Equation] = []
        count = 0
        for k in group:
            equation = self.trace.equations[k]
            equations.append((equation[0], *(moved[slot] for slot in equation[1:])))
            for slot in self._slots(k):
                moved[slot] = count
                count += 1
        wanted_here = tuple(moved[slot] for slot in outputs)
        kinds = tuple(self.kinds[slot] for slot in inputs)
        types = tuple(self.kinds[slot] for slot in outputs)
        trace = Trace(kinds, tuple(equations), wanted_here, types)
        places = [self.places[slot] for slot in inputs]
        self.stages.append({"program": len(self.programs), "operands": places})
        self.programs.append(compiled(trace).data)
        self._place(outputs)


def _described_op(made: Any, name: str) -> dict[str, Any]:
    """Return where an operation is found after loading."""
    if made is not None:
        if getattr(made, "recipe", None) is not None:
            maker, data = made.recipe
            return {"maker": maker, "data": as_json(data())}
        path = f"{made.__module__}:{made.__qualname__}"
        try:
            if _operation(path) is made:
                return {"op": path}
        except ValueError:
            pass
    raise errors.InvalidArgumentError(
        f"the program runs tf.{name} on the host, which is no operation of lamina's own and "
        f"cannot be saved.\n  Fix: use tf.strings and lookup layers or tables."
    )


def as_json(value: Any) -> Any:
    """Return an attribute as JSON.

    Raises:
        InvalidArgumentError: a file cannot hold it.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, DType):
        return {"dtype": value.name}
    if isinstance(value, tuple):
        return {"tuple": [as_json(v) for v in value]}
    if isinstance(value, list):
        return {"list": [as_json(v) for v in value]}
    if isinstance(value, dict) and all(isinstance(k, str) for k in value):
        return {"dict": {k: as_json(v) for k, v in value.items()}}
    if isinstance(value, np.ndarray):
        kind = as_dtype(value.dtype).name
        return {"array": as_json(value.tolist()), "of": kind}
    raise errors.InvalidArgumentError(
        f"an operation on strings has the attribute {value!r} ({type(value).__name__}), which a "
        f"file cannot hold.\n  Fix: give it sizes that are known."
    )


# ---- reading ------------------------------------------------------------------------------------


def _loaded(note: Any, programs: list[ExportedProgram]) -> tuple[Any, list[int | None]]:
    """Return a stage as a function of Tensors, and the places of its operands."""
    places: list[int | None] = note["operands"]
    if "program" in note:
        program = programs[note["program"]]
        return lambda *tensors: run_exported(*tensors, program=program), places
    if "maker" in note:
        made = _restored(note["maker"], of_json(note["data"]))
    else:
        made = _operation(note["op"])
    values = {name: of_json(value) for name, value in note["attributes"].items()}
    return lambda *tensors: made(*tensors, **values), places


def _module(path: str) -> tuple[Any, str]:
    module, _, name = str(path).partition(":")
    if module.split(".")[0] != __name__.split(".")[0]:
        raise ValueError(
            f"a saved program must name operations of lamina; got {path!r}.\n"
            f"  Fix: load files that tf.saved_model.save wrote only."
        )
    return import_module(module), name


def _operation(path: str) -> Any:
    module, name = _module(path)
    found = vars(module).get(name)
    if not isinstance(found, Op):
        raise _missing(path)
    return found


def _restored(path: str, data: dict[str, Any]) -> HostOp:
    _module(path)
    if path not in RESTORERS:
        raise _missing(path)
    return RESTORERS[path](**data)


def _missing(path: str) -> ValueError:
    return ValueError(
        f"a saved program runs {path!r}, which this lamina does not have.\n"
        f"  Fix: load it with the version of lamina that saved it."
    )


def of_json(note: Any) -> Any:
    """Return what `as_json` gave JSON of."""
    if not isinstance(note, dict):
        return note
    ((kind, value), *_) = note.items()
    if kind == "bytes":
        return base64.b64decode(value)
    if kind == "dtype":
        return as_dtype(value)
    if kind == "array":
        return np.asarray(of_json(value), as_dtype(note["of"]).np)
    if kind == "dict":
        return {k: of_json(v) for k, v in value.items()}
    items = [of_json(v) for v in value]
    return tuple(items) if kind == "tuple" else items
