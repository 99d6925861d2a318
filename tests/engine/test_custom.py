"""Gradients of one's own, recomputation, and JAX functions as operations."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import lamina as tf
from tests.tolerances import assert_close


@tf.custom_gradient
def _tripled_gradient(x):
    return x * x, lambda dy: 3.0 * dy


@tf.custom_gradient
def _log1pexp(x):
    e = tf.exp(x)
    return tf.math.log(1.0 + e), lambda dy: dy * (1.0 - 1.0 / (1.0 + e))


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _in(mode, fn):
    return tf.function(fn) if mode == "function" else fn


modes = pytest.mark.parametrize("mode", ["eager", "function"])


@modes
def test_custom_gradient_replaces_the_gradient(mode):
    x = tf.Variable(2.0)

    def run():
        with tf.GradientTape() as tape:
            y = 2.0 * _tripled_gradient(x)
        return y, tape.gradient(y, x)

    y, grad = _in(mode, run)()
    assert (y.numpy(), grad.numpy()) == (8.0, 6.0)


@modes
def test_second_order_goes_through_the_values_of_the_function(mode):
    x = tf.Variable(0.5)

    def run():
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                y = _log1pexp(x)
            first = inner.gradient(y, x)
        return first, outer.gradient(first, x)

    first, second = _in(mode, run)()
    s = _sigmoid(0.5)
    assert_close(first, s)
    assert_close(second, s * (1 - s))


@modes
def test_outer_tape_over_a_compiled_custom_gradient(mode):
    f = _in(mode, lambda v: _tripled_gradient(v) + v)
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = f(x.value())
    assert tape.gradient(y, x).numpy() == 4.0


@modes
def test_variables_get_the_gradients_that_grad_returns(mode):
    w = tf.Variable([2.0, 3.0])

    @tf.custom_gradient
    def layer(x):
        def grad(dy, variables=None):
            assert variables == [w]
            return dy * 10.0, [dy * 100.0]

        return x * w, grad

    x = tf.Variable([1.0, 1.0])

    def run():
        with tf.GradientTape() as tape:
            y = layer(x)
        return tape.gradient(y, [x, w])

    dx, dw = _in(mode, run)()
    assert dx.numpy().tolist() == [10.0, 10.0]
    assert dw.numpy().tolist() == [100.0, 100.0]


def test_variables_without_the_argument_are_refused():
    w = tf.Variable(2.0, name="w")

    @tf.custom_gradient
    def layer(x):
        return x * w, lambda dy: dy

    x = tf.Variable(1.0)
    with tf.GradientTape() as tape:
        y = layer(x)
    with pytest.raises(TypeError, match=r"`layer` reads the trainable variables \['w:0'\]"):
        tape.gradient(y, x)


@modes
def test_several_arguments_and_results(mode):
    @tf.custom_gradient
    def both(a, b):
        return (a + b, a * b), lambda da, db: (da, 7.0 * db)

    a, b = tf.Variable(1.0), tf.Variable(2.0)

    def run():
        with tf.GradientTape() as tape:
            s, p = both(a, b)
            y = s + p
        return tape.gradient(y, [a, b])

    assert [g.numpy() for g in _in(mode, run)()] == [1.0, 7.0]


def test_one_result_used_only():
    @tf.custom_gradient
    def both(a):
        return (a, 2.0 * a), lambda d1, d2: 5.0 * d1 + d2

    a = tf.Variable(1.0)
    with tf.GradientTape() as tape:
        y = both(a)[0]
    assert tape.gradient(y, a).numpy() == 5.0


def test_none_gradient_disconnects():
    f = tf.custom_gradient(lambda x: (x * 2.0, lambda dy: None))
    x = tf.Variable(1.0)
    with tf.GradientTape() as tape:
        y = f(x)
    assert tape.gradient(y, x) is None


def test_custom_gradient_in_scan():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.scan(lambda a, v: a + _tripled_gradient(v), x, tf.constant(0.0)))
    assert tape.gradient(y, x).numpy().tolist() == [6.0, 3.0]


@pytest.mark.parametrize(
    ("f", "error", "text"),
    [
        (lambda x: x, TypeError, r"must return \(y, grad\), grad a function; got"),
        (lambda x: (x * 1.0, lambda dy: (dy, dy)), ValueError, "must return 1 gradients.*got 2"),
    ],
)
def test_wrong_functions_are_explained(f, error, text):
    x = tf.Variable(1.0)

    def run():
        with tf.GradientTape() as tape:
            y = tf.custom_gradient(f)(x)
        return tape.gradient(y, x)

    with pytest.raises(error, match=text):
        run()


@modes
def test_recompute_grad_gives_the_same_gradients(mode):
    w, x = tf.Variable([1.0, 2.0]), tf.Variable([0.5, -0.5])

    def block(v, scale=1.0):
        return tf.tanh(v * w) * scale

    def run(f):
        def step():
            with tf.GradientTape() as tape:
                y = f(x, scale=2.0)
            return y, *tape.gradient(y, [x, w])

        return _in(mode, step)()

    for plain, again in zip(run(block), run(tf.recompute_grad(block)), strict=True):
        assert_close(again, plain)


@modes
def test_recompute_grad_assigns_once(mode):
    v, w = tf.Variable(1.0), tf.Variable(3.0)

    def step():
        with tf.GradientTape() as tape:
            y = tf.recompute_grad(lambda x: v.assign_add(x).value() * w)(tf.constant(1.0))
        return tape.gradient(y, w)

    assert _in(mode, step)().numpy() == 2.0
    assert v.numpy() == 2.0


@modes
def test_jax_op_is_differentiated(mode):
    sinc = tf.jax_op(jnp.sinc)
    x = tf.Variable([0.3, 0.5])

    def run():
        with tf.GradientTape() as tape:
            y = sinc(x)
        return y, tape.gradient(y, x)

    y, grad = _in(mode, run)()
    assert_close(y, np.sinc([0.3, 0.5]), "float32")
    assert_close(grad, jax.vmap(jax.grad(jnp.sinc))(jnp.array([0.3, 0.5])))


def test_jax_op_takes_and_returns_pytrees():
    f = tf.jax_op(
        lambda tree, n, flip=False: {
            "sum": tree["a"] + tree["b"][0] * n,
            "flip": (n if not flip else -n,),
        }
    )
    out = f({"a": tf.constant(1.0), "b": [np.float32(2.0)]}, 3)
    assert (out["sum"].numpy(), out["flip"][0].numpy()) == (7.0, 3)
    out = f({"a": tf.constant(1.0), "b": [tf.Variable(2.0)]}, 3, flip=True)
    assert out["flip"][0].numpy() == -3


def test_jax_op_static_values_of_equal_value_are_told_apart():
    f = tf.jax_op(lambda x, n: x + (10 if n is True else n))
    assert [f(tf.constant(1.0), n).numpy() for n in (1, True, 1.0)] == [2.0, 11.0, 2.0]


def test_optax_transform_as_an_operation():
    tx = optax.adam(0.1)
    v = tf.Variable([1.0, -2.0])
    start = tf.jax_op(tx.init)
    update = tf.jax_op(lambda g, s, p: tx.update(g, s, p))
    state = start(v.value())
    expected, s = jnp.array([1.0, -2.0]), tx.init(jnp.array([1.0, -2.0]))
    for _ in range(3):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(v * v)
        change, state = update(tape.gradient(loss, v), state, v.value())
        v.assign_add(change)
        delta, s = tx.update(2 * expected, s, expected)
        expected = expected + delta
    assert_close(v, expected)
