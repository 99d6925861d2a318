# What JAX and NumPy give, and what `isinstance` finds in an Any, is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportPrivateUsage=false
"""What a program costs: FLOPs counted without running it, time and memory measured alone."""

from __future__ import annotations

import math
import time
from typing import Any, NamedTuple

import jax
import numpy as np

from lamina.engine import errors
from lamina.engine.closure import Closed
from lamina.engine.signature import (
    Signature,
    TensorType,
    _value,
    _variables,
    signatures,
)
from lamina.engine.tensor import Tensor

__all__ = ["Measured", "flops", "measure", "size_of"]

# Elementwise primitives that compute: one FLOP an element. Comparisons, selections, casts and
# moves of data count nothing.
_ARITHMETIC = (
    "add sub mul div rem neg abs sign floor ceil round max min pow integer_pow sqrt rsqrt cbrt "
    "exp exp2 expm1 log log1p sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh "
    "logistic erf erfc erf_inv lgamma digamma square clamp nextafter add_any"
)
_REDUCING = (
    "reduce_sum reduce_max reduce_min reduce_prod argmax argmin cumsum cumprod cummax cummin "
    "cumlogsumexp reduce_window_sum reduce_window_max reduce_window_min"
)
_ELEMENTWISE, _REDUCTIONS = frozenset(_ARITHMETIC.split()), frozenset(_REDUCING.split())
# Where a symbolic size defeats JAX: one at which reshapes and strides divide.
_SIZE = 5040

_known: dict[int, float] = {}


def flops(signature: int) -> float:
    """Return the floating-point operations of one equation; nothing is compiled or run.

    A multiply-add counts 2: a matrix product of (M, K) and (K, N) is 2·M·K·N. An element of an
    arithmetic or transcendental function counts 1, a reduction 1 for each element that goes in.
    A scan counts its step times its length, a branch the larger one, a loop of unknown length
    one step. An unknown size counts as 1, so an open batch gives the FLOPs of one example.
    What runs on the host, as strings do, counts 0; NaN says that JAX cannot tell.

    Args:
        signature: The number of the signature.
    """
    found = _known.get(signature)
    if found is None:
        found = _known[signature] = _flops(signatures[signature])
    return found


def size_of(kind: TensorType) -> int:
    """Return the bytes of a Tensor of a type; an unknown size counts as 1."""
    return math.prod(_at_one(d) for d in kind.dims) * max(1, kind.dtype.size)


def _at_one(dim: Any) -> int:
    if isinstance(dim, int):
        return dim
    return max(0, _value(dim, dict.fromkeys(_variables(dim), 1)))


def _flops(signature: Signature) -> float:
    names = {n for t in signature.inputs for d in t.dims for n in _variables(d)}
    try:
        return _of_program(_jaxpr(signature, [t.dims for t in signature.inputs]))
    except errors.UnimplementedError:  # NumPy on the host, as for strings
        return 0.0
    except Exception:
        if not names:
            raise
    # JAX cannot decide something about a symbol: with numbers it can.
    sizes = dict.fromkeys(names, _SIZE)
    dims = [
        tuple(d if isinstance(d, int) else _value(d, sizes) for d in t.dims)
        for t in signature.inputs
    ]
    try:
        return _of_program(_jaxpr(signature, dims)) / _SIZE ** len(names)
    except (TypeError, ValueError):  # two sizes that cannot be the same number
        return math.nan


def _jaxpr(signature: Signature, dims: list[tuple[Any, ...]]) -> Any:
    structs = [
        jax.ShapeDtypeStruct(d, t.dtype.np) for d, t in zip(dims, signature.inputs, strict=True)
    ]
    with jax.enable_x64(True):
        return jax.make_jaxpr(signature.fn)(*structs).jaxpr


def _of_program(program: Any) -> float:
    return sum((_of_primitive(e) for e in program.eqns), 0.0)


def _of_primitive(equation: Any) -> float:
    name = equation.primitive.name
    if name == "dot_general":
        return _of_product(equation)
    if name == "conv_general_dilated":
        return _of_convolution(equation)
    inner = [p for value in equation.params.values() for p in _programs(value)]
    if name == "cond":
        return max(map(_of_program, inner))
    if name.startswith("custom_") or name in ("pjit", "jit", "remat", "checkpoint"):
        return _of_program(inner[0]) if inner else 0.0
    if inner and not name.startswith(("reduce", "scatter", "sort", "select_and")):
        return sum(map(_of_program, inner)) * float(equation.params.get("length", 1))
    out = equation.outvars[0].aval
    if not jax.numpy.issubdtype(out.dtype, jax.numpy.inexact):
        return 0.0
    if name in _ELEMENTWISE:
        return _elements(out)
    if name.startswith("reduce_window"):
        return _elements(out) * math.prod(equation.params["window_dimensions"])
    return _elements(equation.invars[0].aval) if name in _REDUCTIONS else 0.0


def _programs(value: Any) -> list[Any]:
    """Return the programs in a parameter of a primitive: loop bodies, branches, calls."""
    if isinstance(value, tuple | list):
        return [p for v in value for p in _programs(v)]
    if hasattr(value, "eqns"):
        return [value]
    inner = getattr(value, "jaxpr", None)
    return [inner] if hasattr(inner, "eqns") else []


def _elements(aval: Any) -> float:
    return float(math.prod(_at_one(d) for d in aval.shape))


def _of_product(equation: Any) -> float:
    (contracted, _), _ = equation.params["dimension_numbers"]
    left = equation.invars[0].aval
    inner = math.prod(_at_one(left.shape[i]) for i in contracted)
    return 2.0 * _elements(equation.outvars[0].aval) * inner


def _of_convolution(equation: Any) -> float:
    kernel = equation.invars[1].aval
    outputs = kernel.shape[equation.params["dimension_numbers"].rhs_spec[0]]
    taps = _elements(kernel) / max(1, _at_one(outputs))
    # A transposed convolution runs over an input with holes: multiplying by 0 does not count.
    holes = math.prod(equation.params["lhs_dilation"])
    return 2.0 * _elements(equation.outvars[0].aval) * taps / holes


# ---- measuring ----------------------------------------------------------------------------------


class Measured(NamedTuple):
    """What one program took on this machine.

    Attributes:
        seconds: The median time of a run.
        bytes: The memory that a run needs beyond its inputs: outputs and intermediate results,
            None where the backend does not say.
    """

    seconds: float
    bytes: int | None


def measure(closed: Closed, budget: float = 0.1, runs: int = 50) -> Measured:
    """Compile a closed trace by itself and time it on random inputs.

    Args:
        closed: The trace; the variables that it reads have their values of now, and keep them.
        budget: Seconds after which no further run starts; five runs are made in any case.
        runs: The most runs.
    """
    generator = np.random.default_rng(0)
    kinds = closed.trace.inputs[: closed.arguments]
    outer = [o._jax() if isinstance(o, Tensor) else o._read()._jax() for o in closed.outer]
    with jax.enable_x64(True):
        inputs = [jax.device_put(_random(kind, generator)) for kind in kinds] + outer
        program = jax.jit(closed.trace.run).lower(*inputs).compile()
        jax.block_until_ready(program(*inputs))
        times: list[float] = []
        begin = time.perf_counter()
        while len(times) < 5 or (time.perf_counter() - begin < budget and len(times) < runs):
            start = time.perf_counter()
            jax.block_until_ready(program(*inputs))
            times.append(time.perf_counter() - start)
    return Measured(float(np.median(times)), _memory(program))


def _random(kind: TensorType, generator: np.random.Generator) -> Any:
    """Return random values of a type: normal floats; zeros for whole numbers, which may index."""
    if kind.dtype.is_floating or kind.dtype.is_complex:
        return generator.standard_normal(kind.dims, np.float32).astype(kind.dtype.np)
    return (np.ones if kind.dtype.is_bool else np.zeros)(kind.dims, kind.dtype.np)


def _memory(program: Any) -> int | None:
    try:
        found = program.memory_analysis()
        return int(found.temp_size_in_bytes + found.output_size_in_bytes)
    except (AttributeError, NotImplementedError, RuntimeError, TypeError):
        return None
