"""Data of fit: arrays, structures, generators and datasets become batches."""

import random

import numpy as np
import pytest

import lamina as tf
from lamina.keras.training.batches import (
    as_batches,
    pack_x_y_sample_weight,
    split_validation,
    unpack_x_y_sample_weight,
)

X = np.arange(20, dtype="float32").reshape(10, 2)
Y = np.arange(10, dtype="float32")


def batches(x, y=None, sample_weight=None, **kwargs):
    return list(as_batches(x, y, sample_weight, **kwargs).epoch())


def test_arrays_are_cut_in_order_and_the_last_batch_is_smaller():
    found = batches(X, Y, batch_size=4)
    assert [len(b[0]) for b in found] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate([b[1] for b in found]), Y)


def test_the_default_batch_has_32_samples():
    assert as_batches(np.zeros((65, 1)), None, None).size == 3


def test_shuffle_keeps_x_and_y_together():
    found = batches(X, Y, batch_size=3, shuffle=True)
    x, y = (np.concatenate([b[i] for b in found]) for i in (0, 1))
    np.testing.assert_array_equal(x[:, 0], 2 * y)
    assert sorted(y) == list(Y)


def test_shuffle_batch_moves_whole_batches():
    found = batches(X, Y, batch_size=5, shuffle="batch")
    assert sorted(b[1].numpy().tolist() for b in found) == [Y[:5].tolist(), Y[5:].tolist()]


def test_float64_becomes_float32_and_integers_stay():
    ((x, y),) = batches(X.astype("float64"), Y.astype("int64"))
    assert (x.dtype, y.dtype) == (np.dtype("float32"), np.dtype("int64"))


def test_structures_are_cut_leaf_by_leaf():
    (first, _) = batches({"a": X, "b": [X, Y]}, (Y, Y), batch_size=5)
    assert first[0]["a"].shape == (5, 2)
    assert [t.shape for t in first[0]["b"]] == [(5, 2), (5,)]
    assert isinstance(first[1], tuple)


@pytest.mark.parametrize("shuffle", [True, "batch"])
def test_the_seed_of_tensorflow_decides_the_order_and_numpy_is_left_alone(shuffle):
    def order():
        tf.random.set_seed(3)
        source = as_batches(X, Y, None, batch_size=2, shuffle=shuffle)
        return [[np.ravel(x).tolist() for x, _ in source.epoch()] for _ in range(2)]

    np.random.seed(1)  # the global generator is what this is about
    first = order()
    assert first[0] != first[1]
    assert order() == first
    after = np.random.random()
    np.random.seed(1)
    assert np.random.random() == after


def test_batches_of_a_dataset_are_in_the_order_of_the_random_module():
    class Rows(tf.keras.utils.PyDataset):
        def __len__(self):
            return 6

        def __getitem__(self, index):
            return np.full((1, 1), index, np.float32), np.zeros((1, 1), np.float32)

    source = as_batches(Rows(), None, None, shuffle=True)
    random.seed(0)
    found = [[int(np.sum(x)) for x, _ in source.epoch()] for _ in range(2)]
    assert found == [[4, 2, 1, 0, 5, 3], [4, 0, 1, 5, 2, 3]]  # as Keras 3 with that seed


def test_tensors_are_cut_and_shuffled():
    found = batches(tf.constant(X), tf.constant(Y), batch_size=5, shuffle=True)
    assert sorted(np.concatenate([b[1].numpy() for b in found])) == list(Y)


def test_x_alone_comes_bare_as_a_train_step_of_keras_expects():
    assert batches(X)[0].shape == (10, 2)
    assert batches(iter([X]))[0].shape == (10, 2)
    assert len(batches([X, X])[0]) == 1


def test_lists_of_numbers_are_arrays():
    ((x, y),) = batches(X.tolist(), Y.tolist())
    assert (x.shape, y.shape) == ((10, 2), (10,))


@pytest.mark.parametrize("labels", [[0, 1, 2], [[0], [1], [2]], np.eye(3)])
def test_class_weight_becomes_sample_weight(labels):
    ((_, _, weight),) = batches(X[:3], np.array(labels), class_weight={0: 2.0, 2: 0.5})
    np.testing.assert_array_equal(weight, [2.0, 1.0, 0.5])


def test_class_weight_reaches_generators():
    source = iter([(X[:2], np.array([0, 1]))])
    ((_, _, weight),) = batches(source, class_weight={1: 3.0})
    np.testing.assert_array_equal(weight, [1.0, 3.0])


def test_a_generator_goes_on_where_it_stopped():
    source = as_batches(((X[i : i + 1], Y[i : i + 1]) for i in range(3)), None, None)
    next(iter(source.epoch()))
    assert len(list(source.epoch())) == 2
    assert source.size is None


def test_an_indexed_source_is_read_by_index():
    class Rows:
        ended = 0

        def __len__(self):
            return 5

        def __getitem__(self, i):
            return X[2 * i : 2 * i + 2], Y[2 * i : 2 * i + 2]

        def on_epoch_end(self):
            self.ended += 1

    rows = Rows()
    source = as_batches(rows, None, None)
    assert source.size == 5
    np.testing.assert_array_equal(np.concatenate([b[1] for b in source.epoch()]), Y)
    assert rows.ended == 1


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: batches(X, Y[:5]), ValueError, "same number of samples.*x: 10, y: 5"),
        (lambda: batches(X, Y, Y[:2]), ValueError, "sample_weight: 2"),
        (lambda: batches(None), ValueError, "`x` must be given"),
        (lambda: batches(iter([]), Y), ValueError, "go with arrays"),
        (lambda: batches(object()), TypeError, "data must be arrays"),
        (lambda: batches(X, Y, batch_size=0), ValueError, "`batch_size` must be at least 1"),
        (lambda: batches(X, Y, Y, class_weight={0: 1}), ValueError, "cannot both be given"),
        (lambda: batches(X, [Y, Y], class_weight={0: 1}), ValueError, "single output"),
        (lambda: split_validation(X, Y, None, 1.5), ValueError, "must lie in"),
        (lambda: split_validation(X, Y, None, 0.999), ValueError, "one side"),
        (lambda: split_validation(iter([]), None, None, 0.5), ValueError, "works for arrays"),
        (lambda: unpack_x_y_sample_weight((1, 2, 3, 4)), ValueError, "4 entries"),
    ],
)
def test_bad_data_is_named(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_split_validation_takes_the_last_samples():
    (x, y, w), (val_x, val_y, _) = split_validation(X, Y, None, 0.3)
    assert (len(x), len(val_x), w) == (7, 3, None)
    np.testing.assert_array_equal(np.concatenate([y, val_y]), Y)


def test_pack_and_unpack_are_inverse():
    for parts in [(X, None, None), (X, Y, None), (X, Y, Y)]:
        found = unpack_x_y_sample_weight(pack_x_y_sample_weight(*parts))
        assert all(a is b for a, b in zip(found, parts, strict=True))


def test_a_series_is_a_column_and_a_frame_a_matrix():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": Y, "b": Y})
    x, y = batches({"a": frame["a"], "both": frame}, frame["b"], batch_size=10)[0]
    assert x["a"].shape == (10, 1)
    assert x["both"].shape == (10, 2)
    assert y.shape == (10, 1)
