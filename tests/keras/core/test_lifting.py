"""Attributes that change between steps take effect at the next one."""

import copy
import math
import pickle

import numpy as np
import pytest

import lamina as tf

X = np.ones([4, 3], "float32")
Y = np.zeros([4, 1], "float32")


class Annealed(tf.keras.Model):
    """A model whose loss has a weight that callbacks change."""

    def __init__(self, beta=0.0):
        super().__init__()
        self.beta = beta
        self.dense = tf.keras.layers.Dense(1, kernel_initializer="ones")
        self.traced = []

    def call(self, x):
        self.traced.append(1)
        self.add_loss(self.beta * tf.reduce_sum(x))
        return self.dense(x)


class Anneal(tf.keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.beta = 0.1 * (epoch + 1)


def compiled(model):
    model.compile("sgd", "mse")
    model.optimizer.learning_rate = 0.0
    return model


def test_a_float_changed_in_a_callback_changes_the_next_step_without_new_programs():
    model = compiled(Annealed(0.0))
    model.fit(X, Y, epochs=1, verbose=0, batch_size=4)
    base = model.evaluate(X, Y, verbose=0)
    model.fit(X, Y, epochs=2, verbose=0, batch_size=4, callbacks=[Anneal()])
    before = tf.stats.compiles, len(model.traced)
    history = model.fit(X, Y, epochs=6, verbose=0, batch_size=4, callbacks=[Anneal()])
    assert (tf.stats.compiles, len(model.traced)) == before
    wanted = base + 12 * np.array([0.2, 0.1, 0.2, 0.3, 0.4, 0.5])
    np.testing.assert_allclose(history.history["loss"], wanted, rtol=1e-5)


def test_a_custom_loop_and_a_function_see_each_value():
    model = Annealed(1.0)
    model(X)

    @tf.function
    def step(x):
        return model(x) * model.beta + (1.0 - model.beta) ** 2

    for beta in (1.0, 0.5, np.float32(0.25), 2, 3.5):
        model.beta = beta
        np.testing.assert_allclose(step(X).numpy(), 3.0 * beta + (1.0 - beta) ** 2 + 0 * Y)
        assert model.beta == beta


def test_a_value_that_python_needs_traces_anew():
    class Gated(tf.keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.gate = 0.0

        def call(self, x):
            return x * math.exp(self.gate) if self.gate > 0.5 else x

    layer = Gated()
    layer(X)
    step = tf.function(layer)
    for gate in (0.0, 0.7, 0.1, 0.9, 1.5):
        layer.gate = gate
        factor = math.exp(gate) if gate > 0.5 else 1.0
        np.testing.assert_allclose(step(tf.constant(X)).numpy(), X * factor, rtol=1e-6)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (2, 3),
        ("add", "multiply"),
        (None, "add"),
        ([1.0, 2.0], [3.0]),
        ({"scale": 1.0}, {"scale": 4.0}),
        (np.array([1.0]), np.array([2.0])),
        (tf.constant([1.0]), tf.constant([2.0])),
    ],
)
def test_any_other_attribute_takes_effect_too(first, second):
    class Reads(tf.keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self._setting = first

        def call(self, x):
            return x * value_of(self._setting)

    def value_of(setting):
        if isinstance(setting, str | type(None)):
            return {"add": 5.0, "multiply": 6.0, None: 7.0}[setting]
        if isinstance(setting, dict):
            return setting["scale"]
        return tf.cast(setting, tf.float32) if isinstance(setting, tf.Tensor) else np.sum(setting)

    layer = Reads()
    step = tf.function(lambda x: layer(x))
    for setting in (first, second, first):
        layer._setting = setting
        wanted = X * np.float32(np.sum(value_of(setting)))
        np.testing.assert_allclose(step(tf.constant(X)).numpy(), wanted)


def test_a_replaced_sublayer_takes_effect():
    model = Annealed()
    step = tf.function(lambda x: model(x))
    np.testing.assert_allclose(step(tf.constant(X)).numpy(), 3.0 + Y)
    model.dense = tf.keras.layers.Dense(1, kernel_initializer="zeros")
    np.testing.assert_allclose(step(tf.constant(X)).numpy(), Y)


def test_a_second_fit_traces_nothing():
    model = compiled(Annealed())
    model.fit(X, Y, epochs=1, verbose=0)
    count = len(model.traced)
    model.fit(X, Y, epochs=2, verbose=0)
    assert len(model.traced) == count


def test_changed_floats_are_attributes_in_every_other_way():
    model = Annealed(1.0)
    model(X)
    model.beta = 0.5
    model.beta = 0.25
    assert isinstance(model.beta, float)
    assert hasattr(model, "beta")
    assert copy.deepcopy(model).beta == 0.25
    assert pickle.loads(pickle.dumps(tf.keras.layers.Dense(1))).units == 1
    del model.beta
    with pytest.raises(AttributeError, match="'Annealed' object has no attribute 'beta'"):
        _ = model.beta


def test_trainable_takes_effect_at_the_next_step_and_freezes_statistics():
    model = tf.keras.Sequential([tf.keras.layers.BatchNormalization(), tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(3.0, 2.0, [16, 2]).astype("float32")
    model.fit(x, x[:, :1], verbose=0)
    norm = model.layers[0]
    norm.trainable = False
    kept = [v.numpy() for v in norm.weights]
    model.fit(x, x[:, :1], verbose=0)
    for old, new in zip(kept, norm.weights, strict=True):
        np.testing.assert_array_equal(old, new.numpy())
    norm.trainable = True
    model.fit(x, x[:, :1], verbose=0)
    assert any((old != new.numpy()).any() for old, new in zip(kept, norm.weights, strict=True))


def test_a_dropout_rate_that_changes_compiles_once_more():
    layer = tf.keras.layers.Dropout(0.5)
    step = tf.function(lambda x: layer(x, training=True))
    x = tf.ones([1000])
    step(x)
    layer.rate = 0.4
    step(x)
    before = tf.stats.compiles
    for rate in (0.1, 0.25, 0.75):
        layer.rate = rate
        dropped = np.mean(step(x).numpy() == 0)
        assert abs(dropped - rate) < 0.08
    assert tf.stats.compiles == before
    layer.rate = 0.0
    np.testing.assert_array_equal(step(x).numpy(), x.numpy())


def test_a_condition_traces_anew_only_where_it_turns():
    traced = []

    class Gated(tf.keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.gate = 0.1

        def call(self, x):
            traced.append(self.gate > 0.5)
            return x * self.gate if self.gate > 0.5 else x

    layer = Gated()
    layer(X)
    step = tf.function(layer)
    for gate in (0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.2):
        layer.gate = gate
        wanted = X * np.float32(gate) if gate > 0.5 else X
        np.testing.assert_allclose(step(tf.constant(X)).numpy(), wanted)
    assert len(traced) <= 6


def test_attributes_of_losses_and_regularizers_take_effect():
    class Weighted(tf.keras.losses.Loss):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        def call(self, y_true, y_pred):
            return self.factor * tf.reduce_mean(y_pred - y_true, axis=-1)

    loss = Weighted(1.0)
    penalty = tf.keras.regularizers.L1(0.0)
    model = tf.keras.Sequential(
        [tf.keras.layers.Dense(1, kernel_initializer="ones", kernel_regularizer=penalty)]
    )
    model.compile("sgd", loss)
    model.optimizer.learning_rate = 0.0
    assert model.train_on_batch(X, Y) == pytest.approx(3.0)
    loss.factor = 2.0
    assert model.train_on_batch(X, Y) == pytest.approx(6.0)
    penalty.l1 = 1.0
    assert model.train_on_batch(X, Y) == pytest.approx(9.0)


def test_asking_what_a_float_can_do_does_not_fix_it():
    class Probing(Annealed):
        def call(self, x):
            self.traced.append(1)
            scaled = self.beta.shape if hasattr(self.beta, "shape") else self.beta
            self.add_loss(scaled * tf.reduce_sum(x))
            return self.dense(x)

    model = compiled(Probing())
    model.fit(X, Y, epochs=6, verbose=0, callbacks=[Anneal()])
    asked = len(model.traced)
    model.fit(X, Y, epochs=6, verbose=0, callbacks=[Anneal()])
    assert len(model.traced) == asked
