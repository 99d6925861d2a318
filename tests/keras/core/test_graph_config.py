"""Functional models as configs: Keras' form, and back."""

import json

import numpy as np
import pytest

import lamina as tf
from lamina.keras import registry
from lamina.keras.models import Model, Sequential

layers = tf.keras.layers


def again(model):
    """Return the model made from the config, through JSON."""
    text = json.dumps(registry.serialize_keras_object(model))
    made = registry.deserialize_keras_object(json.loads(text))
    assert json.dumps(registry.serialize_keras_object(made)) == text
    made.set_weights(model.get_weights())
    return made


def assert_same(model, made, inputs):
    for a, b in zip(tf.nest.flatten(model(inputs)), tf.nest.flatten(made(inputs)), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.fixture
def x():
    return np.random.default_rng(0).random((2, 4), "float32")


def test_config_has_the_form_that_keras_writes(x):
    a = tf.keras.Input((4,), name="a")
    model = Model(a, layers.Dense(2, name="d")(a), name="m")
    config = registry.serialize_keras_object(model)
    assert config["module"] == "keras.src.models.functional"
    assert config["class_name"] == config["registered_name"] == "Functional"
    assert config["config"]["input_layers"] == ["a", 0, 0]
    assert config["config"]["output_layers"] == ["d", 0, 0]
    first, second = config["config"]["layers"]
    assert (first["name"], first["class_name"], first["inbound_nodes"]) == ("a", "InputLayer", [])
    tensor = {"shape": [None, 4], "dtype": "float32", "keras_history": ["a", 0, 0]}
    assert second["inbound_nodes"] == [
        {"args": [{"class_name": "__keras_tensor__", "config": tensor}], "kwargs": {}}
    ]


def test_shared_layers_and_dicts_of_inputs_come_back(x):
    a, b = tf.keras.Input((4,), name="a"), tf.keras.Input((4,), name="b")
    shared = layers.Dense(3)
    model = Model({"a": a, "b": b}, [shared(a), layers.Add()([shared(a), shared(b)])])
    made = again(model)
    assert len(made.layers) == len(model.layers)
    assert_same(model, made, {"a": x, "b": 2 * x})


def test_nested_models_come_back_with_keras_numbering(x):
    i = tf.keras.Input((4,))
    inner = Model(i, layers.Dense(4)(i), name="inner")
    stack = Sequential([layers.Dense(4)], name="stack")
    a = tf.keras.Input((4,))
    model = Model(a, [inner(inner(a)), stack(a)])
    config = model.get_config()
    assert config["output_layers"] == [["inner", 2, 0], ["stack", 0, 0]]
    assert_same(model, again(model), x)


class Scaled(layers.Layer):
    """Takes a Tensor by keyword."""

    def call(self, inputs, by=None, twice=False):
        return inputs * by * (2.0 if twice else 1.0)


def test_keyword_tensors_and_plain_arguments_come_back(x):
    a, b = tf.keras.Input((4,)), tf.keras.Input((4,))
    model = Model([a, b], Scaled()(a, by=b, twice=True))
    assert_same(model, again(model), [x, x + 1])


@pytest.mark.parametrize(
    "function",
    [
        lambda a: a * 2.0 - 1.0 / (a + 2.0),
        lambda a: 2.0 ** (-a),
        lambda a: tf.concat([a, a], axis=-1),
        lambda a: tf.stack([a, a], axis=1),
        lambda a: tf.reduce_mean(tf.expand_dims(a, 1), axis=[1, 2], keepdims=True),
        lambda a: tf.reshape(a, (tf.shape(a)[0], 2, 2)),
        lambda a: tf.transpose(tf.reshape(a, (-1, 2, 2)), (0, 2, 1)),
        lambda a: a[:, 1:3],
        lambda a: a[:, -1, tf.newaxis],
        lambda a: tf.split(a, 2, axis=-1),
        lambda a: tf.nn.softmax(tf.nn.relu(a)),
        lambda a: tf.matmul(a, np.ones((4, 3), "float32")),
        lambda a: tf.where(a > 0.5, a, 0.0),
        lambda a: tf.cast(tf.round(a), "int32"),
        lambda a: tf.one_hot(tf.cast(4.0 * a, "int32"), 3, dtype="float16"),
        lambda a: tf.einsum("ab,ab->a", a, a),
    ],
)
def test_operations_come_back(function, x):
    a = tf.keras.Input((4,))
    model = Model(a, function(a))
    assert_same(model, again(model), x)


def test_simple_operations_are_written_as_those_of_keras():
    a = tf.keras.Input((4,))
    model = Model(a, tf.concat([a * 2.0, a], axis=-1)[:, 1:])
    found = [(e["module"], e["class_name"]) for e in model.get_config()["layers"][1:]]
    room = "keras.src.ops.numpy"
    assert found == [(room, "Multiply"), (room, "Concatenate"), (room, "GetItem")]


def test_other_operations_are_written_as_own_layers():
    a = tf.keras.Input((4,))
    entry = Model(a, tf.cumsum(a, axis=1)).get_config()["layers"][-1]
    assert entry["class_name"] == "OpLayer"
    assert entry["config"]["function"] == "cumsum"


def test_a_model_may_start_from_the_output_of_a_layer(x):
    a = tf.keras.Input((4,))
    first, second = layers.Dense(3), layers.Dense(2)
    whole = Model(a, second(first(a)))
    rest = Model(first.output, whole.output)
    made = registry.deserialize_keras_object(registry.serialize_keras_object(rest))
    made.layers[-1].set_weights(second.get_weights())
    np.testing.assert_allclose(made(first(x)).numpy(), whole(x).numpy(), rtol=1e-6)


class Named(Model):
    """A subclass that is made like Model."""


def test_a_subclass_without_init_keeps_its_class(x):
    a = tf.keras.Input((4,))
    model = Named(a, layers.Dense(1)(a))
    made = again(model)
    assert type(made) is Named
    assert_same(model, made, x)


def test_configs_of_tf_keras_2_load(x):
    dense = {
        "class_name": "Dense",
        "name": "d",
        "config": {"name": "d", "units": 2},
        "inbound_nodes": [[["a", 0, 0, {}]]],
    }
    inputs = {
        "class_name": "InputLayer",
        "name": "a",
        "config": {"name": "a", "batch_input_shape": [None, 4], "dtype": "float32"},
        "inbound_nodes": [],
    }
    config = {
        "name": "old",
        "layers": [inputs, dense],
        "input_layers": [["a", 0, 0]],
        "output_layers": [["d", 0, 0]],
    }
    assert Model.from_config(config)(x).shape == (2, 2)


def _config():
    a = tf.keras.Input((4,), name="a")
    return json.loads(json.dumps(Model(a, layers.Dense(2, name="d")(a)).get_config()))


def _history(config):
    return config["layers"][1]["inbound_nodes"][0]["args"][0]["config"]["keras_history"]


@pytest.mark.parametrize(
    ("history", "message"),
    [
        (["nothing", 0, 0], r"may use the layers \['a', 'd'\]; got 'nothing'"),
        (["d", 0, 0], r"the calls of the layers \['d'\] need each other"),
        (["a", 7, 0], r"the calls of the layers \['d'\] need each other"),
        (["a", 0, 3], "gives 1 outputs; number 3 was asked for"),
        (["a", -1, 0], "is written as"),
        (["a"], "is written as"),
    ],
)
def test_calls_that_do_not_fit_are_errors(history, message):
    config = _config()
    _history(config)[:] = history
    with pytest.raises(ValueError, match=message):
        Model.from_config(config)


def test_an_unknown_operation_of_keras_is_an_error():
    config = _config()
    config["layers"][1] |= {"module": "keras.src.ops.numpy", "class_name": "Histogram"}
    with pytest.raises(ValueError, match='operation "d" must be one that lamina knows'):
        Model.from_config(config)


def test_an_unknown_argument_of_an_operation_is_an_error():
    config = _config()
    inner = {"name": "d", "axis": 1, "initial": 3.0}
    config["layers"][1] |= {"module": "keras.src.ops.numpy", "class_name": "Max", "config": inner}
    with pytest.raises(ValueError, match=r"got \{'initial': 3.0\} too"):
        Model.from_config(config)


def test_an_unknown_own_operation_is_an_error():
    config = _config()
    inner = {"name": "d", "function": "os.system", "arguments": {}}
    config["layers"][1] |= {"class_name": "OpLayer", "config": inner}
    with pytest.raises(ValueError, match=r"must name one .* got 'os\.system'"):
        Model.from_config(config)


def test_two_layers_of_one_name_cannot_be_saved():
    a = tf.keras.Input((4,))
    model = Model(a, layers.Dense(4, name="twin")(layers.Dense(4, name="twin")(a)))
    with pytest.raises(ValueError, match=r"got \['twin'\] more than once"):
        model.get_config()
