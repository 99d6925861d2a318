"""Forward-mode differentiation: Jacobian-vector products, as the values are computed."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any

import jax

from lamina.engine import (
    GradientTape,
    Tensor,
    UnconnectedGradients,
    Variable,
    convert_to_tensor,
    local,
    nest,
    op,
    recording,
)
from lamina.ops.array import zeros, zeros_like
from lamina.ops.checkpointed import forward_mode
from lamina.ops.math import add_n
from lamina.ops.reduce import reduce_sum

__all__ = ["ForwardAccumulator"]


class ForwardAccumulator:
    """Compute Jacobian-vector products, forward through the operations of a `with` block.

    Each operation on a Tensor with a tangent gives its results tangents. One pass costs about
    as much as the function itself, whatever the number of outputs: cheaper than a
    `GradientTape` for functions of few inputs, and inside or around one, products with Hessians.

    Args:
        primals: Where the derivative is taken: a Tensor or Variable, or a structure of them;
            floating or complex.
        tangents: The direction, in the structure of `primals`: same shapes and dtypes.

    Raises:
        ValueError: the structures differ, or a primal is given twice.

    Example:
        >>> x = tf.constant([1.0, 2.0])
        >>> with tf.autodiff.ForwardAccumulator(x, tf.constant([1.0, 0.0])) as acc:
        ...     y = x**3
        >>> acc.jvp(y).numpy()
        array([3., 0.], dtype=float32)

        The Hessian's product with a vector, without the Hessian:

        >>> with tf.autodiff.ForwardAccumulator(x, tf.constant([1.0, 1.0])) as acc:
        ...     with tf.GradientTape() as tape:
        ...         tape.watch(x)
        ...         y = tf.reduce_sum(x**3)
        ...     gradient = tape.gradient(y, x)
        >>> acc.jvp(gradient).numpy()
        array([ 6., 12.], dtype=float32)
    """

    def __init__(self, primals: Any, tangents: Any) -> None:
        nest.assert_same_structure(primals, tangents)
        self._recording = False
        self._tensors: dict[int, tuple[Tensor, Tensor]] = {}
        self._variables: dict[int, tuple[Any, Tensor]] = {}
        self.log = _Log(self)
        for primal, tangent in zip(nest.flatten(primals), nest.flatten(tangents), strict=True):
            self._watch(primal, tangent)

    def _watch(self, primal: Any, tangent: Any) -> None:
        primal = primal if isinstance(primal, Variable) else convert_to_tensor(primal)
        tangent = convert_to_tensor(tangent, primal.dtype)
        if not primal.shape.is_compatible_with(tangent.shape):
            raise ValueError(
                f"tf.autodiff.ForwardAccumulator: a tangent must have the shape of its primal, "
                f"{primal.shape}; got {tangent.shape}.\n"
                f"  Fix: tf.broadcast_to(tangent, primal.shape)."
            )
        known: dict[int, Any] = self._variables if isinstance(primal, Variable) else self._tensors
        if id(primal) in known:
            raise ValueError(
                f"tf.autodiff.ForwardAccumulator: each primal must be given once; got {primal!r} "
                f"twice.\n  Fix: add its tangents."
            )
        known[id(primal)] = (primal, tangent)

    # -- recording

    def __enter__(self) -> ForwardAccumulator:
        if self._recording:
            raise ValueError(
                "tf.autodiff.ForwardAccumulator: the accumulator is already recording.\n"
                "  Fix: leave its `with` block first, or use another one."
            )
        self._recording = True
        local.tapes = [*local.tapes, self]  # type: ignore[list-item]
        for variable, _ in self._variables.values():
            value = variable._tensor if local.trace.eager else local.trace.read(variable)
            self.note_read(variable, value)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        local.tapes = [t for t in local.tapes if t is not self]
        self._recording = False

    def note_read(self, variable: Any, tensor: Tensor) -> None:
        """Give the value of a Variable its tangent; the engine calls this at each read."""
        found = self._variables.get(id(variable))
        if found is not None:
            self._tensors.setdefault(id(tensor), (tensor, found[1]))

    def _follow(self, signature: Any, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        """Give the outputs of an operation their tangents; called when it is recorded."""
        known = self._tensors
        needed = tuple(i for i in signature.needs if id(inputs[i]) in known)
        wanted = tuple(i for i, t in enumerate(outputs) if t._type.differentiable)
        if not needed or not wanted:
            return
        tangents = [known[id(inputs[i])][1] for i in needed]
        tapes: list[Any] = local.tapes
        # The tapes around this one see how the tangents are computed; those inside do not.
        outside = tapes[: tapes.index(self)]
        with recording(local.trace, outside):
            if hasattr(signature, "pull"):
                pushed = _through_python(signature, outputs, needed, wanted, tangents)
            else:
                pushed = _push(
                    *inputs, *tangents, signature=signature, needed=needed, wanted=wanted
                )
        for i, tangent in zip(wanted, pushed, strict=True):
            if tangent is not None:
                known[id(outputs[i])] = (outputs[i], tangent)

    # -- asking

    def jvp(self, primals: Any, unconnected_gradients: Any = UnconnectedGradients.NONE) -> Any:
        """Return the tangents of Tensors that were computed under the accumulator.

        Args:
            primals: A Tensor or Variable, or a structure of them.
            unconnected_gradients: "none" or "zero": what stands for those that do not depend
                on the accumulator's primals.

        Returns:
            For each primal a Tensor of its shape and dtype, or None.
        """
        zero = UnconnectedGradients(unconnected_gradients) is UnconnectedGradients.ZERO

        def tangent_of(primal: Any) -> Any:
            known = self._variables if isinstance(primal, Variable) else self._tensors
            found = known.get(id(primal))
            if found is not None:
                return found[1]
            return zeros(primal.shape, primal.dtype) if zero else None

        return nest.map_structure(tangent_of, primals)


class _Log:
    """What the engine appends operations to, as to a tape's log: they are followed at once."""

    __slots__ = ("_accumulator",)

    def __init__(self, accumulator: ForwardAccumulator) -> None:
        self._accumulator = accumulator

    def append(self, entry: Any) -> None:
        if type(entry) is tuple:
            self._accumulator._follow(*entry)


def _infer_push(kinds: Sequence[Any], *, signature: Any, needed: Any, wanted: Any) -> Any:
    return tuple(signature.outputs[i] for i in wanted), list


@op(mixed=True, infer=_infer_push)
def _push(*values, signature, needed, wanted):
    """Return the tangents of an operation's outputs, from its inputs and the tangents of some."""
    count = len(signature.inputs)
    primals, tangents = values[:count], values[count:]

    def of_needed(*some: Any) -> list[Any]:
        full = list(primals)
        for i, value in zip(needed, some, strict=True):
            full[i] = value
        outputs = signature.fn(*full)
        return [outputs[i] for i in wanted]

    at = [primals[i] for i in needed]
    with forward_mode():
        # JAX finds out too late to fall back then: when the program is lowered.
        if "custom_vjp" not in str(jax.make_jaxpr(of_needed)(*at)):
            return list(jax.jvp(of_needed, at, list(tangents))[1])
    return _by_transposing(of_needed, at, tangents)


def _by_transposing(function: Any, at: Sequence[Any], tangents: Sequence[Any]) -> list[Any]:
    """Return a product with the Jacobian as the transpose of the product with its transpose.

    For functions with a gradient of their own, which JAX differentiates backwards only.
    """
    outputs, pull = jax.vjp(function, *at)

    def pulled(cotangents: Any) -> Any:
        return pull(cotangents)

    start = [jax.numpy.zeros_like(o) for o in outputs]
    _, transposed = jax.vjp(pulled, start)
    return list(transposed(tuple(tangents))[0])


def _through_python(
    gradient: Any,
    outputs: Sequence[Tensor],
    needed: tuple[int, ...],
    wanted: tuple[int, ...],
    tangents: Sequence[Tensor],
) -> list[Any]:
    """The same for `tf.custom_gradient`: its gradient function is linear in the cotangents."""
    start: list[Any] = [None] * len(outputs)
    with GradientTape() as tape:
        for i in wanted:
            start[i] = zeros_like(outputs[i])
            tape.watch(start[i])
        pulled = gradient.pull(start)
        products = [
            reduce_sum(pulled[i] * t)
            for i, t in zip(needed, tangents, strict=True)
            if pulled[i] is not None
        ]
        total = add_n(products) if products else None
    if total is None:
        return [None] * len(wanted)
    return tape.gradient(total, [start[i] for i in wanted])
