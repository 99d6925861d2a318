"""Systems and products of tridiagonal matrices."""

import jax.numpy as jnp
from jax import lax

from lamina.engine import errors, op

__all__ = ["tridiagonal_matmul", "tridiagonal_solve"]


@op
def _three_of_compact(diagonals):
    if diagonals.ndim < 2 or diagonals.shape[-2] != 3:
        raise errors.ArgumentError(
            f"`diagonals` must be of shape (…, 3, M), three diagonals; got {diagonals.shape}.\n"
            "  Fix: the one above the main one first; pad it and the one below to M elements."
        )
    return diagonals[..., 0, :], diagonals[..., 1, :], diagonals[..., 2, :]


@op
def _three_of_matrix(diagonals):
    pads = [(0, 0)] * (diagonals.ndim - 2)
    above = jnp.pad(jnp.diagonal(diagonals, 1, -2, -1), [*pads, (0, 1)])
    below = jnp.pad(jnp.diagonal(diagonals, -1, -2, -1), [*pads, (1, 0)])
    return above, jnp.diagonal(diagonals, 0, -2, -1), below


@op
def _three_of_sequence(above, middle, below):
    """Return all as long as the main one; those beside it may lack their unused element."""
    size = middle.shape[-1]
    if not all(each.shape[-1] in (size, size - 1) for each in (above, below)):
        raise errors.ArgumentError(
            f"the diagonals above and below must have {size} elements, or {size - 1}; got shapes "
            f"{above.shape} and {below.shape}.\n  Fix: they are as long as the main one."
        )
    pads = [(0, 0)] * (middle.ndim - 1)
    above = jnp.pad(above, [*pads, (0, size - above.shape[-1])])
    return above, middle, jnp.pad(below, [*pads, (size - below.shape[-1], 0)])


def _three(diagonals, diagonals_format, who):
    """Return the diagonals above, on and below the main one, each ``(…, M)``."""
    if diagonals_format == "sequence":
        return _three_of_sequence(*diagonals)
    if diagonals_format not in ("compact", "matrix"):
        raise ValueError(
            f"{who}: `diagonals_format` must be 'compact', 'matrix' or 'sequence'; got "
            f"{diagonals_format!r}.\n  Fix: 'compact' is (…, 3, M), the one above first."
        )
    return (_three_of_compact if diagonals_format == "compact" else _three_of_matrix)(diagonals)


@op
def _tridiagonal_solve(above, middle, below, rhs, *, transpose, conjugate):
    is_vector = rhs.ndim == middle.ndim
    if isinstance(middle.shape[-1], int) and middle.shape[-1] == 0:
        return rhs
    rhs = rhs[..., None] if is_vector else jnp.swapaxes(rhs, -1, -2) if transpose else rhs
    rhs = jnp.conj(rhs) if conjugate else rhs
    below = below.at[..., 0].set(0)
    above = above.at[..., -1].set(0)
    out = lax.linalg.tridiagonal_solve(below, middle, above, rhs)
    return out[..., 0] if is_vector else out


def tridiagonal_solve(
    diagonals,
    rhs,
    diagonals_format="compact",
    transpose_rhs=False,
    conjugate_rhs=False,
    name=None,
    partial_pivoting=True,
    perturb_singular=False,
):
    """Return ``x`` with ``A x = rhs`` for tridiagonal matrices A.

    Args:
        diagonals: "compact": ``(…, 3, M)``, the diagonal above the main one first, whose last
            element is unused, and that below last, whose first element is unused; "matrix":
            ``(…, M, M)``; "sequence": three tensors ``(…, M)``, those beside the main one
            with or without the element that is unused.
        rhs: ``(…, M)`` or ``(…, M, K)`` of the same dtype.
        diagonals_format: How `diagonals` is given.
        transpose_rhs: Whether `rhs` is given as ``(…, K, M)``.
        conjugate_rhs: Whether `rhs` is conjugated first.
        name: Accepted, unused.
        partial_pivoting: Accepted, unused.
        perturb_singular: Must be False: singular matrices give NaN or infinity.

    Returns:
        ``(…, M)`` or ``(…, M, K)``.

    Raises:
        ValueError: `diagonals_format` is none of these, or `perturb_singular` is True.
        ArgumentError: there are not three diagonals, or their lengths do not fit.

    Example:
        >>> diagonals = [[1.0, 0.0], [2.0, 2.0], [0.0, 1.0]]
        >>> tf.linalg.tridiagonal_solve(diagonals, [3.0, 3.0]).numpy()
        array([1., 1.], dtype=float32)
    """
    who = "tf.linalg.tridiagonal_solve"
    if perturb_singular:
        raise ValueError(
            f"{who}: `perturb_singular` must be False; got True, and singular matrices are not "
            f"changed here.\n  Fix: add a small number to the main diagonal."
        )
    three = _three(diagonals, diagonals_format, who)
    return _tridiagonal_solve(*three, rhs, transpose=transpose_rhs, conjugate=conjugate_rhs)


@op
def _tridiagonal_matmul(above, middle, below, rhs):
    pads = [(0, 0)] * (rhs.ndim - 2)
    after = jnp.pad(rhs[..., 1:, :], [*pads, (0, 1), (0, 0)])
    before = jnp.pad(rhs[..., :-1, :], [*pads, (1, 0), (0, 0)])
    return above[..., None] * after + middle[..., None] * rhs + below[..., None] * before


def tridiagonal_matmul(diagonals, rhs, diagonals_format="compact", name=None):
    """Return the product of tridiagonal matrices and matrices.

    Args:
        diagonals: As in `tf.linalg.tridiagonal_solve`.
        rhs: ``(…, M, K)`` of the same dtype.
        diagonals_format: How `diagonals` is given.
        name: Accepted, unused.

    Returns:
        ``(…, M, K)``.

    Raises:
        ValueError: `diagonals_format` is none of these.

    Example:
        >>> diagonals = [[1.0, 0.0], [2.0, 2.0], [0.0, 1.0]]
        >>> tf.linalg.tridiagonal_matmul(diagonals, [[1.0], [1.0]]).numpy()
        array([[3.],
               [3.]], dtype=float32)
    """
    three = _three(diagonals, diagonals_format, "tf.linalg.tridiagonal_matmul")
    return _tridiagonal_matmul(*three, rhs)
