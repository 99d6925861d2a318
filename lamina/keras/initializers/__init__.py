"""Start values of weights."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lamina.engine import Tensor, Variable
from lamina.keras import registry
from lamina.keras.initializers import drawn, fixed
from lamina.keras.initializers.base import Initializer
from lamina.keras.initializers.drawn import *
from lamina.keras.initializers.fixed import *

__all__ = [
    "Initializer",
    "deserialize",
    "get",
    "serialize",
    *fixed.__all__,
    *drawn.__all__,
]

Like = str | Mapping[str, Any] | Initializer | Callable[..., Any]


def get(identifier: Any) -> Any:
    """Return the initializer that an identifier names.

    Args:
        identifier: A name such as "glorot_uniform" or "GlorotUniform", a config, a class, an
            array (the value itself), a function of ``(shape, dtype)``, an initializer, or None.

    Returns:
        An initializer or function; None for None.

    Raises:
        ValueError: the name is unknown, or the identifier is none of the above.

    Example:
        >>> tf.keras.initializers.get("zeros")
        <Zeros>
    """
    if isinstance(identifier, np.ndarray | Tensor | Variable):
        return Constant(identifier)
    return registry.resolve(identifier, "keras.initializers", "initializer")


def serialize(initializer: Any) -> Any:
    """Return the config of an initializer, with its class.

    Example:
        >>> tf.keras.initializers.serialize(tf.keras.initializers.Zeros())["class_name"]
        'Zeros'
    """
    return registry.serialize_keras_object(initializer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the initializer that a config describes.

    Args:
        config: What `serialize` returned.
        custom_objects: Name → class or function, for those that are not registered.

    Example:
        >>> tf.keras.initializers.deserialize({"class_name": "Ones", "config": {}})
        <Ones>
    """
    return registry.deserialize_keras_object(config, custom_objects, hint="keras.initializers")


registry.publish("keras.initializers", globals(), (*fixed.__all__, *drawn.__all__))
registry.builtin("keras.initializers", "zero")(Zeros)
registry.builtin("keras.initializers", "one")(Ones)
registry.builtin("keras.initializers", "normal")(RandomNormal)
registry.builtin("keras.initializers", "uniform")(RandomUniform)
