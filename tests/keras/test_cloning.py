"""clone_model: new layers, other calls, and what the clone takes over."""

import pytest

import lamina as tf
from lamina.keras import layers, models


def _functional():
    x = tf.keras.Input((3,), name="x")
    hidden = layers.Dense(4, name="hidden")(x)
    return tf.keras.Model(x, layers.Dense(2, name="out")(hidden))


def _with_dropout(layer, *args, **kwargs):
    made = layer(*args, **kwargs)
    return layers.Dropout(0.25)(made) if isinstance(layer, layers.Dense) else made


def test_call_function_adds_layers():
    model = _functional()
    clone = models.clone_model(
        model, clone_function=lambda layer: layer, call_function=_with_dropout
    )
    assert [type(la).__name__ for la in clone.layers] == [
        "InputLayer",
        "Dense",
        "Dropout",
        "Dense",
        "Dropout",
    ]
    assert len(clone.weights) == 4
    assert clone.get_layer("out") is model.get_layer("out")


def test_recursive_call_function_reaches_nested_models():
    inner = _functional()
    y = tf.keras.Input((3,))
    outer = tf.keras.Model(y, inner(y))
    clone = models.clone_model(
        outer, clone_function=lambda layer: layer, call_function=_with_dropout, recursive=True
    )
    assert len(outer._flatten_layers()) == 6
    assert len(clone._flatten_layers()) == 8


def test_a_sequential_refuses_call_function():
    with pytest.raises(ValueError, match="functional models"):
        models.clone_model(tf.keras.Sequential([layers.Dense(1)]), call_function=_with_dropout)


def test_a_subclass_refuses_clone_function():
    class Own(tf.keras.Model):
        def call(self, x):
            return x

    with pytest.raises(ValueError, match="own `call`"):
        models.clone_model(Own(), clone_function=lambda layer: layer)


def test_input_tensors_are_the_inputs():
    given = tf.keras.Input((3,), name="given")
    assert models.clone_model(_functional(), input_tensors=given).input is given


def test_input_tensors_must_have_the_structure_of_the_inputs():
    a, b = tf.keras.Input((3,)), tf.keras.Input((3,))
    model = tf.keras.Model({"a": a, "b": b}, layers.add([a, b]))
    with pytest.raises(ValueError, match="in the structure of"):
        models.clone_model(model, input_tensors=(a, b))


def test_unknown_arguments_are_refused():
    with pytest.raises(ValueError, match="no further arguments"):
        models.clone_model(_functional(), clone_fn=None)


@pytest.mark.parametrize("make", [_functional, lambda: tf.keras.Sequential([layers.Dense(2)])])
def test_a_compiled_model_gives_a_compiled_clone(make):
    model = make()
    model.compile(optimizer=tf.keras.optimizers.Adam(0.125), loss="mae", metrics=["mse"])
    clone = models.clone_model(model)
    assert clone.compiled
    assert clone.optimizer is not model.optimizer
    assert float(clone.optimizer.learning_rate) == 0.125
    assert clone.loss == "mae"


def test_shared_layers_stay_shared():
    x, y = tf.keras.Input((3,)), tf.keras.Input((3,))
    dense = layers.Dense(2, name="shared")
    clone = models.clone_model(tf.keras.Model([x, y], [dense(x), dense(y)]))
    assert len(clone.weights) == 2
