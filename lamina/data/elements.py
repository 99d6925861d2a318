"""Elements: structures of tuples and dicts with NumPy arrays, or Tensors, as leaves."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lamina.engine import Tensor, TensorShape, TensorSpec, as_dtype, convert_to_tensor, nest

__all__ = [
    "as_arrays",
    "as_tensors",
    "call",
    "dims_of",
    "has_strings",
    "is_fixed",
    "map_spec",
    "merge",
    "packed",
    "spec_of",
    "stack",
]


def as_arrays(value: Any, floats: Any = None) -> Any:
    """Return a value of a user's as an element: tuples and dicts stay, all else is an array.

    Args:
        value: Arrays, Tensors, numbers, strings, lists of these; tuples and dicts of such.
        floats: The dtype of Python floats; None is float32, as Tensors have it.
    """
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*[as_arrays(v, floats) for v in value])
    if isinstance(value, tuple):
        return tuple(as_arrays(v, floats) for v in value)
    if isinstance(value, Mapping):
        return {k: as_arrays(v, floats) for k, v in value.items()}
    if isinstance(value, np.ndarray) and value.dtype.kind not in "OUS":
        return value
    return np.asarray(convert_to_tensor(value, floats if isinstance(value, float) else None))


def packed(value: Any) -> Any:
    """Return what a user's function returned as an element.

    A list of parts is a tuple of them; a list further down is one Tensor, as in TF.
    """
    return _packed(tuple(value) if type(value) is list else value)


def _packed(value: Any) -> Any:
    if type(value) is tuple:
        return tuple(_packed(v) for v in value)
    if type(value) is dict:
        return {k: _packed(v) for k, v in value.items()}
    return convert_to_tensor(value) if type(value) is list else value


def call(function: Callable[..., Any], element: Any) -> Any:
    """Call a user's function of an element: the parts of a tuple are its arguments."""
    return function(*element) if type(element) is tuple else function(element)


def as_tensors(element: Any) -> Any:
    """Return an element with Tensors as leaves."""
    return nest.map_structure(convert_to_tensor, element)


def spec_of(element: Any) -> Any:
    """Return the shapes and dtypes of an element, as TensorSpecs."""
    return nest.map_structure(_leaf_spec, element)


def _leaf_spec(leaf: Any) -> TensorSpec:
    if isinstance(leaf, Tensor):
        return TensorSpec.from_tensor(leaf)
    array = np.asarray(leaf)
    dtype = "string" if array.dtype.kind in "OSU" else array.dtype
    return TensorSpec(array.shape, as_dtype(dtype))


def map_spec(change: Callable[[list[Any] | None], list[Any] | None], spec: Any) -> Any:
    """Return specs with other shapes.

    Args:
        change: A function of a shape, as a list of sizes or None.
        spec: A structure of TensorSpecs.
    """

    def one(leaf: TensorSpec) -> TensorSpec:
        return TensorSpec(change(dims_of(leaf)), leaf.dtype)

    return nest.map_structure(one, spec)


def dims_of(spec: TensorSpec) -> list[Any] | None:
    """Return a spec's sizes as a list, or None if its rank is unknown."""
    return None if spec.shape.rank is None else spec.shape.as_list()


def merge(first: Any, second: Any) -> Any:
    """Return the specs that elements of both fit: sizes that differ become None."""

    def one(a: TensorSpec, b: TensorSpec) -> TensorSpec:
        x, y = dims_of(a), dims_of(b)
        if x is None or y is None or len(x) != len(y):
            return TensorSpec(TensorShape(None), a.dtype)
        return TensorSpec([m if m == n else None for m, n in zip(x, y, strict=True)], a.dtype)

    return nest.map_structure(one, first, second)


def is_fixed(spec: Any) -> bool:
    """Return whether all shapes are known."""
    return all(leaf.shape.is_fully_defined() for leaf in nest.flatten(spec))


def has_strings(spec: Any) -> bool:
    """Return whether a leaf is a string."""
    return any(leaf.dtype.name == "string" for leaf in nest.flatten(spec))


def stack(elements: list[Any]) -> Any:
    """Return elements of one structure as one element, along a new first axis.

    Raises:
        ValueError: their shapes differ.
    """
    return nest.map_structure(_stack_leaves, *elements) if len(elements) > 1 else _alone(elements)


def _alone(elements: list[Any]) -> Any:
    return nest.map_structure(lambda leaf: _array(leaf)[None], elements[0])


def _stack_leaves(*leaves: Any) -> np.ndarray:
    arrays = [_array(leaf) for leaf in leaves]
    if any(a.shape != arrays[0].shape for a in arrays):
        other = next(a for a in arrays if a.shape != arrays[0].shape)
        raise ValueError(
            f"tf.data.Dataset.batch: the elements of a batch must have one shape; got "
            f"{arrays[0].shape} and {other.shape}.\n"
            f"  Fix: use padded_batch, or map them to one shape first."
        )
    return np.stack(arrays)


def _array(leaf: Any) -> np.ndarray:
    if isinstance(leaf, bytes | str):
        found = np.empty((), object)
        found[()] = leaf
        return found
    return np.asarray(leaf)
