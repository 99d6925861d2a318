"""Choosing elements by condition, mask, value or group.

The shape of most of these results depends on data: they ask for the value of a Tensor, and raise
inside a trace, where there is none.
"""

import collections
from typing import Any

import jax.numpy as jnp
import numpy as np

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
from lamina.ops.indexing import gather
from lamina.ops.shaping import concat, reshape

__all__ = [
    "boolean_mask",
    "dynamic_partition",
    "dynamic_stitch",
    "unique",
    "unique_with_counts",
    "where",
]

Unique = collections.namedtuple("Unique", ["y", "idx"])
UniqueWithCounts = collections.namedtuple("UniqueWithCounts", ["y", "idx", "count"])


@op(mixed=True)
def _select(condition, x, y):
    try:
        shape = jnp.broadcast_shapes(condition.shape, x.shape, y.shape)
    except ValueError:
        raise errors.InvalidArgumentError(
            f"`condition`, `x` and `y` must broadcast to one shape; got {condition.shape}, "
            f"{x.shape} and {y.shape}.\n  Fix: reshape one, or add axes of size 1."
        ) from None
    return jnp.where(jnp.broadcast_to(condition, shape), x, y)


def where(condition, x=None, y=None, name=None):
    """Choose elements by a condition, or return where it holds.

    Args:
        condition: A bool Tensor; with `x` and `y` None, of any dtype, and holds where not 0.
        x: What to take where the condition holds.
        y: What to take elsewhere; of the dtype of `x`.
        name: Accepted, unused.

    Returns:
        A Tensor of the shape to which the three broadcast. With one argument, the int64
        coordinates `(n, rank)` of the n elements where it holds, in row-major order.

    Raises:
        ValueError: only one of `x` and `y` is given.
        InvalidArgumentError: dtypes differ, or shapes do not broadcast.
        TracedValueError: with one argument, inside a trace: n depends on data.

    Example:
        >>> tf.where([True, False], 1.0, [2.0, 3.0]).numpy()
        array([1., 3.], dtype=float32)
        >>> tf.where([True, False, True]).numpy()
        array([[0],
               [2]])
    """
    if (x is None) != (y is None):
        raise ValueError(
            f"tf.where: `x` and `y` must be given both or neither; got x={x!r}, y={y!r}.\n"
            "  Fix: pass the other one too."
        )
    if x is None:
        held = known_value(
            convert_to_tensor(condition),
            "tf.where with one argument: `condition`",
            "use tf.where(condition, x, y), or multiply by a mask",
        )
        return convert_to_tensor(np.argwhere(held).astype(np.int64))
    if not isinstance(x, Tensor | Variable):
        x = convert_to_tensor(x, y.dtype if isinstance(y, Tensor | Variable) else None)
    y = y if isinstance(y, Tensor | Variable) else convert_to_tensor(y, x.dtype)
    condition = convert_to_tensor(condition)
    if x.dtype is not y.dtype or not condition.dtype.is_bool:
        raise errors.InvalidArgumentError(
            f"tf.where: `condition` must be bool, and `x` and `y` of one dtype; got "
            f"{condition.dtype.name}, {x.dtype.name} and {y.dtype.name}.\n"
            "  Fix: tf.cast, or a comparison such as `condition != 0`."
        )
    return _select(condition, x, y)


def boolean_mask(tensor, mask, axis=None, name=None):
    """Return the elements of `tensor` where `mask` is True.

    Args:
        tensor: A Tensor of rank r.
        mask: A bool Tensor of rank k ≥ 1 with the sizes of the axes from `axis` on.
        axis: The first axis that `mask` covers; None is 0.
        name: Accepted, unused.

    Returns:
        A Tensor of rank r - k + 1: the masked axes become one, as long as `mask` has True.

    Raises:
        ValueError: `mask` is a scalar, or its shape does not fit.
        TracedValueError: inside a trace, as the size of the result depends on data.

    Example:
        >>> tf.boolean_mask([1, 2, 3], [True, False, True]).numpy()
        array([1, 3], dtype=int32)
    """
    tensor = convert_to_tensor(tensor)
    mask = convert_to_tensor(mask, dtypes.bool_)
    start = 0 if axis is None else static_int(axis, "tf.boolean_mask(axis)")
    covered = tensor.shape[start : start + mask.ndim]
    if mask.ndim == 0 or not covered.is_compatible_with(mask.shape):
        raise ValueError(
            f"tf.boolean_mask: `mask` must have the shape of the axes it covers, {covered}; got "
            f"shape {mask.shape} for a tensor of shape {tensor.shape}.\n"
            "  Fix: reshape the mask, or pass `axis`."
        )
    held = known_value(
        mask, "tf.boolean_mask: `mask`", "use tf.where(mask, x, 0), or multiply by the mask"
    )
    if mask.ndim > 1:
        sizes = tensor.shape.as_list()
        tensor = reshape(tensor, [*sizes[:start], -1, *sizes[start + mask.ndim :]])
    return gather(tensor, np.flatnonzero(held), axis=start)


def _distinct(x, out_idx, who):
    """Return distinct values in order of appearance, the place of each element, and counts."""
    values = known_value(convert_to_tensor(x), f"{who}: `x`", "move it out of the tf.function")
    if values.ndim != 1:
        raise errors.InvalidArgumentError(
            f"{who}: `x` must be a vector; got shape {values.shape}.\n  Fix: tf.reshape(x, [-1])."
        )
    found, first, places, counts = np.unique(
        values, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(first, kind="stable")
    ranks = np.empty_like(order)
    ranks[order] = np.arange(order.size)
    kind = as_dtype(out_idx).np
    return found[order], ranks[places].astype(kind), counts[order].astype(kind)


def unique(x, out_idx: Any = dtypes.int32, name=None):
    """Return the distinct values of a vector, in order of appearance.

    Args:
        x: A vector of N elements.
        out_idx: int32 or int64: the dtype of the places.
        name: Accepted, unused.

    Returns:
        A namedtuple: `y` the distinct values; `idx` `(N,)`, so that `x = y[idx]`.

    Raises:
        InvalidArgumentError: `x` is not a vector.
        TracedValueError: inside a trace, as the size of `y` depends on data.

    Example:
        >>> tf.unique([3, 1, 3]).y.numpy()
        array([3, 1], dtype=int32)
    """
    y, places, _ = _distinct(x, out_idx, "tf.unique")
    return Unique(convert_to_tensor(y), convert_to_tensor(places))


def unique_with_counts(x, out_idx: Any = dtypes.int32, name=None):
    """Return the distinct values of a vector, and how often each appears.

    Args:
        x: A vector of N elements.
        out_idx: int32 or int64: the dtype of places and counts.
        name: Accepted, unused.

    Returns:
        A namedtuple: `y` the distinct values; `idx` `(N,)`, so that `x = y[idx]`; `count`, of
        the size of `y`.

    Raises:
        InvalidArgumentError: `x` is not a vector.
        TracedValueError: inside a trace, as the size of `y` depends on data.

    Example:
        >>> tf.unique_with_counts([3, 1, 3]).count.numpy()
        array([2, 1], dtype=int32)
    """
    y, places, counts = _distinct(x, out_idx, "tf.unique_with_counts")
    return UniqueWithCounts(*map(convert_to_tensor, (y, places, counts)))


def dynamic_partition(data, partitions, num_partitions, name=None):
    """Split rows into groups.

    Args:
        data: A Tensor whose shape starts with that of `partitions`.
        partitions: Integers in `[0, num_partitions)`: the group of each row.
        num_partitions: The number of groups.
        name: Accepted, unused.

    Returns:
        A list of Tensors; group i holds its rows in their order.

    Raises:
        InvalidArgumentError: a group is out of range, or the shapes do not fit.
        TracedValueError: inside a trace, as the sizes of the groups depend on data.

    Example:
        >>> [g.numpy().tolist() for g in tf.dynamic_partition([10, 20, 30], [0, 1, 0], 2)]
        [[10, 30], [20]]
    """
    data, groups = convert_to_tensor(data), convert_to_tensor(partitions)
    known = known_value(groups, "tf.dynamic_partition: `partitions`", "use tf.where with masks")
    if known.size and not (known.min() >= 0 and known.max() < num_partitions):
        raise errors.InvalidArgumentError(
            f"tf.dynamic_partition: `partitions` must lie in [0, {num_partitions}); got values "
            f"from {known.min()} to {known.max()}.\n  Fix: raise `num_partitions`."
        )
    if not data.shape[: known.ndim].is_compatible_with(known.shape):
        raise errors.InvalidArgumentError(
            f"tf.dynamic_partition: the shape of `data` must start with that of `partitions`; "
            f"got {data.shape} and {known.shape}.\n  Fix: give one group per row."
        )
    rows = data
    if known.ndim != 1:
        rows = reshape(data, [known.size, *data.shape.as_list()[known.ndim :]])
    flat = known.ravel()
    return [gather(rows, np.flatnonzero(flat == i)) for i in range(num_partitions)]


def dynamic_stitch(indices, data, name=None):
    """Merge rows into one Tensor: row `indices[i][j]` of the result is `data[i][j]`.

    Args:
        indices: A list of integer Tensors.
        data: A list of Tensors; the shape of each starts with that of its indices.
        name: Accepted, unused.

    Returns:
        A Tensor of `max(indices) + 1` rows; the last of several data for one row wins, and rows
        that are not given are 0.

    Raises:
        TracedValueError: inside a trace, as the size of the result depends on data.

    Example:
        >>> tf.dynamic_stitch([[0, 2], [1]], [[10, 30], [20]]).numpy()
        array([10, 20, 30], dtype=int32)
    """
    fix = "use tf.scatter_nd, whose shape is given"
    known = [
        known_value(convert_to_tensor(each), "tf.dynamic_stitch: `indices`", fix)
        for each in indices
    ]
    parts = []
    for places, each in zip(known, data, strict=True):
        part = convert_to_tensor(each)
        parts.append(reshape(part, [places.size, *part.shape.as_list()[places.ndim :]]))
    flat = np.concatenate([each.ravel() for each in known])
    rows = int(flat.max(initial=-1)) + 1
    sources = np.full(rows, flat.size)
    sources[flat] = np.arange(flat.size)
    joined = concat(parts, 0)
    if rows and sources.max() == flat.size:
        rest = joined.shape.as_list()[1:]
        joined = concat([joined, np.zeros([1, *rest], joined.dtype.np)], 0)
    return gather(joined, sources)
