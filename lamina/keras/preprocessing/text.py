"""tf.keras.preprocessing.text: texts as numbers, as older programs make them."""

import collections
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

__all__ = ["Tokenizer", "hashing_trick", "one_hot", "text_to_word_sequence", "tokenizer_from_json"]

_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_MODES = ("binary", "count", "tfidf", "freq")


def text_to_word_sequence(
    input_text: str, filters: str = _FILTERS, lower: bool = True, split: str = " "
) -> list[str]:
    """Return the words of a text.

    Args:
        input_text: The text.
        filters: Characters that part words, and are dropped.
        lower: Whether letters are made small.
        split: What parts words.

    Example:
        >>> tf.keras.preprocessing.text.text_to_word_sequence("One, two!")
        ['one', 'two']
    """
    text = input_text.lower() if lower else input_text
    text = text.translate(str.maketrans(dict.fromkeys(filters, split)))
    return [word for word in text.split(split) if word]


def one_hot(
    input_text: str,
    n: int,
    filters: str = _FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], list[str]] | None = None,
) -> list[int]:
    """Return the words of a text as numbers in [1, n), by Python's `hash`; see `hashing_trick`."""
    return hashing_trick(input_text, n, hash, filters, lower, split, analyzer)


def hashing_trick(
    text: str,
    n: int,
    hash_function: Any = None,
    filters: str = _FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], list[str]] | None = None,
) -> list[int]:
    """Return the words of a text as numbers in [1, n), by a hash; words may share a number.

    Args:
        text: The text.
        n: The limit of the numbers.
        hash_function: A function of a word, "md5", or None for Python's `hash`, which differs
            from process to process.
        filters: As in `text_to_word_sequence`.
        lower: As there.
        split: As there.
        analyzer: A function that returns the words instead, or None.

    Example:
        >>> tf.keras.preprocessing.text.hashing_trick("a b a", 10, "md5")
        [2, 5, 2]
    """
    if hash_function == "md5":
        hash_function = _md5
    number = hash if hash_function is None else hash_function
    words = analyzer(text) if analyzer else text_to_word_sequence(text, filters, lower, split)
    return [number(word) % (n - 1) + 1 for word in words]


def _md5(word: str) -> int:
    return int(hashlib.md5(word.encode()).hexdigest(), 16)


class Tokenizer:
    """Turns texts into lists of numbers: the most frequent word is 1, then 2, ….

    Args:
        num_words: Only numbers below it are used; None uses all.
        filters: Characters that part words, and are dropped.
        lower: Whether letters are made small.
        split: What parts words.
        char_level: Whether each character is a word.
        oov_token: A word for all unknown ones, number 1; None drops them.
        analyzer: A function that returns the words of a text instead, or None.
        **kwargs: `document_count`, as `get_config` has it.

    State:
        `fit_on_texts` and `fit_on_sequences` count.

    Example:
        >>> words = tf.keras.preprocessing.text.Tokenizer()
        >>> words.fit_on_texts(["the cat", "the dog"])
        >>> words.texts_to_sequences(["the dog"])
        [[1, 3]]
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = _FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Callable[[str], list[str]] | None = None,
        **kwargs: Any,
    ) -> None:
        num_words = kwargs.pop("nb_words", num_words)  # its name long ago
        self.document_count: int = kwargs.pop("document_count", 0)
        if kwargs:
            raise TypeError(f"Tokenizer: it does not take {sorted(kwargs)}.")
        self.num_words = num_words
        self.filters = filters
        self.lower = lower
        self.split = split
        self.char_level = char_level
        self.oov_token = oov_token
        self.analyzer = analyzer
        self.word_counts: dict[str, int] = {}
        self.word_docs: dict[str, int] = {}
        self.index_docs: dict[int, int] = {}
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def _words(self, text: Any) -> Any:
        if self.char_level or isinstance(text, list):
            if not self.lower:
                return text
            return [word.lower() for word in text] if isinstance(text, list) else text.lower()
        if self.analyzer is not None:
            return self.analyzer(text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts: Any) -> None:
        """Count the words of texts, and number them.

        Args:
            texts: Strings, or lists of words.
        """
        for text in texts:
            self.document_count += 1
            words = self._words(text)
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in set(words):
                self.word_docs[word] = self.word_docs.get(word, 0) + 1
        ordered = sorted(self.word_counts, key=lambda w: self.word_counts[w], reverse=True)
        if self.oov_token is not None:
            ordered.insert(0, self.oov_token)
        # As in Keras: a text's own "<oov>" word takes the last number it gets.
        self.word_index = {word: i for i, word in enumerate(ordered, 1)}
        self.index_word = {i: word for word, i in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences: Any) -> None:
        """Count in how many lists each number is, for `sequences_to_matrix(mode="tfidf")`."""
        self.document_count += len(sequences)
        for sequence in sequences:
            for number in set(sequence):
                self.index_docs[number] = self.index_docs.get(number, 0) + 1

    def texts_to_sequences(self, texts: Any) -> list[list[int]]:
        """Return texts as lists of numbers."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Any) -> Iterator[list[int]]:
        """Yield each text as a list of numbers."""
        unknown = self._unknown()
        for text in texts:
            found = (self._limited(self.word_index.get(w), unknown) for w in self._words(text))
            yield [number for number in found if number is not None]

    def sequences_to_texts(self, sequences: Any) -> list[str]:
        """Return lists of numbers as texts, with spaces between the words."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Any) -> Iterator[str]:
        """Yield each list of numbers as a text."""
        unknown = self._unknown()
        for sequence in sequences:
            numbers = (
                self._limited(n if n in self.index_word else None, unknown) for n in sequence
            )
            yield " ".join(self.index_word[n] for n in numbers if n is not None)

    def _unknown(self) -> int | None:
        return None if self.oov_token is None else self.word_index.get(self.oov_token)

    def _limited(self, number: int | None, unknown: int | None) -> int | None:
        is_over = number is not None and self.num_words and number >= self.num_words
        return unknown if number is None or is_over else number

    def texts_to_matrix(self, texts: Any, mode: str = "binary") -> np.ndarray:
        """Return texts as rows with a column for each word; see `sequences_to_matrix`."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Any, mode: str = "binary") -> np.ndarray:
        """Return lists of numbers as rows with a column for each number.

        Args:
            sequences: N lists of numbers.
            mode: "binary", "count", "freq" (share of the list), or "tfidf".

        Returns:
            float64 `(N, num_words)`.

        Raises:
            ValueError: an unknown mode; or nothing was counted yet.
        """
        if not self.num_words and not self.word_index:
            raise ValueError(
                "Tokenizer.sequences_to_matrix: the number of columns is not known.\n"
                "  Fix: pass `num_words`, or call fit_on_texts first."
            )
        if mode == "tfidf" and not self.document_count:
            raise ValueError(
                'Tokenizer.sequences_to_matrix: mode="tfidf" needs counts.\n'
                "  Fix: call fit_on_texts first."
            )
        if mode not in _MODES:
            raise ValueError(
                f"Tokenizer.sequences_to_matrix: `mode` must be one of {_MODES}; got {mode!r}."
            )
        width = self.num_words or len(self.word_index) + 1
        found = np.zeros((len(sequences), width))
        for row, sequence in zip(found, sequences, strict=True):
            for number, count in collections.Counter(n for n in sequence if n < width).items():
                row[number] = self._weight(mode, number, count, len(sequence))
        return found

    def _weight(self, mode: str, number: int, count: int, length: int) -> float:
        if mode == "tfidf":
            docs = 1 + self.index_docs.get(number, 0)
            return (1 + np.log(count)) * np.log(1 + self.document_count / docs)
        return {"binary": 1, "count": count, "freq": count / length}[mode]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments and counts, the latter as JSON."""
        return {
            "num_words": self.num_words,
            "filters": self.filters,
            "lower": self.lower,
            "split": self.split,
            "char_level": self.char_level,
            "oov_token": self.oov_token,
            "document_count": self.document_count,
            "word_counts": json.dumps(self.word_counts),
            "word_docs": json.dumps(self.word_docs),
            "index_docs": json.dumps(self.index_docs),
            "index_word": json.dumps(self.index_word),
            "word_index": json.dumps(self.word_index),
        }

    def to_json(self, **kwargs: Any) -> str:
        """Return it all as JSON; `kwargs` go to `json.dumps`."""
        config = {"class_name": type(self).__name__, "config": self.get_config()}
        return json.dumps(config, **kwargs)


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """Return the Tokenizer that `to_json` wrote.

    Args:
        json_string: The JSON.

    Example:
        >>> words = tf.keras.preprocessing.text.Tokenizer()
        >>> words.fit_on_texts(["one two"])
        >>> tf.keras.preprocessing.text.tokenizer_from_json(words.to_json()).word_index
        {'one': 1, 'two': 2}
    """
    config = json.loads(json_string)["config"]
    tables = {
        name: json.loads(config.pop(name))
        for name in ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
    }
    found = Tokenizer(**config)
    found.word_counts = tables["word_counts"]
    found.word_docs = tables["word_docs"]
    found.word_index = tables["word_index"]
    found.index_docs = {int(k): v for k, v in tables["index_docs"].items()}
    found.index_word = {int(k): v for k, v in tables["index_word"].items()}
    return found
