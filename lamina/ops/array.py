"""Making tensors, and asking about their shapes."""

import functools
import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina.engine import (
    Tensor,
    TensorShape,
    Variable,
    as_dtype,
    convert_to_tensor,
    dtypes,
    errors,
    local,
    op,
    shapes,
    static_ints,
)

__all__ = [
    "broadcast_dynamic_shape",
    "broadcast_static_shape",
    "constant",
    "convert_to_tensor",
    "ensure_shape",
    "fill",
    "get_static_value",
    "guarantee_const",
    "identity",
    "identity_n",
    "is_tensor",
    "ones",
    "ones_like",
    "rank",
    "shape",
    "shape_n",
    "size",
    "stop_gradient",
    "unravel_index",
    "zeros",
    "zeros_like",
]

broadcast_static_shape = shapes.broadcast_static_shape


def dimensions(shape, who):
    """Return a shape argument as a tuple of sizes.

    Args:
        shape: One size, a sequence mixing ints and integer Tensors, a TensorShape, or a vector
            Tensor whose value the host can know.
        who: The function to name in errors.

    Returns:
        A tuple of ints, or of symbolic sizes inside a trace of unknown batch.

    Raises:
        InvalidArgumentError: a size is negative.
    """
    sizes = static_ints(shape, f"{who}(shape)")
    for each in sizes:
        if isinstance(each, int) and each < 0:
            raise errors.InvalidArgumentError(
                f"{who}: `shape` must hold non-negative sizes; got {sizes}.\n"
                f"  Fix: replace {each} by the size it stands for."
            )
    return sizes


def constant(value, dtype=None, shape=None, name="Const"):
    """Make a Tensor from a Python or NumPy value, which is copied.

    Args:
        value: A number, bool, string, NumPy array, or nested list of these.
        dtype: The dtype; None infers it (Python ints give int32, floats float32).
        shape: The shape; `value` is reshaped to it, or repeated if it has one element.
        name: Accepted, unused.

    Returns:
        The Tensor.

    Raises:
        TypeError: `value` does not fit `dtype`, or its size does not fit `shape`.

    Example:
        >>> tf.constant(3, shape=(2, 2)).numpy()
        array([[3, 3],
               [3, 3]], dtype=int32)
    """
    if shape is None:
        return convert_to_tensor(value, dtype)
    sizes = dimensions(shape, "tf.constant")
    tensor = convert_to_tensor(value, dtype)
    count = math.prod(tensor.shape.as_list())
    if count == math.prod(sizes):
        return _reshaped(tensor, shape=sizes)
    if count == 1:
        return _filled(_reshaped(tensor, shape=()), shape=sizes)
    raise TypeError(
        f"tf.constant: `value` must have one element or as many as `shape`; got {count} elements "
        f"for shape {sizes}.\n  Fix: drop `shape`, or give {math.prod(sizes)} elements."
    )


@op
def _reshaped(tensor, *, shape):
    return jnp.reshape(tensor, shape)


def _same(input):
    return input


@op(host=_same)
def identity(input):
    """Return a new Tensor with the value of `input`.

    Args:
        input: A Tensor of any shape and dtype.

    Returns:
        A Tensor equal to `input`; gradients pass through.

    Example:
        >>> tf.identity([1, 2]).numpy()
        array([1, 2], dtype=int32)
    """
    return input


guarantee_const = identity


def identity_n(input, name=None):
    """Apply `tf.identity` to each Tensor of a list.

    Args:
        input: A list of Tensors.
        name: Accepted, unused.

    Returns:
        A list of Tensors equal to those of `input`.

    Example:
        >>> [int(x) for x in tf.identity_n([1, 2])]
        [1, 2]
    """
    return [identity(each) for each in input]


@op(differentiable=False)
def stop_gradient(input):
    """Return `input`, through which no gradient flows.

    Args:
        input: A Tensor of any shape and dtype.

    Returns:
        A Tensor equal to `input`; a tape gives None through it.

    Example:
        >>> x = tf.Variable(3.0)
        >>> with tf.GradientTape() as tape:
        ...     y = x * tf.stop_gradient(x)
        >>> tape.gradient(y, x).numpy()
        np.float32(3.0)
    """
    return lax.stop_gradient(input)


def is_tensor(x):
    """Return whether `x` is a Tensor, Variable, ragged or sparse Tensor, or `tf.IndexedSlices`.

    Args:
        x: Any Python object.

    Returns:
        A Python bool.

    Example:
        >>> tf.is_tensor(tf.ones(2)), tf.is_tensor([1.0])
        (True, False)
    """
    return isinstance(x, Tensor | Variable) or getattr(type(x), "_is_tensor", False)


def known_value(tensor, what, fix):
    """Return the value of a Tensor on which the shape of a result depends.

    Args:
        tensor: A Tensor.
        what: The function and the reason for the error, such as "tf.unique: `x`".
        fix: What to do instead inside a trace.

    Returns:
        A NumPy array. In eager code what is pending runs first.

    Raises:
        TracedValueError: the Tensor belongs to a trace, where values do not exist yet.
    """
    try:
        return np.asarray(tensor)
    except errors.TracedValueError:
        raise errors.TracedValueError(
            f"{what} decides the shape of the result, so its value must be known; got {tensor}, "
            f"which is computed from data inside a trace.\n  Fix: {fix}."
        ) from None


def get_static_value(tensor, partial=False):
    """Return the value of a Tensor if it is known without waiting for data, else None.

    Args:
        tensor: A Tensor, Variable or array.
        partial: Accepted, unused.

    Returns:
        A NumPy array (a scalar for shape `()`), or None inside a trace.

    Example:
        >>> tf.get_static_value(tf.constant([1, 2]))
        array([1, 2], dtype=int32)
    """
    try:
        value = np.array(convert_to_tensor(tensor))
    except errors.TracedValueError:
        return None
    return value[()] if value.ndim == 0 else value


# --- shapes ---------------------------------------------------------------------------------------


def _index_array(sizes, out_type):
    """Pack sizes, known or symbolic, into an integer vector."""
    dtype = as_dtype(out_type or dtypes.int32).np
    if all(isinstance(each, int) for each in sizes):
        return jnp.asarray(np.array(sizes, dtype))
    return jnp.stack([jnp.asarray(each, dtype) for each in sizes])


def _integer_type(out_type, who, name="out_type"):
    """Return int32 or int64 as TF names it; None stays."""
    found = None if out_type is None else as_dtype(out_type)
    if found not in (None, dtypes.int32, dtypes.int64):
        raise errors.InvalidArgumentError(
            f"{who}: `{name}` must be int32 or int64; got {found.name}.\n  Fix: use one of these."
        )
    return found


@op(differentiable=False)
def _shape(input, *, out_type):
    return _index_array(jnp.shape(input), out_type)


def shape(input, out_type=None, name=None):
    """Return the shape of `input` as a Tensor, known to the host without running anything.

    Args:
        input: A Tensor of rank r.
        out_type: int32 (None) or int64.
        name: Accepted, unused.

    Returns:
        An integer Tensor of shape `(r,)`.

    Example:
        >>> tf.shape(tf.zeros((2, 3))).numpy()
        array([2, 3], dtype=int32)
    """
    result = _shape(input, out_type=_integer_type(out_type, "tf.shape"))
    result._host = _host_dims(_dims(input), result.dtype)  # known without running anything
    return result


@functools.lru_cache(maxsize=4096)
def _host_dims(dims, dtype):
    """Return sizes as an array of their own dtype, or of objects if some are symbolic."""
    known = all(isinstance(each, int) for each in np.ravel(np.array(dims, object)))
    return np.array(dims, dtype.np if known else object)


def _dims(input):
    """Return the sizes of a Tensor, Variable, array or nested list; some may be symbolic."""
    if not isinstance(input, Tensor):
        input = convert_to_tensor(input)
    return input._type.dims


def shape_n(input, out_type: Any = dtypes.int32, name=None):
    """Return the shapes of several Tensors.

    Args:
        input: A list of Tensors.
        out_type: int32 or int64.
        name: Accepted, unused.

    Returns:
        A list of integer vectors.

    Example:
        >>> [s.numpy().tolist() for s in tf.shape_n([tf.zeros(2), tf.zeros((3, 1))])]
        [[2], [3, 1]]
    """
    return [shape(each, out_type=out_type) for each in input]


@op(differentiable=False)
def _size(input, *, out_type):
    return jnp.asarray(math.prod(jnp.shape(input)), as_dtype(out_type or dtypes.int32).np)


def size(input, out_type=None, name=None):
    """Return the number of elements of `input`.

    Args:
        input: A Tensor.
        out_type: int32 (None) or int64.
        name: Accepted, unused.

    Returns:
        An integer scalar.

    Example:
        >>> int(tf.size(tf.zeros((2, 3))))
        6
    """
    result = _size(input, out_type=out_type)
    result._host = _host_dims(math.prod(_dims(input)), result.dtype)
    return result


def rank(input, name=None):
    """Return the number of axes of `input`.

    Args:
        input: A Tensor.
        name: Accepted, unused.

    Returns:
        An int32 scalar.

    Example:
        >>> int(tf.rank(tf.zeros((2, 3))))
        2
    """
    return convert_to_tensor(len(_dims(input)), dtypes.int32)


def broadcast_dynamic_shape(shape_x, shape_y):
    """Return the shape to which two shapes broadcast, as a Tensor.

    Args:
        shape_x: A shape, as integers or an integer vector.
        shape_y: A shape, as integers or an integer vector.

    Returns:
        An int32 vector.

    Raises:
        InvalidArgumentError: the shapes do not broadcast.

    Example:
        >>> tf.broadcast_dynamic_shape([2, 1], [1, 3]).numpy()
        array([2, 3], dtype=int32)
    """
    first = TensorShape(dimensions(shape_x, "tf.broadcast_dynamic_shape"))
    second = TensorShape(dimensions(shape_y, "tf.broadcast_dynamic_shape"))
    try:
        joint = broadcast_static_shape(first, second)
    except ValueError as error:
        raise errors.InvalidArgumentError(str(error)) from None
    return convert_to_tensor(joint.as_list(), dtypes.int32)


def ensure_shape(x, shape, name=None):
    """Return `x` after checking its shape.

    Args:
        x: A Tensor.
        shape: The wanted shape; None leaves an axis, or everything, open.
        name: Accepted, unused.

    Returns:
        A Tensor equal to `x`; gradients pass through.

    Raises:
        InvalidArgumentError: the shapes differ.

    Example:
        >>> tf.ensure_shape(tf.zeros((2, 3)), (None, 3)).shape
        TensorShape([2, 3])
    """
    x = convert_to_tensor(x)
    if not x.shape.is_compatible_with(shape):
        raise errors.InvalidArgumentError(
            f"tf.ensure_shape: `x` must have shape {TensorShape(shape)}; got {x.shape}.\n"
            "  Fix: reshape `x`, or correct `shape`."
        )
    return identity(x)


@op(differentiable=False)
def _unravel(indices, *, dims):
    parts = []
    for each in reversed(dims):
        parts.append(indices % each)
        indices = indices // each
    return jnp.stack(parts[::-1])


def unravel_index(indices, dims, name=None):
    """Turn flat indices into coordinates.

    Args:
        indices: An integer scalar or vector of N positions.
        dims: The shape that the positions count in, of rank r.
        name: Accepted, unused.

    Returns:
        A Tensor of shape `(r,)` or `(r, N)`, of `indices`' dtype.

    Raises:
        InvalidArgumentError: a size is 0 or less, `dims` has more elements than the dtype counts,
            or an index that is known without running a program is out of range.

    Example:
        >>> tf.unravel_index([5, 2], (2, 3)).numpy()
        array([[1, 0],
               [2, 2]], dtype=int32)
    """
    sizes = dimensions(dims, "tf.unravel_index")
    indices = convert_to_tensor(indices)
    if all(isinstance(each, int) for each in sizes):
        _check_flat(indices, sizes)
    return _unravel(indices, dims=sizes)


def _check_flat(indices, sizes):
    """Raise unless a shape has elements that its dtype counts, and the known indices are in it."""
    count = math.prod(sizes)
    known = indices._host if local.trace.eager else None
    if 0 in sizes or count > np.iinfo(indices.dtype.np).max:
        raise errors.InvalidArgumentError(
            f"tf.unravel_index: `dims` must be positive and multiply to what {indices.dtype.name} "
            f"holds; got {sizes}.\n  Fix: use int64 for a large shape."
        )
    if known is not None and known.size and not 0 <= known.min() <= known.max() < count:
        raise errors.InvalidArgumentError(
            f"tf.unravel_index: `indices` must lie in [0, {count}) for dims {sizes}; got "
            f"{known.tolist()}.\n  Fix: clip or correct the indices."
        )


# --- filled tensors -------------------------------------------------------------------------------


@op(differentiable=False)
def _full(*, shape, value, dtype):
    return jnp.full(shape, value, dtype.np)


@op
def _filled(value, *, shape):
    if jnp.ndim(value) != 0:
        raise errors.InvalidArgumentError(
            f"`value` must be a scalar; got shape {jnp.shape(value)}.\n"
            "  Fix: use tf.broadcast_to for other shapes."
        )
    return jnp.broadcast_to(value, shape)


@op(differentiable=False)
def _full_like(input, *, value, dtype):
    return jnp.full_like(input, value, dtype and dtype.np)


def zeros(shape, dtype: Any = dtypes.float32, name=None, layout=None):
    """Return a Tensor of zeros (False for bool).

    Args:
        shape: Sizes as integers, a TensorShape, or a Tensor whose value the host can know.
        dtype: The dtype.
        name: Accepted, unused.
        layout: Accepted, unused.

    Returns:
        A Tensor of that shape and dtype.

    Raises:
        InvalidArgumentError: a size is negative.

    Example:
        >>> tf.zeros((2,), tf.int32).numpy()
        array([0, 0], dtype=int32)
    """
    sizes = dimensions(shape, "tf.zeros")
    if dtype == "string":
        return convert_to_tensor(np.full(sizes, b"", object))
    return _full(shape=sizes, value=0, dtype=dtype)


def ones(shape, dtype: Any = dtypes.float32, name=None, layout=None):
    """Return a Tensor of ones (True for bool).

    Args:
        shape: Sizes as integers, a TensorShape, or a Tensor whose value the host can know.
        dtype: The dtype.
        name: Accepted, unused.
        layout: Accepted, unused.

    Returns:
        A Tensor of that shape and dtype.

    Raises:
        InvalidArgumentError: a size is negative.

    Example:
        >>> tf.ones((2,)).numpy()
        array([1., 1.], dtype=float32)
    """
    return _full(shape=dimensions(shape, "tf.ones"), value=1, dtype=dtype)


def fill(dims, value, name=None, layout=None):
    """Return a Tensor that repeats one value.

    Args:
        dims: The shape, as for `tf.zeros`.
        value: A scalar of any dtype.
        name: Accepted, unused.
        layout: Accepted, unused.

    Returns:
        A Tensor of shape `dims` and the dtype of `value`.

    Raises:
        InvalidArgumentError: a size is negative, or `value` is not a scalar.

    Example:
        >>> tf.fill((2,), 7.0).numpy()
        array([7., 7.], dtype=float32)
    """
    return _filled(value, shape=dimensions(dims, "tf.fill"))


def zeros_like(input, dtype=None, name=None, layout=None):
    """Return zeros with the shape of `input`.

    Args:
        input: A Tensor.
        dtype: The dtype; None keeps that of `input`.
        name: Accepted, unused.
        layout: Accepted, unused.

    Returns:
        A Tensor with the shape of `input`; no gradient flows to `input`.

    Example:
        >>> tf.zeros_like([1, 2]).numpy()
        array([0, 0], dtype=int32)
    """
    if dtype is not None and as_dtype(dtype) is dtypes.string:
        return fill(shape(input), "")
    return _full_like(input, value=0, dtype=dtype)


def ones_like(input, dtype=None, name=None, layout=None):
    """Return ones with the shape of `input`.

    Args:
        input: A Tensor.
        dtype: The dtype; None keeps that of `input`.
        name: Accepted, unused.
        layout: Accepted, unused.

    Returns:
        A Tensor with the shape of `input`; no gradient flows to `input`.

    Example:
        >>> tf.ones_like([1, 2], tf.float32).numpy()
        array([1., 1.], dtype=float32)
    """
    return _full_like(input, value=1, dtype=dtype)
