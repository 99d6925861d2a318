"""Lookups by sorted keys, bins, counts."""

import numpy as np
import pytest

import lamina as tf
from lamina import ops

KEYS, VALUES = np.array([3, 8]), np.array([1, 2])


def test_lookup_returns_the_value_or_the_default():
    x = tf.constant([[8, 5], [3, 9]], tf.int64)
    found = ops.lookup_sorted(x, KEYS, VALUES, np.int64(-1))
    assert found.numpy().tolist() == [[2, -1], [1, -1]]
    assert ops.lookup_sorted(x, KEYS, VALUES, x * 10).numpy().tolist() == [[2, 50], [1, 90]]


def test_lookup_in_an_empty_table_gives_the_default():
    none = np.zeros(0, np.int64)
    assert ops.lookup_sorted(tf.constant([1], tf.int64), none, none, np.int64(7)).numpy() == [7]


@pytest.mark.parametrize("dtype", [tf.float32, tf.float16, tf.int32])
def test_digitize_is_numpys(dtype):
    x = np.array([-5, -1, 0, 1, 7])
    found = ops.digitize(tf.cast(x, dtype), boundaries=(-1.0, 0.0, 1.0))
    assert found.dtype == tf.int32
    assert np.array_equal(found, np.digitize(x, [-1.0, 0.0, 1.0]))


def test_counts_leave_out_what_is_outside():
    x = tf.constant([[0, 0, 2, 5, -1]], tf.int64)
    assert ops.count_tokens(x, None, depth=3, dtype=tf.int32).numpy().tolist() == [[2, 0, 1]]
    hot = ops.count_tokens(x, None, depth=3, binary=True, dtype=tf.float32)
    assert hot.numpy().tolist() == [[1, 0, 1]]
    assert ops.count_tokens(x[0], None, depth=3, dtype=tf.int64).numpy().tolist() == [2, 0, 1]


def test_weights_of_counts_have_gradients():
    weights = tf.Variable([[0.5, 2.0, 3.0]])
    with tf.GradientTape() as tape:
        found = ops.count_tokens([[0, 1, 1]], weights, depth=3, dtype=tf.float32)
        loss = tf.reduce_sum(found * [[1.0, 10.0, 100.0]])
    assert found.numpy().tolist() == [[0.5, 5.0, 0.0]]
    assert tape.gradient(loss, weights).numpy().tolist() == [[1.0, 10.0, 10.0]]
