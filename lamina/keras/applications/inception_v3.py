"""Inception V3: parallel branches of factorised convolutions, joined by their channels.

Reference: Szegedy et al. 2015, https://arxiv.org/abs/1512.00567, table 1.

Example:
    >>> model = tf.keras.applications.InceptionV3(
    ...     include_top=False, weights=None, input_shape=(75, 75, 3), pooling="avg"
    ... )
    >>> model.output_shape
    (None, 2048)
"""

from collections.abc import Sequence
from typing import Any

from lamina.keras import layers
from lamina.keras.applications.frame import Frame, Published, channel_axis
from lamina.keras.applications.imagenet_utils import decode_predictions
from lamina.keras.applications.imagenet_utils import tf_input as preprocess_input
from lamina.keras.applications.member import member

__all__ = ["InceptionV3", "decode_predictions", "preprocess_input"]

# One convolution: filters, kernel.
_Step = tuple[int, int | tuple[int, int]]


def conv_bn(
    x: Any, filters: int, size: Any, strides: int = 1, padding: str = "same", name: Any = None
) -> Any:
    """Return `relu(norm(conv(x)))`.

    Args:
        x: The feature maps.
        filters: The number of channels.
        size: The kernel's size.
        strides: The stride.
        padding: "same" or "valid".
        name: The convolution's name; None takes automatic names for all three layers.
    """
    conv = layers.Conv2D(filters, size, strides, padding, use_bias=False, name=name)
    norm = layers.BatchNormalization(axis=channel_axis(), scale=False, name=name and f"{name}_bn")
    return layers.Activation("relu", name=name and f"{name}_ac")(norm(conv(x)))


def branch(x: Any, *steps: _Step) -> Any:
    """Return `x` after convolutions of (filters, kernel)."""
    for filters, size in steps:
        x = conv_bn(x, filters, size)
    return x


def halving(x: Any, *steps: _Step) -> Any:
    """Return `x` after convolutions of (filters, kernel); the last has stride 2."""
    filters, size = steps[-1]
    return conv_bn(branch(x, *steps[:-1]), filters, size, 2, "valid")


def shrunk(x: Any) -> Any:
    """Return the maxima of 3x3 at each second pixel."""
    return layers.MaxPooling2D(3, strides=2)(x)


def smoothed(x: Any, filters: int) -> Any:
    """Return the means of 3x3, projected."""
    return conv_bn(layers.AveragePooling2D(3, strides=1, padding="same")(x), filters, 1)


def joined(branches: Sequence[Any], name: str | None = None) -> Any:
    """Return branches side by side along the channels."""
    return layers.Concatenate(axis=channel_axis(), name=name)(list(branches))


def started(x: Any) -> Any:
    """Return the layers before the first branches, which Inception-ResNet shares."""
    x = conv_bn(x, 32, 3, 2, "valid")
    x = conv_bn(x, 32, 3, 1, "valid")
    x = shrunk(conv_bn(x, 64, 3))
    x = conv_bn(x, 80, 1, 1, "valid")
    return shrunk(conv_bn(x, 192, 3, 1, "valid"))


def _mixed_35(x: Any, pool: int, name: str) -> Any:
    branches = [
        branch(x, (64, 1)),
        branch(x, (48, 1), (64, 5)),
        branch(x, (64, 1), (96, 3), (96, 3)),
        smoothed(x, pool),
    ]
    return joined(branches, name)


def _mixed_17(x: Any, width: int, name: str) -> Any:
    """Join branches whose 7x7 convolutions are factorised into 1x7 and 7x1."""
    row, column = (1, 7), (7, 1)
    branches = [
        branch(x, (192, 1)),
        branch(x, (width, 1), (width, row), (192, column)),
        branch(x, (width, 1), (width, column), (width, row), (width, column), (192, row)),
        smoothed(x, 192),
    ]
    return joined(branches, name)


def _mixed_8(x: Any, index: int) -> Any:
    """Join branches that split into 1x3 and 3x1 at their ends."""
    narrow = branch(x, (320, 1))
    middle = branch(x, (384, 1))
    middle = joined([branch(middle, (384, k)) for k in ((1, 3), (3, 1))], f"mixed9_{index}")
    double = branch(x, (448, 1), (384, 3))
    double = joined([branch(double, (384, k)) for k in ((1, 3), (3, 1))])
    return joined([narrow, middle, double, smoothed(x, 192)], f"mixed{9 + index}")


def _inception(frame: Frame) -> Any:
    x = started(frame.x)
    for i, pool in enumerate((32, 64, 64)):
        x = _mixed_35(x, pool, f"mixed{i}")
    branches = [halving(x, (384, 3)), halving(x, (64, 1), (96, 3), (96, 3)), shrunk(x)]
    x = joined(branches, "mixed3")
    for i, width in enumerate((128, 160, 160, 192), 4):
        x = _mixed_17(x, width, f"mixed{i}")
    branches = [
        halving(x, (192, 1), (320, 3)),
        halving(x, (192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3)),
        shrunk(x),
    ]
    x = joined(branches, "mixed8")
    for i in range(2):
        x = _mixed_8(x, i)
    return frame.ended(x, names=(None, None))


InceptionV3 = member(
    "InceptionV3",
    "inception_v3",
    _inception,
    Published("inception_v3", "inception_v3_weights_tf_dim_ordering_tf_kernels"),
    size=299,
    smallest=75,
    reference="Szegedy et al. 2015, https://arxiv.org/abs/1512.00567",
    pixels="in [-1, 1], as `inception_v3.preprocess_input` gives them",
)
