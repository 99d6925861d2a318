"""What the data sets of texts share: words are numbers, by how often they occur."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["as_objects", "cut_vocabulary", "numbered", "read_json", "without_long"]


def numbered(texts: Any, start_char: int | None, index_from: int) -> list[list[int]]:
    """Return texts with their numbers moved up by `index_from`, after a number for the start."""
    start = [] if start_char is None else [start_char]
    shift = index_from or 0
    return [start + [word + shift for word in text] for text in texts]


def without_long(maxlen: int, texts: list[list[int]], labels: Any) -> tuple[list[Any], list[Any]]:
    """Return the texts shorter than `maxlen`, and their labels, as Keras chooses them."""
    kept = [(t, label) for t, label in zip(texts, labels, strict=True) if len(t) < maxlen]
    return [t for t, _ in kept], [label for _, label in kept]


def cut_vocabulary(
    texts: list[list[int]], num_words: int | None, skip_top: int, oov_char: int | None
) -> list[list[int]]:
    """Return texts of the words `skip_top` … `num_words - 1`; the others become `oov_char`.

    Args:
        texts: The texts.
        num_words: The limit; None is the largest number there is, which is left out as in Keras.
        skip_top: The first number kept.
        oov_char: The number of all others; None drops them.
    """
    if not num_words:
        num_words = max(max(text) for text in texts)
    if oov_char is None:
        return [[w for w in text if skip_top <= w < num_words] for text in texts]
    return [[w if skip_top <= w < num_words else oov_char for w in text] for text in texts]


def as_objects(texts: Sequence[list[int]]) -> np.ndarray:
    """Return lists of different lengths as an array of lists."""
    found = np.empty(len(texts), object)
    found[:] = texts
    return found


def read_json(path: str) -> Any:
    """Return what a JSON file holds."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)
