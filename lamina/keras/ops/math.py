"""tf.keras.ops: special functions, reductions, segments."""

from typing import Any

from lamina import ops
from lamina.engine import Tensor, convert_to_tensor, static_int
from lamina.keras.core import graph_function

__all__ = [
    "cdist",
    "erf",
    "erfc",
    "erfinv",
    "in_top_k",
    "logdet",
    "logsumexp",
    "rsqrt",
    "segment_max",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "top_k",
    "view_as_complex",
    "view_as_real",
]


# ---- elementwise ------------------------------------------------------------------------------


def rsqrt(x: Any) -> Tensor:
    """Return ``1 / sqrt(x)``.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.ops.rsqrt(tf.constant([4.0])).numpy()
        array([0.5], dtype=float32)
    """
    return ops.rsqrt(x)


def erf(x: Any) -> Tensor:
    """Return the error function ``2 / sqrt(π) ∫₀ˣ exp(-t²) dt``.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.ops.erf(tf.constant([0.0, 10.0])).numpy()
        array([0., 1.], dtype=float32)
    """
    return ops.erf(x)


def erfc(x: Any) -> Tensor:
    """Return ``1 - erf(x)``, exact for large `x` too.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.ops.erfc(tf.constant([0.0])).numpy()
        array([1.], dtype=float32)
    """
    return ops.erfc(x)


def erfinv(x: Any) -> Tensor:
    """Return the inverse of `erf`.

    Args:
        x: Floating point in [-1, 1], any shape.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.ops.erfinv(tf.constant([0.0, 1.0])).numpy()
        array([ 0., inf], dtype=float32)
    """
    x = convert_to_tensor(x)
    if x.dtype in ("float16", "bfloat16"):
        return ops.cast(ops.erfinv(ops.cast(x, "float32")), x.dtype)
    return ops.erfinv(x)


def view_as_complex(x: Any) -> Tensor:
    """Return pairs of numbers as complex ones.

    Args:
        x: Real numbers, ``(…, 2)``: real and imaginary parts.

    Returns:
        complex64, ``(…)``.

    Raises:
        ValueError: the last axis has not size 2.

    Example:
        >>> tf.keras.ops.view_as_complex(tf.constant([[1.0, 2.0]])).numpy()
        array([1.+2.j], dtype=complex64)
    """
    x = convert_to_tensor(x)
    if x.ndim < 1 or x.shape[-1] != 2:
        raise ValueError(
            f"view_as_complex: the last axis of `x` must have size 2, real and imaginary part; "
            f"got shape {tuple(x.shape)}.\n  Fix: tf.stack([real, imaginary], axis=-1)."
        )
    x = ops.cast(x, "float32")
    return ops.complex(x[..., 0], x[..., 1])


def view_as_real(x: Any) -> Tensor:
    """Return complex numbers as pairs of real and imaginary part.

    Args:
        x: Complex, any shape.

    Returns:
        ``(*x.shape, 2)``, float.

    Example:
        >>> tf.keras.ops.view_as_real(tf.constant([1 + 2j])).numpy()
        array([[1., 2.]])
    """
    x = convert_to_tensor(x)
    return ops.stack([ops.real(x), ops.imag(x)], axis=-1)


# ---- reductions -------------------------------------------------------------------------------


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return ``log(sum(exp(x)))``, without overflow.

    Args:
        x: Floating point, any shape.
        axis: The axis or axes to sum over; None is all.
        keepdims: Whether the axes stay, with size 1.

    Example:
        >>> tf.keras.ops.logsumexp(tf.constant([0.0, 0.0])).numpy()
        np.float32(0.6931472)
    """
    return ops.reduce_logsumexp(x, axis=axis, keepdims=keepdims)


def logdet(x: Any) -> Tensor:
    """Return the logarithm of the determinant of Hermitian positive definite matrices.

    Args:
        x: Floating point or complex, ``(…, N, N)``.

    Returns:
        ``(…)``.

    Example:
        >>> tf.keras.ops.logdet(tf.eye(2)).numpy()
        np.float32(0.0)
    """
    return ops.logdet(x)


def top_k(x: Any, k: int, sorted: bool = True) -> Any:
    """Return the `k` largest entries of each row, and where they stand.

    Args:
        x: Real numbers, ``(…, N)``.
        k: How many, at most N.
        sorted: Accepted: the largest always comes first.

    Returns:
        A named tuple: `values` ``(…, k)``, and `indices` ``(…, k)``, int32.

    Example:
        >>> values, indices = tf.keras.ops.top_k(tf.constant([1, 9, 5]), 2)
        >>> values.numpy(), indices.numpy()
        (array([9, 5], dtype=int32), array([1, 2], dtype=int32))
    """
    return ops.top_k(x, k, sorted=sorted)


def in_top_k(targets: Any, predictions: Any, k: int) -> Tensor:
    """Return whether the target of each row is among the `k` classes with the highest scores.

    Args:
        targets: int, ``(B,)``.
        predictions: Floating point, ``(B, C)``.
        k: How many classes count.

    Returns:
        bool, ``(B,)``.

    Example:
        >>> tf.keras.ops.in_top_k([1, 0], tf.constant([[0.1, 0.9], [0.2, 0.8]]), 1).numpy()
        array([ True, False])
    """
    return ops.in_top_k(targets, predictions, k)


def cdist(x: Any, y: Any) -> Tensor:
    """Return the Euclidean distances between two sets of points.

    Args:
        x: Floating point, ``(…, N, D)``.
        y: ``(…, M, D)``, same dtype.

    Returns:
        ``(…, N, M)``, same dtype.

    Raises:
        ValueError: an array is no matrix, or the points differ in size.

    Example:
        >>> tf.keras.ops.cdist(tf.constant([[0.0, 0.0]]), tf.constant([[3.0, 4.0]])).numpy()
        array([[5.]], dtype=float32)
    """
    x, y = convert_to_tensor(x), convert_to_tensor(y)
    if x.ndim < 2 or y.ndim < 2 or not x.shape[-1:].is_compatible_with(y.shape[-1:]):
        raise ValueError(
            f"cdist: `x` and `y` must have rank 2 or more and one size of the last axis; got "
            f"shapes {tuple(x.shape)} and {tuple(y.shape)}.\n"
            f"  Fix: points are rows, (…, count, size)."
        )
    apart = ops.expand_dims(x, -2) - ops.expand_dims(y, -3)
    return ops.sqrt(ops.reduce_sum(ops.square(apart), axis=-1))


# ---- segments ---------------------------------------------------------------------------------


def _segments(kind: str, data: Any, segment_ids: Any, num_segments: Any, is_sorted: bool) -> Tensor:
    data, ids = convert_to_tensor(data), convert_to_tensor(segment_ids)
    if ids.ndim > 1 or not data.shape[:1].is_compatible_with(ids.shape):
        raise ValueError(
            f"segment_{kind}: `segment_ids` must be a vector with one entry for each row of "
            f"`data`; got shapes {tuple(ids.shape)} and {tuple(data.shape)}.\n"
            f"  Fix: reshape the ids to (-1,), and data to (-1, …)."
        )
    if is_sorted:
        if num_segments is not None:
            raise ValueError(
                f"segment_{kind}: `num_segments` must be None with sorted=True; got "
                f"{num_segments}.\n  Fix: leave one of the two out."
            )
        return getattr(ops, f"segment_{kind}")(data, ids)
    if num_segments is None and kind == "sum":  # as Keras: how many ids there are
        num_segments = ops.shape(ops.unique(ids)[0])[0]
    elif num_segments is None:
        num_segments = static_int(ops.reduce_max(ids), "num_segments") + 1
    return getattr(ops, f"unsorted_segment_{kind}")(data, ids, num_segments)


@graph_function
def segment_sum(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """Return the sums of the rows with the same id.

    Args:
        data: ``(N, …)``.
        segment_ids: int, ``(N,)``; rows with a negative id are left out.
        num_segments: S, how many segments there are; None takes the number of different ids.
        sorted: Whether the ids ascend; `num_segments` is then None.

    Returns:
        ``(S, …)``, the dtype of `data`; 0 for segments without rows.

    Raises:
        ValueError: the ids do not fit the data.

    Example:
        >>> tf.keras.ops.segment_sum(tf.constant([1.0, 2.0, 4.0]), [0, 1, 0]).numpy()
        array([5., 2.], dtype=float32)
    """
    return _segments("sum", data, segment_ids, num_segments, sorted)


@graph_function
def segment_max(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """Return the maxima of the rows with the same id.

    Args:
        data: ``(N, …)``.
        segment_ids: int, ``(N,)``; rows with a negative id are left out.
        num_segments: S, how many segments there are; None takes the greatest id + 1.
        sorted: Whether the ids ascend; `num_segments` is then None.

    Returns:
        ``(S, …)``, the dtype of `data`; its least number for segments without rows.

    Raises:
        ValueError: the ids do not fit the data.

    Example:
        >>> tf.keras.ops.segment_max(tf.constant([1.0, 2.0, 4.0]), [0, 1, 0]).numpy()
        array([4., 2.], dtype=float32)
    """
    return _segments("max", data, segment_ids, num_segments, sorted)


@graph_function
def segment_min(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """Return the minima of the rows with the same id.

    Args:
        data: ``(N, …)``.
        segment_ids: int, ``(N,)``; rows with a negative id are left out.
        num_segments: S, how many segments there are; None takes the greatest id + 1.
        sorted: Whether the ids ascend; `num_segments` is then None.

    Returns:
        ``(S, …)``, the dtype of `data`; its greatest number for segments without rows.

    Raises:
        ValueError: the ids do not fit the data.

    Example:
        >>> tf.keras.ops.segment_min(tf.constant([1.0, 2.0, 4.0]), [0, 1, 0]).numpy()
        array([1., 2.], dtype=float32)
    """
    return _segments("min", data, segment_ids, num_segments, sorted)


@graph_function
def segment_prod(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """Return the products of the rows with the same id.

    Args:
        data: ``(N, …)``.
        segment_ids: int, ``(N,)``; rows with a negative id are left out.
        num_segments: S, how many segments there are; None takes the greatest id + 1.
        sorted: Whether the ids ascend; `num_segments` is then None.

    Returns:
        ``(S, …)``, the dtype of `data`; 1 for segments without rows.

    Raises:
        ValueError: the ids do not fit the data.

    Example:
        >>> tf.keras.ops.segment_prod(tf.constant([1.0, 2.0, 4.0]), [0, 1, 0]).numpy()
        array([4., 2.], dtype=float32)
    """
    return _segments("prod", data, segment_ids, num_segments, sorted)
