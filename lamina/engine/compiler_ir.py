# What JAX gives is partly unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
"""What XLA is given for a traced function, and what it makes of it, to be read."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax

from lamina.engine.concrete import ConcreteFunction

__all__ = ["Readable", "compiler_ir"]


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


class Readable:
    """The part of `tf.function` that tells what was traced and compiled."""

    _traced: int
    _concrete: dict[Any, ConcreteFunction]

    if TYPE_CHECKING:

        def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
            """Return the program for these arguments."""
            ...

    def experimental_get_compiler_ir(self, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        """Return a function of `stage` that gives the program for these arguments, to be read.

        Args:
            *args: As for `get_concrete_function`. `stage` is "hlo" (the default), "stablehlo",
                "optimized_hlo" for what XLA made of it, or one of these with "_serialized".
            **kwargs: Likewise.

        Returns:
            A function of `stage`. Its other arguments, `device_name` and `platform_name`, are
            accepted, unused: the program is that of JAX's default device.

        Raises:
            ValueError: a size of an argument is unknown; from the function returned, as for a
                `stage` that there is not.

        Example:
            >>> @tf.function
            ... def double(x):
            ...     return x * 2.0
            >>> "multiply" in double.experimental_get_compiler_ir(tf.ones(3))(stage="hlo")
            True
        """
        concrete = self.get_concrete_function(*args, **kwargs)

        def get(stage: str = "hlo", device_name: Any = None, platform_name: Any = None) -> Any:
            return compiler_ir(concrete, stage)

        return get

    def experimental_get_tracing_count(self) -> int:
        """Return how many times the Python function was traced."""
        return self._traced

    def pretty_printed_concrete_signatures(self, verbose: bool = True) -> str:
        """Return the signatures traced so far.

        Args:
            verbose: Accepted, unused.
        """
        return "\n\n".join(c.pretty_printed_signature() for c in self._concrete.values())
