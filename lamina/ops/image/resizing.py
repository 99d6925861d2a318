"""Changing the size of images: the kernels of tf.image.resize, as matrices and as taps."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina.engine import convert_to_tensor, errors, op, static_ints

__all__ = ["ResizeMethod", "resize", "resize_with_pad"]


class ResizeMethod:
    """The names of the methods of `tf.image.resize`."""

    BILINEAR = "bilinear"
    NEAREST_NEIGHBOR = "nearest"
    BICUBIC = "bicubic"
    AREA = "area"
    LANCZOS3 = "lanczos3"
    LANCZOS5 = "lanczos5"
    GAUSSIAN = "gaussian"
    MITCHELLCUBIC = "mitchellcubic"


# TF also takes the numbers that the first four methods once had.
_NUMBERED = ("bilinear", "nearest", "bicubic", "area")

# --- kernels: the weight of a source pixel at a distance, in source pixels ------------------------


def _triangle(x):
    return jnp.maximum(1 - x, 0)


def _keys(x):
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return jnp.where(x >= 2, 0, jnp.where(x >= 1, far, near))


def _mitchell(x):
    near = (7 / 6 * x - 2) * x * x + 8 / 9
    far = ((-7 / 18 * x + 2) * x - 10 / 3) * x + 16 / 9
    return jnp.where(x >= 2, 0, jnp.where(x >= 1, far, near))


def _gaussian(x):
    return jnp.where(x < 1.5, jnp.exp(-2 * x * x), 0)  # a radius of 3 sigma, sigma = 0.5


def _lanczos(radius):
    def kernel(x):
        angle = math.pi * jnp.where(x <= 1e-3, 1, x)
        wave = radius * jnp.sin(angle) * jnp.sin(angle / radius) / (angle * angle)
        return jnp.where(x > radius, 0, jnp.where(x <= 1e-3, 1, wave))

    return kernel


_KERNELS = {
    "bilinear": _triangle,
    "bicubic": _keys,
    "mitchellcubic": _mitchell,
    "gaussian": _gaussian,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}
_TINY = 1000 * float(np.finfo(np.float32).tiny)


def _ratio(source, target):
    """Return source / target as float32; both may be symbolic."""
    return jnp.asarray(source, jnp.float32) / jnp.asarray(target, jnp.float32)


def _matrix(method, source, target, antialias):
    """Return the weights `(target, source)` of one axis, float32."""
    ratio = _ratio(source, target)
    places = lax.iota(jnp.float32, target)
    pixels = lax.iota(jnp.float32, source)
    if method == "area":
        start, end = places[:, None] * ratio, (places[:, None] + 1) * ratio
        covered = jnp.minimum(pixels + 1, end) - jnp.maximum(pixels, start)
        return jnp.maximum(covered, 0) / ratio
    centre = (places + 0.5) * ratio
    if method == "bicubic" and not antialias:
        # TF looks its weights up in a table of 1024 steps.
        below = jnp.floor(centre - 0.5)
        centre = below + jnp.round((centre - 0.5 - below) * 1024) / 1024 + 0.5
    stretch = jnp.maximum(ratio, 1) if antialias else 1
    weights = _KERNELS[method](jnp.abs(pixels + 0.5 - centre[:, None]) / stretch)
    total = jnp.sum(weights, 1, keepdims=True)
    usable = jnp.abs(total) >= _TINY
    return jnp.where(usable, weights / jnp.where(usable, total, 1), 0)


def _by_matrices(images, size, method, antialias):
    high = lax.Precision.HIGHEST
    rows = _matrix(method, images.shape[1], size[0], antialias)
    columns = _matrix(method, images.shape[2], size[1], antialias)
    images = images.astype(jnp.float32)
    images = jnp.einsum("bhwc,yh->bywc", images, rows, precision=high)
    return jnp.einsum("bywc,xw->byxc", images, columns, precision=high)


def _bilinear_axis(images, axis, target):
    """Mix the two nearest pixels along an axis: less work than a matrix."""
    source = images.shape[axis]
    last = jnp.asarray(source, jnp.int32) - 1
    places = (lax.iota(jnp.float32, target) + 0.5) * _ratio(source, target) - 0.5
    below = jnp.floor(places)
    share = jnp.reshape(places - below, [-1 if i == axis else 1 for i in range(4)])
    low = jnp.clip(below.astype(jnp.int32), 0, last)
    high = jnp.clip(below.astype(jnp.int32) + 1, 0, last)
    first = jnp.take(images, low, axis, mode="clip")
    return first + (jnp.take(images, high, axis, mode="clip") - first) * share


def _nearest_axis(images, axis, target):
    source = images.shape[axis]
    places = jnp.floor((lax.iota(jnp.float32, target) + 0.5) * _ratio(source, target))
    places = jnp.minimum(places.astype(jnp.int32), jnp.asarray(source, jnp.int32) - 1)
    return jnp.take(images, places, axis, mode="clip")


@op
def _resize(images, *, size, method, antialias):
    batch = images if images.ndim == 4 else images[None]
    if method == "nearest":
        batch = _nearest_axis(_nearest_axis(batch, 1, size[0]), 2, size[1])
    elif method == "bilinear" and not antialias:
        batch = batch.astype(jnp.float32)
        batch = _bilinear_axis(_bilinear_axis(batch, 1, size[0]), 2, size[1])
    else:
        batch = _by_matrices(batch, size, method, antialias)
    return batch if images.ndim == 4 else batch[0]


def image_tensor(images, who):
    """Return images as a Tensor of rank 3 or 4, else raise ValueError."""
    images = convert_to_tensor(images)
    if images.ndim not in (3, 4):
        raise ValueError(
            f"{who}: images must have shape (H, W, C) or (B, H, W, C); got {images.shape}, dtype "
            f"{images.dtype.name}.\n  Fix: add or drop axes."
        )
    return images


def _fitting_size(images, size):
    """Return the largest size inside `size` with the aspect ratio of the images."""
    height, width = images._type.dims[-3:-1]
    scale = min(np.float32(size[0] / height), np.float32(size[1] / width))
    return round(float(scale * np.float32(height))), round(float(scale * np.float32(width)))


def resize(
    images,
    size,
    method: Any = ResizeMethod.BILINEAR,
    preserve_aspect_ratio=False,
    antialias=False,
    name=None,
):
    """Resize images; pixels are squares, whose centres stand at half-integers.

    Args:
        images: A Tensor `(B, H, W, C)` or `(H, W, C)`.
        size: The new height and width.
        method: A name of `tf.image.ResizeMethod`.
        preserve_aspect_ratio: Whether to keep the aspect ratio, inside `size`.
        antialias: Whether to widen the kernel when making images smaller, against moiré;
            "nearest" and "area" do not use it.
        name: Accepted, unused.

    Returns:
        A Tensor with the new size: float32, or the images' dtype for "nearest".

    Raises:
        ValueError: the images' rank, `size` or `method` is wrong.
        InvalidArgumentError: a size is below 1.

    Example:
        >>> tf.image.resize(tf.ones((1, 4, 4, 3)), (2, 8)).shape
        TensorShape([1, 2, 8, 3])
    """
    images = image_tensor(images, "tf.image.resize")
    size = static_ints(size, "tf.image.resize(size)")
    if isinstance(method, int) and 0 <= method < len(_NUMBERED):
        method = _NUMBERED[method]
    if len(size) != 2:
        raise ValueError(
            f"tf.image.resize: `size` must be a height and a width; got {size}.\n"
            "  Fix: pass (new_height, new_width)."
        )
    if any(isinstance(each, int) and each < 1 for each in size):
        raise errors.InvalidArgumentError(
            f"tf.image.resize: output dimensions must be positive; got {size}.\n"
            "  Fix: pass a height and a width of at least 1."
        )
    if method not in (*_KERNELS, "nearest", "area"):
        raise ValueError(
            f"tf.image.resize: `method` must be a name of tf.image.ResizeMethod; got {method!r}.\n"
            f"  Fix: use one of {', '.join(sorted([*_KERNELS, 'nearest', 'area']))}."
        )
    if preserve_aspect_ratio:
        size = _fitting_size(images, size)
    return _resize(images, size=size, method=method, antialias=bool(antialias))


@op
def _pad_around(images, *, size):
    height, width = images.shape[-3:-1]
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    widths = [(top, size[0] - height - top, 0), (left, size[1] - width - left, 0), (0, 0, 0)]
    widths = [(0, 0, 0)] * (images.ndim - 3) + widths
    return lax.pad(images, jnp.zeros((), images.dtype), widths)


def resize_with_pad(
    image, target_height, target_width, method: Any = ResizeMethod.BILINEAR, antialias=False
):
    """Resize images without distortion, and pad them with zeros to a size.

    Args:
        image: A Tensor `(B, H, W, C)` or `(H, W, C)`.
        target_height: The height of the result.
        target_width: The width of the result.
        method: A name of `tf.image.ResizeMethod`.
        antialias: See `tf.image.resize`.

    Returns:
        A Tensor of the wanted size; the dtype is that of `tf.image.resize`.

    Raises:
        ValueError: the rank or the method is wrong.

    Example:
        >>> tf.image.resize_with_pad(tf.ones((4, 2, 3)), 4, 4).shape
        TensorShape([4, 4, 3])
    """
    image = image_tensor(image, "tf.image.resize_with_pad")
    target = static_ints((target_height, target_width), "tf.image.resize_with_pad(size)")
    height, width = image._type.dims[-3:-1]
    ratio = max(height / target[0], width / target[1])
    inside = math.floor(height / ratio), math.floor(width / ratio)
    small = resize(image, inside, method, antialias=antialias)
    return _pad_around(small, size=target)
