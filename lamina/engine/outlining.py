"""Outlining: pieces that a long program repeats are compiled once, and called.

A recurrent cell in a Python loop is recorded once for each step. XLA fuses across the steps, for a
time that grows faster than their number (48 steps of an LSTM with their gradient: 53 s, and 6 s
outlined), and what it makes of them also runs longer (18 ms, outlined 6 ms). JAX alone would inline
the calls; `compiling.jitted` leaves them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import jax

from lamina.engine.signature import signatures

__all__ = ["Equation", "Piece", "outlined"]

Equation = tuple[int, ...]
"""(signature id, input slots...). A slot >= 0 counts the outputs of all equations before; a slot
< 0 is `~i`, the i-th input of the program. The outputs take the next free slots, in order."""

# A program is looked through from so many equations on, and a piece is worth a call from so many
# equations and calls on. Layers that repeat, as in a transformer, are fewer than steps in time.
_LONG = 300
_SHORTEST = 5
_FEWEST = 16
# How many of the next places that begin alike are tried for the length of a piece, on how many of
# them their operands are compared first, and how often nothing may come of it: the search takes a
# small part of the time that compiling does.
_TRIED = 6
_SAMPLE = 64
_MISSES = 32


class Piece(NamedTuple):
    """A repeated piece of a program, in the place of its equations.

    Attributes:
        operands: The slots of its inputs.
        places: Which of its slots are computed, for others to use.
        size: How many slots it has.
        run: A jitted function of the inputs that returns the values of these places.
    """

    operands: tuple[int, ...]
    places: tuple[int, ...]
    size: int
    run: Callable[..., list[Any]]

    def values(self, inputs: Sequence[Any]) -> list[Any]:
        """Return the values of all its slots; None for those that nobody uses."""
        found: list[Any] = [None] * self.size
        for place, value in zip(self.places, self.run(*inputs), strict=True):
            found[place] = value
        return found


def outlined(
    equations: Sequence[Equation],
    outputs: Iterable[int],
    replay: Callable[[Sequence[Equation], Sequence[Any], Sequence[int]], list[Any]],
) -> list[Equation | Piece]:
    """Return a program with Pieces in place of what repeats; as it stands if nothing does.

    Args:
        equations: The program.
        outputs: The slots wanted of it.
        replay: Runs equations on inputs and returns slots.
    """
    if len(equations) < _LONG or jax.default_backend() != "cpu":
        return list(equations)
    starts = [0]
    for equation in equations:
        starts.append(starts[-1] + len(signatures[equation[0]].outputs))
    groups = list(_repeats(equations, starts))
    if 2 * sum(len(found) * length for length, found in groups) < len(equations):
        return list(equations)
    return _replaced(equations, starts, set(outputs), groups, replay)


def _repeats(
    equations: Sequence[Equation], starts: Sequence[int]
) -> Iterator[tuple[int, list[int]]]:
    """Yield (length, first equations) of pieces with the same operations on the same operands."""
    numbers = [_number(equation) for equation in equations]
    at: dict[tuple[int, ...], list[int]] = {}
    for i in range(len(numbers) - _SHORTEST + 1):
        at.setdefault(tuple(numbers[i : i + _SHORTEST]), []).append(i)
    taken = [number < 0 for number in numbers]
    first = misses = 0
    while first < len(numbers) - _SHORTEST and misses < _MISSES:
        alike = at[tuple(numbers[first : first + _SHORTEST])]
        length, found = 0, list[int]()
        if len(alike) >= _FEWEST and not any(taken[first : first + _SHORTEST]):
            length, found = _longest(equations, starts, numbers, taken, alike, first)
            misses += not found
        for i in found:
            taken[i : i + length] = [True] * length
        if found:
            yield length, found
        first += length if first in found else 1


def _number(equation: Equation) -> int:
    """Return the signature's number, or -1 for what has a program in it or calls Python."""
    signature = signatures[equation[0]]
    return -1 if signature.weight or signature.calls_host or signature.asserts else equation[0]


def _longest(
    equations: Sequence[Equation],
    starts: Sequence[int],
    numbers: list[int],
    taken: list[bool],
    alike: list[int],
    first: int,
) -> tuple[int, list[int]]:
    """Return the length of the piece like that at `first` that saves most, and where it stands."""
    best: tuple[int, list[int]] = (0, [])
    gain = 0
    for other in [i for i in alike if i >= first + _SHORTEST][:_TRIED]:
        length = _SHORTEST
        while length < other - first and other + length < len(numbers):
            here = first + length
            if numbers[here] != numbers[other + length] or taken[here]:
                break
            length += 1
        piece = numbers[first : first + length]
        same = [
            i for i in alike if numbers[i : i + length] == piece and not any(taken[i : i + length])
        ]
        # The first step of a loop often reads other operands than the rest: most decide.
        forms = Counter(_form(equations, starts, i, length)[0] for i in same[:_SAMPLE])
        form, count = forms.most_common(1)[0]
        found: list[int] = []
        for i in same if 4 * count > len(same[:_SAMPLE]) else ():
            apart = not found or i >= found[-1] + length
            if apart and _form(equations, starts, i, length)[0] == form:
                found.append(i)
        saved = (len(found) - 1) * length - len(found)  # a call counts as an equation
        if len(found) >= _FEWEST and saved > gain:
            gain, best = saved, (length, found)
    return best


def _form(
    equations: Sequence[Equation], starts: Sequence[int], first: int, length: int
) -> tuple[tuple[Equation, ...], list[int]]:
    """Return a piece with slots of its own, and its operands: equal pieces give equal equations."""
    base = starts[first]
    operands: dict[int, int] = {}
    form: list[Equation] = []
    for equation in equations[first : first + length]:
        slots = [
            slot - base if slot >= base else ~operands.setdefault(slot, len(operands))
            for slot in equation[1:]
        ]
        form.append((equation[0], *slots))
    return tuple(form), list(operands)


def _jitted(replay: Callable[..., list[Any]], form: Any, places: Any) -> Callable[..., list[Any]]:
    def piece(*inputs: Any) -> list[Any]:
        return replay(form, inputs, places)

    return jax.jit(piece)  # pyright: ignore[reportUnknownMemberType]


def _replaced(
    equations: Sequence[Equation],
    starts: Sequence[int],
    outputs: set[int],
    groups: list[tuple[int, list[int]]],
    replay: Callable[..., list[Any]],
) -> list[Equation | Piece]:
    """Return the program with pieces, each of which computes what any of its kind is asked for."""
    owner: dict[int, int] = {}
    for length, found in groups:
        for first in found:
            owner.update(dict.fromkeys(range(first, first + length), first))
    used = {slot for slot in outputs if slot >= 0}
    for k, equation in enumerate(equations):
        base = starts[owner[k]] if k in owner else starts[k]
        # What a piece makes and takes itself lies at or above its first slot.
        used.update(slot for slot in equation[1:] if 0 <= slot < base)
    pieces: dict[int, tuple[Piece, int]] = {}
    for length, found in groups:
        count = starts[found[0] + length] - starts[found[0]]
        places = tuple(p for p in range(count) if any(starts[i] + p in used for i in found))
        form = _form(equations, starts, found[0], length)[0]
        run = _jitted(replay, form, places)
        for i in found:
            operands = tuple(_form(equations, starts, i, length)[1])
            pieces[i] = Piece(operands, places, count, run), length
    made: list[Equation | Piece] = []
    k = 0
    while k < len(equations):
        piece, length = pieces.get(k, (equations[k], 1))
        made.append(piece)
        k += length
    return made
