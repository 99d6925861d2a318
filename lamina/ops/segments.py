"""Reductions over groups of rows that share a segment id."""

import jax
import jax.numpy as jnp
import numpy as np

from lamina.engine import convert_to_tensor, errors, local, op, static_int, static_ints
from lamina.ops import checks
from lamina.ops.quotient import divided

__all__ = [
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "unsorted_segment_max",
    "unsorted_segment_mean",
    "unsorted_segment_min",
    "unsorted_segment_prod",
    "unsorted_segment_sqrt_n",
    "unsorted_segment_sum",
]

# In the kernels: data (N, …), ids (N,) with those outside [0, S) dropped, result (S, …).


def _sum(data, ids, count):
    return jnp.zeros((count, *data.shape[1:]), data.dtype).at[ids].add(data, mode="drop")


def _rows(values, ids):
    """Return the row of `values` of each id, 0 for dropped ids."""
    return jnp.asarray(values).at[ids].get(mode="fill", fill_value=0)


def _sizes(data, ids, count):
    """Return how many rows each segment has, at least 1, shaped to divide (S, …)."""
    ones = jnp.ones((data.shape[0],) + (1,) * (data.ndim - 1), data.dtype)
    return jnp.maximum(_sum(ones, ids, count), 1)


def _extremum(data, ids, count, largest):
    if jnp.issubdtype(data.dtype, jnp.integer):
        limits = jnp.iinfo(data.dtype)
    else:
        limits = jnp.finfo(data.dtype)
    empty = jnp.full((count, *data.shape[1:]), limits.min if largest else limits.max, data.dtype)
    place = empty.at[ids]
    return place.max(data, mode="drop") if largest else place.min(data, mode="drop")


# The rows that tie share the gradient, as in TF.
_shared_extremum = jax.custom_jvp(_extremum, nondiff_argnums=(2, 3))


@_shared_extremum.defjvp
def _extremum_jvp(count, largest, primals, tangents):
    data, ids = primals
    out = _shared_extremum(data, ids, count, largest)
    chosen = (data == _rows(out, ids)).astype(data.dtype)
    share = chosen / jnp.maximum(_rows(_sum(chosen, ids, count), ids), 1)
    return out, _sum(share * tangents[0], ids, count)


def _prod_forward(data, ids, count):
    ones = jnp.ones((count, *data.shape[1:]), data.dtype)
    return ones.at[ids].multiply(data, mode="drop")


_prod = jax.custom_jvp(_prod_forward, nondiff_argnums=(2,))


@_prod.defjvp
def _prod_jvp(count, primals, tangents):
    data, ids = primals
    zero = data == 0
    filled = jnp.where(zero, 1, data)
    others = _rows(_prod(filled, ids, count), ids) / filled
    zeros = _rows(_sum(zero.astype(data.dtype), ids, count), ids) - zero
    factors = jnp.where(zeros == 0, others, 0)
    return _prod(data, ids, count), _sum(factors * tangents[0], ids, count)


def _reduce(kind, data, ids, count, empty=None):
    """Return `data` reduced by segment.

    Args:
        kind: "sum", "mean", "sqrt_n", "prod", "max" or "min".
        data: Array ``(*ids.shape, …)``.
        ids: Integer array.
        count: S, the number of segments.
        empty: What the extremum of an empty segment is; None for the dtype's limit.
    """
    checks.numeric(data, "data")
    checks.integer(ids, "segment_ids")
    lead = zip(data.shape, ids.shape, strict=False)  # sizes that are unknown may be equal
    if data.ndim < ids.ndim or any(
        isinstance(a, int) and isinstance(b, int) and a != b for a, b in lead
    ):
        raise errors.InvalidArgumentError(
            "the shape of `data` must start with that of `segment_ids`; got "
            f"{data.shape} and {ids.shape}.\n  Fix: tf.broadcast_to the ids."
        )
    data = jnp.reshape(data, (-1, *data.shape[ids.ndim :]))
    ids = jnp.ravel(ids)
    ids = jnp.where(ids < 0, count, ids)  # jax would count negative ones from the end
    if kind in ("max", "min"):
        out = _shared_extremum(data, ids, count, kind == "max")
        if empty is None:
            return out
        ones = jnp.ones((data.shape[0],) + (1,) * (data.ndim - 1), jnp.int32)
        return jnp.where(_sum(ones, ids, count) > 0, out, jnp.asarray(empty, out.dtype))
    if kind == "prod":
        return _prod(data, ids, count)
    total = _sum(data, ids, count)
    if kind == "mean":
        sizes = _sizes(data, ids, count)
        whole = jnp.issubdtype(total.dtype, jnp.integer)
        return total // sizes if whole else divided(total, sizes)
    return divided(total, jnp.sqrt(_sizes(data, ids, count))) if kind == "sqrt_n" else total


@op(mixed=True)
def _segments(data, segment_ids, *, kind, count, empty=None):
    return _reduce(kind, data, segment_ids, count, empty)


def _sorted(kind, data, segment_ids, name):
    """Reduce by ids that ascend: the last one gives the number of segments."""
    ids = convert_to_tensor(segment_ids)
    known = np.asarray(static_ints(ids, f"{name}: `segment_ids`"), dtype=np.int64)
    if ids.shape.rank != 1 or np.any(np.diff(known) < 0) or np.any(known < 0):
        raise errors.InvalidArgumentError(
            f"{name}: `segment_ids` must be a vector of ascending ids from 0; got "
            f"{known.tolist()[:20]} of shape {ids.shape}.\n"
            f"  Fix: sort the rows by id, or use tf.math.unsorted_{name.rpartition('.')[2]}."
        )
    count = int(known[-1]) + 1 if known.size else 0
    return _segments(data, ids, kind=kind, count=count, empty=0)


def _unsorted(kind, data, segment_ids, num_segments, name):
    count = static_int(num_segments, f"{name}: `num_segments`")
    segment_ids = convert_to_tensor(segment_ids)
    known = segment_ids._host if local.trace.eager else None
    if known is not None and known.size and known.dtype != object and known.max() >= count:
        raise errors.InvalidArgumentError(
            f"{name}: `segment_ids` must be less than `num_segments`, {count}; got {known.max()}.\n"
            "  Fix: ask for more segments, or give rows to leave out a negative id."
        )
    return _segments(data, segment_ids, kind=kind, count=count)


def segment_max(data, segment_ids, name=None):
    """Return the maximum of each run of rows that share an id.

    Args:
        data: Numbers ``(N, …)``.
        segment_ids: Integers ``(N,)``, ascending from 0. Inside a `tf.function` they must be
            known while tracing; the unsorted forms are free of that.
        name: Accepted, unused.

    Returns:
        ``(S, …)`` in the dtype of `data`, S being the last id plus one; 0 for ids that do
        not occur. Equal
        maxima share the gradient.

    Raises:
        InvalidArgumentError: the ids do not ascend from 0, or do not fit `data`.

    Example:
        >>> tf.math.segment_max([1.0, 2.0, 5.0], [0, 0, 1]).numpy()
        array([2., 5.], dtype=float32)
    """
    return _sorted("max", data, segment_ids, "tf.math.segment_max")


def segment_mean(data, segment_ids, name=None):
    """Return the mean of each run of rows that share an id.

    Args:
        data: Numbers ``(N, …)``.
        segment_ids: Integers ``(N,)``, ascending from 0. Inside a `tf.function` they must be
            known while tracing; the unsorted forms are free of that.
        name: Accepted, unused.

    Returns:
        ``(S, …)`` in the dtype of `data`, S being the last id plus one; 0 for ids that do
        not occur.

    Raises:
        InvalidArgumentError: the ids do not ascend from 0, or do not fit `data`.

    Example:
        >>> tf.math.segment_mean([1.0, 2.0, 5.0], [0, 0, 1]).numpy()
        array([1.5, 5. ], dtype=float32)
    """
    return _sorted("mean", data, segment_ids, "tf.math.segment_mean")


def segment_min(data, segment_ids, name=None):
    """Return the minimum of each run of rows that share an id.

    Args:
        data: Numbers ``(N, …)``.
        segment_ids: Integers ``(N,)``, ascending from 0. Inside a `tf.function` they must be
            known while tracing; the unsorted forms are free of that.
        name: Accepted, unused.

    Returns:
        ``(S, …)`` in the dtype of `data`, S being the last id plus one; 0 for ids that do
        not occur. Equal
        minima share the gradient.

    Raises:
        InvalidArgumentError: the ids do not ascend from 0, or do not fit `data`.

    Example:
        >>> tf.math.segment_min([1.0, 2.0, 5.0], [0, 0, 1]).numpy()
        array([1., 5.], dtype=float32)
    """
    return _sorted("min", data, segment_ids, "tf.math.segment_min")


def segment_prod(data, segment_ids, name=None):
    """Return the product of each run of rows that share an id.

    Args:
        data: Numbers ``(N, …)``.
        segment_ids: Integers ``(N,)``, ascending from 0. Inside a `tf.function` they must be
            known while tracing; the unsorted forms are free of that.
        name: Accepted, unused.

    Returns:
        ``(S, …)`` in the dtype of `data`, S being the last id plus one; 1 for ids that do
        not occur.

    Raises:
        InvalidArgumentError: the ids do not ascend from 0, or do not fit `data`.

    Example:
        >>> tf.math.segment_prod([1.0, 2.0, 5.0], [0, 0, 1]).numpy()
        array([2., 5.], dtype=float32)
    """
    return _sorted("prod", data, segment_ids, "tf.math.segment_prod")


def segment_sum(data, segment_ids, name=None):
    """Return the sum of each run of rows that share an id.

    Args:
        data: Numbers ``(N, …)``.
        segment_ids: Integers ``(N,)``, ascending from 0. Inside a `tf.function` they must be
            known while tracing; the unsorted forms are free of that.
        name: Accepted, unused.

    Returns:
        ``(S, …)`` in the dtype of `data`, S being the last id plus one; 0 for ids that do
        not occur.

    Raises:
        InvalidArgumentError: the ids do not ascend from 0, or do not fit `data`.

    Example:
        >>> tf.math.segment_sum([1.0, 2.0, 5.0], [0, 0, 1]).numpy()
        array([3., 5.], dtype=float32)
    """
    return _sorted("sum", data, segment_ids, "tf.math.segment_sum")


def unsorted_segment_max(data, segment_ids, num_segments, name=None):
    """Return the maximum of the rows of each id.

    Args:
        data: Numbers ``(N, …)``; `segment_ids` of several dimensions count as one.
        segment_ids: Integers ``(N,)`` in any order; rows of negative ids are left out.
        num_segments: S, the number of ids.
        name: Accepted, unused.

    Returns:
        ``(S, …)`` in the dtype of `data`; the dtype's
        least number for ids that do not occur. Equal maxima share the gradient.

    Raises:
        InvalidArgumentError: the ids do not fit `data`, or one that is known without running a
            program is not less than S.

    Example:
        >>> tf.math.unsorted_segment_max([1.0, 2.0, 5.0], [1, 0, 1], 2).numpy()
        array([2., 5.], dtype=float32)
    """
    return _unsorted("max", data, segment_ids, num_segments, "tf.math.unsorted_segment_max")


def unsorted_segment_mean(data, segment_ids, num_segments, name=None):
    """Return the mean of the rows of each id.

    Args:
        data: Numbers ``(N, …)``; `segment_ids` of several dimensions count as one.
        segment_ids: Integers ``(N,)`` in any order; rows of negative ids are left out.
        num_segments: S, the number of ids.
        name: Accepted, unused.

    Returns:
        ``(S, …)`` in the dtype of `data`; 0 for ids that do not occur.

    Raises:
        InvalidArgumentError: the ids do not fit `data`, or one that is known without running a
            program is not less than S.

    Example:
        >>> tf.math.unsorted_segment_mean([1.0, 2.0, 5.0], [1, 0, 1], 2).numpy()
        array([2., 3.], dtype=float32)
    """
    return _unsorted("mean", data, segment_ids, num_segments, "tf.math.unsorted_segment_mean")


def unsorted_segment_min(data, segment_ids, num_segments, name=None):
    """Return the minimum of the rows of each id.

    Args:
        data: Numbers ``(N, …)``; `segment_ids` of several dimensions count as one.
        segment_ids: Integers ``(N,)`` in any order; rows of negative ids are left out.
        num_segments: S, the number of ids.
        name: Accepted, unused.

    Returns:
        ``(S, …)`` in the dtype of `data`; the dtype's
        greatest number for ids that do not occur. Equal minima share the gradient.

    Raises:
        InvalidArgumentError: the ids do not fit `data`, or one that is known without running a
            program is not less than S.

    Example:
        >>> tf.math.unsorted_segment_min([1.0, 2.0, 5.0], [1, 0, 1], 2).numpy()
        array([2., 1.], dtype=float32)
    """
    return _unsorted("min", data, segment_ids, num_segments, "tf.math.unsorted_segment_min")


def unsorted_segment_prod(data, segment_ids, num_segments, name=None):
    """Return the product of the rows of each id.

    Args:
        data: Numbers ``(N, …)``; `segment_ids` of several dimensions count as one.
        segment_ids: Integers ``(N,)`` in any order; rows of negative ids are left out.
        num_segments: S, the number of ids.
        name: Accepted, unused.

    Returns:
        ``(S, …)`` in the dtype of `data`; 1 for ids that do not occur.

    Raises:
        InvalidArgumentError: the ids do not fit `data`, or one that is known without running a
            program is not less than S.

    Example:
        >>> tf.math.unsorted_segment_prod([1.0, 2.0, 5.0], [1, 0, 1], 2).numpy()
        array([2., 5.], dtype=float32)
    """
    return _unsorted("prod", data, segment_ids, num_segments, "tf.math.unsorted_segment_prod")


def unsorted_segment_sqrt_n(data, segment_ids, num_segments, name=None):
    """Return the sum, divided by the root of their number, of the rows of each id.

    Args:
        data: Numbers ``(N, …)``; `segment_ids` of several dimensions count as one.
        segment_ids: Integers ``(N,)`` in any order; rows of negative ids are left out.
        num_segments: S, the number of ids.
        name: Accepted, unused.

    Returns:
        ``(S, …)`` in the dtype of `data`; 0 for ids that do not occur.

    Raises:
        InvalidArgumentError: the ids do not fit `data`, or one that is known without running a
            program is not less than S.

    Example:
        >>> tf.math.unsorted_segment_sqrt_n([1.0, 2.0, 5.0], [1, 0, 1], 2).numpy()
        array([2.       , 4.24264...], dtype=float32)
    """
    return _unsorted("sqrt_n", data, segment_ids, num_segments, "tf.math.unsorted_segment_sqrt_n")


def unsorted_segment_sum(data, segment_ids, num_segments, name=None):
    """Return the sum of the rows of each id.

    Args:
        data: Numbers ``(N, …)``; `segment_ids` of several dimensions count as one.
        segment_ids: Integers ``(N,)`` in any order; rows of negative ids are left out.
        num_segments: S, the number of ids.
        name: Accepted, unused.

    Returns:
        ``(S, …)`` in the dtype of `data`; 0 for ids that do not occur.

    Raises:
        InvalidArgumentError: the ids do not fit `data`, or one that is known without running a
            program is not less than S.

    Example:
        >>> tf.math.unsorted_segment_sum([1.0, 2.0, 5.0], [1, 0, 1], 2).numpy()
        array([2., 6.], dtype=float32)
    """
    return _unsorted("sum", data, segment_ids, num_segments, "tf.math.unsorted_segment_sum")
