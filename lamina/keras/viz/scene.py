"""A drawing of boxes, frames and lines, as SVG text or as pixels."""

import html
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lamina.keras.viz.layout import Point

__all__ = ["Box", "Frame", "Line", "Scene", "text_width"]

# Widths of the characters 32 to 126 of DejaVu Sans and Verdana, in thousandths of the size.
_WIDTHS = (
    "318 401 460 838 636 950 780 275 390 390 500 838 318 361 318 337 636 636 636 636 636 636 636 "
    "636 636 636 337 337 838 838 838 531 1000 684 686 698 770 632 575 775 752 295 295 656 557 863 "
    "748 787 603 787 695 635 611 732 684 989 685 611 685 390 337 390 838 500 500 613 635 550 635 "
    "615 352 635 634 278 278 579 278 974 634 612 635 635 411 521 392 634 592 818 592 592 525 636 "
    "337 636 838"
)
_ADVANCES = tuple(int(w) / 1000 for w in _WIDTHS.split())
_BOLD = 1.12

LIGHT = {
    "paper": "#ffffff",
    "card": "#ffffff",
    "frame": "#f5f6f8",
    "frame2": "#eceef2",
    "border": "#c3c8d1",
    "text": "#1c2330",
    "muted": "#616b7c",
    "line": "#7b8698",
    "conv": "#2f6fde",
    "dense": "#7a4fd0",
    "norm": "#128a7e",
    "act": "#c77700",
    "pool": "#3a8f3d",
    "attention": "#c2408f",
    "rnn": "#b5442e",
    "op": "#8a8f99",
    "other": "#5b6b82",
    "io": "#1c2330",
    "group": "#47617f",
}


def text_width(text: str, size: float, bold: bool = False) -> float:
    """Return the width of a text in DejaVu Sans or Verdana; other fonts are narrower."""
    total = 0.0
    for c in text:
        total += _ADVANCES[ord(c) - 32] if 32 <= ord(c) < 127 else 0.75
    return total * size * (_BOLD if bold else 1.0)


@dataclass
class Text:
    """A line of text in a box; `colour` is a name of the palette."""

    text: str
    size: float = 11.0
    bold: bool = False
    colour: str = "text"


@dataclass
class Box:
    """A node: a card with lines of text, or a pill for an operation.

    Attributes:
        x: Left.
        y: Top.
        width: Its width.
        height: Its height.
        lines: The text, from the top.
        colour: A name of the palette.
        is_pill: Whether it is drawn with round ends.
        note: What a pointer that rests on it is told.
        key: The node's id.
    """

    x: float
    y: float
    width: float
    height: float
    lines: list[Text]
    colour: str = "other"
    is_pill: bool = False
    note: str = ""
    key: int = -1


@dataclass
class Frame:
    """A box around boxes, with a title; `depth` alternates the background."""

    x: float
    y: float
    width: float
    height: float
    title: str
    depth: int = 0
    key: int = -1


@dataclass
class Line:
    """An edge: its points, and whether it ends in an arrow head."""

    points: list[Point]
    has_head: bool = True


@dataclass
class Scene:
    """Everything to draw. `curves` is "ortho", "curved" or "line"."""

    width: float
    height: float
    boxes: list[Box] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    curves: str = "ortho"

    # -- turning

    def turned(self, rankdir: str) -> "Scene":
        """Return the scene, drawn from top to bottom, in another direction: BT, LR or RL.

        Boxes must have been laid out with width and height exchanged for LR and RL.
        """
        sideways, backwards = rankdir in ("LR", "RL"), rankdir in ("BT", "RL")
        extent = self.height

        def box(b: Any) -> None:
            y = extent - b.y - b.height if backwards else b.y
            b.x, b.y = (y, b.x) if sideways else (b.x, y)
            if sideways:
                b.width, b.height = b.height, b.width

        def point(p: Point) -> Point:
            y = extent - p[1] if backwards else p[1]
            return (y, p[0]) if sideways else (p[0], y)

        for b in [*self.boxes, *self.frames]:
            box(b)
        for line in self.lines:
            line.points = [point(p) for p in line.points]
        if sideways:
            self.width, self.height = self.height, self.width
        return self

    # -- SVG

    def to_svg(self, colours: Mapping[str, str] = LIGHT, scale: float = 1.0) -> str:
        """Return the drawing as SVG.

        Args:
            colours: A CSS colour for each name of the palette.
            scale: Pixels per unit.
        """
        w, h = self.width, self.height
        font = "'DejaVu Sans', Verdana, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(w)} {_n(h)}" '
            f'width="{_n(w * scale)}" height="{_n(h * scale)}" font-family="{font}">',
            f'<rect width="{_n(w)}" height="{_n(h)}" fill="{colours["paper"]}"/>',
        ]
        parts += [self._frame_svg(f, colours) for f in self.frames]
        parts.append(f'<g fill="none" stroke="{colours["line"]}" stroke-width="1.3">')
        parts += [f'<path d="{" ".join(_commands(c))}"/>' for c in map(self._drawn, self.lines)]
        parts.append(f'</g><g fill="{colours["line"]}">')
        for line in self.lines:
            if line.has_head:
                corners = " ".join(f"{_n(x)},{_n(y)}" for x, y in _head(line.points))
                parts.append(f'<polygon points="{corners}"/>')
        parts.append("</g>")
        parts += [self._title_svg(f, colours) for f in self.frames]
        parts += [self._box_svg(b, colours) for b in self.boxes]
        return "\n".join([*parts, "</svg>\n"])

    def _frame_svg(self, f: Frame, colours: Mapping[str, str]) -> str:
        fill = colours["frame2" if f.depth % 2 else "frame"]
        return (
            f'<g data-id="{f.key}"><rect x="{_n(f.x)}" y="{_n(f.y)}" width="{_n(f.width)}" '
            f'height="{_n(f.height)}" rx="8" fill="{fill}" stroke="{colours["border"]}"/></g>'
        )

    def _title_svg(self, f: Frame, colours: Mapping[str, str]) -> str:
        """Return the title of a frame, with a rim in the frame's colour: edges may pass there."""
        fill = colours["frame2" if f.depth % 2 else "frame"]
        return (
            f'<text paint-order="stroke" stroke="{fill}" stroke-width="4" x="{_n(f.x + 10)}" '
            f'y="{_n(f.y + 16)}" font-size="10.5" font-weight="bold" '
            f'fill="{colours["group"]}">{html.escape(f.title)}</text>'
        )

    def _box_svg(self, b: Box, colours: Mapping[str, str]) -> str:
        radius = b.height / 2 if b.is_pill else 5
        shape = (
            f'x="{_n(b.x)}" y="{_n(b.y)}" width="{_n(b.width)}" height="{_n(b.height)}" '
            f'rx="{_n(radius)}"'
        )
        parts = [f'<g data-id="{b.key}">']
        if b.note:
            parts.append(f"<title>{html.escape(b.note)}</title>")
        edge = colours[b.colour] if b.is_pill else colours["border"]
        parts.append(f'<rect {shape} fill="{colours["card"]}" stroke="{edge}"/>')
        if not b.is_pill:
            x, y = b.x, b.y
            parts.append(
                f'<path d="M{_n(x + 5)} {_n(y)}a5 5 0 0 0 -5 5v{_n(b.height - 10)}a5 5 0 0 0 5 5z" '
                f'fill="{colours[b.colour]}"/>'
            )
        for text, x, y, anchor in _texts(b):
            weight = ' font-weight="bold"' if text.bold else ""
            middle = ' text-anchor="middle"' if anchor == "center" else ""
            parts.append(
                f'<text x="{_n(x)}" y="{_n(y)}" font-size="{_n(text.size)}"{weight}{middle} '
                f'fill="{colours[text.colour]}">{html.escape(text.text)}</text>'
            )
        return "".join([*parts, "</g>"])

    def _drawn(self, line: Line) -> list[tuple[Any, ...]]:
        points = _without_repeats(line.points)
        if self.curves == "ortho":
            return list(_rounded(points))
        return list(_curved(points) if self.curves == "curved" else _straight(points))

    # -- pixels

    def save(self, file: Any, format: str, dpi: float, colours: Mapping[str, str] = LIGHT) -> None:
        """Write the drawing with matplotlib.

        Args:
            file: A path or an open binary file.
            format: "png", "pdf", "jpg" and what else matplotlib writes.
            dpi: Dots per inch; the drawing has 96 units to the inch. Very large drawings get
                fewer, so that no side has more than 30,000 dots.
            colours: The palette.

        Raises:
            ImportError: matplotlib is not installed.
        """
        try:
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure
        except ImportError as error:
            raise ImportError(
                f"plot_model: matplotlib draws {format} files, and it is not installed; SVG "
                f"needs nothing.\n  Fix: pip install matplotlib, or to_file='model.svg'."
            ) from error
        w, h = max(self.width, 1), max(self.height, 1)
        dpi = min(dpi, 30_000 * 96 / max(w, h), 96 * math.sqrt(120e6 / (w * h)))
        figure = Figure(figsize=(w / 96, h / 96), dpi=dpi, facecolor=colours["paper"])
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(0, w)
        axes.set_ylim(h, 0)
        axes.axis("off")
        self._paint(axes, colours)
        figure.savefig(file, format=format, dpi=dpi, facecolor=colours["paper"])

    def _paint(self, axes: Any, colours: Mapping[str, str]) -> None:
        from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
        from matplotlib.path import Path

        def rounded(thing: Any, radius: float, fill: str, edge: str) -> None:
            style = f"round,pad=0,rounding_size={radius}"
            axes.add_patch(
                FancyBboxPatch(
                    (thing.x, thing.y),
                    thing.width,
                    thing.height,
                    style,
                    facecolor=fill,
                    edgecolor=edge,
                    linewidth=0.75,
                )
            )

        def write(text: str, x: float, y: float, size: float, colour: str, **how: Any) -> None:
            # 72 points and 96 units make an inch.
            axes.text(x, y, text, fontsize=size * 0.75, color=colour, va="baseline", **how)

        for f in self.frames:
            rounded(f, 8, colours["frame2" if f.depth % 2 else "frame"], colours["border"])
        codes = {"M": [Path.MOVETO], "L": [Path.LINETO], "C": [Path.CURVE4] * 3}
        codes["Q"] = [Path.CURVE3] * 2
        for line in self.lines:
            steps = self._drawn(line)
            path = Path(
                [p for _, *points in steps for p in points], [c for s in steps for c in codes[s[0]]]
            )
            axes.add_patch(PathPatch(path, fill=False, edgecolor=colours["line"], linewidth=1))
            if line.has_head:
                axes.add_patch(Polygon(_head(line.points), color=colours["line"], linewidth=0))
        for f in self.frames:
            ground = {"facecolor": colours["frame2" if f.depth % 2 else "frame"], "linewidth": 0}
            how = {"weight": "bold", "bbox": {**ground, "pad": 1.5}}
            write(f.title, f.x + 10, f.y + 16, 10.5, colours["group"], **how)
        for b in self.boxes:
            radius = b.height / 2 if b.is_pill else 5
            rounded(b, radius, colours["card"], colours[b.colour if b.is_pill else "border"])
            if not b.is_pill:
                self._stripe(axes, b, colours[b.colour])
            for text, x, y, anchor in _texts(b):
                weight = "bold" if text.bold else "normal"
                write(text.text, x, y, text.size, colours[text.colour], weight=weight, ha=anchor)

    def _stripe(self, axes: Any, b: Box, colour: str) -> None:
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        x, y, h = b.x, b.y, b.height
        points = [(x + 5, y), (x, y), (x, y + 5), (x, y + h - 5), (x, y + h), (x + 5, y + h)]
        codes = [Path.MOVETO, Path.CURVE3, Path.CURVE3, Path.LINETO, Path.CURVE3, Path.CURVE3]
        path = Path([*points, points[0]], [*codes, Path.CLOSEPOLY])
        axes.add_patch(PathPatch(path, facecolor=colour, linewidth=0))

    def to_png(self, dpi: float = 96) -> bytes:
        """Return the drawing as a PNG file; see `save`."""
        file = io.BytesIO()
        self.save(file, "png", dpi)
        return file.getvalue()


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _texts(b: Box) -> Iterator[tuple[Text, float, float, str]]:
    """Yield (text, x, baseline, anchor) for the lines of a box, centred as a block."""
    total = sum(t.size * 1.36 for t in b.lines)
    y = b.y + (b.height - total) / 2
    for text in b.lines:
        y += text.size * 1.36
        x = b.x + b.width / 2 if b.is_pill else b.x + 14
        yield text, x, y - text.size * 0.34, "center" if b.is_pill else "left"


def _head(points: Sequence[Point]) -> list[Point]:
    """Return the corners of the arrow head at the end of a line."""
    x, y = points[-1]
    before = next((p for p in reversed(points) if math.dist(p, (x, y)) > 0.5), (x, y - 1))
    length = math.dist(before, (x, y)) or 1.0
    dx, dy = (x - before[0]) / length, (y - before[1]) / length
    back = (x - 7 * dx, y - 7 * dy)
    return [
        (x, y),
        (back[0] - 3.2 * dy, back[1] + 3.2 * dx),
        (back[0] + 3.2 * dy, back[1] - 3.2 * dx),
    ]


def _without_repeats(points: Sequence[Point]) -> list[Point]:
    made = [points[0]]
    for p in points[1:]:
        if math.dist(p, made[-1]) > 0.4:
            made.append(p)
    return made


def _commands(steps: Sequence[tuple[Any, ...]]) -> Iterator[str]:
    for letter, *points in steps:
        yield letter + " ".join(f"{_n(x)} {_n(y)}" for x, y in points)


def _straight(points: Sequence[Point]) -> Iterator[tuple[Any, ...]]:
    yield "M", points[0]
    for p in points[1:]:
        yield "L", p


def _rounded(points: Sequence[Point], radius: float = 7.0) -> Iterator[tuple[Any, ...]]:
    """Yield a line through the points with rounded corners."""
    yield "M", points[0]
    for a, b, c in zip(points, points[1:], points[2:], strict=False):
        r = min(radius, math.dist(a, b) / 2, math.dist(b, c) / 2)
        yield "L", _towards(b, a, r)
        yield "Q", b, _towards(b, c, r)
    yield "L", points[-1]


def _curved(points: Sequence[Point]) -> Iterator[tuple[Any, ...]]:
    """Yield a smooth line: between two ranks one curve that leaves and comes in straight."""
    yield "M", points[0]
    at = 1
    while at < len(points):
        corner = points[at : at + 3]
        if len(corner) == 3 and _turns(points[at - 1], corner[0], corner[1]):
            yield "C", corner[0], corner[1], corner[2]
            at += 3
        else:
            yield "L", points[at]
            at += 1


def _turns(a: Point, b: Point, c: Point) -> bool:
    cross = (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0])
    return abs(cross) > 0.5


def _towards(a: Point, b: Point, distance: float) -> Point:
    length = math.dist(a, b) or 1.0
    return (a[0] + (b[0] - a[0]) / length * distance, a[1] + (b[1] - a[1]) / length * distance)
