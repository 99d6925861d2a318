"""Tensors that count: ranges, grids, one-hot vectors, masks of lengths, places in sorted rows."""

import builtins
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina.engine import (
    Tensor,
    Variable,
    as_dtype,
    convert_to_tensor,
    dtypes,
    errors,
    op,
    static_int,
)
from lamina.ops.array import known_value
from lamina.ops.selection import where

__all__ = [
    "linspace",
    "meshgrid",
    "one_hot",
    "range",
    "searchsorted",
    "sequence_mask",
]

_RANGE_DTYPES = (
    dtypes.int32,
    dtypes.int64,
    dtypes.float16,
    dtypes.bfloat16,
    dtypes.float32,
    dtypes.float64,
)


def _scalar(value, what):
    """Return the value and dtype of a bound of `tf.range` known to the host."""
    if isinstance(value, np.generic | np.ndarray):
        return value.item(), as_dtype(value.dtype)
    if not isinstance(value, Tensor | Variable):
        return value, dtypes.float32 if isinstance(value, float) else dtypes.int32
    if value.dtype.is_integer:
        return static_int(value, f"tf.range({what})"), value.dtype
    return float(value), value.dtype


def _count(start, limit, delta, dtype):
    """Return how many elements a range has, counted in its dtype as in TF; may be symbolic."""
    if not all(isinstance(each, int | float) for each in (start, limit, delta)):
        return limit - start if delta == 1 else -((start - limit) // delta)
    if delta == 0 or (limit - start) * delta < 0:
        raise errors.InvalidArgumentError(
            f"tf.range: `delta` must lead from `start` to `limit`; got start={start}, "
            f"limit={limit}, delta={delta}.\n  Fix: change the sign of `delta`."
        )
    if isinstance(start, int) and isinstance(limit, int) and isinstance(delta, int):
        return -((start - limit) // delta)
    if dtype.is_floating:
        start, limit, delta = (dtype.np.type(each) for each in (start, limit, delta))
    return math.ceil(abs((limit - start) / delta))


@op(differentiable=False)
def _range(*, start, delta, count, dtype):
    steps = lax.iota(np.int64 if dtype.is_integer else dtype.np, count)
    if isinstance(delta, int | float) and delta != 1:
        steps = steps * delta
    if not isinstance(start, int | float) or start != 0:
        steps = steps + start
    return steps.astype(dtype.np)


def range(start, limit=None, delta: Any = 1, dtype=None, name=None):
    """Return the numbers from `start` up to, excluding, `limit`.

    Args:
        start: The first number; with `limit` None it is the limit, and the first number is 0.
        limit: The end of the range, or None.
        delta: The step, not 0.
        dtype: The dtype; None takes the widest of the three arguments' dtypes.
        name: Accepted, unused.

    Returns:
        A vector of `ceil((limit - start) / delta)` elements.

    Raises:
        InvalidArgumentError: `delta` is 0 or leads away from `limit`.

    Example:
        >>> tf.range(2, 9, 3).numpy()
        array([2, 5, 8], dtype=int32)
    """
    if limit is None:
        start, limit = 0, start
    scalars: Any = (
        _scalar(start, "start"),
        _scalar(limit, "limit"),
        _scalar(delta, "delta"),
    )
    (start, *kinds), (limit, kind), (delta, step_kind) = scalars
    if dtype is None:
        dtype = max((*kinds, kind, step_kind), key=_RANGE_DTYPES.index)
    dtype = as_dtype(dtype)
    count: Any = _count(start, limit, delta, dtype)
    if isinstance(count, int) and count > np.iinfo(np.int64).max:
        raise errors.InvalidArgumentError(
            f"tf.range: `limit` must be at most 2 ** 63 - 1 steps away; got start={start}, "
            f"limit={limit}, delta={delta}.\n  Fix: take larger steps."
        )
    result = _range(start=start, delta=delta, count=count, dtype=dtype)
    if (
        isinstance(start, int)
        and isinstance(count, int)
        and count <= 64
        and result.dtype.is_integer
    ):
        ends: Any = (start, start + count * delta, delta)
        result._host = np.arange(*ends, dtype=result.dtype.np)
    return result


@op
def _linspace(start, stop, *, num, axis):
    if jnp.issubdtype(start.dtype, jnp.integer):
        start, stop = start.astype(np.float64), stop.astype(np.float64)
    start, stop = jnp.broadcast_arrays(start, stop)
    axis = axis + start.ndim + 1 if axis < 0 else axis
    first, last = jnp.expand_dims(start, axis), jnp.expand_dims(stop, axis)
    along = [-1 if i == axis else 1 for i in builtins.range(first.ndim)]
    if not isinstance(num, int):  # unknown while a program is recorded: it may be 0 or 1
        gaps = jnp.maximum(jnp.asarray(num, start.dtype) - 1, 1)
        steps = jnp.reshape(jnp.arange(num, dtype=start.dtype), along)
        return jnp.where(steps == gaps, last, first + (last - first) / gaps * steps)
    if num <= 1:
        return lax.slice_in_dim(first, 0, num, axis=axis)
    steps = jnp.reshape(jnp.arange(1, num - 1, dtype=start.dtype), along)
    middle = first + (last - first) / (num - 1) * steps
    return jnp.concatenate([first, middle, last], axis)


def linspace(start, stop, num, name=None, axis: Any = 0):
    """Return `num` evenly spaced values, both ends included.

    Args:
        start: The first value, of any shape.
        stop: The last value, of a shape that broadcasts with `start`.
        num: How many values; 1 gives `start`.
        name: Accepted, unused.
        axis: Where the new axis stands in the result.

    Returns:
        A Tensor with one axis more than `start`, of its dtype (float64 for integers).

    Raises:
        InvalidArgumentError: `num` is negative.

    Example:
        >>> tf.linspace(0.0, 1.0, 3).numpy()
        array([0. , 0.5, 1. ], dtype=float32)
    """
    num = static_int(num, "tf.linspace(num)")
    if isinstance(num, int) and num < 0:
        raise errors.InvalidArgumentError(
            f"tf.linspace: `num` must not be negative; got {num}.\n  Fix: ask for 0 or more values."
        )
    return _linspace(start, stop, num=num, axis=static_int(axis, "tf.linspace(axis)"))


def meshgrid(*args, indexing="xy", name=None):
    """Broadcast vectors to the grid that they span.

    Args:
        *args: N vectors of one dtype, with sizes n1 … nN.
        indexing: "xy" gives shape `(n2, n1, n3, …)`, "ij" gives `(n1, n2, n3, …)`.
        name: Accepted, unused.

    Returns:
        A list of N Tensors of the grid's shape.

    Raises:
        ValueError: `indexing` is neither "xy" nor "ij".

    Example:
        >>> x, y = tf.meshgrid([1, 2, 3], [4, 5])
        >>> x.numpy()
        array([[1, 2, 3],
               [1, 2, 3]], dtype=int32)
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(
            f'tf.meshgrid: `indexing` must be "xy" or "ij"; got {indexing!r}.\n'
            '  Fix: "xy" for images (the default), "ij" for matrices.'
        )
    return _meshgrid(*args, indexing=indexing) if args else []


@op
def _meshgrid(*args, indexing):
    return list(jnp.meshgrid(*[jnp.ravel(each) for each in args], indexing=indexing))


@op(mixed=True, differentiable=False)
def _one_hot(indices, on_value, off_value, *, depth, axis, dtype):
    axis = indices.ndim if axis in (None, -1) else axis
    line = [-1 if i == axis else 1 for i in builtins.range(indices.ndim + 1)]
    classes = jnp.reshape(jnp.arange(depth, dtype=indices.dtype), line)
    hot = jnp.expand_dims(indices, axis) == classes
    if on_value is None and off_value is None:
        return hot.astype(dtype.np)
    on_value = jnp.ones((), dtype.np) if on_value is None else on_value.astype(dtype.np)
    off_value = jnp.zeros((), dtype.np) if off_value is None else off_value.astype(dtype.np)
    return jnp.where(hot, on_value, off_value)


def one_hot(indices, depth, on_value=None, off_value=None, axis=None, dtype=None, name=None):
    """Return vectors that are `on_value` at one index and `off_value` elsewhere.

    Args:
        indices: An integer Tensor; an index outside `[0, depth)` gives only `off_value`. A NumPy
            array of floats or bools counts as int64, as in TensorFlow.
        depth: The number of classes.
        on_value: A scalar; None is 1.
        off_value: A scalar; None is 0.
        axis: Where the new axis stands in the result; None or -1 is last.
        dtype: The dtype; None takes that of `on_value` or `off_value`, else float32.
        name: Accepted, unused.

    Returns:
        A Tensor with the shape of `indices` and one axis of size `depth` more.

    Raises:
        TypeError: `on_value` and `off_value` have different dtypes.

    Example:
        >>> tf.one_hot([0, 2], 3).numpy()
        array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    values: Any = [
        None if v is None else convert_to_tensor(v, dtype) for v in (on_value, off_value)
    ]
    kinds = {v.dtype for v in values if v is not None}
    if len(kinds) > 1:
        raise TypeError(
            f"tf.one_hot: `on_value` and `off_value` must have one dtype; got {values[0].dtype} "
            f"and {values[1].dtype}.\n  Fix: pass `dtype=`."
        )
    dtype = dtype or (kinds.pop() if kinds else dtypes.float32)
    depth = static_int(depth, "tf.one_hot(depth)")
    if isinstance(indices, np.ndarray | np.generic) and indices.dtype.kind in "fb":
        with np.errstate(invalid="ignore"):  # NaN is no class
            indices = indices.astype(np.int64)
    indices = convert_to_tensor(indices)
    if not indices.dtype.is_integer or (isinstance(depth, int) and depth < 0):
        raise errors.InvalidArgumentError(
            "tf.one_hot: `indices` must be integers and `depth` at least 0; got "
            f"{indices.dtype.name} and {depth}.\n  Fix: tf.cast the indices."
        )
    if dtype == dtypes.string:
        hot = _one_hot(indices, None, None, depth=depth, axis=axis, dtype=dtypes.bool_)
        return where(hot, *(convert_to_tensor("") if v is None else v for v in values))
    return _one_hot(indices, *values, depth=depth, axis=axis, dtype=dtype)


@op(differentiable=False)
def _sequence_mask(lengths, *, maxlen, dtype):
    steps = jnp.arange(maxlen, dtype=lengths.dtype)
    return (steps < jnp.expand_dims(lengths, -1)).astype(dtype.np)


def sequence_mask(lengths, maxlen=None, dtype: Any = dtypes.bool_, name=None):
    """Return masks that are True for the first `lengths` steps.

    Args:
        lengths: An integer Tensor of any shape.
        maxlen: The number of steps T; None takes the largest length, which needs its value.
        dtype: The dtype of the mask.
        name: Accepted, unused.

    Returns:
        A Tensor of shape `lengths.shape + (T,)`.

    Raises:
        ValueError: `maxlen` is not a scalar.
        TracedValueError: `maxlen` is None inside a trace, where no value exists.

    Example:
        >>> tf.sequence_mask([1, 3]).numpy()
        array([[ True, False, False],
               [ True,  True,  True]])
    """
    lengths = convert_to_tensor(lengths)
    if isinstance(maxlen, list | tuple) or np.ndim(maxlen):
        raise ValueError(
            f"tf.sequence_mask: `maxlen` must be a scalar; got {maxlen!r}.\n"
            "  Fix: pass the largest length wanted."
        )
    if maxlen is None:
        values = known_value(lengths, "tf.sequence_mask: `lengths`", "pass `maxlen`")
        maxlen = max(values.max(initial=0), 0)
    maxlen = static_int(maxlen, "tf.sequence_mask(maxlen)")
    return _sequence_mask(lengths, maxlen=maxlen, dtype=dtype)


@op(differentiable=False)
def searchsorted(sorted_sequence, values, side="left", out_type=dtypes.int32):
    """Return where values would be inserted to keep rows sorted.

    Args:
        sorted_sequence: A Tensor `(…, N)`, sorted along its last axis.
        values: A Tensor `(…, M)` of the same dtype and leading sizes.
        side: "left" for the first suitable place, "right" for the last.
        out_type: int32 or int64.

    Returns:
        An integer Tensor `(…, M)` of places in `[0, N]`.

    Raises:
        ValueError: `side` is neither "left" nor "right".
        InvalidArgumentError: the two have different numbers of rows.

    Example:
        >>> tf.searchsorted([1, 3, 5], [3, 6]).numpy()
        array([1, 3], dtype=int32)
    """
    if side not in ("left", "right"):
        raise ValueError(
            f'`side` must be "left" or "right"; got {side!r}.\n  Fix: use one of these two.'
        )
    parts = _of_rows(sorted_sequence, values)
    rows, wanted = (jnp.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1])) for x in parts)
    found = jax.vmap(lambda row, each: jnp.searchsorted(row, each, side=side))(rows, wanted)
    return jnp.reshape(found, values.shape).astype(as_dtype(out_type).np)


def _of_rows(sorted_sequence, values):
    """Return both, which must have rows, and equally many: TF counts them, whatever their shape."""
    if not (sorted_sequence.ndim and values.ndim):
        raise errors.InvalidArgumentError(
            "`sorted_sequence` and `values` must have rank 1 or more; got shapes "
            f"{sorted_sequence.shape} and {values.shape}.\n  Fix: add an axis."
        )
    if math.prod(sorted_sequence.shape[:-1]) != math.prod(values.shape[:-1]):
        raise errors.InvalidArgumentError(
            "`sorted_sequence` and `values` must have equal sizes before the last axis; got "
            f"{sorted_sequence.shape} and {values.shape}.\n  Fix: tf.broadcast_to one of them."
        )
    return sorted_sequence, values
