"""Piecewise activation functions: rectifiers, hard sigmoids, shrinkage.

Gradients follow TensorFlow at the joints: relu's is 0 at 0, a clip's is 1 on its bounds.
"""

import jax
import jax.numpy as jnp
from jax import lax

from lamina.engine import op
from lamina.ops import checks

__all__ = [
    "crelu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "relu",
    "relu6",
    "soft_shrink",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "threshold",
]


@jax.custom_jvp
def rectify(x):
    """Return ``max(x, 0)``, with gradient 0 at 0 and at NaN, as TF's ReluGrad has it."""
    return jnp.maximum(x, 0)


rectify.defjvps(lambda g, ans, x: jnp.where(x > 0, g, 0))


@jax.custom_jvp
def _rectify6(x):
    return jnp.minimum(jnp.maximum(x, 0), 6)


_rectify6.defjvps(lambda g, ans, x: jnp.where((x > 0) & (x < 6), g, 0))


@op
def relu(features):
    """Return ``max(features, 0)``; the gradient at 0 is 0.

    Args:
        features: Numbers of any real dtype, any shape.

    Returns:
        Shape and dtype of ``features``. NaN stays NaN.

    Example:
        >>> tf.nn.relu([-2.0, 0.0, 3.0]).numpy()
        array([0., 0., 3.], dtype=float32)
    """
    return rectify(checks.numeric(features, "features"))


@op
def relu6(features):
    """Return ``min(max(features, 0), 6)``; the gradient is 0 at both bounds.

    Args:
        features: Numbers of any real dtype, any shape.

    Returns:
        Shape and dtype of ``features``.

    Example:
        >>> tf.nn.relu6([-2.0, 3.0, 8.0]).numpy()
        array([0., 3., 6.], dtype=float32)

    Reference: Krizhevsky 2010, "Convolutional Deep Belief Networks on CIFAR-10".
    """
    return _rectify6(features)


@op
def crelu(features, axis=-1):
    """Concatenate ``relu(features)`` and ``relu(-features)``.

    Args:
        features: Numbers of any real dtype, any shape.
        axis: The axis that doubles in size.

    Returns:
        The shape of ``features`` with ``axis`` doubled, same dtype.

    Example:
        >>> tf.nn.crelu([-2.0, 3.0]).numpy()
        array([0., 3., 2., 0.], dtype=float32)

    Reference: Shang et al. 2016, https://arxiv.org/abs/1603.05201.
    """
    return rectify(jnp.concatenate([features, -features], axis=axis))


@op
def leaky_relu(features, alpha=0.2):
    """Return ``features`` where positive, ``alpha * features`` elsewhere.

    Args:
        features: Numbers of any shape; integers are converted to float32, as in TF.
        alpha: Slope of the negative side.

    Returns:
        Shape of ``features``; its dtype if floating point.

    Example:
        >>> tf.nn.leaky_relu([-2.0, 3.0]).numpy()
        array([-0.4,  3. ], dtype=float32)

    Reference: Maas et al. 2013, "Rectifier Nonlinearities Improve Neural Network Acoustic Models".
    """
    if jnp.issubdtype(features.dtype, jnp.integer):
        features = features.astype(jnp.float32)
    return jnp.where(features > 0, features, features * alpha)


@op
def hard_sigmoid(x):
    """Return ``relu6(x + 3) / 6``.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of ``x``, in [0, 1].

    Raises:
        InvalidArgumentError: ``x`` is not floating point.

    Example:
        >>> tf.keras.activations.hard_sigmoid(tf.constant([-4.0, 0.0, 4.0])).numpy()
        array([0. , 0.5, 1. ], dtype=float32)
    """
    checks.inexact(x)
    return _rectify6(x + 3.0) / 6.0


@op
def hard_silu(x):
    """Return ``x * hard_sigmoid(x)``.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of ``x``.

    Raises:
        InvalidArgumentError: ``x`` is not floating point.

    Example:
        >>> tf.keras.activations.hard_silu(tf.constant([-4.0, 0.0, 4.0])).numpy()
        array([-0.,  0.,  4.], dtype=float32)

    Reference: Howard et al. 2019, https://arxiv.org/abs/1905.02244, section 5.2.
    """
    checks.inexact(x)
    return x * (_rectify6(x + 3.0) / 6.0)


hard_swish = hard_silu


@op
def hard_tanh(x):
    """Return ``x`` clipped to [-1, 1]; the gradient is 1 on the bounds.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of ``x``.

    Raises:
        InvalidArgumentError: ``x`` is not floating point.

    Example:
        >>> tf.keras.activations.hard_tanh(tf.constant([-4.0, 0.5])).numpy()
        array([-1. ,  0.5], dtype=float32)
    """
    checks.inexact(x)
    return jnp.where(x < -1.0, -1.0, jnp.where(x > 1.0, 1.0, x))


@op
def hard_shrink(x, threshold=0.5):
    """Return ``x`` where ``abs(x) > threshold``, else 0.

    Args:
        x: Floating point, any shape.
        threshold: Half the width of the zone that becomes 0.

    Returns:
        Shape and dtype of ``x``.

    Example:
        >>> tf.keras.activations.hard_shrink(tf.constant([-0.4, 0.6])).numpy()
        array([0. , 0.6], dtype=float32)
    """
    return jnp.where(jnp.abs(x) > threshold, x, 0)


@op
def soft_shrink(x, threshold=0.5):
    """Move ``x`` towards 0 by ``threshold``, stopping at 0.

    Args:
        x: Floating point, any shape.
        threshold: How far values move.

    Returns:
        Shape and dtype of ``x``.

    Example:
        >>> tf.keras.activations.soft_shrink(tf.constant([-0.4, 1.5])).numpy()
        array([0., 1.], dtype=float32)
    """
    return jnp.where(x > threshold, x - threshold, jnp.where(x < -threshold, x + threshold, 0))


@op
def threshold(x, threshold, default_value):
    """Return ``x`` where it exceeds ``threshold``, else ``default_value``.

    Args:
        x: Numbers, any shape.
        threshold: Number or tensor that broadcasts to ``x``.
        default_value: Number or tensor that broadcasts to ``x``.

    Returns:
        Shape and dtype of ``x``.

    Example:
        >>> tf.keras.activations.threshold(tf.constant([0.1, 2.0]), 1.0, 7.0).numpy()
        array([7., 2.], dtype=float32)
    """
    return jnp.where(x > threshold, x, default_value)


@op
def sparse_plus(x):
    """Return 0 below -1, ``x`` above 1, and ``(x + 1)² / 4`` between.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of ``x``.

    Example:
        >>> tf.keras.activations.sparse_plus(tf.constant([-2.0, 0.0, 3.0])).numpy()
        array([0.  , 0.25, 3.  ], dtype=float32)
    """
    return jnp.where(x <= -1, 0, jnp.where(x < 1, 0.25 * jnp.square(x + 1), x))


@op
def sparse_sigmoid(x):
    """Return 0 below -1, 1 above 1, and ``(x + 1) / 2`` between.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of ``x``, in [0, 1].

    Example:
        >>> tf.keras.activations.sparse_sigmoid(tf.constant([-2.0, 0.0, 3.0])).numpy()
        array([0. , 0.5, 1. ], dtype=float32)
    """
    return jnp.where(x <= -1, 0, jnp.where(x >= 1, 1, 0.5 * (x + 1)))


@op
def sparsemax(x, axis=-1):
    """Return ``max(x - tau, 0)``, a softmax that can reach exact zeros.

    Args:
        x: Floating point, any shape.
        axis: The axis normalised over.

    Returns:
        Shape and dtype of ``x``.

    Raises:
        InvalidArgumentError: ``x`` is not floating point.

    Example:
        >>> tf.keras.activations.sparsemax(tf.constant([3.0, 0.0, -1.0])).numpy()
        array([1., 0., 0.], dtype=float32)

    Reference: Martins and Astudillo 2016, https://arxiv.org/abs/1602.02068.
    """
    checks.inexact(x)
    z = jnp.flip(jnp.sort(x, axis=axis), axis=axis)
    sums = jnp.cumsum(z, axis=axis)
    rank = lax.broadcasted_iota(x.dtype, x.shape, axis % x.ndim) + 1
    support = z - (sums - 1) / rank > 0
    size = jnp.sum(support, axis=axis, keepdims=True).astype(x.dtype)
    # Keras adds up the cumulative sums, not the entries, over the support: with more than one
    # entry in it tau is larger than the paper's. The numbers here are Keras's.
    tau = (jnp.sum(jnp.where(support, sums, 0), axis=axis, keepdims=True) - 1) / size
    difference = x - tau
    return jnp.where(difference < 0, 0, difference)
