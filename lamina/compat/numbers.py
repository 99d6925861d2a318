"""Types and sizes as TensorFlow 1 and 2 both spell them."""

import numbers
from typing import Any

import numpy as np

__all__ = [
    "bytes_or_text_types",
    "complex_types",
    "dimension_at_index",
    "dimension_value",
    "forward_compatibility_horizon",
    "forward_compatible",
    "integral_types",
    "real_types",
]

bytes_or_text_types = (bytes, str)
integral_types = (numbers.Integral, np.integer)
real_types = (numbers.Real, np.integer, np.floating)
complex_types = (numbers.Complex, np.number)


def dimension_value(dimension: Any) -> int | None:
    """Return a size: in TensorFlow 2 it is an int or None already.

    Args:
        dimension: The size.

    Example:
        >>> tf.compat.dimension_value(tf.TensorShape([None, 3])[1])
        3
    """
    return getattr(dimension, "value", dimension)


def dimension_at_index(shape: Any, index: int) -> int | None:
    """Return a size of a shape; None if the rank is unknown.

    Args:
        shape: A `tf.TensorShape`.
        index: The axis.

    Example:
        >>> tf.compat.dimension_at_index(tf.TensorShape([2, 3]), 1)
        3
    """
    return None if shape.rank is None else shape[index]


def forward_compatible(year: int, month: int, day: int) -> bool:
    """Return True: programs here are not read by an older version of the library.

    Args:
        year: Accepted, unused.
        month: Accepted, unused.
        day: Accepted, unused.
    """
    return True


class forward_compatibility_horizon:  # noqa: N801  # TensorFlow's name
    """A context under which nothing changes; see `forward_compatible`.

    Args:
        year: Accepted, unused.
        month: Accepted, unused.
        day: Accepted, unused.
    """

    def __init__(self, year: int, month: int, day: int) -> None:
        self._date = (year, month, day)

    def __enter__(self) -> None:
        """Change nothing."""

    def __exit__(self, *error: object) -> None:
        """Change nothing."""
