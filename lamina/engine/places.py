"""Where in the user's own code something happens, for messages."""

from __future__ import annotations

import linecache
import sys
import traceback
from types import CodeType
from typing import Any, NamedTuple

__all__ = ["Place", "place_of_caller", "place_of_error"]

_PACKAGE = __name__.split(".", maxsplit=1)[0]
_OTHERS = frozenset({_PACKAGE, "jax", "jaxlib", "numpy"})


class Place(NamedTuple):
    """A line of a program.

    Attributes:
        file: The file, as Python compiled it.
        line: The number of the line, from 1.
        function: The function that the line stands in.
    """

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, in {self.function}"

    @property
    def short(self) -> str:
        """The place as "file.py:12, in f"."""
        return f"{self.file}:{self.line}, in {self.function}"

    @property
    def with_code(self) -> str:
        """The place with what is written there: "file.py, line 12, in f: y = x + 1"."""
        return f"{self}: {linecache.getline(self.file, self.line).strip()}".rstrip(": ")


def place_of_caller() -> Place | None:
    """Return the user's line that runs now; None if no frame is the user's."""
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        if _is_users(frame):
            return _place(frame.f_code, frame.f_lineno)
        frame = frame.f_back
    return None


def place_of_error(error: BaseException) -> Place | None:
    """Return the innermost line of the user that an exception went through; None without one."""
    found = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        if _is_users(frame):
            found = _place(frame.f_code, line)
    return found


def _is_users(frame: Any) -> bool:
    return frame.f_globals.get("__name__", "").split(".", 1)[0] not in _OTHERS


def _place(code: CodeType, line: int) -> Place:
    return Place(code.co_filename, line, code.co_name)
