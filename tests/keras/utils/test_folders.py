"""Data sets from folders and arrays: images, texts, sounds, windows, and splits."""

import wave

import numpy as np
import pytest

import lamina as tf

utils = tf.keras.utils


def arrays(dataset):
    found = []
    for item in dataset.as_numpy_iterator():
        found.append(item if isinstance(item, tuple) else (item,))
    return found


@pytest.fixture
def root(tmp_path):
    for c in ("b", "a"):
        for kind in ("img", "txt", "wav"):
            (tmp_path / kind / c).mkdir(parents=True)
        for i in range(4):
            pixels = np.random.RandomState(ord(c) * 10 + i).randint(0, 255, (9 + i, 7, 3))
            utils.save_img(tmp_path / "img" / c / f"{i}.png", pixels, scale=False)
            (tmp_path / "txt" / c / f"{i}.txt").write_text(f"text {c} {i}")
            with wave.open(str(tmp_path / "wav" / c / f"{i}.wav"), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(8000)
                samples = np.random.RandomState(i).randint(-3000, 3000, 10 + i)
                file.writeframes(samples.astype("<i2").tobytes())
    (tmp_path / "txt" / ".hidden").mkdir()
    return tmp_path


PLAIN = {"shuffle": False, "batch_size": 3, "verbose": False}


# Sums and labels are those of Keras 3.15 on TensorFlow for the same files.
@pytest.mark.parametrize(
    ("given", "sums"),
    [
        ({"image_size": (4, 5)}, [22786.08, 23392.25, 14841.88]),
        ({"image_size": (4, 6), "crop_to_aspect_ratio": True}, [28528.08, 29474.0, 18118.0]),
        ({"image_size": (4, 6), "pad_to_aspect_ratio": True}, [10342.76, 10829.25, 6103.81]),
    ],
)
def test_images_are_those_of_keras(root, given, sums):
    dataset = utils.image_dataset_from_directory(root / "img", **PLAIN, **given)
    found = arrays(dataset)
    np.testing.assert_allclose([x.sum() for x, _ in found], sums, rtol=1e-4)
    assert [y.tolist() for _, y in found] == [[0, 0, 0], [0, 1, 1], [1, 1]]
    assert found[0][1].dtype == np.int32
    assert dataset.class_names == ["a", "b"]
    assert dataset.file_paths[0].endswith("img/a/0.png")
    height, width = given["image_size"]
    assert dataset.element_spec[0] == tf.TensorSpec([None, height, width, 3], tf.float32)


def test_labels_of_images(root):
    def first(**given):
        return arrays(
            utils.image_dataset_from_directory(root / "img", image_size=4, **(PLAIN | given))
        )[0]

    assert first(label_mode="binary")[1].tolist() == [[0.0], [0.0], [0.0]]
    assert first(label_mode="categorical")[1].tolist() == [[1.0, 0.0]] * 3
    assert len(first(labels=None)) == len(first(label_mode=None)) == 1
    assert first(labels=[5, 6, 7, 0, 1, 2, 3, 4])[1].tolist() == [5, 6, 7]
    assert first(class_names=["b", "a"], batch_size=5)[1].tolist() == [0, 0, 0, 0, 1]
    assert first(batch_size=None)[0].shape == (4, 4, 3)
    assert first(color_mode="grayscale", interpolation="nearest")[0].dtype == np.uint8
    gray = first(color_mode="grayscale", data_format="channels_first", interpolation="bicubic")
    assert gray[0].shape == (3, 1, 4, 4)


def test_a_seed_gives_the_order_of_keras(root, capsys):
    dataset = utils.image_dataset_from_directory(
        root / "img", seed=3, image_size=(4, 4), validation_split=0.5, subset="training"
    )
    shown = capsys.readouterr().out
    assert "Found 8 files belonging to 2 classes." in shown
    assert "Using 4 files for training." in shown
    names = [path[-7:] for path in dataset.file_paths]
    assert names == ["b/1.png", "b/3.png", "b/0.png", "b/2.png"]


def test_both_subsets_at_once(root, capsys):
    train, held_out = utils.text_dataset_from_directory(
        root / "txt", seed=1, validation_split=0.25, subset="both"
    )
    texts = [x for x, _ in arrays(train.unbatch())], [x for x, _ in arrays(held_out.unbatch())]
    assert (len(texts[0]), len(texts[1])) == (6, 2)
    assert len({*texts[0], *texts[1]}) == 8


def test_texts(root):
    dataset = utils.text_dataset_from_directory(root / "txt", max_length=6, **PLAIN)
    x, y = arrays(dataset)[1]
    assert (x.tolist(), y.tolist()) == ([b"text a", b"text b", b"text b"], [0, 1, 1])
    shuffled = utils.text_dataset_from_directory(root / "txt", batch_size=None, verbose=False)
    orders = [[x for x, _ in arrays(shuffled)] for _ in range(2)]
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])


def test_sounds(root):
    padded = arrays(utils.audio_dataset_from_directory(root / "wav", **PLAIN))
    assert [x.shape for x, _ in padded] == [(3, 12, 1), (3, 13, 1), (2, 13, 1)]
    cut = utils.audio_dataset_from_directory(root / "wav", output_sequence_length=5, **PLAIN)
    np.testing.assert_allclose(
        arrays(cut)[0][0][0, :, 0], [-0.00818, -0.01199, -0.04111, 0.00806, 0.05893], atol=1e-5
    )
    slower = utils.audio_dataset_from_directory(root / "wav", sampling_rate=4000, **PLAIN)
    assert arrays(slower)[0][0].shape == (3, 6, 1)
    ragged, labels = next(
        iter(utils.audio_dataset_from_directory(root / "wav", ragged=True, **PLAIN))
    )
    assert ragged.shape.as_list() == [3, None, None]
    for sound, whole, length in zip(ragged, padded[0][0], ragged.row_lengths(), strict=True):
        np.testing.assert_array_equal(sound.to_tensor(), whole[: int(length)])
    assert labels.numpy().tolist() == padded[0][1].tolist()
    with pytest.raises(ValueError, match="`ragged` and `output_sequence_length` exclude"):
        utils.audio_dataset_from_directory(root / "wav", ragged=True, output_sequence_length=5)


def test_a_model_trains_on_a_folder(root):
    dataset = utils.image_dataset_from_directory(
        root / "img", image_size=(6, 6), batch_size=4, verbose=False
    )
    model = tf.keras.Sequential([tf.keras.layers.Flatten(), tf.keras.layers.Dense(2)])
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    assert len(model.fit(dataset, epochs=2, verbose=0).history["loss"]) == 2


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"label_mode": "x"}, "`label_mode` must be one of"),
        ({"labels": 3}, '`labels` must be "inferred"'),
        ({"labels": [1, 2]}, "`labels` must have one entry for each file; got 2 for 8"),
        ({"labels": [1], "class_names": ["a"]}, "`class_names` goes with labels"),
        ({"labels": None, "class_names": ["a"]}, "`class_names` needs labels"),
        ({"class_names": ["z"]}, "`class_names` must be folders"),
        ({"label_mode": "binary", "class_names": ["a"]}, "needs 2 classes; there are 1"),
        ({"validation_split": 2, "subset": "both"}, r"must lie in \(0, 1\)"),
        ({"validation_split": 0.2}, "`subset` and `validation_split` go together"),
        ({"validation_split": 0.2, "subset": "x", "seed": 1}, "`subset` must be"),
        ({"validation_split": 0.2, "subset": "both"}, "needs a `seed`"),
        ({"color_mode": "x"}, "`color_mode` must be one of"),
        ({"interpolation": "x"}, "`interpolation` must be one of"),
        ({"format": "grain"}, "`format` must be one of"),
        ({"image_size": (1, 2, 3)}, "`image_size` must be"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "only one of"),
    ],
)
def test_bad_arguments(root, given, says):
    with pytest.raises(ValueError, match=says):
        utils.image_dataset_from_directory(root / "img", verbose=False, **given)


def test_empty_folders(root):
    with pytest.raises(ValueError, match="no images were found in"):
        utils.image_dataset_from_directory(root / "txt", verbose=False)


def test_windows_of_a_series_are_those_of_keras():
    data = np.arange(30).reshape(15, 2)
    dataset = utils.timeseries_dataset_from_array(
        data,
        np.arange(15) * 10,
        4,
        batch_size=3,
        sampling_rate=2,
        sequence_stride=2,
        start_index=2,
        end_index=12,
    )
    ((x, y),) = arrays(dataset)
    assert x[:, :, 0].tolist() == [[4, 8, 12, 16], [8, 12, 16, 20]]
    assert y.tolist() == [20, 40]
    (only,) = arrays(utils.timeseries_dataset_from_array(data, None, 14))
    assert only[0].shape == (2, 14, 2)
    one = utils.timeseries_dataset_from_array(data, None, 2, batch_size=None, shuffle=True, seed=1)
    starts = [x[0, 0] for (x,) in arrays(one)]
    assert starts != sorted(starts)
    assert sorted(starts) == list(range(0, 28, 2))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"start_index": 9}, r"`start_index` must lie in \[0, 9\)"),
        ({"end_index": 20}, "`end_index` must be higher than `start_index`"),
        ({"start_index": 5, "end_index": 4}, "`end_index` must be higher"),
        ({"sampling_rate": 0}, "`sampling_rate` must lie in"),
        ({"sequence_stride": 9}, "`sequence_stride` must lie in"),
        ({"format": "grain"}, '`format` must be "tf"'),
    ],
)
def test_windows_that_do_not_fit(given, says):
    with pytest.raises(ValueError, match=says):
        utils.timeseries_dataset_from_array(np.arange(9), None, 2, **given)


def test_splits():
    def sides(*args, **kwargs):
        return [[int(v) for v in side] for side in utils.split_dataset(*args, **kwargs)]

    assert sides(np.arange(5), left_size=0.6) == [[0, 1, 2], [3, 4]]
    assert sides(np.arange(5), right_size=1) == [[0, 1, 2, 3], [4]]
    assert sides(np.arange(9), left_size=2, right_size=3) == [[0, 1], [6, 7, 8]]
    # Keras' order for this seed.
    assert sides(np.arange(10), right_size=0.3, shuffle=True, seed=4) == [
        [8, 2, 0, 7, 6, 9, 5],
        [1, 4, 3],
    ]
    _, right = utils.split_dataset((np.arange(4), np.arange(4) * 2), 0.5)
    assert next(iter(right))[1].numpy() == 4
    batches, _ = utils.split_dataset(tf.data.Dataset.range(9).batch(2), left_size=5)
    assert [b.tolist() for b in batches.as_numpy_iterator()] == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize(
    ("args", "error", "says"),
    [
        ((np.arange(4),), ValueError, "must be given; got neither"),
        ((np.arange(4), 9), ValueError, "`left_size` must lie between 0 and 4; got 9"),
        ((np.arange(4), 1.5), ValueError, "`left_size` must lie between 0 and 1; got 1.5"),
        ((np.arange(4), "a"), TypeError, "must be an int, a float or None; got 'a'"),
        ((np.arange(4), 3, 3), ValueError, "must not exceed the 4 elements together"),
        ((np.arange(4), 0.01), ValueError, "both sides must hold elements"),
        (([np.arange(4), np.arange(3)], 0.5), ValueError, "arrays of one length"),
        (("text", 0.5), TypeError, "`dataset` must be a tf.data.Dataset"),
        ((tf.data.Dataset.range(0), 0.5), ValueError, "it is empty"),
    ],
)
def test_splits_that_do_not_fit(args, error, says):
    with pytest.raises(error, match=says):
        utils.split_dataset(*args)
