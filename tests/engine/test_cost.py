import numpy as np
import pytest

import lamina as tf
from lamina.engine import close, flops, measure, signatures, size_of, symbolic_dim, type_of
from lamina.engine.dtypes import float32, int32


def cost(fn, *shapes, dtype=float32):
    closed, _ = close(fn, [type_of(shape, dtype) for shape in shapes], "test")
    return sum(flops(equation[0]) for equation in closed.trace.equations)


@pytest.mark.parametrize(
    ("fn", "shapes", "expected"),
    [
        (tf.matmul, [(3, 4), (4, 5)], 2 * 3 * 4 * 5),
        (tf.matmul, [(7, 3, 4), (7, 4, 5)], 7 * 2 * 3 * 4 * 5),
        (lambda a, b: tf.einsum("bqhd,bkhd->bhqk", a, b), [(2, 3, 4, 5), (2, 6, 4, 5)], 1440),
        (tf.add, [(3, 4), (4,)], 12),
        (tf.exp, [(3, 4)], 12),
        (lambda x: tf.reduce_sum(x, axis=1), [(3, 4)], 12),
        (lambda x: tf.reshape(x, (12,)), [(3, 4)], 0),
        (lambda x: tf.transpose(x), [(3, 4)], 0),
        (lambda x: x > 0.0, [(3, 4)], 0),
    ],
)
def test_flops_by_op(fn, shapes, expected):
    assert cost(fn, *shapes) == expected


def test_convolution_counts_two_for_each_multiply_add():
    found = cost(lambda x, w: tf.nn.conv2d(x, w, 2, "SAME"), (2, 8, 8, 3), (3, 3, 3, 5))
    assert found == 2 * (2 * 4 * 4 * 5) * (3 * 3 * 3)


def test_transposed_convolution_does_not_count_the_holes():
    def up(x, w):
        return tf.nn.conv2d_transpose(x, w, (1, 8, 8, 5), 2, "SAME")

    assert cost(up, (1, 4, 4, 3), (2, 2, 5, 3)) == 2 * (4 * 4 * 3) * (2 * 2 * 5)


def test_whole_numbers_count_nothing():
    assert cost(tf.add, (3,), (3,), dtype=int32) == 0


def test_scan_multiplies_by_its_length():
    def loop(x):
        return tf.scan(lambda a, e: a * e, x)

    assert cost(loop, (9, 4)) == pytest.approx(8 * 4)


def test_an_open_batch_counts_as_one_example():
    def dense(x, w):
        return tf.matmul(tf.reshape(x, (-1, 6)), w)

    assert cost(dense, (symbolic_dim(0), 2, 3), (6, 5)) == 2 * 6 * 5


def test_vjps_have_costs_too():
    tf.config.eager = "record"
    with tf.GradientTape() as tape:
        x = tf.constant(np.ones((2, 3), np.float32))
        tape.watch(x)
        y = tf.reduce_sum(tf.matmul(x, x, transpose_b=True))
    tape.gradient(y, x).numpy()
    names = [s for s in signatures if s.name.endswith("_vjp")]
    assert flops(names[-1].id) >= 0


def test_size_of_a_type():
    assert size_of(type_of((3, 4), float32)) == 48
    assert size_of(type_of((symbolic_dim(0), 4), float32)) == 16


def test_measure_runs_and_leaves_variables_alone():
    variable = tf.Variable(np.ones(3, np.float32))

    def fn(x):
        variable.assign_add(x)
        return variable * 2.0

    closed, _ = close(fn, [type_of((3,), float32)], "test")
    found = measure(closed, budget=0.001)
    assert found.seconds > 0
    assert found.bytes is None or found.bytes >= 12
    np.testing.assert_array_equal(variable.numpy(), np.ones(3))


def test_what_runs_on_the_host_counts_nothing():
    lookup = tf.keras.layers.StringLookup(vocabulary=["a", "b"])
    model = tf.keras.Sequential([tf.keras.Input((1,), dtype="string"), lookup])
    assert model.graph(tf.constant([["a"]])).flops == 0


def test_unknown_costs_say_so():
    from lamina.keras.viz.sizes import flops_text

    assert flops_text(float("nan")) == "? FLOP"
