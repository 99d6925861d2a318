"""What writing an image as JPEG and reading it again does to it."""

from typing import Any

import jax
import numpy as np

from lamina.engine import convert_to_tensor, dtypes, errors, host_value, op
from lamina.ops.image.codecs import from_jpeg
from lamina.ops.image.color import convert_image_dtype
from lamina.ops.image.encoders import to_jpeg
from lamina.ops.random import uniform
from lamina.ops.stateless import stateless_uniform

__all__ = ["adjust_jpeg_quality", "random_jpeg_quality", "stateless_random_jpeg_quality"]

_WHO = "tf.image.adjust_jpeg_quality"


def _again(image: Any, quality: Any) -> np.ndarray:
    """Return uint8 pixels `(H, W, C)` as they are after JPEG."""
    pixels = np.asarray(image)
    data = to_jpeg(pixels, _WHO, quality=int(quality), subsampling=2)
    return from_jpeg(data, pixels.shape[-1], _WHO)


@op(mixed=True, differentiable=False, calls_host=True)
def _through_jpeg(image, quality):
    kind = jax.ShapeDtypeStruct(image.shape, np.uint8)
    return jax.pure_callback(_again, kind, image, quality, vmap_method="sequential")


def adjust_jpeg_quality(image, jpeg_quality, dct_method="", name=None):
    """Give an image the marks of JPEG at some quality.

    Args:
        image: `(H, W, C)`, C 1 or 3; uint8 or another dtype, floats in [0, 1].
        jpeg_quality: 0 (coarse) to 100 (fine), an int or a scalar Tensor.
        dct_method: Accepted, unused: the accurate one.
        name: Accepted, unused.

    Returns:
        A Tensor of the shape and dtype of `image`.

    Raises:
        ValueError: `image` has another rank or number of channels, or the quality is out of
            range.
        ImportError: Pillow is not installed.

    Example:
        >>> tf.image.adjust_jpeg_quality(tf.fill((8, 8, 1), tf.constant(100, tf.uint8)), 75)[
        ...     0, 0
        ... ].numpy()
        array([100], dtype=uint8)
    """
    x = convert_to_tensor(image)
    shape = x.shape.as_list()
    if len(shape) != 3 or shape[-1] not in (1, 3):
        raise ValueError(
            f"{_WHO}: `image` must have shape (H, W, 1) or (H, W, 3); got {tuple(shape)}.\n"
            f"  Fix: tf.map_fn for a batch."
        )
    quality = convert_to_tensor(jpeg_quality, dtype_hint=dtypes.int32)
    known = host_value(quality)
    if known is not None and not 0 <= int(known) <= 100:
        raise errors.ArgumentError(
            f"{_WHO}: `jpeg_quality` must lie in [0, 100]; got {int(known)}.\n"
            f"  Fix: pass 75 for a usual picture."
        )
    original = x.dtype
    found = _through_jpeg(convert_image_dtype(x, dtypes.uint8, saturate=True), quality)
    return convert_image_dtype(found, original, saturate=True)


def _checked(low: int, high: int, who: str) -> None:
    if low < 0 or high < 0 or low > 100 or high > 100:
        raise ValueError(
            f"{who}: jpeg encoding range must be between 0 and 100; got {low} and {high}.\n"
            f"  Fix: pass 75 and 95."
        )
    if low >= high:
        raise ValueError(
            f"{who}: `min_jpeg_quality` must be less than `max_jpeg_quality`; got {low} and "
            f"{high}.\n  Fix: swap them, or use tf.image.adjust_jpeg_quality."
        )


def random_jpeg_quality(image, min_jpeg_quality, max_jpeg_quality, seed=None):
    """Give an image the marks of JPEG at a random quality.

    Args:
        image: `(H, W, C)`, C 1 or 3.
        min_jpeg_quality: The lowest quality, 0 to 100.
        max_jpeg_quality: Above the highest quality, up to 100.
        seed: An op-level seed, see `tf.random.set_seed`.

    Returns:
        A Tensor of the shape and dtype of `image`.

    Raises:
        ValueError: the qualities are out of range or out of order.
        ImportError: Pillow is not installed.

    Example:
        >>> tf.image.random_jpeg_quality(tf.zeros((8, 8, 3)), 75, 95).shape
        TensorShape([8, 8, 3])
    """
    _checked(min_jpeg_quality, max_jpeg_quality, "tf.image.random_jpeg_quality")
    quality = uniform((), min_jpeg_quality, max_jpeg_quality, dtypes.int32, seed)
    return adjust_jpeg_quality(image, quality)


def stateless_random_jpeg_quality(image, min_jpeg_quality, max_jpeg_quality, seed):
    """Give an image the marks of JPEG at a quality that follows from a seed.

    Args:
        image: `(H, W, C)`, C 1 or 3.
        min_jpeg_quality: The lowest quality, 0 to 100.
        max_jpeg_quality: Above the highest quality, up to 100.
        seed: Two integers.

    Returns:
        A Tensor of the shape and dtype of `image`.

    Raises:
        ValueError: the qualities are out of range or out of order.
        ImportError: Pillow is not installed.

    Example:
        >>> tf.image.stateless_random_jpeg_quality(tf.zeros((8, 8, 3)), 75, 95, (1, 2)).shape
        TensorShape([8, 8, 3])
    """
    _checked(min_jpeg_quality, max_jpeg_quality, "tf.image.stateless_random_jpeg_quality")
    low, high = min_jpeg_quality, max_jpeg_quality
    quality = stateless_uniform((), seed, low, high, dtypes.int32)
    return adjust_jpeg_quality(image, quality)
