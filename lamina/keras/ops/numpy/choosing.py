"""Keras' NumPy functions that choose elements: by place, by condition, by bounds."""

from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import errors, host_value, static_ints
from lamina.keras.ops.numpy.operands import shared, tensor
from lamina.ops.numpy import shaping as kernels
from lamina.ops.sparse.calculating import dense_of

__all__ = [
    "clip",
    "get_item",
    "nonzero",
    "select",
    "take",
    "take_along_axis",
    "unravel_index",
    "where",
]


def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """Return elements moved into ``[x_min, x_max]``.

    Args:
        x: Real numbers or bools.
        x_min: The lower bounds, of a shape that broadcasts, or None.
        x_max: The upper bounds, or None; where they are below `x_min`, that wins.

    Returns:
        The dtype that holds all three; int32 for bools.

    Example:
        >>> tf.keras.ops.numpy.clip([-1, 2, 5], 0, 3).numpy()
        array([0, 2, 3], dtype=int32)
    """
    bounds = [b for b in (x_min, x_max) if b is not None]
    values = shared(tensor(x), *bounds)
    values = [tensor(v, "int32") if v.dtype.is_bool else v for v in values]
    found = values.pop(0)
    if x_max is not None:
        found = ops.minimum(found, values.pop())
    return found if x_min is None else ops.maximum(found, values.pop())


def get_item(x: Any, key: Any) -> Any:
    """Return ``x[key]``.

    Args:
        x: Any shape and dtype.
        key: Integers, slices, `Ellipsis`, None, or a tuple of these; or a mask of bools.

    Returns:
        Dtype of `x`.

    Example:
        >>> tf.keras.ops.numpy.get_item([[1, 2], [3, 4]], (slice(None), 0)).numpy()
        array([1, 3], dtype=int32)
    """
    return tensor(x)[key]


# ---- by place ------------------------------------------------------------------------------------


def _check_places(who: str, x: Any, indices: Any, axis: int) -> None:
    """Raise if indices that are known are out of range, or no integers."""
    if not indices.dtype.is_integer:
        raise errors.InvalidArgumentError(
            f"{who}: `indices` must be integers; got {indices.dtype.name}.\n"
            '  Fix: cast them to "int32".'
        )
    known, size = host_value(indices), x.shape[axis]
    if known is None or known.dtype == object or size is None or not known.size:
        return
    if known.min() < -size or known.max() >= size:
        raise errors.InvalidArgumentError(
            f"{who}: `indices` must lie in [{-size}, {size}) for axis {axis} of shape "
            f"{tuple(x.shape)}; got values from {known.min()} to {known.max()}.\n"
            "  Fix: clip or correct the indices."
        )


def take(x: Any, indices: Any, axis: Any = None) -> Any:
    """Return the slices at places along an axis.

    Args:
        x: Any shape and dtype.
        indices: Integers of any shape; negative ones count from the end. Sparse ones count as 0
            where they have none.
        axis: The axis; None counts through all elements in order.

    Returns:
        The shape of `x` with that of `indices` for the axis; dtype of `x`.

    Raises:
        InvalidArgumentError: known indices or the axis are out of range, or no integers.

    Example:
        >>> tf.keras.ops.numpy.take([[1, 2], [3, 4]], [0, -1], axis=1).numpy()
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    x, indices = tensor(x), dense_of(tensor(indices))
    if axis is None:
        x, axis = ops.reshape(x, [-1]), 0
    if not -x.ndim <= axis < x.ndim:
        raise errors.InvalidArgumentError(
            f"take: `axis` must lie in [{-x.ndim}, {x.ndim}) for shape {tuple(x.shape)}; got "
            f"{axis}.\n  Fix: axes count from 0, or from -1 at the end."
        )
    _check_places("take", x, indices, axis)
    return kernels.taken(x, indices, axis=axis % x.ndim)


def take_along_axis(x: Any, indices: Any, axis: Any = None) -> Any:
    """Return the elements at places along an axis, other places for each row.

    Args:
        x: Any shape and dtype.
        indices: Integers with as many axes; sizes broadcast but for `axis`. Negative ones count
            from the end.
        axis: The axis; None counts through all elements in order.

    Returns:
        The broadcast shape with the size of `indices` along `axis`; dtype of `x`.

    Raises:
        ValueError: the ranks differ, or other sizes do not broadcast.

    Example:
        >>> tf.keras.ops.numpy.take_along_axis([[1, 2], [3, 4]], [[1], [0]], axis=1).numpy()
        array([[2],
               [3]], dtype=int32)
    """
    x, indices = tensor(x), tensor(indices)
    if axis is None:
        if indices.ndim != 1:
            indices = ops.reshape(indices, [-1])
        x, axis = ops.reshape(x, [-1]), 0
    if x.ndim != indices.ndim or not -x.ndim <= axis < x.ndim:
        raise ValueError(
            f"take_along_axis: `x` and `indices` must have as many axes, and `axis` be one of "
            f"them; got shapes {tuple(x.shape)} and {tuple(indices.shape)}, axis {axis}.\n"
            "  Fix: use take for the same places in each row."
        )
    indices = indices if indices.dtype.is_integer else tensor(indices, "int32")
    return kernels.take_along(x, indices, axis=axis % x.ndim)


def unravel_index(indices: Any, shape: Any) -> Any:
    """Return the coordinates of elements that are numbered in order.

    Args:
        indices: Integers of any shape; those beyond the end wrap around.
        shape: The sizes of the array they number.

    Returns:
        A tuple of Tensors, one per axis, of the shape and dtype of `indices`.

    Raises:
        TypeError: `shape` is no sequence.

    Example:
        >>> [c.numpy() for c in tf.keras.ops.numpy.unravel_index([3, 5], (2, 3))]
        [array([1, 1], dtype=int32), array([0, 2], dtype=int32)]
    """
    if isinstance(shape, int):
        raise TypeError(
            f"unravel_index: `shape` must be a sequence of sizes; got {shape}.\n"
            f"  Fix: pass ({shape},)."
        )
    return kernels.unravelled(tensor(indices), shape=static_ints(shape, "unravel_index(shape)"))


# ---- by condition --------------------------------------------------------------------------------


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """Return `x1` where a condition holds and `x2` elsewhere; or the places where it holds.

    Args:
        condition: Bools, or numbers that count as True unless 0.
        x1: What to take where it holds.
        x2: What to take elsewhere; the three shapes broadcast.

    Returns:
        The dtype that holds `x1` and `x2`. With one argument, what `nonzero` returns.

    Raises:
        ValueError: only one of `x1` and `x2` is given.

    Example:
        >>> tf.keras.ops.numpy.where([True, False], 1, 2.5).numpy()
        array([1. , 2.5], dtype=float32)
    """
    if (x1 is None) != (x2 is None):
        raise ValueError(
            f"where: `x1` and `x2` must be given both or neither; got x1={x1!r}, x2={x2!r}.\n"
            "  Fix: pass the other one too."
        )
    if x1 is None:
        return nonzero(condition)
    return ops.where(tensor(condition, "bool"), *shared(x1, x2))


def nonzero(x: Any) -> list[Any]:
    """Return the coordinates of the elements that are not 0, in order.

    Args:
        x: Numbers or bools.

    Returns:
        A list of int32 vectors, one per axis.

    Raises:
        TracedValueError: inside a trace: how many there are depends on data.

    Example:
        >>> [c.numpy() for c in tf.keras.ops.numpy.nonzero([[0, 1], [2, 0]])]
        [array([0, 1], dtype=int32), array([1, 0], dtype=int32)]
    """
    places = ops.cast(ops.where(tensor(x, "bool")), "int32")
    return list(ops.unstack(places, axis=1))


def _is_number(value: Any) -> bool:
    return type(value) in (bool, int, float)


def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """Return, for each element, the choice of the first condition that holds.

    Args:
        condlist: A list of conditions, bools.
        choicelist: As many arrays; all shapes broadcast.
        default: What to take where none holds.

    Returns:
        The dtype that holds the choices and `default`, by NumPy's rules.

    Raises:
        ValueError: the lists are empty, differ in length, or are no lists.

    Example:
        >>> x = tf.constant([1, 5, 9])
        >>> tf.keras.ops.numpy.select([x < 3, x < 7], [-x, 10 * x], 0).numpy()
        array([-1, 50,  0], dtype=int32)
    """
    if not isinstance(condlist, list | tuple) or not isinstance(choicelist, list | tuple):
        raise ValueError(
            f"select: `condlist` and `choicelist` must be lists; got {type(condlist).__name__} "
            f"and {type(choicelist).__name__}.\n  Fix: pass a list of Tensors."
        )
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError(
            f"select: `condlist` and `choicelist` must have one length, at least 1; got "
            f"{len(condlist)} and {len(choicelist)}.\n  Fix: give a choice per condition."
        )
    arrays = [c if _is_number(c) else tensor(c) for c in (default, *choicelist)]
    dtype = np.result_type(*[a if _is_number(a) else a.dtype.as_numpy_dtype for a in arrays])
    choices = [tensor(a, dtype) for a in arrays]
    conditions = [tensor(c, "bool") for c in condlist]
    return kernels.first_choice(choices[0], *conditions, *choices[1:])
