"""tf.TensorArray, eager and in programs."""

import numpy as np
import pytest

import lamina as tf


def test_write_read_stack_and_size():
    array = tf.TensorArray(tf.float32, size=3)
    array = array.write(0, 1.0).write(2, 3.0)
    np.testing.assert_array_equal(array.stack(), [1.0, 0.0, 3.0])
    assert array.read(2).numpy() == 3.0
    assert array.size().numpy() == 3
    assert array.element_shape == ()


def test_dynamic_size_grows_and_fixed_size_does_not():
    array = tf.TensorArray(tf.int32, size=0, dynamic_size=True)
    array = array.write(2, [1, 2])
    np.testing.assert_array_equal(array.stack(), [[0, 0], [0, 0], [1, 2]])
    with pytest.raises(tf.errors.OutOfRangeError) as caught:
        tf.TensorArray(tf.int32, size=1).write(1, 3)
    assert "tf.TensorArray.write: the index must lie in [0, 1); got 1.\n  Fix:" in str(caught.value)
    with pytest.raises(tf.errors.OutOfRangeError, match=r"TensorArray\.read"):
        array.read(5)


def test_unstack_gather_scatter_split_and_concat():
    array = tf.TensorArray(tf.float32, size=3).unstack([[1.0], [2.0], [3.0]])
    np.testing.assert_array_equal(array.gather([2, 0]), [[3.0], [1.0]])
    np.testing.assert_array_equal(array.scatter([1], [[9.0]]).stack(), [[1.0], [9.0], [3.0]])
    np.testing.assert_array_equal(array.concat(), [1.0, 2.0, 3.0])
    pieces = tf.TensorArray(tf.float32, size=2, infer_shape=False).split([1.0, 2.0, 3.0], [1, 2])
    np.testing.assert_array_equal(pieces.read(1), [2.0, 3.0])
    np.testing.assert_array_equal(pieces.concat(), [1.0, 2.0, 3.0])
    with pytest.raises(tf.errors.InvalidArgumentError, match="must add up to"):
        pieces.split([1.0], [2])


def test_elements_have_one_shape_and_unwritten_ones_need_it():
    array = tf.TensorArray(tf.float32, size=2).write(0, [1.0])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"elements must have shape \(1,\)"):
        array.write(1, [1.0, 2.0])
    with pytest.raises(tf.errors.InvalidArgumentError, match="has no shape"):
        tf.TensorArray(tf.float32, size=2).stack()
    with pytest.raises(NotImplementedError, match=r"use tf\.GradientTape"):
        array.grad("x")


def test_gradient_and_index_in_the_program():
    @tf.function
    def second(x, i):
        array = tf.TensorArray(tf.float32, size=3)
        array = array.write(0, x).write(i, x * x)
        return array.read(i) + tf.reduce_sum(array.stack())

    x = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = second(x, tf.constant(1))
    assert y.numpy() == 21.0
    assert tape.gradient(y, x).numpy() == 13.0


def _counting_while(n):
    array = tf.TensorArray(tf.int32, size=0, dynamic_size=True)
    i = tf.constant(0)
    while i < n:
        array = array.write(i, i + 10)
        i += 1
    return array.stack()


def _ranging(n):
    array = tf.TensorArray(tf.int32, size=1, dynamic_size=True)
    for i in tf.range(n):
        array = array.write(i, i + 10)
    return array.stack()


def _appending(n):
    array = tf.TensorArray(tf.int32, size=0, dynamic_size=True, element_shape=[])
    for i in tf.range(n):
        array = array.write(array.size(), i + 10)
    return array.stack()


def _while_loop(n):
    array = tf.TensorArray(tf.int32, size=0, dynamic_size=True)
    found = tf.while_loop(
        lambda i, _: i < n, lambda i, a: (i + 1, a.write(i, i + 10)), (tf.constant(0), array)
    )
    return found[1].stack()


@pytest.mark.filterwarnings("ignore:tf.function")
@pytest.mark.parametrize("fn", [_counting_while, _ranging, _appending, _while_loop])
@pytest.mark.parametrize("wrap", [tf.function, lambda f: f])
def test_an_array_grows_as_long_as_a_loop_on_tensors_runs(fn, wrap):
    assert wrap(fn)(tf.constant(4)).numpy().tolist() == [10, 11, 12, 13]


def test_while_loop_carries_arrays_in_the_program():
    traces = []

    @tf.function
    def powers(x, n):
        traces.append(1)
        array = tf.TensorArray(tf.float32, size=5)
        _, _, array = tf.while_loop(
            lambda i, *_: i < n, lambda i, y, a: (i + 1, y * x, a.write(i, y)), (0, 1.0, array)
        )
        return array.stack()

    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = powers(x, tf.constant(4))
    assert y.numpy().tolist() == [1.0, 2.0, 4.0, 8.0, 0.0]
    assert float(tape.gradient(y, x)) == 17.0
    assert powers(x, tf.constant(2)).numpy().tolist() == [1.0, 2.0, 0.0, 0.0, 0.0]
    assert len(traces) == 1


def test_cond_chooses_among_arrays():
    @tf.function
    def f(which):
        array = tf.TensorArray(tf.float32, size=2).unstack([1.0, 2.0])
        chosen = tf.cond(which, lambda: array.write(0, 7.0), lambda: array)
        return chosen.stack(), array.stack()

    assert f(tf.constant(True))[0].numpy().tolist() == [7.0, 2.0]
    assert f(tf.constant(False))[0].numpy().tolist() == [1.0, 2.0]
    assert f(tf.constant(True))[1].numpy().tolist() == [1.0, 2.0]
