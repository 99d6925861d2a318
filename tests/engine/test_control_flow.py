"""tf.cond, case, switch_case, while_loop, scan, map_fn, folds: eager and in tf.function."""

import numpy as np
import pytest

import lamina as tf
from tests.tolerances import assert_close

modes = pytest.mark.parametrize("mode", ["eager", "function"])


def _in(mode, fn):
    return tf.function(fn) if mode == "function" else fn


@modes
def test_cond(mode):
    f = _in(mode, lambda p, x: tf.cond(p, lambda: x * 2.0, lambda: -x))
    assert f(tf.constant(True), tf.constant(3.0)).numpy() == 6.0
    assert f(tf.constant(False), tf.constant(3.0)).numpy() == -3.0


@modes
def test_cond_assigns_in_the_branch_taken_only(mode):
    a, b = tf.Variable(0.0), tf.Variable(0.0)

    def then():
        a.assign_add(1.0)
        return a.value()

    def other():
        b.assign(b + 10.0)
        return b.value()

    f = _in(mode, lambda p: tf.cond(p, then, other))
    results = [f(tf.constant(p)).numpy() for p in (True, False, True)]
    assert results == [1.0, 10.0, 2.0]
    assert (a.numpy(), b.numpy()) == (2.0, 10.0)


@modes
def test_gradient_of_cond(mode):
    x = tf.Variable(3.0)

    def run(p):
        with tf.GradientTape() as tape:
            y = tf.cond(p, lambda: x * x, lambda: x * 5.0)
        return tape.gradient(y, x)

    f = _in(mode, run)
    assert (f(tf.constant(True)).numpy(), f(tf.constant(False)).numpy()) == (6.0, 5.0)


@modes
def test_nested_cond_and_structures(mode):
    def f(x):
        return tf.cond(
            x > 0.0,
            lambda: {"a": x, "b": [tf.cond(x > 1.0, lambda: x * 10.0, lambda: x)]},
            lambda: {"a": -x, "b": [x]},
        )

    g = _in(mode, f)
    found = [(float(o["a"]), float(o["b"][0])) for o in map(g, map(tf.constant, (2.0, 0.5, -1.0)))]
    assert found == [(2.0, 20.0), (0.5, 0.5), (1.0, -1.0)]


def test_cond_of_a_python_bool_is_pythons():
    assert tf.function(
        lambda: tf.cond(True, lambda: tf.ones([2]), lambda: tf.ones([3]))
    )().shape == (2,)


def test_unlike_branches_are_refused():
    p = tf.constant(True)
    for other, text in [
        (lambda: tf.constant(1), "the first branch returns int32(), branch 1 float32()"),
        (lambda: (tf.constant(1.0),) * 2, "must return the same structure"),
        (lambda: None, "must return the same"),
    ]:
        with pytest.raises(TypeError) as raised:
            tf.function(lambda p, other=other: tf.cond(p, lambda: tf.constant(1.0), other))(p)
        assert text in str(raised.value)
        assert str(raised.value).startswith("tf.cond: all branches must return")


@pytest.mark.parametrize(
    ("act", "error", "text"),
    [
        (lambda: tf.cond(tf.constant(True), 1, 2), TypeError, "`true_fn` must be a function"),
        (
            lambda: tf.cond(tf.constant([True, False]), int, int),
            tf.errors.InvalidArgumentError,
            "`pred` must be a single value; got shape (2,), dtype bool",
        ),
        (lambda: tf.case([]), ValueError, "at least one pair"),
        (
            lambda: tf.case([(True, int), (True, int)], exclusive=True),
            tf.errors.InvalidArgumentError,
            "at most one condition may hold; got [True, True]",
        ),
        (lambda: tf.switch_case(1, {0: int, 2: int}), ValueError, "must be 0 to 1; got [0, 2]"),
    ],
)
def test_mistakes_are_explained(act, error, text):
    with pytest.raises(error) as raised:
        act()
    assert text in str(raised.value)


@modes
def test_case_takes_the_first_that_holds(mode):
    def f(x):
        return tf.case(
            [(x < 0.0, lambda: tf.constant(-1)), (x < 10.0, lambda: tf.constant(1))],
            default=lambda: tf.constant(100),
        )

    g = _in(mode, f)
    assert [g(tf.constant(v)).numpy() for v in (-5.0, 5.0, 50.0)] == [-1, 1, 100]


PAIRS = [
    (lambda x: x > 1.0, lambda: tf.constant(1)),
    (lambda x: x > 2.0, lambda: tf.constant(2)),
    (lambda x: x < 0.0, lambda: tf.constant(3)),
]


@modes
@pytest.mark.parametrize("default", [None, lambda: tf.constant(9)])
def test_case_that_is_exclusive_raises_if_two_conditions_hold(mode, default):
    def f(x):
        return tf.case([(c(x), fn) for c, fn in PAIRS], default=default, exclusive=True)

    g = _in(mode, f)
    assert [g(tf.constant(v)).numpy() for v in (1.5, -1.0)] == [1, 3]
    with pytest.raises(tf.errors.InvalidArgumentError, match="at most one condition may hold; got"):
        g(tf.constant(3.0))


@modes
def test_case_without_a_default_raises_if_no_condition_holds(mode):
    g = _in(mode, lambda x: tf.case([(c(x), fn) for c, fn in PAIRS]))
    assert [g(tf.constant(v)).numpy() for v in (1.5, 3.0, -1.0)] == [1, 1, 3]
    with pytest.raises(tf.errors.InvalidArgumentError, match="there is no `default`; got"):
        g(tf.constant(0.5))


@pytest.mark.parametrize("pairs", [[(True, 3)], [3], [(True,)]])
def test_case_refuses_what_are_no_pairs(pairs):
    with pytest.raises(TypeError, match="must hold pairs"):
        tf.case(pairs)


@modes
def test_switch_case(mode):
    fns = {1: lambda: tf.constant(10), 0: lambda: tf.constant(0), 2: lambda: tf.constant(20)}
    f = _in(mode, lambda i: tf.switch_case(i, fns))
    assert [f(tf.constant(i)).numpy() for i in (0, 1, 2, 7, -1)] == [0, 10, 20, 20, 20]
    g = _in(
        mode, lambda i: tf.switch_case(i, [lambda: tf.constant(1)], default=lambda: tf.constant(9))
    )
    assert [g(tf.constant(i)).numpy() for i in (0, 1)] == [1, 9]


@modes
def test_while_loop(mode):
    f = _in(
        mode,
        lambda n: tf.while_loop(
            lambda i, _: i < n, lambda i, s: (i + 1, s + tf.cast(i, tf.float32)), (0, 0.0)
        ),
    )
    i, s = f(tf.constant(5))
    assert (i.numpy(), s.numpy()) == (5, 10.0)


@modes
def test_while_loop_over_a_dict_and_a_single_value(mode):
    f = _in(
        mode,
        lambda x: tf.while_loop(
            lambda v: v["n"] < 3,
            lambda v: {"n": v["n"] + 1, "x": v["x"] * 2.0},
            {"n": tf.constant(0), "x": x},
        ),
    )
    assert f(tf.constant(1.0))["x"].numpy() == 8.0
    g = _in(mode, lambda x: tf.while_loop(lambda v: v < 10.0, lambda v: v * 3.0, [x]))
    assert g(tf.constant(1.0))[0].numpy() == 27.0


@modes
def test_while_loop_stops_at_maximum_iterations(mode):
    f = _in(
        mode,
        lambda: tf.while_loop(
            lambda i: True, lambda i: [i + 1], [tf.constant(0)], maximum_iterations=4
        ),
    )
    assert f()[0].numpy() == 4


@modes
def test_while_loop_assigns_and_captures(mode):
    v, step = tf.Variable(1.0), tf.constant(3.0)

    def body(i):
        v.assign(v * step)
        return [i + 1]

    f = _in(mode, lambda: tf.while_loop(lambda i: (i < 5) & (v < 50.0), body, [tf.constant(0)]))
    assert f()[0].numpy() == 4
    assert v.numpy() == 81.0


@modes
def test_gradient_of_while_loop(mode):
    x = tf.Variable(3.0)

    def run():
        with tf.GradientTape() as tape:
            y = tf.while_loop(
                lambda v: v < 100.0, lambda v: [v * v], [x.value()], maximum_iterations=5
            )[0]
        return tape.gradient(y, x)

    assert _in(mode, run)().numpy() == 8 * 3.0**7


def _squared(x, order):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.while_loop(lambda v: v < 100.0, lambda v: [v * v], [x])[0]
        if order == 2:
            y = _squared(x, 1)
    return tape.gradient(y, x)


def test_unbounded_while_loop_has_first_derivatives_and_explains_second_ones():
    x = tf.constant(3.0)
    assert tf.function(lambda x: _squared(x, 1))(x).numpy() == 8 * 3.0**7
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"second derivative .* steps; got"):
        tf.function(lambda x: _squared(x, 2))(x)


@pytest.mark.parametrize("steps", [0, 1, 31, 32, 33, 70])
def test_gradient_from_checkpoints_is_that_of_the_steps(steps):
    scale = tf.Variable(1.01)

    def grown(x, n):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.while_loop(
                lambda i, y: i < n, lambda i, y: [i + 1, y * scale + tf.sin(y)], [0, x]
            )[1]
        return tape.gradient(y, [x, scale])

    x, n = tf.constant(0.01), tf.constant(steps)
    wanted = [g if g is not None else tf.constant(0.0) for g in grown(x, n)]
    for a, b in zip(tf.function(grown)(x, n), wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4)


def test_while_loop_must_keep_types():
    with pytest.raises(
        TypeError, match=r"must keep the shape and dtype .* float32\(\) for int32\(\)"
    ):
        tf.function(
            lambda: tf.while_loop(
                lambda i: i < 3, lambda i: [tf.cast(i, tf.float32)], [tf.constant(0)]
            )
        )()
    with pytest.raises((TypeError, ValueError)):
        tf.while_loop(lambda i: i < 3, lambda i: [i, i], [tf.constant(0)])


@modes
def test_scan_with_and_without_initializer(mode):
    x = tf.constant([1.0, 2.0, 3.0])
    f = _in(
        mode,
        lambda x: (
            tf.scan(lambda a, v: a * v, x),
            tf.scan(lambda a, v: a - v, x, 10.0, reverse=True),
        ),
    )
    plain, reverse = f(x)
    assert plain.numpy().tolist() == [1.0, 2.0, 6.0]
    assert reverse.numpy().tolist() == [4.0, 5.0, 7.0]


@modes
def test_scan_over_structures_assigns_and_differentiates(mode):
    v, w = tf.Variable(0.0), tf.Variable(2.0)

    def step(state, item):
        v.assign_add(item["b"])
        return [state[0] * w + item["a"], state[1] + 1]

    def run(a):
        with tf.GradientTape() as tape:
            total, count = tf.scan(
                step, {"a": a, "b": a * 10.0}, [tf.constant(1.0), tf.constant(0)]
            )
            y = total[-1]
        return total, count, tape.gradient(y, w)

    total, count, grad = _in(mode, run)(tf.constant([1.0, 2.0]))
    # ((1 w + 1) w + 2): d/dw = 2w + 1
    assert total.numpy().tolist() == [3.0, 8.0]
    assert count.numpy().tolist() == [1, 2]
    assert grad.numpy() == 5.0
    assert v.numpy() == 30.0


def test_scan_must_keep_the_state():
    with pytest.raises(TypeError, match=r"tf.scan: all branches must return the same|tf.scan: "):
        tf.scan(lambda a, v: tf.stack([a, v]), tf.constant([1.0, 2.0]), tf.constant(0.0))


@modes
def test_folds(mode):
    x = tf.constant([1.0, 2.0, 3.0])
    f = _in(
        mode,
        lambda x: (
            tf.foldl(lambda a, v: a - v, x),
            tf.foldr(lambda a, v: a - v, x),
            tf.foldl(lambda a, v: a + v, x, 100.0),
        ),
    )
    assert [float(t) for t in f(x)] == [-4.0, 0.0, 106.0]


@modes
def test_map_fn(mode):
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    f = _in(
        mode,
        lambda x: tf.map_fn(
            lambda pair: {"s": pair[0] + pair[1], "n": tf.reduce_sum(pair[0])},
            (x, x * 10.0),
            fn_output_signature={"s": tf.float32, "n": tf.float32},
        ),
    )
    out = f(x)
    assert out["s"].numpy().tolist() == [[11.0, 22.0], [33.0, 44.0]]
    assert out["n"].numpy().tolist() == [3.0, 7.0]


def test_map_fn_that_asks_for_values_runs_in_python():
    out = tf.map_fn(lambda x: x * 2.0 if float(x) > 1.0 else -x, tf.constant([1.0, 2.0]))
    assert out.numpy().tolist() == [-1.0, 4.0]


@modes
def test_map_fn_assigns_and_differentiates(mode):
    v, w = tf.Variable(0.0), tf.Variable(3.0)

    def each(x):
        v.assign_add(x)
        return x * w

    def run(x):
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(tf.map_fn(each, x))
        return tape.gradient(y, w)

    assert _in(mode, run)(tf.constant([1.0, 2.0])).numpy() == 3.0
    assert v.numpy() == 3.0


def test_lengths_that_differ_are_refused():
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)) as raised:
        tf.map_fn(lambda p: p[0] + p[1], (tf.ones([2]), tf.ones([3]))).numpy()
    assert "map_fn" in str(raised.value)


@modes
def test_vectorized_map(mode):
    w = tf.Variable([1.0, 2.0])
    x = tf.constant([[1.0, 1.0], [2.0, 3.0], [0.0, 1.0]])

    def run(x):
        with tf.GradientTape() as tape:
            y = tf.vectorized_map(lambda row: tf.reduce_sum(row * w), x)
        return y, tape.gradient(y, w)

    y, grad = _in(mode, run)(x)
    assert_close(y, [3.0, 8.0, 2.0])
    assert_close(grad, [3.0, 5.0])


def test_vectorized_map_refuses_assignments():
    v = tf.Variable(0.0, name="v")
    with pytest.raises(
        ValueError, match=r"must not assign variables; got assignments to \['v:0'\]"
    ):
        tf.vectorized_map(lambda x: v.assign_add(x).value(), tf.ones([2]))
    assert v.numpy() == 0.0


def test_loop_in_a_branch_in_a_loop():
    @tf.function
    def f(n):
        def body(i, s):
            def inner():
                return tf.while_loop(lambda j, _: j < i, lambda j, t: (j + 1, t + 1), (0, s))[1]

            return i + 1, tf.cond(i % 2 == 0, inner, lambda: s)

        return tf.while_loop(lambda i, _: i < n, body, (0, 0))[1]

    assert f(tf.constant(6)).numpy() == 0 + 2 + 4


def test_no_gradient_flows_through_a_loop_of_a_program_without_back_prop():
    v = tf.Variable(2.0)
    x = tf.constant([1.0, 2.0])
    loops = [
        lambda: tf.while_loop(
            lambda i, a: i < 3, lambda i, a: (i + 1, a * v), [0, 1.0], back_prop=False
        )[1],
        lambda: tf.map_fn(lambda e: e * v, x, back_prop=False),
        lambda: tf.scan(lambda a, e: a + e * v, x, back_prop=False),
        lambda: tf.foldl(lambda a, e: a + e * v, x, back_prop=False),
    ]

    def gradient(loop):
        with tf.GradientTape() as tape:
            y = loop()
        return tape.gradient(y, v)

    for loop in loops:
        assert gradient(loop) is not None  # eager loops are Python's, as in TF
        assert tf.function(gradient)(loop) is None


@pytest.mark.filterwarnings("ignore:tf.function")
def test_branches_may_return_other_shapes():
    @tf.function
    def f(p):
        return tf.cond(p, lambda: tf.zeros([2]), lambda: tf.ones([3]))

    assert f(tf.constant(True)).shape == [2]
    assert f(tf.constant(False)).shape == [3]


@pytest.mark.filterwarnings("ignore:tf.function")
def test_shape_invariants_let_a_loop_variable_grow():
    @tf.function
    def f(n):
        return tf.while_loop(
            lambda i, _: i < n,
            lambda i, v: (i + 1, tf.concat([v, [i]], 0)),
            (0, tf.constant([7])),
            shape_invariants=(tf.TensorShape([]), tf.TensorShape([None])),
        )[1]

    assert f(tf.constant(3)).numpy().tolist() == [7, 0, 1, 2]


def test_vectorized_map_repeats_a_single_row_and_checks_sizes():
    one, three = tf.constant([0.5]), tf.constant([1.0, 2.0, 3.0])
    for pair in ((one, three), (three, one)):
        assert tf.vectorized_map(sum, pair).numpy().tolist() == [1.5, 2.5, 3.5]
    with pytest.raises(ValueError, match="of one size along the first axis"):
        tf.vectorized_map(sum, (tf.zeros([2]), three))
    with pytest.raises(ValueError, match="of one size along the first axis"):
        tf.vectorized_map(lambda x: x, tf.constant(1.0))
