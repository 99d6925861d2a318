"""Matrix products and what is like them, and diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import Tensor, dtypes
from lamina.experimental.numpy.operands import array_of, as_total, dtype_of, shared
from lamina.ops.numpy import products as kernels
from lamina.ops.numpy import shaping

__all__ = [
    "cross",
    "diag",
    "diag_indices",
    "diagflat",
    "diagonal",
    "diff",
    "dot",
    "einsum",
    "inner",
    "kron",
    "matmul",
    "outer",
    "tensordot",
    "trace",
    "tril",
    "triu",
    "vdot",
]


def matmul(x1: Any, x2: Any) -> Tensor:
    """Return the matrix product; vectors count as a row or a column, which the result drops.

    Args:
        x1: Numbers of at least one axis.
        x2: The same; axes before the last two broadcast.

    Example:
        >>> tf.experimental.numpy.matmul([[1, 2]], [3, 4]).numpy()
        array([11])
    """
    return kernels.ranked_product(*shared(x1, x2))


def dot(a: Any, b: Any) -> Tensor:
    """Return the sum of products over the last axis of `a` and the last but one of `b`.

    Args:
        a: Numbers.
        b: Numbers; a scalar multiplies.

    Example:
        >>> int(tf.experimental.numpy.dot([1, 2], [3, 4]))
        11
    """
    return kernels.dot(*shared(a, b))


def inner(a: Any, b: Any) -> Tensor:
    """Return the sum of products over the last axes of both.

    Args:
        a: Numbers.
        b: Numbers.
    """
    return kernels.inner(*shared(a, b))


def outer(a: Any, b: Any) -> Tensor:
    """Return the products of each element of `a` with each of `b`, a matrix.

    Args:
        a: Numbers, taken as a row.
        b: Numbers, taken as a row.

    Example:
        >>> tf.experimental.numpy.outer([1, 2], [3, 4]).numpy()
        array([[3, 4],
               [6, 8]])
    """
    return kernels.outer(*shared(a, b))


def vdot(a: Any, b: Any) -> Tensor:
    """Return the sum of products of all elements, `a` conjugated.

    Args:
        a: Numbers.
        b: Numbers, as many.
    """
    return kernels.vdot(*shared(a, b))


def kron(a: Any, b: Any) -> Tensor:
    """Return the Kronecker product.

    Args:
        a: Numbers.
        b: Numbers.

    Example:
        >>> tf.experimental.numpy.kron([1, 10], [1, 2]).numpy()
        array([ 1,  2, 10, 20])
    """
    return kernels.kron(*shared(a, b))


def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None
) -> Tensor:
    """Return the cross product of vectors of 2 or 3 elements.

    Args:
        a: Numbers.
        b: Numbers; other axes broadcast.
        axisa: The axis of `a` that holds the vectors.
        axisb: That of `b`.
        axisc: Where the vectors stand in the result; it is dropped if both have 2 elements.
        axis: All three at once, or None.

    Example:
        >>> tf.experimental.numpy.cross([1, 0, 0], [0, 1, 0]).numpy()
        array([0, 0, 1])
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    return kernels.cross_product(*shared(a, b), axes=(axisa, axisb, axisc))


def tensordot(a: Any, b: Any, axes: Any = 2) -> Tensor:
    """Return the sum of products over several axes.

    Args:
        a: Numbers.
        b: Numbers.
        axes: How many axes, the last of `a` and the first of `b`; or the axes of both.
    """
    a, b = shared(a, b)
    return ops.tensordot(a, b, axes)


def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Tensor:
    """Return a sum of products, written in Einstein's notation.

    Args:
        subscripts: The notation, such as "ij,jk->ik".
        *operands: Numbers.
        **kwargs: `optimize`, accepted and unused; `casting` must be "safe".

    Raises:
        ValueError: another `casting`.
        TypeError: another keyword.

    Example:
        >>> tf.experimental.numpy.einsum("ij,j", [[1, 2]], [3, 4]).numpy()
        array([11])
    """
    if kwargs.pop("casting", "safe") != "safe":
        raise ValueError(
            "tf.experimental.numpy.einsum: `casting` must be 'safe'.\n  Fix: leave it out."
        )
    kwargs.pop("optimize", None)
    if kwargs:
        raise TypeError(f"Invalid keyword argument: {', '.join(kwargs)}.")
    return ops.einsum(subscripts, *shared(*operands))


# ---- diagonals -----------------------------------------------------------------------------------


def diag(v: Any, k: int = 0) -> Tensor:
    """Return a matrix with a vector on a diagonal, or a matrix' diagonal.

    Args:
        v: A vector or a matrix.
        k: Which diagonal: above the main one if positive.

    Raises:
        ValueError: `v` has neither one nor two axes.

    Example:
        >>> tf.experimental.numpy.diag([[1, 2], [3, 4]]).numpy()
        array([1, 4])
    """
    v = array_of(v)
    if v.ndim not in (1, 2):
        raise ValueError(
            f"tf.experimental.numpy.diag: v's rank must be 1 or 2; got shape {v.shape}.\n"
            f"  Fix: use diagonal, or diagflat."
        )
    if v.ndim == 1:
        return shaping.embedded_diagonal(v, k=k)
    return shaping.diagonal(v, offset=k, axis1=0, axis2=1)


def diagflat(v: Any, k: int = 0) -> Tensor:
    """Return a matrix with all elements, in a row, on a diagonal.

    Args:
        v: An array.
        k: Which diagonal.
    """
    return shaping.embedded_diagonal(array_of(v), k=k)


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Return a diagonal over two axes, along a new last axis.

    Args:
        a: An array of at least two axes.
        offset: Which diagonal.
        axis1: One axis.
        axis2: The other.
    """
    return shaping.diagonal(array_of(a), offset=offset, axis1=axis1, axis2=axis2)


def diag_indices(n: int, ndim: int = 2) -> tuple[Tensor, ...]:
    """Return the indices of the main diagonal.

    Args:
        n: Its length.
        ndim: The number of axes.

    Returns:
        `ndim` times an int32 Tensor of 0 to `n` - 1.
    """
    return (ops.range(n, dtype=dtypes.int32),) * ndim


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Tensor:
    """Return the sum of a diagonal over two axes.

    Args:
        a: An array of at least two axes.
        offset: Which diagonal.
        axis1: One axis.
        axis2: The other.
        dtype: The dtype to compute in; None makes small ints int64.

    Example:
        >>> int(tf.experimental.numpy.trace([[1, 2], [3, 4]]))
        5
    """
    a = as_total(array_of(a)) if dtype is None else ops.cast(array_of(a), dtype_of(dtype))
    return ops.reduce_sum(diagonal(a, offset, axis1, axis2), -1)


def tril(m: Any, k: int = 0) -> Tensor:
    """Return matrices with 0 above a diagonal.

    Args:
        m: An array of at least two axes.
        k: Which diagonal.
    """
    return shaping.kept_below(array_of(m), k=k)


def triu(m: Any, k: int = 0) -> Tensor:
    """Return matrices with 0 below a diagonal.

    Args:
        m: An array of at least two axes.
        k: Which diagonal.
    """
    return shaping.kept_above(array_of(m), k=k)


def diff(a: Any, n: int = 1, axis: int = -1) -> Tensor:
    """Return the differences of neighbours along an axis.

    Args:
        a: An array.
        n: How often to take them.
        axis: The axis.

    Example:
        >>> tf.experimental.numpy.diff([1, 3, 6]).numpy()
        array([2, 3])
    """
    return shaping.difference(array_of(a), n=int(np.asarray(n)), axis=axis)
