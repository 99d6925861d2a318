"""Forward derivatives of Python functions."""

from collections.abc import Callable, Sequence
from typing import Any

import jax

from lamina.engine import (
    TensorType,
    Trace,
    call_trace,
    close,
    convert_to_tensor,
    local,
    nest,
    op,
    replace_nones,
)
from lamina.ops.casting import cast
from lamina.ops.checkpointed import forward_mode

__all__ = ["forward_derivative"]


def _infer_forward(kinds: Sequence[TensorType], *, trace: Trace, count: int) -> Any:
    return (*trace.types, *trace.types), list


@op(mixed=True, infer=_infer_forward)
def _forward(*operands, trace, count):
    primals, tangents, rest = operands[:count], operands[count : 2 * count], operands[2 * count :]
    inner = [i for i, p in enumerate(primals) if jax.numpy.issubdtype(p.dtype, jax.numpy.inexact)]

    def run(*values):
        given = list(primals)
        for i, value in zip(inner, values, strict=True):
            given[i] = value
        return trace.run(*given, *rest)

    with forward_mode():
        outputs, moved = jax.jvp(run, [primals[i] for i in inner], [tangents[i] for i in inner])
    floats = [
        jax.numpy.zeros(o.shape, o.dtype) if t.dtype != o.dtype else t
        for o, t in zip(outputs, moved, strict=True)
    ]
    return [*outputs, *floats]


def forward_derivative(
    fn: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]
) -> tuple[Any, Any]:
    """Return ``fn(*primals)`` and how it moves when the primals move by the tangents.

    Args:
        fn: A function of Tensors that returns a structure of Tensors.
        primals: Its arguments, structures of Tensors.
        tangents: The same structures.

    Returns:
        (result, derivative), both in `fn`'s structure. Integers do not move: 0.

    Raises:
        ValueError: primals and tangents differ in number.

    Example:
        >>> from lamina import ops
        >>> y, dy = ops.forward_derivative(lambda x: x * x, [tf.constant(3.0)], [1.0])
        >>> y.numpy(), dy.numpy()
        (np.float32(9.0), np.float32(6.0))
    """
    flat = [convert_to_tensor(p) for p in nest.flatten(list(primals))]
    moved = nest.flatten(list(tangents))
    if len(flat) != len(moved):
        raise ValueError(
            f"jvp: `primals` and `tangents` must have as many Tensors; got {len(flat)} and "
            f"{len(moved)}.\n  Fix: pass a tangent, maybe of zeros, for each primal."
        )
    given = [cast(t, p.dtype) for t, p in zip(moved, flat, strict=True)]

    def with_tensors(*values: Any) -> Any:
        return fn(*nest.pack_sequence_as(list(primals), list(values)))

    closed, structure = close(with_tensors, [t._type for t in flat], "jvp")
    operands = [*flat, *given, *closed.operands(local.trace)]
    outputs = call_trace(closed.trace, operands, _forward, count=len(flat))
    half = len(outputs) // 2
    return replace_nones(structure, outputs[:half]), replace_nones(structure, outputs[half:])
