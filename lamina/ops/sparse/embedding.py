"""Embeddings of rows of ids, sparse or ragged, combined to one vector a row."""

from typing import Any

import numpy as np

from lamina.engine import convert_to_tensor, errors
from lamina.ops import clipping, division, indexing, math, segments, shaping
from lamina.ops.array import fill
from lamina.ops.casting import cast
from lamina.ops.comparison import greater
from lamina.ops.elementary import sqrt
from lamina.ops.ragged.tensor import is_ragged
from lamina.ops.selection import where
from lamina.ops.sparse import rules as _rules  # noqa: F401  # what functions do with results
from lamina.ops.sparse.making import fill_empty_rows, linear, made, retain
from lamina.ops.sparse.tensor import SparseTensor, host_of, is_sparse

__all__ = ["embedding_lookup_sparse", "safe_embedding_lookup_sparse"]

_COMBINERS = ("mean", "sqrtn", "sum")


def _table(params):
    """Return an embedding table; several are joined, row by row in turn."""
    if isinstance(params, list | tuple):
        parts = [convert_to_tensor(p) for p in params]
        if len(parts) == 1:
            return parts[0]
        # Shards by `id % number of shards`, as TensorFlow's "mod"; v2 joins them as "div".
        return shaping.concat(parts, 0)
    return convert_to_tensor(params)


def _checked_combiner(combiner, who):
    found = "mean" if combiner is None else combiner
    if found not in _COMBINERS:
        raise ValueError(f"{who}: `combiner` must be one of {_COMBINERS}; got {combiner!r}.")
    return found


def embedding_lookup_sparse(
    params,
    sp_ids,
    sp_weights,
    combiner=None,
    max_norm=None,
    name=None,
    allow_fast_lookup=False,
):
    """Return for each row of ids their embeddings, combined.

    Args:
        params: The table, `(V, …)`, or a list of Tensors that make it up.
        sp_ids: A SparseTensor or RaggedTensor of ids, `(N, M)`; no row may be empty at the end.
        sp_weights: The weight of each id, of the same kind; None for 1.
        combiner: "mean", "sqrtn" (the sum over the root of the sum of squared weights) or "sum";
            None is "mean".
        max_norm: Embeddings are scaled down to this norm; None leaves them.
        name: Accepted, unused.
        allow_fast_lookup: Accepted, unused.

    Returns:
        A Tensor `(N, …)`, 0 for rows without ids.

    Raises:
        ValueError: `combiner` is none of these.
        TypeError: ids and weights are not both sparse, or both ragged.

    Example:
        >>> ids = tf.ragged.constant([[0, 2], [1]])
        >>> table = tf.constant([[1.0], [2.0], [5.0]])
        >>> tf.nn.embedding_lookup_sparse(table, ids, None, combiner="mean").numpy()
        array([[3.],
               [2.]], dtype=float32)
    """
    who = "tf.nn.embedding_lookup_sparse"
    how = _checked_combiner(combiner, who)
    table = _table(params)
    if is_ragged(sp_ids):
        ids, rows, count = sp_ids.values, sp_ids.value_rowids(), sp_ids._partition._count
    elif is_sparse(sp_ids):
        places = host_of(sp_ids.indices)
        ids, rows = sp_ids.values, places[:, 0]
        count = int(places[-1, 0]) + 1 if len(places) else 0
    else:
        raise TypeError(
            f"{who}: `sp_ids` must be a SparseTensor or RaggedTensor; got {type(sp_ids).__name__}."
        )
    if sp_weights is not None and type(sp_weights) is not type(sp_ids):
        raise TypeError(
            f"{who}: `sp_weights` must be a {type(sp_ids).__name__} as `sp_ids` is; got "
            f"{type(sp_weights).__name__}."
        )
    picked = indexing.gather(table, ids)
    axes = tuple(range(1, len(picked.shape)))
    if max_norm is not None:
        picked = clipping.clip_by_norm(picked, max_norm, axes=axes)
    if sp_weights is None:
        one = np.ones((int(ids.shape[0]),) + (1,) * len(axes), table.dtype.np)
        weights = convert_to_tensor(one)
    else:
        weights = cast(sp_weights.values, table.dtype)
        if weights.shape[0] != ids.shape[0]:
            raise errors.InvalidArgumentError(
                f"{who}: `sp_weights` must have as many values as `sp_ids`, {ids.shape[0]}; got "
                f"{weights.shape[0]}."
            )
        weights = shaping.reshape(weights, [-1] + [1] * len(axes))
        picked = math.multiply(picked, weights)
    total = segments.unsorted_segment_sum(picked, rows, count)
    if how == "sum":
        return total
    if how == "sqrtn":
        weights = math.multiply(weights, weights)
    over = segments.unsorted_segment_sum(weights, rows, count)
    return division.divide_no_nan(total, sqrt(over) if how == "sqrtn" else over)


def safe_embedding_lookup_sparse(
    embedding_weights,
    sparse_ids,
    sparse_weights=None,
    combiner="mean",
    default_id=None,
    max_norm=None,
    name=None,
    allow_fast_lookup=False,
):
    """Do the same as `embedding_lookup_sparse`, for rows that may be empty or hold wrong ids.

    Args:
        embedding_weights: The table, `(V, …)`, or a list of Tensors that make it up.
        sparse_ids: A SparseTensor `(…, M)` or RaggedTensor of ids; negative ones are left out.
        sparse_weights: The weight of each id, of the same kind; those not above 0 are left out.
        combiner: "mean", "sqrtn" or "sum".
        default_id: The id for rows without ids; None gives them zeros.
        max_norm: Embeddings are scaled down to this norm; None leaves them.
        name: Accepted, unused.
        allow_fast_lookup: Accepted, unused.

    Returns:
        A Tensor: the leading axes of the ids, then those of an embedding.

    Raises:
        ValueError: `embedding_weights` is None or empty, or `combiner` is none of these.

    Example:
        >>> ids = tf.SparseTensor([[0, 0]], [1], [2, 1])
        >>> tf.nn.safe_embedding_lookup_sparse([[1.0], [2.0]], ids).numpy()
        array([[2.],
               [0.]], dtype=float32)
    """
    who = "tf.nn.safe_embedding_lookup_sparse"
    if embedding_weights is None or (
        isinstance(embedding_weights, list | tuple) and not embedding_weights
    ):
        raise ValueError(f"{who}: `embedding_weights` is missing; got {embedding_weights}.")
    how = _checked_combiner(combiner, who)
    table = (
        convert_to_tensor(embedding_weights[0])
        if _is_shards(embedding_weights)
        else (convert_to_tensor(embedding_weights))
    )
    ids = sparse_ids.to_sparse() if is_ragged(sparse_ids) else sparse_ids
    weights: Any = sparse_weights
    if is_ragged(weights):
        weights = weights.to_sparse()
    sizes = ids._static_shape
    rows = int(np.prod(sizes[:-1], dtype=np.int64))
    places = host_of(ids.indices)
    flat = np.stack([linear(places[:, :-1], sizes[:-1]), places[:, -1]], 1)
    ids = made(flat, ids.values, [rows, sizes[-1]])
    keep = host_of(ids.values) >= 0
    if weights is not None:
        weights = SparseTensor(ids.indices, weights.values, ids.dense_shape)
        if how != "sum":
            keep &= host_of(greater(weights.values, 0))
        weights = retain(weights, keep)
    ids = retain(ids, keep)
    ids, empty = fill_empty_rows(ids, 0 if default_id is None else default_id)
    if weights is not None:
        weights, _ = fill_empty_rows(weights, 1.0)
    found = embedding_lookup_sparse(table, ids, weights, how, max_norm)
    if default_id is None:
        mask = shaping.reshape(empty, [-1] + [1] * (len(found.shape) - 1))
        found = where(mask, fill(list(found.shape), convert_to_tensor(0, found.dtype)), found)
    return shaping.reshape(found, [*sizes[:-1], *found.shape[1:]])


def _is_shards(value):
    return isinstance(value, list | tuple) and len(value) == 1 and np.ndim(value[0]) > 1
