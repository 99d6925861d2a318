"""Choosing boxes: suppression over classes and batches, proposals, random windows.

How many boxes are chosen depends on their values, so all of this runs on the host.
"""

from typing import Any, NamedTuple

import numpy as np

from lamina.engine import Tensor, convert_to_tensor, dtypes, errors, from_host, static_int
from lamina.ops.array import known_value
from lamina.ops.image.boxes import suppressed
from lamina.ops.random import uniform

__all__ = [
    "combined_non_max_suppression",
    "generate_bounding_box_proposals",
    "non_max_suppression_overlaps",
    "non_max_suppression_padded",
    "sample_distorted_bounding_box",
    "stateless_sample_distorted_bounding_box",
]

_FIX = "call it outside of tf.function"


def _known(value: Any, what: str, dtype: Any = dtypes.float32) -> np.ndarray:
    return np.asarray(known_value(convert_to_tensor(value, dtype_hint=dtype), what, _FIX))


def _filled(values: Any, size: int) -> np.ndarray:
    """Return an array cut or filled with zeros to a number of rows."""
    values = np.asarray(values)[:size]
    return np.pad(values, [(0, size - len(values))] + [(0, 0)] * (values.ndim - 1))


# ---- suppression ----------------------------------------------------------------------------


class CombinedNonMaxSuppression(NamedTuple):
    """What `tf.image.combined_non_max_suppression` returns.

    Attributes:
        nmsed_boxes: float32, `(B, K, 4)`.
        nmsed_scores: float32, `(B, K)`, the best first.
        nmsed_classes: float32, `(B, K)`.
        valid_detections: int32, `(B,)`: how many rows are boxes; others are zeros.
    """

    nmsed_boxes: Tensor
    nmsed_scores: Tensor
    nmsed_classes: Tensor
    valid_detections: Tensor


def combined_non_max_suppression(
    boxes,
    scores,
    max_output_size_per_class,
    max_total_size,
    iou_threshold: Any = 0.5,
    score_threshold: Any = float("-inf"),
    pad_per_class: Any = False,
    clip_boxes: Any = True,
    name=None,
):
    """Choose the best boxes of each image, suppressing within each class.

    Args:
        boxes: float32, `(B, N, Q, 4)`, `(y1, x1, y2, x2)`; Q is 1 or the number of classes.
        scores: float32, `(B, N, classes)`.
        max_output_size_per_class: The largest number of boxes of a class in an image.
        max_total_size: The largest number of boxes in an image.
        iou_threshold: Boxes whose intersection over union with a better one is above it are
            left out.
        score_threshold: Boxes whose score is not above it are left out.
        pad_per_class: Whether K is at most `max_output_size_per_class` times the classes, where
            `max_total_size` is more.
        clip_boxes: Whether boxes are cut to [0, 1].
        name: Accepted, unused.

    Returns:
        A named tuple of `nmsed_boxes`, `nmsed_scores`, `nmsed_classes`, `valid_detections`.

    Raises:
        ValueError: the shapes do not fit.
        TracedValueError: inside a trace, as the result depends on data.

    Example:
        >>> boxes = tf.constant([[[[0.0, 0.0, 1.0, 1.0]], [[0.0, 0.0, 1.0, 0.9]]]])
        >>> found = tf.image.combined_non_max_suppression(boxes, [[[0.9], [0.8]]], 2, 2)
        >>> found.valid_detections.numpy()
        array([1], dtype=int32)
    """
    who = "tf.image.combined_non_max_suppression"
    x, y = _known(boxes, f"{who}: `boxes`"), _known(scores, f"{who}: `scores`")
    if (
        x.ndim != 4
        or y.ndim != 3
        or x.shape[:2] != y.shape[:2]
        or x.shape[2] not in (1, y.shape[2])
    ):
        raise ValueError(
            f"{who}: `boxes` must be (B, N, Q, 4) and `scores` (B, N, classes), Q 1 or classes; "
            f"got {x.shape} and {y.shape}.\n  Fix: boxes[:, :, tf.newaxis]."
        )
    each = static_int(max_output_size_per_class, f"{who}(max_output_size_per_class)")
    total = static_int(max_total_size, f"{who}(max_total_size)")
    size = min(total, each * y.shape[2]) if pad_per_class else total
    limits = each, float(iou_threshold), float(score_threshold)
    rows = [_of_image(b, s, limits, size, bool(clip_boxes)) for b, s in zip(x, y, strict=True)]
    parts = [from_host(np.stack(column)) for column in zip(*rows, strict=True)]
    return CombinedNonMaxSuppression(*parts)


def _of_image(boxes: Any, scores: Any, limits: Any, size: int, clip: bool) -> Any:
    limit, threshold, least = limits
    found = []
    for c in range(scores.shape[1]):
        own = boxes[:, c if boxes.shape[1] > 1 else 0]
        chosen, kept = suppressed(own, scores[:, c], limit, threshold, least, 0.0)
        found += [(s, c, own[i]) for i, s in zip(chosen, kept, strict=True)]
    found.sort(key=lambda one: -one[0])
    found = found[:size]
    places = np.array([b for _, _, b in found], np.float32).reshape(-1, 4)
    places = np.clip(places, 0, 1) if clip else places
    points = np.array([s for s, _, _ in found], np.float32)
    classes = np.array([c for _, c, _ in found], np.float32)
    count = np.int32(len(found))
    return _filled(places, size), _filled(points, size), _filled(classes, size), count


def non_max_suppression_overlaps(
    overlaps,
    scores,
    max_output_size,
    overlap_threshold: Any = 0.5,
    score_threshold: Any = float("-inf"),
    name=None,
):
    """Choose the best boxes, leaving out those that overlap a better one, by given overlaps.

    Args:
        overlaps: float32, `(N, N)`.
        scores: float32, `(N,)`.
        max_output_size: The largest number of boxes to choose.
        overlap_threshold: Boxes whose overlap with a chosen one is above it are left out.
        score_threshold: Boxes whose score is not above it are left out.
        name: Accepted, unused.

    Returns:
        An int32 vector of indices, the best first.

    Raises:
        ValueError: the shapes do not fit.
        TracedValueError: inside a trace, as the size of the result depends on data.

    Example:
        >>> tf.image.non_max_suppression_overlaps([[1.0, 0.9], [0.9, 1.0]], [0.3, 0.7], 2).numpy()
        array([1], dtype=int32)
    """
    who = "tf.image.non_max_suppression_overlaps"
    table, points = _known(overlaps, f"{who}: `overlaps`"), _known(scores, f"{who}: `scores`")
    if table.shape != (points.size, points.size):
        raise ValueError(
            f"{who}: `overlaps` must have shape (N, N) for `scores` (N,); got {table.shape} and "
            f"{points.shape}.\n  Fix: give the overlap of each pair."
        )
    limit = static_int(max_output_size, f"{who}(max_output_size)")
    chosen: list[int] = []
    for i in np.argsort(-points, kind="stable"):
        if len(chosen) == limit or not points[i] > score_threshold:
            break
        if all(table[i, j] <= overlap_threshold for j in chosen):
            chosen.append(int(i))
    return from_host(np.array(chosen, np.int32))


def non_max_suppression_padded(
    boxes,
    scores,
    max_output_size,
    iou_threshold: Any = 0.5,
    score_threshold: Any = float("-inf"),
    pad_to_max_output_size: Any = False,
    name=None,
    sorted_input: Any = False,
    canonicalized_coordinates: Any = False,
    tile_size: Any = 512,
):
    """Choose the best boxes of one or many images; the result may have a fixed size.

    Args:
        boxes: float32, `(..., N, 4)`, `(y1, x1, y2, x2)`.
        scores: float32, `(..., N)`.
        max_output_size: The largest number of boxes to choose, K.
        iou_threshold: Boxes whose intersection over union with a better one is above it are
            left out.
        score_threshold: Boxes whose score is not above it are left out.
        pad_to_max_output_size: Whether the result has K columns, filled with 0; it must be True
            for a batch.
        name: Accepted, unused.
        sorted_input: Accepted, unused: scores are always compared.
        canonicalized_coordinates: Accepted, unused: corners may be in any order.
        tile_size: Accepted, unused.

    Returns:
        Indices, int32, `(..., K)`, and how many of them are boxes, int32, `(...)`.

    Raises:
        ValueError: a batch without padding.
        TracedValueError: inside a trace, as the result depends on data.

    Example:
        >>> boxes = [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.9]]
        >>> chosen, count = tf.image.non_max_suppression_padded(
        ...     boxes, [0.9, 0.8], 2, pad_to_max_output_size=True
        ... )
        >>> chosen.numpy(), count.numpy()
        (array([0, 0], dtype=int32), np.int32(1))
    """
    who = "tf.image.non_max_suppression_padded"
    x, y = _known(boxes, f"{who}: `boxes`"), _known(scores, f"{who}: `scores`")
    if not pad_to_max_output_size and x.ndim > 2:
        raise ValueError(
            f"{who}: `pad_to_max_output_size` must be True for a batch; got boxes of shape "
            f"{x.shape}.\n  Fix: pass pad_to_max_output_size=True."
        )
    size = static_int(max_output_size, f"{who}(max_output_size)")
    limits = size, float(iou_threshold), float(score_threshold)
    lead = x.shape[:-2]
    flat = zip(x.reshape(-1, *x.shape[-2:]), y.reshape(-1, y.shape[-1]), strict=True)
    found = [suppressed(b, s, *limits, 0.0)[0] for b, s in flat]
    counts = np.array([len(f) for f in found], np.int32).reshape(lead)
    if not pad_to_max_output_size:
        return from_host(found[0]), from_host(counts)
    return from_host(np.stack([_filled(f, size) for f in found]).reshape(*lead, size)), from_host(
        counts
    )


# ---- proposals ------------------------------------------------------------------------------


def generate_bounding_box_proposals(
    scores,
    bbox_deltas,
    image_info,
    anchors,
    nms_threshold: Any = 0.7,
    pre_nms_topn: Any = 6000,
    min_size: Any = 16,
    post_nms_topn: Any = 300,
    name=None,
):
    """Turn a region proposal network's output into boxes.

    Args:
        scores: float32, `(B, H, W, A)`, for each of A anchors at each place.
        bbox_deltas: float32, `(B, H, W, 4 A)`: moves `(dy, dx)` in units of the anchor and
            logarithms of scales `(dh, dw)`.
        image_info: float32, `(B, 5)`: height, width and further numbers, which are not used.
        anchors: float32, `(H, W, 4 A)` or `(H · W · A, 4)`, `(y1, x1, y2, x2)` in pixels.
        nms_threshold: Boxes whose intersection over union with a better one is above it are
            left out.
        pre_nms_topn: How many of the best boxes are looked at.
        min_size: Boxes with a shorter side, in pixels, are left out.
        post_nms_topn: The number of boxes to return, K.
        name: Accepted, unused.

    Returns:
        Boxes in pixels, float32, `(B, K, 4)`, and their scores, `(B, K)`; missing ones are 0.

    Raises:
        TracedValueError: inside a trace, as the result depends on data.

    Differs from TF: TF has it on GPUs only.

    Example:
        >>> boxes, scores = tf.image.generate_bounding_box_proposals(
        ...     tf.ones((1, 1, 1, 1)),
        ...     tf.zeros((1, 1, 1, 4)),
        ...     [[64.0, 64.0, 1.0, 64.0, 64.0]],
        ...     [[0.0, 0.0, 32.0, 32.0]],
        ...     post_nms_topn=1,
        ... )
        >>> boxes.numpy()
        array([[[ 0.,  0., 32., 32.]]], dtype=float32)

    Reference: Ren et al. 2015, https://arxiv.org/abs/1506.01497, eq. 2.
    """
    who = "tf.image.generate_bounding_box_proposals"
    points, moves = _known(scores, f"{who}: `scores`"), _known(bbox_deltas, f"{who}: `bbox_deltas`")
    info = _known(image_info, f"{who}: `image_info`")
    base = _known(anchors, f"{who}: `anchors`").reshape(-1, 4)
    size = static_int(post_nms_topn, f"{who}(post_nms_topn)")
    first = static_int(pre_nms_topn, f"{who}(pre_nms_topn)")
    boxes, kept = [], []
    for s, d, (height, width, *_) in zip(points, moves, info, strict=True):
        found = np.clip(_moved(base, d.reshape(-1, 4)), 0, [height, width, height, width])
        sides = found[:, 2:] - found[:, :2]
        usable = np.flatnonzero((sides >= float(min_size)).all(axis=1))
        best = usable[np.argsort(-s.reshape(-1)[usable], kind="stable")][:first]
        own, marks = found[best].astype(np.float32), s.reshape(-1)[best]
        chosen, _ = suppressed(own, marks, size, float(nms_threshold), -np.inf, 0.0)
        boxes.append(_filled(own[chosen], size))
        kept.append(_filled(marks[chosen], size))
    return from_host(np.stack(boxes)), from_host(np.stack(kept))


def _moved(base: np.ndarray, deltas: np.ndarray) -> np.ndarray:
    """Return anchors moved and scaled."""
    sides = base[:, 2:] - base[:, :2]
    centres = base[:, :2] + sides / 2 + deltas[:, :2] * sides
    halves = sides * np.exp(np.minimum(deltas[:, 2:], np.log(1000 / 16))) / 2
    return np.concatenate([centres - halves, centres + halves], axis=1)


# ---- random windows -------------------------------------------------------------------------


class SampleDistortedBoundingBox(NamedTuple):
    """What `tf.image.sample_distorted_bounding_box` returns.

    Attributes:
        begin: `(y, x, 0)` of the window, for `tf.slice`.
        size: `(height, width, -1)`.
        bboxes: float32, `(1, 1, 4)`: the window in units of the image.
    """

    begin: Tensor
    size: Tensor
    bboxes: Tensor


def sample_distorted_bounding_box(
    image_size,
    bounding_boxes,
    seed: Any = 0,
    min_object_covered: Any = 0.1,
    aspect_ratio_range: Any = None,
    area_range: Any = None,
    max_attempts: Any = None,
    use_image_if_no_bounding_boxes: Any = None,
    name=None,
):
    """Choose a random window of an image that shows enough of an object.

    Args:
        image_size: `(height, width, channels)`, integers.
        bounding_boxes: float32, `(B, N, 4)`, `(y1, x1, y2, x2)` in units of the image.
        seed: An op-level seed; 0 is none, see `tf.random.set_seed`.
        min_object_covered: The least fraction of a box that the window holds.
        aspect_ratio_range: Width over height; None is (0.75, 1.33).
        area_range: The window's fraction of the image; None is (0.05, 1).
        max_attempts: How many windows are tried before the whole image is taken; None is 100.
        use_image_if_no_bounding_boxes: Whether no boxes stand for one of the whole image.
        name: Accepted, unused.

    Returns:
        A named tuple of `begin`, `size` and `bboxes`.

    Raises:
        InvalidArgumentError: no boxes, or boxes outside [0, 1].
        TracedValueError: inside a trace.

    Example:
        >>> begin, size, _ = tf.image.sample_distorted_bounding_box(
        ...     (8, 8, 3), tf.zeros((1, 0, 4)), use_image_if_no_bounding_boxes=True
        ... )
        >>> size.shape, begin.numpy()[2]
        (TensorShape([3]), np.int32(0))
    """
    drawn = uniform((2,), 0, 2**31 - 1, dtypes.int32, seed=seed or None)
    ranges = aspect_ratio_range, area_range, max_attempts
    flag = use_image_if_no_bounding_boxes
    return _window(image_size, bounding_boxes, drawn, min_object_covered, ranges, flag)


def stateless_sample_distorted_bounding_box(
    image_size,
    bounding_boxes,
    seed,
    min_object_covered: Any = 0.1,
    aspect_ratio_range: Any = None,
    area_range: Any = None,
    max_attempts: Any = None,
    use_image_if_no_bounding_boxes: Any = None,
    name=None,
):
    """Choose a window of an image that follows from a seed.

    Args:
        image_size: `(height, width, channels)`, integers.
        bounding_boxes: float32, `(B, N, 4)`, `(y1, x1, y2, x2)` in units of the image.
        seed: Two integers.
        min_object_covered: The least fraction of a box that the window holds.
        aspect_ratio_range: Width over height; None is (0.75, 1.33).
        area_range: The window's fraction of the image; None is (0.05, 1).
        max_attempts: How many windows are tried before the whole image is taken; None is 100.
        use_image_if_no_bounding_boxes: Whether no boxes stand for one of the whole image.
        name: Accepted, unused.

    Returns:
        A named tuple of `begin`, `size` and `bboxes`, as of
        `tf.image.sample_distorted_bounding_box`.

    Raises:
        InvalidArgumentError: no boxes, or boxes outside [0, 1].
        TracedValueError: inside a trace.

    Differs from TF: other windows for the same seed.

    Example:
        >>> begin, size, box = tf.image.stateless_sample_distorted_bounding_box(
        ...     (8, 8, 3), [[[0.0, 0.0, 1.0, 1.0]]], (1, 2)
        ... )
        >>> box.shape
        TensorShape([1, 1, 4])
    """
    ranges = aspect_ratio_range, area_range, max_attempts
    flag = use_image_if_no_bounding_boxes
    return _window(image_size, bounding_boxes, seed, min_object_covered, ranges, flag)


def _window(image_size: Any, boxes: Any, seed: Any, covered: Any, ranges: Any, whole: Any) -> Any:
    who = "tf.image.sample_distorted_bounding_box"
    shape = _known(image_size, f"{who}: `image_size`", dtypes.int32)
    found = _known(boxes, f"{who}: `bounding_boxes`").reshape(-1, 4)
    if not len(found):
        if not whole:
            raise errors.InvalidArgumentError(
                f"{who}: No bounding boxes provided as input. One must enable "
                f"use_image_if_no_bounding_boxes if you wish to not provide any bounding boxes."
            )
        found = np.array([[0, 0, 1, 1]], np.float32)
    if (found < 0).any() or (found > 1).any():
        raise errors.InvalidArgumentError(
            f"{who}: All bounding box coordinates must be in [0.0, 1.0]; got {found.max()}.\n"
            f"  Fix: divide by the height and width."
        )
    numbers = _known(seed, f"{who}: `seed`", dtypes.int32).astype(np.uint64)
    aspects, areas, attempts = ranges
    height, width = int(shape[0]), int(shape[1])
    least = float(_known(covered, f"{who}: `min_object_covered`"))
    box = _drawn(
        np.random.default_rng(numbers.tolist()),
        (height, width),
        found,
        (aspects or (0.75, 1.33), areas or (0.05, 1.0), attempts or 100, least),
    )
    top, left, rows, columns = box
    scale = np.array([height, width, height, width], np.float32)
    corners = np.array([top, left, top + rows, left + columns], np.float32) / scale
    kind = shape.dtype
    return SampleDistortedBoundingBox(
        from_host(np.array([top, left, 0], kind)),
        from_host(np.array([rows, columns, -1], kind)),
        from_host(corners.reshape(1, 1, 4)),
    )


def _drawn(rng: Any, extent: tuple[int, int], boxes: np.ndarray, limits: Any) -> Any:
    """Return `(top, left, rows, columns)` of a window."""
    aspects, areas, attempts, least = limits
    height, width = extent
    scaled = boxes * np.array([height, width, height, width], np.float32)
    for _ in range(attempts):
        aspect, area = rng.uniform(*aspects), rng.uniform(*areas) * height * width
        rows, columns = round((area / aspect) ** 0.5), round((area * aspect) ** 0.5)
        if not (0 < rows <= height and 0 < columns <= width):
            continue
        top = int(rng.integers(0, height - rows + 1))
        left = int(rng.integers(0, width - columns + 1))
        if _covered(scaled, (top, left, top + rows, left + columns)) >= least:
            return top, left, rows, columns
    return 0, 0, height, width


def _covered(boxes: np.ndarray, window: Any) -> float:
    """Return the largest fraction of a box that a window holds."""
    high = np.minimum(boxes[:, 2:], window[2:])
    shared = np.clip(high - np.maximum(boxes[:, :2], window[:2]), 0, None).prod(axis=1)
    sizes = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    return float(np.where(sizes > 0, shared / np.where(sizes > 0, sizes, 1), 0).max())
