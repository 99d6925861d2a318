"""Which objects of a model have a place in its files, and under which path: Keras' rules.

The path of an object is the way of attributes that leads to it. Attributes are taken in the order
of their names, those with a leading underscore last, and an object keeps the first path that
reaches it. Items of lists, tuples and dicts are named by their class: `blocks/dense`,
`blocks/dense_1`. A model's `layers` is an attribute like others; in functional and Sequential
models it comes first.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lamina.engine import Variable
from lamina.keras.core import Adaptable, Layer, Module, children
from lamina.keras.core.graph import OpLayer
from lamina.keras.core.graph_config import file_layers
from lamina.keras.core.weights import file_order
from lamina.keras.losses import Loss
from lamina.keras.metrics import Metric
from lamina.keras.naming import snake_case
from lamina.keras.optimizers import Optimizer
from lamina.keras.random import SeedGenerator
from lamina.keras.registry import is_own

__all__ = ["own_variables", "saveables", "uses_default"]

_SKIPPED = frozenset(["_captured", "_graph", "_inbound_nodes", "graph_layers", "input_spec"])


def saveables(root: Any) -> Iterator[tuple[str, Any]]:
    """Yield (path, object) for a model and everything below it that files have a place for.

    Args:
        root: A model or layer. Its own path is "".
    """
    seen: set[int] = set()
    kept: list[Any] = []  # `layers` is made at each look: its id must not be another list's later

    def visit(path: str, obj: Any) -> Iterator[tuple[str, Any]]:
        if id(obj) in seen:
            return
        seen.add(id(obj))
        if hasattr(obj, "save_own_variables") or isinstance(obj, Module | SeedGenerator):
            yield path, obj
        for name, value in _attributes(obj):
            yield from enter(f"{path}/{name}" if path else name, value)

    def enter(path: str, value: Any) -> Iterator[tuple[str, Any]]:
        if _is_saveable(value):
            yield from visit(path, value)
        elif isinstance(value, list | tuple | set | Mapping) and id(value) not in seen:
            if not isinstance(value, tuple):
                seen.add(id(value))
                kept.append(value)
            for name, item in _items(value):
                yield from enter(f"{path}/{name}", item)

    return visit("", root)


def _is_saveable(value: Any) -> bool:
    if isinstance(value, OpLayer):  # an operation, which Keras has no place for
        return False
    return isinstance(value, Module | Optimizer | Loss | Metric | SeedGenerator) or (
        hasattr(type(value), "save_own_variables") and not isinstance(value, type)
    )


def _attributes(obj: Any) -> Iterator[tuple[str, Any]]:
    is_model = isinstance(obj, Layer) and hasattr(type(obj), "layers")
    if is_model and obj.__dict__.get("_graph") is not None:
        yield "layers", file_layers(obj)
    names = {n for n in vars(obj) if n not in _SKIPPED and not n.startswith("_lm_")}
    names |= _property_names(type(obj))
    if is_model:
        names.add("layers")
    for name in sorted(names, key=_place):
        try:
            value = getattr(obj, name)
        except Exception:  # a property of the user's that does not work now
            continue
        yield name, value


def _place(name: str) -> str:
    return f"~{name}" if name.startswith("_") else name


def _property_names(cls: type) -> set[str]:
    """Return the names of the properties that the user's classes define."""
    found: set[str] = set()
    for klass in cls.__mro__:
        if not is_own(klass) and klass is not object:
            found |= {
                n
                for n, v in vars(klass).items()
                if isinstance(v, property) and not n.startswith("__")
            }
    return found


def _items(container: Any) -> Iterator[tuple[str, Any]]:
    """Yield the items of a container that files have a place for, named by their class."""
    if isinstance(container, Mapping):
        values = list(container.values())
    elif isinstance(container, set):
        values = sorted(container, key=lambda v: (str(getattr(v, "name", "")), id(v)))
    else:
        values = list(container)
    used: dict[str, int] = {}
    for value in values:
        if _is_saveable(value):
            name = _class_name(value)
        elif isinstance(value, list | tuple | Mapping):
            name = "container"
        else:
            continue
        count = used.get(name, 0)
        used[name] = count + 1
        yield (f"{name}_{count}" if count else name), value


def _class_name(obj: Any) -> str:
    name = type(obj).__name__
    if name == "Model" and is_own(type(obj)):
        name = "Functional"
    return snake_case(name)


def uses_default(obj: Any) -> bool:
    """Return whether an object stores its variables by number, in lamina's own way."""
    if isinstance(obj, Layer):
        kind = type(obj)
        standard: list[Any] = [Layer]
        if isinstance(obj, Adaptable) and not obj.lora_enabled:
            standard.append(Adaptable)  # which differs only where there is an adapter
        return any(
            kind.save_own_variables is base.save_own_variables
            and kind.load_own_variables is base.load_own_variables
            for base in standard
        )
    return not hasattr(obj, "load_own_variables")


def own_variables(obj: Any) -> list[Any]:
    """Return the variables that an object stores itself, in the order of files."""
    if isinstance(obj, Layer):
        return obj._in_file_order()
    if isinstance(obj, Optimizer):
        return list(obj.variables)
    found = {id(v): v for _, v in children(obj) if isinstance(v, Variable)}
    return file_order(list(found.values()))
