"""The configs of quantization. Expected values are those of Keras 3.15."""

import numpy as np
import pytest

import lamina as tf

layers, quantizers = tf.keras.layers, tf.keras.quantizers
X = np.cos(np.arange(8.0)).reshape(2, 4).astype("float32")


def _dense():
    layer = layers.Dense(3)
    layer.build((None, 4))
    for w in layer.weights:
        w.assign(np.sin(np.arange(w.shape.num_elements()) * 1.7).reshape(w.shape))
    return layer


def _own(least, most):
    return quantizers.AbsMaxQuantizer(axis=0, value_range=(least, most))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            quantizers.Int8QuantizationConfig(activation_quantizer=None),
            [-0.5987, 3.45664, -0.2915, -0.6378],
        ),
        (
            quantizers.Int8QuantizationConfig(_own(-100, 100), _own(-50, 50)),
            [-0.59456, 3.45199, -0.29953, -0.64413],
        ),
        (
            quantizers.Int4QuantizationConfig(block_size=None),
            [-0.61783, 3.43051, -0.27284, -0.59844],
        ),
        (
            quantizers.Int4QuantizationConfig(
                block_size=-1, activation_quantizer=quantizers.AbsMaxQuantizer()
            ),
            [-0.62068, 3.43457, -0.271, -0.60096],
        ),
    ],
)
def test_layers_round_as_the_config_says(config, expected):
    layer = _dense()
    layer.quantize(config=config)
    np.testing.assert_allclose(layer(X).numpy().ravel()[:4], expected, atol=2e-5)
    assert layer.quantization_config is config
    assert layer.kernel_scale.shape == (3,)
    again = layers.Dense.from_config(layer.get_config())
    again.build((None, 4))
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(X), layer(X))


def test_blocks_of_a_size():
    layer = _dense()
    layer.quantize(config=quantizers.Int4QuantizationConfig(block_size=2))
    assert layer.dtype_policy.name == "int4/2_from_float32"
    assert (layer.kernel_scale.shape, layer.kernel_zero.shape) == ((2, 3), (2, 3))
    assert layer.g_idx.numpy().tolist() == [0, 0, 1, 1]


def test_a_layer_that_is_quantized_by_its_policy_takes_the_config():
    config = quantizers.Int8QuantizationConfig(activation_quantizer=None)
    layer = layers.Dense(3, dtype="int8_from_float32", quantization_config=config)
    layer.build((None, 4))
    assert layer.kernel.dtype == "int8"
    stored = layer.get_config()["quantization_config"]
    assert stored["class_name"] == "Int8QuantizationConfig"
    assert stored["config"] == {"weight_quantizer": None, "activation_quantizer": None}


def test_models_take_a_config():
    model = tf.keras.Sequential([layers.Input((4,)), layers.Dense(3), layers.Dense(2)])
    model.quantize(config=quantizers.Int8QuantizationConfig(activation_quantizer=None))
    assert [layer.quantization_mode for layer in model.layers] == ["int8", "int8"]


@pytest.mark.parametrize(
    ("args", "match"),
    [
        ((None, None), "needs a `mode` or a `config`"),
        (("int8", quantizers.Int4QuantizationConfig()), "contradictory arguments"),
        (("int8", {}), "must be a QuantizationConfig or None"),
        ((None, quantizers.Float8QuantizationConfig()), "scales follow the training"),
        ((None, "int7"), "invalid quantization mode"),
    ],
)
def test_modes_and_configs_that_do_not_fit_are_refused(args, match):
    with pytest.raises(ValueError, match=match):
        _dense().quantize(args[0], config=args[1])
    with pytest.raises(ValueError, match=match):
        tf.keras.Sequential([_dense()]).quantize(*args)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda q: q.Int4QuantizationConfig(_own(-8, 7)), "does not support custom quantizers"),
        (lambda q: q.Int4QuantizationConfig(_own(-9, 7), block_size=None), "value_range="),
        (lambda q: q.Int4QuantizationConfig(block_size=0), "None, -1 or positive"),
        (lambda q: q.Int8QuantizationConfig(q.Quantizer("int4")), "output_dtype='int8'"),
    ],
)
def test_configs_check_their_arguments(call, match):
    with pytest.raises(ValueError, match=match):
        call(quantizers)


def test_the_base_class_has_no_mode():
    with pytest.raises(NotImplementedError, match="property of the subclass"):
        _ = quantizers.QuantizationConfig().mode


def test_configs_are_stored_with_their_quantizers():
    config = quantizers.Int4QuantizationConfig(_own(-8, 7), block_size=None)
    stored = tf.keras.saving.serialize_keras_object(config)
    assert stored["module"] == "keras.quantizers"
    made = tf.keras.saving.deserialize_keras_object(stored)
    assert (made.block_size, made.weight_quantizer.axis) == (None, (0,))
