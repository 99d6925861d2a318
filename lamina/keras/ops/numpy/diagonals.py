"""Keras' NumPy functions of the diagonals of matrices."""

from typing import Any

from lamina import ops
from lamina.engine import static_int
from lamina.keras.ops.numpy.operands import as_total, of_rank, tensor
from lamina.ops.numpy import shaping as kernels

__all__ = ["diag", "diagflat", "diagonal", "trace", "tril", "triu"]


def diag(x: Any, k: int = 0) -> Any:
    """Return a matrix with a vector on its diagonal, or the diagonal of a matrix.

    Args:
        x: A vector or a matrix, any dtype.
        k: Which diagonal: above the main one if positive, below if negative.

    Returns:
        A matrix or a vector in the dtype of `x`.

    Raises:
        ValueError: `x` has another rank.

    Example:
        >>> tf.keras.ops.numpy.diag([1, 2]).numpy()
        array([[1, 0],
               [0, 2]], dtype=int32)
    """
    x = tensor(x)
    if x.ndim == 1:
        return kernels.embedded_diagonal(x, k=static_int(k, "diag(k)"))
    if x.ndim == 2:
        return diagonal(x, offset=k)
    raise ValueError(
        f"diag: `x` must be a vector or a matrix; got shape {tuple(x.shape)}.\n"
        "  Fix: use `diagonal` for more axes."
    )


def diagflat(x: Any, k: int = 0) -> Any:
    """Return a matrix with the elements of an array, in order, on its diagonal.

    Args:
        x: Any shape and dtype.
        k: Which diagonal: above the main one if positive, below if negative.

    Returns:
        A square matrix in the dtype of `x`.

    Example:
        >>> tf.keras.ops.numpy.diagflat([[1, 2]]).numpy()
        array([[1, 0],
               [0, 2]], dtype=int32)
    """
    return kernels.embedded_diagonal(tensor(x), k=static_int(k, "diagflat(k)"))


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the diagonals of the matrices that two axes make.

    Args:
        x: At least two axes, any dtype.
        offset: Which diagonal: above the main one if positive, below if negative.
        axis1: The axis of the rows.
        axis2: The axis of the columns.

    Returns:
        The other axes, then the diagonal's; dtype of `x`.

    Raises:
        ValueError: there are fewer than two axes, or `axis1` is `axis2`.

    Example:
        >>> tf.keras.ops.numpy.diagonal([[1, 2], [3, 4]]).numpy()
        array([1, 4], dtype=int32)
    """
    x = of_rank("diagonal", x, 2)
    return kernels.diagonal(x, offset=static_int(offset, "offset"), axis1=axis1, axis2=axis2)


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the sums of the diagonals of the matrices that two axes make.

    Args:
        x: At least two axes; numbers or bools.
        offset: Which diagonal: above the main one if positive, below if negative.
        axis1: The axis of the rows.
        axis2: The axis of the columns.

    Returns:
        The other axes; the dtype that `sum` has.

    Raises:
        ValueError: there are fewer than two axes, or `axis1` is `axis2`.

    Example:
        >>> tf.keras.ops.numpy.trace([[1, 2], [3, 4]]).numpy()
        np.int32(5)
    """
    x = of_rank("trace", x, 2)
    x = tensor(x, as_total(x.dtype))
    return ops.reduce_sum(diagonal(x, offset, axis1, axis2), axis=-1)


def tril(x: Any, k: int = 0) -> Any:
    """Return matrices with 0 above a diagonal.

    Args:
        x: At least two axes, any dtype.
        k: The diagonal: above the main one if positive, below if negative.

    Returns:
        The shape and dtype of `x`.

    Example:
        >>> tf.keras.ops.numpy.tril([[1, 2], [3, 4]]).numpy()
        array([[1, 0],
               [3, 4]], dtype=int32)
    """
    return kernels.kept_below(tensor(x), k=static_int(k, "tril(k)"))


def triu(x: Any, k: int = 0) -> Any:
    """Return matrices with 0 below a diagonal.

    Args:
        x: At least two axes, any dtype.
        k: The diagonal: above the main one if positive, below if negative.

    Returns:
        The shape and dtype of `x`.

    Example:
        >>> tf.keras.ops.numpy.triu([[1, 2], [3, 4]]).numpy()
        array([[1, 2],
               [0, 4]], dtype=int32)
    """
    return kernels.kept_above(tensor(x), k=static_int(k, "triu(k)"))
