"""What the functions on strings share: operands, results by pieces, ragged values."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina.engine import Tensor, convert_to_tensor, dtypes, errors, symbolic_dim, type_of

__all__ = [
    "checked_choice",
    "each",
    "infer_rows",
    "is_ragged",
    "nested",
    "objects",
    "over_flat_values",
    "splits_of",
    "text_of",
    "texts",
]


def is_ragged(value: Any) -> bool:
    """Return whether a value is a RaggedTensor."""
    return hasattr(type(value), "flat_values")


def over_flat_values(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function of elements take RaggedTensors: it then runs on their flat values.

    Only positional arguments are looked at; other Tensors among them must be scalars.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        first = next(filter(is_ragged, (*args, *kwargs.values())), None)
        if first is None:
            return function(*args, **kwargs)
        flat = [a.flat_values if is_ragged(a) else a for a in args]
        named = {k: v.flat_values if is_ragged(v) else v for k, v in kwargs.items()}
        return first.with_flat_values(function(*flat, **named))

    return call


def texts(value: Any, who: str) -> Tensor:
    """Return a value as a Tensor of strings.

    Raises:
        InvalidArgumentError: it is a Tensor of numbers.
        TypeError: it is not a Tensor, and not made of strings.
    """
    if isinstance(value, Tensor) and value.dtype is not dtypes.string:
        raise errors.InvalidArgumentError(
            f"{who}: the input must be a string Tensor; got dtype {value.dtype.name}, shape "
            f"{value.shape}.\n  Fix: tf.as_string(x) writes numbers as text."
        )
    return convert_to_tensor(value, dtypes.string)


def text_of(value: Any, who: str) -> str:
    """Return one text, given as str, bytes or a scalar string Tensor."""
    if isinstance(value, Tensor):
        value = value.numpy()
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, str):
        return value
    raise TypeError(f"{who} must be one string; got {value!r} ({type(value).__name__}).")


def checked_choice(value: Any, choices: Sequence[str], what: str) -> Any:
    """Return a value that must be one of some texts.

    Raises:
        InvalidArgumentError: it is none of them.
    """
    if value in choices:
        return value
    allowed = ", ".join(f'"{c}"' for c in choices)
    raise errors.InvalidArgumentError(
        f"{what} must be one of {allowed}; got {value!r}.\n  Fix: use one of these."
    )


def objects(values: Sequence[Any], shape: Sequence[int] | None = None) -> np.ndarray:
    """Return a list of `bytes` as an array of objects."""
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out if shape is None else out.reshape(shape)


def each(change: Callable[[bytes], Any], strings: np.ndarray, dtype: Any = object) -> np.ndarray:
    """Return what a function gives for each string, as an array of the same shape."""
    found = [change(s) for s in strings.reshape(-1)]
    if dtype is object:
        return objects(found, strings.shape)
    return np.array(found, dtype).reshape(strings.shape)


def splits_of(rows: Sequence[Sequence[Any]]) -> np.ndarray:
    """Return where rows start and end when laid one after the other: int64, `(N + 1,)`."""
    return np.cumsum([0, *map(len, rows)], dtype=np.int64)


def infer_rows(*kinds: Any) -> Callable[..., Any]:
    """Return the `infer` of an operation that gives parts of strings, and where they split.

    Args:
        *kinds: The dtypes of the parts; int64 row splits follow.
    """

    def infer(inputs: Sequence[Any], **attributes: Any) -> Any:
        parts = [type_of((symbolic_dim("parts"),), kind) for kind in kinds]
        dims = inputs[0].dims
        rows = dims[0] + 1 if len(dims) == 1 else symbolic_dim("rows")
        return (*parts, type_of((rows,), dtypes.int64)), tuple

    return infer


def nested(value: Any, split: Callable[[Tensor], Sequence[Any]]) -> list[Any]:
    """Cut each string of a value in parts, and return them with one more axis.

    Args:
        value: A string Tensor or RaggedTensor, of any rank.
        split: (string vector) -> (parts of the first kind, ..., row splits).

    Returns:
        One value for each kind of parts: a vector for a scalar string, else a RaggedTensor.
    """
    from lamina.ragged import RaggedTensor

    if is_ragged(value):
        return [value.with_flat_values(v) for v in nested(value.flat_values, split)]
    shape = value.shape.as_list()
    flat = value if len(shape) == 1 else _flat(value)
    *parts, splits = split(flat)
    if not shape:
        return list(parts)
    made = [RaggedTensor.from_row_splits(p, splits, validate=False) for p in parts]
    for axis in range(len(shape) - 1, 0, -1):
        rows = int(np.prod(shape[:axis]))
        ends = np.arange(rows + 1, dtype=np.int64) * shape[axis]
        made = [RaggedTensor.from_row_splits(m, ends, validate=False) for m in made]
    return made


def _flat(value: Tensor) -> Tensor:
    from lamina.ops.shaping import reshape

    return reshape(value, (-1,))
