"""Comparisons, logic and bits, elementwise. Nothing here has a gradient."""

import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina.engine import op
from lamina.ops import checks

__all__ = [
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "equal",
    "greater",
    "greater_equal",
    "invert",
    "is_finite",
    "is_inf",
    "is_nan",
    "is_non_decreasing",
    "is_strictly_increasing",
    "left_shift",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "not_equal",
    "right_shift",
]


@op(differentiable=False, host=np.equal)
def equal(x, y):
    """Return ``x == y`` elementwise, with broadcasting; NaN equals nothing.

    Args:
        x: Any dtype.
        y: The same dtype.

    Returns:
        bool.

    Raises:
        InvalidArgumentError: the dtypes differ, or the shapes do not broadcast.

    Example:
        >>> tf.equal([1, 2], [1, 3]).numpy()
        array([ True, False])
    """
    return x == y


@op(differentiable=False, host=np.not_equal)
def not_equal(x, y):
    """Return ``x != y`` elementwise, with broadcasting; NaN differs from all.

    Args:
        x: Any dtype.
        y: The same dtype.

    Returns:
        bool.

    Example:
        >>> tf.not_equal([1, 2], [1, 3]).numpy()
        array([False,  True])
    """
    return x != y


@op(differentiable=False, host=np.less)
def less(x, y):
    """Return ``x < y`` elementwise, with broadcasting.

    Args:
        x: Real numbers.
        y: Numbers of the same dtype.

    Returns:
        bool; False where either is NaN.

    Example:
        >>> tf.less([1, 2], [2, 2]).numpy()
        array([ True, False])
    """
    return checks.numeric(x) < y


@op(differentiable=False, host=np.less_equal)
def less_equal(x, y):
    """Return ``x <= y`` elementwise, with broadcasting.

    Args:
        x: Real numbers.
        y: Numbers of the same dtype.

    Returns:
        bool; False where either is NaN.

    Example:
        >>> tf.less_equal([1, 3], [2, 2]).numpy()
        array([ True, False])
    """
    return checks.numeric(x) <= y


@op(differentiable=False, host=np.greater)
def greater(x, y):
    """Return ``x > y`` elementwise, with broadcasting.

    Args:
        x: Real numbers.
        y: Numbers of the same dtype.

    Returns:
        bool; False where either is NaN.

    Example:
        >>> tf.greater([1, 3], [2, 2]).numpy()
        array([False,  True])
    """
    return checks.numeric(x) > y


@op(differentiable=False, host=np.greater_equal)
def greater_equal(x, y):
    """Return ``x >= y`` elementwise, with broadcasting.

    Args:
        x: Real numbers.
        y: Numbers of the same dtype.

    Returns:
        bool; False where either is NaN.

    Example:
        >>> tf.greater_equal([1, 2], [2, 2]).numpy()
        array([False,  True])
    """
    return checks.numeric(x) >= y


@op(differentiable=False, host=np.logical_and)
def logical_and(x, y):
    """Return ``x and y`` elementwise, with broadcasting.

    Args:
        x: bool.
        y: bool.

    Returns:
        bool.

    Raises:
        InvalidArgumentError: an operand is not bool.

    Example:
        >>> tf.logical_and([True, True], [True, False]).numpy()
        array([ True, False])
    """
    return checks.boolean(x) & checks.boolean(y, "y")


@op(differentiable=False, host=np.logical_or)
def logical_or(x, y):
    """Return ``x or y`` elementwise, with broadcasting.

    Args:
        x: bool.
        y: bool.

    Returns:
        bool.

    Example:
        >>> tf.logical_or([True, False], [False, False]).numpy()
        array([ True, False])
    """
    return checks.boolean(x) | checks.boolean(y, "y")


@op(differentiable=False, host=np.logical_xor)
def logical_xor(x, y):
    """Return whether exactly one of ``x`` and ``y`` holds, elementwise.

    Args:
        x: bool.
        y: bool.

    Returns:
        bool.

    Example:
        >>> tf.math.logical_xor([True, True], [True, False]).numpy()
        array([False,  True])
    """
    return checks.boolean(x) ^ checks.boolean(y, "y")


@op(differentiable=False, host=np.logical_not)
def logical_not(x):
    """Return ``not x`` elementwise.

    Args:
        x: bool.

    Returns:
        bool.

    Example:
        >>> tf.logical_not([True, False]).numpy()
        array([False,  True])
    """
    return ~checks.boolean(x)


@op(differentiable=False)
def is_nan(x):
    """Return where ``x`` is not a number.

    Args:
        x: Float.

    Returns:
        bool, of the shape of `x`.

    Example:
        >>> tf.math.is_nan([1.0, np.nan]).numpy()
        array([False,  True])
    """
    return jnp.isnan(checks.inexact(x))


@op(differentiable=False)
def is_inf(x):
    """Return where ``x`` is infinite.

    Args:
        x: Float.

    Returns:
        bool, of the shape of `x`.

    Example:
        >>> tf.math.is_inf([1.0, -np.inf]).numpy()
        array([False,  True])
    """
    return jnp.isinf(checks.inexact(x))


@op(differentiable=False)
def is_finite(x):
    """Return where ``x`` is neither infinite nor NaN.

    Args:
        x: Float.

    Returns:
        bool, of the shape of `x`.

    Example:
        >>> tf.math.is_finite([1.0, np.inf, np.nan]).numpy()
        array([ True, False, False])
    """
    return jnp.isfinite(checks.inexact(x))


@op(differentiable=False)
def is_non_decreasing(x):
    """Return whether no element, in row-major order, is below the one before it.

    Args:
        x: Real numbers; fewer than two count as sorted.

    Returns:
        A bool scalar.

    Example:
        >>> tf.math.is_non_decreasing([1, 1, 2]).numpy()
        np.True_
    """
    x = jnp.ravel(x)
    return jnp.all(x[1:] >= x[:-1])


@op(differentiable=False)
def is_strictly_increasing(x):
    """Return whether each element, in row-major order, is above the one before it.

    Args:
        x: Real numbers; fewer than two count as sorted.

    Returns:
        A bool scalar.

    Example:
        >>> tf.math.is_strictly_increasing([1, 1, 2]).numpy()
        np.False_
    """
    x = jnp.ravel(x)
    return jnp.all(x[1:] > x[:-1])


@op(differentiable=False)
def bitwise_and(x, y):
    """Return the bits set in both operands, elementwise.

    Args:
        x: Integers.
        y: Integers of the same dtype.

    Returns:
        The operands' dtype.

    Example:
        >>> tf.bitwise.bitwise_and([6], [3]).numpy()
        array([2], dtype=int32)
    """
    return checks.integer(x) & y


@op(differentiable=False)
def bitwise_or(x, y):
    """Return the bits set in either operand, elementwise.

    Args:
        x: Integers.
        y: Integers of the same dtype.

    Returns:
        The operands' dtype.

    Example:
        >>> tf.bitwise.bitwise_or([6], [3]).numpy()
        array([7], dtype=int32)
    """
    return checks.integer(x) | y


@op(differentiable=False)
def bitwise_xor(x, y):
    """Return the bits set in one operand but not the other, elementwise.

    Args:
        x: Integers.
        y: Integers of the same dtype.

    Returns:
        The operands' dtype.

    Example:
        >>> tf.bitwise.bitwise_xor([6], [3]).numpy()
        array([5], dtype=int32)
    """
    return checks.integer(x) ^ y


@op(differentiable=False)
def invert(x):
    """Return ``x`` with each bit flipped.

    Args:
        x: Integers.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.bitwise.invert([5]).numpy()
        array([-6], dtype=int32)
    """
    return ~checks.integer(x)


@op(differentiable=False)
def left_shift(x, y):
    """Return ``x`` shifted left by ``y`` bits, elementwise.

    Args:
        x: Integers.
        y: Bits in [0, width), of the same dtype.

    Returns:
        The operands' dtype.

    Example:
        >>> tf.bitwise.left_shift([3], [2]).numpy()
        array([12], dtype=int32)
    """
    x, y = jnp.broadcast_arrays(checks.integer(x), y)
    return lax.shift_left(x, y)


@op(differentiable=False)
def right_shift(x, y):
    """Return ``x`` shifted right by ``y`` bits, elementwise; the sign is kept.

    Args:
        x: Integers.
        y: Bits in [0, width), of the same dtype.

    Returns:
        The operands' dtype.

    Example:
        >>> tf.bitwise.right_shift([-8], [1]).numpy()
        array([-4], dtype=int32)
    """
    x, y = jnp.broadcast_arrays(checks.integer(x), y)
    if jnp.issubdtype(x.dtype, jnp.unsignedinteger):
        return lax.shift_right_logical(x, y)
    return lax.shift_right_arithmetic(x, y)
