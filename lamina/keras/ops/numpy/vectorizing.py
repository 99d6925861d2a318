"""`vectorize`: a function of single values, or small arrays, as one of whole arrays."""

import functools
import re
from collections.abc import Callable, Iterable
from typing import Any

from lamina import ops
from lamina.engine import vectorize as over_rows
from lamina.keras.ops.numpy.operands import tensor

__all__ = ["vectorize"]

_ARGUMENT = r"\(\s*(?:\w+\s*(?:,\s*\w+\s*)*)?\)"
_LIST = rf"{_ARGUMENT}(?:\s*,\s*{_ARGUMENT})*"
_SIGNATURE = re.compile(rf"\s*({_LIST})\s*->\s*{_LIST}\s*")


def vectorize(
    pyfunc: Callable[..., Any],
    *,
    excluded: Iterable[Any] | None = None,
    signature: str | None = None,
) -> Callable[..., Any]:
    """Return a function that applies `pyfunc` to all elements of its arguments at once.

    The function is recorded once; what it captures is shared by all elements.

    Args:
        pyfunc: A function of scalars, or of arrays with the axes in `signature`.
        excluded: Positions and names of arguments that are passed on as they are.
        signature: The axes that `pyfunc` takes and gives, as in "(n),(n)->()"; None is scalars.

    Returns:
        A function of arrays; the axes that are not in `signature` broadcast, and come first in
        what it returns.

    Raises:
        TypeError: `pyfunc` cannot be called.
        ValueError: `signature` is not of that form, or does not fit the arguments.

    Example:
        >>> sign = tf.keras.ops.numpy.vectorize(lambda a, b: tf.where(a > b, a, b))
        >>> sign([1, 5], [[3], [4]]).numpy()
        array([[3, 5],
               [4, 5]], dtype=int32)
        >>> inner = tf.keras.ops.numpy.vectorize(
        ...     lambda a, b: tf.reduce_sum(a * b), signature="(n),(n)->()"
        ... )
        >>> inner([[1.0, 2.0], [3.0, 4.0]], [1.0, 10.0]).numpy()
        array([21., 43.], dtype=float32)
    """
    if not callable(pyfunc):
        raise TypeError(
            f"vectorize: `pyfunc` must be a function; got {pyfunc!r}.\n"
            "  Fix: pass the function, not what it returns."
        )
    kept = frozenset(() if excluded is None else excluded)
    ranks = None if signature is None else _ranks(signature)

    @functools.wraps(pyfunc)
    def vectorized(*args: Any, **kwargs: Any) -> Any:
        positions = [i for i in range(len(args)) if i not in kept]
        names = [k for k in kwargs if k not in kept]
        arrays = [tensor(args[i]) for i in positions] + [tensor(kwargs[k]) for k in names]

        def apply(*values: Any) -> Any:
            given, named = list(args), dict(kwargs)
            for i, value in zip(positions, values, strict=False):
                given[i] = value
            named.update(zip(names, values[len(positions) :], strict=True))
            return pyfunc(*given, **named)

        return _mapped(apply, arrays, ranks)

    return vectorized


def _ranks(signature: str) -> list[int]:
    """Return how many axes the function takes of each argument."""
    found = _SIGNATURE.fullmatch(signature)
    if found is None:
        raise ValueError(
            f"vectorize: `signature` must name axes, as in '(n),(n)->()'; got {signature!r}.\n"
            "  Fix: write one pair of parentheses per argument."
        )
    return [len(re.findall(r"\w+", each)) for each in re.findall(_ARGUMENT, found[1])]


def _mapped(apply: Callable[..., Any], arrays: list[Any], ranks: list[int] | None) -> Any:
    """Apply a function to all elements along the leading axes, which broadcast."""
    ranks = [0] * len(arrays) if ranks is None else ranks
    if len(ranks) != len(arrays) or any(a.ndim < r for a, r in zip(arrays, ranks, strict=True)):
        raise ValueError(
            f"vectorize: `signature` names the axes of {len(ranks)} arguments, {ranks} of them; "
            f"got shapes {[tuple(a.shape) for a in arrays]}.\n"
            "  Fix: pass as many arrays, with at least these axes."
        )
    leading = [ops.shape(a)[: a.ndim - r] for a, r in zip(arrays, ranks, strict=True)]
    depth = max((a.ndim - r for a, r in zip(arrays, ranks, strict=True)), default=0)
    shape = functools.reduce(ops.broadcast_dynamic_shape, leading) if leading else []
    for i, (a, r) in enumerate(zip(arrays, ranks, strict=True)):
        inner = ops.shape(a)[a.ndim - r :]
        arrays[i] = ops.broadcast_to(a, ops.concat([shape, inner], 0))
    for _ in range(depth):
        apply = functools.partial(over_rows, apply)
    return apply(*arrays)
