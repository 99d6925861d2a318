"""`.weights.json`: weights in several HDF5 files, none larger than asked, and a table of them."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np

from lamina.keras.saving import hdf5
from lamina.keras.saving.files import open_existing, replacing

__all__ = ["ENDING", "Writer", "opened"]

ENDING = ".weights.json"
_GIB = 1 << 30


class Writer:
    """Puts the variables of objects into files beside a table, as `hdf5.Writer` into one.

    Args:
        path: The table's path, which ends in ".weights.json".
        most: The largest size of a file's arrays, in GiB.

    Raises:
        ValueError: an array is larger than a file may be.
    """

    def __init__(self, path: Path, most: float) -> None:
        self._path = path
        self._most = int(most * _GIB)
        self._notes: dict[str, Any] = {}
        self._files = 0
        self._used = 0
        self._total = 0
        self._places: dict[str, list[str]] = {}
        self._stores: dict[str, Any] = {}
        self._open = ExitStack()
        self._writer: Any = None  # of the file of now

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self._open.__exit__(*error)
        if error[0] is None:
            table = {"metadata": {"total_size": self._total}, "weight_map": self._places}
            with replacing(self._path) as file:
                file.write(json.dumps(table, indent=4).encode())

    def note(self, values: dict[str, Any]) -> None:
        """Keep lamina's own notes, in the first file."""
        self._notes = values

    def group(self, path: str, name: Any) -> "_Store":
        """Return the store of an object's own variables, as `hdf5.Writer.group`."""
        return _Store(self, path, name)

    def put(self, path: str, name: Any, key: str, value: Any) -> None:
        """Write one array into the file of now, or the next one if it is full."""
        array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
        if array.nbytes > self._most:
            raise ValueError(
                f"save_weights: each array must fit in `max_shard_size`, {self._most:,} bytes; "
                f"got {array.nbytes:,} bytes at {path or 'the model'}/vars/{key}.\n"
                f"  Fix: a larger `max_shard_size`, in GiB."
            )
        writer = self._writer
        if writer is None or self._used + array.nbytes > self._most:
            writer = self._next_file()
        if path not in self._stores:
            self._stores[path] = writer.group(path, name)
            self._places.setdefault(f"/{path}/vars" if path else "/vars", []).append(self._name)
        self._stores[path][key] = array
        self._used += array.nbytes
        self._total += array.nbytes

    def _next_file(self) -> hdf5.Writer:
        self._open.close()
        self._name = f"{self._path.name.removesuffix(ENDING)}_{self._files:05}.weights.h5"
        file = self._open.enter_context(replacing(self._path.with_name(self._name)))
        self._writer = self._open.enter_context(hdf5.Writer(file))
        if self._files == 0:
            self._writer.note(self._notes)
        self._files += 1
        self._used = 0
        self._stores = {}
        return self._writer


class _Store(dict):
    """A mapping whose items go into the files."""

    def __init__(self, writer: Writer, path: str, name: Any) -> None:
        super().__init__()
        self._writer, self._path, self._name = writer, path, name

    def __setitem__(self, key: str, value: Any) -> None:
        self._writer.put(self._path, self._name, str(key), value)
        super().__setitem__(str(key), None)


@contextmanager
def opened(path: Path, who: str, arrays: Any) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """Open all files of a table.

    Args:
        path: The table's path.
        who: The function, for messages.
        arrays: `weights.arrays`, which opens one file.

    Yields:
        What `arrays` yields, for all files together.

    Raises:
        MissingFileError: a file is missing; a FileNotFoundError and a ValueError.
        ValueError: the table is damaged, or names files elsewhere than beside it.
    """
    groups: dict[str, dict[str, Any]] = {}
    places: dict[str, str] = {}
    with ExitStack() as stack:
        for name in _names(path, who):
            part = path.with_name(name)
            file = stack.enter_context(open_existing(part, who, "a .weights.h5 file"))
            size = part.stat().st_size
            found, noted = stack.enter_context(arrays(file, size, f"{who}({str(part)!r})"))
            for place, store in found.items():
                groups.setdefault(place, {}).update(store)
            places.update(noted)
        yield groups, places


def _names(path: Path, who: str) -> list[str]:
    """Return the names of the files in a table."""
    with open_existing(path, who, f"a {ENDING} file") as file:
        text = file.read()
    try:
        listed = json.loads(text)["weight_map"].values()
        names = {name for some in listed for name in ([some] if isinstance(some, str) else some)}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError(
            f"{who}({str(path)!r}): a table of weight files, with a `weight_map`, was expected; "
            f"got {text[:32]!r}."
        ) from None
    for name in names:
        if not isinstance(name, str) or Path(name).name != name or not name.endswith(".h5"):
            raise ValueError(
                f"{who}({str(path)!r}): names of .h5 files beside the table were expected; got "
                f"{name!r}.\n  Fix: do not load this file unless you know where it comes from."
            )
    return sorted(names)
