"""CategoryEncoding; numbers of TF are Keras 3.15's."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers as L


@pytest.mark.parametrize(
    ("mode", "inputs", "expected"),
    [
        ("one_hot", [1, 2], [[0, 1, 0], [0, 0, 1]]),
        ("one_hot", [[1], [2]], [[0, 1, 0], [0, 0, 1]]),
        ("one_hot", [[1, 2]], [[[0, 1, 0], [0, 0, 1]]]),
        ("one_hot", [1, 5], [[0, 1, 0], [0, 0, 0]]),
        ("one_hot", 2, [[0, 0, 1]]),
        ("multi_hot", [1, 1], [0, 1, 0]),
        ("multi_hot", [[0, 0], [1, 2]], [[1, 0, 0], [0, 1, 1]]),
        ("binary", [[0, 0]], [[1, 0, 0]]),
        ("count", [[0, 0], [1, 5]], [[2, 0, 0], [0, 1, 0]]),
        ("count", 2, [0, 0, 1]),
        # As TF: of three axes, axis 1 is the sample.
        ("count", [[[0, 1], [0, 2]]], [[[2, 0, 0], [0, 1, 1]]]),
        ("multi_hot", [[[0, 1], [0, 2]]], [[[1, 0, 0], [0, 1, 1]]]),
    ],
)
def test_modes(mode, inputs, expected):
    found = L.CategoryEncoding(3, output_mode=mode)(inputs)
    assert found.dtype == tf.float32
    assert found.numpy().tolist() == expected


def test_weights_count():
    layer = L.CategoryEncoding(3, output_mode="count")
    found = layer(np.array([[0, 1, 1]]), count_weights=np.array([[0.5, 2.0, 3.0]]))
    assert found.numpy().tolist() == [[0.5, 5.0, 0.0]]
    found = layer([[[0], [0]]], count_weights=[[[0.5], [2.0]]])
    assert found.numpy().tolist() == [[[2.5, 0.0, 0.0]]]


def test_the_shape_is_known_before_the_data():
    x = tf.keras.Input((4,), dtype="int32")
    shapes = {"one_hot": (None, 4, 3), "multi_hot": (None, 3), "count": (None, 3)}
    for mode, shape in shapes.items():
        layer = L.CategoryEncoding(3, output_mode=mode)
        assert tuple(layer(x).shape) == shape
        assert layer.compute_output_shape((None, 4)) == shape


def test_it_runs_in_compiled_functions():
    layer = L.CategoryEncoding(4, output_mode="count")
    x = tf.constant([[0, 3, 3]])
    assert np.array_equal(tf.function(layer)(x), layer(x))


def test_the_config_leaves_sparse_out():
    config = L.CategoryEncoding(3, "count", name="c").get_config()
    assert sorted(config) == ["dtype", "name", "num_tokens", "output_mode", "trainable"]
    assert L.CategoryEncoding.from_config(config).get_config() == config


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.CategoryEncoding(), "`num_tokens` must be set to use this layer"),
        (lambda: L.CategoryEncoding(0), "`num_tokens` must be a positive integer; got 0"),
        (lambda: L.CategoryEncoding(3, "int"), "`output_mode` must be one of"),
        (lambda: L.CategoryEncoding(3)([1], count_weights=[1.0]), "is for output_mode 'count'"),
    ],
)
def test_bad_arguments_are_explained(make, message):
    with pytest.raises(ValueError, match=message):
        make()
