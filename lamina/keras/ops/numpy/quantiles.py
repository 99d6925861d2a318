"""Keras' NumPy functions of the order of elements along axes: medians, quantiles, percentiles."""

from typing import Any

from lamina import ops
from lamina.keras.ops.numpy.operands import as_float, tensor
from lamina.ops.numpy import reductions as kernels

__all__ = [
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "percentile",
    "quantile",
]


def _floats(x: Any) -> Any:
    x = tensor(x)
    return tensor(x, as_float(x.dtype))


def _quantile(
    x: Any, q: Any, axis: Any, method: str, keepdims: bool, *, skip_nan: bool, whole: int = 1
) -> Any:
    """Return quantiles; `q` is in parts of `whole`."""
    x = _floats(x)
    q = tensor(q, x.dtype)
    q = q if whole == 1 else ops.truediv(q, tensor(whole, x.dtype))
    return kernels.quantile(
        x, q, axis=axis, method=method, keepdims=bool(keepdims), skip_nan=skip_nan
    )


def median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the median along axes: the mean of the two elements in the middle.

    Args:
        x: Real numbers or bools.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `x` if it is a float, else `floatx()`. NaN where an element is.

    Example:
        >>> tf.keras.ops.numpy.median([[1, 9, 3], [4, 5, 6]], axis=1).numpy()
        array([3., 5.], dtype=float32)
    """
    return kernels.median(_floats(x), axis=axis, keepdims=bool(keepdims), skip_nan=False)


def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the median along axes of what is not NaN.

    Args:
        x: Real numbers or bools.
        axis: The axes to reduce.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `x` if it is a float, else `floatx()`. NaN where all is.

    Example:
        >>> tf.keras.ops.numpy.nanmedian([1.0, np.nan, 3.0]).numpy()
        np.float32(2.0)
    """
    return kernels.median(_floats(x), axis=axis, keepdims=bool(keepdims), skip_nan=True)


def quantile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """Return quantiles along axes: values below which the fraction `q` of the elements lies.

    Args:
        x: Real numbers or bools.
        q: Fractions in [0, 1], any shape.
        axis: The axes to reduce.
        method: What to return between two elements: "linear" interpolation, the "lower", the
            "higher", the "nearest", or their "midpoint".
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `x` if it is a float, else `floatx()`; the axes of `q` come first.

    Raises:
        ValueError: `method` is none of these.

    Example:
        >>> tf.keras.ops.numpy.quantile([1.0, 2.0, 3.0, 4.0], [0.0, 0.5]).numpy()
        array([1. , 2.5], dtype=float32)
    """
    return _quantile(x, q, axis, method, keepdims, skip_nan=False)


def percentile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """Return percentiles along axes: values below which `q` percent of the elements lie.

    Args:
        x: Real numbers or bools.
        q: Percent in [0, 100], any shape.
        axis: The axes to reduce.
        method: What to return between two elements: "linear" interpolation, the "lower", the
            "higher", the "nearest", or their "midpoint".
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `x` if it is a float, else `floatx()`; the axes of `q` come first.

    Raises:
        ValueError: `method` is none of these.

    Example:
        >>> tf.keras.ops.numpy.percentile([1.0, 2.0, 3.0, 4.0], 50).numpy()
        np.float32(2.5)
    """
    return _quantile(x, q, axis, method, keepdims, skip_nan=False, whole=100)


def nanquantile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """Return quantiles along axes of what is not NaN.

    Args:
        x: Real numbers or bools.
        q: Fractions in [0, 1], any shape.
        axis: The axes to reduce.
        method: As in `quantile`.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `x` if it is a float, else `floatx()`; the axes of `q` come first.

    Raises:
        ValueError: `method` is unknown.

    Example:
        >>> tf.keras.ops.numpy.nanquantile([1.0, np.nan, 3.0], 0.5).numpy()
        np.float32(2.0)
    """
    return _quantile(x, q, axis, method, keepdims, skip_nan=True)


def nanpercentile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """Return percentiles along axes of what is not NaN.

    Args:
        x: Real numbers or bools.
        q: Percent in [0, 100], any shape.
        axis: The axes to reduce.
        method: As in `quantile`.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        The dtype of `x` if it is a float, else `floatx()`; the axes of `q` come first.

    Raises:
        ValueError: `method` is unknown.

    Example:
        >>> tf.keras.ops.numpy.nanpercentile([1.0, np.nan, 3.0], 50).numpy()
        np.float32(2.0)
    """
    return _quantile(x, q, axis, method, keepdims, skip_nan=True, whole=100)
