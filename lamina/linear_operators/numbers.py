"""The numbers of an operator, from its dense matrix where it knows no better, and assertions."""

from __future__ import annotations

from typing import Any

from lamina import debugging, ops
from lamina.engine import Tensor, errors
from lamina.linear_operators.facts import _Facts

__all__: list[str] = []


class _Numbers(_Facts):
    """Dense matrix, determinant, trace, eigenvalues and condition of an operator."""

    # -- the matrix

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        if type(self)._to_dense is _Numbers._to_dense:
            raise NotImplementedError(f"{type(self).__name__} must define _matmul().")
        return ops.matmul(self._to_dense(), x, adjoint_a=adjoint, adjoint_b=adjoint_arg)

    def _shape_tensor(self) -> Tensor:
        return ops.shape(self._to_dense())

    def _to_dense(self) -> Tensor:
        size = self.domain_dimension
        columns = self.domain_dimension_tensor() if size is None else size
        unit = ops.eye(columns, batch_shape=self.batch_shape, dtype=self.dtype)
        return self._matmul(unit)

    def to_dense(self, name: str = "to_dense") -> Tensor:
        """Return the matrix, ``(…, M, N)``."""
        return self._to_dense()

    def add_to_tensor(self, x: Any, name: str = "add_to_tensor") -> Tensor:
        """Return ``A + x`` for a matrix of a shape that broadcasts."""
        return self._add_to_tensor(self._operand(x, "add_to_tensor"))

    def _add_to_tensor(self, x: Tensor) -> Tensor:
        return self.to_dense() + x

    # -- numbers

    def _determinant(self) -> Tensor:
        return ops.det(self.to_dense())

    def determinant(self, name: str = "det") -> Tensor:
        """Return the determinants, of the batch's shape.

        Raises:
            NotImplementedError: the operator is not square.
        """
        self._check_determinant()
        return self._determinant()

    def _log_abs_determinant(self) -> Tensor:
        return ops.cast(ops.slogdet(self.to_dense())[1], self.dtype)

    def log_abs_determinant(self, name: str = "log_abs_det") -> Tensor:
        """Return the logarithms of the determinants' absolute values.

        Raises:
            NotImplementedError: the operator is not square.
        """
        self._check_determinant()
        return self._log_abs_determinant()

    def _check_determinant(self) -> None:
        if self.is_square is False:
            raise NotImplementedError(
                f'{type(self).__name__} "{self.name}".determinant: the operator is not square, '
                f"shape {self.shape}."
            )

    def _diag_part(self) -> Tensor:
        return ops.diag_part(self.to_dense())

    def diag_part(self, name: str = "diag_part") -> Tensor:
        """Return the main diagonals, ``(…, min(M, N))``."""
        return self._diag_part()

    def _trace(self) -> Tensor:
        return ops.reduce_sum(self.diag_part(), axis=-1)

    def trace(self, name: str = "trace") -> Tensor:
        """Return the sums of the main diagonals."""
        return self._trace()

    def _eigvals(self) -> Tensor:
        return ops.eigvalsh(self.to_dense())

    def eigvals(self, name: str = "eigvals") -> Tensor:
        """Return the eigenvalues, ``(…, N)``; in an order that depends on the kind of operator.

        Raises:
            NotImplementedError: the hints do not say that the operator is self-adjoint.
        """
        if not self.is_self_adjoint:
            raise NotImplementedError(
                f'{type(self).__name__} "{self.name}".eigvals: Only self-adjoint matrices are '
                f"supported.\n  Fix: is_self_adjoint=True, or tf.linalg.eigvals(op.to_dense())."
            )
        return self._eigvals()

    def _cond(self) -> Tensor:
        if self.is_self_adjoint:
            sizes = ops.abs(self._eigvals())
            return ops.reduce_max(sizes, axis=-1) / ops.reduce_min(sizes, axis=-1)
        sizes = ops.svd(self.to_dense(), compute_uv=False)
        return sizes[..., 0] / sizes[..., -1]

    def cond(self, name: str = "cond") -> Tensor:
        """Return the condition numbers: largest by smallest singular value; real."""
        return self._cond()

    # -- assertions

    def _assert_non_singular(self) -> None:
        debugging.assert_less(
            self._cond() * _epsilon(self.dtype),
            ops.cast(1.0, self.dtype.real_dtype),
            message="Singular matrix up to precision epsilon.",
        )

    def assert_non_singular(self, name: str = "assert_non_singular") -> None:
        """Raise unless the matrix can be inverted, as far as its precision tells.

        Raises:
            InvalidArgumentError: its condition number is over 1 / epsilon.
        """
        return self._assert_non_singular()

    def _assert_self_adjoint(self) -> None:
        dense = self.to_dense()
        debugging.assert_equal(
            dense, ops.adjoint(dense), message="Matrix was not equal to its adjoint."
        )

    def assert_self_adjoint(self, name: str = "assert_self_adjoint") -> None:
        """Raise unless the matrix is its own conjugate transpose.

        Raises:
            InvalidArgumentError: it is not.
        """
        self._refuse_unless_square("self-adjoint")
        return self._assert_self_adjoint()

    def _assert_positive_definite(self) -> None:
        dense = self.to_dense()
        symmetric = (dense + ops.adjoint(dense)) / ops.cast(2, self.dtype)
        debugging.assert_positive(
            ops.eigvalsh(symmetric), message="Matrix was not positive definite."
        )

    def assert_positive_definite(self, name: str = "assert_positive_definite") -> None:
        """Raise unless ``Re(xᴴ A x) > 0`` for all x but 0.

        Raises:
            InvalidArgumentError: it is not so.
        """
        self._refuse_unless_square("positive definite")
        return self._assert_positive_definite()

    def _refuse_unless_square(self, what: str) -> None:
        if self.is_square is False:
            raise errors.InvalidArgumentError(
                f'{type(self).__name__} "{self.name}": only a square matrix can be {what}; got '
                f"shape {self.shape}."
            )


def _epsilon(dtype: Any) -> Any:
    real = dtype.real_dtype
    small = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23}
    return ops.cast(small.get(real.name, 2.0**-52), real)
