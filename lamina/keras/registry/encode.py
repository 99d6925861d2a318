"""Objects into configs: nested dicts, lists and plain values that JSON can hold."""

import enum
import functools
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

from lamina.engine import DType, Tensor, TensorShape, Variable
from lamina.keras.registry import names, values

__all__ = ["function_name", "is_public_function", "serialize_keras_object"]

_OTHER = object()
_FUNCTIONAL = {
    "module": "keras.src.models.functional",
    "name": "Functional",
    "registered_name": "Functional",
}
_PLAIN = (type(None), bool, int, float, str)


def serialize_keras_object(obj: Any) -> Any:
    """Return an object as nested dicts, lists and plain values, which JSON can hold.

    Objects with `get_config` become ``{"module", "class_name", "config", "registered_name"}``, as
    Keras writes them. Functions are stored by name, and a lambda as a note of where it stands:
    no code is ever stored. Arrays, tensors, slices, classes and `functools.partial` objects have
    their own forms.

    Args:
        obj: A Keras object, function, array, plain value, or a list, tuple or dict of such.

    Returns:
        What `deserialize_keras_object` turns back into an equal object.

    Raises:
        TypeError: an object has no `get_config`, so that nothing says how to make it again.

    Example:
        >>> tf.keras.utils.serialize_keras_object(tf.keras.initializers.Constant(2.0))
        {'module': 'keras.initializers', 'class_name': 'Constant', 'config': {'value': 2.0}, \
'registered_name': None}
    """
    if isinstance(obj, _PLAIN) and not isinstance(obj, enum.Enum):
        return obj
    if values.is_value(obj):
        return values.encode(obj, serialize_keras_object)
    if isinstance(obj, list | tuple):
        encoded = [serialize_keras_object(item) for item in obj]
        return tuple(encoded) if isinstance(obj, tuple) else encoded
    if isinstance(obj, Mapping) and not hasattr(obj, "get_config"):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    value = _value(obj)
    if value is not _OTHER:
        return value
    if isinstance(obj, type):
        return _class(obj)
    if hasattr(obj, "get_config"):
        return _object(obj)
    if callable(obj) and hasattr(obj, "__name__") and not isinstance(obj, types.MethodType):
        return _function(obj)
    raise TypeError(_unserializable(obj))


def _special(class_name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": config}


def _value(obj: Any) -> Any:
    """Return the form of arrays, dtypes, shapes and the like; `_OTHER` for everything else."""
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.ndarray):
        return _special("__numpy__", value=_numbers(obj), dtype=obj.dtype.name)
    if isinstance(obj, Tensor | Variable):
        return _special("__tensor__", value=_numbers(obj.numpy()), dtype=obj.dtype.name)
    if isinstance(obj, DType | np.dtype):
        return obj.name
    if isinstance(obj, TensorShape):
        return None if obj.rank is None else obj.as_list()
    if isinstance(obj, bytes):
        return _special("__bytes__", value=obj.decode())
    if isinstance(obj, slice):
        parts = {"start": obj.start, "stop": obj.stop, "step": obj.step}
        return _special("__slice__", **serialize_keras_object(parts))
    if obj is Ellipsis:
        return _special("__ellipsis__")
    if isinstance(obj, functools.partial):
        return _special(
            "__partial__",
            function=serialize_keras_object(obj.func),
            args=serialize_keras_object(list(obj.args)),
            keywords=serialize_keras_object(obj.keywords),
        )
    return _OTHER


def _numbers(array: np.ndarray) -> Any:
    if array.dtype.kind in "cO":
        raise TypeError(
            f"serialize_keras_object: an array of numbers was expected; got dtype "
            f"{array.dtype.name} with shape {array.shape}, which JSON cannot hold.\n"
            f"  Fix: keep it in a weight or a file, or store its parts."
        )
    return array.astype(np.float32).tolist() if array.dtype.kind == "V" else array.tolist()


def is_public_function(value: Any) -> bool:
    """Return whether a value is one of Keras' functions, which a name alone stands for."""
    return not isinstance(value, type) and names.public_path(value) is not None


def function_name(function: Any) -> str:
    """Return the name that a function is saved under: its public or registered name."""
    path = names.public_path(function)
    return path[1] if path is not None else names.get_registered_name(function)


def _function(function: Any) -> dict[str, Any]:
    if getattr(function, "__name__", "") == "<lambda>":
        return _lambda(function)
    return {
        "module": "builtins",
        "class_name": "function",
        "config": function_name(function),
        "registered_name": "function",
    }


def _lambda(function: types.FunctionType) -> dict[str, Any]:
    # Keras stores the bytecode here; lamina stores where the lambda stands, so that the error at
    # loading can name it.
    file = function.__code__.co_filename.replace("\\", "/").rsplit("/", 1)[-1]
    line = f"{file}:{function.__code__.co_firstlineno}"
    return {"module": "builtins", **_special("__lambda__", name="<lambda>", line=line)}


def _class(cls: type) -> Any:
    """Return the form of a class used as a value, such as `norm=LayerNormalization`."""
    if issubclass(cls, np.generic):
        return np.dtype(cls).name
    if cls in (bool, int, float, str):
        return _special("__class__", module="builtins", name=cls.__name__)
    return _special("__class__", **_path(cls))


def _path(cls: type) -> dict[str, Any]:
    path = names.public_path(cls)
    if path is not None and names.is_own(cls):
        return {"module": path[0], "name": path[1], "registered_name": None}
    named = {"module": cls.__module__, "name": cls.__name__}
    named["registered_name"] = names.get_registered_name(cls)
    if cls.__qualname__ != cls.__name__:
        named["qualname"] = cls.__qualname__
    return named


def _object(obj: Any) -> dict[str, Any]:
    path = _path(type(obj))
    if path["name"] == "Model" and getattr(obj, "_graph", None) is not None:
        path = _FUNCTIONAL  # Keras has a class of its own for models with a graph
    encoded = {
        "module": path["module"],
        "class_name": path["name"],
        "config": serialize_keras_object(obj.get_config()),
        "registered_name": path["registered_name"],
    }
    if "qualname" in path:
        encoded["qualname"] = path["qualname"]
    if "name" not in encoded["config"] and "name" in getattr(obj, "_config_head_keys", ()):
        encoded["name"] = obj.name  # of a user's layer, whose own config is without it
    for key in ("build_config", "compile_config"):
        getter = getattr(obj, f"get_{key}", None)
        value = getter() if getter is not None else None
        if value:
            encoded[key] = serialize_keras_object(value)
    return encoded


def _unserializable(obj: Any) -> str:
    text = repr(obj)
    text = text if len(text) <= 80 else f"{text[:77]}..."
    return (
        f"serialize_keras_object: a plain value, an array, a named function or an object with "
        f"`get_config` was expected; got {text} of type {type(obj).__name__}.\n"
        f"  Fix: give {type(obj).__name__} a `get_config` method that returns its constructor's "
        f"arguments and register it, or pass plain values and make the object in `__init__`."
    )
