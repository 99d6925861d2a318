"""Diagonals and bands of matrices: making, reading, replacing and keeping them."""

from typing import Any

import jax.numpy as jnp
from jax import lax

from lamina.engine import (
    as_dtype,
    convert_to_tensor,
    dtypes,
    errors,
    host_value,
    op,
    static_int,
    static_ints,
)
from lamina.ops import checks

__all__ = [
    "adjoint",
    "band_part",
    "diag",
    "diag_part",
    "eye",
    "matrix_transpose",
    "set_diag",
    "tensor_diag",
    "tensor_diag_part",
    "trace",
]

# Several diagonals ``k = (low, high)`` are stored in rows, the highest first, all as long as the
# longest. `align` says where the shorter ones lie: one word for those above the main diagonal,
# then one for those below it.
_ALIGNMENTS = ("RIGHT_LEFT", "LEFT_RIGHT", "LEFT_LEFT", "RIGHT_RIGHT")


def _range_of(k, who):
    """Return the lowest and the highest diagonal of an int, or of one or two ints."""
    found = static_ints(k, f"{who}: `k`")
    low, high = found[0], found[-1]
    if len(found) > 2 or low > high:
        raise errors.InvalidArgumentError(
            f"{who}: `k` must be a diagonal, or the lowest and the highest one; got {found}.\n"
            "  Fix: 0 is the main diagonal, those above it are positive."
        )
    return low, high


def _require_inside(rows, columns, k):
    """Raise unless the diagonals lie in the matrix; TF lets 0 be one of an empty matrix."""
    if not (isinstance(rows, int) and isinstance(columns, int)):
        return
    if not all(each == 0 or -rows < each < columns for each in k):
        raise errors.InvalidArgumentError(
            f"`k` must name diagonals of a matrix of shape {(rows, columns)}, above {-rows} and "
            f"below {columns}; got {k}.\n  Fix: 0 is the main diagonal."
        )


def _checked_align(align, who):
    if align not in _ALIGNMENTS:
        raise errors.InvalidArgumentError(
            f"{who}: `align` must be one of {_ALIGNMENTS}; got {align!r}.\n"
            "  Fix: the first word is for diagonals above the main one."
        )
    return align


def _length(rows, columns, k):
    """Return the length of diagonal `k` of a matrix of this shape."""
    return min(rows + min(k, 0), columns - max(k, 0))


def _longest(rows, columns, low, high):
    return min(rows + min(high, 0), columns - max(low, 0))


def _is_right(k, align):
    above, _, below = align.partition("_")
    return (above if k >= 0 else below) == "RIGHT"


def _extended(diagonal, k, rows, columns):
    """Return a diagonal ``(…, n)`` laid over the matrix: entry (i, j) is its element there."""
    by_column = rows + min(k, 0) >= columns - max(k, 0)
    size, before = (columns, max(k, 0)) if by_column else (rows, max(-k, 0))
    after = size - before - diagonal.shape[-1]
    pads = [(0, 0)] * (diagonal.ndim - 1) + [(before, after)]
    laid = jnp.pad(diagonal, pads)
    laid = laid[..., None, :] if by_column else laid[..., :, None]
    return jnp.broadcast_to(laid, (*diagonal.shape[:-1], rows, columns))


def _place(matrix, diagonal, low, high, align):
    """Return `matrix` with its diagonals `low` to `high` replaced."""
    rows, columns = matrix.shape[-2:]
    offset = jnp.arange(columns) - jnp.arange(rows)[:, None]
    longest = _longest(rows, columns, low, high)
    for k in range(low, high + 1):
        values = diagonal
        if low < high:
            length = _length(rows, columns, k)
            start = longest - length if _is_right(k, align) else 0
            values = lax.slice_in_dim(diagonal[..., high - k, :], start, start + length, axis=-1)
        matrix = jnp.where(offset == k, _extended(values, k, rows, columns), matrix)
    return matrix


def _matrix_shape(diagonal, low, high, rows, columns):
    """Return the rows and columns of the matrix, those asked for or the fewest that fit."""
    length = diagonal.shape[-1]
    if low < high and diagonal.shape[-2] != high - low + 1:
        raise errors.InvalidArgumentError(
            f"`diagonal` must hold {high - low + 1} diagonals for k = ({low}, {high}); got shape "
            f"{diagonal.shape}.\n  Fix: stack them in its last dimension but one."
        )
    least_rows, least_columns = length - min(high, 0), length + max(low, 0)
    if rows < 0 and columns < 0:
        return max(least_rows, least_columns), max(least_rows, least_columns)
    rows = least_rows if rows < 0 else rows
    columns = least_columns if columns < 0 else columns
    if rows < least_rows or columns < least_columns or _longest(rows, columns, low, high) != length:
        raise errors.InvalidArgumentError(
            f"`num_rows` and `num_cols` must fit diagonals of length {length}; got {rows} and "
            f"{columns} for k = ({low}, {high}).\n  Fix: leave one of them out."
        )
    return rows, columns


@op
def _diag(diagonal, padding_value, *, k, rows, columns, align):
    if k == (0, 0) and rows < 0 and columns < 0:
        size = diagonal.shape[-1]
        places = jnp.arange(size)
        return jnp.where(places[:, None] == places, diagonal[..., None, :], padding_value)
    rows, columns = _matrix_shape(diagonal, k[0], k[1], rows, columns)
    batch = diagonal.shape[: -1 if k[0] == k[1] else -2]
    empty = jnp.broadcast_to(padding_value, (*batch, rows, columns))
    return _place(empty, diagonal, k[0], k[1], align)


def diag(
    diagonal,
    name="diag",
    k: Any = 0,
    num_rows: Any = -1,
    num_cols: Any = -1,
    padding_value: Any = 0,
    align="RIGHT_LEFT",
):
    """Return matrices with given diagonals.

    Args:
        diagonal: ``(…, n)`` for one diagonal; ``(…, d, n)`` for d of them, the highest first.
        name: Accepted, unused.
        k: The diagonal (0 the main one, positive above it), or the lowest and the highest.
        num_rows: Rows of the matrix; -1 for the fewest that fit, or as many as columns.
        num_cols: Columns of the matrix, likewise.
        padding_value: What stands elsewhere.
        align: Where shorter diagonals lie in their row of `diagonal`: "RIGHT_LEFT" has those
            above the main one end at its right end, those below start at its left.

    Returns:
        ``(…, rows, columns)`` in the dtype of `diagonal`.

    Raises:
        InvalidArgumentError: the diagonals do not fit the matrix, or `k` or `align` is wrong.

    Example:
        >>> tf.linalg.diag([1, 2]).numpy()
        array([[1, 0],
               [0, 2]], dtype=int32)
    """
    diagonal = convert_to_tensor(diagonal)
    return _diag(
        diagonal,
        _filling(padding_value, diagonal.dtype),
        k=_range_of(k, "tf.linalg.diag"),
        rows=static_int(num_rows, "tf.linalg.diag: `num_rows`"),
        columns=static_int(num_cols, "tf.linalg.diag: `num_cols`"),
        align=_checked_align(align, "tf.linalg.diag"),
    )


@op
def _diag_part(input, padding_value, *, k, align):
    rows, columns = checks.matrix(input, "input").shape[-2:]
    low, high = k
    _require_inside(rows, columns, k)
    if low == high:
        return jnp.diagonal(input, low, -2, -1)
    longest = _longest(rows, columns, low, high)
    found = []
    for each in range(high, low - 1, -1):
        part = jnp.diagonal(input, each, -2, -1)
        missing = longest - part.shape[-1]
        fill = jnp.broadcast_to(padding_value, (*part.shape[:-1], missing))
        found.append(jnp.concatenate([fill, part] if _is_right(each, align) else [part, fill], -1))
    return jnp.stack(found, -2)


def _filling(value, dtype):
    """Return what stands beside diagonals as a scalar; the 0 that stands for nothing is False."""
    is_zero = isinstance(value, int) and value == 0
    return convert_to_tensor(False if is_zero and dtype == dtypes.bool_ else value, dtype)


def diag_part(input, name="diag_part", k: Any = 0, padding_value: Any = 0, align="RIGHT_LEFT"):
    """Return diagonals of matrices.

    Args:
        input: ``(…, M, N)``.
        name: Accepted, unused.
        k: The diagonal (0 the main one, positive above it), or the lowest and the highest.
        padding_value: What fills the rows of shorter diagonals.
        align: Where shorter diagonals lie in their row, as in `tf.linalg.diag`.

    Returns:
        ``(…, n)`` for one diagonal; ``(…, d, n)`` for d of them, the highest first.

    Raises:
        InvalidArgumentError: `input` is not a matrix, or `k` or `align` is wrong.

    Example:
        >>> tf.linalg.diag_part([[1, 2], [3, 4]]).numpy()
        array([1, 4], dtype=int32)
    """
    input = convert_to_tensor(input)
    return _diag_part(
        input,
        _filling(padding_value, input.dtype),
        k=_range_of(k, "tf.linalg.diag_part"),
        align=_checked_align(align, "tf.linalg.diag_part"),
    )


@op
def _set_diag(input, diagonal, *, k, align):
    rows, columns = checks.matrix(input, "input").shape[-2:]
    _require_inside(rows, columns, k)
    count = () if k[0] == k[1] else (k[1] - k[0] + 1,)
    expected = (*input.shape[:-2], *count, _longest(rows, columns, *k))
    if diagonal.shape != expected:
        raise errors.InvalidArgumentError(
            f"`diagonal` must be of shape {expected} for `input` {input.shape} and k = {k}; got "
            f"{diagonal.shape}.\n  Fix: tf.broadcast_to it, or pad the shorter diagonals."
        )
    return _place(input, diagonal, k[0], k[1], align)


def set_diag(input, diagonal, name="set_diag", k: Any = 0, align="RIGHT_LEFT"):
    """Return matrices with diagonals replaced.

    Args:
        input: ``(…, M, N)``.
        diagonal: ``(…, n)`` for one diagonal; ``(…, d, n)`` for d of them, the highest first; of
            the same dtype.
        name: Accepted, unused.
        k: The diagonal (0 the main one, positive above it), or the lowest and the highest.
        align: Where shorter diagonals lie in their row, as in `tf.linalg.diag`.

    Returns:
        The shape and dtype of `input`.

    Raises:
        InvalidArgumentError: `diagonal` does not fit `input` and `k`.

    Example:
        >>> tf.linalg.set_diag([[1, 2], [3, 4]], [0, 0]).numpy()
        array([[0, 2],
               [3, 0]], dtype=int32)
    """
    return _set_diag(
        input,
        diagonal,
        k=_range_of(k, "tf.linalg.set_diag"),
        align=_checked_align(align, "tf.linalg.set_diag"),
    )


@op
def tensor_diag(diagonal):
    """Return a tensor of twice the rank, with ``diagonal`` where both halves of the index agree.

    Args:
        diagonal: ``(d1, …, dn)``.

    Returns:
        ``(d1, …, dn, d1, …, dn)``, 0 elsewhere.

    Raises:
        InvalidArgumentError: ``diagonal`` is a scalar.

    Example:
        >>> tf.linalg.tensor_diag([1, 2]).numpy()
        array([[1, 0],
               [0, 2]], dtype=int32)
    """
    if not diagonal.ndim:
        raise errors.InvalidArgumentError(
            "`diagonal` must have an axis; got a scalar.\n  Fix: tf.reshape it to (1,)."
        )
    return jnp.reshape(jnp.diag(jnp.ravel(diagonal)), diagonal.shape * 2)


@op
def tensor_diag_part(input):
    """Return the elements where both halves of the index agree.

    Args:
        input: ``(d1, …, dn, d1, …, dn)``.

    Returns:
        ``(d1, …, dn)``.

    Raises:
        InvalidArgumentError: the halves of the shape differ.

    Example:
        >>> tf.linalg.tensor_diag_part([[1, 2], [3, 4]]).numpy()
        array([1, 4], dtype=int32)
    """
    half = input.shape[: input.ndim // 2]
    if half * 2 != input.shape:
        raise errors.InvalidArgumentError(
            f"`input` must have a shape of two equal halves; got {input.shape}.\n"
            "  Fix: tf.linalg.diag_part takes the last two dimensions only."
        )
    size = 1
    for each in half:
        size = size * each
    return jnp.reshape(jnp.diagonal(jnp.reshape(input, (size, size))), half)


@op(mixed=True)
def _band_part(input, num_lower, num_upper):
    rows, columns = checks.matrix(input, "input").shape[-2:]
    above = jnp.arange(columns) - jnp.arange(rows)[:, None]
    is_kept = (num_lower < 0) | (-above <= num_lower)
    is_kept &= (num_upper < 0) | (above <= num_upper)
    return jnp.where(is_kept, input, 0)


def _require_band(number, size, what):
    """Raise if a number of diagonals that the host knows is more than the matrix has."""
    known = host_value(number)
    if known is not None and known.ndim == 0 and size is not None and int(known) > size:
        raise errors.InvalidArgumentError(
            f"tf.linalg.band_part: `{what}` must be negative, or at most {size}, the size of the "
            f"matrix; got {int(known)}.\n  Fix: -1 keeps all."
        )


def band_part(input, num_lower, num_upper, name=None):
    """Return matrices with all but a band about the main diagonal set to 0.

    Args:
        input: ``(…, M, N)``.
        num_lower: How many diagonals below the main one stay; negative for all.
        num_upper: How many above it stay; negative for all.
        name: Accepted, unused.

    Returns:
        The shape and dtype of `input`.

    Raises:
        InvalidArgumentError: `input` is not a matrix, or does not have as many diagonals (where
            that can be known).

    Example:
        >>> tf.linalg.band_part([[1, 2], [3, 4]], -1, 0).numpy()
        array([[1, 0],
               [3, 4]], dtype=int32)
    """
    input, lower, upper = map(convert_to_tensor, (input, num_lower, num_upper))
    if input.ndim >= 2:
        _require_band(lower, input.shape[-2], "num_lower")
        _require_band(upper, input.shape[-1], "num_upper")
    return _band_part(input, lower, upper)


@op(differentiable=False)
def _eye(*, rows, columns, batch, dtype):
    same = jnp.arange(rows)[:, None] == jnp.arange(columns)
    return jnp.broadcast_to(same.astype(dtype.np), (*batch, rows, columns))


def eye(num_rows, num_columns=None, batch_shape=None, dtype: Any = dtypes.float32, name=None):
    """Return identity matrices.

    Args:
        num_rows: M.
        num_columns: N; None for M.
        batch_shape: Dimensions before the matrix; None for none.
        dtype: The dtype.
        name: Accepted, unused.

    Returns:
        ``(*batch_shape, M, N)``: 1 on the main diagonal, 0 elsewhere.

    Raises:
        InvalidArgumentError: a size is negative.

    Example:
        >>> tf.eye(2).numpy()
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    rows = static_int(num_rows, "tf.eye: `num_rows`")
    columns = rows if num_columns is None else static_int(num_columns, "tf.eye: `num_columns`")
    if any(isinstance(size, int) and size < 0 for size in (rows, columns)):
        raise errors.InvalidArgumentError(
            f"tf.eye: `num_rows` and `num_columns` must be at least 0; got {rows} and {columns}."
        )
    batch = () if batch_shape is None else static_ints(batch_shape, "tf.eye: `batch_shape`")
    return _eye(rows=rows, columns=columns, batch=batch, dtype=as_dtype(dtype))


@op
def trace(x):
    """Return the sum of the main diagonal.

    Args:
        x: Numbers ``(…, M, N)``.

    Returns:
        ``(…)`` in the dtype of `x`.

    Raises:
        InvalidArgumentError: `x` is not a matrix.

    Example:
        >>> tf.linalg.trace([[1, 2], [3, 4]]).numpy()
        np.int32(5)
    """
    return jnp.trace(checks.matrix(x), axis1=-2, axis2=-1, dtype=x.dtype)


@op
def matrix_transpose(a, *, conjugate=False):
    """Return matrices with rows and columns exchanged.

    Args:
        a: ``(…, M, N)``.
        conjugate: Whether complex numbers are conjugated too.

    Returns:
        ``(…, N, M)`` in the dtype of `a`.

    Raises:
        ValueError: `a` is not a matrix.

    Example:
        >>> tf.linalg.matrix_transpose([[1, 2], [3, 4]]).numpy()
        array([[1, 3],
               [2, 4]], dtype=int32)
    """
    if a.ndim < 2:
        raise ValueError(
            f"`a` must be a matrix, or a batch of them; got shape {a.shape}.\n"
            "  Fix: add a dimension, as in `x[tf.newaxis]`."
        )
    out = jnp.swapaxes(a, -1, -2)
    return jnp.conj(out) if conjugate else out


@op
def adjoint(matrix):
    """Return matrices transposed and conjugated.

    Args:
        matrix: ``(…, M, N)``.

    Returns:
        ``(…, N, M)`` in the dtype of `matrix`.

    Raises:
        InvalidArgumentError: `matrix` has fewer than two dimensions.

    Example:
        >>> tf.linalg.adjoint([[1.0 + 1.0j], [2.0]]).numpy()
        array([[1.-1.j, 2.-0.j]])
    """
    return jnp.conj(jnp.swapaxes(checks.matrix(matrix, "matrix"), -1, -2))
