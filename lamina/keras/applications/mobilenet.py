"""MobileNet: depthwise and pointwise convolutions in turn, with a width multiplier.

Reference: Howard et al. 2017, https://arxiv.org/abs/1704.04861, table 1.

Example:
    >>> model = tf.keras.applications.MobileNet(
    ...     include_top=False, weights=None, input_shape=(32, 32, 3), alpha=0.25
    ... )
    >>> model.output_shape
    (None, 1, 1, 256)
"""

from typing import Any

from lamina.keras import layers
from lamina.keras.applications.frame import Frame, Published, channel_axis, square_size
from lamina.keras.applications.imagenet_utils import decode_predictions
from lamina.keras.applications.imagenet_utils import tf_input as preprocess_input
from lamina.keras.applications.member import documented
from lamina.keras.models import Model

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]

# Filters and stride of each pair of a depthwise and a pointwise convolution.
_PAIRS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (1024, 2),
    (1024, 1),
)
_SIZES = (128, 160, 192, 224)
_ALPHAS = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0", 0.25: "2_5"}


def default_size(shape: Any, known: tuple[int, ...]) -> int:
    """Return the size of a square image if weights are published for it, else 224."""
    size = square_size(shape)
    return size if size in known else 224


def check_choice(who: str, name: str, value: Any, known: Any) -> None:
    """Raise if weights are published for other values of an argument."""
    if value not in known:
        raise ValueError(
            f"{who}: `{name}` must be one of {tuple(known)} with weights='imagenet'; got {value!r}."
        )


def _relu6(x: Any, name: str) -> Any:
    axis = -1 if channel_axis() == 3 else 1
    x = layers.BatchNormalization(axis=axis, name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)


def _pair(x: Any, filters: int, depth_multiplier: int, stride: int, index: int) -> Any:
    depthwise, pointwise = f"conv_dw_{index}", f"conv_pw_{index}"
    if stride == 2:
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{index}")(x)
    x = layers.DepthwiseConv2D(
        3,
        strides=stride,
        padding="same" if stride == 1 else "valid",
        depth_multiplier=depth_multiplier,
        use_bias=False,
        name=depthwise,
    )(x)
    x = _relu6(x, depthwise)
    x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=pointwise)(x)
    return _relu6(x, pointwise)


def _body(x: Any, alpha: float, depth_multiplier: int) -> Any:
    x = layers.Conv2D(int(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="conv1")(
        x
    )
    x = _relu6(x, "conv1")
    for i, (filters, stride) in enumerate(_PAIRS, 1):
        x = _pair(x, int(filters * alpha), depth_multiplier, stride, i)
    return x


def _head(frame: Frame, x: Any, dropout: float) -> Any:
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Conv2D(frame.classes, 1, padding="same", name="conv_preds")(x)
    x = layers.Reshape((frame.classes,), name="reshape_2")(x)
    return layers.Activation(frame.classifier_activation, name="predictions")(x)


def _mobilenet(
    input_shape: Any = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Model:
    """Return MobileNet, made for images of 224x224."""
    if weights == "imagenet":
        check_choice("MobileNet", "depth_multiplier", depth_multiplier, (1,))
        check_choice("MobileNet", "alpha", alpha, _ALPHAS)
    frame = Frame(
        "MobileNet",
        default_size(input_shape, _SIZES),
        lambda frame: Published(
            "mobilenet", f"mobilenet_{_ALPHAS[alpha]}_{frame.size}_tf", "_no_top"
        ),
        include_top=include_top,
        weights=weights,
        input_tensor=input_tensor,
        input_shape=input_shape,
        pooling=pooling,
        classes=classes,
        classifier_activation=classifier_activation,
        published_sizes=_SIZES,
    )
    x = _body(frame.x, alpha, depth_multiplier)
    x = _head(frame, x, dropout) if include_top else frame.pooled(x, (None, None))
    return frame.model(x, name or f"mobilenet_{alpha:0.2f}_{frame.size}")


MobileNet = documented(
    _mobilenet,
    "MobileNet",
    "Howard et al. 2017, https://arxiv.org/abs/1704.04861",
    "in [-1, 1], as `mobilenet.preprocess_input` gives them",
)
