"""Operands of the NumPy functions: conversion to Tensors, and the dtypes they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import DType, Tensor, Variable, as_dtype, convert_to_tensor, dtypes
from lamina.engine.convert import holds_tensor
from lamina.experimental.numpy.modes import modes

__all__ = ["array_of", "as_float", "as_total", "common", "default_float", "default_int", "shared"]

_SCALARS = (bool, int, float, complex)


def default_int() -> DType:
    """Return the dtype of Python ints: int64; int32 in the modes "all" and "safe"."""
    return dtypes.int32 if modes.weak else dtypes.int64


def default_float() -> DType:
    """Return the dtype that integers become as floats: float64; float32 in "all" and "safe"."""
    return dtypes.float32 if modes.weak else dtypes.float64


def _python_dtype(found: np.dtype[Any]) -> DType:
    """Return the dtype for Python values that NumPy takes as `found`."""
    if found.kind == "i":
        return default_int()
    if found.kind == "f":
        return dtypes.float32 if modes.prefer_float32 else default_float()
    if found.kind == "c" and modes.prefer_float32:
        return dtypes.complex64
    return as_dtype(found)


def array_of(x: Any, dtype: Any = None) -> Tensor:
    """Return a value as a Tensor, by NumPy's rules: ints are int64, floats float64.

    Args:
        x: A Tensor, array, number, string, or nested lists of these.
        dtype: The dtype to cast to, or None.
    """
    found = _converted(x)
    wanted = None if dtype is None else dtype_of(dtype)
    return found if wanted is None or found.dtype is wanted else ops.cast(found, wanted)


def dtype_of(dtype: Any) -> DType:
    """Return a dtype as NumPy reads it: Python's float is float64 (float32 in weak modes)."""
    if dtype is float:
        return default_float()
    if dtype is int:
        return default_int()
    if isinstance(dtype, str) and dtype.lstrip("<>=|")[:1] in ("S", "U"):
        return as_dtype(np.dtype(dtype))  # strings of a length: lengths are free here
    return as_dtype(dtype)


def _converted(x: Any) -> Tensor:
    if isinstance(x, Tensor):
        return x
    if isinstance(x, Variable | np.ndarray | np.generic):
        return convert_to_tensor(x)
    if isinstance(x, list | tuple) and holds_tensor(x):
        return ops.stack(shared(*x))
    if isinstance(x, (*_SCALARS, list, tuple, range)):
        value = np.asarray(x)
        if value.dtype.kind in "bifc":
            dtype = _python_dtype(value.dtype)
            made = convert_to_tensor(value.astype(dtype.np))
            if modes.weak and value.dtype.kind != "b":
                modes.mark(made)
            return made
    return convert_to_tensor(x)


def common(*xs: Any) -> DType:
    """Return the dtype that values of several dtypes give, by NumPy's rules.

    Args:
        *xs: Tensors, arrays, dtypes, Python numbers (which adapt to the others) and lists.
    """
    kinds = [_kind(x) for x in xs]
    if all(isinstance(k, _SCALARS) for k in kinds):
        return _python_dtype(np.result_type(*kinds))
    if any(k == np.dtype(object) for k in kinds if isinstance(k, np.dtype)):
        return dtypes.string
    return as_dtype(np.result_type(*kinds))


def _kind(x: Any) -> Any:
    """Return what `np.result_type` should see of a value."""
    if isinstance(x, _SCALARS):
        return x
    if isinstance(x, DType):
        return x.np
    if isinstance(x, type | str | np.dtype):
        return dtype_of(x).np
    return array_of(x).dtype.np


def shared(*xs: Any) -> list[Tensor]:
    """Return values as Tensors of one dtype, `common`."""
    xs = tuple(x if isinstance(x, (*_SCALARS, Tensor)) else array_of(x) for x in xs)
    dtype = common(*xs)
    return [_as(x, dtype) for x in xs]


def _as(x: Any, dtype: DType) -> Tensor:
    if isinstance(x, Tensor):
        return x if x.dtype is dtype else ops.cast(x, dtype)
    return convert_to_tensor(np.asarray(x).astype(dtype.np))


def as_float(x: Any) -> Tensor:
    """Return a value as a Tensor of a float or complex dtype."""
    x = array_of(x)
    if x.dtype.is_floating or x.dtype.is_complex:
        return x
    made = ops.cast(x, default_float())
    return modes.mark(made) if modes.is_weak(x) else made


def as_total(x: Tensor) -> Tensor:
    """Return a Tensor in the dtype of sums: ints and bools in at least the default int's width."""
    least = default_int()
    if x.dtype.is_bool or (x.dtype.is_integer and x.dtype.size < least.size):
        unsigned = x.dtype.is_unsigned and not x.dtype.is_bool
        return ops.cast(x, f"u{least.name}" if unsigned else least)
    return x


def floats(*xs: Any) -> list[Tensor]:
    """Return values as Tensors of one float or complex dtype."""
    found = shared(*xs)
    if found[0].dtype.is_floating or found[0].dtype.is_complex:
        return found
    return [ops.cast(x, default_float()) for x in found]


# ---- functions from a table ----------------------------------------------------------------------

_DOC = """{summary}

Args:
{arguments}

Returns:
    A Tensor; {result}

Example:
    >>> tf.experimental.numpy.{name}({given}).numpy()
    {shown}
"""


def of_one(
    name: str, kernel: Callable[..., Any], convert: Any, summary: str, given: str, shown: str
) -> Callable[[Any], Any]:
    """Return a public function of one array: `kernel(convert(x))`."""

    def function(x: Any) -> Any:
        return kernel(convert(x))

    result = (
        "floats keep their dtype, others give float64." if convert is as_float else "see NumPy."
    )
    text = {"arguments": "    x: Numbers, any shape.", "result": result}
    return _named(function, name, summary=summary, given=given, shown=shown, **text)


def of_two(
    name: str, kernel: Callable[..., Any], convert: Any, summary: str, given: str, shown: str
) -> Callable[[Any, Any], Any]:
    """Return a public function of two arrays that broadcast: `kernel(*convert(x1, x2))`."""

    def function(x1: Any, x2: Any) -> Any:
        return kernel(*convert(x1, x2))

    text = {
        "arguments": "    x1: Numbers.\n    x2: Numbers; the shapes broadcast.",
        "result": "operands are promoted to one dtype by NumPy's rules.",
    }
    return _named(function, name, summary=summary, given=given, shown=shown, **text)


def _named(function: Any, name: str, **text: str) -> Any:
    function.__name__ = function.__qualname__ = name
    function.__module__ = "lamina.experimental.numpy"
    text["shown"] = text["shown"].replace("\n", "\n    ")
    function.__doc__ = _DOC.format(name=name, **text)
    return function


def axes_of(axis: Any) -> Any:
    """Return an axis argument as None, an int or a tuple of ints."""
    if axis is None or isinstance(axis, int):
        return axis
    value = np.asarray(axis)
    return int(value) if value.ndim == 0 else tuple(int(a) for a in value)


def sequence(arrays: Any) -> Sequence[Tensor]:
    """Return arrays of one dtype: a list of values, or the rows of an array."""
    if not isinstance(arrays, list | tuple):
        arrays = ops.unstack(array_of(arrays))
    return shared(*arrays)
