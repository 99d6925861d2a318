"""Progbar, Config, PyDataset, images, encodings, and the smaller names of tf.keras.utils."""

import builtins
import io
import logging
import sys
import threading
import time

import numpy as np
import pytest

import lamina as tf

utils = tf.keras.utils


# ---- Progbar ------------------------------------------------------------------------------------


def test_a_bar_shows_steps_and_means(capsys):
    bar = utils.Progbar(4, interval=0, stateful_metrics=["rate"])
    for step in range(1, 5):
        bar.update(step, [("loss", float(step)), ("rate", 0.1 * step)])
    shown = capsys.readouterr().out
    lines = shown.strip().splitlines()
    assert lines[1].startswith("2/4 ━━━━━━━━━━")
    assert "loss: 1.5000 - rate: 0.2000" in lines[1]
    assert "4/4" in lines[-1]
    assert "rate: 0.4000" in lines[-1]
    assert shown.endswith("\n")


def test_a_bar_without_a_target_and_one_line_bars(capsys):
    bar = utils.Progbar(None, interval=0, unit_name="sample")
    bar.add(3)
    assert "3/Unknown" in capsys.readouterr().out
    bar = utils.Progbar(2, verbose=2, stateless_metrics=["loss"])
    bar.add(1, [("loss", 1e-5)])
    assert capsys.readouterr().out == ""
    bar.add(1, [("loss", 1e-5)])
    assert "2/2 - 0s - " in (shown := capsys.readouterr().out)
    assert "loss: 1.0000e-05" in shown
    with pytest.raises(ValueError, match="only one of `stateful_metrics` and"):
        utils.Progbar(1, stateful_metrics=[], stateless_metrics=[])


def test_progress_goes_to_the_log_without_interactive_logging(caplog, capsys):
    utils.disable_interactive_logging()
    try:
        assert not utils.is_interactive_logging_enabled()
        with caplog.at_level(logging.INFO, "lamina.keras"):
            utils.Progbar(1).update(1)
            model = small()
            model.fit(np.ones((2, 3)), np.ones(2), verbose=2)
    finally:
        utils.enable_interactive_logging()
    assert capsys.readouterr().out == ""
    assert any("loss:" in r.getMessage() for r in caplog.records)


def test_a_terminal_without_unicode_gets_plain_signs(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    utils.Progbar(1).update(1)
    assert b"====" in stream.buffer.getvalue()


# ---- Config -------------------------------------------------------------------------------------


def test_a_config_is_a_dict_with_attributes():
    config = utils.Config(rate=0.1)
    config.epochs = 3
    config["name"] = "x"
    assert (config.rate, config["epochs"], config.get("none", 7), len(config)) == (0.1, 3, 7, 3)
    assert list(config) == ["epochs", "name", "rate"]
    assert "rate" in config
    assert config.pop("name") == "x"
    config.update(a=1)
    del config["a"]
    assert config.as_dict() == {"rate": 0.1, "epochs": 3}
    assert repr(config) == "<Config {'rate': 0.1, 'epochs': 3}>"


def test_a_frozen_config_does_not_change():
    config = utils.Config(rate=0.1)
    config.freeze()
    assert config.frozen
    with pytest.raises(ValueError, match="it is frozen"):
        config.rate = 2
    with pytest.raises(ValueError, match="it is frozen"):
        config["x"] = 2
    config.unfreeze()
    config.rate = 2
    with pytest.raises(AttributeError, match=r"no value named 'rte'.* Did you mean 'rate'"):
        config.rte  # noqa: B018
    with pytest.raises(AttributeError, match="is a method"):
        config.keys = 1


# ---- PyDataset ----------------------------------------------------------------------------------


class Numbers(utils.PyDataset):
    def __init__(self, size=6, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.seen, self.threads, self.epochs = [], set(), []

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        self.threads.add(threading.current_thread().name)
        self.seen.append(index)
        time.sleep(0.002)
        return np.full((2, 3), index, "float32"), np.full(2, index, "float32")

    def on_epoch_begin(self):
        self.epochs.append("begin")

    def on_epoch_end(self):
        self.epochs.append("end")


class Endless(utils.PyDataset):
    def __getitem__(self, index):
        return np.full((2, 3), index, "float32"), np.full(2, index, "float32")


def small():
    model = tf.keras.Sequential([tf.keras.Input((3,)), tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def test_each_batch_is_asked_for_once_an_epoch():
    data = Numbers()
    small().fit(data, epochs=2, verbose=0)
    assert sorted(data.seen[:6]) == sorted(data.seen[6:]) == list(range(6))
    assert data.seen[:6] != data.seen[6:]
    assert data.epochs == ["begin", "end"] * 2
    assert data.threads == {"MainThread"}


def test_workers_make_batches_in_order():
    data = Numbers(workers=3, max_queue_size=4)
    found = small().predict(data, verbose=0)
    assert found.shape == (12, 1)
    np.testing.assert_allclose(np.diff(found[::2, 0], 2), 0, atol=1e-5)
    assert all(name.startswith("PyDataset") for name in data.threads)


def test_without_shuffle_batches_come_in_order():
    data = Numbers()
    small().fit(data, shuffle=False, verbose=0)
    assert data.seen == list(range(6))


def test_an_endless_dataset_goes_on_from_epoch_to_epoch():
    steps = []

    class Watched(Endless):
        def __getitem__(self, index):
            steps.append(index)
            return super().__getitem__(index)

    small().fit(Watched(), steps_per_epoch=2, epochs=2, verbose=0)
    assert steps[:4] == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="has no end"):
        small().evaluate(Endless(), verbose=0)


def test_what_a_worker_raises_reaches_the_caller():
    class Bad(Numbers):
        def __getitem__(self, index):
            raise KeyError(index)

    with pytest.raises(KeyError):
        small().fit(Bad(workers=2), verbose=0)
    with pytest.raises(NotImplementedError, match="must write `__getitem__"):
        utils.PyDataset()[0]
    assert utils.Sequence is utils.PyDataset


@pytest.mark.slow
def test_processes_make_batches():
    found = small().predict(Numbers(use_multiprocessing=True, workers=2), verbose=0)
    assert found.shape == (12, 1)


# ---- images -------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(4, 6, 1), (4, 6, 3), (4, 6, 4)])
def test_images_go_there_and_back(shape, tmp_path):
    pixels = np.random.RandomState(0).randint(0, 255, shape).astype("float32")
    img = utils.array_to_img(pixels, scale=False)
    assert img.size == (6, 4)
    np.testing.assert_array_equal(utils.img_to_array(img), pixels)
    first = utils.array_to_img(pixels.transpose(2, 0, 1), "channels_first", scale=False)
    assert utils.img_to_array(first, "channels_first").shape == pixels.transpose(2, 0, 1).shape
    utils.save_img(tmp_path / "a.png", pixels, scale=False)
    mode = {1: "grayscale", 3: "rgb", 4: "rgba"}[shape[2]]
    loaded = utils.load_img(tmp_path / "a.png", mode)
    np.testing.assert_array_equal(utils.img_to_array(loaded), pixels)


def test_scaling_and_wide_grays():
    assert utils.img_to_array(utils.array_to_img([[[3.0], [5.0]]]))[0, :, 0].tolist() == [0, 255]
    assert utils.array_to_img([[[300.0], [5.0]]], scale=False).mode == "I"


def test_loading_resizes_and_converts(tmp_path):
    utils.save_img(tmp_path / "a.jpg", np.random.rand(8, 16, 3))
    assert utils.load_img(tmp_path / "a.jpg", "grayscale", (4, 5)).size == (5, 4)
    middle = utils.load_img(
        str(tmp_path / "a.jpg"), target_size=(4, 4), interpolation="box", keep_aspect_ratio=True
    )
    assert middle.size == (4, 4)
    raw = io.BytesIO((tmp_path / "a.jpg").read_bytes())
    assert utils.load_img(raw).size == (16, 8)
    with pytest.warns(UserWarning, match="JPEG has no alpha channel"):
        utils.save_img(tmp_path / "b.jpg", np.ones((2, 2, 4)))


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda p: utils.array_to_img(np.ones((2, 2))), ValueError, "of rank 3"),
        (lambda p: utils.array_to_img(np.ones((2, 2, 2))), ValueError, "1, 3 or 4 channels"),
        (lambda p: utils.img_to_array(np.ones(3)), ValueError, "must have rank 2 or 3"),
        (lambda p: utils.load_img(p, "cmyk"), ValueError, "`color_mode` must be one of"),
        (
            lambda p: utils.load_img(p, target_size=(1, 1), interpolation="x"),
            ValueError,
            "`interpolation` must be one of",
        ),
        (lambda p: utils.load_img(3), TypeError, "must be a path or an io.BytesIO; got int"),
    ],
)
def test_bad_images(call, error, says, tmp_path):
    utils.save_img(tmp_path / "a.png", np.ones((2, 2, 3)))
    with pytest.raises(error, match=says):
        call(tmp_path / "a.png")


def test_pillow_is_asked_for(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == "PIL":
            raise ImportError
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"load_img: it needs Pillow.*\n  Fix: pip install"):
        utils.load_img("a.png")


# ---- encodings ----------------------------------------------------------------------------------


def test_categories():
    assert utils.to_categorical([0, 2]).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert utils.to_categorical(np.array([[1], [0]]), 3).shape == (2, 3)
    found = utils.to_categorical(tf.constant([[1], [0]]), 2)
    assert isinstance(found, tf.Tensor)
    assert found.numpy().tolist() == [[0, 1], [1, 0]]


def test_normalizing():
    np.testing.assert_allclose(
        utils.normalize(np.array([[3.0, 4.0], [0, 0]])), [[0.6, 0.8], [0, 0]]
    )
    np.testing.assert_allclose(utils.normalize(tf.constant([[3.0, 4.0]])), [[0.6, 0.8]])


def test_padding():
    rows = [[1], [2, 3], [4, 5, 6]]
    assert utils.pad_sequences(rows).tolist() == [[0, 0, 1], [0, 2, 3], [4, 5, 6]]
    assert utils.pad_sequences(rows, 2).tolist() == [[0, 1], [2, 3], [5, 6]]
    assert utils.pad_sequences(rows, 2, truncating="post").tolist()[2] == [4, 5]
    assert utils.pad_sequences(rows, 4, padding="post", value=9).tolist()[0] == [1, 9, 9, 9]
    texts = utils.pad_sequences([["a"], ["b", "c"]], dtype=object, value="-")
    assert texts.tolist() == [["-", "a"], ["b", "c"]]
    assert utils.pad_sequences([np.ones((2, 3)), np.ones((1, 3))]).shape == (2, 2, 3)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: utils.pad_sequences(3), "`sequences` must be a list"),
        (lambda: utils.pad_sequences([1, 2]), "must hold sequences; got 1 at place 0"),
        (lambda: utils.pad_sequences([[1]], padding="x"), '`padding` must be "pre" or "post"'),
        (lambda: utils.pad_sequences([[1]], truncating="x"), "`truncating` must be"),
        (lambda: utils.pad_sequences([[1]], value="x"), "must be of dtype int32"),
        (
            lambda: utils.pad_sequences([np.ones((1, 2)), np.ones((1, 3))]),
            r"must have one shape, \(2,\); got \(3,\) in sequence 1",
        ),
    ],
)
def test_bad_sequences(call, says):
    with pytest.raises(ValueError, match=says):
        call()


# ---- the smaller names --------------------------------------------------------------------------


def test_source_inputs():
    a, b = tf.keras.Input((2,)), tf.keras.Input((2,))
    y = tf.keras.layers.Dense(1)(tf.keras.layers.Add()([a, b]))
    found = utils.get_source_inputs(y)
    assert found[0] is a
    assert found[1] is b
    assert utils.is_keras_tensor(y)
    assert not utils.is_keras_tensor(tf.ones([1]))


def test_configs_of_keras_2():
    layer = tf.keras.layers.Dense(3, "relu", name="d")
    config = utils.legacy.serialize_keras_object(layer)
    assert config["class_name"] == "Dense"
    assert config["config"]["kernel_initializer"]["class_name"] == "GlorotUniform"
    assert "module" not in config["config"]["kernel_initializer"]
    again = tf.keras.legacy.saving.deserialize_keras_object(config)
    assert (again.units, again.name, again.activation) == (3, "d", tf.keras.activations.relu)
    assert utils.legacy.serialize_keras_object(None) is None
    assert utils.legacy.deserialize_keras_object("relu") is tf.keras.activations.relu

    class Mine:
        def __init__(self, a):
            self.a = a

    made = utils.legacy.deserialize_keras_object(
        {"class_name": "Mine", "config": {"a": 3}}, {"Mine": Mine}
    )
    assert made.a == 3


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: utils.legacy.deserialize_keras_object("Nope"), "unknown object: 'Nope'"),
        (lambda: utils.legacy.deserialize_keras_object({"a": 1}), "has `class_name` and `config`"),
        (lambda: utils.legacy.deserialize_keras_object(3), "a name, a config or a function"),
        (lambda: utils.legacy.serialize_keras_object(3), "an object with a config, or a function"),
    ],
)
def test_bad_configs_of_keras_2(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_batches_are_packed_and_unpacked():
    assert utils.unpack_x_y_sample_weight((1, 2)) == (1, 2, None)
    assert utils.pack_x_y_sample_weight(1, 2, 3) == (1, 2, 3)
    assert utils.standardize_dtype(tf.float16) == "float16"
