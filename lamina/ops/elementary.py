"""Roots, exponentials, logarithms, trigonometric and hyperbolic functions, elementwise.

All take float or complex and keep the dtype: TF does not promote integers here.
"""

import jax.numpy as jnp
from jax import lax

from lamina.engine import op
from lamina.ops import checks

__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "exp",
    "expm1",
    "log",
    "log1p",
    "rsqrt",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
]


@op
def sqrt(x):
    """Return the square root, elementwise.

    Args:
        x: Float or complex; NaN for negative floats.

    Returns:
        The dtype of `x`. The gradient is infinite at 0.

    Raises:
        InvalidArgumentError: `x` is an integer or bool.

    Example:
        >>> tf.sqrt([4.0, 9.0]).numpy()
        array([2., 3.], dtype=float32)
    """
    return jnp.sqrt(checks.inexact(x))


@op
def rsqrt(x):
    """Return ``1 / sqrt(x)``, elementwise.

    Args:
        x: Float or complex.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.rsqrt([4.0, 16.0]).numpy()
        array([0.5 , 0.25], dtype=float32)
    """
    return lax.rsqrt(checks.inexact(x))


@op
def exp(x):
    """Return ``e`` to the power ``x``, elementwise.

    Args:
        x: Float or complex.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.exp([0.0, 1.0]).numpy()
        array([1.       , 2.71828...], dtype=float32)
    """
    return jnp.exp(checks.inexact(x))


@op
def expm1(x):
    """Return ``exp(x) - 1``, accurate near 0, elementwise.

    Args:
        x: Float or complex.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.expm1([0.0, 1.0]).numpy()
        array([0.       , 1.71828...], dtype=float32)
    """
    return jnp.expm1(checks.inexact(x))


@op
def log(x):
    """Return the natural logarithm, elementwise.

    Args:
        x: Float or complex; -inf at 0, NaN for negative floats.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.log([1.0, 2.0]).numpy()
        array([0.       , 0.69314...], dtype=float32)
    """
    return jnp.log(checks.inexact(x))


@op
def log1p(x):
    """Return ``log(1 + x)``, accurate near 0, elementwise.

    Args:
        x: Float or complex.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.log1p([0.0, 1.0]).numpy()
        array([0.       , 0.69314...], dtype=float32)
    """
    return jnp.log1p(checks.inexact(x))


@op
def sin(x):
    """Return the sine, elementwise.

    Args:
        x: Float or complex, in radians.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.sin([0.0, 1.0]).numpy()
        array([0.        , 0.84147...], dtype=float32)
    """
    return jnp.sin(checks.inexact(x))


@op
def cos(x):
    """Return the cosine, elementwise.

    Args:
        x: Float or complex, in radians.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.cos([0.0, 1.0]).numpy()
        array([1.       , 0.54030...], dtype=float32)
    """
    return jnp.cos(checks.inexact(x))


@op
def tan(x):
    """Return the tangent, elementwise.

    Args:
        x: Float or complex, in radians.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.tan([0.0, 1.0]).numpy()
        array([0.       , 1.55740...], dtype=float32)
    """
    return jnp.tan(checks.inexact(x))


@op
def asin(x):
    """Return the angle whose sine is ``x``, elementwise.

    Args:
        x: Float or complex; NaN for floats outside [-1, 1].

    Returns:
        Radians in [-pi/2, pi/2], in the dtype of `x`.

    Example:
        >>> tf.asin([0.0, 1.0]).numpy()
        array([0.       , 1.57079...], dtype=float32)
    """
    return jnp.arcsin(checks.inexact(x))


@op
def acos(x):
    """Return the angle whose cosine is ``x``, elementwise.

    Args:
        x: Float or complex; NaN for floats outside [-1, 1].

    Returns:
        Radians in [0, pi], in the dtype of `x`.

    Example:
        >>> tf.acos([1.0, 0.0]).numpy()
        array([0.       , 1.57079...], dtype=float32)
    """
    return jnp.arccos(checks.inexact(x))


@op
def atan(x):
    """Return the angle whose tangent is ``x``, elementwise.

    Args:
        x: Float or complex.

    Returns:
        Radians in [-pi/2, pi/2], in the dtype of `x`.

    Example:
        >>> tf.atan([0.0, 1.0]).numpy()
        array([0.       , 0.78539...], dtype=float32)
    """
    return jnp.arctan(checks.inexact(x))


@op
def atan2(y, x):
    """Return the angle of the point ``(x, y)``, elementwise, with broadcasting.

    Args:
        y: Float.
        x: The same dtype.

    Returns:
        Radians in [-pi, pi], in the operands' dtype.

    Example:
        >>> tf.atan2([1.0, 1.0], [1.0, -1.0]).numpy()
        array([0.78539..., 2.35619...], dtype=float32)
    """
    return jnp.arctan2(checks.inexact(y, "y"), x)


@op
def sinh(x):
    """Return the hyperbolic sine, elementwise.

    Args:
        x: Float or complex.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.sinh([0.0, 1.0]).numpy()
        array([0.       , 1.17520...], dtype=float32)
    """
    return jnp.sinh(checks.inexact(x))


@op
def cosh(x):
    """Return the hyperbolic cosine, elementwise.

    Args:
        x: Float or complex.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.cosh([0.0, 1.0]).numpy()
        array([1.       , 1.54308...], dtype=float32)
    """
    return jnp.cosh(checks.inexact(x))


@op
def tanh(x):
    """Return the hyperbolic tangent, elementwise.

    Args:
        x: Float or complex.

    Returns:
        Values in [-1, 1], in the dtype of `x`.

    Example:
        >>> tf.tanh([0.0, 1.0]).numpy()
        array([0.       , 0.76159...], dtype=float32)
    """
    return jnp.tanh(checks.inexact(x))


@op
def asinh(x):
    """Return the number whose hyperbolic sine is ``x``, elementwise.

    Args:
        x: Float or complex.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.asinh([0.0, 1.0]).numpy()
        array([0.        , 0.88137...], dtype=float32)
    """
    return jnp.arcsinh(checks.inexact(x))


@op
def acosh(x):
    """Return the number at least 0 whose hyperbolic cosine is ``x``, elementwise.

    Args:
        x: Float or complex; NaN for floats below 1.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.acosh([1.0, 2.0]).numpy()
        array([0.      , 1.31695...], dtype=float32)
    """
    return jnp.arccosh(checks.inexact(x))


@op
def atanh(x):
    """Return the number whose hyperbolic tangent is ``x``, elementwise.

    Args:
        x: Float or complex; NaN for floats outside [-1, 1].

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.atanh([0.0, 0.5]).numpy()
        array([0.        , 0.54930...], dtype=float32)
    """
    return jnp.arctanh(checks.inexact(x))
