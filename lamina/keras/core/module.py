"""Module: finding variables and submodules by walking attributes, whenever they were set."""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lamina.engine import Tensor, Variable, name_scope, versions
from lamina.engine.identity import identity
from lamina.keras.naming import snake_case

__all__ = ["Module", "children", "walk"]

watchers: list[Callable[[Any], None]] = []
"""Called with an object that got an attribute or its weights: how a checkpoint that is being
restored gives values to what comes later. Empty but then."""

_LEAVES = (str, bytes, int, float, bool, complex, type(None), Tensor, type)


def is_bookkeeping(name: str) -> bool:
    """Return whether an attribute is keras' own, and holds nothing of the model in its place."""
    return name.startswith("_lm_") or name in ("_captured", "_inbound_nodes")


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield (what to add to the path, item) for the items of a container."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield (f"[{key!r}]" if not isinstance(key, Variable) else "[...]"), item
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield f"[{i}]", item
    elif isinstance(value, set | frozenset):
        for i, item in enumerate(sorted(value, key=_set_order)):
            yield f"{{{i}}}", item
    else:
        for field in dataclasses.fields(value):
            yield f".{field.name}", getattr(value, field.name, None)


def _set_order(item: Any) -> Any:
    """Order the items of a set the same way in every process: by name, then by creation."""
    return (str(getattr(item, "name", "")), getattr(item, "_number", 0))


def children(obj: Any) -> Iterator[tuple[str, Any]]:
    """Yield (relative path, Variable or Module) that an object holds directly.

    Containers in its attributes are looked through, at any depth; modules are not entered.
    """
    # Keras' own bookkeeping starts with "_lm_" and holds nothing of the model; the constructor's
    # arguments belong to the object only where it kept them.
    for name, value in list(vars(obj).items()):
        kind = _kinds.get(type(value)) or _kind_of(type(value))
        if kind is _NOTHING or name.startswith("_lm_") or name == "_captured":
            continue
        if kind is _MEMBER:
            yield name, value
        else:
            yield from _found(name, value, set())


_NOTHING, _MEMBER, _CONTAINER = "nothing", "member", "container"
_kinds: dict[type, str] = {}  # what values of a class are to a walk


def _kind_of(cls: type) -> str:
    """Return whether values of a class are members, may hold members, or neither."""
    if issubclass(cls, Variable | Module) or hasattr(cls, "_tracked_as"):
        kind = _MEMBER
    elif cls not in _LEAVES and (
        issubclass(cls, list | tuple | set | frozenset | Mapping) or dataclasses.is_dataclass(cls)
    ):
        kind = _CONTAINER
    else:
        kind = _NOTHING
    if len(_kinds) > 4096:  # a program that makes classes without end
        _kinds.clear()
    _kinds[cls] = kind
    return kind


def is_container(value: Any) -> bool:
    """Return whether a value may hold variables or modules without being one."""
    return (_kinds.get(type(value)) or _kind_of(type(value))) is _CONTAINER


def _found(path: str, value: Any, inside: set[int]) -> Iterator[tuple[str, Any]]:
    kind = _kinds.get(type(value)) or _kind_of(type(value))
    if kind is _MEMBER:
        yield path, value
    elif kind is _CONTAINER and identity(value) not in inside:
        inside.add(identity(value))
        for step, item in _items(value):
            yield from _found(path + step, item, inside)


def walk(root: Any) -> Iterator[tuple[str, Any]]:
    """Yield (path, Variable or Module) for everything below `root`, each object once.

    Depth first, in the order in which attributes were set: "encoder.blocks[3].attention".
    """
    seen: set[int] = {identity(root)}

    def below(obj: Any, prefix: str) -> Iterator[tuple[str, Any]]:
        for path, value in children(obj):
            if identity(value) in seen:
                continue
            seen.add(identity(value))
            full = prefix + path
            yield full, value
            if not isinstance(value, Variable):
                yield from below(value, f"{full}.")

    return below(root, "")


class Module:
    """A named container of variables and other modules: `tf.Module`.

    Variables and modules are found in the attributes, and in lists, tuples, dicts, sets and
    dataclasses there, at any depth, whenever they were added.

    Args:
        name: A Python identifier; None takes the class name in snake case.

    Example:
        >>> class Linear(tf.Module):
        ...     def __init__(self, n):
        ...         super().__init__()
        ...         self.w = tf.Variable(tf.ones([n, n]))
        ...
        ...     def __call__(self, x):
        ...         return x @ self.w
        >>> len(Linear(2).trainable_variables)
        1
    """

    def __init__(self, name: str | None = None) -> None:
        if name is not None and not str(name).isidentifier():
            raise ValueError(
                f"{type(self).__name__}: `name` must be a Python identifier; got {name!r}.\n"
                f"  Fix: use letters, digits and underscores."
            )
        self._name = name or snake_case(type(self).__name__)
        with name_scope(self._name) as scope:
            self.__dict__["_name_scope"] = name_scope(scope)

    @property
    def name(self) -> str:
        """The name."""
        return self.__dict__.get("_name") or snake_case(type(self).__name__)

    @property
    def name_scope(self) -> Any:
        """A context manager that puts the module's name before variables made inside.

        The scopes that were open when the module was made come first; those that are open when
        it is entered are left for the block.
        """
        scope = getattr(self, "_name_scope", None)  # not from __dict__: a class may intercept it
        return name_scope(self.name) if scope is None else scope

    @property
    def variables(self) -> tuple[Any, ...]:
        """All variables, each once, sorted by the attribute paths, as in TF."""
        return tuple(v for _, v in _sorted_walk(self) if isinstance(v, Variable))

    @property
    def trainable_variables(self) -> tuple[Any, ...]:
        """The variables that are trainable."""
        return tuple(v for v in self.variables if v.trainable)

    @property
    def non_trainable_variables(self) -> tuple[Any, ...]:
        """The variables that are not trainable."""
        return tuple(v for v in self.variables if not v.trainable)

    @property
    def submodules(self) -> tuple[Any, ...]:
        """All modules below this one."""
        return tuple(v for _, v in _sorted_walk(self) if isinstance(v, Module))

    @classmethod
    def with_name_scope(cls, method: Any) -> Any:
        """Return the method with the module's name scope open while it runs."""

        @functools.wraps(method)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            with self.name_scope:
                return method(self, *args, **kwargs)

        return call

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if type(value) not in _LEAVES:
            versions.tracked += 1
            for watch in watchers:
                watch(self)


def _sorted_walk(root: Any) -> Iterator[tuple[str, Any]]:
    """`walk` in the order of tf.Module: own variables first, attributes sorted by name."""
    seen: set[int] = {identity(root)}

    def below(obj: Any) -> Iterator[tuple[str, Any]]:
        found = sorted(children(obj), key=lambda pair: pair[0])
        for path, value in found:
            if isinstance(value, Variable) and identity(value) not in seen:
                seen.add(identity(value))
                yield path, value
        for path, value in found:
            if not isinstance(value, Variable) and identity(value) not in seen:
                seen.add(identity(value))
                yield path, value
                yield from below(value)

    return below(root)
