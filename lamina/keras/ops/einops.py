"""tf.keras.ops: axes moved, split and joined by a pattern."""

import re
from typing import Any

from lamina import ops
from lamina.engine import Tensor, convert_to_tensor
from lamina.keras.core import graph_function

__all__ = ["rearrange"]

_MSG = (
    "rearrange: `pattern` must name each axis on both sides, as in 'b h w c -> b (h w) c'; "
    "got {!r}.\n  Reason: {}."
)


def _groups(side: str) -> list[list[str]]:
    """Return the axes of one side: "b (h w)" is [["b"], ["h", "w"]]."""
    return [part.strip("()").split() for part in re.findall(r"\([^)]*\)|\w+", side)]


@graph_function
def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Tensor:
    """Move, split and join axes as a pattern says.

    Args:
        tensor: Any shape.
        pattern: The axes before and after "->"; those in parentheses stand in one axis.
        **axes_lengths: Sizes of axes in parentheses; one of each group may be left out.

    Returns:
        A Tensor of the same dtype.

    Raises:
        ValueError: the pattern does not fit the shape.

    Example:
        >>> x = tf.zeros((2, 6, 3))
        >>> tf.keras.ops.rearrange(x, "b (h w) c -> b h (w c)", h=2).shape
        TensorShape([2, 2, 9])
    """
    x = convert_to_tensor(tensor)
    sides = pattern.split("->")
    if len(sides) != 2:
        raise ValueError(_MSG.format(pattern, "there must be one arrow"))
    before, after = map(_groups, sides)
    if len(before) != x.ndim:
        raise ValueError(_MSG.format(pattern, f"the tensor has shape {tuple(x.shape)}"))
    names = [n for group in before for n in group]
    wanted = [n for group in after for n in group]
    if sorted(names) != sorted(wanted) or len(set(names)) != len(names):
        raise ValueError(_MSG.format(pattern, f"the sides have axes {names} and {wanted}"))
    sizes = _sizes(x, before, axes_lengths, pattern)
    if any(len(group) != 1 for group in before):
        x = ops.reshape(x, [sizes[n] for n in names])
    if names != wanted:
        x = ops.transpose(x, [names.index(n) for n in wanted])
    if any(len(group) != 1 for group in after):
        x = ops.reshape(x, [_product([sizes[n] for n in group]) for group in after])
    return x


def _sizes(
    x: Tensor, before: list[list[str]], given: dict[str, int], pattern: str
) -> dict[str, Any]:
    dynamic = ops.shape(x)
    found: dict[str, Any] = dict(given)
    for i, group in enumerate(before):
        size = x.shape[i] if x.shape[i] is not None else dynamic[i]
        open_axes = [n for n in group if n not in given]
        if len(open_axes) > 1:
            raise ValueError(_MSG.format(pattern, f"the size of one of {open_axes} must be given"))
        known = _product([given[n] for n in group if n in given])
        for n in open_axes:
            found[n] = size if known == 1 else size // known
        if isinstance(size, int) and _product([found[n] for n in group]) != size:
            raise ValueError(
                _MSG.format(pattern, f"axis {i} has size {size}, not a multiple of {known}")
            )
    return found


def _product(sizes: list[Any]) -> Any:
    total: Any = 1
    for size in sizes:
        total = size * total
    return total
