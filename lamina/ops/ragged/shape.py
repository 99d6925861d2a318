"""DynamicRaggedShape: the shape of a ragged Tensor with the lengths of its rows."""

from typing import Any

import numpy as np

from lamina.engine import TensorShape, as_dtype, convert_to_tensor, dtypes, errors, static_ints
from lamina.ops import shaping
from lamina.ops.ragged.broadcasting import aligned
from lamina.ops.ragged.partition import RowPartition
from lamina.ops.ragged.tensor import RaggedTensor, flat_of, is_ragged, parts_of

__all__ = ["DynamicRaggedShape", "broadcast_to", "reshape_to"]


class DynamicRaggedShape:
    """The shape of a ragged Tensor: how its rows are cut, and the shape of its flat values.

    `tf.shape` gives it for a RaggedTensor; `tf.broadcast_to`, `tf.ones` and `tf.reshape` take it.

    Args:
        row_partitions: The RowPartitions, outermost first.
        inner_shape: The shape of the flat values.
        dtype: int32 or int64; None is that of the partitions, or int64.
        validate: Accepted; the shapes are always checked.
        static_inner_shape: Accepted, unused.

    Example:
        >>> tf.shape(tf.ragged.constant([[1, 2], [3]]))
        <DynamicRaggedShape lengths=[2, (2, 1)] num_row_partitions=1>
    """

    def __init__(
        self, row_partitions, inner_shape, dtype=None, validate=False, static_inner_shape=None
    ):
        self._parts = tuple(row_partitions)
        self._inner = tuple(int(n) for n in static_ints(inner_shape, "inner_shape"))
        found = self._parts[0].dtype if self._parts else dtypes.int64
        self._dtype = found if dtype is None else as_dtype(dtype)
        if self._parts and (not self._inner or self._inner[0] != self._parts[-1].static_nvals):
            raise errors.InvalidArgumentError(
                "DynamicRaggedShape: `inner_shape` must start with the number of values, "
                f"{self._parts[-1].static_nvals}; got {self._inner}."
            )

    @classmethod
    def from_tensor(cls, t, dtype=None):
        """Return the shape of a ragged or dense Tensor."""
        if is_ragged(t):
            inner = [int(n) for n in flat_of(t).shape]
            return cls(parts_of(t), inner, dtype)
        return cls([], [int(n) for n in convert_to_tensor(t).shape], dtype)

    @classmethod
    def from_lengths(cls, lengths, num_row_partitions=None, dtype=dtypes.int64):
        """Return a shape from the size of each axis: an int, or the lengths of its rows.

        Args:
            lengths: Ints and sequences of ints; the first is an int.
            num_row_partitions: How many axes are cut into rows; None is up to the last sequence.
            dtype: int32 or int64.

        Example:
            >>> tf.experimental.DynamicRaggedShape.from_lengths([2, (2, 1), 5])
            <DynamicRaggedShape lengths=[2, (2, 1), 5] num_row_partitions=1>
        """
        kind = as_dtype(dtype)
        ragged = [i for i, n in enumerate(lengths) if not isinstance(n, int | np.integer)]
        depth = max(ragged, default=0)
        if num_row_partitions is not None:
            if num_row_partitions < depth:
                raise ValueError(
                    f"DynamicRaggedShape.from_lengths: `num_row_partitions` must be at least "
                    f"{depth}; got {num_row_partitions}."
                )
            depth = num_row_partitions
        rows: Any = int(lengths[0]) if lengths else 0
        parts = []
        for each in lengths[1 : depth + 1]:
            if isinstance(each, int | np.integer):
                part = RowPartition.from_uniform_row_length(
                    int(each), rows * int(each), rows, dtype=kind
                )
            else:
                part = RowPartition.from_row_lengths(np.asarray(each, kind.np))
                if part.static_nrows != rows:
                    raise ValueError(
                        f"DynamicRaggedShape.from_lengths: {rows} lengths were expected; got "
                        f"{tuple(each)}."
                    )
            parts.append(part)
            rows = part.static_nvals
        return cls(parts, [rows, *lengths[depth + 1 :]] if lengths else [], kind)

    @classmethod
    def from_row_partitions(cls, row_partitions, dtype=None):
        """Return the shape of a ragged Tensor of scalars that is cut in these ways."""
        if not row_partitions:
            raise ValueError("DynamicRaggedShape: `row_partitions` may not be empty; got [].")
        return cls(row_partitions, [row_partitions[-1].static_nvals], dtype)

    @property
    def dtype(self):
        """int32 or int64."""
        return self._dtype

    @property
    def rank(self):
        """The number of axes."""
        return len(self._parts) + len(self._inner)

    @property
    def row_partitions(self):
        """The RowPartitions, outermost first."""
        return self._parts

    @property
    def num_row_partitions(self):
        """How many axes are cut into rows."""
        return len(self._parts)

    @property
    def inner_shape(self):
        """The shape of the flat values, a Tensor."""
        return convert_to_tensor(np.asarray(self._inner, self._dtype.np))

    @property
    def inner_rank(self):
        """The number of axes of the flat values."""
        return len(self._inner)

    def static_lengths(self, ragged_lengths=True):
        """Return the size of each axis; of a ragged one a tuple, without `ragged_lengths` None."""
        if not self._parts:
            return list(self._inner)
        found = [self._parts[0]._count]
        for part in self._parts:
            if part.is_uniform():
                found.append(part.static_uniform_row_length)
            else:
                found.append(tuple(np.diff(part._numbers).tolist()) if ragged_lengths else None)
        return [*found, *self._inner[1:]]

    def is_uniform(self, axis):
        """Return whether all rows of an axis have one length."""
        return not isinstance(self.static_lengths()[axis], tuple)

    def _num_slices_in_dimension(self, axis):
        if axis == 0:
            return self.static_lengths()[0]
        if axis <= len(self._parts):
            return self._parts[axis - 1].static_nvals
        return int(np.prod(self._inner[: axis - len(self._parts) + 1]))

    def to_tensor_shape(self):
        """Return the shape as a `tf.TensorShape`, None for ragged axes."""
        return TensorShape(self.static_lengths(ragged_lengths=False))

    def with_dtype(self, dtype):
        """Return the same with numbers of int32 or int64."""
        kind = as_dtype(dtype)
        return DynamicRaggedShape([p.with_dtype(kind) for p in self._parts], self._inner, kind)

    def with_inner_rank(self, inner_rank):
        """Return the same with flat values of another rank; their axes are then uniform rows."""
        lengths = self.static_lengths()
        return self.from_lengths(lengths, len(lengths) - inner_rank, self._dtype)

    def __getitem__(self, index):
        lengths = self.static_lengths()
        if isinstance(index, slice):
            start, stop, step = index.indices(len(lengths))
            if step != 1 or start:
                if any(isinstance(n, tuple) for n in lengths[start:stop]):
                    raise ValueError(
                        f"DynamicRaggedShape: a slice of ragged axes must start at 0; got {index}."
                    )
                return DynamicRaggedShape([], lengths[index], self._dtype)
            return self.from_lengths(lengths[:stop], None, self._dtype)
        found = lengths[index]
        if isinstance(found, tuple):
            raise ValueError(
                f"Index {index} is not uniform; use static_lengths() for the row lengths."
            )
        return convert_to_tensor(np.asarray(found, self._dtype.np))

    def __eq__(self, other):
        return (
            isinstance(other, DynamicRaggedShape)
            and self.static_lengths() == other.static_lengths()
            and self.num_row_partitions == other.num_row_partitions
        )

    __hash__ = None  # type: ignore[assignment]  # as lists: compared by value, mutable inside

    def __repr__(self):
        lengths = self.static_lengths()
        shown = ", ".join(_brief(n) for n in lengths)
        return (
            f"<DynamicRaggedShape lengths=[{shown}] num_row_partitions={self.num_row_partitions}>"
        )


def _brief(length):
    if isinstance(length, tuple) and len(length) > 10:
        return f"({', '.join(map(str, length[:10]))}, ...)"
    return repr(length)


def broadcast_to(value, shape):
    """Repeat a ragged or dense Tensor to a shape; `tf.broadcast_to` for ragged ones."""
    if not isinstance(shape, DynamicRaggedShape):
        if not is_ragged(value):
            return shaping.broadcast_to(value, shape)
        shape = DynamicRaggedShape([], static_ints(shape, "shape"))
    if not shape.num_row_partitions and not is_ragged(value):
        return shaping.broadcast_to(value, shape._inner)
    value = value if is_ragged(value) else convert_to_tensor(value)
    like = _filled(shape, np.zeros((), np.int32))
    flats, wrap = aligned([value, like])
    return wrap(shaping.broadcast_to(flats[0], flats[1].shape))


def _filled(shape, value):
    flat = convert_to_tensor(np.full(shape._inner, value))
    for part in reversed(shape.row_partitions):
        flat = RaggedTensor._of(flat, part)
    return flat


def reshape_to(value, shape):
    """Give a value another shape; `tf.reshape` for ragged Tensors and shapes."""
    if isinstance(shape, DynamicRaggedShape):
        flat = shaping.reshape(flat_of(value), list(shape._inner))
        for part in reversed(shape.row_partitions):
            flat = RaggedTensor._of(flat, part)
        return flat
    sizes = list(static_ints(shape, "shape"))
    if sizes == [-1]:
        return shaping.reshape(flat_of(value), [-1])
    if all(p.is_uniform() for p in parts_of(value)):
        return shaping.reshape(value.to_tensor(), sizes)
    raise ValueError(
        f"tf.reshape: a ragged Tensor takes the shape [-1] or a DynamicRaggedShape; got {sizes} "
        f"for shape {value.shape}.\n  Fix: x.to_tensor(), or x.merge_dims(outer, inner)."
    )
