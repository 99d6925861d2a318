"""Counts, crosses and sets: SparseTensors whose elements come from several others."""

import itertools

import numpy as np

from lamina.engine import convert_to_tensor, dtypes, errors, from_host
from lamina.ops.casting import cast
from lamina.ops.hashing import cross_hashes
from lamina.ops.ragged.partition import RowPartition
from lamina.ops.ragged.tensor import RaggedTensor, is_ragged
from lamina.ops.sparse.making import made
from lamina.ops.sparse.tensor import host_of, is_sparse

__all__ = ["bincount", "cross", "cross_hashed"]


def bincount(
    values,
    weights=None,
    axis=0,
    minlength=None,
    maxlength=None,
    binary_output=False,
    name=None,
):
    """Count how often each integer occurs, as a SparseTensor of the counts that are not 0.

    Args:
        values: Integers: a Tensor, RaggedTensor or SparseTensor of one axis or two.
        weights: What each occurrence counts, of the kind and shape of `values`; None for 1.
        axis: 0 or None counts all, -1 each row.
        minlength: The least number of bins in the shape.
        maxlength: The largest; values from it on are left out.
        binary_output: Whether to give 1 for what occurs at all.
        name: Accepted, unused.

    Returns:
        A SparseTensor `(bins,)`, or `(rows, bins)`, of int32 or of the dtype of the weights.

    Raises:
        ValueError: `axis` is neither None, 0 nor -1, or the weights are of another kind.
        InvalidArgumentError: both weights and `binary_output` are given, or shapes differ.

    Example:
        >>> tf.sparse.bincount([1, 1, 3]).values.numpy()
        array([2, 1], dtype=int32)
    """
    who = "tf.sparse.bincount"
    if axis not in (None, 0, -1):
        raise ValueError(f"{who}: `axis` must be None, 0 or -1; got {axis!r}.")
    rows, ids, count = _rows(values, axis != -1)
    if weights is not None and binary_output:
        raise errors.InvalidArgumentError(f"{who}: `binary_output` takes no weights; got both.")
    amounts = np.ones(len(ids), np.int32)
    if weights is not None:
        if (is_ragged(weights), is_sparse(weights)) != (is_ragged(values), is_sparse(values)):
            raise ValueError(
                f"{who}: `weights` must be of the kind of `values`; got "
                f"{type(weights).__name__} for {type(values).__name__}.\n"
                f"  Fix: make both sparse, both ragged or both dense."
            )
        _, amounts, _ = _rows(weights, axis != -1)
        if len(amounts) != len(ids):
            raise errors.InvalidArgumentError(
                f"{who}: `weights` must have the shape of `values`; got {len(amounts)} for "
                f"{len(ids)} elements."
            )
    if ids.size and ids.min() < 0:
        raise errors.InvalidArgumentError(f"{who}: Input values must be >= 0; got {ids.min()}.")
    size = int(ids.max(initial=-1)) + 1
    size = max(size, 0 if minlength is None else int(minlength))
    if maxlength is not None:
        size = min(size, int(maxlength))
    inside = ids < size
    rows, ids, amounts = rows[inside], ids[inside], amounts[inside]
    keys, inverse = np.unique(rows * max(size, 1) + ids, return_inverse=True)
    totals = np.zeros(len(keys), amounts.dtype)
    np.add.at(totals, inverse.reshape(-1), amounts)
    if binary_output:
        totals = np.ones_like(totals)
    if axis != -1 or count is None:
        return made(keys[:, None] % max(size, 1), totals, [size])
    return made(np.stack([keys // size, keys % size], 1) if size else [], totals, [count, size])


def _rows(values, as_one):
    """Return the row and the value of each element, and the number of rows (None for a vector)."""
    if is_ragged(values):
        flat, count = host_of(values.flat_values), values._partition._count
        rows = values._partition._host_rowids()
    elif is_sparse(values):
        flat, count = host_of(values.values), values._static_shape[0]
        rows = host_of(values.indices)[:, 0]
        count = None if values.ndim == 1 else count
    else:
        host = host_of(convert_to_tensor(values))
        count = host.shape[0] if host.ndim > 1 else None
        flat = host.reshape(-1)
        rows = np.repeat(np.arange(host.shape[0]), host[0].size if len(host) else 0)
        rows = rows if host.ndim > 1 else np.zeros(len(flat), np.int64)
    if as_one or count is None:
        rows = np.zeros(len(flat), np.int64)
    return np.asarray(rows, np.int64), flat, count


# ---- crosses ------------------------------------------------------------------------------


def _columns(inputs, who):
    """Return for each input the elements of each row, strings or integers."""
    if not isinstance(inputs, list | tuple):
        raise TypeError(f"{who}: `inputs` must be a list; got {type(inputs).__name__}.")
    found = []
    for each in inputs:
        if is_sparse(each):
            if each.ndim != 2:
                raise errors.InvalidArgumentError(f"{who}: inputs must be matrices; got {each}.")
            values, rows = host_of(each.values), host_of(each.indices)[:, 0]
            count = each._static_shape[0]
            found.append([values[rows == r] for r in range(count)])
        elif is_ragged(each):
            values, splits = host_of(each.flat_values), each._partition._numbers
            found.append([values[a:b] for a, b in itertools.pairwise(splits)])
        else:
            found.append(list(host_of(convert_to_tensor(each))))
        if found[-1] and found[-1][0].dtype.kind not in "Oiub":
            raise ValueError(
                f"{who}: inputs must be integers or strings; got {found[-1][0].dtype}."
            )
    counts = {len(c) for c in found}
    if len(counts) > 1:
        raise errors.InvalidArgumentError(
            f"{who}: inputs must have as many rows each; got {sorted(counts)}."
        )
    return found


def _combined(inputs, separator, who):
    """Return the joined texts of each row, and their number in each."""
    glue = separator.encode() if isinstance(separator, str) else separator
    rows = []
    for parts in zip(*_columns(inputs, who), strict=True):
        texts = [
            [v if isinstance(v, bytes) else str(v).encode() for v in p.tolist()] for p in parts
        ]
        rows.append([glue.join(c) for c in itertools.product(*texts)])
    flat = np.empty(sum(map(len, rows)), object)
    flat[:] = [t for row in rows for t in row]
    return from_host(flat), [len(r) for r in rows]


def _hashed(inputs, num_buckets, hash_key, who):
    """Return the hashes of the combinations of each row, and their number in each."""
    columns = _columns(inputs, who)
    counts, picked = [], [[] for _ in columns]
    for parts in zip(*columns, strict=True):
        grids = np.meshgrid(*[np.arange(len(p)) for p in parts], indexing="ij")
        counts.append(grids[0].size)
        for into, part, grid in zip(picked, parts, grids, strict=True):
            into.append(part[grid.reshape(-1)])
    joined = [from_host(np.concatenate(p)) if p else np.zeros(0, np.int64) for p in picked]
    if not sum(counts):
        return convert_to_tensor(np.zeros(0, np.int64)), counts
    joined = [c if c.dtype is dtypes.string else cast(c, dtypes.int64) for c in joined]
    return cross_hashes(joined, num_buckets, hash_key), counts


def _as_sparse(values, counts):
    rows = np.repeat(np.arange(len(counts)), counts)
    columns = np.concatenate([np.arange(c) for c in counts]) if counts else np.zeros(0)
    return made(np.stack([rows, columns], 1), values, [len(counts), max(counts, default=0)])


def cross(inputs, name=None, separator=None):
    """Return the combinations of the elements of each row, as strings.

    Args:
        inputs: A list of matrices of integers or strings, sparse, ragged or dense.
        name: Accepted, unused.
        separator: What stands between; None is "_X_".

    Returns:
        A SparseTensor of strings, a row for each row.

    Raises:
        InvalidArgumentError: the inputs differ in their number of rows.

    Example:
        >>> tf.sparse.cross([tf.constant([["a", "b"]]), tf.constant([["c"]])]).values.numpy()
        array([b'a_X_c', b'b_X_c'], dtype=object)
    """
    return _as_sparse(
        *_combined(inputs, "_X_" if separator is None else separator, "tf.sparse.cross")
    )


def cross_hashed(inputs, num_buckets=0, hash_key=None, name=None):
    """Return a hash of the combinations of the elements of each row.

    Args:
        inputs: A list of matrices of integers or strings, sparse, ragged or dense.
        num_buckets: The number of buckets; 0 keeps 63 bits of the hash.
        hash_key: What the hash starts from; None is TensorFlow's.
        name: Accepted, unused.

    Returns:
        A SparseTensor of int64, a row for each row.

    Example:
        >>> tf.sparse.cross_hashed([tf.constant([["a"]]), tf.constant([["b"]])], 10).shape
        TensorShape([1, 1])
    """
    return _as_sparse(*_hashed(inputs, num_buckets, hash_key, "tf.sparse.cross_hashed"))


def ragged_cross(inputs, name=None):
    """Return the combinations of the elements of each row, as strings.

    Args:
        inputs: A list of matrices of integers or strings, ragged, sparse or dense.
        name: Accepted, unused.

    Returns:
        A RaggedTensor of strings, a row for each row.

    Example:
        >>> tf.ragged.cross([tf.ragged.constant([["a"], ["b", "c"]]), [["d"], ["e"]]])
        <tf.RaggedTensor [[b'a_X_d'], [b'b_X_e', b'c_X_e']]>
    """
    return _as_ragged(*_combined(inputs, "_X_", "tf.ragged.cross"))


def ragged_cross_hashed(inputs, num_buckets=0, hash_key=None, name=None):
    """Return a hash of the combinations of the elements of each row.

    Args:
        inputs: A list of matrices of integers or strings, ragged, sparse or dense.
        num_buckets: The number of buckets; 0 keeps 63 bits of the hash.
        hash_key: What the hash starts from; None is TensorFlow's.
        name: Accepted, unused.

    Returns:
        A RaggedTensor of int64, a row for each row.

    Example:
        >>> tf.ragged.cross_hashed([tf.ragged.constant([["a"], ["b", "c"]]), [[1], [2]]], 10).shape
        TensorShape([2, None])
    """
    return _as_ragged(*_hashed(inputs, num_buckets, hash_key, "tf.ragged.cross_hashed"))


def _as_ragged(values, counts):
    return RaggedTensor._of(values, RowPartition.from_row_lengths(np.asarray(counts, np.int64)))
