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
