"""Losses of real-valued targets, and the hinge losses."""

import math

from lamina import ops
from lamina.keras import policy
from lamina.keras.losses.base import FunctionLoss, aligned

__all__ = [
    "CategoricalHinge",
    "CosineSimilarity",
    "Hinge",
    "Huber",
    "LogCosh",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    "SquaredHinge",
    "categorical_hinge",
    "cosine_similarity",
    "hinge",
    "huber",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "squared_hinge",
    "unit_vectors",
]


def mean_squared_error(y_true, y_pred):
    """Return the mean over the last axis of ``(y_true - y_pred)²``.

    Args:
        y_true: Targets, ``(B, d1, …, dn)``; cast to the dtype of ``y_pred``.
        y_pred: Predictions, ``(B, d1, …, dn)``, float. An axis of size 1 that one of the two
            lacks at the end is added or dropped; other axes broadcast.

    Returns:
        ``(B, d1, …, dn-1)``, dtype of ``y_pred``. Unit: the square of y's unit.

    Example:
        >>> tf.keras.losses.MSE([[0.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [1.0, 0.0]]).numpy()
        array([0.5, 0.5], dtype=float32)
    """
    y_true, y_pred = aligned(y_true, y_pred)
    return ops.reduce_mean(ops.square(y_true - y_pred), axis=-1)


class MeanSquaredError(FunctionLoss):
    """Mean squared error, reduced over the batch."""

    function = staticmethod(mean_squared_error)


def mean_absolute_error(y_true, y_pred):
    """Return the mean over the last axis of ``|y_true - y_pred|``.

    Args:
        y_true: Targets, ``(B, d1, …, dn)``; cast to the dtype of ``y_pred``.
        y_pred: Predictions, ``(B, d1, …, dn)``, float.

    Returns:
        ``(B, d1, …, dn-1)``, dtype and unit of ``y_pred``.

    Example:
        >>> tf.keras.losses.MAE([[0.0, 1.0], [0.0, 0.0]], [[2.0, 1.0], [1.0, 0.0]]).numpy()
        array([1. , 0.5], dtype=float32)
    """
    y_true, y_pred = aligned(y_true, y_pred)
    return ops.reduce_mean(ops.abs(y_true - y_pred), axis=-1)


class MeanAbsoluteError(FunctionLoss):
    """Mean absolute error, reduced over the batch."""

    function = staticmethod(mean_absolute_error)


def mean_absolute_percentage_error(y_true, y_pred):
    """Return ``100 * mean(|y_true - y_pred| / max(|y_true|, ε))`` over the last axis.

    Args:
        y_true: Targets, ``(B, d1, …, dn)``; cast to the dtype of ``y_pred``.
        y_pred: Predictions, ``(B, d1, …, dn)``, float.

    Returns:
        ``(B, d1, …, dn-1)``, dtype of ``y_pred``, in percent. ε is ``tf.keras.config.epsilon()``.

    Example:
        >>> tf.keras.losses.MAPE([[2.0, 1.0]], [[3.0, 1.0]]).numpy()
        array([25.], dtype=float32)
    """
    y_true, y_pred = aligned(y_true, y_pred)
    share = ops.abs(y_true - y_pred) / ops.maximum(ops.abs(y_true), policy.epsilon())
    return 100.0 * ops.reduce_mean(share, axis=-1)


class MeanAbsolutePercentageError(FunctionLoss):
    """Mean absolute error in percent of the target, reduced over the batch."""

    function = staticmethod(mean_absolute_percentage_error)


def mean_squared_logarithmic_error(y_true, y_pred):
    """Return the mean over the last axis of ``(ln(1 + y_true) - ln(1 + y_pred))²``.

    Args:
        y_true: Targets, ``(B, d1, …, dn)``; values below ε count as ε.
        y_pred: Predictions, ``(B, d1, …, dn)``, float; values below ε count as ε.

    Returns:
        ``(B, d1, …, dn-1)``, dtype of ``y_pred``. ε is ``tf.keras.config.epsilon()``.

    Example:
        >>> tf.keras.losses.MSLE([[0.0, 1.0]], [[0.0, 1.0]]).numpy()
        array([0.], dtype=float32)
    """
    y_true, y_pred = aligned(y_true, y_pred)
    log_true = ops.log(ops.maximum(y_true, policy.epsilon()) + 1.0)
    log_pred = ops.log(ops.maximum(y_pred, policy.epsilon()) + 1.0)
    return ops.reduce_mean(ops.square(log_true - log_pred), axis=-1)


class MeanSquaredLogarithmicError(FunctionLoss):
    """Mean squared difference of ``ln(1 + y)``, reduced over the batch."""

    function = staticmethod(mean_squared_logarithmic_error)


def unit_vectors(x, axis=-1):
    """Return ``x / |x|`` along ``axis``; a vector shorter than ε is divided by ε.

    Shapes: kept. Dtypes: kept.
    """
    square = ops.reduce_sum(ops.square(x), axis=axis, keepdims=True)
    return x * ops.rsqrt(ops.maximum(square, policy.epsilon() ** 2))


def cosine_similarity(y_true, y_pred, axis=-1):
    """Return minus the cosine of the angle between ``y_true`` and ``y_pred``.

    Args:
        y_true: Targets, ``(B, d1, …, dn)``; cast to the dtype of ``y_pred``.
        y_pred: Predictions, ``(B, d1, …, dn)``, float.
        axis: Axis that holds the components of a vector.

    Returns:
        Shape of ``y_pred`` without ``axis``, dtype of ``y_pred``, in [-1, 1]: -1 for equal
        directions, 0 if one of the two is the zero vector.

    Example:
        >>> tf.keras.losses.cosine_similarity([[0.0, 1.0]], [[0.0, 2.0]]).numpy()
        array([-1.], dtype=float32)
    """
    y_true, y_pred = aligned(y_true, y_pred)
    return -ops.reduce_sum(unit_vectors(y_true, axis) * unit_vectors(y_pred, axis), axis=axis)


class CosineSimilarity(FunctionLoss):
    """Minus the cosine between target and prediction, reduced over the batch."""

    function = staticmethod(cosine_similarity)
    _config_omit = (*FunctionLoss._config_omit, "axis")

    def __init__(self, axis=-1, reduction="sum_over_batch_size", name=None, dtype=None):
        super().__init__(reduction, name, dtype)
        self.axis = axis


def huber(y_true, y_pred, delta=1.0):
    """Return the mean over the last axis of Huber's loss of ``e = y_pred - y_true``.

    ``e² / 2`` where ``|e| <= delta``, else ``delta * |e| - delta² / 2``.

    Args:
        y_true: Targets, ``(B, d1, …, dn)``; cast to the dtype of ``y_pred``.
        y_pred: Predictions, ``(B, d1, …, dn)``, float.
        delta: Error, in y's unit, at which the loss turns from quadratic to linear; > 0.

    Returns:
        ``(B, d1, …, dn-1)``, dtype of ``y_pred``.

    Example:
        >>> tf.keras.losses.huber([[0.0, 0.0]], [[1.0, 3.0]]).numpy()
        array([1.5], dtype=float32)

    Reference: Huber 1964, https://doi.org/10.1214/aoms/1177703732.
    """
    y_true, y_pred = aligned(y_true, y_pred)
    error = ops.abs(y_pred - y_true)
    linear = delta * error - 0.5 * delta * delta
    return ops.reduce_mean(ops.where(error <= delta, 0.5 * ops.square(error), linear), axis=-1)


class Huber(FunctionLoss):
    """Huber's loss, reduced over the batch."""

    function = staticmethod(huber)
    default_name = "huber_loss"
    _config_omit = (*FunctionLoss._config_omit, "delta")  # Keras 3.15 does not store it either

    def __init__(self, delta=1.0, reduction="sum_over_batch_size", name=None, dtype=None):
        super().__init__(reduction, name, dtype)
        self.delta = delta


def log_cosh(y_true, y_pred):
    """Return the mean over the last axis of ``ln cosh(y_pred - y_true)``, without overflow.

    Args:
        y_true: Targets, ``(B, d1, …, dn)``; cast to the dtype of ``y_pred``.
        y_pred: Predictions, ``(B, d1, …, dn)``, float.

    Returns:
        ``(B, d1, …, dn-1)``, dtype of ``y_pred``.

    Example:
        >>> tf.keras.losses.logcosh([[0.0, 0.0]], [[0.0, 0.0]]).numpy()
        array([0.], dtype=float32)
    """
    y_true, y_pred = aligned(y_true, y_pred)
    error = y_pred - y_true
    return ops.reduce_mean(error + ops.softplus(-2.0 * error) - math.log(2.0), axis=-1)


class LogCosh(FunctionLoss):
    """Logarithm of the hyperbolic cosine of the error, reduced over the batch."""

    function = staticmethod(log_cosh)


def poisson(y_true, y_pred):
    """Return the mean over the last axis of ``y_pred - y_true * ln(y_pred + ε)``.

    Args:
        y_true: Observed counts, ``(B, d1, …, dn)``; cast to the dtype of ``y_pred``.
        y_pred: Predicted rates, ``(B, d1, …, dn)``, float, >= 0.

    Returns:
        ``(B, d1, …, dn-1)``, dtype of ``y_pred``: the negative log-likelihood up to a constant.

    Example:
        >>> tf.keras.losses.poisson([[0.0, 0.0]], [[1.0, 3.0]]).numpy()
        array([2.], dtype=float32)
    """
    y_true, y_pred = aligned(y_true, y_pred)
    return ops.reduce_mean(y_pred - y_true * ops.log(y_pred + policy.epsilon()), axis=-1)


class Poisson(FunctionLoss):
    """Poisson negative log-likelihood, reduced over the batch."""

    function = staticmethod(poisson)


def _signed(y_true):
    """Return labels 0/1 as -1/1; targets that hold any other value pass unchanged."""
    is_binary = ops.reduce_all(ops.logical_or(ops.equal(y_true, 0), ops.equal(y_true, 1)))
    return ops.where(is_binary, 2.0 * y_true - 1.0, y_true)


def hinge(y_true, y_pred):
    """Return the mean over the last axis of ``max(1 - y_true * y_pred, 0)``.

    Args:
        y_true: Labels -1 or 1, ``(B, d1, …, dn)``; if all are 0 or 1, 0 is read as -1.
        y_pred: Scores, ``(B, d1, …, dn)``, float.

    Returns:
        ``(B, d1, …, dn-1)``, dtype of ``y_pred``.

    Example:
        >>> tf.keras.losses.hinge([[-1.0, 1.0]], [[0.5, 0.5]]).numpy()
        array([1.], dtype=float32)
    """
    y_true, y_pred = aligned(y_true, y_pred)
    return ops.reduce_mean(ops.maximum(1.0 - _signed(y_true) * y_pred, 0.0), axis=-1)


class Hinge(FunctionLoss):
    """Hinge loss, reduced over the batch."""

    function = staticmethod(hinge)


def squared_hinge(y_true, y_pred):
    """Return the mean over the last axis of ``max(1 - y_true * y_pred, 0)²``.

    Args:
        y_true: Labels -1 or 1, ``(B, d1, …, dn)``; if all are 0 or 1, 0 is read as -1.
        y_pred: Scores, ``(B, d1, …, dn)``, float.

    Returns:
        ``(B, d1, …, dn-1)``, dtype of ``y_pred``.

    Example:
        >>> tf.keras.losses.squared_hinge([[-1.0, 1.0]], [[0.0, 0.0]]).numpy()
        array([1.], dtype=float32)
    """
    y_true, y_pred = aligned(y_true, y_pred)
    margin = ops.maximum(1.0 - _signed(y_true) * y_pred, 0.0)
    return ops.reduce_mean(ops.square(margin), axis=-1)


class SquaredHinge(FunctionLoss):
    """Squared hinge loss, reduced over the batch."""

    function = staticmethod(squared_hinge)


def categorical_hinge(y_true, y_pred):
    """Return ``max(1 + best wrong score - right score, 0)``.

    Args:
        y_true: One-hot labels, ``(B, d1, …, C)``; cast to the dtype of ``y_pred``.
        y_pred: Scores, ``(B, d1, …, C)``, float.

    Returns:
        ``(B, d1, …)``, dtype of ``y_pred``.

    Example:
        >>> tf.keras.losses.categorical_hinge([[0.0, 1.0]], [[0.5, 1.0]]).numpy()
        array([0.5], dtype=float32)
    """
    y_true, y_pred = aligned(y_true, y_pred)
    right = ops.reduce_sum(y_true * y_pred, axis=-1)
    wrong = ops.reduce_max((1.0 - y_true) * y_pred, axis=-1)
    return ops.maximum(wrong - right + 1.0, 0.0)


class CategoricalHinge(FunctionLoss):
    """Multi-class hinge loss, reduced over the batch."""

    function = staticmethod(categorical_hinge)
