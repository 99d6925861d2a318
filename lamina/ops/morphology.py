"""Greyscale morphology: dilation and erosion with a structuring filter."""

import jax.numpy as jnp

from lamina.engine import op
from lamina.ops import windows
from lamina.ops.pooling import larger, lowest_value, pad_with, window_geometry

__all__ = ["dilation2d", "erosion2d"]


@op
def _dilation2d(x, filters, *, how):
    axes, pads, geometry = window_geometry(x, how, filters.shape[:2])
    strides, dilations = how.strides, how.dilations
    x = pad_with(x, axes, pads, lowest_value(x.dtype))
    counts = [
        windows.output_size(x.shape[axis], *each) for axis, each in zip(axes, geometry, strict=True)
    ]
    best = None
    for i in range(filters.shape[0]):
        for j in range(filters.shape[1]):
            seen = windows.shifted(x, 1, i * dilations[0], counts[0], strides[0])
            seen = windows.shifted(seen, 2, j * dilations[1], counts[1], strides[1])
            seen = seen + filters[i, j]
            best = seen if best is None else larger(best, seen)
    return best


def _morphology(who, x, filters, strides, padding, data_format, dilations):
    if windows.channels_come_first(data_format, who):
        raise ValueError(
            f"{who}: `data_format` must be 'NHWC'; got {data_format!r}.\n"
            "  Fix: tf.transpose the input."
        )
    how = windows.sliding(who, 2, strides, padding, data_format, dilations)
    return _dilation2d(x, filters, how=how)


def dilation2d(input, filters, strides, padding, data_format, dilations, name=None):
    """Return the maximum of ``input + filters`` over each window: greyscale dilation.

    Args:
        input: Numbers, ``(B, H, W, C)``.
        filters: ``(rows, columns, C)``, same dtype.
        strides: Steps of the window: 4 ints.
        padding: "SAME" or "VALID".
        data_format: "NHWC".
        dilations: Distances between the filter's entries: 4 ints.
        name: Accepted, unused.

    Returns:
        ``(B, H', W', C)``, same dtype.

    Raises:
        ValueError: shapes, padding or data format do not fit.

    Example:
        >>> x, w, ones = tf.ones((1, 2, 2, 1)), tf.ones((2, 2, 1)), [1, 1, 1, 1]
        >>> tf.nn.dilation2d(x, w, ones, "VALID", "NHWC", ones).numpy().ravel()
        array([2.], dtype=float32)
    """
    who = "tf.nn.dilation2d"
    return _morphology(who, input, filters, strides, padding, data_format, dilations)


@op
def _negated(x, filters):
    return -x, jnp.flip(filters, (0, 1))


@op
def _negative(x):
    return -x


def erosion2d(value, filters, strides, padding, data_format, dilations, name=None):
    """Return the minimum of ``value - filters`` over each window: greyscale erosion.

    Args:
        value: Numbers, ``(B, H, W, C)``.
        filters: ``(rows, columns, C)``, same dtype.
        strides: Steps of the window: 4 ints.
        padding: "SAME" or "VALID".
        data_format: "NHWC".
        dilations: Distances between the filter's entries: 4 ints.
        name: Accepted, unused.

    Returns:
        ``(B, H', W', C)``, same dtype.

    Raises:
        ValueError: shapes, padding or data format do not fit.

    Example:
        >>> x, w, ones = tf.ones((1, 2, 2, 1)), tf.zeros((2, 2, 1)), [1, 1, 1, 1]
        >>> tf.nn.erosion2d(x, w, ones, "VALID", "NHWC", ones).numpy().ravel()
        array([1.], dtype=float32)
    """
    who = "tf.nn.erosion2d"
    x, w = _negated(value, filters)
    return _negative(_morphology(who, x, w, strides, padding, data_format, dilations))
