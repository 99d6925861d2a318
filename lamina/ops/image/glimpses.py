"""Drawing boxes on images, and looking at a part around a point."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from lamina.engine import convert_to_tensor, dtypes, errors, op, static_ints
from lamina.ops import array
from lamina.ops.random import normal, uniform

__all__ = ["draw_bounding_boxes", "extract_glimpse"]

# TF's colours where none are given: yellow, blue, red, lime, purple, olive, maroon, navy, ...
_COLORS = (
    (1, 1, 0, 1),
    (0, 0, 1, 1),
    (1, 0, 0, 1),
    (0, 1, 0, 1),
    (0.5, 0, 0.5, 1),
    (0.5, 0.5, 0, 1),
    (0.5, 0, 0, 1),
    (0, 0, 0.5, 1),
    (0, 1, 1, 1),
    (1, 0, 1, 1),
)


@op(mixed=True, differentiable=False)
def _draw(images, boxes, colors):
    height, width = images.shape[1:3]
    places = boxes.astype(jnp.float32)
    bottom, right = (jnp.asarray(n - 1, jnp.float32) for n in (height, width))
    scale = jnp.stack([bottom, right, bottom, right])
    corners = (places * scale).astype(jnp.int32)  # (B, N, 4), rounded to 0
    rows, columns = jnp.arange(height)[None, :, None], jnp.arange(width)[None, None, :]
    for i in range(boxes.shape[1]):
        top, left, bottom, right = (corners[:, i, k][:, None, None] for k in range(4))
        usable = (top <= bottom) & (left <= right)
        inside = (rows >= top) & (rows <= bottom) & (columns >= left) & (columns <= right)
        edge = (rows == top) | (rows == bottom) | (columns == left) | (columns == right)
        line = (inside & edge & usable)[..., None]
        color = colors[i % colors.shape[0], : images.shape[-1]]
        images = jnp.where(line, color.astype(images.dtype), images)
    return images


def draw_bounding_boxes(images, boxes, colors, name=None):
    """Draw the outlines of boxes on images, one pixel wide.

    Args:
        images: `(B, H, W, C)`, C 1, 3 or 4.
        boxes: `(B, N, 4)`, `(y1, x1, y2, x2)` in units of the image.
        colors: `(M, C)` colours, taken in turn, in the units of `images`; more channels than C
            are left out. None, or M 0, takes ten of TF's.
        name: Accepted, unused.

    Returns:
        A Tensor of the shape and dtype of `images`.

    Raises:
        InvalidArgumentError: the shapes do not fit.

    Example:
        >>> image = tf.image.draw_bounding_boxes(
        ...     tf.zeros((1, 3, 3, 1)), [[[0.0, 0.0, 1.0, 1.0]]], [[1.0]]
        ... )
        >>> image[0, :, :, 0].numpy()
        array([[1., 1., 1.],
               [1., 0., 1.],
               [1., 1., 1.]], dtype=float32)
    """
    who = "tf.image.draw_bounding_boxes"
    x, found = convert_to_tensor(images), convert_to_tensor(boxes, dtypes.float32)
    shape, dims = x.shape.as_list(), found.shape.as_list()
    if len(shape) != 4 or shape[-1] not in (1, 3, 4) or len(dims) != 3 or dims[-1] != 4:
        raise errors.InvalidArgumentError(
            f"{who}: `images` must have shape (B, H, W, 1, 3 or 4) and `boxes` (B, N, 4); got "
            f"{tuple(shape)} and {tuple(dims)}.\n  Fix: images[tf.newaxis] for one."
        )
    if not x.shape[:1].is_compatible_with(found.shape[:1]):
        raise errors.ArgumentError(
            f"{who}: `boxes` must hold boxes of each of the {shape[0]} images; got those of "
            f"{dims[0]}.\n  Fix: pad with boxes of zero size outside the image."
        )
    return _draw(x, found, _line_colors(colors, shape[-1], who))


def _line_colors(colors, depth, who):
    if colors is not None:
        colors = convert_to_tensor(colors, dtype_hint=dtypes.float32)
        shape = colors.shape.as_list()
        if len(shape) != 2 or (shape[1] is not None and shape[1] < depth):
            raise errors.ArgumentError(
                f"{who}: `colors` must have shape (M, C), C at least the images' {depth} channels; "
                f"got {tuple(shape)}.\n  Fix: one row per colour."
            )
        if shape[0] != 0:
            return colors
    table = np.array(_COLORS, np.float32)[:, :depth]
    return convert_to_tensor(np.ones_like(table) if depth == 1 else table)


@op(mixed=True, differentiable=False)
def _glimpse(input, offsets, fill, *, size, centered, normalized):
    extent = jnp.stack([jnp.asarray(n, jnp.float32) for n in input.shape[1:3]])
    wanted = np.array(size, np.float32)
    place = offsets.astype(jnp.float32)
    if normalized:
        place = place * extent
    if centered:
        # TF takes half of the window off normalized offsets only.
        place = (place + extent) / 2 - wanted / 2 if normalized else place + extent / 2
    start = jnp.trunc(place).astype(jnp.int32)  # (B, 2)
    rows = start[:, 0, None] + jnp.arange(size[0])  # (B, h)
    columns = start[:, 1, None] + jnp.arange(size[1])
    height, width = input.shape[1:3]
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[
        :, None
    ]
    batch = jnp.arange(input.shape[0])[:, None, None]
    found = input[
        batch,
        jnp.clip(rows, 0, height - 1)[:, :, None],
        jnp.clip(columns, 0, width - 1)[:, None],
    ]
    return jnp.where(inside[..., None], found, fill)


def extract_glimpse(
    input,
    size,
    offsets,
    centered: Any = True,
    normalized: Any = True,
    noise: Any = "uniform",
    name=None,
):
    """Return a window of each image.

    Args:
        input: float32, `(B, H, W, C)`.
        size: The height h and width w of the windows.
        offsets: `(B, 2)`, the place `(y, x)` of each window.
        centered: Whether offsets count from the image's centre, and mean the window's; else
            they mean its upper left corner.
        normalized: Whether offsets are in units of the image: -1 to 1 if centered, else 0 to 1.
        noise: What lies outside of the image: "uniform" or "gaussian" noise, or "zero".
        name: Accepted, unused.

    Returns:
        float32, `(B, h, w, C)`.

    Raises:
        InvalidArgumentError: another `noise`, or shapes that do not fit.

    Example:
        >>> image = tf.reshape(tf.range(9.0), (1, 3, 3, 1))
        >>> tf.image.extract_glimpse(image, (1, 1), [[0.0, 0.0]]).numpy().ravel()
        array([4.], dtype=float32)
    """
    who = "tf.image.extract_glimpse"
    x, places = convert_to_tensor(input, dtypes.float32), convert_to_tensor(offsets, dtypes.float32)
    dims = static_ints(size, f"{who}(size)")
    shape = x.shape.as_list()
    if len(shape) != 4 or places.shape.as_list()[-1:] != [2] or len(dims) != 2:
        raise errors.InvalidArgumentError(
            f"{who}: `input` must be (B, H, W, C), `offsets` (B, 2), `size` (h, w); got "
            f"{tuple(shape)}, {places.shape} and {dims}.\n  Fix: one (y, x) for each image."
        )
    makers = {"uniform": uniform, "gaussian": normal, "zero": None}
    if noise not in makers:
        raise errors.InvalidArgumentError(
            f"{who}: The noise could only be uniform, gaussian, or zero; got {noise!r}."
        )
    make = makers[noise]
    fill = np.float32(0) if make is None else make((array.shape(x)[0], *dims, shape[-1]))
    statics = {"size": dims, "centered": bool(centered), "normalized": bool(normalized)}
    return _glimpse(x, places, fill, **statics)
