"""Argument checks with the standard message: who, what was expected, what came, how to fix."""

from collections.abc import Iterable, Sequence
from typing import Any

from lamina import ops
from lamina.engine import Tensor, TensorShape, convert_to_tensor
from lamina.engine.composite import Composite
from lamina.engine.dtypes import string
from lamina.keras.arguments import WrongKindError

__all__ = [
    "AxisError",
    "axes_in_range",
    "axis_in_range",
    "choice",
    "divides",
    "fraction",
    "int_tuple",
    "integer",
    "known_shape",
    "known_size",
    "label",
    "non_negative_int",
    "positive_int",
    "rank",
    "real",
    "sizes",
    "unsupported",
]


def label(who: Any) -> str:
    """Return how messages name an object: 'Dense "dense_1"'."""
    if isinstance(who, str):
        return who
    name = getattr(who, "name", None)
    return f'{type(who).__name__} "{name}"' if name else type(who).__name__


def positive_int(who: Any, argument: str, value: Any) -> int:
    """Return `value` as an int of at least 1."""
    return _whole(who, argument, value, 1, "a positive integer")


def non_negative_int(who: Any, argument: str, value: Any) -> int:
    """Return `value` as an int of at least 0."""
    return _whole(who, argument, value, 0, "an integer of at least 0")


def _whole(who: Any, argument: str, value: Any, least: int, what: str) -> int:
    if isinstance(value, Tensor):
        raise TypeError(
            f"{label(who)}: `{argument}` must be {what}; got a Tensor, {value.dtype.name}"
            f"{value.shape}.\n"
            f"  Fix: make the layer first, then call it: {type(who).__name__}(...)(x)."
        )
    try:
        number = value.__index__()
    except AttributeError:
        number = None
    if number is None or isinstance(value, bool) or number < least:
        raise ValueError(
            f"{label(who)}: `{argument}` must be {what}; got {value!r} ({type(value).__name__})."
        )
    return number


def sizes(
    who: Any, argument: str, value: Any, rank: int, allow_zero: bool = False
) -> tuple[int, ...]:
    """Return an int, or a tuple of `rank` ints, as a tuple of `rank` ints."""
    least = 0 if allow_zero else 1
    entries = (value,) * rank if not isinstance(value, Iterable) else tuple(value)
    if len(entries) != rank or any(
        isinstance(v, bool) or not hasattr(v, "__index__") or v.__index__() < least for v in entries
    ):
        kind = "non-negative" if allow_zero else "positive"
        raise ValueError(
            f"{label(who)}: `{argument}` must be a {kind} integer or {rank} of them; got {value!r}."
        )
    return tuple(v.__index__() for v in entries)


def int_tuple(who: Any, argument: str, value: Any) -> tuple[int, ...]:
    """Return an int or a sequence of ints as a tuple."""
    entries = tuple(value) if isinstance(value, Iterable) else (value,)
    if any(isinstance(v, bool) or not hasattr(v, "__index__") for v in entries):
        raise WrongKindError(f"{label(who)}: `{argument}` must be integers; got {value!r}.")
    return tuple(v.__index__() for v in entries)


def integer(who: Any, argument: str, value: Any) -> int:
    """Return `value` as an int."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise WrongKindError(
            f"{label(who)}: `{argument}` must be an integer; got {value!r} "
            f"({type(value).__name__})."
        )
    return value.__index__()


def fraction(who: Any, argument: str, value: Any, below_one: bool = False) -> float:
    """Return `value` as a float in [0, 1], or in [0, 1) with `below_one`."""
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if number is None or not 0 <= number <= 1 or (below_one and number == 1):
        end = ")" if below_one else "]"
        raise ValueError(
            f"{label(who)}: `{argument}` must be a number in [0, 1{end}; got {value!r}."
        )
    return value


def choice(who: Any, argument: str, value: Any, allowed: Sequence[Any]) -> Any:
    """Return `value` if it is one of `allowed`."""
    if value not in allowed:
        raise ValueError(
            f"{label(who)}: `{argument}` must be one of {list(allowed)}; got {value!r}."
        )
    return value


def divides(who: Any, argument: str, value: int, of: str, whole: int) -> None:
    """Check that a number divides another."""
    if whole % value != 0:
        raise ValueError(
            f"{label(who)}: `{argument}` must divide {of}; got {value} for {whole}.\n"
            f"  Fix: choose a divisor of {whole}."
        )


def rank(who: Any, shape: Any, expected: int | None = None, at_least: int | None = None) -> None:
    """Check the number of axes of an input."""
    ndim = len(shape)
    if (expected is not None and ndim != expected) or (at_least is not None and ndim < at_least):
        wanted = f"{expected}" if expected is not None else f"at least {at_least}"
        raise ValueError(
            f"{label(who)}: the input must have {wanted} axes; got {ndim}, full shape "
            f"{_shape(shape)}.\n  Fix: reshape the input, or check the layer before this one."
        )


def real(who: Any, value: Any, dtype: Any) -> Tensor:
    """Return an input in a dtype, which it must lose nothing by: no complex numbers, no strings.

    Args:
        who: The layer.
        value: The input; floats, integers and bools are cast.
        dtype: A real dtype.

    Raises:
        TypeError: the input is complex, or of strings.
    """
    x: Any = value if isinstance(value, Composite) else convert_to_tensor(value)
    if x.dtype.is_complex or x.dtype is string:
        raise TypeError(
            f"{label(who)}: the input must be of real numbers; got {x.dtype.name}, shape "
            f"{_shape(x.shape)}.\n"
            f"  Fix: tf.math.real or tf.abs for complex numbers, a StringLookup for strings."
        )
    return ops.cast(x, dtype)


class AxisError(ValueError, IndexError):
    """An axis that the input does not have: as NumPy's, a wrong value and a wrong index."""


def axis_in_range(who: Any, argument: str, axis: int, ndim: int) -> int:
    """Return `axis` counted from the front."""
    if not -ndim <= axis < ndim:
        raise AxisError(
            f"{label(who)}: `{argument}` must lie in [{-ndim}, {ndim - 1}] for an input of {ndim} "
            f"axes; got {axis}."
        )
    return axis % ndim


def axes_in_range(who: Any, argument: str, axes: Sequence[int], low: int, high: int) -> None:
    """Check that all axes lie in [low, high]."""
    wrong = [a for a in axes if not low <= a <= high]
    if wrong:
        raise AxisError(
            f"{label(who)}: `{argument}` must lie in [{low}, {high}]; got {tuple(axes)}.\n"
            f"  Fix: drop {', '.join(map(str, wrong))}."
        )


def known_size(who: Any, shape: Any, axis: int) -> int:
    """Return the size of one axis, which weights depend on."""
    size = tuple(shape)[axis]
    if size is None:
        raise ValueError(
            f"{label(who)}: axis {axis} of the input must have a known size, because weights "
            f"depend on it; got shape {_shape(shape)}.\n"
            f"  Fix: give the size to tf.keras.Input, or reshape before this layer."
        )
    return size


def known_shape(who: Any, shape: Sequence[int | None]) -> tuple[int, ...]:
    """Return a weight's shape, all of whose sizes must be known."""
    if any(s is None for s in shape):
        raise ValueError(
            f"{label(who)}: the shape of a weight must be known; got {_shape(shape)}.\n"
            f"  Fix: give the sizes to tf.keras.Input, or reshape before this layer."
        )
    return tuple(int(s) for s in shape)  # type: ignore[arg-type]


def unsupported(who: Any, **arguments: Any) -> None:
    """Refuse arguments that a signature has for compatibility, where one is given."""
    for name, value in arguments.items():
        if value is not None:
            raise ValueError(
                f"{label(who)}: `{name}` must be None, lamina does not offer it; got {value!r}.\n"
                f"  Fix: omit it."
            )


def _shape(shape: Any) -> str:
    return str(tuple(shape)) if not isinstance(shape, TensorShape) else str(shape)
