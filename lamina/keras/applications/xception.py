"""Xception: Inception's branches taken to the limit, as depthwise separable convolutions.

Reference: Chollet 2016, https://arxiv.org/abs/1610.02357, fig. 5.

Example:
    >>> model = tf.keras.applications.Xception(
    ...     include_top=False, weights=None, input_shape=(71, 71, 3), pooling="avg"
    ... )
    >>> model.output_shape
    (None, 2048)
"""

from typing import Any

from lamina.keras import layers
from lamina.keras.applications.frame import Frame, Published, channel_axis
from lamina.keras.applications.imagenet_utils import decode_predictions
from lamina.keras.applications.imagenet_utils import tf_input as preprocess_input
from lamina.keras.applications.member import member

__all__ = ["Xception", "decode_predictions", "preprocess_input"]


def _axis() -> int:
    return -1 if channel_axis() == 3 else 1


def _relu(x: Any, name: str) -> Any:
    return layers.Activation("relu", name=f"{name}_act")(x)


def _conv(x: Any, filters: int, strides: int, name: str) -> Any:
    x = layers.Conv2D(filters, 3, strides=strides, use_bias=False, name=name)(x)
    return _relu(layers.BatchNormalization(axis=_axis(), name=f"{name}_bn")(x), name)


def _separable(x: Any, filters: int, name: str) -> Any:
    x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    return layers.BatchNormalization(axis=_axis(), name=f"{name}_bn")(x)


def _halving(x: Any, filters: tuple[int, int], block: int) -> Any:
    """Return two separable convolutions and pooling, plus a projection of `x`."""
    shortcut = layers.Conv2D(filters[1], 1, strides=2, padding="same", use_bias=False)(x)
    shortcut = layers.BatchNormalization(axis=_axis())(shortcut)
    for i, channels in enumerate(filters, 1):
        name = f"block{block}_sepconv{i}"
        # Block 2 follows an activation.
        x = x if block == 2 and i == 1 else _relu(x, name)
        x = _separable(x, channels, name)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"block{block}_pool")(x)
    return layers.Add()([x, shortcut])


def _middle(x: Any, block: int) -> Any:
    shortcut = x
    for i in range(1, 4):
        name = f"block{block}_sepconv{i}"
        x = _separable(_relu(x, name), 728, name)
    return layers.Add()([x, shortcut])


def _xception(frame: Frame) -> Any:
    x = _conv(frame.x, 32, 2, "block1_conv1")
    x = _conv(x, 64, 1, "block1_conv2")
    for block, filters in enumerate((128, 256, 728), 2):
        x = _halving(x, (filters, filters), block)
    for block in range(5, 13):
        x = _middle(x, block)
    x = _halving(x, (728, 1024), 13)
    for i, filters in enumerate((1536, 2048), 1):
        name = f"block14_sepconv{i}"
        x = _relu(_separable(x, filters, name), name)
    return frame.ended(x, names=(None, None))


Xception = member(
    "Xception",
    "xception",
    _xception,
    Published("xception", "xception_weights_tf_dim_ordering_tf_kernels"),
    size=299,
    smallest=71,
    reference="Chollet 2016, https://arxiv.org/abs/1610.02357",
    pixels="in [-1, 1], as `xception.preprocess_input` gives them",
)
