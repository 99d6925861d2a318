"""Models as folders, and weights in several files."""

import json
import os

import numpy as np
import pytest

import lamina as tf
from tests.tolerances import assert_close

X = np.ones((4, 3), "float32")


def _trained():
    model = tf.keras.Sequential(
        [tf.keras.Input((3,)), tf.keras.layers.Dense(64), tf.keras.layers.Dense(5)]
    )
    model.compile("adam", "mse")
    model.fit(X, np.ones((4, 5)), verbose=0)
    return model


def test_a_model_is_saved_to_a_folder_and_loaded(tmp_path):
    model = _trained()
    model.save(tmp_path / "m", zipped=False)
    names = {"assets", "config.json", "metadata.json", "model.weights.h5"}
    assert names <= set(os.listdir(tmp_path / "m"))
    loaded = tf.keras.models.load_model(tmp_path / "m")
    assert_close(loaded(X), model(X))
    assert loaded.optimizer.iterations.numpy() == 1
    other = _trained()
    other.load_weights(tmp_path / "m")
    assert_close(other(X), model(X))


def test_a_folder_keeps_vocabularies(tmp_path):
    lookup = tf.keras.layers.StringLookup()
    lookup.adapt(["red", "green", "red"])
    model = tf.keras.Sequential([tf.keras.Input((1,), dtype="string"), lookup])
    model.save(tmp_path / "m", zipped=False)
    loaded = tf.keras.models.load_model(tmp_path / "m")
    assert loaded.layers[-1].get_vocabulary() == lookup.get_vocabulary()


def test_a_folder_has_no_ending_and_is_not_replaced_unasked(tmp_path):
    model = _trained()
    with pytest.raises(ValueError, match=r"must be a folder's name, without '\.keras'"):
        model.save(tmp_path / "m.keras", zipped=False)
    model.save(tmp_path / "m", zipped=False)
    with pytest.raises(ValueError, match="must not exist with `overwrite=False`"):
        model.save(tmp_path / "m", zipped=False, overwrite=False)


def test_weights_go_to_files_that_are_not_larger_than_asked(tmp_path):
    model = _trained()
    path = tmp_path / "w.weights.json"
    model.save_weights(path, max_shard_size=1500 / (1 << 30))
    table = json.loads(path.read_text())
    files = sorted({f for some in table["weight_map"].values() for f in some})
    assert files == sorted(p.name for p in tmp_path.glob("w_*.weights.h5"))
    assert len(files) > 2
    sizes = [v.numpy().nbytes for v in [*model.weights, *model.optimizer.variables]]
    assert table["metadata"]["total_size"] == sum(sizes)
    other = _trained()
    other.load_weights(path)
    assert_close(other(X), model(X))


def test_a_path_of_one_file_gives_a_table_and_a_warning(tmp_path):
    with pytest.warns(UserWarning, match=r"the table of the files is at .*w\.weights\.json"):
        _trained().save_weights(tmp_path / "w.weights.h5", max_shard_size=1)
    assert {p.name for p in tmp_path.iterdir()} == {"w.weights.json", "w_00000.weights.h5"}


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("w.h5", {"max_shard_size": 1}, r"must end in '\.weights\.json'"),
        ("w.weights.json", {}, r"must end in '\.weights\.h5'"),
        ("w.weights.json", {"max_shard_size": 1e-8}, "each array must fit in `max_shard_size`"),
    ],
)
def test_errors_of_saving(tmp_path, name, options, text):
    with pytest.raises(ValueError, match=text):
        _trained().save_weights(tmp_path / name, **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ({"weight_map": {"/vars": "../w.h5"}}, "names of .h5 files beside the table"),
        ({"weight_map": {"/vars": ["gone.h5"]}}, "a .weights.h5 file was expected at"),
        ([1], "a table of weight files"),
    ],
)
def test_errors_of_loading(tmp_path, table, text):
    path = tmp_path / "w.weights.json"
    path.write_text(json.dumps(table))
    with pytest.raises(ValueError, match=text):
        _trained().load_weights(path)
