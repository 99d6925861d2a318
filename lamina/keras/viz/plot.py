"""plot_model: a drawing of a model's call graph, without any program outside of Python."""

import sys
from typing import Any

from lamina.keras.viz.building import graph_of

__all__ = ["model_to_dot", "plot_model"]

_RANKDIRS = ("TB", "BT", "LR", "RL")
_SPLINES = {
    "ortho": "ortho",
    "curved": "curved",
    "spline": "curved",
    "true": "curved",
    "line": "line",
    "polyline": "line",
    "false": "line",
}


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """Draw every call that a model makes, skips included, into a file.

    Subclassed models are drawn as well as functional ones: the graph comes from recording a call
    (see `Model.graph`). Neither Graphviz nor pydot is needed. SVG needs nothing at all, other
    formats matplotlib.

    Args:
        model: A model that is functional, built or called; or any, with `inputs`.
        to_file: The file; its ending says the format: svg, png, pdf, jpg, or dot for
            Graphviz text. None writes none.
        show_shapes: Whether to show the shapes that go in and come out.
        show_dtype: Whether to show the dtypes of the outputs.
        show_layer_names: Whether to show where layers are: `blocks[3].attention`.
        rankdir: "TB", "BT", "LR" or "RL": where the data flows.
        expand_nested: Whether to draw what layers and models call inside them.
        dpi: Dots per inch of pixel formats; 96 draws one dot per SVG pixel.
        show_layer_activations: Whether to show the activation functions of layers.
        show_trainable: Whether to show which layers are trained, and which are frozen.
        splines: "ortho", "curved" or "line": how edges are drawn.
        **kwargs: `inputs`: example data or a shape for a model that was never called.

    Returns:
        An image to show in a notebook, None elsewhere.

    Raises:
        ValueError: the model was never called and there is no `inputs`, or an argument or the
            file's ending is not one of those listed.
        ImportError: a pixel format is asked for, and matplotlib is not installed.

    Example:
        >>> model = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(2)])
        >>> tf.keras.utils.plot_model(model, "model.svg", show_shapes=True)  # doctest: +SKIP
    """
    options = _checked_options(
        kwargs,
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_layer_names=show_layer_names,
        rankdir=rankdir,
        expand_nested=expand_nested,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
        splines=splines,
    )
    drawing = _drawing(model, kwargs, options, dpi)
    if to_file is None:
        return None
    drawing.write(to_file)
    return _shown(str(to_file))


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
    **kwargs: Any,
) -> Any:
    """Return the drawing of `plot_model` as an object: DOT text, SVG, PNG.

    Args:
        model: As for `plot_model`, and so are the other arguments.
        show_shapes: See `plot_model`.
        show_dtype: See `plot_model`.
        show_layer_names: See `plot_model`.
        rankdir: See `plot_model`.
        expand_nested: See `plot_model`.
        dpi: See `plot_model`.
        subgraph: Whether the DOT text is a cluster to put into another graph.
        show_layer_activations: See `plot_model`.
        show_trainable: See `plot_model`.
        splines: See `plot_model`.
        **kwargs: `inputs`, as for `plot_model`.

    Returns:
        A Drawing: `to_string()`, `create_svg()`, `create_png()`, `write(path)`.

    Example:
        >>> x = tf.keras.Input((4,))
        >>> model = tf.keras.Model(x, tf.keras.layers.Dense(2)(x), name="net")
        >>> tf.keras.utils.model_to_dot(model).to_string().splitlines()[0]
        'digraph "net" {'
    """
    options = _checked_options(
        kwargs,
        show_shapes=show_shapes,
        show_dtype=show_dtype,
        show_layer_names=show_layer_names,
        rankdir=rankdir,
        expand_nested=expand_nested,
        show_layer_activations=show_layer_activations,
        show_trainable=show_trainable,
        splines=splines,
    )
    return _drawing(model, kwargs, options, dpi, subgraph)


def _drawing(
    model: Any, others: dict[str, Any], options: dict[str, Any], dpi: float, subgraph: bool = False
) -> Any:
    # Imported here: few programs draw, and every one would wait for it at `import lamina`.
    from lamina.keras.viz.drawing import Drawing, Options

    inputs = others.get("inputs")
    graph = graph_of(model, () if inputs is None else (inputs,), {})
    return Drawing(graph, Options(**options), dpi, subgraph)


def _checked_options(others: dict[str, Any], **given: Any) -> dict[str, Any]:
    unknown = sorted(set(others) - {"inputs"})
    if unknown:
        raise ValueError(
            f"plot_model: unrecognized keyword arguments {unknown}.\n"
            f"  Fix: remove them; `inputs` is the only further one."
        )
    if given["rankdir"] not in _RANKDIRS:
        raise ValueError(
            f"plot_model: `rankdir` must be one of {_RANKDIRS}; got {given['rankdir']!r}."
        )
    splines = str(given["splines"]).lower()
    if splines not in _SPLINES:
        raise ValueError(
            f"plot_model: `splines` must be one of {tuple(_SPLINES)}; got {given['splines']!r}."
        )
    return given | {"splines": _SPLINES[splines]}


def _shown(path: str) -> Any:
    """Return what a notebook displays, None outside of one."""
    display = sys.modules.get("IPython.display")
    if display is None or not path.endswith((".png", ".jpg", ".jpeg", ".svg")):
        return None
    return display.SVG(path) if path.endswith(".svg") else display.Image(filename=path)
