"""tf.keras.datasets.reuters: newswires and their topics."""

from typing import Any

import numpy as np

from lamina.keras.datasets import words
from lamina.keras.datasets.sources import cached, checked_share, ragged_arrays, shuffled

__all__ = ["get_label_names", "get_word_index", "load_data"]

_TOPICS = (
    *("cocoa", "grain", "veg-oil", "earn", "acq", "wheat", "copper", "housing", "money-supply"),
    *("coffee", "sugar", "trade", "reserves", "ship", "cotton", "carcass", "crude", "nat-gas"),
    *("cpi", "money-fx", "interest", "gnp", "meal-feed", "alum", "oilseed", "gold", "tin"),
    *("strategic-metal", "livestock", "retail", "ipi", "iron-steel", "rubber", "heat", "jobs"),
    *("lei", "bop", "zinc", "orange", "pet-chem", "dlr", "gas", "silver", "wpi", "hog", "lead"),
)


def load_data(
    path: Any = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> Any:
    """Return the Reuters newswires: 11,228 of them, of 46 topics, words as numbers.

    Args:
        path: The file's name in `~/.keras/datasets`, or a path with a folder in it.
        num_words: How many of the most frequent words are kept; None keeps all.
        skip_top: How many of the most frequent words are left out.
        maxlen: Longer newswires are left out; None keeps all.
        test_split: The share to test on, in [0, 1).
        seed: The seed of the order.
        start_char: The number that each newswire starts with, or None.
        oov_char: The number of words that are left out; None drops them.
        index_from: What is added to the number of each word.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of lists of ints, and topics in [0, 46).

    Raises:
        ValueError: `test_split` is out of range.
        DownloadError: the file is neither in the cache nor to be had; the message says where to
            put it.
    """
    checked_share(test_split)
    file = ragged_arrays(cached(path, "reuters.npz"))
    x, labels = shuffled(seed, file["x"], file["y"])
    texts = words.numbered(x, start_char, index_from)
    if maxlen:
        texts, labels = words.without_long(maxlen, texts, labels)
    texts = words.cut_vocabulary(texts, num_words, skip_top, oov_char)
    cut = int(len(texts) * (1 - test_split))
    return (
        (words.as_objects(texts[:cut]), np.array(labels[:cut])),
        (words.as_objects(texts[cut:]), np.array(labels[cut:])),
    )


def get_word_index(path: Any = "reuters_word_index.json") -> dict[str, int]:
    """Return the number of each word, before `index_from` is added.

    Args:
        path: The file's name in `~/.keras/datasets`, or a path with a folder in it.
    """
    return words.read_json(cached(path, "reuters_word_index.json"))


def get_label_names() -> tuple[str, ...]:
    """Return the names of the topics, in the order of their numbers.

    Example:
        >>> tf.keras.datasets.reuters.get_label_names()[:3]
        ('cocoa', 'grain', 'veg-oil')
    """
    return _TOPICS
