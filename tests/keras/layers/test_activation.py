"""Activation layers."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers as L
from tests.tolerances import assert_close

X = np.array([[-2.0, -0.5, 0.0, 0.5, 2.0, 9.0]], np.float32)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (L.Activation("relu"), np.maximum(X, 0)),
        (L.Activation(tf.nn.tanh), np.tanh(X)),
        (L.Activation(lambda x: x + 1), X + 1),
        (L.ReLU(), np.maximum(X, 0)),
        (L.ReLU(6), np.clip(X, 0, 6)),
        (L.ReLU(6, 0.1, 1.0), np.where(X >= 6, 6, np.where(X > 1, X, 0.1 * (X - 1)))),
        (L.LeakyReLU(), np.where(X > 0, X, 0.3 * X)),
        (L.ELU(2.0), np.where(X > 0, X, 2 * np.expm1(np.minimum(X, 0)))),
        (L.PReLU(tf.keras.initializers.Constant(0.5)), np.where(X > 0, X, 0.5 * X)),
        (L.ThresholdedReLU(0.5), np.where(X > 0.5, X, 0)),
        (L.Softmax(), np.exp(X) / np.exp(X).sum()),
    ],
)
def test_values(layer, expected):
    assert_close(layer(X), expected)


def test_softmax_over_several_axes():
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    assert_close(L.Softmax([1, 2])(x), np.exp(x) / np.exp(x).sum((1, 2), keepdims=True))


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_softmax_gives_nothing_to_what_is_masked(dtype):
    mask = np.array([[True, False, True], [False, False, False]])
    y = L.Softmax(dtype=dtype)(np.zeros((2, 3), dtype), mask=tf.constant(mask))
    assert_close(y, [[0.5, 0.0, 0.5], [0.0, 0.0, 0.0]])
    steps = tf.zeros((2, 3, 4))
    steps._keras_mask = tf.constant(mask)
    y = L.Softmax()(steps)
    assert_close(tf.reduce_sum(y, -1), mask.astype(np.float32))


def test_prelu_slopes_are_shared_where_asked():
    layer = L.PReLU(shared_axes=[1, 2])
    layer(np.ones((2, 3, 4, 5), np.float32))
    assert tuple(layer.alpha.shape) == (1, 1, 5)
    assert L.PReLU(shared_axes=1).get_config()["shared_axes"] == (1,)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: L.Activation("nope"), ValueError, "nope"),
        (lambda: L.ReLU(-1), ValueError, "`max_value` must be a number of at least 0; got -1"),
        (lambda: L.ReLU(negative_slope=None), ValueError, "`negative_slope` must be a number"),
        (lambda: L.LeakyReLU(-1), ValueError, "`negative_slope` must be a number of at least 0"),
        (lambda: L.ThresholdedReLU(-1), ValueError, "`theta` must be a number of at least 0"),
        (lambda: L.Softmax("a")(X), TypeError, "`axis` must be integers; got 'a'"),
        (lambda: L.Softmax(2)(X), ValueError, "`axis` must lie in [-2, 1]"),
        (lambda: L.PReLU(shared_axes=(4,))(X), ValueError, "`shared_axes` must lie in [1, 1]"),
        (lambda: L.PReLU().build((None, None)), ValueError, "the shape of a weight must be known"),
    ],
)
def test_errors(make, kind, message):
    with pytest.raises(kind, match=r".") as error:
        make()
    assert message in str(error.value)


@pytest.mark.parametrize("shape", [(2, 4), (1, 2, 3)])
def test_softmax_refuses_masks_that_do_not_fit(shape):
    layer = tf.keras.layers.Softmax()
    assert layer.built
    with pytest.raises(ValueError, match=r"`mask` must broadcast to the inputs, of shape \(2, 3\)"):
        layer(np.ones((2, 3), "float32"), mask=np.ones(shape, bool))
