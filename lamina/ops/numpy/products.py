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
    "outer",
    "ranked_product",
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
def ranked_product(x, y):
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
    x = jnp.moveaxis(x, checks.axis(x, first), -1)
    y = jnp.moveaxis(y, checks.axis(y, second), -1)
    flat = x.shape[-1] == y.shape[-1] == 2
    if not {x.shape[-1], y.shape[-1]} <= {2, 3}:
        raise ValueError(
            f"the vectors must have 2 or 3 elements; got {x.shape[-1]} and {y.shape[-1]}.\n"
            "  Fix: name the axis of the vectors."
        )
    if flat:
        return x[..., 0] * y[..., 1] - x[..., 1] * y[..., 0]
    x, y = (jnp.pad(v, [(0, 0)] * (v.ndim - 1) + [(0, 3 - v.shape[-1])]) for v in (x, y))
    found = jnp.cross(x, y)
    return jnp.moveaxis(found, -1, out)


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
