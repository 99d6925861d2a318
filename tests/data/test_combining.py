"""Datasets of datasets, groups, states: values and errors are TensorFlow 2.21's."""

import numpy as np
import pytest

import lamina as tf

Dataset = tf.data.Dataset
ROWS = [[0], [1, 2, 3, 4], [5, 6, 7], [7, 8, 9, 10, 11], [13, 14, 15], [16]]


def plain(value):
    if isinstance(value, Dataset):
        return [plain(v) for v in value]
    if isinstance(value, tuple):
        return tuple(plain(v) for v in value)
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, tf.RaggedTensor):
        return value.to_list()
    return np.asarray(value).tolist()


def rows():
    spec = tf.TensorSpec([None], tf.int64)
    return Dataset.from_generator(lambda: ROWS, output_signature=spec)


def copies(x):
    return Dataset.from_tensors(x).repeat(x)


@pytest.mark.parametrize("calls", [None, 2, tf.data.AUTOTUNE])
@pytest.mark.parametrize(
    ("cycle", "block", "expected"),
    [
        (2, 1, [1, 2, 2, 3, 3, 4, 3, 4, 4, 5, 4, 5, 5, 6, 5, 6, 5, 6, 6, 6, 6]),
        (3, 2, [1, 2, 2, 3, 3, 4, 4, 3, 4, 4, 5, 5, 6, 6, 5, 5, 6, 6, 5, 6, 6]),
        (2, 4, [1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6]),
    ],
)
def test_interleave(cycle, block, calls, expected):
    dataset = Dataset.range(1, 7).interleave(copies, cycle, block, num_parallel_calls=calls)
    assert plain(dataset) == expected
    assert dataset.element_spec == tf.TensorSpec([], tf.int64)


@pytest.mark.parametrize(
    ("size", "shift", "stride", "drop", "expected"),
    [
        (3, 2, 1, False, [[0, 1, 2], [2, 3, 4], [4, 5, 6], [6]]),
        (3, 1, 2, True, [[0, 2, 4], [1, 3, 5], [2, 4, 6]]),
        (3, 5, 1, False, [[0, 1, 2], [5, 6]]),
        (2, 3, 2, False, [[0, 2], [3, 5], [6]]),
        (4, None, 1, True, [[0, 1, 2, 3]]),
    ],
)
def test_window(size, shift, stride, drop, expected):
    windows = Dataset.range(7).window(size, shift, stride, drop)
    assert plain(windows) == expected
    assert len(windows) == len(expected)
    assert plain(windows.flat_map(lambda w: w.batch(9))) == expected


def test_windows_of_parts_are_datasets_of_parts():
    parts = Dataset.from_tensor_slices({"a": [1, 2, 3], "b": [5.0, 6.0, 7.0]}).window(2)
    assert plain(parts) == [{"a": [1, 2], "b": [5.0, 6.0]}, {"a": [3], "b": [7.0]}]
    both = Dataset.zip(Dataset.range(4), Dataset.range(4, 8)).window(2)
    joined = both.flat_map(lambda a, b: Dataset.zip(a.batch(2), b.batch(2)))
    assert plain(joined) == [([0, 1], [4, 5]), ([2, 3], [6, 7])]
    assert joined.element_spec[0] == tf.TensorSpec([None], tf.int64)


def test_what_windows_overlap_is_made_once():
    made = []

    def note(x):
        made.append(int(x.numpy()))
        return x

    dataset = Dataset.range(5).map(lambda x: tf.py_function(note, [x], tf.int64))
    assert plain(dataset.window(3, 1)) == [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4], [4]]
    assert sorted(made) in ([0, 1, 2, 3, 4], [0, 0, 1, 2, 3, 4])  # the specs may take the first


def test_reduce():
    assert plain(Dataset.range(5).reduce(np.int64(0), lambda s, x: s + x)) == 10
    state = Dataset.range(5).reduce((np.int64(0), 0.0), lambda s, x: (s[0] + x, s[1] + 1.0))
    assert plain(state) == (10, 5.0)
    pairs = Dataset.zip(Dataset.range(3), Dataset.range(3))
    assert plain(pairs.reduce(np.int64(0), lambda s, x: s + x[0] * x[1])) == 5
    words = Dataset.from_tensor_slices(["a", "b"])
    assert plain(words.reduce("", lambda s, x: s + x)) == b"ab"
    with pytest.raises(tf.errors.InvalidArgumentError, match="with 1 parts; got 2"):
        Dataset.range(3).reduce(np.int64(0), lambda s, x: (s, x))
    with pytest.raises(TypeError, match="a state of the structure and dtypes"):
        Dataset.range(3).reduce(0.0, lambda s, x: x)


def test_scan_take_while_unique():
    assert plain(Dataset.range(4).scan(np.int64(0), lambda s, x: (s + x, s * x))) == [0, 0, 2, 9]
    assert plain(Dataset.range(9).take_while(lambda x: x < 3)) == [0, 1, 2]
    assert plain(Dataset.from_tensor_slices([1, 37, 2, 37, 2, 1]).unique()) == [1, 37, 2]
    assert plain(Dataset.from_tensor_slices(["a", "b", "a"]).unique()) == [b"a", b"b"]
    with pytest.raises(TypeError, match="an element must be one Tensor"):
        Dataset.zip(Dataset.range(1), Dataset.range(1)).unique()


def test_group_by_window_gives_the_rest_in_the_order_of_keys():
    groups = Dataset.range(10).group_by_window(
        lambda x: x % 3, lambda key, window: window.batch(10), window_size_func=lambda key: key + 1
    )
    assert plain(groups) == [[0], [3], [1, 4], [6], [2, 5, 8], [9], [7]]
    with pytest.raises(ValueError, match="exactly one of `window_size` and `window_size_func`"):
        Dataset.range(3).group_by_window(lambda x: x, lambda k, w: w)


@pytest.mark.parametrize(
    ("options", "boundaries", "expected"),
    [
        ({}, [3, 5], [[[1, 2, 3, 4], [5, 6, 7, 0]], [[0], [16]], [[13, 14, 15]],
                      [[7, 8, 9, 10, 11]]]),
        ({"drop_remainder": True}, [3, 5], [[[1, 2, 3, 4], [5, 6, 7, 0]], [[0], [16]]]),
        ({"pad_to_bucket_boundary": True, "padding_values": np.int64(-1)}, [3, 7],
         [[[1, 2, 3, 4, -1, -1], [5, 6, 7, -1, -1, -1]],
          [[7, 8, 9, 10, 11, -1], [13, 14, 15, -1, -1, -1]], [[0, -1], [16, -1]]]),
    ],
)  # fmt: skip
def test_bucket_by_sequence_length(options, boundaries, expected):
    dataset = rows().bucket_by_sequence_length(
        lambda row: tf.shape(row)[0], boundaries, [2, 2, 2], **options
    )
    assert sorted(plain(dataset)) == sorted(expected)
    assert dataset.element_spec == tf.TensorSpec([None, None], tf.int64)


def test_rebatch():
    assert plain(Dataset.range(7).batch(3).rebatch(2)) == [[0, 1], [2, 3], [4, 5], [6]]
    assert plain(Dataset.range(8).batch(4).rebatch([2, 1, 1])) == [
        [0, 1],
        [2],
        [3],
        [4, 5],
        [6],
        [7],
    ]
    assert plain(Dataset.range(7).batch(3).rebatch(4, drop_remainder=True)) == [[0, 1, 2, 3]]
    with pytest.raises(ValueError, match="elements must be batches"):
        Dataset.range(3).rebatch(2)


def test_ragged_and_sparse_batches():
    batch = next(iter(rows().ragged_batch(3)))
    assert batch.to_list() == [[0], [1, 2, 3, 4], [5, 6, 7]]
    assert rows().ragged_batch(3).element_spec == tf.RaggedTensorSpec([None, None], tf.int64)
    assert plain(Dataset.range(3).ragged_batch(2)) == [[0, 1], [2]]
    sparse = next(iter(rows().sparse_batch(2, [6])))
    assert plain(tf.sparse.to_dense(sparse)) == [[0, 0, 0, 0, 0, 0], [1, 2, 3, 4, 0, 0]]
    assert plain(sparse.dense_shape) == [2, 6]
    with pytest.raises(tf.errors.DataLossError, match="must fit into `row_shape`"):
        list(rows().sparse_batch(4, [3]))


def test_rows_of_ragged_and_sparse_tensors():
    ragged = tf.ragged.constant([[1, 2], [3], [], [4, 5, 6]])
    slices = Dataset.from_tensor_slices(ragged)
    assert plain(slices) == [[1, 2], [3], [], [4, 5, 6]]
    assert plain(slices.batch(2)) == [[[1, 2], [3]], [[], [4, 5, 6]]]
    sums = slices.batch(2).map(lambda x: tf.reduce_sum(x, axis=1))
    assert plain(sums) == [[3, 3], [0, 15]]
    sparse = tf.sparse.SparseTensor([[0, 0], [1, 2]], [1, 2], [3, 4])
    dense = Dataset.from_tensor_slices(sparse).batch(2).map(lambda s: tf.sparse.to_dense(s))
    assert plain(dense) == [[[1, 0, 0, 0], [0, 0, 2, 0]], [[0, 0, 0, 0]]]


def test_rows_of_ragged_tensors_are_ragged_again_in_a_batch(tmp_path):
    ragged = tf.ragged.constant([[1, 2], [3], [], [4, 5]], row_splits_dtype=tf.int32)
    rows = Dataset.from_tensors(ragged).unbatch()
    rows.save(str(tmp_path / "saved"))
    for dataset in (
        rows,
        rows.cache(),
        rows.cache(str(tmp_path / "cache")),
        rows.filter(lambda x: tf.size(x) < 9),
        Dataset.from_tensors(ragged).flat_map(Dataset.from_tensor_slices),
        Dataset.load(str(tmp_path / "saved")),
    ):
        batches = list(dataset.batch(3))
        assert [batch.to_list() for batch in batches] == [[[1, 2], [3], []], [[4, 5]]]
        assert batches[0].row_splits.dtype == tf.int32
    batch, numbers = next(iter(Dataset.zip((rows, Dataset.range(4))).batch(4)))
    assert batch.to_list() == ragged.to_list()
    assert plain(numbers) == [0, 1, 2, 3]
    assert next(iter(rows.map(lambda x: x + 1))).shape == [2]


def test_rows_of_inner_whole_axes_and_of_strings():
    pairs = tf.ragged.constant([[[1, 2], [3, 4]], [[5, 6]]], ragged_rank=1)
    batch = next(iter(Dataset.from_tensors(pairs).unbatch().batch(2)))
    assert (batch.to_list(), batch.shape.as_list()) == (pairs.to_list(), [2, None, 2])
    words = tf.ragged.constant([["a"], ["b", "c"]])
    batch = next(iter(Dataset.from_tensors(words).unbatch().batch(2)))
    assert batch.to_list() == [[b"a"], [b"b", b"c"]]
    row = next(Dataset.from_tensors(words).unbatch().as_numpy_iterator())
    assert type(row) is np.ndarray


def test_unbatch_of_sparse_tensors():
    sparse = tf.sparse.from_dense([[0, 1], [2, 3]])
    rows = Dataset.from_tensors((sparse, [7, 8])).unbatch()
    assert [(plain(tf.sparse.to_dense(s)), int(n)) for s, n in rows] == [([0, 1], 7), ([2, 3], 8)]
    with pytest.raises(tf.errors.InvalidArgumentError, match="must have two axes or more"):
        list(Dataset.from_tensors(tf.sparse.from_dense([0, 1])).unbatch())


def test_unbatch_refuses_parts_that_do_not_fit():
    spec = tf.TensorSpec([None], tf.int32)
    pairs = Dataset.from_generator(
        lambda: iter([([1, 2, 3], [1, 2])]), output_signature=(spec, spec)
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"must have one length; got \[2, 3\]"):
        list(pairs.unbatch())
    with pytest.raises(tf.errors.InvalidArgumentError, match="must have a first axis; got None"):
        list(Dataset.from_tensors(None).unbatch())
    with pytest.raises(ValueError, match=r"must have one length; got \[3, 2\]"):
        Dataset.from_tensors((np.arange(3), np.arange(2))).unbatch()


def test_none_stays_none_in_rows():
    dataset = Dataset.from_tensor_slices(([1, 2, 3], None))
    assert [(plain(x), y) for x, y in dataset.batch(2)] == [([1, 2], None), ([3], None)]
    rows = Dataset.from_tensors(([1, 2], None)).unbatch()
    assert [(int(x), y) for x, y in rows] == [(1, None), (2, None)]


@pytest.mark.parametrize(
    "element", [(1, None), tf.sparse.from_dense([[1]]), tf.ragged.constant([[1], []])]
)
def test_padded_batch_refuses_what_is_no_tensor(element):
    with pytest.raises(TypeError, match="all parts of an element must be Tensors"):
        Dataset.from_tensors(element).padded_batch(2)


def test_padded_batch_refuses_shapes_that_are_no_integers():
    with pytest.raises(TypeError, match="must hold integers or None"):
        Dataset.from_tensors([1, 2]).padded_batch(2, padded_shapes=tf.constant([1.5]))
    with pytest.raises(ValueError, match="a padded shape must have one axis"):
        Dataset.from_tensors([1, 2]).padded_batch(2, padded_shapes=[[1, 1], [1, 1]])


def test_interleave_opens_as_many_datasets_as_there_are_calls():
    dataset = Dataset.range(3).interleave(
        lambda x: Dataset.from_tensors(x).repeat(2), num_parallel_calls=1
    )
    assert plain(dataset) == [0, 0, 1, 1, 2, 2]


def test_a_generator_of_a_list_of_types_is_refused():
    with pytest.raises(TypeError, match="must be a dtype, or a tuple or dict"):
        Dataset.from_generator(lambda: iter([[1]]), output_types=[tf.int64])


def test_choosing_from_datasets():
    letters = [Dataset.from_tensors(w).repeat() for w in "abc"]
    chosen = Dataset.choose_from_datasets(letters, Dataset.range(3).repeat(2))
    assert plain(chosen) == [b"a", b"b", b"c"] * 2
    parts = [Dataset.range(1), Dataset.range(5, 9)]
    which = Dataset.from_tensor_slices(np.int64([0, 0, 1, 1]))
    assert plain(Dataset.choose_from_datasets(parts, which)) == [0]
    assert plain(Dataset.choose_from_datasets(parts, which, False)) == [0, 5, 6]
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"must be in \[0, 1\); got 1"):
        list(Dataset.choose_from_datasets([Dataset.range(2)], Dataset.range(5)))
    with pytest.raises(ValueError, match="must hold datasets; got none"):
        Dataset.choose_from_datasets([], Dataset.range(1))


def test_sampling_from_datasets():
    parts = [Dataset.from_tensors(n).repeat() for n in (0, 1)]
    drawn = plain(Dataset.sample_from_datasets(parts, [0.2, 0.8], seed=1).take(500))
    assert 0.75 < np.mean(drawn) < 0.85
    short = Dataset.sample_from_datasets([Dataset.range(5), Dataset.range(5, 10)], seed=3)
    assert sorted(plain(short)) == list(range(10))
    assert plain(short) == plain(short)
    with pytest.raises(ValueError, match="one entry for each of 2 datasets"):
        Dataset.sample_from_datasets(parts, [1.0])


def test_nested_shuffles_of_a_seeded_pass_come_again():
    def build():
        return Dataset.range(4).flat_map(lambda x: Dataset.range(20).shuffle(20))

    dataset = build()
    first, second = plain(dataset), plain(dataset)
    assert first != second
    assert first[:20] != first[20:40]


def test_errors_are_passed_over():
    def checked(x):
        return tf.debugging.check_numerics(1.0 / x, "not finite")

    dataset = Dataset.from_tensor_slices([1.0, 0.0, 4.0]).map(checked)
    assert plain(dataset.ignore_errors()) == [1.0, 0.25]


@pytest.mark.parametrize("given", [2, 4])
def test_asserted_cardinality(given):
    dataset = Dataset.range(3).apply(tf.data.experimental.assert_cardinality(given))
    assert len(dataset) == given
    with pytest.raises(tf.errors.FailedPreconditionError, match=f"expected to contain {given}"):
        list(dataset)


def test_functions_must_return_datasets():
    with pytest.raises(TypeError, match="the function must return a"):
        list(Dataset.range(3).flat_map(lambda x: x))
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="`num_parallel_calls` must be at most"
    ):
        Dataset.range(3).interleave(copies, cycle_length=2, num_parallel_calls=4)
    with pytest.raises(tf.errors.InvalidArgumentError, match="`size` must be at least 1; got 0"):
        Dataset.range(3).window(0)


def test_experimental_changes():
    experimental = tf.data.experimental
    total = experimental.Reducer(lambda k: np.int64(0), lambda s, x: s + x, lambda s: s)
    sums = Dataset.range(6).apply(experimental.group_by_reducer(lambda x: x % 2, total))
    assert plain(sums) == [6, 9]
    assert plain(experimental.at(Dataset.range(5), 3)) == 3
    with pytest.raises(tf.errors.OutOfRangeError, match="Index out of range"):
        experimental.at(Dataset.range(5), 7)
    both = Dataset.range(4).apply(experimental.map_and_batch(lambda x: x * 2, 2))
    assert plain(both) == [[0, 2], [4, 6]]
    assert plain(experimental.Counter(5, -1).take(3)) == [5, 4, 3]


def test_parallel_maps_keep_the_order():
    def slow(word):
        return tf.py_function(lambda w: w.numpy() * 2, [word], tf.string)

    words = Dataset.from_tensor_slices(["a", "b", "c", "d"]).map(slow, num_parallel_calls=3)
    assert plain(words) == [b"aa", b"bb", b"cc", b"dd"]
    assert plain(words.batch(3)) == [[b"aa", b"bb", b"cc"], [b"dd"]]


def test_group_by_reducer_gives_the_parts_of_a_state_and_checks_keys_and_states():
    experimental = tf.data.experimental

    def means(key, first, step):
        reducer = experimental.Reducer(lambda k: first, step, lambda total, count: total / count)
        return plain(Dataset.range(6).apply(experimental.group_by_reducer(key, reducer)))

    start = (np.int64(0), np.int64(0))
    count = lambda s, x: (s[0] + x, s[1] + 1)  # noqa: E731
    assert means(lambda x: x % 2, start, count) == [2.0, 3.0]
    with pytest.raises(ValueError, match=r"must return a single tf\.int64 scalar"):
        means(lambda x: tf.cast(x % 2, tf.int32), start, count)
    with pytest.raises(TypeError, match="`reduce_func` must return a state"):
        means(lambda x: x % 2, start, lambda s, x: (tf.cast(x, tf.float32), s[1]))
