"""Sorted tables of bytes: the `.index` file of a checkpoint, in LevelDB's table format.

A table is blocks of entries sorted by key, an index block (last key of a block → where the block
stands), an empty block of metadata, and a footer of 48 bytes. An entry is three varints (how much
of the key before is kept, how long the rest is, how long the value is), the rest of the key and
the value. A block ends with the places of the entries whose keys are whole, and with their number;
behind each block stand a byte that names the compression (0: none) and a masked CRC-32C.
"""

import struct
from collections.abc import Iterable

from lamina.data.records import masked_crc
from lamina.protos.wire import read_varint, varint

__all__ = ["read_table", "write_table"]

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
_BLOCK = 1 << 18  # bytes after which a block ends
_WHOLE_EACH = 16  # entries from one whole key to the next


def write_table(entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a table of (key, value) pairs, which must come sorted by key."""
    out = bytearray()
    index: list[tuple[bytes, bytes]] = []
    pending: list[tuple[bytes, bytes]] = []
    size = 0
    for pair in entries:
        pending.append(pair)
        size += len(pair[0]) + len(pair[1])
        if size >= _BLOCK:
            index.append((pending[-1][0], _append(out, _block(pending))))
            pending, size = [], 0
    if pending or not index:
        index.append((pending[-1][0] if pending else b"", _append(out, _block(pending))))
    about = _append(out, _block([]))
    handles = about + _append(out, _block(index, every=1))
    return bytes(out) + handles.ljust(_FOOTER - 8, b"\0") + struct.pack("<Q", _MAGIC)


def _block(entries: list[tuple[bytes, bytes]], every: int = _WHOLE_EACH) -> bytes:
    out = bytearray()
    whole: list[int] = []
    last = b""
    for i, (key, value) in enumerate(entries):
        kept = 0
        if i % every == 0:
            whole.append(len(out))
        else:
            longest = min(len(key), len(last))
            while kept < longest and key[kept] == last[kept]:
                kept += 1
        out += varint(kept) + varint(len(key) - kept) + varint(len(value)) + key[kept:] + value
        last = key
    places = whole or [0]
    return bytes(out) + struct.pack(f"<{len(places) + 1}I", *places, len(places))


def _append(out: bytearray, block: bytes) -> bytes:
    """Add a block to a file, and return its handle: where it stands and how long it is."""
    handle = varint(len(out)) + varint(len(block))
    kind = b"\0"
    out += block + kind + struct.pack("<I", masked_crc(block + kind))
    return handle


def read_table(data: bytes) -> dict[bytes, bytes]:
    """Return all entries of a table.

    Raises:
        ValueError: the data are no table, are damaged, or are compressed.
    """
    if len(data) < _FOOTER or struct.unpack("<Q", data[-8:])[0] != _MAGIC:
        raise ValueError("it does not end as a table does")
    footer = data[-_FOOTER:]
    at = 0
    for _ in range(2):  # over the handle of the metadata
        _, at = read_varint(footer, at)
    found: dict[bytes, bytes] = {}
    for _, handle in _entries(_read_block(data, footer[at:])):
        found.update(_entries(_read_block(data, handle)))
    return found


def _read_block(data: bytes, handle: bytes) -> bytes:
    start, at = read_varint(handle, 0)
    size, _ = read_varint(handle, at)
    end = start + size
    if end + 5 > len(data):
        raise ValueError("a block of it would end after the file")
    if struct.unpack("<I", data[end + 1 : end + 5])[0] != masked_crc(data[start : end + 1]):
        raise ValueError("a checksum of it does not hold")
    if data[end]:
        raise ValueError(f"a block of it is compressed (kind {data[end]})")
    return data[start:end]


def _entries(block: bytes) -> list[tuple[bytes, bytes]]:
    count = struct.unpack("<I", block[-4:])[0] if len(block) >= 4 else 0
    end = len(block) - 4 * (count + 1)
    if end < 0:
        raise ValueError("a block of it is too short")
    found: list[tuple[bytes, bytes]] = []
    at, key = 0, b""
    while at < end:
        kept, at = read_varint(block, at)
        rest, at = read_varint(block, at)
        size, at = read_varint(block, at)
        if kept > len(key) or at + rest + size > end:
            raise ValueError("an entry of it would end after its block")
        key = key[:kept] + block[at : at + rest]
        found.append((key, block[at + rest : at + rest + size]))
        at += rest + size
    return found
