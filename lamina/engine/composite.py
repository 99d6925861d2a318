"""Composite: the base of values made of several Tensors, such as ragged and sparse ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

__all__ = ["Composite", "CompositeOperand"]


class CompositeOperand(TypeError, ValueError):  # noqa: N818  # it is both, as in TF
    """A composite value came where one Tensor is expected.

    Attributes:
        value: The composite value.
    """

    def __init__(self, value: Composite, who: str = "tf.convert_to_tensor") -> None:
        super().__init__(
            f"{who}: each operand must be one Tensor; got a {type(value).__name__} of shape "
            f"{value.shape}, dtype {value.dtype.name}, and this function takes none.\n"
            f"  Fix: {value._to_dense}."  # pyright: ignore[reportPrivateUsage]
        )
        self.value = value


class Composite:
    """A value made of several Tensors, its components.

    The engine's `nest` always takes it apart, so that whatever the engine flattens may hold one;
    the public `tf.nest` (lamina/nest.py) does with `expand_composites=True`. An operation that
    gets one asks `_run`, after its own conversion has failed. `_rebuilt` must take any leaves:
    placeholders, NumPy arrays; of TypeSpecs it may make the TypeSpec of the value.
    """

    _to_dense = "convert it to a Tensor"
    _is_tensor = False  # whether `tf.is_tensor` says so

    if TYPE_CHECKING:

        @property
        def shape(self) -> Any: ...  # noqa: D102  # each class says it
        @property
        def dtype(self) -> Any: ...  # noqa: D102  # each class says it
        @property
        def _type_spec(self) -> Any: ...  # the TypeSpec of it
        def _components(self) -> list[Any]: ...  # the Tensors that it is made of
        def _rebuilt(self, components: Sequence[Any]) -> Any: ...  # the same of other components
        def _kind(self) -> Any: ...  # equal for two that differ in components only; hashable

    def _like(self) -> Any:
        """Return the class of values that this is one of, or describes (a TypeSpec)."""
        return type(self)

    def _run(self, op: Any, args: Sequence[Any], attributes: Any) -> Any:
        """Return what an operation gives with this among its operands, NotImplemented if none."""
        return NotImplemented

    def _as_tensor(self) -> Any:
        raise CompositeOperand(self)
