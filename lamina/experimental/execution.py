"""Switches of TF's runtime that have nothing to switch here: recording is always asynchronous."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from lamina.engine import flush

__all__ = ["async_clear_error", "async_scope", "enable_strict_mode", "function_executor_type"]


@contextlib.contextmanager
def async_scope() -> Iterator[None]:
    """Let operations in the block run when their values are asked for, and wait at its end.

    Operations are always recorded and run together later; errors come at the latest at the end.

    Example:
        >>> with tf.experimental.async_scope():
        ...     x = tf.constant(1.0) + 1.0
        >>> float(x)
        2.0
    """
    yield
    flush()


def async_clear_error() -> None:
    """Forget errors that nobody has seen; there are none, since an error is raised once."""


@contextlib.contextmanager
def function_executor_type(executor_type: Any) -> Iterator[None]:
    """Choose the executor of functions called in the block.

    Args:
        executor_type: Accepted, unused: XLA runs every program.
    """
    yield


def enable_strict_mode() -> None:
    """Refuse behaviour that TF deprecates; nothing of it is here."""
