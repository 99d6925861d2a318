"""Keras' NumPy functions that join, cut, repeat and border arrays."""

from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import Tensor, errors, host_value, static_int, static_ints
from lamina.keras.ops.numpy.operands import sequence, tensor
from lamina.ops.numpy import shaping as kernels
from lamina.ops.sparse.calculating import dense_of
from lamina.ops.sparse.tensor import is_sparse

__all__ = [
    "append",
    "array_split",
    "concatenate",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "meshgrid",
    "pad",
    "repeat",
    "split",
    "stack",
    "tile",
    "vsplit",
    "vstack",
]

# ---- joining -------------------------------------------------------------------------------------


def concatenate(xs: Any, axis: int = 0) -> Any:
    """Join arrays along an axis.

    Args:
        xs: Arrays whose other sizes are equal.
        axis: The axis; None joins the elements in order.

    Returns:
        The dtype that holds all of them. Sparse if all of them are.

    Raises:
        InvalidArgumentError: the other sizes differ, or the axis is out of range.

    Example:
        >>> tf.keras.ops.numpy.concatenate([[[1, 2]], [[3, 4]]]).numpy()
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    xs = sequence(xs)
    if any(map(is_sparse, xs)) and not all(map(is_sparse, xs)):
        xs = [dense_of(x) for x in xs]
    if axis is None:
        return ops.concat([ops.reshape(x, [-1]) for x in xs], 0)
    return ops.concat(xs, axis)


def append(x1: Any, x2: Any, axis: Any = None) -> Any:
    """Join two arrays along an axis.

    Args:
        x1: An array.
        x2: An array whose other sizes are those of `x1`.
        axis: The axis; None joins the elements in order.

    Returns:
        The dtype that holds both.

    Example:
        >>> tf.keras.ops.numpy.append([1, 2], [[3, 4]]).numpy()
        array([1, 2, 3, 4], dtype=int32)
    """
    return concatenate([tensor(x1), tensor(x2)], axis)


def stack(x: Any, axis: int = 0) -> Any:
    """Join arrays of one shape along a new axis.

    Args:
        x: The arrays.
        axis: Where the new axis stands.

    Returns:
        The dtype that holds all of them.

    Example:
        >>> tf.keras.ops.numpy.stack([[1, 2], [3, 4]], axis=1).numpy()
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
    return ops.stack(sequence(x, rows=True), axis=axis)


def _at_least(x: Any, rank: int) -> Any:
    """Return a Tensor with axes of size 1 added as NumPy's `atleast_1d` and `atleast_3d` do."""
    if x.ndim == 0:
        x = ops.reshape(x, [1])
    if x.ndim == 1 and rank == 3:
        x = ops.expand_dims(x, 0)
    return ops.expand_dims(x, -1) if x.ndim == 2 and rank == 3 else x


def hstack(xs: Any) -> Any:
    """Join arrays side by side: along the second axis, vectors along their only one.

    Args:
        xs: Arrays whose other sizes are equal; scalars count as vectors of 1.

    Returns:
        The dtype that holds all of them.

    Example:
        >>> tf.keras.ops.numpy.hstack([[1, 2], [3]]).numpy()
        array([1, 2, 3], dtype=int32)
    """
    arrays = [_at_least(x, 1) for x in sequence(xs)]
    return ops.concat(arrays, 0 if arrays[0].ndim == 1 else 1)


def vstack(xs: Any) -> Any:
    """Join arrays one below the other: along the first axis.

    Vectors are joined end to end, as Keras does on TensorFlow; NumPy makes them rows.

    Args:
        xs: Arrays whose other sizes are equal; scalars count as vectors of 1.

    Returns:
        The dtype that holds all of them.

    Example:
        >>> tf.keras.ops.numpy.vstack([[[1, 2]], [[3, 4]]]).numpy()
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    return ops.concat([_at_least(x, 1) for x in sequence(xs)], 0)


def dstack(xs: Any) -> Any:
    """Join arrays one behind the other: along the third axis, matrices being of depth 1.

    Args:
        xs: Arrays whose other sizes are equal.

    Returns:
        The dtype that holds all of them.

    Example:
        >>> tf.keras.ops.numpy.dstack([[1, 2], [3, 4]]).numpy()
        array([[[1, 3],
                [2, 4]]], dtype=int32)
    """
    return ops.concat([_at_least(x, 3) for x in sequence(xs, rows=True)], 2)


def meshgrid(*x: Any, indexing: str = "xy") -> Any:
    """Broadcast vectors to the grid that they span.

    Args:
        *x: N vectors, of sizes n1 … nN; more axes count as one.
        indexing: "xy" gives ``(n2, n1, n3, …)``, "ij" gives ``(n1, n2, n3, …)``.

    Returns:
        A list of N Tensors of that shape, each in its own dtype.

    Raises:
        ValueError: `indexing` is neither "xy" nor "ij".

    Example:
        >>> tf.keras.ops.numpy.meshgrid([1, 2, 3], [4, 5])[1].numpy()
        array([[4, 4, 4],
               [5, 5, 5]], dtype=int32)
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(
            f'meshgrid: `indexing` must be "xy" or "ij"; got {indexing!r}.\n'
            '  Fix: "xy" for images (the default), "ij" for matrices.'
        )
    return kernels.grids(*x, indexing=indexing) if x else []


# ---- cutting -------------------------------------------------------------------------------------


def _bounds(who: str, x: Any, sections: Any, axis: int, *, equal: bool) -> list[int] | int:
    """Return where to cut an axis, or in how many equal parts."""
    count = sections
    if isinstance(sections, Tensor | np.ndarray | list | tuple):
        found = static_ints(sections, f"{who}(indices_or_sections)")
        if not (isinstance(sections, Tensor | np.ndarray) and sections.ndim == 0):
            return list(found)
        count = found[0]
    count, size = static_int(count, f"{who}(indices_or_sections)"), x.shape[axis]
    if count < 1 or (equal and size is not None and size % count):
        raise errors.InvalidArgumentError(
            f"{who}: `indices_or_sections` must be at least 1, and divide axis {axis} of shape "
            f"{tuple(x.shape)}; got {sections}.\n"
            "  Fix: use array_split for parts that differ, or give the places of the cuts."
        )
    if equal:
        return count
    whole, more = divmod(static_int(size, f"{who}: the size of axis {axis}"), count)
    ends = np.cumsum([whole + 1] * more + [whole] * (count - more))
    return ends[:-1].tolist()


def _cut(who: str, x: Any, sections: Any, axis: int, *, equal: bool) -> list[Any]:
    x = tensor(x)
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(
            f"{who}: `axis` must lie in [{-x.ndim}, {x.ndim}) for shape {tuple(x.shape)}; got "
            f"{axis}.\n  Fix: axes count from 0, or from -1 at the end."
        )
    places = _bounds(who, x, sections, axis, equal=equal)
    if isinstance(places, int):
        return list(ops.split(x, places, axis=axis))
    before = (slice(None),) * (axis % x.ndim)
    pairs = zip([0, *places], [*places, None], strict=True)
    return [x[(*before, slice(start, stop))] for start, stop in pairs]


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Cut an array along an axis.

    Args:
        x: Any shape and dtype.
        indices_or_sections: The number of equal parts, or the places where parts begin.
        axis: The axis.

    Returns:
        A list of Tensors in the dtype of `x`.

    Raises:
        ValueError: there is no such axis.
        InvalidArgumentError: there are no such equal parts.

    Example:
        >>> [part.numpy() for part in tf.keras.ops.numpy.split([1, 2, 3], [1])]
        [array([1], dtype=int32), array([2, 3], dtype=int32)]
    """
    return _cut("split", x, indices_or_sections, axis, equal=True)


def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Cut an array along an axis into parts that may differ by one.

    Args:
        x: Any shape and dtype.
        indices_or_sections: The number of parts, or the places where parts begin.
        axis: The axis.

    Returns:
        A list of Tensors in the dtype of `x`; the first parts are the larger ones.

    Raises:
        ValueError: there is no such axis.
        InvalidArgumentError: the number is below 1.

    Example:
        >>> [part.numpy() for part in tf.keras.ops.numpy.array_split([1, 2, 3], 2)]
        [array([1, 2], dtype=int32), array([3], dtype=int32)]
    """
    return _cut("array_split", x, indices_or_sections, axis, equal=False)


def vsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """Cut an array along its first axis.

    Args:
        x: At least one axis, any dtype.
        indices_or_sections: The number of equal parts, or the places where parts begin.

    Returns:
        A list of Tensors in the dtype of `x`.

    Raises:
        ValueError: there is no axis.
        InvalidArgumentError: there are no such equal parts.

    Example:
        >>> tf.keras.ops.numpy.vsplit([[1, 2], [3, 4]], 2)[0].numpy()
        array([[1, 2]], dtype=int32)
    """
    return _split_of_rank("vsplit", x, indices_or_sections, 1, 0)


def hsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """Cut an array along its second axis, a vector along its only one.

    Args:
        x: At least one axis, any dtype.
        indices_or_sections: The number of equal parts, or the places where parts begin.

    Returns:
        A list of Tensors in the dtype of `x`.

    Raises:
        ValueError: there is no axis.
        InvalidArgumentError: there are no such equal parts.

    Example:
        >>> tf.keras.ops.numpy.hsplit([[1, 2], [3, 4]], 2)[0].numpy()
        array([[1],
               [3]], dtype=int32)
    """
    x = tensor(x)
    return _split_of_rank("hsplit", x, indices_or_sections, 1, 0 if x.ndim == 1 else 1)


def dsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """Cut an array along its third axis.

    Args:
        x: At least three axes, any dtype.
        indices_or_sections: The number of equal parts, or the places where parts begin.

    Returns:
        A list of Tensors in the dtype of `x`.

    Raises:
        ValueError: there are fewer axes.
        InvalidArgumentError: there are no such equal parts.

    Example:
        >>> tf.keras.ops.numpy.dsplit([[[1, 2]]], 2)[1].numpy()
        array([[[2]]], dtype=int32)
    """
    return _split_of_rank("dsplit", x, indices_or_sections, 3, 2)


def _split_of_rank(who: str, x: Any, sections: Any, rank: int, axis: int) -> list[Any]:
    x = tensor(x)
    if x.ndim < rank:
        raise ValueError(
            f"{who}: `x` must have at least {rank} axes; got shape {tuple(x.shape)}.\n"
            "  Fix: use split, which takes the axis."
        )
    return _cut(who, x, sections, axis, equal=True)


# ---- repeating, borders --------------------------------------------------------------------------


def repeat(x: Any, repeats: Any, axis: Any = None) -> Any:
    """Repeat each element along an axis.

    Args:
        x: Any shape and dtype.
        repeats: How often: one number, or one for each element along the axis.
        axis: The axis; None repeats all elements in order.

    Returns:
        Dtype of `x`.

    Raises:
        ValueError: `repeats` has another length than the axis.
        InvalidArgumentError: a number is negative.
        TracedValueError: the numbers are computed inside a trace.

    Example:
        >>> tf.keras.ops.numpy.repeat([[1, 2]], 2, axis=1).numpy()
        array([[1, 1, 2, 2]], dtype=int32)
    """
    counts = static_ints(repeats, "repeat(repeats)")
    if min(counts, default=0) < 0:
        raise errors.InvalidArgumentError(
            f"repeat: `repeats` must not be negative; got {repeats}.\n  Fix: 0 drops an element."
        )
    return kernels.repeated(tensor(x), repeats=counts[0] if len(counts) == 1 else counts, axis=axis)


def tile(x: Any, repeats: Any) -> Any:
    """Repeat an array as a whole along each axis.

    Args:
        x: Any shape and dtype.
        repeats: How often along each axis; axes of size 1 are added in front where either lacks
            some.

    Returns:
        Dtype of `x`.

    Example:
        >>> tf.keras.ops.numpy.tile([1, 2], (2, 2)).numpy()
        array([[1, 2, 1, 2],
               [1, 2, 1, 2]], dtype=int32)
    """
    x, counts = tensor(x), list(static_ints(repeats, "tile(repeats)"))
    counts = [1] * (x.ndim - len(counts)) + counts
    for _ in range(len(counts) - x.ndim):
        x = ops.expand_dims(x, 0)
    return ops.tile(x, counts)


_MODES = ("constant", "edge", "empty", "linear_ramp", "maximum", "mean", "median", "minimum")
_MODES += ("reflect", "symmetric", "wrap")


def _widths(x: Any, pad_width: Any) -> tuple[tuple[int, int], ...]:
    """Return the width of the border before and after each axis."""
    if isinstance(pad_width, Tensor):
        pad_width = np.asarray(host_value(pad_width))
    given = np.asarray(pad_width)
    if given.size == 1:
        given = np.broadcast_to(given.reshape(()), (1, 2))
    if given.ndim == 1:
        given = given[None]
    if given.ndim != 2 or given.shape[1] != 2 or given.shape[0] not in (1, x.ndim):
        raise ValueError(
            f"pad: `pad_width` must be a number, (before, after), or one such pair for each of "
            f"the {x.ndim} axes of shape {tuple(x.shape)}; got {pad_width}.\n"
            "  Fix: (0, 0) leaves an axis as it is."
        )
    return tuple((int(a), int(b)) for a, b in np.broadcast_to(given, (x.ndim, 2)))


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """Add borders.

    Args:
        x: Any shape and dtype.
        pad_width: The widths ``(before, after)`` of each axis, one such pair for all, or a number.
        mode: What the borders hold: "constant", "reflect" (without the edge), "symmetric" (with
            it), "edge", "wrap", or another of NumPy's.
        constant_values: What a "constant" border holds; None is 0.

    Returns:
        Dtype of `x`.

    Raises:
        ValueError: `mode` is unknown, `pad_width` does not fit, or `constant_values` is given for
            another mode.

    Example:
        >>> tf.keras.ops.numpy.pad([1, 2, 3], ((2, 1),), mode="reflect").numpy()
        array([3, 2, 1, 2, 3, 2], dtype=int32)
    """
    x = tensor(x)
    mode = mode.lower()
    if mode not in _MODES:
        raise ValueError(
            f"pad: `mode` must be one of {', '.join(_MODES)}; got {mode!r}.\n"
            '  Fix: use "constant", the default.'
        )
    if constant_values is not None and mode != "constant":
        raise ValueError(
            f'pad: `constant_values` goes with mode="constant"; got {constant_values!r} and '
            f"mode={mode!r}.\n  Fix: drop one of them."
        )
    value = tensor(0 if constant_values is None else constant_values, x.dtype)
    return kernels.padded(
        x, value if mode == "constant" else None, widths=_widths(x, pad_width), mode=mode
    )
