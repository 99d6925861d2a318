"""tf.nn.RNNCell…Wrapper: what is dropped, added, and where it runs."""

import numpy as np
import pytest

import lamina as tf

layers = tf.keras.layers
X = np.linspace(-1, 1, 24).reshape(2, 3, 4).astype("float32")


class Twice(layers.Layer):
    """A cell whose output and states are easy to tell: 2 x, and the states as they are."""

    state_size = (4, 4)
    output_size = 4

    def call(self, inputs, states):
        return 2 * inputs, states


def states(value=1.0, rows=2):
    return [tf.fill([rows, 4], value), tf.fill([rows, 4], value)]


def test_residual_adds_the_input():
    cell = layers.LSTMCell(4)
    wrapped = tf.nn.RNNCellResidualWrapper(cell)
    output, after = wrapped(X[:, 0], states(0.0))
    plain, same = cell(X[:, 0], states(0.0))
    np.testing.assert_allclose(output, plain + X[:, 0], rtol=1e-6)
    np.testing.assert_array_equal(after[1], same[1])
    assert wrapped.state_size == [4, 4]
    assert wrapped.output_size == 4
    assert wrapped.wrapped_cell is cell
    assert len(wrapped.trainable_variables) == 3


def test_residual_with_a_function_of_its_own():
    wrapped = tf.nn.RNNCellResidualWrapper(Twice(), residual_fn=lambda x, y: x * y)
    np.testing.assert_allclose(wrapped(X[:, 0], states())[0], 2 * X[:, 0] ** 2, rtol=1e-6)


def test_residual_needs_one_shape():
    wrapped = tf.nn.RNNCellResidualWrapper(layers.LSTMCell(5))
    start = [tf.zeros((2, 5)), tf.zeros((2, 5))]
    with pytest.raises(ValueError, match=r"must have one shape; got \(2, 4\) and \(2, 5\)"):
        wrapped(X[:, 0], start)


def test_sequences_train_through_wrapped_cells():
    cell = layers.LSTMCell(4, dropout=0.5, recurrent_dropout=0.2, seed=1)
    inner = tf.nn.RNNCellDropoutWrapper(cell, output_keep_prob=0.9, seed=2)
    device = tf.nn.RNNCellDeviceWrapper(tf.nn.RNNCellResidualWrapper(inner), "/CPU:0")
    layer = layers.RNN(device, return_sequences=True)
    model = tf.keras.Sequential([tf.keras.Input((3, 4)), layer, layers.Dense(1)])
    model.compile("adam", "mse")
    history = model.fit(X, np.ones((2, 3, 1)), epochs=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert model.predict(X, verbose=0).shape == (2, 3, 1)


def test_the_share_that_is_kept_is_divided_by_it():
    wrapped = tf.nn.RNNCellDropoutWrapper(
        Twice(), input_keep_prob=0.5, output_keep_prob=0.5, state_keep_prob=0.8, seed=4
    )
    rows = 400
    output, after = wrapped(tf.ones((rows, 4)), states(rows=rows))
    values, counts = np.unique(output.numpy(), return_counts=True)
    np.testing.assert_array_equal(values, [0, 8])
    np.testing.assert_allclose(counts[1] / output.numpy().size, 0.25, atol=0.04)
    np.testing.assert_allclose(np.unique(after[0].numpy()), [0, 1.25])
    again, _ = wrapped(tf.ones((rows, 4)), states(rows=rows))
    assert (again.numpy() != output.numpy()).any()


def test_the_filter_says_which_states_are_dropped():
    wrapped = tf.nn.RNNCellDropoutWrapper(
        Twice(), state_keep_prob=0.5, dropout_state_filter_visitor=lambda states: [False, True]
    )
    _, (kept, dropped) = wrapped(X[:, 0], states())
    np.testing.assert_array_equal(kept, 1)
    assert set(np.unique(dropped)) <= {0, 2}
    with pytest.raises(TypeError, match="must be a function"):
        tf.nn.RNNCellDropoutWrapper(Twice(), dropout_state_filter_visitor=3)


def test_variational_dropout_drops_the_same_at_all_steps():
    wrapped = tf.nn.RNNCellDropoutWrapper(
        Twice(),
        input_keep_prob=0.5,
        output_keep_prob=0.5,
        variational_recurrent=True,
        input_size=4,
        dtype=tf.float32,
        seed=3,
    )
    layer = layers.RNN(wrapped, return_sequences=True)
    output = layer(np.ones((5, 7, 4), "float32")).numpy()
    np.testing.assert_array_equal(output, np.broadcast_to(output[:1, :1], output.shape))
    assert set(np.unique(output)) <= {0, 8}
    with pytest.raises(ValueError, match="`dtype` was expected"):
        tf.nn.RNNCellDropoutWrapper(Twice(), variational_recurrent=True)
    with pytest.raises(ValueError, match="`input_size` was expected"):
        tf.nn.RNNCellDropoutWrapper(
            Twice(), input_keep_prob=0.5, variational_recurrent=True, dtype="float32"
        )


def test_shares_and_cells_are_checked():
    with pytest.raises(ValueError, match=r"`input_keep_prob` must lie in \[0, 1\]; got 1.5"):
        tf.nn.RNNCellDropoutWrapper(Twice(), input_keep_prob=1.5)
    with pytest.raises(ValueError, match="`cell` must have a `call`"):
        tf.nn.RNNCellResidualWrapper(3)


def test_states_to_start_from():
    wrapped = tf.nn.RNNCellResidualWrapper(layers.LSTMCell(4))
    for start in (wrapped.get_initial_state(batch_size=3), wrapped.zero_state(3, tf.float16)):
        assert [tuple(s.shape) for s in start] == [(3, 4), (3, 4)]
    assert wrapped.zero_state(3, tf.float16)[0].dtype == tf.float16


def test_configs_and_files_hold_the_cell_inside(tmp_path):
    given = tf.nn.RNNCellDropoutWrapper(layers.GRUCell(4), input_keep_prob=0.75, seed=3)
    made = type(given).from_config(given.get_config())
    assert made.cell.units == 4
    assert made.input_keep_prob == 0.75
    cell = tf.nn.RNNCellResidualWrapper(layers.GRUCell(4))
    model = tf.keras.Sequential([tf.keras.Input((3, 4)), layers.RNN(cell)])
    model.save(tmp_path / "m.keras")
    same = tf.keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(same.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-6)
