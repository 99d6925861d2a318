# pyright: reportPrivateUsage=false
# What JAX and NumPy give, and what `isinstance` finds in an Any, is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false
"""Closed traces: recording a function once, with what it captures and what it assigns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax import lax

from lamina.engine import errors, nest
from lamina.engine.context import local, recording
from lamina.engine.dispatch import Op, convert_to_tensor, op
from lamina.engine.identity import identity
from lamina.engine.signature import Signature, TensorType, signatures, type_of
from lamina.engine.tensor import Tensor, placeholder
from lamina.engine.trace import Equation, Trace

__all__ = ["Closed", "Closure", "call_trace", "close", "replace_nones", "vectorize"]


class _State:
    """A variable as a closed trace sees it: the input it starts from, and its value of now."""

    __slots__ = ("current", "start", "written")

    def __init__(self, start: Tensor) -> None:
        self.start = start
        self.current = start
        self.written = False


class Closure:
    """The recorder of a closed trace, while its Python function runs.

    Tensors from outside that the function uses become inputs (`captures`), and so do the
    variables it reads; assignments become outputs.

    Attributes:
        parent: The recorder outside.
        what: What is being traced, for messages: 'tf.function "step"'.
        types: The types of the inputs.
        captures: The outer Tensor, and the slot, of each input that is a captured Tensor.
        variables: The variables read or written, with their state.
        is_function: Whether it is traced to run as a whole: a `tf.function`, or a step of `fit`.
        given: What a `tf.function` is traced for, from which its arguments' names come; else None.
    """

    eager = False
    given: Any = None

    def __init__(self, what: str, is_function: bool = False) -> None:
        self.parent = local.trace
        self.what = what
        self.is_function = is_function
        self.alive = True
        self.types: list[TensorType] = []
        self.equations: list[Equation] = []
        self.layers: list[Any] = []
        self.count = 0
        self.captures: dict[int, tuple[Tensor, int]] = {}
        self.variables: dict[Any, _State] = {}

    # -- recording

    def add_input(self, kind: TensorType) -> Tensor:
        """Add an input and return its Tensor."""
        self.types.append(kind)
        return placeholder(kind, self, ~(len(self.types) - 1))

    def emit(self, signature: Signature, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Record one equation and return the Tensors of its outputs."""
        equation = [signature.id]
        for t in tensors:
            equation.append(t._slot if t._trace is self else self.capture(t))
        self.equations.append(tuple(equation))
        self.layers.append(calls[-1] if (calls := local.calls) else None)
        made: list[Tensor] = []
        for kind in signature.outputs:
            made.append(Tensor(kind, self, self.count, None))
            self.count += 1
        return made

    def capture(self, tensor: Tensor) -> int:
        """Return the slot of a Tensor from outside, which becomes an input."""
        found = self.captures.get(identity(tensor))
        if found is None:
            self._check_reachable(tensor)
            inner = self.add_input(tensor._type)
            found = self.captures[identity(tensor)] = (tensor, inner._slot)
            tensor.__dict__["_captured"] = True  # what holds it must say when it gets another
        return found[1]

    def _check_reachable(self, tensor: Tensor) -> None:
        trace = tensor._trace
        if tensor._value is not None or trace is None or trace.eager:
            return
        outer = self.parent
        while outer is not None:
            if outer is trace:
                return
            outer = outer.parent
        raise leaked(tensor)

    def materialize(self, tensor: Tensor) -> Any:
        """Raise: there are no values while a trace is recorded."""
        if not self.alive:
            raise leaked(tensor)
        raise errors.TracedValueError(
            f"{self.what}: the value of {tensor!s} was asked for while the program is traced, "
            f"where only shape and dtype are known.\n"
            f"  Fix: use tf.cond / tf.while_loop for conditions on Tensors, tf.print to print, "
            f"or take @tf.function off: eager code is compiled as well."
        )

    def alias(self, tensor: Tensor) -> Tensor:
        """Return another handle of the same slot."""
        return placeholder(tensor._type, self, tensor._slot)

    def lift(self, tensor: Tensor) -> Tensor | None:
        """Return a Tensor of this trace computed outside; None if it depends on an argument.

        Zeros in the shape of an argument do not. Variables have the values there that they have
        now, so a random draw is the one that the first run of the trace makes.
        """
        if tensor._slot < 0:
            return None
        trace = Trace((), tuple(self.equations), (tensor._slot,), (tensor._type,)).pruned()
        outer = {slot: t for t, slot in self.captures.values()}
        for variable, state in self.variables.items():
            if state.start._trace is self and state.start._slot < 0:
                outer[state.start._slot] = variable._read()
        made: list[Any] = []
        for equation in trace.equations:
            signature = signatures[equation[0]]
            given = [made[s] if s >= 0 else outer.get(s) for s in equation[1:]]
            if any(t is None or (t._value is None and not t._trace.eager) for t in given):
                if not signature.ignores_inputs:
                    made.extend([None] * len(signature.outputs))
                    continue
                given = [Tensor(t, None, 0, np.zeros(t.dims, t.dtype.np)) for t in signature.inputs]
            made.extend(local.trace.emit(signature, given))
        return made[trace.outputs[0]]

    def read(self, variable: Any) -> Tensor:
        """Return the variable's value of now, inside the trace."""
        state = self.variables.get(variable)
        if state is None:
            if not variable.is_initialized():
                return variable._tensor
            kind = self.parent.read(variable)._type
            state = self.variables[variable] = _State(self.add_input(kind))
        return state.current

    def write(self, variable: Any, tensor: Tensor) -> None:
        """Give the variable a new value, inside the trace."""
        state = self.variables.get(variable)
        if state is None:
            if variable.is_initialized():
                self.read(variable)
                state = self.variables[variable]
            else:
                state = self.variables[variable] = _State(tensor)
        state.current = tensor
        state.written = True

    def write_all(self, variables: Sequence[Any], tensors: Sequence[Tensor]) -> None:
        """Give several variables new values, inside the trace."""
        for variable, tensor in zip(variables, tensors, strict=True):
            self.write(variable, tensor)

    # -- closing

    def slot(self, tensor: Tensor) -> int:
        """Return the slot of a Tensor, capturing it if it is from outside."""
        return tensor._slot if tensor._trace is self else self.capture(tensor)


def leaked(tensor: Tensor) -> errors.LeakedTensorError:
    """Return the error for a Tensor of a trace that is finished."""
    what = getattr(tensor._trace, "what", "a tf.function")
    kept = tensor.__dict__.get("_kept_as")
    where = f", kept as {kept}" if kept else ""
    return errors.LeakedTensorError(
        f"{what}: a Tensor of its trace was used after the trace was finished; got one of shape "
        f"{tensor.shape}, dtype {tensor.dtype.name}{where}. It never has a value outside.\n"
        f"  Fix: return it from the function, or keep it in a tf.Variable (assign it inside)."
    )


class Closed:
    """A finished closed trace, with what connects it to the world outside.

    Attributes:
        trace: The program; its inputs are arguments, then captures and variables as they came.
        arguments: How many of the inputs are arguments.
        outer: For each further input the captured Tensor, or the Variable.
        written: The Variables assigned; their new values are the last outputs.
        outputs: How many of the outputs come before those.
    """

    __slots__ = ("arguments", "outer", "outputs", "trace", "written")

    def __init__(
        self, trace: Trace, arguments: int, outer: list[Any], written: list[Any], outputs: int
    ) -> None:
        self.trace = trace
        self.arguments = arguments
        self.outer = outer
        self.written = written
        self.outputs = outputs

    def operands(self, recorder: Any) -> list[Tensor]:
        """Return the inputs after the arguments, as Tensors of the world outside."""
        return [
            o if isinstance(o, Tensor) else o._read() if recorder.eager else o._as_tensor()
            for o in self.outer
        ]


def close(
    fn: Callable[..., Any],
    kinds: Sequence[TensorType],
    what: str,
    also_write: Sequence[Any] = (),
    is_function: bool = False,
) -> tuple[Closed, Any]:
    """Record `fn` on placeholders of the given types.

    Args:
        fn: A function of Tensors that returns a structure of Tensors (or what converts).
        kinds: The types of its arguments.
        what: What is traced, for messages.
        also_write: Variables whose values are outputs even if `fn` does not assign them.
        is_function: Whether what is traced will run as a whole, not as a part of its caller.

    Returns:
        The closed trace, and the structure that `fn` returned (its Tensors are placeholders;
        None stays None).
    """
    closure = Closure(what, is_function)
    arguments = [closure.add_input(k) for k in kinds]
    try:
        with recording(closure):
            result = fn(*arguments)
            flat = [_output(t, what) for t in nest.flatten(result)]
            for variable in also_write:
                closure.write(variable, closure.read(variable))
            outputs = [closure.slot(t) for t in flat if t is not None]
            types = [t._type for t in flat if t is not None]
            written = [v for v, s in closure.variables.items() if s.written]
            for v in written:
                current = closure.variables[v].current
                outputs.append(closure.slot(current))
                types.append(current._type)
    finally:
        closure.alive = False
    outer: list[Any] = [None] * (len(closure.types) - len(kinds))
    for tensor, slot in closure.captures.values():
        outer[~slot - len(kinds)] = tensor
    for variable, state in closure.variables.items():
        if state.start._trace is closure and state.start._slot < 0:
            outer[~state.start._slot - len(kinds)] = variable
    trace = Trace.of(closure.types, closure.equations, outputs, types, _paths(closure.layers))
    made = Closed(trace, len(kinds), outer, written, len(outputs) - len(written))
    return made, nest.pack_sequence_as(result, flat)


def _paths(layers: list[Any]) -> list[str]:
    return ["" if layer is None else layer.name for layer in layers]


def _output(value: Any, what: str) -> Tensor | None:
    if value is None or isinstance(value, Tensor):
        return value
    try:
        return convert_to_tensor(value)
    except errors.TracedValueError:
        raise
    except (TypeError, ValueError):
        if hasattr(type(value), "_type_spec"):  # a dataset, which eager code can return
            raise errors.TracedValueError(
                f"{what}: a program cannot return a {type(value).__name__}."
            ) from None
        raise TypeError(
            f"{what}: the function must return Tensors, or what converts to them; got "
            f"{value!r} ({type(value).__name__}).\n  Fix: return Tensors, numbers, None or "
            f"structures of these."
        ) from None


def replace_nones(structure: Any, values: Sequence[Any]) -> Any:
    """Put `values` in place of the Tensors of a structure, leaving its Nones."""
    given = iter(values)
    return nest.map_structure(lambda t: None if t is None else next(given), structure)


def _needs_of_trace(*, trace: Trace) -> tuple[int, ...]:
    return trace.connected_inputs()


def _infer_call(kinds: Sequence[TensorType], *, trace: Trace) -> Any:
    return trace.types, list


@op(mixed=True, infer=_infer_call, needs=_needs_of_trace)
def _call(*operands: Any, trace: Trace) -> list[Any]:
    return trace.run(*operands)


def call_trace(
    trace: Trace, operands: Sequence[Tensor], how: Op[...] = _call, **attributes: Any
) -> Any:
    """Record one equation that runs a whole trace, and return the Tensors of its outputs."""
    return how(*operands, trace=trace, **attributes)


def _infer_vectorized(
    kinds: Sequence[TensorType], *, trace: Trace, mapped: tuple[bool, ...]
) -> Any:
    count = kinds[0].dims[0]
    return tuple(type_of((count, *t.dims), t.dtype) for t in trace.types), list


@op(mixed=True, infer=_infer_vectorized)
def _vectorized(*operands: Any, trace: Trace, mapped: tuple[bool, ...]) -> list[Any]:
    axes = tuple(0 if m else None for m in mapped)
    size = operands[0].shape[0]
    if trace.asserts:  # jax.vmap runs both branches of a condition, and the assertions in both
        return _row_by_row(trace, operands, mapped)
    return list(jax.vmap(trace.run, in_axes=axes, axis_size=size)(*operands))


def _row_by_row(trace: Trace, operands: Sequence[Any], mapped: tuple[bool, ...]) -> list[Any]:
    def one(row: list[Any]) -> list[Any]:
        given = iter(row)
        return trace.run(*[next(given) if m else o for o, m in zip(operands, mapped, strict=True)])

    return list(lax.map(one, [o for o, m in zip(operands, mapped, strict=True) if m]))


@op(mixed=True, differentiable=False)
def _keys_of_rows(key: Any, counter: Any, *, count: int) -> Any:
    return jax.random.split(jax.random.fold_in(key, counter), count)


@op(differentiable=False)
def _first(x: Any) -> Any:
    return x[0]


def vectorize(fn: Callable[..., Any], *elements: Tensor) -> Any:
    """Map `fn` over the first axis of Tensors, all rows computed together.

    `fn` is recorded once; what it captures is shared by all rows. Draws from a random stream
    differ from row to row: each row gets a key of its own.
    """
    kinds = [type_of(e._type.dims[1:], e.dtype) for e in elements]
    closed, structure = close(fn, kinds, "a vectorized map")
    streams = [getattr(v, "_stream", None) for v in closed.written]
    if any(s is None for s in streams):
        raise ValueError(
            f"a vectorized map: the function must not assign variables; got assignments to "
            f"{[v.name for v in closed.written]}.\n  Fix: return the values and assign outside."
        )
    outer = closed.operands(local.trace)
    mapped = [True] * len(elements) + [False] * len(outer)
    count = elements[0]._type.dims[0]
    for i, o in enumerate(closed.outer):
        for stream in streams:
            if stream is not None and o is stream.key:
                outer[i] = _keys_of_rows(outer[i], stream.counter._read(), count=count)
                mapped[len(elements) + i] = True
    operands = [*elements, *outer]
    outputs = call_trace(closed.trace, operands, _vectorized, mapped=tuple(mapped))
    for variable, value in zip(closed.written, outputs[closed.outputs :], strict=True):
        local.trace.write(variable, _first(value))
    return replace_nones(structure, outputs[: closed.outputs])
