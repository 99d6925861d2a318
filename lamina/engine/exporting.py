# pyright: reportPrivateUsage=false
# What JAX gives is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownLambdaType=false
# pyright: reportUnknownParameterType=false
"""Closed traces as files: StableHLO that JAX alone can run, and back."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax import export

from lamina.engine import errors
from lamina.engine.assertions import without_assertions
from lamina.engine.closure import Closed
from lamina.engine.dispatch import op
from lamina.engine.tensor import Tensor, ready
from lamina.engine.trace import Trace

__all__ = [
    "ExportedProgram",
    "compiled",
    "export_program",
    "export_trace",
    "load_trace",
    "run_exported",
]

_PLATFORMS = ("cpu", "cuda", "rocm", "tpu")


def export_trace(closed: Closed) -> tuple[bytes, list[Any]]:
    """Return a closed trace as a serialised `jax.export.Exported`, with the values it needs.

    The program takes (list of inputs, list of values) and gives a list of outputs; unknown sizes
    stay open. Assignments and assertions in it are left out.

    Raises:
        InvalidArgumentError: the program calls Python, which no file can hold.
    """
    trace = closed.trace
    if trace.calls_host:
        raise errors.InvalidArgumentError(
            "export: the program calls Python functions (hooks on values, tf.py_function), which "
            "a file cannot hold.\n  Fix: remove them before exporting."
        )

    def run(inputs: list[Any], values: list[Any]) -> list[Any]:
        return trace.run(*inputs, *values)[: closed.outputs]

    values = [np.asarray(t) for t in closed.operands(_Outside)]
    structs = [kind.struct() for kind in trace.inputs]
    with jax.enable_x64(True), without_assertions():
        made = export.export(jax.jit(run), platforms=_PLATFORMS)(
            structs[: closed.arguments], structs[closed.arguments :]
        )
    return bytes(made.serialize()), values


class _Outside:
    """The recorder that `Closed.operands` reads variables for: eager code."""

    eager = True


def load_trace(program: bytes, values: Sequence[Any]) -> Callable[[Sequence[Tensor]], list[Tensor]]:
    """Return a function of Tensors that runs a program of `export_trace`."""
    loaded = export.deserialize(bytearray(program))
    kept = [np.asarray(v) for v in values]

    def run(tensors: Sequence[Tensor]) -> list[Tensor]:
        with jax.enable_x64(True):
            return [ready(v) for v in loaded.call([t._jax() for t in tensors], kept)]

    return run


class ExportedProgram:
    """A closed trace as StableHLO: inputs, then values from outside → all outputs.

    Args:
        data: The bytes that `export_program` gave.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._loaded: export.Exported | None = None

    def call(self, operands: Sequence[Any]) -> list[Any]:
        """Run on arrays, or inside of a trace of JAX."""
        loaded = self._loaded
        if loaded is None:
            loaded = self._loaded = export.deserialize(bytearray(self.data))
        return list(loaded.call(list(operands)))


def export_program(closed: Closed) -> ExportedProgram:
    """Return a closed trace as a program that can be saved, assignments among its outputs.

    It can be differentiated once where JAX can differentiate it. Assertions are left out.

    Raises:
        InvalidArgumentError: the program calls Python, which no file can hold.
    """
    trace = closed.trace
    if trace.calls_host:
        raise errors.InvalidArgumentError(
            "the program calls Python functions (hooks on values, tf.py_function), which a file "
            "cannot hold.\n  Fix: remove them before saving."
        )
    return compiled(trace)


def compiled(trace: Trace) -> ExportedProgram:
    """Return a trace as StableHLO, with its gradient where JAX has one."""
    with jax.enable_x64(True), without_assertions():
        made = _exported(lambda values: trace.run(*values), [k.struct() for k in trace.inputs])
        try:
            data = made.serialize(vjp_order=1)
        except Exception:  # what has no gradient: loops of unknown length
            data = made.serialize()
    return ExportedProgram(bytes(data))


# What JAX says when a reshape needs to know that sizes divide.
_REMAINDER = re.compile(r"remainder (mod\(.*\)) should be 0")


def _exported(run: Callable[..., Any], structs: list[jax.ShapeDtypeStruct]) -> export.Exported:
    """Export a function, supposing that sizes divide where it cannot run unless they do."""
    supposed: list[str] = []
    while True:
        try:
            return export.export(jax.jit(run), platforms=_PLATFORMS)(structs)
        except Exception as error:
            found = _REMAINDER.search(str(error))
            if found is None or f"{found[1]} == 0" in supposed:
                raise
            supposed += [f"{found[1]} == 0", f"{found[1].replace('- ', '')} == 0"]
        scope = export.SymbolicScope(list(dict.fromkeys(supposed)))
        structs = [
            jax.ShapeDtypeStruct(
                export.symbolic_shape(",".join(map(str, s.shape)), scope=scope), s.dtype
            )
            for s in structs
        ]


@op(mixed=True)
def run_exported(*operands: Any, program: ExportedProgram) -> list[Any]:
    """Run a program of `export_program` on the values of its inputs."""
    return list(program.call(operands))
