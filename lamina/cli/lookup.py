"""What lamina has of a name: nothing to say, an older spelling, something else, or not there."""

import difflib
import functools
import inspect
import operator
import warnings
from dataclasses import dataclass
from typing import Any

from lamina import keras, scope
from lamina.cli.names import Value
from lamina.scope import older
from lamina.scope.absent import is_known
from lamina.scope.differing import DIFFERENT, OLDER_KEYWORDS, OLDER_METHODS, REMOVED_METHODS

__all__ = ["Found", "look_up", "look_up_keyword", "look_up_method"]


@dataclass(frozen=True)
class Found:
    """What there is to say of a name.

    Attributes:
        symbol: The name, in TensorFlow's spelling.
        status: "lacks", "differs" or "older".
        why: What is the matter.
        instead: What to do, or "".
    """

    symbol: str
    status: str
    why: str
    instead: str


@functools.cache
def look_up(symbol: str) -> Found | None:
    """Return what there is to say of a name; None if it is there as in TensorFlow.

    Args:
        symbol: The name, as in "tf.nn.relu".
    """
    older = scope.older_target(symbol)
    if older is not None and _is_there(older):
        return (
            None
            if symbol.startswith("tf.compat.v2")
            else Found(symbol, "older", "an older spelling; it runs", f"write {older}")
        )
    parts = symbol.split(".")
    for count in range(2, len(parts) + 1):
        part = ".".join(parts[:count])
        if not _is_there(part):
            return _absent(part if _opaque(parts[: count - 1]) is None else symbol)
        if part in DIFFERENT:
            return Found(part, "differs", *DIFFERENT[part])
        if _opaque(parts[:count]) is not None:
            return None  # an object: what it has is not a matter of the name
    return None


def _opaque(parts: list[str]) -> Any:
    """Return the object of a name if it is neither a namespace nor a class."""
    value = _object(".".join(parts))
    return None if inspect.ismodule(value) or inspect.isclass(value) else value


def _absent(symbol: str) -> Found:
    absent = scope.explain(symbol)
    near = f"nearest: {', '.join(absent.nearest)}" if absent.nearest else ""
    return Found(symbol, "lacks", absent.why, absent.instead or near)


@functools.cache
def _object(symbol: str) -> Any:
    """Return what a name stands for; None if it is not there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return older.get(symbol)
        except AttributeError:
            return None
        except ImportError:  # an extra that is not installed: the name is there
            return object()


def _is_there(symbol: str) -> bool:
    if _object(symbol) is not None:
        return True
    space, _, name = symbol.rpartition(".")
    holder = _object(space)
    return holder is not None and name in dir(holder)  # its value is None, as of tf.newaxis


# ---- methods ------------------------------------------------------------------------------------


def look_up_method(value: Value) -> Found | None:
    """Return what there is to say of an object's member; None if nothing is known against it.

    Args:
        value: An object's class and the member, as "tf.data.Dataset.map"; "?.map" for an object of
            an unknown class.
    """
    owner, _, name = value.symbol.rpartition(".")
    if name in value.known:
        return None
    if name in OLDER_METHODS:
        return _older_method(owner, name)
    if name in REMOVED_METHODS:
        return Found(_shown(owner, name), "lacks", "gone since Keras 3", REMOVED_METHODS[name])
    cls = _object(owner) if owner != "?" else None
    if inspect.isclass(cls) and not hasattr(cls, name) and is_known(value.symbol):
        return _absent(value.symbol)
    return None


def _older_method(owner: str, name: str) -> Found:
    return Found(
        _shown(owner, name), "older", "an older spelling; it runs", f"write {OLDER_METHODS[name]}"
    )


def _shown(owner: str, name: str) -> str:
    return f".{name}" if owner == "?" else f"{owner}.{name}"


# ---- keyword arguments --------------------------------------------------------------------------


@functools.cache
def look_up_keyword(value: Value, word: str) -> Found | None:
    """Return what there is to say of a keyword argument; None if it is there as in TensorFlow.

    Args:
        value: What is called.
        word: The keyword.
    """
    function = _called(value)
    accepted = None if function is None else _accepted(function)
    if accepted is None:
        return None
    shown = f"{value.symbol}({word}=)"
    older = _older_keywords(function).get(word)
    if older is not None:
        now = f"use {older}" if older else "leave it out"
        return Found(shown, "older", "an older spelling; it runs", now)
    if word in accepted:
        return None
    names = sorted(accepted - {"self"})
    near = difflib.get_close_matches(word, names, n=3) or names
    return Found(shown, "lacks", "no such argument", f"there is: {', '.join(near)}")


def _called(value: Value) -> Any:
    if not value.is_instance:
        return _object(scope.older_target(value.symbol) or value.symbol)
    owner, _, name = value.symbol.rpartition(".")
    cls = _object(owner)
    return getattr(cls, name, None) if inspect.isclass(cls) else None


def _accepted(function: Any) -> set[str] | None:
    """Return the keywords that a function takes; None if it takes any."""
    if not inspect.isclass(function):
        taken = _parameters(function, closed=not _trains(function))
        return taken and taken - {"**"}
    found: set[str] = set()
    for cls in function.__mro__:
        if "__init__" not in vars(cls) or cls is object:
            continue
        if cls is keras.Model:  # its signature is Keras': (*args, **kwargs)
            found |= {"inputs", "outputs"}
        taken = _parameters(cls.__init__, closed=False)
        if taken is None:
            return None
        found |= taken - {"**"}
        if "**" not in taken:
            return found
    roots = (keras.layers.Layer, keras.optimizers.Optimizer)
    return found if issubclass(function, roots) else None


def _parameters(function: Any, closed: bool = True) -> set[str] | None:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    names = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None if closed else {*names, "**"}
    return names


def _trains(function: Any) -> bool:
    """Return whether a function is one of `fit` and the like, which take older arguments."""
    return getattr(function, "__qualname__", "").startswith("Trainer.")


def _older_keywords(function: Any) -> dict[str, str]:
    if _trains(function):
        return OLDER_KEYWORDS["Trainer"]
    if inspect.isclass(function):
        own = set(inspect.signature(function).parameters)
        found: dict[str, str] = {}
        for root, words in OLDER_KEYWORDS.items():
            if root != "Trainer" and issubclass(function, operator.attrgetter(root)(keras)):
                found.update({word: now for word, now in words.items() if word not in own})
        return found
    return {}
