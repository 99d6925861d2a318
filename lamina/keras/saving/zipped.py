"""Zip archives, read without trusting them."""

import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lamina.keras.saving.files import parsed_json

__all__ = ["Archive"]

_EXPANSION = 1032  # Deflate makes at most so many bytes of one.
_SMALL = 1 << 16
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)


class Archive:
    """The members of a zip archive; each is checked before any is read.

    Args:
        file: The open file.
        who: The function and file, for messages.

    Raises:
        ValueError: it is no whole zip archive; a member's name leads out of it or is there twice;
            a member is a link, encrypted, or declares a size that its bytes do not bear out.
    """

    def __init__(self, file: Any, who: str) -> None:
        self.who = who
        file.seek(0, 2)
        self._size = file.tell()
        file.seek(0)
        try:
            self._zip = zipfile.ZipFile(file)
        except _BROKEN as error:
            raise self._damaged(error) from error
        self._members: dict[str, zipfile.ZipInfo] = {}
        for info in self._zip.infolist():
            self._check(info)
            self._members[info.filename] = info
        stored = sum(i.compress_size for i in self._members.values())
        if stored > self._size:
            raise ValueError(
                f"{who}: members within the {self._size:,} bytes of the archive were expected; "
                f"got members that declare {stored:,} bytes in it, so that they lie over each "
                f"other."
            )

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *error: object) -> None:
        self._zip.close()

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def names(self) -> list[str]:
        """Return the names of the members."""
        return list(self._members)

    def _damaged(self, error: BaseException) -> ValueError:
        return ValueError(
            f"{self.who}: a whole zip archive was expected; got a damaged one of "
            f"{self._size:,} bytes.\n  Reason: {error}\n  Fix: copy or download it again."
        )

    def _check(self, info: zipfile.ZipInfo) -> None:
        name = info.orig_filename
        parts = name.removesuffix("/").split("/")
        wrong = None
        if not name or "\\" in name or "\0" in name or ":" in parts[0]:
            wrong = "a name that is no plain path"
        elif any(p in ("", ".", "..") for p in parts):
            wrong = "a name that leads out of the archive"
        elif info.filename in self._members:
            wrong = "a second member of that name"
        elif stat.S_ISLNK(info.external_attr >> 16):
            wrong = "a link"
        elif info.flag_bits & 0x1:
            wrong = "an encrypted member"
        elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            wrong = f"compression method {info.compress_type}"
        elif info.file_size > _most(info):
            wrong = f"{info.file_size:,} bytes declared with {info.compress_size:,} bytes stored"
        if wrong:
            raise ValueError(
                f"{self.who}: plain members of a model's archive were expected; got {wrong} at "
                f"{name!r}.\n"
                f"  Fix: do not load this file unless you know where it comes from."
            )

    def _info(self, name: str) -> zipfile.ZipInfo:
        info = self._members.get(name)
        if info is None:
            raise ValueError(
                f"{self.who}: the archive of a model, with {name!r} in it, was expected; got an "
                f"archive of {self.names()[:8]}."
            )
        return info

    def json(self, name: str) -> Any:
        """Return a member that holds JSON, as plain values.

        Raises:
            ValueError: there is no such member, or it is no JSON.
        """
        try:
            text = self._zip.read(self._info(name))
        except _BROKEN as error:
            raise self._damaged(error) from error
        return parsed_json(text, name, self.who)

    @contextmanager
    def spooled(self, name: str) -> Iterator[tuple[Any, int]]:
        """Copy a member into a temporary file; yields (file, its size).

        Raises:
            ValueError: there is no such member, or it is damaged.
        """
        info = self._info(name)
        with tempfile.TemporaryFile() as file:
            try:
                with self._zip.open(info) as member:
                    shutil.copyfileobj(member, file, 1 << 20)
            except _BROKEN as error:
                raise self._damaged(error) from error
            file.seek(0)
            yield file, info.file_size

    def extract(self, prefix: str, folder: Path) -> None:
        """Copy the files under a prefix into a folder, without the prefix."""
        for name, info in self._members.items():
            if not name.startswith(prefix) or name.endswith("/"):
                continue
            target = folder.joinpath(*name.removeprefix(prefix).split("/"))
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with self._zip.open(info) as member, target.open("xb") as file:
                    shutil.copyfileobj(member, file, 1 << 20)
            except _BROKEN as error:
                raise self._damaged(error) from error


def _most(info: zipfile.ZipInfo) -> int:
    """Return the most bytes that a member's stored bytes can make."""
    if info.compress_type == zipfile.ZIP_STORED:
        return info.compress_size
    return info.compress_size * _EXPANSION + _SMALL
