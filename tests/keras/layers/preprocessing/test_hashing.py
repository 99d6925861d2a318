"""Hashing and HashedCrossing; numbers of TF are Keras 3.15's."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers as L

LETTERS = [["A"], ["B"], ["C"], ["D"], ["E"]]


@pytest.mark.parametrize(
    ("arguments", "inputs", "expected"),
    [
        ({}, LETTERS, [[1], [0], [1], [1], [2]]),
        ({"mask_value": ""}, [["A"], ["B"], [""], ["C"], ["D"]], [[1], [1], [0], [2], [2]]),
        ({"salt": [133, 137]}, LETTERS, [[1], [2], [1], [0], [2]]),
        ({"salt": 133}, LETTERS, [[0], [0], [2], [1], [0]]),
        ({}, "A", 1),
        ({"output_mode": "one_hot"}, LETTERS[:2], [[0, 1, 0], [1, 0, 0]]),
        ({"output_mode": "one_hot"}, [["A", "B"]], [[[0, 1, 0], [1, 0, 0]]]),
        ({"output_mode": "count"}, [["A", "B"], ["B", "C"]], [[1, 1, 0], [1, 1, 0]]),
        ({"output_mode": "multi_hot"}, ["A", "B"], [1, 1, 0]),
    ],
)
def test_bins_are_those_of_tf(arguments, inputs, expected):
    found = L.Hashing(3, **arguments)(inputs)
    assert found.numpy().tolist() == expected
    is_int = "output_mode" not in arguments
    assert found.dtype == (tf.int64 if is_int else tf.float32)


def test_numbers_are_hashed_too():
    layer = L.Hashing(5)
    assert layer(np.array([[1.5, -2.5, 3.0]], "float32")).numpy().tolist() == [[4, 0, 1]]
    found = L.Hashing(5, dtype="int32")(np.array([[1, 2, 3]]))
    assert found.dtype == tf.int32
    assert found.numpy().tolist() == [[4, 4, 1]]


def test_integers_are_hashed_in_compiled_functions():
    layer = L.Hashing(7, mask_value=0)
    x = tf.constant([[0, 4], [9, -3]])
    assert np.array_equal(tf.function(layer)(x), layer(x))
    assert layer(x).numpy()[0, 0] == 0


def test_symbolic_strings_and_integers():
    for dtype in ("string", "int32"):
        y = L.Hashing(5, output_mode="one_hot")(tf.keras.Input((1,), dtype=dtype))
        assert (tuple(y.shape), y.dtype) == ((None, 5), tf.float32)


def test_the_config_of_hashing():
    config = L.Hashing(3, salt=1, name="h").get_config()
    assert config.pop("dtype")["config"] == {"name": "int64"}
    assert config == {
        "name": "h",
        "trainable": True,
        "num_bins": 3,
        "salt": [1, 1],
        "mask_value": None,
        "output_mode": "int",
        "sparse": False,
    }
    config = L.Hashing(3, salt=1).get_config()
    assert L.Hashing.from_config(config).get_config() == config


def test_crosses_are_those_of_tf():
    layer = L.HashedCrossing(5)
    cities = tf.constant(["A", "B", "A", "B", "A"])
    found = layer((cities, tf.constant([101, 101, 101, 102, 102])))
    assert found.dtype == tf.int64
    assert found.numpy().tolist() == [1, 4, 1, 1, 3]
    assert layer((["A", "B"], [1, 2])).numpy().tolist() == [0, 1]
    assert L.HashedCrossing(100)((1, 2, -3)).numpy() == 88
    hot = L.HashedCrossing(5, output_mode="one_hot")
    assert hot(([["A"], ["B"]], [[101], [101]])).numpy().tolist() == [
        [0, 1, 0, 0, 0],
        [0, 0, 0, 0, 1],
    ]
    assert hot((1, 2)).shape == [1, 5]


def test_a_cross_in_a_model():
    a, b = tf.keras.Input((1,), dtype="string"), tf.keras.Input((1,), dtype="int32")
    model = tf.keras.Model([a, b], L.HashedCrossing(5)((a, b)))
    assert model.output_shape == (None, 1)
    assert model([tf.constant([["A"]]), tf.constant([[101]])]).numpy() == [[1]]


def test_the_config_of_a_cross():
    config = L.HashedCrossing(5, name="x").get_config()
    assert config == {
        "num_bins": 5,
        "output_mode": "int",
        "sparse": False,
        "name": "x",
        "dtype": "int64",
    }
    assert L.HashedCrossing.from_config(config).get_config() == config


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.Hashing(None), "`num_bins` must be a positive integer; got None"),
        (lambda: L.Hashing(0), "`num_bins` must be a positive integer; got 0"),
        (lambda: L.Hashing(2, salt="a"), "an integer or a tuple of 2 integers; got 'a'"),
        (lambda: L.Hashing(2, output_mode="x"), "`output_mode` must be one of"),
        (lambda: L.Hashing(2, dtype="float32"), "`dtype` must be 'int32' or 'int64'"),
        (lambda: L.Hashing(2, sparse=True), "`sparse` must be False"),
        (lambda: L.HashedCrossing(2, "count"), "`output_mode` must be one of"),
        (lambda: L.HashedCrossing(2)([1]), "should be called on at least two inputs"),
        (lambda: L.HashedCrossing(2)(1), "must be a list or tuple of features; got int"),
        (lambda: L.HashedCrossing(2)([1.0, 1]), "should have an integer or string dtype"),
        (lambda: L.HashedCrossing(2)([[[1, 2]], [[1, 2]]]), "should have the same shape"),
    ],
)
def test_bad_arguments_are_explained(make, message):
    with pytest.raises(ValueError, match=message):
        make()
