"""NumPy's types and constants, and what dtypes give together."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.engine import DType, Tensor, as_dtype
from lamina.experimental.numpy.modes import modes, result_of
from lamina.experimental.numpy.operands import array_of, common

__all__ = [
    "bool_",
    "complex64",
    "complex128",
    "complex_",
    "e",
    "finfo",
    "float16",
    "float32",
    "float64",
    "float_",
    "iinfo",
    "inexact",
    "inf",
    "int8",
    "int16",
    "int32",
    "int64",
    "int_",
    "iscomplexobj",
    "isrealobj",
    "issubdtype",
    "ndarray",
    "newaxis",
    "object_",
    "pi",
    "promote_types",
    "result_type",
    "string_",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "unicode_",
]

bool_, object_, inexact = np.bool_, np.object_, np.inexact
int8, int16, int32, int64, int_ = np.int8, np.int16, np.int32, np.int64, np.int64
uint8, uint16, uint32, uint64 = np.uint8, np.uint16, np.uint32, np.uint64
float16, float32, float64, float_ = np.float16, np.float32, np.float64, np.float64
complex64, complex128, complex_ = np.complex64, np.complex128, np.complex128
string_, unicode_ = np.bytes_, np.str_
e, inf, pi, newaxis = np.e, np.inf, np.pi, None
ndarray = Tensor


def _numpy(dtype: Any) -> Any:
    return as_dtype(dtype).as_numpy_dtype if isinstance(dtype, DType) else dtype


def finfo(dtype: Any) -> Any:
    """Return the limits of a float dtype, as `np.finfo`.

    Args:
        dtype: A float dtype, of TF or NumPy.

    Example:
        >>> float(tf.experimental.numpy.finfo(tf.float32).eps)
        1.1920928955078125e-07
    """
    return np.finfo(_numpy(dtype))


def iinfo(int_type: Any) -> Any:
    """Return the limits of an integer dtype, as `np.iinfo`.

    Args:
        int_type: An integer dtype, of TF or NumPy.

    Example:
        >>> tf.experimental.numpy.iinfo(tf.int8).max
        127
    """
    return np.iinfo(_numpy(int_type))


def issubdtype(arg1: Any, arg2: Any) -> bool:
    """Return whether a dtype is below another in NumPy's hierarchy.

    Args:
        arg1: A dtype.
        arg2: A dtype, or an abstract one such as `np.integer`.

    Example:
        >>> tf.experimental.numpy.issubdtype(np.float32, tf.experimental.numpy.inexact)
        True
    """
    return np.issubdtype(_numpy(arg1), _numpy(arg2))


def promote_types(type1: Any, type2: Any) -> Any:
    """Return the NumPy dtype that two dtypes give.

    Args:
        type1: A dtype, of TF or NumPy.
        type2: A dtype.

    Example:
        >>> tf.experimental.numpy.promote_types(tf.int32, tf.float32)
        dtype('float64')
    """
    return np.promote_types(as_dtype(type1).np, as_dtype(type2).np)


def result_type(*arrays_and_dtypes: Any) -> Any:
    """Return the dtype that operands give.

    Args:
        *arrays_and_dtypes: Tensors, arrays, dtypes and Python numbers; the numbers adapt.

    Returns:
        A `tf.DType`.

    Example:
        >>> tf.experimental.numpy.result_type(1, 2.0)
        tf.float64
        >>> tf.experimental.numpy.result_type(np.int8, tf.constant(1.0))
        tf.float32
    """
    if not modes.weak:
        return common(*arrays_and_dtypes)
    kinds = [_kind(x) for x in arrays_and_dtypes]
    found = kinds[0]
    for kind in kinds[1:]:
        joined = result_of(found, kind, modes.name == "safe")
        if joined is None:
            raise TypeError(refusal(found, kind))
        found = joined
    return found[0]


def _kind(x: Any) -> Any:
    if isinstance(x, DType | type | np.dtype):
        return as_dtype(x), False
    return array_of(x).dtype, modes.is_weak(x)


def refusal(a: Any, b: Any) -> str:
    """Return the message for a promotion that the mode "safe" refuses."""
    return (
        f"In promotion mode PromoMode.SAFE, implicit dtype promotion between "
        f"({a[0]!s}, weak={a[1]}) and ({b[0]!s}, weak={b[1]}) is disallowed. You need to "
        f"explicitly specify the dtype in your op, or relax your dtype promotion rules (such as "
        f"from SAFE mode to ALL mode).\n"
        f"  Fix: tf.cast one operand, or experimental_enable_numpy_behavior("
        f'dtype_conversion_mode="all").'
    )


def iscomplexobj(x: Any) -> bool:
    """Return whether the dtype of a value is complex.

    Example:
        >>> tf.experimental.numpy.iscomplexobj([1j])
        True
    """
    return array_of(x).dtype.is_complex


def isrealobj(x: Any) -> bool:
    """Return whether the dtype of a value is not complex.

    Example:
        >>> tf.experimental.numpy.isrealobj([1])
        True
    """
    return not iscomplexobj(x)
