"""Sequential: layers one after another."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from lamina.engine import nest, versions
from lamina.keras import registry
from lamina.keras.core import Graph, InputLayer, KerasTensor, Layer
from lamina.keras.core.checks import label
from lamina.keras.core.graph_config import has_own_arguments
from lamina.keras.core.matching import alone, match_inputs
from lamina.keras.models.model import Model
from lamina.keras.naming import auto_name

__all__ = ["Sequential"]


class Sequential(Model):
    """A stack of layers: each gets the output of the one before.

    Args:
        layers: The layers; None starts empty.
        trainable: Whether the weights are trained.
        name: The name.

    Example:
        >>> model = tf.keras.Sequential([tf.keras.layers.Dense(4), tf.keras.layers.Dense(1)])
        >>> model(tf.ones([2, 3])).shape
        TensorShape([2, 1])
    """

    _config_may_be_list: ClassVar[bool] = True

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None) -> None:
        super().__init__(trainable=trainable, name=name or auto_name("sequential"))
        self.__dict__["graph_layers"] = []
        self.__dict__["_lm_start"] = None
        for layer in layers or []:
            self.add(layer, rebuild=False)
        self._maybe_connect()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Add a layer at the end.

        Args:
            layer: A Layer, or a KerasTensor from `tf.keras.Input` at the start.
            rebuild: Whether to connect the layers at once if the input's shape is known.

        Raises:
            ValueError: `layer` is no layer, or its name is taken.
        """
        if isinstance(layer, KerasTensor) and layer.node is not None and layer.node.is_input:
            layer = layer.node.layer
        if not isinstance(layer, Layer):
            if not callable(layer):
                raise ValueError(
                    f"{label(self)}: only layers can be added; got {layer!r} "
                    f"({type(layer).__name__})."
                )
            layer = _CallableLayer(layer)
        held = self.__dict__["graph_layers"]
        if any(layer.name == other.name and layer is not other for other in held):
            raise ValueError(
                f"{label(self)}: the layers' names must differ; {layer.name!r} is taken.\n"
                f"  Fix: pass another name=."
            )
        if isinstance(layer, InputLayer):
            if self._lm_start is not None:
                raise ValueError(
                    f"{label(self)}: it has an input already; {layer!r} cannot be added."
                )
            self.__dict__["_lm_start"] = layer
        elif not held and getattr(layer, "_batch_input_shape", None) is not None:
            self.__dict__["_lm_start"] = InputLayer(batch_shape=layer._batch_input_shape)
            held.append(layer)
        else:
            held.append(layer)
        self._changed(rebuild)

    def pop(self, rebuild: bool = True) -> Layer:
        """Remove and return the last layer."""
        held = self.__dict__["graph_layers"]
        if not held:
            raise IndexError(f"{label(self)}: there is no layer to remove.")
        last = held.pop()
        self._changed(rebuild)
        return last

    def _changed(self, rebuild: bool) -> None:
        self.__dict__["_graph"] = None
        self.__dict__["built"] = False
        versions.tracked += 1
        if rebuild:
            self._maybe_connect()

    def _maybe_connect(self) -> None:
        start = self.__dict__["_lm_start"]
        held = self.__dict__["graph_layers"]
        if start is None and held and isinstance(held[0], Model) and held[0]._graph is not None:
            inner = held[0]._graph.flat_inputs
            if len(inner) == 1:
                start = InputLayer(batch_shape=tuple(inner[0].shape), dtype=inner[0].dtype.name)
                self.__dict__["_lm_start"] = start
        if start is not None and held:
            self._connect(start)

    def _connect(self, start: InputLayer) -> None:
        x: Any = start._inbound_nodes[0].outputs[0]
        first = x
        with self._scope():
            for layer in self.__dict__["graph_layers"]:
                layer._inbound_nodes[:] = [n for n in layer._inbound_nodes if not _of(self, n)]
                x = layer(x)
        held = self.__dict__["graph_layers"]
        auto_name("functional")  # Keras makes a Functional inside, which takes a default name
        self._set_graph(Graph(first, x, self.name))
        self.__dict__["graph_layers"] = held

    @property
    def layers(self) -> list[Layer]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The layers, without the input."""
        return list(self.__dict__["graph_layers"])

    def build(self, input_shape: Any = None) -> None:
        """Make the weights, for an input shape with None for unknown sizes.

        Raises:
            ValueError: there are no layers, or the model has an input of another shape.
        """
        is_shape = not isinstance(input_shape, dict) and all(
            d is None or isinstance(d, int | np.integer) for d in input_shape or ()
        )
        if self._graph is not None and input_shape is not None and is_shape:
            self._check_start(tuple(input_shape))
        if self._graph is not None or input_shape is None or not is_shape:
            self.built = True  # layers that take several inputs are built by the first call
            return
        if not self.__dict__["graph_layers"]:
            raise ValueError(f"{label(self)}: it has no layers yet.\n  Fix: model.add(layer).")
        shape = tuple(input_shape)
        kinds = [s and s.dtype for s in nest.flatten(self.__dict__.get("_lm_call_specs"))]
        start = InputLayer(batch_shape=shape, dtype="string" if "string" in kinds else None)
        try:
            self._connect(start)
        except NotImplementedError:  # a layer that cannot tell its output's shape before a call
            self.built = True
            return
        self.__dict__["_lm_start"] = start

    def _check_start(self, shape: tuple[Any, ...]) -> None:
        known = tuple(self.__dict__["_lm_start"].batch_shape)
        if known != shape:
            raise ValueError(
                f"{label(self)}: it has an input of shape {known} already; `build` got {shape}.\n"
                f"  Fix: leave out `build`, or the input."
            )

    @property
    def inputs(self) -> Any:
        """The KerasTensor that the model starts from, in a list, once it is built."""
        return list(self._needs_graph("inputs").flat_inputs)

    @property
    def outputs(self) -> Any:
        """The KerasTensor that the model gives, in a list, once it is built."""
        return list(self._needs_graph("outputs").flat_outputs)

    def _needs_graph(self, what: str) -> Graph:
        if self._graph is None:
            raise AttributeError(
                f"{label(self)}: `{what}` is defined once the model is built; it is not yet.\n"
                f"  Fix: begin with tf.keras.Input, or call the model on data."
            )
        return self._graph

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Call the layers one after another."""
        if self._graph is not None:
            # Layers after one another check sizes themselves: a Dense takes any number of steps.
            given = match_inputs(self, self._graph, inputs, check_sizes=False)
            return alone(self._graph.run(given))
        x = inputs
        for layer in self.__dict__["graph_layers"]:
            x = layer(x)
        return x

    _runs_graph: Any = call

    def get_config(self) -> dict[str, Any]:
        """Return the name and the configs of the layers, or a subclass's own arguments."""
        if type(self).get_config is Sequential.get_config and has_own_arguments(
            type(self), Sequential
        ):
            return super().get_config()
        start = self.__dict__["_lm_start"]
        held = [*([start] if start is not None else []), *self.__dict__["graph_layers"]]
        config: dict[str, Any] = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self._config_dtype(),
            "layers": [registry.serialize_keras_object(layer) for layer in held],
        }
        if start is None and self.__dict__.get("_lm_build_shapes"):
            config["build_input_shape"] = self._lm_build_shapes.get("input_shape")
        elif start is not None:
            config["build_input_shape"] = tuple(start.batch_shape)
        return config

    @classmethod
    def from_config(cls, config: Any, custom_objects: Any = None) -> Any:
        """Return a new model from what `get_config` gave; older versions gave a list of layers."""
        if isinstance(config, list | tuple):
            config = {"layers": config}
        if "layers" not in config:
            return super().from_config(config, custom_objects)
        with registry.CustomObjectScope(custom_objects or {}):
            made = cls(name=config.get("name"))
            if made.layers:
                return made  # its constructor made them
            for layer in config["layers"]:
                made.add(registry.deserialize_keras_object(layer), rebuild=False)
            made._maybe_connect()
            shape = config.get("build_input_shape")
            if not made._graph and shape:
                made.build(tuple(shape))
        return made


def _of(model: Sequential, node: Any) -> bool:
    """Return whether a node was made when this model connected its layers before."""
    graph = model._graph
    return graph is not None and any(n is node for n in graph.nodes)


class _CallableLayer(Layer):
    """A plain function as a layer of a Sequential model."""

    def __init__(self, function: Callable[..., Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.function = function

    def call(self, inputs: Any) -> Any:
        """Apply the function."""
        return self.function(inputs)


registry.builtin("keras", "Sequential")(Sequential)
