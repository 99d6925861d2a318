"""EfficientNet V2: EfficientNet with fused blocks early, smaller and quicker to train.

Reference: Tan and Le 2021, https://arxiv.org/abs/2104.00298, table 4.

Example:
    >>> model = tf.keras.applications.EfficientNetV2B0(
    ...     include_top=False, weights=None, input_shape=(32, 32, 3)
    ... )
    >>> model.output_shape
    (None, 1, 1, 1280)
"""

import dataclasses
import math
from typing import Any

from lamina.keras import layers
from lamina.keras.applications.efficientnet import (
    SQUEEZE,
    SURVIVAL,
    activated,
    added,
    conv,
    depthwise,
    excited,
    headed,
    normalized,
)
from lamina.keras.applications.frame import Frame, Published, channel_axis, rounded
from lamina.keras.applications.imagenet_utils import DEVIATION, MEAN, decode_predictions
from lamina.keras.applications.imagenet_utils import same_input as preprocess_input
from lamina.keras.applications.member import documented
from lamina.keras.initializers import Constant
from lamina.keras.models import Model

__all__ = [
    "EfficientNetV2B0",
    "EfficientNetV2B1",
    "EfficientNetV2B2",
    "EfficientNetV2B3",
    "EfficientNetV2L",
    "EfficientNetV2M",
    "EfficientNetV2S",
    "decode_predictions",
    "preprocess_input",
]

# Blocks, filters, expansion, stride of the first block, fused. Fused blocks have no excitation.
_Stage = tuple[int, int, int, int, bool]
_B: tuple[_Stage, ...] = (
    (1, 16, 1, 1, True),
    (2, 32, 4, 2, True),
    (2, 48, 4, 2, True),
    (3, 96, 4, 2, False),
    (5, 112, 6, 1, False),
    (8, 192, 6, 2, False),
)
_S: tuple[_Stage, ...] = (
    (2, 24, 1, 1, True),
    (4, 48, 4, 2, True),
    (4, 64, 4, 2, True),
    (6, 128, 4, 2, False),
    (9, 160, 6, 1, False),
    (15, 256, 6, 2, False),
)
_M: tuple[_Stage, ...] = (
    (3, 24, 1, 1, True),
    (5, 48, 4, 2, True),
    (5, 80, 4, 2, True),
    (7, 160, 4, 2, False),
    (14, 176, 6, 1, False),
    (18, 304, 6, 2, False),
    (5, 512, 6, 1, False),
)
_L: tuple[_Stage, ...] = (
    (4, 32, 1, 1, True),
    (7, 64, 4, 2, True),
    (7, 96, 4, 2, True),
    (10, 192, 4, 2, False),
    (19, 224, 6, 1, False),
    (25, 384, 6, 2, False),
    (7, 640, 6, 1, False),
)
_MOMENTUM = 0.9
_DROPOUT = 0.2


@dataclasses.dataclass(frozen=True)
class _Kind:
    """One member of the family.

    Attributes:
        stages: The table of blocks.
        first: The filters of the first convolution.
        size: The height and width that it was made for.
        width: The factor on numbers of channels.
        depth: The factor on numbers of blocks.
    """

    stages: tuple[_Stage, ...]
    first: int
    size: int
    width: float = 1.0
    depth: float = 1.0

    def channels(self, number: int) -> int:
        """Return a number of channels of the table, scaled."""
        return rounded(number * self.width, least=0.0)


def _block(
    x: Any, filters: int, expansion: int, stride: int, fused: bool, rate: float, name: str
) -> Any:
    start, channels = x, x.shape[channel_axis()]
    if fused:
        size = 1
        if expansion > 1:
            x = conv(x, channels * expansion, 3, f"{name}expand_conv", stride)
            x = activated(x, f"{name}expand_", _MOMENTUM)
        else:
            size = 3
        x = conv(x, filters, size, f"{name}project_conv", stride if size == 3 else 1)
    else:
        x = conv(x, channels * expansion, 1, f"{name}expand_conv")
        x = activated(x, f"{name}expand_", _MOMENTUM)
        x = activated(depthwise(x, 3, stride, "same", f"{name}dwconv2"), name, _MOMENTUM)
        x = excited(x, max(1, int(channels * SQUEEZE)), name)
        x = conv(x, filters, 1, f"{name}project_conv")
    x = normalized(x, f"{name}project_bn", _MOMENTUM)
    if expansion == 1:
        x = layers.Activation("swish", name=f"{name}project_activation")(x)
    return added(x, start, rate, name) if stride == 1 and channels == filters else x


def _preprocessed(frame: Frame, kind: _Kind) -> Any:
    if kind.stages is not _B or frame.channels != 3:
        return layers.Rescaling(scale=1.0 / 128.0, offset=-1)(frame.x)
    x = layers.Rescaling(scale=1.0 / 255.0)(frame.x)
    variance = [d**2 for d in DEVIATION]
    return layers.Normalization(mean=list(MEAN), variance=variance, axis=channel_axis())(x)


def _efficientnet(frame: Frame, kind: _Kind, preprocess: bool) -> Any:
    x = _preprocessed(frame, kind) if preprocess else frame.x
    x = conv(x, kind.channels(kind.first), 3, "stem_conv", 2)
    x = activated(x, "stem_", _MOMENTUM)
    # As Keras: the rate grows with the blocks that there are, over those before scaling.
    total = sum(blocks for blocks, *_ in kind.stages)
    done = 0
    for stage, (blocks, filters, expansion, stride, fused) in enumerate(kind.stages, 1):
        width = kind.channels(filters)
        for i in range(math.ceil(blocks * kind.depth)):
            name = f"block{stage}{chr(ord('a') + i)}_"
            step = stride if i == 0 else 1
            x = _block(x, width, expansion, step, fused, SURVIVAL * done / total, name)
            done += 1
    x = activated(conv(x, kind.channels(1280), 1, "top_conv"), "top_", _MOMENTUM)
    return headed(frame, x, _DROPOUT, bias_initializer=Constant(0.0))


def _member(title: str, kind: _Kind):
    suffix = title.removeprefix("EfficientNetV2").lower()
    label = f"efficientnetv2-{suffix}"

    def application(
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        include_preprocessing: bool = True,
        name: str | None = label,
    ) -> Model:
        frame = Frame(
            title,
            kind.size,
            Published("efficientnet_v2", label),
            include_top=include_top,
            weights=weights,
            input_tensor=input_tensor,
            input_shape=input_shape,
            pooling=pooling,
            classes=classes,
            classifier_activation=classifier_activation,
        )
        return frame.model(_efficientnet(frame, kind, include_preprocessing), name)

    application.__doc__ = f"Return {title}, made for images of {kind.size}x{kind.size}."
    return documented(
        application,
        title,
        "Tan and Le 2021, https://arxiv.org/abs/2104.00298",
        "in [0, 255], or in [-1, 1] without `include_preprocessing`",
    )


EfficientNetV2B0 = _member("EfficientNetV2B0", _Kind(_B, 32, 224))
EfficientNetV2B1 = _member("EfficientNetV2B1", _Kind(_B, 32, 240, 1.0, 1.1))
EfficientNetV2B2 = _member("EfficientNetV2B2", _Kind(_B, 32, 260, 1.1, 1.2))
EfficientNetV2B3 = _member("EfficientNetV2B3", _Kind(_B, 32, 300, 1.2, 1.4))
EfficientNetV2S = _member("EfficientNetV2S", _Kind(_S, 24, 384))
EfficientNetV2M = _member("EfficientNetV2M", _Kind(_M, 24, 480))
EfficientNetV2L = _member("EfficientNetV2L", _Kind(_L, 32, 480))
