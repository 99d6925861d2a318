"""The files of CIFAR-10 and CIFAR-100."""

from pathlib import Path
from typing import Any

import numpy as np

from lamina.keras import policy
from lamina.keras.datasets.sources import HASHES, safe_pickle
from lamina.keras.utils.files import cache_folder, get_file

__all__ = ["archive", "batches", "samples"]

_ORIGIN = "https://www.cs.toronto.edu/~kriz/"


def archive(name: str, inner: str) -> Path:
    """Return the folder of an unpacked archive, in the cache or fetched into it.

    Args:
        name: The published archive, "cifar-10-python.tar.gz".
        inner: The folder in it, "cifar-10-batches-py".
    """
    plain = cache_folder() / "datasets" / inner  # where older versions of Keras unpacked it
    if (plain / "meta").exists() or (plain / "batches.meta").exists():
        return plain
    origin = _ORIGIN + name
    found = get_file(f"{inner}-target", origin=origin, extract=True, file_hash=HASHES[name])
    return Path(found) / inner


def batches(paths: list[Path], key: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the images `(N, 3, 32, 32)` and the labels `(N, 1)` of some batch files, uint8."""
    images, labels = [], []
    for path in paths:
        with path.open("rb") as file:
            entries = {k.decode(): v for k, v in safe_pickle(file, "bytes").items()}
        images.append(entries["data"].reshape(-1, 3, 32, 32))
        labels.append(np.array(entries[key]))
    return np.concatenate(images), np.concatenate(labels).reshape(-1, 1)


def samples(train: list[Path], test: Path, key: str, dtype: Any) -> Any:
    """Return `(x_train, y_train), (x_test, y_test)` with the channels where they belong."""
    sides = []
    for paths in (train, [test]):
        x, y = batches(paths, key)
        if policy.image_data_format() == "channels_last":
            x = x.transpose(0, 2, 3, 1)
        sides.append((x, y if dtype is None else y.astype(dtype)))
    return tuple(sides)
