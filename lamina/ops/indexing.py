"""Reading and writing at computed places: gather and scatter."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina.engine import (
    convert_to_tensor,
    dtypes,
    errors,
    local,
    op,
    static_int,
    type_of,
)
from lamina.ops.array import dimensions
from lamina.ops.shaping import axis_in

__all__ = [
    "gather",
    "gather_nd",
    "scatter_nd",
    "tensor_scatter_nd_add",
    "tensor_scatter_nd_max",
    "tensor_scatter_nd_min",
    "tensor_scatter_nd_sub",
    "tensor_scatter_nd_update",
]

_DROP = lax.GatherScatterMode.FILL_OR_DROP


def _gather_on_host(params, indices, *, axis, batch_dims):
    indices, axis = indices.astype(np.int64), axis % params.ndim
    if not batch_dims:
        return np.take(params, indices, axis)
    batch = indices.shape[:batch_dims]
    rows = [np.take(params[i], indices[i], axis - batch_dims) for i in np.ndindex(batch)]
    shape = params.shape[:axis] + indices.shape[batch_dims:] + params.shape[axis + 1 :]
    return np.reshape(np.array(rows, params.dtype), shape)


@op(mixed=True, host=_gather_on_host)
def _gather(params, indices, *, axis, batch_dims):
    if not jnp.issubdtype(indices.dtype, jnp.integer):
        raise errors.InvalidArgumentError(
            f"`indices` must be integers; got dtype {indices.dtype}.\n  Fix: tf.cast them."
        )
    axis, batch = axis_in(axis, params.ndim), batch_dims
    wide = indices.ndim - batch
    result = params.shape[:axis] + indices.shape[batch:] + params.shape[axis + 1 :]
    if isinstance(params.shape[axis], int) and params.shape[axis] == 0:
        return jnp.zeros(result, params.dtype)
    after = range(axis + wide, params.ndim - 1 + wide)
    numbers = lax.GatherDimensionNumbers(
        offset_dims=(*range(batch, axis), *after),
        collapsed_slice_dims=(axis,),
        start_index_map=(axis,),
        operand_batching_dims=tuple(range(batch)),
        start_indices_batching_dims=tuple(range(batch)),
    )
    sizes = [1 if i < batch or i == axis else each for i, each in enumerate(params.shape)]
    # As TF on a GPU, an index out of range gives 0.
    return lax.gather(params, indices[..., None], numbers, tuple(sizes), mode=_DROP, fill_value=0)


def gather(params, indices, validate_indices=None, axis=None, batch_dims: Any = 0, name=None):
    """Return the slices of `params` at `indices` along an axis.

    Args:
        params: A Tensor `(p0, …)`.
        indices: Integers in `[0, params.shape[axis])`, of any shape.
        validate_indices: Accepted, unused.
        axis: The axis of `params` to index; None is `batch_dims`.
        batch_dims: How many leading axes `params` and `indices` share, one slice for each; None
            is 0, a negative number counts from the rank of `indices`.
        name: Accepted, unused.

    Returns:
        A Tensor `params.shape[:axis] + indices.shape[batch_dims:] + params.shape[axis + 1:]`.

    Raises:
        InvalidArgumentError: an index that is known while recording is out of range. Others give
            0, as in TF on a GPU.

    Example:
        >>> tf.gather([10, 20, 30], [2, 0]).numpy()
        array([30, 10], dtype=int32)
    """
    params, indices = convert_to_tensor(params), convert_to_tensor(indices)
    batch_dims = 0 if batch_dims is None else static_int(batch_dims, "tf.gather(batch_dims)")
    axis = batch_dims if axis is None else static_int(axis, "tf.gather(axis)")
    if batch_dims:
        batch_dims = _batch_of_gather(params, indices, axis, batch_dims)
    # In a trace the result may not be used, and then nothing is wrong, as in TF's graphs.
    if indices._host is not None and local.trace.eager:
        _check_indices(params, indices, axis)
    return _gather(params, indices, axis=axis, batch_dims=batch_dims)


def _batch_of_gather(params, indices, axis, batch_dims):
    """Return the number of batch axes, which must stand before the axis and be equal in both."""
    batch = batch_dims + indices.ndim if batch_dims < 0 else batch_dims
    place = axis + params.ndim if axis < 0 else axis
    if place < batch:
        raise errors.InvalidArgumentError(
            f"tf.gather: `axis` must not be less than `batch_dims`; got axis {axis}, batch_dims "
            f"{batch_dims}.\n  Fix: gather along an axis after the batch axes."
        )
    shared = params.shape[:batch].is_compatible_with(indices.shape[:batch])
    if not 0 <= batch <= indices.ndim or not shared:
        raise errors.InvalidArgumentError(
            "tf.gather: `batch_dims` must count leading axes that `params` and `indices` share; "
            f"got {batch_dims} for shapes {params.shape} and {indices.shape}.\n"
            "  Fix: tf.broadcast_to or tf.reshape one of them."
        )
    return batch


def _check_indices(params, indices, axis):
    """Raise if indices known to the host are out of range."""
    known, ndim = indices._host, params.ndim
    size = params.shape[axis] if -ndim <= axis < ndim else None
    if size is None or known.dtype == object or not known.size:
        return
    flat = known.ravel().tolist()
    if min(flat) < 0 or max(flat) >= size:
        raise errors.InvalidArgumentError(
            f"tf.gather: `indices` must lie in [0, {size}) for axis {axis} of shape "
            f"{params.shape}; got {known.tolist()}.\n  Fix: clip or correct the indices."
        )


def _check_coordinates(who, indices, sizes, policy):
    """Raise unless there are coordinates, those known to the host in range or `policy` allows."""
    if not indices.ndim or not indices.dtype.is_integer:
        raise errors.InvalidArgumentError(
            f"{who}: `indices` must be integers of shape (…, K); got {indices.dtype.name} of shape "
            f"{indices.shape}.\n  Fix: write a list of coordinates, as in [[0], [2]]."
        )
    if policy not in ("", "DEFAULT", "ERROR", "IGNORE"):
        raise errors.NotFoundError(
            f"{who}: `bad_indices_policy` must be one of '', 'DEFAULT', 'ERROR', 'IGNORE'; got "
            f"{policy!r}."
        )
    if policy == "IGNORE" or not local.trace.eager or indices._host is None:
        return
    known = indices._host
    sizes = list(sizes)[: known.shape[-1] if known.ndim else 0]
    if not known.size or known.dtype == object or len(sizes) < known.shape[-1] or None in sizes:
        return
    wrong = (known < 0) | (known >= np.asarray(sizes))
    if wrong.any():
        raise errors.InvalidArgumentError(
            f"{who}: `indices` must lie within the sizes {tuple(sizes)}; got "
            f"{known[wrong.any(-1)][0].tolist()}.\n  Fix: clip or correct the indices, or "
            f"bad_indices_policy='IGNORE' where the function has it."
        )


@op(mixed=True)
def _gather_nd(params, indices, *, batch_dims):
    depth = indices.shape[-1]
    if not isinstance(depth, int) or batch_dims + depth > params.ndim:
        raise errors.InvalidArgumentError(
            f"`indices` must address axes of `params`; got {depth} coordinates for shape "
            f"{params.shape} after {batch_dims} batch axes.\n  Fix: shorten its last axis."
        )
    wide, end = indices.ndim - 1, batch_dims + depth
    numbers = lax.GatherDimensionNumbers(
        offset_dims=tuple(range(wide, wide + params.ndim - end)),
        collapsed_slice_dims=tuple(range(batch_dims, end)),
        start_index_map=tuple(range(batch_dims, end)),
        operand_batching_dims=tuple(range(batch_dims)),
        start_indices_batching_dims=tuple(range(batch_dims)),
    )
    sizes = [1 if i < end else each for i, each in enumerate(params.shape)]
    return lax.gather(params, indices, numbers, tuple(sizes), mode=_DROP, fill_value=0)


def gather_nd(params, indices, batch_dims: Any = 0, name=None, bad_indices_policy=""):
    """Return the slices of `params` at coordinates.

    Args:
        params: A Tensor.
        indices: Integers `(…, K)`: each last row is a position along the first K axes.
        batch_dims: How many leading axes `params` and `indices` share.
        name: Accepted, unused.
        bad_indices_policy: With "IGNORE" coordinates out of range give 0; else those that are
            known without running a program are an error in eager code, and others give 0.

    Returns:
        A Tensor `indices.shape[:-1] + params.shape[batch_dims + K:]`.

    Raises:
        InvalidArgumentError: K is larger than the rank of `params`, or a coordinate is out of
            range.

    Example:
        >>> tf.gather_nd([[1, 2], [3, 4]], [[0, 1], [1, 0]]).numpy()
        array([2, 3], dtype=int32)
    """
    batch_dims = static_int(batch_dims, "tf.gather_nd(batch_dims)")
    params, indices = convert_to_tensor(params), convert_to_tensor(indices)
    sizes = params.shape[batch_dims:]
    _check_coordinates("tf.gather_nd", indices, sizes, bad_indices_policy)
    return _gather_nd(params, indices, batch_dims=batch_dims)


def _scatter(tensor, indices, updates, how):
    """Apply `x.at[...].<how>` at coordinates; those out of range are dropped, as on a GPU."""
    depth = indices.shape[-1]
    if not isinstance(depth, int) or depth > tensor.ndim:
        raise errors.InvalidArgumentError(
            f"`indices` must address axes of shape {tensor.shape}; got {depth} coordinates.\n"
            "  Fix: shorten the last axis of `indices`."
        )
    wanted = indices.shape[:-1] + tensor.shape[depth:]
    if updates.ndim and updates.shape != wanted:
        raise errors.InvalidArgumentError(
            f"`updates` must have shape {wanted}, for indices of shape {indices.shape}; got "
            f"{updates.shape}.\n  Fix: give one update per index."
        )
    place = tuple(indices[..., i] for i in range(depth)) or ...
    how = "max" if how == "add" and tensor.dtype == bool else how  # True + True is True
    change = getattr(tensor.at[place], how)
    return change(updates, mode="drop", wrap_negative_indices=False)


def _scatter_on_host(indices, updates, *, shape):
    made = np.full(shape, b"" if updates.dtype == object else 0, updates.dtype)
    np.add.at(made, tuple(np.moveaxis(indices, -1, 0)), updates)
    return made


def _type_of_strings(kinds, shape):
    """Return the type of scattered strings, which JAX has not."""
    kind = kinds[1].dtype
    return ((type_of(shape, kind),), None) if kind is dtypes.string else None


@op(mixed=True, host=_scatter_on_host, infer=_type_of_strings)
def _scatter_nd(indices, updates, *, shape):
    return _scatter(jnp.zeros(shape, updates.dtype), indices, updates, "add")


def scatter_nd(indices, updates, shape, bad_indices_policy="", name=None):
    """Add updates into a Tensor of zeros.

    Args:
        indices: Integers `(…, K)`: positions along the first K axes of the result.
        updates: A Tensor `indices.shape[:-1] + shape[K:]`.
        shape: The shape of the result.
        bad_indices_policy: With "IGNORE" updates out of range are dropped; else those that are
            known without running a program are an error in eager code, others are dropped.
        name: Accepted, unused.

    Returns:
        A Tensor of shape `shape` and the dtype of `updates`; duplicates add up, and strings are
        joined.

    Raises:
        InvalidArgumentError: the shapes do not fit together.

    Example:
        >>> tf.scatter_nd([[1], [3], [1]], [1, 2, 3], (4,)).numpy()
        array([0, 4, 0, 2], dtype=int32)
    """
    sizes = dimensions(shape, "tf.scatter_nd")
    indices = convert_to_tensor(indices)
    _check_coordinates("tf.scatter_nd", indices, sizes, bad_indices_policy)
    return _scatter_nd(indices, updates, shape=sizes)


@op(mixed=True)
def _tensor_scatter(tensor, indices, updates, *, how):
    if how == "sub":
        return _scatter(tensor, indices, -updates, "add")
    if how in ("min", "max"):
        return _scatter_extreme(how, tensor, indices, updates)
    return _scatter(tensor, indices, updates, how)


def _scatter_extreme(how, tensor, indices, updates):
    """Scatter min or max, with TF's gradient: it is shared among all that equal the result."""

    @jax.custom_vjp
    def run(tensor, updates):
        return _scatter(tensor, indices, updates, how)

    def forward(tensor, updates):
        result = run(tensor, updates)
        return result, (tensor, updates, result)

    def backward(saved, grad):
        tensor, updates, result = saved
        kept = (tensor == result).astype(grad.dtype)
        taken = (updates == _gather_nd.body(result, indices, batch_dims=0)).astype(grad.dtype)
        share = grad / _scatter(kept, indices, taken, "add")
        return share * kept, _gather_nd.body(share, indices, batch_dims=0) * taken

    run.defvjp(forward, backward)
    return run(tensor, updates)


def scatter_into(tensor, indices, updates, how):
    """Return a copy of `tensor` changed at coordinates.

    Args:
        tensor: A Tensor or Variable.
        indices: Integers `(…, K)`.
        updates: A Tensor `indices.shape[:-1] + tensor.shape[K:]`, or a scalar.
        how: "set", "add", "sub", "max", "min", "multiply" or "divide".

    Returns:
        A Tensor like `tensor`.
    """
    tensor = convert_to_tensor(tensor)
    updates = convert_to_tensor(updates, tensor.dtype)
    return _tensor_scatter(tensor, indices, updates, how=how)


def _scattered(name, tensor, indices, updates, how, policy=""):
    """Return `scatter_into` for a public function, its coordinates checked."""
    tensor, indices = convert_to_tensor(tensor), convert_to_tensor(indices)
    _check_coordinates(f"tf.{name}", indices, tensor.shape, policy)
    return scatter_into(tensor, indices, updates, how)


def tensor_scatter_nd_update(tensor, indices, updates, name=None):
    """Return a copy of `tensor` with some slices replaced.

    Args:
        tensor: A Tensor.
        indices: Integers `(…, K)`: positions along the first K axes of `tensor`.
        updates: A Tensor `indices.shape[:-1] + tensor.shape[K:]` of the same dtype.
        name: Accepted, unused.

    Returns:
        A Tensor like `tensor`; which of several updates at one place wins is not defined.

    Raises:
        InvalidArgumentError: the shapes do not fit together.

    Example:
        >>> tf.tensor_scatter_nd_update([1, 2, 3], [[0], [2]], [9, 8]).numpy()
        array([9, 2, 8], dtype=int32)
    """
    name = "tensor_scatter_nd_update"
    return _scattered(name, tensor, indices, updates, "set")


def tensor_scatter_nd_add(tensor, indices, updates, bad_indices_policy="", name=None):
    """Return a copy of `tensor` with updates added to slices; duplicates add up.

    Args:
        tensor: A Tensor.
        indices: Integers `(…, K)`: positions along the first K axes of `tensor`.
        updates: A Tensor `indices.shape[:-1] + tensor.shape[K:]` of the same dtype.
        bad_indices_policy: With "IGNORE" updates out of range are dropped; else those that are
            known without running a program are an error in eager code, others are dropped.
        name: Accepted, unused.

    Returns:
        A Tensor like `tensor`.

    Raises:
        InvalidArgumentError: the shapes do not fit together.

    Example:
        >>> tf.tensor_scatter_nd_add([1, 2, 3], [[0], [0]], [1, 1]).numpy()
        array([3, 2, 3], dtype=int32)
    """
    name = "tensor_scatter_nd_add"
    return _scattered(name, tensor, indices, updates, "add", bad_indices_policy)


def tensor_scatter_nd_sub(tensor, indices, updates, bad_indices_policy="", name=None):
    """Return a copy of `tensor` with updates subtracted from slices; duplicates add up.

    Args:
        tensor: A Tensor.
        indices: Integers `(…, K)`: positions along the first K axes of `tensor`.
        updates: A Tensor `indices.shape[:-1] + tensor.shape[K:]` of the same dtype.
        bad_indices_policy: With "IGNORE" updates out of range are dropped; else those that are
            known without running a program are an error in eager code, others are dropped.
        name: Accepted, unused.

    Returns:
        A Tensor like `tensor`.

    Raises:
        InvalidArgumentError: the shapes do not fit together.

    Example:
        >>> tf.tensor_scatter_nd_sub([1, 2, 3], [[0]], [1]).numpy()
        array([0, 2, 3], dtype=int32)
    """
    name = "tensor_scatter_nd_sub"
    return _scattered(name, tensor, indices, updates, "sub", bad_indices_policy)


def tensor_scatter_nd_max(tensor, indices, updates, bad_indices_policy="", name=None):
    """Return a copy of `tensor` with slices raised to updates where these are larger.

    Args:
        tensor: A Tensor.
        indices: Integers `(…, K)`: positions along the first K axes of `tensor`.
        updates: A Tensor `indices.shape[:-1] + tensor.shape[K:]` of the same dtype.
        bad_indices_policy: With "IGNORE" updates out of range are dropped; else those that are
            known without running a program are an error in eager code, others are dropped.
        name: Accepted, unused.

    Returns:
        A Tensor like `tensor`; its gradient is shared among equal values.

    Raises:
        InvalidArgumentError: the shapes do not fit together.

    Example:
        >>> tf.tensor_scatter_nd_max([1, 2, 3], [[0], [2]], [5, 0]).numpy()
        array([5, 2, 3], dtype=int32)
    """
    name = "tensor_scatter_nd_max"
    return _scattered(name, tensor, indices, updates, "max", bad_indices_policy)


def tensor_scatter_nd_min(tensor, indices, updates, bad_indices_policy="", name=None):
    """Return a copy of `tensor` with slices lowered to updates where these are smaller.

    Args:
        tensor: A Tensor.
        indices: Integers `(…, K)`: positions along the first K axes of `tensor`.
        updates: A Tensor `indices.shape[:-1] + tensor.shape[K:]` of the same dtype.
        bad_indices_policy: With "IGNORE" updates out of range are dropped; else those that are
            known without running a program are an error in eager code, others are dropped.
        name: Accepted, unused.

    Returns:
        A Tensor like `tensor`; its gradient is shared among equal values.

    Raises:
        InvalidArgumentError: the shapes do not fit together.

    Example:
        >>> tf.tensor_scatter_nd_min([1, 2, 3], [[0], [2]], [5, 0]).numpy()
        array([1, 2, 0], dtype=int32)
    """
    name = "tensor_scatter_nd_min"
    return _scattered(name, tensor, indices, updates, "min", bad_indices_policy)
