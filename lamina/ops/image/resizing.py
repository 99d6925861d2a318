"""Changing the size of images: the kernels of tf.image.resize, as matrices and as taps."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina.engine import convert_to_tensor, errors, from_host, op, static_ints
from lamina.ops.image.sizes import is_rare_size

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


# Each takes `xp`, jax.numpy inside of programs, NumPy for a size that is rare.


def _triangle(xp, x):
    return xp.maximum(1 - x, 0)


def _keys(xp, x):
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return xp.where(x >= 2, 0, xp.where(x >= 1, far, near))


def _mitchell(xp, x):
    near = (7 / 6 * x - 2) * x * x + 8 / 9
    far = ((-7 / 18 * x + 2) * x - 10 / 3) * x + 16 / 9
    return xp.where(x >= 2, 0, xp.where(x >= 1, far, near))


def _gaussian(xp, x):
    return xp.where(x < 1.5, xp.exp(-2 * x * x), 0)  # a radius of 3 sigma, sigma = 0.5


def _lanczos(radius):
    def kernel(xp, x):
        angle = math.pi * xp.where(x <= 1e-3, 1, x)
        wave = radius * xp.sin(angle) * xp.sin(angle / radius) / (angle * angle)
        return xp.where(x > radius, 0, xp.where(x <= 1e-3, 1, wave))

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


def _iota(xp, size):
    return np.arange(size, dtype=np.float32) if xp is np else lax.iota(jnp.float32, size)


def _ratio(xp, source, target):
    """Return source / target as float32; both may be symbolic."""
    return xp.asarray(source, xp.float32) / xp.asarray(target, xp.float32)


def _matrix(xp, method, source, target, antialias):
    """Return the weights `(target, source)` of one axis, float32."""
    ratio = _ratio(xp, source, target)
    places = _iota(xp, target)
    pixels = _iota(xp, source)
    if method == "area":
        start, end = places[:, None] * ratio, (places[:, None] + 1) * ratio
        covered = xp.minimum(pixels + 1, end) - xp.maximum(pixels, start)
        return xp.maximum(covered, 0) / ratio
    centre = (places + 0.5) * ratio
    if method == "bicubic" and not antialias:
        # TF looks its weights up in a table of 1024 steps.
        below = xp.floor(centre - 0.5)
        centre = below + xp.round((centre - 0.5 - below) * 1024) / 1024 + 0.5
    stretch = xp.maximum(ratio, 1) if antialias else 1
    weights = _KERNELS[method](xp, xp.abs(pixels + 0.5 - centre[:, None]) / stretch)
    total = xp.sum(weights, 1, keepdims=True)
    usable = xp.abs(total) >= _TINY
    return xp.where(usable, weights / xp.where(usable, total, 1), 0)


def _by_matrices(xp, images, size, method, antialias):
    how = {"optimize": True} if xp is np else {"precision": lax.Precision.HIGHEST}
    rows = _matrix(xp, method, images.shape[1], size[0], antialias)
    columns = _matrix(xp, method, images.shape[2], size[1], antialias)
    images = images.astype(xp.float32)
    images = xp.einsum("bhwc,yh->bywc", images, rows, **how)
    return xp.einsum("bywc,xw->byxc", images, columns, **how)


def _bilinear_axis(xp, images, axis, target):
    """Mix the two nearest pixels along an axis: less work than a matrix."""
    source = images.shape[axis]
    last = xp.asarray(source, xp.int32) - 1
    places = (_iota(xp, target) + 0.5) * _ratio(xp, source, target) - 0.5
    below = xp.floor(places)
    share = xp.reshape(places - below, [-1 if i == axis else 1 for i in range(4)])
    low = xp.clip(below.astype(xp.int32), 0, last)
    high = xp.clip(below.astype(xp.int32) + 1, 0, last)
    first = xp.take(images, low, axis, mode="clip")
    return first + (xp.take(images, high, axis, mode="clip") - first) * share


def _nearest_axis(xp, images, axis, target):
    source = images.shape[axis]
    places = xp.floor((_iota(xp, target) + 0.5) * _ratio(xp, source, target))
    places = xp.minimum(places.astype(xp.int32), xp.asarray(source, xp.int32) - 1)
    return xp.take(images, places, axis, mode="clip")


def _resized(xp, images, size, method, antialias):
    batch = images if images.ndim == 4 else images[None]
    if method == "nearest":
        batch = _nearest_axis(xp, _nearest_axis(xp, batch, 1, size[0]), 2, size[1])
    elif method == "bilinear" and not antialias:
        batch = batch.astype(xp.float32)
        batch = _bilinear_axis(xp, _bilinear_axis(xp, batch, 1, size[0]), 2, size[1])
    else:
        batch = _by_matrices(xp, batch, size, method, antialias)
    return batch if images.ndim == 4 else batch[0]


@op
def _resize(images, *, size, method, antialias):
    return _resized(jnp, images, size, method, antialias)


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
    how = size, method, bool(antialias)
    if is_rare_size(images, ("resize", *how)):
        return from_host(_resized(np, np.asarray(images), *how))
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
