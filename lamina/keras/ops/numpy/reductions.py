"""Keras' NumPy functions that reduce axes: totals, means, extrema, running totals.

`axis` is None for all axes, an int, or several; reduced axes stay with size 1 if `keepdims`.
"""

from typing import Any

from lamina import ops
from lamina.engine import as_dtype
from lamina.keras.ops.numpy.operands import (
    as_float,
    as_number,
    as_total,
    joined,
    shared,
    tensor,
)
from lamina.ops.numpy import reductions as kernels
from lamina.ops.sparse.making import from_dense
from lamina.ops.sparse.tensor import is_sparse

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "average",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "max",
    "mean",
    "min",
    "prod",
    "ptp",
    "std",
    "sum",
    "var",
]


def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return whether all elements along axes are True, or not 0.

    Args:
        x: Numbers or bools.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        bool, without the reduced axes.

    Example:
        >>> tf.keras.ops.numpy.all([[True, False], [True, True]], axis=1).numpy()
        array([False,  True])
    """
    return ops.reduce_all(tensor(x, "bool"), axis=axis, keepdims=keepdims)


def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return whether an element along axes is True, or not 0.

    Args:
        x: Numbers or bools.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        bool, without the reduced axes.

    Example:
        >>> tf.keras.ops.numpy.any([[True, False], [False, False]], axis=1).numpy()
        array([ True, False])
    """
    return ops.reduce_any(tensor(x, "bool"), axis=axis, keepdims=keepdims)


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the sum over axes.

    Args:
        x: Numbers or bools.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `x`; int32 or uint32 for integers of fewer bits, int32 for bools. Sparse for
        a sparse `x`.

    Example:
        >>> tf.keras.ops.numpy.sum([[1, 2], [3, 4]], axis=0).numpy()
        array([4, 6], dtype=int32)
    """
    x = tensor(x)
    found = ops.reduce_sum(tensor(x, as_total(x.dtype)), axis=axis, keepdims=keepdims)
    return from_dense(found) if is_sparse(x) else found


def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """Return the product over axes.

    Args:
        x: Numbers or bools.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.
        dtype: The dtype to compute in; None takes that of `sum`.

    Returns:
        `dtype`, without the reduced axes.

    Example:
        >>> tf.keras.ops.numpy.prod([[1, 2], [3, 4]], axis=0).numpy()
        array([3, 8], dtype=int32)
    """
    x = tensor(x)
    wanted = as_total(joined(x.dtype)) if dtype is None else as_dtype(dtype)
    if wanted.is_bool:
        return ops.reduce_all(tensor(x, wanted), axis=axis, keepdims=keepdims)
    return ops.reduce_prod(tensor(x, wanted), axis=axis, keepdims=keepdims)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the mean over axes.

    Args:
        x: Numbers or bools.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `x` if it is a float, else `floatx()`.

    Example:
        >>> tf.keras.ops.numpy.mean([[1, 2], [3, 4]], axis=0).numpy()
        array([2., 3.], dtype=float32)
    """
    x = tensor(x)
    dtype = x.dtype if x.dtype.is_complex else as_float(x.dtype)
    return ops.reduce_mean(tensor(x, dtype), axis=axis, keepdims=keepdims)


def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the variance over axes: the mean of ``|x - mean|²``.

    Args:
        x: Numbers or bools.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `x` if it is a float, else `floatx()`.

    Example:
        >>> tf.keras.ops.numpy.var([[1.0, 3.0], [2.0, 2.0]], axis=1).numpy()
        array([1., 0.], dtype=float32)
    """
    x = tensor(x)
    found = ops.reduce_variance(tensor(x, as_float(x.dtype)), axis=axis, keepdims=keepdims)
    return tensor(found, as_float(x.dtype))


def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the standard deviation over axes: the square root of `var`.

    Args:
        x: Numbers or bools.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `x` if it is a float, else `floatx()`.

    Example:
        >>> tf.keras.ops.numpy.std([[1.0, 3.0], [2.0, 2.0]], axis=1).numpy()
        array([1., 0.], dtype=float32)
    """
    x = tensor(x)
    dtype = x.dtype if x.dtype.is_complex else as_float(x.dtype)
    return ops.reduce_std(tensor(x, dtype), axis=axis, keepdims=keepdims)


def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """Return the weighted mean over axes.

    Args:
        x: Numbers or bools.
        axis: The axes to reduce.
        weights: Numbers of the shape of `x`, or a vector along one `axis`; None weighs all alike.

    Returns:
        A float that holds `x` and `weights`, without the reduced axes.

    Raises:
        ValueError: the shape of `weights` is neither.

    Example:
        >>> tf.keras.ops.numpy.average([1.0, 2.0, 4.0], weights=[1.0, 1.0, 2.0]).numpy()
        np.float32(2.75)
    """
    x = tensor(x)
    if weights is None:
        return ops.reduce_mean(tensor(x, as_float(x.dtype)), axis=axis)
    x, weights = shared(x, tensor(weights), weak=False)
    x, weights = tensor(x, as_float(x.dtype)), tensor(weights, as_float(x.dtype))
    if weights.shape.rank != x.shape.rank:
        along = axis[0] if isinstance(axis, list | tuple) and len(axis) == 1 else axis
        if not isinstance(along, int) or weights.shape.rank != 1:
            raise ValueError(
                f"average: `weights` must have the shape of `x`, {tuple(x.shape)}, or be a vector "
                f"along one `axis`; got shape {tuple(weights.shape)} and axis={axis}.\n"
                "  Fix: name the axis that the weights belong to."
            )
        weights = ops.reshape(weights, [-1] + [1] * (x.shape.rank - 1 - along % x.shape.rank))
    return kernels.weighted_mean(x, weights, axis=axis)


# ---- extrema -------------------------------------------------------------------------------------


def _extremum(x: Any, axis: Any, keepdims: bool, initial: Any, largest: bool) -> Any:
    x = tensor(x)
    if not x.dtype.is_bool and initial is None:
        reduce = ops.reduce_max if largest else ops.reduce_min
        return reduce(x, axis=axis, keepdims=keepdims)
    return kernels.extremum(x, axis=axis, keepdims=bool(keepdims), initial=initial, largest=largest)


def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Return the largest element along axes.

    Args:
        x: Real numbers or bools.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.
        initial: The least value of the result, or None.

    Returns:
        The dtype of `x`, without the reduced axes. Equal maxima share the gradient.

    Example:
        >>> tf.keras.ops.numpy.max([[1, 5], [3, 4]], axis=1).numpy()
        array([5, 4], dtype=int32)
    """
    return _extremum(x, axis, keepdims, initial, largest=True)


def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Return the smallest element along axes.

    Args:
        x: Real numbers or bools.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.
        initial: The greatest value of the result, or None.

    Returns:
        The dtype of `x`, without the reduced axes. Equal minima share the gradient.

    Example:
        >>> tf.keras.ops.numpy.min([[1, 5], [3, 4]], axis=1).numpy()
        array([1, 3], dtype=int32)
    """
    return _extremum(x, axis, keepdims, initial, largest=False)


def amax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the largest element along axes, as `max` does.

    Args:
        x: Real numbers or bools.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `x`, without the reduced axes.

    Example:
        >>> tf.keras.ops.numpy.amax([[1, 5], [3, 4]]).numpy()
        np.int32(5)
    """
    return _extremum(x, axis, keepdims, None, largest=True)


def amin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the smallest element along axes, as `min` does.

    Args:
        x: Real numbers or bools.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `x`, without the reduced axes.

    Example:
        >>> tf.keras.ops.numpy.amin([[1, 5], [3, 4]]).numpy()
        np.int32(1)
    """
    return _extremum(x, axis, keepdims, None, largest=False)


def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the range along axes: the largest element less the smallest.

    Args:
        x: Real numbers.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `x`, without the reduced axes.

    Example:
        >>> tf.keras.ops.numpy.ptp([[1, 5], [3, 4]], axis=1).numpy()
        array([4, 1], dtype=int32)
    """
    x = tensor(x)
    most = ops.reduce_max(x, axis=axis, keepdims=keepdims)
    return ops.subtract(most, ops.reduce_min(x, axis=axis, keepdims=keepdims))


def count_nonzero(x: Any, axis: Any = None) -> Any:
    """Return how many elements along axes are not 0.

    Args:
        x: Numbers or bools.
        axis: The axes to reduce.

    Returns:
        int32, without the reduced axes.

    Example:
        >>> tf.keras.ops.numpy.count_nonzero([[0, 2], [3, 4]], axis=0).numpy()
        array([1, 2], dtype=int32)
    """
    return ops.count_nonzero(tensor(x), axis=axis, dtype="int32")


# ---- running totals ------------------------------------------------------------------------------


def cumsum(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Return the running sum along an axis.

    Args:
        x: Numbers or bools.
        axis: The axis; None runs through all elements, in one row.
        dtype: The dtype to compute in; None takes that of `x`, int32 for bools.

    Returns:
        The shape of `x`, or a vector, in `dtype`.

    Example:
        >>> tf.keras.ops.numpy.cumsum([[1, 2], [3, 4]], axis=1).numpy()
        array([[1, 3],
               [3, 7]], dtype=int32)
    """
    return _run(x, axis, dtype, product=False)


def cumprod(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Return the running product along an axis.

    Args:
        x: Numbers or bools.
        axis: The axis; None runs through all elements, in one row.
        dtype: The dtype to compute in; None takes that of `x`, int32 for bools.

    Returns:
        The shape of `x`, or a vector, in `dtype`.

    Example:
        >>> tf.keras.ops.numpy.cumprod([[1, 2], [3, 4]]).numpy()
        array([ 1,  2,  6, 24], dtype=int32)
    """
    return _run(x, axis, dtype, product=True)


def _run(x: Any, axis: Any, dtype: Any, *, product: bool) -> Any:
    x = tensor(x, dtype)
    x = tensor(x, as_number(x.dtype))
    return kernels.cumulative(x, axis=axis, product=product)
