"""ImageDataGenerator: images in random variations."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from lamina.keras import policy
from lamina.keras.preprocessing.image.affine import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    zoom_factors,
)
from lamina.keras.preprocessing.image.arrays import NumpyArrayIterator
from lamina.keras.preprocessing.image.folders import DataFrameIterator, DirectoryIterator

__all__ = ["ImageDataGenerator"]

_TINY = 1e-6  # added to standard deviations


class ImageDataGenerator:
    """Varies images at random, and centers and scales them, on the host.

    Args:
        featurewise_center: Whether the mean of the data given to `fit` is taken away.
        samplewise_center: Whether each image's mean is taken away.
        featurewise_std_normalization: Whether to divide by the deviation of the data of `fit`.
        samplewise_std_normalization: Whether to divide by each image's deviation.
        zca_whitening: Whether to decorrelate the pixels, by the data of `fit`.
        zca_epsilon: What is added to the singular values for that.
        rotation_range: The most degrees of a rotation.
        width_shift_range: The most of a shift along the width: a share below 1, pixels, or a list
            of pixels to choose from.
        height_shift_range: Likewise along the height.
        brightness_range: (least, most) factor of the brightness, or None.
        shear_range: The most degrees of a shear.
        zoom_range: (least, most) zoom; a number z is (1 - z, 1 + z).
        channel_shift_range: The most that is added to or taken from the values.
        fill_mode: What stands outside: "nearest", "constant", "reflect" or "wrap".
        cval: The value outside for "constant".
        horizontal_flip: Whether half of the images change left and right.
        vertical_flip: Whether half of the images change up and down.
        rescale: A factor for the values, or None.
        preprocessing_function: A function of an image, applied after the variation, or None.
        data_format: "channels_last" or "channels_first"; None is the default one.
        validation_split: The share for `subset="validation"`, in (0, 1).
        interpolation_order: The order of the splines between pixels.
        dtype: The dtype of the images; None is floatx.

    Raises:
        ValueError: a range of another form, or a share out of range.

    Example:
        >>> images = tf.keras.preprocessing.image.ImageDataGenerator(rescale=1 / 255)
        >>> x, y = next(images.flow(np.full([4, 8, 8, 1], 255.0), np.arange(4), batch_size=2))
        >>> x.shape, x.max(), y.shape
        ((2, 8, 8, 1), np.float32(1.0), (2,))
    """

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: Any = None,
        shear_range: float = 0.0,
        zoom_range: Any = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable[[Any], Any] | None = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: Any = None,
    ) -> None:
        self.featurewise_center = featurewise_center
        self.samplewise_center = samplewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.samplewise_std_normalization = samplewise_std_normalization
        self.zca_whitening = zca_whitening
        self.zca_epsilon = zca_epsilon
        self.rotation_range = rotation_range
        self.width_shift_range = width_shift_range
        self.height_shift_range = height_shift_range
        self.brightness_range = _pair("brightness_range", brightness_range)
        self.shear_range = shear_range
        if isinstance(zoom_range, int | float):
            zoom_range = [1 - zoom_range, 1 + zoom_range]
        self.zoom_range = _pair("zoom_range", zoom_range)
        self.channel_shift_range = channel_shift_range
        self.fill_mode = fill_mode
        self.cval = cval
        self.horizontal_flip = horizontal_flip
        self.vertical_flip = vertical_flip
        self.rescale = rescale
        self.preprocessing_function = preprocessing_function
        self.data_format = policy.standardize_data_format(data_format)
        last = self.data_format == "channels_last"
        self.row_axis, self.col_axis, self.channel_axis = (1, 2, 3) if last else (2, 3, 1)
        if validation_split and not 0 < validation_split < 1:
            raise ValueError(
                f"ImageDataGenerator: `validation_split` must lie in (0, 1); got "
                f"{validation_split!r}."
            )
        self._validation_split = validation_split
        self.interpolation_order = interpolation_order
        self.dtype = dtype or policy.floatx()
        self.mean: Any = None
        self.std: Any = None
        self.zca_whitening_matrix: Any = None
        self._settle()

    def _settle(self) -> None:
        """Switch on what the chosen normalizations need."""
        if self.zca_whitening:
            self._override("featurewise_center", True, "zca_whitening")
            self._override("featurewise_std_normalization", False, "zca_whitening")
        if self.featurewise_std_normalization:
            self._override("featurewise_center", True, "featurewise_std_normalization")
        if self.samplewise_std_normalization:
            self._override("samplewise_center", True, "samplewise_std_normalization")

    def _override(self, name: str, value: bool, because: str) -> None:
        if getattr(self, name) != value:
            setattr(self, name, value)
            warnings.warn(
                f"ImageDataGenerator: `{because}` sets `{name}` to {value}.", stacklevel=4
            )

    # -- where images come from

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        ignore_class_split: bool = False,
        subset: str | None = None,
    ) -> NumpyArrayIterator:
        """Return batches of images in memory; see NumpyArrayIterator."""
        return NumpyArrayIterator(
            x,
            y,
            self,
            batch_size=batch_size,
            shuffle=shuffle,
            sample_weight=sample_weight,
            seed=seed,
            data_format=self.data_format,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            ignore_class_split=ignore_class_split,
            subset=subset,
            dtype=self.dtype,
        )

    def flow_from_directory(
        self,
        directory: Any,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
    ) -> DirectoryIterator:
        """Return batches of the images of a folder; see DirectoryIterator."""
        return DirectoryIterator(
            directory,
            self,
            target_size=target_size,
            color_mode=color_mode,
            classes=classes,
            class_mode=class_mode,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            data_format=self.data_format,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            follow_links=follow_links,
            subset=subset,
            interpolation=interpolation,
            keep_aspect_ratio=keep_aspect_ratio,
            dtype=self.dtype,
        )

    def flow_from_dataframe(
        self,
        dataframe: Any,
        directory: Any = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
        **kwargs: Any,
    ) -> DataFrameIterator:
        """Return batches of the images that a data frame lists; see DataFrameIterator."""
        return DataFrameIterator(
            dataframe,
            directory,
            self,
            x_col=x_col,
            y_col=y_col,
            weight_col=weight_col,
            target_size=target_size,
            color_mode=color_mode,
            classes=classes,
            class_mode=class_mode,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            data_format=self.data_format,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            subset=subset,
            interpolation=interpolation,
            validate_filenames=validate_filenames,
            dtype=self.dtype,
            **kwargs,
        )

    # -- one image

    def get_random_transform(self, img_shape: Any, seed: int | None = None) -> dict[str, Any]:
        """Return a random choice of a variation.

        Args:
            img_shape: The shape of the image.
            seed: What NumPy's global generator is seeded with, or None.

        Returns:
            `theta`, `tx`, `ty`, `shear`, `zx`, `zy`, `flip_horizontal`, `flip_vertical`,
            `channel_shift_intensity` and `brightness`; the last two may be None.
        """
        if seed is not None:
            np.random.seed(seed)
        # Each line draws in Keras' order, so that a seed gives the same images.
        theta = _symmetric(self.rotation_range)
        tx = _shift(self.height_shift_range, img_shape[self.row_axis - 1])
        ty = _shift(self.width_shift_range, img_shape[self.col_axis - 1])
        shear = _symmetric(self.shear_range)
        zx, zy = zoom_factors(self.zoom_range)
        flips = [
            (np.random.random() < 0.5) * flag for flag in (self.horizontal_flip, self.vertical_flip)
        ]
        channel = _symmetric(self.channel_shift_range) if self.channel_shift_range else None
        bright = self.brightness_range
        return {
            "theta": theta,
            "tx": tx,
            "ty": ty,
            "shear": shear,
            "zx": zx,
            "zy": zy,
            "flip_horizontal": flips[0],
            "flip_vertical": flips[1],
            "channel_shift_intensity": channel,
            "brightness": None if bright is None else np.random.uniform(*bright),
        }

    def apply_transform(self, x: Any, transform_parameters: dict[str, Any]) -> np.ndarray:
        """Return an image after a variation.

        Args:
            x: The image, of rank 3.
            transform_parameters: Of `get_random_transform`; what is missing changes nothing.
        """
        get = transform_parameters.get
        row, col, channel = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
        moved = (get("theta", 0), get("tx", 0), get("ty", 0), get("shear", 0))
        x = apply_affine_transform(
            x,
            *moved,
            get("zx", 1),
            get("zy", 1),
            row_axis=row,
            col_axis=col,
            channel_axis=channel,
            fill_mode=self.fill_mode,
            cval=self.cval,
            order=self.interpolation_order,
        )
        if get("channel_shift_intensity") is not None:
            x = apply_channel_shift(x, transform_parameters["channel_shift_intensity"], channel)
        if get("flip_horizontal", False):
            x = np.flip(x, col)
        if get("flip_vertical", False):
            x = np.flip(x, row)
        if get("brightness") is not None:
            x = apply_brightness_shift(x, transform_parameters["brightness"], False)
        return x

    def random_transform(self, x: Any, seed: int | None = None) -> np.ndarray:
        """Return an image after a random variation."""
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    def standardize(self, x: Any) -> np.ndarray:
        """Return an image, or a batch, centered and scaled; floats are changed in place.

        Args:
            x: The image.
        """
        if self.preprocessing_function:
            x = self.preprocessing_function(x)
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= np.mean(x, keepdims=True)
        if self.samplewise_std_normalization:
            x /= np.std(x, keepdims=True) + _TINY
        if self.featurewise_center and self._is_fitted("featurewise_center", self.mean):
            x -= self.mean
        if self.featurewise_std_normalization and self._is_fitted(
            "featurewise_std_normalization", self.std
        ):
            x /= self.std + _TINY
        if self.zca_whitening and self._is_fitted("zca_whitening", self.zca_whitening_matrix):
            flat = x.reshape(-1, int(np.prod(x.shape[-3:])))
            x = (flat @ self.zca_whitening_matrix).reshape(x.shape)
        return x

    def _is_fitted(self, name: str, value: Any) -> bool:
        if value is None:
            warnings.warn(
                f"ImageDataGenerator: `{name}` needs numbers of the data, and `fit` was not "
                f"called; it does nothing.\n  Fix: call fit(images) first.",
                stacklevel=3,
            )
        return value is not None

    def _varied(self, x: Any) -> np.ndarray:
        """Return an image varied at random, and standardized."""
        return self.standardize(self.random_transform(x))

    # -- the data's numbers

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Take the mean, deviation and correlations of data, for the `featurewise_` arguments.

        Args:
            x: Images, of rank 4.
            augment: Whether variations of the images are taken.
            rounds: How many of each.
            seed: What NumPy's global generator is seeded with, or None.

        Raises:
            ValueError: another rank.
        """
        images = np.array(x, dtype=self.dtype)
        if images.ndim != 4:
            raise ValueError(
                f"ImageDataGenerator.fit: `x` must have rank 4; got shape {images.shape}."
            )
        if images.shape[self.channel_axis] not in (1, 3, 4):
            warnings.warn(
                f"ImageDataGenerator.fit: 1, 3 or 4 channels are expected on axis "
                f"{self.channel_axis}; got shape {images.shape}.",
                stacklevel=2,
            )
        if seed is not None:
            np.random.seed(seed)
        if self.rescale:
            images *= self.rescale
        if augment:
            images = np.stack([self.random_transform(i) for _ in range(rounds) for i in images])
            images = images.astype(self.dtype)
        over = (0, self.row_axis, self.col_axis)
        if self.featurewise_center:
            self.mean = np.mean(images, axis=over, keepdims=True)[0]
            images -= self.mean
        if self.featurewise_std_normalization:
            self.std = np.std(images, axis=over, keepdims=True)[0]
            images /= self.std + _TINY
        if self.zca_whitening:
            flat = images.reshape(len(images), -1)
            u, s, _ = np.linalg.svd(flat.T, full_matrices=False)
            self.zca_whitening_matrix = (u * (np.sqrt(len(flat)) / (s + self.zca_epsilon))) @ u.T


def _pair(name: str, value: Any) -> Any:
    if value is None:
        return None
    is_pair = isinstance(value, list | tuple) and len(value) == 2
    if not is_pair or not all(isinstance(v, int | float) for v in value):
        raise ValueError(f"ImageDataGenerator: `{name}` must be a pair of numbers; got {value!r}.")
    return list(value)


def _symmetric(most: float) -> float:
    return np.random.uniform(-most, most) if most else 0


def _shift(most: Any, size: int) -> float:
    """Return a random shift in pixels."""
    if not np.any(most):
        return 0
    if np.ndim(most) or isinstance(most, int):
        found = np.random.choice(most) * np.random.choice([-1, 1])
    else:
        found = np.random.uniform(-most, most)
    return found * size if np.max(most) < 1 else found
