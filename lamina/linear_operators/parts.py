"""What operators are made of: checked arguments, hints, and the makers of other operators."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lamina import ops
from lamina.engine import Tensor, TensorShape, Variable, convert_to_tensor, errors

__all__ = [
    "HINTS",
    "arguments",
    "both",
    "conjugated",
    "follows",
    "hints",
    "kept",
    "products",
    "refuse",
    "same_batch",
    "squared",
    "turned",
]

HINTS = ("is_non_singular", "is_self_adjoint", "is_positive_definite", "is_square")

# What makes the operators of other operators, filled by the files above this one:
# "adjoint", "inverse", "lower", "product", "quotient".
products: dict[str, Callable[..., Any]] = {}


def kept(value: Any, what: str, rank: int = 0, dtype: Any = None) -> Any:
    """Return an argument as a Tensor; a Variable stays one, so that it can be trained.

    Args:
        value: The argument.
        what: Its name, for messages.
        rank: The least number of axes.
        dtype: The dtype to convert to, or None.

    Raises:
        TypeError: it is neither floating nor complex.
        ValueError: it has fewer axes.
    """
    tensor = value if isinstance(value, Variable) else convert_to_tensor(value, dtype)
    if not (tensor.dtype.is_floating or tensor.dtype.is_complex):
        raise TypeError(
            f"LinearOperator: `{what}` must be floating or complex; got dtype "
            f"{tensor.dtype.name}.\n  Fix: tf.cast(x, tf.float32)."
        )
    if len(tensor.shape) < rank:
        raise ValueError(
            f"LinearOperator: `{what}` must have at least {rank} axes; got shape {tensor.shape}."
        )
    return tensor


def arguments(scope: Mapping[str, Any]) -> dict[str, Any]:
    """Return a constructor's arguments, given its `locals()` before it has others."""
    return {k: v for k, v in scope.items() if k not in ("self", "__class__")}


def hints(given: dict[str, Any], **facts: bool | None) -> dict[str, Any]:
    """Return what LinearOperator's constructor takes beside the dtype.

    Args:
        given: The constructor's arguments.
        **facts: What is always so for this kind of operator: a hint may only repeat it. None
            leaves it to the hint.

    Raises:
        ValueError: a hint says otherwise.
    """
    for what, fact in facts.items():
        hint = given[what]
        if fact is not None and hint is not None and hint is not fact:
            raise ValueError(f"{given['name']}: `{what}` is always {fact}; got {what}={hint}.")
    known = {what: given[what] if facts.get(what) is None else facts[what] for what in HINTS}
    return {**known, "name": given["name"], "parameters": given}


def follows(hint: bool | None, reason: object) -> bool | None:
    """Return a hint; where none was given, True if there is a reason."""
    return True if hint is None and reason else hint


def both(first: bool | None, second: bool | None) -> bool | None:
    """Return the hint of something that holds if it holds of two: True, or not known."""
    return True if first and second else None


def same_batch(matrix: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return two stacks of matrices with their batch shapes broadcast to one."""
    if tuple(matrix.shape[:-2]) == tuple(x.shape[:-2]):
        return matrix, x
    batch = ops.broadcast_dynamic_shape(ops.shape(matrix)[:-2], ops.shape(x)[:-2])

    def spread(t: Tensor) -> Tensor:
        return ops.broadcast_to(t, ops.concat([batch, ops.shape(t)[-2:]], 0))

    return spread(matrix), spread(x)


def squared(shape: TensorShape | Sequence[int | None]) -> TensorShape:
    """Return the shape of the square matrices made of vectors, their last axis twice."""
    return TensorShape([*shape, shape[-1]])


def turned(x: Tensor, adjoint: bool) -> Tensor:
    """Return matrices, or their conjugate transposes."""
    return ops.adjoint(x) if adjoint else x


def conjugated(x: Any, whether: bool = True) -> Any:
    """Return the complex conjugate; what is real as it is, a Variable too."""
    return ops.conj(x) if whether and x.dtype.is_complex else x


def refuse(message: str) -> None:
    """Raise InvalidArgumentError with a message."""
    raise errors.InvalidArgumentError(message)
