"""tf.keras.datasets.california_housing: prices of houses."""

from typing import Any

import numpy as np

from lamina.keras.datasets.sources import cached, checked_share, shuffled, split

__all__ = ["load_data"]

_SMALL = 600


def load_data(
    version: str = "large",
    path: Any = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
) -> Any:
    """Return the California housing data: 20,640 districts of 1990, 8 numbers each.

    The numbers are longitude, latitude, median age of the houses, rooms, bedrooms, people,
    households, and median income in tens of thousands of dollars.

    Args:
        version: "large", or "small" for the first 600 districts.
        path: The file's name in `~/.keras/datasets`, or a path with a folder in it.
        test_split: The share to test on, in [0, 1).
        seed: The seed of the order.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: float32 `(N, 8)`, and median prices in dollars,
        float32 `(N,)`.

    Raises:
        ValueError: `test_split` is out of range, or an unknown `version`.
        DownloadError: the file is neither in the cache nor to be had; the message says where to
            put it.

    Reference: Pace and Barry 1997, https://www.dcc.fc.up.pt/~ltorgo/Regression/cal_housing.html.
    """
    checked_share(test_split)
    if version not in ("small", "large"):
        raise ValueError(
            f'california_housing.load_data: `version` must be "small" or "large"; got {version!r}.'
        )
    with np.load(cached(path, "california_housing.npz"), allow_pickle=False) as file:
        x, y = file["x"], file["y"]
    if version == "small":
        x, y = x[:_SMALL], y[:_SMALL]
    x, y = shuffled(seed, x, y)
    return split(x, y, test_split)
