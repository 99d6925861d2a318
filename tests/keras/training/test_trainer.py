"""Compile, fit, evaluate, predict and the steps a user overrides; the numbers come from Keras 3."""

import copy

import numpy as np
import pytest

import lamina as tf

layers = tf.keras.layers
RNG = np.random.RandomState(1)
X = RNG.randn(10, 4).astype("float32")
Y = RNG.randn(10, 1).astype("float32")
LABELS = RNG.randint(0, 3, (10,))
W = RNG.rand(10).astype("float32")


def seeded(model):
    rng = np.random.RandomState(0)
    model.set_weights([(rng.randn(*w.shape) * 0.3).astype("float32") for w in model.get_weights()])
    return model


def linear(**compile_arguments):
    inputs = tf.keras.Input((4,))
    model = seeded(tf.keras.Model(inputs, layers.Dense(1)(inputs)))
    model.compile(**{"optimizer": "sgd", "loss": "mse"} | compile_arguments)
    return model


def two_outputs(as_dict=False, **compile_arguments):
    inputs = tf.keras.Input((4,))
    a = layers.Dense(1, name="a")(inputs)
    b = layers.Dense(3, activation="softmax", name="b")(inputs)
    model = seeded(tf.keras.Model(inputs, {"a": a, "b": b} if as_dict else [a, b]))
    losses = ["mse", "sparse_categorical_crossentropy"]
    chosen = dict(zip("ab", losses, strict=True)) if as_dict else losses
    model.compile(**{"optimizer": "sgd", "loss": chosen} | compile_arguments)
    return model


def fit(model, x=X, y=Y, **kwargs):
    given = {"batch_size": 4, "epochs": 2, "shuffle": False, "verbose": 0} | kwargs
    if not isinstance(x, np.ndarray):
        given.pop("batch_size")
    return model.fit(x, y, **given)


def pairs(count):
    for i in range(count):
        start = 2 * i % 10
        yield X[start : start + 2], Y[start : start + 2]


def test_history_has_sorted_names_and_floats():
    history = fit(linear(metrics=["mae"]), validation_split=0.3)
    assert list(history.history) == ["loss", "mae", "val_loss", "val_mae"]
    assert all(type(v) is float for values in history.history.values() for v in values)
    assert history.epoch == [0, 1]


def test_evaluate_gives_a_number_a_list_or_a_dict():
    assert linear().evaluate(X, Y, verbose=0) == pytest.approx(1.3324, abs=1e-4)
    model = linear(metrics=["mae"])
    loss, mae = model.evaluate(X, Y, batch_size=4, verbose=0)
    found = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert found == pytest.approx({"loss": loss, "mae": mae}, rel=1e-5)


def test_on_batch_methods_give_the_results_of_that_batch_alone():
    model = linear(metrics=["mae"])
    assert model.train_on_batch(X, Y)[0] == pytest.approx(1.3324, abs=1e-4)
    assert model.train_on_batch(X[:3], Y[:3]) == pytest.approx([1.0649, 0.9083], abs=1e-4)
    assert model.test_on_batch(X[:3], Y[:3]) == pytest.approx([0.8557, 0.8008], abs=1e-4)
    assert set(model.test_on_batch(X, Y, return_dict=True)) == {"loss", "mae"}


def test_predict_gives_arrays_of_all_samples_in_the_outputs_structure():
    found = two_outputs().predict(X, batch_size=4, verbose=0)
    assert [(type(v), v.shape) for v in found] == [(np.ndarray, (10, 1)), (np.ndarray, (10, 3))]
    found = two_outputs(as_dict=True)
    assert found.predict(X, verbose=0)["b"].shape == (10, 3)
    np.testing.assert_allclose(found.predict_on_batch(X)["a"], found.predict(X, verbose=0)["a"])


def test_sample_weights_scale_the_loss_and_weighted_metrics():
    model = linear(metrics=["mae"], weighted_metrics=["mse", "mae"])
    history = fit(model, sample_weight=W).history
    assert history["loss"] == pytest.approx([0.68, 0.6675], abs=1e-4)
    assert history["mae"] == pytest.approx([0.9378, 0.9261], abs=1e-4)
    assert history["weighted_mae"] == pytest.approx([0.8536, 0.8419], abs=1e-4)


def test_class_weight_scales_the_loss():
    inputs = tf.keras.Input((4,))
    model = seeded(tf.keras.Model(inputs, layers.Dense(3, activation="softmax")(inputs)))
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    found = fit(model, y=LABELS, epochs=1, class_weight={0: 1.0, 1: 2.0, 2: 0.5}).history
    assert found["loss"] == pytest.approx([1.4224], abs=1e-4)
    assert found["accuracy"] == [0.5]


def test_several_outputs_name_their_losses_and_metrics():
    model = two_outputs(loss_weights=[0.5, 2.0], metrics=[["mae"], ["accuracy"]])
    history = fit(model, y=[Y, LABELS], validation_data=(X, [Y, LABELS])).history
    names = ["a_loss", "a_mae", "b_accuracy", "b_loss", "loss"]
    assert list(history) == names + [f"val_{n}" for n in names]
    assert history["loss"] == pytest.approx([2.3615, 2.3112], abs=1e-4)
    total, a, b, mae, accuracy = model.evaluate(X, [Y, LABELS], verbose=0)
    assert total == pytest.approx(0.5 * a + 2 * b, rel=1e-5)
    assert (mae, accuracy) == pytest.approx((0.9171, 0.7), abs=1e-4)


def test_dict_outputs_take_dicts_of_targets_and_weights():
    model = two_outputs(as_dict=True, metrics={"a": ["mae"], "b": "accuracy"})
    targets, weights = {"b": LABELS, "a": Y}, {"a": W, "b": W}
    history = fit(model, y=targets, sample_weight=weights).history
    assert history["loss"] == pytest.approx([1.1619, 1.1462], abs=1e-4)


def test_regularizers_and_add_loss_join_the_loss():
    inputs = tf.keras.Input((4,))
    outputs = layers.Dense(1, kernel_regularizer="l2")(
        layers.ActivityRegularization(l2=0.01)(inputs)
    )
    model = seeded(tf.keras.Model(inputs, outputs))
    model.compile("sgd", "mse")
    total = model.evaluate(X, Y, verbose=0)
    plain = np.mean((model.predict(X, verbose=0) - Y) ** 2)
    assert total > plain + 0.01 * np.sum(model.get_weights()[0] ** 2)


def test_generators_with_steps_go_on_from_epoch_to_epoch():
    history = fit(linear(), pairs(6), None, steps_per_epoch=3).history
    np.testing.assert_allclose(history["loss"][0], 1.5143, atol=1e-4)


def test_arrays_with_steps_go_on_and_end_short_at_the_end():
    with pytest.warns(UserWarning, match="ran out after 1 batches of 2"):
        history = fit(linear(), batch_size=2, steps_per_epoch=2, epochs=3).history
    assert history["loss"] == pytest.approx([1.6514, 1.7046, 0.0776], abs=1e-4)


def test_a_used_up_generator_ends_training_and_keeps_the_history():
    with pytest.warns(UserWarning, match="ran out"):
        history = fit(linear(), pairs(4), None, epochs=3)
    assert len(history.epoch) == 1


def test_steps_per_execution_and_run_eagerly_change_no_number():
    wanted = fit(linear(metrics=["mae"]), batch_size=3).history
    for how in ({"steps_per_execution": 2}, {"run_eagerly": True}):
        found = fit(linear(metrics=["mae"], **how), batch_size=3).history
        for name, values in wanted.items():
            np.testing.assert_allclose(found[name], values, rtol=1e-5, err_msg=str(how))


def test_validation_frequency_and_initial_epoch():
    history = fit(linear(), epochs=5, initial_epoch=3, validation_data=(X, Y), validation_freq=2)
    assert (history.epoch, len(history.history["val_loss"])) == ([3, 4], 1)
    history = fit(linear(), epochs=3, validation_data=(X, Y), validation_freq=[1, 3])
    assert len(history.history["val_loss"]) == 2


def test_trainable_takes_effect_without_another_compile():
    model = linear()
    model.train_on_batch(X, Y)
    model.layers[1].trainable = False
    before = model.get_weights()
    with pytest.warns(UserWarning, match="no trainable weights"):
        model.train_on_batch(X, Y)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    model.layers[1].trainable = True
    model.train_on_batch(X, Y)
    assert np.any(model.get_weights()[0] != before[0])


class Scaled(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1, use_bias=False)
        self.factor = 1.0

    def call(self, x):
        return self.dense(x) * self.factor


def test_attributes_changed_between_steps_take_effect():
    model = Scaled()
    model.compile("sgd", "mse")
    first = model.predict_on_batch(X)
    model.factor = 3.0
    np.testing.assert_allclose(model.predict_on_batch(X), 3 * first, rtol=1e-6)


def test_one_compilation_for_each_shape_of_batch():
    model = linear()
    fit(model, batch_size=4, epochs=1)
    before = tf.stats.compiles
    fit(model, batch_size=4, epochs=2)
    assert tf.stats.compiles == before


class Gan(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.generator, self.critic = layers.Dense(4), layers.Dense(1)

    def compile(self, generator_optimizer, critic_optimizer):
        super().compile()
        self.generator_optimizer = generator_optimizer
        self.critic_optimizer = critic_optimizer

    def train_step(self, real):
        noise = tf.random.normal(tf.shape(real))
        with tf.GradientTape() as tape:
            fake = self.critic(self.generator(noise))
            critic_loss = tf.reduce_mean(fake) - tf.reduce_mean(self.critic(real))
        weights = self.critic.trainable_variables
        self.critic_optimizer.apply_gradients(
            zip(tape.gradient(critic_loss, weights), weights, strict=True)
        )
        with tf.GradientTape() as tape:
            generator_loss = -tf.reduce_mean(self.critic(self.generator(noise)))
        weights = self.generator.trainable_variables
        self.generator_optimizer.apply_gradients(
            zip(tape.gradient(generator_loss, weights), weights, strict=True)
        )
        return {"g": generator_loss, "c": critic_loss}


def test_a_train_step_with_two_optimizers():
    model = Gan()
    model.compile(tf.keras.optimizers.Adam(1e-2), tf.keras.optimizers.SGD(1e-2))
    history = fit(model, y=None)
    assert list(history.history) == ["c", "g"]
    assert int(model.generator_optimizer.iterations) == int(model.critic_optimizer.iterations) == 6


def test_compute_loss_override_is_what_is_trained():
    class Model(Scaled):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            return tf.reduce_mean(tf.abs(y - y_pred)) * 3.0

    model = Model()
    model.compile("sgd")
    history = fit(model).history["loss"]
    assert history[1] < history[0]
    wanted = 3 * np.mean(np.abs(model.predict(X, verbose=0) - Y))
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(wanted, rel=1e-5)


def test_a_failing_step_leaves_model_and_optimizer_usable():
    model = linear(optimizer="adam")
    fit(model, epochs=1)
    before = model.get_weights()
    with pytest.raises(ValueError, match="must have shape"):
        fit(model, X[:, :3])
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    assert int(model.optimizer.iterations) == 3
    fit(model, epochs=1)
    assert int(model.optimizer.iterations) == 6


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.fit(X, Y),
        lambda m: m.evaluate(X, Y),
        lambda m: m.train_on_batch(X, Y),
        lambda m: m.test_on_batch(X, Y),
    ],
)
def test_training_before_compile_is_an_error(call):
    inputs = tf.keras.Input((4,))
    with pytest.raises(ValueError, match="`compile` must be called before"):
        call(tf.keras.Model(inputs, layers.Dense(1)(inputs)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: linear(foo=1), r"`compile` does not take \['foo'\]"),
        (
            lambda: linear().evaluate(X, Y, verbose=0, foo=1),
            r"Model.evaluate: .* got \['foo'\] too",
        ),
        (lambda: fit(linear(), y=None), "the loss needs targets"),
        (lambda: fit(linear(loss=None)), "there is no loss to compute"),
        (lambda: fit(linear(), iter([]), None), "at least one batch"),
        (lambda: linear().predict(iter([]), verbose=0), "at least one batch"),
        (lambda: fit(linear(), X[:0], Y[:0]), "at least one batch"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def _predicted(*shapes):
    class Same(tf.keras.Model):
        def call(self, x):
            return {"same": x, "first": x[:, 0]}

    data = tf.data.Dataset.from_generator(
        lambda: (np.arange(np.prod(s), dtype="float32").reshape(s) for s in shapes),
        output_signature=tf.TensorSpec([None] * len(shapes[0])),
    )
    return Same().predict(data, verbose=0)


def test_predict_joins_batches_of_other_sizes_in_a_ragged_tensor():
    found = _predicted((2, 3), (1, 5))
    assert found["same"].shape.as_list() == [3, None]
    assert found["same"].to_list() == [[0, 1, 2], [3, 4, 5], [0, 1, 2, 3, 4]]
    assert found["first"].tolist() == [0, 3, 0]
    images = _predicted((1, 2, 3, 4), (2, 2, 5, 4))["same"]
    assert images.shape.as_list() == [3, None, None, 4]
    assert images.ragged_rank == 2
    assert images[2, 1, 4].numpy().tolist() == [76, 77, 78, 79]


def test_a_functional_model_adds_losses_of_its_symbols():
    x, y = tf.keras.Input((1,)), tf.keras.Input((1,))
    found = tf.keras.layers.Dense(1, kernel_initializer="ones")(x)
    model = tf.keras.Model([x, y], found)
    model.add_loss(tf.abs(y - found))
    model.add_loss(tf.reduce_mean(tf.square(y - found)))
    model.compile(tf.keras.optimizers.SGD(0.0))
    data = [np.float32([[0], [1]]), np.float32([[1], [4]])]
    assert model.fit(data, epochs=2, verbose=0).history["loss"] == [7.0, 7.0]
    model(data)
    assert [float(v) for v in model.losses] == [2.0, 5.0]
    again = copy.deepcopy(model)
    again(data)
    assert [float(v) for v in again.losses] == [2.0, 5.0]


def test_a_loss_function_counts_in_every_call():
    class Scaled(tf.keras.layers.Layer):
        def build(this, shape):  # any name will do
            this.scale = this.add_weight(shape=(2,), initializer="ones")
            this.add_loss(lambda: tf.reduce_sum(this.scale))

        def call(self, x):
            return x * self.scale

    model = tf.keras.Sequential([tf.keras.Input((2,)), Scaled()])
    model.compile(tf.keras.optimizers.SGD(0.25), "mse")
    history = model.fit(np.zeros((4, 2)), np.zeros((4, 2)), epochs=3, verbose=0).history
    assert history["loss"] == [2.0, 1.5, 1.0]
    assert len(model.losses) == 1


def test_symbols_are_no_losses_of_subclassed_models():
    class Own(tf.keras.Model):
        def call(self, x):
            return x

    with pytest.raises(ValueError, match="takes KerasTensors in functional models alone"):
        Own().add_loss(tf.keras.Input((2,)))


def test_a_model_like_one_trained_before_compiles_nothing():
    def trained():
        model = linear(optimizer="adam", metrics=["mae"])
        options = {"batch_size": 4, "epochs": 2, "validation_split": 0.2, "verbose": 0}
        fitted = model.fit(X, Y, shuffle=False, **options)
        return fitted.history, model.predict(X, verbose=0)

    trained()  # of what is new, small programs beside the steps may run uncompiled once
    history, outputs = trained()
    before = tf.stats.compiles
    again, same = trained()
    assert tf.stats.compiles == before
    for name, values in history.items():
        np.testing.assert_allclose(again[name], values, rtol=1e-6)
    np.testing.assert_allclose(same, outputs, rtol=1e-6)
