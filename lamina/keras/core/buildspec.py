"""Reads a `build`'s signature once: which shapes it takes, and by which names."""

import inspect
from typing import Any

from lamina.keras.core.checks import label

_names: dict[Any, tuple[str, ...]] = {}


def names_of(build: Any) -> tuple[str, ...]:
    """Return the parameters of a class's `build`, without self."""
    found = _names.get(build)
    if found is None:
        found = _names[build] = tuple(_parameters(build))[1:]
    return found


def _parameters(build: Any) -> Any:
    return inspect.signature(getattr(build, "python_function", build)).parameters


def shapes_by_name(build: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the shapes that a layer was built with by hand, as `build_from_config` takes them.

    Args:
        build: The layer's `build`.
        args: The shapes given by position, one at least.
        kwargs: Those given by name.
    """
    names = names_of(build)
    if len(args) + len(kwargs) == 1 or len(names) < len(args):
        return {"input_shape": args[0]}
    return {**dict(zip(names, args, strict=False)), **kwargs}


def check_names(layer: Any, build: Any, names: tuple[str, ...]) -> None:
    """Refuse a `build` of several shapes whose names say not which arguments they are of.

    Args:
        layer: The layer.
        build: Its class's `build`.
        names: The names of the parameters.

    Raises:
        ValueError: one without a default is no argument of `call` with "_shape" behind it.
    """
    parameters = _parameters(build)
    taken = inspect.signature(layer.call).parameters
    if any(p.kind is p.VAR_KEYWORD for p in taken.values()):
        return
    for name in names:
        own = parameters[name]
        if own.kind in (own.VAR_POSITIONAL, own.VAR_KEYWORD) or own.default is not own.empty:
            continue
        if name.endswith("_shape") and name.removesuffix("_shape") in taken:
            continue
        listed = ", ".join(f"{n}_shape" for n in taken)
        raise ValueError(
            f"{label(layer)}: each argument of a `build` with several must be one of `call` with "
            f'"_shape" behind it; got `{name}`, and `call` takes {", ".join(taken)}.\n'
            f"  Fix: def build(self, {listed}): ..."
        )
