"""Layers that change the values or the size of images in fixed ways, or cut parts out."""

from typing import Any, ClassVar

from lamina import ops
from lamina.engine import Tensor, as_dtype, static_int
from lamina.keras import policy, random
from lamina.keras.core import Layer, checks
from lamina.keras.layers.preprocessing.image_base import ImageLayer, RandomImageLayer, Sizes
from lamina.ops import image
from lamina.ops.image import fitting

__all__ = [
    "CenterCrop",
    "MaxNumBoundingBoxes",
    "RandomCrop",
    "RandomHeight",
    "RandomWidth",
    "Rescaling",
    "Resizing",
]

# Of `tf.image.resize`.
_METHODS = (
    *("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5"),
    *("gaussian", "mitchellcubic"),
)
_INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5")


class Rescaling(Layer):
    """Return ``inputs * scale + offset``.

    Args:
        scale: A number, or one for each channel.
        offset: A number, or one for each channel.
        **kwargs: See `Layer`.

    Call:
        inputs: Any numbers, any shape.

    Returns:
        Shape of `inputs`, the layer's compute dtype. The mask passes through.

    Example:
        >>> tf.keras.layers.Rescaling(0.5, offset=-1)(tf.constant([0, 4])).numpy()
        array([-1.,  1.], dtype=float32)
    """

    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset

    def call(self, inputs: Any) -> Tensor:
        scale, offset = (ops.cast(v, self.compute_dtype) for v in (self.scale, self.offset))
        if scale.shape.rank and policy.image_data_format() == "channels_first":
            scale = ops.reshape(scale, (*scale.shape, *[1] * (3 - scale.shape.rank)))
        return checks.real(self, inputs, self.compute_dtype) * scale + offset


class Resizing(ImageLayer):
    """Resize images, at inference too.

    Args:
        height: The new height, in pixels.
        width: The new width, in pixels.
        interpolation: "bilinear", "nearest", "bicubic", "area", "lanczos3" or "lanczos5".
        crop_to_aspect_ratio: Whether to cut images to the new aspect ratio first.
        pad_to_aspect_ratio: Whether to pad images to the new aspect ratio first.
        fill_mode: "constant".
        fill_value: What images are padded with.
        antialias: Whether to smooth images that get smaller, against moiré.
        data_format: See `ImageLayer`.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, C)`` or ``(H, W, C)``, or a dict; boxes and masks follow.

    Returns:
        Images of the new size; integers keep their dtype (rounded), floats have the compute dtype.

    Raises:
        ValueError: an argument is wrong.

    Example:
        >>> tf.keras.layers.Resizing(2, 6)(tf.ones((1, 4, 4, 3))).shape
        TensorShape([1, 2, 6, 3])
    """

    always_on = True
    moves_pixels = True

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.height = checks.positive_int(self, "height", height)
        self.width = checks.positive_int(self, "width", width)
        self.interpolation = checks.choice(self, "interpolation", interpolation, _INTERPOLATIONS)
        self.fill_mode = checks.choice(self, "fill_mode", fill_mode, ("constant",))
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ValueError(
                f"{checks.label(self)}: only one of `crop_to_aspect_ratio` and "
                f"`pad_to_aspect_ratio` can be True; got both.\n  Fix: choose one."
            )
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_value = fill_value
        self.antialias = bool(antialias)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        sizes = self.sizes(data)
        return sizes.height, sizes.width

    def input_size(self, transformation: Any) -> tuple[Any, Any]:
        return transformation

    def output_size(self, height: Any, width: Any) -> tuple[Any, Any]:
        return self.height, self.width

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Tensor:
        images = ops.convert_to_tensor(images)
        if images.dtype.is_floating and as_dtype(self.compute_dtype).is_floating:
            images = checks.real(self, images, self.compute_dtype)
        return self._on_pixels(images, lambda x: self._resized(x, self.interpolation))

    def augment_masks(self, masks: Tensor, transformation: Any) -> Tensor:
        return self._resized(masks, "nearest")

    def _resized(self, images: Tensor, interpolation: str) -> Tensor:
        size = (self.height, self.width)
        dtype = images.dtype
        if self.crop_to_aspect_ratio:
            images = fitting.crop_to_aspect(images, size=size)
        elif self.pad_to_aspect_ratio:
            images = fitting.pad_to_aspect(images, size=size, fill_value=self.fill_value)
        images = image.resize(images, size, interpolation, antialias=self.antialias)
        if dtype.is_floating or images.dtype is dtype:
            return ops.cast(images, dtype)
        return ops.saturate_cast(ops.round(images), dtype)

    def augment_boxes(self, boxes: Tensor, transformation: Any, height: Any, width: Any) -> Tensor:
        scale_x = self.width / ops.cast(width, boxes.dtype)
        scale_y = self.height / ops.cast(height, boxes.dtype)
        if self.pad_to_aspect_ratio:
            scale_x = scale_y = ops.minimum(scale_x, scale_y)
        elif self.crop_to_aspect_ratio:
            scale_x = scale_y = ops.maximum(scale_x, scale_y)
        moved = boxes * ops.stack([scale_x, scale_y] * 2)
        if self.pad_to_aspect_ratio or self.crop_to_aspect_ratio:
            room_x = self.width - scale_x * ops.cast(width, boxes.dtype)
            room_y = self.height - scale_y * ops.cast(height, boxes.dtype)
            # What is cut off is negative room; whole pixels are cut or padded on the left.
            shifts = [ops.sign(room) * ops.floor(ops.abs(room) / 2) for room in (room_x, room_y)]
            moved = moved + ops.stack(shifts * 2)
        is_filler = ops.reduce_all(boxes == -1.0, -1) | ops.reduce_all(boxes == 0.0, -1)
        return ops.where(ops.expand_dims(is_filler, -1), ops.zeros_like(moved), moved)


def _fitted(images: Tensor, size: tuple[int, int], interpolation: str) -> Tensor:
    """Return the largest part in the centre with a size's aspect ratio, resized to it."""
    dtype = images.dtype
    images = fitting.crop_to_aspect(images, size=size)
    return ops.cast(image.resize(images, size, interpolation), dtype)


class CenterCrop(ImageLayer):
    """Cut the centre out of images, at inference too; smaller images are cut and resized.

    Args:
        height: The height of the part, in pixels.
        width: The width of the part, in pixels.
        data_format: See `ImageLayer`.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, C)`` or ``(H, W, C)``, or a dict; boxes and masks follow.

    Returns:
        Images of the new size, in the compute dtype. Where an image is smaller, the largest part
        with the new aspect ratio is resized.

    Raises:
        ValueError: a size is not a positive int.

    Example:
        >>> x = tf.reshape(tf.range(16.0), (4, 4, 1))
        >>> tf.keras.layers.CenterCrop(2, 2)(x).numpy()[..., 0]
        array([[ 5.,  6.],
               [ 9., 10.]], dtype=float32)
    """

    always_on = True
    moves_pixels = True

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        self.height = checks.positive_int(self, "height", height)
        self.width = checks.positive_int(self, "width", width)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        return {"input_shape": self.sizes(data).shape}

    def output_size(self, height: Any, width: Any) -> tuple[Any, Any]:
        return self.height, self.width

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        return self._cut(images, "bilinear")

    def augment_masks(self, masks: Tensor, transformation: Any) -> Tensor:
        return self._cut(masks, "nearest")

    def _cut(self, images: Tensor, interpolation: str) -> Tensor:
        size = (self.height, self.width)
        # A side of unknown length is taken to be long enough.
        if all(s is None or s >= w for s, w in zip(images.shape[1:3], size, strict=True)):
            return fitting.center_crop(images, size=size)
        return _fitted(images, size, interpolation)

    def augment_boxes(self, boxes: Tensor, transformation: Any, height: Any, width: Any) -> Tensor:
        if height >= self.height and width >= self.width:
            box = (height - self.height) // 2, (width - self.width) // 2, self.height, self.width
        else:
            box = fitting.aspect_box(height, width, (self.height, self.width))
        return _cut_boxes(boxes, box, (self.height, self.width))


def _cut_boxes(boxes: Tensor, part: Any, size: tuple[int, int]) -> Tensor:
    """Return boxes in the pixels of a part (top, left, height, width) resized to a size."""
    top, left, height, width = part
    shift = ops.stack([ops.cast(v, boxes.dtype) for v in (left, top)] * 2)
    sides = ops.constant([width, height] * 2, boxes.dtype)
    inside = ops.minimum(ops.maximum(boxes - shift, 0), sides)
    return inside * ops.constant([size[1] / width, size[0] / height] * 2, boxes.dtype)


class RandomCrop(RandomImageLayer):
    """Cut a part out of images while training, at one random place for the batch.

    Args:
        height: The height of the part, in pixels.
        width: The width of the part, in pixels.
        seed: An int for the same draws in each run, or None.
        data_format: See `ImageLayer`.
        name: The layer's name.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, C)`` or ``(H, W, C)`` of known H and W, or a dict; boxes and
            masks follow.
        training: Whether to cut; without training the images are returned whole.

    Returns:
        Images of the new size, in the compute dtype. Where the images are smaller, the largest
        part with the new aspect ratio is resized.

    State:
        generator: moves on by one draw at each call with training.

    Raises:
        ValueError: a size is not a positive int, or H or W is unknown.

    Differs from TF:
        Images smaller than the part are cut to its aspect ratio, as documented; Keras stretches
        what is left of them. Boxes move with the part; Keras takes x for y.

    Example:
        >>> tf.keras.layers.RandomCrop(2, 3, seed=1)(tf.ones((4, 4, 1)), training=True).shape
        TensorShape([2, 3, 1])
    """

    moves_pixels = True
    numbers = 0

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, name=name, **kwargs)
        self.height = checks.positive_int(self, "height", height)
        self.width = checks.positive_int(self, "width", width)

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        if not (isinstance(sizes.height, int) and isinstance(sizes.width, int)):
            raise ValueError(
                f"{checks.label(self)}: the images' height and width must be known; got shape "
                f"{tuple(s if isinstance(s, int) else None for s in sizes.shape)}.\n"
                f"  Fix: give the sizes to tf.keras.Input, or put Resizing before this layer."
            )
        if self._holds(sizes.height, sizes.width):
            rooms = [sizes.height - self.height + 1.0, sizes.width - self.width + 1.0]
            places = random.uniform((2,), dtype="float32", seed=seed) * ops.constant(rooms)
            top, left = ops.unstack(ops.cast(places, "int32"))
        else:
            top, left = self._part(sizes.height, sizes.width)[:2]
        return top, left, (sizes.height, sizes.width)

    def input_size(self, transformation: Any) -> tuple[Any, Any]:
        return transformation[2] if len(transformation) > 2 else (self.height, self.width)

    def output_size(self, height: Any, width: Any) -> tuple[Any, Any]:
        return self.height, self.width

    def _holds(self, height: int, width: int) -> bool:
        return height >= self.height and width >= self.width

    def _part(self, height: int, width: int) -> tuple[int, int, int, int]:
        return fitting.aspect_box(height, width, (self.height, self.width))

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        return self._cut(images, transformation, "bilinear")

    def augment_masks(self, masks: Tensor, transformation: Any) -> Tensor:
        return self._cut(masks, transformation, "nearest")

    def _cut(self, images: Tensor, transformation: Any, interpolation: str) -> Tensor:
        if not self._holds(*images.shape[1:3]):
            return _fitted(images, (self.height, self.width), interpolation)
        top, left = transformation[:2]
        return fitting.crop_at(images, top, left, height=self.height, width=self.width)

    def augment_boxes(self, boxes: Tensor, transformation: Any, height: Any, width: Any) -> Tensor:
        top, left = transformation[:2]
        rows, columns = self.height, self.width
        if not self._holds(height, width):
            rows, columns = self._part(height, width)[2:]
        return _cut_boxes(boxes, (top, left, rows, columns), (self.height, self.width))


class _RandomSide(Layer):
    """Resize one side of images by a random factor while training."""

    axis: ClassVar[int]

    def __init__(
        self, factor: Any, interpolation: str = "bilinear", seed: int | None = None, **kwargs
    ):
        super().__init__(**kwargs)
        lower, upper = factor if isinstance(factor, list | tuple) else (-factor, factor)
        if not -1 <= lower <= upper:
            raise ValueError(
                f"{checks.label(self)}: `factor` must be a number, or two numbers in ascending "
                f"order, not below -1; got {factor!r}.\n  Fix: 0.2 draws from 80 % to 120 %."
            )
        self.factor = factor
        self.range = (1.0 + lower, 1.0 + upper)
        self.interpolation = checks.choice(self, "interpolation", interpolation, _METHODS)
        self.seed = seed
        self.generator = random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = True) -> Tensor:
        images = checks.real(self, inputs, self.compute_dtype)
        if not training:
            return images
        factor = random.uniform((), *self.range, dtype="float32", seed=self.generator)
        size = list(images.shape[-3:-1])
        drawn = ops.cast(factor * float(size[self.axis]), "int32")
        size[self.axis] = static_int(drawn, f"{checks.label(self)}(the drawn size)")
        return ops.cast(image.resize(images, size, self.interpolation), self.compute_dtype)


class RandomHeight(_RandomSide):
    """Make images higher or lower by a random factor while training, one for the batch.

    Args:
        factor: The largest change as a fraction of the height, or its range, as in (-0.2, 0.3).
        interpolation: A method of ``tf.image.resize``.
        seed: An int for the same draws in each run, or None.
        **kwargs: See `Layer`.

    Call:
        inputs: Images ``(B, H, W, C)`` or ``(H, W, C)``.
        training: Whether to resize.

    Returns:
        Images ``(B, H', W, C)``, in the compute dtype.

    Raises:
        ValueError: `factor` is wrong.

    Differs from TF:
        The drawn height is a shape, and shapes are known before a program runs: with training
        the layer works in eager code, not inside `tf.function` or `fit`. RandomZoom does.

    Example:
        >>> tf.keras.layers.RandomHeight((0.5, 0.5))(tf.ones((4, 4, 1)), training=True).shape
        TensorShape([6, 4, 1])
    """

    axis = 0


class RandomWidth(_RandomSide):
    """Make images wider or narrower by a random factor while training, one for the batch.

    Args:
        factor: The largest change as a fraction of the width, or its range, as in (-0.2, 0.3).
        interpolation: A method of ``tf.image.resize``.
        seed: An int for the same draws in each run, or None.
        **kwargs: See `Layer`.

    Call:
        inputs: Images ``(B, H, W, C)`` or ``(H, W, C)``.
        training: Whether to resize.

    Returns:
        Images ``(B, H, W', C)``, in the compute dtype.

    Raises:
        ValueError: `factor` is wrong.

    Differs from TF:
        The drawn width is a shape, and shapes are known before a program runs: with training
        the layer works in eager code, not inside `tf.function` or `fit`. RandomZoom does.

    Example:
        >>> tf.keras.layers.RandomWidth((0.5, 0.5))(tf.ones((4, 4, 1)), training=True).shape
        TensorShape([4, 6, 1])
    """

    axis = 1


class MaxNumBoundingBoxes(ImageLayer):
    """Bring the boxes of each image to one number: more are dropped, fewer are filled up.

    Args:
        max_number: The number of boxes.
        fill_value: What the boxes and labels that are added hold.
        **kwargs: See `ImageLayer`.

    Call:
        data: A dict of "images" and "bounding_boxes", see `ImageLayer`.

    Returns:
        The same, with "boxes" ``(B, max_number, 4)`` and "labels" ``(B, max_number)``.

    Example:
        >>> layer = tf.keras.layers.MaxNumBoundingBoxes(2, bounding_box_format="xyxy")
        >>> boxes = {"boxes": tf.ones((1, 3, 4)), "labels": tf.zeros((1, 3))}
        >>> data = layer({"images": tf.ones((1, 4, 4, 3)), "bounding_boxes": boxes})
        >>> data["bounding_boxes"]["boxes"].shape
        TensorShape([1, 2, 4])
    """

    def __init__(self, max_number: int, fill_value: int = -1, **kwargs):
        super().__init__(**kwargs)
        self.max_number = int(max_number)
        self.fill_value = int(fill_value)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if self.fill_value == -1:  # Keras never writes it
            del config["fill_value"]
        return config

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        return images

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any = None, training: bool = True
    ) -> Any:
        boxes, labels = (ops.convert_to_tensor(bounding_boxes[k]) for k in ("boxes", "labels"))
        more = max(self.max_number - checks.known_size(self, boxes.shape, 1), 0)

        def filled(x: Any, widths: list[list[int]]) -> Tensor:
            x = x[:, : self.max_number]
            return ops.pad(x, widths, constant_values=ops.cast(self.fill_value, x.dtype))

        return {
            **bounding_boxes,
            "boxes": filled(boxes, [[0, 0], [0, more], [0, 0]]),
            "labels": filled(labels, [[0, 0], [0, more]]),
        }
