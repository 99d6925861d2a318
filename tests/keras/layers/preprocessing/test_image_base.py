"""What all image layers do: inference, seeds, single images, dicts, dtypes, configs, fit."""

import numpy as np
import pytest

import lamina as tf

layers = tf.keras.layers
IMAGES = np.random.RandomState(0).uniform(0, 255, (3, 8, 6, 3)).astype("float32")
DATA = {
    "images": IMAGES,
    "labels": np.eye(3, dtype="float32"),
    "segmentation_masks": np.arange(144).reshape(3, 8, 6, 1) % 5,
    "bounding_boxes": {
        "boxes": np.array([[[1, 1, 4, 5]]] * 3, "float32"),
        "labels": np.array([[1], [2], [3]]),
    },
}
RANDOM = {
    "RandomFlip": {},
    "RandomTranslation": {"height_factor": 0.3, "width_factor": 0.3},
    "RandomRotation": {"factor": 0.2},
    "RandomZoom": {"height_factor": 0.3},
    "RandomShear": {"x_factor": 0.3},
    "RandomPerspective": {"factor": (1.0, 1.0)},
    "RandomBrightness": {"factor": 0.3},
    "RandomContrast": {"factor": 0.3},
    "RandomColorDegeneration": {"factor": 0.3},
    "RandomSaturation": {"factor": (0.2, 0.8)},
    "RandomHue": {"factor": 0.3},
    "RandomPosterization": {"factor": 4},
    "RandomSharpness": {"factor": 0.7},
    "Solarization": {"threshold_factor": 0.5},
}
HEAVY = {
    "RandomElasticTransform": {"factor": (1.0, 1.0)},
    "RandomErasing": {"factor": (1.0, 1.0)},
    "RandomGaussianBlur": {"factor": (1.0, 1.0)},
    "RandomColorJitter": {"brightness_factor": 0.3, "hue_factor": 0.3},
    "MixUp": {},
    "CutMix": {},
    "RandAugment": {},
    "AugMix": {"num_chains": 1},
}
BOXLESS = ("CutMix", "RandomElasticTransform")
QUICK = ("RandomFlip", "RandomZoom", "RandomBrightness")
EACH = [
    pytest.param(name, kwargs, marks=[] if name in QUICK else [pytest.mark.slow])
    for name, kwargs in (RANDOM | HEAVY).items()
]


@pytest.mark.parametrize(("name", "kwargs"), [*RANDOM.items(), *HEAVY.items()])
def test_inference_changes_nothing(name, kwargs):
    layer = getattr(layers, name)(**kwargs)
    np.testing.assert_array_equal(layer(IMAGES, training=False).numpy(), IMAGES)
    assert layer(IMAGES.astype("uint8"), training=False).dtype == "float32"
    assert layer.generator.state.numpy()[1] == 0


@pytest.mark.parametrize(("name", "kwargs"), [*RANDOM.items(), *HEAVY.items()])
def test_the_config_makes_an_equal_layer(name, kwargs):
    layer = getattr(layers, name)(
        seed=3, bounding_box_format="rel_xywh", data_format="channels_first", **kwargs
    )
    config = layer.get_config()
    assert config["data_format"] == "channels_first"
    assert config["bounding_box_format"] == "rel_xywh"
    assert config["seed"] == 3
    assert type(layer).from_config(config).get_config() == config
    assert "bounding_box_format" not in getattr(layers, name)(**kwargs).get_config()


@pytest.mark.parametrize(("name", "kwargs"), EACH)
def test_a_seed_gives_the_same_draws_in_eager_code_and_functions(name, kwargs):
    eager = getattr(layers, name)(seed=3, **kwargs)
    first, second = (eager(IMAGES, training=True).numpy() for _ in range(2))
    assert first.shape == IMAGES.shape
    assert not np.array_equal(first, second)
    traced = getattr(layers, name)(seed=3, **kwargs)
    run = tf.function(lambda x: traced(x, training=True))
    np.testing.assert_allclose(run(IMAGES).numpy(), first, atol=1e-2)
    np.testing.assert_allclose(run(IMAGES).numpy(), second, atol=1e-2)


@pytest.mark.parametrize(("name", "kwargs"), EACH)
def test_dicts_and_single_images_are_changed_alike(name, kwargs):
    data = {k: v for k, v in DATA.items() if k != "bounding_boxes" or name not in BOXLESS}
    plain = getattr(layers, name)(seed=3, **kwargs)(IMAGES, training=True).numpy()
    layer = getattr(layers, name)(seed=3, bounding_box_format="xyxy", **kwargs)
    result = layer(data, training=True)
    np.testing.assert_allclose(result["images"].numpy(), plain, atol=1e-3)
    assert result["labels"].shape == (3, 3)
    assert result["segmentation_masks"].shape == (3, 8, 6, 1)
    assert layer(IMAGES[0], training=True).shape == (8, 6, 3)
    one = {k: v[0] for k, v in data.items() if k != "bounding_boxes"}
    if "bounding_boxes" in data:
        assert result["bounding_boxes"]["boxes"].shape[-1] == 4
        one["bounding_boxes"] = {k: v[0] for k, v in data["bounding_boxes"].items()}
    single = layer(one, training=True)
    assert single["images"].shape == (8, 6, 3)
    assert single["labels"].shape == (3,)
    assert layer(data, training=False)["images"].shape == IMAGES.shape


def test_the_dict_given_is_not_changed():
    layer = layers.RandomFlip(bounding_box_format="xyxy", seed=1)
    data = {**DATA, "name": "kept"}
    result = layer(data, training=True)
    assert data["images"] is IMAGES
    assert result["name"] == "kept"


@pytest.mark.parametrize("dtype", ["float16", "mixed_bfloat16", "float64", "uint8"])
def test_images_have_the_compute_dtype(dtype):
    for name in ("RandomBrightness", "RandomRotation", "AutoContrast"):
        layer = getattr(layers, name)(*([0.1] if "Random" in name else []), dtype=dtype)
        given = IMAGES.astype("uint8")
        result = layer(given, training=True)
        assert result.dtype == layer.compute_dtype
        assert layer(given, training=False).dtype == layer.compute_dtype


def test_integers_are_rounded_and_clipped():
    layer = layers.RandomBrightness((0.1, 0.1), value_range=(0, 300), dtype="uint8")
    result = layer(np.array([[[10], [250]]], "uint8"), training=True).numpy()
    assert result.ravel().tolist() == [40, 255]


def test_boxes_keep_float32_whatever_the_images_have():
    layer = layers.RandomFlip(bounding_box_format="xyxy", dtype="mixed_bfloat16")
    result = layer(DATA, training=True)
    assert result["images"].dtype == "bfloat16"
    assert result["bounding_boxes"]["boxes"].dtype == "float32"


def test_boxes_may_be_lists_of_different_lengths():
    layer = layers.RandomFlip(bounding_box_format="xyxy")
    lists = {
        "boxes": [[[1, 1, 2, 2], [0, 0, 3, 3]], [[1, 1, 4, 4]], []],
        "labels": [[1, 2], [3], []],
    }
    lists["boxes"][2], lists["labels"][2] = [[2, 2, 5, 5]], [4]
    result = layer({"images": IMAGES, "bounding_boxes": lists}, training=False)
    assert result["bounding_boxes"]["boxes"].shape == (3, 2, 4)
    assert result["bounding_boxes"]["labels"].numpy().tolist() == [[1, 2], [3, -1], [4, -1]]


@pytest.mark.parametrize(
    ("boxes", "text"),
    [
        (np.ones((3, 1, 4)), "must be a dict with the keys 'boxes' and 'labels'"),
        ({"boxes": np.ones((3, 1, 4)), "labels": [1]}, "boxes must have shape"),
        ({"boxes": [[[1, 1, 2, 2]]], "labels": [[1], [2]]}, "a list of as many labels"),
    ],
)
def test_boxes_that_do_not_fit_are_refused(boxes, text):
    layer = layers.RandomFlip(bounding_box_format="xyxy")
    with pytest.raises(ValueError, match=text):
        layer({"images": IMAGES, "bounding_boxes": boxes})


def test_boxes_need_a_format():
    with pytest.raises(ValueError, match="`bounding_box_format` must be given"):
        layers.RandomFlip()(DATA, training=True)


def test_images_have_rank_3_or_4():
    with pytest.raises(ValueError, match=r"images must have rank 3 .* or rank 4"):
        layers.RandomFlip()(np.ones((4, 4), "float32"), training=True)


def test_unknown_sizes_are_fine():
    inputs = tf.keras.Input((None, None, 3))
    x = layers.RandomZoom(0.2)(layers.RandomRotation(0.1)(layers.RandomFlip()(inputs)))
    model = tf.keras.Model(inputs, x)
    assert model.output_shape == (None, None, None, 3)
    assert model(IMAGES, training=True).shape == IMAGES.shape
    np.testing.assert_array_equal(model(IMAGES, training=False).numpy(), IMAGES)


def test_fit_draws_anew_in_each_step_and_predict_does_not():
    flip = layers.RandomFlip(seed=3)
    model = tf.keras.Sequential(
        [flip, layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    model.fit(IMAGES, np.zeros((3, 1)), batch_size=1, epochs=2, verbose=0)
    assert flip.generator.state.numpy().tolist() == [3, 6]
    model.predict(IMAGES, verbose=0)
    assert flip.generator.state.numpy().tolist() == [3, 6]


def test_saved_models_have_the_layers(tmp_path):
    model = tf.keras.Sequential(
        [tf.keras.Input((8, 6, 3)), layers.RandomRotation(0.1, seed=1), layers.Resizing(4, 4)]
    )
    path = str(tmp_path / "model.keras")
    model.save(path)
    loaded = tf.keras.models.load_model(path)
    assert loaded.layers[0].get_config() == model.layers[0].get_config()
    np.testing.assert_allclose(loaded(IMAGES, training=False), model(IMAGES, training=False))


def test_a_subclass_changes_pixels_only():
    class Darker(layers.RandomBrightness):
        def __init__(self):
            super().__init__(factor=(-0.1, -0.1))

    layer = Darker()
    assert layer(np.full((2, 2, 1), 100.0, "float32"), training=True).numpy().max() == 74.5
    copy = Darker.from_config(layer.get_config())
    assert copy.data_format == "channels_last"
