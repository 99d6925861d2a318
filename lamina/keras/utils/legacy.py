"""tf.keras.utils.legacy and tf.keras.legacy.saving: the config dicts of Keras 2."""

import contextlib
import inspect
from collections.abc import Mapping
from typing import Any

from lamina.keras import registry

__all__ = ["deserialize_keras_object", "serialize_keras_object"]


def serialize_keras_object(instance: Any) -> Any:
    """Return an object as Keras 2 wrote it: its name, or `{"class_name", "config"}`.

    Args:
        instance: A layer, loss, metric, ..., a function, or None.

    Returns:
        A string for a function, None for None, else a dict.

    Raises:
        ValueError: the object has neither a config nor a name.

    Example:
        >>> tf.keras.utils.legacy.serialize_keras_object(tf.keras.regularizers.L2(0.5))
        {'class_name': 'L2', 'config': {'l2': 0.5}}
    """
    if instance is None:
        return None
    if hasattr(instance, "get_config") and not inspect.isclass(instance):
        config = {k: _plain(v) for k, v in instance.get_config().items()}
        return {"class_name": registry.get_registered_name(type(instance)), "config": config}
    if hasattr(instance, "__name__"):
        return registry.get_registered_name(instance)
    raise ValueError(
        f"legacy.serialize_keras_object: an object with a config, or a function, was expected; got "
        f"{instance!r}."
    )


def _plain(value: Any) -> Any:
    """Return a value of a config with the entries of Keras 3 as Keras 2 has them."""
    if isinstance(value, Mapping) and {"class_name", "config"} <= set(value):
        if isinstance(value["config"], str):
            return value["config"]  # a function
        config = {k: _plain(v) for k, v in (value["config"] or {}).items()}
        return {"class_name": value["class_name"], "config": config}
    if isinstance(value, list | tuple):
        return type(value)(_plain(v) for v in value)
    return value


def deserialize_keras_object(
    identifier: Any,
    module_objects: Mapping[str, Any] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """Return the object of a name or a config dict of Keras 2.

    Args:
        identifier: A name, `{"class_name", "config"}`, a function, or None.
        module_objects: Classes and functions by name, to look in after the registered ones.
        custom_objects: Further ones, which come first.
        printable_module_name: What kind of object it is, for messages.

    Raises:
        ValueError: the name is unknown, or the dict is no config.

    Example:
        >>> config = {"class_name": "L2", "config": {"l2": 0.5}}
        >>> tf.keras.utils.legacy.deserialize_keras_object(config)
        <L2 l2=0.5>
    """
    if identifier is None:
        return None
    if isinstance(identifier, Mapping):
        return _from_config(identifier, module_objects, custom_objects, printable_module_name)
    if isinstance(identifier, str):
        found = _named(identifier, module_objects, custom_objects, printable_module_name)
        return found() if inspect.isclass(found) else found
    if inspect.isfunction(identifier):
        return identifier
    raise ValueError(
        f"legacy.deserialize_keras_object: a name, a config or a function was expected; got "
        f"{identifier!r}."
    )


def _from_config(config: Mapping[str, Any], modules: Any, custom: Any, what: str) -> Any:
    if not {"class_name", "config"} <= set(config):
        raise ValueError(
            f"legacy.deserialize_keras_object: a config has `class_name` and `config`; got "
            f"{dict(config)!r}."
        )
    found = _named(config["class_name"], modules, custom, what)
    inner = dict(config["config"])
    if not hasattr(found, "from_config"):
        return found(**inner)
    with registry.custom_object_scope(custom or {}):
        return found.from_config(inner)


def _named(name: str, modules: Any, custom: Any, what: str) -> Any:
    found = registry.get_registered_object(name, custom, modules)
    if found is None:
        with contextlib.suppress(registry.UnknownNameError):
            found = registry.find(name)
    if found is None:
        raise ValueError(
            f"legacy.deserialize_keras_object: unknown {what}: {name!r}.\n"
            f"  Fix: pass it in `custom_objects`, or register it with "
            f"@tf.keras.utils.register_keras_serializable()."
        )
    return found
