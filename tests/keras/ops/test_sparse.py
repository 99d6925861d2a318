"""Functions of keras.ops, and layers, on sparse Tensors: what stays sparse, and the numbers."""

import numpy as np
import pytest

import lamina as tf

ops, layers = tf.keras.ops, tf.keras.layers
A = np.float32([[1, 0, -2], [0, 0, 4]])
B = np.float32([[0, 0, 3], [0, -5, 2]])
D = np.float32([[2, 1, -1], [3, 1, 0.5]])


def sparse(x):
    return tf.sparse.from_dense(x)


def check(found, wanted, is_sparse):
    assert isinstance(found, tf.SparseTensor) is is_sparse
    np.testing.assert_allclose(ops.convert_to_numpy(found), wanted, rtol=1e-6)


@pytest.mark.parametrize("name", ["absolute", "ceil", "negative", "sign", "sin", "square", "tanh"])
def test_functions_that_keep_zero_keep_places(name):
    check(getattr(ops, name)(sparse(A)), getattr(np, name)(A), True)


@pytest.mark.parametrize("name", ["cos", "exp", "isfinite", "cosh"])
def test_functions_that_change_zero_make_it_dense(name):
    check(getattr(ops, name)(sparse(A)), getattr(np, name)(A), False)


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "maximum", "minimum"])
def test_functions_of_two(name):
    of_two, wanted = getattr(ops, name), getattr(np, name)
    check(of_two(sparse(A), sparse(B)), wanted(A, B), True)
    check(of_two(sparse(A), D), wanted(A, D), name == "multiply")
    check(of_two(D, sparse(A)), wanted(D, A), name == "multiply")
    check(of_two(sparse(A), 2.0), wanted(A, 2.0), name == "multiply")


def test_quotients_are_sparse_where_the_first_alone_is():
    check(ops.divide(sparse(A), D), A / D, True)
    check(ops.divide(D, sparse(D)), D / D, False)


def test_shapes_and_sums_stay_sparse():
    x = sparse(A)
    check(ops.transpose(x), A.T, True)
    check(ops.reshape(x, (3, 2)), A.reshape(3, 2), True)
    check(ops.squeeze(ops.expand_dims(x, 1)), A, True)
    check(ops.sum(x, axis=1), A.sum(1), True)
    check(ops.matmul(x, ops.transpose(x)), A @ A.T, True)


def test_indicators_and_counts_can_be_sparse():
    check(ops.one_hot([2, 0], 3, sparse=True), np.eye(3)[[2, 0]], True)
    check(ops.multi_hot([[2, 0]], 3, sparse=True), [[1, 0, 1]], True)
    check(ops.bincount([2, 0, 2], sparse=True), [1, 0, 2], True)
    check(ops.bincount(sparse(np.int32([2, 0, 2]))), [1, 0, 2], True)


def test_joined_values_are_sparse_if_all_are():
    wanted = np.concatenate([A, B])
    check(ops.concatenate([sparse(A), sparse(B)]), wanted, True)
    check(ops.concatenate([sparse(A), B]), wanted, False)


def test_a_function_without_a_rule_says_so():
    with pytest.raises(TypeError, match="got a SparseTensor of shape"):
        ops.mean(sparse(A))


@pytest.mark.parametrize(
    ("layer", "wanted"),
    [
        (layers.Maximum(), np.maximum(A, B)),
        (layers.Minimum(), np.minimum(A, B)),
        (layers.Subtract(), A - B),
        (layers.Dot(axes=1), (A * B).sum(1, keepdims=True)),
    ],
)
def test_merging_layers_of_sparse_inputs_are_sparse(layer, wanted):
    check(layer([sparse(A), sparse(B)]), wanted, True)


def test_dot_of_a_sparse_and_a_dense_input_is_dense():
    check(layers.Dot(axes=1)([sparse(A), D]), (A * D).sum(1, keepdims=True), False)


def test_embedding_looks_up_0_where_a_sparse_input_has_nothing():
    layer = layers.Embedding(4, 2, weights=[np.arange(8.0).reshape(4, 2)], mask_zero=True)
    x = np.array([[0, 1], [3, 0]])
    check(layer(sparse(x)), layer(x).numpy(), False)
    assert layer.compute_mask(sparse(x)).numpy().tolist() == [[False, True], [True, False]]


def test_functions_of_one_take_ragged_values():
    found = ops.square(tf.ragged.constant([[1.0, 2.0], [3.0]]))
    assert found.to_list() == [[1.0, 4.0], [9.0]]
