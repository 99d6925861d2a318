"""Flipping, turning, cropping and padding images; as told, or at random."""

from fractions import Fraction
from typing import Any

import jax.numpy as jnp
from jax import core, lax

from lamina.engine import convert_to_tensor, errors, op, static_int, static_ints
from lamina.ops import array
from lamina.ops.image.resizing import image_tensor
from lamina.ops.random import uniform
from lamina.ops.slicing import slice
from lamina.ops.stateless import stateless_uniform

__all__ = [
    "central_crop",
    "crop_to_bounding_box",
    "extract_patches",
    "flip_left_right",
    "flip_up_down",
    "pad_to_bounding_box",
    "random_crop",
    "random_flip_left_right",
    "random_flip_up_down",
    "resize_with_crop_or_pad",
    "rot90",
    "stateless_random_crop",
    "stateless_random_flip_left_right",
    "stateless_random_flip_up_down",
    "transpose",
]

# --- flipping and turning -------------------------------------------------------------------------


def _batch(image):
    """Return an image or a batch of them: a matrix would be turned along its wrong axis."""
    if image.ndim not in (3, 4):
        raise ValueError(
            f"`image` must have shape (H, W, C) or (B, H, W, C); got {image.shape}.\n"
            "  Fix: add the axis of channels, as in image[..., tf.newaxis]."
        )
    return image


@op
def flip_left_right(image):
    """Mirror images along their width.

    Args:
        image: A Tensor `(B, H, W, C)` or `(H, W, C)`.

    Returns:
        A Tensor of the same shape.

    Raises:
        ValueError: `image` has another rank.

    Example:
        >>> tf.image.flip_left_right([[[1], [2]]]).numpy().ravel()
        array([2, 1], dtype=int32)
    """
    return lax.rev(_batch(image), [image.ndim - 2])


@op
def flip_up_down(image):
    """Mirror images along their height.

    Args:
        image: A Tensor `(B, H, W, C)` or `(H, W, C)`.

    Returns:
        A Tensor of the same shape.

    Raises:
        ValueError: `image` has another rank.

    Example:
        >>> tf.image.flip_up_down([[[1]], [[2]]]).numpy().ravel()
        array([2, 1], dtype=int32)
    """
    return lax.rev(_batch(image), [image.ndim - 3])


@op
def transpose(image):
    """Swap the height and the width of images.

    Args:
        image: A Tensor `(B, H, W, C)` or `(H, W, C)`.

    Returns:
        A Tensor `(B, W, H, C)` or `(W, H, C)`.

    Example:
        >>> tf.image.transpose(tf.ones((2, 3, 1))).shape
        TensorShape([3, 2, 1])
    """
    return jnp.swapaxes(image, -3, -2)


@op
def _rot90(image, *, k):
    return jnp.rot90(image, k, axes=(image.ndim - 3, image.ndim - 2))


def rot90(image, k: Any = 1, name=None):
    """Turn images counter-clockwise by quarters.

    Args:
        image: A Tensor `(B, H, W, C)` or `(H, W, C)`.
        k: The number of quarter turns.
        name: Accepted, unused.

    Returns:
        A Tensor; height and width are swapped for odd `k`.

    Example:
        >>> tf.image.rot90([[[1], [2]]]).numpy().ravel()
        array([2, 1], dtype=int32)
    """
    return _rot90(image_tensor(image, "tf.image.rot90"), k=static_int(k, "tf.image.rot90(k)") % 4)


@op(mixed=True)
def _flip_some(image, chance, *, axis):
    """Mirror each image whose number is below one half."""
    chosen = jnp.reshape(chance < 0.5, (-1, 1, 1, 1) if image.ndim == 4 else ())
    return jnp.where(chosen, lax.rev(image, [image.ndim + axis]), image)


def _random_flip(image, axis, draw, who):
    image = image_tensor(image, who)
    batch = () if image.ndim == 3 else (static_int(image._type.dims[0], who),)
    return _flip_some(image, draw(batch), axis=axis)


def random_flip_left_right(image, seed=None):
    """Mirror each image along its width, or not, with equal chances.

    Args:
        image: A Tensor `(B, H, W, C)` or `(H, W, C)`.
        seed: An op-level seed, see `tf.random.set_seed`.

    Returns:
        A Tensor of the same shape.

    Example:
        >>> tf.image.random_flip_left_right(tf.ones((2, 4, 4, 3))).shape
        TensorShape([2, 4, 4, 3])
    """
    who = "tf.image.random_flip_left_right"
    return _random_flip(image, -2, lambda shape: uniform(shape, seed=seed), who)


def random_flip_up_down(image, seed=None):
    """Mirror each image along its height, or not, with equal chances.

    Args:
        image: A Tensor `(B, H, W, C)` or `(H, W, C)`.
        seed: An op-level seed, see `tf.random.set_seed`.

    Returns:
        A Tensor of the same shape.

    Example:
        >>> tf.image.random_flip_up_down(tf.ones((2, 4, 4, 3))).shape
        TensorShape([2, 4, 4, 3])
    """
    who = "tf.image.random_flip_up_down"
    return _random_flip(image, -3, lambda shape: uniform(shape, seed=seed), who)


def stateless_random_flip_left_right(image, seed):
    """Mirror images along their width as a seed says; see `tf.image.random_flip_left_right`.

    Args:
        image: A Tensor `(B, H, W, C)` or `(H, W, C)`.
        seed: Two integers.

    Returns:
        A Tensor of the same shape.

    Example:
        >>> tf.image.stateless_random_flip_left_right(tf.ones((4, 4, 3)), (1, 2)).shape
        TensorShape([4, 4, 3])
    """
    who = "tf.image.stateless_random_flip_left_right"
    return _random_flip(image, -2, lambda shape: stateless_uniform(shape, seed), who)


def stateless_random_flip_up_down(image, seed):
    """Mirror images along their height as a seed says; see `tf.image.random_flip_up_down`.

    Args:
        image: A Tensor `(B, H, W, C)` or `(H, W, C)`.
        seed: Two integers.

    Returns:
        A Tensor of the same shape.

    Example:
        >>> tf.image.stateless_random_flip_up_down(tf.ones((4, 4, 3)), (1, 2)).shape
        TensorShape([4, 4, 3])
    """
    who = "tf.image.stateless_random_flip_up_down"
    return _random_flip(image, -3, lambda shape: stateless_uniform(shape, seed), who)


# --- cropping and padding -------------------------------------------------------------------------


@op
def _box(image, *, top, left, height, width):
    """Cut a box out of images, or put them into one: what lies outside of them is 0."""
    bottom, right = top + height - image.shape[-3], left + width - image.shape[-2]
    widths = [(0, 0, 0)] * (image.ndim - 3) + [(-top, bottom, 0), (-left, right, 0), (0, 0, 0)]
    return lax.pad(image, jnp.zeros((), image.dtype), widths)


def _require_pixels(image, who):
    """Return images unless they have no pixels or no channels."""
    if 0 in tuple(image.shape[-3:]):
        raise errors.ArgumentError(
            f"{who}: the images must have pixels and channels; got shape {image.shape}.\n"
            "  Fix: leave empty images out."
        )
    return image


def _boxed(image, who, top, left, height, width, *, is_crop):
    """Check a box against the images, then cut or pad to it."""
    image = _require_pixels(image_tensor(image, who), who)
    top, left, height, width = static_ints((top, left, height, width), f"{who}(box)")
    sizes = image._type.dims[-3:-1]
    rows, columns = (sizes, (height, width)) if is_crop else ((height, width), sizes)
    known = all(isinstance(each, int) for each in (*rows, *columns))
    inside = not known or (columns[0] + top <= rows[0] and columns[1] + left <= rows[1])
    if not known and is_crop:
        rows = columns
    if min(top, left) < 0 or (is_crop and min(height, width) <= 0) or not inside:
        outer, inner = ("the images", "the box") if is_crop else ("the box", "the images")
        raise ValueError(
            f"{who}: {inner} must lie inside {outer}; got offset ({top}, {left}), target size "
            f"({height}, {width}) for images of shape {image.shape}.\n"
            "  Fix: change the offset or the size."
        )
    if not is_crop:
        top, left = -top, -left
    return _box(image, top=top, left=left, height=height, width=width)


def crop_to_bounding_box(image, offset_height, offset_width, target_height, target_width):
    """Cut a box out of images.

    Args:
        image: A Tensor `(B, H, W, C)` or `(H, W, C)`.
        offset_height: The first row.
        offset_width: The first column.
        target_height: The height of the box.
        target_width: The width of the box.

    Returns:
        A Tensor of the size of the box.

    Raises:
        ValueError: the box does not lie inside the images, or they are empty.

    Example:
        >>> tf.image.crop_to_bounding_box(tf.ones((4, 4, 3)), 1, 0, 2, 3).shape
        TensorShape([2, 3, 3])
    """
    box = offset_height, offset_width, target_height, target_width
    return _boxed(image, "tf.image.crop_to_bounding_box", *box, is_crop=True)


def pad_to_bounding_box(image, offset_height, offset_width, target_height, target_width):
    """Put images into a larger box of zeros.

    Args:
        image: A Tensor `(B, H, W, C)` or `(H, W, C)`.
        offset_height: The number of rows above.
        offset_width: The number of columns to the left.
        target_height: The height of the box.
        target_width: The width of the box.

    Returns:
        A Tensor of the size of the box.

    Raises:
        ValueError: the images do not lie inside the box, or they are empty.

    Example:
        >>> tf.image.pad_to_bounding_box(tf.ones((2, 2, 3)), 1, 0, 4, 4).shape
        TensorShape([4, 4, 3])
    """
    box = offset_height, offset_width, target_height, target_width
    return _boxed(image, "tf.image.pad_to_bounding_box", *box, is_crop=False)


def resize_with_crop_or_pad(image, target_height, target_width):
    """Crop or pad images around their centre.

    Args:
        image: A Tensor `(B, H, W, C)` or `(H, W, C)`.
        target_height: The height of the result.
        target_width: The width of the result.

    Returns:
        A Tensor of the wanted size.

    Raises:
        ValueError: a size is not positive, or the images are empty.

    Example:
        >>> tf.image.resize_with_crop_or_pad(tf.ones((5, 3, 1)), 3, 5).shape
        TensorShape([3, 5, 1])
    """
    who = "tf.image.resize_with_crop_or_pad"
    image = _require_pixels(image_tensor(image, who), who)
    target = static_ints((target_height, target_width), f"{who}(size)")
    if min(target) <= 0:
        raise ValueError(
            f"{who}: the target size must be positive; got {target}.\n  Fix: raise it."
        )
    offsets = []
    for size, wanted in zip(image._type.dims[-3:-1], target, strict=True):
        cut, grown = (core.max_dim(n, 0) // 2 for n in (size - wanted, wanted - size))
        offsets.append(cut - grown)
    return _box(image, top=offsets[0], left=offsets[1], height=target[0], width=target[1])


def central_crop(image, central_fraction):
    """Cut the centre out of images.

    Args:
        image: A Tensor `(B, H, W, C)` or `(H, W, C)`.
        central_fraction: The part of each side to keep, in `(0, 1]`.

    Returns:
        A Tensor of the smaller size.

    Raises:
        ValueError: `central_fraction` is outside `(0, 1]`.

    Example:
        >>> tf.image.central_crop(tf.ones((8, 4, 3)), 0.5).shape
        TensorShape([4, 2, 3])
    """
    image, fraction = image_tensor(image, "tf.image.central_crop"), float(central_fraction)
    if not 0 < fraction <= 1:
        raise ValueError(
            f"tf.image.central_crop: `central_fraction` must lie in (0, 1]; got {fraction}.\n"
            "  Fix: 0.5 keeps half of each side."
        )
    height, width = image._type.dims[-3:-1]
    top, left = (_margin(size, fraction) for size in (height, width))
    return _box(image, top=top, left=left, height=height - 2 * top, width=width - 2 * left)


def _margin(size, fraction):
    """Return half of what a fraction of a size leaves; the size may be unknown."""
    if isinstance(size, int):
        return int((size - size * fraction) / 2)
    rest = Fraction(1 - fraction).limit_denominator(10_000)
    return size * rest.numerator // (2 * rest.denominator)


def _cropped_at_random(value, size, draw, who):
    value = convert_to_tensor(value)
    sizes = static_ints(size, f"{who}(size)")
    dims = value._type.dims
    known = [(a, b) for a, b in zip(dims, sizes, strict=False) if isinstance(a, int)]
    if len(sizes) != len(dims) or any(isinstance(b, int) and a < b for a, b in known):
        raise errors.ArgumentError(
            f"{who}: `size` must not exceed the value's shape {value.shape}; got {sizes}.\n"
            "  Fix: give one size per axis, channels included."
        )
    if len(known) < len(dims):
        dims = array.shape(value)
    room = [a - b + 1 for a, b in zip(dims, sizes, strict=True)]
    return slice(value, draw((len(dims),), room), sizes)


def random_crop(value, size, seed=None, name=None):
    """Cut a box of a given size out of a Tensor, at a random place.

    Args:
        value: A Tensor of rank r.
        size: r sizes, that of the channels included.
        seed: An op-level seed, see `tf.random.set_seed`.
        name: Accepted, unused.

    Returns:
        A Tensor of shape `size`.

    Raises:
        InvalidArgumentError: `size` exceeds the shape.

    Example:
        >>> tf.image.random_crop(tf.ones((8, 8, 3)), (4, 4, 3)).shape
        TensorShape([4, 4, 3])
    """

    def draw(shape, room):
        return uniform(shape, 0, room, "int32", seed=seed)

    return _cropped_at_random(value, size, draw, "tf.image.random_crop")


def stateless_random_crop(value, size, seed, name=None):
    """Cut a box out of a Tensor at a place that follows from a seed.

    Args:
        value: A Tensor of rank r.
        size: r sizes, that of the channels included.
        seed: Two integers.
        name: Accepted, unused.

    Returns:
        A Tensor of shape `size`.

    Raises:
        InvalidArgumentError: `size` exceeds the shape.

    Example:
        >>> tf.image.stateless_random_crop(tf.ones((8, 8, 3)), (4, 4, 3), (1, 2)).shape
        TensorShape([4, 4, 3])
    """

    def draw(shape, room):
        return stateless_uniform(shape, seed, 0, room, "int32")

    return _cropped_at_random(value, size, draw, "tf.image.stateless_random_crop")


# --- patches --------------------------------------------------------------------------------------


def _windows(size, kernel, stride, rate, padding):
    """Return the padding of an axis, and the number of windows along it."""
    reach = (kernel - 1) * rate + 1
    if padding == "VALID":
        return (0, 0), (size - reach) // stride + 1
    count = -(-size // stride)
    missing = max((count - 1) * stride + reach - size, 0)
    return (missing // 2, missing - missing // 2), count


@op
def _extract_patches(images, *, sizes, strides, rates, padding):
    kernels, steps, gaps = sizes[1:3], strides[1:3], rates[1:3]
    pads, counts, places = [], [], []
    for axis in (0, 1):
        pad, count = _windows(
            images.shape[1 + axis], kernels[axis], steps[axis], gaps[axis], padding
        )
        pads.append((*pad, 0))
        counts.append(count)
        places.append(
            jnp.arange(count)[:, None] * steps[axis] + jnp.arange(kernels[axis]) * gaps[axis]
        )
    x = lax.pad(images, jnp.zeros((), images.dtype), [(0, 0, 0), *pads, (0, 0, 0)])
    if kernels == steps and gaps == (1, 1):  # patches that tile the image need no gather
        x = x[:, : counts[0] * kernels[0], : counts[1] * kernels[1]]
        x = jnp.reshape(x, (x.shape[0], counts[0], kernels[0], counts[1], kernels[1], x.shape[-1]))
    else:
        x = jnp.take(x, places[0], 1, mode="clip")  # (B, rows, kh, W, C)
        x = jnp.take(x, places[1], 3, mode="clip")  # (B, rows, kh, columns, kw, C)
    depth = kernels[0] * kernels[1] * x.shape[-1]
    return jnp.reshape(jnp.swapaxes(x, 2, 3), (x.shape[0], *counts, depth))


def extract_patches(images, sizes, strides, rates, padding, name=None):
    """Cut images into patches, laid out in the last axis.

    Args:
        images: A Tensor `(B, H, W, C)`.
        sizes: The patch: `(1, kh, kw, 1)`.
        strides: The distance between patches: `(1, sh, sw, 1)`.
        rates: The distance between the pixels of a patch: `(1, rh, rw, 1)`.
        padding: "VALID" or "SAME" (zeros).
        name: Accepted, unused.

    Returns:
        A Tensor `(B, rows, columns, kh * kw * C)`.

    Raises:
        ValueError: `padding` is unknown.

    Example:
        >>> tf.image.extract_patches(
        ...     tf.ones((1, 4, 4, 3)), *[(1, 2, 2, 1)] * 2, (1, 1, 1, 1), "SAME"
        ... ).shape
        TensorShape([1, 2, 2, 12])
    """
    if padding not in ("VALID", "SAME"):
        raise ValueError(
            f'tf.image.extract_patches: `padding` must be "VALID" or "SAME"; got {padding!r}.\n'
            "  Fix: use one of these."
        )
    who = "tf.image.extract_patches"
    return _extract_patches(
        images,
        sizes=static_ints(sizes, f"{who}(sizes)"),
        strides=static_ints(strides, f"{who}(strides)"),
        rates=static_ints(rates, f"{who}(rates)"),
        padding=padding,
    )
