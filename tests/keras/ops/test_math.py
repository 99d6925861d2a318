"""tf.keras.ops: special functions, segments, spectra."""

import numpy as np
import pytest

import lamina as tf

ops = tf.keras.ops


def reals(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


X = reals(3, 8)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize(("name", "want"), [("erf", 0.5204999), ("erfc", 0.4795001)])
def test_error_functions_keep_the_dtype(name, want, dtype):
    found = getattr(ops, name)(tf.constant([0.5], dtype))
    assert found.dtype == dtype
    assert float(found[0]) == pytest.approx(want, rel=1e-2 if "16" in dtype else 1e-6)


def test_erfinv_undoes_erf():
    found = ops.erfinv(ops.erf(tf.constant([0.3, -0.7]))).numpy()
    np.testing.assert_allclose(found, [0.3, -0.7], rtol=1e-5)
    assert ops.erfinv(tf.constant([0.3], "float16")).dtype == "float16"


def test_reductions():
    np.testing.assert_allclose(
        ops.logsumexp(X, axis=1).numpy(), np.log(np.exp(X).sum(1)), rtol=1e-5
    )
    values, indices = ops.top_k(np.int32([3, 9, 5]), 2)
    np.testing.assert_array_equal(values.numpy(), [9, 5])
    np.testing.assert_array_equal(indices.numpy(), [1, 2])
    np.testing.assert_array_equal(
        ops.in_top_k(np.array([1, 0]), np.float32([[0.1, 0.9], [0.2, 0.8]]), 1).numpy(),
        [True, False],
    )
    np.testing.assert_allclose(
        ops.cdist(X, X[:2]).numpy(), np.linalg.norm(X[:, None] - X[None, :2], axis=-1), atol=1e-5
    )


IDS = np.array([0, 2, 2, 0, 1])
DATA = np.float32([1, 2, 4, 8, 16])


@pytest.mark.parametrize(
    ("kind", "want"),
    [
        ("sum", [9, 16, 6]),
        ("max", [8, 16, 4]),
        ("min", [1, 16, 2]),
        ("prod", [8, 16, 8]),
    ],
)
def test_segments(kind, want):
    reduce = getattr(ops, f"segment_{kind}")
    np.testing.assert_array_equal(reduce(DATA, IDS).numpy(), want)
    np.testing.assert_array_equal(reduce(DATA, IDS, num_segments=4).numpy()[:3], want)
    order = np.argsort(IDS, kind="stable")
    np.testing.assert_array_equal(reduce(DATA[order], IDS[order], sorted=True).numpy(), want)
    with pytest.raises(ValueError, match=f"segment_{kind}: `num_segments` must be None"):
        reduce(DATA, IDS, num_segments=3, sorted=True)
    with pytest.raises(ValueError, match="`segment_ids` must be a vector"):
        reduce(DATA, IDS[:3])


def test_fourier_transforms_are_numpys():
    real, imaginary = X, X[::-1].copy()
    z = real + 1j * imaginary
    for found, want in (
        (ops.fft((real, imaginary)), np.fft.fft(z)),
        (ops.fft2((real, imaginary)), np.fft.fft2(z)),
        (ops.ifft2((real, imaginary)), np.fft.ifft2(z)),
        (ops.rfft(real), np.fft.rfft(real)),
        (ops.rfft(real, 5), np.fft.rfft(real, 5)),
    ):
        np.testing.assert_allclose(found[0].numpy(), want.real, atol=1e-4)
        np.testing.assert_allclose(found[1].numpy(), want.imag, atol=1e-4)
    np.testing.assert_allclose(ops.irfft(ops.rfft(real)).numpy(), real, atol=1e-5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ops.fft(X), ValueError, "`x` must be a pair"),
        (lambda: ops.fft((X, X[:2])), ValueError, "both parts of `x` must have one shape"),
        (lambda: ops.fft((X, X.astype(int))), ValueError, "must be floating point"),
        (lambda: ops.stft(X, 4, 0, 4), ValueError, "`sequence_stride` must be a positive int"),
        (lambda: ops.stft(X, 4, 2, 3), ValueError, "`fft_length` must not be less"),
        (lambda: ops.stft(X, 4, 2, 4, window="flat"), ValueError, "`window` must be 'hann'"),
        (lambda: ops.stft(X, 4, 2, 4, window=np.ones(3)), ValueError, r"must have shape \(4,\)"),
        (lambda: ops.stft(X.astype(int), 4, 2, 4), TypeError, "must be float32 or float64"),
        (lambda: ops.cdist(X, X[:, :3]), ValueError, "one size of the last axis"),
        (lambda: ops.view_as_complex(X), ValueError, "must have size 2"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("window", ["hann", "hamming", np.linspace(0.1, 1, 8)])
def test_istft_undoes_stft(window):
    x = reals(2, 40)
    parts = ops.stft(x, 8, 2, 10, window=window)
    found = ops.istft(parts, 8, 2, 10, length=36, window=window).numpy()
    np.testing.assert_allclose(found[:, 4:-4], x[:, 4:32], atol=1e-4)


def test_frames():
    np.testing.assert_array_equal(
        ops.extract_sequences(np.arange(7), 3, 2).numpy(), [[0, 1, 2], [2, 3, 4], [4, 5, 6]]
    )


def test_complex_views():
    z = ops.view_as_complex(np.float32([[1, 2], [3, 4]]))
    np.testing.assert_array_equal(z.numpy(), [1 + 2j, 3 + 4j])
    np.testing.assert_array_equal(ops.view_as_real(z).numpy(), [[1, 2], [3, 4]])
