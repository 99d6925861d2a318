"""A branch on a Tensor: both sides recorded once, and one equation that runs one of them."""

from collections.abc import Callable, Sequence
from typing import Any

from lamina import ops
from lamina.autograph.values import (
    Fixed,
    Slot,
    agree,
    copied,
    leaves,
    realized,
    record,
    restored,
    run_closed,
)
from lamina.engine import convert_to_tensor
from lamina.engine.places import place_of_caller

__all__ = ["choose", "place"]


def place(what: str) -> str:
    """Return "the `if` at file, line 3, in f"."""
    return f"the `{what}` at {place_of_caller()}"


def choose(
    cond: Any,
    body: Callable[[], None],
    orelse: Callable[[], None],
    get_state: Callable[[], Sequence[Any]],
    set_state: Callable[[Any], None],
    names: Sequence[str],
    where: str,
) -> None:
    """Record both branches of a condition in the program, and set the variables to what comes out.

    Args:
        cond: The condition, one value.
        body: The branch taken if it holds.
        orelse: The other.
        get_state: Gives the values of the variables that either assigns.
        set_state: Sets them.
        names: Their names.
        where: The statement, for messages.

    Raises:
        TypeError: a variable has another dtype in each branch.
        TracedValueError: a variable differs in what a program cannot choose.
    """
    before = list(get_state())

    def state_after(branch: Callable[[], None]) -> Callable[[], Sequence[Any]]:
        def run() -> Sequence[Any]:
            set_state(copied(before))
            branch()
            return get_state()

        return run

    try:
        records = [record(state_after(branch), (), where) for branch in (body, orelse)]
    finally:
        set_state(before)
    plans = agree(where, names, records[0].values, records[1].values)
    negated = getattr(cond, "__dict__", {}).get("_negated")
    for i, (a, b) in enumerate(zip(records[0].values, records[1].values, strict=True)):
        if negated is not None and a is True and isinstance(b, Slot) and b.tensor is negated:
            plans[i] = Fixed(True)
    flat = [leaf for plan in plans for leaf in leaves(plan)]

    def replay(side: int) -> Callable[[], list[Any]]:
        def run() -> list[Any]:
            outputs = run_closed(records[side].closed)
            return [leaf.of(side, outputs) for leaf in flat]

        return run

    pred = ops.cast(convert_to_tensor(cond), "bool")
    results = iter(ops.cond(pred, replay(0), replay(1)))
    after = [realized(plan, results) for plan in plans]
    set_state([restored(old, new) for old, new in zip(before, after, strict=True)])
