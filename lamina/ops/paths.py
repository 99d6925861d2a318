"""Paths and files of this machine, with the errors of `tf.errors`."""

import os
from typing import IO, Any

import numpy as np

from lamina.engine import Tensor, errors

__all__ = ["as_op_error", "open_file", "path_of"]


def open_file(path: Any, mode: str = "rb") -> IO[Any]:
    """Open a file, with TF's errors.

    Args:
        path: str, bytes, `os.PathLike` or a string Tensor; `file://` in front is dropped.
        mode: As in `open`.

    Raises:
        NotFoundError: there is no such file, or no such directory.
        PermissionDeniedError: it may not be opened.
        FailedPreconditionError: it is a directory.
    """
    name = path_of(path)
    try:
        return open(name, mode)
    except OSError as error:
        raise as_op_error(error, name) from None


def as_op_error(error: OSError, path: str) -> errors.OpError:
    """Return an operating system's error as one of `tf.errors`."""
    kinds: dict[type[OSError], type[errors.OpError]] = {
        FileNotFoundError: errors.NotFoundError,
        NotADirectoryError: errors.FailedPreconditionError,
        IsADirectoryError: errors.FailedPreconditionError,
        PermissionError: errors.PermissionDeniedError,
        FileExistsError: errors.AlreadyExistsError,
    }
    kind = kinds.get(type(error), errors.UnknownError)
    return kind(None, None, f"{path}; {error.strerror or error}")


def path_of(path: Any) -> str:
    """Return a path as str.

    Raises:
        TypeError: it is neither str, bytes, `os.PathLike` nor a scalar string Tensor.
    """
    if isinstance(path, Tensor):
        path = path.numpy()
    if isinstance(path, np.ndarray) and path.ndim == 0:
        path = path[()]
    if not isinstance(path, str | bytes | os.PathLike):
        raise TypeError(
            f"tf.io: a path must be a string or os.PathLike; got {path!r} "
            f"({type(path).__name__}).\n  Fix: pass one path."
        )
    return os.fsdecode(path).removeprefix("file://")
