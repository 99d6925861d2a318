"""Order: places of extrema, sorting, the largest few."""

from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import lax

from lamina.engine import (
    Tensor,
    as_dtype,
    convert_to_tensor,
    dtypes,
    errors,
    local,
    op,
    static_int,
)
from lamina.ops import checks

__all__ = [
    "approx_max_k",
    "approx_min_k",
    "argmax",
    "argmin",
    "argsort",
    "in_top_k",
    "invert_permutation",
    "sort",
    "top_k",
]


def _place(find, x, axis, output_type, worst):
    """Return `find` along an axis, NaN counting as `worst`, as TF has it."""
    axis = checks.axis(x, 0 if axis is None else axis)
    if x.shape[axis] == 0:
        raise errors.InvalidArgumentError(
            f"`input` must not be empty along axis {axis}; got shape {x.shape}.\n"
            "  Fix: guard the call by the size."
        )
    if jnp.issubdtype(x.dtype, jnp.floating):
        x = jnp.where(jnp.isnan(x), worst, x)
    return find(x, axis, as_dtype(output_type).np)


@op(differentiable=False)
def argmax(input, axis=None, output_type=dtypes.int64):
    """Return where the largest element is along an axis; the first place at a tie.

    Args:
        input: Real numbers.
        axis: The axis to search; None for 0.
        output_type: An integer dtype.

    Returns:
        Places in `output_type`, with the shape of `input` less that axis. NaN is never largest.

    Raises:
        InvalidArgumentError: `axis` is out of range or of size 0.

    Example:
        >>> tf.argmax([[1, 5], [7, 2]], axis=1).numpy()
        array([1, 0])
    """
    return _place(lax.argmax, input, axis, output_type, -jnp.inf)


@op(differentiable=False)
def argmin(input, axis=None, output_type=dtypes.int64):
    """Return where the smallest element is along an axis; the first place at a tie.

    Args:
        input: Real numbers.
        axis: The axis to search; None for 0.
        output_type: An integer dtype.

    Returns:
        Places in `output_type`, with the shape of `input` less that axis. NaN is never smallest.

    Raises:
        InvalidArgumentError: `axis` is out of range or of size 0.

    Example:
        >>> tf.argmin([[1, 5], [7, 2]], axis=1).numpy()
        array([0, 1])
    """
    return _place(lax.argmin, input, axis, output_type, jnp.inf)


def _is_descending(direction):
    if direction not in ("ASCENDING", "DESCENDING"):
        raise ValueError(
            f"`direction` must be 'ASCENDING' or 'DESCENDING'; got {direction!r}.\n"
            "  Fix: spell it in capitals."
        )
    return direction == "DESCENDING"


@op
def sort(values, axis=-1, direction="ASCENDING"):
    """Return the elements in order along an axis.

    Args:
        values: Real numbers.
        axis: The axis to sort.
        direction: "ASCENDING" or "DESCENDING".

    Returns:
        The shape and dtype of `values`.

    Raises:
        ValueError: `direction` is neither.
        InvalidArgumentError: `axis` is out of range.

    Example:
        >>> tf.sort([3, 1, 2], direction="DESCENDING").numpy()
        array([3, 2, 1], dtype=int32)
    """
    descending = _is_descending(direction)
    return jnp.sort(values, axis=checks.axis(values, axis), descending=descending)


@op(differentiable=False)
def argsort(values, axis=-1, direction="ASCENDING", stable=False):
    """Return the places that put the elements in order along an axis.

    Args:
        values: Real numbers.
        axis: The axis to sort.
        direction: "ASCENDING" or "DESCENDING".
        stable: Accepted: equal elements always keep their order.

    Returns:
        int32 places, of the shape of `values`.

    Raises:
        ValueError: `direction` is neither.
        InvalidArgumentError: `axis` is out of range.

    Example:
        >>> tf.argsort([3, 1, 2]).numpy()
        array([1, 2, 0], dtype=int32)
    """
    descending = _is_descending(direction)
    axis = checks.axis(values, axis)
    places = jnp.argsort(values, axis=axis, stable=True, descending=descending)
    return places.astype(jnp.int32)


class TopKV2(NamedTuple):
    """The largest elements of each row, and where they stand.

    Attributes:
        values: The elements, the largest first.
        indices: Their places in the last axis.
    """

    values: Tensor
    indices: Tensor


@op
def _top_k(input, *, k, index_type):
    size = input.shape[-1] if input.ndim else 0
    if k < 0 or (isinstance(size, int) and k > size) or input.ndim == 0:
        raise errors.InvalidArgumentError(
            f"`k` must lie between 0 and the size of the last axis of `input`; got k = {k} for "
            f"shape {input.shape}.\n  Fix: use `tf.minimum(k, size)`, or pad the input."
        )
    values, indices = lax.top_k(input, k)
    return values, indices.astype(index_type.np)


def top_k(input, k: Any = 1, sorted=True, index_type: Any = dtypes.int32, name=None):
    """Return the `k` largest elements of each row, and where they stand.

    Args:
        input: Real numbers, ``(…, N)``.
        k: How many, at most N.
        sorted: Accepted: the largest always comes first, the first place at a tie.
        index_type: An integer dtype.
        name: Accepted, unused.

    Returns:
        A named tuple: `values` ``(…, k)`` in the dtype of `input`, `indices` ``(…, k)``.

    Raises:
        InvalidArgumentError: a row has fewer than `k` elements.

    Example:
        >>> values, indices = tf.math.top_k([1, 9, 5], k=2)
        >>> values.numpy(), indices.numpy()
        (array([9, 5], dtype=int32), array([1, 2], dtype=int32))
    """
    k = static_int(k, "tf.math.top_k: `k`")
    return TopKV2(*_top_k(input, k=k, index_type=as_dtype(index_type)))


@op(mixed=True, differentiable=False)
def in_top_k(targets, predictions, k):
    """Return whether each target class is among the `k` highest predictions of its row.

    Args:
        targets: Integer classes ``(B,)``.
        predictions: Float ``(B, C)``.
        k: How many count; classes that tie with the last of them count too.

    Returns:
        bool ``(B,)``; False where the class is outside [0, C) or a prediction is not finite.

    Example:
        >>> tf.math.in_top_k([0, 2], [[0.7, 0.2, 0.1], [0.5, 0.3, 0.2]], k=1).numpy()
        array([ True, False])
    """
    if targets.ndim != 1 or predictions.ndim != 2:
        raise errors.InvalidArgumentError(
            "`targets` must be of shape (B,) and `predictions` of shape (B, C); got "
            f"{targets.shape} and {predictions.shape}.\n  Fix: tf.reshape them."
        )
    classes = predictions.shape[1]
    is_class = (targets >= 0) & (targets < classes)
    place = jnp.where(is_class, targets, 0)[:, None]
    score = jnp.take_along_axis(predictions, place, axis=1)
    better = jnp.sum(predictions > score, axis=1)
    return is_class & jnp.all(jnp.isfinite(predictions), axis=1) & (better < k)


@op(differentiable=False)
def _inverted(x):
    return jnp.argsort(checks.integer(x)).astype(x.dtype)


def invert_permutation(x, name=None):
    """Return the permutation that undoes ``x``.

    Args:
        x: Integers ``(N,)``: each of 0 … N - 1 once.
        name: Accepted, unused.

    Returns:
        ``y`` with ``y[x[i]] = i``, in the dtype of `x`.

    Raises:
        InvalidArgumentError: `x` is no vector of integers, or its values, where they are known
            without running a program, are no permutation.

    Example:
        >>> tf.math.invert_permutation([2, 0, 1]).numpy()
        array([1, 2, 0], dtype=int32)
    """
    x = convert_to_tensor(x)
    known = x._host if local.trace.eager else None
    if x.ndim != 1 or (known is not None and sorted(known.tolist()) != list(range(len(known)))):
        raise errors.InvalidArgumentError(
            "tf.math.invert_permutation: `x` must be a vector with each of 0 … N - 1 once; got "
            f"{x!s}.\n  Fix: tf.argsort gives the order of any values."
        )
    return _inverted(x)


class ApproxTopK(NamedTuple):
    """What `tf.math.approx_max_k` and `approx_min_k` return."""

    values: Tensor
    indices: Tensor


def _approximate(find, operand, k, dimension, recall, size_override, aggregate):
    return tuple(
        find(
            operand,
            k,
            reduction_dimension=dimension,
            recall_target=recall,
            reduction_input_size_override=size_override,
            aggregate_to_topk=aggregate,
        )
    )


@op
def _approx_max_k(operand, *, options):
    return _approximate(lax.approx_max_k, operand, *options)


@op
def _approx_min_k(operand, *, options):
    return _approximate(lax.approx_min_k, operand, *options)


def approx_max_k(
    operand,
    k,
    reduction_dimension: Any = -1,
    recall_target: Any = 0.95,
    reduction_input_size_override: Any = -1,
    aggregate_to_topk=True,
    name=None,
):
    """Return about the `k` largest elements along an axis; exact on CPU and GPU.

    Args:
        operand: Float.
        k: How many.
        reduction_dimension: The axis to search.
        recall_target: The fraction of the true ones to be found on a TPU, in (0, 1].
        reduction_input_size_override: The size the recall is meant for, or -1 for the axis'.
        aggregate_to_topk: Whether to return exactly `k`.
        name: Accepted, unused.

    Returns:
        A namedtuple: `values`, the largest first, and `indices`, their int32 places.

    Example:
        >>> tf.math.approx_max_k([1.0, 9.0, 5.0], 2)[0].numpy()
        array([9., 5.], dtype=float32)

    Reference: Chern et al. 2022, https://arxiv.org/abs/2206.14286.
    """
    options = (k, reduction_dimension, recall_target)
    options += (reduction_input_size_override, aggregate_to_topk)
    return ApproxTopK(*_approx_max_k(operand, options=options))


def approx_min_k(
    operand,
    k,
    reduction_dimension: Any = -1,
    recall_target: Any = 0.95,
    reduction_input_size_override: Any = -1,
    aggregate_to_topk=True,
    name=None,
):
    """Return about the `k` smallest elements along an axis; exact on CPU and GPU.

    Args:
        operand: Float.
        k: How many.
        reduction_dimension: The axis to search.
        recall_target: The fraction of the true ones to be found on a TPU, in (0, 1].
        reduction_input_size_override: The size the recall is meant for, or -1 for the axis'.
        aggregate_to_topk: Whether to return exactly `k`.
        name: Accepted, unused.

    Returns:
        A namedtuple: `values`, the smallest first, and `indices`, their int32 places.

    Example:
        >>> tf.math.approx_min_k([1.0, 9.0, 5.0], 2)[0].numpy()
        array([1., 5.], dtype=float32)

    Reference: Chern et al. 2022, https://arxiv.org/abs/2206.14286.
    """
    options = (k, reduction_dimension, recall_target)
    options += (reduction_input_size_override, aggregate_to_topk)
    return ApproxTopK(*_approx_min_k(operand, options=options))
