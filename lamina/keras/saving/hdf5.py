"""HDF5 files of weights: written in Keras' layout, read without trusting them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np

from lamina.late import late_module

if TYPE_CHECKING:
    import h5py
else:
    h5py = late_module("h5py")

__all__ = ["Writer", "damage_explained", "in_memory", "notes", "read"]

# A filter may load a plugin from disk; these are inside of HDF5 and h5py.
_FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32", 4: "szip", 32000: "lzf"}
# Deflate makes at most 1032 bytes of one.
_EXPANSION = 1032
_SMALL = 1 << 16
_GROUPS = 1_000_000
# lamina's own notes: JSON, compressed, in attributes of the root, which hold 64 kB each.
_NOTES, _PIECE, _MOST = "lamina", 60_000, 1 << 28


class Writer:
    """Puts the variables of objects into an HDF5 file.

    Args:
        file: An open file to write to.
    """

    def __init__(self, file: Any) -> None:
        self._h5 = h5py.File(file, "w")

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *error: object) -> None:
        self._h5.close()

    def note(self, values: dict[str, Any]) -> None:
        """Keep lamina's own notes, plain values, where Keras does not look."""
        packed = zlib.compress(json.dumps(values).encode())
        for i, start in enumerate(range(0, len(packed), _PIECE)):
            piece = np.frombuffer(packed[start : start + _PIECE], np.uint8)
            self._h5.attrs[f"{_NOTES}{i}"] = piece

    def group(self, path: str, name: Any) -> _Store:
        """Return the store of an object's own variables, a mapping to write to.

        Args:
            path: The object's path, "" for the model.
            name: The object's name, kept beside its variables; None is not kept.
        """
        store = _Store(self._h5, f"{path}/vars" if path else "vars")
        if isinstance(name, str):
            store.make().attrs["name"] = name
        return store


class _Store(dict):
    """A mapping whose items go into a group of a file, made with the first one."""

    def __init__(self, h5: h5py.File, path: str) -> None:
        super().__init__()
        self._h5 = h5
        self._path = path
        self._group: h5py.Group | None = None

    def make(self) -> h5py.Group:
        """Return the group; it is made at the first call."""
        if self._group is None:
            self._group = self._h5.require_group(self._path)
        return self._group

    def __setitem__(self, key: str, value: Any) -> None:
        array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
        dataset = self.make().create_dataset(str(key), data=array)
        if array.dtype == ml_dtypes.bfloat16:
            dataset.attrs["dtype"] = "bfloat16"
        super().__setitem__(str(key), array.shape)


class _Stored:
    """An array in a file, read when it is asked for."""

    def __init__(self, dataset: h5py.Dataset, dtype: np.dtype) -> None:
        self._dataset = dataset
        self.shape = tuple(dataset.shape)
        self.dtype = dtype

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        with damage_explained(str(self._dataset.name), self._dataset.id.get_storage_size()):
            array = self._dataset[()]
        array = np.asarray(array).view(self.dtype) if self.dtype.kind == "V" else np.asarray(array)
        return array if dtype is None else array.astype(dtype)


@contextmanager
def damage_explained(who: str, size: int) -> Iterator[None]:
    """Turn what h5py raises for a damaged file into a ValueError that says so.

    Args:
        who: What is read, for messages.
        size: Its bytes.
    """
    try:
        yield
    except (OSError, RuntimeError, KeyError) as error:
        raise ValueError(
            f"{who}: a whole HDF5 file was expected; got a damaged one of {size:,} bytes.\n"
            f"  Reason: {error}\n  Fix: copy or download it again."
        ) from error


def read(file: h5py.File, size: int, who: str) -> dict[str, dict[str, _Stored]]:
    """Return what a file of weights holds, after a look at all of it.

    Args:
        file: The open HDF5 file. The arrays are read from it later, while it is open.
        size: The bytes of the file.
        who: The file's name, for messages.

    Returns:
        Path of an object → key → array.

    Raises:
        ValueError: the file has links, data that lies elsewhere, sizes that its bytes do not bear
            out, or anything else than numbers.
    """
    found: dict[str, dict[str, _Stored]] = {}
    stored = 0
    for path, dataset in _datasets(file, who):
        dtype = _checked_dtype(path, dataset, who)
        stored += _checked_size(path, dataset, dtype, who)
        parent, key = _split(path)
        found.setdefault(parent, {})[key] = _Stored(dataset, dtype)
    if stored > size:
        raise ValueError(
            f"{who}: arrays within the {size:,} bytes of the file were expected; got arrays that "
            f"declare {stored:,} bytes in it, so that they lie over each other."
        )
    return found


def notes(file: h5py.File, who: str) -> dict[str, Any]:
    """Return what `Writer.note` kept; an empty dict if the file is not lamina's.

    Raises:
        ValueError: the notes are damaged, or larger than their bytes bear out.
    """
    pieces = []
    while f"{_NOTES}{len(pieces)}" in file.attrs:
        piece = np.asarray(file.attrs[f"{_NOTES}{len(pieces)}"])
        if piece.dtype != np.uint8:
            raise ValueError(f"{who}: bytes were expected in lamina's notes; got {piece.dtype}.")
        pieces.append(piece.tobytes())
    if not pieces:
        return {}
    unpacking = zlib.decompressobj()
    try:
        found = json.loads(unpacking.decompress(b"".join(pieces), _MOST))
    except (zlib.error, ValueError, RecursionError) as error:
        raise ValueError(
            f"{who}: lamina's notes were expected to be compressed JSON.\n  Reason: {error}\n"
            f"  Fix: copy or download it again."
        ) from error
    return found if isinstance(found, dict) else {}


def _split(path: str) -> tuple[str, str]:
    """Return the path of the object and the key of a variable: "layers/dense/vars/0"."""
    parts = path.split("/")
    if "vars" not in parts[:-1]:
        return path, ""
    at = len(parts) - 2 - parts[-2::-1].index("vars")
    # tf.keras 2.13 had another name for the same.
    known = ["layers" if p == "_layer_checkpoint_dependencies" else p for p in parts[:at]]
    return "/".join(known), "/".join(parts[at + 1 :])


def _datasets(file: h5py.File, who: str) -> Iterator[tuple[str, h5py.Dataset]]:
    """Yield (path, dataset) for everything in a file, by plain links only."""
    waiting: list[tuple[str, h5py.Group]] = [("", file)]
    seen = {_address(file)}
    while waiting:
        prefix, group = waiting.pop()
        for name in map(str, group):
            path = f"{prefix}/{name}" if prefix else name
            kind = group.get(name, getlink=True, getclass=True)
            if kind is not h5py.HardLink:
                raise ValueError(
                    f"{who}: the arrays themselves were expected; got {_link_name(kind)} at "
                    f"{path!r}, which loading does not follow.\n"
                    f"  Fix: do not load this file unless you know where it comes from."
                )
            item = group[name]
            if _address(item) in seen or len(seen) > _GROUPS:
                raise ValueError(
                    f"{who}: a tree of groups was expected; got {path!r}, which the file holds "
                    f"twice."
                )
            seen.add(_address(item))
            if isinstance(item, h5py.Group):
                waiting.append((path, item))
            elif isinstance(item, h5py.Dataset):
                yield path, item
            else:
                raise ValueError(
                    f"{who}: groups and arrays were expected; got {type(item).__name__} at "
                    f"{path!r}."
                )


def _link_name(kind: Any) -> str:
    return {h5py.SoftLink: "a soft link", h5py.ExternalLink: "a link to another file"}.get(
        kind, f"a link of kind {getattr(kind, '__name__', kind)}"
    )


def _address(item: Any) -> Any:
    info = h5py.h5o.get_info(item.id)  # pyright: ignore[reportAttributeAccessIssue]  # in C
    return info.fileno, info.addr


def _checked_dtype(path: str, dataset: h5py.Dataset, who: str) -> np.dtype:
    dtype = dataset.dtype
    if dataset.shape is None:
        raise ValueError(f"{who}: an array was expected at {path!r}; got one without a shape.")
    if dtype.kind == "V" and dtype.itemsize == 2 and dtype.fields is None:
        return np.dtype(ml_dtypes.bfloat16)
    if dtype.kind not in "fiubc" or dtype.subdtype is not None:
        raise ValueError(
            f"{who}: an array of numbers was expected at {path!r}; got dtype {dtype!s}."
        )
    return dtype


def _checked_size(path: str, dataset: h5py.Dataset, dtype: np.dtype, who: str) -> int:
    """Return the bytes that an array takes in the file, after comparing them with its shape."""
    if dataset.external or dataset.is_virtual:
        kind = "external" if dataset.external else "virtual"
        raise ValueError(
            f"{who}: arrays within the file were expected; got the {kind} array {path!r}, whose "
            f"data lies in other files.\n"
            f"  Fix: do not load this file unless you know where it comes from."
        )
    plist = dataset.id.get_create_plist()
    filters = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
    if any(f not in _FILTERS for f in filters):
        raise ValueError(
            f"{who}: the filters {sorted(_FILTERS.values())} were expected for {path!r}; got "
            f"filter numbers {filters}."
        )
    declared = int(np.prod(dataset.shape, dtype=object)) * dtype.itemsize
    stored = dataset.id.get_storage_size()
    most = stored * _EXPANSION + _SMALL if filters else stored
    if declared > most:
        raise ValueError(
            f"{who}: an array as large as its bytes in the file was expected at {path!r}; got "
            f"shape {tuple(dataset.shape)}, {declared:,} bytes, with {stored:,} bytes stored.\n"
            f"  Fix: do not load this file unless you know where it comes from."
        )
    return stored


def in_memory(groups: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, np.ndarray]]:
    """Return the same with all arrays read, for use when the file is closed."""
    return {path: {k: np.asarray(v) for k, v in store.items()} for path, store in groups.items()}
