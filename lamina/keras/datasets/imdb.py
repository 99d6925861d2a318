"""tf.keras.datasets.imdb: reviews of films, good and bad."""

from typing import Any

import numpy as np

from lamina.keras.datasets import words
from lamina.keras.datasets.sources import cached, ragged_arrays

__all__ = ["get_word_index", "load_data"]


def load_data(
    path: Any = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    **kwargs: Any,
) -> Any:
    """Return the IMDB reviews: 25,000 to train on, 25,000 to test on, words as numbers.

    Args:
        path: The file's name in `~/.keras/datasets`, or a path with a folder in it.
        num_words: How many of the most frequent words are kept; None keeps all.
        skip_top: How many of the most frequent words are left out.
        maxlen: Longer reviews are left out; None keeps all.
        seed: The seed of the order.
        start_char: The number that each review starts with, or None.
        oov_char: The number of words that are left out; None drops them.
        index_from: What is added to the number of each word.
        **kwargs: None are known.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of lists of ints, and labels 0 or 1.

    Raises:
        ValueError: no review is as short as `maxlen`.
        DownloadError: the file is neither in the cache nor to be had; the message says where to
            put it.

    Reference: Maas et al. 2011, https://aclanthology.org/P11-1015.
    """
    if kwargs:
        raise TypeError(f"imdb.load_data: it does not take {sorted(kwargs)}.")
    file = ragged_arrays(cached(path, "imdb.npz"))
    # One generator for both sides, as Keras shuffles them.
    random = np.random.RandomState(seed)
    sides: list[tuple[list[Any], Any]] = []
    for side in ("train", "test"):
        x, y = file[f"x_{side}"], file[f"y_{side}"]
        order = np.arange(len(x))
        random.shuffle(order)
        texts, labels = words.numbered(x[order], start_char, index_from), y[order]
        if maxlen:
            texts, labels = words.without_long(maxlen, texts, labels)
            if not texts:
                raise ValueError(
                    f"imdb.load_data: no review is shorter than `maxlen`, {maxlen}.\n"
                    f"  Fix: pass a larger one."
                )
        sides.append((texts, labels))
    cut = len(sides[0][0])
    texts = words.cut_vocabulary(sides[0][0] + sides[1][0], num_words, skip_top, oov_char)
    labels = np.concatenate([sides[0][1], sides[1][1]])
    return (
        (words.as_objects(texts[:cut]), labels[:cut]),
        (words.as_objects(texts[cut:]), labels[cut:]),
    )


def get_word_index(path: Any = "imdb_word_index.json") -> dict[str, int]:
    """Return the number of each word, before `index_from` is added.

    Args:
        path: The file's name in `~/.keras/datasets`, or a path with a folder in it.
    """
    return words.read_json(cached(path, "imdb_word_index.json"))
