"""Window functions, which taper the ends of a frame: computed on the host."""

import functools

import numpy as np

from lamina.engine import as_dtype, convert_to_tensor, dtypes, static_int

__all__ = [
    "hamming_window",
    "hann_window",
    "kaiser_bessel_derived_window",
    "kaiser_window",
    "vorbis_window",
]


def _checked(window_length, dtype, who):
    dtype = as_dtype(dtype)
    if not dtype.is_floating:
        raise ValueError(
            f"{who}: `dtype` must be a float; got {dtype.name}.\n  Fix: dtype=tf.float32."
        )
    return static_int(window_length, f"{who}(window_length)"), dtype


@functools.lru_cache(64)
def _raised_cosine(length, periodic, offset, dtype):
    if length == 1:
        return np.ones(1, dtype.np)
    # As TF: an odd length has no periodic form.
    period = length + (1 if periodic and length % 2 == 0 else 0) - 1
    angles = 2 * np.pi * np.arange(length) / period
    return (offset - (1 - offset) * np.cos(angles)).astype(dtype.np)


def hann_window(window_length, periodic=True, dtype=dtypes.float32, name=None):
    """Return a Hann window: ``0.5 - 0.5 cos(2π j / n)``.

    Args:
        window_length: L.
        periodic: Whether n is L, for spectra, and not L - 1, which is symmetric; an odd L is
            symmetric always.
        dtype: A float dtype.
        name: Accepted, unused.

    Returns:
        ``(L,)``, `dtype`.

    Raises:
        ValueError: `dtype` is no float.

    Example:
        >>> tf.signal.hann_window(4).numpy()
        array([0. , 0.5, 1. , 0.5], dtype=float32)
    """
    length, dtype = _checked(window_length, dtype, "tf.signal.hann_window")
    return convert_to_tensor(_raised_cosine(length, bool(periodic), 0.5, dtype))


def hamming_window(window_length, periodic=True, dtype=dtypes.float32, name=None):
    """Return a Hamming window: ``0.54 - 0.46 cos(2π j / n)``.

    Args:
        window_length: L.
        periodic: As in `hann_window`.
        dtype: A float dtype.
        name: Accepted, unused.

    Returns:
        ``(L,)``, `dtype`.

    Raises:
        ValueError: `dtype` is no float.

    Example:
        >>> tf.signal.hamming_window(4).numpy()
        array([0.08, 0.54, 1.  , 0.54], dtype=float32)
    """
    length, dtype = _checked(window_length, dtype, "tf.signal.hamming_window")
    return convert_to_tensor(_raised_cosine(length, bool(periodic), 0.54, dtype))


def _kaiser(length, beta):
    """Return ``I0(β sqrt(1 - t²)) / I0(β)`` for t from -1 to 1."""
    return np.ones(1) if length == 1 else np.kaiser(length, beta)


def kaiser_window(window_length, beta=12.0, dtype=dtypes.float32, name=None):
    """Return a Kaiser window: ``I0(β sqrt(1 - t²)) / I0(β)`` for t from -1 to 1.

    Args:
        window_length: L.
        beta: β: how much the ends are lowered.
        dtype: A float dtype.
        name: Accepted, unused.

    Returns:
        ``(L,)``, `dtype`.

    Raises:
        ValueError: `dtype` is no float.

    Example:
        >>> tf.signal.kaiser_window(3, beta=2.0).numpy().round(4)
        array([0.4387, 1.    , 0.4387], dtype=float32)
    """
    length, dtype = _checked(window_length, dtype, "tf.signal.kaiser_window")
    return convert_to_tensor(_kaiser(length, float(beta)).astype(dtype.np))


def kaiser_bessel_derived_window(window_length, beta=12.0, dtype=dtypes.float32, name=None):
    """Return the window for `mdct` that is derived from a Kaiser window by its running sums.

    Args:
        window_length: L, even.
        beta: As in `kaiser_window`.
        dtype: A float dtype.
        name: Accepted, unused.

    Returns:
        ``(L,)``, `dtype`.

    Raises:
        ValueError: `dtype` is no float.

    Example:
        >>> tf.signal.kaiser_bessel_derived_window(4, beta=2.0).numpy().round(4)
        array([0.4834, 0.8754, 0.8754, 0.4834], dtype=float32)
    """
    length, dtype = _checked(window_length, dtype, "tf.signal.kaiser_bessel_derived_window")
    sums = np.cumsum(_kaiser(length // 2 + 1, float(beta)))
    half = np.sqrt(sums[:-1] / sums[-1])
    return convert_to_tensor(np.concatenate([half, half[::-1]]).astype(dtype.np))


def vorbis_window(window_length, dtype=dtypes.float32, name=None):
    """Return the window of Vorbis: ``sin(π/2 sin²(π (j + 0.5) / L))``.

    Args:
        window_length: L.
        dtype: A float dtype.
        name: Accepted, unused.

    Returns:
        ``(L,)``, `dtype`.

    Raises:
        ValueError: `dtype` is no float.

    Example:
        >>> tf.signal.vorbis_window(4).numpy().round(4)
        array([0.228 , 0.9737, 0.9737, 0.228 ], dtype=float32)
    """
    length, dtype = _checked(window_length, dtype, "tf.signal.vorbis_window")
    inner = np.sin(np.pi * (np.arange(length) + 0.5) / length)
    return convert_to_tensor(np.sin(np.pi / 2 * inner**2).astype(dtype.np))
