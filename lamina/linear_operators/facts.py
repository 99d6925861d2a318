"""What an operator is: its dtype, its shape, the hints, and what its arguments must be."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.engine import Tensor, TensorShape, as_dtype, convert_to_tensor
from lamina.keras.core import Module

__all__: list[str] = []


class _Facts(Module):
    """What is known of an operator before it acts."""

    def __init__(
        self,
        dtype: Any,
        graph_parents: Any = None,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str | None = None,
        parameters: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self._name = name or type(self).__name__
        self._dtype = as_dtype(dtype)
        self._parameters = dict(parameters or {})
        if is_positive_definite:
            if is_non_singular is False:
                raise self._contradiction("A positive definite matrix is always non-singular.")
            is_non_singular = True
        if is_non_singular or is_self_adjoint:
            if is_square is False:
                kind = "non-singular" if is_non_singular else "self-adjoint"
                raise self._contradiction(f"A {kind} matrix is always square.")
            is_square = True
        self._is_non_singular = is_non_singular
        self._is_self_adjoint = is_self_adjoint
        self._is_positive_definite = is_positive_definite
        self._is_square = is_square

    def _contradiction(self, why: str) -> ValueError:
        return ValueError(f'{type(self).__name__} "{self.name}": the hints disagree. {why}')

    # -- what it is

    @property
    def name(self) -> str:
        """The name."""
        return self._name

    @property
    def dtype(self) -> Any:
        """The dtype of the entries."""
        return self._dtype

    @property
    def parameters(self) -> dict[str, Any]:
        """The constructor's arguments by name."""
        return dict(self._parameters)

    @property
    def graph_parents(self) -> list[Any]:
        """An empty list: operators hold Tensors, not nodes of a graph."""
        return []

    @property
    def is_non_singular(self) -> bool | None:
        """Whether it can be inverted; None if that is not known."""
        return self._is_non_singular

    @property
    def is_self_adjoint(self) -> bool | None:
        """Whether it is its own conjugate transpose; None if that is not known."""
        return self._is_self_adjoint

    @property
    def is_positive_definite(self) -> bool | None:
        """Whether ``Re(xᴴ A x) > 0`` for all x but 0; None if that is not known."""
        return self._is_positive_definite

    @property
    def is_square(self) -> bool | None:
        """Whether it has as many rows as columns; None if the shape does not tell."""
        rows, columns = self.shape[-2], self.shape[-1]
        if rows is None or columns is None:
            return self._is_square
        if self._is_square is not None and self._is_square is not (rows == columns):
            raise ValueError(
                f'{type(self).__name__} "{self.name}": is_square={self._is_square} was given; '
                f"the shape is {self.shape}."
            )
        return rows == columns

    # -- shapes

    def _shape(self) -> TensorShape:
        raise NotImplementedError(f"{type(self).__name__} must define _shape().")

    @property
    def shape(self) -> TensorShape:
        """The shape ``(B1, …, Bb, M, N)``."""
        return TensorShape(self._shape())

    @property
    def batch_shape(self) -> TensorShape:
        """The shape without the last two axes."""
        return self.shape[:-2]

    @property
    def tensor_rank(self) -> int:
        """The number of axes, those of the batch and two."""
        return len(self.shape)

    @property
    def range_dimension(self) -> int | None:
        """The number of rows M."""
        return self.shape[-2]

    @property
    def domain_dimension(self) -> int | None:
        """The number of columns N."""
        return self.shape[-1]

    def shape_tensor(self, name: str = "shape_tensor") -> Tensor:
        """Return the shape as an int32 Tensor."""
        if self.shape.is_fully_defined():
            return ops.constant(self.shape.as_list(), "int32")
        return self._shape_tensor()

    def _shape_tensor(self) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} must define _shape_tensor().")

    def batch_shape_tensor(self, name: str = "batch_shape_tensor") -> Tensor:
        """Return the shape of the batch as an int32 Tensor."""
        return self.shape_tensor()[:-2]

    def tensor_rank_tensor(self, name: str = "tensor_rank_tensor") -> Tensor:
        """Return the number of axes as an int32 Tensor."""
        return ops.constant(self.tensor_rank, "int32")

    def range_dimension_tensor(self, name: str = "range_dimension_tensor") -> Tensor:
        """Return the number of rows as an int32 Tensor."""
        return self.shape_tensor()[-2]

    def domain_dimension_tensor(self, name: str = "domain_dimension_tensor") -> Tensor:
        """Return the number of columns as an int32 Tensor."""
        return self.shape_tensor()[-1]

    # -- arguments

    def _operand(self, x: Any, what: str) -> Tensor:
        tensor = convert_to_tensor(x, dtype_hint=self.dtype)
        if tensor.dtype is not self.dtype:
            raise TypeError(
                f'{type(self).__name__} "{self.name}".{what}: the argument must have dtype '
                f"{self.dtype.name}; got {tensor.dtype.name}.\n"
                f"  Fix: tf.cast(x, tf.{self.dtype.name})."
            )
        return tensor

    def _check(self, size: int | None, given: int | None, what: str) -> None:
        if size is not None and given is not None and size != given:
            raise ValueError(
                f'{type(self).__name__} "{self.name}".{what}: Dimensions {size} and {given} are '
                f"not compatible; the operator has shape {self.shape}."
            )
