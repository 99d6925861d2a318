"""The functions of tf on RaggedTensors; values are TensorFlow 2.21's."""

import numpy as np
import pytest

import lamina as tf
from lamina.engine import errors

RT = tf.ragged.constant([[1, 2], [3]])
FT = tf.ragged.constant([[1.0, 2.0], [3.0]])
PAIRS = tf.ragged.constant([[[1, 2], [3, 4]], [[5, 6]]], ragged_rank=1)


@pytest.mark.parametrize(
    ("found", "rows"),
    [
        (lambda: RT + 1, [[2, 3], [4]]),
        (lambda: 2**RT, [[2, 4], [8]]),
        (lambda: RT // 2, [[0, 1], [1]]),
        (lambda: -RT, [[-1, -2], [-3]]),
        (lambda: RT < 2, [[True, False], [False]]),
        (lambda: (RT > 1) & (RT < 3), [[False, True], [False]]),
        (lambda: RT + tf.constant([[10], [20]]), [[11, 12], [23]]),
        (lambda: tf.constant([[10], [20]]) * RT, [[10, 20], [60]]),
        (lambda: tf.cast(RT, tf.float32), [[1.0, 2.0], [3.0]]),
        (lambda: tf.where(RT > 1, RT, 0), [[0, 2], [3]]),
        (lambda: tf.concat([RT, RT], axis=1), [[1, 2, 1, 2], [3, 3]]),
        (lambda: tf.concat([RT, [[9]]], axis=0), [[1, 2], [3], [9]]),
        (lambda: tf.stack([RT, RT]), [[[1, 2], [3]], [[1, 2], [3]]]),
        (lambda: tf.gather(RT, [1, 0]), [[3], [1, 2]]),
        (lambda: tf.gather([10, 20, 30, 40], RT), [[20, 30], [40]]),
        (lambda: tf.gather(RT, [[0], [0]], batch_dims=1), [[1], [3]]),
        (lambda: tf.tile(RT, [1, 2]), [[1, 2, 1, 2], [3, 3]]),
        (lambda: tf.tile(RT, [2, 1]), [[1, 2], [3], [1, 2], [3]]),
        (lambda: tf.expand_dims(RT, 1), [[[1, 2]], [[3]]]),
        (lambda: tf.expand_dims(RT, 2), [[[1], [2]], [[3]]]),
        (lambda: tf.squeeze(tf.expand_dims(RT, 0), 0), [[1, 2], [3]]),
        (lambda: tf.reverse(RT, [1]), [[2, 1], [3]]),
        (lambda: tf.reverse(PAIRS, [2]), [[[2, 1], [4, 3]], [[6, 5]]]),
        (lambda: tf.tile(PAIRS, [1, 1, 2]), [[[1, 2, 1, 2], [3, 4, 3, 4]], [[5, 6, 5, 6]]]),
        (lambda: tf.zeros_like(RT), [[0, 0], [0]]),
        (lambda: tf.cumsum(RT), [[1, 2], [4]]),
        (lambda: tf.clip_by_value(RT, 1, 2), [[1, 2], [2]]),
        (lambda: tf.strings.upper(tf.ragged.constant([["a"], ["b"]])), [[b"A"], [b"B"]]),
        (lambda: tf.map_fn(lambda r: r * 2, RT), [[2, 4], [6]]),
        (lambda: tf.ragged.boolean_mask(RT, RT > 1), [[2], [3]]),
        (lambda: tf.ragged.stack([[1, 2], [3]]), [[1, 2], [3]]),
        (lambda: tf.ragged.range([1, 2], [4, 4]), [[1, 2, 3], [2, 3]]),
        (lambda: tf.ragged.stack_dynamic_partitions([1, 2, 3], [0, 1, 0], 3), [[1, 3], [2], []]),
        (lambda: tf.ragged.map_flat_values(tf.add, RT, RT), [[2, 4], [6]]),
        (
            lambda: tf.ragged.cross([RT, RT]),
            [[b"1_X_1", b"1_X_2", b"2_X_1", b"2_X_2"], [b"3_X_3"]],
        ),
        (lambda: tf.ragged.cross_hashed([RT, RT], num_buckets=100), [[41, 57, 16, 91], [85]]),
        (lambda: tf.split(RT, 2)[1], [[3]]),
        (lambda: tf.broadcast_to(tf.constant(7), tf.shape(RT)), [[7, 7], [7]]),
        (lambda: tf.reshape(tf.constant([4, 5, 6]), tf.shape(RT)), [[4, 5], [6]]),
        (lambda: tf.nn.embedding_lookup([5, 6, 7, 8], RT), [[6, 7], [8]]),
    ],
)
def test_values(found, rows):
    assert found().to_list() == rows


@pytest.mark.parametrize(
    ("found", "value"),
    [
        (lambda: tf.reduce_sum(RT), 6),
        (lambda: tf.reduce_sum(RT, axis=0), [4, 2]),
        (lambda: tf.reduce_sum(RT, axis=1), [3, 3]),
        (lambda: tf.reduce_sum(RT, axis=[0, 1]), 6),
        (lambda: tf.reduce_max(RT, axis=1), [2, 3]),
        (lambda: tf.reduce_mean(RT, axis=1), [1.5, 3.0]),
        (lambda: tf.reduce_prod(RT, axis=0), [3, 2]),
        (lambda: tf.reduce_any(RT > 1, axis=1), [True, True]),
        (lambda: tf.reduce_all(RT > 1, axis=1), [False, True]),
        (lambda: tf.math.reduce_std(FT, axis=1), [0.5, 0.0]),
        (lambda: tf.size(RT), 3),
        (lambda: tf.rank(RT), 2),
        (lambda: tf.where(RT > 1), [[0, 1], [1, 0]]),
        (lambda: tf.reshape(RT, [-1]), [1, 2, 3]),
        (lambda: tf.gather_nd(RT, [[0, 1]]), [2]),
        (lambda: tf.math.bincount(RT), [0, 1, 1, 1]),
        (lambda: tf.map_fn(tf.reduce_sum, RT, fn_output_signature=tf.int32), [3, 3]),
        (lambda: tf.one_hot(RT, 3).to_tensor()[1, 0], [0.0, 0.0, 0.0]),
    ],
)
def test_dense_results(found, value):
    assert found().numpy().tolist() == value


def test_mean_of_integers_is_float64_as_in_tensorflow():
    assert tf.reduce_mean(RT, axis=1).dtype is tf.float64


def test_softmax_is_taken_in_each_row():
    found = tf.nn.softmax(FT).to_list()
    assert found[0] == pytest.approx([0.26894143, 0.7310586])
    assert found[1] == [1.0]


def test_matmul_multiplies_row_by_row():
    a = tf.ragged.constant([[[1.0, 2], [3, 4]], [[5.0, 6]]], ragged_rank=1)
    assert tf.matmul(a, tf.ones([2, 2, 1])).to_list() == [[[3.0], [7.0]], [[11.0]]]


def test_shape_holds_row_lengths():
    found = tf.shape(RT)
    assert repr(found) == "<DynamicRaggedShape lengths=[2, (2, 1)] num_row_partitions=1>"
    assert found[0].numpy() == 2
    with pytest.raises(ValueError, match="not uniform"):
        found[1]


def test_different_rows_do_not_broadcast():
    with pytest.raises(errors.InvalidArgumentError, match="rows of equal lengths"):
        RT + tf.ragged.constant([[1], [3, 4]])


def test_map_fn_makes_ragged_rows_of_a_dense_input():
    spec = tf.RaggedTensorSpec([None], tf.int32)
    assert tf.map_fn(tf.range, tf.constant([2, 0, 1]), fn_output_signature=spec).to_list() == [
        [0, 1],
        [],
        [0],
    ]


def test_unknown_functions_say_what_to_do():
    with pytest.raises(TypeError, match="to_tensor"):
        tf.sort(RT)
    with pytest.raises(ValueError, match="needs an `axis`"):
        tf.squeeze(RT)


def test_reduce_max_of_a_nested_axis_is_ragged():
    rt = tf.ragged.constant([[[1, 5], [2]], [[3]]])
    assert tf.reduce_max(rt, axis=1).to_list() == [[2, 5], [3]]
    assert tf.reduce_max(rt, axis=0).to_list() == [[3, 5], [2]]
    assert tf.reduce_sum(rt, axis=2).to_list() == [[6, 2], [3]]


def test_fill_empty_rows_and_its_gradient():
    found = tf.ragged_fill_empty_rows([0, 2], [1, 2], 4, 9)
    assert found.output_values.numpy().tolist() == [1, 9, 2, 9]
    assert found.reverse_index_map.numpy().tolist() == [0, 2]
    grads = tf.ragged_fill_empty_rows_grad([0, 2], [1.0, 5.0, 2.0, 3.0])
    assert grads.d_values.numpy().tolist() == [1.0, 2.0]
    assert grads.d_default_value.numpy() == 8.0


def test_means_of_integers_are_float_over_all_axes_too():
    x = tf.ragged.constant([[1, 2], [4], []])
    assert tf.reduce_mean(x).dtype is tf.float64
    np.testing.assert_allclose(tf.reduce_mean(x), 7 / 3)
    np.testing.assert_allclose(tf.math.reduce_variance(x), np.var([1, 2, 4]))
    np.testing.assert_allclose(tf.math.reduce_std(x), np.std([1, 2, 4]))


def test_matrices_of_other_widths_are_stacked_and_multiplied():
    b = tf.ragged.stack([tf.ones([3, 2]), tf.ones([3, 4])])
    assert b.shape == [2, None, None]
    found = tf.matmul(tf.ones([2, 1, 3]), b)
    assert found.to_list() == [[[3.0] * 2], [[3.0] * 4]]
    even = tf.ragged.constant([[1.0, 2.0], [3.0, 4.0]])
    assert tf.matmul(even, tf.ones([2, 1])).numpy().tolist() == [[3.0], [7.0]]
    with pytest.raises(tf.errors.InvalidArgumentError, match="may not be ragged in their inn"):
        tf.matmul(tf.ragged.constant([[1.0], [2.0, 3.0]]), tf.ones([2, 1]))


def test_gather_of_one_index_a_row():
    x = tf.ragged.constant([[1, 2], [3, 4, 5]])
    assert tf.gather(x, [1, 2], batch_dims=1).numpy().tolist() == [2, 5]
