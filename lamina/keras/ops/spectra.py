"""tf.keras.ops: Fourier transforms, of whole signals and of frames."""

from collections.abc import Callable
from typing import Any

from lamina import ops
from lamina.engine import Tensor, convert_to_tensor
from lamina.keras.policy import standardize_dtype

__all__ = [
    "extract_sequences",
    "fft",
    "fft2",
    "ifft2",
    "irfft",
    "istft",
    "rfft",
    "stft",
]


def _complex(who: str, x: Any) -> Tensor:
    """Return a pair of real and imaginary parts as one Tensor."""
    if not isinstance(x, tuple | list) or len(x) != 2:
        raise ValueError(
            f"{who}: `x` must be a pair (real part, imaginary part); got {x!r}.\n"
            f"  Fix: {who}((x, tf.zeros_like(x))) for real numbers."
        )
    real, imaginary = map(convert_to_tensor, x)
    if real.shape != imaginary.shape:
        raise ValueError(
            f"{who}: both parts of `x` must have one shape; got {tuple(real.shape)} and "
            f"{tuple(imaginary.shape)}."
        )
    if not (real.dtype.is_floating and imaginary.dtype.is_floating):
        raise ValueError(
            f"{who}: both parts of `x` must be floating point; got {real.dtype.name} and "
            f"{imaginary.dtype.name}.\n  Fix: tf.cast them."
        )
    return ops.complex(real, imaginary)


def _parts(x: Tensor) -> tuple[Tensor, Tensor]:
    return ops.real(x), ops.imag(x)


def fft(x: Any) -> tuple[Tensor, Tensor]:
    """Return the discrete Fourier transform along the last axis.

    Args:
        x: (real part, imaginary part), floating point ``(…, N)`` both.

    Returns:
        The real and the imaginary part, ``(…, N)``.

    Raises:
        ValueError: `x` is no such pair.

    Example:
        >>> real, _ = tf.keras.ops.fft((tf.constant([1.0, 1.0]), tf.zeros(2)))
        >>> real.numpy()
        array([2., 0.], dtype=float32)
    """
    return _parts(ops.fft(_complex("fft", x)))


def fft2(x: Any) -> tuple[Tensor, Tensor]:
    """Return the discrete Fourier transform along the last two axes.

    Args:
        x: (real part, imaginary part), floating point ``(…, N, M)`` both.

    Returns:
        The real and the imaginary part, ``(…, N, M)``.

    Raises:
        ValueError: `x` is no such pair.

    Example:
        >>> tf.keras.ops.fft2((tf.ones((2, 2)), tf.zeros((2, 2))))[0].numpy()
        array([[4., 0.],
               [0., 0.]], dtype=float32)
    """
    return _parts(ops.fft2d(_complex("fft2", x)))


def ifft2(x: Any) -> tuple[Tensor, Tensor]:
    """Return the inverse of `fft2`.

    Args:
        x: (real part, imaginary part), floating point ``(…, N, M)`` both.

    Returns:
        The real and the imaginary part, ``(…, N, M)``.

    Raises:
        ValueError: `x` is no such pair.

    Example:
        >>> tf.keras.ops.ifft2((tf.ones((2, 2)), tf.zeros((2, 2))))[0].numpy()
        array([[1., 0.],
               [0., 0.]], dtype=float32)
    """
    return _parts(ops.ifft2d(_complex("ifft2", x)))


def rfft(x: Any, fft_length: int | None = None) -> tuple[Tensor, Tensor]:
    """Return the discrete Fourier transform of real numbers along the last axis.

    Args:
        x: float32 or float64, ``(…, T)``.
        fft_length: N: `x` is cut or filled with zeros to it; None is T.

    Returns:
        The real and the imaginary part, ``(…, N // 2 + 1)``.

    Example:
        >>> tf.keras.ops.rfft(tf.constant([1.0, 1.0]))[0].numpy()
        array([2., 0.], dtype=float32)
    """
    return _parts(ops.rfft(x, None if fft_length is None else [fft_length]))


def irfft(x: Any, fft_length: int | None = None) -> Tensor:
    """Return the inverse of `rfft`.

    Args:
        x: (real part, imaginary part), floating point ``(…, N // 2 + 1)`` both.
        fft_length: N; None takes the even one.

    Returns:
        ``(…, N)``.

    Raises:
        ValueError: `x` is no such pair.

    Example:
        >>> tf.keras.ops.irfft((tf.constant([2.0, 0.0]), tf.zeros(2))).numpy()
        array([1., 1.], dtype=float32)
    """
    return ops.irfft(_complex("irfft", x), None if fft_length is None else [fft_length])


def extract_sequences(x: Any, sequence_length: int, sequence_stride: int) -> Tensor:
    """Return the frames of a signal.

    Args:
        x: ``(…, T)``.
        sequence_length: L, entries of a frame.
        sequence_stride: S, entries from the start of one frame to that of the next.

    Returns:
        ``(…, F, L)``, with ``F = 1 + (T - L) // S``.

    Example:
        >>> tf.keras.ops.extract_sequences(tf.constant([1, 2, 3]), 2, 1).numpy()
        array([[1, 2],
               [2, 3]], dtype=int32)
    """
    return ops.frame(x, sequence_length, sequence_stride, pad_end=False, axis=-1)


def _window(who: str, window: Any, length: int, fft_length: int, dtype: Any) -> Callable | None:
    """Return the function that gives the window, filled with zeros to the transform's length."""
    if window is None:
        return None
    if isinstance(window, str):
        if window not in ("hann", "hamming"):
            raise ValueError(
                f"{who}: `window` must be 'hann', 'hamming', a vector or None; got {window!r}."
            )
        values = getattr(ops, f"{window}_window")(length, periodic=True, dtype=dtype)
    else:
        values = ops.cast(window, dtype)
    if tuple(values.shape) != (length,):
        raise ValueError(
            f"{who}: `window` must have shape ({length},), the `sequence_length`; got "
            f"{tuple(values.shape)}."
        )
    before = (fft_length - length) // 2
    filled = ops.pad(values, [[before, fft_length - length - before]])
    return lambda *_, **__: filled


def _check_frames(who: str, length: int, stride: Any, fft_length: int) -> None:
    if not isinstance(stride, int) or stride <= 0:
        raise ValueError(f"{who}: `sequence_stride` must be a positive int; got {stride!r}.")
    if fft_length < length:
        raise ValueError(
            f"{who}: `fft_length` must not be less than `sequence_length`, {length}; got "
            f"{fft_length}."
        )


def stft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> tuple[Tensor, Tensor]:
    """Return the Fourier transforms of frames of a signal.

    Args:
        x: float32 or float64, ``(…, T)``.
        sequence_length: Entries of a frame.
        sequence_stride: Entries from one frame to the next.
        fft_length: N, at least `sequence_length`.
        window: What frames are multiplied by: "hann", "hamming", a vector, or None.
        center: Whether the signal is reflected at its ends, so that frame t is centred at
            ``t * sequence_stride``.

    Returns:
        The real and the imaginary part, ``(…, F, N // 2 + 1)``.

    Raises:
        TypeError: `x` is no float32 or float64.
        ValueError: another argument is out of range.

    Example:
        >>> tf.keras.ops.stft(tf.ones((16,)), 4, 2, 4)[0].shape
        TensorShape([9, 3])
    """
    _check_frames("stft", sequence_length, sequence_stride, fft_length)
    x = convert_to_tensor(x)
    if standardize_dtype(x.dtype) not in ("float32", "float64"):
        raise TypeError(
            f"stft: `x` must be float32 or float64; got {x.dtype.name}.\n"
            f"  Fix: tf.cast(x, tf.float32)."
        )
    if center:
        around = [[0, 0]] * (x.ndim - 1) + [[fft_length // 2] * 2]
        x = ops.pad(x, around, mode="REFLECT")
    tapered = _window("stft", window, sequence_length, fft_length, x.dtype)
    return _parts(ops.stft(x, fft_length, sequence_stride, fft_length, window_fn=tapered))


def istft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Tensor:
    """Return the signal whose frames have the given Fourier transforms: the inverse of `stft`.

    Args:
        x: (real part, imaginary part), floating point ``(…, F, N // 2 + 1)`` both.
        sequence_length: What `stft` was given.
        sequence_stride: Likewise.
        fft_length: N, likewise.
        length: T, the length of the signal; None takes what the frames cover.
        window: What `stft` was given.
        center: Likewise.

    Returns:
        ``(…, T)``.

    Raises:
        ValueError: `x` is no such pair, or another argument is out of range.

    Example:
        >>> x = tf.sin(tf.range(16.0))
        >>> y = tf.keras.ops.istft(tf.keras.ops.stft(x, 4, 2, 4), 4, 2, 4)
        >>> float(tf.reduce_max(tf.abs(x - y))) < 1e-5
        True
    """
    _check_frames("istft", sequence_length, sequence_stride, fft_length)
    frames = _complex("istft", x)
    real = "float64" if frames.dtype == "complex128" else "float32"
    tapered = _window("istft", window, sequence_length, fft_length, real)
    if tapered is not None:
        tapered = ops.inverse_stft_window_fn(sequence_stride, tapered)
    signal = ops.inverse_stft(frames, fft_length, sequence_stride, fft_length, window_fn=tapered)
    start = fft_length // 2 if center else 0
    if length is not None:
        return signal[..., start : start + length]
    return signal[..., start : -(fft_length // 2)] if center else signal
