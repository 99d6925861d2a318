"""Tracebacks as a program's author reads them: their own lines."""

import os
import sys
import sysconfig
import threading
import traceback
from typing import Any

import lamina
from lamina.keras.switches import is_traceback_filtering_enabled

__all__ = ["is_ours", "print_error", "show_in_threads"]

_OWN = os.path.dirname(os.path.abspath(lamina.__file__ or "")) + os.sep
_PACKAGES = tuple(
    os.path.join(folder, package) + os.sep
    for folder in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    for package in ("jax", "jaxlib", "malt", "lamina")
)
_HINT = "(lamina's own lines are left out; --full-traceback shows them.)"


def is_ours(filename: str) -> bool:
    """Return whether a file is lamina's, or of what it stands on.

    Args:
        filename: The file of a frame.
    """
    return filename.startswith((_OWN, *_PACKAGES, "<frozen importlib", "<frozen runpy"))


def print_error(error: BaseException, full: bool = False) -> None:
    """Print an uncaught error on stderr.

    Args:
        error: The error.
        full: Whether lamina's own frames are shown; they are after
            `tf.debugging.disable_traceback_filtering()` too.
    """
    described = traceback.TracebackException.from_exception(error, compact=True)
    left_out = _filter(described) if is_traceback_filtering_enabled() and not full else 0
    sys.stderr.write("".join(described.format()))
    if left_out:
        sys.stderr.write(f"{_HINT}\n")


def _filter(described: Any) -> int:
    """Take lamina's frames off an error and those it came from; return how many were taken."""
    count, waiting, seen = 0, [described], set()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        kept = [frame for frame in one.stack if not is_ours(frame.filename)]
        runner = sum(_is_runner(frame.filename) for frame in one.stack)
        if kept or one is not described or runner == len(one.stack):
            count += len(one.stack) - len(kept) - runner
            one.stack = traceback.StackSummary.from_list(kept)
        waiting += [one.__cause__, one.__context__, *(getattr(one, "exceptions", None) or ())]
    return count


def _is_runner(filename: str) -> bool:
    return filename.startswith((_OWN + "cli" + os.sep, _OWN + "__main__", "<frozen"))


def show_in_threads(full: bool) -> None:
    """Print the uncaught errors of threads in the same way.

    Args:
        full: Whether lamina's own frames are shown.
    """

    def show(given: Any) -> None:
        if given.exc_value is not None and given.exc_type is not SystemExit:
            print_error(given.exc_value, full)

    threading.excepthook = show
