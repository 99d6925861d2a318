"""The whole product in one file: what must work before anything else is looked at."""

import numpy as np
import pytest

import lamina as tf


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(96, 6)).astype("float32")
    return x, x[:, :3].argmax(axis=1)


class Net(tf.keras.Model):
    def __init__(self, units=8):
        super().__init__()
        self.hidden = [tf.keras.layers.Dense(units, activation="relu") for _ in range(2)]
        self.out = tf.keras.layers.Dense(3)

    def call(self, x):
        for layer in self.hidden:
            x = layer(x)
        return self.out(x)


def test_operations_are_recorded_and_give_numpys_numbers():
    x = np.arange(6, dtype="float32").reshape(2, 3)
    y = tf.reduce_sum(tf.matmul(x, x, transpose_b=True) * 2.0 + 1.0, axis=0)
    np.testing.assert_allclose(y.numpy(), (x @ x.T * 2 + 1).sum(0))


def test_second_order_gradient():
    x = tf.Variable(3.0)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = x**3
        first = inner.gradient(y, x)
    assert outer.gradient(first, x).numpy() == 18.0


def test_tape_loop_without_decorator_learns_and_compiles_once(data):
    x, y = data
    model, optimizer = Net(), tf.keras.optimizers.Adam(0.05)
    loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    losses = []
    for step in range(30):
        with tf.GradientTape() as tape:
            loss = loss_fn(y, model(x, training=True))
        weights = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        losses.append(float(loss))
        if step == 2:
            compiles = tf.stats.compiles
    assert tf.stats.compiles == compiles
    assert losses[-1] < losses[0] / 2


def test_function_gives_the_eager_numbers(data):
    x, _ = data
    model = Net()
    np.testing.assert_allclose(tf.function(model)(x).numpy(), model(x).numpy(), rtol=1e-5)


def test_control_flow_on_tensors_inside_a_function():
    @tf.function
    def collatz(n):
        def step(n, count):
            return tf.where(n % 2 == 0, n // 2, 3 * n + 1), count + 1

        return tf.while_loop(lambda n, _: n > 1, step, (n, tf.constant(0)))[1]

    assert collatz(tf.constant(27)).numpy() == 111


def test_fit_save_and_load(data, tmp_path):
    x, y = data
    model = Net(units=4)
    model.compile(
        "adam",
        tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    history = model.fit(x, y, epochs=2, verbose=0).history
    assert set(history) == {"loss", "accuracy"}
    model.save(tmp_path / "net.keras")
    loaded = tf.keras.models.load_model(tmp_path / "net.keras")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


def test_summary_of_a_model_that_was_never_called():
    model = Net(units=4)
    model.build((None, 6))
    lines = []
    model.summary(print_fn=lines.append)
    text = "\n".join(lines)
    assert "(None, 4)" in text
    assert "63" in text.replace(",", "")


def test_functional_model(data):
    x, _ = data
    first = tf.keras.Input((6,))
    hidden = tf.keras.layers.Dense(4)(first)
    model = tf.keras.Model(first, tf.keras.layers.Add()([hidden, hidden * 2.0]))
    assert model.output_shape == (None, 4)
    np.testing.assert_allclose(
        model(x).numpy(), 3 * model.layers[1](x).numpy(), rtol=1e-4, atol=1e-6
    )


def test_errors_name_the_layer_and_the_users_line():
    model = Net()
    model(tf.ones([1, 6]))
    with pytest.raises(ValueError, match="size 8 along axis -1; got size 6") as caught:
        model.hidden[1](tf.ones([1, 6]))
    assert 'Dense "' in "".join(caught.value.__notes__)
    assert "test_tiny.py" in "".join(caught.value.__notes__)
