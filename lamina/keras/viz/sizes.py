"""Numbers, shapes and graphs as short text."""

from collections.abc import Sequence
from typing import Any

__all__ = ["bytes_text", "flops_text", "shape_text", "shapes_text", "table", "time_text"]


def flops_text(value: float) -> str:
    """Return operations with a unit: "4.1 GFLOP"; "? FLOP" where they are not known."""
    if value != value:
        return "? FLOP"
    return _scaled(value, 1000, ("FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP"))


def bytes_text(value: float) -> str:
    """Return a size with a unit: "9.8 KB"."""
    return _scaled(value, 1024, ("B", "KB", "MB", "GB", "TB"))


def time_text(seconds: float) -> str:
    """Return a time with a unit: "1.25 ms"."""
    return _scaled(seconds * 1e6, 1000, ("µs", "ms", "s"))


def _scaled(value: float, step: int, units: Sequence[str]) -> str:
    at = 0
    while value >= step and at < len(units) - 1:
        value /= step
        at += 1
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2
    return f"{value:.{digits}f} {units[at]}"


def shape_text(spec: Any) -> str:
    """Return the shape of a spec as Python writes it."""
    return str(tuple(spec.shape))


def shapes_text(specs: Sequence[Any]) -> str:
    """Return the shapes of specs: one as it is, several in brackets."""
    if len(specs) == 1:
        return shape_text(specs[0])
    return "[" + ", ".join(map(shape_text, specs)) + "]" if specs else "-"


def table(graph: Any) -> str:
    """Return a call graph as text: one line a node, indented as the calls are."""
    rows = [("call", "output", "parameters", "FLOPs", "activations")]
    for node in [*graph.nodes, graph.root]:
        if node.role == "output":
            continue
        again = f" #{node.repeat + 1}" if node.repeat else ""
        step = node.path.rsplit(".", 1)[-1] if node.role == "layer" else node.name
        name = f"{'  ' * node.depth}{step}{again}"
        if node.id < 0:
            name = f"total of {node.name}"
        elif node.kind.lower() != step:
            name += f" ({node.kind})"
        rows.append(
            (
                name,
                shapes_text(node.outputs),
                "shared" if node.parameters and not node.is_counted else f"{node.parameters:,}",
                flops_text(node.flops).removesuffix("FLOP").strip(),
                bytes_text(node.activation_bytes),
            )
        )
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = []
    for row in rows:
        left = [cell.ljust(w) for cell, w in zip(row[:2], widths, strict=False)]
        right = [cell.rjust(w) for cell, w in zip(row[2:], widths[2:], strict=True)]
        lines.append("  ".join([*left, *right]).rstrip())
    rule = "─" * max(map(len, lines))
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])
