"""Messages as text, in the form that Google's library shows."""

from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["shown"]

_ESCAPES = {
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
    ord('"'): '\\"',
    ord("'"): "\\'",
    ord("\\"): "\\\\",
}


def shown(message: Any) -> str:
    """Return a message as text: one line a value, nested messages in braces."""
    return "".join(line + "\n" for line in _lines(message, ""))


def _lines(message: Any, indent: str) -> Iterator[str]:
    for field, value in message.ListFields():
        if field.key is not None:
            entry = field.entry.fields
            for key in sorted(value):
                yield f"{indent}{field.name} {{"
                yield from _field(entry["key"], key, indent + "  ")
                yield from _field(entry["value"], value.get(key), indent + "  ")
                yield f"{indent}}}"
        else:
            for one in value if field.repeated else [value]:
                yield from _field(field, one, indent)


def _field(field: Any, value: Any, indent: str) -> Iterator[str]:
    if field.message is None:
        yield f"{indent}{field.name}: {_scalar(value, field)}"
        return
    yield f"{indent}{field.name} {{"
    yield from _lines(value, indent + "  ")
    yield f"{indent}}}"


def _scalar(value: Any, field: Any) -> str:
    kind = field.kind
    if kind == "enum":
        return field.enum_type.shown(value)
    if kind == "bool":
        return "true" if value else "false"
    if kind in ("float", "double"):
        return _number(value, kind)
    if kind in ("bytes", "string"):
        raw = value.encode() if isinstance(value, str) else value
        return '"' + "".join(_letter(b, kind) for b in raw) + '"'
    return str(value)


def _number(value: float, kind: str) -> str:
    """Return a float with few digits if they are enough to read it again, else with all."""
    few, all_of_them, read = (6, 9, np.float32) if kind == "float" else (15, 17, np.float64)
    short = f"{value:.{few}g}"
    return short if read(short) == read(value) or value != value else f"{value:.{all_of_them}g}"


def _letter(byte: int, kind: str) -> str:
    if byte in _ESCAPES:
        return _ESCAPES[byte]
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}"
