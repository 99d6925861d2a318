"""TFRecord files: records of bytes, each with its length and two checksums.

A record is `length (uint64) | crc(length) | data | crc(data)`, little-endian; `crc` is CRC-32C
(RFC 3720, appendix B.4), rotated right by 15 bits, plus 0xa282ead8.
"""

import functools
import gzip
import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np

from lamina.engine import Tensor, errors
from lamina.ops.paths import open_file, path_of

__all__ = [
    "RecordWriter",
    "TFRecordOptions",
    "crc32c",
    "masked_crc",
    "read_records",
    "unpacked",
]

_POLYNOMIAL = 0x82F63B78  # Castagnoli's, its bits reversed
_ROW = 256  # bytes whose checksums come from one table, _places()
_SHORT = 64  # bytes up to which the loop over bytes is the faster one
_COMPRESSIONS = ("", "GZIP", "ZLIB")


# ---- checksums ------------------------------------------------------------------------------


@functools.cache
def _bytes_table() -> tuple[int, ...]:
    """Return the checksum (start 0, no final inversion) of each byte."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1)
    return tuple(table.tolist())


@functools.cache
def _places() -> np.ndarray:
    """Return, `(_ROW, 256)`, what each byte adds to a row's checksum at each place."""
    table = np.array(_bytes_table(), np.uint32)
    out = np.empty((_ROW, 256), np.uint32)
    out[-1] = table
    for i in range(_ROW - 2, -1, -1):
        out[i] = table[out[i + 1] & 0xFF] ^ (out[i + 1] >> 8)
    return out


@functools.cache
def _shift(level: int) -> np.ndarray:
    """Return, `(4, 256)`, what each byte of a checksum becomes after `_ROW << level` zeros."""
    if level:
        half = _shift(level - 1)
        return _shifted(_shifted(_units(), half), half)
    table = np.array(_bytes_table(), np.uint32)
    out = _units()
    for _ in range(_ROW):
        out = table[out & 0xFF] ^ (out >> 8)
    return out


def _units() -> np.ndarray:
    """Return, `(4, 256)`, the checksums that have one byte that is not 0."""
    return np.arange(256, dtype=np.uint32)[None] << np.array([[0], [8], [16], [24]], np.uint32)


def _shifted(crcs: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Return checksums after as many zeros as the table stands for."""
    low = table[0][crcs & 0xFF] ^ table[1][(crcs >> 8) & 0xFF]
    return low ^ table[2][(crcs >> 16) & 0xFF] ^ table[3][crcs >> 24]


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of `data`, an int below 2³².

    Short data goes byte by byte. Else rows of 256 bytes are looked up at once, and their
    checksums joined in pairs: a checksum is linear in the bits of its data.

    Example:
        >>> from lamina.data.records import crc32c
        >>> hex(crc32c(b"123456789"))
        '0xe3069283'
    """
    if len(data) <= _SHORT:
        table, crc = _bytes_table(), 0xFFFFFFFF
        for byte in data:
            crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
        return crc ^ 0xFFFFFFFF
    rows = -(-len(data) // _ROW)
    padded = np.zeros(rows * _ROW, np.uint8)  # zeros in front change nothing
    start = padded.size - len(data)
    padded[start:] = np.frombuffer(data, np.uint8)
    padded[start : start + 4] ^= 0xFF  # the start value, all ones
    found = _places()[np.arange(_ROW), padded.reshape(rows, _ROW)]
    crcs = np.bitwise_xor.reduce(found, axis=1)
    level = 0
    while crcs.size > 1:
        if crcs.size % 2:
            crcs = np.concatenate([np.zeros(1, np.uint32), crcs])
        crcs = _shifted(crcs[::2], _shift(level)) ^ crcs[1::2]
        level += 1
    return int(crcs[0]) ^ 0xFFFFFFFF


def masked_crc(data: bytes) -> int:
    """Return the checksum of `data` as TFRecord files store it."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


# ---- files ----------------------------------------------------------------------------------


def _compression(value: Any, who: str) -> str:
    if isinstance(value, Tensor):
        value = value.numpy()
    if isinstance(value, bytes):
        value = value.decode()
    value = "" if value is None else value
    if value not in _COMPRESSIONS:
        raise ValueError(
            f'{who}: `compression_type` must be "", "GZIP", "ZLIB" or None; got {value!r}.\n'
            f'  Fix: pass compression_type="GZIP" for .gz files.'
        )
    return value


class _Inflated(io.RawIOBase):
    """A reader of a file in zlib's format."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._stream = zlib.decompressobj()
        self._left = b""
        self._began = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left and not self._stream.eof:
            packed = self._file.read(1 << 16)
            if not packed and not self._began:
                return 0  # an empty file
            if not packed:
                raise EOFError("it ends before its end was marked")
            self._began = True
            self._left = self._stream.decompress(packed)
        count = min(len(buffer), len(self._left))
        buffer[:count], self._left = self._left[:count], self._left[count:]
        return count


@contextmanager
def unpacked(path: Any, kind: str) -> Iterator[Any]:
    """Open a file, inside the block, to read the bytes that it holds uncompressed.

    Args:
        path: The file.
        kind: "", "GZIP" or "ZLIB".

    Raises:
        NotFoundError: there is no such file.
        DataLossError: it is not compressed as said, or not whole.
    """
    with open_file(path) as file:
        source: Any = file
        if kind == "GZIP":
            source = gzip.GzipFile(fileobj=file, mode="rb")
        elif kind == "ZLIB":
            source = io.BufferedReader(_Inflated(file))
        try:
            yield source
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise errors.DataLossError(
                None, None, f"{path_of(path)}: not a whole {kind} file: {error}"
            ) from None


def read_records(path: Any, compression: Any = None) -> Iterator[bytes]:
    """Yield the records of a TFRecord file.

    Args:
        path: The file.
        compression: None or "", "GZIP", "ZLIB".

    Raises:
        NotFoundError: there is no such file.
        DataLossError: the file ends within a record, or a checksum does not fit.

    Example:
        >>> import os, tempfile
        >>> from lamina.data.records import RecordWriter, read_records
        >>> path = os.path.join(tempfile.mkdtemp(), "a.tfrecord")
        >>> with RecordWriter(path) as writer:
        ...     writer.write(b"one")
        >>> list(read_records(path))
        [b'one']
    """
    kind = _compression(compression, "tf.data.TFRecordDataset")
    with unpacked(path, kind) as source:
        yield from _records(source, path_of(path))


def _records(source: Any, path: str) -> Iterator[bytes]:
    place = 0
    while head := source.read(12):
        if len(head) < 12:
            raise _loss("truncated", place, path)
        size, check = struct.unpack("<QI", head)
        if masked_crc(head[:8]) != check:
            raise _loss("corrupted", place, path)
        data = source.read(size)
        tail = source.read(4)
        if len(data) < size or len(tail) < 4:
            raise _loss("truncated", place, path)
        if masked_crc(data) != struct.unpack("<I", tail)[0]:
            raise _loss("corrupted", place + 12, path)
        yield data
        place += size + 16


def _loss(what: str, place: int, path: str) -> errors.DataLossError:
    return errors.DataLossError(
        None,
        None,
        f"{what} record at {place} in {path}.\n"
        f"  Fix: write the file again, or say how it is compressed with `compression_type`.",
    )


# ---- writing --------------------------------------------------------------------------------


class TFRecordOptions:
    """How TFRecord files are compressed.

    Args:
        compression_type: "", "GZIP", "ZLIB" or None.
        flush_mode: Accepted, unused.
        input_buffer_size: Accepted, unused.
        output_buffer_size: Accepted, unused.
        window_bits: Base-two logarithm of the compressor's history, 9 to 15; None means 15.
        compression_level: 0 (none) to 9 (most); None and -1 are zlib's choice.
        compression_method: Accepted, unused: zlib has one, deflate.
        mem_level: Memory of the compressor, 1 to 9; None means 8.
        compression_strategy: zlib's strategy; None is its default.

    Raises:
        ValueError: an unknown `compression_type`.

    Example:
        >>> tf.io.TFRecordOptions(compression_type="GZIP").compression_type
        'GZIP'
    """

    compression_type_map: dict[Any, str] = {0: "", 1: "ZLIB", 2: "GZIP"}  # noqa: RUF012, TF's

    def __init__(
        self,
        compression_type: Any = None,
        flush_mode: Any = None,
        input_buffer_size: int | None = None,
        output_buffer_size: int | None = None,
        window_bits: int | None = None,
        compression_level: int | None = None,
        compression_method: Any = None,
        mem_level: int | None = None,
        compression_strategy: int | None = None,
    ) -> None:
        if isinstance(compression_type, TFRecordOptions):
            compression_type = compression_type.compression_type
        self.compression_type = _compression(compression_type, "tf.io.TFRecordOptions")
        self.flush_mode = flush_mode
        self.input_buffer_size = input_buffer_size
        self.output_buffer_size = output_buffer_size
        self.window_bits = window_bits
        self.compression_level = compression_level
        self.compression_method = compression_method
        self.mem_level = mem_level
        self.compression_strategy = compression_strategy

    @classmethod
    def get_compression_type_string(cls, options: Any) -> str:
        """Return "", "GZIP" or "ZLIB" from options, such a string, or None."""
        return cls(options).compression_type

    def compressor(self) -> Any:
        """Return the `zlib` object that packs the file, or None."""
        if not self.compression_type:
            return None
        bits = 15 if self.window_bits is None else self.window_bits
        return zlib.compressobj(
            -1 if self.compression_level is None else self.compression_level,
            zlib.DEFLATED,
            bits + 16 if self.compression_type == "GZIP" else bits,
            8 if self.mem_level is None else self.mem_level,
            zlib.Z_DEFAULT_STRATEGY
            if self.compression_strategy is None
            else self.compression_strategy,
        )


class RecordWriter:
    """Write records to a TFRecord file: `tf.io.TFRecordWriter`.

    Args:
        path: The file; what it held is lost.
        options: A `tf.io.TFRecordOptions`, "GZIP", "ZLIB", "" or None.

    Raises:
        NotFoundError: the directory does not exist.
        ValueError: an unknown compression.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "numbers.tfrecord")
        >>> with tf.io.TFRecordWriter(path) as writer:
        ...     for i in range(3):
        ...         writer.write(b"%d" % i)
        >>> os.path.getsize(path)
        51
    """

    def __init__(self, path: Any, options: Any = None) -> None:
        if not isinstance(options, TFRecordOptions):
            options = TFRecordOptions(options)
        self._packer = options.compressor()
        self._file: IO[bytes] | None = open_file(path, "wb")

    def write(self, record: Any) -> None:
        """Append one record.

        Args:
            record: bytes, str, or a scalar string Tensor.

        Raises:
            FailedPreconditionError: the writer is closed.
            TypeError: the record is not bytes.
        """
        if isinstance(record, Tensor):
            record = record.numpy()
        if isinstance(record, str):
            record = record.encode()
        if not isinstance(record, bytes | bytearray | memoryview):
            raise TypeError(
                f"tf.io.TFRecordWriter.write: `record` must be bytes; got {record!r} "
                f"({type(record).__name__}).\n  Fix: pass example.SerializeToString()."
            )
        record = bytes(record)
        size = struct.pack("<Q", len(record))
        checks = struct.pack("<I", masked_crc(size)), struct.pack("<I", masked_crc(record))
        packed = size + checks[0] + record + checks[1]
        self._open().write(self._packer.compress(packed) if self._packer else packed)

    def flush(self) -> None:
        """Hand everything written so far to the operating system."""
        file = self._open()
        if self._packer:
            file.write(self._packer.flush(zlib.Z_SYNC_FLUSH))
        file.flush()

    def close(self) -> None:
        """Finish the file; closing twice is allowed."""
        if self._file is not None:
            if self._packer:
                self._file.write(self._packer.flush())
            self._file.close()
            self._file = None

    def _open(self) -> IO[bytes]:
        if self._file is None:
            raise errors.FailedPreconditionError(
                None, None, "tf.io.TFRecordWriter: the writer is closed.\n  Fix: open a new one."
            )
        return self._file

    def __enter__(self) -> "RecordWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_file", None) is not None:
            self.close()
