"""What JSON does not tell apart: tuples from lists, and keys of dicts that are no text.

Where the arguments of the user's constructors have some, a file notes their places.
"""

from collections.abc import Iterator
from typing import Any

__all__ = ["notes", "restored"]

_Note = list[Any]  # [keys that lead there, "tuple" or a list of keys]


def notes(config: Any) -> list[_Note]:
    """Return where a config has tuples, or dicts with other keys, in entries of user classes."""
    return list(_found(config, [], False))


def _found(value: Any, path: list[Any], inside: bool) -> Iterator[_Note]:
    if isinstance(value, dict):
        module = value.get("module")
        if isinstance(module, str) and "config" in value:
            inside = module.split(".")[0] not in ("keras", "builtins")
        plain = all(isinstance(k, int | float | bool | None | str) for k in value)
        if inside and plain and not all(isinstance(k, str) for k in value):
            yield [path, list(value)]
        items: Any = enumerate(value.items())
        for i, (key, item) in items:
            yield from _found(item, [*path, key if isinstance(key, str) else i], inside)
    elif isinstance(value, list | tuple):
        if inside and isinstance(value, tuple):
            yield [path, "tuple"]
        for i, item in enumerate(value):
            yield from _found(item, [*path, i], inside)


def restored(config: Any, found: Any) -> Any:
    """Return a config read from JSON with what `notes` found in it; notes that lie do nothing."""
    if not isinstance(found, list):
        return config
    box = {"": config}
    for note in reversed(found):  # what is inside comes later in the list, and is done first
        try:
            path, kind = note
            _apply(box, ["", *path], kind)
        except (KeyError, IndexError, TypeError, ValueError):
            continue
    return box[""]


def _apply(box: Any, path: list[Any], kind: Any) -> None:
    *above, last = path
    at = box
    for key in above:
        at = at[_key(at, key)]
    last = _key(at, last)
    if kind == "tuple" and isinstance(at[last], list):
        at[last] = tuple(at[last])
    elif isinstance(kind, list) and isinstance(at[last], dict):
        at[last] = dict(zip(kind, at[last].values(), strict=True))


def _key(container: Any, key: Any) -> Any:
    """Return a key; of a dict, a number stands for the place of an entry."""
    return list(container)[key] if isinstance(container, dict) and isinstance(key, int) else key
