"""The traced call graph: every call of every layer, what it costs, and where its data goes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lamina.engine import TensorSpec
from lamina.keras.core import checks
from lamina.keras.core.paths import match
from lamina.keras.viz import sizes

__all__ = ["Call", "CallGraph", "Edge"]


@dataclass(eq=False)
class Call:
    """One node of a call graph: a call of a layer, an operation, an input or an output.

    Attributes:
        id: Its place in `CallGraph.nodes`; the model itself has -1.
        role: "layer", "op" (a tf function in a layer's own `call`), "input" or "output".
        name: The layer's name, the operation's, or the argument's.
        kind: The class of the layer; the operation; "Input" or "Output".
        module: The module that the class is from, "" for operations.
        path: The attribute path of the layer in the model, "blocks[3].attention"; of an
            operation the path of the layer whose `call` it stands in.
        repeat: 0 for the first call of the layer, 1 for the second, and so on.
        parent: The `id` of the call around it, None at the top.
        depth: How many calls there are around it.
        inputs: Shapes and dtypes of the Tensors that it is given.
        outputs: Shapes and dtypes of the Tensors that it returns.
        parameters: The number of weight elements, layers inside included.
        trainable_parameters: Those that are trained.
        own_parameters: Those that the layer holds itself.
        is_counted: Whether the weights count here: at the first call that reaches them.
        is_trainable: The layer's `trainable`.
        flops: Floating-point operations, calls inside included; see `CallGraph`.
        activation_bytes: The size of what it computes for others: of a leaf its outputs, else
            the sum over the calls and operations inside.
        is_opaque: Whether it is one of lamina's own layers that calls others (RNN,
            Bidirectional…): what it computes around them belongs to itself.
        activation: The name of the layer's activation function, or None.
        where: (file, line) of the user's code that makes the call, or None.
        seconds: Measured time of the call alone, None where it was not measured.
        memory_bytes: Measured memory beyond inputs and weights, or None.
        layer: The layer itself, None for what is none.
    """

    id: int
    role: str
    name: str
    kind: str
    module: str = ""
    path: str = ""
    repeat: int = 0
    parent: int | None = None
    depth: int = 0
    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()
    parameters: int = 0
    trainable_parameters: int = 0
    own_parameters: int = 0
    is_counted: bool = True
    is_trainable: bool = True
    flops: float = 0.0
    activation_bytes: int = 0
    is_opaque: bool = False
    activation: str | None = None
    where: tuple[str, int] | None = None
    seconds: float | None = None
    memory_bytes: int | None = None
    layer: Any = field(default=None, repr=False)

    @property
    def output_shape(self) -> Any:
        """The shape of the output as a tuple; a list of them for several outputs."""
        shapes = [tuple(spec.shape) for spec in self.outputs]
        return shapes[0] if len(shapes) == 1 else shapes

    def to_dict(self) -> dict[str, Any]:
        """Return the call as plain values, for JSON."""
        made = {k: v for k, v in vars(self).items() if k != "layer"}
        made["inputs"] = [_plain(s) for s in self.inputs]
        made["outputs"] = [_plain(s) for s in self.outputs]
        return made

    def __repr__(self) -> str:
        again = f" #{self.repeat + 1}" if self.repeat else ""
        at = self.path if self.role == "layer" else self.name
        return (
            f"<Call {at}{again} ({self.kind}) → {sizes.shapes_text(self.outputs or self.inputs)}>"
        )


def _plain(spec: TensorSpec) -> dict[str, Any]:
    return {"shape": list(spec.shape), "dtype": spec.dtype.name}


@dataclass(frozen=True)
class Edge:
    """A Tensor that one node computes and another one uses.

    Attributes:
        source: The `id` of the node that it comes from.
        target: The `id` of the node that uses it.
        spec: Its shape and dtype.
    """

    source: int
    target: int
    spec: TensorSpec


@dataclass(eq=False)
class CallGraph:
    """What one call of a model calls, in order, with costs and the flow of data.

    `Model.graph` makes one by recording a call: nothing is compiled or computed. FLOPs count a
    multiply-add as 2, an element of an arithmetic function as 1, a reduction 1 for each element
    that goes in; the forward pass only. Numbers are for the batch that was given; where the batch
    size is open, for one example.

    Attributes:
        root: The model's own call, with the totals.
        nodes: The calls of layers and operations, inputs first and outputs last, each after
            the call around it and after what it needs.
        edges: The flow of data between them, skips included.
        uncalled: The paths of layers that the model holds and does not call.

    Example:
        >>> model = tf.keras.Sequential([tf.keras.layers.Dense(4), tf.keras.layers.Dense(1)])
        >>> graph = model.graph((None, 3))
        >>> [(call.kind, call.output_shape, call.flops) for call in graph.calls]
        [('Dense', (None, 4), 28.0), ('Dense', (None, 1), 9.0)]
        >>> graph.parameters
        21
    """

    root: Call
    nodes: list[Call]
    edges: list[Edge]
    uncalled: list[str] = field(default_factory=list)

    @property
    def calls(self) -> list[Call]:
        """The calls of layers, without operations, inputs and outputs."""
        return [node for node in self.nodes if node.role == "layer"]

    @property
    def inputs(self) -> list[Call]:
        """The inputs of the model."""
        return [node for node in self.nodes if node.role == "input"]

    @property
    def outputs(self) -> list[Call]:
        """The outputs of the model."""
        return [node for node in self.nodes if node.role == "output"]

    @property
    def parameters(self) -> int:
        """The number of weight elements, each weight counted once."""
        return self.root.parameters

    @property
    def flops(self) -> float:
        """Floating-point operations of the whole call."""
        return self.root.flops

    @property
    def activation_bytes(self) -> int:
        """The size of the outputs of all calls and operations."""
        return self.root.activation_bytes

    def find(self, pattern: str) -> list[Call]:
        """Return the calls of the layers whose path fits a pattern: `blocks[*].attention`.

        Raises:
            ValueError: no layer's path fits.
        """
        wanted = {id(layer) for _, layer in match(self.root.layer, pattern)}
        return [call for call in self.calls if id(call.layer) in wanted]

    def children(self, parent: Call | None = None) -> list[Call]:
        """Return the nodes directly inside a call; without one, those at the top."""
        at = None if parent is None or parent.id < 0 else parent.id
        return [node for node in self.nodes if node.parent == at]

    def sources(self, node: Call) -> list[Call]:
        """Return the nodes that give a node its data."""
        found = {e.source for e in self.edges if e.target == node.id}
        return [self.nodes[i] for i in sorted(found)]

    def targets(self, node: Call) -> list[Call]:
        """Return the nodes that use what a node computes."""
        found = {e.target for e in self.edges if e.source == node.id}
        return [self.nodes[i] for i in sorted(found)]

    def lifted(self, visible: Sequence[int]) -> list[tuple[int, int]]:
        """Return the edges between visible nodes, with hidden ends moved to the node around.

        Args:
            visible: Node ids; of what is inside a hidden part, its outermost node must be there.
        """
        shown = set(visible)

        def up(i: int) -> int | None:
            at: int | None = i
            while at is not None and at not in shown:
                at = self.nodes[at].parent
            return at

        found: dict[tuple[int, int], None] = {}
        for edge in self.edges:
            a, b = up(edge.source), up(edge.target)
            if a is not None and b is not None and a != b:
                found[a, b] = None
        return list(found)

    def to_dict(self) -> dict[str, Any]:
        """Return the whole graph as plain values, for JSON."""
        edges = [{"source": e.source, "target": e.target, **_plain(e.spec)} for e in self.edges]
        return {
            "model": self.root.to_dict(),
            "nodes": [node.to_dict() for node in self.nodes],
            "edges": edges,
            "uncalled": self.uncalled,
        }

    def __iter__(self) -> Iterator[Call]:
        return iter(self.calls)

    def __len__(self) -> int:
        return len(self.calls)

    def __getitem__(self, path: str | int) -> Call:
        """Return the one call at a path, or the i-th call.

        Raises:
            ValueError: no layer has the path, or it is called several times, or never.
        """
        if isinstance(path, int):
            return self.calls[path]
        found = self.find(path)
        if len(found) != 1:
            raise ValueError(
                f"{checks.label(self.root.layer)}: `graph[path]` takes the path of a layer that is "
                f"called once; {path!r} has {len(found)} calls.\n"
                f"  Fix: graph.find({path!r}) returns them all."
            )
        return found[0]

    def __str__(self) -> str:
        return sizes.table(self)

    def __repr__(self) -> str:
        return (
            f"<CallGraph of {self.root.name}: {len(self)} calls, {self.parameters:,} parameters, "
            f"{sizes.flops_text(self.flops)}>"
        )
