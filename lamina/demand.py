"""Names that are imported when a program first asks for them, and names that do not exist.

Most programs use a small part of `tf.*`. A namespace or a class that costs import time and that few
programs need is listed in its package's table, and comes on the first use (PEP 562).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["on_demand"]


def on_demand(
    package: str, modules: Iterable[str] = (), names: Mapping[str, str] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and `__dir__` of a package that imports some names when asked.

    Args:
        package: The package's full name, as in its `__name__`.
        modules: Submodules of the package to import on first use.
        names: The module that each other late name comes from, by name.

    Returns:
        Two functions to bind to `__getattr__` and `__dir__` in the package.
    """
    late = {name: "" for name in modules} | dict(names or {})
    namespace = vars(sys.modules[package])

    def __getattr__(name: str) -> Any:
        if name not in late:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        source = late[name]
        if source:
            value = getattr(import_module(source), name)
        else:
            value = import_module(f"{package}.{name}")
        namespace[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*namespace, *late})

    return __getattr__, __dir__
