"""Reading the equation of an EinsumDense: which sizes its weights have."""

from collections.abc import Sequence
from typing import Any

from lamina.keras.core import checks

__all__ = ["checked", "fan_axes", "scale_layout", "stated_shape", "summed_axes", "weight_shapes"]

_ELLIPSIS = "..."


def checked(who: Any, equation: Any) -> str:
    """Return an equation without spaces.

    Raises:
        ValueError: it does not read "inputs,kernel->output", or a letter of the kernel stands
            nowhere else.
    """
    text = str(equation).replace(" ", "")
    sides = text.split("->")
    terms = sides[0].split(",")
    if len(sides) != 2 or len(terms) != 2 or not all((*terms, sides[1])):
        raise ValueError(
            f"{checks.label(who)}: `equation` must have the form 'inputs,kernel->output'; got "
            f"{equation!r}.\n  Fix: 'abc,cd->abd' multiplies the last of three axes by a matrix."
        )
    lost = sorted(set(terms[1]) - set(terms[0]) - set(sides[1]))
    if lost or _ELLIPSIS in terms[1]:
        raise ValueError(
            f"{checks.label(who)}: each axis of the kernel must be one of the inputs or the "
            f"output; got {equation!r}.\n  Fix: drop {', '.join(lost) or _ELLIPSIS!r}."
        )
    return text


def weight_shapes(
    who: Any,
    equation: str,
    input_shape: tuple[int | None, ...],
    output_shape: tuple[int | None, ...],
    bias_axes: str | None,
) -> tuple[list[int | None], list[int | None] | None]:
    """Return the shapes of kernel and bias; that of the bias is None without `bias_axes`."""
    terms, result = equation.split("->")
    given, kernel = terms.split(",")
    sizes = _input_sizes(who, equation, given, input_shape)
    _add_output_sizes(who, equation, result, output_shape, sizes)
    kernel_shape = [sizes.get(letter) for letter in kernel]
    if not bias_axes:
        return kernel_shape, None
    elided = len(input_shape) - len(given.replace(_ELLIPSIS, ""))
    return kernel_shape, _bias_shape(who, result, bias_axes, sizes, elided)


def fan_axes(equation: str) -> tuple[list[int], list[int]]:
    """Return the kernel's axes that hold inputs of a unit, and those that hold units."""
    terms, result = equation.split("->")
    kernel = terms.split(",")[1]
    outputs = [axis for axis, letter in enumerate(kernel) if letter in result]
    return [axis for axis in range(len(kernel)) if axis not in outputs], outputs


def stated_shape(
    equation: str, input_shape: tuple[int | None, ...], output_shape: tuple[int | None, ...]
) -> tuple[int | None, ...]:
    """Return the shape of the output as `output_shape` states it, with batch and "..." axes."""
    terms, result = equation.split("->")
    elided = len(input_shape) - len(terms.split(",")[0].replace(_ELLIPSIS, ""))
    if _ELLIPSIS not in result:
        return (input_shape[0], *output_shape)
    if result.startswith(_ELLIPSIS):
        return (*input_shape[:elided], *output_shape)
    return (input_shape[0], *output_shape, *input_shape[len(input_shape) - elided :])


def _input_sizes(
    who: Any, equation: str, given: str, shape: tuple[int | None, ...]
) -> dict[str, int | None]:
    before, _, after = given.partition(_ELLIPSIS)
    count = len(before) + len(after)
    if len(shape) < count or (_ELLIPSIS not in given and len(shape) != count):
        raise ValueError(
            f"{checks.label(who)}: the input must have the axes of {given!r} in {equation!r}; got "
            f"shape {shape}.\n  Fix: reshape the input, or write the equation for its axes."
        )
    sizes: dict[str, int | None] = dict(zip(before, shape, strict=False))
    sizes.update(zip(after, shape[len(shape) - len(after) :], strict=True))
    return sizes


def _add_output_sizes(
    who: Any,
    equation: str,
    result: str,
    output_shape: tuple[int | None, ...],
    sizes: dict[str, int | None],
) -> None:
    """Note the sizes that `output_shape` gives; it counts from the side without "..."."""
    letters = result.replace(_ELLIPSIS, "")
    if result.endswith(_ELLIPSIS):
        pairs = list(zip(letters[1:], output_shape, strict=False))
    else:
        pairs = list(zip(reversed(letters), reversed(output_shape), strict=False))
    for letter, size in pairs:
        known = sizes.get(letter)
        if size is not None and known is not None and size != known:
            raise ValueError(
                f"{checks.label(who)}: axis {letter!r} of {equation!r} must have one size; got "
                f"{known} in the input, {size} in `output_shape` {output_shape}.\n"
                f"  Fix: give None there: the input tells."
            )
        if known is None:
            sizes[letter] = size


def _bias_shape(
    who: Any, result: str, bias_axes: str, sizes: dict[str, int | None], elided: int
) -> list[int | None]:
    before, dots, after = result.partition(_ELLIPSIS)
    wrong = sorted(set(bias_axes) - set(before + after))
    if wrong:
        raise ValueError(
            f"{checks.label(who)}: `bias_axes` must be axes of the output {result!r}; got "
            f"{bias_axes!r}.\n  Fix: drop {', '.join(wrong)}."
        )
    letters = [*before, *([None] * elided if dots else []), *after]
    first = next(
        i for i, letter in enumerate(letters) if letter is not None and letter in bias_axes
    )
    return [
        sizes.get(letter) if letter is not None and letter in bias_axes else 1
        for letter in letters[first:]
    ]


def summed_axes(equation: str, operand: int) -> tuple[int, ...]:
    """Return the axes of the inputs (0) or the kernel (1) that the equation sums over."""
    terms, result = equation.split("->")
    # What "..." stands for lies at one end, or between letters that are counted from both ends.
    before, dots, after = terms.split(",")[operand].partition(_ELLIPSIS)
    if not dots:
        before, after = "", before
    first = [i for i, letter in enumerate(before) if letter not in result]
    last = [i - len(after) for i, letter in enumerate(after) if letter not in result]
    return (*first, *last)


def scale_layout(equation: str, kernel_shape: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return the form of the output that has the kernel's sizes, and 1 where it has none.

    Returns:
        The sizes; the kernel's axes in the order in which the output has them.
    """
    terms, result = equation.split("->")
    kernel = terms.split(",")[1]
    letters = result.replace(_ELLIPSIS, "0")
    shape = [kernel_shape[kernel.index(x)] if x in kernel else 1 for x in letters]
    return shape, [kernel.index(x) for x in letters if x in kernel]
