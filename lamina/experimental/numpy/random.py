"""tf.experimental.numpy.random: draws from the global stream; floats are float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import Tensor, dtypes
from lamina.experimental.numpy.operands import array_of, default_float, dtype_of, floats

__all__ = ["poisson", "rand", "randint", "randn", "random", "seed", "standard_normal", "uniform"]


def _sizes(size: Any) -> Any:
    if size is None:
        return ()
    return size if isinstance(size, list | tuple | Tensor) else np.atleast_1d(np.asarray(size))


def seed(s: int) -> None:
    """Start the global stream again.

    Args:
        s: An integer.

    State:
        The stream, as by `tf.random.set_seed`.

    Example:
        >>> tnp = tf.experimental.numpy
        >>> tnp.random.seed(3)
        >>> first = tnp.random.rand(2)
        >>> tnp.random.seed(3)
        >>> bool(tnp.all(first == tnp.random.rand(2)))
        True
    """
    ops.set_seed(int(np.asarray(s)))


def standard_normal(size: Any = None) -> Tensor:
    """Draw from the standard normal distribution.

    Args:
        size: The shape; None draws one number.

    Example:
        >>> tf.experimental.numpy.random.standard_normal((2, 3)).shape
        TensorShape([2, 3])
    """
    return ops.normal(_sizes(size), dtype=default_float())


def randn(*args: Any) -> Tensor:
    """Draw from the standard normal distribution.

    Args:
        *args: The sizes; none draws one number.

    Example:
        >>> tf.experimental.numpy.random.randn(2, 3).dtype
        tf.float64
    """
    return standard_normal(args)


def uniform(low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Tensor:
    """Draw uniformly from ``[low, high)``.

    Args:
        low: The lower bound.
        high: The upper bound.
        size: The shape; None takes that of the bounds.

    Example:
        >>> tf.experimental.numpy.random.uniform(size=(2,)).shape
        TensorShape([2])
    """
    first, last = (ops.cast(v, default_float()) for v in floats(low, high))
    if size is None:
        size = np.broadcast_shapes(tuple(first.shape), tuple(last.shape))
    return ops.uniform(_sizes(size), first, last, dtype=default_float())


def random(size: Any = None) -> Tensor:
    """Draw uniformly from ``[0, 1)``.

    Args:
        size: The shape; None draws one number.
    """
    return uniform(0.0, 1.0, size)


def rand(*size: Any) -> Tensor:
    """Draw uniformly from ``[0, 1)``.

    Args:
        *size: The sizes; none draws one number.
    """
    return uniform(0.0, 1.0, size)


def randint(low: Any, high: Any = None, size: Any = None, dtype: Any = np.int64) -> Tensor:
    """Draw integers uniformly from ``[low, high)``.

    Args:
        low: The lower bound; or the upper one, if `high` is None: then the lower one is 0.
        high: The upper bound, excluded.
        size: The shape; None draws one number.
        dtype: An integer dtype.

    Raises:
        ValueError: another dtype.

    Example:
        >>> int(tf.experimental.numpy.random.randint(1))
        0
    """
    wanted = dtype_of(dtype)
    if not wanted.is_integer or wanted.size < 4:
        raise ValueError(
            f"tf.experimental.numpy.random.randint: `dtype` must be an integer dtype of 32 or 64 "
            f"bits; got {wanted.name}.\n  Fix: use np.int64, the default, and cast."
        )
    if high is None:
        low, high = 0, low
    return ops.uniform(_sizes(size), low, high, dtype=wanted)


def poisson(lam: Any = 1.0, size: Any = None) -> Tensor:
    """Draw from Poisson distributions.

    Args:
        lam: The means, not negative.
        size: The shape, which that of `lam` must broadcast to; None takes that of `lam`.

    Returns:
        An int64 Tensor.

    Example:
        >>> tf.experimental.numpy.random.poisson([1.0, 2.0]).shape
        TensorShape([2])
    """
    lam = array_of(lam)
    if size is not None:
        lam = ops.broadcast_to(lam, _sizes(size))
    return ops.poisson((), lam, dtype=dtypes.int64)
