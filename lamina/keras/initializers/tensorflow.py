"""The initializers that TensorFlow has beside Keras': `tf.random_normal_initializer` and others.

Unlike Keras' they draw anew at each call, from the generator that `tf.random.set_seed` seeds.
"""

from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import as_dtype, local, static_ints
from lamina.keras.initializers import host
from lamina.keras.initializers.base import Initializer
from lamina.keras.initializers.fixed import Constant, Ones, Zeros
from lamina.keras.policy import standardize_dtype
from lamina.ops import random as draws

__all__ = [
    "constant_initializer",
    "ones_initializer",
    "random_normal_initializer",
    "random_uniform_initializer",
    "zeros_initializer",
]


def _part(shape: Any, kwargs: dict[str, Any]) -> Any:
    """Return the shape of the part of a partitioned variable, or the whole shape."""
    return kwargs.get("partition_shape") or shape


def _require_number(dtype: Any, who: str) -> None:
    found = as_dtype(standardize_dtype(dtype))
    if found.name == "string":
        raise ValueError(
            f"{who}: `dtype` must be numeric or bool; got {found.name}.\n"
            '  Fix: tf.constant_initializer("").'
        )


class zeros_initializer(Zeros):  # noqa: N801 TensorFlow's name
    """Make zeros.

    Example:
        >>> tf.zeros_initializer()((2,)).numpy()
        array([0., 0.], dtype=float32)
    """

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        _require_number(dtype, "tf.zeros_initializer")
        return super().__call__(_part(shape, kwargs), dtype)


class ones_initializer(Ones):  # noqa: N801 TensorFlow's name
    """Make ones.

    Example:
        >>> tf.ones_initializer()((2,)).numpy()
        array([1., 1.], dtype=float32)
    """

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        _require_number(dtype, "tf.ones_initializer")
        return super().__call__(_part(shape, kwargs), dtype)


class constant_initializer(Constant):  # noqa: N801 TensorFlow's name
    """Make one value everywhere, or the values given, in rows: what `tf.constant` makes of them.

    Unlike `tf.keras.initializers.Constant` it does not broadcast, and without a `dtype` the value
    keeps its own.

    Args:
        value: A number, a string, or a list or array with as many values as the shape, or one.
        support_partition: Whether it can make a part of a variable: one value only.

    Raises:
        TypeError: `value` is a Tensor or another object; in the call: the numbers of values differ.
        ValueError: in the call: a part is asked for, and `support_partition` is False.

    Example:
        >>> tf.constant_initializer([1, 2, 3, 4])((2, 2)).numpy()
        array([[1, 2],
               [3, 4]], dtype=int32)
    """

    _config_omit = ("support_partition",)

    def __init__(self, value: Any = 0, support_partition: bool = False):
        if not (np.isscalar(value) or isinstance(value, list | tuple | np.ndarray)):
            raise TypeError(
                "tf.constant_initializer: `value` must be a number, a string, a list or an array; "
                f"got {type(value).__name__}.\n  Fix: tensor.numpy() is an array."
            )
        super().__init__(value)
        self.support_partition = support_partition

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        if kwargs.get("partition_shape") and not self.support_partition:
            raise ValueError(
                "tf.constant_initializer: it makes parts with `support_partition=True` only; got "
                f"`partition_shape` {kwargs['partition_shape']}.\n  Fix: pass it."
            )
        dtype = None if dtype is None else as_dtype(dtype)
        return ops.constant(self.value, dtype, shape=_part(shape, kwargs))


class random_normal_initializer(Initializer):  # noqa: N801 TensorFlow's name
    """Draw from a normal distribution, anew at each call.

    Args:
        mean: Its mean.
        stddev: Its standard deviation.
        seed: An int that fixes the sequence of draws, together with `tf.random.set_seed`.

    Example:
        >>> tf.random_normal_initializer(stddev=0.02)((2, 3)).shape
        TensorShape([2, 3])
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None):
        self.mean = mean
        self.stddev = stddev
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        return _draw("normal", _part(shape, kwargs), self.mean, self.stddev, dtype, self.seed)


class random_uniform_initializer(Initializer):  # noqa: N801 TensorFlow's name
    """Draw from ``[minval, maxval)``, anew at each call.

    Args:
        minval: The lower end.
        maxval: The upper end, not reached.
        seed: An int that fixes the sequence of draws, together with `tf.random.set_seed`.

    Example:
        >>> tf.random_uniform_initializer(0.0, 1.0)((2, 3)).shape
        TensorShape([2, 3])
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None):
        self.minval = minval
        self.maxval = maxval
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> Any:
        return _draw("uniform", _part(shape, kwargs), self.minval, self.maxval, dtype, self.seed)


def _draw(kind: str, shape: Any, first: Any, second: Any, dtype: Any, seed: Any) -> Any:
    """Draw in NumPy where the values are start values, in the program where one is recorded."""
    dtype = standardize_dtype(dtype)
    if local.trace.eager and (kind == "uniform" or as_dtype(dtype).is_floating):
        sizes = static_ints(shape, "shape")
        if host.can_draw(0, sizes, first, second, dtype):
            return host.draw(kind, draws.next_seed(seed), sizes, first, second, dtype)
    return getattr(draws, kind)(shape, first, second, dtype, seed=seed)
