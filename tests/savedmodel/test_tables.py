"""Mutable lookup tables of SavedModels: kept, changed after loading, and saved again."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import lamina as tf
from lamina.ops import mutable_tables

pytestmark = pytest.mark.filterwarnings("ignore:tf.function .* works on strings")


def ints(*values):
    return tf.constant(values, tf.int64)


class Tables(tf.Module):
    def __init__(self):
        super().__init__()
        tables = tf.lookup.experimental
        self.words = tables.MutableHashTable(tf.string, tf.int64, -1)
        self.more = [tables.DenseHashTable(tf.int64, tf.float32, [0.0, 0.5], -1, -2)]
        init = tf.lookup.KeyValueTensorInitializer(["x"], ints(1))
        self.static = tf.lookup.StaticHashTable(init, -1)
        self.words.insert(["a", "b"], ints(1, 2))
        self.more[0].insert(ints(7), [[1.0, 2.0]])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def find(self, x):
        return self.words.lookup(x) + self.static.lookup(x)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64)])
    def rows(self, x):
        return 2.0 * self.more[0].lookup(x)


def again(obj, folder, **kwargs):
    tf.saved_model.save(obj, str(folder))
    return tf.saved_model.load(str(folder), **kwargs)


def test_tables_are_loaded_with_their_keys(tmp_path):
    loaded = again(Tables(), tmp_path)
    assert loaded.words.lookup(["b", "z"]).numpy().tolist() == [2, -1]
    assert loaded.more[0].lookup(ints(7, 8)).numpy().tolist() == [[1, 2], [0, 0.5]]
    with pytest.raises(tf.errors.InvalidArgumentError, match="deleted_key"):
        loaded.more[0].insert(ints(-2), [[1.0, 2.0]])


def test_loaded_functions_look_into_the_loaded_tables(tmp_path):
    made = Tables()
    loaded = again(made, tmp_path / "a")
    loaded.words.insert(["z"], ints(26))
    loaded.more[0].insert(ints(8), [[3.0, 4.0]])
    assert loaded.find(tf.constant(["b", "z", "x"])).numpy().tolist() == [1, 25, 0]
    assert loaded.rows(ints(7, 8, 9)).numpy().tolist() == [[2, 4], [6, 8], [0, 1]]
    assert made.find(tf.constant(["z"])).numpy().tolist() == [-2]
    twice = again(loaded, tmp_path / "b")
    twice.words.insert(["b"], ints(5))
    assert twice.find(tf.constant(["b", "z", "x"])).numpy().tolist() == [4, 25, 0]
    assert loaded.find(tf.constant(["b"])).numpy().tolist() == [1]


def test_a_function_saved_before_its_first_call_sees_what_is_inserted_later(tmp_path):
    made = Tables()
    again(made, tmp_path)
    made.more[0].insert(ints(7), [[5.0, 5.0]])
    assert made.rows(ints(7)).numpy().tolist() == [[10, 10]]


def test_variables_of_the_folder_are_a_checkpoint_with_the_tables(tmp_path):
    again(Tables(), tmp_path)
    empty = Tables()
    empty.words.remove(["a"])
    tf.train.Checkpoint(empty).restore(str(tmp_path)).expect_partial()
    assert empty.words.lookup(["a"]).numpy().tolist() == [1]


def test_tables_are_empty_without_the_checkpoint(tmp_path):
    options = tf.saved_model.LoadOptions(experimental_skip_checkpoint=True)
    loaded = again(Tables(), tmp_path, options=options)
    assert loaded.words.size().numpy() == 0
    np.testing.assert_array_equal(loaded.find(tf.constant(["a"])).numpy(), [-2])


def test_two_copies_of_one_table_are_not_saved_together(tmp_path):
    both = tf.Module()
    both.first = again(Tables(), tmp_path)
    both.second = tf.saved_model.load(str(tmp_path))
    with pytest.raises(ValueError, match="got first/words and second/words, which loading one"):
        tf.saved_model.save(both, str(tmp_path / "both"))


def test_tables_are_shared_with_lookups_that_the_same_thread_restores():
    table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
    table.insert(["a"], [7])

    def found():
        recipe = table.key_in_files, (tf.string, tf.int64), table._default, [], []
        return mutable_tables.restored_mutable_find(*recipe)(tf.constant(["a"])).numpy().tolist()

    with mutable_tables.sharing({table.key_in_files: table}), ThreadPoolExecutor(1) as pool:
        assert found() == [7]
        assert pool.submit(found).result() == [-1]
    assert found() == [-1]
