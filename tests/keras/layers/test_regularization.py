"""Dropout and noise: shares, what is dropped together, reproducibility."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers as L
from tests.tolerances import assert_close

ONES = np.ones((50, 40, 20), np.float32)

NOISY = [
    lambda **k: L.Dropout(0.3, **k),
    lambda **k: L.SpatialDropout1D(0.3, **k),
    lambda **k: L.AlphaDropout(0.3, **k),
    lambda **k: L.GaussianDropout(0.3, **k),
    lambda **k: L.GaussianNoise(0.3, **k),
]


@pytest.mark.parametrize("make", NOISY)
def test_only_training_makes_noise_and_seeds_repeat_it(make):
    layer = make(seed=5)
    assert_close(layer(ONES), ONES)
    assert_close(layer(ONES, training=False), ONES)
    first, second = layer(ONES, training=True).numpy(), layer(ONES, training=True).numpy()
    assert not np.array_equal(first, second)
    assert_close(make(seed=5)(ONES, training=True), first)
    assert not np.array_equal(make()(ONES, training=True).numpy(), first)
    assert layer.weights == []
    assert [v.name for v in layer.variables] == ["seed_generator_state"]
    assert layer.get_config()["seed"] == 5


def test_dropout_keeps_the_mean():
    y = L.Dropout(0.3, seed=1)(ONES, training=True).numpy()
    assert sorted(set(y.ravel().tolist())) == pytest.approx([0.0, 1 / 0.7])
    assert (y == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert_close(L.Dropout(1.0)(ONES, training=True), np.zeros_like(ONES))
    assert_close(L.Dropout(0.0)(ONES, training=True), ONES)


def test_what_shares_a_draw():
    y = L.Dropout(0.5, noise_shape=(None, 1, 20), seed=1)(ONES, training=True).numpy()
    assert np.all(y == y[:, :1])
    assert not np.all(y == y[:1])
    y = L.SpatialDropout1D(0.5, seed=1)(ONES, training=True).numpy()
    assert np.all(y == y[:, :1])
    first = L.SpatialDropout2D(0.5, "channels_first", seed=1)(ONES[None], training=True).numpy()
    assert np.all(first == first[:, :, :1, :1])
    assert not np.all(first == first[:, :1])


def test_alpha_dropout_keeps_mean_and_variance():
    x = np.random.default_rng(0).normal(size=ONES.shape).astype(np.float32)
    y = L.AlphaDropout(0.3, seed=1)(x, training=True).numpy()
    assert y.mean() == pytest.approx(0.0, abs=0.02)
    assert y.std() == pytest.approx(1.0, abs=0.02)


def test_noise_has_the_stated_deviation():
    assert L.GaussianNoise(0.3, seed=1)(ONES, training=True).numpy().std() == pytest.approx(
        0.3, abs=0.01
    )
    deviation = np.sqrt(0.3 / 0.7)
    y = L.GaussianDropout(0.3, seed=1)(ONES, training=True).numpy()
    assert y.std() == pytest.approx(deviation, abs=0.01)


def test_dropout_draws_anew_in_a_function():
    layer = L.Dropout(0.5, seed=1)
    step = tf.function(lambda x: layer(x, training=True))
    assert not np.array_equal(step(tf.constant(ONES)).numpy(), step(tf.constant(ONES)).numpy())


def test_dropout_at_unknown_batch():
    out = L.Dropout(0.5, noise_shape=(None, 1))(tf.keras.Input((3,)), training=True)
    assert tuple(out.shape) == (None, 3)


def test_gradient_flows_through_what_is_kept():
    layer, x = L.Dropout(0.5, seed=1), tf.constant(ONES)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
    assert_close(tape.gradient(y, x), y)


def test_activity_regularization_is_a_mean_over_the_batch():
    layer = L.ActivityRegularization(l1=0.5, l2=2.0)
    layer(tf.constant([[1.0, -2.0], [0.0, 1.0]]))
    assert float(layer.losses[0]) == pytest.approx((0.5 * 4 + 2.0 * 6) / 2)


def test_config_of_spatial_dropout_is_that_of_keras():
    config = L.SpatialDropout2D(0.5, name="s").get_config()
    assert config == {
        "name": "s",
        "dtype": "float32",
        "rate": 0.5,
        "seed": None,
        "data_format": "channels_last",
    }
    mixed = L.SpatialDropout1D(0.5, dtype="mixed_bfloat16")
    assert L.SpatialDropout1D.from_config(mixed.get_config()).compute_dtype == "bfloat16"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.Dropout(1.5), "Dropout: `rate` must be a number in [0, 1]; got 1.5"),
        (lambda: L.Dropout("a"), "`rate` must be a number in [0, 1]; got 'a'"),
        (lambda: L.GaussianDropout(1.0), "`rate` must be a number in [0, 1); got 1.0"),
        (lambda: L.GaussianNoise(-1), "`stddev` must be a number in [0, 1]; got -1"),
        (lambda: L.Dropout(0.5, seed=1.5), "`seed` must be an int or None; got 1.5"),
        (
            lambda: L.Dropout(0.5, noise_shape=(1,))(ONES, training=True),
            "`noise_shape` must have one entry for each of the input's 3 axes; got (1,)",
        ),
        (lambda: L.SpatialDropout1D(0.5)(tf.ones((2, 3))), "the input must have 3 axes; got 2"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=r".") as error:
        make()
    assert message.removeprefix("Dropout: ") in str(error.value)


def test_noise_shape_is_a_sequence():
    with pytest.raises(ValueError, match="`noise_shape` must be a sequence of sizes; got 3"):
        L.Dropout(0.5, noise_shape=3)


def test_integers_may_be_penalised_and_masked():
    layer = L.ActivityRegularization(l1=0.5)
    layer(tf.constant([[1, -2]]))
    assert_close(layer.losses[0], np.float32(1.5))
    y = L.Masking()(tf.constant([[[0, 0], [1, 0]]]))
    assert_close(y._keras_mask, [[False, True]])


@pytest.mark.parametrize("noise_shape", ["ab", 3, (2.0, 1), (2, -1), (0, 1), (True, 1)])
@pytest.mark.parametrize("kind", [L.Dropout, L.AlphaDropout])
def test_noise_shape_holds_sizes(kind, noise_shape):
    with pytest.raises(ValueError, match="`noise_shape` must be a sequence of sizes; got"):
        kind(0.5, noise_shape=noise_shape)
    assert kind(0.5, noise_shape=[None, np.int64(1)]).noise_shape == (None, 1)
