"""Making arrays: from values, of one number, of even steps, with a diagonal."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import Tensor, as_dtype, static_int
from lamina.experimental.numpy.modes import modes
from lamina.experimental.numpy.operands import (
    array_of,
    common,
    default_float,
    dtype_of,
    floats,
)
from lamina.ops.numpy import creation as kernels

__all__ = [
    "arange",
    "array",
    "asanyarray",
    "asarray",
    "ascontiguousarray",
    "copy",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "geomspace",
    "identity",
    "linspace",
    "logspace",
    "meshgrid",
    "ones",
    "ones_like",
    "tri",
    "vander",
    "zeros",
    "zeros_like",
]


def array(val: Any, dtype: Any = None, copy: bool = True, ndmin: int = 0) -> Tensor:
    """Return a value as a Tensor: Python ints are int64, floats float64.

    Args:
        val: A Tensor, array, number or nested lists of these.
        dtype: The dtype to cast to; None keeps it.
        copy: Accepted, unused: Tensors do not change.
        ndmin: The least number of axes; axes of size 1 are put first.

    Example:
        >>> tf.experimental.numpy.array([[1, 2]], ndmin=3).shape
        TensorShape([1, 1, 2])
    """
    found = array_of(val, dtype)
    missing = ndmin - found.ndim
    return ops.reshape(found, [1] * missing + list(found.shape)) if missing > 0 else found


def asarray(a: Any, dtype: Any = None) -> Tensor:
    """Return a value as a Tensor: Python ints are int64, floats float64.

    Args:
        a: A Tensor, array, number or nested lists of these.
        dtype: The dtype to cast to; None keeps it.

    Example:
        >>> tf.experimental.numpy.asarray([1, 2]).dtype
        tf.int64
    """
    return array_of(a, dtype)


def asanyarray(a: Any, dtype: Any = None) -> Tensor:
    """Return a value as a Tensor, as `asarray`.

    Args:
        a: A Tensor, array, number or nested lists of these.
        dtype: The dtype to cast to; None keeps it.
    """
    return array_of(a, dtype)


def ascontiguousarray(a: Any, dtype: Any = None) -> Tensor:
    """Return a value as a Tensor of at least one axis.

    Args:
        a: A Tensor, array, number or nested lists of these.
        dtype: The dtype to cast to; None keeps it.
    """
    return array(a, dtype, ndmin=1)


def copy(a: Any) -> Tensor:
    """Return a copy of an array.

    Args:
        a: A Tensor, array, number or nested lists of these.
    """
    return ops.identity(array_of(a))


# ---- one number ----------------------------------------------------------------------------------


def _sizes(shape: Any) -> Any:
    value = np.asarray(shape) if not isinstance(shape, Tensor | list | tuple) else None
    return [shape] if value is not None and value.ndim == 0 else shape


def zeros(shape: Any, dtype: Any = float) -> Tensor:
    """Return zeros.

    Args:
        shape: Sizes, or one size.
        dtype: The dtype; Python's float means float64 (float32 in the modes "all" and "safe").

    Example:
        >>> tf.experimental.numpy.zeros([2]).numpy()
        array([0., 0.])
    """
    return ops.zeros(_sizes(shape), dtype_of(dtype or float))


def ones(shape: Any, dtype: Any = float) -> Tensor:
    """Return ones.

    Args:
        shape: Sizes, or one size.
        dtype: The dtype; Python's float means float64 (float32 in the modes "all" and "safe").

    Example:
        >>> tf.experimental.numpy.ones([2]).numpy()
        array([1., 1.])
    """
    return ops.ones(_sizes(shape), dtype_of(dtype or float))


def empty(shape: Any, dtype: Any = float) -> Tensor:
    """Return an array that is to be filled: zeros.

    Args:
        shape: Sizes, or one size.
        dtype: The dtype.
    """
    return zeros(shape, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """Return an array of one value.

    Args:
        shape: Sizes, or one size.
        fill_value: The value, which broadcasts to the shape.
        dtype: The dtype; None takes the value's.

    Example:
        >>> tf.experimental.numpy.full([2], 7).numpy()
        array([7, 7])
    """
    return ops.broadcast_to(array_of(fill_value, dtype), _sizes(shape))


def zeros_like(a: Any, dtype: Any = None) -> Tensor:
    """Return zeros in the shape of an array.

    Args:
        a: An array.
        dtype: The dtype; None takes that of `a`.

    Example:
        >>> tf.experimental.numpy.zeros_like([1, 2.0]).numpy()
        array([0., 0.])
    """
    a = array_of(a)
    return ops.zeros_like(a, a.dtype if dtype is None else dtype_of(dtype))


def ones_like(a: Any, dtype: Any = None) -> Tensor:
    """Return ones in the shape of an array.

    Args:
        a: An array.
        dtype: The dtype; None takes that of `a`.

    Example:
        >>> tf.experimental.numpy.ones_like([1, 2]).numpy()
        array([1, 1])
    """
    a = array_of(a)
    return ops.ones_like(a, a.dtype if dtype is None else dtype_of(dtype))


def empty_like(a: Any, dtype: Any = None) -> Tensor:
    """Return an array that is to be filled, zeros, in the shape of another.

    Args:
        a: An array.
        dtype: The dtype; None takes that of `a`.
    """
    return zeros_like(a, dtype)


def full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
) -> Tensor:
    """Return an array of one value in the shape of another.

    Args:
        a: An array.
        fill_value: The value, which broadcasts to the shape.
        dtype: The dtype; None takes that of `a`.
        order: Must be "K".
        subok: Must be True.
        shape: Must be None.

    Raises:
        ValueError: an argument that is not supported is given.

    Example:
        >>> tf.experimental.numpy.full_like([1, 2], 3.7).numpy()
        array([3, 3])
    """
    if order != "K" or not subok or shape is not None:
        raise ValueError(
            "tf.experimental.numpy.full_like: `order`, `subok` and `shape` are not supported.\n"
            "  Fix: leave them out."
        )
    a = array_of(a)
    value = array_of(fill_value, a.dtype if dtype is None else dtype)
    return ops.broadcast_to(value, ops.shape(a))


# ---- even steps ----------------------------------------------------------------------------------


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None) -> Tensor:
    """Return numbers of even steps.

    Args:
        start: The first; or the end, if `stop` is None: then the first is 0.
        stop: The end, which is not included.
        step: The step.
        dtype: The dtype; None takes the arguments' shared one.

    Raises:
        ValueError: `step` is 0.

    Example:
        >>> tf.experimental.numpy.arange(3).numpy()
        array([0, 1, 2])
    """
    if isinstance(step, int | float) and step == 0:
        raise ValueError("step must be non-zero.\n  Fix: give a step other than 0.")
    if stop is None:
        start, stop = 0, start
    wanted = common(start, stop, step) if dtype is None else dtype_of(dtype)
    known: list[Any] = [v for v in (start, stop, step) if isinstance(v, int | float | np.generic)]
    if len(known) == 3 and (known[1] - known[0]) * known[2] < 0:
        stop = start  # the step leads away from the end: nothing lies between
    made = ops.range(*[_scalar(v, wanted) for v in (start, stop, step)])
    plain = all(isinstance(v, int | float) for v in (start, stop, step))
    return modes.mark(made) if modes.weak and dtype is None and plain else made


def _scalar(value: Any, dtype: Any) -> Tensor:
    return ops.cast(array_of(value), dtype)


def _ends(start: Any, stop: Any) -> list[Tensor]:
    first, last = floats(start, stop)
    if modes.prefer_float32 and not any(isinstance(v, Tensor | np.ndarray) for v in (start, stop)):
        return [ops.cast(v, "float32") for v in (first, last)]
    return [first, last]


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = float,
    axis: int = 0,
) -> Any:
    """Return evenly spaced numbers.

    Args:
        start: The first, any shape.
        stop: The last, or the end; the shapes broadcast.
        num: How many.
        endpoint: Whether `stop` is the last.
        retstep: Whether to return the step too.
        dtype: The dtype; Python's float takes that of the ends, or their float dtype.
        axis: Where the new axis stands.

    Returns:
        A Tensor; with `retstep` a pair of it and the step.

    Raises:
        ValueError: `num` is negative.

    Example:
        >>> tf.experimental.numpy.linspace(0, 1, 3).numpy()
        array([0. , 0.5, 1. ])
    """
    count = static_int(num, "num")
    if count < 0:
        raise ValueError(
            f"tf.experimental.numpy.linspace: `num` must not be negative; got {count}."
        )
    first, last = _ends(start, stop)
    wanted = first.dtype if dtype in (float, None) else dtype_of(dtype)
    made = kernels.line(first, last, num=count, endpoint=endpoint, axis=axis, dtype=wanted)
    return (made, kernels.step(first, last, num=count, endpoint=endpoint)) if retstep else made


def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Tensor:
    """Return powers of a base with evenly spaced exponents.

    Args:
        start: The first exponent, any shape.
        stop: The last, or the end; the shapes broadcast.
        num: How many.
        endpoint: Whether `stop` is the last.
        base: The base.
        dtype: The dtype; None takes a float.
        axis: Where the new axis stands.

    Example:
        >>> tf.experimental.numpy.logspace(0, 2, 3).numpy()
        array([  1.,  10., 100.])
    """
    first, last = _ends(start, stop)
    wanted = first.dtype if dtype is None else dtype_of(dtype)
    count = static_int(num, "num")
    return kernels.line(
        first,
        last,
        num=count,
        endpoint=endpoint,
        axis=axis,
        dtype=wanted,
        base=builtins.float(base),
    )


def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Tensor:
    """Return numbers of even ratios.

    Args:
        start: The first, not 0, any shape.
        stop: The last, or the end; the shapes broadcast.
        num: How many.
        endpoint: Whether `stop` is the last.
        dtype: The dtype; None takes a float.
        axis: Where the new axis stands.

    Example:
        >>> tf.experimental.numpy.geomspace(1, 100, 3).numpy()
        array([  1.,  10., 100.])
    """
    first, last = _ends(start, stop)
    wanted = first.dtype if dtype is None else dtype_of(dtype)
    count = static_int(num, "num")
    return kernels.geometric(first, last, num=count, endpoint=endpoint, axis=axis, dtype=wanted)


def meshgrid(*xi: Any, **kwargs: Any) -> list[Tensor]:
    """Return vectors broadcast to the grid that they span.

    Args:
        *xi: Vectors.
        **kwargs: `indexing`: "xy" (the first two axes change places) or "ij"; `sparse` and `copy`
            must have their defaults.

    Raises:
        ValueError: `sparse=True` or `copy=False`.

    Example:
        >>> [g.shape.as_list() for g in tf.experimental.numpy.meshgrid([1, 2], [3])]
        [[1, 2], [1, 2]]
    """
    if kwargs.pop("sparse", False) or not kwargs.pop("copy", True):
        raise ValueError(
            "tf.experimental.numpy.meshgrid: `sparse` and `copy` are not supported.\n"
            "  Fix: leave them out."
        )
    return list(ops.meshgrid(*[array_of(x) for x in xi], **kwargs))


# ---- diagonals -----------------------------------------------------------------------------------


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = float) -> Tensor:
    """Return a matrix with 1 on a diagonal.

    Args:
        N: The number of rows.
        M: The number of columns; None takes `N`.
        k: Which diagonal: above the main one if positive.
        dtype: The dtype.

    Example:
        >>> tf.experimental.numpy.eye(2).numpy()
        array([[1., 0.],
               [0., 1.]])
    """
    columns = N if M is None else M
    return kernels.shifted_eye(rows=N, columns=columns, k=k, dtype=dtype_of(dtype or float))


def identity(n: int, dtype: Any = float) -> Tensor:
    """Return the identity matrix of `n` rows.

    Args:
        n: The number of rows and columns.
        dtype: The dtype.
    """
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Return a matrix with 1 on and below a diagonal.

    Args:
        N: The number of rows.
        M: The number of columns; None takes `N`.
        k: Which diagonal.
        dtype: The dtype; None takes a float.

    Example:
        >>> tf.experimental.numpy.tri(2).numpy()
        array([[1., 0.],
               [1., 1.]])
    """
    wanted = default_float() if dtype is None else as_dtype(dtype)
    return kernels.ones_below(rows=N, columns=N if M is None else M, k=k, dtype=wanted)


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Tensor:
    """Return the powers of a vector's elements in the columns of a matrix.

    Args:
        x: A vector.
        N: The number of columns; None takes its size.
        increasing: Whether the powers go up.

    Example:
        >>> tf.experimental.numpy.vander([1, 2]).numpy()
        array([[1, 1],
               [2, 1]])
    """
    x = array_of(x)
    count = x.shape[0] if N is None else N
    count = static_int(count, "N")
    if count < 0:
        raise ValueError("N must be nonnegative.\n  Fix: give the number of columns.")
    return kernels.powers(x, count=count, increasing=increasing)
