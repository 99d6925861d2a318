"""Edges, gradients, and measures of how images differ."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina.engine import convert_to_tensor, errors, op
from lamina.ops.image.color import convert_image_dtype
from lamina.ops.padding import mirrored

__all__ = [
    "image_gradients",
    "psnr",
    "sobel_edges",
    "ssim",
    "ssim_multiscale",
    "total_variation",
]


@op
def _image_gradients(image):
    down = image[:, 1:] - image[:, :-1]
    right = image[:, :, 1:] - image[:, :, :-1]
    zero = jnp.zeros((), image.dtype)
    keep = (0, 0, 0)
    rows = lax.pad(down, zero, [keep, (0, 1, 0), keep, keep])
    return rows, lax.pad(right, zero, [keep, keep, (0, 1, 0), keep])


def image_gradients(image):
    """Return the differences of neighbouring pixels.

    Args:
        image: A Tensor `(B, H, W, C)`.

    Returns:
        A tuple (dy, dx) of Tensors of the same shape: the next row minus this one, and the next
        column minus this one; 0 in the last row or column.

    Raises:
        ValueError: the rank is not 4.

    Example:
        >>> dy, dx = tf.image.image_gradients([[[[1], [3]]]])
        >>> dx.numpy().ravel()
        array([2, 0], dtype=int32)
    """
    image = convert_to_tensor(image)
    if image.ndim != 4:
        raise ValueError(
            f"tf.image.image_gradients: `image` must have shape (B, H, W, C); got {image.shape}.\n"
            "  Fix: add a batch axis with image[tf.newaxis]."
        )
    return _image_gradients(image)


@op
def sobel_edges(image):
    """Return the vertical and horizontal edges that Sobel's filters find.

    Args:
        image: A float Tensor `(B, H, W, C)`; it is mirrored at its borders.

    Returns:
        A Tensor `(B, H, W, C, 2)`: the changes along the height and along the width.

    Example:
        >>> tf.image.sobel_edges(tf.ones((1, 4, 4, 1))).shape
        TensorShape([1, 4, 4, 1, 2])
    """
    x = mirrored(image, [(0, 0), (1, 1), (1, 1), (0, 0)], "reflect")

    def smooth(y, axis):
        first, middle, last = (_part(y, axis, i) for i in range(3))
        return first + 2 * middle + last

    def change(y, axis):
        return _part(y, axis, 2) - _part(y, axis, 0)

    return jnp.stack([smooth(change(x, 1), 2), smooth(change(x, 2), 1)], -1)


def _part(x, axis, start):
    """Return all of an axis but two, from `start` on."""
    return lax.slice_in_dim(x, start, x.shape[axis] - 2 + start, axis=axis)


@op
def total_variation(images):
    """Return the sum of the absolute differences of neighbouring pixels: how noisy images are.

    Args:
        images: A Tensor `(B, H, W, C)` or `(H, W, C)`.

    Returns:
        A Tensor `(B,)`, or a scalar for one image, of the images' dtype.

    Raises:
        ValueError: the rank is neither 3 nor 4.

    Example:
        >>> tf.image.total_variation([[[1.0], [3.0]]]).numpy()
        np.float32(2.0)
    """
    if images.ndim not in (3, 4):
        raise ValueError(
            f"`images` must have 3 or 4 axes; got shape {images.shape}.\n  Fix: add or drop axes."
        )
    axes = (-3, -2, -1)
    down = jnp.abs(images[..., 1:, :, :] - images[..., :-1, :, :])
    right = jnp.abs(images[..., 1:, :] - images[..., :-1, :])
    return jnp.sum(down, axes, images.dtype) + jnp.sum(right, axes, images.dtype)


@op(mixed=True)
def _psnr(a, b, max_val):
    error = jnp.mean(jnp.square(a - b), (-3, -2, -1))
    return (20 * jnp.log(max_val) - 10 * jnp.log(error)) / np.float32(math.log(10))


def _as_floats(a, b, max_val):
    """Return two images and the largest pixel as float32 Tensors in `[0, 1]` units."""
    a, b = convert_to_tensor(a), convert_to_tensor(b)
    top = convert_image_dtype(convert_to_tensor(max_val, a.dtype), "float32")
    return convert_image_dtype(a, "float32"), convert_image_dtype(b, "float32"), top


def psnr(a, b, max_val, name=None):
    """Return the peak signal-to-noise ratio of two images, in decibels.

    Args:
        a: A Tensor `(…, H, W, C)`.
        b: A Tensor of the same shape and dtype.
        max_val: The largest value that pixels can have.
        name: Accepted, unused.

    Returns:
        A float32 Tensor `(…)`.

    Example:
        >>> tf.image.psnr(tf.ones((2, 2, 1)), 0.9 * tf.ones((2, 2, 1)), 1.0).numpy().round(2)
        np.float32(20.0)
    """
    return _psnr(*_as_floats(a, b, max_val))


def _blurred(x, size, sigma):
    """Blur each channel with a Gaussian window, without padding."""
    places = np.arange(size, dtype=np.float32) - (size - 1) / 2
    line = np.exp(-0.5 * np.square(places) / np.square(sigma))
    line = (line / line.sum()).astype(np.float32)
    count = x.shape[-1]
    for shape in ((size, 1), (1, size)):
        kernel = jnp.broadcast_to(
            jnp.reshape(jnp.asarray(line), (*shape, 1, 1)), (*shape, 1, count)
        )
        x = lax.conv_general_dilated(
            x,
            kernel,
            (1, 1),
            "VALID",
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            feature_group_count=count,
            precision=lax.Precision.HIGHEST,
        )
    return x


def _similarity(a, b, top, size, sigma, k1, k2):
    """Return SSIM (eq. 13 of the paper) and its contrast-structure part: maps `(N, H', W', C)`."""
    c1, c2 = jnp.square(k1 * top), jnp.square(k2 * top)
    mean_a, mean_b = _blurred(a, size, sigma), _blurred(b, size, sigma)
    product, squares = mean_a * mean_b * 2, jnp.square(mean_a) + jnp.square(mean_b)
    luminance = (product + c1) / (squares + c1)
    products = _blurred(a * b, size, sigma) * 2
    both = _blurred(jnp.square(a) + jnp.square(b), size, sigma)
    structure = (products - product + c2) / (both - squares + c2)
    return luminance * structure, structure


def _flat(x):
    return jnp.reshape(x, (-1, *x.shape[-3:]))


@op
def _ssim(a, b, top, *, filter_size, filter_sigma, k1, k2, return_index_map):
    found, _ = _similarity(_flat(a), _flat(b), top, filter_size, filter_sigma, k1, k2)
    if return_index_map:
        return jnp.reshape(jnp.mean(found, -1), (*a.shape[:-3], *found.shape[1:3]))
    return jnp.reshape(jnp.mean(found, (-3, -2, -1)), a.shape[:-3])


def _check_window(image, size, who):
    sides = [each for each in image._type.dims[-3:-1] if isinstance(each, int)]
    if min(sides, default=size) < size:
        raise errors.ArgumentError(
            f"{who}: the filter of size {size} must fit into the images; got shape {image.shape}.\n"
            "  Fix: pass a smaller `filter_size`."
        )


def ssim(
    img1,
    img2,
    max_val,
    filter_size: Any = 11,
    filter_sigma: Any = 1.5,
    k1: Any = 0.01,
    k2: Any = 0.03,
    return_index_map=False,
):
    """Return the structural similarity of images, in `(-1, 1]`.

    Args:
        img1: A Tensor `(…, H, W, C)`.
        img2: A Tensor of the same shape and dtype.
        max_val: The largest value that pixels can have.
        filter_size: The side of the Gaussian window, in pixels.
        filter_sigma: Its standard deviation, in pixels.
        k1: Keeps the luminance stable.
        k2: Keeps the contrast stable.
        return_index_map: Whether to return the similarity at each place of the window.

    Returns:
        A float32 Tensor `(…)`, or the map `(…, H - filter_size + 1, W - filter_size + 1)`.

    Raises:
        InvalidArgumentError: the images are smaller than the window.

    Example:
        >>> x = tf.random.uniform((1, 16, 16, 3))
        >>> tf.image.ssim(x, x, 1.0).numpy().round(3)
        array([1.], dtype=float32)

    Reference: Wang et al. 2004, Image quality assessment, eq. 13.
    """
    first, second, top = _as_floats(img1, img2, max_val)
    _check_window(first, filter_size, "tf.image.ssim")
    return _ssim(
        first,
        second,
        top,
        filter_size=filter_size,
        filter_sigma=filter_sigma,
        k1=k1,
        k2=k2,
        return_index_map=return_index_map,
    )


def _halved(x):
    """Average blocks of two by two; an odd last row or column is repeated."""
    height, width = x.shape[1:3]
    x = mirrored(x, [(0, 0), (0, height % 2), (0, width % 2), (0, 0)], "symmetric")
    blocks = (x.shape[0], x.shape[1] // 2, 2, x.shape[2] // 2, 2, x.shape[3])
    return jnp.mean(jnp.reshape(x, blocks), (2, 4))


@op
def _ssim_multiscale(a, b, top, *, power_factors, filter_size, filter_sigma, k1, k2):
    x, y, result = _flat(a), _flat(b), 1.0
    for level, power in enumerate(power_factors):
        if level:
            x, y = _halved(x), _halved(y)
        found, structure = _similarity(x, y, top, filter_size, filter_sigma, k1, k2)
        part = found if level == len(power_factors) - 1 else structure
        result = result * jnp.maximum(jnp.mean(part, (1, 2)), 0) ** power
    return jnp.reshape(jnp.mean(result, -1), a.shape[:-3])


def ssim_multiscale(
    img1,
    img2,
    max_val,
    power_factors: Any = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333),
    filter_size: Any = 11,
    filter_sigma: Any = 1.5,
    k1: Any = 0.01,
    k2: Any = 0.03,
):
    """Return the structural similarity of images over several scales, in `[0, 1]`.

    Args:
        img1: A Tensor `(…, H, W, C)`.
        img2: A Tensor of the same shape and dtype.
        max_val: The largest value that pixels can have.
        power_factors: The weight of each scale, the finest first; each halves the images.
        filter_size: The side of the Gaussian window, in pixels.
        filter_sigma: Its standard deviation, in pixels.
        k1: Keeps the luminance stable.
        k2: Keeps the contrast stable.

    Returns:
        A float32 Tensor `(…)`.

    Raises:
        InvalidArgumentError: the images are smaller than the window at some scale.

    Example:
        >>> x = tf.random.uniform((1, 64, 64, 3))
        >>> tf.image.ssim_multiscale(x, x, 1.0, (0.5, 0.5)).numpy().round(3)
        array([1.], dtype=float32)

    Reference: Wang et al. 2003, Multi-scale structural similarity, eq. 7.
    """
    first, second, top = _as_floats(img1, img2, max_val)
    _check_window(first, filter_size * 2 ** (len(power_factors) - 1), "tf.image.ssim_multiscale")
    return _ssim_multiscale(
        first,
        second,
        top,
        power_factors=tuple(power_factors),
        filter_size=filter_size,
        filter_sigma=filter_sigma,
        k1=k1,
        k2=k2,
    )
