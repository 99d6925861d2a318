"""EfficientNet: one architecture, scaled in width, depth and image size together.

Reference: Tan and Le 2019, https://arxiv.org/abs/1905.11946, table 1.

Example:
    >>> model = tf.keras.applications.EfficientNetB0(
    ...     include_top=False, weights=None, input_shape=(32, 32, 3)
    ... )
    >>> model.output_shape
    (None, 1, 1, 1280)
"""

import functools
import math
from typing import Any

from lamina.keras import layers
from lamina.keras.applications.frame import Frame, Published, channel_axis, even_padding, rounded
from lamina.keras.applications.imagenet_utils import DEVIATION, decode_predictions
from lamina.keras.applications.imagenet_utils import same_input as preprocess_input
from lamina.keras.applications.member import member
from lamina.keras.initializers import VarianceScaling

__all__ = [
    "EfficientNetB0",
    "EfficientNetB1",
    "EfficientNetB2",
    "EfficientNetB3",
    "EfficientNetB4",
    "EfficientNetB5",
    "EfficientNetB6",
    "EfficientNetB7",
    "decode_predictions",
    "preprocess_input",
]

# Kernel, blocks, filters, expansion, stride of the first block.
_STAGES = (
    (3, 1, 16, 1, 1),
    (3, 2, 24, 6, 2),
    (5, 2, 40, 6, 2),
    (3, 3, 80, 6, 2),
    (5, 3, 112, 6, 1),
    (5, 4, 192, 6, 2),
    (3, 1, 320, 6, 1),
)
SQUEEZE = 0.25
SURVIVAL = 0.2  # the drop rate of the last block; it grows from 0 at the first


def conv_initializer() -> VarianceScaling:
    """Return the initializer of the convolutions."""
    return VarianceScaling(scale=2.0, mode="fan_out", distribution="truncated_normal")


def dense_initializer() -> VarianceScaling:
    """Return the initializer of the classifier."""
    return VarianceScaling(scale=1.0 / 3.0, mode="fan_out", distribution="uniform")


def conv(x: Any, filters: int, size: int, name: str, strides: int = 1, **options: Any) -> Any:
    """Return a convolution without bias, "same" unless said otherwise."""
    options = {"padding": "same", "use_bias": False} | options
    return layers.Conv2D(
        filters, size, strides, kernel_initializer=conv_initializer(), name=name, **options
    )(x)


def depthwise(x: Any, size: int, strides: int, padding: str, name: str) -> Any:
    """Return a depthwise convolution without bias."""
    return layers.DepthwiseConv2D(
        size,
        strides=strides,
        padding=padding,
        use_bias=False,
        depthwise_initializer=conv_initializer(),
        name=name,
    )(x)


def normalized(x: Any, name: str, momentum: float = 0.99) -> Any:
    """Return `x` after batch normalization."""
    return layers.BatchNormalization(axis=channel_axis(), momentum=momentum, name=name)(x)


def activated(x: Any, name: str, momentum: float = 0.99) -> Any:
    """Return `x` after batch normalization and swish."""
    x = normalized(x, f"{name}bn", momentum)
    return layers.Activation("swish", name=f"{name}activation")(x)


def excited(x: Any, reduced: int, name: str) -> Any:
    """Return `x` with each channel scaled by what the whole image says (squeeze-and-excitation).

    Args:
        x: The feature maps.
        reduced: The channels of the layer between.
        name: The block's name.
    """
    channels = x.shape[channel_axis()]
    shape = (1, 1, channels) if channel_axis() == 3 else (channels, 1, 1)
    y = layers.GlobalAveragePooling2D(name=f"{name}se_squeeze")(x)
    y = layers.Reshape(shape, name=f"{name}se_reshape")(y)
    y = conv(y, reduced, 1, f"{name}se_reduce", activation="swish", use_bias=True)
    y = conv(y, channels, 1, f"{name}se_expand", activation="sigmoid", use_bias=True)
    return layers.Multiply(name=f"{name}se_excite")([x, y])


def added(x: Any, start: Any, rate: float, name: str) -> Any:
    """Return `x + start`, where training drops `x` of whole images (stochastic depth)."""
    if rate > 0:
        x = layers.Dropout(rate, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
    return layers.Add(name=f"{name}add")([x, start])


def headed(frame: Frame, x: Any, dropout: float, **options: Any) -> Any:
    """Return mean, dropout and classifier, or what `pooling` says."""
    if not frame.include_top:
        return frame.pooled(x)
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    x = layers.Dropout(dropout, name="top_dropout")(x)
    return frame.classified(x, kernel_initializer=dense_initializer(), **options)


def _block(
    x: Any, size: int, filters: int, expansion: int, stride: int, rate: float, name: str
) -> Any:
    start, channels = x, x.shape[channel_axis()]
    if expansion > 1:
        x = conv(x, channels * expansion, 1, f"{name}expand_conv")
        x = activated(x, f"{name}expand_")
    if stride == 2:
        x = layers.ZeroPadding2D(even_padding(x, size), name=f"{name}dwconv_pad")(x)
    x = depthwise(x, size, stride, "same" if stride == 1 else "valid", f"{name}dwconv")
    x = activated(x, name)
    x = excited(x, max(1, int(channels * SQUEEZE)), name)
    x = normalized(conv(x, filters, 1, f"{name}project_conv"), f"{name}project_bn")
    return added(x, start, rate, name) if stride == 1 and channels == filters else x


def _efficientnet(frame: Frame, width: float, depth: float, dropout: float) -> Any:
    x = layers.Rescaling(1.0 / 255.0)(frame.x)
    x = layers.Normalization(axis=channel_axis())(x)
    if frame.pretrained:
        # The published weights divide by the variance, the layer above by the deviation.
        x = layers.Rescaling([1.0 / math.sqrt(d) for d in DEVIATION])(x)
    x = layers.ZeroPadding2D(even_padding(x, 3), name="stem_conv_pad")(x)
    x = conv(x, rounded(32 * width), 3, "stem_conv", 2, padding="valid")
    x = activated(x, "stem_")
    total = sum(math.ceil(blocks * depth) for _, blocks, *_ in _STAGES)
    done = 0
    for stage, (size, blocks, filters, expansion, stride) in enumerate(_STAGES, 1):
        for i in range(math.ceil(blocks * depth)):
            name = f"block{stage}{chr(ord('a') + i)}_"
            step = stride if i == 0 else 1
            rate = SURVIVAL * done / total
            x = _block(x, size, rounded(filters * width), expansion, step, rate, name)
            done += 1
    x = activated(conv(x, rounded(1280 * width), 1, "top_conv"), "top_")
    return headed(frame, x, dropout)


def _member(title: str, width: float, depth: float, size: int, dropout: float):
    name = title.lower()
    return member(
        title,
        name,
        functools.partial(_efficientnet, width=width, depth=depth, dropout=dropout),
        Published("", name, server="https://storage.googleapis.com/keras-applications"),
        size=size,
        reference="Tan and Le 2019, https://arxiv.org/abs/1905.11946",
        pixels="in [0, 255]",
    )


# Factors of width and depth, image size, dropout.
EfficientNetB0 = _member("EfficientNetB0", 1.0, 1.0, 224, 0.2)
EfficientNetB1 = _member("EfficientNetB1", 1.0, 1.1, 240, 0.2)
EfficientNetB2 = _member("EfficientNetB2", 1.1, 1.2, 260, 0.3)
EfficientNetB3 = _member("EfficientNetB3", 1.2, 1.4, 300, 0.3)
EfficientNetB4 = _member("EfficientNetB4", 1.4, 1.8, 380, 0.4)
EfficientNetB5 = _member("EfficientNetB5", 1.6, 2.2, 456, 0.4)
EfficientNetB6 = _member("EfficientNetB6", 1.8, 2.6, 528, 0.5)
EfficientNetB7 = _member("EfficientNetB7", 2.0, 3.1, 600, 0.5)
