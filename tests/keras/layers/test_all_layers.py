"""What holds for every layer of the table."""

import json

import numpy as np
import pytest

import lamina as tf
from lamina.engine import nest
from lamina.keras import layers as L
from tests.keras.layers.table import ROWS, inputs_of
from tests.tolerances import assert_close

every_layer = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])

# Made of other layers or of the user's code, with state, or about text and images: tested apart.
ELSEWHERE = {"ConvLSTMCell", "Layer", "InputLayer", "Lambda"}


def test_every_layer_of_these_families_has_a_row():
    families = ["activation", "basic", "borders", "conv", "conv_lstm", "conv_transpose"]
    families += ["depthwise"]
    families += ["embedding", "linear", "merging", "normalization", "pooling", "regularization"]
    families += ["reshaping", "upsampling"]
    found = {
        value.__name__
        for value in vars(L).values()
        if isinstance(value, type)
        and issubclass(value, L.Layer)
        and value.__module__.rsplit(".", 1)[-1] in families
    }
    assert found - ELSEWHERE == {row.name for row in ROWS}


@every_layer
def test_function_and_config_give_the_same_values(row):
    layer, x = row.make(name="it"), inputs_of(row)
    y = layer(x)
    compiled = tf.function(lambda *t: layer(list(t) if isinstance(x, list) else t[0]))
    assert_close(compiled(*map(tf.constant, nest.flatten(x))), y)

    config = layer.get_config()
    assert json.loads(json.dumps(config))["name"] == "it"
    copy = type(layer).from_config(json.loads(json.dumps(config)))
    assert json.dumps(copy.get_config()) == json.dumps(config)
    copy(x)
    copy.set_weights(layer.get_weights())
    assert_close(copy(x), y)


@every_layer
def test_symbolic_shape_is_the_real_one(row):
    layer, x = row.make(), inputs_of(row)
    symbols = [tf.keras.Input(a.shape[1:], dtype=a.dtype.name) for a in nest.flatten(x)]
    out = layer(symbols if isinstance(x, list) else symbols[0])
    y = layer(x)
    assert tuple(out.shape) == (None, *y.shape[1:])
    assert out.dtype == y.dtype
    shapes = [(None, *a.shape[1:]) for a in nest.flatten(x)]
    assert layer.compute_output_shape(shapes if isinstance(x, list) else shapes[0]) == out.shape


@every_layer
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float64"])
def test_policy_decides_dtypes(row, policy):
    layer, x = row.make(dtype=policy), inputs_of(row)
    reference = row.make()
    expected = reference(x)
    y = layer(x)
    layer.set_weights(reference.get_weights())
    y = layer(x)
    compute = {"mixed_bfloat16": "bfloat16", "float64": "float64"}[policy]
    assert y.dtype == compute
    assert {tf.as_dtype(w.dtype).name for w in layer.weights} <= {
        "float64" if policy == "float64" else "float32"
    }
    assert_close(y, expected, "bfloat16" if compute == "bfloat16" else "float32")


@every_layer
def test_training_step_moves_what_is_trainable(row):
    layer, x = row.make(), inputs_of(row)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x, training=True) ** 2)
    variables = layer.trainable_variables
    for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        assert gradient is not None, variable.path
        assert gradient.shape == variable.shape
        assert np.all(np.isfinite(gradient.numpy()))


# Merging layers, and those that make or read masks in their own way, are tested in their files.
MASKED = [
    row
    for row in ROWS
    if not isinstance(row.shape, list)
    and len(row.shape) > 2
    and row.name not in ("GlobalAveragePooling1D", "Masking", "Softmax", "ConvLSTM1D", "ConvLSTM3D")
]


@pytest.mark.parametrize("row", MASKED, ids=[row.name for row in MASKED])
def test_mask_passes_where_it_is_supported(row):
    layer, x = row.make(), tf.constant(inputs_of(row))
    x._keras_mask = tf.ones(x.shape[:2], tf.bool)
    assert (layer(x)._keras_mask is not None) == layer.supports_masking
