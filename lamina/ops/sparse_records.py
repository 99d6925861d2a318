"""tf.io: sparse Tensors as strings, and the distance between sequences that are such Tensors."""

from typing import Any

import numpy as np

from lamina.engine import convert_to_tensor, dtypes, errors, from_host
from lamina.ops.parsing.records import sparse
from lamina.ops.strings.operands import objects
from lamina.protos import tensor

__all__ = ["deserialize_many_sparse", "edit_distance", "serialize_many_sparse", "serialize_sparse"]


def _parts(value: Any, who: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, Any]:
    """Return a SparseTensor's indices, values and shape, and its dtype."""
    if not hasattr(value, "dense_shape") or not hasattr(value, "indices"):
        raise TypeError(
            f"{who}: a SparseTensor was expected; got {type(value).__name__}.\n"
            f"  Fix: tf.sparse.from_dense(x)."
        )
    found = [convert_to_tensor(p) for p in (value.indices, value.values, value.dense_shape)]
    indices, values, shape = (np.asarray(p.numpy()) for p in found)
    return indices, values, shape, found[1].dtype


def _strings(indices: Any, values: Any, shape: Any, dtype: Any) -> list[bytes]:
    kinds = (indices, dtypes.int64), (values, dtype), (shape, dtypes.int64)
    return [tensor.proto_of(np.asarray(a), kind).SerializeToString() for a, kind in kinds]


def _checked_out(out_type: Any, who: str) -> None:
    if dtypes.as_dtype(out_type) is not dtypes.string:
        raise ValueError(
            f"{who}: `out_type` must be tf.string; got {out_type!r}.\n  Fix: leave it out."
        )


def serialize_sparse(sp_input, out_type=dtypes.string, name=None):
    """Return a SparseTensor as three strings: its indices, values and shape.

    Args:
        sp_input: A SparseTensor.
        out_type: tf.string.
        name: Accepted, unused.

    Returns:
        A string vector of three.

    Raises:
        TypeError: `sp_input` is no SparseTensor.
        ValueError: another `out_type`.

    Example:
        >>> tf.io.serialize_sparse(tf.sparse.from_dense([0, 3])).shape
        TensorShape([3])
    """
    who = "tf.io.serialize_sparse"
    _checked_out(out_type, who)
    return from_host(objects(_strings(*_parts(sp_input, who))))


def serialize_many_sparse(sp_input, out_type=dtypes.string, name=None):
    """Return each row of a SparseTensor as three strings.

    Args:
        sp_input: A SparseTensor of rank 2 or more, `(N, ...)`.
        out_type: tf.string.
        name: Accepted, unused.

    Returns:
        Strings `(N, 3)`.

    Raises:
        TypeError: `sp_input` is no SparseTensor.
        InvalidArgumentError: its rank is below 2.

    Example:
        >>> tf.io.serialize_many_sparse(tf.sparse.from_dense([[0, 3], [1, 0]])).shape
        TensorShape([2, 3])
    """
    who = "tf.io.serialize_many_sparse"
    _checked_out(out_type, who)
    indices, values, shape, dtype = _parts(sp_input, who)
    if shape.size < 2:
        raise errors.InvalidArgumentError(
            f"{who}: Rank of input SparseTensor should be > 1, but saw rank: {shape.size}.\n"
            f"  Fix: use tf.io.serialize_sparse."
        )
    out: list[bytes] = []
    for row in range(int(shape[0])):
        own = indices[:, 0] == row
        out += _strings(indices[own, 1:], values[own], shape[1:], dtype)
    return from_host(objects(out, (int(shape[0]), 3)))


def deserialize_many_sparse(serialized_sparse, dtype, rank=None, name=None):
    """Return the SparseTensor that `tf.io.serialize_many_sparse` made strings of.

    Args:
        serialized_sparse: Strings `(N, 3)`.
        dtype: The dtype of the values.
        rank: Accepted, unused: the rank of a row.
        name: Accepted, unused.

    Returns:
        A SparseTensor `(N, ...)`; each further axis has its largest size.

    Raises:
        InvalidArgumentError: the strings are no rows of `dtype`.

    Example:
        >>> rows = tf.io.serialize_many_sparse(tf.sparse.from_dense([[0, 3], [1, 0]]))
        >>> tf.sparse.to_dense(tf.io.deserialize_many_sparse(rows, tf.int32)).numpy()
        array([[0, 3],
               [1, 0]], dtype=int32)
    """
    wanted = dtypes.as_dtype(dtype)
    table = np.asarray(convert_to_tensor(serialized_sparse, dtypes.string).numpy(), object)
    if table.ndim != 2 or table.shape[1] != 3:
        raise errors.InvalidArgumentError(
            f"tf.io.deserialize_many_sparse: `serialized_sparse` must have shape (N, 3); got "
            f"{table.shape}.\n  Fix: pass what tf.io.serialize_many_sparse returned."
        )
    indices, values, shapes = [], [], []
    for row, strings in enumerate(table):
        protos = [tensor.TensorProto.FromString(s) for s in strings]
        if protos[1].dtype != wanted.as_datatype_enum:
            raise errors.InvalidArgumentError(
                f"tf.io.deserialize_many_sparse: Requested SparseTensor of type {wanted.name} but "
                f"SparseTensor[{row}].values.dtype() == "
                f"{dtypes.as_dtype(protos[1].dtype).name}.\n  Fix: pass that dtype."
            )
        own, found, shape = map(tensor.array_of, protos)
        indices.append(np.insert(own.reshape(-1, shape.size), 0, row, axis=1))
        values.append(found)
        shapes.append(shape)
    longest = np.max(shapes, axis=0)
    return sparse(np.concatenate(indices), np.concatenate(values), [len(table), *longest.tolist()])


# ---- edit distance --------------------------------------------------------------------------


def _rows(value: Any, who: str) -> tuple[dict[tuple[int, ...], list[Any]], np.ndarray]:
    indices, values, shape, _ = _parts(value, who)
    out: dict[tuple[int, ...], list[Any]] = {}
    for place, one in zip(indices.tolist(), values.tolist(), strict=True):
        out.setdefault(tuple(place[:-1]), []).append(one)
    return out, shape


def _distance(first: list[Any], second: list[Any]) -> int:
    """Return the Levenshtein distance of two sequences."""
    before = list(range(len(second) + 1))
    for i, one in enumerate(first, 1):
        row = [i]
        for j, other in enumerate(second, 1):
            row.append(min(row[-1] + 1, before[j] + 1, before[j - 1] + (one != other)))
        before = row
    return before[-1]


def edit_distance(hypothesis, truth, normalize=True, name="edit_distance"):
    """Return how many insertions, deletions and changes lie between sequences.

    Args:
        hypothesis: A SparseTensor `(..., T)` of sequences.
        truth: A SparseTensor `(..., S)` of the same rank and dtype.
        normalize: Whether distances are divided by the length of the true sequence.
        name: Accepted, unused.

    Returns:
        float32 `(...)`; infinity where the true sequence is empty and the other is not.

    Raises:
        TypeError: an argument is no SparseTensor.
        ValueError: the ranks or dtypes differ.

    Example:
        >>> said = tf.sparse.from_dense([["a", "b"]])
        >>> tf.edit_distance(said, tf.sparse.from_dense([["a", "c"]])).numpy()
        array([0.5], dtype=float32)

    Reference: Levenshtein 1966, Binary codes capable of correcting deletions, insertions, and
        reversals.
    """
    who = "tf.edit_distance"
    said, shape = _rows(hypothesis, who)
    meant, other = _rows(truth, who)
    if shape.size != other.size or hypothesis.dtype != truth.dtype:
        raise ValueError(
            f"{who}: `hypothesis` and `truth` must have one rank and dtype; got shapes "
            f"{shape.tolist()} and {other.tolist()}, {hypothesis.dtype.name} and "
            f"{truth.dtype.name}.\n  Fix: tf.cast one of them."
        )
    out = np.zeros(np.maximum(shape, other)[:-1].tolist(), np.float32)
    for place in {*said, *meant}:
        true = meant.get(place, [])
        found = _distance(said.get(place, []), true)
        out[place] = (found / len(true) if true else np.inf) if normalize else found
    return from_host(out)
