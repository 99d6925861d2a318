"""Rescaling, resizing, cropping, and the number of boxes."""

import numpy as np
import pytest

import lamina as tf

layers = tf.keras.layers
RAMP = (np.arange(12).reshape(1, 3, 4, 1) * 20).astype("float32")
BOXES = np.array([[[1, 1, 3, 2], [0, 0, 4, 3]]], "float32")


def test_rescaling_takes_one_number_or_one_for_each_channel():
    x = np.ones((2, 2, 2), "uint8")
    layer = layers.Rescaling([1.0, 2.0], offset=[0.0, 0.5])
    assert layer(x).numpy()[0, 0].tolist() == [1.0, 2.5]
    assert layers.Rescaling(2, dtype="float16")(x).dtype == "float16"
    copy = layers.Rescaling.from_config(layer.get_config())
    assert copy(x).numpy()[0, 0].tolist() == [1.0, 2.5]


def test_rescaling_follows_the_configured_data_format():
    tf.keras.backend.set_image_data_format("channels_first")
    try:
        result = layers.Rescaling([1.0, 2.0])(np.ones((1, 2, 3, 3), "float32")).numpy()
    finally:
        tf.keras.backend.set_image_data_format("channels_last")
    assert result[0, :, 0, 0].tolist() == [1.0, 2.0]


# Keras 3.15 on RAMP resized to (2, 2).
@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({}, [30, 70, 150, 190]),
        ({"interpolation": "nearest"}, [20, 60, 180, 220]),
        ({"interpolation": "bicubic", "antialias": True}, [36.519, 73.048, 146.952, 183.481]),
        ({"crop_to_aspect_ratio": True}, [25, 55, 145, 175]),
        ({"pad_to_aspect_ratio": True, "fill_value": 9}, [30, 70, 150, 190]),
    ],
)
def test_resizing_gives_keras_numbers(arguments, wanted):
    layer = layers.Resizing(2, 2, **arguments)
    np.testing.assert_allclose(layer(RAMP).numpy().ravel(), wanted, atol=1e-2)
    first = layers.Resizing(2, 2, data_format="channels_first", **arguments)
    turned = first(RAMP.transpose(0, 3, 1, 2), training=False).numpy()
    np.testing.assert_allclose(turned.ravel(), wanted, atol=1e-2)


def test_resizing_keeps_integers():
    result = layers.Resizing(2, 2)(RAMP.astype("uint8"))
    assert result.dtype == "uint8"
    assert result.numpy().ravel().tolist() == [30, 70, 150, 190]


def test_padding_keeps_the_aspect_ratio():
    x = np.ones((1, 2, 4, 1), "float32")
    result = layers.Resizing(4, 4, "nearest", pad_to_aspect_ratio=True, fill_value=5)(x).numpy()
    assert result[0, :, 0, 0].tolist() == [5, 1, 1, 5]


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ({}, [1, 2, 3, 4, 0, 0, 4, 6]),
        ({"pad_to_aspect_ratio": True}, [1, 2, 3, 3, 0, 1, 4, 4]),
        ({"crop_to_aspect_ratio": True}, [0, 2, 4, 4, 0, 0, 4, 6]),
    ],
)
def test_boxes_follow_resizing_as_in_keras(arguments, wanted):
    layer = layers.Resizing(6, 4, bounding_box_format="xyxy", **arguments)
    data = {"images": RAMP, "bounding_boxes": {"boxes": BOXES, "labels": [[1, 2]]}}
    moved = layer(data)["bounding_boxes"]
    np.testing.assert_allclose(moved["boxes"].numpy().ravel(), wanted, atol=1e-4)


def test_boxes_that_fill_up_stay_empty():
    layer = layers.Resizing(6, 8, bounding_box_format="xyxy", pad_to_aspect_ratio=True)
    boxes = {"boxes": np.array([[[-1, -1, -1, -1], [0, 0, 0, 0]]], "f"), "labels": [[-1, -1]]}
    moved = layer({"images": RAMP, "bounding_boxes": boxes})["bounding_boxes"]
    assert not moved["boxes"].numpy().any()


def test_center_crop_cuts_or_resizes():
    assert layers.CenterCrop(2, 3)(RAMP).numpy().ravel().tolist() == [0, 20, 40, 80, 100, 120]
    wanted = [0, 12.5, 27.5, 40, 50, 62.5, 77.5, 90]
    result = layers.CenterCrop(4, 4)(RAMP).numpy().ravel()[:8]
    np.testing.assert_allclose(result, wanted, atol=1e-3)
    layer = layers.CenterCrop(2, 3, bounding_box_format="xyxy")
    data = {"images": RAMP, "bounding_boxes": {"boxes": BOXES, "labels": [[1, 2]]}}
    moved = layer(data)["bounding_boxes"]["boxes"].numpy()
    assert moved.ravel().tolist() == [1, 1, 3, 2, 0, 0, 3, 2]


def test_center_crop_takes_unknown_sizes():
    inputs = tf.keras.Input((None, None, 1))
    model = tf.keras.Model(inputs, layers.CenterCrop(2, 3)(inputs))
    assert model.output_shape == (None, 2, 3, 1)
    assert model(RAMP).numpy().ravel().tolist() == [0, 20, 40, 80, 100, 120]


def test_random_crop_moves_boxes_with_the_part():
    layer = layers.RandomCrop(2, 2, bounding_box_format="xyxy")
    how = (1, 2, (3, 4))
    assert layer.transform_images(RAMP, how).numpy().ravel().tolist() == [120, 140, 200, 220]
    given = {"boxes": tf.constant(BOXES), "labels": tf.constant([[1, 2]])}
    moved = layer.transform_bounding_boxes(given, how)["boxes"].numpy()
    assert moved.ravel().tolist() == [0, 0, 1, 1, 0, 0, 2, 2]


def test_random_crop_reaches_each_place():
    layer = layers.RandomCrop(2, 2, seed=1)
    places = {tuple(layer(RAMP, training=True).numpy().ravel().tolist()) for _ in range(60)}
    assert len(places) == 6  # two rows, three columns
    np.testing.assert_array_equal(layer(RAMP, training=False).numpy(), RAMP)


def test_random_crop_of_small_images_keeps_the_aspect_ratio():
    x = np.tile(np.arange(4, dtype="float32").reshape(1, 1, 4, 1), (1, 3, 1, 1))
    result = layers.RandomCrop(6, 6)(x, training=True).numpy()
    assert result.shape == (1, 6, 6, 1)
    np.testing.assert_allclose(result[0, 0, :, 0], [0, 0.25, 0.75, 1.25, 1.75, 2])


def test_random_crop_needs_known_sizes():
    with pytest.raises(ValueError, match="height and width must be known"):
        layers.RandomCrop(2, 2)(tf.keras.Input((None, None, 3)))


@pytest.mark.parametrize(("name", "axis"), [("RandomHeight", 1), ("RandomWidth", 2)])
def test_random_sides_change_one_side(name, axis):
    layer = getattr(layers, name)((0.5, 1.0), seed=1)
    shape = list(layer(RAMP, training=True).shape)
    assert RAMP.shape[axis] * 1.5 - 1 <= shape[axis] <= RAMP.shape[axis] * 2
    shape[axis] = RAMP.shape[axis]
    assert tuple(shape) == RAMP.shape
    np.testing.assert_array_equal(layer(RAMP, training=False).numpy(), RAMP)
    with pytest.raises(ValueError, match="`factor` must be"):
        getattr(layers, name)((0.5, 0.1))


def test_the_number_of_boxes_is_made_the_same():
    x = np.ones((1, 4, 4, 3), "uint8")
    for count, fill in ((1, -1), (4, -1), (4, 7)):
        layer = layers.MaxNumBoundingBoxes(count, fill, bounding_box_format="xyxy")
        result = layer({"images": x, "bounding_boxes": {"boxes": BOXES, "labels": [[1, 2]]}})
        assert result["images"].dtype == "uint8"
        labels = result["bounding_boxes"]["labels"].numpy()[0].tolist()
        assert labels == [1, 2, fill, fill][:count]
        copy = layers.MaxNumBoundingBoxes.from_config(layer.get_config())
        assert copy.fill_value == fill


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: layers.Resizing(0, 2), "`height` must be a positive integer"),
        (lambda: layers.Resizing(2, 2, "cubic"), "`interpolation` must be one of"),
        (lambda: layers.Resizing(2, 2, fill_mode="edge"), "`fill_mode` must be one of"),
        (
            lambda: layers.Resizing(2, 2, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True),
            "only one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio`",
        ),
        (lambda: layers.CenterCrop(2, -1), "`width` must be a positive integer"),
    ],
)
def test_wrong_arguments_are_refused(make, text):
    with pytest.raises(ValueError, match=text):
        make()
