"""Layers that change the colors of images at random: brightness, contrast, saturation, hue."""

from typing import Any, ClassVar

from lamina import ops
from lamina.engine import Tensor
from lamina.keras import policy
from lamina.keras.core import checks
from lamina.keras.layers.preprocessing.image_base import (
    FactorLayer,
    RandomImageLayer,
    Sizes,
    between,
    column,
    drawn_for,
    to_range,
    two_values,
)
from lamina.ops import image

__all__ = [
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomGrayscale",
    "RandomHue",
    "RandomSaturation",
]


class RandomBrightness(FactorLayer):
    """Make images brighter or darker while training: add a random number to each.

    Args:
        factor: The largest change as a fraction of the value range, or its range, in [-1, 1].
        value_range: The smallest and the largest value that pixels can have.
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
        >>> layer = tf.keras.layers.RandomBrightness((0.5, 0.5), value_range=(0, 1))
        >>> layer(tf.constant([[[0.25, 0.75]]]), training=True).numpy().ravel()
        array([0.75, 1.  ], dtype=float32)
    """

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs):
        super().__init__(factor, value_range, seed=seed, **kwargs)

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        width = self.value_range[1] - self.value_range[0]
        return {"rgb_delta": ops.reshape(between(units[0], self.factor) * width, (-1, 1, 1, 1))}

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        return self.clipped(images + column(transformation["rgb_delta"], images))


class RandomContrast(FactorLayer):
    """Spread the values of images away from their mean while training, or towards it.

    Each channel becomes ``(x - mean) * c + mean``.

    Args:
        factor: A pair ``(l, u)`` draws c from ``[1 - l, 1 + u]``; a number f from ``[1, 1 + f]``.
            In [0, 1].
        value_range: The smallest and the largest value that pixels can have.
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
        >>> layer = tf.keras.layers.RandomContrast((0.0, 1.0), seed=1)
        >>> y = layer(tf.constant([[[100.0], [120.0]]]), training=True).numpy().ravel()
        >>> bool(y[1] - y[0] >= 20.0)
        True
    """

    factor_bounds = (0, 1)

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs):
        super().__init__(factor, value_range, seed=seed, **kwargs)

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        drawn = between(units[0], (1.0 - self.factor[0], 1.0 + self.factor[1]))
        return {"contrast_factor": ops.reshape(drawn, (-1, 1, 1, 1))}

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        mean = ops.reduce_mean(images, (1, 2), keepdims=True)
        change = column(transformation["contrast_factor"], images)
        return self.clipped((images - mean) * change + mean)


class RandomColorDegeneration(FactorLayer):
    """Mix images with their gray version while training.

    Args:
        factor: The share of gray, drawn from 0 (none) to 1 (all): a range, or a number f for the
            range from -f, which makes colors stronger, to f.
        value_range: The smallest and the largest value that pixels can have.
        data_format: See `ImageLayer`.
        seed: An int for the same draws in each run, or None.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, 3)`` or ``(H, W, 3)``, or a dict.
        training: Whether to change anything.

    Returns:
        Shape of the input, compute dtype, clipped to `value_range`.

    State:
        generator: moves on by one draw at each call with training.

    Raises:
        ValueError: an argument is wrong.

    Example:
        >>> layer = tf.keras.layers.RandomColorDegeneration((1.0, 1.0))
        >>> layer(tf.constant([[[100.0, 0.0, 0.0]]]), training=True).numpy().ravel().round(2)
        array([29.89, 29.89, 29.89], dtype=float32)
    """

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        return {"factor": ops.reshape(between(units[0], self.factor), (-1, 1, 1, 1))}

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        gray = _gray(self, images)
        return self.clipped(images + column(transformation["factor"], images) * (gray - images))


def _gray(layer: RandomImageLayer, images: Tensor) -> Tensor:
    """Return images with one channel of luminance."""
    channels = images.shape[-1]
    if channels not in (1, 3):
        raise ValueError(
            f"{checks.label(layer)}: images must have 3 channels (RGB) or 1 (gray); got "
            f"{channels}, shape {images.shape}.\n  Fix: check `data_format`, drop other channels."
        )
    return images if channels == 1 else image.rgb_to_grayscale(images)


class RandomSaturation(FactorLayer):
    """Make the colors of images stronger or weaker while training.

    The saturation is multiplied by ``f / (1 - f)``: 0 for f = 0, 1 for f = 0.5, without limit
    towards 1.

    Args:
        factor: The range that f is drawn from, in [0, 1]: (0.4, 0.6) changes little.
        value_range: The smallest and the largest value that pixels can have.
        data_format: See `ImageLayer`.
        seed: An int for the same draws in each run, or None.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, 3)`` or ``(H, W, 3)``, or a dict.
        training: Whether to change anything.

    Returns:
        Shape of the input, compute dtype.

    State:
        generator: moves on by one draw at each call with training.

    Raises:
        ValueError: an argument is wrong.

    Differs from TF:
        The saturation is clipped to [0, 1] for each `value_range`; Keras clips it to
        `value_range`, and gives values outside of it.

    Example:
        >>> layer = tf.keras.layers.RandomSaturation((0.0, 0.0), value_range=(0, 1))
        >>> layer(tf.constant([[[1.0, 0.5, 0.0]]]), training=True).numpy().ravel()
        array([1., 1., 1.], dtype=float32)
    """

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        drawn = between(units[0], self.factor)
        return {"factor": drawn / (1 - drawn + policy.epsilon())}

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        hue, saturation, value = ops.unstack(image.rgb_to_hsv(images), axis=-1)
        change = ops.reshape(ops.cast(transformation["factor"], images.dtype), (-1, 1, 1))
        saturation = ops.clip_by_value(saturation * change, 0.0, 1.0)
        return image.hsv_to_rgb(ops.stack([hue, saturation, value], -1))


class RandomHue(FactorLayer):
    """Turn the hue of images while training.

    Args:
        factor: The largest turn to either side in halves of a full one, or its range, in [0, 1].
        value_range: The smallest and the largest value that pixels can have.
        data_format: See `ImageLayer`.
        seed: An int for the same draws in each run, or None.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, 3)`` or ``(H, W, 3)``, or a dict.
        training: Whether to change anything.

    Returns:
        Shape of the input, compute dtype, clipped to `value_range`.

    State:
        generator: moves on by one draw at each call with training.

    Raises:
        ValueError: an argument is wrong.

    Example:
        >>> layer = tf.keras.layers.RandomHue((1.0, 1.0))  # half a turn
        >>> layer(tf.constant([[[255.0, 0.0, 0.0]]]), training=True).numpy().ravel().round(3)
        array([  0., 255., 255.], dtype=float32)
    """

    factor_bounds = (0, 1)
    numbers = 2

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        side = ops.where(units[1] > 0.5, -0.5, 0.5)
        return {"factor": side * between(units[0], self.factor)}

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        unit = to_range(images, self.value_range, (0, 1))
        hue, saturation, value = ops.unstack(image.rgb_to_hsv(unit), axis=-1)
        hue = hue + ops.reshape(ops.cast(transformation["factor"], images.dtype), (-1, 1, 1))
        hue = ops.where(hue > 1.0, hue - 1.0, hue)
        hue = ops.where(hue < 0.0, hue + 1.0, hue)
        unit = image.hsv_to_rgb(ops.stack([hue, saturation, value], -1))
        return to_range(ops.clip_by_value(unit, 0.0, 1.0), (0, 1), self.value_range)


class RandomGrayscale(RandomImageLayer):
    """Turn some of the images gray while training.

    Args:
        factor: The chance that an image is changed, in [0, 1].
        data_format: See `ImageLayer`.
        seed: An int for the same draws in each run, or None.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, 3)`` or ``(H, W, 3)``, or a dict.
        training: Whether to change anything.

    Returns:
        Shape of the input, compute dtype: gray images have three equal channels.

    State:
        generator: moves on by one draw at each call with training.

    Raises:
        ValueError: `factor` is outside of [0, 1].

    Example:
        >>> layer = tf.keras.layers.RandomGrayscale(factor=1.0)
        >>> layer(tf.constant([[[100.0, 0.0, 0.0]]]), training=True).numpy().ravel().round(2)
        array([29.89, 29.89, 29.89], dtype=float32)
    """

    _config_omit_none: ClassVar[tuple[str, ...]] = ("seed",)  # Keras never writes it

    def __init__(
        self,
        factor: float = 0.5,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = checks.fraction(self, "factor", factor)

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        return ops.reshape(units[0] < self.factor, (-1, 1, 1, 1))

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        chosen = ops.reshape(transformation, (-1, 1, 1, 1))
        return ops.where(chosen, _gray(self, images), images)


class RandomColorJitter(RandomImageLayer):
    """Change brightness, contrast, saturation and hue of images while training, in this order.

    Args:
        value_range: The smallest and the largest value that pixels can have.
        brightness_factor: See `RandomBrightness`; None leaves it out.
        contrast_factor: See `RandomContrast`; None leaves it out.
        saturation_factor: See `RandomSaturation`; None leaves it out.
        hue_factor: See `RandomHue`; None leaves it out.
        seed: An int for the same draws in each run, or None.
        data_format: See `ImageLayer`.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, 3)`` or ``(H, W, 3)``, or a dict.
        training: Whether to change anything.

    Returns:
        Shape of the input, compute dtype.

    State:
        generator: moves on by one draw at each call with training.

    Raises:
        ValueError: an argument is wrong.

    Example:
        >>> layer = tf.keras.layers.RandomColorJitter(brightness_factor=0.2, hue_factor=0.1)
        >>> layer(tf.ones((2, 8, 8, 3)), training=True).shape
        TensorShape([2, 8, 8, 3])
    """

    _steps: ClassVar[dict[str, type[FactorLayer]]] = {
        "brightness": RandomBrightness,
        "contrast": RandomContrast,
        "saturation": RandomSaturation,
        "hue": RandomHue,
    }

    def __init__(
        self,
        value_range: Any = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.value_range = two_values(self, "value_range", value_range)
        self.brightness_factor = brightness_factor
        self.contrast_factor = contrast_factor
        self.saturation_factor = saturation_factor
        self.hue_factor = hue_factor
        for step, kind in self._steps.items():
            factor = getattr(self, f"{step}_factor")
            made = None if factor is None else kind(factor, self.value_range, seed=seed)
            setattr(self, f"random_{step}", made)

        self.numbers = sum(layer.numbers for layer in self._layers().values())

    def _layers(self) -> dict[str, FactorLayer]:
        found = {step: getattr(self, f"random_{step}") for step in self._steps}
        return {step: layer for step, layer in found.items() if layer is not None}

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        return drawn_for(self._layers(), sizes, units, seed)

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        for step, layer in self._layers().items():
            images = layer.augment_images(images, transformation[step])
        return images
