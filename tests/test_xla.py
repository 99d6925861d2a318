"""tf.xla: what asks for a compiler that is always there."""

import numpy as np
import pytest

import lamina as tf


def test_compile_runs_the_function():
    x = tf.constant([1.0, 2.0])
    run = tf.xla.experimental.compile
    assert [t.numpy().tolist() for t in run(lambda a: a * 2, [x])] == [[2, 4]]
    assert [t.numpy().tolist() for t in run(lambda a: (a, 5), [x])] == [[1, 2], 5]
    assert run(lambda: 3)[0].dtype == tf.int32
    first, (second,) = run(lambda a, b: (a, [b]), [x, x + 1])
    np.testing.assert_array_equal(second - first, [1, 1])
    with pytest.raises(TypeError, match="`inputs` must be a list"):
        run(tf.square, x)


def test_jit_scope_stands_in_functions():
    @tf.function
    def double(x):
        with tf.xla.experimental.jit_scope():
            return x * 2

    assert double(tf.constant(2.0)).numpy() == 4
    scope = tf.xla.experimental.jit_scope()
    with pytest.raises(RuntimeError, match=r"must stand in a tf\.function"), scope:
        pass
