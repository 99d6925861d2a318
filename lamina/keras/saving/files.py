"""Files: replaced as a whole, and opened for what they hold, whatever they are called."""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

__all__ = [
    "HDF5",
    "ZIP",
    "MissingFileError",
    "as_path",
    "describe",
    "open_existing",
    "parsed_json",
    "replacing",
]

HDF5 = b"\x89HDF\r\n\x1a\n"
ZIP = b"PK\x03\x04"

_KINDS = (
    (HDF5, "an HDF5 file"),
    (b"PK", "a zip archive"),
    (b"version https://git-lfs", "a Git LFS pointer, whose data was not downloaded"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\x80\x02", "a Python pickle"),
    (b"\x80\x03", "a Python pickle"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
    (b"<", "HTML or XML"),
    (b"{", "JSON"),
    (b"\x93NUMPY", "a NumPy array"),
)


class MissingFileError(FileNotFoundError, ValueError):
    """There is no file at a path. Keras raises ValueError here, Python FileNotFoundError."""


def as_path(filepath: Any, who: str) -> Path:
    """Return a path from a string or path object.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(filepath, str | os.PathLike):
        raise TypeError(
            f"{who}: `filepath` must be a path; got {filepath!r} ({type(filepath).__name__})."
        )
    return Path(os.fspath(filepath)).expanduser()


def describe(head: bytes) -> str:
    """Return what kind of file starts with these bytes, and the bytes."""
    if not head:
        return "an empty file"
    kind = next((k for start, k in _KINDS if head.lstrip().startswith(start)), "an unknown format")
    return f"{kind}, which starts with {head[:16]!r}"


@contextmanager
def open_existing(path: Path, who: str, expected: str) -> Iterator[BinaryIO]:
    """Open a file for reading.

    Args:
        path: The path.
        who: The function, for messages.
        expected: What kind of file is expected, for messages.

    Raises:
        MissingFileError: there is no such file.
        ValueError: it is a directory.
    """
    if path.is_dir():
        raise ValueError(f"{who}: {expected} was expected; got {str(path)!r}, a directory.")
    if not path.exists():
        checkpoint = path.with_name(f"{path.name}.index").exists()
        found = "a TensorFlow checkpoint of that name" if checkpoint else "no such file"
        fix = "use model.load_weights" if checkpoint else "check the path"
        raise MissingFileError(
            f"{who}: {expected} was expected at {str(path)!r}; got {found}.\n"
            f"  Fix: {fix} (the working directory is {os.getcwd()!r})."
        )
    with path.open("rb") as file:
        yield file


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Write a file beside `path`, and put it in its place when all is written.

    A process that is killed, or an exception, leaves what was at `path` before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with new.open("x+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except BaseException:
        with suppress(FileNotFoundError):
            new.unlink()
        raise


def parsed_json(text: bytes, name: str, who: str) -> Any:
    """Return what a model's file in JSON says, as plain values.

    Args:
        text: Its bytes.
        name: The file's name.
        who: The function and path, for messages.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{who}: JSON was expected in {name!r}; got {text[:32]!r}.\n  Reason: {error}"
        ) from None
