"""tf.keras.utils.bounding_boxes: formats of boxes, and moving them.

A box is four numbers, in one of these formats:

- "xyxy": left, top, right, bottom, in pixels; "yxyx": top, left, bottom, right.
- "xywh": left, top, width, height.
- "center_xywh": the centre's x and y, width, height; "center_yxhw": y, x, height, width.
- "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh": the same as fractions of the image's size.
"""

import math
from collections.abc import Mapping
from typing import Any

from lamina import ops
from lamina.engine import Tensor
from lamina.keras.core import checks

__all__ = [
    "affine_transform",
    "clip_to_image_size",
    "convert_format",
    "crop",
    "pad",
]

FORMATS = (
    "xyxy",
    "yxyx",
    "xywh",
    "center_xywh",
    "center_yxhw",
    "rel_xyxy",
    "rel_yxyx",
    "rel_xywh",
    "rel_center_xywh",
)
_WHO = "tf.keras.utils.bounding_boxes"

# --- formats --------------------------------------------------------------------------------------


def parts(boxes: Any) -> list[Any]:
    """Return the four numbers of each box."""
    return [boxes[..., i] for i in range(4)]


def _joined(*parts: Any) -> Tensor:
    return ops.stack(parts, -1)


def _to_corners(boxes: Any, kind: str) -> Any:
    """Return boxes of a format as left, top, right, bottom, in the same unit."""
    a, b, c, d = parts(boxes)
    if kind == "yxyx":
        return _joined(b, a, d, c)
    if kind == "xywh":
        return _joined(a, b, a + c, b + d)
    if kind == "center_xywh":
        return _joined(a - c / 2, b - d / 2, a + c / 2, b + d / 2)
    if kind == "center_yxhw":
        return _joined(b - d / 2, a - c / 2, b + d / 2, a + c / 2)
    return boxes


def _from_corners(boxes: Any, kind: str) -> Any:
    left, top, right, bottom = parts(boxes)
    width, height = right - left, bottom - top
    if kind == "yxyx":
        return _joined(top, left, bottom, right)
    if kind == "xywh":
        return _joined(left, top, width, height)
    if kind == "center_xywh":
        return _joined(left + width / 2, top + height / 2, width, height)
    if kind == "center_yxhw":
        return _joined(top + height / 2, left + width / 2, height, width)
    return boxes


def _check_formats(source: str, target: str, has_size: bool) -> None:
    wrong = [f for f in (source, target) if f not in FORMATS]
    if wrong:
        raise ValueError(
            f"{_WHO}.convert_format: `source` and `target` must be formats of boxes; got "
            f"{wrong[0]!r}.\n  Fix: use one of {', '.join(FORMATS)}."
        )
    relative = [f.startswith("rel_") for f in (source, target)]
    if any(relative) and not has_size:
        raise ValueError(
            f"{_WHO}.convert_format: `height` and `width` must be given for relative formats; got "
            f"None, source {source!r}, target {target!r}.\n  Fix: pass the images' size in pixels."
        )


def convert_format(
    boxes: Any,
    source: str,
    target: str,
    height: Any = None,
    width: Any = None,
    dtype: Any = "float32",
) -> Any:
    """Convert boxes from one format to another.

    Args:
        boxes: `(…, 4)`, or a dict whose "boxes" are converted.
        source: The format of `boxes`: "xyxy", "yxyx", "xywh", "center_xywh" or "center_yxhw" in
            pixels; "rel_xyxy", "rel_yxyx", "rel_xywh" or "rel_center_xywh" in fractions.
        target: The format wanted.
        height: The images' height in pixels; needed for relative formats only.
        width: The images' width in pixels.
        dtype: The dtype of the result.

    Returns:
        A Tensor of the same shape, or a new dict.

    Raises:
        ValueError: a format is unknown, the last axis is not 4, or a size is missing.

    Example:
        >>> convert = tf.keras.utils.bounding_boxes.convert_format
        >>> convert([[10.0, 20.0, 30.0, 60.0]], "xyxy", "center_xywh").numpy()
        array([[20., 40., 20., 40.]], dtype=float32)
    """
    if isinstance(boxes, Mapping):
        changed = convert_format(boxes["boxes"], source, target, height, width, dtype)
        return {**boxes, "boxes": changed}
    boxes = ops.convert_to_tensor(boxes)
    if boxes.shape.rank == 0 or boxes.shape[-1] != 4:
        raise ValueError(
            f"{_WHO}.convert_format: the last axis of `boxes` must have size 4; got shape "
            f"{boxes.shape}.\n  Fix: give four numbers for each box."
        )
    source, target = source.lower(), target.lower()
    _check_formats(source, target, height is not None and width is not None)
    boxes = ops.cast(boxes, dtype)
    if source == target:
        return boxes
    is_source, is_target = source.startswith("rel_"), target.startswith("rel_")
    corners = _to_corners(boxes, source.removeprefix("rel_"))
    if is_source != is_target:
        sides = ops.stack([ops.cast(size, dtype) for size in (width, height)] * 2, -1)
        corners = corners * sides if is_source else corners / sides
    return _from_corners(corners, target.removeprefix("rel_"))


# --- moving ---------------------------------------------------------------------------------------


def _clipped(boxes: Any, height: Any, width: Any) -> Tensor:
    sides = [ops.cast(size, boxes.dtype) for size in (width, height)] * 2
    boxes = ops.minimum(ops.maximum(boxes, 0), ops.stack(sides, -1))
    return boxes


def area(boxes: Any) -> Any:
    """Return the area of boxes given by their corners."""
    left, top, right, bottom = parts(boxes)
    return (right - left) * (bottom - top)


def _check_corners(who: str, bounding_box_format: str, allowed: tuple[str, ...]) -> None:
    if bounding_box_format not in allowed:
        raise NotImplementedError(
            f"{_WHO}.{who}: `bounding_box_format` must be {' or '.join(map(repr, allowed))}; got "
            f"{bounding_box_format!r}.\n  Fix: use convert_format first."
        )


def clip_to_image_size(
    bounding_boxes: Any, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy"
) -> dict[str, Any]:
    """Cut boxes at the borders of their images; those without area left get the label -1.

    Args:
        bounding_boxes: A dict of "boxes" `(…, N, 4)` and, if there are any, "labels" `(…, N)`.
        height: The images' height in pixels; not needed for "rel_xyxy".
        width: The images' width in pixels.
        bounding_box_format: "xyxy" or "rel_xyxy".

    Returns:
        A new dict.

    Raises:
        NotImplementedError: another format.
        ValueError: a size is missing.

    Example:
        >>> boxes = {"boxes": [[-5.0, 0.0, 5.0, 20.0]], "labels": [3]}
        >>> tf.keras.utils.bounding_boxes.clip_to_image_size(boxes, 10, 10)["boxes"].numpy()
        array([[ 0.,  0.,  5., 10.]], dtype=float32)
    """
    _check_corners("clip_to_image_size", bounding_box_format, ("xyxy", "rel_xyxy"))
    if bounding_box_format == "rel_xyxy":
        height = width = 1
    if height is None or width is None:
        raise ValueError(
            f"{_WHO}.clip_to_image_size: `height` and `width` must be given for 'xyxy'; got "
            f"{height} and {width}.\n  Fix: pass the images' size in pixels."
        )
    boxes = _clipped(ops.convert_to_tensor(bounding_boxes["boxes"]), height, width)
    result = {**bounding_boxes, "boxes": boxes}
    if bounding_boxes.get("labels") is not None:
        labels = ops.convert_to_tensor(bounding_boxes["labels"])
        is_seen = area(boxes) > 0
        while is_seen.shape.rank < labels.shape.rank:
            is_seen = ops.expand_dims(is_seen, -1)
        result["labels"] = ops.where(is_seen, labels, ops.cast(-1, labels.dtype))
    return result


def affine_transform(
    boxes: Any,
    angle: Any,
    translate_x: Any,
    translate_y: Any,
    scale: Any,
    shear_x: Any,
    shear_y: Any,
    height: Any,
    width: Any,
    center_x: Any = None,
    center_y: Any = None,
    bounding_box_format: str = "xyxy",
) -> Tensor:
    """Turn, shift, scale and shear boxes; the result are the boxes around their corners.

    Args:
        boxes: `(B, N, 4)`, in pixels.
        angle: `(B,)`, degrees.
        translate_x: `(B,)`, as fractions of the width less one pixel.
        translate_y: `(B,)`, as fractions of the height less one pixel.
        scale: `(B,)`.
        shear_x: `(B,)`, degrees.
        shear_y: `(B,)`, degrees.
        height: The images' height in pixels.
        width: The images' width in pixels.
        center_x: The fixed point, as a fraction of the width; None is the middle.
        center_y: The fixed point, as a fraction of the height; None is the middle.
        bounding_box_format: "xyxy".

    Returns:
        `(B, N, 4)`, float32 unless `angle` is of another float dtype.

    Raises:
        NotImplementedError: another format.

    Example:
        >>> zero, one = tf.zeros(1), tf.ones(1)
        >>> move = tf.keras.utils.bounding_boxes.affine_transform
        >>> box = tf.constant([[[0.0, 0.0, 2.0, 2.0]]])
        >>> move(box, zero, zero, zero, 2 * one, zero, zero, 5, 5).numpy().round(3)
        array([[[-2., -2.,  2.,  2.]]], dtype=float32)
    """
    _check_corners("affine_transform", bounding_box_format, ("xyxy",))
    angle = ops.convert_to_tensor(angle)
    dtype = angle.dtype
    boxes = ops.cast(boxes, dtype)
    turn, shear_x, shear_y = (
        -ops.cast(value, dtype) * (math.pi / 180) for value in (angle, shear_x, shear_y)
    )
    span_x, span_y = ops.cast(width, dtype) - 1, ops.cast(height, dtype) - 1
    middle_x = (0.5 if center_x is None else center_x) * span_x
    middle_y = (0.5 if center_y is None else center_y) * span_y
    from_x = middle_x - ops.cast(translate_x, dtype) * span_x
    from_y = middle_y - ops.cast(translate_y, dtype) * span_y
    # The map is rotation, shear along y, shear along x, as torchvision composes them.
    lean = turn - shear_y
    a, c = ops.cos(lean) / ops.cos(shear_y), -ops.sin(lean) / ops.cos(shear_y)
    b = a * ops.tan(shear_x) + ops.sin(turn)
    d = ops.cos(turn) - c * ops.tan(shear_x)
    scale = ops.cast(scale, dtype)
    a0, a1, b0, b1 = (ops.reshape(v * scale, (-1, 1, 1)) for v in (d, -b, -c, a))
    from_x, from_y = (ops.reshape(v, (-1, 1, 1)) for v in (from_x, from_y))
    left, top, right, bottom = parts(boxes)
    x, y = _joined(left, right, right, left), _joined(top, top, bottom, bottom)  # (B, N, 4)
    moved_x = middle_x + a0 * (x - from_x) + a1 * (y - from_y)
    moved_y = middle_y + b0 * (x - from_x) + b1 * (y - from_y)
    return _joined(
        ops.reduce_min(moved_x, -1),
        ops.reduce_min(moved_y, -1),
        ops.reduce_max(moved_x, -1),
        ops.reduce_max(moved_y, -1),
    )


def crop(
    boxes: Any, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy"
) -> Tensor:
    """Return boxes in the pixels of a part cut out of their images.

    Args:
        boxes: `(…, 4)`, in pixels.
        top: The first row of the part.
        left: The first column of the part.
        height: The height of the part.
        width: The width of the part.
        bounding_box_format: "xyxy".

    Returns:
        A Tensor of the same shape; boxes are clipped to the part.

    Raises:
        NotImplementedError: another format.

    Example:
        >>> tf.keras.utils.bounding_boxes.crop([[10.0, 10.0, 30.0, 30.0]], 15, 5, 10, 10).numpy()
        array([[ 5.,  0., 10., 10.]], dtype=float32)
    """
    _check_corners("crop", bounding_box_format, ("xyxy",))
    boxes = ops.convert_to_tensor(boxes)
    return _clipped(boxes - _offset(boxes, left, top), height, width)


def _offset(boxes: Any, left: Any, top: Any) -> Tensor:
    return ops.stack([ops.cast(value, boxes.dtype) for value in (left, top)] * 2, -1)


def pad(
    boxes: Any,
    top: Any,
    left: Any,
    height: Any = None,
    width: Any = None,
    bounding_box_format: str = "xyxy",
) -> Tensor:
    """Return boxes in the pixels of larger images that theirs are put into.

    Args:
        boxes: `(…, 4)`, in pixels.
        top: The number of rows above.
        left: The number of columns to the left.
        height: Accepted for Keras' signature, unused.
        width: Accepted for Keras' signature, unused.
        bounding_box_format: "xyxy".

    Returns:
        A Tensor of the same shape.

    Raises:
        NotImplementedError: another format.

    Example:
        >>> tf.keras.utils.bounding_boxes.pad([[0.0, 0.0, 5.0, 5.0]], 1, 2).numpy()
        array([[2., 1., 7., 6.]], dtype=float32)
    """
    _check_corners("pad", bounding_box_format, ("xyxy",))
    boxes = ops.convert_to_tensor(boxes)
    return boxes + _offset(boxes, left, top)


# --- what layers are given ------------------------------------------------------------------------


def dense(layer: Any, bounding_boxes: Any) -> dict[str, Any]:
    """Return a layer's boxes and their labels as Tensors; lists of lists are filled up.

    Args:
        layer: The layer, for messages.
        bounding_boxes: A dict of "boxes" `(B, N, 4)` or `(N, 4)` and "labels" `(B, N)` or `(N,)`;
            a batch may be lists whose N differs: boxes of zeros with label -1 are added.

    Raises:
        ValueError: a key is missing, or ranks or lengths do not fit.
    """
    if not isinstance(bounding_boxes, Mapping) or not {"boxes", "labels"} <= set(bounding_boxes):
        raise ValueError(
            f"{checks.label(layer)}: `bounding_boxes` must be a dict with the keys 'boxes' and "
            f"'labels'; got {bounding_boxes!r}."
        )
    boxes, labels = bounding_boxes["boxes"], bounding_boxes["labels"]
    if isinstance(boxes, list):
        boxes, labels = _filled_up(layer, boxes, labels)
    boxes, labels = ops.cast(boxes, "float32"), ops.convert_to_tensor(labels)
    ranks = boxes.shape.rank, labels.shape.rank
    if ranks not in ((2, 1), (2, 2), (3, 2), (3, 3)):
        raise ValueError(
            f"{checks.label(layer)}: boxes must have shape (N, 4) with labels (N,), or (B, N, 4) "
            f"with labels (B, N); got shapes {boxes.shape} and {labels.shape}."
        )
    return {**bounding_boxes, "boxes": boxes, "labels": labels}


def _filled_up(layer: Any, boxes: list[Any], labels: Any) -> tuple[Any, Any]:
    if not isinstance(labels, list) or len(labels) != len(boxes):
        raise ValueError(
            f"{checks.label(layer)}: boxes that are a list must come with a list of as many "
            f"labels; got {len(boxes)} boxes and labels {labels!r}."
        )
    rows = [ops.convert_to_tensor(row) for row in boxes]
    if not rows or rows[0].shape.rank != 2:
        return boxes, labels
    counts = [row.shape[0] or 0 for row in rows]
    full = []
    for row, names, count in zip(rows, labels, counts, strict=True):
        more = max(counts) - count
        names = ops.convert_to_tensor(names)
        filled = ops.pad(ops.cast(row, "float32"), [[0, more], [0, 0]])
        full.append((filled, ops.pad(names, [[0, more]], constant_values=-1)))
    return ops.stack([b for b, _ in full]), ops.stack([n for _, n in full])
