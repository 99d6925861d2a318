"""Counts of right and wrong decisions at thresholds, and the ratios made of them."""

from lamina import ops
from lamina.engine import Tensor
from lamina.keras.losses.base import match_ranks, to_tensor
from lamina.keras.metrics.base import Metric
from lamina.ops.decisions import decision_counts

__all__ = [
    "FalseNegatives",
    "FalsePositives",
    "Precision",
    "Recall",
    "TrueNegatives",
    "TruePositives",
    "checked_thresholds",
    "update_counts",
]

COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")


def update_counts(variables: dict, y_true, y_pred, thresholds, sample_weight=None, **options):
    """Add the counts of a batch to the variables, given by the names in `COUNTS`.

    Args:
        variables: Name → variable; only these counts are added up.
        y_true: Labels, ``(B, …)``; everything but 0 is positive.
        y_pred: Predictions, ``(B, …)``; those above a threshold are decided positive.
        thresholds: T numbers.
        sample_weight: Factors; axes that the labels have behind theirs are broadcast.
        **options: `top_k`; `class_id`; `label_weights`, factors of the last axis; `by_label`,
            whether the last axis is kept.

    Raises:
        ValueError: `class_id` for predictions without an axis of classes.
    """
    dtype = next(iter(variables.values())).dtype
    y_true, y_pred = to_tensor(y_true, dtype), to_tensor(y_pred, dtype)
    top_k, class_id = options.get("top_k"), options.get("class_id")
    if top_k is not None:
        y_pred = _top_k_only(y_pred, top_k)
    if class_id is not None:
        if len(y_pred.shape) < 2:
            raise ValueError(
                f"metric: with `class_id`, the predictions must have an axis of classes, as "
                f"(batch, classes); got shape {tuple(y_pred.shape)}.\n"
                f"  Fix: leave out `class_id`, or give one column for each class."
            )
        y_true, y_pred = y_true[..., class_id, None], y_pred[..., class_id, None]
    y_true, y_pred = match_ranks(y_true, y_pred)
    weights = _decision_weights(y_pred, sample_weight, options.get("label_weights"))
    by_label = options.get("by_label", False)
    counts = decision_counts(
        y_true, y_pred, weights, thresholds=tuple(thresholds), by_label=by_label
    )
    for name, count in zip(COUNTS, counts, strict=True):
        if name in variables:
            variables[name].assign_add(count)


def _decision_weights(y_pred, sample_weight, label_weights) -> Tensor | None:
    """Return the product of both kinds of weights, ready to broadcast to `y_pred`, or None."""
    if label_weights is not None:
        label_weights = to_tensor(label_weights, y_pred.dtype)
    if sample_weight is None:
        return label_weights
    sample_weight = to_tensor(sample_weight, y_pred.dtype)
    extra = len(y_pred.shape) - len(sample_weight.shape)
    if extra == -1 and sample_weight.shape[-1] == 1:
        sample_weight = ops.squeeze(sample_weight, -1)
    for _ in range(extra):
        sample_weight = ops.expand_dims(sample_weight, -1)
    return sample_weight if label_weights is None else sample_weight * label_weights


_NEVER = -1e10  # stands for predictions that are not among the top k


def _top_k_only(y_pred, k: int):
    places = ops.top_k(y_pred, k).indices
    kept = ops.reduce_sum(ops.one_hot(places, y_pred.shape[-1], dtype=y_pred.dtype), axis=-2)
    return ops.where(kept > 0, y_pred, _NEVER)


def checked_thresholds(metric, thresholds, default: float = 0.5) -> list[float]:
    """Return the thresholds as a list.

    Args:
        metric: The metric, for the message.
        thresholds: A number, some numbers, or None for the default.
        default: What None stands for.

    Raises:
        ValueError: one lies outside of [0, 1].
    """
    if thresholds is None:
        return [default]
    values = list(thresholds) if isinstance(thresholds, list | tuple) else [thresholds]
    wrong = [value for value in values if value is None or not 0 <= value <= 1]
    if wrong:
        raise ValueError(
            f"{type(metric).__name__}: `thresholds` must lie in [0, 1]; got {wrong}.\n"
            "  Fix: give probabilities, and turn logits into them with tf.sigmoid."
        )
    return values


class _Count(Metric):
    """Count one kind of decision at thresholds.

    Args:
        thresholds: A number in [0, 1], or a list of them; None is 0.5. Predictions above it
            are positive.
        name: Name of the metric; None makes one from the class name.
        dtype: Dtype of the metric; the counts are kept in ``tf.keras.config.floatx()``.
    """

    _config_as_given = ("thresholds",)
    kind: str

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.thresholds = checked_thresholds(self, thresholds)
        self.accumulator = self.add_variable((len(self.thresholds),), "zeros", name="accumulator")

    def update_state(self, y_true, y_pred, sample_weight=None):
        variables = {self.kind: self.accumulator}
        update_counts(variables, y_true, y_pred, self.thresholds, sample_weight)

    def result(self):
        return _scalar_if_one(ops.identity(self.accumulator), self.thresholds)


def _scalar_if_one(values, thresholds):
    return values[0] if len(thresholds) == 1 else values


class TruePositives(_Count):
    """Number of positive samples predicted positive, at thresholds.

    Args:
        thresholds: A number in [0, 1], or a list of T of them; None is 0.5. Predictions above
            it are positive.
        name: Name of the metric; None makes one from the class name.
        dtype: Dtype of the metric; the counts are kept in ``tf.keras.config.floatx()``.

    Call:
        y_true: Labels, ``(B, …)``; everything but 0 is positive.
        y_pred: Probabilities, ``(B, …)``.
        sample_weight: What each sample counts; None is 1.

    Returns:
        A scalar, or ``(T,)`` for a list.

    Raises:
        ValueError: a threshold lies outside of [0, 1].

    Example:
        >>> tf.keras.metrics.TruePositives()([0, 1, 1, 1], [0.2, 0.9, 0.1, 0.8]).numpy()
        np.float32(2.0)
    """

    kind = "true_positives"


class TrueNegatives(_Count):
    """Number of negative samples predicted negative, at thresholds.

    Arguments, call and result are those of `TruePositives`.

    Example:
        >>> tf.keras.metrics.TrueNegatives()([0, 1, 0, 0], [0.2, 0.9, 0.1, 0.8]).numpy()
        np.float32(2.0)
    """

    kind = "true_negatives"


class FalsePositives(_Count):
    """Number of negative samples predicted positive, at thresholds.

    Arguments, call and result are those of `TruePositives`.

    Example:
        >>> tf.keras.metrics.FalsePositives()([0, 1, 0, 0], [0.2, 0.9, 0.1, 0.8]).numpy()
        np.float32(1.0)
    """

    kind = "false_positives"


class FalseNegatives(_Count):
    """Number of positive samples predicted negative, at thresholds.

    Arguments, call and result are those of `TruePositives`.

    Example:
        >>> tf.keras.metrics.FalseNegatives()([0, 1, 1, 1], [0.2, 0.9, 0.1, 0.8]).numpy()
        np.float32(1.0)
    """

    kind = "false_negatives"


class _TruePositiveShare(Metric):
    """Share of true positives in themselves and one kind of wrong decision."""

    _config_as_given = ("thresholds",)
    wrong: str

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        # Among the top k, every prediction counts as positive, however small it is.
        self.thresholds = checked_thresholds(self, thresholds, 0.5 if top_k is None else _NEVER)
        self.top_k = top_k
        self.class_id = class_id
        size = (len(self.thresholds),)
        self.true_positives = self.add_variable(size, "zeros", name="true_positives")
        setattr(self, self.wrong, self.add_variable(size, "zeros", name=self.wrong))

    def update_state(self, y_true, y_pred, sample_weight=None):
        update_counts(
            {name: getattr(self, name) for name in ("true_positives", self.wrong)},
            y_true,
            y_pred,
            self.thresholds,
            sample_weight,
            top_k=self.top_k,
            class_id=self.class_id,
        )

    def result(self):
        total = self.true_positives + getattr(self, self.wrong)
        return _scalar_if_one(ops.divide_no_nan(self.true_positives, total), self.thresholds)


class Precision(_TruePositiveShare):
    """Share of the samples predicted positive that are positive.

    Args:
        thresholds: A number in [0, 1], or a list of T of them; None is 0.5, or with `top_k` lets
            every one of the top k count as positive.
        top_k: Only the k largest predictions of the last axis can be positive; None for all.
        class_id: Only this index of the last axis counts; None for all.
        name: Name of the metric; None makes one from the class name.
        dtype: Dtype of the metric; the counts are kept in ``tf.keras.config.floatx()``.

    Call:
        y_true: Labels, ``(B, …)``; everything but 0 is positive.
        y_pred: Probabilities, ``(B, …)``.
        sample_weight: What each sample counts; None is 1.

    Returns:
        A scalar, or ``(T,)`` for a list; 0 if nothing was predicted positive.

    Raises:
        ValueError: a threshold lies outside of [0, 1].

    Example:
        >>> tf.keras.metrics.Precision()([0, 1, 1, 1], [0.6, 0.3, 0.2, 0.7]).numpy()
        np.float32(0.5)
    """

    wrong = "false_positives"


class Recall(_TruePositiveShare):
    """Share of the positive samples that are predicted positive.

    Arguments, call and result are those of `Precision`.

    Example:
        >>> tf.keras.metrics.Recall()([0, 1, 1, 1], [0.6, 0.9, 0.2, 0.7]).numpy()
        np.float32(0.6666667)
    """

    wrong = "false_negatives"
