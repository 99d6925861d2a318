# pyright: reportPrivateUsage=false
# What JAX and NumPy give, and what `isinstance` finds in an Any, is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false
"""Python and NumPy values as arrays of one dtype, and back: what needs no recording."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np
import numpy.typing as npt

from lamina.engine import dtypes
from lamina.engine.context import local
from lamina.engine.dtypes import DType, as_dtype
from lamina.engine.signature import type_of
from lamina.engine.strings import from_host, string_array
from lamina.engine.tensor import Tensor, ready

__all__ = [
    "HOST_LIMIT",
    "brief",
    "convert_plain",
    "dtype_of",
    "holds_tensor",
    "host_value",
    "joint_dtype",
    "leaves",
    "scalar_tensor",
]

HOST_LIMIT = 64
"""The most elements of a value that is kept on the host too, for shape arithmetic."""

_PLAIN = frozenset((int, float, bool, complex, str, bytes, type(None)))

_SCALARS: OrderedDict[Any, Any] = OrderedDict()


def scalar_tensor(value: float | bool, wanted: DType | None) -> Tensor:
    """Return a Python number as a Tensor; few distinct ones are used again and again."""
    key = (type(value), repr(value) if value == 0 else value, wanted)
    kept = _SCALARS.get(key)
    if kept is None:
        own = dtypes.python_dtype(value)
        dtype = own if wanted is None else wanted
        if not dtypes.is_compatible(dtype, own):
            raise TypeError(
                f"tf.convert_to_tensor: {value!r} ({type(value).__name__}) does not convert to "
                f"dtype {dtype.name}.\n  Fix: pass a value of that dtype, or tf.cast the Tensor "
                f"it meets."
            )
        array = _to_numpy(value, dtype)
        kept = _SCALARS[key] = (type_of((), dtype), array[()], array if dtype.is_integer else None)
        if len(_SCALARS) > 4096:
            _SCALARS.popitem(last=False)
    tensor = Tensor(kept[0], None, 0, kept[1])
    if kept[2] is not None:
        tensor._host = kept[2]
    return tensor


def convert_plain(value: Any, wanted: DType | None) -> Tensor:
    """Return a NumPy or jax array, or nested lists of plain values, as a ready Tensor.

    Args:
        value: The value; no Tensor is in it.
        wanted: The dtype; None takes the value's own.

    Raises:
        ValueError: the lists are not rectangular.
        TypeError: the value does not convert to `wanted`.
    """
    if isinstance(value, jax.Array):
        if wanted is not None and as_dtype(value.dtype) is not wanted:
            return convert_plain(np.asarray(value), wanted)
        return ready(value)
    if hasattr(value, "iloc"):  # pandas has dtypes of its own; NumPy knows how to hold them
        value = np.asarray(value)
    elif type(value) is not list and _is_sequence(value):
        value = list(value)
    own = dtype_of(value)
    if wanted is None:
        wanted = own
    elif not (
        dtypes.is_compatible(wanted, own) or _is_empty(value) or _is_number_array(value, wanted)
    ):
        raise TypeError(
            f"tf.convert_to_tensor: `value` must convert to dtype {wanted.name}; got "
            f"{brief(value)} of dtype {own.name}.\n  Fix: tf.cast it, or pass another dtype."
        )
    return _ready_array(_to_numpy(value, wanted), wanted)


def _ready_array(array: npt.NDArray[Any], dtype: DType) -> Tensor:
    if dtype is dtypes.string:
        return from_host(array)
    if array.ndim == 0:
        tensor = ready(array[()], dtype)
    elif local.device is not None:
        with jax.enable_x64(True):
            tensor = ready(jax.device_put(array, local.device), dtype)
    else:
        # It stays a NumPy array, our own copy, until a second program uses it: a batch is used
        # once, and XLA takes NumPy arguments in a tenth of the time that `device_put` needs.
        tensor = ready(array, dtype)
    if dtype.is_integer and array.size <= HOST_LIMIT:
        tensor._host = array
    return tensor


def _to_numpy(value: Any, dtype: DType) -> npt.NDArray[Any]:
    try:
        if dtype is dtypes.string:
            return string_array(value)
        if dtype.is_integer and not isinstance(value, np.ndarray | np.generic):
            return _fitting_ints(value, dtype)
        return np.array(value, dtype=dtype.np)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"tf.convert_to_tensor: `value` must be rectangular "
            f"{'strings' if dtype is dtypes.string else 'numbers'} of dtype {dtype.name}; "
            f"got {brief(value)}.\n  Reason: {error}"
        ) from None


def _fitting_ints(value: Any, dtype: DType) -> npt.NDArray[Any]:
    wide = np.array(value)
    if wide.size and wide.dtype.kind in "iu":
        if wide.min() < dtype.min or wide.max() > dtype.max:
            raise ValueError(f"a value does not fit into {dtype.name}: {brief(value)}")
        return wide.astype(dtype.np)
    return np.array(value, dtype=dtype.np)


def _is_sequence(value: Any) -> bool:
    """Return whether a value of a class that NumPy does not know gives items by number."""
    if isinstance(value, tuple | str | bytes | bytearray | np.ndarray | np.generic | Mapping):
        return False
    kind = type(value)
    counts = hasattr(kind, "__len__") and hasattr(kind, "__getitem__")
    return counts and not hasattr(kind, "__array__") and not hasattr(kind, "__array_interface__")


def _is_empty(value: Any) -> bool:
    return isinstance(value, list | tuple) and not leaves(value)


def _is_number_array(value: Any, wanted: DType) -> bool:
    """Return whether NumPy's own conversion applies, which TF lets go further than Python's."""
    return isinstance(value, np.ndarray | np.generic) and wanted is not dtypes.string


def dtype_of(value: Any) -> DType:
    """Return the dtype that a value has, or gets as a Tensor."""
    if isinstance(value, Tensor) or hasattr(type(value), "_as_tensor"):
        return as_dtype(value.dtype)
    return dtypes.python_dtype(value)


def joint_dtype(args: Sequence[Any]) -> DType | None:
    """Return the dtype for Python and NumPy operands alone: the first, unless one is wider."""
    found = [dtype_of(a) for a in args if a is not None]
    first = found[0] if found else None
    for other in found[1:]:
        if first is not None and not dtypes.is_compatible(first, other):
            first = other if dtypes.is_compatible(other, first) else first
    return first


def holds_tensor(value: Any) -> bool:
    """Return whether a value is a Tensor or jax array, or a list with one in it."""
    kind = type(value)
    if kind is list or kind is tuple:
        # `set` and `map` look at a row of numbers in a thirtieth of the time of a loop.
        return not _PLAIN.issuperset(map(type, value)) and any(map(holds_tensor, value))
    if kind in _PLAIN:
        return False
    if isinstance(value, Tensor | jax.Array) or hasattr(kind, "_as_tensor"):
        return True
    if hasattr(kind, "_weakly"):
        return True
    return isinstance(value, list | tuple) and any(map(holds_tensor, value))


def leaves(values: Sequence[Any]) -> list[Any]:
    """Return the items of nested lists and tuples, in order."""
    found: list[Any] = []
    for v in values:
        found.extend(leaves(v) if isinstance(v, list | tuple) else [v])
    return found


def brief(value: Any) -> str:
    """Return a value as text for a message, cut to one line."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def host_value(tensor: Tensor) -> npt.NDArray[Any] | None:
    """Return the value if it is known without running anything, else None."""
    if tensor._host is not None:
        return tensor._host
    value = tensor._value
    return np.asarray(value) if isinstance(value, np.generic | np.ndarray) else None
