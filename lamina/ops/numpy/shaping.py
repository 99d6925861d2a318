"""Moving, joining and repeating elements, where NumPy goes further than TF.

Dtypes stay. Axes count from the front, or from -1 at the end.
"""

import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina.engine import op
from lamina.ops import checks

__all__ = [
    "diagonal",
    "difference",
    "embedded_diagonal",
    "first_choice",
    "grids",
    "kept_above",
    "kept_below",
    "padded",
    "repeated",
    "take_along",
    "taken",
    "unravelled",
    "viewed",
]


# ---- diagonals -----------------------------------------------------------------------------------


@op
def embedded_diagonal(x, *, k):
    """Return a square matrix with the elements of `x`, flat, on the diagonal `k`."""
    return jnp.diagflat(x, k)


def _two_axes(x, axis1, axis2):
    valid = range(-x.ndim, x.ndim)
    if axis1 not in valid or axis2 not in valid or axis1 % x.ndim == axis2 % x.ndim:
        raise ValueError(
            f"`axis1` and `axis2` must name two axes of shape {x.shape}; got {axis1} and {axis2}.\n"
            "  Fix: the defaults are 0 and 1."
        )
    return axis1 % x.ndim, axis2 % x.ndim


@op
def diagonal(x, *, offset, axis1, axis2):
    """Return the elements of a diagonal over two axes, along a new last axis."""
    first, second = _two_axes(x, axis1, axis2)
    return jnp.diagonal(x, offset, first, second)


@op
def kept_below(x, *, k):
    """Return `x` with 0 above the diagonal `k` of its last two axes."""
    return jnp.tril(checks.matrix(x), k)


@op
def kept_above(x, *, k):
    """Return `x` with 0 below the diagonal `k` of its last two axes."""
    return jnp.triu(checks.matrix(x), k)


# ---- choosing ------------------------------------------------------------------------------------


@op(mixed=True)
def taken(x, indices, *, axis):
    """Return the slices at places along an axis; negative places count from the end."""
    indices = jnp.where(indices < 0, indices + x.shape[axis], indices)
    return jnp.take(x, indices, axis=axis, mode="clip")


@op(mixed=True)
def take_along(x, indices, *, axis):
    """Return elements at places along an axis; other axes of the two broadcast."""
    indices = jnp.where(indices < 0, indices + x.shape[axis], indices)
    rest = [1 if i == axis else n for i, n in enumerate(x.shape)]
    places = [1 if i == axis else n for i, n in enumerate(indices.shape)]
    try:
        shape = jnp.broadcast_shapes(tuple(rest), tuple(places))
    except ValueError:
        raise ValueError(
            f"the shapes of `x` and `indices` must broadcast but for axis {axis}; got {x.shape} "
            f"and {indices.shape}.\n  Fix: every other size must be equal, or 1."
        ) from None
    x = jnp.broadcast_to(x, [x.shape[i] if i == axis else n for i, n in enumerate(shape)])
    goal = [indices.shape[i] if i == axis else n for i, n in enumerate(shape)]
    return jnp.take_along_axis(x, jnp.broadcast_to(indices, goal), axis, mode="clip")


@op(mixed=True)
def first_choice(default, *pairs):
    """Return the first choice whose condition holds, else `default`.

    Args:
        default: What is left over, in the dtype of the choices.
        *pairs: The conditions, bool, then as many choices.
    """
    half = len(pairs) // 2
    found = default
    for condition, choice in reversed(list(zip(pairs[:half], pairs[half:], strict=True))):
        found = jnp.where(condition, choice, found)
    return found


@op(differentiable=False)
def unravelled(indices, *, shape):
    """Return the coordinates of places in an array of `shape`; they wrap around."""
    found = []
    for size in reversed(shape):
        found.append(indices % np.asarray(size, indices.dtype))
        indices = indices // np.asarray(size, indices.dtype)
    return tuple(reversed(found))


# ---- more and fewer ------------------------------------------------------------------------------


@op
def repeated(x, *, repeats, axis):
    """Return `x` with each element repeated along an axis; None takes all elements in order.

    Args:
        x: Any array.
        repeats: A number, or one for each element along the axis.
        axis: The axis, or None.
    """
    rows = jnp.ravel(x) if axis is None else x
    along = 0 if axis is None else checks.axis(x, axis)
    if isinstance(repeats, tuple):
        if len(repeats) != rows.shape[along]:
            raise ValueError(
                f"`repeats` must have {rows.shape[along]} entries, one per element along the axis; "
                f"got {len(repeats)}.\n  Fix: give one number for all of them."
            )
        places = np.repeat(np.arange(len(repeats)), repeats)
        return jnp.take(rows, places, axis=along)
    return jnp.repeat(rows, repeats, axis=along)


@op
def difference(x, *, n, axis):
    """Return differences of neighbours along an axis, `n` times; bools differ by "not equal"."""
    if x.ndim == 0 or n < 0:
        raise ValueError(
            f"`x` must have an axis, and `n` be at least 0; got shape {x.shape} and n={n}.\n"
            "  Fix: pass a vector."
        )
    along = checks.axis(x, axis)
    for _ in range(min(n, x.shape[along]) if isinstance(x.shape[along], int) else n):
        after = lax.slice_in_dim(x, 1, None, axis=along)
        before = lax.slice_in_dim(x, 0, -1, axis=along)
        x = after != before if x.dtype == jnp.bool_ else after - before
    return x


@op(mixed=True)
def grids(*vectors, indexing):
    """Return vectors, of any dtypes, broadcast to the grid that they span."""
    return list(jnp.meshgrid(*[jnp.ravel(v) for v in vectors], indexing=indexing))


@op(mixed=True)
def padded(x, value, *, widths, mode):
    """Return `x` with borders.

    Args:
        x: Any array.
        value: What a "constant" border holds, in the dtype of `x`; else None.
        widths: The width (before, after) of each axis.
        mode: One of NumPy's: "constant", "edge", "reflect", "symmetric", "wrap", ….
    """
    if mode == "constant":
        return jnp.pad(x, widths, constant_values=value)
    return jnp.pad(x, widths, mode=mode)


@op(differentiable=False)
def viewed(x, *, dtype):
    """Return the same bits read as another dtype; the last axis shrinks or grows with its width."""
    old, new = x.dtype.itemsize, dtype.np.itemsize
    if old != new and (x.ndim == 0 or (isinstance(x.shape[-1], int) and x.shape[-1] * old % new)):
        raise ValueError(
            f"the bytes of the last axis must divide into {dtype.name}; got shape {x.shape} of "
            f"{np.dtype(x.dtype).name}.\n  Fix: reshape, or view it as another dtype."
        )
    if x.dtype == dtype.np:
        return x
    return x.view(dtype.np)
