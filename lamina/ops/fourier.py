"""Fourier transforms, over the last axes or over chosen ones.

Letters: n the length of a transform, `...` any leading axes.
"""

import math

import jax.numpy as jnp

from lamina.engine import convert_to_tensor, dtypes, op, static_ints
from lamina.ops.casting import cast

__all__ = [
    "fft",
    "fft2d",
    "fft3d",
    "fftnd",
    "fftshift",
    "ifft",
    "ifft2d",
    "ifft3d",
    "ifftnd",
    "ifftshift",
    "irfft",
    "irfft2d",
    "irfft3d",
    "irfftnd",
    "rfft",
    "rfft2d",
    "rfft3d",
    "rfftnd",
]

_REAL = (dtypes.float32, dtypes.float64)
_COMPLEX = (dtypes.complex64, dtypes.complex128)


def _checked(x, who, allowed, rank, hint=None):
    """Return `x` as a Tensor of one of the allowed dtypes, Python numbers in the first of them.

    As in TF, `hint` is what numbers and arrays become where it can hold them.
    """
    found = convert_to_tensor(x, dtype_hint=hint)
    x = found if found.dtype in allowed else convert_to_tensor(x, dtype_hint=allowed[0])
    if x.dtype not in allowed:
        names = " or ".join(each.name for each in allowed)
        raise ValueError(
            f"{who}: the input must be {names}; got {x.dtype.name}.\n"
            f"  Fix: tf.cast(input, tf.{allowed[0].name})."
        )
    if x.ndim < rank:
        raise ValueError(
            f"{who}: the input must have at least {rank} axes; got shape {tuple(x.shape)}.\n"
            f"  Fix: the transform runs over the last {rank}."
        )
    return x


def _lengths(fft_length, rank, who):
    """Return the lengths of the transforms as ints, or None where the input's sizes count."""
    if fft_length is None:
        return None
    found = static_ints(fft_length, f"{who}(fft_length)")
    found = (found,) if isinstance(found, int) else tuple(found)
    if len(found) != rank:
        raise ValueError(
            f"{who}: `fft_length` must hold {rank} lengths; got {list(found)}.\n"
            f"  Fix: one for each axis that is transformed."
        )
    return found


@op
def _fft(input, *, rank, inverse):
    axes = tuple(range(-rank, 0))
    return (jnp.fft.ifftn if inverse else jnp.fft.fftn)(input, axes=axes)


@op
def _rfft(input, *, lengths, axes):
    return jnp.fft.rfftn(input, s=lengths, axes=axes)


@op
def _irfft(input, *, lengths, axes):
    return jnp.fft.irfftn(input, s=lengths, axes=axes)


@op
def _fftn(input, *, lengths, axes, inverse):
    return (jnp.fft.ifftn if inverse else jnp.fft.fftn)(input, s=lengths, axes=axes)


def _whole(input, rank, inverse, who):
    return _fft(_checked(input, who, _COMPLEX, rank), rank=rank, inverse=inverse)


def fft(input, name=None):
    """Return the discrete Fourier transform over the last axis.

    ``y[k] = Σ_j x[j] exp(-2πi j k / n)``.

    Args:
        input: complex64 or complex128, ``(..., n)``.
        name: Accepted, unused.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ValueError: `input` is not complex.

    Example:
        >>> tf.signal.fft([1.0, 0.0, 0.0]).numpy()
        array([1.+0.j, 1.+0.j, 1.+0.j], dtype=complex64)
    """
    return _whole(input, 1, False, "tf.signal.fft")


def fft2d(input, name=None):
    """Return the discrete Fourier transform over the last two axes; see `fft`.

    Args:
        input: complex64 or complex128, ``(..., n1, n2)``.
        name: Accepted, unused.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ValueError: `input` is not complex, or has fewer than two axes.

    Example:
        >>> tf.signal.fft2d(tf.ones([2, 2], tf.complex64)).numpy()
        array([[4.+0.j, 0.+0.j],
               [0.+0.j, 0.+0.j]], dtype=complex64)
    """
    return _whole(input, 2, False, "tf.signal.fft2d")


def fft3d(input, name=None):
    """Return the discrete Fourier transform over the last three axes; see `fft`.

    Args:
        input: complex64 or complex128, ``(..., n1, n2, n3)``.
        name: Accepted, unused.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ValueError: `input` is not complex, or has fewer than three axes.

    Example:
        >>> tf.signal.fft3d(tf.ones([2, 2, 2], tf.complex64))[0, 0].numpy()
        array([8.+0.j, 0.+0.j], dtype=complex64)
    """
    return _whole(input, 3, False, "tf.signal.fft3d")


def ifft(input, name=None):
    """Return the inverse of `fft`: ``x[j] = 1/n Σ_k y[k] exp(2πi j k / n)``.

    Args:
        input: complex64 or complex128, ``(..., n)``.
        name: Accepted, unused.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ValueError: `input` is not complex.

    Example:
        >>> tf.signal.ifft(tf.ones([3], tf.complex64)).numpy()
        array([1.+0.j, 0.+0.j, 0.+0.j], dtype=complex64)
    """
    return _whole(input, 1, True, "tf.signal.ifft")


def ifft2d(input, name=None):
    """Return the inverse of `fft2d`.

    Args:
        input: complex64 or complex128, ``(..., n1, n2)``.
        name: Accepted, unused.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ValueError: `input` is not complex, or has fewer than two axes.

    Example:
        >>> tf.signal.ifft2d(tf.ones([2, 2], tf.complex64))[0].numpy()
        array([1.+0.j, 0.+0.j], dtype=complex64)
    """
    return _whole(input, 2, True, "tf.signal.ifft2d")


def ifft3d(input, name=None):
    """Return the inverse of `fft3d`.

    Args:
        input: complex64 or complex128, ``(..., n1, n2, n3)``.
        name: Accepted, unused.

    Returns:
        Shape and dtype of `input`.

    Raises:
        ValueError: `input` is not complex, or has fewer than three axes.

    Example:
        >>> tf.signal.ifft3d(tf.ones([2, 2, 2], tf.complex64))[0, 0].numpy()
        array([1.+0.j, 0.+0.j], dtype=complex64)
    """
    return _whole(input, 3, True, "tf.signal.ifft3d")


def _real_forward(input, fft_length, rank, who):
    x = _checked(input, who, _REAL, rank, dtypes.float32)
    return _rfft(x, lengths=_lengths(fft_length, rank, who), axes=tuple(range(-rank, 0)))


def _real_inverse(input, fft_length, rank, who):
    x = _checked(input, who, _COMPLEX, rank, dtypes.complex64)
    return _irfft(x, lengths=_lengths(fft_length, rank, who), axes=tuple(range(-rank, 0)))


def rfft(input_tensor, fft_length=None, name=None):
    """Return the discrete Fourier transform of real numbers, without the redundant half.

    Args:
        input_tensor: float32 or float64, ``(..., m)``.
        fft_length: ``[n]``: the input is cut or filled with zeros to n; None is m.
        name: Accepted, unused.

    Returns:
        complex64 or complex128, ``(..., n // 2 + 1)``.

    Raises:
        ValueError: the input is neither float32 nor float64, or `fft_length` has not one length.

    Example:
        >>> tf.signal.rfft([1.0, 2.0, 3.0, 4.0]).numpy()
        array([10.+0.j, -2.+2.j, -2.+0.j], dtype=complex64)
    """
    return _real_forward(input_tensor, fft_length, 1, "tf.signal.rfft")


def rfft2d(input_tensor, fft_length=None, name=None):
    """Return the Fourier transform of real numbers over the last two axes; see `rfft`.

    Args:
        input_tensor: float32 or float64, ``(..., m1, m2)``.
        fft_length: ``[n1, n2]``; None is ``[m1, m2]``.
        name: Accepted, unused.

    Returns:
        complex64 or complex128, ``(..., n1, n2 // 2 + 1)``.

    Raises:
        ValueError: the input is neither float32 nor float64, or `fft_length` has not two lengths.

    Example:
        >>> tf.signal.rfft2d(tf.ones([4, 4])).shape
        TensorShape([4, 3])
    """
    return _real_forward(input_tensor, fft_length, 2, "tf.signal.rfft2d")


def rfft3d(input_tensor, fft_length=None, name=None):
    """Return the Fourier transform of real numbers over the last three axes; see `rfft`.

    Args:
        input_tensor: float32 or float64, ``(..., m1, m2, m3)``.
        fft_length: ``[n1, n2, n3]``; None is ``[m1, m2, m3]``.
        name: Accepted, unused.

    Returns:
        complex64 or complex128, ``(..., n1, n2, n3 // 2 + 1)``.

    Raises:
        ValueError: the input is neither float32 nor float64, or `fft_length` has not three
            lengths.

    Example:
        >>> tf.signal.rfft3d(tf.ones([2, 4, 4])).shape
        TensorShape([2, 4, 3])
    """
    return _real_forward(input_tensor, fft_length, 3, "tf.signal.rfft3d")


def irfft(input_tensor, fft_length=None, name=None):
    """Return the real numbers that `rfft` makes the input from.

    Args:
        input_tensor: complex64 or complex128, ``(..., m)``.
        fft_length: ``[n]``: the input is cut or filled with zeros to ``n // 2 + 1``; None is
            ``2 (m - 1)``. It must be given to get an odd n.
        name: Accepted, unused.

    Returns:
        float32 or float64, ``(..., n)``.

    Raises:
        ValueError: the input is not complex, or `fft_length` has not one length.

    Example:
        >>> tf.signal.irfft(tf.signal.rfft([1.0, 2.0, 3.0]), [3]).numpy()
        array([1., 2., 3.], dtype=float32)
    """
    return _real_inverse(input_tensor, fft_length, 1, "tf.signal.irfft")


def irfft2d(input_tensor, fft_length=None, name=None):
    """Return the real numbers that `rfft2d` makes the input from; see `irfft`.

    Args:
        input_tensor: complex64 or complex128, ``(..., m1, m2)``.
        fft_length: ``[n1, n2]``; None is ``[m1, 2 (m2 - 1)]``.
        name: Accepted, unused.

    Returns:
        float32 or float64, ``(..., n1, n2)``.

    Raises:
        ValueError: the input is not complex, or `fft_length` has not two lengths.

    Example:
        >>> tf.signal.irfft2d(tf.signal.rfft2d(tf.eye(2))).numpy()
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    return _real_inverse(input_tensor, fft_length, 2, "tf.signal.irfft2d")


def irfft3d(input_tensor, fft_length=None, name=None):
    """Return the real numbers that `rfft3d` makes the input from; see `irfft`.

    Args:
        input_tensor: complex64 or complex128, ``(..., m1, m2, m3)``.
        fft_length: ``[n1, n2, n3]``; None is ``[m1, m2, 2 (m3 - 1)]``.
        name: Accepted, unused.

    Returns:
        float32 or float64, ``(..., n1, n2, n3)``.

    Raises:
        ValueError: the input is not complex, or `fft_length` has not three lengths.

    Example:
        >>> tf.signal.irfft3d(tf.signal.rfft3d(tf.ones([2, 2, 2]))).shape
        TensorShape([2, 2, 2])
    """
    return _real_inverse(input_tensor, fft_length, 3, "tf.signal.irfft3d")


# --- over chosen axes -----------------------------------------------------------------------------


def _axes(axes, x, who):
    if axes is None:
        return tuple(range(x.ndim))
    found = static_ints(axes, f"{who}(axes)")
    return (found,) if isinstance(found, int) else tuple(found)


def _scaled(x, y, lengths, axes, norm, inverse):
    """Return a transform `y` of `x` scaled as `norm` asks, from "backward": 1/n on the inverse."""
    if norm not in ("forward", "ortho"):
        return y
    sizes = lengths or [x.shape[axis] for axis in axes]
    count = math.prod(sizes)
    factor = count if norm == "forward" else math.sqrt(count)
    return y * cast(factor if inverse else 1 / factor, y.dtype)


def fftnd(input_tensor, fft_length=None, axes=None, norm=None, name=None):
    """Return the discrete Fourier transform over chosen axes; see `fft`.

    Args:
        input_tensor: complex64 or complex128.
        fft_length: A length for each of `axes`: the input is cut or filled with zeros to it.
        axes: The axes; None is all.
        norm: "backward" or None, no factor; "forward", the factor ``1 / n``; "ortho",
            ``1 / sqrt(n)``, with n the product of the lengths.
        name: Accepted, unused.

    Returns:
        The shape of the input with the lengths, and its dtype.

    Raises:
        ValueError: the input is not complex, or the lengths are not as many as the axes.

    Example:
        >>> tf.signal.fftnd(tf.ones([2, 2], tf.complex64), axes=[0])[0].numpy()
        array([2.+0.j, 2.+0.j], dtype=complex64)
    """
    return _transformed(input_tensor, fft_length, axes, norm, False, "tf.signal.fftnd")


def ifftnd(input_tensor, fft_length=None, axes=None, norm=None, name=None):
    """Return the inverse of `fftnd`.

    Args:
        input_tensor: complex64 or complex128.
        fft_length: A length for each of `axes`: the input is cut or filled with zeros to it.
        axes: The axes; None is all.
        norm: What `fftnd` was given.
        name: Accepted, unused.

    Returns:
        The shape of the input with the lengths, and its dtype.

    Raises:
        ValueError: the input is not complex, or the lengths are not as many as the axes.

    Example:
        >>> tf.signal.ifftnd(tf.ones([2, 2], tf.complex64), axes=[0])[0].numpy()
        array([1.+0.j, 1.+0.j], dtype=complex64)
    """
    return _transformed(input_tensor, fft_length, axes, norm, True, "tf.signal.ifftnd")


def _transformed(input_tensor, fft_length, axes, norm, inverse, who):
    x = _checked(input_tensor, who, _COMPLEX, 1)
    axes = _axes(axes, x, who)
    lengths = _lengths(fft_length, len(axes), who)
    y = _fftn(x, lengths=lengths, axes=axes, inverse=inverse)
    return _scaled(x, y, lengths, axes, norm, inverse)


def rfftnd(input_tensor, fft_length=None, axes=None, norm=None, name=None):
    """Return the Fourier transform of real numbers over chosen axes; see `rfft` and `fftnd`.

    Args:
        input_tensor: float32 or float64.
        fft_length: A length for each of `axes`: the input is cut or filled with zeros to it.
        axes: The axes, the last of which is halved; None is all.
        norm: As in `fftnd`.
        name: Accepted, unused.

    Returns:
        complex64 or complex128, with the size ``n // 2 + 1`` at the last of `axes`.

    Raises:
        ValueError: the input is neither float32 nor float64, or the lengths are not as many as
            the axes.

    Example:
        >>> tf.signal.rfftnd(tf.ones([2, 4])).shape
        TensorShape([2, 3])
    """
    who = "tf.signal.rfftnd"
    x = _checked(input_tensor, who, _REAL, 1)
    axes = _axes(axes, x, who)
    lengths = _lengths(fft_length, len(axes), who)
    return _scaled(x, _rfft(x, lengths=lengths, axes=axes), lengths, axes, norm, False)


def irfftnd(input_tensor, fft_length=None, axes=None, norm=None, name=None):
    """Return the real numbers that `rfftnd` makes the input from.

    Args:
        input_tensor: complex64 or complex128.
        fft_length: A length for each of `axes`; None doubles the last as `irfft` does.
        axes: The axes, the last of which was halved; None is all.
        norm: What `rfftnd` was given.
        name: Accepted, unused.

    Returns:
        float32 or float64, with the lengths.

    Raises:
        ValueError: the input is not complex, or the lengths are not as many as the axes.

    Example:
        >>> tf.signal.irfftnd(tf.signal.rfftnd(tf.ones([2, 4]))).shape
        TensorShape([2, 4])
    """
    who = "tf.signal.irfftnd"
    x = _checked(input_tensor, who, _COMPLEX, 1)
    axes = _axes(axes, x, who)
    lengths = _lengths(fft_length, len(axes), who)
    y = _irfft(x, lengths=lengths, axes=axes)
    return _scaled(y, y, lengths, axes, norm, True)


# --- the order of frequencies ---------------------------------------------------------------------


@op
def fftshift(x, axes=None):
    """Move the frequency 0 to the middle of the axes.

    Args:
        x: Any Tensor.
        axes: The axes, an int or several; None is all.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.signal.fftshift([0, 1, 2, -2, -1]).numpy()
        array([-2, -1,  0,  1,  2], dtype=int32)
    """
    return jnp.fft.fftshift(x, axes=axes)


@op
def ifftshift(x, axes=None):
    """Undo `fftshift`.

    Args:
        x: Any Tensor.
        axes: The axes, an int or several; None is all.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.signal.ifftshift([-2, -1, 0, 1, 2]).numpy()
        array([ 0,  1,  2, -2, -1], dtype=int32)
    """
    return jnp.fft.ifftshift(x, axes=axes)
