"""What a layer is: modules, calls, building, casting, masks, graphs. No layer lives here."""

from lamina.keras.core import calling, checks
from lamina.keras.core.callspec import CallSpec
from lamina.keras.core.graph import Graph, Input, InputLayer, OpLayer, clone_graph
from lamina.keras.core.input_spec import InputSpec
from lamina.keras.core.layer import Layer
from lamina.keras.core.module import Module, children, walk
from lamina.keras.core.symbolic import KerasTensor, Node

__all__ = [
    "CallSpec",
    "Graph",
    "Input",
    "InputLayer",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Module",
    "Node",
    "OpLayer",
    "calling",
    "checks",
    "children",
    "clone_graph",
    "walk",
]
