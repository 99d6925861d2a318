"""Color spaces, and the dtypes of images."""

import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina.engine import as_dtype, from_host, op
from lamina.ops import checks
from lamina.ops.image.sizes import is_rare_size

__all__ = [
    "convert_image_dtype",
    "grayscale_to_rgb",
    "hsv_to_rgb",
    "rgb_to_grayscale",
    "rgb_to_hsv",
    "rgb_to_yiq",
    "rgb_to_yuv",
    "yiq_to_rgb",
    "yuv_to_rgb",
]

# --- dtypes ---------------------------------------------------------------------------------------


def _clipped(x, kind):
    """Cast to an integer dtype, with values out of its range moved to its ends."""
    info = np.iinfo(kind)
    if jnp.issubdtype(x.dtype, jnp.floating):
        wide = x.astype(np.float32 if np.dtype(kind).itemsize <= 2 else np.float64)
        top = min(float(info.max), float(jnp.finfo(x.dtype).max))
        return jnp.clip(wide, float(info.min), top).astype(kind)
    own = np.iinfo(x.dtype)
    return jnp.clip(x, max(info.min, own.min), min(info.max, own.max)).astype(kind)


def _between_integers(x, kind, saturate):
    top_in, top_out = int(np.iinfo(x.dtype).max), int(np.iinfo(kind).max)
    if top_in > top_out:
        x = x // np.asarray((top_in + 1) // (top_out + 1), x.dtype)
        return _clipped(x, kind) if saturate else x.astype(kind)
    x = _clipped(x, kind) if saturate else x.astype(kind)
    return x * np.asarray((top_out + 1) // (top_in + 1), kind)


def converted(x, kind, saturate):
    """Convert pixels: integers span their dtype's range, floats [0, 1]."""
    kind = np.dtype(kind)
    is_int, to_int = jnp.issubdtype(x.dtype, jnp.integer), jnp.issubdtype(kind, jnp.integer)
    if x.dtype == kind:
        return x
    if is_int and to_int:
        return _between_integers(x, kind, saturate)
    if to_int:
        scaled = x * jnp.asarray(int(np.iinfo(kind).max) + 0.5, np.float64).astype(x.dtype)
        return _clipped(scaled, kind) if saturate else scaled.astype(kind)
    if is_int:
        return x.astype(kind) * np.asarray(1.0 / int(np.iinfo(x.dtype).max), kind)
    return x.astype(kind)


@op
def _convert(image, *, dtype, saturate):
    return converted(image, dtype.np, saturate)


def convert_image_dtype(image, dtype, saturate=False, name=None):
    """Convert images to a dtype; integers span the range of theirs, floats `[0, 1]`.

    Args:
        image: A Tensor.
        dtype: An integer or float dtype.
        saturate: Whether values out of range are clipped; else they wrap around.
        name: Accepted, unused.

    Returns:
        A Tensor of the same shape.

    Example:
        >>> tf.image.convert_image_dtype([0.0, 1.0], tf.uint8).numpy()
        array([  0, 255], dtype=uint8)
    """
    dtype = as_dtype(dtype)
    if dtype.is_floating and is_rare_size(image, ("convert", dtype)):
        return from_host(converted(np.asarray(image), dtype.np, False))
    return _convert(image, dtype=dtype, saturate=bool(saturate))


def as_float(change):
    """Make a function of float images one of images of any dtype, by converting there and back."""

    def run(x, *args, **kwargs):
        small = x.dtype in (np.float16, np.float32)
        result = change(x if small else converted(x, np.float32, False), *args, **kwargs)
        return converted(result, x.dtype, True)

    run.__name__ = change.__name__
    run.__doc__ = change.__doc__
    return run


# --- color spaces ---------------------------------------------------------------------------------


def require_rgb(x, name="images"):
    """Return `x`, whose last axis must hold three channels."""
    if not x.ndim or (isinstance(x.shape[-1], int) and x.shape[-1] != 3):
        raise ValueError(
            f"`{name}` must have 3 channels; got shape {x.shape}.\n"
            "  Fix: tf.image.grayscale_to_rgb, or images[..., :3]."
        )
    return x


def _real_rgb(images):
    """Return images, which must be float and RGB: integers would lose all fractions."""
    return require_rgb(checks.inexact(images, "images"))


def to_hsv(x):
    red, green, blue = x[..., 0], x[..., 1], x[..., 2]
    value, low = jnp.max(x, -1), jnp.min(x, -1)
    spread = value - low
    saturation = jnp.where(value > 0, spread / jnp.where(value > 0, value, 1), 0)
    unit = 1 / (6 * jnp.where(spread > 0, spread, 1))
    hue = jnp.where(
        red == value,
        unit * (green - blue),
        jnp.where(green == value, unit * (blue - red) + 2 / 6, unit * (red - green) + 4 / 6),
    )
    hue = jnp.where(spread > 0, hue, 0)
    return jnp.stack([jnp.where(hue < 0, hue + 1, hue), saturation, value], -1)


def to_rgb(x):
    hue, saturation, value = x[..., 0], x[..., 1], x[..., 2]
    chroma = saturation * value
    ramp = hue * 6
    red = jnp.clip(jnp.abs(ramp - 3) - 1, 0, 1)
    green = jnp.clip(2 - jnp.abs(ramp - 2), 0, 1)
    blue = jnp.clip(2 - jnp.abs(ramp - 4), 0, 1)
    low = value - chroma
    return jnp.stack([channel * chroma + low for channel in (red, green, blue)], -1)


@op
def rgb_to_hsv(images):
    """Convert RGB to hue, saturation and value, all in `[0, 1]`.

    Args:
        images: A float Tensor `(…, 3)` in `[0, 1]`.

    Returns:
        A Tensor of the same shape and dtype.

    Raises:
        InvalidArgumentError: `images` is not float, or has not 3 channels.

    Example:
        >>> tf.image.rgb_to_hsv([[0.0, 1.0, 0.0]]).numpy().round(2)
        array([[0.33, 1.  , 1.  ]], dtype=float32)
    """
    return to_hsv(_real_rgb(images))


@op
def hsv_to_rgb(images):
    """Convert hue, saturation and value to RGB, all in `[0, 1]`.

    Args:
        images: A float Tensor `(…, 3)` in `[0, 1]`.

    Returns:
        A Tensor of the same shape and dtype.

    Raises:
        InvalidArgumentError: `images` is not float, or has not 3 channels.

    Example:
        >>> tf.image.hsv_to_rgb([[0.0, 1.0, 0.5]]).numpy()
        array([[0.5, 0. , 0. ]], dtype=float32)
    """
    return to_rgb(_real_rgb(images))


_GRAY = np.array([[0.2989], [0.587], [0.114]])
_YIQ = np.array(
    [
        [0.299, 0.59590059, 0.2115],
        [0.587, -0.27455667, -0.52273617],
        [0.114, -0.32134392, 0.31119955],
    ]
)
_FROM_YIQ = np.array(
    [
        [1, 1, 1],
        [0.95598634, -0.27201283, -1.10674021],
        [0.6208248, -0.64720424, 1.70423049],
    ]
)
_YUV = np.array(
    [
        [0.299, -0.14714119, 0.61497538],
        [0.587, -0.28886916, -0.51496512],
        [0.114, 0.43601035, -0.10001026],
    ]
)
_FROM_YUV = np.array(
    [
        [1, 1, 1],
        [0, -0.394642334, 2.03206185],
        [1.13988303, -0.58062185, 0],
    ]
)


def _mixed_channels(x, matrix):
    return jnp.matmul(x, matrix.astype(x.dtype), precision=lax.Precision.HIGHEST)


@op
def rgb_to_grayscale(images):
    """Convert RGB to one channel of luminance.

    Args:
        images: A Tensor `(…, 3)`.

    Returns:
        A Tensor `(…, 1)` of the same dtype.

    Example:
        >>> tf.image.rgb_to_grayscale([[[1.0, 1.0, 1.0]]]).shape
        TensorShape([1, 1, 1])
    """
    small = images.dtype in (np.float16, np.float32)
    x = images if small else converted(images, np.float32, False)
    return converted(_mixed_channels(x, _GRAY), images.dtype, False)


@op
def grayscale_to_rgb(images):
    """Repeat the only channel three times.

    Args:
        images: A Tensor `(…, 1)`.

    Returns:
        A Tensor `(…, 3)` of the same dtype.

    Raises:
        ValueError: the last axis has another size than 1.

    Example:
        >>> tf.image.grayscale_to_rgb([[[0.5]]]).numpy()
        array([[[0.5, 0.5, 0.5]]], dtype=float32)
    """
    if not images.ndim or (isinstance(images.shape[-1], int) and images.shape[-1] != 1):
        raise ValueError(
            f"`images` must have 1 channel; got shape {images.shape}.\n"
            "  Fix: images[..., :1], or leave RGB as it is."
        )
    return jnp.concatenate([images] * 3, -1)


@op
def rgb_to_yiq(images):
    """Convert RGB to YIQ, the color space of NTSC.

    Args:
        images: A float Tensor `(…, 3)` in `[0, 1]`.

    Returns:
        A Tensor of the same shape and dtype.

    Raises:
        InvalidArgumentError: `images` is not float, or has not 3 channels.

    Example:
        >>> tf.image.rgb_to_yiq([[[1.0, 1.0, 1.0]]]).numpy().round(2)[0, 0, 0]
        np.float32(1.0)
    """
    return _mixed_channels(_real_rgb(images), _YIQ)


@op
def yiq_to_rgb(images):
    """Convert YIQ to RGB.

    Args:
        images: A float Tensor `(…, 3)`.

    Returns:
        A Tensor of the same shape and dtype.

    Raises:
        InvalidArgumentError: `images` is not float, or has not 3 channels.

    Example:
        >>> tf.image.yiq_to_rgb([[[1.0, 0.0, 0.0]]]).numpy()
        array([[[1., 1., 1.]]], dtype=float32)
    """
    return _mixed_channels(_real_rgb(images), _FROM_YIQ)


@op
def rgb_to_yuv(images):
    """Convert RGB to YUV, the color space of PAL.

    Args:
        images: A float Tensor `(…, 3)` in `[0, 1]`.

    Returns:
        A Tensor of the same shape and dtype.

    Raises:
        InvalidArgumentError: `images` is not float, or has not 3 channels.

    Example:
        >>> tf.image.rgb_to_yuv([[[1.0, 1.0, 1.0]]]).numpy().round(2)[0, 0, 0]
        np.float32(1.0)
    """
    return _mixed_channels(_real_rgb(images), _YUV)


@op
def yuv_to_rgb(images):
    """Convert YUV to RGB.

    Args:
        images: A float Tensor `(…, 3)`.

    Returns:
        A Tensor of the same shape and dtype.

    Raises:
        InvalidArgumentError: `images` is not float, or has not 3 channels.

    Example:
        >>> tf.image.yuv_to_rgb([[[1.0, 0.0, 0.0]]]).numpy()
        array([[[1., 1., 1.]]], dtype=float32)
    """
    return _mixed_channels(_real_rgb(images), _FROM_YUV)
