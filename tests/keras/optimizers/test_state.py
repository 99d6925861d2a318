"""The state of optimizers follows the model: a layer is replaced, trained, saved and loaded."""

import numpy as np
import pytest

import lamina as tf

X = np.linspace(-1.0, 1.0, 24, dtype="float32").reshape(8, 3)
Y = X[:, :1] * 2.0 - 0.5

OPTIMIZERS = {
    "momentum": lambda: tf.keras.optimizers.SGD(0.05, momentum=0.9),
    "adam": lambda: tf.keras.optimizers.Adam(0.05, amsgrad=True),
    "average": lambda: tf.keras.optimizers.Adam(0.05, use_ema=True, ema_momentum=0.5),
    "accumulation": lambda: tf.keras.optimizers.Adam(0.05, gradient_accumulation_steps=2),
    "both": lambda: tf.keras.optimizers.SGD(0.05, use_ema=True, gradient_accumulation_steps=2),
    "scaled": lambda: tf.keras.optimizers.LossScaleOptimizer(
        tf.keras.optimizers.Adam(0.05), initial_scale=4.0
    ),
    "several": lambda: tf.keras.optimizers.MultiOptimizer(
        tf.keras.optimizers.OptimizerMap(
            tf.keras.optimizers.SGD(0.05, momentum=0.9),
            {".*kernel": tf.keras.optimizers.Adam(0.05)},
        )
    ),
}


@tf.keras.utils.register_keras_serializable("state")
class Net(tf.keras.Model):
    def __init__(self, units=4):
        super().__init__()
        self.first = tf.keras.layers.Dense(4, "tanh")
        self.middle = tf.keras.layers.Dense(units, "tanh")
        self.last = tf.keras.layers.Dense(1)

    def call(self, x):
        return self.last(self.middle(self.first(x)))


def trained(optimizer):
    model = Net()
    model.compile(optimizer, "mse")
    model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    return model


def replace_middle(model):
    new = tf.keras.layers.Dense(4, activation="tanh", use_bias=False, name="other")
    model.replace("middle", lambda old: new)


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_state_after_a_replacement_is_laid_out_as_if_built_now(kind):
    model = trained(OPTIMIZERS[kind]())
    steps = model.optimizer.iterations.numpy()
    replace_middle(model)
    model.fit(X, Y, batch_size=4, epochs=1, shuffle=False, verbose=0)
    fresh = OPTIMIZERS[kind]()
    fresh.build(model.trainable_variables)
    got = [(v.name, tuple(v.shape)) for v in model.optimizer.variables]
    assert got == [(v.name, tuple(v.shape)) for v in fresh.variables]
    assert model.optimizer.iterations.numpy() > steps


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_layers_that_stay_keep_their_state(kind):
    model = trained(OPTIMIZERS[kind]())
    kernel = model.last.kernel
    shape = tuple(kernel.shape)
    before = [v.numpy() for v in model.optimizer.variables if tuple(v.shape) == shape]
    replace_middle(model)
    model.optimizer.build(model.trainable_variables)
    after = [v.numpy() for v in model.optimizer.variables if tuple(v.shape) == shape]
    assert len(before) == len(after) > 0
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_training_goes_on_in_a_copy_from_a_file(kind, tmp_path):
    model = trained(OPTIMIZERS[kind]())
    replace_middle(model)
    model.fit(X, Y, batch_size=4, epochs=1, shuffle=False, verbose=0)
    model.save(tmp_path / "net.keras")
    loaded = tf.keras.models.load_model(tmp_path / "net.keras")
    for each in (model, loaded):
        each.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    for a, b in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=1e-6, atol=1e-7)
