"""NumPy's functions of each element that take arguments of their own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import Tensor, dtypes
from lamina.experimental.numpy.operands import array_of, as_float, shared
from lamina.ops.numpy import elementwise as kernels

__all__ = [
    "allclose",
    "angle",
    "around",
    "array_equal",
    "clip",
    "divmod",
    "isclose",
    "isscalar",
    "polyval",
    "round",
    "sign",
]


def angle(z: Any, deg: bool = False) -> Tensor:
    """Return the angle of complex numbers.

    Args:
        z: Numbers.
        deg: Whether in degrees rather than radians.

    Example:
        >>> tf.experimental.numpy.angle(1j, deg=True).numpy()
        np.float64(90.0)
    """
    found = ops.angle(as_float(z))
    return found * (180 / math.pi) if deg else found


def around(a: Any, decimals: int = 0) -> Tensor:
    """Round to a number of decimals, halves to even.

    Args:
        a: Numbers.
        decimals: The number of decimals; negative ones round tens.

    Returns:
        A Tensor of the dtype of `a`.

    Example:
        >>> tf.experimental.numpy.around([1.25, 2.567], 2).numpy()
        array([1.25, 2.57])
    """
    a = array_of(a)
    if a.dtype.is_integer and decimals < 0:
        unit = ops.cast(10**-decimals, a.dtype)
        half = ops.cast(
            kernels.decimal_rounded(ops.cast(a, dtypes.float64), decimals=decimals), a.dtype
        )
        return ops.floordiv(half, unit) * unit
    if a.dtype.is_complex:
        parts = [around(part(a), decimals) for part in (ops.real, ops.imag)]
        return ops.complex(*parts)
    return kernels.decimal_rounded(a, decimals=decimals)


def round(a: Any, decimals: int = 0) -> Tensor:
    """Round to a number of decimals, halves to even; the same as `around`.

    Args:
        a: Numbers.
        decimals: The number of decimals.

    Example:
        >>> tf.experimental.numpy.round([0.5, 1.5]).numpy()
        array([0., 2.])
    """
    return around(a, decimals)


def clip(a: Any, a_min: Any, a_max: Any) -> Tensor:
    """Return numbers cut to an interval.

    Args:
        a: Numbers.
        a_min: The least value, or None for no limit.
        a_max: The largest, or None.

    Raises:
        ValueError: both limits are None.

    Example:
        >>> tf.experimental.numpy.clip([1, 5], 2, 3).numpy()
        array([2, 3])
    """
    if a_min is None and a_max is None:
        raise ValueError(
            "Not more than one of `a_min` and `a_max` may be `None`.\n  Fix: give one of them."
        )
    if a_min is None:
        return ops.minimum(*shared(a, a_max))
    if a_max is None:
        return ops.maximum(*shared(a, a_min))
    x, low, high = shared(a, a_min, a_max)
    return ops.minimum(ops.maximum(x, low), high)


def divmod(x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
    """Return ``x1 / x2`` rounded down, and the remainder.

    Args:
        x1: Numbers.
        x2: Numbers; the shapes broadcast.

    Example:
        >>> quotient, rest = tf.experimental.numpy.divmod(7, 2)
        >>> int(quotient), int(rest)
        (3, 1)
    """
    x, y = shared(x1, x2)
    return ops.floordiv(x, y), ops.floormod(x, y)


def sign(x: Any, out: Any = None, where: Any = None, **kwargs: Any) -> Tensor:
    """Return -1, 0 or 1 with the sign of numbers; of complex ones, that of the real part.

    Args:
        x: Numbers.
        out: Must be None.
        where: Must be None.
        **kwargs: Not supported.

    Raises:
        ValueError: `out`, `where` or a keyword is given.

    Example:
        >>> tf.experimental.numpy.sign([-2.0, 0.0]).numpy()
        array([-1.,  0.])
    """
    if out is not None or where is not None or kwargs:
        raise ValueError(
            "tf.experimental.numpy.sign: `out`, `where` and keyword arguments are not supported.\n"
            "  Fix: leave them out."
        )
    x = array_of(x)
    if x.dtype.is_complex:
        real = ops.sign(ops.real(x))
        found = ops.where(ops.equal(real, ops.zeros_like(real)), ops.sign(ops.imag(x)), real)
        return ops.cast(found, x.dtype)
    return ops.sign(x)


def isclose(
    a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor:
    """Return where ``|a - b| ≤ atol + rtol * |b|``.

    Args:
        a: Numbers.
        b: Numbers; the shapes broadcast.
        rtol: The relative tolerance.
        atol: The absolute tolerance.
        equal_nan: Whether NaN equals NaN.

    Example:
        >>> tf.experimental.numpy.isclose([1.0, 2.0], [1.0, 2.1]).numpy()
        array([ True, False])
    """
    x, y = shared(a, b)
    if not (x.dtype.is_floating or x.dtype.is_complex):
        return ops.equal(x, y)
    return kernels.isclose(x, y, rtol=rtol, atol=atol, equal_nan=equal_nan)


def allclose(
    a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor:
    """Return whether all elements are close, see `isclose`.

    Args:
        a: Numbers.
        b: Numbers; the shapes broadcast.
        rtol: The relative tolerance.
        atol: The absolute tolerance.
        equal_nan: Whether NaN equals NaN.

    Returns:
        A bool scalar.

    Example:
        >>> bool(tf.experimental.numpy.allclose([1.0], [1.0 + 1e-9]))
        True
    """
    return ops.reduce_all(isclose(a, b, rtol, atol, equal_nan))


def array_equal(a1: Any, a2: Any) -> Tensor:
    """Return whether two arrays have the same shape and elements, a bool scalar.

    Args:
        a1: Numbers.
        a2: Numbers.

    Example:
        >>> bool(tf.experimental.numpy.array_equal([1, 2], [1, 2]))
        True
    """
    x, y = shared(a1, a2)
    if x.shape.rank != y.shape.rank or not x.shape.is_compatible_with(y.shape):
        return ops.constant(False)
    return ops.reduce_all(ops.equal(x, y))


def polyval(p: Any, x: Any) -> Tensor:
    """Return the value of a polynomial.

    Args:
        p: Coefficients `(N,)`, that of the highest power first.
        x: Where to evaluate it, any shape.

    Example:
        >>> tf.experimental.numpy.polyval([1, 2], [3, 4]).numpy()
        array([5, 6])
    """
    p, x = shared(p, x)
    found = ops.zeros_like(x)
    for coefficient in ops.unstack(p):
        found = found * x + coefficient
    return found


def isscalar(num: Any) -> bool:
    """Return whether a value is a number or a Tensor without axes.

    Example:
        >>> tf.experimental.numpy.isscalar(1), tf.experimental.numpy.isscalar([1])
        (True, False)
    """
    if isinstance(num, Tensor):
        return num.ndim == 0
    return bool(np.isscalar(num))
