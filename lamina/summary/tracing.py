"""Programs and profiles for TensorBoard."""

import os
import shutil
import tempfile
from typing import Any

import jax

from lamina.engine import ConcreteFunction, Function, Trace, errors
from lamina.summary.writer import emit, state
from lamina.summary.writing import tag_of

__all__ = ["graph", "trace_export", "trace_off", "trace_on"]


class _Tracing:
    """What `trace_on` started."""

    def __init__(self) -> None:
        self.graph = False
        self.profiler = False
        self.aside: tempfile.TemporaryDirectory[str] | None = None  # of a profile without folder
        self.seen: list[Trace] = []
        self.run: Any = None  # ConcreteFunction.run, while it is replaced


_tracing = _Tracing()


def trace_on(graph: bool = True, profiler: bool = False, profiler_outdir: Any = None) -> None:
    """Take note of the programs that run from here on, for `trace_export`.

    Args:
        graph: Whether the programs of `tf.function`s are noted.
        profiler: Whether a profile is taken, by `jax.profiler`.
        profiler_outdir: The profile's folder; None if `trace_export` will say it.
    """
    trace_off()
    _tracing.graph, _tracing.profiler = bool(graph), bool(profiler)
    _tracing.seen = []
    if graph:
        _tracing.run = original = ConcreteFunction.run

        def noting(self: ConcreteFunction, tensors: Any) -> Any:
            if not any(t is self.trace for t in _tracing.seen):
                _tracing.seen.append(self.trace)
            return original(self, tensors)

        ConcreteFunction.run = noting  # type: ignore[method-assign]  # until trace_off
    if profiler:
        if profiler_outdir is None:
            _tracing.aside = tempfile.TemporaryDirectory(prefix="profile_")
            profiler_outdir = _tracing.aside.name
        jax.profiler.start_trace(os.fspath(profiler_outdir))


def trace_off() -> None:
    """Stop taking note; what was noted is dropped."""
    if _tracing.run is not None:
        ConcreteFunction.run = _tracing.run  # type: ignore[method-assign]  # as it was
        _tracing.run = None
    if _tracing.profiler:
        jax.profiler.stop_trace()
    if _tracing.aside is not None:
        _tracing.aside.cleanup()
        _tracing.aside = None
    _tracing.graph = _tracing.profiler = False


def trace_export(name: str, step: Any = None, profiler_outdir: Any = None) -> None:
    """Stop taking note, and write the programs noted as one graph.

    Args:
        name: The graph's name.
        step: As for `scalar`.
        profiler_outdir: The profile's folder, if `trace_on` was not told.

    Raises:
        ValueError: `trace_on` was not called, neither call names the profile's folder, or there
            is no step.
    """
    if not (_tracing.graph or _tracing.profiler):
        raise ValueError("Must enable trace before export through tf.summary.trace_on.")
    if _tracing.aside is not None:
        _keep_profile(_tracing.aside.name, profiler_outdir)
    noted = list(_tracing.seen) if _tracing.graph else []
    trace_off()
    if noted:
        _emit_graph(name, noted, step)


def _keep_profile(aside: str, profiler_outdir: Any) -> None:
    """End the profile, and copy it to the folder that TensorBoard reads."""
    if profiler_outdir is None:
        raise ValueError(
            "tf.summary.trace_export: `profiler_outdir` must be given with a profile; got None.\n"
            "  Fix: pass the folder that TensorBoard reads, here or to tf.summary.trace_on."
        )
    jax.profiler.stop_trace()
    _tracing.profiler = False
    shutil.copytree(aside, os.fspath(profiler_outdir), dirs_exist_ok=True)


def graph(graph_data: Any) -> Any:
    """Write a program as a graph.

    Args:
        graph_data: A `tf.function` that ran, one of its concrete functions, or a program.

    Returns:
        Whether it is written.

    Raises:
        ValueError: no default writer, or something else.
    """
    if state.writer is None:
        raise ValueError(
            "tf.summary.graph: there must be a default writer.\n"
            "  Fix: with tf.summary.create_file_writer(logdir).as_default(): …"
        )
    traces = _traces_of(graph_data)
    if not traces:
        raise ValueError(
            f"tf.summary.graph: `graph_data` must be a tf.function that ran, or one of its "
            f"concrete functions; got {graph_data!r}."
        )
    return _emit_graph("graph", traces, 0)


def _traces_of(data: Any) -> list[Trace]:
    if isinstance(data, Function):
        return [c.trace for c in data._concrete.values()]
    if isinstance(data, ConcreteFunction):
        return [data.trace]
    data = getattr(data, "trace", data)
    return [data] if isinstance(data, Trace) else []


def _emit_graph(name: str, traces: list[Trace], step: Any) -> Any:
    tag = tag_of(name)

    def run(file: Any, at: int) -> None:
        from tensorboardX.proto.event_pb2 import (  # pyright: ignore[reportMissingImports]
            Event,  # pyright: ignore[reportAttributeAccessIssue]  # made at run time
        )

        event = Event(graph_def=_graph_of(tag, traces).SerializeToString(), step=at)
        file.file_writer.event_writer.add_event(event)

    return emit(run, [], step)


def _graph_of(tag: str, traces: list[Trace]) -> Any:
    try:
        from tensorboardX.proto.graph_pb2 import (  # pyright: ignore[reportMissingImports]
            GraphDef,  # pyright: ignore[reportAttributeAccessIssue]  # made at run time
        )
    except ImportError as error:
        raise errors.UnimplementedError(None, None, f"tf.summary.graph: {error}") from None
    made = GraphDef()
    for number, trace in enumerate(traces):
        scope = tag if len(traces) == 1 else f"{tag}_{number}"
        names = [f"{scope}/input_{i}" for i in range(len(trace.inputs))]
        for name in names:
            made.node.add(name=name, op="Placeholder")
        outputs: list[str] = []
        for i, (signature, equation, path) in enumerate(trace.walk()):
            label = signature.name.strip("_") or "op"
            name = "/".join(p for p in (scope, path, f"{label}_{i}") if p)
            given = [outputs[s] if s >= 0 else names[~s] for s in equation[1:]]
            made.node.add(name=name, op=label, input=given)
            outputs.extend([name] * len(signature.outputs))
    return made
