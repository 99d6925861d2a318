"""tf.keras.preprocessing.text and .sequence: numbers of Keras 3.15."""

import json
import random

import numpy as np
import pytest

import lamina as tf

text, sequence = tf.keras.preprocessing.text, tf.keras.preprocessing.sequence
TEXTS = ["The cat, sat on the mat!", "the dog ate the cat", "A bird\tflew"]


@pytest.fixture
def words():
    tokenizer = text.Tokenizer(num_words=5, oov_token="<o>")
    tokenizer.fit_on_texts(TEXTS)
    return tokenizer


def test_words_are_numbered_by_how_often_they_occur(words):
    assert list(words.word_index)[:4] == ["<o>", "the", "cat", "sat"]
    assert words.texts_to_sequences(TEXTS) == [[2, 3, 4, 1, 2, 1], [2, 1, 1, 2, 3], [1, 1, 1]]
    assert words.sequences_to_texts([[1, 2, 9, 3, 77]]) == ["<o> the <o> cat <o>"]


@pytest.mark.parametrize(
    ("mode", "row"),
    [
        ("binary", [0, 1, 1, 1, 1]),
        ("count", [0, 2, 2, 1, 1]),
        ("freq", [0, 0.3333, 0.3333, 0.1667, 0.1667]),
        ("tfidf", [0, 2.3472, 1.1736, 0.6931, 0.9163]),
    ],
)
def test_texts_become_rows(words, mode, row):
    np.testing.assert_allclose(words.texts_to_matrix(TEXTS, mode)[0], row, atol=1e-4)


def test_without_a_token_unknown_words_are_dropped():
    tokenizer = text.Tokenizer(lower=False, split="-")
    tokenizer.fit_on_texts(["A-b-A", ["x", "b"]])
    assert tokenizer.texts_to_sequences(["b-zz-A"]) == [[2, 1]]
    assert tokenizer.sequences_to_texts([[1, 99]]) == ["A"]
    letters = text.Tokenizer(char_level=True)
    letters.fit_on_texts(["aAb", "b c"])
    assert letters.texts_to_sequences(["cab"]) == [[4, 1, 2]]


def test_a_tokenizer_is_written_and_read(words):
    again = text.tokenizer_from_json(words.to_json())
    assert again.get_config() == words.get_config()
    assert again.texts_to_sequences(TEXTS) == words.texts_to_sequences(TEXTS)
    assert json.loads(words.to_json())["class_name"] == "Tokenizer"


def test_counting_of_sequences():
    tokenizer = text.Tokenizer(num_words=3)
    tokenizer.fit_on_sequences([[1, 2], [1]])
    assert tokenizer.sequences_to_matrix([[1]], "tfidf")[0, 1] == pytest.approx(np.log(1 + 2 / 3))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: text.Tokenizer().sequences_to_matrix([[1]]), "number of columns is not known"),
        (
            lambda: text.Tokenizer(4).sequences_to_matrix([[1]], "tfidf"),
            'mode="tfidf" needs counts',
        ),
        (lambda: text.Tokenizer(4).sequences_to_matrix([[1]], "x"), "`mode` must be one of"),
    ],
)
def test_matrices_say_what_they_need(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_unknown_arguments_of_a_tokenizer():
    with pytest.raises(TypeError, match=r"it does not take \['words'\]"):
        text.Tokenizer(words=3)
    assert text.Tokenizer(nb_words=3).num_words == 3


def test_hashes():
    assert text.hashing_trick("a b c a", 50, "md5") == [15, 33, 1, 15]
    assert text.one_hot("a b a", 9)[0] == text.one_hot("A", 9)[0]
    assert text.hashing_trick("abc", 9, len, analyzer=list) == [2, 2, 2]
    assert text.text_to_word_sequence("One;two three") == ["one", "two", "three"]


def test_windows_of_a_series():
    data = np.arange(20) * 2
    batches = sequence.TimeseriesGenerator(
        data, data, 5, sampling_rate=2, stride=2, start_index=1, batch_size=3, reverse=True
    )
    assert len(batches) == 3
    x, y = batches[0]
    assert (x.tolist(), y.tolist()) == (
        [[10, 6, 2], [14, 10, 6], [18, 14, 10]],
        [12, 16, 20],
    )
    assert batches[2][1].tolist() == [36]
    assert json.loads(batches.to_json())["config"]["start_index"] == 6
    drawn, _ = sequence.TimeseriesGenerator(data, data, 5, shuffle=True, batch_size=7)[0]
    assert drawn.shape == (7, 5)


def test_series_that_do_not_fit():
    with pytest.raises(ValueError, match="must have one length; got 3 and 2"):
        sequence.TimeseriesGenerator([1, 2, 3], [1, 2], 1)
    with pytest.raises(ValueError, match="no window fits"):
        sequence.TimeseriesGenerator([1, 2, 3], [1, 2, 3], 4)


def test_skipgrams_of_keras_for_a_seed():
    random.seed(3)
    sequence.skipgrams([1, 0, 2, 3, 4], 6, window_size=2, seed=0)
    random.seed(3)
    couples, labels = sequence.skipgrams([1, 2, 3], 6, categorical=True, seed=2)
    assert len(couples) == len(labels) == 12
    true = sorted(c for c, label in zip(couples, labels, strict=True) if label == [0, 1])
    assert true == [[1, 2], [1, 3], [2, 1], [2, 3], [3, 1], [3, 2]]


def test_skipgrams_keep_words_by_the_table():
    table = sequence.make_sampling_table(10)
    np.testing.assert_allclose(table[[0, 9]], [0.00315, 0.0158], atol=5e-4)
    couples, _ = sequence.skipgrams([1, 2, 3], 4, negative_samples=0, sampling_table=np.zeros(4))
    assert couples == []
