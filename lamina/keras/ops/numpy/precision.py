"""Keras' NumPy functions of digits: rounding, closeness, scaling by powers of two."""

from typing import Any

from lamina import ops
from lamina.keras.ops.numpy.operands import as_float, shared, tensor
from lamina.ops.numpy import elementwise as kernels

__all__ = ["allclose", "isclose", "ldexp", "round"]


def round(x: Any, decimals: int = 0) -> Any:
    """Return numbers rounded to decimal places, halves to the even neighbour.

    Args:
        x: Real numbers, any shape.
        decimals: How many places behind the point; negative ones round tens, hundreds, ….

    Returns:
        The shape and dtype of `x`.

    Example:
        >>> tf.keras.ops.numpy.round([0.5, 1.5, 2.26], 1).numpy()
        array([0.5, 1.5, 2.3], dtype=float32)
    """
    x = tensor(x)
    return ops.round(x) if decimals == 0 else kernels.decimal_rounded(x, decimals=decimals)


def isclose(
    x1: Any, x2: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Any:
    """Return where ``|x1 - x2| ≤ atol + rtol * |x2|``.

    Args:
        x1: Numbers.
        x2: Numbers; the shapes broadcast.
        rtol: The relative tolerance.
        atol: The absolute tolerance.
        equal_nan: Whether NaN is close to NaN.

    Returns:
        bool, of the broadcast shape.

    Example:
        >>> tf.keras.ops.numpy.isclose([1.0, 2.0], [1.000001, 2.1]).numpy()
        array([ True, False])
    """
    x1, x2 = shared(x1, x2)
    dtype = as_float(x1.dtype)
    return kernels.isclose(
        tensor(x1, dtype), tensor(x2, dtype), rtol=rtol, atol=atol, equal_nan=bool(equal_nan)
    )


def allclose(
    x1: Any, x2: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Any:
    """Return whether ``|x1 - x2| ≤ atol + rtol * |x2|`` everywhere.

    Args:
        x1: Numbers.
        x2: Numbers; the shapes broadcast.
        rtol: The relative tolerance.
        atol: The absolute tolerance.
        equal_nan: Whether NaN is close to NaN.

    Returns:
        bool, a scalar.

    Example:
        >>> tf.keras.ops.numpy.allclose([1.0, 2.0], [1.0, 2.000001]).numpy()
        np.True_
    """
    return ops.reduce_all(isclose(x1, x2, rtol, atol, equal_nan))


def ldexp(x1: Any, x2: Any) -> Any:
    """Return ``x1 * 2**x2``.

    Args:
        x1: Real numbers.
        x2: Integers; the shapes broadcast.

    Returns:
        The dtype of `x1` if it is a float, else `floatx()`.

    Raises:
        TypeError: `x2` are no integers.

    Example:
        >>> tf.keras.ops.numpy.ldexp([0.5, 3.0], [1, 2]).numpy()
        array([ 1., 12.], dtype=float32)
    """
    x1, x2 = tensor(x1), tensor(x2)
    if not x2.dtype.is_integer:
        raise TypeError(
            f"ldexp: `x2` must be integers; got {x2.dtype.name}.\n"
            "  Fix: use x1 * 2**x2 for other exponents."
        )
    dtype = as_float(x1.dtype)
    return kernels.ldexp(tensor(x1, dtype), tensor(x2, dtype))
