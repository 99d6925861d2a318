"""Weights as checkpoints in TensorFlow's files, as programs for TensorFlow 2.0–2.15 keep them."""

from pathlib import Path

import numpy as np
import pytest

import lamina as tf
from lamina.keras.spelling import forget_notes

keras = tf.keras
layers = keras.layers
X = np.linspace(0, 1, 24).reshape(8, 3).astype("float32")
Y = X.sum(1, keepdims=True)
# Model.save_weights of Keras 2 in TensorFlow's format; `keras_2_model` is what wrote it.
KERAS_2 = Path(__file__).parents[2] / "checkpoint" / "files" / "keras2"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = layers.Dense(4, activation="relu")
        self.last = layers.Dense(1)

    def call(self, x):
        return self.last(self.first(x))


def stacked():
    given = [keras.Input((3,)), layers.Dense(4, activation="relu"), layers.Dense(1)]
    return compiled(keras.Sequential(given))


def compiled(model):
    model.compile(keras.optimizers.Adam(0.1), "mse")
    return model


def fitted(model, *callbacks, **kwargs):
    given = {"epochs": 1, "batch_size": 4, "shuffle": False, "verbose": 0} | kwargs
    model.fit(X, Y, callbacks=list(callbacks), **given)
    return model


def weights_of(model):
    return [v.numpy() for v in model.variables]


def assert_equal_weights(model, other):
    for ours, theirs in zip(weights_of(model), weights_of(other), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("make", [stacked, lambda: compiled(Net())])
def test_weights_and_optimizer_come_back_with_a_status(tmp_path, make):
    model = fitted(make())
    model.save_weights(tmp_path / "training" / "cp-1.ckpt")
    latest = tf.train.latest_checkpoint(tmp_path / "training")
    assert latest == str(tmp_path / "training" / "cp-1.ckpt")
    other = make()
    status = other.load_weights(latest)
    np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))
    fitted(model)
    fitted(other)  # the slots of the optimizer are made now, and restored
    status.assert_consumed()
    assert_equal_weights(other, model)


def test_a_model_that_is_compiled_later_gets_its_optimizer(tmp_path):
    model = fitted(stacked())
    model.save_weights(tmp_path / "w")
    other = keras.Sequential([keras.Input((3,)), layers.Dense(4, "relu"), layers.Dense(1)])
    status = other.load_weights(tmp_path / "w")
    fitted(compiled(other))
    status.expect_partial().assert_consumed()
    assert int(other.optimizer.iterations) == 4


def test_the_note_says_what_to_write(tmp_path):
    forget_notes()
    with pytest.warns(DeprecationWarning, match=r'ends in ".weights.h5"'):
        stacked().save_weights(tmp_path / "w")
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "checkpoint",
        "w.data-00000-of-00001",
        "w.index",
    ]


def test_save_format_decides_where_the_path_does_not(tmp_path):
    model = stacked()
    model.save_weights(tmp_path / "a", save_format="h5")
    model.save_weights(tmp_path / "b", save_format="tf")
    assert (tmp_path / "a").is_file()
    assert (tmp_path / "b.index").is_file()
    for name in "ab":
        other = stacked()
        other.load_weights(tmp_path / name)
        np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))
    with pytest.raises(ValueError, match=r"must be a prefix without '\.h5'"):
        model.save_weights(tmp_path / "c.h5", save_format="tf")
    with pytest.raises(ValueError, match=r"`save_format` must be .* got 'pb'"):
        model.save_weights(tmp_path / "c", save_format="pb")


def test_mistakes_are_named(tmp_path):
    model = stacked()
    path = tmp_path / "w"
    model.save_weights(path)
    with pytest.raises(ValueError, match="must not exist with `overwrite=False`"):
        model.save_weights(path, overwrite=False)
    with pytest.raises(ValueError, match="a built model was expected"):
        Net().save_weights(path)
    with pytest.raises(ValueError, match=r"a folder of checkpoints.\n.*latest_checkpoint"):
        model.load_weights(tmp_path)
    with pytest.raises(ValueError, match=r"a checkpoint, .* got \['skip_mismatch'\]"):
        model.load_weights(path, skip_mismatch=True)
    with pytest.raises(ValueError, match=r"a checkpoint, .* got \['objects_to_skip'\]"):
        model.save_weights(path, objects_to_skip=[model.layers[0]])
    with pytest.raises(AssertionError, match="Nothing except the root object matched"):
        keras.Sequential([keras.Input((3,)), layers.Dense(4)]).load_weights(_other(tmp_path))
    with pytest.raises(ValueError, match=r"has shape \(3, 4\)"):
        keras.Sequential([keras.Input((3,)), layers.Dense(5)]).load_weights(path)


def _other(folder):
    net = Net()
    net(X)
    net.save_weights(folder / "net")
    return folder / "net"


# ---- ModelCheckpoint ----------------------------------------------------------------------------


def test_model_checkpoint_writes_checkpoints(tmp_path):
    save = keras.callbacks.ModelCheckpoint(
        filepath=str(tmp_path / "cp-{epoch:04d}.ckpt"), save_weights_only=True, save_freq=4
    )
    model = fitted(stacked(), save, epochs=4)
    names = sorted(p.name for p in tmp_path.glob("*.index"))
    assert names == ["cp-0002.ckpt.index", "cp-0004.ckpt.index"]
    other = stacked()
    other.load_weights(tf.train.latest_checkpoint(tmp_path)).assert_nontrivial_match()
    np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))


def test_model_checkpoint_by_periods(tmp_path):
    forget_notes()
    with pytest.warns(DeprecationWarning, match=r"ModelCheckpoint\(period=\).*save_freq="):
        save = keras.callbacks.ModelCheckpoint(
            tmp_path / "w{epoch}.h5", save_weights_only=True, period=2
        )
    fitted(stacked(), save, epochs=5)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["w2.h5", "w4.h5"]


@pytest.mark.parametrize("name", ["w-{epoch}", "w-{epoch}.weights.h5"])
def test_model_checkpoint_loads_the_newest_on_restart(tmp_path, name):
    save = keras.callbacks.ModelCheckpoint(tmp_path / name, save_weights_only=True)
    fitted(stacked(), save)
    again = keras.callbacks.ModelCheckpoint(
        tmp_path / name, save_weights_only=True, load_weights_on_restart=True
    )
    other = fitted(stacked(), again, initial_epoch=1, epochs=2)
    assert int(other.optimizer.iterations) == 4


def test_model_checkpoint_names_what_it_does_not_know(tmp_path):
    with pytest.raises(TypeError, match=r"got \['perriod'\] too"):
        keras.callbacks.ModelCheckpoint("w.keras", perriod=2)
    with pytest.raises(ValueError, match="`period` must be a positive number of epochs; got 0"):
        keras.callbacks.ModelCheckpoint("w.keras", period=0)
    with pytest.raises(ValueError, match=r"must end in \.weights\.h5 .* got 'w\.keras'"):
        keras.callbacks.ModelCheckpoint("w.keras", save_weights_only=True)


# ---- files of Keras 2 ---------------------------------------------------------------------------


def keras_2_model():
    start = keras.Input((3,))
    hidden = layers.Dense(2)(start)
    steps = layers.Reshape((2, 1))(layers.BatchNormalization()(hidden))
    joined = layers.Concatenate()([hidden, layers.LSTM(2)(steps)])
    model = keras.Model(start, layers.Dense(1)(joined))
    model.compile(keras.optimizers.Adam(0.5), "mse")
    return model


ROWS = np.linspace(0, 1, 12).reshape(4, 3).astype("float32")


def test_weights_of_keras_2_are_found_by_the_layers_numbers():
    model = keras_2_model()
    model.load_weights(KERAS_2).assert_existing_objects_matched()
    expected = [3.0312333, 3.2094326, 3.3870897, 3.5642257]
    np.testing.assert_allclose(model.predict(ROWS, verbose=0).ravel(), expected, rtol=1e-5)
    for number, weight in enumerate(model.weights):
        np.testing.assert_array_equal(weight.numpy(), np.float32(0.1 * (number + 1)))


def test_slots_of_keras_2_are_found_by_their_lists():
    model = keras_2_model()
    status = model.load_weights(KERAS_2)
    model.optimizer.build(model.trainable_variables)
    slots = model.optimizer.variables[2:]
    for number, variable in enumerate(slots):
        start = 101 if number % 2 else 1  # velocities behind momentums
        np.testing.assert_array_equal(variable.numpy(), np.float32(start + number // 2))
    assert model.optimizer.learning_rate.numpy() == 0.25
    model.fit(ROWS, ROWS.sum(1, keepdims=True), verbose=0)
    expected = [2.8272519, 2.9879975, 3.1483123, 3.3082111]
    np.testing.assert_allclose(model.predict(ROWS, verbose=0).ravel(), expected, rtol=2e-5)
    status.expect_partial()


def test_weights_of_keras_2_wait_for_a_model_that_is_built_later(tmp_path):
    given = stacked()
    numbered = {f"layer-{i}": layer for i, layer in enumerate(given.layers)}
    tf.train.Checkpoint(**numbered).write(tmp_path / "w")
    other = keras.Sequential([layers.Dense(4, activation="relu"), layers.Dense(1)])
    other.load_weights(tmp_path / "w").expect_partial()
    np.testing.assert_array_equal(other(X), given(X))
