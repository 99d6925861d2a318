"""tf.compat: text and bytes, and the few harmless names of tf.compat.v1 that programs call."""

import os
from typing import Any

from lamina.compat import v1
from lamina.compat.numbers import (
    bytes_or_text_types,
    complex_types,
    dimension_at_index,
    dimension_value,
    forward_compatibility_horizon,
    forward_compatible,
    integral_types,
    real_types,
)

__all__ = [
    "as_bytes",
    "as_str",
    "as_str_any",
    "as_text",
    "bytes_or_text_types",
    "complex_types",
    "dimension_at_index",
    "dimension_value",
    "forward_compatibility_horizon",
    "forward_compatible",
    "integral_types",
    "path_to_str",
    "real_types",
    "v1",
]


def as_text(bytes_or_text: Any, encoding: str = "utf-8") -> str:
    """Return text.

    Args:
        bytes_or_text: bytes, which are decoded, or str.
        encoding: The encoding of the bytes.

    Raises:
        TypeError: it is neither.

    Example:
        >>> tf.compat.as_text(b"ab")
        'ab'
    """
    if isinstance(bytes_or_text, str):
        return bytes_or_text
    if isinstance(bytes_or_text, bytes):
        return bytes_or_text.decode(encoding)
    raise TypeError(f"tf.compat.as_text: bytes or str were expected; got {bytes_or_text!r}.")


as_str = as_text


def as_bytes(bytes_or_text: Any, encoding: str = "utf-8") -> bytes:
    """Return bytes.

    Args:
        bytes_or_text: str, which is encoded, or bytes.
        encoding: The encoding of the bytes.

    Raises:
        TypeError: it is neither.

    Example:
        >>> tf.compat.as_bytes("ab")
        b'ab'
    """
    if isinstance(bytes_or_text, str):
        return bytes_or_text.encode(encoding)
    if isinstance(bytes_or_text, bytes | bytearray):
        return bytes(bytes_or_text)
    raise TypeError(f"tf.compat.as_bytes: bytes or str were expected; got {bytes_or_text!r}.")


def as_str_any(value: Any, encoding: str = "utf-8") -> str:
    """Return text for anything: bytes are decoded, others go through `str`.

    Args:
        value: Anything.
        encoding: The encoding of the bytes.

    Example:
        >>> tf.compat.as_str_any(3)
        '3'
    """
    return as_text(value, encoding) if isinstance(value, bytes) else str(value)


def path_to_str(path: Any) -> Any:
    """Return a path object as str; anything else as it is.

    Args:
        path: A path object, or anything.

    Example:
        >>> from pathlib import PurePosixPath
        >>> tf.compat.path_to_str(PurePosixPath("a") / "b")
        'a/b'
    """
    return as_str_any(os.fspath(path)) if hasattr(path, "__fspath__") else path
