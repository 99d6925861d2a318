"""Smooth activation functions, and the softmax family."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from lamina.engine import op
from lamina.ops import checks

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "squareplus",
    "swish",
    "tanh_shrink",
]

_SELU_SCALE = 1.0507009873554805
_SELU_ALPHA = 1.6732632423543772


def _expm1_below(x):
    """Return ``exp(x) - 1`` for negative x, else 0, without overflow on the other side."""
    return jnp.expm1(jnp.where(x < 0, x, 0))


@op
def elu(features, *, alpha=1.0):
    """Return ``features`` where positive, ``alpha * (exp(features) - 1)`` elsewhere.

    Args:
        features: Floating point, any shape.
        alpha: Minus the limit on the negative side.

    Returns:
        Shape and dtype of ``features``.

    Raises:
        InvalidArgumentError: ``features`` is not floating point.

    Example:
        >>> tf.nn.elu([-1.0, 3.0]).numpy()
        array([-0.63212055,  3.        ], dtype=float32)

    Reference: Clevert et al. 2016, https://arxiv.org/abs/1511.07289, eq. 15.
    """
    checks.inexact(features, "features")
    return jnp.where(features < 0, alpha * _expm1_below(features), features)


@op
def selu(features):
    """Return the self-normalising ``scale * elu(features, alpha)``.

    ``scale`` is 1.0507 and ``alpha`` 1.6733: zero mean and unit variance are then a fixed point.

    Args:
        features: Floating point, any shape.

    Returns:
        Shape and dtype of ``features``.

    Raises:
        InvalidArgumentError: ``features`` is not floating point.

    Example:
        >>> tf.nn.selu([-1.0, 3.0]).numpy()
        array([-1.1113307,  3.152103 ], dtype=float32)

    Reference: Klambauer et al. 2017, https://arxiv.org/abs/1706.02515.
    """
    checks.inexact(features, "features")
    negative = (_SELU_SCALE * _SELU_ALPHA) * _expm1_below(features)
    return jnp.where(features < 0, negative, _SELU_SCALE * features)


@op
def celu(x, alpha=1.0):
    """Return ``max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))``.

    Args:
        x: Floating point, any shape.
        alpha: Minus the limit on the negative side.

    Returns:
        Shape and dtype of ``x``.

    Raises:
        InvalidArgumentError: ``x`` is not floating point.

    Example:
        >>> tf.keras.activations.celu(tf.constant([-1.0, 3.0])).numpy()
        array([-0.63212055,  3.        ], dtype=float32)

    Reference: Barron 2017, https://arxiv.org/abs/1704.07483.
    """
    checks.inexact(x)
    # Both terms pass the gradient at 0, as in Keras.
    return jnp.where(x < 0, 0, x) + alpha * jnp.expm1(jnp.where(x > 0, 0, x) / alpha)


@op
def gelu(features, approximate=False):
    """Return ``features * P(N(0, 1) <= features)``.

    Args:
        features: Floating point, any shape.
        approximate: Use the tanh formula in place of the error function.

    Returns:
        Shape and dtype of ``features``.

    Raises:
        InvalidArgumentError: ``features`` is not floating point.

    Example:
        >>> tf.nn.gelu([-1.0, 1.0]).numpy()
        array([-0.15865526,  0.8413447 ], dtype=float32)

    Reference: Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415.
    """
    checks.inexact(features, "features")
    if approximate:
        inner = math.sqrt(2.0 / math.pi) * (features + 0.044715 * features**3)
        return 0.5 * features * (1.0 + jnp.tanh(inner))
    return 0.5 * features * (1.0 + lax.erf(features * math.sqrt(0.5)))


@op
def glu(x, axis=-1):
    """Split ``x`` in two halves a and b along ``axis``, and return ``a * sigmoid(b)``.

    Args:
        x: Floating point, any shape.
        axis: The axis to split; of even size.

    Returns:
        The shape of ``x`` with ``axis`` halved, same dtype.

    Raises:
        ValueError: the size of ``axis`` is odd.

    Example:
        >>> tf.keras.activations.glu(tf.constant([2.0, 0.0])).numpy()
        array([1.], dtype=float32)

    Reference: Dauphin et al. 2017, https://arxiv.org/abs/1612.08083.
    """
    checks.inexact(x)
    if x.shape[axis] % 2 != 0:
        raise ValueError(
            f"the size of axis {axis} must be even; got shape {tuple(x.shape)}.\n"
            "  Fix: give the layer before it an even number of units."
        )
    a, b = jnp.split(x, 2, axis=axis)
    return a * lax.logistic(b)


@op
def sigmoid(x):
    """Return ``1 / (1 + exp(-x))``.

    Args:
        x: Floating point or complex, any shape.

    Returns:
        Shape and dtype of ``x``, in [0, 1].

    Raises:
        InvalidArgumentError: ``x`` is not floating point.

    Example:
        >>> tf.sigmoid([0.0, 2.0]).numpy().round(4)
        array([0.5   , 0.8808], dtype=float32)
    """
    checks.inexact(x)
    return lax.logistic(x)


@op
def log_sigmoid(x):
    """Return ``log(sigmoid(x))``, exact where the sigmoid underflows.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of ``x``, never positive.

    Raises:
        InvalidArgumentError: ``x`` is not floating point.

    Example:
        >>> tf.math.log_sigmoid([-1000.0, 0.0]).numpy().round(4)
        array([-1.000e+03, -6.931e-01], dtype=float32)
    """
    checks.inexact(x)
    return -jnp.logaddexp(-x, 0.0)


@op
def softplus(features):
    """Return ``log(1 + exp(features))``, without overflow.

    Args:
        features: Floating point, any shape.

    Returns:
        Shape and dtype of ``features``, never negative.

    Raises:
        InvalidArgumentError: ``features`` is not floating point.

    Example:
        >>> tf.math.softplus([-1000.0, 0.0, 1000.0]).numpy().round(4)
        array([0.000e+00, 6.931e-01, 1.000e+03], dtype=float32)
    """
    checks.inexact(features, "features")
    return jnp.logaddexp(features, 0.0)


@op
def softsign(features):
    """Return ``features / (1 + abs(features))``.

    Args:
        features: Floating point, any shape.

    Returns:
        Shape and dtype of ``features``, in [-1, 1].

    Raises:
        InvalidArgumentError: ``features`` is not floating point.

    Example:
        >>> tf.nn.softsign([-1.0, 3.0]).numpy()
        array([-0.5 ,  0.75], dtype=float32)
    """
    checks.inexact(features, "features")
    return features / (1.0 + jnp.abs(features))


@op
def _silu(features):
    checks.inexact(features, "features")
    return features * lax.logistic(features)


@op
def _swish(features, beta):
    checks.inexact(features, "features")
    return features * lax.logistic(beta * features)


def silu(features, beta: Any = 1.0):
    """Return ``features * sigmoid(beta * features)``.

    Args:
        features: Floating point, any shape.
        beta: Steepness of the sigmoid: a number, or a tensor that broadcasts, for which there
            is a gradient too.

    Returns:
        Shape and dtype of ``features``.

    Raises:
        InvalidArgumentError: ``features`` is not floating point.

    Example:
        >>> tf.nn.silu([0.0, 2.0]).numpy().round(4)
        array([0.    , 1.7616], dtype=float32)

    Reference: Ramachandran et al. 2017, https://arxiv.org/abs/1710.05941.
    """
    if isinstance(beta, (int, float)) and beta == 1:
        return _silu(features)
    return _swish(features, beta)


swish = silu


@op
def tanh_shrink(x):
    """Return ``x - tanh(x)``.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of ``x``.

    Raises:
        InvalidArgumentError: ``x`` is not floating point.

    Example:
        >>> tf.keras.activations.tanh_shrink(tf.constant([0.0, 2.0])).numpy()
        array([0.       , 1.0359724], dtype=float32)
    """
    checks.inexact(x)
    return x - jnp.tanh(x)


@op
def squareplus(x, b=4):
    """Return ``(x + sqrt(x² + b)) / 2``, a smooth relu.

    Args:
        x: Floating point, any shape.
        b: Width of the bend; 0 gives relu.

    Returns:
        Shape and dtype of ``x``.

    Raises:
        InvalidArgumentError: ``x`` is not floating point.

    Example:
        >>> tf.keras.activations.squareplus(tf.constant([0.0, 1.5])).numpy()
        array([1., 2.], dtype=float32)

    Reference: Barron 2021, https://arxiv.org/abs/2112.11687.
    """
    checks.inexact(x)
    return (x + jnp.sqrt(jnp.square(x) + b)) / 2


@op
def mish(x):
    """Return ``x * tanh(softplus(x))``.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of ``x``.

    Raises:
        InvalidArgumentError: ``x`` is not floating point.

    Example:
        >>> tf.keras.activations.mish(tf.constant([0.0, 1.0])).numpy().round(4)
        array([0.    , 0.8651], dtype=float32)

    Reference: Misra 2019, https://arxiv.org/abs/1908.08681.
    """
    checks.inexact(x)
    return x * jnp.tanh(jnp.logaddexp(x, 0.0))


@op
def softmax(logits, axis=None):
    """Return ``exp(logits) / sum(exp(logits))`` along one axis, without overflow.

    Args:
        logits: Floating point, rank 1 or more.
        axis: The axis that sums to 1; None is the last.

    Returns:
        Shape and dtype of ``logits``, in [0, 1].

    Raises:
        InvalidArgumentError: ``logits`` is not floating point.

    Example:
        >>> tf.nn.softmax([0.0, 0.0, -1000.0]).numpy()
        array([0.5, 0.5, 0. ], dtype=float32)
    """
    checks.inexact(logits, "logits")
    return jax.nn.softmax(logits, axis=-1 if axis is None else axis)


@op
def log_softmax(logits, axis=None):
    """Return ``logits - log(sum(exp(logits)))`` along one axis, without overflow.

    Args:
        logits: Floating point, rank 1 or more.
        axis: The axis whose exponentials sum to 1; None is the last.

    Returns:
        Shape and dtype of ``logits``, never positive.

    Raises:
        InvalidArgumentError: ``logits`` is not floating point.

    Example:
        >>> tf.nn.log_softmax([0.0, 0.0]).numpy()
        array([-0.6931472, -0.6931472], dtype=float32)
    """
    checks.inexact(logits, "logits")
    return jax.nn.log_softmax(logits, axis=-1 if axis is None else axis)
