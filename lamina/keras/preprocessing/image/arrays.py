"""NumpyArrayIterator: random variations of images in memory."""

import warnings
from typing import Any

import numpy as np

from lamina.keras import policy
from lamina.keras.preprocessing.image.iterator import Iterator, save_batch

__all__ = ["NumpyArrayIterator"]


class NumpyArrayIterator(Iterator):
    """Batches of images in memory, varied by an ImageDataGenerator.

    Args:
        x: Images, of rank 4; or a pair of images and a list of further arrays.
        y: The targets, or None.
        image_data_generator: What varies the images.
        batch_size: Images a batch.
        shuffle: Whether each pass has another order.
        sample_weight: The weights of the samples, or None.
        seed: The seed.
        data_format: "channels_last" or "channels_first"; None is the default one.
        save_to_dir: A folder to save the varied images in, or None.
        save_prefix: What their names start with.
        save_format: Their format.
        subset: "training" or "validation", by the generator's `validation_split`; None is all.
        ignore_class_split: Whether the two may have different classes.
        dtype: The dtype of the images; None is floatx.

    Raises:
        ValueError: arrays of different lengths, another rank, or an unknown subset.
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        image_data_generator: Any,
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        ignore_class_split: bool = False,
        dtype: Any = None,
    ) -> None:
        self.dtype = dtype or policy.floatx()
        self.data_format = data_format or policy.image_data_format()
        self.image_data_generator = image_data_generator
        self.save_to_dir = save_to_dir
        self.save_prefix = save_prefix
        self.save_format = save_format
        misc: Any = []
        if isinstance(x, tuple | list):
            misc = x[1] if isinstance(x[1], list) else [x[1]]
            x = x[0]
        _check_lengths(x, misc, y, sample_weight)
        which = slice(None)
        if subset is not None:
            which = _side(x, y, image_data_generator._validation_split, subset, ignore_class_split)
        self.x = np.asarray(x[which], dtype=self.dtype)
        self.x_misc = [np.asarray(a[which]) for a in misc]
        self.y = None if y is None else np.asarray(y[which])
        self.sample_weight = None if sample_weight is None else np.asarray(sample_weight[which])
        self._check_images()
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _check_images(self) -> None:
        if self.x.ndim != 4:
            raise ValueError(
                f"NumpyArrayIterator: `x` must have rank 4; got shape {self.x.shape}.\n"
                f"  Fix: gray images need an axis for their one channel: x[..., np.newaxis]."
            )
        axis = 3 if self.data_format == "channels_last" else 1
        if self.x.shape[axis] not in (1, 3, 4):
            warnings.warn(
                f"NumpyArrayIterator: 1, 3 or 4 channels are expected on axis {axis} "
                f'("{self.data_format}"); got shape {self.x.shape}.',
                stacklevel=3,
            )

    def _get_batches_of_transformed_samples(self, index_array: Any) -> Any:
        images = np.zeros((len(index_array), *self.x.shape[1:]), self.dtype)
        for i, j in enumerate(index_array):
            images[i] = self.image_data_generator._varied(self.x[j].astype(self.dtype))
        save_batch(self, images, index_array, int(1e4))
        misc = [a[index_array] for a in self.x_misc]
        x: Any = [images, *misc] if misc else images
        if self.y is None:
            return x
        if self.sample_weight is None:
            return x, self.y[index_array]
        return x, self.y[index_array], self.sample_weight[index_array]


def _check_lengths(x: Any, misc: Any, y: Any, sample_weight: Any) -> None:
    named = [("x", a) for a in misc] + [("y", y), ("sample_weight", sample_weight)]
    for name, other in named:
        if other is not None and len(other) != len(x):
            raise ValueError(
                f"NumpyArrayIterator: the images and `{name}` must have one length; got {len(x)} "
                f"and {len(other)}."
            )


def _side(x: Any, y: Any, share: float, subset: str, ignore_classes: bool) -> slice:
    if subset not in ("training", "validation"):
        raise ValueError(
            f'NumpyArrayIterator: `subset` must be "training" or "validation"; got {subset!r}.'
        )
    cut = int(len(x) * share)
    if (
        y is not None
        and not ignore_classes
        and not np.array_equal(np.unique(y[:cut]), np.unique(y[cut:]))
    ):
        raise ValueError(
            "NumpyArrayIterator: the training and the validation subset have different classes.\n"
            "  Fix: shuffle arrays that are sorted by class, or pass ignore_class_split=True."
        )
    return slice(None, cut) if subset == "validation" else slice(cut, None)
