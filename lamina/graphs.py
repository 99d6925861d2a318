"""tf.Graph and tf.Operation: the program of a `tf.function`, to look at; and its description.

A program is an `engine.Trace`. Graphs are views of traces: nothing is added to one, and sessions
do not exist.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from lamina.engine import Tensor, TensorSpec, errors, nest, placeholder, signatures
from lamina.engine.concrete import EagerConcreteFunction
from lamina.engine.ranks import OpenRank
from lamina.protos.graph import AttrValue, FunctionDef, GraphDef, NodeDef, shape_proto
from lamina.symbols import argument_specs, clean, node_name, structured_inputs, type_of

__all__ = ["Graph", "Operation", "described", "import_graph_def"]

_NO_GRAPHS = (
    "{}: graphs are not built by hand, there are no sessions; got a call of TensorFlow 1's API.\n"
    "  Fix: write the block as a Python function with @tf.function, and call it."
)


class _Finished:
    """The recorder of a graph's Tensors: they stand for values, and never have any."""

    eager = False
    alive = False
    parent = None
    what = "a tf.Graph"

    def materialize(self, tensor: Tensor) -> Any:
        """Raise: a graph holds no values."""
        raise errors.TracedValueError(
            f"tf.Graph: {tensor.name} is a symbol of a program and has no value.\n"
            f"  Fix: call the function, and use what it returns."
        )


class Operation:
    """A node of a graph.

    Attributes:
        graph: The graph.
        name: The node's name, unique in the graph.
        type: The type of the operation, as "MatMul".
        inputs: The Tensors that it takes.
        outputs: The Tensors that it makes.
        control_inputs: An empty list: order is that of the nodes.
        device: "": XLA places the program as a whole.
    """

    def __init__(
        self,
        graph: Graph,
        name: str,
        type: str,  # TF's name
        inputs: Sequence[Tensor],
        kinds: Sequence[Any],
    ) -> None:
        self.graph = graph
        self.name = name
        self.type = type
        self.inputs = tuple(inputs)
        self.outputs: list[Tensor] = []
        self.control_inputs: list[Any] = []
        self.device = ""
        for i, kind in enumerate(kinds):
            tensor = placeholder(kind, _Finished(), 0)
            tensor.__dict__.update(_name=f"{name}:{i}", op=self)
            self.outputs.append(tensor)

    def values(self) -> tuple[Tensor, ...]:
        """Return the Tensors that it makes."""
        return tuple(self.outputs)

    @property
    def node_def(self) -> Any:
        """The node as a message."""
        made = NodeDef(name=self.name, op=self.type, input=[_input_name(t) for t in self.inputs])
        for tensor in self.outputs[:1]:
            key = "dtype" if self.type == "Placeholder" else "T"
            made.attr[key].CopyFrom(AttrValue(type=tensor.dtype.as_datatype_enum))
            if self.type == "Placeholder":
                made.attr["shape"].CopyFrom(AttrValue(shape=shape_proto(tensor.shape)))
        return made

    def get_attr(self, name: str) -> Any:
        """Return an attribute: "T" or "dtype", and a placeholder's "shape".

        Raises:
            ValueError: the node has none of this name.
        """
        if self.outputs and name == ("dtype" if self.type == "Placeholder" else "T"):
            return self.outputs[0].dtype
        if self.type == "Placeholder" and name == "shape":
            return shape_proto(self.outputs[0].shape)
        raise ValueError(f'tf.Operation "{self.name}": no attribute named {name!r}.')

    def run(self, feed_dict: Any = None, session: Any = None) -> Any:
        """Refuse: there are no sessions.

        Args:
            feed_dict: Unused.
            session: Unused.

        Raises:
            UnimplementedError: always.
        """
        raise errors.UnimplementedError(_NO_GRAPHS.format("tf.Operation.run"))

    def __str__(self) -> str:
        return str(self.node_def)

    def __repr__(self) -> str:
        return f"<tf.Operation {self.name!r} type={self.type}>"


def _input_name(tensor: Tensor) -> str:
    name, _, place = tensor.name.rpartition(":")
    return name if place == "0" else tensor.name


class Graph:
    """The program of a `tf.function`, as `concrete_function.graph`; one made by hand is empty.

    Attributes:
        name: The function's name.
        inputs: The Tensors of the arguments, then of what it captures.
        outputs: The Tensors that it returns.
        captures: What it uses from outside, each with its Tensor among the inputs.
        structured_input_signature: As that of the concrete function.
        structured_outputs: Likewise.
        variables: The Variables that it reads or assigns.
        building_function: Whether it is that of a function.

    Example:
        >>> @tf.function
        ... def f(x):
        ...     return x * 2.0
        >>> graph = f.get_concrete_function(tf.TensorSpec([], tf.float32)).graph
        >>> [op.type for op in graph.get_operations()]
        ['Placeholder', 'Const', 'Mul', 'Identity']
    """

    def __init__(self) -> None:
        self.name = ""
        self.inputs: list[Tensor] = []
        self.outputs: list[Tensor] = []
        self.captures: list[tuple[Any, Tensor]] = []
        self.variables: tuple[Any, ...] = ()
        self.structured_input_signature: Any = None
        self.structured_outputs: Any = None
        self.building_function = False
        self.finalized = False
        self.seed: int | None = None
        self._operations: list[Operation] = []
        self._names: dict[str, int] = {}
        self._collections: dict[str, list[Any]] = {}

    # -- nodes

    def get_operations(self) -> list[Operation]:
        """Return the nodes, in the order in which they run."""
        return list(self._operations)

    @property
    def operations(self) -> list[Operation]:
        """The nodes, in the order in which they run."""
        return list(self._operations)

    @property
    def version(self) -> int:
        """The number of nodes."""
        return len(self._operations)

    def num_operations(self) -> int:
        """Return the number of nodes."""
        return len(self._operations)

    def get_operation_by_name(self, name: str) -> Operation:
        """Return a node.

        Raises:
            KeyError: there is none of this name.
        """
        for found in self._operations:
            if found.name == name:
                return found
        raise KeyError(f"tf.Graph: the name {name!r} refers to no operation of the graph.")

    def get_tensor_by_name(self, name: str) -> Tensor:
        """Return the Tensor of a name as "add:0".

        Raises:
            KeyError: there is none of this name.
            ValueError: the name has no ":" and number.
        """
        node, colon, place = name.rpartition(":")
        if not colon or not place.isdigit():
            raise ValueError(f'tf.Graph: a Tensor\'s name is "<operation>:<number>"; got {name!r}.')
        outputs = self.get_operation_by_name(node).outputs
        if int(place) >= len(outputs):
            raise KeyError(f"tf.Graph: {node!r} has {len(outputs)} outputs; got {name!r}.")
        return outputs[int(place)]

    def as_graph_element(
        self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True
    ) -> Any:
        """Return the Tensor or Operation that a name or an object stands for.

        Args:
            obj: A name, a Tensor or an Operation.
            allow_tensor: Whether it may be a Tensor.
            allow_operation: Whether it may be an Operation.

        Raises:
            KeyError: the graph does not hold it.
        """
        if not isinstance(obj, str):
            return obj
        if ":" in obj and allow_tensor:
            return self.get_tensor_by_name(obj)
        return self.get_operation_by_name(obj)

    def as_graph_def(
        self, from_version: int | None = None, add_shapes: bool = False, **kwargs: Any
    ) -> Any:
        """Return the nodes as a message, that prints as TensorFlow's GraphDef.

        It describes the program. The types of operations are lamina's where TensorFlow has no
        counterpart, and it cannot be run elsewhere: `tf.saved_model` is for that.

        Args:
            from_version: The first node, as `version` counts; None is all.
            add_shapes: Accepted; placeholders have their shapes.
            **kwargs: Accepted, unused.
        """
        made = GraphDef(node=[o.node_def for o in self._operations[from_version or 0 :]])
        made.versions.producer = 2304
        return made

    def unique_name(self, name: str, mark_as_used: bool = True) -> str:
        """Return the name, with a number behind it if it is taken.

        Args:
            name: The name.
            mark_as_used: Whether it is taken from now on.
        """
        count = self._names.get(name, 0)
        if mark_as_used:
            self._names[name] = count + 1
        return f"{name}_{count}" if count else name

    def get_name_scope(self) -> str:
        """Return "": no name scope is open in a finished program."""
        return ""

    def finalize(self) -> None:
        """Note that nothing is added from now on."""
        self.finalized = True

    # -- collections, as programs use them to keep things by a name

    def add_to_collection(self, name: str, value: Any) -> None:
        """Put a value into the list of this name."""
        self._collections.setdefault(name, []).append(value)

    def get_collection(self, name: str, scope: str | None = None) -> list[Any]:
        """Return a copy of the list of this name; `scope` is a pattern of names."""
        found = self._collections.get(name, [])
        if scope is None:
            return list(found)
        return [v for v in found if re.match(scope, getattr(v, "name", ""))]

    def get_collection_ref(self, name: str) -> list[Any]:
        """Return the list of this name itself."""
        return self._collections.setdefault(name, [])

    def get_all_collection_keys(self) -> list[str]:
        """Return the names of the lists."""
        return list(self._collections)

    def clear_collection(self, name: str) -> None:
        """Drop the list of this name."""
        self._collections.pop(name, None)

    # -- TensorFlow 1

    def as_default(self) -> Any:
        """Refuse: graphs are not built by hand.

        Raises:
            UnimplementedError: always.
        """
        raise errors.UnimplementedError(_NO_GRAPHS.format("tf.Graph.as_default"))

    def create_op(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse: graphs are not built by hand.

        Raises:
            UnimplementedError: always.
        """
        raise errors.UnimplementedError(_NO_GRAPHS.format("tf.Graph.create_op"))

    def gradient_override_map(self, op_type_map: Any) -> Any:
        """Refuse: `tf.custom_gradient` gives a function another gradient.

        Raises:
            UnimplementedError: always.
        """
        raise errors.UnimplementedError(
            "tf.Graph.gradient_override_map: operations have JAX's gradients.\n"
            "  Fix: @tf.custom_gradient on a function that calls the operation."
        )

    # -- making

    def _add(self, name: str, type: str, inputs: Sequence[Tensor], kinds: Sequence[Any]) -> Any:
        node = Operation(self, self.unique_name(name), type, inputs, kinds)
        self._operations.append(node)
        return node


def _graph_of(concrete: Any) -> Graph:
    """Return the graph of a concrete function; of any rank, that of one axis."""
    return _filled_graph(concrete.of_rank(1) if isinstance(concrete, OpenRank) else concrete)


def _filled_graph(concrete: Any) -> Graph:
    graph = Graph()
    graph.building_function = True
    graph.name = concrete.name
    graph.structured_input_signature = structured_inputs(concrete)
    graph.structured_outputs = concrete.structured_outputs
    if isinstance(concrete, EagerConcreteFunction):
        _fill_eager(graph, concrete)
        return graph
    graph.variables = concrete.variables
    trace = concrete.trace
    names = [clean(s.name) for s in argument_specs(concrete)]
    count = len(trace.inputs) - len(concrete.captured_inputs)
    handles: dict[int, Tensor] = {}
    for i, kind in enumerate(trace.inputs):
        if i < count:
            node = graph._add(names[i] if i < len(names) else "args", "Placeholder", [], [kind])
        else:
            held = concrete.captured_inputs[i - count]
            constant = isinstance(held, Tensor) and held._value is not None
            made = ("Const", "Const") if constant else ("ReadVariableOp", "ReadVariableOp")
            name = "Const" if constant else f"{clean(held.name.split(':')[0])}/Read"
            node = graph._add(name, made[1], [], [kind])
        handles[~i] = node.outputs[0]
        if node.type != "Const":
            graph.inputs.append(node.outputs[0])
            if i >= count:
                graph.captures.append((concrete.captured_inputs[i - count], node.outputs[0]))
    place = 0
    for equation in trace.equations:
        signature = signatures[equation[0]]
        inputs = [handles[s] for s in equation[1:]]
        name = node_name(signature.name)
        node = graph._add(name, type_of(signature.name), inputs, signature.outputs)
        for tensor in node.outputs:
            handles[place] = tensor
            place += 1
    outputs = list(zip(trace.outputs, trace.types, strict=True))
    returned = len(outputs) - len(concrete._closed.written)
    for slot, kind in outputs[:returned]:
        node = graph._add("Identity", "Identity", [handles[slot]], [kind])
        graph.outputs.append(node.outputs[0])
    written = zip(outputs[returned:], concrete._closed.written, strict=True)
    for (slot, _), variable in written:
        name = f"{clean(variable.name.split(':')[0])}/Assign"
        graph._add(name, "AssignVariableOp", [handles[slot]], [])
    return graph


def _fill_eager(graph: Graph, concrete: EagerConcreteFunction) -> None:
    """Give the graph of a function that runs as Python its one node."""
    for spec in argument_specs(concrete):
        node = graph._add(clean(spec.name), "Placeholder", [], [spec.type()])
        graph.inputs.append(node.outputs[0])
    graph._add(clean(concrete.name), "EagerPyFunc", graph.inputs, [])


# ---- what a concrete function says of itself ------------------------------------------------


def _shown(value: Any) -> str:
    """Return a structure as TF writes its type."""
    if isinstance(value, TensorSpec):
        return repr(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        fields: Any = value
        pairs = ", ".join(f"[{k!r}, {_shown(v)}]" for k, v in fields._asdict().items())
        return f"{type(value).__name__}[{pairs}]"
    if isinstance(value, list | tuple):
        kind = "List" if isinstance(value, list) else "Tuple"
        return f"{kind}[{', '.join(map(_shown, value))}]"
    if isinstance(value, dict):
        return f"Dict[{', '.join(f'[{k!r}, {_shown(v)}]' for k, v in value.items())}]"
    return f"Literal[{value!r}]"


class FunctionType:
    """The signature of a concrete function, as it is printed.

    Attributes:
        parameters: (kind, argument) of each parameter, by name.
        output: What it returns, TensorSpecs in place of Tensors.
        captures: What it uses from outside.
    """

    def __init__(self, concrete: Any) -> None:
        self.parameters = {} if concrete.given is None else concrete.given.named()
        self.output = concrete.structured_outputs
        self.captures = list(concrete.captured_inputs)
        self._known = not isinstance(concrete, EagerConcreteFunction)

    def __str__(self) -> str:
        lines = ["Input Parameters:"]
        lines += [f"  {n} ({kind}): {_shown(v)}" for n, (kind, v) in self.parameters.items()]
        if not self.parameters:
            lines.append("  None")
        lines += ["Output Type:", f"  {_shown(self.output) if self._known else 'Any'}"]
        lines.append("Captures:")
        held = [c for c in self.captures if not (isinstance(c, Tensor) and not c.shape.rank)]
        lines += [f"  {id(c)}: {TensorSpec(c.shape, c.dtype)!r}" for c in held] or ["  None"]
        return "\n".join(lines)

    def __repr__(self) -> str:
        shown = ", ".join(f"{n}: {_shown(v)}" for n, (_, v) in self.parameters.items())
        output = _shown(self.output) if self._known else "Any"
        return f"({shown}) -> {output}"


def described(concrete: Any, name: str) -> Any:
    """Return an attribute of a concrete function that describes it; the engine asks for it here.

    Raises:
        AttributeError: there is no such attribute.
    """
    make = _DESCRIPTIONS.get(name)
    if make is None:
        raise AttributeError(f"{type(concrete).__name__!r} object has no attribute {name!r}")
    return make(concrete)


def _function_def(concrete: Any) -> Any:
    nodes = [o.node_def for o in _graph_of(concrete).get_operations()]
    return FunctionDef(signature={"name": concrete.name}, node_def=nodes)


def _of_outputs(concrete: Any, what: Callable[[Any], Any]) -> Any:
    """Return what is asked for of each output; None for None, as in TF."""
    return nest.map_structure(lambda s: None if s is None else what(s), concrete.structured_outputs)


_DESCRIPTIONS = {
    "captured_inputs": lambda c: [],
    "variables": lambda c: (),
    "structured_outputs": lambda c: None,
    "function_def": _function_def,
    "function_type": FunctionType,
    "graph": _graph_of,
    "inference_fn": lambda c: c,
    "inputs": lambda c: _graph_of(c).inputs,
    "output_dtypes": lambda c: _of_outputs(c, lambda s: s.dtype),
    "output_shapes": lambda c: _of_outputs(c, lambda s: s.shape),
    "outputs": lambda c: _graph_of(c).outputs,
    "pretty_printed_signature": lambda c: lambda verbose=True: str(FunctionType(c)),
    "structured_input_signature": structured_inputs,
    "trainable_variables": lambda c: tuple(v for v in c.variables if v.trainable),
}


def import_graph_def(
    graph_def: Any,
    input_map: Any = None,
    return_elements: Any = None,
    name: str | None = None,
    op_dict: Any = None,
    producer_op_list: Any = None,
) -> Any:
    """Refuse: TensorFlow's graphs do not run here.

    Args:
        graph_def: A graph.
        input_map: Unused.
        return_elements: Unused.
        name: Unused.
        op_dict: Unused.
        producer_op_list: Unused.

    Raises:
        UnimplementedError: always.
    """
    raise errors.UnimplementedError(
        "tf.import_graph_def: graphs of TensorFlow operations do not run on XLA through JAX.\n"
        "  Fix: build the model in Python and load its weights, keras.models.load_model."
    )
