"""Decompositions of matrices, and the functions that come from them."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina.engine import Tensor, as_dtype, dtypes, errors, local, op
from lamina.late import late_module
from lamina.ops import checks
from lamina.ops.reduce import reduce_all

jsl = late_module("jax.scipy.linalg")

__all__ = [
    "cholesky",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "expm",
    "logm",
    "lu",
    "matrix_square_root",
    "qr",
    "sqrtm",
    "svd",
]


@op
def cholesky(input):
    """Return the lower triangular ``L`` with ``L Lᴴ`` the input.

    Args:
        input: Symmetric (Hermitian), positive definite matrices ``(…, N, N)``, float or complex.

    Returns:
        ``(…, N, N)`` in the dtype of `input`; NaN where a matrix is not positive definite.

    Raises:
        InvalidArgumentError: `input` is not square.

    Example:
        >>> tf.linalg.cholesky([[4.0, 2.0], [2.0, 2.0]]).numpy()
        array([[2., 0.],
               [1., 1.]], dtype=float32)
    """
    return jnp.linalg.cholesky(checks.square(checks.inexact(input, "input"), "input"))


class Qr(NamedTuple):
    """The factors of a QR decomposition.

    Attributes:
        q: Orthonormal columns.
        r: Upper triangular.
    """

    q: Tensor
    r: Tensor


@op
def _qr(input, *, full_matrices):
    mode = "complete" if full_matrices else "reduced"
    return tuple(jnp.linalg.qr(checks.matrix(checks.inexact(input, "input"), "input"), mode))


def qr(input, full_matrices=False, name=None):
    """Return ``q``, orthonormal, and ``r``, upper triangular, with ``q r`` the input.

    Args:
        input: Float or complex ``(…, M, N)``.
        full_matrices: Whether `q` is square.
        name: Accepted, unused.

    Returns:
        A named tuple: `q` ``(…, M, K)``, `r` ``(…, K, N)``; K is min(M, N), or M if full.

    Raises:
        InvalidArgumentError: `input` is not a matrix.

    Example:
        >>> q, r = tf.linalg.qr([[3.0, 1.0], [4.0, 2.0]])
        >>> np.allclose(q @ r, [[3.0, 1.0], [4.0, 2.0]], atol=1e-5)
        True
    """
    return Qr(*_qr(input, full_matrices=bool(full_matrices)))


class Lu(NamedTuple):
    """The factors of an LU decomposition.

    Attributes:
        lu: L below the diagonal, which is 1, and U from it up.
        p: The rows of the input in the order in which L U has them.
    """

    lu: Tensor
    p: Tensor


@op
def _lu(input, *, index_type):
    packed, _, order = lax.linalg.lu(checks.square(checks.inexact(input, "input"), "input"))
    return packed, order.astype(index_type.np)


@op(differentiable=False)
def _has_pivots(packed):
    return jnp.diagonal(packed, axis1=-2, axis2=-1) != 0


def lu(input, output_idx_type: Any = dtypes.int32, name=None):
    """Return the LU decomposition with partial pivoting.

    Args:
        input: Float or complex ``(…, N, N)``.
        output_idx_type: An integer dtype.
        name: Accepted, unused.

    Returns:
        A named tuple: `lu` ``(…, N, N)``, L and U packed into one matrix; `p` ``(…, N)``, so that
        L U is ``input[p]``.

    Raises:
        InvalidArgumentError: `input` is not square; in eager code also if a matrix is not
            invertible, for which the result is computed at once.

    Example:
        >>> packed, p = tf.linalg.lu([[1.0, 2.0], [4.0, 4.0]])
        >>> packed.numpy(), p.numpy()
        (array([[4.  , 4.  ],
               [0.25, 1.  ]], dtype=float32), array([1, 0], dtype=int32))
    """
    packed, order = _lu(input, index_type=as_dtype(output_idx_type))
    if local.trace.eager and not bool(reduce_all(_has_pivots(packed))):
        raise errors.InvalidArgumentError(
            "tf.linalg.lu: `input` must be invertible; got a singular matrix.\n"
            "  Fix: tf.linalg.qr and tf.linalg.svd take such too."
        )
    return Lu(packed, order)


@op
def _svd(tensor, *, full_matrices):
    tensor = checks.matrix(checks.inexact(tensor, "tensor"), "tensor")
    u, s, vh = jnp.linalg.svd(tensor, full_matrices=full_matrices)
    return s, u, jnp.conj(jnp.swapaxes(vh, -1, -2))


@op
def _singular_values(tensor):
    tensor = checks.matrix(checks.inexact(tensor, "tensor"), "tensor")
    return jnp.linalg.svd(tensor, compute_uv=False)


def svd(tensor, full_matrices=False, compute_uv=True, name=None):
    """Return the singular value decomposition ``u diag(s) vᴴ``.

    Args:
        tensor: Float or complex ``(…, M, N)``.
        full_matrices: Whether `u` and `v` are square; there is no gradient then.
        compute_uv: Whether `u` and `v` are wanted.
        name: Accepted, unused.

    Returns:
        `s` ``(…, K)``, descending, K being min(M, N); `u` ``(…, M, K)`` and `v` ``(…, N, K)``, or
        square ones. Only `s` without `compute_uv`.

    Raises:
        InvalidArgumentError: `tensor` is not a matrix.

    Example:
        >>> s, u, v = tf.linalg.svd([[3.0, 0.0], [0.0, 4.0]])
        >>> s.numpy()
        array([4., 3.], dtype=float32)
    """
    if not compute_uv:
        return _singular_values(tensor)
    return _svd(tensor, full_matrices=bool(full_matrices))


def _from_lower(x):
    """Return the Hermitian matrix that the lower triangle says, which is all that TF reads."""
    x = checks.square(checks.inexact(x, "tensor"), "tensor")
    return jnp.tril(x) + jnp.conj(jnp.swapaxes(jnp.tril(x, -1), -1, -2))


@op
def eigh(tensor):
    """Return the eigenvalues and eigenvectors of symmetric (Hermitian) matrices.

    Args:
        tensor: Float or complex ``(…, N, N)``; only the lower triangle is read.

    Returns:
        The eigenvalues ``(…, N)``, ascending, in the dtype of `tensor`, and the eigenvectors
        ``(…, N, N)``, in columns.

    Raises:
        InvalidArgumentError: `tensor` is not square.

    Example:
        >>> e, v = tf.linalg.eigh([[2.0, 0.0], [0.0, 1.0]])
        >>> e.numpy()
        array([1., 2.], dtype=float32)
    """
    values, vectors = jnp.linalg.eigh(_from_lower(tensor), symmetrize_input=False)
    return values.astype(tensor.dtype), vectors


@op
def eigvalsh(tensor):
    """Return the eigenvalues of symmetric (Hermitian) matrices.

    Args:
        tensor: Float or complex ``(…, N, N)``; only the lower triangle is read.

    Returns:
        ``(…, N)``, ascending, in the dtype of `tensor`.

    Raises:
        InvalidArgumentError: `tensor` is not square.

    Example:
        >>> tf.linalg.eigvalsh([[2.0, 0.0], [0.0, 1.0]]).numpy()
        array([1., 2.], dtype=float32)
    """
    values, _ = jnp.linalg.eigh(_from_lower(tensor), symmetrize_input=False)
    return values.astype(tensor.dtype)


@op
def eig(tensor):
    """Return the eigenvalues and eigenvectors of square matrices. On CPU only.

    Args:
        tensor: Float or complex ``(…, N, N)``.

    Returns:
        The eigenvalues ``(…, N)``, in no order, and the eigenvectors ``(…, N, N)``, in columns:
        complex64 for 32 bits, complex128 for 64.

    Raises:
        InvalidArgumentError: `tensor` is not square.

    Example:
        >>> e, v = tf.linalg.eig([[0.0, 1.0], [-1.0, 0.0]])
        >>> np.sort(e.numpy().imag)
        array([-1.,  1.], dtype=float32)
    """
    return tuple(jnp.linalg.eig(checks.square(checks.inexact(tensor, "tensor"), "tensor")))


@op
def eigvals(tensor):
    """Return the eigenvalues of square matrices. On CPU only.

    Args:
        tensor: Float or complex ``(…, N, N)``.

    Returns:
        ``(…, N)``, in no order: complex64 for 32 bits, complex128 for 64.

    Raises:
        InvalidArgumentError: `tensor` is not square.

    Example:
        >>> np.sort(tf.linalg.eigvals([[0.0, 1.0], [-1.0, 0.0]]).numpy().imag)
        array([-1.,  1.], dtype=float32)
    """
    return jnp.linalg.eigvals(checks.square(checks.inexact(tensor, "tensor"), "tensor"))


@op
def expm(input):
    """Return the matrix exponential ``I + A + A²/2! + …``.

    Args:
        input: Float or complex ``(…, N, N)``.

    Returns:
        The shape and dtype of `input`.

    Raises:
        InvalidArgumentError: `input` is not square.

    Example:
        >>> tf.linalg.expm([[0.0, 1.0], [0.0, 0.0]]).numpy()
        array([[1., 1.],
               [0., 1.]], dtype=float32)

    Reference: Higham 2005, https://doi.org/10.1137/04061101X, algorithm 2.3.
    """
    return jsl.expm(checks.square(checks.inexact(input, "input"), "input"))


# The iterations below find nothing where eigenvalues are negative numbers, whose roots are complex.
# On CPU a complex matrix takes LAPACK's Schur form instead; only the derivative is the iteration's.


@partial(jnp.vectorize, signature="(n,n)->(n,n)")
def _root_by_schur(a):
    return jsl.sqrtm(a)


@jax.custom_jvp
def _root(a):
    if not jnp.iscomplexobj(a):
        return _square_root(a)
    return lax.platform_dependent(a, cpu=_root_by_schur, default=_square_root)


@_root.defjvp
def _slope_of_root(at, steps):
    return _root(*at), jax.jvp(_square_root, at, steps)[1]


_ROOT_STEPS = 30  # the error squares at each, once eigenvalues are within 2 × of the root


def _square_root(a):
    """Return the principal square root, by the iteration of Denman and Beavers.

    Y → (Y + Z⁻¹) / 2 and Z → (Z + Y⁻¹) / 2, from Y = A and Z = I: Y → A^½, Z → A^-½.
    """

    def step(_, pair):
        y, z = pair
        return (y + jnp.linalg.inv(z)) / 2, (z + jnp.linalg.inv(y)) / 2

    identity = jnp.broadcast_to(jnp.eye(a.shape[-1], dtype=a.dtype), a.shape)
    return lax.fori_loop(0, _ROOT_STEPS, step, (a, identity))[0]


def _wide(x):
    """Return `x` in 64-bit precision, where the iterations keep the digits of 32 bits."""
    return x.astype(jnp.complex128 if jnp.iscomplexobj(x) else jnp.float64)


@op
def sqrtm(input):
    """Return the principal square root of matrices: ``B B`` is the input.

    Args:
        input: Float or complex ``(…, N, N)``, invertible; without negative eigenvalues if float, or
            elsewhere than on CPU.

    Returns:
        The shape and dtype of `input`; NaN where there is no such root.

    Raises:
        InvalidArgumentError: `input` is not square.

    Example:
        >>> tf.linalg.sqrtm([[4.0, 0.0], [0.0, 9.0]]).numpy().round(4)
        array([[2., 0.],
               [0., 3.]], dtype=float32)

    Reference: Higham 2008, Functions of Matrices, eq. 6.15.
    """
    x = checks.square(checks.inexact(input, "input"), "input")
    return _root(_wide(x)).astype(x.dtype)


matrix_square_root = sqrtm

_LOG_ROOTS = 8  # A^(1/256) is near I


def _nodes() -> tuple[np.ndarray, np.ndarray]:
    """Return Gauss-Legendre nodes and weights on [0, 1]: log(I + X) = ∫ X (I + tX)⁻¹ dt."""
    nodes, weights = np.polynomial.legendre.leggauss(7)
    return 0.5 * nodes + 0.5, 0.5 * weights


@op
def logm(input):
    """Return the principal logarithm of matrices, whose exponential is the input.

    Args:
        input: complex64 or complex128 ``(…, N, N)``, invertible; without negative eigenvalues
            elsewhere than on CPU.

    Returns:
        The shape and dtype of `input`.

    Raises:
        InvalidArgumentError: `input` is not square, or not complex.

    Example:
        >>> tf.linalg.logm(tf.eye(2, dtype=tf.complex64)).numpy().real
        array([[0., 0.],
               [0., 0.]], dtype=float32)

    Reference: Higham 2008, Functions of Matrices, chapter 11: inverse scaling and squaring.
    """
    if not jnp.iscomplexobj(input):
        raise errors.InvalidArgumentError(
            f"`input` must be complex; got {input.dtype}.\n  Fix: tf.cast(x, tf.complex64)."
        )
    root = _wide(checks.square(input, "input"))
    root = lax.fori_loop(0, _LOG_ROOTS, lambda _, each: _root(each), root)
    identity = jnp.eye(root.shape[-1], dtype=root.dtype)
    near = root - identity
    total = jnp.zeros_like(near)
    for node, weight in zip(*map(np.ndarray.tolist, _nodes()), strict=True):
        total = total + weight * jnp.linalg.solve(identity + node * near, near)
    return (2.0**_LOG_ROOTS * total).astype(input.dtype)
