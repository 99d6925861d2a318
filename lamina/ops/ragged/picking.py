"""Elements and rows of ragged Tensors picked by index or by mask."""

import numpy as np

from lamina.engine import convert_to_tensor, errors
from lamina.ops import indexing, selection
from lamina.ops.ragged.partition import on_host
from lamina.ops.ragged.rows import (
    as_ragged,
    count_rows,
    lengths_of,
    splits_of,
    take_rows,
    with_lengths,
)
from lamina.ops.ragged.tensor import flat_of, is_ragged, values_of
from lamina.ops.shaping import expand_dims, reshape

__all__ = ["boolean_mask", "gather", "gather_nd"]


def _checked(places, count, who):
    bad = (places < 0) | (places >= count)
    if bad.any():
        where = int(np.nonzero(bad.reshape(-1))[0][0])
        raise errors.InvalidArgumentError(
            f"{who}: indices[{where}] = {int(places.reshape(-1)[where])} is not in [0, {count})."
        )
    return places


def _operand(value):
    return value if is_ragged(value) else convert_to_tensor(value)


def gather(params, indices, validate_indices=None, axis=None, batch_dims=0, name=None):
    """Pick slices of ragged Tensors, or by ragged indices; `tf.gather` for them."""
    params, indices = _operand(params), _operand(indices)
    batch_dims = int(batch_dims)
    batch_dims += len(indices.shape) if batch_dims < 0 else 0
    axis = batch_dims if axis is None else int(axis)
    axis += len(params.shape) if axis < 0 else 0
    if batch_dims > len(indices.shape):
        raise ValueError(
            f"tf.gather: `batch_dims` must not exceed the rank of `indices`, "
            f"{len(indices.shape)}; got {batch_dims}."
        )
    if not 0 <= batch_dims <= axis < len(params.shape):
        raise ValueError(
            f"tf.gather: `axis` must lie in [batch_dims, {len(params.shape)}); got axis {axis}, "
            f"batch_dims {batch_dims}."
        )
    return _gather(params, indices, axis, batch_dims)


def _gather(params, indices, axis, batch_dims):
    if batch_dims == 0 and axis == 0:
        return _gather_rows(params, indices)
    if batch_dims == 0:  # the same for each item before the axis
        indices = take_rows(expand_dims(indices, 0), np.zeros(count_rows(params), np.int64))
        return _gather(params, indices, axis, 1)
    if axis == 1:
        return _gather_within(params, indices)
    params = as_ragged(params, 1)
    if batch_dims > 1:
        indices = as_ragged(indices, 1)
        _check_rows(params, indices)
        return indices.with_values(_gather(params.values, indices.values, axis - 1, batch_dims - 1))
    _check_rows(params, indices)
    each = take_rows(indices, np.repeat(np.arange(count_rows(params)), lengths_of(params)))
    return params.with_values(_gather(params.values, each, axis - 1, 1))


def _check_rows(params, indices):
    if count_rows(params) != count_rows(indices):
        raise ValueError(
            f"tf.gather: `params` and `indices` must have as many rows each; got "
            f"{count_rows(params)} and {count_rows(indices)}."
        )


def _gather_within(params, indices):
    """Return the items of each row that the row of `indices` names."""
    if len(indices.shape) == 1:  # one index a row
        return _gather_within(params, expand_dims(indices, 1)).values
    params, indices = as_ragged(params, 1), as_ragged(indices, 1)
    _check_rows(params, indices)
    return indices.with_values(
        _take_shaped(params.values, _within_rows(params, indices), indices.values)
    )


def _within_rows(params, indices):
    """Return the places in `params.values` that the items of each row of `indices` name."""
    inner = indices.values
    flat = on_host(flat_of(inner)).astype(np.int64)
    rows = indices._partition._host_rowids()
    value = inner
    while is_ragged(value):
        rows = np.repeat(rows, lengths_of(value))
        value = value.values
    rows = np.repeat(rows, int(np.prod([int(n) for n in value.shape[1:]], dtype=np.int64)))
    limits = lengths_of(params)[rows]
    each = flat.reshape(-1)
    bad = (each < 0) | (each >= limits)
    if bad.any():
        at = int(np.nonzero(bad)[0][0])
        raise errors.InvalidArgumentError(
            f"tf.gather: indices[{at}] = {int(each[at])} is not in [0, {int(limits[at])})."
        )
    return (each + splits_of(params)[:-1][rows]).reshape(flat.shape)


def _take_shaped(params, places, like):
    """Return rows of `params` at places in the flat values of `like`, in the shape of `like`."""
    made = take_rows(params, places.reshape(-1))
    sizes = places.shape[1:]
    if is_ragged(made):
        for size in reversed(sizes):
            rows = count_rows(made) // size if size else 0
            made = with_lengths(made, np.full(rows, size), made._partition.dtype, size)
    elif sizes:
        made = reshape(made, [*places.shape, *made.shape[1:]])
    return _rewrapped(like, made)


def _rewrapped(like, made):
    return like.with_values(_rewrapped(like.values, made)) if is_ragged(like) else made


def _gather_rows(params, indices):
    if not is_ragged(params):
        return indices.with_flat_values(indexing.gather(params, indices.flat_values))
    places = on_host(flat_of(indices)).astype(np.int64)
    _checked(places, count_rows(params), "tf.gather")
    if not places.ndim:
        return params[int(places)]
    return _take_shaped(params, places, indices)


def gather_nd(params, indices, batch_dims=0, name=None, bad_indices_policy=""):
    """Pick elements and slices of ragged Tensors by full indices; `tf.gather_nd` for them."""
    if bad_indices_policy not in ("", "DEFAULT", None):
        raise ValueError(
            f"tf.gather_nd: ragged Tensors take no `bad_indices_policy`; got "
            f"{bad_indices_policy!r}.\n  Fix: leave it out."
        )
    if batch_dims:
        raise ValueError("tf.gather_nd: ragged Tensors take `batch_dims` 0 only.")
    params, indices = _operand(params), _operand(indices)
    if is_ragged(indices):
        if is_ragged(indices.values) or len(indices.values.shape) > 1:
            return indices.with_values(gather_nd(params, indices.values))
        raise ValueError("tf.gather_nd: the last axis of `indices` may not be ragged.")
    if not is_ragged(params):
        return indexing.gather_nd(params, indices)
    where = on_host(indices).astype(np.int64)
    depth = where.shape[-1]
    flat = where.reshape(-1, depth)
    places, value, used = _checked(flat[:, 0], count_rows(params), "tf.gather_nd"), params, 1
    while used < depth and is_ragged(value):
        column, lengths = flat[:, used], lengths_of(value)[places]
        bad = (column < 0) | (column >= lengths)
        if bad.any():
            at = int(np.nonzero(bad)[0][0])
            raise errors.InvalidArgumentError(
                f"tf.gather_nd: indices[{at}] = {flat[at].tolist()} is out of range for shape "
                f"{params.shape}."
            )
        places, value, used = splits_of(value)[:-1][places] + column, value.values, used + 1
    if used < depth:
        made = indexing.gather_nd(value, np.concatenate([places[:, None], flat[:, used:]], 1))
    else:
        made = take_rows(value, places)
    return _outer_shape(made, where.shape[:-1])


def _outer_shape(made, sizes):
    if not sizes:
        return made[0]
    for size in reversed(sizes[1:]):
        rows = count_rows(made) // size if size else 0
        made = with_lengths(made, np.full(rows, size), uniform=size)
    return made


def boolean_mask(data, mask, name=None):
    """Keep the items for which a mask holds, as ragged rows; the mask may have several axes.

    Args:
        data: A ragged or dense Tensor.
        mask: A ragged or dense bool Tensor; its shape is the start of that of `data`.
        name: Accepted, unused.

    Returns:
        A RaggedTensor with the axes of `data`; a Tensor for a mask of one axis on a dense one.

    Raises:
        ValueError: the mask is a scalar.
        InvalidArgumentError: the shapes differ, or the mask is not bool.

    Example:
        >>> tf.ragged.boolean_mask([[1, 2, 3], [4, 5, 6]], [[True, False, True], [False] * 3])
        <tf.RaggedTensor [[1, 3], []]>
    """
    who = "tf.ragged.boolean_mask"
    data, mask = values_of(data, who), _operand(mask)
    if len(mask.shape) == 0:
        raise ValueError(f"{who}: `mask` may not be a scalar.")
    if mask.dtype.name != "bool":
        raise errors.InvalidArgumentError(f"{who}: `mask` must be bool; got {mask.dtype.name}.")
    depth = len(mask.shape) - 1
    return _mask(as_ragged(data, depth), as_ragged(mask, depth), who)


def _mask(data, mask, who):
    if not is_ragged(mask):
        if is_ragged(data):
            keep = on_host(mask)
            _fits(count_rows(data) == len(keep), who)
            return take_rows(data, np.nonzero(keep)[0])
        return selection.boolean_mask(data, mask)
    _fits(np.array_equal(splits_of(data), splits_of(mask)), who)
    kept = _mask(data.values, mask.values, who)
    if is_ragged(mask.values):
        return data.with_values(kept)
    keep = on_host(mask.values).astype(np.int64)
    before = np.concatenate([[0], np.cumsum(keep)])
    lengths = np.diff(before[splits_of(mask)])
    return with_lengths(kept, lengths, data._partition.dtype)


def _fits(holds, who):
    if not holds:
        raise errors.InvalidArgumentError(
            f"{who}: the rows of `mask` must be as long as those of `data`; they differ."
        )
