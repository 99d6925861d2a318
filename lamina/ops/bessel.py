"""Bessel functions of orders 0 and 1, elementwise.

J, Y and K are summed in float64: power series near 0, asymptotic series far from it (Abramowitz &
Stegun 1964, sections 9.1, 9.2, 9.6 and 9.7), and for K an integral in between.
"""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

from lamina.engine import op
from lamina.late import late_module
from lamina.ops import checks

__all__ = [
    "bessel_i0",
    "bessel_i0e",
    "bessel_i1",
    "bessel_i1e",
    "bessel_j0",
    "bessel_j1",
    "bessel_k0",
    "bessel_k0e",
    "bessel_k1",
    "bessel_k1e",
    "bessel_y0",
    "bessel_y1",
]

special = late_module("jax.scipy.special")

_FAR = 12.0  # from here the asymptotic series is exact to 1e-10
_TERMS = 40
_ASYMPTOTIC_TERMS = 20


def _horner(coefficients, z):
    total = jnp.zeros_like(z)
    for each in reversed(coefficients):
        total = total * z + each
    return total


@functools.cache
def _power_coefficients(order):
    """Return 1 / (k! (k + n)!), and these times ψ(k + 1) + ψ(k + n + 1)."""
    plain, weighted, harmonic = [], [], 0.0
    for k in range(_TERMS):
        size = 1 / (math.factorial(k) * math.factorial(k + order))
        psi = 2 * (harmonic - np.euler_gamma) + (1 / (k + 1) if order else 0)
        plain.append(size)
        weighted.append(size * psi)
        harmonic += 1 / (k + 1)
    return plain, weighted


@functools.cache
def _asymptotic_coefficients(order):
    """Return (4n² - 1²)(4n² - 3²) … (4n² - (2k - 1)²) / (k! 8ᵏ)."""
    out = [1.0]
    for k in range(1, _ASYMPTOTIC_TERMS):
        out.append(out[-1] * (4 * order**2 - (2 * k - 1) ** 2) / (8 * k))
    return out


def _far_pair(x, order):
    """Return Jₙ and Yₙ for large x: (A&S 9.2.5, 9.2.6)."""
    terms, w = _asymptotic_coefficients(order), 1 / x
    p = _horner([c * (-1) ** i for i, c in enumerate(terms[0::2])], w * w)
    q = _horner([c * (-1) ** i for i, c in enumerate(terms[1::2])], w * w) * w
    angle = x - (order / 2 + 0.25) * np.pi
    scale = jnp.sqrt(2 / (np.pi * x))
    sin, cos = jnp.sin(angle), jnp.cos(angle)
    return scale * (p * cos - q * sin), scale * (p * sin + q * cos)


def _near_pair(x, order):
    """Return Jₙ and Yₙ for small x: (A&S 9.1.10, 9.1.11)."""
    plain, weighted = _power_coefficients(order)
    half = x / 2
    z = -half * half
    j = half**order * _horner(plain, z)
    y = 2 * jnp.log(half) * j - half**order * _horner(weighted, z)
    return j, (y - (1 / half if order else 0)) / np.pi


def _wide(x):
    return x.astype(jnp.float64)


def _j(x, order):
    wide = jnp.abs(_wide(x))
    is_far = wide > _FAR
    near = _near_pair(jnp.where(is_far, 1.0, jnp.maximum(wide, 1e-300)), order)[0]
    out = jnp.where(is_far, _far_pair(jnp.where(is_far, wide, _FAR), order)[0], near)
    return (out * jnp.where((x < 0) & (order == 1), -1, 1)).astype(x.dtype)


def _y(x, order):
    wide = _wide(x)
    is_far = wide > _FAR
    near = _near_pair(jnp.where(is_far, 1.0, wide), order)[1]
    out = jnp.where(is_far, _far_pair(jnp.where(is_far, wide, _FAR), order)[1], near)
    return jnp.where(wide == 0, -jnp.inf, out).astype(x.dtype)


_INTEGRAL_FROM = 2.0
_NODES = np.arange(80) / 16  # trapezoids of width 1/16: the error is far below float64's


def _near_k(x, order):
    """Return exp(x) Kₙ for small x: (A&S 9.6.13, 9.6.11)."""
    plain, weighted = _power_coefficients(order)
    half = x / 2
    z = half * half
    i = half**order * _horner(plain, z)
    series = half**order * _horner(weighted, z) / 2
    out = jnp.log(half) * i + 1 / x - series if order else series - jnp.log(half) * i
    return jnp.exp(x) * out


def _middle_k(x, order):
    """Return exp(x) Kₙ = ∫ exp(-x (cosh t - 1)) cosh(n t) dt over t > 0: (A&S 9.6.24)."""
    weights = np.cosh(order * _NODES) / 16
    weights[0] /= 2
    return sum(w * jnp.exp(-x * (np.cosh(t) - 1)) for t, w in zip(_NODES, weights, strict=True))


def _far_k(x, order):
    """Return exp(x) Kₙ for large x: (A&S 9.7.2)."""
    return jnp.sqrt(np.pi / (2 * x)) * _horner(_asymptotic_coefficients(order), 1 / x)


def _ke(x, order):
    wide = _wide(x)
    far, near = wide > _FAR, wide < _INTEGRAL_FROM
    out = _middle_k(jnp.clip(wide, _INTEGRAL_FROM, _FAR), order)
    out = jnp.where(far, _far_k(jnp.where(far, wide, _FAR), order), out)
    out = jnp.where(near, _near_k(jnp.where(near, wide, 1.0), order), out)
    return jnp.where(wide == 0, jnp.inf, out).astype(x.dtype)


def _k(x, order):
    return jnp.exp(-x) * _ke(x, order)


def _with_derivative(forward, order, derivative):
    """Return a function with the derivative that the recurrences give."""
    function = jax.custom_jvp(lambda x: forward(x, order))

    @function.defjvp
    def _jvp(primals, tangents):
        (x,), (dx,) = primals, tangents
        y = function(x)
        return y, dx * derivative(x, y)

    return function


# A&S 9.1.27, 9.1.28, 9.6.26 and 9.6.27.
_j0 = _with_derivative(_j, 0, lambda x, y: -_j1(x))
_j1 = _with_derivative(_j, 1, lambda x, y: jnp.where(x == 0, 0.5, _j0(x) - y / _nonzero(x)))
_y0 = _with_derivative(_y, 0, lambda x, y: -_y1(x))
_y1 = _with_derivative(_y, 1, lambda x, y: _y0(x) - y / x)
_k0 = _with_derivative(_k, 0, lambda x, y: -_k1(x))
_k1 = _with_derivative(_k, 1, lambda x, y: -_k0(x) - y / x)
_k0e = _with_derivative(_ke, 0, lambda x, y: y - _k1e(x))
_k1e = _with_derivative(_ke, 1, lambda x, y: y * (1 - 1 / x) - _k0e(x))


def _nonzero(x):
    return jnp.where(x == 0, 1, x)


@op
def bessel_i0(x):
    """Return the modified Bessel function of the first kind of order 0, elementwise.

    Args:
        x: Float.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.special.bessel_i0([1.0, 20.0]).numpy()
        array([1.26606...e+00, 4.35582...e+07], dtype=float32)
    """
    return special.i0(checks.inexact(x))


@op
def bessel_i0e(x):
    """Return ``exp(-|x|) I₀(x)``, elementwise.

    Args:
        x: Float.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.special.bessel_i0e([1.0, 20.0]).numpy()
        array([0.46575..., 0.08978... ], dtype=float32)
    """
    return special.i0e(checks.inexact(x))


@op
def bessel_i1(x):
    """Return the modified Bessel function of the first kind of order 1, elementwise.

    Args:
        x: Float.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.special.bessel_i1([1.0, 20.0]).numpy()
        array([5.65159...e-01, 4.24549...e+07], dtype=float32)
    """
    return special.i1(checks.inexact(x))


@op
def bessel_i1e(x):
    """Return ``exp(-|x|) I₁(x)``, elementwise.

    Args:
        x: Float.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.special.bessel_i1e([1.0, 20.0]).numpy()
        array([0.20791..., 0.08750...], dtype=float32)
    """
    return special.i1e(checks.inexact(x))


@op
def bessel_j0(x):
    """Return the Bessel function of the first kind of order 0, elementwise.

    Args:
        x: Float.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.special.bessel_j0([1.0, 20.0]).numpy()
        array([0.76519... , 0.16702...], dtype=float32)
    """
    return _j0(checks.inexact(x))


@op
def bessel_j1(x):
    """Return the Bessel function of the first kind of order 1, elementwise.

    Args:
        x: Float.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.special.bessel_j1([1.0, 20.0]).numpy()
        array([0.44005..., 0.06683...], dtype=float32)
    """
    return _j1(checks.inexact(x))


@op
def bessel_k0(x):
    """Return the modified Bessel function of the second kind of order 0, elementwise.

    Args:
        x: Float above 0; NaN below.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.special.bessel_k0([1.0, 20.0]).numpy()
        array([4.21024...e-01, 5.74123...e-10], dtype=float32)
    """
    return _k0(checks.inexact(x))


@op
def bessel_k0e(x):
    """Return ``exp(x) K₀(x)``, elementwise.

    Args:
        x: Float above 0; NaN below.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.special.bessel_k0e([1.0, 20.0]).numpy()
        array([1.14446... , 0.27854...], dtype=float32)
    """
    return _k0e(checks.inexact(x))


@op
def bessel_k1(x):
    """Return the modified Bessel function of the second kind of order 1, elementwise.

    Args:
        x: Float above 0; NaN below.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.special.bessel_k1([1.0, 20.0]).numpy()
        array([6.01907...e-01, 5.88305...e-10], dtype=float32)
    """
    return _k1(checks.inexact(x))


@op
def bessel_k1e(x):
    """Return ``exp(x) K₁(x)``, elementwise.

    Args:
        x: Float above 0; NaN below.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.special.bessel_k1e([1.0, 20.0]).numpy()
        array([1.63615... , 0.28542...], dtype=float32)
    """
    return _k1e(checks.inexact(x))


@op
def bessel_y0(x):
    """Return the Bessel function of the second kind of order 0, elementwise.

    Args:
        x: Float above 0; NaN below.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.special.bessel_y0([1.0, 20.0]).numpy()
        array([0.08825..., 0.06264... ], dtype=float32)
    """
    return _y0(checks.inexact(x))


@op
def bessel_y1(x):
    """Return the Bessel function of the second kind of order 1, elementwise.

    Args:
        x: Float above 0; NaN below.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.special.bessel_y1([1.0, 20.0]).numpy()
        array([-0.78121... , -0.16551...], dtype=float32)
    """
    return _y1(checks.inexact(x))
