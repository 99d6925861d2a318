"""Keras' NumPy functions that multiply and add along axes: products, signals, integrals."""

from typing import Any

from lamina import ops
from lamina.keras.ops.numpy.operands import WIDE_FLOATS, as_float, as_wide_float, shared, tensor
from lamina.ops.numpy import products as kernels
from lamina.ops.numpy import shaping
from lamina.ops.sparse.calculating import dense_of, sparse_dense_matmul
from lamina.ops.sparse.making import from_dense
from lamina.ops.sparse.tensor import is_sparse

__all__ = [
    "corrcoef",
    "correlate",
    "cross",
    "diff",
    "dot",
    "einsum",
    "inner",
    "kron",
    "matmul",
    "outer",
    "slogdet",
    "tensordot",
    "trapezoid",
    "vdot",
]


def _pair(x1: Any, x2: Any) -> list[Any]:
    return shared(tensor(x1), tensor(x2))


def matmul(x1: Any, x2: Any) -> Any:
    """Return the matrix product.

    Args:
        x1: ``(…, n, k)``, or a vector ``(k,)``; or a `tf.SparseTensor`.
        x2: ``(…, k, m)``, or a vector ``(k,)``; leading axes broadcast. Likewise.

    Returns:
        ``(…, n, m)``, without the axis that a vector lacks; the dtype that holds both, int32 for
        two of int8.

    Raises:
        InvalidArgumentError: the sizes k differ, or leading axes do not broadcast.

    Example:
        >>> tf.keras.ops.numpy.matmul([[1, 2]], [[3], [4]]).numpy()
        array([[11]], dtype=int32)
    """
    if is_sparse(x1) or is_sparse(x2):
        return _sparse_product(x1, x2)
    x1, x2 = tensor(x1), tensor(x2)
    both_short = x1.dtype.name == x2.dtype.name == "int8"
    x1, x2 = (tensor(x, "int32") for x in (x1, x2)) if both_short else shared(x1, x2)
    return ops.matmul(x1, x2) if _is_plain(x1, x2) else kernels.ranked_product(x1, x2)


def _sparse_product(x1: Any, x2: Any) -> Any:
    """Return the product where one operand is sparse, at least; it is dense unless both are."""
    both = is_sparse(x1) and is_sparse(x2)
    if is_sparse(x1) and not both:
        x2 = tensor(x2)
        if len(x1.shape) == x2.ndim == 2 and x1.dtype is x2.dtype:
            return sparse_dense_matmul(x1, x2)
    y = matmul(dense_of(x1), dense_of(x2))
    return from_dense(y) if both else y


def _is_plain(x1: Any, x2: Any) -> bool:
    """Return whether TF's own product, a single equation known to files, applies."""
    return x1.ndim >= 2 and x2.ndim >= 2 and x1.dtype.is_floating


def dot(x1: Any, x2: Any) -> Any:
    """Return the product over the last axis of `x1` and the last but one of `x2`.

    Args:
        x1: ``(…, k)``, or a scalar.
        x2: ``(…, k, m)``, a vector ``(k,)``, or a scalar.

    Returns:
        The other axes of `x1`, then those of `x2`; the dtype that holds both.

    Raises:
        InvalidArgumentError: the sizes k differ.

    Example:
        >>> tf.keras.ops.numpy.dot([1, 2], [3, 4]).numpy()
        np.int32(11)
    """
    return kernels.dot(*_pair(x1, x2))


def inner(x1: Any, x2: Any) -> Any:
    """Return the product over the last axes.

    Args:
        x1: ``(…, k)``, or a scalar.
        x2: ``(…, k)``, or a scalar.

    Returns:
        The other axes of `x1`, then those of `x2`; the dtype that holds both.

    Raises:
        InvalidArgumentError: the sizes k differ.

    Example:
        >>> tf.keras.ops.numpy.inner([1, 2], [3, 4]).numpy()
        np.int32(11)
    """
    return kernels.inner(*_pair(x1, x2))


def outer(x1: Any, x2: Any) -> Any:
    """Return the products of all pairs of elements.

    Args:
        x1: n elements in any shape.
        x2: m elements in any shape.

    Returns:
        ``(n, m)`` in the dtype that holds both.

    Example:
        >>> tf.keras.ops.numpy.outer([1, 2], [3, 4]).numpy()
        array([[3, 4],
               [6, 8]], dtype=int32)
    """
    return kernels.outer(*_pair(x1, x2))


def vdot(x1: Any, x2: Any) -> Any:
    """Return the sum of ``conj(x1) * x2`` over all elements.

    Args:
        x1: n elements in any shape.
        x2: n elements in any shape.

    Returns:
        A scalar in the dtype that holds both.

    Raises:
        InvalidArgumentError: the numbers of elements differ.

    Example:
        >>> tf.keras.ops.numpy.vdot([1, 2], [3, 4]).numpy()
        np.int32(11)
    """
    return kernels.vdot(*_pair(x1, x2))


def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Any:
    """Return the sum of products over several axes.

    Args:
        x1: Any array.
        x2: Any array.
        axes: How many: the last of `x1` and the first of `x2`; or two lists, the axes of each.

    Returns:
        The other axes of `x1`, then those of `x2`; the dtype that holds both.

    Raises:
        InvalidArgumentError: the sizes differ.

    Example:
        >>> tf.keras.ops.numpy.tensordot([[1, 2]], [[3], [4]], axes=1).numpy()
        array([[11]], dtype=int32)
    """
    return kernels.contraction(*_pair(x1, x2), axes=axes)


def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Return the sum of products that a formula of axis letters describes.

    Args:
        subscripts: The letters of each operand's axes, ``->`` and those of the result, as in
            "ij,jk->ik"; an ellipsis stands for axes that broadcast.
        *operands: The arrays.
        **kwargs: `optimize`: accepted, as the order is always a good one.

    Returns:
        The dtype that holds all operands, int32 for int8.

    Raises:
        ValueError: the formula does not fit the operands.

    Example:
        >>> tf.keras.ops.numpy.einsum("ij,ij->i", [[1, 2], [3, 4]], [[1, 1], [2, 2]]).numpy()
        array([ 3, 14], dtype=int32)
    """
    arrays = [tensor(x) for x in operands]
    if all(x.dtype.name == "int8" for x in arrays):
        arrays = [tensor(x, "int32") for x in arrays]
    kwargs.pop("optimize", None)
    return ops.einsum(subscripts, *shared(*arrays), **kwargs)


def cross(
    x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None
) -> Any:
    """Return the cross product of vectors of 3 elements, or of 2 in the plane.

    Args:
        x1: Vectors along an axis; the other axes broadcast.
        x2: Vectors along an axis.
        axisa: The axis of the vectors of `x1`.
        axisb: The axis of the vectors of `x2`.
        axisc: The axis of the vectors of the result.
        axis: One axis for all three, or None.

    Returns:
        Vectors of 3 in the dtype that holds both; for two of 2, only the third element.

    Raises:
        ValueError: the vectors have neither 2 nor 3 elements.

    Example:
        >>> tf.keras.ops.numpy.cross([1, 0, 0], [0, 1, 0]).numpy()
        array([0, 0, 1], dtype=int32)
    """
    axes = (axisa, axisb, axisc) if axis is None else (axis,) * 3
    return kernels.cross_product(*_pair(x1, x2), axes=axes)


def kron(x1: Any, x2: Any) -> Any:
    """Return the Kronecker product: `x2` times each element of `x1`, as blocks.

    Args:
        x1: Any shape.
        x2: Any shape.

    Returns:
        Sizes are the products of those of both; the dtype that holds both.

    Example:
        >>> tf.keras.ops.numpy.kron([1, 2], [10, 1]).numpy()
        array([10,  1, 20,  2], dtype=int32)
    """
    return kernels.kron(*_pair(x1, x2))


def correlate(x1: Any, x2: Any, mode: str = "valid") -> Any:
    """Return the cross-correlation of two signals: ``Σ_n x1[n + k] * x2[n]``.

    Args:
        x1: Real numbers ``(n,)``.
        x2: Real numbers ``(m,)``.
        mode: Which k: "valid", where the signals overlap fully; "full", where they do at all;
            "same", the middle of it, as long as the longer signal.

    Returns:
        A vector of floats that hold both.

    Raises:
        ValueError: `mode` is none of these, or a signal is no vector.

    Example:
        >>> tf.keras.ops.numpy.correlate([1, 2, 3], [0, 1, 0.5]).numpy()
        array([3.5], dtype=float32)
    """
    if mode not in ("valid", "same", "full"):
        raise ValueError(
            f'correlate: `mode` must be "valid", "same" or "full"; got {mode!r}.\n'
            '  Fix: use "valid", the default.'
        )
    x1, x2 = WIDE_FLOATS.convert(tensor(x1), tensor(x2))
    if x1.ndim != 1 or x2.ndim != 1:
        raise ValueError(
            f"correlate: `x1` and `x2` must be vectors; got shapes {tuple(x1.shape)} and "
            f"{tuple(x2.shape)}.\n  Fix: flatten them with `ravel`."
        )
    return kernels.correlation(x1, x2, mode=mode)


def corrcoef(x: Any) -> Any:
    """Return Pearson's correlation of all pairs of rows.

    Args:
        x: Numbers ``(n, m)``: m observations of n variables; a vector is one variable.

    Returns:
        ``(n, n)`` in [-1, 1], a float.

    Raises:
        ValueError: there are more than two axes.

    Example:
        >>> tf.keras.ops.numpy.corrcoef([[1.0, 2.0, 3.0], [6.0, 4.0, 2.0]]).numpy()
        array([[ 1., -1.],
               [-1.,  1.]], dtype=float32)
    """
    x = tensor(x)
    if x.ndim > 2:
        raise ValueError(
            f"corrcoef: `x` must have at most two axes; got shape {tuple(x.shape)}.\n"
            "  Fix: reshape the variables into rows."
        )
    dtype = x.dtype if x.dtype.is_complex else as_wide_float(x.dtype)
    return kernels.correlation_matrix(tensor(x, dtype))


def slogdet(x: Any) -> Any:
    """Return the sign and the logarithm of the absolute value of determinants.

    Args:
        x: Float or complex ``(…, n, n)``.

    Returns:
        The sign and the logarithm, ``(…)``, in the dtype of `x`; 0 and -inf for singular matrices.

    Example:
        >>> sign, log = tf.keras.ops.numpy.slogdet([[2.0, 0.0], [0.0, -0.5]])
        >>> sign.numpy(), log.numpy()
        (np.float32(-1.0), np.float32(0.0))
    """
    return tuple(ops.slogdet(tensor(x)))


# ---- neighbours ----------------------------------------------------------------------------------


def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """Return the differences of neighbours along an axis.

    Args:
        a: At least one axis; numbers, or bools, which differ by "not equal".
        n: How many times to take differences.
        axis: The axis; it becomes shorter by `n`.

    Returns:
        Dtype of `a`.

    Raises:
        ValueError: `a` is a scalar, or `n` negative.

    Example:
        >>> tf.keras.ops.numpy.diff([1, 4, 9]).numpy()
        array([3, 5], dtype=int32)
    """
    return shaping.difference(tensor(a), n=n, axis=axis)


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """Return the integral along an axis by the trapezoidal rule.

    Args:
        y: Values.
        x: Where they are, a vector along the axis or the shape of `y`; None is steps of `dx`.
        dx: The distance of neighbours, without `x`.
        axis: The axis.

    Returns:
        The other axes; the dtype of `y` if it is a float, else `floatx()`.

    Example:
        >>> tf.keras.ops.numpy.trapezoid([1.0, 2.0, 3.0]).numpy()
        np.float32(4.0)
    """
    y = tensor(y)
    dtype = as_float(y.dtype)
    x = None if x is None else tensor(x, dtype)
    return kernels.trapezoid(tensor(y, dtype), x, dx=float(dx), axis=axis)
