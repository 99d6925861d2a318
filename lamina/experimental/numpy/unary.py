"""NumPy's functions of the elements of one array."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.engine import Tensor, dtypes
from lamina.experimental.numpy.operands import array_of, as_float, of_one
from lamina.ops.numpy import elementwise as kernels


def _truth(x: Any) -> Tensor:
    return ops.cast(array_of(x), dtypes.bool_)


def _real_part(x: Tensor) -> Tensor:
    return ops.real(x) if x.dtype.is_complex else x


def _imag_part(x: Tensor) -> Tensor:
    return ops.imag(x) if x.dtype.is_complex else ops.zeros_like(x)


def _fixed(x: Tensor) -> Tensor:
    return ops.where(ops.less(x, ops.zeros_like(x)), ops.ceil(x), ops.floor(x))


def _is_complex(x: Tensor) -> Tensor:
    return ops.logical_not(kernels.isreal(x))


def _reciprocal(x: Tensor) -> Tensor:
    if x.dtype.is_integer:
        return ops.truncatediv(ops.ones_like(x), x)
    return ops.reciprocal(x)


_TABLE: Any = (
    ("abs", ops.abs, array_of, "Return absolute values.", "[-1.0, 2.0]", "array([1., 2.])"),
    ("absolute", ops.abs, array_of, "Return absolute values.", "[-1, 2]", "array([1, 2])"),
    ("fabs", ops.abs, array_of, "Return absolute values.", "[-1.0, 2.0]", "array([1., 2.])"),
    ("arccos", ops.acos, as_float, "Return angles whose cosine is `x`.", "[1.0]", "array([0.])"),
    ("arccosh", ops.acosh, as_float, "Return the inverse of `cosh`.", "[1.0]", "array([0.])"),
    ("arcsin", ops.asin, as_float, "Return angles whose sine is `x`.", "[0.0]", "array([0.])"),
    ("arcsinh", ops.asinh, as_float, "Return the inverse of `sinh`.", "[0.0]", "array([0.])"),
    ("arctan", ops.atan, as_float, "Return angles whose tangent is `x`.", "[0.0]", "array([0.])"),
    ("arctanh", ops.atanh, as_float, "Return the inverse of `tanh`.", "[0.0]", "array([0.])"),
    (
        "bitwise_not",
        ops.invert,
        array_of,
        "Return integers with all bits turned.",
        "[1]",
        "array([-2])",
    ),
    ("cbrt", kernels.cbrt, as_float, "Return real cube roots.", "[8.0]", "array([2.])"),
    ("ceil", ops.ceil, as_float, "Round up.", "[1.2]", "array([2.])"),
    ("conj", ops.conj, array_of, "Return complex conjugates.", "[1j]", "array([0.-1.j])"),
    ("conjugate", ops.conj, array_of, "Return complex conjugates.", "[1j]", "array([0.-1.j])"),
    ("cos", ops.cos, as_float, "Return cosines.", "[0.0]", "array([1.])"),
    ("cosh", ops.cosh, as_float, "Return hyperbolic cosines.", "[0.0]", "array([1.])"),
    (
        "deg2rad",
        kernels.deg2rad,
        as_float,
        "Return degrees as radians.",
        "[180]",
        "array([3.14159265])",
    ),
    ("exp", ops.exp, as_float, "Return ``e ** x``.", "[0]", "array([1.])"),
    ("exp2", kernels.exp2, as_float, "Return ``2 ** x``.", "[3]", "array([8.])"),
    ("expm1", ops.expm1, as_float, "Return ``e ** x - 1``, exact near 0.", "[0]", "array([0.])"),
    ("fix", _fixed, as_float, "Round towards 0.", "[-1.5, 1.5]", "array([-1.,  1.])"),
    ("floor", ops.floor, as_float, "Round down.", "[1.8]", "array([1.])"),
    ("imag", _imag_part, array_of, "Return imaginary parts.", "[1 + 2j]", "array([2.])"),
    (
        "iscomplex",
        _is_complex,
        array_of,
        "Return whether the imaginary part is not 0.",
        "[1, 1j]",
        "array([False,  True])",
    ),
    (
        "isfinite",
        ops.is_finite,
        as_float,
        "Return whether numbers are finite.",
        "[1, np.inf]",
        "array([ True, False])",
    ),
    (
        "isinf",
        ops.is_inf,
        as_float,
        "Return whether numbers are infinite.",
        "[1, np.inf]",
        "array([False,  True])",
    ),
    (
        "isnan",
        ops.is_nan,
        as_float,
        "Return whether numbers are NaN.",
        "[1, np.nan]",
        "array([False,  True])",
    ),
    (
        "isneginf",
        kernels.isneginf,
        array_of,
        "Return whether numbers are minus infinity.",
        "[1, -np.inf]",
        "array([False,  True])",
    ),
    (
        "isposinf",
        kernels.isposinf,
        array_of,
        "Return whether numbers are plus infinity.",
        "[1, np.inf]",
        "array([False,  True])",
    ),
    (
        "isreal",
        kernels.isreal,
        array_of,
        "Return whether the imaginary part is 0.",
        "[1, 1j]",
        "array([ True, False])",
    ),
    ("log", ops.log, as_float, "Return natural logarithms.", "[1]", "array([0.])"),
    ("log10", kernels.log10, as_float, "Return logarithms to base 10.", "[100]", "array([2.])"),
    ("log1p", ops.log1p, as_float, "Return ``log(1 + x)``, exact near 0.", "[0]", "array([0.])"),
    ("log2", kernels.log2, as_float, "Return logarithms to base 2.", "[8]", "array([3.])"),
    (
        "logical_not",
        ops.logical_not,
        _truth,
        "Return whether elements are 0 or False.",
        "[1, 0]",
        "array([False,  True])",
    ),
    ("negative", ops.negative, array_of, "Return ``-x``.", "[1]", "array([-1])"),
    ("positive", ops.identity, array_of, "Return `x` as it is.", "[1]", "array([1])"),
    (
        "rad2deg",
        kernels.rad2deg,
        as_float,
        "Return radians as degrees.",
        "[np.pi]",
        "array([180.])",
    ),
    ("real", _real_part, array_of, "Return real parts.", "[1 + 2j]", "array([1.])"),
    (
        "reciprocal",
        _reciprocal,
        array_of,
        "Return ``1 / x``; integers round towards 0.",
        "[2.0]",
        "array([0.5])",
    ),
    (
        "signbit",
        kernels.signbit,
        array_of,
        "Return whether the sign bit is set.",
        "[-1, 1]",
        "array([ True, False])",
    ),
    ("sin", ops.sin, as_float, "Return sines.", "[0.0]", "array([0.])"),
    ("sinc", kernels.sinc, as_float, "Return ``sin(πx) / (πx)``, 1 at 0.", "[0.0]", "array([1.])"),
    ("sinh", ops.sinh, as_float, "Return hyperbolic sines.", "[0.0]", "array([0.])"),
    ("sqrt", ops.sqrt, as_float, "Return square roots.", "[4]", "array([2.])"),
    ("square", ops.square, array_of, "Return ``x * x``.", "[3]", "array([9])"),
    ("tan", ops.tan, as_float, "Return tangents.", "[0.0]", "array([0.])"),
    ("tanh", ops.tanh, as_float, "Return hyperbolic tangents.", "[0.0]", "array([0.])"),
)


for _name, *_row in _TABLE:
    globals()[_name] = of_one(_name, *_row)

__all__ = [_row[0] for _row in _TABLE]  # pyright: ignore[reportUnsupportedDunderAll]
