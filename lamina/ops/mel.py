"""The mel scale, and the cepstral coefficients of spectra on it.

Letters: K frequencies, M mel bins.
"""

import math

import numpy as np

from lamina.engine import as_dtype, convert_to_tensor, dtypes, static_int
from lamina.ops.array import shape
from lamina.ops.casting import cast
from lamina.ops.cosine import dct
from lamina.ops.elementary import rsqrt
from lamina.ops.signal import as_signal

__all__ = ["linear_to_mel_weight_matrix", "mfccs_from_log_mel_spectrograms"]


def _mel(hertz):
    return hertz.dtype.type(1127.0) * np.log1p(hertz / hertz.dtype.type(700.0))


def linear_to_mel_weight_matrix(
    num_mel_bins=20,
    num_spectrogram_bins=129,
    sample_rate: float = 8000,
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
    x = as_signal(log_mel_spectrograms, 1, who)
    bins = x.shape[-1]
    if bins == 0:
        raise ValueError(f"{who}: the last axis must hold mel bins; got shape {tuple(x.shape)}.")
    y = dct(x, type=2)
    if bins is None:
        return y * rsqrt(2.0 * cast(shape(x)[-1], y.dtype))
    return y * cast(1 / math.sqrt(2 * bins), y.dtype)
