"""What holds assertions on values: in eager code at once, in a program each time that it runs."""

import dataclasses
from typing import Any

import jax.numpy as jnp
import numpy as np

from lamina.engine import (
    Op,
    Tensor,
    TensorType,
    convert_to_tensor,
    dtypes,
    errors,
    host_value,
    local,
    nest,
    op,
)
from lamina.engine.assertions import assert_in_program
from lamina.engine.context import config
from lamina.ops.strings.summaries import printed

__all__ = ["Printed", "check", "check_finite", "is_value", "shown"]


class Printed(np.ndarray):
    """What stands for a Tensor among what is printed; other arrays are not."""


def is_value(x: Any) -> bool:
    """Return whether `x` is a Tensor or stands for one, as a Variable does."""
    return isinstance(x, Tensor) or hasattr(type(x), "_as_tensor")


def check(ok: Tensor, head: str, data: Any, summarize: int | None) -> None:
    """Raise unless `ok` holds everywhere; while a program is recorded, have it do so.

    Args:
        ok: bool.
        head: What the error says before the data.
        data: A structure of Tensors and anything else that the error shows.
        summarize: How many elements are shown at each end of an axis; None is 3, -1 all.

    Raises:
        InvalidArgumentError: it does not hold, in eager code or where that is known.
    """
    known = np.asarray(ok._jax()) if local.trace.eager else host_value(ok)
    if known is None:
        if config.strips_debugging:
            return
        pieces = [_text(each, summarize) for each in nest.flatten(data)]
        tensors = [p for p in pieces if isinstance(p, Tensor)]
        texts = tuple(None if isinstance(p, Tensor) else p for p in pieces)
        _assertion(ok, *tensors, say=_Failure(head, texts, _count(summarize)))
    elif not np.all(known):
        raise errors.InvalidArgumentError(f"{head}; got {shown(data, summarize)}.")


def shown(data: Any, summarize: int | None) -> str:
    """Return what a message shows of values; those that only the program will have as Tensors."""
    pieces = [_text(each, summarize) for each in nest.flatten(data)]
    return "; ".join([printed(p, _count(summarize), Printed) for p in pieces])


def _count(summarize: int | None) -> int:
    return 3 if summarize is None else int(summarize)


def _text(value: Any, summarize: int | None) -> Any:
    """Return the text of a value, or the Tensor if only the program will have it."""
    if is_value(value):
        tensor = convert_to_tensor(value)
        known = np.asarray(tensor._jax()) if local.trace.eager else host_value(tensor)
        if known is None and tensor.dtype is not dtypes.string:
            return tensor
        value = tensor if known is None else known.view(Printed)
    return printed(value, _count(summarize), Printed)


@dataclasses.dataclass(frozen=True)
class _Failure:
    """The text of a failed assertion: equal ones make equal programs.

    Attributes:
        head: What it says first.
        texts: What it shows after that; None for what the program has.
        count: How many elements are shown at each end of an axis.
    """

    head: str
    texts: tuple[str | None, ...]
    count: int

    def __call__(self, *values: Any) -> str:
        given = iter(values)
        texts = [
            printed(next(given).view(Printed), self.count, Printed) if text is None else text
            for text in self.texts
        ]
        return f"{self.head}; got {'; '.join(texts)}."


def check_finite(x: Tensor, message: str) -> None:
    """Raise if there is NaN or infinity in `x`; while a program is recorded, have it do so."""
    say = _NotFinite(message, x.dtype.name)
    ok = _all_finite(x)
    if not local.trace.eager:
        if not config.strips_debugging:
            _assertion(ok, x, say=say)
    elif not np.asarray(ok._jax()):
        raise errors.InvalidArgumentError(say(np.asarray(x._jax())))


@dataclasses.dataclass(frozen=True)
class _NotFinite:
    """The text of a failed check of numbers."""

    message: str
    dtype: str

    def __call__(self, x: Any) -> str:
        kind = "NaN" if np.any(np.isnan(x.astype(np.complex128))) else "Inf"
        return f"{self.message} : Tensor had {kind} values; shape {x.shape}, dtype {self.dtype}."


@op(differentiable=False)
def _all_finite(x):
    return jnp.all(jnp.isfinite(x))


def _infer_nothing(kinds: Any, **_: Any) -> tuple[tuple[TensorType, ...], type]:
    return (), list


class _AssertingOp(Op[...]):
    """An operation that may stop the program."""

    asserts = True


def _assert(ok: Any, *data: Any, say: Any) -> list[Any]:
    assert_in_program(jnp.all(ok), data, say)
    return []


_assertion = _AssertingOp(_assert, mixed=True, differentiable=False, infer=_infer_nothing)
