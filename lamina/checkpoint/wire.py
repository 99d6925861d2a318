"""Protocol-buffer messages in their wire format: as much as checkpoints need.

A message is a row of fields, each a varint `number << 3 | kind` and a value: a varint (kind 0),
8 bytes (1), a length and bytes (2), or 4 bytes (5).
"""

from collections.abc import Iterator

__all__ = ["field", "fields", "read_varint", "signed", "varint"]


def varint(value: int) -> bytes:
    """Return an int in base 128, low digits first; negative ones as their 64-bit complement."""
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a varint, and where the next byte stands.

    Raises:
        ValueError: it is longer than 64 bits, or the data end inside it.
    """
    value = shift = 0
    while shift < 64 and at < len(data):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("a number in it does not end")


def signed(value: int) -> int:
    """Return what an int64 field holds."""
    return value - (1 << 64) if value >> 63 else value


def field(number: int, value: int | bytes | str, fixed32: bool = False) -> bytes:
    """Return one field: an int as a varint or 4 bytes, anything else with its length."""
    if isinstance(value, int):
        if fixed32:
            return varint(number << 3 | 5) + value.to_bytes(4, "little")
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield (number, value) for the fields of a message; ints for all numeric kinds.

    Raises:
        ValueError: the data are no message.
    """
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = read_varint(data, at)
            yield number, value
            continue
        if kind == 2:
            size, at = read_varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"a field of kind {kind} in it is unknown")
        if at + size > len(data):
            raise ValueError("a field in it ends after the data")
        raw = data[at : at + size]
        at += size
        yield number, raw if kind == 2 else int.from_bytes(raw, "little")
