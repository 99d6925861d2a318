"""Lookup tables whose keys and values a dataset gives."""

from typing import Any, NamedTuple

import numpy as np

from lamina.data.applied import assert_cardinality
from lamina.data.dataset import Dataset
from lamina.engine import TensorSpec, as_dtype
from lamina.ops.lookup import StaticHashTable, StaticVocabularyTable

__all__ = ["DatasetInitializer", "index_table_from_dataset", "table_from_dataset"]


class HasherSpec(NamedTuple):
    """How terms that a table does not hold are hashed.

    Attributes:
        hasher: "fasthash", the one there is.
        key: None.
    """

    hasher: str
    key: Any


_FAST = HasherSpec("fasthash", None)


class DatasetInitializer:
    """The keys and values of a table: the elements of a dataset, read when the table is made.

    Args:
        dataset: A dataset of pairs of scalars, key and value.

    Raises:
        ValueError: the elements are no pairs of scalars.

    Example:
        >>> pairs = tf.data.Dataset.from_tensor_slices((["a", "b"], [10, 20]))
        >>> start = tf.data.experimental.DatasetInitializer(pairs)
        >>> tf.lookup.StaticHashTable(start, -1).lookup(tf.constant(["b", "z"])).numpy()
        array([20, -1], dtype=int32)
    """

    def __init__(self, dataset: Dataset) -> None:
        spec = dataset.element_spec
        is_pair = isinstance(spec, tuple) and len(spec) == 2
        if not is_pair or not all(isinstance(s, TensorSpec) and s.shape.rank == 0 for s in spec):
            raise ValueError(
                f"tf.data.experimental.DatasetInitializer: the elements must be pairs of scalars, "
                f"key and value; got {spec}.\n"
                f"  Fix: dataset.map(lambda row: (row['key'], row['value'])), before any batch."
            )
        self.dataset = dataset
        self.key_dtype, self.value_dtype = spec[0].dtype, spec[1].dtype

    def _pairs(self) -> tuple[list[Any], np.ndarray]:
        found = list(self.dataset.as_numpy_iterator())
        values = np.asarray([value for _, value in found], self.value_dtype.np)
        return [key if isinstance(key, bytes) else key.item() for key, _ in found], values


def table_from_dataset(
    dataset: Any = None,
    num_oov_buckets: int = 0,
    vocab_size: int | None = None,
    default_value: Any = None,
    hasher_spec: Any = _FAST,
    key_dtype: Any = "string",
    name: str | None = None,
) -> Any:
    """Return a lookup table of the pairs that a dataset gives.

    Args:
        dataset: A dataset of pairs of scalars, key and value.
        num_oov_buckets: How many numbers other keys share, by hash; 0 gives them `default_value`.
        vocab_size: How many pairs to take, which must be there; None takes all.
        default_value: What other keys get; None is -1.
        hasher_spec: The one there is.
        key_dtype: The dtype of the keys: string or an integer.
        name: A name.

    Returns:
        A `tf.lookup.StaticHashTable`, or a `StaticVocabularyTable` with buckets.

    Raises:
        ValueError: there is no dataset, `num_oov_buckets` or `vocab_size` is out of range, the
            hash is another, or both buckets and a default are given.
        TypeError: the keys have another dtype.
        InvalidArgumentError: the dataset has fewer than `vocab_size` pairs.

    Example:
        >>> words = tf.data.Dataset.from_tensor_slices((["a", "b"], tf.constant([7, 8], tf.int64)))
        >>> tf.data.experimental.table_from_dataset(words).lookup(tf.constant(["b", "z"])).numpy()
        array([ 8, -1])
    """
    who = "tf.data.experimental.table_from_dataset"
    _check(who, dataset, num_oov_buckets, vocab_size, hasher_spec)
    if num_oov_buckets and default_value not in (None, -1):
        raise ValueError(
            f"{who}: one of `num_oov_buckets` and `default_value` was expected; got "
            f"{num_oov_buckets} and {default_value!r}.\n  Fix: leave out the default."
        )
    if vocab_size is not None:
        dataset = dataset.take(vocab_size).apply(assert_cardinality(vocab_size))
    start = DatasetInitializer(dataset)
    if start.key_dtype is not as_dtype(key_dtype):
        raise TypeError(
            f"{who}: the keys must be {as_dtype(key_dtype).name}, as `key_dtype` says; got "
            f"{start.key_dtype.name}.\n  Fix: key_dtype={start.key_dtype.name!r}."
        )
    if num_oov_buckets:
        return StaticVocabularyTable(start, num_oov_buckets, name=name)
    return StaticHashTable(start, -1 if default_value is None else default_value, name=name)


def _check(who: str, dataset: Any, buckets: int, vocab_size: int | None, hasher: Any) -> None:
    if dataset is None:
        raise ValueError(f"{who}: `dataset` must be a dataset; got None.")
    if buckets < 0:
        raise ValueError(f"{who}: `num_oov_buckets` must be at least 0; got {buckets}.")
    if vocab_size is not None and vocab_size < 1:
        raise ValueError(f"{who}: `vocab_size` must be at least 1; got {vocab_size}.")
    if hasher != _FAST:
        raise ValueError(f"{who}: `hasher_spec` must be the default one; got {hasher!r}.")


def index_table_from_dataset(
    dataset: Any = None,
    num_oov_buckets: int = 0,
    vocab_size: int | None = None,
    default_value: Any = -1,
    hasher_spec: Any = _FAST,
    key_dtype: Any = "string",
    name: str | None = None,
) -> Any:
    """Return a lookup table of the terms that a dataset gives to their places, from 0.

    Args:
        dataset: A dataset of scalars, the terms.
        num_oov_buckets: How many numbers other terms share, by hash; 0 gives them `default_value`.
        vocab_size: How many terms to take, which must be there; None takes all.
        default_value: What other terms get.
        hasher_spec: The one there is.
        key_dtype: The dtype of the terms: string or an integer.
        name: A name.

    Returns:
        A table as of `table_from_dataset`, with int64 values.

    Raises:
        ValueError: as of `table_from_dataset`.

    Example:
        >>> words = tf.data.Dataset.from_tensor_slices(["a", "b", "c"])
        >>> table = tf.data.experimental.index_table_from_dataset(words)
        >>> table.lookup(tf.constant(["c", "z"])).numpy()
        array([ 2, -1])
    """
    _check("tf.data.experimental.index_table_from_dataset", dataset, 0, None, hasher_spec)
    pairs = dataset.enumerate().map(lambda place, term: (term, place))
    return table_from_dataset(
        pairs, num_oov_buckets, vocab_size, default_value, hasher_spec, key_dtype, name
    )
