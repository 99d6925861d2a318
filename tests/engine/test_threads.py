"""Threads: own traces, Tensors and variables that cross, errors that stay where they are."""

import threading

import numpy as np
import pytest

import lamina as tf
from lamina.engine import local


def _in_thread(fn):
    """Run `fn` in a thread and return its result, or raise what it raised."""
    got = {}

    def run():
        try:
            got["result"] = fn()
        except BaseException as error:
            got["error"] = error

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if "error" in got:
        raise got["error"]
    return got["result"]


def test_each_thread_has_its_own_trace():
    x = tf.ones([2]) * 2.0
    assert _in_thread(lambda: local.trace) is not local.trace
    assert x._value is None


def test_pending_tensor_is_read_in_another_thread():
    x = tf.ones([2]) * 2.0
    y = x + 1.0
    assert _in_thread(lambda: (y * 10.0).numpy().tolist()) == [30.0, 30.0]
    z = y + x  # this thread goes on recording
    assert z.numpy().tolist() == [5.0, 5.0]


def test_reading_again_from_another_thread_compiles_nothing():
    def value():
        x = tf.ones([3]) * 2.0
        return _in_thread((x + 1.0).numpy)

    value()
    value()
    before = tf.stats.compiles
    assert value().tolist() == [3.0] * 3
    assert tf.stats.compiles == before


def test_variable_assigned_in_one_thread_is_read_in_another():
    v = tf.Variable([1.0])
    v.assign_add([2.0])
    assert _in_thread(lambda: v.numpy().tolist()) == [3.0]

    _in_thread(lambda: v.assign_add([4.0]))
    assert v.numpy().tolist() == [7.0]


def test_tape_does_not_record_another_thread():
    v = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        other = _in_thread(lambda: v * 3.0)
        y = v * v + other
    assert tape.gradient(y, v).numpy() == 4.0


def test_values_stay_right_while_the_owner_records():
    wrong = []

    def check(tensor, expected):
        if tensor.numpy()[0] != expected:
            wrong.append(expected)

    x = tf.zeros([2])
    for i in range(1, 11):
        x = x + 1.0
        thread = threading.Thread(target=check, args=(x, float(i)))
        thread.start()
        for _ in range(5):
            x * 2.0
        thread.join()
    assert wrong == []


def test_one_function_called_from_many_threads():
    @tf.function
    def f(x):
        return tf.reduce_sum(x * x)

    results = [None] * 8

    def call(i):
        results[i] = float(f(tf.fill([2], float(i))))

    threads = [threading.Thread(target=call, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == [2.0 * i * i for i in range(8)]


def test_variables_of_another_thread_are_not_taken_for_the_functions():
    start, done = threading.Event(), threading.Event()

    def make():
        start.wait()
        tf.Variable(1.0)
        done.set()

    thread = threading.Thread(target=make)
    thread.start()

    @tf.function
    def f(x):
        start.set()
        done.wait()
        return x + 1.0

    for n in (1, 2, 3):
        assert f(tf.ones([n])).numpy()[0] == 2.0
    thread.join()
    assert f.experimental_get_tracing_count() == 3


def test_error_in_a_thread_leaves_the_others_alone():
    x = tf.ones([2]) * 3.0
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        _in_thread(lambda: tf.ones([2]) + tf.ones([3]))
    assert x.numpy().tolist() == [3.0, 3.0]


def test_layer_call_flags_are_of_the_thread():
    seen = []

    class Ask(tf.keras.layers.Layer):
        def call(self, x, training=None):
            if training:
                seen.append(_in_thread(lambda: local.training))
            return x

    Ask()(np.ones((1, 2), np.float32), training=True)
    assert seen == [None]
