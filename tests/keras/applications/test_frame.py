"""Arguments that all models share: checks and their messages, inputs, weights."""

import numpy as np
import pytest

import lamina as tf

applications = tf.keras.applications
layers = tf.keras.layers
SMALL = {"weights": None, "input_shape": (32, 32, 3), "alpha": 0.25, "classes": 3}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return the folder that published files are looked for in; there is no network."""

    def refuse(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    folder = tmp_path / "models"
    folder.mkdir(parents=True)
    return folder


def _fails(message, title="VGG16", error=ValueError, **options):
    with pytest.raises(error, match=message):
        getattr(applications, title)(**options)


# ---- weights


@pytest.mark.parametrize(
    ("title", "options", "file"),
    [
        ("VGG16", {}, "vgg16_weights_tf_dim_ordering_tf_kernels.h5"),
        ("ResNet50", {"include_top": False}, "resnet50_weights_tf_dim_ordering_tf_kernels_notop"),
        ("MobileNet", {}, "mobilenet_1_0_224_tf.h5"),
        (
            "MobileNetV2",
            {"alpha": 0.5, "input_shape": (96, 96, 3), "include_top": False},
            "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.5_96_no_top.h5",
        ),
        (
            "MobileNetV3Small",
            {"input_shape": (224, 224, 3), "minimalistic": True},
            "weights_mobilenet_v3_small_minimalistic_224_1.0_float.h5",
        ),
        ("EfficientNetB3", {"include_top": False}, "efficientnetb3_notop.h5"),
        ("EfficientNetV2S", {}, "efficientnetv2-s.h5"),
        ("ConvNeXtXLarge", {}, "convnext_xlarge.h5"),
        ("NASNetLarge", {"include_top": False}, "nasnet_large_no_top.h5"),
    ],
)
def test_a_missing_published_file_is_named_with_its_place(home, title, options, file):
    message = (
        f"{title}: the published file '{file}.*was expected in .*https://.* could not be fetched"
    )
    _fails(message, title, FileNotFoundError, **options)


def test_the_message_says_where_the_file_comes_from(home):
    _fails(
        "Fix: download https://storage.googleapis.com/tensorflow/keras-applications/nasnet/"
        "NASNet-mobile-no-top.h5 and save it as ",
        "NASNetMobile",
        FileNotFoundError,
        include_top=False,
    )


def test_published_files_are_loaded_from_the_cache(home):
    model = applications.MobileNet(include_top=False, alpha=0.25, weights=None)
    file = home / "mobilenet_2_5_224_tf_no_top.h5"
    model.save_weights(home / "m.weights.h5")
    (home / "m.weights.h5").rename(file)
    with pytest.warns(UserWarning, match="weights are published for square images of"):
        same = applications.MobileNet(include_top=False, alpha=0.25)
    assert same.name == "mobilenet_0.25_224"
    for a, b in zip(model.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_published_files_that_are_not_in_the_cache_are_fetched(home, monkeypatch):
    model = applications.MobileNet(include_top=False, alpha=0.25, weights=None)
    model.save_weights(home / "m.weights.h5")
    asked = []

    def get_file(*args, **options):
        asked.append((args, options))
        return str(home / "m.weights.h5")

    monkeypatch.setattr(tf.keras.utils, "get_file", get_file)
    same = applications.MobileNet(include_top=False, alpha=0.25, input_shape=(224, 224, 3))
    name = "mobilenet_2_5_224_tf_no_top.h5"
    source = f"https://storage.googleapis.com/tensorflow/keras-applications/mobilenet/{name}"
    assert asked == [((name, source), {"cache_subdir": "models"})]
    for a, b in zip(model.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_can_be_a_path(tmp_path):
    model = applications.MobileNet(**SMALL)
    model.save_weights(tmp_path / "m.weights.h5")
    same = applications.MobileNet(**SMALL | {"weights": str(tmp_path / "m.weights.h5")})
    for a, b in zip(model.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_must_be_known_or_a_file():
    _fails("`weights` must be None, 'imagenet' or the path of a file; got 'no.h5'", weights="no.h5")


def test_published_weights_have_the_classes_of_imagenet():
    _fails("`classes` must be 1000 with weights='imagenet' and the classifier; got 7", classes=7)


def test_given_weights_go_with_softmax_or_logits():
    message = "`classifier_activation` must be 'softmax' or None with given weights; got 'relu'"
    _fails(message, classifier_activation="relu")


@pytest.mark.parametrize(
    ("title", "options", "message"),
    [
        ("MobileNet", {"alpha": 0.3}, r"`alpha` must be one of \(1.0, 0.75, 0.5, 0.25\) with"),
        ("MobileNet", {"depth_multiplier": 2}, r"`depth_multiplier` must be one of \(1,\)"),
        ("MobileNetV2", {"alpha": 0.3}, r"`alpha` must be one of \(0.35, 0.5"),
        (
            "MobileNetV3Large",
            {"alpha": 0.75, "minimalistic": True},
            r"`alpha` must be one of \(1.0,\)",
        ),
        (
            "NASNetMobile",
            {"input_shape": (None, None, 3)},
            "`input_shape` must be known with weights='imagenet'",
        ),
    ],
)
def test_published_weights_restrict_the_options(title, options, message):
    _fails(message, title, **options)


# ---- shapes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_shape": (32, 32)}, r"`input_shape` must hold three sizes; got \(32, 32\)"),
        (
            {"input_shape": (64, 64, 3), "weights": "imagenet"},
            r"`input_shape` must be \(224, 224, 3\) with weights='imagenet' and the classifier",
        ),
        (
            {"input_shape": (64, 64, 1), "weights": "imagenet", "include_top": False},
            "images with 3 channels were expected with weights='imagenet'",
        ),
        ({"input_shape": (31, 64, 3)}, "images of at least 32x32 were expected; got"),
        ({"input_shape": (None, 64, 3)}, "`input_shape` must be known with include_top=True"),
    ],
)
def test_shapes_are_checked(options, message):
    _fails(message, **{"weights": None} | options)


def test_unusual_channels_are_a_warning():
    with pytest.warns(UserWarning, match="images with 1 or 3 channels were expected; got"):
        model = applications.MobileNet(**SMALL | {"input_shape": (32, 32, 4)})
    assert model.input_shape == (None, 32, 32, 4)


@pytest.mark.slow
def test_sizes_are_free_without_the_classifier():
    model = applications.MobileNetV2(include_top=False, weights=None, alpha=0.35)
    assert model.input_shape == (None, None, None, 3)
    assert model.predict(np.zeros((1, 64, 96, 3), "float32"), verbose=0).shape == (1, 2, 3, 1280)


def test_a_model_continues_a_given_tensor():
    inputs = tf.keras.Input((16, 16, 3))
    larger = layers.UpSampling2D(2)(inputs)
    model = applications.MobileNet(**SMALL | {"input_tensor": larger})
    assert model.input_shape == (None, 16, 16, 3)
    assert model.output_shape == (None, 3)


def test_a_value_is_no_input_tensor():
    _fails(
        "`input_tensor` must be a KerasTensor, from tf.keras.Input",
        "MobileNet",
        **SMALL | {"input_tensor": tf.zeros((1, 32, 32, 3))},
    )


def test_nasnet_needs_channels_last():
    tf.keras.backend.set_image_data_format("channels_first")
    message = "`image_data_format` must be 'channels_last'; got 'channels_first'"
    _fails(message, "NASNetMobile", weights=None)


def test_channels_may_come_first():
    tf.keras.backend.set_image_data_format("channels_first")
    model = applications.MobileNet(include_top=False, weights=None, alpha=0.25)
    assert model.input_shape == (None, 3, None, None)
    assert model.output_shape == (None, 256, None, None)


def test_configs_hold_the_architecture():
    model = applications.MobileNetV3Small(weights=None, input_shape=(32, 32, 3), alpha=0.5)
    again = tf.keras.models.model_from_json(model.to_json())
    assert [la.name for la in again.layers] == [la.name for la in model.layers]
    assert again.count_params() == model.count_params()


@pytest.mark.slow
@pytest.mark.parametrize("title", ["InceptionResNetV2", "ConvNeXtTiny"])
def test_models_with_layers_of_their_own_survive_their_file(title, tmp_path):
    function = getattr(applications, title)
    model = function(include_top=False, weights=None, input_shape=(75, 75, 3), pooling="avg")
    model.save(tmp_path / "m.keras")
    again = tf.keras.models.load_model(tmp_path / "m.keras")
    x = np.random.default_rng(0).random((1, 75, 75, 3), "float32")
    np.testing.assert_allclose(model.predict(x, verbose=0), again.predict(x, verbose=0), rtol=1e-5)
