"""Fields of extension types: annotations, conversion of values, and the Tensors inside."""

from __future__ import annotations

import dataclasses
import inspect
import sys
import types
import typing
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

from lamina.engine import DType, Tensor, TensorShape, TensorSpec, as_dtype, convert_to_tensor
from lamina.engine.composite import Composite
from lamina.engine.typespec import TypeSpec

__all__ = [
    "Field",
    "ImmutableDict",
    "converted",
    "fields_of",
    "is_resolved",
    "mapped",
    "resolved",
    "static_key",
]

_PLAIN = (bool, int, float, str, bytes, type(None))
_MAPPINGS = (dict, Mapping)
_MISSING = inspect.Parameter.empty
# What values and their specs are asked for by these names; no field or method may have one.
_RESERVED = {
    "self",
    "Spec",
    "value_type",
    "is_compatible_with",
    "most_specific_compatible_type",
    "_type_spec",
    "_serialize",
    "_deserialize",
    "_component_specs",
    "_components",
    "_to_components",
    "_from_components",
    "_rebuilt",
    "_keras_mask",
}
_OWN_FILES = {__file__, __file__.replace("fields.py", "extension_type.py")}


class ImmutableDict(Mapping[Any, Any]):
    """A mapping that does not change: what a `Mapping` field holds."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._items = dict(*args, **kwargs)

    def __getitem__(self, key: Any) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __repr__(self) -> str:
        return f"ImmutableDict({self._items!r})"


@dataclasses.dataclass(frozen=True)
class Field:
    """One field of an extension type.

    Attributes:
        name: Its name.
        kind: Its annotation.
        default: Its default value, converted but for Tensors; `inspect.Parameter.empty` if it has
            none.
    """

    name: str
    kind: Any
    default: Any


# ---- annotations ---------------------------------------------------------------------------------


def fields_of(cls: type[Any], base: type[Any]) -> dict[str, Field]:
    """Return the fields of a class, those of its bases first.

    Args:
        cls: The class, just made.
        base: The class whose subclasses have fields.

    Raises:
        ValueError: a field's name is reserved, or an attribute has no annotation.
        TypeError: an annotation, or a default value of another type.
    """
    found: dict[str, Field] = {}
    for parent in reversed(cls.__mro__[1:]):
        if issubclass(parent, base):
            found |= vars(parent).get("_lm_fields", {})
    own = inspect.get_annotations(cls)
    names = _names_at(cls)
    for name in {**own, **vars(cls)}:
        is_reserved = name in _RESERVED and (name in own or name != "Spec")
        if is_reserved or (name in own and name.startswith(("_lm_", "_tf_extension_type"))):
            raise ValueError(
                f"The field annotations for {cls.__name__} are invalid. Field {name!r} is reserved."
            )
    for name in own:
        kind = _resolved(own[name], names)
        _check(kind, name)
        found[name] = Field(name, kind, _default(cls, name, kind))
    for name, value in vars(cls).items():
        if name not in own and not name.startswith(("__", "_lm_", "_abc_")) and _is_data(value):
            raise ValueError(
                f"The field annotations for {cls.__name__} are invalid. Field {name} is missing "
                f"a type annotation."
            )
    return found


def _names_at(cls: type[Any]) -> dict[str, Any]:
    """Return what names mean where a class is made."""
    space = dict(vars(sys.modules[cls.__module__])) if cls.__module__ in sys.modules else {}
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename in _OWN_FILES:
        frame = frame.f_back
    return space | frame.f_globals | frame.f_locals | {cls.__name__: cls}


def _resolved(kind: Any, names: dict[str, Any]) -> Any:
    """Return an annotation without its notes, and with classes for names if all are known yet."""
    holder = types.SimpleNamespace(__annotations__={"field": kind})
    try:
        return typing.get_type_hints(holder, names)["field"]
    except NameError:
        return kind


def is_resolved(kind: Any) -> bool:
    """Return whether an annotation names no class that was not known yet."""
    if isinstance(kind, str | typing.ForwardRef):
        return False
    return all(is_resolved(part) for part in typing.get_args(kind))


def resolved(field: Field, cls: type[Any], classes: list[type[Any]]) -> Field:
    """Return a field whose annotation names classes that were made after its own.

    Args:
        field: The field.
        cls: Its class.
        classes: The extension types that there are.

    Raises:
        TypeError: there is no such class.
    """
    near = {c.__name__: c for c in classes if c.__module__ == cls.__module__}
    module = sys.modules.get(cls.__module__)
    kind = _resolved(field.kind, near | (vars(module) if module else {}))
    if not is_resolved(kind):
        raise TypeError(
            f"In field {field.name!r}: Unresolved forward reference {kind!r} of "
            f"{cls.__name__}.\n  Fix: define the class that it names."
        )
    _check(kind, field.name)
    return dataclasses.replace(field, kind=kind)


def _is_data(value: Any) -> bool:
    """Return whether a class attribute is neither a method, a property nor a class."""
    return not (callable(value) or hasattr(value, "__get__") or isinstance(value, type))


def _default(cls: type[Any], name: str, kind: Any) -> Any:
    if name not in vars(cls):
        return _MISSING
    value = vars(cls)[name]
    if isinstance(value, property | types.FunctionType):
        return _MISSING
    if kind is Tensor or not is_resolved(kind):
        return value  # each object makes its own Tensor, on the device that is in use then
    return converted(value, kind, f"default value for {name}")


def _check(kind: Any, name: str) -> None:
    """Raise TypeError for an annotation that no field can have."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if _is_union(origin):
        for part in args:
            _check(part, name)
    elif origin is tuple:
        for part in args:
            if part is not Ellipsis:
                _check(part, name)
    elif origin in (*_MAPPINGS, typing.Mapping):
        for part in args:
            _check(part, name)
    elif not _is_simple(kind):
        shown = repr(kind.__name__) if isinstance(kind, type) else str(kind)
        raise TypeError(
            f"In field {name!r}: Unsupported type annotation {shown}\n"
            f"  Fix: use tf.Tensor, an ExtensionType, tf.TensorShape, tf.DType, bool, int, float, "
            f"str, bytes, or Tuple, Mapping, Optional and Union of these."
        )


def _is_simple(kind: Any) -> bool:
    if isinstance(kind, str | typing.ForwardRef | TypeSpec) or kind is None:
        return True
    if kind in _PLAIN or kind in (Tensor, TensorShape, DType, Any):
        return True
    return isinstance(kind, type) and issubclass(kind, Composite | TypeSpec)


def _is_union(origin: Any) -> bool:
    return origin is typing.Union or origin is types.UnionType


# ---- conversion ----------------------------------------------------------------------------------


def converted(value: Any, kind: Any, path: str, spec: bool = False) -> Any:
    """Return a value as its field's annotation says.

    Args:
        value: What was given.
        kind: The annotation.
        path: The field, for messages.
        spec: Whether the value belongs to a TypeSpec: TypeSpecs stand for Tensors.

    Raises:
        TypeError: it does not convert.
    """
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if _is_union(origin):
        return _one_of(value, args, path, spec)
    if origin is tuple:
        return _items(value, args, path, spec)
    if origin in (*_MAPPINGS, typing.Mapping):
        return _entries(value, args, path, spec)
    if kind is Tensor or isinstance(kind, TypeSpec):
        return _tensor(value, kind, path, spec)
    if kind is TensorShape or kind is DType:
        return _shape_or_dtype(value, kind, path)
    if kind is None:
        kind = type(None)
    if isinstance(kind, type) and issubclass(kind, Composite) and spec:
        if not isinstance(value, TypeSpec) or not _describes(value, kind):
            raise TypeError(f"{path}: expected '{kind.__name__}.Spec', got {_kind_of(value)!r}")
    elif isinstance(kind, type) and not isinstance(value, kind):
        raise TypeError(f"{path}: expected {kind.__name__!r}, got {_kind_of(value)!r}")
    return value


def _kind_of(value: Any) -> str:
    return type(value).__name__


def _describes(spec: Any, kind: type[Any]) -> bool:
    found = spec.value_type
    return isinstance(found, type) and issubclass(found, kind)


def _one_of(value: Any, kinds: tuple[Any, ...], path: str, spec: bool) -> Any:
    for kind in kinds:
        try:
            return converted(value, kind, path, spec)
        except TypeError:
            continue
    names = [getattr(k, "__name__", str(k)) for k in kinds]
    raise TypeError(f"{path}: expected one of types {names}, got {_kind_of(value)!r}")


def _items(value: Any, kinds: tuple[Any, ...], path: str, spec: bool) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"{path}: expected tuple, got {_kind_of(value)!r}")
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(kinds) != len(value):
        raise TypeError(f"{path}: expected tuple with length {len(kinds)}, got {len(value)}")
    pairs = enumerate(zip(value, kinds, strict=True))
    return tuple(converted(v, k, f"{path}[{i}]", spec) for i, (v, k) in pairs)


def _entries(value: Any, kinds: tuple[Any, ...], path: str, spec: bool) -> ImmutableDict:
    if not isinstance(value, Mapping):
        raise TypeError(f"{path}: expected mapping, got {_kind_of(value)!r}")
    keys, values = kinds
    return ImmutableDict(
        {
            converted(k, keys, f"{path}[<key>]"): converted(v, values, f"{path}[{k!r}]", spec)
            for k, v in value.items()
        }
    )


def _tensor(value: Any, kind: Any, path: str, spec: bool) -> Any:
    if spec:
        if not isinstance(value, TensorSpec):
            raise TypeError(f"{path}: expected a TensorSpec, got {_kind_of(value)!r}")
        return value
    if isinstance(value, Tensor):
        tensor = value
    elif isinstance(value, Composite) or value is None:
        raise TypeError(f"{path}: expected a Tensor, got {_kind_of(value)!r}")
    else:
        wanted = kind.dtype if isinstance(kind, TensorSpec) else None
        try:
            tensor = convert_to_tensor(value, wanted)
        except (TypeError, ValueError):
            raise TypeError(f"{path}: expected a Tensor, got {_kind_of(value)!r}") from None
    if isinstance(kind, TypeSpec) and not kind.is_compatible_with(tensor):
        raise TypeError(f"{path}: expected a Tensor compatible with {kind!r}, got {tensor!r}")
    return tensor


def _shape_or_dtype(value: Any, kind: Any, path: str) -> Any:
    try:
        return TensorShape(value) if kind is TensorShape else as_dtype(value)
    except (TypeError, ValueError):
        name = f"tf.{kind.__name__}"
        raise TypeError(f"{path}: expected {name!r}, got {_kind_of(value)!r}") from None


# ---- what is inside ------------------------------------------------------------------------------


def mapped(value: Any, kind: Any, visit: Callable[[Any], Any]) -> Any:
    """Return a field's value with `visit` applied to each Tensor, composite value or TypeSpec."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if isinstance(value, tuple) and (origin is tuple or _is_union(origin)):
        return tuple(mapped(v, _part(args, i, origin), visit) for i, v in enumerate(value))
    if isinstance(value, ImmutableDict):
        inner = args[-1] if args and not _is_union(origin) else Any
        return ImmutableDict({k: mapped(value[k], inner, visit) for k in sorted(value)})
    return value if _is_static(value, kind) else visit(value)


def _part(kinds: tuple[Any, ...], place: int, origin: Any) -> Any:
    if _is_union(origin) or not kinds:
        return Any
    return kinds[0] if len(kinds) == 2 and kinds[1] is Ellipsis else kinds[place]


def _is_static(value: Any, kind: Any) -> bool:
    if kind is Tensor:
        return False
    if value is None or isinstance(value, TensorShape | DType):
        return True
    return isinstance(value, _PLAIN)


_HOLE = "<Tensor>"


def static_key(value: Any, kind: Any) -> Hashable:
    """Return what a field holds beside Tensors, as a value that can be hashed."""
    return _hashable(mapped(value, kind, lambda _: _HOLE))


def _hashable(value: Any) -> Hashable:
    if isinstance(value, tuple):
        return tuple(map(_hashable, value))
    if isinstance(value, Mapping):
        return tuple(sorted((k, _hashable(v)) for k, v in value.items()))
    return (type(value), value)
