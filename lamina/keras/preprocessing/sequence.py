"""tf.keras.preprocessing.sequence: windows of series, and pairs of words."""

import json
import random
from typing import Any

import numpy as np

from lamina.keras.training.py_dataset import PyDataset
from lamina.keras.utils.encoding import pad_sequences

__all__ = ["TimeseriesGenerator", "make_sampling_table", "pad_sequences", "skipgrams"]

_EULER = 0.577  # the Euler-Mascheroni constant, as precise as Keras takes it


class TimeseriesGenerator(PyDataset):
    """Batches of windows of a series, each with the target at the step after it.

    Args:
        data: The series, `(T, ...)`.
        targets: The targets, T of them.
        length: Steps a window spans.
        sampling_rate: Steps between two of a window.
        stride: Steps between the starts of two windows.
        start_index: The first step used.
        end_index: The last step used; None is the last there is.
        shuffle: Whether windows are drawn at random.
        reverse: Whether windows run backwards in time.
        batch_size: Windows a batch.
        **kwargs: Arguments of PyDataset.

    Raises:
        ValueError: the lengths differ, or no window fits.

    Example:
        >>> series = np.arange(6)
        >>> batches = tf.keras.preprocessing.sequence.TimeseriesGenerator(series, series, 2)
        >>> x, y = batches[0]
        >>> x.tolist(), y.tolist()
        ([[0, 1], [1, 2], [2, 3], [3, 4]], [2, 3, 4, 5])
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if len(data) != len(targets):
            raise ValueError(
                f"TimeseriesGenerator: `data` and `targets` must have one length; got {len(data)} "
                f"and {len(targets)}."
            )
        self.data = data
        self.targets = targets
        self.length = length
        self.sampling_rate = sampling_rate
        self.stride = stride
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle = shuffle
        self.reverse = reverse
        self.batch_size = batch_size
        if self.start_index > self.end_index:
            raise ValueError(
                f"TimeseriesGenerator: no window fits: `start_index` + `length` is "
                f"{self.start_index}, `end_index` {self.end_index}.\n"
                f"  Fix: take shorter windows, or more data."
            )

    def __len__(self) -> int:
        step = self.batch_size * self.stride
        return (self.end_index - self.start_index + step) // step

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        if self.shuffle:
            rows = np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        else:
            first = self.start_index + self.batch_size * self.stride * index
            stop = min(first + self.batch_size * self.stride, self.end_index + 1)
            rows = np.arange(first, stop, self.stride)
        samples = np.array([self.data[r - self.length : r : self.sampling_rate] for r in rows])
        targets = np.array([self.targets[r] for r in rows])
        return (samples[:, ::-1] if self.reverse else samples), targets

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, the arrays as JSON; `start_index` is that of the first target."""
        return {
            "data": json.dumps(_plain(self.data)),
            "targets": json.dumps(_plain(self.targets)),
            "length": self.length,
            "sampling_rate": self.sampling_rate,
            "stride": self.stride,
            "start_index": self.start_index,
            "end_index": self.end_index,
            "shuffle": self.shuffle,
            "reverse": self.reverse,
            "batch_size": self.batch_size,
        }

    def to_json(self, **kwargs: Any) -> str:
        """Return the config as JSON; `kwargs` go to `json.dumps`."""
        config = {"class_name": type(self).__name__, "config": self.get_config()}
        return json.dumps(config, **kwargs)


def _plain(values: Any) -> Any:
    return values.tolist() if isinstance(values, np.ndarray) else values


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> np.ndarray:
    """Return for each rank of a word the probability to keep it, as word2vec does.

    Args:
        size: The number of words N.
        sampling_factor: The share of the text above which a word is dropped now and then.

    Returns:
        float64 `(N,)`; ranks' shares follow Zipf's law.

    Example:
        >>> tf.keras.preprocessing.sequence.make_sampling_table(3).round(4)
        array([0.0032, 0.0032, 0.0055])

    Reference: Mikolov et al. 2013, https://arxiv.org/abs/1310.4546, eq. 5.
    """
    rank = np.arange(size)
    rank[0] = 1
    inverse = rank * (np.log(rank) + _EULER) + 0.5 - 1.0 / (12.0 * rank)
    factor = sampling_factor * inverse
    return np.minimum(1.0, factor / np.sqrt(factor))


def skipgrams(
    sequence: Any,
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Any = None,
    seed: int | None = None,
) -> tuple[list[list[int]], list[Any]]:
    """Return pairs of words: of one window, and as many drawn at random.

    It draws from Python's `random`.

    Args:
        sequence: Words as numbers; 0 is none.
        vocabulary_size: The largest number plus one.
        window_size: How far apart the words of a window may be.
        negative_samples: Random pairs for each true one.
        shuffle: Whether the pairs are shuffled.
        categorical: Whether labels are [0, 1] and [1, 0] instead of 1 and 0.
        sampling_table: For each number the probability to keep it, or None.
        seed: The seed of the shuffling.

    Returns:
        The pairs, and for each whether it is a true one.

    Example:
        >>> tf.keras.preprocessing.sequence.skipgrams([1, 2], 3, negative_samples=0, seed=1)
        ([[2, 1], [1, 2]], [1, 1])

    Reference: Mikolov et al. 2013, https://arxiv.org/abs/1301.3781.
    """
    couples = _true_pairs(sequence, window_size, sampling_table)
    yes, no = ([0, 1], [1, 0]) if categorical else (1, 0)
    labels: list[Any] = [yes] * len(couples)
    if negative_samples > 0:
        count = int(len(labels) * negative_samples)
        words = [couple[0] for couple in couples]
        random.shuffle(words)
        couples += [
            [words[i % len(words)], random.randint(1, vocabulary_size - 1)] for i in range(count)
        ]
        labels += [no] * count
    if shuffle:
        seed = random.randint(0, 10**7) if seed is None else seed
        for items in (couples, labels):  # both in the same order
            random.seed(seed)
            random.shuffle(items)
    return couples, labels


def _true_pairs(sequence: Any, window_size: int, sampling_table: Any) -> list[list[int]]:
    found: list[list[int]] = []
    for i, word in enumerate(sequence):
        if not word:
            continue
        if sampling_table is not None and sampling_table[word] < random.random():
            continue
        window = range(max(0, i - window_size), min(len(sequence), i + window_size + 1))
        found += [[word, sequence[j]] for j in window if j != i and sequence[j]]
    return found
