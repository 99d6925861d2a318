"""VGG16 and VGG19: five blocks of 3x3 convolutions, and three dense layers.

Reference: Simonyan and Zisserman 2014, https://arxiv.org/abs/1409.1556, table 1.

Example:
    >>> model = tf.keras.applications.VGG16(
    ...     include_top=False, weights=None, input_shape=(32, 32, 3)
    ... )
    >>> model.output_shape
    (None, 1, 1, 512)
"""

import functools
from typing import Any

from lamina.keras import layers
from lamina.keras.applications.frame import Frame, Published
from lamina.keras.applications.imagenet_utils import caffe_input as preprocess_input
from lamina.keras.applications.imagenet_utils import decode_predictions
from lamina.keras.applications.member import member

__all__ = ["VGG16", "VGG19", "decode_predictions", "preprocess_input"]

_FILTERS = (64, 128, 256, 512, 512)


def _vgg(frame: Frame, depths: tuple[int, ...]) -> Any:
    x = frame.x
    for block, (filters, depth) in enumerate(zip(_FILTERS, depths, strict=True), 1):
        for i in range(1, depth + 1):
            name = f"block{block}_conv{i}"
            x = layers.Conv2D(filters, 3, activation="relu", padding="same", name=name)(x)
        x = layers.MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
    if not frame.include_top:
        return frame.pooled(x, names=(None, None))
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(4096, activation="relu", name="fc1")(x)
    x = layers.Dense(4096, activation="relu", name="fc2")(x)
    return frame.classified(x)


def _member(title: str, depths: tuple[int, ...]):
    name = title.lower()
    return member(
        title,
        name,
        functools.partial(_vgg, depths=depths),
        Published(name, f"{name}_weights_tf_dim_ordering_tf_kernels"),
        size=224,
        reference="Simonyan and Zisserman 2014, https://arxiv.org/abs/1409.1556",
        pixels="from `vgg16.preprocess_input`: blue, green, red, less their mean",
    )


VGG16 = _member("VGG16", (2, 2, 3, 3, 3))
VGG19 = _member("VGG19", (2, 2, 4, 4, 4))
