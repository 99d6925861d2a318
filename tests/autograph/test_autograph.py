"""AutoGraph: each construct gives in a `tf.function` what Python gives."""

import re
import traceback
import warnings

import numpy as np
import pytest

import lamina as tf


def sign(x):
    if x > 0:
        y = x * 2
    elif x < -5:
        y = x * 0
    else:
        y = -x
    return y


def early(x):
    if x > 10:
        return x
    if x > 0:
        return x * 2.0
    return -x


def halvings(x):
    n = 0
    while x > 1.0:
        x = x / 2.0
        n += 1
    return n, x


def middle(x):
    total = 0.0
    for v in x:
        if v > 3.0:
            break
        if v < 1.0:
            continue
        total += v
    return total


def squares(n):
    total = 0
    for i in tf.range(n):
        total += i * i
    return total


def python_range(n):
    total = 0
    for i in range(n):
        total += i
    return total


def stepped_range(n):
    total = 0
    for i in tf.range(1, n, 3):
        total += i
    return total


def listed(x):
    out = []
    for v in x:
        w = v if v > 2.0 else 0.0
        out.append(w * w)
    return tf.stack(out), len(out)


def long_list(x):
    out = [x]
    for i in tf.range(40):
        out.append(x * tf.cast(i, tf.float32))
    return tf.stack(out)


def found(x):
    for v in x:
        if v > 2.0:
            return v * 10
    return -1.0


def forever(x):
    while True:
        x = x * 2
        if x > 100.0:
            break
    return x


def logic(x):
    return (x > 0 and not x > 5) or x == 7.0


def chained(x):
    return 1 if 0.0 < x < 5.0 else 2


def nested(x):
    total = 0.0
    for row in x:
        for v in row:
            if v > 0.0:
                total += v
    return total


def inner_function(n):
    def double(k):
        if k > 3:
            return k * 2
        return k

    return double(n) + double(n * 2)


def lambdas(x):
    pick = lambda v: v if v > 0 else -v  # noqa: E731
    return pick(x) + pick(-x)


def recursive(n):
    return helper(n, 3)


def helper(n, depth):
    if depth == 0:
        return n
    if n > 5:
        n = n - 1
    return helper(n + 1, depth - 1)


def numbered(x):
    total = 0.0
    for i, (a, b) in enumerate(zip(x, x * 2, strict=True)):
        if a > 1.0:
            total += tf.cast(i, tf.float32) * b
    return total


def python_break(x):
    total = 0.0
    for k in (1.0, 2.0, 3.0):
        if x < k:
            break
        total += k
    return total


def arrays(n):
    array = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
    for i in tf.range(40):
        array = array.write(i, tf.cast(i * n, tf.float32))
    return array.stack()


def fixed_array(n):
    array = tf.TensorArray(tf.int32, size=4)
    i = 0
    while i < n:
        array = array.write(i, i * i)
        i += 1
    return array.stack()


def dictionary(x):
    state = {"a": x, "n": 0}
    while state["a"] < 10.0:
        state["a"] = state["a"] * 2.0
        state["n"] = state["n"] + 1
    return state["a"], state["n"]


def assertion(x):
    assert x > 0, f"x must be positive, not {x}"
    if x > 1:
        return x
    return x + 1


def builtins_of_tensors(x):
    if x > 0:
        x = max(x, 2.5)
    return int(x), float(x), min(x, 3.0), abs(-x)


def mapped(x):
    return tf.map_fn(lambda v: v if v > 1.0 else -v, x)


def none_at_first(x):
    best = -1.0
    at = -1
    for i, v in enumerate(x):
        if v > best:
            best, at = v, i
    return best, at


def only_python(x, n=3):
    out = []
    for i in range(n):
        if i % 2:
            out.append(x * i)
    if x > 0:
        x = x + 1
    return x, out


CASES = [
    (sign, 1.0),
    (sign, -1.0),
    (sign, -7.0),
    (early, 20.0),
    (early, 3.0),
    (early, -3.0),
    (halvings, 37.0),
    (halvings, 0.5),
    (middle, [0.5, 1.0, 2.0, 4.0, 5.0]),
    (squares, 5),
    (squares, 0),
    (python_range, 5),
    (stepped_range, 12),
    (listed, [1.0, 2.0, 3.0]),
    (long_list, 2.0),
    (found, [1.0, 2.0, 3.0]),
    (found, [1.0, 2.0]),
    (forever, 3.0),
    (logic, 3.0),
    (logic, 6.0),
    (logic, 7.0),
    (chained, 3.0),
    (chained, 5.0),
    (nested, [[1.0, -2.0], [3.0, 4.0]]),
    (inner_function, 2),
    (lambdas, -4.0),
    (recursive, 5),
    (numbered, [1.0, 2.0, 3.0]),
    (python_break, 2.5),
    (python_break, 9.0),
    (arrays, 2),
    (fixed_array, 3),
    (dictionary, 1.5),
    (assertion, 0.5),
    (builtins_of_tensors, 2.0),
    (mapped, [0.5, 2.0]),
    (none_at_first, [1.0, 3.0, 2.0]),
    (only_python, 2.0),
]


@pytest.mark.parametrize(("fn", "value"), CASES, ids=lambda v: getattr(v, "__name__", None))
def test_construct_gives_pythons_result(fn, value):
    value = tf.constant(value)
    wanted = tf.nest.flatten(fn(value))
    compiled = tf.function(fn)
    given = tf.nest.flatten(compiled(value))
    assert compiled._eager_because is None
    assert compiled.experimental_get_tracing_count() == 1
    for a, b in zip(wanted, given, strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-6)


def gradient(fn, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = fn(x)
    return tape.gradient(y, x)


def summed(x):
    total = 0.0
    for v in x:
        if v > 1.0:
            total += v * v
    return total


def grown(x):
    while x < 50.0:
        x = x * x + 1.0
    return x


def bounded(x):
    while x < 50.0:
        tf.autograph.experimental.set_loop_options(maximum_iterations=10)
        x = x * x + 1.0
    return x


def powers(x):
    y = 1.0
    for _ in tf.range(tf.cast(x, tf.int32)):
        y = y * x
    return y


@pytest.mark.parametrize(
    ("fn", "value"),
    [
        (sign, -7.0),
        (early, 3.0),
        (summed, [0.5, 2.0, 3.0]),
        (grown, 1.5),
        (bounded, 1.5),
        (powers, 3.0),
    ],
)
def test_gradients_are_pythons(fn, value):
    x = tf.constant(value)
    wanted = gradient(fn, x)
    compiled = tf.function(fn)
    np.testing.assert_allclose(gradient(compiled, x), wanted, rtol=1e-5)
    inside = tf.function(lambda v: gradient(fn, v))
    np.testing.assert_allclose(inside(x), wanted, rtol=1e-5)
    assert compiled._eager_because is None
    assert inside._eager_because is None


def test_nothing_is_converted_without_control_flow_on_tensors():
    @tf.function
    def plain(x, n):
        for _ in range(n):
            x = x + 1.0
        return x

    plain(tf.constant(1.0), 3)
    assert not plain._converted


def test_methods_super_closures_and_variables():
    class Base:
        def step(self, x):
            if x > 0:
                return x + 1.0
            return x - 1.0

    class Counter(Base):
        def __init__(self):
            self.count = tf.Variable(0)

        @tf.function
        def __call__(self, x):
            if x > 0:
                self.count.assign_add(1)
            for _ in tf.range(self.count):
                self.count.assign_add(10)
            return super().step(x)

    counter = Counter()
    assert counter(tf.constant(2.0)).numpy() == 3.0
    assert counter.count.numpy() == 11
    assert counter(tf.constant(-2.0)).numpy() == -3.0
    assert counter.count.numpy() == 121


def test_layer_call_train_step_and_loss_are_converted():
    class Gate(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = tf.keras.layers.Dense(1)

        def call(self, x):
            y = self.dense(x)
            if tf.reduce_mean(x) > 0.0:
                return y
            return -y

    def loss(y, p):
        error = tf.reduce_mean(tf.square(y - p), axis=-1)
        if tf.reduce_max(error) > 100.0:
            error = error / 10.0
        return error

    model = Gate()
    model.compile("sgd", loss)
    x = np.ones((8, 3), "float32")
    model.fit(x, np.ones((8, 1), "float32"), batch_size=4, verbose=0)
    assert model.train_function._eager_because is None
    assert model.train_function._converted
    np.testing.assert_allclose(model.predict(-x, verbose=0), -model.dense(-x), rtol=1e-6)


def test_a_loop_over_a_dataset_runs_in_python():
    @tf.function
    def total(dataset):
        result = tf.constant(0, tf.int64)
        for x in dataset:
            if x > 1:
                result += x
        return result

    assert total(tf.data.Dataset.range(5)).numpy() == 9
    assert total(tf.data.Dataset.range(4)).numpy() == 5


def test_print_shows_values_when_the_program_runs(capfd):
    @tf.function
    def show(x):
        if x > 0:
            print("x is", x)
        return x

    show(tf.constant(3))
    assert "x is 3" in capfd.readouterr().out


def test_an_error_inside_a_branch_shows_the_users_line():
    def fails(x):
        if x > 0:
            x = x * 2
            x = tf.reshape(x, (7,))
        return x

    with pytest.raises(tf.errors.InvalidArgumentError, match="reshape") as caught:
        tf.function(fails)(tf.constant(1.0))
    frames = traceback.extract_tb(caught.value.__traceback__)
    lines = [f.line for f in frames if f.filename == __file__]
    assert "x = tf.reshape(x, (7,))" in lines
    assert {f.name for f in frames if f.line == "x = tf.reshape(x, (7,))"} == {"fails"}


def one_branch(x):
    if x > 0:
        y = x
    return y


def dtypes_differ(x):
    if x > 0:  # noqa: SIM108  # a statement is what is tested
        y = x
    else:
        y = tf.constant(1)
    return y


def loop_dtype(x):
    n = tf.constant(0)
    while x > 0:
        n = tf.constant(0.5)
        x = x - 1
    return n


def loop_shape(x):
    y = tf.zeros((1,))
    while x > 0:
        y = tf.concat([y, y], 0)
        x = x - 1
    return y


def line_of(fn, offset):
    return f"{__file__}, line {fn.__code__.co_firstlineno + offset}, in {fn.__name__}"


@pytest.mark.parametrize(
    ("fn", "offset", "kind", "text"),
    [
        (
            one_branch,
            1,
            UnboundLocalError,
            "the `if` at {}: `y` is assigned in one branch only, and read afterwards, where either "
            "may have run.\n  Fix: assign it in both branches, or before.",
        ),
        (
            dtypes_differ,
            1,
            TypeError,
            "the `if` at {}: `y` must have one dtype; it is float32 if the condition holds and "
            "int32 if not.\n  Fix: tf.cast one of them.",
        ),
        (
            loop_dtype,
            2,
            TypeError,
            "the `while` at {}: `n` must have one dtype; it is int32 before an iteration and "
            "float32 after it.\n  Fix: tf.cast one of them.",
        ),
        (
            loop_shape,
            2,
            ValueError,
            "the `while` at {}: `y` must keep its shape in a loop on Tensors; it is (1,) before an "
            "iteration and (2,) after it.\n  Fix: give it its final shape before the loop, or use "
            "tf.TensorArray; with set_loop_options(shape_invariants=...) the function runs "
            "eagerly.",
        ),
    ],
)
def test_errors_name_the_statement_and_the_fix(fn, offset, kind, text):
    with pytest.raises(kind) as caught:
        tf.function(fn)(tf.constant(1.0))
    assert str(caught.value) == text.format(line_of(fn, offset))


def generator(x):
    if x > 0:
        yield x


def uses_generator(x):
    return list(generator(x))


def counts_by_nonlocal(x):
    n = 0

    def add():
        nonlocal n
        n += 1

    for _ in range(3):
        add()
    if x > 0:
        return x * n
    return x


def other_shape(x):
    if x > 0:
        return tf.zeros((3,))
    return tf.zeros((2,))


def other_object(x):
    fn = tf.nn.relu if x > 0 else tf.tanh
    return fn(x)


def a_value(x):
    if x > 0:
        return float(x.numpy()) * 2
    return 0.0


def sometimes(x):  # noqa: RET503  # what is tested
    if x > 0:
        return x


@pytest.mark.parametrize(
    ("fn", "line", "reason"),
    [
        (uses_generator, "if x > 0:", "`generator` .* as it is: generators are not supported"),
        (counts_by_nonlocal, "if x > 0:", "as it is: `nonlocal` is not supported"),
        (other_shape, "if x > 0:", ""),
        (other_object, "fn = tf", ""),
        (a_value, "return float", ""),
        (sometimes, "if x > 0:", ""),
    ],
)
def test_what_cannot_be_converted_runs_eagerly_after_one_warning(fn, line, reason):
    x = tf.constant(2.0)
    compiled = tf.function(fn)
    with pytest.warns(UserWarning, match="runs eagerly from now on") as caught:
        given = compiled(x)
    assert len(caught) == 1
    assert __file__ in str(caught[0].message)
    if reason:
        assert re.search(reason, str(caught[0].message))
    wanted = list(generator(x)) if fn is uses_generator else fn(x)
    for a, b in zip(tf.nest.flatten(wanted), tf.nest.flatten(given), strict=True):
        np.testing.assert_allclose(a, b)
    compiled(x)  # without a warning


def test_autograph_false_and_do_not_convert_leave_functions_alone():
    with pytest.warns(UserWarning, match="runs eagerly from now on"):
        assert tf.function(sign, autograph=False)(tf.constant(2.0)).numpy() == 4.0
    kept = tf.autograph.experimental.do_not_convert(sign)
    with pytest.warns(UserWarning, match="runs eagerly from now on"):
        assert tf.function(lambda x: kept(x))(tf.constant(2.0)).numpy() == 4.0


def test_to_graph_and_to_code():
    assert tf.autograph.to_graph(sign)(tf.constant(2.0)).numpy() == 4.0
    assert "ag__.if_stmt" in tf.autograph.to_code(sign)
    assert "ag__.if_stmt" in tf.autograph.to_code(tf.function(sign))
    with pytest.raises(ValueError, match="`generator` cannot be converted"):
        tf.autograph.to_code(generator)


def test_an_item_that_one_branch_makes_is_left_to_python():
    @tf.function
    def f(x):
        found = {"x": x}
        if found["x"] > 0:
            found["y"] = x * 2
        return found

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert list(f(tf.constant(-1))) == ["x"]
        assert f(tf.constant(2))["y"].numpy() == 4


def test_a_variable_of_one_branch_is_a_value_error_as_in_tensorflow():
    with pytest.raises(ValueError, match="`y` is assigned in one branch only"):
        tf.function(one_branch)(tf.constant(1.0))


def test_handlers_that_name_the_error_are_converted():
    @tf.function
    def f(x, flag, sizes):
        try:
            y = x + sizes["a"]
        except KeyError as error:
            y = x + len(error.args)
        if flag:
            y = y * 2
        return y

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert f(tf.constant(1), tf.constant(True), {"a": 4}).numpy() == 10
        assert f(tf.constant(1), tf.constant(True), {}).numpy() == 4
        assert f(tf.constant(1), tf.constant(False), {}).numpy() == 2


def test_handlers_in_loops_and_errors_from_errors():
    class Wrapped(Exception):
        pass

    @tf.function
    def total(x, items):
        for i in tf.range(3):
            for item in items:
                try:
                    x += int(item)
                except ValueError as error:
                    if item == "stop":
                        raise Wrapped(item) from error
                    x += len(str(error.args[0])) * 0
            if x > 100:
                x -= i
        return x

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert total(tf.constant(1), ("1", "x")).numpy() == 4
        with pytest.raises(Wrapped) as caught:
            total(tf.constant(1), ("stop",))
    assert isinstance(caught.value.__cause__, ValueError)
