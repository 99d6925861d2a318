"""Viewable: what a model has to be looked at with."""

from collections.abc import Callable, Sequence
from typing import Any

from lamina.keras.viz import summary as summary_view
from lamina.keras.viz.building import graph_of
from lamina.keras.viz.graph import CallGraph
from lamina.keras.viz.intermediate import intermediate

__all__ = ["Viewable"]


class Viewable:
    """The part of `Model` that shows what it calls."""

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print the layers in the order of their calls, with output shapes and parameters.

        Args:
            line_length: The width in characters; None fits the terminal.
            positions: Where columns end, as shares of the width.
            print_fn: Called with the text; None prints it.
            expand_nested: Whether to show the layers inside of layers.
            show_trainable: Whether to show a column for `trainable`.
            layer_range: The names (or patterns) of the first and last layer to show.

        Raises:
            ValueError: the model was never built or called.
        """
        summary_view.print_summary(
            self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range
        )

    def graph(self, inputs: Any = None, *args: Any, **kwargs: Any) -> CallGraph:
        """Return every call that the model makes, with shapes, costs and the flow of data.

        One call is recorded, and nothing is compiled or computed. A model that was never called
        is built, as a call would; nothing else of it changes.

        Args:
            inputs: Example data, a shape such as `(None, 32)`, a `tf.TensorSpec`, or a structure
                of these; None takes what the model was built with. Of data only shape and
                dtype count. A shape alone means floats, or integers where floats do not do.
            *args: Further arguments of `call`, likewise.
            **kwargs: Further arguments of `call` by name, likewise; `training` too.

        Returns:
            A CallGraph; `print(graph)` shows it as a table.

        Raises:
            ValueError: no inputs are given, and the model was neither built nor called.

        Example:
            >>> model = tf.keras.Sequential([tf.keras.layers.Dense(8), tf.keras.layers.Dense(2)])
            >>> graph = model.graph((None, 4))
            >>> [(call.path, call.output_shape, call.parameters) for call in graph.calls]
            [('dense', (None, 8), 40), ('dense_1', (None, 2), 18)]
        """
        return graph_of(self, () if inputs is None else (inputs, *args), kwargs)

    def intermediate(self, inputs: Any, path: Any, **kwargs: Any) -> Any:
        """Run the model, compiled, and return what a layer inside gives out.

        Args:
            inputs: The first argument of `call`: data.
            path: The layer's path, `"blocks[3].attention"`; or a pattern with `*`, `[*]` or
                `**`; or a list of these. In functional and Sequential models a layer's name is
                its path.
            **kwargs: Further arguments of `call` by name; `training` is False if not given.

        Returns:
            The layer's output, as its `call` returned it; a list of them if it is called several
            times. For a pattern or a list of paths, a dict of these by path.

        Raises:
            ValueError: no layer has the path (the message lists what there is), or it is not
                called, or only inside a loop.

        Example:
            >>> model = tf.keras.Sequential(
            ...     [tf.keras.layers.Dense(8, name="hidden"), tf.keras.layers.Dense(2)]
            ... )
            >>> model.intermediate(tf.ones([3, 4]), "hidden").shape
            TensorShape([3, 8])
        """
        return intermediate(self, (inputs,), kwargs, path)
