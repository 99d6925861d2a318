"""Start values: shapes, dtypes, moments, seeds, and wrong arguments."""

import random

import numpy as np
import pytest

import lamina as tf
from lamina import ops
from lamina.keras import initializers as init
from lamina.keras.initializers import tensorflow
from lamina.keras.random import SeedGenerator
from tests.tolerances import assert_close

FIXED = [
    (init.Zeros(), (2, 2), [[0, 0], [0, 0]]),
    (init.Ones(), [2], [1, 1]),
    (init.Constant(2.5), (), 2.5),
    (init.Constant([1.0, 2.0]), (2, 2), [[1, 2], [1, 2]]),
    (init.Identity(2.0), (2, 3), [[2, 0, 0], [0, 2, 0]]),
    (init.get(np.array([3.0, 4.0])), (2,), [3, 4]),
    (tensorflow.constant_initializer(3.0), (2,), [3, 3]),
    (init.STFT(window=None), (2, 1, 3), [[[1, 1, 1]], [[1, 0, -1]]]),
    (
        init.STFT("imag", window=[1.0, 2.0], scaling="spectrum"),
        (2, 1, 3),
        [[[0, 0, 0]], [[0, -2 / 3, 0]]],
    ),
]


@pytest.mark.parametrize(("initializer", "shape", "want"), FIXED, ids=repr)
def test_fixed_values(initializer, shape, want):
    got = initializer(shape)
    assert got.dtype == "float32"
    assert_close(got, want)
    assert initializer(shape, dtype="float16").dtype == "float16"


# Fan-in 40 · 9, fan-out 60 · 9 of a 3×3 convolution.
SHAPE, IN, OUT = (3, 3, 40, 60), 360, 540
DRAWN = [
    (init.RandomNormal(1.0, 0.5, seed=1), 1.0, 0.5, np.inf),
    (init.TruncatedNormal(1.0, 0.5, seed=1), 1.0, 0.5 * 0.8796, 1.0),
    (init.RandomUniform(-1.0, 3.0, seed=1), 1.0, 4 / np.sqrt(12), 2.0),
    (init.GlorotUniform(1), 0, np.sqrt(2 / (IN + OUT)), np.sqrt(6 / (IN + OUT))),
    (init.GlorotNormal(1), 0, np.sqrt(2 / (IN + OUT)), np.inf),
    (init.HeUniform(1), 0, np.sqrt(2 / IN), np.sqrt(6 / IN)),
    (init.HeNormal(1), 0, np.sqrt(2 / IN), np.inf),
    (init.LecunUniform(1), 0, np.sqrt(1 / IN), np.sqrt(3 / IN)),
    (init.LecunNormal(1), 0, np.sqrt(1 / IN), np.inf),
    (init.VarianceScaling(3.0, "fan_out", "untruncated_normal", 1), 0, np.sqrt(3 / OUT), np.inf),
    (init.GlorotUniform(1, input_axes=(0,), output_axes=(-1,)), 0, np.sqrt(2 / 63), np.inf),
    (init.Orthogonal(2.0, seed=1), 0, 2.0 / np.sqrt(360), np.inf),
]


@pytest.mark.parametrize(("initializer", "mean", "stddev", "reach"), DRAWN, ids=repr)
def test_moments(initializer, mean, stddev, reach):
    drawn = initializer(SHAPE).numpy()
    assert drawn.shape == SHAPE
    assert abs(drawn.mean() - mean) < 5 * stddev / np.sqrt(drawn.size)
    assert abs(drawn.std() / stddev - 1) < 0.02
    assert np.abs(drawn - mean).max() <= reach * (1 + 1e-6)


@pytest.mark.parametrize("cls", [type(case[0]) for case in DRAWN], ids=lambda c: c.__name__)
def test_one_object_draws_the_same_and_two_objects_differ(cls):
    one = cls()
    first = one((4, 5)).numpy()
    np.testing.assert_array_equal(first, one((4, 5)).numpy())
    assert not np.array_equal(first, cls()((4, 5)).numpy())
    np.testing.assert_array_equal(cls(seed=3)((4, 5)).numpy(), cls(seed=3)((4, 5)).numpy())
    assert one.get_config()["seed"] is None
    assert one.clone().get_config() == one.get_config()


def test_seed_is_drawn_from_python_random():
    random.seed(5)
    one = init.HeNormal()
    random.seed(5)
    assert init.HeNormal().seed == one.seed


def test_seed_generator_moves_on_and_is_stored():
    one = init.RandomNormal(seed=SeedGenerator(3))
    assert not np.array_equal(one((3,)).numpy(), one((3,)).numpy())
    again = init.RandomNormal.from_config(one.get_config())
    assert isinstance(again.seed, SeedGenerator)
    assert again.get_config()["seed"] == one.get_config()["seed"]


def test_large_weights_are_made_by_recorded_operations(monkeypatch):
    monkeypatch.setattr(init.host, "_LIMIT", 0)
    for initializer, want in [(init.Zeros(), 0), (init.Ones(), 1), (init.Constant([1, 2]), [1, 2])]:
        assert_close(initializer((2, 2)), np.broadcast_to(np.float32(want), (2, 2)))
    for one in (init.HeNormal(1), init.HeUniform(1)):
        drawn = one((50, 60)).numpy()
        assert abs(drawn.std() / np.sqrt(2 / 50) - 1) < 0.05
        np.testing.assert_array_equal(drawn, one((50, 60)).numpy())
    q = init.Orthogonal(seed=1)((3, 6), dtype="float16")
    assert_close(q @ ops.transpose(q), np.eye(3))


@pytest.mark.parametrize(("rows", "columns"), [(4, 4), (6, 3), (3, 6)])
def test_orthogonal_rows_or_columns(rows, columns):
    q = init.Orthogonal(seed=1)((rows, columns)).numpy()
    gram = q.T @ q if rows >= columns else q @ q.T
    assert_close(gram, np.eye(min(rows, columns)))
    assert init.Orthogonal()((4, 4), dtype="float16").dtype == "float16"


def test_integers():
    drawn = init.RandomUniform(0, 10, seed=1)((1000,), dtype="int32").numpy()
    assert set(drawn) == set(range(10))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: init.VarianceScaling(scale=-1.0), "VarianceScaling: `scale` must be positive"),
        (lambda: init.VarianceScaling(mode="x"), "`mode` must be one of 'fan_in'"),
        (lambda: init.VarianceScaling(distribution="x"), "`distribution` must be one of"),
        (lambda: init.RandomNormal(seed="x"), "RandomNormal: `seed` must be an int.*got 'x'"),
        (lambda: init.HeNormal()((3,), dtype="int32"), "`dtype` must be floating point; got int32"),
        (lambda: init.Orthogonal()((3,)), r"at least two axes; got \(3,\)"),
        (lambda: init.Identity()((3, 3, 3)), r"rank 2; got \(3, 3, 3\)"),
        (lambda: init.STFT(side="x"), "`side` must be 'real' or 'imag'"),
        (lambda: init.STFT(scaling="x"), "`scaling` must be None"),
    ],
)
def test_wrong_arguments(call, text):
    with pytest.raises(ValueError, match=text):
        call()


def test_base_class_asks_for_call():
    with pytest.raises(NotImplementedError, match="defines `__call__"):
        init.Initializer()((2,))


@pytest.mark.parametrize("seed", [None, 3])
def test_tensorflow_initializers_follow_the_global_seed(seed):
    def drawn():
        tf.random.set_seed(7)
        make = tensorflow.random_normal_initializer(seed=seed)
        return np.stack([make((2, 3)).numpy(), make((2, 3)).numpy()])

    first = drawn()
    assert np.array_equal(first, drawn())
    assert not np.array_equal(first[0], first[1])
    make = tensorflow.random_uniform_initializer(2, 9, seed=seed)
    assert set(make((500,), "int32").numpy().tolist()) == set(range(2, 9))


def test_tensorflow_initializers_compile_nothing_for_start_values():
    make, before = tensorflow.random_normal_initializer(), tf.stats.flushes
    pending = tf.ones((3,)) * 2.0
    weights = [make((n, 3)) for n in range(2, 12)]
    assert tf.stats.flushes == before
    assert pending._value is None
    assert all(w._value is not None for w in weights)


def test_tensorflow_initializers_draw_anew_in_a_program():
    make = tensorflow.random_normal_initializer()

    @tf.function
    def drawn():
        return make((4,))

    assert not np.array_equal(drawn().numpy(), drawn().numpy())


def test_tensorflow_initializers_draw_anew():
    for cls in (tensorflow.random_normal_initializer, tensorflow.random_uniform_initializer):
        one = cls()
        assert not np.array_equal(one((4,)).numpy(), one((4,), dtype="float32").numpy())
        assert ops.is_tensor(cls.from_config(one.get_config())((2,)))


def test_a_constant_of_tensorflow_is_tf_constant():
    four = tensorflow.constant_initializer([1, 2, 3, 4])((2, 2))
    assert (four.dtype, four.numpy().tolist()) == (tf.int32, [[1, 2], [3, 4]])
    assert tensorflow.constant_initializer(np.ones((2, 3)))((6,)).dtype is tf.float64
    assert tensorflow.constant_initializer(3)((2,), tf.float16).dtype is tf.float16
    assert tensorflow.constant_initializer("a")((2,)).numpy().tolist() == [b"a", b"a"]
    with pytest.raises(TypeError, match="one element or as many"):
        tensorflow.constant_initializer([1.0, 2.0])((2, 2))
    with pytest.raises(TypeError, match="got function"):
        tensorflow.constant_initializer(lambda: 1)
    assert tensorflow.constant_initializer(2, True).get_config() == {"value": 2}


def test_parts_of_partitioned_variables():
    part = {"partition_shape": (2, 3), "partition_offset": (0, 0)}
    for kind in ("zeros", "ones", "random_normal", "random_uniform"):
        assert getattr(tensorflow, f"{kind}_initializer")()((4, 3), **part).shape == (2, 3)
    with pytest.raises(ValueError, match="support_partition=True"):
        tensorflow.constant_initializer(2)((4, 3), **part)
    assert tensorflow.constant_initializer(2, True)((4, 3), **part).shape == (2, 3)
    with pytest.raises(ValueError, match="must be numeric or bool"):
        tensorflow.ones_initializer()((2,), tf.string)
