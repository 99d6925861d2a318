"""Division, elementwise: quotients, remainders, reciprocals."""

import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina.engine import errors, op
from lamina.ops import checks
from lamina.ops.quotient import divided

__all__ = [
    "divide",
    "divide_no_nan",
    "floordiv",
    "floormod",
    "mod",
    "realdiv",
    "reciprocal",
    "reciprocal_no_nan",
    "truediv",
    "truncatediv",
    "truncatemod",
    "xdivy",
]


def _on_host(divide):
    """Return the same for known numbers; that an integer is divided by 0 can be told there."""

    def host(x, y):
        if y.dtype.kind in "iu" and not y.all():
            raise errors.InvalidArgumentError(
                "Integer division by zero: `y` must not hold 0 where it holds integers; got "
                f"{y.tolist()}.\n  Fix: tf.math.divide_no_nan, or tf.maximum(y, 1)."
            )
        with np.errstate(all="ignore"):
            return divide(x, y)

    return host


def _floor_divide(x, y):
    return np.floor(x / y) if x.dtype.kind == "f" else np.floor_divide(x, y)


def _true_operands(x, y):
    """Return operands ready for `/`: integers as floats wide enough for them, by TF's rule."""
    if not jnp.issubdtype(x.dtype, jnp.integer):
        return checks.numeric(x), y
    dtype = jnp.float32 if x.dtype.itemsize <= 2 else jnp.float64
    return x.astype(dtype), y.astype(dtype)


@op
def truediv(x, y):
    """Return ``x / y`` elementwise, with broadcasting; a float also for integers.

    Args:
        x: Numbers.
        y: Numbers of the same dtype.

    Returns:
        The quotient: the operands' dtype if float or complex, float32 for integers of 8 and 16
        bits, float64 for those of 32 and 64.

    Example:
        >>> tf.truediv([7, -7], 2).numpy()
        array([ 3.5, -3.5])
    """
    x, y = _true_operands(x, y)
    return divided(x, y)


divide = truediv


@op
def realdiv(x, y):
    """Return ``x / y`` elementwise for floats, with broadcasting.

    Args:
        x: Float or complex.
        y: The same dtype.

    Returns:
        The quotient, in the operands' dtype.

    Example:
        >>> tf.realdiv([7.0, -7.0], 2.0).numpy()
        array([ 3.5, -3.5], dtype=float32)
    """
    return divided(checks.inexact(x), y)


@op
def divide_no_nan(x, y):
    """Return ``x / y`` elementwise, and 0 where ``y`` is 0.

    Args:
        x: Numbers.
        y: Numbers of the same dtype.

    Returns:
        The quotient, with `tf.truediv`'s dtypes. Its gradients are 0 too where ``y`` is 0.

    Example:
        >>> tf.math.divide_no_nan([1.0, 3.0], [0.0, 2.0]).numpy()
        array([0. , 1.5], dtype=float32)
    """
    x, y = _true_operands(x, y)
    return jnp.where(y == 0, 0, divided(x, jnp.where(y == 0, 1, y)))


@op(differentiable=False, host=_on_host(_floor_divide))
def floordiv(x, y):
    """Return the quotient rounded towards minus infinity, ``x // y``, elementwise.

    Args:
        x: Numbers.
        y: Numbers of the same dtype.

    Returns:
        The quotient, in the operands' dtype. No gradient, as in TF.

    Raises:
        InvalidArgumentError: an integer is divided by a 0 that is known without running a program;
            in a program the quotient is then any number.

    Example:
        >>> tf.math.floordiv([7, -7], 2).numpy()
        array([ 3, -4], dtype=int32)
    """
    if jnp.issubdtype(x.dtype, jnp.integer):
        return jnp.floor_divide(x, y)
    return jnp.floor(divided(checks.numeric(x), y))


@op(host=_on_host(np.mod))
def floormod(x, y):
    """Return the remainder with the sign of ``y``, ``x - floor(x / y) * y``, elementwise.

    Args:
        x: Real numbers.
        y: Numbers of the same dtype.

    Returns:
        The remainder, in the operands' dtype.

    Raises:
        InvalidArgumentError: an integer is divided by a 0 that is known without running a program.

    Example:
        >>> tf.math.floormod([7, -7], 3).numpy()
        array([1, 2], dtype=int32)
    """
    return jnp.mod(checks.numeric(x), y)


mod = floormod


@op(differentiable=False)
def truncatediv(x, y):
    """Return the quotient rounded towards zero, elementwise.

    Args:
        x: Numbers.
        y: Numbers of the same dtype.

    Returns:
        The quotient, in the operands' dtype. No gradient, as in TF.

    Example:
        >>> tf.truncatediv([7, -7], 2).numpy()
        array([ 3, -3], dtype=int32)
    """
    x, y = jnp.broadcast_arrays(checks.numeric(x), y)
    return lax.div(x, y) if jnp.issubdtype(x.dtype, jnp.integer) else jnp.trunc(divided(x, y))


@op(differentiable=False)
def truncatemod(x, y):
    """Return the remainder with the sign of ``x``, elementwise.

    Args:
        x: Real numbers.
        y: Numbers of the same dtype.

    Returns:
        The remainder, in the operands' dtype. No gradient, as in TF.

    Example:
        >>> tf.truncatemod([7, -7], 3).numpy()
        array([ 1, -1], dtype=int32)
    """
    return jnp.fmod(checks.numeric(x), y)


@op
def reciprocal(x):
    """Return ``1 / x`` elementwise; integers are divided as integers.

    Args:
        x: Numbers.

    Returns:
        The reciprocals, in the dtype of `x`.

    Example:
        >>> tf.math.reciprocal([4.0, -2.0]).numpy()
        array([ 0.25, -0.5 ], dtype=float32)
    """
    return lax.div(jnp.ones_like(checks.numeric(x)), x)


@op
def reciprocal_no_nan(x):
    """Return ``1 / x`` elementwise, and 0 where ``x`` is 0.

    Args:
        x: Float or complex.

    Returns:
        The reciprocals, in the dtype of `x`.

    Example:
        >>> tf.math.reciprocal_no_nan([4.0, 0.0]).numpy()
        array([0.25, 0.  ], dtype=float32)
    """
    return jnp.where(checks.inexact(x) == 0, 0, 1 / jnp.where(x == 0, 1, x))


@op
def xdivy(x, y):
    """Return ``x / y`` elementwise, and 0 where ``x`` is 0.

    Args:
        x: Float or complex.
        y: The same dtype.

    Returns:
        The operands' dtype. Gradients are 0 too where ``x`` is 0.

    Example:
        >>> tf.math.xdivy([0.0, 2.0], [0.0, 4.0]).numpy()
        array([0. , 0.5], dtype=float32)
    """
    return jnp.where(checks.inexact(x) == 0, 0, divided(x, jnp.where(x == 0, 1, y)))
