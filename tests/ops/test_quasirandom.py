"""Sobol points, and permutations by index."""

import numpy as np
import pytest

import lamina as tf


def test_sobol_points_are_those_of_tensorflow():
    found = tf.math.sobol_sample(2, 4)
    assert found.numpy().tolist() == [[0.5, 0.5], [0.75, 0.25], [0.25, 0.75], [0.375, 0.375]]
    found = tf.math.sobol_sample(3, 2, skip=2, dtype=tf.float64)
    assert found.numpy().tolist() == [[0.25, 0.75, 0.75], [0.375, 0.375, 0.625]]
    with pytest.raises(ValueError, match="at least 1"):
        tf.math.sobol_sample(0, 1)


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_index_shuffle_is_a_permutation(size):
    found = tf.random.experimental.index_shuffle(tf.range(size), [1, 2], size - 1).numpy()
    assert sorted(found) == list(range(size))


def test_index_shuffle_depends_on_the_seed_alone():
    whole = tf.random_index_shuffle(tf.range(50), [1, 2, 3], 49).numpy()
    single = [int(tf.random_index_shuffle(i, [1, 2, 3], 49)) for i in range(3)]
    assert single == whole[:3].tolist()
    other = tf.random_index_shuffle(tf.range(50), [1, 2, 4], 49).numpy()
    assert not np.array_equal(whole, other)
    assert not np.array_equal(whole, np.arange(50))
