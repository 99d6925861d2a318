"""LinearOperator: what all operators share, and how one is made from a dense matrix."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from lamina import ops
from lamina.engine import Tensor, convert_to_tensor, errors
from lamina.linear_operators.numbers import _Numbers
from lamina.linear_operators.parts import products, same_batch

__all__ = ["LinearOperator"]


class LinearOperator(_Numbers):
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

    # -- products

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

    # -- batches

    def __getitem__(self, key: Any) -> LinearOperator:
        """Return the operators of a part of the batch."""
        given = key if isinstance(key, tuple) else (key,)
        return type(self)(**self._sliced(given))

    def _sliced(self, key: tuple[Any, ...]) -> dict[str, Any]:
        """Return the constructor's arguments for a part of the batch."""
        found = self._whole()
        axes = self._event_axes
        taken = sum(k is not None and k is not Ellipsis for k in key)
        if taken > len(self.batch_shape):
            raise errors.InvalidArgumentError(
                f'{type(self).__name__} "{self.name}": only axes of the batch can be indexed, '
                f"{len(self.batch_shape)} of shape {self.shape}; got {taken} indices."
            )
        if "batch_shape" in found:
            # A view of one number: only the shape that NumPy gives the part is of interest.
            found["batch_shape"] = np.broadcast_to(0, self.batch_shape.as_list())[key].shape
            return found
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

    def _whole(self) -> dict[str, Any]:
        """Return the constructor's arguments, in a form whose last axes are `_event_axes`."""
        return self.parameters

    # How many last axes of each argument are not the batch's.
    _event_axes: ClassVar[dict[str, int]] = {}
