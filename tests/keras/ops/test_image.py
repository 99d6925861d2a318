"""tf.keras.ops.image: numbers worked out by hand, shapes, layouts, errors."""

import numpy as np
import pytest

import lamina as tf

image = tf.keras.ops.image
IMAGES = np.random.default_rng(0).uniform(size=(2, 6, 5, 3)).astype(np.float32)
BYTES = (IMAGES * 255).astype(np.uint8)
FIRST = IMAGES.transpose(0, 3, 1, 2)
CORNERS = np.float32([[0, 0], [4, 0], [0, 5], [4, 5]])
SHIFT = np.float32([1, 0, 1, 0, 1, 0, 0, 0])
ROW = np.arange(4, dtype=np.float32).reshape(1, 4, 1)


@pytest.mark.parametrize(
    ("name", "arguments", "shape"),
    [
        ("resize", ((4, 9),), (2, 4, 9, 3)),
        ("rgb_to_grayscale", (), (2, 6, 5, 1)),
        ("pad_images", (1, 2, 3, 4), (2, 10, 11, 3)),
        ("crop_images", (1, 1, 2, 0), (2, 3, 4, 3)),
        ("crop_images", (0, 0, 0, 0), (2, 6, 5, 3)),
        ("extract_patches", (2,), (2, 3, 2, 12)),
        ("extract_patches", ((2, 3), 1, 1, "same"), (2, 6, 5, 18)),
        ("gaussian_blur", (), (2, 6, 5, 3)),
        ("sobel_edges", (), (2, 6, 5, 3, 2)),
        ("affine_transform", (SHIFT,), (2, 6, 5, 3)),
        ("perspective_transform", (CORNERS, CORNERS), (2, 6, 5, 3)),
        ("elastic_transform", (), (2, 6, 5, 3)),
        ("rgb_to_hsv", (), (2, 6, 5, 3)),
    ],
)
def test_both_layouts_give_the_same(name, arguments, shape):
    change = getattr(image, name)
    seed = {"seed": 3} if name == "elastic_transform" else {}
    last = change(IMAGES, *arguments, **seed).numpy()
    assert last.shape == shape
    first = change(FIRST, *arguments, **seed, data_format="channels_first").numpy()
    np.testing.assert_allclose(np.moveaxis(first, 1, 3), last, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest", "bicubic", "lanczos3"])
def test_resized_bytes_stay_bytes(interpolation):
    found = image.resize(BYTES, (4, 9), interpolation=interpolation)
    assert found.dtype == "uint8"
    want = image.resize(BYTES.astype(np.float32), (4, 9), interpolation=interpolation).numpy()
    np.testing.assert_allclose(found.numpy(), np.clip(np.round(want), 0, 255), atol=1)


def test_the_aspect_ratio_is_kept_by_cutting_or_padding():
    x = np.ones((1, 4, 2, 1), np.float32)
    x[:, [0, -1]] = 9
    cut = image.resize(x, (2, 2), "nearest", crop_to_aspect_ratio=True)
    np.testing.assert_array_equal(cut.numpy().ravel(), 1)
    padded = image.resize(x, (4, 4), "nearest", pad_to_aspect_ratio=True, fill_value=5.0)
    np.testing.assert_array_equal(padded.numpy()[0, 1, :, 0], [5, 1, 1, 5])


def test_grey_is_a_weighted_sum():
    found = image.rgb_to_grayscale(IMAGES).numpy()[..., 0]
    np.testing.assert_allclose(found, IMAGES @ np.float32([0.2989, 0.587, 0.114]), rtol=1e-5)
    assert image.rgb_to_grayscale(BYTES).dtype == "uint8"


def test_colours_go_there_and_back():
    found = image.hsv_to_rgb(image.rgb_to_hsv(IMAGES)).numpy()
    np.testing.assert_allclose(found, IMAGES, atol=1e-5)


def test_targets_fix_the_other_side():
    x = image.pad_images(IMAGES, top_padding=1, target_height=9, left_padding=0, right_padding=0)
    assert tuple(x.shape) == (2, 9, 5, 3)
    np.testing.assert_array_equal(x.numpy()[:, 1:7], IMAGES)
    y = image.crop_images(x, top_cropping=1, target_height=6, left_cropping=0, target_width=5)
    np.testing.assert_array_equal(y.numpy(), IMAGES)


def test_patches_hold_pixels_row_by_row():
    x = np.arange(16).reshape(1, 4, 4, 1)
    found = image.extract_patches(x, 2).numpy()
    np.testing.assert_array_equal(found[0, 1, 0], [8, 9, 12, 13])
    volumes = np.arange(8, dtype=np.float32).reshape(2, 2, 2, 1)
    np.testing.assert_array_equal(image.extract_patches_3d(volumes, 2).numpy().ravel(), range(8))


# What stands beyond the last of 0 1 2 3, read two entries to the right.
@pytest.mark.parametrize(
    ("fill_mode", "want"),
    [
        ("constant", [2, 3, 7, 7]),
        ("nearest", [2, 3, 3, 3]),
        ("reflect", [2, 3, 3, 2]),
        ("wrap", [2, 3, 0, 1]),
    ],
)
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_affine_transform_fills_outside(fill_mode, want, interpolation):
    shift = np.float32([1, 0, 2, 0, 1, 0, 0, 0])
    found = image.affine_transform(ROW, shift, interpolation, fill_mode, fill_value=7.0)
    np.testing.assert_allclose(found.numpy().ravel(), want, atol=1e-5)


def test_perspective_transform_moves_the_corners():
    moved = CORNERS + np.float32([1, 0])
    found = image.perspective_transform(IMAGES, CORNERS, moved).numpy()
    np.testing.assert_allclose(found[:, :, 1:], IMAGES[:, :, :-1], atol=1e-4)


@pytest.mark.parametrize(
    ("fill_mode", "want"),
    [
        ("constant", [7, 0.5, 7]),
        ("nearest", [0, 0.5, 3]),
        ("wrap", [3, 0.5, 0]),
        ("reflect", [1, 0.5, 3]),
    ],
)
def test_map_coordinates_fills_outside(fill_mode, want):
    at = np.float32([[-1, 0.5, 4]])
    found = image.map_coordinates(ROW.ravel(), at, 1, fill_mode, 7.0).numpy()
    np.testing.assert_allclose(found, want)


def test_map_coordinates_of_whole_numbers_rounds():
    found = image.map_coordinates(np.array([0, 10]), np.float32([[0.26]]), order=1)
    assert (found.dtype, int(found[0])) == ("int64", 3)


def test_blur_keeps_what_is_even():
    np.testing.assert_allclose(
        image.gaussian_blur(np.ones((1, 7, 7, 2), np.float32), (3, 5)).numpy()[:, 2:-2, 2:-2],
        1,
        rtol=1e-6,
    )


@pytest.mark.parametrize("method", ["linear", "cubic", "lanczos3", "bilinear"])
def test_scale_and_translate_moves_entries(method):
    x = np.float32([1, 2, 3, 4])
    found = image.scale_and_translate(x, (4,), np.float32([1]), np.float32([1]), (0,), method)
    np.testing.assert_allclose(found.numpy()[1:], [1, 2, 3], rtol=1e-5)


def test_ssim_is_one_for_equal_images_and_less_for_others():
    x = np.random.default_rng(1).uniform(size=(2, 16, 14, 3)).astype(np.float32)
    np.testing.assert_allclose(image.ssim(x, x).numpy(), [1, 1], rtol=1e-5)
    assert float(image.ssim(x[0], x[1])) < 0.5


def test_gradients_reach_images_and_coordinates():
    x, at = tf.constant(ROW.ravel()), tf.constant([[0.5, 2.25]])
    with tf.GradientTape() as tape:
        tape.watch([x, at])
        y = tf.reduce_sum(image.map_coordinates(x, at, 1) ** 2)
    of_x, of_at = tape.gradient(y, [x, at])
    np.testing.assert_allclose(of_x.numpy(), [0.5, 0.5, 3.375, 1.125])
    np.testing.assert_allclose(of_at.numpy(), [[1.0, 4.5]])


def test_transforms_are_nodes_of_a_model():
    inputs = tf.keras.Input((6, 5, 3))
    x = image.pad_images(image.affine_transform(inputs, SHIFT), 1, 1, 1, 1)
    model = tf.keras.Model(inputs, image.resize(x, (4, 4)))
    assert tuple(model(IMAGES).shape) == (2, 4, 4, 3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: image.resize(IMAGES, (2,)), ValueError, "`size` must be two positive ints"),
        (lambda: image.resize(IMAGES, (2, 2), "cubic"), ValueError, "`interpolation` must be one"),
        (
            lambda: image.resize(IMAGES, (2, 2), fill_mode="wrap"),
            ValueError,
            "`fill_mode` must be 'constant'",
        ),
        (
            lambda: image.resize(
                IMAGES, (2, 2), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True
            ),
            ValueError,
            "at most one of `crop_to_aspect_ratio`",
        ),
        (lambda: image.rgb_to_grayscale(IMAGES[0, 0]), ValueError, "must have rank 3, or 4"),
        (lambda: image.rgb_to_grayscale(IMAGES[..., :2]), ValueError, "must have 3 channels"),
        (lambda: image.rgb_to_hsv(BYTES), ValueError, "must be floating point"),
        (lambda: image.pad_images(IMAGES, 1), ValueError, "exactly two of"),
        (lambda: image.pad_images(IMAGES, -1, 1, 1, 1), ValueError, "must not be negative"),
        (
            lambda: image.pad_images(IMAGES, 1, 1, right_padding=1, target_height=3),
            ValueError,
            "the rows to add must not be negative",
        ),
        (lambda: image.crop_images(IMAGES, 4, 0, 4, 0), ValueError, "must not be negative"),
        (lambda: image.extract_patches(IMAGES, "2"), TypeError, "`size` must be an int"),
        (lambda: image.extract_patches(IMAGES, (2,)), ValueError, "2 or 3 entries"),
        (lambda: image.extract_patches_3d(IMAGES[0], 2), ValueError, "must have rank 4, or 5"),
        (
            lambda: image.affine_transform(IMAGES, SHIFT, "cubic"),
            ValueError,
            "`interpolation` must be one of",
        ),
        (
            lambda: image.affine_transform(IMAGES, SHIFT[None, None]),
            ValueError,
            "`transform` must have rank 1",
        ),
        (
            lambda: image.perspective_transform(IMAGES, CORNERS[:3], CORNERS[:3]),
            ValueError,
            r"must both have shape \(4, 2\)",
        ),
        (
            lambda: image.map_coordinates(ROW, np.zeros((1, 2)), 1),
            ValueError,
            "one row for each of the 3 axes",
        ),
        (
            lambda: image.map_coordinates(ROW, np.zeros((3, 2)), 1, "blue"),
            ValueError,
            "`fill_mode` must be one of",
        ),
        (
            lambda: image.map_coordinates(ROW, np.zeros((3, 2)), 2),
            NotImplementedError,
            "`order` must be 0 or 1",
        ),
        (
            lambda: image.scale_and_translate(ROW, (1,), [1.0], [0.0], (0,), "area"),
            ValueError,
            "`method` must be one of",
        ),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
