"""ConvLSTM1D, ConvLSTM2D, ConvLSTM3D. Literals are those of Keras 3.15 on TensorFlow 2.21."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers as L
from tests.tolerances import assert_close

RNG = np.random.RandomState(0)
X = RNG.randn(2, 3, 5, 2).astype("float32")  # (B, T, space, C)
MASK = np.array([[True, False, True], [False, True, True]])


def test_values_are_those_of_keras():
    x = np.sin(np.arange(8)).reshape(1, 2, 4, 1).astype("float32")
    layer = L.ConvLSTM1D(1, 2, strides=2, padding="same", return_state=True)
    layer.build(x.shape)
    kernels = [f(np.arange(8)).reshape(2, 1, 4) for f in (np.cos, np.sin)]
    layer.set_weights([*kernels, np.arange(4) / 10])
    y, h, c = layer(x)
    assert_close(y, [[[0.004813], [0.16565]]])
    assert_close(h, y)
    assert_close(c, [[[0.008217], [0.226232]]])


@pytest.mark.parametrize("settings", [{}, {"go_backwards": True}, {"unroll": True}])
def test_a_window_of_one_is_an_lstm_at_each_place(settings):
    settings = {"return_sequences": True, **settings}
    conv, lstm = L.ConvLSTM1D(4, 1, **settings), L.LSTM(4, **settings)
    y = conv(X)
    lstm.build((2, 3, 2))
    lstm.set_weights([w[0] if w.ndim == 3 else w for w in conv.get_weights()])
    for place in range(5):
        assert_close(y[:, :, place], lstm(X[:, :, place]))


def test_a_masked_step_keeps_the_states():
    layer = L.ConvLSTM1D(2, 2, return_sequences=True, return_state=True)
    y, h, c = layer(X, mask=MASK)
    alone, h_alone, c_alone = layer(X[:1, ::2])
    assert_close(y[:1, ::2], alone)
    assert_close(y[0, 1], y[0, 0])
    assert_close(h[:1], h_alone)
    assert_close(c[:1], c_alone)
    assert_close(y._keras_mask, MASK)


def test_channels_first_is_the_same_turned():
    last = L.ConvLSTM2D(3, 2, return_sequences=True)
    first = L.ConvLSTM2D(3, 2, return_sequences=True, data_format="channels_first")
    x = RNG.randn(2, 3, 4, 5, 2).astype("float32")
    y = last(x)
    first.build((2, 3, 2, 4, 5))
    first.set_weights(last.get_weights())
    assert_close(first(np.moveaxis(x, -1, 2)), np.moveaxis(y.numpy(), -1, 2))


def test_a_stateful_layer_goes_on_where_it_stopped():
    whole, parts = L.ConvLSTM1D(2, 2), L.ConvLSTM1D(2, 2, stateful=True)
    y = whole(X)
    parts.build((2, 1, 5, 2))
    parts.set_weights([*whole.get_weights(), *parts.get_weights()[3:]])
    for step in range(3):
        z = parts(X[:, step : step + 1])
    assert_close(z, y)
    parts.reset_state()
    assert_close(parts(X[:, :1]), whole(X[:, :1]))


def test_initial_states_are_taken():
    layer = L.ConvLSTM1D(2, 2, padding="same", return_state=True)
    _, h, c = layer(X[:, :2])
    assert_close(layer(X[:, 2:], initial_state=[h, c])[0], layer(X)[0])


def test_dropout_drops_while_training_only():
    layer = L.ConvLSTM1D(2, 2, dropout=0.5, recurrent_dropout=0.5, seed=1)
    assert_close(layer(X), layer(X))
    assert np.abs(layer(X, training=True).numpy() - layer(X).numpy()).max() > 1e-3


def test_the_bias_of_the_forget_gate_starts_at_one():
    layer = L.ConvLSTM1D(2, 2)
    layer.build((None, None, 5, 2))
    assert_close(layer.weights[2], [0, 0, 1, 1, 0, 0, 0, 0])
    assert layer.weights[0].path == f"{layer.name}/conv_lstm_cell/kernel"


def test_config_gives_an_equal_layer():
    layer = L.ConvLSTM2D(2, (1, 2), dilation_rate=2, activity_regularizer="l2", unroll=True)
    copy = L.ConvLSTM2D.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    assert copy.get_config()["unroll"] is True
    assert "cell" not in layer.get_config()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.ConvLSTM1D(0, 2), "`filters` must be a positive integer; got 0"),
        (lambda: L.ConvLSTM2D(2, 2, padding="causal"), "`padding` must be one of"),
        (lambda: L.ConvLSTM2D(2, 2, strides=2, dilation_rate=2), "`strides` or `dilation_rate`"),
        (lambda: L.ConvLSTM1D(2, 2)(tf.ones((2, 3, 4))), "the input must have 3 axes; got 2"),
        (lambda: L.ConvLSTM1D(2, 2)(tf.keras.Input((3, None, 2))), "must have a known size"),
        (lambda: L.ConvLSTM1D(2, 2)(X, initial_state=[X[:, 0]]), "must hold the 2 states"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=r".") as error:
        make()
    assert message in str(error.value)
