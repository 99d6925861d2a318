"""The graph of objects in a checkpoint, as the message TrackableObjectGraph."""

from collections import deque
from typing import Any, NamedTuple

from lamina.checkpoint.edges import Value, edges, identity, value_of
from lamina.protos.wire import field, numbered

__all__ = ["GRAPH_KEY", "Held", "SavedNode", "collect", "graph_bytes", "parse_graph", "resolve"]

GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
_SAVED = "OBJECT_CONFIG_JSON"  # an attribute of older Keras checkpoints that is no tensor


class Held(NamedTuple):
    """An object on the way from the root: its path, edges (name, number) and value."""

    obj: Any
    path: str
    children: list[tuple[str, int]]
    value: Value | None

    def tensors(self) -> dict[str, Any]:
        """Return what goes into the file of the value, by key; nothing if there is none."""
        return {} if self.value is None else self.value.tensors(self.key)

    @property
    def key(self) -> str:
        """The name of the value in the file."""
        assert self.value is not None
        kind = f".ATTRIBUTES/{escaped(self.value.kind)}"
        return f"{self.path}/{kind}" if self.path else kind


class SavedNode(NamedTuple):
    """An object in a checkpoint: (name, number) of those it holds, and the keys of its values."""

    children: dict[str, int]
    attributes: dict[str, str]
    names: dict[str, str]


def escaped(name: str) -> str:
    """Return a name as a part of a key: without slashes."""
    return name.replace(".", "..").replace("/", ".S")


def collect(root: Any) -> list[Held]:
    """Return all objects below a root, breadth first, as TensorFlow numbers them."""
    numbers = {identity(root): 0}
    found = [Held(root, "", [], value_of(root))]
    kept: list[Any] = []  # objects made for the walk must outlive it: they are known by their ids
    queue = deque(found)
    while queue:
        node = queue.popleft()
        for name, child in edges(node.obj):
            kept.append(child)
            number = numbers.get(identity(child))
            if number is None:
                number = numbers[identity(child)] = len(found)
                path = f"{node.path}/{escaped(name)}" if node.path else escaped(name)
                found.append(Held(child, path, [], value_of(child)))
                queue.append(found[-1])
            node.children.append((name, number))
    return found


def graph_bytes(found: list[Held]) -> bytes:
    """Return the message for the objects of `collect`."""
    out = bytearray()
    for node in found:
        body = b"".join(
            field(1, field(1, number) + field(2, name)) for name, number in node.children
        )
        if node.value is not None:
            value = node.value
            body += field(2, field(1, value.kind) + field(2, value.name) + field(3, node.key))
        out += field(1, body + field(5, field(1, 1)))
    return bytes(out)


def parse_graph(data: bytes) -> list[SavedNode]:
    """Return the objects of a message.

    Raises:
        ValueError: it is no such message.
    """
    nodes = [_node(raw) for number, raw in numbered(data) if number == 1]
    if not nodes or any(n >= len(nodes) for node in nodes for n in node.children.values()):
        raise ValueError("its graph of objects is damaged")
    return nodes


def _node(data: Any) -> SavedNode:
    node = SavedNode({}, {}, {})
    for number, raw in numbered(data):
        if number == 1:
            child: dict[int, Any] = dict(numbered(raw))
            node.children[child.get(2, b"").decode()] = child.get(1, 0)
        elif number == 2:
            value: dict[int, Any] = dict(numbered(raw))
            kind = value.get(1, b"").decode()
            if kind != _SAVED:
                node.attributes[kind] = value.get(3, b"").decode()
                node.names[kind] = value.get(2, b"").decode()
    return node


def resolve(nodes: list[SavedNode], key: str) -> str | None:
    """Return the key of the value that a path of names leads to, by any of an object's names."""
    path, _, kind = key.rpartition("/.ATTRIBUTES/")
    here = 0
    for part in path.split("/"):
        name = part.replace(".S", "/").replace("..", ".")
        if name not in nodes[here].children:
            return None
        here = nodes[here].children[name]
    return nodes[here].attributes.get(kind)
