"""Lookup tables from datasets."""

import numpy as np
import pytest

import lamina as tf

experimental = tf.data.experimental


def pairs(keys=("a", "b", "c"), values=(10, 20, 30)):
    return tf.data.Dataset.from_tensor_slices((list(keys), np.asarray(values, np.int64)))


def found(table, *keys):
    return table.lookup(tf.constant(list(keys))).numpy().tolist()


def test_a_table_of_pairs():
    assert found(experimental.table_from_dataset(pairs()), "c", "z") == [30, -1]
    assert found(experimental.table_from_dataset(pairs(), default_value=7), "z") == [7]
    numbers = experimental.table_from_dataset(pairs([5, 6], [0, 1]), key_dtype=tf.int32)
    assert found(numbers, 6, 4) == [1, -1]


def test_a_table_of_places():
    words = tf.data.Dataset.from_tensor_slices(["x", "y", "z"])
    table = experimental.index_table_from_dataset(words, vocab_size=2)
    assert found(table, "y", "z") == [1, -1]
    buckets = experimental.index_table_from_dataset(words, num_oov_buckets=2)
    assert found(buckets, "z") == [2]
    assert set(found(buckets, *"abcdefgh")) == {3, 4}
    assert int(buckets.size()) == 5


def test_an_initializer_reads_the_dataset():
    start = experimental.DatasetInitializer(pairs())
    assert (start.key_dtype, start.value_dtype) == (tf.string, tf.int64)
    assert found(tf.lookup.StaticVocabularyTable(start, 1), "b", "z") == [20, 3]


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="must be pairs of scalars"):
        experimental.DatasetInitializer(tf.data.Dataset.range(3))
    with pytest.raises(ValueError, match="must be pairs of scalars"):
        experimental.table_from_dataset(pairs().batch(2))
    with pytest.raises(TypeError, match=r"Fix: key_dtype='string'"):
        experimental.table_from_dataset(pairs(), key_dtype=tf.int64)
    with pytest.raises(ValueError, match="`dataset` must be a dataset; got None"):
        experimental.index_table_from_dataset()
    with pytest.raises(ValueError, match="`num_oov_buckets` must be at least 0"):
        experimental.table_from_dataset(pairs(), num_oov_buckets=-1)
    with pytest.raises(ValueError, match="`vocab_size` must be at least 1"):
        experimental.table_from_dataset(pairs(), vocab_size=0)
    with pytest.raises(ValueError, match="`hasher_spec` must be the default"):
        experimental.table_from_dataset(pairs(), hasher_spec=("stronghash", [1, 2]))
    with pytest.raises(ValueError, match="one of `num_oov_buckets` and `default_value`"):
        experimental.table_from_dataset(pairs(), num_oov_buckets=1, default_value=3)
    with pytest.raises(tf.errors.OpError):
        experimental.table_from_dataset(pairs(), vocab_size=9)
