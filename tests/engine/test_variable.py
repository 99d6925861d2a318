"""Variable: values, assignments, slices, what it refuses, copies."""

import copy
import pickle

import numpy as np
import pytest

import lamina as tf


def test_assignments_replace_add_and_subtract():
    v = tf.Variable([1.0, 2.0])
    assert v.assign([3.0, 4.0]) is v
    v.assign_add([1.0, 1.0]).assign_sub(tf.constant([0.5, 0.0]))
    assert v.numpy().tolist() == [3.5, 5.0]


def test_value_read_before_an_assignment_stays():
    v = tf.Variable(1.0)
    before, later = v.value(), v + 0.0
    v.assign(5.0)
    assert (before.numpy(), later.numpy(), v.read_value().numpy()) == (1.0, 1.0, 5.0)


def test_slices_are_assigned():
    expected = np.arange(12, dtype=np.float32).reshape(3, 4)
    v = tf.Variable(expected)
    new = np.array([[10.0, 20.0], [30.0, 40.0]], np.float32)
    v[1:, ::2].assign(new)
    expected[1:, ::2] = new
    assert np.array_equal(v.numpy(), expected)


def test_slices_by_tensor_index_and_of_one_element():
    v = tf.Variable(tf.zeros([3, 2]))
    v[tf.constant(1)].assign([1.0, 2.0])
    v[-1, 0].assign(5.0)
    assert v.numpy().tolist() == [[0.0, 0.0], [1.0, 2.0], [5.0, 0.0]]


def test_slices_are_assigned_in_a_function():
    v = tf.Variable(tf.zeros([3]))

    @tf.function
    def put(i, x):
        v[i].assign(x)

    put(tf.constant(2), tf.constant(4.0))
    put(tf.constant(0), tf.constant(1.0))
    assert v.numpy().tolist() == [1.0, 0.0, 4.0]


def test_scatter_methods():
    v = tf.Variable([1.0, 2.0, 3.0])
    v.scatter_nd_update([[0], [2]], [9.0, 8.0])
    v.scatter_nd_add([[1]], [1.0])
    v.scatter_update(tf.IndexedSlices(tf.constant([0.5]), tf.constant([0])))
    v.scatter_sub(tf.IndexedSlices(tf.constant([1.0]), tf.constant([2])))
    assert v.numpy().tolist() == [0.5, 3.0, 7.0]


def test_uninitialized_variable_waits_for_its_first_value():
    v = tf.Variable(shape=(None, 2), dtype=tf.float32, name="table")
    assert not v.is_initialized()
    assert v.shape.as_list() == [None, 2]
    assert "uninitialized" in repr(v)
    with pytest.raises(tf.errors.FailedPreconditionError) as raised:
        v + 1.0
    assert str(raised.value) == (
        'Variable "table": read before it got a value (shape (None, 2), dtype float32).\n'
        "  Fix: assign it first, or pass initial_value."
    )
    v.assign(tf.ones([3, 2]))
    v.assign(tf.ones([1, 2]))
    assert v.numpy().shape == (1, 2)


def test_uninitialized_variable_is_assigned_in_a_function():
    v = tf.Variable(shape=(2,), dtype=tf.float32)
    tf.function(lambda: v.assign([1.0, 2.0]))()
    assert v.numpy().tolist() == [1.0, 2.0]


def test_unspecified_shape_allows_any_value():
    v = tf.Variable([1.0], shape=tf.TensorShape(None))
    v.assign([[1.0, 2.0]])
    assert v.value().shape == (1, 2)
    w = tf.Variable(1.0, validate_shape=False)
    w.assign([2.0, 3.0])
    assert w.numpy().tolist() == [2.0, 3.0]


def test_initial_value_forms():
    assert tf.Variable(lambda: tf.ones([2])).shape == (2,)
    assert tf.Variable(1).dtype is tf.int32
    assert tf.Variable(1, dtype=tf.float64).dtype is tf.float64
    assert tf.Variable("text").numpy() == b"text"
    source = np.ones(3, np.float32)
    v = tf.Variable(source)
    source[:] = 7.0
    assert v.numpy().tolist() == [1.0] * 3


def test_accepted_arguments_are_kept():
    def positive(x):
        return tf.maximum(x, 0.0)

    v = tf.Variable(1.0, trainable=False, constraint=positive, aggregation="mean", name="scale")
    assert (v.trainable, v.constraint, v.aggregation, v.name) == (
        False,
        positive,
        "mean",
        "scale:0",
    )
    assert tf.Variable(1.0).trainable


def test_names_follow_the_scope():
    with tf.name_scope("encoder"), tf.name_scope("dense"):
        assert tf.Variable(1.0, name="kernel").name == "encoder/dense/kernel:0"


def test_optimizer_applies_the_constraint():
    v = tf.Variable([1.0, -1.0], constraint=lambda x: tf.maximum(x, 0.0))
    tf.keras.optimizers.SGD(1.0).apply_gradients([(tf.constant([2.0, 0.0]), v)])
    assert v.numpy().tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("act", "error", "text"),
    [
        (
            lambda v: v.assign([1.0]),
            ValueError,
            'Variable "v": the value must have shape (2,); got shape (1,), dtype float32.\n'
            "  Fix: reshape the value, or make the variable with shape=tf.TensorShape(None).",
        ),
        (lambda v: v.assign_add(tf.ones([3, 2])), ValueError, "must have shape (2,)"),
        (lambda v: v.assign(tf.constant([1, 2])), ValueError, "must have dtype float32"),
        (lambda v: tf.Variable(), ValueError, "`initial_value` must be given; got None"),
        (lambda v: tf.Variable([1.0], shape=(3,)), ValueError, "must have shape (3,)"),
        (lambda v: bool(v), tf.errors.InvalidArgumentError, "a condition must be a single value"),
        (lambda v: v.missing, AttributeError, "missing"),
    ],
)
def test_mistakes_are_explained_and_change_nothing(act, error, text):
    v = tf.Variable([1.0, 2.0], name="v")
    with pytest.raises(error) as raised:
        act(v)
    assert text in str(raised.value)
    assert v.numpy().tolist() == [1.0, 2.0]


def test_in_place_operators_are_refused_or_rebind():
    v = w = tf.Variable(1.0)
    with pytest.raises((TypeError, RuntimeError, NotImplementedError), match="is not supported"):
        v += 1.0
    assert w.numpy() == 1.0


def test_variables_are_hashable_and_compare_by_value():
    v, w = tf.Variable([1.0, 2.0]), tf.Variable([1.0, 3.0])
    assert len({v, w, v}) == 2
    assert (v == w).numpy().tolist() == [True, False]
    assert v.ref() == v.ref()
    assert v.ref() != w.ref()
    assert v.ref().deref() is v


def test_copies_are_independent():
    v = tf.Variable([1.0], name="v", trainable=False)
    copies = [copy.copy(v), copy.deepcopy(v), pickle.loads(pickle.dumps(v))]
    v.assign([5.0])
    for other in copies:
        assert other.numpy().tolist() == [1.0]
        assert (other.name, other.trainable, other.dtype) == ("v:0", False, tf.float32)
        other.assign_add([1.0])
    assert v.numpy().tolist() == [5.0]


def test_deepcopy_keeps_sharing():
    v = tf.Variable(1.0)
    first, second = copy.deepcopy([v, v])
    assert first is second
    assert first is not v


def test_pickle_of_uninitialized_and_64_bit_variables():
    v = pickle.loads(pickle.dumps(tf.Variable(shape=(2,), dtype=tf.float64)))
    assert not v.is_initialized()
    assert v.assign([1.0, 2.0]).dtype is tf.float64


def test_int64_variable_stays_64_bit():
    v = tf.Variable(np.int64(2**40))
    v.assign_add(1)
    assert v.numpy() == 2**40 + 1


def test_variables_swap():
    v, w = tf.Variable(np.zeros(500, np.float32)), tf.Variable(np.ones(500, np.float32))
    for _ in range(3):
        a, b = v.value(), w.value()
        v.assign(b)
        w.assign(a)
    assert (v.numpy()[0], w.numpy()[0]) == (1.0, 0.0)

    @tf.function
    def swap():
        a, b = v.value(), w.value()
        v.assign(b)
        w.assign(a)

    for _ in range(3):
        swap()
    assert (v.numpy()[0], w.numpy()[0]) == (0.0, 1.0)


def test_variable_is_used_like_a_tensor():
    v = tf.Variable([1.0, 2.0])
    assert (2.0 * v + v).numpy().tolist() == [3.0, 6.0]
    assert np.add(v, 1.0).tolist() == [2.0, 3.0]
    assert [float(x) for x in v] == [1.0, 2.0]
    assert float(tf.Variable(2.0)) == 2.0
    assert list(range(4))[tf.Variable(2)] == 2


def test_a_variable_in_a_function_may_start_from_the_shape_of_an_argument():
    class Average(tf.Module):
        total = None

        def __call__(self, x):
            if self.total is None:
                self.total = tf.Variable(tf.zeros_like(x))
                self.scale = tf.Variable(tf.ones_like(tf.reduce_mean(x, 0)))
            self.total.assign_add(x)
            return self.total * self.scale

    run = tf.function(Average()).get_concrete_function(tf.TensorSpec([2, 3]))
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(run(tf.constant(x)), x)
    np.testing.assert_array_equal(run(tf.constant(x)), 2 * x)

    @tf.function
    def start(x):
        return tf.Variable(x)

    with pytest.raises(ValueError, match="must not be computed inside"):
        start.get_concrete_function(tf.TensorSpec([2]))
