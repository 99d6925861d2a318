"""tf.keras.ops.nn: numbers of Keras 3.15 on TensorFlow, shapes, errors."""

import numpy as np
import pytest

import lamina as tf

ops = tf.keras.ops
X = np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4)


def reals(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


# What Keras gives for [-2, -0.5, 0.3, 2].
ACTIVATIONS = {
    "relu": [0, 0, 0.3, 2],
    "gelu": [-0.04540229, -0.154286, 0.18537, 1.9545977],
    "leaky_relu": [-0.4, -0.1, 0.3, 2],
    "hard_sigmoid": [1 / 6, 2.5 / 6, 3.3 / 6, 5 / 6],
    "sparse_plus": [0, 0.0625, 0.4225, 2],
    "sparse_sigmoid": [0, 0.25, 0.65, 1],
    "hard_shrink": [-2, 0, 0, 2],
    "soft_shrink": [-1.5, 0, 0, 1.5],
    "hard_tanh": [-1, -0.5, 0.3, 1],
    "squareplus": [0.41421354, 0.78077644, 1.1611873, 2.4142137],
    "tanh_shrink": [-1.0359724, -0.03788283, 0.00868744, 1.0359724],
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name):
    found = getattr(ops, name)(np.float32([-2, -0.5, 0.3, 2])).numpy()
    np.testing.assert_allclose(found, ACTIVATIONS[name], rtol=2e-5, atol=2e-6)


def test_softmax_over_all_and_over_several_axes():
    x = reals(2, 3, 4)
    assert float(ops.sum(ops.softmax(x, axis=None))) == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(ops.softmax(x, axis=(0, 2)).numpy().sum((0, 2)), 1, rtol=1e-6)
    np.testing.assert_allclose(
        ops.log_softmax(x, axis=None).numpy(), np.log(ops.softmax(x, axis=None)), rtol=1e-5
    )


@pytest.mark.parametrize(
    ("name", "arguments", "shape"),
    [
        ("conv", (reals(2, 9, 4), reals(3, 4, 5)), (2, 7, 5)),
        ("depthwise_conv", (reals(2, 8, 9, 4), reals(3, 3, 4, 2)), (2, 6, 7, 8)),
        ("separable_conv", (reals(2, 9, 4), reals(3, 4, 2), reals(1, 8, 3)), (2, 7, 3)),
        ("conv_transpose", (reals(2, 4, 4, 2), reals(3, 3, 3, 2), 2), (2, 9, 9, 3)),
        ("max_pool", (reals(2, 8, 9, 4), (2, 3)), (2, 4, 3, 4)),
        ("average_pool", (reals(2, 8, 9, 4), 2, 1, "same"), (2, 8, 9, 4)),
        ("adaptive_average_pool", (reals(2, 8, 9, 4), (3, 4)), (2, 3, 4, 4)),
        ("adaptive_max_pool", (reals(2, 9, 4), 4), (2, 4, 4)),
        ("unfold", (reals(2, 3, 6, 7), 2, 2, (0, 1), (1, 2)), (2, 12, 16)),
        ("depth_to_space", (reals(1, 2, 2, 12), 2), (1, 4, 4, 3)),
        ("space_to_depth", (reals(1, 3, 4, 4), 2, "channels_first"), (1, 12, 2, 2)),
    ],
)
def test_shapes(name, arguments, shape):
    assert tuple(getattr(ops, name)(*arguments).shape) == shape


def test_channels_first_is_channels_last_transposed():
    x, kernel = reals(2, 8, 9, 4), reals(3, 3, 4, 5)
    last = ops.conv(x, kernel, 2, "same").numpy()
    first = ops.conv(x.transpose(0, 3, 1, 2), kernel, 2, "same", "channels_first").numpy()
    np.testing.assert_allclose(first.transpose(0, 2, 3, 1), last, rtol=1e-4, atol=1e-5)


def test_unfold_takes_patches_channel_by_channel():
    x = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    np.testing.assert_array_equal(
        ops.unfold(x, 2, stride=2).numpy()[0],
        [[0, 2, 8, 10], [1, 3, 9, 11], [4, 6, 12, 14], [5, 7, 13, 15]],
    )


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_fold_sums_what_unfold_repeats(dtype):
    x = np.ones((1, 2, 4, 5), dtype)
    how = {"kernel_size": (2, 3), "padding": 1, "stride": (1, 2)}
    found = ops.fold(ops.unfold(x, **how), (4, 5), **how)
    assert found.dtype == dtype
    # 2 rows reach each pixel, and 1 or 2 columns.
    np.testing.assert_array_equal(found.numpy()[0, 0, 0], [2, 4, 2, 4, 2])


def test_the_gradient_of_fold_is_unfold():
    x = tf.constant(reals(1, 8, 4))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(ops.fold(x, 4, 2, stride=2) * 3.0)
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), np.full((1, 8, 4), 3.0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.unfold(X, 2), "unfold: `x` must have rank 4"),
        (lambda: ops.fold(X, 2, 2), "fold: `x` must have rank 3"),
        (lambda: ops.fold(reals(1, 8, 5), 4, 2, stride=2), r"`x` must have shape \(1, 8, 4\)"),
        (lambda: ops.depth_to_space(reals(1, 2, 2, 4), 1), "`block_size` must be 2 or more"),
        (lambda: ops.normalize(X, order=0), "`order` must be a positive int"),
        (lambda: ops.psnr(X, X[:2], 1.0), "`x1` and `x2` must have one shape"),
        (lambda: ops.multi_hot([1]), "`num_classes` must be given"),
        (lambda: ops.ctc_decode(reals(1, 2, 3), [2], "best"), "`strategy` must be 'greedy'"),
        (
            lambda: ops.ctc_decode(reals(1, 2, 3), [2], "beam_search", 2, 3),
            "`top_paths` must be at most `beam_width`",
        ),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_moments_of_halves_are_computed_in_float32():
    x = np.full((2, 300), 300, np.float16)
    mean, variance = ops.moments(x, [0, 1])
    assert (mean.dtype, float(mean), float(variance)) == ("float16", 300.0, 0.0)


def test_normalisations():
    x = reals(2, 3, 4)
    centred = (x - x.mean((1, 2), keepdims=True)) / np.sqrt(
        x.var((1, 2), keepdims=True) + tf.keras.config.epsilon()
    )
    np.testing.assert_allclose(
        ops.layer_normalization(x, axis=(1, 2)).numpy(), centred, rtol=1e-4, atol=1e-5
    )
    scaled = x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-7) * 2
    np.testing.assert_allclose(ops.rms_normalization(x, 2.0).numpy(), scaled, rtol=1e-5)
    found = ops.batch_normalization(x, [1.0, 2.0, 3.0], [4.0, 4.0, 4.0], axis=1, epsilon=0.0)
    want = (x - np.float32([1, 2, 3])[:, None]) / 2
    np.testing.assert_allclose(found.numpy(), want, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(ops.normalize(np.zeros((2, 3), np.float32)).numpy(), 0)
    for order in (1, 2, 3):
        found = ops.normalize(x, axis=1, order=order).numpy()
        np.testing.assert_allclose(np.linalg.norm(found, order, 1), 1, rtol=1e-5)


def test_indicators():
    np.testing.assert_array_equal(
        ops.one_hot([[0, 2], [-1, 5]], 3).numpy(), [[[1, 0, 0], [0, 0, 1]], [[0] * 3] * 2]
    )
    assert ops.one_hot([0], 2, dtype="bool").dtype == "bool"
    np.testing.assert_array_equal(
        ops.multi_hot(np.array([[0, 2], [1, 1]]), 4, dtype="int32").numpy(),
        [[1, 0, 1, 0], [0, 1, 0, 0]],
    )
    assert tuple(ops.multi_hot([0, 2], num_tokens=4).shape) == (4,)


def test_cross_entropies():
    p = np.float32([[0.2, 0.3, 0.5]])
    np.testing.assert_allclose(
        ops.categorical_crossentropy(np.float32([[0, 0, 1]]), p).numpy(), [-np.log(0.5)], rtol=1e-5
    )
    np.testing.assert_allclose(
        ops.sparse_categorical_crossentropy([[1]], p).numpy(), [-np.log(0.3)], rtol=1e-5
    )
    np.testing.assert_allclose(
        ops.binary_crossentropy(np.float32([[0, 1, 1]]), p).numpy(),
        -np.log([[0.8, 0.3, 0.5]]),
        rtol=1e-5,
    )


def test_ctc():
    logits = np.log(np.float32([[[0.1, 0.6, 0.3], [0.5, 0.2, 0.3], [0.1, 0.2, 0.7]]]))
    # The alignments of 1, 2 with three frames, 0 the blank: 112 122 102 120 012.
    chances = (
        0.6 * 0.2 * 0.7 + 0.6 * 0.3 * 0.7 + 0.6 * 0.5 * 0.7 + 0.6 * 0.3 * 0.1 + 0.1 * 0.2 * 0.7
    )
    loss = ops.ctc_loss([[1, 2]], logits, [2], [3]).numpy()
    np.testing.assert_allclose(loss, [-np.log(chances)], rtol=1e-5)
    labels, _ = ops.ctc_decode(logits, [3])
    np.testing.assert_array_equal(labels.numpy(), [[[1, 2, -1]]])
    labels, scores = ops.ctc_decode(logits, [3], "beam_search", beam_width=9, top_paths=2)
    np.testing.assert_array_equal(labels.numpy()[0], [[1, 2, -1]])
    np.testing.assert_allclose(scores.numpy()[0, 0], np.log(chances), rtol=1e-5)
    assert tuple(scores.shape) == (1, 2)


def test_attention():
    query, key = reals(1, 3, 4, 8), reals(1, 5, 2, 8, seed=1)
    found = ops.dot_product_attention(query, key, key, is_causal=True)
    # The first query sees the first key only; heads 0 and 1 share key head 0.
    np.testing.assert_allclose(found.numpy()[0, 0, :2], [key[0, 0, 0]] * 2, rtol=1e-5)
    mask = np.zeros((3, 5), bool)
    mask[:, 2] = True
    found = ops.dot_product_attention(query, key, key, mask=mask).numpy()
    np.testing.assert_allclose(found[0, 1, 3], key[0, 2, 1], rtol=1e-5)
    half = ops.dot_product_attention(query.astype(np.float16), key.astype(np.float16), key)
    assert half.dtype == "float32"


def test_polar_and_psnr():
    found = ops.nn.polar(np.float32([2.0]), np.float32([np.pi / 2])).numpy()
    np.testing.assert_allclose(found, [2j], atol=1e-6)
    assert float(ops.psnr(X, X + 0.1, 2.0)) == pytest.approx(20 * np.log10(20), rel=1e-4)
