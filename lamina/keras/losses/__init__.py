"""Losses: one function each, and a class that reduces its values over the batch."""

from collections.abc import Callable, Mapping
from typing import Any

from lamina.keras import registry
from lamina.keras.losses import classification, regression, structured
from lamina.keras.losses.base import FunctionLoss, Loss, LossFunctionWrapper, Reduction
from lamina.keras.losses.classification import *
from lamina.keras.losses.regression import *
from lamina.keras.losses.structured import *

Like = str | Mapping[str, Any] | Loss | type | Callable | None

MSE = mse = mean_squared_error
MAE = mae = mean_absolute_error
MAPE = mape = mean_absolute_percentage_error
MSLE = msle = mean_squared_logarithmic_error
KLD = kld = kullback_leibler_divergence = kl_divergence
BCE = bce = binary_crossentropy
logcosh = log_cosh

_ALIASES = (
    *("MSE", "mse", "MAE", "mae", "MAPE", "mape", "MSLE", "msle", "BCE", "bce"),
    *("KLD", "kld", "kullback_leibler_divergence", "logcosh"),
)
_PUBLIC = (*regression.__all__, *classification.__all__, *structured.__all__, *_ALIASES)

__all__ = [*_PUBLIC, "Like", "Loss", "Reduction", "deserialize", "get", "serialize"]
__all__ += ["FunctionLoss", "LossFunctionWrapper"]

registry.publish("keras.losses", globals(), _PUBLIC)


def get(identifier: Like):
    """Return the loss that an identifier names.

    Args:
        identifier: A function's name gives the function, without reduction; a class or its name
            a new instance; a config what it describes; a loss or function itself; None gives
            None.

    Returns:
        A Loss, or a function of ``(y_true, y_pred)``.

    Raises:
        ValueError: the name is unknown, or the identifier is none of the above.

    Example:
        >>> tf.keras.losses.get("mse") is tf.keras.losses.mean_squared_error
        True
    """
    return registry.resolve(identifier, "keras.losses", "loss")


def serialize(loss) -> Any:
    """Return the config of a loss or loss function, with its class or name.

    Args:
        loss: A Loss, or a function.

    Example:
        >>> tf.keras.losses.serialize(tf.keras.losses.MeanSquaredError())["config"]
        {'name': 'mean_squared_error', 'reduction': 'sum_over_batch_size'}
    """
    return registry.serialize_keras_object(loss)


def deserialize(name, custom_objects: Mapping[str, Any] | None = None):
    """Return the loss that a config or name describes.

    Args:
        name: What `serialize` returned, or the name of a loss.
        custom_objects: Name → class or function, for losses that are not registered.

    Raises:
        ValueError: the name is unknown.

    Example:
        >>> config = tf.keras.losses.serialize(tf.keras.losses.MeanSquaredError())
        >>> tf.keras.losses.deserialize(config)
        <MeanSquaredError name=mean_squared_error>
    """
    with registry.CustomObjectScope(custom_objects):
        return get(name)
