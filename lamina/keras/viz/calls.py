"""The rows of a summary: what a model calls, in order, with output shapes; nothing runs."""

from typing import Any, NamedTuple

from lamina.engine import Tensor, nest
from lamina.keras.core import Layer, OpLayer
from lamina.keras.viz import recording
from lamina.keras.viz.recording import Recorded, call_specs, has_call

__all__ = ["Call", "calls_of", "is_chain", "is_described"]


class Call(NamedTuple):
    """One call of a layer inside a model.

    Attributes:
        layer: The layer, or a plain `tf.Module` that holds weights.
        depth: 0 for what the model calls itself, 1 for what those call, and so on.
        shape: The shape of the output, or a structure of shapes; None where `call` never gets.
        sources: "name[call][output]" of each input, known in functional models only.
    """

    layer: Any
    depth: int
    shape: Any
    sources: tuple[str, ...] = ()


def calls_of(model: Any, nested: bool = False) -> list[Call]:
    """Return the calls of a model in order, then the layers that it does not call.

    Args:
        model: A model. One that was neither built nor called gives the layers that it holds.
        nested: Whether to list the calls inside of calls too.
    """
    if getattr(model, "_graph", None) is not None:
        return _graph_calls(model, 0, nested)
    if not has_call(model):
        return [Call(layer, 0, _own_shape(layer)) for layer in _held(model)]
    if not is_described(model):
        return [Call(layer, 0, None) for layer in _held(model)]
    found = _calls_in(recording.record_as_built(model, is_open=False).calls)
    reached = {id(call.layer) for call in found}
    found = [call for call in found if nested or call.depth == 0]
    return found + [Call(layer, 0, None) for layer in _held(model) if id(layer) not in reached]


def is_described(model: Any) -> bool:
    """Return whether it is known what inputs a model takes: it was built, called, or wired."""
    if getattr(model, "_graph", None) is not None:
        return True
    known = call_specs(model) or model.__dict__.get("_lm_build_shapes") or not has_call(model)
    return bool(model.built and known)


def _held(model: Any) -> list[Any]:
    """Return the layers and modules with weights that a model holds directly."""
    return [v for v in model._children() if isinstance(v, Layer) or v.variables]


def _own_shape(layer: Any) -> Any:
    """Return the output shape of a layer for the shapes that it was built with, or None."""
    if getattr(layer, "_graph", None) is not None:
        return _shapes(layer._graph.outputs)
    specs = call_specs(layer) if isinstance(layer, Layer) and layer.built else {}
    if not specs:
        return None
    return _shapes(recording.record_as_built(layer, is_open=False).root.outputs)


# ---- functional models --------------------------------------------------------------------------


def _graph_calls(model: Any, depth: int, nested: bool) -> list[Call]:
    graph = model._graph
    numbers: dict[int, int] = {}
    sources: dict[int, str] = {}
    counts: dict[int, int] = {}
    for node in graph.nodes:
        numbers[id(node)] = counts.get(id(node.layer), 0)
        counts[id(node.layer)] = numbers[id(node)] + 1
        for i, t in enumerate(node.outputs):
            sources[id(t)] = f"{node.layer.name}[{numbers[id(node)]}][{i}]"
    shown = {id(layer) for layer in model.layers}
    order = {id(layer): i for i, layer in enumerate(graph.layers)}
    found: list[Call] = []
    for node in sorted(graph.nodes, key=lambda n: order[id(n.layer)]):
        if id(node.layer) not in shown and not isinstance(node.layer, OpLayer):
            continue
        given = tuple(sources[id(t)] for t in node.parents)
        found.append(Call(node.layer, depth, _shapes(node.structure), given))
        if nested and not node.is_input:
            found.extend(_calls_inside(node, depth + 1))
    return found


def _calls_inside(node: Any, depth: int) -> list[Call]:
    layer = node.layer
    if getattr(layer, "_graph", None) is not None:
        return _graph_calls(layer, depth, nested=True)
    seen = recording.record(layer, node.args, node.kwargs).calls
    return [call._replace(depth=call.depth + depth) for call in _calls_in(seen)]


def is_chain(model: Any) -> bool:
    """Return whether a model's calls form one line, so that each has the one before as input."""
    graph = getattr(model, "_graph", None)
    if graph is None:
        return True
    used = [id(t) for node in graph.nodes for t in node.parents]
    single = all(len(node.parents) == 1 for node in graph.nodes if not node.is_input)
    return single and len(used) == len(set(used)) and len(graph.flat_inputs) == 1


# ---- recorded calls -----------------------------------------------------------------------------


def _calls_in(seen: list[Recorded]) -> list[Call]:
    """Return the calls inside the first one."""
    depths = {id(seen[0]): -1}
    found: list[Call] = []
    for call in seen[1:]:
        depth = depths[id(call)] = depths[id(call.parent)] + 1
        found.append(Call(call.layer, depth, _shapes(call.outputs)))
    return found


def _shapes(outputs: Any) -> Any:
    return nest.map_structure(lambda t: tuple(t.shape) if isinstance(t, Tensor) else None, outputs)
