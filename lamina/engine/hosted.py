# pyright: reportPrivateUsage=false
# What JAX and NumPy give, and what `isinstance` finds in an Any, is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false
"""@host_op: an operation that is a NumPy function, as those on strings are."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

from lamina.engine.composite import CompositeOperand
from lamina.engine.context import local
from lamina.engine.dispatch import Op, emit
from lamina.engine.dtypes import DType
from lamina.engine.signature import TensorType, type_of
from lamina.engine.strings import on_host, refuse_compiling
from lamina.engine.tensor import Tensor

__all__ = [
    "RESTORERS",
    "HostOp",
    "elementwise",
    "host_op",
    "is_saving",
    "keeping_hosted",
    "restorer",
]

RESTORERS: dict[str, Callable[..., HostOp]] = {}
"""What makes an operation anew from what its recipe gives, by name; see `restorer`."""


class HostOp(Op[...]):
    """A NumPy function as an operation: run when it is called; made by `@host_op`.

    While a model is described (a layer is called on KerasTensors), and inside a trace, it is
    recorded with the types that `infer` gives; it has no compiled form.
    """

    is_hosted = True

    def __init__(
        self,
        function: Callable[..., Any],
        infer: Callable[..., Any],
        recipe: tuple[str, Callable[[], dict[str, Any]]] | None = None,
    ) -> None:
        name = function.__name__.strip("_")

        def body(*values: Any, **attributes: Any) -> Any:
            refuse_compiling(f"tf.{name}")

        # Signatures live as long as the process, and keep `body`: it must not keep the function.
        body.__name__, body.__qualname__ = function.__name__, function.__qualname__
        body.__doc__, body.__module__ = function.__doc__, function.__module__
        body.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
        super().__init__(body, mixed=True, differentiable=False, infer=infer)
        self.host = function
        self.recipe = recipe

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function on the operands, and return its outputs."""
        operands, attributes = self._bind(args, kwargs)
        try:
            tensors = self._convert(operands)
        except CompositeOperand as error:
            return self._call_composite(error, operands, attributes)
        return on_host(self, tensors, attributes)

    def _record(self, signature: Any, tensors: Sequence[Tensor], attributes: Any) -> Any:
        if local.hosted is not None:
            local.hosted.append(self)
        outputs = emit(signature, tensors)
        container = signature.container
        return outputs[0] if container is None else container(outputs)


def elementwise(dtype: DType | None = None) -> Callable[..., Any]:
    """Return the `infer` of an operation whose one output has its first input's shape.

    Args:
        dtype: The output's dtype; None is that of the first input.
    """

    def infer(kinds: Sequence[TensorType], **attributes: Any) -> Any:
        return (type_of(kinds[0].dims, dtype or kinds[0].dtype),), None

    return infer


@contextmanager
def keeping_hosted() -> Generator[None, None, None]:
    """Keep the operations alive that are recorded inside: a program that is saved names them."""
    before = local.hosted
    local.hosted = []
    try:
        yield
    finally:
        local.hosted = before


def is_saving() -> bool:
    """Return whether programs are recorded now to be saved: what runs on the host may be there."""
    return local.hosted is not None


def restorer(function: Callable[..., HostOp]) -> Callable[..., HostOp]:
    """Note a function of lamina's own that makes an operation from its recipe's data."""
    RESTORERS[f"{function.__module__}:{function.__qualname__}"] = function
    return function


def host_op(
    infer: Callable[..., Any], recipe: tuple[str, Callable[[], dict[str, Any]]] | None = None
) -> Callable[[Callable[..., Any]], HostOp]:
    """Make an operation of a NumPy function: what reads or makes strings.

    Parameters without a default are operands and arrive as NumPy arrays, strings as arrays of
    `bytes` objects; others are static attributes, and must be hashable.

    Args:
        infer: (input types, **attributes) -> (output types, container), for calls that cannot
            run yet; see `elementwise`.
        recipe: Of an operation that is made while a program runs, to save it: the name of a
            `restorer`, and a function that gives the arguments for it.

    Example:
        >>> from lamina.engine import dtypes
        >>> from lamina.engine.hosted import elementwise, host_op
        >>> @host_op(elementwise(dtypes.int32))
        ... def length(strings):
        ...     return np.vectorize(len, otypes=[np.int32])(strings)
        >>> length(tf.constant(["a", "bcd"])).numpy()
        array([1, 3], dtype=int32)
    """
    return lambda function: HostOp(function, infer, recipe)
