"""The script that each Unicode character belongs to, with ICU's numbers."""

import functools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

__all__ = ["code_points", "scripts"]

_UNKNOWN = 103  # assigned to no script
_INVALID = -1  # not a code point


@functools.cache
def _rows() -> tuple[tuple[int, str, tuple[tuple[int, int], ...]], ...]:
    """Return the number, name and ranges of each script."""
    lines = (Path(__file__).parent / "scripts.txt").read_text(encoding="ascii").splitlines()
    out = []
    for line in lines[1:]:
        code, name, *ranges = line.split()
        ends = [r.partition("-") for r in ranges]
        pairs = tuple((int(first, 16), int(last or first, 16)) for first, _, last in ends)
        out.append((int(code), name, pairs))
    return tuple(out)


@functools.cache
def _table() -> np.ndarray:
    """Return the script of every code point; int16, 1,114,112 of them."""
    table = np.full(0x110000, _UNKNOWN, np.int16)
    for code, _, ranges in _rows():
        for first, last in ranges:
            table[first : last + 1] = code
    return table


def scripts(points: np.ndarray) -> np.ndarray:
    """Return the number of the script of each code point, int32; -1 for what is none."""
    points = np.asarray(points)
    inside = (points >= 0) & (points < 0x110000)
    return np.where(inside, _table()[np.where(inside, points, 0)], _INVALID).astype(np.int32)


def code_points(name: str) -> Iterator[int]:
    """Yield the code points of a script, as "Greek".

    Raises:
        KeyError: there is no such script.
    """
    ranges = {n: r for _, n, r in _rows()}[name]
    return (c for first, last in ranges for c in range(first, last + 1))
