"""BackupAndRestore: an interrupted run that goes on ends as if it had not been interrupted."""

import json
import shutil

import numpy as np
import pytest

import lamina as tf

keras = tf.keras
X = np.random.RandomState(0).randn(40, 4).astype("float32")
Y = X.sum(1, keepdims=True)


def make(seed=3):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    return model


class Interrupt(keras.callbacks.Callback):
    """Ends the program, so to say, after a batch of an epoch."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.place = (epoch, batch)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.place:
            raise KeyboardInterrupt


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        return X[index * 8 : index * 8 + 8], Y[index * 8 : index * 8 + 8]


def shuffled():
    return tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(40, seed=5).batch(8)


DATA = {
    "arrays": lambda: {"x": X, "y": Y, "batch_size": 8},
    "dataset": lambda: {"x": shuffled()},
    "endless dataset": lambda: {"x": shuffled().repeat(), "steps_per_epoch": 3},
    "arrays by steps": lambda: {"x": X, "y": Y, "batch_size": 10, "steps_per_epoch": 2},
    "PyDataset": lambda: {"x": Batches(workers=2)},
}


@pytest.mark.parametrize(
    ("kind", "freq", "place"),
    [
        ("arrays", "epoch", (2, 1)),
        ("arrays", 1, (2, 0)),
        ("dataset", 2, (2, 3)),
        ("endless dataset", 1, (2, 0)),
        ("arrays by steps", 2, (0, 1)),
        ("arrays by steps", "epoch", (2, 1)),
        ("PyDataset", 2, (2, 2)),
    ],
)
def test_a_run_goes_on_exactly(kind, freq, place, tmp_path):
    whole = make()
    expected = whole.fit(**DATA[kind](), epochs=4, verbose=0).history
    folder = tmp_path / "backup"
    backup = keras.callbacks.BackupAndRestore(folder, save_freq=freq, delete_checkpoint=False)
    model = make()
    with pytest.raises(KeyboardInterrupt):
        model.fit(**DATA[kind](), epochs=4, verbose=0, callbacks=[backup, Interrupt(*place)])
    again = make(seed=99)
    backup = keras.callbacks.BackupAndRestore(folder, save_freq=freq)
    history = again.fit(**DATA[kind](), epochs=4, verbose=0, callbacks=[backup])
    for a, b in zip(again.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert history.epoch == list(range(place[0], 4))
    for name, values in history.history.items():
        assert values == expected[name][place[0] :]
    assert not folder.exists()


def test_the_files_are_those_of_keras(tmp_path):
    model = make()
    backup = keras.callbacks.BackupAndRestore(tmp_path / "b", delete_checkpoint=False)
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[backup])
    notes = json.loads((tmp_path / "b" / "training_metadata.json").read_text())
    assert (notes["epoch"], notes["batch"]) == (2, 0)
    other = make(1)
    other.optimizer.build(other.trainable_variables)
    other.load_weights(tmp_path / "b" / "latest.weights.h5")
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
    notes.pop("lamina")  # as Keras writes it
    (tmp_path / "b" / "training_metadata.json").write_text(json.dumps(notes))
    history = other.fit(
        X, Y, epochs=3, verbose=0, callbacks=[keras.callbacks.BackupAndRestore(tmp_path / "b")]
    )
    assert history.epoch == [2]


def test_damaged_files_leave_the_ones_before(tmp_path):
    backup = keras.callbacks.BackupAndRestore(
        tmp_path / "b", double_checkpoint=True, delete_checkpoint=False
    )
    make().fit(X, Y, epochs=2, verbose=0, callbacks=[backup])
    (tmp_path / "b" / "latest.weights.h5").write_bytes(b"torn")
    history = make(1).fit(X, Y, epochs=2, verbose=0, callbacks=[backup])
    assert history.epoch == [1]
    shutil.rmtree(tmp_path / "b")
    backup = keras.callbacks.BackupAndRestore(tmp_path / "b", delete_checkpoint=False)
    make().fit(X, Y, epochs=1, verbose=0, callbacks=[backup])
    (tmp_path / "b" / "latest.weights.h5").write_bytes(b"torn")
    with pytest.raises(ValueError, match="an unknown format"):
        make(1).fit(X, Y, epochs=2, verbose=0, callbacks=[backup])


def test_what_it_needs(tmp_path):
    with pytest.raises(ValueError, match="`backup_dir` must be a folder"):
        keras.callbacks.BackupAndRestore("")
    with pytest.raises(ValueError, match='`save_freq` must be "epoch" or a number'):
        keras.callbacks.BackupAndRestore("x", save_freq="batch")
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="must be built before fit"):
        model.fit(X, Y, verbose=0, callbacks=[keras.callbacks.BackupAndRestore(tmp_path)])
