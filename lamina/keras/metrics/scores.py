"""Scores that summarise a data set: F-scores, coefficient of determination, correlations."""

from typing import Any

from lamina import ops
from lamina.keras import policy
from lamina.keras.losses.base import aligned, to_tensor
from lamina.keras.metrics.base import Metric
from lamina.keras.metrics.means import FunctionMetric

__all__ = [
    "ConcordanceCorrelation",
    "F1Score",
    "FBetaScore",
    "PearsonCorrelation",
    "R2Score",
    "concordance_correlation",
    "pearson_correlation",
]


def _check_choice(metric: Metric, argument: str, value, choices):
    if value not in choices:
        raise ValueError(
            f"{type(metric).__name__}: `{argument}` must be one of {choices}; got {value!r}.\n"
            "  Fix: None gives one value for each class."
        )


def _check_matrices(metric: Metric, *tensors):
    for tensor in tensors:
        if len(tensor.shape) != 2 or not tensor.shape.is_compatible_with(tensors[0].shape):
            shapes = [tuple(each.shape) for each in tensors]
            raise ValueError(
                f"{type(metric).__name__}: `y_true` and `y_pred` must have one shape "
                f"(batch, outputs); got {shapes[0]} and {shapes[1]}.\n"
                "  Fix: add the missing axis with tf.expand_dims(y, -1)."
            )


def _column_of(sample_weight, y):
    """Return weights of a batch as a factor of ``(B, C)``."""
    weights = to_tensor(sample_weight, y.dtype)
    return ops.expand_dims(weights, -1) if len(weights.shape) == 1 else weights


class FBetaScore(Metric):
    """Weighted harmonic mean of precision p and recall r: ``(1 + β²) p r / (β² p + r)``.

    Args:
        average: None gives one score per class, "macro" their mean, "weighted" their mean by
            the number of samples of a class, "micro" one score of all decisions.
        beta: Weight β of recall against precision; > 0.
        threshold: Predictions above it count as positive; None takes the largest of each row.
        name: Name of the metric.
        dtype: Dtype of the metric; None is ``tf.keras.config.floatx()``.

    Call:
        y_true: One-hot or multi-label targets, ``(B, C)``.
        y_pred: Probabilities, ``(B, C)``.
        sample_weight: What each sample counts, ``(B,)``; None is 1.

    Returns:
        A scalar, or ``(C,)`` if `average` is None.

    State:
        Counts for each class, ``(C,)``, made at the first update.

    Raises:
        ValueError: an argument has none of the values above, or the shapes differ.

    Example:
        >>> metric = tf.keras.metrics.FBetaScore(beta=2.0, threshold=0.5)
        >>> y = [[1, 1, 1], [1, 0, 0], [1, 1, 0]]
        >>> metric(y, [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]]).numpy()
        array([0.3846154 , 0.90909094, 0.8333334 ], dtype=float32)
    """

    # Made at the first update.
    true_positives: Any
    false_positives: Any
    false_negatives: Any
    intermediate_weights: Any

    def __init__(self, average=None, beta=1.0, threshold=None, name="fbeta_score", dtype=None):
        super().__init__(name=name, dtype=dtype)
        _check_choice(self, "average", average, (None, "micro", "macro", "weighted"))
        if not isinstance(beta, float) or beta <= 0:
            raise ValueError(
                f"{type(self).__name__}: `beta` must be a float over 0; got {beta!r}.\n"
                "  Fix: 1.0 weighs precision and recall alike."
            )
        if threshold is not None and not (isinstance(threshold, float) and 0 < threshold <= 1):
            raise ValueError(
                f"{type(self).__name__}: `threshold` must be a float in (0, 1], or None; got "
                f"{threshold!r}.\n  Fix: 0.5, or None for the largest prediction of each row."
            )
        self.average = average
        self.beta = beta
        self.threshold = threshold

    def _build(self, classes):
        shape = () if self.average == "micro" else (classes,)
        names = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")
        for name in names:
            setattr(self, name, self.add_variable(shape, "zeros", dtype=self.dtype, name=name))

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = to_tensor(y_true, self.dtype), to_tensor(y_pred, self.dtype)
        _check_matrices(self, y_true, y_pred)
        if not hasattr(self, "true_positives"):
            self._build(y_pred.shape[-1])
        if self.threshold is None:
            is_largest = y_pred >= ops.reduce_max(y_pred, axis=-1, keepdims=True)
            y_pred = ops.logical_and(is_largest, ops.abs(y_pred) > 1e-9)
        else:
            y_pred = y_pred > self.threshold
        y_pred = ops.cast(y_pred, self.dtype)
        weights = None if sample_weight is None else _column_of(sample_weight, y_true)
        axis = None if self.average == "micro" else 0

        def count(values):
            return ops.reduce_sum(values if weights is None else values * weights, axis=axis)

        self.true_positives.assign_add(count(y_pred * y_true))
        self.false_positives.assign_add(count(y_pred * (1.0 - y_true)))
        self.false_negatives.assign_add(count((1.0 - y_pred) * y_true))
        self.intermediate_weights.assign_add(count(y_true))

    def result(self):
        if not hasattr(self, "true_positives"):
            return ops.constant(0.0, dtype=self.dtype)
        precision = ops.divide_no_nan(
            self.true_positives, self.true_positives + self.false_positives
        )
        recall = ops.divide_no_nan(self.true_positives, self.true_positives + self.false_negatives)
        square = self.beta**2
        score = ops.divide_no_nan(precision * recall, square * precision + recall) * (1 + square)
        if self.average == "weighted":
            total = ops.reduce_sum(self.intermediate_weights)
            return ops.reduce_sum(score * ops.divide_no_nan(self.intermediate_weights, total))
        return score if self.average is None else ops.reduce_mean(score)


class F1Score(FBetaScore):
    """Harmonic mean of precision and recall.

    Args:
        average: None gives one score per class, "macro" their mean, "weighted" their mean by
            the number of samples of a class, "micro" one score of all decisions.
        threshold: Predictions above it count as positive; None takes the largest of each row.
        name: Name of the metric.
        dtype: Dtype of the metric; None is ``tf.keras.config.floatx()``.

    Call and result are those of `FBetaScore`.

    Example:
        >>> metric = tf.keras.metrics.F1Score(threshold=0.5)
        >>> y = [[1, 1, 1], [1, 0, 0], [1, 1, 0]]
        >>> metric(y, [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]]).numpy()
        array([0.5      , 0.8      , 0.6666667], dtype=float32)
    """

    def __init__(self, average=None, threshold=None, name="f1_score", dtype=None):
        super().__init__(average, 1.0, threshold, name, dtype)


class R2Score(Metric):
    """Coefficient of determination: 1 - residual sum of squares / total sum of squares.

    Args:
        class_aggregation: "uniform_average" is the mean over outputs, None gives each,
            "variance_weighted_average" weights them by their variance.
        num_regressors: Number of independent regressors P for the adjusted score, or 0.
        name: Name of the metric.
        dtype: Dtype of the metric; the sums are kept in ``tf.keras.config.floatx()``.

    Call:
        y_true: Targets, ``(B, D)``.
        y_pred: Predictions, ``(B, D)``.
        sample_weight: What each sample counts, ``(B,)``; None is 1.

    Returns:
        A scalar, or ``(D,)`` for None; 1 is perfect, 0 as good as the mean of the targets.

    Raises:
        ValueError: an argument has none of the values above, or the shapes differ.

    Example:
        >>> tf.keras.metrics.R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]]).numpy()
        np.float32(0.57142854)
    """

    # Made at the first update.
    squared_sum: Any
    sum: Any
    total_mse: Any
    count: Any

    def __init__(
        self, class_aggregation="uniform_average", num_regressors=0, name="r2_score", dtype=None
    ):
        super().__init__(name=name, dtype=dtype)
        choices = (None, "uniform_average", "variance_weighted_average")
        _check_choice(self, "class_aggregation", class_aggregation, choices)
        if num_regressors < 0:
            raise ValueError(
                f"R2Score: `num_regressors` must not be negative; got {num_regressors}.\n"
                "  Fix: 0 gives the score without adjustment."
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")

    def _build(self, outputs):
        for attribute, name in (
            ("squared_sum", "squared_sum"),
            ("sum", "sum"),
            ("total_mse", "residual"),
            ("count", "count"),
        ):
            setattr(self, attribute, self.add_variable((outputs,), "zeros", name=name))

    def update_state(self, y_true, y_pred, sample_weight=None):
        dtype = self.num_samples.dtype
        y_true, y_pred = to_tensor(y_true, dtype), to_tensor(y_pred, dtype)
        _check_matrices(self, y_true, y_pred)
        if not hasattr(self, "total_mse"):
            self._build(y_pred.shape[-1])
        weights = ops.ones_like(y_true[:, :1])
        if sample_weight is not None:
            weights = _column_of(sample_weight, y_true)
        weights = ops.broadcast_to(weights, ops.shape(y_true))
        weighted = y_true * weights
        self.sum.assign_add(ops.reduce_sum(weighted, axis=0))
        self.squared_sum.assign_add(ops.reduce_sum(y_true * weighted, axis=0))
        squares = ops.square(y_true - y_pred) * weights
        self.total_mse.assign_add(ops.reduce_sum(squares, axis=0))
        self.count.assign_add(ops.reduce_sum(weights, axis=0))
        self.num_samples.assign_add(ops.cast(ops.size(y_true), dtype))

    def result(self):
        if not hasattr(self, "total_mse"):
            return ops.constant(0.0, dtype=policy.floatx())
        mean = self.sum / self.count
        total = self.squared_sum - self.sum * mean
        scores = 1.0 - self.total_mse / total
        scores = ops.where(ops.is_inf(scores), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            scores = ops.reduce_mean(scores)
        elif self.class_aggregation == "variance_weighted_average":
            scores = ops.reduce_sum(total * scores) / ops.reduce_sum(total)
        return scores if self.num_regressors == 0 else self._adjusted(scores)

    def _adjusted(self, scores):
        # With too few samples Keras warns and gives the plain score; a step on the device
        # cannot warn.
        samples = ops.identity(self.num_samples)
        freedom = samples - self.num_regressors - 1.0
        adjusted = 1.0 - (1.0 - scores) * ops.divide_no_nan(samples - 1.0, freedom)
        return ops.where(freedom > 0, adjusted, scores)


def _centred(y, axis):
    return y - ops.reduce_mean(y, axis=axis, keepdims=True)


def pearson_correlation(y_true, y_pred, axis=-1):
    """Return Pearson's correlation: covariance over the product of the standard deviations.

    Args:
        y_true: Targets, ``(B, d1, …)``.
        y_pred: Predictions, ``(B, d1, …)``, float.
        axis: Axis over which they are correlated.

    Returns:
        Shape of ``y_pred`` without ``axis``, in [-1, 1]; NaN where one of them is constant.

    Example:
        >>> tf.keras.metrics.pearson_correlation([[0.0, 2.0]], [[1.0, 3.0]]).numpy()
        array([1.], dtype=float32)
    """
    y_true, y_pred = aligned(y_true, y_pred)
    x, y = _centred(y_true, axis), _centred(y_pred, axis)
    x = x / ops.sqrt(ops.reduce_mean(ops.square(x), axis=axis, keepdims=True))
    y = y / ops.sqrt(ops.reduce_mean(ops.square(y), axis=axis, keepdims=True))
    return ops.reduce_mean(x * y, axis=axis)


class PearsonCorrelation(FunctionMetric):
    """Mean of Pearson's correlation over the samples."""

    function = staticmethod(pearson_correlation)

    def __init__(self, name=None, dtype=None, axis=-1):
        super().__init__(name, dtype)
        self.axis = axis


def concordance_correlation(y_true, y_pred, axis=-1):
    """Return the concordance correlation: twice the covariance over the squared distances.

    The denominator is the sum of both variances and of the squared difference of the means.

    Args:
        y_true: Targets, ``(B, d1, …)``.
        y_pred: Predictions, ``(B, d1, …)``, float.
        axis: Axis over which they are correlated.

    Returns:
        Shape of ``y_pred`` without ``axis``, in [-1, 1].

    Example:
        >>> tf.keras.metrics.concordance_correlation([[0.0, 2.0]], [[0.0, 2.0]]).numpy()
        array([1.], dtype=float32)

    Reference: Lin 1989, https://doi.org/10.2307/2532051.
    """
    y_true, y_pred = aligned(y_true, y_pred)
    x, y = _centred(y_true, axis), _centred(y_pred, axis)
    covariance = ops.reduce_mean(x * y, axis=axis)
    spread = ops.reduce_mean(ops.square(x) + ops.square(y), axis=axis)
    shift = ops.reduce_mean(y_true, axis=axis) - ops.reduce_mean(y_pred, axis=axis)
    return 2.0 * covariance / (spread + ops.square(shift) + policy.epsilon())


class ConcordanceCorrelation(FunctionMetric):
    """Mean of the concordance correlation over the samples."""

    function = staticmethod(concordance_correlation)

    def __init__(self, name=None, dtype=None, axis=-1):
        super().__init__(name, dtype)
        self.axis = axis
