"""Cross-entropies of class labels and distributions."""

import warnings

from lamina import ops
from lamina.engine import convert_to_tensor
from lamina.keras import policy
from lamina.keras.losses.base import FunctionLoss, aligned, class_numbers

__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "KLDivergence",
    "SparseCategoricalCrossentropy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "kl_divergence",
    "sparse_categorical_crossentropy",
]


def _smooth_binary(y_true, label_smoothing):
    return y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing if label_smoothing else y_true


def _smooth_classes(y_true, label_smoothing):
    if not label_smoothing:
        return y_true
    return y_true * (1.0 - label_smoothing) + label_smoothing / y_true.shape[-1]


def binary_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """Return the mean over `axis` of ``-(t ln p + (1 - t) ln(1 - p))``.

    Args:
        y_true: Labels t in [0, 1], ``(B, d1, …, dn)``; cast to the dtype of ``y_pred``.
        y_pred: Probabilities p, or logits, ``(B, d1, …, dn)``, float.
        from_logits: Whether ``y_pred`` holds logits; probabilities are clipped to
            ``[ε, 1 - ε]``, logits are used without loss of precision.
        label_smoothing: Fraction in [0, 1] by which labels move towards 0.5.
        axis: Axis of the mean.

    Returns:
        Shape of ``y_pred`` without `axis`, dtype of ``y_pred``, in nats.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> tf.keras.losses.binary_crossentropy([[1.0, 0.0]], [[0.5, 0.5]]).numpy()
        array([0.6931472], dtype=float32)
    """
    y_true, y_pred = aligned(y_true, y_pred)
    y_true = _smooth_binary(y_true, label_smoothing)
    values = ops.binary_crossentropy(
        y_true, y_pred, from_logits=from_logits, epsilon=policy.epsilon()
    )
    return ops.reduce_mean(values, axis=axis)


class BinaryCrossentropy(FunctionLoss):
    """Cross-entropy of two classes, reduced over the batch."""

    function = staticmethod(binary_crossentropy)

    def __init__(
        self,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name=None,
        dtype=None,
    ):
        super().__init__(reduction, name, dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


def binary_focal_crossentropy(
    y_true,
    y_pred,
    apply_class_balancing=False,
    alpha=0.25,
    gamma=2.0,
    from_logits=False,
    label_smoothing=0.0,
    axis=-1,
):
    """Return the mean over `axis` of the cross-entropy times ``(1 - P(label))^gamma``.

    Args:
        y_true: Labels in [0, 1], ``(B, d1, …, dn)``; cast to the dtype of ``y_pred``.
        y_pred: Probabilities, or logits, ``(B, d1, …, dn)``, float.
        apply_class_balancing: Whether class 1 is weighted by ``alpha`` and class 0 by
            ``1 - alpha``.
        alpha: Weight of class 1, in [0, 1].
        gamma: How strongly well-classified samples are weighted down; 0 is plain cross-entropy.
        from_logits: Whether ``y_pred`` holds logits.
        label_smoothing: Fraction in [0, 1] by which labels move towards 0.5.
        axis: Axis of the mean.

    Returns:
        Shape of ``y_pred`` without `axis`, dtype of ``y_pred``.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> tf.keras.losses.binary_focal_crossentropy([[1.0, 0.0]], [[0.5, 0.5]]).numpy()
        array([0.1732868], dtype=float32)

    Reference: Lin et al. 2017, https://arxiv.org/abs/1708.02002, eq. 5.
    """
    y_true, y_pred = aligned(y_true, y_pred)
    y_true = _smooth_binary(y_true, label_smoothing)
    if from_logits:
        y_pred = ops.sigmoid(y_pred)
    values = ops.binary_crossentropy(y_true, y_pred, epsilon=policy.epsilon())
    of_label = y_true * y_pred + (1.0 - y_true) * (1.0 - y_pred)
    values = ops.pow(1.0 - of_label, gamma) * values
    if apply_class_balancing:
        values = (y_true * alpha + (1.0 - y_true) * (1.0 - alpha)) * values
    return ops.reduce_mean(values, axis=axis)


class BinaryFocalCrossentropy(FunctionLoss):
    """Focal cross-entropy of two classes, reduced over the batch."""

    function = staticmethod(binary_focal_crossentropy)

    def __init__(
        self,
        apply_class_balancing=False,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name=None,
        dtype=None,
    ):
        super().__init__(reduction, name, dtype)
        self.apply_class_balancing = apply_class_balancing
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


def _warn_of_one_class(who, y_pred, axis):
    """Warn where there is one class, whose cross-entropy is 0 whatever is predicted."""
    if y_pred.shape.rank and y_pred.shape[axis] == 1:
        warnings.warn(
            f"{who}: more than one class was expected along axis {axis} of `y_pred`; got shape "
            f"{tuple(y_pred.shape)}, so that the loss says nothing.\n"
            f"  Fix: binary_crossentropy for one output.",
            SyntaxWarning,
            stacklevel=3,
        )


def categorical_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """Return ``-Σ t ln p`` over the classes.

    Args:
        y_true: Label distributions t (one-hot labels), ``(B, d1, …, C)``; cast to the dtype of
            ``y_pred``.
        y_pred: Probabilities p, or logits, ``(B, d1, …, C)``, float. Probabilities are divided
            by their sum over the classes, then clipped to ``[ε, 1 - ε]``.
        from_logits: Whether ``y_pred`` holds logits.
        label_smoothing: Fraction in [0, 1] by which labels move towards ``1 / C``.
        axis: Axis of the classes.

    Returns:
        Shape of ``y_pred`` without `axis`, dtype of ``y_pred``, in nats.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> tf.keras.losses.categorical_crossentropy([[1.0, 0.0]], [[0.5, 0.5]]).numpy()
        array([0.6931472], dtype=float32)
    """
    y_true, y_pred = aligned(y_true, y_pred)
    _warn_of_one_class("categorical_crossentropy", y_pred, axis)
    y_true = _smooth_classes(y_true, label_smoothing)
    return ops.categorical_crossentropy(
        y_true, y_pred, from_logits=from_logits, axis=axis, epsilon=policy.epsilon()
    )


class CategoricalCrossentropy(FunctionLoss):
    """Cross-entropy of one-hot labels, reduced over the batch."""

    function = staticmethod(categorical_crossentropy)

    def __init__(
        self,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name=None,
        dtype=None,
    ):
        super().__init__(reduction, name, dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


def categorical_focal_crossentropy(
    y_true, y_pred, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1
):
    """Return ``-Σ alpha (1 - p)^gamma t ln p`` over the classes.

    Args:
        y_true: Label distributions t, ``(B, d1, …, C)``; cast to the dtype of ``y_pred``.
        y_pred: Probabilities p, or logits, ``(B, d1, …, C)``, float.
        alpha: Weight of all classes, or a list of C weights.
        gamma: How strongly well-classified samples are weighted down.
        from_logits: Whether ``y_pred`` holds logits.
        label_smoothing: Fraction in [0, 1] by which labels move towards ``1 / C``.
        axis: Axis of the classes.

    Returns:
        Shape of ``y_pred`` without `axis`, dtype of ``y_pred``.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> tf.keras.losses.categorical_focal_crossentropy([[1.0, 0.0]], [[0.5, 0.5]]).numpy()
        array([0.0433217], dtype=float32)

    Reference: Lin et al. 2017, https://arxiv.org/abs/1708.02002, eq. 5.
    """
    y_true, y_pred = aligned(y_true, y_pred)
    _warn_of_one_class("categorical_focal_crossentropy", y_pred, axis)
    y_true = _smooth_classes(y_true, label_smoothing)
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    y_pred = y_pred / ops.reduce_sum(y_pred, axis=axis, keepdims=True)
    y_pred = ops.clip_by_value(y_pred, policy.epsilon(), 1.0 - policy.epsilon())
    weight = ops.pow(1.0 - y_pred, gamma) * alpha
    return ops.reduce_sum(weight * (-y_true * ops.log(y_pred)), axis=axis)


class CategoricalFocalCrossentropy(FunctionLoss):
    """Focal cross-entropy of one-hot labels, reduced over the batch."""

    function = staticmethod(categorical_focal_crossentropy)

    def __init__(
        self,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name=None,
        dtype=None,
    ):
        super().__init__(reduction, name, dtype)
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


def sparse_categorical_crossentropy(y_true, y_pred, from_logits=False, ignore_class=None, axis=-1):
    """Return ``-ln p[label]``.

    Args:
        y_true: Integer labels in [0, C), ``(B, d1, …)`` or ``(B, d1, …, 1)``.
        y_pred: Probabilities p, clipped to ``[ε, 1 - ε]``, or logits, ``(B, d1, …, C)``, float.
        from_logits: Whether ``y_pred`` holds logits.
        ignore_class: Label whose samples give 0 and are masked out of a mean, or None.
        axis: Axis of the classes; only the last one.

    Returns:
        ``(B, d1, …)``, dtype of ``y_pred``, in nats.

    Raises:
        ValueError: `axis` is not the last one, or the shapes do not fit.

    Example:
        >>> tf.keras.losses.sparse_categorical_crossentropy([1], [[0.5, 0.5]]).numpy()
        array([0.6931472], dtype=float32)
    """
    y_pred = convert_to_tensor(y_pred)
    y_true = class_numbers(y_true, y_pred)
    valid = None
    if ignore_class is not None:
        valid = ops.not_equal(y_true, int(ignore_class))
        y_true = ops.where(valid, y_true, 0)
    values = ops.sparse_categorical_crossentropy(
        y_true, y_pred, from_logits=from_logits, axis=axis, epsilon=policy.epsilon()
    )
    if valid is not None:
        values = ops.where(valid, values, 0.0)
        values._keras_mask = valid
    return values


class SparseCategoricalCrossentropy(FunctionLoss):
    """Cross-entropy of integer labels, reduced over the batch."""

    function = staticmethod(sparse_categorical_crossentropy)
    _config_omit = (*FunctionLoss._config_omit, "axis")
    integer_targets = True

    def __init__(
        self,
        from_logits=False,
        ignore_class=None,
        reduction="sum_over_batch_size",
        axis=-1,
        name=None,
        dtype=None,
    ):
        super().__init__(reduction, name, dtype)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis


def categorical_generalized_cross_entropy(y_true, y_pred, q):
    """Return ``(1 - p[label]^q) / q``, which bounds what a wrong label costs.

    Args:
        y_true: Integer labels in [0, C), ``(B, …)`` or ``(B, …, 1)``.
        y_pred: Probabilities p, ``(B, …, C)``, float.
        q: Between cross-entropy (near 0) and mean absolute error (1); in (0, 1).

    Returns:
        ``(B, …)``, dtype of ``y_pred``.

    Example:
        >>> tf.keras.losses.categorical_generalized_cross_entropy([1], [[0.75, 0.25]], 0.5).numpy()
        array([1.], dtype=float32)

    Reference: Zhang and Sabuncu 2018, https://arxiv.org/abs/1805.07836, eq. 6.
    """
    y_pred = convert_to_tensor(y_pred)
    one_hot = ops.one_hot(class_numbers(y_true, y_pred), y_pred.shape[-1], dtype=y_pred.dtype)
    return (1.0 - ops.pow(ops.reduce_sum(one_hot * y_pred, axis=-1), q)) / q


class CategoricalGeneralizedCrossEntropy(FunctionLoss):
    """Cross-entropy that tolerates wrong integer labels, reduced over the batch."""

    function = staticmethod(categorical_generalized_cross_entropy)
    integer_targets = True

    def __init__(self, q=0.5, reduction="sum_over_batch_size", name=None, dtype=None):
        if not 0 < q < 1:
            raise ValueError(
                f"CategoricalGeneralizedCrossEntropy: `q` must lie in (0, 1); got {q}.\n"
                "  Fix: 0.5 is the usual choice; small values act like plain cross-entropy."
            )
        super().__init__(reduction, name, dtype)
        self.q = q


def kl_divergence(y_true, y_pred):
    """Return ``Σ t ln(t / p)`` over the last axis, both clipped to ``[ε, 1]``.

    Args:
        y_true: Distributions t, ``(B, d1, …, C)``; cast to the dtype of ``y_pred``.
        y_pred: Distributions p, ``(B, d1, …, C)``, float.

    Returns:
        ``(B, d1, …)``, dtype of ``y_pred``, in nats.

    Example:
        >>> tf.keras.losses.KLD([[0.5, 0.5]], [[0.5, 0.5]]).numpy()
        array([0.], dtype=float32)
    """
    y_true, y_pred = aligned(y_true, y_pred)
    y_true = ops.clip_by_value(y_true, policy.epsilon(), 1.0)
    y_pred = ops.clip_by_value(y_pred, policy.epsilon(), 1.0)
    return ops.reduce_sum(y_true * ops.log(y_true / y_pred), axis=-1)


class KLDivergence(FunctionLoss):
    """Kullback-Leibler divergence, reduced over the batch."""

    function = staticmethod(kl_divergence)
