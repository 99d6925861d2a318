"""Models: subclassed, functional subclasses, Sequential; state, config, copies."""

import copy
import pickle

import numpy as np
import pytest

import lamina as tf

layers = tf.keras.layers


class Net(tf.keras.Model):
    def __init__(self, units=3, rate=0.0, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [layers.Dense(units, activation="relu"), layers.Dropout(rate)]
        self.head = layers.Dense(1)

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)


class Wide(tf.keras.Model):
    def __init__(self, units=2):
        x = tf.keras.Input((3,))
        self_units = layers.Dense(units, name="inner")
        super().__init__(x, self_units(x))
        self.scale = tf.Variable(2.0)

    def call(self, x, training=None):
        return super().call(x, training=training) * self.scale


def test_subclassed_model_builds_at_the_first_call():
    model = Net()
    assert not model.built
    assert model(np.ones((2, 4))).shape == (2, 1)
    assert [w.path.split("/", 1)[1] for w in model.weights] == [
        "dense/kernel",
        "dense/bias",
        "dense_1/kernel",
        "dense_1/bias",
    ]
    assert model.compute_output_shape((None, 4)) == (None, 1)


def test_subclassed_model_builds_for_a_shape():
    model = Net()
    model.build((None, 4))
    assert model.count_params() == 4 * 3 + 3 + 3 + 1


def test_training_flag_reaches_dropout_through_a_call_without_it():
    model = Net(units=200, rate=0.5)
    model.head = layers.Identity()
    x = tf.ones([1, 4])
    inference = model(x).numpy()
    assert np.array_equal(model(x, training=False).numpy(), inference)
    assert (model(x, training=True).numpy() == 0).sum() > (inference == 0).sum()


def test_functional_subclass_has_graph_and_own_state():
    model = Wide()
    x = tf.ones([1, 3])
    inner = model.get_layer("inner")
    np.testing.assert_allclose(model(x).numpy(), 2.0 * inner(x).numpy(), rtol=1e-6)
    assert len(model.weights) == 3


def test_sequential_takes_shape_from_input_or_the_first_call():
    known = tf.keras.Sequential([tf.keras.Input((3,)), layers.Dense(2)])
    assert known.built
    assert known.output_shape == (None, 2)
    late = tf.keras.Sequential([layers.Dense(2)])
    assert late.weights == []
    late.add(layers.Dense(1))
    assert late(tf.ones([4, 3])).shape == (4, 1)
    assert len(late.layers) == 2
    with pytest.raises(ValueError, match="only layers can be added; got 3"):
        late.add(3)


def test_gradients_of_two_models():
    a, b = Net(), Net()
    x = tf.ones([2, 4])
    with tf.GradientTape(persistent=True) as tape:
        y = tf.reduce_mean(b(tf.concat([a(x), x], -1)))
    for model in (a, b):
        assert all(g is not None for g in tape.gradient(y, model.trainable_variables))


def test_model_in_a_function_equals_eager():
    model = Net()
    x = tf.constant(np.linspace(-1, 1, 8, dtype=np.float32).reshape(2, 4))
    eager = model(x).numpy()
    np.testing.assert_allclose(tf.function(lambda x: model(x))(x).numpy(), eager, rtol=1e-6)


def test_model_built_inside_a_function():
    model = Net()
    f = tf.function(lambda x: model(x))
    first = f(tf.ones([2, 4])).numpy()
    assert np.array_equal(f(tf.ones([2, 4])).numpy(), first)
    assert len(model.weights) == 4


@pytest.mark.parametrize("make", [Net, lambda: tf.keras.Sequential([layers.Dense(2)])])
@pytest.mark.parametrize("how", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_independent(make, how):
    model = make()
    x = tf.ones([1, 4])
    expected = model(x).numpy()
    other = how(model)
    model.set_weights([w * 0 for w in model.get_weights()])
    np.testing.assert_allclose(other(x).numpy(), expected, rtol=1e-6)
    assert not {id(w) for w in other.weights} & {id(w) for w in model.weights}


def test_config_of_a_subclass():
    config = Net(5, rate=0.25).get_config()
    again = Net.from_config(config)
    assert (again.blocks[0].units, again.blocks[1].rate) == (5, 0.25)


def test_freezing_part_of_a_model():
    model = Net()
    model(tf.ones([1, 4]))
    model.blocks[0].trainable = False
    assert len(model.trainable_variables) == 2
    assert len(model.non_trainable_variables) == 2
    model.trainable = False
    assert model.trainable_variables == []


def test_layers_added_late_are_found():
    model = Net()
    model(tf.ones([1, 4]))
    model.extra = {"more": [layers.Dense(2)]}
    model.extra["more"][0](tf.ones([1, 1]))
    assert len(model.weights) == 6


def test_model_needs_both_inputs_and_outputs():
    with pytest.raises(ValueError, match="`inputs` and `outputs` go together"):
        tf.keras.Model(inputs=tf.keras.Input((1,)))


def test_a_sequential_takes_other_sizes_where_its_layers_do():
    model = tf.keras.Sequential([tf.keras.layers.Dense(2)])
    model(np.ones((8, 1, 5), "float32"))
    assert model(np.ones((8, 24, 5), "float32")).shape == (8, 24, 2)
    assert model.input_shape == (8, 1, 5)
    with pytest.raises(ValueError, match=r'Dense "dense.*size 5 along axis -1; got size 4'):
        model(np.ones((8, 24, 4), "float32"))
    with pytest.raises(ValueError, match=r"must have shape \(8, 1, 5\); got \(8, 5\)"):
        model(np.ones((8, 5), "float32"))


def test_a_sequential_adds_and_drops_a_last_axis_of_one():
    with pytest.warns(DeprecationWarning, match=r"Normalization\(input_shape=\)"):
        start = tf.keras.layers.Normalization(input_shape=(1,), axis=None)
    start.adapt(np.arange(10.0))
    model = tf.keras.Sequential([start, tf.keras.layers.Dense(1)])
    assert model.predict(np.arange(10.0), verbose=0).shape == (10, 1)
    wide = tf.keras.Sequential([tf.keras.Input((4,)), tf.keras.layers.Dense(2)])
    assert wide(np.ones((3, 4, 1), "float32")).shape == (3, 2)


def test_each_connection_of_a_sequential_takes_a_default_name_of_functional_models():
    tf.keras.backend.clear_session()
    inputs = tf.keras.Input((3,))
    found = []

    def count():
        found.append(tf.keras.Model(inputs, layers.Dense(1)(inputs)).name)

    tf.keras.Sequential([layers.Dense(2)])
    count()
    later = tf.keras.Sequential([layers.Dense(2), layers.Dense(3)])
    later(tf.ones([1, 3]))
    count()
    grown = tf.keras.Sequential([inputs])
    grown.add(layers.Dense(2))
    grown.add(layers.Dense(3))
    count()
    grown.pop()
    count()
    # The numbers of Keras 3.
    assert found == ["functional", "functional_2", "functional_5", "functional_7"]


def test_a_list_of_layers_is_a_config_of_sequential():
    dense = {"class_name": "Dense", "config": {"units": 3}}
    relu = {"class_name": "Activation", "config": {"activation": "relu"}}
    made = tf.keras.Sequential.from_config([dense, relu])
    assert made(np.ones((1, 2), "float32")).shape == (1, 3)
    stored = {"class_name": "Sequential", "config": [dense, relu]}
    again = tf.keras.layers.deserialize(stored)
    assert [type(layer).__name__ for layer in again.layers] == ["Dense", "Activation"]
