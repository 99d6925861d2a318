"""The binary form of protocol buffers: varints, tags, packed numbers.

Reference: https://protobuf.dev/programming-guides/encoding/.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

__all__ = [
    "BYTES",
    "FIXED32",
    "FIXED64",
    "VARINT",
    "DecodeError",
    "field",
    "fields",
    "numbered",
    "packed",
    "read_varint",
    "signed",
    "tag",
    "varint",
    "varints",
]

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FIXED = {FIXED64: 8, FIXED32: 4}
_MASK = 0xFFFFFFFFFFFFFFFF
_FEW = 16  # bytes up to which the loop is faster than NumPy


class DecodeError(ValueError):
    """Bytes are not a message of the class that was to read them."""


def varint(value: int) -> bytes:
    """Return an int as a varint; negative ones have ten bytes."""
    value &= _MASK
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def tag(number: int, kind: int) -> bytes:
    """Return what stands before the value of a field."""
    return varint(number << 3 | kind)


def signed(value: int) -> int:
    """Return an unsigned 64-bit number as the signed one of the same bits."""
    return value - (1 << 64) if value >> 63 else value


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the varint at a place, and where it ends.

    Raises:
        DecodeError: it is longer than 64 bits, or the data end inside it.
    """
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise DecodeError(f"Error parsing message: a number is cut off at byte {at}")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & _MASK, at
        shift += 7


def fields(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """Yield (number, wire type, value) of each field of a message: ints, or bytes.

    Raises:
        DecodeError: the bytes are no message.
    """
    at, end = 0, len(data)
    while at < end:
        key, at = read_varint(data, at)
        number, kind = key >> 3, key & 7
        if not number:
            raise DecodeError(f"Error parsing message: field number 0 at byte {at}")
        if kind == VARINT:
            value, at = read_varint(data, at)
            yield number, kind, value
            continue
        if kind == BYTES:
            size, at = read_varint(data, at)
        elif kind in _FIXED:
            size = _FIXED[kind]
        else:
            raise DecodeError(f"Error parsing message: wire type {kind} at byte {at}")
        if at + size > end:
            raise DecodeError(f"Error parsing message: field {number} is cut off at byte {at}")
        yield number, kind, data[at : at + size]
        at += size


def field(number: int, value: int | bytes | str, fixed32: bool = False) -> bytes:
    """Return one field: an int as a varint or 4 bytes, anything else with its length."""
    if isinstance(value, int):
        if fixed32:
            return tag(number, FIXED32) + value.to_bytes(4, "little")
        return tag(number, VARINT) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return tag(number, BYTES) + varint(len(raw)) + raw


def numbered(data: bytes) -> Iterator[tuple[int, Any]]:
    """Yield (number, value) of each field: unsigned ints for all numeric kinds, or bytes.

    Raises:
        DecodeError: the bytes are no message.
    """
    for number, kind, value in fields(data):
        yield number, int.from_bytes(value, "little") if kind in _FIXED else value


def varints(data: bytes) -> list[int]:
    """Return packed varints as signed 64-bit numbers."""
    if len(data) <= _FEW:
        out, at = [], 0
        while at < len(data):
            value, at = read_varint(data, at)
            out.append(signed(value))
        return out
    raw = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(raw < 0x80)
    if not ends.size or ends[-1] != raw.size - 1:
        raise DecodeError("Error parsing message: a packed number is cut off")
    starts = np.concatenate([[0], ends[:-1] + 1])
    place = np.arange(raw.size) - np.repeat(starts, ends - starts + 1)
    if place.max() > 9:
        raise DecodeError("Error parsing message: a packed number is too long")
    parts = (raw & 0x7F).astype(np.uint64) << (7 * place).astype(np.uint64)
    return np.bitwise_or.reduceat(parts, starts).view(np.int64).tolist()


def packed(format: str, values: Iterable[Any]) -> bytes:
    """Return numbers of a `struct` format, one after the other."""
    values = list(values)
    return struct.pack(f"<{len(values)}{format}", *values)
