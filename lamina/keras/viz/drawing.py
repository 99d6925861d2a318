"""A call graph as a drawing: what is drawn of each node, and where."""

from pathlib import Path
from typing import Any, NamedTuple

from lamina.keras.viz import sizes
from lamina.keras.viz.graph import Call, CallGraph
from lamina.keras.viz.layout import Layout, Link, layered
from lamina.keras.viz.scene import Box, Frame, Line, Scene, Text, text_width

__all__ = ["Drawing", "Options", "draw", "family"]

_MARGIN, _PADDING, _TITLE = 18.0, 12.0, 24.0
# The first word found in a class name, in lower case, gives the colour.
_FAMILIES = (
    ("attention", "attention"),
    ("lstm gru rnn bidirectional recurrent", "rnn"),
    ("norm", "norm"),
    ("conv", "conv"),
    ("pool", "pool"),
    ("dense embedding", "dense"),
    ("relu activation softmax gelu silu elu selu sigmoid tanh dropout noise", "act"),
)


class Options(NamedTuple):
    """What a drawing shows; see `plot_model`."""

    show_shapes: bool = False
    show_dtype: bool = False
    show_layer_names: bool = False
    rankdir: str = "TB"
    expand_nested: bool = False
    show_layer_activations: bool = False
    show_trainable: bool = False
    splines: str = "ortho"


class Drawing:
    """A drawn model; made by `tf.keras.utils.model_to_dot`.

    Args:
        graph: The call graph.
        options: What to show.
        dpi: Dots per inch of pixel formats.
        subgraph: Whether the DOT text is a cluster.
    """

    def __init__(
        self, graph: CallGraph, options: Options, dpi: float = 200, subgraph: bool = False
    ) -> None:
        self.graph = graph
        self.options = options
        self.dpi = dpi
        self.subgraph = subgraph
        self.scene = draw(graph, options)

    def to_string(self) -> str:
        """Return the graph in Graphviz' DOT language."""
        return _dot(self.graph, self.options, self.subgraph)

    def create_svg(self) -> bytes:
        """Return the drawing as an SVG file."""
        return self.scene.to_svg().encode()

    def create_png(self) -> bytes:
        """Return the drawing as a PNG file; matplotlib draws it."""
        return self.scene.to_png(self.dpi)

    def write(self, path: Any, format: str | None = None) -> None:
        """Write the drawing to a file.

        Args:
            path: The file.
            format: svg, dot, png, pdf, jpg; None takes the path's ending, or png without one.

        Raises:
            ValueError: another format.
        """
        path = Path(path)
        format = (format or path.suffix[1:] or "png").lower()
        if format == "svg":
            path.write_text(self.scene.to_svg(), encoding="utf-8")
        elif format in ("dot", "gv", "raw"):
            path.write_text(self.to_string(), encoding="utf-8")
        elif format in ("png", "pdf", "jpg", "jpeg", "tif", "tiff", "webp"):
            self.scene.save(path, format, self.dpi)
        else:
            raise ValueError(
                f"plot_model: `to_file` must end in svg, png, pdf, jpg or dot; got {str(path)!r}."
            )

    def _repr_svg_(self) -> str:
        return self.scene.to_svg()


# ---- what is drawn ------------------------------------------------------------------------------


def draw(graph: CallGraph, options: Options) -> Scene:
    """Lay a call graph out and return the scene."""
    painter = _Painter(graph, options)
    block = painter.place(None)
    layout = block.layout
    scene = Scene(layout.width + 2 * _MARGIN, layout.height + 2 * _MARGIN, curves=options.splines)
    painter.paint(scene, block, _MARGIN, _MARGIN, 0)
    return scene.turned(options.rankdir)


class _Block(NamedTuple):
    """The laid out inside of a call.

    Attributes:
        nodes: What is directly in it.
        layout: Where that is.
        edges: What the routes of the layout stand for: (from, to, the node that it comes from).
        origin: The upper left corner of the inside, measured from that of the block.
        size: The width and height of the block.
    """

    nodes: list[Call]
    layout: Layout
    edges: list[tuple[Any, Any, int]]
    origin: tuple[float, float]
    size: tuple[float, float]

    def port(self, key: tuple[str, int]) -> float:
        """Return how far a port is to the right of the block's centre."""
        return self.origin[0] + self.layout.places[key][0] + _PORT / 2 - self.size[0] / 2


_PORT = 6.0


class _Painter:
    """Lays out each expanded call by itself, as one block of the drawing around it.

    An edge that enters a block comes to a port on its upper side, one for each source, and goes
    on from there; one that leaves it does so by a port on its lower side.
    """

    def __init__(self, graph: CallGraph, options: Options) -> None:
        self.graph = graph
        self.options = options
        self.is_sideways = options.rankdir in ("LR", "RL")
        self.children: dict[int | None, list[Call]] = {}
        for node in graph.nodes:
            self.children.setdefault(node.parent, []).append(node)
        self.edges = graph.lifted(self._visible(None))
        self.blocks: dict[int, _Block] = {}

    def expands(self, node: Call) -> bool:
        """Return whether what a call holds is drawn."""
        return self.options.expand_nested and not node.is_opaque and node.id in self.children

    def _visible(self, parent: int | None) -> list[int]:
        found: list[int] = []
        for node in self.children.get(parent, ()):
            found += self._visible(node.id) if self.expands(node) else [node.id]
        return found

    # -- layout

    def place(self, around: Call | None) -> _Block:
        """Lay out the inside of a call; of the model itself for None."""
        level = None if around is None else around.id
        nodes = self.children.get(level, [])
        sizes = {node.id: self._size(node) for node in nodes}
        edges = self._edges_at(level)
        ins = dict.fromkeys(a for a, _, _ in edges if isinstance(a, tuple))
        outs = dict.fromkeys(b for _, b, _ in edges if isinstance(b, tuple))
        ports = dict.fromkeys([*ins, *outs], (_PORT, 0.0))
        items: dict[Any, tuple[float, float]] = (
            {k: ports[k] for k in ins} | sizes | {k: ports[k] for k in outs}
        )
        order = {key: i for i, key in enumerate(items)}
        edges = [e for e in edges if order[e[0]] < order[e[1]]]
        links = [
            Link(a, b, self._offset(a, ("out", s)), self._offset(b, ("in", s))) for a, b, s in edges
        ]
        gap = (14.0, 34.0) if self.is_sideways else (26.0, 26.0)
        layout = layered(items, links, list(ins), list(outs), gap)
        return _Block(nodes, layout, edges, *self._frame(around, layout))

    def _edges_at(self, level: int | None) -> list[tuple[Any, Any, int]]:
        """Return the edges between the nodes of a block, and its ports."""
        found: dict[tuple[Any, Any, int], None] = {}
        for a, b in self.edges:
            start, end = self._child(a, level), self._child(b, level)
            if start is None and end is None:
                continue
            edge = (("in", a) if start is None else start, ("out", a) if end is None else end, a)
            if edge[0] != edge[1]:
                found[edge] = None
        return list(found)

    def _child(self, node: int, level: int | None) -> int | None:
        """Return which node directly in a block holds a node, None if it is outside."""
        at: int | None = node
        while at is not None and self.graph.nodes[at].parent != level:
            at = self.graph.nodes[at].parent
        return at

    def _offset(self, node: Any, port: tuple[str, int]) -> float:
        block = None if isinstance(node, tuple) else self.blocks.get(node)
        return 0.0 if block is None else block.port(port)

    def _frame(self, around: Call | None, layout: Layout) -> Any:
        """Return the origin and the size of a block: room around its inside, and for a title."""
        if around is None:
            return (0.0, 0.0), (layout.width, layout.height)
        title = text_width(_title(around, self._around(around)), 10.5, bold=True) + 20
        left = top = right = bottom = _PADDING
        if self.is_sideways:
            left += _TITLE - 6
        elif self.options.rankdir == "BT":
            bottom += _TITLE - 6
        else:
            top += _TITLE - 6
        width, height = left + layout.width + right, top + layout.height + bottom
        spare = max(0.0, title - (height if self.is_sideways else width))
        if self.is_sideways:
            return (left, top + spare / 2), (width, height + spare)
        return (left + spare / 2, top), (width + spare, height)

    def _size(self, node: Call) -> tuple[float, float]:
        if self.expands(node):
            block = self.blocks[node.id] = self.place(node)
            return block.size
        lines = self._lines(node)
        width = max(text_width(t.text, t.size, t.bold) for t in lines)
        height = sum(t.size * 1.36 for t in lines)
        size = (width + 26, height + 9) if node.role != "layer" else (width + 28, height + 14)
        return (size[1], size[0]) if self.is_sideways else size

    def _around(self, node: Call) -> str:
        return self.graph.nodes[node.parent].path if node.parent is not None else ""

    def _lines(self, node: Call) -> list[Text]:
        return _lines(node, self.options, self._around(node))

    # -- painting

    def paint(self, scene: Scene, block: _Block, x: float, y: float, depth: int) -> None:
        """Add the inside of a block to the scene, with its upper left corner at (x, y)."""
        for node in block.nodes:
            left, top = block.layout.places[node.id]
            inner = self.blocks.get(node.id)
            if inner is not None:
                title = _title(node, self._around(node))
                scene.frames.append(Frame(x + left, y + top, *inner.size, title, depth, node.id))
                dx, dy = inner.origin
                self.paint(scene, inner, x + left + dx, y + top + dy, depth + 1)
            else:
                box = Box(x + left, y + top, *self._size(node), self._lines(node))
                box.colour, box.is_pill = family(node), node.role != "layer"
                box.note, box.key = _note(node), node.id
                scene.boxes.append(box)
        for (a, b, _), route in zip(block.edges, block.layout.routes, strict=True):
            points = [(x + px, y + py) for px, py in route]
            source, target = self.blocks.get(a), self.blocks.get(b)
            if source is not None:  # from where the inside of the source ends
                (px, py), height = points[0], source.origin[1] + source.layout.height
                points.insert(0, (px, py - source.size[1] + height))
            if target is not None:
                px, py = points[-1]
                points.append((px, py + target.origin[1]))
            scene.lines.append(Line(points, target is None and not isinstance(b, tuple)))


def _title(node: Call, around: str = "") -> str:
    again = f" · call {node.repeat + 1}" if node.repeat else ""
    name = _within(node.path, around) or node.name
    return f"{name} ({node.kind}){again}" if name.lower() != node.kind.lower() else name + again


def _within(path: str, around: str) -> str:
    return path.removeprefix(f"{around}.") if around else path


def family(node: Call) -> str:
    """Return the family of layers that a node belongs to, which gives its colour."""
    if node.role != "layer":
        return "op" if node.role == "op" else "io"
    kind = node.kind.lower()
    for words, colour in _FAMILIES:
        if any(word in kind for word in words.split()):
            return colour
    return "other" if node.module.startswith("lamina.") else "group"


def _lines(node: Call, options: Options, around: str = "") -> list[Text]:
    """Return the text of a node; its path without that of the call around it."""
    path = _within(node.path, around)
    again = f" · call {node.repeat + 1}" if node.repeat else ""
    if node.role == "layer":
        lines = [Text(node.kind, bold=True)]
        if options.show_layer_names:
            lines = [Text(path + again, bold=True), Text(node.kind, 10, colour="muted")]
        elif again:
            lines.append(Text(path + again, 10, colour="muted"))
    else:
        lines = [Text(node.name, 10.5)]
    specs = node.outputs or node.inputs
    if options.show_layer_activations and node.activation not in (None, "linear"):
        lines.append(Text(f"activation {node.activation}", 10, colour="muted"))
    if options.show_shapes:
        text = sizes.shapes_text(specs)
        if node.role == "layer" and node.inputs:
            text = f"{sizes.shapes_text(node.inputs)} → {text}"
        lines.append(Text(text, 10, colour="muted"))
    if options.show_dtype and specs:
        dtypes = dict.fromkeys(spec.dtype.name for spec in specs)
        lines.append(Text(", ".join(dtypes), 10, colour="muted"))
    if options.show_trainable and node.parameters:
        lines.append(Text("trainable" if node.is_trainable else "frozen", 10, colour="muted"))
    return lines


def _note(node: Call) -> str:
    """Return what is told of a node on top of what is drawn."""
    lines = [_title(node), sizes.shapes_text(node.outputs or node.inputs)]
    if node.parameters:
        lines.append(f"{node.parameters:,} parameters")
    if node.flops:
        lines.append(sizes.flops_text(node.flops))
    if node.where:
        lines.append(f"{Path(node.where[0]).name}:{node.where[1]}")
    return "\n".join(lines)


# ---- DOT ----------------------------------------------------------------------------------------


def _dot(graph: CallGraph, options: Options, subgraph: bool) -> str:
    painter = _Painter(graph, options)
    head = f'subgraph "cluster_{graph.root.name}"' if subgraph else f'digraph "{graph.root.name}"'
    lines = [f"{head} {{", f"  rankdir={options.rankdir};", f"  splines={options.splines};"]
    lines += ['  node [shape=box, style=rounded, fontname="Helvetica", fontsize=11];']

    def add(parent: int | None, indent: str) -> None:
        for node in painter.children.get(parent, ()):
            if painter.expands(node):
                lines.append(f"{indent}subgraph cluster_{node.id} {{")
                lines.append(f"{indent}  label={_quoted(_title(node))};")
                add(node.id, indent + "  ")
                lines.append(f"{indent}}}")
            else:
                text = "\n".join(t.text for t in _lines(node, options))
                lines.append(f"{indent}{node.id} [label={_quoted(text)}];")

    add(None, "  ")
    lines += [f"  {a} -> {b};" for a, b in painter.edges]
    return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
