"""Keras' NumPy functions of order and counts: sorting, places, bins, distinct elements."""

from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import errors, host_value, static_int
from lamina.keras.ops.numpy.operands import as_number, joined, shared, tensor
from lamina.ops.numpy import reductions
from lamina.ops.numpy import sorting as kernels
from lamina.ops.sparse.calculating import dense_of
from lamina.ops.sparse.making import from_dense
from lamina.ops.sparse.tensor import is_sparse

__all__ = [
    "argmax",
    "argmin",
    "argpartition",
    "argsort",
    "bincount",
    "digitize",
    "histogram",
    "isin",
    "searchsorted",
    "sort",
    "unique",
]


def argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return where the largest element is along an axis.

    Args:
        x: Real numbers or bools.
        axis: The axis to search; None counts through all elements.
        keepdims: Whether the axis stays, with size 1.

    Returns:
        int32; the first place at a tie.

    Example:
        >>> tf.keras.ops.numpy.argmax([[1, 5], [7, 2]], axis=1).numpy()
        array([1, 0], dtype=int32)
    """
    return reductions.place(tensor(x), axis=axis, keepdims=bool(keepdims), largest=True)


def argmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return where the smallest element is along an axis.

    Args:
        x: Real numbers or bools.
        axis: The axis to search; None counts through all elements.
        keepdims: Whether the axis stays, with size 1.

    Returns:
        int32; the first place at a tie.

    Example:
        >>> tf.keras.ops.numpy.argmin([[1, 5], [7, 2]], axis=1).numpy()
        array([0, 1], dtype=int32)
    """
    return reductions.place(tensor(x), axis=axis, keepdims=bool(keepdims), largest=False)


def sort(x: Any, axis: Any = -1) -> Any:
    """Return the elements in rising order along an axis.

    Args:
        x: Real numbers or bools.
        axis: The axis; None sorts all elements, in one row.

    Returns:
        Dtype of `x`. NaN comes last.

    Example:
        >>> tf.keras.ops.numpy.sort([3, 1, 2]).numpy()
        array([1, 2, 3], dtype=int32)
    """
    return kernels.sorted_values(tensor(x), axis=axis)


def argsort(x: Any, axis: Any = -1) -> Any:
    """Return the places that put the elements in rising order along an axis.

    Args:
        x: Real numbers or bools.
        axis: The axis; None sorts all elements, in one row.

    Returns:
        int32; equal elements keep their order.

    Example:
        >>> tf.keras.ops.numpy.argsort([3, 1, 2]).numpy()
        array([1, 2, 0], dtype=int32)
    """
    x = tensor(x)
    return ops.zeros_like(x, "int32") if x.ndim == 0 else kernels.sorted_order(x, axis=axis)


def argpartition(x: Any, kth: int, axis: Any = -1) -> Any:
    """Return places that put the element number `kth` where sorting would put it.

    Args:
        x: Real numbers or bools.
        kth: The place; those before it hold what is not larger, those behind what is not smaller.
        axis: The axis; None takes all elements, in one row.

    Returns:
        int32, of the shape of `x`, or a vector.

    Raises:
        ValueError: `kth` is out of range.

    Example:
        >>> tf.keras.ops.numpy.argpartition([3, 1, 2, 0], 1).numpy()
        array([3, 1, 0, 2], dtype=int32)
    """
    return kernels.partition_order(tensor(x), kth=static_int(kth, "argpartition(kth)"), axis=axis)


# ---- places in sorted rows -----------------------------------------------------------------------


def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Any:
    """Return where to insert values so that a sorted vector stays sorted.

    Args:
        sorted_sequence: A rising vector ``(n,)``.
        values: Numbers of any shape.
        side: Before equal elements ("left") or after them ("right").

    Returns:
        int32 in [0, n], of the shape of `values`.

    Raises:
        ValueError: `sorted_sequence` is no vector, or `side` is neither.

    Example:
        >>> tf.keras.ops.numpy.searchsorted([1, 3, 5], [3, 4]).numpy()
        array([1, 2], dtype=int32)
    """
    if side not in ("left", "right"):
        raise ValueError(
            f'searchsorted: `side` must be "left" or "right"; got {side!r}.\n'
            '  Fix: use "left", the default.'
        )
    row, values = shared(tensor(sorted_sequence), tensor(values))
    if row.ndim != 1:
        raise ValueError(
            f"searchsorted: `sorted_sequence` must be a vector; got shape {tuple(row.shape)}.\n"
            "  Fix: search each row by itself."
        )
    return kernels.insertions(row, values, side=side)


def digitize(x: Any, bins: Any) -> Any:
    """Return the number of the bin that each element lies in.

    Args:
        x: Real numbers of any shape.
        bins: The rising edges ``(n,)``; a bin holds its lower edge.

    Returns:
        int32 in [0, n]: 0 below the first edge, n from the last one on.

    Example:
        >>> tf.keras.ops.numpy.digitize([0.5, 1.0, 9.0], [0.0, 1.0, 2.0]).numpy()
        array([1, 2, 3], dtype=int32)
    """
    return kernels.digits(*shared(tensor(x), tensor(bins)))


def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Any:
    """Return which elements are among others.

    Args:
        x1: Numbers of any shape.
        x2: What to look for, any shape.
        assume_unique: Accepted, unused.
        invert: Whether to return which are not among them.

    Returns:
        bool, of the shape of `x1`.

    Example:
        >>> tf.keras.ops.numpy.isin([1, 2, 3], [2, 5]).numpy()
        array([False,  True, False])
    """
    return kernels.membership(*shared(tensor(x1), tensor(x2)), invert=bool(invert))


# ---- counts --------------------------------------------------------------------------------------


def _known(who: str, x: Any) -> np.ndarray:
    """Return the value of a Tensor, on which a shape depends."""
    try:
        found = host_value(x)
        return x.numpy() if found is None else found
    except errors.TracedValueError:
        raise errors.TracedValueError(
            f"{who}: the shape of the result depends on the values of `x`, which are not known "
            f"inside a trace; got {x!s}.\n  Fix: compute it outside of the function."
        ) from None


def bincount(x: Any, weights: Any = None, minlength: Any = 0, sparse: bool = False) -> Any:
    """Return how often each integer occurs in each row.

    Args:
        x: Integers at least 0, ``(n,)`` or ``(rows, n)``.
        weights: What each occurrence counts, of the shape of `x`; None is 1.
        minlength: The least number of bins; it is larger where `x` holds larger integers.
        sparse: Whether to return a SparseTensor; for a sparse `x` it is one in any case.

    Returns:
        ``(bins,)`` or ``(rows, bins)``, int32, or the dtype that holds `x` and `weights`.

    Raises:
        TracedValueError: inside a trace: the number of bins depends on data.

    Example:
        >>> tf.keras.ops.numpy.bincount([0, 1, 1, 3]).numpy()
        array([1, 2, 0, 1], dtype=int32)
    """
    if sparse or is_sparse(x):
        x, weights = dense_of(x), dense_of(weights)
        return from_dense(bincount(x, weights, minlength))
    x = tensor(x)
    if weights is not None:
        weights = tensor(weights)
        weights = tensor(weights, as_number(joined(x.dtype, weights.dtype)))
    x = x if x.dtype.is_integer else tensor(x, "int32")
    values = _known("bincount", x)
    size = int(values.max()) + 1 if values.size else 0
    least = static_int(minlength, "bincount(minlength)")
    return kernels.bin_counts(x, weights, size=max(size, least))


def histogram(x: Any, bins: int = 10, range: Any = None) -> Any:
    """Return how many elements lie in each of equal bins.

    Args:
        x: Real numbers ``(n,)``.
        bins: The number of bins.
        range: The least and the greatest edge; None takes those of `x`. What lies beyond counts
            nowhere.

    Returns:
        The counts ``(bins,)`` and the edges ``(bins + 1,)``, in the dtype of `x`. The last bin
        holds its upper edge.

    Raises:
        TypeError: `bins` is no int.
        ValueError: `x` is no vector, `bins` is below 1, or `range` falls.

    Example:
        >>> counts, edges = tf.keras.ops.numpy.histogram([0.0, 1.0, 2.0, 2.0], bins=2)
        >>> counts.numpy(), edges.numpy()
        (array([1., 3.], dtype=float32), array([0., 1., 2.], dtype=float32))
    """
    if not isinstance(bins, int):
        raise TypeError(
            f"histogram: `bins` must be an int; got {bins!r}.\n  Fix: edges are not taken."
        )
    if bins < 1:
        raise ValueError(f"histogram: `bins` must be at least 1; got {bins}.\n  Fix: use 10.")
    if range is not None and not (isinstance(range, list | tuple) and len(range) == 2):
        raise ValueError(f"histogram: `range` must be a pair of numbers; got {range!r}.")
    if range is not None and range[1] < range[0]:
        raise ValueError(
            f"histogram: the second of `range` must not be below the first; got {range}.\n"
            "  Fix: exchange them."
        )
    x = tensor(x)
    if x.ndim != 1:
        raise ValueError(
            f"histogram: `x` must be a vector; got shape {tuple(x.shape)}.\n"
            "  Fix: flatten it with `ravel`."
        )
    ends = (ops.reduce_min(x), ops.reduce_max(x)) if range is None else range
    edges = kernels.histogram_edges(*[tensor(end, x.dtype) for end in ends], bins=bins)
    return kernels.histogram_counts(x, edges), edges


# ---- distinct elements ---------------------------------------------------------------------------


def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: Any = None,
    size: Any = None,
    fill_value: Any = None,
) -> Any:
    """Return the distinct elements, or the distinct slices along an axis.

    Args:
        x: Real numbers.
        sorted: Whether they come in rising order, or in that of appearance.
        return_index: Whether to return where each occurs first.
        return_inverse: Whether to return the number of each element among the distinct ones.
        return_counts: Whether to return how often each occurs.
        axis: The axis of the slices; None takes all elements.
        size: How many to return, as is needed inside a trace: the rest is cut off or filled up.
        fill_value: What fills up; None is 0.

    Returns:
        The distinct elements in the dtype of `x`; with one of the above, a tuple of these and
        int32 Tensors in their order.

    Raises:
        ValueError: there is no such axis.
        TracedValueError: inside a trace, without `size`.

    Example:
        >>> values, counts = tf.keras.ops.numpy.unique([3, 1, 3], return_counts=True)
        >>> values.numpy(), counts.numpy()
        (array([1, 3], dtype=int32), array([1, 2], dtype=int32))
    """
    x = tensor(x)
    if axis is not None and not -x.ndim <= axis < x.ndim:
        raise ValueError(
            f"unique: `axis` must lie in [{-x.ndim}, {x.ndim}) for shape {tuple(x.shape)}; got "
            f"{axis}.\n  Fix: None takes all elements."
        )
    rows, along = (ops.reshape(x, [-1]), 0) if axis is None else (x, axis % x.ndim)
    if size is None:
        found = _distinct(_known("unique", rows), along, sorted)
        index, inverse, counts = (tensor(each.astype(np.int32)) for each in found)
        values = ops.gather(rows, index, axis=along)
    else:
        index, inverse, counts = kernels.distinct(rows, axis=along, size=int(size), rising=sorted)
        values = kernels.filled_up(
            ops.gather(rows, index, axis=along), counts, axis=along, value=fill_value or 0
        )
    if axis is None:
        inverse = ops.reshape(inverse, ops.shape(x))
    chosen = (return_index, index), (return_inverse, inverse), (return_counts, counts)
    extra = [each for wanted, each in chosen if wanted]
    return (values, *extra) if extra else values


def _distinct(values: np.ndarray, axis: int, rising: bool) -> list[np.ndarray]:
    """Return first places, the number of each slice, and counts."""
    flat = values if values.ndim == 1 else None
    _, index, inverse, counts = np.unique(
        values,
        return_index=True,
        return_inverse=True,
        return_counts=True,
        axis=None if flat is not None else axis,
        equal_nan=False,
    )
    inverse = inverse.reshape(-1)
    if rising:
        return [index, inverse, counts]
    order = np.argsort(index, kind="stable")
    ranks = np.empty_like(order)
    ranks[order] = np.arange(order.size)
    return [index[order], ranks[inverse], counts[order]]
