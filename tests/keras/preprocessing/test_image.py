"""tf.keras.preprocessing.image: numbers of Keras 3.15 for the same seeds."""

import numpy as np
import pytest

import lamina as tf

image = tf.keras.preprocessing.image
AXES = {"row_axis": 0, "col_axis": 1, "channel_axis": 2}
X = np.random.RandomState(0).rand(7, 6, 3).astype("float32") * 200
XS, YS = np.random.RandomState(1).rand(10, 6, 6, 1) * 255, np.arange(10) % 2


@pytest.mark.parametrize(
    ("call", "total", "pixel"),
    [
        (lambda: image.random_rotation(X, 30, **AXES), 12666.86, (39.601, 128.654, 40.865)),
        (lambda: image.random_shift(X, 0.3, 0.2, **AXES), 12883.75, (115.798, 43.466, 97.583)),
        (
            lambda: image.random_shear(X, 30, fill_mode="reflect", **AXES),
            12631.88,
            (37.054, 125.864, 33.193),
        ),
        (
            lambda: image.random_zoom(X, (0.5, 1.5), fill_mode="constant", cval=3.0, **AXES),
            5720.61,
            (48.692, 140.979, 83.339),
        ),
        (lambda: image.random_channel_shift(X, 50, 2), 13323.04, (28.735, 133.064, 33.75)),
        (lambda: image.random_brightness(X, (0.5, 1.5)), 16954.0, (30.0, 172.0, 36.0)),
        (
            lambda: image.apply_brightness_shift(X - 10, 0.5, False),
            5100.63,
            (1.74, 54.203, 4.055),
        ),
    ],
)
def test_one_image_is_moved_as_keras_moves_it(call, total, pixel):
    np.random.seed(3)
    found = call()
    assert found.shape == X.shape
    assert found.sum() == pytest.approx(total, abs=0.1)
    np.testing.assert_allclose(found[1, 2], pixel, atol=2e-3)


def test_a_generator_gives_the_images_of_keras():
    np.random.seed(3)
    generator = image.ImageDataGenerator(
        featurewise_center=True,
        featurewise_std_normalization=True,
        rotation_range=20,
        width_shift_range=0.2,
        height_shift_range=[1, 2],
        shear_range=10,
        zoom_range=0.2,
        horizontal_flip=True,
        vertical_flip=True,
        rescale=1 / 255.0,
        channel_shift_range=0.1,
    )
    generator.fit(XS, augment=True, rounds=2, seed=1)
    batches = generator.flow(XS, YS, batch_size=4, seed=5)
    found = [next(batches) for _ in range(4)]
    assert [y.tolist() for _, y in found] == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 1], [0, 0, 1, 0]]
    sums = [x.sum() for x, _ in found]
    np.testing.assert_allclose(sums, [38.042, -6.105, -12.283, 23.859], atol=5e-3)
    again = generator.flow(XS, YS, batch_size=4, seed=5)
    np.testing.assert_allclose([again[i][0].sum() for i in range(len(again))], sums[:3], atol=1e-5)


def test_zca_whitening_as_keras():
    with pytest.warns(UserWarning, match="`zca_whitening` sets `featurewise_center` to True"):
        generator = image.ImageDataGenerator(zca_whitening=True, brightness_range=(0.5, 0.9))
    generator.fit(XS)
    batch = generator.flow(XS, batch_size=3, shuffle=False, seed=1)[0]
    assert batch.sum() == pytest.approx(-16.54, abs=0.05)
    np.testing.assert_allclose(batch[0, 0, :3, 0], [-0.02037, -0.06326, -0.64083], atol=1e-3)


def test_a_model_trains_on_a_generator():
    generator = image.ImageDataGenerator(rescale=1 / 255, validation_split=0.2)
    train = generator.flow(XS, YS, batch_size=4, subset="training")
    held_out = generator.flow(XS, YS, batch_size=4, subset="validation", shuffle=False)
    model = tf.keras.Sequential([tf.keras.layers.Flatten(), tf.keras.layers.Dense(1, "sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    model.fit(train, validation_data=held_out, epochs=2, verbose=0)
    assert model.predict(held_out, verbose=0).shape == (2, 1)


def test_weights_and_further_arrays_travel_along():
    generator = image.ImageDataGenerator()
    x, y, w = generator.flow(
        (XS, np.arange(10)), YS, sample_weight=np.arange(10), batch_size=3, shuffle=False
    )[1]
    assert (x[1].tolist(), y.tolist(), w.tolist()) == ([3, 4, 5], [1, 0, 1], [3, 4, 5])


@pytest.fixture
def folder(tmp_path):
    for number, name in enumerate(("b", "a")):
        (tmp_path / name).mkdir()
        for i in range(4):
            pixels = np.random.RandomState(number * 10 + i).randint(0, 255, (9 + i, 7, 3))
            tf.keras.utils.save_img(tmp_path / name / f"{i}.png", pixels, scale=False)
    return tmp_path


def test_folders_give_images_and_classes(folder, capsys):
    generator = image.ImageDataGenerator(rescale=1 / 255.0, validation_split=0.25)
    batches = generator.flow_from_directory(
        folder, target_size=(5, 4), batch_size=4, subset="training", shuffle=False
    )
    assert "Found 6 images belonging to 2 classes." in capsys.readouterr().out
    assert batches.filenames[:4] == ["a/1.png", "a/2.png", "a/3.png", "b/1.png"]
    assert (batches.class_indices, batches.num_classes) == ({"a": 0, "b": 1}, 2)
    x, y = batches[0]
    assert (x.shape, y.tolist()) == ((4, 5, 4, 3), [[1, 0], [1, 0], [1, 0], [0, 1]])


@pytest.mark.parametrize(
    ("mode", "target"),
    [("binary", [0.0, 0.0]), ("sparse", [0.0, 0.0]), ("input", None), (None, "none")],
)
def test_the_class_mode_decides_the_targets(folder, mode, target, capsys):
    batches = image.ImageDataGenerator().flow_from_directory(
        folder, target_size=(3, 3), class_mode=mode, batch_size=2, shuffle=False
    )
    batch = batches[0]
    if target == "none":
        assert isinstance(batch, np.ndarray)
    elif target is None:
        np.testing.assert_array_equal(*batch)
    else:
        assert batch[1].tolist() == target


def test_varied_images_can_be_saved(folder, tmp_path, capsys):
    place = tmp_path / "saved"
    place.mkdir()
    next(
        image.ImageDataGenerator().flow(
            XS, batch_size=3, save_to_dir=place, save_prefix="p", save_format="png"
        )
    )
    assert len(list(place.glob("p_*.png"))) == 3


def test_data_frames_give_images(folder, capsys):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "filename": ["a/0.png", "b/1.png", "a/9.png", "b/2.png"],
            "class": ["x", "y", "x", "x"],
            "w": [1.0, 2.0, 3.0, 4.0],
            "u": [1, 2, 3, 4],
        }
    )
    generator = image.ImageDataGenerator()
    with pytest.warns(UserWarning, match="1 names in column 'filename' have no image file"):
        batches = generator.flow_from_dataframe(
            frame, folder, target_size=(3, 3), shuffle=False, weight_col="w"
        )
    x, y, w = batches[0]
    assert x.shape == (3, 3, 3, 3)
    assert (y.tolist(), w.tolist()) == ([[1, 0], [0, 1], [1, 0]], [1, 2, 4])
    with pytest.warns(UserWarning, match="have no image file"):
        raw = generator.flow_from_dataframe(
            frame, folder, y_col=["w", "u"], class_mode="multi_output", shuffle=False
        )
    assert [part.tolist() for part in raw[0][1]] == [[1, 2, 4], [1, 2, 4]]


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: image.ImageDataGenerator(zoom_range=[1]), ValueError, "`zoom_range` must be a"),
        (
            lambda: image.ImageDataGenerator(brightness_range=2.0),
            ValueError,
            "`brightness_range` must be a pair",
        ),
        (
            lambda: image.ImageDataGenerator(validation_split=2),
            ValueError,
            r"`validation_split` must lie in \(0, 1\)",
        ),
        (
            lambda: image.ImageDataGenerator().fit(np.zeros((2, 3))),
            ValueError,
            "`x` must have rank 4",
        ),
        (
            lambda: image.ImageDataGenerator().flow(XS, YS[:3]),
            ValueError,
            "the images and `y` must have one length; got 10 and 3",
        ),
        (
            lambda: image.ImageDataGenerator().flow(XS[..., 0]),
            ValueError,
            "`x` must have rank 4",
        ),
        (
            lambda: image.ImageDataGenerator(validation_split=0.2).flow(
                XS, np.arange(10), subset="training"
            ),
            ValueError,
            "have different classes",
        ),
        (
            lambda: image.apply_affine_transform(X, 10, row_axis=0, col_axis=0),
            ValueError,
            "the axes must be 0, 1 and 2",
        ),
        (lambda: image.random_zoom(X, (1, 2, 3)), ValueError, "`zoom_range` must be"),
        (lambda: image.smart_resize(X, (1, 2, 3)), ValueError, "`size` must be"),
        (lambda: image.smart_resize(X[0], (1, 2)), ValueError, r"got shape \(6, 3\)"),
    ],
)
def test_bad_arguments(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_numbers_of_the_data_are_asked_for():
    generator = image.ImageDataGenerator(featurewise_center=True)
    with pytest.warns(UserWarning, match="`featurewise_center` needs numbers of the data"):
        generator.standardize(np.ones((2, 2, 1)))


def test_smart_resize_cuts_out_the_middle():
    found = image.smart_resize(X, (4, 3))
    assert (found.shape, found.dtype) == ((4, 3, 3), np.float32)
    assert found.sum() == pytest.approx(3753.8433, rel=1e-5)
    batch = tf.constant(X[None].transpose(0, 3, 1, 2))
    first = image.smart_resize(batch, (4, 3), data_format="channels_first")
    np.testing.assert_allclose(first[0].numpy().transpose(1, 2, 0), found, rtol=1e-5)
