"""Kinds of single values in messages: how they are checked, written and read."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lamina.protos import wire

__all__ = ["SCALARS", "Scalar"]


@dataclass(frozen=True)
class Scalar:
    """How values of a kind are checked, written and read.

    Attributes:
        default: The value of a field that is not set.
        checked: Any value -> the value kept; raises TypeError or ValueError.
        kind: The wire type.
        written: A value -> its bytes, without a length.
        read: What stands in the field (an int or bytes) -> the value.
        unpacked: Packed bytes -> values; None if such values are not packed.
    """

    default: Any
    checked: Callable[[Any], Any]
    kind: int
    written: Callable[[Any], bytes]
    read: Callable[[Any], Any]
    unpacked: Callable[[bytes], list[Any]] | None = None


def _refuse(value: Any, expected: str) -> TypeError:
    return TypeError(f"{value!r} has type {type(value).__name__}, but expected one of: {expected}")


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def checked(value: Any) -> int:
        if isinstance(value, str | bytes | float):
            raise _refuse(value, "int")
        try:
            number = value.__index__()
        except (AttributeError, TypeError):
            raise _refuse(value, "int") from None
        if not low <= number <= high:
            raise ValueError(f"Value out of range: {number}")
        return number

    return checked


def _checked_bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise _refuse(value, "bytes")
    return bytes(value)


def _checked_text(value: Any) -> str:
    if not isinstance(value, str | bytes):
        raise _refuse(value, "bytes, str")
    return value.decode() if isinstance(value, bytes) else value


def _checked_float(value: Any) -> float:
    with np.errstate(over="ignore"):
        return float(np.float32(_checked_double(value)))


def _checked_double(value: Any) -> float:
    if isinstance(value, str | bytes):
        raise _refuse(value, "int, float")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise _refuse(value, "int, float") from None


def _checked_bool(value: Any) -> bool:
    return bool(_whole(-(1 << 63), (1 << 63) - 1)(value))


def _numbers(code: str) -> Callable[[bytes], list[Any]]:
    return lambda data: np.frombuffer(data, f"<{code}").astype(float).tolist()


_INT64 = -(1 << 63), (1 << 63) - 1
_INT32 = -(1 << 31), (1 << 31) - 1
_WHOLE: Any = dict(kind=wire.VARINT, written=wire.varint, unpacked=wire.varints)
SCALARS: dict[str, Scalar] = {
    "bytes": Scalar(b"", _checked_bytes, wire.BYTES, bytes, bytes),
    "string": Scalar("", _checked_text, wire.BYTES, str.encode, bytes.decode),
    "int64": Scalar(0, _whole(*_INT64), read=wire.signed, **_WHOLE),
    "int32": Scalar(0, _whole(*_INT32), read=wire.signed, **_WHOLE),
    "uint64": Scalar(
        0,
        _whole(0, (1 << 64) - 1),
        wire.VARINT,
        wire.varint,
        int,
        lambda data: [v & 0xFFFFFFFFFFFFFFFF for v in wire.varints(data)],
    ),
    "fixed64": Scalar(
        0,
        _whole(0, (1 << 64) - 1),
        wire.FIXED64,
        struct.Struct("<Q").pack,
        lambda data: struct.unpack("<Q", data)[0],
        lambda data: np.frombuffer(data, "<u8").tolist(),
    ),
    "bool": Scalar(
        False,
        _checked_bool,
        wire.VARINT,
        lambda v: wire.varint(int(v)),
        bool,
        lambda data: [bool(v) for v in wire.varints(data)],
    ),
    "float": Scalar(
        0.0,
        _checked_float,
        wire.FIXED32,
        struct.Struct("<f").pack,
        lambda data: struct.unpack("<f", data)[0],
        _numbers("f4"),
    ),
    "double": Scalar(
        0.0,
        _checked_double,
        wire.FIXED64,
        struct.Struct("<d").pack,
        lambda data: struct.unpack("<d", data)[0],
        _numbers("f8"),
    ),
}
