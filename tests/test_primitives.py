"""What TensorFlow has at top level beside the usual operations."""

import threading

import numpy as np
import pytest

import lamina as tf


def test_fingerprint():
    found = tf.fingerprint(tf.constant([b"abc", b"d"])).numpy().tolist()
    assert found == [[105, 243, 231, 116, 160, 179, 165, 36], [33, 154, 125, 149, 99, 228, 10, 62]]
    found = tf.fingerprint(tf.constant([[1, 2]])).numpy().tolist()
    assert found == [[76, 18, 253, 133, 168, 204, 240, 10]]
    with pytest.raises(tf.errors.InvalidArgumentError, match="at least one axis"):
        tf.fingerprint(tf.constant("x"))


def test_required_space_to_batch_paddings():
    paddings, crops = tf.required_space_to_batch_paddings([5, 7], [2, 3], [[1, 0], [0, 1]])
    assert paddings.numpy().tolist() == [[1, 0], [0, 2]]
    assert crops.numpy().tolist() == [[0, 0], [0, 1]]


def test_extract_volume_patches():
    x = tf.reshape(tf.range(1.0, 28.0), [1, 3, 3, 3, 1])
    found = tf.extract_volume_patches(x, [1, 2, 2, 2, 1], [1, 1, 1, 1, 1], "VALID")
    expected = [[60.0, 68.0, 84.0, 92.0, 132.0, 140.0, 156.0, 164.0]]
    assert tf.reduce_sum(found, [1, 2, 3]).numpy().tolist() == expected
    with pytest.raises(ValueError, match="`ksizes` must be five numbers"):
        tf.extract_volume_patches(x, [2, 2, 2], [1, 1, 1, 1, 1], "VALID")


def test_convolution_gradients():
    x, k = tf.random.normal([1, 5, 5, 2]), tf.random.normal([3, 3, 2, 3])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, k])
        y = tf.nn.conv2d(x, k, 1, "SAME")
    dy = tf.ones_like(y)
    how = {"strides": [1, 1, 1, 1], "padding": "SAME"}
    found = tf.conv2d_backprop_input_v2(x, k, dy, **how)
    np.testing.assert_allclose(found, tape.gradient(y, x), rtol=1e-5, atol=1e-5)
    found = tf.conv2d_backprop_filter_v2(x, k, dy, **how)
    np.testing.assert_allclose(found, tape.gradient(y, k), rtol=1e-5, atol=1e-5)


def test_transforms_over_axes():
    x = np.arange(8.0, dtype=np.float32).reshape(2, 4)
    found = tf.rfftnd(tf.constant(x), [2, 4], [0, 1])
    np.testing.assert_allclose(found, np.fft.rfftn(x), atol=1e-5)
    np.testing.assert_allclose(tf.irfftnd(found, [2, 4], [0, 1]), x, atol=1e-5)
    wide = tf.constant(x, tf.complex64)
    np.testing.assert_allclose(tf.fftnd(wide, [4], [1]), np.fft.fft(x), atol=1e-5)
    np.testing.assert_allclose(tf.ifftnd(wide, [4], [1]), np.fft.ifft(x), atol=1e-5)


def test_approx_top_k():
    found = tf.approx_top_k(tf.constant([1.0, 5.0, 3.0]), 2, is_max_k=False)
    assert found.values.numpy().tolist() == [1.0, 3.0]
    assert found.indices.numpy().tolist() == [0, 2]


def test_timestamp_is_of_each_run():
    now = tf.function(tf.timestamp)
    first = float(now())
    assert float(now()) > first
    assert tf.timestamp().dtype is tf.float64


def test_tuple_keeps_none():
    found = tf.tuple([tf.constant(1.0), None])
    assert found[0].numpy() == 1.0
    assert found[1] is None
    with pytest.raises(ValueError, match="must hold a Tensor"):
        tf.tuple([None])


def test_critical_section_runs_one_thread_at_a_time():
    section, v = tf.CriticalSection(name="s"), tf.Variable(0)

    def add():
        for _ in range(20):
            section.execute(lambda: v.assign(v + 1))

    threads = [threading.Thread(target=add) for _ in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert int(v) == 60
    assert section.name == "s"


def test_control_dependencies_calls_functions():
    called = []
    with tf.control_dependencies([lambda: called.append(1)]):
        pass
    with tf.control_dependencies(None):
        pass
    assert called == [1]


def test_conversion_functions():
    class Celsius:
        def __init__(self, degrees):
            self.degrees = degrees

    tf.register_tensor_conversion_function(
        Celsius, lambda value, dtype=None, name=None, as_ref=False: tf.constant(value.degrees)
    )
    assert (tf.constant(1.0) + Celsius(2.0)).numpy() == 3.0
    assert tf.convert_to_tensor(Celsius(2.0)).numpy() == 2.0
    with pytest.raises(TypeError, match="class written in Python"):
        tf.register_tensor_conversion_function(int, lambda v, **_: tf.constant(v))


def test_conversion_functions_are_asked_in_the_order_of_their_priorities():
    class Celsius:
        pass

    class Kelvin(Celsius):
        pass

    def give(value):
        return lambda v, dtype=None, name=None, as_ref=False: value

    register = tf.register_tensor_conversion_function
    register(Celsius, give(tf.constant(1.0)), priority=50)
    register(Celsius, give(tf.constant(2.0)), priority=50)
    assert tf.convert_to_tensor(Celsius()).numpy() == 1.0
    register(Celsius, give(tf.constant(3.0)), priority=10)
    register(Kelvin, give(NotImplemented), priority=0)
    assert tf.convert_to_tensor(Celsius()).numpy() == 3.0
    assert tf.convert_to_tensor(Kelvin()).numpy() == 3.0


def test_libraries_of_operations_are_refused(tmp_path):
    with pytest.raises(tf.errors.NotFoundError, match="no such file"):
        tf.load_op_library(str(tmp_path / "ops.so"))
    with pytest.raises(tf.errors.UnimplementedError, match=r"tf\.jax_op"):
        tf.load_library(str(tmp_path))


def test_threads_share_a_name_scope_object():
    scope, entered, left = tf.name_scope("shared"), threading.Event(), threading.Event()
    seen = []

    def other():
        with tf.name_scope("other"):
            with scope:
                entered.set()
                left.wait(10)
            seen.append(tf.get_current_name_scope())

    thread = threading.Thread(target=other)
    with scope:
        thread.start()
        assert entered.wait(10)
    assert tf.get_current_name_scope() == ""
    left.set()
    thread.join()
    assert seen == ["other"]


def test_name_scopes_can_be_left_and_named_whole():
    with tf.name_scope("a") as a, tf.name_scope("b"):
        assert a == "a/"
        with tf.name_scope(""):
            assert tf.get_current_name_scope() == ""
        with tf.name_scope("c/d/") as whole:
            assert (whole, tf.Variable(0.0, name="v").name) == ("c/d/", "c/d/v:0")
        assert tf.get_current_name_scope() == "a/b"
    assert tf.name_scope("a").name == "a"
    with pytest.raises(ValueError, match="`name` must be a string"):
        tf.name_scope(3)


def test_names_and_loggers():
    assert tf.get_current_name_scope() == ""
    with tf.name_scope("a"), tf.name_scope("b"):
        assert tf.get_current_name_scope() == "a/b"
    assert tf.get_logger().name == "tensorflow"
    assert not tf.inside_function()
    assert bool(tf.function(tf.inside_function)())


def test_eigh_tridiagonal():
    alpha, beta = [1.0, 2.0, 3.0], [0.5, 0.5]
    dense = np.diag(alpha) + np.diag(beta, 1) + np.diag(beta, -1)
    expected = np.linalg.eigvalsh(dense)
    np.testing.assert_allclose(tf.linalg.eigh_tridiagonal(alpha, beta), expected, rtol=1e-5)
    found = tf.linalg.eigh_tridiagonal(alpha, beta, select="i", select_range=(1, 2))
    np.testing.assert_allclose(found, expected[1:], rtol=1e-5)
    found = tf.linalg.eigh_tridiagonal(alpha, beta, select="v", select_range=(1.5, 3.0))
    np.testing.assert_allclose(found, expected[1:2], rtol=1e-5)
    values, vectors = tf.linalg.eigh_tridiagonal(alpha, beta, eigvals_only=False)
    np.testing.assert_allclose(dense @ vectors.numpy(), vectors.numpy() * values, atol=1e-5)
    with pytest.raises(ValueError, match="must be 'a', 'i' or 'v'"):
        tf.linalg.eigh_tridiagonal(alpha, beta, select="z")


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("adjoint", [True, False])
def test_banded_triangular_solve(lower, adjoint):
    rows = [[2.0, 2.0, 2.0], [0.0, 1.0, 1.0]] if lower else [[1.0, 1.0, 0.0], [2.0, 2.0, 2.0]]
    dense = 2 * np.eye(3) + np.diag([1.0, 1.0], -1 if lower else 1)
    dense = dense.T if adjoint else dense
    found = tf.linalg.banded_triangular_solve(rows, [[1.0], [2.0], [3.0]], lower, adjoint)
    np.testing.assert_allclose(found, np.linalg.solve(dense, [[1.0], [2.0], [3.0]]), rtol=1e-5)
