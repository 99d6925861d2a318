"""Start values made by NumPy, then handed to the device.

Weights of a model have dozens of shapes, and a program compiled for each of them costs a hundred
times the drawing itself. Very large weights are made by recorded operations all the same.
"""

import math
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import as_dtype

__all__ = ["can_draw", "draw", "fits", "orthogonal", "tensor"]

_LIMIT = 2**24  # elements


def fits(shape: tuple[int, ...], dtype: str) -> bool:
    """Return whether a value of this shape and dtype should be made here."""
    return dtype != "string" and math.prod(shape) <= _LIMIT


def can_draw(seed: Any, shape: tuple[int, ...], first: Any, second: Any, dtype: str) -> bool:
    """Return whether random values with these parameters should be drawn here."""
    plain = int | float | np.integer | np.floating
    known = all(isinstance(value, plain) for value in (seed, first, second))
    kind = as_dtype(dtype)
    return known and fits(shape, dtype) and (kind.is_floating or kind.is_integer)


def tensor(array: Any, dtype: str) -> Any:
    """Return an array as a Tensor of a dtype, cast as NumPy casts."""
    return ops.convert_to_tensor(np.asarray(array).astype(as_dtype(dtype).np))


def draw(
    kind: str, seed: int, shape: tuple[int, ...], first: float, second: float, dtype: str
) -> Any:
    """Return a Tensor of random values.

    Args:
        kind: "normal", "truncated_normal" or "uniform".
        seed: The seed; the same one gives the same values.
        shape: The shape.
        first: The mean, or the lower end.
        second: The standard deviation, or the upper end.
        dtype: The dtype's name; integers for "uniform" only.
    """
    generator = np.random.default_rng(int(seed) % 2**64)
    if as_dtype(dtype).is_integer:
        return tensor(generator.integers(int(first), int(second), shape), dtype)
    work = np.float64 if dtype == "float64" else np.float32
    if kind == "uniform":
        values = generator.random(shape, work) * work(second - first) + work(first)
    else:
        values = generator.standard_normal(shape, work)
        if kind == "truncated_normal":
            _redraw_tails(generator, values)
        values = values * work(second) + work(first)
    return tensor(values, dtype)


def _redraw_tails(generator: np.random.Generator, values: np.ndarray) -> None:
    """Draw values beyond two standard deviations again, until there are none."""
    flat = values.reshape(-1)
    far = np.flatnonzero(np.abs(flat) > 2)
    while far.size:
        flat[far] = generator.standard_normal(far.size, flat.dtype.type)
        far = far[np.abs(flat[far]) > 2]


def orthogonal(seed: int, tall: tuple[int, int], dtype: str) -> np.ndarray:
    """Return the Q of a random matrix, with the signs that make it uniform."""
    work = np.float64 if dtype == "float64" else np.float32
    q, r = np.linalg.qr(np.random.default_rng(int(seed) % 2**64).standard_normal(tall, work))
    return q * np.where(np.diagonal(r) < 0, -1, 1).astype(work)
