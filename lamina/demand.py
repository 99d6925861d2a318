"""Names that are imported when a program first asks for them, and names that do not exist.

Most programs use a small part of `tf.*`. A namespace or a class that costs import time and that few
programs need is listed in its package's table, and comes on the first use (PEP 562). A name that is
nowhere gets an AttributeError that says whether it will come and what to use: `lamina.scope`, which
is imported when that first happens.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import FrameType, ModuleType
from typing import Any

__all__ = [
    "answer_for_missing_names",
    "missing",
    "missing_member",
    "on_demand",
    "version_seen_from",
]

_PACKAGE = __name__.split(".", maxsplit=1)[0]
# Rooms that are no part of TensorFlow's API: their modules are left as they are.
_INTERNAL = frozenset(
    ["cli", "demand", "engine", "functional", "ops", "release", "runtime", "scope", "special"]
)
_INTERNAL_KERAS = frozenset(
    [
        "arguments",
        "capture",
        "console",
        "core",
        "naming",
        "policy",
        "promotion",
        "quantized",
        "registry",
        "scopes",
        "spelling",
        "switches",
        "training",
        "variable",
        "viz",
    ]
)


def on_demand(
    package: str,
    modules: Iterable[str] = (),
    names: Mapping[str, str] | None = None,
    made: Mapping[str, str] | None = None,
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and `__dir__` of a package that imports some names when asked.

    Args:
        package: The package's full name, as in its `__name__`.
        modules: Submodules of the package to import on first use.
        names: The module that each other late name comes from, by name.
        made: The full name of the function that gives a name's value anew each time, from the frame
            that asks.

    Returns:
        Two functions to bind to `__getattr__` and `__dir__` in the package.
    """
    late = {name: "" for name in modules} | dict(names or {})
    makers = dict(made or {})
    namespace = vars(sys.modules[package])

    def get(name: str) -> Any:
        if name in makers:
            module, _, function = makers[name].rpartition(".")
            return getattr(import_module(module), function)(sys._getframe(1))
        if name not in late:
            return missing(package, name, sys._getframe(1))
        source = late[name]
        if source:
            value = getattr(import_module(source), name)
        else:
            value = import_module(f"{package}.{name}")
            answer_for_missing_names(value.__name__)
        namespace[name] = value
        return value

    def names_there() -> list[str]:
        return sorted({*namespace, *late, *makers})

    return get, names_there


# ---- names that are nowhere ---------------------------------------------------------------------


def answer_for_missing_names(package: str) -> None:
    """Give the public modules at and below a package an answer for names they do not have.

    Args:
        package: The full name of a module that is imported; modules without a `__getattr__` of
            their own get one.
    """
    below = f"{package}."
    for name, module in list(sys.modules.items()):
        if name != package and not name.startswith(below):
            continue
        if type(module) is ModuleType and "__getattr__" not in vars(module) and _is_public(name):
            vars(module)["__getattr__"] = _answer_of(name)


def _is_public(name: str) -> bool:
    parts = name.split(".")[1:]
    if not parts or any(part.startswith("_") for part in parts):
        return False
    if parts[0] != "keras":
        return parts[0] not in _INTERNAL
    if len(parts) == 1 or parts[1] in _INTERNAL_KERAS:
        return len(parts) == 1
    return len(parts) == 2 or hasattr(sys.modules[name], "__path__") or parts[1] in _LEAVES


# Rooms of tf.keras whose single files are namespaces too.
_LEAVES = frozenset(["applications", "datasets", "legacy", "ops", "optimizers", "preprocessing"])


def _answer_of(package: str) -> Callable[[str], Any]:
    def answer(name: str) -> Any:
        return missing(package, name, sys._getframe(1))

    return answer


def missing(package: str, name: str, frame: FrameType | None = None) -> Any:
    """Return what an older name stands for, or raise the error that says what to use.

    Args:
        package: The full name of the module that was asked.
        name: The name it does not have.
        frame: The frame that asks; an import statement there gets an ImportError.

    Raises:
        MissingName: there is no such name; an AttributeError.
        MissingImport: the same, for `from ... import name`.
    """
    if name.startswith("__") or (
        # `from package import name` asks twice, first whether it is a module to import.
        frame is not None and frame.f_globals.get("__name__") == "importlib._bootstrap"
    ):
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    loaded = sys.modules.get(f"{package}.{name}")
    if loaded is not None:  # a submodule whose package was imported anew, as pytest does
        return loaded
    scope = import_module(f"{_PACKAGE}.scope")  # not before a name is missing
    symbol = f"{scope.public_name(package)}.{name}"
    try:
        return scope.resolve(symbol)
    except scope.MissingName:
        if frame is not None and _imports_from(frame):
            raise scope.MissingImport(symbol) from None
        raise scope.MissingName(symbol) from None


def missing_member(obj: Any, name: str, kind: str) -> Any:
    """Raise for an attribute that an object lacks: what a `__getattr__` ends with.

    Args:
        obj: The object.
        name: The attribute.
        kind: What it is, in the words of `lamina.scope`: "Layer", "Optimizer" or "Dataset".

    Raises:
        AttributeError: there is none of this name; or, of a property, what it raised itself.
    """
    found = getattr(type(obj), name, None)
    if isinstance(found, property):
        return found.__get__(obj)
    text = _Text(f"{type(obj).__name__!r} object has no attribute {name!r}")
    text.name, text.kind = name, kind
    raise AttributeError(text, name=name, obj=obj)


class _Text(str):
    """The text of an error; for older attributes it says what to write.

    The table is not read before somebody reads the text: hasattr and getattr ask often.
    """

    name: str
    kind: str

    def __str__(self) -> str:
        members = import_module(f"{_PACKAGE}.scope.differing").REMOVED_MEMBERS[self.kind]
        instead = members.get(self.name)
        plain = str.__str__(self)
        if instead is None:
            return plain
        leave = instead.startswith("nothing: ")
        fix = f"leave it out: {instead.removeprefix('nothing: ')}" if leave else f"use {instead}"
        return f"{plain}; Keras 3 and TensorFlow 2.21 have none.\n  Fix: {fix}."

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (str(self),)


def _imports_from(frame: FrameType) -> bool:
    """Return whether a frame stands at `from ... import name`."""
    code = frame.f_code.co_code
    return 0 <= frame.f_lasti < len(code) and dis.opname[code[frame.f_lasti]] == "IMPORT_FROM"


# ---- the version --------------------------------------------------------------------------------


def version_seen_from(frame: FrameType, own: str, emulated: str) -> str:
    """Return the version that a program means by `__version__`.

    A program that calls the package by its own name asks for the package's version; one that calls
    it `tf`, or `tensorflow` under `lamina run`, asks which TensorFlow this is.

    Args:
        frame: The frame that asks.
        own: The package's version.
        emulated: The version of TensorFlow whose API this is.
    """
    if _imports_from(frame):
        # from lamina import __version__: the module's name stands in the code.
        return own if _PACKAGE in frame.f_code.co_names else emulated
    package = sys.modules[_PACKAGE]
    for names in (frame.f_locals, frame.f_globals):
        if names.get(_PACKAGE) is package:
            return own
    return emulated
