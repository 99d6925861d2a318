"""Linear systems: solutions, inverses, determinants, ranks."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import lax

from lamina.engine import Tensor, convert_to_tensor, errors, local, op
from lamina.ops import checks
from lamina.ops.comparison import is_finite
from lamina.ops.reduce import reduce_all

__all__ = [
    "cholesky_solve",
    "det",
    "inv",
    "logdet",
    "lstsq",
    "lu_matrix_inverse",
    "lu_reconstruct",
    "lu_solve",
    "matrix_rank",
    "pinv",
    "slogdet",
    "solve",
    "triangular_solve",
]


def _adjoint(x):
    return jnp.conj(jnp.swapaxes(x, -1, -2))


def _finite(result, message):
    """Return the result of eager code once it is known to be finite.

    Raises:
        InvalidArgumentError: it is not; a trace cannot ask.
    """
    recorder = getattr(result, "_trace", None)
    if recorder is not None and not recorder.eager:  # the input of a functional model
        return result
    if local.trace.eager and not bool(reduce_all(is_finite(result))):
        raise errors.InvalidArgumentError(message)
    return result


def _pair(matrix, rhs):
    """Return both operands with their leading dimensions broadcast.

    Raises:
        InvalidArgumentError: `matrix` is not square, or `rhs` is not a matrix with as many rows.
    """
    checks.square(checks.inexact(matrix, "matrix"), "matrix")
    checks.matrix(rhs, "rhs")
    if matrix.shape[-1] != rhs.shape[-2]:
        raise errors.InvalidArgumentError(
            f"`rhs` must have as many rows as `matrix`; got {rhs.shape} and {matrix.shape}.\n"
            "  Fix: a vector b is `b[:, tf.newaxis]` here."
        )
    batch = jnp.broadcast_shapes(matrix.shape[:-2], rhs.shape[:-2])
    matrix = jnp.broadcast_to(matrix, batch + matrix.shape[-2:])
    return matrix, jnp.broadcast_to(rhs, batch + rhs.shape[-2:])


def _triangular(matrix, rhs, lower, adjoint=False, unit=False):
    matrix, rhs = _pair(matrix, rhs)
    return lax.linalg.triangular_solve(
        matrix,
        rhs,
        left_side=True,
        lower=lower,
        transpose_a=adjoint,
        conjugate_a=adjoint,
        unit_diagonal=unit,
    )


@op
def _solve(matrix, rhs, *, adjoint):
    return jnp.linalg.solve(*_pair(_adjoint(matrix) if adjoint else matrix, rhs))


def solve(matrix, rhs, adjoint=False, name=None):
    """Return ``x`` with ``matrix x = rhs``.

    Args:
        matrix: Float or complex ``(…, M, M)``, invertible.
        rhs: ``(…, M, K)`` of the same dtype.
        adjoint: Whether to solve with the adjoint of `matrix`.
        name: Accepted, unused.

    Returns:
        ``(…, M, K)``.

    Raises:
        InvalidArgumentError: the shapes do not fit; in eager code also if a matrix is not
            invertible, for which the result is computed at once.

    Example:
        >>> tf.linalg.solve([[2.0, 0.0], [0.0, 4.0]], [[2.0], [2.0]]).numpy()
        array([[1. ],
               [0.5]], dtype=float32)
    """
    return _finite(
        _solve(matrix, rhs, adjoint=bool(adjoint)),
        "tf.linalg.solve: `matrix` must be invertible; got a singular one.\n"
        "  Fix: use tf.linalg.lstsq, or add a small multiple of tf.eye.",
    )


@op
def _inv(input, *, adjoint):
    input = checks.square(checks.inexact(input, "input"), "input")
    return jnp.linalg.inv(_adjoint(input) if adjoint else input)


def inv(input, adjoint=False, name=None):
    """Return the inverse of matrices.

    Args:
        input: Float or complex ``(…, N, N)``, invertible.
        adjoint: Whether to invert the adjoint.
        name: Accepted, unused.

    Returns:
        The shape and dtype of `input`.

    Raises:
        InvalidArgumentError: `input` is not square; in eager code also if a matrix is not
            invertible, for which the result is computed at once.

    Example:
        >>> tf.linalg.inv([[2.0, 0.0], [0.0, 4.0]]).numpy()
        array([[0.5 , 0.  ],
               [0.  , 0.25]], dtype=float32)
    """
    return _finite(
        _inv(input, adjoint=bool(adjoint)),
        "tf.linalg.inv: `input` must be invertible; got a singular matrix.\n"
        "  Fix: use tf.linalg.pinv, or add a small multiple of tf.eye.",
    )


@op
def det(input):
    """Return the determinant of matrices.

    Args:
        input: Float or complex ``(…, N, N)``.

    Returns:
        ``(…)`` in the dtype of `input`.

    Raises:
        InvalidArgumentError: `input` is not square.

    Example:
        >>> tf.linalg.det([[2.0, 0.0], [0.0, 4.0]]).numpy()
        np.float32(8.0)
    """
    return jnp.linalg.det(checks.square(checks.inexact(input, "input"), "input"))


class LogMatrixDeterminant(NamedTuple):
    """A determinant that may be too large for its dtype.

    Attributes:
        sign: Its sign, or its direction in the complex plane.
        log_abs_determinant: The logarithm of its modulus.
    """

    sign: Tensor
    log_abs_determinant: Tensor


@op
def _slogdet(input):
    sign, size = jnp.linalg.slogdet(checks.square(checks.inexact(input, "input"), "input"))
    return sign, size.astype(input.dtype)


def slogdet(input, name=None):
    """Return the sign of the determinant, and the logarithm of its absolute value.

    Args:
        input: Float or complex ``(…, N, N)``.
        name: Accepted, unused.

    Returns:
        A named tuple: `sign` and `log_abs_determinant`, ``(…)`` in the dtype of `input`.

    Raises:
        InvalidArgumentError: `input` is not square.

    Example:
        >>> sign, size = tf.linalg.slogdet([[-1.0, 0.0], [0.0, 1.0]])
        >>> sign.numpy(), size.numpy()
        (np.float32(-1.0), np.float32(0.0))
    """
    return LogMatrixDeterminant(*_slogdet(input))


@op
def logdet(matrix):
    """Return the logarithm of the determinant of Hermitian positive definite matrices.

    Args:
        matrix: Float or complex ``(…, N, N)``, symmetric (Hermitian) and positive definite.

    Returns:
        ``(…)`` in the dtype of `matrix`, its real one for complex; NaN if not positive definite.

    Raises:
        InvalidArgumentError: `matrix` is not square.

    Example:
        >>> tf.linalg.logdet([[1.0, 0.0], [0.0, 1.0]]).numpy()
        np.float32(0.0)
    """
    factor = jnp.linalg.cholesky(checks.square(checks.inexact(matrix, "matrix"), "matrix"))
    return 2 * jnp.sum(jnp.log(jnp.real(jnp.diagonal(factor, 0, -2, -1))), axis=-1)


@op
def triangular_solve(matrix, rhs, lower=True, adjoint=False):
    """Return ``x`` with ``matrix x = rhs`` for triangular matrices.

    Args:
        matrix: Float or complex ``(…, M, M)``; only one triangle is read.
        rhs: ``(…, M, K)`` of the same dtype.
        lower: Whether it is the lower triangle.
        adjoint: Whether to solve with the adjoint of `matrix`.

    Returns:
        ``(…, M, K)``.

    Raises:
        InvalidArgumentError: the shapes do not fit.

    Example:
        >>> tf.linalg.triangular_solve([[2.0, 0.0], [1.0, 1.0]], [[2.0], [3.0]]).numpy()
        array([[1.],
               [2.]], dtype=float32)
    """
    return _triangular(matrix, rhs, bool(lower), bool(adjoint))


@op
def cholesky_solve(chol, rhs):
    """Return ``x`` with ``L Lᴴ x = rhs``.

    Args:
        chol: L, lower triangular ``(…, M, M)``, as `tf.linalg.cholesky` gives it.
        rhs: ``(…, M, K)`` of the same dtype.

    Returns:
        ``(…, M, K)``.

    Raises:
        InvalidArgumentError: the shapes do not fit.

    Example:
        >>> tf.linalg.cholesky_solve([[2.0, 0.0], [0.0, 1.0]], [[4.0], [3.0]]).numpy()
        array([[1.],
               [3.]], dtype=float32)
    """
    return _triangular(chol, _triangular(chol, rhs, True), True, adjoint=True)


@op
def _lstsq(matrix, rhs, *, l2_regularizer):
    """Solve the normal equations, of the smaller side, by a Cholesky decomposition."""
    rows, columns = checks.matrix(checks.inexact(matrix, "matrix"), "matrix").shape[-2:]
    adjoint = _adjoint(matrix)
    gram = adjoint @ matrix if rows >= columns else matrix @ adjoint
    gram = gram + l2_regularizer * jnp.eye(gram.shape[-1], dtype=gram.dtype)
    factor = jnp.linalg.cholesky(gram)
    known = adjoint @ rhs if rows >= columns else rhs
    half = _triangular(factor, known, True)
    solution = _triangular(factor, half, True, adjoint=True)
    return solution if rows >= columns else adjoint @ solution


@op
def _least_norm(matrix, rhs):
    return jnp.linalg.pinv(checks.matrix(checks.inexact(matrix, "matrix"), "matrix")) @ rhs


def lstsq(matrix, rhs, l2_regularizer: Any = 0.0, fast=True, name=None):
    """Return the ``x`` that minimizes ``||matrix x - rhs||² + l2_regularizer ||x||²``.

    Args:
        matrix: Float or complex ``(…, M, N)``.
        rhs: ``(…, M, K)`` of the same dtype.
        l2_regularizer: At least 0.
        fast: True solves the normal equations, for matrices of full rank and moderate condition;
            False takes the pseudo-inverse and ignores `l2_regularizer`, as in TF.
        name: Accepted, unused.

    Returns:
        ``(…, N, K)``; of several minima the shortest.

    Raises:
        InvalidArgumentError: the shapes do not fit.

    Example:
        >>> tf.linalg.lstsq([[1.0], [1.0]], [[2.0], [4.0]]).numpy()
        array([[2.99999...]], dtype=float32)
    """
    matrix = convert_to_tensor(matrix)
    if not fast:
        return _least_norm(matrix, rhs)
    return _lstsq(matrix, rhs, l2_regularizer=float(l2_regularizer))


@op
def _pinv(a, *, rcond):
    a = checks.matrix(checks.inexact(a, "a"), "a")
    if rcond is None:
        rcond = 10 * max(a.shape[-2:]) * float(jnp.finfo(a.dtype).eps)
    return jnp.linalg.pinv(a, rtol=rcond)


def pinv(a, rcond=None, validate_args=False, name=None):
    """Return the pseudo-inverse of Moore and Penrose.

    Args:
        a: Float or complex ``(…, M, N)``.
        rcond: Singular values below this fraction of the largest count as 0; None takes
            ``10 max(M, N) eps``.
        validate_args: Accepted, unused.
        name: Accepted, unused.

    Returns:
        ``(…, N, M)`` in the dtype of `a`.

    Raises:
        InvalidArgumentError: `a` is not a matrix.

    Example:
        >>> tf.linalg.pinv([[2.0, 0.0], [0.0, 0.0]]).numpy()
        array([[0.5, 0. ],
               [0. , 0. ]], dtype=float32)
    """
    return _pinv(a, rcond=rcond)


@op(differentiable=False)
def _matrix_rank(a, *, tol):
    values = jnp.linalg.svd(checks.matrix(checks.inexact(a, "a"), "a"), compute_uv=False)
    if tol is None:
        limit = max(a.shape[-2:]) * jnp.finfo(a.dtype).eps
        tol = limit * jnp.max(values, axis=-1, keepdims=True)
    return jnp.sum(values > tol, axis=-1, dtype=jnp.int32)


def matrix_rank(a, tol=None, validate_args=False, name=None):
    """Return the number of singular values that are not 0.

    Args:
        a: Float or complex ``(…, M, N)``.
        tol: Singular values up to this count as 0; None takes ``max(M, N) eps`` times the
            largest.
        validate_args: Accepted, unused.
        name: Accepted, unused.

    Returns:
        int32 ``(…)``.

    Raises:
        InvalidArgumentError: `a` is not a matrix.

    Example:
        >>> tf.linalg.matrix_rank([[1.0, 2.0], [2.0, 4.0]]).numpy()
        np.int32(1)
    """
    return _matrix_rank(a, tol=tol)


def _unpacked(lower_upper):
    size = checks.square(lower_upper, "lower_upper").shape[-1]
    lower = jnp.tril(lower_upper, -1) + jnp.eye(size, dtype=lower_upper.dtype)
    return lower, jnp.triu(lower_upper)


def _reordered(rows, order):
    order = jnp.broadcast_to(order, rows.shape[:-1])
    return jnp.take_along_axis(rows, order[..., None], axis=-2)


@op(mixed=True)
def _lu_reconstruct(lower_upper, perm):
    lower, upper = _unpacked(lower_upper)
    return _reordered(lower @ upper, jnp.argsort(perm, axis=-1))


def lu_reconstruct(lower_upper, perm, validate_args=False, name=None):
    """Return the matrix whose LU decomposition this is.

    Args:
        lower_upper: L and U packed into one matrix ``(…, N, N)``, as `tf.linalg.lu` gives them.
        perm: The order of rows ``(…, N)``.
        validate_args: Accepted, unused.
        name: Accepted, unused.

    Returns:
        ``(…, N, N)``.

    Example:
        >>> tf.linalg.lu_reconstruct(*tf.linalg.lu([[1.0, 2.0], [4.0, 4.0]])).numpy()
        array([[1., 2.],
               [4., 4.]], dtype=float32)
    """
    return _lu_reconstruct(lower_upper, perm)


@op(mixed=True)
def _lu_solve(lower_upper, perm, rhs):
    batch = jnp.broadcast_shapes(lower_upper.shape[:-2], rhs.shape[:-2])
    rhs = _reordered(jnp.broadcast_to(rhs, batch + rhs.shape[-2:]), perm)
    half = _triangular(lower_upper, rhs, True, unit=True)
    return _triangular(lower_upper, half, False)


def lu_solve(lower_upper, perm, rhs, validate_args=False, name=None):
    """Return ``x`` with ``A x = rhs``, from the LU decomposition of A.

    Args:
        lower_upper: L and U packed into one matrix ``(…, M, M)``, as `tf.linalg.lu` gives them.
        perm: The order of rows ``(…, M)``.
        rhs: ``(…, M, K)``.
        validate_args: Accepted, unused.
        name: Accepted, unused.

    Returns:
        ``(…, M, K)``.

    Raises:
        InvalidArgumentError: the shapes do not fit.

    Example:
        >>> tf.linalg.lu_solve(*tf.linalg.lu([[2.0, 0.0], [0.0, 4.0]]), [[2.0], [2.0]]).numpy()
        array([[1. ],
               [0.5]], dtype=float32)
    """
    return _lu_solve(lower_upper, perm, rhs)


@op(mixed=True)
def _lu_inverse(lower_upper, perm):
    identity = jnp.eye(lower_upper.shape[-1], dtype=lower_upper.dtype)
    rows = _reordered(jnp.broadcast_to(identity, lower_upper.shape), perm)
    return _triangular(lower_upper, _triangular(lower_upper, rows, True, unit=True), False)


def lu_matrix_inverse(lower_upper, perm, validate_args=False, name=None):
    """Return the inverse of A, from the LU decomposition of A.

    Args:
        lower_upper: L and U packed into one matrix ``(…, N, N)``, as `tf.linalg.lu` gives them.
        perm: The order of rows ``(…, N)``.
        validate_args: Accepted, unused.
        name: Accepted, unused.

    Returns:
        ``(…, N, N)``.

    Example:
        >>> tf.linalg.lu_matrix_inverse(*tf.linalg.lu([[2.0, 0.0], [0.0, 4.0]])).numpy()
        array([[0.5 , 0.  ],
               [0.  , 0.25]], dtype=float32)
    """
    return _lu_inverse(lower_upper, perm)
