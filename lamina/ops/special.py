"""Special functions, elementwise: error, gamma and beta functions, and integrals."""

import math

import jax
import jax.numpy as jnp
from jax import lax

from lamina.engine import op
from lamina.late import late_module
from lamina.ops import checks

__all__ = [
    "betainc",
    "dawsn",
    "digamma",
    "erf",
    "erfc",
    "erfcinv",
    "erfinv",
    "expint",
    "fresnel_cos",
    "fresnel_sin",
    "igamma",
    "igammac",
    "lbeta",
    "lgamma",
    "ndtri",
    "polygamma",
    "spence",
    "zeta",
]

special = late_module("jax.scipy.special")


@op
def erf(x):
    """Return the error function ``2 / sqrt(pi) ∫₀ˣ exp(-t²) dt``, elementwise.

    Args:
        x: Float.

    Returns:
        Values in [-1, 1], in the dtype of `x`.

    Example:
        >>> tf.math.erf([0.0, 1.0]).numpy()
        array([0.        , 0.84270...], dtype=float32)
    """
    return lax.erf(checks.inexact(x))


@op
def erfc(x):
    """Return ``1 - erf(x)``, accurate for large ``x``, elementwise.

    Args:
        x: Float.

    Returns:
        Values in [0, 2], in the dtype of `x`.

    Example:
        >>> tf.math.erfc([0.0, 1.0]).numpy()
        array([1.        , 0.15729...], dtype=float32)
    """
    return lax.erfc(checks.inexact(x))


@op
def erfinv(x):
    """Return the inverse of the error function, elementwise.

    Args:
        x: Float in (-1, 1).

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.erfinv([0.0, 0.5]).numpy()
        array([0.        , 0.47693...], dtype=float32)
    """
    return lax.erf_inv(checks.inexact(x))


@op
def ndtri(x):
    """Return the quantile of the standard normal distribution, elementwise.

    Args:
        x: Float, a probability in (0, 1).

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.ndtri([0.5, 0.975]).numpy()
        array([0.       , 1.95996...], dtype=float32)
    """
    return special.ndtri(checks.inexact(x))


@op
def erfcinv(x):
    """Return the inverse of ``erfc``, elementwise.

    Args:
        x: Float in (0, 2).

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.erfcinv([0.5, 1.5]).numpy()
        array([ 0.47693..., -0.47693...], dtype=float32)
    """
    return -special.ndtri(checks.inexact(x) * 0.5) * math.sqrt(0.5)


@op
def lgamma(x):
    """Return the logarithm of the absolute value of the gamma function, elementwise.

    Args:
        x: Float.

    Returns:
        The dtype of `x`; inf at 0 and the negative integers.

    Example:
        >>> tf.math.lgamma([1.0, 5.0]).numpy()
        array([0.       , 3.17805...], dtype=float32)
    """
    return lax.lgamma(checks.inexact(x))


@op
def digamma(x):
    """Return the derivative of ``lgamma``, elementwise.

    Args:
        x: Float.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.digamma([1.0]).numpy()
        array([-0.57721...], dtype=float32)
    """
    return jnp.where(checks.inexact(x) == 0, jnp.nan, lax.digamma(x))  # a pole, NaN in TF


@op
def polygamma(a, x):
    """Return the ``a``-th derivative of ``digamma`` at ``x``, elementwise.

    Args:
        a: Whole numbers at least 0, as floats. They get no gradient.
        x: Float above 0, of the same dtype.

    Returns:
        The operands' dtype.

    Example:
        >>> tf.math.polygamma([1.0], [1.0]).numpy()
        array([1.64493...], dtype=float32)
    """
    a, x = jnp.broadcast_arrays(checks.inexact(a, "a"), x)
    return lax.polygamma(lax.stop_gradient(a), x)


@jax.custom_jvp
def _zeta(x, q):
    return lax.zeta(x, q)


@_zeta.defjvp
def _slope_of_zeta(at, steps):
    x, q = at
    return _zeta(x, q), -x * _zeta(x + 1, q) * steps[1]  # as TF, no slope in x


@op
def zeta(x, q):
    """Return the Hurwitz zeta function ``Σ (q + n)⁻ˣ`` over n from 0, elementwise.

    Args:
        x: Float above 1. It gets no gradient.
        q: Float above 0, of the same dtype.

    Returns:
        The operands' dtype.

    Example:
        >>> tf.math.zeta([2.0], [1.0]).numpy()
        array([1.64493...], dtype=float32)
    """
    return _zeta(*jnp.broadcast_arrays(checks.inexact(x), q))


@op
def igamma(a, x):
    """Return the lower regularized incomplete gamma function P(a, x), elementwise.

    Args:
        a: Float above 0.
        x: Float at least 0, of the same dtype.

    Returns:
        Values in [0, 1], in the operands' dtype.

    Example:
        >>> tf.math.igamma([1.0], [1.0]).numpy()
        array([0.63212...], dtype=float32)
    """
    a, x = jnp.broadcast_arrays(checks.inexact(a, "a"), x)
    return jnp.where(a > 0, lax.igamma(a, x), jnp.nan)


@op
def igammac(a, x):
    """Return the upper regularized incomplete gamma function ``1 - P(a, x)``, elementwise.

    Args:
        a: Float above 0.
        x: Float at least 0, of the same dtype.

    Returns:
        Values in [0, 1], in the operands' dtype.

    Example:
        >>> tf.math.igammac([1.0], [1.0]).numpy()
        array([0.36787...], dtype=float32)
    """
    a, x = jnp.broadcast_arrays(checks.inexact(a, "a"), x)
    return jnp.where(a > 0, lax.igammac(a, x), jnp.nan)


@jax.custom_jvp
def _betainc(a, b, x):
    return lax.betainc(a, b, x)


@_betainc.defjvp
def _slope_of_betainc(at, steps):
    """Return the density of the beta distribution; as in TF, it has slopes in a and b itself."""
    a, b, x = at
    log_beta = lax.lgamma(a) + lax.lgamma(b) - lax.lgamma(a + b)
    density = jnp.exp(special.xlog1py(b - 1, -x) + special.xlogy(a - 1, x) - log_beta)
    return _betainc(a, b, x), density * steps[2]


@op
def betainc(a, b, x):
    """Return the regularized incomplete beta function, elementwise.

    Args:
        a: Float above 0. It gets no gradient.
        b: Float above 0, of the same dtype. It gets no gradient.
        x: Float in [0, 1], of the same dtype.

    Returns:
        Values in [0, 1], in the operands' dtype.

    Example:
        >>> tf.math.betainc([1.0], [1.0], [0.25]).numpy()
        array([0.25], dtype=float32)
    """
    a, b, x = jnp.broadcast_arrays(checks.inexact(a, "a"), b, x)
    return jnp.where((a > 0) & (b > 0), _betainc(a, b, x), jnp.nan)


@op
def lbeta(x):
    """Return the logarithm of the multivariate beta function of the last axis.

    Args:
        x: Float above 0, ``(…, K)``.

    Returns:
        ``(…)`` in the dtype of `x`: ``Σ lgamma(x) - lgamma(Σ x)``.

    Example:
        >>> tf.math.lbeta([1.0, 1.0, 1.0]).numpy()
        np.float32(-0.69314...)
    """
    x = checks.inexact(x)
    return jnp.sum(lax.lgamma(x), axis=-1) - lax.lgamma(jnp.sum(x, axis=-1))


@op
def dawsn(x):
    """Return Dawson's integral ``exp(-x²) ∫₀ˣ exp(t²) dt``, elementwise.

    Args:
        x: Float.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.special.dawsn([0.0, 1.0]).numpy()
        array([0.       , 0.53807...], dtype=float32)
    """
    return special.dawsn(checks.inexact(x))


@op
def expint(x):
    """Return the exponential integral ``Ei(x) = ∫ exp(t) / t dt`` from -inf, elementwise.

    Args:
        x: Float.

    Returns:
        The dtype of `x`; NaN below 0.

    Example:
        >>> tf.math.special.expint([1.0]).numpy()
        array([1.89511...], dtype=float32)
    """
    return jnp.where(checks.inexact(x) < 0, jnp.nan, special.expi(x))  # as TF's kernel


@op
def fresnel_cos(x):
    """Return Fresnel's integral ``∫₀ˣ cos(pi t² / 2) dt``, elementwise.

    Args:
        x: Float.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.special.fresnel_cos([0.0, 1.0]).numpy()
        array([0.       , 0.77989...], dtype=float32)
    """
    return special.fresnel(checks.inexact(x))[1]


@op
def fresnel_sin(x):
    """Return Fresnel's integral ``∫₀ˣ sin(pi t² / 2) dt``, elementwise.

    Args:
        x: Float.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.special.fresnel_sin([0.0, 1.0]).numpy()
        array([0.        , 0.43825...], dtype=float32)
    """
    return special.fresnel(checks.inexact(x))[0]


@jax.custom_jvp
def _spence(x):
    return special.spence(x)


@_spence.defjvp
def _slope_of_spence(at, steps):
    """Return ``log(x) / (1 - x)``; its series about 1, where that is 0 / 0."""
    (x,), (step,) = at, steps
    h = x - 1
    is_near = jnp.abs(h) < 1e-4
    far = jnp.where(is_near, jnp.ones_like(h), h)
    slope = jnp.where(is_near, -1 + h / 2 - h**2 / 3 + h**3 / 4, -jnp.log1p(far) / far)
    return _spence(x), slope * step


@op
def spence(x):
    """Return Spence's integral ``∫ log(t) / (1 - t) dt`` from 1 to ``x``, elementwise.

    Args:
        x: Float at least 0.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.special.spence([1.0, 2.0]).numpy()
        array([ 0.        , -0.82246...], dtype=float32)
    """
    return _spence(checks.inexact(x))
