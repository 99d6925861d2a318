"""How the values of a call fit the inputs of a graph, and what its outputs are called."""

import warnings
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import Tensor, nest
from lamina.keras.core.checks import label
from lamina.keras.core.graph import Graph
from lamina.keras.core.symbolic import KerasTensor
from lamina.nest import flatten as flatten_whole

__all__ = ["alone", "match_inputs", "output_names_of"]


def output_names_of(graph: Graph) -> list[str]:
    """Return the names of the layers that give the outputs, made distinct."""
    names: list[str] = []
    for name in graph.output_names:
        count = 1
        unique = name
        while unique in names:
            unique, count = f"{name}_{count}", count + 1
        names.append(unique)
    return names


def alone(outputs: Any) -> Any:
    """Return the only entry of a list or tuple, other values as they are."""
    is_alone = isinstance(outputs, list | tuple) and len(outputs) == 1
    return outputs[0] if is_alone else outputs


def match_inputs(model: Any, graph: Graph, inputs: Any, check_sizes: bool = True) -> list[Any]:
    """Return the values for a graph's inputs, in order, from what a call was given.

    Args:
        model: The model, for messages.
        graph: What it runs.
        inputs: One value, or a list or dict of values.
        check_sizes: Whether sizes must be those of the inputs; the number of axes always must.
    """
    wanted = graph.flat_inputs
    if isinstance(inputs, dict):
        flat = _by_name(model, graph, inputs)
    else:
        if type(graph.inputs) not in (KerasTensor, list, tuple):
            _check_structure(model, graph, inputs)
        flat = nest.flatten(inputs)
    if len(flat) != len(wanted) and nest.has_composites(inputs):  # ragged or sparse values
        flat = flatten_whole(inputs)
    if len(flat) != len(wanted):
        raise ValueError(
            f"{label(model)}: expected {len(wanted)} inputs {graph.input_names}; got {len(flat)}."
        )
    return [_fitted(model, t, x, check_sizes) for t, x in zip(wanted, flat, strict=True)]


def _by_name(model: Any, graph: Graph, inputs: dict[str, Any]) -> list[Any]:
    """Return the values of a dict in the order of the graph's inputs."""
    is_dict = isinstance(graph.inputs, dict)
    names: list[Any] = list(graph.inputs) if is_dict else graph.input_names
    missing = [n for n in names if n not in inputs]
    if missing:
        raise ValueError(
            f"{label(model)}: the inputs by name must hold {names}; missing {missing}, got "
            f"{list(inputs)}."
        )
    if not is_dict:
        return [inputs[n] for n in names]
    if len(inputs) > len(names):
        _warn(model, graph, inputs)
    return nest.flatten({n: inputs[n] for n in names})


def _check_structure(model: Any, graph: Graph, inputs: Any) -> None:
    """Refuse values in a list for named inputs whose order a list cannot tell; warn of others."""
    if isinstance(graph.inputs, dict) and list(graph.inputs) != sorted(graph.inputs):
        raise ValueError(
            f"{label(model)}: the inputs must be a dict with the keys {list(graph.inputs)}, which "
            f"are not in alphabetical order; got {_shown(inputs)}.\n"
            f"  Fix: pass a dict."
        )
    _warn(model, graph, inputs)


def _warn(model: Any, graph: Graph, inputs: Any) -> None:
    expected = nest.map_structure(lambda t: t.name, graph.inputs)
    warnings.warn(
        f"The structure of `inputs` doesn't match the expected structure.\n{label(model)}: "
        f"expected {expected}; got {_shown(inputs)}.\n"
        f"  Fix: pass the inputs in the structure that the model was made with.",
        stacklevel=6,
    )


def _shown(inputs: Any) -> Any:
    return nest.map_structure(lambda x: tuple(np.shape(x)), inputs)


def _fitted(model: Any, wanted: KerasTensor, value: Any, check_sizes: bool) -> Any:
    """Check a value against an input, adding or dropping a last axis of size 1 as Keras does."""
    if not isinstance(value, Tensor):
        start = wanted.node.layer
        if value is None and wanted.node.is_input and not start.optional:
            raise ValueError(
                f'{label(model)}: the input "{start.name}" is not optional; got None.\n'
                f"  Fix: pass a value, or declare it by tf.keras.Input(..., optional=True)."
            )
        return value
    shape, given = tuple(wanted.shape), tuple(value.shape)
    if len(given) == len(shape) + 1 and given[-1] == 1:
        value, given = ops.squeeze(value, -1), given[:-1]
    elif len(given) == len(shape) - 1 and shape[-1] == 1:
        value, given = ops.expand_dims(value, -1), (*given, 1)
    fits = len(shape) == len(given) and all(
        # The size of the batch may differ from that of the call that built the model.
        i == 0 or a is None or b is None or a == b or not check_sizes
        for i, (a, b) in enumerate(zip(shape, given, strict=True))
    )
    if not fits:
        raise ValueError(
            f'{label(model)}: input "{wanted.node.layer.name}" must have shape {shape}; got '
            f"{given}, dtype {value.dtype.name}."
        )
    if value.dtype is not wanted.dtype:
        mask = value._keras_mask
        value = ops.cast(value, wanted.dtype)
        if mask is not None:
            value._keras_mask = mask
    return value
