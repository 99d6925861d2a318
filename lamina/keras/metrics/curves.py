"""Metrics of the whole range of thresholds: areas under curves, and values at a point of them."""

import numpy as np

from lamina import ops
from lamina.keras import policy
from lamina.keras.losses.base import to_tensor
from lamina.keras.metrics.base import Metric
from lamina.keras.metrics.confusion import COUNTS, checked_thresholds, update_counts

__all__ = [
    "AUC",
    "PrecisionAtRecall",
    "RecallAtPrecision",
    "SensitivityAtSpecificity",
    "SpecificityAtSensitivity",
]


def _inner_thresholds(count: int) -> list[float]:
    """Return `count - 2` thresholds that divide (0, 1) evenly."""
    return [(i + 1) / (count - 1) for i in range(count - 2)]


def _check_choice(argument: str, value, choices):
    if value not in choices:
        raise ValueError(
            f"AUC: `{argument}` must be one of {choices}; got {value!r}.\n  Fix: {choices[0]!r} "
            "is the usual one."
        )


class AUC(Metric):
    """Area under the ROC or precision-recall curve, from counts at thresholds.

    Args:
        num_thresholds: T, how many thresholds divide [0, 1]; > 1.
        curve: "ROC" (true over false positive rate), "PR" (precision over recall) or "PRGAIN".
        summation_method: "interpolation" (trapezoids; for PR the exact area between points),
            "minoring" (the lower of two points) or "majoring" (the higher).
        name: Name of the metric; None makes one from the class name.
        dtype: Dtype of the metric; the counts are kept in ``tf.keras.config.floatx()``.
        thresholds: Thresholds in [0, 1] in place of the even ones; 0 and 1 are added.
        multi_label: Whether the last axis holds L labels whose areas are averaged.
        num_labels: L; None takes it from the first update.
        label_weights: Weights of the L labels: of their areas if `multi_label`, else of their
            decisions.
        from_logits: Whether ``y_pred`` holds logits.

    Call:
        y_true: Labels, ``(B, …)``; everything but 0 is positive.
        y_pred: Probabilities or logits, ``(B, …)``.
        sample_weight: What each sample counts; None is 1.

    Returns:
        A scalar in [0, 1]; 0 before the first update.

    State:
        The counts of the four kinds of decisions, ``(T,)`` or ``(T, L)``.

    Raises:
        ValueError: an argument has none of the values above, or `num_thresholds` < 2.

    Example:
        >>> metric = tf.keras.metrics.AUC(num_thresholds=3)
        >>> metric([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]).numpy()
        np.float32(0.75)

    Reference: Davis and Goadrich 2006, https://doi.org/10.1145/1143844.1143874 (PR
    interpolation); Flach and Kull 2015 (PRGAIN).
    """

    _config_as_given = ("thresholds",)
    _config_omit_none = ("thresholds",)

    def __init__(
        self,
        num_thresholds=200,
        curve="ROC",
        summation_method="interpolation",
        name=None,
        dtype=None,
        thresholds=None,
        multi_label=False,
        num_labels=None,
        label_weights=None,
        from_logits=False,
    ):
        super().__init__(name=name, dtype=dtype)
        _check_choice("curve", curve, ("ROC", "PR", "PRGAIN", "roc", "pr", "prgain"))
        methods = ("interpolation", "minoring", "majoring")
        _check_choice("summation_method", summation_method, methods)
        if thresholds is None and num_thresholds <= 1:
            raise ValueError(
                f"AUC: `num_thresholds` must be over 1; got {num_thresholds}.\n"
                "  Fix: 200 is the usual number."
            )
        if thresholds is None:
            inner = _inner_thresholds(num_thresholds)
        else:
            inner = sorted(checked_thresholds(self, list(thresholds)))
        # A little outside of [0, 1], so that predictions of exactly 0 and 1 count.
        self.thresholds = [-policy.epsilon(), *inner, 1.0 + policy.epsilon()]
        self.num_thresholds = len(self.thresholds)
        self.curve = curve.upper()
        self.summation_method = summation_method
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = label_weights
        self.from_logits = from_logits
        if not multi_label or num_labels:
            self._build(num_labels)

    def _build(self, num_labels):
        shape = (self.num_thresholds, num_labels) if self.multi_label else (self.num_thresholds,)
        for name in COUNTS:
            setattr(self, name, self.add_variable(shape, "zeros", name=name))

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_pred = to_tensor(y_pred, policy.floatx())
        if not hasattr(self, COUNTS[0]):
            self._build(y_pred.shape[-1])
        if self.from_logits:
            y_pred = ops.sigmoid(y_pred)
        update_counts(
            {name: getattr(self, name) for name in COUNTS},
            y_true,
            y_pred,
            self.thresholds,
            sample_weight,
            by_label=self.multi_label,
            label_weights=None if self.multi_label else self.label_weights,
        )

    def result(self):
        if not hasattr(self, COUNTS[0]):
            return ops.constant(0.0, dtype=policy.floatx())
        counts = [getattr(self, name) for name in COUNTS]
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = _interpolated_pr_area(*counts)
        else:
            x, y = _POINTS[self.curve](*counts)
            areas = ops.reduce_sum((x[:-1] - x[1:]) * self._heights(y), axis=0)
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return ops.reduce_mean(areas)
        weights = to_tensor(self.label_weights, areas.dtype)
        return ops.divide_no_nan(ops.reduce_sum(areas * weights), ops.reduce_sum(weights))

    def _heights(self, y):
        """Return the height of each strip between neighbouring points."""
        if self.summation_method == "interpolation":
            return (y[:-1] + y[1:]) / 2.0
        pick = ops.minimum if self.summation_method == "minoring" else ops.maximum
        return pick(y[:-1], y[1:])


def _roc_points(tp, fp, tn, fn):
    return ops.divide_no_nan(fp, fp + tn), ops.divide_no_nan(tp, tp + fn)


def _pr_points(tp, fp, tn, fn):
    return ops.divide_no_nan(tp, tp + fn), ops.divide_no_nan(tp, tp + fp)


def _pr_gain_points(tp, fp, tn, fn):
    """Return recall gain, at least 0, and precision gain: 1 - (P / N) * wrong / tp."""
    odds = ops.divide_no_nan(tp + fn, fp + tn)
    recall_gain = 1.0 - odds * ops.divide_no_nan(fn, tp)
    recall_gain = ops.where(tp > 0, ops.maximum(recall_gain, 0.0), 0.0)
    return recall_gain, 1.0 - odds * ops.divide_no_nan(fp, tp)


_POINTS = {"ROC": _roc_points, "PR": _pr_points, "PRGAIN": _pr_gain_points}


def _interpolated_pr_area(tp, fp, tn, fn):
    """Return the area under the PR curve along which tp grows linearly with tp + fp.

    Between points a and b: slope s = Δtp / Δp, intercept c = tp_b - s p_b, and
    ∫ tp / p dtp = s (Δtp + c ln(p_a / p_b)).

    Shapes: ``(T,)`` → scalar, ``(T, L)`` → ``(L,)``.
    """
    tp, fn = ops.identity(tp), ops.identity(fn)
    p = tp + fp
    rise = tp[:-1] - tp[1:]
    slope = ops.divide_no_nan(rise, ops.maximum(p[:-1] - p[1:], 0.0))
    intercept = tp[1:] - slope * p[1:]
    known = ops.logical_and(p[:-1] > 0, p[1:] > 0)
    ratio = ops.where(known, ops.divide_no_nan(p[:-1], p[1:]), 1.0)
    area = slope * (rise + intercept * ops.log(ratio))
    return ops.reduce_sum(ops.divide_no_nan(area, tp[1:] + fn[1:]), axis=0)


class _BestUnderConstraint(Metric):
    """The best of one rate over all thresholds at which another is high enough."""

    constrained: str
    best: str

    def __init__(self, value, num_thresholds, class_id, name, dtype):
        super().__init__(name=name, dtype=dtype)
        if not 0 <= value <= 1:
            raise ValueError(
                f"{type(self).__name__}: `{self.constrained}` must lie in [0, 1]; got {value}.\n"
                "  Fix: give a fraction, 0.9 for 90 %."
            )
        if num_thresholds <= 0:
            raise ValueError(
                f"{type(self).__name__}: `num_thresholds` must be over 0; got {num_thresholds}.\n"
                "  Fix: 200 is the usual number."
            )
        self.class_id = class_id
        self.num_thresholds = num_thresholds
        inner = _inner_thresholds(num_thresholds)
        self.thresholds = [0.5] if num_thresholds == 1 else [0.0, *inner, 1.0]
        setattr(self, self.constrained, value)
        for count in COUNTS:
            setattr(self, count, self.add_variable((num_thresholds,), "zeros", name=count))

    def update_state(self, y_true, y_pred, sample_weight=None):
        update_counts(
            {name: getattr(self, name) for name in COUNTS},
            y_true,
            y_pred,
            self.thresholds,
            sample_weight,
            class_id=self.class_id,
        )

    def result(self):
        counts = [getattr(self, name) for name in COUNTS]
        feasible = _RATES[self.constrained](*counts) >= getattr(self, self.constrained)
        best = ops.where(feasible, _RATES[self.best](*counts), -np.inf)
        return ops.where(ops.reduce_any(feasible), ops.reduce_max(best), 0.0)


_RATES = {
    "sensitivity": lambda tp, fp, tn, fn: ops.divide_no_nan(tp, tp + fn),
    "recall": lambda tp, fp, tn, fn: ops.divide_no_nan(tp, tp + fn),
    "specificity": lambda tp, fp, tn, fn: ops.divide_no_nan(tn, tn + fp),
    "precision": lambda tp, fp, tn, fn: ops.divide_no_nan(tp, tp + fp),
}


class SensitivityAtSpecificity(_BestUnderConstraint):
    """Best sensitivity tp / (tp + fn) where specificity tn / (tn + fp) reaches a value.

    Args:
        specificity: The specificity to reach, in [0, 1].
        num_thresholds: T, how many thresholds divide [0, 1]; 1 is 0.5 alone.
        class_id: Only this index of the last axis counts; None for all.
        name: Name of the metric; None makes one from the class name.
        dtype: Dtype of the metric; the counts are kept in ``tf.keras.config.floatx()``.

    Call:
        y_true: Labels, ``(B, …)``; everything but 0 is positive.
        y_pred: Probabilities, ``(B, …)``.
        sample_weight: What each sample counts; None is 1.

    Returns:
        A scalar; 0 if no threshold reaches the value.

    Raises:
        ValueError: an argument lies outside of its range.

    Example:
        >>> metric = tf.keras.metrics.SensitivityAtSpecificity(0.5)
        >>> metric([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]).numpy()
        np.float32(0.5)
    """

    constrained = "specificity"
    best = "sensitivity"

    def __init__(self, specificity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(specificity, num_thresholds, class_id, name, dtype)


class SpecificityAtSensitivity(_BestUnderConstraint):
    """Best specificity tn / (tn + fp) where sensitivity tp / (tp + fn) reaches a value.

    Args:
        sensitivity: The sensitivity to reach, in [0, 1].
        num_thresholds: T, how many thresholds divide [0, 1]; 1 is 0.5 alone.
        class_id: Only this index of the last axis counts; None for all.
        name: Name of the metric; None makes one from the class name.
        dtype: Dtype of the metric; the counts are kept in ``tf.keras.config.floatx()``.

    Call and result are those of `SensitivityAtSpecificity`.

    Example:
        >>> metric = tf.keras.metrics.SpecificityAtSensitivity(0.5)
        >>> metric([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]).numpy()
        np.float32(0.6666667)
    """

    constrained = "sensitivity"
    best = "specificity"

    def __init__(self, sensitivity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)


class PrecisionAtRecall(_BestUnderConstraint):
    """Best precision tp / (tp + fp) where recall tp / (tp + fn) reaches a value.

    Args:
        recall: The recall to reach, in [0, 1].
        num_thresholds: T, how many thresholds divide [0, 1]; 1 is 0.5 alone.
        class_id: Only this index of the last axis counts; None for all.
        name: Name of the metric; None makes one from the class name.
        dtype: Dtype of the metric; the counts are kept in ``tf.keras.config.floatx()``.

    Call and result are those of `SensitivityAtSpecificity`.

    Example:
        >>> metric = tf.keras.metrics.PrecisionAtRecall(0.5)
        >>> metric([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]).numpy()
        np.float32(0.5)
    """

    constrained = "recall"
    best = "precision"

    def __init__(self, recall, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(recall, num_thresholds, class_id, name, dtype)


class RecallAtPrecision(_BestUnderConstraint):
    """Best recall tp / (tp + fn) where precision tp / (tp + fp) reaches a value.

    Args:
        precision: The precision to reach, in [0, 1].
        num_thresholds: T, how many thresholds divide [0, 1]; 1 is 0.5 alone.
        class_id: Only this index of the last axis counts; None for all.
        name: Name of the metric; None makes one from the class name.
        dtype: Dtype of the metric; the counts are kept in ``tf.keras.config.floatx()``.

    Call and result are those of `SensitivityAtSpecificity`.

    Example:
        >>> metric = tf.keras.metrics.RecallAtPrecision(0.8)
        >>> metric([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]).numpy()
        np.float32(0.5)
    """

    constrained = "precision"
    best = "recall"

    def __init__(self, precision, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(precision, num_thresholds, class_id, name, dtype)
