"""The source of what the user's classes compute, kept beside a model to tell what changed.

It is text for people: loading compares it and shows differences, and never runs it.
"""

import difflib
import hashlib
import inspect
import io
import textwrap
import tokenize
import warnings
from collections.abc import Mapping
from typing import Any

from lamina.keras import registry
from lamina.keras.core import Layer

__all__ = ["SourceChanged", "collect", "warn_of_changes"]

_METHODS = ("call", "build")
_SHOWN = 60
_LAYOUT = (
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
)


class SourceChanged(UserWarning):
    """The code of a model's class is not the code that a file was saved with.

    The weights fit, or loading would have said so; what is computed from them may differ. The
    warning shows the difference. Save the model again once it is meant.
    """


def collect(model: Any) -> dict[str, dict[str, str]]:
    """Return the sources in a model: class → method → text, for the user's classes.

    A class whose source is unknown, because it was typed into an interpreter, is left out.
    """
    found: dict[str, dict[str, str]] = {}
    for layer in model._flatten_layers():
        cls = type(layer)
        if isinstance(layer, Layer) and not registry.is_own(cls):
            methods = {name: _source(cls, name) for name in _METHODS}
            known = {name: text for name, text in methods.items() if text}
            if known:
                found.setdefault(f"{cls.__module__}.{cls.__qualname__}", known)
    return found


def _source(cls: type, method: str) -> str | None:
    """Return the source of a method that a user's class defines."""
    owner = next((c for c in cls.__mro__ if method in c.__dict__), None)
    if owner is None or registry.is_own(owner):
        return None
    try:
        function: Any = inspect.unwrap(getattr(cls, method))
        return textwrap.dedent(inspect.getsource(getattr(function, "python_function", function)))
    except (OSError, TypeError, IndentationError):
        return None


def _fingerprint(source: str) -> str:
    """Return a hash of a source without comments and layout."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
        text = " ".join(t.string for t in tokens if t.type not in _LAYOUT)
    except (tokenize.TokenError, SyntaxError):
        text = source
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def warn_of_changes(model: Any, before: Any, who: str, stacklevel: int) -> None:
    """Warn with a diff if methods of the model's classes differ from those in a file.

    Args:
        model: The model as loaded.
        before: What `collect` gave when the file was written; other values are left alone.
        who: The function and file, for the message.
        stacklevel: As in `warnings.warn`, seen from here.
    """
    if not isinstance(before, Mapping):
        return
    changed: list[str] = []
    lines: list[str] = []
    for name, methods in collect(model).items():
        known = before.get(name)
        for method, now in methods.items():
            then = known.get(method) if isinstance(known, Mapping) else None
            if isinstance(then, str) and _fingerprint(then) != _fingerprint(now):
                changed.append(f"`{method}` of {name}")
                lines += _diff(then, now, f"{name}.{method}")
    if changed:
        warnings.warn(
            f"{who}: {', '.join(changed)} is not the code that the file was saved with; the "
            f"outputs may differ.\n" + "\n".join(lines),
            SourceChanged,
            stacklevel=stacklevel + 1,
        )


def _diff(then: str, now: str, name: str) -> list[str]:
    lines = list(
        difflib.unified_diff(
            then.splitlines(),
            now.splitlines(),
            f"{name} in the file",
            f"{name} now",
            lineterm="",
        )
    )
    left = len(lines) - _SHOWN
    return lines if left <= 0 else [*lines[:_SHOWN], f"… and {left} more lines"]
