"""Brightness, contrast, hue and saturation; adjusted as told, or at random."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from lamina.engine import convert_to_tensor, dtypes, errors, host_value, local, op
from lamina.ops import quotient
from lamina.ops.image.color import as_float, require_rgb, to_hsv, to_rgb
from lamina.ops.random import uniform
from lamina.ops.stateless import stateless_uniform

__all__ = [
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "per_image_standardization",
    "random_brightness",
    "random_contrast",
    "random_hue",
    "random_saturation",
    "stateless_random_brightness",
    "stateless_random_contrast",
    "stateless_random_hue",
    "stateless_random_saturation",
]


def _unregistered(kernel: str) -> Any:
    """Have an op refuse gradients under the name that TF has for it."""

    def mark(made: Any) -> Any:
        made.unregistered = kernel
        return made

    return mark


@op(mixed=True)
def adjust_brightness(image, delta):
    """Add to the brightness of images.

    Args:
        image: A Tensor; integers span the range of their dtype.
        delta: A scalar, in units of the float range `[0, 1]`.

    Returns:
        A Tensor of the same shape and dtype; integers are clipped.

    Example:
        >>> tf.image.adjust_brightness([[[0.5]]], 0.25).numpy().item()
        0.75
    """
    return as_float(lambda x: x + delta.astype(x.dtype))(image)


@_unregistered("AdjustContrastv2")
@op(mixed=True)
def adjust_contrast(images, contrast_factor):
    """Scale the distance of each pixel from the mean of its channel.

    Args:
        images: A Tensor `(…, H, W, C)`.
        contrast_factor: A scalar; 1 changes nothing.

    Returns:
        A Tensor of the same shape and dtype; integers are clipped.

    Raises:
        LookupError: a gradient through it is asked for; TF registers none.

    Example:
        >>> tf.image.adjust_contrast([[[1.0], [3.0]]], 2.0).numpy().ravel()
        array([0., 4.], dtype=float32)
    """

    def change(x):
        mean = quotient.mean(x.astype(jnp.float32), (x.ndim - 3, x.ndim - 2), keepdims=True)
        return ((x - mean) * contrast_factor + mean).astype(x.dtype)

    return as_float(change)(images)


@op(mixed=True)
def _gamma(image, gamma, gain):
    return as_float(lambda x: gain.astype(x.dtype) * x ** gamma.astype(x.dtype))(image)


def adjust_gamma(image, gamma: Any = 1, gain: Any = 1):
    """Return `gain * image ** gamma`, with pixels in `[0, 1]`.

    Args:
        image: A Tensor; integers span the range of their dtype.
        gamma: A scalar, not negative.
        gain: A scalar.

    Returns:
        A Tensor of the same shape and dtype; integers are clipped.

    Raises:
        ArgumentError: `gamma` is negative (where it is known).

    Example:
        >>> tf.image.adjust_gamma([0.5], 2.0).numpy()
        array([0.25], dtype=float32)
    """
    gamma = convert_to_tensor(gamma, dtypes.float32)
    known = host_value(gamma)
    if known is not None and np.any(known < 0):
        raise errors.ArgumentError(
            f"tf.image.adjust_gamma: `gamma` must not be negative; got {known}.\n"
            "  Fix: values below 1 brighten, values above 1 darken."
        )
    return _gamma(image, gamma, gain)


def _with_hsv(x, change):
    """Apply a function of hue, saturation and value to RGB."""
    wide = to_hsv(require_rgb(x, "image").astype(jnp.float32))
    parts = change(wide[..., 0], wide[..., 1], wide[..., 2])
    return to_rgb(jnp.stack(parts, -1)).astype(x.dtype)


@_unregistered("AdjustHue")
@op(mixed=True)
def _adjust_hue(image, delta):
    delta = delta.astype(jnp.float32)
    return as_float(lambda x: _with_hsv(x, lambda h, s, v: ((h + delta) % 1.0, s, v)))(image)


def adjust_hue(image, delta, name=None):
    """Turn the hue of RGB images.

    Args:
        image: A Tensor `(…, 3)`; integers span the range of their dtype.
        delta: A scalar in `[-1, 1]`; 1 is a full turn.
        name: Accepted, unused.

    Returns:
        A Tensor of the same shape and dtype.

    Raises:
        ValueError: `delta` is beyond (where it is known).
        LookupError: a gradient through it is asked for; TF registers none.

    Example:
        >>> tf.image.adjust_hue([[[1.0, 0.0, 0.0]]], 1 / 3).numpy().round(3)
        array([[[0., 1., 0.]]], dtype=float32)
    """
    delta = convert_to_tensor(delta)
    known = host_value(delta)
    if local.trace.eager and known is not None and not np.all(np.abs(known) <= 1):
        raise ValueError(
            f"tf.image.adjust_hue: `delta` must lie in [-1, 1]; got {known}.\n"
            "  Fix: 1 is a full turn."
        )
    return _adjust_hue(image, delta)


@_unregistered("AdjustSaturation")
@op(mixed=True)
def adjust_saturation(image, saturation_factor):
    """Scale the saturation of RGB images.

    Args:
        image: A Tensor `(…, 3)`; integers span the range of their dtype.
        saturation_factor: A scalar; 0 gives gray, 1 changes nothing.

    Returns:
        A Tensor of the same shape and dtype.

    Raises:
        LookupError: a gradient through it is asked for; TF registers none.

    Example:
        >>> tf.image.adjust_saturation([[[1.0, 0.5, 0.5]]], 0.0).numpy()
        array([[[1., 1., 1.]]], dtype=float32)
    """
    factor = saturation_factor.astype(jnp.float32)
    return as_float(lambda x: _with_hsv(x, lambda h, s, v: (h, jnp.clip(s * factor, 0, 1), v)))(
        image
    )


@op
def per_image_standardization(image):
    """Give each image mean 0 and variance 1.

    Args:
        image: A Tensor `(…, H, W, C)`.

    Returns:
        A float32 Tensor of the same shape: `(x - mean) / max(stddev, 1 / sqrt(H * W * C))`, so
        that a uniform image gives zeros.

    Example:
        >>> tf.image.per_image_standardization([[[1.0], [3.0]]]).numpy().ravel()
        array([-1.,  1.], dtype=float32)
    """
    x = image.astype(jnp.float32)
    count = jnp.asarray(x.shape[-3] * x.shape[-2] * x.shape[-1], jnp.float32)
    axes = tuple(range(x.ndim - 3, x.ndim))
    centred = x - quotient.mean(x, axes, keepdims=True)
    variance = quotient.mean(centred * centred, axes, keepdims=True)
    # The root of the larger: a uniform image would give the root an infinite gradient.
    return quotient.divided(centred, jnp.sqrt(jnp.maximum(variance, 1 / count)))


# --- random adjustments ---------------------------------------------------------------------------


def _symmetric(limit, seed, who, is_stateless=False, most=float("inf")):
    """Draw a number from `[-limit, limit)`; `limit` must lie in `[0, most]`."""
    if not 0 <= limit <= most:
        raise ValueError(
            f"{who}: the largest change must not be negative or above {most}; got {limit}.\n"
            "  Fix: pass its size."
        )
    return _between(-limit, limit, seed, who, is_stateless)


def _between(lower, upper, seed, who, is_stateless=False):
    """Draw a number from `[lower, upper)`."""
    if lower < 0 and who.endswith(("contrast", "saturation")):
        raise ValueError(
            f"{who}: `lower` must not be negative; got {lower}.\n  Fix: it is a factor."
        )
    if upper < lower:
        raise ValueError(
            f"{who}: `upper` must not be below `lower`; got {lower} and {upper}.\n  Fix: swap them."
        )
    if is_stateless:
        return stateless_uniform((), seed, float(lower), float(upper))
    return uniform((), float(lower), float(upper), seed=seed)


def random_brightness(image, max_delta, seed=None):
    """Add a random number to the brightness of images, one for all.

    Args:
        image: A Tensor.
        max_delta: The largest change, in units of the float range `[0, 1]`.
        seed: An op-level seed, see `tf.random.set_seed`.

    Returns:
        A Tensor of the same shape and dtype.

    Raises:
        ValueError: `max_delta` is negative.

    Example:
        >>> tf.image.random_brightness(tf.ones((2, 2, 3)), 0.1).shape
        TensorShape([2, 2, 3])
    """
    delta = _symmetric(max_delta, seed, "tf.image.random_brightness")
    return adjust_brightness(image, delta)


def random_contrast(image, lower, upper, seed=None):
    """Scale the contrast of images by one random factor.

    Args:
        image: A Tensor `(…, H, W, C)`.
        lower: The smallest factor.
        upper: The largest factor.
        seed: An op-level seed, see `tf.random.set_seed`.

    Returns:
        A Tensor of the same shape and dtype.

    Raises:
        ValueError: `upper` is below `lower`.

    Example:
        >>> tf.image.random_contrast(tf.ones((2, 2, 3)), 0.5, 2.0).shape
        TensorShape([2, 2, 3])
    """
    return adjust_contrast(image, _between(lower, upper, seed, "tf.image.random_contrast"))


def random_hue(image, max_delta, seed=None):
    """Turn the hue of RGB images by one random angle.

    Args:
        image: A Tensor `(…, 3)`.
        max_delta: The largest turn, in `[0, 0.5]`.
        seed: An op-level seed, see `tf.random.set_seed`.

    Returns:
        A Tensor of the same shape and dtype.

    Raises:
        ValueError: `max_delta` is negative or above 0.5.

    Example:
        >>> tf.image.random_hue(tf.ones((2, 2, 3)), 0.1).shape
        TensorShape([2, 2, 3])
    """
    return adjust_hue(image, _symmetric(max_delta, seed, "tf.image.random_hue", most=0.5))


def random_saturation(image, lower, upper, seed=None):
    """Scale the saturation of RGB images by one random factor.

    Args:
        image: A Tensor `(…, 3)`.
        lower: The smallest factor.
        upper: The largest factor.
        seed: An op-level seed, see `tf.random.set_seed`.

    Returns:
        A Tensor of the same shape and dtype.

    Raises:
        ValueError: `upper` is below `lower`.

    Example:
        >>> tf.image.random_saturation(tf.ones((2, 2, 3)), 0.5, 2.0).shape
        TensorShape([2, 2, 3])
    """
    return adjust_saturation(image, _between(lower, upper, seed, "tf.image.random_saturation"))


def stateless_random_brightness(image, max_delta, seed):
    """Add a number that follows from a seed to the brightness; see `tf.image.random_brightness`.

    Args:
        image: A Tensor.
        max_delta: The largest change, in units of the float range `[0, 1]`.
        seed: Two integers.

    Returns:
        A Tensor of the same shape and dtype.

    Example:
        >>> tf.image.stateless_random_brightness(tf.ones((2, 2, 3)), 0.1, (1, 2)).shape
        TensorShape([2, 2, 3])
    """
    delta = _symmetric(max_delta, seed, "tf.image.stateless_random_brightness", True)
    return adjust_brightness(image, delta)


def stateless_random_contrast(image, lower, upper, seed):
    """Scale the contrast by a factor that follows from a seed; see `tf.image.random_contrast`.

    Args:
        image: A Tensor `(…, H, W, C)`.
        lower: The smallest factor.
        upper: The largest factor.
        seed: Two integers.

    Returns:
        A Tensor of the same shape and dtype.

    Example:
        >>> tf.image.stateless_random_contrast(tf.ones((2, 2, 3)), 0.5, 2.0, (1, 2)).shape
        TensorShape([2, 2, 3])
    """
    factor = _between(lower, upper, seed, "tf.image.stateless_random_contrast", True)
    return adjust_contrast(image, factor)


def stateless_random_hue(image, max_delta, seed):
    """Turn the hue by an angle that follows from a seed; see `tf.image.random_hue`.

    Args:
        image: A Tensor `(…, 3)`.
        max_delta: The largest turn, in `[0, 0.5]`.
        seed: Two integers.

    Returns:
        A Tensor of the same shape and dtype.

    Example:
        >>> tf.image.stateless_random_hue(tf.ones((2, 2, 3)), 0.1, (1, 2)).shape
        TensorShape([2, 2, 3])
    """
    return adjust_hue(
        image, _symmetric(max_delta, seed, "tf.image.stateless_random_hue", True, most=0.5)
    )


def stateless_random_saturation(image, lower, upper, seed=None):
    """Scale the saturation by a factor that follows from a seed.

    Args:
        image: A Tensor `(…, 3)`.
        lower: The smallest factor.
        upper: The largest factor.
        seed: Two integers.

    Returns:
        A Tensor of the same shape and dtype.

    Example:
        >>> tf.image.stateless_random_saturation(tf.ones((2, 2, 3)), 0.5, 2.0, (1, 2)).shape
        TensorShape([2, 2, 3])
    """
    factor = _between(lower, upper, seed, "tf.image.stateless_random_saturation", True)
    return adjust_saturation(image, factor)
