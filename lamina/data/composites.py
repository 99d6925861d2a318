"""Whole values among the leaves of elements: ragged and sparse Tensors, datasets, Optionals."""

from importlib import import_module
from typing import Any

import numpy as np

from lamina.engine import Tensor, TensorSpec, convert_to_tensor, errors
from lamina.engine.composite import Composite

__all__ = [
    "RaggedRow",
    "as_ragged_row",
    "is_ragged",
    "is_ragged_spec",
    "is_sparse",
    "is_sparse_spec",
    "is_stored",
    "ragged_of",
    "ragged_rows",
    "ragged_spec",
    "reshaped_spec",
    "row",
    "rows_in",
    "sparse_of",
    "sparse_spec",
    "stack",
    "take",
    "with_tensors",
]


def _is_a(value: Any, name: str) -> bool:
    return any(c.__name__ == name for c in type(value).__mro__)


def is_ragged(value: Any) -> bool:
    """Return whether a value is a RaggedTensor."""
    return _is_a(value, "RaggedTensor")


def is_sparse(value: Any) -> bool:
    """Return whether a value is a SparseTensor."""
    return _is_a(value, "SparseTensor")


def is_ragged_spec(spec: Any) -> bool:
    """Return whether a spec is a RaggedTensorSpec."""
    return _is_a(spec, "RaggedTensorSpec")


def is_sparse_spec(spec: Any) -> bool:
    """Return whether a spec is a SparseTensorSpec."""
    return _is_a(spec, "SparseTensorSpec")


def is_stored(spec: Any) -> bool:
    """Return whether values of a spec can be written to files."""
    return is_ragged_spec(spec) or is_sparse_spec(spec)


def _ragged() -> Any:
    return import_module("lamina.ragged")


def _sparse() -> Any:
    return import_module("lamina.sparse")


class RaggedRow(np.ndarray):
    """A row of a RaggedTensor whose own axes are whole: put together again, such rows are ragged.

    TF keeps that in the dataset's spec. Here the rows tell it, as only a run knows all specs.

    Attributes:
        splits: The dtype of the row splits.
    """

    splits: Any = "int64"


def _row_of_ragged(column: Any, item: int) -> Any:
    """Return a row of a RaggedTensor."""
    found = column[item]
    if is_ragged(found):
        return found
    return as_ragged_row(found, column._type_spec)


def as_ragged_row(value: Any, spec: Any) -> RaggedRow:
    """Return an array as a row of a RaggedTensor with the row splits of a RaggedTensorSpec."""
    array = np.asarray(value).view(RaggedRow)
    array.splits = spec.row_splits_dtype.name
    return array


def row(column: Any, item: int) -> Any:
    """Return a row of a column: an array, or a ragged or sparse Tensor.

    Raises:
        errors.InvalidArgumentError: the rows of a SparseTensor were scalars.
    """
    if column is None:
        return None
    if is_ragged(column):
        return _row_of_ragged(column, item)
    if is_sparse(column):
        if column.shape.rank == 1:
            raise errors.InvalidArgumentError(
                f"tf.data: a SparseTensor must have two axes or more to be cut into rows; got one "
                f"of shape {column.shape}.\n  Fix: tf.sparse.to_dense."
            )
        indices = np.asarray(column.indices)
        here = indices[:, 0] == item
        return sparse_of(indices[here, 1:], np.asarray(column.values)[here], column.shape[1:])
    if isinstance(column, Composite):
        return column._rebuilt([row(part, item) for part in column._components()])
    rows: Any = column
    return rows[item]


def with_tensors(value: Any) -> Any:
    """Return a composite value with Tensors for the rows of ragged ones among its parts."""
    if not isinstance(value, Composite) or is_ragged(value) or is_sparse(value):
        return value
    before = value._components()
    after = [convert_to_tensor(p) if type(p) is RaggedRow else with_tensors(p) for p in before]
    same = all(a is b for a, b in zip(after, before, strict=True))
    return value if same else value._rebuilt(after)


def rows_in(column: Any) -> int | None:
    """Return how many rows there are in a column; None if it has none, as a scalar."""
    if is_ragged(column):
        return int(column.nrows())
    if isinstance(column, Composite) and not is_sparse(column):
        counts = {rows_in(part) for part in column._components()}
        return counts.pop() if len(counts) == 1 else None
    shape = getattr(column, "shape", None)
    return int(shape[0]) if shape else None


def take(column: Any, which: np.ndarray) -> Any:
    """Return some rows of a column, one below the other."""
    if column is None or isinstance(column, np.ndarray):
        return None if column is None else column.take(which, 0)
    return stack(None, [row(column, int(i)) for i in which])


def sparse_of(indices: Any, values: Any, shape: Any) -> Any:
    """Return a SparseTensor of NumPy arrays."""
    shape = np.asarray([int(n) for n in shape], np.int64)
    indices = np.asarray(indices, np.int64).reshape(-1, len(shape))
    return _sparse().SparseTensor(indices, convert_to_tensor(values), shape)


def ragged_of(rows: list[Any], splits_dtype: Any = "int64") -> Any:
    """Return a RaggedTensor whose rows are Tensors or RaggedTensors."""
    make = _ragged().RaggedTensor
    lengths = [int(r.nrows()) if is_ragged(r) else int(np.shape(r)[0]) for r in rows]
    splits = np.concatenate([[0], np.cumsum(lengths)]).astype(np.dtype(splits_dtype))
    if any(map(is_ragged, rows)):
        parts = [r if is_ragged(r) else make.from_tensor(convert_to_tensor(r)) for r in rows]
        values = parts[0].values
        if is_ragged(values):
            inside = [part for p in parts for part in _split(p)]
            inner: Any = ragged_of(inside, splits_dtype) if inside else values
        else:
            flat = np.concatenate([np.asarray(p.values) for p in parts])
            sizes = np.concatenate([np.diff(np.asarray(p.row_splits)) for p in parts])
            ends = np.concatenate([[0], np.cumsum(sizes)])
            inner = make.from_row_splits(flat, ends.astype(np.dtype(splits_dtype)))
    else:
        inner = convert_to_tensor(np.concatenate([np.asarray(r) for r in rows]))
    return make.from_row_splits(inner, splits)


def ragged_rows(rows: list[Any], shape: Any) -> list[Any]:
    """Return arrays as rows of a RaggedTensor whose axes up to the last unknown one are ragged.

    Args:
        rows: The arrays.
        shape: What is known of their shapes, a TensorShape.
    """
    if shape.rank is None:
        rank = np.ndim(rows[0]) - 1
    else:
        rank = max(axis for axis, size in enumerate(shape) if size is None)
    if rank < 1:
        return rows
    make = _ragged().RaggedTensor.from_tensor
    return [make(convert_to_tensor(r), ragged_rank=rank) for r in rows]


def _split(ragged: Any) -> list[Any]:
    return [ragged[i] for i in range(int(ragged.nrows()))]


def ragged_spec(shape: Any, dtype: Any, splits_dtype: Any = "int64") -> Any:
    """Return the spec of RaggedTensors whose axes of unknown size, the first apart, are ragged."""
    inner = [i for i, n in enumerate(shape) if n is None and i > 0]
    rank = max(inner) if inner else 1
    return _ragged().RaggedTensorSpec(shape, dtype, rank, splits_dtype)


def sparse_spec(shape: Any, dtype: Any) -> Any:
    """Return the spec of SparseTensors."""
    return _sparse().SparseTensorSpec(shape, dtype)


def stack(spec: Any, leaves: list[Any]) -> Any:
    """Return whole values, or rows of a ragged column, as one.

    Args:
        spec: What each is, a spec; None tells it from the first.
        leaves: The values, at least one.

    Raises:
        errors.InvalidArgumentError: they cannot be put together.
    """
    first = leaves[0]
    if is_sparse(first):
        return _stacked_sparse(leaves)
    if is_ragged_spec(spec) or is_ragged(first) or isinstance(first, Tensor | np.ndarray):
        return ragged_of(leaves, _splits_of(spec, first))
    if isinstance(first, Composite):
        columns = zip(*[leaf._components() for leaf in leaves], strict=True)
        return first._rebuilt([_stacked_parts(list(parts)) for parts in columns])
    raise errors.InvalidArgumentError(
        f"tf.data.Dataset.batch: only Tensors, also ragged and sparse ones, can be batched; got "
        f"{type(first).__name__}.\n  Fix: turn it into a Tensor before, by map or flat_map."
    )


def _stacked_parts(parts: list[Any]) -> Any:
    """Return parts of composite values as one."""
    if isinstance(parts[0], Composite | RaggedRow):
        return stack(None, parts)
    return convert_to_tensor(np.stack([np.asarray(p) for p in parts]))


def _splits_of(spec: Any, first: Any) -> Any:
    if is_ragged_spec(spec):
        return spec.row_splits_dtype.name
    return first.row_splits.dtype.name if is_ragged(first) else getattr(first, "splits", "int64")


def _stacked_sparse(leaves: list[Any]) -> Any:
    indices = [np.asarray(s.indices) for s in leaves]
    numbered = [
        np.concatenate([np.full((len(part), 1), i, np.int64), part], axis=1)
        for i, part in enumerate(indices)
    ]
    shape = np.max([np.asarray(s.dense_shape) for s in leaves], axis=0)
    values = np.concatenate([np.asarray(s.values) for s in leaves])
    return sparse_of(np.concatenate(numbered), values, [len(leaves), *shape.tolist()])


def reshaped_spec(spec: Any, change: Any) -> Any:
    """Return the spec of a whole value with another shape, as `elements.map_spec` changes it."""
    if is_sparse_spec(spec):
        shape = spec.shape
        dims = change(None if shape.rank is None else shape.as_list())
        return type(spec)(dims, spec.dtype)
    if is_ragged_spec(spec):
        before = spec.shape.as_list()
        dims = change(before)
        rank = spec.ragged_rank + (len(dims) - len(before))
        if rank < 0:
            return TensorSpec(dims, spec.dtype)
        return type(spec)(dims, spec.dtype, rank, spec.row_splits_dtype)
    if isinstance(spec, Composite):

        def one(part: Any) -> Any:
            if type(part) is not TensorSpec:
                return reshaped_spec(part, change)
            shape = part.shape
            return TensorSpec(change(None if shape.rank is None else shape.as_list()), part.dtype)

        return spec._rebuilt([one(part) for part in spec._components()])
    return spec
