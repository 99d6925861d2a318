"""The page that `report` writes: data and drawings of a call graph, put into the template."""

import html
import json
import math
import platform
from importlib import resources
from typing import Any

from lamina.keras.viz import sizes
from lamina.keras.viz.drawing import Options, draw, family
from lamina.keras.viz.graph import Call, CallGraph
from lamina.keras.viz.scene import LIGHT

__all__ = ["page"]

_MOST_DRAWN = 800  # nodes; a larger model has a drawing of its outermost calls only


def page(graph: CallGraph) -> str:
    """Return the page about a call graph as HTML."""
    template = resources.files("lamina.keras.viz").joinpath("page.html").read_text(encoding="utf-8")
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
    shown = Options(show_shapes=True, show_layer_names=True)
    drawings = [draw(graph, shown).to_svg(colours)]
    has_inner = any(node.depth for node in graph.nodes)
    if has_inner and len(graph.nodes) <= _MOST_DRAWN:
        drawings.append(draw(graph, shown._replace(expand_nested=True)).to_svg(colours))
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
