"""tf.keras.datasets.fashion_mnist: clothes, in the form of MNIST."""

import gzip
from typing import Any

import numpy as np

from lamina.keras.datasets.sources import cached

__all__ = ["load_data"]

_HEADER = {"labels-idx1": 8, "images-idx3": 16}  # bytes before the values


def load_data() -> Any:
    """Return Fashion-MNIST: 60,000 images of clothes to train on, 10,000 to test on.

    The classes are T-shirt/top, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag and
    ankle boot. The four files are looked for in `~/.keras/datasets/fashion-mnist`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images, uint8 `(N, 28, 28)` in [0, 255]; classes,
        uint8 `(N,)`.

    Raises:
        DownloadError: a file is neither in the cache nor to be had; the message says where to put
            it.

    Reference: Xiao et al. 2017, https://arxiv.org/abs/1708.07747.
    """
    return tuple(
        (_read(side, "images-idx3").reshape(-1, 28, 28), _read(side, "labels-idx1"))
        for side in ("train", "t10k")
    )


def _read(side: str, kind: str) -> np.ndarray:
    name = f"{side}-{kind}-ubyte.gz"
    with gzip.open(cached(name, name, "datasets/fashion-mnist"), "rb") as file:
        return np.frombuffer(file.read(), np.uint8, offset=_HEADER[kind])
