"""Axes of ragged Tensors made one."""

import numpy as np

from lamina.ops.ragged.nesting import is_ragged
from lamina.ops.shaping import reshape

__all__ = ["inner_values", "joined_splits"]


def inner_values(value):
    """Return the values of all rows: the first two axes made one."""
    if is_ragged(value):
        return value.values
    rows, size, *rest = (int(n) for n in value.shape)
    return reshape(value, [rows * size, *rest])


def joined_splits(splits, value):
    """Return row splits of `value` as splits of its inner values."""
    if is_ragged(value):
        return value._partition._numbers[splits]
    return np.asarray(splits) * int(value.shape[1])
