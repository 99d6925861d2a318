"""tf.debugging and tf.print."""

import sys

import jax
import pytest

import lamina as tf

d = tf.debugging
ONE, TWO = tf.constant([1.0]), tf.constant([2.0])


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("assert_equal", (ONE, ONE), (ONE, TWO)),
        ("assert_none_equal", (ONE, TWO), (ONE, ONE)),
        ("assert_less", (ONE, TWO), (TWO, ONE)),
        ("assert_less_equal", (ONE, ONE), (TWO, ONE)),
        ("assert_greater", (TWO, ONE), (ONE, ONE)),
        ("assert_greater_equal", (ONE, ONE), (ONE, TWO)),
        ("assert_positive", (ONE,), (ONE - 1.0,)),
        ("assert_non_negative", (ONE - 1.0,), (-ONE,)),
        ("assert_near", (ONE, ONE + 1e-7), (ONE, TWO)),
    ],
)
def test_assertions_on_values(name, good, bad):
    check = getattr(d, name)
    assert check(*good) is None
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        check(*bad, message="my words")
    assert str(raised.value).startswith(f"my words\ntf.debugging.{name}: ")


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (lambda: d.assert_rank(ONE, 2), "expected rank 2; got shape (1,)"),
        (lambda: d.assert_rank([1, 2], 0), "expected rank 0; got shape (2,)"),
        (lambda: d.assert_rank_at_least(1.0, 1), "expected rank at least 1; got shape ()"),
        (lambda: d.assert_scalar(ONE), "expected rank 0"),
        (
            lambda: d.assert_shapes([(ONE, ("N",)), (tf.ones([2]), ("N",))]),
            "a shape ('N',) was expected with N=1; got (2,)",
        ),
    ],
)
def test_assertions_on_shapes(check, text):
    with pytest.raises(ValueError, match=r"tf.debugging") as raised:
        check()
    assert text in str(raised.value)


def test_assertions_that_hold():
    d.assert_rank(ONE, 1)
    assert d.assert_scalar(3.0) == 3.0
    d.assert_shapes([(tf.ones([2, 3]), ("N", "D")), (tf.ones([3]), ("D",)), (ONE, (None,))])
    d.assert_type(ONE, tf.float32)
    d.Assert(ONE > 0.0, [ONE])
    with pytest.raises(TypeError, match=r"expected .*int32.*; got float32"):
        d.assert_type(ONE, tf.int32)
    with pytest.raises(tf.errors.InvalidArgumentError, match="the condition must hold; got"):
        d.Assert(ONE > 2.0, [ONE])


@pytest.mark.parametrize(("value", "kind"), [(float("nan"), "NaN"), (float("inf"), "Inf")])
def test_check_numerics(value, kind):
    x = tf.constant([1.0, value])
    for check in (d.check_numerics, d.assert_all_finite):
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=f"loss : Tensor had {kind} values"
        ):
            check(x, "loss")
    assert d.check_numerics(ONE, "loss") is ONE


def test_known_conditions_are_checked_in_functions():
    @tf.function
    def f(x):
        d.assert_equal(tf.shape(x)[0], 3)
        return x

    assert f(tf.ones([3])).shape == (3,)
    with pytest.raises(tf.errors.InvalidArgumentError, match="x == y"):
        f(tf.ones([2]))


def test_print(capsys, tmp_path):
    tf.print("loss", tf.constant(1.5), [tf.constant(2)], sep="|", end="!")
    assert capsys.readouterr().err == "loss|1.5|[2]!"
    tf.print(tf.range(10), output_stream=sys.stdout)
    assert capsys.readouterr().out == "[0 1 2 ... 7 8 9]\n"
    tf.print(tf.range(8), summarize=-1, output_stream=f"file://{tmp_path}/log")
    assert (tmp_path / "log").read_text() == "[0 1 2 3 4 5 6 7]\n"


def test_print_in_a_function_prints_at_each_run(capsys):
    @tf.function
    def f(x):
        tf.print("x =", x, output_stream=sys.stdout)
        return x + 1.0

    for value in (1.0, 2.0):
        f(tf.constant(value)).numpy()
    jax.effects_barrier()
    assert capsys.readouterr().out.split("\n")[:2] == ["x = 1", "x = 2"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (tf.constant([1.0, 0.1, 1 / 3, 1e10, -0.0]), "[1 0.1 ... 1e+10 -0]"),
        (tf.constant(1 / 3, tf.float64), "0.33333333333333331"),
        (tf.constant(0.1, tf.float16), "0.0999755859"),
        (tf.constant([True, False]), "[1 0]"),
        (tf.constant([["a", "b"]]), '[["a" "b"]]'),
        (["x", 1, 2.0, None, tf.constant("s")], "['x', 1, 2.0, None, \"s\"]"),
        ((tf.constant([1.0]),), "([1],)"),
        ({"k": "v", "a": tf.constant(1.0)}, "{'a': 1, 'k': 'v'}"),
        (tf.ragged.constant([[1.0, 2.0], []]), "[[1.000000, 2.000000], []]"),
        (tf.ragged.constant([[1] * 9]), "[[1, 1, 1, ..., 1, 1, 1]]"),
        (
            tf.sparse.from_dense([0, 1.5]),
            "'SparseTensor(indices=[[1]], values=[1.5], shape=[2])'",
        ),
    ],
)
def test_print_writes_values_as_tensorflow_does(value, text, capsys):
    tf.print(value, summarize=2 if text.startswith("[1 0.1") else 3, output_stream=sys.stdout)
    assert capsys.readouterr().out == text + "\n"


def test_format_writes_values_as_print_does():
    rows = tf.ragged.constant([[1.5], []])
    text = tf.strings.format("{} {}", (tf.constant([1.0, 1 / 3]), rows)).numpy()
    assert text == b"[1 0.333333343] [[1.500000], []]"


def test_print_of_structures_in_a_function(capsys):
    @tf.function
    def f(x, rows):
        tf.print("v:", [x, "a"], {"k": x}, rows, output_stream=sys.stdout)
        return x + 1.0

    f(tf.constant([1.0, 2.0]), tf.ragged.constant([[1], [2, 3]])).numpy()
    jax.effects_barrier()
    assert capsys.readouterr().out == "v: [[1 2], 'a'] {'k': [1 2]} [[1], [2, 3]]\n"


def test_summarize_says_how_much_a_message_shows():
    x = tf.range(9)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"got \[0 \.\.\. 8\]; 0\.$"):
        d.assert_equal(x, 0, summarize=1)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"got a; \[0 1 2 3 4 5 6 7 8\]\.$"):
        d.Assert(False, ["a", x], summarize=-1)
    with pytest.raises(ValueError, match=r"got \(9,\), \[0 \.\.\. 8\]\.$"):
        d.assert_shapes([(x, (2,))], summarize=1)
    with pytest.raises(ValueError, match=r"got \(9,\), my data\.$"):
        d.assert_shapes([(x, (2,))], data=["my data"])


def test_assert_shapes_knows_leading_axes_letters_and_numbers():
    x = tf.ones([2, 3])
    for wanted in [(..., "D"), ("*", 3), "23", ("2", "."), ("*", 2, 3)]:
        d.assert_shapes([(x, wanted)])
    d.assert_shapes([(tf.ones([3]), 3), (x, (..., 3)), (tf.constant(1.0), ())])
    for wanted in [(..., 4), "32", 2, ("*", 1, 2, 3)]:
        with pytest.raises(ValueError, match=r"assert_shapes: a shape .* was expected"):
            d.assert_shapes([(x, wanted)])


def test_checks_of_floats_refuse_integers():
    with pytest.raises(TypeError, match="assert_near: `x` must be float or complex; got int32"):
        d.assert_near([1], [1])
    with pytest.raises(tf.errors.InvalidArgumentError, match="`tensor` must be float; got int32"):
        d.check_numerics([1], "m")
    d.assert_near(tf.constant([1.0], tf.bfloat16), [1.0])
