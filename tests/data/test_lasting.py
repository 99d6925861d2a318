"""Iterators go on with the next element after one that failed."""

import contextlib
import gc
import threading

import numpy as np
import pytest

import lamina as tf
from lamina.data import changes

Dataset = tf.data.Dataset


def fails_at(*numbers):
    def function(x):
        is_good = tf.reduce_all(tf.not_equal(tf.constant(numbers, tf.int64), x))
        checked = tf.debugging.check_numerics(tf.where(is_good, 1.0, np.inf), "failed")
        return x * tf.cast(checked, tf.int64)

    return function


def steps(dataset, limit=30):
    """Return the elements as lists, with "error" where one failed."""
    found = []
    iterator = iter(dataset)
    while len(found) < limit:
        try:
            found.append(np.asarray(next(iterator)).tolist())
        except StopIteration:
            return found
        except tf.errors.InvalidArgumentError:
            found.append("error")
    return found


def failing(count=7):
    return Dataset.range(count).map(fails_at(2, 4))


def inner(x):
    return Dataset.range(x * 10, x * 10 + 3).map(fails_at(11, 21))


E = "error"
EXPECTED = {
    "filter": (lambda: failing().filter(lambda x: x % 2 == 0), [0, E, E, 6]),
    "predicate": (
        lambda: Dataset.range(6).filter(lambda x: fails_at(2, 3)(x) >= 0),
        [0, 1, E, E, 4, 5],
    ),
    "take": (lambda: failing().filter(lambda x: x >= 0).take(4), [0, 1, E, 3, E, 5]),
    "shard": (lambda: failing().filter(lambda x: x >= 0).shard(2, 1), [1, E, E, 5]),
    "skip": (lambda: failing().filter(lambda x: x >= 0).skip(3), [E, E, 5, 6]),
    "repeat": (lambda: failing(4).filter(lambda x: x > 0).repeat(2), [1, E, 3, 1, E, 3]),
    "concatenate": (
        lambda: failing(4).filter(lambda x: x > 0).concatenate(failing(3)),
        [1, E, 3, 0, 1, E],
    ),
    "batch": (lambda: failing().filter(lambda x: x >= 0).batch(3), [E, E, [5, 6]]),
    "unbatch": (
        lambda: failing(5).map(lambda x: tf.stack([x, x + 9])).unbatch(),
        [0, 9, 1, 10, E, 3, 12, E],
    ),
    "shuffle": (lambda: failing().filter(lambda x: x >= 0).shuffle(1), [0, E, 1, E, 3, 5, 6]),
    "prefetch": (lambda: failing().map(lambda x: x + 1).prefetch(2), [1, 2, E, 4, E, 6, 7]),
    "flat_map": (lambda: Dataset.range(3).flat_map(inner), [0, 1, 2, 10, E, 12, 20, E, 22]),
    "flat_map over errors": (
        lambda: failing(4).flat_map(lambda x: Dataset.from_tensors(x).repeat(2)),
        [0, 0, 1, 1, E, 3, 3],
    ),
    "interleave": (
        lambda: Dataset.range(4).interleave(inner, cycle_length=2),
        [0, 10, 1, E, 12, 2, 20, 30, E, 22, 31, 32],
    ),
    "parallel interleave": (
        lambda: Dataset.range(4).interleave(inner, cycle_length=2, num_parallel_calls=1),
        [0, 10, 1, E, 2, 12, 20, 30, E, 31, 22, 32],
    ),
    "scan": (
        lambda: failing().scan(np.int64(0), lambda s, x: (s + x, s + x)),
        [0, 1, E, 4, E, 9, 15],
    ),
    "scan's function": (
        lambda: Dataset.range(6).scan(np.int64(0), lambda s, x: (s + x, s + fails_at(2, 3)(x))),
        [0, 1, E, E, 5, 10],
    ),
    "unique": (lambda: failing().map(lambda x: x // 2).unique(), [0, E, 1, E, 2, 3]),
    "window": (
        lambda: failing().window(3, 1).flat_map(lambda w: w.batch(3)),
        [E, E, E, E, E, [5, 6], [6]],
    ),
    "group_by_window": (
        lambda: failing().group_by_window(lambda x: x % 2, lambda k, w: w.batch(2), 2),
        [E, [1, 3], E, [0, 6], [5]],
    ),
    "choose": (
        lambda: Dataset.choose_from_datasets(
            [Dataset.range(9), Dataset.range(9)], Dataset.from_tensor_slices(np.int64([0, 5, 1]))
        ),
        [0, E, 0],
    ),
    "assert_cardinality": (
        lambda: failing(4).apply(tf.data.experimental.assert_cardinality(3)),
        [0, 1, E, 3],
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_an_iterator_goes_on_after_an_error(name):
    make, expected = EXPECTED[name]
    assert steps(make()) == expected


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_a_cache_keeps_what_did_not_fail(kind, tmp_path):
    path = str(tmp_path / "cache") if kind == "file" else ""
    dataset = failing(5).cache(path)
    assert steps(dataset) == [0, 1, E, 3, E]
    assert steps(dataset) == [0, 1, 3]


def test_a_generator_goes_on_after_an_element_of_another_dtype():
    spec = tf.TensorSpec([], tf.int64)
    dataset = Dataset.from_generator(lambda: iter([1, "no", 3]), output_signature=spec)
    assert steps(dataset.filter(lambda x: x > 0)) == [1, E, 3]


def test_parallel_python_functions_go_on_in_order():
    def function(x):
        if int(x) in (1, 3):
            raise tf.errors.InvalidArgumentError(None, None, "failed")
        return np.int64(x)

    call = lambda x: tf.ensure_shape(tf.py_function(function, [x], tf.int64), [])  # noqa: E731
    dataset = Dataset.range(6).map(call, num_parallel_calls=3)
    assert steps(dataset) == [0, E, 2, E, 4, 5]


def test_a_reader_goes_on_with_the_next_file(tmp_path):
    path = str(tmp_path / "a.txt")
    with open(path, "w") as file:
        file.write("one\n")
    iterator = iter(tf.data.TextLineDataset([path, str(tmp_path / "missing"), path]))
    assert next(iterator).numpy() == b"one"
    with pytest.raises(tf.errors.NotFoundError, match="missing"):
        next(iterator)
    assert next(iterator).numpy() == b"one"


@pytest.mark.parametrize("count", range(1, 6))
def test_a_restored_iterator_stands_behind_the_errors_passed(count):
    for dataset in (failing(6), failing(6).filter(lambda x: x >= 0)):
        all_steps = steps(dataset)
        iterator = iter(dataset)
        for _ in range(count):
            with contextlib.suppress(tf.errors.InvalidArgumentError):
                next(iterator)
        other = iter(dataset)
        other.restore(iterator.state())
        assert steps(other) == all_steps[count:]


def test_ignore_errors_behind_a_filter_keeps_the_rest():
    assert steps(failing().filter(lambda x: x > 0).ignore_errors()) == [1, 3, 5, 6]


def test_take_drops_what_it_took_from_at_its_end():
    closed = []

    def numbers():
        try:
            yield from range(9)
        finally:
            closed.append(True)

    spec = tf.TensorSpec([], tf.int64)
    iterator = iter(Dataset.from_generator(numbers, output_signature=spec).take(2))
    assert [int(n) for n in iterator] == [0, 1]
    assert closed


class _WithoutUserCode(changes.Forwarding):
    """A stage as those of files are: elements are made in a prefetching thread."""

    def __init__(self, before):
        super().__init__(before)
        self.runs_user_code = False


def test_a_dropped_prefetch_ends_its_thread():
    spec = tf.TensorSpec([], tf.int64)
    dataset = Dataset.from_generator(lambda: iter(range(9)), output_signature=spec)
    dataset = Dataset(_WithoutUserCode(dataset._stage)).prefetch(1)
    iterator = iter(dataset)
    assert int(next(iterator)) == 0
    threads = [t for t in threading.enumerate() if t.name == "tf.data prefetch"]
    assert threads
    del iterator
    gc.collect()
    for thread in threads:
        thread.join(5)
        assert not thread.is_alive()
