"""TextVectorization; numbers of TF are Keras 3.15's."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers as L
from tests.tolerances import assert_close

VOCABULARY = ["earth", "wind", "and", "fire"]
TEXTS = ["Earth, wind & FIRE!", "the  wind\tand the  wind", "", "fire-wind é"]


def layer_of(**arguments):
    return L.TextVectorization(vocabulary=VOCABULARY, **arguments)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, [[2, 3, 5, 0, 0], [1, 3, 4, 1, 3], [0] * 5, [1, 1, 0, 0, 0]]),
        ({"output_sequence_length": 3}, [[2, 3, 5], [1, 3, 4], [0] * 3, [1, 1, 0]]),
        ({"standardize": None}, [[1, 3, 1, 1, 0], [1, 3, 4, 1, 3], [0] * 5, [1, 1, 0, 0, 0]]),
        (
            {"standardize": "strip_punctuation"},
            [[1, 3, 1, 0, 0], [1, 3, 4, 1, 3], [0] * 5, [1, 1, 0, 0, 0]],
        ),
        ({"ngrams": (2,)}, [[1, 1, 0, 0], [1, 1, 1, 1], [0] * 4, [1, 0, 0, 0]]),
        ({"output_mode": "count"}, [[0, 1, 1, 0, 1], [2, 0, 2, 1, 0], [0] * 5, [2, 0, 0, 0, 0]]),
        ({"output_mode": "binary"}, [[0, 1, 1, 0, 1], [1, 0, 1, 1, 0], [0] * 5, [1, 0, 0, 0, 0]]),
        ({"split": None}, [1, 1, 0, 1]),
        ({"split": None, "output_mode": "count"}, [3, 0, 0, 0, 0]),
    ],
)
def test_numbers_are_those_of_tf(arguments, expected):
    layer = layer_of(**arguments)
    found = layer(TEXTS)
    assert found.dtype == tf.int64
    assert found.numpy().tolist() == expected
    again = L.TextVectorization.from_config(layer.get_config())
    assert again(np.array(TEXTS, dtype=object)).numpy().tolist() == expected
    if arguments.get("split", "") is not None:
        assert layer(np.array(TEXTS)[:, None]).numpy().tolist() == expected


def test_ngrams_follow_the_tokens():
    layer = L.TextVectorization(vocabulary=["a b", "b c", "a"], ngrams=2)
    assert layer("a b c").numpy().tolist() == [4, 1, 1, 2, 3]


def test_one_text():
    assert layer_of()("wind fire").numpy().tolist() == [3, 5]
    assert layer_of(output_sequence_length=3)("wind fire").numpy().tolist() == [3, 5, 0]
    assert layer_of(output_mode="count")("wind fire").numpy().tolist() == [0, 0, 1, 0, 1]
    assert layer_of(split=None)("wind").numpy() == 3


def test_characters_are_those_of_utf_8():
    layer = L.TextVectorization(split="character", standardize=None)
    layer.adapt(["éa", "é"])
    assert layer.get_vocabulary() == ["", "[UNK]", "é", "a"]
    assert layer(["aé?"]).numpy().tolist() == [[3, 2, 1]]


def test_functions_standardize_and_split():
    layer = L.TextVectorization(
        standardize=lambda texts: texts + " fire",
        split=lambda texts: [[t for t in s.numpy().split(b" ")] for s in texts],
        vocabulary=VOCABULARY,
    )
    assert layer(["wind", "a earth"]).numpy().tolist() == [[3, 5, 0], [1, 2, 5]]
    dense = L.TextVectorization(
        split=lambda texts: tf.stack([texts, texts], -1), vocabulary=VOCABULARY
    )
    assert dense([["wind"], ["fire"]]).numpy().tolist() == [[3, 3], [5, 5]]
    arrays = L.TextVectorization(
        standardize=lambda texts: np.array(["wind"] * len(texts)), vocabulary=VOCABULARY
    )
    assert arrays(["a", "b"]).numpy().tolist() == [[3], [3]]


def test_adapt_orders_terms_by_frequency():
    layer = L.TextVectorization()
    layer.adapt(TEXTS)
    found = ["", "[UNK]", "wind", "the", "é", "firewind", "fire", "earth", "and"]
    assert layer.get_vocabulary() == found
    assert layer.get_vocabulary(include_special_tokens=False) == found[2:]
    assert layer.vocabulary_size() == 9
    other = L.TextVectorization()
    other.adapt(iter([TEXTS[:2], TEXTS[2:]]))
    assert other.get_vocabulary() == found
    other.adapt(iter([TEXTS[:2], TEXTS[2:]]), steps=1)
    assert other.get_vocabulary() == ["", "[UNK]", "wind", "the", "fire", "earth", "and"]
    pairs = L.TextVectorization(ngrams=2, max_tokens=5)
    pairs.adapt(np.array(TEXTS)[:, None])
    assert pairs.get_vocabulary() == ["", "[UNK]", "wind", "the wind", "the"]


def test_tf_idf():
    layer = L.TextVectorization(output_mode="tf_idf", max_tokens=9, pad_to_max_tokens=True)
    layer.adapt(TEXTS)
    a, b = 0.8472978472709656, 1.0986123085021973
    assert_close(
        layer(TEXTS),
        [
            [0, a, 0, 0, 0, b, b, 0, 0],
            [0, 2 * a, 2 * b, 0, 0, 0, 0, b, 0],
            [0] * 9,
            [0, 0, 0, b, b, 0, 0, 0, 0],
        ],
    )


def test_the_config_is_keras():
    config = layer_of(ngrams=(1, 3), name="t").get_config()
    config.pop("dtype")
    assert config == {
        "name": "t",
        "trainable": True,
        "max_tokens": None,
        "standardize": "lower_and_strip_punctuation",
        "split": "whitespace",
        "ngrams": (1, 3),
        "output_mode": "int",
        "output_sequence_length": None,
        "pad_to_max_tokens": False,
        "sparse": False,
        "ragged": False,
        "vocabulary": VOCABULARY,
        "idf_weights": None,
        "encoding": "utf-8",
        "vocabulary_size": 6,
    }
    again = L.TextVectorization.from_config({**config, "ngrams": [1, 3]})
    assert again.ngrams == (1, 3)


@tf.keras.utils.register_keras_serializable("lamina_tests")
def shout(texts):
    return texts + "!"


def test_functions_are_stored_by_name():
    config = layer_of(standardize=shout).get_config()
    assert config["standardize"]["config"] == "lamina_tests>shout"
    assert L.TextVectorization.from_config(config).standardize is shout


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layer_of(standardize="x"), "`standardize` must be one of"),
        (lambda: layer_of(split="x"), "`split` must be one of"),
        (lambda: layer_of(ngrams="2"), "None, an integer, or a tuple of integers; got '2'"),
        (lambda: layer_of(output_mode="x"), "`output_mode` must be one of"),
        (lambda: layer_of(output_sequence_length=2.5), "must be a positive integer; got 2.5"),
        (
            lambda: layer_of(output_sequence_length=2, output_mode="count"),
            "must not be set if `output_mode` is not 'int'",
        ),
        (
            lambda: layer_of(ragged=True, output_mode="count"),
            "`ragged` must not be true if `output_mode` is not 'int'",
        ),
        (lambda: layer_of(sparse=True), "`sparse` must be False"),
        (lambda: layer_of()([["a b", "c"]]), "the input rank must be 1 or the last shape"),
        (lambda: layer_of().adapt(TEXTS), "cannot adapt one after setting a static vocabulary"),
        (
            lambda: L.TextVectorization.from_config(
                {**layer_of().get_config(), "vocabulary": "/file"}
            ),
            "loading reads no file outside of the archive",
        ),
    ],
)
def test_bad_arguments_are_explained(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_numbers_are_no_texts():
    with pytest.raises(TypeError, match="the inputs must be strings; got int32"):
        layer_of()([1])


def test_symbolic_shapes():
    x = tf.keras.Input((1,), dtype="string")
    y = layer_of()(x)
    assert (tuple(y.shape), y.dtype) == ((None, None), tf.int64)
    assert tuple(layer_of(output_sequence_length=7)(x).shape) == (None, 7)
    y = layer_of(output_mode="count")(x)
    assert (tuple(y.shape), y.dtype) == ((None, 5), tf.float32)
    assert tuple(layer_of(split=None)(tf.keras.Input((4,), dtype="string")).shape) == (None, 4)


def test_a_model_of_texts_is_saved_with_its_vocabulary(tmp_path):
    texts = L.TextVectorization(output_sequence_length=4)
    texts.adapt(TEXTS)
    x = tf.keras.Input((1,), dtype="string")
    y = L.GlobalAveragePooling1D()(L.Embedding(texts.vocabulary_size(), 2)(texts(x)))
    model = tf.keras.Model(x, y)
    path = tmp_path / "model.keras"
    model.save(path)
    data = np.array([["earth wind"], ["what"]])
    expected = model.predict(data, verbose=0)
    assert_close(tf.keras.models.load_model(path).predict(data, verbose=0), expected)


def test_a_sequential_model_without_an_input_that_begins_with_texts_learns_from_a_dataset():
    data = tf.data.Dataset.from_tensor_slices((["a b", "b c", "c d", "d a"], [0, 1, 2, 3])).batch(2)
    layer = tf.keras.layers.TextVectorization(output_mode="multi_hot")
    layer.adapt(data.map(lambda x, y: x))
    model = tf.keras.Sequential([layer, tf.keras.layers.Dense(4)])
    model.compile("adam", tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(data, verbose=0)
    assert model.inputs[0].dtype == "string"
    assert model.predict(data, verbose=0).shape == (4, 4)


@pytest.mark.parametrize("mode", ["multi_hot", "count", "tf_idf"])
def test_models_are_described_before_the_vocabulary_is_known(mode):
    layer = tf.keras.layers.TextVectorization(output_mode=mode)
    lookup = tf.keras.layers.StringLookup(output_mode=mode)
    texts = tf.keras.Input((), dtype="string")
    tokens = tf.keras.Input((3,), dtype="string")
    model = tf.keras.Model([texts, tokens], [layer(texts), lookup(tokens)])
    assert model.output_shape == [(None, None), (None, None)]
    given = [np.array(["a b", "c"]), np.array([["a", "b", "a"], ["c", "c", "a"]])]
    layer.adapt(given[0]), lookup.adapt(given[1])
    found = model([tf.constant(x) for x in given])
    assert [y.shape for y in found] == [(2, 4), (2, 4)]
