"""MelSpectrogram, STFTSpectrogram. Literals are those of Keras 3.15 on TensorFlow 2.21."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers as L
from tests.tolerances import assert_close

WAVE = np.sin(np.arange(24.0)).astype("float32")
PAIR = np.sin(np.arange(32)).reshape(1, 16, 2).astype("float32")


def test_mel_values_are_those_of_keras():
    layer = L.MelSpectrogram(8, 8, num_mel_bins=2, sampling_rate=8000, min_freq=100.0)
    expected = [[-1.526933, 3.978155, 4.375652, 1.577372], [1.585448, 4.545939, 4.608637, 4.868536]]
    assert_close(layer(WAVE), expected)
    assert_close(layer(WAVE[None]), [expected])


def test_mel_without_decibel_is_power():
    settings = {"fft_length": 8, "sequence_stride": 8, "num_mel_bins": 2, "sampling_rate": 8000}
    power = L.MelSpectrogram(**settings, power_to_db=False)(WAVE)
    assert_close(L.MelSpectrogram(**settings)(WAVE), 10 * np.log10(power.numpy()))


def test_mel_levels_are_cut_off_below_the_greatest():
    layer = L.MelSpectrogram(8, 8, num_mel_bins=2, sampling_rate=8000, top_db=3.0)
    y = layer(WAVE).numpy()
    assert_close(y.min(), y.max() - 3)


def test_mel_takes_a_window_of_values():
    settings = {"fft_length": 8, "sequence_stride": 4, "num_mel_bins": 2, "sampling_rate": 8000}
    hann = tf.signal.hann_window(6).numpy()
    given = L.MelSpectrogram(**settings, sequence_length=6, window=hann)
    assert_close(given(WAVE), L.MelSpectrogram(**settings, sequence_length=6)(WAVE))


@pytest.mark.parametrize(
    ("mode", "first"),
    [
        ("log", [-2.227198, -0.17849, 0.163912, -0.547706, -0.377804, -0.251223]),
        ("psd", [0.011627, 1.399572, 1.387945, 0.334402, 0.939451, 0.605049]),
    ],
)
def test_stft_values_are_those_of_keras(mode, first):
    y = L.STFTSpectrogram(mode, frame_length=4, frame_step=4)(PAIR)
    assert y.shape == (1, 4, 6)
    assert_close(y[0, 0], first)


def test_stft_layouts_hold_the_same_numbers():
    make = {"mode": "stft", "frame_length": 4, "frame_step": 2}
    flat = L.STFTSpectrogram(**make)(PAIR).numpy()  # (B, F, C K)
    apart = L.STFTSpectrogram(**make, expand_dims=True)(PAIR).numpy()
    turned = np.swapaxes(PAIR, 1, 2)
    first = L.STFTSpectrogram(**make, data_format="channels_first")(turned).numpy()
    both = L.STFTSpectrogram(**make, data_format="channels_first", expand_dims=True)(turned)
    assert apart.shape == (1, 7, 6, 2)
    assert_close(np.moveaxis(flat.reshape(1, 7, 2, 6), 2, 3), apart)
    assert_close(np.swapaxes(first, 1, 2), flat)
    assert_close(both, np.moveaxis(apart, 3, 1))


def test_magnitude_and_angle_are_those_of_the_transform():
    parts = {m: L.STFTSpectrogram(m, 8, 4)(PAIR).numpy() for m in ("real", "imag", "angle")}
    magnitude = L.STFTSpectrogram("magnitude", 8, 4)(PAIR).numpy()
    z = parts["real"] + 1j * parts["imag"]
    assert_close(np.maximum(np.abs(z), np.sqrt(1e-7)), magnitude)
    sure = np.abs(z) > 1e-3
    assert_close(np.cos(np.angle(z))[sure], np.cos(parts["angle"])[sure], "float16")


def test_stft_takes_unknown_lengths():
    layer = L.STFTSpectrogram("magnitude", 8, 4)
    out = layer(tf.keras.Input((None, 2)))
    assert out.shape == (None, None, 10)
    assert layer(PAIR).shape == (1, 3, 10)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: L.STFTSpectrogram("power"), ValueError, "`mode` must be one of"),
        (
            lambda: L.STFTSpectrogram(frame_step=300),
            ValueError,
            "`frame_step` must lie in [1, 256]",
        ),
        (lambda: L.STFTSpectrogram(fft_length=128), ValueError, "`fft_length` must be at least"),
        (lambda: L.STFTSpectrogram(window="no"), ValueError, "no"),
        (lambda: L.STFTSpectrogram(padding="causal"), ValueError, "`padding` must be one of"),
        (lambda: L.STFTSpectrogram(scaling="x"), ValueError, "`scaling` must be one of"),
        (lambda: L.STFTSpectrogram("log", 4)(PAIR.astype("int32")), TypeError, "got int32"),
        (
            lambda: L.MelSpectrogram(8, sequence_length=9),
            ValueError,
            "must be at most `fft_length`",
        ),
        (lambda: L.MelSpectrogram(8, window="no")(WAVE), ValueError, "`window` must be one of"),
        (
            lambda: L.MelSpectrogram(8, window=[1.0])(WAVE),
            ValueError,
            "`window` must have the shape",
        ),
    ],
)
def test_errors(make, kind, message):
    with pytest.raises(kind, match=r".") as error:
        make()
    assert message in str(error.value)


def test_an_odd_length_of_the_transform_is_warned_of():
    with pytest.warns(UserWarning, match="`fft_length` should be a power of two; got 300"):
        L.STFTSpectrogram(fft_length=300)
