"""Elements: structures of tuples and dicts with NumPy arrays, Tensors or whole values as leaves.

A whole value is a leaf with a spec of its own (`_type_spec`): a ragged or sparse Tensor, a dataset,
an Optional. None is a leaf too, and stays None.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lamina.data import composites
from lamina.data import structure as nest
from lamina.engine import (
    Tensor,
    TensorShape,
    TensorSpec,
    Variable,
    as_dtype,
    convert_to_tensor,
    errors,
    local,
    ready,
)
from lamina.ops.optional import NoneTensorSpec

__all__ = [
    "SMALL",
    "as_arrays",
    "as_tensors",
    "call",
    "dims_of",
    "has_strings",
    "is_fixed",
    "is_plain",
    "is_whole",
    "map_spec",
    "merge",
    "packed",
    "packer",
    "spec_of",
    "stack",
    "tuples",
    "tuples_above",
]


SMALL = 64  # integers up to which Tensors keep their values for shape arithmetic


def is_whole(leaf: Any) -> bool:
    """Return whether a leaf is neither an array nor a Tensor, but has a spec of its own."""
    return hasattr(type(leaf), "_type_spec") and not isinstance(leaf, Tensor | Variable)


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
    if value is None or is_whole(value):
        return value
    if hasattr(value, "to_numpy") and hasattr(value, "columns"):  # a pandas DataFrame
        frame: Any = value
        value = frame.to_numpy()
        if value.dtype != object:
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


def tuples(structure: Any) -> Any:
    """Return a structure with tuples in place of lists."""
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*[tuples(s) for s in structure])
    if isinstance(structure, list | tuple):
        return tuple(tuples(s) for s in structure)
    if isinstance(structure, dict):
        return {k: tuples(v) for k, v in structure.items()}
    return structure


def tuples_above(value: Any) -> Any:
    """Return a value of a user's as a structure: a list of Tensors is a tuple."""
    if isinstance(value, list) and any(isinstance(v, Tensor | np.ndarray | tuple) for v in value):
        return tuple(value)
    return value


def call(function: Callable[..., Any], element: Any) -> Any:
    """Call a user's function of an element: the parts of a tuple are its arguments."""
    return function(*element) if type(element) is tuple else function(element)


def as_tensors(element: Any) -> Any:
    """Return an element with Tensors as leaves, and whole values."""
    kind = type(element)
    if kind is np.ndarray:
        return _tensor(element)
    if kind is tuple:
        return tuple([_tensor(e) if type(e) is np.ndarray else as_tensors(e) for e in element])
    if kind is dict:
        return {k: as_tensors(v) for k, v in element.items()}
    return nest.map_structure(_tensor, element)


def _tensor(leaf: Any) -> Any:
    """Return a leaf as a Tensor; an array that a stage made anew is not copied."""
    if type(leaf) is np.ndarray:
        kind = leaf.dtype.kind
        if kind in "fiub" and leaf.ndim and leaf.base is None and local.device is None:
            tensor = ready(leaf)
            if kind in "iu" and leaf.size <= SMALL:
                tensor._host = leaf
            return tensor
    elif leaf is None or is_whole(leaf):
        return composites.with_tensors(leaf)
    return convert_to_tensor(leaf)


def spec_of(element: Any) -> Any:
    """Return the shapes and dtypes of an element, as TensorSpecs."""
    return nest.map_structure(_leaf_spec, element)


def _leaf_spec(leaf: Any) -> Any:
    if isinstance(leaf, Tensor):
        return TensorSpec.from_tensor(leaf)
    if leaf is None:
        return NoneTensorSpec()
    if is_whole(leaf):
        return leaf._type_spec
    array = np.asarray(leaf)
    dtype = "string" if array.dtype.kind in "OSU" else array.dtype
    return TensorSpec(array.shape, as_dtype(dtype))


def map_spec(change: Callable[[list[Any] | None], list[Any] | None], spec: Any) -> Any:
    """Return specs with other shapes.

    Args:
        change: A function of a shape, as a list of sizes or None.
        spec: A structure of TensorSpecs.
    """

    def one(leaf: Any) -> Any:
        if type(leaf) is TensorSpec:
            return TensorSpec(change(dims_of(leaf)), leaf.dtype)
        return composites.reshaped_spec(leaf, change)

    return nest.map_structure(one, spec)


def dims_of(spec: Any) -> list[Any] | None:
    """Return a spec's sizes as a list, or None if its rank is unknown."""
    shape = getattr(spec, "shape", None)
    return None if shape is None or shape.rank is None else shape.as_list()


def merge(first: Any, second: Any) -> Any:
    """Return the specs that elements of both fit: sizes that differ become None."""

    def one(a: Any, b: Any) -> Any:
        if type(a) is not TensorSpec or type(b) is not TensorSpec:
            return a
        x, y = dims_of(a), dims_of(b)
        if x is None or y is None or len(x) != len(y):
            return TensorSpec(TensorShape(None), a.dtype)
        return TensorSpec([m if m == n else None for m, n in zip(x, y, strict=True)], a.dtype)

    return nest.map_structure(one, first, second)


def is_plain(spec: Any) -> bool:
    """Return whether all leaves are numbers: no strings, no whole values."""
    leaves = nest.flatten(spec)
    return all(type(s) is TensorSpec and s.dtype.name != "string" for s in leaves)


def is_fixed(spec: Any) -> bool:
    """Return whether all shapes are known."""
    return all(
        type(leaf) is TensorSpec and leaf.shape.is_fully_defined() for leaf in nest.flatten(spec)
    )


def has_strings(spec: Any) -> bool:
    """Return whether a leaf is a string."""
    return any(getattr(s, "dtype", None) == "string" for s in nest.flatten(spec))


def packer(structure: Any) -> Callable[[list[Any]], Any]:
    """Return the function that puts a list of leaves into a structure; fast for the usual ones."""
    if not nest.is_nested(structure):
        return lambda leaves: leaves[0]
    if type(structure) is tuple and not any(map(nest.is_nested, structure)):
        return tuple
    if type(structure) is dict and not any(map(nest.is_nested, structure.values())):
        places = [(key, i) for i, key in enumerate(sorted(structure))]
        order = {key: i for key, i in places}
        keys = [(key, order[key]) for key in structure]
        return lambda leaves: {key: leaves[i] for key, i in keys}
    return lambda leaves: nest.pack_sequence_as(structure, leaves)


def stack(elements: list[Any], spec: Any = None) -> Any:
    """Return elements of one structure as one element, along a new first axis.

    Args:
        elements: The elements.
        spec: Their specs, where a whole value may be among the leaves; None if none is.

    Raises:
        errors.InvalidArgumentError: their shapes differ.
    """
    if spec is not None and not all(type(s) is TensorSpec for s in nest.flatten(spec)):
        columns = zip(*[nest.flatten(e) for e in elements], strict=True)
        pairs = zip(columns, nest.flatten(spec), strict=True)
        return nest.pack_sequence_as(elements[0], [_stack_by(s, c) for c, s in pairs])
    return nest.map_structure(_stack_leaves, *elements) if len(elements) > 1 else _alone(elements)


def _stack_by(spec: Any, leaves: Any) -> Any:
    if leaves[0] is None:
        return None
    if type(spec) is TensorSpec:
        return _stack_leaves(*leaves)
    return composites.stack(spec, list(leaves))


def _alone(elements: list[Any]) -> Any:
    return nest.map_structure(_stack_leaves, elements[0])


def _stack_leaves(*leaves: Any) -> Any:
    if leaves[0] is None:
        return None
    if is_whole(leaves[0]) or type(leaves[0]) is composites.RaggedRow:
        return composites.stack(None, list(leaves))
    arrays = [_array(leaf) for leaf in leaves]
    first = arrays[0].shape
    for number, array in enumerate(arrays):
        if array.shape != first:
            raise errors.InvalidArgumentError(
                f"tf.data.Dataset.batch: the elements of a batch must have one shape; got "
                f"{first} for element 0 and {array.shape} for element {number}.\n"
                f"  Fix: use padded_batch or ragged_batch, or map them to one shape first."
            )
    return np.stack(arrays)


def _array(leaf: Any) -> np.ndarray:
    if isinstance(leaf, bytes | str):
        found = np.empty((), object)
        found[()] = leaf
        return found
    return np.asarray(leaf)
