"""Layers that put other pixels into images: noise or a color, or parts of other images."""

from typing import Any

from lamina import ops
from lamina.engine import Tensor
from lamina.keras import random
from lamina.keras.core import checks
from lamina.keras.layers.preprocessing.image_base import (
    FactorLayer,
    ImageLayer,
    RandomImageLayer,
    Sizes,
    between,
    span,
)

__all__ = ["CutMix", "MixUp", "RandomErasing"]


def _rectangles(
    layer: ImageLayer, sizes: Sizes, across: Tensor, down: Tensor, places: Any
) -> tuple[Tensor, Tensor]:
    """Place one rectangle in each image.

    Args:
        layer: The layer, whose data format the result has.
        sizes: The images' sizes.
        across: ``(B,)``: the rectangles' widths, as fractions of the images'.
        down: ``(B,)``: their heights.
        places: Two ``(B,)``: how far to the right and down, as fractions of the room there is.

    Returns:
        Whether a pixel lies inside, ``(B, H, W, 1)``, and the share of the area, ``(B,)``.
    """

    def inside(share: Tensor, size: Any, unit: Tensor) -> Tensor:
        full = ops.cast(size, "float32")
        length = share * full
        start = ops.expand_dims(unit * (full - length), 1)
        place = ops.cast(ops.range(size), "float32")
        return (place >= start) & (place < start + ops.expand_dims(length, 1))  # (B, size)

    columns, rows = inside(across, sizes.width, places[0]), inside(down, sizes.height, places[1])
    mask = ops.expand_dims(rows, 2) & ops.expand_dims(columns, 1)
    axis = -1 if layer.data_format == "channels_last" else 1
    return ops.expand_dims(mask, axis), across * down


def _mixed(values: Tensor, share: Any, order: Any) -> Tensor:
    """Return ``share * values + (1 - share) * values in another order``, floats."""
    values = values if values.dtype.is_floating else ops.cast(values, "float32")
    share = ops.reshape(ops.cast(share, values.dtype), (-1, *[1] * (len(values.shape) - 1)))
    return share * values + (1.0 - share) * ops.gather(values, order, axis=0)


class RandomErasing(FactorLayer):
    """Erase a rectangle of some of the images while training.

    Args:
        factor: The chance that an image is changed, drawn for each image from 0 to here or from
            this range; in [0, 1].
        scale: The largest share of the area that is erased, or its range; in [0, 1].
        fill_value: What erased pixels hold: a number, one for each of three channels, or None for
            normal noise times the largest value.
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
        generator: moves on by one draw, two with noise, at each call with training.

    Raises:
        ValueError: an argument is wrong.

    Example:
        >>> layer = tf.keras.layers.RandomErasing((1.0, 1.0), scale=(1.0, 1.0), fill_value=7)
        >>> layer(tf.zeros((1, 2, 1)), training=True).numpy().ravel()
        array([7., 7.], dtype=float32)

    Reference: Zhong et al. 2017, https://arxiv.org/abs/1708.04896, algorithm 1.
    """

    factor_bounds = (0, 1)
    numbers = 6

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(factor, value_range, data_format, seed, **kwargs)
        self.scale = span(self, "scale", scale, 0, 1, is_strict=False)
        is_list = isinstance(fill_value, list | tuple)
        if (is_list and len(fill_value) != 3) or not isinstance(
            fill_value, list | tuple | int | float | None
        ):
            raise ValueError(
                f"{checks.label(self)}: `fill_value` must be a number, three numbers or None; got "
                f"{fill_value!r}.\n  Fix: one number for all channels, or one each for RGB."
            )
        self.fill_value = fill_value

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        across, down = (ops.sqrt(between(unit, self.scale)) for unit in units[:2])
        mask, _ = _rectangles(self, sizes, across, down, units[2:4])
        return {
            "apply_erasing": units[4] < between(units[5], self.factor),
            "batch_masks": mask,
            "fill_value": self._fill(sizes, seed),
        }

    def _fill(self, sizes: Sizes, seed: Any) -> Tensor:
        """Return what erased pixels hold, of a shape that broadcasts to the images'."""
        if self.fill_value is None:
            shape = (sizes.batch, *sizes.shape[-3:])
            fill = random.normal(shape, dtype="float32", seed=seed) * self.value_range[1]
            return self.clipped(fill)
        fill = ops.reshape(ops.constant(self.fill_value, "float32"), (-1,))
        is_last = self.data_format == "channels_last"
        return self.clipped(ops.reshape(fill, (1, 1, 1, -1) if is_last else (1, -1, 1, 1)))

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        mask = self._channels_last(transformation["batch_masks"])
        fill = ops.cast(self._channels_last(transformation["fill_value"]), images.dtype)
        chosen = ops.reshape(transformation["apply_erasing"], (-1, 1, 1, 1))
        return ops.where(mask & chosen, fill, images)


class MixUp(RandomImageLayer):
    """Mix each image of a batch with another one while training, and their labels alike.

    Args:
        alpha: How even mixtures are: shares come from a beta distribution with both parameters
            alpha, and are near 0 or 1 for a small one.
        data_format: See `ImageLayer`.
        seed: An int for the same draws in each run, or None.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, C)``, or a dict: one-hot labels ``(B, K)`` and masks are mixed too,
            and each image gets the boxes of both.
        training: Whether to mix.

    Returns:
        Shape of the input, compute dtype; labels and masks are floats.

    State:
        generator: moves on by two draws at each call with training.

    Differs from TF:
        The labels of boxes are joined along the axis of the boxes, in Keras along the batch; masks
        are mixed with those of the same image's partner.

    Example:
        >>> data = {"images": tf.ones((2, 4, 4, 3)), "labels": tf.one_hot([0, 1], 2)}
        >>> mixed = tf.keras.layers.MixUp(seed=1)(data, training=True)
        >>> tf.reduce_sum(mixed["labels"], -1).numpy()
        array([1., 1.], dtype=float32)

    Reference: Zhang et al. 2017, https://arxiv.org/abs/1710.09412, section 2.
    """

    numbers = 0

    def __init__(
        self,
        alpha: float = 0.2,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.alpha = alpha

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        order = random.shuffle(ops.range(sizes.batch), seed=seed)
        share = random.beta((sizes.batch,), self.alpha, self.alpha, dtype="float32", seed=seed)
        return {"mix_weight": share, "permutation_order": order}

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        return _mixed(images, transformation["mix_weight"], transformation["permutation_order"])

    def transform_labels(self, labels: Any, transformation: Any, training: bool = True) -> Any:
        if not training:
            return labels
        labels = ops.convert_to_tensor(labels)
        return _mixed(labels, transformation["mix_weight"], transformation["permutation_order"])

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        return self.transform_labels(segmentation_masks, transformation, training)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        if not training:
            return bounding_boxes
        order = transformation["permutation_order"]
        both = {k: ops.convert_to_tensor(bounding_boxes[k]) for k in ("boxes", "labels")}
        both = {k: ops.concat([v, ops.gather(v, order, axis=0)], 1) for k, v in both.items()}
        return {**bounding_boxes, **both}


class CutMix(RandomImageLayer):
    """Put a rectangle of another image into each image of a batch while training.

    Args:
        factor: The largest parameter of the beta distribution that shares are drawn from, or its
            range, in [0, 1]; drawn for each batch.
        seed: An int for the same draws in each run, or None.
        data_format: See `ImageLayer`.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, C)``, or a dict: one-hot labels ``(B, K)`` are mixed by area, masks
            follow, boxes cannot. A single image stays as it is.
        training: Whether to mix.

    Returns:
        Shape of the input, compute dtype; labels are floats.

    State:
        generator: moves on by three draws at each call with training.

    Raises:
        ValueError: `factor` is outside of [0, 1].
        NotImplementedError: there are boxes.

    Example:
        >>> data = {"images": tf.ones((2, 4, 4, 3)), "labels": tf.one_hot([0, 1], 2)}
        >>> mixed = tf.keras.layers.CutMix(seed=1)(data, training=True)
        >>> tf.reduce_sum(mixed["labels"], -1).numpy()
        array([1., 1.], dtype=float32)

    Reference: Yun et al. 2019, https://arxiv.org/abs/1905.04899, eq. 1.
    """

    moves_pixels = True
    numbers = 3

    def __init__(
        self,
        factor: Any = 1.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = span(self, "factor", factor, 0, 1, is_strict=False)

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        if len(sizes.shape) == 3:
            return None
        alpha = between(units[0][0], self.factor) + 1e-6  # not 0
        share = random.beta((sizes.batch,), alpha, alpha, dtype="float32", seed=seed)
        side = ops.sqrt(1.0 - share)
        mask, area = _rectangles(self, sizes, side, side, units[1:])
        order = random.shuffle(ops.range(sizes.batch), seed=seed)
        return {"permutation_order": order, "batch_masks": mask, "mix_weight": 1.0 - area}

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        if transformation is None:
            return images
        mask = self._channels_last(transformation["batch_masks"])
        other = ops.gather(images, transformation["permutation_order"], axis=0)
        return ops.where(mask, other, images)

    def transform_labels(self, labels: Any, transformation: Any, training: bool = True) -> Any:
        if not training or transformation is None:
            return labels
        labels = ops.convert_to_tensor(labels)
        return _mixed(labels, transformation["mix_weight"], transformation["permutation_order"])

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        if not training:
            return bounding_boxes
        return self.augment_boxes(bounding_boxes["boxes"], transformation, None, None)
