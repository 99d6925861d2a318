"""parse_example and its kin: each expected value is TensorFlow 2.21's."""

import pytest

import lamina as tf

io, T = tf.io, tf.train
Fixed, Steps = io.FixedLenFeature, io.FixedLenSequenceFeature


def _record(**features):
    record = T.Example()
    for name, values in features.items():
        feature = record.features.feature[name]
        if isinstance(values[0], bytes):
            feature.bytes_list.value.extend(values)
        elif isinstance(values[0], float):
            feature.float_list.value.extend(values)
        else:
            feature.int64_list.value.extend(values)
    return record.SerializeToString()


A = _record(x=[1.0, 2.0], y=[3], s=[b"a", b"b"], i=[2, 0], v=[5.0, 6.0], sp=[0, 1, 2], n=[1, 2, 3])
B = _record(x=[3.0, 4.0], y=[4], s=[b"c"], i=[1], v=[7.0], sp=[0, 0, 1], n=[4])


def _shown(value):
    if hasattr(value, "dense_shape"):
        parts = value.indices, value.values, value.dense_shape
        return tuple(p.numpy().tolist() for p in parts)
    return value.to_list() if hasattr(value, "to_list") else tf.get_static_value(value).tolist()


_SPLITS = io.RaggedFeature(tf.string, value_key="s", partitions=[io.RaggedFeature.RowSplits("sp")])
_UNIFORM = io.RaggedFeature(
    tf.int64, value_key="n", partitions=[io.RaggedFeature.UniformRowLength(1)]
)


@pytest.mark.parametrize(
    ("key", "feature", "one", "two"),
    [
        ("x", Fixed([2], tf.float32), [1, 2], [[1, 2], [3, 4]]),
        ("x", Fixed((1, 2), tf.float32), [[1, 2]], [[[1, 2]], [[3, 4]]]),
        ("q", Fixed([2], tf.string, ["a", "b"]), [b"a", b"b"], [[b"a", b"b"], [b"a", b"b"]]),
        ("s", io.VarLenFeature(tf.string), ([[0], [1]], [b"a", b"b"], [2]),
         ([[0, 0], [0, 1], [1, 0]], [b"a", b"b", b"c"], [2, 2])),
        ("q", io.VarLenFeature(tf.int64), ([], [], [0]), ([], [], [2, 0])),
        ("s", io.RaggedFeature(tf.string), [b"a", b"b"], [[b"a", b"b"], [b"c"]]),
        ("w", _SPLITS, [[b"a"], [b"b"]], [[[b"a"], [b"b"]], [[], [b"c"]]]),
        ("w", _UNIFORM, [[1], [2], [3]], [[[1], [2], [3]], [[4]]]),
        ("w", io.SparseFeature("i", "v", tf.float32, 4), ([[0], [2]], [6, 5], [4]),
         ([[0, 0], [0, 2], [1, 1]], [6, 5, 7], [2, 4])),
        ("n", Steps([], tf.int64, True), [1, 2, 3], [[1, 2, 3], [4, 0, 0]]),
        ("n", Steps([], tf.int64, True, -1), [1, 2, 3], [[1, 2, 3], [4, -1, -1]]),
    ],
)  # fmt: skip
def test_features_of_one_and_of_two_records(key, feature, one, two):
    assert _shown(io.parse_single_example(A, {key: feature})[key]) == one
    assert _shown(io.parse_example([A, B], {key: feature})[key]) == two


def test_a_default_of_no_characters_is_a_string():
    found = io.parse_example([A, B], {"q": Fixed([], tf.string, default_value="")})["q"]
    assert found.numpy().tolist() == [b"", b""]


def test_ragged_results_have_their_splits_dtype():
    found = io.parse_example([A, B], {"s": io.RaggedFeature(tf.string)})["s"]
    assert found.row_splits.dtype == tf.int32


def test_results_come_in_tfs_order():
    features = {
        "y": Fixed([], tf.int64),
        "n": io.RaggedFeature(tf.int64),
        "s": io.VarLenFeature(tf.string),
    }
    assert list(io.parse_example([A], features)) == ["s", "y", "n"]


def test_parsing_inside_dataset_map(tmp_path):
    with io.TFRecordWriter(str(tmp_path / "a")) as writer:
        writer.write(A)
        writer.write(B)
    data = tf.data.TFRecordDataset(str(tmp_path / "a"))
    data = data.map(lambda r: io.parse_single_example(r, {"y": Fixed([], tf.int64)})["y"])
    assert [int(y) for y in data] == [3, 4]


def _sequence(steps, words, number):
    record = T.SequenceExample()
    record.context.feature["n"].int64_list.value.append(number)
    for step in steps:
        record.feature_lists.feature_list["f"].feature.add().float_list.value.extend(step)
    for word in words:
        record.feature_lists.feature_list["w"].feature.add().bytes_list.value.extend(word)
    return record.SerializeToString()


S1 = _sequence([[1.0, 2.0], [3.0, 4.0]], [[b"a", b"b"], [b"c"]], 5)
S2 = _sequence([[5.0, 6.0]], [[]], 6)


def test_one_sequence():
    context, found = io.parse_single_sequence_example(
        S1,
        {"n": Fixed([], tf.int64)},
        {"f": Steps([2], tf.float32), "w": io.VarLenFeature(tf.string)},
    )
    assert int(context["n"]) == 5
    assert _shown(found["f"]) == [[1, 2], [3, 4]]
    assert _shown(found["w"]) == ([[0, 0], [0, 1], [1, 0]], [b"a", b"b", b"c"], [2, 2])
    assert list(found) == ["w", "f"]


def test_two_sequences_are_padded_and_counted():
    features = {"f": Steps([2], tf.float32), "w": io.RaggedFeature(tf.string)}
    _, found, lengths = io.parse_sequence_example([S1, S2], None, features)
    assert _shown(found["f"]) == [[[1, 2], [3, 4]], [[5, 6], [0, 0]]]
    assert _shown(found["w"]) == [[[b"a", b"b"], [b"c"]], [[]]]
    assert lengths["f"].numpy().tolist() == [2, 1]


@pytest.mark.parametrize(
    ("features", "error", "text"),
    [
        ({"x": Fixed([], tf.float32)}, tf.errors.InvalidArgumentError,
         "values size: 2 but output shape"),
        ({"q": Fixed([], tf.int64)}, tf.errors.InvalidArgumentError,
         "required but could not be found"),
        ({"x": Fixed([2], tf.int64)}, tf.errors.InvalidArgumentError, "Data types don't match"),
        ({"n": Steps([], tf.int64)}, ValueError, "allow_missing=True"),
        ({"n": Steps([2], tf.int64, True)}, tf.errors.InvalidArgumentError, "not a multiple"),
        ({"x": Fixed([], tf.int32)}, tf.errors.InvalidArgumentError, "float32, int64 or string"),
        ({"x": 5}, ValueError, "must hold descriptions; got 5 for 'x'"),
        ({"q": Fixed([3], tf.int64, [1, 2])}, ValueError, "must be one value or have shape"),
        ({"x": Fixed([2, None], tf.float32)}, ValueError, "must be known"),
        ({"w": io.SparseFeature(["i"], "v", tf.float32, [1, 2])}, ValueError, "one length"),
        ({"w": io.SparseFeature("sp", "v", tf.float32, 4)}, tf.errors.InvalidArgumentError,
         "as many indices as values"),
        ({"w": io.RaggedFeature(tf.int64, "n", [io.RaggedFeature.RowLengths("y")])}, None, None),
        ({"w": io.RaggedFeature(tf.int64, "n", [io.RaggedFeature.RowLengths("i")])},
         tf.errors.InvalidArgumentError, "must cut 3 values"),
        ({}, ValueError, "Missing: features"),
        ([1], TypeError, "must be a dict"),
    ],
)  # fmt: skip
def test_errors(features, error, text):
    if error is None:
        assert _shown(io.parse_single_example(A, features)["w"]) == [[1, 2, 3]]
        return
    with pytest.raises(error, match=text):
        io.parse_single_example(A, features)


def test_bytes_that_are_no_record_are_refused():
    with pytest.raises(tf.errors.InvalidArgumentError, match="Could not parse example input"):
        io.parse_single_example(b"junk", {"x": Fixed([], tf.int64)})


def test_several_records_need_parse_example():
    with pytest.raises(ValueError, match=r"must have rank 0; got shape \(1,\)"):
        io.parse_single_example([A], {"y": Fixed([], tf.int64)})


def test_a_missing_feature_list_is_refused():
    with pytest.raises(tf.errors.InvalidArgumentError, match="Feature list 'q' is required"):
        io.parse_sequence_example([S1], None, {"q": Steps([], tf.int64)})


def test_partitions_must_be_partitions():
    with pytest.raises(TypeError, match="must hold partition objects; got 'a'"):
        io.RaggedFeature(tf.int64, partitions=["a"])


@pytest.mark.parametrize("default", [[1.0, 2.0], [[1.0], [2.0]], [[1.0, 2.0]]])
def test_defaults_are_values_in_the_order_of_the_shape(default):
    feature = tf.io.FixedLenFeature([1, 2], tf.float32, default_value=default)
    found = tf.io.parse_example([b"", b""], {"a": feature})
    assert found["a"].numpy().tolist() == [[[1.0, 2.0]], [[1.0, 2.0]]]
    wrong = tf.io.FixedLenFeature([1, 3], tf.float32, default_value=default)
    with pytest.raises(ValueError, match=r"must be one value or have shape \(1, 3\)"):
        tf.io.parse_example([b""], {"a": wrong})
