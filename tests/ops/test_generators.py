"""Generators of random numbers."""

import numpy as np
import pytest

import lamina as tf

Generator = tf.random.Generator


def test_states_start_as_in_tensorflow():
    assert Generator.from_seed(1).state.numpy().tolist() == [1, 0, 0]
    assert tf.random.create_rng_state(1, "philox").numpy().tolist() == [1, 0, 0]
    assert tf.random.create_rng_state(1, "threefry").numpy().tolist() == [1, 0]
    assert tf.random.create_rng_state([1, 2], 1).numpy().tolist() == [0, 1, 2]
    assert Generator.from_key_counter(5, [1, 2], "philox").state.numpy().tolist() == [1, 2, 5]


def test_a_state_goes_on_where_it_was_taken():
    g = Generator.from_seed(7)
    g.normal([3])
    state = g.state
    first = g.normal([3]).numpy()
    np.testing.assert_array_equal(Generator.from_state(state, "philox").normal([3]), first)
    np.testing.assert_array_equal(Generator(state=state).normal([3]), first)


def test_a_created_state_is_that_of_the_seed():
    state = tf.random.create_rng_state(3, tf.random.Algorithm.PHILOX)
    made = Generator.from_state(state, "philox")
    np.testing.assert_array_equal(made.uniform([2]), Generator.from_seed(3).uniform([2]))


def test_seeds_beyond_32_bits_differ():
    small, large = Generator.from_seed(1), Generator.from_seed(1 + (1 << 40))
    assert not np.array_equal(small.normal([4]), large.normal([4]))


def test_algorithms():
    assert [a.name for a in tf.random.Algorithm] == ["PHILOX", "THREEFRY", "AUTO_SELECT"]
    assert Generator.from_seed(1, alg="threefry").algorithm == 2
    assert Generator.from_seed(1).split(2)[1].algorithm == 1
    with pytest.raises(ValueError, match="Argument `alg` got unsupported value bad"):
        tf.random.create_rng_state(1, "bad")


def test_binomial_counts_successes():
    drawn = Generator.from_seed(1).binomial([1000], counts=10.0, probs=0.5)
    assert drawn.dtype is tf.int32
    assert abs(float(tf.reduce_mean(tf.cast(drawn, tf.float32))) - 5.0) < 0.3
    sure = Generator.from_seed(1).binomial([2], [3.0, 4.0], [1.0, 0.0])
    assert sure.numpy().tolist() == [3, 0]


def test_seeds_are_int64_columns():
    seeds = Generator.from_seed(1).make_seeds(3)
    assert (seeds.dtype, seeds.shape) == (tf.int64, (2, 3))


def test_experimental_names():
    assert tf.random.experimental.Generator is Generator
    assert tf.random.experimental.stateless_split([1, 2], 3).shape == (3, 2)
