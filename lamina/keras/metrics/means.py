"""Sums and means, and the metrics that are the mean of a loss function."""

import inspect
from collections.abc import Callable
from typing import Any

from lamina import ops
from lamina.keras import losses, registry
from lamina.keras.losses.base import aligned, apply_mask, argument_docs, match_ranks, to_tensor
from lamina.keras.metrics.base import Metric

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "CosineSimilarity",
    "FunctionMetric",
    "Hinge",
    "KLDivergence",
    "LogCoshError",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "RootMeanSquaredError",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Sum",
]


def _per_sample(values, sample_weight, reduce: Callable, dtype):
    """Return weighted values and weights with one entry per sample.

    Axes that `sample_weight` lacks are reduced before it is applied, the others after.

    Shapes: ``(B, …)`` and ``(B, …)`` with fewer axes or None → ``(B,)`` and ``(B,)`` or None;
    scalars stay scalars.
    """
    values = to_tensor(values, dtype)
    if sample_weight is not None:
        values, sample_weight = match_ranks(values, to_tensor(sample_weight, dtype))
        values = _reduce_from(len(sample_weight.shape), values, reduce)
        sample_weight = ops.broadcast_to(sample_weight, ops.shape(values))
        values = values * sample_weight
        sample_weight = _reduce_from(1, sample_weight, reduce)
    return _reduce_from(1, values, reduce), sample_weight


def _reduce_from(axis: int, x, reduce: Callable):
    rank = len(x.shape)
    return reduce(x, axis=list(range(axis, rank))) if rank > axis else x


class Sum(Metric):
    """Sum of all values, weighted.

    Args:
        name: Name of the metric; None makes one from the class name.
        dtype: Dtype to compute in; None is ``tf.keras.config.floatx()``.

    Call:
        values: Numbers, ``(B, …)`` or a scalar.
        sample_weight: Factors that broadcast to ``values``, or None.

    Returns:
        A scalar.

    Example:
        >>> tf.keras.metrics.Sum()([1.0, 3.0, 5.0, 7.0]).numpy()
        np.float32(16.0)
    """

    def __init__(self, name="sum", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", dtype=self.dtype, name="total")

    def update_state(self, values, sample_weight=None):
        sample_weight = _masked(values, sample_weight, self.dtype)
        values, _ = _per_sample(values, sample_weight, ops.reduce_sum, self.dtype)
        self.total.assign_add(ops.reduce_sum(values))

    def result(self):
        return ops.identity(self.total)


class Mean(Metric):
    """Weighted mean of all values.

    Args:
        name: Name of the metric; None makes one from the class name.
        dtype: Dtype to compute in; None is ``tf.keras.config.floatx()``.

    Call:
        values: Numbers, ``(B, …)`` or a scalar.
        sample_weight: Factors that broadcast to ``values``, or None. Values are averaged over
            the axes that it lacks.

    Returns:
        A scalar; 0 before the first update.

    Example:
        >>> tf.keras.metrics.Mean()([1.0, 3.0, 5.0, 7.0]).numpy()
        np.float32(4.0)
        >>> tf.keras.metrics.Mean()([1.0, 3.0], sample_weight=[1.0, 0.0]).numpy()
        np.float32(1.0)
    """

    def __init__(self, name="mean", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", dtype=self.dtype, name="total")
        self.count = self.add_variable((), "zeros", dtype=self.dtype, name="count")

    def update_state(self, values, sample_weight=None):
        sample_weight = _masked(values, sample_weight, self.dtype)
        values, sample_weight = _per_sample(values, sample_weight, ops.reduce_mean, self.dtype)
        self.total.assign_add(ops.reduce_sum(values))
        if sample_weight is not None:
            count = ops.reduce_sum(sample_weight)
        else:
            count = values.shape.num_elements()
        self.count.assign_add(ops.size(values) if count is None else count)

    def result(self):
        return ops.divide_no_nan(self.total, self.count)


def _masked(values, sample_weight, dtype):
    """Return the weights, 0 where the values' own mask says so; no weights stay no weights."""
    mask = getattr(values, "_keras_mask", None)
    if mask is None or sample_weight is None:
        return sample_weight
    return apply_mask(sample_weight, mask, dtype, "sum")


class MeanMetricWrapper(Mean):
    """Weighted mean of the values of a function of ``(y_true, y_pred)``.

    Args:
        fn: Function of targets and predictions that gives one value per sample or element.
        name: Name of the metric; None makes one from the class name.
        dtype: Dtype to compute in; None is ``tf.keras.config.floatx()``.
        **kwargs: Options, handed to `fn` at each call.

    Call:
        y_true: Targets, as `fn` takes them.
        y_pred: Predictions; samples that their mask takes out count nothing.
        sample_weight: Factors of the values, or None.

    Returns:
        A scalar.

    Example:
        >>> metric = tf.keras.metrics.MeanMetricWrapper(lambda y, p: tf.abs(y - p))
        >>> metric([1.0, 2.0], [1.0, 4.0]).numpy()
        np.float32(1.0)
    """

    def __init__(self, fn, name: Any = None, dtype=None, **kwargs):
        super().__init__(name, dtype)
        self.fn = fn
        self.kwargs = kwargs

    @property
    def options(self) -> dict:
        """The options that the function is called with."""
        return self.kwargs

    def update_state(self, y_true, y_pred, sample_weight=None):  # pyright: ignore[reportIncompatibleMethodOverride]
        mask = getattr(y_pred, "_keras_mask", None)
        values = self.fn(
            ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred), **self.options
        )
        if mask is not None:
            sample_weight = apply_mask(sample_weight, mask, self.dtype, "sum")
        super().update_state(values, sample_weight=sample_weight)

    def _config_value(self, name, value, own):
        if name == "fn":
            return registry.serialize_keras_object(value)
        return super()._config_value(name, value, own)


_SHARED_DOC = """

Args:
    name: Name of the metric; None is ``{name!r}``.
    dtype: Dtype to compute in; None is ``tf.keras.config.floatx()``.
{options}
Call:
    y_true: Targets, as in the function `{function}`.
    y_pred: Predictions; samples that their mask takes out count nothing.
    sample_weight: Factors of the values, or None.

Returns:
    A scalar: the weighted mean of what `{function}` gives for each sample.
"""


class FunctionMetric(MeanMetricWrapper):
    """A metric that is the mean of one function.

    A subclass names its `function`, and in its constructor sets the function's options as
    attributes. Where it has no options, two lines make a metric.

    Args:
        name: Name of the metric; None is the function's name.
        dtype: Dtype to compute in; None is ``tf.keras.config.floatx()``.
    """

    function: Callable
    default_name: str | None = None

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "function" not in vars(cls):
            return
        cls.option_names = tuple(inspect.signature(cls.function).parameters)[2:]
        cls.default_name = cls.default_name or cls.function.__name__
        cls.__doc__ = (cls.__doc__ or "") + _SHARED_DOC.format(
            options=argument_docs(cls.function, cls.option_names),
            name=cls.default_name,
            function=cls.function.__name__,
        )

    def __init__(self, name=None, dtype=None):
        super().__init__(self.function, name or self.default_name, dtype)

    @property
    def options(self) -> dict:
        """The options that the function is called with."""
        return {name: vars(self)[name] for name in self.option_names if name in vars(self)}


class MeanSquaredError(FunctionMetric):
    """Mean squared error."""

    function = staticmethod(losses.mean_squared_error)


class RootMeanSquaredError(Mean):
    """Square root of the mean squared error.

    Args:
        name: Name of the metric.
        dtype: Dtype to compute in; None is ``tf.keras.config.floatx()``.

    Call:
        y_true: Targets, ``(B, …)``.
        y_pred: Predictions, the shape of the targets.
        sample_weight: Factors of the squared errors, or None.

    Returns:
        A scalar, in y's unit.

    Example:
        >>> tf.keras.metrics.RootMeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]]).numpy()
        np.float32(0.70710677)
    """

    def __init__(self, name="root_mean_squared_error", dtype=None):
        super().__init__(name, dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):  # pyright: ignore[reportIncompatibleMethodOverride]
        y_true, y_pred = aligned(y_true, to_tensor(y_pred, self.dtype))
        super().update_state(ops.square(y_pred - y_true), sample_weight)

    def result(self):
        return ops.sqrt(super().result())


class MeanAbsoluteError(FunctionMetric):
    """Mean absolute error."""

    function = staticmethod(losses.mean_absolute_error)


class MeanAbsolutePercentageError(FunctionMetric):
    """Mean absolute error in percent of the target."""

    function = staticmethod(losses.mean_absolute_percentage_error)


class MeanSquaredLogarithmicError(FunctionMetric):
    """Mean squared difference of ``ln(1 + y)``."""

    function = staticmethod(losses.mean_squared_logarithmic_error)


class LogCoshError(FunctionMetric):
    """Mean logarithm of the hyperbolic cosine of the error."""

    function = staticmethod(losses.log_cosh)
    default_name = "logcosh"


class Poisson(FunctionMetric):
    """Mean Poisson negative log-likelihood."""

    function = staticmethod(losses.poisson)


class KLDivergence(FunctionMetric):
    """Mean Kullback-Leibler divergence, in nats."""

    function = staticmethod(losses.kl_divergence)


class Hinge(FunctionMetric):
    """Mean hinge loss."""

    function = staticmethod(losses.hinge)


class SquaredHinge(FunctionMetric):
    """Mean squared hinge loss."""

    function = staticmethod(losses.squared_hinge)


class CategoricalHinge(FunctionMetric):
    """Mean multi-class hinge loss."""

    function = staticmethod(losses.categorical_hinge)


def cosine_similarity(y_true, y_pred, axis=-1):
    """Return the cosine of the angle between ``y_true`` and ``y_pred``.

    The loss of this name is minus the cosine; the metric is the cosine itself.

    Args:
        y_true: Targets, ``(B, d1, …, dn)``.
        y_pred: Predictions, ``(B, d1, …, dn)``, float.
        axis: Axis that holds the components of a vector.

    Returns:
        Shape of ``y_pred`` without ``axis``.
    """
    return -losses.cosine_similarity(y_true, y_pred, axis)


class CosineSimilarity(FunctionMetric):
    """Mean cosine of the angle between target and prediction."""

    function = staticmethod(cosine_similarity)
    _config_omit = ("axis",)  # Keras 3.15 does not store it

    def __init__(self, name=None, dtype=None, axis=-1):
        super().__init__(name, dtype)
        self.axis = axis


class BinaryCrossentropy(FunctionMetric):
    """Mean cross-entropy of two classes, in nats."""

    function = staticmethod(losses.binary_crossentropy)

    def __init__(self, name=None, dtype=None, from_logits=False, label_smoothing=0):
        super().__init__(name, dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


class CategoricalCrossentropy(FunctionMetric):
    """Mean cross-entropy of one-hot labels, in nats."""

    function = staticmethod(losses.categorical_crossentropy)

    def __init__(self, name=None, dtype=None, from_logits=False, label_smoothing=0, axis=-1):
        super().__init__(name, dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class SparseCategoricalCrossentropy(FunctionMetric):
    """Mean cross-entropy of integer labels, in nats."""

    function = staticmethod(losses.sparse_categorical_crossentropy)

    def __init__(self, name=None, dtype=None, from_logits=False, ignore_class=None, axis=-1):
        super().__init__(name, dtype)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis
