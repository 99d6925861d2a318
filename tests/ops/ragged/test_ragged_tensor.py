"""RaggedTensors: made, read, indexed, printed, differentiated; values are TensorFlow 2.21's."""

import numpy as np
import pytest

import lamina as tf
from lamina.engine import errors

RT = [[1, 2], [], [3]]


def ragged(rows=RT, **options):
    return tf.ragged.constant(rows, **options)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("from_row_splits", [0, 2, 2, 3]),
        ("from_row_lengths", [2, 0, 1]),
        ("from_row_starts", [0, 2, 2]),
        ("from_row_limits", [2, 2, 3]),
        ("from_value_rowids", [0, 0, 2]),
    ],
)
def test_each_constructor_cuts_the_same_rows(name, value):
    made = getattr(tf.RaggedTensor, name)([1, 2, 3], value)
    assert made.to_list() == RT
    assert made.row_splits.dtype is tf.int64
    assert made.shape.as_list() == [3, None]


def test_partitions_read_the_same_in_every_form():
    rt = ragged()
    assert rt.row_lengths().numpy().tolist() == [2, 0, 1]
    assert rt.row_starts().numpy().tolist() == [0, 2, 2]
    assert rt.row_limits().numpy().tolist() == [2, 2, 3]
    assert rt.value_rowids().numpy().tolist() == [0, 0, 2]
    assert rt.nrows().numpy() == 3
    assert rt.bounding_shape().numpy().tolist() == [3, 2]


def test_repr_is_tensorflows():
    assert repr(ragged()) == "<tf.RaggedTensor [[1, 2], [], [3]]>"
    assert repr(ragged([["a"], []])) == "<tf.RaggedTensor [[b'a'], []]>"
    assert repr(ragged([[1.5], [2, 3]])) == "<tf.RaggedTensor [[1.5], [2.0, 3.0]]>"
    assert repr(ragged([[1], [3]])) == "<tf.RaggedTensor [[1],\n [3]]>"


def test_uniform_inner_axes_stay_dense():
    made = ragged([[[1, 2]], [[3, 4], [5, 6]]], ragged_rank=1)
    assert made.shape.as_list() == [2, None, 2]
    assert made.flat_values.shape.as_list() == [3, 2]
    assert tf.RaggedTensor.from_uniform_row_length(ragged([*RT, [4]]), 2).shape.as_list() == [
        2,
        2,
        None,
    ]


def test_to_tensor_pads_and_cuts():
    rt = ragged()
    assert rt.to_tensor().numpy().tolist() == [[1, 2], [0, 0], [3, 0]]
    assert rt.to_tensor(default_value=9).numpy().tolist() == [[1, 2], [9, 9], [3, 9]]
    assert rt.to_tensor(shape=[None, 3]).numpy().tolist() == [[1, 2, 0], [0, 0, 0], [3, 0, 0]]
    assert rt.to_tensor(shape=[2, 1]).numpy().tolist() == [[1], [0]]


def test_from_tensor_drops_padding_and_lengths():
    dense = [[5, 0, 7], [6, 0, 0]]
    assert tf.RaggedTensor.from_tensor(dense, padding=0).to_list() == [[5, 0, 7], [6]]
    assert tf.RaggedTensor.from_tensor(dense, lengths=[1, 2]).to_list() == [[5], [6, 0]]
    with pytest.raises(ValueError, match="exclude each other"):
        tf.RaggedTensor.from_tensor(dense, lengths=[1, 2], padding=0)


def test_sparse_round_trip():
    rt = ragged()
    st = rt.to_sparse()
    assert st.indices.numpy().tolist() == [[0, 0], [0, 1], [2, 0]]
    assert tf.RaggedTensor.from_sparse(st).to_list() == RT
    with pytest.raises(errors.InvalidArgumentError, match="right-ragged"):
        tf.RaggedTensor.from_sparse(tf.SparseTensor([[0, 1]], [1], [1, 2]))


def test_indexing_gives_rows_slices_and_new_axes():
    rt = tf.ragged.constant([[[1, 2], [3]], [[4, 5, 6]]])
    assert rt[1].to_list() == [[4, 5, 6]]
    assert rt[0, 0].numpy().tolist() == [1, 2]
    assert rt[:, :1].to_list() == [[[1, 2]], [[4, 5, 6]]]
    assert rt[:, ::-1].to_list() == [[[3], [1, 2]], [[4, 5, 6]]]
    assert rt[..., 1:].to_list() == [[[2], []], [[5, 6]]]
    assert rt[-1:].to_list() == [[[4, 5, 6]]]
    assert rt[tf.newaxis].shape.as_list() == [1, 2, None, None]


@pytest.mark.parametrize(
    ("read", "error", "text"),
    [
        (lambda: ragged()[5], IndexError, "Row key 5 out of bounds"),
        (lambda: ragged()[:, 0], ValueError, "Cannot index into an inner ragged dimension"),
        (lambda: bool(ragged()), TypeError, "may not be used as a boolean"),
        (lambda: hash(ragged()), TypeError, "unhashable"),
        (lambda: tf.convert_to_tensor(ragged()), ValueError, "must be one Tensor"),
        (lambda: tf.ragged.constant([1, [2]]), ValueError, "same nesting depth"),
        (lambda: tf.ragged.constant([[1]], ragged_rank=2), ValueError, "requires scalar value"),
        (lambda: tf.transpose(ragged()), ValueError, "to_tensor"),
    ],
)
def test_what_is_refused(read, error, text):
    with pytest.raises(error, match=text):
        read()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: tf.RaggedTensor.from_row_splits([1, 2, 3], [0, 2]), "as many rows"),
        (lambda: tf.RaggedTensor.from_row_splits([1, 2, 3], [0, 2, 1, 3]), "must ascend"),
        (lambda: tf.RaggedTensor.from_value_rowids([1, 2, 3], [0, 2, 1]), "must ascend"),
        (lambda: tf.RaggedTensor.from_row_lengths([1], [2, -1]), "negative"),
    ],
)
def test_wrong_partitions_are_refused(make, text):
    with pytest.raises(errors.InvalidArgumentError, match=text):
        make()


def test_gradients_flow_through_values():
    values = tf.Variable([1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        rt = tf.RaggedTensor.from_row_splits(values, [0, 2, 2, 3])
        loss = tf.reduce_sum(tf.reduce_sum(rt * rt, axis=1)) + tf.reduce_sum(rt.to_tensor())
    assert tape.gradient(loss, values).numpy().tolist() == [3.0, 5.0, 7.0]


def test_gradient_of_a_ragged_source_is_ragged():
    rt = ragged([[1.0, 2.0], [3.0]])
    with tf.GradientTape() as tape:
        tape.watch(rt)
        loss = tf.reduce_sum(rt * rt)
    assert tape.gradient(loss, rt).to_list() == [[2.0, 4.0], [6.0]]


def test_functions_take_and_return_ragged_values():
    @tf.function
    def double(x):
        return x * 2, tf.reduce_sum(x, axis=1)

    doubled, sums = double(ragged())
    assert doubled.to_list() == [[2, 4], [], [6]]
    assert sums.numpy().tolist() == [3, 0, 3]

    @tf.function(input_signature=[tf.RaggedTensorSpec([None, None], tf.int32)])
    def count(x):
        return x.nrows()

    assert count(ragged()).numpy() == 3
    with pytest.raises(TypeError, match="must fit"):
        count(ragged([[1.0]]))


def test_nest_keeps_or_expands():
    rt = ragged()
    assert tf.nest.flatten({"a": rt})[0] is rt
    assert len(tf.nest.flatten(rt, expand_composites=True)) == 2


def test_spec_describes_the_value():
    spec = tf.type_spec_from_value(ragged())
    assert repr(spec) == "RaggedTensorSpec(TensorShape([3, None]), tf.int32, 1, tf.int64)"
    assert tf.RaggedTensorSpec([None, None], tf.int32).is_compatible_with(ragged())
    assert not tf.RaggedTensorSpec([None, None], tf.int64).is_compatible_with(ragged())


def test_numpy_is_an_array_of_rows():
    found = ragged().numpy()
    assert found.dtype == object
    assert [r.tolist() for r in found] == RT
    assert np.asarray(ragged([[1], [2]]).numpy()).tolist() == [[1], [2]]


def test_row_partition_shows_its_splits():
    p = tf.experimental.RowPartition.from_row_lengths([2, 0, 1])
    assert repr(p) == "tf.RowPartition(row_splits=[0 2 2 3])"
    p = tf.experimental.RowPartition.from_uniform_row_length(2, nvals=4)
    assert repr(p) == "tf.RowPartition(nrows=2, uniform_row_length=2)"


def test_a_concrete_function_takes_ragged_tensors_of_any_lengths():
    spec = tf.RaggedTensorSpec([None, None], tf.float32)

    @tf.function
    def parts(x):
        return {
            "twice": x * 2.0,
            "sums": tf.reduce_sum(x, axis=1),
            "rows": x.nrows(),
            "ids": x.value_rowids(),
            "lengths": x.row_lengths(),
        }

    concrete = parts.get_concrete_function(spec)
    assert concrete.structured_outputs["twice"] == spec
    for rows in ([[1.0, 4.0, 3.0], [2.0]], [[], [5.0], []]):
        found = concrete(tf.ragged.constant(rows, dtype=tf.float32))
        assert found["twice"].to_list() == [[2 * v for v in row] for row in rows]
        assert found["sums"].numpy().tolist() == [sum(row) for row in rows]
        assert int(found["rows"]) == len(rows)
        assert found["lengths"].numpy().tolist() == [len(row) for row in rows]
        assert found["ids"].numpy().tolist() == [i for i, row in enumerate(rows) for _ in row]


def test_ragged_and_dense_sizes_agree_in_a_concrete_function():
    @tf.function
    def shifted(x, y):
        return tf.reduce_sum(x, axis=1) + y

    spec = tf.RaggedTensorSpec([None, None], tf.int32)
    concrete = shifted.get_concrete_function(spec, tf.TensorSpec([None], tf.int32))
    found = concrete(tf.ragged.constant([[1, 2], [3]]), tf.constant([10, 20]))
    assert found.numpy().tolist() == [13, 23]


def test_what_needs_row_lengths_runs_eagerly():
    @tf.function
    def dense(x):
        return x.to_tensor()

    with pytest.warns(UserWarning, match="runs eagerly from now on"):
        concrete = dense.get_concrete_function(tf.RaggedTensorSpec([None, None], tf.int32))
    assert concrete(tf.ragged.constant([[1, 2], [3]])).numpy().tolist() == [[1, 2], [3, 0]]


def test_fill_takes_a_ragged_shape():
    shape = tf.shape(tf.ragged.constant([[1], [2, 3]]))
    assert tf.fill(shape, "x").to_list() == [[b"x"], [b"x", b"x"]]
    assert tf.fill(shape, 1.5).to_list() == [[1.5], [1.5, 1.5]]


def test_the_shape_of_a_ragged_tensor_is_int32_unless_asked():
    rt = tf.ragged.constant([[1], [2, 3]])
    assert tf.shape(rt)[0].dtype is tf.int32
    assert tf.shape(rt, out_type=tf.int64)[0].dtype is tf.int64


def test_errors_of_ragged_operands_name_the_function():
    with pytest.raises(TypeError, match=r"tf\.argsort: each operand must be one Tensor; got a Rag"):
        tf.argsort(ragged())
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"bounding_shape: `axis` must lie in"):
        ragged().bounding_shape(axis=7)


def test_constant_without_ragged_axes_has_the_inner_shape():
    assert tf.ragged.constant([[1, 2]], inner_shape=(1, 2)).shape == [1, 2]
    assert tf.ragged.constant([], inner_shape=(0, 4)).shape == [0, 4]
    empty = tf.ragged.constant(np.zeros([0, 3]))
    assert empty.shape == [0, 3]
    assert empty.dtype is tf.float64
    assert tf.ragged.constant(np.zeros([2, 0, 3])).shape == [2, None]
    with pytest.raises(TypeError, match="one element or as many as `shape`"):
        tf.ragged.constant([1, 2, 3], inner_shape=(1, 1))


def test_from_tensor_keeps_full_rows_uniform_and_checks_lengths_and_padding():
    make = tf.RaggedTensor.from_tensor
    assert make([[1, 2], [3, 4]]).shape == [2, 2]
    assert make(tf.zeros([2, 0, 3])).shape == [2, 0, 3]
    assert make([[1, 2], [3, 4]], lengths=[2, -1]).to_list() == [[1, 2], []]
    with pytest.raises(ValueError, match="one item for each of 2 rows"):
        make([[1, 2], [3, 4]], lengths=[1, 0, 2])
    with pytest.raises(ValueError, match="fewer vectors than"):
        make([[1, 2], [3, 4]], lengths=([1, 1], [1, 1]))
    with pytest.raises(ValueError, match="`padding` must have the shape"):
        make([[1, 2], [3, 4]], padding=[0])
    with pytest.raises(TypeError, match="`ragged_rank` must be an integer"):
        make([[1, 2], [3, 4]], ragged_rank="1")


def test_to_tensor_takes_its_shape_as_a_tensor():
    x = tf.ragged.constant([[1, 2, 3], [4]])
    assert x.to_tensor(shape=tf.constant([-1, 2])).numpy().tolist() == [[1, 2], [4, 0]]
    assert x.to_tensor(shape=tf.constant(-1)).shape == [2, 3]
    with pytest.raises(ValueError, match="must have 2 axes"):
        x.to_tensor(shape=tf.constant([-1]))


def test_rows_of_nothing_are_shown_and_numbers_of_rows_are_checked():
    rows = tf.RaggedTensor.from_row_lengths(tf.zeros([3, 0]), [2, 1])
    assert repr(rows) == "<tf.RaggedTensor [[[], []], [[]]]>"
    with pytest.raises(ValueError, match="must be less than nrows=2"):
        tf.RaggedTensor.from_value_rowids([1, 2], [0, 4], nrows=2)
    with pytest.raises(ValueError, match="`nrows` must be a scalar"):
        tf.RaggedTensor.from_value_rowids([1, 2], [0, 1], nrows=[2])
    with pytest.raises(ValueError, match="must be the number of values, 3"):
        tf.RaggedTensor.from_uniform_row_length([1, 2, 3], 2)


def test_weights_of_counts_are_of_the_kind_of_the_values():
    rows, dense = tf.ragged.constant([[1, 2]]), tf.constant([[1, 2]])
    for values, weights in ((rows, dense), (dense, rows)):
        with pytest.raises(ValueError, match="`weights` must be of the kind"):
            tf.math.bincount(values, weights=weights, axis=-1)
        with pytest.raises(ValueError, match="`weights` must be of the kind"):
            tf.sparse.bincount(values, weights=weights, axis=-1)
