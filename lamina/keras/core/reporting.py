"""What a symbolic call reports, where a class says it itself: shapes and dtypes of the outputs.

By default they are those of the traced call. A class that writes `compute_output_spec`, or
`compute_output_shape`, has the last word, as in Keras: also where a run then gives something
else.
"""

import inspect
from collections.abc import Callable
from typing import Any

from lamina.engine import Tensor, TensorShape, TensorSpec, TensorType, as_dtype, nest, type_of
from lamina.engine import symbolic_dim as unknown
from lamina.keras.core.checks import label

__all__ = ["by_default", "by_shape", "by_spec", "is_shape", "says", "settled"]


def by_default(method: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a method of Layer as the default, which traces the call."""
    method._lm_default = True  # type: ignore[attr-defined]
    return method


def says(layer: Any, method: str) -> bool:
    """Return whether a layer's class overrides `compute_output_spec` or `compute_output_shape`."""
    return not hasattr(getattr(type(layer), method), "_lm_default")


def is_shape(value: Any) -> bool:
    """Return whether a value is one shape."""
    if isinstance(value, TensorShape):
        return True
    return isinstance(value, list | tuple) and all(d is None or isinstance(d, int) for d in value)


def settled(layer: Any, traced: Any, shapes: dict[str, Any]) -> Any:
    """Return the types of a call's outputs, in their structure, None where there is none.

    Args:
        layer: The layer.
        traced: What the traced call returned; None if it could not be traced.
        shapes: The shapes of the arguments that hold Tensors, by name.
    """
    if says(layer, "compute_output_shape"):
        return by_shape(layer, traced, shapes)
    types = nest.map_structure(_type, traced)
    if not layer._lm_reports_compute_dtype:
        return types
    dtype = as_dtype(layer.compute_dtype)
    return nest.map_structure(lambda t: None if t is None else type_of(t.dims, dtype), types)


def by_shape(layer: Any, traced: Any, shapes: dict[str, Any]) -> Any:
    """Return the types that `compute_output_shape` gives, in the compute dtype, as in Keras."""
    method = layer.compute_output_shape
    names = list(inspect.signature(method).parameters)
    if len(names) > 1 and any(f"{name}_shape" in names for name in shapes):
        given = {f"{k}_shape": s for k, s in shapes.items() if f"{k}_shape" in names}
        found = method(**given)
    else:
        found = method(next((s for k, s in shapes.items() if "mask" not in k), None))
    return _types(layer, found, traced, layer.compute_dtype)


def by_spec(layer: Any, found: Any, traced: Any) -> Any:
    """Return the types of what `compute_output_spec` returned: KerasTensors or TensorSpecs."""

    def read(leaf: Any) -> Any:
        if leaf is None or isinstance(leaf, Tensor):
            return _type(leaf)
        return TensorSpec(tuple(leaf.shape), getattr(leaf, "dtype", layer.compute_dtype))

    specs = nest.map_structure(read, found)
    known = _leaves_like(traced, specs)
    return nest.pack_sequence_as(
        specs,
        [
            spec if not isinstance(spec, TensorSpec) else _known_type(spec.shape, spec.dtype, t)
            for spec, t in zip(nest.flatten(specs), known, strict=True)
        ],
    )


def _type(t: Any) -> TensorType | None:
    return None if t is None else t._type


def _types(layer: Any, shapes: Any, traced: Any, dtype: Any) -> Any:
    structure = _as_structure(layer, shapes)
    leaves = nest.flatten(structure)
    known = _leaves_like(traced, structure)
    types = [_known_type(s, dtype, t) for s, t in zip(leaves, known, strict=True)]
    return nest.pack_sequence_as(structure, types)


def _as_structure(layer: Any, shapes: Any) -> Any:
    """Return a structure of TensorShapes, which are leaves."""
    if shapes is None or is_shape(shapes):
        return None if shapes is None else TensorShape(shapes)
    if isinstance(shapes, dict):
        return {name: _as_structure(layer, shape) for name, shape in shapes.items()}
    if isinstance(shapes, list | tuple):
        parts = [_as_structure(layer, shape) for shape in shapes]
        return parts if isinstance(shapes, list) else tuple(parts)
    raise ValueError(
        f"{label(layer)}: `compute_output_shape` must return a shape, or a structure of shapes; "
        f"got {shapes!r}.\n  Fix: return a tuple of sizes, None where one is unknown."
    )


def _leaves_like(traced: Any, structure: Any) -> list[Any]:
    """Return the traced outputs, where they are as many as the reported ones."""
    count = len(nest.flatten(structure))
    leaves = nest.flatten(traced)
    return leaves if traced is not None and len(leaves) == count else [None] * count


def _known_type(shape: Any, dtype: Any, traced: Any) -> TensorType | None:
    """Return the type of a reported shape; unknown sizes stay those of the traced output."""
    if shape is None:
        return None
    dims = None if traced is None else traced._type.dims
    if dims is None or len(dims) != len(shape):
        dims = (0,) * len(shape)
    sizes = [
        int(size) if size is not None else unknown(i) if isinstance(dim, int) else dim
        for i, (size, dim) in enumerate(zip(shape, dims, strict=True))
    ]
    return type_of(tuple(sizes), as_dtype(dtype))
