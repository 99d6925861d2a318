"""Functions of tf.keras.backend: variables, constants, draws, values read and set."""

from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import numpy as np

from lamina import ops
from lamina.engine import Tensor, Variable, as_dtype, convert_to_tensor
from lamina.keras.core.symbolic import KerasTensor
from lamina.keras.policy import floatx, standardize_dtype

__all__ = [
    "arange",
    "batch_get_value",
    "batch_set_value",
    "cast_to_floatx",
    "clip",
    "constant",
    "count_params",
    "dtype",
    "eval",
    "eye",
    "get_value",
    "gradients",
    "int_shape",
    "is_keras_tensor",
    "is_sparse",
    "moving_average_update",
    "ndim",
    "ones",
    "random_bernoulli",
    "random_normal",
    "random_normal_variable",
    "random_uniform",
    "random_uniform_variable",
    "repeat",
    "set_value",
    "stop_gradient",
    "switch",
    "to_dense",
    "truncated_normal",
    "update",
    "update_add",
    "update_sub",
    "variable",
    "zeros",
]


# ---- variables and constants ------------------------------------------------------------------


def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Any:
    """Return a `tf.Variable`.

    Args:
        value: The start value.
        dtype: The dtype; None is `floatx()`.
        name: The name.
        constraint: A projection that optimizers apply after each update, or None.

    Example:
        >>> tf.keras.backend.variable([1, 2]).numpy()
        array([1., 2.], dtype=float32)
    """
    kind = as_dtype(dtype or floatx())
    return Variable(ops.cast(value, kind), dtype=kind, name=name, constraint=constraint)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Tensor:
    """Return a Tensor of a value.

    Args:
        value: A number, array or nested list.
        dtype: The dtype; None is `floatx()`.
        shape: The shape that a single value is repeated to, or None.
        name: Accepted, unused.

    Example:
        >>> tf.keras.backend.constant(1, shape=(2,)).numpy()
        array([1., 1.], dtype=float32)
    """
    return ops.constant(value, dtype=dtype or floatx(), shape=shape)


def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Return a variable of zeros; a Tensor where a size is 0.

    Args:
        shape: The shape.
        dtype: The dtype; None is `floatx()`.
        name: The name.
    """
    found = ops.zeros(shape, dtype or floatx())
    return variable(found, dtype, name) if all(found.shape) else found


def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Return a variable of ones; a Tensor where a size is 0.

    Args:
        shape: The shape.
        dtype: The dtype; None is `floatx()`.
        name: The name.
    """
    found = ops.ones(shape, dtype or floatx())
    return variable(found, dtype, name) if all(found.shape) else found


def eye(size: int, dtype: Any = None, name: str | None = None) -> Any:
    """Return a variable with ones on the diagonal, ``(size, size)``.

    Args:
        size: The number of rows.
        dtype: The dtype; None is `floatx()`.
        name: The name.
    """
    return variable(ops.eye(size, dtype=as_dtype(dtype or floatx())), dtype, name)


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = "int32") -> Tensor:
    """Return the numbers from `start` to before `stop`.

    Args:
        start: The first; without `stop`, the end, from 0 on.
        stop: The end, or None.
        step: The distance.
        dtype: The dtype.

    Example:
        >>> tf.keras.backend.arange(3).numpy()
        array([0, 1, 2], dtype=int32)
    """
    if stop is None:
        start, stop = 0, max(start, 0)
    return ops.cast(ops.range(start, stop, step), dtype)


def cast_to_floatx(x: Any) -> Any:
    """Return a value as `floatx()`: Tensors as Tensors, others as NumPy arrays.

    Args:
        x: A Tensor, Variable, array or number.

    Example:
        >>> tf.keras.backend.cast_to_floatx(np.array([1, 2])).dtype
        dtype('float32')
    """
    if isinstance(x, Tensor | Variable):
        return ops.cast(x, floatx())
    return np.asarray(x, dtype=floatx())


# ---- draws ------------------------------------------------------------------------------------


def random_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Tensor:
    """Draw from a normal distribution; the arguments are those of `tf.random.normal`."""
    return ops.normal(shape, mean, stddev, dtype or floatx(), seed)


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Tensor:
    """Draw from a normal distribution cut at two deviations; see `tf.random.truncated_normal`."""
    return ops.truncated_normal(shape, mean, stddev, dtype or floatx(), seed)


def random_uniform(
    shape: Any,
    minval: float = 0.0,
    maxval: float = 1.0,
    dtype: Any = None,
    seed: int | None = None,
) -> Tensor:
    """Draw evenly from a range; the arguments are those of `tf.random.uniform`."""
    return ops.uniform(shape, minval, maxval, dtype or floatx(), seed)


def random_bernoulli(
    shape: Any, p: float = 0.0, dtype: Any = None, seed: int | None = None
) -> Tensor:
    """Draw 1 with probability `p`, else 0.

    Args:
        shape: The shape.
        p: The probability, in [0, 1].
        dtype: The dtype; None is `floatx()`.
        seed: An int, or None for one from NumPy.
    """
    draws = ops.uniform(shape, 0.0, 1.0, floatx(), seed)
    return ops.cast(ops.less_equal(draws, p), dtype or floatx())


def random_normal_variable(
    shape: Any,
    mean: float,
    scale: float,
    dtype: Any = None,
    name: str | None = None,
    seed: int | None = None,
) -> Any:
    """Return a variable drawn from a normal distribution with deviation `scale`."""
    return variable(random_normal(shape, mean, scale, dtype, seed), dtype, name)


def random_uniform_variable(
    shape: Any,
    low: float,
    high: float,
    dtype: Any = None,
    name: str | None = None,
    seed: int | None = None,
) -> Any:
    """Return a variable drawn evenly from ``[low, high)``."""
    return variable(random_uniform(shape, low, high, dtype, seed), dtype, name)


# ---- values read and set ----------------------------------------------------------------------


def get_value(x: Any) -> Any:
    """Return the NumPy value of a Tensor or Variable; anything else as it is."""
    return x.numpy() if isinstance(x, Tensor | Variable) else x


def eval(x: Any) -> Any:
    """Return the NumPy value of a Tensor or Variable."""
    return get_value(x)


def batch_get_value(tensors: Iterable[Any]) -> list[Any]:
    """Return the NumPy values of some Tensors or Variables."""
    return [x.numpy() for x in tensors]


def set_value(x: Any, value: Any) -> None:
    """Assign a value to a variable, cast to its dtype."""
    x.assign(np.asarray(value, dtype=as_dtype(x.dtype).as_numpy_dtype))


def batch_set_value(tuples: Iterable[tuple[Any, Any]]) -> None:
    """Assign values to variables, given as pairs (variable, value)."""
    for x, value in tuples:
        set_value(x, value)


def update(x: Any, new_x: Any) -> Any:
    """Assign a value to a variable, and return the variable."""
    return x.assign(new_x)


def update_add(x: Any, increment: Any) -> Any:
    """Add to a variable, and return the variable."""
    return x.assign_add(increment)


def update_sub(x: Any, decrement: Any) -> Any:
    """Subtract from a variable, and return the variable."""
    return x.assign_sub(decrement)


def moving_average_update(x: Any, value: Any, momentum: Any) -> Any:
    """Move a variable towards a value: ``x * momentum + value * (1 - momentum)``.

    Args:
        x: The variable.
        value: The value, of its shape.
        momentum: How much stays, in [0, 1].

    Example:
        >>> v = tf.keras.backend.variable(0.0)
        >>> tf.keras.backend.moving_average_update(v, 1.0, 0.75).numpy()
        np.float32(0.25)
    """
    now = convert_to_tensor(x)
    change = (now - ops.cast(value, now.dtype)) * (1 - ops.cast(momentum, now.dtype))
    return x.assign_sub(change)


# ---- facts ------------------------------------------------------------------------------------


def dtype(x: Any) -> str:
    """Return the name of the dtype of a Tensor or Variable."""
    return standardize_dtype(x.dtype)


def int_shape(x: Any) -> tuple[int | None, ...] | None:
    """Return the shape as a tuple, None for unknown sizes."""
    try:
        return tuple(x.shape)
    except ValueError:
        return None


def ndim(x: Any) -> int:
    """Return the number of axes."""
    return len(x.shape)


def count_params(x: Any) -> int:
    """Return the number of entries."""
    return int(np.prod(tuple(x.shape), dtype=np.int64))


def is_keras_tensor(x: Any) -> bool:
    """Return whether a value is a KerasTensor.

    Args:
        x: Any object.

    Example:
        >>> tf.keras.backend.is_keras_tensor(tf.keras.Input((2,)))
        True
    """
    return isinstance(x, KerasTensor)


def is_sparse(tensor: Any) -> bool:
    """Return whether a value is a SparseTensor."""
    return type(tensor).__name__ == "SparseTensor"


def to_dense(tensor: Any) -> Any:
    """Return a SparseTensor as a Tensor; anything else as it is."""
    if not is_sparse(tensor):
        return tensor
    filled = ops.zeros([int(d) for d in tensor.shape], tensor.values.dtype)
    return ops.tensor_scatter_nd_update(filled, tensor.indices, tensor.values)


# ---- control ----------------------------------------------------------------------------------


def clip(x: Any, min_value: Any, max_value: Any) -> Tensor:
    """Return `x` moved into a range.

    Args:
        x: Real numbers, any shape.
        min_value: The least, or None.
        max_value: The greatest, or None; at least `min_value` counts.

    Example:
        >>> tf.keras.backend.clip(tf.constant([-1.0, 3.0]), 0.0, 2.0).numpy()
        array([0., 2.], dtype=float32)
    """
    x = convert_to_tensor(x)
    numbers = isinstance(min_value, int | float) and isinstance(max_value, int | float)
    if numbers and max_value < min_value:
        max_value = min_value
    if min_value is not None:
        x = ops.maximum(x, ops.cast(min_value, x.dtype))
    return x if max_value is None else ops.minimum(x, ops.cast(max_value, x.dtype))


def repeat(x: Any, n: int) -> Tensor:
    """Repeat rows along a new axis: ``(B, D)`` → ``(B, n, D)``.

    Args:
        x: Rank 2.
        n: How often.

    Raises:
        ValueError: `x` has another rank.
    """
    x = convert_to_tensor(x)
    if x.ndim != 2:
        raise ValueError(f"backend.repeat: `x` must have rank 2; got shape {tuple(x.shape)}.")
    return ops.tile(ops.expand_dims(x, 1), [1, n, 1])


def stop_gradient(variables: Any) -> Any:
    """Return a value, or several, that count as constants for gradients."""
    if isinstance(variables, list | tuple):
        return map(ops.stop_gradient, variables)
    return ops.stop_gradient(variables)


def _value(expression: Any) -> Any:
    return expression() if callable(expression) else expression


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """Return one of two values: by a single condition, or element by element.

    Args:
        condition: bool; its axes are the first of those of the values.
        then_expression: A Tensor, or a function that returns one.
        else_expression: Likewise.

    Raises:
        ValueError: the condition has more axes than the values.

    Example:
        >>> x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
        >>> tf.keras.backend.switch(tf.constant([True, False]), x, -x).numpy()
        array([[ 1.,  2.],
               [-3., -4.]], dtype=float32)
    """
    condition = ops.cast(condition, "bool")
    if condition.ndim == 0:
        return ops.cond(condition, lambda: _value(then_expression), lambda: _value(else_expression))
    first, second = convert_to_tensor(_value(then_expression)), _value(else_expression)
    if condition.ndim > first.ndim:
        raise ValueError(
            f"backend.switch: `condition` must not have more axes than the expressions; got "
            f"shapes {tuple(condition.shape)} and {tuple(first.shape)}."
        )
    for _ in range(first.ndim - condition.ndim):
        condition = ops.expand_dims(condition, -1)
    return ops.where(condition, first, second)


def gradients(loss: Any, variables: Sequence[Any]) -> NoReturn:
    """Raise an error, as with TF 2's eager execution: gradients need a tape.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError(
        "backend.gradients: gradients of a finished computation are not known; got a call outside "
        "of a graph.\n"
        "  Fix: with tf.GradientTape() as tape: loss = …; then tape.gradient(loss, variables)."
    )
