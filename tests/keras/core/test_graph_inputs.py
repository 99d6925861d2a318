"""What a functional model accepts as inputs, and what starts in the middle of another."""

import warnings

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers


def _cut():
    x = tf.keras.Input((3,), name="x")
    first = layers.Dense(4, name="first")(x)
    last = layers.Dense(2, name="last")(first)
    return first, last


def test_the_layer_that_gives_an_input_is_no_part_of_the_model():
    first, last = _cut()
    model = tf.keras.Model(first, last)
    assert [type(la).__name__ for la in model.layers] == ["InputLayer", "Dense"]
    assert [w.path for w in model.weights] == ["last/kernel", "last/bias"]
    assert model(tf.ones([2, 4])).shape == (2, 2)


def test_a_model_from_the_middle_has_a_summary_a_copy_and_a_config(capsys):
    import copy

    first, last = _cut()
    model = tf.keras.Model(first, last)
    model.summary()
    assert "InputLayer" in capsys.readouterr().out
    x = tf.random.normal([2, 4])
    assert tf.reduce_all(copy.deepcopy(model)(x) == model(x))
    assert tf.keras.Model.from_config(model.get_config()).output_shape == (None, 2)
    assert tf.keras.models.clone_model(model).input_shape == (None, 4)


def test_operations_are_layers_and_functions():
    x = tf.keras.Input((3,), name="x")
    model = tf.keras.Model(x, layers.Dense(2, name="d")(x) + 1.0)
    assert [o.name for o in model.operations][:2] == ["x", "d"]
    assert len(model.operations) == 3


def _named(names):
    parts = {n: tf.keras.Input((2,), name=n) for n in names}
    return tf.keras.Model(parts, layers.subtract(list(parts.values())))


def test_a_list_for_named_inputs_warns():
    model = _named(["a", "b"])
    with pytest.warns(UserWarning, match="doesn't match the expected structure"):
        model([tf.ones([1, 2]), tf.zeros([1, 2])])


def test_a_list_for_named_inputs_in_another_order_is_refused():
    model = _named(["b", "a"])
    with pytest.raises(ValueError, match="not in alphabetical order"):
        model([tf.ones([1, 2]), tf.zeros([1, 2])])


def test_further_entries_of_a_dict_warn():
    model = _named(["a", "b"])
    given = {"a": tf.ones([1, 2]), "b": tf.zeros([1, 2]), "c": tf.zeros([1, 5])}
    with pytest.warns(UserWarning, match="doesn't match the expected structure"):
        assert model(given).shape == (1, 2)


def test_lists_and_tuples_are_as_good():
    a, b = tf.keras.Input((2,)), tf.keras.Input((2,))
    model = tf.keras.Model([a, b], layers.add([a, b]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model((tf.ones([1, 2]), tf.ones([1, 2])))


def test_none_for_an_input_that_is_not_optional_is_refused():
    with pytest.raises(ValueError, match='"b" is not optional'):
        _named(["a", "b"])({"a": tf.ones([1, 2]), "b": None})


def test_a_config_keeps_tuples_of_outputs():
    x = tf.keras.Input((2,))
    model = tf.keras.Model(x, (layers.Dense(1)(x), layers.Dense(3)(x)))
    assert type(tf.keras.Model.from_config(model.get_config())(tf.ones([1, 2]))) is tuple


def test_keras_tensors_have_the_methods_of_keras():
    x = tf.keras.Input((3, 1))
    model = tf.keras.Model(x, [x.reshape((-1, 3)), x.reshape(-1), x.squeeze(2)])
    assert [t.shape for t in model(tf.ones([2, 3, 1]))] == [(2, 3), (6,), (2, 3)]
    with pytest.raises(ValueError, match="got both"):
        tf.keras.KerasTensor((2,), sparse=True, ragged=True)


def test_a_sequential_of_layers_that_take_dicts_or_lists():
    class Same(layers.Layer):
        def call(self, inputs):
            return inputs

    ones = tf.ones([2, 3])
    assert set(tf.keras.Sequential([Same()])({"a": ones, "b": ones})) == {"a", "b"}
    assert len(tf.keras.Sequential([Same()])([ones, ones])) == 2


def test_a_sequential_is_not_built_for_another_shape():
    model = tf.keras.Sequential([tf.keras.Input((3,)), layers.Dense(2)])
    model.build((None, 3))
    with pytest.raises(ValueError, match=r"an input of shape \(None, 3\) already"):
        model.build((None, 4))


def test_a_sequential_has_inputs_and_outputs_once_it_is_built():
    model = tf.keras.Sequential([layers.Dense(2)])
    assert not any(hasattr(model, n) for n in ("inputs", "outputs", "input_shape"))
    model.build((None, 3))
    assert model.inputs[0].shape == (None, 3)
    assert model.outputs[0].shape == (None, 2)


def test_a_sequential_with_a_layer_that_tells_no_shape():
    class Silent(layers.Layer):
        def call(self, inputs):
            return inputs + 1.0

        def compute_output_spec(self, *args, **kwargs):
            raise NotImplementedError

    assert tf.keras.Sequential([Silent()])(tf.ones([2, 3])).shape == (2, 3)


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_single_output_comes_without_its_list(kind):
    x = tf.keras.Input((3,))
    model = tf.keras.Model([x], kind([layers.Dense(2)(x)]))
    ones = tf.ones([4, 3])
    assert isinstance(model(ones), tf.Tensor)
    assert model.predict(ones, verbose=0).shape == (4, 2)
    assert (model.input_shape, model.output_shape) == ((None, 3), (None, 2))
    assert type(model.output) is kind
    assert model.compute_output_shape((None, 3)) == kind([(None, 2)])
    assert type(model(tf.keras.Input((3,)))) is kind  # but for KerasTensors
    model.compile("sgd", "mse")
    assert list(model.fit(ones, tf.ones([4, 2]), verbose=0).history) == ["loss"]
    outer = tf.keras.Model(x, layers.Dense(1)(model(x)[0]))
    assert tf.keras.Sequential([outer])(ones).shape == (4, 1)


def test_shapes_of_named_inputs_come_as_a_list():
    parts = {n: tf.keras.Input((2,), name=n) for n in ("b", "a")}
    model = tf.keras.Model(parts, {"sum": layers.add(list(parts.values()))})
    assert model.input_shape == [(None, 2), (None, 2)]
    assert model.output_shape == (None, 2)


@pytest.mark.parametrize("ask", [bool, np.asarray, lambda t: np.sin(t)])
@pytest.mark.parametrize("error", [TypeError, ValueError])
def test_symbols_have_no_value(ask, error):
    with pytest.raises(error, match="a value was asked for, of shape"):
        ask(tf.keras.KerasTensor((3, 4)))
