"""Choosing and sorting elements."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.engine import Tensor, dtypes
from lamina.experimental.numpy.operands import array_of, shared
from lamina.ops.numpy import shaping as kernels

__all__ = [
    "argsort",
    "compress",
    "ix_",
    "nonzero",
    "select",
    "sort",
    "take",
    "take_along_axis",
    "where",
]


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """Return elements of `x` where a condition holds, else of `y`; or where it holds.

    Args:
        condition: Bools, or numbers that count as True if they are not 0.
        x: Numbers, or None.
        y: Numbers, or None if `x` is; the three broadcast.

    Returns:
        A Tensor; without `x` and `y` the indices, see `nonzero`.

    Raises:
        ValueError: only one of `x` and `y` is given.

    Example:
        >>> tf.experimental.numpy.where([True, False], 1, 2.5).numpy()
        array([1. , 2.5])
    """
    condition = ops.cast(array_of(condition), dtypes.bool_)
    if x is None and y is None:
        return nonzero(condition)
    if x is None or y is None:
        raise ValueError("Both x and y must be ndarrays, or both must be None.\n  Fix: give both.")
    return ops.where(condition, *shared(x, y))


def nonzero(a: Any) -> list[Tensor]:
    """Return the indices of the elements that are not 0, an int64 vector for each axis.

    Args:
        a: An array.

    Example:
        >>> [i.numpy().tolist() for i in tf.experimental.numpy.nonzero([[1, 0], [0, 1]])]
        [[0, 1], [0, 1]]
    """
    a = array_of(a)
    if a.ndim == 0:
        a = ops.reshape(a, [1])
    places = ops.where(ops.cast(a, dtypes.bool_))
    return list(ops.unstack(places, a.ndim, axis=1))


def select(condlist: Any, choicelist: Any, default: Any = 0) -> Tensor:
    """Return, for each element, the choice of the first condition that holds.

    Args:
        condlist: Bool arrays.
        choicelist: As many arrays.
        default: What is taken where none holds.

    Raises:
        ValueError: the lists differ in length, or are empty.

    Example:
        >>> tf.experimental.numpy.select([[True, False]], [[1, 2]], 9).numpy()
        array([1, 9])
    """
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError(
            f"condlist must have the same, not zero, length as choicelist; got {len(condlist)} and "
            f"{len(choicelist)}.\n  Fix: give one choice for each condition."
        )
    found, *choices = shared(default, *choicelist)
    conditions = [ops.cast(array_of(c), dtypes.bool_) for c in condlist]
    return kernels.first_choice(found, *conditions, *choices)


def compress(condition: Any, a: Any, axis: Any = None) -> Tensor:
    """Return the slices along an axis where a condition holds.

    Args:
        condition: A vector of bools, not longer than the axis.
        a: An array.
        axis: The axis; None takes the elements as one row.

    Raises:
        ValueError: `condition` has not one axis, or is longer than the axis.

    Example:
        >>> tf.experimental.numpy.compress([True, False, True], [1, 2, 3]).numpy()
        array([1, 3])
    """
    condition, a = ops.cast(array_of(condition), dtypes.bool_), array_of(a)
    if condition.ndim != 1:
        raise ValueError("condition must be a 1-d array.\n  Fix: flatten it.")
    if axis is None:
        a, axis = ops.reshape(a, [-1]), 0
    places = ops.reshape(ops.where(condition), [-1])
    return ops.gather(a, places, axis=axis)


_MODES = ("raise", "clip", "wrap")


def take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: str = "clip") -> Tensor:
    """Return the slices at indices along an axis.

    Args:
        a: An array.
        indices: Integers.
        axis: The axis; None takes the elements as one row.
        out: Must be None.
        mode: What is taken for an index outside: "clip" the nearest, "wrap" counts around.

    Raises:
        ValueError: `out` is given, or another mode.

    Example:
        >>> tf.experimental.numpy.take([1, 2, 3], [0, 5]).numpy()
        array([1, 3])
    """
    if out is not None:
        raise ValueError("out argument is not supported in take.\n  Fix: use the result.")
    if mode not in _MODES:
        raise ValueError(f"Invalid mode '{mode}' for take.\n  Fix: use 'clip' or 'wrap'.")
    if mode == "raise":
        raise ValueError("The 'raise' mode to take is not supported.\n  Fix: use 'clip' or 'wrap'.")
    a, indices = array_of(a), array_of(indices)
    if axis is None:
        a, axis = ops.reshape(a, [-1]), 0
    length = ops.cast(ops.shape(a)[axis], indices.dtype)
    if mode == "clip":
        indices = ops.minimum(ops.maximum(indices, ops.zeros_like(indices)), length - 1)
    else:
        indices = ops.floormod(indices, length)
    return ops.gather(a, indices, axis=axis)


def take_along_axis(arr: Any, indices: Any, axis: Any) -> Tensor:
    """Return elements at places along an axis; the other axes of the two broadcast.

    Args:
        arr: An array.
        indices: Integers, of as many axes.
        axis: The axis; None takes the elements as one row.

    Example:
        >>> tf.experimental.numpy.take_along_axis([[3, 4]], [[1]], 1).numpy()
        array([[4]])
    """
    arr, indices = array_of(arr), array_of(indices)
    if axis is None:
        return kernels.take_along(ops.reshape(arr, [-1]), ops.reshape(indices, [-1]), axis=0)
    return kernels.take_along(arr, indices, axis=axis % arr.ndim)


def ix_(*args: Any) -> list[Tensor]:
    """Return vectors shaped so that together they index a grid.

    Args:
        *args: Vectors of integers, or of bools, which stand for where they are True.

    Raises:
        ValueError: an argument has not one axis.

    Example:
        >>> [i.shape.as_list() for i in tf.experimental.numpy.ix_([0, 1], [2])]
        [[2, 1], [1, 1]]
    """
    found = []
    for place, arg in enumerate(args):
        vector = array_of(arg)
        if vector.ndim != 1:
            raise ValueError(
                f"Arguments must be 1-d, got arg {place} of rank {vector.ndim}.\n  Fix: flatten it."
            )
        if vector.dtype.is_bool:
            (vector,) = nonzero(vector)
        sizes = [1] * len(args)
        sizes[place] = -1
        found.append(ops.reshape(vector, sizes))
    return found


def _checked_kind(kind: str, order: Any, allowed: tuple[str, ...]) -> None:
    if kind not in allowed:
        raise ValueError(
            f"Invalid value for argument `kind`. Only {' or '.join(map(repr, allowed))} is "
            f"supported. Received: kind={kind}\n  Fix: leave it out."
        )
    if order is not None:
        raise ValueError(
            "The 'order' argument is not supported. Pass order=None\n  Fix: leave it out."
        )


def sort(a: Any, axis: Any = -1, kind: str = "quicksort", order: Any = None) -> Tensor:
    """Return elements in rising order along an axis.

    Args:
        a: An array.
        axis: The axis; None takes the elements as one row.
        kind: Must be "quicksort".
        order: Must be None.

    Raises:
        ValueError: another `kind` or `order`.

    Example:
        >>> tf.experimental.numpy.sort([3, 1, 2]).numpy()
        array([1, 2, 3])
    """
    _checked_kind(kind, order, ("quicksort",))
    a = array_of(a)
    return ops.sort(ops.reshape(a, [-1]), axis=0) if axis is None else ops.sort(a, axis=axis)


def argsort(a: Any, axis: Any = -1, kind: str = "quicksort", order: Any = None) -> Tensor:
    """Return the indices that sort an array, int64.

    Args:
        a: An array.
        axis: The axis; None takes the elements as one row.
        kind: "quicksort" or "stable"; both keep the order of equal elements.
        order: Must be None.

    Raises:
        ValueError: another `kind` or `order`.

    Example:
        >>> tf.experimental.numpy.argsort([3, 1, 2]).numpy()
        array([1, 2, 0])
    """
    _checked_kind(kind, order, ("quicksort", "stable"))
    a = array_of(a)
    if axis is None:
        a, axis = ops.reshape(a, [-1]), 0
    return ops.cast(ops.argsort(a, axis=axis, stable=True), dtypes.int64)
