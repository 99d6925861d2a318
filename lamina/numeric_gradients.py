"""Gradients of a function by differences of its values: `tf.test.compute_gradient`."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina.engine import GradientTape, Tensor, convert_to_tensor

__all__ = ["compute_gradient"]


def compute_gradient(
    f: Callable[..., Any], x: Sequence[Any], delta: float | None = None
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the Jacobians of a function by its gradients, and by differences of its values.

    Args:
        f: A function of Tensors that returns one.
        x: Its arguments: float or complex Tensors.
        delta: The difference of an input; None takes one that fits the dtypes.

    Returns:
        Two lists with an array ``(size of the result, size of the argument)`` for each argument:
        theoretical, and numeric.

    Raises:
        ValueError: `x` is no list, or an argument is not floating point.

    Example:
        >>> theory, numeric = tf.test.compute_gradient(lambda x: x * x, [tf.constant([3.0])])
        >>> theory[0], bool(abs(numeric[0] - 6.0) < 1e-2)
        (array([[6.]], dtype=float32), True)
    """
    if not isinstance(x, list | tuple):
        raise ValueError(
            f"`x` must be a list or tuple of values convertible to a Tensor (arguments to `f`), "
            f"not a {type(x).__name__}."
        )
    inputs = [convert_to_tensor(v) for v in x]
    if delta is None:
        delta = 1.0 / 1024
    for t in inputs:
        if not (t.dtype.is_floating or t.dtype.is_complex):
            raise ValueError(
                f"tf.test.compute_gradient: the arguments must be floating point; got "
                f"{t.dtype.name}.\n  Fix: tf.cast(x, tf.float32)."
            )
    theory = [_theoretical(f, inputs, i) for i in range(len(inputs))]
    return theory, [_numeric(f, inputs, i, delta) for i in range(len(inputs))]


def _theoretical(f: Any, inputs: list[Tensor], number: int) -> np.ndarray:
    x = inputs[number]
    with GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        y = convert_to_tensor(f(*inputs))
    columns = int(np.prod(x.shape.as_list()))
    size = int(np.prod(y.shape.as_list()))
    rows = np.zeros((size, columns), x.dtype.np)
    for i in range(size):
        seed = np.zeros(size, y.dtype.np)
        seed[i] = 1
        seed = convert_to_tensor(seed.reshape(y.shape.as_list()))
        gradient = tape.gradient(y, x, output_gradients=seed)
        if gradient is not None:
            rows[i] = np.asarray(convert_to_tensor(gradient)).reshape(-1)
    return rows


def _numeric(f: Any, inputs: list[Tensor], number: int, delta: float) -> np.ndarray:
    x = inputs[number]
    start = x.numpy()
    columns: list[np.ndarray] = []
    for i in range(start.size):
        ends: list[np.ndarray] = []
        for sign in (1, -1):
            moved = np.array(start).reshape(-1)
            moved[i] += sign * delta
            values = list(inputs)
            values[number] = convert_to_tensor(moved.reshape(start.shape))
            ends.append(np.asarray(convert_to_tensor(f(*values))).astype(np.float64).reshape(-1))
        columns.append((ends[0] - ends[1]) / (2 * delta))
    if not columns:
        return np.zeros((0, 0), x.dtype.np)
    return np.stack(columns, 1).astype(x.dtype.np)
