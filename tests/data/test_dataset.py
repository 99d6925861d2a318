"""tf.data.Dataset: sources, order, batches, functions, and what fit makes of it."""

import threading
import time

import numpy as np
import pytest

import lamina as tf

Dataset = tf.data.Dataset
X = np.arange(20, dtype="float32").reshape(10, 2)


def values(dataset):
    return [np.asarray(v).tolist() for v in dataset.as_numpy_iterator()]


def test_slices_keep_their_structure():
    dataset = Dataset.from_tensor_slices({"a": X, "b": (np.arange(10), ["x"] * 10)})
    first = next(iter(dataset))
    assert (first["a"].shape, first["b"][1].numpy()) == ((2,), b"x")
    assert dataset.element_spec == {
        "a": tf.TensorSpec([2], tf.float32),
        "b": (tf.TensorSpec([], tf.int64), tf.TensorSpec([], tf.string)),
    }
    assert len(dataset) == int(dataset.cardinality()) == 10


def test_a_list_is_one_tensor():
    assert values(Dataset.from_tensor_slices([[1, 2], [3, 4]])) == [[1, 2], [3, 4]]


@pytest.mark.parametrize("bad", [3, (np.zeros(2), np.zeros(3)), (np.zeros(2), 1)])
def test_slices_need_one_length(bad):
    with pytest.raises(ValueError, match="same number of rows, along axis 0; got shapes"):
        Dataset.from_tensor_slices(bad)


def test_range_and_tensors():
    assert values(Dataset.range(2, 9, 3)) == [2, 5, 8]
    assert next(iter(Dataset.range(3, output_type=tf.int32))).dtype == tf.int32
    assert values(Dataset.from_tensors([1, 2])) == [[1, 2]]


def test_generators_start_anew_with_each_pass():
    spec = (tf.TensorSpec([None], tf.float32), tf.TensorSpec([], tf.string))

    def words():
        for i in range(3):
            yield [1.0] * i, str(i)

    dataset = Dataset.from_generator(words, output_signature=spec)
    for _ in range(2):
        assert [(x.tolist(), y) for x, y in dataset.as_numpy_iterator()] == [
            ([], b"0"),
            ([1.0], b"1"),
            ([1.0, 1.0], b"2"),
        ]
    assert int(dataset.cardinality()) == tf.data.UNKNOWN_CARDINALITY


def test_generators_take_arguments_and_older_types():
    dataset = Dataset.from_generator(
        lambda n: ((i, i / 2) for i in range(n)), (tf.int64, tf.float32), ([], []), args=[3]
    )
    assert list(dataset.as_numpy_iterator())[2] == (2, 1.0)
    assert dataset.element_spec[1] == tf.TensorSpec([], tf.float32)


@pytest.mark.parametrize(
    ("yields", "says"),
    [
        ({"a": 1}, "must yield elements like"),
        ("a", "must yield int32; it yielded 'a'"),
        (np.zeros(3, int), r"must yield shape \(\); it yielded shape \(3,\)"),
    ],
)
def test_what_a_generator_yields_must_fit(yields, says):
    spec = tf.TensorSpec([], tf.int32)
    dataset = Dataset.from_generator(lambda: iter([yields]), output_signature=spec)
    with pytest.raises(tf.errors.InvalidArgumentError, match=says):
        list(dataset)


def test_generators_need_a_function_and_types():
    with pytest.raises(TypeError, match="must be a function that returns an iterable"):
        Dataset.from_generator([1], output_types=tf.int32)
    with pytest.raises(TypeError, match="the types of the elements must be given"):
        Dataset.from_generator(lambda: [1])


def test_batches():
    assert values(Dataset.range(5).batch(2)) == [[0, 1], [2, 3], [4]]
    assert values(Dataset.range(5).batch(2, drop_remainder=True)) == [[0, 1], [2, 3]]
    assert values(Dataset.range(4).batch(2).batch(2)) == [[[0, 1], [2, 3]]]
    assert Dataset.range(5).batch(2).element_spec == tf.TensorSpec([None], tf.int64)
    assert Dataset.range(5).batch(2, True).element_spec == tf.TensorSpec([2], tf.int64)
    assert [len(Dataset.range(5).batch(2, d)) for d in (False, True)] == [3, 2]


def test_batches_are_not_views_of_the_arrays():
    data = np.zeros((4, 2))
    batch = next(Dataset.from_tensor_slices(data).batch(2).as_numpy_iterator())
    assert not np.shares_memory(batch, data)
    batch = next(iter(Dataset.from_tensor_slices(data).batch(2))).numpy()
    batch += 1
    assert data.sum() == 0


def test_batches_need_one_shape():
    spec = tf.TensorSpec([None], tf.int32)
    rows = Dataset.from_generator(lambda: iter([[1], [1, 2]]), output_signature=spec)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"\(1,\) for element 0 and \(2,\)"):
        list(rows.batch(2))
    assert values(rows.padded_batch(2, padding_values=-1)) == [[[1, -1], [1, 2]]]
    assert values(rows.padded_batch(2, padded_shapes=[3])) == [[[1, 0, 0], [1, 2, 0]]]
    with pytest.raises(tf.errors.DataLossError, match="must fit into `padded_shapes`"):
        list(rows.padded_batch(2, padded_shapes=[1]))


def test_unbatch_undoes_batch():
    assert values(Dataset.range(5).batch(2).unbatch()) == [0, 1, 2, 3, 4]
    assert len(Dataset.from_tensor_slices(X).unbatch()) == 20


def test_choosing():
    assert values(Dataset.range(9).skip(2).take(3)) == [2, 3, 4]
    assert values(Dataset.range(3).take(-1)) == [0, 1, 2]
    assert values(Dataset.range(3).skip(-1)) == []
    assert values(Dataset.range(7).shard(3, 1)) == [1, 4]
    assert values(Dataset.range(2).repeat(2)) == [0, 1, 0, 1]
    assert values(Dataset.range(2).repeat().take(5)) == [0, 1, 0, 1, 0]
    assert int(Dataset.range(2).repeat().cardinality()) == tf.data.INFINITE_CARDINALITY
    assert values(Dataset.range(0).repeat()) == []


def test_length_of_the_endless():
    with pytest.raises(TypeError, match="its length is infinite"):
        len(Dataset.range(2).repeat())
    with pytest.raises(TypeError, match="its length is unknown"):
        len(Dataset.range(2).filter(lambda x: x > 0))


def test_combining():
    assert values(Dataset.range(2).concatenate(Dataset.range(7, 9)).batch(3)) == [[0, 1, 7], [8]]
    assert values(Dataset.zip(Dataset.range(3), Dataset.range(2))) == [[0, 0], [1, 1]]
    both = Dataset.zip({"a": Dataset.range(2), "b": Dataset.range(3, 5).batch(2)})
    assert next(both.as_numpy_iterator())["b"].tolist() == [3, 4]
    assert values(Dataset.range(7, 9).enumerate(start=1)) == [[1, 7], [2, 8]]
    with pytest.raises(TypeError, match="same structure and dtypes"):
        Dataset.range(2).concatenate(Dataset.from_tensor_slices([1.5]))
    with pytest.raises(TypeError, match="datasets were expected"):
        Dataset.zip(1, 2)


def test_pairs_are_shuffled_and_gathered_together():
    pairs = Dataset.zip(Dataset.range(20), Dataset.from_tensor_slices(np.arange(20) * 2))
    for x, y in pairs.shuffle(20).batch(6).as_numpy_iterator():
        np.testing.assert_array_equal(2 * x, y)


@pytest.mark.parametrize("buffer", [3, 10, 50])
def test_shuffle_keeps_all_and_follows_its_seed(buffer):
    dataset = Dataset.range(20).shuffle(buffer, seed=4)
    first, second = values(dataset), values(dataset)
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second
    assert values(Dataset.range(20).shuffle(buffer, seed=4)) == first
    once = Dataset.range(20).shuffle(buffer, seed=4, reshuffle_each_iteration=False)
    assert values(once) == values(once)


def test_shuffle_looks_no_further_than_its_buffer():
    found = values(Dataset.range(100).shuffle(5, seed=1))
    assert all(v <= place + 5 for place, v in enumerate(found))


def test_the_global_seed_decides_an_unseeded_shuffle():
    orders = []
    for _ in range(2):
        tf.random.set_seed(8)
        orders.append(values(Dataset.range(30).shuffle(30)))
    assert orders[0] == orders[1]


def test_map_sees_the_parts_of_tuples_and_the_whole_of_dicts():
    pairs = Dataset.from_tensor_slices((X, np.arange(10)))
    assert values(pairs.map(lambda x, n: tf.reduce_sum(x) + tf.cast(n, tf.float32)))[1] == 6.0
    named = Dataset.from_tensor_slices({"x": X})
    assert values(named.map(lambda d: d["x"][0]))[2] == 4.0


def test_map_traces_once_and_runs_batches_at_once():
    calls = []

    def square(x):
        calls.append(x)
        return [x * x, {"half": x // 2, "both": [x, x]}]

    dataset = Dataset.range(64).map(square).batch(16)
    spec = dataset.element_spec
    assert spec[1]["both"] == tf.TensorSpec([None, 2], tf.int64)
    found = list(dataset.as_numpy_iterator())
    assert len(calls) <= 3
    np.testing.assert_array_equal(found[1][0], np.arange(16, 32) ** 2)
    assert found[0][1]["both"].shape == (16, 2)


def test_map_draws_anew_for_each_element():
    dataset = Dataset.range(8).map(lambda x: tf.random.uniform(()))
    for drawn in (next(dataset.batch(8).as_numpy_iterator()), values(dataset)):
        assert len({float(v) for v in drawn}) == 8


def test_map_runs_strings_as_python():
    dataset = Dataset.from_tensor_slices(["a", "bb"]).map(lambda s: (s, len(s.numpy())))
    assert list(dataset.as_numpy_iterator()) == [(b"a", 1), (b"bb", 2)]
    assert dataset.element_spec[0] == tf.TensorSpec([], tf.string)


def test_map_falls_back_to_python_where_values_are_needed():
    dataset = Dataset.range(4).map(lambda x: 1 if x.numpy() > 1 else 0)
    with pytest.warns(UserWarning, match="runs eagerly from now on"):
        assert values(dataset) == [0, 0, 1, 1]


def test_filter():
    kept = Dataset.from_tensor_slices((X, np.arange(10))).filter(lambda x, n: n % 3 == 0)
    assert [n for _, n in kept.as_numpy_iterator()] == [0, 3, 6, 9]


def test_cache_runs_what_is_before_it_once():
    runs = []
    spec = tf.TensorSpec([], tf.int32)

    def numbers():
        runs.append(1)
        yield from range(3)

    dataset = Dataset.from_generator(numbers, output_signature=spec).cache()
    assert [values(dataset) for _ in range(3)] == [[0, 1, 2]] * 3
    assert (len(runs), len(dataset)) == (1, 3)


def test_prefetch_works_ahead_in_a_thread_that_ends():
    dataset = Dataset.range(1000).batch(10).prefetch(3)
    assert values(dataset)[-1][-1] == 999
    iterator = iter(dataset)
    next(iterator)
    del iterator
    deadline = time.monotonic() + 5
    while any(t.name == "tf.data prefetch" for t in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_prefetch_raises_what_its_thread_raised():
    dataset = Dataset.range(3)._map_host(lambda x: 1 // 0, tf.TensorSpec([], tf.int64)).prefetch(1)
    with pytest.raises(ZeroDivisionError):
        list(dataset)


def test_single_element_and_iterators():
    assert int(Dataset.range(5, 6).get_single_element()) == 5
    with pytest.raises(tf.errors.InvalidArgumentError, match="there are more"):
        Dataset.range(2).get_single_element()
    iterator = iter(Dataset.range(1))
    assert int(iterator.get_next()) == 0
    with pytest.raises(tf.errors.OutOfRangeError, match="no further element"):
        iterator.get_next()
    with pytest.raises(StopIteration):
        next(iterator)
    assert next(iterator, None) is None


def test_the_end_of_an_iterator_in_a_function_is_tensorflows_error():
    iterator = iter(Dataset.range(2))
    step = tf.function(lambda rows: next(rows) + 1)
    assert [int(step(iterator)), int(step(iterator))] == [1, 2]
    with pytest.raises(tf.errors.OutOfRangeError, match="no further element"):
        step(iterator)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda d: d.batch(0), "`batch_size` must be at least 1; got 0"),
        (lambda d: d.shuffle(0), "`buffer_size` must be at least 1; got 0"),
        (lambda d: d.shard(2, 2), r"`index` must be in \[0, 2\); got 2"),
    ],
)
def test_bad_arguments(call, says):
    with pytest.raises(tf.errors.InvalidArgumentError, match=says):
        call(Dataset.range(3))


def test_a_dataset_is_made_by_its_functions():
    with pytest.raises(TypeError, match="it is made by its `from_…` functions"):
        Dataset([1, 2])
    assert bool(Dataset.range(0))
    assert repr(Dataset.range(3)).startswith("<_RangeDataset element_spec=")


def small():
    model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def test_fit_evaluate_and_predict_take_datasets():
    pairs = Dataset.from_tensor_slices((X / 20, X[:, :1] / 20)).batch(4)
    model = small()
    history = model.fit(pairs, validation_data=pairs, epochs=2, verbose=0)
    assert len(history.history["val_loss"]) == 2
    assert model.evaluate(pairs, verbose=0) == pytest.approx(history.history["val_loss"][-1])
    assert model.predict(pairs.map(lambda x, y: x), verbose=0).shape == (10, 1)


def test_fit_asks_for_steps_of_endless_data():
    endless = Dataset.from_tensor_slices((X, X[:, :1])).batch(5).repeat()
    with pytest.raises(ValueError, match="has no end, and the number of batches is not given"):
        small().fit(endless, verbose=0)
    history = small().fit(endless, steps_per_epoch=3, epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2


def _rows():
    spec = tf.TensorSpec([None], tf.int32)
    return tf.data.Dataset.from_generator(lambda: [[1], [2, 3]], output_signature=spec)


_Range = tf.data.Dataset.range
_Signature = tf.TensorSpec([], tf.int32)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: _Range(0, 5, 0), tf.errors.InvalidArgumentError, "`step` must not be 0"),
        (lambda: _Range(), ValueError, "got 0 numbers"),
        (lambda: _Range(3, output_type="string"), tf.errors.InvalidArgumentError, "got string"),
        (lambda: _Range(3).batch([2]), TypeError, r"must be one integer; got \[2\]"),
        (lambda: _Range(3).prefetch(-2), tf.errors.InvalidArgumentError, "at least 0, or AUTO"),
        (lambda: _Range(3).map(None), TypeError, "a function of an element was expected"),
        (lambda: _Range(3).map(abs, 0), tf.errors.InvalidArgumentError, "at least 1, or AUTO"),
        (lambda: _Range(3).filter(lambda x: None), ValueError, "must return a scalar boolean"),
        (lambda: _Range(3).filter(lambda x: x), ValueError, "must return a scalar boolean"),
        (
            lambda: _Range(3).take_while(lambda x: tf.stack([x > 1, x > 2])),
            ValueError,
            "take_while: `predicate` must return a scalar boolean",
        ),
        (lambda: _Range(3).unbatch(), ValueError, "must have a first axis"),
        (
            lambda: tf.data.Dataset.from_generator(lambda: 5, output_signature=_Signature),
            TypeError,
            "`generator` must return an iterable; got 5",
        ),
        (
            lambda: tf.data.Dataset.from_generator(lambda: [1], output_signature=tf.int32),
            TypeError,
            "must hold type specs; got tf.int32",
        ),
        (lambda: tf.data.Dataset.list_files(5), TypeError, "`file_pattern` must be strings"),
        (lambda: _rows().padded_batch(2, padding_values=1.5), TypeError, "int32; got 1.5"),
        (lambda: _rows().padded_batch(2, padding_values="x"), TypeError, "int32; got 'x'"),
        (lambda: _rows().padded_batch(2, padding_values=[1]), ValueError, "must be scalars"),
        (
            lambda: _rows().sparse_batch(2, [1, 1]),
            tf.errors.InvalidArgumentError,
            "must have as many axes as `row_shape`",
        ),
        (
            lambda: _Range(3).group_by_window(lambda x: 1.5, lambda k, d: d, 2),
            TypeError,
            "`key_func` must return an int64 scalar; got 1.5",
        ),
        (
            lambda: tf.data.Dataset.sample_from_datasets([_Range(3), _Range(3)], [-1.0, 1.0]),
            tf.errors.InvalidArgumentError,
            "`weights` must be at least 0",
        ),
    ],
)
def test_bad_arguments_and_functions_are_refused(make, error, says):
    with pytest.raises(error, match=says):
        list(make())


def test_a_dataset_of_weight_zero_is_never_next():
    parts = [_Range(3), _Range(10, 13)]
    found = tf.data.Dataset.sample_from_datasets(parts, weights=[1.0, 0.0])
    assert [int(n) for n in found] == [0, 1, 2]


def test_rebatch_takes_sizes_of_zero_among_others():
    found = [b.numpy().tolist() for b in _Range(4).batch(3).rebatch([0, 2]).take(4)]
    assert found == [[], [0, 1], [], [2, 3]]


def test_padding_of_another_dtype_with_the_same_value():
    filled = next(_rows().padded_batch(2, padding_values=np.int64(7)).as_numpy_iterator())
    assert filled.tolist() == [[1, 7], [2, 3]]


def test_none_is_a_part_of_an_element():
    pairs = tf.data.Dataset.range(4).map(lambda x: (x, None))
    assert pairs.element_spec[1] == tf.NoneTensorSpec()
    assert [y for _, y in pairs] == [None] * 4
    batch = next(iter(pairs.batch(3)))
    assert (batch[0].numpy().tolist(), batch[1]) == ([0, 1, 2], None)
    assert list(tf.data.Dataset.from_tensors((5, None)).as_numpy_iterator()) == [(5, None)]


def test_ragged_rows_that_a_function_makes_are_batched():
    made = tf.data.Dataset.range(4).map(lambda i: tf.RaggedTensor.from_tensor([[i, i]]))
    found = [batch.to_list() for batch in made.batch(3)]
    assert found == [[[[0, 0]], [[1, 1]], [[2, 2]]], [[[3, 3]]]]


@pytest.mark.parametrize("where", ["memory", "file", "rows"])
def test_a_cache_is_whole_once_all_elements_were_taken(where, tmp_path):
    def cached(name):
        dataset = tf.data.Dataset.range(20).shuffle(20)
        if where == "rows":
            dataset = dataset.map(lambda x: tf.RaggedTensor.from_tensor([[x]]))
        return dataset.cache(str(tmp_path / name) if where == "file" else "")

    both = tf.data.Dataset.zip((cached("a"), cached("b")))
    first = [np.asarray(y).tolist() for _, y in both.as_numpy_iterator()]
    assert [np.asarray(y).tolist() for _, y in both.as_numpy_iterator()] == first


def test_windows_of_an_endless_dataset_are_endless():
    grouped = (
        tf.data.Dataset.range(3)
        .repeat()
        .group_by_window(
            key_func=lambda x: x % 2, reduce_func=lambda _, w: w.batch(2), window_size=2
        )
    )
    assert grouped.cardinality() == tf.data.INFINITE_CARDINALITY


def test_ragged_batch_of_inner_axes_that_vary():
    rows = tf.data.Dataset.from_generator(
        lambda: (np.full([2, n], n) for n in (0, 2, 1)),
        output_signature=tf.TensorSpec([2, None], tf.int32),
    )
    found = next(iter(rows.ragged_batch(3)))
    assert found.to_list() == [[[], []], [[2, 2], [2, 2]], [[1], [1]]]
    assert found.ragged_rank == 2


@pytest.mark.filterwarnings("ignore:tf.function")
def test_ragged_batch_keeps_ragged_and_sparse_parts():
    def parts(x):
        return {
            "ragged": tf.RaggedTensor.from_row_lengths(tf.fill([3], x), [1, 2]),
            "sparse": tf.SparseTensor([[x]], [x], [9]),
        }

    batch = next(iter(tf.data.Dataset.range(3).map(parts).ragged_batch(2)))
    assert batch["ragged"].to_list() == [[[0], [0, 0]], [[1], [1, 1]]]
    assert batch["sparse"].indices.numpy().tolist() == [[0, 0], [1, 1]]


@pytest.mark.filterwarnings("ignore:tf.function")
def test_a_function_returns_a_dataset():
    made = tf.function(lambda n: tf.data.Dataset.range(n))(tf.constant(3, tf.int64))
    assert list(made.as_numpy_iterator()) == [0, 1, 2]
    f = tf.function(lambda p: tf.data.Dataset.range(tf.where(p, 2, 4)))
    assert len(list(f(tf.constant(False)))) == 4


def test_mapped_functions_may_change_the_dict_that_they_are_given():
    def parts(features):
        label = features.pop("label")
        features["more"] = features["x"] * 10
        return features, label

    columns = {"x": [1, 2, 3], "label": [0, 1, 0]}
    dataset = tf.data.Dataset.from_tensor_slices(columns).map(parts)
    rows = list(dataset.as_numpy_iterator())
    assert rows[1] == ({"x": 2, "more": 20}, 1)
    assert [y.tolist() for _, y in dataset.batch(3).as_numpy_iterator()] == [[0, 1, 0]]

    def add(state, row):
        state["sum"] += row["x"]
        return state

    total = tf.data.Dataset.from_tensor_slices(columns).reduce({"sum": 0}, add)
    assert total["sum"].numpy() == 6
