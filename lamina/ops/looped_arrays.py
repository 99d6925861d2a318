"""TensorArrays in `tf.while_loop`: each goes around as one Tensor of all its elements."""

from collections.abc import Callable
from typing import Any

from lamina.engine import Tensor, close, convert_to_tensor, errors, nest
from lamina.ops.array import zeros
from lamina.ops.tensor_array import TensorArray

__all__ = ["joined_arrays"]


def joined_arrays(
    proceeds: Callable[[Any], Any], once: Callable[[Any], Any], start: Any
) -> tuple[Callable[[Any], Any], Callable[[Any], Any], Any, Callable[[Any], Any]]:
    """Return the loop without its arrays, and what makes its result one with arrays.

    Args:
        proceeds: The condition, a function of the loop variables in their structure.
        once: The body, likewise.
        start: The first values, Tensors and TensorArrays.

    Returns:
        The condition, the body and the first values of Tensors only, and a function that puts
        the arrays back into such values.

    Raises:
        TracedValueError: an array becomes longer in an iteration: no program knows how long.
    """
    before = nest.flatten(start)
    after = _after_one(once, start, before)
    likes: list[Any] = [None] * len(before)
    first: list[Tensor] = []
    for i, (a, (array, kind)) in enumerate(zip(before, after, strict=True)):
        if not isinstance(a, TensorArray):
            first.append(a)
            continue
        likes[i] = array if kind is not None else a
        if kind is None:  # nothing is ever written
            first.append(convert_to_tensor(0))
            continue
        if len(array) != len(a):
            raise errors.TracedValueError(
                f"tf.while_loop: a TensorArray grows from {len(a)} to {len(array)} elements in "
                f"an iteration."
            )
        first.append(a.joined(zeros(kind.shape[1:], kind.dtype)))

    def rebuilt(values: Any) -> Any:
        pairs = zip(likes, nest.flatten(values), strict=True)
        found = [
            v if like is None else like.of_joined(v) if like.has_elements else like
            for like, v in pairs
        ]
        return nest.pack_sequence_as(start, found)

    def joined(values: Any) -> Any:
        flat = [
            (v.joined() if v.has_elements else convert_to_tensor(0))
            if isinstance(v, TensorArray)
            else v
            for v in nest.flatten(values)
        ]
        return nest.pack_sequence_as(start, flat)

    return (
        lambda values: proceeds(rebuilt(values)),
        lambda values: joined(once(rebuilt(values))),
        nest.pack_sequence_as(start, first),
        rebuilt,
    )


def _after_one(once: Callable[[Any], Any], start: Any, before: list[Any]) -> list[Any]:
    """Record an iteration; return (value, type of an array's joined elements) for each value."""
    found: list[Any] = []

    def run(*tensors: Tensor) -> list[Any]:
        given = iter(tensors)
        values = [v.copy() if isinstance(v, TensorArray) else next(given) for v in before]
        results = nest.flatten(once(nest.pack_sequence_as(start, values)))
        for value in results:
            known = isinstance(value, TensorArray) and value.has_elements
            found.append((value, value.joined()._type if known else None))
        return []

    kinds = [v._type for v in before if not isinstance(v, TensorArray)]
    close(run, kinds, "tf.while_loop's body")
    return found
