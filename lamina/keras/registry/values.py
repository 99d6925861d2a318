"""Dataclasses, namedtuples and enum members in configs: data that classes of the program give form.

They are written with the name of their class. Reading one runs none of its code: the fields are
set on a bare object. The class is looked up in `custom_objects`, among those that this program
wrote into a config before, and in the modules that define its layers; nothing is imported.
"""

import dataclasses
import enum
import sys
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from lamina.keras.registry import names

__all__ = ["decoders", "encode", "is_value"]

_WRITTEN: weakref.WeakValueDictionary[tuple[str, str], type] = weakref.WeakValueDictionary()


def _kind(cls: Any) -> str | None:
    """Return which kind of value class this is; None for all others."""
    if not isinstance(cls, type):
        return None
    if issubclass(cls, enum.Enum):
        return "__enum__"
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return "__namedtuple__"
    return "__dataclass__" if dataclasses.is_dataclass(cls) else None


def is_value(obj: Any) -> bool:
    """Return whether an object is a dataclass, namedtuple or enum member without `get_config`."""
    return _kind(type(obj)) is not None and not hasattr(obj, "get_config")


def encode(obj: Any, inner: Callable[[Any], Any]) -> dict[str, Any]:
    """Return such a value as plain values.

    Args:
        obj: The value.
        inner: What turns the values of its fields into plain ones.
    """
    cls = type(obj)
    _WRITTEN[cls.__module__, cls.__qualname__] = cls
    kind = _kind(cls)
    config: dict[str, Any] = {"module": cls.__module__, "name": cls.__qualname__}
    if kind == "__enum__":
        config["member"] = obj.name
    elif kind == "__namedtuple__":
        config["fields"] = {name: inner(getattr(obj, name)) for name in cls._fields}
    else:
        config["fields"] = {
            f.name: inner(getattr(obj, f.name))
            for f in dataclasses.fields(obj)
            if hasattr(obj, f.name)
        }
    return {"class_name": str(kind), "config": config}


def decoders(inner: Callable[[Any], Any]) -> dict[str, Callable[[dict[str, Any]], Any]]:
    """Return what reads each kind: class name in a config → function of its config.

    Args:
        inner: What turns plain values into the values of fields.
    """

    def member(config: dict[str, Any]) -> Any:
        cls = _class(config, "__enum__")
        found = cls.__members__.get(str(config.get("member")))
        if found is None:
            raise ValueError(
                f"{cls.__name__}: one of its members {list(cls.__members__)} was expected; got "
                f"{config.get('member')!r}."
            )
        return found

    def fields(config: dict[str, Any], known: tuple[str, ...], cls: type) -> dict[str, Any]:
        given = config.get("fields")
        if not isinstance(given, Mapping) or not set(given) <= set(known):
            raise ValueError(
                f"{cls.__name__}: the fields {list(known)} were expected; got {given!r}.\n"
                f"  Fix: load with the class that the file was saved with."
            )
        return {str(k): inner(v) for k, v in given.items()}

    def namedtuple(config: dict[str, Any]) -> Any:
        cls = _class(config, "__namedtuple__")
        values = fields(config, cls._fields, cls)
        default = getattr(cls, "_field_defaults", {})
        return tuple.__new__(cls, [values.get(n, default.get(n)) for n in cls._fields])

    def dataclass(config: dict[str, Any]) -> Any:
        cls = _class(config, "__dataclass__")
        values = fields(config, tuple(f.name for f in dataclasses.fields(cls)), cls)
        for f in dataclasses.fields(cls):  # fields that were added since
            if f.name not in values and f.default is not dataclasses.MISSING:
                values[f.name] = f.default
        made = object.__new__(cls)
        for name, value in values.items():
            object.__setattr__(made, name, value)
        return made

    return {"__enum__": member, "__namedtuple__": namedtuple, "__dataclass__": dataclass}


def _class(config: dict[str, Any], kind: str) -> Any:
    module, name = str(config.get("module")), str(config.get("name"))
    short = name.rsplit(".", 1)[-1]
    found = names.get_registered_object(short)
    if _kind(found) != kind:
        found = _WRITTEN.get((module, name)) or _visible(module, name, kind)
    if _kind(found) != kind:
        what = kind.strip("_")
        raise names.UnknownNameError(
            f"deserialize_keras_object: a known {what} was expected; got {name!r} of module "
            f"{module!r}.\n"
            f"  Fix: pass `custom_objects={{{short!r}: ...}}`, or import the {what} in the module "
            f"that defines the model."
        )
    return found


def _visible(module: str, name: str, kind: str) -> Any:
    """Return the class of that name that a module with layers of the program's own has."""
    for place in names.defining_modules():
        for value in list(vars(sys.modules[place]).values()) if place in sys.modules else ():
            if _kind(value) == kind and value.__qualname__ == name:
                same_script = "__main__" in (module, value.__module__)
                if value.__module__ == module or same_script:
                    return value
    return None
