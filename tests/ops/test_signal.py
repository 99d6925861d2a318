"""tf.signal: transforms, windows, frames, the mel scale. Literals are TensorFlow 2.21's."""

import numpy as np
import pytest

import lamina as tf
from tests.tolerances import assert_close

signal = tf.signal
RNG = np.random.RandomState(0)
REAL = RNG.randn(3, 12).astype("float32")
COMPLEX = (RNG.randn(2, 3, 4) + 1j * RNG.randn(2, 3, 4)).astype("complex64")
SINE = np.sin(np.arange(12.0)).astype("float32").reshape(1, 12)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_fft_equals_numpy_over_the_last_axes(rank):
    name = "fft" if rank == 1 else f"fft{rank}d"
    axes = tuple(range(-rank, 0))
    assert_close(getattr(signal, name)(COMPLEX), np.fft.fftn(COMPLEX, axes=axes))
    assert_close(getattr(signal, f"i{name}")(COMPLEX), np.fft.ifftn(COMPLEX, axes=axes))


@pytest.mark.parametrize("length", [7, 12, 20])
def test_rfft_cuts_or_fills_to_its_length(length):
    spectrum = signal.rfft(REAL, [length])
    assert_close(spectrum, np.fft.rfft(REAL, length))
    assert_close(signal.irfft(spectrum, [length]), np.fft.irfft(np.fft.rfft(REAL, length), length))


def test_rfft_keeps_float64():
    assert signal.rfft(tf.constant(REAL, tf.float64)).dtype == tf.complex128


def test_rfft2d_and_rfft3d_are_undone():
    x = RNG.randn(2, 4, 6).astype("float32")
    assert_close(signal.irfft2d(signal.rfft2d(x)), x)
    assert_close(signal.irfft3d(signal.rfft3d(x)), x)


@pytest.mark.parametrize("norm", [None, "forward", "ortho"])
def test_transforms_over_chosen_axes_equal_numpy(norm):
    x = COMPLEX.real
    assert_close(
        signal.fftnd(COMPLEX, axes=[0, 2], norm=norm), np.fft.fftn(COMPLEX, None, (0, 2), norm)
    )
    assert_close(signal.rfftnd(x, [2, 6], [0, 2], norm), np.fft.rfftn(x, (2, 6), (0, 2), norm))
    assert_close(signal.ifftnd(signal.fftnd(COMPLEX, norm=norm), norm=norm), COMPLEX)
    assert_close(signal.irfftnd(signal.rfftnd(x, norm=norm), norm=norm), x)


def test_fft_of_real_numbers_says_what_to_do():
    with pytest.raises(
        ValueError, match=r"tf.signal.fft: the input must be complex64 or complex128"
    ):
        signal.fft(tf.constant(REAL))


def test_lengths_must_fit_the_axes():
    with pytest.raises(ValueError, match=r"`fft_length` must hold 2 lengths; got \[4\]"):
        signal.rfft2d(REAL, [4])


def test_inputs_need_their_axes():
    with pytest.raises(ValueError, match=r"tf.signal.fft3d: the input must have at least 3 axes"):
        signal.fft3d(COMPLEX[0])
    with pytest.raises(ValueError, match=r"tf.signal.stft: the input must have at least 1 axes"):
        signal.stft(1.0, 4, 2)


@pytest.mark.parametrize("axes", [None, 1, (0, 1)])
def test_fftshift_equals_numpy_and_is_undone(axes):
    x = np.arange(15).reshape(3, 5)
    assert_close(signal.fftshift(x, axes), np.fft.fftshift(x, axes))
    assert_close(signal.ifftshift(signal.fftshift(x, axes), axes), x)


# --- windows --------------------------------------------------------------------------------------


def test_windows_have_tensorflows_values():
    assert_close(signal.hann_window(5), [0.0, 0.5, 1.0, 0.5, 0.0])
    assert_close(signal.hann_window(4, periodic=False), [0.0, 0.75, 0.75, 0.0])
    assert_close(signal.hamming_window(4), [0.08, 0.54, 1.0, 0.54])
    assert_close(signal.kaiser_window(5), [0.000053, 0.215673, 1.0, 0.215673, 0.000053])
    half = [0.007131, 0.707107, 0.999975]
    assert_close(signal.kaiser_bessel_derived_window(6), half + half[::-1])
    assert signal.vorbis_window(4, dtype=tf.float64).dtype == tf.float64


@pytest.mark.parametrize("name", ["hann_window", "hamming_window", "kaiser_window"])
def test_a_window_of_one_is_one(name):
    assert_close(getattr(signal, name)(1), [1.0])


def test_a_window_of_integers_is_refused():
    with pytest.raises(ValueError, match=r"hann_window: `dtype` must be a float; got int32"):
        signal.hann_window(4, dtype=tf.int32)


# --- frames ---------------------------------------------------------------------------------------


def test_frame_fills_the_end_on_request():
    found = signal.frame([1, 2, 3, 4, 5], 3, 2, pad_end=True, pad_value=9)
    assert_close(found, [[1, 2, 3], [3, 4, 5], [5, 9, 9]])


def test_frame_cuts_any_axis():
    assert signal.frame(REAL, 2, 1, axis=0).shape == (2, 2, 12)
    assert signal.frame(REAL, 5, 2).shape == (3, 4, 5)
    assert signal.frame(REAL, 13, 2).shape == (3, 0, 13)


def test_frame_takes_unknown_lengths():
    framed = tf.function(
        lambda x: signal.frame(x, 5, 2), input_signature=[tf.TensorSpec([None, None], tf.float32)]
    )
    assert_close(framed(REAL), signal.frame(REAL, 5, 2))


@pytest.mark.parametrize("step", [1, 2, 3, 4, 6])
def test_overlap_and_add_adds_frames_at_their_places(step):
    frames = RNG.randn(2, 3, 4).astype("float32")
    expected = np.zeros((2, 2 * step + 4), "float32")
    for i in range(3):
        expected[:, i * step : i * step + 4] += frames[:, i]
    assert_close(signal.overlap_and_add(frames, step), expected)


def test_overlap_and_add_needs_a_whole_step():
    with pytest.raises(ValueError, match=r"`frame_step` must be an integer; got 1.5"):
        signal.overlap_and_add(REAL, 1.5)


# --- short-time transforms ------------------------------------------------------------------------


def test_stft_has_tensorflows_values():
    expected = [
        [1.400593, -0.909297 - 0.350175j, 0.418002],
        [-1.477033, 0.958924 + 0.238694j, -0.440815],
        [1.523911, -0.989358 - 0.122434j, 0.454806],
    ]
    assert_close(signal.stft(SINE, 4, 3), [expected])


def test_stft_takes_the_power_of_two_that_holds_a_frame():
    assert signal.stft(REAL, 5, 2).shape == (3, 4, 5)
    assert signal.stft(REAL, 5, 2, fft_length=5, window_fn=None).shape == (3, 4, 3)


def test_inverse_stft_undoes_stft_where_frames_overlap_fully():
    x = RNG.randn(64).astype("float32")
    window = signal.inverse_stft_window_fn(4, signal.hamming_window)
    spectra = signal.stft(x, 16, 4, window_fn=signal.hamming_window)
    found = signal.inverse_stft(spectra, 16, 4, window_fn=window)
    assert_close(found[16:48], x[16:48])


def test_inverse_stft_window_has_tensorflows_values():
    expected = [0.0, 0.140423, 0.510958, 0.87226, 0.958871, 0.87226, 0.510958, 0.140423]
    assert_close(signal.inverse_stft_window_fn(3)(8, dtype=tf.float32), expected)


def test_gradients_reach_through_stft():
    x = tf.constant(REAL)
    with tf.GradientTape() as tape:
        tape.watch(x)
        energy = tf.reduce_sum(tf.square(tf.abs(signal.stft(x, 4, 4, window_fn=None))))
    # Parseval, with the bins 0 and N/2 counted once: moving a sample moves its own frame only.
    step = 1e-2
    moved = REAL.copy()
    moved[0, 1] += step
    higher = tf.reduce_sum(tf.square(tf.abs(signal.stft(moved, 4, 4, window_fn=None))))
    found = tape.gradient(energy, x)[0, 1]
    assert abs(float(higher - energy) / step - float(found)) < 0.1


# --- cosine transforms ----------------------------------------------------------------------------


def test_cosine_transforms_have_tensorflows_values():
    x = SINE[:, :4]
    assert_close(signal.dct(x, type=4, norm="ortho"), [[0.871415, -0.802135, -0.37517, 0.106171]])
    assert_close(signal.dct(x, type=1), [[3.642657, -0.208946, -1.609648, -0.005467]])
    assert_close(signal.idct(x), [[2.948785, -0.902663, -1.669219, -0.376904]])


@pytest.mark.parametrize("type", [2, 3, 4])
def test_orthonormal_cosine_transforms_are_undone(type):
    assert_close(signal.idct(signal.dct(REAL, type, norm="ortho"), type, norm="ortho"), REAL)


@pytest.mark.parametrize("n", [5, 20])
def test_dct_cuts_or_fills_to_n(n):
    padded = np.pad(REAL, [(0, 0), (0, 8)])[:, :n]
    assert_close(signal.dct(REAL, n=n), signal.dct(padded))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"type": 5}, r"`type` must be one of \[1, 2, 3, 4\]; got 5"),
        ({"n": 0}, r"`n` must be a positive integer or None; got 0"),
        ({"norm": "l2"}, r"`norm` must be None or 'ortho'; got 'l2'"),
        ({"type": 1, "norm": "ortho"}, r"`norm` must be None for type 1; got 'ortho'"),
    ],
)
def test_dct_refuses(arguments, text):
    with pytest.raises(ValueError, match=text):
        signal.dct(REAL, **arguments)


def test_dct_of_type_1_needs_two_samples():
    with pytest.raises(ValueError, match="type 1 needs at least 2 samples; got 1"):
        signal.dct(REAL[:, :1], type=1)


def test_dct_takes_the_last_axis_only():
    with pytest.raises(NotImplementedError, match="`axis` must be -1, as in TF; got 0"):
        signal.dct(REAL, axis=0)


@pytest.mark.parametrize("window", [None, signal.vorbis_window])
@pytest.mark.parametrize("norm", [None, "ortho"])
def test_inverse_mdct_undoes_mdct(window, norm):
    spectra = signal.mdct(REAL, 4, window_fn=window, norm=norm)
    found = signal.inverse_mdct(spectra, window_fn=window, norm=norm)
    assert_close(found[:, 2:-2], REAL[:, 2:-2])


def test_mdct_has_tensorflows_values():
    expected = [[2.793247, 2.08243, -1.058095, 0.160589], [-2.617687, 1.774348, 1.090978, 0.213596]]
    assert_close(signal.mdct(SINE, 8), [expected])


def test_mdct_needs_frames_in_four_parts():
    with pytest.raises(ValueError, match=r"`frame_length` must be a multiple of 4; got 6"):
        signal.mdct(REAL, 6)


# --- the mel scale --------------------------------------------------------------------------------


def test_mel_weights_have_tensorflows_values():
    expected = np.zeros((6, 3))
    expected[1] = 0.590381, 0.409619, 0
    expected[2, 1:] = 0.582525, 0.417475
    expected[3:5, 2] = 0.878718, 0.337413
    assert_close(signal.linear_to_mel_weight_matrix(3, 6), expected)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"num_mel_bins": 0}, "`num_mel_bins` must be positive; got 0"),
        ({"sample_rate": -1}, "`sample_rate` must be positive; got -1.0"),
        (
            {"upper_edge_hertz": 5000.0},
            "`sample_rate` / 2 = 4000.0 must hold; got 125.0 and 5000.0",
        ),
        ({"lower_edge_hertz": 4000.0}, "must hold; got 4000.0 and 3800.0"),
        ({"dtype": tf.int32}, "`dtype` must be a float; got int32"),
    ],
)
def test_mel_weights_refuse(arguments, text):
    with pytest.raises(ValueError, match=text):
        signal.linear_to_mel_weight_matrix(**arguments)


def test_mfccs_are_scaled_cosine_transforms():
    found = signal.mfccs_from_log_mel_spectrograms(REAL)
    assert_close(found, signal.dct(REAL).numpy() / np.sqrt(24))
    with pytest.raises(ValueError, match="the last axis must hold mel bins"):
        signal.mfccs_from_log_mel_spectrograms(REAL[:, :0])


def test_cosine_transforms_take_floats():
    for transform in (tf.signal.dct, tf.signal.idct):
        with pytest.raises(TypeError, match="must be float32 or float64; got int32"):
            transform(tf.constant([1, 2]))


def test_cepstrum_of_an_unknown_number_of_bins():
    x = tf.constant([[1.0, 2.0, 4.0], [0.0, 1.0, 0.0]])
    spec = tf.TensorSpec([None, None])
    f = tf.function(tf.signal.mfccs_from_log_mel_spectrograms, input_signature=[spec])
    assert_close(f(x), tf.signal.mfccs_from_log_mel_spectrograms(x))
