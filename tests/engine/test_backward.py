"""Backward equations that are recorded again must be those of this tape, not of a like one."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

import lamina as tf
from lamina.engine import backward


def grad_of(fn, *sources, **kwargs):
    with tf.GradientTape(**kwargs) as tape:
        y = fn()
    return tape.gradient(y, list(sources))


def test_second_time_records_the_same_gradients():
    w = tf.Variable([2.0, 3.0])
    found = []
    for _ in range(3):
        w.assign([2.0, 3.0])
        (g,) = grad_of(lambda: tf.reduce_sum(w * w * w), w)
        found.append(g.numpy())
    np.testing.assert_array_equal(found, [[12.0, 27.0]] * 3)


def test_a_plan_is_found_again():
    w = tf.Variable([2.0])

    def step():
        (g,) = grad_of(lambda: tf.reduce_sum(tf.sin(w) * 3.0), w)
        w.assign_sub(g)

    step()
    kept = len(backward._plans)
    for _ in range(3):
        step()
    assert len(backward._plans) == kept


def test_two_handles_of_one_value_have_gradients_of_their_own():
    a = tf.Variable([2.0])
    b = tf.Variable([0.0])
    for use_a in (True, False, True, False):
        a.assign([2.0])
        b.assign(a.value())  # one array, two handles
        first = a if use_a else b
        ga, gb = grad_of(lambda x=first: tf.reduce_sum(x * x), a, b)
        used, unused = (ga, gb) if use_a else (gb, ga)
        assert unused is None
        np.testing.assert_array_equal(used.numpy(), [4.0])


def test_what_is_watched_counts():
    x = tf.constant([3.0])
    for watched in (True, False, True):
        with tf.GradientTape() as tape:
            if watched:
                tape.watch(x)
            y = x * x
        g = tape.gradient(y, x)
        assert (g is not None) == watched


def test_a_source_given_twice_gets_its_gradient_twice():
    w = tf.Variable([3.0])
    for _ in range(2):
        w.assign([3.0])
        first, second = grad_of(lambda: w * w, w, w)
        assert first.numpy() == second.numpy() == 6.0


def test_targets_and_sources_count():
    v, w = tf.Variable(2.0), tf.Variable(5.0)
    for _ in range(2):
        with tf.GradientTape(persistent=True) as tape:
            y = v * w
            z = v + w
        assert [g.numpy() for g in tape.gradient(y, [v, w])] == [5.0, 2.0]
        assert [g.numpy() for g in tape.gradient(y, [w, v])] == [2.0, 5.0]
        assert [g.numpy() for g in tape.gradient([y, z], [w])] == [3.0]
        assert tape.gradient(z, v).numpy() == 1.0


def test_a_value_asked_for_in_between_keeps_the_gradient():
    w = tf.Variable(2.0)
    for ask in (False, True, False, True):
        with tf.GradientTape() as tape:
            y = w * w
            if ask:
                assert float(y) == 4.0
            z = y * w
        assert tape.gradient(z, w).numpy() == 12.0


def test_stopped_recording_counts():
    w = tf.Variable(3.0)
    for stop in (False, True, False):
        with tf.GradientTape() as tape:
            y = w * w
            if stop:
                with tape.stop_recording():
                    z = y * w
            else:
                z = y * w
        g = tape.gradient(z, w)
        assert (g is None) if stop else g.numpy() == 27.0


def test_python_gradients_run_each_time():
    calls = []

    @tf.custom_gradient
    def doubled(x):
        def grad(upstream):
            calls.append(1)
            return upstream * 2.0

        return x * 1.0, grad

    w = tf.Variable(3.0)
    for _ in range(3):
        assert grad_of(lambda: doubled(w), w)[0].numpy() == 2.0
    assert len(calls) == 3


def test_second_order_follows_the_first():
    w = tf.Variable(2.0)
    for _ in range(2):
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                y = w**3
            g = inner.gradient(y, w)
        assert outer.gradient(g, w).numpy() == 12.0


def test_plans_are_bounded_by_their_equations(monkeypatch):
    plans = backward._Plans()
    monkeypatch.setattr(plans, "most", 10)
    plan = [(1,)] * 2, 1, [], None
    for i in range(5):
        plans.keep(((i,) * 2, ()), plan)  # 4 equations each
    assert len(plans) == 2
    assert plans.find(((4, 4), ())) is plan
    assert plans.find(((0, 0), ())) is None
    plans.keep(((9,) * 100, ()), plan)  # the one that does not fit is kept alone
    assert len(plans) == 1


def test_plans_are_found_from_several_threads():
    def work(seed):
        rng = np.random.default_rng(seed)
        w = tf.Variable(np.float32([2.0]))
        for _ in range(40):
            n = int(rng.integers(1, 6))
            (g,) = grad_of(lambda n=n: sum((w * w for _ in range(n)), w), w)
            assert g.numpy() == 4.0 * n + 1.0

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
