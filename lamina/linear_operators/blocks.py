"""Operators of blocks: BlockDiag and BlockLowerTriangular."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lamina import ops
from lamina.engine import Tensor, TensorShape, convert_to_tensor
from lamina.linear_operators.base import LinearOperator
from lamina.linear_operators.composed import checked, joint_batch
from lamina.linear_operators.dense import LinearOperatorFullMatrix

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


class _Blockwise(LinearOperator):
    """What takes one matrix, or a list with one for each block; and gives back the same."""

    def _rows(self) -> list[int]:
        """Return the number of rows of each block of rows."""
        raise NotImplementedError(f"{type(self).__name__} must define _rows().")

    def _columns(self) -> list[int]:
        """Return the number of columns of each block of columns."""
        raise NotImplementedError(f"{type(self).__name__} must define _columns().")

    def _matmul_parts(self, parts: list[Any], adjoint: bool) -> list[Tensor]:
        raise NotImplementedError(f"{type(self).__name__} must define _matmul_parts().")

    def _solve_parts(self, parts: list[Any], adjoint: bool) -> list[Tensor]:
        raise NotImplementedError(f"{type(self).__name__} must define _solve_parts().")

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


def _squares(operators: Sequence[LinearOperator], what: str) -> None:
    if not all(o.is_square for o in operators):
        raise NotImplementedError(
            f"LinearOperatorBlockDiag.{what}: not for an operator whose blocks are not square."
        )


class LinearOperatorBlockDiag(_Blockwise):
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
        given = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        self._operators = given["operators"] = checked("LinearOperatorBlockDiag", operators)

        def known(what: str, hint: bool | None) -> bool | None:
            follows = hint is None and all(getattr(o, what) for o in self._operators)
            return True if follows else hint

        square = all(o.is_square for o in self._operators)
        super().__init__(
            self._operators[0].dtype,
            None,
            known("is_non_singular", is_non_singular),
            known("is_self_adjoint", is_self_adjoint),
            known("is_positive_definite", is_positive_definite),
            is_square if square else None,
            name or "_ds_".join(o.name for o in self._operators),
            given,
        )

    @property
    def operators(self) -> list[LinearOperator]:
        """The blocks."""
        return self._operators

    def _rows(self) -> list[int]:
        return [o.range_dimension for o in self._operators]  # type: ignore[misc]

    def _columns(self) -> list[int]:
        return [o.domain_dimension for o in self._operators]  # type: ignore[misc]

    def _shape(self) -> TensorShape:
        batch = joint_batch(self._operators)
        return TensorShape([*batch, sum(self._rows()), sum(self._columns())])

    def _matmul_parts(self, parts: list[Any], adjoint: bool) -> list[Tensor]:
        pairs = zip(self._operators, parts, strict=True)
        return [o.matmul(p, adjoint=adjoint) for o, p in pairs]

    def _solve_parts(self, parts: list[Any], adjoint: bool) -> list[Tensor]:
        pairs = zip(self._operators, parts, strict=True)
        return [o.solve(p, adjoint=adjoint) for o, p in pairs]

    def _determinant(self) -> Tensor:
        _squares(self._operators, "determinant")
        found = self._operators[0].determinant()
        for o in self._operators[1:]:
            found = found * o.determinant()
        return found

    def _log_abs_determinant(self) -> Tensor:
        _squares(self._operators, "log_abs_determinant")
        found = self._operators[0].log_abs_determinant()
        for o in self._operators[1:]:
            found = found + o.log_abs_determinant()
        return found

    def _trace(self) -> Tensor:
        _squares(self._operators, "trace")
        found = self._operators[0].trace()
        for o in self._operators[1:]:
            found = found + o.trace()
        return found

    def _diag_part(self) -> Tensor:
        _squares(self._operators, "diag_part")
        return _line([o.diag_part() for o in self._operators])

    def _eigvals(self) -> Tensor:
        return _line([o.eigvals() for o in self._operators])

    def _assert_non_singular(self) -> None:
        for o in self._operators:
            o.assert_non_singular()

    def _assert_self_adjoint(self) -> None:
        for o in self._operators:
            o.assert_self_adjoint()

    def _assert_positive_definite(self) -> None:
        for o in self._operators:
            o.assert_positive_definite()

    def _each(self, how: str, suffix: str) -> LinearOperator:
        return LinearOperatorBlockDiag(
            [getattr(o, how)() for o in self._operators],
            is_non_singular=self.is_non_singular,
            is_self_adjoint=self.is_self_adjoint,
            is_positive_definite=self.is_positive_definite,
            name=f"{self.name}{suffix}",
        )

    def _adjoint(self) -> LinearOperator:
        return self._each("adjoint", "_adjoint")

    def _inverse(self) -> LinearOperator:
        return self._each("inverse", "_inv")

    def _cholesky(self) -> LinearOperator:
        if not all(o.is_positive_definite and o.is_self_adjoint for o in self._operators):
            return super()._cholesky()
        return LinearOperatorBlockDiag(
            [o.cholesky() for o in self._operators], is_non_singular=True
        )


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
        given = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        self._operators = [list(row) for row in operators]
        self._all = checked(name, [o for row in self._operators for o in row])
        self._check_blocks(name)
        diagonal = [row[-1] for row in self._operators]
        if is_non_singular is None and all(o.is_non_singular for o in diagonal):
            is_non_singular = True
        super().__init__(
            self._all[0].dtype,
            None,
            is_non_singular,
            is_self_adjoint,
            is_positive_definite,
            is_square,
            name,
            given,
        )

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

    def _rows(self) -> list[int]:
        return [row[-1].range_dimension for row in self._operators]  # type: ignore[misc]

    def _columns(self) -> list[int]:
        return [row[-1].domain_dimension for row in self._operators]  # type: ignore[misc]

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
            total = terms[0]
            for term in terms[1:]:
                total = total + term
            found.append(total)
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
        found = self._diagonal()[0].determinant()
        for o in self._diagonal()[1:]:
            found = found * o.determinant()
        return found

    def _log_abs_determinant(self) -> Tensor:
        found = self._diagonal()[0].log_abs_determinant()
        for o in self._diagonal()[1:]:
            found = found + o.log_abs_determinant()
        return found

    def _trace(self) -> Tensor:
        found = self._diagonal()[0].trace()
        for o in self._diagonal()[1:]:
            found = found + o.trace()
        return found

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
                total = blocks[i][j].matmul(rows[j][j].to_dense())
                for k in range(j + 1, i):
                    total = total + blocks[i][k].matmul(rows[k][j].to_dense())
                row.append(LinearOperatorFullMatrix(-corner.matmul(total)))
            rows.append([*row, corner])
        return LinearOperatorBlockLowerTriangular(rows, is_non_singular=True, is_square=True)
