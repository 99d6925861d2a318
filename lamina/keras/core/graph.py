"""Graph: a functional model as calls of layers on KerasTensors; order and run."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lamina.engine import Op, as_dtype, masks, nest
from lamina.engine.identity import identity
from lamina.keras.core import operations
from lamina.keras.core.layer import Layer
from lamina.keras.core.symbolic import KerasTensor, Node, symbolic_type
from lamina.keras.naming import auto_name
from lamina.nest import flatten as flatten_whole

__all__ = ["Graph", "Input", "InputLayer", "OpLayer", "clone_graph"]


class InputLayer(Layer):
    """The place where data enters a functional model; made by `tf.keras.Input`.

    Args:
        shape: The shape without the batch axis, None for unknown sizes.
        batch_size: The size of the batch axis, or None.
        dtype: The dtype of the data.
        sparse: Whether the data is a `tf.SparseTensor`; layers see it dense in their shapes.
        ragged: Whether the data is a `tf.RaggedTensor`.
        batch_shape: The shape with the batch axis, in place of `shape`.
        input_tensor: A KerasTensor to use, or None.
        optional: Whether None may be given.
        name: The name.
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: Any = None,
        ragged: Any = None,
        batch_shape: Any = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if "input_shape" in kwargs:
            shape = kwargs.pop("input_shape")
        if "batch_input_shape" in kwargs:
            batch_shape = kwargs.pop("batch_input_shape")
        super().__init__(name=name or auto_name("input_layer"), **kwargs)
        for argument, value in (("shape", shape), ("batch_size", batch_size)):
            if value is not None and batch_shape is not None:
                raise ValueError(
                    f'InputLayer "{self.name}": `{argument}` or `batch_shape` must be given, not '
                    f"both; got {value} and {batch_shape}.\n"
                    f"  Fix: `batch_shape` holds the batch size too."
                )
        if input_tensor is not None:
            given = {"shape": shape, "batch_shape": batch_shape, "batch_size": batch_size}
            given |= {"dtype": dtype, "sparse": sparse, "ragged": ragged}
            batch_shape = _checked_symbol(self, input_tensor, given)
            sparse, ragged = input_tensor.sparse, input_tensor.ragged
        elif batch_shape is None:
            if shape is None:
                raise ValueError(
                    f'InputLayer "{self.name}": `shape` or `batch_shape` must be given; got '
                    f"None.\n  Fix: tf.keras.Input(shape=(28, 28, 1)), or shape=() for scalars."
                )
            batch_shape = (batch_size, *_checked_shape(self, shape))
        self.batch_shape = tuple(batch_shape)
        self.sparse = bool(sparse)
        self.ragged = bool(ragged)
        self.optional = optional
        self.built = True
        self._input_dtype = as_dtype(
            dtype or (input_tensor.dtype if input_tensor is not None else self.dtype)
        ).name
        self._start(input_tensor, name)

    def _start(self, given: Any = None, name: str | None = None) -> KerasTensor:
        """Return the KerasTensor that stands for the data, `given` if it is one."""
        node = Node(self, (), {}, [])
        kind = symbolic_type(self.batch_shape, self._input_dtype)
        made = given if isinstance(given, KerasTensor) else KerasTensor.of(kind, node, 0)
        made._label = name
        node.outputs.append(made)
        node.structure = made
        return made

    @property
    def dtype(self) -> str:
        """The dtype of the data, by name."""
        return self.__dict__.get("_input_dtype") or self._policy.variable_dtype

    def call(self) -> Any:
        """Return None: the layer only stands for data."""

    def get_config(self) -> dict[str, Any]:
        """Return the settings by name."""
        return {
            "batch_shape": self.batch_shape,
            "dtype": self._input_dtype,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "name": self.name,
            "optional": self.optional,
        }


def _checked_shape(layer: Any, shape: Any) -> tuple[int | None, ...]:
    entries = (shape,) if isinstance(shape, int) else tuple(shape)
    if any(not (d is None or (isinstance(d, int | np.integer) and d >= 0)) for d in entries):
        raise ValueError(
            f'InputLayer "{layer.name}": `shape` must hold sizes and None; got {shape!r}.'
        )
    return tuple(None if d is None else int(d) for d in entries)


def _checked_symbol(layer: Any, symbol: Any, given: dict[str, Any]) -> tuple[int | None, ...]:
    """Return the shape of the KerasTensor that an InputLayer is made of, which says everything."""
    if not isinstance(symbol, KerasTensor):
        raise ValueError(
            f'InputLayer "{layer.name}": `input_tensor` must be a KerasTensor; got {symbol!r}.\n'
            f"  Fix: omit it, and call the model on the values."
        )
    own = {
        "shape": tuple(symbol.shape)[1:],
        "batch_shape": tuple(symbol.shape),
        "batch_size": symbol.shape[0],
        "dtype": symbol.dtype.name,
        "sparse": symbol.sparse,
        "ragged": symbol.ragged,
    }
    known = {k: v for k, v in given.items() if v is not None}
    for name in {"shape", "batch_shape"} & set(known):
        known[name] = _checked_shape(layer, known[name])
    if "dtype" in known:
        known["dtype"] = as_dtype(known["dtype"]).name
    wrong = [k for k, v in known.items() if v != own[k]]
    if wrong:
        raise ValueError(
            f'InputLayer "{layer.name}": `{wrong[0]}` must agree with `input_tensor`, which has '
            f"{own[wrong[0]]}; got {known[wrong[0]]}.\n  Fix: omit it."
        )
    return tuple(symbol.shape)


def Input(  # Keras' name
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: Any = None,
    ragged: Any = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
    **kwargs: Any,
) -> KerasTensor:
    """Return the KerasTensor that a functional model starts from.

    Args:
        shape: The shape without the batch axis, None for unknown sizes.
        batch_size: The size of the batch axis, or None.
        dtype: The dtype of the data; None takes `floatx`.
        sparse: Whether the data is a `tf.SparseTensor`; layers see it dense in their shapes.
        ragged: Whether the data is a `tf.RaggedTensor`.
        batch_shape: The shape with the batch axis, in place of `shape`.
        name: The name of the input.
        tensor: A KerasTensor to use, or None.
        optional: Whether None may be given.
        **kwargs: Older spellings: `batch_input_shape`.

    Example:
        >>> x = tf.keras.Input(shape=(4,))
        >>> tf.keras.Model(x, tf.keras.layers.Dense(2)(x)).output_shape
        (None, 2)
    """
    layer = InputLayer(
        shape,
        batch_size,
        dtype,
        sparse,
        ragged,
        batch_shape,
        input_tensor=tensor,
        optional=optional,
        name=name,
        **kwargs,
    )
    return layer._inbound_nodes[0].outputs[0]


class OpLayer(Layer):
    """One tf function applied to KerasTensors, as a layer of a functional model.

    Args:
        function: The operation's name, as `operations.name_of` gives it, or the operation.
        arguments: Its static arguments.
        name: The name; None takes the function's.

    Raises:
        ValueError: there is no such operation.
    """

    def __init__(
        self,
        function: Any,
        arguments: dict[str, Any] | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        given = isinstance(function, Op)
        named = operations.name_of(function) or function.label if given else function
        super().__init__(name=name or auto_name(named.rsplit(".", 1)[-1]), **kwargs)
        self.function = named
        self.arguments = operations.decode_arguments(arguments or {})
        self._operation = function if given else operations.find(function)
        self.built = True
        self.autocast = False

    def call(self, *operands: Any) -> Any:
        """Apply the function."""
        return self._operation(*operands, **self.arguments)

    def get_config(self) -> dict[str, Any]:
        """Return the settings by name."""
        return {
            "name": self.name,
            "function": self.function,
            "arguments": operations.encode_arguments(self),
        }


def _apply_op(op: Op, tensors: Sequence[Any], attributes: Any) -> Any:
    """Apply an operation to KerasTensors: a node of an OpLayer; its types come from the op."""
    key = (attributes, *[None if t is None else t._type for t in tensors])
    signature = op.signatures.get(key) or op._signature(key)
    layer = OpLayer(op, _known(op, attributes))
    node = Node(layer, tuple(tensors), {}, [t for t in tensors if isinstance(t, KerasTensor)])
    outputs = [KerasTensor.of(kind, node, i) for i, kind in enumerate(signature.outputs)]
    node.outputs = outputs
    present = [t for t in tensors if t is not None]
    if op.keeps_masks:
        masks.carry(op.label, present, outputs, lambda first, second: first)
    if op.host is not None and present:
        op._on_host(present, attributes, outputs)  # type: ignore[arg-type]
    if signature.container is None:
        node.structure = outputs[0]
    else:
        node.structure = outputs if signature.container is list else tuple(outputs)
    return node.structure


def _known(op: Op, attributes: Any) -> dict[str, Any]:
    """Return the attributes by name, with -1 for the one size of a shape that is unknown."""
    found = {k: v for k, v, _ in attributes}
    if op.label == "reshape" and sum(not isinstance(d, int) for d in found["shape"]) == 1:
        found["shape"] = tuple(d if isinstance(d, int) else -1 for d in found["shape"])
    return found


KerasTensor.apply_op = staticmethod(_apply_op)


class Graph:
    """The calls between the inputs and the outputs of a functional model.

    Args:
        inputs: A structure of KerasTensors.
        outputs: A structure of KerasTensors computed from them.
        name: The model's name, for messages.

    Attributes:
        nodes: The calls, each after those it needs.
        layers: The layers, in Keras' order: by distance from the outputs, farthest first.
        input_names: The names of the inputs.
        output_names: The names of the layers that give the outputs.
    """

    def __init__(self, inputs: Any, outputs: Any, name: str = "functional") -> None:
        self.inputs = inputs
        self.outputs = outputs
        self.flat_inputs: list[KerasTensor] = nest.flatten(inputs)
        self.flat_outputs: list[Any] = nest.flatten(outputs)
        self._check(name)
        # For inputs that a layer gives: the call of an InputLayer that stands for it.
        self._starts: dict[int, Node] = {}
        self.nodes, first_seen = self._sort(name)
        self.layers = self._ordered_layers(first_seen)
        self.input_names = [t.node.layer.name for t in self.flat_inputs]
        self.output_names = [t.node.layer.name for t in self.flat_outputs if t is not None]
        self._plan = self._planned()

    def _check(self, name: str) -> None:
        for what, tensors in (("inputs", self.flat_inputs), ("outputs", self.flat_outputs)):
            for t in tensors:
                if not isinstance(t, KerasTensor):
                    raise ValueError(
                        f'Model "{name}": `{what}` must be KerasTensors, from tf.keras.Input and '
                        f"layers called on them; got {t!r} ({type(t).__name__})."
                    )

    def _sort(self, name: str) -> tuple[list[Node], dict[int, int]]:
        """Return the nodes in an order that respects dependence, and layers by first visit."""
        ends = {id(t) for t in self.flat_inputs}
        done: dict[int, Node] = {}
        first_seen: dict[int, int] = {}
        # Nodes on the way to the input, each with the parents that were not visited yet. No
        # recursion: published models are a thousand calls deep.
        path: list[tuple[Node, Iterator[KerasTensor]]] = []

        def enter(tensor: KerasTensor) -> None:
            node = tensor.node
            if node is None or id(node) in done:
                return
            first_seen.setdefault(id(node.layer), len(first_seen))
            path.append((node, iter(self._parents(tensor, ends, name))))

        def visit(tensor: KerasTensor) -> None:
            enter(tensor)
            while path:
                node, parents = path[-1]
                for parent in parents:
                    enter(parent)
                    break
                else:
                    done[id(node)] = node
                    path.pop()

        for t in self.flat_outputs:
            if t is not None:
                visit(t)
        for t in self.flat_inputs:
            if t.node is not None and id(t.node) not in done:
                first_seen.setdefault(id(t.node.layer), len(first_seen))
                done[id(t.node)] = t.node
        return self._with_starts(list(done.values()), first_seen), first_seen

    def _with_starts(self, nodes: list[Node], first_seen: dict[int, int]) -> list[Node]:
        """Put an InputLayer in the place of each layer that gives an input, as Keras does.

        Such a layer is no part of the model: its weights are not the model's.
        """
        found: list[Node] = []
        for node in nodes:
            inputs = [] if node.is_input else [t for t in self.flat_inputs if t.node is node]
            for t in inputs:
                start = _start_for(t)
                self._starts[id(t)] = start
                first_seen[id(start.layer)] = first_seen[id(node.layer)]
                found.append(start)
            if not inputs:
                found.append(node)
        return found

    def _parents(self, tensor: KerasTensor, ends: set[int], name: str) -> list[KerasTensor]:
        """Return what the call of a tensor needs; nothing at the model's inputs."""
        if id(tensor) in ends:
            return []
        if tensor.node.is_input:
            raise ValueError(
                f'Model "{name}": the outputs depend on {tensor!r}, which is not among the '
                f"`inputs` {[t.name for t in self.flat_inputs]}.\n"
                f"  Fix: add it to `inputs`."
            )
        return tensor.node.parents

    def _ordered_layers(self, first_seen: dict[int, int]) -> list[Layer]:
        depth_of_node: dict[int, int] = {}
        depth_of_layer: dict[int, int] = {}
        layers: dict[int, Layer] = {}
        ends = {id(t) for t in self.flat_inputs}
        for node in reversed(self.nodes):
            layer = node.layer
            layers[id(layer)] = layer
            depth = max(depth_of_node.get(id(node), 0), depth_of_layer.get(id(layer), 0))
            depth_of_layer[id(layer)] = depth_of_node[id(node)] = depth
            if any(id(t) in ends for t in node.outputs):
                continue
            for parent in node.parents:
                key = id(self._starts.get(id(parent), parent.node))
                depth_of_node[key] = max(depth + 1, depth_of_node.get(key, 0))
        for t in self.flat_inputs:
            if t.node is not None and t.node.is_input:
                key = id(t.node.layer)
                depth_of_layer[key] = max(depth_of_layer.get(key, 0), depth_of_node[id(t.node)])
        return sorted(layers.values(), key=lambda la: (-depth_of_layer[id(la)], first_seen[id(la)]))

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for node in self.nodes:  # layers are pickled without their calls
            node.layer._inbound_nodes.append(node)
        self._plan = self._planned()

    def run(self, inputs: Sequence[Any], **options: Any) -> Any:
        """Call the layers on values, and return the outputs in the model's structure.

        Args:
            inputs: One value for each input, in order.
            **options: Passed to each layer that takes them, if the call did not give them.
        """
        values: dict[int, Any] = {
            identity(t): x for t, x in zip(self.flat_inputs, inputs, strict=True)
        }

        def value_of(x: Any) -> Any:
            return values[identity(x)] if isinstance(x, KerasTensor) else x

        for node, given_by, gives in self._plan:
            if given_by is not None:
                values[gives] = node.layer(values[given_by], **options)
                continue
            args = nest.map_structure(value_of, list(node.args))
            kwargs = nest.map_structure(value_of, node.kwargs) if node.kwargs else {}
            found = node.layer(*args, **kwargs, **options)
            given = [t for t in nest.flatten(found) if t is not None]
            if len(given) != len(node.outputs):  # ragged or sparse values, taken apart
                given = [t for t in flatten_whole(found) if t is not None]
            for t, value in zip(node.outputs, given, strict=True):
                values[identity(t)] = value
        if len(self.flat_outputs) == 1 and self.outputs is self.flat_outputs[0]:
            return values[identity(self.outputs)]
        return nest.map_structure(
            lambda t: None if t is None else values[identity(t)], self.outputs
        )

    def _planned(self) -> list[tuple[Node, int | None, int]]:
        """Return the nodes to run; for calls of one tensor on one, where it is and where to put it.

        Most calls are such, and need no look at structures.
        """
        start = {identity(t) for t in self.flat_inputs}
        plan: list[tuple[Node, int | None, int]] = []
        for node in self.nodes:
            if all(identity(t) in start for t in node.outputs):
                continue
            plain = (
                len(node.args) == 1
                and isinstance(node.args[0], KerasTensor)
                and not node.kwargs
                and node.structure is node.outputs[0]
            )
            plan.append(
                (node, identity(node.args[0]) if plain else None, identity(node.outputs[0]))
            )
        return plan


def _start_for(tensor: KerasTensor) -> Node:
    """Return a call of a new InputLayer that gives a tensor which is the output of a layer."""
    layer = InputLayer(batch_shape=tuple(tensor.shape), dtype=tensor.dtype.name, name=tensor.name)
    layer._inbound_nodes.clear()
    node = Node(layer, (), {}, [])
    node.outputs, node.structure = [tensor], tensor
    return node


def clone_graph(graph: Graph, clone: Any, call: Any = None, inputs: Any = None) -> Graph:
    """Return the same graph over other layers.

    Args:
        graph: The graph.
        clone: `clone(layer)` gives the new one for each layer.
        call: `call(layer, *args, **kwargs)` calls a new layer, and may call others after it.
        inputs: KerasTensors to start from, in the structure of the graph's; None makes new ones.
    """
    made: dict[int, Any] = {}
    tensors: dict[int, KerasTensor] = {}

    def new(layer: Layer) -> Any:
        if id(layer) not in made:
            made[id(layer)] = clone(layer)
        return made[id(layer)]

    def put(x: Any) -> Any:
        return tensors[id(x)] if isinstance(x, KerasTensor) else x

    for i, t in enumerate(graph.flat_inputs):
        if inputs is not None:
            tensors[id(t)] = nest.flatten(inputs)[i]
        elif not t.node.is_input:
            tensors[id(t)] = Input(batch_shape=tuple(t.shape), dtype=t.dtype, name=t.name)
        else:
            layer = new(t.node.layer)
            # A copy comes without the calls.
            is_called = bool(layer._inbound_nodes)
            tensors[id(t)] = layer._inbound_nodes[0].outputs[0] if is_called else layer._start()
    for node in graph.nodes:
        if node.is_input or all(id(t) in tensors for t in node.outputs):
            continue
        args = nest.map_structure(put, list(node.args))
        kwargs = nest.map_structure(put, node.kwargs) if node.kwargs else {}
        layer = new(node.layer)
        given = layer(*args, **kwargs) if call is None else call(layer, *args, **kwargs)
        outputs = [t for t in nest.flatten(given) if t is not None]
        for old, t in zip(node.outputs, outputs, strict=True):
            tensors[id(old)] = t
    return Graph(nest.map_structure(put, graph.inputs), nest.map_structure(put, graph.outputs))
