"""Validation data without a batch is left out of the logs, as in Keras, with a warning."""

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
