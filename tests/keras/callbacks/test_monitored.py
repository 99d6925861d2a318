"""What callbacks that watch a result do when it is missing, and what subclasses ask of them."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras import callbacks


def _fitted(callback):
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0, callbacks=[callback])


def test_the_best_is_saved_when_the_result_is_missing(tmp_path):
    path = tmp_path / "m.keras"
    with pytest.warns(UserWarning, match="no result is named 'val_loss'"):
        _fitted(callbacks.ModelCheckpoint(path, monitor="val_loss", save_best_only=True))
    assert path.exists()


def test_the_best_is_saved_when_the_result_is_no_number(tmp_path):
    save = callbacks.ModelCheckpoint(
        tmp_path / "m.keras", monitor="rows", mode="min", save_best_only=True
    )
    model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
    save.set_model(model)
    with pytest.warns(UserWarning, match="must name a number"):
        save.on_epoch_end(0, {"rows": np.ones(3)})
    assert (tmp_path / "m.keras").exists()


def test_an_unknown_mode_counts_as_auto():
    with pytest.warns(UserWarning, match="counts as"):
        stop = callbacks.EarlyStopping("val_accuracy", mode="upwards")
    assert stop.mode == "auto"
    assert stop.monitor_op is tf.keras.ops.greater


def test_monitor_op_compares_two_results():
    assert callbacks.EarlyStopping("val_loss").monitor_op(1.0, 2.0)
    assert not callbacks.ReduceLROnPlateau("loss", mode="max").monitor_op(1.0, 2.0)


def test_get_monitor_value_is_asked_for_each_epoch():
    class Halved(callbacks.EarlyStopping):
        def get_monitor_value(self, logs):
            return super().get_monitor_value(logs) / 2

    stop = Halved("loss")
    stop.set_model(tf.keras.Sequential([tf.keras.layers.Dense(1)]))
    stop.on_epoch_end(0, {"loss": 3.0})
    assert stop.best == 1.5


def _with_two_optimizers():
    slow = tf.keras.optimizers.SGD(0.25, name="slow")
    fast = tf.keras.optimizers.SGD(1.0, name="fast")
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, name="a")])
    both = tf.keras.optimizers.MultiOptimizer(lambda v: slow if "bias" in v.path else fast)
    model.compile(both, "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    return model, slow, fast


def test_the_rates_of_several_optimizers_are_scheduled():
    model, slow, fast = _with_two_optimizers()
    halve = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    history = model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0, callbacks=[halve]).history
    assert (float(slow.learning_rate), float(fast.learning_rate)) == (0.125, 0.5)
    assert history["learning_rate_slow"] == [0.125]


def test_the_rates_of_several_optimizers_are_lowered():
    model, slow, fast = _with_two_optimizers()
    lower = callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1)
    lower.set_model(model)
    lower.on_train_begin()
    for epoch in range(2):
        lower.on_epoch_end(epoch, {"loss": 1.0})
    assert (float(slow.learning_rate), float(fast.learning_rate)) == (0.125, 0.5)


class Quality(tf.keras.metrics.Mean):
    """A metric whose name says nothing about its direction."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        return super().update_state(y_pred)


class Rising(Quality):
    """The same, for which larger is better."""

    _direction = "up"


def _watched(monitor, metric, kind=callbacks.EarlyStopping):
    callback = kind(monitor=monitor)
    model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[metric])
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0, callbacks=[callback])
    return bool(callback.monitor_op(2.0, 1.0))


@pytest.mark.parametrize(
    ("monitor", "metric", "is_larger_better"),
    [
        ("level", Rising("level"), True),
        ("level", tf.keras.metrics.AUC(name="level"), True),
        ("level", tf.keras.metrics.MeanSquaredError(name="level"), False),
        ("root_error", Quality("root_error"), False),
        ("binary_accuracy", tf.keras.metrics.BinaryAccuracy(), True),
    ],
)
def test_the_metric_says_which_direction_is_better(monitor, metric, is_larger_better):
    assert _watched(monitor, metric) is is_larger_better


@pytest.mark.parametrize("kind", [callbacks.EarlyStopping, callbacks.ReduceLROnPlateau])
@pytest.mark.parametrize("monitor", ["level", "val_nowhere"])
def test_an_unknown_direction_is_refused(kind, monitor):
    with pytest.raises(ValueError, match=r"whether larger is better must be known of monitor='"):
        _watched(monitor, Quality("level"), kind)
