"""Which constructor argument a value came in as: for error messages, which may take their time."""

import sys
from typing import Any

__all__ = ["asker"]


def asker(value: Any, otherwise: str, like: str = "") -> str:
    """Return how a message names a value that a constructor was given: "Dense: `activation`".

    The outermost constructor under way that was given the value is the one that the user called.

    Args:
        value: The very object that was given.
        otherwise: What to return if no constructor that is running was given it.
        like: What the argument's name has in it; small numbers are one object for all arguments.
    """
    found = otherwise
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "__init__":
            made = frame.f_locals.get("self")
            captured = getattr(made, "__dict__", {}).get("_captured")
            name = None if captured is None else _argument(type(made), captured, value, like)
            if name is not None:
                found = f"{type(made).__name__}: `{name}`"
        frame = frame.f_back
    return found


def _argument(cls: type, captured: Any, value: Any, like: str) -> str | None:
    args, kwargs = captured
    code = getattr(cls.__init__, "__code__", None)  # type: ignore[misc]
    names = code.co_varnames[1 : code.co_argcount] if code is not None else ()
    given = [*zip(names, args, strict=False), *kwargs.items()]
    return next((name for name, v in given if v is value and like in name), None)
