"""Products and quotients of two operators, with the structure that they keep."""

from __future__ import annotations

from typing import Any

from lamina.linear_operators.base import LinearOperator
from lamina.linear_operators.circulant import LinearOperatorCirculant
from lamina.linear_operators.composed import LinearOperatorComposition, joint_batch
from lamina.linear_operators.dense import LinearOperatorLowerTriangular
from lamina.linear_operators.diagonal import (
    LinearOperatorDiag,
    LinearOperatorIdentity,
    LinearOperatorScaledIdentity,
    LinearOperatorZeros,
)
from lamina.linear_operators.parts import both, products

__all__: list[str] = []

_Diagonal = LinearOperatorDiag | LinearOperatorScaledIdentity


def _hints(left: LinearOperator, right: LinearOperator) -> dict[str, Any]:
    """Return what is known of the product of two operators that commute."""
    symmetric = both(left.is_self_adjoint, right.is_self_adjoint)
    positive = both(left.is_positive_definite, right.is_positive_definite)
    return {
        "is_non_singular": both(left.is_non_singular, right.is_non_singular),
        "is_self_adjoint": symmetric,
        "is_positive_definite": positive if symmetric else None,
        "is_square": True,
    }


def _line(operator: Any) -> Any:
    """Return the diagonal, of at least one element where all are equal."""
    if isinstance(operator, LinearOperatorDiag):
        return operator.diag
    return operator.multiplier[..., None]


def _product(left: Any, right: Any) -> LinearOperator:
    """Return the product of two operators."""
    if isinstance(left, LinearOperatorZeros) or isinstance(right, LinearOperatorZeros):
        batch = joint_batch([left, right])
        rows, columns = left.range_dimension, right.domain_dimension
        square = rows == columns
        return LinearOperatorZeros(
            rows, columns, batch, left.dtype, is_self_adjoint=square, is_square=square
        )
    if isinstance(left, LinearOperatorIdentity):
        return right
    if isinstance(right, LinearOperatorIdentity):
        return left
    if isinstance(left, _Diagonal) and isinstance(right, _Diagonal):
        return _of_diagonals(left, right, divided=False)
    lower = LinearOperatorLowerTriangular
    if isinstance(left, LinearOperatorDiag) and isinstance(right, lower):
        return _lower(left.diag[..., None] * right.to_dense(), left, right)
    if isinstance(left, lower) and isinstance(right, LinearOperatorDiag):
        return _lower(left.to_dense() * right.diag[..., None, :], left, right)
    if _are_circulant(left, right):
        return _circulant(left, right, divided=False)
    return LinearOperatorComposition([left, right])


def _quotient(left: Any, right: Any) -> LinearOperator:
    """Return the inverse of an operator times another one."""
    if isinstance(left, LinearOperatorIdentity):
        return right
    if isinstance(right, LinearOperatorIdentity):
        return left.inverse()
    if isinstance(left, _Diagonal) and isinstance(right, _Diagonal):
        return _of_diagonals(left, right, divided=True)
    if isinstance(left, LinearOperatorDiag) and isinstance(right, LinearOperatorLowerTriangular):
        return _lower(right.to_dense() / left.diag[..., None], left, right)
    if _are_circulant(left, right):
        return _circulant(left, right, divided=True)
    return LinearOperatorComposition([left.inverse(), right])


def _of_diagonals(left: Any, right: Any, divided: bool) -> LinearOperator:
    hints = _hints(left, right)
    scaled = LinearOperatorScaledIdentity
    if isinstance(left, scaled) and isinstance(right, scaled):
        a, b = left.multiplier, right.multiplier
        return scaled(left.domain_dimension, b / a if divided else a * b, **hints)
    a, b = _line(left), _line(right)
    return LinearOperatorDiag(b / a if divided else a * b, **hints)


def _lower(tril: Any, left: Any, right: Any) -> LinearOperator:
    return LinearOperatorLowerTriangular(
        tril, is_non_singular=both(left.is_non_singular, right.is_non_singular)
    )


def _are_circulant(left: Any, right: Any) -> Any:
    return (
        isinstance(left, LinearOperatorCirculant)
        and type(left) is type(right)
        and left.dtype is right.dtype
        and left.spectrum.dtype is right.spectrum.dtype
    )


def _circulant(left: Any, right: Any, divided: bool) -> LinearOperator:
    a, b = left.spectrum, right.spectrum
    spectrum = b / a if divided else a * b
    return type(left)(spectrum, left.dtype, **_hints(left, right))


products["product"] = _product
products["quotient"] = _quotient
