"""Text into tokens, on the host: standardize, split, n-grams. Strings are `bytes` objects."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina.engine import Tensor, Variable, from_host

__all__ = ["padded", "standardized", "tokens_of", "with_ngrams"]

_PUNCTUATION = b"!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"

Row = list[bytes]


def standardized(texts: np.ndarray, how: str | Callable[..., Any] | None) -> Any:
    """Return texts in one case, without punctuation, or as a function makes them.

    Args:
        texts: An array of bytes objects.
        how: "lower", "strip_punctuation", both joined by "_and_", a function of a string Tensor,
            or None.
    """
    if how is None:
        return texts
    if callable(how):
        return _as_array(how(from_host(texts)))
    flat: list[bytes] = texts.reshape(-1).tolist()
    if "lower" in how:  # ASCII only, as tf.strings.lower
        flat = [t.lower() for t in flat]
    if "strip_punctuation" in how:
        flat = [t.translate(None, _PUNCTUATION) for t in flat]
    return _objects(flat).reshape(texts.shape)


def _objects(flat: Sequence[bytes]) -> np.ndarray:
    array = np.empty(len(flat), dtype=object)
    array[:] = flat
    return array


def _as_array(value: Any) -> np.ndarray:
    """Return what a user's function returned as an array of bytes objects."""
    if isinstance(value, Tensor | Variable):
        return value.numpy() if value.ndim else _objects([value.numpy()]).reshape(())
    array = np.asarray(value, dtype=object)
    flat = [v if isinstance(v, bytes) else str(v).encode() for v in array.reshape(-1)]
    return _objects(flat).reshape(array.shape)


def tokens_of(
    texts: np.ndarray, how: str | Callable[..., Any] | None
) -> tuple[tuple[int, ...], list[Row]]:
    """Return the tokens of texts: the shape of the texts, and a row of tokens for each.

    Args:
        texts: An array of bytes objects.
        how: "whitespace", "character" (of UTF-8), or a function of a string Tensor that returns
            a Tensor with one axis more, or nested lists; None takes texts as tokens, those along
            the last axis as a row.
    """
    if how is None:
        shape = texts.shape[:-1]
        return shape, texts.reshape(-1, texts.shape[-1] if texts.ndim else 1).tolist()
    if callable(how):
        rows = _nested(how(from_host(texts)))
        for _ in range(texts.ndim - 1):
            rows = [row for part in rows for row in part]
        return texts.shape, [_row(r) for r in (rows if texts.ndim else [rows])]
    flat: list[bytes] = texts.reshape(-1).tolist()
    split = bytes.split if how == "whitespace" else _characters
    return texts.shape, [split(t) for t in flat]


def _characters(text: bytes) -> Row:
    return [c.encode() for c in text.decode("utf-8", "replace")]


def _nested(value: Any) -> Any:
    for method in ("to_list", "tolist"):
        if hasattr(type(value), method):
            return getattr(value, method)()
    return value.numpy().tolist() if isinstance(value, Tensor | Variable) else list(value)


def _row(tokens: Any) -> Row:
    return [t if isinstance(t, bytes) else str(t).encode() for t in tokens]


def with_ngrams(row: Row, widths: Sequence[int] | None) -> Row:
    """Return the runs of neighbouring tokens, joined by a space, of each width in turn."""
    if widths is None:
        return row
    return [b" ".join(row[i : i + w]) for w in widths for i in range(len(row) - w + 1)]


def padded(rows: Sequence[np.ndarray], length: int | None, filler: int) -> np.ndarray:
    """Return rows of numbers as one array, each cut or filled up to a length.

    Args:
        rows: int64 vectors.
        length: The length; None is that of the longest row.
        filler: What stands after the end of a row.
    """
    if length is None:
        length = max(map(len, rows), default=0)
    out = np.full((len(rows), length), filler, np.int64)
    for place, row in zip(out, rows, strict=True):
        place[: len(row)] = row[:length]
    return out
