"""Keras' NumPy functions of two arrays, element by element; the shapes broadcast."""

import functools

from lamina import ops
from lamina.keras.ops.numpy.operands import (
    COMPARED,
    FLOATS,
    INTEGERS,
    REMAINDER,
    SHARED,
    SHIFTED,
    STRONG,
    STRONG_FLOATS,
    TRUTH,
    WIDE_FLOATS,
    elementwise,
)
from lamina.ops.numpy import elementwise as kernels

__all__ = [
    "add",
    "arctan2",
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "divide",
    "divide_no_nan",
    "equal",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "gcd",
    "greater",
    "greater_equal",
    "heaviside",
    "hypot",
    "lcm",
    "left_shift",
    "less",
    "less_equal",
    "logaddexp",
    "logaddexp2",
    "logical_and",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "nextafter",
    "not_equal",
    "power",
    "right_shift",
    "subtract",
    "true_divide",
]

_made = functools.partial(elementwise, module=__name__)

add = _made(
    "add x1 x2",
    ops.add,
    SHARED,
    "Return ``x1 + x2``.",
    "[1, 2], 0.5",
    "array([1.5, 2.5], dtype=float32)",
)
arctan2 = _made(
    "arctan2 x1 x2",
    ops.atan2,
    STRONG_FLOATS,
    "Return the angle in [-π, π] of the point with ordinate `x1` and abscissa `x2`.",
    "1.0, [1.0, -1.0]",
    "array([0.7853..., 2.3561...], dtype=float32)",
)
bitwise_and = _made(
    "bitwise_and x y",
    ops.bitwise_and,
    STRONG,
    "Return the bits that both integers have.",
    "[6, 5], 3",
    "array([2, 1], dtype=int32)",
)
bitwise_left_shift = _made(
    "bitwise_left_shift x y",
    ops.left_shift,
    SHIFTED,
    "Return ``x * 2**y``, by moving bits.",
    "[1, 3], 2",
    "array([ 4, 12], dtype=int32)",
)
bitwise_or = _made(
    "bitwise_or x y",
    ops.bitwise_or,
    STRONG,
    "Return the bits that either integer has.",
    "[6, 5], 3",
    "array([7, 7], dtype=int32)",
)
bitwise_right_shift = _made(
    "bitwise_right_shift x y",
    ops.right_shift,
    SHIFTED,
    "Return ``x // 2**y``, by moving bits.",
    "[8, 12], 2",
    "array([2, 3], dtype=int32)",
)
bitwise_xor = _made(
    "bitwise_xor x y",
    ops.bitwise_xor,
    STRONG,
    "Return the bits that one of two integers has.",
    "[6, 5], 3",
    "array([5, 6], dtype=int32)",
)
divide = _made(
    "divide x1 x2",
    ops.truediv,
    FLOATS,
    "Return ``x1 / x2``; a float for integers too.",
    "[3, 4], 2",
    "array([1.5, 2. ], dtype=float32)",
)
divide_no_nan = _made(
    "divide_no_nan x1 x2",
    ops.divide_no_nan,
    FLOATS,
    "Return ``x1 / x2``, and 0 where `x2` is 0.",
    "[3.0, 4.0], [2.0, 0.0]",
    "array([1.5, 0. ], dtype=float32)",
)
equal = _made(
    "equal x1 x2",
    ops.equal,
    COMPARED,
    "Return whether elements are equal.",
    "[1, 2], [1, 3]",
    "array([ True, False])",
)
floor_divide = _made(
    "floor_divide x1 x2",
    ops.floordiv,
    SHARED,
    "Return ``x1 / x2``, rounded down.",
    "[7, -7], 2",
    "array([ 3, -4], dtype=int32)",
)
fmax = _made(
    "fmax x1 x2",
    kernels.fmax,
    SHARED,
    "Return the larger of two elements; NaN only where both are.",
    "[1.0, np.nan], [2.0, 0.0]",
    "array([2., 0.], dtype=float32)",
)
fmin = _made(
    "fmin x1 x2",
    kernels.fmin,
    SHARED,
    "Return the smaller of two elements; NaN only where both are.",
    "[1.0, np.nan], [2.0, 0.0]",
    "array([1., 0.], dtype=float32)",
)
fmod = _made(
    "fmod x1 x2",
    kernels.fmod,
    REMAINDER,
    "Return the remainder of ``x1 / x2`` rounded to 0; it has the sign of `x1`.",
    "[7, -7], 3",
    "array([ 1, -1], dtype=int32)",
)
gcd = _made(
    "gcd x1 x2",
    kernels.gcd,
    INTEGERS,
    "Return the greatest common divisor of integers.",
    "[12, 18], 8",
    "array([4, 2], dtype=int32)",
)
greater = _made(
    "greater x1 x2",
    ops.greater,
    COMPARED,
    "Return whether ``x1 > x2``.",
    "[1, 2], 1",
    "array([False,  True])",
)
greater_equal = _made(
    "greater_equal x1 x2",
    ops.greater_equal,
    COMPARED,
    "Return whether ``x1 >= x2``.",
    "[1, 2], 2",
    "array([False,  True])",
)
heaviside = _made(
    "heaviside x1 x2",
    kernels.heaviside,
    WIDE_FLOATS,
    "Return 0 where `x1` is negative, 1 where it is positive, and `x2` where it is 0.",
    "[-1.0, 0.0, 2.0], 0.5",
    "array([0. , 0.5, 1. ], dtype=float32)",
)
hypot = _made(
    "hypot x1 x2",
    kernels.hypot,
    WIDE_FLOATS,
    "Return ``sqrt(x1² + x2²)`` without overflow.",
    "[3.0, 5.0], [4.0, 12.0]",
    "array([ 5.      , 12.9999...], dtype=float32)",
)
lcm = _made(
    "lcm x1 x2",
    kernels.lcm,
    INTEGERS,
    "Return the least common multiple of integers.",
    "[4, 6], 10",
    "array([20, 30], dtype=int32)",
)
left_shift = bitwise_left_shift
less = _made(
    "less x1 x2",
    ops.less,
    COMPARED,
    "Return whether ``x1 < x2``.",
    "[1, 2], 2",
    "array([ True, False])",
)
less_equal = _made(
    "less_equal x1 x2",
    ops.less_equal,
    COMPARED,
    "Return whether ``x1 <= x2``.",
    "[1, 2], 1",
    "array([ True, False])",
)
logaddexp = _made(
    "logaddexp x1 x2",
    kernels.logaddexp,
    STRONG_FLOATS,
    "Return ``log(exp(x1) + exp(x2))`` without overflow.",
    "[0.0, 1.0], 0.0",
    "array([0.6931..., 1.3132...], dtype=float32)",
)
logaddexp2 = _made(
    "logaddexp2 x1 x2",
    kernels.logaddexp2,
    STRONG_FLOATS,
    "Return ``log2(2**x1 + 2**x2)`` without overflow.",
    "[0.0, 1.0], 0.0",
    "array([1.       , 1.5849...], dtype=float32)",
)
logical_and = _made(
    "logical_and x1 x2",
    ops.logical_and,
    TRUTH,
    "Return whether both elements are True, or not 0.",
    "[True, False], True",
    "array([ True, False])",
)
logical_or = _made(
    "logical_or x1 x2",
    ops.logical_or,
    TRUTH,
    "Return whether an element is True, or not 0.",
    "[True, False], False",
    "array([ True, False])",
)
logical_xor = _made(
    "logical_xor x1 x2",
    ops.logical_xor,
    TRUTH,
    "Return whether one of two elements is True, or not 0.",
    "[True, False], True",
    "array([False,  True])",
)
maximum = _made(
    "maximum x1 x2",
    ops.maximum,
    SHARED,
    "Return the larger of two elements; NaN where one is.",
    "[1.0, 3.0], 2.0",
    "array([2., 3.], dtype=float32)",
)
minimum = _made(
    "minimum x1 x2",
    ops.minimum,
    SHARED,
    "Return the smaller of two elements; NaN where one is.",
    "[1.0, 3.0], 2.0",
    "array([1., 2.], dtype=float32)",
)
mod = _made(
    "mod x1 x2",
    ops.floormod,
    REMAINDER,
    "Return the remainder of ``x1 / x2`` rounded down; it has the sign of `x2`.",
    "[7, -7], 3",
    "array([1, 2], dtype=int32)",
)
multiply = _made(
    "multiply x1 x2",
    ops.multiply,
    SHARED,
    "Return ``x1 * x2``.",
    "[1, 2], 0.5",
    "array([0.5, 1. ], dtype=float32)",
)
nextafter = _made(
    "nextafter x1 x2",
    ops.nextafter,
    STRONG_FLOATS,
    "Return the next float after `x1` towards `x2`.",
    "[0.0], 1.0",
    "array([1.e-45], dtype=float32)",
)
not_equal = _made(
    "not_equal x1 x2",
    ops.not_equal,
    COMPARED,
    "Return whether elements differ.",
    "[1, 2], [1, 3]",
    "array([False,  True])",
)
power = _made(
    "power x1 x2",
    ops.pow,
    SHARED,
    "Return `x1` to the power `x2`.",
    "[2, 3], 2",
    "array([4, 9], dtype=int32)",
)
right_shift = bitwise_right_shift
subtract = _made(
    "subtract x1 x2",
    ops.subtract,
    SHARED,
    "Return ``x1 - x2``.",
    "[1, 2], 0.5",
    "array([0.5, 1.5], dtype=float32)",
)
true_divide = divide

__test__ = {name: globals()[name].__doc__ for name in __all__}  # examples, for doctest
