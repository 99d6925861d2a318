"""Products of vectors, matrices and signals, with NumPy's rules for ranks.

Operands have one dtype, which is the result's.
"""

import jax.numpy as jnp

from lamina.engine import errors, op
from lamina.ops import checks

__all__ = [
    "contraction",
    "correlation",
    "correlation_matrix",
    "cross_product",
    "dot",
    "inner",
    "kron",
    "matmul",
    "outer",
    "trapezoid",
    "vdot",
]


def _fitting(multiply, x, y, what):
    """Return a product, or say which shapes do not fit."""
    if x.dtype == jnp.bool_:
        return _fitting(multiply, x.astype(jnp.int32), y.astype(jnp.int32), what) != 0
    try:
        return multiply(x, y)
    except (TypeError, ValueError):
        raise errors.InvalidArgumentError(
            f"{what}; got shapes {x.shape} and {y.shape}.\n  Fix: transpose or reshape one."
        ) from None


@op
def matmul(x, y):
    """Return the matrix product over the last two axes; leading axes broadcast."""
    return _fitting(
        jnp.matmul, x, y, "the last axis of `x1` and the last but one of `x2` must be equal"
    )


@op
def dot(x, y):
    """Return the product over the last axis of `x` and the last but one of `y`."""
    return _fitting(jnp.dot, x, y, "the last axis of `x1` must equal the last but one of `x2`")


@op
def inner(x, y):
    """Return the product over the last axes."""
    return _fitting(jnp.inner, x, y, "the last axes must be equal")


@op
def outer(x, y):
    """Return the products of all pairs: a matrix of the flat operands."""
    return jnp.ravel(x)[:, None] * jnp.ravel(y)[None]


@op
def vdot(x, y):
    """Return the sum of ``conj(x) * y`` over all elements."""
    return _fitting(jnp.vdot, x, y, "the operands must have as many elements")


@op
def contraction(x, y, *, axes):
    """Return the sum of products over `axes`: how many, or those of `x` and those of `y`."""
    return _fitting(
        lambda a, b: jnp.tensordot(a, b, axes), x, y, f"the axes {axes} must be equal in size"
    )


@op
def kron(x, y):
    """Return the Kronecker product: `y` times each element of `x`, as blocks."""
    return jnp.kron(x, y)


@op
def cross_product(x, y, *, axes):
    """Return the cross product of vectors of 2 or 3; `axes` are those of `x`, `y`, the result."""
    first, second, out = axes
    for operand, axis in ((x, first), (y, second)):
        if operand.shape[checks.axis(operand, axis)] not in (2, 3):
            raise ValueError(
                f"the vectors must have 2 or 3 elements; got shapes {x.shape} and {y.shape}, axes "
                f"{first} and {second}.\n  Fix: name the axis of the vectors."
            )
    return jnp.cross(x, y, first, second, out)


@op
def correlation(x, y, *, mode):
    """Return the sums of ``x[n + k] * conj(y[n])``, vectors; `mode` says which k."""
    return jnp.correlate(x, y, mode)


@op
def correlation_matrix(x):
    """Return how the rows of a matrix go together, in [-1, 1]."""
    return jnp.corrcoef(x)


@op
def trapezoid(y, x, *, dx, axis):
    """Return the integral along an axis by the trapezoidal rule, over `x` or steps of `dx`."""
    return jnp.trapezoid(y, x, dx, checks.axis(y, axis))
