"""tf.lookup: tables."""

import pytest

import lamina as tf
from lamina.engine import errors


def words():
    return tf.lookup.KeyValueTensorInitializer(["a", "b"], tf.constant([0, 1], tf.int64))


def test_static_table_looks_up_tensors_and_rows():
    table = tf.lookup.StaticHashTable(words(), -1)
    assert table.lookup(tf.constant(["b", "z"])).numpy().tolist() == [1, -1]
    assert table[tf.ragged.constant([["a"], ["z", "b"]])].to_list() == [[0], [-1, 1]]
    assert table.size().numpy() == 2
    with pytest.raises(TypeError, match="must have dtype string"):
        table.lookup(tf.constant([1]))


def test_integer_keys_are_searched_inside_functions():
    init = tf.lookup.KeyValueTensorInitializer(
        tf.constant([9, 5], tf.int64), tf.constant([2.0, 1.0])
    )
    table = tf.lookup.StaticHashTable(init, 0.0)
    found = tf.function(table.lookup)(tf.constant([9, 3, 5, 10], tf.int64))
    assert found.numpy().tolist() == [2.0, 0.0, 1.0, 0.0]


def test_vocabulary_table_hashes_other_terms():
    table = tf.lookup.StaticVocabularyTable(words(), 3)
    assert table.lookup(tf.constant(["a", "zz", "q"])).numpy().tolist() == [0, 3, 4]
    assert table.size().numpy() == 5
    with pytest.raises(ValueError, match="must be > 0"):
        tf.lookup.StaticVocabularyTable(words(), 0)


def test_one_key_has_one_value():
    with pytest.raises(errors.FailedPreconditionError, match="different value for same key"):
        tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a", "a"], [1, 2]), 0)


def test_mutable_table_changes():
    table = tf.lookup.experimental.MutableHashTable(tf.string, tf.float32, [0.0, 0.0])
    table.insert(["x"], [[1.0, 2.0]])
    assert table.lookup(["x", "y"]).numpy().tolist() == [[1.0, 2.0], [0.0, 0.0]]
    table.remove(["x"])
    assert table.size().numpy() == 0
    with pytest.raises(errors.InvalidArgumentError, match="Expected shape"):
        table.insert(["x"], [1.0])


def test_dense_table_keeps_two_keys_back():
    table = tf.lookup.experimental.DenseHashTable(tf.int64, tf.int64, -1, -1, -2)
    with pytest.raises(errors.InvalidArgumentError, match="empty_key"):
        table.insert(tf.constant([-1], tf.int64), tf.constant([1], tf.int64))
    with pytest.raises(errors.InvalidArgumentError, match="deleted keys cannot be equal"):
        tf.lookup.experimental.DenseHashTable(tf.int64, tf.int64, -1, -2, -2)


def test_missing_file_is_reported():
    index = tf.lookup.TextFileIndex
    init = tf.lookup.TextFileInitializer(
        "/nowhere.txt", tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER
    )
    with pytest.raises(errors.NotFoundError, match="does not exist"):
        tf.lookup.StaticHashTable(init, -1)


def test_lookups_of_integers_in_functions_see_what_is_inserted_later():
    table = tf.lookup.experimental.MutableHashTable(tf.int64, tf.int64, -1)
    find = tf.function(table.lookup)
    keys = tf.constant([1, 2], tf.int64)
    with pytest.warns(UserWarning, match="or on tables; it runs eager"):
        assert find(keys).numpy().tolist() == [-1, -1]
    table.insert(keys, tf.constant([10, 20], tf.int64))
    assert find(keys).numpy().tolist() == [10, 20]
    assert find(keys + 1).numpy().tolist() == [20, -1]


def test_vectors_are_looked_up_by_integers_inside_functions():
    table = tf.lookup.experimental.MutableHashTable(tf.int64, tf.float32, [0.0, 0.0])
    table.insert(tf.constant([3], tf.int64), [[1.0, 2.0]])
    with pytest.warns(UserWarning, match="runs eagerly"):
        found = tf.function(table.lookup)(tf.constant([3, 4], tf.int64))
    assert found.numpy().tolist() == [[1.0, 2.0], [0.0, 0.0]]


@pytest.mark.parametrize(("kind", "names"), [("string", ["a", "b", "c"]), ("int64", [1, 2, 3])])
def test_functions_see_what_a_table_holds_when_they_run(kind, names):
    table = tf.lookup.experimental.MutableHashTable(kind, tf.int64, -1)
    first, second, both = (tf.constant(n, kind) for n in (names[:1], names[1:2], names[:2]))

    @tf.function
    def put(keys, values):
        table.insert(keys, values)
        return table.size()

    @tf.function
    def values():
        return tf.sort(table.export()[1])

    size, known = tf.function(lambda: table.size()), tf.function(lambda: table.lookup(both))
    drop = tf.function(lambda keys: table.remove(keys))
    assert size().numpy() == 0
    assert known().numpy().tolist() == [-1, -1]
    assert values().numpy().tolist() == []
    assert put(first, tf.constant([10], tf.int64)).numpy() == 1
    assert put(second, tf.constant([20], tf.int64)).numpy() == 2
    assert size().numpy() == 2
    assert known().numpy().tolist() == [10, 20]
    assert values().numpy().tolist() == [10, 20]
    table.insert(first, tf.constant([30], tf.int64))
    assert known().numpy().tolist() == [30, 20]
    drop(first)
    drop(second)
    assert known().numpy().tolist() == [-1, -1]
    assert size().numpy() == 0
