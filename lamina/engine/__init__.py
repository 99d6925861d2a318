"""The engine: values, recording, gradients, tracing. The only room that knows how things run.

Bottom to top: errors, dtypes, shapes, nest, context, signature, trace, tensor, dispatch, pending,
variable, closure, tape, custom, function, random. Each file imports those before it only.
"""

from lamina.engine import context, dtypes, errors, nest, shapes
from lamina.engine.closure import Closed, call_trace, close, replace_nones, vectorize
from lamina.engine.context import config, init_scope, local, name_scope, recording, versions
from lamina.engine.custom import custom_gradient, jax_op, recompute_grad
from lamina.engine.dispatch import (
    Op,
    convert_to_tensor,
    emit,
    host_value,
    op,
    static_int,
    static_ints,
)
from lamina.engine.dtypes import DType, as_dtype
from lamina.engine.function import ConcreteFunction, Function, TensorSpec, function
from lamina.engine.pending import Pending, Program, flush, stats
from lamina.engine.random import Stream, global_stream, key_of, set_global_seed
from lamina.engine.shapes import TensorShape
from lamina.engine.signature import TensorType, infer, is_symbolic, symbolic_dim, type_of
from lamina.engine.tape import GradientTape, UnconnectedGradients
from lamina.engine.tensor import Tensor, placeholder, ready
from lamina.engine.trace import Trace, replay
from lamina.engine.variable import Variable

Shape = TensorShape
