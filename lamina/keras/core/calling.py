"""What a layer's call does off the hot path: building, casting, masks, symbols."""

import enum
import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import (
    Tensor,
    TensorShape,
    TensorSpec,
    TensorType,
    Variable,
    close,
    convert_to_tensor,
    errors,
    init_scope,
    local,
    nest,
)
from lamina.engine.composite import Composite
from lamina.keras import registry
from lamina.keras.core import buildspec, reporting
from lamina.keras.core.callspec import CallSpec
from lamina.keras.core.checks import label
from lamina.keras.core.reporting import is_shape
from lamina.keras.core.symbolic import KerasTensor, MaskSymbol, Node

__all__ = ["MissingCallError"]


class MissingCallError(NotImplementedError):
    """A Layer or Model subclass has no `call`: write `def call(self, inputs): ...`."""


# ---- inputs -----------------------------------------------------------------------------------


def cast(x: Tensor, dtype: Any) -> Tensor:
    """Return a floating input in the layer's compute dtype, with its mask."""
    made = ops.cast(x, dtype)
    if x._keras_mask is not None and made is not x:
        made._keras_mask = x._keras_mask
    return made


def has_symbolic(args: Any, kwargs: Any) -> bool:
    """Return whether there is a KerasTensor among the arguments."""
    return any(isinstance(x, KerasTensor) for x in nest.flatten((args, list(kwargs.values()))))


def prepare(layer: Any, args: Any, kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any], bool]:
    """Convert NumPy inputs, cast floating ones, and tell whether any Tensor carries a mask."""
    compute = layer._lm_compute
    masked = False

    def convert(x: Any) -> Any:
        nonlocal masked
        if not isinstance(x, Tensor) and (
            _is_array(x) or (isinstance(x, Variable) and registry.is_own(type(layer)))
        ):  # a user's own layer may assign to a Variable that it is given
            x = convert_to_tensor(x)
        if isinstance(x, Tensor):
            masked = masked or x._keras_mask is not None
            if layer.autocast and x.dtype is not compute and x.dtype.is_floating:
                return cast(x, compute)
        return x

    given = []
    for i, a in enumerate(args):
        if i == 0 and isinstance(a, list):
            _check_data(layer, a)
        given.append(nest.map_structure(convert, a) if not isinstance(a, Tensor) else convert(a))
    named = {k: nest.map_structure(convert, v) for k, v in kwargs.items()}
    # As Keras: a mask that is passed by hand goes on to the outputs like one of the inputs.
    return tuple(given), named, masked or kwargs.get("mask") is not None


def _is_array(x: Any) -> bool:
    """Return whether an input that is no Tensor is to become one: a NumPy array, a data frame."""
    if isinstance(x, np.ndarray | np.generic):
        return x.dtype.kind != "O" or holds_strings(x)
    kind = type(x)
    if not hasattr(kind, "__array__"):
        return False
    return not (hasattr(kind, "_as_tensor") or hasattr(kind, "_type_spec"))


def holds_strings(array: Any) -> bool:
    """Return whether a NumPy array of objects holds strings: its first element tells."""
    return array.dtype == object and array.size > 0 and isinstance(array.flat[0], str | bytes)


def _check_data(layer: Any, value: list[Any]) -> None:
    leaves = nest.flatten(value)
    if leaves and all(isinstance(v, float | int) and not isinstance(v, bool) for v in leaves):
        raise ValueError(
            f"{label(layer)}: the input must be a Tensor or NumPy array; got a list of numbers.\n"
            f"  Fix: tf.constant(...), or pass a setting by keyword."
        )


def fill_masks(spec: CallSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Give `mask` arguments of `call` that were not given the masks of the inputs."""
    for i, name, mask in spec.masks:
        if kwargs.get(mask) is not None or mask in spec.names[: len(args)]:
            continue
        value = args[i] if i < len(args) else kwargs.get(name)
        if value is None:
            continue
        found = masks_of(value)
        if any(m is not None for m in nest.flatten(found)):
            kwargs[mask] = found


def masks_of(value: Any) -> Any:
    """Return the masks of a structure of Tensors, None where there is none."""
    return nest.map_structure(
        lambda t: getattr(t, "_keras_mask", None) if isinstance(t, Tensor) else None, value
    )


def _drop_carried(args: Any, kwargs: dict[str, Any], outputs: list[Tensor]) -> None:
    """Take off masks that operations carried over from inputs: the layer's class says its own."""
    given = [t for t in nest.flatten((args, list(kwargs.values()))) if isinstance(t, Tensor)]
    carried = [t._keras_mask for t in given if t._keras_mask is not None]
    for t in outputs:
        mask = t._keras_mask
        if mask is None or any(t is g for g in given):
            continue
        if any(mask is m for m in carried) or "_is_joint" in vars(mask):
            t._keras_mask = None


def set_masks(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> None:
    """Put masks on the outputs, as the layer's `compute_mask` says."""
    if not layer.supports_masking and not layer._lm_makes_mask:
        return
    flat = [t for t in nest.flatten(outputs) if isinstance(t, Tensor)]
    if layer._lm_makes_mask and not registry.is_own(type(layer)):
        _drop_carried(args, kwargs, flat)
    if not flat or all(t._keras_mask is not None for t in flat):
        return
    inputs = args[0] if args else next(iter(kwargs.values()), None)
    previous = kwargs.get("mask")
    if previous is None:
        previous = masks_of(inputs)
        if all(m is None for m in nest.flatten(previous)):
            previous = None
    masks = layer.compute_mask(inputs, previous)
    if masks is None:
        return
    local.masks = True
    found = nest.flatten(masks)
    if (len(found) == 1 and len(flat) > 1) or not isinstance(masks, list | tuple | dict):
        found = [masks] * len(flat) if len(flat) == 1 else [*found, *[None] * len(flat)]
    for t, m in zip(flat, found, strict=False):
        if t._keras_mask is None and m is not None:
            t._keras_mask = m


# ---- building ---------------------------------------------------------------------------------


def shape_of(value: Any) -> Any:
    """Return the shape, or structure of shapes, of an argument; None if it holds no Tensor."""
    if isinstance(value, Tensor | Variable | Composite):
        return tuple(value.shape)
    if isinstance(value, list | tuple | dict):
        if not any(isinstance(t, Tensor | Variable) for t in nest.flatten(value)):
            return None
        if nest.has_composites(value):
            value = nest.map_composites(lambda c: TensorSpec(c.shape, c.dtype), value)
        return nest.map_structure(
            lambda t: tuple(t.shape) if isinstance(t, Tensor | Variable | TensorSpec) else None,
            value,
        )
    return None


def specs_of(value: Any) -> Any:
    """Return the TensorSpecs of an argument that holds Tensors, None for its other leaves."""

    def spec(t: Any) -> TensorSpec | None:
        return TensorSpec(t.shape, t.dtype) if isinstance(t, Tensor | Variable) else None

    return nest.map_structure(spec, value)


def build_for(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Call the layer's `build` with the shapes of a call's arguments."""
    spec = layer._lm_spec
    named = dict(zip(spec.names, args, strict=False)) | kwargs
    shapes = {k: s for k, v in named.items() if (s := shape_of(v)) is not None}
    if not shapes:
        _check_given(layer, args, kwargs)
    layer.__dict__["_lm_call_specs"] = {k: specs_of(named[k]) for k in shapes}
    if not registry.is_own(type(layer)):
        layer.__dict__["_lm_call_arguments"] = _noted(args, kwargs)
    build = type(layer).build
    names = buildspec.names_of(build)
    if len(names) > 1:
        buildspec.check_names(layer, build, names)
    if len(names) > 1 and any(f"{k}_shape" in names for k in shapes):
        given = {f"{k}_shape": s for k, s in shapes.items() if f"{k}_shape" in names}
        layer.__dict__["_lm_build_shapes"] = given
        layer.build(**given)
        return
    first = next((s for k, s in shapes.items() if "mask" not in k), None)
    layer.__dict__["_lm_build_shapes"] = {"input_shape": first}
    if names:
        layer.build(first if not isinstance(first, tuple) else TensorShapeTuple(first))
    else:
        layer.build()


def _noted(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any] | None:
    """Return a call's arguments with TensorSpecs for Tensors; None if others have no plain form.

    A file keeps it, so that a loaded model can be built at once.
    """
    given = {k: v for k, v in kwargs.items() if k != "training"}
    arguments = {"args": list(args), "kwargs": given}
    leaves = nest.flatten(arguments)
    if not all(isinstance(v, Tensor | Variable | enum.Enum | _PLAIN) for v in leaves):
        return None
    return nest.map_structure(
        lambda v: TensorSpec(v.shape, v.dtype) if isinstance(v, Tensor | Variable) else v,
        arguments,
    )


_PLAIN = int | float | str | bytes | None


def _check_given(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Refuse a call without its inputs before `build` stumbles over the shapes that it lacks."""
    try:
        inspect.signature(layer.call).bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(
            f"{label(layer)}: its call is {error}.\n  Fix: give it, as in layer(inputs)."
            if "missing" in str(error)
            else f"{label(layer)}: {error}."
        ) from None


class TensorShapeTuple(tuple):
    """A shape as `build` gets it: a tuple that also answers to `as_list` and `rank`."""

    def as_list(self) -> list[int | None]:
        """Return the sizes as a list."""
        return list(self)

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self)

    ndims = rank


def load_deferred(layer: Any, args: Any = None, kwargs: Any = None) -> None:
    """Give a model the weights that were loaded before it had any; saving/weights.py left them.

    Args:
        layer: The model.
        args: The arguments of its first call, which is recorded to make all weights; None if it
            was built by hand.
        kwargs: The keyword arguments of the call.
    """
    if args is not None:
        here, before = local, local.calls
        here.calls = before[:-1]  # without this call of the layer: its name counts once in paths
        try:
            output_spec(layer, args, kwargs or {})
        finally:
            here.calls = before
    elif not all(inner.built for inner in layer._flatten_layers()):
        return  # the first call makes the rest
    load = layer.__dict__.pop("_lm_deferred")
    with init_scope():
        load(layer)


# ---- symbolic calls -----------------------------------------------------------------------------


def trace(
    layer: Any,
    args: Any,
    kwargs: Any,
    kinds: Sequence[TensorType],
    masks: Sequence[Any] = (),
    noted: list[Any] | None = None,
) -> Any:
    """Record a call on placeholders; returns (closed trace, structure of its placeholders).

    Args:
        layer: The layer.
        args: The arguments, KerasTensors among them.
        kwargs: The keyword arguments.
        kinds: The types of the KerasTensors.
        masks: Their masks, KerasTensors too, None for those that have none; empty if none has.
        noted: A list that takes the types of the outputs' masks.
    """

    def call(*placeholders: Tensor) -> Any:
        given, own_masks = iter(placeholders), iter(placeholders[len(kinds) :])
        for t, mask in zip(placeholders, masks, strict=False):
            if mask is not None:
                t._keras_mask = next(own_masks)

        def put(x: Any) -> Any:
            return next(given) if isinstance(x, KerasTensor | TensorShape) else x

        outputs = layer(
            *[nest.map_structure(put, a) for a in args],
            **{k: nest.map_structure(put, v) for k, v in kwargs.items()},
        )
        if noted is not None:
            noted[:] = [_mask_type(t) for t in nest.flatten(outputs) if t is not None]
        return outputs

    before, local.calls = local.calls, [*local.calls]
    losses = {id(below): list(below._lm_losses) for below in layer._flatten_layers()}
    root = before[0].__dict__ if before else {}
    with_losses = list(root.get("_lm_with_losses", ()))
    try:
        types = [*kinds, *[m._type for m in masks if m is not None]]
        local.masks = local.masks or len(types) > len(kinds)
        return close(call, types, label(layer))
    finally:
        local.calls = before
        if "_lm_with_losses" in root:
            root["_lm_with_losses"] = with_losses
        for below in layer._flatten_layers():  # losses of this trace would have no value
            below._lm_losses[:] = losses.get(id(below), ())


def _mask_type(output: Any) -> TensorType | None:
    mask = getattr(output, "_keras_mask", None)
    return mask._type if isinstance(mask, Tensor) else None


def _masked(symbol: KerasTensor, mask: TensorType | None) -> KerasTensor:
    symbol._keras_mask = None if mask is None else MaskSymbol.carried_by(symbol, mask)
    return symbol


def _traced_structure(layer: Any, args: Any, kwargs: Any, noted: list[Any] | None = None) -> Any:
    """Record a call on KerasTensors, masked as they are, and return the types of its outputs."""
    parents = _parents(args, kwargs)
    masks = [t._keras_mask for t in parents]
    found = trace(layer, args, kwargs, [t._type for t in parents], masks, noted)[1]
    return _as_symbols(layer, found)


def _as_symbols(layer: Any, structure: Any) -> Any:
    """Return the structure of outputs as a model gives it in calls on KerasTensors."""
    change = getattr(layer, "_symbolic_structure", None)
    return structure if change is None else change(structure)


def call_symbolic(layer: Any, args: Any, kwargs: Any) -> Any:
    """Call a layer on KerasTensors: note the call, and find shapes and dtypes by tracing it."""
    own_masks = [t._keras_mask for t in _parents(args, kwargs)]
    # A mask that an input carries anyway is no input of the graph: the run finds it.
    kwargs = {k: None if any(v is m for m in own_masks) else v for k, v in kwargs.items()}
    masks: list[Any] = []
    types = _reported(layer, args, kwargs, masks)
    for i, name, mask in layer._lm_spec.masks:
        # As Keras notes it: the mask of the run is found when the model runs.
        if (i < len(args) or name in kwargs) and mask not in layer._lm_spec.names[: len(args)]:
            kwargs = {**kwargs, mask: kwargs.get(mask)}
    node = Node(layer, tuple(args), dict(kwargs), _parents(args, kwargs))
    node.structure = nest.map_structure(lambda t: _symbolic_output(t, node), types)
    for t, mask in zip(node.outputs, masks, strict=False):
        _masked(t, mask)
    return node.structure


def _parents(args: Any, kwargs: Any) -> list[KerasTensor]:
    return [t for t in nest.flatten((args, list(kwargs.values()))) if isinstance(t, KerasTensor)]


def _symbolic_output(kind: TensorType | None, node: Node) -> Any:
    if kind is None:
        return None
    made = KerasTensor.of(kind, node, len(node.outputs))
    node.outputs.append(made)
    return made


def _reported(layer: Any, args: Any, kwargs: Any, noted: list[Any]) -> Any:
    """Return the types of the outputs of a call on KerasTensors, as the layer reports them."""
    if not reporting.says(layer, "compute_output_spec"):
        return _traced_types(layer, args, kwargs, noted)
    traced = None
    if not registry.is_own(type(layer)):  # lamina's own classes trace the call themselves
        traced = _traced_if_possible(layer, args, kwargs, noted)
    found = layer.compute_output_spec(*args, **kwargs)
    noted[:] = noted or [_mask_type(t) for t in nest.flatten(found) if t is not None]
    return reporting.by_spec(layer, found, traced)


def _traced_types(layer: Any, args: Any, kwargs: Any, noted: list[Any] | None = None) -> Any:
    named = dict(zip(layer._lm_spec.names, args, strict=False)) | kwargs
    shapes = {k: s for k, v in named.items() if (s := shape_of(v)) is not None}
    if reporting.says(layer, "compute_output_shape") and not registry.is_own(type(layer)):
        traced = _traced_if_possible(layer, args, kwargs, noted)
    else:
        traced = _traced_structure(layer, args, kwargs, noted)
    return reporting.settled(layer, traced, shapes)


def _traced_if_possible(layer: Any, args: Any, kwargs: Any, noted: list[Any] | None = None) -> Any:
    """Trace a call, which builds the layer; None if it builds, and then cannot be traced.

    As in Keras: where a class says what its output is, `call` need not run on unknown sizes.
    """
    try:
        return _traced_structure(layer, args, kwargs, noted)
    except Exception:
        if not layer.built:
            raise
        return None


def output_spec(layer: Any, args: Any, kwargs: Any) -> Any:
    """Return KerasTensors for the outputs of a call on KerasTensors or Tensors."""

    def symbol(t: Any) -> Any:
        if not isinstance(t, Tensor):
            return t
        return _masked(KerasTensor.of(t._type), _mask_type(t))

    args = [nest.map_structure(symbol, a) for a in args]
    kwargs = {k: nest.map_structure(symbol, v) for k, v in kwargs.items()}
    masks: list[Any] = []
    types = _traced_types(layer, args, kwargs, masks)
    given = iter(masks)

    def symbol_of(kind: Any) -> Any:
        return None if kind is None else _masked(KerasTensor.of(kind), next(given, None))

    return nest.map_structure(symbol_of, types)


def as_shapes(value: Any) -> Any:
    """Return shapes read from JSON, where they are lists, as tuples; None is for no shape."""
    if value is None:
        return None
    if is_shape(value):
        return tuple(value)
    if isinstance(value, dict):
        return {k: as_shapes(v) for k, v in value.items()}
    return [as_shapes(v) for v in value]


def as_symbols(shapes: Any, dtype: Any) -> Any:
    """Return KerasTensors for a shape or a structure of shapes, None for an input left out."""
    if shapes is None:
        return None
    if is_shape(shapes):
        return KerasTensor(shapes, dtype)
    if isinstance(shapes, dict):
        return {k: as_symbols(v, dtype) for k, v in shapes.items()}
    if isinstance(shapes, list | tuple):
        items = [as_symbols(v, dtype) for v in shapes]
        return type(shapes)(items) if type(shapes) in (list, tuple) else items
    raise ValueError(f"a shape must be a tuple of sizes and None; got {shapes!r}.")


def _trace_shapes(layer: Any, shapes: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Record a call on inputs of the given shapes, with integer inputs where floats do not do."""
    named = {k.removesuffix("_shape"): v for k, v in kwargs.items()}
    if "input" in named and "input" not in layer._lm_spec.names:  # whatever `call` names it
        shapes = [named.pop("input"), *shapes]
    last: Exception | None = None
    for dtype in (layer.compute_dtype, "int32"):
        args = [as_symbols(s, dtype) for s in shapes]
        given = {k: as_symbols(s, dtype) for k, s in named.items()}
        parents = [
            t for t in nest.flatten((args, list(given.values()))) if isinstance(t, KerasTensor)
        ]
        try:
            return trace(layer, args, given, [t._type for t in parents])[1]
        except (TypeError, errors.InvalidArgumentError) as error:
            last = last or error
    assert last is not None
    raise last


def trace_shapes(layer: Any, input_shape: Any) -> None:
    """Build the layers inside a layer for an input shape: one call is recorded, nothing runs."""
    if all(below.built for below in layer._flatten_layers(include_self=False)):
        return  # there is nothing to make, and the call may not take such inputs
    before = layer.__dict__["built"]
    layer.__dict__["built"] = True
    try:
        _trace_shapes(layer, [input_shape], {})
    except BaseException:
        layer.__dict__["built"] = before
        raise


def output_shape(layer: Any, shapes: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Return the shapes of the outputs for inputs of the given shapes."""
    structure = _as_symbols(layer, _trace_shapes(layer, shapes, kwargs))
    return nest.map_structure(lambda t: None if t is None else tuple(t.shape), structure)


def only_node(layer: Any, what: str) -> Any:
    """Return the input or output of the layer's only call in a functional model."""
    nodes = layer._inbound_nodes
    if len(nodes) != 1:
        raise AttributeError(
            f"{label(layer)}: `{what}` is defined for a layer called once in a functional model; "
            f"it was called {len(nodes)} times.\n"
            f"  Fix: keep the Tensor that the call returned."
        )
    node = nodes[0]
    if what == "output" or node.is_input:
        return node.structure
    return node.args[0] if len(node.args) == 1 else list(node.parents)


# ---- losses, attributes -------------------------------------------------------------------------


def add_activity_losses(layer: Any, outputs: Any) -> None:
    """Add the penalties on a layer's outputs: as Keras, the mean over the batch."""
    for out in nest.flatten(outputs):
        if not out.dtype.is_floating:
            out = ops.cast(out, layer.compute_dtype)
        penalty = layer.activity_regularizer(out)
        if out.ndim:
            batch = out.shape[0]
            known = batch is not None
            batch = float(max(batch, 1)) if known else ops.cast(ops.shape(out)[0], penalty.dtype)
            penalty = penalty / batch
        layer.add_loss(penalty)


def note_losses(layer: Any) -> None:
    """Tell the outermost layer of the call that this one has losses to be cleared next time.

    Losses from before, of calls that had another outermost layer, are forgotten at once.
    """
    root = local.calls[0] if local.calls else layer
    known = root.__dict__.setdefault("_lm_with_losses", [])
    if not any(k is layer for k in known):
        known.append(layer)
        if local.calls:
            layer._lm_losses.clear()


def clear_losses(root: Any) -> None:
    """Forget the losses of the last call."""
    for layer in root.__dict__["_lm_with_losses"]:
        layer._lm_losses.clear()


def check_kept(layer: Any, name: str, value: Tensor) -> None:
    """A Tensor is kept on a layer: inside a trace it will never have a value."""
    if value._value is not None or value._trace.eager or isinstance(value, KerasTensor):
        return
    value.__dict__["_kept_as"] = f"{type(layer).__name__}.{name}"
    trace = local.trace
    while not trace.eager:
        if trace.is_function:  # shapes found in eager code are another matter
            raise errors.LeakedTensorError(
                f"{label(layer)}: `self.{name}` was set to a Tensor, {value.dtype.name}"
                f"{value.shape}, while {trace.what} is traced, where it has no value.\n"
                f"  Fix: make it a variable, self.{name} = tf.Variable(...) in `__init__` and "
                f"self.{name}.assign(...) here; or return it; or look at it from outside, "
                f"model.intermediate(x, path) or model.hook(path, fn, values=True)."
            )
        trace = trace.parent


def observed(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run `call` with the observers told before and after."""
    told = [observer(layer, args, kwargs) for observer in local.observers]
    call = layer.call if local.convert is None else local.convert(layer.call)
    outputs = call(*args, **kwargs)
    for done in told:
        if done is not None:
            replaced = done(outputs)
            outputs = outputs if replaced is None else replaced
    return outputs
