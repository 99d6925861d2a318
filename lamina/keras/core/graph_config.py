"""Functional models as configs, in Keras' form: layers, and the calls that connect them."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from lamina.engine import nest
from lamina.keras import registry
from lamina.keras.core import operations
from lamina.keras.core.checks import label
from lamina.keras.core.graph import Graph, InputLayer, OpLayer
from lamina.keras.core.layer import Layer
from lamina.keras.core.symbolic import KerasTensor, Node

__all__ = ["file_layers", "graph_config", "graph_from_config", "has_own_arguments"]


# ---- writing ----------------------------------------------------------------------------------


class _Numbering:
    """Which layers and calls of a graph a file holds, and how it names their outputs.

    A graph may start from the output of a layer, as in `Model(base.get_layer("b").output, y)`:
    that layer is outside of it, and an InputLayer stands in the file for its output.
    """

    def __init__(self, graph: Graph) -> None:
        self.cut = [t for t in graph.flat_inputs if not t.node.is_input]
        cut = {id(t) for t in self.cut}
        inside = [n for n in graph.nodes if not any(id(t) in cut for t in n.outputs)]
        kept = {id(n) for n in inside}
        called = {id(n.layer) for n in inside}
        self.layers = [la for la in graph.layers if id(la) in called]
        self.nodes: dict[int, list[Node]] = {
            id(la): [n for n in la._inbound_nodes if id(n) in kept] for la in self.layers
        }
        self._index = {id(n): i for nodes in self.nodes.values() for i, n in enumerate(nodes)}

    def history(self, tensor: KerasTensor) -> list[Any]:
        """Return [name of the layer, number of its call, number of the output]."""
        if any(tensor is t for t in self.cut):
            return [tensor.name, 0, 0]
        return [tensor.node.layer.name, self._index[id(tensor.node)], tensor.index]

    def end(self, tensor: KerasTensor) -> list[Any]:
        """Return the same for the model's inputs and outputs: calls of models count from 1."""
        name, index, place = self.history(tensor)
        counts_own = not any(tensor is t for t in self.cut) and _is_functional(tensor.node.layer)
        return [name, index + counts_own, place]


def _is_functional(layer: Any) -> bool:
    """Return whether a layer is what Keras calls Functional: a graph, but no Sequential."""
    own = layer.__dict__
    return own.get("_graph") is not None and "_lm_start" not in own


def file_layers(model: Any) -> list[Any]:
    """Return the layers of a functional or Sequential model that its files hold, in their order."""
    graph = model._graph
    if graph is None or "_lm_start" in model.__dict__:
        return list(model.layers)
    return [la for la in _Numbering(graph).layers if not isinstance(la, OpLayer)]


def graph_config(model: Any, base: type) -> dict[str, Any] | None:
    """Return the config of a functional model.

    Args:
        model: A model with a graph.
        base: The class Model.

    Returns:
        The name, the layers with their calls, and which outputs of layers are the model's inputs
        and outputs; with the further arguments of a subclass that takes these. None for one whose
        constructor makes the graph.

    Raises:
        ValueError: two layers have one name.
        TypeError: an argument of a call cannot be stored.
    """
    given: dict[str, Any] = {}
    if type(model).__init__ is not base.__init__:
        given = _bound(model)
        if not any(isinstance(t, KerasTensor) for t in nest.flatten(list(given.values()))):
            return None
    numbering = _Numbering(model._graph)
    _check_names(model, numbering)
    layers = [_input_config(t) for t in numbering.cut]
    layers += [_layer_config(layer, numbering) for layer in numbering.layers]
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": _mapped(model._graph.inputs, numbering.end),
        "output_layers": _mapped(model._graph.outputs, numbering.end),
    } | {
        name: registry.serialize_keras_object(value)
        for name, value in given.items()
        if name not in (*_OWN_KEYS, "inputs", "outputs")
    }


def _bound(model: Any) -> dict[str, Any]:
    """Return the arguments that a model's constructor was given, by name."""
    args, kwargs = model._captured
    bound = inspect.signature(type(model)).bind(*args, **kwargs)
    found: dict[str, Any] = {}
    for name, value in bound.arguments.items():
        kind = bound.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_KEYWORD:
            found |= value
        elif kind is inspect.Parameter.VAR_POSITIONAL:  # passed on to Model
            found |= dict(zip(("inputs", "outputs", "name"), value, strict=False))
        else:
            found[name] = value
    return found


def has_own_arguments(cls: type, base: type) -> bool:
    """Return whether the constructor of a subclass takes other arguments than Sequential's."""
    if cls.__init__ is base.__init__:
        return False
    parameters = inspect.signature(cls).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return any(
            p.kind is not p.VAR_KEYWORD and name not in ("layers", "trainable", "name")
            for name, p in parameters.items()
        )
    return "name" not in parameters or not set(parameters) <= {"layers", "trainable", "name"}


def _check_names(model: Any, numbering: _Numbering) -> None:
    names = [t.name for t in numbering.cut] + [la.name for la in numbering.layers]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise ValueError(
            f"{label(model)}: the layers of a functional model must have different names to be "
            f"saved; got {twice} more than once.\n  Fix: pass another name= to one of them."
        )


def _mapped(structure: Any, leaf: Any) -> Any:
    if isinstance(structure, dict):
        return {k: _mapped(v, leaf) for k, v in structure.items()}
    if isinstance(structure, tuple):
        return tuple(_mapped(v, leaf) for v in structure)
    if isinstance(structure, list):
        return [_mapped(v, leaf) for v in structure]
    return None if structure is None else leaf(structure)


def _input_config(tensor: KerasTensor) -> dict[str, Any]:
    made = InputLayer(batch_shape=tuple(tensor.shape), dtype=tensor.dtype.name, name=tensor.name)
    config = registry.serialize_keras_object(made)
    return {**config, "name": tensor.name, "inbound_nodes": []}


def _layer_config(layer: Any, numbering: _Numbering) -> dict[str, Any]:
    calls = [n for n in numbering.nodes[id(layer)] if not n.is_input]
    config = None
    written: list[Any] = [n.args for n in calls]
    if isinstance(layer, OpLayer):
        forms: list[Any] = [operations.as_keras(layer, args) for args in written]
        if forms and all(f is not None for f in forms):
            config, written = dict(forms[0][0]), [f[1] for f in forms]
    if config is None:
        config = registry.serialize_keras_object(layer)
    config["name"] = layer.name
    config["inbound_nodes"] = [
        {
            "args": [_encoded(a, numbering) for a in args],
            "kwargs": {k: _encoded(v, numbering) for k, v in node.kwargs.items()},
        }
        for node, args in zip(calls, written, strict=True)
    ]
    return config


def _encoded(value: Any, numbering: _Numbering) -> Any:
    if isinstance(value, KerasTensor):
        return {
            "class_name": "__keras_tensor__",
            "config": {
                "shape": list(value.shape),
                "dtype": value.dtype.name,
                "keras_history": numbering.history(value),
            },
        }
    if isinstance(value, tuple):
        return {"class_name": "__tuple__", "items": [_encoded(v, numbering) for v in value]}
    if isinstance(value, list):
        return [_encoded(v, numbering) for v in value]
    if isinstance(value, dict):
        return {k: _encoded(v, numbering) for k, v in value.items()}
    return registry.serialize_keras_object(value)


# ---- reading ----------------------------------------------------------------------------------


class _Reference:
    """A KerasTensor in a config: which layer, which of its calls, which output."""

    def __init__(self, history: Sequence[Any]) -> None:
        self.layer, self.call, self.output = history


class _NotYetError(Exception):
    """A call needs the output of one that was not made yet."""


@registry.decoder("__keras_tensor__")
def _reference(config: Any) -> Any:
    history = config.get("keras_history")
    if history is None:
        raise ValueError(
            f"a KerasTensor of a functional model must have a `keras_history`; got {config!r}."
        )
    return _checked(history)


def _checked(history: Any) -> _Reference:
    fits = (
        isinstance(history, list | tuple)
        and len(history) == 3
        and isinstance(history[0], str)
        and all(type(i) is int and i >= 0 for i in history[1:])
    )
    if not fits:
        raise ValueError(
            f"a KerasTensor is written as [layer's name, number of its call, number of the "
            f"output] in a functional model's config; got {history!r}."
        )
    return _Reference(history)


def graph_from_config(cls: type, config: Mapping[str, Any]) -> Any:
    """Return a new functional model from what `graph_config` gave.

    Args:
        cls: The class of the model; it takes `inputs`, `outputs`, `name` and `trainable`.
        config: The config, in Keras 3's form or in the older one of tf.keras 2.

    Raises:
        ValueError: the config names layers or calls that it does not hold, or calls that need
            each other.
        UnknownNameError: the class of a layer is unknown.
    """
    reader = _Reader(str(config.get("name")))
    for entry in config["layers"]:
        reader.add(entry)
    reader.connect()
    rest = registry.revive({k: v for k, v in config.items() if k not in _OWN_KEYS})
    rest |= {k: config[k] for k in ("name", "trainable") if config.get(k) is not None}
    parameters = inspect.signature(cls).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        later = {k: rest.pop(k) for k in ("name", "trainable") if k in rest and k not in parameters}
    else:
        later = {}
    ends = reader.ends(config["input_layers"]), reader.ends(config["output_layers"])
    made = cls(inputs=ends[0], outputs=ends[1], **rest)
    for key, value in later.items():
        setattr(made, key, value)
    return made


_OWN_KEYS = ("name", "trainable", "layers", "input_layers", "output_layers")


class _Reader:
    """The layers of a config, and the calls that were made so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.layers: dict[str, Any] = {}
        self.calls: dict[str, list[Node]] = {}
        self.waiting: dict[str, list[Any]] = {}
        self.joined: set[str] = set()  # operations that have their operands in one list

    def add(self, entry: Mapping[str, Any]) -> None:
        """Make the layer of an entry, and note its calls."""
        inner = entry.get("config") or {}
        name: Any = entry.get("name") or inner.get("name")
        if operations.is_keras(entry):
            function, arguments, joined = operations.from_keras(entry)
            layer: Any = OpLayer(function, arguments, name=name)
            self.joined |= {name} if joined else set()
        else:
            layer = registry.revive({k: v for k, v in entry.items() if k not in _CALL_KEYS})
            if name and "name" not in inner and isinstance(layer, Layer):
                layer.name = name  # a user's layer, whose captured arguments are without it
        if not hasattr(layer, "_inbound_nodes"):
            raise ValueError(
                f'Functional model "{self.name}": each entry of `layers` must describe a layer; '
                f"got {entry.get('class_name')!r}, which makes {type(layer).__name__}."
            )
        if name in self.layers:
            raise ValueError(
                f'Functional model "{self.name}": the layers\' names must differ; got {name!r} '
                f"twice."
            )
        self.layers[name] = layer
        self.calls[name] = list(layer._inbound_nodes) if isinstance(layer, InputLayer) else []
        self.waiting[name] = list(entry.get("inbound_nodes") or [])

    def connect(self) -> None:
        """Make the calls, each after those that it needs."""
        left = {name: calls for name, calls in self.waiting.items() if calls}
        while left:
            made = [self._call(name, calls) for name, calls in left.items()]
            if not any(made):
                raise ValueError(
                    f'Functional model "{self.name}": the calls of the layers {sorted(left)} need '
                    f"each other, or calls that the config does not hold.\n"
                    f"  Fix: check where the config comes from."
                )
            left = {name: calls for name, calls in left.items() if calls}

    def _call(self, name: str, calls: list[Any]) -> bool:
        """Make the first calls of a layer as far as their inputs exist; tell if there were any."""
        layer, count = self.layers[name], len(calls)
        while calls:
            try:
                args, kwargs = self._arguments(calls[0])
            except _NotYetError:
                break
            if name in self.joined and len(args) == 1 and isinstance(args[0], list | tuple):
                args = list(args[0])
            before = len(layer._inbound_nodes)
            layer(*args, **kwargs)
            if len(layer._inbound_nodes) == before:
                raise ValueError(
                    f'Functional model "{self.name}": a call of {label(layer)} must have the '
                    f"output of another layer among its arguments; got {calls[0]!r}."
                )
            self.calls[name].append(layer._inbound_nodes[-1])
            calls.pop(0)
        return len(calls) < count

    def _arguments(self, call: Any) -> tuple[list[Any], dict[str, Any]]:
        if isinstance(call, list):
            return self._older_arguments(call)
        args = self._put(registry.revive(list(call.get("args") or [])))
        return args, self._put(registry.revive(dict(call.get("kwargs") or {})))

    def _older_arguments(self, call: list[Any]) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments of a call in the form of tf.keras 2: [[layer, call, output, {}]]."""
        call = [call] if call and isinstance(call[0], str) else call
        tensors = [self.tensor(_checked(list(item[:3]))) for item in call]
        kwargs: dict[str, Any] = {}
        for item in call:
            for key, value in (item[3] if len(item) > 3 else {}).items():
                is_tensor = isinstance(value, list) and len(value) >= 3 and value[0] in self.layers
                kwargs[key] = (
                    self.tensor(_checked(value[:3])) if is_tensor else registry.revive(value)
                )
        return [tensors[0] if len(tensors) == 1 else tensors], kwargs

    def _put(self, value: Any) -> Any:
        if isinstance(value, _Reference):
            return self.tensor(value)
        if isinstance(value, dict):
            return {k: self._put(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self._put(v) for v in value)
        return value

    def tensor(self, reference: _Reference) -> KerasTensor:
        """Return what a reference stands for."""
        if reference.layer not in self.layers:
            raise ValueError(
                f'Functional model "{self.name}": the calls may use the layers '
                f"{sorted(self.layers)}; got {reference.layer!r}."
            )
        calls = self.calls[reference.layer]
        if reference.call >= len(calls):
            raise _NotYetError
        outputs = calls[reference.call].outputs
        if reference.output >= len(outputs):
            raise ValueError(
                f'Functional model "{self.name}": the layer "{reference.layer}" gives '
                f"{len(outputs)} outputs; number {reference.output} was asked for."
            )
        return outputs[reference.output]

    def ends(self, value: Any) -> Any:
        """Return the inputs or outputs of the model, in the structure that the config has."""
        if isinstance(value, Mapping):
            return {k: self.ends(v) for k, v in value.items()}
        if value is None:
            return None
        if len(value) == 3 and isinstance(value[0], str):
            reference = _checked(value)
            if _is_functional(self.layers.get(reference.layer, _NO_LAYER)):
                reference.call -= 1
            try:
                return self.tensor(reference)
            except _NotYetError:
                raise ValueError(
                    f'Functional model "{self.name}": the inputs and outputs must be outputs of '
                    f"calls that the config holds; got {list(value)}."
                ) from None
        return (tuple if isinstance(value, tuple) else list)(self.ends(v) for v in value)


_CALL_KEYS = ("name", "inbound_nodes")


class _NoLayer:
    """Stands for a layer that a config names but does not hold."""


_NO_LAYER = _NoLayer()
