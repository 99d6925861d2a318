"""What image layers share: layouts, dtypes, boxes, masks, labels; drawing once per image."""

from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any, ClassVar, NamedTuple

from lamina import ops
from lamina.engine import Tensor, as_dtype
from lamina.keras import policy, random
from lamina.keras.core import Layer, checks
from lamina.keras.layers.preprocessing import image_boxes

__all__ = [
    "FactorLayer",
    "ImageLayer",
    "RandomImageLayer",
    "Sizes",
    "between",
    "column",
    "drawn_for",
    "span",
    "to_range",
    "two_values",
]


class Sizes(NamedTuple):
    """The sizes of a batch of images: ints, or scalar Tensors where unknown.

    Attributes:
        batch: The number of images, 1 for a single one.
        height: Their height, in pixels.
        width: Their width, in pixels.
        channels: The number of channels.
        shape: All of these in the layer's data format, without the batch for a single image.
    """

    batch: Any
    height: Any
    width: Any
    channels: Any
    shape: tuple[Any, ...]

    @classmethod
    def of(cls, images: Tensor) -> "Sizes":
        """Return the sizes of images ``(B, H, W, C)``."""
        known = images.shape.as_list()
        dims = tuple(ops.shape(images)[i] if d is None else d for i, d in enumerate(known))
        batch, height, width, channels = dims
        return cls(batch, height, width, channels, dims)


def between(unit: Tensor, ends: tuple[float, float]) -> Tensor:
    """Return uniform numbers in [0, 1) as numbers in a range."""
    low, high = ends
    return unit * (high - low) + float(low)


def column(values: Any, like: Tensor) -> Tensor:
    """Return one value per image as ``(B, 1, 1, 1)`` of the dtype of `like`."""
    return ops.reshape(ops.cast(values, like.dtype), (-1, 1, 1, 1))


def span(
    layer: Layer,
    argument: str,
    value: Any,
    low: float,
    high: float,
    *,
    mirrored: bool = False,
    is_strict: bool = True,
) -> tuple[float, float]:
    """Return the range that a number or a pair of numbers stands for.

    Args:
        layer: The layer, for messages.
        argument: The argument's name.
        value: A number f, for the range from -f (from `low` if that is larger) to f; a pair; None
            is 0.
        low: The smallest number allowed.
        high: The largest number allowed.
        mirrored: Whether the range of a number starts at -f even below `low`.
        is_strict: Whether both numbers of a pair must be allowed; else, as Keras has it, the
            range they span must only touch what is allowed.

    Raises:
        ValueError: `value` is something else, or not in the range.
    """
    is_pair = isinstance(value, list | tuple) and len(value) == 2
    entries: Any = tuple(value) if is_pair else (0.0 if value is None else value,)
    fits = all(isinstance(v, Real) for v in entries)
    if fits and mirrored and is_pair and entries[0] == -entries[1]:
        is_pair, entries = False, entries[1:]  # as the range of a number stands in a config
    if fits and (is_strict or not is_pair):
        fits = all(low <= v <= high for v in entries)
    elif fits:
        fits = entries[0] <= high and entries[1] >= low
    if not fits:
        raise ValueError(
            f"{checks.label(layer)}: `{argument}` must be a number, or two numbers, in "
            f"[{low}, {high}]; got {value!r}.\n  Fix: give the largest change, or its range."
        )
    if is_pair:
        lower, upper = sorted(entries)
        return lower, upper
    size = abs(entries[0])
    return (-size if mirrored else max(low, -size)), size


def two_values(layer: Layer, argument: str, value: Any) -> list[float]:
    """Return two numbers as a list, the smaller first; `value_range` is given this way."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError(
            f"{checks.label(layer)}: `{argument}` must be a list of two numbers; got {value!r}.\n"
            f"  Fix: (0, 255), or (0, 1) for images that are scaled so."
        )
    return sorted(value)


def to_range(images: Tensor, source: Any, target: Any) -> Tensor:
    """Return images with the values of one range moved to another, ends on ends."""
    if tuple(source) == tuple(target):
        return images
    share = (images - source[0]) / (source[1] - source[0])
    return share * (target[1] - target[0]) + target[0]


class ImageLayer(Layer):
    """A layer that changes images, and the boxes, masks and labels that come with them.

    A subclass writes `augment_images`, on floats ``(B, H, W, C)`` whatever the data format, and,
    if it `moves_pixels`, `augment_boxes`; layouts, dtypes, single images, dicts and what happens
    at inference are dealt with here.

    Args:
        data_format: "channels_last" or "channels_first"; None takes
            ``tf.keras.config.image_data_format()``.
        bounding_box_format: The format of boxes, see
            ``tf.keras.utils.bounding_boxes.convert_format``; needed only if there are boxes.
        **kwargs: See `Layer`.

    Call:
        data: Images ``(B, H, W, C)`` or ``(H, W, C)``, or a dict with the key "images" and any of
            "labels", "bounding_boxes" (a dict of "boxes" ``(B, N, 4)`` and "labels" ``(B, N)``)
            and "segmentation_masks" ``(B, H, W, C')``.
        training: Whether to change anything; layers that are `always_on` do so in any case.

    Returns:
        The same structure. Images have the layer's compute dtype.

    Raises:
        ValueError: the images' rank, the boxes' structure or an argument is wrong.
    """

    always_on: ClassVar[bool] = False
    moves_pixels: ClassVar[bool] = False
    _config_head_keys: ClassVar[tuple[str, ...]] = (
        *Layer._config_head_keys,
        "data_format",
        "bounding_box_format",
    )

    def __init__(
        self, data_format: str | None = None, bounding_box_format: str | None = None, **kwargs
    ):
        super().__init__(autocast=False, **kwargs)  # boxes need float32 whatever the images have
        self.data_format = policy.standardize_data_format(data_format)
        self.bounding_box_format = bounding_box_format

    def _config_head(self) -> dict[str, Any]:
        head = {**super()._config_head(), "data_format": self.data_format}
        if self.bounding_box_format is not None:
            head["bounding_box_format"] = self.bounding_box_format
        return head

    def _config_restore(self, entries: dict[str, Any]) -> None:
        super()._config_restore(entries)
        self.data_format = entries.get("data_format") or self.data_format
        self.bounding_box_format = entries.get("bounding_box_format") or self.bounding_box_format

    # -- what subclasses write

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        """Return changed images; floats ``(B, H, W, C)``."""
        raise NotImplementedError

    def augment_masks(self, masks: Tensor, transformation: Any) -> Tensor:
        """Return masks that moved with the images: any dtype, ``(B, H, W, C')``."""
        return self.augment_images(masks, transformation)

    def augment_boxes(self, boxes: Tensor, transformation: Any, height: Any, width: Any) -> Tensor:
        """Return boxes ``(B, N, 4)`` that moved with the images: left, top, right, bottom.

        Args:
            boxes: In pixels of the images given.
            transformation: What `get_random_transformation` returned.
            height: The images' height.
            width: The images' width.
        """
        raise NotImplementedError(
            f"{checks.label(self)}: boxes cannot follow this layer; got bounding_boxes.\n"
            f"  Fix: leave the boxes out, or use a layer that moves images as a whole."
        )

    def input_size(self, transformation: Any) -> tuple[Any, Any]:
        """Return the height and width of the images that a transformation was drawn for."""
        return self._size_in(transformation["input_shape"])

    def output_size(self, height: Any, width: Any) -> tuple[Any, Any]:
        """Return the height and width of the result."""
        return height, width

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Return what `transform_images` and its like need to change data alike; here None.

        Args:
            data: Images or a dict, see the class; only their shape counts.
            training: Whether the data will be changed.
            seed: An int or a SeedGenerator; None takes the layer's own generator.
        """
        return None

    # -- the call

    def call(self, data: Any, training: bool = True) -> Any:
        if not isinstance(data, Mapping):
            transformation = self.get_random_transformation(data, training=training)
            return self.transform_images(data, transformation, training=training)
        data = dict(data)
        if "bounding_boxes" in data:
            data["bounding_boxes"] = self._dense(data["bounding_boxes"])
        is_single = self._rank(data["images"]) == 3
        changes = {
            "images": self.transform_images,
            "bounding_boxes": self.transform_bounding_boxes,
            "labels": self.transform_labels,
            "segmentation_masks": self.transform_segmentation_masks,
        }
        parts = {key: data[key] for key in changes if key in data}
        if is_single:
            parts = _mapped(lambda x: ops.expand_dims(x, 0), parts)
        transformation = self.get_random_transformation(parts, training=training)
        for key, part in parts.items():
            parts[key] = changes[key](part, transformation, training=training)
        if is_single:
            parts = _mapped(lambda x: ops.squeeze(x, 0), parts)
        return {**data, **parts}

    def transform_images(
        self, images: Any, transformation: Any = None, training: bool = True
    ) -> Tensor:
        """Return images changed as `transformation` says, in the layer's compute dtype.

        Args:
            images: ``(B, H, W, C)`` or ``(H, W, C)``; in "channels_first" the channels come first.
            transformation: What `get_random_transformation` returned.
            training: Whether to change them.
        """
        images = ops.convert_to_tensor(images)
        if not self._is_active(training):
            return self._computed(images)
        exact = self.compute_dtype == "float64"

        def change(x: Tensor) -> Tensor:
            x = checks.real(self, x, "float64" if exact else "float32")
            return self.augment_images(x, transformation)

        return self._computed(self._on_pixels(images, change))

    def transform_labels(self, labels: Any, transformation: Any, training: bool = True) -> Any:
        """Return the labels of the changed images; most layers leave them as they are."""
        return labels

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Return masks moved as the images are, without mixing their values."""
        if not (self.moves_pixels and self._is_active(training)):
            return segmentation_masks
        return self._on_pixels(segmentation_masks, lambda x: self.augment_masks(x, transformation))

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        """Return boxes moved as the images are, and clipped to them.

        Args:
            bounding_boxes: A dict of "boxes" ``(B, N, 4)`` and "labels" ``(B, N)``; boxes that
                are no longer seen get the label -1.
            transformation: What `get_random_transformation` returned.
            training: Whether to change them.
        """
        if not (self.moves_pixels and self._is_active(training)) or transformation is None:
            return bounding_boxes
        given, dtype = self.bounding_box_format or "xyxy", "float32"
        height, width = self.input_size(transformation)
        boxes = bounding_boxes["boxes"]
        boxes = image_boxes.convert_format(boxes, given, "xyxy", height, width, dtype)
        boxes = self.augment_boxes(boxes, transformation, height, width)
        height, width = self.output_size(height, width)
        moved = {**bounding_boxes, "boxes": boxes}
        moved = image_boxes.clip_to_image_size(moved, height, width)
        return image_boxes.convert_format(moved, "xyxy", given, height, width, dtype)

    # -- helpers

    def sizes(self, data: Any) -> Sizes:
        """Return the sizes of images, or of the images in a dict."""
        images = ops.convert_to_tensor(data["images"] if isinstance(data, Mapping) else data)
        rank = self._rank(images)
        known = images.shape.as_list()
        dims = [ops.shape(images)[i] if d is None else d for i, d in enumerate(known)]
        height, width = self._size_in(dims)
        channels = dims[-1 if self.data_format == "channels_last" else -3]
        return Sizes(dims[0] if rank == 4 else 1, height, width, channels, tuple(dims))

    def _size_in(self, shape: Any) -> tuple[Any, Any]:
        first = -3 if self.data_format == "channels_last" else -2
        return shape[first], shape[first + 1]

    def _is_active(self, training: bool) -> bool:
        return bool(training) or self.always_on

    def _rank(self, images: Any) -> int:
        shape = ops.convert_to_tensor(images).shape
        if shape.rank not in (3, 4):
            raise ValueError(
                f"{checks.label(self)}: images must have rank 3 (one image) or rank 4 (a batch); "
                f"got shape {shape}.\n  Fix: add or drop axes, as in image[..., None] for gray."
            )
        return shape.rank

    def _on_pixels(self, images: Any, change: Callable[[Tensor], Tensor]) -> Tensor:
        """Run a function of ``(B, H, W, C)`` on images in the layer's own layout."""
        images = ops.convert_to_tensor(images)
        is_single = self._rank(images) == 3
        is_first = self.data_format == "channels_first"
        if is_single:
            images = ops.expand_dims(images, 0)
        images = change(self._channels_last(images))
        if is_first:
            images = ops.transpose(images, (0, 3, 1, 2))
        return ops.squeeze(images, 0) if is_single else images

    def _channels_last(self, images: Tensor) -> Tensor:
        if self.data_format == "channels_last":
            return images
        return ops.transpose(images, (0, 2, 3, 1))

    def _computed(self, images: Tensor) -> Tensor:
        """Return images in the compute dtype; integers are rounded and clipped to their range."""
        wanted = as_dtype(self.compute_dtype)
        if wanted.is_floating or not images.dtype.is_floating:
            return checks.real(self, images, wanted)
        return ops.saturate_cast(ops.round(images), wanted)

    def _dense(self, bounding_boxes: Any) -> dict[str, Any]:
        if self.bounding_box_format is None:
            raise ValueError(
                f"{checks.label(self)}: `bounding_box_format` must be given for inputs with "
                f'"bounding_boxes"; got None.\n'
                f'  Fix: {type(self).__name__}(..., bounding_box_format="xyxy").'
            )
        return image_boxes.dense(self, bounding_boxes)


def _mapped(change: Callable[[Any], Any], parts: Any) -> Any:
    """Apply a function to each Tensor of nested dicts."""
    if isinstance(parts, Mapping):
        return {key: _mapped(change, part) for key, part in parts.items()}
    return change(parts)


class RandomImageLayer(ImageLayer):
    """An image layer that draws how it changes each image.

    A subclass writes `draw`, and `augment_images` for what was drawn. All uniform numbers that it
    needs are drawn at once: one program of random bits a layer, and layers made of layers can
    draw for all of them.

    Attributes:
        numbers: How many uniform numbers `draw` gets for each image.

    Args:
        seed: An int for the same draws in each run, or None.
        **kwargs: See `ImageLayer`.

    State:
        generator: moves on at each call with training.
    """

    numbers: int = 1

    def __init__(self, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.generator = random.SeedGenerator(seed)

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        """Return the transformation of a batch.

        Args:
            sizes: The images' sizes.
            units: `numbers` Tensors ``(B,)``, float32, uniform in [0, 1).
            seed: What `lamina.keras.random` takes for a seed, for other distributions.
        """
        raise NotImplementedError

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        if not training:
            return None
        seed = self.generator if seed is None else seed
        sizes = self.sizes(data)
        units: list[Any] = []
        if self.numbers:
            shape = (self.numbers, sizes.batch)
            units = ops.unstack(random.uniform(shape, dtype="float32", seed=seed))
        return self.draw(sizes, units, seed)


def drawn_for(layers: Mapping[str, Any], sizes: Sizes, units: list[Any], seed: Any) -> Any:
    """Return the transformations of layers by name; each takes the numbers it needs in turn.

    Args:
        layers: Layers by name; those that draw nothing get None.
        sizes: The images' sizes.
        units: As many numbers as the layers need together, see `RandomImageLayer.draw`.
        seed: A seed, for other distributions.
    """
    found, rest = {}, list(units)
    for name, layer in layers.items():
        count = getattr(layer, "numbers", None)
        own, rest = rest[: count or 0], rest[count or 0 :]
        found[name] = None if count is None else layer.draw(sizes, own, seed)
    return found


class FactorLayer(RandomImageLayer):
    """A layer that changes the values of pixels, each image by a factor of its own.

    Args:
        factor: A number, or the range that factors are drawn from; see the subclass.
        value_range: The smallest and the largest value that pixels can have.
        data_format: See `ImageLayer`.
        seed: See `RandomImageLayer`.
        **kwargs: See `ImageLayer`.

    Raises:
        ValueError: `factor` lies outside of `factor_bounds`, or `value_range` is no pair.
    """

    factor_bounds: ClassVar[tuple[float, float]] = (-1, 1)

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        low, high = self.factor_bounds
        self.factor = span(
            self, "factor", 0.0 if factor is None else factor, low, high, is_strict=False
        )
        self.value_range = two_values(self, "value_range", value_range)

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        return {"factor": between(units[0], self.factor)}

    def clipped(self, images: Tensor) -> Tensor:
        """Return images with their values clipped to `value_range`."""
        return ops.clip_by_value(images, *self.value_range)
