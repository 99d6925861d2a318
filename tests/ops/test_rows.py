"""tf.IndexedSlices: rows of a larger Tensor, as one value of several Tensors."""

import pytest

import lamina as tf


def rows(dense=True):
    return tf.IndexedSlices(
        tf.constant([[1.0], [2.0]]), tf.constant([4, 0]), tf.constant([5, 1]) if dense else None
    )


@pytest.mark.parametrize("dense", [True, False])
def test_a_function_takes_and_returns_rows(dense):
    @tf.function
    def doubled(s):
        return tf.IndexedSlices(s.values * 2.0, s.indices, s.dense_shape)

    found = doubled(rows(dense))
    assert isinstance(found, tf.IndexedSlices)
    assert found.values.numpy().tolist() == [[2.0], [4.0]]
    assert found.indices.numpy().tolist() == [4, 0]
    assert (found.dense_shape is not None) == dense


def test_the_shape_is_known_in_a_function():
    assert tf.function(lambda s: tf.zeros(s.shape))(rows()).shape == [5, 1]
    assert tf.function(lambda s: tf.zeros(s.dense_shape))(rows()).shape == [5, 1]


def test_nest_takes_rows_apart_if_asked():
    assert len(tf.nest.flatten(rows(), expand_composites=True)) == 3
    assert len(tf.nest.flatten(rows())) == 1


def test_cond_chooses_among_rows():
    found = tf.cond(tf.constant(False), lambda: rows(False), lambda: rows(False))
    assert found.values.numpy().tolist() == [[1.0], [2.0]]


def test_rows_are_output_gradients():
    x = tf.Variable(tf.ones([5, 1]))
    with tf.GradientTape() as tape:
        y = 3.0 * x
    grad = tape.gradient(y, x, output_gradients=rows())
    assert grad.numpy().ravel().tolist() == [6.0, 0.0, 0.0, 0.0, 3.0]


def test_the_spec_of_rows():
    spec = tf.type_spec_from_value(rows())
    assert spec.value_type is tf.IndexedSlices
    assert spec.is_compatible_with(rows())
    assert tf.data.Dataset.from_tensors(rows()).element_spec == spec


def test_values_of_several_tensors_are_tensors():
    ragged = tf.ragged.constant([[1], [2, 3]])
    assert tf.is_tensor(rows())
    assert tf.is_tensor(ragged)
    assert tf.is_tensor(tf.sparse.from_dense([1, 0]))
    assert not tf.is_tensor(tf.data.Dataset.range(2))
    assert not tf.is_tensor(ragged.row_splits.numpy())


@pytest.mark.parametrize("change", [0, 1])
def test_a_function_may_compute_the_dense_shape(change):
    f = tf.function(lambda v, i, n: tf.IndexedSlices(v, i, n + change if change else n))
    found = f(tf.ones([1, 2]), tf.constant([0]), tf.constant([3, 2]))
    assert found.shape == [3 + change, 2 + change]
    g = tf.function(lambda v, i, n: tf.SparseTensor(i, v, n + change if change else n))
    found = g(tf.ones([1]), tf.constant([[2]], tf.int64), tf.constant([3], tf.int64))
    assert found.shape == [3 + change]
