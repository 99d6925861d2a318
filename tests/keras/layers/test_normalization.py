"""Normalisations, their statistics, and what freezing does."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers as L
from tests.tolerances import assert_close

X = np.random.default_rng(0).normal(3.0, 2.0, size=(6, 4, 3)).astype(np.float32)


def normalized(x, axes, epsilon=1e-3):
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon)


@pytest.mark.parametrize("axis", [-1, 1])
def test_batch_normalization_trains_and_infers(axis):
    layer = L.BatchNormalization(axis, momentum=0.9, beta_initializer="ones")
    axes = (0, 1) if axis == -1 else (0, 2)
    assert_close(layer(X, training=True), normalized(X, axes) + 1)
    mean, variance = 0.1 * X.mean(axes), 0.9 + 0.1 * X.var(axes)
    assert_close(layer.moving_mean, mean)
    assert_close(layer.moving_variance, variance)
    shape = (1, 1, 3) if axis == -1 else (1, 4, 1)
    expected = (X - mean.reshape(shape)) / np.sqrt(variance.reshape(shape) + 1e-3) + 1
    assert_close(layer(X), expected)
    assert_close(layer.moving_mean, mean)
    assert [w.name for w in layer.weights] == ["gamma", "beta", "moving_mean", "moving_variance"]
    assert len(layer.trainable_weights) == 2


def test_frozen_batch_normalization_infers_and_keeps_its_statistics():
    layer = L.BatchNormalization()
    layer(X)
    layer.trainable = False
    assert_close(layer(X, training=True), layer(X, training=False))
    assert_close(layer.moving_mean, np.zeros(3))
    assert layer.trainable_weights == []
    layer.trainable = True
    layer(X, training=True)
    assert np.any(layer.moving_mean.numpy() != 0)


def test_masked_steps_do_not_count():
    mask = np.array([[True, True, False, True]] * 6)
    layer = L.BatchNormalization(momentum=0.0)
    y = layer(X, training=True, mask=tf.constant(mask))
    kept = X[mask]
    assert_close(y.numpy()[mask], normalized(kept, 0))
    assert_close(layer.moving_mean, kept.mean(0))
    x = tf.constant(X)
    x._keras_mask = tf.constant(mask)
    again = L.BatchNormalization(momentum=0.0)
    assert_close(again(x, training=True), y)


def test_batch_normalization_in_half_precision_keeps_float_statistics():
    layer = L.BatchNormalization(dtype="mixed_bfloat16", momentum=0.0)
    assert layer(X + 1000, training=True).dtype == tf.bfloat16
    assert layer.moving_mean.dtype == tf.float32
    assert_close(layer.moving_mean, X.mean((0, 1)) + 1000, "bfloat16")


def test_statistics_move_in_a_function():
    layer = L.BatchNormalization(momentum=0.5)
    step = tf.function(lambda x: layer(x, training=True))
    step(tf.constant(X))
    step(tf.constant(X))
    assert_close(layer.moving_mean, 0.75 * X.mean((0, 1)))


def test_renorm_uses_moving_statistics_within_limits():
    # Keras 3.15, same numbers: first step of rmax 1.5, rmin 0.5, dmax 0.3.
    x = X[:, 0, :2]
    layer = L.BatchNormalization(
        renorm=True, renorm_clipping={"rmax": 1.5, "rmin": 0.5, "dmax": 0.3}, renorm_momentum=0.9
    )
    y = layer(x, training=True)
    stddev = np.sqrt(x.var(0) + 1e-3)
    expected = (x - x.mean(0)) / stddev * np.clip(stddev, 0.5, 1.5) + np.clip(x.mean(0), -0.3, 0.3)
    assert_close(y, expected)
    assert_close(layer.renorm_mean, 0.1 * x.mean(0))
    assert_close(layer.renorm_stddev, 0.9 + 0.1 * stddev)
    assert_close(layer.moving_stddev, 0.99 + 0.01 * stddev)
    names = [w.name for w in layer.non_trainable_weights]
    assert names[2:] == ["moving_stddev", "renorm_mean", "renorm_stddev"]


@pytest.mark.parametrize(("axis", "axes"), [(-1, 2), (1, 1), ([1, 2], (1, 2))])
def test_layer_normalization(axis, axes):
    layer = L.LayerNormalization(axis, epsilon=1e-5)
    assert_close(layer(X), normalized(X, axes, 1e-5))
    assert layer.get_config()["axis"] == axis


def test_layer_normalization_survives_large_offsets():
    x = X + 1e4
    assert_close(
        L.LayerNormalization()(x),
        normalized(x.astype(np.float64), -1).astype("float32"),
        "bfloat16",
    )


def test_group_normalization_is_between_layer_and_instance_normalization():
    x = np.tile(X, (1, 1, 2))
    one = L.GroupNormalization(1)(x)
    assert_close(one, normalized(x, (1, 2)))
    each = L.GroupNormalization(-1)
    assert_close(each(x), normalized(x, 1))
    assert each.groups == 6
    two = L.GroupNormalization(2)(x).numpy()
    assert_close(two[..., :3], normalized(x[..., :3], (1, 2)))


def test_rms_and_unit_normalization():
    assert_close(L.RMSNormalization()(X), X / np.sqrt((X**2).mean(-1, keepdims=True) + 1e-6))
    assert_close(L.UnitNormalization([1, 2])(X), X / np.sqrt((X**2).sum((1, 2), keepdims=True)))


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: L.BatchNormalization([1, 2]), TypeError, "`axis` must be an integer; got [1, 2]"),
        (lambda: L.BatchNormalization(momentum=2), ValueError, "a number in [0, 1]; got 2"),
        (lambda: L.BatchNormalization(3)(X), ValueError, "`axis` must lie in [-3, 2]"),
        (lambda: L.BatchNormalization().build((2, None)), ValueError, "must have a known size"),
        (
            lambda: L.BatchNormalization(renorm=True, renorm_clipping={"r": 1}),
            ValueError,
            "`renorm_clipping` must be one of ['rmin', 'rmax', 'dmax']; got 'r'",
        ),
        (lambda: L.LayerNormalization("a"), TypeError, "`axis` must be integers; got 'a'"),
        (lambda: L.LayerNormalization(5)(X), ValueError, "`axis` must lie in [-3, 2]"),
        (lambda: L.GroupNormalization(2)(X), ValueError, "`groups` must divide the number of"),
        (lambda: L.UnitNormalization(4)(X), ValueError, "`axis` must lie in [-3, 2]"),
    ],
)
def test_errors(make, kind, message):
    with pytest.raises(kind, match="Normalization") as error:
        make()
    assert message in str(error.value)


def test_renormalised_variance_follows_the_deviation_as_in_keras():
    layer = L.BatchNormalization(renorm=True, momentum=0.5, renorm_momentum=0.5)
    y = layer(np.array([[1.0], [2.0], [3.0], [6.0]], np.float32), training=True)
    assert_close(y, [[1.0], [2.0], [3.0], [6.0]])
    assert_close(layer.moving_variance, [2.059798])
    assert_close(layer.moving_stddev, [1.435548])


@pytest.mark.parametrize("kind", [ValueError, IndexError])
def test_an_axis_that_is_not_there_is_a_wrong_value_and_a_wrong_index(kind):
    with pytest.raises(kind, match=r"`axis` must lie in \[-3, 2\] for an input of 3 axes; got 5"):
        L.BatchNormalization(axis=5)(X)


@pytest.mark.parametrize("kind", [L.LayerNormalization, L.GroupNormalization])
def test_inputs_are_normalised_before_they_become_half_precision(kind):
    layer = kind(dtype="mixed_float16", **({"groups": 2} if kind is L.GroupNormalization else {}))
    y = layer(tf.constant([[1e5, 3e5, 5e5, 7e5]]))
    assert y.dtype == "float16"
    assert np.isfinite(y.numpy()).all()
    assert layer(np.array([[1, 2, 3, 4]])).dtype == "float16"


@pytest.mark.parametrize("kind", [L.LayerNormalization, L.RMSNormalization])
def test_the_last_axis_stays_the_last_for_inputs_with_more_axes(kind):
    layer = kind(epsilon=0.0)
    layer.build((None, 3, 4))
    x = np.arange(1.0, 25.0, dtype="float32").reshape(1, 2, 3, 4)
    y = layer(x)
    assert_close(y[0], np.stack([layer(x[:, i])[0] for i in range(2)]))


@pytest.mark.parametrize("clipping", [{"rmin": 1.0, "rmax": 0.5}, {"dmax": -1.0}])
def test_renorm_clipping_is_checked(clipping):
    with pytest.raises(ValueError, match=r"must have rmin <= rmax and 0 <= dmax; got"):
        L.BatchNormalization(renorm=True, renorm_clipping=clipping)
