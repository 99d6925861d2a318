"""MobileNet V3: blocks found by search, with squeeze-and-excitation and hard swish.

Reference: Howard et al. 2019, https://arxiv.org/abs/1905.02244, tables 1 and 2.

Example:
    >>> model = tf.keras.applications.MobileNetV3Small(
    ...     include_top=False, weights=None, input_shape=(32, 32, 3)
    ... )
    >>> model.output_shape
    (None, 1, 1, 576)
"""

import dataclasses
import warnings
from typing import Any

from lamina.keras import layers
from lamina.keras.applications.frame import (
    Frame,
    Published,
    channel_axis,
    even_padding,
    rounded,
    square_size,
)
from lamina.keras.applications.imagenet_utils import decode_predictions
from lamina.keras.applications.imagenet_utils import same_input as preprocess_input
from lamina.keras.applications.member import documented
from lamina.keras.applications.mobilenet import check_choice
from lamina.keras.core import KerasTensor
from lamina.keras.models import Model

__all__ = ["MobileNetV3Large", "MobileNetV3Small", "decode_predictions", "preprocess_input"]

# Expansion, filters, kernel, stride, squeeze-and-excitation, hard swish.
_Row = tuple[float, int, int, int, bool, bool]
_SMALL: tuple[_Row, ...] = (
    (1, 16, 3, 2, True, False),
    (72 / 16, 24, 3, 2, False, False),
    (88 / 24, 24, 3, 1, False, False),
    (4, 40, 5, 2, True, True),
    (6, 40, 5, 1, True, True),
    (6, 40, 5, 1, True, True),
    (3, 48, 5, 1, True, True),
    (3, 48, 5, 1, True, True),
    (6, 96, 5, 2, True, True),
    (6, 96, 5, 1, True, True),
    (6, 96, 5, 1, True, True),
)
_LARGE: tuple[_Row, ...] = (
    (1, 16, 3, 1, False, False),
    (4, 24, 3, 2, False, False),
    (3, 24, 3, 1, False, False),
    (3, 40, 5, 2, True, False),
    (3, 40, 5, 1, True, False),
    (3, 40, 5, 1, True, False),
    (6, 80, 3, 2, False, True),
    (2.5, 80, 3, 1, False, True),
    (2.3, 80, 3, 1, False, True),
    (2.3, 80, 3, 1, False, True),
    (6, 112, 3, 1, True, True),
    (6, 112, 3, 1, True, True),
    (6, 160, 5, 2, True, True),
    (6, 160, 5, 1, True, True),
    (6, 160, 5, 1, True, True),
)
_SIZE = 224  # weights are published for
_SQUEEZE = 0.25
_REFERENCE = "Howard et al. 2019, https://arxiv.org/abs/1905.02244"
_PIXELS = "in [0, 255], or in [-1, 1] without `include_preprocessing`"


@dataclasses.dataclass(frozen=True)
class _Kind:
    """One of the two architectures.

    Attributes:
        title: The function's name.
        table: The blocks.
        features: The channels before the classifier.
    """

    title: str
    table: tuple[_Row, ...]
    features: int

    @property
    def size(self) -> str:
        """Small or large, as file names have it."""
        return self.title.removeprefix("MobileNetV3").lower()


@dataclasses.dataclass(frozen=True)
class _Style:
    """How the blocks are made.

    Attributes:
        alpha: The width.
        minimalistic: Whether 3x3 kernels and ReLU stand everywhere, without excitation.
    """

    alpha: float
    minimalistic: bool

    def activated(self, x: Any, swish: bool = True) -> Any:
        """Return `x` after hard swish, or after a ReLU."""
        if swish and not self.minimalistic:
            return layers.Activation("hard_swish")(x)
        return layers.ReLU()(x)


def _normalized(x: Any, name: str) -> Any:
    axis = -1 if channel_axis() == 3 else 1
    return layers.BatchNormalization(axis=axis, momentum=0.999, name=name)(x)


def _conv(x: Any, filters: int, name: str, size: int = 1, strides: int = 1) -> Any:
    x = layers.Conv2D(filters, size, strides, padding="same", use_bias=False, name=name)(x)
    return _normalized(x, f"{name}_bn")


def _excited(x: Any, filters: int, name: str) -> Any:
    """Return `x` with each channel scaled by what the whole image says (squeeze-and-excitation)."""
    y = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_avg_pool")(x)
    y = layers.Conv2D(rounded(filters * _SQUEEZE), 1, padding="same", name=f"{name}_conv")(y)
    y = layers.ReLU(name=f"{name}_relu")(y)
    y = layers.Conv2D(filters, 1, padding="same", name=f"{name}_conv_1")(y)
    y = layers.ReLU(6.0)(y + 3.0) * (1.0 / 6.0)  # hard sigmoid
    return layers.Multiply(name=f"{name}_mul")([x, y])


def _block(x: Any, row: _Row, style: _Style, index: int) -> Any:
    expansion, filters, size, stride, excite, swish = row
    size = 3 if style.minimalistic else size
    filters = rounded(filters * style.alpha)
    name = f"expanded_conv_{index}" if index else "expanded_conv"
    start, channels = x, x.shape[channel_axis()]
    if index:
        x = _conv(x, rounded(channels * expansion), f"{name}_expand")
        x = style.activated(x, swish)
    depthwise = f"{name}_depthwise"
    if stride == 2:
        x = layers.ZeroPadding2D(even_padding(x, size), name=f"{depthwise}_pad")(x)
    x = layers.DepthwiseConv2D(
        size,
        strides=stride,
        padding="same" if stride == 1 else "valid",
        use_bias=False,
        name=depthwise,
    )(x)
    x = style.activated(_normalized(x, f"{depthwise}_bn"), swish)
    if excite and not style.minimalistic:
        x = _excited(x, x.shape[channel_axis()], f"{name}_squeeze_excite")
    x = _conv(x, filters, f"{name}_project")
    if stride == 1 and channels == filters:
        x = layers.Add(name=f"{name}_add")([start, x])
    return x


def _body(frame: Frame, kind: _Kind, style: _Style, preprocess: bool) -> Any:
    x = layers.Rescaling(scale=1.0 / 127.5, offset=-1.0)(frame.x) if preprocess else frame.x
    x = style.activated(_conv(x, 16, "conv", size=3, strides=2))
    for i, row in enumerate(kind.table):
        x = _block(x, row, style, i)
    x = _conv(x, rounded(x.shape[channel_axis()] * 6), "conv_1")
    return style.activated(x)


def _head(frame: Frame, x: Any, kind: _Kind, style: _Style, dropout_rate: float) -> Any:
    features = rounded(kind.features * style.alpha) if style.alpha > 1.0 else kind.features
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = style.activated(layers.Conv2D(features, 1, padding="same", name="conv_2")(x))
    if dropout_rate > 0:
        x = layers.Dropout(dropout_rate)(x)
    x = layers.Conv2D(frame.classes, 1, padding="same", name="logits")(x)
    x = layers.Flatten()(x)
    return layers.Activation(frame.classifier_activation, name="predictions")(x)


def _published(frame: Frame, kind: _Kind, style: _Style) -> Published:
    known = (1.0,) if style.minimalistic else (0.75, 1.0)
    check_choice(frame.who, "alpha", style.alpha, known)
    if square_size(frame.shape) != _SIZE:
        warnings.warn(
            f"{frame.who}: weights are published for images of {_SIZE}x{_SIZE}; those are loaded.",
            stacklevel=6,
        )
    middle = "_minimalistic" if style.minimalistic else ""
    stem = f"weights_mobilenet_v3_{kind.size}{middle}_{_SIZE}_{style.alpha}_float"
    return Published("mobilenet_v3", stem, "_no_top_v2")


def _member(kind: _Kind):
    def application(
        input_shape: Any = None,
        alpha: float = 1.0,
        minimalistic: bool = False,
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        classes: int = 1000,
        pooling: str | None = None,
        dropout_rate: float = 0.2,
        classifier_activation: Any = "softmax",
        include_preprocessing: bool = True,
        name: str | None = kind.title,
    ) -> Model:
        style = _Style(alpha, minimalistic)
        if input_shape is None and isinstance(input_tensor, KerasTensor):
            input_shape = tuple(input_tensor.shape)[1:]
        frame = Frame(
            kind.title,
            None,
            lambda frame: _published(frame, kind, style),
            include_top=include_top,
            weights=weights,
            input_tensor=input_tensor,
            input_shape=input_shape,
            pooling=pooling,
            classes=classes,
            classifier_activation=classifier_activation,
        )
        x = _body(frame, kind, style, include_preprocessing)
        x = _head(frame, x, kind, style, dropout_rate) if include_top else frame.pooled(x)
        return frame.model(x, name)

    application.__doc__ = f"Return {kind.title}, made for images of free sizes."
    return documented(application, kind.title, _REFERENCE, _PIXELS)


MobileNetV3Small = _member(_Kind("MobileNetV3Small", _SMALL, 1024))
MobileNetV3Large = _member(_Kind("MobileNetV3Large", _LARGE, 1280))
