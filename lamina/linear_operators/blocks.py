"""Operators of blocks: BlockDiag and BlockLowerTriangular."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any

from lamina import ops
from lamina.engine import Tensor, TensorShape, convert_to_tensor
from lamina.linear_operators.base import LinearOperator
from lamina.linear_operators.composed import Separate, checked, joint_batch, product, total
from lamina.linear_operators.dense import LinearOperatorFullMatrix
from lamina.linear_operators.parts import HINTS, arguments, follows, hints

__all__ = ["LinearOperatorBlockDiag", "LinearOperatorBlockLowerTriangular"]


def _parts(x: Any, sizes: Sequence[int], adjoint: bool) -> list[Tensor]:
    """Return the blocks of rows of a matrix."""
    x = ops.adjoint(x) if adjoint else x
    return ops.split(x, sizes, axis=-2)


def _joined(parts: Sequence[Tensor]) -> Tensor:
    """Return blocks of rows as one matrix; their batch shapes broadcast."""
    batch = ops.shape(parts[0])[:-2]
    for part in parts[1:]:
        batch = ops.broadcast_dynamic_shape(batch, ops.shape(part)[:-2])
    wide = [ops.broadcast_to(p, ops.concat([batch, ops.shape(p)[-2:]], 0)) for p in parts]
    return ops.concat(wide, axis=-2)


def _is_blockwise(x: Any) -> bool:
    return (
        isinstance(x, list | tuple)
        and len(x) > 0
        and all(hasattr(v, "shape") and len(v.shape) for v in x)
    )


class _Blockwise(LinearOperator, abc.ABC):
    """What takes one matrix, or a list with one for each block; and gives back the same."""

    @abc.abstractmethod
    def _rows(self) -> list[Any]:
        """Return the number of rows of each block of rows."""

    @abc.abstractmethod
    def _columns(self) -> list[Any]:
        """Return the number of columns of each block of columns."""

    @abc.abstractmethod
    def _matmul_parts(self, parts: list[Any], adjoint: bool) -> list[Tensor]:
        """Return the product, block by block."""

    @abc.abstractmethod
    def _solve_parts(self, parts: list[Any], adjoint: bool) -> list[Tensor]:
        """Return the solution, block by block."""

    def matmul(
        self, x: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "matmul"
    ) -> Any:
        """Return ``A x``, as LinearOperator.matmul; a list of blocks gives a list.

        Args:
            x: A matrix, an operator, or a list with a matrix for each block of columns.
            adjoint: Whether ``Aᴴ`` multiplies.
            adjoint_arg: Whether ``xᴴ`` is multiplied.
            name: Accepted, unused.
        """
        if not _is_blockwise(x):
            return super().matmul(x, adjoint, adjoint_arg)
        parts = [self._operand(v, "matmul") for v in x]
        return self._matmul_parts([ops.adjoint(p) if adjoint_arg else p for p in parts], adjoint)

    def matvec(self, x: Any, adjoint: bool = False, name: str = "matvec") -> Any:
        """Return ``A x`` of a vector, or of a list with a vector for each block."""
        if not _is_blockwise(x):
            return super().matvec(x, adjoint)
        parts = [self._operand(v, "matvec")[..., None] for v in x]
        return [p[..., 0] for p in self._matmul_parts(parts, adjoint)]

    def solve(
        self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "solve"
    ) -> Any:
        """Return X with ``A X = rhs``, as LinearOperator.solve; a list of blocks gives a list.

        Args:
            rhs: A matrix, an operator, or a list with a matrix for each block of rows.
            adjoint: Whether the system is that of ``Aᴴ``.
            adjoint_arg: Whether the right side is ``rhsᴴ``.
            name: Accepted, unused.
        """
        if not _is_blockwise(rhs):
            return super().solve(rhs, adjoint, adjoint_arg)
        self._check_solvable()
        parts = [self._operand(v, "solve") for v in rhs]
        return self._solve_parts([ops.adjoint(p) if adjoint_arg else p for p in parts], adjoint)

    def solvevec(self, rhs: Any, adjoint: bool = False, name: str = "solve") -> Any:
        """Return x with ``A x = rhs`` for a vector, or for a list with one for each block."""
        if not _is_blockwise(rhs):
            return super().solvevec(rhs, adjoint)
        parts = [convert_to_tensor(v)[..., None] for v in rhs]
        return [p[..., 0] for p in self.solve(parts, adjoint)]

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        sizes = self._rows() if adjoint else self._columns()
        return _joined(self._matmul_parts(_parts(x, sizes, adjoint_arg), adjoint))

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        sizes = self._columns() if adjoint else self._rows()
        return _joined(self._solve_parts(_parts(rhs, sizes, adjoint_arg), adjoint))


def _line(parts: Sequence[Tensor]) -> Tensor:
    """Return vectors one after the other; their batch shapes broadcast."""
    return _joined([p[..., None] for p in parts])[..., 0]


class LinearOperatorBlockDiag(_Blockwise, Separate):
    """Operators along the diagonal, zeros elsewhere.

    Args:
        operators: The blocks, top left first.
        is_non_singular: As in LinearOperator, and so are the others.
        is_self_adjoint: A hint.
        is_positive_definite: A hint.
        is_square: A hint; each block is square.
        name: A name; None joins those of the operators by "_ds_".

    Raises:
        ValueError: there are none.
        TypeError: their dtypes differ.

    Example:
        >>> a = tf.linalg.LinearOperatorDiag([1.0, 2.0])
        >>> b = tf.linalg.LinearOperatorIdentity(1)
        >>> tf.linalg.LinearOperatorBlockDiag([a, b]).diag_part().numpy()
        array([1., 2., 1.], dtype=float32)
    """

    def __init__(
        self,
        operators: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = True,
        name: str | None = None,
    ) -> None:
        given = arguments(locals())
        super().__init__(operators, given, "_ds_", *HINTS[:3])
        if not self._are_square():
            self._is_square = None  # True is the default, and no claim: the shape decides

    def _rows(self) -> list[Any]:
        return [o.range_dimension for o in self._operators]

    def _columns(self) -> list[Any]:
        return [o.domain_dimension for o in self._operators]

    def _shape(self) -> TensorShape:
        batch = joint_batch(self._operators)
        return TensorShape([*batch, sum(self._rows()), sum(self._columns())])

    def _matmul_parts(self, parts: list[Any], adjoint: bool) -> list[Tensor]:
        pairs = zip(self._operators, parts, strict=True)
        return [o.matmul(p, adjoint=adjoint) for o, p in pairs]

    def _solve_parts(self, parts: list[Any], adjoint: bool) -> list[Tensor]:
        pairs = zip(self._operators, parts, strict=True)
        return [o.solve(p, adjoint=adjoint) for o, p in pairs]

    def _check_blocks(self, what: str) -> None:
        if not self._are_square():
            raise NotImplementedError(
                f'LinearOperatorBlockDiag "{self.name}".{what}: each block must be square; got '
                f"{[o.shape for o in self._operators]}.\n  Fix: use operator.to_dense()."
            )

    def _determinant(self) -> Tensor:
        self._check_blocks("determinant")
        return product(self._every("determinant"))

    def _log_abs_determinant(self) -> Tensor:
        self._check_blocks("log_abs_determinant")
        return total(self._every("log_abs_determinant"))

    def _trace(self) -> Tensor:
        self._check_blocks("trace")
        return total(self._every("trace"))

    def _diag_part(self) -> Tensor:
        self._check_blocks("diag_part")
        return _line(self._every("diag_part"))

    def _eigvals(self) -> Tensor:
        return _line(self._every("eigvals"))

    def _assert_positive_definite(self) -> None:
        self._every("assert_positive_definite")


class LinearOperatorBlockLowerTriangular(_Blockwise):
    """Operators on and below the diagonal; systems are solved by substitution, block by block.

    Args:
        operators: Rows of blocks: ``[[A00], [A10, A11], …]``; those on the diagonal are square.
        is_non_singular: As in LinearOperator, and so are the others.
        is_self_adjoint: A hint.
        is_positive_definite: A hint.
        is_square: True or None.
        name: A name.

    Raises:
        ValueError: the rows are no triangle, or the shapes do not fit.
        TypeError: their dtypes differ.
    """

    def __init__(
        self,
        operators: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str = "LinearOperatorBlockLowerTriangular",
    ) -> None:
        given = arguments(locals())
        self._operators = [list(row) for row in operators]
        self._all = checked(name, [o for row in self._operators for o in row])
        self._check_blocks(name)
        diagonal = [row[-1] for row in self._operators]
        found = hints(given)
        of_all = all(o.is_non_singular for o in diagonal)
        found["is_non_singular"] = follows(is_non_singular, of_all)
        super().__init__(self._all[0].dtype, **found)

    def _check_blocks(self, name: str) -> None:
        for i, row in enumerate(self._operators):
            if len(row) != i + 1:
                raise ValueError(
                    f"{name}: row {i} of `operators` must hold {i + 1} blocks; got {len(row)}."
                )
            for j, o in enumerate(row):
                rows = row[-1].range_dimension
                columns = self._operators[j][-1].domain_dimension
                if o.range_dimension != rows or o.domain_dimension != columns:
                    raise ValueError(
                        f"{name}: block ({i}, {j}) must have shape ({rows}, {columns}); got "
                        f"{o.shape}."
                    )

    @property
    def operators(self) -> list[list[LinearOperator]]:
        """The rows of blocks."""
        return self._operators

    def _rows(self) -> list[Any]:
        return [row[-1].range_dimension for row in self._operators]

    def _columns(self) -> list[Any]:
        return [row[-1].domain_dimension for row in self._operators]

    def _shape(self) -> TensorShape:
        batch = joint_batch(self._all)
        return TensorShape([*batch, sum(self._rows()), sum(self._columns())])

    def _matmul_parts(self, parts: list[Any], adjoint: bool) -> list[Tensor]:
        blocks, count = self._operators, len(self._operators)
        found: list[Tensor] = []
        for i in range(count):
            places = range(i, count) if adjoint else range(i + 1)
            terms = [
                blocks[j][i].matmul(parts[j], adjoint=True)
                if adjoint
                else blocks[i][j].matmul(parts[j])
                for j in places
            ]
            found.append(total(terms))
        return found

    def _solve_parts(self, parts: list[Any], adjoint: bool) -> list[Tensor]:
        blocks, count = self._operators, len(self._operators)
        found: dict[int, Tensor] = {}
        order = reversed(range(count)) if adjoint else range(count)
        for i in order:
            rest = parts[i]
            for j, solved in found.items():
                block = blocks[j][i] if adjoint else blocks[i][j]
                rest = rest - block.matmul(solved, adjoint=adjoint)
            found[i] = blocks[i][i].solve(rest, adjoint=adjoint)
        return [found[i] for i in range(count)]

    def _diagonal(self) -> list[LinearOperator]:
        return [row[-1] for row in self._operators]

    def _determinant(self) -> Tensor:
        return product([o.determinant() for o in self._diagonal()])

    def _log_abs_determinant(self) -> Tensor:
        return total([o.log_abs_determinant() for o in self._diagonal()])

    def _trace(self) -> Tensor:
        return total([o.trace() for o in self._diagonal()])

    def _diag_part(self) -> Tensor:
        return _line([o.diag_part() for o in self._diagonal()])

    def _assert_non_singular(self) -> None:
        for o in self._diagonal():
            o.assert_non_singular()

    def _inverse(self) -> LinearOperator:
        """Return the inverse block by block, of dense blocks below the diagonal."""
        blocks, count = self._operators, len(self._operators)
        rows: list[list[LinearOperator]] = []
        for i in range(count):
            corner = blocks[i][i].inverse()
            row: list[LinearOperator] = []
            for j in range(i):
                terms = [blocks[i][k].matmul(rows[k][j].to_dense()) for k in range(j, i)]
                row.append(LinearOperatorFullMatrix(-corner.matmul(total(terms))))
            rows.append([*row, corner])
        return LinearOperatorBlockLowerTriangular(rows, is_non_singular=True, is_square=True)
