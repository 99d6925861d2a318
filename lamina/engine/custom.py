# pyright: reportPrivateUsage=false
# What JAX and NumPy give, and what `isinstance` finds in an Any, is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false
"""Gradients of the user's own, recomputation, and JAX functions as operations."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from lamina.engine import nest
from lamina.engine.closure import Closed, call_trace, close, replace_nones
from lamina.engine.context import local, recording
from lamina.engine.dispatch import convert_to_tensor, op
from lamina.engine.signature import TensorType
from lamina.engine.tape import PythonGradient
from lamina.engine.tensor import Tensor
from lamina.engine.trace import Trace
from lamina.engine.variable import Variable

__all__ = ["custom_gradient", "jax_op", "recompute_grad"]


def custom_gradient(f: Callable[..., Any] | None = None) -> Any:
    """Give a function a gradient of your own.

    Args:
        f: A function of Tensors that returns `(y, grad)`: the result, a Tensor or a structure,
            and a function from the cotangents of `y` to those of the arguments. If `f` reads
            trainable Variables, `grad` takes `variables=` too and returns
            `(gradients, variable_gradients)`.

    Returns:
        A function that returns `y`.

    Example:
        >>> @tf.custom_gradient
        ... def clip_gradient(x):
        ...     return tf.identity(x), lambda dy: tf.clip_by_value(dy, -1.0, 1.0)
        >>> x = tf.Variable(2.0)
        >>> with tf.GradientTape() as tape:
        ...     y = 10.0 * clip_gradient(x)
        >>> tape.gradient(y, x).numpy()
        np.float32(1.0)
    """
    if f is None:
        return custom_gradient

    @functools.wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        tensors = [
            a if isinstance(a, Tensor) else convert_to_tensor(a) for a in nest.flatten(list(args))
        ]

        def with_tensors(*values: Tensor) -> Any:
            return f(*nest.pack_sequence_as(list(args), list(values)), **kwargs)

        if local.trace.eager:
            return _eager(with_tensors, tensors, f)
        return _traced(with_tensors, tensors, f)

    return call


class _Reads:
    """A tape of the least kind: it only notes which trainable Variables are read."""

    def __init__(self) -> None:
        self.log: list[Any] = []
        self.found: dict[Any, Tensor] = {}

    def note_read(self, variable: Any, tensor: Tensor) -> None:
        self.found[variable] = tensor


def _eager(fn: Callable[..., Any], tensors: list[Tensor], f: Any) -> Any:
    tapes = local.tapes
    reads = _Reads()
    # The tapes record what `fn` computes: its grad function may use that, and is differentiated
    # too by an outer tape. From the result they go straight to the function's own gradient.
    with recording(local.trace, [*tapes, reads]):  # type: ignore[list-item]
        result, grad = _pair(fn(*tensors), f)
    with recording(local.trace):
        # New handles: an argument passed through must not be differentiated twice.
        flat = [_identity(convert_to_tensor(t)) for t in nest.flatten(result)]
    for tape in tapes:
        for variable, value in reads.found.items():
            tape.note_read(variable, value)
    variables = list(reads.found)
    inputs = [*tensors, *reads.found.values()]

    def pull(cotangents: list[Any]) -> list[Any]:
        full = [_zeros(t) if c is None else c for c, t in zip(cotangents, flat, strict=True)]
        return _call_grad(grad, full, variables, len(tensors), f)

    needs = tuple(i for i, t in enumerate(inputs) if t._type.differentiable)
    for tape in tapes:
        tape.log.append((PythonGradient(needs, pull), inputs, flat))
    return nest.pack_sequence_as(result, flat)


def _pair(value: Any, f: Any) -> tuple[Any, Callable[..., Any]]:
    if isinstance(value, tuple) and len(value) == 2 and callable(value[1]):
        return value
    raise TypeError(
        f"tf.custom_gradient: `{f.__name__}` must return (y, grad), grad a function; got "
        f"{value!r}.\n  Fix: return y, lambda dy: ..."
    )


def _call_grad(
    grad: Callable[..., Any], cotangents: list[Any], variables: list[Any], count: int, f: Any
) -> list[Any]:
    takes = "variables" in inspect.signature(grad).parameters
    if variables and not takes:
        names = [v.name for v in variables]
        raise TypeError(
            f"tf.custom_gradient: `{f.__name__}` reads the trainable variables {names}, so its "
            f"grad function must take `variables=None` and return (gradients, "
            f"variable_gradients).\n  Fix: def grad(dy, variables=None): ..."
        )
    if takes and variables:
        given, of_variables = grad(*cotangents, variables=variables)
    else:
        given, of_variables = grad(*cotangents), [None] * len(variables)
    flat = [given] if isinstance(given, Tensor) or given is None else nest.flatten(given)
    if len(flat) != count:
        raise ValueError(
            f"tf.custom_gradient: the grad function of `{f.__name__}` must return {count} "
            f"gradients, one for each argument; got {len(flat)}."
        )
    return [
        None if g is None else convert_to_tensor(g) for g in (*flat, *nest.flatten(of_variables))
    ]


def _traced(fn: Callable[..., Any], tensors: list[Tensor], f: Any) -> Any:
    """The same as one equation, for programs that JAX differentiates as a whole."""
    backward: list[Closed] = []

    def forward(*values: Tensor) -> Any:
        result, grad = _pair(fn(*values), f)
        flat = [convert_to_tensor(t) for t in nest.flatten(result)]
        variables = [v for v in local.trace.variables if getattr(v, "trainable", False)]

        def pull(*cotangents: Tensor) -> list[Any]:
            return _call_grad(grad, list(cotangents), variables, len(values), f)

        closed, structure = close(pull, [t._type for t in flat], "a custom gradient")
        backward.append(closed)
        shape.append([g is not None for g in structure])
        shape.append(variables)
        return result, closed.operands(local.trace)

    shape: list[Any] = []
    closed, (result, _) = close(forward, [t._type for t in tensors], "a custom gradient")
    present, variables = shape
    outer = list(closed.outer)
    targets = [*range(len(tensors)), *(len(tensors) + outer.index(v) for v in variables)]
    outputs = call_trace(
        closed.trace,
        [*tensors, *closed.operands(local.trace)],
        _custom,
        backward=backward[0].trace,
        count=len(nest.flatten(result)),
        targets=tuple(t for t, p in zip(targets, present, strict=True) if p),
    )
    return replace_nones(result, outputs)


def _infer_custom(
    kinds: Sequence[TensorType], *, trace: Trace, backward: Trace, count: int, targets: Any
) -> Any:
    return trace.types[:count], list


@op(mixed=True, infer=_infer_custom)
def _custom(*operands: Any, trace: Trace, backward: Trace, count: int, targets: Any) -> list[Any]:
    @jax.custom_vjp
    def run(*values: Any) -> list[Any]:
        return trace.run(*values)[:count]

    def forward(*values: Any) -> Any:
        outputs = trace.run(*values)
        return outputs[:count], (outputs[count:], values)

    def pull(saved: Any, cotangents: list[Any]) -> tuple[Any, ...]:
        residuals, values = saved
        found = dict(zip(targets, backward.run(*cotangents, *residuals), strict=True))
        return tuple(found.get(i, _no_cotangent(v)) for i, v in enumerate(values))

    run.defvjp(forward, pull)
    return list(run(*operands))


def _no_cotangent(value: Any) -> Any:
    if jax.numpy.issubdtype(value.dtype, jax.numpy.inexact):
        return jax.numpy.zeros(value.shape, value.dtype)
    return np.zeros(value.shape, jax.dtypes.float0)


def recompute_grad(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return `f` with its intermediate values recomputed for the gradient, not kept.

    It saves memory for about a third more computation. Chen et al. 2016,
    https://arxiv.org/abs/1604.06174, section 3.

    Args:
        f: A function of Tensors. Variables that it assigns, and random numbers that it draws,
            are the same in both runs, and assigned once.

    Returns:
        A function with the same values and gradients.
    """

    @functools.wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        tensors = [convert_to_tensor(a) for a in nest.flatten(list(args))]

        def with_tensors(*values: Tensor) -> Any:
            return f(*nest.pack_sequence_as(list(args), list(values)), **kwargs)

        what = f'tf.recompute_grad of "{getattr(f, "__name__", "f")}"'
        closed, structure = close(with_tensors, [t._type for t in tensors], what)
        outputs = call_trace(closed.trace, [*tensors, *closed.operands(local.trace)], _recomputed)
        for variable, value in zip(closed.written, outputs[closed.outputs :], strict=True):
            local.trace.write(variable, value)
        return replace_nones(structure, outputs[: closed.outputs])

    return call


def _infer_recomputed(kinds: Sequence[TensorType], *, trace: Trace) -> Any:
    return trace.types, list


@op(mixed=True, infer=_infer_recomputed)
def _recomputed(*operands: Any, trace: Trace) -> list[Any]:
    return list(jax.checkpoint(trace.run)(*operands))


def jax_op(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Make a differentiable operation of any JAX function.

    Args:
        fn: A pure function on jax arrays and pytrees of them: a Pallas kernel, an optax
            transform, a paper's code. Arguments that are neither Tensor, Variable nor array are
            static, and must be hashable.

    Returns:
        A function on Tensors that returns Tensors in the structure of `fn`'s result. It is
        recorded, differentiated by the tape, and usable in `tf.function` and layers.

    Example:
        >>> import jax.numpy as jnp
        >>> sinc = tf.jax_op(jnp.sinc)
        >>> sinc(tf.constant([0.0, 0.5])).numpy().round(3)
        array([1.   , 0.637], dtype=float32)
    """
    trees: dict[Any, Any] = {}

    def body(*arrays: Any, tree: Any, static: Any) -> list[Any]:
        args, kwargs = _unflatten(tree, static, arrays)
        leaves, out = jax.tree.flatten(fn(*args, **kwargs))
        trees[tree, static] = out
        return [jax.numpy.asarray(leaf) for leaf in leaves]

    body.__name__ = body.__qualname__ = getattr(fn, "__name__", "jax_op")
    operation = op(mixed=True, calls_host=True)(body)

    @functools.wraps(fn)
    def call(*args: Any, **kwargs: Any) -> Any:
        leaves, tree = jax.tree.flatten((args, kwargs))
        is_array = [isinstance(v, Tensor | Variable | np.ndarray | jax.Array) for v in leaves]
        static = tuple(None if a else _Static(v) for v, a in zip(leaves, is_array, strict=True))
        arrays = [v for v, a in zip(leaves, is_array, strict=True) if a]
        outputs = operation(*arrays, tree=_Static(tree), static=static)
        return jax.tree.unflatten(trees[_Static(tree), static], outputs)

    return call


class _Static:
    """A hashable box for a static value, equal by type and value."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Static)
            and type(self.value) is type(other.value)
            and self.value == other.value
        )


def _unflatten(tree: _Static, static: Sequence[Any], arrays: Sequence[Any]) -> Any:
    given = iter(arrays)
    leaves = [next(given) if box is None else box.value for box in static]
    return jax.tree.unflatten(tree.value, leaves)


@op
def _identity(x: Any) -> Any:
    return x


@op(differentiable=False)
def _zeros(x: Any) -> Any:
    return jax.numpy.zeros_like(x)
