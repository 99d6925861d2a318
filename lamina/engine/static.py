# pyright: reportPrivateUsage=false
# What JAX and NumPy give, and what `isinstance` finds in an Any, is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false
"""Numbers that must be known while recording: shapes, axes, paddings."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.engine import errors
from lamina.engine.convert import host_value
from lamina.engine.shapes import TensorShape
from lamina.engine.signature import is_symbolic
from lamina.engine.tensor import Tensor

__all__ = ["static_int", "static_ints", "static_value"]


def static_int(value: Any, what: str) -> int:
    """Return one int (or symbolic dimension) from a number or a Tensor; see `static_ints`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, list | tuple):
        raise TypeError(f"`{what}` must be one integer; got {value!r}.")
    found = static_value(value, what)
    return found if isinstance(found, int) else found.item() if hasattr(found, "item") else found


def static_ints(value: Any, what: str) -> tuple[int, ...]:
    """Return ints that must be known while recording: a shape, axes, paddings.

    Args:
        value: Ints, a TensorShape, an array, a Tensor, or a list that mixes ints and Tensors.
        what: The argument's name, for the error.

    Returns:
        A tuple of ints; where the program is traced for unknown sizes, symbolic dimensions too.

    Raises:
        TracedValueError: the value is computed from data, inside a trace.
    """
    if isinstance(value, TensorShape):
        value = value.as_list()
    if isinstance(value, list | tuple | range):
        return tuple(v if type(v) is int else static_int(v, what) for v in value)
    found = static_value(value, what)
    if isinstance(found, np.ndarray):
        return tuple(v if not hasattr(v, "item") else v.item() for v in found.reshape(-1))
    return (found,)


def static_value(value: Any, what: str) -> Any:
    """Return the known value of a Tensor, array or number: an array, or one number."""
    if isinstance(value, Tensor) or hasattr(type(value), "_as_tensor"):
        tensor = value
        while not isinstance(tensor, Tensor):
            tensor = type(tensor)._as_tensor(tensor)
        known = host_value(tensor)
        if known is None:
            known = _ask(tensor, what)
        return known.reshape(())[()] if known.ndim == 0 else known
    if isinstance(value, np.ndarray):
        return value
    if value is None:
        raise ValueError(
            f"`{what}` must be known here; got None (an unknown size).\n"
            f"  Fix: use tf.shape(x)[axis] for a size that is unknown while building."
        )
    return int(value) if isinstance(value, int | np.integer) else _whole(value, what)


def _whole(value: Any, what: str) -> Any:
    if not isinstance(value, float | str | bytes) and not is_symbolic((value,)):
        return int(value)
    if isinstance(value, float | str | bytes):
        raise TypeError(
            f"`{what}` must hold integers; got {value!r} ({type(value).__name__}).\n"
            f"  Fix: convert it with int()."
        )
    return value


def _ask(tensor: Tensor, what: str) -> npt.NDArray[Any]:
    try:
        return np.asarray(tensor._jax())
    except errors.TracedValueError:
        raise errors.TracedValueError(
            f"`{what}` must be known while the program is traced; got {tensor!s}, which is "
            f"computed from the data.\n"
            f"  Fix: derive it from shapes (tf.shape, x.shape) or pass it as a Python int."
        ) from None
