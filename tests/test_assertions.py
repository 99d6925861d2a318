"""Assertions on values that only the program has: the call of the function raises."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import lamina as tf
from lamina.engine import Program

Failed = tf.errors.InvalidArgumentError
d = tf.debugging
GOOD, BAD = tf.constant([1.0, 2.0]), tf.constant([1.0, -2.0])


def asserting(x):
    d.assert_positive(x, message="my words")
    return x * 2.0


def assert_fails(function, *args, match: str | None = "my words"):
    with pytest.raises(Failed, match=match) as raised:
        function(*args)
    assert raised.value.__cause__ is None
    return str(raised.value)


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (lambda x: d.assert_positive(x, "mine"), "mine\ntf.debugging.assert_positive: x > 0; got"),
        (lambda x: d.assert_equal(x, GOOD), "tf.debugging.assert_equal: x == y; got [1 -2]; [1 2]"),
        (lambda x: d.assert_near(x, GOOD), "tf.debugging.assert_near: x near y; got [1 -2]"),
        (
            lambda x: tf.Assert(tf.reduce_all(x > 0.0), ["x is", x, tf.constant("s"), 3]),
            'the condition must hold; got x is; [1 -2]; "s"; 3.',
        ),
    ],
)
def test_text_is_that_of_eager_code(check, text):
    function = tf.function(check)
    function(GOOD)
    found = assert_fails(function, BAD, match=None)
    assert text in found
    with pytest.raises(Failed) as eager:
        check(BAD)
    assert str(eager.value) == found


@pytest.mark.parametrize(("value", "kind"), [(float("nan"), "NaN"), (float("-inf"), "Inf")])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "complex64"])
def test_check_numerics(value, kind, dtype):
    for check in (d.check_numerics, d.assert_all_finite):
        function = tf.function(lambda x, check=check: check(x * 1, "loss") + 1)
        assert function(tf.cast([1.0], dtype)).shape == (1,)
        x = tf.cast(tf.constant([1.0, value]), dtype)
        text = assert_fails(function, x, match=f"loss : Tensor had {kind} values; shape")
        with pytest.raises(Failed) as eager:
            check(x, "loss")
        assert str(eager.value) == text


def test_summarize_and_a_result_nobody_uses():
    @tf.function
    def f(x):
        d.assert_less(x, 3.0, summarize=-1)

    assert "got [0 1 2 3 4 5 6 7]; 3." in assert_fails(f, tf.range(8.0), match=None)
    assert f(GOOD) is None


def test_assertions_return_what_they_did():
    @tf.function
    def f(x):
        with tf.control_dependencies([d.assert_positive(x, "my words")]):
            return tf.identity(x)

    assert f(GOOD).numpy().tolist() == [1.0, 2.0]
    assert_fails(f, BAD)


def test_state_is_as_before_and_the_next_call_works():
    big = tf.Variable(tf.zeros([512]))  # would be donated
    count = tf.Variable(0)

    @tf.function
    def step(x):
        count.assign_add(1)
        big.assign_add(tf.ones([512]))
        d.assert_positive(x, "my words")
        return big[0] + x

    for _ in range(2):
        before = count.numpy(), big.numpy()
        assert_fails(step, tf.constant(-1.0))
        assert (count.numpy(), big.numpy().tolist()) == (before[0], before[1].tolist())
        assert step(tf.constant(1.0)).numpy() == before[1][0] + 2.0


def branch(x):
    return tf.cond(x[0] > 0.0, lambda: asserting(x), lambda: x * 2.0)


def loop(x):
    return tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, asserting(a)), [0, x])[1]


def unbounded(x):
    def step(a):
        d.assert_less(a, 100.0, "my words")
        return (a + 1.0,)

    return tf.while_loop(lambda a: a >= 0.0, step, [x[1]])[0]


def inner(x):
    return tf.function(asserting)(x)


def twice(x):
    return branch(tf.map_fn(asserting, x))


@pytest.mark.parametrize(
    "fn",
    [
        branch,
        loop,
        inner,
        twice,
        lambda x: tf.map_fn(asserting, x),
        lambda x: tf.vectorized_map(asserting, x),
        lambda x: tf.scan(lambda a, b: asserting(b), x),
        lambda x: tf.recompute_grad(asserting)(x),
        lambda x: tf.switch_case(1, [lambda: x, lambda: asserting(x)]),
    ],
)
@pytest.mark.parametrize("wrap", [tf.function, lambda f: f])
def test_nested_programs(fn, wrap):
    function = wrap(fn)
    assert function(GOOD).shape == (2,)
    assert "got " in assert_fails(function, BAD)
    assert function(GOOD).shape == (2,)


def test_an_assertion_ends_a_loop():
    assert_fails(tf.function(unbounded), GOOD)


def test_a_branch_not_taken_asserts_nothing():
    x = -GOOD
    assert tf.function(branch)(x).numpy().tolist() == [-2.0, -4.0]
    rows = tf.constant([[-1.0, 2.0], [3.0, 4.0]])
    for wrap in (tf.function, lambda f: f):
        found = wrap(lambda x: tf.vectorized_map(branch, x))(rows)
        assert found.numpy().tolist() == (rows * 2.0).numpy().tolist()


@pytest.mark.parametrize("fn", [asserting, branch, loop, inner, tf.recompute_grad(asserting)])
def test_gradients(fn):
    @tf.function
    def inside(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(fn(x))
        return tape.gradient(y, x)

    def outside(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.reduce_sum(tf.function(fn)(x))
        return tape.gradient(y, x)

    expected = 8.0 if fn is loop else 2.0
    for function in (inside, outside):
        assert function(GOOD).numpy().tolist() == [expected] * 2
        assert_fails(function, BAD)
        assert function(GOOD).numpy().tolist() == [expected] * 2


def test_under_a_tape_the_call_raises_and_keeps_what_came_before():
    v = tf.Variable(1.0)
    f = tf.function(lambda x: asserting(x) * v)
    with tf.GradientTape() as tape:
        v.assign_add(1.0)
        try:
            f(BAD)
        except Failed:
            y = v * 3.0
    assert v.numpy() == 2.0
    assert tape.gradient(y, v).numpy() == 3.0


def test_autograph_assert():
    @tf.function
    def f(x):
        assert tf.reduce_all(x > 0.0), "my words"
        return x

    assert f(GOOD).shape == (2,)
    assert_fails(f, BAD)


class Guarded(tf.keras.layers.Layer):
    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], 1), initializer="ones")

    def call(self, x):
        d.assert_non_negative(x, "my words")
        return x @ self.kernel


def test_fit():
    model = tf.keras.Sequential([Guarded(), tf.keras.layers.Dense(1)])
    model.compile("adam", "mse")
    good, y = np.ones([8, 3], "float32"), np.zeros([8, 1], "float32")
    model.fit(good, y, batch_size=4, verbose=0)
    before = model.get_weights(), int(model.optimizer.iterations)
    for run in (model.fit, model.evaluate):
        with pytest.raises(Failed, match=r"my words\ntf\.debugging\.assert_non_negative"):
            run(-good, y, batch_size=4, verbose=0)
    with pytest.raises(Failed, match="my words"):
        model.predict(-good, verbose=0)
    for a, b in zip(before[0], model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert int(model.optimizer.iterations) == before[1]
    model.fit(good, y, batch_size=4, verbose=0)
    assert int(model.optimizer.iterations) == before[1] + 2
    assert not np.array_equal(before[0][0], model.get_weights()[0])


@pytest.mark.parametrize("batch", [None, 2])
def test_dataset_map(batch):
    data = tf.data.Dataset.from_tensor_slices(tf.constant([1.0, 2.0, -3.0, 4.0])).map(asserting)
    seen = []

    def run():
        for x in data if batch is None else data.batch(batch):
            seen.append(x.numpy().tolist())

    assert_fails(run)
    assert seen == ([2.0, 4.0] if batch is None else [[2.0, 4.0]])


def test_the_same_assertion_traced_again_is_the_same_program():
    def run():
        return tf.map_fn(asserting, GOOD).numpy()

    run()
    before = tf.stats.compiles
    for _ in range(3):
        run()
    assert tf.stats.compiles == before


def test_programs_without_assertions_run_as_before():
    plain = tf.function(lambda x: x * 2.0).get_concrete_function(GOOD)
    guarded = tf.function(asserting).get_concrete_function(GOOD)
    plain(GOOD)
    guarded(GOOD)
    assert (plain.trace.asserts, guarded.trace.asserts) == (False, True)
    assert type(plain._program) is Program
    assert type(guarded._program) is not Program


def test_in_threads_each_call_gets_its_own_error():
    f = tf.function(lambda x: d.assert_equal(x, -1))

    def call(i):
        return assert_fails(f, tf.constant(i), match="x == y")

    with ThreadPoolExecutor(4) as pool:
        texts = list(pool.map(call, range(16)))
    assert [f"got {i}; -1." in text for i, text in enumerate(texts)] == [True] * 16


def test_large_values_and_several_assertions():
    @tf.function
    def f(x):
        d.assert_less(x, 5.0, "first")
        y = tf.sort(x)
        d.assert_less(y, 3.0, "second")
        return y

    many = tf.ones([1 << 20])
    assert f(many).shape == many.shape
    assert_fails(f, many * 4.0, match="second")
    assert_fails(f, many * 6.0, match="first|second")


def test_second_derivatives_and_jacobians():
    cube = tf.function(lambda x: asserting(x) * x * x)

    def second(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = cube(x)
            first = tape.gradient(y, x)
        return outer.gradient(first, x), tape

    def jacobian(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = cube(x)
        return tape.jacobian(y, x)

    for wrap in (tf.function, lambda f: f):
        assert wrap(lambda x: second(x)[0])(GOOD).numpy().tolist() == [12.0, 24.0]
        assert wrap(jacobian)(GOOD).numpy().tolist() == [[6.0, 0.0], [0.0, 24.0]]
        assert_fails(wrap(jacobian), BAD)


def test_replicas():
    devices = tf.config.list_logical_devices("CPU")
    strategy = tf.distribute.MirroredStrategy([each.name for each in devices])

    @tf.function
    def step(x):
        return strategy.run(asserting, [x])

    for function in (step, lambda x: strategy.run(asserting, [x])):
        function(GOOD)
        assert_fails(function, BAD)


@pytest.mark.parametrize("fn", [asserting, branch, loop, twice, tf.recompute_grad(asserting)])
def test_saved_model_drops_assertions(fn, tmp_path):
    module = tf.Module()
    module.f = tf.function(fn, input_signature=[tf.TensorSpec([2])])
    for _ in range(2):  # before the program was compiled, and after that
        tf.saved_model.save(module, tmp_path)
        loaded = tf.saved_model.load(tmp_path)
        np.testing.assert_array_equal(loaded.f(GOOD), module.f(GOOD))
        assert loaded.f(BAD).shape == (2,)
        assert_fails(module.f, BAD)


def test_keras_export_save_and_functional_drop_assertions(tmp_path):
    model = tf.keras.Sequential([tf.keras.Input([3]), Guarded()])
    x = np.ones([2, 3], "float32")
    with pytest.raises(Failed, match="my words"):
        model.predict(-x, verbose=0)
    model.export(tmp_path / "m", verbose=False)
    served = tf.saved_model.load(tmp_path / "m").serve(-x)
    np.testing.assert_array_equal(served, np.full([2, 1], -3.0))
    model.export(tmp_path / "m.zip")
    np.testing.assert_array_equal(tf.keras.export.load(tmp_path / "m.zip")(-x), served)
    fn, params, state = tf.functional(model)
    np.testing.assert_array_equal(fn(params, state, tf.constant(-x))[0], served)


def test_a_failure_leaves_nothing_on_stderr():
    program = """
import lamina as tf
f = tf.function(lambda x: tf.debugging.assert_positive(x))
try:
    f(tf.constant(-1.0))
except tf.errors.InvalidArgumentError as error:
    print(error.message)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr == ""
    assert "assert_positive: x > 0; got -1." in done.stdout


def test_debug_stripper_leaves_assertions_and_prints_out_of_functions(capfd):
    @tf.function
    def shown(x):
        tf.print("seen", x)
        return d.check_numerics(asserting(x), "loss")

    worst = tf.constant([-np.inf])
    assert_fails(shown, worst)
    options = tf.config.optimizer.set_experimental_options
    options({"debug_stripper": True})
    try:
        capfd.readouterr()
        assert shown(worst)[0] == -np.inf
        assert "seen" not in capfd.readouterr().err
        assert_fails(asserting, worst)  # not in eager code
    finally:
        options({"debug_stripper": False})
    assert_fails(shown, worst)
