"""Cosine transforms, plain and modified.

Letters: `...` any leading axes, T samples, F frames, L frame length, N the length of a transform.
"""

import math

import jax.numpy as jnp

from lamina.engine import op, static_int
from lamina.ops.casting import cast
from lamina.ops.signal import as_signal, frame, overlap_and_add
from lamina.ops.taper import vorbis_window

__all__ = ["dct", "idct", "inverse_mdct", "mdct"]


def _check_cosine(x, type, n, axis, norm, who):
    if axis != -1:
        raise NotImplementedError(
            f"{who}: `axis` must be -1, as in TF; got {axis}.\n  Fix: tf.transpose before."
        )
    if not x.dtype.is_floating:
        raise TypeError(
            f"{who}: the input must be float32 or float64; got {x.dtype.name}.\n"
            f"  Fix: tf.cast(input, tf.float32)."
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
        TypeError: the input is not float.
        NotImplementedError: `axis` is not -1.

    Example:
        >>> tf.signal.dct([1.0, 1.0, 1.0]).numpy().round(3) + 0.0
        array([6., 0., 0.], dtype=float32)
    """
    x = as_signal(input, 1, "tf.signal.dct")
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
        TypeError: the input is not float.
        NotImplementedError: `axis` is not -1.

    Example:
        >>> spectrum = tf.signal.dct([1.0, 2.0, 3.0], norm="ortho")
        >>> tf.signal.idct(spectrum, norm="ortho").numpy().round(3)
        array([1., 2., 3.], dtype=float32)
    """
    x = as_signal(input, 1, "tf.signal.idct")
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
    signals = as_signal(signals, 1, who)
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
    mdcts = as_signal(mdcts, 2, "tf.signal.inverse_mdct")
    half = mdcts.shape[-1]
    halves = dct(mdcts, type=4, norm=norm)
    if norm is None:
        halves = halves * cast(0.5 / half, halves.dtype)
    return overlap_and_add(_tapered(_unfolded(halves), window_fn), half)
