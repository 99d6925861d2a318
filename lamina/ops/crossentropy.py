"""Cross-entropies, from logits and from probabilities, and their relatives."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from lamina.engine import local, op
from lamina.ops import checks

__all__ = [
    "binary_crossentropy",
    "categorical_crossentropy",
    "compute_average_loss",
    "log_poisson_loss",
    "scale_regularization_loss",
    "sigmoid_cross_entropy_with_logits",
    "softmax_cross_entropy_with_logits",
    "sparse_categorical_crossentropy",
    "sparse_softmax_cross_entropy_with_logits",
    "weighted_cross_entropy_with_logits",
]


def _require_same_shape(first, a, second, b):
    """Raise ValueError where two shapes are known to differ."""
    differ = a.ndim != b.ndim or any(
        isinstance(m, int) and isinstance(n, int) and m != n
        for m, n in zip(a.shape, b.shape, strict=False)
    )
    if differ:
        raise ValueError(
            f"`{first}` and `{second}` must have the same shape; got {tuple(a.shape)} and "
            f"{tuple(b.shape)}.\n  Fix: tf.reshape or tf.one_hot the labels."
        )


@jax.custom_jvp
def softmax_xent(labels, logits):
    """Return the cross-entropy along the last axis; both arguments have one shape."""
    return -jnp.sum(labels * jax.nn.log_softmax(logits, axis=-1), axis=-1)


@softmax_xent.defjvp
def _softmax_xent_jvp(primals, tangents):
    # TF's gradient is softmax - labels: it takes labels to sum to 1. The labels in it are a
    # constant, so that second-order gradients are TF's as well.
    labels, logits = primals
    dlabels, dlogits = tangents
    log_p = jax.nn.log_softmax(logits, axis=-1)
    change = (jnp.exp(log_p) - lax.stop_gradient(labels)) * dlogits - log_p * dlabels
    return softmax_xent(labels, logits), jnp.sum(change, axis=-1)


def _softmax_xent_along(labels, logits, axis):
    checks.inexact(labels, "labels")
    checks.inexact(logits, "logits")
    if axis not in (-1, logits.ndim - 1):
        labels, logits = jnp.moveaxis(labels, axis, -1), jnp.moveaxis(logits, axis, -1)
    shape = jnp.broadcast_shapes(labels.shape, logits.shape)
    if labels.shape != shape or logits.shape != shape:
        labels, logits = jnp.broadcast_to(labels, shape), jnp.broadcast_to(logits, shape)
    return softmax_xent(labels, logits)


@op(mixed=True)
def _softmax_cross_entropy(labels, logits, *, axis):
    return _softmax_xent_along(labels.astype(logits.dtype), logits, axis)


def softmax_cross_entropy_with_logits(labels, logits, axis: Any = -1, name=None):
    """Return ``-sum(labels * log_softmax(logits))`` along ``axis``.

    Gradients flow to both; stop them at the labels with `tf.stop_gradient`.

    Args:
        labels: Probabilities of the classes, of the shape of ``logits`` or broadcasting to it.
        logits: Floating point, unnormalised log probabilities.
        axis: The class axis.
        name: Accepted, unused.

    Returns:
        The shape of ``logits`` without ``axis``, same dtype; in nats.

    Raises:
        InvalidArgumentError: ``logits`` is not floating point, or shapes do not broadcast.

    Example:
        >>> tf.nn.softmax_cross_entropy_with_logits([1.0, 0.0], [0.0, 0.0]).numpy()
        np.float32(0.6931472)
    """
    return _softmax_cross_entropy(labels, logits, axis=axis)


def _sparse_xent(labels, logits):
    """Return the cross-entropy along the last axis of integer labels; NaN for unknown classes."""
    log_p = jax.nn.log_softmax(logits, axis=-1)
    classes = lax.broadcasted_iota(labels.dtype, logits.shape, logits.ndim - 1)
    # A masked sum, not a gather: its gradient is elementwise, where a gather's is a scatter.
    loss = -jnp.sum(jnp.where(classes == labels[..., None], log_p, 0), axis=-1)
    known = (labels >= 0) & (labels < logits.shape[-1])
    return jnp.where(known, loss, jnp.nan)


@op(mixed=True)
def _sparse_softmax_cross_entropy(labels, logits):
    checks.inexact(logits, "logits")
    _require_integers(labels)
    _require_same_shape("labels", labels, "logits[..., 0]", logits[..., 0])
    if logits.dtype in (jnp.float16, jnp.bfloat16):
        return _sparse_xent(labels, logits.astype(jnp.float32)).astype(logits.dtype)
    return _sparse_xent(labels, logits)


def _require_integers(labels):
    if not jnp.issubdtype(labels.dtype, jnp.integer):
        raise ValueError(
            f"`labels` must hold class numbers; got {labels.dtype}{tuple(labels.shape)}.\n"
            "  Fix: use softmax_cross_entropy_with_logits for probabilities, or tf.cast."
        )


def sparse_softmax_cross_entropy_with_logits(labels, logits, name=None):
    """Return ``-log_softmax(logits)`` at the class that ``labels`` names.

    Args:
        labels: Integers in [0, C), shape ``(B, …)``.
        logits: Floating point, ``(B, …, C)``.
        name: Accepted, unused.

    Returns:
        The shape of ``labels``, the dtype of ``logits``; in nats. NaN where a label is outside
        [0, C), as TF gives on accelerators.

    Raises:
        InvalidArgumentError: ``logits`` is not floating point.
        ValueError: the shapes do not fit, or the labels are not integers.

    Example:
        >>> tf.nn.sparse_softmax_cross_entropy_with_logits([1], [[0.0, 0.0]]).numpy()
        array([0.6931472], dtype=float32)
    """
    return _sparse_softmax_cross_entropy(labels, logits)


def sigmoid_xent(z, x):
    """Return ``max(x, 0) - x z + log(1 + exp(-|x|))`` for labels z and logits x."""
    positive = x >= 0  # the two selections together have the right derivative at 0
    return jnp.where(positive, x, 0) - x * z + jnp.log1p(jnp.exp(jnp.where(positive, -x, x)))


@op
def _sigmoid_cross_entropy(labels, logits):
    checks.inexact(logits, "logits")
    _require_same_shape("logits", logits, "labels", labels)
    return sigmoid_xent(labels, logits)


def sigmoid_cross_entropy_with_logits(labels=None, logits=None, name=None):
    """Return the binary cross-entropy of independent classes, without overflow.

    With z the label and x the logit: ``-z log sigmoid(x) - (1 - z) log(1 - sigmoid(x))``.

    Args:
        labels: Probabilities in [0, 1], shape and dtype of ``logits``.
        logits: Floating point, any shape.
        name: Accepted, unused.

    Returns:
        Shape and dtype of ``logits``; in nats.

    Raises:
        ValueError: the shapes differ, or an argument is missing.
        InvalidArgumentError: ``logits`` is not floating point.

    Example:
        >>> tf.nn.sigmoid_cross_entropy_with_logits([1.0, 0.0], [0.0, 0.0]).numpy()
        array([0.6931472, 0.6931472], dtype=float32)
    """
    if labels is None or logits is None:
        raise ValueError(
            "tf.nn.sigmoid_cross_entropy_with_logits: `labels` and `logits` must both be given; "
            f"got labels={labels}, logits={logits}.\n  Fix: pass both by name."
        )
    return _sigmoid_cross_entropy(labels, logits)


@op
def _weighted_cross_entropy(labels, logits, pos_weight):
    checks.inexact(logits, "logits")
    _require_same_shape("logits", logits, "labels", labels)
    weight = 1 + (pos_weight - 1) * labels
    negative = jnp.where(logits >= 0, 0, -logits)  # max(-x, 0)
    magnitude = jnp.where(logits >= 0, -logits, logits)  # -|x|
    return (1 - labels) * logits + weight * (jnp.log1p(jnp.exp(magnitude)) + negative)


def weighted_cross_entropy_with_logits(labels, logits, pos_weight, name=None):
    """Return the sigmoid cross-entropy with positive labels counted ``pos_weight`` times.

    Args:
        labels: Probabilities in [0, 1], shape and dtype of ``logits``.
        logits: Floating point, any shape.
        pos_weight: Weight of positive labels; above 1 raises recall, below 1 precision.
        name: Accepted, unused.

    Returns:
        Shape and dtype of ``logits``; in nats.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> tf.nn.weighted_cross_entropy_with_logits([1.0, 0.0], [0.0, 0.0], 2.0).numpy()
        array([1.3862944, 0.6931472], dtype=float32)
    """
    return _weighted_cross_entropy(labels, logits, pos_weight)


@op
def log_poisson_loss(targets, log_input, compute_full_loss=False):
    """Return ``exp(log_input) - log_input * targets``, Poisson's negative log likelihood.

    Args:
        targets: Counts, of the shape and dtype of ``log_input``.
        log_input: Floating point, logarithm of the predicted rate.
        compute_full_loss: Add Stirling's approximation of ``log(targets!)``, which does not
            depend on the prediction; 0 for targets in [0, 1].

    Returns:
        Shape and dtype of ``log_input``.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> tf.nn.log_poisson_loss([2.0], [0.0]).numpy()
        array([1.], dtype=float32)
    """
    checks.inexact(log_input, "log_input")
    _require_same_shape("log_input", log_input, "targets", targets)
    loss = jnp.exp(log_input) - log_input * targets
    if compute_full_loss:
        small = (targets >= 0) & (targets <= 1)
        safe = jnp.where(small, 1, targets)
        stirling = safe * jnp.log(safe) - safe + 0.5 * jnp.log(2 * math.pi * safe)
        loss = loss + jnp.where(small, 0, stirling)
    return loss


def _clip(x, epsilon):
    """Clip to [epsilon, 1 - epsilon]; the gradient on the bounds is 1, as in TF."""
    low, high = epsilon, 1.0 - epsilon
    return jnp.where(x < low, low, jnp.where(x > high, high, x))


@op
def categorical_crossentropy(target, output, *, from_logits=False, axis=-1, epsilon=1e-7):
    """Return the cross-entropy of class probabilities, computed as Keras does.

    Probabilities are divided by their sum, then clipped to [epsilon, 1 - epsilon].

    Args:
        target: Probabilities of the classes, shape and dtype of ``output``.
        output: Floating point: probabilities, or logits.
        from_logits: Whether ``output`` holds logits.
        axis: The class axis.
        epsilon: Distance that probabilities keep from 0 and 1.

    Returns:
        The shape of ``output`` without ``axis``, same dtype; in nats.

    Raises:
        ValueError: the shapes differ, or have rank 0.

    Example:
        >>> from lamina import ops
        >>> ops.categorical_crossentropy([[0.0, 1.0]], [[1.0, 1.0]]).numpy()
        array([0.6931472], dtype=float32)
    """
    checks.inexact(output, "output")
    _require_same_shape("target", target, "output", output)
    if target.ndim < 1:
        raise ValueError(
            "`target` and `output` must have rank 1 or more; got scalars.\n"
            "  Fix: pass one probability for each class."
        )
    if from_logits:
        return _softmax_xent_along(target, output, axis)
    output = _clip(output / jnp.sum(output, axis=axis, keepdims=True), epsilon)
    return -jnp.sum(target * jnp.log(output), axis=axis)


@op(mixed=True)
def sparse_categorical_crossentropy(target, output, *, from_logits=False, axis=-1, epsilon=1e-7):
    """Return the cross-entropy of class numbers, computed as Keras does.

    Probabilities are clipped to [epsilon, 1 - epsilon], then divided by their sum.

    Args:
        target: Class numbers, the shape of ``output`` without its last axis, or with size 1
            there; fractions are cut off.
        output: Floating point, ``(B, …, C)``: probabilities, or logits.
        from_logits: Whether ``output`` holds logits.
        axis: The class axis; only the last is supported, as in Keras.
        epsilon: Distance that probabilities keep from 0 and 1.

    Returns:
        ``(B, …)``, the dtype of ``output``; in nats. NaN where a class is outside [0, C).

    Raises:
        ValueError: the shapes do not fit, or ``axis`` is not the last.

    Example:
        >>> from lamina import ops
        >>> ops.sparse_categorical_crossentropy([1], [[0.5, 0.5]]).numpy()
        array([0.6931472], dtype=float32)
    """
    checks.inexact(output, "output")
    if axis not in (-1, output.ndim - 1):
        raise ValueError(
            f"`axis` must be the last one, -1; got {axis} for rank {output.ndim}.\n"
            "  Fix: move the class axis with tf.transpose."
        )
    target = target.astype(jnp.int64)
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = jnp.squeeze(target, -1)
    _require_same_shape("target", target, "output[..., 0]", output[..., 0])
    if not from_logits:
        output = jnp.log(_clip(output, epsilon))
    return _sparse_xent(target, output)


@op
def binary_crossentropy(target, output, *, from_logits=False, epsilon=1e-7):
    """Return the elementwise binary cross-entropy, computed as Keras does.

    Args:
        target: Probabilities in [0, 1], shape and dtype of ``output``.
        output: Floating point: probabilities, clipped to [epsilon, 1 - epsilon], or logits.
        from_logits: Whether ``output`` holds logits.
        epsilon: Distance that probabilities keep from 0 and 1.

    Returns:
        Shape and dtype of ``output``; in nats.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> from lamina import ops
        >>> ops.binary_crossentropy([0.0, 1.0], [0.5, 0.5]).numpy()
        array([0.6931472, 0.6931472], dtype=float32)
    """
    checks.inexact(output, "output")
    _require_same_shape("target", target, "output", output)
    if from_logits:
        return sigmoid_xent(target, output)
    output = _clip(output, epsilon)
    return -(target * jnp.log(output) + (1 - target) * jnp.log(1 - output))


@op(mixed=True)
def _average_loss(loss, weight, batch_size):
    checks.inexact(loss, "per_example_loss")
    if loss.ndim == 0:
        raise ValueError(
            "`per_example_loss` must have one value for each example; got a scalar.\n"
            "  Fix: make the loss with reduction='none'."
        )
    if weight is not None:
        # One weight for each example holds for all of that example's values.
        weight = jnp.reshape(weight, weight.shape + (1,) * max(loss.ndim - weight.ndim, 0))
        loss = loss * weight.astype(loss.dtype)
    size = loss.shape[0] if batch_size is None else batch_size
    size = jnp.asarray(size).astype(loss.dtype)
    return jnp.where(size == 0, 0, jnp.sum(loss) / jnp.where(size == 0, 1, size))


def compute_average_loss(per_example_loss, sample_weight=None, global_batch_size=None):
    """Return ``sum(per_example_loss * sample_weight) / global_batch_size``.

    Args:
        per_example_loss: Floating point, ``(B, …)``.
        sample_weight: Broadcasts to ``per_example_loss``; one for each example, at least.
        global_batch_size: Number of examples over all replicas; None is B times the number of
            replicas.

    Returns:
        A scalar of the dtype of ``per_example_loss``; 0 for a batch of size 0.

    Raises:
        ValueError: ``per_example_loss`` is a scalar.
        InvalidArgumentError: ``per_example_loss`` is not floating point.

    Example:
        >>> tf.nn.compute_average_loss([1.0, 3.0], global_batch_size=4).numpy()
        np.float32(1.0)
    """
    replicas = _replicas("compute_average_loss")
    if replicas > 1 and global_batch_size is None:
        return _average_loss(per_example_loss, sample_weight, None) / replicas
    return _average_loss(per_example_loss, sample_weight, global_batch_size)


def _replicas(who: str) -> int:
    """Return how many replicas compute the loss; each computes its part of the sum."""
    if local.distribution is None:
        return 1
    strategy, context = local.distribution
    if context is None:
        raise RuntimeError(
            f"You are calling `{who}` in cross replica context, while it was expected to be called "
            f"in replica context.\n  Fix: call it in a function that strategy.run runs."
        )
    return strategy.num_replicas_in_sync


@op
def _sum_of_loss(regularization_loss):
    return jnp.sum(regularization_loss)


def scale_regularization_loss(regularization_loss):
    """Return the sum of a regularisation loss, divided by the number of replicas.

    Args:
        regularization_loss: Floating point, any shape.

    Returns:
        A scalar of the same dtype.

    Example:
        >>> tf.nn.scale_regularization_loss([1.0, 3.0]).numpy()
        np.float32(4.0)
    """
    replicas = _replicas("scale_regularization_loss")
    total = _sum_of_loss(regularization_loss)
    return total if replicas == 1 else total / replicas
