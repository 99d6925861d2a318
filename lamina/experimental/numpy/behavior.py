"""experimental_enable_numpy_behavior: NumPy's methods, operators and indexing on Tensors.

Nothing here costs a program that never asks for it: operators, methods and handlers are put in
their places when the switch is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import Tensor, Variable, convert_to_tensor, dispatching, dtypes
from lamina.engine.composite import Composite
from lamina.experimental.dispatch import UNARY_NAMES, functions_named, names_in
from lamina.experimental.numpy import elementwise, reductions, shaping
from lamina.experimental.numpy.indexing import is_advanced, numpy_part
from lamina.experimental.numpy.modes import modes, result_of
from lamina.experimental.numpy.operands import array_of, common
from lamina.experimental.numpy.types import refusal

__all__ = ["experimental_enable_numpy_behavior"]

_MODES = ("off", "legacy", "safe", "all")
_OPERATORS = [
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and",
    "or",
    "xor",
]
_COMPARISONS = ["lt", "le", "gt", "ge", "eq", "ne"]


def experimental_enable_numpy_behavior(
    prefer_float32: bool = False, dtype_conversion_mode: str = "legacy"
) -> None:
    """Give Tensors NumPy's methods and indexing, and operators that promote dtypes.

    Tensors get `reshape`, `transpose`, `T`, `ravel`, `flatten`, `astype`, `clip`, `max`, `min`,
    `mean`, `size`, `data`, `tolist`, and indexing by arrays, lists and masks.

    Args:
        prefer_float32: Whether Python floats become float32 rather than float64 in this module.
        dtype_conversion_mode: How operands of several dtypes meet. "legacy": operators by NumPy's
            rules. "all": operators and elementwise functions of `tf` by a lattice in which an
            integer and a float give that float; Python numbers make weak Tensors that adapt.
            "safe": the same, but what may lose bits raises TypeError. "off": as without the call.

    Raises:
        ValueError: another mode.

    State:
        The operators of Tensor and Variable, for the whole process, until the next call.

    Example:
        >>> tnp = tf.experimental.numpy
        >>> tnp.experimental_enable_numpy_behavior()
        >>> (tf.constant(1) + tf.constant(2.5)).dtype
        tf.float64
        >>> tnp.ones([2, 3]).T.shape
        TensorShape([3, 2])
        >>> tnp.experimental_enable_numpy_behavior(dtype_conversion_mode="off")
    """
    if dtype_conversion_mode not in _MODES:
        raise ValueError(
            f"The provided promotion mode {dtype_conversion_mode} does not exist. Make sure the "
            f"provided dtype conversion mode is one of the followings: 'off', 'legacy', 'safe' or "
            f"'all'.\n  Fix: use \"legacy\", the default."
        )
    modes.prefer_float32 = bool(prefer_float32)
    modes.name = dtype_conversion_mode
    _install_methods()
    _install_operators(dtype_conversion_mode)
    _install_weakness(modes.weak)


# ---- methods -------------------------------------------------------------------------------------


def _reshape(self: Any, *args: Any, order: str = "C") -> Tensor:
    sizes = args[0] if len(args) == 1 and not isinstance(args[0], int) else args
    return shaping.reshape(self, sizes, order)


def _astype(self: Any, dtype: Any) -> Tensor:
    return array_of(self, dtype)


def _tolist(self: Any) -> Any:
    return self.numpy().tolist()


def _get(self: Any, key: Any) -> Tensor:
    return numpy_part(self, key) if is_advanced(key) else _basic_get(self, key)


_METHODS: dict[str, Any] = {
    "reshape": _reshape,
    "astype": _astype,
    "tolist": _tolist,
    "transpose": shaping.transpose,
    "flatten": shaping.flatten,
    "ravel": shaping.ravel,
    "clip": elementwise.clip,
    "max": reductions.max,
    "min": reductions.min,
    "mean": reductions.mean,
    "__round__": elementwise.around,
    "__pos__": lambda self: self,
    "T": property(shaping.transpose),
    "size": property(shaping.size),
    "data": property(lambda self: self),
}
_basic_get: Any = Tensor.__getitem__
_plain_repr: Any = Tensor.__repr__


def _install_methods() -> None:
    if modes.on:
        return
    modes.on = True
    for name, method in _METHODS.items():
        setattr(Tensor, name, method)
    Tensor.__getitem__ = _get  # type: ignore[method-assign]


def _remove() -> None:
    """Undo all of it, as tests must."""
    modes.prefer_float32, modes.name = False, "off"
    _install_operators("off")
    _install_weakness(False)
    if modes.on:
        modes.on = False
        for name in _METHODS:
            delattr(Tensor, name)
        Tensor.__getitem__ = _basic_get  # type: ignore[method-assign]


# ---- operators -----------------------------------------------------------------------------------

_Method = Callable[[Any, Any], Any]
_plain: dict[tuple[type, str], _Method] = {
    (cls, name): getattr(cls, name)
    for cls in (Tensor, Variable)
    for name in [
        *(f"__{each}__" for each in (*_OPERATORS, *_COMPARISONS)),
        *(f"__r{each}__" for each in _OPERATORS),
    ]
}


def _install_operators(mode: str) -> None:
    change = {"off": None, "legacy": _legacy}.get(mode, _weakly)
    for (cls, name), method in _plain.items():
        setattr(cls, name, method if change is None else change(method, name))


def _keeps_out(self: Any, other: Any) -> bool:
    """Return whether an operator must meet the operands as they are."""
    return (
        other is None or self.dtype is dtypes.string or isinstance(other, str | bytes | Composite)
    )


def _legacy(method: _Method, name: str) -> _Method:
    def operate(self: Any, other: Any) -> Any:
        if _keeps_out(self, other):
            return method(self, other)
        try:
            dtype = common(convert_to_tensor(self), other)
        except (TypeError, ValueError):
            return method(self, other)
        if type(other) in (bool, int, float) and dtype is self.dtype:
            return method(self, _wrapped(other, dtype))
        return method(_cast(self, dtype), _cast(other, dtype))

    operate.__name__ = name
    return operate


def _wrapped(value: Any, dtype: Any) -> Any:
    """Return a Python number that fits a dtype; ints wrap around, as in NumPy's older rules."""
    if type(value) is int and dtype.is_integer and not dtype.min <= value <= dtype.max:
        return int(np.asarray(value).astype(dtype.np))
    return value


def _cast(value: Any, dtype: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value if value.dtype is dtype else ops.cast(value, dtype)
    if isinstance(value, bool | int | float | complex):
        return convert_to_tensor(np.asarray(value).astype(dtype.np))
    found = array_of(value)
    return found if found.dtype is dtype else ops.cast(found, dtype)


# ---- weak Tensors --------------------------------------------------------------------------------


def _kind(value: Any) -> Any:
    """Return the dtype of an operand, and whether it is weak."""
    if isinstance(value, Tensor | Variable | np.ndarray | np.generic):
        return dtypes.as_dtype(value.dtype), modes.is_weak(value)
    return array_of(value).dtype, modes.is_weak(value)


def _joint(x: Any, y: Any) -> Any:
    """Return the dtype that two operands give, and whether it is weak.

    Raises:
        TypeError: the mode "safe" refuses it.
    """
    a, b = _kind(x), _kind(y)
    found = result_of(a, b, modes.name == "safe")
    if found is None:
        raise TypeError(refusal(a, b))
    return found


def _marked(result: Any, weak: bool) -> Any:
    if weak and isinstance(result, Tensor) and not result.dtype.is_bool:
        modes.mark(result)
    return result


def _weakly(method: _Method, name: str) -> _Method:
    def operate(self: Any, other: Any) -> Any:
        if _keeps_out(self, other) or not _is_number(other):
            return method(self, other)
        dtype, weak = _joint(self, other)
        return _marked(method(_cast(self, dtype), _cast(other, dtype)), weak)

    operate.__name__ = name
    return operate


def _is_number(value: Any) -> bool:
    if isinstance(value, Tensor | Variable | np.ndarray | np.generic):
        return dtypes.as_dtype(value.dtype) is not dtypes.string
    if isinstance(value, list | tuple):
        return bool(value) and all(map(_is_number, value))
    return isinstance(value, bool | int | float | complex)


def _unary(api: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if not args or not _is_number(args[0]) or not modes.is_weak(args[0]):
        return NotImplemented
    first = args[0] if isinstance(args[0], Tensor) else array_of(args[0])
    return _marked(dispatching.undispatched(api)(first, *args[1:], **kwargs), True)


def _binary(api: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if len(args) < 2 or not (_is_number(args[0]) and _is_number(args[1])):
        return NotImplemented
    x, y = args[:2]
    both = isinstance(x, Tensor) and isinstance(y, Tensor) and x.dtype is y.dtype
    if both and not (modes.is_weak(x) and modes.is_weak(y)):
        return NotImplemented
    dtype, weak = _joint(x, y)
    call = dispatching.undispatched(api)
    return _marked(call(_cast(x, dtype), _cast(y, dtype), *args[2:], **kwargs), weak)


def _constant(api: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    call = dispatching.undispatched(api)
    value = args[0] if args else kwargs.get("value")
    dtype = args[1] if len(args) > 1 else kwargs.get("dtype")
    if isinstance(value, Tensor) and dtype is not None:
        return ops.cast(value, dtype)
    return _marked(call(*args, **kwargs), dtype is None and modes.is_weak(value))


_PROMOTING = names_in(
    "add atan2 bitwise_and bitwise_or bitwise_xor div_no_nan divide divide_no_nan equal "
    "floordiv floormod greater greater_equal less less_equal matmul maximum minimum multiply "
    "multiply_no_nan not_equal pow realdiv squared_difference subtract truediv truncatediv "
    "truncatemod xdivy xlog1py xlogy"
)
_NOT_KEEPING = ("cast", "saturate_cast", "ones_like", "zeros_like")
_assigners: dict[str, Any] = {
    name: getattr(Variable, name) for name in ("assign", "assign_add", "assign_sub")
}


def _install_weakness(on: bool) -> None:
    for handler in (_unary, _binary, _constant):
        dispatching.remove_handler(handler)
    Tensor.__repr__ = _weak_repr if on else _plain_repr  # type: ignore[method-assign]
    for name, method in _assigners.items():
        setattr(Variable, name, _casting(method) if on else method)
    if not on:
        return
    for api in functions_named([n for n in UNARY_NAMES if n not in _NOT_KEEPING]):
        dispatching.add_handler(api, _unary)
    for api in functions_named(_PROMOTING):
        dispatching.add_handler(api, _binary)
    dispatching.add_handler(ops.constant, _constant)


def _casting(method: Any) -> Any:
    """Return an assignment that casts the value to the variable's dtype, if that is allowed."""

    def assign(self: Any, value: Any, *args: Any, **kwargs: Any) -> Any:
        if _is_number(value) and _kind(value)[0] is not self.dtype:
            dtype, _ = _joint(self, value)
            if dtype is not self.dtype:
                raise TypeError(
                    f'Variable "{self.name}": a value of dtype {_kind(value)[0].name} is not '
                    f"promoted to {self.dtype.name}.\n  Fix: tf.cast it."
                )
            value = _cast(value, self.dtype)
        return method(self, value, *args, **kwargs)

    return assign


def _weak_repr(self: Tensor) -> str:
    text = _plain_repr(self)
    return f"{text[:-1]}, weak=True>" if modes.is_weak(self) else text
