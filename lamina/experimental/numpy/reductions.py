"""Totals, means, extrema and their places; `axis` is None for all axes, an int, or several."""

from __future__ import annotations

import builtins
from typing import Any

from lamina import ops
from lamina.engine import Tensor, as_dtype, dtypes
from lamina.experimental.numpy.operands import (
    array_of,
    as_float,
    as_total,
    axes_of,
    default_float,
    dtype_of,
    floats,
)
from lamina.ops.numpy import reductions as kernels

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "average",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "max",
    "mean",
    "min",
    "nanmean",
    "nanprod",
    "nansum",
    "prod",
    "ptp",
    "std",
    "sum",
    "var",
]


def _truth(a: Any) -> Tensor:
    return ops.cast(array_of(a), dtypes.bool_)


def _refuse_out(who: str, out: Any) -> None:
    if out is not None:
        raise ValueError(
            f"tf.experimental.numpy.{who}: Setting out is not supported.\n  Fix: use the result."
        )


def _in_dtype(a: Any, dtype: Any) -> Tensor:
    a = array_of(a)
    return as_total(a) if dtype is None else ops.cast(a, dtype_of(dtype))


def all(a: Any, axis: Any = None, keepdims: Any = None) -> Tensor:
    """Return whether all elements are True, or not 0.

    Args:
        a: An array.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Example:
        >>> bool(tf.experimental.numpy.all([1, 0]))
        False
    """
    return ops.reduce_all(_truth(a), axes_of(axis), bool(keepdims))


def any(a: Any, axis: Any = None, keepdims: Any = None) -> Tensor:
    """Return whether an element is True, or not 0.

    Args:
        a: An array.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Example:
        >>> bool(tf.experimental.numpy.any([1, 0]))
        True
    """
    return ops.reduce_any(_truth(a), axes_of(axis), bool(keepdims))


def sum(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = None) -> Tensor:
    """Return the sum of elements.

    Args:
        a: An array.
        axis: The axes to reduce.
        dtype: The dtype to compute in; None makes small ints and bools int64.
        keepdims: Whether reduced axes stay, with size 1.

    Example:
        >>> tf.experimental.numpy.sum([[1, 2], [3, 4]], axis=0).numpy()
        array([4, 6])
    """
    return ops.reduce_sum(_in_dtype(a, dtype), axes_of(axis), bool(keepdims))


def prod(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = None) -> Tensor:
    """Return the product of elements.

    Args:
        a: An array.
        axis: The axes to reduce.
        dtype: The dtype to compute in; None makes small ints and bools int64.
        keepdims: Whether reduced axes stay, with size 1.

    Example:
        >>> tf.experimental.numpy.prod([[1, 2], [3, 4]], axis=0).numpy()
        array([3, 8])
    """
    return ops.reduce_prod(_in_dtype(a, dtype), axes_of(axis), bool(keepdims))


def _extremum(a: Any, axis: Any, keepdims: Any, largest: bool) -> Tensor:
    a = array_of(a)
    if a.dtype.is_bool:
        return (any if largest else all)(a, axis, keepdims)
    reduce = ops.reduce_max if largest else ops.reduce_min
    return reduce(a, axes_of(axis), bool(keepdims))


def max(a: Any, axis: Any = None, keepdims: Any = None) -> Tensor:
    """Return the largest element.

    Args:
        a: An array.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Example:
        >>> tf.experimental.numpy.max([[1, 5], [3, 4]], axis=0).numpy()
        array([3, 5])
    """
    return _extremum(a, axis, keepdims, True)


def min(a: Any, axis: Any = None, keepdims: Any = None) -> Tensor:
    """Return the smallest element.

    Args:
        a: An array.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Example:
        >>> tf.experimental.numpy.min([[1, 5], [3, 4]], axis=0).numpy()
        array([1, 4])
    """
    return _extremum(a, axis, keepdims, False)


def amax(a: Any, axis: Any = None, out: Any = None, keepdims: Any = None) -> Tensor:
    """Return the largest element, as `max`.

    Args:
        a: An array.
        axis: The axes to reduce.
        out: Must be None.
        keepdims: Whether reduced axes stay, with size 1.
    """
    _refuse_out("amax", out)
    return max(a, axis, keepdims)


def amin(a: Any, axis: Any = None, out: Any = None, keepdims: Any = None) -> Tensor:
    """Return the smallest element, as `min`.

    Args:
        a: An array.
        axis: The axes to reduce.
        out: Must be None.
        keepdims: Whether reduced axes stay, with size 1.
    """
    _refuse_out("amin", out)
    return min(a, axis, keepdims)


def ptp(a: Any, axis: Any = None, keepdims: Any = None) -> Tensor:
    """Return the largest minus the smallest element.

    Args:
        a: An array.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Example:
        >>> int(tf.experimental.numpy.ptp([1, 5]))
        4
    """
    return max(a, axis, keepdims) - min(a, axis, keepdims)


def _place(a: Any, axis: Any, largest: bool) -> Tensor:
    a = array_of(a)
    if a.dtype.is_bool:
        a = ops.cast(a, dtypes.int32)
    if axis is None or a.ndim == 0:
        a, axis = ops.reshape(a, [-1]), 0
    return (ops.argmax if largest else ops.argmin)(a, axis)


def argmax(a: Any, axis: Any = None) -> Tensor:
    """Return where the largest element is, int64.

    Args:
        a: An array.
        axis: The axis; None takes the elements as one row.

    Example:
        >>> int(tf.experimental.numpy.argmax([1, 3, 2]))
        1
    """
    return _place(a, axis, True)


def argmin(a: Any, axis: Any = None) -> Tensor:
    """Return where the smallest element is, int64.

    Args:
        a: An array.
        axis: The axis; None takes the elements as one row.
    """
    return _place(a, axis, False)


def count_nonzero(a: Any, axis: Any = None) -> Tensor:
    """Return how many elements are not 0, int64.

    Args:
        a: An array.
        axis: The axes to reduce.

    Example:
        >>> int(tf.experimental.numpy.count_nonzero([1, 0, 2]))
        2
    """
    return ops.reduce_sum(ops.cast(_truth(a), dtypes.int64), axes_of(axis))


# ---- means ---------------------------------------------------------------------------------------


def mean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = None
) -> Tensor:
    """Return the mean of elements.

    Args:
        a: An array.
        axis: The axes to reduce.
        dtype: The dtype to compute in; None makes integers float64.
        out: Must be None.
        keepdims: Whether reduced axes stay, with size 1.

    Example:
        >>> tf.experimental.numpy.mean([[1, 2], [3, 4]], axis=0).numpy()
        array([2., 3.])
    """
    _refuse_out("mean", out)
    a = as_float(a) if dtype is None else ops.cast(array_of(a), dtype_of(dtype))
    return ops.reduce_mean(a, axes_of(axis), bool(keepdims))


def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False) -> Any:
    """Return the weighted mean of elements.

    Args:
        a: An array.
        axis: The axis to reduce; None takes all.
        weights: Weights of the shape of `a`, or of its size along the axis; None weighs all alike.
        returned: Whether to return the sum of the weights too.

    Returns:
        A Tensor; with `returned` a pair of it and the sum of the weights.

    Raises:
        ValueError: the shapes do not fit.

    Example:
        >>> float(tf.experimental.numpy.average([1, 2], weights=[3, 1]))
        1.25
    """
    if weights is None:
        a = as_float(a)
        found = ops.reduce_mean(a, axes_of(axis))
        count = ops.cast(ops.size(a), a.dtype) / ops.cast(ops.size(found), a.dtype)
        total = ops.broadcast_to(count, ops.shape(found))
        return (found, total) if returned else found
    a, weights = floats(a, weights)
    if weights.ndim != a.ndim:
        if axis is None or weights.ndim != 1:
            raise ValueError(
                f"tf.experimental.numpy.average: weights of another shape than `a` need one axis "
                f"and an `axis`; got shapes {weights.shape} and {a.shape}, axis {axis}.\n"
                f"  Fix: give `axis`, or weights of the shape of `a`."
            )
        sizes = [1] * a.ndim
        sizes[axis] = -1
        weights = ops.reshape(weights, sizes)
    weights = ops.broadcast_to(weights, ops.shape(a))
    total = ops.reduce_sum(weights, axes_of(axis))
    found = ops.reduce_sum(a * weights, axes_of(axis)) / total
    return (found, total) if returned else found


def var(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: Any = 0,
    keepdims: Any = None,
) -> Tensor:
    """Return the variance: the sum of ``|a - mean|²`` over ``N - ddof``.

    Args:
        a: An array.
        axis: The axes to reduce.
        dtype: The dtype of the result; None makes integers float64.
        out: Must be None.
        ddof: What to subtract from the number of elements.
        keepdims: Whether reduced axes stay, with size 1.

    Example:
        >>> float(tf.experimental.numpy.var([1, 2, 3, 4]))
        1.25
    """
    _refuse_out("var", out)
    a = as_float(a)
    wanted = None if dtype is None else as_dtype(dtype)
    if wanted is not None and wanted.is_floating and not a.dtype.is_complex:
        a = ops.cast(a, wanted if wanted.size >= 4 else default_float())
    axes = axes_of(axis)
    apart = a - ops.reduce_mean(a, axes, True)
    squares = ops.square(ops.abs(apart)) if a.dtype.is_complex else ops.square(apart)
    total = ops.reduce_sum(squares, axes, bool(keepdims))
    ones = ops.reduce_sum(ops.ones_like(squares), axes, bool(keepdims))
    found = total / (ones - ops.cast(ddof, ones.dtype))
    return found if wanted is None else ops.cast(found, wanted)


def std(a: Any, axis: Any = None, keepdims: Any = None) -> Tensor:
    """Return the standard deviation, over N.

    Args:
        a: An array.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Example:
        >>> float(tf.experimental.numpy.std([1, 3]))
        1.0
    """
    return ops.sqrt(var(a, axis, keepdims=keepdims))


# ---- without NaN ---------------------------------------------------------------------------------


def nanmean(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = None) -> Tensor:
    """Return the mean of what is not NaN.

    Args:
        a: An array.
        axis: The axes to reduce.
        dtype: The dtype to compute in; None makes integers float64.
        keepdims: Whether reduced axes stay, with size 1.

    Example:
        >>> float(tf.experimental.numpy.nanmean([1.0, np.nan]))
        1.0
    """
    a = as_float(a) if dtype is None else ops.cast(array_of(a), dtype_of(dtype))
    return kernels.nan_mean(a, axis=axes_of(axis), keepdims=bool(keepdims))


def nansum(a: Any, axis: Any = None, dtype: Any = None, keepdims: builtins.bool = False) -> Tensor:
    """Return the sum of what is not NaN.

    Args:
        a: An array.
        axis: The axes to reduce.
        dtype: The dtype to compute in; None makes small ints and bools int64.
        keepdims: Whether reduced axes stay, with size 1.

    Example:
        >>> float(tf.experimental.numpy.nansum([1.0, np.nan]))
        1.0
    """
    a = _in_dtype(a, dtype)
    return kernels.nan_total(a, axis=axes_of(axis), keepdims=bool(keepdims), product=False)


def nanprod(a: Any, axis: Any = None, dtype: Any = None, keepdims: builtins.bool = False) -> Tensor:
    """Return the product of what is not NaN.

    Args:
        a: An array.
        axis: The axes to reduce.
        dtype: The dtype to compute in; None makes small ints and bools int64.
        keepdims: Whether reduced axes stay, with size 1.

    Example:
        >>> float(tf.experimental.numpy.nanprod([2.0, np.nan]))
        2.0
    """
    a = _in_dtype(a, dtype)
    return kernels.nan_total(a, axis=axes_of(axis), keepdims=bool(keepdims), product=True)


# ---- running totals ------------------------------------------------------------------------------


def cumsum(a: Any, axis: Any = None, dtype: Any = None) -> Tensor:
    """Return running sums.

    Args:
        a: An array.
        axis: The axis; None takes the elements as one row.
        dtype: The dtype to compute in; None makes small ints and bools int64.

    Example:
        >>> tf.experimental.numpy.cumsum([1, 2, 3]).numpy()
        array([1, 3, 6])
    """
    return kernels.cumulative(_in_dtype(a, dtype), axis=axes_of(axis), product=False)


def cumprod(a: Any, axis: Any = None, dtype: Any = None) -> Tensor:
    """Return running products.

    Args:
        a: An array.
        axis: The axis; None takes the elements as one row.
        dtype: The dtype to compute in; None makes small ints and bools int64.

    Example:
        >>> tf.experimental.numpy.cumprod([1, 2, 3]).numpy()
        array([1, 2, 6])
    """
    return kernels.cumulative(_in_dtype(a, dtype), axis=axes_of(axis), product=True)
