"""Preprocessing layers and models on ragged and sparse values; values are Keras 3.15's."""

import numpy as np
import pytest

import lamina as tf

L = tf.keras.layers


def test_lookups_keep_the_rows():
    words = tf.ragged.constant([["a"], ["b", "z"]])
    assert L.StringLookup(vocabulary=["a", "b"])(words).to_list() == [[1], [2, 0]]
    assert L.Hashing(5)(words).to_list() == [[4], [2, 2]]
    numbers = tf.ragged.constant([[0.5], [2.0, -1.0]])
    assert L.Discretization([0.0, 1.0])(numbers).to_list() == [[1], [2, 0]]


def test_text_vectorization_gives_ragged_rows():
    layer = L.TextVectorization(vocabulary=["a", "b"], ragged=True)
    assert layer(["a b", "b"]).to_list() == [[2, 3], [3]]


def test_encodings_may_be_sparse():
    found = L.CategoryEncoding(num_tokens=4, output_mode="multi_hot", sparse=True)([[1, 2]])
    assert isinstance(found, tf.SparseTensor)
    assert found.indices.numpy().tolist() == [[0, 1], [0, 2]]
    with pytest.raises(ValueError, match="`sparse` must be False"):
        L.StringLookup(vocabulary=["a"], sparse=True)


def test_models_take_ragged_inputs_and_fit_on_them():
    model = tf.keras.Sequential(
        [
            tf.keras.Input(shape=(None,), dtype="int64", ragged=True),
            L.Embedding(10, 4),
            L.GlobalAveragePooling1D(),
            L.Dense(1),
        ]
    )
    rows = tf.ragged.constant([[1, 2, 3], [4]])
    expected = model(tf.constant([[4]]))[0]
    np.testing.assert_allclose(model(rows)[1], expected, rtol=1e-6)
    model.compile("sgd", "mse")
    assert "loss" in model.fit(rows, np.ones((2, 1)), verbose=0).history
