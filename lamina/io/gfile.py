"""tf.io.gfile: files and directories of this machine."""

import builtins
import glob as _glob
import os
import shutil
from collections.abc import Iterator
from typing import Any, NamedTuple

from lamina.engine import errors
from lamina.ops.paths import as_op_error, open_file, path_of

__all__ = [
    "GFile",
    "copy",
    "exists",
    "get_registered_schemes",
    "glob",
    "isdir",
    "join",
    "listdir",
    "makedirs",
    "mkdir",
    "remove",
    "rename",
    "rmtree",
    "stat",
    "walk",
]

_MODES = ("r", "w", "a", "r+", "w+", "a+")


class GFile:
    r"""A file, opened at the first reading or writing, with a place of its own for each.

    Args:
        name: The path.
        mode: "r", "w", "a", with "+" and "b"; without "b" it reads and writes str. The first
            writing drops what the file held, but in mode "a" and "a+"; without one it stays.
        encoding: The encoding of text.

    Raises:
        InvalidArgumentError: another mode.
        NotFoundError: at the first reading: there is no such file.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "a.txt")
        >>> with tf.io.gfile.GFile(path, "w") as file:
        ...     file.write("one\ntwo\n")
        >>> tf.io.gfile.GFile(path).readlines()
        ['one\n', 'two\n']
    """

    def __init__(self, name: Any, mode: str = "r", encoding: str = "utf-8") -> None:
        self._name, self._given, self._encoding = name, mode, encoding
        self._reader: Any = None
        self._writer: Any = None
        if mode.replace("b", "", 1) not in _MODES:
            raise errors.InvalidArgumentError(
                f"tf.io.gfile.GFile: mode is not 'r' or 'w' or 'a' or 'r+' or 'w+' or 'a+', with "
                f"'b' or without; got {mode!r}."
            )

    @property
    def name(self) -> Any:
        """The path, as it was given."""
        return self._name

    @property
    def mode(self) -> str:
        """The mode, as it was given."""
        return self._given

    def _open(self, to: str) -> Any:
        allowed = "r+" if to == "read" else "wa+"
        if not set(self._given) & set(allowed):
            raise errors.PermissionDeniedError(
                None, None, f"File isn't open for {to}ing: {self._name}, mode {self._given!r}"
            )
        if to == "read":
            self._reader = self._reader or open_file(self._name, "rb")
            return self._reader
        self._writer = self._writer or open_file(self._name, "ab" if "a" in self._given else "wb")
        return self._writer

    def _told(self, data: builtins.bytes) -> Any:
        return data if "b" in self._given else data.decode(self._encoding)

    def read(self, n: int = -1) -> Any:
        """Return the next `n` bytes, or all that is left: str, or bytes in a "b" mode."""
        return self._told(self._open("read").read(n))

    def readline(self) -> Any:
        """Return the next line with its end; empty at the end of the file."""
        return self._told(self._open("read").readline())

    def readlines(self) -> list[Any]:
        """Return all lines that are left."""
        return list(self)

    def write(self, file_content: Any) -> None:
        """Write str or bytes."""
        text = file_content
        data = text.encode(self._encoding) if isinstance(text, str) else bytes(text)
        self._open("writ").write(data)

    def seek(self, offset: int, whence: int = 0) -> None:
        """Go to a place for reading: from the start (0), from here (1) or from the end (2)."""
        file = self._open("read")
        if whence not in (0, 1, 2):
            raise errors.InvalidArgumentError(
                f"tf.io.gfile.GFile.seek: Invalid whence argument: {whence}. Valid values are 0, "
                f"1, or 2."
            )
        file.seek(offset, whence)

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the place in the file: that of reading, where the mode has it."""
        return self._open("read" if set(self._given) & set("r+") else "writ").tell()

    def size(self) -> int:
        """Return the file's length in bytes."""
        self.flush()
        return stat(self._name).length

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        for file in (self._reader, self._writer):
            if file is not None:
                file.close()
        self._reader = self._writer = None

    def __enter__(self) -> "GFile":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Any]:
        while line := self.readline():
            yield line

    def __next__(self) -> Any:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def __del__(self) -> None:
        if "_writer" in self.__dict__:
            self.close()


def exists(path: Any) -> bool:
    """Return whether there is a file or directory.

    Args:
        path: The path.

    Example:
        >>> tf.io.gfile.exists("/no/such/file")
        False
    """
    return os.path.exists(path_of(path))


def isdir(path: Any) -> bool:
    """Return whether a path is a directory.

    Args:
        path: The path.
    """
    return os.path.isdir(path_of(path))


def listdir(path: Any) -> list[str]:
    """Return the names in a directory.

    Args:
        path: The directory.

    Raises:
        NotFoundError: there is no such directory.
    """
    name = path_of(path)
    if not os.path.isdir(name):
        raise errors.NotFoundError(None, None, f"Could not find directory {name}")
    return sorted(os.listdir(name))


def glob(pattern: Any) -> list[str]:
    """Return the paths that match a pattern, or any of a list of patterns.

    Args:
        pattern: A pattern with `*`, `?` and `[...]`, or a list of them.

    Example:
        >>> tf.io.gfile.glob("/no/such/*")
        []
    """
    patterns = pattern if isinstance(pattern, list | tuple) else [pattern]
    return [f for p in patterns for f in sorted(_glob.glob(path_of(p), include_hidden=True))]


def mkdir(path: Any) -> None:
    """Make a directory; its parent must be there.

    Args:
        path: The directory; one that is there already is left.

    Raises:
        NotFoundError: there is no parent directory.
    """
    name = path_of(path)
    if os.path.isdir(name):
        return
    try:
        os.mkdir(name)
    except OSError as error:
        raise as_op_error(error, name) from None


def makedirs(path: Any) -> None:
    """Make a directory and its parents, where they are missing.

    Args:
        path: The directory.

    Raises:
        AlreadyExistsError: there is a file of that name.
    """
    name = path_of(path)
    try:
        os.makedirs(name, exist_ok=True)
    except OSError as error:
        raise as_op_error(error, name) from None


def remove(path: Any) -> None:
    """Delete a file.

    Args:
        path: The file.

    Raises:
        NotFoundError: there is no such file.
    """
    name = path_of(path)
    try:
        os.remove(name)
    except OSError as error:
        raise as_op_error(error, name) from None


def rmtree(path: Any) -> None:
    """Delete a directory and all that is in it.

    Args:
        path: The directory.

    Raises:
        NotFoundError: there is no such directory.
    """
    name = path_of(path)
    if not os.path.exists(name):
        raise errors.NotFoundError(None, None, f"{name} not found")
    try:
        if os.path.isdir(name):
            shutil.rmtree(name)
        else:
            os.remove(name)
    except OSError as error:
        raise as_op_error(error, name) from None


def _free(target: str, overwrite: bool) -> None:
    if not overwrite and os.path.exists(target):
        raise errors.AlreadyExistsError(
            None, None, f"{target}: file already exists.\n  Fix: pass overwrite=True."
        )


def copy(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Copy a file.

    Args:
        src: The file.
        dst: Where the copy goes.
        overwrite: Whether a file there is replaced.

    Raises:
        AlreadyExistsError: `dst` exists, and is not to be replaced.
        NotFoundError: there is no file `src`, or no directory for `dst`.
    """
    source, target = path_of(src), path_of(dst)
    _free(target, overwrite)
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise as_op_error(error, source) from None


def rename(src: Any, dst: Any, overwrite: bool = False) -> None:
    """Move a file or directory.

    Args:
        src: The file or directory.
        dst: Its new path.
        overwrite: Whether a file there is replaced.

    Raises:
        AlreadyExistsError: `dst` exists, and is not to be replaced.
        NotFoundError: there is no file `src`.
    """
    source, target = path_of(src), path_of(dst)
    _free(target, overwrite)
    try:
        os.replace(source, target)
    except OSError as error:
        raise as_op_error(error, source) from None


class FileStatistics(NamedTuple):
    """What `tf.io.gfile.stat` returns.

    Attributes:
        length: Bytes.
        mtime_nsec: When the file changed last, in nanoseconds since 1970.
        is_directory: Whether it is a directory.
    """

    length: int
    mtime_nsec: int
    is_directory: bool


def stat(path: Any) -> FileStatistics:
    """Return the length and time of a file.

    Args:
        path: The file.

    Raises:
        NotFoundError: there is no such file.
    """
    name = path_of(path)
    try:
        found = os.stat(name)
    except OSError as error:
        raise as_op_error(error, name) from None
    return FileStatistics(found.st_size, found.st_mtime_ns, os.path.isdir(name))


def walk(
    top: Any, topdown: bool = True, onerror: Any = None
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield (directory, names of directories in it, names of files in it), recursively.

    Args:
        top: The directory to start with.
        topdown: Whether a directory comes before those in it.
        onerror: Called with an error, in place of leaving it out.
    """

    def told(error: OSError) -> None:
        if onerror is not None:
            onerror(as_op_error(error, str(error.filename)))

    for path, directories, names in os.walk(path_of(top), topdown, told):
        yield path, directories, sorted(names)


def join(path: Any, *paths: Any) -> Any:
    """Return paths joined; an absolute one starts anew.

    Args:
        path: The first part.
        *paths: Further parts.

    Example:
        >>> tf.io.gfile.join("/a", "b", "c.txt")
        '/a/b/c.txt'
    """
    return os.path.join(os.fspath(path), *map(os.fspath, paths))


def get_registered_schemes() -> list[str]:
    """Return the kinds of file systems there are: this machine's files, "" and "file"."""
    return ["file", ""]
