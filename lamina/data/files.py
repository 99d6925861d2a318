"""Files as datasets: lines of text, TFRecord records, records of one length."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lamina.data import flattening, sources, tables
from lamina.data.dataset import Dataset
from lamina.data.records import read_records, unpacked
from lamina.data.stages import UNKNOWN, Run, Stage
from lamina.engine import TensorSpec, convert_to_tensor, errors, static_int
from lamina.ops.paths import path_of

__all__ = [
    "FixedLengthRecordDataset",
    "Read",
    "TFRecordDataset",
    "TextLineDataset",
    "compression_of",
    "file_names",
]


class Read(Stage):
    """What a function reads from a file: strings.

    Args:
        path: The file.
        read: A function of the path that returns an iterator over `bytes`.
    """

    label = "FlatMap"

    def __init__(self, path: Any, read: Callable[[Any], Iterator[bytes]]) -> None:
        self.table = tables.Loose()
        self._path, self._read = path, read

    def spec(self) -> Any:
        return TensorSpec([], "string")

    def size(self) -> int:
        return UNKNOWN

    def items(self, run: Run) -> Iterator[Any]:
        return map(_scalar, self._read(self._path))


def _scalar(value: bytes) -> np.ndarray:
    found = np.empty((), object)
    found[()] = value
    return found


class _Files(flattening.Interleave):
    """What a function reads from some files: one after the other, or several at a time."""

    def __init__(self, names: Stage, read: Any, cycle: int, label: str) -> None:
        def one(path: Any) -> Any:
            return Dataset(Read(path, read))

        super().__init__(names, one, cycle, 1, False)
        self.runs_user_code = names.runs_user_code
        self.label = label

    def spec(self) -> Any:
        return TensorSpec([], "string")

    def size(self) -> int:
        return UNKNOWN


class _FileDataset(Dataset):
    """A dataset that is read from files."""

    def __init__(self, filenames: Any, read: Any, parallel: Any, label: str) -> None:
        cycle = 1
        if parallel is not None:
            cycle = static_int(parallel, "num_parallel_reads")
            cycle = (os.cpu_count() or 1) if cycle < 1 else cycle
        super().__init__(_Files(file_names(filenames, label), read, cycle, label))


def file_names(filenames: Any, who: str) -> Stage:
    """Return the stage of some file names.

    Args:
        filenames: A string, a list or Tensor of strings, or a dataset of them.
        who: The class, for errors.

    Raises:
        TypeError: they are no strings.
    """
    if isinstance(filenames, Dataset):
        spec = filenames.element_spec
        if getattr(spec, "dtype", None) != "string":
            raise TypeError(
                f"tf.data.{who}: `filenames` must be a dataset of strings; got {filenames!r}."
            )
        stage = filenames._stage
        return stage if spec.shape.rank == 0 else filenames.unbatch()._stage
    if isinstance(filenames, os.PathLike):
        filenames = os.fspath(filenames)
    if isinstance(filenames, list | tuple):
        filenames = [os.fspath(f) if isinstance(f, os.PathLike) else f for f in filenames]
    is_empty = isinstance(filenames, list | tuple) and not filenames
    names = np.asarray(convert_to_tensor(filenames, "string" if is_empty else None))
    if names.dtype != object:
        raise TypeError(
            f"tf.data.{who}: `filenames` must be strings, or a dataset of them; got {filenames!r}."
        )
    flat = names.reshape(-1)
    return sources.Slices(flat, len(flat))


def compression_of(compression: Any, who: str) -> str:
    """Return a compression's name.

    Raises:
        ValueError: it is none of "", "GZIP", "ZLIB".
    """
    if hasattr(compression, "numpy"):
        compression = compression.numpy()
    name = compression.decode() if isinstance(compression, bytes) else (compression or "")
    if name not in ("", "GZIP", "ZLIB"):
        raise ValueError(
            f'tf.data.{who}: `compression_type` must be None, "", "GZIP" or "ZLIB"; got {name!r}.'
        )
    return name


class TextLineDataset(_FileDataset):
    r"""A dataset of the lines of text files, without their ends.

    Args:
        filenames: A string, a list or Tensor of strings, or a dataset of them.
        compression_type: None, "", "GZIP" or "ZLIB".
        buffer_size: Accepted, unused: files are buffered.
        num_parallel_reads: From how many files at a time lines are taken in turn; None reads one
            file after the other.
        name: Accepted, unused.

    Raises:
        errors.NotFoundError: a file does not exist; when its lines are asked for.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "a.txt")
        >>> with open(path, "w") as file:
        ...     _ = file.write("one\ntwo\n")
        >>> list(tf.data.TextLineDataset(path).as_numpy_iterator())
        [b'one', b'two']
    """

    def __init__(
        self,
        filenames: Any,
        compression_type: Any = None,
        buffer_size: Any = None,
        num_parallel_reads: Any = None,
        name: str | None = None,
    ) -> None:
        kind = compression_of(compression_type, "TextLineDataset")

        def read(path: Any) -> Iterator[bytes]:
            with unpacked(path, kind) as file:
                for line in file:
                    yield line[:-2] if line.endswith(b"\r\n") else line.removesuffix(b"\n")

        super().__init__(filenames, read, num_parallel_reads, "TextLineDatasetV2")


class TFRecordDataset(_FileDataset):
    """A dataset of the records of TFRecord files.

    Args:
        filenames: A string, a list or Tensor of strings, or a dataset of them.
        compression_type: None, "", "GZIP" or "ZLIB".
        buffer_size: Accepted, unused: files are buffered.
        num_parallel_reads: From how many files at a time records are taken in turn; None reads
            one file after the other.
        name: Accepted, unused.

    Raises:
        errors.NotFoundError: a file does not exist; when its records are asked for.
        errors.DataLossError: a file is damaged.

    Example:
        >>> import os, tempfile
        >>> from lamina.data.records import RecordWriter
        >>> path = os.path.join(tempfile.mkdtemp(), "a.tfrecord")
        >>> with RecordWriter(path) as writer:
        ...     writer.write(b"one")
        >>> list(tf.data.TFRecordDataset([path]).as_numpy_iterator())
        [b'one']
    """

    def __init__(
        self,
        filenames: Any,
        compression_type: Any = None,
        buffer_size: Any = None,
        num_parallel_reads: Any = None,
        name: str | None = None,
    ) -> None:
        kind = compression_of(compression_type, "TFRecordDataset")
        read = lambda path: read_records(path, kind)  # noqa: E731
        super().__init__(filenames, read, num_parallel_reads, "TFRecordDatasetV2")


class FixedLengthRecordDataset(_FileDataset):
    """A dataset of the records of binary files that all have one length.

    Args:
        filenames: A string, a list or Tensor of strings, or a dataset of them.
        record_bytes: Bytes of a record.
        header_bytes: Bytes to pass over at the start of a file; None is 0.
        footer_bytes: Bytes to leave out at its end; None is 0.
        buffer_size: Accepted, unused: files are buffered.
        compression_type: None, "", "GZIP" or "ZLIB".
        num_parallel_reads: From how many files at a time records are taken in turn.
        name: Accepted, unused.

    Raises:
        errors.InvalidArgumentError: a file has no whole number of records.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "a.bin")
        >>> with open(path, "wb") as file:
        ...     _ = file.write(b"HEAD12345678END")
        >>> dataset = tf.data.FixedLengthRecordDataset(path, 4, header_bytes=4, footer_bytes=3)
        >>> list(dataset.as_numpy_iterator())
        [b'1234', b'5678']
    """

    def __init__(
        self,
        filenames: Any,
        record_bytes: Any,
        header_bytes: Any = None,
        footer_bytes: Any = None,
        buffer_size: Any = None,
        compression_type: Any = None,
        num_parallel_reads: Any = None,
        name: str | None = None,
    ) -> None:
        kind = compression_of(compression_type, "FixedLengthRecordDataset")
        size = static_int(record_bytes, "record_bytes")
        head = 0 if header_bytes is None else static_int(header_bytes, "header_bytes")
        foot = 0 if footer_bytes is None else static_int(footer_bytes, "footer_bytes")
        for what, given, least in (
            ("record_bytes", size, 1),
            ("header_bytes", head, 0),
            ("footer_bytes", foot, 0),
        ):
            if given < least:
                raise errors.InvalidArgumentError(
                    f"tf.data.FixedLengthRecordDataset: `{what}` must be at least {least}; got "
                    f"{given}."
                )

        def read(path: Any) -> Iterator[bytes]:
            with unpacked(path, kind) as file:
                held = file.read()
            length = len(held) - head - foot
            held = held[head : len(held) - foot]
            if length < 0 or length % size:
                raise errors.InvalidArgumentError(
                    f"tf.data.FixedLengthRecordDataset: a file must hold whole records of {size} "
                    f"bytes; {path_of(path)} has {length} bytes between header and footer.\n"
                    f"  Fix: check `record_bytes`, `header_bytes` and `footer_bytes`."
                )
            for start in range(0, len(held), size):
                yield held[start : start + size]

        super().__init__(filenames, read, num_parallel_reads, "FixedLengthRecordDatasetV2")
