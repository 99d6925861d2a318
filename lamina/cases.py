"""tf.case: the first of several functions whose condition holds."""

from collections.abc import Callable
from typing import Any

from lamina.asserting import check
from lamina.engine import convert_to_tensor, errors, host_value, local
from lamina.ops.casting import cast
from lamina.ops.comparison import logical_and
from lamina.ops.control_flow import cond
from lamina.ops.reduce import reduce_sum
from lamina.ops.shaping import stack

__all__ = ["case"]

_MANY = 1 << 30


def case(
    pred_fn_pairs: Any,
    default: Callable[[], Any] | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str = "case",
) -> Any:
    """Return the result of the first function whose condition holds.

    Args:
        pred_fn_pairs: (condition, function) pairs, or a dict of them.
        default: The function if none holds; without it one must.
        exclusive: Raise if more than one condition holds.
        strict: Accepted, unused.
        name: Accepted, unused.

    Returns:
        What that function returns.

    Raises:
        InvalidArgumentError: `exclusive`, and several conditions hold; or none does and there is
            no `default`. A program raises it when it runs.
        TypeError: a pair is none, or its second part is no function.
        ValueError: there are no pairs.

    Example:
        >>> x = tf.constant(3)
        >>> tf.case([(x < 2, lambda: "small"), (x < 9, lambda: "middle")], lambda: "large")
        'middle'
    """
    pairs = _pairs(pred_fn_pairs)
    conditions = [condition for condition, _ in pairs]
    if exclusive and len(pairs) > 1:
        _require(conditions, "with exclusive=True at most one condition may hold", range(2))
    if default is None:
        _require(conditions, "a condition must hold, as there is no `default`", range(1, _MANY))
        default = pairs.pop()[1]
    chain = default
    for condition, function in reversed(pairs):
        chain = _else(condition, function, chain)
    return chain()


def _pairs(given: Any) -> list[tuple[Any, Callable[[], Any]]]:
    pairs = list(given.items() if isinstance(given, dict) else given)
    if not pairs:
        raise ValueError("tf.case: `pred_fn_pairs` must hold at least one pair; got none.")
    for pair in pairs:
        if not isinstance(pair, list | tuple) or len(pair) != 2 or not callable(pair[1]):
            raise TypeError(
                f"tf.case: `pred_fn_pairs` must hold pairs (condition, function without "
                f"arguments); got {pair!r}.\n  Fix: (x > 0, lambda: value)."
            )
    return pairs


def _else(pred: Any, fn: Callable[[], Any], other: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: cond(pred, fn, other)


def _require(conditions: list[Any], what: str, counts: range) -> None:
    """Raise unless so many conditions hold; in a program, each time that it runs."""
    tensors = [convert_to_tensor(c, "bool") for c in conditions]
    known = [t if local.trace.eager else host_value(t) for t in tensors]
    if any(k is None for k in known):
        count = reduce_sum(cast(stack(tensors), "int32"))
        holds = logical_and(counts.start <= count, count < counts.stop)
        check(holds, f"tf.case: {what}", tensors, None)
        return
    values = [bool(k) for k in known]
    if sum(values) not in counts:
        raise errors.InvalidArgumentError(
            f"tf.case: {what}; got {values}.\n  Fix: make conditions disjoint, or pass `default`."
        )
