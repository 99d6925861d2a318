"""tf.keras.quantizers: expected values are those of Keras 3.15."""

import numpy as np
import pytest

import lamina as tf

quantizers = tf.keras.quantizers
X = np.cos(np.arange(8.0)).reshape(2, 4).astype("float32")


def test_abs_max_quantize_scales_along_axes():
    q, scale = quantizers.abs_max_quantize(X, 0)
    assert q.numpy().tolist() == [[127, 127, -55, -127], [-83, 67, 127, 97]]
    expected = [[126.999985, 235.05356, 132.26819, 128.28378]]
    np.testing.assert_allclose(scale, expected, rtol=1e-6)


def test_grouped_quantization_has_scales_and_zeros():
    q, scale, zero = quantizers.abs_max_quantize_grouped_with_zero_point(X.T, 3)
    assert q.numpy().tolist() == [[7, -8], [2, 1], [-8, 7], [-8, 7]]
    assert zero.numpy().tolist() == [[-4, -2], [7, -8]]
    expected = [[0.0944098, 0.1075876], [0.06599951, 0.05026016]]
    np.testing.assert_allclose(scale, expected, rtol=1e-6)
    with pytest.raises(ValueError, match="`value_range` must be"):
        quantizers.abs_max_quantize_grouped_with_zero_point(X.T, 3, value_range=(-127, 127))


@pytest.mark.parametrize(("axis", "shape"), [(0, (2, 3)), (-1, (3, 2))])
@pytest.mark.parametrize(("dtype", "least"), [("int8", -4), ("uint8", 0)])
def test_packed_integers_come_back(axis, shape, dtype, least):
    x = np.arange(least, least + 9).reshape(3, 3).astype(dtype)
    packed, found, size = quantizers.pack_int4(x, axis=axis, dtype=dtype)
    assert (found, size, packed.dtype.name) == (shape, 3, dtype)
    back = quantizers.unpack_int4(packed, size, axis=axis, dtype=dtype)
    np.testing.assert_array_equal(back, x)


def test_the_first_of_two_is_the_lower_half():
    packed, _, _ = quantizers.pack_int4(np.arange(9).reshape(3, 3).astype("uint8"), dtype="uint8")
    assert packed.numpy().tolist() == [[48, 65, 82], [6, 7, 8]]


@pytest.mark.parametrize(
    ("kind", "match", "call"),
    [
        (ValueError, "'int8' or 'uint8'", lambda q: q.pack_int4(np.ones(3, "int8"), dtype="int4")),
        (TypeError, "a Tensor of int8", lambda q: q.pack_int4(np.ones(3, "int32"))),
        (ValueError, "`axis` must be one of 1", lambda q: q.pack_int4(np.ones(3, "int8"), axis=2)),
        (TypeError, "int8 or uint8", lambda q: q.unpack_int4(np.ones(3, "float32"), 2)),
        (ValueError, "`value_range` must lie", lambda q: q.AbsMaxQuantizer(value_range=(-300, 3))),
        (ValueError, "a name, a config or", lambda q: q.get("nope")),
        (NotImplementedError, "written by the subclass", lambda q: q.Quantizer()(1.0)),
    ],
)
def test_errors(kind, match, call):
    with pytest.raises(kind, match=match):
        call(quantizers)


def test_quantizers_take_the_axis_of_the_call_before_their_own():
    quantizer = quantizers.AbsMaxQuantizer(axis=0)
    assert quantizer(X)[1].shape == (1, 4)
    assert quantizer(X, axis=-1)[1].shape == (2, 1)
    assert quantizers.AbsMaxQuantizer()(X)[1].shape == (2, 1)


def test_configs():
    config = {"value_range": (-127, 127), "epsilon": 1e-7, "output_dtype": "int8"}
    assert quantizers.AbsMaxQuantizer().get_config() == config
    made = quantizers.get("abs_max_quantizer", axis=-1)
    assert made.get_config() == {**config, "axis": (-1,)}
    stored = quantizers.serialize(made)
    assert (stored["module"], stored["class_name"]) == ("keras.quantizers", "AbsMaxQuantizer")
    assert quantizers.deserialize(stored).get_config() == made.get_config()
    assert quantizers.get(None) is None


def test_floats_of_eight_bits():
    scale = quantizers.compute_float8_scale(np.float32(2), np.float32(1), 448.0)
    np.testing.assert_allclose(scale, 0.004464286, rtol=1e-6)
    assert float(quantizers.compute_float8_scale(0.0, 3.0, 448.0)) == 3.0
    assert quantizers.compute_float8_amax_history(X, np.float32([5, 6, 7])).numpy().tolist() == [
        1.0,
        7.0,
        5.0,
    ]
    found = quantizers.quantize_and_dequantize(X, np.float32(0.5), "float8_e4m3fn", "float32")
    expected = [[1.0, 0.5625, -0.40625, -1.0], [-0.625, 0.28125, 0.9375, 0.75]]
    assert found.numpy().tolist() == expected


def test_fake_quantization_with_one_bound_or_one_for_each_channel():
    found = quantizers.fake_quant_with_min_max_vars(X, -0.5, 0.7, num_bits=4)
    expected = [[0.72, 0.56, -0.4, -0.48], [-0.48, 0.32, 0.72, 0.72]]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    low, high = [-0.5, -0.2, -1, 0], [0.7, 0.3, 1, 0.5]
    expected = [[0.72, 0.3, -0.4, 0.0], [-0.48, 0.3, 0.9333334, 0.5]]
    found = quantizers.fake_quant_with_min_max_vars(X, low, high, num_bits=4, axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    turned = quantizers.fake_quant_with_min_max_vars(X.T, low, high, num_bits=4, axis=0)
    np.testing.assert_array_equal(turned.numpy().T, found)
