"""Files: text, records, CSV, saved datasets, snapshots, caches, options."""

import gzip
import os
import zlib

import numpy as np
import pytest

import lamina as tf
from lamina.data.records import RecordWriter

Dataset = tf.data.Dataset
experimental = tf.data.experimental
CSV = 'a,b,c,d\n1,2.5,x,9999999999\n2,,"y,z",3\n-3,1e3,,4\n'


def plain(dataset):
    return list(dataset.as_numpy_iterator())


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(CSV)
    return str(path)


@pytest.mark.parametrize(("kind", "pack"), [("GZIP", gzip.compress), ("ZLIB", zlib.compress)])
def test_lines_of_text(tmp_path, kind, pack):
    (tmp_path / "a.txt").write_bytes(b"one\r\ntwo\n\nlast")
    (tmp_path / "b.txt").write_bytes(b"three\n")
    names = [str(tmp_path / n) for n in ("a.txt", "b.txt")]
    lines = [b"one", b"two", b"", b"last", b"three"]
    assert plain(tf.data.TextLineDataset(names)) == lines
    assert plain(tf.data.TextLineDataset(Dataset.from_tensor_slices(names))) == lines
    assert plain(tf.data.TextLineDataset(names, num_parallel_reads=2))[:2] == [b"one", b"three"]
    (tmp_path / "c").write_bytes(pack(b"x\ny\n"))
    assert plain(tf.data.TextLineDataset(str(tmp_path / "c"), kind)) == [b"x", b"y"]
    assert plain(tf.data.TextLineDataset([])) == []


def test_datasets_made_from_files_are_plain_datasets(tmp_path):
    (tmp_path / "a.txt").write_text("1\n2\n")
    dataset = tf.data.TextLineDataset(str(tmp_path / "a.txt"))
    assert isinstance(dataset, Dataset)
    assert repr(dataset).startswith("<TextLineDatasetV2 element_spec=")
    assert plain(dataset.skip(1).map(tf.strings.to_number)) == [2.0]


@pytest.mark.parametrize("kind", [tf.data.TextLineDataset, tf.data.TFRecordDataset])
def test_missing_files_are_found_when_read(kind):
    dataset = kind("/nonexistent")
    with pytest.raises(tf.errors.NotFoundError, match="/nonexistent; No such file or directory"):
        list(dataset)


def test_bad_arguments_of_files():
    with pytest.raises(ValueError, match='must be None, "", "GZIP" or "ZLIB"; got \'BZ2\''):
        tf.data.TextLineDataset("a", "BZ2")
    with pytest.raises(TypeError, match="`filenames` must be strings"):
        tf.data.TextLineDataset(3)
    with pytest.raises(TypeError, match="must be a dataset of strings"):
        tf.data.TFRecordDataset(Dataset.range(3))


def test_records(tmp_path):
    path = str(tmp_path / "a.tfrecord")
    experimental.TFRecordWriter(path).write(Dataset.from_tensor_slices(["one", "two"]))
    with RecordWriter(str(tmp_path / "b.tfrecord")) as writer:
        writer.write(b"three")
    both = tf.data.TFRecordDataset([path, str(tmp_path / "b.tfrecord")])
    assert plain(both) == [b"one", b"two", b"three"]
    assert plain(both.batch(2))[0].tolist() == [b"one", b"two"]


def test_records_of_one_length(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"HEAD12345678END")
    dataset = tf.data.FixedLengthRecordDataset(str(path), 4, 4, 3)
    assert plain(dataset) == [b"1234", b"5678"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="whole records of 5 bytes"):
        plain(tf.data.FixedLengthRecordDataset(str(path), 5, 4, 3))


def test_files_are_listed_by_pattern(tmp_path):
    for name in ("b.txt", "a.txt", "c.bin"):
        (tmp_path / name).touch()
    found = plain(Dataset.list_files(str(tmp_path / "*.txt"), shuffle=False))
    assert [os.path.basename(f) for f in found] == [b"a.txt", b"b.txt"]
    assert sorted(plain(Dataset.list_files([str(tmp_path / "*.txt")]))) == found
    with pytest.raises(tf.errors.InvalidArgumentError, match="No files matched pattern"):
        Dataset.list_files(str(tmp_path / "*.png"))


def test_csv_dataset(table):
    kinds = [tf.int32, 0.5, tf.string, tf.int64]
    rows = plain(experimental.CsvDataset(table, [0, *kinds[1:2], "", tf.int64], header=True))
    assert rows == [(1, 2.5, b"x", 9999999999), (2, 0.5, b"y,z", 3), (-3, 1000.0, b"", 4)]
    assert [type(v) for v in rows[0]] == [np.int32, np.float32, bytes, np.int64]
    chosen = experimental.CsvDataset(table, [0, "q"], header=True, select_cols=[0, 2])
    assert plain(chosen) == [(1, b"x"), (2, b"y,z"), (-3, b"q")]
    without = experimental.CsvDataset(table, [0, "q"], header=True, exclude_cols=[1, 3])
    assert plain(without) == plain(chosen)
    assert chosen.element_spec == (tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.string))


@pytest.mark.parametrize(
    ("defaults", "says"),
    [
        ([tf.int32, tf.float32, tf.string, tf.int64], "Field 1 is required but missing in record!"),
        ([0, 0.0, 0, tf.int64], "Field 2 in record is not a valid int32: x"),
        ([0], "Expect 1 fields but have 4 in record"),
    ],
)
def test_csv_records_must_fit(table, defaults, says):
    with pytest.raises(tf.errors.InvalidArgumentError, match=says):
        plain(experimental.CsvDataset(table, defaults, header=True))


def test_csv_records_with_quotes_where_none_may_be(tmp_path):
    path = str(tmp_path / "quotes.csv")
    with open(path, "w") as file:
        file.write('1,a"b\n2,"c""d, e"\n3,"f"g\n4,"h\ni"\n')
    dataset = experimental.CsvDataset(path, [0, ""])
    with pytest.raises(tf.errors.InvalidArgumentError, match="unquoted fields cannot have quotes"):
        plain(dataset)
    rows = [(2, b'c"d, e'), (4, b"h\ni")]
    assert plain(dataset.ignore_errors()) == rows
    without = experimental.CsvDataset(path, [0, ""], use_quote_delim=False)
    assert plain(without.take(1)) == [(1, b'a"b')]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"record_defaults": [np.int64([[0]])]}, "must be a value or a list"),
        ({"record_defaults": [0], "select_cols": [0], "exclude_cols": [1]}, "only one of"),
        ({"record_defaults": [0], "buffer_size": 0}, "`buffer_size` must be above 0; got 0"),
    ],
)
def test_csv_arguments_that_do_not_fit(table, arguments, says):
    with pytest.raises(tf.errors.InvalidArgumentError, match=says):
        experimental.CsvDataset(table, **arguments)


def test_csv_records_longer_than_the_excluded_columns_tell(table):
    dataset = experimental.CsvDataset(table, [0], header=True, exclude_cols=[1])
    with pytest.raises(tf.errors.InvalidArgumentError, match="Expect 2 fields but have 4"):
        plain(dataset)


def test_make_csv_dataset_refuses_rows_of_another_width(table):
    with pytest.raises(ValueError, match="each row must have 5 fields"):
        experimental.make_csv_dataset(table, 2, list("abcde"), num_epochs=1)


def test_make_csv_dataset_finds_names_and_dtypes(table):
    made = experimental.make_csv_dataset(
        table, 2, ["a", "b", "c", "d"], num_epochs=1, shuffle=False
    )
    first, last = plain(made)
    assert {k: v.tolist() for k, v in first.items()} == {
        "a": [1, 2],
        "b": [2.5, 0.0],
        "c": [b"x", b"y,z"],
        "d": [9999999999, 3],
    }
    assert [first[k].dtype for k in "abd"] == [np.int32, np.float32, np.int64]
    assert last["a"].tolist() == [-3]
    labelled = experimental.make_csv_dataset(table, 2, label_name="a", select_columns=["a", "c"])
    features, label = labelled.element_spec
    assert dict(features) == {"c": tf.TensorSpec([2], tf.string)}
    assert label == tf.TensorSpec([2], tf.int32)
    assert int(labelled.cardinality()) == tf.data.INFINITE_CARDINALITY
    assert len(plain(labelled.take(5))) == 5  # without end
    with pytest.raises(ValueError, match="`label_name` provided must be one of the columns"):
        experimental.make_csv_dataset(table, 2, label_name="z")
    with pytest.raises(ValueError, match="No files matched"):
        experimental.make_csv_dataset("/nonexistent.csv", 2)


def test_saved_datasets_come_back(tmp_path):
    path = str(tmp_path / "saved")
    ragged = tf.ragged.constant([[1, 2], [3]])
    dataset = Dataset.from_tensor_slices({"x": np.arange(4.0).reshape(2, 2), "s": ["a", "bc"]})
    dataset = Dataset.zip((dataset, Dataset.from_tensors(ragged).repeat(2)))
    dataset.save(path, compression="GZIP")
    loaded = Dataset.load(path)
    assert (loaded.element_spec[0], len(loaded)) == (dataset.element_spec[0], 2)
    for (a, r), (b, q) in zip(dataset, loaded, strict=True):
        assert a["x"].numpy().tolist() == b["x"].numpy().tolist()
        assert a["s"].numpy() == b["s"].numpy()
        assert r.to_list() == q.to_list()


def test_shards_are_read_as_asked(tmp_path):
    path = str(tmp_path / "saved")
    Dataset.range(6).save(path, shard_func=lambda x: x % 2)
    assert plain(Dataset.load(path)) == [0, 2, 4, 1, 3, 5]

    def reader(shards):
        return shards.interleave(lambda shard: shard, cycle_length=2)

    assert plain(Dataset.load(path, reader_func=reader)) == [0, 1, 2, 3, 4, 5]


def test_what_was_not_saved_whole_is_not_loaded(tmp_path):
    with pytest.raises(tf.errors.NotFoundError, match="Could not find metadata file"):
        Dataset.load(str(tmp_path))
    path = tmp_path / "saved"
    Dataset.range(3).save(str(path))
    shard = path / "shard-00000.data"
    shard.write_bytes(shard.read_bytes()[:-3])
    with pytest.raises(tf.errors.DataLossError, match="is damaged, or was not written to its end"):
        plain(Dataset.load(str(path)))


@pytest.mark.parametrize("keep", [lambda d, p: d.snapshot(p), lambda d, p: d.cache(p)])
def test_files_keep_what_the_first_pass_made(tmp_path, keep):
    runs = []

    def numbers():
        runs.append(1)
        yield from range(3)

    def build():
        made = Dataset.from_generator(numbers, output_signature=tf.TensorSpec([], tf.int32))
        return keep(made, str(tmp_path / "kept"))

    dataset = build()
    assert plain(dataset) == plain(dataset) == plain(build()) == [0, 1, 2]
    assert len(runs) == 1


def test_a_pass_that_is_left_keeps_nothing(tmp_path):
    dataset = Dataset.range(3).cache(str(tmp_path / "kept"))
    next(iter(dataset))
    assert plain(dataset) == [0, 1, 2]


def test_options_are_merged():
    first, second = tf.data.Options(), tf.data.Options()
    first.deterministic = False
    first.experimental_distribute.auto_shard_policy = experimental.AutoShardPolicy.DATA
    second.threading.private_threadpool_size = 4
    found = Dataset.range(1).with_options(first).batch(1).with_options(second).options()
    assert found.deterministic is False
    assert found.distribute.auto_shard_policy == experimental.AutoShardPolicy.DATA
    assert found.threading.private_threadpool_size == 4
    assert tf.data.Options() == tf.data.Options() != first
    with pytest.raises(AttributeError, match="there is no option 'determinstic'"):
        first.determinstic = True


def test_database_rows(tmp_path):
    import sqlite3

    path = str(tmp_path / "db")
    connection = sqlite3.connect(path)
    connection.execute("create table t (n integer, s text)")
    connection.execute("insert into t values (1, 'a'), (2, 'b')")
    connection.commit()
    connection.close()
    kinds = (tf.int32, tf.string)
    rows = experimental.SqlDataset("sqlite", path, "select n, s from t order by n", kinds)
    assert plain(rows) == [(1, b"a"), (2, b"b")]
    single = experimental.SqlDataset("sqlite", path, "select n from t", tf.int64)
    assert [n.tolist() for n in plain(single.batch(2))] == [[1, 2]]
    with pytest.raises(tf.errors.InvalidArgumentError, match='`driver_name` must be "sqlite"'):
        experimental.SqlDataset("other", path, "select 1", kinds)
    with pytest.raises(tf.errors.UnknownError, match="no such column: x"):
        plain(experimental.SqlDataset("sqlite", path, "select x from t", kinds))
    with pytest.raises(tf.errors.InvalidArgumentError, match="a query with columns"):
        plain(experimental.SqlDataset("sqlite", path, "insert into t values (3, 'c')", kinds))


@pytest.mark.parametrize("kind", ["GZIP", "ZLIB"])
def test_files_that_are_not_compressed_as_said_or_not_whole(tmp_path, kind):
    plain_file = tmp_path / "a.txt"
    plain_file.write_bytes(b"one\ntwo\n")
    data = b"one\ntwo\n" * 100
    whole = (gzip.compress if kind == "GZIP" else zlib.compress)(data)
    cut_file = tmp_path / "cut"
    cut_file.write_bytes(whole[:-6])
    fixed = tf.data.FixedLengthRecordDataset
    for path in (plain_file, cut_file):
        for dataset in (
            tf.data.TextLineDataset(path, kind),
            fixed(path, 4, compression_type=kind),
            experimental.CsvDataset(path, [tf.string], kind),
        ):
            with pytest.raises(tf.errors.DataLossError, match=f"not a whole {kind} file"):
                plain(dataset)
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    assert plain(tf.data.TextLineDataset(empty, kind)) == []


def test_records_cut_at_the_end_of_one_are_not_taken_for_a_whole_zlib_file(tmp_path):
    path = tmp_path / "r"
    with RecordWriter(path, "ZLIB") as writer:
        writer.write(b"one")
        writer.flush()
        size = os.path.getsize(path)
        writer.write(b"two")
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(tf.errors.DataLossError, match="not a whole ZLIB file"):
        plain(tf.data.TFRecordDataset(path, "ZLIB"))


def test_a_file_shorter_than_header_and_footer(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"1234")
    dataset = tf.data.FixedLengthRecordDataset(path, 4, header_bytes=8)
    with pytest.raises(tf.errors.InvalidArgumentError, match="has -4 bytes between header and"):
        plain(dataset)
    with pytest.raises(tf.errors.InvalidArgumentError, match="`footer_bytes` must be at least 0"):
        tf.data.FixedLengthRecordDataset(path, 4, footer_bytes=-1)


@pytest.mark.parametrize(
    ("options", "name", "value", "says"),
    [
        (tf.data.Options(), "deterministic", "yes", "`deterministic` must be of type bool"),
        (tf.data.ThreadingOptions(), "private_threadpool_size", 1.5, "must be of type int"),
        (tf.data.Options(), "threading", 3, "`threading` must be of type ThreadingOptions"),
    ],
)
def test_options_refuse_values_of_other_types(options, name, value, says):
    with pytest.raises(TypeError, match=says):
        setattr(options, name, value)


def test_with_options_takes_options_only():
    with pytest.raises(TypeError, match=r"must be tf\.data\.Options; got 5"):
        Dataset.range(2).with_options(5)


def test_csv_lines_without_text_are_records_and_quotes_must_be_whole(tmp_path):
    def rows(text, defaults, **options):
        path = tmp_path / "rows.csv"
        path.write_bytes(text)
        return plain(experimental.CsvDataset(str(path), defaults, **options))

    assert rows(b"1\n\n2\n", [[7]]) == [(1,), (7,), (2,)]
    for text, defaults, says in (
        (b"1,2\n\n", [0, 0], "Expect 2 fields but have 1"),
        (b"", [0], "Can't read header"),
        (b'1,"a"b\n', [0, ""], "is no record"),
        (b'1,"a\n', [0, ""], "is no record"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=says):
            rows(text, defaults, header=not text)


def test_csv_values_are_the_bytes_of_the_file_and_names_its_text(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("名,n\nさる,1\n".encode("shift_jis"))
    made = experimental.make_csv_dataset(
        str(path), 1, num_epochs=1, shuffle=False, encoding="shift_jis"
    )
    (row,) = plain(made)
    assert row["名"].tolist() == ["さる".encode("shift_jis")]
