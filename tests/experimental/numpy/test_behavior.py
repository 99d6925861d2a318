"""The switch that gives Tensors NumPy's methods, operators and indexing."""

import numpy as np
import pytest

import lamina as tf
from lamina.experimental.numpy import behavior
from lamina.experimental.numpy.modes import result_of

tnp = tf.experimental.numpy


@pytest.fixture(autouse=True)
def restored():
    yield
    behavior._remove()


def enable(**options):
    tnp.experimental_enable_numpy_behavior(**options)


def test_nothing_is_there_before():
    with pytest.raises(AttributeError):
        _ = tf.constant([1]).T
    with pytest.raises(tf.errors.InvalidArgumentError):
        _ = tf.constant(1) + tf.constant(1.0)


def test_methods():
    enable()
    x = tnp.arange(6).reshape(2, 3)
    assert x.T.shape == (3, 2)
    assert x.reshape((3, 2)).shape == x.reshape(3, 2).shape == (3, 2)
    assert x.ravel().shape == x.flatten().shape == (6,)
    assert x.astype(tnp.float32).dtype is tf.float32
    assert x.clip(1, 3).numpy().tolist() == [[1, 1, 2], [3, 3, 3]]
    assert int(x.max()) == 5
    assert x.min(axis=1).numpy().tolist() == [0, 3]
    assert float(x.mean()) == 2.5
    assert x.size == 6
    assert x.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert x.transpose((1, 0)).shape == (3, 2)


@pytest.mark.parametrize(
    ("make", "dtype"),
    [
        (lambda: tf.constant(1) + tf.constant(1.0), tf.float64),
        (lambda: tf.constant(1.0) + 1, tf.float32),
        (lambda: tf.constant(1) + 2.5, tf.float64),
        (lambda: 2.5 + tf.constant(1), tf.float64),
        (lambda: tf.constant(1, tf.int8) + tf.constant(1, tf.uint32), tf.int64),
        (lambda: tf.constant(True) + 1, tf.int64),
        (lambda: np.ones(2) + tf.constant([1, 2]), tf.float64),
        (lambda: tf.constant(5) / 2, tf.float64),
        (lambda: tf.constant(5) ** 2.0, tf.float64),
        (lambda: tf.Variable(5) + 1.5, tf.float64),
        (lambda: tf.constant(5) < 5.5, tf.bool),
    ],
)
def test_legacy_operators_promote_as_numpy(make, dtype):
    enable()
    assert make().dtype is dtype


def test_legacy_functions_do_not_promote():
    enable()
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.add(tf.constant(1), tf.constant(1.0))


def test_prefer_float32():
    enable(prefer_float32=True)
    assert tnp.asarray(1.0).dtype is tf.float32
    assert tnp.add(1.0, 2.0).dtype is tf.float32
    assert tnp.asarray(1).dtype is tf.int64
    enable()
    assert tnp.asarray(1.0).dtype is tf.float64


def test_all_mode_joins_by_the_lattice():
    enable(dtype_conversion_mode="all")
    int64, half = tf.constant(1, tf.int64), tf.constant(1.0, tf.float16)
    assert (int64 + half).dtype is tf.float16
    assert tf.add(tf.constant(1, tf.int32), tf.constant(1.0, tf.float32)).dtype is tf.float32
    assert (tf.constant(1, tf.int8) + tf.constant(1, tf.uint32)).dtype is tf.int64


def test_all_mode_has_weak_tensors():
    enable(dtype_conversion_mode="all")
    assert repr(tf.constant(5)) == "<tf.Tensor: shape=(), dtype=int32, numpy=5, weak=True>"
    assert "weak" not in repr(tf.constant(5, tf.int32))
    assert (tf.constant(1.2) + tf.constant(3.1, tf.float16)).dtype is tf.float16
    assert repr(-tf.constant(5)).endswith("weak=True>")
    assert repr(tf.math.abs([100.0, 4.0])).endswith("weak=True>")
    assert repr(tnp.array(1)).endswith("weak=True>")


def test_all_mode_casts_what_is_assigned():
    enable(dtype_conversion_mode="all")
    v = tf.Variable(10)
    v.assign_add(tf.constant(5, tf.int16))
    assert int(v) == 15
    with pytest.raises(TypeError, match="not promoted"):
        v.assign(tf.constant(1.0, tf.float64))
    assert tf.constant(tf.constant(10, tf.int16), tf.float32).dtype is tf.float32


def test_safe_mode_refuses_what_may_lose_bits():
    enable(dtype_conversion_mode="safe")
    with pytest.raises(TypeError, match="implicit dtype promotion"):
        _ = tf.constant(10, tf.int32) + tf.constant(5.0, tf.float32)
    with pytest.raises(TypeError, match="implicit dtype promotion"):
        _ = tf.constant(10, tf.int8) + tf.constant(5, tf.uint32)
    assert (tf.constant(1, tf.int8) + tf.constant(1.0, tf.float16)).dtype is tf.float16


def test_off_restores_the_operators():
    enable(dtype_conversion_mode="all")
    enable(dtype_conversion_mode="off")
    with pytest.raises(tf.errors.InvalidArgumentError):
        _ = tf.constant(1) + tf.constant(1.0)
    assert "weak" not in repr(tf.constant(1))


def test_unknown_modes_are_refused():
    with pytest.raises(ValueError, match="promotion mode bad does not exist"):
        enable(dtype_conversion_mode="bad")


# From TensorFlow 2.21: dtypes and weakness of two operands, and what "all" and "safe" give.
@pytest.mark.parametrize(
    ("a", "b", "every", "safe"),
    [
        ("uint64", "int8", ("float64", True), None),
        ("float16", "bfloat16", ("float32", False), None),
        ("float64", "complex64", ("complex128", False), None),
        ("uint8", "int16", ("int16", False), ("int16", False)),
        ("uint8", "bfloat16", ("bfloat16", False), ("bfloat16", False)),
        ("uint16", "float16", ("float16", False), None),
        ("int32", "float64", ("float64", False), ("float64", False)),
        ("int32*", "bool", ("int32", True), ("int32", True)),
        ("int64*", "int8", ("int8", False), ("int8", False)),
        ("float32*", "int8", ("float64", True), None),
        ("float64*", "int32", ("float64", True), ("float64", True)),
        ("float64*", "int64", ("float64", True), None),
        ("float32*", "float16", ("float16", False), ("float16", False)),
        ("complex128*", "float16", ("complex64", False), None),
        ("complex128*", "float64", ("complex128", False), ("complex128", False)),
        ("complex128*", "int64", ("complex128", True), None),
        ("int32*", "float32*", ("float32", True), ("float32", True)),
    ],
)
def test_lattice(a, b, every, safe):
    kinds = [(tf.as_dtype(x.rstrip("*")), x.endswith("*")) for x in (a, b)]
    for mode, wanted in ((False, every), (True, safe)):
        for pair in (kinds, kinds[::-1]):
            found = result_of(*pair, mode)
            assert (found and (found[0].name, found[1])) == wanted


CUBE = np.arange(24).reshape(2, 3, 4)


@pytest.mark.parametrize(
    "key",
    [
        (1, None, slice(1, 3), Ellipsis),
        (slice(None), (True, False, True)),
        (1, (0, 0, 1), np.array([0, 1, 1])),
        ([0, 1],),
        [1, 0],
        (slice(None), [0, 2], slice(1, None)),
        ([0, 1], slice(None), [0, 1]),
        (Ellipsis, [-1, 0]),
        (slice(None), [[0, 1], [2, 0]]),
        np.array([[1], [0]]),
        -1,
    ],
)
def test_indexing_as_numpy(key):
    enable()
    np.testing.assert_array_equal(tf.constant(CUBE)[key], CUBE[key])


def test_too_many_indices_are_refused():
    enable()
    with pytest.raises(IndexError, match="too many indices"):
        _ = tf.constant([1, 2])[[0], [0]]


def test_gradients_flow_through_promotion_and_indexing():
    enable()
    x = tf.constant([1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tnp.sum(x[[0, 2]] * 2.0)
    np.testing.assert_allclose(tape.gradient(y, x), [2.0, 0.0, 2.0])


def test_ranges_that_lead_away_are_empty():
    tnp = tf.experimental.numpy
    assert tnp.arange(0, -3).shape == tnp.arange(3.0, 1.0).shape == [0]
    assert tnp.arange(5, 1, -2).numpy().tolist() == [5, 3]


def test_strings_of_a_length_are_strings():
    tnp = tf.experimental.numpy
    for dtype in ("S8", "U8", "<U4"):
        assert tnp.array(["a", "bc"], dtype=dtype).dtype is tf.string
    assert tnp.zeros_like(["a", "b"]).numpy().tolist() == [b"", b""]
    assert tf.zeros_like([1, 2], tf.string).numpy().tolist() == [b"", b""]
