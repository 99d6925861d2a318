"""PyDataset: data in batches that Python code makes, in several threads or processes."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from lamina.late import late_module

if TYPE_CHECKING:
    import multiprocessing
    from concurrent import futures
else:
    futures, multiprocessing = late_module("concurrent.futures"), late_module("multiprocessing")

__all__ = ["PyDataset", "ahead_of_use"]


class PyDataset:
    """Data in batches: `dataset[i]` is batch i.

    A subclass writes `__getitem__`, which returns `(x, y)` or `(x, y, sample_weight)`, and
    `__len__`, the number of batches; without `__len__` the batches have no end. `fit` asks for
    each batch once an epoch, in a random order unless `shuffle=False`.

    Args:
        workers: The threads or processes that make batches ahead.
        use_multiprocessing: Whether to use processes; the dataset must be picklable then.
        max_queue_size: The batches made ahead.

    Example:
        >>> class Squares(tf.keras.utils.PyDataset):
        ...     def __len__(self):
        ...         return 2
        ...
        ...     def __getitem__(self, idx):
        ...         x = np.arange(3.0) + 3 * idx
        ...         return x, x**2
        >>> Squares(workers=2)[1]
        (array([3., 4., 5.]), array([ 9., 16., 25.]))
    """

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        self._workers = workers
        self._use_multiprocessing = use_multiprocessing
        self._max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__}: a PyDataset must write `__getitem__(self, index)`, which "
            f"returns batch `index`."
        )

    @property
    def num_batches(self) -> int | None:
        """The number of batches, or None where there is no end."""
        length = getattr(self, "__len__", None)
        return None if length is None else length()

    @property
    def workers(self) -> int:
        """The threads or processes that make batches ahead."""
        return self.__dict__.get("_workers", 1)

    @workers.setter
    def workers(self, value: int) -> None:
        self._workers = value

    @property
    def use_multiprocessing(self) -> bool:
        """Whether they are processes."""
        return self.__dict__.get("_use_multiprocessing", False)

    @use_multiprocessing.setter
    def use_multiprocessing(self, value: bool) -> None:
        self._use_multiprocessing = value

    @property
    def max_queue_size(self) -> int:
        """The batches made ahead."""
        return self.__dict__.get("_max_queue_size", 10)

    @max_queue_size.setter
    def max_queue_size(self, value: int) -> None:
        self._max_queue_size = value

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch."""


# The datasets of a worker process, by the number that its parent gave them.
_in_process: dict[str, Any] = {}


def _adopt(dataset: Any) -> None:
    _in_process["dataset"] = dataset


def _item(index: int) -> Any:
    return _in_process["dataset"][index]


def ahead_of_use(dataset: Any, indices: Iterable[int]) -> Iterator[Any]:
    """Yield `dataset[i]` for each index, in order; its workers are ahead by its queue's size.

    Args:
        dataset: A PyDataset, or any object that can be indexed.
        indices: The numbers of the batches; they may be without end.
    """
    workers = getattr(dataset, "workers", 1) or 0
    processes = getattr(dataset, "use_multiprocessing", False)
    if workers <= 1 and not processes:
        for i in indices:
            yield dataset[i]
        return
    get: Callable[[int], Any] = dataset.__getitem__
    if processes:
        # A new process each, not a fork: XLA's threads do not survive one.
        pool: Any = futures.ProcessPoolExecutor(
            max(workers, 1), multiprocessing.get_context("spawn"), _adopt, (dataset,)
        )
        get = _item
    else:
        pool = futures.ThreadPoolExecutor(workers, "PyDataset")
    limit = max(getattr(dataset, "max_queue_size", 10), 1)
    waiting: deque[Any] = deque()
    left = iter(indices)
    try:
        for i in itertools.islice(left, limit):
            waiting.append(pool.submit(get, i))
        while waiting:
            batch = waiting.popleft().result()
            for i in itertools.islice(left, 1):
                waiting.append(pool.submit(get, i))
            yield batch
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
