"""Seeds, and the functions that take them."""

import numpy as np
import pytest

import lamina as tf
from lamina import ops
from lamina.keras import random as r

DRAWS = [
    lambda seed: r.normal((50,), seed=seed),
    lambda seed: r.truncated_normal((50,), seed=seed),
    lambda seed: r.uniform((50,), seed=seed),
    lambda seed: r.randint((50,), 0, 1000, seed=seed),
    lambda seed: r.categorical(ops.zeros((2, 100)), 25, seed=seed),
    lambda seed: r.dropout(ops.ones((50,)), 0.5, seed=seed),
    lambda seed: r.shuffle(ops.range(50), seed=seed),
]


@pytest.mark.parametrize("draw", DRAWS)
def test_int_repeats_generator_and_none_move_on(draw):
    same = [draw(3).numpy(), draw(3).numpy(), draw(r.SeedGenerator(3)).numpy()]
    np.testing.assert_array_equal(same[0], same[1])
    np.testing.assert_array_equal(same[0], same[2])
    seeds = r.SeedGenerator(3)
    for source in (seeds, None):
        assert not np.array_equal(draw(source).numpy(), draw(source).numpy())


def test_state_and_config():
    seeds = r.SeedGenerator(7, name="mine")
    assert [seeds.next().numpy().tolist() for _ in range(2)] == [[7, 0], [7, 1]]
    assert seeds.state.numpy().tolist() == [7, 2]
    assert (seeds.state.path, seeds.state.dtype) == ("mine/seed_generator_state", "int64")
    assert not seeds.state.trainable
    assert seeds.get_config() == {"seed": 7, "name": "mine"}
    assert r.SeedGenerator.from_config(seeds.get_config()).state.numpy().tolist() == [7, 0]
    assert r.SeedGenerator().get_config()["seed"] is None


def test_distributions():
    n = 20_000
    for drawn, mean, std in [
        (r.normal((n,), 1.0, 2.0, seed=1), 1.0, 2.0),
        (r.uniform((n,), 1.0, 3.0, seed=1), 2.0, 2 / np.sqrt(12)),
        (r.gamma((n,), 2.0, seed=1), 2.0, np.sqrt(2)),
        (r.beta((n,), 2.0, 3.0, seed=1), 0.4, 0.2),
        (r.binomial((n,), 10.0, 0.3, seed=1), 3.0, np.sqrt(2.1)),
        (r.dropout(ops.ones((n,)), 0.2, seed=1), 1.0, 0.5),
    ]:
        assert drawn.dtype == "float32"
        assert abs(float(ops.reduce_mean(drawn)) - mean) < 5 * std / np.sqrt(n)
        assert abs(drawn.numpy().std() / std - 1) < 0.03


def test_noise_shape_and_axis():
    kept = r.dropout(ops.ones((3, 8)), 0.5, noise_shape=(None, 1), seed=1).numpy()
    assert (kept == kept[:, :1]).all()
    moved = r.shuffle(ops.constant([[1, 2, 3], [4, 5, 6]]), axis=1, seed=1).numpy()
    assert (moved[1] - moved[0] == 3).all()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: r.SeedGenerator("a"), "SeedGenerator: `seed` must be an int or None; got 'a'"),
        (lambda: r.SeedGenerator(1.5), "got 1.5 of type float"),
        (lambda: r.normal((2,), seed="a"), "keras.random: `seed`.*got 'a'"),
        (lambda: r.uniform((2,), dtype="int32"), "keras.random.uniform: `dtype` must be floating"),
        (lambda: r.randint((2,), 0, 3, dtype="float32"), "must be an integer dtype; got float32"),
        (lambda: r.categorical(ops.zeros(3), 2), r"\(batch, classes\); got \(3,\)"),
    ],
)
def test_wrong_arguments(call, text):
    with pytest.raises(ValueError, match=text):
        call()


def test_dropout_of_everything_is_zero():
    x = tf.keras.random.dropout(tf.ones([3]), 1.0, seed=1)
    assert x.numpy().tolist() == [0, 0, 0]
    layer = tf.keras.layers.Dropout(1.0)
    assert layer(tf.ones([2]), training=True).numpy().tolist() == [0, 0]


def test_a_seed_generator_takes_no_other_arguments():
    with pytest.raises(ValueError, match=r"`seed` and `name` are its arguments; got \['sead'\]"):
        tf.keras.random.SeedGenerator(sead=3)
