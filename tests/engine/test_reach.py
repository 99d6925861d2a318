"""Second derivatives exist where a gradient depends on the source, as in TensorFlow."""

import pytest

import lamina as tf


def gradients_twice(compute, *values):
    """Return, for each gradient of `compute`, its own gradients."""
    variables = [tf.Variable(v) for v in values]
    with tf.GradientTape(persistent=True) as outer:
        with tf.GradientTape() as inner:
            y = compute(*variables)
        first = inner.gradient(y, variables)
    return [outer.gradient(g, variables) for g in first]


def numbers(found):
    return [[None if g is None else float(g) for g in row] for row in found]


def test_a_linear_function_has_no_second_derivative_by_the_same_variable():
    found = gradients_twice(lambda w, b, x: x * w + b, 1.0, 2.0, 3.0)
    assert numbers(found) == [[None, None, 1.0], [None, None, None], [1.0, None, None]]


@pytest.mark.parametrize(
    ("compute", "values", "expected"),
    [
        (lambda x: x * x * 1.0, [3.0], [[2.0]]),
        (lambda x: tf.square(x), [3.0], [[2.0]]),
        (lambda x: x - 1.0, [3.0], [[None]]),
        (lambda x: tf.nn.relu(x), [2.0], [[0.0]]),
        (lambda w, x: w * w * x, [1.0, 3.0], [[6.0, 2.0], [2.0, None]]),
        (lambda x, y: x / y, [1.0, 2.0], [[None, -0.25], [-0.25, 0.25]]),
    ],
    ids=["product", "square", "shift", "relu", "mixed", "quotient"],
)
def test_zero_where_it_depends_and_none_where_it_does_not(compute, values, expected):
    assert numbers(gradients_twice(compute, *values)) == expected


def test_matmul_by_the_other_factor_only():
    w, x = tf.Variable([[1.0, 2.0]]), tf.Variable([[3.0], [4.0]])
    with tf.GradientTape(persistent=True) as outer:
        with tf.GradientTape() as inner:
            y = tf.matmul(w, x)
        dw = inner.gradient(y, w)
    assert outer.gradient(dw, w) is None
    assert outer.gradient(dw, x).numpy().tolist() == [[1.0], [1.0]]


def test_a_called_function_is_taken_as_one():
    compute = tf.function(lambda w, x: w * w * x)
    assert numbers(gradients_twice(compute, 1.0, 3.0)) == [[6.0, 2.0], [2.0, 0.0]]


def test_a_path_that_carries_nothing_does_not_hide_one_that_does():
    w, x = tf.Variable(2.0), tf.Variable(3.0)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = w * x + x * x
        dx = inner.gradient(y, x)
    assert float(outer.gradient(dx, x)) == 2.0
