"""tf.keras.ops: values in and out, shapes and dtypes, parts of arrays."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import Tensor, Variable
from lamina.engine import custom_gradient as _custom_gradient
from lamina.engine.composite import Composite
from lamina.keras.core import graph_function
from lamina.keras.policy import standardize_dtype
from lamina.keras.promotion import is_int_dtype
from lamina.ops.composite import ArrayOfParts
from lamina.ops.indexing import scatter_into
from lamina.ops.ragged.tensor import RaggedTensor
from lamina.ops.sparse.making import to_dense
from lamina.ops.sparse.tensor import SparseTensor

__all__ = [
    "cast",
    "convert_to_numpy",
    "convert_to_tensor",
    "custom_gradient",
    "dtype",
    "is_tensor",
    "saturate_cast",
    "scatter",
    "scatter_update",
    "shape",
    "slice",
    "slice_update",
    "stop_gradient",
    "unstack",
]


# ---- values -----------------------------------------------------------------------------------


def convert_to_tensor(x: Any, dtype: Any = None, sparse: Any = None, ragged: Any = None) -> Any:
    """Return a value as a Tensor.

    Args:
        x: A Tensor, Variable, array, number or nested list; or a sparse or ragged Tensor.
        dtype: The dtype wanted; floats are cut off for an integer one. None keeps the value's.
        sparse: False makes a sparse Tensor dense; else it stays.
        ragged: False makes a ragged Tensor dense; else it stays.

    Example:
        >>> tf.keras.ops.convert_to_tensor([1.0, 2.5], dtype="int32").numpy()
        array([1, 2], dtype=int32)
    """
    if isinstance(x, ArrayOfParts):
        kept = ragged if isinstance(x, RaggedTensor) else sparse
        if kept is not None and not kept:
            x = _dense(x)
        return x if dtype is None else ops.cast(x, standardize_dtype(dtype))
    if dtype is None:
        return ops.convert_to_tensor(x)
    name = standardize_dtype(dtype)
    if isinstance(x, Tensor | Variable) or name == "bool" or is_int_dtype(name):
        return ops.cast(x, name)
    return ops.convert_to_tensor(x, name)


def _dense(x: Any) -> Tensor:
    """Return a sparse or ragged Tensor, or slices, as a dense one: 0 where there is nothing."""
    if isinstance(x, RaggedTensor):
        return x.to_tensor()
    return to_dense(x) if isinstance(x, SparseTensor) else ops.convert_to_tensor(x)


def convert_to_numpy(x: Any) -> np.ndarray:
    """Return a value as a NumPy array.

    Args:
        x: A Tensor, Variable, array, number or nested list; sparse and ragged Tensors are filled
            up with 0.

    Raises:
        TracedValueError: `x` has no value, in `tf.function` or a functional model.

    Example:
        >>> tf.keras.ops.convert_to_numpy(tf.constant([1, 2]))
        array([1, 2], dtype=int32)
    """
    if isinstance(x, Composite):
        x = _dense(x)
    return np.array(x.numpy() if isinstance(x, Tensor | Variable) else x)


def is_tensor(x: Any) -> bool:
    """Return whether a value is a Tensor or Variable, or a sparse or ragged Tensor.

    Args:
        x: Any object.

    Example:
        >>> tf.keras.ops.is_tensor(tf.constant(1)), tf.keras.ops.is_tensor(np.ones(1))
        (True, False)
    """
    return ops.is_tensor(x)


def cast(x: Any, dtype: Any) -> Tensor:
    """Return a value in another dtype.

    Args:
        x: Numbers, any shape.
        dtype: The dtype wanted, in any spelling.

    Returns:
        The shape of `x`.

    Example:
        >>> tf.keras.ops.cast(tf.constant([1.7]), "int32").numpy()
        array([1], dtype=int32)
    """
    return ops.cast(x, standardize_dtype(dtype))


def saturate_cast(x: Any, dtype: Any) -> Tensor:
    """Return a value in another dtype; what does not fit becomes the nearest that does.

    Args:
        x: Numbers, any shape.
        dtype: The dtype wanted.

    Returns:
        The shape of `x`.

    Example:
        >>> tf.keras.ops.saturate_cast(tf.constant([-1.0, 300.0]), "uint8").numpy()
        array([  0, 255], dtype=uint8)
    """
    x, name = ops.convert_to_tensor(x), standardize_dtype(dtype)
    if name == "bool":
        return x if x.dtype == "bool" else ops.greater(x, ops.cast(0, x.dtype))
    return ops.cast(x, name) if x.dtype == "bool" else ops.saturate_cast(x, name)


def dtype(x: Any) -> str:
    """Return the name of the dtype of a Tensor or array.

    Args:
        x: What has a `dtype`.

    Example:
        >>> tf.keras.ops.dtype(tf.constant(1.0))
        'float32'
    """
    return standardize_dtype(x.dtype)


def shape(x: Any) -> tuple[Any, ...]:
    """Return the shape as a tuple: ints, and scalar Tensors where a size is not known yet.

    Args:
        x: A Tensor or array. Unknown sizes of a KerasTensor, and the sizes of a ragged Tensor's
            rows, are None.

    Example:
        >>> tf.keras.ops.shape(tf.ones((2, 3)))
        (2, 3)
    """
    x = x if isinstance(x, ArrayOfParts) else ops.convert_to_tensor(x)
    sizes = tuple(x.shape)
    if None not in sizes or type(x) is not Tensor:
        return sizes
    known = ops.shape(x)
    return tuple(known[i] if size is None else size for i, size in enumerate(sizes))


def stop_gradient(variable: Any) -> Tensor:
    """Return a value that counts as a constant for gradients.

    Args:
        variable: A Tensor, Variable or array.

    Returns:
        The same value.

    Example:
        >>> tf.keras.ops.stop_gradient(tf.constant(2.0)).numpy()
        np.float32(2.0)
    """
    return ops.stop_gradient(variable)


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function a gradient of its own.

    Args:
        f: A function of Tensors that returns the result, and a function from the gradient of
            the result to those of the arguments.

    Returns:
        A function that returns the result.

    Example:
        >>> @tf.keras.ops.custom_gradient
        ... def straight_through(x):
        ...     return tf.keras.ops.round(x), lambda upstream: upstream
        >>> straight_through(tf.constant(1.6)).numpy()
        np.float32(2.0)
    """
    return _custom_gradient(f)


# ---- parts ------------------------------------------------------------------------------------


def scatter(indices: Any, values: Any, shape: Any) -> Tensor:
    """Return zeros with values added at some places.

    Args:
        indices: int, ``(N, K)``: a place in the first K axes for each value.
        values: ``(N, *shape[K:])``; values at one place add up.
        shape: The shape of the result.

    Returns:
        `shape`, the dtype of `values`.

    Example:
        >>> tf.keras.ops.scatter([[0], [2]], tf.constant([5.0, 7.0]), (4,)).numpy()
        array([5., 0., 7., 0.], dtype=float32)
    """
    return ops.scatter_nd(indices, values, shape)


_REDUCTIONS = {None: "set", "add": "add", "max": "max", "min": "min", "mul": "multiply"}


def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Tensor:
    """Return an array with some entries replaced, or combined with the updates.

    Args:
        inputs: An array.
        indices: int, ``(N, K)``: a place in the first K axes for each update.
        updates: ``(N, *inputs.shape[K:])``.
        reduction: None replaces; "add", "max", "min" or "mul" combine.

    Returns:
        Shape and dtype of `inputs`.

    Raises:
        ValueError: `reduction` is unknown.

    Example:
        >>> tf.keras.ops.scatter_update(tf.constant([1, 2, 3]), [[1]], [9]).numpy()
        array([1, 9, 3], dtype=int32)
    """
    how = reduction if reduction is None else str(reduction).lower()
    if how not in _REDUCTIONS:
        raise ValueError(
            f"scatter_update: `reduction` must be None, 'add', 'max', 'min' or 'mul'; got "
            f"{reduction!r}.\n  Fix: pass one of these."
        )
    return scatter_into(inputs, indices, updates, _REDUCTIONS[how])


def slice(inputs: Any, start_indices: Any, shape: Any) -> Tensor:
    """Return a block of an array.

    Args:
        inputs: An array.
        start_indices: int, where the block starts, one entry for each axis.
        shape: The shape of the block; -1 takes what is left.

    Returns:
        `shape`, the dtype of `inputs`.

    Example:
        >>> tf.keras.ops.slice(tf.constant([1, 2, 3, 4]), [1], [2]).numpy()
        array([2, 3], dtype=int32)
    """
    return ops.slice(inputs, start_indices, shape)


def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Tensor:
    """Return an array with a block replaced.

    Args:
        inputs: An array.
        start_indices: int, where the block starts, one entry for each axis.
        updates: The block.

    Returns:
        Shape and dtype of `inputs`.

    Raises:
        ValueError: the block does not fit.

    Example:
        >>> tf.keras.ops.slice_update(tf.constant([1, 2, 3]), [1], tf.constant([8, 9])).numpy()
        array([1, 8, 9], dtype=int32)
    """
    inputs = ops.convert_to_tensor(inputs)
    return ops.update_slice(inputs, convert_to_tensor(updates, inputs.dtype), start_indices)


@graph_function
def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """Return the slices along an axis.

    Args:
        x: An array.
        num: How many there are, where the axis has an unknown size.
        axis: The axis.

    Returns:
        A list of Tensors without the axis.

    Example:
        >>> [t.numpy() for t in tf.keras.ops.unstack(tf.constant([1, 2]))]
        [np.int32(1), np.int32(2)]
    """
    x = convert_to_tensor(x)
    if num is None and -x.ndim <= axis < x.ndim and x.shape[axis] is None:
        raise ValueError(
            f"unstack: `num` must be given where the size of the axis is unknown; got shape "
            f"{tuple(x.shape)}, axis {axis}."
        )
    return ops.unstack(x, num=num, axis=axis)
