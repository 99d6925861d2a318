"""Giving elements another shape: reshape, transpose, join, split."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina.engine import (
    Tensor,
    Variable,
    convert_to_tensor,
    errors,
    is_symbolic,
    op,
    static_int,
    static_ints,
    type_of,
)
from lamina.ops.array import dimensions, identity

__all__ = [
    "broadcast_to",
    "concat",
    "expand_dims",
    "parallel_stack",
    "reshape",
    "reshape_examples",
    "split",
    "squeeze",
    "stack",
    "transpose",
    "unstack",
]


def axis_in(axis, ndim):
    """Return `axis` counted from the front, for a Tensor of `ndim` axes."""
    if not -ndim <= axis < ndim:
        raise errors.InvalidArgumentError(
            f"`axis` must lie in [{-ndim}, {ndim}); got {axis}.\n"
            f"  Fix: the input has {ndim} axes, so count from 0 to {ndim - 1}."
        )
    return axis % ndim if ndim else 0


def _known(sizes):
    return all(isinstance(each, int) for each in sizes)


# --- axes -----------------------------------------------------------------------------------------


@op(host="reshape")
def _reshape(tensor, *, shape):
    old, holes = jnp.shape(tensor), shape.count(-1)
    known = [each for each in shape if not (isinstance(each, int) and each == -1)]
    if _known(shape) and _known(old):
        count, rest = math.prod(old), math.prod(known)
        if count == rest == 0 and holes == 1:  # as TF: sizes of 0 stand for each other
            free = math.prod(filter(None, old)) // math.prod(filter(None, known))
            return jnp.reshape(tensor, [free if each == -1 else each for each in shape])
        fits = count == rest if holes == 0 else rest != 0 and count % rest == 0
        if holes > 1 or not fits or min(known, default=0) < 0:
            raise errors.InvalidArgumentError(
                f"`shape` must hold the {count} elements of the input, of shape {old}, with at "
                f"most one -1; got {shape}.\n  Fix: change a size, or let one be -1."
            )
    return jnp.reshape(tensor, shape)


def reshape(tensor, shape, name=None):
    """Return the elements of `tensor`, in row-major order, in another shape.

    Args:
        tensor: A Tensor.
        shape: Sizes, one of which may be -1 to be inferred.
        name: Accepted, unused.

    Returns:
        A Tensor of shape `shape` and the same elements.

    Raises:
        InvalidArgumentError: the number of elements differs.

    Example:
        >>> tf.reshape([1, 2, 3, 4], (2, -1)).numpy()
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    return _reshape(tensor, shape=static_ints(shape, "tf.reshape(shape)"))


@op
def reshape_examples(x, *, sizes):
    """Give each example another shape.

    Args:
        x: Any dtype, ``(B, …)``. Sizes may be unknown, also where they must be multiples.
        sizes: The shape of an example, one size of which may be -1.

    Returns:
        ``(B, *sizes)``, the elements of `x`.

    Example:
        >>> from lamina import ops
        >>> ops.reshape_examples([[1, 2, 3, 4]], sizes=(2, -1)).numpy()
        array([[[1, 2],
                [3, 4]]], dtype=int32)
    """
    return jnp.reshape(x, (x.shape[0], *sizes))


@op
def transpose(a, perm=None, conjugate=False):
    """Reorder the axes of a Tensor.

    Args:
        a: A Tensor of rank r.
        perm: The old place of each new axis; None reverses the axes.
        conjugate: Whether to conjugate complex elements too.

    Returns:
        A Tensor whose axis i is axis `perm[i]` of `a`.

    Raises:
        InvalidArgumentError: `perm` is not a permutation of the axes.

    Example:
        >>> tf.transpose(tf.zeros((2, 3, 4)), (0, 2, 1)).shape
        TensorShape([2, 4, 3])
    """
    if perm is not None:
        perm = tuple(each % a.ndim if -a.ndim <= each < a.ndim else each for each in perm)
        if sorted(perm) != list(range(a.ndim)):
            raise errors.InvalidArgumentError(
                f"`perm` must be a permutation of the {a.ndim} axes of shape {a.shape}; "
                f"got {perm}.\n  Fix: name each axis from 0 to {a.ndim - 1} once."
            )
    moved = jnp.transpose(a, perm)
    return jnp.conj(moved) if conjugate and jnp.iscomplexobj(a) else moved


@op(host="reshape")
def _expand_dims(input, *, axis):
    return jnp.expand_dims(input, axis_in(axis, jnp.ndim(input) + 1))


def expand_dims(input, axis, name=None):
    """Insert an axis of size 1.

    Args:
        input: A Tensor of rank r.
        axis: Where the axis stands in the result, in `[-r - 1, r]`.
        name: Accepted, unused.

    Returns:
        A Tensor of rank r + 1.

    Raises:
        InvalidArgumentError: `axis` is out of range.

    Example:
        >>> tf.expand_dims(tf.zeros((2, 3)), -1).shape
        TensorShape([2, 3, 1])
    """
    places = static_ints(axis, "tf.expand_dims(axis)")
    if len(places) != 1:
        raise errors.InvalidArgumentError(
            f"tf.expand_dims: `axis` must be one integer; got {places}.\n"
            "  Fix: insert axes one by one, or use tf.reshape."
        )
    return _expand_dims(input, axis=places[0])


@op(host="reshape")
def squeeze(input, axis=None):
    """Remove axes of size 1.

    Args:
        input: A Tensor.
        axis: The axis or axes to remove; None or () removes every axis of size 1.

    Returns:
        A Tensor without these axes.

    Raises:
        InvalidArgumentError: an axis has another size, or does not exist.

    Example:
        >>> tf.squeeze(tf.zeros((1, 3, 1)), 0).shape
        TensorShape([3, 1])
    """
    sizes = jnp.shape(input)
    if axis is None or axis == ():
        axis = tuple(i for i, each in enumerate(sizes) if isinstance(each, int) and each == 1)
    axes = axis if isinstance(axis, tuple) else (axis,)
    axis = tuple(dict.fromkeys(axis_in(each, len(sizes)) for each in axes))
    for each in axis:
        if not isinstance(sizes[each], int):  # unknown: TF takes it for 1 too
            input = lax.index_in_dim(input, 0, each)
        elif sizes[each] != 1:
            raise errors.InvalidArgumentError(
                f"`axis` must name axes of size 1; got axis {each} of shape {sizes}.\n"
                "  Fix: use tf.reshape or an index, or name another axis."
            )
    return lax.squeeze(input, axis)


@op
def _broadcast_to(input, *, shape):
    try:
        return jnp.broadcast_to(input, shape)
    except ValueError:
        raise errors.InvalidArgumentError(
            f"`shape` must be one to which the input broadcasts; got {shape} for shape "
            f"{jnp.shape(input)}.\n  Fix: each size must equal the input's, or the input's be 1."
        ) from None


def broadcast_to(input, shape, name=None):
    """Repeat a Tensor along new axes and axes of size 1.

    Args:
        input: A Tensor.
        shape: The shape of the result.
        name: Accepted, unused.

    Returns:
        A Tensor of shape `shape`.

    Raises:
        InvalidArgumentError: the shapes do not broadcast.

    Example:
        >>> tf.broadcast_to([1, 2], (2, 2)).numpy()
        array([[1, 2],
               [1, 2]], dtype=int32)
    """
    return _broadcast_to(input, shape=dimensions(shape, "tf.broadcast_to"))


# --- joining and splitting ------------------------------------------------------------------------


def _check_joinable(values, axis):
    """Raise unless the shapes agree on every axis but `axis` (None: on all)."""
    first = jnp.shape(values[0])
    for i, each in enumerate(values):
        sizes = jnp.shape(each)
        if len(sizes) != len(first) or any(
            isinstance(a, int) and isinstance(b, int) and a != b
            for k, (a, b) in enumerate(zip(sizes, first, strict=True))
            if k != axis
        ):
            agree = "equal shapes" if axis is None else f"equal shapes outside axis {axis}"
            raise errors.InvalidArgumentError(
                f"`values` must have {agree}; got {first} for values[0] and {sizes} for "
                f"values[{i}].\n  Fix: reshape, pad or slice the value that differs."
            )


def _concat_on_host(*values, axis):
    return np.concatenate(values, axis)


def _type_of_joined(kinds, axis):
    """Return the type of a join of fitting shapes: a loop that appends has a new one each time."""
    first = kinds[0].dims
    if not -len(first) <= axis < len(first) or any(is_symbolic(k.dims) for k in kinds):
        return None
    axis %= len(first)
    around = [(len(k.dims), k.dims[:axis], k.dims[axis + 1 :]) for k in kinds]
    if any(each != around[0] for each in around):
        return None
    dims = (*first[:axis], sum(k.dims[axis] for k in kinds), *first[axis + 1 :])
    return (type_of(dims, kinds[0].dtype),), None


@op(host=_concat_on_host, infer=_type_of_joined)
def _concat(*values, axis):
    axis = axis_in(axis, jnp.ndim(values[0]))
    _check_joinable(values, axis)
    return lax.concatenate(values, axis)


def concat(values, axis, name=None):
    """Join Tensors along an existing axis.

    Args:
        values: A list of Tensors of one dtype, with equal sizes outside `axis`.
        axis: The axis along which to join.
        name: Accepted, unused.

    Returns:
        A Tensor whose size along `axis` is the sum of the values' sizes.

    Raises:
        InvalidArgumentError: `values` is empty, ranks or other sizes differ, or `axis` is out
            of range.

    Example:
        >>> tf.concat([[1, 2], [3]], 0).numpy()
        array([1, 2, 3], dtype=int32)
    """
    if not isinstance(values, list | tuple):
        values = [values]
    if not values:
        raise errors.InvalidArgumentError(
            "tf.concat: `values` must hold at least one Tensor; got an empty list.\n"
            "  Fix: skip the call, or start from a Tensor of size 0."
        )
    axis = static_int(axis, "tf.concat(axis)")
    if len(values) == 1:  # as in TF, of any rank and whatever the axis
        return identity(values[0])
    return _concat(*values, axis=axis)


def _stack_on_host(*values, axis):
    return np.stack(values, axis)


@op(host=_stack_on_host)
def _stack(*values, axis):
    ndim = jnp.ndim(values[0]) + 1
    if not -ndim <= axis < ndim:
        raise ValueError(
            f"`axis` must lie in [{-ndim}, {ndim}); got {axis}.\n  Fix: the result has {ndim} axes."
        )
    axis %= ndim
    _check_joinable(values, None)
    return jnp.stack(values, axis)


def stack(values, axis: Any = 0, name=None):
    """Join Tensors along a new axis.

    Args:
        values: A list of N Tensors of one shape and dtype, or a Tensor, whose rows are taken.
        axis: Where the new axis stands in the result.
        name: Accepted, unused.

    Returns:
        A Tensor of one rank more, of size N along `axis`; an empty float32 vector for N = 0.

    Raises:
        InvalidArgumentError: shapes differ.
        ValueError: `axis` is out of range.

    Example:
        >>> tf.stack([[1, 2], [3, 4]], axis=1).numpy()
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
    if isinstance(values, Tensor | Variable | np.ndarray):
        values = unstack(values)
    if not len(values):
        return convert_to_tensor([])
    return _stack(*values, axis=static_int(axis, "tf.stack(axis)"))


parallel_stack = stack


def _unstack_on_host(value, num=None, axis: Any = 0):
    return list(np.moveaxis(value, axis, 0))


@op(host=_unstack_on_host)
def unstack(value, num=None, axis=0):
    """Split a Tensor into its slices along an axis, which disappears.

    Args:
        value: A Tensor of rank at least 1.
        num: The size along `axis`, checked if given.
        axis: The axis to take apart.

    Returns:
        A list of Tensors of one rank less.

    Raises:
        ValueError: `axis` is not an axis of `value`.
        InvalidArgumentError: the size is unknown, or differs from `num`.

    Example:
        >>> [int(x) for x in tf.unstack([1, 2, 3])]
        [1, 2, 3]
    """
    sizes = jnp.shape(value)
    if not -len(sizes) <= axis < len(sizes):
        raise ValueError(
            f"`axis` must be an axis of `value`; got axis {axis} for shape {sizes}.\n"
            "  Fix: a scalar cannot be unstacked; for other shapes count axes from 0."
        )
    count = sizes[axis]
    if not isinstance(count, int):
        count = num
    if count is None or (num is not None and num != count):
        raise errors.InvalidArgumentError(
            f"`num` must be the size of axis {axis} of shape {sizes}; got {num}.\n"
            "  Fix: pass that size, or leave `num` out if the size is known."
        )
    if not isinstance(sizes[axis], int):
        return [jnp.take(value, i, axis, mode="clip") for i in range(count)]
    return [lax.index_in_dim(value, i, axis, keepdims=False) for i in range(count)]


@op
def _split(value, *, sizes, axis):
    axis = axis_in(axis, jnp.ndim(value))
    whole = jnp.shape(value)[axis]
    if isinstance(sizes, int):
        if isinstance(whole, int) and (sizes < 1 or whole % sizes):
            raise errors.InvalidArgumentError(
                f"`num_or_size_splits` must divide the {whole} elements of axis {axis}; got "
                f"{sizes}.\n  Fix: pass a list of sizes for unequal parts."
            )
        return lax.split(value, (whole // sizes,) * sizes, axis)
    if -1 in sizes:
        rest = whole - sum(each for each in sizes if each != -1)
        sizes = tuple(rest if each == -1 else each for each in sizes)
    if _known((whole, *sizes)) and (sum(sizes) != whole or min(sizes, default=0) < 0):
        raise errors.InvalidArgumentError(
            f"`num_or_size_splits` must sum to the {whole} elements of axis {axis}; got "
            f"{sizes}.\n  Fix: change a size, or let one be -1."
        )
    return lax.split(value, sizes, axis)


def split(value, num_or_size_splits, axis: Any = 0, num=None, name=None):
    """Split a Tensor into parts along an axis.

    Args:
        value: A Tensor.
        num_or_size_splits: The number of equal parts, or the size of each part, one of which
            may be -1 to take the rest.
        axis: The axis to cut.
        num: The number of parts, unused: it is always known here.
        name: Accepted, unused.

    Returns:
        A list of Tensors.

    Raises:
        InvalidArgumentError: the parts do not make up the axis.

    Example:
        >>> [x.numpy().tolist() for x in tf.split([1, 2, 3, 4], [1, -1])]
        [[1], [2, 3, 4]]
    """
    if isinstance(num_or_size_splits, int) or np.ndim(num_or_size_splits) == 0:
        sizes = static_int(num_or_size_splits, "tf.split(num_or_size_splits)")
    else:
        sizes = static_ints(num_or_size_splits, "tf.split(num_or_size_splits)")
    return _split(value, sizes=sizes, axis=static_int(axis, "tf.split(axis)"))
