"""Keras' Variable: initializers, paths, casts."""

import numpy as np
import pytest

import lamina as tf


@pytest.mark.parametrize(
    ("initializer", "options", "dtype", "value"),
    [
        ("ones", {"shape": (2,)}, "float32", [1, 1]),
        (
            lambda shape, dtype: tf.fill(shape, 3),
            {"shape": (2,), "dtype": "int32"},
            "int32",
            [3, 3],
        ),
        (2.0, {}, "float32", 2.0),
        (2, {}, "int32", 2),
        (np.float64(2.0), {}, "float64", 2.0),
        (np.ones(2), {"dtype": "float16"}, "float16", [1, 1]),
    ],
)
def test_start_value_and_dtype(initializer, options, dtype, value):
    variable = tf.keras.Variable(initializer, **options)
    assert variable.dtype == dtype
    assert variable.numpy().tolist() == value


def test_path_joins_the_open_scopes():
    with tf.keras.backend.name_scope("encoder"):
        variable = tf.keras.Variable(1.0, name="scale")
    assert (variable.path, variable.name) == ("encoder/scale", "scale")
    assert [tf.keras.Variable(1.0).name for _ in range(2)] == ["variable", "variable_1"]


def test_assign_casts_and_checks_the_shape():
    variable = tf.keras.Variable([1.0, 2.0])
    variable.assign(tf.constant([3, 4]))
    variable.assign_add(np.array([1.0, 1.0]))
    variable.assign_sub([0.5, 0.5])
    assert variable.value.numpy().tolist() == [3.5, 4.5]
    with pytest.raises(ValueError, match="must have shape"):
        variable.assign([1.0])


def test_initializer_needs_a_shape_and_names_no_slash():
    with pytest.raises(ValueError, match="`shape` must be given"):
        tf.keras.Variable("zeros")
    with pytest.raises(ValueError, match='without "/"'):
        tf.keras.Variable(1.0, name="a/b")


def test_trainable_can_be_switched():
    variable = tf.keras.Variable(1.0)
    variable.trainable = False
    with tf.GradientTape() as tape:
        loss = variable * 2.0
    assert tape.gradient(loss, variable) is None


def test_operators_promote_the_dtypes_of_variables_and_tensors():
    whole = tf.keras.Variable([1, 2], dtype="int32")
    half = tf.keras.Variable([1.5, 2.0], dtype="float16")
    assert (half + tf.constant([1.0, 1.0])).dtype == tf.float32
    assert (whole * half).dtype == tf.float16
    assert (whole - 0.5).numpy().tolist() == [0.5, 1.5]
    assert (0.5 + whole).dtype == tf.float32
    assert (whole / 2).dtype == tf.float32
    assert (whole < half).numpy().tolist() == [True, False]
    assert (half + np.float64(1.0)).dtype == tf.float16  # NumPy's values take the variable's


def test_operators_on_truth_values():
    truth = tf.keras.Variable([True, False], dtype="bool")
    assert (~truth).numpy().tolist() == [False, True]
    assert (truth & [True, True]).numpy().tolist() == [True, False]


def test_plus_and_round():
    v = tf.keras.Variable([1.26, -2.5])
    assert (+v).numpy().tolist() == v.numpy().tolist()
    np.testing.assert_allclose(round(v, 1), [1.3, -2.5], rtol=1e-6)
    np.testing.assert_allclose(round(v), [1.0, -2.0])


def test_logical_operators_take_numbers_on_both_sides():
    counts, flags = tf.keras.Variable([3, 0]), tf.keras.Variable([True, False])
    for found in (counts & flags, [1, 1] & counts, np.array([2, 0]) & counts, counts & True):
        assert found.dtype == tf.bool
        assert found.numpy().tolist() == [True, False]
    assert (tf.constant([False, False]) | flags).numpy().tolist() == [True, False]
    assert (counts ^ counts).numpy().tolist() == [False, False]


def test_product_with_a_vector():
    scale = tf.keras.Variable([1.0, 2.0])
    assert (scale @ scale).numpy() == 5.0
    assert (scale @ np.float32([[1, 0], [1, 1]])).numpy().tolist() == [3, 2]
    assert ([[3.0, 1.0]] @ scale).numpy().tolist() == [5]
    assert (scale @ tf.constant([2, 1])).dtype == tf.float32


def test_float_arrays_are_not_cut_to_integers():
    counts = tf.keras.Variable([3, 0])
    assert (counts + np.array([0.5, 1.5])).numpy().tolist() == [3.5, 1.5]
    assert (np.float32([0.5, 1.5]) * counts).numpy().tolist() == [1.5, 0]
    assert (tf.keras.Variable(1.0) + np.float64(2)).dtype == tf.float32


def test_overwrite_with_gradient_is_a_bool():
    variable = tf.keras.Variable(1.0)
    with pytest.raises(TypeError, match=r"`overwrite_with_gradient` must be a bool; got 1 \(int"):
        variable.overwrite_with_gradient = 1
    assert variable.overwrite_with_gradient is False
