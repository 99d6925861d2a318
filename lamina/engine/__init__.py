"""The engine: values, recording, gradients, tracing. The only room that knows how things run.

Bottom to top: errors, dtypes, shapes, nest, places, context, assertions, signature, trace, tensor,
masks, strings, convert, composite, static, dispatch, hosted, aggregation, pending, variable,
creating, lifted, missing, closure, reach, backward, tape, custom, typespec, spec, arguments,
concrete, ranks, function, random, cost, exporting, staged, dispatching. Each file imports those
before it only.
"""

from lamina.engine import context, dtypes, errors, nest, shapes
from lamina.engine.closure import Closed, call_trace, close, replace_nones, vectorize
from lamina.engine.context import config, init_scope, local, name_scope, recording, versions
from lamina.engine.convert import host_value
from lamina.engine.cost import Measured, flops, measure, size_of
from lamina.engine.custom import custom_gradient, jax_op, recompute_grad
from lamina.engine.dispatch import Op, convert_to_tensor, emit, op
from lamina.engine.dtypes import DType, as_dtype
from lamina.engine.function import ConcreteFunction, Function, function
from lamina.engine.hosted import HostOp, elementwise, host_op, restorer
from lamina.engine.lifted import LiftedFloat, Quantity
from lamina.engine.pending import Pending, flush
from lamina.engine.places import place_of_caller, place_of_error
from lamina.engine.program import Program, stats
from lamina.engine.random import Stream, global_stream, key_of, set_global_seed
from lamina.engine.shapes import TensorShape
from lamina.engine.signature import (
    TensorType,
    infer,
    is_symbolic,
    signatures,
    symbolic_dim,
    type_of,
)
from lamina.engine.spec import TensorSpec
from lamina.engine.static import static_int, static_ints
from lamina.engine.strings import StringTensor, from_host, is_traced
from lamina.engine.tape import GradientTape, UnconnectedGradients
from lamina.engine.tensor import Tensor, placeholder, ready
from lamina.engine.trace import Trace, replay
from lamina.engine.variable import Variable, read_all, recording_hooks, set_all

__all__ = [
    "Closed",
    "ConcreteFunction",
    "DType",
    "Function",
    "GradientTape",
    "HostOp",
    "LiftedFloat",
    "Measured",
    "Op",
    "Pending",
    "Program",
    "Quantity",
    "Shape",
    "Stream",
    "StringTensor",
    "Tensor",
    "TensorShape",
    "TensorSpec",
    "TensorType",
    "Trace",
    "UnconnectedGradients",
    "Variable",
    "as_dtype",
    "call_trace",
    "close",
    "config",
    "context",
    "convert_to_tensor",
    "custom_gradient",
    "dtypes",
    "elementwise",
    "emit",
    "errors",
    "flops",
    "flush",
    "from_host",
    "function",
    "global_stream",
    "host_op",
    "host_value",
    "infer",
    "init_scope",
    "is_symbolic",
    "is_traced",
    "jax_op",
    "key_of",
    "local",
    "measure",
    "name_scope",
    "nest",
    "op",
    "place_of_caller",
    "place_of_error",
    "placeholder",
    "read_all",
    "ready",
    "recompute_grad",
    "recording",
    "recording_hooks",
    "replace_nones",
    "replay",
    "restorer",
    "set_all",
    "set_global_seed",
    "shapes",
    "signatures",
    "size_of",
    "static_int",
    "static_ints",
    "stats",
    "symbolic_dim",
    "type_of",
    "vectorize",
    "versions",
]

Shape = TensorShape
