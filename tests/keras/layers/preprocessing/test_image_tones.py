"""Layers that change values: numbers of Keras 3.15 for given transformations."""

import numpy as np
import pytest

import lamina as tf

layers = tf.keras.layers
COLORS = np.array([[[[10, 200, 90], [255, 0, 30]], [[120, 130, 140], [60, 250, 255]]]], "float32")


def _one(value):
    return tf.constant([value], "float32")


CASES = {
    "RandomBrightness": (
        lambda **k: layers.RandomBrightness(0.5, **k),
        {"rgb_delta": [[[[20.0]]]]},
        [30, 200 + 20, 110, 255, 20, 50, 140, 150, 160, 80, 255, 255],
    ),
    "RandomContrast": (
        lambda **k: layers.RandomContrast(0.5, **k),
        {"contrast_factor": [[[[1.5]]]]},
        [0, 227.5, 70.625, 255, 0, 0, 124.375, 122.5, 145.625, 34.375, 255, 255],
    ),
    "RandomColorDegeneration": (
        lambda **k: layers.RandomColorDegeneration(0.5, **k),
        {"factor": [[[[0.75]]]]},
        [
            100.487,
            147.987,
            120.487,
            123.48,
            59.73,
            67.23,
            126.104,
            128.604,
            131.104,
            160.315,
            207.815,
            209.065,
        ],
    ),
    "RandomHue": (
        lambda **k: layers.RandomHue(0.5, **k),
        {"factor": [-0.3]},
        [200, 128, 10, 21, 0, 255, 126, 140, 120, 211, 255, 60],
    ),
    "RandomGrayscale": (
        lambda **k: layers.RandomGrayscale(**k),
        [[[[True]]]],
        np.repeat([130.649, 79.64, 128.138, 193.754], 3),
    ),
    "RandomInvert": (
        lambda **k: layers.RandomInvert(**k),
        {"apply_inversion": [True]},
        [245, 55, 165, 0, 255, 225, 135, 125, 115, 195, 5, 0],
    ),
    "RandomPosterization": (
        lambda **k: layers.RandomPosterization(3, **k),
        {"shift_factor": np.array([5], "uint8")},
        [0, 192, 64, 224, 0, 0, 96, 128, 128, 32, 224, 224],
    ),
    "Solarization": (
        lambda **k: layers.Solarization(**k),
        {"additions": [[[[30.0]]]], "thresholds": [[[[150.0]]]]},
        [40, 25, 120, 0, 30, 60, 105, 95, 85, 90, 0, 0],
    ),
    "RandomSharpness": (
        lambda **k: layers.RandomSharpness(1.0, **k),
        {"factor": [0.9]},
        [0, 255, 108.154, 255, 0, 14.923, 159.077, 166.308, 185.846, 65.846, 255, 255],
    ),
    "RandomGaussianBlur": (
        lambda **k: layers.RandomGaussianBlur(**k),
        {"should_apply_blur": [True], "blur_factor": [0.7, 0.4]},
        [
            57.762,
            111.997,
            59.293,
            140.558,
            45.474,
            40.522,
            78.042,
            122.268,
            126.244,
            61.223,
            160.26,
            164.63,
        ],
    ),
    "AutoContrast": (
        lambda **k: layers.AutoContrast(**k),
        None,
        [0, 204, 68, 255, 0, 0, 114.49, 132.6, 124.667, 52.041, 255, 255],
    ),
    "Equalization": (
        lambda **k: layers.Equalization(**k),
        None,
        [0, 170, 85, 255, 0, 0, 170, 85, 170, 85, 255, 255],
    ),
}


def _tensors(value):
    if isinstance(value, dict):
        return {k: tf.constant(v) for k, v in value.items()}
    return None if value is None else tf.constant(value)


@pytest.mark.parametrize("name", CASES)
def test_numbers_are_those_of_keras(name):
    make, transformation, wanted = CASES[name]
    result = make().transform_images(COLORS, _tensors(transformation)).numpy()
    np.testing.assert_allclose(result.ravel(), wanted, atol=2e-3)


@pytest.mark.parametrize("name", CASES)
def test_channels_may_come_first(name):
    make, transformation, wanted = CASES[name]
    layer = make(data_format="channels_first")
    result = layer.transform_images(COLORS.transpose(0, 3, 1, 2), _tensors(transformation))
    np.testing.assert_allclose(result.numpy().transpose(0, 2, 3, 1).ravel(), wanted, atol=2e-3)


def test_saturation_is_that_of_keras_in_the_unit_range():
    layer = layers.RandomSaturation(0.5, value_range=(0, 1))
    result = layer.transform_images(COLORS / 255, {"factor": _one(1.5)}).numpy()
    wanted = [0, 0.784, 0.33, 1, 0, 0.118, 0.431, 0.49, 0.549, 0, 0.974, 1]
    np.testing.assert_allclose(result.ravel(), wanted, atol=1e-3)


def test_saturation_stays_in_any_range():
    layer = layers.RandomSaturation(0.5)
    result = layer.transform_images(COLORS, {"factor": _one(1.5)}).numpy()
    small = layers.RandomSaturation(0.5, value_range=(0, 1))
    unit = small.transform_images(COLORS / 255, {"factor": _one(1.5)}).numpy()
    np.testing.assert_allclose(result, unit * 255, atol=1e-2)


def test_clahe_gives_keras_numbers():
    x = (np.arange(36).reshape(1, 6, 6, 1) * 7 % 50 + 100).astype("float32")
    clahe = layers.ContrastLimitedAdaptiveHistogramEqualization
    first = [89.888, 103.896, 113.24, 123.916, 139.257, 151.932, 149.949, 163.956, 98.373]
    result = clahe(tile_grid_size=(2, 2))(x).numpy().ravel()
    np.testing.assert_allclose(result[:9], first, atol=1e-2)
    last = [148.75, 191.25, 233.75, 21.25, 42.5, 85, 148.75, 148.75, 148.75, 212.5]
    result = clahe(tile_grid_size=(4, 2), clip_limit=0)(x).numpy().ravel()
    np.testing.assert_allclose(result[-10:], last, atol=1e-2)
    assert clahe()(x.astype("uint8")).dtype == "uint8"


def test_one_level_stays_as_it_is():
    flat = np.full((1, 3, 3, 1), 40.0, "float32")
    for layer in (layers.AutoContrast(), layers.Equalization()):
        np.testing.assert_array_equal(layer(flat, training=True).numpy(), flat)


def test_value_range_scales_the_result():
    for name in ("RandomHue", "RandomPosterization", "Solarization", "AutoContrast"):
        make, transformation, wanted = CASES[name]
        layer = make(value_range=(0, 1))
        result = layer.transform_images(COLORS / 255, _tensors(transformation)).numpy()
        np.testing.assert_allclose(result.ravel(), np.array(wanted) / 255, atol=1e-3)


def test_drawn_factors_lie_in_their_ranges():
    x = np.zeros((64, 2, 2, 3), "float32")
    cases = [
        (layers.RandomBrightness((0.1, 0.2), seed=1), "rgb_delta", 25.5, 51.0),
        (layers.RandomContrast((0.5, 0.9), seed=1), "contrast_factor", 0.5, 1.9),
        (layers.RandomSharpness((0.2, 0.4), seed=1), "factor", 0.2, 0.4),
        (layers.RandomPosterization((2, 5), seed=1), "shift_factor", 4, 6),
        (layers.RandomHue((0.4, 0.6), seed=1), "factor", -0.3, 0.3),
        (layers.Solarization((0.2, 0.4), (0.5, 0.6), seed=1), "thresholds", 127.5, 153),
        (layers.RandomRotation((0.1, 0.2), seed=1), "angle", 36, 72),
    ]
    for layer, key, low, high in cases:
        drawn = layer.get_random_transformation(x)[key].numpy()
        assert len(set(drawn.ravel().tolist())) > 1
        assert low - 1e-4 <= drawn.min() <= drawn.max() <= high + 1e-4, layer.name


def test_jitter_does_its_steps_in_order():
    jitter = layers.RandomColorJitter(brightness_factor=0.3, hue_factor=0.5, seed=3)
    drawn = jitter.get_random_transformation(COLORS)
    assert list(drawn) == ["brightness", "hue"]
    step = jitter.random_brightness.transform_images(COLORS, drawn["brightness"])
    step = jitter.random_hue.transform_images(step, drawn["hue"])
    np.testing.assert_allclose(jitter.transform_images(COLORS, drawn).numpy(), step, atol=1e-3)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: layers.RandomBrightness(2.0), r"`factor` must be .* in \[-1, 1\]; got 2.0"),
        (lambda: layers.RandomBrightness(0.1, 255), "`value_range` must be a list of two numbers"),
        (lambda: layers.RandomPosterization(0), r"in \[1, 8\]; got 0"),
        (lambda: layers.RandomGrayscale(1.5), "`factor` must be a number in"),
        (lambda: layers.Solarization(1.5), "`addition_factor` must be"),
        (lambda: layers.RandomGaussianBlur(kernel_size=4), "`kernel_size` must be odd"),
        (lambda: layers.Equalization(bins=0), "`bins` must be a positive integer"),
    ],
)
def test_wrong_arguments_are_refused(make, text):
    with pytest.raises(ValueError, match=text):
        make()


def test_gray_needs_one_or_three_channels():
    with pytest.raises(ValueError, match="images must have 3 channels"):
        layers.RandomGrayscale(1.0)(np.ones((2, 2, 2), "float32"), training=True)
