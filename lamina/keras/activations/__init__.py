"""Activation functions as Keras spells them, and finding them by name."""

from collections.abc import Callable, Mapping
from typing import Any

from lamina import ops
from lamina.keras import registry
from lamina.keras.activations import piecewise, smooth
from lamina.keras.activations.piecewise import *
from lamina.keras.activations.smooth import *
from lamina.keras.capture import Captured

__all__ = ["deserialize", "get", "serialize", *piecewise.__all__, *smooth.__all__]

Like = str | Mapping[str, Any] | Callable[[Any], Any]


def get(identifier: Any) -> Any:
    """Return the activation function that an identifier names.

    Args:
        identifier: A name such as "relu", a function or layer, a layer class, a config, or None.

    Returns:
        A function or layer; `linear` for None.

    Raises:
        ValueError: the name is unknown, or the identifier is none of the above.

    Example:
        >>> tf.keras.activations.get("swish") is tf.keras.activations.silu
        True
    """
    if identifier is None:
        return linear
    if isinstance(identifier, Mapping) and "class_name" in identifier:
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Captured):
        return identifier()
    return registry.resolve(identifier, "keras.activations", "activation function")


def serialize(activation: Any) -> Any:
    """Return the name of an activation function, or the config of a layer or registered function.

    Args:
        activation: A function or layer.

    Returns:
        A string for Keras' own functions, else a dict.

    Example:
        >>> tf.keras.activations.serialize(tf.nn.relu)
        'relu'
    """
    if registry.is_public_function(activation):
        return registry.function_name(activation)
    return registry.serialize_keras_object(activation)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the function or layer that a config or name describes.

    Args:
        config: What `serialize` returned.
        custom_objects: Name → function, for those that are not registered.

    Example:
        >>> tf.keras.activations.deserialize("tanh") is tf.keras.activations.tanh
        True
    """
    found = registry.deserialize_keras_object(config, custom_objects, hint="keras.activations")
    return get(found) if isinstance(found, str) else found


registry.publish("keras.activations", globals(), (*piecewise.__all__, *smooth.__all__))
# The same functions as `tf.nn` and `tf.math` spell them are saved under the same names.
_SPELLED_ALIKE = (
    "elu",
    "gelu",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "swish",
    "tanh",
)
for _name in _SPELLED_ALIKE:
    registry.same(getattr(ops, _name), globals()[_name])
registry.same(ops.exp, exponential)
