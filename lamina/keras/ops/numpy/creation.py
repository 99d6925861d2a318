"""Keras' NumPy functions that make arrays: constants, ranges, grids of numbers, windows."""

import math
from typing import Any

from lamina import ops
from lamina.engine import DType, as_dtype, static_int, static_ints
from lamina.keras.ops.numpy.operands import as_float, joined, shared, tensor
from lamina.keras.policy import floatx
from lamina.ops.numpy import creation as kernels
from lamina.ops.numpy import windows

__all__ = [
    "arange",
    "array",
    "bartlett",
    "blackman",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "geomspace",
    "hamming",
    "hanning",
    "identity",
    "kaiser",
    "linspace",
    "logspace",
    "ones",
    "ones_like",
    "tri",
    "vander",
    "zeros",
    "zeros_like",
]


def _or_floatx(dtype: Any) -> DType:
    return as_dtype(floatx() if dtype is None else dtype)


# ---- constants -----------------------------------------------------------------------------------


def array(x: Any, dtype: Any = None) -> Any:
    """Return a value as a Tensor.

    Args:
        x: A number, an array, a Tensor, or nested lists of these.
        dtype: The dtype; None keeps the value's: int32 for int, float32 for float.

    Returns:
        `dtype`.

    Example:
        >>> tf.keras.ops.numpy.array([1, 2], dtype="float32").numpy()
        array([1., 2.], dtype=float32)
    """
    return tensor(x, dtype)


def zeros(shape: Any, dtype: Any = None) -> Any:
    """Return zeros.

    Args:
        shape: The sizes.
        dtype: The dtype; None is `floatx()`.

    Returns:
        `dtype`.

    Example:
        >>> tf.keras.ops.numpy.zeros((2,)).numpy()
        array([0., 0.], dtype=float32)
    """
    return ops.zeros(static_ints(shape, "zeros(shape)"), dtype=_or_floatx(dtype))


def ones(shape: Any, dtype: Any = None) -> Any:
    """Return ones.

    Args:
        shape: The sizes.
        dtype: The dtype; None is `floatx()`.

    Returns:
        `dtype`.

    Example:
        >>> tf.keras.ops.numpy.ones((2,), "int32").numpy()
        array([1, 1], dtype=int32)
    """
    return ops.ones(static_ints(shape, "ones(shape)"), dtype=_or_floatx(dtype))


def empty(shape: Any, dtype: Any = None) -> Any:
    """Return an array whose elements nobody should rely on; they are 0.

    Args:
        shape: The sizes.
        dtype: The dtype; None is `floatx()`.

    Returns:
        `dtype`.

    Example:
        >>> tf.keras.ops.numpy.empty((2, 3)).shape
        TensorShape([2, 3])
    """
    return zeros(shape, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """Return an array of one value.

    Args:
        shape: The sizes.
        fill_value: The value; an array broadcasts to `shape`.
        dtype: The dtype; None is `floatx()`.

    Returns:
        `dtype`.

    Example:
        >>> tf.keras.ops.numpy.full((2,), 7, dtype="int32").numpy()
        array([7, 7], dtype=int32)
    """
    value = tensor(fill_value, _or_floatx(dtype))
    return ops.broadcast_to(value, static_ints(shape, "full(shape)"))


def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Return zeros in the shape of an array.

    Args:
        x: Any shape and dtype.
        dtype: The dtype; None is that of `x`.

    Returns:
        The shape of `x`.

    Example:
        >>> tf.keras.ops.numpy.zeros_like([1, 2]).numpy()
        array([0, 0], dtype=int32)
    """
    return ops.zeros_like(tensor(x), dtype=dtype)


def ones_like(x: Any, dtype: Any = None) -> Any:
    """Return ones in the shape of an array.

    Args:
        x: Any shape and dtype.
        dtype: The dtype; None is that of `x`.

    Returns:
        The shape of `x`.

    Example:
        >>> tf.keras.ops.numpy.ones_like([1.0, 2.0]).numpy()
        array([1., 1.], dtype=float32)
    """
    return ops.ones_like(tensor(x), dtype=dtype)


def empty_like(x: Any, dtype: Any = None) -> Any:
    """Return an array, in the shape of another, whose elements nobody should rely on.

    Args:
        x: Any shape and dtype.
        dtype: The dtype; None is that of `x`.

    Returns:
        The shape of `x`.

    Example:
        >>> tf.keras.ops.numpy.empty_like([1, 2]).shape
        TensorShape([2])
    """
    return ops.zeros_like(tensor(x), dtype=dtype)


def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """Return an array of one value in the shape of another.

    Args:
        x: Any shape and dtype.
        fill_value: The value; an array broadcasts to the shape.
        dtype: The dtype; None is that of `x`.

    Returns:
        The shape of `x`.

    Example:
        >>> tf.keras.ops.numpy.full_like([1, 2], 7).numpy()
        array([7, 7], dtype=int32)
    """
    x = tensor(x)
    value = tensor(fill_value, joined(x.dtype) if dtype is None else as_dtype(dtype))
    return ops.broadcast_to(value, ops.shape(x))


# ---- matrices ------------------------------------------------------------------------------------


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Return a matrix of 1 on a diagonal and 0 elsewhere.

    Args:
        N: The number of rows.
        M: The number of columns; None is `N`.
        k: The diagonal: above the main one if positive, below if negative.
        dtype: The dtype; None is `floatx()`.

    Returns:
        ``(N, M)`` in `dtype`.

    Raises:
        TypeError: `N` or `M` is no integer.

    Example:
        >>> tf.keras.ops.numpy.eye(2, 3, k=1).numpy()
        array([[0., 1., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    rows, columns = static_int(N, "eye(N)"), static_int(N if M is None else M, "eye(M)")
    return kernels.shifted_eye(
        rows=rows, columns=columns, k=static_int(k, "eye(k)"), dtype=_or_floatx(dtype)
    )


def identity(n: int, dtype: Any = None) -> Any:
    """Return the square matrix of 1 on the main diagonal.

    Args:
        n: The number of rows.
        dtype: The dtype; None is `floatx()`.

    Returns:
        ``(n, n)`` in `dtype`.

    Example:
        >>> tf.keras.ops.numpy.identity(2).numpy()
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Return a matrix of 1 on and below a diagonal and 0 above.

    Args:
        N: The number of rows.
        M: The number of columns; None is `N`.
        k: The diagonal: above the main one if positive, below if negative.
        dtype: The dtype; None is `floatx()`.

    Returns:
        ``(N, M)`` in `dtype`.

    Example:
        >>> tf.keras.ops.numpy.tri(2).numpy()
        array([[1., 0.],
               [1., 1.]], dtype=float32)
    """
    rows, columns = static_int(N, "tri(N)"), static_int(N if M is None else M, "tri(M)")
    return kernels.ones_below(
        rows=rows, columns=columns, k=static_int(k, "tri(k)"), dtype=_or_floatx(dtype)
    )


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Return the matrix of the powers of a vector, Vandermonde's.

    Args:
        x: Numbers ``(n,)``.
        N: The number of columns; None is n.
        increasing: Whether the powers rise from 0 on, or fall to 0.

    Returns:
        ``(n, N)`` in the dtype of `x`.

    Raises:
        ValueError: `x` is no vector.

    Example:
        >>> tf.keras.ops.numpy.vander([1.0, 2.0], 3).numpy()
        array([[1., 1., 1.],
               [4., 2., 1.]], dtype=float32)
    """
    x = tensor(x)
    if x.ndim != 1:
        raise ValueError(
            f"vander: `x` must be a vector; got shape {tuple(x.shape)}.\n"
            "  Fix: flatten it with `ravel`."
        )
    count = x.shape[0] if N is None else static_int(N, "vander(N)")
    return kernels.powers(tensor(x, joined(x.dtype)), count=count, increasing=bool(increasing))


# ---- ranges --------------------------------------------------------------------------------------


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """Return the numbers from `start` up to, excluding, `stop`.

    Args:
        start: The first number; with `stop` None it is the end, and the first number is 0.
        stop: The end, or None.
        step: The distance, not 0; None is 1.
        dtype: The dtype; None takes that of the arguments: int32, or float32 for floats.

    Returns:
        A vector in `dtype`.

    Raises:
        InvalidArgumentError: `step` is 0 or leads away from `stop`.

    Example:
        >>> tf.keras.ops.numpy.arange(2, 9, 3).numpy()
        array([2, 5, 8], dtype=int32)
    """
    step = 1 if step is None else step
    if dtype is None:
        dtype = joined(*[_range_dtype(v) for v in (start, stop, step) if v is not None])
    if stop is None:
        start, stop = 0, start
    return ops.range(start, stop, delta=step, dtype=as_dtype(dtype))


def _range_dtype(value: Any) -> Any:
    """Return the dtype that a bound brings: a Python int is int32, a float `floatx()`."""
    if type(value) is float:
        return as_dtype(floatx())
    return as_dtype(value.dtype) if hasattr(value, "dtype") else as_dtype("int32")


def _line(
    start: Any,
    stop: Any,
    num: Any,
    endpoint: bool,
    dtype: Any,
    axis: int,
    *,
    who: str,
    base: Any = None,
) -> tuple[Any, Any, Any]:
    """Return evenly spaced numbers, and their ends in the dtype computed in."""
    num = static_int(num, f"{who}(num)")
    if num < 0:
        raise ValueError(
            f"{who}: `num` must not be negative; got {num}.\n  Fix: ask for 0 or more values."
        )
    start, stop = shared(start, stop, weak=False)
    common = as_float(start.dtype)
    wanted = common if dtype is None else as_dtype(dtype)
    wide = wanted if wanted.is_floating else common
    start, stop = tensor(start, wide), tensor(stop, wide)
    line = kernels.geometric if who == "geomspace" else kernels.line
    options = {} if base is None else {"base": base}
    values = line(start, stop, num=num, endpoint=bool(endpoint), axis=axis, dtype=wanted, **options)
    return values, start, stop


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Return evenly spaced numbers.

    Args:
        start: The first number, of any shape.
        stop: The last number, of a shape that broadcasts with `start`.
        num: How many.
        endpoint: Whether `stop` is the last; else it is the one after.
        retstep: Whether to return the distance too.
        dtype: The dtype; None is a float that holds both.
        axis: Where the new axis stands.

    Returns:
        The numbers in `dtype`, with one axis more than `start`; or these and the distance.

    Raises:
        ValueError: `num` is negative.

    Example:
        >>> tf.keras.ops.numpy.linspace(0, 1, 3).numpy()
        array([0. , 0.5, 1. ], dtype=float32)
    """
    values, start, stop = _line(start, stop, num, endpoint, dtype, axis, who="linspace")
    if not retstep:
        return values
    return values, kernels.step(start, stop, num=int(num), endpoint=bool(endpoint))


def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Return numbers with evenly spaced logarithms, from ``base**start`` to ``base**stop``.

    Args:
        start: The first exponent, of any shape.
        stop: The last exponent, of a shape that broadcasts with `start`.
        num: How many.
        endpoint: Whether `stop` is the last; else it is the one after.
        base: The base.
        dtype: The dtype; None is a float that holds both.
        axis: Where the new axis stands.

    Returns:
        The numbers in `dtype`, with one axis more than `start`.

    Raises:
        ValueError: `num` is negative.

    Example:
        >>> tf.keras.ops.numpy.logspace(0, 2, 3).numpy()
        array([  1.,  10., 100.], dtype=float32)
    """
    return _line(start, stop, num, endpoint, dtype, axis, who="logspace", base=base)[0]


def geomspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Return numbers each of which is the one before times the same factor.

    Args:
        start: The first number, not 0, of any shape.
        stop: The last number, of the same sign, of a shape that broadcasts with `start`.
        num: How many.
        endpoint: Whether `stop` is the last; else it is the one after.
        dtype: The dtype; None is `floatx()`.
        axis: Where the new axis stands.

    Returns:
        The numbers in `dtype`, with one axis more than `start`.

    Raises:
        ValueError: `num` is negative.

    Example:
        >>> tf.keras.ops.numpy.geomspace(1, 8, 4).numpy().round(3)
        array([1., 2., 4., 8.], dtype=float32)
    """
    return _line(start, stop, num, endpoint, _or_floatx(dtype), axis, who="geomspace")[0]


# ---- windows -------------------------------------------------------------------------------------


def _count(x: Any) -> int:
    """Return the number of weights, which may be given as a float."""
    value = tensor(x)
    return max(math.ceil(value.numpy() if value.dtype.is_floating else static_int(value, "x")), 0)


def _window(kernel: Any, x: Any) -> Any:
    return kernel(size=_count(x), dtype=as_dtype(floatx()))


def bartlett(x: Any) -> Any:
    """Return a triangle: ``1 - |2n / (x - 1) - 1|`` for n from 0 on.

    Args:
        x: How many weights.

    Returns:
        ``(x,)`` in `floatx()`.

    Example:
        >>> tf.keras.ops.numpy.bartlett(5).numpy()
        array([0. , 0.5, 1. , 0.5, 0. ], dtype=float32)
    """
    return _window(windows.bartlett, x)


def blackman(x: Any) -> Any:
    """Return ``0.42 - 0.5 cos(2πn / (x - 1)) + 0.08 cos(4πn / (x - 1))`` for n from 0 on.

    Args:
        x: How many weights.

    Returns:
        ``(x,)`` in `floatx()`.

    Example:
        >>> tf.keras.ops.numpy.blackman(3).numpy().round(3) + 0.0
        array([0., 1., 0.], dtype=float32)
    """
    return _window(windows.blackman, x)


def hamming(x: Any) -> Any:
    """Return ``0.54 - 0.46 cos(2πn / (x - 1))`` for n from 0 on.

    Args:
        x: How many weights.

    Returns:
        ``(x,)`` in `floatx()`.

    Example:
        >>> tf.keras.ops.numpy.hamming(3).numpy()
        array([0.08, 1.  , 0.08], dtype=float32)
    """
    return _window(windows.hamming, x)


def hanning(x: Any) -> Any:
    """Return ``0.5 - 0.5 cos(2πn / (x - 1))`` for n from 0 on.

    Args:
        x: How many weights.

    Returns:
        ``(x,)`` in `floatx()`.

    Example:
        >>> tf.keras.ops.numpy.hanning(3).numpy()
        array([0., 1., 0.], dtype=float32)
    """
    return _window(windows.hanning, x)


def kaiser(x: Any, beta: Any) -> Any:
    """Return ``I0(β sqrt(1 - (2n / (x - 1) - 1)²)) / I0(β)`` for n from 0 on.

    Args:
        x: How many weights.
        beta: β, a number: 0 is a rectangle, larger ones fall faster.

    Returns:
        ``(x,)`` in `floatx()`.

    Example:
        >>> tf.keras.ops.numpy.kaiser(3, 5.0).numpy().round(4)
        array([0.0367, 1.    , 0.0367], dtype=float32)
    """
    return windows.kaiser(tensor(beta, floatx()), size=_count(x))
