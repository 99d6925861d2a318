"""Inception-ResNet V2: Inception's branches, scaled down and added to their input.

Reference: Szegedy et al. 2016, https://arxiv.org/abs/1602.07261, fig. 15.

Example:
    >>> model = tf.keras.applications.InceptionResNetV2(
    ...     include_top=False, weights=None, input_shape=(75, 75, 3), pooling="avg"
    ... )
    >>> model.output_shape
    (None, 1536)
"""

from typing import Any

from lamina.keras import layers, registry
from lamina.keras.applications.frame import Frame, Published, channel_axis
from lamina.keras.applications.imagenet_utils import decode_predictions
from lamina.keras.applications.imagenet_utils import tf_input as preprocess_input
from lamina.keras.applications.inception_v3 import (
    branch,
    conv_bn,
    halving,
    joined,
    shrunk,
    smoothed,
    started,
)
from lamina.keras.applications.member import member
from lamina.keras.core import Layer

__all__ = ["InceptionResNetV2", "decode_predictions", "preprocess_input"]

# Where each block's branches start, by the size of the maps at 299x299: steps of (filters, kernel).
_BRANCHES: dict[str, Any] = {
    "block35": (
        ((32, 1),),
        ((32, 1), (32, 3)),
        ((32, 1), (48, 3), (64, 3)),
    ),
    "block17": (
        ((192, 1),),
        ((128, 1), (160, (1, 7)), (192, (7, 1))),
    ),
    "block8": (
        ((192, 1),),
        ((192, 1), (224, (1, 3)), (256, (3, 1))),
    ),
}


@registry.builtin("keras.src.applications.inception_resnet_v2")
class CustomScaleLayer(Layer):
    """Add the second input to the first: ``a + scale * b``.

    Args:
        scale: The factor.
        **kwargs: See `Layer`.

    Call:
        inputs: The list `[a, b]`, of one shape.
    """

    def __init__(self, scale: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs: Any) -> Any:
        return inputs[0] + inputs[1] * self.scale


def _block(x: Any, scale: float, kind: str, index: int, activation: str | None = "relu") -> Any:
    """Return `relu(x + scale * project(branches(x)))`."""
    name = f"{kind}_{index}"
    mixed = joined([branch(x, *steps) for steps in _BRANCHES[kind]], f"{name}_mixed")
    channels = x.shape[channel_axis()]
    up = layers.Conv2D(channels, 1, padding="same", name=f"{name}_conv")(mixed)
    x = CustomScaleLayer(scale)([x, up])
    return x if activation is None else layers.Activation(activation, name=f"{name}_ac")(x)


def _inception_resnet(frame: Frame) -> Any:
    x = started(frame.x)
    branches = [
        branch(x, (96, 1)),
        branch(x, (48, 1), (64, 5)),
        branch(x, (64, 1), (96, 3), (96, 3)),
        smoothed(x, 64),
    ]
    x = joined(branches, "mixed_5b")
    for i in range(1, 11):
        x = _block(x, 0.17, "block35", i)
    branches = [halving(x, (384, 3)), halving(x, (256, 1), (256, 3), (384, 3)), shrunk(x)]
    x = joined(branches, "mixed_6a")
    for i in range(1, 21):
        x = _block(x, 0.1, "block17", i)
    branches = [
        halving(x, (256, 1), (384, 3)),
        halving(x, (256, 1), (288, 3)),
        halving(x, (256, 1), (288, 3), (320, 3)),
        shrunk(x),
    ]
    x = joined(branches, "mixed_7a")
    for i in range(1, 10):
        x = _block(x, 0.2, "block8", i)
    x = _block(x, 1.0, "block8", 10, activation=None)
    x = conv_bn(x, 1536, 1, name="conv_7b")
    return frame.ended(x, names=(None, None))


InceptionResNetV2 = member(
    "InceptionResNetV2",
    "inception_resnet_v2",
    _inception_resnet,
    Published("inception_resnet_v2", "inception_resnet_v2_weights_tf_dim_ordering_tf_kernels"),
    size=299,
    smallest=75,
    reference="Szegedy et al. 2016, https://arxiv.org/abs/1602.07261",
    pixels="in [-1, 1], as `inception_resnet_v2.preprocess_input` gives them",
)
