"""`.h5` files: whole models and weights, of Keras 2 and 3."""

import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import lamina as tf

keras = tf.keras
FILES = Path(__file__).parent / "files"
X = np.arange(6, dtype="float32").reshape(2, 3)
# What Keras 3.15 predicts for X with the models in the files.
SEQUENTIAL = [[0.015343716], [0.015343716]]
FUNCTIONAL = [[-3.2384155, 1.285295], [-10.715543, -0.61702466]]

pytestmark = pytest.mark.filterwarnings("ignore:.*is an older spelling:DeprecationWarning")


@pytest.mark.parametrize(
    ("name", "expected"), [("keras3_sequential", SEQUENTIAL), ("keras3_functional", FUNCTIONAL)]
)
def test_files_of_keras_3(name, expected):
    model = keras.models.load_model(FILES / f"{name}.h5")
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=2e-5)
    assert model.loss == "mse"


def test_the_optimizers_state_of_keras_3():
    optimizer = keras.models.load_model(FILES / "keras3_sequential.h5").optimizer
    assert optimizer.iterations.numpy() == 1
    assert optimizer.learning_rate.numpy() == np.float32(0.01)
    assert any(np.any(v.numpy()) for v in optimizer.variables[2:])


def test_without_compiling():
    assert not keras.models.load_model(FILES / "keras3_sequential.h5", compile=False).compiled


def _trained():
    model = keras.models.load_model(FILES / "keras3_sequential.h5")
    model.fit(X, np.ones((2, 1)), verbose=0)
    return model


def test_round_trip(tmp_path):
    model = _trained()
    model.save(tmp_path / "m.h5")
    same = keras.models.load_model(tmp_path / "m.h5")
    np.testing.assert_array_equal(same.predict(X, verbose=0), model.predict(X, verbose=0))
    for a, b in zip(model.optimizer.variables, same.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_layout_is_keras(tmp_path):
    _trained().save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as mine, h5py.File(FILES / "keras3_sequential.h5") as theirs:
        assert set(mine) == set(theirs)
        assert set(mine.attrs) == set(theirs.attrs)
        for name in ("a", "bn", "b"):
            group = mine["model_weights"][name]
            shapes = [group[n.decode()].shape for n in group.attrs["weight_names"]]
            other = theirs["model_weights"][name]
            assert shapes == [other[n].shape for n in other.attrs["weight_names"]]
        config = json.loads(mine.attrs["model_config"])
        assert config["class_name"] == "Sequential"


def test_save_format_and_ending(tmp_path):
    _trained().save(tmp_path / "m", save_format="h5", include_optimizer=False)
    with h5py.File(tmp_path / "m.h5") as file:
        assert "training_config" not in file.attrs
    _trained().save(tmp_path / "m.hdf5")
    with pytest.raises(ValueError, match="overwrite=True"):
        _trained().save(tmp_path / "m.hdf5", overwrite=False)


@pytest.mark.parametrize("name", ["w.h5", "w.hdf5", "folder/ckpt", "w.weights.h5"])
def test_weights_under_older_paths(tmp_path, name):
    (tmp_path / "folder").mkdir()
    model, other = _trained(), keras.models.load_model(FILES / "keras3_sequential.h5")
    model.save_weights(tmp_path / name)
    other.load_weights(tmp_path / name)
    np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))


def _keras_2_file(path):
    """Write a file as Keras 2.4 does: configs without modules, axes as lists, names with ":0"."""
    fixed = {"trainable": True, "dtype": "float32"}
    regularizer = {"class_name": "L2", "config": {"l2": 0.01}}
    dense = {**fixed, "name": "dense", "batch_input_shape": [None, 3], "units": 2}
    layers = [
        {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 3], "name": "in"}},
        {"class_name": "Dense", "config": {**dense, "kernel_regularizer": regularizer}},
        {"class_name": "BatchNormalization", "config": {**fixed, "name": "bn", "axis": [1]}},
    ]
    config = {"class_name": "Sequential", "config": {"name": "old", "layers": layers}}
    adam = {"name": "Adam", "learning_rate": 0.02, "decay": 0.0, "amsgrad": False}
    arrays = {
        "in": {},
        "dense": {"kernel": np.ones((3, 2), "f"), "bias": np.ones(2, "f")},
        "bn": {n: np.ones(2, "f") for n in ("gamma", "beta", "moving_mean", "moving_variance")},
    }
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        training = {"loss": "mse", "optimizer_config": {"class_name": "Adam", "config": adam}}
        file.attrs["training_config"] = json.dumps(training)
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = np.array([n.encode() for n in arrays])
        for name, own in arrays.items():
            group = root.create_group(name)
            group.attrs["weight_names"] = np.array([f"{name}/{k}:0".encode() for k in own], "S")
            for key, value in own.items():
                group[f"{name}/{key}:0"] = value


def test_a_file_of_keras_2(tmp_path):
    _keras_2_file(tmp_path / "old.h5")
    model = keras.models.load_model(tmp_path / "old.h5")
    expected = (X.sum(1, keepdims=True) + 1.0 - 1.0) / np.sqrt(1.001) + 1.0
    np.testing.assert_allclose(model.predict(X, verbose=0), np.repeat(expected, 2, 1), rtol=1e-5)
    np.testing.assert_allclose(model.losses[0].numpy(), 0.06, rtol=1e-5)
    assert model.optimizer.learning_rate.numpy() == np.float32(0.02)


def test_models_with_a_call_of_their_own_are_refused(tmp_path):
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

    model = Net()
    model(X)
    with pytest.raises(ValueError, match=r"which has a `call` of its own.\n  Fix: save it as .ker"):
        model.save(tmp_path / "m.h5")


def test_weights_alone_are_no_model(tmp_path):
    _trained().save_weights(tmp_path / "w.h5")
    with pytest.raises(ValueError, match="the file has weights alone"):
        keras.models.load_model(tmp_path / "w.h5")


def test_damage_and_unknown_classes(tmp_path):
    path = tmp_path / "m.h5"
    path.write_bytes((FILES / "keras3_sequential.h5").read_bytes()[:3000])
    with pytest.raises(ValueError, match=r"m\.h5"):
        keras.models.load_model(path)
    _keras_2_file(path)
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "os.system", "config": {"a": 1}})
    with pytest.raises((ValueError, TypeError), match=r"os\.system"):
        keras.models.load_model(path)
    assert not zipfile.is_zipfile(path)
