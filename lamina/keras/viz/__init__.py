"""Views of a model: what it calls and what that costs, as data, tables, drawings and pages."""

from lamina.keras.viz.building import graph_of
from lamina.keras.viz.graph import Call, CallGraph, Edge
from lamina.keras.viz.summary import print_summary
from lamina.keras.viz.viewing import Viewable

__all__ = ["Call", "CallGraph", "Edge", "Viewable", "graph_of", "print_summary"]
