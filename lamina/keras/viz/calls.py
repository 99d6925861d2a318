"""What a model calls, in order, with output shapes: found by recording one call, never by a run."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from lamina.engine import Tensor, Variable, context, nest, versions
from lamina.keras.core import KerasTensor, Layer, calling, walk
from lamina.keras.core.checks import label

__all__ = ["Call", "calls_of"]


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
        model: A built model.
        nested: Whether to list the calls inside of calls too.

    Raises:
        ValueError: the model is not built.
    """
    if getattr(model, "_graph", None) is not None:
        return _graph_calls(model, 0, nested)
    if not _has_call(model):
        return [Call(layer, 0, _own_shape(layer)) for layer in _held(model)]
    if not model.built or not (call_specs(model) or model.__dict__.get("_lm_build_shapes")):
        raise ValueError(
            f"{label(model)}: a summary needs the model to be built; it has never been called.\n"
            f"  Fix: model.build(input_shape), or call it on data, first."
        )
    found = record(model)
    reached = {id(call.layer) for call in found}
    found = [call for call in found if nested or call.depth == 0]
    return found + [Call(layer, 0, None) for layer in _held(model) if id(layer) not in reached]


def _has_call(model: Any) -> bool:
    """Return whether the class writes `call`, not only a base class of lamina's own."""
    kind = next(k for k in type(model).__mro__ if "call" in k.__dict__)
    return not kind.__module__.startswith(("lamina.keras.core", "lamina.keras.models"))


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
    with _unchanged(layer):
        return _shapes(_trace(layer, specs, free=True))


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
        if id(node.layer) not in shown:
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
    seen: list[Call] = []
    with _unchanged(layer), _observing(seen):
        calling.trace(layer, node.args, node.kwargs, [t._type for t in node.parents])
    return [call._replace(depth=call.depth + depth) for call in seen]


def is_chain(model: Any) -> bool:
    """Return whether a model's calls form one line, so that each has the one before as input."""
    graph = getattr(model, "_graph", None)
    if graph is None:
        return True
    used = [id(t) for node in graph.nodes for t in node.parents]
    single = all(len(node.parents) == 1 for node in graph.nodes if not node.is_input)
    return single and len(used) == len(set(used)) and len(graph.flat_inputs) == 1


# ---- recording one call -------------------------------------------------------------------------


def call_specs(layer: Any) -> dict[str, Any]:
    """Return the TensorSpecs, by argument of `call`, of the call that a layer was built by."""
    return layer.__dict__.get("_lm_call_specs", {})


def record(model: Any) -> list[Call]:
    """Record one call of a model and return what it calls; the batch size is left open.

    A `call` that needs to know the batch size gets the one that the model was built with.
    """
    try:
        return _record(model, free=True)
    except Exception:
        return _record(model, free=False)


def _record(model: Any, free: bool) -> list[Call]:
    seen: list[Call] = []
    with _unchanged(model), _observing(seen):
        specs = call_specs(model)
        if specs:
            _trace(model, specs, free)
        else:
            shapes = {k: calling.as_shapes(v) for k, v in model._lm_build_shapes.items()}
            if free:
                shapes = {k: _open_batch(v) for k, v in shapes.items()}
            first = [shapes.pop("input_shape")] if "input_shape" in shapes else []
            calling._trace_shapes(model, first, shapes)
    # The first to be called is the model itself.
    return [call._replace(depth=call.depth - 1) for call in seen if call.depth > 0]


def _trace(layer: Any, specs: dict[str, Any], free: bool) -> Any:
    """Record a call on inputs like `specs` and return the structure of its outputs."""

    def symbol(spec: Any) -> KerasTensor | None:
        if spec is None:
            return None
        shape = _open_batch(tuple(spec.shape)) if free else tuple(spec.shape)
        return KerasTensor(calling.symbolic_type(shape, spec.dtype))

    given = {name: nest.map_structure(symbol, spec) for name, spec in specs.items()}
    kinds = [t._type for t in nest.flatten(list(given.values())) if t is not None]
    return calling.trace(layer, (), given, kinds)[1]


@contextmanager
def _observing(seen: list[Call]) -> Iterator[None]:
    """Note every layer call inside the block in `seen`, tf.functions included."""
    depth = 0

    def observer(layer: Any, args: Any, kwargs: Any) -> Any:
        nonlocal depth
        place = len(seen)
        seen.append(Call(layer, depth, None))
        depth += 1

        def done(outputs: Any) -> None:
            nonlocal depth
            depth -= 1
            seen[place] = seen[place]._replace(shape=_shapes(outputs))

        return done

    eagerly = context.config.run_functions_eagerly
    context.local.observers.append(observer)
    # A tf.function that was traced before would not call its layers again.
    context.config.run_functions_eagerly = True
    try:
        yield
    finally:
        context.config.run_functions_eagerly = eagerly
        context.local.observers.remove(observer)


@contextmanager
def _unchanged(root: Any) -> Iterator[None]:
    """Put back, after the block, what its attributes were: losses, kept Tensors, counters.

    Variables need no care: a recorded assignment does not reach them.
    """
    objects = [root, *[v for _, v in walk(root) if not isinstance(v, Variable)]]
    before = [(vars(v), dict(vars(v))) for v in objects]
    inside = [
        (held, held.copy())
        for _, attributes in before
        for held in attributes.values()
        if type(held) in (list, dict, set)
    ]
    try:
        yield
    finally:
        for own, attributes in before:
            own.clear()
            own.update(attributes)
        for held, items in inside:
            held.clear()
            held.extend(items) if isinstance(held, list) else held.update(items)
        versions.tracked += 1


# ---- shapes and types ---------------------------------------------------------------------------


def _shapes(outputs: Any) -> Any:
    return nest.map_structure(lambda t: tuple(t.shape) if isinstance(t, Tensor) else None, outputs)


def _open_batch(shapes: Any) -> Any:
    """Return a shape, or each in a structure of shapes, with None for its first size."""
    if calling.is_shape(shapes):
        return (None, *shapes[1:]) if shapes else ()
    if isinstance(shapes, dict):
        return {k: _open_batch(v) for k, v in shapes.items()}
    return [_open_batch(v) for v in shapes]
