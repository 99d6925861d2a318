"""Unknown sizes that a function fixes itself, by adding rows of 30 elements to its argument.

TensorFlow finds such sizes out when the program runs. A saved program has them written down, so
they are read from what JAX says when it cannot join an unknown size with a known one.
"""

import itertools
import re
from collections.abc import Callable, Sequence
from typing import Any

from lamina.engine import TensorSpec, errors, nest

__all__ = ["with_found_sizes"]

_PAIR = re.compile(r"\(([^()]*)\),? (?:and )?\(([^()]*)\)")
_SHAPE = re.compile(r"\(([^()]*)\)")
_UNKNOWN = re.compile(r"(b|d\d+)(?: ([+-]) (\d+))?")
_TRIES = 6


def with_found_sizes(trace: Callable[..., Any], specs: Sequence[Any]) -> Any:
    """Return what `trace(*specs)` returns, with unknown sizes filled in where it must know them.

    Args:
        trace: A function of structures of TensorSpecs.
        specs: The structures.

    Raises:
        ValueError, InvalidArgumentError: what `trace` raised, where no size helps.
    """
    for _ in range(_TRIES):
        try:
            return trace(*specs)
        except (ValueError, TypeError, errors.OpError) as error:
            sizes = _sizes_in(str(error))
            filled = [nest.map_structure(lambda s: _filled(s, sizes), s) for s in specs]  # noqa: B023
            if not sizes or filled == list(specs):
                raise
            specs = filled
    return trace(*specs)


def _sizes_in(message: str) -> dict[int, int]:
    """Return the sizes by axis that make two shapes of a message fit each other."""
    any_two = itertools.combinations(_SHAPE.findall(message), 2)
    alike = [(a, b) for a, b in any_two if a.count(",") == b.count(",")]
    for pairs in (alike, _PAIR.findall(message)):
        found: dict[int, int] = {}
        for pair in pairs:
            left, right = ([d.strip() for d in shape.split(",") if d.strip()] for shape in pair)
            for a, b in zip(reversed(left), reversed(right), strict=False):
                found.update(_size_of(*((a, b) if b.isdigit() else (b, a))))
        if found:
            return found
    return {}


def _size_of(unknown: str, known: str) -> dict[int, int]:
    """Return the size by axis of what must be a known size, {} if these are no such two."""
    match = _UNKNOWN.fullmatch(unknown)
    if match is None or not known.isdigit() or int(known) == 1:
        return {}
    symbol, sign, offset = match.groups()
    size = int(known) - int(offset or 0) * (-1 if sign == "-" else 1)
    return {0 if symbol == "b" else int(symbol[1:]): size} if size > 0 else {}


def _filled(spec: Any, sizes: dict[int, int]) -> Any:
    if not isinstance(spec, TensorSpec) or spec.shape.rank is None:
        return spec
    shape = [sizes.get(i) if d is None else d for i, d in enumerate(spec.shape)]
    return TensorSpec(shape, spec.dtype, spec.name)
