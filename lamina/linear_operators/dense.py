"""Operators of one matrix and its structure: FullMatrix, LowerTriangular, Toeplitz, ..."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from lamina import debugging, ops
from lamina.engine import Tensor, TensorShape, convert_to_tensor
from lamina.linear_operators.base import LinearOperator
from lamina.linear_operators.diagonal import Triangular
from lamina.linear_operators.parts import (
    arguments,
    conjugated,
    hints,
    kept,
    products,
    refuse,
    same_batch,
    squared,
    turned,
)

__all__ = [
    "LinearOperatorFullMatrix",
    "LinearOperatorHouseholder",
    "LinearOperatorLowerTriangular",
    "LinearOperatorPermutation",
    "LinearOperatorToeplitz",
    "LinearOperatorTridiag",
]


class LinearOperatorFullMatrix(LinearOperator):
    """A dense matrix, with the interface of an operator.

    Args:
        matrix: ``(B1, …, Bb, M, N)``, floating or complex.
        is_non_singular: As in LinearOperator, and so are the others.
        is_self_adjoint: A hint.
        is_positive_definite: A hint.
        is_square: A hint.
        name: A name.

    Raises:
        TypeError: `matrix` is neither floating nor complex.
        ValueError: it has fewer than two axes, or the hints contradict each other.

    Example:
        >>> operator = tf.linalg.LinearOperatorFullMatrix([[2.0, 0.0], [1.0, 1.0]])
        >>> operator.determinant().numpy()
        np.float32(2.0)
    """

    _event_axes: ClassVar[dict[str, int]] = {"matrix": 2}

    def __init__(
        self,
        matrix: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorFullMatrix",
    ) -> None:
        given = arguments(locals())
        self._matrix = kept(matrix, "matrix", rank=2)
        super().__init__(self._matrix.dtype, **hints(given))

    @property
    def matrix(self) -> Any:
        """The matrix."""
        return self._matrix

    def _shape(self) -> TensorShape:
        return TensorShape(self._matrix.shape)

    def _to_dense(self) -> Tensor:
        return ops.identity(self._matrix)


class LinearOperatorLowerTriangular(Triangular):
    """A lower triangular matrix; systems are solved by substitution.

    Args:
        tril: ``(B1, …, Bb, N, N)``; what stands above the diagonal is not used.
        is_non_singular: As in LinearOperator, and so are the others.
        is_self_adjoint: A hint.
        is_positive_definite: A hint.
        is_square: True or None.
        name: A name.

    Example:
        >>> operator = tf.linalg.LinearOperatorLowerTriangular([[2.0, 7.0], [1.0, 1.0]])
        >>> operator.solvevec([2.0, 3.0]).numpy()
        array([1., 2.], dtype=float32)
    """

    _event_axes: ClassVar[dict[str, int]] = {"tril": 2}

    def __init__(
        self,
        tril: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorLowerTriangular",
    ) -> None:
        given = arguments(locals())
        self._tril = kept(tril, "tril", rank=2)
        super().__init__(self._tril.dtype, **hints(given, is_square=True))

    @property
    def tril(self) -> Any:
        """The matrix as it was given."""
        return self._tril

    def _shape(self) -> TensorShape:
        return TensorShape(self._tril.shape)

    def _to_dense(self) -> Tensor:
        return ops.band_part(self._tril, -1, 0)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        matrix, rhs = same_batch(self._to_dense(), turned(rhs, adjoint_arg))
        return ops.triangular_solve(matrix, rhs, lower=True, adjoint=adjoint)

    def _diag_part(self) -> Tensor:
        return ops.diag_part(self._tril)


class LinearOperatorPermutation(LinearOperator):
    """A permutation of rows: ``(A x)[i] = x[perm[i]]``.

    Args:
        perm: Integers ``(B1, …, Bb, N)``, a permutation of 0 … N-1.
        dtype: The dtype of the entries.
        is_non_singular: As in LinearOperator, and so are the others.
        is_self_adjoint: A hint.
        is_positive_definite: A hint.
        is_square: True or None.
        name: A name.

    Raises:
        TypeError: `perm` does not hold integers.
        ValueError: it is known not to be a permutation.

    Example:
        >>> tf.linalg.LinearOperatorPermutation([2, 0, 1]).matvec([1.0, 2.0, 3.0]).numpy()
        array([3., 1., 2.], dtype=float32)
    """

    _event_axes: ClassVar[dict[str, int]] = {"perm": 1}

    def __init__(
        self,
        perm: Any,
        dtype: Any = "float32",
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorPermutation",
    ) -> None:
        given = arguments(locals())
        self._perm = convert_to_tensor(perm)
        if not self._perm.dtype.is_integer:
            raise TypeError(
                f"{name}: `perm` must hold integers; got dtype {self._perm.dtype.name}."
            )
        if len(self._perm.shape) == 0:
            raise ValueError(f"{name}: `perm` must have at least 1 axis; got shape ().")
        known = ops.get_static_value(self._perm)
        if known is not None and np.any(np.sort(known, -1) != np.arange(known.shape[-1])):
            raise ValueError(
                f"{name}: `perm` must hold each of 0 … {known.shape[-1] - 1} once; got {perm!r}."
            )
        super().__init__(dtype, **hints(given, is_square=True))

    @property
    def perm(self) -> Tensor:
        """The permutation."""
        return self._perm

    def _shape(self) -> TensorShape:
        return squared(self._perm.shape)

    def _to_dense(self) -> Tensor:
        return ops.one_hot(self._perm, self._perm.shape[-1], dtype=self.dtype)

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        x = turned(x, adjoint_arg)
        order = ops.argsort(self._perm, axis=-1) if adjoint else self._perm
        if len(order.shape) == 1:
            return ops.gather(x, order, axis=-2)
        return ops.matmul(ops.one_hot(order, order.shape[-1], dtype=self.dtype), x)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._matmul(rhs, adjoint=not adjoint, adjoint_arg=adjoint_arg)

    def _log_abs_determinant(self) -> Tensor:
        return ops.zeros(self.batch_shape, self.dtype)

    def _cond(self) -> Tensor:
        return ops.ones(self.batch_shape, self.dtype.real_dtype)

    def _assert_non_singular(self) -> None:
        steps = ops.cast(ops.range(self._perm.shape[-1]), self._perm.dtype)
        debugging.assert_equal(
            ops.sort(self._perm, axis=-1),
            ops.broadcast_to(steps, self._perm.shape),
            message="Permutation has repeated or missing indices.",
        )


class LinearOperatorHouseholder(LinearOperator):
    """A reflection at the plane orthogonal to a vector v: ``I - 2 v vᴴ / |v|²``.

    Args:
        reflection_axis: v, ``(B1, …, Bb, N)``; its length does not matter.
        is_non_singular: As in LinearOperator, and so are the others.
        is_self_adjoint: True or None.
        is_positive_definite: False or None.
        is_square: True or None.
        name: A name.
    """

    _event_axes: ClassVar[dict[str, int]] = {"reflection_axis": 1}

    def __init__(
        self,
        reflection_axis: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorHouseholder",
    ) -> None:
        given = arguments(locals())
        self._axis = kept(reflection_axis, "reflection_axis", rank=1)
        facts = {"is_self_adjoint": True, "is_positive_definite": False, "is_square": True}
        super().__init__(self._axis.dtype, **hints(given, **facts))

    @property
    def reflection_axis(self) -> Any:
        """The vector."""
        return self._axis

    def _shape(self) -> TensorShape:
        return squared(self._axis.shape)

    def _to_dense(self) -> Tensor:
        unit = ops.eye(self._axis.shape[-1], dtype=self.dtype)
        return self._matmul(ops.broadcast_to(unit, self.shape))

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        x = turned(x, adjoint_arg)
        length = ops.cast(ops.norm(self._axis, axis=-1, keepdims=True), self.dtype)
        v = (self._axis / length)[..., None]
        v, x = same_batch(v, x)
        return x - ops.cast(2, self.dtype) * v * ops.matmul(v, x, adjoint_a=True)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._matmul(rhs, adjoint, adjoint_arg)

    def _determinant(self) -> Tensor:
        return -ops.ones(self.batch_shape, self.dtype)

    def _log_abs_determinant(self) -> Tensor:
        return ops.zeros(self.batch_shape, self.dtype)

    def _trace(self) -> Tensor:
        size = ops.cast(self._axis.shape[-1] - 2, self.dtype)
        return ops.fill(self.batch_shape, size)

    def _eigvals(self) -> Tensor:
        ones = ops.ones([*self.batch_shape, self._axis.shape[-1] - 1], self.dtype)
        return ops.concat([-ops.ones([*self.batch_shape, 1], self.dtype), ones], axis=-1)

    def _cond(self) -> Tensor:
        return ops.ones(self.batch_shape, self.dtype.real_dtype)

    def _assert_non_singular(self) -> None:
        """Reflections can be inverted."""

    _assert_self_adjoint = _assert_non_singular

    def _assert_positive_definite(self) -> None:
        refuse("Householder operators are always non-positive definite.")

    def _inverse(self) -> LinearOperator:
        return self


class LinearOperatorToeplitz(LinearOperator):
    """A matrix whose diagonals are constant: entry (i, j) depends on i - j only.

    Args:
        col: The first column ``(B1, …, Bb, N)``.
        row: The first row; its first entry is taken from `col`.
        is_non_singular: As in LinearOperator, and so are the others.
        is_self_adjoint: A hint.
        is_positive_definite: A hint.
        is_square: True or None.
        name: A name.

    Example:
        >>> tf.linalg.LinearOperatorToeplitz([1.0, 2.0], [1.0, 4.0]).to_dense().numpy()
        array([[1., 4.],
               [2., 1.]], dtype=float32)
    """

    _event_axes: ClassVar[dict[str, int]] = {"col": 1, "row": 1}

    def __init__(
        self,
        col: Any,
        row: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorToeplitz",
    ) -> None:
        given = arguments(locals())
        self._col = kept(col, "col", rank=1)
        self._row = kept(row, "row", rank=1, dtype=self._col.dtype)
        super().__init__(self._col.dtype, **hints(given, is_square=True))

    @property
    def col(self) -> Any:
        """The first column."""
        return self._col

    @property
    def row(self) -> Any:
        """The first row."""
        return self._row

    def _shape(self) -> TensorShape:
        batch = ops.broadcast_static_shape(self._col.shape, self._row.shape)
        return squared(batch)

    def _to_dense(self) -> Tensor:
        shape = self.shape[:-1]
        col = ops.broadcast_to(self._col, shape)
        row = ops.broadcast_to(self._row, shape)
        # Row N-1 … row 1, col 0 … col N-1: entry (i, j) stands at i - j + N - 1.
        line = ops.concat([ops.reverse(row[..., 1:], axis=[-1]), col], axis=-1)
        steps = ops.range(shape[-1])
        places = steps[:, None] - steps[None, :] + (shape[-1] - 1)
        return ops.gather(line, places, axis=-1)

    def _diag_part(self) -> Tensor:
        first = ops.broadcast_to(self._col, self.shape[:-1])[..., :1]
        return ops.broadcast_to(first, self.shape[:-1])

    def _assert_self_adjoint(self) -> None:
        debugging.assert_equal(
            ops.identity(self._row),
            conjugated(ops.identity(self._col)),
            message="row and col are not the same, and so this operator is not self-adjoint.",
        )


class LinearOperatorTridiag(LinearOperator):
    """A matrix with entries on the diagonal and beside it; systems are solved in O(n).

    Args:
        diagonals: "compact": ``(…, 3, N)``, above, on and below the diagonal, the last entry of
            the first and the first of the third not used; "sequence": the three of them;
            "matrix": ``(…, N, N)``.
        diagonals_format: "compact", "sequence" or "matrix".
        is_non_singular: As in LinearOperator, and so are the others.
        is_self_adjoint: A hint.
        is_positive_definite: A hint.
        is_square: True or None.
        name: A name.

    Raises:
        ValueError: the format is unknown.
    """

    _event_axes: ClassVar[dict[str, int]] = {"diagonals": 2}

    def __init__(
        self,
        diagonals: Any,
        diagonals_format: str = "compact",
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorTridiag",
    ) -> None:
        given = arguments(locals())
        if diagonals_format not in ("compact", "matrix", "sequence"):
            raise ValueError(
                f"{name}: `diagonals_format` must be one of compact, matrix, or sequence; got "
                f"{diagonals_format!r}."
            )
        if diagonals_format == "sequence":
            self._diagonals: Any = [kept(d, "diagonals", rank=1) for d in diagonals]
            dtype = self._diagonals[0].dtype
        else:
            self._diagonals = kept(diagonals, "diagonals", rank=2)
            dtype = self._diagonals.dtype
        self._format = diagonals_format
        super().__init__(dtype, **hints(given, is_square=True))

    @property
    def diagonals(self) -> Any:
        """What it was made of."""
        return self._diagonals

    @property
    def diagonals_format(self) -> str:
        """How `diagonals` is to be read."""
        return self._format

    def _three(self) -> tuple[Any, Any, Any]:
        """Return what stands above, on and below the diagonal, as in "compact"."""
        if self._format == "compact":
            found = [self._diagonals[..., i, :] for i in range(3)]
        elif self._format == "sequence":
            above, on, below = map(ops.identity, self._diagonals)
            size = on.shape[-1]
            # Sequences may leave out the entries that are not used.
            missing = [[0, 0]] * (len(above.shape) - 1)
            above = ops.pad(above, [*missing, [0, size - above.shape[-1]]])
            below = ops.pad(below, [*missing, [size - below.shape[-1], 0]])
            found = [above, on, below]
        else:
            m = self._diagonals
            missing = [[0, 0]] * (len(m.shape) - 2)
            above = ops.pad(ops.diag_part(m, k=1), [*missing, [0, 1]])
            below = ops.pad(ops.diag_part(m, k=-1), [*missing, [1, 0]])
            found = [above, ops.diag_part(m), below]
        return found[0], found[1], found[2]

    def _compact(self, adjoint: bool = False) -> Tensor:
        above, on, below = self._three()
        if adjoint:
            above, below = ops.roll(below, -1, axis=-1), ops.roll(above, 1, axis=-1)
        stacked = ops.stack([above, on, below], axis=-2)
        return conjugated(stacked, adjoint)

    def _whole(self) -> dict[str, Any]:
        compact = {"diagonals": self._compact(), "diagonals_format": "compact"}
        return {**self.parameters, **compact}

    def _shape(self) -> TensorShape:
        if self._format == "matrix":
            return TensorShape(self._diagonals.shape)
        if self._format == "compact":
            shape = self._diagonals.shape
            return squared([*shape[:-2], shape[-1]])
        return squared(self._diagonals[1].shape)

    def _to_dense(self) -> Tensor:
        above, on, below = self._three()
        return ops.diag(on) + ops.diag(above[..., :-1], k=1) + ops.diag(below[..., 1:], k=-1)

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        diagonals, x = same_batch(self._compact(adjoint), turned(x, adjoint_arg))
        return ops.tridiagonal_matmul(diagonals, x)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        diagonals, rhs = same_batch(self._compact(adjoint), turned(rhs, adjoint_arg))
        return ops.tridiagonal_solve(diagonals, rhs)

    def _diag_part(self) -> Tensor:
        return self._three()[1]

    def _assert_self_adjoint(self) -> None:
        above, _, below = self._three()
        above = above[..., :-1]
        debugging.assert_equal(
            conjugated(above),
            below[..., 1:],
            message="This tridiagonal operator has non-conjugate subdiagonal and superdiagonal.",
        )


products["lower"] = LinearOperatorLowerTriangular
