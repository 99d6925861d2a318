"""What the families share: checks of the arguments, the input, the head and the weights."""

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lamina.keras import activations, layers, utils
from lamina.keras.core import Input, KerasTensor
from lamina.keras.models import Model
from lamina.keras.policy import image_data_format
from lamina.keras.saving.files import MissingFileError
from lamina.keras.utils.files import DownloadError, cache_folder

__all__ = [
    "Frame",
    "Published",
    "channel_axis",
    "even_padding",
    "published_file",
    "rounded",
    "square_size",
]

_CLASSES = 1000  # of ImageNet
_CHANNELS = 3
_SERVER = "https://storage.googleapis.com/tensorflow/keras-applications"

_Shape = Sequence[int | None]


def channel_axis() -> int:
    """Return the axis of the channels in a batch of images."""
    return 3 if image_data_format() == "channels_last" else 1


def rounded(channels: float, least: float = 0.9) -> int:
    """Return a number of channels as a multiple of 8: the nearest one.

    Args:
        channels: The number.
        least: The fraction of it that the result may not fall below; then it is the next multiple.
    """
    found = max(8, int(channels + 4) // 8 * 8)
    return found if found >= least * channels else found + 8


def even_padding(x: Any, size: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the padding before a "valid" convolution of stride 2 that keeps the grid centred.

    Args:
        x: The images.
        size: The kernel's size.

    Returns:
        ((top, bottom), (left, right)).
    """
    start = 1 if channel_axis() == 3 else 2
    half = size // 2
    first, second = (1 if n is None else 1 - n % 2 for n in tuple(x.shape)[start : start + 2])
    # Keras looks at the rows alone to see whether the size is known.
    second = first if x.shape[start] is None else second
    return (half - first, half), (half - second, half)


def published_file(name: str, who: str, source: str) -> Path:
    """Return a file of the cache, `$KERAS_HOME/models` or `~/.keras/models`; fetch it if need be.

    Args:
        name: The file's name.
        who: Who asks, for the message.
        source: Where the file is published.

    Raises:
        MissingFileError: it is not there, and cannot be fetched; a FileNotFoundError and a
            ValueError.
    """
    path = cache_folder() / "models" / name
    if path.exists():
        return path
    try:
        # As the attribute of the public module: a program may have put its own there.
        return Path(utils.get_file(name, source, cache_subdir="models"))
    except DownloadError as error:
        raise MissingFileError(
            f"{who}: the published file {name!r} was expected in {str(path.parent)!r}; it is not "
            f"there, and {source} could not be fetched.\n"
            f"  Fix: download {source} and save it as {str(path)!r}."
        ) from error


@dataclass(frozen=True)
class Published:
    """The files of weights that were trained on ImageNet.

    Attributes:
        folder: The family's folder on the server.
        stem: The name of the file for the whole model, without its ending.
        headless: What the name of the file without the classifier adds.
        remote: `stem` and `headless` as they are on the server, where they differ.
        server: The server.
    """

    folder: str
    stem: str
    headless: str = "_notop"
    remote: tuple[str, str] | None = None
    server: str = _SERVER

    def file(self, include_top: bool, who: str) -> Path:
        """Return the path of the file with or without the classifier; fetch it if need be."""
        stem, headless = self.remote or (self.stem, self.headless)
        source = f"{self.server}/{self.folder}/{stem}{'' if include_top else headless}.h5"
        name = f"{self.stem}{'' if include_top else self.headless}.h5"
        return published_file(name, who, source)


class Frame:
    """A model on its way: the checked arguments, the input, and at the end head and weights.

    Args:
        who: The function, for messages.
        size: The height and width that the family was made for; None leaves them free.
        published: The files for `weights="imagenet"`, or what gives them for the frame.
        include_top: Whether the classifier is part of the model.
        weights: None, "imagenet", or the path of a file.
        input_tensor: A KerasTensor to start from, or None.
        input_shape: The shape of an image, or None.
        pooling: None, "avg" or "max".
        classes: How many classes there are.
        classifier_activation: The activation of the classifier.
        smallest: The least height and width.
        fixed: Whether the default size is taken without the classifier, too.
        published_sizes: The sizes of images that weights are published for, if several.

    Attributes:
        x: The KerasTensor to build on.
        shape: The shape of an image.
        size: The size of images in the names of the model and its file.
    """

    def __init__(
        self,
        who: str,
        size: int | None,
        published: "Published | Callable[[Frame], Published]",
        *,
        include_top: bool,
        weights: Any,
        input_tensor: Any,
        input_shape: Any,
        pooling: str | None,
        classes: int,
        classifier_activation: Any,
        smallest: int = 32,
        fixed: bool = False,
        published_sizes: tuple[int, ...] = (),
    ) -> None:
        self.who = who
        self.include_top = include_top
        self.weights = weights
        self.pooling = pooling
        self.classes = classes
        self.classifier_activation = classifier_activation
        self._check()
        self.shape = self._image_shape(input_shape, size, smallest, fixed or include_top)
        self.size = self._named_size(published_sizes)
        self.file = weights
        if self.pretrained:
            files = published if isinstance(published, Published) else published(self)
            self.file = files.file(include_top, who)
        self.x = Input(shape=self.shape) if input_tensor is None else self._given(input_tensor)

    @property
    def pretrained(self) -> bool:
        """Whether the weights are the published ones."""
        return isinstance(self.weights, str) and self.weights == "imagenet"

    @property
    def channels(self) -> int | None:
        """The number of channels of an image."""
        return self.shape[channel_axis() - 1]

    def _check(self) -> None:
        pretrained = self.pretrained
        if not (self.weights is None or pretrained or os.path.exists(self.weights)):
            raise ValueError(
                f"{self.who}: `weights` must be None, 'imagenet' or the path of a file; got "
                f"{self.weights!r}, where there is no file."
            )
        if pretrained and self.include_top and self.classes != _CLASSES:
            raise ValueError(
                f"{self.who}: `classes` must be {_CLASSES} with weights='imagenet' and the "
                f"classifier; got {self.classes}.\n"
                f"  Fix: include_top=False, and a classifier of your own on top."
            )
        allowed = (activations.get("softmax"), activations.get(None))
        if self.include_top and self.weights is not None:
            activation = activations.get(self.classifier_activation)
            if activation not in allowed:
                raise ValueError(
                    f"{self.who}: `classifier_activation` must be 'softmax' or None with given "
                    f"weights; got {self.classifier_activation!r}."
                )

    def _image_shape(
        self, given: Any, size: int | None, smallest: int, required: bool
    ) -> tuple[int | None, ...]:
        """Return the shape of an image, after comparing what was given with the rules."""
        pretrained = self.pretrained
        place = channel_axis() - 1
        if not given:
            return _shape_of(size if required else None, _CHANNELS)
        shape = tuple(given)
        if len(shape) != 3:
            raise ValueError(f"{self.who}: `input_shape` must hold three sizes; got {shape}.")
        default = _shape_of(size, _CHANNELS)
        if pretrained and required and size is not None and shape != default:
            raise ValueError(
                f"{self.who}: `input_shape` must be {default} with weights='imagenet' and the "
                f"classifier; got {shape}.\n  Fix: leave it out, or include_top=False."
            )
        channels = shape[place]
        if pretrained and channels != _CHANNELS:
            raise ValueError(
                f"{self.who}: images with {_CHANNELS} channels were expected with "
                f"weights='imagenet'; got `input_shape` {shape}."
            )
        if channels not in (1, _CHANNELS) and size is not None:
            warnings.warn(
                f"{self.who}: images with 1 or 3 channels were expected; got `input_shape` "
                f"{shape}.",
                stacklevel=5,
            )
        grid = [n for i, n in enumerate(shape) if i != place]
        if any(n is not None and n < smallest for n in grid):
            raise ValueError(
                f"{self.who}: images of at least {smallest}x{smallest} were expected; got "
                f"`input_shape` {shape}."
            )
        if required and size is not None and None in shape:
            raise ValueError(
                f"{self.who}: `input_shape` must be known with include_top=True; got {shape}.\n"
                f"  Fix: give all sizes, or include_top=False."
            )
        return shape

    def _named_size(self, published: tuple[int, ...]) -> int | None:
        size = square_size(self.shape)
        if not self.pretrained or not published:
            return self.shape[0 if channel_axis() == 3 else 1]
        if size in published:
            return size
        warnings.warn(
            f"{self.who}: weights are published for square images of {published}; those for "
            f"{published[-1]}x{published[-1]} are loaded.",
            stacklevel=5,
        )
        return published[-1]

    def _given(self, tensor: Any) -> KerasTensor:
        if not isinstance(tensor, KerasTensor):
            raise ValueError(
                f"{self.who}: `input_tensor` must be a KerasTensor, from tf.keras.Input or a "
                f"layer called on one; got {tensor!r} ({type(tensor).__name__}).\n"
                f"  Fix: call the finished model on the data."
            )
        return tensor

    def pooled(
        self, x: Any, names: tuple[str | None, str | None] = ("avg_pool", "max_pool")
    ) -> Any:
        """Return the end of a model without classifier: `x`, pooled if `pooling` says so.

        Args:
            x: The last feature maps.
            names: The names of the average and the maximum layer; None gives automatic ones.
        """
        if self.pooling == "avg":
            return layers.GlobalAveragePooling2D(name=names[0])(x)
        if self.pooling == "max":
            return layers.GlobalMaxPooling2D(name=names[1])(x)
        return x

    def classified(self, x: Any, **options: Any) -> Any:
        """Return the probabilities of the classes for a batch of vectors."""
        options = {"name": "predictions"} | options
        return layers.Dense(self.classes, activation=self.classifier_activation, **options)(x)

    def ended(self, x: Any, **options: Any) -> Any:
        """Return the usual end: mean over the image and classifier, or what `pooling` says."""
        if not self.include_top:
            return self.pooled(x, **options)
        return self.classified(layers.GlobalAveragePooling2D(name="avg_pool")(x))

    def model(self, output: Any, name: str | None) -> Model:
        """Return the model, with its weights loaded."""
        made = Model(_sources(self.x), output, name=name)
        if self.weights is not None:
            made.load_weights(self.file)
        return made


def square_size(shape: Any) -> int | None:
    """Return the height and width of a square image, or None: unknown, or not square."""
    if not shape or len(shape) != 3:
        return None
    rows, columns = shape[:2] if channel_axis() == 3 else shape[1:]
    return rows if rows == columns else None


def _shape_of(size: int | None, channels: int) -> tuple[int | None, ...]:
    return (size, size, channels) if channel_axis() == 3 else (channels, size, size)


def _sources(tensor: KerasTensor) -> Any:
    """Return the inputs that a KerasTensor was computed from: one, or a list."""
    found: dict[int, KerasTensor] = {}
    seen: set[int] = set()
    waiting = [tensor]
    while waiting:
        node = waiting.pop().node
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.is_input:
            found.update({id(t): t for t in node.outputs})
        waiting.extend(reversed(node.parents))
    sources = list(found.values())
    return sources[0] if len(sources) == 1 else sources
