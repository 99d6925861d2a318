"""Where pixels move: projective maps, boxes that follow them, and smooth random displacements.

Kernels of the augmentation layers, not part of tf.image; `resampling` reads the pixels. x counts
columns and y rows, from the centre of the first pixel.
"""

import jax.numpy as jnp

from lamina.engine import op
from lamina.ops.image.filtering import smoothed

__all__ = ["affine_matrix", "homography", "moved_boxes", "waves"]


@op
def affine_matrix(angle, translation, scale, shear, centre, size):
    """Return the maps that turn, shear, scale and shift images about a point.

    Args:
        angle: `(B,)`, radians, counter-clockwise as seen.
        translation: `(B, 2)`: x and y, in pixels.
        scale: `(B,)`.
        shear: `(B, 2)`: angles along x and y, radians.
        centre: `(2,)`: x and y as fractions of the size.
        size: `(2,)`: width and height, in pixels.

    Returns:
        `(B, 8)`, as `projective_transform` takes them.
    """
    x, y = centre * (size - 1)
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    along_x, along_y = jnp.tan(shear[:, 0]), jnp.tan(shear[:, 1])
    a0, a1 = scale * (cos + along_x * sin), scale * (along_x * cos - sin)
    b0, b1 = scale * (along_y * cos + sin), scale * (cos - along_y * sin)
    a2 = translation[:, 0] + x - x * a0 - y * a1
    b2 = translation[:, 1] + y - x * b0 - y * b1
    zero = jnp.zeros_like(a0)
    return jnp.stack([a0, a1, a2, b0, b1, b2, zero, zero], 1)


@op
def homography(start_points, end_points):
    """Return the projective maps that take end points to start points.

    Args:
        start_points: `(B, 4, 2)`: x and y of four points.
        end_points: Where they are in the result, of the same shape.

    Returns:
        `(B, 8)`, as `projective_transform` takes them.
    """
    x, y = end_points[..., 0], end_points[..., 1]  # (B, 4)
    one, zero = jnp.ones_like(x), jnp.zeros_like(x)

    def rows(first, target):
        """One equation a point: `first · (x, y, 1) - target · (c0 x + c1 y) = target`."""
        return jnp.stack([*first, -target * x, -target * y], -1)  # (B, 4, 8)

    empty, point = [zero] * 3, [x, y, one]
    upper = rows([*point, *empty], start_points[..., 0])
    lower = rows([*empty, *point], start_points[..., 1])
    right = jnp.concatenate([start_points[..., 0], start_points[..., 1]], 1)
    return jnp.linalg.solve(jnp.concatenate([upper, lower], 1), right[..., None])[..., 0]


@op
def moved_boxes(boxes, transform):
    """Return the boxes around what images that `projective_transform` moved show of boxes.

    Args:
        boxes: `(B, N, 4)`: left, top, right, bottom, in pixels.
        transform: `(B, 8)` or `(1, 8)`: where each pixel of the result reads.

    Returns:
        A Tensor of the shape and dtype of `boxes`: the corners are moved by the inverse map.
    """
    matrix = jnp.concatenate([transform, jnp.ones_like(transform[:, :1])], 1)
    inverse = jnp.linalg.inv(jnp.reshape(matrix, (-1, 3, 3)))[:, None, None]  # (B, 1, 1, 3, 3)
    left, top, right, bottom = (boxes[..., i] for i in range(4))
    x = jnp.stack([left, right, right, left], -1)  # (B, N, 4)
    y = jnp.stack([top, top, bottom, bottom], -1)
    points = jnp.stack([x, y, jnp.ones_like(x)], -1)[..., None, :]
    moved = jnp.sum(inverse * points, -1)  # (B, N, 4, 3)
    moved = moved[..., :2] / moved[..., 2:]
    return jnp.concatenate([jnp.min(moved, 2), jnp.max(moved, 2)], -1)


@op
def waves(noise, strength, *, largest):
    """Return smooth random displacements from noise.

    Args:
        noise: `(B, H, W, 2)`, standard normal.
        strength: A scalar in [0, 1]: with `m` the shorter and `n` the longer side, waves are
            `0.05 m strength` pixels wide and shifts are multiplied by `0.1 n strength`.
        largest: The largest strength possible, which sets the size of the kernel.

    Returns:
        A Tensor of the shape and dtype of `noise`, in pixels.
    """
    shorter, longer = sorted(noise.shape[1:3])
    sigma = jnp.maximum(0.05 * strength * shorter, 1e-6)
    size = 6 * int(0.05 * largest * shorter) + 1
    shifts = smoothed(noise * sigma, jnp.stack([sigma, sigma]), (size, size), True)
    return shifts * (0.1 * longer * strength)
