"""Time and memory of each call, measured alone on this machine."""

from typing import Any

from lamina.engine import (
    Closed,
    Measured,
    Tensor,
    Trace,
    is_symbolic,
    measure,
    nest,
    signatures,
)
from lamina.keras.core import KerasTensor
from lamina.keras.core.checks import label
from lamina.keras.viz.building import build, recorded_calls, recorded_ops, recording_of
from lamina.keras.viz.graph import Call, CallGraph
from lamina.keras.viz.recording import Recorded, Recording, record, trace

__all__ = ["concrete_graph", "measure_calls"]


def concrete_graph(model: Any, inputs: Any, batch_size: int) -> CallGraph:
    """Return a call graph without unknown sizes: `batch_size` examples, 1 for other unknowns.

    Args:
        model: The model.
        inputs: As for `Model.graph`.
        batch_size: The size of an open batch.

    Raises:
        ValueError: the model does not take inputs of size 1 along another unknown axis.
    """
    recording = recording_of(model, () if inputs is None else (inputs,), {})
    if not _is_open(recording):
        return build(model, recording)

    def close(t: Any) -> Any:
        if not isinstance(t, Tensor):
            return t
        sizes = [batch_size if i == 0 else 1 for i in range(len(t.shape))]
        shape = [s if d is None else d for d, s in zip(t.shape, sizes, strict=True)]
        return KerasTensor(shape, t.dtype)

    root = recording.root
    try:
        closed = record(model, *nest.map_structure(close, [list(root.args), root.kwargs]))
    except Exception as error:
        raise ValueError(
            f"{label(model)}: it cannot be measured for unknown sizes; size 1 in their place "
            f"fails.\n  Reason: {error}\n"
            f"  Fix: give example inputs, or a shape without None but for the batch."
        ) from error
    return build(model, closed)


def _is_open(recording: Recording) -> bool:
    kinds = recording.closed.trace.inputs[: recording.closed.arguments]
    return any(is_symbolic(kind.dims) for kind in kinds)


def measure_calls(graph: CallGraph) -> None:
    """Compile each call of a graph alone, time it on random inputs, and note the result.

    Equal calls are measured once: a program is known by what it computes.

    Args:
        graph: A graph without unknown sizes; its nodes get `seconds` and `memory_bytes`.
    """
    known: dict[Trace, Measured] = {}
    for node in [*graph.nodes, graph.root]:
        program = _program(node)
        if program is None:
            continue
        found = known.get(program.trace)
        if found is None:
            found = known[program.trace] = measure(program)
        node.seconds, node.memory_bytes = found


def _program(node: Call) -> Closed | None:
    """Return a node's computation by itself, None if it has none."""
    call = recorded_calls.get(node)
    if call is not None:
        return _call_alone(call)
    number = recorded_ops.get(node)
    if number is None:
        return None
    signature = signatures[number]
    count = len(signature.inputs)
    equation = (number, *[~i for i in range(count)])
    outputs = range(len(signature.outputs))
    alone = Trace.of(signature.inputs, [equation], list(outputs), signature.outputs)
    return Closed(alone, count, [], [], len(outputs))


def _call_alone(call: Recorded) -> Closed:
    def symbol(t: Any) -> Any:
        return KerasTensor.of(t._type) if isinstance(t, Tensor) else t

    args, kwargs = nest.map_structure(symbol, [list(call.args), call.kwargs])
    return trace(call.layer, args, kwargs)[0]
