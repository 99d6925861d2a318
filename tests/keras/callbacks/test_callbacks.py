"""Callbacks: when they are called, what they do, and what the terminal shows."""

import csv
import io
import sys

import numpy as np
import pytest

import lamina as tf

callbacks = tf.keras.callbacks
RNG = np.random.RandomState(1)
X = RNG.randn(10, 4).astype("float32")
Y = RNG.randn(10, 1).astype("float32")


def linear(rate=0.1, **kwargs):
    inputs = tf.keras.Input((4,))
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(1)(inputs))
    model.set_weights([np.full((4, 1), 0.3, "float32"), np.zeros(1, "float32")])
    model.compile(tf.keras.optimizers.SGD(rate), "mse", **kwargs)
    return model


def fit(model, *used, **kwargs):
    given = {"batch_size": 5, "epochs": 3, "shuffle": False, "verbose": 0} | kwargs
    return model.fit(X, Y, callbacks=list(used), **given)


class Scores(callbacks.Callback):
    """Puts made-up results into the logs, for the callbacks after it."""

    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs["score"] = self.values[epoch]


class Recorder(callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen = []


def _record(hook):
    def note(self, *args, **kwargs):
        self.seen.append(hook.removeprefix("on_"))

    return note


for _hook in [h for h in dir(callbacks.Callback) if h.startswith("on_")]:
    if _hook not in ("on_batch_begin", "on_batch_end"):
        setattr(Recorder, _hook, _record(_hook))


def test_hooks_come_in_keras_order():
    recorder = Recorder()
    fit(linear(), recorder, epochs=1, batch_size=10, validation_data=(X, Y))
    assert recorder.seen == [
        "train_begin",
        "epoch_begin",
        *("train_batch_begin", "train_batch_end"),
        *("test_begin", "test_batch_begin", "test_batch_end", "test_end"),
        "epoch_end",
        "train_end",
    ]
    assert recorder.params == {"verbose": 0, "epochs": 1, "steps": 1}


def test_batch_logs_are_numbers_however_they_are_read():
    seen = []
    note = callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(
            (logs["loss"], dict(logs)["loss"], {**logs}["loss"], logs.get("loss"))
        )
    )
    fit(linear(), note, epochs=1)
    assert all(type(v) is float for row in seen for v in row)
    assert len(seen) == 2


def test_batch_hooks_reach_only_those_that_write_them():
    plain, bar = callbacks.Callback(), callbacks.LambdaCallback(on_epoch_end=lambda e, logs: None)
    found = callbacks.CallbackList([plain, bar, Recorder()])
    assert [type(c) for c in found._by_hook["on_train_batch_end"]] == [Recorder]


def test_what_is_no_callback_is_named():
    with pytest.raises(TypeError, match=r"must be tf\.keras\.callbacks\.Callback objects; got 3"):
        fit(linear(), 3)


@pytest.mark.parametrize(
    ("options", "epochs", "best"),
    [
        ({"patience": 0}, 4, 2),
        ({"patience": 2}, 5, 2),
        ({"patience": 1, "mode": "max"}, 2, 0),
        ({"patience": 1, "baseline": 0.5}, 4, 2),
        ({"patience": 0, "start_from_epoch": 3}, 6, 4),
    ],
)
def test_early_stopping(options, epochs, best):
    scores = [4.0, 3.0, 2.0, 2.5, 2.2, 2.6, 1.0, 0.9]
    stop = callbacks.EarlyStopping("score", **{"mode": "min"} | options)
    history = fit(linear(), Scores(scores), stop, epochs=8)
    assert (len(history.epoch), stop.best_epoch) == (epochs, best)
    assert stop.stopped_epoch == epochs - 1


class _Weights(callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.of = []

    def on_epoch_end(self, epoch, logs=None):
        self.of.append(self.model.get_weights()[0])


def _interrupt(epoch, logs=None):
    if epoch == 3:
        raise KeyboardInterrupt


def _stop(epoch, logs=None):
    if epoch == 3:
        raise RuntimeError("no disk")


@pytest.mark.parametrize("way", ["patience", "end", "interrupt", "error"])
def test_the_best_weights_come_back_on_every_way_out(way):
    stop = callbacks.EarlyStopping(
        "score", mode="min", patience=2 if way == "patience" else 9, restore_best_weights=True
    )
    weights, used = _Weights(), []
    if way == "interrupt":
        used = [callbacks.LambdaCallback(on_epoch_begin=_interrupt)]
    if way == "error":
        used = [callbacks.LambdaCallback(on_epoch_begin=_stop)]
    model = linear()
    try:
        fit(model, Scores([3.0, 1.0, 2.0, 2.0, 2.0]), weights, stop, *used, epochs=5)
    except (KeyboardInterrupt, RuntimeError):
        assert used
    np.testing.assert_array_equal(model.get_weights()[0], weights.of[1])


def test_early_stopping_can_be_used_again():
    stop = callbacks.EarlyStopping("score", patience=1, mode="min")
    for _ in range(2):
        history = fit(linear(), Scores([1.0, 2.0, 3.0, 4.0]), stop, epochs=4)
        assert len(history.epoch) == 2


def test_a_missing_result_is_named():
    with pytest.warns(UserWarning, match=r"no result is named 'val_loss'; there are \['loss'\]"):
        fit(linear(), callbacks.EarlyStopping(), epochs=1)


def test_checkpoint_names_hold_epoch_batch_and_results(tmp_path):
    each = callbacks.ModelCheckpoint(tmp_path / "e{epoch:02d}-{loss:.0f}.keras")
    some = callbacks.ModelCheckpoint(
        tmp_path / "b{epoch}-{batch}-{loss:.0f}.weights.h5", save_weights_only=True, save_freq=3
    )
    fit(linear(0.0), each, some, epochs=2)
    found = sorted(p.name.rsplit("-", 1)[0] for p in tmp_path.iterdir())
    assert found == ["b2-1", "e01", "e02"]


def test_checkpoint_of_the_best_only(tmp_path):
    best = callbacks.ModelCheckpoint(
        tmp_path / "w{epoch}.weights.h5",
        "score",
        mode="min",
        save_best_only=True,
        save_weights_only=True,
    )
    model = linear()
    fit(model, Scores([2.0, 3.0, 1.0]), best)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["w1.weights.h5", "w3.weights.h5"]
    assert best.best == 1.0


def test_checkpoint_mistakes_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.keras"):
        callbacks.ModelCheckpoint("model")
    with pytest.raises(ValueError, match=r"must end in \.weights\.h5"):
        callbacks.ModelCheckpoint("model.keras", save_weights_only=True)
    with pytest.raises(KeyError, match="needs a result named 'nope'"):
        fit(linear(), callbacks.ModelCheckpoint(tmp_path / "{nope}.keras"))


def test_reduce_on_plateau_with_cooldown_and_floor():
    scores = [1.0] * 8
    lower = callbacks.ReduceLROnPlateau(
        "score", mode="min", factor=0.5, patience=1, cooldown=1, min_lr=0.15
    )
    rates = fit(linear(0.8), Scores(scores), lower, epochs=8).history["learning_rate"]
    # The logs show the rate that the epoch used.
    assert rates == pytest.approx([0.8, 0.8, 0.4, 0.2, 0.15, 0.15, 0.15, 0.15])


def test_scheduler_sets_the_rate_and_logs_it():
    schedule = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    assert fit(linear(0.8), schedule).history["learning_rate"] == pytest.approx([0.4, 0.2, 0.1])
    with pytest.raises(ValueError, match="`schedule` must return a number; got None"):
        fit(linear(), callbacks.LearningRateScheduler(lambda epoch: None))


def test_csv_has_columns_for_later_validation(tmp_path):
    path = tmp_path / "log.csv"
    fit(linear(), callbacks.CSVLogger(path), epochs=2, validation_data=(X, Y), validation_freq=2)
    history = fit(linear(), callbacks.CSVLogger(path, append=True), epochs=1).history
    rows = list(csv.reader(path.read_text().splitlines()))
    assert rows[0] == ["epoch", "loss", "val_loss"]
    assert rows[1][2] == "NA"
    assert float(rows[2][2]) > 0
    assert float(rows[3][1]) == history["loss"][0]
    assert len(rows) == 4


def test_terminate_on_nan_stops_within_the_epoch(capsys):
    model = linear()
    model.set_weights([np.full((4, 1), np.nan, "float32"), np.zeros(1, "float32")])
    assert len(fit(model, callbacks.TerminateOnNaN()).epoch) == 1
    assert "Batch 0: Invalid loss" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="the loss is nan"):
        fit(model, callbacks.TerminateOnNaN(raise_error=True))


def test_lambda_callback_names_unknown_hooks():
    with pytest.raises(TypeError, match=r"no hooks named \['on_lunch'\]"):
        callbacks.LambdaCallback(on_lunch=print)


@pytest.mark.parametrize("verbose", [1, 2, "auto"])
def test_off_a_terminal_there_are_plain_lines_that_equal_the_history(capsys, verbose):
    history = fit(linear(metrics=["mae"]), verbose=verbose, epochs=2, validation_data=(X, Y))
    lines = capsys.readouterr().out.splitlines()
    assert [lines[0], lines[2], len(lines)] == ["Epoch 1/2", "Epoch 2/2", 4]
    wanted = " - ".join(f"{k}: {v[-1]:.4f}" for k, v in history.history.items())
    assert lines[3].startswith("2/2 - ")
    assert lines[3].endswith(f"/step - {wanted}")


def test_silent_means_silent(capsys):
    fit(linear(), epochs=1)
    assert capsys.readouterr().out == ""


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_on_a_terminal_a_bar_moves_and_ends_in_the_results(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("TERM", "xterm")
    history = fit(linear(), verbose=1, epochs=2)
    text = screen.getvalue()
    assert "Epoch 2/2" in text
    assert "compiling" in text
    assert "2/2 ━━━━" in text
    assert f"loss: {history.history['loss'][-1]:.4f}\n" in text


def test_an_error_stops_the_bar(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("TERM", "xterm")
    bar = callbacks.ProgbarLogger()

    def fail(batch, logs=None):
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        fit(linear(), bar, callbacks.LambdaCallback(on_train_batch_end=fail), verbose=1)
    assert bar._bar is None


def test_hooks_get_a_dict_of_logs_where_there_is_nothing_to_tell():
    seen = {}

    class Noting(tf.keras.callbacks.Callback):
        def __getattribute__(self, name):
            if not name.startswith("on_"):
                return super().__getattribute__(name)

            def hook(*args):
                seen[name] = dict(args[-1])

            return hook

        on_train_batch_begin = on_test_batch_begin = on_predict_batch_begin = None

    model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
    model.fit(x, y, validation_data=(x, y), verbose=0, callbacks=[Noting()])
    model.predict(x, verbose=0, callbacks=[Noting()])
    for hook in ("train_begin", "epoch_begin", "train_batch_begin", "test_begin", "predict_begin"):
        assert seen[f"on_{hook}"] == {}
    assert set(seen["on_epoch_end"]) == {"loss", "val_loss"}
