"""Why a name is not there, and what comes near it."""

import difflib
import functools
import sys
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from lamina.scope.successors import LEFT_OUT, NOT_CALLED, SUCCESSORS

__all__ = ["Absent", "MissingImport", "MissingName", "explain", "is_known", "public_name"]

_PACKAGE = __name__.split(".", maxsplit=1)[0]
# Two names for one namespace: TensorFlow 1's tables know the short one.
_SHORT = {
    f"tf.keras.{space}": f"tf.{space}"
    for space in ("losses", "metrics", "optimizers", "initializers")
}


def public_name(module: str) -> str:
    """Return a module of lamina in TensorFlow's spelling.

    Args:
        module: The module's full name.

    Example:
        >>> from lamina.scope import public_name
        >>> public_name("lamina.keras.layers")
        'tf.keras.layers'
    """
    head, _, rest = module.partition(".")
    return "tf" + (f".{rest}" if rest else "") if head == _PACKAGE else module


@dataclass(frozen=True)
class Absent:
    """What is known of a name that lamina does not have.

    Attributes:
        symbol: The name, as in "tf.nn.foo".
        status: "out of scope", "not there yet" or "unknown" (TensorFlow 2.21 has no such name).
        why: What it belongs to.
        instead: What to do, or "".
        nearest: Names that are there.
    """

    symbol: str
    status: str
    why: str
    instead: str = ""
    nearest: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{self.symbol}: {self.why}."]
        if self.nearest and not any(name in self.instead for name in self.nearest):
            lines.append(f"  Nearest: {', '.join(self.nearest)}")
        if self.instead:
            lines.append(f"  Fix: {self.instead}.")
        return "\n".join(lines)


class MissingName(AttributeError):  # noqa: N818  # it is a name that is missing
    """A name that lamina does not have; the text is made when somebody reads it."""

    def __init__(self, symbol: str) -> None:
        super().__init__(symbol, name=symbol.rpartition(".")[2])
        self.symbol = symbol

    def __str__(self) -> str:
        return str(explain(self.symbol))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.symbol,)


class MissingImport(ImportError):  # noqa: N818
    """The same, for `from lamina... import name`."""

    def __init__(self, symbol: str) -> None:
        super().__init__(str(explain(symbol)), name=symbol)


def explain(symbol: str) -> Absent:
    """Say of a name that lamina does not have whether it will come, and what to use.

    Args:
        symbol: The name, as in "tf.nn.foo".

    Example:
        >>> from lamina.scope import explain
        >>> print(explain("tf.placeholder"))
        tf.placeholder: out of scope (TensorFlow 1).
          Fix: use an argument of the function, or tf.keras.Input.
    """
    for name in _spellings(symbol):
        instead = SUCCESSORS.get(name.replace("tf.compat.v1.", "tf.", 1))
        if instead is not None:
            nearest = [instead] if instead.startswith("tf.") and " " not in instead else []
            why = "out of scope (TensorFlow 1)"
            return Absent(symbol, "out of scope", why, _sentence(instead), nearest)
        left_out = _left_out(name)
        if left_out is not None:
            reason, fix = left_out
            return Absent(symbol, "out of scope", f"out of scope ({reason})", fix, _same(symbol))
    if any(_in_version_1(name) for name in _spellings(symbol)):
        why = "out of scope (only TensorFlow 1 has it)"
        return Absent(symbol, "out of scope", why, "", _near(symbol))
    if is_known(symbol):
        why = "not there yet; TensorFlow 2.21 has it"
        return Absent(symbol, "not there yet", why, "", _near(symbol))
    why = "not there, and TensorFlow 2.21 has no such name either"
    return Absent(symbol, "unknown", why, "", _near(symbol))


def _spellings(symbol: str) -> list[str]:
    found = [symbol]
    for long, short in _SHORT.items():
        if symbol.startswith(f"{long}."):
            found.append(short + symbol[len(long) :])
    return found


def _sentence(instead: str) -> str:
    if instead.startswith("nothing: "):
        return f"leave it out: {instead.removeprefix('nothing: ')}"
    return f"use {instead}"


def _left_out(symbol: str) -> tuple[str, str] | None:
    parts = symbol.split(".")
    for count in range(len(parts), 1, -1):
        prefix = ".".join(parts[:count])
        if prefix in LEFT_OUT:
            return LEFT_OUT[prefix]
        if prefix in NOT_CALLED:
            return "TensorFlow 1", f"use {SUCCESSORS.get(prefix, 'tf.keras.layers')}"
    return None


# ---- what TensorFlow has ------------------------------------------------------------------------


@functools.cache
def _tables() -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """Return the names of TensorFlow 2.21 and those that only TensorFlow 1 had, by namespace."""
    current: dict[str, frozenset[str]] = {}
    version_1: dict[str, frozenset[str]] = {}
    text = resources.files("lamina.scope").joinpath("names.txt").read_text("utf-8")
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        table, words = current, line.split()
        if words[0] == "TF1":
            table, words = version_1, words[1:]
        table[words[0]] = frozenset(words[1:])
    return current, version_1


def is_known(symbol: str) -> bool:
    """Return whether TensorFlow 2.21 has a public name."""
    space, _, name = symbol.rpartition(".")
    return name in _tables()[0].get(space, ())


def _in_version_1(symbol: str) -> bool:
    space, _, name = symbol.rpartition(".")
    return name in _tables()[1].get(space, ())


# ---- what is there ------------------------------------------------------------------------------


def _near(symbol: str) -> list[str]:
    same = _same(symbol)
    if len(same) >= 3:
        return same[:3]
    space, _, name = symbol.rpartition(".")
    here = _public(space)
    folded = {candidate.lower(): candidate for candidate in here}
    close = difflib.get_close_matches(
        name.lower(), folded, n=3, cutoff=0.8 if is_known(symbol) else 0.6
    )
    return list(dict.fromkeys([*same, *(f"{space}.{folded[c]}" for c in close)]))[:3]


def _same(symbol: str) -> list[str]:
    """Return names of other namespaces that end the same."""
    space, _, name = symbol.rpartition(".")
    found = [
        f"{other}.{name}"
        for other in sorted(_tables()[0], key=lambda s: (s.count("."), s != "tf.nn", s))
        if other not in (space, "tf.experimental.numpy") and name in _public(other)
    ]
    seen: dict[int, str] = {}
    for full in found:
        module, _, _ = full.rpartition(".")
        value = getattr(_module(module), name)
        seen.setdefault(id(value), full)
    return list(seen.values())[:3]


def _module(space: str) -> Any:
    return sys.modules.get(_PACKAGE + space.removeprefix("tf"))


def _public(space: str) -> list[str]:
    """Return the public names of a namespace that is imported already."""
    module = _module(space)
    if module is None:
        return []
    names = getattr(module, "__all__", None) or vars(module)
    return [name for name in names if not name.startswith("_") and name in vars(module)]
