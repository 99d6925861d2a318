"""What a layer is: modules, calls, building, casting, masks, graphs. No layer lives here."""

from lamina.keras.core import calling, checks
from lamina.keras.core.applied import Function, FunctionLayer, Operation, graph_function
from lamina.keras.core.callspec import CallSpec
from lamina.keras.core.graph import Graph, Input, InputLayer, OpLayer, clone_graph
from lamina.keras.core.input_spec import InputSpec
from lamina.keras.core.layer import Layer
from lamina.keras.core.lora import Adaptable, AdaptedWeight
from lamina.keras.core.module import Module, children, walk
from lamina.keras.core.symbolic import KerasTensor, Node

__all__ = [
    "Adaptable",
    "AdaptedWeight",
    "CallSpec",
    "Function",
    "FunctionLayer",
    "Graph",
    "Input",
    "InputLayer",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Module",
    "Node",
    "OpLayer",
    "Operation",
    "calling",
    "checks",
    "children",
    "clone_graph",
    "graph_function",
    "walk",
]
