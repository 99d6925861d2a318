"""Counts by value: histograms, bins, confusion matrices. Nothing here has a gradient."""

from typing import Any

import jax.numpy as jnp

from lamina.engine import as_dtype, convert_to_tensor, dtypes, errors, local, op, static_int
from lamina.ops import checks
from lamina.ops.casting import cast
from lamina.ops.reduce import reduce_max

__all__ = ["bincount", "confusion_matrix", "histogram_fixed_width", "histogram_fixed_width_bins"]


@op(mixed=True, differentiable=False)
def _bincount(arr, weights, *, size, by_row, dtype, binary_output):
    checks.integer(arr, "arr")
    rows = arr if by_row and arr.ndim == 2 else jnp.reshape(arr, (1, -1))
    amounts = jnp.ones(rows.shape, dtype.np) if weights is None else weights.reshape(rows.shape)
    row = jnp.arange(rows.shape[0])[:, None]
    place = jnp.zeros((rows.shape[0], size), amounts.dtype).at[row, rows]
    counts = place.set(1, mode="drop") if binary_output else place.add(amounts, mode="drop")
    return counts if by_row and arr.ndim == 2 else counts[0]


def _known_size(arr, minlength, maxlength):
    """Return the number of bins; the values are asked for unless the bounds decide it."""
    least = 0 if minlength is None else static_int(minlength, "tf.math.bincount: `minlength`")
    if maxlength is not None:
        maxlength = static_int(maxlength, "tf.math.bincount: `maxlength`")
        if least >= maxlength:
            return maxlength
    empty = arr.shape.num_elements() == 0
    size = 0 if empty else static_int(reduce_max(arr), "tf.math.bincount: the largest value") + 1
    size = max(size, least)
    return size if maxlength is None else min(size, maxlength)


def bincount(
    arr,
    weights=None,
    minlength=None,
    maxlength=None,
    dtype: Any = dtypes.int32,
    name=None,
    axis=None,
    binary_output=False,
):
    """Return how often each integer occurs.

    The number of bins depends on the values; inside a `tf.function`, give equal `minlength` and
    `maxlength`.

    Args:
        arr: Integers at least 0; floats lose their fraction.
        weights: What each occurrence counts, of the shape of `arr`; None for 1.
        minlength: The least number of bins.
        maxlength: The largest number of bins; values from it on are left out.
        dtype: The dtype of the counts, if there are no weights.
        name: Accepted, unused.
        axis: None or 0 counts all elements, -1 each row of a matrix ``(B, N)``.
        binary_output: Whether to return 1 for what occurs at all.

    Returns:
        ``(bins,)``, or ``(B, bins)``, in the dtype of the weights or `dtype`.

    Raises:
        ValueError: `axis` is neither None, 0 nor -1, or there are weights and `binary_output`.
        InvalidArgumentError: `arr` has a value below 0 that is known without running a program.

    Example:
        >>> tf.math.bincount([0, 1, 1, 3]).numpy()
        array([1, 2, 0, 1], dtype=int32)
    """
    if axis not in (None, 0, -1):
        raise ValueError(
            f"tf.math.bincount: `axis` must be None, 0 or -1; got {axis!r}.\n"
            "  Fix: tf.reshape what is to be counted into rows."
        )
    arr = convert_to_tensor(arr)
    if binary_output and weights is not None:
        raise ValueError(
            "tf.math.bincount: `weights` must be None with binary_output=True; got both.\n"
            "  Fix: leave one of them out."
        )
    if arr.dtype.is_floating:  # [] too
        arr = cast(arr, dtypes.int32)
    known = arr._host if local.trace.eager else None
    if known is not None and known.size and known.dtype != object and known.min() < 0:
        raise errors.InvalidArgumentError(
            f"tf.math.bincount: `arr` must hold integers at least 0; got {known.min()}.\n"
            "  Fix: tf.boolean_mask them out, or shift all."
        )
    return _bincount(
        arr,
        weights,
        size=_known_size(arr, minlength, maxlength),
        by_row=axis == -1,
        dtype=as_dtype(dtype),
        binary_output=bool(binary_output),
    )


@op(mixed=True, differentiable=False)
def _confusion(labels, predictions, weights, *, classes, dtype):
    labels, predictions = jnp.ravel(labels), jnp.ravel(predictions)
    amounts = 1 if weights is None else jnp.ravel(weights).astype(dtype.np)
    table = jnp.zeros((classes, classes), dtype.np)
    return table.at[labels, predictions].add(amounts, mode="drop")


def _require_classes(values, classes, what):
    """Ask eager values whether they are classes; a trace drops those that are not."""
    if not local.trace.eager:
        return
    known = values.numpy()
    if known.size and (known.min() < 0 or known.max() >= classes):
        raise errors.InvalidArgumentError(
            f"tf.math.confusion_matrix: `{what}` must lie in [0, {classes}); got values from "
            f"{known.min()} to {known.max()}.\n  Fix: give a larger `num_classes`."
        )


def _squeezed(labels, predictions):
    """Drop the last dimension of 1 that one has more than the other."""
    more = predictions.shape.rank - labels.shape.rank
    if more == 1 and predictions.shape[-1] == 1:
        return labels, predictions[..., 0]
    if more == -1 and labels.shape[-1] == 1:
        return labels[..., 0], predictions
    return labels, predictions


def confusion_matrix(
    labels, predictions, num_classes=None, weights=None, dtype: Any = dtypes.int32, name=None
):
    """Return how often each class (row) was predicted as each class (column).

    Args:
        labels: True classes ``(N,)``, integers at least 0.
        predictions: Predicted classes ``(N,)``.
        num_classes: C, the number of classes; None asks the values for the largest.
        weights: What each prediction counts ``(N,)``; None for 1.
        dtype: The dtype of the counts.
        name: Accepted, unused.

    Returns:
        ``(C, C)`` in `dtype`.

    Raises:
        InvalidArgumentError: a class is outside [0, C), or the shapes differ.

    Differs from TF:
        Inside a `tf.function`, classes outside [0, C) are left out instead of raising.

    Example:
        >>> tf.math.confusion_matrix([0, 1, 1], [0, 1, 0]).numpy()
        array([[1, 0],
               [1, 1]], dtype=int32)
    """
    labels, predictions = _squeezed(convert_to_tensor(labels), convert_to_tensor(predictions))
    if not labels.shape.is_compatible_with(predictions.shape):
        raise errors.InvalidArgumentError(
            "tf.math.confusion_matrix: `labels` and `predictions` must have one shape; got "
            f"{labels.shape} and {predictions.shape}.\n  Fix: tf.reshape them to (N,)."
        )
    if num_classes is None:
        sizes = [
            static_int(reduce_max(each), "tf.math.confusion_matrix: the largest class") + 1
            for each in (labels, predictions)
            if each.shape.num_elements() != 0
        ]
        classes = max(sizes, default=0)
    else:
        classes = static_int(num_classes, "tf.math.confusion_matrix: `num_classes`")
    _require_classes(labels, classes, "labels")
    _require_classes(predictions, classes, "predictions")
    return _confusion(labels, predictions, weights, classes=classes, dtype=as_dtype(dtype))


def _bins(values, value_range, nbins):
    low, high = value_range[0], value_range[1]
    fraction = (values - low) / (high - low)
    place = jnp.floor(nbins * fraction)
    return jnp.clip(place, 0, nbins - 1).astype(jnp.int32)


@op(differentiable=False)
def histogram_fixed_width_bins(values, value_range, nbins=100, dtype=dtypes.int32):
    """Return the bin of equal width that each value falls into.

    Args:
        values: Numbers.
        value_range: ``[low, high]`` of the same dtype; values beyond go to the outermost bins.
        nbins: The number of bins.
        dtype: An integer dtype.

    Returns:
        Bins in [0, nbins), of the shape of `values`, in `dtype`.

    Example:
        >>> tf.histogram_fixed_width_bins([-1.0, 1.5, 9.0], [0.0, 5.0], nbins=5).numpy()
        array([0, 1, 4], dtype=int32)
    """
    return _bins(values, value_range, nbins).astype(dtype.np)


@op(differentiable=False)
def _counted(values, value_range, *, nbins, dtype):
    places = jnp.ravel(_bins(values, value_range, nbins))
    return jnp.zeros(nbins, dtype.np).at[places].add(1)


def _require_bins(value_range, nbins, who):
    """Raise unless there are bins, and a range in eager code that has a width."""
    known = value_range.numpy() if local.trace.eager else None
    if nbins <= 0 or (known is not None and not known[0] < known[1]):
        raise errors.InvalidArgumentError(
            f"{who}: `nbins` must be positive, and `value_range` [low, high] with low < high; got "
            f"nbins {nbins}, value_range {value_range!s}.\n  Fix: order the range."
        )


def histogram_fixed_width(values, value_range, nbins=100, dtype: Any = dtypes.int32, name=None):
    """Return how many values fall into each of several bins of equal width.

    Args:
        values: Numbers.
        value_range: ``[low, high]`` of the same dtype; values beyond go to the outermost bins.
        nbins: The number of bins.
        dtype: The dtype of the counts.
        name: Accepted, unused.

    Returns:
        ``(nbins,)`` in `dtype`.

    Raises:
        InvalidArgumentError: `nbins` is not positive, or low is not below high.

    Example:
        >>> tf.histogram_fixed_width([-1.0, 1.5, 9.0], [0.0, 5.0], nbins=5).numpy()
        array([1, 1, 0, 0, 1], dtype=int32)
    """
    values = convert_to_tensor(values)
    value_range = convert_to_tensor(value_range, values.dtype)
    nbins = static_int(nbins, "tf.histogram_fixed_width: `nbins`")
    _require_bins(value_range, nbins, "tf.histogram_fixed_width")
    return _counted(values, value_range, nbins=nbins, dtype=as_dtype(dtype))
