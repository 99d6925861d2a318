"""The tables of names: lamina's own objects, registered ones, and classes by definition."""

import difflib
import re
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar, Token
from importlib import import_module
from types import MappingProxyType
from typing import Any, TypeVar

__all__ = [
    "CustomObjectScope",
    "UnknownNameError",
    "builtin",
    "custom_object_scope",
    "define",
    "defining_modules",
    "exactly",
    "find",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "is_own",
    "near_names",
    "public_path",
    "publish",
    "register_keras_serializable",
    "same",
]

_Named = TypeVar("_Named")

# Keras module path → public name → lamina's class or function.
_BUILTIN: dict[str, dict[str, Any]] = {}
_LATE: list[str] = []  # modules of lamina that are not imported yet, with more of these
# Own class or function → its (module, name) in Keras.
_PUBLIC: dict[Any, tuple[str, str]] = {}
# "Package>Name" → what `register_keras_serializable` saw; users may add names by hand.
_CUSTOM: dict[str, Any] = {}
_CUSTOM_NAMES: dict[Any, str] = {}
# (module, qualified name) → the user's latest class of that name. Weak: a class that is gone
# cannot be named any more.
_DEFINED: weakref.WeakValueDictionary[tuple[str, str], type] = weakref.WeakValueDictionary()
_SCOPE: ContextVar[Mapping[str, Any]] = ContextVar(
    "lamina_custom_objects", default=MappingProxyType({})
)

# Directory of lamina/keras → module in Keras, for the classes that a model file may name.
_ROOMS = {
    "core": "keras.layers",
    "models": "keras",
    "layers": "keras.layers",
    "initializers": "keras.initializers",
    "regularizers": "keras.regularizers",
    "constraints": "keras.constraints",
    "optimizers": "keras.optimizers",
    "losses": "keras.losses",
    "metrics": "keras.metrics",
}

# Searched in this order when a file gives a bare name that several modules have.
_SEARCH_ORDER = (
    "keras.layers",
    "keras",
    "keras.models",
    "keras.initializers",
    "keras.regularizers",
    "keras.constraints",
    "keras.optimizers",
    "keras.optimizers.schedules",
    "keras.activations",
    "keras.losses",
    "keras.metrics",
)


class UnknownNameError(TypeError, ValueError):
    """A config names a class or function that is neither lamina's nor registered.

    Keras raises TypeError in `deserialize` and ValueError in `get`; this is both.
    """


def is_own(cls: type) -> bool:
    """Return whether a class is lamina's own, not the user's."""
    return cls.__module__.startswith("lamina.")


def builtin(module: str, *names: str) -> Callable[[_Named], _Named]:
    """Register one of lamina's own classes or functions under Keras' module path.

    The first module an object is registered under is the one it is saved with. Classes derived
    from `Captured` register themselves; this is for functions, aliases and moved names.

    Args:
        module: The path in Keras, such as "keras.layers".
        *names: Names to find it by; the object's own name if there are none.

    Returns:
        A decorator that returns the object unchanged.

    Example:
        >>> from lamina.keras import registry
        >>> @registry.builtin("keras.activations")
        ... def twice(x):
        ...     return 2 * x
        >>> registry.find("twice", "keras.activations") is twice
        True
    """

    def register(obj: _Named) -> _Named:
        table = _BUILTIN.setdefault(module, {})
        own_name = _name(obj)
        for name in names or (own_name,):
            table[name] = obj
        _PUBLIC.setdefault(obj, (module, own_name))
        return obj

    return register


def _name(obj: Any) -> str:
    return obj.__name__


def publish(module: str, names: Mapping[str, Any], exported: Iterable[str]) -> None:
    """Register the exported classes and functions of a file, aliases and short names included.

    Args:
        module: The path in Keras, such as "keras.initializers".
        names: The file's `globals()`.
        exported: Which of them are public: the file's `__all__`.
    """
    for name in exported:
        if callable(names[name]):
            builtin(module, name)(names[name])


def same(obj: Any, public: Any) -> None:
    """Save an object under the name of a public one: `tf.nn.relu` as "relu"."""
    _PUBLIC.setdefault(obj, _PUBLIC[public])


def public_path(obj: Any) -> tuple[str, str] | None:
    """Return the module and name in Keras of one of lamina's own objects, or None."""
    try:
        return _PUBLIC.get(obj)
    except TypeError:  # unhashable: no class and no function
        return None


def define(cls: type) -> None:
    """Note a class when it is defined, so that files may name it; `Captured` calls this.

    lamina's own classes go under their path in Keras (`_keras_module` in the class body, or the
    directory they live in) if they are parts of a model: a file may not name a callback. A leading
    underscore keeps one out. A user's class goes under its module and qualified name, and a later
    definition replaces an earlier one.
    """
    if not is_own(cls):
        _DEFINED[cls.__module__, cls.__qualname__] = cls
        return
    module = _keras_module(cls)
    if module is not None and not cls.__name__.startswith("_"):
        builtin(module)(cls)


def defining_modules() -> list[str]:
    """Return the names of the modules that define classes of the program's own."""
    return sorted({module for module, _ in list(_DEFINED)})


def _keras_module(cls: type) -> str | None:
    given = cls.__dict__.get("_keras_module")
    if given is not None:
        return given
    parts = cls.__module__.split(".")
    if parts[-1] == "schedules":
        return "keras.optimizers.schedules"
    return _ROOMS.get("".join(parts[2:3]))


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[_Named], _Named]:
    """Return a decorator that lets saved files name a class or function as "package>name".

    Subclasses of Layer, Model, Loss and the like are known without it, by module and name; the
    decorator gives one a name that stays when the class moves. Functions and other classes need it.

    Args:
        package: The first half of the name.
        name: The second half; the object's own name by default.

    Returns:
        A decorator that returns the object unchanged.

    Raises:
        ValueError: the class has no `get_config`.

    Example:
        >>> @tf.keras.utils.register_keras_serializable("demo")
        ... def shifted(x):
        ...     return x + 1
        >>> tf.keras.utils.get_registered_name(shifted)
        'demo>shifted'
    """

    def register(obj: _Named) -> _Named:
        if isinstance(obj, type) and not hasattr(obj, "get_config"):
            raise ValueError(
                f"register_keras_serializable: a class with a `get_config` method was expected; "
                f"got {obj.__name__}.\n"
                f"  Fix: define `get_config`, returning the constructor's arguments as a dict."
            )
        key = f"{package}>{_name(obj) if name is None else name}"
        _CUSTOM[key] = obj
        _CUSTOM_NAMES[obj] = key
        return obj

    return register


def get_registered_name(obj: Any) -> str:
    """Return the name that a registered class or function is saved under.

    Args:
        obj: A class or function.

    Returns:
        "package>name" if it was registered, else its own name.

    Example:
        >>> tf.keras.utils.get_registered_name(tf.keras.layers.Dense)
        'Dense'
    """
    try:
        registered = _CUSTOM_NAMES.get(obj, "")
    except TypeError:  # unhashable
        registered = ""
    return registered if _CUSTOM.get(registered) is obj else obj.__name__


def get_registered_object(
    name: str,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any:
    """Return the class or function registered under a name, or None.

    Args:
        name: "package>name", or a key of one of the tables below.
        custom_objects: Names known for this call, searched after the open scopes.
        module_objects: Names searched last.

    Returns:
        The object, or None if no table has the name.

    Example:
        >>> tf.keras.utils.get_registered_object("nothing") is None
        True
    """
    for table in (_SCOPE.get(), custom_objects, _CUSTOM, module_objects):
        if table is not None and name in table:
            return table[name]
    return None


def get_custom_objects() -> dict[str, Any]:
    """Return the table of registered names; entries may be added to it.

    Returns:
        The dict that `register_keras_serializable` fills, not a copy.

    Example:
        >>> tf.keras.utils.get_custom_objects()["halved"] = lambda x: x / 2
        >>> float(tf.keras.activations.get("halved")(tf.constant(3.0)))
        1.5
    """
    return _CUSTOM


class CustomObjectScope:
    """Let configs name more classes and functions inside a `with` block.

    Args:
        custom_objects: Name → class or function. Inner blocks win over outer ones.

    Example:
        >>> def cubed(x):
        ...     return x**3
        >>> with tf.keras.utils.custom_object_scope({"cubed": cubed}):
        ...     tf.keras.activations.get("cubed") is cubed
        True
    """

    def __init__(self, custom_objects: Mapping[str, Any] | None):
        self.custom_objects = dict(custom_objects or {})
        self._tokens: list[Token[Mapping[str, Any]]] = []

    def __enter__(self) -> "CustomObjectScope":
        self._tokens.append(_SCOPE.set({**_SCOPE.get(), **self.custom_objects}))
        return self

    def __exit__(self, *exc_info: object) -> None:
        _SCOPE.reset(self._tokens.pop())


custom_object_scope = CustomObjectScope


def find(
    name: str,
    module: str | None = "keras",
    *,
    registered_name: str | None = None,
    qualname: str | None = None,
    hint: str | None = None,
) -> Any:
    """Return the class or function that a config names, or None.

    Searched in order: open custom object scopes, registered names, lamina's own objects (if the
    module is Keras' or unknown), and the user's classes by module and qualified name; classes of
    a script, "__main__", also by their name alone where only one class has it.

    Args:
        name: The name in the config.
        module: The module in the config; None where the file gives none.
        registered_name: "package>name" from the config.
        qualname: The qualified name from the config, if it differs from the name.
        hint: The module in Keras to look into first for a bare name.
    """
    for key in (registered_name, name):
        if key is not None and key in _SCOPE.get():
            return _SCOPE.get()[key]
    if registered_name in _CUSTOM:
        return _CUSTOM[registered_name]
    if _is_keras(module):
        return _find_builtin(name, module, hint)
    if name in _CUSTOM:
        return _CUSTOM[name]
    found = _find_defined(name, module, qualname)
    if found is None and module is None:
        found = _find_builtin(name, None, hint)
    return found


def _is_keras(module: str | None) -> bool:
    return module is not None and module.split(".")[0] in {"keras", "tf_keras", "lamina"}


def define_late(*modules: str) -> None:
    """Name modules of lamina whose objects files may use, imported when a name is not found."""
    _LATE.extend(modules)


def load_late() -> bool:
    """Import the modules that `define_late` named; return whether there were any left."""
    waiting = _LATE[:]
    _LATE.clear()
    for module in waiting:
        import_module(module)
    return bool(waiting)


def _find_builtin(name: str, module: str | None, hint: str | None) -> Any:
    found = _find_imported(name, module, hint)
    return _find_imported(name, module, hint) if found is None and load_late() else found


def _find_imported(name: str, module: str | None, hint: str | None) -> Any:
    # Keras writes some classes with their file ("keras.src.models.functional"): the part after
    # "src" is the public module.
    tries = [module, hint]
    moved = re.match(r"(?:tf_keras|keras|lamina\.keras)\.(?:src\.)?(\w+)", module or "")
    if moved:
        tries.append(f"keras.{moved[1]}")
    for path in (*tries, *_SEARCH_ORDER, *_BUILTIN):
        if path is not None and name in _BUILTIN.get(path, ()):
            return _BUILTIN[path][name]
    return None


def _find_defined(name: str, module: str | None, qualname: str | None) -> type | None:
    if module is not None:
        for key in (qualname, name):
            if key is not None and (module, key) in _DEFINED:
                return _DEFINED[module, key]
    # A script's classes are of "__main__" while it runs and of a module when it is imported; Keras
    # stores None for them. Otherwise a name alone does not say which class is meant.
    same = [cls for cls in _DEFINED.values() if cls.__name__ == name]
    if module not in (None, "__main__"):
        same = [cls for cls in same if cls.__module__ == "__main__"]
    if qualname is not None and len(same) > 1:
        same = [cls for cls in same if cls.__qualname__ == qualname]
    return same[0] if len(same) == 1 else None


def near_names(name: str, module: str | None = None) -> str:
    """Return a sentence with the known names closest to an unknown one, for error messages.

    Args:
        name: The unknown name.
        module: The Keras module whose names count; None for all names.
    """
    exact = [cls for cls in _DEFINED.values() if cls.__name__ == name]
    if module is None and exact:
        paths = sorted(f"{cls.__module__}.{cls.__qualname__}" for cls in exact)
        return f"defined with this name: {', '.join(paths)}"
    known = sorted(set(_known_names(module)))
    folded = {known_name.lower().replace("_", ""): known_name for known_name in known}
    close = difflib.get_close_matches(str(name), known, n=3, cutoff=0.6)
    wanted = str(name).lower().replace("_", "")
    for match in difflib.get_close_matches(wanted, folded, n=3, cutoff=0.7):
        if folded[match] not in close:
            close.append(folded[match])
    if close:
        return f"near names: {', '.join(close[:4])}"
    return f"known names: {', '.join(known)}" if len(known) <= 12 else "no known name is near"


def _known_names(module: str | None) -> Iterator[str]:
    yield from _SCOPE.get()
    yield from _CUSTOM
    for path, table in _BUILTIN.items():
        if module is None or path == module:
            yield from table
    if module is None:
        for cls in _DEFINED.values():
            yield cls.__name__


def exactly(name: str, module: str) -> Any:
    """Return lamina's own object of this name in this Keras module, or None."""
    found = _BUILTIN.get(module, {}).get(name)
    return _BUILTIN.get(module, {}).get(name) if found is None and load_late() else found
