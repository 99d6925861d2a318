"""Gradients of a function by differences of its values: `tf.test.compute_gradient`."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina.engine import GradientTape, Tensor, convert_to_tensor

__all__ = ["compute_gradient"]


def compute_gradient(
    f: Callable[..., Any], x: Sequence[Any], delta: float | None = None
) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
    """Return the Jacobians of a function by its gradients, and by differences of its values.

    Args:
        f: A function of Tensors that returns one.
        x: Its arguments: float or complex Tensors.
        delta: The difference of an input; None takes one that fits the dtypes.

    Returns:
        Two tuples with an array ``(size of the result, size of the argument)`` for each argument:
        theoretical, and numeric. A complex number counts as two real ones, its parts.

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
    theory = tuple(_theoretical(f, inputs, i) for i in range(len(inputs)))
    return theory, tuple(_numeric(f, inputs, i, delta) for i in range(len(inputs)))


def _parts(array: np.ndarray) -> np.ndarray:
    """Return an array as a vector of real numbers: of complex ones both parts, in turn."""
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.view(np.real(flat).dtype) if np.iscomplexobj(flat) else flat


def _theoretical(f: Any, inputs: list[Tensor], number: int) -> np.ndarray:
    x = inputs[number]
    with GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        y = convert_to_tensor(f(*inputs))
    columns = _parts(np.zeros(x.shape.as_list(), x.dtype.np)).size
    rows: list[np.ndarray] = []
    for i in range(int(np.prod(y.shape.as_list()))):
        # The gradient for 1 is that of the real part, the one for i that of the imaginary part.
        for one in (1, 1j) if y.dtype.is_complex else (1,):
            seed = np.zeros(y.shape.as_list(), y.dtype.np)
            seed.reshape(-1)[i] = one
            gradient = tape.gradient(y, x, output_gradients=convert_to_tensor(seed))
            none = gradient is None
            rows.append(np.zeros(columns) if none else _parts(convert_to_tensor(gradient).numpy()))
    return np.reshape(rows, (len(rows), columns)).astype(x.dtype.real_dtype.np)


def _numeric(f: Any, inputs: list[Tensor], number: int, delta: float) -> np.ndarray:
    x = inputs[number]
    start = x.numpy()
    columns: list[np.ndarray] = []
    for i in range(_parts(start).size):
        ends: list[np.ndarray] = []
        for sign in (1, -1):
            moved = np.array(start)
            _parts(moved)[i] += sign * delta  # a view, since `moved` is contiguous
            values = list(inputs)
            values[number] = convert_to_tensor(moved)
            ends.append(_parts(convert_to_tensor(f(*values)).numpy()).astype(np.float64))
        columns.append((ends[0] - ends[1]) / (2 * delta))
    if not columns:
        rows = _parts(convert_to_tensor(f(*inputs)).numpy()).size
        return np.zeros((rows, 0), x.dtype.real_dtype.np)
    return np.stack(columns, 1).astype(x.dtype.real_dtype.np)
