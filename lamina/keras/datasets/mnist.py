"""tf.keras.datasets.mnist: digits written by hand."""

from typing import Any

import numpy as np

from lamina.keras.datasets.sources import cached

__all__ = ["load_data"]


def load_data(path: Any = "mnist.npz") -> Any:
    """Return MNIST: 60,000 images of digits to train on, 10,000 to test on.

    Args:
        path: The file's name in `~/.keras/datasets`, or a path with a folder in it.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images, uint8 `(N, 28, 28)` in [0, 255]; digits,
        uint8 `(N,)`.

    Raises:
        DownloadError: the file is neither in the cache nor to be had; the message says where to
            put it.

    Reference: LeCun et al. 1998, http://yann.lecun.com/exdb/mnist/.
    """
    with np.load(cached(path, "mnist.npz"), allow_pickle=False) as file:
        return (file["x_train"], file["y_train"]), (file["x_test"], file["y_test"])
