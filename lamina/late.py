"""Modules that are imported when something of them is first used."""

from importlib import import_module
from typing import Any

__all__ = ["late_module"]


class _LateModule:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self._name), name)


def late_module(name: str) -> Any:
    """Return what stands for a module until something of it is used: then that is imported.

    For libraries that cost import time and that many programs never need. Type checkers see the
    module itself where the import stands under `if TYPE_CHECKING`.
    """
    return _LateModule(name)
