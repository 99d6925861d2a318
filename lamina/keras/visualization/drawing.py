"""Boxes and masks drawn into images."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lamina.keras import policy
from lamina.keras.utils.bounding_boxes import convert_format
from lamina.keras.utils.images import pillow

__all__ = ["check_batch", "draw_bounding_boxes", "draw_segmentation_masks"]

_TEXT = 12  # the height of letters at a scale of 1, in pixels


def check_batch(who: str, images: Any) -> None:
    """Raise unless images are a batch."""
    if len(images.shape) != 4:
        raise ValueError(
            f"{who}: `images` must be a batch, of rank 4; got shape {tuple(images.shape)}.\n"
            f"  Fix: images[np.newaxis] makes one image a batch."
        )


def draw_bounding_boxes(
    images: Any,
    bounding_boxes: Any,
    bounding_box_format: str,
    class_mapping: Mapping[int, str] | None = None,
    color: Any = (128, 128, 128),
    line_thickness: int = 2,
    text_thickness: int | None = 1,
    font_scale: float = 1.0,
    data_format: str | None = None,
) -> np.ndarray:
    """Return images with boxes drawn in. It needs Pillow.

    Args:
        images: `(B, H, W, 3)` or `(B, 3, H, W)`; floats up to 1 are scaled to 255.
        bounding_boxes: A dict of `boxes` `(B, N, 4)`, `labels` `(B, N)`, where -1 is no box, and
            perhaps `confidences` `(B, N)`.
        bounding_box_format: As in `tf.keras.utils.bounding_boxes.convert_format`.
        class_mapping: The names to write by class number, or None.
        color: The color of lines and names.
        line_thickness: The width of lines, in pixels.
        text_thickness: The weight of the letters, in pixels.
        font_scale: Their size, in units of 12 pixels.
        data_format: "channels_last" or "channels_first"; None is the default one.

    Returns:
        uint8 of the shape of `images`.

    Raises:
        ValueError: `images` are no batch, or an entry of the boxes is missing.
        TypeError: `bounding_boxes` is no dict.
        ImportError: Pillow is not installed.

    Example:
        >>> boxes = {"boxes": np.array([[[1.0, 1, 4, 4]]]), "labels": np.array([[0]])}
        >>> tf.keras.visualization.draw_bounding_boxes(
        ...     np.zeros([1, 6, 6, 3]), boxes, "xyxy", line_thickness=1
        ... )[0, 1, :, 0]
        array([  0, 128, 128, 128, 128,   0], dtype=uint8)
    """
    image = pillow("draw_bounding_boxes")
    from PIL import ImageDraw

    check_batch("draw_bounding_boxes", images)
    _check_boxes(bounding_boxes)
    first = policy.standardize_data_format(data_format) == "channels_first"
    pixels = _as_bytes(np.asarray(images))
    if first:
        pixels = pixels.transpose(0, 2, 3, 1)
    height, width = pixels.shape[1:3]
    converted = convert_format(dict(bounding_boxes), bounding_box_format, "xyxy", height, width)
    boxes, labels = np.asarray(converted["boxes"]), np.asarray(converted["labels"])
    sure = bounding_boxes.get("confidences")
    names = class_mapping or {}
    found = []
    for i, array in enumerate(pixels):
        picture = image.fromarray(np.ascontiguousarray(array))
        draw = ImageDraw.Draw(picture)
        for j, box in enumerate(boxes[i].astype(int).tolist()):
            label = int(labels[i][j])
            if label == -1:
                continue
            left, right = sorted((box[0], box[2]))
            top, bottom = sorted((box[1], box[3]))
            draw.rectangle((left, top, right, bottom), outline=tuple(color), width=line_thickness)
            if label in names:
                text = names[label]
                text = text if sure is None else f"{text} | {np.asarray(sure)[i][j]:.2f}"
                _write(draw, text, box, color, font_scale, text_thickness or line_thickness)
        found.append(np.asarray(picture))
    drawn = np.stack(found)
    return drawn.transpose(0, 3, 1, 2) if first else drawn


def _check_boxes(boxes: Any) -> None:
    if not isinstance(boxes, dict):
        raise TypeError(
            f"draw_bounding_boxes: `bounding_boxes` must be a dict; got {type(boxes).__name__}."
        )
    if "boxes" not in boxes or "labels" not in boxes:
        raise ValueError(
            f"draw_bounding_boxes: `bounding_boxes` must hold 'boxes' and 'labels'; got "
            f"{sorted(boxes)}."
        )


def _as_bytes(images: np.ndarray) -> np.ndarray:
    if images.dtype.kind == "f" and images.size:
        scale = 255 if images.max() <= 1.0 else 1
        images = np.clip(images * scale, 0, 255)
    return images.astype("uint8")


def _write(draw: Any, text: str, box: list[int], color: Any, scale: float, thickness: int) -> None:
    """Write a name above a box, or in it where there is no room above."""
    from PIL import ImageFont

    size = max(int(_TEXT * scale), 1)
    font = ImageFont.load_default(size)
    x, y = box[0], box[1] - 8 - size
    if box[1] - 8 - 2 * size <= 0:
        x, y = box[0] + 3, box[1] + thickness + 3
    draw.text((x, y), text, fill=tuple(color), font=font, stroke_width=max(thickness - 1, 0))


def draw_segmentation_masks(
    images: Any,
    segmentation_masks: Any,
    num_classes: int | None = None,
    color_mapping: Mapping[int, Any] | None = None,
    alpha: float = 0.8,
    blend: bool = True,
    ignore_index: int = -1,
    data_format: str | None = None,
) -> np.ndarray:
    """Return images with the classes of their pixels as colors.

    Args:
        images: `(B, H, W, 3)` or `(B, 3, H, W)`, in [0, 255].
        segmentation_masks: Class numbers, ints `(B, H, W, 1)` or `(B, 1, H, W)`.
        num_classes: Classes from it on are not drawn; None is the largest number there is.
        color_mapping: The color of each class; None makes colors.
        alpha: The weight of the colors, in [0, 1].
        blend: Whether colors and image are mixed; else colors take the image's place.
        ignore_index: The class that is not drawn.
        data_format: "channels_last" or "channels_first"; None is the default one.

    Returns:
        `(B, H, W, 3)`: uint8, or float32 without `blend`.

    Raises:
        ValueError: `images` are no batch.
        TypeError: the masks are no ints.

    Example:
        >>> masks = np.array([[[[0], [1]]]])
        >>> tf.keras.visualization.draw_segmentation_masks(
        ...     np.zeros([1, 1, 2, 3]), masks, 2, {0: [0, 0, 0], 1: [100, 0, 0]}
        ... )[0, 0, 1]
        array([80,  0,  0], dtype=uint8)
    """
    check_batch("draw_segmentation_masks", images)
    pixels, masks = np.asarray(images), np.asarray(segmentation_masks)
    if masks.dtype.kind not in "iu":
        raise TypeError(
            f"draw_segmentation_masks: `segmentation_masks` must be ints; got {masks.dtype}.\n"
            f"  Fix: masks.astype('int32')."
        )
    if policy.standardize_data_format(data_format) == "channels_first":
        pixels, masks = pixels.transpose(0, 2, 3, 1), masks.transpose(0, 2, 3, 1)
    pixels, classes = pixels.astype("float32"), masks[..., 0]
    count = int(classes.max()) if num_classes is None else num_classes
    colors = _palette(count) if color_mapping is None else [color_mapping[i] for i in range(count)]
    drawn = pixels.copy()
    for number, color in enumerate(colors):
        drawn[classes == number] = color
    if not blend:
        return drawn
    mixed = pixels * (1 - alpha) + drawn * alpha
    return np.where((classes != ignore_index)[..., None], mixed, pixels).astype("uint8")


def _palette(count: int) -> list[Any]:
    """Return colors that differ from neighbour to neighbour, the first one black."""
    steps = np.array([2**25 - 1, 2**15 - 1, 2**21 - 1])
    return [((i * steps) % 255).tolist() for i in range(count)]
