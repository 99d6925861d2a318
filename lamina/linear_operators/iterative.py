"""Iterative solvers: systems that are only multiplied with."""

from typing import Any, NamedTuple

from lamina import ops
from lamina.engine import Tensor, static_int
from lamina.linear_operators.base import LinearOperator

__all__ = ["CGState", "conjugate_gradient"]


class CGState(NamedTuple):
    """Where `conjugate_gradient` ended.

    Attributes:
        i: The number of steps, int32.
        x: The solution, `(…, N)`.
        r: What is left, `rhs - A x`.
        p: The direction of the next step.
        gamma: `r · z`, where z is r after the preconditioner, `(…)`.
    """

    i: Any
    x: Tensor
    r: Tensor
    p: Tensor
    gamma: Tensor


def conjugate_gradient(
    operator: LinearOperator,
    rhs: Any,
    preconditioner: LinearOperator | None = None,
    x: Any = None,
    tol: float = 1e-5,
    max_iter: int = 20,
    name: str = "conjugate_gradient",
) -> CGState:
    """Solve ``A x = rhs`` step by step, for a self-adjoint positive definite A.

    Args:
        operator: A, a LinearOperator that says it is self-adjoint and positive definite.
        rhs: Vectors `(…, N)` of the operator's dtype.
        preconditioner: An operator near the inverse of A, or None.
        x: Where to start, as `rhs`; None is zero.
        tol: It ends when the norm of `rhs - A x` is at most this part of that of `rhs`, for all
            vectors.
        max_iter: The most steps.
        name: Accepted, unused.

    Returns:
        A tuple `(i, x, r, p, gamma)`: the number of steps, the solution, what is left of `rhs`, the
        next direction, and the squared norm of what is left, by the preconditioner.

    Raises:
        ValueError: the operator does not say that it is self-adjoint and positive definite.

    Example:
        >>> matrix = [[4.0, 1.0], [1.0, 3.0]]
        >>> a = tf.linalg.LinearOperatorFullMatrix(
        ...     matrix, is_self_adjoint=True, is_positive_definite=True
        ... )
        >>> tf.linalg.experimental.conjugate_gradient(a, [1.0, 2.0]).x.numpy().round(4)
        array([0.0909, 0.6364], dtype=float32)

    Reference: Hestenes & Stiefel 1952, J. Res. Natl. Bur. Stand. 49, 409.
    """
    if not (operator.is_self_adjoint and operator.is_positive_definite):
        raise ValueError(
            "tf.linalg.experimental.conjugate_gradient: `operator` must be self-adjoint and "
            f"positive definite; got {operator!r}.\n"
            f"  Fix: make it with is_self_adjoint=True and is_positive_definite=True, if it is."
        )
    rhs = ops.convert_to_tensor(rhs, operator.dtype)
    if x is None:
        x, r = ops.zeros_like(rhs), rhs
    else:
        x = ops.convert_to_tensor(x, operator.dtype)
        r = rhs - operator.matvec(x)
    bound = ops.norm(rhs, axis=-1) * tol
    after = r if preconditioner is None else preconditioner.matvec(r)
    most = static_int(max_iter, "max_iter")

    def goes_on(i: Any, x: Any, r: Any, p: Any, gamma: Any) -> Any:
        return ops.reduce_any(ops.norm(r, axis=-1) > bound)

    def step(i: Any, x: Any, r: Any, p: Any, gamma: Any) -> tuple[Any, ...]:
        product = operator.matvec(p)
        # A vector that is solved already has no direction: its step is 0.
        alpha = ops.divide_no_nan(gamma, _dot(p, product))
        x = x + alpha[..., None] * p
        r = r - alpha[..., None] * product
        after = r if preconditioner is None else preconditioner.matvec(r)
        new = _dot(r, after)
        p = after + ops.divide_no_nan(new, gamma)[..., None] * p
        return i + 1, x, r, p, new

    start = (ops.constant(0), x, r, after, _dot(r, after))
    return CGState(*ops.while_loop(goes_on, step, start, maximum_iterations=most))


def _dot(a: Any, b: Any) -> Any:
    """Return the product of vectors `(…, N)`, of shape `(…)`."""
    return ops.reduce_sum(ops.conj(a) * b, axis=-1)
