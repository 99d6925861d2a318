"""NumPy's indexing of Tensors: arrays, lists and masks among slices."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import Tensor, Variable, convert_to_tensor, dtypes
from lamina.ops.slicing import read_part

__all__ = ["is_advanced", "numpy_part"]


def _is_array(item: Any) -> bool:
    if isinstance(item, Tensor | Variable | np.ndarray):
        return len(item.shape) > 0
    return isinstance(item, list | tuple | range)


def is_advanced(key: Any) -> bool:
    """Return whether a key has arrays or lists in it, beyond what TF's slices know."""
    if isinstance(key, tuple):
        return any(_is_array(item) for item in key)
    return isinstance(key, list | range) or (
        isinstance(key, Tensor | Variable | np.ndarray) and len(key.shape) > 0 and key.dtype != bool
    )


def numpy_part(x: Tensor, key: Any) -> Tensor:
    """Return ``x[key]`` as NumPy reads a key with arrays in it.

    Args:
        x: A Tensor.
        key: Integers, slices, None, Ellipsis, arrays of integers and masks.

    Raises:
        IndexError: there are more indices than axes.
    """
    items = _without_masks(_without_ellipsis(key if isinstance(key, tuple) else (key,), x.ndim))
    places = [i for i, item in enumerate(items) if _is_index(item)]
    basic: list[Any] = [slice(None) if _is_index(item) else item for item in items]
    viewed = read_part(x, tuple(basic))
    axes = _axes_of(items)
    indices = _broadcast([_as_index(items[i]) for i in places])
    rest = [i for i in range(viewed.ndim) if i not in axes]
    moved = ops.transpose(viewed, [*axes, *rest])
    sizes = ops.shape(moved)
    whole = [
        ops.where(ops.less(n, ops.zeros_like(n)), n + ops.cast(sizes[i], n.dtype), n)
        for i, n in enumerate(indices)
    ]
    found = ops.gather_nd(moved, ops.stack(whole, -1))
    joined = places == list(range(places[0], places[0] + len(places)))
    if not joined or axes[0] == 0:
        return found
    wide, before = whole[0].ndim, axes[0]
    order = [*range(wide, wide + before), *range(wide), *range(wide + before, found.ndim)]
    return ops.transpose(found, order)


def _is_index(item: Any) -> bool:
    return not (item is None or isinstance(item, slice))


def _axes_of(items: list[Any]) -> list[int]:
    """Return the axes that the indices stand at; every item keeps one axis of the view."""
    return [i for i, item in enumerate(items) if _is_index(item)]


def _as_index(item: Any) -> Tensor:
    found = convert_to_tensor(np.asarray(item) if isinstance(item, list | tuple | range) else item)
    if not found.dtype.is_integer:
        raise IndexError(
            f"Tensor: indices must be integers or bools; got dtype {found.dtype.name}.\n"
            f"  Fix: tf.cast(index, tf.int32)."
        )
    return ops.cast(found, dtypes.int64)


def _broadcast(indices: list[Tensor]) -> list[Tensor]:
    shape = ops.shape(indices[0])
    for index in indices[1:]:
        shape = ops.broadcast_dynamic_shape(shape, ops.shape(index))
    return [ops.broadcast_to(index, shape) for index in indices]


def _rank_of(item: Any) -> int:
    """Return how many axes of the array an item of a key stands for."""
    if item is None or item is Ellipsis:
        return 0
    if _is_array(item) and _kind(item) == "b":
        return len(np.shape(item)) if not isinstance(item, Tensor) else item.ndim
    return 1


def _kind(item: Any) -> str:
    if isinstance(item, Tensor | Variable):
        return "b" if item.dtype.is_bool else "i"
    return np.asarray(item).dtype.kind


def _without_ellipsis(key: tuple[Any, ...], rank: int) -> list[Any]:
    items = list(key)
    used = sum(map(_rank_of, items))
    if used > rank:
        raise IndexError(
            f"Tensor: too many indices: the Tensor has {rank} axes, but {used} were indexed.\n"
            f"  Fix: drop {used - rank} of them."
        )
    fill = [slice(None)] * (rank - used)
    at = next((i for i, item in enumerate(items) if item is Ellipsis), None)
    return [*items, *fill] if at is None else [*items[:at], *fill, *items[at + 1 :]]


def _without_masks(items: list[Any]) -> list[Any]:
    """Return items with each mask replaced by the indices of where it is True."""
    found: list[Any] = []
    for item in items:
        if not _is_array(item) or _kind(item) != "b":
            found.append(item)
        elif isinstance(item, Tensor | Variable):
            places = ops.where(convert_to_tensor(item))
            found.extend(ops.unstack(places, len(item.shape), axis=1))
        else:
            found.extend(np.nonzero(np.asarray(item)))
    return found
