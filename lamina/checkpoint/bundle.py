"""Tensors in files: `PREFIX.index` and `PREFIX.data-00000-of-00001`, as TensorFlow writes them.

The index is a sorted table (`table.py`): a header under the empty key, and for each name the
dtype, shape, place, size and checksum of a tensor whose bytes, little-endian, stand in a data file.
A string tensor is the lengths of its strings as varints, a checksum of these, and the strings.
Reading runs nothing, and every size is checked against the file before memory is taken for it.
"""

import math
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lamina.checkpoint.table import read_table, write_table
from lamina.data.records import masked_crc
from lamina.engine import DType, dtypes, errors
from lamina.protos.wire import field, numbered, read_varint, signed, varint

__all__ = ["Bundle", "Entry", "write_bundle"]

_SHARD = ".data-{:05d}-of-{:05d}"


class Entry(NamedTuple):
    """Where a tensor stands."""

    dtype: DType | None  # None: one that lamina has not, such as TensorFlow's variants
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    checksum: int
    sliced: bool


def write_bundle(prefix: str, tensors: Mapping[str, np.ndarray]) -> None:
    """Write named arrays, those of dtype object as strings; a crash leaves what was there.

    Args:
        prefix: The path without its ending; folders are made.
        tensors: The arrays by name.
    """
    Path(prefix).parent.mkdir(parents=True, exist_ok=True)
    data, index = prefix + _SHARD.format(0, 1), f"{prefix}.index"
    entries = [(b"", _header())]
    beside = f".tmp-{os.getpid()}"
    try:
        with open(data + beside, "wb") as file:
            at = 0
            for name in sorted(tensors, key=str.encode):
                kind, raw, checksum = _raw(tensors[name])
                file.write(raw)
                entry = _entry(kind, np.shape(tensors[name]), at, len(raw), checksum)
                entries.append((name.encode(), entry))
                at += len(raw)
        Path(index + beside).write_bytes(write_table(entries))
        os.replace(data + beside, data)
        os.replace(index + beside, index)
    finally:
        for path in (data, index):
            Path(path + beside).unlink(missing_ok=True)


def _header() -> bytes:
    return field(1, 1) + field(3, field(1, 1))  # one data file; little-endian; version 1


def _entry(kind: DType, shape: tuple[int, ...], at: int, size: int, checksum: int) -> bytes:
    dims = b"".join(field(2, field(1, n)) for n in shape)
    out = field(1, kind.as_datatype_enum) + field(2, dims)
    if at:
        out += field(4, at)
    return out + field(5, size) + field(6, checksum, fixed32=True)


def _raw(array: np.ndarray) -> tuple[DType, bytes, int]:
    """Return the dtype, the bytes in a file, and the checksum of an array."""
    array = np.asarray(array)
    if array.dtype != object:
        kind = dtypes.as_dtype(array.dtype)
        raw = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
        return kind, (data := raw.tobytes()), masked_crc(data)
    strings = [s.encode() if isinstance(s, str) else bytes(s) for s in array.ravel().tolist()]
    lengths = b"".join(struct.pack("<I", len(s)) for s in strings)
    check = struct.pack("<I", masked_crc(lengths))
    joined = b"".join(strings)
    raw = b"".join(varint(len(s)) for s in strings) + check + joined
    return dtypes.string, raw, masked_crc(lengths + check + joined)


class Bundle:
    """The tensors of a checkpoint, read when asked for.

    Args:
        prefix: The path without ".index".

    Attributes:
        entries: Where each tensor stands, by name.

    Raises:
        NotFoundError: there is no such file.
        DataLossError: a file is damaged, or no checkpoint.
    """

    def __init__(self, prefix: Any) -> None:
        self.prefix = os.fspath(prefix)
        try:
            data = Path(f"{self.prefix}.index").read_bytes()
        except OSError as error:
            raise errors.NotFoundError(
                f"Unsuccessful TensorSliceReader constructor: Failed to find any matching files "
                f"for {self.prefix}: a checkpoint's `{self.prefix}.index` was expected "
                f"({error.strerror}).\n  Fix: pass the path without .index, such as "
                f"tf.train.latest_checkpoint(directory)."
            ) from None
        try:
            table = read_table(data)
            header = dict(numbered(table.pop(b"")))
            self.entries = {k.decode(): _parsed(v) for k, v in table.items()}
        except (ValueError, KeyError, TypeError, struct.error) as error:
            raise self._damaged("index", f"{error}") from None
        if header.get(2, 0):
            raise self._damaged("index", "its numbers are big-endian")
        self._shards = int(header.get(1, 0) or 0)
        self._files: dict[int, np.ndarray] = {}

    def _damaged(self, ending: str, why: str) -> errors.DataLossError:
        return errors.DataLossError(
            f"{self.prefix}.{ending}: a file of a TensorFlow checkpoint was expected; {why}."
        )

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def read(self, name: str) -> Any:
        """Return one tensor; strings as an array of `bytes` objects.

        Raises:
            NotFoundError: there is none of that name.
            DataLossError: its bytes are not what the index says.
        """
        entry = self.entries.get(name)
        if entry is None:
            raise errors.NotFoundError(
                f"{self.prefix}: Key {name} not found in checkpoint.\n"
                f"  Fix: tf.train.list_variables(path) shows what there is."
            )
        if entry.sliced:
            raise errors.UnimplementedError(
                f"{self.prefix}: {name} is stored in slices, as variables that were partitioned "
                f"over devices are.\n  Fix: save it whole."
            )
        if entry.dtype is None:
            raise errors.UnimplementedError(
                f"{self.prefix}: {name} has a dtype that lamina has not (a variant, as the state "
                f"of TensorFlow's iterators).\n  Fix: restore without that object."
            )
        raw = self._bytes(name, entry)
        count = math.prod(entry.shape)
        if entry.dtype is dtypes.string:
            return self._strings(name, entry, raw, count)
        if entry.size != count * entry.dtype.size:
            raise self._wrong(name, f"{entry.size} bytes for shape {entry.shape}")
        if masked_crc(raw) != entry.checksum:
            raise self._wrong(name, "its checksum does not hold")
        return np.frombuffer(raw, entry.dtype.np).reshape(entry.shape).copy()

    def _wrong(self, name: str, why: str) -> errors.DataLossError:
        return errors.DataLossError(f"{self.prefix}: the bytes of {name} are damaged: {why}.")

    def _bytes(self, name: str, entry: Entry) -> bytes:
        file = self._file(entry.shard)
        if entry.offset < 0 or entry.size < 0 or entry.offset + entry.size > len(file):
            raise self._wrong(name, "they would end after the file")
        return file[entry.offset : entry.offset + entry.size].tobytes()

    def _file(self, shard: int) -> np.ndarray:
        """Return a data file, mapped: it can be read even after somebody deleted it."""
        found = self._files.get(shard)
        if found is None:
            path = self.prefix + _SHARD.format(shard, self._shards)
            try:
                empty = os.path.getsize(path) == 0
                found = np.empty(0, np.uint8) if empty else np.memmap(path, np.uint8, "r")
            except OSError as error:
                raise errors.NotFoundError(
                    f"{path}: a data file of the checkpoint was expected ({error.strerror})."
                ) from None
            self._files[shard] = found
        return found

    def _strings(self, name: str, entry: Entry, raw: bytes, count: int) -> np.ndarray:
        if count > len(raw):
            raise self._wrong(name, f"{len(raw)} bytes for shape {entry.shape}")
        at, lengths = 0, []
        try:
            for _ in range(count):
                length, at = read_varint(raw, at)
                lengths.append(length)
        except ValueError as error:
            raise self._wrong(name, f"{error}") from None
        if at + 4 + sum(lengths) != len(raw):
            raise self._wrong(name, "the strings are of another length")
        packed = b"".join(struct.pack("<I", n) for n in lengths)
        if masked_crc(packed + raw[at:]) != entry.checksum:
            raise self._wrong(name, "its checksum does not hold")
        out = np.empty(count, object)
        at += 4
        for i, length in enumerate(lengths):
            out[i] = raw[at : at + length]
            at += length
        return out.reshape(entry.shape)


def _parsed(raw: bytes) -> Entry:
    """Return what a BundleEntryProto says."""
    values: dict[int, Any] = {}
    sliced = False
    for number, value in numbered(raw):
        values[number] = value
        sliced = sliced or number == 7
    shape: list[int] = []
    for number, dim in numbered(values.get(2, b"")):
        if number == 2:
            size = signed(int(dict(numbered(dim)).get(1, 0)))
            if size < 0:
                raise ValueError("a size in it is negative")
            shape.append(size)
    return Entry(
        _kind(values.get(1, 0)),
        tuple(shape),
        values.get(3, 0),
        signed(values.get(4, 0)),
        signed(values.get(5, 0)),
        values.get(6, 0),
        sliced,
    )


def _kind(number: int) -> DType | None:
    try:
        return dtypes.as_dtype(number)
    except TypeError:
        return None
