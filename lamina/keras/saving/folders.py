"""Models saved with ``zipped=False``: the members of a `.keras` archive as files of a folder."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lamina.keras.saving.files import open_existing, parsed_json, replacing

__all__ = ["Folder", "Writer"]


class Writer:
    """Writes members as files, with what `zipfile.ZipFile` calls its methods.

    Args:
        folder: The folder; it is made. Other files in it stay.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def writestr(self, name: str, text: str, compress_type: int | None = None) -> None:
        """Write a member that holds text."""
        with replacing(self._folder / name) as file:
            file.write(text.encode())

    def open(self, name: str, mode: str, force_zip64: bool = False) -> Any:
        """Open a member for writing, as a context."""
        return replacing(self._folder / name)

    def write(self, file: Path, name: str) -> None:
        """Copy a file to a member."""
        with replacing(self._folder / name) as copy, file.open("rb") as original:
            shutil.copyfileobj(original, copy)


class Folder:
    """The files of a saved model, read as `zipped.Archive` reads members.

    Args:
        path: The folder.
        who: The function and folder, for messages.
    """

    def __init__(self, path: Path, who: str) -> None:
        self.who = who
        self._path = path

    def __contains__(self, name: str) -> bool:
        return (self._path / name).is_file()

    def names(self) -> list[str]:
        """Return the names of the files, with the folders that they are in."""
        found = (p for p in self._path.rglob("*") if p.is_file())
        return sorted(p.relative_to(self._path).as_posix() for p in found)

    def json(self, name: str) -> Any:
        """Return a file that holds JSON, as plain values.

        Raises:
            ValueError: there is no such file, or it is no JSON.
        """
        with open_existing(self._path / name, self.who, "a model's file") as file:
            text = file.read()
        return parsed_json(text, name, self.who)

    @contextmanager
    def spooled(self, name: str) -> Iterator[tuple[Any, int]]:
        """Open a file; yields (file, its size)."""
        path = self._path / name
        with open_existing(path, self.who, "a model's file") as file:
            yield file, path.stat().st_size

    def extract(self, prefix: str, folder: Path) -> None:
        """Copy the files under a prefix into another folder, without the prefix."""
        for name in self.names():
            if name.startswith(prefix):
                target = folder.joinpath(*name.removeprefix(prefix).split("/"))
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self._path / name, target)
