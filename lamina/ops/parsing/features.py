"""Descriptions of the features of records: what a program expects in them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from lamina.engine import dtypes

__all__ = [
    "FixedLenFeature",
    "FixedLenSequenceFeature",
    "RaggedFeature",
    "SparseFeature",
    "VarLenFeature",
]


class FixedLenFeature(NamedTuple):
    """A feature of the same shape in every record: parsed as a dense Tensor.

    Attributes:
        shape: The shape.
        dtype: float32, int64 or string.
        default_value: What stands where the feature is missing, a value or an array of `shape`;
            None makes a missing one an error.

    Example:
        >>> tf.io.FixedLenFeature([], tf.int64)
        FixedLenFeature(shape=[], dtype=tf.int64, default_value=None)
    """

    shape: Any
    dtype: Any
    default_value: Any = None


class FixedLenSequenceFeature(NamedTuple):
    """A feature with any number of rows of one shape: parsed as a dense, padded Tensor.

    Attributes:
        shape: The shape of a row.
        dtype: float32, int64 or string.
        allow_missing: Whether it may be missing, which counts as no rows.
        default_value: What pads shorter features in a batch; None is 0 or "".
    """

    shape: Any
    dtype: Any
    allow_missing: bool = False
    default_value: Any = None


class VarLenFeature(NamedTuple):
    """A feature of any length: parsed as a SparseTensor.

    Attributes:
        dtype: float32, int64 or string.
    """

    dtype: Any


class SparseFeature(NamedTuple):
    """A sparse row or array kept as two or more features: its indices and its values.

    Attributes:
        index_key: The name of the feature with the indices, or a list: one for each axis.
        value_key: The name of the feature with the values.
        dtype: The dtype of the values.
        size: The size of the axis, or a list.
        already_sorted: Whether the indices are in order in every record.
    """

    index_key: Any
    value_key: str
    dtype: Any
    size: Any
    already_sorted: bool = False


class RowSplits(NamedTuple):
    """A partition by the feature `key`: where rows start and end."""

    key: str


class RowLengths(NamedTuple):
    """A partition by the feature `key`: how long rows are."""

    key: str


class RowStarts(NamedTuple):
    """A partition by the feature `key`: where rows start."""

    key: str


class RowLimits(NamedTuple):
    """A partition by the feature `key`: where rows end."""

    key: str


class ValueRowIds(NamedTuple):
    """A partition by the feature `key`: the row of each value."""

    key: str


class UniformRowLength(NamedTuple):
    """A partition in rows of `length` values."""

    length: int


class _RaggedFeature(NamedTuple):
    dtype: Any
    value_key: Any
    partitions: tuple[Any, ...]
    row_splits_dtype: Any
    validate: bool


class RaggedFeature(_RaggedFeature):
    """A feature with rows of any length: parsed as a RaggedTensor.

    Attributes:
        dtype: float32, int64 or string.
        value_key: The name of the feature with the values; None is the name in the dict.
        partitions: How the values of a record are cut in rows, the outermost cut first, as
            `RaggedFeature.RowSplits("splits")`; a batch adds one axis before.
        row_splits_dtype: int32 or int64, of the result's row splits.
        validate: Accepted, unused: partitions are always checked.

    Example:
        >>> feature = tf.io.RaggedFeature(tf.int64)
        >>> record = tf.train.Example()
        >>> record.features.feature["x"].int64_list.value.extend([3, 1])
        >>> tf.io.parse_example([record.SerializeToString(), b""], {"x": feature})["x"]
        <tf.RaggedTensor [[3, 1], []]>
    """

    RowSplits = RowSplits
    RowLengths = RowLengths
    RowStarts = RowStarts
    RowLimits = RowLimits
    ValueRowIds = ValueRowIds
    UniformRowLength = UniformRowLength

    def __new__(
        cls,
        dtype: Any,
        value_key: Any = None,
        partitions: Sequence[Any] = (),
        row_splits_dtype: Any = dtypes.int32,
        validate: bool = False,
    ) -> "RaggedFeature":
        """Check the partitions."""
        kinds = RowSplits, RowLengths, RowStarts, RowLimits, ValueRowIds, UniformRowLength
        for partition in partitions:
            if not isinstance(partition, kinds):
                raise TypeError(
                    f"tf.io.RaggedFeature: `partitions` must hold partition objects; got "
                    f"{partition!r}.\n  Fix: use tf.io.RaggedFeature.RowSplits(key) and others."
                )
        splits = dtypes.as_dtype(row_splits_dtype)
        return super().__new__(cls, dtype, value_key, tuple(partitions), splits, validate)
