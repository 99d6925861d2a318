"""The initializers that TensorFlow has beside Keras': `tf.random_normal_initializer` and others.

Unlike Keras' they draw anew at each call, from the generator that `tf.random.set_seed` seeds.
"""

from typing import Any

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

zeros_initializer = Zeros
ones_initializer = Ones


class constant_initializer(Constant):  # noqa: N801 TensorFlow's name
    """Make one value everywhere, or an array broadcast to the shape.

    Args:
        value: A number or an array.
        support_partition: Accepted for TensorFlow's signature, unused.

    Example:
        >>> tf.constant_initializer(2.5)((2,)).numpy()
        array([2.5, 2.5], dtype=float32)
    """

    _config_omit = ("support_partition",)

    def __init__(self, value: Any = 0, support_partition: bool = False):
        super().__init__(value)


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
        return _draw("normal", shape, self.mean, self.stddev, dtype, self.seed)


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
        return _draw("uniform", shape, self.minval, self.maxval, dtype, self.seed)


def _draw(kind: str, shape: Any, first: Any, second: Any, dtype: Any, seed: Any) -> Any:
    """Draw in NumPy where the values are start values, in the program where one is recorded."""
    dtype = standardize_dtype(dtype)
    if local.trace.eager and (kind == "uniform" or as_dtype(dtype).is_floating):
        sizes = static_ints(shape, "shape")
        if host.can_draw(0, sizes, first, second, dtype):
            return host.draw(kind, draws.next_seed(seed), sizes, first, second, dtype)
    return getattr(draws, kind)(shape, first, second, dtype, seed=seed)
