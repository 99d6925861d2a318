"""Layers that change tones: inverting, fewer levels, blurring, sharpening, equalising."""

from typing import Any

from lamina import ops
from lamina.engine import Tensor
from lamina.keras.core import checks
from lamina.keras.layers.preprocessing.image_base import (
    FactorLayer,
    ImageLayer,
    RandomImageLayer,
    Sizes,
    between,
    column,
    span,
    to_range,
    two_values,
)
from lamina.ops.image import equalizing, filtering

__all__ = [
    "AutoContrast",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "Equalization",
    "RandomGaussianBlur",
    "RandomInvert",
    "RandomPosterization",
    "RandomSharpness",
    "Solarization",
]

_BYTES = (0, 255)


class RandomInvert(FactorLayer):
    """Replace x by ``value_range[1] - x`` in some of the images while training.

    Args:
        factor: The chance that an image is changed, drawn for each image from 0 to here or from
            this range; in [0, 1].
        value_range: The smallest and the largest value that pixels can have.
        seed: An int for the same draws in each run, or None.
        data_format: See `ImageLayer`.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, C)`` or ``(H, W, C)``, or a dict.
        training: Whether to change anything.

    Returns:
        Shape of the input, compute dtype.

    State:
        generator: moves on by one draw at each call with training.

    Raises:
        ValueError: an argument is wrong.

    Example:
        >>> layer = tf.keras.layers.RandomInvert(factor=(1.0, 1.0))
        >>> layer(tf.constant([[[0.0, 100.0]]]), training=True).numpy().ravel()
        array([255., 155.], dtype=float32)
    """

    factor_bounds = (0, 1)
    numbers = 2

    def __init__(
        self,
        factor: Any = 1.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(factor, value_range, data_format, seed, **kwargs)

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        return {"apply_inversion": units[0] < between(units[1], self.factor)}

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        chosen = ops.reshape(transformation["apply_inversion"], (-1, 1, 1, 1))
        return ops.where(chosen, self.value_range[1] - images, images)


class RandomPosterization(FactorLayer):
    """Keep only the highest bits of the values while training.

    Args:
        factor: A pair ``(l, u)`` draws the number of bits from l to u - 1 (l where both are
            equal), a number from 1 to one less than it; in [1, 8].
        value_range: The smallest and the largest value that pixels can have.
        data_format: See `ImageLayer`.
        seed: An int for the same draws in each run, or None.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, C)`` or ``(H, W, C)``, or a dict.
        training: Whether to change anything.

    Returns:
        Shape of the input, compute dtype.

    State:
        generator: moves on by one draw at each call with training.

    Raises:
        ValueError: an argument is wrong.

    Example:
        >>> layer = tf.keras.layers.RandomPosterization((1, 1))
        >>> layer(tf.constant([[[100.0, 200.0]]]), training=True).numpy().ravel()
        array([  0., 128.], dtype=float32)
    """

    factor_bounds = (1, 8)

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        low, high = (int(end) for end in self.factor)
        bits = ops.cast(between(units[0], (low, max(high, low + 1))), "int32")
        return {"shift_factor": ops.cast(8 - bits, "uint8")}

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        values = ops.cast(to_range(images, self.value_range, _BYTES), "uint8")
        shift = column(transformation["shift_factor"], values)
        values = ops.left_shift(ops.right_shift(values, shift), shift)
        return to_range(ops.cast(values, images.dtype), _BYTES, self.value_range)


class Solarization(RandomImageLayer):
    """Add a random number to images while training, and invert what is above another.

    Args:
        addition_factor: The largest addition as a fraction of the value range, or its range; in
            [0, 1].
        threshold_factor: The largest threshold as a fraction of the value range, or its range; in
            [0, 1]. Values from there on are inverted: 0 inverts all.
        value_range: The smallest and the largest value that pixels can have.
        seed: An int for the same draws in each run, or None.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, C)`` or ``(H, W, C)``, or a dict.
        training: Whether to change anything.

    Returns:
        Shape of the input, compute dtype.

    State:
        generator: moves on by one draw at each call with training.

    Raises:
        ValueError: an argument is wrong.

    Example:
        >>> layer = tf.keras.layers.Solarization(threshold_factor=(0.5, 0.5))
        >>> layer(tf.constant([[[100.0, 200.0]]]), training=True).numpy().ravel()
        array([100.,  55.], dtype=float32)
    """

    numbers = 2

    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.addition_factor = span(self, "addition_factor", addition_factor, 0, 1)
        self.threshold_factor = span(self, "threshold_factor", threshold_factor, 0, 1)
        self.value_range = two_values(self, "value_range", value_range)

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        ends = self.addition_factor, self.threshold_factor
        drawn = [255.0 * between(unit, pair) for unit, pair in zip(units, ends, strict=True)]
        additions, thresholds = (ops.reshape(values, (-1, 1, 1, 1)) for values in drawn)
        return {"additions": additions, "thresholds": thresholds}

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        values = to_range(images, self.value_range, _BYTES)
        values = values + column(transformation["additions"], images)
        values = ops.clip_by_value(values, 0.0, 255.0)
        is_low = values < column(transformation["thresholds"], images)
        return to_range(ops.where(is_low, values, 255 - values), _BYTES, self.value_range)


class RandomSharpness(FactorLayer):
    """Blur or sharpen images while training.

    Args:
        factor: The range of sharpness, or a number for the range from 0 to it: 0 is blurred, 0.5
            changes nothing, 1 is sharpened. In [0, 1].
        value_range: The smallest and the largest value that pixels can have.
        data_format: See `ImageLayer`.
        seed: An int for the same draws in each run, or None.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, C)`` or ``(H, W, C)``, or a dict.
        training: Whether to change anything.

    Returns:
        Shape of the input, compute dtype, clipped to `value_range`.

    State:
        generator: moves on by one draw at each call with training.

    Raises:
        ValueError: an argument is wrong.

    Example:
        >>> layer = tf.keras.layers.RandomSharpness((0.5, 0.5))
        >>> layer(tf.constant([[[0.0], [100.0], [0.0]]]), training=True).numpy().ravel()
        array([  0., 100.,   0.], dtype=float32)
    """

    factor_bounds = (0, 1)

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        share = 1.0 - 2.0 * column(transformation["factor"], images)
        return self.clipped(images + share * (filtering.smooth(images) - images))


class RandomGaussianBlur(FactorLayer):
    """Blur some of the images with a Gaussian while training.

    Args:
        factor: The chance that an image is changed, drawn for each image from 0 to here or from
            this range; in [0, 1].
        kernel_size: The size of the kernel in pixels: an odd int, or two: along the width, and
            along the height.
        sigma: The largest standard deviation in pixels, or its range, in [0, 1]; two are drawn for
            each batch: along the width, and along the height.
        value_range: The smallest and the largest value that pixels can have.
        data_format: See `ImageLayer`.
        seed: An int for the same draws in each run, or None.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, C)`` or ``(H, W, C)``, or a dict.
        training: Whether to change anything.

    Returns:
        Shape of the input, compute dtype, clipped to `value_range`.

    State:
        generator: moves on by one draw at each call with training.

    Raises:
        ValueError: an argument is wrong.

    Example:
        >>> layer = tf.keras.layers.RandomGaussianBlur(kernel_size=5, seed=1)
        >>> layer(tf.ones((2, 8, 8, 3)), training=True).shape
        TensorShape([2, 8, 8, 3])
    """

    factor_bounds = (0, 1)
    numbers = 4

    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: Any = 3,
        sigma: Any = 1.0,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(factor, value_range, data_format, seed, **kwargs)
        self.kernel_size = checks.sizes(self, "kernel_size", kernel_size, 2)
        if any(size % 2 == 0 for size in self.kernel_size):
            raise ValueError(
                f"{checks.label(self)}: `kernel_size` must be odd, to have a middle; got "
                f"{kernel_size!r}.\n  Fix: use one more or one less."
            )
        self.sigma = span(self, "sigma", sigma, 0, 1, is_strict=False)

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        chosen = units[0] < between(units[1], self.factor)
        sigma = between(ops.stack([units[2][0], units[3][0]]), self.sigma)
        return {"should_apply_blur": chosen, "blur_factor": sigma + 1e-6}  # not quite 0

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        sigma = transformation["blur_factor"]
        blurred = filtering.gaussian_blur(images, sigma, kernel_size=self.kernel_size)
        chosen = ops.reshape(transformation["should_apply_blur"], (-1, 1, 1, 1))
        return self.clipped(ops.where(chosen, blurred, images))


class AutoContrast(ImageLayer):
    """Stretch the values of each image and channel to the whole range, at inference too.

    Args:
        value_range: The smallest and the largest value that pixels can have.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, C)`` or ``(H, W, C)``, or a dict.

    Returns:
        Shape of the input, compute dtype; channels with one value stay as they are.

    Raises:
        ValueError: `value_range` is no pair.

    Example:
        >>> layer = tf.keras.layers.AutoContrast(value_range=(0, 1))
        >>> layer(tf.constant([[[0.25], [0.5], [0.75]]])).numpy().ravel()
        array([0. , 0.5, 1. ], dtype=float32)
    """

    always_on = True

    def __init__(self, value_range: Any = (0, 255), **kwargs):
        super().__init__(**kwargs)
        self.value_range = two_values(self, "value_range", value_range)

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        values = to_range(images, self.value_range, _BYTES)
        low = ops.reduce_min(values, (1, 2), keepdims=True)
        spread = ops.reduce_max(values, (1, 2), keepdims=True) - low
        is_flat = ops.equal(spread, 0.0)
        scale = 255.0 / ops.where(is_flat, ops.ones_like(spread), spread)
        values = ops.clip_by_value(values * scale - low * scale, 0.0, 255.0)
        return ops.where(is_flat, images, to_range(values, _BYTES, self.value_range))


class Equalization(ImageLayer):
    """Spread the values of each channel evenly over the range while training.

    Args:
        value_range: The smallest and the largest value that pixels can have.
        bins: The number of levels told apart.
        data_format: See `ImageLayer`.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, C)`` or ``(H, W, C)``, or a dict. As in Keras, one histogram counts
            the whole batch.
        training: Whether to change anything.

    Returns:
        Shape of the input, compute dtype; channels with one level stay as they are.

    Raises:
        ValueError: `value_range` is no pair, or `bins` no positive int.

    Example:
        >>> layer = tf.keras.layers.Equalization()
        >>> layer(tf.constant([[[10.0], [11.0], [12.0]]]), training=True).numpy().ravel()
        array([  0., 128., 255.], dtype=float32)
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        bins: int = 256,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = two_values(self, "value_range", value_range)
        self.bins = checks.positive_int(self, "bins", bins)

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        values = equalizing.equalize(to_range(images, self.value_range, _BYTES), bins=self.bins)
        return to_range(values, _BYTES, self.value_range)


class ContrastLimitedAdaptiveHistogramEqualization(ImageLayer):
    """Spread the values of each part of an image over the range, at inference too (CLAHE).

    Args:
        value_range: The smallest and the largest value that pixels can have.
        clip_limit: How much contrast may grow: the largest count of a level, in multiples of the
            mean one. 0 sets no limit.
        tile_grid_size: The number of rows and columns of parts.
        data_format: See `ImageLayer`.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, C)`` or ``(H, W, C)``, or a dict.

    Returns:
        Shape and dtype of the input, integers truncated.

    Raises:
        ValueError: an argument is wrong.

    Example:
        >>> layer = tf.keras.layers.ContrastLimitedAdaptiveHistogramEqualization()
        >>> layer(tf.random.uniform((2, 16, 16, 3), 0, 255)).shape
        TensorShape([2, 16, 16, 3])

    Reference: Zuiderveld 1994, Contrast limited adaptive histogram equalization, Graphics Gems IV.
    """

    always_on = True

    def __init__(
        self,
        value_range: Any = (0, 255),
        clip_limit: float = 4.0,
        tile_grid_size: Any = (8, 8),
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = two_values(self, "value_range", value_range)
        self.clip_limit = clip_limit
        self.tile_grid_size = checks.sizes(self, "tile_grid_size", tile_grid_size, 2)

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Tensor:
        images = ops.convert_to_tensor(images)
        if images.dtype.is_floating:
            return super().transform_images(images, transformation, training)
        changed = self._on_pixels(
            ops.cast(images, "float32"), lambda x: self.augment_images(x, transformation)
        )
        return ops.cast(changed, images.dtype)

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        values = equalizing.equalize_tiles(
            to_range(images, self.value_range, _BYTES),
            clip_limit=self.clip_limit,
            tile_grid_size=self.tile_grid_size,
        )
        return to_range(values, _BYTES, self.value_range)
