"""tf.compat.v1.logging: Python's own logging, under TensorFlow's names."""

import logging as _logging
from typing import Any

__all__ = [
    "DEBUG",
    "ERROR",
    "FATAL",
    "INFO",
    "WARN",
    "debug",
    "error",
    "fatal",
    "get_verbosity",
    "info",
    "set_verbosity",
    "warn",
    "warning",
]

DEBUG = _logging.DEBUG
INFO = _logging.INFO
WARN = _logging.WARNING
ERROR = _logging.ERROR
FATAL = _logging.CRITICAL

_log = _logging.getLogger("lamina")
debug, info, warning, error, fatal = _log.debug, _log.info, _log.warning, _log.error, _log.critical
warn = warning


def set_verbosity(v: Any) -> None:
    """Set the level of lamina's logger.

    Args:
        v: A level of `logging`, as a number or by name.

    Example:
        >>> tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
        >>> tf.compat.v1.logging.get_verbosity()
        40
    """
    _log.setLevel(v)


def get_verbosity() -> int:
    """Return the level of lamina's logger."""
    return _log.getEffectiveLevel()
