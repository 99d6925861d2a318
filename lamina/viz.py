"""lamina.viz: looking at models; see also `Model.graph` and `tf.keras.utils.plot_model`."""

from lamina.keras.viz.graph import Call, CallGraph, Edge
from lamina.keras.viz.plot import model_to_dot, plot_model
from lamina.keras.viz.report import report

__all__ = ["Call", "CallGraph", "Edge", "model_to_dot", "plot_model", "report"]
