"""Distorting images with smooth random waves."""

from typing import Any, ClassVar

from lamina import ops
from lamina.engine import Tensor
from lamina.keras import random
from lamina.keras.layers.preprocessing.augment_geometry import FILL_MODES, INTERPOLATIONS, known
from lamina.keras.layers.preprocessing.image_base import RandomImageLayer, Sizes, between, span
from lamina.ops import image
from lamina.ops.image import warping

__all__ = ["RandomElasticTransform"]


class RandomElasticTransform(RandomImageLayer):
    """Distort images with smooth random waves while training.

    Args:
        factor: The chance that an image is changed, drawn for each image from 0 to here or from
            this range; in [0, 1].
        scale: How strong the waves are, drawn for each batch from 0 to here or from this range; in
            [0, 1].
        interpolation: "bilinear" or "nearest".
        fill_mode: What moves in from outside: "reflect", "wrap", "constant", "nearest" or
            "mirror" (``d c b | a b c d | c b a``).
        fill_value: The value outside for "constant".
        value_range: The smallest and the largest value that pixels can have.
        seed: An int for the same draws in each run, or None.
        data_format: See `ImageLayer`.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, C)`` or ``(H, W, C)``, or a dict; masks follow, boxes cannot.
        training: Whether to distort.

    Returns:
        Shape of the input, compute dtype, clipped to `value_range`.

    State:
        generator: moves on by two draws at each call with training.

    Raises:
        ValueError: `factor` or `scale` is outside of [0, 1].
        NotImplementedError: `fill_mode` or `interpolation` is unknown, or there are boxes.

    Differs from TF:
        Shifts along x and y are drawn apart; Keras draws both from one seed, so that pixels move
        along the diagonal only.

    Example:
        >>> layer = tf.keras.layers.RandomElasticTransform(seed=1)
        >>> layer(tf.ones((2, 8, 8, 3)), training=True).shape
        TensorShape([2, 8, 8, 3])

    Reference: Simard et al. 2003, Best practices for convolutional neural networks, section 2.
    """

    moves_pixels = True
    numbers = 3
    _fill_modes: ClassVar[tuple[str, ...]] = (*FILL_MODES, "mirror")

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = span(self, "factor", factor, 0, 1, is_strict=False)
        self.scale = span(self, "scale", scale, 0, 1, is_strict=False)
        self.interpolation = known(self, "interpolation", interpolation, INTERPOLATIONS)
        self.fill_mode = known(self, "fill_mode", fill_mode, self._fill_modes)
        self.fill_value = fill_value
        self.value_range = value_range

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        if self.scale[1] == 0 or self.factor[1] == 0:
            return None
        chosen = units[0] < between(units[1], self.factor)
        strength = between(units[2][0], self.scale)
        shape = (sizes.batch, sizes.height, sizes.width, 2)
        noise = random.normal(shape, dtype="float32", seed=seed)
        return {
            "apply_transform": chosen,
            "distortion_factor": strength,
            "displacement": warping.waves(noise, strength, largest=float(self.scale[1])),
        }

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        moved = self._distorted(images, transformation, self.interpolation)
        return ops.clip_by_value(moved, *self.value_range)

    def augment_masks(self, masks: Tensor, transformation: Any) -> Tensor:
        return self._distorted(masks, transformation, "nearest")

    def _distorted(self, images: Tensor, transformation: Any, interpolation: str) -> Tensor:
        if transformation is None:
            return images
        sizes = Sizes.of(images)
        across, down = ops.unstack(transformation["displacement"], axis=-1)
        moved = image.warp(
            images,
            ops.cast(ops.range(sizes.height), down.dtype)[:, None] + down,
            ops.cast(ops.range(sizes.width), across.dtype) + across,
            order=INTERPOLATIONS.index(interpolation),
            fill_mode=self.fill_mode,
            fill_value=self.fill_value,
        )
        chosen = ops.reshape(transformation["apply_transform"], (-1, 1, 1, 1))
        return ops.where(chosen, moved, images)

    def input_size(self, transformation: Any) -> tuple[Any, Any]:
        return tuple(transformation["displacement"].shape[1:3])
