"""report: a page about a model, one file, to look at in a browser."""

import html
import json
import math
import platform
from importlib import resources
from pathlib import Path
from typing import Any

from lamina.keras.viz import sizes
from lamina.keras.viz.graph import Call, CallGraph
from lamina.keras.viz.plot import Options, draw, family
from lamina.keras.viz.scene import LIGHT
from lamina.keras.viz.timing import concrete_graph, measure_calls

__all__ = ["page", "report"]

_MOST_DRAWN = 800  # nodes; a larger model has a drawing of its outermost calls only


def report(
    model: Any,
    path: Any,
    inputs: Any = None,
    batch_size: int = 1,
    measure: bool = True,
) -> Path:
    """Write a page about what a model calls: shapes, parameters, FLOPs, time, memory, data flow.

    The page is one HTML file that needs no network: a collapsible table of all calls with the
    flow of data beside it, a drawing, search, and keys for everything (press `?`).

    Args:
        model: Any model: functional, Sequential or subclassed; one that was never called needs
            `inputs`, and is built.
        path: The file to write, "model.html".
        inputs: Example data, a shape, a `tf.TensorSpec` or a structure of these, as for
            `Model.graph`; None takes what the model was built with.
        batch_size: The batch size where it is left open.
        measure: Whether to time each call: it is compiled alone and run on random inputs some
            times; the median counts. That takes seconds, for large models a minute or more.

    Returns:
        The path.

    Raises:
        ValueError: the inputs are not known, or do not fit the model.

    Example:
        >>> import tempfile
        >>> model = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(2)])
        >>> path = tf.viz.report(model, tempfile.mkdtemp() + "/model.html", measure=False)
        >>> path.name
        'model.html'
    """
    graph = concrete_graph(model, inputs, batch_size)
    if measure:
        measure_calls(graph)
    path = Path(path)
    path.write_text(page(graph), encoding="utf-8")
    return path


def page(graph: CallGraph) -> str:
    """Return the page about a call graph as HTML."""
    template = resources.files(__package__).joinpath("report.html").read_text(encoding="utf-8")
    title = html.escape(graph.root.name)
    data = json.dumps(_data(graph), separators=(",", ":"), allow_nan=False)
    drawings = _drawings(graph)
    for mark, text in (
        ("{{title}}", title),
        ("{{outer}}", drawings[0]),
        ("{{all}}", drawings[-1] if len(drawings) > 1 else ""),
        ("{{data}}", data.replace("<", "\\u003c")),
    ):
        template = template.replace(mark, text)
    return template


def _drawings(graph: CallGraph) -> list[str]:
    """Return the drawings of the outermost calls, and of all calls if that says more."""
    colours = {name: f"var(--{name})" for name in LIGHT}
    shown = {"show_shapes": True, "show_layer_names": True}
    drawings = [draw(graph, Options(**shown)).to_svg(colours)]
    has_inner = any(node.depth for node in graph.nodes)
    if has_inner and len(graph.nodes) <= _MOST_DRAWN:
        drawings.append(draw(graph, Options(**shown, expand_nested=True)).to_svg(colours))
    return drawings


def _data(graph: CallGraph) -> dict[str, Any]:
    root = graph.root
    return {
        "model": _node(root),
        "inputs": [f"{n.name} {_specs(n.outputs)}" for n in graph.inputs],
        "machine": _machine(),
        "nodes": [_node(n) for n in graph.nodes],
        "edges": [[e.source, e.target, _specs([e.spec])] for e in graph.edges],
        "uncalled": graph.uncalled,
    }


def _machine() -> str:
    processor = platform.processor() or platform.machine()
    return f"{processor}, Python {platform.python_version()}"


def _specs(specs: Any) -> str:
    return ", ".join(f"{sizes.shape_text(s)} {s.dtype.name}" for s in specs)


def _node(node: Call) -> dict[str, Any]:
    return {
        "role": node.role,
        "name": node.name,
        "kind": node.kind,
        "module": node.module,
        "path": node.path,
        "repeat": node.repeat,
        "parent": node.parent,
        "depth": node.depth,
        "family": family(node),
        "inputs": [_specs([s]) for s in node.inputs],
        "outputs": [_specs([s]) for s in node.outputs],
        "shape": sizes.shapes_text(node.outputs or node.inputs),
        "parameters": node.parameters,
        "trainable": node.trainable_parameters,
        "own": node.own_parameters,
        "counted": node.is_counted,
        "frozen": bool(node.parameters) and not node.is_trainable,
        "flops": _finite(node.flops),
        "bytes": node.activation_bytes,
        "seconds": node.seconds,
        "memory": node.memory_bytes,
        "activation": node.activation,
        "where": None if node.where is None else f"{node.where[0]}:{node.where[1]}",
    }


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0
