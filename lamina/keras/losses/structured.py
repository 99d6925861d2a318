"""Losses of segmentation masks, embeddings and label sequences."""

from lamina import ops
from lamina.engine import convert_to_tensor
from lamina.keras import policy
from lamina.keras.losses.base import FunctionLoss, aligned

__all__ = ["CTC", "Circle", "Dice", "Tversky", "circle", "ctc", "dice", "tversky"]


def dice(y_true, y_pred, axis=None):
    """Return ``1 - 2 Σ t p / (Σ t + Σ p + ε)``.

    Args:
        y_true: Masks t, any shape; cast to the dtype of ``y_pred``.
        y_pred: Predicted masks p in [0, 1], same shape, float.
        axis: Axes of the sums; None sums over all.

    Returns:
        Shape of ``y_pred`` without `axis` (a scalar for None), dtype of ``y_pred``.

    Example:
        >>> tf.keras.losses.dice([[0.0, 1.0]], [[0.0, 1.0]]).numpy()
        np.float32(0.0)

    Reference: Milletari et al. 2016, https://arxiv.org/abs/1606.04797.
    """
    y_true, y_pred = aligned(y_true, y_pred)
    both = ops.reduce_sum(y_true * y_pred, axis=axis)
    total = ops.reduce_sum(y_true, axis=axis) + ops.reduce_sum(y_pred, axis=axis)
    return 1.0 - 2.0 * both / (total + policy.epsilon())


class Dice(FunctionLoss):
    """Dice loss of segmentation masks."""

    function = staticmethod(dice)

    def __init__(self, reduction="sum_over_batch_size", name=None, axis=None, dtype=None):
        super().__init__(reduction, name, dtype)
        self.axis = axis


def tversky(y_true, y_pred, alpha=0.5, beta=0.5, axis=None):
    """Return ``1 - Σ t p / (Σ t p + alpha Σ t (1 - p) + beta Σ (1 - t) p + ε)``.

    Args:
        y_true: Masks t, any shape; cast to the dtype of ``y_pred``.
        y_pred: Predicted masks p in [0, 1], same shape, float.
        alpha: Weight of what `y_pred` misses, Σ t (1 - p). (Keras calls these false positives.)
        beta: Weight of what `y_pred` has too much, Σ (1 - t) p.
        axis: Axes of the sums; None sums over all.

    Returns:
        Shape of ``y_pred`` without `axis` (a scalar for None), dtype of ``y_pred``.

    Example:
        >>> tf.keras.losses.tversky([[0.0, 1.0]], [[1.0, 0.0]]).numpy()
        np.float32(1.0)

    Reference: Salehi et al. 2017, https://arxiv.org/abs/1706.05721.
    """
    y_true, y_pred = aligned(y_true, y_pred)
    both = ops.reduce_sum(y_true * y_pred, axis=axis)
    missed = ops.reduce_sum(y_true * (1.0 - y_pred), axis=axis)
    extra = ops.reduce_sum((1.0 - y_true) * y_pred, axis=axis)
    return 1.0 - both / (both + alpha * missed + beta * extra + policy.epsilon())


class Tversky(FunctionLoss):
    """Tversky loss of segmentation masks."""

    function = staticmethod(tversky)

    def __init__(
        self,
        alpha=0.5,
        beta=0.5,
        reduction="sum_over_batch_size",
        name=None,
        axis=None,
        dtype=None,
    ):
        super().__init__(reduction, name, dtype)
        self.alpha = alpha
        self.beta = beta
        self.axis = axis


def circle(
    y_true,
    y_pred,
    ref_labels=None,
    ref_embeddings=None,
    remove_diagonal=True,
    gamma=80,
    margin=0.4,
):
    """Return ``softplus(ln Σ exp(gamma w⁺ (d - m)) + ln Σ exp(gamma w⁻ (1 - m - d)))``.

    d is the cosine distance, at least 0; the first sum runs over the references with the label
    of the sample, the second over the others; ``w⁺ = d + m``, ``w⁻ = max(1 + m - d, 0)``.

    Args:
        y_true: Integer labels, ``(B,)`` or ``(B, 1)``.
        y_pred: Embeddings of length 1, ``(B, D)``, float.
        ref_labels: Labels of the references, ``(R,)``; None takes the batch itself.
        ref_embeddings: Embeddings of the references, ``(R, D)``; None takes the batch itself.
        remove_diagonal: Whether reference i is left out for sample i.
        gamma: Scale of the exponents; > 0.
        margin: Margin m between the two kinds of pairs, in [0, 1].

    Returns:
        ``(B,)``, dtype of ``y_pred``. Samples without a pair of both kinds give 0 and are masked
        out of a mean.

    Example:
        >>> tf.keras.losses.circle([0, 1], [[1.0, 0.0], [0.0, 1.0]]).numpy()
        array([0., 0.], dtype=float32)

    Reference: Sun et al. 2020, https://arxiv.org/abs/2002.10857, eq. 6.
    """
    y_pred = convert_to_tensor(y_pred)
    labels = ops.reshape(ops.cast(convert_to_tensor(y_true), "int32"), [-1, 1])
    references = y_pred if ref_embeddings is None else convert_to_tensor(ref_embeddings)
    ref_labels = labels if ref_labels is None else ops.cast(ref_labels, "int32")
    distance = ops.maximum(1.0 - ops.matmul(y_pred, references, transpose_b=True), 0.0)  # B, R
    same = ops.equal(labels, ops.reshape(ref_labels, [1, -1]))
    other = ops.logical_not(same)
    if remove_diagonal:
        self_pair = ops.eye(distance.shape[0], distance.shape[1], dtype="bool")
        same = ops.logical_and(same, ops.logical_not(self_pair))
    near = (distance + margin) * (distance - margin)
    far = ops.maximum(1.0 + margin - distance, 0.0) * (1.0 - margin - distance)
    lowest = y_pred.dtype.min  # finite, so that a row without pairs keeps a gradient of 0

    def log_sum(exponents, pairs):
        return ops.reduce_logsumexp(ops.where(pairs, gamma * exponents, lowest / 4), axis=1)

    values = ops.softplus(log_sum(near, same) + log_sum(far, other))
    values._keras_mask = ops.logical_and(
        ops.reduce_any(same, axis=1), ops.reduce_any(other, axis=1)
    )
    return values


class Circle(FunctionLoss):
    """Circle loss of embeddings, reduced over the batch."""

    function = staticmethod(circle)
    integer_targets = True

    def __init__(
        self,
        gamma=80.0,
        margin=0.4,
        remove_diagonal=True,
        reduction="sum_over_batch_size",
        name=None,
        dtype=None,
    ):
        super().__init__(reduction, name, dtype)
        self.gamma = gamma
        self.margin = margin
        self.remove_diagonal = remove_diagonal


def ctc(y_true, y_pred):
    """Return ``-ln P(label sequence)``, summed over its alignments with the frames.

    Args:
        y_true: Integer label sequences, ``(B, L)``, padded with 0, the blank label.
        y_pred: Logits, ``(B, T, C)``, float; class 0 is the blank.

    Returns:
        ``(B,)``, dtype of ``y_pred``, in nats.

    Raises:
        ValueError: ``y_true`` is not of rank 2, or ``y_pred`` not of rank 3.

    Example:
        >>> tf.keras.losses.ctc([[1]], tf.zeros((1, 1, 2))).numpy()
        array([0.6931472], dtype=float32)

    Reference: Graves et al. 2006, https://doi.org/10.1145/1143844.1143891.
    """
    y_true, y_pred = convert_to_tensor(y_true), convert_to_tensor(y_pred)
    if len(y_true.shape) != 2 or len(y_pred.shape) != 3:
        raise ValueError(
            "ctc: `y_true` must have shape (batch, labels) and `y_pred` (batch, time, classes); "
            f"got {y_true.shape} and {y_pred.shape}.\n  Fix: add the missing axis."
        )
    labels = ops.cast(y_true, "int32")
    label_length = ops.reduce_sum(ops.cast(ops.not_equal(labels, 0), "int32"), axis=-1)
    frames = ops.ones_like(label_length) * ops.shape(y_pred)[1]
    return ops.ctc_loss(
        labels, y_pred, label_length, frames, logits_time_major=False, blank_index=0
    )


class CTC(FunctionLoss):
    """Connectionist temporal classification, reduced over the batch."""

    function = staticmethod(ctc)
    integer_targets = True
