"""tf.sets: the last axis of Tensors as sets."""

import itertools

import numpy as np

from lamina.engine import convert_to_tensor, dtypes, errors, from_host
from lamina.ops.sparse import rules as _rules  # noqa: F401  # what functions do with results
from lamina.ops.sparse.making import made
from lamina.ops.sparse.tensor import host_of, is_sparse, sparse

__all__ = ["difference", "intersection", "size", "union"]


def _rows(value, who, validate):
    """Return the elements of each row by its index, the leading sizes, and the dtype."""
    if is_sparse(value):
        places, values = host_of(value.indices), host_of(value.values)
        _check_places(places, value._static_shape, who, validate)
        sizes, found = value._static_shape[:-1], {}
        for place, each in zip(places.tolist(), values.tolist(), strict=True):
            found.setdefault(tuple(place[:-1]), []).append(each)
        return found, tuple(sizes), value.dtype
    tensor = convert_to_tensor(value)
    if tensor.shape.rank == 0:
        raise ValueError(f"{who}: sets need an axis; got a scalar.")
    host = host_of(tensor)
    lead = host.shape[:-1]
    return {i: host[i].tolist() for i in np.ndindex(*lead)}, lead, tensor.dtype


def _check_places(places, shape, who, validate):
    """Raise if indices lie outside of the shape, or are not in order where that is to be checked.

    Raises:
        InvalidArgumentError: so it is.
    """
    outside = np.flatnonzero(((places < 0) | (places >= np.array(shape))).any(axis=1))
    if len(outside):
        raise errors.InvalidArgumentError(
            f"{who}: Index out of range: indices must lie in the shape {tuple(shape)}; got "
            f"{places[outside[0]].tolist()}."
        )
    each = [tuple(place) for place in places.tolist()] if validate else []
    if any(a >= b for a, b in itertools.pairwise(each)):
        raise errors.InvalidArgumentError(
            f"{who}: indices must be in order, each once; got {places.tolist()[:20]}.\n"
            f"  Fix: tf.sparse.reorder, or validate_indices=False."
        )


def _combined(a, b, choose, who, validate):
    mine, sizes, dtype = _rows(a, who, validate)
    other, sizes_b, dtype_b = _rows(b, who, validate)
    if dtype is not dtype_b:
        raise TypeError(f"{who}: the dtypes must be equal; got {dtype.name} and {dtype_b.name}.")
    if sizes != sizes_b:
        raise errors.InvalidArgumentError(
            f"{who}: all axes but the last must be equal; got {sizes} and {sizes_b}."
        )
    places, values, widest = [], [], 0
    for index in np.ndindex(*sizes):
        kept = sorted(choose(set(mine.get(index, ())), set(other.get(index, ()))))
        widest = max(widest, len(kept))
        places.extend((*index, i) for i in range(len(kept)))
        values.extend(kept)
    flat = np.empty(len(values), object) if dtype is dtypes.string else np.asarray(values, dtype.np)
    if dtype is dtypes.string:
        flat[:] = values
    return made(np.asarray(places, np.int64), from_host(flat), [*sizes, widest])


def intersection(a, b, validate_indices=True):
    """Return the elements that the last axes of `a` and `b` have in common.

    Args:
        a: A Tensor or SparseTensor; all axes but the last equal those of `b`.
        b: The same.
        validate_indices: Whether the indices of a SparseTensor must be in order.

    Returns:
        A SparseTensor, the elements of each set in order.

    Raises:
        TypeError: the dtypes differ.
        InvalidArgumentError: the shapes differ before the last axis, or indices are wrong.

    Example:
        >>> tf.sets.intersection([[1, 2, 3]], [[2, 3, 9]]).values.numpy()
        array([2, 3], dtype=int32)
    """
    return _combined(a, b, lambda x, y: x & y, "tf.sets.intersection", validate_indices)


def union(a, b, validate_indices=True):
    """Return the elements that the last axis of `a` or that of `b` has.

    Args:
        a: A Tensor or SparseTensor; all axes but the last equal those of `b`.
        b: The same.
        validate_indices: Whether the indices of a SparseTensor must be in order.

    Returns:
        A SparseTensor, the elements of each set in order.

    Raises:
        TypeError: the dtypes differ.
        InvalidArgumentError: the shapes differ before the last axis, or indices are wrong.

    Example:
        >>> tf.sets.union([[1, 2]], [[2, 5]]).values.numpy()
        array([1, 2, 5], dtype=int32)
    """
    return _combined(a, b, lambda x, y: x | y, "tf.sets.union", validate_indices)


def difference(a, b, aminusb=True, validate_indices=True):
    """Return the elements of the last axis of `a` that that of `b` does not have.

    Args:
        a: A Tensor or SparseTensor; all axes but the last equal those of `b`.
        b: The same.
        aminusb: False takes `b` without `a`.
        validate_indices: Whether the indices of a SparseTensor must be in order.

    Returns:
        A SparseTensor, the elements of each set in order.

    Raises:
        TypeError: the dtypes differ.
        InvalidArgumentError: the shapes differ before the last axis, or indices are wrong.

    Example:
        >>> tf.sets.difference([[1, 2]], [[2, 5]]).values.numpy()
        array([1], dtype=int32)
    """
    choose = (lambda x, y: x - y) if aminusb else (lambda x, y: y - x)
    return _combined(a, b, choose, "tf.sets.difference", validate_indices)


def size(a, validate_indices=True):
    """Return how many distinct elements each set in the last axis of `a` has.

    Args:
        a: A SparseTensor.
        validate_indices: Whether the indices of a SparseTensor must be in order.

    Returns:
        int32, of the shape of `a` without its last axis.

    Raises:
        TypeError: `a` is not sparse.
        InvalidArgumentError: indices lie outside of the shape, or are not in order.

    Example:
        >>> tf.sets.size(tf.SparseTensor([[0, 0], [0, 1]], [7, 7], [2, 2])).numpy()
        array([1, 0], dtype=int32)
    """
    rows, sizes, _ = _rows(sparse(a, "tf.sets.size"), "tf.sets.size", validate_indices)
    found = np.zeros(sizes, np.int32)
    for index, values in rows.items():
        found[index] = len(set(values))
    return convert_to_tensor(found)
