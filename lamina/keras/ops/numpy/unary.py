"""Keras' NumPy functions of one array, element by element."""

import functools

from lamina import ops
from lamina.keras.ops.numpy.operands import (
    FLOAT,
    KEPT_FLOAT,
    NUMBER,
    PREDICATE,
    SAME,
    SAME_ABS,
    TO_BOOL,
    TRUTH,
    WIDE_FLOAT,
    WIDE_KEPT,
    elementwise,
    unless_bool,
)
from lamina.ops.numpy import elementwise as kernels

__all__ = [
    "abs",
    "absolute",
    "angle",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctanh",
    "bitwise_invert",
    "bitwise_not",
    "cbrt",
    "ceil",
    "conj",
    "conjugate",
    "cos",
    "cosh",
    "deg2rad",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "floor",
    "i0",
    "imag",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "isreal",
    "log",
    "log1p",
    "log2",
    "log10",
    "logical_not",
    "negative",
    "rad2deg",
    "real",
    "reciprocal",
    "sign",
    "signbit",
    "sin",
    "sinc",
    "sinh",
    "sqrt",
    "square",
    "tan",
    "tanh",
    "trunc",
]

_made = functools.partial(elementwise, module=__name__)

abs = _made(
    "abs x",
    unless_bool(ops.abs),
    SAME_ABS,
    "Return the absolute value.",
    "[-1.5, 2.0]",
    "array([1.5, 2. ], dtype=float32)",
)
absolute = abs
angle = _made(
    "angle x",
    ops.angle,
    FLOAT,
    "Return the angle of complex numbers in radians, in (-π, π]; 0 or π for real ones.",
    "[1j, -1.0 + 0j]",
    "array([1.5707..., 3.1415...], dtype=float32)",
)
arccos = _made(
    "arccos x",
    ops.acos,
    FLOAT,
    "Return the angle in [0, π] whose cosine is `x`.",
    "[1.0, 0.0]",
    "array([0.       , 1.5707...], dtype=float32)",
)
arccosh = _made(
    "arccosh x",
    ops.acosh,
    FLOAT,
    "Return the positive number whose hyperbolic cosine is `x`.",
    "[1.0, 2.0]",
    "array([0.      , 1.3169...], dtype=float32)",
)
arcsin = _made(
    "arcsin x",
    ops.asin,
    FLOAT,
    "Return the angle in [-π/2, π/2] whose sine is `x`.",
    "[0.0, 1.0]",
    "array([0.       , 1.5707...], dtype=float32)",
)
arcsinh = _made(
    "arcsinh x",
    ops.asinh,
    FLOAT,
    "Return the number whose hyperbolic sine is `x`.",
    "[0.0, 1.0]",
    "array([0.        , 0.8813...], dtype=float32)",
)
arctan = _made(
    "arctan x",
    ops.atan,
    FLOAT,
    "Return the angle in [-π/2, π/2] whose tangent is `x`.",
    "[0.0, 1.0]",
    "array([0.       , 0.7853...], dtype=float32)",
)
arctanh = _made(
    "arctanh x",
    ops.atanh,
    FLOAT,
    "Return the number whose hyperbolic tangent is `x`.",
    "[0.0, 0.5]",
    "array([0.        , 0.5493...], dtype=float32)",
)
bitwise_invert = _made(
    "bitwise_invert x",
    ops.invert,
    SAME,
    "Return integers with every bit flipped.",
    "[0, 5]",
    "array([-1, -6], dtype=int32)",
)
bitwise_not = bitwise_invert
cbrt = _made(
    "cbrt x",
    kernels.cbrt,
    WIDE_FLOAT,
    "Return the real cube root.",
    "[-8.0, 27.0]",
    "array([-2.,  3.], dtype=float32)",
)
ceil = _made(
    "ceil x",
    ops.ceil,
    FLOAT,
    "Return the least whole number that is not below `x`.",
    "[-1.5, 1.5]",
    "array([-1.,  2.], dtype=float32)",
)
conj = _made(
    "conj x",
    ops.conj,
    SAME,
    "Return the complex conjugate.",
    "[1.0 + 2j]",
    "array([1.-2.j])",
)
conjugate = conj
cos = _made(
    "cos x",
    ops.cos,
    FLOAT,
    "Return the cosine of angles in radians.",
    "[0.0, 1.0]",
    "array([1.       , 0.5403...], dtype=float32)",
)
cosh = _made(
    "cosh x",
    ops.cosh,
    FLOAT,
    "Return the hyperbolic cosine.",
    "[0.0, 1.0]",
    "array([1.       , 1.5430...], dtype=float32)",
)
deg2rad = _made(
    "deg2rad x",
    kernels.deg2rad,
    WIDE_KEPT,
    "Return degrees as radians.",
    "[0.0, 180.0]",
    "array([0.       , 3.1415...], dtype=float32)",
)
exp = _made(
    "exp x",
    ops.exp,
    KEPT_FLOAT,
    "Return e to the power `x`.",
    "[0.0, 1.0]",
    "array([1.       , 2.7182...], dtype=float32)",
)
exp2 = _made(
    "exp2 x",
    kernels.exp2,
    KEPT_FLOAT,
    "Return 2 to the power `x`.",
    "[0.0, 3.0]",
    "array([1., 8.], dtype=float32)",
)
expm1 = _made(
    "expm1 x",
    ops.expm1,
    KEPT_FLOAT,
    "Return ``exp(x) - 1``, accurate near 0.",
    "[0.0, 1.0]",
    "array([0.       , 1.7182...], dtype=float32)",
)
fabs = _made(
    "fabs x",
    ops.abs,
    FLOAT,
    "Return the absolute value as a float.",
    "[-1, 2]",
    "array([1., 2.], dtype=float32)",
)
floor = _made(
    "floor x",
    ops.floor,
    FLOAT,
    "Return the greatest whole number that is not above `x`.",
    "[-1.5, 1.5]",
    "array([-2.,  1.], dtype=float32)",
)
i0 = _made(
    "i0 x",
    ops.bessel_i0,
    WIDE_FLOAT,
    "Return the modified Bessel function of the first kind, of order 0.",
    "[0.0, 1.0]",
    "array([1.0000..., 1.2660... ], dtype=float32)",
)
imag = _made(
    "imag x",
    unless_bool(ops.imag),
    SAME,
    "Return the imaginary part of complex numbers; real ones are returned as they are.",
    "[1.0 + 2j]",
    "array([2.])",
)
isfinite = _made(
    "isfinite x",
    ops.is_finite,
    PREDICATE,
    "Return whether elements are neither infinite nor NaN.",
    "[1.0, np.inf, np.nan]",
    "array([ True, False, False])",
)
isinf = _made(
    "isinf x",
    ops.is_inf,
    PREDICATE,
    "Return whether elements are infinite.",
    "[1.0, np.inf, np.nan]",
    "array([False,  True, False])",
)
isnan = _made(
    "isnan x",
    ops.is_nan,
    PREDICATE,
    "Return whether elements are NaN.",
    "[1.0, np.inf, np.nan]",
    "array([False, False,  True])",
)
isneginf = _made(
    "isneginf x",
    kernels.isneginf,
    TO_BOOL,
    "Return whether elements are minus infinity.",
    "[1.0, -np.inf]",
    "array([False,  True])",
)
isposinf = _made(
    "isposinf x",
    kernels.isposinf,
    TO_BOOL,
    "Return whether elements are plus infinity.",
    "[1.0, np.inf]",
    "array([False,  True])",
)
isreal = _made(
    "isreal x",
    kernels.isreal,
    TO_BOOL,
    "Return whether the imaginary part is 0; real numbers always are.",
    "[1.0 + 2j, 3.0 + 0j]",
    "array([False,  True])",
)
log = _made(
    "log x",
    ops.log,
    FLOAT,
    "Return the natural logarithm; -inf at 0, NaN below.",
    "[1.0, 2.0]",
    "array([0.       , 0.6931...], dtype=float32)",
)
log10 = _made(
    "log10 x",
    kernels.log10,
    FLOAT,
    "Return the logarithm to base 10.",
    "[1.0, 100.0]",
    "array([0., 2.], dtype=float32)",
)
log1p = _made(
    "log1p x",
    ops.log1p,
    FLOAT,
    "Return ``log(1 + x)``, accurate near 0.",
    "[0.0, 1.0]",
    "array([0.       , 0.6931...], dtype=float32)",
)
log2 = _made(
    "log2 x",
    kernels.log2,
    FLOAT,
    "Return the logarithm to base 2.",
    "[1.0, 8.0]",
    "array([0., 3.], dtype=float32)",
)
logical_not = _made(
    "logical_not x",
    ops.logical_not,
    TRUTH,
    "Return whether elements are False, or 0.",
    "[True, False]",
    "array([False,  True])",
)
negative = _made(
    "negative x",
    ops.negative,
    SAME,
    "Return ``-x``.",
    "[1.0, -2.0]",
    "array([-1.,  2.], dtype=float32)",
)
rad2deg = _made(
    "rad2deg x",
    kernels.rad2deg,
    WIDE_KEPT,
    "Return radians as degrees.",
    "[0.0, np.pi]",
    "array([  0., 180.], dtype=float32)",
)
real = _made("real x", ops.real, SAME, "Return the real part.", "[1.0 + 2j]", "array([1.])")
reciprocal = _made(
    "reciprocal x",
    ops.reciprocal,
    SAME,
    "Return ``1 / x``.",
    "[2.0, 4.0]",
    "array([0.5 , 0.25], dtype=float32)",
)
sign = _made(
    "sign x",
    ops.sign,
    SAME,
    "Return -1, 0 or 1, by the sign; NaN stays.",
    "[-2.0, 0.0, 3.0]",
    "array([-1.,  0.,  1.], dtype=float32)",
)
signbit = _made(
    "signbit x",
    kernels.signbit,
    TO_BOOL,
    "Return whether the sign bit is set: of -0.0 too.",
    "[-0.0, 1.0]",
    "array([ True, False])",
)
sin = _made(
    "sin x",
    ops.sin,
    FLOAT,
    "Return the sine of angles in radians.",
    "[0.0, 1.0]",
    "array([0.        , 0.8414...], dtype=float32)",
)
sinc = _made(
    "sinc x",
    kernels.sinc,
    FLOAT,
    "Return ``sin(πx) / (πx)``, 1 at 0.",
    "[0.0, 0.5]",
    "array([1.       , 0.6366...], dtype=float32)",
)
sinh = _made(
    "sinh x",
    ops.sinh,
    FLOAT,
    "Return the hyperbolic sine.",
    "[0.0, 1.0]",
    "array([0.       , 1.1752...], dtype=float32)",
)
sqrt = _made(
    "sqrt x",
    ops.sqrt,
    FLOAT,
    "Return the square root; NaN for negative numbers.",
    "[4.0, 9.0]",
    "array([2., 3.], dtype=float32)",
)
square = _made(
    "square x",
    ops.square,
    NUMBER,
    "Return ``x * x``.",
    "[2, -3]",
    "array([4, 9], dtype=int32)",
)
tan = _made(
    "tan x",
    ops.tan,
    FLOAT,
    "Return the tangent of angles in radians.",
    "[0.0, 1.0]",
    "array([0.       , 1.5574...], dtype=float32)",
)
tanh = _made(
    "tanh x",
    ops.tanh,
    FLOAT,
    "Return the hyperbolic tangent.",
    "[0.0, 1.0]",
    "array([0.       , 0.7615...], dtype=float32)",
)
trunc = _made(
    "trunc x",
    kernels.trunc,
    SAME,
    "Return numbers without their fraction.",
    "[-1.7, 1.7]",
    "array([-1.,  1.], dtype=float32)",
)

__test__ = {name: globals()[name].__doc__ for name in __all__}  # examples, for doctest
