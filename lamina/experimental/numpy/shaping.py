"""Moving, joining, splitting and repeating elements."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import Tensor, static_int, static_ints
from lamina.experimental.numpy.operands import array_of, axes_of, sequence

__all__ = [
    "append",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_arrays",
    "broadcast_to",
    "concatenate",
    "dsplit",
    "dstack",
    "expand_dims",
    "flatten",
    "flip",
    "fliplr",
    "flipud",
    "hsplit",
    "hstack",
    "moveaxis",
    "ndim",
    "pad",
    "ravel",
    "repeat",
    "reshape",
    "roll",
    "rot90",
    "shape",
    "size",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "tile",
    "transpose",
    "vsplit",
    "vstack",
]


# ---- shapes --------------------------------------------------------------------------------------


def shape(a: Any) -> Any:
    """Return the shape of an array, a `tf.TensorShape`.

    Args:
        a: An array.

    Example:
        >>> tf.experimental.numpy.shape([[1, 2]])
        TensorShape([1, 2])
    """
    return array_of(a).shape


def ndim(a: Any) -> int:
    """Return the number of axes of an array.

    Args:
        a: An array.
    """
    return array_of(a).ndim


def size(x: Any, axis: Any = None) -> Any:
    """Return the number of elements.

    Args:
        x: An array.
        axis: Must be None.

    Returns:
        A NumPy integer if the shape is known, else a Tensor.

    Raises:
        ValueError: `axis` is given.

    Example:
        >>> int(tf.experimental.numpy.size([[1, 2]]))
        2
    """
    if axis is not None:
        raise ValueError(
            "tf.experimental.numpy.size: `axis` is not supported.\n  Fix: use x.shape[axis]."
        )
    if isinstance(x, int | float | complex | np.generic):
        return 1
    x = array_of(x)
    return np.int64(x.shape.num_elements()) if x.shape.is_fully_defined() else ops.size(x)


def reshape(a: Any, newshape: Any, order: str = "C") -> Tensor:
    """Return an array's elements in another shape.

    Args:
        a: An array.
        newshape: Sizes, one of which may be -1.
        order: "C": the last axis runs fastest; "F": the first does.

    Raises:
        ValueError: another `order`.

    Example:
        >>> tf.experimental.numpy.reshape([1, 2, 3, 4], (2, 2), order="F").numpy()
        array([[1, 3],
               [2, 4]])
    """
    if order not in ("C", "F"):
        raise ValueError(
            f"Unsupported order argument {order}. Only 'C' and 'F' are supported.\n"
            f'  Fix: use "C", the default.'
        )
    a = array_of(a)
    newshape = [newshape] if isinstance(newshape, int) else newshape
    if order == "C":
        return ops.reshape(a, newshape)
    sizes = list(static_ints(newshape, "newshape"))
    return ops.transpose(ops.reshape(ops.transpose(a), sizes[::-1]))


def ravel(a: Any) -> Tensor:
    """Return an array's elements in a row.

    Args:
        a: An array.

    Example:
        >>> tf.experimental.numpy.ravel([[1, 2], [3, 4]]).numpy()
        array([1, 2, 3, 4])
    """
    return ops.reshape(array_of(a), [-1])


def flatten(a: Any, order: str = "C") -> Tensor:
    """Return an array's elements in a row.

    Args:
        a: An array.
        order: "C", "A" and "K": the last axis runs fastest; "F": the first does.

    Raises:
        ValueError: another `order`.
    """
    if order not in ("C", "A", "K", "F"):
        raise ValueError(
            f'order can only be "C", "A", "K" or "F"; got {order!r}.\n  Fix: use "C", the default.'
        )
    a = array_of(a)
    return ops.reshape(ops.transpose(a) if order == "F" else a, [-1])


def expand_dims(a: Any, axis: Any) -> Tensor:
    """Return an array with a new axis of size 1.

    Args:
        a: An array.
        axis: Where it stands.
    """
    return ops.expand_dims(array_of(a), axis)


def squeeze(a: Any, axis: Any = None) -> Tensor:
    """Return an array without its axes of size 1.

    Args:
        a: An array.
        axis: Which of them to drop; None drops all.
    """
    return ops.squeeze(array_of(a), axes_of(axis))


def transpose(a: Any, axes: Any = None) -> Tensor:
    """Return an array with its axes in another order.

    Args:
        a: An array.
        axes: The order; None reverses it.

    Example:
        >>> tf.experimental.numpy.transpose([[1, 2]]).shape
        TensorShape([2, 1])
    """
    return ops.transpose(array_of(a), None if axes is None else list(axes))


def moveaxis(a: Any, source: Any, destination: Any) -> Tensor:
    """Return an array with axes moved to other places.

    Args:
        a: An array.
        source: The axis, or axes, to move.
        destination: Where they go.

    Raises:
        ValueError: the numbers of axes differ.

    Example:
        >>> tf.experimental.numpy.moveaxis(np.ones((1, 2, 3)), 0, -1).shape
        TensorShape([2, 3, 1])
    """
    a = array_of(a)
    old = [x % a.ndim for x in _several(source)]
    new = [x % a.ndim for x in _several(destination)]
    if len(old) != len(new):
        raise ValueError(
            f"The lengths of source and destination must equal; got {source} and {destination}.\n"
            f"  Fix: name a destination for each source axis."
        )
    order = [i for i in range(a.ndim) if i not in old]
    for place, axis in sorted(zip(new, old, strict=True)):
        order.insert(place, axis)
    return ops.transpose(a, order)


def _several(axis: Any) -> list[int]:
    found = axes_of(axis)
    return [found] if isinstance(found, int) else list(found)


def swapaxes(a: Any, axis1: Any, axis2: Any) -> Tensor:
    """Return an array with two axes exchanged.

    Args:
        a: An array.
        axis1: One axis.
        axis2: The other.
    """
    a = array_of(a)
    first, second = static_int(axis1, "axis1") % a.ndim, static_int(axis2, "axis2") % a.ndim
    order = list(range(a.ndim))
    order[first], order[second] = order[second], order[first]
    return ops.transpose(a, order)


def broadcast_to(array: Any, shape: Any) -> Tensor:
    """Return an array broadcast to a shape.

    Args:
        array: An array.
        shape: Sizes.
    """
    return ops.broadcast_to(array_of(array), [shape] if isinstance(shape, int) else shape)


def broadcast_arrays(*args: Any, **kwargs: Any) -> list[Tensor]:
    """Return arrays broadcast to their common shape.

    Args:
        *args: Arrays, of any dtypes.
        **kwargs: `subok`, which must be False.

    Raises:
        ValueError: `subok=True`, or another keyword.
    """
    if kwargs.pop("subok", False) or kwargs:
        raise ValueError(
            "tf.experimental.numpy.broadcast_arrays: `subok=True` and other keywords are not "
            "supported.\n  Fix: leave them out."
        )
    arrays = [array_of(a) for a in args]
    wanted = ops.shape(arrays[0])
    for a in arrays[1:]:
        wanted = ops.broadcast_dynamic_shape(wanted, ops.shape(a))
    return [ops.broadcast_to(a, wanted) for a in arrays]


def _at_least(count: int, arrays: Sequence[Any], lift: Any) -> Any:
    found = [lift(array_of(a)) if array_of(a).ndim < count else array_of(a) for a in arrays]
    return found[0] if len(found) == 1 else found


def atleast_1d(*arys: Any) -> Any:
    """Return arrays with at least one axis.

    Args:
        *arys: Arrays.

    Returns:
        A Tensor for one array, a list for several.

    Example:
        >>> tf.experimental.numpy.atleast_1d(1).shape
        TensorShape([1])
    """
    return _at_least(1, arys, lambda a: ops.reshape(a, [1]))


def atleast_2d(*arys: Any) -> Any:
    """Return arrays with at least two axes; new ones come first.

    Args:
        *arys: Arrays.

    Returns:
        A Tensor for one array, a list for several.
    """
    return _at_least(2, arys, lambda a: ops.reshape(a, [1, -1]))


def atleast_3d(*arys: Any) -> Any:
    """Return arrays with at least three axes: a vector stands in the middle, a matrix in front.

    Args:
        *arys: Arrays.

    Returns:
        A Tensor for one array, a list for several.
    """

    def lift(a: Tensor) -> Tensor:
        return ops.expand_dims(a, -1) if a.ndim == 2 else ops.reshape(a, [1, -1, 1])

    return _at_least(3, arys, lift)


# ---- joining and splitting -----------------------------------------------------------------------


def concatenate(arys: Any, axis: int = 0) -> Tensor:
    """Return arrays joined along an axis, in the dtype that holds all.

    Args:
        arys: Arrays.
        axis: The axis.

    Example:
        >>> tf.experimental.numpy.concatenate([[1], [2.5]]).numpy()
        array([1. , 2.5])
    """
    return ops.concat(sequence(arys), axis)


def stack(arrays: Any, axis: int = 0) -> Tensor:
    """Return arrays of one shape joined along a new axis.

    Args:
        arrays: Arrays.
        axis: Where it stands.
    """
    return ops.stack(sequence(arrays), axis)


def append(arr: Any, values: Any, axis: int | None = None) -> Tensor:
    """Return an array with others after it.

    Args:
        arr: An array.
        values: What to put after it.
        axis: The axis; None takes the elements of both in rows.

    Example:
        >>> tf.experimental.numpy.append([1], [2, 3]).numpy()
        array([1, 2, 3])
    """
    if axis is None:
        return concatenate([ravel(arr), ravel(values)])
    return concatenate([arr, values], axis)


def vstack(tup: Any) -> Tensor:
    """Return arrays as rows, one below the other.

    Args:
        tup: Arrays.

    Example:
        >>> tf.experimental.numpy.vstack([[1, 2], [3, 4]]).shape
        TensorShape([2, 2])
    """
    return ops.concat([atleast_2d(a) for a in sequence(tup)], 0)


def hstack(tup: Any) -> Tensor:
    """Return arrays side by side: along axis 1, vectors along axis 0.

    Args:
        tup: Arrays.
    """
    arrays = [atleast_1d(a) for a in sequence(tup)]
    return ops.concat(arrays, 0 if arrays[0].ndim == 1 else 1)


def dstack(tup: Any) -> Tensor:
    """Return arrays joined along axis 2.

    Args:
        tup: Arrays.
    """
    return ops.concat([atleast_3d(a) for a in sequence(tup)], 2)


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """Return the parts of an array along an axis.

    Args:
        ary: An array.
        indices_or_sections: The number of equal parts, or where the parts after the first begin.
        axis: The axis.

    Example:
        >>> [p.numpy().tolist() for p in tf.experimental.numpy.split([1, 2, 3, 4], [1, 3])]
        [[1], [2, 3], [4]]
    """
    ary = array_of(ary)
    if isinstance(indices_or_sections, int):
        return list(ops.split(ary, indices_or_sections, axis))
    length = ary.shape[axis]
    cuts = [min(c if c >= 0 else c + length, length) for c in map(int, indices_or_sections)]
    bounds = [0, *cuts, length]
    sizes = [max(b - a, 0) for a, b in itertools.pairwise(bounds)]
    return list(ops.split(ary, sizes, axis))


def vsplit(ary: Any, indices_or_sections: Any) -> list[Tensor]:
    """Return the parts of an array along axis 0, see `split`.

    Args:
        ary: An array.
        indices_or_sections: The number of equal parts, or where the parts after the first begin.
    """
    return split(ary, indices_or_sections, 0)


def hsplit(ary: Any, indices_or_sections: Any) -> list[Tensor]:
    """Return the parts of an array along axis 1, of a vector along axis 0; see `split`.

    Args:
        ary: An array.
        indices_or_sections: The number of equal parts, or where the parts after the first begin.
    """
    ary = array_of(ary)
    return split(ary, indices_or_sections, min(1, ary.ndim - 1))


def dsplit(ary: Any, indices_or_sections: Any) -> list[Tensor]:
    """Return the parts of an array along axis 2, see `split`.

    Args:
        ary: An array.
        indices_or_sections: The number of equal parts, or where the parts after the first begin.
    """
    return split(ary, indices_or_sections, 2)


# ---- moving and repeating ------------------------------------------------------------------------


def flip(m: Any, axis: Any = None) -> Tensor:
    """Return an array in reverse order along axes.

    Args:
        m: An array.
        axis: The axis; None takes all.

    Example:
        >>> tf.experimental.numpy.flip([1, 2]).numpy()
        array([2, 1])
    """
    m = array_of(m)
    return ops.reverse(m, list(range(m.ndim)) if axis is None else _several(axis))


def flipud(m: Any) -> Tensor:
    """Return an array in reverse order along axis 0.

    Args:
        m: An array.
    """
    return flip(m, 0)


def fliplr(m: Any) -> Tensor:
    """Return an array in reverse order along axis 1.

    Args:
        m: An array.
    """
    return flip(m, 1)


def roll(a: Any, shift: Any, axis: Any = None) -> Tensor:
    """Return an array with its elements moved on, those past the end to the front.

    Args:
        a: An array.
        shift: By how many places.
        axis: The axis; None takes the elements as one row.

    Example:
        >>> tf.experimental.numpy.roll([1, 2, 3], 1).numpy()
        array([3, 1, 2])
    """
    a = array_of(a)
    if axis is None:
        return ops.reshape(ops.roll(ops.reshape(a, [-1]), shift, 0), ops.shape(a))
    return ops.roll(a, shift, axis)


def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Tensor:
    """Return an array turned by quarter turns, from the first of two axes to the second.

    Args:
        m: An array.
        k: The number of quarter turns.
        axes: The plane.

    Example:
        >>> tf.experimental.numpy.rot90([[1, 2], [3, 4]]).numpy()
        array([[2, 4],
               [1, 3]])
    """
    m = array_of(m)
    first, second = axes
    turns = k % 4
    if turns == 0:
        return m
    if turns == 2:
        return flip(flip(m, first), second)
    if turns == 1:
        return swapaxes(flip(m, second), first, second)
    return flip(swapaxes(m, first, second), second)


def repeat(a: Any, repeats: Any, axis: int | None = None) -> Tensor:
    """Return an array with each element repeated.

    Args:
        a: An array.
        repeats: How often, a number or one for each element along the axis.
        axis: The axis; None takes the elements as one row.

    Example:
        >>> tf.experimental.numpy.repeat([1, 2], 2).numpy()
        array([1, 1, 2, 2])
    """
    return ops.repeat(array_of(a), repeats, axis)


def tile(a: Any, reps: Any) -> Tensor:
    """Return an array repeated as a whole along axes.

    Args:
        a: An array.
        reps: How often along each axis; missing ones are put first.

    Example:
        >>> tf.experimental.numpy.tile([1, 2], 2).numpy()
        array([1, 2, 1, 2])
    """
    a = array_of(a)
    counts = list(static_ints(np.atleast_1d(np.asarray(reps)), "reps"))
    rank = max(len(counts), a.ndim)
    a = ops.reshape(a, [1] * (rank - a.ndim) + [-1 if s is None else s for s in a.shape])
    return ops.tile(a, [1] * (rank - len(counts)) + counts)


_PADDINGS = {"constant": "CONSTANT", "reflect": "REFLECT", "symmetric": "SYMMETRIC"}


def pad(array: Any, pad_width: Any, mode: str, **kwargs: Any) -> Tensor:
    """Return an array with borders.

    Args:
        array: An array.
        pad_width: The width (before, after) of each axis, or one pair or number for all.
        mode: "constant", "reflect" or "symmetric".
        **kwargs: `constant_values`: what a constant border holds, 0 if it is not given.

    Raises:
        ValueError: another mode.

    Example:
        >>> tf.experimental.numpy.pad([1, 2], ((1, 2),), "constant", constant_values=5).numpy()
        array([5, 1, 2, 5, 5])
    """
    if mode not in _PADDINGS:
        raise ValueError(
            f"tf.experimental.numpy.pad: Unsupported padding mode: {mode}\n"
            f"  Fix: use one of {', '.join(_PADDINGS)}."
        )
    array = array_of(array)
    widths = np.broadcast_to(np.asarray(pad_width), (array.ndim, 2))
    return ops.pad(array, widths, _PADDINGS[mode], kwargs.get("constant_values", 0))
