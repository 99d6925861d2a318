"""Functions of `tf` for composite values: ragged and sparse Tensors.

An operation (`@op`) asks its operand for a rule when it finds one that is composite. A plain
function prepares its arguments before it comes to an operation, so it gets a handler
(engine/dispatching.py) when ragged or sparse Tensors are imported. Programs without such values
never import this, and pay nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any

from lamina.engine import dispatching

__all__ = ["extend"]


def extend(kinds: tuple[type, ...], source: Any, table: Mapping[str, Callable[..., Any]]) -> None:
    """Extend plain functions to values of some classes.

    Args:
        kinds: The classes that are looked for among the arguments, also in lists and dicts.
        source: What has the functions as attributes: `lamina.ops`.
        table: For each name the function to call with the same arguments.
    """
    for name, function in table.items():
        dispatching.add_handler(getattr(source, name), _handler(kinds, function))


def _handler(kinds: tuple[type, ...], function: Callable[..., Any]) -> dispatching.Handler:
    def handler(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if _holds(args, kinds) or (kwargs and _holds(kwargs.values(), kinds)):
            return function(*args, **kwargs)
        return NotImplemented

    return handler


def _holds(values: Any, kinds: tuple[type, ...]) -> bool:
    """Return whether a value of some classes is among values, or in lists and dicts of them."""
    for value in values:
        if isinstance(value, kinds):
            return True
        if isinstance(value, list | tuple) and _holds(value, kinds):
            return True
        if isinstance(value, dict) and _holds(value.values(), kinds):
            return True
    return False
