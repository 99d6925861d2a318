"""ResNet: bottleneck blocks whose output is added to their input.

Reference: He et al. 2015, https://arxiv.org/abs/1512.03385, table 1.

Example:
    >>> model = tf.keras.applications.ResNet50(
    ...     include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg"
    ... )
    >>> model.output_shape
    (None, 2048)
"""

import functools
from typing import Any

from lamina.keras import layers
from lamina.keras.applications.frame import Frame, Published, channel_axis
from lamina.keras.applications.imagenet_utils import caffe_input as preprocess_input
from lamina.keras.applications.imagenet_utils import decode_predictions
from lamina.keras.applications.member import member

__all__ = [
    "ResNet50",
    "ResNet101",
    "ResNet152",
    "decode_predictions",
    "preprocess_input",
]


def normalized(x: Any, name: str) -> Any:
    """Return `x` after batch normalization."""
    return layers.BatchNormalization(axis=channel_axis(), epsilon=1.001e-5, name=f"{name}_bn")(x)


def activated(x: Any, name: str) -> Any:
    """Return `x` after batch normalization and a ReLU."""
    return layers.Activation("relu", name=f"{name}_relu")(normalized(x, name))


def started(x: Any, bare: bool = False) -> Any:
    """Return the first convolution and pooling, which quarter the image.

    Args:
        x: The images.
        bare: Whether normalization and ReLU are left to the blocks.
    """
    x = layers.ZeroPadding2D(3, name="conv1_pad")(x)
    x = layers.Conv2D(64, 7, strides=2, name="conv1_conv")(x)
    x = x if bare else activated(x, "conv1")
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    return layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)


def _block(x: Any, filters: int, stride: int, name: str, widen: bool) -> Any:
    """Return `relu(shortcut + bottleneck(x))`; the first block of a stage projects the shortcut."""
    shortcut = x
    if widen:
        shortcut = layers.Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(x)
        shortcut = normalized(shortcut, f"{name}_0")
    x = activated(layers.Conv2D(filters, 1, strides=stride, name=f"{name}_1_conv")(x), f"{name}_1")
    x = layers.Conv2D(filters, 3, padding="same", name=f"{name}_2_conv")(x)
    x = activated(x, f"{name}_2")
    x = normalized(layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x), f"{name}_3")
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    return layers.Activation("relu", name=f"{name}_out")(x)


def _resnet(frame: Frame, depths: tuple[int, ...]) -> Any:
    x = started(frame.x)
    for stage, depth in enumerate(depths):
        for i in range(depth):
            stride = 2 if stage > 0 and i == 0 else 1
            x = _block(x, 64 << stage, stride, f"conv{stage + 2}_block{i + 1}", widen=i == 0)
    return frame.ended(x)


def _member(title: str, depths: tuple[int, ...]):
    name = title.lower()
    return member(
        title,
        name,
        functools.partial(_resnet, depths=depths),
        Published("resnet", f"{name}_weights_tf_dim_ordering_tf_kernels"),
        size=224,
        reference="He et al. 2015, https://arxiv.org/abs/1512.03385",
        pixels="from `resnet.preprocess_input`: blue, green, red, less their mean",
    )


ResNet50 = _member("ResNet50", (3, 4, 6, 3))
ResNet101 = _member("ResNet101", (3, 4, 23, 3))
ResNet152 = _member("ResNet152", (3, 8, 36, 3))
