"""In-memory input pipelines against what they cannot do without: NumPy's indexing of a batch."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from benchmarks.timing import Ratio, interleaved, ratio

__all__ = ["PIPELINES", "Pipeline", "dataset_way", "measure_pipeline", "numpy_way"]


class Pipeline(NamedTuple):
    """Arrays to take shuffled batches of.

    Attributes:
        rows: How many.
        shape: The shape of one row of the features.
        batch: Rows a batch.
    """

    rows: int
    shape: tuple[int, ...]
    batch: int

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Return features, float32, and labels, int64."""
        rng = np.random.default_rng(0)
        features = rng.normal(size=(self.rows, *self.shape)).astype("float32")
        return features, rng.integers(0, 10, self.rows)


PIPELINES = {
    "28 x 28, batch 32": Pipeline(10_000, (28, 28), 32),
    "28 x 28, batch 128": Pipeline(10_000, (28, 28), 128),
    "32 x 32 x 3, batch 64": Pipeline(5_000, (32, 32, 3), 64),
}


def _endless(passes: Any) -> Iterator[Any]:
    while True:
        yield from passes()


def dataset_way(tf: Any, case: Pipeline) -> Any:
    """Return a way that takes n batches from `shuffle().batch().prefetch()`."""
    arrays = case.arrays()
    dataset = tf.data.Dataset.from_tensor_slices(arrays).shuffle(case.rows)
    dataset = dataset.batch(case.batch, drop_remainder=True).prefetch(tf.data.AUTOTUNE)
    batches = _endless(lambda: dataset)

    def run(n: int) -> None:
        for _ in range(n):
            next(batches)

    return run


def numpy_way(case: Pipeline) -> Any:
    """Return a way that indexes the arrays with n slices of permutations."""
    features, labels = case.arrays()

    def one_pass() -> Iterator[Any]:
        order = np.random.default_rng(1).permutation(case.rows)
        for start in range(0, case.rows - case.batch + 1, case.batch):
            which = order[start : start + case.batch]
            yield features[which], labels[which]

    batches = _endless(one_pass)

    def run(n: int) -> None:
        for _ in range(n):
            next(batches)

    return run


def measure_pipeline(
    tf: Any, case: Pipeline, rounds: int, chunk: float, other: Any = None
) -> tuple[Ratio, Ratio | None]:
    """Return the ratio of a batch's time to NumPy's, and to that of another `tf` if one is given.

    Args:
        tf: lamina.
        case: The arrays.
        rounds: How many rounds.
        chunk: Seconds a chunk.
        other: TensorFlow, or None.
    """
    ways = {"lamina": dataset_way(tf, case), "numpy": numpy_way(case)}
    if other is not None:
        ways["other"] = dataset_way(other, case)
    times = interleaved(ways, rounds, chunk, warmup=20)
    found = ratio(times["lamina"], times["numpy"])
    return found, None if other is None else ratio(times["other"], times["lamina"])
