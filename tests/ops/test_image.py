"""Images: sizes, geometry, colours, quality and boxes."""

import numpy as np
import pytest

import lamina as tf
from tests.tolerances import assert_close

Invalid = tf.errors.InvalidArgumentError
im = tf.image
RNG = np.random.default_rng(0)
X = RNG.uniform(size=(2, 6, 4, 3)).astype(np.float32)
U = RNG.integers(0, 256, (2, 6, 4, 3)).astype(np.uint8)
METHODS = [
    "bilinear",
    "nearest",
    "bicubic",
    "area",
    "lanczos3",
    "lanczos5",
    "gaussian",
    "mitchellcubic",
]


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_resizing_keeps_uniform_images_and_sizes_are_as_asked(method, antialias):
    for size in [(3, 7), (12, 1)]:
        found = im.resize(np.full((1, 6, 4, 2), 7, np.float32), size, method, antialias=antialias)
        assert_close(found, np.full((1, *size, 2), 7, np.float32))


def test_resizing_agrees_with_hand_computed_values():
    line = np.float32([0, 1, 2, 3]).reshape(1, 4, 1)
    expected = {
        "bilinear": ([0.5, 2.5], [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]),
        "nearest": ([1, 3], [0, 0, 1, 1, 2, 2, 3, 3]),
        "area": ([0.5, 2.5], [0, 0, 1, 1, 2, 2, 3, 3]),
    }
    for method, (small, large) in expected.items():
        assert_close(im.resize(line, (1, 2), method)[0, :, 0], small, np.float32)
        assert_close(im.resize(line, (1, 8), method)[0, :, 0], large, np.float32)
    spike = np.eye(5, dtype=np.float32)[2].reshape(1, 5, 1)
    assert_close(im.resize(spike, (1, 5), "bicubic")[0, :, 0], np.eye(5)[2], np.float32)


def test_resizing_dtypes_ratios_and_the_reach_of_antialiasing():
    assert im.resize(U, (3, 3)).dtype is tf.float32
    assert im.resize(U, (3, 3), "nearest").dtype is tf.uint8
    assert im.resize(X, (3, 3), preserve_aspect_ratio=True).shape == (2, 3, 2, 3)
    assert im.resize(X[0], tf.constant([3, 3])).shape == (3, 3, 3)
    ramp = np.arange(16, dtype=np.float32).reshape(1, 16, 1) % 2
    wide = im.resize(ramp, (1, 2), antialias=True).numpy().ravel()
    np.testing.assert_allclose(wide, [0.5, 0.5], atol=0.05)


@pytest.mark.parametrize("method", METHODS)
def test_the_gradient_of_resizing_sums_to_the_number_of_pixels(method):
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = im.resize(x, (9, 5), method)
    assert_close(tf.reduce_sum(tape.gradient(y, x)), np.float32(2 * 9 * 5 * 3))


GEOMETRY = {
    "flip_left_right": (lambda x: im.flip_left_right(x), lambda x: x[..., ::-1, :]),
    "flip_up_down": (lambda x: im.flip_up_down(x), lambda x: x[..., ::-1, :, :]),
    "transpose": (lambda x: im.transpose(x), lambda x: np.swapaxes(x, -2, -3)),
    "rot90": (lambda x: im.rot90(x), lambda x: np.rot90(x, 1, (-3, -2))),
    "rot90 -1": (lambda x: im.rot90(x, -1), lambda x: np.rot90(x, -1, (-3, -2))),
    "central_crop": (lambda x: im.central_crop(x, 0.5), lambda x: x[..., 1:5, 1:3, :]),
    "crop": (lambda x: im.crop_to_bounding_box(x, 1, 2, 3, 2), lambda x: x[..., 1:4, 2:4, :]),
    "crop or pad": (
        lambda x: im.resize_with_crop_or_pad(x, 3, 7),
        lambda x: np.pad(x[..., 1:4, :, :], [(0, 0)] * (x.ndim - 2) + [(1, 2), (0, 0)]),
    ),
    "pad": (
        lambda x: im.pad_to_bounding_box(x, 1, 0, 8, 5),
        lambda x: np.pad(x, [(0, 0)] * (x.ndim - 3) + [(1, 1), (0, 1), (0, 0)]),
    ),
    "grayscale_to_rgb": (lambda x: im.grayscale_to_rgb(x[..., :1]), lambda x: x[..., [0, 0, 0]]),
}


@pytest.mark.parametrize("image", [X, X[0], U], ids=["batch", "image", "uint8"])
@pytest.mark.parametrize("name", GEOMETRY)
def test_geometry_agrees_with_numpy(name, image):
    function, reference = GEOMETRY[name]
    found = function(tf.constant(image))
    assert found.dtype == image.dtype
    assert_close(found, reference(image))


def test_resize_with_pad_keeps_the_aspect_ratio():
    found = im.resize_with_pad(np.ones((6, 4, 1), np.float32), 3, 4).numpy()[..., 0]
    assert_close(found, np.pad(np.ones((3, 2)), [(0, 0), (1, 1)]), np.float32)


@pytest.mark.parametrize("stride", [2, 3])
@pytest.mark.parametrize("padding", ["VALID", "SAME"])
def test_patches_are_windows(padding, stride):
    window, step = (1, 3, 3, 1), (1, stride, stride, 1)
    found = im.extract_patches(X, window, step, (1, 1, 1, 1), padding).numpy()
    x = X
    if padding == "SAME":
        pads = [max((-(-n // stride) - 1) * stride + 3 - n, 0) for n in X.shape[1:3]]
        x = np.pad(X, [(0, 0), *[(p // 2, p - p // 2) for p in pads], (0, 0)])
    for row in range(found.shape[1]):
        for column in range(found.shape[2]):
            part = x[:, row * stride : row * stride + 3, column * stride : column * stride + 3]
            assert_close(found[:, row, column], part.reshape(2, -1))


def test_random_geometry_flips_each_image_and_stays_inside():
    many = np.tile(np.float32([[[[0.0], [1.0]]]]), (64, 1, 1, 1))
    first = im.random_flip_left_right(many).numpy()[:, 0, 0, 0]
    assert 10 < first.sum() < 54
    same = [im.stateless_random_flip_up_down(X[0], (1, i)).numpy() for i in range(16)]
    assert {tuple(np.ravel(s)) for s in same} == {
        tuple(np.ravel(X[0])),
        tuple(np.ravel(X[0][::-1])),
    }
    source = np.arange(20).reshape(5, 4)
    for seed in range(8):
        box = im.stateless_random_crop(source, (2, 2), (seed, 0)).numpy()
        assert box[0, 0] % 4 <= 2
        assert (box - box[0, 0]).tolist() == [[0, 1], [4, 5]]
    assert im.random_crop(X, (2, 3, 3, 3)).shape == (2, 3, 3, 3)
    with pytest.raises(Invalid, match="`size` must not exceed"):
        im.random_crop(X, (2, 7, 3, 3))


CONVERTED = {
    "to uint8": ([0.0, 0.5, 1.0], "uint8", False, [0, 127, 255]),
    "to uint8 clipped": ([-1.0, 2.0], "uint8", True, [0, 255]),
    "from uint8": (np.uint8([0, 255]), "float32", False, [0, 1]),
    "uint8 to uint16": (np.uint8([1, 255]), "uint16", False, [256, 65280]),
    "uint16 to uint8": (np.uint16([256, 65280]), "uint8", False, [1, 255]),
    "float to float": (np.float32([0.25]), "float64", False, [0.25]),
    "int8 clipped": (np.int8([-5, 5]), "uint8", True, [0, 10]),
}


@pytest.mark.parametrize("case", CONVERTED)
def test_converted_dtypes(case):
    source, dtype, saturate, expected = CONVERTED[case]
    found = im.convert_image_dtype(tf.constant(source), dtype, saturate)
    assert found.dtype == dtype
    assert_close(found, expected)


def test_colour_spaces_round_trip():
    for there, back in [
        ("rgb_to_hsv", "hsv_to_rgb"),
        ("rgb_to_yiq", "yiq_to_rgb"),
        ("rgb_to_yuv", "yuv_to_rgb"),
    ]:
        found = getattr(im, back)(getattr(im, there)(X))
        np.testing.assert_allclose(found.numpy(), X, atol=1e-4)
    pure = np.float32([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1], [0, 0, 0]])
    expected = np.float32([[0, 1, 1], [1 / 3, 1, 1], [2 / 3, 1, 1], [0, 0, 1], [0, 0, 0]])
    assert_close(im.rgb_to_hsv(pure), expected)
    assert_close(im.rgb_to_grayscale(pure)[:, 0], np.float32([0.2989, 0.587, 0.114, 0.9999, 0]))


def test_adjustments():
    assert_close(im.adjust_brightness(X, 0.25), X + np.float32(0.25))
    assert im.adjust_brightness(U, 2.0).numpy().min() == 255
    mean = X.mean((1, 2), keepdims=True)
    assert_close(im.adjust_contrast(X, 2.0), (X - mean) * 2 + mean)
    assert_close(im.adjust_gamma(X, 2.0, 0.5), 0.5 * X**2)
    assert_close(im.adjust_hue(X, 1.0), X)
    assert_close(im.adjust_saturation(X, 1.0), X)
    gray = im.adjust_saturation(X, 0.0).numpy()
    assert_close(gray, np.repeat(X.max(-1, keepdims=True), 3, -1))
    assert im.adjust_hue(U, 0.1).dtype is tf.uint8


def test_standardized_images():
    found = im.per_image_standardization(U).numpy()
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.mean((1, 2, 3)), [0, 0], atol=1e-5)
    np.testing.assert_allclose(found.std((1, 2, 3)), [1, 1], atol=1e-5)
    flat = tf.ones((3, 3, 1))
    with tf.GradientTape() as tape:
        tape.watch(flat)
        y = im.per_image_standardization(flat)
    assert_close(y, np.zeros((3, 3, 1)))
    assert np.isfinite(tape.gradient(y, flat).numpy()).all()


RANDOM = {
    "brightness": ((0.1,), lambda f: f(X, 0.1)),
    "contrast": ((0.5, 2.0), lambda f: f(X, 0.5, 2.0)),
    "hue": ((0.1,), lambda f: f(X, 0.1)),
    "saturation": ((0.5, 2.0), lambda f: f(X, 0.5, 2.0)),
}


@pytest.mark.parametrize("name", RANDOM)
def test_random_adjustments_follow_seeds(name):
    bounds, _ = RANDOM[name]
    drawn, stateless = getattr(im, f"random_{name}"), getattr(im, f"stateless_random_{name}")
    assert_close(stateless(X, *bounds, (1, 2)), stateless(X, *bounds, (1, 2)))
    tf.random.set_seed(0)
    first, second = drawn(X, *bounds), drawn(X, *bounds)
    assert first.numpy().tolist() != second.numpy().tolist()
    tf.random.set_seed(0)
    assert_close(drawn(X, *bounds), first)
    bad = (-0.1,) if len(bounds) == 1 else bounds[::-1]
    with pytest.raises(ValueError, match="must not be"):
        drawn(X, *bad)


def test_differences_and_edges():
    dy, dx = im.image_gradients(X)
    assert_close(dy[:, :-1], np.diff(X, axis=1))
    assert_close(dx[:, :, :-1], np.diff(X, axis=2))
    assert not dy[:, -1].numpy().any()
    assert not dx[:, :, -1].numpy().any()
    total = np.abs(np.diff(X, axis=1)).sum((1, 2, 3)) + np.abs(np.diff(X, axis=2)).sum((1, 2, 3))
    assert_close(im.total_variation(X), total)
    assert_close(im.total_variation(X[0]), total[0])
    ramp = np.broadcast_to(np.arange(5, dtype=np.float32)[:, None, None], (1, 5, 4, 1))
    edges = im.sobel_edges(ramp).numpy()
    assert_close(edges[0, 1:-1, 1:-1, 0], np.broadcast_to(np.float32([8, 0]), (3, 2, 2)))


def test_quality_measures():
    a = RNG.uniform(size=(2, 32, 32, 3)).astype(np.float32)
    b = np.clip(a + 0.1 * RNG.normal(size=a.shape), 0, 1).astype(np.float32)
    error = np.mean((a - b) ** 2, (1, 2, 3))
    assert_close(im.psnr(a, b, 1.0), (10 * np.log10(1 / error)).astype(np.float32))
    assert_close(im.ssim(a, a, 1.0), np.float32([1, 1]))
    near, far = im.ssim(a, b, 1.0).numpy(), im.ssim(a, 1 - a, 1.0).numpy()
    assert (far < near).all()
    assert (near < 1).all()
    grown = im.ssim(a, b, 1.0, return_index_map=True)
    assert grown.shape == (2, 22, 22)
    assert_close(tf.reduce_mean(grown, [1, 2]), near)
    several = im.ssim_multiscale(a, b, 1.0, (0.5, 0.5)).numpy()
    assert ((several > 0) & (several < 1)).all()
    with pytest.raises(Invalid, match="filter of size 11 must fit"):
        im.ssim(X, X, 1.0)


def test_crops_of_boxes():
    whole = [[0.0, 0.0, 1.0, 1.0], [1.0, 0.0, 0.0, 1.0]]
    found = im.crop_and_resize(X, whole, [0, 1], (6, 4))
    assert_close(found, np.stack([X[0], X[1, ::-1]]))
    outside = im.crop_and_resize(X, [[-1.0, 0.0, -0.5, 1.0]], [0], (2, 4), extrapolation_value=9.0)
    assert_close(outside, np.full((1, 2, 4, 3), 9, np.float32))
    middle = im.crop_and_resize(X, [[0.0, 0.0, 1.0, 1.0]], [0], (1, 1), "nearest")
    assert_close(middle[0, 0, 0], X[0, 3, 2])


def test_suppression_of_overlapping_boxes():
    boxes = np.float32([[0, 0, 1, 1], [0, 0, 1, 0.9], [2, 2, 3, 3], [3, 3, 2, 2]])
    scores = np.float32([0.8, 0.9, 0.7, 0.1])
    assert im.non_max_suppression(boxes, scores, 4).numpy().tolist() == [1, 2]
    assert im.non_max_suppression(boxes, scores, 4, 0.95).numpy().tolist() == [1, 0, 2]
    assert im.non_max_suppression(boxes, scores, 1).numpy().tolist() == [1]
    assert im.non_max_suppression(boxes, scores, 4, 0.5, 0.75).numpy().tolist() == [1]
    chosen, kept = im.non_max_suppression_with_scores(boxes, scores, 4, soft_nms_sigma=0.5)
    assert chosen.numpy().tolist()[:3] == [1, 2, 0]
    assert kept.numpy()[2] < 0.8


ERRORS = {
    "rank": (lambda: im.resize(X[0, 0], (2, 2)), ValueError, r"must have shape \(H, W, C\)"),
    "size": (lambda: im.resize(X, (2,)), ValueError, "`size` must be a height and a width"),
    "method": (lambda: im.resize(X, (2, 2), "cubic"), ValueError, "`method` must be a name"),
    "crop": (lambda: im.crop_to_bounding_box(X, 5, 0, 3, 3), ValueError, "box must lie inside"),
    "pad": (lambda: im.pad_to_bounding_box(X, 1, 0, 6, 4), ValueError, "images must lie inside"),
    "target": (lambda: im.resize_with_crop_or_pad(X, 0, 3), ValueError, "must be positive"),
    "fraction": (lambda: im.central_crop(X, 0.0), ValueError, r"must lie in \(0, 1\]"),
    "gamma": (lambda: im.adjust_gamma(X, -1), ValueError, "must not be negative"),
    "gradients": (lambda: im.image_gradients(X[0]), ValueError, "`image` must have shape"),
    "variation": (lambda: im.total_variation(X[0, 0]), ValueError, "3 or 4 axes"),
    "padding": (
        lambda: im.extract_patches(X, *[(1, 1, 1, 1)] * 3, "FULL"),
        ValueError,
        "`padding`",
    ),
    "crop method": (
        lambda: im.crop_and_resize(X, [[0.0] * 4], [0], (1, 1), "area"),
        ValueError,
        "`method`",
    ),
    "boxes": (lambda: im.non_max_suppression([[0.0]], [1.0], 1), ValueError, r"shape \(N, 4\)"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors_say_what_was_expected(case):
    function, kind, text = ERRORS[case]
    with pytest.raises(kind, match=text):
        function()


@pytest.mark.parametrize(
    ("adjust", "kernel"),
    [
        (im.adjust_contrast, "AdjustContrastv2"),
        (im.adjust_hue, "AdjustHue"),
        (im.adjust_saturation, "AdjustSaturation"),
    ],
)
def test_adjustments_without_a_gradient_in_tf_say_so(adjust, kernel):
    image = tf.Variable([[[0.5, 0.0, 0.0]]])
    with tf.GradientTape() as tape:
        changed = adjust(image, 0.1)
    with pytest.raises(LookupError, match=f"no entry for: {kernel}"):
        tape.gradient(changed, image)


def test_what_is_no_gray_image_or_has_no_size_is_refused():
    with pytest.raises(ValueError, match=r"grayscale_to_rgb: `images` must have 1 channel"):
        tf.image.grayscale_to_rgb(tf.zeros([2, 2, 3]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="output dimensions must be positive"):
        tf.image.resize(tf.zeros([2, 2, 3]), [0, 2])


@pytest.mark.parametrize("fraction", [0.5, 0.3, 0.9, 1.0])
def test_central_crop_of_unknown_sizes(fraction):
    images = np.random.RandomState(0).rand(2, 6, 5, 3).astype(np.float32)
    spec = tf.TensorSpec([None, None, None, 3])
    cropped = tf.function(lambda x: tf.image.central_crop(x, fraction), input_signature=[spec])
    assert_close(cropped(images), tf.image.central_crop(images, fraction))


@pytest.mark.parametrize("size", [(4, 8), (9, 2), (6, 5)])
def test_crop_or_pad_of_unknown_sizes(size):
    images = np.random.RandomState(0).rand(2, 6, 5, 3).astype(np.float32)
    spec = tf.TensorSpec([None, None, None, 3])
    fitted = lambda x: tf.image.resize_with_crop_or_pad(x, *size)  # noqa: E731
    assert_close(tf.function(fitted, input_signature=[spec])(images), fitted(images))
