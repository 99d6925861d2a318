"""tf.ragged: ragged Tensors of Python lists, of ranges and of partitions."""

import numpy as np

from lamina.engine import (
    Tensor,
    as_dtype,
    convert_to_tensor,
    dtypes,
    errors,
    from_host,
    static_int,
    static_ints,
)
from lamina.ops.array import constant as tensor_of
from lamina.ops.casting import cast
from lamina.ops.ragged.partition import RowPartition, integers, on_host
from lamina.ops.ragged.rows import as_ragged, lengths_of, splits_of, take_rows, with_lengths
from lamina.ops.ragged.tensor import is_ragged, values_of
from lamina.ops.shaping import expand_dims, reshape

__all__ = [
    "constant",
    "map_flat_values",
    "range",
    "row_splits_to_segment_ids",
    "segment_ids_to_row_splits",
    "stack_dynamic_partitions",
]


def constant(
    pylist,
    dtype=None,
    ragged_rank=None,
    inner_shape=None,
    name=None,
    row_splits_dtype=dtypes.int64,
):
    """Return nested Python lists as a ragged Tensor.

    Args:
        pylist: Nested lists or NumPy arrays; all elements lie equally deep.
        dtype: The element type; None infers it.
        ragged_rank: How many axes are ragged; None is the depth less one, and less the axes of
            `inner_shape`.
        inner_shape: The shape of the dense innermost items.
        name: Accepted, unused.
        row_splits_dtype: int32 or int64.

    Returns:
        A RaggedTensor; a Tensor for one list, or one number.

    Raises:
        ValueError: the nesting is uneven, or `ragged_rank` and `inner_shape` do not fit it.

    Example:
        >>> tf.ragged.constant([[1, 2], [], [3]])
        <tf.RaggedTensor [[1, 2], [], [3]]>
    """
    if isinstance(pylist, Tensor) or is_ragged(pylist):
        raise TypeError(
            f"tf.ragged.constant: `pylist` must be nested lists; got a {type(pylist).__name__}."
        )
    splits_dtype = as_dtype(row_splits_dtype)
    scalar_depth, full_depth = _depths(pylist)
    if not full_depth:
        if ragged_rank or inner_shape:
            raise ValueError(
                f"tf.ragged.constant: a scalar has no ragged axes; got pylist={pylist!r}, "
                f"ragged_rank={ragged_rank}, inner_shape={inner_shape}."
            )
        return convert_to_tensor(pylist, dtype)
    if _is_dense(ragged_rank, inner_shape, full_depth if scalar_depth is None else scalar_depth):
        return tensor_of(pylist, dtype, None if inner_shape is None else tuple(inner_shape))
    ragged_rank, inner = _axes(pylist, ragged_rank, inner_shape, scalar_depth, full_depth)
    parts, items = [], pylist
    for _ in np.arange(ragged_rank):
        parts.append(np.asarray([len(i) for i in items], np.int64))
        items = [v for i in items for v in i]
    made = _flat(items, inner, dtype)
    for lengths in reversed(parts):
        made = with_lengths(made, lengths, splits_dtype)
    return made


def _is_dense(ragged_rank, inner_shape, depth):
    """Return whether no axis is ragged: `inner_shape` is the whole shape then."""
    if inner_shape is None:
        return ragged_rank == 0 or (ragged_rank is None and depth == 1)
    return not (depth - 1 - len(inner_shape) > 0 if ragged_rank is None else ragged_rank)


def _axes(pylist, ragged_rank, inner_shape, scalar_depth, full_depth):
    """Return how many axes are ragged, and the shape of the items below them."""
    if ragged_rank is not None and ragged_rank < 0:
        raise ValueError(f"tf.ragged.constant: `ragged_rank` may not be negative: {ragged_rank}.")
    deepest = full_depth if scalar_depth is None else scalar_depth
    inner = None if inner_shape is None else tuple(static_ints(inner_shape, "inner_shape"))
    if ragged_rank is None:
        ragged_rank = max(deepest - 1 - (len(inner) if inner is not None else 0), 0)
        if inner is None:
            inner = ()
    elif scalar_depth is not None and ragged_rank >= scalar_depth:
        raise ValueError(
            f"tf.ragged.constant: `pylist` has scalar values depth {scalar_depth}, but "
            f"ragged_rank={ragged_rank} requires scalar value depth greater than {ragged_rank}."
        )
    elif scalar_depth is None and ragged_rank < full_depth - 1 and inner is None:
        inner = ()
    if inner is None:
        inner = _inner_shape(pylist, ragged_rank) if scalar_depth is not None else ()
    if scalar_depth is not None and scalar_depth != ragged_rank + 1 + len(inner):
        raise ValueError(
            f"tf.ragged.constant: `pylist` has scalar values depth {scalar_depth}; ragged_rank="
            f"{ragged_rank} and inner_shape={inner} need depth {ragged_rank + 1 + len(inner)}."
        )
    return ragged_rank, inner


def _depths(value):
    """Return how deep the elements of nested lists lie (None: there are none), and the lists."""
    if isinstance(value, np.ndarray):
        if value.dtype != object and value.size:
            return value.ndim, value.ndim
        if value.dtype != object:  # what lies below an axis of size 0 is not there
            return None, value.shape.index(0) + 1
        value = list(value) if value.ndim else value.item()
    if not isinstance(value, list | tuple):
        return 0, 0
    scalar, deepest = None, 1
    for item in value:
        inner, depth = _depths(item)
        deepest = max(deepest, depth + 1)
        if inner is None:
            continue
        if scalar is not None and scalar != inner + 1:
            raise ValueError(
                "tf.ragged.constant: all scalar values must have the same nesting depth."
            )
        scalar = inner + 1
    if scalar is not None and deepest > scalar:
        raise ValueError(
            f"tf.ragged.constant: Invalid pylist={value!r}: empty list nesting is greater than "
            f"scalar value nesting."
        )
    return scalar, deepest


def _inner_shape(value, ragged_rank):
    """Return the shape of the items below the ragged axes."""
    for _ in np.arange(ragged_rank):
        value = [v for each in value for v in each]
    return tuple(np.shape(value[0])) if len(value) else ()


def _flat(items, inner, dtype):
    kind = None if dtype is None else as_dtype(dtype)
    if not len(items):
        kind = kind or dtypes.float32
        empty = np.zeros((0, *inner), object if kind is dtypes.string else kind.np)
        return from_host(empty) if kind is dtypes.string else convert_to_tensor(empty, kind)
    made = convert_to_tensor(
        [
            i.tolist() if isinstance(i, np.ndarray) and dtype is None and i.dtype == object else i
            for i in items
        ]
        if not isinstance(items[0], np.ndarray)
        else np.stack(items),
        kind,
    )
    if inner and tuple(made.shape[1:]) != tuple(inner):
        raise ValueError(
            f"tf.ragged.constant: the innermost items must have the shape {inner} of "
            f"`inner_shape`; got {tuple(made.shape[1:])}."
        )
    return made


def range(starts, limits=None, deltas=1, dtype=None, name=None, row_splits_dtype=dtypes.int64):
    """Return rows that count from `starts` to `limits` in steps of `deltas`.

    Args:
        starts: Where rows start, a vector or scalar; the limits if `limits` is None.
        limits: Where rows end, exclusive.
        deltas: The steps, not 0.
        dtype: The element type; None infers it.
        name: Accepted, unused.
        row_splits_dtype: int32 or int64.

    Returns:
        A RaggedTensor of as many rows as the longest argument has items.

    Raises:
        InvalidArgumentError: a delta is 0, or the arguments differ in length.

    Example:
        >>> tf.ragged.range([0, 5], [3, 7])
        <tf.RaggedTensor [[0, 1, 2], [5, 6]]>
    """
    if limits is None:
        starts, limits = 0, starts
    given = [
        convert_to_tensor(v) if not isinstance(v, int | float) else v
        for v in (starts, limits, deltas)
    ]
    kind = None if dtype is None else as_dtype(dtype)
    if kind is None:
        known = [v.dtype for v in given if isinstance(v, Tensor)]
        order = [dtypes.int32, dtypes.int64, dtypes.float32, dtypes.float64]
        known += [dtypes.float32 for v in given if isinstance(v, float)] or []
        kind = max(known or [dtypes.int32], key=lambda k: order.index(k) if k in order else 0)
    host = [
        on_host(v).astype(kind.np) if isinstance(v, Tensor) else np.asarray(v, kind.np)
        for v in given
    ]
    if any(h.ndim > 1 for h in host):
        raise errors.InvalidArgumentError(
            f"tf.ragged.range: the arguments must be vectors or scalars; got shapes "
            f"{[h.shape for h in host]}."
        )
    sizes = {len(h) for h in host if h.ndim}
    if len(sizes) > 1:
        raise errors.InvalidArgumentError(
            f"tf.ragged.range: starts, limits, and deltas must have the same shape; got lengths "
            f"{sorted(sizes)}."
        )
    count = sizes.pop() if sizes else 1
    first, last, step = (np.broadcast_to(h, (count,)) for h in host)
    if np.any(step == 0):
        raise errors.InvalidArgumentError("tf.ragged.range: Requires delta != 0.")
    if kind.is_integer:  # steps may leave the range of int32 on the way
        first, last, step = (h.astype(np.int64) for h in (first, last, step))
    try:
        wide = [np.arange(a, b, d) for a, b, d in zip(first, last, step, strict=True)]
    except (ValueError, MemoryError) as error:
        raise errors.InvalidArgumentError(
            f"tf.ragged.range: (limits - starts) / deltas is too long for a row; got starts "
            f"{first}, limits {last}, deltas {step}."
        ) from error
    lengths = np.asarray([len(w) for w in wide], np.int64)
    flat = np.concatenate(wide).astype(kind.np) if wide else np.zeros(0, kind.np)
    return with_lengths(convert_to_tensor(flat, kind), lengths, row_splits_dtype)


def row_splits_to_segment_ids(splits, name=None, out_type=None):
    """Return the row of each value, for row splits.

    Args:
        splits: N + 1 ascending integers from 0.
        name: Accepted, unused.
        out_type: int32 or int64; None is the dtype of `splits`.

    Raises:
        ValueError: `splits` is not a vector of integers, or empty.

    Example:
        >>> tf.ragged.row_splits_to_segment_ids([0, 2, 2, 3]).numpy()
        array([0, 0, 2])
    """
    found = RowPartition.from_row_splits(splits).value_rowids()
    return found if out_type is None else cast(found, as_dtype(out_type))


def segment_ids_to_row_splits(segment_ids, num_segments=None, out_type=None, name=None):
    """Return the row splits for the row of each value.

    Args:
        segment_ids: Ascending integers.
        num_segments: The number of rows; None is the last id plus one.
        out_type: int32 or int64; None is int64, or the dtype of `segment_ids`.
        name: Accepted, unused.

    Raises:
        ValueError: `segment_ids` is not a vector of integers.

    Example:
        >>> tf.ragged.segment_ids_to_row_splits([0, 0, 2]).numpy()
        array([0, 2, 2, 3])
    """
    count = None if num_segments is None else static_int(num_segments, "num_segments")
    found = RowPartition.from_value_rowids(segment_ids, count).row_splits()
    return found if out_type is None else cast(found, as_dtype(out_type))


def stack_dynamic_partitions(data, partitions, num_partitions, name=None):
    """Put the items of each partition into a row.

    Args:
        data: A ragged or dense Tensor whose shape starts with that of `partitions`.
        partitions: The row of each item, integers in `[0, num_partitions)`.
        num_partitions: The number of rows.
        name: Accepted, unused.

    Returns:
        A RaggedTensor of `num_partitions` rows; items keep their order.

    Raises:
        ValueError: the shapes do not fit, or `num_partitions` is no scalar.
        InvalidArgumentError: a partition is out of range, or rows differ in length.

    Example:
        >>> tf.ragged.stack_dynamic_partitions(["a", "b", "c"], [1, 0, 1], 3)
        <tf.RaggedTensor [[b'b'], [b'a', b'c'], []]>
    """
    who = "tf.ragged.stack_dynamic_partitions"
    data = data if is_ragged(data) else convert_to_tensor(data)
    if np.ndim(num_partitions):
        raise ValueError(f"{who}: `num_partitions` must be a scalar; got {num_partitions!r}.")
    count = static_int(num_partitions, "num_partitions")
    if not is_ragged(partitions):
        partitions = integers(partitions, f"{who}: `partitions`")
    return _partitioned(data, partitions, count, who)


def _partitioned(data, partitions, count, who):
    if is_ragged(partitions):
        data = as_ragged(data, 1, partitions._partition.dtype)
        if not np.array_equal(splits_of(data), splits_of(partitions)):
            raise errors.InvalidArgumentError(
                f"{who}: data and partitions have incompatible ragged shapes; got row lengths "
                f"{lengths_of(data).tolist()[:20]} and {lengths_of(partitions).tolist()[:20]}."
            )
        return _partitioned(data.values, partitions.values, count, who)
    ids = on_host(partitions)
    if ids.size and (ids.min() < 0 or ids.max() >= count):
        raise errors.InvalidArgumentError(
            f"{who}: `partitions` must lie in [0, {count}); got {ids.tolist()}."
        )
    sizes = list(data.shape)[: ids.ndim]
    if any(a not in (b, None) for a, b in zip(sizes, ids.shape, strict=False)):
        raise ValueError(
            f"{who}: the shape of `data` must begin with that of `partitions`; got {data.shape} "
            f"and {ids.shape}."
        )
    if not ids.ndim:
        data, ids = expand_dims(data, 0), ids[None]
    for _ in np.arange(ids.ndim - 1):
        sizes = [int(n) for n in data.shape]
        data = data.merge_dims(0, 1) if is_ragged(data) else _joined(data, sizes)
    order = np.argsort(ids.reshape(-1), kind="stable")
    return with_lengths(
        take_rows(values_of(data, who), order), np.bincount(ids.reshape(-1), minlength=count)
    )


def _joined(tensor, sizes):
    return reshape(tensor, [sizes[0] * sizes[1], *sizes[2:]])


def map_flat_values(op, *args, **kwargs):
    """Call a function with the flat values of ragged arguments, and return its result ragged.

    Args:
        op: A function of Tensors whose result has as many rows as its arguments.
        *args: Arguments; RaggedTensors, also in lists, are replaced by their flat values.
        **kwargs: Likewise.

    Returns:
        A RaggedTensor with the rows of the ragged arguments, what `op` returns if there are none.

    Raises:
        ValueError: the ragged arguments have different rows, or the result has other rows.

    Example:
        >>> tf.ragged.map_flat_values(lambda x: x + 1, tf.ragged.constant([[1, 2], [3]]))
        <tf.RaggedTensor [[2, 3], [4]]>
    """
    found = []

    def flat(value):
        if is_ragged(value):
            found.append(value)
            return value.flat_values
        if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
            return type(value)(flat(v) for v in value)
        return value

    args = [flat(a) for a in args]
    kwargs = {k: flat(v) for k, v in kwargs.items()}
    if not found:
        return op(*args, **kwargs)
    first = found[0]
    for other in found[1:]:
        if other.ragged_rank != first.ragged_rank or not all(
            np.array_equal(on_host(a), on_host(b))
            for a, b in zip(first.nested_row_splits, other.nested_row_splits, strict=True)
        ):
            raise errors.InvalidArgumentError(
                "tf.ragged.map_flat_values: Inputs must have identical ragged splits; got "
                f"{first!r} and {other!r}."
            )
    made = op(*args, **kwargs)
    if (
        not hasattr(made, "shape")
        or len(made.shape) == 0
        or (made.shape[0] != first.flat_values.shape[0])
    ):
        raise ValueError(
            "tf.ragged.map_flat_values: the result of `op` must have as many rows as the flat "
            f"values, {first.flat_values.shape[0]}; got shape {getattr(made, 'shape', made)}."
        )
    return first.with_flat_values(made)
