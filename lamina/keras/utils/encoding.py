"""Labels as one-hot rows, arrays divided by their norm, sequences of one length."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import Tensor
from lamina.keras import policy

__all__ = ["normalize", "pad_sequences", "to_categorical"]


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Return class numbers as one-hot rows.

    Args:
        x: Integers of shape `(...)`; a last axis of size 1 is dropped.
        num_classes: The number of classes; None takes the largest number plus one.

    Returns:
        A float64 array of shape `(..., num_classes)`; a Tensor of floatx for a Tensor.

    Example:
        >>> tf.keras.utils.to_categorical([0, 2])
        array([[1., 0., 0.],
               [0., 0., 1.]])
    """
    if isinstance(x, Tensor):
        if len(x.shape) > 1 and x.shape[-1] == 1:
            x = ops.squeeze(x, -1)
        depth = num_classes or int(np.asarray(x).max()) + 1
        return ops.one_hot(ops.cast(x, "int32"), depth, dtype=policy.floatx())
    labels = np.asarray(x, dtype="int64")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    return np.eye(num_classes or int(labels.max()) + 1)[labels]


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """Return an array divided by its norm along an axis; rows of norm 0 stay.

    Args:
        x: An array, or a Tensor.
        axis: The axis.
        order: The order of the norm.

    Example:
        >>> tf.keras.utils.normalize(np.array([[3.0, 4.0]]))
        array([[0.6, 0.8]])
    """
    if isinstance(x, Tensor):
        norms = ops.norm(x, order, axis=axis, keepdims=True)
        return x / ops.maximum(norms, policy.epsilon())
    values = np.asarray(x)
    norms = np.atleast_1d(np.linalg.norm(values, order, axis))
    norms[norms == 0] = 1
    return values / np.expand_dims(norms, axis)


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Return sequences of different lengths as one array.

    Args:
        sequences: N sequences, each of shape `(T_n, ...)`.
        maxlen: The length T of the result; None takes the longest.
        dtype: The dtype of the result; `object` for strings.
        padding: Which side is filled up: "pre" or "post".
        truncating: Which side of a longer sequence is cut off: "pre" or "post".
        value: What fills up.

    Returns:
        An array of shape `(N, T, ...)`.

    Raises:
        ValueError: an entry is no sequence, the shapes of the steps differ, or a side is unknown.

    Example:
        >>> tf.keras.utils.pad_sequences([[1], [2, 3, 4]], maxlen=2)
        array([[0, 1],
               [3, 4]], dtype=int32)
    """
    _check_padding(sequences, dtype, padding, truncating, value)
    steps = [np.shape(s)[1:] for s in sequences if len(s)]
    shape = steps[0] if steps else ()
    if maxlen is None:
        maxlen = max(map(len, sequences))
    found = np.full((len(sequences), maxlen, *shape), value, dtype=dtype)
    for i, sequence in enumerate(sequences):
        kept = sequence[-maxlen:] if truncating == "pre" else sequence[:maxlen]
        if maxlen == 0 or not len(kept):
            continue
        row = np.asarray(kept, dtype=dtype)
        if row.shape[1:] != shape:
            raise ValueError(
                f"pad_sequences: the steps of all sequences must have one shape, {shape}; got "
                f"{row.shape[1:]} in sequence {i}."
            )
        where = slice(None, len(row)) if padding == "post" else slice(-len(row), None)
        found[i, where] = row
    return found


def _check_padding(sequences: Any, dtype: Any, padding: str, truncating: str, value: Any) -> None:
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"pad_sequences: `sequences` must be a list; got {sequences!r}.")
    for i, sequence in enumerate(sequences):
        if not hasattr(sequence, "__len__"):
            raise ValueError(
                f"pad_sequences: `sequences` must hold sequences; got {sequence!r} at place {i}.\n"
                f"  Fix: pass a list of lists."
            )
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in ("pre", "post"):
            raise ValueError(f'pad_sequences: `{name}` must be "pre" or "post"; got {side!r}.')
    is_text = dtype is object or np.issubdtype(np.dtype(dtype), np.character)
    if isinstance(value, str) and not is_text and np.dtype(dtype) != object:
        raise ValueError(
            f"pad_sequences: `value` {value!r} must be of dtype {dtype}.\n"
            f"  Fix: pass dtype=object for strings."
        )
