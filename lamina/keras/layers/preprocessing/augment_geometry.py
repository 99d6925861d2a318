"""Layers that move pixels at random: flips, shifts, turns, zooms, shears, perspectives."""

import math
from typing import Any

from lamina import ops
from lamina.engine import Tensor
from lamina.keras.core import Layer, checks
from lamina.keras.layers.preprocessing.image_base import (
    RandomImageLayer,
    Sizes,
    between,
    span,
)
from lamina.ops import image
from lamina.ops.image import warping

__all__ = [
    "RandomFlip",
    "RandomPerspective",
    "RandomRotation",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
]

INTERPOLATIONS = ("nearest", "bilinear")
FILL_MODES = ("reflect", "wrap", "constant", "nearest")


class UnknownModeError(NotImplementedError, ValueError):
    """A mode that does not exist: a wrong value, for which Keras raises NotImplementedError."""


def known(layer: Layer, argument: str, value: str, allowed: tuple[str, ...]) -> str:
    """Return a value if it is one of those allowed; else raise NotImplementedError, as Keras."""
    if value not in allowed:
        raise UnknownModeError(
            f"{checks.label(layer)}: `{argument}` must be one of {list(allowed)}; got {value!r}."
        )
    return value


class RandomFlip(RandomImageLayer):
    """Mirror images while training, each with a chance of one half.

    Args:
        mode: "horizontal" (left and right change places), "vertical" or
            "horizontal_and_vertical": both at once, or none.
        seed: An int for the same draws in each run, or None.
        data_format: See `ImageLayer`.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, C)`` or ``(H, W, C)``, or a dict; boxes and masks follow.
        training: Whether to flip.

    Returns:
        Shape of the input, compute dtype.

    State:
        generator: moves on by one draw at each call with training.

    Raises:
        ValueError: `mode` is unknown.

    Example:
        >>> images = tf.constant([[[[1.0], [2.0]]]] * 20)
        >>> flipped = tf.keras.layers.RandomFlip("horizontal", seed=1)(images, training=True)
        >>> sorted(set(flipped[:, 0, 0, 0].numpy().tolist()))
        [1.0, 2.0]
    """

    moves_pixels = True

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        modes = ("horizontal", "vertical", "horizontal_and_vertical")
        self.mode = checks.choice(self, "mode", mode, modes)

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        flips = ops.reshape(units[0] <= 0.5, (-1, 1, 1, 1))
        return {"flips": flips, "input_shape": sizes.shape}

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        axes = [2] if "horizontal" in self.mode else []
        axes += [1] if "vertical" in self.mode else []
        flips = ops.reshape(transformation["flips"], (-1, 1, 1, 1))
        return ops.where(flips, ops.reverse(images, axes), images)

    def augment_boxes(self, boxes: Tensor, transformation: Any, height: Any, width: Any) -> Tensor:
        left, top, right, bottom = (boxes[..., i] for i in range(4))
        if "horizontal" in self.mode:
            width = ops.cast(width, boxes.dtype)
            left, right = width - right, width - left
        if "vertical" in self.mode:
            height = ops.cast(height, boxes.dtype)
            top, bottom = height - bottom, height - top
        flips = ops.reshape(transformation["flips"], (-1, 1, 1))
        return ops.where(flips, ops.stack([left, top, right, bottom], -1), boxes)


class Warp(RandomImageLayer):
    """Move images by a projective map of their own each; boxes and masks follow the same map.

    A subclass writes `draw` and `matrix`.

    Args:
        fill_mode: What lies outside of an image: "reflect" (``d c b a | a b c d | d c b a``),
            "wrap" (``a b c d | a b c d | a b c d``), "nearest" (``a a | a b c d | d d``) or
            "constant".
        interpolation: "bilinear" or "nearest".
        fill_value: The value outside for "constant".
        **kwargs: See `RandomImageLayer`.

    Raises:
        NotImplementedError: `fill_mode` or `interpolation` is unknown.
    """

    moves_pixels = True

    def __init__(
        self,
        fill_mode: str = "constant",
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.fill_mode = known(self, "fill_mode", fill_mode, FILL_MODES)
        self.interpolation = known(self, "interpolation", interpolation, INTERPOLATIONS)
        self.fill_value = fill_value

    def matrix(self, transformation: Any, height: Any, width: Any) -> Tensor:
        """Return where each pixel of the result reads, ``(B, 8)``, for `projective_transform`."""
        raise NotImplementedError

    def augment_images(self, images: Tensor, transformation: Any) -> Tensor:
        return self._warped(images, transformation, self.interpolation)

    def augment_masks(self, masks: Tensor, transformation: Any) -> Tensor:
        return self._warped(masks, transformation, "nearest")

    def _warped(self, images: Tensor, transformation: Any, interpolation: str) -> Tensor:
        if transformation is None:
            return images
        sizes = Sizes.of(images)
        return image.projective_transform(
            images,
            self.matrix(transformation, sizes.height, sizes.width),
            interpolation=interpolation,
            fill_mode=self.fill_mode,
            fill_value=self.fill_value,
        )

    def augment_boxes(self, boxes: Tensor, transformation: Any, height: Any, width: Any) -> Tensor:
        matrix = self.matrix(transformation, height, width)
        return warping.moved_boxes(boxes, ops.cast(matrix, boxes.dtype))


def _matrix(*entries: Any) -> Tensor:
    """Return maps from six entries each, numbers or ``(B,)``; c0 and c1 are 0."""
    like = next(e for e in entries if isinstance(e, Tensor))
    full = [e if isinstance(e, Tensor) else ops.fill(ops.shape(like), e) for e in (*entries, 0, 0)]
    return ops.stack([ops.cast(e, "float32") for e in full], 1)


class RandomTranslation(Warp):
    """Shift images by random distances while training.

    Args:
        height_factor: The largest shift as a fraction of the height, or its range; positive is
            downwards. In [-1, 1].
        width_factor: The same along the width; positive is to the right.
        fill_mode: What moves in from outside: "reflect", "wrap", "constant" or "nearest", see
            `Warp`.
        interpolation: "bilinear" or "nearest".
        seed: An int for the same draws in each run, or None.
        fill_value: The value outside for "constant".
        data_format: See `ImageLayer`.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, C)`` or ``(H, W, C)``, or a dict; boxes and masks follow.
        training: Whether to shift.

    Returns:
        Shape of the input, compute dtype.

    State:
        generator: moves on by one draw at each call with training.

    Raises:
        ValueError: a factor is outside of [-1, 1].
        NotImplementedError: `fill_mode` or `interpolation` is unknown.

    Example:
        >>> layer = tf.keras.layers.RandomTranslation(0, (0.5, 0.5), fill_mode="constant")
        >>> layer(tf.constant([[[1.0], [2.0]]]), training=True).numpy().ravel()
        array([0., 1.], dtype=float32)
    """

    numbers = 2

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(
            fill_mode, interpolation, fill_value, seed=seed, data_format=data_format, **kwargs
        )
        self.height_factor = height_factor
        self.width_factor = width_factor
        self.height_range = span(self, "height_factor", height_factor, -1, 1)
        self.width_range = span(self, "width_factor", width_factor, -1, 1)

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        moves = [
            between(units[0], self.width_range) * ops.cast(sizes.width, "float32"),
            between(units[1], self.height_range) * ops.cast(sizes.height, "float32"),
        ]
        return {"translations": ops.stack(moves, 1), "input_shape": sizes.shape}

    def matrix(self, transformation: Any, height: Any, width: Any) -> Tensor:
        moves = ops.convert_to_tensor(transformation["translations"])
        return _matrix(1, 0, -moves[:, 0], 0, 1, -moves[:, 1])


class RandomRotation(Warp):
    """Turn images about their centre by random angles while training.

    Args:
        factor: The largest angle as a fraction of a full turn, or its range, in [-1, 1]; positive
            is counter-clockwise. 0.1 draws from -36 to 36 degrees.
        fill_mode: What moves in from outside: "reflect", "wrap", "constant" or "nearest", see
            `Warp`.
        interpolation: "bilinear" or "nearest".
        seed: An int for the same draws in each run, or None.
        fill_value: The value outside for "constant".
        data_format: See `ImageLayer`.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, C)`` or ``(H, W, C)``, or a dict; boxes and masks follow, a box
            as the one around its turned corners.
        training: Whether to turn.

    Returns:
        Shape of the input, compute dtype.

    State:
        generator: moves on by one draw at each call with training.

    Raises:
        ValueError: `factor` is outside of [-1, 1].
        NotImplementedError: `fill_mode` or `interpolation` is unknown.

    Example:
        >>> layer = tf.keras.layers.RandomRotation((0.25, 0.25))  # a quarter turn
        >>> image = tf.constant([[[1.0], [2.0]], [[3.0], [4.0]]])
        >>> layer(image, training=True).numpy()[..., 0].round(3)
        array([[2., 4.],
               [1., 3.]], dtype=float32)
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(
            fill_mode, interpolation, fill_value, seed=seed, data_format=data_format, **kwargs
        )
        self.factor = span(
            self, "factor", 0.0 if factor is None else factor, -1, 1, is_strict=False
        )

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        angle = between(units[0], self.factor) * 360.0
        none = ops.zeros_like(angle)
        pairs = ops.stack([none, none], 1)
        matrix = warping.affine_matrix(
            angle * (math.pi / 180),
            pairs,
            none + 1.0,
            pairs,
            ops.constant([0.5, 0.5]),
            ops.stack([ops.cast(side, "float32") for side in (sizes.width, sizes.height)]),
        )
        return {
            "angle": angle,
            "rotation_matrix": matrix,
            "image_height": sizes.height,
            "image_width": sizes.width,
            "batch_size": sizes.batch,
        }

    def input_size(self, transformation: Any) -> tuple[Any, Any]:
        return transformation["image_height"], transformation["image_width"]

    def matrix(self, transformation: Any, height: Any, width: Any) -> Tensor:
        return ops.reshape(transformation["rotation_matrix"], (-1, 8))


class RandomZoom(Warp):
    """Zoom into or out of images by random factors while training.

    Args:
        height_factor: The largest zoom as a fraction of the height, or its range, above -1 and up
            to 1: positive zooms out, negative zooms in. (0.2, 0.3) shows 20 to 30 % more.
        width_factor: The same along the width; None keeps the aspect ratio.
        fill_mode: What moves in from outside: "reflect", "wrap", "constant" or "nearest", see
            `Warp`.
        interpolation: "bilinear" or "nearest".
        seed: An int for the same draws in each run, or None.
        fill_value: The value outside for "constant".
        data_format: See `ImageLayer`.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, C)`` or ``(H, W, C)``, or a dict; boxes and masks follow.
        training: Whether to zoom.

    Returns:
        Shape of the input, compute dtype.

    State:
        generator: moves on by one draw at each call with training.

    Raises:
        ValueError: a factor is outside of (-1, 1].
        NotImplementedError: `fill_mode` or `interpolation` is unknown.

    Example:
        >>> layer = tf.keras.layers.RandomZoom((-0.5, -0.5), interpolation="nearest")
        >>> image = tf.reshape(tf.range(4.0), (1, 4, 1))
        >>> layer(image, training=True).numpy().ravel()
        array([1., 1., 2., 2.], dtype=float32)
    """

    numbers = 2

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(
            fill_mode, interpolation, fill_value, seed=seed, data_format=data_format, **kwargs
        )
        self.height_factor = height_factor
        self.width_factor = width_factor
        above = math.nextafter(-1.0, 0.0)
        self.height_range = span(self, "height_factor", height_factor, above, 1, mirrored=True)
        self.width_range = None
        if width_factor is not None:
            self.width_range = span(self, "width_factor", width_factor, above, 1, mirrored=True)

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        height = ops.expand_dims(1.0 + between(units[0], self.height_range), 1)
        width = height
        if self.width_range is not None:
            width = ops.expand_dims(1.0 + between(units[1], self.width_range), 1)
        return {"height_zoom": height, "width_zoom": width, "input_shape": sizes.shape}

    def matrix(self, transformation: Any, height: Any, width: Any) -> Tensor:
        zooms = (transformation[f"{side}_zoom"] for side in ("width", "height"))
        across, down = (ops.convert_to_tensor(zoom)[:, 0] for zoom in zooms)
        left = (ops.cast(width, "float32") - 1) / 2 * (1 - across)
        top = (ops.cast(height, "float32") - 1) / 2 * (1 - down)
        return _matrix(across, 0, left, 0, down, top)


class RandomShear(Warp):
    """Shear images by random amounts while training.

    Args:
        x_factor: The largest shift to the side for each pixel down, or its range, in [0, 1]; half
            of the images are sheared the other way.
        y_factor: The largest shift up for each pixel to the side, or its range.
        interpolation: "bilinear" or "nearest".
        fill_mode: What moves in from outside: "reflect", "wrap", "constant" or "nearest", see
            `Warp`.
        fill_value: The value outside for "constant".
        data_format: See `ImageLayer`.
        seed: An int for the same draws in each run, or None.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, C)`` or ``(H, W, C)``, or a dict; boxes and masks follow, a box
            as the one around its sheared corners.
        training: Whether to shear.

    Returns:
        Shape of the input, compute dtype.

    State:
        generator: moves on by one draw at each call with training.

    Raises:
        ValueError: a factor is outside of [0, 1].
        NotImplementedError: `fill_mode` or `interpolation` is unknown.

    Differs from TF:
        Boxes follow the exact map of the images; Keras shears them as if images were square, and
        along y after x.

    Example:
        >>> layer = tf.keras.layers.RandomShear(x_factor=0.5, seed=1)
        >>> layer(tf.ones((4, 4, 3)), training=True).shape
        TensorShape([4, 4, 3])
    """

    numbers = 3

    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(
            fill_mode, interpolation, fill_value, seed=seed, data_format=data_format, **kwargs
        )
        self.x_factor = span(self, "x_factor", x_factor, 0, 1, mirrored=True)
        self.y_factor = span(self, "y_factor", y_factor, 0, 1, mirrored=True)

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        side = ops.where(units[0] > 0.5, -1.0, 1.0)
        shear = [between(units[1], self.x_factor) * side, between(units[2], self.y_factor) * side]
        return {"shear_factor": ops.stack(shear, 1), "input_shape": sizes.shape}

    def matrix(self, transformation: Any, height: Any, width: Any) -> Tensor:
        shear = ops.convert_to_tensor(transformation["shear_factor"])
        return _matrix(1, shear[:, 0], 0, shear[:, 1], 1, 0)


class RandomPerspective(Warp):
    """Show images as if seen from the side while training: their corners move at random.

    Args:
        factor: The chance that an image is changed, drawn for each image from 0 to here or from
            this range; in [0, 1].
        scale: How far corners move, as a fraction of their place: half of it to both sides. In
            [0, 1].
        interpolation: "bilinear" or "nearest".
        fill_value: The value outside of an image.
        seed: An int for the same draws in each run, or None.
        data_format: See `ImageLayer`.
        **kwargs: See `ImageLayer`.

    Call:
        data: Images ``(B, H, W, C)`` or ``(H, W, C)``, or a dict; boxes and masks follow, a box
            as the one around its moved corners.
        training: Whether to change anything.

    Returns:
        Shape of the input, compute dtype.

    State:
        generator: moves on by one draw at each call with training.

    Raises:
        ValueError: `factor` or `scale` is outside of [0, 1].
        NotImplementedError: `interpolation` is unknown.

    Example:
        >>> layer = tf.keras.layers.RandomPerspective(seed=1)
        >>> layer(tf.ones((2, 8, 8, 3)), training=True).shape
        TensorShape([2, 8, 8, 3])
    """

    numbers = 10

    def __init__(
        self,
        factor: Any = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(
            "constant", interpolation, fill_value, seed=seed, data_format=data_format, **kwargs
        )
        self.factor = span(self, "factor", factor, 0, 1, is_strict=False)
        self.scale = checks.fraction(self, "scale", scale)

    def draw(self, sizes: Sizes, units: list[Any], seed: Any) -> Any:
        chosen = units[0] < between(units[1], self.factor)
        moves = ops.reshape(ops.stack(units[2:], 1), (-1, 4, 2))
        moves = between(moves, (-0.5 * self.scale, 0.5 * self.scale))
        right, bottom = (ops.cast(s, "float32") - 1 for s in (sizes.width, sizes.height))
        zero = ops.zeros_like(right)
        corners = [[zero, zero], [right, zero], [zero, bottom], [right, bottom]]
        start = ops.stack([ops.stack(corner) for corner in corners]) + ops.zeros_like(moves)
        return {
            "apply_perspective": chosen,
            "start_points": start,
            "end_points": start + start * moves,
            "input_shape": sizes.shape,
        }

    def matrix(self, transformation: Any, height: Any, width: Any) -> Tensor:
        points = (ops.cast(transformation[k], "float32") for k in ("start_points", "end_points"))
        chosen = ops.expand_dims(transformation["apply_perspective"], 1)
        same = ops.constant([1, 0, 0, 0, 1, 0, 0, 0], "float32")
        return ops.where(chosen, warping.homography(*points), same)
