"""The table that `Model.summary` prints."""

import io
import itertools
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from lamina.engine import as_dtype
from lamina.keras.core import Layer, OpLayer
from lamina.keras.core.checks import label
from lamina.keras.viz.calls import Call, calls_of, is_chain, is_described

__all__ = ["print_summary"]

_TERMINAL = 80  # characters, where there is no terminal to ask
_MARGIN = 4
# The widest table, and where its columns end as fractions of the width: those of Keras, by whether
# there is a column of connections, and one of what is trainable.
_LAYOUTS = {
    (False, False): (88, (0.45, 0.80, 1.0)),
    (True, False): (108, (0.30, 0.56, 0.74, 1.0)),
    (False, True): (100, (0.405, 0.72, 0.90, 1.0)),
    (True, True): (120, (0.27, 0.504, 0.666, 0.90, 1.0)),
}

_MSG_NOT_BUILT = "Not built: shapes and parameters come with model.build(input_shape) or a call."


class _Row(NamedTuple):
    name: str
    kind: str
    shape: str
    parameters: str
    trainable: str
    sources: str
    depth: int


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Print a model's layers in the order of their calls, with output shapes and parameters.

    Shapes come from recording one call on the shapes that the model was built with; nothing is
    computed, and no variable, counter, mask or loss of the model changes. A layer that is called
    twice has two rows and is counted once; layers that `call` does not reach come last.

    Args:
        model: A model. Of one that was never built nor called the layers are listed, and a line
            says how to get shapes and parameters.
        line_length: The width in characters; None fits the terminal, 76 where there is none.
        positions: Where the columns end: fractions of the width in (0, 1], or characters.
        print_fn: Called once with the whole plain text; None prints to standard output.
        expand_nested: Whether to show the layers inside of layers.
        show_trainable: Whether to show a column for `trainable`.
        layer_range: Names, or patterns, of the first and the last row to show.

    Raises:
        ValueError: `positions` or `layer_range` do not fit the model.

    Example:
        >>> model = tf.keras.Sequential([tf.keras.Input((32,)), tf.keras.layers.Dense(10)])
        >>> model.summary()  # doctest: +SKIP
    """
    rows = _rows(model, calls_of(model, nested=expand_nested))
    if layer_range is not None:
        rows = _within(model, rows, layer_range)
    branched = not is_chain(model)
    columns = _columns(rows, branched, show_trainable)
    widest, usual = _LAYOUTS[branched, show_trainable]
    if line_length is None:
        terminal = shutil.get_terminal_size((_TERMINAL, 24)).columns
        line_length = min(widest, terminal - _MARGIN)
    widths = _widths(model, columns, line_length, usual if positions is None else positions)
    _write(model, columns, widths, print_fn)


# ---- rows ---------------------------------------------------------------------------------------


def _rows(model: Any, calls: Sequence[Call]) -> list[_Row]:
    counted: set[int] = set()
    rows = [_row(call, counted) for call in calls]
    own = model._own_variables() if isinstance(model, Layer) else []
    for v in own:
        rows.append(
            _Row(v.name, "Variable", str(tuple(v.shape)), f"{_count([v]):,}", _yes(v), "", 0)
        )
    return rows


def _row(call: Call, counted: set[int]) -> _Row:
    layer = call.layer
    weights = _weights(layer)
    if weights and id(layer) in counted:
        parameters = "shared"
    elif not weights and not getattr(layer, "built", True):
        parameters = "0 (unbuilt)"
    else:
        parameters = f"{_count(weights):,}"
    counted.add(id(layer))
    return _Row(
        layer.name,
        _kind(layer),
        "not called" if call.shape is None else _shape_text(call.shape),
        parameters,
        _yes(layer) if weights else "-",
        ", ".join(call.sources) or "-",
        call.depth,
    )


def _kind(layer: Any) -> str:
    if isinstance(layer, OpLayer):
        return "".join(part.title() for part in layer.function.split("_"))
    is_functional = type(layer).__name__ == "Model" and layer._graph is not None
    return "Functional" if is_functional else type(layer).__name__


def _weights(layer: Any) -> list[Any]:
    return list(layer.weights if isinstance(layer, Layer) else layer.variables)


def _yes(thing: Any) -> str:
    return "Y" if getattr(thing, "trainable", True) else "N"


def _shape_text(shape: Any) -> str:
    if isinstance(shape, dict):
        inner = ", ".join(f"{k}: {_shape_text(v)}" for k, v in shape.items())
        return f"{{{inner}}}"
    if isinstance(shape, tuple) and all(d is None or isinstance(d, int) for d in shape):
        return str(shape)
    if isinstance(shape, list | tuple):
        return "[" + ", ".join(map(_shape_text, shape)) + "]"
    return "-"


def _within(model: Any, rows: list[_Row], layer_range: Sequence[str]) -> list[_Row]:
    found: list[int] = []
    for pattern in layer_range:
        places = [i for i, r in enumerate(rows) if re.fullmatch(f"(?:{pattern}).*", r.name)]
        exact = [i for i in places if rows[i].name == pattern]
        found.extend((exact or places)[: 1 if not found else None][-1:])
    if len(layer_range) != 2 or len(found) != 2:
        raise ValueError(
            f"{label(model)}: `layer_range` must be two names or patterns of layers; got "
            f"{list(layer_range)}, the layers are {[r.name for r in rows]}."
        )
    return rows[min(found) : max(found) + 1]


# ---- table --------------------------------------------------------------------------------------


def _columns(rows: Sequence[_Row], branched: bool, trainable: bool) -> dict[str, list[str]]:
    columns = {
        "Layer (type)": [f"{_indent(r.depth)}{r.name} ({r.kind})" for r in rows],
        "Output Shape": [r.shape for r in rows],
        "Param #": [r.parameters for r in rows],
    }
    if branched:
        columns["Connected to"] = [r.sources for r in rows]
    if trainable:
        columns["Trainable"] = [r.trainable for r in rows]
    return columns


def _indent(depth: int) -> str:
    return "   " * depth + "└ " if depth else ""


def _widths(
    model: Any, columns: dict[str, list[str]], total: int, positions: Sequence[float]
) -> list[int]:
    """Return the width of each column's text, borders and padding taken off."""
    ends = [p if max(positions, default=0) > 1 else int(p * total) for p in positions]
    if len(ends) < len(columns) or any(b <= a for a, b in itertools.pairwise(positions)):
        raise ValueError(
            f"{label(model)}: `positions` must be {len(columns)} growing numbers, one for each "
            f"of the columns {list(columns)}; got {list(positions)}."
        )
    ends = [int(end) for end in ends[: len(columns)]]
    widths = [b - a for a, b in itertools.pairwise([0, *ends])]
    return _fitted(widths, total - 3 * len(widths) - 1)


def _fitted(widths: Sequence[int], free: int) -> list[int]:
    """Return widths that take `free` characters: what is too much is taken off each, in turn.

    That is how Keras' tables come to theirs: columns of the whole width first, then their borders.
    """
    found: list[int] = []
    excess = max(0, sum(widths) - free)
    for i, width in enumerate(widths):
        less = round(excess / (len(widths) - i))
        found.append(max(1, width - less))
        excess -= less
    return found


_SIDES: Any = {"Param #": "right", "Trainable": "center"}


def _write(
    model: Any,
    columns: dict[str, list[str]],
    widths: Sequence[int],
    print_fn: Callable[[str], Any] | None,
) -> None:
    # Imported here: it takes a tenth of `import lamina`, and only this function needs it.
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.HEAVY_HEAD, show_lines=True, header_style="bold")
    for title, width in zip(columns, widths, strict=True):
        side = _SIDES.get(title, "left")
        header = Text(title, no_wrap=True, overflow="ellipsis")
        table.add_column(header, justify=side, width=width, overflow="fold")
    for cells in zip(*columns.values(), strict=True):
        table.add_row(*map(Text, cells))
    total = sum(widths) + 3 * len(widths) + 1
    file = sys.stdout if print_fn is None else io.StringIO()
    console = Console(file=file, width=max(total, _TERMINAL), highlight=False)
    console.print(Text(f'Model: "{model.name}"', style="bold"))
    console.print(table)
    for line in _totals(model):
        console.print(Text(f" {line}"))
    if not is_described(model):
        console.print(Text(f" {_MSG_NOT_BUILT}"))
    if print_fn is not None:
        print_fn(file.getvalue().rstrip("\n"))  # type: ignore[union-attr]


def _totals(model: Any) -> list[str]:
    trainable, fixed = model.trainable_weights, model.non_trainable_weights
    optimizer = getattr(model, "optimizer", None) if getattr(model, "compiled", False) else None
    state = list(optimizer.variables) if optimizer is not None and optimizer.built else []
    lines = [
        f"Total params: {_size([*trainable, *fixed, *state])}",
        f"Trainable params: {_size(trainable)}",
        f"Non-trainable params: {_size(fixed)}",
    ]
    return [*lines, f"Optimizer params: {_size(state)}"] if state else lines


def _count(variables: Iterable[Any]) -> int:
    unique = {id(v): v for v in variables}
    return sum(int(np.prod(tuple(v.shape), dtype=np.int64)) for v in unique.values())


def _size(variables: Sequence[Any]) -> str:
    """Return the number of elements and their size: "2,762 (10.79 KB)"."""
    unique = {id(v): v for v in variables}.values()
    size = float(sum(_count([v]) * max(1, as_dtype(v.dtype).size) for v in unique))
    for unit in ("B", "KB", "MB", "GB", "TB"):  # used after the loop
        if size < 1024 or unit == "TB":
            break
        size /= 1024
    return f"{_count(unique):,} ({size:.2f} {unit})"
