# What JAX gives is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false
"""What XLA is told when it compiles a program."""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import jax

__all__ = ["jitted"]

# The pass that would undo what `outlined` does.
_CALLS = {"xla_disable_hlo_passes": "call-inliner"}

# On CPU, LLVM's level 3 takes up to half as long again as level 2 (a step of a GAN: 14 s of
# processor time against 9), and the programs take as long to run (training steps of five models:
# 0.96 to 1.01 of the time).
_LEVEL = "xla_backend_optimization_level"


def jitted(
    function: Callable[..., Any], donate: int | None = None, calls: bool = False
) -> Callable[..., Any]:
    """Return the function, to be compiled by XLA at its first call.

    Args:
        function: A function of arrays.
        donate: Which argument's buffers the program may overwrite.
        calls: Whether it calls jitted functions that shall stay calls.
    """
    options: dict[str, Any] = dict(_CALLS) if calls else {}
    if jax.default_backend() == "cpu" and _LEVEL not in os.environ.get("XLA_FLAGS", ""):
        options[_LEVEL] = 2
    jit: Any = partial(jax.jit, donate_argnums=donate)
    if not options:
        return jit(function)
    program = jit(function, compiler_options=options)

    def run(*args: Any) -> Any:
        try:
            return program(*args)
        except ValueError as error:
            if "compiler_options" not in str(error):
                raise
        # JAX is tracing: this becomes a part of another program, which has options of its own.
        return jit(function)(*args)

    return run
