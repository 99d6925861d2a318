# What JAX gives is partly unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
"""What XLA is given for a traced function, and what it makes of it, to be read."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import jax

from lamina.engine.concrete import ConcreteFunction

__all__ = ["compiler_ir"]


def _bytecode(module: Any) -> bytes:
    buffer = io.BytesIO()
    module.operation.write_bytecode(file=buffer)
    return buffer.getvalue()


def _optimized(lowered: Any) -> bytes:
    module = lowered.compile().runtime_executable().hlo_modules()[0]
    return module.as_serialized_hlo_module_proto()


_STAGES: dict[str, Callable[[Any], str | bytes]] = {
    "stablehlo": lambda lowered: lowered.as_text(dialect="stablehlo"),
    "stablehlo_serialized": lambda lowered: _bytecode(lowered.compiler_ir(dialect="stablehlo")),
    "hlo": lambda lowered: lowered.as_text(dialect="hlo"),
    "hlo_serialized": lambda lowered: lowered.compiler_ir(
        dialect="hlo"
    ).as_serialized_hlo_module_proto(),
    "optimized_hlo": lambda lowered: lowered.compile().as_text(),
    "optimized_hlo_serialized": _optimized,
    "optimized_hlo_proto_serialized": _optimized,
}


def compiler_ir(concrete: ConcreteFunction, stage: str) -> str | bytes:
    """Return the program of a traced function at one stage of compiling.

    Args:
        concrete: The function; all sizes of its arguments are known.
        stage: One of TensorFlow's names, "hlo" or "optimized_hlo" for instance.

    Raises:
        ValueError: no such stage, or a size is unknown.
    """
    who = f'tf.function "{concrete.name}": experimental_get_compiler_ir'
    if stage not in _STAGES:
        raise ValueError(
            f"{who}: `stage` must be one of {', '.join(_STAGES)}; got {stage!r}.\n"
            '  Fix: stage="hlo", or "optimized_hlo" for what XLA made of it.'
        )
    trace = concrete.trace
    kinds = list(trace.inputs)
    if not all(isinstance(size, int) for kind in kinds for size in kind.dims):
        raise ValueError(
            f"{who}: all sizes must be known; got inputs {', '.join(map(str, kinds))}.\n"
            "  Fix: pass Tensors, or TensorSpecs without None."
        )
    with jax.enable_x64(True):
        inputs = [jax.ShapeDtypeStruct(kind.dims, kind.dtype.np) for kind in kinds]
        return _STAGES[stage](jax.jit(trace.run).lower(*inputs))
