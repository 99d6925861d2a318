"""Groups of steps as callbacks see them, predict that is stopped, sparse and ragged data."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers


class _Seen(tf.keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.batches = []

    def on_train_batch_begin(self, batch, logs=None):
        self.batches.append(batch)

    on_train_batch_end = on_test_batch_begin = on_test_batch_end = on_train_batch_begin
    on_predict_batch_begin = on_predict_batch_end = on_train_batch_begin


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_a_group_of_steps_is_one_batch_of_callbacks(method):
    x, y = np.ones((10, 3), "float32"), np.ones((10, 1), "float32")
    model = tf.keras.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse", steps_per_execution=2)
    seen = _Seen()
    given = (x,) if method == "predict" else (x, y)
    getattr(model, method)(*given, batch_size=2, verbose=0, callbacks=[seen])
    assert seen.batches == [0, 1, 2, 3, 4, 5]  # five batches: the last group is not full


def test_predict_stops_when_a_callback_says_so():
    class Stop(tf.keras.callbacks.Callback):
        def on_predict_batch_end(self, batch, logs=None):
            self.model.stop_predicting = batch == 2

    def endless():
        while True:
            yield (np.ones((2, 3), "float32"),)

    model = tf.keras.Sequential([layers.Dense(1)])
    assert model.predict(endless(), verbose=0, callbacks=[Stop()]).shape == (6, 1)
    assert model.predict(np.ones((8, 3)), batch_size=2, verbose=0).shape == (8, 1)


def test_matrices_of_scipy_are_sparse_tensors():
    sparse = pytest.importorskip("scipy.sparse")
    x = sparse.csr_matrix(np.array([[0.0, 2.0], [1.0, 0.0], [0.0, 3.0]]))
    model = tf.keras.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, np.ones((3, 1)), verbose=0)
    np.testing.assert_allclose(
        model.predict(x, verbose=0), model.predict(x.toarray(), verbose=0), rtol=1e-6
    )
    kinds = []

    class Look(tf.keras.Model):
        def call(self, inputs):
            kinds.append(type(inputs))
            return tf.sparse.to_dense(inputs)

    Look().predict(x, verbose=0)
    assert set(kinds) == {tf.SparseTensor}


def test_a_loss_gets_ragged_values():
    def rows(y_true, y_pred):
        return tf.reduce_sum(y_pred - y_true, axis=1)

    x = tf.ragged.constant([[1.0], [2.0, 3.0]])
    model = tf.keras.Sequential([layers.Identity()])
    model.compile(loss=rows, run_eagerly=True)
    assert model.evaluate(x, x * 0.5, verbose=0) == 1.5
