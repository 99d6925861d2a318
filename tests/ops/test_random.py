"""Random numbers: distributions, dtypes, seeds, streams, generators."""

import numpy as np
import pytest
import scipy.stats

import lamina as tf
from tests.tolerances import assert_close

N = 4000
DRAWS = {
    "normal": (lambda r, n: r.normal([n], 1.0, 2.0), scipy.stats.norm(1, 2)),
    "uniform": (lambda r, n: r.uniform([n], -1.0, 3.0), scipy.stats.uniform(-1, 4)),
    "truncated_normal": (
        lambda r, n: r.truncated_normal([n], 1.0, 2.0),
        scipy.stats.truncnorm(-2, 2, 1, 2),
    ),
}
SOURCES = {
    "global": lambda: tf.random,
    "Generator": lambda: tf.random.Generator.from_seed(3),
}
MORE = {
    "gamma": (lambda n: tf.random.gamma([n], 2.0, 3.0), scipy.stats.gamma(2, scale=1 / 3)),
    "stateless_normal": (lambda n: tf.random.stateless_normal([n], (1, 2)), scipy.stats.norm()),
    "stateless_uniform": (
        lambda n: tf.random.stateless_uniform([n], (1, 2)),
        scipy.stats.uniform(),
    ),
    "stateless_gamma": (
        lambda n: tf.random.stateless_gamma([n], (1, 2), 2.0),
        scipy.stats.gamma(2),
    ),
    "stateless_truncated_normal": (
        lambda n: tf.random.stateless_truncated_normal([n], (1, 2)),
        scipy.stats.truncnorm(-2, 2),
    ),
    "parameterized": (
        lambda n: tf.random.stateless_parameterized_truncated_normal(
            [n], (1, 2), 1.0, 2.0, 0.0, 2.0
        ),
        scipy.stats.truncnorm(-0.5, 0.5, 1, 2),
    ),
}


def follows(sample, distribution):
    return scipy.stats.kstest(sample.numpy().astype(np.float64), distribution.cdf).pvalue > 1e-4


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", DRAWS)
def test_draws_follow_their_distribution(name, source):
    draw, distribution = DRAWS[name]
    assert follows(draw(SOURCES[source](), N), distribution)


@pytest.mark.parametrize("name", MORE)
def test_other_draws_follow_their_distribution(name):
    draw, distribution = MORE[name]
    assert follows(draw(N), distribution)


def test_counts_follow_their_probabilities():
    logits = tf.math.log([[0.1, 0.2, 0.7], [0.5, 0.5, 0.0]])
    for count in (3, N):  # two algorithms: by noise, and by the distribution function
        repeated = tf.repeat(logits, N // count, axis=0)
        drawn = tf.reshape(tf.random.categorical(repeated, count), [2, -1]).numpy()
        shares = [np.bincount(row, minlength=3) / row.size for row in drawn]
        np.testing.assert_allclose(shares, [[0.1, 0.2, 0.7], [0.5, 0.5, 0.0]], atol=0.04)
    counts = tf.random.poisson([N], [0.5, 4.0]).numpy()
    np.testing.assert_allclose(counts.mean(0), [0.5, 4.0], atol=0.15)
    dice = tf.random.uniform([N], 1, 7, tf.int32).numpy()
    np.testing.assert_allclose(np.bincount(dice)[1:] / N, np.full(6, 1 / 6), atol=0.03)


def test_shuffle_permutes_rows():
    rows = tf.random.shuffle(tf.reshape(tf.range(100), [50, 2])).numpy()
    assert sorted(rows.tolist()) == np.arange(100).reshape(50, 2).tolist()
    assert rows[:, 0].tolist() != sorted(rows[:, 0].tolist())


SHAPES = {
    "normal": (lambda: tf.random.normal([2, 3]), (2, 3), "float32"),
    "normal of Tensors": (lambda: tf.random.normal(tf.constant([2, 1])), (2, 1), "float32"),
    "normal float64": (lambda: tf.random.normal([2], dtype=tf.float64), (2,), "float64"),
    "normal bfloat16": (lambda: tf.random.normal([2], dtype=tf.bfloat16), (2,), "bfloat16"),
    "uniform int64": (lambda: tf.random.uniform([2], maxval=5, dtype=tf.int64), (2,), "int64"),
    "truncated float16": (
        lambda: tf.random.truncated_normal([2], dtype="float16"),
        (2,),
        "float16",
    ),
    "categorical": (lambda: tf.random.categorical(tf.zeros((2, 3)), 4), (2, 4), "int64"),
    "categorical int32": (lambda: tf.random.categorical([[0.0]], 4, tf.int32), (1, 4), "int32"),
    "gamma": (lambda: tf.random.gamma([2], [1.0, 2.0], [[1.0]]), (2, 1, 2), "float32"),
    "poisson": (lambda: tf.random.poisson([2], [1.0, 2.0]), (2, 2), "float32"),
    "stateless_poisson": (lambda: tf.random.stateless_poisson([2], (1, 2), [1.0]), (2,), "int32"),
    "stateless_categorical": (
        lambda: tf.random.stateless_categorical([[0.0, 1.0]], 2, (1, 2)),
        (1, 2),
        "int64",
    ),
    "full int": (
        lambda: tf.random.stateless_uniform([2], (1, 2), None, None, "uint32"),
        (2,),
        "uint32",
    ),
    "uniform_full_int": (lambda: SOURCES["Generator"]().uniform_full_int([2]), (2,), "uint64"),
    "make_seeds": (lambda: SOURCES["Generator"]().make_seeds(3), (2, 3), "int64"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_and_dtypes(name):
    function, shape, dtype = SHAPES[name]
    result = function()
    assert tuple(result.shape) == shape
    assert result.dtype == dtype


def test_set_seed_starts_streams_again():
    def draws():
        return [tf.random.normal([2], seed=s).numpy() for s in (None, None, 5, 5, 6)]

    tf.random.set_seed(1)
    first = draws()
    tf.random.set_seed(1)
    again = draws()
    tf.random.set_seed(2)
    other = draws()
    np.testing.assert_array_equal(first, again)
    assert len({a.tobytes() for a in [*first, *other]}) == 10


def test_an_op_level_seed_does_not_depend_on_other_draws():
    tf.random.set_seed(1)
    first = tf.random.normal([2], seed=5).numpy()
    tf.random.set_seed(1)
    tf.random.normal([2])
    tf.random.uniform([2], seed=6)
    np.testing.assert_array_equal(tf.random.normal([2], seed=5).numpy(), first)


def test_functions_draw_anew_at_each_call_and_agree_with_eager_code():
    @tf.function
    def draw():
        return tf.random.normal([2]), tf.random.uniform([2], seed=3)

    tf.random.set_seed(4)
    traced = [draw() for _ in range(2)]
    tf.random.set_seed(4)
    eager = [(tf.random.normal([2]), tf.random.uniform([2], seed=3)) for _ in range(2)]
    for a, b in zip(traced, eager, strict=True):
        assert_close(a[0], b[0])
        assert_close(a[1], b[1])
    assert traced[0][0].numpy().tolist() != traced[1][0].numpy().tolist()


def test_stateless_draws_depend_on_the_whole_seed():
    seeds = [(1, 2), (1, 3), (2, 2), (1 + 2**40, 2), (-1, 2)]
    draws = [
        tf.random.stateless_normal([3], np.array(s, np.int64)).numpy().tobytes() for s in seeds
    ]
    assert len(set(draws)) == len(seeds)
    again = tf.random.stateless_normal([3], tf.constant((1, 2))).numpy().tobytes()
    assert again == draws[0]


def test_generators_split_save_and_go_on():
    g = tf.random.Generator.from_seed(1)
    first = g.normal([2]).numpy()
    state = g.state
    second = g.normal([2]).numpy()
    h = tf.random.Generator.from_state(state, alg="philox")
    np.testing.assert_array_equal(h.normal([2]).numpy(), second)
    g.reset_from_seed(1)
    np.testing.assert_array_equal(g.normal([2]).numpy(), first)
    h.reset(state)
    h.skip(1)
    assert h.normal([2]).numpy().tolist() != second.tolist()
    children = tf.random.Generator.from_seed(1).split(2)
    assert len({c.normal([2]).numpy().tobytes() for c in children}) == 2
    mine = tf.random.Generator.from_seed(9)
    tf.random.set_global_generator(mine)
    assert tf.random.get_global_generator() is mine
    tf.random.set_global_generator(None)
    made = tf.random.get_global_generator()
    assert isinstance(made, tf.random.Generator)
    assert made is not mine


def test_gradients_flow_to_the_parameters():
    mean, scale = tf.Variable(1.0), tf.Variable(2.0)
    with tf.GradientTape() as tape:
        x = tf.random.normal([100], mean, scale)
    d_mean, d_scale = tape.gradient(x, [mean, scale])
    assert_close(d_mean, 100.0)
    assert_close(d_scale, np.sum((x.numpy() - 1) / 2), np.float32)


ERRORS = {
    "maxval": (
        lambda: tf.random.uniform([2], dtype=tf.int32),
        ValueError,
        "`maxval` must be given",
    ),
    "dtype": (lambda: tf.random.normal([2], dtype=tf.int32), ValueError, "`dtype` must be one of"),
    "logits": (
        lambda: tf.random.categorical([0.0], 1),
        tf.errors.InvalidArgumentError,
        r"shape \(batch, classes\)",
    ),
    "seed": (lambda: tf.random.stateless_normal([2], [1]), ValueError, "two integers"),
    "mean": (
        lambda: tf.random.normal([2], [1.0, 2.0, 3.0]),
        tf.errors.InvalidArgumentError,
        "must broadcast to `shape`",
    ),
    "wide mean": (
        lambda: tf.random.normal([1], [1.0, 2.0]),
        tf.errors.InvalidArgumentError,
        "must broadcast to `shape`",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors_say_what_was_expected(case):
    function, kind, text = ERRORS[case]
    with pytest.raises(kind, match=text):
        function()
