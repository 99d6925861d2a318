"""RowPartition: how the items of one axis are cut into rows."""

import numpy as np

from lamina.engine import Tensor, as_dtype, convert_to_tensor, dtypes, errors, ready
from lamina.ops.array import ones_like, size
from lamina.ops.casting import cast
from lamina.ops.counting import searchsorted
from lamina.ops.cumulative import cumsum
from lamina.ops.math import add, subtract
from lamina.ops.segments import unsorted_segment_sum
from lamina.ops.shaping import concat

__all__ = ["RowPartition"]


def integers(value, who, dtype=None):
    """Return row splits, lengths or ids as a Tensor of int32 or int64."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "iu" and dtype is None:
        dtype = dtypes.int32 if value.dtype == np.int32 else dtypes.int64
        value = value.astype(dtype.np)
    if not isinstance(value, Tensor) and not hasattr(type(value), "_as_tensor"):
        value = np.asarray(value)
        if value.size == 0 or value.dtype.kind in "iu":
            value = value.astype((dtype or dtypes.int64).np)
    tensor = convert_to_tensor(value)
    if tensor.dtype not in (dtypes.int32, dtypes.int64):
        raise ValueError(
            f"{who} must be int32 or int64; got dtype {tensor.dtype.name}.\n"
            f"  Fix: tf.cast it to tf.int64."
        )
    return tensor if dtype is None or tensor.dtype is dtype else cast(tensor, dtype)


def on_host(tensor):
    """Return the value of an integer Tensor as a NumPy array.

    Raises:
        TracedValueError: it belongs to a program that is being traced.
    """
    return np.asarray(tensor._jax())


def is_ready(tensor):
    """Return whether the value of a Tensor can be had now."""
    return tensor._value is not None or (tensor._trace is not None and tensor._trace.eager)


def vector(tensor, who):
    """Return a Tensor that must have one axis."""
    if tensor.shape.rank != 1:
        raise ValueError(
            f"{who} must be a vector; got shape {tensor.shape}.\n  Fix: tf.reshape(it, [-1])."
        )
    return tensor


def _check(holds, who, what):
    if not holds:
        raise errors.InvalidArgumentError(f"{who}: {what}.")


class RowPartition:
    """How a sequence of values is cut into rows, as `tf.RaggedTensor` needs it.

    Made by its `from_*` methods.

    Example:
        >>> p = tf.experimental.RowPartition.from_row_lengths([2, 0, 1])
        >>> p.row_splits().numpy(), p.value_rowids().numpy()
        (array([0, 2, 2, 3]), array([0, 0, 2]))
    """

    def __init__(
        self,
        row_splits,
        row_lengths=None,
        value_rowids=None,
        nrows=None,
        uniform_row_length=None,
        nvals=None,
        internal=False,
    ):
        if not internal:
            raise ValueError(
                "RowPartition: the constructor is private, as in TensorFlow.\n"
                "  Fix: use RowPartition.from_row_splits, .from_row_lengths, ..."
            )
        self._splits = row_splits
        self._uniform = uniform_row_length
        self._host = None

    # -- makers

    @classmethod
    def _of(cls, splits, uniform=None):
        return cls(splits, uniform_row_length=uniform, internal=True)

    @classmethod
    def _of_host(cls, splits, uniform=None):
        """Return the partition of row splits in a NumPy array."""
        made = cls._of(ready(splits), uniform)
        made._host = splits
        return made

    @classmethod
    def from_row_splits(cls, row_splits, validate=True, dtype=None, dtype_hint=None):
        """Return the partition whose row i ends at `row_splits[i + 1]`.

        Args:
            row_splits: N + 1 ascending integers, the first 0.
            validate: Whether to check that.
            dtype: int32 or int64; None keeps that of `row_splits`.
            dtype_hint: Accepted, unused.

        Raises:
            ValueError: not a vector, empty, or not integers.
            InvalidArgumentError: the splits do not ascend from 0.
        """
        who = "RowPartition.from_row_splits: `row_splits`"
        wanted = None if dtype is None else as_dtype(dtype)
        splits = vector(integers(row_splits, who, wanted), who)
        if splits.shape[0] == 0:
            raise ValueError(f"{who} may not be empty; got shape {splits.shape}.\n  Fix: pass [0].")
        made = cls._of(splits)
        if validate and is_ready(splits):
            host = made._numbers
            _check(host[0] == 0, who, f"must start with 0; got {host[:9].tolist()}")
            _check(bool(np.all(np.diff(host) >= 0)), who, f"must ascend; got {host.tolist()[:20]}")
        return made

    @classmethod
    def from_row_lengths(cls, row_lengths, validate=True, dtype=None, dtype_hint=None):
        """Return the partition whose rows have the given lengths.

        Raises:
            ValueError: not a vector of integers.
            InvalidArgumentError: a length is negative.
        """
        who = "RowPartition.from_row_lengths: `row_lengths`"
        wanted = None if dtype is None else as_dtype(dtype)
        lengths = vector(integers(row_lengths, who, wanted), who)
        if not is_ready(lengths):
            zero = ready(np.zeros(1, lengths.dtype.np))
            return cls._of(concat([zero, cumsum(lengths)], 0))
        host = on_host(lengths)
        if validate:
            _check(bool(np.all(host >= 0)), who, f"may not be negative; got {host.tolist()[:20]}")
        return cls._of_host(
            np.concatenate([np.zeros(1, host.dtype), np.cumsum(host, dtype=host.dtype)])
        )

    @classmethod
    def from_value_rowids(
        cls, value_rowids, nrows=None, validate=True, dtype=None, dtype_hint=None
    ):
        """Return the partition in which value i belongs to row `value_rowids[i]`.

        Args:
            value_rowids: Ascending integers, one for each value.
            nrows: The number of rows; None is the last id plus one.
            validate: Whether to check that the ids ascend and lie below `nrows`.
            dtype: int32 or int64; None keeps that of `value_rowids`.
            dtype_hint: Accepted, unused.

        Raises:
            ValueError: not a vector of integers, or not below `nrows`.
            InvalidArgumentError: the ids do not ascend, or are negative.
        """
        who = "RowPartition.from_value_rowids: `value_rowids`"
        wanted = None if dtype is None else as_dtype(dtype)
        ids = vector(integers(value_rowids, who, wanted), who)
        if nrows is not None:
            if np.ndim(nrows):
                raise ValueError(f"{who[:-15]} `nrows` must be a scalar; got {nrows!r}.")
            nrows = int(nrows)
            if nrows < 0:
                raise ValueError(f"{who[:-15]} `nrows` may not be negative; got {nrows}.")
        if nrows is not None and not is_ready(ids):
            rows = ready(np.arange(nrows + 1, dtype=ids.dtype.np))
            return cls._of(cast(searchsorted(ids, rows), ids.dtype))
        host = on_host(ids)
        if nrows is None:
            nrows = int(host[-1]) + 1 if host.size else 0
        if validate and host.size:
            _check(bool(np.all(np.diff(host) >= 0)), who, f"must ascend; got {host.tolist()[:20]}")
            _check(host[0] >= 0, who, f"may not be negative; got {host.tolist()[:20]}")
            if host[-1] >= nrows:
                raise ValueError(f"{who}: must be less than nrows={nrows}; got {int(host[-1])}.")
        counts = np.searchsorted(host, np.arange(nrows + 1)).astype(host.dtype)
        return cls._of_host(counts)

    @classmethod
    def from_row_starts(cls, row_starts, nvals, validate=True, dtype=None, dtype_hint=None):
        """Return the partition whose row i starts at `row_starts[i]`; the last ends at `nvals`.

        Raises:
            ValueError: not a vector of integers.
            InvalidArgumentError: the starts do not ascend from 0 to at most `nvals`.
        """
        who = "RowPartition.from_row_starts: `row_starts`"
        wanted = None if dtype is None else as_dtype(dtype)
        starts = on_host(vector(integers(row_starts, who, wanted), who))
        splits = np.append(starts, np.asarray(nvals, starts.dtype))
        if validate:
            _check(not starts.size or starts[0] == 0, who, f"must start with 0; got {starts[:9]}")
            _check(bool(np.all(np.diff(splits) >= 0)), who, f"must ascend; got {starts[:20]}")
        return cls._of_host(splits)

    @classmethod
    def from_row_limits(cls, row_limits, validate=True, dtype=None, dtype_hint=None):
        """Return the partition whose row i ends before value `row_limits[i]`.

        Raises:
            ValueError: not a vector of integers.
            InvalidArgumentError: the limits do not ascend.
        """
        who = "RowPartition.from_row_limits: `row_limits`"
        wanted = None if dtype is None else as_dtype(dtype)
        limits = on_host(vector(integers(row_limits, who, wanted), who))
        splits = np.concatenate([np.zeros(1, limits.dtype), limits])
        if validate:
            _check(bool(np.all(np.diff(splits) >= 0)), who, f"must ascend; got {limits[:20]}")
        return cls._of_host(splits)

    @classmethod
    def from_uniform_row_length(
        cls,
        uniform_row_length,
        nvals=None,
        nrows=None,
        validate=True,
        dtype=None,
        dtype_hint=None,
    ):
        """Return the partition whose rows all have one length.

        Args:
            uniform_row_length: The length of each row.
            nvals: The number of values, needed unless `nrows` is given.
            nrows: The number of rows, needed where the length may be 0.
            validate: Whether to check that the numbers fit.
            dtype: int32 or int64; None is int64.
            dtype_hint: Accepted, unused.

        Raises:
            ValueError: neither `nvals` nor `nrows` is given, the length is negative, or the
                numbers do not fit.
        """
        who = "RowPartition.from_uniform_row_length: `uniform_row_length`"
        wanted = dtypes.int64 if dtype is None else as_dtype(dtype)
        length = int(uniform_row_length)
        if length < 0:
            raise ValueError(f"{who} may not be negative; got {length}.")
        if nrows is None:
            if nvals is None:
                raise ValueError(f"{who}: `nvals` or `nrows` must be given; got None for both.")
            nrows = int(nvals) // length if length else 0
        nrows = int(nrows)
        if validate and nvals is not None and nrows * length != int(nvals):
            raise ValueError(
                f"{who}: {length} times {nrows} rows must be the number of values, {int(nvals)}."
            )
        return cls._of_host(np.arange(nrows + 1, dtype=wanted.np) * length, length)

    # -- what it holds

    @property
    def _numbers(self):
        """The row splits as a NumPy array."""
        if self._host is None:
            self._host = on_host(self._splits)
        return self._host

    @property
    def _ready(self):
        return self._host is not None or is_ready(self._splits)

    @property
    def dtype(self):
        """The dtype of the numbers, int32 or int64."""
        return self._splits.dtype

    @property
    def static_nrows(self):
        """The number of rows; None where a function is traced for any number."""
        count = self._splits.shape[0]
        return None if count is None else count - 1

    @property
    def _count(self):
        """The number of rows; where only the running program knows it, a TracedValueError."""
        found = self.static_nrows
        return len(self._numbers) - 1 if found is None else found

    @property
    def static_nvals(self):
        """The number of values, or None inside a trace."""
        return int(self._numbers[-1]) if self._ready else None

    @property
    def static_uniform_row_length(self):
        """The length of each row, or None."""
        return self._uniform

    def is_uniform(self):
        """Return whether all rows are known to have one length."""
        return self._uniform is not None

    def row_splits(self):
        """Return N + 1 numbers: row i holds the values from `[i]` to `[i + 1]`."""
        return self._splits

    def _from(self, host):
        return ready(np.asarray(host, self.dtype.np))

    def row_lengths(self):
        """Return the length of each row."""
        if self._ready:
            return self._from(np.diff(self._numbers))
        return subtract(self._splits[1:], self._splits[:-1])

    def row_starts(self):
        """Return where each row starts."""
        return self._from(self._numbers[:-1]) if self._ready else self._splits[:-1]

    def row_limits(self):
        """Return where each row ends."""
        return self._from(self._numbers[1:]) if self._ready else self._splits[1:]

    def value_rowids(self, nvals=None):
        """Return the row of each value."""
        if self._ready:
            return self._from(self._host_rowids())
        # A value's row is the number of rows that end at or before it.
        count = cast(0 if nvals is None else nvals, self.dtype)
        one = ready(np.ones((), self.dtype.np))
        ends = self._splits[1:]
        return cumsum(unsorted_segment_sum(ones_like(ends), ends, add(count, one)))[:-1]

    def _host_rowids(self):
        return np.repeat(np.arange(self._count), np.diff(self._numbers))

    def nrows(self):
        """Return the number of rows, a scalar Tensor."""
        if self.static_nrows is None:
            return subtract(size(self._splits, self.dtype), ready(np.ones((), self.dtype.np)))
        return convert_to_tensor(np.asarray(self.static_nrows, self.dtype.np))

    def nvals(self):
        """Return the number of values, a scalar Tensor."""
        return self._splits[-1]

    def uniform_row_length(self):
        """Return the length of each row as a scalar Tensor, None where rows may differ."""
        return None if self._uniform is None else self._from(self._uniform)

    def offsets_in_rows(self):
        """Return the place of each value in its row."""
        splits = self._numbers
        return self._from(np.arange(splits[-1]) - np.repeat(splits[:-1], np.diff(splits)))

    def with_dtype(self, dtype):
        """Return the same partition with numbers of another dtype."""
        wanted = as_dtype(dtype)
        if wanted not in (dtypes.int32, dtypes.int64):
            raise ValueError(f"RowPartition: `dtype` must be int32 or int64; got {wanted.name}.")
        return self if wanted is self.dtype else self._of(cast(self._splits, wanted), self._uniform)

    def has_precomputed_row_splits(self):
        """Return True: splits are what is kept."""
        return True

    def is_compatible_with(self, other):
        """Return whether two partitions may be the same: both have as many rows."""
        return self.static_nrows == other.static_nrows

    def __repr__(self):
        if self._uniform is not None:
            return f"tf.RowPartition(nrows={self.static_nrows}, uniform_row_length={self._uniform})"
        shown = self._numbers if self._ready else self._splits
        return f"tf.RowPartition(row_splits={shown})"
