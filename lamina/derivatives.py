"""tf.gradients and its kin: derivatives by the names that TensorFlow 1 gave them."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

from lamina.engine import (
    GradientTape,
    Tensor,
    UnconnectedGradients,
    Variable,
    convert_to_tensor,
    custom_gradient,
    local,
    nest,
    placeholder,
    signatures,
)

__all__ = [
    "AggregationMethod",
    "RegisterGradient",
    "grad_pass_through",
    "gradients",
    "hessians",
    "no_gradient",
]


class AggregationMethod:
    """How `tf.gradients` adds up gradients: all are one way here, sums that XLA orders."""

    ADD_N = 0
    DEFAULT = 0
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = "gradients",
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    stop_gradients: Any = None,
    unconnected_gradients: Any = UnconnectedGradients.NONE,
) -> list[Any]:
    """Return the derivatives of the sum of `ys` with respect to `xs`, inside `tf.function`.

    Args:
        ys: A Tensor or a list of Tensors of the function that is being traced.
        xs: Tensors of it, or Variables; or a list of these.
        grad_ys: Cotangents, one for each of `ys`; None is ones.
        name: Accepted, unused.
        gate_gradients: Accepted, unused.
        aggregation_method: Accepted, unused.
        stop_gradients: Tensors to be taken as constants.
        unconnected_gradients: "none" or "zero": what stands for those of `xs` that `ys` do not
            depend on.

    Returns:
        A list with a Tensor (or None) for each of `xs`.

    Raises:
        RuntimeError: outside of `tf.function`; there `tf.GradientTape` does this.

    Example:
        >>> @tf.function
        ... def f(x):
        ...     return tf.gradients(x**3, x)
        >>> f(tf.constant(2.0))[0].numpy()
        np.float32(12.0)
    """
    recorded = _Recorded("tf.gradients", stop_gradients)
    targets = [recorded.seen(y) for y in _flat(ys)]
    sources = [recorded.seen(x, source=True) for x in _flat(xs)]
    seeds = None if grad_ys is None else _flat(grad_ys)
    return recorded.tape(sources).gradient(targets, sources, seeds, unconnected_gradients)


def hessians(
    ys: Any,
    xs: Any,
    gate_gradients: bool = False,
    aggregation_method: Any = None,
    name: str = "hessians",
) -> list[Any]:
    """Return the second derivatives of the sum of `ys`, inside `tf.function`.

    Args:
        ys: A Tensor or a list of Tensors of the function that is being traced.
        xs: A Tensor, a Variable or a list of these.
        gate_gradients: Accepted, unused.
        aggregation_method: Accepted, unused.
        name: Accepted, unused.

    Returns:
        For each of `xs` a Tensor of shape ``x.shape + x.shape``.

    Raises:
        RuntimeError: outside of `tf.function`.

    Example:
        >>> @tf.function
        ... def f(x):
        ...     return tf.hessians(tf.reduce_sum(x**3), x)
        >>> f(tf.constant([1.0, 2.0]))[0].numpy()
        array([[ 6.,  0.],
               [ 0., 12.]], dtype=float32)
    """
    found: list[Any] = []
    for x in _flat(xs):
        first = gradients(ys, x)[0]
        recorded = _Recorded("tf.hessians", None)
        target, source = recorded.seen(first), recorded.seen(x, source=True)
        found.append(recorded.tape([source]).jacobian(target, source))
    return found


def _flat(values: Any) -> list[Any]:
    return list(values) if isinstance(values, list | tuple) else [values]


class _Recorded:
    """What the function that is being traced has computed so far, for a tape.

    Each value of the program has one Tensor here, whatever handles the function holds.
    """

    def __init__(self, who: str, stopped: Any) -> None:
        self._trace: Any = local.trace
        if self._trace.eager:
            raise RuntimeError(
                f"{who}: it is not supported in eager code, only inside tf.function.\n"
                f"  Fix: use tf.GradientTape instead."
            )
        self._handles: dict[int, Tensor] = {}
        self._stopped = {self._slot(t) for t in nest.flatten(stopped) if t is not None}

    def _slot(self, value: Any) -> int:
        tensor = value if isinstance(value, Tensor) else convert_to_tensor(value)
        return self._trace.slot(tensor)

    def _handle(self, slot: int, kind: Any) -> Tensor:
        found = self._handles.get(slot)
        if found is None:
            found = self._handles[slot] = placeholder(kind, self._trace, slot)
        return found

    def seen(self, value: Any, source: bool = False) -> Tensor:
        """Return the Tensor that stands for a value; for a Variable, what it was at first."""
        if source and isinstance(value, Variable):
            self._trace.read(value)
            start = self._trace.variables[value].start
            return self._handle(start._slot, start._type)
        tensor = value if isinstance(value, Tensor) else convert_to_tensor(value)
        return self._handle(self._slot(tensor), tensor._type)

    def tape(self, sources: Sequence[Tensor]) -> GradientTape:
        """Return a tape that has watched `sources` while all this was computed."""
        tape = GradientTape(persistent=True)
        produced = 0
        log: list[Any] = []
        for equation in self._trace.equations:
            signature = signatures[equation[0]]
            slots = range(produced, produced + len(signature.outputs))
            produced = slots.stop
            if not signature.differentiable:
                continue
            kinds = zip(equation[1:], signature.inputs, strict=True)
            inputs = [self._handle(slot, kind) for slot, kind in kinds]
            outputs = [
                placeholder(kind, self._trace, slot)  # nobody depends on this handle
                if slot in self._stopped
                else self._handle(slot, kind)
                for slot, kind in zip(slots, signature.outputs, strict=True)
            ]
            log.append((signature, inputs, outputs))
        tape.log = [*sources, *log]
        return tape


def grad_pass_through(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return `f` with the gradient of the identity: a straight-through estimator.

    Args:
        f: A function of Tensors whose result has the shape of its argument. Variables that it
            reads get no gradient.

    Returns:
        A function with the same values.

    Example:
        >>> x = tf.Variable(1.6)
        >>> with tf.GradientTape() as tape:
        ...     y = 3.0 * tf.grad_pass_through(tf.round)(x)
        >>> tape.gradient(y, x).numpy()
        np.float32(3.0)

    Reference: Bengio et al. 2013, https://arxiv.org/abs/1308.3432.
    """

    @custom_gradient
    @functools.wraps(f)
    def straight_through(*args: Any, **kwargs: Any) -> Any:
        def grad(*upstream: Any, variables: Any = None) -> Any:
            if variables is None:
                return upstream
            return upstream, [None] * len(variables)

        return f(*args, **kwargs), grad

    return straight_through


_registered: dict[str, Any] = {}


def _register(op_type: Any, function: Any, who: str) -> None:
    if not isinstance(op_type, str):
        raise TypeError(f"{who}: `op_type` must be a string; got {op_type!r}.")
    if op_type in _registered:
        raise KeyError(f"{who}: {op_type!r} is registered already.\n  Fix: use tf.custom_gradient.")
    _registered[op_type] = function


class RegisterGradient:
    """Decorator: name a function as the gradient of a graph operation.

    It is kept and never called, as in eager TensorFlow, where only graphs that override the
    gradients of their operations look it up. `tf.custom_gradient` gives a function a gradient.

    Args:
        op_type: The type of the operation, as "MyRelu".

    Raises:
        TypeError: `op_type` is no string.
        KeyError: it is registered already; raised when the decorator is applied.
    """

    def __init__(self, op_type: str) -> None:
        if not isinstance(op_type, str):
            raise TypeError(f"tf.RegisterGradient: `op_type` must be a string; got {op_type!r}.")
        self._op_type = op_type

    def __call__(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """Register `f`, and return it."""
        _register(self._op_type, f, "tf.RegisterGradient")
        return f


def no_gradient(op_type: str) -> None:
    """Name a graph operation that has no gradient; kept and never used, as RegisterGradient.

    Args:
        op_type: The type of the operation.

    Raises:
        TypeError: `op_type` is no string.
        KeyError: it is registered already.
    """
    _register(op_type, None, "tf.no_gradient")
