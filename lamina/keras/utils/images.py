"""Images: between files, Pillow images and arrays. Pillow is an optional package."""

import io
import os
import pathlib
import warnings
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import Tensor, convert_to_tensor
from lamina.keras import policy
from lamina.ops import image as image_ops

__all__ = ["array_to_img", "img_to_array", "load_img", "pillow", "save_img", "smart_resize"]

_FILTERS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
_COLORS = ("grayscale", "rgb", "rgba")


def pillow(who: str) -> Any:
    """Return Pillow's `PIL.Image`.

    Args:
        who: The function that needs it, for the message.

    Raises:
        ImportError: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise ImportError(
            f"{who}: it needs Pillow, which is not installed.\n  Fix: pip install pillow"
        ) from None
    return Image


def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None):
    """Return an array as a Pillow image.

    Args:
        x: An array of shape `(H, W, C)` or `(C, H, W)`; C is 1, 3 or 4.
        data_format: "channels_last" or "channels_first"; None is the default one.
        scale: Whether the values are moved and scaled to 0 … 255.
        dtype: The dtype to compute in; None is floatx.

    Returns:
        A `PIL.Image.Image` of mode L, I (values over 255), RGB or RGBA.

    Raises:
        ValueError: another rank or number of channels.
        ImportError: Pillow is not installed.

    Example:
        >>> tf.keras.utils.array_to_img(np.zeros([4, 6, 3])).size
        (6, 4)
    """
    image = pillow("array_to_img")
    pixels = np.array(x, dtype=policy.standardize_dtype(dtype or policy.floatx()))
    if pixels.ndim != 3:
        raise ValueError(
            f"array_to_img: `x` must be one image, of rank 3; got shape {pixels.shape}.\n"
            f"  Fix: take one of a batch: x[0]."
        )
    if policy.standardize_data_format(data_format) == "channels_first":
        pixels = pixels.transpose(1, 2, 0)
    if scale:
        pixels = pixels - pixels.min()
        highest = pixels.max()
        pixels = pixels / (highest if highest != 0 else 1) * 255
    channels = pixels.shape[2]
    if channels in (3, 4):
        return image.fromarray(pixels.astype("uint8"))
    if channels == 1:
        plane = pixels[:, :, 0]
        return image.fromarray(plane.astype("int32" if plane.max() > 255 else "uint8"))
    raise ValueError(
        f"array_to_img: `x` must have 1, 3 or 4 channels; got {channels}.\n"
        f"  Fix: check `data_format`."
    )


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """Return a Pillow image as an array.

    Args:
        img: The image.
        data_format: "channels_last" or "channels_first"; None is the default one.
        dtype: The dtype; None is floatx.

    Returns:
        An array of shape `(H, W, C)` or `(C, H, W)`.

    Raises:
        ValueError: the image has another rank than 2 or 3.

    Example:
        >>> tf.keras.utils.img_to_array(tf.keras.utils.array_to_img(np.ones([2, 3, 1]))).shape
        (2, 3, 1)
    """
    first = policy.standardize_data_format(data_format) == "channels_first"
    pixels = np.array(img, dtype=policy.standardize_dtype(dtype or policy.floatx()))
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.ndim != 3:
        raise ValueError(f"img_to_array: `img` must have rank 2 or 3; got shape {pixels.shape}.")
    return pixels.transpose(2, 0, 1) if first else pixels


def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Save an array as an image file.

    Args:
        path: A path, or an open binary file.
        x: An array, as for `array_to_img`.
        data_format: "channels_last" or "channels_first"; None is the default one.
        file_format: Such as "png"; None goes by the ending of `path`.
        scale: Whether the values are moved and scaled to 0 … 255.
        **kwargs: Passed to Pillow's `Image.save`.
    """
    if file_format is None and isinstance(path, str | pathlib.Path):
        file_format = pathlib.Path(path).suffix[1:].lower()
    if file_format and file_format.lower() == "jpg":
        file_format = "jpeg"
    img = array_to_img(x, data_format=data_format, scale=scale)
    if img.mode == "RGBA" and file_format == "jpeg":
        warnings.warn("save_img: JPEG has no alpha channel; it is left out.", stacklevel=2)
        img = img.convert("RGB")
    img.save(path, format=file_format, **kwargs)


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """Return an image file as a Pillow image.

    Args:
        path: A path, or an `io.BytesIO`.
        color_mode: "grayscale", "rgb" or "rgba".
        target_size: (height, width) to resize to, or None.
        interpolation: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos".
        keep_aspect_ratio: Whether the middle of the image, of the target's shape, is resized.

    Returns:
        A `PIL.Image.Image`.

    Raises:
        TypeError: `path` is something else.
        ValueError: an unknown color mode or interpolation.
        ImportError: Pillow is not installed.

    Example:
        >>> path = getfixture("tmp_path") / "gray.png"
        >>> tf.keras.utils.save_img(path, np.zeros([4, 6, 1]))
        >>> tf.keras.utils.load_img(path, target_size=(2, 2)).size
        (2, 2)
    """
    image = pillow("load_img")
    if color_mode not in _COLORS:
        raise ValueError(f"load_img: `color_mode` must be one of {_COLORS}; got {color_mode!r}.")
    img = _with_color(_opened(image, path), color_mode)
    if target_size is None or img.size == (target_size[1], target_size[0]):
        return img
    if interpolation not in _FILTERS:
        raise ValueError(
            f"load_img: `interpolation` must be one of {_FILTERS}; got {interpolation!r}."
        )
    size = (target_size[1], target_size[0])
    method = image.Resampling[interpolation.upper()]
    box = _middle(img.size, size) if keep_aspect_ratio else None
    return img.resize(size, method, box=box)


def _opened(image: Any, path: Any) -> Any:
    if isinstance(path, io.BytesIO):
        return image.open(path)
    if not isinstance(path, str | bytes | os.PathLike):
        raise TypeError(
            f"load_img: `path` must be a path or an io.BytesIO; got {type(path).__name__}."
        )
    with open(path, "rb") as file:
        return image.open(io.BytesIO(file.read()))


def _with_color(img: Any, color_mode: str) -> Any:
    if color_mode == "grayscale":  # wider gray images stay as they are
        return img if img.mode in ("L", "I;16", "I") else img.convert("L")
    mode = color_mode.upper()
    return img if img.mode == mode else img.convert(mode)


def _middle(size: tuple[int, int], target: tuple[int, int]) -> list[int]:
    """Return the box (left, top, right, bottom) of the middle with the target's shape."""
    width, height = size
    crop_w = min(width, height * target[0] // target[1])
    crop_h = min(height, width * target[1] // target[0])
    left, top = (width - crop_w) // 2, (height - crop_h) // 2
    return [left, top, left + crop_w, top + crop_h]


def smart_resize(
    x: Any,
    size: Any,
    interpolation: str = "bilinear",
    data_format: str = "channels_last",
    **kwargs: Any,
) -> Any:
    """Resize images without distortion: the middle, of the target's shape, is cut out first.

    Args:
        x: `(H, W, C)` or `(B, H, W, C)`, an array or a Tensor.
        size: (height, width) of the result.
        interpolation: As in `tf.image.resize`: "bilinear", "nearest", "bicubic", "lanczos3", ….
        data_format: "channels_last" or "channels_first".
        **kwargs: None are known.

    Returns:
        `(h, w, C)` or `(B, h, w, C)`, float32; an array for an array.

    Raises:
        ValueError: `size` is no pair, or `x` has another rank.

    Example:
        >>> tf.keras.preprocessing.image.smart_resize(np.ones([4, 8, 3]), (2, 2)).shape
        (2, 2, 3)
    """
    kwargs.pop("backend_module", None)
    if kwargs:
        raise TypeError(f"smart_resize: it does not take {sorted(kwargs)}.")
    if len(size) != 2:
        raise ValueError(f"smart_resize: `size` must be (height, width); got {size!r}.")
    images = convert_to_tensor(x)
    rank = len(images.shape)
    if rank not in (3, 4):
        raise ValueError(
            f"smart_resize: `x` must be (height, width, channels) or a batch of such; got shape "
            f"{images.shape}."
        )
    first = data_format == "channels_first"
    if first:
        images = ops.transpose(images, [*range(rank - 3), rank - 2, rank - 1, rank - 3])
    resized = image_ops.resize(_cropped(images, size), size, method=interpolation)
    if first:
        resized = ops.transpose(resized, [*range(rank - 3), rank - 1, rank - 3, rank - 2])
    return resized if isinstance(x, Tensor) else resized.numpy()


def _cropped(images: Tensor, size: Any) -> Tensor:
    height, width = images.shape[-3], images.shape[-2]
    if height is None or width is None:
        raise ValueError(
            f"smart_resize: height and width must be known; got shape {images.shape}.\n"
            f"  Fix: resize before batching, or set the shape."
        )
    crop_h = max(min(height, int(float(width * size[0]) / size[1])), 1)
    crop_w = max(min(width, int(float(height * size[1]) / size[0])), 1)
    top, left = int(float(height - crop_h) / 2), int(float(width - crop_w) / 2)
    return images[..., top : top + crop_h, left : left + crop_w, :]
