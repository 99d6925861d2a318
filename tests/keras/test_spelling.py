"""Older spellings run, with one note each."""

import pickle

import numpy as np
import pytest

import lamina as tf
from tests.tolerances import assert_close

keras = tf.keras
X = np.linspace(-1.0, 1.0, 12, dtype="float32").reshape(4, 3)
Y = np.ones((4, 1), "float32")


def older(what):
    return pytest.warns(DeprecationWarning, match=rf"{what} is an older spelling")


def _model():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def test_one_note_for_each_spelling():
    with older(r"Adam\(lr=\)"):
        keras.optimizers.Adam(lr=0.1)
    keras.optimizers.Adam(lr=0.1)  # a second note would be an error here


def test_the_note_stands_at_the_users_line():
    with older(r"Adam\(lr=\)") as notes:
        keras.optimizers.Adam(lr=0.1)
    assert notes[0].filename == __file__
    assert "write learning_rate=." in str(notes[0].message)


def test_lr_is_the_learning_rate():
    with older(r"SGD\(lr=\)"):
        optimizer = keras.optimizers.SGD(lr=0.25, momentum=0.5)
    assert optimizer.learning_rate.numpy() == 0.25
    assert optimizer.get_config()["learning_rate"] == 0.25


def test_decay_is_inverse_time():
    v = tf.Variable(0.0)
    with older(r"SGD\(decay=\)"):
        optimizer = keras.optimizers.SGD(0.5, decay=1.0)
    for _ in range(3):
        optimizer.apply_gradients([(tf.constant(-1.0), v)])
    np.testing.assert_allclose(v.numpy(), 0.5 * (1 + 1 / 2 + 1 / 3), rtol=1e-6)


def test_alpha_of_leaky_relu_is_its_negative_slope():
    with older(r"LeakyReLU\(alpha=\)"):
        layer = keras.layers.LeakyReLU(alpha=0.1)
    np.testing.assert_allclose(layer(tf.constant([-2.0, 3.0])), [-0.2, 3.0], rtol=1e-6)


def test_an_unknown_argument_of_an_optimizer():
    with pytest.raises(ValueError, match=r"got `lrr=0.1` too"):
        keras.optimizers.SGD(lrr=0.1)


def test_legacy_optimizers_are_todays():
    with older("tf.keras.optimizers.legacy.Adam"):
        cls = keras.optimizers.legacy.Adam
    assert cls is keras.optimizers.Adam
    with pytest.raises(AttributeError, match=r"tf.keras.optimizers.legacy.Foo: not there"):
        _ = keras.optimizers.legacy.Foo


def test_arguments_of_apply_gradients():
    v = tf.Variable(1.0)
    optimizer = keras.optimizers.SGD(1.0)
    optimizer.apply_gradients([(v, v)], name="x", experimental_aggregate_gradients=False)
    assert v.numpy() == 0.0


def test_minimize_with_a_closure():
    v = tf.Variable(3.0)
    keras.optimizers.SGD(0.5).minimize(lambda: v * v, var_list=[v])
    assert v.numpy() == 0.0


def test_reset_states_of_a_metric():
    metric = keras.metrics.Mean()
    metric.update_state([2.0])
    with older("Metric.reset_states"):
        metric.reset_states()
    assert metric.result().numpy() == 0.0


class _Affine(keras.layers.Layer):
    def build(self, input_shape):
        with older("Layer.add_variable"):
            self.kernel = self.add_variable("kernel", [int(input_shape[-1]), 2])
        with older(r"add_weight\(name, shape\)"):
            self.bias = self.add_weight("bias", (2,), tf.float32, "ones", None, False)

    def call(self, x):
        return tf.matmul(x, self.kernel) + self.bias


def test_positional_names_of_weights():
    layer = _Affine()
    layer(X)
    assert layer.bias.name == "bias"
    assert not layer.bias.trainable
    assert layer.bias.numpy().tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        ({"input_shape": (3,)}, (None, 3)),
        ({"input_dim": 3}, (None, 3)),
        ({"batch_input_shape": (4, 3)}, (4, 3)),
        ({"input_shape": (3,), "batch_size": 4}, (4, 3)),
    ],
)
def test_shapes_of_the_first_layer(arguments, shape):
    with older(r"tf.keras.layers.Dense\(\w+=\)"):
        model = keras.Sequential([keras.layers.Dense(2, **arguments)])
    assert model.input_shape == shape


def test_weights_of_a_layer():
    with older(r"Dense\(weights=\)"):
        layer = keras.layers.Dense(2, weights=[np.ones((3, 2)), np.full(2, 5.0)])
    np.testing.assert_allclose(layer(X)[0].numpy(), X[0].sum() + 5.0, rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: keras.layers.BatchNormalization(fused=True), "fused"),
        (lambda: keras.layers.LSTM(2, time_major=False), "time_major"),
        (lambda: keras.layers.Dense(2, dynamic=True), "dynamic"),
    ],
)
def test_arguments_without_effect(make, word):
    with older(rf"\({word}=\)"):
        make()


def test_arguments_with_an_effect_are_refused():
    with pytest.raises(ValueError, match=r"unrecognized keyword arguments \['time_major'\]"):
        keras.layers.Dense(2, time_major=True)


def _batches():
    while True:
        yield X, Y


def test_generators():
    model, same = _model(), _model()
    with older("Model.fit_generator"):
        history = model.fit_generator(_batches(), 2, 3, 0)
    same.fit(_batches(), steps_per_epoch=2, epochs=3, verbose=0)
    assert len(history.history["loss"]) == 3
    with older("Model.evaluate_generator"):
        loss = model.evaluate_generator(_batches(), steps=2)
    assert loss == same.evaluate(_batches(), steps=2, verbose=0)
    with older("Model.predict_generator"):
        found = model.predict_generator(_batches(), 2)
    assert found.shape == (8, 1)


def test_arguments_of_training_without_effect():
    model = _model()
    with older(r"Model.compile\(experimental_run_tf_function=\)"):
        model.compile("sgd", "mse", experimental_run_tf_function=False)
    with older(r"Model.fit\(workers=\)"):
        model.fit(X, Y, verbose=0, workers=4)
    with pytest.raises(TypeError, match=r"Model.fit: .*got \['nb_epoch'\] too"):
        model.fit(X, Y, nb_epoch=3)


def test_reset_states_of_a_model():
    model = keras.Sequential(
        [keras.Input(batch_shape=(1, 2, 3)), keras.layers.SimpleRNN(2, stateful=True)]
    )
    x = np.ones((1, 2, 3), "float32")
    first, second = model(x).numpy(), model(x).numpy()
    with older("Model.reset_states"):
        model.reset_states()
    assert not np.allclose(first, second)
    np.testing.assert_allclose(model(x).numpy(), first, rtol=1e-6)


def test_backend_function():
    model = _model()
    with older("tf.keras.backend.function"):
        run = keras.backend.function([model.layers[0].input], [model.layers[0].output])
    np.testing.assert_allclose(run([X])[0], X.sum(1, keepdims=True), rtol=1e-5, atol=1e-6)


def test_a_models_name_alone():
    class Policy(keras.Model):
        def __init__(self):
            super().__init__("mlp_policy")

    assert Policy().name == "mlp_policy"


# ---- attributes that are gone -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "name", "instead"),
    [
        (
            lambda: keras.Sequential(),
            "predict_classes",
            r"np\.argmax\(model\.predict\(x\), axis=-1",
        ),
        (keras.Sequential, "predict_proba", r"Fix: use model\.predict\."),
        (lambda: keras.layers.Dense(1), "updates", "Fix: leave it out: `call` assigns"),
        (keras.optimizers.SGD, "get_weights", r"for v in optimizer\.variables"),
        (lambda: tf.data.Dataset.range(2), "make_one_shot_iterator", "for batch in dataset"),
    ],
)
def test_gone_attributes_say_what_to_use(make, name, instead):
    obj = make()
    assert not hasattr(obj, name)
    with pytest.raises(AttributeError, match=rf"(?s)has no attribute '{name}'; .*{instead}"):
        getattr(obj, name)
    with pytest.raises(AttributeError, match=r"has no attribute 'nothing_such'$"):
        obj.nothing_such  # noqa: B018


def test_an_error_of_a_gone_attribute_can_be_pickled():
    with pytest.raises(AttributeError) as caught:
        keras.Sequential().predict_proba  # noqa: B018
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_what_a_property_raises_is_not_hidden():
    class Net(keras.Model):
        @property
        def depth(self):
            return self.levels + 1

    class Slow(keras.optimizers.SGD):
        @property
        def pace(self):
            raise AttributeError("no pace yet")

    with pytest.raises(AttributeError, match="has no attribute 'levels'"):
        Net().depth  # noqa: B018
    with pytest.raises(AttributeError, match="no pace yet"):
        Slow().pace  # noqa: B018
    with pytest.raises(AttributeError, match="`output` is defined for functional models"):
        Net().output  # noqa: B018


# ---- train steps of one's own --------------------------------------------------------------------


def _older_step(self, data):
    x, y, weight = tf.keras.utils.unpack_x_y_sample_weight(data)
    with tf.GradientTape() as tape:
        y_pred = self(x, training=True)
        loss = self.compiled_loss(y, y_pred, weight, regularization_losses=self.losses)
    grads = tape.gradient(loss, self.trainable_variables)
    self.optimizer.apply_gradients(zip(grads, self.trainable_variables, strict=True))
    self.compiled_metrics.update_state(y, y_pred, sample_weight=weight)
    return {m.name: m.result() for m in self.metrics}


@pytest.mark.filterwarnings("ignore:.*is an older spelling:DeprecationWarning")
def test_steps_with_compiled_loss_and_compiled_metrics_train_as_fit_does():
    x = np.linspace(-1, 1, 20, dtype="float32").reshape(10, 2)
    y = x.sum(axis=1, keepdims=True)
    weight = np.linspace(0.5, 1.5, 10)
    histories = []
    for step in (_older_step, tf.keras.Model.train_step):
        kind = type("Model", (tf.keras.Sequential,), {"train_step": step})
        dense = tf.keras.layers.Dense(1, kernel_initializer="ones", kernel_regularizer="l2")
        model = kind([tf.keras.Input((2,)), dense])
        model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mse"])
        given = {"sample_weight": weight, "batch_size": 4, "epochs": 2, "shuffle": False}
        histories.append(model.fit(x, y, verbose=0, **given).history)
    assert histories[0].keys() == histories[1].keys()
    for name, values in histories[0].items():
        assert_close(np.float32(values), np.float32(histories[1][name]))


@pytest.mark.filterwarnings("ignore:.*is an older spelling:DeprecationWarning")
def test_compiled_metrics_are_those_of_compile():
    model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
    model.compile(loss="mse", metrics=["mae"])
    y, y_pred = tf.zeros((2, 1)), tf.ones((2, 1))
    model.compiled_metrics.update_state(y, y_pred)
    assert [m.name for m in model.compiled_metrics.metrics] == ["mae"]
    assert float(model.compiled_metrics.metrics[0].result()) == 1.0
    model.compiled_metrics.reset_state()
    assert float(model.compiled_metrics.metrics[0].result()) == 0.0
    bare = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
    bare.compile(loss="mse")
    bare.compiled_metrics.update_state(y, y_pred)
    assert bare.compiled_metrics.metrics == []
