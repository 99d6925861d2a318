"""SparseTensors made of other Tensors and made dense, put in order, and cut."""

from typing import Any

import numpy as np

from lamina.engine import (
    as_dtype,
    convert_to_tensor,
    dtypes,
    errors,
    ready,
    static_int,
    static_ints,
)
from lamina.ops import indexing, shaping
from lamina.ops.array import fill
from lamina.ops.ragged.partition import is_ready
from lamina.ops.rows import IndexedSlices
from lamina.ops.sparse.tensor import SparseTensor, host_of, is_sparse, sparse

__all__ = [
    "concat",
    "expand_dims",
    "eye",
    "fill_empty_rows",
    "from_dense",
    "map_values",
    "mask",
    "reorder",
    "reset_shape",
    "reshape",
    "retain",
    "slice",
    "split",
    "to_dense",
    "to_indicator",
    "transpose",
]


def made(places, values, sizes):
    """Return a SparseTensor of NumPy indices and sizes."""
    places = np.asarray(places, np.int64)
    if places.ndim != 2:  # an empty list
        places = places.reshape(-1, len(sizes))
    return SparseTensor(places, values, np.asarray(sizes, np.int64))


def axis_in(axis, rank, who):
    """Return an axis counted from the front.

    Raises:
        InvalidArgumentError: it is out of range.
    """
    axis = static_int(axis, "axis")
    if not -rank <= axis < rank:
        raise errors.InvalidArgumentError(
            f"{who}: `axis` must lie in [{-rank}, {rank}); got {axis}."
        )
    return axis % rank


def linear(places, sizes):
    """Return where indices stand in row-major order; they must be in range."""
    if not len(sizes):
        return np.zeros(len(places), np.int64)
    steps = np.append(np.cumprod(np.asarray(sizes[::-1], np.int64))[::-1][1:], 1)
    return places @ steps


def in_order(places):
    """Return the order that puts indices into row-major order."""
    return np.lexsort(places.T[::-1]) if places.shape[1] else np.arange(len(places))


def from_dense(tensor, name=None):
    """Return the elements of a Tensor that are not 0 (or ""), and where they stand.

    Args:
        tensor: A Tensor.
        name: Accepted, unused.

    Returns:
        A SparseTensor in row-major order.

    Example:
        >>> tf.sparse.from_dense([[0, 5], [0, 0]]).values.numpy()
        array([5], dtype=int32)
    """
    tensor = convert_to_tensor(tensor)
    host = host_of(tensor)
    there = host != b"" if tensor.dtype is dtypes.string else host != 0
    places = np.argwhere(np.asarray(there, bool)).astype(np.int64)
    if host.ndim == 0:
        places = places.reshape(len(places), 0)
    return made(places, indexing.gather_nd(tensor, places), host.shape)


def to_dense(sp_input, default_value=None, validate_indices=True, name=None):
    """Return a SparseTensor as a Tensor.

    Args:
        sp_input: A SparseTensor.
        default_value: What stands where nothing is kept; None is 0, or "".
        validate_indices: Whether to check that indices are in row-major order, without repeats.
        name: Accepted, unused.

    Returns:
        A Tensor of the dense shape.

    Raises:
        InvalidArgumentError: an index is out of range, or out of order.

    Example:
        >>> tf.sparse.to_dense(tf.SparseTensor([[0, 1]], [7], [2, 2])).numpy()
        array([[0, 7],
               [0, 0]], dtype=int32)
    """
    st = sparse(sp_input, "tf.sparse.to_dense")
    sizes = list(st._static_shape)
    if is_ready(st.indices):
        _check_places(host_of(st.indices), sizes, validate_indices, "tf.sparse.to_dense")
    if default_value is None:
        default_value = b"" if st.dtype is dtypes.string else np.zeros((), st.dtype.np)
    base = fill(sizes, convert_to_tensor(default_value, st.dtype))
    if not sizes:
        return st.values[0] if st.values.shape[0] else base
    if st.values.shape[0] == 0:
        return base
    return indexing.tensor_scatter_nd_update(base, st.indices, st.values)


def _check_places(places, sizes, order, who):
    bad = np.any((places < 0) | (places >= np.asarray(sizes, np.int64)), axis=1)
    if bad.any():
        at = int(np.nonzero(bad)[0][0])
        raise errors.InvalidArgumentError(
            f"{who}: indices[{at}] = {places[at].tolist()} is out of bounds: need 0 <= index < "
            f"{list(sizes)}."
        )
    if not order:
        return
    steps = np.diff(linear(places, sizes))
    if np.any(steps <= 0):
        at = int(np.nonzero(steps <= 0)[0][0]) + 1
        what = "repeated" if steps[at - 1] == 0 else "out of order"
        raise errors.InvalidArgumentError(
            f"{who}: indices[{at}] = {places[at].tolist()} is {what}. Many sparse ops require "
            f"sorted indices.\n  Fix: use tf.sparse.reorder to create a correctly ordered copy."
        )


def reorder(sp_input, name=None):
    """Return a SparseTensor with its elements in row-major order.

    Example:
        >>> st = tf.SparseTensor([[1, 0], [0, 1]], [1, 2], [2, 2])
        >>> tf.sparse.reorder(st).values.numpy()
        array([2, 1], dtype=int32)
    """
    st = sparse(sp_input, "tf.sparse.reorder")
    places = host_of(st.indices)
    order = in_order(places)
    return SparseTensor(places[order], indexing.gather(st.values, order), st.dense_shape)


def eye(num_rows, num_columns=None, dtype=dtypes.float32, name=None):
    """Return a sparse matrix with ones on the diagonal.

    Args:
        num_rows: The number of rows.
        num_columns: The number of columns; None is `num_rows`.
        dtype: The element type.
        name: Accepted, unused.

    Example:
        >>> tf.sparse.eye(2, 3).shape
        TensorShape([2, 3])
    """
    rows = static_int(num_rows, "num_rows")
    columns = rows if num_columns is None else static_int(num_columns, "num_columns")
    count = min(rows, columns)
    places = np.repeat(np.arange(count)[:, None], 2, axis=1)
    return made(places, convert_to_tensor(np.ones(count, as_dtype(dtype).np)), (rows, columns))


def map_values(op, *args, **kwargs):
    """Call a function with the values of sparse arguments, and return its result sparse.

    Args:
        op: A function of Tensors that keeps the shape of the values.
        *args: Arguments; SparseTensors, also in lists, are replaced by their values.
        **kwargs: Likewise.

    Returns:
        A SparseTensor with the places of the sparse arguments.

    Raises:
        ValueError: there is no SparseTensor.
        InvalidArgumentError: the sparse arguments have different places.

    Example:
        >>> st = tf.sparse.from_dense([[1, 2], [0, 4]])
        >>> tf.sparse.to_dense(tf.sparse.map_values(tf.add, st, 5)).numpy()
        array([[6, 7],
               [0, 9]], dtype=int32)
    """
    found = []

    def inner(value):
        if is_sparse(value):
            found.append(value)
            return value.values
        if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
            return type(value)(inner(v) for v in value)
        return value

    args = [inner(a) for a in args]
    kwargs = {k: inner(v) for k, v in kwargs.items()}
    if not found:
        raise ValueError("No SparseTensor in argument list of map_values; got none.")
    first = found[0]
    for other in found[1:]:
        if other._indices is first._indices:
            continue
        if not np.array_equal(host_of(first.indices), host_of(other.indices)):
            raise errors.InvalidArgumentError(
                "tf.sparse.map_values: SparseTensors must have compatible shapes and the same "
                "indices; they differ.\n  Fix: tf.sparse.reorder them, or tf.sparse.add."
            )
    return first.with_values(op(*args, **kwargs))


def mask(a, mask_indices, name=None):
    """Drop rows of a `tf.IndexedSlices`.

    Args:
        a: The IndexedSlices.
        mask_indices: The indices to drop.
        name: Accepted, unused.

    Example:
        >>> a = tf.IndexedSlices(tf.constant([[1.0], [2.0]]), tf.constant([4, 7]), [9, 1])
        >>> tf.sparse.mask(a, [4]).indices.numpy()
        array([7], dtype=int32)
    """
    keep = np.nonzero(~np.isin(host_of(a.indices), host_of(convert_to_tensor(mask_indices))))[0]
    return IndexedSlices(
        indexing.gather(a.values, keep), indexing.gather(a.indices, keep), a.dense_shape
    )


def expand_dims(sp_input, axis=None, name=None):
    """Add an axis of size 1.

    Args:
        sp_input: A SparseTensor.
        axis: Where the new axis stands; None is -1, the end.
        name: Accepted, unused.

    Example:
        >>> tf.sparse.expand_dims(tf.sparse.eye(2), 0).shape
        TensorShape([1, 2, 2])
    """
    st = sparse(sp_input, "tf.sparse.expand_dims")
    axis = axis_in(-1 if axis is None else axis, st.ndim + 1, "tf.sparse.expand_dims")
    count = st.values.shape[0]
    zeros = ready(np.zeros((count, 1), np.int64))
    places = shaping.concat([st.indices[:, :axis], zeros, st.indices[:, axis:]], 1)
    sizes = st._static_shape
    return SparseTensor(places, st.values, np.asarray([*sizes[:axis], 1, *sizes[axis:]], np.int64))


def reset_shape(sp_input, new_shape=None):
    """Return a SparseTensor with another dense shape that holds all indices.

    Args:
        sp_input: A SparseTensor.
        new_shape: The shape, not less than the present one in any axis; None is the least one
            that holds all indices.

    Raises:
        ValueError: the rank differs, or the shape is less.

    Example:
        >>> tf.sparse.reset_shape(tf.SparseTensor([[0, 1]], [1], [9, 9])).shape
        TensorShape([1, 2])
    """
    st = sparse(sp_input, "tf.sparse.reset_shape")
    if new_shape is None:
        places = host_of(st.indices)
        sizes = places.max(axis=0) + 1 if len(places) else np.zeros(st.ndim, np.int64)
        return SparseTensor(st.indices, st.values, np.asarray(sizes, np.int64))
    sizes, now = static_ints(new_shape, "new_shape"), st._static_shape
    if len(sizes) != len(now):
        raise ValueError(
            f"tf.sparse.reset_shape: `new_shape` must have {len(now)} axes; got {sizes}."
        )
    if any(s < n for s, n in zip(sizes, now, strict=True)):
        raise ValueError(
            f"tf.sparse.reset_shape: `new_shape` may not be less than {now}; got {sizes}."
        )
    return SparseTensor(st.indices, st.values, np.asarray(sizes, np.int64))


def reshape(sp_input, shape, name=None):
    """Return the same elements in another shape; one size may be -1.

    Raises:
        InvalidArgumentError: the number of elements differs.

    Example:
        >>> tf.sparse.reshape(tf.sparse.eye(2), [4]).indices.numpy()
        array([[0],
               [3]])
    """
    st = sparse(sp_input, "tf.sparse.reshape")
    now, sizes = st._static_shape, list(static_ints(shape, "shape"))
    total = int(np.prod(now, dtype=np.int64))
    if sizes.count(-1) == 1:
        rest = int(np.prod([s for s in sizes if s != -1], dtype=np.int64))
        if rest == 0 or total % rest:
            raise errors.InvalidArgumentError(
                f"tf.sparse.reshape: {total} elements must be a multiple of {rest}; got shape "
                f"{sizes}."
            )
        sizes[sizes.index(-1)] = total // rest
    if int(np.prod(sizes, dtype=np.int64)) != total:
        raise errors.InvalidArgumentError(
            f"tf.sparse.reshape: Input to reshape is a tensor with {total} dense values, but the "
            f"requested shape {sizes} has {int(np.prod(sizes, dtype=np.int64))}."
        )
    where = linear(host_of(st.indices), now)
    places = (
        np.stack(np.unravel_index(where, sizes), 1)
        if sizes and total
        else np.zeros((len(where), len(sizes)), np.int64)
    )
    return made(places, st.values, sizes)


def retain(sp_input, to_retain):
    """Keep the elements for which a bool vector is true.

    Args:
        sp_input: A SparseTensor of N elements.
        to_retain: N bools.

    Raises:
        ValueError: their number differs.

    Example:
        >>> tf.sparse.retain(tf.sparse.eye(2), [False, True]).indices.numpy()
        array([[1, 1]])
    """
    st = sparse(sp_input, "tf.sparse.retain")
    keep = host_of(convert_to_tensor(to_retain))
    count = st.values.shape[0]
    if keep.shape != (count,):
        raise ValueError(
            f"tf.sparse.retain: `to_retain` must have shape ({count},); got {keep.shape}."
        )
    where = np.nonzero(keep)[0]
    return SparseTensor(
        host_of(st.indices)[where], indexing.gather(st.values, where), st.dense_shape
    )


def transpose(sp_input, perm=None, name=None):
    """Return a SparseTensor with its axes in another order.

    Args:
        sp_input: A SparseTensor.
        perm: The axes; None turns them round.
        name: Accepted, unused.

    Example:
        >>> tf.sparse.transpose(tf.SparseTensor([[0, 1]], [7], [2, 3])).shape
        TensorShape([3, 2])
    """
    st = sparse(sp_input, "tf.sparse.transpose")
    rank = st.ndim
    axes = list(range(rank))[::-1] if perm is None else list(static_ints(perm, "perm"))
    if sorted(axes) != list(range(rank)):
        raise errors.InvalidArgumentError(
            f"tf.sparse.transpose: `perm` must name the {rank} axes; got {axes}."
        )
    sizes = st._static_shape
    places = host_of(st.indices)[:, axes]
    order = in_order(places)
    values = indexing.gather(st.values, order)
    return made(places[order], values, [sizes[a] for a in axes])


def slice(sp_input, start, size, name=None):
    """Return a part of a SparseTensor.

    Args:
        sp_input: A SparseTensor of R axes.
        start: Where the part starts, R integers.
        size: The size of the part, R integers; what reaches beyond the end is cut.
        name: Accepted, unused.

    Example:
        >>> tf.sparse.slice(tf.sparse.eye(3), [1, 1], [2, 5]).shape
        TensorShape([2, 2])
    """
    st = sparse(sp_input, "tf.sparse.slice")
    first = np.asarray(static_ints(start, "start"), np.int64)
    wanted = np.asarray(static_ints(size, "size"), np.int64)
    whole = np.asarray(st._static_shape, np.int64)
    sizes = np.clip(np.where(wanted < 0, whole - first, np.minimum(wanted, whole - first)), 0, None)
    places = host_of(st.indices)
    inside = np.all((places >= first) & (places < first + sizes), axis=1)
    where = np.nonzero(inside)[0]
    return made(places[where] - first, indexing.gather(st.values, where), sizes)


def split(sp_input=None, num_split=None, axis=None, name=None):
    """Cut a SparseTensor into parts along an axis.

    Args:
        sp_input: A SparseTensor.
        num_split: The number of parts; the first ones are longer by 1 if they cannot be equal.
        axis: The axis.
        name: Accepted, unused.

    Returns:
        A list of SparseTensors.

    Raises:
        ValueError: an argument is missing.
        InvalidArgumentError: there are fewer items than parts, or `axis` is out of range.

    Example:
        >>> [p.shape for p in tf.sparse.split(tf.sparse.eye(3), 2, axis=0)]
        [TensorShape([2, 3]), TensorShape([1, 3])]
    """
    for name_, value in (("sp_input", sp_input), ("num_split", num_split), ("axis", axis)):
        if value is None:
            raise ValueError(f"tf.sparse.split: `{name_}` is required; got None.")
    st: Any = sparse(sp_input, "tf.sparse.split")
    axis = axis_in(axis, st.ndim, "tf.sparse.split")
    count, sizes = static_int(num_split, "num_split"), st._static_shape
    if not 1 <= count <= sizes[axis]:
        raise errors.InvalidArgumentError(
            f"tf.sparse.split: `num_split` must lie in [1, {sizes[axis]}]; got {count}."
        )
    lengths = [sizes[axis] // count + (i < sizes[axis] % count) for i in range(count)]
    parts, at = [], 0
    for length in lengths:
        first = [at if a == axis else 0 for a in range(st.ndim)]
        parts.append(slice(st, first, [length if a == axis else n for a, n in enumerate(sizes)]))
        at += length
    return parts


def concat(axis, sp_inputs, expand_nonconcat_dims=False, name=None):
    """Join SparseTensors along an axis.

    Args:
        axis: The axis.
        sp_inputs: A list of SparseTensors of equal rank.
        expand_nonconcat_dims: Whether other axes may differ; the result has the largest sizes.
        name: Accepted, unused.

    Returns:
        A SparseTensor in row-major order.

    Raises:
        InvalidArgumentError: the shapes do not fit.

    Example:
        >>> tf.sparse.concat(0, [tf.sparse.eye(2), tf.sparse.eye(2)]).shape
        TensorShape([4, 2])
    """
    found = [sparse(s, "tf.sparse.concat") for s in sp_inputs]
    if len(found) == 1:
        return found[0]
    rank = found[0].ndim
    axis = axis_in(axis, rank, "tf.sparse.concat")
    shapes = [list(s._static_shape) for s in found]
    if any(len(s) != rank for s in shapes):
        raise errors.InvalidArgumentError(
            f"tf.sparse.concat: Ranks of all inputs must match; got shapes {shapes}."
        )
    widest = [max(s[a] for s in shapes) for a in range(rank)]
    if not expand_nonconcat_dims and any(
        s[a] != widest[a] for s in shapes for a in range(rank) if a != axis
    ):
        raise errors.InvalidArgumentError(
            f"tf.sparse.concat: the sizes of all axes but {axis} must be equal; got shapes "
            f"{shapes}.\n  Fix: expand_nonconcat_dims=True."
        )
    parts, at = [], 0
    for each, sizes in zip(found, shapes, strict=True):
        places = np.array(host_of(each.indices))
        places[:, axis] += at
        at += sizes[axis]
        parts.append(places)
    widest[axis] = at
    places = np.concatenate(parts)
    order = in_order(places)
    values = indexing.gather(shaping.concat([s.values for s in found], 0), order)
    return made(places[order], values, widest)


def fill_empty_rows(sp_input, default_value, name=None):
    """Put an element into each row that has none.

    Args:
        sp_input: A sparse matrix.
        default_value: The element, put at column 0.
        name: Accepted, unused.

    Returns:
        The SparseTensor, and a bool for each row: whether it was empty.

    Example:
        >>> st = tf.SparseTensor([[1, 0]], [7], [3, 2])
        >>> filled, empty = tf.sparse.fill_empty_rows(st, 0)
        >>> empty.numpy()
        array([ True, False,  True])
    """
    st = sparse(sp_input, "tf.sparse.fill_empty_rows")
    default = convert_to_tensor(default_value, st.dtype)
    places, sizes = host_of(st.indices), st._static_shape
    count = np.bincount(places[:, 0], minlength=sizes[0]) if len(places) else np.zeros(sizes[0])
    empty = np.nonzero(count == 0)[0]
    extra = np.zeros((len(empty), len(sizes)), np.int64)
    extra[:, 0] = empty
    whole = np.concatenate([places, extra])
    order = np.argsort(whole[:, 0], kind="stable")
    values = shaping.concat([st.values, fill([len(empty)], default)], 0)
    filled = made(whole[order], indexing.gather(values, order), sizes)
    return filled, convert_to_tensor(count == 0)


def to_indicator(sp_input, vocab_size, name=None):
    """Return for each row which ids occur in it.

    Args:
        sp_input: A SparseTensor of ids in `[0, vocab_size)`.
        vocab_size: The number of ids.
        name: Accepted, unused.

    Returns:
        A bool Tensor: the last axis of `sp_input` replaced by one of size `vocab_size`.

    Raises:
        InvalidArgumentError: an id is out of range.

    Example:
        >>> tf.sparse.to_indicator(tf.SparseTensor([[0, 0]], [2], [1, 1]), 3).numpy()
        array([[False, False,  True]])
    """
    st = sparse(sp_input, "tf.sparse.to_indicator")
    size = static_int(vocab_size, "vocab_size")
    ids, places = host_of(st.values), host_of(st.indices)
    if ids.size and (ids.min() < 0 or ids.max() >= size):
        raise errors.InvalidArgumentError(
            f"tf.sparse.to_indicator: ids must lie in [0, {size}); got {ids.tolist()[:20]}."
        )
    found = np.zeros((*st._static_shape[:-1], size), bool)
    found[(*places[:, :-1].T, ids.astype(np.int64))] = True
    return convert_to_tensor(found)
