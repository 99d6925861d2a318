"""RaggedTensor: rows of different lengths, as one Tensor of values and how it is cut into rows."""

import itertools

import numpy as np

from lamina.engine import (
    Tensor,
    TensorShape,
    TensorSpec,
    as_dtype,
    convert_to_tensor,
    dtypes,
    errors,
    ready,
    symbolic_dim,
    type_of,
)
from lamina.engine.hosted import is_saving
from lamina.engine.typespec import TypeSpec
from lamina.ops.array import shape
from lamina.ops.casting import cast
from lamina.ops.composite import ArrayOfParts, ArraySpec
from lamina.ops.ragged.constructors import Constructors
from lamina.ops.ragged.merging import inner_values, joined_splits
from lamina.ops.ragged.nesting import flat_of, is_ragged, nrows_of, parts_of, values_of
from lamina.ops.ragged.padding import filling, padded, places_of, sizes_asked
from lamina.ops.ragged.partition import RowPartition
from lamina.ops.ragged.printing import as_list, as_text
from lamina.ops.ragged.saved import saved_rows
from lamina.ops.shaping import broadcast_to, reshape
from lamina.ops.sparse.tensor import SparseTensor

__all__ = [
    "RaggedTensor",
    "RaggedTensorSpec",
    "flat_of",
    "is_ragged",
    "parts_of",
    "values_of",
]


# What the functions of `tf` do with ragged operands: engine op label -> function; ragged/rules.py
# fills it.
RULES = {}


class RaggedTensor(Constructors, ArrayOfParts):
    """A Tensor whose axes may have rows of different lengths.

    It is kept as the values of all rows, one after the other, and a `RowPartition` that says
    which belong to which row. Values may be ragged themselves. Made by `tf.ragged.constant` and
    by the `from_*` methods.

    The functions of `tf` that work on it are those that treat each element alone (arithmetic,
    comparisons, `tf.math`, `tf.strings`), reductions, and what joins, picks, tiles or counts;
    others raise a TypeError that says so. What has a shape that depends on row lengths
    (`to_tensor`) runs when it is called, and not inside a compiled `tf.function`.

    Attributes:
        values: The values of all rows: a Tensor `(V, …)` or a RaggedTensor.
        row_splits: Where rows start and end: N + 1 integers.
        shape: A `tf.TensorShape` with None for the ragged axes.

    Example:
        >>> rt = tf.ragged.constant([[1, 2], [], [3]])
        >>> rt
        <tf.RaggedTensor [[1, 2], [], [3]]>
        >>> rt * 10
        <tf.RaggedTensor [[10, 20], [], [30]]>
        >>> tf.reduce_sum(rt, axis=1).numpy()
        array([3, 0, 3], dtype=int32)
    """

    _rules = RULES
    _to_dense = "value.to_tensor() pads the rows, value.flat_values are the elements"
    _is_tensor = True

    def __init__(self, values, row_partition, internal=False):
        if not internal:
            raise ValueError(
                "tf.RaggedTensor: the constructor is private, as in TensorFlow.\n"
                "  Fix: use tf.ragged.constant, or RaggedTensor.from_row_splits and the like."
            )
        count = nrows_of(values)
        if row_partition._ready and count is not None and count != row_partition.static_nvals:
            raise errors.InvalidArgumentError(
                f"tf.RaggedTensor: `values` must have as many rows as the partition says, "
                f"{row_partition.static_nvals}; got {count}."
            )
        if is_ragged(values) and values._partition.dtype is not row_partition.dtype:
            row_partition = row_partition.with_dtype(dtypes.int64)
            values = values.with_row_splits_dtype(dtypes.int64)
        self._values = values
        self._partition = row_partition

    @classmethod
    def _of(cls, values, partition):
        return cls(values, partition, internal=True)

    # -- what it holds

    @property
    def flat_values(self):
        """The innermost values, a Tensor."""
        return flat_of(self)

    @property
    def shape(self):
        """The shape; ragged axes are None."""
        inner = list(self._values.shape)[1:]
        return TensorShape([self._partition.static_nrows, self._partition._uniform, *inner])

    @property
    def ragged_rank(self):
        """How many axes are cut into rows: the number of row partitions."""
        return len(parts_of(self))

    @property
    def row_splits(self):
        """Where rows start and end: N + 1 integers."""
        return self._partition.row_splits()

    @property
    def nested_row_splits(self):
        """The row splits of each axis, outermost first, a tuple."""
        return tuple(p.row_splits() for p in parts_of(self))

    @property
    def uniform_row_length(self):
        """The length of each row as a Tensor, or None where rows may differ."""
        return self._partition.uniform_row_length()

    def nested_row_lengths(self, name=None):
        """Return the row lengths of each axis, outermost first, a tuple."""
        return tuple(p.row_lengths() for p in parts_of(self))

    def nested_value_rowids(self, name=None):
        """Return the row ids of each axis, outermost first, a tuple."""
        found, value = [], self
        while is_ragged(value):
            found.append(value.value_rowids())
            value = value.values
        return tuple(found)

    def value_rowids(self, name=None):
        """Return the row that each of `values` belongs to."""
        count = nrows_of(self._values)
        if count is None:
            count = self.values.nrows() if is_ragged(self.values) else shape(self.values)[0]
        return self._partition.value_rowids(count)

    def nrows(self, out_type=None, name=None):
        """Return the number of rows, a scalar Tensor of `out_type` or the splits' dtype."""
        wanted = self._partition.dtype if out_type is None else as_dtype(out_type)
        return cast(self._partition.nrows(), wanted)

    def row_starts(self, name=None):
        """Return where each row starts in `values`."""
        return self._partition.row_starts()

    def row_limits(self, name=None):
        """Return where each row ends in `values`."""
        return self._partition.row_limits()

    def row_lengths(self, axis=1, name=None):
        """Return the lengths of the rows of an axis.

        Args:
            axis: The axis whose lengths are asked for; 0 gives the number of rows.
            name: Accepted, unused.

        Returns:
            A Tensor of the shape of the axes before it, ragged if these are.

        Example:
            >>> tf.ragged.constant([[3, 1], [], [4]]).row_lengths().numpy()
            array([2, 0, 1])
        """
        rank = len(self.shape)
        axis = axis + rank if axis < 0 else axis
        if not 0 <= axis < rank:
            raise ValueError(
                f"RaggedTensor.row_lengths: `axis` must lie in [0, {rank}); got {axis}."
            )
        if axis == 0:
            return self.nrows()
        if axis == 1:
            return self._partition.row_lengths()
        if is_ragged(self._values):
            return self.with_values(self._values.row_lengths(axis - 1))
        size = np.asarray(self._values.shape[axis - 1], self._partition.dtype.np)
        sizes = broadcast_to(convert_to_tensor(size), self._values.shape[: axis - 1])
        return self.with_values(sizes)

    def bounding_shape(self, axis=None, name=None, out_type=None):
        """Return the smallest shape that a dense Tensor of all rows can have.

        Args:
            axis: An axis, several, or None for all.
            name: Accepted, unused.
            out_type: int32 or int64; None is the dtype of the splits.

        Example:
            >>> tf.ragged.constant([[1, 2, 3], [4]]).bounding_shape().numpy()
            array([2, 3])
        """
        wanted = self._partition.dtype if out_type is None else as_dtype(out_type)
        sizes, rank = np.asarray(self._bounds(), wanted.np), len(self.shape)
        if axis is not None:
            places = np.asarray(axis)
            if ((places < -rank) | (places >= rank)).any():
                raise errors.InvalidArgumentError(
                    f"RaggedTensor.bounding_shape: `axis` must lie in [{-rank}, {rank}); got "
                    f"{axis}."
                )
            sizes = sizes[places]
        return ready(np.asarray(sizes, wanted.np))

    def _bounds(self):
        widest = int(np.diff(self._partition._numbers).max(initial=0))
        if self._partition._uniform is not None:
            widest = self._partition._uniform
        inner = self._values
        rest = inner._bounds()[1:] if is_ragged(inner) else [int(n) for n in inner.shape[1:]]
        return [self._partition._count, widest, *rest]

    # -- changing

    def with_values(self, new_values):
        """Return the same rows of other values, of which there must be as many.

        Raises:
            ValueError: the new values are a scalar.
            InvalidArgumentError: their number differs.
        """
        return RaggedTensor._of(values_of(new_values, "RaggedTensor.with_values"), self._partition)

    def with_flat_values(self, new_values):
        """Return the same rows with other innermost values, of which there must be as many."""
        if is_ragged(self._values):
            return self.with_values(self._values.with_flat_values(new_values))
        return self.with_values(new_values)

    def with_row_splits_dtype(self, dtype):
        """Return the same with row splits of int32 or int64."""
        inner = (
            self._values.with_row_splits_dtype(dtype) if is_ragged(self._values) else self._values
        )
        return RaggedTensor._of(inner, self._partition.with_dtype(dtype))

    def merge_dims(self, outer_axis, inner_axis):
        """Return the same with the axes from `outer_axis` to `inner_axis` made one.

        Args:
            outer_axis: The first axis.
            inner_axis: The last axis.

        Returns:
            A RaggedTensor, or a Tensor where no ragged axis is left.

        Raises:
            ValueError: the axes are out of range, or in the wrong order.

        Example:
            >>> tf.ragged.constant([[[1, 2], [3]], [[4]]]).merge_dims(1, 2)
            <tf.RaggedTensor [[1, 2, 3], [4]]>
        """
        rank = len(self.shape)
        outer, inner = (a + rank if a < 0 else a for a in (outer_axis, inner_axis))
        if not 0 <= outer <= inner < rank:
            raise ValueError(
                f"RaggedTensor.merge_dims: `outer_axis` must not be behind `inner_axis`, both in "
                f"[0, {rank}); got {outer_axis} and {inner_axis}."
            )
        return self._merge(outer, inner)

    def _merge(self, outer, inner):
        if outer == inner:
            return self
        if outer > 1:
            deeper = self._values
            if is_ragged(deeper):
                return self.with_values(deeper._merge(outer - 1, inner - 1))
            sizes = [int(n) for n in deeper.shape]
            count = int(np.prod(sizes[outer - 1 : inner]))
            return self.with_values(reshape(deeper, [*sizes[: outer - 1], count, *sizes[inner:]]))
        splits, values = self._partition._numbers, self._values
        for _ in range(inner - 1):
            splits, values = joined_splits(splits, values), inner_values(values)
        if outer == 0:
            return values
        return RaggedTensor._of(values, RowPartition._of_host(splits))

    # -- out

    def to_tensor(self, default_value=None, name=None, shape=None):
        """Return the rows as one Tensor, shorter ones padded at the end.

        Args:
            default_value: What to pad with; None is 0, "" for strings.
            name: Accepted, unused.
            shape: The shape wanted, None for axes to keep; longer rows are cut.

        Returns:
            A Tensor of the bounding shape, or of `shape`.

        Raises:
            TracedValueError: inside a trace, unless row splits are constants.

        Example:
            >>> tf.ragged.constant([[1, 2], [3]]).to_tensor().numpy()
            array([[1, 2],
                   [3, 0]], dtype=int32)
        """
        if is_saving() and not self._partition._ready and not is_ragged(self._values):
            return saved_rows(self, filling(default_value, self.dtype), shape)
        bounds = self._bounds()
        asked = sizes_asked(shape, len(bounds), self.shape)
        wanted = [b if a is None else a for a, b in zip(asked, bounds, strict=True)]
        return padded(self, wanted, default_value)

    def to_sparse(self, name=None):
        """Return the elements and where they stand, a `tf.SparseTensor`.

        Example:
            >>> tf.ragged.constant([[1, 2], [3]]).to_sparse().indices.numpy()
            array([[0, 0],
                   [0, 1],
                   [1, 0]])
        """
        flat = self.flat_values
        places = places_of(self)
        inner = [int(n) for n in flat.shape[1:]]
        count = int(np.prod(inner)) if inner else 1
        if inner:
            grid = np.indices(inner).reshape(len(inner), count).T
            places = np.concatenate(
                [np.repeat(places, count, 0), np.tile(grid, (len(places), 1))], axis=1
            )
            flat = reshape(flat, [-1])
        return SparseTensor(places.astype(np.int64), flat, np.asarray(self._bounds(), np.int64))

    def to_list(self):
        """Return nested Python lists of the elements; strings are `bytes`."""
        return as_list(self)

    def numpy(self):
        """Return a NumPy array; of objects, NumPy arrays themselves, if rows differ in length."""
        inner = self._values.numpy()
        splits = self._partition._numbers
        rows = [inner[a:b] for a, b in itertools.pairwise(splits)]
        if len({r.shape for r in rows}) <= 1 and rows:
            return np.stack(rows)
        array = np.empty(len(rows), object)
        for i, row in enumerate(rows):
            array[i] = row
        return array

    # -- as the engine sees it

    def _components(self):
        return [self.flat_values, *self.nested_row_splits]

    def _rebuilt(self, components):
        flat, *splits = components
        if flat is None:  # the gradient of nothing
            return None
        if isinstance(flat, TypeSpec):
            return self._type_spec
        made = flat
        for part, given in zip(reversed(parts_of(self)), reversed(splits), strict=True):
            if given is not None and given is not part._splits:
                part = RowPartition._of(_as_tensor(given), part._uniform)
            inner, made = made, object.__new__(RaggedTensor)
            made._values, made._partition = _as_tensor(inner), part
        return made

    def _kind(self):
        return tuple(p._uniform for p in parts_of(self))

    def __iter__(self):
        for i in range(self._partition._count):
            yield self[i]  # type: ignore[index]  # rules.py installs __getitem__

    def __hash__(self):
        raise TypeError("RaggedTensor is unhashable; got one as a key or in a set.")

    def __bool__(self):
        raise TypeError(
            "RaggedTensor may not be used as a boolean.\n  Fix: use tf.reduce_any or len()."
        )

    def __repr__(self):
        if any(not p._ready for p in parts_of(self)):
            return f"tf.RaggedTensor(values={self._values}, row_splits={self.row_splits})"
        return f"<tf.RaggedTensor {as_text(self)}>"


class RaggedTensorSpec(ArraySpec):
    """The shape and dtype that a RaggedTensor must have.

    Args:
        shape: The shape, None for ragged axes and those of any size; None allows any rank.
        dtype: The element type.
        ragged_rank: The number of row partitions; None is the rank less one.
        row_splits_dtype: int32 or int64.
        flat_values_spec: The spec of the flat values, in place of `dtype`.

    Raises:
        ValueError: `ragged_rank` does not fit the shape.

    Example:
        >>> tf.RaggedTensorSpec([None, None], tf.int32)
        RaggedTensorSpec(TensorShape([None, None]), tf.int32, 1, tf.int64)
    """

    def __init__(
        self,
        shape=None,
        dtype=dtypes.float32,
        ragged_rank=None,
        row_splits_dtype=dtypes.int64,
        flat_values_spec=None,
    ):
        self._shape = TensorShape(shape)
        self._dtype = as_dtype(dtype if flat_values_spec is None else flat_values_spec.dtype)
        self._row_splits_dtype = as_dtype(row_splits_dtype)
        self._flat_values_spec = flat_values_spec
        rank = self._shape.rank
        if ragged_rank is None:
            if rank is None:
                raise ValueError(
                    "tf.RaggedTensorSpec: `shape` must be given if `ragged_rank` is not; got None."
                )
            ragged_rank = rank - 1
        if rank is not None and ragged_rank >= max(rank, 1):
            raise ValueError(
                f"tf.RaggedTensorSpec: `ragged_rank` must be less than the rank, {rank}; got "
                f"{ragged_rank}."
            )
        self._ragged_rank = int(ragged_rank)

    @property
    def value_type(self):
        """The class of the values: RaggedTensor, or Tensor if `ragged_rank` is 0."""
        return RaggedTensor if self._ragged_rank else Tensor

    @property
    def ragged_rank(self):
        """The number of row partitions."""
        return self._ragged_rank

    @property
    def row_splits_dtype(self):
        """The dtype of the row splits."""
        return self._row_splits_dtype

    @property
    def flat_values_spec(self):
        """The spec of the flat values, or None."""
        return self._flat_values_spec

    @classmethod
    def from_value(cls, value):
        """Return the spec of a RaggedTensor."""
        return cls(value.shape, value.dtype, value.ragged_rank, value._partition.dtype)

    def _serialize(self):
        return self._shape, self._dtype, self._ragged_rank, self._row_splits_dtype

    @property
    def _component_specs(self):
        inner = None if self._shape.rank is None else self._shape[self._ragged_rank + 1 :]
        flat = None if inner is None else TensorShape([None, *inner])
        splits = TensorSpec([None], self._row_splits_dtype)
        first = None if self._shape.rank is None else self._shape[0]
        outer = TensorSpec([None if first is None else first + 1], self._row_splits_dtype)
        return [TensorSpec(flat, self._dtype), outer, *[splits] * (self._ragged_rank - 1)]

    def _component_types(self, fresh):
        """Return types with a split more than rows, and as many values as nothing else."""
        if self._shape.rank is None:
            return None
        kind, (flat, *splits) = self._row_splits_dtype, (s.type() for s in self._component_specs)
        rows = [symbolic_dim(0), *[fresh() for _ in splits]]
        found = [type_of((n + 1,), kind) for n in rows[:-1]]
        outer = splits[:1] if self._shape[0] is not None else found[:1]
        return [type_of((rows[-1], *flat.dims[1:]), self._dtype), *outer, *found[1:]]

    def _from_components(self, components):
        flat, *splits = components
        return RaggedTensor.from_nested_row_splits(flat, splits, validate=False)

    def is_compatible_with(self, spec_or_value):
        """Return whether a value or spec has this dtype, ragged rank and a compatible shape."""
        if isinstance(spec_or_value, Tensor | TensorSpec):
            return (
                self._ragged_rank == 0
                and spec_or_value.dtype is self._dtype
                and self._shape.is_compatible_with(spec_or_value.shape)
            )
        return super().is_compatible_with(spec_or_value)


RaggedTensor._spec = RaggedTensorSpec


# -- helpers -------------------------------------------------------------------------------------


def _as_tensor(value):
    return convert_to_tensor(value) if isinstance(value, np.ndarray | np.generic) else value
