"""tf.keras.ops.linalg: decompositions, equations, norms."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import Tensor, convert_to_tensor
from lamina.keras.core import graph_function
from lamina.keras.policy import floatx
from lamina.keras.promotion import result_type

__all__ = [
    "cholesky",
    "cholesky_inverse",
    "det",
    "eig",
    "eigh",
    "inv",
    "jvp",
    "lstsq",
    "lu_factor",
    "matrix_rank",
    "norm",
    "pinv",
    "qr",
    "solve",
    "solve_triangular",
    "svd",
]


# ---- checks -----------------------------------------------------------------------------------


def _matrix(who: str, x: Any, square: bool = True) -> Tensor:
    x = convert_to_tensor(x)
    sizes = tuple(x.shape)[-2:]
    if len(sizes) < 2 or (square and None not in sizes and sizes[0] != sizes[1]):
        kind = "square matrices, (…, N, N)" if square else "matrices, (…, M, N)"
        raise ValueError(f"{who}: `x` must hold {kind}; got shape {tuple(x.shape)}.")
    return x


def _equation(who: str, a: Any, b: Any) -> tuple[Tensor, Tensor, bool]:
    """Return a matrix and a right side, and whether the side was given as vectors."""
    a, b = _matrix(who, a), convert_to_tensor(b)
    is_vector = b.ndim == a.ndim - 1
    rows = tuple(b.shape)[-1 if is_vector else -2 :][:1]
    if b.ndim < 1 or ((a.ndim == b.ndim or is_vector) and rows != tuple(a.shape)[-1:]):
        raise ValueError(
            f"{who}: `b` must have shape (…, N) or (…, N, K) for `a` of shape "
            f"{tuple(a.shape)}; got {tuple(b.shape)}."
        )
    return a, ops.expand_dims(b, -1) if is_vector else b, is_vector


# ---- decompositions ---------------------------------------------------------------------------


def cholesky(x: Any, upper: bool = False) -> Tensor:
    """Return the triangular L with ``L Lᴴ = x``.

    Args:
        x: Hermitian positive definite, ``(…, N, N)``.
        upper: Whether to return ``Lᴴ``.

    Returns:
        Shape and dtype of `x`.

    Raises:
        ValueError: `x` is not square.
        InvalidArgumentError: `x` is not positive definite.

    Example:
        >>> tf.keras.ops.cholesky(tf.constant([[4.0, 0.0], [0.0, 9.0]])).numpy()
        array([[2., 0.],
               [0., 3.]], dtype=float32)
    """
    factor = ops.cholesky(_matrix("cholesky", x))
    return ops.adjoint(factor) if upper else factor


def cholesky_inverse(x: Any, upper: bool = False) -> Tensor:
    """Return the inverse of the matrix whose Cholesky factor is given.

    Args:
        x: Triangular, ``(…, N, N)``.
        upper: Whether `x` is the upper factor.

    Returns:
        Shape and dtype of `x`.

    Raises:
        ValueError: `x` is not square.

    Example:
        >>> tf.keras.ops.cholesky_inverse(tf.constant([[2.0, 0.0], [0.0, 1.0]])).numpy()
        array([[0.25, 0.  ],
               [0.  , 1.  ]], dtype=float32)
    """
    x = _matrix("cholesky_inverse", x)
    eye = ops.zeros_like(x) + ops.eye(x.shape[-1], dtype=x.dtype)
    inverse = ops.triangular_solve(x, eye, lower=not upper)
    return ops.matmul(inverse, inverse, transpose_a=not upper, transpose_b=upper)


def det(x: Any) -> Tensor:
    """Return the determinants.

    Args:
        x: ``(…, N, N)``.

    Returns:
        ``(…)``, same dtype.

    Raises:
        ValueError: `x` is not square.

    Example:
        >>> tf.keras.ops.det(tf.constant([[2.0, 0.0], [0.0, 3.0]])).numpy()
        np.float32(6.0)
    """
    return ops.det(_matrix("det", x))


def eig(x: Any) -> tuple[Tensor, Tensor]:
    """Return eigenvalues and eigenvectors.

    Args:
        x: ``(…, N, N)``.

    Returns:
        Complex eigenvalues ``(…, N)``, and eigenvectors in the columns of ``(…, N, N)``.

    Raises:
        ValueError: `x` is not square.

    Example:
        >>> tf.keras.ops.eig(tf.constant([[2.0, 0.0], [0.0, 3.0]]))[0].numpy()
        array([2.+0.j, 3.+0.j], dtype=complex64)
    """
    return ops.eig(_matrix("eig", x))


def eigh(x: Any) -> tuple[Tensor, Tensor]:
    """Return eigenvalues, ascending, and eigenvectors of Hermitian matrices.

    Args:
        x: Hermitian, ``(…, N, N)``.

    Returns:
        Eigenvalues ``(…, N)``, and eigenvectors in the columns of ``(…, N, N)``.

    Raises:
        ValueError: `x` is not square.

    Example:
        >>> tf.keras.ops.eigh(tf.constant([[3.0, 0.0], [0.0, 2.0]]))[0].numpy()
        array([2., 3.], dtype=float32)
    """
    return ops.eigh(_matrix("eigh", x))


def lu_factor(x: Any) -> tuple[Tensor, Tensor]:
    """Return L and U in one matrix, and the order of the rows.

    Args:
        x: ``(…, N, N)``.

    Returns:
        L (its diagonal of ones left out) and U in ``(…, N, N)``, and int32 ``(…, N)``.

    Raises:
        ValueError: `x` is not square.

    Example:
        >>> tf.keras.ops.lu_factor(tf.constant([[1.0, 0.0], [2.0, 1.0]]))[1].numpy()
        array([1, 0], dtype=int32)
    """
    found, order = ops.lu(_matrix("lu_factor", x))
    return found, ops.invert_permutation(order) if order.ndim == 1 else ops.argsort(order)


def qr(x: Any, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """Return Q with orthonormal columns and upper triangular R, ``Q R = x``.

    Args:
        x: ``(…, M, N)``.
        mode: "reduced": Q is ``(…, M, min(M, N))``; "complete": ``(…, M, M)``.

    Returns:
        (Q, R).

    Raises:
        ValueError: `mode` is unknown.

    Example:
        >>> q, r = tf.keras.ops.qr(tf.ones((3, 2)))
        >>> q.shape, r.shape
        (TensorShape([3, 2]), TensorShape([2, 2]))
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: `mode` must be 'reduced' or 'complete'; got {mode!r}.")
    found = ops.qr(x, full_matrices=mode == "complete")
    return found[0], found[1]


def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Return the singular values, descending, and vectors: ``U diag(s) Vᴴ = x``.

    Args:
        x: ``(…, M, N)``.
        full_matrices: Whether U and V are square.
        compute_uv: Whether to return U and Vᴴ.

    Returns:
        (U, s, Vᴴ), or s ``(…, min(M, N))``.

    Raises:
        ValueError: `x` is no matrix.

    Example:
        >>> tf.keras.ops.svd(tf.constant([[3.0, 0.0], [0.0, 2.0]]), compute_uv=False).numpy()
        array([3., 2.], dtype=float32)
    """
    x = _matrix("svd", x, square=False)
    if not compute_uv:
        return ops.svd(x, full_matrices=full_matrices, compute_uv=False)
    s, u, v = ops.svd(x, full_matrices=full_matrices)
    return u, s, ops.adjoint(v)


# ---- equations --------------------------------------------------------------------------------


def inv(x: Any) -> Tensor:
    """Return the inverse matrices.

    Args:
        x: ``(…, N, N)``.

    Returns:
        Shape and dtype of `x`.

    Raises:
        ValueError: `x` is not square.

    Example:
        >>> tf.keras.ops.inv(tf.constant([[2.0, 0.0], [0.0, 4.0]])).numpy()
        array([[0.5 , 0.  ],
               [0.  , 0.25]], dtype=float32)
    """
    return ops.inv(_matrix("inv", x))


def solve(a: Any, b: Any) -> Tensor:
    """Return x with ``a x = b``.

    Args:
        a: ``(…, N, N)``.
        b: ``(…, N)`` or ``(…, N, K)``, same dtype.

    Returns:
        The shape of `b`.

    Raises:
        ValueError: the shapes do not fit.

    Example:
        >>> tf.keras.ops.solve(tf.constant([[2.0, 0.0], [0.0, 4.0]]), [2.0, 2.0]).numpy()
        array([1. , 0.5], dtype=float32)
    """
    a, b, is_vector = _equation("solve", a, b)
    x = ops.solve(a, b)
    return ops.squeeze(x, axis=-1) if is_vector else x


def solve_triangular(a: Any, b: Any, lower: bool = False) -> Tensor:
    """Return x with ``a x = b`` for triangular `a`.

    Args:
        a: Triangular, ``(…, N, N)``; the other half is not read.
        b: ``(…, N)`` or ``(…, N, K)``, same dtype.
        lower: Whether `a` is lower triangular.

    Returns:
        The shape of `b`.

    Raises:
        ValueError: the shapes do not fit.

    Example:
        >>> a = tf.constant([[2.0, 0.0], [0.0, 4.0]])
        >>> tf.keras.ops.solve_triangular(a, [2.0, 2.0]).numpy()
        array([1. , 0.5], dtype=float32)
    """
    a, b, is_vector = _equation("solve_triangular", a, b)
    x = ops.triangular_solve(a, b, lower=lower)
    return ops.squeeze(x, axis=-1) if is_vector else x


@graph_function
def lstsq(a: Any, b: Any, rcond: float | None = None) -> Tensor:
    """Return the shortest x for which ``|a x - b|`` is least.

    Args:
        a: ``(M, N)``.
        b: ``(M,)`` or ``(M, K)``, same dtype.
        rcond: Singular values below this fraction of the greatest count as 0; None takes the
            dtype's precision times ``max(M, N)``.

    Returns:
        ``(N,)`` or ``(N, K)``.

    Raises:
        ValueError: the rows differ in number.
        TypeError: `a` is no matrix, or `b` neither vector nor matrix.

    Example:
        >>> tf.keras.ops.lstsq(tf.constant([[2.0], [0.0]]), tf.constant([4.0, 3.0])).numpy()
        array([2.], dtype=float32)
    """
    a, b = convert_to_tensor(a), convert_to_tensor(b)
    if a.ndim != 2 or b.ndim not in (1, 2):
        raise TypeError(
            f"lstsq: `a` must have rank 2 and `b` rank 1 or 2; got shapes {tuple(a.shape)} and "
            f"{tuple(b.shape)}."
        )
    if a.shape[0] != b.shape[0]:
        raise ValueError(
            f"lstsq: `a` and `b` must have as many rows; got shapes {tuple(a.shape)} and "
            f"{tuple(b.shape)}."
        )
    side = ops.expand_dims(b, -1) if b.ndim == 1 else b
    precision = float(np.finfo(a.dtype.real_dtype.as_numpy_dtype).eps)
    limit = precision * max(a.shape) if rcond is None else precision if rcond < 0 else rcond
    u, s, v = svd(a, full_matrices=False)
    good = ops.greater_equal(s, limit * s[0])
    one = ops.ones_like(s)
    inverse = ops.where(good, one / ops.where(good, s, one), ops.zeros_like(s))
    weights = ops.expand_dims(ops.cast(inverse, a.dtype), -1)
    x = ops.matmul(ops.adjoint(v), weights * ops.matmul(ops.adjoint(u), side))
    return ops.squeeze(x, axis=-1) if b.ndim == 1 else x


def pinv(x: Any, rcond: float | None = None) -> Tensor:
    """Return the pseudo-inverse of Moore and Penrose.

    Args:
        x: ``(…, M, N)``.
        rcond: Singular values below this fraction of the greatest count as 0.

    Returns:
        ``(…, N, M)``, same dtype.

    Example:
        >>> tf.keras.ops.pinv(tf.constant([[2.0, 0.0], [0.0, 0.0]])).numpy()
        array([[0.5, 0. ],
               [0. , 0. ]], dtype=float32)
    """
    return ops.pinv(x, rcond=rcond)


def matrix_rank(x: Any, tol: float | None = None) -> Tensor:
    """Return the number of singular values that are not 0.

    Args:
        x: ``(…, M, N)``.
        tol: Singular values up to this count as 0; None takes the dtype's precision.

    Returns:
        int32, ``(…)``.

    Example:
        >>> tf.keras.ops.matrix_rank(tf.constant([[1.0, 2.0], [2.0, 4.0]])).numpy()
        np.int32(1)
    """
    return ops.matrix_rank(x, tol=tol)


# ---- norms ------------------------------------------------------------------------------------


def norm(
    x: Any, ord: Any = None, axis: int | Sequence[int] | None = None, keepdims: bool = False
) -> Tensor:
    """Return norms of vectors or matrices.

    Args:
        x: Numbers, any shape.
        ord: For vectors a number n, ``(Σ |x|ⁿ)^(1/n)``, or ±inf; for matrices "fro", "nuc", ±1,
            ±2 or ±inf. None is 2 for vectors, "fro" for matrices.
        axis: One axis for vectors, two for matrices; None is all.
        keepdims: Whether the axes stay, with size 1.

    Returns:
        Floating point, the shape of `x` without the axes.

    Raises:
        ValueError: the axes are out of range or more than two, or `ord` is unknown.

    Example:
        >>> tf.keras.ops.norm(tf.constant([3.0, 4.0])).numpy()
        np.float32(5.0)
    """
    x = convert_to_tensor(x)
    axes = tuple(range(x.ndim)) if axis is None else axis
    axes = (axes,) if isinstance(axes, int) else tuple(axes)
    if any(not -x.ndim <= a < x.ndim for a in axes) or len(axes) not in (1, 2):
        raise ValueError(
            f"norm: `axis` must name one or two axes of `x`, of shape {tuple(x.shape)}; got "
            f"{axis}.\n  Fix: axis=-1 for vectors, axis=(-2, -1) for matrices."
        )
    x = ops.cast(x, floatx() if x.dtype == "int64" else result_type(x.dtype, float))
    if len(axes) == 1:
        return _vector_norm(x, ord, axes[0], keepdims)
    return _matrix_norm(x, ord, (axes[0] % x.ndim, axes[1] % x.ndim), keepdims)


def _length(x: Tensor, axes: Any, keepdims: bool) -> Tensor:
    return ops.sqrt(ops.reduce_sum(x * ops.conj(x), axis=axes, keepdims=keepdims))


def _vector_norm(x: Tensor, ord: Any, axis: int, keepdims: bool) -> Tensor:
    if isinstance(ord, str):
        raise ValueError(f"norm: `ord` must be a number or None for vectors; got {ord!r}.")
    if ord is None or ord == 2:
        return _length(x, axis, keepdims)
    sizes = ops.abs(x)
    if ord in (math.inf, -math.inf):
        reduce = ops.reduce_max if ord > 0 else ops.reduce_min
        return reduce(sizes, axis=axis, keepdims=keepdims)
    if ord == 0:
        counted = ops.cast(ops.not_equal(sizes, 0), x.dtype)
        return ops.reduce_sum(counted, axis=axis, keepdims=keepdims)
    total = ops.reduce_sum(ops.pow(sizes, float(ord)), axis=axis, keepdims=keepdims)
    return ops.pow(total, 1.0 / float(ord))


def _matrix_norm(x: Tensor, ord: Any, axes: tuple[int, int], keepdims: bool) -> Tensor:
    row, column = axes
    if ord is None or ord == "fro":
        return _length(x, axes, keepdims)
    if ord in (1, -1, math.inf, -math.inf):
        inner, outer = (row, column) if ord in (1, -1) else (column, row)
        reduce = ops.reduce_max if ord > 0 else ops.reduce_min
        sums = ops.reduce_sum(ops.abs(x), axis=inner, keepdims=True)
        found = reduce(sums, axis=outer, keepdims=True)
        return found if keepdims else ops.squeeze(found, axis=list(axes))
    if ord not in ("nuc", 2, -2):
        raise ValueError(
            f"norm: `ord` must be 'fro', 'nuc', ±1, ±2, ±inf or None for matrices; got {ord!r}."
        )
    rest = [i for i in range(x.ndim) if i not in axes]
    values = ops.svd(ops.transpose(x, [*rest, *axes]), compute_uv=False)
    reduce = {"nuc": ops.reduce_sum, 2: ops.reduce_max, -2: ops.reduce_min}[ord]
    found = reduce(values, axis=-1)
    if keepdims:
        for axis in sorted(axes):
            found = ops.expand_dims(found, axis)
    return found


# ---- derivatives ------------------------------------------------------------------------------


def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """Return ``fun(*primals)`` and how it moves when the primals move by the tangents.

    Args:
        fun: A function of Tensors.
        primals: Its arguments, in a tuple or list.
        tangents: The directions, of the same structure and shapes.
        has_aux: Whether `fun` returns (result, other values), of which only the first counts.

    Returns:
        (result, derivative), or (result, derivative, other values).

    Example:
        >>> y, dy = tf.keras.ops.jvp(lambda x: x * x, (tf.constant(3.0),), (tf.constant(1.0),))
        >>> y.numpy(), dy.numpy()
        (np.float32(9.0), np.float32(6.0))
    """
    if not has_aux:
        return ops.forward_derivative(fun, primals, tangents)
    (result, other), (moved, _) = ops.forward_derivative(fun, primals, tangents)
    return result, moved, other
