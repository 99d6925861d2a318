"""NumPy's functions of the elements of two arrays; the shapes broadcast."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.engine import Tensor, dtypes
from lamina.experimental.numpy.operands import array_of, floats, of_two, shared
from lamina.ops.numpy import elementwise as kernels


def _by_bool(logical: Any, other: Any) -> Any:
    return lambda *xs: (logical if xs[0].dtype.is_bool else other)(*xs)


def _truth(*xs: Any) -> list[Tensor]:
    return [ops.cast(array_of(x), dtypes.bool_) for x in xs]


_TABLE: Any = (
    (
        "add",
        _by_bool(ops.logical_or, ops.add),
        shared,
        "Return ``x1 + x2``; of bools, whether either is True.",
        "[1, 2], 0.5",
        "array([1.5, 2.5])",
    ),
    (
        "arctan2",
        ops.atan2,
        floats,
        "Return the angle of the point with ordinate `x1` and abscissa `x2`.",
        "[0.0], [1.0]",
        "array([0.])",
    ),
    (
        "bitwise_and",
        ops.bitwise_and,
        shared,
        "Return the bits that both integers have.",
        "[6], 3",
        "array([2])",
    ),
    (
        "bitwise_or",
        ops.bitwise_or,
        shared,
        "Return the bits that either integer has.",
        "[6], 3",
        "array([7])",
    ),
    (
        "bitwise_xor",
        ops.bitwise_xor,
        shared,
        "Return the bits that one of two integers has.",
        "[6], 3",
        "array([5])",
    ),
    (
        "divide",
        ops.truediv,
        shared,
        "Return ``x1 / x2``, a float.",
        "[1, 2], 2",
        "array([0.5, 1. ])",
    ),
    (
        "equal",
        ops.equal,
        shared,
        "Return whether elements are equal.",
        "[1, 2], 2.0",
        "array([False,  True])",
    ),
    ("float_power", ops.pow, shared, "Return ``x1 ** x2``.", "[2.0], 3", "array([8.])"),
    (
        "floor_divide",
        ops.floordiv,
        shared,
        "Return ``x1 / x2`` rounded down.",
        "[7], 2",
        "array([3])",
    ),
    (
        "gcd",
        kernels.gcd,
        shared,
        "Return the greatest common divisor of integers.",
        "[12], 8",
        "array([4])",
    ),
    ("greater", ops.greater, shared, "Return ``x1 > x2``.", "[1, 3], 2", "array([False,  True])"),
    (
        "greater_equal",
        ops.greater_equal,
        shared,
        "Return ``x1 >= x2``.",
        "[1, 2], 2",
        "array([False,  True])",
    ),
    (
        "heaviside",
        kernels.heaviside,
        floats,
        "Return 0 where `x1` is negative, 1 where positive, else `x2`.",
        "[-1, 0, 1], 0.5",
        "array([0. , 0.5, 1. ])",
    ),
    ("hypot", kernels.hypot, floats, "Return ``sqrt(x1² + x2²)``.", "[3], 4", "array([5.])"),
    (
        "lcm",
        kernels.lcm,
        shared,
        "Return the least common multiple of integers.",
        "[4], 6",
        "array([12])",
    ),
    ("less", ops.less, shared, "Return ``x1 < x2``.", "[1, 3], 2", "array([ True, False])"),
    (
        "less_equal",
        ops.less_equal,
        shared,
        "Return ``x1 <= x2``.",
        "[2, 3], 2",
        "array([ True, False])",
    ),
    (
        "logaddexp",
        kernels.logaddexp,
        floats,
        "Return ``log(e**x1 + e**x2)``.",
        "[0.0], 0.0",
        "array([0.69314718])",
    ),
    (
        "logaddexp2",
        kernels.logaddexp2,
        floats,
        "Return ``log2(2**x1 + 2**x2)``.",
        "[0.0], 0.0",
        "array([1.])",
    ),
    (
        "logical_and",
        ops.logical_and,
        _truth,
        "Return whether both are True, or not 0.",
        "[1, 0], 1",
        "array([ True, False])",
    ),
    (
        "logical_or",
        ops.logical_or,
        _truth,
        "Return whether either is True, or not 0.",
        "[1, 0], 0",
        "array([ True, False])",
    ),
    (
        "logical_xor",
        ops.logical_xor,
        _truth,
        "Return whether one of two is True, or not 0.",
        "[1, 0], 1",
        "array([False,  True])",
    ),
    (
        "maximum",
        _by_bool(ops.logical_or, ops.maximum),
        shared,
        "Return the larger of two.",
        "[1, 3], 2",
        "array([2, 3])",
    ),
    (
        "minimum",
        _by_bool(ops.logical_and, ops.minimum),
        shared,
        "Return the smaller of two.",
        "[1, 3], 2",
        "array([1, 2])",
    ),
    (
        "mod",
        ops.floormod,
        shared,
        "Return the remainder of `floor_divide`, with the sign of `x2`.",
        "[-7], 2",
        "array([1])",
    ),
    (
        "multiply",
        _by_bool(ops.logical_and, ops.multiply),
        shared,
        "Return ``x1 * x2``; of bools, whether both are True.",
        "[1, 2], 0.5",
        "array([0.5, 1. ])",
    ),
    (
        "nextafter",
        ops.nextafter,
        floats,
        "Return the next float after `x1` towards `x2`.",
        "[1.0], 1.0",
        "array([1.])",
    ),
    (
        "not_equal",
        ops.not_equal,
        shared,
        "Return whether elements differ.",
        "[1, 2], 2.0",
        "array([ True, False])",
    ),
    ("power", ops.pow, shared, "Return ``x1 ** x2``.", "[2, 3], 2", "array([4, 9])"),
    (
        "remainder",
        ops.floormod,
        shared,
        "Return the remainder of `floor_divide`, with the sign of `x2`.",
        "[-7], 2",
        "array([1])",
    ),
    ("subtract", ops.subtract, shared, "Return ``x1 - x2``.", "[1, 2], 0.5", "array([0.5, 1.5])"),
    (
        "true_divide",
        ops.truediv,
        shared,
        "Return ``x1 / x2``, a float.",
        "[1, 2], 2",
        "array([0.5, 1. ])",
    ),
)

for _name, *_row in _TABLE:
    globals()[_name] = of_two(_name, *_row)

__all__ = [_row[0] for _row in _TABLE]  # pyright: ignore[reportUnsupportedDunderAll]
