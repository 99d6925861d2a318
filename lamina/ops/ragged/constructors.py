"""The constructors of RaggedTensor."""

from typing import Any

import numpy as np

from lamina.engine import Tensor, as_dtype, convert_to_tensor, dtypes, errors
from lamina.ops.indexing import gather
from lamina.ops.ragged.nesting import is_ragged, nrows_of, values_of
from lamina.ops.ragged.partition import RowPartition, integers, on_host
from lamina.ops.shaping import reshape

__all__ = ["Constructors"]


def _is_int(value: Any) -> bool:
    return isinstance(value, int | np.integer)


class Constructors:
    """The `from_*` methods, which make a ragged Tensor of values and how they are cut."""

    @classmethod
    def _of(cls, values: Any, partition: RowPartition) -> Any:
        """Return the ragged Tensor of these values, cut like this."""
        raise TypeError(f"{cls.__name__}: tf.RaggedTensor has these constructors.")

    @classmethod
    def from_row_splits(cls, values, row_splits, name=None, validate=True):
        """Return rows of `values`, row i being `values[row_splits[i]:row_splits[i + 1]]`.

        Args:
            values: A Tensor `(V, …)` or RaggedTensor.
            row_splits: N + 1 ascending integers from 0 to V, int32 or int64.
            name: Accepted, unused.
            validate: Whether to check them.

        Raises:
            ValueError: the splits are not a vector of integers, or empty.
            InvalidArgumentError: they do not ascend from 0 to V.

        Example:
            >>> tf.RaggedTensor.from_row_splits([3, 1, 4, 1], [0, 3, 3, 4])
            <tf.RaggedTensor [[3, 1, 4], [], [1]]>
        """
        values = values_of(values, "RaggedTensor.from_row_splits")
        return cls._of(values, RowPartition.from_row_splits(row_splits, validate))

    @classmethod
    def from_row_lengths(cls, values, row_lengths, name=None, validate=True):
        """Return rows of `values` with the given lengths.

        Args:
            values: A Tensor `(V, …)` or RaggedTensor.
            row_lengths: N integers whose sum is V.
            name: Accepted, unused.
            validate: Whether to check them.

        Raises:
            ValueError: the lengths are not a vector of integers.
            InvalidArgumentError: they are negative, or their sum is not V.

        Example:
            >>> tf.RaggedTensor.from_row_lengths([3, 1, 4], [2, 0, 1])
            <tf.RaggedTensor [[3, 1], [], [4]]>
        """
        values = values_of(values, "RaggedTensor.from_row_lengths")
        return cls._of(values, RowPartition.from_row_lengths(row_lengths, validate))

    @classmethod
    def from_value_rowids(cls, values, value_rowids, nrows=None, name=None, validate=True):
        """Return rows of `values`, value i in row `value_rowids[i]`.

        Args:
            values: A Tensor `(V, …)` or RaggedTensor.
            value_rowids: V ascending integers.
            nrows: N; None is the last id plus one.
            name: Accepted, unused.
            validate: Whether to check the ids.

        Raises:
            ValueError: the ids are not a vector of integers, or `nrows` is negative.
            InvalidArgumentError: the ids do not ascend, or reach `nrows`.

        Example:
            >>> tf.RaggedTensor.from_value_rowids([3, 1, 4], [0, 0, 2], nrows=4)
            <tf.RaggedTensor [[3, 1], [], [4], []]>
        """
        values = values_of(values, "RaggedTensor.from_value_rowids")
        return cls._of(values, RowPartition.from_value_rowids(value_rowids, nrows, validate))

    @classmethod
    def from_row_starts(cls, values, row_starts, name=None, validate=True):
        """Return rows of `values` that start at the given places.

        Args:
            values: A Tensor `(V, …)` or RaggedTensor.
            row_starts: N ascending integers from 0.
            name: Accepted, unused.
            validate: Whether to check them.

        Raises:
            ValueError: the starts are not a vector of integers.
            InvalidArgumentError: they do not ascend from 0 to at most V.

        Example:
            >>> tf.RaggedTensor.from_row_starts([3, 1, 4], [0, 2, 2])
            <tf.RaggedTensor [[3, 1], [], [4]]>
        """
        values = values_of(values, "RaggedTensor.from_row_starts")
        nvals = nrows_of(values)
        return cls._of(values, RowPartition.from_row_starts(row_starts, nvals, validate))

    @classmethod
    def from_row_limits(cls, values, row_limits, name=None, validate=True):
        """Return rows of `values` that end before the given places.

        Args:
            values: A Tensor `(V, …)` or RaggedTensor.
            row_limits: N ascending integers, the last V.
            name: Accepted, unused.
            validate: Whether to check them.

        Raises:
            ValueError: the limits are not a vector of integers.
            InvalidArgumentError: they do not ascend to V.

        Example:
            >>> tf.RaggedTensor.from_row_limits([3, 1, 4], [2, 2, 3])
            <tf.RaggedTensor [[3, 1], [], [4]]>
        """
        values = values_of(values, "RaggedTensor.from_row_limits")
        return cls._of(values, RowPartition.from_row_limits(row_limits, validate))

    @classmethod
    def from_uniform_row_length(
        cls, values, uniform_row_length, nrows=None, validate=True, name=None
    ):
        """Return rows of `values` that all have one length; the axis is not ragged.

        Args:
            values: A Tensor `(V, …)` or RaggedTensor.
            uniform_row_length: The length of each row.
            nrows: The number of rows, needed if the length is 0.
            validate: Whether to check that the numbers fit.
            name: Accepted, unused.

        Raises:
            ValueError: the length is negative.
            InvalidArgumentError: the rows do not use up the values.

        Example:
            >>> rt = tf.ragged.constant([[1], [2, 3], [4], []])
            >>> tf.RaggedTensor.from_uniform_row_length(rt, 2).shape
            TensorShape([2, 2, None])
        """
        values = values_of(values, "RaggedTensor.from_uniform_row_length")
        wanted = values._partition.dtype if is_ragged(values) else dtypes.int64
        nvals = nrows_of(values)
        return cls._of(
            values,
            RowPartition.from_uniform_row_length(
                uniform_row_length, nvals, nrows, validate, dtype=wanted
            ),
        )

    @classmethod
    def _nested(cls, make, flat_values, nested, name):
        if isinstance(nested, Tensor):
            raise TypeError(
                f"RaggedTensor.{make}: the nested argument must be a list of Tensors; got a "
                f"Tensor.\n  Fix: pass [{name}]."
            )
        result = flat_values
        for each in reversed(nested):
            result = getattr(cls, name)(result, *each)
        return result

    @classmethod
    def from_nested_row_splits(cls, flat_values, nested_row_splits, name=None, validate=True):
        """Return ragged rows of ragged rows, from the row splits of each axis, outermost first.

        Args:
            flat_values: The innermost values.
            nested_row_splits: A list of row splits.
            name: Accepted, unused.
            validate: Whether to check them.

        Raises:
            TypeError: `nested_row_splits` is a Tensor.

        Example:
            >>> tf.RaggedTensor.from_nested_row_splits([3, 1, 4], [[0, 1, 2], [0, 2, 3]])
            <tf.RaggedTensor [[[3, 1]], [[4]]]>
        """
        given = nested_row_splits
        if not isinstance(given, Tensor):
            given = [(splits, None, validate) for splits in given]
        return cls._nested("from_nested_row_splits", flat_values, given, "from_row_splits")

    @classmethod
    def from_nested_row_lengths(cls, flat_values, nested_row_lengths, name=None, validate=True):
        """Return ragged rows of ragged rows, from the row lengths of each axis, outermost first.

        Args:
            flat_values: The innermost values.
            nested_row_lengths: A list of row lengths.
            name: Accepted, unused.
            validate: Whether to check them.

        Raises:
            TypeError: `nested_row_lengths` is a Tensor.

        Example:
            >>> tf.RaggedTensor.from_nested_row_lengths([3, 1, 4], [[1, 1], [2, 1]])
            <tf.RaggedTensor [[[3, 1]], [[4]]]>
        """
        given = nested_row_lengths
        if not isinstance(given, Tensor):
            given = [(lengths, None, validate) for lengths in given]
        return cls._nested("from_nested_row_lengths", flat_values, given, "from_row_lengths")

    @classmethod
    def from_nested_value_rowids(
        cls, flat_values, nested_value_rowids, nested_nrows=None, name=None, validate=True
    ):
        """Return ragged rows of ragged rows, from the row ids of each axis, outermost first.

        Args:
            flat_values: The innermost values.
            nested_value_rowids: A list of row ids.
            nested_nrows: A list of row counts, or None.
            name: Accepted, unused.
            validate: Whether to check them.

        Raises:
            TypeError: `nested_value_rowids` is a Tensor.
            ValueError: the lists differ in length.

        Example:
            >>> tf.RaggedTensor.from_nested_value_rowids([3, 1, 4], [[0, 1], [0, 0, 1]])
            <tf.RaggedTensor [[[3, 1]], [[4]]]>
        """
        given = nested_value_rowids
        if not isinstance(given, Tensor):
            counts = [None] * len(given) if nested_nrows is None else nested_nrows
            if len(counts) != len(given):
                raise ValueError(
                    "RaggedTensor.from_nested_value_rowids: `nested_nrows` must be as long as "
                    f"`nested_value_rowids`, {len(given)}; got {len(counts)}."
                )
            given = [(ids, count, None, validate) for ids, count in zip(given, counts, strict=True)]
        return cls._nested("from_nested_value_rowids", flat_values, given, "from_value_rowids")

    @classmethod
    def from_tensor(
        cls,
        tensor,
        lengths=None,
        padding=None,
        ragged_rank=1,
        name=None,
        row_splits_dtype=dtypes.int64,
    ):
        """Return a Tensor as ragged, without what pads its rows.

        Args:
            tensor: A Tensor of more than `ragged_rank` axes.
            lengths: The length of each row, or a list of such for several ragged axes.
            padding: A value; what trails in a row and equals it is dropped. Not with `lengths`.
            ragged_rank: How many axes become ragged.
            name: Accepted, unused.
            row_splits_dtype: int32 or int64.

        Raises:
            ValueError: both `lengths` and `padding` are given, or `ragged_rank` does not fit.

        Example:
            >>> tf.RaggedTensor.from_tensor([[5, 7, 0], [6, 0, 0]], padding=0)
            <tf.RaggedTensor [[5, 7], [6]]>
        """
        if lengths is not None and padding is not None:
            raise ValueError(
                "RaggedTensor.from_tensor: `lengths` and `padding` exclude each other; got both."
            )
        tensor = convert_to_tensor(tensor)
        rank = len(tensor.shape)
        if isinstance(lengths, list | tuple) and lengths and not _is_int(lengths[0]):
            return _with_nested_lengths(cls, tensor, lengths, row_splits_dtype)
        if not isinstance(ragged_rank, int):
            raise TypeError(
                f"RaggedTensor.from_tensor: `ragged_rank` must be an integer; got {ragged_rank!r}."
            )
        if not 0 < ragged_rank < rank:
            raise ValueError(
                f"RaggedTensor.from_tensor: `ragged_rank` must lie in [1, {rank - 1}] for shape "
                f"{tensor.shape}; got {ragged_rank}."
            )
        sizes = [int(n) for n in tensor.shape[: ragged_rank + 1]]
        wanted = as_dtype(row_splits_dtype)
        inner = _inner_lengths(tensor, lengths, padding, ragged_rank)
        flat = reshape(tensor, [int(np.prod(sizes)), *tensor.shape[ragged_rank + 1 :]])
        if inner is None:
            made = cls._of(
                flat,
                RowPartition.from_uniform_row_length(
                    sizes[-1], flat.shape[0], int(np.prod(sizes[:-1])), dtype=wanted
                ),
            )
        else:
            kept = np.nonzero((np.arange(sizes[-1]) < inner[:, None]).reshape(-1))[0]
            partition = RowPartition.from_row_lengths(inner.astype(wanted.np))
            made = cls._of(gather(flat, kept), partition)
        for axis in range(ragged_rank - 1, 0, -1):
            count = int(np.prod(sizes[:axis]))
            partition = RowPartition.from_uniform_row_length(
                sizes[axis], count * sizes[axis], count, dtype=wanted
            )
            made = cls._of(made, partition)
        return made

    @classmethod
    def from_sparse(cls, st_input, name=None, row_splits_dtype=dtypes.int64):
        """Return a sparse matrix as ragged; the values of a row must stand at its left.

        Args:
            st_input: A `tf.SparseTensor` of two axes, in row-major order.
            name: Accepted, unused.
            row_splits_dtype: int32 or int64.

        Raises:
            ValueError: it does not have two axes.
            InvalidArgumentError: a row has a gap.

        Example:
            >>> st = tf.SparseTensor([[0, 0], [2, 0], [2, 1]], [5, 6, 7], [3, 2])
            >>> tf.RaggedTensor.from_sparse(st)
            <tf.RaggedTensor [[5], [], [6, 7]]>
        """
        if st_input.shape.rank != 2:
            raise ValueError(
                f"RaggedTensor.from_sparse: `st_input` must have two axes; got shape "
                f"{st_input.shape}."
            )
        places = on_host(st_input.indices)
        rows = int(on_host(st_input.dense_shape)[0])
        wanted = as_dtype(row_splits_dtype)
        ids = places[:, 0].astype(wanted.np)
        made = cls.from_value_rowids(st_input.values, ids, rows)
        if not np.array_equal(on_host(made._partition.offsets_in_rows()), places[:, 1]):
            raise errors.InvalidArgumentError(
                "RaggedTensor.from_sparse: the values of each row must stand at its left, in "
                "order; got a gap. SparseTensor is not right-ragged.\n"
                "  Fix: tf.RaggedTensor.from_value_rowids(st.values, st.indices[:, 0])."
            )
        return made


def _with_nested_lengths(cls, tensor, nested, row_splits_dtype):
    """Return `from_tensor` for one vector of lengths for each ragged axis."""
    wanted = as_dtype(row_splits_dtype)
    flat, parts = tensor, []
    for given in nested:
        lengths = on_host(integers(given, "RaggedTensor.from_tensor: `lengths`", wanted))
        if flat.shape.rank < 2:
            raise ValueError(
                f"RaggedTensor.from_tensor: `lengths` must have fewer vectors than `tensor` has "
                f"axes; got {len(nested)} for shape {tensor.shape}."
            )
        _check_lengths(lengths, flat.shape[:1])
        rows, size = int(flat.shape[0]), int(flat.shape[1])
        lengths = np.minimum(lengths, size)
        kept = np.nonzero((np.arange(size) < lengths[:, None]).reshape(-1))[0]
        flat = gather(reshape(flat, [rows * size, *flat.shape[2:]]), kept)
        parts.append(RowPartition.from_row_lengths(lengths))
    for part in reversed(parts):
        flat = cls._of(flat, part)
    return flat


def _check_lengths(lengths, rows):
    """Raise unless there is one length for each row."""
    count = int(np.prod([int(n) for n in rows]))
    if lengths.shape != (count,):
        raise ValueError(
            f"RaggedTensor.from_tensor: `lengths` must have one item for each of {count} rows; "
            f"got shape {lengths.shape}."
        )


def _inner_lengths(tensor, lengths, padding, ragged_rank):
    """Return the length of each innermost row as an array, None for full rows."""
    size = int(tensor.shape[ragged_rank])
    if lengths is not None:
        given = on_host(integers(lengths, "RaggedTensor.from_tensor: `lengths`"))
        _check_lengths(given.reshape(-1), tensor.shape[:ragged_rank])
        return np.clip(given.reshape(-1), 0, size)
    if padding is None:
        return None
    host = np.asarray(tensor._jax())
    pad = np.asarray(convert_to_tensor(padding, tensor.dtype)._jax())
    if pad.shape != host.shape[ragged_rank + 1 :]:
        raise ValueError(
            f"RaggedTensor.from_tensor: `padding` must have the shape of the innermost items, "
            f"{host.shape[ragged_rank + 1 :]}; got {pad.shape}."
        )
    differs = host != pad
    extra = tuple(range(ragged_rank + 1, host.ndim))
    if extra:
        differs = differs.any(axis=extra)
    differs = np.asarray(differs, bool).reshape(-1, size)
    return np.max(np.where(differs, np.arange(1, size + 1), 0), axis=1, initial=0)
