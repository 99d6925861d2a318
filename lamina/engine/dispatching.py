"""What functions do with values of classes that they were not written for.

A handler is put beside a function with `add_handler`. Only then does the function look at the
classes of its arguments: an `Op` changes its class in place, a plain function its code, so that
whoever holds it already has the new one. Functions without handlers cost what they did.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from typing import Any

from lamina.engine.dispatch import Op
from lamina.engine.hosted import HostOp
from lamina.engine.identity import identity

__all__ = [
    "Handler",
    "add_handler",
    "handled",
    "handles",
    "remove_handler",
    "undispatched",
]

Handler = Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]
"""(the function, args, kwargs) -> the result, or NotImplemented to pass the call on."""

_handlers: dict[int, list[Handler]] = {}  # by the identity of the function
_changed: dict[int, Any] = {}  # the functions, kept alive so that identities stay
_plain: dict[int, Any] = {}  # what plain functions did before


def undispatched(function: Any) -> Callable[..., Any]:
    """Return a function that does what the given one does without its handlers."""
    if isinstance(function, HostOp):
        return functools.partial(HostOp.__call__, function)
    if isinstance(function, Op):
        return functools.partial(Op.__call__, function)
    return _plain.get(identity(function), function)


def handles(function: Any) -> bool:
    """Return whether a function has handlers."""
    return bool(_handlers.get(identity(function)))


def handled(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return what the newest handler that takes the arguments gives, else NotImplemented.

    Args:
        function: A function of the public surface, or an Op.
        args: The arguments of the call.
        kwargs: Those given by name.
    """
    for handler in reversed(_handlers.get(identity(function), ())):
        found = handler(function, args, kwargs)
        if found is not NotImplemented:
            return found
    return NotImplemented


def add_handler(function: Any, handler: Handler) -> None:
    """Ask a handler before each call of a function, the newest one first.

    Args:
        function: A function of the public surface, or an Op.
        handler: See `Handler`. It must be quick to return NotImplemented for plain Tensors.

    State:
        The class of the Op, or the code of the function.
    """
    _handlers.setdefault(identity(function), []).append(handler)
    if identity(function) in _changed:
        return
    _changed[identity(function)] = function
    if isinstance(function, Op):
        changed: Any = function
        changed.__class__ = _DispatchingHostOp if isinstance(function, HostOp) else _DispatchingOp
    elif isinstance(function, types.FunctionType):
        _plain[identity(function)] = _redirect(function)
    else:
        raise TypeError(
            f"dispatch: `api` must be a function of this package; got {function!r}.\n"
            f"  Fix: pass one such as tf.concat."
        )


def remove_handler(handler: Handler) -> bool:
    """Take a handler away from all functions, and return whether there was one."""
    found = False
    for handlers in _handlers.values():
        while handler in handlers:
            handlers.remove(handler)
            found = True
    return found


class _DispatchingOp(Op[...]):
    """An Op that asks its handlers first."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what a handler gives, or record the operation."""
        found = handled(self, args, kwargs)
        return Op.__call__(self, *args, **kwargs) if found is NotImplemented else found


class _DispatchingHostOp(HostOp):
    """A HostOp that asks its handlers first."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what a handler gives, or run the operation."""
        found = handled(self, args, kwargs)
        return HostOp.__call__(self, *args, **kwargs) if found is NotImplemented else found


def _forward(*args: Any, **kwargs: Any) -> Any:
    """Be the code of a redirected function; the constant stands for what asks its handlers."""
    ask: Any = "ask"
    return ask(*args, **kwargs)


def _redirect(function: types.FunctionType) -> Callable[..., Any]:
    """Have a function ask its handlers first, and return one that does what it did.

    Another function under the same names would miss those who hold this one: a program that
    imported it, or a call whose arguments make the first ragged Tensor.
    """
    code, closure = function.__code__, function.__closure__
    plain = types.FunctionType(
        code, function.__globals__, function.__name__, function.__defaults__, closure
    )
    plain.__kwdefaults__ = function.__kwdefaults__
    functools.update_wrapper(plain, function, updated=())

    def ask(*args: Any, **kwargs: Any) -> Any:
        found = handled(function, args, kwargs)
        return plain(*args, **kwargs) if found is NotImplemented else found

    function.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    constants = tuple(ask if c == "ask" else c for c in _forward.__code__.co_consts)
    function.__code__ = _forward.__code__.replace(
        co_consts=constants, co_freevars=code.co_freevars, co_name=code.co_name
    )
    function.__defaults__ = function.__kwdefaults__ = None
    return plain
