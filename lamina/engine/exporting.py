# pyright: reportPrivateUsage=false
# What JAX gives is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false
"""Closed traces as files: StableHLO that JAX alone can run, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax import export

from lamina.engine import errors
from lamina.engine.closure import Closed
from lamina.engine.tensor import Tensor, ready

__all__ = ["export_trace", "load_trace"]

_PLATFORMS = ("cpu", "cuda", "rocm", "tpu")


def export_trace(closed: Closed) -> tuple[bytes, list[Any]]:
    """Return a closed trace as a serialised `jax.export.Exported`, with the values it needs.

    The program takes (list of inputs, list of values) and gives a list of outputs; unknown sizes
    stay open. Assignments in it are left out.

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
    with jax.enable_x64(True):
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
