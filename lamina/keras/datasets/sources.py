"""Where the files of the data sets are, and how they are read without running code of theirs."""

import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from lamina.keras.utils.files import cache_folder, get_file

__all__ = [
    "HASHES",
    "cached",
    "checked_share",
    "ragged_arrays",
    "safe_pickle",
    "shuffled",
    "split",
]

_STORE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

# SHA-256 (or MD5) of the published files.
HASHES = {
    "mnist.npz": "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
    "boston_housing.npz": "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",
    "california_housing.npz": "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",
    "imdb.npz": "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    "imdb_word_index.json": "bfafd718b763782e994055a2d397834f",
    "reuters.npz": "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916",
    "reuters_word_index.json": "4d44cc38712099c9e383dc6e5f11a921",
    "cifar-10-python.tar.gz": "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    "cifar-100-python.tar.gz": "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
}


def cached(path: Any, file: str, folder: str = "datasets") -> str:
    """Return the path of a data set's file: in the cache, or fetched into it.

    Args:
        path: A name in the cache; or a path with a folder in it, which is taken as it is.
        file: The name of the published file.
        folder: The folder in the cache.

    Raises:
        FileNotFoundError: a path is given, and there is no file.
        DownloadError: it is not in the cache and cannot be fetched; the message says where to put
            it.
    """
    given = Path(os.fspath(path)).expanduser()
    if given.parent != Path("."):
        if not given.exists():
            raise FileNotFoundError(
                f"tf.keras.datasets: `path` must be a copy of {_STORE}{file}; there is no file "
                f"{str(given)!r}.\n  Fix: put it there, or leave `path` out to use "
                f"{cache_folder() / folder / file}."
            )
        return str(given)
    return get_file(
        given.name, origin=_STORE + file, file_hash=HASHES.get(file), cache_subdir=folder
    )


# ---- reading ----------------------------------------------------------------------------------

# What pickles of arrays, lists, dicts, strings and numbers call.
_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


class _DataOnly(pickle.Unpickler):
    """An unpickler of arrays and plain containers; all else is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(
                f"tf.keras.datasets: a file of arrays was expected; it wants to call "
                f"{module}.{name}, which is refused.\n  Fix: fetch the file again from a source "
                f"you trust."
            )
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def safe_pickle(file: Any, encoding: str = "ASCII") -> Any:
    """Return what a pickle of arrays and plain containers holds, without running code of it.

    Args:
        file: An open binary file.
        encoding: "bytes" for files of Python 2.

    Raises:
        pickle.UnpicklingError: it holds something else.
    """
    return _DataOnly(file, encoding=encoding).load()


def ragged_arrays(path: str) -> dict[str, np.ndarray]:
    """Return the arrays of an `.npz` file, lists of different lengths among them."""
    found: dict[str, np.ndarray] = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            raw = io.BytesIO(archive.read(name))
            version = np.lib.format.read_magic(raw)
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = read(raw)
            if dtype.hasobject:
                array = safe_pickle(raw).reshape(shape)
            else:
                raw.seek(0)
                array = np.lib.format.read_array(raw, allow_pickle=False)
            found[name.removesuffix(".npy")] = array
    return found


# ---- samples ----------------------------------------------------------------------------------


def checked_share(test_split: float) -> None:
    """Raise unless a share for testing lies in [0, 1)."""
    if not 0 <= test_split < 1:
        raise ValueError(f"tf.keras.datasets: `test_split` must lie in [0, 1); got {test_split!r}.")


def shuffled(seed: int, *arrays: np.ndarray) -> list[np.ndarray]:
    """Return arrays with their rows in the order that Keras gives them for a seed."""
    order = np.arange(len(arrays[0]))
    np.random.RandomState(seed).shuffle(order)
    return [a[order] for a in arrays]


def split(x: np.ndarray, y: np.ndarray, test_split: float) -> Any:
    """Return `(x_train, y_train), (x_test, y_test)`: the last share is for testing."""
    cut = int(len(x) * (1 - test_split))
    return (np.array(x[:cut]), np.array(y[:cut])), (np.array(x[cut:]), np.array(y[cut:]))
