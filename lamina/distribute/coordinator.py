"""tf.distribute.coordinator: functions for workers, all of which are this process."""

from collections.abc import Callable, Iterator
from typing import Any

from lamina.distribute.servers import ParameterServerStrategy
from lamina.engine import Function, Variable, dtypes, init_scope, nest

__all__ = [
    "ClusterCoordinator",
    "PerWorkerValue",
    "PerWorkerValues",
    "RemoteValue",
    "experimental_get_current_worker_index",
]


class PerWorkerValues:
    """A value for each worker; a scheduled function gets its worker's.

    Args:
        values: The values, in the order of the workers.
    """

    def __init__(self, values: Any) -> None:
        self._values = tuple(values)


PerWorkerValue = PerWorkerValues


class RemoteValue:
    """What a scheduled function gives. Coordinators make it."""

    def __init__(self) -> None:
        self._value: Any = None
        self._error: BaseException | None = None

    def get(self) -> Any:
        """Return the result, Tensors as they are; raise what the function raised."""
        if self._error is not None:
            raise self._error
        return self._value

    def fetch(self) -> Any:
        """Return the result with NumPy values for Tensors; raise what the function raised."""
        return nest.map_structure(lambda x: x.numpy() if hasattr(x, "numpy") else x, self.get())


class _PerWorkerDataset:
    """A dataset for each worker.

    Args:
        makers: For each worker a function that returns its dataset.
    """

    def __init__(self, makers: list[Callable[[], Any]]) -> None:
        self._datasets = [make() for make in makers]

    @property
    def element_spec(self) -> Any:
        """The specs of the elements."""
        return self._datasets[0].element_spec

    def __iter__(self) -> Any:
        return _PerWorkerIterator([iter(d) for d in self._datasets])


class _PerWorkerIterator(PerWorkerValues):
    """An iterator for each worker; a scheduled function takes elements from its worker's."""

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        raise NotImplementedError(
            "tf.distribute.coordinator: elements of a dataset of each worker are taken inside of a "
            "scheduled function.\n  Fix: coordinator.schedule(step, args=(iterator,))."
        )


class ClusterCoordinator:
    """Hands functions to the workers of a `ParameterServerStrategy`, one worker after the other.

    Each runs when it is scheduled, in this process: there is nothing to wait for. What one raises
    is raised by the next `schedule` or `join`, and by `fetch` of its result.

    Args:
        strategy: The strategy. There is one coordinator of each.

    Raises:
        ValueError: another kind of strategy.

    Example:
        >>> spec = tf.train.ClusterSpec({"worker": ["localhost:2222"]})
        >>> server = tf.distribute.Server(spec, job_name="worker", task_index=0)
        >>> cluster = tf.distribute.cluster_resolver.SimpleClusterResolver(spec)
        >>> strategy = tf.distribute.ParameterServerStrategy(cluster)
        >>> coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)
        >>> result = coordinator.schedule(tf.function(lambda x: x + 1), args=(tf.constant(2),))
        >>> coordinator.join()
        >>> result.fetch()
        np.int32(3)
    """

    def __new__(cls, strategy: Any) -> Any:
        """Return the strategy's coordinator."""
        if not isinstance(strategy, ParameterServerStrategy):
            raise ValueError(
                f"tf.distribute.coordinator.ClusterCoordinator: `strategy` must be a "
                f"tf.distribute.ParameterServerStrategy; got {strategy!r}."
            )
        if strategy._coordinator is None:
            strategy._coordinator = super().__new__(cls)
        return strategy._coordinator

    def __init__(self, strategy: Any) -> None:
        if getattr(self, "_strategy", None) is not None:
            return  # the strategy's coordinator again
        self._strategy = strategy
        self._scheduled = 0
        self._error: BaseException | None = None

    @property
    def strategy(self) -> Any:
        """The strategy."""
        return self._strategy

    def schedule(self, fn: Any, args: Any = None, kwargs: Any = None) -> RemoteValue:
        """Run a function for the next worker.

        Args:
            fn: A function, usually a `tf.function`.
            args: Its arguments. A value of each worker becomes this worker's, a `RemoteValue` what
                it holds.
            kwargs: Its keyword arguments, likewise.

        Returns:
            A `RemoteValue` of the result.

        Raises:
            TypeError: `fn` cannot be called.
            Exception: what a function scheduled before raised.
        """
        if not callable(fn):
            raise TypeError(
                f"tf.distribute.coordinator.ClusterCoordinator.schedule: `fn` must be a function; "
                f"got {fn!r}."
            )
        self._raise()
        worker = self._scheduled % self._strategy._num_workers
        self._scheduled += 1
        result = RemoteValue()
        before = _Turn.number
        _set_worker(worker)
        try:
            result._value = fn(*_of_worker(args or (), worker), **_of_worker(kwargs or {}, worker))
        except Exception as error:
            result._error = self._error = error
        finally:
            _set_worker(before)
        return result

    def join(self) -> None:
        """Raise what a scheduled function raised, if one did; all others are done.

        Raises:
            Exception: that of the function; it is raised once.
        """
        self._raise()

    def done(self) -> bool:
        """Return whether all scheduled functions are done: True.

        Raises:
            Exception: what one of them raised.
        """
        self._raise()
        return True

    def create_per_worker_dataset(self, dataset_fn: Any) -> Any:
        """Return a dataset for each worker.

        Args:
            dataset_fn: A function that returns one, called for each worker; or a dataset, through
                which each worker goes by itself.

        Returns:
            What `iter` makes an iterator for each worker of, an argument of scheduled functions.

        Raises:
            TypeError: it is neither.
        """
        make = dataset_fn.python_function if isinstance(dataset_fn, Function) else dataset_fn
        if hasattr(make, "element_spec"):
            return _PerWorkerDataset([lambda: dataset_fn] * self._strategy._num_workers)
        if not callable(make):
            raise TypeError(
                f"tf.distribute.coordinator.ClusterCoordinator.create_per_worker_dataset: a "
                f"function that returns a dataset, or a dataset, was expected; got {dataset_fn!r}."
            )
        return _PerWorkerDataset([make] * self._strategy._num_workers)

    def fetch(self, val: Any) -> Any:
        """Return a structure with the results of its `RemoteValue`s, as `RemoteValue.fetch` does.

        Args:
            val: A structure.
        """
        return nest.map_structure(lambda x: x.fetch() if isinstance(x, RemoteValue) else x, val)

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error


def _of_worker(arguments: Any, worker: int) -> Any:
    """Return arguments as a worker gets them."""

    def one(value: Any) -> Any:
        if isinstance(value, PerWorkerValues):
            return value._values[worker]
        return value.get() if isinstance(value, RemoteValue) else value

    return nest.map_structure(one, arguments)


class _Turn:
    """Whose turn it is; compiled functions read the variable each time that they run."""

    number = -1
    variable: Variable | None = None


def _set_worker(number: int) -> None:
    _Turn.number = number
    if _Turn.variable is not None:
        _Turn.variable.assign(number)


def experimental_get_current_worker_index() -> Any:
    """Return the number of the worker that runs the function which calls this, an int32 Tensor.

    Raises:
        RuntimeError: no scheduled function runs.
    """
    if _Turn.number < 0:
        raise RuntimeError(
            "tf.distribute.coordinator.experimental_get_current_worker_index: it must be called "
            "inside of a function that ClusterCoordinator.schedule runs."
        )
    variable = _Turn.variable
    if variable is None:
        with init_scope():
            variable = Variable(_Turn.number, False, dtype=dtypes.int32, name="worker")
        _Turn.variable = variable
    return variable.read_value()
