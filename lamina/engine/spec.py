"""TensorSpec: the shape and dtype that a Tensor must have."""

from __future__ import annotations

from typing import Any

from lamina.engine import nest
from lamina.engine.dispatch import convert_to_tensor
from lamina.engine.dtypes import DType, as_dtype
from lamina.engine.shapes import TensorShape
from lamina.engine.signature import TensorType, symbolic_dim, type_of
from lamina.engine.tensor import Tensor
from lamina.engine.typespec import TypeSpec

__all__ = ["TensorSpec", "symbolic_dims"]


class TensorSpec(TypeSpec):
    """The shape and dtype that a Tensor must have.

    Args:
        shape: The shape; None in it allows any size, None for the whole allows any rank.
        dtype: The element type.
        name: A name, kept.

    Example:
        >>> tf.TensorSpec([None, 3]).is_compatible_with(tf.zeros([2, 3]))
        True
    """

    __slots__ = ("_dtype", "_name", "_shape")

    def __init__(self, shape: Any, dtype: Any = "float32", name: str | None = None) -> None:
        self._shape = TensorShape(shape)
        self._dtype = as_dtype(dtype)
        self._name = name

    @property
    def shape(self) -> TensorShape:
        """The shape."""
        return self._shape

    @property
    def dtype(self) -> DType:
        """The element type."""
        return self._dtype

    @property
    def name(self) -> str | None:
        """The name, or None."""
        return self._name

    @classmethod
    def from_tensor(cls, tensor: Any, name: str | None = None) -> TensorSpec:
        """Return the spec of a Tensor."""
        return cls(tensor.shape, tensor.dtype, name)

    @classmethod
    def from_spec(cls, spec: Any, name: str | None = None) -> TensorSpec:
        """Return a spec with the shape and dtype of another."""
        return cls(spec.shape, spec.dtype, name or getattr(spec, "name", None))

    @property
    def value_type(self) -> Any:
        """The class of the values: `tf.Tensor`."""
        return Tensor

    def _serialize(self) -> tuple[Any, ...]:
        return self._shape, self._dtype, self._name

    @property
    def _component_specs(self) -> Any:
        return self

    def is_subtype_of(self, other: Any) -> bool:
        """Return whether every Tensor of this spec is one of `other`."""
        return (
            isinstance(other, TensorSpec)
            and (other._name is None or other._name == self._name)
            and self._dtype is other._dtype
            and self._shape.is_subtype_of(other._shape)
        )

    def most_specific_common_supertype(self, others: Any) -> Any:
        """Return the narrowest spec that describes the Tensors of this and of all `others`.

        Returns:
            A TensorSpec; None if a dtype differs, or what is no TensorSpec is among them.
        """
        name, shape = self._name, self._shape
        for other in others:
            if not isinstance(other, TensorSpec) or other._dtype is not self._dtype:
                return None
            shape = shape.most_specific_compatible_shape(other._shape)
            name = name if name == other._name else None
        return TensorSpec(shape, self._dtype, name)

    def cast(self, value: Any, casting_context: Any = None) -> Any:
        """Return a value as a Tensor that fits this spec.

        Raises:
            TypeError: it has another dtype or shape.
        """
        tensor = convert_to_tensor(value, dtype_hint=self._dtype)
        if not self.is_compatible_with(tensor):
            raise TypeError(
                f"TensorSpec.cast: the value must fit {self!r}; got shape {tensor.shape}, dtype "
                f"{tensor.dtype.name}.\n  Fix: tf.cast or tf.reshape it."
            )
        return tensor

    def placeholder_value(self, placeholder_context: Any = None) -> Tensor:
        """Return a Tensor of this shape and dtype that has no value, None sizes as symbols."""
        return Tensor(self.type(), None, 0, None)

    def is_compatible_with(  # pyright: ignore[reportIncompatibleMethodOverride]  # TF's name
        self, spec_or_tensor: Any
    ) -> bool:
        """Return whether a Tensor or spec has this dtype and a compatible shape."""
        if not hasattr(spec_or_tensor, "dtype") or not hasattr(spec_or_tensor, "shape"):
            return False
        return as_dtype(spec_or_tensor.dtype) is self._dtype and self._shape.is_compatible_with(
            TensorShape(spec_or_tensor.shape)
        )

    def type(self) -> TensorType:
        """Return the type with symbolic dimensions where the shape has None."""
        return type_of(symbolic_dims(self._shape), self._dtype)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorSpec) and (self._shape, self._dtype, self._name) == (
            other._shape,
            other._dtype,
            other._name,
        )

    def __hash__(self) -> int:
        return hash((self._shape, self._dtype))

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self._shape}, dtype={self._dtype!r}, name={self._name!r})"


nest.register_leaf(TensorSpec)


def symbolic_dims(shape: Any) -> tuple[Any, ...]:
    """Return a shape's sizes with a symbol for each None: "b" for axis 0, "d1" for axis 1..."""
    return tuple(symbolic_dim(i) if d is None else int(d) for i, d in enumerate(shape))
