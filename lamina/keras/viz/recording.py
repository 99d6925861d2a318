"""Recording one call of a model, with every layer call inside it; nothing is computed."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from lamina import ops
from lamina.engine import Closed, Tensor, TensorSpec, Variable, context, errors, nest, versions
from lamina.keras.core import KerasTensor, calling, walk
from lamina.keras.core.checks import label

__all__ = [
    "Recorded",
    "Recording",
    "arguments_as_built",
    "call_specs",
    "has_call",
    "observing",
    "record",
    "record_as_built",
    "specs_in",
    "symbols_for",
    "trace",
    "with_dtypes",
]

_OWN = __name__.split(".", maxsplit=1)[0]


class Recorded:
    """One call of a layer, as it was recorded.

    Attributes:
        layer: The layer.
        parent: The call around it, None for the model's own.
        closure: The recorder; another one than the parent's inside loops and branches.
        begin: How many (equations, outputs) its recorder had before it.
        end: How many equations it had after it.
        outside: How many equations each recorder around that one had, by `id`.
        args: Its arguments.
        kwargs: Its keyword arguments.
        outputs: What it returned, None until then.
        where: (file, line) of the user's code that made the call, or None.
        is_leaf: Whether it calls no other layers.
    """

    __slots__ = (
        "args",
        "begin",
        "closure",
        "end",
        "is_leaf",
        "kwargs",
        "layer",
        "outputs",
        "outside",
        "parent",
        "where",
    )

    def __init__(self, layer: Any, parent: "Recorded | None", args: Any, kwargs: Any) -> None:
        self.layer = layer
        self.parent = parent
        self.closure: Any = context.local.trace
        self.begin = (len(self.closure.equations), self.closure.count)
        self.end = self.begin[0]
        self.outside: dict[int, int] = {}
        around = self.closure.parent
        while around is not None and hasattr(around, "equations"):
            self.outside[id(around)] = len(around.equations)
            around = getattr(around, "parent", None)
        self.args = args
        self.kwargs = kwargs
        self.outputs: Any = None
        self.where = _user_place()
        self.is_leaf = True
        if parent is not None:
            parent.is_leaf = False

    def named_arguments(self) -> dict[str, Any]:
        """Return the arguments of `call` by name."""
        return dict(zip(self.layer._lm_spec.names, self.args, strict=False)) | self.kwargs


class Recording:
    """A model's call as recorded: all calls in order, the model's own first, and the program."""

    def __init__(self, calls: list[Recorded], closed: Closed) -> None:
        self.calls = calls
        self.closed = closed

    @property
    def root(self) -> Recorded:
        """The call of the model itself."""
        return self.calls[0]


def _user_place() -> tuple[str, int] | None:
    """Return the file and line of the user's code that runs now, inside the recorded call."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module == __name__ and frame.f_code.co_name == "trace":
            return None
        if module.split(".")[0] not in (_OWN, "jax", "jaxlib", "contextlib"):
            return frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back
    return None


@contextmanager
def observing(seen: list[Recorded], keep_apart: bool = True) -> Iterator[None]:
    """Note every layer call inside the block in `seen`, those in tf.functions included.

    Args:
        seen: Gets the calls, in order.
        keep_apart: Whether a layer that returns its input as it is (Dropout at inference) gives
            a Tensor of its own, so that what comes after is seen to come from it.
    """
    base = len(context.local.calls)
    stack: list[Recorded] = []

    def observer(layer: Any, args: Any, kwargs: Any) -> Any:
        depth = len(context.local.calls) - 1 - base
        if _is_building(seen, depth):
            return None
        # A call that raised, and whose error was caught, has left `local.calls`.
        del stack[depth:]
        call = Recorded(layer, stack[-1] if stack else None, args, kwargs)
        seen.append(call)
        stack.append(call)

        def done(outputs: Any) -> Any:
            if call.is_leaf and keep_apart:
                outputs = nest.map_structure(lambda t: _own(t, call), outputs)
            call.outputs = outputs
            call.end = len(call.closure.equations)
            return outputs

        return done

    eagerly = context.config.run_functions_eagerly
    context.local.observers.append(observer)
    # A tf.function that was traced before would not call its layers again.
    context.config.run_functions_eagerly = True
    try:
        yield
    finally:
        context.config.run_functions_eagerly = eagerly
        context.local.observers.remove(observer)


def _is_building(seen: list[Recorded], depth: int) -> bool:
    """Return whether the call that begins is one by which a layer finds its shapes."""
    if not seen:
        return depth > 0
    closure: Any = context.local.trace
    while closure is not None and closure is not seen[0].closure:
        closure = getattr(closure, "parent", None)
    return closure is None


def _own(t: Any, call: Recorded) -> Any:
    """Return a Tensor that a call was given, and returned, under a slot of its own."""
    if not isinstance(t, Tensor) or t._host is not None or t._value is not None:
        return t
    if t._trace is call.closure and t._slot >= call.begin[1]:
        return t
    made = ops.identity(t)
    made._keras_mask = t._keras_mask
    return made


# ---- what to record -----------------------------------------------------------------------------


def call_specs(layer: Any) -> dict[str, Any]:
    """Return the TensorSpecs, by argument of `call`, of the call that a layer was built by."""
    return layer.__dict__.get("_lm_call_specs", {})


def has_call(model: Any) -> bool:
    """Return whether the class writes `call`, not only a base class of lamina's own."""
    kind = next(k for k in type(model).__mro__ if "call" in k.__dict__)
    return not kind.__module__.startswith(("lamina.keras.core", "lamina.keras.models"))


def symbols_for(layer: Any, inputs: Any, dtype: Any = None) -> Any:
    """Return KerasTensors like what stands for an input: data, shapes, specs or KerasTensors.

    Args:
        layer: The layer to call.
        inputs: A Tensor, array, TensorSpec, KerasTensor or shape, or a structure of these.
            Other values stay as they are.
        dtype: The dtype for shapes; None takes the layer's compute dtype.
    """
    if inputs is None or isinstance(inputs, bool | str):
        return inputs
    if isinstance(inputs, list | tuple) and inputs and calling.is_shape(inputs):
        return _symbol(tuple(inputs), dtype or layer.compute_dtype)
    if isinstance(inputs, dict):
        return {k: symbols_for(layer, v, dtype) for k, v in inputs.items()}
    if isinstance(inputs, list | tuple):
        items = [symbols_for(layer, v, dtype) for v in inputs]
        return type(inputs)(items) if type(inputs) in (list, tuple) else type(inputs)(*items)
    if hasattr(inputs, "shape") and hasattr(inputs, "dtype"):
        return _symbol(tuple(inputs.shape), inputs.dtype)
    return inputs


def _symbol(shape: Sequence[int | None], dtype: Any) -> KerasTensor:
    return KerasTensor(shape, dtype)


def record_as_built(model: Any, is_open: bool = True) -> Recording:
    """Record one call like the one that a model was built by.

    Args:
        model: The model.
        is_open: Whether the batch size is left open. A `call` that needs to know it gets the one
            that the model was built with all the same.

    Raises:
        ValueError: the model was neither built nor called.
    """
    given = arguments_as_built(model, is_open)
    if given is not None:
        try:
            return record(model, *given)
        except Exception:
            if not is_open:
                raise
            return record(model, *arguments_as_built(model, is_open=False))  # type: ignore[misc]
    shapes = model.__dict__.get("_lm_build_shapes")
    if not shapes:
        raise ValueError(
            f"{label(model)}: its inputs are not known; it has never been called.\n"
            f"  Fix: model.graph((None, 32)), or build or call the model first."
        )
    named = {k.removesuffix("_shape"): calling.as_shapes(v) for k, v in shapes.items()}
    if not is_open:
        return _record_shapes(model, named)
    try:
        return _record_shapes(model, {k: _open_shapes(v) for k, v in named.items()})
    except Exception:
        return _record_shapes(model, named)


def arguments_as_built(model: Any, is_open: bool = True) -> tuple[Any, dict[str, Any]] | None:
    """Return the arguments of the call that a model was built by, KerasTensors for Tensors.

    Args:
        model: The model.
        is_open: Whether first sizes are left open.

    Returns:
        (arguments, keyword arguments); None if there was no call.
    """
    graph = getattr(model, "_graph", None)
    if graph is not None:
        return (nest.map_structure(_any_batch, graph.inputs) if is_open else graph.inputs,), {}
    symbols = _opened if is_open else _as_given
    noted = model.__dict__.get("_lm_call_arguments")
    if noted:
        return symbols(noted["args"]), symbols(noted["kwargs"])
    specs = call_specs(model)
    return ((), {k: symbols(v) for k, v in specs.items()}) if specs else None


def _any_batch(symbol: Any) -> Any:
    """Return a KerasTensor of any first size: that of a Sequential is the one of its first call."""
    shape = tuple(symbol.shape)
    return symbol if _open(shape) == shape else _symbol(_open(shape), symbol.dtype)


def _opened(specs: Any) -> Any:
    """Return a structure with KerasTensors in place of TensorSpecs, the first size left open."""

    def one(s: Any) -> Any:
        return _symbol(_open(tuple(s.shape)), s.dtype) if isinstance(s, TensorSpec) else s

    return nest.map_structure(one, specs)


def _as_given(specs: Any) -> Any:
    """Return a structure with KerasTensors in place of TensorSpecs, with all sizes."""

    def one(s: Any) -> Any:
        return _symbol(tuple(s.shape), s.dtype) if isinstance(s, TensorSpec) else s

    return nest.map_structure(one, specs)


def _open(shape: Any) -> Any:
    return (None, *shape[1:]) if shape else ()


def _open_shapes(shapes: Any) -> Any:
    """Return a shape, or each in a structure of shapes, with None for its first size."""
    if calling.is_shape(shapes):
        return _open(tuple(shapes))
    if isinstance(shapes, dict):
        return {k: _open_shapes(v) for k, v in shapes.items()}
    return [_open_shapes(v) for v in shapes]


def _record_shapes(model: Any, named: dict[str, Any]) -> Recording:
    """Record a call on inputs of given shapes: floats, or whole numbers where those do not do."""
    first = [named.pop("input")] if "input" in (named := dict(named)) else []
    return with_dtypes(
        model,
        lambda dtype: (
            [calling.as_symbols(s, dtype) for s in first],
            {k: calling.as_symbols(s, dtype) for k, s in named.items()},
        ),
    )


def with_dtypes(model: Any, inputs: Any) -> Recording:
    """Record a call on `inputs(dtype)`, floats first, then whole numbers if those do not do."""
    try:
        return record(model, *inputs(model.compute_dtype))
    except (TypeError, ValueError, errors.InvalidArgumentError) as error:
        try:
            return record(model, *inputs("int32"))
        except Exception:
            raise error from None


# ---- recording ----------------------------------------------------------------------------------


def record(model: Any, args: Any, kwargs: dict[str, Any]) -> Recording:
    """Record a call of a model on KerasTensors; a model that is not built is built.

    Args:
        model: A layer or model.
        args: The arguments, KerasTensors in the places of Tensors.
        kwargs: The keyword arguments.
    """
    seen: list[Recorded] = []
    with _unchanged(model), observing(seen):
        closed, _ = trace(model, args, kwargs)
    return Recording(seen, closed)


def trace(layer: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Closed, Any]:
    """Record a call on placeholders for its KerasTensors; see `calling.trace`."""
    leaves = nest.flatten([list(args), list(kwargs.values())])
    kinds = [t._type for t in leaves if isinstance(t, KerasTensor)]
    return calling.trace(layer, args, kwargs, kinds)


@contextmanager
def _unchanged(root: Any) -> Iterator[None]:
    """Put back, after the block, what its attributes were: losses, kept Tensors, counters.

    A layer that was built inside the block stays so, and loses only the Tensors of the recording
    that it kept. Variables need no care: a recorded assignment does not reach them.
    """
    objects = [root, *[v for _, v in walk(root) if not isinstance(v, Variable)]]
    before = [(v, dict(vars(v)), vars(v).get("built", True)) for v in objects]
    inside = [
        (held, held.copy(), was_built)
        for _, attributes, was_built in before
        for held in attributes.values()
        if type(held) in (list, dict, set)
    ]
    try:
        yield
    finally:
        for obj, attributes, was_built in before:
            own = vars(obj)
            kept = own if was_built else {k: v for k, v in own.items() if not _is_dead(v)}
            restored = attributes if was_built else attributes | kept
            own.clear()
            own.update(restored)
        for held, items, was_built in inside:
            if was_built or any(map(_is_dead, held.values() if type(held) is dict else held)):
                held.clear()
                held.extend(items) if isinstance(held, list) else held.update(items)
        versions.tracked += 1


def _is_dead(value: Any) -> bool:
    """Return whether a value is a Tensor of a finished recording, or holds one."""
    if isinstance(value, Tensor):
        return value._value is None and not value._trace.eager
    return type(value) in (list, tuple) and any(map(_is_dead, value))


def specs_in(structure: Any) -> tuple[TensorSpec, ...]:
    """Return the specs of the Tensors of a structure, in order."""
    return tuple(
        TensorSpec(t.shape, t.dtype)
        for t in nest.flatten(structure)
        if isinstance(t, Tensor | Variable)
    )
