"""time_major=True, as Keras 2 knew it: sequences, masks and outputs with time first."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras.spelling import forget_notes

layers = tf.keras.layers
X = np.random.default_rng(0).normal(size=(5, 3, 4)).astype("float32")  # T 5, B 3, F 4
MASK = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1], [1, 0, 0, 0, 0]], bool)  # B 3, T 5

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def swapped(x):
    return np.swapaxes(np.asarray(x), 0, 1)


def twins(make, **kwargs):
    """Return a layer with time first, and the same with the batch first."""
    late, early = make(time_major=True, **kwargs), make(**kwargs)
    late.build(X.shape)
    early.build(swapped(X).shape)
    early.set_weights(late.get_weights())
    return late, early


def of_cells(**kwargs):
    return layers.RNN([layers.GRUCell(3), layers.LSTMCell(2)], **kwargs)


def lstm(**kwargs):
    return layers.LSTM(2, **kwargs)


@pytest.mark.parametrize("make", [lstm, of_cells])
@pytest.mark.parametrize("backwards", [False, True])
def test_the_axes_are_swapped(make, backwards):
    given = {"return_sequences": True, "return_state": True, "go_backwards": backwards}
    late, early = twins(make, **given)
    output, *states = late(X, mask=swapped(MASK))
    expected, *others = early(swapped(X), mask=MASK)
    np.testing.assert_allclose(swapped(output), expected, rtol=1e-5, atol=1e-6)
    for state, other in zip(tf.nest.flatten(states), tf.nest.flatten(others), strict=True):
        np.testing.assert_allclose(state, other, rtol=1e-5, atol=1e-6)


def test_the_last_output_has_no_time():
    late, early = twins(lstm)
    np.testing.assert_allclose(late(X), early(swapped(X)), rtol=1e-5, atol=1e-6)
    assert late(tf.keras.Input(batch_shape=(None, 3, 4))).shape == (3, 2)


def test_stateful_layers_know_the_batch():
    late, early = twins(lstm, stateful=True)
    for _ in range(2):
        np.testing.assert_allclose(late(X), early(swapped(X)), rtol=1e-5, atol=1e-6)


def test_both_directions():
    late, early = twins(lambda **kw: layers.Bidirectional(lstm(return_sequences=True, **kw)))
    np.testing.assert_allclose(swapped(late(X)), early(swapped(X)), rtol=1e-5, atol=1e-6)


def test_the_config_holds_it_and_a_note_says_what_to_write():
    forget_notes()
    with pytest.warns(DeprecationWarning, match=r"layers.LSTM\(time_major=\).* tf.transpose"):
        layer = lstm(time_major=True)
    assert layers.LSTM.from_config(layer.get_config()).time_major
    assert "time_major" not in lstm().get_config()
