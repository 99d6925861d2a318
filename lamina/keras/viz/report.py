"""report: a page about a model, one file, to look at in a browser."""

from pathlib import Path
from typing import Any

from lamina.keras.viz.timing import concrete_graph, measure_calls

__all__ = ["report"]


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
    # Imported here: few programs write pages, and every one would wait at `import lamina`.
    from lamina.keras.viz.page import page

    graph = concrete_graph(model, inputs, batch_size)
    if measure:
        measure_calls(graph)
    path = Path(path)
    path.write_text(page(graph), encoding="utf-8")
    return path
