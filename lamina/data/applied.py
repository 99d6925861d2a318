"""Changes for `Dataset.apply`: the functions of tf.data.experimental that return one."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np

from lamina.data import elements, stateful, tables
from lamina.data.dataset import AUTOTUNE, Dataset
from lamina.data.lasting import Failed, caught, lasting
from lamina.data.stages import UNKNOWN, Run, Stage
from lamina.engine import convert_to_tensor, static_int

__all__ = [
    "Reducer",
    "assert_cardinality",
    "bucket_by_sequence_length",
    "choose_from_datasets",
    "copy_to_device",
    "dense_to_ragged_batch",
    "dense_to_sparse_batch",
    "enumerate_dataset",
    "group_by_reducer",
    "group_by_window",
    "ignore_errors",
    "map_and_batch",
    "pad_to_cardinality",
    "parallel_interleave",
    "parse_example_dataset",
    "prefetch_to_device",
    "rejection_resample",
    "sample_from_datasets",
    "scan",
    "shuffle_and_repeat",
    "snapshot",
    "take_while",
    "unbatch",
    "unique",
]

_Change = Callable[[Any], Any]


def assert_cardinality(expected_cardinality: Any) -> _Change:
    """Return a change that checks the number of elements.

    Args:
        expected_cardinality: The number, or INFINITE_CARDINALITY.

    Raises:
        errors.FailedPreconditionError: it is another; when the difference shows.

    Example:
        >>> odd = tf.data.Dataset.range(6).filter(lambda x: x % 2 == 1)
        >>> len(odd.apply(tf.data.experimental.assert_cardinality(3)))
        3
    """
    number = static_int(expected_cardinality, "expected_cardinality")
    return lambda dataset: dataset._then(stateful.Counted(dataset._stage, number))


def bucket_by_sequence_length(
    element_length_func: Any,
    bucket_boundaries: Any,
    bucket_batch_sizes: Any,
    padded_shapes: Any = None,
    padding_values: Any = None,
    pad_to_bucket_boundary: bool = False,
    no_padding: bool = False,
    drop_remainder: bool = False,
) -> _Change:
    """Return `Dataset.bucket_by_sequence_length` as a change for `apply`."""
    arguments = (
        element_length_func,
        bucket_boundaries,
        bucket_batch_sizes,
        padded_shapes,
        padding_values,
        pad_to_bucket_boundary,
        no_padding,
        drop_remainder,
    )
    return lambda dataset: dataset.bucket_by_sequence_length(*arguments)


def choose_from_datasets(
    datasets: Any, choice_dataset: Any, stop_on_empty_dataset: bool = False
) -> Any:
    """Return `Dataset.choose_from_datasets`, which here goes on after a dataset's end."""
    return Dataset.choose_from_datasets(datasets, choice_dataset, stop_on_empty_dataset)


def sample_from_datasets(
    datasets: Any, weights: Any = None, seed: Any = None, stop_on_empty_dataset: bool = False
) -> Any:
    """Return `Dataset.sample_from_datasets`."""
    return Dataset.sample_from_datasets(datasets, weights, seed, stop_on_empty_dataset)


def copy_to_device(target_device: Any, source_device: Any = "/cpu:0") -> _Change:
    """Return a change for `apply` that leaves elements as they are.

    Args:
        target_device: Accepted, unused: XLA moves what a program needs.
        source_device: Accepted, unused.
    """
    return lambda dataset: dataset


def prefetch_to_device(device: Any, buffer_size: Any = None) -> _Change:
    """Return `Dataset.prefetch` as a change for `apply`.

    Args:
        device: Accepted, unused: XLA moves what a program needs.
        buffer_size: How many elements are made ahead; None chooses.
    """
    return lambda dataset: dataset.prefetch(AUTOTUNE if buffer_size is None else buffer_size)


def dense_to_ragged_batch(
    batch_size: Any, drop_remainder: bool = False, row_splits_dtype: Any = "int64"
) -> _Change:
    """Return `Dataset.ragged_batch` as a change for `apply`."""
    return lambda dataset: dataset.ragged_batch(batch_size, drop_remainder, row_splits_dtype)


def dense_to_sparse_batch(batch_size: Any, row_shape: Any) -> _Change:
    """Return `Dataset.sparse_batch` as a change for `apply`."""
    return lambda dataset: dataset.sparse_batch(batch_size, row_shape)


def enumerate_dataset(start: Any = 0) -> _Change:
    """Return `Dataset.enumerate` as a change for `apply`."""
    return lambda dataset: dataset.enumerate(start)


class Reducer:
    """Three functions that make one element of a group: for `group_by_reducer`.

    Args:
        init_func: A function of a key that returns the first state.
        reduce_func: A function of the state and an element that returns the next state.
        finalize_func: A function of the last state that returns an element.
    """

    def __init__(self, init_func: Any, reduce_func: Any, finalize_func: Any) -> None:
        self.init_func = init_func
        self.reduce_func = reduce_func
        self.finalize_func = finalize_func


def group_by_reducer(key_func: Callable[..., Any], reducer: Reducer) -> _Change:
    """Return a change that makes one element of all elements with one key.

    Args:
        key_func: A function of an element that returns an int64 scalar.
        reducer: What makes it; groups come in the order of their keys. A state that is a tuple
            comes to `finalize_func` as several arguments.

    Raises:
        ValueError: a key is no int64 scalar.
        TypeError: a state has another structure, or other dtypes, than the one before.

    Example:
        >>> total = tf.data.experimental.Reducer(
        ...     lambda key: np.int64(0), lambda state, x: state + x, lambda state: state
        ... )
        >>> sums = tf.data.Dataset.range(6).apply(
        ...     tf.data.experimental.group_by_reducer(lambda x: x % 2, total)
        ... )
        >>> [int(s) for s in sums]
        [6, 9]
    """

    def change(dataset: Any) -> Any:
        def groups() -> Iterator[Any]:
            states: dict[int, Any] = {}

            def reduce(element: Any) -> None:
                key = _key(elements.call(key_func, element))
                if key not in states:
                    first = reducer.init_func(convert_to_tensor(np.int64(key)))
                    states[key] = elements.as_tensors(first)
                new = elements.as_tensors(reducer.reduce_func(states[key], element))
                stateful.check_state("group_by_reducer", "reduce_func", states[key], new)
                states[key] = new

            yield from (f for f in caught(map(reduce, iter(dataset))) if type(f) is Failed)
            for key in sorted(states):
                yield elements.as_arrays(elements.call(reducer.finalize_func, states[key]))

        return dataset._then(_Lazy(groups))

    return change


def _key(value: Any) -> int:
    """Return the key of a group, which a user's function gave."""
    tensor = convert_to_tensor(value)
    if tensor.dtype.name != "int64" or tensor.shape.rank:
        raise ValueError(
            f"tf.data.experimental.group_by_reducer: `key_func` must return a single tf.int64 "
            f"scalar; got {tensor.dtype.name} of shape {tensor.shape}.\n"
            f"  Fix: tf.cast(key, tf.int64)."
        )
    return int(tensor)


class _Lazy(Stage):
    """What a function makes; its specs are those of its first element."""

    label = "GroupByReducer"
    runs_user_code = True

    def __init__(self, make: Callable[[], Iterator[Any]]) -> None:
        self.table = tables.Loose()
        self._make = make

    def spec(self) -> Any:
        return elements.spec_of(next(self.items(Run())))

    def size(self) -> int:
        return UNKNOWN

    def items(self, run: Run) -> Iterator[Any]:
        return lasting(self._make())


def group_by_window(
    key_func: Any, reduce_func: Any, window_size: Any = None, window_size_func: Any = None
) -> _Change:
    """Return `Dataset.group_by_window` as a change for `apply`."""
    return lambda dataset: dataset.group_by_window(
        key_func, reduce_func, window_size, window_size_func
    )


def ignore_errors(log_warning: bool = False) -> _Change:
    """Return `Dataset.ignore_errors` as a change for `apply`.

    Example:
        >>> def checked(x):
        ...     return tf.debugging.check_numerics(1.0 / x, "not finite")
        >>> dataset = tf.data.Dataset.from_tensor_slices([1.0, 0.0, 4.0]).map(checked)
        >>> dataset = dataset.apply(tf.data.experimental.ignore_errors())
        >>> list(dataset.as_numpy_iterator())
        [np.float32(1.0), np.float32(0.25)]
    """
    return lambda dataset: dataset.ignore_errors(log_warning)


def map_and_batch(
    map_func: Any,
    batch_size: Any,
    num_parallel_batches: Any = None,
    drop_remainder: bool = False,
    num_parallel_calls: Any = None,
) -> _Change:
    """Return `map` and then `batch` as a change for `apply`."""
    calls = num_parallel_calls
    if calls is None and num_parallel_batches is not None:
        calls = static_int(batch_size, "batch_size") * num_parallel_batches
    return lambda dataset: dataset.map(map_func, calls).batch(batch_size, drop_remainder)


def pad_to_cardinality(cardinality: Any, mask_key: str = "valid") -> _Change:
    """Return a change that adds zeros behind dicts up to a number of them, and a mask.

    Args:
        cardinality: The number of elements to have.
        mask_key: The key of the mask in each dict: whether the element was there.

    Raises:
        ValueError: the dataset's size is not known, or larger; or elements are no dicts.

    Example:
        >>> dataset = tf.data.Dataset.from_tensor_slices({"a": [1, 2]})
        >>> padded = dataset.apply(tf.data.experimental.pad_to_cardinality(3))
        >>> [(int(e["a"]), bool(e["valid"])) for e in padded]
        [(1, True), (2, True), (0, False)]
    """
    number = static_int(cardinality, "cardinality")

    def change(dataset: Any) -> Any:
        size = int(dataset.cardinality())
        spec = dataset.element_spec
        if size < 0 or size > number or not isinstance(spec, dict) or mask_key in spec:
            raise ValueError(
                "tf.data.experimental.pad_to_cardinality: a dataset of dicts without the key "
                f"{mask_key!r}, of a known size of at most {number}, was expected; got size {size} "
                f"and elements {spec}."
            )
        return dataset._then(stateful.Padded(dataset._stage, number, mask_key))

    return change


def parallel_interleave(
    map_func: Any,
    cycle_length: Any,
    block_length: Any = 1,
    sloppy: bool = False,
    buffer_output_elements: Any = None,
    prefetch_input_elements: Any = None,
) -> _Change:
    """Return `Dataset.interleave` as a change for `apply`; the order is always kept."""
    return lambda dataset: dataset.interleave(map_func, cycle_length, block_length)


def parse_example_dataset(
    features: Any, num_parallel_calls: Any = 1, deterministic: bool | None = None
) -> _Change:
    """Return a change that parses batches of serialized `tf.train.Example` protos.

    Args:
        features: A dict of features, as of `tf.io.parse_example`.
        num_parallel_calls: Accepted, unused.
        deterministic: Accepted, unused.
    """
    if features is None:
        raise ValueError("tf.data.experimental.parse_example_dataset: `features` must be given.")
    parse = import_module("lamina.io").parse_example
    return lambda dataset: dataset.map(lambda serialized: parse(serialized, features))


def rejection_resample(
    class_func: Any, target_dist: Any, initial_dist: Any = None, seed: Any = None
) -> _Change:
    """Return `Dataset.rejection_resample` as a change for `apply`."""
    return lambda dataset: dataset.rejection_resample(class_func, target_dist, initial_dist, seed)


def scan(initial_state: Any, scan_func: Any) -> _Change:
    """Return `Dataset.scan` as a change for `apply`."""
    return lambda dataset: dataset.scan(initial_state, scan_func)


def shuffle_and_repeat(buffer_size: Any, count: Any = None, seed: Any = None) -> _Change:
    """Return `shuffle` and then `repeat` as a change for `apply`."""
    return lambda dataset: dataset.shuffle(buffer_size, seed).repeat(count)


def snapshot(
    path: Any, compression: Any = "AUTO", reader_func: Any = None, shard_func: Any = None
) -> _Change:
    """Return `Dataset.snapshot` as a change for `apply`."""
    return lambda dataset: dataset.snapshot(path, compression, reader_func, shard_func)


def take_while(predicate: Any) -> _Change:
    """Return `Dataset.take_while` as a change for `apply`."""
    return lambda dataset: dataset.take_while(predicate)


def unbatch() -> _Change:
    """Return `Dataset.unbatch` as a change for `apply`."""
    return lambda dataset: dataset.unbatch()


def unique() -> _Change:
    """Return `Dataset.unique` as a change for `apply`."""
    return lambda dataset: dataset.unique()
