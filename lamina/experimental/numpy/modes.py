"""How dtypes are promoted now: what `experimental_enable_numpy_behavior` has set."""

from __future__ import annotations

from typing import Any

from lamina.engine import DType, Tensor, dtypes

__all__ = ["Modes", "modes", "result_of"]


class Modes:
    """The state of the switch.

    Attributes:
        prefer_float32: Whether Python floats are float32.
        name: The mode: "off", "legacy", "all" or "safe".
        on: Whether the switch was ever used.
    """

    def __init__(self) -> None:
        self.prefer_float32 = False
        self.name = "off"
        self.on = False

    @property
    def weak(self) -> bool:
        """Whether Python numbers make weak Tensors, that take the dtype of what they meet."""
        return self.name in ("all", "safe")

    def mark(self, tensor: Tensor) -> Tensor:
        """Make a Tensor a weak one, and return it."""
        tensor.__dict__["_weak"] = True
        return tensor

    def is_weak(self, value: Any) -> bool:
        """Return whether a value adapts: Python's numbers, and weak Tensors."""
        if isinstance(value, Tensor):
            return bool(value.__dict__.get("_weak", False))
        if isinstance(value, list | tuple):
            return bool(value) and all(map(self.is_weak, value))
        return isinstance(value, int | float | complex) and not isinstance(value, bool)


modes = Modes()

Kind = tuple[DType, bool]  # a dtype, and whether it is weak


def _rank(dtype: DType) -> int:
    if dtype.is_bool:
        return 0
    return 1 if dtype.is_integer else 2 if dtype.is_floating else 3


def result_of(a: Kind, b: Kind, safe: bool) -> Kind | None:
    """Return the dtype that two operands give in the modes "all" and "safe".

    Args:
        a: The dtype of one, and whether it is weak.
        b: The same of the other.
        safe: Whether what may lose bits is refused.

    Returns:
        The dtype and whether it is weak; None if it is refused.
    """
    if a[1] == b[1]:
        found = _strong(a[0], b[0]) if not a[1] else (_wider(a[0], b[0]), True)
        return found if not safe or a[1] or _loses_nothing(a[0], b[0], found[0]) else None
    weak, strong = (a[0], b[0]) if a[1] else (b[0], a[0])
    return _weak_and_strong(weak, strong, safe)


def _weak_and_strong(weak: DType, strong: DType, safe: bool) -> Kind | None:
    if strong.is_bool:
        return weak, True
    if weak.is_complex and strong.is_floating:
        lossy = strong is not dtypes.float64
        return None if safe and lossy else (_complex_of(strong), False)
    if _rank(weak) <= _rank(strong):
        return strong, False
    if safe and (strong.size == 8 or (weak is dtypes.float32)):
        return None
    return (dtypes.float64 if weak.is_floating else weak), True


def _complex_of(dtype: DType) -> DType:
    return dtypes.complex128 if dtype is dtypes.float64 else dtypes.complex64


def _wider(a: DType, b: DType) -> DType:
    if _rank(a) != _rank(b):
        return a if _rank(a) > _rank(b) else b
    return a if a.size >= b.size else b


def _strong(a: DType, b: DType) -> Kind:
    if a is b:
        return a, False
    low, high = sorted((a, b), key=_rank)
    if _rank(low) < _rank(high):
        if high.is_complex and low is dtypes.float64:
            return dtypes.complex128, False
        return high, False
    if high.is_floating and low.size == high.size == 2:
        return dtypes.float32, False  # float16 and bfloat16
    if high.is_integer and low.is_unsigned != high.is_unsigned:
        return _signed(*((low, high) if low.is_unsigned else (high, low)))
    return _wider(a, b), False


def _signed(unsigned: DType, signed: DType) -> Kind:
    if unsigned is dtypes.uint64:
        return dtypes.float64, True
    bits = max(unsigned.size * 16, signed.size * 8)
    return {16: dtypes.int16, 32: dtypes.int32, 64: dtypes.int64}[bits], False


_BITS = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53, "complex64": 24}


def _loses_nothing(a: DType, b: DType, found: DType) -> bool:
    """Return whether `found` is one of the two, and holds every value of the other."""
    if found is not a and found is not b:
        return False
    other = b if found is a else a
    if other.is_integer and not found.is_integer:
        return other.size * 8 <= _BITS.get(found.name, 53)
    return True
