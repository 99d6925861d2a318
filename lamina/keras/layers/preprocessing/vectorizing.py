"""The operation of TextVectorization: texts to the numbers of their tokens, on the host."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina.engine import HostOp, dtypes, host_op, restorer, symbolic_dim, type_of
from lamina.keras.layers.preprocessing.tokens import padded, standardized, tokens_of, with_ngrams
from lamina.keras.layers.preprocessing.vocabulary import Terms

__all__ = ["numbers_of", "ragged_vectorizer", "token_rows", "vectorizer"]

_How = str | Callable[..., Any] | None


def token_rows(
    texts: Any, standardize: _How, split: _How, widths: Sequence[int] | None
) -> tuple[tuple[int, ...], list[list[bytes]]]:
    """Return the tokens of an array of texts: the leading shape, a row for each text."""
    texts = standardized(texts, standardize)
    if split is not None and texts.ndim > 1:
        texts = texts[..., 0]
    shape, rows = tokens_of(texts, split)
    return shape, [with_ngrams(row, widths) for row in rows]


def vectorizer(
    terms: Terms,
    standardize: _How,
    split: _How,
    widths: Sequence[int] | None,
    length: int | None,
    filler: int,
) -> HostOp:
    """Return the operation that gives the numbers of the tokens of texts, in rows of one length.

    Args:
        terms: The vocabulary.
        standardize: See `TextVectorization`.
        split: Likewise.
        widths: The widths of n-grams, or None.
        length: The length of a row; None is that of the longest.
        filler: What stands behind the last token.
    """

    def infer(kinds: Sequence[Any], **attributes: Any) -> Any:
        dims = kinds[0].dims
        if split is None:
            known = dims[-1] if dims and widths is None else symbolic_dim("tokens")
            dims = dims[:-1]
        else:
            dims, known = (dims[:-1] if len(dims) > 1 else dims), symbolic_dim("tokens")
        return (type_of((*dims, known if length is None else length), dtypes.int64),), None

    def vectorize(texts: Any) -> Any:
        shape, rows = token_rows(texts, standardize, split, widths)
        numbers, lengths = numbers_of(terms, rows, None)
        parts = np.split(numbers, np.cumsum(lengths)[:-1]) if rows else []
        found = padded(parts, length, filler)
        return found.reshape(*shape, found.shape[-1])

    how = {"standardize": standardize, "split": split, "length": length, "filler": filler}
    how["widths"] = None if widths is None else list(widths)
    recipe = f"{__name__}:restored_vectorizer", lambda: {"terms": terms.recipe(), **how}
    return host_op(infer, recipe)(vectorize)


def ragged_vectorizer(
    terms: Terms,
    standardize: _How,
    split: _How,
    widths: Sequence[int] | None,
    limit: int | None,
) -> HostOp:
    """Return the operation that gives the numbers of the tokens of a vector of texts, and splits.

    Args:
        terms: The vocabulary.
        standardize: See `TextVectorization`.
        split: Likewise.
        widths: The widths of n-grams, or None.
        limit: The most tokens of a text, or None.
    """

    def infer(kinds: Sequence[Any], **attributes: Any) -> Any:
        rows = type_of((kinds[0].dims[0] + 1,), dtypes.int64)
        return (type_of((symbolic_dim("tokens"),), dtypes.int64), rows), tuple

    def vectorize(texts: Any) -> Any:
        _, rows = token_rows(texts, standardize, split, widths)
        numbers, lengths = numbers_of(terms, rows, limit)
        return numbers, np.cumsum([0, *lengths], dtype=np.int64)

    how = {"standardize": standardize, "split": split, "limit": limit}
    how["widths"] = None if widths is None else list(widths)
    recipe = f"{__name__}:restored_ragged", lambda: {"terms": terms.recipe(), **how}
    return host_op(infer, recipe)(vectorize)


def numbers_of(
    terms: Terms, rows: list[list[bytes]], limit: int | None
) -> tuple[np.ndarray, list[int]]:
    """Return the numbers of tokens in one vector, and the lengths of the rows."""
    rows = [row[:limit] for row in rows]
    flat = np.empty(sum(map(len, rows)), dtype=object)
    flat[:] = [token for row in rows for token in row]
    return np.asarray(terms.find(flat), np.int64), [len(row) for row in rows]


@restorer
def restored_ragged(terms: dict[str, Any], **how: Any) -> HostOp:
    """Return the operation of `ragged_vectorizer` from what a file holds."""
    return ragged_vectorizer(Terms(**terms), **how)


@restorer
def restored_vectorizer(terms: dict[str, Any], **how: Any) -> HostOp:
    """Return the operation from what a file holds."""
    return vectorizer(Terms(**terms), **how)
