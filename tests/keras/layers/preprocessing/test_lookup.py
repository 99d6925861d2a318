"""IntegerLookup and StringLookup; numbers of TF are Keras 3.15's."""

import copy
import pickle

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers as L
from tests.tolerances import assert_close

VOCABULARY = ["a", "b", "c"]
X = [["a", "zz", "b"], ["c", "", "q"]]


def strings(**arguments):
    return L.StringLookup(vocabulary=VOCABULARY, **arguments)


def integers(**arguments):
    return L.IntegerLookup(vocabulary=[10, 20, 30], **arguments)


@pytest.mark.parametrize(
    ("arguments", "expected", "vocabulary"),
    [
        ({}, [[1, 0, 2], [3, 0, 0]], ["[UNK]"]),
        ({"mask_token": ""}, [[2, 1, 3], [4, 0, 1]], ["", "[UNK]"]),
        ({"num_oov_indices": 3}, [[3, 1, 4], [5, 2, 2]], ["[UNK]"] * 3),
        ({"num_oov_indices": 3, "salt": [1, 2]}, [[3, 1, 4], [5, 1, 0]], ["[UNK]"] * 3),
        ({"output_mode": "multi_hot"}, [[1, 1, 1, 0], [1, 0, 0, 1]], ["[UNK]"]),
        ({"output_mode": "count"}, [[1, 1, 1, 0], [2, 0, 0, 1]], ["[UNK]"]),
        (
            {"output_mode": "multi_hot", "mask_token": "", "pad_to_max_tokens": True}
            | {"max_tokens": 6},
            [[1, 1, 1, 0, 0, 0], [1, 0, 0, 1, 0, 0]],
            ["[UNK]"],
        ),
    ],
)
def test_numbers_of_strings(arguments, expected, vocabulary):
    layer = strings(**arguments)
    found = layer(X)
    assert found.dtype == tf.int64
    assert found.numpy().tolist() == expected
    assert layer.get_vocabulary() == vocabulary + VOCABULARY
    assert layer.get_vocabulary(include_special_tokens=False) == VOCABULARY
    assert layer.vocabulary_size() == len(vocabulary) + 3
    assert L.StringLookup.from_config(layer.get_config())(X).numpy().tolist() == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, [[1, 0, 0], [3, 0, 0]]),
        ({"num_oov_indices": 3}, [[3, 1, 0], [5, 0, 2]]),
        ({"num_oov_indices": 3, "oov_method": "farmhash"}, [[3, 1, 1], [5, 0, 1]]),
        ({"num_oov_indices": 3, "oov_method": "farmhash", "salt": 5}, [[3, 1, 0], [5, 1, 0]]),
        ({"mask_token": 0}, [[2, 1, 0], [4, 1, 1]]),
        ({"output_mode": "count"}, [[2, 1, 0, 0], [2, 0, 0, 1]]),
    ],
)
def test_numbers_of_integers(arguments, expected):
    layer = integers(**arguments)
    x = np.array([[10, 7, 0], [30, -3, 2]])
    assert layer(x).numpy().tolist() == expected
    compiled = tf.function(layer)(tf.constant(x))
    assert compiled.numpy().tolist() == expected
    assert L.IntegerLookup.from_config(layer.get_config())(x).numpy().tolist() == expected


def test_one_value_and_one_row():
    assert strings()("a").numpy() == 1
    assert strings()(["a", "b"]).numpy().tolist() == [1, 2]
    assert strings(output_mode="one_hot")("a").numpy().tolist() == [[0, 1, 0, 0]]
    assert strings(output_mode="multi_hot")("a").numpy().tolist() == [0, 1, 0, 0]


def test_invert_returns_the_terms():
    layer = strings(invert=True)
    assert layer([[0, 1, 3, 9, -1]]).numpy().tolist() == [
        [b"[UNK]", b"a", b"c", b"[UNK]", b"[UNK]"]
    ]
    masked = strings(invert=True, mask_token="")
    assert masked([[0, 1, 2, 9]]).numpy().tolist() == [[b"", b"[UNK]", b"a", b"[UNK]"]]
    assert integers(invert=True)([0, 1, 3, 7]).numpy().tolist() == [-1, 10, 30, -1]
    layer = L.IntegerLookup(vocabulary=[0, -1, 5, 1], mask_token=0, invert=True)
    assert layer([[0, 1, 2], [3, 4, -1]]).numpy().tolist() == [[0, -1, 5], [1, -1, -1]]


def test_tf_idf_multiplies_counts():
    layer = strings(output_mode="tf_idf", idf_weights=[0.1, 0.2, 0.3])
    assert_close(layer(X), [[0.2, 0.1, 0.2, 0], [0.4, 0, 0, 0.3]])
    layer = L.StringLookup(
        vocabulary=["[UNK]", *VOCABULARY], output_mode="tf-idf", idf_weights=[0.5, 0.1, 0.2, 0.3]
    )
    assert_close(layer(X), [[0.5, 0.1, 0.2, 0], [1.0, 0, 0, 0.3]])


def test_adapt_orders_terms_by_frequency():
    layer = L.StringLookup()
    layer.adapt(["x", "y", "y", "z", "w"])
    assert layer.get_vocabulary() == ["[UNK]", "y", "z", "x", "w"]
    layer.adapt(iter([["a", "a"], ["b"], ["c"]]), steps=2)
    assert layer.get_vocabulary() == ["[UNK]", "a", "b"]
    layer = L.StringLookup(max_tokens=3, mask_token="x")
    layer.adapt(np.array([["x", "y", "y"], ["z", "y", "x"]]))
    assert layer.get_vocabulary() == ["x", "[UNK]", "y"]
    layer = L.IntegerLookup()
    layer.adapt(np.array([5, 5, 2, 3, 3]))
    assert layer.get_vocabulary() == [-1, 5, 3, 2]


def test_adapt_learns_document_frequencies():
    layer = L.StringLookup(output_mode="tf_idf")
    layer.adapt([["x", "y", "y"], ["z", "y", "x"]])
    assert layer.get_vocabulary() == ["[UNK]", "y", "x", "z"]
    assert_close(layer.idf_weights, [0.57159948, 0.51082563, 0.51082563, 0.69314718])
    layer = L.StringLookup(output_mode="tf_idf", pad_to_max_tokens=True, max_tokens=5)
    layer.adapt(["x", "y", "y"])
    assert_close(layer.idf_weights_const, [0.80471897, 0.69314718, 0.91629076, 0, 0])


def test_a_vocabulary_from_a_file(tmp_path):
    path = tmp_path / "terms.txt"
    path.write_text("a\nb\nc\n", encoding="utf-8")
    layer = L.StringLookup(vocabulary=str(path))
    assert layer(X).numpy().tolist() == [[1, 0, 2], [3, 0, 0]]
    config = layer.get_config()
    assert config["vocabulary"] is None
    path.write_text("10\n20\n", encoding="utf-8")
    layer = L.IntegerLookup(vocabulary=str(path))
    assert layer.get_vocabulary() == [-1, 10, 20]
    with pytest.raises(ValueError, match="loading reads no file outside of the archive"):
        L.StringLookup.from_config({**config, "vocabulary": str(path)})


@pytest.mark.parametrize("kind", [tuple, np.array, tf.constant])
def test_a_vocabulary_from_other_containers(kind):
    layer = L.StringLookup(vocabulary=kind(["a", "é"]))
    assert layer.get_vocabulary() == ["[UNK]", "a", "é"]
    assert layer(["é"]).numpy() == [2]
    assert layer.get_config()["vocabulary"] == ["a", "é"]


def test_set_vocabulary_reaches_compiled_functions():
    layer = integers()
    compiled = tf.function(layer)
    assert compiled(tf.constant([20], tf.int64)).numpy() == [2]
    layer.set_vocabulary([20, 10, 30])
    assert compiled(tf.constant([20], tf.int64)).numpy() == [1]


def test_special_tokens_may_come_first():
    layer = L.StringLookup(mask_token="")
    layer.set_vocabulary(["", "[UNK]", "a"])
    assert layer.get_vocabulary() == ["", "[UNK]", "a"]


def test_facts_of_the_layers():
    layer = strings()
    assert (layer.dtype, layer.compute_dtype, layer.weights) == ("string", "string", [])
    assert integers().dtype == "int64"
    assert L.StringLookup().get_vocabulary() == ["[UNK]"]


def test_copies_look_up_the_same():
    layer = strings()
    layer(X)
    for made in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert made(X).numpy().tolist() == [[1, 0, 2], [3, 0, 0]]


def test_assets_and_variables(tmp_path):
    layer = L.StringLookup(output_mode="tf_idf", num_oov_indices=2)
    layer.adapt([["x", "é"], ["é", "z"]])
    layer.save_assets(str(tmp_path))
    assert (tmp_path / "vocabulary.txt").read_bytes().decode() == "[UNK]\n[UNK]\né\nz\nx"
    store = {}
    layer.save_own_variables(store)
    other = L.StringLookup.from_config(layer.get_config())
    other.load_own_variables(store)
    other.load_assets(str(tmp_path))
    assert other.get_vocabulary() == layer.get_vocabulary()
    assert_close(other([["é", "q"]]), layer([["é", "q"]]))


def test_the_config_is_keras():
    assert integers(name="i").get_config() == {
        "name": "i",
        "trainable": True,
        "dtype": {
            "module": "keras",
            "class_name": "DTypePolicy",
            "config": {"name": "float32"},
            "registered_name": None,
        },
        "invert": False,
        "max_tokens": None,
        "num_oov_indices": 1,
        "oov_token": -1,
        "mask_token": None,
        "output_mode": "int",
        "sparse": False,
        "pad_to_max_tokens": False,
        "vocabulary_dtype": "int64",
        "idf_weights": None,
        "vocabulary": [10, 20, 30],
        "vocabulary_size": 4,
        "oov_method": "floormod",
        "salt": None,
    }
    config = strings().get_config()
    assert config["encoding"] == "utf-8"
    assert "vocabulary_dtype" not in config


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: integers(max_tokens=1), "`max_tokens` must be greater than 1"),
        (lambda: integers(max_tokens=3), "not be larger than `max_tokens`, 3; got a vocabulary"),
        (lambda: integers(num_oov_indices=-1), "must be greater than or equal to 0; got -1"),
        (lambda: integers(pad_to_max_tokens=True), "must be set for pad_to_max_tokens=True"),
        (lambda: integers(salt=1), "`salt` can only be used with oov_method='farmhash'"),
        (lambda: integers(oov_method="x"), "`oov_method` must be one of"),
        (lambda: integers(output_mode="x"), "`output_mode` must be one of"),
        (lambda: integers(invert=True, output_mode="count"), "must be 'int' with invert=True"),
        (lambda: integers(sparse=True), "`sparse` must be False"),
        (lambda: integers(idf_weights=[1.0]), "should only be set for output_mode 'tf_idf'"),
        (lambda: integers(output_mode="tf_idf"), "must be given with `vocabulary`"),
        (lambda: integers(output_mode="tf_idf", idf_weights=[1.0]), "one number for each term"),
        (lambda: integers(vocabulary_dtype="int32"), "only `vocabulary_dtype='int64'`"),
        (lambda: integers(foo=1), r"unrecognized keyword argument\(s\) \['foo'\]"),
        (lambda: L.StringLookup(vocabulary=["a", "a"]), r"repeated term: \['a'\]"),
        (lambda: L.StringLookup(vocabulary=[]), "must not be empty"),
        (lambda: L.StringLookup(vocabulary=["a", ""], mask_token=""), "found '' at index 1"),
        (lambda: L.IntegerLookup(vocabulary=[1, -1], invert=True), "reserved OOV token"),
        (lambda: L.StringLookup(vocabulary="/no/file"), "/no/file does not exist"),
        (lambda: strings().adapt(["a"]), "cannot adapt one after setting a static vocabulary"),
        (lambda: strings().set_vocabulary(["a"], [1.0]), "should only be set for output_mode"),
        (
            lambda: L.StringLookup(output_mode="tf_idf").set_vocabulary(["a"]),
            "`idf_weights` must be set",
        ),
    ],
)
def test_bad_arguments_are_explained(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_unknown_terms_are_an_error_without_numbers():
    for layer, x in ((strings(num_oov_indices=0), ["a", "zz"]), (integers(num_oov_indices=0), [7])):
        with pytest.raises(tf.errors.InvalidArgumentError, match="should be in the vocabulary"):
            layer(x)
    assert integers(num_oov_indices=0)([10, 20]).numpy().tolist() == [0, 1]


def test_the_dtype_of_inputs_is_checked():
    with pytest.raises(TypeError, match="must be of dtype string; got int32"):
        strings()([1])
    with pytest.raises(TypeError, match="must be of dtype int64; got string"):
        integers()(["a"])


def test_a_vocabulary_must_be_known():
    with pytest.raises(tf.errors.FailedPreconditionError, match="the table is not initialized"):
        L.StringLookup()("a")
    with pytest.raises(RuntimeError, match="must set the layer's vocabulary before calling"):
        L.StringLookup(output_mode="count")("a")


def test_the_size_stays_where_shapes_depend_on_it():
    layer = L.StringLookup(output_mode="count")
    layer.adapt(["a", "b"])
    with pytest.raises(RuntimeError, match="it was 3, and would be 4"):
        layer.adapt(["a", "b", "c"])


# ---- in models ------------------------------------------------------------------------------


def test_symbolic_shapes_and_dtypes():
    x = tf.keras.Input((3,), dtype="string")
    expected = {
        "int": ((None, 3), tf.int64),
        "one_hot": ((None, 3, 4), tf.float32),
        "multi_hot": ((None, 4), tf.float32),
        "count": ((None, 4), tf.float32),
    }
    for mode, (shape, dtype) in expected.items():
        y = strings(output_mode=mode)(x)
        assert (tuple(y.shape), y.dtype) == (shape, dtype)
    inverse = strings(invert=True)(tf.keras.Input((3,), dtype="int64"))
    assert inverse.dtype == tf.string


def test_a_model_of_strings_predicts_and_trains():
    x = tf.keras.Input((1,), dtype=tf.string)
    model = tf.keras.Model(x, L.Dense(1)(strings(output_mode="multi_hot")(x)))
    data = np.array([["a"], ["b"], ["zz"]], dtype=object)
    expected = model(tf.constant(data)).numpy()
    assert_close(model.predict(data, verbose=0), expected)
    assert_close(model.predict(tf.constant(data), verbose=0, batch_size=2), expected)
    model.compile("sgd", "mse")
    history = model.fit(data, np.ones((3, 1)), epochs=2, verbose=0).history["loss"]
    assert history[1] < history[0]


def test_lookups_of_integers_train_compiled():
    x = tf.keras.Input((2,), dtype="int64")
    model = tf.keras.Model(x, L.Dense(1)(integers(output_mode="count")(x)))
    model.compile("sgd", "mse")
    data = np.array([[10, 20], [7, 30]])
    before = model.evaluate(data, np.ones((2, 1)), verbose=0)
    model.fit(data, np.ones((2, 1)), epochs=3, verbose=0)
    assert model.evaluate(data, np.ones((2, 1)), verbose=0) < before


def test_a_model_keeps_its_vocabulary_in_the_archive(tmp_path):
    x = tf.keras.Input((1,), dtype="string")
    layer = L.StringLookup(output_mode="tf_idf")
    layer.adapt([["b"], ["b"], ["a"]])
    numbers = tf.keras.Input((2,))
    scale = L.Normalization()
    scale.adapt(np.array([[1.0, 2], [3, 6]], "float32"))
    model = tf.keras.Model([x, numbers], L.Concatenate()([layer(x), scale(numbers)]))
    path = tmp_path / "model.keras"
    model.save(path)
    data = [tf.constant([["b"], ["q"]]), tf.constant([[1.0, 2], [0, 0]])]
    assert_close(tf.keras.models.load_model(path)(data), model(data))


def test_ragged_terms_have_sparse_encodings():
    layer = tf.keras.layers.StringLookup(
        vocabulary=["a", "b"], output_mode="multi_hot", sparse=True
    )
    found = layer(tf.ragged.constant([["a", "b"], ["b"]]))
    assert isinstance(found, tf.SparseTensor)
    assert tf.sparse.to_dense(found).numpy().tolist() == [[0, 1, 1], [0, 0, 1]]


@pytest.mark.parametrize(
    "make", [tf.ragged.constant, lambda _: tf.sparse.from_dense([[4, 7], [0, 7]])]
)
def test_adapt_takes_ragged_and_sparse_batches(make):
    data = tf.data.Dataset.from_tensors(make([[4, 7], [7]]))
    layer = tf.keras.layers.IntegerLookup()
    layer.adapt(data)
    assert layer.get_vocabulary() == [-1, 7, 4]
    weighted = tf.keras.layers.IntegerLookup(output_mode="tf_idf")
    weighted.adapt(data)
    expected = [np.log(1 + 2 / 3), np.log(1 + 2 / 2)]  # 7 is in both documents, 4 in one
    assert weighted.get_vocabulary() == [-1, 7, 4]
    np.testing.assert_allclose(weighted.idf_weights.numpy()[1:], expected, rtol=1e-6)


def test_adapt_takes_a_ragged_tensor_of_strings():
    layer = tf.keras.layers.StringLookup()
    layer.adapt(tf.ragged.constant([["a", "b"], ["b"], []]))
    assert layer.get_vocabulary() == ["[UNK]", "b", "a"]


def test_a_file_with_a_term_twice_is_refused(tmp_path):
    (tmp_path / "terms.txt").write_text("a\nb\na\n")
    with pytest.raises(tf.errors.FailedPreconditionError, match=r"has \['a'\] more than once"):
        tf.keras.layers.StringLookup(vocabulary=str(tmp_path / "terms.txt"))
