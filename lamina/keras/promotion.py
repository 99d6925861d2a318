"""Which dtype operands of several dtypes give, by Keras' rules."""

import functools
from typing import Any

import numpy as np

from lamina.engine import as_dtype
from lamina.keras.policy import floatx, standardize_dtype

__all__ = ["is_float_dtype", "is_int_dtype", "result_type"]

_WEAK = {int: "int", float: "float"}  # Python's numbers take the width of what they meet
_FLOATS = ("float16", "bfloat16", "float32", "float64")
# Keras keeps float64 and int64 as they are, but not these.
_NARROWED = {"uint64": "uint32", "complex128": "complex64"}


def result_type(*dtypes: Any) -> str:
    """Return the dtype of an operation on values of the given dtypes.

    Integers widen until both fit, an integer and a float give that float, float16 and bfloat16
    give float32; uint64 and complex128 become uint32 and complex64. The Python types `int` and
    `float` are weak: they take the width of the others.

    Args:
        *dtypes: Dtypes in any spelling; None is `floatx()`.

    Returns:
        The name of a dtype; `floatx()` without arguments.

    Raises:
        ValueError: one is no dtype, or has no place among numbers.

    Example:
        >>> tf.keras.backend.result_type("int32", "float16")
        'float16'
        >>> tf.keras.backend.result_type("uint8", "int8"), tf.keras.backend.result_type(int)
        ('int16', 'int32')
    """
    if not dtypes:
        return floatx()
    names = [
        _WEAK[d] if isinstance(d, type) and d in _WEAK else standardize_dtype(d) for d in dtypes
    ]
    found = _joined(frozenset(names), floatx())
    return _NARROWED.get(found, found)


@functools.cache
def _joined(names: frozenset[str], default: str) -> str:
    weak, strong = names & {"int", "float"}, sorted(names - {"int", "float"})
    for name in strong:
        if np.dtype(as_dtype(name).as_numpy_dtype).kind in "OSU":
            raise ValueError(
                f"result_type: dtypes of numbers were expected; got {name!r}.\n"
                f"  Fix: tf.cast or tf.strings.to_number first."
            )
    complexes = [n for n in strong if n.startswith("complex")]
    floats = [n for n in strong if n in _FLOATS]
    integers = [n for n in strong if "int" in n]
    width = default.removeprefix("b").removeprefix("float")
    if complexes:
        wide = "complex128" in complexes or "float64" in floats
        return "complex128" if wide else "complex64"
    if floats:
        return _widest_float(floats)
    if "float" in weak:
        return default if default != "bfloat16" else "float16"
    if integers:
        return _widest_integer(integers) or f"float{width}"
    return f"int{width}" if weak else "bool"


def _widest_float(names: list[str]) -> str:
    if {"float16", "bfloat16"} <= set(names) and len(names) == 2:
        return "float32"
    return max(names, key=lambda n: as_dtype(n).size)


def _widest_integer(names: list[str]) -> str | None:
    """Return the integer dtype that holds all; None where there is none: uint64 and a signed."""
    bits = {s: max((as_dtype(n).size for n in names if n.startswith(s)), default=0) for s in "iu"}
    if not bits["u"] or bits["i"] > bits["u"]:
        return f"int{8 * bits['i']}"
    if not bits["i"]:
        return f"uint{8 * bits['u']}"
    return f"int{16 * bits['u']}" if bits["u"] < 8 else None


def is_float_dtype(dtype: Any) -> bool:
    """Return whether a dtype is a floating point one.

    Example:
        >>> tf.keras.backend.is_float_dtype("bfloat16"), tf.keras.backend.is_float_dtype("int8")
        (True, False)
    """
    return "float" in standardize_dtype(dtype)


def is_int_dtype(dtype: Any) -> bool:
    """Return whether a dtype is an integer one, signed or not.

    Example:
        >>> tf.keras.backend.is_int_dtype("uint8"), tf.keras.backend.is_int_dtype("bool")
        (True, False)
    """
    return "int" in standardize_dtype(dtype)
