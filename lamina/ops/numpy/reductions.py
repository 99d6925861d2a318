"""Reductions and running totals that TF lacks: quantiles, and what leaves NaN out.

`axis` is None for all axes, an int, or several. Operands are in the dtype to compute in, which is
the result's.
"""

import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina.engine import op
from lamina.ops import checks
from lamina.ops.quotient import divided

__all__ = [
    "cumulative",
    "extremum",
    "median",
    "nan_cumulative",
    "nan_extremum",
    "nan_mean",
    "nan_place",
    "nan_total",
    "nan_variance",
    "place",
    "quantile",
    "weighted_mean",
]

_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def _keep(reduced, axes, keepdims):
    return lax.expand_dims(reduced, axes) if keepdims else reduced


def _worst(dtype, largest):
    """Return what never wins a search for the largest (or the smallest) of a dtype."""
    if dtype == jnp.bool_:
        return not largest
    if jnp.issubdtype(dtype, jnp.floating):
        return -np.inf if largest else np.inf
    limits = jnp.iinfo(dtype)
    return limits.min if largest else limits.max


# ---- quantiles -----------------------------------------------------------------------------------


def _rows(x, axis):
    """Return `x` with the reduced axes as one, the last, and those axes from the front."""
    axes = checks.axes(x, axis)
    kept = [i for i in range(x.ndim) if i not in axes]
    moved = jnp.transpose(x, [*kept, *axes])
    return jnp.reshape(moved, [*moved.shape[: len(kept)], -1]), axes


@op(mixed=True)
def quantile(x, q, *, axis, method, keepdims, skip_nan):
    """Return the quantiles `q` of real floats; the shape of `q` stands before what is left.

    Args:
        x: Floats.
        q: Fractions in [0, 1], any shape.
        axis: The axes to reduce.
        method: How to choose between two elements: one of linear, lower, higher, midpoint, nearest.
        keepdims: Whether reduced axes stay, with size 1.
        skip_nan: Whether NaN is left out; else it makes the result NaN.

    Raises:
        ValueError: `method` is none of these.
    """
    if method not in _METHODS:
        raise ValueError(
            f"`method` must be one of {', '.join(_METHODS)}; got {method!r}.\n"
            '  Fix: use "linear", the default.'
        )
    rows, axes = _rows(x, axis)
    found = _quantiles(rows, jnp.ravel(q).astype(x.dtype), method, skip_nan)
    found = jnp.reshape(jnp.moveaxis(found, -1, 0), [*q.shape, *found.shape[:-1]])
    return _keep(found, [q.ndim + a for a in axes], keepdims)


def _quantiles(rows, q, method, skip_nan):
    """Return the quantiles `q` ``(Q,)`` of rows ``(…, N)``: ``(…, Q)``."""
    rows = jnp.sort(rows, axis=-1)  # NaN comes last
    present = ~jnp.isnan(rows)
    count = jnp.sum(present, axis=-1, keepdims=True)
    last = (count if skip_nan else jnp.full_like(count, rows.shape[-1])) - 1
    place = jnp.clip(q * last.astype(q.dtype), 0)
    if method == "nearest":
        place = jnp.round(place)
    low, high = jnp.floor(place), jnp.ceil(place)
    below, above = (
        jnp.take_along_axis(rows, jnp.clip(each.astype(np.int32), 0, last.clip(0)), -1)
        for each in (low, high)
    )
    if method == "midpoint":
        found = (below + above) / 2
    elif method == "linear":
        found = below + (above - below) * (place - lax.stop_gradient(low))
    else:
        found = above if method == "higher" else below
    return found if skip_nan else jnp.where(jnp.all(present, -1, keepdims=True), found, np.nan)


@op
def median(x, *, axis, keepdims, skip_nan):
    """Return the median of real floats, the mean of the two in the middle."""
    rows, axes = _rows(x, axis)
    half = jnp.full((1,), 0.5, x.dtype)
    return _keep(_quantiles(rows, half, "midpoint", skip_nan)[..., 0], axes, keepdims)


# ---- means ---------------------------------------------------------------------------------------


@op
def weighted_mean(x, weights, *, axis):
    """Return the weighted mean; `weights` broadcasts to `x`."""
    weights = jnp.broadcast_to(weights, x.shape)
    axes = checks.axes(x, axis)
    return divided(jnp.sum(x * weights, axis=axes), jnp.sum(weights, axis=axes))


# ---- extrema -------------------------------------------------------------------------------------


def _largest_or_least(x, axes, largest):
    if x.dtype == jnp.bool_:
        return (jnp.any if largest else jnp.all)(x, axis=axes)
    return (lax.reduce_max if largest else lax.reduce_min)(x, axes)


@op
def extremum(x, *, axis, keepdims, initial, largest):
    """Return the largest or the smallest element, or `initial` where that goes beyond."""
    axes = checks.axes(x, axis)
    found = _largest_or_least(x, axes, largest)
    if initial is not None:
        found = (jnp.maximum if largest else jnp.minimum)(found, np.asarray(initial, x.dtype))
    return _keep(found, axes, keepdims)


@op(differentiable=False)
def place(x, *, axis, keepdims, largest):
    """Return where the extremum is, int32; `axis` None counts through all elements.

    NaN never wins.
    """
    if jnp.issubdtype(x.dtype, jnp.floating):
        x = jnp.where(jnp.isnan(x), _worst(x.dtype, largest), x)
    rows = jnp.ravel(x) if axis is None else x
    along = 0 if axis is None else checks.axis(x, axis)
    found = (lax.argmax if largest else lax.argmin)(rows, along, np.int32)
    return _keep(found, range(x.ndim) if axis is None else (along,), keepdims)


@op(differentiable=False)
def nan_place(x, *, axis, keepdims, largest):
    """Return where the extremum of what is not NaN is, int32; -1 where all is NaN."""
    rows = jnp.ravel(x) if axis is None else x
    along = 0 if axis is None else checks.axis(x, axis)
    missing = jnp.isnan(rows) if jnp.issubdtype(x.dtype, jnp.floating) else rows != rows
    rows = jnp.where(missing, np.asarray(_worst(x.dtype, largest), x.dtype), rows)
    found = (lax.argmax if largest else lax.argmin)(rows, along, np.int32)
    found = jnp.where(jnp.all(missing, axis=along), -1, found)
    return _keep(found, range(x.ndim) if axis is None else (along,), keepdims)


# ---- without NaN ---------------------------------------------------------------------------------


def _missing(x):
    inexact = jnp.issubdtype(x.dtype, jnp.inexact)
    return jnp.isnan(x) if inexact else jnp.zeros(x.shape, bool)


def _filled(x, value):
    """Return `x` with `value` for NaN."""
    return jnp.where(_missing(x), np.asarray(value, x.dtype), x)


def _present_mean(x, axes):
    """Return the mean of what is not NaN, the reduced axes kept; NaN where nothing is."""
    count = jnp.sum(~_missing(x), axis=axes, keepdims=True).astype(x.dtype)
    return divided(jnp.sum(_filled(x, 0), axis=axes, keepdims=True, dtype=x.dtype), count)


@op
def nan_total(x, *, axis, keepdims, product):
    """Return the sum or the product of what is not NaN."""
    axes = checks.axes(x, axis)
    reduce = jnp.prod if product else jnp.sum
    return reduce(_filled(x, int(product)), axis=axes, keepdims=keepdims, dtype=x.dtype)


@op
def nan_extremum(x, *, axis, keepdims, largest):
    """Return the extremum of what is not NaN; NaN where nothing is."""
    axes = checks.axes(x, axis)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return _keep(_largest_or_least(x, axes, largest), axes, keepdims)
    found = _largest_or_least(_filled(x, _worst(x.dtype, largest)), axes, largest)
    found = jnp.where(jnp.all(jnp.isnan(x), axis=axes), jnp.asarray(np.nan, x.dtype), found)
    return _keep(found, axes, keepdims)


@op
def nan_mean(x, *, axis, keepdims):
    """Return the mean of the floats that are not NaN; NaN where none is."""
    axes = checks.axes(x, axis)
    found = _present_mean(x, axes)
    return found if keepdims else lax.squeeze(found, axes)


@op
def nan_variance(x, *, axis, keepdims, root):
    """Return the variance, over N, of the floats that are not NaN, or its square root."""
    axes = checks.axes(x, axis)
    deviation = x - _present_mean(x, axes)
    found = _present_mean(deviation * deviation, axes)
    found = jnp.sqrt(found) if root else found
    return found if keepdims else lax.squeeze(found, axes)


# ---- running totals ------------------------------------------------------------------------------


def _run(x, axis, product):
    rows = jnp.ravel(x) if axis is None else x
    along = 0 if axis is None else checks.axis(x, axis)
    return (jnp.cumprod if product else jnp.cumsum)(rows, axis=along, dtype=x.dtype)


@op
def cumulative(x, *, axis, product):
    """Return running sums or products; `axis` None runs through all elements, as one row."""
    return _run(x, axis, product)


@op
def nan_cumulative(x, *, axis, product, dtype):
    """Return running sums or products, in `dtype`, of what is not NaN."""
    return _run(_filled(x, int(product)).astype(dtype.np), axis, product)
