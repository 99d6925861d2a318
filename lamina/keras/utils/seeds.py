"""One seed for everything that draws random numbers."""

import random as _python_random

import numpy as np

from lamina.ops.random import set_seed

__all__ = ["set_random_seed"]


def set_random_seed(seed: int) -> None:
    """Seed Python, NumPy and lamina.

    Args:
        seed: An int in [0, 2**32).

    Raises:
        ValueError: `seed` is something else.

    Example:
        >>> tf.keras.utils.set_random_seed(7)
        >>> first = tf.random.normal([2])
        >>> tf.keras.utils.set_random_seed(7)
        >>> bool(tf.reduce_all(tf.random.normal([2]) == first))
        True
    """
    if not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(
            f"tf.keras.utils.set_random_seed: `seed` must be an int in [0, 2**32); got {seed!r}."
        )
    _python_random.seed(seed)
    np.random.seed(seed)
    set_seed(seed)
