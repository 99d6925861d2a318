"""Iterator: batches of images, in an order, without end."""

import os
import threading
from collections.abc import Generator
from typing import Any

import numpy as np

from lamina.keras.training.py_dataset import PyDataset
from lamina.keras.utils.images import array_to_img

__all__ = ["Iterator", "save_batch"]


class Iterator(PyDataset):
    """Batches of `n` samples: `it[i]` is batch i, `next(it)` the next one without end.

    A subclass writes `_get_batches_of_transformed_samples(index_array)`.

    Args:
        n: The number of samples.
        batch_size: Samples a batch.
        shuffle: Whether each pass has another order.
        seed: The seed of NumPy's global generator; it is set before each batch.
        **kwargs: Arguments of PyDataset.
    """

    white_list_formats = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")

    def __init__(
        self, n: int, batch_size: int, shuffle: bool, seed: int | None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.n = n
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.batch_index = 0
        self.total_batches_seen = 0
        self.lock = threading.Lock()
        self.index_array: Any = None
        self.index_generator = self._flow_index()

    def _set_index_array(self) -> None:
        self.index_array = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def _set_seed(self) -> None:
        if self.seed is not None:
            np.random.seed(self.seed + self.total_batches_seen)

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def __getitem__(self, idx: int) -> Any:
        if idx >= len(self):
            raise ValueError(
                f"{type(self).__name__}: it has {len(self)} batches; batch {idx} was asked for."
            )
        self._set_seed()
        self.total_batches_seen += 1
        if self.index_array is None:
            self._set_index_array()
        start, order = self.batch_size * idx, np.asarray(self.index_array)
        return self._get_batches_of_transformed_samples(order[start : start + self.batch_size])

    def on_epoch_end(self) -> None:
        """Choose the order of the next epoch."""
        self._set_index_array()

    def reset(self) -> None:
        """Start `next` anew with the first batch."""
        self.batch_index = 0

    def _flow_index(self) -> Generator[Any, None, None]:
        self.reset()
        while True:
            self._set_seed()
            if self.batch_index == 0:
                self._set_index_array()
            start = self.batch_index * self.batch_size % self.n if self.n else 0
            is_last = self.n <= start + self.batch_size
            self.batch_index = 0 if is_last else self.batch_index + 1
            self.total_batches_seen += 1
            yield self.index_array[start : start + self.batch_size]

    def __iter__(self) -> "Iterator":
        return self

    def __next__(self) -> Any:
        with self.lock:
            index_array = next(self.index_generator)
        return self._get_batches_of_transformed_samples(index_array)

    def _get_batches_of_transformed_samples(self, index_array: Any) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__}: an Iterator must write "
            f"`_get_batches_of_transformed_samples(self, index_array)`, which returns a batch."
        )


def save_batch(iterator: Any, images: Any, index_array: Any, limit: int) -> None:
    """Save the images of a batch in the iterator's `save_to_dir`, if it has one."""
    if not iterator.save_to_dir:
        return
    for image, index in zip(images, index_array, strict=True):
        number = np.random.randint(limit)
        name = f"{iterator.save_prefix}_{index}_{number}.{iterator.save_format}"
        array_to_img(image, iterator.data_format, scale=True).save(
            os.path.join(iterator.save_to_dir, name)
        )
