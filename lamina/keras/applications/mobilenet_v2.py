"""MobileNet V2: inverted residual blocks with linear bottlenecks.

Reference: Sandler et al. 2018, https://arxiv.org/abs/1801.04381, table 2.

Example:
    >>> model = tf.keras.applications.MobileNetV2(
    ...     include_top=False, weights=None, input_shape=(32, 32, 3), alpha=0.35
    ... )
    >>> model.output_shape
    (None, 1, 1, 1280)
"""

from typing import Any

from lamina.keras import layers
from lamina.keras.applications.frame import Frame, Published, channel_axis, even_padding, rounded
from lamina.keras.applications.imagenet_utils import decode_predictions
from lamina.keras.applications.imagenet_utils import tf_input as preprocess_input
from lamina.keras.applications.member import documented
from lamina.keras.applications.mobilenet import check_choice, default_size
from lamina.keras.core import KerasTensor
from lamina.keras.models import Model

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

# Expansion, filters, blocks, and stride of the first one.
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
_SIZES = (96, 128, 160, 192, 224)
_ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
_STEM = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels"


def _normalized(x: Any, name: str) -> Any:
    axis = -1 if channel_axis() == 3 else 1
    return layers.BatchNormalization(axis=axis, momentum=0.999, name=name)(x)


def _relu6(x: Any, name: str) -> Any:
    return layers.ReLU(6.0, name=f"{name}_relu")(_normalized(x, f"{name}_BN"))


def _pointwise(x: Any, filters: int, name: str) -> Any:
    return layers.Conv2D(filters, 1, padding="same", use_bias=False, name=name)(x)


def _block(x: Any, expansion: int, filters: int, stride: int, name: str) -> Any:
    start, channels = x, x.shape[channel_axis()]
    if expansion > 1:
        x = _relu6(_pointwise(x, expansion * channels, f"{name}_expand"), f"{name}_expand")
    if stride == 2:
        x = layers.ZeroPadding2D(even_padding(x, 3), name=f"{name}_pad")(x)
    x = layers.DepthwiseConv2D(
        3,
        strides=stride,
        padding="same" if stride == 1 else "valid",
        use_bias=False,
        name=f"{name}_depthwise",
    )(x)
    x = _pointwise(_relu6(x, f"{name}_depthwise"), filters, f"{name}_project")
    x = _normalized(x, f"{name}_project_BN")
    if channels == filters and stride == 1:
        x = layers.Add(name=f"{name}_add")([start, x])
    return x


def _body(x: Any, alpha: float) -> Any:
    x = layers.Conv2D(
        rounded(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="Conv1"
    )(x)
    x = layers.ReLU(6.0, name="Conv1_relu")(_normalized(x, "bn_Conv1"))
    index = 0
    for expansion, filters, blocks, stride in _STAGES:
        for i in range(blocks):
            name = f"block_{index}" if index else "expanded_conv"
            width = rounded(int(filters * alpha))
            x = _block(x, expansion, width, stride if i == 0 else 1, name)
            index += 1
    last = rounded(1280 * alpha) if alpha > 1.0 else 1280
    x = layers.Conv2D(last, 1, use_bias=False, name="Conv_1")(x)
    return layers.ReLU(6.0, name="out_relu")(_normalized(x, "Conv_1_bn"))


def _mobilenet(
    input_shape: Any = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:
    """Return MobileNet V2, made for images of 224x224."""
    if weights == "imagenet":
        check_choice("MobileNetV2", "alpha", alpha, _ALPHAS)
    given = input_shape
    if given is None and isinstance(input_tensor, KerasTensor):
        given = tuple(input_tensor.shape)[1:]
    frame = Frame(
        "MobileNetV2",
        default_size(given, _SIZES),
        lambda frame: Published("mobilenet_v2", f"{_STEM}_{float(alpha)}_{frame.size}", "_no_top"),
        include_top=include_top,
        weights=weights,
        input_tensor=input_tensor,
        input_shape=input_shape,
        pooling=pooling,
        classes=classes,
        classifier_activation=classifier_activation,
        published_sizes=_SIZES,
    )
    x = _body(frame.x, alpha)
    if include_top:
        x = frame.classified(layers.GlobalAveragePooling2D()(x))
    else:
        x = frame.pooled(x, (None, None))
    return frame.model(x, name or f"mobilenetv2_{alpha:0.2f}_{frame.size}")


MobileNetV2 = documented(
    _mobilenet,
    "MobileNetV2",
    "Sandler et al. 2018, https://arxiv.org/abs/1801.04381",
    "in [-1, 1], as `mobilenet_v2.preprocess_input` gives them",
)
