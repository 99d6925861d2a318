"""Metrics: state on the device that grows with each batch, and what is read from it."""

from collections.abc import Callable, Mapping
from typing import Any

from lamina.keras import registry
from lamina.keras.losses import (
    KLD,
    MAE,
    MAPE,
    MSE,
    MSLE,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    huber,
    kl_divergence,
    kld,
    kullback_leibler_divergence,
    log_cosh,
    logcosh,
    mae,
    mape,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    mse,
    msle,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from lamina.keras.metrics import accuracy as _accuracies
from lamina.keras.metrics import confusion, curves, iou, means, scores
from lamina.keras.metrics.accuracy import *
from lamina.keras.metrics.base import Metric
from lamina.keras.metrics.confusion import *
from lamina.keras.metrics.curves import *
from lamina.keras.metrics.iou import *
from lamina.keras.metrics.means import *
from lamina.keras.metrics.scores import *
from lamina.keras.naming import snake_case

Like = str | Mapping[str, Any] | Metric | type | Callable | None

_CLASSES = {
    name: value
    for name, value in globals().items()
    if isinstance(value, type) and issubclass(value, Metric)
}
# "mean_squared_error" as a metric is the class, which keeps the mean over batches; only names
# without a class give the function.
_BY_NAME = {
    **{snake_case(name): cls for name, cls in _CLASSES.items()},
    **dict.fromkeys(("mse", "MSE"), MeanSquaredError),
    **dict.fromkeys(("mae", "MAE"), MeanAbsoluteError),
    **dict.fromkeys(("mape", "MAPE"), MeanAbsolutePercentageError),
    **dict.fromkeys(("msle", "MSLE"), MeanSquaredLogarithmicError),
    **dict.fromkeys(("bce", "BCE"), BinaryCrossentropy),
    **dict.fromkeys(("rmse", "RMSE"), RootMeanSquaredError),
    **dict.fromkeys(("kld", "KLD"), KLDivergence),
    **dict.fromkeys(("logcosh", "log_cosh"), LogCoshError),
}

registry.publish("keras.metrics", globals(), [*_CLASSES, *_accuracies.__all__, *scores.__all__])


def get(identifier: Like):
    """Return the metric that an identifier names.

    Args:
        identifier: A class, its name or the name in snake case gives a new instance; a config
            what it describes; a metric or function itself; None gives None.

    Returns:
        A Metric, or a function of ``(y_true, y_pred)``.

    Raises:
        ValueError: the name is unknown, or the identifier is none of the above.

    Example:
        >>> tf.keras.metrics.get("mse")
        <MeanSquaredError name=mean_squared_error>
    """
    if isinstance(identifier, str) and registry.get_registered_object(identifier) is None:
        identifier = _BY_NAME.get(identifier, identifier)
    return registry.resolve(identifier, "keras.metrics", "metric")


def serialize(metric) -> Any:
    """Return the config of a metric or metric function, with its class or name.

    Args:
        metric: A Metric, or a function.

    Example:
        >>> tf.keras.metrics.serialize(tf.keras.metrics.Mean())["config"]
        {'name': 'mean', 'dtype': 'float32'}
    """
    return registry.serialize_keras_object(metric)


def deserialize(config, custom_objects: Mapping[str, Any] | None = None):
    """Return the metric that a config or name describes.

    Args:
        config: What `serialize` returned, or the name of a metric.
        custom_objects: Name → class or function, for metrics that are not registered.

    Raises:
        ValueError: the name is unknown.

    Example:
        >>> tf.keras.metrics.deserialize(tf.keras.metrics.serialize(tf.keras.metrics.Mean()))
        <Mean name=mean>
    """
    with registry.CustomObjectScope(custom_objects):
        return get(config)
