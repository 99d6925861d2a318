"""GraphDef: a program as a message, its nodes by name."""

from typing import Any

from lamina.protos.enums import DATA_TYPE
from lamina.protos.messages import Field, Message
from lamina.protos.tensor import TensorProto, TensorShapeProto

__all__ = ["AttrValue", "FunctionDef", "GraphDef", "NodeDef", "OpDef", "VersionDef"]


class AttrValue(Message):
    """The value of a node's attribute."""

    s = Field(2, "bytes")
    i = Field(3, "int64")
    f = Field(4, "float")
    b = Field(5, "bool")
    type = Field(6, DATA_TYPE)
    shape = Field(7, TensorShapeProto)
    tensor = Field(8, TensorProto)


class NodeDef(Message):
    """A node: its name, the type of its operation, and the names of its inputs."""

    name = Field(1, "string")
    op = Field(2, "string")
    input = Field(3, "string", repeated=True)
    device = Field(4, "string")
    attr = Field(5, AttrValue, key="string")


class VersionDef(Message):
    """The version of the format."""

    producer = Field(1, "int32")
    min_consumer = Field(2, "int32")


class GraphDef(Message):
    """A program: its nodes, in an order in which they can run."""

    node = Field(1, NodeDef, repeated=True)
    versions = Field(4, VersionDef)


class OpDef(Message):
    """The signature of a function; only its name."""

    name = Field(1, "string")


class FunctionDef(Message):
    """A function as a message: its signature and nodes."""

    signature = Field(1, OpDef)
    node_def = Field(3, NodeDef, repeated=True)


def shape_proto(shape: Any) -> TensorShapeProto:
    """Return a TensorShape as a message."""
    return TensorShapeProto(dim=[{"size": -1 if d is None else d} for d in shape])
