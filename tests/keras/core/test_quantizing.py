"""Layer.quantize: 8-bit kernels. Expected values are those of Keras 3.15."""

from pathlib import Path

import numpy as np
import pytest

import lamina as tf

layers = tf.keras.layers
FILES = Path(__file__).parents[1] / "saving" / "files"


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
    [
        ("zz", "invalid quantization mode"),
        ("float8", "lamina quantizes to 'int8' and 'int4' .* its scales follow the training"),
        ("gptq", "roundings that serve a data set"),
    ],
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


# ---- int4: packed values, scales and zeros are Keras' --------------------------------------------


def _cubes(*shape, most=1.0):
    return np.linspace(-1, most, int(np.prod(shape))).reshape(shape).astype("float32") ** 3


def test_dense_of_four_bits():
    layer = layers.Dense(3, use_bias=False)
    layer.build((None, 5))
    layer.kernel.assign(_cubes(5, 3))
    layer.quantize("int4")
    packed = [[-120, 8], [-31, 12], [-13, 12], [3, 14], [103, 7]]
    assert layer.kernel.numpy().tolist() == packed
    assert layer.kernel_zero.numpy().tolist() == [[3, -1, -4]]
    np.testing.assert_allclose(layer.kernel_scale, [[0.0909621, 0.08396503, 0.0909621]], rtol=1e-5)
    assert layer.dtype_policy.name == "int4/128_from_float32"
    x = np.random.RandomState(0).randn(2, 5).astype("float32")
    expected = [[-1.1583714, 0.2153934, 1.6344721], [0.9543993, 0.7272906, 0.7476410]]
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-6)


def test_dense_of_four_bits_has_scales_for_each_128_inputs():
    layer = layers.Dense(2, use_bias=False)
    layer.build((None, 300))
    whole = layer.kernel.numpy()
    layer.quantize("int4")
    assert layer.kernel_scale.shape == (3, 2)
    assert layer.g_idx.numpy()[[0, 127, 128, 299]].tolist() == [0, 0, 1, 2]
    most = layer.kernel_scale.numpy().max() * 0.51
    np.testing.assert_allclose(layer(np.eye(300, dtype="float32")), whole, atol=most)


@pytest.mark.parametrize(
    ("equation", "output", "inputs", "kernel", "expected"),
    [
        (
            "abc,cde->abde",
            (None, 2, 3),
            (4, 5),
            (5, 2, 3),
            [
                [-1.3386675, -0.8459974, -0.5620255, -0.3728824, -0.1276633, 0.2875018],
                [1.9970781, 1.4461845, 1.1578345, 0.9640454, 0.7636489, 0.3886622],
            ],
        ),
        (
            "abcd,cde->abe",
            (None, 3),
            (4, 2, 5),
            (2, 5, 3),
            [-1.6369332, -1.2210371, -1.0943935],
        ),
    ],
)
def test_einsum_dense_of_four_bits(equation, output, inputs, kernel, expected):
    layer = layers.EinsumDense(equation, output_shape=output)
    layer.build((None, *inputs))
    layer.kernel.assign(_cubes(*kernel, most=1.0 if len(inputs) == 2 else 1.3))
    layer.quantize("int4")
    shape = (1, 2, 5) if len(inputs) == 2 else (1, 1, 2, 5)
    x = np.random.RandomState(1).randn(*shape).astype("float32")
    np.testing.assert_allclose(layer(x).numpy().ravel(), np.ravel(expected), rtol=1e-5, atol=1e-5)


def test_embedding_of_four_bits():
    layer = layers.Embedding(4, 5)
    layer.build()
    layer.embeddings.assign(_cubes(4, 5))
    layer.quantize("int4")
    assert layer.embeddings.numpy().tolist() == [
        [-56, 32, 4],
        [8, 100, 7],
        [-104, -5, 7],
        [-37, 63, 7],
    ]
    assert layer.embeddings_zero.numpy().ravel().tolist() == [7, 7, -8, -8]
    expected = [[-1.0, -0.7333335, -0.4666668, -0.3333334, -0.2]]
    np.testing.assert_allclose(layer(np.array([0])), expected, rtol=1e-5)


@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_quantized_models_are_loaded_quantized(tmp_path, mode):
    given = [layers.Input((6,)), layers.Embedding(9, 3), layers.Flatten(), layers.Dense(3)]
    model = tf.keras.Sequential(given)
    with pytest.warns(UserWarning, match="Flatten"):
        model.quantize(mode)
    x = np.arange(12).reshape(2, 6) % 9
    model.save(tmp_path / "m.keras")
    model.save_weights(tmp_path / "m.weights.h5")
    loaded = tf.keras.models.load_model(tmp_path / "m.keras")
    assert loaded.layers[-1].quantization_mode == mode
    assert loaded.layers[-1].kernel.dtype == "int8"
    made = tf.keras.models.clone_model(model)
    made.load_weights(tmp_path / "m.weights.h5")
    for other in (loaded, made):
        np.testing.assert_array_equal(other.predict(x, verbose=0), model.predict(x, verbose=0))


def test_zero_is_among_the_values_of_a_block():
    layer = layers.Dense(3, use_bias=False)
    layer.build((None, 4))
    layer.kernel.assign(np.linspace(1, 3, 12).reshape(4, 3))
    layer.quantize("int4")
    assert layer.kernel_zero.numpy().tolist() == [[-8, -8, -8]]
    expected = [[1.0545455, 1.1272727, 1.4], [1.5818183, 1.6909091, 2.0]]
    np.testing.assert_allclose(layer(np.eye(4, dtype="float32"))[:2], expected, rtol=1e-5)
    nothing = layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    nothing.build((None, 4))
    nothing.quantize("int4")
    np.testing.assert_array_equal(nothing(np.ones((1, 4), "float32")), 0)


def test_a_built_layer_is_quantized_by_its_policy():
    layer = layers.Dense(3)
    layer.build((None, 4))
    layer.dtype_policy = "int8_from_float32"
    assert (layer.quantization_mode, layer.kernel.dtype) == ("int8", "int8")
    assert isinstance(layer.inputs_quantizer, tf.keras.quantizers.AbsMaxQuantizer)
    shorter = layers.Dense(3)
    shorter.build((None, 4))
    shorter.dtype_policy = "int4_from_float32"  # in the blocks of `quantize`
    assert (shorter.kernel_zero.shape, shorter.inputs_quantizer) == ((1, 3), None)
    made = layers.Dense(2, dtype="int8_from_bfloat16")
    assert made.dtype_policy.name == "int8_from_bfloat16"
    assert layers.Dense.from_config(made.get_config()).dtype_policy == made.dtype_policy


# ---- Keras' names, shapes and numbers ------------------------------------------------------------


def _waves(layer, *shape):
    layer.build(shape)
    for w in layer.weights:
        w.assign(np.sin(np.arange(w.shape.num_elements()) * 1.7).reshape(w.shape))
    return layer


@pytest.mark.parametrize(
    ("equation", "output", "inputs", "shape"),
    [
        ("abc,cd->abd", (None, 3), (3, 4), (1, 1, 3)),
        ("abc,cde->abde", (None, 3, 2), (3, 4), (1, 1, 3, 2)),
        ("ab,bcd->acd", (3, 2), (4,), (1, 3, 2)),
        ("abc,bcd->ad", (5,), (3, 4), (1, 5)),
        ("btd,ndh->btnh", (None, 2, 3), (3, 4), (1, 1, 2, 3)),
        ("...x,xy->...y", (None, 5), (3, 4), (1, 5)),
    ],
)
def test_scales_of_eight_bits_have_the_form_of_the_output(equation, output, inputs, shape):
    layer = layers.EinsumDense(equation, output)
    _waves(layer, None, *inputs)
    x = np.cos(np.arange(2 * np.prod(inputs))).reshape(2, *inputs).astype("float32")
    before = layer(x)
    layer.quantize("int8")
    assert layer.kernel_scale.shape == shape
    np.testing.assert_allclose(layer(x), before, atol=0.05)


def test_four_bits_are_of_the_kernel_as_it_lies():
    layer = _waves(layers.EinsumDense("btd,ndh->btnh", (None, 2, 3), bias_axes="h"), None, 3, 4)
    layer.quantize("int4")
    x = np.cos(np.arange(24.0)).reshape(2, 3, 4).astype("float32")
    expected = [-0.58551, 3.46258, -0.29877, 2.38799]
    np.testing.assert_allclose(layer(x).numpy().ravel()[:4], expected, atol=2e-5)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "bfloat16"])
@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_short_floats(mode, dtype):
    layer = _waves(layers.Dense(3, dtype=dtype), None, 4)
    x = np.cos(np.arange(4.0)).reshape(1, 4).astype("float32")
    layer.quantize(mode)
    np.testing.assert_allclose(tf.cast(layer(x), "float32"), [[-0.59, 3.47, -0.29]], atol=0.05)
    assert layer.kernel_scale.dtype == layer.variable_dtype
    table = _waves(layers.Embedding(4, 5, dtype=dtype), None, 2)
    table.quantize(mode)
    found = tf.cast(table(np.array([1])), "float32").numpy()[0, :2]
    np.testing.assert_allclose(found, [0.81, -0.71], atol=0.05)


@pytest.mark.parametrize(
    ("mode", "tied", "expected"),
    [
        ("int8", True, [-1.13435, 2.39924, -1.75914, -0.27807, -0.77988]),
        ("int8", False, [0.33706, -0.33617, -0.24791, 0.39779, -0.18022]),
        ("int4", True, [-1.11605, 2.47381, -1.81695, -0.33418, -0.7561]),
        ("int4", False, [0.31174, -0.43717, -0.19528, 0.34143, -0.07885]),
    ],
)
def test_reversible_embedding(mode, tied, expected):
    layer = _waves(layers.ReversibleEmbedding(4, 5, tie_weights=tied), None, 2)
    layer.quantize(mode)
    found = layer(layer(np.array([[1, 2]])), reverse=True).numpy().ravel()[:5]
    np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_an_adapter_stays_beside_a_quantized_kernel(mode, tmp_path):
    x = np.cos(np.arange(8.0)).reshape(2, 4).astype("float32")
    model = tf.keras.Sequential([layers.Input((4,)), _waves(layers.Dense(3, lora_rank=2), None, 4)])
    before = model(x).numpy()
    model.quantize(mode)
    assert [v.name for v in model.trainable_variables] == ["bias", "lora_kernel_a", "lora_kernel_b"]
    most = 0.02 if mode == "int8" else 0.3
    np.testing.assert_allclose(model(x), before, atol=most)
    model.save(tmp_path / "m.keras")  # the sum, rounded anew
    loaded = tf.keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(loaded(x), before, atol=2 * most)
    assert not loaded.layers[0].lora_kernel_b.numpy().any()


@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_a_quantized_layer_takes_an_adapter(mode):
    layer = _waves(layers.Embedding(4, 5), None, 2)
    layer.quantize(mode)
    before = layer(np.array([[1, 2]])).numpy()
    layer.enable_lora(2)
    assert (layer.lora_embeddings_a.shape, layer.lora_embeddings_b.shape) == ((4, 2), (2, 5))
    np.testing.assert_array_equal(layer(np.array([[1, 2]])), before)
    layer.lora_embeddings_b.assign(np.ones((2, 5)))
    added = layer.lora_embeddings_a.numpy().sum(1)[[1, 2]]
    found = layer(np.array([1, 2])) - before[0]
    np.testing.assert_allclose(found, added[:, None] * np.ones(5), atol=1e-6)


def test_a_policy_without_a_block_size_has_one_scale_for_each_output():
    layer = layers.Dense(3, dtype="int4_from_float32")
    layer.build((None, 4))
    assert [v.name for v in layer.non_trainable_variables] == ["kernel", "kernel_scale"]


def test_a_quantized_file_of_keras_is_loaded(tmp_path):
    model = tf.keras.models.load_model(FILES / "keras3_int8.keras")
    x = np.array([[0, 1, 3]])
    np.testing.assert_allclose(model(x), [[0.25701007, 0.24983191]], rtol=1e-5)
    model.save_weights(tmp_path / "m.weights.h5")
    other = tf.keras.models.clone_model(model)
    other.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(other(x), model(x))
