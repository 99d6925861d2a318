"""Lookup tables in checkpoints: tables.* is what TensorFlow 2.21 wrote of `Tables`, filled."""

from pathlib import Path

import numpy as np
import pytest

import lamina as tf

FILE = str(Path(__file__).parent / "files" / "tables")
Mutable, Dense = tf.lookup.experimental.MutableHashTable, tf.lookup.experimental.DenseHashTable


def static():
    init = tf.lookup.KeyValueTensorInitializer(["x"], tf.constant([1], tf.int64))
    return tf.lookup.StaticHashTable(init, -1)


class Tables(tf.Module):
    def __init__(self):
        self.m = Mutable(tf.string, tf.int64, -1)
        self.vec = Mutable(tf.int64, tf.float32, [0.0, 0.0])
        self.l = [Mutable(tf.int64, tf.string, "?")]
        self.dense = Dense(tf.int64, tf.float32, [0.0, 0.0], -1, -2)
        self.words = Dense(tf.string, tf.int64, -1, "", "$")
        self.static = static()
        self.v = tf.Variable(3.0)


def ints(*values):
    return tf.constant(values, tf.int64)


def filled():
    made = Tables()
    made.m.insert(["a", "b", "c"], ints(1, 2, 3))
    made.vec.insert(ints(7), [[1.0, 2.0]])
    made.l[0].insert(ints(4), ["four"])
    made.dense.insert(ints(1, 5, 9, 13, -7), [[i, i + 1.0] for i in range(5)])
    made.dense.erase(ints(5))
    made.words.insert(["p", "qq", "hello world, you", "lamina tables"], ints(1, 2, 3, 4))
    return made


def check_filled(made):
    assert made.m.lookup(["a", "b", "c", "d"]).numpy().tolist() == [1, 2, 3, -1]
    assert made.vec.lookup(ints(7, 8)).numpy().tolist() == [[1, 2], [0, 0]]
    assert made.l[0].lookup(ints(4, 5)).numpy().tolist() == [b"four", b"?"]
    found = made.dense.lookup(ints(1, 5, 9, 13, -7, -1)).numpy().tolist()
    assert found == [[0, 1], [0, 0], [2, 3], [3, 4], [4, 5], [0, 0]]
    assert made.dense.size().numpy() == 4
    assert made.words.lookup(["hello world, you", "lamina tables", ""]).numpy().tolist() == [
        3,
        4,
        -1,
    ]


def test_tables_that_tensorflow_saved_are_read():
    made = Tables()
    made.m.insert(["old"], ints(5))
    tf.train.Checkpoint(mo=made, s=made.static).read(FILE).assert_consumed()
    check_filled(made)
    assert made.m.size().numpy() == 3


def test_tables_are_saved_as_tensorflow_does(tmp_path):
    made = filled()
    path = tf.train.Checkpoint(mo=made, s=made.static).write(tmp_path / "t")
    assert tf.train.list_variables(path) == tf.train.list_variables(FILE)
    ours, theirs = tf.train.load_checkpoint(path), tf.train.load_checkpoint(FILE)
    # Dense tables hold their keys where TF's hash puts them.
    for key in ("mo/words", "mo/vec", "mo/l/0"):
        for what in ("keys", "values"):
            name = f"{key}/.ATTRIBUTES/table-{what}"
            if key != "mo/words" or what == "keys":
                assert sorted(ours.get_tensor(name).tolist()) == sorted(
                    theirs.get_tensor(name).tolist()
                )
    again = Tables()
    tf.train.Checkpoint(mo=again, s=again.static).read(path).assert_consumed()
    check_filled(again)


def test_keys_of_a_dense_table_stand_where_tensorflow_looks_for_them(tmp_path):
    table = Dense(tf.string, tf.int64, -1, "", "$")
    table.insert(["a", "bb", "hello", "lamina tables are long strings"], ints(1, 2, 3, 4))
    path = tf.train.Checkpoint(t=table).write(tmp_path / "t")
    found = tf.train.load_variable(path, "t/.ATTRIBUTES/table-keys")
    # The buckets of TensorFlow 2.21 after the same insertion.
    assert found[:, 0].tolist() == [
        b"bb",
        b"lamina tables are long strings",
        b"hello",
        b"",
        b"a",
        b"",
        b"",
        b"",
    ]


def test_tables_of_layers_and_those_set_later_get_their_keys(tmp_path):
    class Counts(tf.keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.table = Mutable(tf.string, tf.int64, 0)

    layer = Counts()
    layer.table.insert(["a"], ints(4))
    path = tf.train.Checkpoint(layer=layer).write(tmp_path / "t")
    later = tf.Module()
    status = tf.train.Checkpoint(layer=later).read(path)
    with pytest.raises(AssertionError, match=r"takes layer/table/\.ATTRIBUTES/table"):
        status.assert_consumed()
    later.table = Mutable(tf.string, tf.int64, 0)
    assert later.table.lookup(["a"]).numpy().tolist() == [4]
    status.assert_consumed()


def test_a_table_without_saved_keys_is_named(tmp_path):
    path = tf.train.Checkpoint(v=tf.Variable(1.0)).write(tmp_path / "t")
    status = tf.train.Checkpoint(t=Mutable(tf.string, tf.int64, 0)).read(path)
    with pytest.raises(AssertionError, match="Found 1 Python objects that were not bound"):
        status.assert_existing_objects_matched()


def test_static_tables_save_nothing(tmp_path):
    path = tf.train.Checkpoint(t=static()).write(tmp_path / "t")
    assert [key for key, _ in tf.train.list_variables(path)] == ["_CHECKPOINTABLE_OBJECT_GRAPH"]


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (lambda: Mutable(tf.int64, tf.int64, 0), "table-keys has dtype string; `keys` of the tab"),
        (lambda: Mutable(tf.string, tf.float32, 0.0), "table-values has dtype int64; `values` of"),
        (lambda: Mutable(tf.string, tf.int64, [0, 0]), r"Expected shape \[3, 2\] for the values"),
        (lambda: Dense(tf.string, tf.int64, 0, "", "$"), r"Expected keys of shape \[N, 1\] and"),
    ],
)
def test_another_table_is_refused(table, text):
    module = tf.Module()
    module.m = table()
    with pytest.raises(tf.errors.InvalidArgumentError, match=text):
        tf.train.Checkpoint(mo=module).read(FILE)


def test_a_mutable_table_takes_the_buckets_of_a_dense_one_as_in_tensorflow():
    module = tf.Module()
    module.dense = Mutable(tf.int64, tf.float32, [0.0, 0.0])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Expected shape \[8, 1, 2\]"):
        tf.train.Checkpoint(mo=module).read(FILE)
    other = tf.Module()
    other.words = Mutable(tf.string, tf.int64, -1)
    tf.train.Checkpoint(mo=other).read(FILE).expect_partial()
    np.testing.assert_array_equal(other.words.lookup(["qq", ""]).numpy(), [2, 0])
