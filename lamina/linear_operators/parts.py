"""What operators are made of: checked arguments, hints, and the makers of other operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lamina import ops
from lamina.engine import Tensor, Variable, convert_to_tensor, errors

__all__ = ["both", "hinted", "kept", "products", "refuse", "same_batch"]

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


def hinted(who: str, what: str, hint: bool | None, fact: bool) -> bool:
    """Return what is always so for a kind of operator; a hint may only repeat it.

    Raises:
        ValueError: the hint says otherwise.
    """
    if hint is not None and hint is not fact:
        raise ValueError(f"{who}: `{what}` is always {fact}; got {what}={hint}.")
    return fact


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


def refuse(message: str) -> None:
    """Raise InvalidArgumentError with a message."""
    raise errors.InvalidArgumentError(message)
