# pyright: reportPrivateUsage=false
"""`tf.variable_creator_scope`: functions that see, and may change, how variables are made."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from lamina.engine.variable import Variable, creators

__all__ = ["variable_creator_scope"]

_PARAMETERS = list(inspect.signature(Variable.__init__).parameters)[1:]
_DEFAULTS = {
    name: parameter.default
    for name, parameter in inspect.signature(Variable.__init__).parameters.items()
    if name != "self"
}


@contextmanager
def variable_creator_scope(variable_creator: Callable[..., Any]) -> Generator[None]:
    """Let a function make the variables of `tf.Variable(...)` inside the block.

    Args:
        variable_creator: A function ``f(next_creator, **kwargs)`` of the constructor's arguments
            by name; it returns a variable, as a rule ``next_creator(**kwargs)``. The scope entered
            last is asked first.

    Example:
        >>> def named(next_creator, **kwargs):
        ...     return next_creator(**{**kwargs, "name": "made_here"})
        >>> with tf.variable_creator_scope(named):
        ...     v = tf.Variable(1.0)
        >>> v.name
        'made_here:0'
    """
    after: Callable[..., Any] = creators[-1] if creators else _make

    def create(*args: Any, **kwargs: Any) -> Any:
        given = {**_DEFAULTS, **dict(zip(_PARAMETERS, args, strict=False)), **kwargs}
        return variable_creator(after, **given)

    creators.append(create)
    try:
        yield
    finally:
        creators.remove(create)


def _make(*args: Any, **kwargs: Any) -> Variable:
    return type.__call__(Variable, *args, **kwargs)
