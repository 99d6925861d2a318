"""tf.keras.datasets.boston_housing: prices of houses."""

from typing import Any

import numpy as np

from lamina.keras.datasets.sources import cached, checked_share, shuffled, split

__all__ = ["load_data"]


def load_data(path: Any = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> Any:
    """Return the Boston housing data: 506 districts of the 1970s, 13 numbers each.

    One of the numbers assumes that who lives in a district moves its prices; use it for examples
    of such faults only.

    Args:
        path: The file's name in `~/.keras/datasets`, or a path with a folder in it.
        test_split: The share to test on, in [0, 1).
        seed: The seed of the order.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: float64 `(N, 13)`, and median prices in thousands
        of dollars, float64 `(N,)`.

    Raises:
        ValueError: `test_split` is out of range.
        DownloadError: the file is neither in the cache nor to be had; the message says where to
            put it.

    Reference: Harrison and Rubinfeld 1978, http://lib.stat.cmu.edu/datasets/boston.
    """
    checked_share(test_split)
    with np.load(cached(path, "boston_housing.npz"), allow_pickle=False) as file:
        x, y = shuffled(seed, file["x"], file["y"])
    return split(x, y, test_split)
