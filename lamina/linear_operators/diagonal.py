"""Operators with nothing beside the diagonal: Diag, Identity, ScaledIdentity, Zeros."""

from __future__ import annotations

import abc
from typing import Any, ClassVar

import numpy as np

from lamina import debugging, ops
from lamina.engine import Tensor, TensorShape, static_int, static_ints
from lamina.linear_operators.base import LinearOperator
from lamina.linear_operators.parts import (
    HINTS,
    arguments,
    conjugated,
    hints,
    kept,
    refuse,
    squared,
    turned,
)

__all__ = [
    "LinearOperatorDiag",
    "LinearOperatorIdentity",
    "LinearOperatorScaledIdentity",
    "LinearOperatorZeros",
    "Triangular",
]


class Triangular(LinearOperator):
    """What has its eigenvalues on the diagonal."""

    def _determinant(self) -> Tensor:
        return ops.reduce_prod(self._diag_part(), axis=-1)

    def _log_abs_determinant(self) -> Tensor:
        logs = ops.log(ops.abs(self._diag_part()))
        return ops.cast(ops.reduce_sum(logs, axis=-1), self.dtype)

    def _assert_non_singular(self) -> None:
        debugging.assert_positive(
            ops.abs(self._diag_part()), message="Singular operator: Diagonal contained zero values."
        )


class LinearOperatorDiag(Triangular):
    """A square diagonal matrix.

    Args:
        diag: The diagonal ``(B1, …, Bb, N)``, floating or complex.
        is_non_singular: As in LinearOperator, and so are the others.
        is_self_adjoint: Real diagonals always are.
        is_positive_definite: A hint.
        is_square: True or None.
        name: A name.

    Raises:
        TypeError: `diag` is neither floating nor complex.
        ValueError: the hints are wrong.

    Example:
        >>> operator = tf.linalg.LinearOperatorDiag([1.0, 2.0])
        >>> operator.solvevec([1.0, 1.0]).numpy()
        array([1. , 0.5], dtype=float32)
    """

    _event_axes: ClassVar[dict[str, int]] = {"diag": 1}

    def __init__(
        self,
        diag: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorDiag",
    ) -> None:
        given = arguments(locals())
        self._diag = kept(diag, "diag", rank=1)
        dtype = self._diag.dtype
        symmetric = None if dtype.is_complex else True
        super().__init__(dtype, **hints(given, is_self_adjoint=symmetric, is_square=True))

    @property
    def diag(self) -> Any:
        """The diagonal."""
        return self._diag

    def _shape(self) -> TensorShape:
        return squared(self._diag.shape)

    def _to_dense(self) -> Tensor:
        return ops.diag(self._diag)

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return conjugated(self._diag, adjoint)[..., None] * turned(x, adjoint_arg)

    def _matvec(self, x: Tensor, adjoint: bool = False) -> Tensor:
        return conjugated(self._diag, adjoint) * x

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return turned(rhs, adjoint_arg) / conjugated(self._diag, adjoint)[..., None]

    def _solvevec(self, rhs: Tensor, adjoint: bool = False) -> Tensor:
        return rhs / conjugated(self._diag, adjoint)

    def _diag_part(self) -> Tensor:
        return ops.identity(self._diag)

    def _add_to_tensor(self, x: Tensor) -> Tensor:
        if len(self._diag.shape) >= len(x.shape):
            return self.to_dense() + x
        return ops.set_diag(x, ops.diag_part(x) + self._diag)

    def _eigvals(self) -> Tensor:
        return ops.identity(self._diag)

    def _cond(self) -> Tensor:
        sizes = ops.abs(self._diag)
        return ops.reduce_max(sizes, axis=-1) / ops.reduce_min(sizes, axis=-1)

    def _assert_self_adjoint(self) -> None:
        if self.dtype.is_complex:
            debugging.assert_equal(
                ops.imag(self._diag),
                ops.zeros_like(ops.imag(self._diag)),
                message="This diagonal operator contained non-zero imaginary values: it was not "
                "self-adjoint.",
            )

    def _assert_positive_definite(self) -> None:
        debugging.assert_positive(
            ops.real(self._diag),
            message="Operator was not positive definite: the diagonal contained non-positive "
            "real parts.",
        )

    def _like(self, diag: Any) -> LinearOperatorDiag:
        return LinearOperatorDiag(
            diag,
            is_non_singular=self.is_non_singular,
            is_self_adjoint=self.is_self_adjoint,
            is_positive_definite=self.is_positive_definite,
            is_square=True,
        )

    def _adjoint(self) -> LinearOperator:
        return self._like(conjugated(self._diag))

    def _inverse(self) -> LinearOperator:
        return self._like(1.0 / self._diag)

    def _cholesky(self) -> LinearOperator:
        return self._like(ops.sqrt(self._diag))


class _Multiple(LinearOperator, abc.ABC):
    """What Identity, ScaledIdentity and Zeros share: one number for the whole diagonal."""

    @abc.abstractmethod
    def _factor(self) -> Tensor:
        """Return the number, of the batch's shape."""

    def _size(self) -> Any:
        rows, columns = self.shape[-2], self.shape[-1]
        return min(rows, columns)

    def _to_dense(self) -> Tensor:
        unit = ops.eye(self.shape[-2], self.shape[-1], dtype=self.dtype)
        return self._factor()[..., None, None] * unit

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        factor = conjugated(self._factor(), adjoint)
        return factor[..., None, None] * turned(x, adjoint_arg)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        factor = conjugated(self._factor(), adjoint)
        return turned(rhs, adjoint_arg) / factor[..., None, None]

    def _diag_part(self) -> Tensor:
        return self._factor()[..., None] * ops.ones([self._size()], self.dtype)

    def _trace(self) -> Tensor:
        return self._factor() * ops.cast(self._size(), self.dtype)

    def _determinant(self) -> Tensor:
        return self._factor() ** ops.cast(self._size(), self.dtype)

    def _log_abs_determinant(self) -> Tensor:
        logs = ops.cast(ops.log(ops.abs(self._factor())), self.dtype)
        return logs * ops.cast(self._size(), self.dtype)

    def _eigvals(self) -> Tensor:
        return self._diag_part()

    def _cond(self) -> Tensor:
        sizes = ops.abs(self._factor())
        return sizes / sizes


def _count(value: Any, what: str) -> int:
    if np.ndim(value):
        raise ValueError(f"LinearOperator: `{what}` must be one number; got {value!r}.")
    count = static_int(value, what)
    if count < 0:
        raise ValueError(f"LinearOperator: `{what}` must be at least 0; got {count}.")
    return count


def _batch(value: Any) -> tuple[int, ...]:
    if value is not None and np.ndim(value) != 1:
        raise ValueError(
            f"LinearOperator: `batch_shape` must be a list of sizes; got {value!r}.\n"
            f"  Fix: batch_shape=[2] for a batch of two."
        )
    return static_ints(() if value is None else value, "batch_shape")


class LinearOperatorIdentity(_Multiple):
    """The identity matrix, or a batch of them.

    Args:
        num_rows: The number of rows and columns.
        batch_shape: The batch's shape; None is ().
        dtype: The dtype; None is float32.
        is_non_singular: True or None, as all the hints.
        is_self_adjoint: True or None.
        is_positive_definite: True or None.
        is_square: True or None.
        assert_proper_shapes: Accepted; shapes are always checked.
        name: A name.

    Raises:
        ValueError: `num_rows` is negative, or a hint is False.

    Example:
        >>> tf.linalg.LinearOperatorIdentity(2).matvec([1.0, 2.0]).numpy()
        array([1., 2.], dtype=float32)
    """

    def __init__(
        self,
        num_rows: Any,
        batch_shape: Any = None,
        dtype: Any = None,
        is_non_singular: bool | None = True,
        is_self_adjoint: bool | None = True,
        is_positive_definite: bool | None = True,
        is_square: bool | None = True,
        assert_proper_shapes: bool = False,
        name: str = "LinearOperatorIdentity",
    ) -> None:
        given = arguments(locals())
        self._rows = _count(num_rows, "num_rows")
        self._batch = _batch(batch_shape)
        facts = dict.fromkeys(HINTS, True)
        super().__init__("float32" if dtype is None else dtype, **hints(given, **facts))

    def _shape(self) -> TensorShape:
        return TensorShape([*self._batch, self._rows, self._rows])

    def _factor(self) -> Tensor:
        return ops.ones(self._batch, self.dtype)

    def _assert_non_singular(self) -> None:
        """Nothing to check."""

    _assert_self_adjoint = _assert_positive_definite = _assert_non_singular

    def _inverse(self) -> LinearOperator:
        return self

    _adjoint = _cholesky = _inverse


class LinearOperatorScaledIdentity(_Multiple):
    """A multiple of the identity matrix, or a batch of them.

    Args:
        num_rows: The number of rows and columns.
        multiplier: The number on the diagonal, of the batch's shape.
        is_non_singular: As in LinearOperator, and so are the others.
        is_self_adjoint: Real multiples always are.
        is_positive_definite: A hint.
        is_square: True or None.
        assert_proper_shapes: Accepted; shapes are always checked.
        name: A name.

    Example:
        >>> tf.linalg.LinearOperatorScaledIdentity(2, 3.0).determinant().numpy()
        np.float32(9.0)
    """

    _event_axes: ClassVar[dict[str, int]] = {"multiplier": 0}

    def __init__(
        self,
        num_rows: Any,
        multiplier: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = True,
        assert_proper_shapes: bool = False,
        name: str = "LinearOperatorScaledIdentity",
    ) -> None:
        given = arguments(locals())
        self._rows = _count(num_rows, "num_rows")
        self._multiplier = kept(multiplier, "multiplier")
        dtype = self._multiplier.dtype
        symmetric = None if dtype.is_complex else True
        super().__init__(dtype, **hints(given, is_self_adjoint=symmetric, is_square=True))

    @property
    def multiplier(self) -> Any:
        """The number on the diagonal."""
        return self._multiplier

    def _shape(self) -> TensorShape:
        return TensorShape([*self._multiplier.shape, self._rows, self._rows])

    def _factor(self) -> Tensor:
        return ops.identity(self._multiplier)

    def _assert_non_singular(self) -> None:
        debugging.assert_positive(ops.abs(self._multiplier), message="LinearOperator was singular.")

    def _assert_self_adjoint(self) -> None:
        if self.dtype.is_complex:
            debugging.assert_equal(
                ops.imag(self._multiplier),
                ops.zeros_like(ops.imag(self._multiplier)),
                message="LinearOperator was not self-adjoint.",
            )

    def _assert_positive_definite(self) -> None:
        debugging.assert_positive(
            ops.real(self._multiplier), message="LinearOperator was not positive definite."
        )

    def _like(self, multiplier: Any) -> LinearOperatorScaledIdentity:
        return LinearOperatorScaledIdentity(
            self._rows,
            multiplier,
            is_non_singular=self.is_non_singular,
            is_self_adjoint=self.is_self_adjoint,
            is_positive_definite=self.is_positive_definite,
        )

    def _adjoint(self) -> LinearOperator:
        return self._like(conjugated(self._multiplier))

    def _inverse(self) -> LinearOperator:
        return self._like(1.0 / self._multiplier)

    def _cholesky(self) -> LinearOperator:
        return self._like(ops.sqrt(self._multiplier))


class LinearOperatorZeros(_Multiple):
    """A matrix of zeros, or a batch of them.

    Args:
        num_rows: The number of rows.
        num_columns: The number of columns; None is `num_rows`.
        batch_shape: The batch's shape; None is ().
        dtype: The dtype; None is float32.
        is_non_singular: False or None.
        is_self_adjoint: Whether it is square.
        is_positive_definite: False or None.
        is_square: Whether it is square.
        assert_proper_shapes: Accepted; shapes are always checked.
        name: A name.

    Raises:
        ValueError: a size is negative, or a hint is wrong.
    """

    def __init__(
        self,
        num_rows: Any,
        num_columns: Any = None,
        batch_shape: Any = None,
        dtype: Any = None,
        is_non_singular: bool | None = False,
        is_self_adjoint: bool | None = True,
        is_positive_definite: bool | None = False,
        is_square: bool | None = True,
        assert_proper_shapes: bool = False,
        name: str = "LinearOperatorZeros",
    ) -> None:
        given = arguments(locals())
        self._rows = _count(num_rows, "num_rows")
        self._columns = _count(num_rows if num_columns is None else num_columns, "num_columns")
        self._batch = _batch(batch_shape)
        facts = {"is_non_singular": False, "is_positive_definite": False}
        if self._rows != self._columns:
            facts |= {"is_square": False, "is_self_adjoint": False}
        super().__init__("float32" if dtype is None else dtype, **hints(given, **facts))

    def _shape(self) -> TensorShape:
        return TensorShape([*self._batch, self._rows, self._columns])

    def _factor(self) -> Tensor:
        return ops.zeros(self._batch, self.dtype)

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return ops.matmul(self._to_dense(), x, adjoint_a=adjoint, adjoint_b=adjoint_arg)

    def _add_to_tensor(self, x: Tensor) -> Tensor:
        return self.to_dense() + x if self._batch else x

    def _adjoint(self) -> LinearOperator:
        return LinearOperatorZeros(
            self._columns,
            self._rows,
            self._batch,
            self.dtype,
            is_self_adjoint=self.is_self_adjoint,
            is_square=self.is_square,
        )

    def _assert_non_singular(self) -> None:
        refuse("Zero operators are always non-invertible.")

    def _assert_positive_definite(self) -> None:
        refuse("Zero operators are always non-positive definite.")

    def _assert_self_adjoint(self) -> None:
        """Square zeros are; what is not square is refused for all operators."""
