"""Functions of each element, with NumPy's meaning.

Shapes: operands broadcast; results have the broadcast shape. Dtypes: two operands have one dtype,
which is the result's, unless a docstring says otherwise.
"""

import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina.engine import op
from lamina.ops import checks
from lamina.ops.quotient import divided

__all__ = [
    "cbrt",
    "decimal_rounded",
    "deg2rad",
    "exp2",
    "fmax",
    "fmin",
    "fmod",
    "gcd",
    "heaviside",
    "hypot",
    "isclose",
    "isneginf",
    "isposinf",
    "isreal",
    "lcm",
    "ldexp",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "nan_to_num",
    "rad2deg",
    "signbit",
    "sinc",
    "trunc",
]


# ---- roots, exponentials, logarithms -------------------------------------------------------------


@op
def cbrt(x):
    """Return the real cube root of floats, which keeps the sign."""
    return jnp.cbrt(x)


@op
def exp2(x):
    """Return 2 to the power `x`, for floats and complex numbers."""
    return jnp.exp2(x)


@op
def log2(x):
    """Return the logarithm to base 2."""
    return jnp.log2(x)


@op
def log10(x):
    """Return the logarithm to base 10."""
    return jnp.log10(x)


@op
def logaddexp(x, y):
    """Return ``log(exp(x) + exp(y))`` without overflow."""
    return jnp.logaddexp(x, y)


@op
def logaddexp2(x, y):
    """Return ``log2(2**x + 2**y)`` without overflow."""
    return jnp.logaddexp2(x, y)


@op
def ldexp(x, exponent):
    """Return ``x * 2**exponent``; both have one float dtype."""
    return x * jnp.exp2(exponent)


@op
def hypot(x, y):
    """Return ``sqrt(x² + y²)`` without overflow."""
    x, y = jnp.abs(x), jnp.abs(y)
    largest, least = jnp.maximum(x, y), jnp.minimum(x, y)
    # The inner `where` keeps the gradient finite where both are 0.
    ratio = least / jnp.where(largest == 0, jnp.ones_like(largest), largest)
    return jnp.where(jnp.isinf(largest), largest, largest * jnp.sqrt(1 + ratio * ratio))


# ---- angles --------------------------------------------------------------------------------------


@op
def deg2rad(x):
    """Return degrees as radians."""
    return x * np.asarray(np.pi / 180, x.dtype)


@op
def rad2deg(x):
    """Return radians as degrees."""
    return x * np.asarray(180 / np.pi, x.dtype)


@op
def sinc(x):
    """Return ``sin(πx) / (πx)``, 1 at 0."""
    return jnp.sinc(x)


# ---- rounding, signs -----------------------------------------------------------------------------


@op(differentiable=False)
def trunc(x):
    """Return numbers without their fraction."""
    return jnp.trunc(x) if jnp.issubdtype(x.dtype, jnp.floating) else x


@op(differentiable=False)
def decimal_rounded(x, *, decimals):
    """Return numbers rounded to `decimals` places, halves to even; negative ones round tens."""
    if jnp.issubdtype(x.dtype, jnp.integer):
        if decimals >= 0:
            return x
        unit = np.asarray(10**-decimals, x.dtype)
        return (jnp.round(x / unit) * unit).astype(x.dtype)
    factor = np.asarray(10.0**decimals, x.dtype)
    return divided(jnp.round(x * factor), factor)


@op(differentiable=False)
def signbit(x):
    """Return whether the sign is set, bool: -0.0 counts, and of complex numbers the real part."""
    if jnp.issubdtype(x.dtype, jnp.complexfloating):
        x = jnp.real(x)
    return jnp.signbit(x)


@op(differentiable=False)
def isposinf(x):
    """Return whether elements are plus infinity, bool."""
    return x == jnp.inf if jnp.issubdtype(x.dtype, jnp.inexact) else jnp.zeros(x.shape, bool)


@op(differentiable=False)
def isneginf(x):
    """Return whether elements are minus infinity, bool."""
    return x == -jnp.inf if jnp.issubdtype(x.dtype, jnp.inexact) else jnp.zeros(x.shape, bool)


@op(differentiable=False)
def isreal(x):
    """Return whether the imaginary part is 0, bool."""
    return jnp.isreal(x)


@op
def nan_to_num(x, *, nan, posinf, neginf):
    """Return `x` with NaN and the infinities replaced; None stands for the largest floats."""
    if not jnp.issubdtype(x.dtype, jnp.inexact):
        return x
    return jnp.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


@op(needs=lambda: (1,))
def heaviside(x, y):
    """Return 0 where `x` is negative, 1 where it is positive, else `y`: at NaN too, as in Keras."""
    return jnp.where(x < 0, jnp.zeros_like(x), jnp.where(x > 0, jnp.ones_like(x), y))


# ---- two operands --------------------------------------------------------------------------------


def _present(x, y, choose):
    """Return `x` where `choose(x, y)` or `y` is NaN, else `y`: as in TF, `x` wins at a tie."""
    return jnp.where(choose(x, y) | jnp.isnan(y), x, y)


@op
def fmax(x, y):
    """Return the larger of two; NaN only where both are."""
    return _present(x, y, jnp.greater_equal)


@op
def fmin(x, y):
    """Return the smaller of two; NaN only where both are."""
    return _present(x, y, jnp.less_equal)


@op
def fmod(x, y):
    """Return the remainder of the division that rounds to 0: it has the sign of `x`."""
    if jnp.issubdtype(x.dtype, jnp.integer):
        y = jnp.where(y == 0, jnp.ones_like(y), y)
    return lax.rem(*jnp.broadcast_arrays(x, y))


@op(differentiable=False)
def gcd(x, y):
    """Return the greatest common divisor of integers."""
    return jnp.gcd(checks.integer(x), checks.integer(y))


@op(differentiable=False)
def lcm(x, y):
    """Return the least common multiple of integers."""
    return jnp.lcm(checks.integer(x), checks.integer(y))


@op(differentiable=False)
def isclose(x, y, *, rtol, atol, equal_nan):
    """Return where ``|x - y| ≤ atol + rtol * |y|``, bool."""
    return jnp.isclose(x, y, rtol=rtol, atol=atol, equal_nan=equal_nan)
