"""What functions do with values of classes that they were not written for.

A handler is put beside a function with `add_handler`. Only then does the function look at the
classes of its arguments: an `Op` changes its class in place, a plain function is replaced by a
wrapper in the modules of this package. Functions without handlers cost what they did.
"""

from __future__ import annotations

import functools
import sys
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
    "original",
    "remove_handler",
    "undispatched",
]

Handler = Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]
"""(the function, args, kwargs) -> the result, or NotImplemented to pass the call on."""

_handlers: dict[int, list[Handler]] = {}  # by the identity of the function as first defined
_originals: dict[int, Any] = {}  # kept alive, so that identities stay
_wrappers: dict[int, Any] = {}  # by the identity of the function as first defined
_PACKAGE = __name__.partition(".")[0]


def original(function: Any) -> Any:
    """Return the function that a wrapper stands for, or the function itself."""
    return getattr(function, "_lm_original", function)


def undispatched(function: Any) -> Callable[..., Any]:
    """Return a function that does what the given one does without its handlers."""
    plain = original(function)
    if isinstance(plain, HostOp):
        return functools.partial(HostOp.__call__, plain)
    return functools.partial(Op.__call__, plain) if isinstance(plain, Op) else plain


def handles(function: Any) -> bool:
    """Return whether a function has handlers."""
    return bool(_handlers.get(identity(original(function))))


def handled(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return what the newest handler that takes the arguments gives, else NotImplemented.

    Args:
        function: A function of the public surface, or an Op.
        args: The arguments of the call.
        kwargs: Those given by name.
    """
    key = identity(original(function))
    handlers = _handlers.get(key)
    if not handlers:
        return NotImplemented
    public = _wrappers.get(key, _originals[key])
    for handler in reversed(handlers):
        found = handler(public, args, kwargs)
        if found is not NotImplemented:
            return found
    return NotImplemented


def add_handler(function: Any, handler: Handler) -> None:
    """Ask a handler before each call of a function, the newest one first.

    Args:
        function: A function of the public surface, or an Op.
        handler: See `Handler`. It must be quick to return NotImplemented for plain Tensors.

    State:
        The Op, or the modules that hold the function: names in them stand for a wrapper.
    """
    plain = original(function)
    _handlers.setdefault(identity(plain), []).append(handler)
    if identity(plain) in _originals:
        return
    _originals[identity(plain)] = plain
    if isinstance(plain, Op):
        changed: Any = plain
        changed.__class__ = _DispatchingHostOp if isinstance(plain, HostOp) else _DispatchingOp
    elif isinstance(plain, types.FunctionType):
        _wrappers[identity(plain)] = _wrapper(plain)
        _replace_everywhere(plain, _wrappers[identity(plain)])
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


def _wrapper(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        found = handled(function, args, kwargs)
        return function(*args, **kwargs) if found is NotImplemented else found

    call._lm_original = function  # type: ignore[attr-defined]
    return call


def _replace_everywhere(function: Any, by: Any) -> None:
    """Let every name in this package's modules that stands for `function` stand for `by`."""
    for name, module in list(sys.modules.items()):
        space: dict[str, Any] = getattr(module, "__dict__", {})  # a program may set None
        if name.partition(".")[0] != _PACKAGE:
            continue
        for key in [k for k, v in space.items() if v is function]:
            space[key] = by
