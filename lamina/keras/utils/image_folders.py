"""image_dataset_from_directory: image files of a folder as a data set."""

from typing import Any

import numpy as np

from lamina.engine import TensorSpec, convert_to_tensor
from lamina.keras import policy
from lamina.keras.utils.directories import Folder, as_datasets, read_labelled
from lamina.keras.utils.images import img_to_array, load_img
from lamina.ops import image as image_ops

__all__ = ["image_dataset_from_directory", "resize_on_host"]

FORMATS = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}
_METHODS = (
    *("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian"),
    "mitchellcubic",
)


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Any = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: Any = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Return a data set of the images of a folder, with one folder in it for each class.

    Args:
        directory: The folder.
        labels: "inferred" from the folders, None, or a list of ints, in the order of the paths.
        label_mode: "int", "binary" (0.0 or 1.0), "categorical" (one-hot), or None.
        class_names: The folders to take, in the order of their numbers; None takes all, by name.
        color_mode: "grayscale", "rgb" or "rgba".
        batch_size: Images a batch; None gives single images.
        image_size: (height, width) to resize to, or one int.
        shuffle: Whether the order is random, and another one in each pass.
        seed: The seed of the order.
        validation_split: The share held out for validation, in (0, 1).
        subset: "training", "validation", or "both" for a list of the two.
        interpolation: As in `tf.image.resize`.
        follow_links: Whether links to folders are followed.
        crop_to_aspect_ratio: Whether the middle, of the target's shape, is resized.
        pad_to_aspect_ratio: Whether the rest is filled with zeros, instead of distorted.
        data_format: "channels_last" or "channels_first"; None is the default one.
        format: "tf": a `tf.data.Dataset`.
        verbose: Whether to print how many files were found.

    Returns:
        A `tf.data.Dataset` of images, float32 `(B, H, W, C)` (uint8 for "nearest"), or of
        (images, labels). Its `class_names` and `file_paths` are lists.

    Raises:
        ValueError: an argument is wrong, or no image was found.
        ImportError: Pillow is not installed.
    """
    who = "image_dataset_from_directory"
    size = _checked_size(who, image_size)
    _check(who, color_mode, interpolation, format, crop_to_aspect_ratio, pad_to_aspect_ratio)
    folder = Folder(
        *(who, "images", FORMATS, directory, labels, label_mode, class_names, batch_size),
        *(shuffle, seed, validation_split, subset, follow_links, verbose),
    )
    files = read_labelled(folder)
    first = policy.standardize_data_format(data_format) == "channels_first"
    dtype = "uint8" if interpolation == "nearest" else "float32"
    shape = [_CHANNELS[color_mode], *size] if first else [*size, _CHANNELS[color_mode]]

    def load(path: str) -> np.ndarray:
        pixels = img_to_array(load_img(path, color_mode), "channels_last", "uint8")
        if crop_to_aspect_ratio:
            found = resize_on_host(_middle(pixels, size), size, interpolation)
        elif pad_to_aspect_ratio:
            found = _padded(pixels, size, interpolation)
        else:
            found = resize_on_host(pixels, size, interpolation)
        return found.transpose(2, 0, 1) if first else found

    return as_datasets(folder, files, load, TensorSpec(shape, dtype))


def _checked_size(who: str, size: Any) -> tuple[int, int]:
    if isinstance(size, int):
        return size, size
    if not isinstance(size, list | tuple) or len(size) != 2:
        raise ValueError(f"{who}: `image_size` must be (height, width) or an int; got {size!r}.")
    return int(size[0]), int(size[1])


def _check(
    who: str, color_mode: str, interpolation: str, format: str, crop: bool, pad: bool
) -> None:
    choices = (
        ("color_mode", color_mode, tuple(_CHANNELS)),
        ("interpolation", interpolation, _METHODS),
        ("format", format, ("tf",)),
    )
    for name, value, allowed in choices:
        if value not in allowed:
            raise ValueError(f"{who}: `{name}` must be one of {allowed}; got {value!r}.")
    if crop and pad:
        raise ValueError(
            f"{who}: only one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio` can be True."
        )


# ---- resizing with NumPy: files have many sizes, and each would be compiled ----------------------


def resize_on_host(pixels: np.ndarray, size: tuple[int, int], method: str) -> np.ndarray:
    """Return an image `(H, W, C)` resized as by `tf.image.resize`.

    Args:
        pixels: The image.
        size: (height, width).
        method: "bilinear" and "nearest" run in NumPy, the others as ops.

    Returns:
        float32; the dtype of `pixels` for "nearest".
    """
    if method == "nearest":
        rows, columns = (_nearest(n, m) for n, m in zip(pixels.shape, size, strict=False))
        return pixels[rows][:, columns]
    if method != "bilinear":
        return image_ops.resize(convert_to_tensor(pixels), size, method=method).numpy()
    found = pixels.astype("float32")
    if found.shape[:2] == size:
        return found
    low, high, share = _between(found.shape[0], size[0])
    found = found[low] + (found[high] - found[low]) * share[:, None, None]
    low, high, share = _between(found.shape[1], size[1])
    left = found[:, low]
    return left + (found[:, high] - left) * share[None, :, None]


def _nearest(source: int, target: int) -> np.ndarray:
    centers = (np.arange(target, dtype="float32") + 0.5) * np.float32(source / target)
    return np.minimum(np.floor(centers).astype(int), source - 1)


def _between(source: int, target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the pixels below and above each target pixel's center, and the share of the upper."""
    place = (np.arange(target, dtype="float32") + 0.5) * np.float32(source / target) - 0.5
    low = np.floor(place)
    share = (place - low).astype("float32")
    return (
        np.maximum(low, 0).astype(int),
        np.minimum(np.ceil(place), source - 1).astype(int),
        share,
    )


def _middle(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    height, width = pixels.shape[:2]
    crop_h = max(min(height, int(float(width * size[0]) / size[1])), 1)
    crop_w = max(min(width, int(float(height * size[1]) / size[0])), 1)
    top, left = int((height - crop_h) / 2), int((width - crop_w) / 2)
    return pixels[top : top + crop_h, left : left + crop_w]


def _padded(pixels: np.ndarray, size: tuple[int, int], method: str) -> np.ndarray:
    height, width = pixels.shape[:2]
    ratio = max(width / size[1], height / size[0])
    wanted = (height / ratio, width / ratio)
    inner = (max(int(wanted[0]), 1), max(int(wanted[1]), 1))
    # The borders go by the sizes before rounding, as in tf.image.resize_with_pad.
    top, left = (max(int((n - m) / 2), 0) for n, m in zip(size, wanted, strict=True))
    resized = resize_on_host(pixels, inner, method)
    found = np.zeros((*size, pixels.shape[2]), resized.dtype)
    found[top : top + resized.shape[0], left : left + resized.shape[1]] = resized
    return found
