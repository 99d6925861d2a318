"""What Keras prints: on the terminal, or into a log where nobody looks at one."""

import logging
import sys

__all__ = [
    "disable_interactive_logging",
    "enable_interactive_logging",
    "is_interactive_logging_enabled",
    "show",
]

_log = logging.getLogger("lamina.keras")


class _Console:
    interactive = True


def enable_interactive_logging() -> None:
    """Print progress and results on stdout; this is how a process starts.

    Example:
        >>> tf.keras.config.enable_interactive_logging()
        >>> tf.keras.config.is_interactive_logging_enabled()
        True
    """
    _Console.interactive = True


def disable_interactive_logging() -> None:
    """Send progress and results to the logger "lamina.keras", level INFO, and show no bars.

    Example:
        >>> tf.keras.config.disable_interactive_logging()
        >>> tf.keras.config.is_interactive_logging_enabled()
        False
        >>> tf.keras.config.enable_interactive_logging()
    """
    _Console.interactive = False


def is_interactive_logging_enabled() -> bool:
    """Return whether progress and results go to stdout."""
    return _Console.interactive


def show(message: object, line_break: bool = True) -> None:
    """Print a message, or log it.

    Args:
        message: What to show.
        line_break: Whether a new line follows on the terminal.
    """
    if not _Console.interactive:
        _log.info("%s", message)
        return
    text = f"{message}\n" if line_break else str(message)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:  # a terminal without "━" gets "="
        text = text.replace("━", "=").encode(encoding, "replace").decode(encoding)
    sys.stdout.write(text)
    sys.stdout.flush()
