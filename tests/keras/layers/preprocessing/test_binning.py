"""Discretization; numbers of TF are Keras 3.15's."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers as L
from tests.tolerances import assert_close

EDGES = [[-1.0], [0.0], [1.0], [5.0], [-7.0]]


def test_a_boundary_belongs_to_the_bin_above():
    layer = L.Discretization([-1.0, 0.0, 1.0])
    found = layer(EDGES)
    assert found.dtype == tf.int32
    assert found.numpy().tolist() == [[1], [2], [3], [3], [0]]
    assert layer(np.array([[-1, 3]])).numpy().tolist() == [[1, 3]]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("one_hot", [[[0, 1, 0], [0, 0, 1]]]),
        ("multi_hot", [[0, 1, 1]]),
        ("count", [[0, 1, 1]]),
    ],
)
def test_encodings(mode, expected):
    found = L.Discretization([0.0, 1.0], output_mode=mode)([[0.5, 1.5]])
    assert found.dtype == tf.float32
    assert found.numpy().tolist() == expected


def test_adapt_finds_quantiles():
    layer = L.Discretization(num_bins=4)
    layer.adapt(np.arange(1000, dtype="float32"))
    assert_close(
        layer.bin_boundaries, [248.999755859375, 498.99981689453125, 748.9999389648438], "float32"
    )
    assert layer([[1.0, 400.0, 999.0]]).numpy().tolist() == [[0, 1, 3]]
    layer = L.Discretization(num_bins=5, epsilon=0.1)
    layer.adapt(np.random.RandomState(0).randn(1000).astype("float32"))
    assert_close(layer.bin_boundaries, [-0.86404, -0.31198, 0.19656, 0.78633], "float32")


def test_adapt_takes_batches():
    layer = L.Discretization(num_bins=3)
    batches = [np.array([1.0, 5.0, 2.0]), np.array([[7.0, 3.0]])]
    layer.adapt(batches)
    assert_close(layer.bin_boundaries, [1.6666666269302368, 3.6666665077209473], "float32")
    layer.adapt(iter([*batches, np.full(9, 1e6)]), steps=2)
    assert_close(layer.bin_boundaries, [1.6666666269302368, 3.6666665077209473], "float32")


def test_it_runs_in_compiled_functions():
    layer = L.Discretization([0.0, 1.0], output_mode="one_hot")
    x = tf.constant([[0.5], [3.0]])
    assert np.array_equal(tf.function(layer)(x), layer(x))


def test_the_config_holds_what_was_learned():
    layer = L.Discretization(num_bins=2, name="bins")
    layer.adapt(np.arange(10.0))
    config = layer.get_config()
    assert config == {
        "bin_boundaries": layer.bin_boundaries,
        "num_bins": 2,
        "epsilon": 0.01,
        "output_mode": "int",
        "sparse": False,
        "name": "bins",
        "dtype": "float32",
    }
    assert L.Discretization.from_config(config).get_config() == config
    given = L.Discretization(np.array([0.0, 1.0])).get_config()
    assert L.Discretization.from_config(given).get_config() == given


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.Discretization(), "`bin_boundaries` or `num_bins` must be given"),
        (lambda: L.Discretization([1.0], num_bins=2), "and not both"),
        (lambda: L.Discretization(num_bins=-1), "must be greater than or equal to 0; got -1"),
        (lambda: L.Discretization([1.0], output_mode="x"), "`output_mode` must be one of"),
        (lambda: L.Discretization([1.0], sparse=True), "`sparse` must be False"),
        (lambda: L.Discretization(num_bins=2)([1.0]), r"Fix: layer.adapt\(data\) first"),
        (lambda: L.Discretization([1.0]).adapt([[1.0]]), "this one has `bin_boundaries`"),
    ],
)
def test_bad_arguments_are_explained(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("mode", "shape", "expected"),
    [
        ("int", (None, 4), (None, 4)),
        ("one_hot", (None, 4), (None, 4, 5)),
        ("one_hot", (None, 1), (None, 5)),
        ("multi_hot", (None, 4), (None, 5)),
        ("count", (2, 3, 4), (2, 4, 5)),
        ("count", (), (5,)),
    ],
)
def test_shapes_are_known_before_the_boundaries(mode, shape, expected):
    layer = L.Discretization(num_bins=5, output_mode=mode)
    assert layer.compute_output_shape(shape) == expected
    assert layer.output_dtype == ("int32" if mode == "int" else "float32")
    assert L.Discretization(num_bins=5, output_mode=mode, dtype="float16").output_dtype in (
        "int32",
        "float16",
    )
