"""Changing the size of images: the kernels of tf.image.resize, as matrices and as taps."""

import math
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import core, lax

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


class _Axis(NamedTuple):
    """How one axis is resized.

    Attributes:
        places: Which of the new pixels to make, `(target,)`, float32.
        ratio: Old pixels for each new one, float32.
    """

    places: Any
    ratio: Any

    def centres(self):
        """Return where the new pixels' centres stand, in old pixels."""
        return (self.places + 0.5) * self.ratio


def _whole_axes(xp, images, size):
    """Return the axes of `(B, H, W, C)` that take whole images to a size."""
    sources = images.shape[1:3]
    return [
        _Axis(_iota(xp, new), _ratio(xp, old, new)) for old, new in zip(sources, size, strict=True)
    ]


def _matrix(xp, method, source, axis, antialias):
    """Return the weights `(target, source)` of one axis, float32."""
    ratio, places = axis.ratio, axis.places
    pixels = _iota(xp, source)
    if method == "area":
        start, end = places[:, None] * ratio, (places[:, None] + 1) * ratio
        covered = xp.minimum(pixels + 1, end) - xp.maximum(pixels, start)
        return xp.maximum(covered, 0) / ratio
    centre = axis.centres()
    if method == "bicubic" and not antialias:
        # TF looks its weights up in a table of 1024 steps.
        below = xp.floor(centre - 0.5)
        centre = below + xp.round((centre - 0.5 - below) * 1024) / 1024 + 0.5
    stretch = xp.maximum(ratio, 1) if antialias else 1
    weights = _KERNELS[method](xp, xp.abs(pixels + 0.5 - centre[:, None]) / stretch)
    total = xp.sum(weights, 1, keepdims=True)
    usable = xp.abs(total) >= _TINY
    return xp.where(usable, weights / xp.where(usable, total, 1), 0)


def _by_matrices(xp, images, axes, method, antialias):
    how = {"optimize": True} if xp is np else {"precision": lax.Precision.HIGHEST}
    rows = _matrix(xp, method, images.shape[1], axes[0], antialias)
    columns = _matrix(xp, method, images.shape[2], axes[1], antialias)
    images = images.astype(xp.float32)
    images = xp.einsum("bhwc,yh->bywc", images, rows, **how)
    return xp.einsum("bywc,xw->byxc", images, columns, **how)


def _bilinear_axis(xp, images, number, axis):
    """Mix the two nearest pixels along an axis: less work than a matrix."""
    last = xp.asarray(images.shape[number], xp.int32) - 1
    places = axis.centres() - 0.5
    below = xp.floor(places)
    share = xp.reshape(places - below, [-1 if i == number else 1 for i in range(4)])
    low = xp.clip(below.astype(xp.int32), 0, last)
    high = xp.clip(below.astype(xp.int32) + 1, 0, last)
    first = xp.take(images, low, number, mode="clip")
    return first + (xp.take(images, high, number, mode="clip") - first) * share


def _nearest_axis(xp, images, number, axis):
    last = xp.asarray(images.shape[number], xp.int32) - 1
    places = xp.minimum(xp.floor(axis.centres()).astype(xp.int32), last)
    return xp.take(images, places, number, mode="clip")


def _by_axes(xp, batch, axes, method, antialias):
    if method == "nearest":
        return _nearest_axis(xp, _nearest_axis(xp, batch, 1, axes[0]), 2, axes[1])
    if method == "bilinear" and not antialias:
        batch = batch.astype(xp.float32)
        return _bilinear_axis(xp, _bilinear_axis(xp, batch, 1, axes[0]), 2, axes[1])
    return _by_matrices(xp, batch, axes, method, antialias)


def _resized(xp, images, size, method, antialias):
    batch = images if images.ndim == 4 else images[None]
    batch = _by_axes(xp, batch, _whole_axes(xp, batch, size), method, antialias)
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


def _method_named(method, who):
    """Return a method's name; raise ValueError if it is none."""
    if isinstance(method, int) and 0 <= method < len(_NUMBERED):
        return _NUMBERED[method]
    if method not in (*_KERNELS, "nearest", "area"):
        raise ValueError(
            f"{who}: `method` must be a name of tf.image.ResizeMethod; got {method!r}.\n"
            f"  Fix: use one of {', '.join(sorted([*_KERNELS, 'nearest', 'area']))}."
        )
    return method


def _fitting_size(images, size):
    """Return the largest size inside `size` with the aspect ratio of the images."""
    height, width = images._type.dims[-3:-1]
    if not all(isinstance(n, int) for n in (height, width, *size)):  # rounded, in whole numbers
        return (
            core.min_dim(size[0], (2 * size[1] * height + width) // (2 * width)),
            core.min_dim(size[1], (2 * size[0] * width + height) // (2 * height)),
        )
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
    method = _method_named(method, "tf.image.resize")
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
    if preserve_aspect_ratio:
        size = _fitting_size(images, size)
    how = size, method, bool(antialias)
    if is_rare_size(images, ("resize", *how)):
        return from_host(_resized(np, np.asarray(images), *how))
    return _resize(images, size=size, method=method, antialias=bool(antialias))


def _inside(xp, sources, target):
    """Return the size that fits inside `target` with the images' aspect ratio, and what is before.

    All of it is float32, rounded down, as in TF: 64 pixels scaled by 224 / 64 are 223.
    """
    sizes = [xp.asarray(n, xp.float32) for n in sources]
    wanted = [xp.asarray(n, xp.float32) for n in target]
    ratio = xp.maximum(sizes[0] / wanted[0], sizes[1] / wanted[1])
    exact = [n / ratio for n in sizes]
    before = [
        xp.maximum(xp.floor((w - n) / xp.float32(2)), 0) for w, n in zip(wanted, exact, strict=True)
    ]
    return [xp.floor(n) for n in exact], before


@op
def _pad_around(images, *, size, before):
    widths = [
        (start, wanted - n - start, 0)
        for start, wanted, n in zip(before, size, images.shape[-3:-1], strict=True)
    ]
    widths = [(0, 0, 0)] * (images.ndim - 3) + [*widths, (0, 0, 0)]
    return lax.pad(images, jnp.zeros((), images.dtype), widths)


@op
def _resize_inside(images, *, size, method, antialias):
    """Resize images of unknown size and pad them: what is outside is made, and put to zero."""
    batch = images if images.ndim == 4 else images[None]
    inside, before = _inside(jnp, batch.shape[1:3], size)
    axes = [
        _Axis(_iota(jnp, n) - start, _ratio(jnp, old, new))
        for n, start, old, new in zip(size, before, batch.shape[1:3], inside, strict=True)
    ]
    rows, columns = (
        (a.places >= 0) & (a.places < new) for a, new in zip(axes, inside, strict=True)
    )
    found = _by_axes(jnp, batch, axes, method, antialias)
    found = jnp.where((rows[:, None] & columns)[..., None], found, jnp.zeros((), found.dtype))
    return found if images.ndim == 4 else found[0]


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
    method = _method_named(method, "tf.image.resize_with_pad")
    sources = image._type.dims[-3:-1]
    if not all(isinstance(n, int) for n in (*sources, *target)):
        return _resize_inside(image, size=target, method=method, antialias=bool(antialias))
    inside, before = (tuple(map(int, each)) for each in _inside(np, sources, target))
    small = resize(image, inside, method, antialias=antialias)
    return _pad_around(small, size=target, before=before)
