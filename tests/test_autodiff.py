"""tf.autodiff.ForwardAccumulator, tf.gradients, tf.hessians and their kin."""

import numpy as np
import pytest

import lamina as tf

Accumulator = tf.autodiff.ForwardAccumulator


def test_jvp_of_tensors():
    x = tf.constant([1.0, 2.0])
    with Accumulator(x, tf.constant([1.0, 0.5])) as acc:
        y = tf.sin(x) * x
    slope = np.cos([1.0, 2.0]) * [1.0, 2.0] + np.sin([1.0, 2.0])
    np.testing.assert_allclose(acc.jvp(y), slope * [1.0, 0.5], rtol=1e-6)
    assert acc.jvp(tf.constant(1.0)) is None
    assert acc.jvp(tf.constant(1.0), unconnected_gradients="zero").numpy() == 0.0


def test_jvp_of_variables():
    v = tf.Variable([1.0, 2.0])
    with Accumulator(v, tf.constant([1.0, 0.0])) as acc:
        y = v * v
    assert acc.jvp(y).numpy().tolist() == [2.0, 0.0]
    assert acc.jvp(v).numpy().tolist() == [1.0, 0.0]


def test_forward_over_reverse_is_a_hessian_product():
    layer = tf.keras.layers.Dense(1)
    x = tf.constant([[2.0, 3.0], [1.0, 4.0]])
    layer.build(x.shape)
    with Accumulator(layer.kernel, tf.constant([[1.0], [0.0]])) as acc:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.nn.sigmoid(layer(x)))
        gradient = tape.gradient(loss, layer.kernel)
    s = tf.nn.sigmoid(layer(x)).numpy()
    second = s * (1 - s) * (1 - 2 * s)
    expected = (second * x.numpy()[:, :1] * x.numpy()).sum(0)[:, None]
    np.testing.assert_allclose(acc.jvp(gradient), expected, atol=1e-5)


def test_reverse_over_forward():
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        with Accumulator(x, tf.constant(1.0)) as acc:
            y = x**3
        first = acc.jvp(y)
    assert tape.gradient(first, x).numpy() == 12.0


def test_nested_accumulators():
    x = tf.constant(2.0)
    with Accumulator(x, tf.constant(1.0)) as outer:
        with Accumulator(x, tf.constant(1.0)) as inner:
            y = x**3
        first = inner.jvp(y)
    assert outer.jvp(first).numpy() == 12.0


def test_jvp_through_custom_gradients():
    @tf.custom_gradient
    def triple_slope(x):
        return x * x, lambda dy: dy * 3.0 * x

    x = tf.constant(2.0)
    with Accumulator(x, tf.constant(1.0)) as acc:
        y = triple_slope(x)
    assert acc.jvp(y).numpy() == 6.0
    with Accumulator(x, tf.constant(1.0)) as acc:
        y = tf.function(triple_slope)(x)
    assert acc.jvp(y).numpy() == 6.0


def test_inside_tf_function():
    @tf.function
    def f(x):
        with Accumulator(x, tf.ones_like(x)) as acc:
            y = x * x
        return acc.jvp(y)

    assert f(tf.constant([3.0])).numpy().tolist() == [6.0]


def test_accumulator_errors():
    x = tf.constant([1.0])
    with pytest.raises(ValueError, match="structure"):
        Accumulator([x], x)
    with pytest.raises(ValueError, match="shape of its primal"):
        Accumulator(x, tf.ones([2]))
    with pytest.raises(ValueError, match="given once"):
        Accumulator([x, x], [x, x])
    with Accumulator(x, x) as acc, pytest.raises(ValueError, match="already recording"):
        acc.__enter__()


def test_gradients_in_a_function():
    v = tf.Variable(3.0)

    @tf.function
    def f(x):
        y = x * x * v
        stopped = tf.gradients(y * x, x, stop_gradients=y)
        return tf.gradients([y, x], [x, v]), stopped, tf.gradients(y, x, grad_ys=[2.0])

    (dx, dv), (dy,), (scaled,) = f(tf.constant(2.0))
    assert (dx.numpy(), dv.numpy(), dy.numpy(), scaled.numpy()) == (13.0, 4.0, 12.0, 24.0)


def test_hessians_in_a_function():
    f = tf.function(lambda x: tf.hessians(tf.reduce_sum(x**3), x)[0])
    assert f(tf.constant([1.0, 2.0])).numpy().tolist() == [[6.0, 0.0], [0.0, 12.0]]


def test_gradients_outside_of_functions():
    with pytest.raises(RuntimeError, match="GradientTape instead"):
        tf.gradients(tf.constant(1.0), tf.constant(1.0))


def test_registered_gradients_are_kept_by_name():
    assert tf.RegisterGradient("LaminaTestOp")(len) is len
    with pytest.raises(KeyError, match="registered already"):
        tf.no_gradient("LaminaTestOp")
    with pytest.raises(TypeError, match="must be a string"):
        tf.RegisterGradient(3)


def test_grad_pass_through():
    x = tf.Variable([1.6])
    with tf.GradientTape() as tape:
        y = tf.grad_pass_through(tf.round)(x) * 3.0
    assert tape.gradient(y, x).numpy().tolist() == [3.0]


def test_forward_mode_goes_through_loops_of_unknown_length():
    @tf.function
    def loop(n, y):
        total = 0.0
        for i in tf.range(n):
            total += y * y * tf.cast(i, tf.float32)
        return total

    y = tf.constant(2.0)
    with tf.autodiff.ForwardAccumulator(y, tf.constant(1.0)) as outside:
        found = outside.jvp(loop(tf.constant(5), y))

    @tf.function
    def inside(n):
        with tf.autodiff.ForwardAccumulator(y, tf.constant(1.0)) as accumulator:
            return accumulator.jvp(loop(n, y))

    assert float(found) == float(inside(tf.constant(5))) == 40.0
