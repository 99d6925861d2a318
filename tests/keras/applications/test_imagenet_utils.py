"""Pixels in, names of classes out."""

import json

import numpy as np
import pytest

import lamina as tf

applications = tf.keras.applications
utils = applications.imagenet_utils
# One pixel, and what each mode makes of it.
PIXEL = [10.0, 100.0, 200.0]
EXPECTED = {
    "tf": [10 / 127.5 - 1, 100 / 127.5 - 1, 200 / 127.5 - 1],
    "caffe": [200 - 103.939, 100 - 116.779, 10 - 123.68],
    "torch": [
        (10 / 255 - 0.485) / 0.229,
        (100 / 255 - 0.456) / 0.224,
        (200 / 255 - 0.406) / 0.225,
    ],
}


@pytest.mark.parametrize("mode", EXPECTED)
@pytest.mark.parametrize("first", [False, True])
def test_modes(mode, first):
    image = np.broadcast_to(PIXEL, (2, 4, 5, 3)).astype("float32")
    expected = np.broadcast_to(EXPECTED[mode], image.shape)
    if first:
        image, expected = np.moveaxis(image, -1, 1), np.moveaxis(expected, -1, 1)
    layout = "channels_first" if first else "channels_last"
    for x in (image, tf.constant(image)):
        out = utils.preprocess_input(x, data_format=layout, mode=mode)
        np.testing.assert_allclose(np.asarray(out), expected, rtol=1e-5, atol=1e-5)
    one = utils.preprocess_input(image[0], data_format=layout, mode=mode)
    np.testing.assert_allclose(one, expected[0], rtol=1e-5, atol=1e-5)


def test_integers_become_floatx_and_floats_stay():
    assert utils.preprocess_input(np.zeros((2, 2, 3), "uint8")).dtype == np.float32
    assert utils.preprocess_input(np.zeros((2, 2, 3), "float64"), mode="tf").dtype == np.float64
    assert utils.preprocess_input(tf.zeros((2, 2, 3), tf.uint8)).dtype == tf.float32
    assert utils.preprocess_input(tf.zeros((2, 2, 3), tf.float16)).dtype == tf.float16


def test_arrays_are_left_as_they_are():
    x = np.full((2, 2, 3), 7.0, "float32")
    utils.preprocess_input(x)
    assert (x == 7.0).all()


def test_preprocessing_can_be_part_of_a_model():
    inputs = tf.keras.Input((4, 4, 3))
    model = tf.keras.Model(inputs, applications.vgg16.preprocess_input(inputs))
    x = np.broadcast_to(PIXEL, (1, 4, 4, 3)).astype("float32")
    expected = np.broadcast_to(EXPECTED["caffe"], x.shape)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("module", "mode"),
    [
        ("vgg16", "caffe"),
        ("resnet50", "caffe"),
        ("resnet_v2", "tf"),
        ("densenet", "torch"),
        ("nasnet", "tf"),
    ],
)
def test_each_family_has_its_mode(module, mode):
    out = getattr(applications, module).preprocess_input(np.array([[PIXEL]]))
    np.testing.assert_allclose(out, [[EXPECTED[mode]]])


@pytest.mark.parametrize("module", ["efficientnet", "efficientnet_v2", "convnext", "mobilenet_v3"])
def test_models_that_scale_the_pixels_themselves_take_them_unchanged(module):
    x = np.array([[PIXEL]])
    assert getattr(applications, module).preprocess_input(x) is x


def test_modes_and_formats_are_checked():
    with pytest.raises(ValueError, match=r"`mode` must be one of .* got 'jax'"):
        utils.preprocess_input(np.zeros((2, 2, 3)), mode="jax")
    with pytest.raises(ValueError, match="channels_middle"):
        utils.preprocess_input(np.zeros((2, 2, 3)), data_format="channels_middle")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return tmp_path / "models"


def test_predictions_are_named(home):
    home.mkdir(parents=True)
    names = {str(i): [f"n{i:08d}", f"class {i}"] for i in range(1000)}
    (home / "imagenet_class_index.json").write_text(json.dumps(names))
    scores = np.zeros((2, 1000), "float32")
    scores[0, [3, 5]] = 0.25, 0.75
    scores[1, 999] = 1.0
    first, second = utils.decode_predictions(tf.constant(scores), top=2)
    assert first == [("n00000005", "class 5", 0.75), ("n00000003", "class 3", 0.25)]
    assert second[0] == ("n00000999", "class 999", 1.0)
    assert len(utils.decode_predictions(scores)[0]) == 5


def test_the_file_of_names_is_fetched_if_it_is_not_in_the_cache(home, monkeypatch):
    file = home.parent / "fetched.json"
    file.write_text(json.dumps({str(i): [f"n{i}", f"class {i}"] for i in range(1000)}))
    monkeypatch.setattr(tf.keras.utils, "get_file", lambda *args, **options: str(file))
    (found,) = utils.decode_predictions(np.eye(1000, dtype="float32")[[7]], top=1)
    assert found == [("n7", "class 7", 1.0)]


def test_the_file_of_names_must_be_in_the_cache_where_it_cannot_be_fetched(home, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with pytest.raises(FileNotFoundError, match=r"decode_predictions: .*imagenet_class_index.json"):
        utils.decode_predictions(np.zeros((1, 1000)))


def test_predictions_have_the_classes_of_imagenet():
    with pytest.raises(ValueError, match=r"shape \(B, 1000\) were expected.*got shape \(2, 10\)"):
        utils.decode_predictions(np.zeros((2, 10)))
