"""Boxes: cutting them out of images, and suppressing those that overlap."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from lamina.engine import (
    convert_to_tensor,
    dtypes,
    errors,
    host_value,
    local,
    op,
    static_int,
    static_ints,
)
from lamina.ops.array import known_value

__all__ = [
    "crop_and_resize",
    "non_max_suppression",
    "non_max_suppression_with_scores",
]

# --- crops ----------------------------------------------------------------------------------------


def _sample_places(first, last, size, count):
    """Return where to sample an axis of `size` pixels for each box: `(N, count)`."""
    span = jnp.asarray(size, jnp.float32) - 1
    if count == 1:
        return (0.5 * (first + last) * span)[:, None]
    steps = jnp.arange(count, dtype=jnp.float32)
    return first[:, None] * span + steps * ((last - first) * span / (count - 1))[:, None]


@op(mixed=True)
def _crop_and_resize(image, boxes, box_indices, *, crop_size, method, extrapolation_value):
    image = image.astype(jnp.float32)
    height, width = image.shape[1:3]
    rows = _sample_places(boxes[:, 0], boxes[:, 2], height, crop_size[0])[:, :, None]  # (N, h, 1)
    columns = _sample_places(boxes[:, 1], boxes[:, 3], width, crop_size[1])[:, None]  # (N, 1, w)
    last_row, last_column = jnp.asarray(height, jnp.int32) - 1, jnp.asarray(width, jnp.int32) - 1
    batch = box_indices[:, None, None]

    def pixel(row, column):
        row = jnp.clip(row.astype(jnp.int32), 0, last_row)
        column = jnp.clip(column.astype(jnp.int32), 0, last_column)
        return image[batch, row, column]  # (N, h, w, C)

    if method == "nearest":
        found = pixel(_round(rows), _round(columns))
    else:
        top, left = jnp.floor(rows), jnp.floor(columns)
        down, right = (rows - top)[..., None], (columns - left)[..., None]
        upper = pixel(top, left) * (1 - right) + pixel(top, jnp.ceil(columns)) * right
        lower = pixel(jnp.ceil(rows), left) * (1 - right)
        lower = lower + pixel(jnp.ceil(rows), jnp.ceil(columns)) * right
        found = upper * (1 - down) + lower * down
    inside = (rows >= 0) & (rows <= last_row) & (columns >= 0) & (columns <= last_column)
    return jnp.where(inside[..., None], found, np.float32(extrapolation_value))


def _round(x):
    return jnp.sign(x) * jnp.floor(jnp.abs(x) + 0.5)  # halves away from zero, as C's roundf


def _require_crops(boxes, indices, sizes):
    if not (boxes.is_compatible_with([None, 4]) and indices.is_compatible_with(boxes[:1])):
        raise errors.ArgumentError(
            "tf.image.crop_and_resize: `boxes` must have shape (N, 4) and `box_indices` (N,); got "
            f"{boxes} and {indices}.\n  Fix: one index for each box."
        )
    if len(sizes) != 2 or any(isinstance(n, int) and n <= 0 for n in sizes):
        raise errors.ArgumentError(
            f"tf.image.crop_and_resize: `crop_size` must be a positive height and width; got "
            f"{sizes}.\n  Fix: crop_size=[height, width]."
        )


def _require_images(image, box_indices):
    """Raise if a box is of no image, where that is known."""
    known, count = host_value(box_indices), image.shape[0] if image.ndim else None
    if known is None or count is None or not local.trace.eager:
        return
    if np.any((known < 0) | (known >= count)):
        raise errors.OutOfRangeError(
            f"tf.image.crop_and_resize: `box_indices` must lie in [0, {count}), the images of "
            f"`image`; got {known.tolist()}.\n  Fix: correct the indices."
        )


def crop_and_resize(
    image,
    boxes,
    box_indices,
    crop_size,
    method="bilinear",
    extrapolation_value: Any = 0.0,
    name=None,
):
    """Cut boxes out of images, and resize each to one size.

    Args:
        image: A Tensor `(B, H, W, C)`.
        boxes: N boxes `(y1, x1, y2, x2)` in units of the image: 0 is the first pixel's centre, 1
            the last one's. `y1 > y2` flips.
        box_indices: N integers in `[0, B)`: the image of each box.
        crop_size: The height h and width w of the crops.
        method: "bilinear" or "nearest".
        extrapolation_value: The value of places outside the image.
        name: Accepted, unused.

    Returns:
        A float32 Tensor `(N, h, w, C)`. Gradients flow to `image` and, for "bilinear", `boxes`.

    Raises:
        ValueError: `method` is unknown.
        ArgumentError: `boxes`, `box_indices` and `crop_size` do not have these shapes.
        OutOfRangeError: a box is of no image (where the indices are known; else its crop is that of
            the nearest image).

    Example:
        >>> tf.image.crop_and_resize(
        ...     tf.ones((1, 8, 8, 3)), [[0.0, 0.0, 0.5, 0.5]], [0], (4, 4)
        ... ).shape
        TensorShape([1, 4, 4, 3])
    """
    if method not in ("bilinear", "nearest"):
        raise ValueError(
            f'tf.image.crop_and_resize: `method` must be "bilinear" or "nearest"; got {method!r}.\n'
            "  Fix: use one of these."
        )
    boxes, box_indices = convert_to_tensor(boxes, dtypes.float32), convert_to_tensor(box_indices)
    sizes = static_ints(crop_size, "tf.image.crop_and_resize(crop_size)")
    _require_crops(boxes.shape, box_indices.shape, sizes)
    image = convert_to_tensor(image)
    _require_images(image, box_indices)
    return _crop_and_resize(
        image,
        boxes,
        box_indices,
        crop_size=sizes,
        method=method,
        extrapolation_value=float(extrapolation_value),
    )


# --- overlap --------------------------------------------------------------------------------------


def _overlaps(box, others):
    """Return the intersection over union of one box and others, corners in any order."""
    low = np.minimum(others[:, :2], others[:, 2:])
    high = np.maximum(others[:, :2], others[:, 2:])
    start, end = np.minimum(box[:2], box[2:]), np.maximum(box[:2], box[2:])
    shared = np.clip(np.minimum(high, end) - np.maximum(low, start), 0, None).prod(1)
    areas, area = (high - low).prod(1), (end - start).prod()
    usable = (areas > 0) & (area > 0)
    return np.where(usable, shared / np.where(usable, areas + area - shared, 1), 0)


def suppressed(boxes, scores, limit, threshold, score_threshold, sigma):
    """Choose boxes one by one, the best first; return their indices and scores."""
    scores = scores.astype(np.float32).copy()
    alive = scores > score_threshold
    chosen, kept = [], []
    while alive.any() and len(chosen) < limit:
        best = int(np.argmax(np.where(alive, scores, -np.inf)))
        chosen.append(best)
        kept.append(scores[best])
        alive[best] = False
        overlap = _overlaps(boxes[best], boxes)
        if sigma > 0:
            scores = scores * np.exp(-0.5 * overlap * overlap / sigma)
            alive &= scores > score_threshold
        else:
            alive &= overlap <= threshold
    return np.array(chosen, np.int32), np.array(kept, np.float32)


def _suppress(boxes, scores, limit, threshold, score_threshold, sigma, who):
    fix = "choose a fixed number of boxes with tf.math.top_k inside the trace"
    boxes = known_value(convert_to_tensor(boxes), f"{who}: `boxes`", fix)
    scores = known_value(convert_to_tensor(scores), f"{who}: `scores`", fix)
    if boxes.ndim != 2 or boxes.shape[1] != 4 or scores.shape != boxes.shape[:1]:
        raise errors.ArgumentError(
            f"{who}: `boxes` must have shape (N, 4) and `scores` (N,); got {boxes.shape} and "
            f"{scores.shape}.\n  Fix: one image at a time."
        )
    limit = static_int(limit, f"{who}(max_output_size)")
    if limit < 0 or not 0 <= float(threshold) <= 1:
        raise errors.ArgumentError(
            f"{who}: `max_output_size` must be at least 0 and `iou_threshold` lie in [0, 1]; got "
            f"{limit} and {float(threshold)}.\n  Fix: an overlap is a fraction."
        )
    return suppressed(boxes, scores, limit, float(threshold), float(score_threshold), float(sigma))


def non_max_suppression(
    boxes,
    scores,
    max_output_size,
    iou_threshold: Any = 0.5,
    score_threshold: Any = float("-inf"),
    name=None,
):
    """Choose the best boxes, leaving out those that overlap a better one.

    Args:
        boxes: N boxes `(y1, x1, y2, x2)`.
        scores: N numbers.
        max_output_size: The largest number of boxes to choose.
        iou_threshold: Boxes whose intersection over union with a chosen one is above it are
            left out.
        score_threshold: Boxes whose score is not above it are left out.
        name: Accepted, unused.

    Returns:
        An int32 vector of indices into `boxes`, the best first.

    Raises:
        ArgumentError: the shapes do not fit, or a limit is out of range.
        TracedValueError: inside a trace, as the size of the result depends on data.

    Example:
        >>> boxes = [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.9], [2.0, 2.0, 3.0, 3.0]]
        >>> tf.image.non_max_suppression(boxes, [0.9, 0.8, 0.7], 3).numpy()
        array([0, 2], dtype=int32)
    """
    who = "tf.image.non_max_suppression"
    limits = max_output_size, iou_threshold, score_threshold
    return convert_to_tensor(_suppress(boxes, scores, *limits, 0.0, who)[0])


def non_max_suppression_with_scores(
    boxes,
    scores,
    max_output_size,
    iou_threshold: Any = 0.5,
    score_threshold: Any = float("-inf"),
    soft_nms_sigma: Any = 0.0,
    name=None,
):
    """Choose the best boxes, as `tf.image.non_max_suppression`, and return their scores too.

    Args:
        boxes: N boxes `(y1, x1, y2, x2)`.
        scores: N numbers.
        max_output_size: The largest number of boxes to choose.
        iou_threshold: Boxes whose intersection over union with a chosen one is above it are
            left out, unless `soft_nms_sigma` is positive.
        score_threshold: Boxes whose score is not above it are left out.
        soft_nms_sigma: If positive, overlap lowers scores smoothly, by a Gaussian of this width,
            and leaves no box out by itself.
        name: Accepted, unused.

    Returns:
        Two vectors: int32 indices into `boxes`, the best first, and their float32 scores.

    Example:
        >>> boxes = [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.9]]
        >>> _, scores = tf.image.non_max_suppression_with_scores(boxes, [0.9, 0.8], 2)
        >>> scores.numpy()
        array([0.9], dtype=float32)

    Reference: Bodla et al. 2017, https://arxiv.org/abs/1704.04503.
    """
    who = "tf.image.non_max_suppression_with_scores"
    limits = max_output_size, iou_threshold, score_threshold
    chosen, kept = _suppress(boxes, scores, *limits, soft_nms_sigma, who)
    return convert_to_tensor(chosen), convert_to_tensor(kept)
