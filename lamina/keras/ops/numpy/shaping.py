"""Keras' NumPy functions that give elements another place: axes and shapes."""

from collections.abc import Sequence
from typing import Any

from lamina import ops
from lamina.engine import errors
from lamina.keras.ops.numpy.operands import of_rank, tensor
from lamina.ops.numpy import shaping as kernels
from lamina.ops.sparse.making import reshape as sparse_reshape
from lamina.ops.sparse.making import transpose as sparse_transpose
from lamina.ops.sparse.tensor import is_sparse

__all__ = [
    "broadcast_to",
    "copy",
    "expand_dims",
    "flip",
    "fliplr",
    "flipud",
    "moveaxis",
    "ndim",
    "ravel",
    "reshape",
    "roll",
    "rot90",
    "size",
    "squeeze",
    "swapaxes",
    "transpose",
    "view",
]


def _from_front(who: str, axis: Any, rank: int, what: str = "axis") -> int:
    """Return an axis counted from the front.

    Raises:
        ValueError: there is no such axis.
    """
    if isinstance(axis, int) and -rank <= axis < rank:
        return axis % rank
    raise ValueError(
        f"{who}: `{what}` must lie in [{-rank}, {rank}) for {rank} axes; got {axis!r}.\n"
        "  Fix: axes count from 0, or from -1 at the end."
    )


def _axes(who: str, axis: Any, rank: int, what: str = "axis") -> tuple[int, ...]:
    each = axis if isinstance(axis, list | tuple) else (axis,)
    return tuple(_from_front(who, a, rank, what) for a in each)


# ---- shapes --------------------------------------------------------------------------------------


def reshape(x: Any, newshape: Any) -> Any:
    """Return the elements, in row-major order, in another shape.

    Args:
        x: Any shape and dtype.
        newshape: Sizes, one of which may be -1 to be inferred; or one size.

    Returns:
        Shape `newshape`, dtype of `x`.

    Raises:
        ValueError: there is more than one -1.
        InvalidArgumentError: the number of elements differs.

    Example:
        >>> tf.keras.ops.numpy.reshape([1, 2, 3, 4], (2, -1)).numpy()
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    sizes = list(newshape) if isinstance(newshape, list | tuple) else newshape
    if isinstance(sizes, list) and [s for s in sizes if isinstance(s, int)].count(-1) > 1:
        raise ValueError(
            f"reshape: `newshape` must have at most one -1; got {newshape}.\n"
            "  Fix: write all sizes but one."
        )
    return ops.reshape(tensor(x), [sizes] if isinstance(sizes, int) else sizes)


def ravel(x: Any) -> Any:
    """Return the elements, in row-major order, as a vector.

    Args:
        x: Any shape and dtype.

    Returns:
        One axis, dtype of `x`.

    Example:
        >>> tf.keras.ops.numpy.ravel([[1, 2], [3, 4]]).numpy()
        array([1, 2, 3, 4], dtype=int32)
    """
    return ops.reshape(tensor(x), [-1])


def expand_dims(x: Any, axis: Any) -> Any:
    """Insert axes of size 1.

    Args:
        x: Any shape and dtype.
        axis: Where the axis, or each of several, stands in the result.

    Returns:
        Dtype of `x`, with these axes.

    Raises:
        ValueError: an axis is out of range.

    Example:
        >>> tf.keras.ops.numpy.expand_dims(tf.zeros((2, 3)), (0, -1)).shape
        TensorShape([1, 2, 3, 1])
    """
    x = tensor(x)
    several = axis if isinstance(axis, list | tuple) else (axis,)
    for place in sorted(_axes("expand_dims", axis, x.ndim + len(several))):
        x = ops.expand_dims(x, place)
    return x


def squeeze(x: Any, axis: Any = None) -> Any:
    """Remove axes of size 1.

    Args:
        x: Any shape and dtype.
        axis: The axis or axes; None or () removes every axis of size 1.

    Returns:
        Dtype of `x`, without these axes.

    Raises:
        ValueError: an axis has another size, or does not exist.

    Example:
        >>> tf.keras.ops.numpy.squeeze(tf.zeros((1, 3, 1)), 0).shape
        TensorShape([3, 1])
    """
    x = tensor(x)
    if axis is None or axis == () or axis == []:
        if not is_sparse(x):
            return ops.squeeze(x)
        axis = [i for i, n in enumerate(x.shape) if n == 1]
    axes = _axes("squeeze", axis, x.ndim)
    for each in axes:
        if x.shape[each] not in (1, None):
            raise ValueError(
                f"squeeze: `axis` must name axes of size 1; got {axis} for shape "
                f"{tuple(x.shape)}.\n  Fix: use reshape or an index."
            )
    if is_sparse(x):
        return sparse_reshape(x, [n for i, n in enumerate(x._static_shape) if i not in axes])
    return ops.squeeze(x, axis=axes)


def broadcast_to(x: Any, shape: Any) -> Any:
    """Repeat an array along new axes and axes of size 1.

    Args:
        x: An array that broadcasts to `shape`.
        shape: The sizes.

    Returns:
        Shape `shape`, dtype of `x`.

    Raises:
        InvalidArgumentError: the shapes do not broadcast.

    Example:
        >>> tf.keras.ops.numpy.broadcast_to([1, 2], (2, 2)).numpy()
        array([[1, 2],
               [1, 2]], dtype=int32)
    """
    return ops.broadcast_to(tensor(x), [shape] if isinstance(shape, int) else shape)


def copy(x: Any) -> Any:
    """Return a value as a Tensor; Tensors never change, so none is copied.

    Args:
        x: Any shape and dtype.

    Returns:
        The shape and dtype of `x`.

    Example:
        >>> tf.keras.ops.numpy.copy([1, 2]).numpy()
        array([1, 2], dtype=int32)
    """
    return ops.identity(tensor(x))


def size(x: Any) -> Any:
    """Return the number of elements.

    Args:
        x: Any shape and dtype.

    Returns:
        int32, a scalar.

    Example:
        >>> tf.keras.ops.numpy.size(tf.zeros((2, 3))).numpy()
        np.int32(6)
    """
    return ops.size(tensor(x))


def ndim(x: Any) -> int:
    """Return the number of axes.

    Args:
        x: Any shape and dtype.

    Returns:
        A Python int.

    Example:
        >>> tf.keras.ops.numpy.ndim(tf.zeros((2, 3)))
        2
    """
    return tensor(x).ndim


def view(x: Any, dtype: Any = None) -> Any:
    """Return the same bits read as another dtype.

    Args:
        x: Numbers.
        dtype: The dtype to read; None is that of `x`. The last axis shrinks or grows if it is
            wider or narrower.

    Returns:
        `dtype`.

    Raises:
        ValueError: the bytes of the last axis do not divide into `dtype`.

    Example:
        >>> tf.keras.ops.numpy.view([1.0], "int32").numpy()
        array([1065353216], dtype=int32)
    """
    x = tensor(x)
    return kernels.viewed(x, dtype=x.dtype if dtype is None else dtype)


# ---- axes ----------------------------------------------------------------------------------------


def transpose(x: Any, axes: Any = None) -> Any:
    """Reorder the axes.

    Args:
        x: Any shape and dtype.
        axes: The old place of each new axis; None reverses them.

    Returns:
        Dtype of `x`.

    Raises:
        InvalidArgumentError: `axes` is not a permutation.

    Example:
        >>> tf.keras.ops.numpy.transpose([[1, 2], [3, 4]]).numpy()
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
    x = tensor(x)
    return sparse_transpose(x, axes) if is_sparse(x) else ops.transpose(x, perm=axes)


def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Move axes to other places; the rest keep their order.

    Args:
        x: Any shape and dtype.
        source: The axis or axes to move.
        destination: Where each goes.

    Returns:
        Dtype of `x`.

    Raises:
        ValueError: an axis is out of range, or `source` and `destination` differ in length.

    Example:
        >>> tf.keras.ops.numpy.moveaxis(tf.zeros((2, 3, 4)), 0, -1).shape
        TensorShape([3, 4, 2])
    """
    x = tensor(x)
    start = _axes("moveaxis", source, x.ndim, "source")
    goal = _axes("moveaxis", destination, x.ndim, "destination")
    if len(start) != len(goal):
        raise ValueError(
            f"moveaxis: `source` and `destination` must have one length; got {source} and "
            f"{destination}.\n  Fix: name a place for each axis."
        )
    order = [i for i in range(x.ndim) if i not in start]
    for place, axis in sorted(zip(goal, start, strict=True)):
        order.insert(place, axis)
    return x if order == list(range(x.ndim)) else ops.transpose(x, perm=order)


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Exchange two axes.

    Args:
        x: Any shape and dtype.
        axis1: The one.
        axis2: The other.

    Returns:
        Dtype of `x`.

    Raises:
        ValueError: an axis is out of range.

    Example:
        >>> tf.keras.ops.numpy.swapaxes(tf.zeros((2, 3, 4)), 0, 2).shape
        TensorShape([4, 3, 2])
    """
    x = tensor(x)
    order = list(range(x.ndim))
    one = _from_front("swapaxes", axis1, x.ndim, "axis1")
    other = _from_front("swapaxes", axis2, x.ndim, "axis2")
    order[one], order[other] = other, one
    return ops.transpose(x, perm=order)


def flip(x: Any, axis: Any = None) -> Any:
    """Reverse the order of the elements along axes.

    Args:
        x: Any shape and dtype.
        axis: The axis or axes; None is all.

    Returns:
        The shape and dtype of `x`.

    Example:
        >>> tf.keras.ops.numpy.flip([[1, 2], [3, 4]], axis=1).numpy()
        array([[2, 1],
               [4, 3]], dtype=int32)
    """
    x = tensor(x)
    axes = tuple(range(x.ndim)) if axis is None else _axes("flip", axis, x.ndim)
    return ops.reverse(x, axes) if axes else x


def fliplr(x: Any) -> Any:
    """Reverse the order of the elements along the second axis.

    Args:
        x: At least two axes.

    Returns:
        The shape and dtype of `x`.

    Raises:
        ValueError: there are fewer axes.

    Example:
        >>> tf.keras.ops.numpy.fliplr([[1, 2], [3, 4]]).numpy()
        array([[2, 1],
               [4, 3]], dtype=int32)
    """
    return flip(of_rank("fliplr", x, 2), axis=1)


def flipud(x: Any) -> Any:
    """Reverse the order of the elements along the first axis.

    Args:
        x: At least one axis.

    Returns:
        The shape and dtype of `x`.

    Raises:
        ValueError: there is no axis.

    Example:
        >>> tf.keras.ops.numpy.flipud([[1, 2], [3, 4]]).numpy()
        array([[3, 4],
               [1, 2]], dtype=int32)
    """
    return flip(of_rank("flipud", x, 1), axis=0)


def rot90(array: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Any:
    """Turn an array by quarters in the plane of two axes, from the first towards the second.

    Args:
        array: At least two axes.
        k: How many quarters; negative ones turn back.
        axes: The two axes.

    Returns:
        Dtype of `array`; the two axes are exchanged if `k` is odd.

    Raises:
        ValueError: there are fewer than two axes, or `axes` does not name two.

    Example:
        >>> tf.keras.ops.numpy.rot90([[1, 2], [3, 4]]).numpy()
        array([[2, 4],
               [1, 3]], dtype=int32)
    """
    array = of_rank("rot90", array, 2)
    plane = _axes("rot90", axes, array.ndim, "axes")
    if len(set(plane)) != 2 or len(plane) != 2:
        raise ValueError(
            f"rot90: `axes` must name two different axes; got {tuple(axes)}.\n"
            "  Fix: the default is (0, 1)."
        )
    first, second = plane
    turns = k % 4
    if turns == 0:
        return array
    if turns == 2:
        return flip(array, axis=plane)
    if turns == 1:
        return swapaxes(flip(array, axis=second), first, second)
    return flip(swapaxes(array, first, second), axis=second)


def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """Move elements along axes; those beyond the end come in at the start.

    Args:
        x: Any shape and dtype.
        shift: How far, for each axis; it may be a Tensor.
        axis: The axis or axes; None moves through all elements in order.

    Returns:
        The shape and dtype of `x`.

    Raises:
        InvalidArgumentError: `shift` and `axis` differ in length, or an axis is out of range.

    Example:
        >>> tf.keras.ops.numpy.roll([1, 2, 3], 1).numpy()
        array([3, 1, 2], dtype=int32)
    """
    x = tensor(x)
    if axis is None:
        return ops.reshape(ops.roll(ops.reshape(x, [-1]), shift, 0), ops.shape(x))
    shifts = shift if isinstance(shift, list | tuple) else None
    if (None if shifts is None else len(shifts)) != (
        len(axis) if isinstance(axis, list | tuple) else None
    ):
        raise errors.InvalidArgumentError(
            f"roll: `shift` and `axis` must have one length; got {shift} and {axis}.\n"
            "  Fix: give one shift per axis."
        )
    return ops.roll(x, shift, axis)
