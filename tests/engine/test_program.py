"""How a pending trace is run in two parts: a known step of a loop, and what stands behind it."""

import numpy as np
import pytest

import lamina as tf
from lamina.engine import flush, op, pending, program
from lamina.engine.program import Program, Split

_ONES = tf.constant(np.ones(300, np.float32))


@pytest.fixture(autouse=True)
def clean():
    flush()
    before = pending._cache.programs, pending._cache.steps, pending._cache.strikes
    pending._cache.programs, pending._cache.steps = type(before[0])(), {}
    pending._cache.strikes = 0
    yield
    flush()
    pending._cache.programs, pending._cache.steps, pending._cache.strikes = before


def _step(v, x):
    with tf.GradientTape() as tape:
        y = tf.tanh(x * v)
        for _ in range(3):
            y = tf.sin(y) + 0.5 * y
        loss = tf.reduce_sum(y * y)
    v.assign_sub(0.1 * tape.gradient(loss, v))
    return loss


def _kept(kind):
    programs = pending._cache.programs
    return [len(key.equations) for key, program in programs.items() if isinstance(program, kind)]


def _variable():
    return tf.Variable(np.arange(300, dtype=np.float32) / 300)


def _expected(steps):
    v, x = _variable(), _ONES
    for _ in range(steps):
        _step(v, x)
        flush()
    return v.numpy()


def test_what_stands_behind_a_known_step_is_compiled_alone():
    expected = _expected(4)
    pending._cache.programs.clear()
    pending._cache.steps.clear()
    v, x = _variable(), _ONES
    for _ in range(4):
        loss = _step(v, x)  # each outermost tape runs the step before
    read = (tf.reduce_max(v) - loss).numpy()
    assert read == np.float32(expected.max() - loss.numpy())
    np.testing.assert_array_equal(v.numpy(), expected)
    step, rest = sorted(_kept(Program), reverse=True)
    assert rest < step / 4
    assert _kept(Split) == [step + rest]


def test_a_step_whose_values_the_rest_lacks_is_not_parted():
    v, x = _variable(), _ONES
    for _ in range(3):
        _step(v, x)  # nobody holds the loss
    loss = _step(v, x)
    assert np.isfinite((loss + tf.reduce_max(v)).numpy())
    assert not _kept(Split)


def test_a_gradient_of_what_the_step_computed_is_not_parted():
    v, w, x = _variable(), tf.Variable(_ONES.numpy()), _ONES

    def half(more):
        with tf.GradientTape(persistent=True) as tape:
            y = tf.exp(x * w) * 2.0
            for _ in range(6):
                y = tf.sin(y) + 0.5
        v.assign_add(y)
        return y, tape.gradient(y, w) if more else None

    for _ in range(3):
        held = half(more=False)
    assert held[1] is None
    assert half(more=True)[1].numpy().shape == (300,)
    assert not _kept(Split)


_fails = [False]


@op
def _fragile(x):
    if _fails[0]:
        raise RuntimeError("broken kernel")
    return x


def test_if_the_rest_fails_the_step_has_happened():
    _fragile(tf.constant(1.0))  # the signature is known: what fails is the run
    expected = _expected(3)
    v, x = _variable(), _ONES
    for _ in range(3):
        loss = _step(v, x)
    y = _fragile(tf.reduce_max(v)) - loss
    _fails[0] = True
    with pytest.raises(RuntimeError, match="broken kernel"):
        y.numpy()
    _fails[0] = False
    np.testing.assert_array_equal(v.numpy(), expected)
    assert (_fragile(tf.reduce_max(v)) - loss).numpy() == expected.max() - loss.numpy()


def test_a_variable_that_step_and_rest_assign_survives_a_failing_rest():
    _fragile(tf.constant(1.0))
    expected = _expected(2)
    v, x = _variable(), _ONES
    for _ in range(3):
        loss = _step(v, x)  # two ran, the third is pending
    v.assign(_fragile(v) + loss)
    _fails[0] = True
    with pytest.raises(RuntimeError, match="broken kernel"):
        v.numpy()
    _fails[0] = False
    assert not _kept(Split)
    np.testing.assert_array_equal(v.numpy(), expected)


def test_interrupting_the_rest_keeps_the_step(monkeypatch):
    expected = _expected(3)
    v, x = _variable(), _ONES
    for _ in range(3):
        loss = _step(v, x)
    y = tf.reduce_max(v) - loss
    run = pending._cache.run

    def interrupted(key, inputs, parts=None):
        if parts is None and len(key.equations) < 5:
            raise KeyboardInterrupt
        return run(key, inputs, parts)

    monkeypatch.setattr(pending._cache, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        y.numpy()
    monkeypatch.undo()
    np.testing.assert_array_equal(v.numpy(), expected)


def test_asking_a_dataset_for_the_next_element_ends_the_step():
    v = tf.Variable(np.ones(4, np.float32))
    data = tf.data.Dataset.from_tensor_slices(np.ones([20, 4], np.float32))
    compiled = []
    for x in data:
        compiled.append(tf.stats.compiles)
        y = x * v
        for _ in range(8):
            y = tf.tanh(y) + 0.5 * y
        v.assign(y / tf.reduce_max(y))
    compiled.append(tf.stats.compiles)
    assert v._tensor._value is not None
    assert compiled[-1] - compiled[0] == 1


def test_elements_of_little_work_run_together():
    total, before = 0.0, tf.stats.flushes
    for x in tf.data.Dataset.from_tensor_slices(np.ones(64, np.float32)):
        total += x
    assert total.numpy() == 64
    assert tf.stats.flushes - before < 10


def test_under_a_tape_elements_stay_together():
    v = tf.Variable(2.0)
    data = tf.data.Dataset.from_tensor_slices(np.ones([8, 3], np.float32))
    before = tf.stats.flushes
    with tf.GradientTape() as tape:
        loss = 0.0
        for x in data:
            y = x * v
            for _ in range(8):
                y = tf.tanh(y) + 0.5 * y
            loss += tf.reduce_sum(y)
    assert tf.stats.flushes == before
    assert np.isfinite(tape.gradient(loss, v).numpy())


def test_functions_that_record_the_same_share_a_compiled_program():
    def made(factor):
        return tf.function(lambda x: tf.sin(x) * factor + tf.cos(x))

    x = tf.constant([0.0, 1.0, 2.0])
    first = made(3.25)(x).numpy()
    before = tf.stats.compiles
    np.testing.assert_array_equal(made(3.25)(x).numpy(), first)
    assert tf.stats.compiles == before
    # A number in the program, the type of its arguments: anything else is another program.
    np.testing.assert_allclose(
        made(2.0)(x).numpy(), 2 * np.sin(x.numpy()) + np.cos(x.numpy()), 1e-6
    )
    assert made(3.25)(tf.constant([1.0])).shape == [1]
    assert tf.stats.compiles == before + 2


def test_functions_with_variables_of_their_own_share_a_program_and_keep_their_states():
    def counter(start):
        total = tf.Variable(tf.fill([300], start))

        @tf.function
        def step(x):
            total.assign_add(x * 0.5)  # the variable's buffer is overwritten
            return tf.reduce_sum(total)

        return step

    x = tf.ones([300])
    one, two = counter(1.0), counter(10.0)
    assert float(one(x)) == 300 * 1.5
    before = tf.stats.compiles
    assert float(two(x)) == 300 * 10.5
    assert float(one(x)) == 300 * 2.0
    assert tf.stats.compiles == before


def test_the_programs_of_functions_are_bounded():
    before = tf.config.cache_size
    tf.config.cache_size = 8
    try:
        x = tf.constant(1.0)
        for i in range(6):
            tf.function(lambda x, i=i: tf.sin(x) + float(i))(x)
        assert len(program._shared) == 2
    finally:
        tf.config.cache_size = before
