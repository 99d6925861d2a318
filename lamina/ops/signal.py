"""Frames of signals, and their short-time Fourier transforms.

Letters: `...` any leading axes, T samples, F frames, L frame length, S frame step, N the length
of a transform.
"""

import math

import jax.numpy as jnp

from lamina.engine import convert_to_tensor, op, static_int
from lamina.ops.casting import cast
from lamina.ops.fourier import irfft, rfft
from lamina.ops.taper import hann_window

__all__ = ["frame", "inverse_stft", "inverse_stft_window_fn", "overlap_and_add", "stft"]


def as_signal(x, rank, who):
    """Return `x` as a Tensor of at least `rank` axes."""
    x = convert_to_tensor(x)
    if x.ndim < rank:
        raise ValueError(
            f"{who}: the input must have at least {rank} axes; got shape {tuple(x.shape)}.\n"
            f"  Fix: the last {'is' if rank == 1 else 'two are frames and'} samples."
        )
    return x


# --- frames ---------------------------------------------------------------------------------------


@op
def _frame(signal, pad_value, *, length, step, pad_end, axis):
    x = jnp.moveaxis(signal, axis, -1)
    count = x.shape[-1]
    if pad_end:
        frames = -(-count // step)
        missing = max(0, length + step * (frames - 1) - count)
        widths = [(0, 0)] * (x.ndim - 1) + [(0, missing)]
        x = jnp.pad(x, widths, constant_values=pad_value)
    else:
        frames = max(0, 1 + (count - length) // step)
    places = step * jnp.arange(frames)[:, None] + jnp.arange(length)
    axis = axis % signal.ndim
    return jnp.moveaxis(x[..., places], (-2, -1), (axis, axis + 1))


def frame(signal, frame_length, frame_step, pad_end=False, pad_value=0, axis=-1, name=None):
    """Cut an axis into frames, which overlap where the step is shorter than a frame.

    Args:
        signal: ``(..., T, ...)``.
        frame_length: L, an int or scalar Tensor.
        frame_step: S, samples from the start of one frame to that of the next.
        pad_end: Whether frames that reach over the end are kept, and filled.
        pad_value: What they are filled with.
        axis: The axis of T.
        name: Accepted, unused.

    Returns:
        ``(..., F, L, ...)``, dtype of `signal`; F is ``1 + (T - L) // S``, at least 0, or
        ``ceil(T / S)`` with `pad_end`.

    Raises:
        ValueError: `signal` is a scalar.

    Example:
        >>> tf.signal.frame([1, 2, 3, 4, 5], 3, 2).numpy()
        array([[1, 2, 3],
               [3, 4, 5]], dtype=int32)
    """
    signal = as_signal(signal, 1, "tf.signal.frame")
    return _frame(
        signal,
        cast(pad_value, signal.dtype),
        length=static_int(frame_length, "tf.signal.frame(frame_length)"),
        step=static_int(frame_step, "tf.signal.frame(frame_step)"),
        pad_end=bool(pad_end),
        axis=static_int(axis, "tf.signal.frame(axis)"),
    )


@op
def _overlap_and_add(signal, *, step):
    *outer, frames, length = signal.shape
    pieces = -(-length // step)  # a frame is so many steps long, the last filled with zeros
    widths = [(0, 0)] * len(outer) + [(0, pieces), (0, pieces * step - length)]
    x = jnp.pad(signal, widths).reshape(*outer, frames + pieces, pieces, step)
    # One row fewer for each piece shifts each piece by one step against the one before.
    x = jnp.swapaxes(x, -3, -2).reshape(*outer, (frames + pieces) * pieces, step)
    rows = frames + pieces - 1
    x = x[..., : rows * pieces, :].reshape(*outer, pieces, rows, step)
    y = x.sum(-3).reshape(*outer, rows * step)
    return y[..., : step * (frames - 1) + length].astype(signal.dtype)


def overlap_and_add(signal, frame_step, name=None):
    """Lay frames over each other at a step, and add where they overlap.

    Args:
        signal: ``(..., F, L)``.
        frame_step: S, an int or scalar Tensor.
        name: Accepted, unused.

    Returns:
        ``(..., (F - 1) S + L)``, dtype of `signal`.

    Raises:
        ValueError: `signal` has fewer than two axes, or `frame_step` is not an integer.

    Example:
        >>> tf.signal.overlap_and_add([[1, 2, 3], [4, 5, 6]], 2).numpy()
        array([1, 2, 7, 5, 6], dtype=int32)
    """
    who = "tf.signal.overlap_and_add"
    signal = as_signal(signal, 2, who)
    if not convert_to_tensor(frame_step).dtype.is_integer:
        raise ValueError(
            f"{who}: `frame_step` must be an integer; got {frame_step!r}.\n  Fix: int(frame_step)."
        )
    return _overlap_and_add(signal, step=static_int(frame_step, f"{who}(frame_step)"))


# --- short-time Fourier transform -----------------------------------------------------------------


def _power_of_two(length):
    return 2 ** math.ceil(math.log2(length))


def stft(
    signals,
    frame_length,
    frame_step,
    fft_length=None,
    window_fn=hann_window,
    pad_end=False,
    name=None,
):
    """Return the Fourier transforms of frames of a signal.

    Args:
        signals: float32 or float64, ``(..., T)``.
        frame_length: L, samples in a frame.
        frame_step: S, samples from one frame to the next.
        fft_length: N; None is the power of two that holds a frame.
        window_fn: ``window_fn(L, dtype=...) -> (L,)``, which frames are multiplied by; None has
            none.
        pad_end: Whether frames that reach over the end are kept, filled with zeros.
        name: Accepted, unused.

    Returns:
        complex64 or complex128, ``(..., F, N // 2 + 1)``; F as in `frame`.

    Raises:
        ValueError: `signals` is a scalar, or not float32 or float64.

    Example:
        >>> tf.signal.stft(tf.ones([3, 1000]), frame_length=256, frame_step=128).shape
        TensorShape([3, 6, 129])
    """
    who = "tf.signal.stft"
    signals = as_signal(signals, 1, who)
    length = static_int(frame_length, f"{who}(frame_length)")
    frames = frame(signals, length, frame_step, pad_end=pad_end)
    if window_fn is not None:
        frames = frames * window_fn(length, dtype=frames.dtype)
    if fft_length is None:
        fft_length = _power_of_two(length)
    return rfft(frames, [static_int(fft_length, f"{who}(fft_length)")])


def inverse_stft_window_fn(frame_step, forward_window_fn=hann_window, name=None):
    """Return the window function with which `inverse_stft` undoes `stft`.

    Args:
        frame_step: S of both transforms.
        forward_window_fn: The `window_fn` of `stft`.
        name: Accepted, unused.

    Returns:
        A function ``(L, dtype) -> (L,)``: the forward window divided by the sum of the squares
        of all windows that overlap there, 0 where that sum is 0.

    Example:
        >>> signal = tf.range(64.0)
        >>> spectra = tf.signal.stft(signal, 16, 8)
        >>> window_fn = tf.signal.inverse_stft_window_fn(8)
        >>> tf.signal.inverse_stft(spectra, 16, 8, window_fn=window_fn)[8:12].numpy().round()
        array([ 8.,  9., 10., 11.], dtype=float32)

    Reference: Griffin and Lim 1984, "Signal estimation from modified short-time Fourier
    transform", eq. 7.
    """
    step = static_int(frame_step, "tf.signal.inverse_stft_window_fn(frame_step)")

    def window_fn(frame_length, dtype):
        window = forward_window_fn(frame_length, dtype=dtype)
        return _divided_by_overlaps(window, step=step)

    return window_fn


@op
def _divided_by_overlaps(window, *, step):
    length = window.shape[0]
    overlaps = -(-length // step)
    squares = jnp.pad(jnp.square(window), (0, overlaps * step - length)).reshape(overlaps, step)
    total = jnp.tile(squares.sum(0), overlaps)[:length]
    return jnp.where(total == 0, 0, window / jnp.where(total == 0, 1, total)).astype(window.dtype)


@op
def _fitted(x, *, length):
    """Cut the last axis, or fill it with zeros, to a length."""
    missing = max(0, length - x.shape[-1])
    return jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, missing)])[..., :length]


def inverse_stft(
    stfts, frame_length, frame_step, fft_length=None, window_fn=hann_window, name=None
):
    """Return the signal that frames with the given Fourier transforms add up to.

    Args:
        stfts: complex64 or complex128, ``(..., F, N // 2 + 1)``.
        frame_length: L, samples in a frame.
        frame_step: S, samples from one frame to the next.
        fft_length: N; None is the power of two that holds a frame.
        window_fn: ``window_fn(L, dtype=...) -> (L,)``, which frames are multiplied by; to undo
            `stft` take `inverse_stft_window_fn`. None has none.
        name: Accepted, unused.

    Returns:
        float32 or float64, ``(..., (F - 1) S + L)``.

    Raises:
        ValueError: `stfts` has fewer than two axes, or is not complex.

    Example:
        >>> spectra = tf.signal.stft(tf.ones([1000]), 256, 128)
        >>> tf.signal.inverse_stft(spectra, 256, 128).shape
        TensorShape([896])
    """
    who = "tf.signal.inverse_stft"
    stfts = as_signal(stfts, 2, who)
    length = static_int(frame_length, f"{who}(frame_length)")
    if fft_length is None:
        fft_length = _power_of_two(length)
    frames = _fitted(irfft(stfts, [static_int(fft_length, f"{who}(fft_length)")]), length=length)
    if window_fn is not None:
        frames = frames * window_fn(length, dtype=frames.dtype)
    return overlap_and_add(frames, frame_step)
