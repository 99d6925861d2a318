"""Cropping and padding images to a size or an aspect ratio; kernels, not part of tf.image."""

import jax.numpy as jnp
import numpy as np
from jax import core, lax

from lamina.engine import op
from lamina.ops.slicing import cut_at

__all__ = ["aspect_box", "center_crop", "crop_at", "crop_to_aspect", "pad_to_aspect"]


def _share(length, target, other):
    """Return `length * target / other`, rounded down from float32 as TF does."""
    if isinstance(length, int):
        return int(np.float32(length * target) / np.float32(other))
    return length * target // other


def aspect_box(height, width, target):
    """Return the largest box of a target's aspect ratio in the centre of an image.

    Args:
        height: The image's height.
        width: The image's width.
        target: Height and width of the target.

    Returns:
        top, left, height, width: ints.
    """
    rows = core.max_dim(core.min_dim(height, _share(width, target[0], target[1])), 1)
    columns = core.max_dim(core.min_dim(width, _share(height, target[1], target[0])), 1)
    return (height - rows) // 2, (width - columns) // 2, rows, columns


@op
def crop_to_aspect(images, *, size):
    """Cut images `(B, H, W, C)` to the aspect ratio of a size, around their centre."""
    height, width = images.shape[1:3]
    top, left, rows, columns = aspect_box(height, width, size)
    return images[:, top : top + rows, left : left + columns]


@op
def pad_to_aspect(images, *, size, fill_value):
    """Pad images `(B, H, W, C)` to the aspect ratio of a size, as much on both sides."""
    height, width = images.shape[1:3]
    rows = (core.max_dim(height, _share(width, size[0], size[1])) - height) // 2
    columns = (core.max_dim(width, _share(height, size[1], size[0])) - width) // 2
    fill = jnp.asarray(fill_value).astype(images.dtype)
    return lax.pad(images, fill, [(0, 0, 0), (rows, rows, 0), (columns, columns, 0), (0, 0, 0)])


@op(mixed=True)
def crop_at(images, top, left, *, height, width):
    """Cut a box out of images `(B, H, W, C)`; what would lie outside is moved inside.

    Args:
        images: A Tensor `(B, H, W, C)`.
        top: The first row, a scalar.
        left: The first column, a scalar.
        height: The height of the box; at most that of the images is cut.
        width: The width of the box.
    """
    batch, rows, columns, channels = images.shape
    sizes = (batch, core.min_dim(rows, height), core.min_dim(columns, width), channels)
    start = (0, top.astype(jnp.int32), left.astype(jnp.int32), 0)
    return cut_at(images, [jnp.asarray(i, jnp.int32) for i in start], sizes)


@op
def center_crop(images, *, size):
    """Cut a box out of the centre of images `(B, H, W, C)`, which it must fit into."""
    batch, height, width, channels = images.shape
    start = [0, (height - size[0]) // 2, (width - size[1]) // 2, 0]
    start = [jnp.asarray(place, jnp.int32) for place in start]  # may be symbolic
    return cut_at(images, start, (batch, *size, channels))
