"""Shapes that `build` takes: their names, and what a layer built by hand remembers."""

import pytest

import lamina as tf
from lamina.keras.core.buildspec import shapes_by_name

layers = tf.keras.layers


def pair(build):
    """Return a layer class of two inputs with a given `build`."""

    class Pair(layers.Layer):
        def call(self, left, right):
            return left[:, :1] + right[:, :1]

    Pair.build = build
    return Pair()


def test_shapes_are_given_by_name():
    seen = {}

    def build(self, right_shape, left_shape):
        seen.update(left=left_shape, right=right_shape)

    pair(build)(tf.ones([2, 3]), tf.ones([2, 5]))
    assert seen == {"left": (2, 3), "right": (2, 5)}


@pytest.mark.parametrize(
    "build",
    [lambda self, left_shape, right: None, lambda self, left_shape, other_shape: None],
)
def test_names_that_fit_no_argument_are_refused(build):
    with pytest.raises(ValueError, match=r"must be one of `call` .* got `(right|other_shape)`"):
        pair(build)(tf.ones([2, 3]), tf.ones([2, 5]))


def test_a_build_by_hand_is_remembered_by_name():
    layer = layers.MultiHeadAttention(2, 3)
    layer.build((None, 5, 4), (None, 6, 7), (None, 6, 2))
    expected = {
        "query_shape": (None, 5, 4),
        "value_shape": (None, 6, 7),
        "key_shape": (None, 6, 2),
    }
    assert layer.get_build_config() == expected
    made = layers.MultiHeadAttention(2, 3)
    made.build_from_config(expected)
    assert [w.shape for w in made.weights] == [w.shape for w in layer.weights]
    assert shapes_by_name(layers.Dense.build, ((2, 3),), {}) == {"input_shape": (2, 3)}


def test_a_layer_without_layers_is_built_for_any_shape():
    layer = layers.HashedCrossing(3)
    layer.build(((2,), (2,)))  # its call takes no floats
    assert layer.built
