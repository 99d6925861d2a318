"""Functions that cut strings in pieces, and n-grams, which join neighbours."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from lamina.engine import convert_to_tensor, dtypes, host_op, static_int
from lamina.ops.strings.operands import (
    infer_rows,
    is_ragged,
    nested,
    objects,
    splits_of,
    text_of,
    texts,
)

__all__ = ["bytes_split", "ngrams", "split"]


def _words(text: bytes, sep: bytes, maxsplit: int) -> list[bytes]:
    if maxsplit == 0:
        return [text]
    if sep:
        return text.split(sep, maxsplit)
    found = text.split(None, maxsplit)
    # TF: when the last allowed cut uses the text up, the empty rest counts.
    return [*found, b""] if text and maxsplit > 0 and len(found) == maxsplit else found


def _laid_out(rows: Sequence[Sequence[bytes]]) -> tuple[np.ndarray, np.ndarray]:
    return objects([part for row in rows for part in row]), splits_of(rows)


@host_op(infer_rows(dtypes.string))
def _split(input, sep="", maxsplit=-1):
    glue = sep.encode("utf-8", "surrogateescape")
    return _laid_out([_words(s, glue, maxsplit) for s in input])


def split(input, sep=None, maxsplit=-1, name=None):
    """Cut each string at a separator.

    Args:
        input: Strings of any shape, or a RaggedTensor of them.
        sep: The separator; None or "" cuts at white space, and gives no empty pieces.
        maxsplit: The largest number of cuts; -1 sets none.
        name: Accepted, unused.

    Returns:
        For a scalar, a string vector; else a RaggedTensor with one axis more.

    Example:
        >>> tf.strings.split("hello to you").numpy()
        array([b'hello', b'to', b'you'], dtype=object)
        >>> tf.strings.split(["hello world", "a b c"])
        <tf.RaggedTensor [[b'hello', b'world'], [b'a', b'b', b'c']]>
    """
    glue = "" if sep is None else text_of(sep, "tf.strings.split: `sep`")
    limit = static_int(maxsplit, "tf.strings.split(maxsplit)")
    value = input if is_ragged(input) else texts(input, "tf.strings.split")
    return nested(value, lambda v: _split(v, sep=glue, maxsplit=limit))[0]


@host_op(infer_rows(dtypes.string))
def _bytes_split(input):
    return _laid_out([[s[i : i + 1] for i in range(len(s))] for s in input])


def bytes_split(input, name=None):
    """Cut each string into its bytes.

    Args:
        input: Strings of any shape, or a RaggedTensor of them.
        name: Accepted, unused.

    Returns:
        For a scalar, a vector of one-byte strings; else a RaggedTensor with one axis more.

    Example:
        >>> tf.strings.bytes_split("hey").numpy()
        array([b'h', b'e', b'y'], dtype=object)
    """
    value = input if is_ragged(input) else texts(input, "tf.strings.bytes_split")
    return nested(value, _bytes_split)[0]


# ---- n-grams --------------------------------------------------------------------------------


@host_op(infer_rows(dtypes.string))
def _ngrams(values, splits, widths=(), separator="", pads=None, padding=-1, keep_short=False):
    glue = separator.encode("utf-8", "surrogateescape")
    left, right = (p.encode() for p in pads) if pads else (b"", b"")
    rows = []
    for first, last in itertools.pairwise(splits):
        row = list(values[first:last])
        found: list[bytes] = []
        for width in widths:
            count = 0 if pads is None else width - 1 if padding < 0 else min(padding, width - 1)
            padded = [left] * count + row + [right] * count
            starts: Iterable[int] = range(len(padded) - width + 1)
            found += [glue.join(padded[i : i + width]) for i in starts]
        if keep_short and row and not found:
            count = 0 if pads is None else max(padding, 0)
            found = [glue.join([left] * count + row + [right] * count)]
        rows.append(found)
    return _laid_out(rows)


def ngrams(
    data,
    ngram_width,
    separator=" ",
    pad_values=None,
    padding_width=None,
    preserve_short_sequences=False,
    name=None,
):
    """Join every run of neighbours along the last axis.

    Args:
        data: A string Tensor or RaggedTensor, of rank 1 or more.
        ngram_width: The length of the runs, or a list of lengths.
        separator: What stands between two strings.
        pad_values: What pads both ends: one string, or a pair; None does not pad.
        padding_width: The number of paddings at an end, cut off at the run's length less one,
            which None stands for.
        preserve_short_sequences: Whether a row that is shorter than all runs gives one of its
            own length.
        name: Accepted, unused.

    Returns:
        A Tensor, or a RaggedTensor if `data` is one, of the rank of `data`. For several lengths
        a row has the shorter runs first.

    Raises:
        ValueError: a length is not positive, `data` is a scalar, or `padding_width` is not
            positive, or given without `pad_values`.
        TypeError: `pad_values` is neither a string nor a pair.

    Example:
        >>> tf.strings.ngrams(["A", "B", "C", "D"], 2).numpy()
        array([b'A B', b'B C', b'C D'], dtype=object)
    """
    widths = (ngram_width,) if isinstance(ngram_width, int) else tuple(map(int, ngram_width))
    _check_widths(widths, padding_width)
    if padding_width is not None and pad_values is None:
        raise ValueError(
            f"tf.strings.ngrams: pad_values must be provided if padding_width is set; got "
            f"padding_width={padding_width}.\n  Fix: say what pads, pad_values=''."
        )
    statics: dict[str, Any] = {
        "widths": widths,
        "separator": text_of(separator, "tf.strings.ngrams: `separator`"),
        "pads": _pads(pad_values),
        "padding": -1 if padding_width is None else int(padding_width),
        "keep_short": bool(preserve_short_sequences),
    }
    if is_ragged(data):
        return _ragged_ngrams(data, statics)
    x = texts(data, "tf.strings.ngrams")
    if not x.shape.rank:
        raise ValueError(
            "tf.strings.ngrams: Data must have rank>0; got a scalar.\n  Fix: pass a vector."
        )
    from lamina.ops.shaping import reshape

    *lead, size = x.shape.as_list()
    rows = int(np.prod(lead))
    splits = convert_to_tensor(np.arange(rows + 1, dtype=np.int64) * size)
    found, _ = _ngrams(reshape(x, (-1,)), splits, **statics)
    return reshape(found, (*lead, -1) if rows else (*lead, 0))


def _ragged_ngrams(data: Any, statics: dict[str, Any]) -> Any:
    from lamina.ragged import RaggedTensor

    if is_ragged(data.values):
        return data.with_values(_ragged_ngrams(data.values, statics))
    found, splits = _ngrams(data.values, data.row_splits, **statics)
    return RaggedTensor.from_row_splits(found, splits, validate=False)


def _check_widths(widths: tuple[int, ...], padding: Any) -> None:
    for width in widths:
        if width < 1:
            raise ValueError(
                f"tf.strings.ngrams: All ngram_widths must be greater than 0. Got {width}.\n"
                f"  Fix: pass the number of strings in a run."
            )
    if padding is not None and padding < 1:
        raise ValueError(
            f"tf.strings.ngrams: padding_width must be greater than 0. Got {padding}.\n"
            f"  Fix: leave it out for as many as needed."
        )


def _pads(values: Any) -> tuple[str, str] | None:
    if values is None:
        return None
    if isinstance(values, list | tuple):
        if len(values) != 2:
            raise TypeError(
                f"tf.strings.ngrams: pad_values must be a string, tuple of strings, or None; got "
                f"{values!r}.\n  Fix: pass (left, right)."
            )
        left, right = values
    else:
        left = right = values
    return text_of(left, "`pad_values`"), text_of(right, "`pad_values`")
