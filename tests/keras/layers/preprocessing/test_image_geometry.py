"""Layers that move pixels: numbers of Keras 3.15 for given transformations, boxes, masks."""

import numpy as np
import pytest

import lamina as tf

layers = tf.keras.layers
RAMP = (np.arange(12).reshape(1, 3, 4, 1) * 20).astype("float32")
BOXES = np.array([[[1, 1, 3, 2], [0, 0, 4, 3]]], "float32")
SHAPE = (1, 3, 4, 1)
START = np.array([[[0, 0], [3, 0], [0, 2], [3, 2]]], "float32")
END = np.array([[[0, 0], [2.5, 0], [0, 1.5], [3.5, 2.5]]], "float32")

# Keras' results of shifting RAMP by 1.25 to the right and 2.5 up.
SHIFTED = {
    ("reflect", "bilinear"): [165, 160, 175, 195, 125, 120, 135, 155, 45, 40, 55, 75],
    ("reflect", "nearest"): [160, 160, 180, 200, 160, 160, 180, 200, 80, 80, 100, 120],
    ("wrap", "bilinear"): [55, 60, 15, 35, 95, 100, 55, 75, 55, 60, 15, 35],
    ("wrap", "nearest"): [60, 60, 20, 40, 140, 140, 100, 120, 60, 60, 20, 40],
    ("constant", "bilinear"): [7, 64.375, 91, 101, *[7] * 8],
    ("constant", "nearest"): [7] * 12,
    ("nearest", "bilinear"): [160, 160, 175, 195] * 3,
    ("nearest", "nearest"): [160, 160, 180, 200] * 3,
}


@pytest.mark.parametrize(("fill_mode", "interpolation"), SHIFTED)
def test_translation_gives_keras_numbers(fill_mode, interpolation):
    layer = layers.RandomTranslation(1, 1, fill_mode, interpolation, fill_value=7.0)
    moves = {"translations": np.array([[1.25, -2.5]], "float32")}
    result = layer.transform_images(RAMP, moves).numpy().ravel()
    np.testing.assert_allclose(result, SHIFTED[fill_mode, interpolation], atol=1e-3)


def test_rotation_gives_keras_numbers():
    layer = layers.RandomRotation((0.125, 0.125))
    turn = layer.get_random_transformation(RAMP)
    matrix = [0.707, -0.707, 1.146, 0.707, 0.707, -0.768, 0, 0]
    np.testing.assert_allclose(turn["rotation_matrix"].numpy()[0], matrix, atol=1e-3)
    wanted = [22.929, 37.071, 102.929, 168.284, 8.787, 74.645]
    wanted += [145.355, 211.213, 51.716, 117.071, 182.929, 197.071]
    np.testing.assert_allclose(
        layer.transform_images(RAMP, turn).numpy().ravel(), wanted, atol=1e-2
    )


def test_zoom_gives_keras_numbers():
    zoom = {"width_zoom": np.array([[0.5]], "f"), "height_zoom": np.array([[1.5]], "f")}
    wanted = [15, 25, 35, 45, 95, 105, 115, 125, 175, 185, 195, 205]
    result = layers.RandomZoom(0.5).transform_images(RAMP, _tensors(zoom)).numpy().ravel()
    np.testing.assert_allclose(result, wanted, atol=1e-3)


def test_shear_gives_keras_numbers():
    shear = {"shear_factor": np.array([[0.5, 0.25]], "f")}
    wanted = [0, 40, 80, 120, 90, 130, 170, 200, 180, 200, 220, 220]
    result = layers.RandomShear(0.5, 0.5).transform_images(RAMP, _tensors(shear)).numpy().ravel()
    np.testing.assert_allclose(result, wanted, atol=1e-3)


def test_perspective_gives_keras_numbers():
    result = layers.RandomPerspective().transform_images(RAMP, _perspective(True)).numpy().ravel()
    wanted = [0, 29.76, 51.31, 37.091, 114.023, 124.175]
    wanted += [131.817, 126.939, 79.192, 148.754, 197.178, 196.052]
    np.testing.assert_allclose(result, wanted, atol=1e-2)
    same = layers.RandomPerspective().transform_images(RAMP, _perspective(False)).numpy()
    np.testing.assert_array_equal(same, RAMP)


def _perspective(chosen):
    points = {"start_points": START, "end_points": END}
    return {**_tensors({"apply_perspective": np.array([chosen]), **points}), "input_shape": SHAPE}


def _tensors(transformation):
    return {k: tf.constant(v) for k, v in transformation.items()}


# --- boxes and masks ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "transformation", "wanted", "labels"),
    [
        (
            lambda **k: layers.RandomFlip("horizontal", **k),
            {"flips": np.array([[[[True]]]])},
            [1, 1, 3, 2, 0, 0, 4, 3],
            [1, 2],
        ),
        (
            lambda **k: layers.RandomTranslation(1, 1, **k),
            {"translations": np.array([[-3.5, 1.0]], "f")},
            [0, 2, 0, 3, 0, 1, 0.5, 3],
            [-1, 2],
        ),
        (
            lambda **k: layers.RandomZoom(0.5, **k),
            {"width_zoom": np.array([[0.5]], "f"), "height_zoom": np.array([[1.5]], "f")},
            [0.5, 1, 4, 1.667, 0, 0.333, 4, 2.333],
            [1, 2],
        ),
        (
            lambda **k: layers.RandomPerspective(**k),
            _perspective(True),
            [0.709, 0.76, 3.5, 2.5, 0, 0, 4, 3],
            [1, 2],
        ),
    ],
    ids=["flip", "translation", "zoom", "perspective"],
)
def test_boxes_follow_as_in_keras(layer, transformation, wanted, labels):
    layer = layer(bounding_box_format="xyxy")
    transformation = {"input_shape": SHAPE, **transformation}
    given = {"boxes": tf.constant(BOXES), "labels": tf.constant([[1, 2]])}
    moved = layer.transform_bounding_boxes(given, transformation)
    np.testing.assert_allclose(moved["boxes"].numpy().ravel(), wanted, atol=1e-3)
    assert moved["labels"].numpy().tolist() == [labels]


def test_boxes_turn_as_in_keras():
    layer = layers.RandomRotation((0.125, 0.125), bounding_box_format="xyxy")
    given = {"boxes": tf.constant(BOXES), "labels": tf.constant([[1, 2]])}
    moved = layer.transform_bounding_boxes(given, layer.get_random_transformation(RAMP))
    wanted = [1.146, 0, 3.268, 2.061, 0, 0, 4, 3]
    np.testing.assert_allclose(moved["boxes"].numpy().ravel(), wanted, atol=1e-3)


def _bright_box(shape, box):
    """Return a mask that is 1 inside a box of pixels, edges included."""
    left, top, right, bottom = box
    mask = np.zeros((1, *shape, 1), "int32")
    mask[:, top : bottom + 1, left : right + 1] = 1
    return mask


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.RandomShear((0.3, 0.3), (0.2, 0.2), "nearest", "constant", seed=1),
        lambda: layers.RandomRotation((0.06, 0.06), "constant", "nearest", seed=1),
        lambda: layers.RandomZoom((0.4, 0.4), (0.2, 0.2), "constant", "nearest", seed=1),
        lambda: layers.RandomPerspective((1.0, 1.0), 0.3, "nearest", seed=1),
    ],
    ids=["shear", "rotation", "zoom", "perspective"],
)
def test_boxes_surround_the_moved_pixels(make):
    layer = make()
    layer.bounding_box_format = "xyxy"
    mask = _bright_box((30, 40), (14, 10, 24, 18))
    data = {
        "images": mask.astype("float32"),
        "segmentation_masks": mask,
        "bounding_boxes": {"boxes": np.array([[[14, 10, 24, 18]]], "f"), "labels": [[1]]},
    }
    moved = layer(data, training=True)
    np.testing.assert_array_equal(moved["images"].numpy(), moved["segmentation_masks"].numpy())
    rows, columns = np.nonzero(moved["segmentation_masks"].numpy()[0, ..., 0])
    seen = [columns.min(), rows.min(), columns.max(), rows.max()]
    np.testing.assert_allclose(moved["bounding_boxes"]["boxes"].numpy().ravel(), seen, atol=1.01)


def test_flips_are_drawn_for_each_image():
    x = np.tile(np.arange(4, dtype="float32").reshape(1, 1, 4, 1), (32, 1, 1, 1))
    first = layers.RandomFlip("horizontal", seed=2)(x, training=True).numpy()[:, 0, 0, 0]
    assert 4 < np.count_nonzero(first == 3) < 28
    vertical = layers.RandomFlip("vertical", seed=2)(x, training=True).numpy()
    np.testing.assert_array_equal(vertical, x)


# --- elastic --------------------------------------------------------------------------------------


def test_elastic_transform_moves_smoothly_and_may_be_off():
    x = np.tile(np.arange(32, dtype="float32").reshape(1, 1, 32, 1), (2, 32, 1, 1))
    layer = layers.RandomElasticTransform((1.0, 1.0), (1.0, 1.0), seed=1)
    moved = layer(x, training=True).numpy()
    assert 0.1 < np.abs(moved - x).mean() < 5
    assert np.abs(np.diff(moved - x, axis=1)).mean() < np.abs(moved - x).mean()
    for off in ({"factor": 0.0}, {"scale": 0.0}):
        same = layers.RandomElasticTransform(**off)(x, training=True).numpy()
        np.testing.assert_array_equal(same, x)


def test_elastic_transform_refuses_boxes():
    layer = layers.RandomElasticTransform((1.0, 1.0), bounding_box_format="xyxy")
    data = {"images": RAMP, "bounding_boxes": {"boxes": BOXES, "labels": [[1, 2]]}}
    with pytest.raises(NotImplementedError, match="boxes cannot follow this layer"):
        layer(data, training=True)


# --- arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: layers.RandomFlip("diagonal"), ValueError, "`mode` must be one of"),
        (lambda: layers.RandomRotation(2.0), ValueError, r"`factor` must be .* in \[-1, 1\]"),
        (lambda: layers.RandomRotation("x"), ValueError, "got 'x'"),
        (lambda: layers.RandomTranslation((0, 2), 0), ValueError, "`height_factor` must be"),
        (lambda: layers.RandomZoom(-1.0), ValueError, "`height_factor` must be"),
        (lambda: layers.RandomShear((0.1, 0.2, 0.3)), ValueError, "`x_factor` must be"),
        (lambda: layers.RandomPerspective(scale=2.0), ValueError, "`scale` must be a number in"),
        (
            lambda: layers.RandomRotation(0.1, fill_mode="zero"),
            NotImplementedError,
            "`fill_mode` must be one of .* got 'zero'",
        ),
        (
            lambda: layers.RandomZoom(0.1, interpolation="cubic"),
            NotImplementedError,
            "`interpolation` must be one of .* got 'cubic'",
        ),
    ],
)
def test_wrong_arguments_are_refused(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_factors_are_kept_as_keras_writes_them():
    assert layers.RandomRotation(0.2).get_config()["factor"] == (-0.2, 0.2)
    assert layers.RandomRotation((0.3, 0.1)).get_config()["factor"] == (0.1, 0.3)
    assert layers.RandomZoom(0.2).get_config()["height_factor"] == 0.2
    shear = layers.RandomShear(0.2).get_config()
    assert shear["x_factor"] == (-0.2, 0.2)
    assert layers.RandomShear.from_config(shear).x_factor == (-0.2, 0.2)
