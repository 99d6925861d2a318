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


def test_gather_behind_the_first_axis_by_ragged_indices_and_within_batches():
    x = tf.ragged.constant([[[1, 2], [3, 4]], [[5, 6]]], ragged_rank=1)
    rows = tf.ragged.constant([[1], [0, 0]])
    assert tf.gather(x, rows, axis=2).to_list() == [
        [[[2], [1, 1]], [[4], [3, 3]]],
        [[[6], [5, 5]]],
    ]
    assert tf.gather(x, rows, axis=2, batch_dims=1).to_list() == [[[2], [4]], [[5, 5]]]
    assert tf.gather(x, [1, 0], axis=2, batch_dims=1).to_list() == [[2, 4], [5]]
    dense = tf.reshape(tf.range(6), [2, 3])
    assert tf.gather(dense, rows, axis=1).to_list() == [[[1], [0, 0]], [[4], [3, 3]]]
    with pytest.raises(ValueError, match="`batch_dims` must not exceed the rank"):
        tf.gather(x, 0, axis=2, batch_dims=1)
    with pytest.raises(ValueError, match="as many rows"):
        tf.gather(x, tf.ragged.constant([[0]]), axis=1, batch_dims=1)


def test_gather_nd_takes_the_policy_of_bad_indices():
    x = tf.ragged.constant([[1, 2], [3]])
    assert tf.gather_nd(x, [[1, 0]], bad_indices_policy="DEFAULT").numpy().tolist() == [3]
    with pytest.raises(ValueError, match="`bad_indices_policy`"):
        tf.gather_nd(x, [[1, 0]], bad_indices_policy="IGNORE")


def test_bitcast_reads_the_flat_values():
    found = tf.bitcast(tf.ragged.constant([[1.0], [2.0, 0.0]]), tf.int32)
    assert found.to_list() == [[1065353216], [1073741824, 0]]


def test_split_says_what_does_not_fit():
    x = tf.ragged.constant([[1], [2, 3], [4]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="3 rows must be a multiple"):
        tf.split(x, 2)
    with pytest.raises(TypeError, match="`num_or_size_splits` must be an integer or a vector"):
        tf.split(x, [[1, 2]])


def test_map_fn_checks_what_was_promised():
    x = tf.ragged.constant([[1, 2], [3]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="must return float32"):
        tf.map_fn(tf.reduce_sum, x, fn_output_signature=tf.float32)
    with pytest.raises(ValueError, match="as `fn_output_signature`"):
        tf.map_fn(tf.reduce_sum, x, fn_output_signature=tf.RaggedTensorSpec([None], tf.int32))


def test_partitions_are_scalars_and_ragged_beside_dense_data():
    stack = tf.ragged.stack_dynamic_partitions
    assert stack(["a", "b"], 1, 3).to_list() == [[], [[b"a", b"b"]], []]
    ids = tf.ragged.constant([[0, 1], [1, 2]])
    assert stack([["a", "b"], ["c", "d"]], ids, 3).to_list() == [[b"a"], [b"b", b"c"], [b"d"]]
    with pytest.raises(tf.errors.InvalidArgumentError, match="incompatible ragged shapes"):
        stack(tf.ragged.constant([["a"], ["b"]]), tf.ragged.constant([[0, 0], []]), 3)
    with pytest.raises(ValueError, match="must begin with that of `partitions`"):
        stack(["a", "b", "c"], [0, 1], 3)
    with pytest.raises(ValueError, match="`num_partitions` must be a scalar"):
        stack(["a"], [0], [3])


def test_range_steps_out_of_int32_and_refuses_what_is_too_long():
    found = tf.ragged.range(1136033460, -2110457150, -1849827689)
    assert found.to_list() == [[1136033460, -713794229]]
    with pytest.raises(tf.errors.InvalidArgumentError, match="too long for a row"):
        tf.ragged.range(0.5, 1e10, 1e-10)


def test_images_of_different_sizes_are_resized_to_one_batch():
    rng = np.random.default_rng(3)
    each = [rng.random([h, w, 2], np.float32) for h, w in ((4, 6), (3, 2))]
    images = tf.ragged.stack(each)
    found = tf.image.resize(images, [5, 4])
    assert found.shape == [2, 5, 4, 2]
    for row, image in zip(found, each, strict=True):
        np.testing.assert_allclose(row, tf.image.resize(image, [5, 4]), rtol=1e-6)
    assert tf.image.resize(images[:0], [5, 4]).shape == [0, 5, 4, 2]
    with pytest.raises(ValueError, match="4 axes"):
        tf.image.resize(images[0], [5, 4])


def test_vectorized_map_of_rows():
    x = tf.RaggedTensor.from_uniform_row_length(tf.ragged.constant([[1, 2], [3], [4], [5]]), 2)
    found = tf.vectorized_map(lambda row: row.to_tensor(shape=[2, 2]), x)
    assert found.numpy().tolist() == [[[1, 2], [3, 0]], [[4, 0], [5, 0]]]
    with pytest.raises(ValueError, match=r"tf\.vectorized_map: elems must have equally many rows"):
        tf.vectorized_map(lambda v: v[0], (x, tf.zeros([3])))


def test_reduce_logsumexp():
    rows = tf.ragged.constant([[1.0, 2.0], [3.0]])
    np.testing.assert_allclose(tf.reduce_logsumexp(rows, axis=1), [2.313262, 3.0], 1e-6)
    np.testing.assert_allclose(tf.reduce_logsumexp(rows, axis=0), [3.126928, 2.0], 1e-6)
    np.testing.assert_allclose(tf.reduce_logsumexp(rows), 3.407606, 1e-6)
    assert tf.reduce_logsumexp(rows, axis=1, keepdims=True).shape == (2, 1)
