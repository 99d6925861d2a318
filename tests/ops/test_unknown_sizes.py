"""Programs of images whose sizes are unknown while they are recorded."""

import numpy as np
import pytest

import lamina as tf
from tests.tolerances import assert_close

rng = np.random.RandomState(0)
IMAGE = rng.rand(7, 9, 3).astype(np.float32)
BATCH = rng.rand(2, 7, 9, 3).astype(np.float32)
FILTERS = rng.rand(3, 3, 2, 3).astype(np.float32)
BOXES = [[[0.1, 0.2, 0.7, 0.9]], [[0.0, 0.0, 0.5, 0.5]]]


def padded(mode):
    return lambda x: tf.pad(x, [[2, 1], [1, 3], [0, 0]], mode)


CASES = {
    "pad with zeros around": (lambda x: tf.image.resize_with_pad(x, 20, 14), IMAGE, (20, 14, 3)),
    "nearest": (
        lambda x: tf.image.resize_with_pad(x, 5, 14, "nearest"),
        BATCH,
        (None, 5, 14, 3),
    ),
    "antialias": (
        lambda x: tf.image.resize_with_pad(x, 5, 4, "area", antialias=True),
        IMAGE,
        (5, 4, 3),
    ),
    "aspect": (
        lambda x: tf.image.resize(x, (20, 14), preserve_aspect_ratio=True),
        IMAGE,
        (None, None, 3),
    ),
    "sobel": (tf.image.sobel_edges, BATCH, (None, None, None, 3, 2)),
    "reflect": (padded("REFLECT"), IMAGE, (None, None, 3)),
    "symmetric": (padded("SYMMETRIC"), IMAGE, (None, None, 3)),
    "boxes": (
        lambda x: tf.image.draw_bounding_boxes(x, BOXES, [[1.0, 0.0, 0.0]]),
        BATCH,
        (2, None, None, 3),
    ),
    "glimpse": (
        lambda x: tf.image.extract_glimpse(x, (3, 3), [[0.0, 0.0], [0.1, 0.1]], noise="zero"),
        BATCH,
        (2, 3, 3, 3),
    ),
    "ssim": (
        lambda x: tf.image.ssim_multiscale(
            x, x * 0.9, 1.0, power_factors=(0.5, 0.5), filter_size=2
        ),
        BATCH,
        (None,),
    ),
    "same": (
        lambda x: tf.nn.conv2d_transpose(x, FILTERS, (2, 14, 18, 2), 2),
        BATCH,
        (None, 14, 18, 2),
    ),
    "valid": (
        lambda x: tf.nn.conv2d_transpose(x, FILTERS, (2, 16, 19, 2), 2, "VALID"),
        BATCH,
        (None, 16, 19, 2),
    ),
    "linspace": (lambda x: tf.linspace(0.0, 1.0, tf.shape(x)[0]), IMAGE, (None,)),
    "crop": (
        lambda x: tf.image.stateless_random_crop(x, (3, 3, 3), seed=(1, 2)),
        IMAGE,
        (3, 3, 3),
    ),
    "crop to aspect": (
        tf.keras.layers.Resizing(4, 6, crop_to_aspect_ratio=True),
        BATCH,
        (None, 4, 6, 3),
    ),
    "pad to aspect": (
        tf.keras.layers.Resizing(4, 6, pad_to_aspect_ratio=True),
        BATCH,
        (None, 4, 6, 3),
    ),
    "centre": (tf.keras.layers.CenterCrop(4, 5), BATCH, (None, 4, 5, 3)),
}


@pytest.mark.parametrize(("function", "image", "shape"), CASES.values(), ids=CASES.keys())
def test_sizes_stay_unknown_in_a_program(function, image, shape, tmp_path):
    spec = tf.TensorSpec([None] * (image.ndim - 1) + [3], tf.float32)
    traced = tf.function(function, input_signature=[spec])
    assert tuple(traced.get_concrete_function().output_shapes) == shape
    expected = function(tf.constant(image))
    assert_close(traced(image), expected)
    images = tf.data.Dataset.from_generator(lambda: iter([image]), output_signature=spec)
    mapped = images.map(function)
    assert tuple(mapped.element_spec.shape) == shape
    assert_close(next(iter(mapped)), expected)
    module = tf.Module()
    module.f = traced
    tf.saved_model.save(module, tmp_path)
    assert_close(tf.saved_model.load(tmp_path).f(tf.constant(image)), expected)


# TensorFlow 2.21's first and last rows and columns of the image inside.
INSIDE = [
    (7, 9, 20, 14, (4, 13, 0, 13)),
    (100, 33, 30, 31, (0, 29, 10, 18)),
    (48, 64, 224, 224, (28, 195, 0, 222)),
    (10, 7, 13, 13, (0, 12, 1, 9)),
]


@pytest.mark.parametrize(("height", "width", "rows", "columns", "place"), INSIDE)
def test_padding_counts_in_float32_as_tensorflow(height, width, rows, columns, place):
    image = tf.image.resize_with_pad(tf.ones((height, width, 1)), rows, columns).numpy()
    down, across = np.nonzero(image[:, :, 0])
    assert (down.min(), down.max(), across.min(), across.max()) == place


def test_resize_with_pad_refuses_an_unknown_method():
    with pytest.raises(ValueError, match=r"tf.image.resize_with_pad: `method` must be a name"):
        tf.image.resize_with_pad(IMAGE, 4, 4, method="linear")


MEETING = [
    lambda x: x + tf.ones((2, 3)),
    lambda x: tf.concat([x, tf.ones((2, 3))], 1),
    lambda x: tf.stack([x, tf.ones((2, 3))]),
    lambda x: tf.matmul(x[:, None], tf.ones((2, 3, 4))),
    lambda x: tf.where([[True], [False]], x, 0.0),
    lambda x: tf.einsum("bi,bj->bij", x, tf.ones((2, 3))),
    lambda x: tf.keras.losses.mse(tf.ones((2, 3)), x),
]
SHAPES = [(2, 3), (2, 6), (2, 2, 3), (2, 1, 4), (2, 3), (2, 3, 3), (2,)]


@pytest.mark.parametrize(("function", "shape"), list(zip(MEETING, SHAPES, strict=True)))
def test_an_unknown_size_that_meets_a_known_one_is_that_one(function, shape, tmp_path):
    traced = tf.function(function, input_signature=[tf.TensorSpec([None, 3])])
    assert tuple(traced.get_concrete_function().output_shapes) == shape
    x = tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert_close(traced(x), function(x))
    module = tf.Module()
    module.f = traced
    tf.saved_model.save(module, tmp_path)
    assert_close(tf.saved_model.load(tmp_path).f(x), function(x))


def test_sizes_that_fit_no_other_are_still_refused():
    traced = tf.function(lambda x: x + tf.ones((2, 4)))
    with pytest.raises(tf.errors.InvalidArgumentError, match="must fit together"):
        traced.get_concrete_function(tf.TensorSpec([None, 3]))


def test_a_size_that_says_how_many_outputs_there_are_must_be_known():
    traced = tf.function(lambda x: tf.unstack(x))
    with pytest.raises(tf.errors.InvalidArgumentError, match="`num` must be the size"):
        traced.get_concrete_function(tf.TensorSpec([None, 3]))
