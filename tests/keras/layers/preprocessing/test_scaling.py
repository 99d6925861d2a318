"""Normalization; numbers of TF are Keras 3.15's."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers as L
from tests.tolerances import assert_close

DATA = np.array([[0.0, 7, 4], [2, 9, 6], [0, 7, 4], [2, 9, 6]], "float32")


def test_adapt_learns_mean_and_variance():
    layer = L.Normalization()
    layer.adapt(DATA)
    assert_close(layer(DATA[:1]), [[-1.0, -1, -1]])
    assert_close(layer.mean, [[1.0, 8, 5]])
    assert_close(layer.variance, [[1.0, 1, 1]])
    assert [w.path for w in layer.weights] == [
        f"{layer.name}/{n}" for n in ("mean", "variance", "count")
    ]
    assert not layer.trainable_weights


def test_invert_undoes_it():
    there, back = L.Normalization(), L.Normalization(invert=True)
    for layer in (there, back):
        layer.adapt(DATA)
    assert_close(back(there(DATA)), DATA)


@pytest.mark.parametrize("axis", [None, -1, 1, (1, 2), (0, 1)])
def test_batches_give_the_statistics_of_all_data(axis):
    x = np.random.default_rng(0).normal(2.0, 3.0, (12, 3, 4)).astype("float32")
    if axis == (0, 1):
        whole, parts = x[:4], [x[:4]]
    else:
        whole, parts = x, [x[:5], x[5:6], x[6:]]
    layer, other = L.Normalization(axis=axis), L.Normalization(axis=axis)
    layer.adapt(whole)
    other.adapt(iter(parts))
    assert_close(layer.mean, other.mean)
    assert_close(layer.variance, other.variance)
    kept = {None: (0, 1, 2), -1: (0, 1), 1: (0, 2), (1, 2): (0,), (0, 1): (2,)}[axis]
    expected = (whole - whole.mean(kept, keepdims=True)) / whole.std(kept, keepdims=True)
    assert_close(layer(whole), expected)


def test_of_pairs_the_first_counts():
    layer = L.Normalization()
    layer.adapt([(DATA[:2], 0), (DATA[2:], 1)])
    assert_close(layer.mean, [[1.0, 8, 5]])


def test_given_statistics_need_no_adapt():
    layer = L.Normalization(axis=(1, 2), mean=[1.0, 2.0], variance=[1.0, 4.0])
    assert_close(layer(np.ones((1, 3, 2), "float32")), [[[0, -0.5]] * 3])
    assert layer.weights == []
    assert_close(L.Normalization(mean=3.0, variance=2.0)([[1.0], [3.0]]), [[-(2**0.5)], [0.0]])


def test_integers_become_floats():
    layer = L.Normalization(axis=None, mean=1.0, variance=4.0)
    assert_close(layer(np.array([[5]])), [[2.0]])
    assert layer(np.array([[5]])).dtype == tf.float32


def test_a_constant_feature_becomes_zero():
    layer = L.Normalization()
    layer.adapt(np.ones((3, 1), "float32"))
    assert_close(layer(np.ones((1, 1), "float32")), [[0.0]])


def test_compiled_functions_see_a_new_adapt():
    layer = L.Normalization()
    layer.adapt(DATA)
    compiled = tf.function(layer)
    assert_close(compiled(tf.constant(DATA[:1])), [[-1.0, -1, -1]])
    layer.adapt(DATA + 1)
    assert_close(compiled(tf.constant(DATA[:1])), [[-2.0, -2, -2]])


def test_gradients_reach_the_input():
    layer = L.Normalization(mean=0.0, variance=4.0, axis=None)
    x = tf.constant([[3.0]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    assert_close(tape.gradient(y, x), [[0.5]])


def test_config_and_build_config():
    layer = L.Normalization(mean=np.array([1.0, 2.0]), variance=[1.0, 1.0])
    config = layer.get_config()
    assert (config["mean"], config["variance"]) == ([1.0, 2.0], [1.0, 1.0])
    assert L.Normalization.from_config(config).get_config() == config
    assert L.Normalization(axis=None).get_config()["axis"] == ()
    layer = L.Normalization()
    assert layer.get_build_config() is None
    assert layer.mean is None
    layer.adapt(DATA)
    other = L.Normalization.from_config(layer.get_config())
    other.build_from_config(layer.get_build_config())
    other.set_weights(layer.get_weights())
    assert_close(other(DATA), layer(DATA))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.Normalization(mean=1.0), "`mean` and `variance` must be given together"),
        (lambda: L.Normalization(mean=[1.0], variance=[1.0, 2.0]), r"must have one shape; got"),
        (lambda: L.Normalization(mean=[[1.0]], variance=[[1.0]]), "at most as many axes as"),
        (lambda: L.Normalization(axis=3)(DATA), r"`axis` must lie in \[-2, 1\]"),
        (lambda: L.Normalization().build((None, None)), "axis 1 of the input must have a known"),
        (lambda: L.Normalization().adapt(iter([])), "needs at least one batch; got an empty"),
        (lambda: L.Normalization().adapt([DATA, DATA[:, :2]]), r"incompatible shape, \(4, 2\)"),
    ],
)
def test_bad_arguments_are_explained(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_data_without_shape_are_refused():
    with pytest.raises(TypeError, match="takes batches with a shape; got one of type float"):
        L.Normalization().adapt([1.0, 2.0])
    with pytest.raises(TypeError, match="takes an array, a dataset or batches; got 3"):
        L.Normalization().adapt(3)


@pytest.mark.parametrize("pairs", [False, True])
def test_normalization_adapts_to_a_py_dataset(pairs):
    class Numbers(tf.keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            x = np.full((2, 1), float(index))
            return (x, x) if pairs else x

    layer = tf.keras.layers.Normalization()
    layer.adapt(Numbers())
    layer.finalize_state()
    assert float(layer.mean[0, 0]) == 1.0
