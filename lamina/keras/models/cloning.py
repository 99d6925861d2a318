"""clone_model: the same architecture with new layers."""

import inspect
from collections.abc import Callable
from typing import Any

from lamina.engine import nest
from lamina.keras import registry
from lamina.keras.core import InputLayer, KerasTensor, Layer, clone_graph
from lamina.keras.core.checks import label
from lamina.keras.models.model import Model
from lamina.keras.models.sequential import Sequential
from lamina.keras.saving import replaced

__all__ = ["clone_model"]


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Any:
    """Return a new model of the same architecture, with new weights; compiled as `model` was.

    Args:
        model: Any model: functional, Sequential, or a subclass, which is made anew from its
            constructor's arguments.
        input_tensors: KerasTensors to start from, in the structure of `model.input`; None makes
            new ones.
        clone_function: What makes the new layer of a layer; None makes it from its config.
        call_function: What calls the new layers, `call_function(layer, *args, **kwargs)`, and may
            add others; None calls them (functional models).
        recursive: Whether both functions reach into nested models.
        **kwargs: `cache`, a dict from `id(layer)` to the layers that were made so far.

    Returns:
        The new model.

    Raises:
        ValueError: an argument that this kind of model does not take, or `input_tensors` that do
            not fit.

    Example:
        >>> model = tf.keras.Sequential([tf.keras.Input((3,)), tf.keras.layers.Dense(2)])
        >>> tf.keras.models.clone_model(model).output_shape
        (None, 2)
    """
    cache = kwargs.pop("cache", None)
    if kwargs:
        raise ValueError(f"clone_model: no further arguments were expected; got {sorted(kwargs)}.")
    clone = _cloner(clone_function, call_function, recursive, {} if cache is None else cache)
    is_changed = clone_function is not None or input_tensors is not None
    if isinstance(model, Sequential) and (registry.is_own(type(model)) or is_changed):
        if call_function is not None:
            raise ValueError(
                f"{label(model)}: clone_model takes `call_function` for functional models; the "
                f"layers of a Sequential model are only listed.\n"
                f"  Fix: give clone_function, or write the model with tf.keras.Input."
            )
        return _compiled_as(model, _sequential(model, clone, input_tensors))
    if model._graph is not None and (type(model).__init__ is Model.__init__ or is_changed):
        given = _checked_inputs(model, input_tensors)
        graph = clone_graph(model._graph, clone, call_function, given)
        cls = type(model) if _takes_graph(type(model)) else Model
        return _compiled_as(model, cls(graph.inputs, graph.outputs, name=model.name))
    if is_changed or call_function is not None:
        raise ValueError(
            f"{label(model)}: clone_model takes `clone_function`, `call_function` and "
            f"`input_tensors` for functional and Sequential models; this is a subclass with its "
            f"own `call`.\n  Fix: type(model).from_config(model.get_config())."
        )
    made = type(model).from_config(model.get_config())
    made.name = model.name
    replaced.apply(made, replaced.notes(model), "clone_model")
    return _compiled_as(model, made)


def _cloner(
    clone_function: Any, call_function: Any, recursive: bool, cache: dict[int, Any]
) -> Callable[[Layer], Any]:
    """Return what gives the new layer of a layer, the same one each time."""

    def make(layer: Any) -> Any:
        if isinstance(layer, InputLayer):
            # As Keras: the new input has the name of the Tensor, not of the old layer.
            config = layer.get_config() | {"name": layer._inbound_nodes[0].outputs[0].name}
            return type(layer).from_config(config)
        is_sequential = isinstance(layer, Sequential)
        if recursive and (is_sequential or getattr(layer, "_graph", None) is not None):
            inner = None if is_sequential else call_function
            return clone_model(layer, None, clone_function, inner, recursive=True, cache=cache)
        if clone_function is not None:
            return clone_function(layer)
        made = type(layer).from_config(layer.get_config())
        made.name = layer.name
        return made

    def clone(layer: Any) -> Any:
        if id(layer) not in cache:
            cache[id(layer)] = make(layer)
        return cache[id(layer)]

    return clone


def _sequential(model: Sequential, clone: Callable[[Layer], Any], input_tensors: Any) -> Sequential:
    made = Sequential(name=model.name, trainable=model.trainable)
    start = model.__dict__["_lm_start"]
    if input_tensors is not None:
        given = nest.flatten(input_tensors)
        if len(given) != 1 or not isinstance(given[0], KerasTensor):
            raise ValueError(
                f"{label(model)}: clone_model: `input_tensors` must be one KerasTensor for a "
                f"Sequential model; got {input_tensors!r}."
            )
        name = None if start is None else start.name
        kept = given[0] if given[0].node is None or given[0].node.is_input else None
        shape, dtype = tuple(given[0].shape), given[0].dtype.name
        made.add(
            InputLayer(batch_shape=shape, dtype=dtype, name=name) if kept is None else kept,
            rebuild=False,
        )
    elif start is not None:
        made.add(clone(start), rebuild=False)
    for layer in model.layers:
        made.add(clone(layer), rebuild=False)
    made._maybe_connect()
    return made


def _checked_inputs(model: Any, given: Any) -> Any:
    if given is None:
        return None
    fits = True
    try:
        nest.assert_same_structure(given, model.input, check_types=not isinstance(given, list))
    except (TypeError, ValueError):
        fits = False
    if not fits or not all(isinstance(t, KerasTensor) for t in nest.flatten(given)):
        raise ValueError(
            f"{label(model)}: clone_model: `input_tensors` must be KerasTensors in the structure "
            f"of model.input, {model.input!r}; got {given!r}."
        )
    return given


def _takes_graph(cls: type) -> bool:
    """Return whether the constructor takes inputs and outputs, as Model's does."""
    if cls.__init__ is Model.__init__:
        return True
    parameters = inspect.signature(cls).parameters
    return {"inputs", "outputs", "name"} <= set(parameters)


def _compiled_as(model: Any, made: Any) -> Any:
    """Compile the clone as its original is; it gets an optimizer, loss and metrics of its own."""
    if model.compiled and not made.compiled:
        config = model.get_compile_config()
        if config is not None:
            made.compile_from_config(config)
    return made
