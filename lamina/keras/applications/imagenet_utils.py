"""tf.keras.applications.imagenet_utils: pixels in, names of classes out."""

import functools
import json
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import Tensor
from lamina.keras.applications.frame import published_file
from lamina.keras.policy import floatx, standardize_data_format

__all__ = ["decode_predictions", "preprocess_input"]

# Mean and deviation of the red, green and blue of ImageNet, as fractions of 255.
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
# What Caffe's models subtract: blue, green, red in [0, 255].
_CAFFE_MEAN = (103.939, 116.779, 123.68)
_MODES = ("caffe", "tf", "torch")

_CLASSES = 1000
_INDEX = "imagenet_class_index.json"
_INDEX_SOURCE = f"https://storage.googleapis.com/download.tensorflow.org/data/{_INDEX}"


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Return images as the models of one school expect them.

    Args:
        x: Images of red, green, blue in [0, 255]: an array or a Tensor, ``(H, W, 3)`` or
            ``(B, H, W, 3)``.
        data_format: "channels_last" or "channels_first"; None takes `image_data_format`.
        mode: "caffe" turns to blue, green, red and subtracts ImageNet's mean; "tf" scales to
            [-1, 1]; "torch" scales to [0, 1] and standardises by ImageNet's mean and deviation.

    Returns:
        The same kind and shape; integers become `floatx`.

    Raises:
        ValueError: another `mode` or `data_format`.

    Differs from TF: an array is left as it is; TensorFlow overwrites floating ones.

    Example:
        >>> x = np.array([[[0.0, 127.5, 255.0]]])
        >>> tf.keras.applications.imagenet_utils.preprocess_input(x, mode="tf")
        array([[[-1.,  0.,  1.]]])
    """
    if mode not in _MODES:
        raise ValueError(f"preprocess_input: `mode` must be one of {_MODES}; got {mode!r}.")
    first = standardize_data_format(data_format) == "channels_first"
    pixels = _floating(x)
    if mode == "tf":
        return pixels / 127.5 - 1.0
    rank = len(pixels.shape)
    axis = rank - 3 if first else rank - 1
    if mode == "caffe":
        turned = [slice(None)] * rank
        turned[axis] = slice(None, None, -1)
        return pixels[tuple(turned)] - _along(_CAFFE_MEAN, axis, rank, pixels)
    mean, deviation = (_along(v, axis, rank, pixels) for v in (MEAN, DEVIATION))
    return (pixels / 255.0 - mean) / deviation


def _floating(x: Any) -> Any:
    if isinstance(x, Tensor):
        return x if x.dtype.is_floating else ops.cast(x, floatx())
    array = np.asarray(x)
    return array if np.issubdtype(array.dtype, np.floating) else array.astype(floatx())


def _along(values: Any, axis: int, rank: int, pixels: Any) -> Any:
    """Return one number a channel, in a shape that spreads over the images."""
    shape = [len(values) if i == axis else 1 for i in range(rank)]
    name = pixels.dtype.name if isinstance(pixels, Tensor) else pixels.dtype
    array = np.asarray(values, "float64").reshape(shape)
    return ops.cast(array, name) if isinstance(pixels, Tensor) else array.astype(name)


def caffe_input(x: Any, data_format: str | None = None) -> Any:
    """Return images in blue, green, red, less ImageNet's mean: `preprocess_input` of "caffe"."""
    return preprocess_input(x, data_format, "caffe")


def tf_input(x: Any, data_format: str | None = None) -> Any:
    """Return images scaled from [0, 255] to [-1, 1]: `preprocess_input` of mode "tf"."""
    return preprocess_input(x, data_format, "tf")


def torch_input(x: Any, data_format: str | None = None) -> Any:
    """Return images standardised by ImageNet's statistics: `preprocess_input` of mode "torch"."""
    return preprocess_input(x, data_format, "torch")


def same_input(x: Any, data_format: str | None = None) -> Any:
    """Return the images: the models scale the pixels themselves."""
    return x


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, float]]]:
    """Return the likeliest classes of ImageNet for each image, by name.

    The names are read from `imagenet_class_index.json` in `~/.keras/models`, which is fetched if
    it is not there.

    Args:
        preds: The probabilities, ``(B, 1000)``: an array or a Tensor.
        top: How many classes.

    Returns:
        For each image, the likeliest first: (WordNet id, name, probability).

    Raises:
        ValueError: another shape.
        MissingFileError: the file of names is not in the cache, and cannot be fetched.
    """
    scores = np.asarray(preds.numpy() if isinstance(preds, Tensor) else preds)
    if scores.ndim != 2 or scores.shape[1] != _CLASSES:
        raise ValueError(
            f"decode_predictions: probabilities of shape (B, {_CLASSES}) were expected, for a "
            f"model with ImageNet's classes; got shape {scores.shape}."
        )
    names = _class_names(str(published_file(_INDEX, "decode_predictions", _INDEX_SOURCE)))
    return [[(*names[i], row[i]) for i in row.argsort()[::-1][:top].tolist()] for row in scores]


@functools.cache
def _class_names(path: str) -> list[tuple[str, str]]:
    with open(path, encoding="utf-8") as file:
        index = json.load(file)
    return [tuple(index[str(i)]) for i in range(_CLASSES)]
