"""Images of many sizes: nothing is compiled for each."""

import numpy as np
import pytest

import lamina as tf
from lamina.ops.image import sizes
from tests.tolerances import assert_close

METHODS = ["bilinear", "nearest", "bicubic", "area", "lanczos3", "gaussian", "mitchellcubic"]


def images(count, dtype=np.uint8):
    rng = np.random.RandomState(0)
    return [(rng.rand(20 + i, 31 + i, 3) * 255).astype(dtype) for i in range(count)]


def test_many_sizes_are_resized_with_nothing_to_compile():
    before = tf.stats.compiles
    for image in images(12) * 3:
        scaled = tf.image.convert_image_dtype(tf.constant(image), tf.float32)
        assert tf.image.resize(scaled, (17, 18)).numpy().shape == (17, 18, 3)
    assert tf.stats.compiles == before


def test_a_size_that_is_alone_gets_a_program():
    image = tf.constant(images(1)[0])
    assert [sizes.is_rare_size(image, "alone") for _ in range(4)] == [True, True, False, False]


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_numpy_gives_what_programs_give(monkeypatch, method, antialias):
    image = tf.constant(images(1)[0])
    size = (11, 40)
    rare = tf.image.resize(image, size, method=method, antialias=antialias)
    monkeypatch.setattr(sizes, "_FEW", 0)
    often = tf.image.resize(image, size, method=method, antialias=antialias)
    assert rare.dtype is often.dtype
    assert_close(rare, often)


def test_a_tape_sees_the_first_image_of_a_size():
    image = tf.Variable(images(1, np.float32)[0])
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.image.resize(image, (20, 31)))
    assert tape.gradient(y, image).numpy().min() == 1
