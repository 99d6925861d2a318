import numpy as np
import pytest

import lamina as tf


class _Case(tf.test.TestCase):
    def runTest(self):
        pass


case = _Case()


def test_close_values_pass_and_others_fail():
    case.assertAllClose({"a": [1.0, tf.constant(2.0)]}, {"a": [1.0, 2.0]})
    with pytest.raises(AssertionError):
        case.assertAllClose([1.0, 2.0], tf.constant([1.0, 2.1]))


def test_equal_values_and_shapes():
    case.assertAllEqual(tf.constant([1, 2]), [1, 2])
    case.assertAllEqual(tf.constant(["a"]), [b"a"])
    with pytest.raises(AssertionError, match="1 of 2 elements differ"):
        case.assertAllEqual([1, 2], [1, 3])
    with pytest.raises(AssertionError, match="Shape mismatch"):
        case.assertAllEqual([1, 2], [1, 2, 3])


def test_dicts_of_tensors():
    same, same_dicts = case.assertEqual, case.assertDictEqual
    same_dicts({"a": tf.constant([1, 2]), "b": "x"}, {"a": [1, 2], "b": "x"})
    same({"a": tf.constant([1.0, 2.0])}, {"a": tf.constant([1.0, 2.0 + 1e-7])})
    same({"a": {"b": None}}, {"a": {"b": None}})
    with pytest.raises(AssertionError, match="1 of 2 elements differ"):
        same({"a": tf.constant([1, 2])}, {"a": tf.constant([1, 3])})
    with pytest.raises(AssertionError, match="'b'"):
        same({"a": tf.constant([1, 2])}, {"b": tf.constant([1, 2])})


def test_near():
    case.assertNear(1.0, 1.05, 0.1)
    with pytest.raises(AssertionError, match=r"1.0 != 1.2"):
        case.assertNear(1.0, 1.2, 0.1)


def test_evaluate_gives_arrays():
    found = case.evaluate({"x": tf.constant([1, 2])})
    assert isinstance(found["x"], np.ndarray)


def test_sessions_are_refused():
    with pytest.raises(ValueError, match="sessions are TF 1's"):
        case.cached_session()


def test_gradients_by_two_ways():
    theory, numeric = tf.test.compute_gradient(
        lambda x, y: x * y, [tf.constant([1.0, 2.0]), tf.constant([3.0, 4.0])]
    )
    assert theory[0].tolist() == [[3, 0], [0, 4]]
    np.testing.assert_allclose(numeric[1], [[1, 0], [0, 2]], atol=1e-3)


def test_compute_gradient_wants_a_list():
    with pytest.raises(ValueError, match="must be a list or tuple"):
        tf.test.compute_gradient(lambda x: x, tf.constant(1.0))


def test_what_this_machine_has():
    assert tf.test.is_built_with_xla()
    assert tf.test.gpu_device_name() in ("", "/device:GPU:0")


def test_ragged_tensors_are_compared_as_lists():
    case = tf.test.TestCase()
    rows = tf.ragged.constant([[1.0, 2.0], [], [3.0]])
    case.assertAllEqual(rows, [[1.0, 2.0], [], [3.0]])
    case.assertAllEqual(rows, rows + 0.0)
    case.assertAllClose(rows + 1e-8, rows)
    with pytest.raises(AssertionError):
        case.assertAllEqual(rows, [[1.0], [2.0], [3.0]])
    with pytest.raises(AssertionError):
        case.assertAllClose(rows, [[1.0, 2.5], [], [3.0]])


def test_compute_gradient_takes_complex_numbers_as_pairs_of_real_ones():
    z = tf.constant([2.0 - 1.0j], tf.complex64)
    for found in tf.test.compute_gradient(lambda x: x * x, [z]):
        # d(x²) = 2z dz: [[Re 2z, -Im 2z], [Im 2z, Re 2z]]
        np.testing.assert_allclose(found[0], [[4.0, 2.0], [-2.0, 4.0]], rtol=1e-3)
    for found in tf.test.compute_gradient(tf.math.real, [z]):
        np.testing.assert_allclose(found[0], [[1.0, 0.0]], atol=1e-3)


def test_compute_gradient_of_nothing_has_a_row_for_each_result():
    both = tf.test.compute_gradient(lambda x, b: x + b, [tf.zeros((0,)), tf.ones((1,))])
    assert [found[0].shape for found in both] == [(0, 0), (0, 0)]
    both = tf.test.compute_gradient(lambda x: tf.reduce_sum(x, 1), [tf.zeros((3, 0))])
    assert [found[0].shape for found in both] == [(3, 0), (3, 0)]


def test_a_test_case_has_the_assertions_of_absl_where_it_is_installed():
    absltest = pytest.importorskip("absl.testing.absltest", reason="absl-py is not installed")
    assert issubclass(tf.test.TestCase, absltest.TestCase)
    case = tf.test.TestCase()
    case.assertEmpty([])
    case.assertSameElements([1, 2], [2, 1, 1])


def test_set_up_starts_the_streams_of_seeds_again():
    case = tf.test.TestCase()
    drawn = []
    for _ in range(2):
        case.setUp()
        drawn.append(tf.random.uniform([4], seed=42).numpy())
    np.testing.assert_array_equal(*drawn)
