"""Matrices with few diagonals: eigenvalues of tridiagonal ones, banded triangular systems."""

from typing import Any

import jax.numpy as jnp
from jax import lax
from jax.scipy.linalg import eigh_tridiagonal as _eigenvalues

from lamina.engine import convert_to_tensor, op, static_ints
from lamina.ops.decomposition import eigh
from lamina.ops.diagonal import diag

__all__ = ["banded_triangular_solve", "eigh_tridiagonal"]


@op
def _tridiagonal_eigvals(alpha, beta, *, select, places):
    return _eigenvalues(alpha, beta, eigvals_only=True, select=select, select_range=places)


def eigh_tridiagonal(
    alpha: Any,
    beta: Any,
    eigvals_only: bool = True,
    select: str = "a",
    select_range: Any = None,
    tol: Any = None,
    name: str | None = None,
) -> Any:
    """Return the eigenvalues, and eigenvectors, of a self-adjoint tridiagonal matrix.

    Args:
        alpha: The diagonal, ``(n,)``, real or complex (the real part counts).
        beta: What stands above the diagonal, ``(n - 1,)``, same dtype.
        eigvals_only: Whether the vectors are left out.
        select: "a" for all, "i" for those at the places `select_range`, the first and last
            counted in; "v" for those with values in it, the first left out.
        select_range: Two numbers, for "i" and "v".
        tol: Accepted; they are found to the precision of the dtype.
        name: Accepted, unused.

    Returns:
        The eigenvalues in rising order, real, ``(m,)``; with vectors also ``(n, m)``, one a
        column.

    Raises:
        ValueError: `select` is unknown, or needs a range.
        TracedValueError: select="v" inside a trace, as the number depends on data.

    Example:
        >>> tf.linalg.eigh_tridiagonal([2.0, 2.0], [1.0]).numpy().round(3)
        array([1., 3.], dtype=float32)
    """
    alpha = convert_to_tensor(alpha)
    beta = convert_to_tensor(beta, alpha.dtype)
    if select not in ("a", "i", "v"):
        raise ValueError(
            f"tf.linalg.eigh_tridiagonal: `select` must be 'a', 'i' or 'v'; got {select!r}."
        )
    if select != "a" and select_range is None:
        raise ValueError(
            f"tf.linalg.eigh_tridiagonal: select={select!r} needs `select_range`; got None."
        )
    if eigvals_only and not alpha.dtype.is_complex and select != "v":
        places = None if select == "a" else static_ints(select_range, "select_range")
        return _tridiagonal_eigvals(alpha, beta, select=select, places=places)
    values, vectors = eigh(_dense(alpha, beta))
    first, last = _range(values, select, select_range)
    values, vectors = values[first:last], vectors[:, first:last]
    values = _real(values)
    return values if eigvals_only else (values, vectors)


@op
def _real(x):
    return x.real


@op
def _conj(x):
    return jnp.conj(x)


def _dense(alpha: Any, beta: Any) -> Any:
    return diag(alpha) + diag(beta, k=1) + diag(_conj(beta), k=-1)


def _range(values: Any, select: str, given: Any) -> tuple[int, int]:
    """Return the places of the wanted eigenvalues, the last left out."""
    count = values.shape[0]
    if select == "a":
        return 0, count
    if select == "i":
        first, last = static_ints(given, "select_range")
        return first, last + 1
    low, high = (float(v) for v in given)
    found = [i for i, v in enumerate(_real(values).numpy()) if low < v <= high]
    return (found[0], found[-1] + 1) if found else (0, 0)


@op
def _substituted(bands, rhs, *, lower, adjoint):
    """Solve with the bands laid out as a dense triangle."""
    count, size = bands.shape[-2], bands.shape[-1]
    rows = jnp.arange(size)
    batch = bands.shape[:-2]
    dense = jnp.zeros((*batch, size, size), bands.dtype)
    for k in range(count):
        # Lower: band k stands k below the diagonal, its first k entries unused.
        offset = k if lower else count - 1 - k
        steps = rows[offset:] if lower else rows[: size - offset]
        columns = steps - offset if lower else steps + offset
        dense = dense.at[..., steps, columns].set(bands[..., k, :][..., steps])
    joint = jnp.broadcast_shapes(batch, rhs.shape[:-2])
    dense = jnp.broadcast_to(dense, (*joint, size, size))
    rhs = jnp.broadcast_to(rhs, (*joint, *rhs.shape[-2:]))
    return lax.linalg.triangular_solve(
        dense, rhs, left_side=True, lower=lower, transpose_a=adjoint, conjugate_a=adjoint
    )


def banded_triangular_solve(
    bands: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Any:
    """Solve systems of a triangular matrix of which only some diagonals are not zero.

    Args:
        bands: The diagonals, ``(…, K, M)``. Lower: the main one first, then those below it, each
            with unused entries at its start. Upper: the main one last, those above it before,
            with unused entries at their ends.
        rhs: ``(…, M, N)``, same dtype.
        lower: Whether the matrix is lower triangular.
        adjoint: Whether the system is that of the conjugate transpose.
        name: Accepted, unused.

    Returns:
        ``(…, M, N)``.

    Example:
        >>> bands = [[2.0, 2.0, 2.0], [0.0, 1.0, 1.0]]
        >>> tf.linalg.banded_triangular_solve(bands, [[2.0], [3.0], [4.0]]).numpy()
        array([[1. ],
               [1. ],
               [1.5]], dtype=float32)
    """
    bands = convert_to_tensor(bands)
    rhs = convert_to_tensor(rhs, bands.dtype)
    return _substituted(bands, rhs, lower=bool(lower), adjoint=bool(adjoint))
