"""Pooling over windows of uneven size, whose ratio need not be whole."""

import collections
import math as _math

import numpy as np

from lamina.engine import convert_to_tensor, errors
from lamina.ops import reduce, shaping

__all__ = ["fractional_avg_pool", "fractional_max_pool"]

Pooled = collections.namedtuple(
    "Pooled", ["output", "row_pooling_sequence", "col_pooling_sequence"]
)


def _edges(size, count, pseudo_random, generator):
    """Return where the windows along an axis start, and the end: `count + 1` numbers."""
    alpha = size / count
    if pseudo_random:
        # Graham 2014: ceil(alpha (i + u)), u in (0, 1), shifted to start at 0.
        most = (_math.floor(alpha) + 1) / alpha - (count - 1)
        limit = (size + 1 - _math.floor(alpha)) / alpha - (count - 1)
        shift = generator.random() * min(most, limit)
        edges = np.floor(alpha * (np.arange(count + 1) + max(shift, 0))).astype(np.int64)
        edges -= edges[0]
        edges[-1] = size
        return edges
    small, extra = divmod(size, count)
    steps = np.full(count, small)
    steps[:extra] += 1
    generator.shuffle(steps)
    return np.concatenate([[0], np.cumsum(steps)])


def _windows(x, axis, edges, overlapping, combine):
    """Combine the items of each window along an axis."""
    parts = []
    size = int(x.shape[axis])
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        stop = min(stop + 1, size) if overlapping else stop
        key = (slice(None),) * axis + (slice(start, stop),)
        parts.append(combine(x[key], axis))
    return shaping.stack(parts, axis)


def _pool(value, pooling_ratio, pseudo_random, overlapping, seed, combine, who):
    x = convert_to_tensor(value)
    if x.shape.rank != 4:
        raise ValueError(
            f"{who}: `value` must have shape (batch, height, width, channels); got {x.shape}."
        )
    if isinstance(pooling_ratio, int | float):
        ratio = [1.0, float(pooling_ratio), float(pooling_ratio), 1.0]
    else:
        ratio = [float(r) for r in pooling_ratio]
        ratio = ratio if len(ratio) == 4 else [1.0, *(ratio * 2)[:2], 1.0]
    if ratio[0] != 1.0 or ratio[3] != 1.0 or min(ratio) < 1.0:
        raise errors.InvalidArgumentError(
            f"{who}: `pooling_ratio` must be 1 for batch and channels and at least 1 elsewhere; "
            f"got {ratio}."
        )
    generator = np.random.default_rng(seed or None)
    edges = []
    for axis in (1, 2):
        size = int(x.shape[axis])
        count = _math.floor(size / ratio[axis])
        edges.append(_edges(size, count, pseudo_random, generator))
        x = _windows(x, axis, edges[-1], overlapping, combine)
    return Pooled(x, *map(convert_to_tensor, edges))


def fractional_max_pool(
    value, pooling_ratio, pseudo_random=False, overlapping=False, seed=0, name=None
):
    """Return the maximum of windows whose sizes differ by one, drawn at random.

    Args:
        value: A Tensor `(B, H, W, C)`.
        pooling_ratio: By how much the height and width shrink, at least 1: a number, or one for
            each axis, 1 for batch and channels.
        pseudo_random: Whether window sizes follow an even pattern with a random start, in place
            of a random order.
        overlapping: Whether windows share their borders.
        seed: Of the sizes; 0 draws anew each time.
        name: Accepted, unused.

    Returns:
        `output` `(B, H / ratio, W / ratio, C)` rounded down, `row_pooling_sequence` and
        `col_pooling_sequence`: where windows start, and the end.

    Raises:
        ValueError: `value` has not four axes.
        InvalidArgumentError: a ratio is out of range.

    Example:
        >>> tf.nn.fractional_max_pool(tf.zeros([1, 6, 6, 1]), 1.5, seed=1).output.shape
        TensorShape([1, 4, 4, 1])

    Reference: Graham 2014, https://arxiv.org/abs/1412.6071.
    """
    given = value, pooling_ratio, pseudo_random, overlapping, seed
    return _pool(*given, reduce.reduce_max, "tf.nn.fractional_max_pool")


def fractional_avg_pool(
    value, pooling_ratio, pseudo_random=False, overlapping=False, seed=0, name=None
):
    """Return the mean of windows whose sizes differ by one, drawn at random.

    Args:
        value: A Tensor `(B, H, W, C)`.
        pooling_ratio: By how much the height and width shrink, at least 1: a number, or one for
            each axis, 1 for batch and channels.
        pseudo_random: Whether window sizes follow an even pattern with a random start, in place
            of a random order.
        overlapping: Whether windows share their borders.
        seed: Of the sizes; 0 draws anew each time.
        name: Accepted, unused.

    Returns:
        `output` `(B, H / ratio, W / ratio, C)` rounded down, `row_pooling_sequence` and
        `col_pooling_sequence`: where windows start, and the end.

    Raises:
        ValueError: `value` has not four axes.
        InvalidArgumentError: a ratio is out of range.

    Example:
        >>> tf.nn.fractional_avg_pool(tf.zeros([1, 6, 6, 1]), 1.5, seed=1).output.shape
        TensorShape([1, 4, 4, 1])

    Reference: Graham 2014, https://arxiv.org/abs/1412.6071.
    """
    given = value, pooling_ratio, pseudo_random, overlapping, seed
    return _pool(*given, reduce.reduce_mean, "tf.nn.fractional_avg_pool")
