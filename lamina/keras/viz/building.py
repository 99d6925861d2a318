"""From a recorded call to the call graph: nodes, what they cost, and the edges between them."""

import math
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

from lamina.engine import Tensor, TensorSpec, TensorType, flops, nest, signatures, size_of
from lamina.keras.core import Layer, OpLayer, walk
from lamina.keras.core.paths import named_layers
from lamina.keras.viz.graph import Call, CallGraph, Edge
from lamina.keras.viz.recording import (
    Recorded,
    Recording,
    record,
    record_as_built,
    specs_in,
    symbols_for,
    with_dtypes,
)

__all__ = ["build", "graph_of", "recorded_calls", "recorded_ops", "recording_of"]

# Operations that run a recorded program: loops, branches, nested functions.
_SUBPROGRAMS = {
    "_call": "call",
    "_custom": "custom_gradient",
    "_recomputed": "recompute_grad",
    "_scan": "scan",
    "_switch": "cond",
    "_vectorized": "vectorized_map",
    "_while": "while_loop",
}
# Edges pass through these: they are conversions and handles, not steps of a computation.
_PASSED = ("cast", "identity", "stop_gradient")
# Another view of the same numbers: no new memory.
_VIEWS = ("reshape", "expand_dims", "squeeze", *_PASSED)


def graph_of(model: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> CallGraph:
    """Return the call graph of a model; see `Model.graph`."""
    return build(model, recording_of(model, args, kwargs))


def recording_of(model: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Recording:
    """Record a model's call on what stands for its inputs; on nothing, as it was built."""
    if not args and not kwargs:
        return record_as_built(model)
    leaves = nest.flatten([symbols_for(model, a) for a in [*args, *kwargs.values()]])
    given = nest.flatten([*args, *kwargs.values()])
    if not any(isinstance(t, Tensor) for t in leaves):
        raise ValueError(
            f"{model.name}.graph: an input must be data, a shape such as (None, 32), a "
            f"tf.TensorSpec, or a structure of these; got {args if args else kwargs!r}."
        )
    has_dtypes = any(hasattr(v, "dtype") for v in given)

    def symbols(dtype: Any) -> tuple[list[Any], dict[str, Any]]:
        named = {k: symbols_for(model, v, dtype) for k, v in kwargs.items()}
        return [symbols_for(model, a, dtype) for a in args], named

    if has_dtypes:
        return record(model, *symbols(model.compute_dtype))
    return with_dtypes(model, symbols)


def build(model: Any, recording: Recording) -> CallGraph:
    """Return the call graph of a recording, and remember which calls its nodes stand for."""
    return _Builder(model, recording).graph()


recorded_calls: weakref.WeakKeyDictionary[Call, Recorded] = weakref.WeakKeyDictionary()
"""The recorded call of each node of a graph that is one of a layer."""

recorded_ops: weakref.WeakKeyDictionary[Call, int] = weakref.WeakKeyDictionary()
"""The signature of each node that is an operation."""


class _Program:
    """One recorder's equations: who owns each, which are live, and which depend on data."""

    def __init__(self, closure: Any, calls: list[Recorded], recording: Recording) -> None:
        self.closure = closure
        self.equations = closure.equations
        self.calls = calls
        self.is_outermost = closure is recording.root.closure
        self.starts = [0]
        self.producer: list[int] = []
        for k, equation in enumerate(self.equations):
            count = len(signatures[equation[0]].outputs)
            self.starts.append(self.starts[-1] + count)
            self.producer.extend([k] * count)
        self.owner: list[Recorded | None] = [None] * len(self.equations)
        for call in calls:  # a call comes after the one around it
            self.owner[call.begin[0] : call.end] = [call] * (call.end - call.begin[0])
        self._give_masks_to_their_layers()
        self.live = [True] * len(self.equations)
        if self.is_outermost:
            self.live = self._live(recording.closed.trace.outputs)
        self.depends = self._depend(recording.closed.arguments)

    def _give_masks_to_their_layers(self) -> None:
        """What a layer computes after its `call`, a mask, belongs to it too."""
        last: dict[int, Recorded] = {}
        ends = sorted(self.calls, key=lambda c: c.end)
        at = 0
        for k, layer in enumerate(self.closure.layers):
            while at < len(ends) and ends[at].end <= k:
                last[id(ends[at].layer)] = ends[at]
                at += 1
            owner = self.owner[k]
            if layer is not None and (owner is None or owner.layer is not layer):
                self.owner[k] = last.get(id(layer), owner)

    def _live(self, outputs: Sequence[int]) -> list[bool]:
        wanted = {slot for slot in outputs if slot >= 0}
        for call in self.calls:
            for t in nest.flatten(call.outputs):
                if isinstance(t, Tensor) and t._trace is self.closure and t._slot >= 0:
                    wanted.add(t._slot)
        live = [False] * len(self.equations)
        for k in range(len(self.equations) - 1, -1, -1):
            if any(s in wanted for s in range(self.starts[k], self.starts[k + 1])):
                live[k] = True
                wanted.update(s for s in self.equations[k][1:] if s >= 0)
        return live

    def _depend(self, arguments: int) -> list[bool]:
        """Find which equations use an input, a call's result or a variable."""
        states = {s.start._slot for s in self.closure.variables.values()}
        depends: list[bool] = []
        for k, equation in enumerate(self.equations):
            found = False
            for slot in equation[1:]:
                if slot < 0:
                    found = not self.is_outermost or slot in states or ~slot < arguments
                else:
                    source = self.producer[slot]
                    found = depends[source] or self.owner[source] is not self.owner[k]
                if found:
                    break
            depends.append(found)
        return depends

    def cost(self, begin: int, end: int) -> float:
        """Return the FLOPs of a range of equations."""
        return sum(flops(self.equations[k][0]) for k in range(begin, end) if self.live[k])


class _Builder:
    def __init__(self, model: Any, recording: Recording) -> None:
        self.model = model
        self.recording = recording
        root = recording.root
        self.paths = {id(layer): path for path, layer in named_layers(model)}
        self.nodes: list[Call] = []
        self.node_of: dict[int, Call] = {}  # by id of a Recorded
        self.op_of: dict[tuple[int, int], Call] = {}  # by program and equation
        self.repeats: dict[int, int] = {}
        self.counted: set[int] = set()
        self.edges: dict[Edge, None] = {}
        self.programs = {
            id(closure): _Program(closure, calls, recording)
            for closure, calls in _by_closure(recording.calls)
        }
        self.scales = {id(root.closure): 1.0}
        self.inside = self._link_programs()
        self.below: dict[int | None, list[Recorded]] = {}
        for call in recording.calls:
            self.below.setdefault(None if call.parent is None else id(call.parent), []).append(call)

    # -- programs in programs

    def _link_programs(self) -> dict[tuple[int, int], list[_Program]]:
        """Find the equation that runs each inner program: (outer program, equation) → inner ones.

        An inner program is recorded just before the equation that runs it. What its calls cost
        is scaled so that it adds up to what the equation costs: the length of a scan.
        """
        found: dict[tuple[int, int], list[_Program]] = {}
        for key, program in self.programs.items():
            outer = self.programs.get(id(program.closure.parent))
            if outer is None or program.is_outermost:
                continue
            begin = _recorded_before(self.recording.calls, program, outer)
            for k in range(begin, len(outer.equations)):
                name = signatures[outer.equations[k][0]].name
                if name in _SUBPROGRAMS:
                    found.setdefault((id(outer.closure), k), []).append(program)
                    total = program.cost(0, len(program.equations)) if name != "_switch" else 0.0
                    ratio = flops(outer.equations[k][0]) / total if total else 1.0
                    self.scales[key] = self.scales.get(id(outer.closure), 1.0) * ratio
                    break
        return found

    # -- nodes

    def graph(self) -> CallGraph:
        """Make the nodes in order, then the edges."""
        root = self.recording.root
        made = self._call_node(root, None)
        made.id, made.depth = -1, 0
        self.node_of[id(root)] = made
        self._add_inputs()
        self._add_inside(root, None, made.depth)
        outputs = self._add_outputs()
        self._sum_up(made)
        self._connect()
        self._connect_outputs(outputs)
        return CallGraph(made, self.nodes, list(self.edges), self._uncalled())

    def _uncalled(self) -> list[str]:
        """Return the paths of the layers that no call reaches, nor a call of what they hold."""
        called = {id(call.layer) for call in self.recording.calls}
        entered = {id(call.layer) for call in self.recording.calls if not call.is_leaf}
        layers = {path: layer for path, layer in named_layers(self.model)}
        found: list[str] = []
        for path, layer in layers.items():
            if isinstance(layer, Layer) and id(layer) not in called:
                is_reached = any(id(v) in called for _, v in walk(layer))
                if id(_holder(path, layers) or self.model) in entered and not is_reached:
                    found.append(path)
        return found

    def _add(self, node: Call) -> Call:
        node.id = len(self.nodes)
        self.nodes.append(node)
        return node

    def _add_inputs(self) -> None:
        root = self.recording.root
        for name, value in root.named_arguments().items():
            tensors = [t for t in nest.flatten(value) if isinstance(t, Tensor)]
            names = _names_of_inputs(self.model, name, len(tensors))
            for t, shown in zip(tensors, names, strict=True):
                node = self._add(Call(0, "input", shown, "Input", outputs=specs_in(t)))
                self.op_of[id(root.closure), t._slot] = node

    def _add_outputs(self) -> list[tuple[Call, Tensor]]:
        found = nest.flatten(self.recording.root.outputs)
        tensors = [t for t in found if isinstance(t, Tensor)]
        names = [f"output_{i}" for i in range(len(tensors))] if len(tensors) > 1 else ["output"]
        given = self.recording.root.outputs
        if isinstance(given, dict) and len(given) == len(tensors):
            names = [str(key) for key in sorted(given)]
        made = []
        for name, t in zip(names, tensors, strict=True):
            made.append((self._add(Call(0, "output", name, "Output", inputs=specs_in(t))), t))
        return made

    def _add_inside(self, call: Recorded, parent: Call | None, depth: int) -> None:
        """Add the calls and operations directly inside a call, in order, and what they hold."""
        steps: list[tuple[Any, ...]] = []
        for i, inner in enumerate(self.below.get(id(call), ())):
            if inner.closure is call.closure:
                steps.append((inner.begin[0], 0, i, inner))
        program = self.programs[id(call.closure)]
        is_open = parent is None or not parent.is_opaque
        for k in range(call.begin[0], call.end):
            if program.owner[k] is call and program.live[k]:
                self._note_equation(steps, program, k, is_open)
        loose = [c for c in self.below.get(id(call), ()) if c.closure is not call.closure]
        for step in sorted(steps, key=lambda s: s[:3]):
            if isinstance(step[3], Recorded):
                self._add_call(step[3], parent, depth)
            else:
                node = self._add(self._op_node(program, step[3], call, parent, depth))
                inside = self.inside.get((id(program.closure), step[3]), ())
                taken = [c for c in loose if any(_is_in(c, p) for p in inside)]
                for inner in taken:
                    loose.remove(inner)
                    self._add_call(inner, node, depth + 1)
        for inner in loose:
            self._add_call(inner, parent, depth)

    def _note_equation(
        self, steps: list[tuple[Any, ...]], program: _Program, k: int, is_open: bool
    ) -> None:
        name = _op_name(program.equations[k][0])
        if is_open and name not in _PASSED and program.depends[k]:
            steps.append((k, 1, 0, k))

    def _add_call(self, call: Recorded, parent: Call | None, depth: int) -> None:
        node = self._add(self._call_node(call, parent))
        node.depth = depth
        self.node_of[id(call)] = node
        if not call.is_leaf:
            self._add_inside(call, node, depth + 1)

    def _call_node(self, call: Recorded, parent: Call | None) -> Call:
        layer = call.layer
        repeat = self.repeats.get(id(layer), 0)
        self.repeats[id(layer)] = repeat + 1
        weights = _elements(layer.weights)
        program = self.programs[id(call.closure)]
        is_op = isinstance(layer, OpLayer)
        node = Call(
            id=0,
            role="op" if is_op else "layer",
            name=layer.function.rsplit(".", 1)[-1] if is_op else layer.name,
            kind=layer.function if is_op else _kind(layer),
            module=type(layer).__module__,
            path=self.paths.get(id(layer), "" if layer is self.model else layer.name),
            repeat=repeat,
            parent=None if parent is None else parent.id,
            inputs=specs_in(list(_without_masks(call).values())),
            outputs=specs_in(call.outputs),
            parameters=weights,
            trainable_parameters=_elements(layer.trainable_weights),
            own_parameters=_elements(layer._own_variables()),
            is_counted=self._counts(layer, repeat),
            is_trainable=layer.trainable,
            flops=program.cost(call.begin[0], call.end) * self.scales.get(id(call.closure), 1.0),
            activation_bytes=_bytes(call.outputs) if call.is_leaf else 0,
            is_opaque=not call.is_leaf and not _is_open(layer),
            activation=_activation(layer),
            where=call.where,
            layer=layer,
        )
        recorded_calls[node] = call
        return node

    def _counts(self, layer: Any, repeat: int) -> bool:
        """Return whether a call is the first to reach its layer's weights."""
        if layer is self.model or not layer.weights:
            return True
        fresh = {id(v) for v in layer.weights} - self.counted
        self.counted |= {id(v) for v in layer._own_variables()}
        return bool(fresh) and repeat == 0

    def _op_node(
        self, program: _Program, k: int, call: Recorded, parent: Call | None, depth: int
    ) -> Call:
        signature = signatures[program.equations[k][0]]
        name = _op_name(signature.id)
        node = Call(
            id=0,
            role="op",
            name=name,
            kind=name,
            path=self.paths.get(id(call.layer), ""),
            parent=None if parent is None else parent.id,
            depth=depth,
            inputs=tuple(map(_spec, signature.inputs)),
            outputs=tuple(map(_spec, signature.outputs)),
            flops=flops(signature.id) * self.scales.get(id(program.closure), 1.0),
            activation_bytes=0 if name in _VIEWS else sum(map(size_of, signature.outputs)),
        )
        self.op_of[id(program.closure), k + _EQUATIONS] = node
        recorded_ops[node] = signature.id
        return node

    def _sum_up(self, root: Call) -> None:
        """Give calls that hold others the activation bytes of what they hold."""
        inside: dict[int | None, int] = {}
        for node in [*reversed(self.nodes), root]:
            recorded = recorded_calls.get(node)
            if recorded is not None and not recorded.is_leaf:
                own = _bytes(recorded.outputs) if node.is_opaque else 0
                node.activation_bytes = max(own, inside.get(None if node is root else node.id, 0))
            inside[node.parent] = inside.get(node.parent, 0) + node.activation_bytes

    # -- edges

    def _connect(self) -> None:
        for program in self.programs.values():
            for k, equation in enumerate(program.equations):
                target = self._node_at(program, k) if program.live[k] else None
                for slot in equation[1:] if target is not None else ():
                    self._connect_to(target, program, slot)

    def _connect_outputs(self, outputs: list[tuple[Call, Tensor]]) -> None:
        root = self.recording.root
        program = self.programs[id(root.closure)]
        for node, t in outputs:
            if t._trace is root.closure:
                self._connect_to(node, program, t._slot)

    def _connect_to(self, target: Call | None, program: _Program, slot: int) -> None:
        for source, spec in self._sources(program, slot):
            if target is not None and source is not target:
                edge = Edge(source.id, target.id, spec)
                self.edges.setdefault(edge, None)

    def _sources(self, program: _Program, slot: int) -> Iterator[tuple[Call, TensorSpec]]:
        """Yield (node, spec) for where a slot comes from, through conversions."""
        if slot < 0:
            node = self.op_of.get((id(program.closure), slot))
            if node is not None:
                yield node, node.outputs[0]
            return
        k = program.producer[slot]
        node = self._node_at(program, k)
        if node is not None:
            kinds = signatures[program.equations[k][0]].outputs
            yield node, _spec(kinds[slot - program.starts[k]])
            return
        if not program.depends[k]:
            return
        for before in program.equations[k][1:]:
            yield from self._sources(program, before)

    def _node_at(self, program: _Program, k: int) -> Call | None:
        """Return the node that computes an equation: an operation, a leaf, or an opaque call."""
        op = self.op_of.get((id(program.closure), k + _EQUATIONS))
        if op is not None:
            return op
        owner = program.owner[k]
        node = None if owner is None else self.node_of.get(id(owner))
        if node is None or owner is None or node.id < 0:
            return None
        return node if owner.is_leaf or node.is_opaque else None


_EQUATIONS = 1 << 40
"""Keys of `op_of`: input slots are negative, equations come from here on."""


def _by_closure(calls: list[Recorded]) -> list[tuple[Any, list[Recorded]]]:
    """Return each recorder with the calls in it, outer ones first."""
    outermost = calls[0].closure
    found: dict[int, tuple[Any, list[Recorded]]] = {}
    for call in calls:
        around = [call.closure]
        while around[-1] is not outermost:
            around.append(around[-1].parent)
        for closure in reversed(around):
            found.setdefault(id(closure), (closure, []))
        found[id(call.closure)][1].append(call)
    return list(found.values())


def _recorded_before(calls: list[Recorded], inner: _Program, outer: _Program) -> int:
    """Return how many equations a recorder had when the one inside it began."""
    return next(c.outside[id(outer.closure)] for c in calls if _is_in(c, inner))


def _is_in(call: Recorded, program: _Program) -> bool:
    """Return whether a call was recorded in a program or in one inside of it."""
    closure = call.closure
    while closure is not None and closure is not program.closure:
        closure = getattr(closure, "parent", None)
    return closure is not None


def _holder(path: str, layers: dict[str, Any]) -> Any:
    """Return the layer that holds the one at a path, None for the model."""
    while "." in path:
        path = path.rpartition(".")[0]
        if path in layers:
            return layers[path]
    return None


def _op_name(signature: int) -> str:
    name = signatures[signature].name
    return _SUBPROGRAMS.get(name) or name.strip("_")


def _kind(layer: Any) -> str:
    is_functional = type(layer).__name__ == "Model" and getattr(layer, "_graph", None) is not None
    return "Functional" if is_functional else type(layer).__name__


def _is_open(layer: Any) -> bool:
    """Return whether the operations in a layer's `call` are shown as nodes of their own."""
    kind = next(k for k in type(layer).__mro__ if "call" in k.__dict__)
    return hasattr(type(layer), "fit") or not kind.__module__.startswith("lamina.keras.")


def _activation(layer: Any) -> str | None:
    found = getattr(layer, "activation", None)
    name = getattr(found, "__name__", None) or getattr(found, "name", None)
    return name if isinstance(name, str) else None


def _without_masks(call: Recorded) -> dict[str, Any]:
    """Return a call's arguments without those masks that come along with the inputs."""
    masks = {mask for _, _, mask in call.layer._lm_spec.masks}
    return {k: v for k, v in call.named_arguments().items() if k not in masks}


def _names_of_inputs(model: Any, name: str, count: int) -> list[str]:
    graph = getattr(model, "_graph", None)
    if graph is not None and len(graph.input_names) == count:
        return list(graph.input_names)
    return [name] if count == 1 else [f"{name}_{i}" for i in range(count)]


def _elements(variables: Sequence[Any]) -> int:
    unique = {id(v): v for v in variables}
    return sum(math.prod(tuple(v.shape)) for v in unique.values())


def _spec(kind: TensorType) -> TensorSpec:
    return TensorSpec(kind.shape, kind.dtype)


def _bytes(outputs: Any) -> int:
    return sum(size_of(t._type) for t in nest.flatten(outputs) if isinstance(t, Tensor))
