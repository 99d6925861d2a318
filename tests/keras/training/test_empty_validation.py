"""Validation data without a batch is left out, as in Keras, with a warning."""

import numpy as np
import pytest

import lamina as tf


def test_fit_goes_on():
    x, y = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")
    data = tf.data.Dataset.from_tensor_slices((x, y))
    model = tf.keras.Sequential([tf.keras.Input((3,)), tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="the validation data holds no batch"):
        history = model.fit(
            data.batch(4), validation_data=data.batch(16, drop_remainder=True), verbose=0
        )
    assert list(history.history) == ["loss"]


@pytest.mark.parametrize(("options", "empty"), [({}, []), ({"return_dict": True}, {})])
@pytest.mark.parametrize("trained", [False, True])
def test_evaluate_gives_no_results(options, empty, trained):
    x, y = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(16, drop_remainder=True)
    model = tf.keras.Sequential([tf.keras.Input((3,)), tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    if trained:
        model.fit(x, y, verbose=0)
    with pytest.warns(UserWarning, match=r"evaluate: the data must hold at least one batch"):
        assert model.evaluate(data, verbose=0, **options) == empty
