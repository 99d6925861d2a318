"""Configs into objects. Loading never runs code: every name is looked up in the tables."""

import functools
import warnings
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from lamina.engine import as_dtype, convert_to_tensor
from lamina.keras.registry import names, values
from lamina.keras.registry.asking import asker

__all__ = [
    "decoder",
    "deserialize_keras_object",
    "enable_unsafe_deserialization",
    "in_safe_mode",
    "resolve",
    "revive",
]

_SAFE: ContextVar[bool] = ContextVar("lamina_safe_mode", default=True)
_DECODERS: dict[str, Callable[[dict[str, Any]], Any]] = {}

# Old files give bare class names; the argument's name says where to look first.
_HINTS = {
    "initializer": "keras.initializers",
    "regularizer": "keras.regularizers",
    "constraint": "keras.constraints",
    "activation": "keras.activations",
    "loss": "keras.losses",
    "metrics": "keras.metrics",
    "optimizer": "keras.optimizers",
}

_MSG_LAMBDA = (
    "deserialize_keras_object: a function stored by name was expected; got a Python lambda{where}. "
    "Loading never runs code, and a lambda can be stored only as code{unsafe}.\n"
    "  Fix: pass the function itself, as in `custom_objects={{{key!r}: my_function}}`; or save the "
    "model with a named function decorated by `@tf.keras.utils.register_keras_serializable()`."
)


def in_safe_mode() -> bool:
    """Return whether the load that runs now was asked to be safe; True outside of loading."""
    return _SAFE.get()


def enable_unsafe_deserialization() -> None:
    """Accept Keras' switch for running code in files; lamina has no such mode and says so.

    Differs from TF: lambdas in files are refused here too. Pass the function in `custom_objects`.
    """
    warnings.warn(
        "enable_unsafe_deserialization: lamina never runs code from a file, so this changes "
        "nothing. Pass functions in `custom_objects` instead.",
        stacklevel=2,
    )


def decoder(class_name: str) -> Callable[[Callable[[dict[str, Any]], Any]], Any]:
    """Return a decorator: the function turns the `config` of this special class name into a value.

    Args:
        class_name: A name with underscores around it, such as "__keras_tensor__".
    """

    def register(function: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
        _DECODERS[class_name] = function
        return function

    return register


def deserialize_keras_object(
    config: Any,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
    **kwargs: Any,
) -> Any:
    """Return the object that a config describes.

    Names are looked up among lamina's own classes and functions, the classes and functions that
    this program registered or defined, and `custom_objects`. No module is imported and no stored
    code is run, whatever the file says.

    Args:
        config: What `serialize_keras_object` returned: a dict with "class_name" and "config", a
            plain value, or a list, tuple or dict of such. A string names a custom object if there
            is one of that name, else it stays a string.
        custom_objects: Name → class or function, for this call and everything nested in it.
        safe_mode: Accepted for Keras' signature. False does not make lambdas load.
        **kwargs: `module_objects`: more names, searched after `custom_objects`.

    Returns:
        The object; values that describe no object come back unchanged.

    Raises:
        UnknownNameError: a class or function is unknown; a TypeError and a ValueError.
        TypeError: a constructor refuses its config.
        ValueError: the config holds a lambda, or is nested too deeply.

    Example:
        >>> config = {"class_name": "Constant", "config": {"value": 2.0}}
        >>> tf.keras.utils.deserialize_keras_object(config)
        <Constant value=2.0>
    """
    hint = kwargs.get("hint")
    scope = {**(kwargs.get("module_objects") or {}), **(custom_objects or {})}
    with _safety(safe_mode), names.CustomObjectScope(scope):
        if isinstance(config, str):
            found = names.get_registered_object(config)
            return config if found is None else found
        try:
            return revive(config, hint)
        except RecursionError:
            raise ValueError(
                "deserialize_keras_object: a config of reasonable depth was expected; got one "
                "nested deeper than Python's recursion limit.\n  Fix: check where it comes from."
            ) from None


@contextmanager
def _safety(safe_mode: bool):
    token = _SAFE.set(safe_mode)
    try:
        yield
    finally:
        _SAFE.reset(token)


def revive(config: Any, hint: str | None = None) -> Any:
    """Return the value a nested config describes, in the custom objects and mode of the caller.

    Args:
        config: A config, or a list, tuple or dict that may hold some. Strings stay strings.
        hint: The Keras module to look into first for a bare class name.
    """
    if isinstance(config, list):
        return [revive(item, hint) for item in config]
    if isinstance(config, tuple):
        return tuple(revive(item, hint) for item in config)
    if not isinstance(config, Mapping):
        return config
    class_name = config.get("class_name")
    if class_name == "__tuple__" and "items" in config:
        return tuple(revive(item, hint) for item in config["items"])
    if not isinstance(class_name, str) or "config" not in config:
        return {key: revive(value, _hint(key)) for key, value in config.items()}
    if class_name in _DECODERS:
        return _DECODERS[class_name](config["config"])
    if class_name == "function":
        return _function(config["config"], config.get("module"), hint)
    return _object(config, class_name, hint)


def _hint(key: Any) -> str | None:
    return _HINTS.get(str(key).rsplit("_", 1)[-1])


def _function(name: Any, module: str | None, hint: str | None) -> Any:
    for place in ("keras" if module in (None, "builtins") else module, "builtins"):
        found = names.find(str(name), place, registered_name=str(name), hint=hint)
        if callable(found) and not isinstance(found, type):
            return found
    # Older files of Keras 3 have registered functions without their package.
    table = names.get_custom_objects().items()
    bare = [f for key, f in table if key.endswith(f">{name}") and not isinstance(f, type)]
    if len(bare) == 1:
        return bare[0]
    raise names.UnknownNameError(_unknown("function", str(name), None))


def _object(config: Mapping[str, Any], class_name: str, hint: str | None) -> Any:
    cls = _find_class(class_name, config, hint)
    inner = config["config"]
    if isinstance(inner, list) and getattr(cls, "_config_may_be_list", False):
        inner = {"layers": inner}  # as Keras before 2.3 wrote Sequential
    if not isinstance(inner, Mapping):
        raise TypeError(
            f"{class_name}: a dict was expected as `config`; got {inner!r}.\n"
            f"  Fix: pass what `get_config()` returns."
        )
    instance = _make(cls, class_name, dict(inner))
    if "name" in config and "name" not in inner and hasattr(instance, "_config_restore"):
        instance._config_restore({"name": config["name"]})
    for key in ("build_config", "compile_config"):
        value = config.get(key)
        setter = getattr(instance, f"{key.split('_')[0]}_from_config", None)
        if value and setter is not None:
            setter(revive(value) if key == "build_config" else value)
    return instance


def _make(cls: type, class_name: str, inner: dict[str, Any]) -> Any:
    try:
        if hasattr(cls, "from_config"):
            return cls.from_config(inner)
        return cls(**{key: revive(value, _hint(key)) for key, value in inner.items()})
    except TypeError as error:
        if not getattr(error, "__notes__", None):
            error.add_note(f"While making {class_name} from config {_short(inner)}.")
        raise


def _find_class(class_name: str, config: Mapping[str, Any], hint: str | None) -> type:
    # A config without "module" is of the old form, which lamina's own classes come first in.
    module = config.get("module", "keras")
    registered = config.get("registered_name")
    qualname = config.get("qualname")
    find = functools.partial(names.find, registered_name=registered, qualname=qualname, hint=hint)
    found = find(class_name, module)
    if found is None and "module" not in config:
        found = find(class_name, None)
    if isinstance(found, type) or (found is not None and hasattr(found, "from_config")):
        return found
    raise names.UnknownNameError(
        _unknown("class", class_name, module if "module" in config else None)
    )


def _unknown(kind: str, name: str, module: str | None) -> str:
    where = f" of module {module!r}" if module else ""
    return (
        f"deserialize_keras_object: a known {kind} was expected; got {name!r}{where} "
        f"({names.near_names(name)}).\n"
        f"  Fix: define or import it before loading, or pass "
        f"`custom_objects={{{name.rsplit('>', 1)[-1]!r}: ...}}`."
        + (
            " A function must also be decorated by `@register_keras_serializable()`."
            if kind == "function"
            else ""
        )
    )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:297]}..."


def resolve(identifier: Any, module: str, what: str) -> Any:
    """Return what an identifier names: the body of `initializers.get` and the like.

    Args:
        identifier: None, a name, a config dict, a class, or any callable.
        module: The Keras module to look into, such as "keras.initializers".
        what: What is looked for, for the error message, such as "initializer".

    Returns:
        None for None; an instance for a class or a class's name; else the object itself.

    Raises:
        ValueError: the name is unknown, or the identifier is none of the above.
    """
    if identifier is None:
        return None
    if isinstance(identifier, Mapping):
        return _resolve_config(identifier, module, what)
    found = identifier
    if isinstance(identifier, str):
        found = _named(identifier, module)
    if isinstance(found, type):
        return found()
    if callable(found):
        return found
    near = f" ({names.near_names(identifier, module)})" if isinstance(identifier, str) else ""
    wanted = "a name, a config or a callable"
    who = asker(identifier, "", like=what.partition(" ")[0])
    said = f"{who} must be {wanted}" if who else f"{module}.get: {wanted} was expected"
    raise ValueError(
        f"{said} for the {what}; got {identifier!r}{near}.\n"
        f"  Fix: pass an object of `tf.{module}`, or register your own with "
        f"`@tf.keras.utils.register_keras_serializable()` and pass it itself."
    )


def _named(name: str, module: str) -> Any:
    found = names.get_registered_object(name)
    if found is None:
        found = names.exactly(name, module)
    return found


def _resolve_config(config: Mapping[str, Any], module: str, what: str) -> Any:
    if not isinstance(config.get("class_name"), str) or "config" not in config:
        raise ValueError(
            f"{module}.get: a dict with the keys 'class_name' and 'config' was expected for "
            f"the {what}; got {_short(config)}.\n  Fix: pass what `serialize` returned."
        )
    return deserialize_keras_object(config, hint=module)


@decoder("__bytes__")
def _bytes(config: dict[str, Any]) -> bytes:
    return str(config["value"]).encode()


@decoder("__ellipsis__")
def _ellipsis(config: dict[str, Any]) -> Any:
    return Ellipsis


@decoder("__slice__")
def _slice(config: dict[str, Any]) -> slice:
    return slice(*(revive(config.get(part)) for part in ("start", "stop", "step")))


@decoder("__numpy__")
def _numpy(config: dict[str, Any]) -> np.ndarray:
    name = str(config.get("dtype", "float32"))
    if name.startswith(("str", "bytes")):
        return np.asarray(config["value"], dtype=np.str_)
    return np.asarray(config["value"], dtype=as_dtype(name).np)


@decoder("__tensor__")
def _tensor(config: dict[str, Any]) -> Any:
    return convert_to_tensor(config["value"], dtype=config.get("dtype"))


@decoder("__partial__")
def _partial(config: dict[str, Any]) -> functools.partial:
    function = revive(config["function"])
    if not callable(function):
        raise TypeError(
            f"deserialize_keras_object: a function or class was expected in a partial; "
            f"got {function!r}.\n  Fix: check where the config comes from."
        )
    return functools.partial(function, *revive(config["args"]), **revive(config["keywords"]))


@decoder("__class__")
def _class(config: dict[str, Any]) -> type:
    plain = {"bool": bool, "int": int, "float": float, "str": str}
    if config.get("module") == "builtins" and config.get("name") in plain:
        return plain[config["name"]]
    return _find_class(str(config["name"]), config, None)


@decoder("__lambda__")
def _lambda(config: Any) -> Any:
    line = config.get("line") if isinstance(config, Mapping) else None
    for key in (line, "<lambda>"):
        found = names.get_registered_object(key) if key is not None else None
        if found is not None:
            return found
    raise ValueError(
        _MSG_LAMBDA.format(
            where=f" (written at {line})" if line else "",
            unsafe="" if _SAFE.get() else ", which holds with `safe_mode=False` too",
            key=line or "<lambda>",
        )
    )


_DECODERS |= values.decoders(revive)
