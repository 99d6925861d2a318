"""tf.summary: numbers, pictures and texts for TensorBoard, written by tensorboardX."""

from lamina.summary import experimental
from lamina.summary.tracing import graph, trace_export, trace_off, trace_on
from lamina.summary.writer import (
    SummaryWriter,
    create_file_writer,
    create_noop_writer,
    flush,
    record_if,
    should_record_summaries,
)
from lamina.summary.writing import audio, histogram, image, scalar, text, write

__all__ = [
    "SummaryWriter",
    "audio",
    "create_file_writer",
    "create_noop_writer",
    "experimental",
    "flush",
    "graph",
    "histogram",
    "image",
    "record_if",
    "scalar",
    "should_record_summaries",
    "text",
    "trace_export",
    "trace_off",
    "trace_on",
    "write",
]
