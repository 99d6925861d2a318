"""Keras' NumPy functions that leave NaN out; where there is nothing else, the result is NaN."""

from typing import Any

from lamina.engine import as_dtype
from lamina.keras.ops.numpy.operands import as_float, as_number, as_total, joined, tensor
from lamina.ops.numpy import elementwise
from lamina.ops.numpy import reductions as kernels

__all__ = [
    "nan_to_num",
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
]


def nan_to_num(x: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Return numbers with NaN and the infinities replaced.

    Args:
        x: Numbers, any shape.
        nan: What stands for NaN.
        posinf: What stands for infinity; None is the largest number of the dtype.
        neginf: What stands for minus infinity; None is the least number of the dtype.

    Returns:
        The shape and dtype of `x`.

    Example:
        >>> tf.keras.ops.numpy.nan_to_num([np.nan, np.inf, 1.0], posinf=9.0).numpy()
        array([0., 9., 1.], dtype=float32)
    """
    return elementwise.nan_to_num(tensor(x), nan=nan, posinf=posinf, neginf=neginf)


def nansum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the sum of what is not NaN.

    Args:
        x: Numbers or bools.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `x`; int32 or uint32 for integers of fewer bits, int32 for bools.

    Example:
        >>> tf.keras.ops.numpy.nansum([1.0, np.nan, 2.0]).numpy()
        np.float32(3.0)
    """
    x = tensor(x)
    x = tensor(x, as_total(x.dtype))
    return kernels.nan_total(x, axis=axis, keepdims=bool(keepdims), product=False)


def nanprod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the product of what is not NaN.

    Args:
        x: Numbers or bools.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `x`; int32 or uint32 for integers of fewer bits, int32 for bools.

    Example:
        >>> tf.keras.ops.numpy.nanprod([3.0, np.nan, 2.0]).numpy()
        np.float32(6.0)
    """
    x = tensor(x)
    x = tensor(x, as_total(joined(x.dtype)))
    return kernels.nan_total(x, axis=axis, keepdims=bool(keepdims), product=True)


def nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the mean of what is not NaN.

    Args:
        x: Numbers or bools.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `x` if it is a float, else `floatx()`.

    Example:
        >>> tf.keras.ops.numpy.nanmean([1.0, np.nan, 2.0]).numpy()
        np.float32(1.5)
    """
    x = tensor(x)
    x = tensor(x, as_float(x.dtype))
    return kernels.nan_mean(x, axis=axis, keepdims=bool(keepdims))


def nanvar(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the variance, over N, of what is not NaN.

    Args:
        x: Numbers or bools.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `x` if it is a float, else `floatx()`.

    Example:
        >>> tf.keras.ops.numpy.nanvar([1.0, np.nan, 3.0]).numpy()
        np.float32(1.0)
    """
    x = tensor(x)
    x = tensor(x, as_float(x.dtype))
    return kernels.nan_variance(x, axis=axis, keepdims=bool(keepdims), root=False)


def nanstd(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the standard deviation of what is not NaN: the square root of `nanvar`.

    Args:
        x: Numbers or bools.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `x` if it is a float, else `floatx()`.

    Example:
        >>> tf.keras.ops.numpy.nanstd([1.0, np.nan, 3.0]).numpy()
        np.float32(1.0)
    """
    x = tensor(x)
    x = tensor(x, as_float(x.dtype))
    return kernels.nan_variance(x, axis=axis, keepdims=bool(keepdims), root=True)


def nanmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the largest element that is not NaN.

    Args:
        x: Real numbers or bools.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `x`, without the reduced axes.

    Example:
        >>> tf.keras.ops.numpy.nanmax([1.0, np.nan, 2.0]).numpy()
        np.float32(2.0)
    """
    return kernels.nan_extremum(tensor(x), axis=axis, keepdims=bool(keepdims), largest=True)


def nanmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the smallest element that is not NaN.

    Args:
        x: Real numbers or bools.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `x`, without the reduced axes.

    Example:
        >>> tf.keras.ops.numpy.nanmin([1.0, np.nan, 2.0]).numpy()
        np.float32(1.0)
    """
    return kernels.nan_extremum(tensor(x), axis=axis, keepdims=bool(keepdims), largest=False)


def nanargmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return where the largest element that is not NaN is along an axis.

    Args:
        x: Real numbers or bools.
        axis: The axis to search; None counts through all elements.
        keepdims: Whether the axis stays, with size 1.

    Returns:
        int32; the first place at a tie, -1 where all is NaN.

    Example:
        >>> tf.keras.ops.numpy.nanargmax([1.0, np.nan, 2.0]).numpy()
        np.int32(2)
    """
    return kernels.nan_place(tensor(x), axis=axis, keepdims=bool(keepdims), largest=True)


def nanargmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return where the smallest element that is not NaN is along an axis.

    Args:
        x: Real numbers or bools.
        axis: The axis to search; None counts through all elements.
        keepdims: Whether the axis stays, with size 1.

    Returns:
        int32; the first place at a tie, -1 where all is NaN.

    Example:
        >>> tf.keras.ops.numpy.nanargmin([np.nan, 1.0, 2.0]).numpy()
        np.int32(1)
    """
    return kernels.nan_place(tensor(x), axis=axis, keepdims=bool(keepdims), largest=False)


def nancumsum(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Return the running sum along an axis, NaN counting as 0.

    Args:
        x: Numbers or bools.
        axis: The axis; None runs through all elements, in one row.
        dtype: The dtype to compute in; None takes that of `x`, int32 for bools.

    Returns:
        The shape of `x`, or a vector, in `dtype`.

    Example:
        >>> tf.keras.ops.numpy.nancumsum([1.0, np.nan, 2.0]).numpy()
        array([1., 1., 3.], dtype=float32)
    """
    return _run(x, axis, dtype, product=False)


def nancumprod(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Return the running product along an axis, NaN counting as 1.

    Args:
        x: Numbers or bools.
        axis: The axis; None runs through all elements, in one row.
        dtype: The dtype to compute in; None takes that of `x`, int32 for bools.

    Returns:
        The shape of `x`, or a vector, in `dtype`.

    Example:
        >>> tf.keras.ops.numpy.nancumprod([3.0, np.nan, 2.0]).numpy()
        array([3., 3., 6.], dtype=float32)
    """
    return _run(x, axis, dtype, product=True)


def _run(x: Any, axis: Any, dtype: Any, *, product: bool) -> Any:
    x = tensor(x)
    if dtype is not None and as_dtype(dtype).is_bool:
        x = tensor(x, "bool")
    kind = as_number(x.dtype if dtype is None else as_dtype(dtype))
    if not kind.is_integer:
        x = tensor(x, kind)
    return kernels.nan_cumulative(x, axis=axis, product=product, dtype=kind)
