"""Reductions of ragged Tensors."""

import numpy as np

from lamina.engine import convert_to_tensor, dtypes, errors
from lamina.ops import division, elementary, math, reduce, segments, shaping
from lamina.ops.array import stop_gradient, zeros_like
from lamina.ops.casting import cast
from lamina.ops.comparison import greater, is_finite
from lamina.ops.ragged.partition import on_host
from lamina.ops.ragged.rows import count_rows, lengths_of, ranges, with_lengths
from lamina.ops.ragged.shaping import expand_dims
from lamina.ops.ragged.tensor import is_ragged
from lamina.ops.selection import where

__all__ = ["reduce_ragged", "segment"]

_SEGMENTS = {
    "sum": segments.unsorted_segment_sum,
    "prod": segments.unsorted_segment_prod,
    "max": segments.unsorted_segment_max,
    "min": segments.unsorted_segment_min,
}


def segment(kind, data, ids, count):
    """Reduce the rows of `data` that share an id.

    Args:
        kind: "sum", "prod", "max" or "min".
        data: A ragged or dense Tensor of N rows.
        ids: N integers in `[0, count)`, a NumPy array.
        count: The number of ids.

    Returns:
        `count` rows; of a ragged Tensor each as long as the longest of its rows.
    """
    if not is_ragged(data):
        return _SEGMENTS[kind](data, np.asarray(ids, np.int64), count)
    lengths = lengths_of(data)
    widest = np.zeros(count, np.int64)
    np.maximum.at(widest, ids, lengths)
    starts = np.cumsum(widest) - widest
    inner = ranges(starts[ids], lengths)
    reduced = segment(kind, data.values, inner, int(widest.sum()))
    return with_lengths(reduced, widest, data._partition.dtype)


def _along(kind, value, axis):
    """Reduce one axis by sum, prod, max or min."""
    if axis == 0:
        if value._partition._uniform is not None:
            widest = value._partition._uniform
        else:
            widest = int(lengths_of(value).max(initial=0))
        places = on_host(value._partition.offsets_in_rows())
        return segment(kind, value.values, places, widest)
    if axis == 1:
        if not value._partition._ready and not is_ragged(value.values):
            rows = value._partition.static_nrows
            rows = value._partition.nrows() if rows is None else rows
            return _SEGMENTS[kind](value.values, value.value_rowids(), rows)
        return segment(kind, value.values, value._partition._host_rowids(), count_rows(value))
    if is_ragged(value.values):
        return value.with_values(_along(kind, value.values, axis - 1))
    return value.with_values(_DENSE[kind](value.values, axis - 1))


_DENSE = {
    "sum": reduce.reduce_sum,
    "prod": reduce.reduce_prod,
    "max": reduce.reduce_max,
    "min": reduce.reduce_min,
}


def _ones(value):
    flat = value.flat_values
    return value.with_flat_values(convert_to_tensor(np.ones(tuple(flat.shape), flat.dtype.np)))


def _over(kind, value, axes):
    for axis in sorted(axes, reverse=True):
        value = _along(kind, value, axis) if is_ragged(value) else _DENSE[kind](value, axis)
    return value


def _mean(value, axes):
    if value.dtype.is_integer:
        value = value.with_flat_values(cast(value.flat_values, dtypes.float64))
    return division.truediv(_over("sum", value, axes), _over("sum", _ones(value), axes))


def _variance(value, axes):
    if value.dtype.is_integer:
        value = value.with_flat_values(cast(value.flat_values, dtypes.float64))
    mean_of_squares, mean = _mean(math.multiply(value, value), axes), _mean(value, axes)
    return math.maximum(
        math.subtract(mean_of_squares, math.multiply(mean, mean)),
        convert_to_tensor(np.zeros((), value.dtype.np)),
    )


def _logsumexp(value, axes):
    # The greatest of all where columns are reduced: one for each does not broadcast to rows.
    flat = reduce.reduce_max(value.flat_values) if 0 in axes else _over("max", value, axes)
    peak = stop_gradient(flat)
    peak = where(is_finite(peak), peak, zeros_like(peak))
    wide = peak
    for axis in () if 0 in axes else axes:
        wide = expand_dims(wide, axis)
    total = _over("sum", elementary.exp(math.subtract(value, wide)), axes)
    return math.add(elementary.log(total), peak)


def _logical(kind, value, axes):
    numbers = value.with_flat_values(cast(value.flat_values, dtypes.int32))
    found = _over("sum" if kind == "any" else "prod", numbers, axes)
    return greater(found, 0)


def reduce_ragged(op, args, attributes):
    """Reduce a ragged Tensor along axes; the rule of `tf.reduce_sum` and its like."""
    (value,) = args
    kind = op.label.removeprefix("reduce_")
    axis, keepdims = attributes.get("axis"), attributes.get("keepdims")
    rank = len(value.shape)
    if axis is None:
        flat = value.flat_values
        if kind in ("mean", "variance", "std") and flat.dtype.is_integer:
            flat = cast(flat, dtypes.float64)  # as along axes
        found = op(flat)
        return shaping.reshape(found, [1] * rank) if keepdims else found
    given = axis if isinstance(axis, list | tuple) else [axis]
    axes = sorted({a + rank if a < 0 else a for a in given})
    if any(not 0 <= a < rank for a in axes):
        raise ValueError(
            f"tf.{op.label}: `axis` must lie in [{-rank}, {rank}) for shape {value.shape}; got "
            f"{axis}."
        )
    if kind == "mean":
        found = _mean(value, axes)
    elif kind in ("variance", "std"):
        found = _variance(value, axes)
        found = elementary.sqrt(found) if kind == "std" else found
    elif kind == "logsumexp":
        found = _logsumexp(value, axes)
    elif kind in ("any", "all"):
        if value.dtype is not dtypes.bool_:
            raise errors.InvalidArgumentError(
                f"tf.{op.label}: the operand must be bool; got dtype {value.dtype.name}."
            )
        found = _logical(kind, value, axes)
    else:
        found = _over(kind, value, axes)
    for a in axes if keepdims else ():
        found = expand_dims(found, a)
    return found
