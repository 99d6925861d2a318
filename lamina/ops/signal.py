"""Signals over time: frames, short-time and cosine transforms, the mel scale.

Letters: `...` any leading axes, T samples, F frames, L frame length, S frame step, N the length
of a transform.
"""

import math

import jax.numpy as jnp
import numpy as np

from lamina.engine import as_dtype, convert_to_tensor, dtypes, op, static_int
from lamina.ops.casting import cast
from lamina.ops.fourier import irfft, rfft
from lamina.ops.taper import hann_window, vorbis_window

__all__ = [
    "dct",
    "frame",
    "idct",
    "inverse_mdct",
    "inverse_stft",
    "inverse_stft_window_fn",
    "linear_to_mel_weight_matrix",
    "mdct",
    "mfccs_from_log_mel_spectrograms",
    "overlap_and_add",
    "stft",
]


def _tensor(x, rank, who):
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
    signal = _tensor(signal, 1, "tf.signal.frame")
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
    signal = _tensor(signal, 2, who)
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
    signals = _tensor(signals, 1, who)
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
    stfts = _tensor(stfts, 2, who)
    length = static_int(frame_length, f"{who}(frame_length)")
    if fft_length is None:
        fft_length = _power_of_two(length)
    frames = _fitted(irfft(stfts, [static_int(fft_length, f"{who}(fft_length)")]), length=length)
    if window_fn is not None:
        frames = frames * window_fn(length, dtype=frames.dtype)
    return overlap_and_add(frames, frame_step)


# --- cosine transforms ----------------------------------------------------------------------------


def _check_cosine(x, type, n, axis, norm, who):
    if axis != -1:
        raise NotImplementedError(
            f"{who}: `axis` must be -1, as in TF; got {axis}.\n  Fix: tf.transpose before."
        )
    if n is not None and n < 1:
        raise ValueError(f"{who}: `n` must be a positive integer or None; got {n!r}.")
    if type not in (1, 2, 3, 4):
        raise ValueError(f"{who}: `type` must be one of [1, 2, 3, 4]; got {type!r}.")
    if norm not in (None, "ortho"):
        raise ValueError(f"{who}: `norm` must be None or 'ortho'; got {norm!r}.")
    if type == 1 and norm is not None:
        raise ValueError(f"{who}: `norm` must be None for type 1; got {norm!r}.")
    if type == 1 and x.shape[-1] is not None and x.shape[-1] < 2:
        raise ValueError(f"{who}: type 1 needs at least 2 samples; got {x.shape[-1]}.")


def _first_and_rest(first, rest, size, dtype):
    return jnp.concatenate([jnp.full(1, first, dtype), jnp.full(size - 1, rest, dtype)])


def _dct_2(x, norm):
    size = x.shape[-1]
    angles = jnp.arange(size, dtype=x.dtype) * (-math.pi * 0.5 / size)
    y = jnp.fft.rfft(x, 2 * size)[..., :size]
    y = 2 * (y.real * jnp.cos(angles) - y.imag * jnp.sin(angles))
    if norm is None:
        return y
    return y * _first_and_rest(0.5 / math.sqrt(size), math.sqrt(0.5 / size), size, x.dtype)


def _dct_3(x, norm):
    size = x.shape[-1]
    if norm is None:
        x = x * size
    else:
        x = x * _first_and_rest(math.sqrt(size), math.sqrt(0.5 * size), size, x.dtype)
    angles = jnp.arange(size, dtype=x.dtype) * (math.pi * 0.5 / size)
    turned = 2 * (x * jnp.cos(angles) + 1j * (x * jnp.sin(angles)))
    return jnp.fft.irfft(turned, 2 * size)[..., :size]


@op
def _dct(input, *, type, n, norm):
    x = input
    if n is not None:
        missing = max(0, n - x.shape[-1])
        x = jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, missing)])[..., :n]
    if type == 1:
        y = jnp.fft.rfft(jnp.concatenate([x, x[..., -2:0:-1]], axis=-1)).real
    elif type == 2:
        y = _dct_2(x, norm)
    elif type == 3:
        y = _dct_3(x, norm)
    else:
        size = x.shape[-1]
        padded = jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, size)])
        y = _dct_2(padded, None)[..., 1::2]
        y = y if norm is None else y * math.sqrt(0.5 / size)
    return y.astype(input.dtype)


def dct(input, type=2, n=None, axis=-1, norm=None, name=None):
    """Return the discrete cosine transform over the last axis.

    Type 2, with x of N samples: ``y[k] = 2 Σ_j x[j] cos(π k (2 j + 1) / 2N)``.

    Args:
        input: float32 or float64, ``(..., T)``.
        type: 1, 2, 3 or 4.
        n: N: the input is cut or filled with zeros to it; None is T.
        axis: -1.
        norm: None, or "ortho", which makes the transform orthonormal.
        name: Accepted, unused.

    Returns:
        ``(..., N)``, dtype of `input`.

    Raises:
        ValueError: `type`, `n` or `norm` is unknown, or type 1 has a norm or one sample.
        NotImplementedError: `axis` is not -1.

    Example:
        >>> tf.signal.dct([1.0, 1.0, 1.0]).numpy().round(3) + 0.0
        array([6., 0., 0.], dtype=float32)
    """
    x = _tensor(input, 1, "tf.signal.dct")
    _check_cosine(x, type, n, axis, norm, "tf.signal.dct")
    return _dct(x, type=type, n=n, norm=norm)


def idct(input, type=2, n=None, axis=-1, norm=None, name=None):
    """Return the inverse cosine transform over the last axis, without its factor ``1 / 2N``.

    Args:
        input: float32 or float64, ``(..., T)``.
        type: The type of the transform that is undone: 1, 2, 3 or 4.
        n: N: the input is cut or filled with zeros to it; None is T.
        axis: -1.
        norm: None, or "ortho": with it, this is the exact inverse.
        name: Accepted, unused.

    Returns:
        ``(..., N)``, dtype of `input`.

    Raises:
        ValueError: `type`, `n` or `norm` is unknown, or type 1 has a norm or one sample.
        NotImplementedError: `axis` is not -1.

    Example:
        >>> spectrum = tf.signal.dct([1.0, 2.0, 3.0], norm="ortho")
        >>> tf.signal.idct(spectrum, norm="ortho").numpy().round(3)
        array([1., 2., 3.], dtype=float32)
    """
    x = _tensor(input, 1, "tf.signal.idct")
    _check_cosine(x, type, n, axis, norm, "tf.signal.idct")
    return _dct(x, type={1: 1, 2: 3, 3: 2, 4: 4}[type], n=n, norm=norm)


@op
def _folded(frames):
    """Fold frames ``(a, b, c, d)`` to half their length: ``(-c' - d, a - b')``, ' reversed."""
    a, b, c, d = jnp.split(frames, 4, axis=-1)
    return jnp.concatenate([-c[..., ::-1] - d, a - b[..., ::-1]], axis=-1)


@op
def _unfolded(halves):
    """Undo `_folded` up to what overlapping frames cancel."""
    a, b = jnp.split(halves, 2, axis=-1)
    return jnp.concatenate([b, -b[..., ::-1], -a[..., ::-1], -a], axis=-1)


def _tapered(frames, window_fn):
    if window_fn is None:
        return frames * cast(1 / math.sqrt(2), frames.dtype)
    return frames * window_fn(frames.shape[-1], dtype=frames.dtype)


def mdct(signals, frame_length, window_fn=vorbis_window, pad_end=False, norm=None, name=None):
    """Return the modified cosine transform: cosine transforms of half-overlapping frames.

    Args:
        signals: float32 or float64, ``(..., T)``.
        frame_length: L, a multiple of 4; the step is ``L / 2``.
        window_fn: ``window_fn(L, dtype=...) -> (L,)``; None is the constant ``1 / sqrt(2)``.
        pad_end: Whether frames that reach over the end are kept, filled with zeros.
        norm: None or "ortho"; see `dct`.
        name: Accepted, unused.

    Returns:
        ``(..., F, L / 2)``, dtype of `signals`.

    Raises:
        ValueError: `signals` is a scalar, or L is no multiple of 4.

    Example:
        >>> tf.signal.mdct(tf.ones([64]), 16).shape
        TensorShape([7, 8])
    """
    who = "tf.signal.mdct"
    signals = _tensor(signals, 1, who)
    length = static_int(frame_length, f"{who}(frame_length)")
    if length % 4:
        raise ValueError(
            f"{who}: `frame_length` must be a multiple of 4; got {length}.\n"
            f"  Fix: {length - length % 4 + 4}."
        )
    frames = frame(signals, length, length // 2, pad_end=pad_end)
    return dct(_folded(_tapered(frames, window_fn)), type=4, norm=norm)


def inverse_mdct(mdcts, window_fn=vorbis_window, norm=None, name=None):
    """Return the signal of a modified cosine transform; see `mdct`.

    Args:
        mdcts: float32 or float64, ``(..., F, L / 2)``.
        window_fn: The window function of `mdct`.
        norm: What `mdct` was given.
        name: Accepted, unused.

    Returns:
        ``(..., (F + 1) L / 2)``, dtype of `mdcts`.

    Raises:
        ValueError: `mdcts` has fewer than two axes.

    Example:
        >>> spectra = tf.signal.mdct(tf.ones([64]), 16)
        >>> tf.signal.inverse_mdct(spectra)[8:12].numpy().round(3)
        array([1., 1., 1., 1.], dtype=float32)
    """
    mdcts = _tensor(mdcts, 2, "tf.signal.inverse_mdct")
    half = mdcts.shape[-1]
    halves = dct(mdcts, type=4, norm=norm)
    if norm is None:
        halves = halves * cast(0.5 / half, halves.dtype)
    return overlap_and_add(_tapered(_unfolded(halves), window_fn), half)


# --- the mel scale --------------------------------------------------------------------------------


def _mel(hertz):
    return hertz.dtype.type(1127.0) * np.log1p(hertz / hertz.dtype.type(700.0))


def linear_to_mel_weight_matrix(
    num_mel_bins=20,
    num_spectrogram_bins=129,
    sample_rate=8000,
    lower_edge_hertz=125.0,
    upper_edge_hertz=3800.0,
    dtype=dtypes.float32,
    name=None,
):
    """Return the matrix that brings a spectrum from linear frequencies to the mel scale.

    Each mel bin is a triangle with peak 1, from the middle of one neighbour to that of the
    other, even on the mel scale ``1127 log(1 + hertz / 700)``.

    Args:
        num_mel_bins: M.
        num_spectrogram_bins: K, the bins of the spectrum from 0 to half the sample rate.
        sample_rate: Samples per second.
        lower_edge_hertz: Where the lowest triangle starts.
        upper_edge_hertz: Where the highest ends.
        dtype: A float dtype.
        name: Accepted, unused.

    Returns:
        ``(K, M)``, `dtype`: multiply spectra ``(..., K)`` by it.

    Raises:
        ValueError: M or `sample_rate` is not positive, the edges are not in order within
            ``[0, sample_rate / 2]``, or `dtype` is no float.

    Example:
        >>> tf.signal.linear_to_mel_weight_matrix(2, 5, 8000, 0.0, 4000.0).numpy().round(2)
        array([[0.  , 0.  ],
               [0.6 , 0.4 ],
               [0.  , 0.87],
               [0.  , 0.38],
               [0.  , 0.  ]], dtype=float32)
    """
    who = "tf.signal.linear_to_mel_weight_matrix"
    dtype = as_dtype(dtype)
    rate = float(np.asarray(sample_rate))
    _check_mel(who, num_mel_bins, rate, lower_edge_hertz, upper_edge_hertz, dtype)
    real = np.float64 if dtype.size == 8 else np.float32
    bins = static_int(num_spectrogram_bins, f"{who}(num_spectrogram_bins)")
    spectrum = _mel(np.linspace(0, rate / 2, bins, dtype=real)[1:, None])
    low, high = _mel(np.array([lower_edge_hertz, upper_edge_hertz], real))
    edges = np.linspace(low, high, num_mel_bins + 2, dtype=real)
    rising = (spectrum - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - spectrum) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0, np.minimum(rising, falling))
    return convert_to_tensor(np.pad(weights, [(1, 0), (0, 0)]).astype(dtype.np))


def _check_mel(who, bins, rate, low, high, dtype):
    if bins <= 0:
        raise ValueError(f"{who}: `num_mel_bins` must be positive; got {bins}.")
    if rate <= 0:
        raise ValueError(f"{who}: `sample_rate` must be positive; got {rate}.")
    if not 0 <= low < high <= rate / 2:
        raise ValueError(
            f"{who}: 0 <= `lower_edge_hertz` < `upper_edge_hertz` <= `sample_rate` / 2 = "
            f"{rate / 2} must hold; got {low} and {high}.\n"
            f"  Fix: no frequency above half the sample rate can be told apart."
        )
    if not dtype.is_floating:
        raise ValueError(f"{who}: `dtype` must be a float; got {dtype.name}.")


def mfccs_from_log_mel_spectrograms(log_mel_spectrograms, name=None):
    """Return mel-frequency cepstral coefficients: the type-2 cosine transform, over sqrt(2 M).

    Args:
        log_mel_spectrograms: float32 or float64, logarithms of spectra on the mel scale,
            ``(..., M)``.
        name: Accepted, unused.

    Returns:
        Shape and dtype of the input; take the first coefficients by slicing.

    Raises:
        ValueError: M is 0.

    Example:
        >>> tf.signal.mfccs_from_log_mel_spectrograms([[1.0, 1.0]]).numpy().round(3) + 0.0
        array([[2., 0.]], dtype=float32)
    """
    who = "tf.signal.mfccs_from_log_mel_spectrograms"
    x = _tensor(log_mel_spectrograms, 1, who)
    bins = x.shape[-1]
    if bins == 0:
        raise ValueError(f"{who}: the last axis must hold mel bins; got shape {tuple(x.shape)}.")
    y = dct(x, type=2)
    return y * cast(1 / math.sqrt(2 * bins), y.dtype)
