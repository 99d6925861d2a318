"""LowRankUpdate: an operator plus a product of thin matrices."""

from __future__ import annotations

from typing import Any, ClassVar

from lamina import ops
from lamina.engine import Tensor, TensorShape
from lamina.linear_operators.base import LinearOperator
from lamina.linear_operators.diagonal import LinearOperatorDiag, LinearOperatorIdentity
from lamina.linear_operators.parts import arguments, conjugated, follows, hints, kept, same_batch

__all__ = ["LinearOperatorLowRankUpdate"]


class LinearOperatorLowRankUpdate(LinearOperator):
    """An operator plus a product of thin matrices, ``L + U D Vᴴ``.

    With K columns in U, systems cost K systems of L and one of size K, by the Woodbury identity.

    Args:
        base_operator: L, square; floating.
        u: U, ``(B1, …, Bb, N, K)``.
        diag_update: The diagonal of D, ``(B1, …, Bb, K)``; None is ones.
        v: V, of the shape of U; None is U.
        is_diag_update_positive: Whether D is known to be positive.
        is_non_singular: As in LinearOperator, and so are the others.
        is_self_adjoint: A hint.
        is_positive_definite: A hint.
        is_square: True or None.
        name: A name.

    Raises:
        ValueError: the shapes do not fit.
    Reference: Woodbury 1950, Inverting modified matrices.
    """

    _event_axes: ClassVar[dict[str, int]] = {"u": 2, "diag_update": 1, "v": 2}

    def __init__(
        self,
        base_operator: LinearOperator,
        u: Any,
        diag_update: Any = None,
        v: Any = None,
        is_diag_update_positive: bool | None = None,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorLowRankUpdate",
    ) -> None:
        given = arguments(locals())
        self._base = base_operator
        dtype = base_operator.dtype
        self._u = kept(u, "u", rank=2, dtype=dtype)
        self._v = self._u if v is None else kept(v, "v", rank=2, dtype=dtype)
        self._diag = None if diag_update is None else kept(diag_update, "diag_update", 1, dtype)
        self._diag_positive = True if diag_update is None else is_diag_update_positive
        base_operator._check(base_operator.range_dimension, self._u.shape[-2], "LowRankUpdate")
        self._check_columns(name)
        found = hints(given, is_square=True)
        if v is None and (self._diag is None or not dtype.is_complex):
            found["is_self_adjoint"] = follows(is_self_adjoint, base_operator.is_self_adjoint)
        if v is None and self._diag_positive:
            known = base_operator.is_positive_definite
            found["is_positive_definite"] = follows(is_positive_definite, known)
        super().__init__(dtype, **found)

    def _check_columns(self, name: str) -> None:
        count = self._u.shape[-1]
        if self._v.shape[-2:] != self._u.shape[-2:]:
            raise ValueError(
                f"{name}: `v` must have the rows and columns of `u`, {self._u.shape[-2:]}; got "
                f"shape {self._v.shape}."
            )
        if self._diag is not None and self._diag.shape[-1] != count:
            raise ValueError(
                f"{name}: `diag_update` must have a number for each of the {count} columns of "
                f"`u`; got shape {self._diag.shape}."
            )

    @property
    def base_operator(self) -> LinearOperator:
        """L, the operator that is updated."""
        return self._base

    @property
    def u(self) -> Any:
        """The matrix U."""
        return self._u

    @property
    def v(self) -> Any:
        """The matrix V."""
        return self._v

    @property
    def diag_update(self) -> Any:
        """The diagonal of D, or None."""
        return self._diag

    @property
    def is_diag_update_positive(self) -> bool | None:
        """Whether D is known to be positive."""
        return self._diag_positive

    @property
    def diag_operator(self) -> LinearOperator:
        """D, as an operator."""
        if self._diag is None:
            return LinearOperatorIdentity(self._u.shape[-1], dtype=self.dtype)
        return LinearOperatorDiag(self._diag, is_positive_definite=self._diag_positive)

    def _shape(self) -> TensorShape:
        batch = ops.broadcast_static_shape(self._base.batch_shape, self._u.shape[:-2])
        batch = ops.broadcast_static_shape(batch, self._v.shape[:-2])
        return TensorShape([*batch, *self._base.shape[-2:]])

    def _to_dense(self) -> Tensor:
        update = self.diag_operator.matmul(ops.adjoint(self._v))
        return self._base.to_dense() + ops.matmul(*same_batch(ops.identity(self._u), update))

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        x = ops.adjoint(x) if adjoint_arg else x
        left, right = (self._v, self._u) if adjoint else (self._u, self._v)
        inner = ops.matmul(*same_batch(ops.adjoint(right), x))
        inner = self.diag_operator.matmul(inner, adjoint=adjoint)
        return self._base.matmul(x, adjoint=adjoint) + ops.matmul(
            *same_batch(ops.identity(left), inner)
        )

    def _capacitance(self) -> Tensor:
        """Return ``D⁻¹ + Vᴴ L⁻¹ U``, ``(…, K, K)``."""
        solved = self._base.solve(ops.identity(self._u))
        inner = ops.matmul(*same_batch(ops.adjoint(self._v), solved))
        return self.diag_operator.inverse().add_to_tensor(inner)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        rhs = ops.adjoint(rhs) if adjoint_arg else rhs
        left, right = (self._v, self._u) if adjoint else (self._u, self._v)
        solved = self._base.solve(rhs, adjoint=adjoint)
        inner = ops.matmul(*same_batch(ops.adjoint(right), solved))
        inner = ops.solve(*same_batch(self._capacitance(), inner), adjoint=adjoint)
        outer = ops.matmul(*same_batch(ops.identity(left), inner))
        return solved - self._base.solve(outer, adjoint=adjoint)

    def _determinant(self) -> Tensor:
        inner = ops.det(self._capacitance()) * self.diag_operator.determinant()
        return inner * self._base.determinant()

    def _log_abs_determinant(self) -> Tensor:
        inner = ops.cast(ops.slogdet(self._capacitance())[1], self.dtype)
        inner += self.diag_operator.log_abs_determinant()
        return inner + self._base.log_abs_determinant()

    def _diag_part(self) -> Tensor:
        scaled = ops.identity(self._u)
        if self._diag is not None:
            scaled = scaled * self._diag[..., None, :]
        return self._base.diag_part() + ops.reduce_sum(scaled * conjugated(self._v), axis=-1)

    def _adjoint(self) -> LinearOperator:
        return LinearOperatorLowRankUpdate(
            self._base.adjoint(),
            self._v,
            None if self._diag is None else conjugated(self._diag),
            self._u,
            is_diag_update_positive=self._diag_positive,
            is_non_singular=self.is_non_singular,
            is_positive_definite=self.is_positive_definite,
        )
