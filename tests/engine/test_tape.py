"""GradientTape: values against hand-derived formulas, and what it refuses."""

import gc
import weakref

import numpy as np
import pytest

import lamina as tf
from lamina.engine import local
from tests.tolerances import assert_close


def test_gradients_have_the_structure_of_the_sources():
    a, b = tf.Variable(2.0), tf.Variable([1.0, 3.0])
    with tf.GradientTape() as tape:
        y = a * tf.reduce_sum(b * b)
    grads = tape.gradient(y, {"b": [b], "a": a})
    assert set(grads) == {"a", "b"}
    assert_close(grads["a"], 10.0)
    assert_close(grads["b"][0], [4.0, 12.0])


def test_what_is_target_and_source_has_a_gradient_of_ones_though_nothing_used_it():
    v, w, x = tf.Variable(2.0), tf.Variable([1.0, 2.0]), tf.constant(3.0)
    with tf.GradientTape(persistent=True) as tape:
        y = v * 2.0
    assert_close(tape.gradient(w, w), [1.0, 1.0])
    assert_close(tape.gradient(x, x), 1.0)
    assert_close(tape.gradient(w, w, output_gradients=tf.constant([3.0, 4.0])), [3.0, 4.0])
    assert_close(tape.gradient([v, y], v), 3.0)
    assert_close(tape.jacobian(w, w), np.eye(2))
    assert tape.gradient(w, [v])[0] is None


def test_target_is_summed_and_output_gradients_weigh():
    x = tf.constant([1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y, z = x * x, 3.0 * x
    assert_close(tape.gradient(y, x), [2.0, 4.0])
    assert_close(tape.gradient([y, z], x), [5.0, 7.0])
    assert_close(tape.gradient(y, x, output_gradients=tf.constant([1.0, 10.0])), [2.0, 40.0])
    assert_close(
        tape.gradient([y, z], x, output_gradients=[None, tf.constant([1.0, 0.0])]), [5.0, 4.0]
    )


def test_persistent_tape_is_used_again():
    x = tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as tape:
        y = x * x
        z = y * y
    assert_close(tape.gradient(z, x), 108.0)
    assert_close(tape.gradient(z, y), 18.0)
    assert_close(tape.gradient(y, x), 6.0)


def test_spent_tape_is_refused():
    x = tf.Variable(1.0)
    with tf.GradientTape() as tape:
        y = x * x
    tape.gradient(y, x)
    with pytest.raises(RuntimeError) as raised:
        tape.gradient(y, x)
    assert str(raised.value) == (
        "GradientTape.gradient: a non-persistent tape can be used once.\n"
        "  Fix: tf.GradientTape(persistent=True), and `del tape` when done."
    )
    with tape:
        y = x * 4.0
    assert_close(tape.gradient(y, x), 4.0)


def test_only_what_is_watched_gets_a_gradient():
    c, x = tf.constant(2.0), tf.Variable(1.0, trainable=False)
    with tf.GradientTape(persistent=True) as tape:
        y = c * x
        tape.watch(c)
        z = c * x
        tape.watch(x)
        w = c * x
    assert tape.gradient(y, c) is None
    assert_close(tape.gradient(z, c), 1.0)
    assert tape.gradient(z, x) is None
    assert_close(tape.gradient(w, x), 2.0)


def test_watching_accessed_variables_can_be_off():
    a, b = tf.Variable(2.0), tf.Variable(5.0)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(a)
        y = a * b
    assert tape.watched_variables() == (a,)
    da, db = tape.gradient(y, [a, b])
    assert_close(da, 5.0)
    assert db is None


def test_unconnected_gradients():
    x, other = tf.Variable([1.0, 2.0]), tf.Variable([[3.0]])
    with tf.GradientTape(persistent=True) as tape:
        y = x * 2.0
    assert tape.gradient(y, other) is None
    zero = tape.gradient(y, other, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    assert zero.numpy().tolist() == [[0.0]]
    assert tape.gradient(y, [x, other], unconnected_gradients="zero")[1].shape == (1, 1)


@pytest.mark.parametrize(
    "cut",
    [
        tf.stop_gradient,
        lambda x: tf.cast(tf.argmax(x), tf.float32),
        lambda x: tf.cast(tf.cast(x, tf.int32), tf.float32),
        lambda x: tf.cast(x > 1.0, tf.float32),
        lambda x: tf.constant(x.numpy()),
    ],
)
def test_no_gradient_through(cut):
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        y = cut(x.value())
    assert tape.gradient(y, x) is None


def test_second_and_third_order():
    x = tf.Variable(2.0)
    with tf.GradientTape() as t3:
        with tf.GradientTape() as t2:
            with tf.GradientTape() as t1:
                y = x**4
            first = t1.gradient(y, x)
        second = t2.gradient(first, x)
    assert_close(first, 32.0)
    assert_close(second, 48.0)
    assert_close(t3.gradient(second, x), 48.0)


def test_second_order_with_one_persistent_tape():
    x = tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as tape:
        y = x**3
        first = tape.gradient(y, x)
    assert_close(first, 27.0)
    assert_close(tape.gradient(first, x), 18.0)


def test_gradient_penalty():
    w = tf.Variable([[1.0], [2.0]])
    x = tf.constant([[0.5, 1.0]])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = tf.tanh(x @ w)
        penalty = tf.reduce_sum(inner.gradient(y, x) ** 2)
    t = np.tanh(2.5)
    d = 1 - t * t  # penalty = d² (w·w), dd/dw = -2 t d x
    w_ = np.array([[1.0], [2.0]])
    expected = 2 * d * (-2 * t * d) * 5.0 * np.array([[0.5], [1.0]]) + 2 * d * d * w_
    assert_close(outer.gradient(penalty, w), expected, "float32")


def test_jacobian():
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    a = tf.Variable([2.0, 5.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * a
    dx, da = tape.jacobian(y, [x, a])
    assert dx.shape == (2, 2, 2, 2)
    assert_close(da, [[[1.0, 0.0], [0.0, 2.0]], [[3.0, 0.0], [0.0, 4.0]]])
    for i in range(2):
        for j in range(2):
            expected = np.zeros((2, 2))
            expected[i, j] = [2.0, 5.0][j]
            assert_close(dx[i, j], expected)


def test_jacobian_of_unconnected_source():
    x, other = tf.Variable([1.0, 2.0]), tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as tape:
        y = x * 2.0
    assert tape.jacobian(y, other) is None
    assert tape.jacobian(y, other, unconnected_gradients="zero").numpy().tolist() == [0.0, 0.0]


def test_hessian():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = x[0] ** 2 * x[1]
        g = inner.gradient(y, x)
    assert_close(outer.jacobian(g, x), [[4.0, 2.0], [2.0, 0.0]])


def test_batch_jacobian():
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x[:, ::-1]
    assert_close(tape.batch_jacobian(y, x), [[[2.0, 1.0], [2.0, 1.0]], [[4.0, 3.0], [4.0, 3.0]]])
    with pytest.raises(ValueError, match="must share their first axis; got shapes"):
        tape.batch_jacobian(y[:1], x)


def test_stop_recording():
    x = tf.Variable(2.0)
    with tf.GradientTape(persistent=True) as tape:
        y = x * x
        with tape.stop_recording():
            hidden = y * 10.0
        z = y + hidden
    assert_close(tape.gradient(z, x), 4.0)
    with (
        pytest.raises(ValueError, match="stop_recording: the tape is not recording"),
        tape.stop_recording(),
    ):
        pass


def test_reset_forgets():
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = x * x
        tape.reset()
        z = x * 3.0
    assert tape.gradient([y, z], x).numpy() == 3.0


def test_variable_read_twice_around_an_assignment():
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = x * x
        x.assign(5.0)
        z = y + 3.0 * x
    assert_close(tape.gradient(z, x), 7.0)


def test_assignment_does_not_connect():
    a, b = tf.Variable(2.0), tf.Variable(0.0)
    with tf.GradientTape() as tape:
        b.assign(a * 3.0)
        y = b * 4.0
    da, db = tape.gradient(y, [a, b])
    assert da is None
    assert_close(db, 4.0)


def test_gradient_inside_the_block_and_after_flushes():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(x * x)
        assert float(y) == 5.0
        z = y * y
        grad = tape.gradient(z, x)
        assert_close(grad, [20.0, 40.0])


def test_python_control_flow_under_the_tape():
    x = tf.Variable(1.5)
    with tf.GradientTape() as tape:
        y = x.value()
        while y < 20.0:
            y = y * y if y > 2.0 else y * 2.0
    # 1.5 → 3 → 9 → 81: y = (2x)⁴
    assert_close(tape.gradient(y, x), 64 * 1.5**3)


def test_gradient_of_structured_and_indexed_ops():
    x = tf.Variable([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    with tf.GradientTape() as tape:
        a, b = tf.unstack(x)
        y = (
            tf.reduce_sum(tf.gather(a, [0, 0, 2]) * 2.0)
            + tf.reduce_max(b)
            + tf.concat([a, b], 0)[1]
        )
    assert_close(tape.gradient(y, x), [[4.0, 1.0, 2.0], [0.0, 0.0, 1.0]])


def test_complex_gradient_follows_tf():
    z = tf.Variable(3.0 + 4.0j)
    with tf.GradientTape() as tape:
        y = tf.abs(z) ** 2
    assert_close(tape.gradient(y, z), 6.0 + 8.0j)


def test_a_source_computed_from_a_source():
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = x * x
        z = y * y
    dy, dx = tape.gradient(z, [y, x])
    assert (dy.numpy(), dx.numpy()) == (8.0, 32.0)


def test_gradient_of_itself():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        y = x.value()
    assert tape.gradient(y, x).numpy().tolist() == [1.0, 1.0]
    assert tape.gradient(x, x).numpy().tolist() == [1.0, 1.0]


def test_two_tapes_side_by_side():
    x = tf.Variable(2.0)
    with tf.GradientTape() as one, tf.GradientTape() as two:
        a, b = x * 3.0, x * x
    assert one.gradient(a, x).numpy() == 3.0
    assert two.gradient(b, x).numpy() == 4.0


@pytest.mark.parametrize(
    ("act", "error", "text"),
    [
        (lambda t, x: t.gradient(None, x), TypeError, "`target` must be a Tensor computed under"),
        (lambda t, x: t.gradient(x, 1.0), TypeError, "`sources` must be Variables and Tensors"),
        (
            lambda t, x: t.gradient(x, x, [1.0, 2.0]),
            ValueError,
            "one Tensor for each target; got 2",
        ),
        (lambda t, x: t.gradient(x, x, tf.ones([2])), ValueError, "the target, (); got (2,)"),
        (lambda t, x: t.watch(1.0), ValueError, "`tensor` must be a Tensor or Variable; got 1.0"),
        (lambda t, x: t.__enter__().__enter__(), ValueError, "already recording"),
    ],
)
def test_mistakes_are_explained(act, error, text):
    x = tf.Variable(1.0)
    tape = tf.GradientTape()
    with pytest.raises(error) as raised:
        act(tape, x)
    assert text in str(raised.value)
    tape.__exit__(None, None, None)
    with tf.GradientTape() as after:
        y = x * 2.0
    assert after.gradient(y, x).numpy() == 2.0


def test_an_exception_in_the_block_ends_recording():
    with pytest.raises(ZeroDivisionError), tf.GradientTape():
        _ = 1 / 0
    assert local.tapes == []


def test_spent_tape_keeps_nothing_alive():
    x = tf.Variable(np.ones(4, np.float32))
    with tf.GradientTape() as tape:
        hidden = x * 2.0
        y = tf.reduce_sum(hidden * hidden)
    kept = weakref.ref(hidden)
    del hidden
    tape.gradient(y, x)
    gc.collect()
    assert kept() is None
    assert tape.watched_variables() == (x,)


def test_one_training_step_is_one_program():
    w = tf.Variable(tf.ones([3, 1]))
    x = tf.constant(np.ones((4, 3), np.float32))
    counts = []
    for _ in range(4):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((x @ w - 1.0) ** 2)
        w.assign_sub(0.1 * tape.gradient(loss, w))
        before = tf.stats.flushes
        w.numpy()
        assert tf.stats.flushes == before + 1
        counts.append(tf.stats.compiles)
    assert counts[-1] == counts[1]


def test_a_tape_that_is_entered_again_goes_on():
    tape = tf.GradientTape()
    with tape:
        x = tf.constant(5.0)
        tape.watch(x)
        y = 3.0 * x
    with tape:
        z = y * y
    assert float(tape.gradient(z, x)) == 90.0


def test_a_target_that_is_its_own_source_depends_on_its_dtype():
    def of_itself(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
        return tape.gradient(x, x)

    assert of_itself(tf.constant(3)) is None
    assert float(of_itself(tf.constant(3.0))) == 1.0


@pytest.mark.parametrize("shapes", [([3], [3, 2]), ([3, 2], [3])])
def test_batch_jacobian_asks_for_examples_with_axes(shapes):
    x, y = tf.ones(shapes[0]), tf.ones(shapes[1])
    tape = tf.GradientTape()
    with pytest.raises(ValueError, match="at least two axes"):
        tape.batch_jacobian(y, x)


def test_watched_variables_come_in_the_order_in_which_they_were_made():
    first, second, third = tf.Variable(1.0), tf.Variable(2.0), tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = third * first * second
    assert [v.numpy() for v in tape.watched_variables()] == [1.0, 2.0, 3.0]
    tape.gradient(y, first)
    assert [v.numpy() for v in tape.watched_variables()] == [1.0, 2.0, 3.0]
