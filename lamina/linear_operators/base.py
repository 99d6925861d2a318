"""LinearOperator: what all operators share, and how one is made from a dense matrix."""

from __future__ import annotations

from typing import Any, ClassVar

from lamina import debugging, ops
from lamina.engine import Tensor, TensorShape, as_dtype, convert_to_tensor
from lamina.keras.core import Module
from lamina.linear_operators.parts import products, same_batch

__all__ = ["LinearOperator"]


class LinearOperator(Module):
    """A matrix, or a batch of matrices, given by what it does: multiply, solve, determinant.

    Subclasses hold what their structure needs, n numbers for a diagonal, and use it. A class of
    your own defines `_shape` and `_matmul` (or `_to_dense`); the rest follows from the dense
    matrix, in O(n³), until you define more.

    The hints say what the matrix is known to be. They are trusted: with `is_self_adjoint` and
    `is_positive_definite` systems are solved by Cholesky's factorization, for instance.

    Args:
        dtype: The dtype of the entries.
        graph_parents: Accepted, unused.
        is_non_singular: Whether it can be inverted; None is not known, as below.
        is_self_adjoint: Whether it is its own conjugate transpose.
        is_positive_definite: Whether ``Re(xᴴ A x) > 0`` for all x but 0; it need not be
            self-adjoint.
        is_square: Whether it has as many rows as columns.
        name: A name.
        parameters: The constructor's arguments, to be found in `parameters`.

    Raises:
        ValueError: the hints contradict each other.

    Example:
        >>> class Shift(tf.linalg.LinearOperator):
        ...     def __init__(self):
        ...         super().__init__(tf.float32)
        ...
        ...     def _shape(self):
        ...         return tf.TensorShape([3, 3])
        ...
        ...     def _matmul(self, x, adjoint=False, adjoint_arg=False):
        ...         x = tf.linalg.adjoint(x) if adjoint_arg else x
        ...         return tf.roll(x, -1 if adjoint else 1, axis=-2)
        >>> Shift().matvec([1.0, 2.0, 3.0]).numpy()
        array([3., 1., 2.], dtype=float32)
    """

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

    def _shape_tensor(self) -> Tensor:
        return ops.shape(self._to_dense())

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
        return self._assert_positive_definite()

    # -- products

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        if type(self)._to_dense is LinearOperator._to_dense:
            raise NotImplementedError(f"{type(self).__name__} must define _matmul().")
        return ops.matmul(self._to_dense(), x, adjoint_a=adjoint, adjoint_b=adjoint_arg)

    def _matvec(self, x: Tensor, adjoint: bool = False) -> Tensor:
        return self.matmul(x[..., None], adjoint=adjoint)[..., 0]

    def matmul(
        self, x: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "matmul"
    ) -> Any:
        """Return ``A x``.

        Args:
            x: A matrix ``(…, N, R)`` of the operator's dtype, or an operator.
            adjoint: Whether ``Aᴴ`` multiplies.
            adjoint_arg: Whether ``xᴴ`` is multiplied.
            name: Accepted, unused.

        Returns:
            ``(…, M, R)``; for an operator a LinearOperator.

        Raises:
            ValueError: the shapes do not fit.
            TypeError: `x` has another dtype.
        """
        if isinstance(x, LinearOperator):
            left = self.adjoint() if adjoint else self
            right = x.adjoint() if adjoint_arg else x
            self._check(left.domain_dimension, right.range_dimension, "matmul")
            return products["product"](left, right)
        x = self._operand(x, "matmul")
        size = self.range_dimension if adjoint else self.domain_dimension
        self._check(size, x.shape[-1 if adjoint_arg else -2], "matmul")
        return self._matmul(x, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def __matmul__(self, other: Any) -> Any:
        return self.matmul(other)

    def matvec(self, x: Any, adjoint: bool = False, name: str = "matvec") -> Tensor:
        """Return ``A x`` of a vector ``(…, N)``; otherwise as `matmul`."""
        x = self._operand(x, "matvec")
        size = self.range_dimension if adjoint else self.domain_dimension
        self._check(size, x.shape[-1], "matvec")
        return self._matvec(x, adjoint=adjoint)

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

    # -- systems

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        rhs = ops.adjoint(rhs) if adjoint_arg else rhs
        if self.is_self_adjoint and self.is_positive_definite:
            factor, rhs = same_batch(ops.cholesky(self.to_dense()), rhs)
            return ops.cholesky_solve(factor, rhs)
        matrix, rhs = same_batch(self.to_dense(), rhs)
        return ops.solve(matrix, rhs, adjoint=adjoint)

    def _solvevec(self, rhs: Tensor, adjoint: bool = False) -> Tensor:
        return self.solve(rhs[..., None], adjoint=adjoint)[..., 0]

    def solve(
        self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False, name: str = "solve"
    ) -> Any:
        """Return X with ``A X = rhs``.

        Args:
            rhs: A matrix ``(…, M, R)`` of the operator's dtype, or an operator.
            adjoint: Whether the system is that of ``Aᴴ``.
            adjoint_arg: Whether the right side is ``rhsᴴ``.
            name: Accepted, unused.

        Returns:
            ``(…, N, R)``; for an operator a LinearOperator.

        Raises:
            NotImplementedError: the operator is known to be singular, or not square.
            ValueError: the shapes do not fit.
        """
        self._check_solvable()
        if isinstance(rhs, LinearOperator):
            left = self.adjoint() if adjoint else self
            right = rhs.adjoint() if adjoint_arg else rhs
            self._check(left.range_dimension, right.range_dimension, "solve")
            return products["quotient"](left, right)
        rhs = self._operand(rhs, "solve")
        size = self.domain_dimension if adjoint else self.range_dimension
        self._check(size, rhs.shape[-1 if adjoint_arg else -2], "solve")
        return self._solve(rhs, adjoint=adjoint, adjoint_arg=adjoint_arg)

    def solvevec(self, rhs: Any, adjoint: bool = False, name: str = "solve") -> Tensor:
        """Return x with ``A x = rhs`` for a vector ``(…, M)``; otherwise as `solve`."""
        self._check_solvable()
        rhs = self._operand(rhs, "solvevec")
        size = self.domain_dimension if adjoint else self.range_dimension
        self._check(size, rhs.shape[-1], "solvevec")
        return self._solvevec(rhs, adjoint=adjoint)

    def _check_solvable(self) -> None:
        for fact, what in ((self.is_non_singular, "singular"), (self.is_square, "not square")):
            if fact is False:
                raise NotImplementedError(
                    f'{type(self).__name__} "{self.name}".solve: the operator is {what}, shape '
                    f"{self.shape}.\n  Fix: tf.linalg.lstsq(operator.to_dense(), rhs)."
                )

    # -- other operators

    def _adjoint(self) -> LinearOperator:
        return products["adjoint"](self)

    def adjoint(self, name: str = "adjoint") -> LinearOperator:
        """Return the conjugate transpose, an operator; itself where it is self-adjoint."""
        return self if self.is_self_adjoint else self._adjoint()

    @property
    def H(self) -> LinearOperator:  # noqa: N802  # TF's name
        """The conjugate transpose, as `adjoint()`."""
        return self.adjoint()

    def _inverse(self) -> LinearOperator:
        return products["inverse"](self)

    def inverse(self, name: str = "inverse") -> LinearOperator:
        """Return the inverse, an operator.

        Raises:
            ValueError: the operator is known to be singular, or not square.
        """
        for fact, what in ((self.is_square, "non square"), (self.is_non_singular, "singular")):
            if fact is False:
                raise ValueError(
                    f'{type(self).__name__} "{self.name}".inverse: This operator represents a '
                    f"{what} matrix."
                )
        return self._inverse()

    def _cholesky(self) -> LinearOperator:
        return products["lower"](
            ops.cholesky(self.to_dense()),
            is_non_singular=True,
            is_self_adjoint=False,
            is_square=True,
        )

    def cholesky(self, name: str = "cholesky") -> LinearOperator:
        """Return lower triangular L with ``L Lᴴ = A``, an operator.

        Raises:
            ValueError: the hints do not say that A is self-adjoint and positive definite.
        """
        if not (self.is_positive_definite and self.is_self_adjoint):
            raise ValueError(
                f'{type(self).__name__} "{self.name}".cholesky: Not a positive definite self '
                f"adjoint matrix.\n  Fix: is_self_adjoint=True, is_positive_definite=True."
            )
        return self._cholesky()

    # -- numbers

    def _to_dense(self) -> Tensor:
        size = self.domain_dimension
        columns = self.domain_dimension_tensor() if size is None else size
        unit = ops.eye(columns, batch_shape=self.batch_shape, dtype=self.dtype)
        return self.matmul(unit)

    def to_dense(self, name: str = "to_dense") -> Tensor:
        """Return the matrix, ``(…, M, N)``."""
        return self._to_dense()

    def add_to_tensor(self, x: Any, name: str = "add_to_tensor") -> Tensor:
        """Return ``A + x`` for a matrix of a shape that broadcasts."""
        return self._add_to_tensor(self._operand(x, "add_to_tensor"))

    def _add_to_tensor(self, x: Tensor) -> Tensor:
        return self.to_dense() + x

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

    # -- batches

    def __getitem__(self, key: Any) -> LinearOperator:
        """Return the operators of a part of the batch."""
        given = key if isinstance(key, tuple) else (key,)
        return type(self)(**self._sliced(given))

    def _sliced(self, key: tuple[Any, ...]) -> dict[str, Any]:
        """Return the constructor's arguments for a part of the batch."""
        found = self.parameters
        axes = self._event_axes
        if not axes and not any(isinstance(found.get(k), list) for k in found):
            raise NotImplementedError(
                f"{type(self).__name__}: a part of the batch cannot be taken.\n"
                f"  Fix: take it of the Tensors that it is made of."
            )
        for name, count in axes.items():
            if found.get(name) is None:
                continue
            tensor = convert_to_tensor(found[name])
            wide = [*self.batch_shape, *tensor.shape[len(tensor.shape) - count :]]
            tensor = ops.broadcast_to(tensor, wide)
            if Ellipsis not in key:
                found[name] = tensor[(*key, Ellipsis)] if count else tensor[key]
            else:
                found[name] = tensor[key + (slice(None),) * count]
        for name, value in found.items():
            if isinstance(value, LinearOperator):
                found[name] = value[key]
            elif isinstance(value, list) and all(isinstance(v, LinearOperator) for v in value):
                found[name] = [v[key] for v in value]
        return found

    # How many last axes of each argument are not the batch's.
    _event_axes: ClassVar[dict[str, int]] = {}


def _epsilon(dtype: Any) -> Any:
    real = dtype.real_dtype
    small = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23}
    return ops.cast(small.get(real.name, 2.0**-52), real)
