"""Operators made of operators: products, adjoints, inverses, Kronecker products, updates."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

from lamina import ops
from lamina.engine import Tensor, TensorShape
from lamina.linear_operators.base import LinearOperator
from lamina.linear_operators.parts import HINTS, arguments, conjugated, follows, hints, products

__all__ = [
    "Joint",
    "LinearOperatorAdjoint",
    "LinearOperatorComposition",
    "LinearOperatorInversion",
    "LinearOperatorKronecker",
    "Separate",
    "checked",
    "joint_batch",
    "product",
    "total",
]


def checked(who: str, operators: Any) -> list[LinearOperator]:
    """Return operators as a list.

    Raises:
        ValueError: there are none.
        TypeError: they are not operators, or their dtypes differ.
    """
    found = list(operators) if isinstance(operators, Iterable) else [operators]
    if any(not isinstance(o, LinearOperator) for o in found) or found == [operators]:
        raise TypeError(
            f"{who}: `operators` must be a list of LinearOperators; got {operators!r}.\n"
            f"  Fix: put it in a list; a matrix becomes one by tf.linalg.LinearOperatorFullMatrix."
        )
    if not found:
        raise ValueError(f"{who}: Expected a non-empty list of operators; got {operators!r}.")
    kinds = {o.dtype.name for o in found}
    if len(kinds) > 1:
        raise TypeError(
            f"{who}: all operators must have one dtype; got "
            f"{[(o.name, o.dtype.name) for o in found]}."
        )
    return found


def joint_batch(operators: Sequence[LinearOperator]) -> TensorShape:
    """Return the batch shape that those of the operators broadcast to."""
    batch = operators[0].batch_shape
    for o in operators[1:]:
        batch = ops.broadcast_static_shape(batch, o.batch_shape)
    return TensorShape(batch)


def product(values: Sequence[Any]) -> Any:
    """Return the product of at least one value."""
    return functools.reduce(lambda a, b: a * b, values)


def total(values: Sequence[Any]) -> Any:
    """Return the sum of at least one value."""
    return functools.reduce(lambda a, b: a + b, values)


class Joint(LinearOperator):
    """What is made of a list of operators, and does most things by doing them with each.

    Args:
        operators: The operators.
        given: The constructor's arguments.
        sign: What stands between the operators' names, where no name was given.
        shared: The hints that follow if they hold of each operator.

    Raises:
        ValueError: there are no operators.
        TypeError: their dtypes differ.
    """

    def __init__(self, operators: Any, given: dict[str, Any], sign: str, *shared: str) -> None:
        self._operators = given["operators"] = checked(type(self).__name__, operators)
        given["name"] = given["name"] or sign.join(o.name for o in self._operators)
        found = hints(given)
        for what in shared:
            found[what] = follows(found[what], all(getattr(o, what) for o in self._operators))
        super().__init__(self._operators[0].dtype, **found)

    @property
    def operators(self) -> list[LinearOperator]:
        """The operators, in the order given."""
        return self._operators

    def _are_square(self) -> bool:
        return all(o.is_square for o in self._operators)

    def _every(self, how: str) -> list[Any]:
        """Return what a method gives of each operator."""
        return [getattr(o, how)() for o in self._operators]

    def _assert_non_singular(self) -> None:
        self._every("assert_non_singular")


class Separate(Joint):
    """What acts on each of its operators apart, and so turns and inverts each."""

    def _assert_self_adjoint(self) -> None:
        self._every("assert_self_adjoint")

    def _like(self, how: str, suffix: str) -> LinearOperator:
        """Return the same of what a method makes of each operator."""
        kind: Any = type(self)
        return kind(
            self._every(how),
            is_non_singular=self.is_non_singular,
            is_self_adjoint=self.is_self_adjoint,
            is_positive_definite=self.is_positive_definite,
            is_square=self.is_square,
            name=f"{self.name}{suffix}",
        )

    def _adjoint(self) -> LinearOperator:
        return self._like("adjoint", "_adjoint")

    def _inverse(self) -> LinearOperator:
        return self._like("inverse", "_inv")

    def _cholesky(self) -> LinearOperator:
        if not all(o.is_positive_definite and o.is_self_adjoint for o in self._operators):
            return super()._cholesky()
        kind: Any = type(self)
        return kind(self._every("cholesky"), is_non_singular=True, is_square=True)


class LinearOperatorComposition(Joint):
    """A product of operators ``A1 A2 … Ak``, applied one after the other.

    Args:
        operators: The operators, leftmost first; the shapes must fit.
        is_non_singular: As in LinearOperator, and so are the others.
        is_self_adjoint: A hint.
        is_positive_definite: A hint.
        is_square: A hint.
        name: A name; None joins those of the operators by "_o_".

    Raises:
        ValueError: there are none, or the shapes do not fit.
        TypeError: their dtypes differ.

    Example:
        >>> a = tf.linalg.LinearOperatorFullMatrix([[0.0, 1.0], [1.0, 0.0]])
        >>> b = tf.linalg.LinearOperatorDiag([2.0, 3.0])
        >>> tf.linalg.LinearOperatorComposition([a, b]).to_dense().numpy()
        array([[0., 3.],
               [2., 0.]], dtype=float32)
    """

    def __init__(
        self,
        operators: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str | None = None,
    ) -> None:
        given = arguments(locals())
        super().__init__(operators, given, "_o_", "is_non_singular")
        for left, right in zip(self._operators, self._operators[1:], strict=False):
            left._check(left.domain_dimension, right.range_dimension, "matmul")

    def _shape(self) -> TensorShape:
        rows, columns = self._operators[0].range_dimension, self._operators[-1].domain_dimension
        return TensorShape([*joint_batch(self._operators), rows, columns])

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        order = self._operators if adjoint else self._operators[::-1]
        for o in order:
            x = o.matmul(x, adjoint=adjoint, adjoint_arg=adjoint_arg)
            adjoint_arg = False
        return x

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        order = self._operators[::-1] if adjoint else self._operators
        for o in order:
            rhs = o.solve(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)
            adjoint_arg = False
        return rhs

    def _determinant(self) -> Tensor:
        if not self._are_square():
            return super()._determinant()
        return product(self._every("determinant"))

    def _log_abs_determinant(self) -> Tensor:
        if not self._are_square():
            return super()._log_abs_determinant()
        return total(self._every("log_abs_determinant"))

    def _assert_non_singular(self) -> None:
        if not self._are_square():
            return LinearOperator._assert_non_singular(self)
        return super()._assert_non_singular()


class _Wrapped(LinearOperator):
    """What the adjoint and the inverse of an operator share."""

    def __init__(self, operator: LinearOperator, given: dict[str, Any], suffix: str) -> None:
        if not isinstance(operator, LinearOperator):
            raise TypeError(
                f"{type(self).__name__}: `operator` must be a LinearOperator; got "
                f"{type(operator).__name__}.\n"
                f"  Fix: tf.linalg.LinearOperatorFullMatrix(matrix) makes one."
            )
        self._operator = operator
        found = hints(given)
        for what in HINTS:
            hint, known = found[what], getattr(operator, what)
            if hint is not None and known is not None and hint is not known:
                raise ValueError(
                    f"{type(self).__name__}: `{what}` must agree with that of the operator, "
                    f"{known}; got {hint}."
                )
            found[what] = known if hint is None else hint
        found["name"] = given["name"] or f"{operator.name}{suffix}"
        super().__init__(operator.dtype, **found)

    @property
    def operator(self) -> LinearOperator:
        """The operator."""
        return self._operator

    def _assert_non_singular(self) -> None:
        self._operator.assert_non_singular()

    def _assert_self_adjoint(self) -> None:
        self._operator.assert_self_adjoint()

    def _assert_positive_definite(self) -> None:
        self._operator.assert_positive_definite()

    def _cond(self) -> Tensor:
        return self._operator.cond()


class LinearOperatorAdjoint(_Wrapped):
    """The conjugate transpose of an operator.

    Args:
        operator: The operator.
        is_non_singular: None, or what it is for the operator; so are the others.
        is_self_adjoint: A hint.
        is_positive_definite: A hint.
        is_square: A hint.
        name: A name; None is that of the operator with "_adjoint".

    Raises:
        ValueError: a hint contradicts the operator's.
    """

    def __init__(
        self,
        operator: LinearOperator,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str | None = None,
    ) -> None:
        given = arguments(locals())
        super().__init__(operator, given, "_adjoint")

    def _shape(self) -> TensorShape:
        shape = self._operator.shape
        return TensorShape([*shape[:-2], shape[-1], shape[-2]])

    def _to_dense(self) -> Tensor:
        return ops.adjoint(self._operator.to_dense())

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._operator.matmul(x, adjoint=not adjoint, adjoint_arg=adjoint_arg)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._operator.solve(rhs, adjoint=not adjoint, adjoint_arg=adjoint_arg)

    def _adjoint(self) -> LinearOperator:
        return self._operator

    def _determinant(self) -> Tensor:
        return conjugated(self._operator.determinant())

    def _log_abs_determinant(self) -> Tensor:
        return self._operator.log_abs_determinant()

    def _trace(self) -> Tensor:
        return conjugated(self._operator.trace())

    def _diag_part(self) -> Tensor:
        return conjugated(self._operator.diag_part())

    def _eigvals(self) -> Tensor:
        return conjugated(self._operator.eigvals())


class LinearOperatorInversion(_Wrapped):
    """The inverse of an operator: products solve its systems.

    Args:
        operator: The operator, square and not singular.
        is_non_singular: None or True.
        is_self_adjoint: None, or what it is for the operator; so are the others.
        is_positive_definite: A hint.
        is_square: A hint.
        name: A name; None is that of the operator with "_inv".

    Raises:
        ValueError: the operator is known to be singular or not square, or a hint contradicts it.
    """

    def __init__(
        self,
        operator: LinearOperator,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str | None = None,
    ) -> None:
        given = arguments(locals())
        super().__init__(operator, given, "_inv")
        if operator.is_non_singular is False or operator.is_square is False:
            raise ValueError(
                f"LinearOperatorInversion: the operator must be square and not singular; got "
                f'"{operator.name}", shape {operator.shape}.'
            )

    def _shape(self) -> TensorShape:
        return self._operator.shape

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._operator.solve(x, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._operator.matmul(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def _inverse(self) -> LinearOperator:
        return self._operator

    def _determinant(self) -> Tensor:
        return 1.0 / self._operator.determinant()

    def _log_abs_determinant(self) -> Tensor:
        return -self._operator.log_abs_determinant()

    def _eigvals(self) -> Tensor:
        return 1.0 / self._operator.eigvals()


class LinearOperatorKronecker(Separate):
    """The Kronecker product of operators, applied one axis at a time.

    Args:
        operators: The operators, leftmost first.
        is_non_singular: As in LinearOperator, and so are the others.
        is_self_adjoint: A hint.
        is_positive_definite: A hint.
        is_square: A hint.
        name: A name; None joins those of the operators by "_x_".

    Raises:
        ValueError: there are none.
        TypeError: their dtypes differ.

    Example:
        >>> a = tf.linalg.LinearOperatorDiag([1.0, 2.0])
        >>> b = tf.linalg.LinearOperatorFullMatrix([[0.0, 1.0], [1.0, 0.0]])
        >>> tf.linalg.LinearOperatorKronecker([a, b]).matvec([1.0, 2.0, 3.0, 4.0]).numpy()
        array([2., 1., 8., 6.], dtype=float32)
    """

    def __init__(
        self,
        operators: Any,
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = None,
        name: str | None = None,
    ) -> None:
        given = arguments(locals())
        super().__init__(operators, given, "_x_", "is_non_singular", "is_self_adjoint")
        # A product of positive definite operators that are not self-adjoint need not be.
        if self.is_self_adjoint and all(o.is_self_adjoint for o in self._operators):
            known = all(o.is_positive_definite for o in self._operators)
            self._is_positive_definite = follows(is_positive_definite, known)

    def _shape(self) -> TensorShape:
        rows = product([o.range_dimension for o in self._operators])
        columns = product([o.domain_dimension for o in self._operators])
        return TensorShape([*joint_batch(self._operators), rows, columns])

    def _along(self, x: Tensor, how: str, adjoint: bool) -> Tensor:
        """Return x ``(…, n1·n2⋯nk, R)`` after each operator was applied to its own axis."""
        columns = ops.shape(x)[-1]
        lead = ops.shape(x)[:-2]
        solving = how == "solve"
        sizes = [
            o.range_dimension if adjoint != solving else o.domain_dimension for o in self._operators
        ]
        for k, o in enumerate(self._operators):
            left, right = product([1, *sizes[:k]]), product([1, *sizes[k + 1 :]])
            # The axis of this operator goes before all others, which are columns for it.
            x = ops.reshape(x, ops.concat([lead, [left, sizes[k], right], [columns]], 0))
            x = ops.einsum("...lnrc->...nlrc", x)
            x = ops.reshape(x, ops.concat([lead, [sizes[k], -1]], 0))
            x = getattr(o, how)(x, adjoint=adjoint)
            lead = ops.shape(x)[:-2]
            sizes[k] = x.shape[-2]
            x = ops.reshape(x, ops.concat([lead, [sizes[k], left, right], [columns]], 0))
            x = ops.einsum("...nlrc->...lnrc", x)
        rows = product(sizes)
        return ops.reshape(x, ops.concat([lead, [rows], [columns]], 0))

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        return self._along(ops.adjoint(x) if adjoint_arg else x, "matmul", adjoint)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        if not self._are_square():
            return super()._solve(rhs, adjoint, adjoint_arg)
        return self._along(ops.adjoint(rhs) if adjoint_arg else rhs, "solve", adjoint)

    def _determinant(self) -> Tensor:
        if not self._are_square():
            return super()._determinant()
        size: Any = self.domain_dimension
        return product([o.determinant() ** (size // o.domain_dimension) for o in self._operators])

    def _log_abs_determinant(self) -> Tensor:
        if not self._are_square():
            return super()._log_abs_determinant()
        size: Any = self.domain_dimension
        return total(
            [
                o.log_abs_determinant() * ops.cast(size // o.domain_dimension, self.dtype)
                for o in self._operators
            ]
        )

    def _trace(self) -> Tensor:
        if not self._are_square():
            return super()._trace()
        return product(self._every("trace"))

    def _spread(self, lines: Sequence[Tensor]) -> Tensor:
        """Return the Kronecker product of vectors."""
        found = lines[0]
        for line in lines[1:]:
            found = found[..., :, None] * line[..., None, :]
            shape = ops.concat([ops.shape(found)[:-2], [-1]], 0)
            found = ops.reshape(found, shape)
        return found

    def _diag_part(self) -> Tensor:
        if not self._are_square():
            return super()._diag_part()
        return self._spread(self._every("diag_part"))

    def _eigvals(self) -> Tensor:
        return self._spread(self._every("eigvals"))

    def _cond(self) -> Tensor:
        # Of thin and wide factors the product may be singular though none of them is.
        return product(self._every("cond")) if self._are_square() else super()._cond()

    def _assert_non_singular(self) -> None:
        if not self._are_square():
            return LinearOperator._assert_non_singular(self)
        return super()._assert_non_singular()


products["adjoint"] = LinearOperatorAdjoint
products["inverse"] = LinearOperatorInversion
