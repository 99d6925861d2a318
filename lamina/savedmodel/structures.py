"""Arguments and results in JSON: which values are Tensors, and what the others are."""

import dataclasses
import functools
from collections import namedtuple
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lamina.engine import DType, Tensor, TensorShape, TensorSpec, as_dtype, convert_to_tensor
from lamina.engine.composite import Composite
from lamina.engine.typespec import TypeSpec
from lamina.experimental.extension_type import ExtensionType, ExtensionTypeSpec
from lamina.ops.ragged.tensor import RaggedTensorSpec
from lamina.ops.rows import IndexedSlicesSpec
from lamina.ops.sparse.tensor import SparseTensorSpec

__all__ = ["NotSavableError", "collected", "described", "rebuilt", "specs_of"]


class NotSavableError(ValueError):
    """An argument or a result that a file cannot hold."""


def described(value: Any) -> Any:
    """Return a structure of TensorSpecs, Tensors and plain values as JSON.

    Raises:
        NotSavableError: there is something else in it.
    """
    if isinstance(value, Tensor | TensorSpec):
        shape = [None if d is None else int(d) for d in value.shape]
        name = value.name if isinstance(value, TensorSpec) else None
        return {"tensor": as_dtype(value.dtype).name, "shape": shape, "name": name}
    plain = _plain(value)
    if plain is not None:
        return plain
    if isinstance(value, Mapping):
        return {"dict": [[_key(k), described(value[k])] for k in sorted(value)]}
    if isinstance(value, list):
        return {"list": [described(v) for v in value]}
    if isinstance(value, tuple):
        note: dict[str, Any] = {"tuple": [described(v) for v in value]}
        fields = getattr(type(value), "_fields", None)
        return note if fields is None else note | {"named": [type(value).__name__, list(fields)]}
    if isinstance(value, ExtensionType | ExtensionTypeSpec):
        cls = value._like()
        parts = [[name, described(getattr(value, name))] for name in cls._lm_fields]
        return {"extension": _type_name(cls), "fields": parts}
    spec = _spec_of(value)
    if spec is not None:
        state = [described(part) for part in spec._serialize()]
        return {
            "spec": type(spec).__name__,
            "state": state,
            "parts": [described(part) for part in spec.flatten()],
        }
    if dataclasses.is_dataclass(value):
        fields = [f.name for f in dataclasses.fields(value)]
        return {"dict": [[k, described(getattr(value, k))] for k in fields]}
    raise NotSavableError(f"{type(value).__name__} {value!r} is no Tensor and no plain value")


def _plain(value: Any) -> dict[str, Any] | None:
    if value is None or isinstance(value, bool | int | float | str):
        return {"value": value}
    if isinstance(value, DType):
        return {"dtype": value.name}
    if isinstance(value, TensorShape):
        return {"sizes": list(value) if value.rank is not None else None}
    return None


# Values made of several Tensors, by the names of their specs.
_SPECS: dict[str, Any] = {
    spec.__name__: spec for spec in (RaggedTensorSpec, SparseTensorSpec, IndexedSlicesSpec)
}


def _spec_of(value: Any) -> Any:
    """Return the spec of a value made of several Tensors, or of such a spec; None of others."""
    spec = value if isinstance(value, TypeSpec) else getattr(value, "_type_spec", None)
    return spec if type(spec).__name__ in _SPECS else None


def _described_spec(note: Any) -> Any:
    return _SPECS[note["spec"]](*[rebuilt(part, iter(())) for part in note["state"]])


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise NotSavableError(f"the key {key!r} is no string")
    return key


def _type_name(cls: type) -> str:
    """Return the name that an extension type is saved under."""
    return f"{cls.__module__}.{cls.__qualname__}"


def _extension(name: str) -> Any:
    """Return the extension type of a name, the last one that was defined."""
    found: list[Any] = []
    waiting: list[Any] = [ExtensionType]
    while waiting:
        subclasses = waiting.pop().__subclasses__()
        waiting += subclasses
        found += [cls for cls in subclasses if _type_name(cls) == name]
    if not found:
        raise ValueError(
            f'A function of this SavedModel returns the extension type "{name}", which this '
            f"program does not define.\n  Fix: define or import the class before the call."
        )
    return found[-1]


def collected(note: Any, value: Any, found: list[Tensor]) -> bool:
    """Gather the Tensors of an argument; False if it does not fit its description."""
    if "tensor" in note:
        tensor = _fitting(note, value)
        if tensor is not None:
            found.append(tensor)
        return tensor is not None
    if "value" in note or "dtype" in note or "sizes" in note:
        wanted = rebuilt(note, iter(()))
        try:
            return type(value) is type(wanted) and bool(value == wanted)
        except (TypeError, ValueError):
            return False
    if "dict" in note:
        return (
            isinstance(value, Mapping)
            and sorted(value) == sorted(k for k, _ in note["dict"])
            and all(collected(inner, value[k], found) for k, inner in note["dict"])
        )
    if "extension" in note:
        return (
            isinstance(value, ExtensionType)
            and _type_name(type(value)) == note["extension"]
            and all(collected(inner, getattr(value, k), found) for k, inner in note["fields"])
        )
    if "spec" in note:
        return _collected_parts(_described_spec(note), value, found)
    inner = note["list"] if "list" in note else note["tuple"]
    return (
        isinstance(value, list | tuple)
        and len(value) == len(inner)
        and all(collected(a, b, found) for a, b in zip(inner, value, strict=True))
    )


def _collected_parts(spec: Any, value: Any, found: list[Tensor]) -> bool:
    """Gather the Tensors that a value consists of; False if the spec does not describe it."""
    fits = isinstance(value, Composite) and spec.is_compatible_with(value)
    if fits:
        found += spec.to_tensors(value)
    return fits


def _fitting(note: Any, value: Any) -> Tensor | None:
    if value is None or (
        isinstance(value, str | bytes | bool)
        and note["tensor"]
        not in (
            "string",
            "bool",
        )
    ):
        return None
    dtype = as_dtype(note["tensor"])
    given = None if isinstance(value, np.generic) else getattr(value, "dtype", None)
    if given is not None and as_dtype(given) is not dtype:
        return None
    try:
        tensor = convert_to_tensor(value, dtype)
    except (TypeError, ValueError):
        return None
    return tensor if TensorShape(note["shape"]).is_compatible_with(tensor.shape) else None


def rebuilt(note: Any, given: Any) -> Any:
    """Return a structure as described, with the next values of an iterator for Tensors."""
    if "tensor" in note:
        return next(given)
    if "dict" in note:
        return {key: rebuilt(inner, given) for key, inner in note["dict"]}
    if "list" in note:
        return [rebuilt(inner, given) for inner in note["list"]]
    if "tuple" in note:
        items = tuple(rebuilt(inner, given) for inner in note["tuple"])
        return items if "named" not in note else _named_tuple(note)(*items)
    if "dtype" in note:
        return as_dtype(note["dtype"])
    if "sizes" in note:
        return TensorShape(note["sizes"])
    if "extension" in note:
        values = [(key, rebuilt(inner, given)) for key, inner in note["fields"]]
        filled = _extension(note["extension"]).Spec._deserialize(values)
        return filled._from_components(filled._components())
    if "spec" in note:
        spec, parts = _described_spec(note), [rebuilt(p, given) for p in note["parts"]]
        only_described = any(isinstance(p, TensorSpec) for p in parts)
        return spec if only_described else spec.from_tensors(parts)
    return note["value"]


def _named_tuple(note: Any) -> Any:
    """Return a class of namedtuples with the name and the fields that one was saved with."""
    name, fields = note["named"]
    return _made_named_tuple(str(name), tuple(map(str, fields)))


@functools.cache
def _made_named_tuple(name: str, fields: tuple[str, ...]) -> Any:
    return namedtuple(name, fields)  # the fields come from a file


def specs_of(note: Any) -> list[TensorSpec]:
    """Return the TensorSpecs of a description, in order."""
    if "tensor" in note:
        return [TensorSpec(note["shape"], note["tensor"], note["name"])]
    inner: Sequence[Any] = ()
    if "dict" in note or "extension" in note:
        inner = [item for _, item in note.get("dict") or note.get("fields") or ()]
    else:
        inner = note.get("list") or note.get("tuple") or note.get("parts") or ()
    return [spec for item in inner for spec in specs_of(item)]
