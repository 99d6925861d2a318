"""Circulant operators: diagonal after a Fourier transform."""

from __future__ import annotations

from typing import Any, ClassVar

from lamina import debugging, ops
from lamina.engine import Tensor, TensorShape, as_dtype
from lamina.linear_operators.base import LinearOperator
from lamina.linear_operators.parts import arguments, hints, kept

__all__ = [
    "LinearOperatorCirculant",
    "LinearOperatorCirculant2D",
    "LinearOperatorCirculant3D",
]

_FORWARD = {1: ops.fft, 2: ops.fft2d, 3: ops.fft3d}
_BACKWARD = {1: ops.ifft, 2: ops.ifft2d, 3: ops.ifft3d}


class LinearOperatorCirculant(LinearOperator):
    """A convolution with periodic ends, ``F⁻¹ diag(spectrum) F``, applied in O(n log n).

    F is the Fourier transform. The first column of the matrix is the inverse transform of the
    spectrum.

    Args:
        spectrum: The eigenvalues ``(B1, …, Bb, N)``, real or complex; with two or three axes of
            the block, `LinearOperatorCirculant2D` or `3D`, in place of N.
        input_output_dtype: The dtype of what is multiplied; for a real one the spectrum should
            be Hermitian.
        is_non_singular: As in LinearOperator, and so are the others.
        is_self_adjoint: With a real spectrum it always is.
        is_positive_definite: A hint.
        is_square: True or None.
        name: A name.

    Example:
        >>> operator = tf.linalg.LinearOperatorCirculant([4.0, 2.0], tf.float32)
        >>> operator.to_dense().numpy()
        array([[3., 1.],
               [1., 3.]], dtype=float32)
    """

    block_depth = 1
    _event_axes: ClassVar[dict[str, int]] = {"spectrum": 1}

    def __init__(
        self,
        spectrum: Any,
        input_output_dtype: Any = "complex64",
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = True,
        name: str = "LinearOperatorCirculant",
    ) -> None:
        given = arguments(locals())
        self._spectrum = kept(spectrum, "spectrum", rank=self.block_depth)
        symmetric = None if self._spectrum.dtype.is_complex else True
        facts = {"is_self_adjoint": symmetric, "is_square": True}
        super().__init__(input_output_dtype, **hints(given, **facts))

    # -- the block

    @property
    def spectrum(self) -> Any:
        """The eigenvalues."""
        return self._spectrum

    @property
    def block_shape(self) -> TensorShape:
        """The sizes of the spectrum's last axes."""
        return self._spectrum.shape[-self.block_depth :]

    def block_shape_tensor(self) -> Tensor:
        """Return the sizes of the spectrum's last axes as an int32 Tensor."""
        return ops.shape(self._spectrum)[-self.block_depth :]

    def _shape(self) -> TensorShape:
        size = self.block_shape.num_elements()
        return TensorShape([*self._spectrum.shape[: -self.block_depth], size, size])

    def _wide(self) -> Any:
        double = self.dtype.real_dtype.name == "float64"
        double = double or self._spectrum.dtype.real_dtype.name == "float64"
        return as_dtype("complex128" if double else "complex64")

    def _flat(self) -> Tensor:
        """Return the spectrum with the block in one axis, complex."""
        wide = ops.cast(self._spectrum, self._wide())
        return ops.reshape(wide, [*self.batch_shape, self.domain_dimension])

    def _narrow(self, x: Tensor) -> Tensor:
        return ops.cast(x if self.dtype.is_complex else ops.real(x), self.dtype)

    # -- applying

    def _filtered(self, x: Tensor, factors: Tensor) -> Tensor:
        """Return columns ``(…, N, R)`` after a factor on each frequency."""
        x = ops.adjoint(ops.conj(ops.cast(x, self._wide())))  # (…, R, N)
        lead = ops.shape(x)[:-1]
        blocks = ops.reshape(x, ops.concat([lead, self.block_shape_tensor()], 0))
        shape = [*self.batch_shape, 1, *self.block_shape]
        found = _FORWARD[self.block_depth](blocks) * ops.reshape(factors, shape)
        found = _BACKWARD[self.block_depth](found)
        rows = ops.concat([ops.shape(found)[: -self.block_depth], [self.domain_dimension]], 0)
        return self._narrow(ops.matrix_transpose(ops.reshape(found, rows)))

    def _matmul(self, x: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        x = ops.adjoint(x) if adjoint_arg else x
        factors = self._flat()
        return self._filtered(x, ops.conj(factors) if adjoint else factors)

    def _solve(self, rhs: Tensor, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        rhs = ops.adjoint(rhs) if adjoint_arg else rhs
        factors = self._flat()
        return self._filtered(rhs, 1.0 / (ops.conj(factors) if adjoint else factors))

    def convolution_kernel(self, name: str = "convolution_kernel") -> Tensor:
        """Return the kernel of the convolution, of the spectrum's shape and the dtype."""
        wide = ops.cast(self._spectrum, self._wide())
        return self._narrow(_BACKWARD[self.block_depth](wide))

    # -- numbers

    def _diag_part(self) -> Tensor:
        mean = self._narrow(ops.reduce_mean(self._flat(), axis=-1, keepdims=True))
        return ops.broadcast_to(mean, self.shape[:-1])

    def _trace(self) -> Tensor:
        return self._narrow(ops.reduce_sum(self._flat(), axis=-1))

    def _determinant(self) -> Tensor:
        return self._narrow(ops.reduce_prod(self._flat(), axis=-1))

    def _log_abs_determinant(self) -> Tensor:
        logs = ops.log(ops.abs(self._flat()))
        return ops.cast(ops.reduce_sum(logs, axis=-1), self.dtype)

    def _eigvals(self) -> Tensor:
        return self._narrow(self._flat())

    def _cond(self) -> Tensor:
        sizes = ops.cast(ops.abs(self._flat()), self.dtype.real_dtype)
        return ops.reduce_max(sizes, axis=-1) / ops.reduce_min(sizes, axis=-1)

    # -- assertions

    def _assert_non_singular(self) -> None:
        debugging.assert_positive(
            ops.abs(self._spectrum), message="Singular operator: the spectrum contained zeros."
        )

    def _assert_self_adjoint(self) -> None:
        debugging.assert_near(
            ops.imag(self._flat()),
            ops.zeros_like(ops.imag(self._flat())),
            message="Operator was not self-adjoint: the spectrum is not real.",
        )

    def _assert_positive_definite(self) -> None:
        debugging.assert_positive(
            ops.real(self._flat()),
            message="Operator was not positive definite: a real part of the spectrum is not "
            "above zero.",
        )

    def assert_hermitian_spectrum(self, name: str = "assert_hermitian_spectrum") -> None:
        """Raise unless the convolution kernel is real, as far as precision tells.

        Raises:
            InvalidArgumentError: it is not.
        """
        wide = ops.cast(self._spectrum, self._wide())
        kernel = _BACKWARD[self.block_depth](wide)
        debugging.assert_near(
            ops.imag(kernel),
            ops.zeros_like(ops.imag(kernel)),
            message="Spectrum was not Hermitian.",
        )

    # -- other operators

    def _like(self, spectrum: Any) -> LinearOperatorCirculant:
        return type(self)(
            spectrum,
            self.dtype,
            is_non_singular=self.is_non_singular,
            is_self_adjoint=self.is_self_adjoint,
            is_positive_definite=self.is_positive_definite,
        )

    def _adjoint(self) -> LinearOperator:
        return self._like(ops.conj(self._spectrum))

    def _inverse(self) -> LinearOperator:
        return self._like(1.0 / self._spectrum)


class LinearOperatorCirculant2D(LinearOperatorCirculant):
    """A convolution of images with periodic ends, their pixels in one axis, row by row.

    Args:
        spectrum: ``(B1, …, Bb, N0, N1)``: the two-dimensional transform of the kernel.
        input_output_dtype: As in LinearOperatorCirculant, and so are the others.
        is_non_singular: A hint.
        is_self_adjoint: A hint.
        is_positive_definite: A hint.
        is_square: True or None.
        name: A name.
    """

    block_depth = 2
    _event_axes: ClassVar[dict[str, int]] = {"spectrum": 2}

    def __init__(
        self,
        spectrum: Any,
        input_output_dtype: Any = "complex64",
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = True,
        name: str = "LinearOperatorCirculant2D",
    ) -> None:
        super().__init__(**arguments(locals()))


class LinearOperatorCirculant3D(LinearOperatorCirculant):
    """A convolution of volumes with periodic ends, their voxels in one axis.

    Args:
        spectrum: ``(B1, …, Bb, N0, N1, N2)``: the three-dimensional transform of the kernel.
        input_output_dtype: As in LinearOperatorCirculant, and so are the others.
        is_non_singular: A hint.
        is_self_adjoint: A hint.
        is_positive_definite: A hint.
        is_square: True or None.
        name: A name.
    """

    block_depth = 3
    _event_axes: ClassVar[dict[str, int]] = {"spectrum": 3}

    def __init__(
        self,
        spectrum: Any,
        input_output_dtype: Any = "complex64",
        is_non_singular: bool | None = None,
        is_self_adjoint: bool | None = None,
        is_positive_definite: bool | None = None,
        is_square: bool | None = True,
        name: str = "LinearOperatorCirculant3D",
    ) -> None:
        super().__init__(**arguments(locals()))
