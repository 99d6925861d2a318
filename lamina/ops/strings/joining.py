"""Functions that make one string of several: join, reduce_join, segments, format."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.engine import (
    convert_to_tensor,
    dtypes,
    errors,
    host_op,
    static_int,
    static_ints,
    type_of,
)
from lamina.ops.strings.operands import is_ragged, objects, over_flat_values, text_of, texts
from lamina.ops.strings.summaries import rows_text, summary

__all__ = ["format", "join", "reduce_join", "unsorted_segment_join"]


def _infer_join(kinds: Sequence[Any], **attributes: Any) -> Any:
    dims = max((k.dims for k in kinds), key=len, default=())
    return (type_of(dims, dtypes.string),), None


@host_op(_infer_join)
def _join(*inputs, separator=""):
    shape = next((x.shape for x in inputs if x.ndim), ())
    for x in inputs:
        if x.ndim and x.shape != shape:
            raise errors.InvalidArgumentError(
                f"tf.strings.join: Input shapes do not match: {list(shape)} vs. {list(x.shape)}.\n"
                f"  Fix: pass Tensors of one shape, and scalars."
            )
    glue = separator.encode("utf-8", "surrogateescape")
    columns = [np.broadcast_to(x, shape).reshape(-1) for x in inputs]
    rows = zip(*columns, strict=True) if columns else [()]
    return objects([glue.join(row) for row in rows], shape)


def join(inputs, separator="", name=None):
    """Join strings elementwise.

    Args:
        inputs: A list of string Tensors or RaggedTensors of one shape; scalars among them go
            with every element.
        separator: What stands between two strings.
        name: Accepted, unused.

    Returns:
        Strings of the inputs' shape.

    Raises:
        InvalidArgumentError: the shapes differ, or an input holds no strings.

    Example:
        >>> tf.strings.join([["a", "b"], "c"], separator=" ").numpy()
        array([b'a c', b'b c'], dtype=object)
    """
    return _join_flat(*inputs, separator=text_of(separator, "tf.strings.join: `separator`"))


@over_flat_values
def _join_flat(*inputs, separator=""):
    given = [texts(x, "tf.strings.join") for x in inputs]
    if not given:
        return convert_to_tensor("")
    return _join(*given, separator=separator)


# ---- along axes -----------------------------------------------------------------------------


def _infer_reduced(kinds: Sequence[Any], **attributes: Any) -> Any:
    dims, axes = kinds[0].dims, attributes["axes"]
    kept = [1 if i in axes else d for i, d in enumerate(dims)]
    if not attributes["keepdims"]:
        kept = [d for i, d in enumerate(dims) if i not in axes]
    return (type_of(tuple(kept), dtypes.string),), None


@host_op(_infer_reduced)
def _reduce_join(inputs, axes=(), keepdims=False, separator=""):
    glue = separator.encode("utf-8", "surrogateescape")
    found = inputs
    for axis in axes:
        last = np.moveaxis(found, axis, -1)
        rows = last.reshape(-1, last.shape[-1]) if last.size else np.empty((0, 0), object)
        joined = [glue.join(row) for row in rows]
        count = int(np.prod(last.shape[:-1]))
        kept = objects(joined if last.size else [b""] * count, last.shape[:-1])
        found = np.expand_dims(kept, axis)
    return (
        found
        if keepdims
        else found.reshape([d for i, d in enumerate(found.shape) if i not in axes])
    )


def reduce_join(inputs, axis=None, keepdims=False, separator="", name=None):
    """Join all strings along axes.

    Args:
        inputs: Strings of any shape, or a RaggedTensor of them.
        axis: The axes, joined in the order given; None joins all, the last axis first.
        keepdims: Whether joined axes stay, with size 1.
        separator: What stands between two strings.
        name: Accepted, unused.

    Returns:
        Strings without the joined axes.

    Raises:
        OutOfRangeError: there is no such axis.

    Example:
        >>> tf.strings.reduce_join([["abc", "123"], ["def", "456"]], axis=-1).numpy()
        array([b'abc123', b'def456'], dtype=object)
    """
    glue = text_of(separator, "tf.strings.reduce_join: `separator`")
    if is_ragged(inputs):
        return _reduce_ragged(inputs, axis, keepdims, glue)
    x = texts(inputs, "tf.strings.reduce_join")
    rank = len(x.shape)
    given = tuple(range(rank - 1, -1, -1)) if axis is None else static_ints(axis, "axis")
    axes = tuple(a + rank if a < 0 else a for a in given)
    for a, wanted in zip(axes, given, strict=True):
        if not 0 <= a < rank:
            raise errors.OutOfRangeError(
                f"tf.strings.reduce_join: Invalid reduction dimension {wanted} for input with "
                f"{rank} dimension(s).\n  Fix: `axis` must lie in [-{rank}, {rank})."
            )
    return _reduce_join(x, axes=axes, keepdims=bool(keepdims), separator=glue)


def _reduce_ragged(inputs: Any, axis: Any, keepdims: Any, glue: str) -> Any:
    """Join rows of a RaggedTensor, by its lists: they have no rectangular form."""
    rows = inputs.to_list()
    rank = _depth(inputs)
    given = tuple(range(rank - 1, -1, -1)) if axis is None else static_ints(axis, "axis")
    axes = sorted({a + rank if a < 0 else a for a in given}, reverse=True)
    for a in axes:
        rows = _joined(rows, a, glue.encode(), bool(keepdims))
    left = rank if keepdims else rank - len(axes)
    if left <= 1:
        return convert_to_tensor(objects(rows) if left else rows, dtypes.string)
    from lamina.ragged import constant

    return constant(rows, dtype=dtypes.string)


def _depth(ragged: Any) -> int:
    return len(ragged.shape.as_list())


def _joined(rows: Any, axis: int, glue: bytes, keepdims: bool) -> Any:
    if axis:
        return [_joined(row, axis - 1, glue, keepdims) for row in rows]
    if all(isinstance(r, bytes) for r in rows):
        found: Any = glue.join(rows)
    else:
        columns = range(max(map(len, rows)))
        found = [_joined([row[i] for row in rows if i < len(row)], 0, glue, False) for i in columns]
    return [found] if keepdims else found


# ---- segments -------------------------------------------------------------------------------


def _infer_segments(kinds: Sequence[Any], **attributes: Any) -> Any:
    left = kinds[0].dims[len(kinds[1].dims) :]
    return (type_of((attributes["num_segments"], *left), dtypes.string),), None


@host_op(_infer_segments)
def _segment_join(inputs, segment_ids, num_segments=0, separator=""):
    if segment_ids.size and (segment_ids.min() < 0 or segment_ids.max() >= num_segments):
        raise errors.InvalidArgumentError(
            f"tf.strings.unsorted_segment_join: segment_ids are not allowed to exceed "
            f"num_segments or to have negative values; got {segment_ids.min()} to "
            f"{segment_ids.max()} for {num_segments}.\n  Fix: use ids in [0, {num_segments})."
        )
    left = inputs.shape[segment_ids.ndim :]
    rows = inputs.reshape(segment_ids.size, -1)
    parts: list[list[list[bytes]]] = [
        [[] for _ in range(rows.shape[1])] for _ in range(num_segments)
    ]
    for row, segment in zip(rows, segment_ids.reshape(-1), strict=True):
        for i, text in enumerate(row):
            parts[segment][i].append(text)
    glue = separator.encode("utf-8", "surrogateescape")
    return objects([glue.join(p) for row in parts for p in row], (num_segments, *left))


def unsorted_segment_join(inputs, segment_ids, num_segments, separator="", name=None):
    """Join the strings of each segment.

    Args:
        inputs: Strings of a shape that starts with that of `segment_ids`.
        segment_ids: The number of the segment of each element, in [0, N).
        num_segments: The number of segments, N.
        separator: What stands between two strings.
        name: Accepted, unused.

    Returns:
        Strings `(N, ...)`; segments without elements are "".

    Raises:
        InvalidArgumentError: an id lies outside [0, N), or the shapes do not fit.

    Example:
        >>> tf.strings.unsorted_segment_join(["a", "b", "c"], [0, 1, 0], 2, ":").numpy()
        array([b'a:c', b'b'], dtype=object)
    """
    who = "tf.strings.unsorted_segment_join"
    x, ids = texts(inputs, who), convert_to_tensor(segment_ids)
    if x.shape.as_list()[: len(ids.shape)] != ids.shape.as_list():
        raise errors.InvalidArgumentError(
            f"{who}: the shape of `segment_ids` must be the start of that of `inputs`; got "
            f"{ids.shape} and {x.shape}.\n  Fix: give one id for each row."
        )
    return _segment_join(
        x,
        ids,
        num_segments=static_int(num_segments, "num_segments"),
        separator=text_of(separator, f"{who}: `separator`"),
    )


# ---- templates ------------------------------------------------------------------------------


def _infer_scalar(kinds: Sequence[Any], **attributes: Any) -> Any:
    return (type_of((), dtypes.string),), None


@host_op(_infer_scalar)
def _format(*inputs, template="", placeholder="{}", summarize=3, listed=()):
    out, left = [], template
    for value, is_text in zip(inputs, listed, strict=True):
        head, _, left = left.partition(placeholder)
        out += [head, value[()].decode() if is_text else summary(value, summarize)]
    return objects(["".join([*out, left]).encode()], ())


def format(template, inputs, placeholder="{}", summarize=3, name=None):
    """Put the values of Tensors into a text.

    Args:
        template: The text, with a placeholder for each Tensor.
        inputs: One Tensor, or a list of them.
        placeholder: What the values stand for.
        summarize: How many elements are shown at each end of an axis; -1 shows all.
        name: Accepted, unused.

    Returns:
        A scalar string.

    Raises:
        ValueError: there are more or fewer placeholders than Tensors.

    Example:
        >>> tf.strings.format("tensor: {}, suffix", tf.range(10)).numpy()
        b'tensor: [0 1 2 ... 7 8 9], suffix'
    """
    given = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
    places = template.count(placeholder)
    if places != len(given):
        raise ValueError(
            f"tf.strings.format: The template expects {places} tensors, but the inputs only has "
            f"{len(given)}.\n  Fix: write `placeholder` once for each Tensor."
        )
    shown = [rows_text(v.to_list(), int(summarize)) if is_ragged(v) else v for v in given]
    values = [convert_to_tensor(v) for v in shown]
    return _format(
        *values,
        template=template,
        placeholder=placeholder,
        summarize=int(summarize),
        listed=tuple(map(is_ragged, given)),
    )
