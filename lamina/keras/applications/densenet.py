"""DenseNet: each layer sees the outputs of all before it in its block.

Reference: Huang et al. 2016, https://arxiv.org/abs/1608.06993, table 1.

Example:
    >>> model = tf.keras.applications.DenseNet121(
    ...     include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg"
    ... )
    >>> model.output_shape
    (None, 1024)
"""

import functools
from typing import Any

from lamina.keras import layers
from lamina.keras.applications.frame import Frame, Published, channel_axis
from lamina.keras.applications.imagenet_utils import decode_predictions
from lamina.keras.applications.imagenet_utils import torch_input as preprocess_input
from lamina.keras.applications.member import member
from lamina.keras.applications.resnet import activated

__all__ = [
    "DenseNet121",
    "DenseNet169",
    "DenseNet201",
    "decode_predictions",
    "preprocess_input",
]

_GROWTH = 32  # channels that each layer adds


def _conv(x: Any, filters: int, size: int, name: str, **options: Any) -> Any:
    return layers.Conv2D(filters, size, use_bias=False, name=f"{name}_conv", **options)(x)


def _dense_layer(x: Any, name: str) -> Any:
    """Return `x` with `_GROWTH` channels more."""
    y = _conv(activated(x, f"{name}_0"), 4 * _GROWTH, 1, f"{name}_1")
    y = _conv(activated(y, f"{name}_1"), _GROWTH, 3, f"{name}_2", padding="same")
    return layers.Concatenate(axis=channel_axis(), name=f"{name}_concat")([x, y])


def _transition(x: Any, name: str) -> Any:
    """Return `x` with half the channels and half the size."""
    x = activated(x, name)
    x = _conv(x, x.shape[channel_axis()] // 2, 1, name)
    return layers.AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)


def _densenet(frame: Frame, depths: tuple[int, ...]) -> Any:
    x = layers.ZeroPadding2D(3)(frame.x)
    x = activated(_conv(x, 64, 7, "conv1", strides=2), "conv1")
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(layers.ZeroPadding2D(1)(x))
    for stage, depth in enumerate(depths, 2):
        for i in range(1, depth + 1):
            x = _dense_layer(x, f"conv{stage}_block{i}")
        if stage <= len(depths):
            x = _transition(x, f"pool{stage}")
    x = layers.BatchNormalization(axis=channel_axis(), epsilon=1.001e-5, name="bn")(x)
    return frame.ended(layers.Activation("relu", name="relu")(x))


def _member(title: str, depths: tuple[int, ...]):
    name = title.lower()
    return member(
        title,
        name,
        functools.partial(_densenet, depths=depths),
        Published("densenet", f"{name}_weights_tf_dim_ordering_tf_kernels"),
        size=224,
        reference="Huang et al. 2016, https://arxiv.org/abs/1608.06993",
        pixels="from `densenet.preprocess_input`: standardised by ImageNet's statistics",
    )


DenseNet121 = _member("DenseNet121", (6, 12, 24, 16))
DenseNet169 = _member("DenseNet169", (6, 12, 32, 32))
DenseNet201 = _member("DenseNet201", (6, 12, 48, 32))
