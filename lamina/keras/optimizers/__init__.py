"""Optimizers: how variables change by their gradients.

`Optimizer` (`base`) stands on three classes, each one's job a file: `arguments`, `state`, `steps`.
The update rules are pure functions in `lamina.ops.optim`; each family file gives the classes.
"""

from collections.abc import Mapping
from typing import Any

from lamina.keras import registry
from lamina.keras.optimizers import legacy, schedules
from lamina.keras.optimizers.adam import Adam, Adamax, AdamW, Lamb, Nadam, ScheduleFreeAdamW
from lamina.keras.optimizers.adaptive import Adadelta, Adafactor, Adagrad, Ftrl, RMSprop
from lamina.keras.optimizers.base import Optimizer
from lamina.keras.optimizers.muon import Muon
from lamina.keras.optimizers.optax import Optax
from lamina.keras.optimizers.sgd import SGD, Lion
from lamina.keras.optimizers.wrappers import LossScaleOptimizer, MultiOptimizer, OptimizerMap

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "Optax",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "ScheduleFreeAdamW",
    "deserialize",
    "get",
    "legacy",
    "schedules",
    "serialize",
]

_BY_NAME = {name.lower(): name for name in __all__ if name[0].isupper()}


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """Return the config of an optimizer.

    Args:
        optimizer: The optimizer.

    Returns:
        A dict with "class_name" and "config" that `deserialize` reads; without state.

    Example:
        >>> tf.keras.optimizers.serialize(tf.keras.optimizers.SGD(0.5))["class_name"]
        'SGD'
    """
    return registry.serialize_keras_object(optimizer)


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Optimizer:
    """Return the optimizer of a config.

    Args:
        config: What `serialize` returned; names of built-in classes in any case.
        custom_objects: Names of own classes.

    Returns:
        A new optimizer, without state.

    Raises:
        UnknownNameError: there is no such class; a TypeError and a ValueError.

    Example:
        >>> config = {"class_name": "adam", "config": {"learning_rate": 0.5}}
        >>> tf.keras.optimizers.deserialize(config).get_config()["learning_rate"]
        0.5
    """
    name = str(config.get("class_name"))
    if name not in (custom_objects or {}):
        config = {**config, "class_name": _BY_NAME.get(name.lower(), name)}
    return registry.deserialize_keras_object(
        config, custom_objects=custom_objects, hint="keras.optimizers"
    )


def get(identifier: Any) -> Optimizer | None:
    """Return an optimizer from a name, a config, or an optimizer.

    Args:
        identifier: A class name in any case ("adam", "RMSprop"), a config, an optimizer, an optax
            transformation, or None.

    Returns:
        The optimizer; None for None.

    Raises:
        ValueError: the name is unknown, or `identifier` is something else.

    Example:
        >>> type(tf.keras.optimizers.get("rmsprop")).__name__
        'RMSprop'
    """
    if identifier is None or isinstance(identifier, Optimizer):
        return identifier
    found = None
    if isinstance(identifier, Mapping):
        found = deserialize(identifier)
    elif isinstance(identifier, str):
        found = deserialize({"class_name": identifier, "config": {}})
    elif callable(getattr(identifier, "init", None)) and hasattr(identifier, "update"):
        found = Optax(identifier)
    if isinstance(found, Optimizer):
        return found
    raise ValueError(
        f"tf.keras.optimizers.get: `identifier` must be an optimizer, its name or its config; got "
        f"{identifier!r} ({type(identifier).__name__}).\n  Fix: pass one of "
        f"{', '.join(sorted(_BY_NAME))}, or tf.keras.optimizers.Adam(...)."
    )
