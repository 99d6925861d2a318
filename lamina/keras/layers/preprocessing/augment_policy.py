"""Layers made of layers: random choices of augmentations, and pipelines."""

from collections.abc import Mapping, Sequence
from typing import Any

from lamina import ops
from lamina.engine import Tensor
from lamina.keras import random
from lamina.keras.core import Layer, checks
from lamina.keras.core.calling import masks_of
from lamina.keras.layers.preprocessing import augment_color as color
from lamina.keras.layers.preprocessing import augment_geometry as geometry
from lamina.keras.layers.preprocessing import augment_tone as tone
from lamina.keras.layers.preprocessing.image_base import (
    ImageLayer,
    RandomImageLayer,
    Sizes,
    drawn_for,
    span,
    two_values,
)

__all__ = ["AugMix", "Pipeline", "RandAugment"]


class _Choosing(RandomImageLayer):
    """A layer that applies others, chosen at random for each batch."""

    order: tuple[str, ...] = ()
    factor: tuple[float, float]
    value_range: list[float]

    def _make_layers(self, interpolation: str, **kwargs: Any) -> None:
        """Make the layers to choose from, of the strength of `factor`."""
        factor, values, seed = self.factor, self.value_range, self.seed
        moved: Any = {"interpolation": interpolation, "seed": seed, **kwargs}
        toned: Any = {"value_range": values, **kwargs}
        drawn: Any = {"seed": seed, **toned}
        bits = max(1, int(8 * factor[1]))
        self.random_shear = geometry.RandomShear(factor, factor, **moved)
        self.random_translation = geometry.RandomTranslation(factor, factor, **moved)
        self.random_rotation = geometry.RandomRotation(factor, **moved)
        self.random_posterization = tone.RandomPosterization(bits, **drawn)
        self.solarization = tone.Solarization(factor, factor, **drawn)
        self.auto_contrast = tone.AutoContrast(**toned)
        self.equalization = tone.Equalization(**toned)
        if "random_contrast" in self.order:
            self.random_brightness = color.RandomBrightness(factor, **drawn)
            self.random_color_degeneration = color.RandomColorDegeneration(factor, **drawn)
            self.random_contrast = color.RandomContrast(factor, **drawn)
            self.random_sharpness = tone.RandomSharpness(factor, **drawn)

        self.counts = [getattr(layer, "numbers", 0) for layer in self._layers().values()]

    def _layers(self) -> dict[str, ImageLayer]:
        return {name: getattr(self, name) for name in self.order}


class RandAugment(_Choosing):
    """Apply a few augmentations while training, chosen at random for each batch.

    They are: shear, translation, rotation, brightness, color degeneration, contrast, sharpness,
    posterization, solarization, auto-contrast and equalization. How strongly each image is changed
    is drawn for it.

    Args:
        value_range: The smallest and the largest value that pixels can have.
        num_ops: How many are applied one after the other.
        factor: The strength: what each layer gets for its factor; in [0, 1].
        interpolation: "bilinear" or "nearest".
        seed: An int for the same draws in each run, or None.
        data_format: See `ImageLayer`.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, 3)`` or ``(H, W, 3)``, or a dict; boxes and masks follow.
        training: Whether to change anything.

    Returns:
        Shape of the input, compute dtype.

    State:
        generator: moves on by two draws at each call with training.

    Raises:
        ValueError: an argument is wrong.

    Example:
        >>> layer = tf.keras.layers.RandAugment(num_ops=1, seed=1)
        >>> layer(tf.ones((2, 8, 8, 3)), training=True).shape
        TensorShape([2, 8, 8, 3])

    Reference: Cubuk et al. 2019, https://arxiv.org/abs/1909.13719, section 3.
    """

    moves_pixels = True
    order = (
        "random_shear",
        "random_translation",
        "random_rotation",
        "random_brightness",
        "random_color_degeneration",
        "random_contrast",
        "random_sharpness",
        "random_posterization",
        "solarization",
        "auto_contrast",
        "equalization",
    )

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_ops: int = 2,
        factor: Any = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.value_range = two_values(self, "value_range", value_range)
        self.num_ops = checks.positive_int(self, "num_ops", num_ops)
        self.factor = span(self, "factor", factor, 0, 1, is_strict=False)
        self.interpolation = interpolation
        self._make_layers(interpolation, data_format=self.data_format)
        self.numbers = sum(self.counts)

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        chosen = random.randint((self.num_ops,), 0, len(self.order), seed=seed)
        drawn = drawn_for(self._layers(), sizes, units, seed)
        return {"transforms": drawn, "layer_idxes": chosen}

    def input_size(self, transformation: Any) -> tuple[Any, Any]:
        return self._size_in(transformation["transforms"]["random_shear"]["input_shape"])

    def _applied(self, change: Any, data: Tensor, transformation: Any) -> Tensor:
        """Run `change(layer, data, its transformation)` for each layer that was chosen."""
        layers = [(getattr(self, n), t) for n, t in transformation["transforms"].items()]
        for chosen in ops.unstack(transformation["layer_idxes"]):
            branches = [
                lambda layer=layer, drawn=drawn, data=data: change(layer, data, drawn)
                for layer, drawn in layers
            ]
            data = ops.switch_case(chosen, branches)
        return data

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        return self._applied(lambda layer, x, t: layer.augment_images(x, t), images, transformation)

    def augment_masks(self, masks: Tensor, transformation: Any) -> Tensor:
        return self._applied(_masks_of, masks, transformation)

    def augment_boxes(self, boxes: Tensor, transformation: Any, height: Any, width: Any) -> Tensor:
        def change(layer: ImageLayer, x: Tensor, drawn: Any) -> Tensor:
            return layer.augment_boxes(x, drawn, height, width) if layer.moves_pixels else _copy(x)

        return self._applied(change, boxes, transformation)


def _masks_of(layer: ImageLayer, masks: Tensor, transformation: Any) -> Tensor:
    return layer.augment_masks(masks, transformation) if layer.moves_pixels else _copy(masks)


def _copy(x: Tensor) -> Tensor:
    return ops.identity(x)  # a branch returns something of its own


class AugMix(_Choosing):
    """Mix images with differently augmented versions of themselves while training.

    Each version is a chain of augmentations chosen at random for each batch: shear, translation,
    rotation, posterization, solarization, auto-contrast, equalization, and with `all_ops`
    brightness, color degeneration, contrast and sharpness.

    Args:
        value_range: The smallest and the largest value that pixels can have.
        num_chains: The number of versions.
        chain_depth: The number of augmentations in each; some of them are none.
        factor: The strength: what each layer gets for its factor; in [0, 1].
        alpha: The parameter of the distributions of the shares: Dirichlet for the versions, beta
            for the image itself.
        all_ops: Whether to choose from all augmentations.
        interpolation: "bilinear" or "nearest".
        seed: An int for the same draws in each run, or None.
        data_format: See `ImageLayer`.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, 3)`` or ``(H, W, 3)``, or a dict: masks are mixed too, boxes stay.
        training: Whether to change anything.

    Returns:
        Shape of the input, compute dtype, clipped to `value_range`.

    State:
        generator: moves on by four draws at each call with training.

    Raises:
        ValueError: an argument is wrong.

    Example:
        >>> layer = tf.keras.layers.AugMix(num_chains=1, chain_depth=1, seed=1)
        >>> layer(tf.ones((2, 8, 8, 3)), training=True).shape
        TensorShape([2, 8, 8, 3])

    Reference: Hendrycks et al. 2019, https://arxiv.org/abs/1912.02781, algorithm 1.
    """

    numbers = 0

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Any = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.value_range = two_values(self, "value_range", value_range)
        self.num_chains = checks.positive_int(self, "num_chains", num_chains)
        self.chain_depth = checks.positive_int(self, "chain_depth", chain_depth)
        self.factor = span(self, "factor", factor, 0, 1, is_strict=False)
        self.alpha = alpha
        self.all_ops = all_ops
        self.interpolation = interpolation
        colors = {
            "random_brightness",
            "random_color_degeneration",
            "random_contrast",
            "random_sharpness",
        }
        self.order = tuple(n for n in RandAugment.order if all_ops or n not in colors)
        self._make_layers(interpolation, data_format=self.data_format)

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        parts = random.gamma((self.num_chains,), self.alpha, dtype="float32", seed=seed)
        own = random.beta((), self.alpha, self.alpha, dtype="float32", seed=seed)
        places = (self.num_chains, self.chain_depth)
        shape = (*places, max(self.counts), sizes.batch)
        return {
            "chain_mixing_weights": parts / ops.reduce_sum(parts),
            "weight_sample": own,
            # One more than there are layers: the last choice changes nothing.
            "layer_idxes": random.randint(places, 0, len(self.order) + 1, seed=seed),
            "units": random.uniform(shape, dtype="float32", seed=seed),
        }

    def _mixed(self, change: Any, data: Tensor, transformation: Any) -> Tensor:
        """Mix data with what `change(layer, data, transformation)` makes of it in each chain."""
        shares = ops.cast(transformation["chain_mixing_weights"], data.dtype)
        chosen, units = transformation["layer_idxes"], transformation["units"]
        total = ops.zeros_like(data)
        for chain in range(self.num_chains):
            version = data
            for step in range(self.chain_depth):
                branches: list[Any] = [
                    lambda layer=layer, x=version, u=units[chain, step]: change(
                        layer, x, _drawn(layer, x, u)
                    )
                    for layer in self._layers().values()
                ]
                branches.append(lambda x=version: _copy(x))
                version = ops.switch_case(chosen[chain, step], branches)
            total = total + version * shares[chain]
        own = ops.cast(transformation["weight_sample"], data.dtype)
        return own * data + (1.0 - own) * total

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        mixed = self._mixed(lambda layer, x, t: layer.augment_images(x, t), images, transformation)
        return ops.clip_by_value(mixed, *self.value_range)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        if not training:
            return segmentation_masks
        masks = ops.cast(segmentation_masks, "float32")
        return self._on_pixels(masks, lambda x: self._mixed(_masks_of, x, transformation))


def _drawn(layer: ImageLayer, images: Tensor, units: Tensor) -> Any:
    if not isinstance(layer, RandomImageLayer):
        return None
    return layer.draw(Sizes.of(images), ops.unstack(units)[: layer.numbers], None)


class Pipeline(Layer):
    """Apply layers one after the other, to prepare data.

    Args:
        layers: The layers.
        name: The pipeline's name.

    Call:
        inputs: What the first layer takes.
        training: Passed on to the layers that take it.
        mask: Passed to the first layer if it takes one; later ones get that of their input.

    Returns:
        What the last layer returns.

    Example:
        >>> prepare = tf.keras.layers.Pipeline(
        ...     [tf.keras.layers.Rescaling(0.5), tf.keras.layers.CenterCrop(1, 1)]
        ... )
        >>> prepare(tf.constant([[[2.0], [4.0]]])).numpy().ravel()
        array([1.], dtype=float32)
    """

    def __init__(self, layers: Sequence[Any], name: str | None = None):
        super().__init__(name=name, autocast=False)
        self._pipeline_layers = list(layers)

    @property
    def layers(self) -> list[Any]:
        """The layers."""
        return self._pipeline_layers

    def _config_head(self) -> dict[str, Any]:
        return {"name": self.name}

    def call(self, inputs: Any, training: bool = True, mask: Any = None) -> Any:
        for layer in self._pipeline_layers:
            takes = layer._lm_spec.takes_any or "mask" in layer._lm_spec.names
            more = {"mask": mask} if takes and mask is not None else {}
            inputs = layer(inputs, training=training, **more)
            mask = masks_of(inputs)
        return inputs

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Pipeline":
        """Return the pipeline that a config describes.

        Raises:
            ValueError: `layers` is missing, or no list.
        """
        found = config.get("layers")
        if not isinstance(found, list | tuple):
            raise ValueError(
                f"Pipeline.from_config: `config` must have the configs of the layers as a list "
                f'"layers"; got {found!r}.'
            )
        return super().from_config(config)
