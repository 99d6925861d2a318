"""Model: a layer with training, saving and a view of itself."""

import copy
import warnings
from typing import TYPE_CHECKING, Any

from lamina import ops
from lamina.engine import errors, nest, versions
from lamina.keras import registry
from lamina.keras.core import Graph, KerasTensor, Layer, OpLayer, calling, clone_graph
from lamina.keras.core.checks import label
from lamina.keras.core.editing import Editable
from lamina.keras.core.graph_config import graph_config, graph_from_config
from lamina.keras.core.matching import alone, match_inputs, output_names_of
from lamina.keras.core.quantizing import QuantizableModel
from lamina.keras.naming import auto_name
from lamina.keras.saving.export import writer_for
from lamina.keras.saving.storable import Storable
from lamina.keras.training import Trainer
from lamina.keras.viz import Viewable
from lamina.keras.viz.recording import arguments_as_built, symbols_for

__all__ = ["Model"]


_STEPS = ("train_function", "test_function", "predict_function")


class Model(Trainer, Viewable, Editable, Storable, QuantizableModel, Layer):  # pyright: ignore[reportIncompatibleMethodOverride]  # Keras: filters
    """A layer that can be trained, saved and looked at.

    Two ways to make one: subclass it, with layers in `__init__` and the computation in `call`;
    or connect layers, and give the first and last Tensors: `Model(inputs, outputs)`.

    Args:
        inputs: KerasTensors from `tf.keras.Input`, one or a structure of them.
        outputs: KerasTensors computed from them.
        name: The name.
        trainable: Whether the weights are trained.
        dtype: The dtype or policy.

    Example:
        >>> class Net(tf.keras.Model):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.dense = tf.keras.layers.Dense(3)
        ...
        ...     def call(self, x):
        ...         return self.dense(x)
        >>> Net()(tf.ones([2, 4])).shape
        TensorShape([2, 3])
    """

    # Set by `__init__` and by connecting the layers.
    _graph: Any
    _lm_start: Any
    _lm_build_shapes: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        inputs, outputs, kwargs = _graph_arguments(args, kwargs)
        self.__dict__["_graph"] = None
        if outputs is not None and type(self) is Model:
            kwargs["name"] = kwargs.get("name") or auto_name("functional")
        super().__init__(**kwargs)
        if outputs is not None:
            self._set_graph(Graph(inputs, outputs, self.name))

    # -- functional models

    def _set_graph(self, graph: Graph) -> None:
        own = self.__dict__
        own["_graph"] = graph
        own["_lm_graph_with_losses"] = None
        own["_lm_graph_layers"] = None
        own["graph_layers"] = list(graph.layers)
        own["built"] = True
        own["output_names"] = output_names_of(graph)
        own["input_names"] = list(graph.input_names)
        versions.tracked += 1

    @property
    def inputs(self) -> Any:
        """The KerasTensors that a functional model starts from, as a list."""
        return None if self._graph is None else list(self._graph.flat_inputs)

    @property
    def outputs(self) -> Any:
        """The KerasTensors that a functional model gives, as a list."""
        return None if self._graph is None else list(self._graph.flat_outputs)

    @property
    def input(self) -> Any:
        """The inputs of a functional model, in its structure."""
        return self._needs_graph("input").inputs

    @property
    def output(self) -> Any:
        """The outputs of a functional model, in its structure."""
        return self._needs_graph("output").outputs

    @property
    def input_shape(self) -> Any:
        """The shape of the input of a functional model, or a list of those of several."""
        return alone([tuple(t.shape) for t in self._needs_graph("input_shape").flat_inputs])

    @property
    def output_shape(self) -> Any:
        """The shape of the output of a functional model, or a list of those of several."""
        outputs = self._needs_graph("output_shape").flat_outputs
        return alone([None if t is None else tuple(t.shape) for t in outputs])

    def _needs_graph(self, what: str) -> Graph:
        if self._graph is None:
            raise AttributeError(
                f"{label(self)}: `{what}` is defined for functional models; this one is a "
                f"subclass with its own `call`.\n"
                f"  Fix: model.compute_output_shape(input_shape), or model.summary()."
            )
        return self._graph

    if TYPE_CHECKING:
        # A subclass takes what it needs.
        def call(self, *args: Any, **kwargs: Any) -> Any:
            """Run the graph; a subclass writes its own."""
    else:

        def call(
            self, inputs: Any = None, training: Any = None, mask: Any = None, **kwargs: Any
        ) -> Any:
            """Compute the output along the graph; without one, a subclass writes this."""
            if self.__dict__.get("_graph") is None:
                kind = type(self).__name__
                raise calling.MissingCallError(
                    f"{label(self)}: the class {kind} does not have a `call` method.\n"
                    f"  Fix: def call(self, inputs): return ..."
                )
            given = match_inputs(self, self._graph, inputs)
            with_losses: Graph | None = self.__dict__.get("_lm_graph_with_losses")
            if with_losses is None:
                return alone(self._graph.run(given))
            outputs, *losses = with_losses.run(given)
            for loss in losses:
                super().add_loss(ops.reduce_mean(loss))
            return alone(outputs)

    _runs_graph: Any = call  # what a class with another `call` does not do

    def add_loss(self, loss: Any) -> None:
        """Add to the loss; see `Layer.add_loss`.

        A functional model takes KerasTensors too, computed from its inputs, as Keras 2 did: their
        means count in each call. Files and `get_config` do not hold them.

        Args:
            loss: A scalar Tensor, a KerasTensor of any shape, a list of them, or a function without
                arguments.

        Raises:
            ValueError: a Tensor is no scalar, or a KerasTensor has no place in the model's graph.
        """
        graph = self.__dict__.get("_graph")
        symbols = [t for t in nest.flatten(loss) if isinstance(t, KerasTensor)]
        rest = [t for t in nest.flatten(loss) if not isinstance(t, KerasTensor)]
        if symbols:
            if graph is None:
                raise ValueError(
                    f"{label(self)}: `add_loss` takes KerasTensors in functional models alone; "
                    f"got {symbols[0]!r}.\n"
                    f"  Fix: call self.add_loss in `call`, on what it computes."
                )
            before = self.__dict__.get("_lm_graph_with_losses")
            known = before.outputs[1:] if before is not None else []
            made = Graph(graph.inputs, [graph.outputs, *known, *symbols], self.name)
            self.loss_layers = [each for each in made.layers if each not in graph.layers]
            self.__dict__["_lm_graph_with_losses"] = made
            versions.tracked += 1
        if rest:
            super().add_loss(rest)

    def _symbolic_structure(self, structure: Any) -> Any:
        """Return the structure of a call's outputs as a call on KerasTensors gives it.

        Keras takes a single output out of its list in calls on values, not in these.
        """
        graph = self.__dict__.get("_graph")
        if graph is None or type(self).call is not type(self)._runs_graph:
            return structure
        is_alone = type(graph.outputs) in (list, tuple) and len(graph.outputs) == 1
        return type(graph.outputs)([structure]) if is_alone else structure

    def build(self, input_shape: Any = None) -> None:
        """Make the weights of all layers, for an input shape with None for unknown sizes.

        One call is recorded on the shape and nothing runs.

        Args:
            input_shape: A shape, or a list or dict of shapes for several inputs.

        Raises:
            ValueError: `call` cannot be recorded for a floating or integer input of that shape.
        """
        if self.__dict__.get("_graph") is not None:
            return
        if input_shape is None:
            self.built = True
            return
        if type(self).call is Model.call:
            self.call()
        if not calling.local.calls or calling.local.calls[-1] is not self:
            calling.trace_shapes(self, input_shape)
            self.__dict__["_lm_build_shapes"] = {"input_shape": input_shape}
        self.built = True

    # -- layers

    @property
    def layers(self) -> list[Layer]:
        """The layers held directly, in the order in which they were set or connected."""
        return [
            layer
            for layer in self._children()
            if isinstance(layer, Layer) and not isinstance(layer, OpLayer)
        ]

    @layers.setter
    def layers(self, value: Any) -> None:
        raise AttributeError(
            f"{label(self)}: `layers` is the list of the model's own layers and cannot be set.\n"
            f"  Fix: use another attribute name, for instance self.blocks = [...]."
        )

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return one of `layers` by name or index.

        Raises:
            ValueError: there is none, or not exactly one of `name` and `index` was given.
        """
        if (name is None) == (index is None):
            raise ValueError(f"{label(self)}: `get_layer` takes either `name` or `index`.")
        if index is not None:
            if index >= len(self.layers):
                raise ValueError(
                    f"{label(self)}: `index` must be below {len(self.layers)}, the number of "
                    f"layers; got {index}."
                )
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(
            f"{label(self)}: no layer is named {name!r}; there are "
            f"{[layer.name for layer in self.layers]}."
        )

    @property
    def operations(self) -> list[Layer]:
        """What a functional model calls, in order: its layers, and functions of Tensors too."""
        return list(self._needs_graph("operations").layers)

    # -- files

    def export(
        self,
        filepath: Any,
        format: str = "tf_saved_model",
        verbose: Any = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> None:
        """Write the model's inference as a program, which needs neither its class nor lamina.

        It runs on CPU, GPU and TPU. Sizes left open stay open. `tf.debugging`'s assertions on
        values are left out, since no file can hold Python.

        Args:
            filepath: The path of a folder, which `tf.saved_model.load` reads: its `serve(inputs)`
                is the model's call. A path that ends in ".zip" is one file, which
                `tf.keras.export.load` reads, as does `jax.export.deserialize` from its entry
                "program.bin".
            format: "tf_saved_model", as `tf.saved_model.save` writes it, or "jax" for one file of
                any name. Both hold StableHLO; ONNX and others need their own tools.
            verbose: Whether to print what a SavedModel has; None does.
            input_signature: A list with a tf.TensorSpec, shape or example for each positional
                argument of `call`, or structures of these; other values are kept as they are.
                None takes the call that the model was built by, with any batch size.
            **kwargs: Arguments of `call` by name, likewise.

        Raises:
            ValueError: another format, or the inputs are not known.
            InvalidArgumentError: the program calls Python.

        Example:
            >>> import os, tempfile
            >>> model = tf.keras.Sequential([tf.keras.Input((3,)), tf.keras.layers.Dense(2)])
            >>> path = os.path.join(tempfile.mkdtemp(), "model.zip")
            >>> model.export(path)
            >>> tf.keras.export.load(path)(tf.ones([5, 3])).shape
            TensorShape([5, 2])
        """
        write = writer_for(self, filepath, format)
        if input_signature is not None or kwargs:
            given = [symbols_for(self, a) for a in input_signature or ()]
            named = {k: symbols_for(self, v) for k, v in kwargs.items()}
            _announce(write(self, filepath, given, named), verbose)
            return
        found = arguments_as_built(self)
        if found is None:
            raise ValueError(
                f"{label(self)}.export: its inputs are not known; it has never been called.\n"
                f"  Fix: call it on data first, or pass input_signature=[(None, 32)]."
            )
        try:
            text = write(self, filepath, *found)
        except errors.InvalidArgumentError:
            raise
        except Exception as error:  # `call` needs to know the batch size
            fixed = arguments_as_built(self, is_open=False)
            text = write(self, filepath, *fixed)  # type: ignore[misc]
            warnings.warn(
                f"{label(self)}.export: the program is for the batch size of the call that built "
                f"the model alone; it cannot be recorded for any: {str(error).splitlines()[0]}\n"
                f"  Fix: use tf.shape(x)[0] in place of x.shape[0], and -1 in tf.reshape.",
                stacklevel=2,
            )
        _announce(text, verbose)

    def get_config(self) -> dict[str, Any]:
        """Return the architecture of a functional model, or the arguments of a subclass's init."""
        if self.__dict__.get("_graph") is None:
            return super().get_config()
        config = graph_config(self, Model)
        return super().get_config() if config is None else config

    @classmethod
    def from_config(  # pyright: ignore[reportIncompatibleMethodOverride]  # as Keras
        cls, config: dict[str, Any], custom_objects: Any = None
    ) -> Any:
        """Return a new model from what `get_config` gave."""
        with registry.CustomObjectScope(custom_objects or {}):
            if "layers" in config and "input_layers" in config:
                return graph_from_config(cls, config)
            return super().from_config(config)

    def get_build_config(self) -> dict[str, Any] | None:
        """Return the shapes that the model was built for."""
        return self.__dict__.get("_lm_build_shapes")

    def build_from_config(self, config: dict[str, Any] | None) -> None:
        """Build the model for the shapes that `get_build_config` gave."""
        shapes = dict(config or {})
        first = shapes.pop("input_shape", None)
        if first is not None:
            self.build(calling.as_shapes(first))

    def __getstate__(self) -> dict[str, Any]:
        # Compiled steps are made anew.
        return super().__getstate__() | dict.fromkeys(_STEPS)

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)
        optimizer: Any = self.__dict__.get("optimizer")
        if getattr(optimizer, "_waiting_state", None) and self.built and not optimizer.built:
            optimizer.build(self.trainable_variables)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        made = _copied(self, memo)
        if self.__dict__.get("_graph") is not None:
            held = made.__dict__["graph_layers"]  # a Sequential's are without the input
            made._set_graph(clone_graph(self._graph, lambda layer: memo[id(layer)]))
            losses = self.__dict__.get("_lm_graph_with_losses")
            if losses is not None:
                losses = clone_graph(losses, lambda layer: memo[id(layer)])
            made.__dict__["_lm_graph_with_losses"] = losses
            made.__dict__["graph_layers"] = held
        return made


def _copied(model: Any, memo: dict[int, Any]) -> Any:
    made = object.__new__(type(model))
    memo[id(model)] = made
    graphs = ("_graph", "_lm_graph_with_losses")
    state = {k: v for k, v in model.__getstate__().items() if k not in graphs}
    made.__dict__["_graph"] = None
    made.__setstate__({k: copy.deepcopy(v, memo) for k, v in state.items()})
    made._forget_steps()
    return made


def _announce(text: str | None, verbose: Any) -> None:
    """Print what `export` wrote."""
    if text and (verbose is None or verbose):
        print(text)


def _graph_arguments(args: Any, kwargs: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    """Split the arguments of Model into inputs, outputs, and the rest."""
    names = ("name",) if args and isinstance(args[0], str) else ("inputs", "outputs", "name")
    given = dict(zip(names, args, strict=False)) | kwargs
    inputs, outputs = given.pop("inputs", None), given.pop("outputs", None)
    if (inputs is None) != (outputs is None):
        raise ValueError(
            "Model: `inputs` and `outputs` go together; got only one of them.\n"
            "  Fix: tf.keras.Model(inputs, outputs), or subclass tf.keras.Model."
        )
    return inputs, outputs, given


registry.builtin("keras", "Model", "Functional")(Model)
