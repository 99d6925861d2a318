"""Layer.quantize: 8-bit kernels. Expected values are those of Keras 3.15."""

import numpy as np
import pytest

import lamina as tf

layers = tf.keras.layers


def _kernel():
    return np.arange(12).reshape(4, 3) / 10.0 - 0.5


def test_dense_rounds_kernel_and_inputs():
    layer = layers.Dense(3, activation="relu")
    layer.build((None, 4))
    layer.kernel.assign(_kernel())
    x = np.array([[0.548814, 0.715189, 0.602763, 0.544883]], np.float32)
    layer.quantize("int8")
    np.testing.assert_allclose(layer(x), [[0.0, 0.10435854, 0.34450957]], rtol=1e-5)
    assert layer.kernel.dtype == "int8"
    assert layer.kernel.numpy()[0].tolist() == [-127, -102, -63]
    assert layer.quantization_mode == "int8"
    assert [v.name for v in layer.trainable_variables] == ["bias"]


def test_einsum_dense():
    layer = layers.EinsumDense("abc,cd->abd", output_shape=(None, 3), bias_axes="d")
    layer.build((None, 1, 4))
    layer.kernel.assign(_kernel())
    layer.quantize("int8")
    x = np.array([[[0.9636628, 0.3834415, 0.791725, 0.5288949]]], np.float32)
    np.testing.assert_allclose(layer(x), [[[-0.26856378, -0.00104558, 0.2667475]]], rtol=1e-4)


def test_embedding():
    layer = layers.Embedding(5, 4)
    layer.build(())
    layer.embeddings.assign(np.arange(20).reshape(5, 4) / 10.0 - 1)
    layer.quantize("int8")
    expected = [[-0.60000014, -0.50078756, -0.4015749, -0.29763788]]
    np.testing.assert_allclose(layer(np.array([1])), expected, rtol=1e-5)


def test_inputs_keep_their_gradient():
    layer = layers.Dense(1, kernel_initializer="ones")
    x = tf.constant([[1.0, 2.0]])
    layer(x)
    layer.quantize("int8")
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    np.testing.assert_allclose(tape.gradient(y, x), [[1.0, 1.0]], rtol=1e-5)


def test_model_quantizes_what_can_be():
    model = tf.keras.Sequential([layers.Input((4,)), layers.Dense(3), layers.ReLU()])
    with pytest.warns(UserWarning, match="Layer ReLU does not have a `quantize` method"):
        model.quantize("int8")
    assert model.layers[0].dtype_policy.name == "int8_from_float32"
    assert model.predict(np.ones((2, 4), np.float32), verbose=0).shape == (2, 3)


def test_filters_choose_layers():
    model = tf.keras.Sequential([layers.Dense(3, name="a"), layers.Dense(3, name="b")])
    model.build((None, 2))
    model.quantize("int8", filters=lambda layer: layer.name == "b")
    assert [layer.quantization_mode for layer in model.layers] == [None, "int8"]


@pytest.mark.parametrize(
    ("mode", "match"),
    [("zz", "invalid quantization mode"), ("float8", "lamina quantizes to 'int8'")],
)
def test_other_modes_are_refused(mode, match):
    layer = layers.Dense(3)
    layer.build((None, 4))
    with pytest.raises(ValueError, match=match):
        layer.quantize(mode)


def test_errors():
    with pytest.raises(ValueError, match="the layer is not built"):
        layers.Dense(3).quantize("int8")
    with pytest.raises(NotImplementedError, match="Layer ReLU does not have a `quantize`"):
        layers.ReLU().quantize("int8")

    class Mine(layers.Dense):
        pass

    layer = Mine(3)
    layer.build((None, 4))
    with pytest.raises(NotImplementedError, match="type_check=False"):
        layer.quantize("int8")
    layer.quantize("int8", type_check=False)
    with pytest.raises(ValueError, match="quantized already"):
        layer.quantize("int8", type_check=False)
