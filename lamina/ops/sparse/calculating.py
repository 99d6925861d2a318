"""Arithmetic, reductions and products of SparseTensors."""

import numpy as np

from lamina.engine import as_dtype, convert_to_tensor, dtypes, errors, static_int, static_ints
from lamina.ops import indexing, linalg, math, reduce, segments, shaping
from lamina.ops.casting import cast, conj
from lamina.ops.comparison import greater_equal
from lamina.ops.elementary import exp
from lamina.ops.ragged.partition import is_ready
from lamina.ops.selection import where as choose
from lamina.ops.sparse.making import axis_in, linear, made, retain, to_dense
from lamina.ops.sparse.tensor import host_of, is_sparse, sparse

__all__ = [
    "add",
    "maximum",
    "minimum",
    "reduce_max",
    "reduce_sum",
    "sampled_addmm",
    "segment_mean",
    "segment_sqrt_n",
    "segment_sum",
    "softmax",
    "sparse_dense_matmul",
]


def _shape_of(value):
    return tuple(value._static_shape) if is_sparse(value) else tuple(value.shape)


def add(a, b, threshold=0):
    """Add two Tensors of which one or both are sparse.

    Args:
        a: A SparseTensor or Tensor.
        b: The same, of the shape and dtype of `a`.
        threshold: Sums of two kept elements that are less in size are dropped.

    Returns:
        A SparseTensor if both are sparse, else a Tensor.

    Raises:
        TypeError: both are dense.
        InvalidArgumentError: the shapes or dtypes differ.

    Example:
        >>> tf.sparse.to_dense(tf.sparse.add(tf.sparse.eye(2), tf.sparse.eye(2))).numpy()
        array([[2., 0.],
               [0., 2.]], dtype=float32)
    """
    if not (is_sparse(a) or is_sparse(b)):
        raise TypeError("tf.sparse.add: at least one input should be SparseTensor; got none.")
    if is_sparse(a) and is_sparse(b):
        places, sides, both = _united(a, b, "tf.sparse.add")
        total = math.add(*sides)
        summed = made(places, total, a._static_shape)
        limit = host_of(convert_to_tensor(threshold))
        if not limit:
            return summed
        above = greater_equal(math.abs(total), convert_to_tensor(limit, a.dtype.real_dtype))
        return retain(summed, host_of(above) | ~both)
    st, dense = (a, b) if is_sparse(a) else (b, a)
    dense = convert_to_tensor(dense, st.dtype)
    if _shape_of(st) != tuple(dense.shape):
        raise errors.InvalidArgumentError(
            f"tf.sparse.add: the shapes must be equal; got {st.shape} and {dense.shape}."
        )
    return indexing.tensor_scatter_nd_add(dense, st.indices, st.values)


def _united(a, b, who):
    """Return the places of both, in order, the values of each there, and which both have.

    A value is 0 where there is none.
    """
    if _shape_of(a) != _shape_of(b):
        raise errors.InvalidArgumentError(
            f"{who}: Operands' shapes do not match; got {a.shape} and {b.shape}."
        )
    if a.dtype is not b.dtype:
        raise errors.InvalidArgumentError(
            f"{who}: the dtypes must be equal; got {a.dtype.name} and {b.dtype.name}."
        )
    sizes = a._static_shape
    mine, other = (linear(host_of(s.indices), sizes) for s in (a, b))
    whole = np.unique(np.concatenate([mine, other]))
    places = np.stack(np.unravel_index(whole, sizes), 1) if len(sizes) else np.zeros((1, 0))
    sides = []
    for st, where in ((a, mine), (b, other)):
        rows = np.searchsorted(whole, where)[:, None]
        sides.append(indexing.scatter_nd(rows, st.values, [len(whole)]))
    return places, sides, np.isin(whole, mine) & np.isin(whole, other)


def maximum(sp_a, sp_b, name=None):
    """Return the elementwise maximum of two SparseTensors, 0 where neither has an element.

    Raises:
        InvalidArgumentError: the shapes or dtypes differ.

    Example:
        >>> a = tf.SparseTensor([[0]], [-1.0], [2])
        >>> b = tf.SparseTensor([[1]], [3.0], [2])
        >>> tf.sparse.maximum(a, b).values.numpy()
        array([0., 3.], dtype=float32)
    """
    a, b = sparse(sp_a, "tf.sparse.maximum"), sparse(sp_b, "tf.sparse.maximum")
    places, sides, _ = _united(a, b, "tf.sparse.maximum")
    return made(places, math.maximum(*sides), a._static_shape)


def minimum(sp_a, sp_b, name=None):
    """Return the elementwise minimum of two SparseTensors, 0 where neither has an element.

    Raises:
        InvalidArgumentError: the shapes or dtypes differ.

    Example:
        >>> a = tf.SparseTensor([[0]], [-1.0], [2])
        >>> b = tf.SparseTensor([[1]], [3.0], [2])
        >>> tf.sparse.minimum(a, b).values.numpy()
        array([-1.,  0.], dtype=float32)
    """
    a, b = sparse(sp_a, "tf.sparse.minimum"), sparse(sp_b, "tf.sparse.minimum")
    places, sides, _ = _united(a, b, "tf.sparse.minimum")
    return made(places, math.minimum(*sides), a._static_shape)


_TRACED = (segments.unsorted_segment_sum,)


def _linear_of(indices, axes, sizes):
    """Return where traced indices stand in row-major order along some axes."""
    steps = np.append(np.cumprod(np.asarray(sizes[::-1], np.int64))[::-1][1:], 1)
    weights = np.zeros(int(indices.shape[1]), np.int64)
    weights[axes] = steps[: len(axes)]
    return reduce.reduce_sum(math.multiply(indices, convert_to_tensor(weights)), 1)


def _reduced(kind, sp_input, axis, keepdims, output_is_sparse, who):
    st = sparse(sp_input, who)
    rank, sizes = st.ndim, st._static_shape
    if axis is None:
        axes = list(range(rank))
    else:
        given = static_ints(axis, "axis")
        axes = sorted({axis_in(a, rank, who) for a in given})
    kept = [a for a in range(rank) if a not in axes]
    left = [sizes[a] for a in kept]
    full = [1 if a in axes else n for a, n in enumerate(sizes)]
    if not is_ready(st.indices) and not output_is_sparse and kind in _TRACED:
        ids = _linear_of(st.indices, kept, left)
        count = int(np.prod(left, dtype=np.int64))
        return shaping.reshape(kind(st.values, ids, count), full if keepdims else left)
    places = host_of(st.indices)
    where = linear(places[:, kept], left)
    if output_is_sparse:
        found, ids = np.unique(where, return_inverse=True)
        values = kind(st.values, ids.reshape(-1), len(found))
        inner = np.stack(np.unravel_index(found, left), 1) if left else np.zeros((len(found), 0))
        if not keepdims:
            return made(inner, values, left)
        wide = np.zeros((len(found), rank), np.int64)
        wide[:, kept] = inner
        return made(wide, values, full)
    count = int(np.prod(left, dtype=np.int64))
    values = kind(st.values, where, count)
    if kind is segments.unsorted_segment_max:
        present = np.zeros(count, bool)
        present[where] = True
        zero = convert_to_tensor(np.zeros((), st.dtype.np))
        values = choose(present, values, zero)
    return shaping.reshape(values, full if keepdims else left)


def reduce_sum(sp_input, axis=None, keepdims=None, output_is_sparse=False, name=None):
    """Sum a SparseTensor along axes.

    Args:
        sp_input: A SparseTensor.
        axis: An axis, several, or None for all.
        keepdims: Whether the axes stay, with size 1.
        output_is_sparse: Whether the result is a SparseTensor.
        name: Accepted, unused.

    Example:
        >>> tf.sparse.reduce_sum(tf.SparseTensor([[0, 0], [0, 1]], [1, 2], [2, 2]), 1).numpy()
        array([3, 0], dtype=int32)
    """
    kind = segments.unsorted_segment_sum
    return _reduced(kind, sp_input, axis, keepdims, output_is_sparse, "tf.sparse.reduce_sum")


def reduce_max(sp_input, axis=None, keepdims=None, output_is_sparse=False, name=None):
    """Return the largest kept element along axes; 0 where there is none.

    Args:
        sp_input: A SparseTensor.
        axis: An axis, several, or None for all.
        keepdims: Whether the axes stay, with size 1.
        output_is_sparse: Whether the result is a SparseTensor.
        name: Accepted, unused.

    Example:
        >>> tf.sparse.reduce_max(tf.SparseTensor([[0, 0], [0, 1]], [-1, -2], [2, 2]), 1).numpy()
        array([-1,  0], dtype=int32)
    """
    kind = segments.unsorted_segment_max
    return _reduced(kind, sp_input, axis, keepdims, output_is_sparse, "tf.sparse.reduce_max")


def softmax(sp_input, name=None):
    """Return the softmax over the kept elements of the last axis.

    Args:
        sp_input: A SparseTensor of floats with two axes or more.
        name: Accepted, unused.

    Example:
        >>> st = tf.SparseTensor([[0, 0], [0, 2]], [1.0, 1.0], [1, 3])
        >>> tf.sparse.softmax(st).values.numpy()
        array([0.5, 0.5], dtype=float32)
    """
    st = sparse(sp_input, "tf.sparse.softmax")
    if st.ndim < 2:
        raise errors.InvalidArgumentError(
            f"tf.sparse.softmax: Input should have rank >= 2; got {st.ndim}."
        )
    rows = linear(host_of(st.indices)[:, :-1], st._static_shape[:-1])
    found, ids = np.unique(rows, return_inverse=True)
    ids, count = ids.reshape(-1), len(found)
    most = indexing.gather(segments.unsorted_segment_max(st.values, ids, count), ids)
    powers = exp(math.subtract(st.values, most))
    total = indexing.gather(segments.unsorted_segment_sum(powers, ids, count), ids)
    return st.with_values(powers / total)


def sparse_dense_matmul(sp_a, b, adjoint_a=False, adjoint_b=False, name=None):
    """Multiply a sparse matrix by a dense one, or a dense by a sparse one.

    Args:
        sp_a: A SparseTensor `(M, K)`; or a Tensor, if `b` is sparse.
        b: A Tensor `(K, N)`; or a SparseTensor.
        adjoint_a: Whether to take the (conjugate) transpose of `sp_a`.
        adjoint_b: Whether to take the (conjugate) transpose of `b`.
        name: Accepted, unused.

    Returns:
        A Tensor `(M, N)`. Gradients flow to the values and the dense matrix.

    Raises:
        InvalidArgumentError: the sizes do not fit.

    Example:
        >>> tf.sparse.sparse_dense_matmul(tf.sparse.eye(2), [[1.0], [2.0]]).numpy()
        array([[1.],
               [2.]], dtype=float32)
    """
    if not is_sparse(sp_a) and is_sparse(b):
        product = sparse_dense_matmul(b, sp_a, not adjoint_b, not adjoint_a)
        return shaping.transpose(product)
    st = sparse(sp_a, "tf.sparse.sparse_dense_matmul")
    b = convert_to_tensor(b, st.dtype)
    if st.ndim != 2 or b.shape.rank != 2:
        raise errors.InvalidArgumentError(
            f"tf.sparse.sparse_dense_matmul: both operands must be matrices; got shapes "
            f"{st.shape} and {b.shape}."
        )
    if adjoint_b:
        b = shaping.transpose(b, conjugate=b.dtype.is_complex)
    values = conj(st.values) if adjoint_a and st.dtype.is_complex else st.values
    rows, columns = st.indices[:, 0], st.indices[:, 1]
    height, width = st._static_shape
    if adjoint_a:
        rows, columns, height, width = columns, rows, width, height
    if b.shape[0] is not None and b.shape[0] != width:
        raise errors.InvalidArgumentError(
            f"tf.sparse.sparse_dense_matmul: Cannot multiply A and B because inner dimension does "
            f"not match: {width} vs. {b.shape[0]}.  Did you forget a transpose?"
        )
    picked = math.multiply(indexing.gather(b, columns), values[:, None])
    return segments.unsorted_segment_sum(picked, rows, height)


def sampled_addmm(
    indices,
    values,
    dense_shape,
    mat1,
    mat2,
    beta=1.0,
    alpha=1.0,
    output_type=dtypes.float32,
):
    """Return `alpha * (mat1 @ mat2) + beta * values` at the places of a sparse matrix.

    Args:
        indices: Where the elements stand, `(N, R)`, or row offsets and columns are not taken.
        values: The elements, `(N,)`.
        dense_shape: The shape of the sparse Tensor.
        mat1: A Tensor `(…, M, K)`.
        mat2: A Tensor `(…, K, N)`.
        beta: The factor of `values`.
        alpha: The factor of the product.
        output_type: The dtype of the result.

    Returns:
        `(indices, values, dense_shape)` of the result.

    Example:
        >>> made = tf.sparse.sampled_addmm([[0, 0]], [1.0], [1, 1], [[2.0]], [[3.0]])
        >>> made[1].numpy()
        array([7.], dtype=float32)
    """
    kind = as_dtype(output_type)
    first, second = (cast(convert_to_tensor(m), kind) for m in (mat1, mat2))
    places = convert_to_tensor(indices)
    product = indexing.gather_nd(linalg.matmul(first, second), places)
    scaled = math.multiply(cast(convert_to_tensor(values), kind), convert_to_tensor(beta, kind))
    total = math.add(math.multiply(product, convert_to_tensor(alpha, kind)), scaled)
    return places, total, convert_to_tensor(dense_shape)


def _segments(kind, data, indices, segment_ids, num_segments, who):
    data = convert_to_tensor(data)
    picked = indexing.gather(data, indices)
    ids = convert_to_tensor(segment_ids)
    if num_segments is not None:
        count = static_int(num_segments, "num_segments")
    else:
        known = host_of(ids)
        count = int(known[-1]) + 1 if known.size else 0
    if is_ready(ids):
        known = host_of(ids)
        if np.any(np.diff(known) < 0) or (known.size and (known[0] < 0 or known[-1] >= count)):
            raise errors.InvalidArgumentError(
                f"{who}: segment ids must ascend from 0 to less than {count}; got "
                f"{known.tolist()[:20]}."
            )
    return kind(picked, ids, count)


def segment_sum(data, indices, segment_ids, num_segments=None, name=None, sparse_gradient=False):
    """Sum rows of `data`, picked by `indices`, that share a segment id.

    Args:
        data: A Tensor `(N, …)`.
        indices: The rows, `(K,)`.
        segment_ids: The segment of each picked row, ascending, `(K,)`.
        num_segments: The number of segments; None is the last id plus one.
        name: Accepted, unused.
        sparse_gradient: Accepted, unused: gradients are dense.

    Returns:
        `(S, …)`; 0 for segments without rows.

    Raises:
        InvalidArgumentError: the ids do not ascend.

    Example:
        >>> tf.sparse.segment_sum([[1, 2], [3, 4], [5, 6]], [0, 2], [0, 0]).numpy()
        array([[6, 8]], dtype=int32)
    """
    kind = segments.unsorted_segment_sum
    return _segments(kind, data, indices, segment_ids, num_segments, "tf.sparse.segment_sum")


def segment_mean(data, indices, segment_ids, num_segments=None, name=None, sparse_gradient=False):
    """Return the mean of rows of `data`, picked by `indices`, that share a segment id.

    Args:
        data: A float Tensor `(N, …)`.
        indices: The rows, `(K,)`.
        segment_ids: The segment of each picked row, ascending, `(K,)`.
        num_segments: The number of segments; None is the last id plus one.
        name: Accepted, unused.
        sparse_gradient: Accepted, unused: gradients are dense.

    Returns:
        `(S, …)`; 0 for segments without rows.

    Raises:
        InvalidArgumentError: the ids do not ascend.

    Example:
        >>> tf.sparse.segment_mean([[1.0], [3.0], [5.0]], [0, 2], [0, 0]).numpy()
        array([[3.]], dtype=float32)
    """
    kind = segments.unsorted_segment_mean
    return _segments(kind, data, indices, segment_ids, num_segments, "tf.sparse.segment_mean")


def segment_sqrt_n(data, indices, segment_ids, num_segments=None, name=None, sparse_gradient=False):
    """Sum rows of `data`, picked by `indices`, by segment; divide by the root of their number.

    Args:
        data: A float Tensor `(N, …)`.
        indices: The rows, `(K,)`.
        segment_ids: The segment of each picked row, ascending, `(K,)`.
        num_segments: The number of segments; None is the last id plus one.
        name: Accepted, unused.
        sparse_gradient: Accepted, unused: gradients are dense.

    Returns:
        `(S, …)`; 0 for segments without rows.

    Raises:
        InvalidArgumentError: the ids do not ascend.

    Example:
        >>> tf.sparse.segment_sqrt_n([[1.0], [3.0], [1.0]], [0, 1, 2, 2], [0, 0, 0, 0]).numpy()
        array([[3.]], dtype=float32)
    """
    kind = segments.unsorted_segment_sqrt_n
    return _segments(kind, data, indices, segment_ids, num_segments, "tf.sparse.segment_sqrt_n")


def scaled(st, dense, fn):
    """Return `fn` of the elements of a SparseTensor and those of a dense one at their places."""
    dense = convert_to_tensor(dense, st.dtype)
    if dense.shape.rank > st.ndim:
        raise errors.InvalidArgumentError(
            f"SparseTensor: a dense operand may not have more axes; got shapes {st.shape} and "
            f"{dense.shape}."
        )
    if dense.shape.rank == 0:
        return st.with_values(fn(st.values, dense))
    whole = shaping.broadcast_to(dense, list(st._static_shape))
    return st.with_values(fn(st.values, indexing.gather_nd(whole, st.indices)))


def dense_of(value):
    """Return a SparseTensor as a Tensor, whatever the order of its elements."""
    return to_dense(value, validate_indices=False) if is_sparse(value) else value
