"""tf.keras.utils.bounding_boxes: comparing boxes, and boxes as deltas from anchors."""

import math
from collections.abc import Mapping
from typing import Any

from lamina import ops
from lamina.engine import Tensor
from lamina.keras import policy
from lamina.keras.layers.preprocessing.image_boxes import area, convert_format, parts

__all__ = ["compute_ciou", "compute_iou", "decode_deltas_to_boxes", "encode_box_to_deltas"]

_WHO = "tf.keras.utils.bounding_boxes"

# --- comparing ------------------------------------------------------------------------------------


def _in_corners(boxes: Any, source: str, image_shape: Any, who: str) -> Any:
    if source.startswith("rel") and image_shape is None:
        raise ValueError(
            f"{_WHO}.{who}: `image_shape` must be given for relative formats; got None with "
            f"{source!r}.\n  Fix: image_shape=(height, width, channels)."
        )
    height, width = (None, None) if image_shape is None else image_shape[:2]
    return convert_format(boxes, source, "xyxy", height, width)


def compute_iou(
    boxes1: Any,
    boxes2: Any,
    bounding_box_format: str,
    use_masking: bool = False,
    mask_val: float = -1,
    image_shape: Any = None,
) -> Tensor:
    """Return the area that each two boxes share, over the area that they cover together.

    Args:
        boxes1: `(M, 4)` or `(B, M, 4)`.
        boxes2: `(N, 4)` or `(B, N, 4)`.
        bounding_box_format: Their format.
        use_masking: Whether pairs with a box all of whose numbers are negative get `mask_val`.
        mask_val: The value of such pairs.
        image_shape: Height, width and channels of the images; needed for relative formats.

    Returns:
        float32 `(M, N)` or `(B, M, N)`, in [0, 1].

    Raises:
        ValueError: a rank is wrong, or the size is missing.

    Example:
        >>> iou = tf.keras.utils.bounding_boxes.compute_iou
        >>> iou([[0.0, 0.0, 2.0, 2.0]], [[0.0, 0.0, 2.0, 1.0]], "xyxy").numpy().round(3)
        array([[0.5]], dtype=float32)
    """
    first = _in_corners(boxes1, bounding_box_format, image_shape, "compute_iou")
    second = _in_corners(boxes2, bounding_box_format, image_shape, "compute_iou")
    for name, boxes in (("boxes1", first), ("boxes2", second)):
        if boxes.shape.rank not in (2, 3):
            raise ValueError(
                f"{_WHO}.compute_iou: `{name}` must have rank 2 or 3; got shape {boxes.shape}.\n"
                f"  Fix: give boxes of shape (N, 4), or (batch, N, 4)."
            )
    first, second = ops.expand_dims(first, -2), ops.expand_dims(second, -3)  # (…, M, N, 4)
    shared = _shared(first, second)
    union = area(first) + area(second) - shared
    result = shared / (union + policy.epsilon())
    if not use_masking:
        return result
    is_empty = (ops.reduce_max(first, -1) < 0) | (ops.reduce_max(second, -1) < 0)
    return ops.where(is_empty, ops.cast(mask_val, result.dtype), result)


def _shared(first: Any, second: Any) -> Any:
    """Return the area that boxes share, broadcast."""
    left1, top1, right1, bottom1 = parts(first)
    left2, top2, right2, bottom2 = parts(second)
    width = ops.maximum(ops.minimum(right1, right2) - ops.maximum(left1, left2), 0)
    return width * ops.maximum(ops.minimum(bottom1, bottom2) - ops.maximum(top1, top2), 0)


def compute_ciou(
    boxes1: Any, boxes2: Any, bounding_box_format: str, image_shape: Any = None
) -> Tensor:
    """Return the complete IoU of boxes, pair by pair: minus distance and difference in shape.

    Args:
        boxes1: `(…, 4)`.
        boxes2: `(…, 4)`, of a shape that broadcasts.
        bounding_box_format: Their format.
        image_shape: Height, width and channels of the images; needed for relative formats.

    Returns:
        float32 `(…)`, in (-1.5, 1].

    Raises:
        ValueError: the size is missing.

    Example:
        >>> ciou = tf.keras.utils.bounding_boxes.compute_ciou
        >>> ciou([[0.0, 0.0, 2.0, 2.0]], [[0.0, 0.0, 2.0, 2.0]], "xyxy").numpy().round(3)
        array([1.], dtype=float32)

    Reference: Zheng et al. 2020, https://arxiv.org/abs/1911.08287, eq. 10.
    """
    first = _in_corners(boxes1, bounding_box_format, image_shape, "compute_ciou")
    second = _in_corners(boxes2, bounding_box_format, image_shape, "compute_ciou")
    tiny = policy.epsilon()
    left1, top1, right1, bottom1 = parts(first)
    left2, top2, right2, bottom2 = parts(second)
    width1, height1 = right1 - left1, bottom1 - top1 + tiny
    width2, height2 = right2 - left2, bottom2 - top2 + tiny
    shared = _shared(first, second)
    iou = shared / (width1 * height1 + width2 * height2 - shared + 2 * tiny)
    hull_x = ops.maximum(right1, right2) - ops.minimum(left1, left2)
    hull_y = ops.maximum(bottom1, bottom2) - ops.minimum(top1, top2)
    away_x = (left1 + right1) / 2 - (left2 + right2) / 2
    away_y = (top1 + bottom1) / 2 - (top2 + bottom2) / 2
    distance = (ops.square(away_x) + ops.square(away_y)) / (
        ops.square(hull_x) + ops.square(hull_y) + tiny
    )
    shape = ops.square(ops.atan(width2 / height2) - ops.atan(width1 / height1)) * (4 / math.pi**2)
    return iou - (distance + shape * shape / (shape - iou + (1 + tiny)))


# --- deltas ---------------------------------------------------------------------------------------


def _delta_arguments(who: str, name: str, encoding: str, variance: Any, image_shape: Any) -> Any:
    """Return variance as a Tensor or None, height and width; check the arguments."""
    if variance is not None:
        variance = ops.cast(variance, "float32")
        if variance.shape[-1] != 4:
            raise ValueError(
                f"{_WHO}.{who}: `variance` must have length 4; got shape {variance.shape}.\n"
                f"  Fix: one number each for the centre's two places and the two sizes."
            )
    if encoding not in ("center_xywh", "center_yxhw"):
        raise ValueError(
            f"{_WHO}.{who}: `{name}` must be 'center_xywh' or 'center_yxhw'; got {encoding!r}."
        )
    height, width = (None, None) if image_shape is None else image_shape[:2]
    return variance, height, width


def encode_box_to_deltas(
    anchors: Any,
    boxes: Any,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Tensor:
    """Return how far boxes are from their anchors: what a detector learns to predict.

    Args:
        anchors: `(…, 4)`.
        boxes: `(…, 4)`.
        anchor_format: The format of the anchors.
        box_format: The format of the boxes.
        encoding_format: The order of the result: "center_yxhw" or "center_xywh".
        variance: Four numbers that the result is divided by, or None.
        image_shape: Height, width and channels of the images; needed for relative formats.

    Returns:
        float32 `(…, 4)`: distance of the centres in units of the anchor's size, and the log of
        the sizes' ratios.

    Raises:
        ValueError: `encoding_format` or `variance` is wrong.

    Example:
        >>> encode = tf.keras.utils.bounding_boxes.encode_box_to_deltas
        >>> encode([[0.0, 0.0, 2.0, 2.0]], [[1.0, 0.0, 3.0, 2.0]], "xyxy", "xyxy").numpy()
        array([[0. , 0.5, 0. , 0. ]], dtype=float32)
    """
    variance, height, width = _delta_arguments(
        "encode_box_to_deltas", "encoding_format", encoding_format, variance, image_shape
    )
    start = convert_format(anchors, anchor_format, encoding_format, height, width)
    goal = convert_format(boxes, box_format, encoding_format, height, width)
    sides = ops.maximum(start[..., 2:], policy.epsilon())
    wanted = ops.maximum(goal[..., 2:], policy.epsilon())
    moves = (goal[..., :2] - start[..., :2]) / sides
    deltas = ops.concat([moves, ops.log(wanted / sides)], -1)
    return deltas if variance is None else deltas / variance


def decode_deltas_to_boxes(
    anchors: Any,
    boxes_delta: Any,
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Any:
    """Return the boxes that are as far from their anchors as deltas say.

    Args:
        anchors: `(…, 4)`, or a dict of them by level.
        boxes_delta: What `encode_box_to_deltas` returned, or a dict with the same keys.
        anchor_format: The format of the anchors.
        box_format: The format of the result.
        encoded_format: The order of the deltas: "center_yxhw" or "center_xywh".
        variance: Four numbers that the deltas were divided by, or None.
        image_shape: Height, width and channels of the images; needed for relative formats.

    Returns:
        float32 `(…, 4)`, or a dict of them.

    Raises:
        ValueError: `encoded_format` or `variance` is wrong.

    Example:
        >>> decode = tf.keras.utils.bounding_boxes.decode_deltas_to_boxes
        >>> decode([[0.0, 0.0, 2.0, 2.0]], [[0.0, 0.5, 0.0, 0.0]], "xyxy", "xyxy").numpy()
        array([[1., 0., 3., 2.]], dtype=float32)
    """
    variance, height, width = _delta_arguments(
        "decode_deltas_to_boxes", "encoded_format", encoded_format, variance, image_shape
    )

    def decoded(anchor: Any, delta: Any) -> Any:
        start = convert_format(anchor, anchor_format, encoded_format, height, width)
        delta = ops.convert_to_tensor(delta)
        delta = delta if variance is None else delta * variance
        sides = start[..., 2:]
        places = delta[..., :2] * sides + start[..., :2]
        boxes = ops.concat([places, ops.exp(delta[..., 2:]) * sides], -1)
        return convert_format(boxes, encoded_format, box_format, height, width)

    if isinstance(anchors, Mapping) and isinstance(boxes_delta, Mapping):
        return {level: decoded(anchor, boxes_delta[level]) for level, anchor in anchors.items()}
    return decoded(anchors, boxes_delta)
