"""tf.data.experimental: older functions for `Dataset.apply`, and readers of tables."""

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

from lamina.data import elements, mapping, tables
from lamina.data import structure as nest
from lamina.data.applied import (
    Reducer,
    assert_cardinality,
    bucket_by_sequence_length,
    choose_from_datasets,
    copy_to_device,
    dense_to_ragged_batch,
    dense_to_sparse_batch,
    enumerate_dataset,
    group_by_reducer,
    group_by_window,
    ignore_errors,
    map_and_batch,
    pad_to_cardinality,
    parallel_interleave,
    parse_example_dataset,
    prefetch_to_device,
    rejection_resample,
    sample_from_datasets,
    scan,
    shuffle_and_repeat,
    snapshot,
    take_while,
    unbatch,
    unique,
)
from lamina.data.csv import CsvDataset, make_csv_dataset
from lamina.data.dataset import AUTOTUNE, INFINITE_CARDINALITY, UNKNOWN_CARDINALITY, Dataset
from lamina.data.files import TFRecordDataset
from lamina.data.iterating import Iterator as _DatasetIterator
from lamina.data.lookups import (
    DatasetInitializer,
    index_table_from_dataset,
    table_from_dataset,
)
from lamina.data.options import (
    AutoShardPolicy,
    AutotuneAlgorithm,
    AutotuneOptions,
    DistributeOptions,
    ExternalStatePolicy,
    OptimizationOptions,
    ServiceOptions,
    ThreadingOptions,
)
from lamina.data.records import RecordWriter
from lamina.data.seeds import fresh_seed
from lamina.data.sources import Drawn
from lamina.data.stages import Run, Stage
from lamina.engine import Tensor, TensorSpec, as_dtype, errors, static_int
from lamina.ops.optional import Optional

__all__ = [
    "AUTOTUNE",
    "INFINITE_CARDINALITY",
    "SHARD_HINT",
    "UNKNOWN_CARDINALITY",
    "AutoShardPolicy",
    "AutotuneAlgorithm",
    "AutotuneOptions",
    "Counter",
    "CsvDataset",
    "DatasetInitializer",
    "DistributeOptions",
    "ExternalStatePolicy",
    "OptimizationOptions",
    "Optional",
    "RandomDataset",
    "Reducer",
    "ServiceOptions",
    "SqlDataset",
    "TFRecordWriter",
    "ThreadingOptions",
    "assert_cardinality",
    "at",
    "bucket_by_sequence_length",
    "cardinality",
    "choose_from_datasets",
    "copy_to_device",
    "dense_to_ragged_batch",
    "dense_to_sparse_batch",
    "enable_debug_mode",
    "enumerate_dataset",
    "from_list",
    "from_variant",
    "get_next_as_optional",
    "get_single_element",
    "get_structure",
    "group_by_reducer",
    "group_by_window",
    "ignore_errors",
    "index_table_from_dataset",
    "load",
    "make_batched_features_dataset",
    "make_csv_dataset",
    "map_and_batch",
    "pad_to_cardinality",
    "parallel_interleave",
    "parse_example_dataset",
    "prefetch_to_device",
    "rejection_resample",
    "sample_from_datasets",
    "save",
    "scan",
    "shuffle_and_repeat",
    "snapshot",
    "table_from_dataset",
    "take_while",
    "to_variant",
    "unbatch",
    "unique",
]

SHARD_HINT = -1
"""A number of shards for `shard` that stands for the number of workers."""

# ---- made anew --------------------------------------------------------------------------------


def Counter(start: Any = 0, step: Any = 1, dtype: Any = "int64") -> Dataset:  # noqa: N802
    """Return a dataset of numbers without end, as `Dataset.counter` does.

    Example:
        >>> list(tf.data.experimental.Counter().take(2).as_numpy_iterator())
        [np.int64(0), np.int64(1)]
    """
    return Dataset.counter(start, step, dtype)


class RandomDataset(Dataset):
    """A dataset of random integers, as `Dataset.random` makes it.

    Args:
        seed: An int, or None.
        rerandomize_each_iteration: Whether each pass has others.
        name: Accepted, unused.
    """

    def __init__(
        self,
        seed: Any = None,
        rerandomize_each_iteration: bool | None = None,
        name: str | None = None,
    ) -> None:
        start = fresh_seed() if seed is None else static_int(seed, "seed") & (2**63 - 1)
        again = seed is None if rerandomize_each_iteration is None else rerandomize_each_iteration
        super().__init__(Drawn(start, bool(again)))


def from_list(elements: Any, name: str | None = None) -> Dataset:
    """Return a dataset of the entries of a list, all of one structure and dtypes.

    Args:
        elements: A list that is not empty.
        name: Accepted, unused.

    Raises:
        ValueError: the list is empty, or its entries differ.

    Example:
        >>> dataset = tf.data.experimental.from_list([(1, "a"), (2, "b")])
        >>> list(dataset.as_numpy_iterator())
        [(np.int32(1), b'a'), (np.int32(2), b'b')]
    """
    return _from_list(elements)


def _from_list(entries: Any) -> Dataset:
    if not isinstance(entries, list) or not entries:
        raise ValueError(
            f"tf.data.experimental.from_list: `elements` must be a list that is not empty; got "
            f"{entries!r}."
        )
    rows = [elements.as_arrays(entry) for entry in entries]
    specs = [elements.spec_of(row) for row in rows]
    merged = specs[0]
    try:
        for spec in specs[1:]:
            merged = elements.merge(merged, spec)
        same = all(
            [s.dtype for s in nest.flatten(spec)] == [s.dtype for s in nest.flatten(specs[0])]
            for spec in specs
        )
    except TypeError:
        same = False
    if not same:
        raise ValueError(
            "tf.data.experimental.from_list: all entries must have one structure and dtypes; got "
            f"{specs}."
        )
    from_rows = _Rows(rows, merged)
    return Dataset(from_rows)


class _Rows(Stage):
    """Elements in a list."""

    label = "List"

    def __init__(self, rows: list[Any], spec: Any) -> None:
        self.table = tables.Loose()
        self._rows, self._spec = rows, spec

    def spec(self) -> Any:
        return self._spec

    def size(self) -> int:
        return len(self._rows)

    def items(self, run: Run) -> Iterator[Any]:
        return iter(self._rows)


class SqlDataset(Dataset):
    """A dataset of the rows of a database query, tuples of scalars.

    Args:
        driver_name: "sqlite".
        data_source_name: The database file.
        query: The SQL query.
        output_types: A tuple of dtypes, one for each column; or the dtype of a single one, whose
            elements are no tuples.

    Raises:
        errors.InvalidArgumentError: another driver; or the query has no columns, when rows are
            asked for.
        errors.UnknownError: the query fails, then.
    """

    def __init__(
        self, driver_name: Any, data_source_name: Any, query: Any, output_types: Any
    ) -> None:
        driver, source, text = (_text(v) for v in (driver_name, data_source_name, query))
        if driver != "sqlite":
            raise errors.InvalidArgumentError(
                f'tf.data.experimental.SqlDataset: `driver_name` must be "sqlite"; got {driver!r}.'
            )
        several = isinstance(output_types, tuple | list)
        spec: Any = (
            tuple(TensorSpec([], as_dtype(t)) for t in output_types)
            if several
            else (TensorSpec([], as_dtype(output_types)))
        )

        def rows() -> Iterator[Any]:
            with contextlib.closing(sqlite3.connect(source)) as connection:
                try:
                    found = connection.execute(text)
                except sqlite3.Error as error:
                    raise errors.UnknownError(
                        f"tf.data.experimental.SqlDataset: {error}; query {text!r}."
                    ) from None
                if found.description is None:
                    raise errors.InvalidArgumentError(
                        f"tf.data.experimental.SqlDataset: a query with columns was expected; got "
                        f"{text!r}.\n  Fix: SELECT."
                    )
                yield from found if several else (row[0] for row in found)

        super().__init__(Dataset.from_generator(rows, output_signature=spec)._stage)


def _text(value: Any) -> str:
    value = value.numpy() if isinstance(value, Tensor) else value
    return value.decode() if isinstance(value, bytes) else str(value)


# ---- asking -----------------------------------------------------------------------------------


def cardinality(dataset: Any) -> Tensor:
    """Return the number of elements of a dataset, as `Dataset.cardinality` does.

    Example:
        >>> tf.data.experimental.cardinality(tf.data.Dataset.range(3)).numpy()
        np.int64(3)
    """
    return dataset.cardinality()


def at(dataset: Any, index: Any) -> Any:
    """Return an element of a dataset by its place.

    Raises:
        errors.OutOfRangeError: there is none.

    Example:
        >>> tf.data.experimental.at(tf.data.Dataset.range(5).map(lambda x: x * x), 3).numpy()
        np.int64(9)
    """
    place = static_int(index, "index")
    for element in dataset.skip(place).take(1) if place >= 0 else ():
        return element
    raise errors.OutOfRangeError(
        f"tf.data.experimental.at: Index out of range [0, {len(dataset)}):{place}"
    )


def get_single_element(dataset: Any) -> Any:
    """Return the only element of a dataset, as `Dataset.get_single_element` does."""
    return dataset.get_single_element()


def get_structure(dataset_or_iterator: Any) -> Any:
    """Return the specs of the elements of a dataset or iterator.

    Raises:
        TypeError: it is neither.
    """
    if not isinstance(dataset_or_iterator, Dataset | _DatasetIterator):
        raise TypeError(
            "tf.data.experimental.get_structure: a dataset or iterator was expected; got "
            f"{dataset_or_iterator!r}."
        )
    return dataset_or_iterator.element_spec


def get_next_as_optional(iterator: Any) -> Optional:
    """Return the next element of an iterator as an Optional."""
    return iterator.get_next_as_optional()


def to_variant(dataset: Any) -> Any:
    """Return a value that stands for a dataset, for `from_variant`."""
    return dataset._stage


def from_variant(variant: Any, structure: Any) -> Dataset:
    """Return the dataset of a value that `to_variant` returned.

    Args:
        variant: The value.
        structure: The specs of the elements.
    """
    return Dataset(variant)


def enable_debug_mode() -> None:
    """Have the functions of `map`, `filter` and such run as Python, for debuggers and prints."""
    mapping.debug(True)


# ---- files ------------------------------------------------------------------------------------


def save(
    dataset: Any,
    path: Any,
    compression: Any = None,
    shard_func: Any = None,
    checkpoint_args: Any = None,
) -> None:
    """Write a dataset's elements into a directory, as `Dataset.save` does."""
    dataset.save(path, compression, shard_func, checkpoint_args)


def load(
    path: Any, element_spec: Any = None, compression: Any = None, reader_func: Any = None
) -> Dataset:
    """Return the dataset that `save` wrote, as `Dataset.load` does."""
    return Dataset.load(path, element_spec, compression, reader_func)


class TFRecordWriter:
    """Write a dataset of strings into a TFRecord file.

    Args:
        filename: The file.
        compression_type: None, "", "GZIP" or "ZLIB".
    """

    def __init__(self, filename: Any, compression_type: Any = None) -> None:
        self._filename, self._compression = filename, compression_type

    def write(self, dataset: Any) -> None:
        """Write the elements.

        Raises:
            TypeError: they are no scalar strings.
        """
        spec = getattr(dataset, "element_spec", None)
        if getattr(spec, "dtype", None) != "string":
            raise TypeError(
                "tf.data.experimental.TFRecordWriter.write: a dataset of strings was expected; got "
                f"{dataset!r}.\n  Fix: map the elements to tf.train.Example strings."
            )
        with RecordWriter(self._filename, self._compression) as writer:
            for row in dataset.as_numpy_iterator():
                writer.write(row)


def make_batched_features_dataset(
    file_pattern: Any,
    batch_size: Any,
    features: Any,
    reader: Any = None,
    label_key: str | None = None,
    reader_args: Any = None,
    num_epochs: int | None = None,
    shuffle: bool = True,
    shuffle_buffer_size: int = 10000,
    shuffle_seed: Any = None,
    prefetch_buffer_size: Any = None,
    reader_num_threads: Any = None,
    parser_num_threads: Any = None,
    sloppy_ordering: bool = False,
    drop_final_batch: bool = False,
) -> Dataset:
    """Return a dataset of batches of features, parsed from files of `tf.train.Example` protos.

    Args:
        file_pattern: A pattern of file names, or a list of them.
        batch_size: Examples a batch.
        features: A dict of features, as of `tf.io.parse_example`.
        reader: A function of a file name that returns a dataset; None is TFRecordDataset.
        label_key: The feature that is returned apart: elements are (dict, label).
        reader_args: Further arguments of `reader`.
        num_epochs: How many passes; None is without end.
        shuffle: Whether files and examples come in random order.
        shuffle_buffer_size: How many examples the next one is drawn from.
        shuffle_seed: An int, for the order.
        prefetch_buffer_size: How many batches are made ahead; None chooses.
        reader_num_threads: From how many files at a time examples are taken in turn; None is 1.
        parser_num_threads: Accepted, unused.
        sloppy_ordering: Accepted, unused: the order is kept.
        drop_final_batch: Whether a smaller last batch is left out.

    Raises:
        ValueError: `label_key` is no feature.
    """
    if label_key is not None and label_key not in features:
        raise ValueError(
            "tf.data.experimental.make_batched_features_dataset: `label_key` must be one of the "
            f"features, {sorted(features)}; got {label_key!r}."
        )
    read = TFRecordDataset if reader is None else reader
    arguments = list(reader_args or [])
    files = Dataset.list_files(file_pattern, shuffle=shuffle, seed=shuffle_seed)
    cycle = 1 if reader_num_threads in (None, AUTOTUNE) else int(reader_num_threads)
    dataset = files.interleave(lambda name: read(name, *arguments), cycle)
    if isinstance(dataset.element_spec, tuple) and len(dataset.element_spec) == 2:
        dataset = dataset.map(lambda _, value: value)
    if shuffle:
        dataset = dataset.shuffle(shuffle_buffer_size, shuffle_seed)
    if num_epochs != 1:
        dataset = dataset.repeat(num_epochs)
    dataset = dataset.batch(batch_size, drop_remainder=drop_final_batch or num_epochs is None)
    dataset = dataset.apply(parse_example_dataset(features))
    if label_key is not None:

        def split(parsed: dict[str, Any]) -> Any:
            rest = dict(parsed)
            return rest, rest.pop(label_key)

        dataset = dataset.map(split)
    return dataset.prefetch(AUTOTUNE if prefetch_buffer_size is None else prefetch_buffer_size)
