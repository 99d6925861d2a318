"""Values as the text that `tf.print` and `tf.strings.format` show."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["printed", "rows_text", "summary"]


def summary(value: Any, count: int) -> str:
    """Return an array in brackets, with `count` elements at each end of an axis.

    Args:
        value: A NumPy array or scalar; strings are `bytes`.
        count: How many elements are shown; -1 shows all.

    Example:
        >>> summary(np.arange(10.0), 2)
        '[0 1 ... 8 9]'
    """
    return _nested(np.asarray(value), count, 0)


def _nested(value: Any, count: int, indent: int) -> str:
    if value.ndim == 0:
        return _element(value[()])
    glue = " " if value.ndim == 1 else "\n" * (value.ndim - 1) + " " * (indent + 1)
    texts = _ends(value, count, lambda v: _nested(np.asarray(v), count, indent + 1))
    return "[" + glue.join(texts) + "]"


def _ends(values: Any, count: int, text: Any) -> list[str]:
    """Return the texts of the first and last `count` values, and dots for those between."""
    if count < 0 or 2 * count >= len(values):
        return [text(v) for v in values]
    last = values[len(values) - count :]
    return [text(v) for v in values[:count]] + ["..."] + [text(v) for v in last]


def _element(value: Any) -> str:
    if isinstance(value, bytes):
        return f'"{value.decode("utf-8", "replace")}"'
    if isinstance(value, bool | np.bool_):
        return "1" if value else "0"
    if isinstance(value, complex | np.complexfloating):
        return str(value)
    if value.dtype.kind in "iu":
        return str(value)
    # As TF: as few digits as are always exact in text, and more only where these lose something.
    kind, few, many = (np.float64, 15, 17) if value.dtype.itemsize == 8 else (np.float32, 6, 9)
    short = f"{float(value):.{few}g}"
    return short if kind(short) == kind(value) else f"{float(value):.{many}g}"


def printed(value: Any, count: int, of_tensor: type) -> str:
    """Return what `tf.print` shows of one of its arguments.

    Args:
        value: Anything; in lists, tuples and dicts what stands for a Tensor is an array of the
            class `of_tensor`.
        count: How many elements are shown at each end of an axis; -1 shows all.
        of_tensor: A subclass of `np.ndarray`.
    """
    return value if isinstance(value, str) else _item(value, count, of_tensor)


def _item(value: Any, count: int, of_tensor: type) -> str:
    if isinstance(value, of_tensor):
        return summary(value, count)
    if hasattr(value, "nested_row_splits"):
        return rows_text(value.to_list(), count)
    if hasattr(value, "dense_shape") and hasattr(value, "indices"):
        parts = zip(("indices", "values", "shape"), value._components(), strict=False)
        inner = ", ".join(f"{name}={summary(t._jax(), count)}" for name, t in parts)
        return f"'{type(value).__name__}({inner})'"
    if isinstance(value, dict):
        pairs = sorted(value.items()) if all(isinstance(k, str) for k in value) else value.items()
        return "{" + ", ".join(f"{k!r}: {_item(v, count, of_tensor)}" for k, v in pairs) + "}"
    if isinstance(value, list | tuple):
        items = [_item(v, count, of_tensor) for v in value]
        if hasattr(value, "_fields"):
            named = zip(value._fields, items, strict=True)  # type: ignore[attr-defined]
            return f"{type(value).__name__}({', '.join(f'{k}={v}' for k, v in named)})"
        if isinstance(value, list):
            return f"[{', '.join(items)}]"
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    return repr(value)


def rows_text(rows: list[Any], count: int) -> str:
    """Return nested lists as TF prints ragged Tensors."""

    def text(value: Any) -> str:
        if isinstance(value, list):
            return rows_text(value, count)
        if isinstance(value, bytes):
            return repr(value.decode("utf-8", "replace"))
        return f"{value:f}" if isinstance(value, float) else str(value)

    return f"[{', '.join(_ends(rows, count, text))}]"
