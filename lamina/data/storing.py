"""Storing: elements in files, with their specs, to read them back without the pipeline.

A file is a row of frames `length (uint64) | crc32 (uint32) | data`; data is one element: for each
leaf its dtype's name, its shape and its bytes; strings are lengths and joined bytes.
"""

import contextlib
import gzip
import json
import os
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np

from lamina.data import composites, elements, tables
from lamina.data import structure as nest
from lamina.data.lasting import Failed, caught, lasting
from lamina.data.stages import Ordered, Run, Stage
from lamina.engine import TensorSpec, as_dtype, errors
from lamina.ops.paths import as_op_error

__all__ = ["METADATA", "Shard", "Snapshot", "read_metadata", "read_shard", "save", "writing"]

METADATA = "metadata.json"
_VERSION = 1
_HEAD = struct.Struct("<QI")
_COMPRESSIONS = (None, "AUTO", "GZIP", "SNAPPY", "NONE")


# ---- elements as bytes ------------------------------------------------------------------------


def _encoded(element: Any) -> bytes:
    parts: list[bytes] = []
    for leaf in nest.flatten(element):
        if elements.is_whole(leaf):
            components = leaf._type_spec._to_components(leaf)
            parts.append(struct.pack("<B", len(components)))
            parts += [_encoded_array(np.asarray(c)) for c in components]
        else:
            parts.append(struct.pack("<B", 0) + _encoded_array(np.asarray(leaf)))
    return b"".join(parts)


def _encoded_array(array: np.ndarray) -> bytes:
    is_string = array.dtype.kind in "OSU"
    name = b"string" if is_string else as_dtype(array.dtype).name.encode()
    head = struct.pack(f"<B{len(name)}sB", len(name), name, array.ndim)
    shape = np.asarray(array.shape, "<i8").tobytes()
    if is_string:
        strings = [s.encode() if isinstance(s, str) else bytes(s) for s in array.reshape(-1)]
        body = np.asarray([len(s) for s in strings], "<i8").tobytes() + b"".join(strings)
    else:
        body = np.ascontiguousarray(array).tobytes()
    return head + shape + body


class _Bytes:
    """Bytes that are read from the front."""

    def __init__(self, data: bytes) -> None:
        self._data, self._place = data, 0

    def take(self, count: int) -> bytes:
        found = self._data[self._place : self._place + count]
        self._place += count
        return found

    def array(self) -> np.ndarray:
        name = self.take(self.take(1)[0]).decode()
        ndim = self.take(1)[0]
        shape = tuple(np.frombuffer(self.take(8 * ndim), "<i8").tolist())
        count = int(np.prod(shape, dtype=np.int64))
        if name == "string":
            lengths = np.frombuffer(self.take(8 * count), "<i8").tolist()
            found = np.empty(count, object)
            for i, length in enumerate(lengths):
                found[i] = self.take(length)
            return found.reshape(shape)
        dtype = as_dtype(name).np
        return np.frombuffer(self.take(count * dtype.itemsize), dtype).reshape(shape).copy()


def _decoded(data: bytes, spec: Any) -> Any:
    source = _Bytes(data)
    leaves: list[Any] = []
    for leaf in nest.flatten(spec):
        count = source.take(1)[0]
        if count:
            arrays = [elements.as_tensors(source.array()) for _ in range(count)]
            leaves.append(leaf._from_components(arrays))
        elif composites.is_ragged_spec(leaf):
            leaves.append(composites.as_ragged_row(source.array(), leaf))
        else:
            leaves.append(source.array())
    return nest.pack_sequence_as(spec, leaves)


# ---- specs as JSON ----------------------------------------------------------------------------


def _spec_to_json(spec: Any) -> Any:
    if isinstance(spec, dict):
        return {"dict": [[key, _spec_to_json(value)] for key, value in spec.items()]}
    if isinstance(spec, tuple):
        return {"tuple": [_spec_to_json(part) for part in spec]}
    if type(spec) is not TensorSpec and not composites.is_stored(spec):
        raise TypeError(
            f"tf.data.Dataset.save: elements must be Tensors, also ragged and sparse ones; got "
            f"{spec!r}.\n  Fix: map them to Tensors before."
        )
    shape = None if spec.shape.rank is None else spec.shape.as_list()
    found = {"kind": type(spec).__name__, "shape": shape, "dtype": spec.dtype.name}
    if composites.is_ragged_spec(spec):
        ragged: Any = spec
        found |= {"rank": ragged.ragged_rank, "splits": ragged.row_splits_dtype.name}
    return found


def _spec_of_json(value: Any) -> Any:
    if "dict" in value:
        return {key: _spec_of_json(part) for key, part in value["dict"]}
    if "tuple" in value:
        return tuple(_spec_of_json(part) for part in value["tuple"])
    shape, dtype = value["shape"], value["dtype"]
    if value["kind"] == "RaggedTensorSpec":
        make = import_module("lamina.ragged").RaggedTensorSpec
        return make(shape, dtype, value["rank"], value["splits"])
    if value["kind"] == "SparseTensorSpec":
        return import_module("lamina.sparse").SparseTensorSpec(shape, dtype)
    return TensorSpec(shape, dtype)


# ---- files ------------------------------------------------------------------------------------


def _opened(path: str, mode: str, compression: Any) -> Any:
    try:
        return gzip.open(path, mode, 6) if compression == "GZIP" else open(path, mode)
    except OSError as error:
        raise as_op_error(error, path) from None


@contextlib.contextmanager
def writing(path: str, compression: Any = None) -> Iterator[Callable[[Any], None]]:
    """Open a file, and give a function that writes an element to it."""
    with _opened(path, "wb", compression) as file:

        def put(element: Any) -> None:
            data = _encoded(element)
            file.write(_HEAD.pack(len(data), zlib.crc32(data)) + data)

        yield put


def read_shard(path: str, spec: Any, compression: Any = None) -> Iterator[Any]:
    """Yield the elements in a file.

    Raises:
        errors.NotFoundError: there is no such file.
        errors.DataLossError: it is damaged.
    """
    with _opened(path, "rb", compression) as file:
        while head := file.read(_HEAD.size):
            data, length, check = b"", 0, 0
            if len(head) == _HEAD.size:
                length, check = _HEAD.unpack(head)
                data = file.read(length)
            if len(head) < _HEAD.size or len(data) < length or zlib.crc32(data) != check:
                raise errors.DataLossError(
                    f"tf.data: {path} is damaged, or was not written to its end.\n"
                    f"  Fix: save the dataset again."
                )
            yield _decoded(data, spec)


class Shard(Stage):
    """The elements in a file that `save` wrote."""

    label = "Load"

    def __init__(self, path: str, spec: Any, compression: Any, count: int) -> None:
        self.table = tables.Loose()
        self._path, self._spec, self._compression, self._count = path, spec, compression, count

    def spec(self) -> Any:
        return self._spec

    def size(self) -> int:
        return self._count

    def items(self, run: Run) -> Iterator[Any]:
        return read_shard(self._path, self._spec, self._compression)


def _shard_name(number: int) -> str:
    return f"shard-{number:05d}.data"


def save(
    rows: Iterator[Any], spec: Any, path: str, compression: Any, shard_of: Any = None
) -> Iterator[Any]:
    """Write elements into a directory while passing them on; it is whole when this ends.

    Args:
        rows: The elements; a `Failed` is passed on.
        spec: Their specs.
        path: The directory.
        compression: None, "AUTO", "GZIP" or "NONE".
        shard_of: A function of an element that returns the number of its file.

    Raises:
        ValueError: an unknown compression.
    """
    if compression not in _COMPRESSIONS:
        raise ValueError(
            f"tf.data: `compression` must be one of {_COMPRESSIONS}; got {compression!r}."
        )
    described = _spec_to_json(spec)
    os.makedirs(path, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        os.remove(os.path.join(path, METADATA))
    counts: dict[int, int] = {}
    puts: dict[int, Any] = {}
    with contextlib.ExitStack() as files:
        for row in rows:
            if type(row) is Failed:
                yield row
                continue
            number = 0 if shard_of is None else int(shard_of(row))
            if number not in puts:
                name = os.path.join(path, _shard_name(number))
                puts[number] = files.enter_context(writing(name, compression))
            puts[number](row)
            counts[number] = counts.get(number, 0) + 1
            yield row
    shards = [[_shard_name(n), counts[n]] for n in sorted(counts)]
    found = {
        "version": _VERSION,
        "spec": described,
        "compression": compression,
        "shards": shards,
    }
    partial = os.path.join(path, f"{METADATA}.{os.getpid()}.partial")
    with open(partial, "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1)
    os.replace(partial, os.path.join(path, METADATA))


def read_metadata(path: str, wait: bool = False) -> tuple[Any, list[Shard]]:
    """Return the specs and the files of a directory that `save` wrote.

    Args:
        path: The directory.
        wait: Whether to wait until it is whole.

    Raises:
        errors.NotFoundError: nothing was saved there.
    """
    name = os.path.join(path, METADATA)
    while wait and not os.path.exists(name):
        time.sleep(0.1)
    try:
        with open(name, encoding="utf-8") as file:
            found = json.load(file)
    except FileNotFoundError:
        raise errors.NotFoundError(
            f"tf.data.Dataset.load: Could not find metadata file: {name} does not exist.\n"
            f"  Fix: dataset.save(path) writes it; `wait=True` waits for it."
        ) from None
    spec = _spec_of_json(found["spec"])
    compression = found["compression"]
    shards = [
        Shard(os.path.join(path, shard), spec, compression, count)
        for shard, count in found["shards"]
    ]
    return spec, shards


class Snapshot(Ordered):
    """Elements that the first whole pass writes into a directory, and later ones read from it.

    Args:
        before: The stage before.
        path: The directory.
        compression: As of `save`.
        shard_of: As of `save`.
        load: A function that returns the dataset in the directory.
    """

    label = "Snapshot"

    def __init__(
        self, before: Stage, path: str, compression: Any, shard_of: Any, load: Any
    ) -> None:
        super().__init__(before)
        self.table = tables.Loose()
        self.indices = 0
        self.in_memory = False
        self._path, self._compression, self._shard_of = path, compression, shard_of
        self._load = load

    def items(self, run: Run) -> Iterator[Any]:
        if os.path.exists(os.path.join(self._path, METADATA)):
            return self._load()._stage.rows(run)
        rows, spec = caught(self.before.rows(run)), self.before.spec()
        return lasting(save(rows, spec, self._path, self._compression, self._shard_of))
