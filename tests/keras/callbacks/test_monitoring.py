"""RemoteMonitor, TensorBoard, SwapEMAWeights and OrbaxCheckpoint."""

import http.server
import json
import sys
import threading
import types
import urllib.parse
from typing import ClassVar

import numpy as np
import pytest

import lamina as tf

keras = tf.keras
X = np.random.RandomState(0).randn(16, 3).astype("float32")
Y = X.sum(1, keepdims=True)


def make(**optimizer):
    keras.utils.set_random_seed(3)
    layers = [keras.Input((3,)), keras.layers.Dense(1, name="d")]
    model = keras.Sequential(layers, name="net")
    model.compile(keras.optimizers.SGD(0.1, **optimizer), "mse")
    return model


def fit(model, *callbacks, **kwargs):
    given = {"epochs": 2, "batch_size": 8, "verbose": 0} | kwargs
    return model.fit(X, Y, callbacks=list(callbacks), **given)


# ---- RemoteMonitor ------------------------------------------------------------------------------


@pytest.fixture
def server():
    received = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.append((self.path, dict(self.headers), body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()
    server.server_close()


def test_results_are_sent(server):
    root, received = server
    remote = keras.callbacks.RemoteMonitor(root, headers={"X-Key": "k"})
    history = fit(make(), remote)
    assert len(received) == 2
    path, headers, body = received[1]
    sent = json.loads(urllib.parse.parse_qs(body)["data"][0])
    assert (path, headers["X-Key"]) == ("/publish/epoch/end/", "k")
    assert sent == {"epoch": 1, "loss": history.history["loss"][1]}
    keras.callbacks.RemoteMonitor(root, send_as_json=True).on_epoch_end(4, {"a": np.float32(1)})
    assert json.loads(received[-1][2]) == {"epoch": 4, "a": 1.0}


def test_a_server_that_is_not_there_gives_a_warning():
    with pytest.warns(UserWarning, match="the server at http://127.0.0.1:9 could not be reached"):
        keras.callbacks.RemoteMonitor("http://127.0.0.1:9").on_epoch_end(0, {"loss": 1.0})


# ---- TensorBoard --------------------------------------------------------------------------------


class Writer:
    """What tensorboardX's SummaryWriter is told."""

    made: ClassVar[dict] = {}

    def __init__(self, folder, flush_secs, filename_suffix):
        self.folder = folder.rsplit("/", 1)[-1]
        self.scalars, self.others, self.closed = [], [], False
        Writer.made[self.folder] = self

    def add_scalar(self, tag, value, step):
        self.scalars.append((tag, float(value), step))

    def add_text(self, *args):
        self.others.append(("text", *args))

    def add_histogram(self, tag, value, step, bins):
        self.others.append(("histogram", tag, value.shape, step))

    def add_image(self, tag, image, step, dataformats):
        self.others.append(("image", tag, image.shape, step))

    def flush(self):
        pass

    def close(self):
        self.closed = True


@pytest.fixture
def writers(monkeypatch):
    Writer.made = {}
    module = types.ModuleType("tensorboardX")
    module.SummaryWriter = Writer
    monkeypatch.setitem(sys.modules, "tensorboardX", module)
    return Writer.made


def tags(writer):
    return {tag for tag, _, _ in writer.scalars}


def test_epochs_are_written(writers, tmp_path):
    board = keras.callbacks.TensorBoard(tmp_path, write_steps_per_second=True)
    history = fit(make(), board, validation_data=(X, Y)).history
    train, validation = writers["train"], writers["validation"]
    assert tags(train) == {"epoch_loss", "epoch_learning_rate", "epoch_steps_per_second"}
    assert tags(validation) == {"epoch_loss", "evaluation_loss_vs_iterations"}
    assert ("epoch_loss", history["loss"][1], 1) in train.scalars
    assert ("epoch_loss", history["val_loss"][0], 0) in validation.scalars
    assert ("epoch_learning_rate", pytest.approx(0.1), 0) in train.scalars
    assert [s for t, _, s in validation.scalars if t.startswith("evaluation")] == [2, 4]
    assert train.others[0][:2] == ("text", "keras")
    assert train.closed
    assert validation.closed


def test_batches_are_written(writers, tmp_path):
    fit(make(), keras.callbacks.TensorBoard(tmp_path, update_freq=2, write_graph=False))
    assert [s for t, _, s in writers["train"].scalars if t == "batch_loss"] == [2, 4]
    assert writers["train"].others == []
    fit(make(), keras.callbacks.TensorBoard(tmp_path, update_freq="batch"))
    assert len([t for t, _, _ in writers["train"].scalars if t == "batch_loss"]) == 4


def test_summaries_of_the_program_stay_its_own(writers, tmp_path):
    class Own(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            assert tf.summary.scalar("mine", 1.0, step=epoch)

    board = keras.callbacks.TensorBoard(tmp_path / "board", write_graph=False)
    writer = tf.summary.create_file_writer(str(tmp_path / "own"))
    with writer.as_default(), tf.summary.record_if(lambda: True):
        fit(make(), board, Own())
    assert tags(writers["own"]) == {"mine"}
    assert tags(writers["train"]) == {"epoch_loss", "epoch_learning_rate"}


def test_weights_are_written(writers, tmp_path):
    board = keras.callbacks.TensorBoard(tmp_path, histogram_freq=2, write_images=True)
    fit(make(), board, epochs=3)
    found = [o for o in writers["train"].others if o[0] != "text"]
    assert ("histogram", "d/kernel/histogram", (3,), 0) in [
        (k, t.removeprefix("net/"), s, e) for k, t, s, e in found
    ]
    assert {e for *_, e in found} == {0, 2}
    assert any(o[0] == "image" for o in found)


def test_embeddings_are_described(writers, tmp_path):
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Embedding(9, 4, name="words"), keras.layers.Flatten()]
    )
    model.compile("sgd", "mse")
    (tmp_path / "train").mkdir()
    board = keras.callbacks.TensorBoard(
        tmp_path, embeddings_freq=1, embeddings_metadata={"words": "names.tsv"}
    )
    model.fit(np.ones((4, 2)), np.ones((4, 8)), verbose=0, callbacks=[board])
    assert 'metadata_path: "names.tsv"' in (tmp_path / "projector_config.pbtxt").read_text()
    assert (tmp_path / "train" / "keras_embedding.ckpt-0.weights.h5").exists()
    wrong = keras.callbacks.TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata={"z": "a"})
    with pytest.raises(ValueError, match="names \\['z'\\], which are no"):
        wrong.set_model(model)


def test_the_package_is_asked_for(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r"it needs tensorboardX.*\n  Fix: pip install"):
        fit(make(), keras.callbacks.TensorBoard(tmp_path))
    with pytest.raises(ValueError, match='`update_freq` must be "epoch", "batch" or an int'):
        keras.callbacks.TensorBoard(tmp_path, update_freq="x")
    with pytest.warns(UserWarning, match="`profile_batch` must be 0"):
        keras.callbacks.TensorBoard(tmp_path, profile_batch=2)


# ---- SwapEMAWeights -----------------------------------------------------------------------------


def test_averages_are_tested():
    model = make(use_ema=True, ema_momentum=0.9)
    seen = {}

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen["trained"] = self.model.get_weights()[0]

        def on_test_batch_end(self, batch, logs=None):
            seen["tested"] = self.model.get_weights()[0]

        def on_epoch_end(self, epoch, logs=None):
            seen["after"] = self.model.get_weights()[0]

    fit(model, keras.callbacks.SwapEMAWeights(), Watch(), validation_data=(X, Y), epochs=1)
    assert not np.allclose(seen["tested"], seen["trained"])
    np.testing.assert_array_equal(seen["after"], seen["trained"])
    np.testing.assert_array_equal(model.get_weights()[0], seen["tested"])


def test_averages_stand_between_epochs(tmp_path):
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    path = str(tmp_path / "{epoch}.weights.h5")
    save = keras.callbacks.ModelCheckpoint(path, save_weights_only=True)
    model = make(use_ema=True)
    fit(model, swap, save)
    plain = make(use_ema=True)
    fit(plain)
    np.testing.assert_allclose(model.get_weights()[0], plain.get_weights()[0], rtol=1e-6)
    other = make(use_ema=True)
    other.load_weights(tmp_path / "2.weights.h5")
    np.testing.assert_allclose(other.get_weights()[0], model.get_weights()[0], rtol=1e-6)


def test_prediction_leaves_the_weights():
    model = make(use_ema=True)
    fit(model)
    swap = keras.callbacks.SwapEMAWeights()
    swap.set_model(model)
    model.optimizer._model_variables_moving_average[0].assign(np.zeros((3, 1), "float32"))
    before = model.get_weights()[0]
    assert abs(model.predict(X, verbose=0, callbacks=[swap])).max() < 1
    np.testing.assert_array_equal(model.get_weights()[0], before)


def test_averages_are_asked_for():
    with pytest.raises(ValueError, match="an optimizer with use_ema=True is needed"):
        make().evaluate(X, Y, verbose=0, callbacks=[keras.callbacks.SwapEMAWeights()])


# ---- OrbaxCheckpoint ----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("weights_only", [False, True])
def test_orbax_checkpoints(tmp_path, weights_only):
    pytest.importorskip("orbax.checkpoint")
    model = make(momentum=0.9)
    checkpoint = keras.callbacks.OrbaxCheckpoint(
        tmp_path / "c", max_to_keep=2, save_weights_only=weights_only
    )
    fit(model, checkpoint, epochs=3)
    steps = sorted(p.name for p in (tmp_path / "c").iterdir() if p.is_dir())
    assert steps == ["1", "2"]
    other = make(momentum=0.9)
    assert checkpoint.restore(other) == 2
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
    assert int(other.optimizer.iterations) == (0 if weights_only else 6)
    with pytest.raises(ValueError, match="must hold"):
        checkpoint.restore(keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)]))
    checkpoint.on_train_end()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_orbax_saves_the_best_by_batch(tmp_path):
    pytest.importorskip("orbax.checkpoint")
    checkpoint = keras.callbacks.OrbaxCheckpoint(
        tmp_path / "c",
        monitor="loss",
        save_freq=3,
        save_best_only=True,
        save_on_background=False,
        max_to_keep=None,
    )
    fit(make(), checkpoint, epochs=3)
    assert sorted(p.name for p in (tmp_path / "c").iterdir() if p.is_dir())[0] == "3"
    empty = keras.callbacks.OrbaxCheckpoint(
        tmp_path / "none", monitor="loss", save_best_only=True, initial_value_threshold=-1.0
    )
    fit(make(), empty, epochs=1)
    assert (tmp_path / "none").is_dir()
    with pytest.raises(FileNotFoundError, match="there is no checkpoint"):
        empty.restore(make())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_folders_of_orbax_are_loaded_as_models_and_weights(tmp_path):
    pytest.importorskip("orbax.checkpoint")
    model, folder = make(momentum=0.9), tmp_path / "c"
    fit(model, keras.callbacks.OrbaxCheckpoint(folder, max_to_keep=2), epochs=3)
    loaded = keras.models.load_model(folder)
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])
    assert int(loaded.optimizer.iterations) == 6
    other = make(momentum=0.9)
    other.load_weights(folder / "1")
    assert int(other.optimizer.iterations) == 4
    other.load_weights(folder)
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])
    with pytest.raises(ValueError, match="is loaded as a whole"):
        other.load_weights(folder, skip_mismatch=True)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_folder_of_orbax_with_weights_alone_is_no_model(tmp_path):
    pytest.importorskip("orbax.checkpoint")
    model = make()
    fit(model, keras.callbacks.OrbaxCheckpoint(tmp_path / "c", save_weights_only=True), epochs=1)
    with pytest.raises(ValueError, match="has its weights alone"):
        keras.models.load_model(tmp_path / "c")
    other = make()
    other.load_weights(tmp_path / "c")
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])


def test_orbax_is_asked_for(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "orbax.checkpoint", None)
    with pytest.raises(ImportError, match=r"it needs orbax-checkpoint.*\n  Fix: pip install"):
        keras.callbacks.OrbaxCheckpoint(tmp_path)
    with pytest.raises(ValueError, match='`save_freq` must be "epoch" or a number'):
        keras.callbacks.OrbaxCheckpoint(tmp_path, save_freq="x")
