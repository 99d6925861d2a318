"""ConvNeXt: a ResNet redesigned after vision transformers.

Reference: Liu et al. 2022, https://arxiv.org/abs/2201.03545, table 9.

Example:
    >>> model = tf.keras.applications.ConvNeXtTiny(
    ...     include_top=False, weights=None, input_shape=(32, 32, 3)
    ... )
    >>> model.output_shape
    (None, 1, 1, 768)
"""

from typing import Any

from lamina.keras import layers, registry
from lamina.keras.applications.frame import Frame, Published
from lamina.keras.applications.imagenet_utils import DEVIATION, MEAN, decode_predictions
from lamina.keras.applications.imagenet_utils import same_input as preprocess_input
from lamina.keras.applications.member import documented
from lamina.keras.core import Layer
from lamina.keras.initializers import Constant
from lamina.keras.models import Model, Sequential

__all__ = [
    "ConvNeXtBase",
    "ConvNeXtLarge",
    "ConvNeXtSmall",
    "ConvNeXtTiny",
    "ConvNeXtXLarge",
    "decode_predictions",
    "preprocess_input",
]

_SIZE = 224
_EPSILON = 1e-6


@registry.builtin("keras.src.applications.convnext")
class LayerScale(Layer):
    """Multiply each channel by a learned factor.

    Args:
        init_values: The factors at the start.
        projection_dim: The number of channels, C.
        **kwargs: See `Layer`.

    Call:
        inputs: float, ``(..., C)``.

    Weights:
        gamma: ``(C,)``.

    Reference: Touvron et al. 2021, https://arxiv.org/abs/2103.17239, eq. 4.
    """

    def __init__(self, init_values: float, projection_dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.init_values = init_values
        self.projection_dim = projection_dim

    def build(self, input_shape: Any) -> None:
        self.gamma = self.add_weight(
            shape=(self.projection_dim,), initializer=Constant(self.init_values)
        )

    def call(self, inputs: Any) -> Any:
        return inputs * self.gamma


def _norm(name: str | None = None) -> Layer:
    return layers.LayerNormalization(epsilon=_EPSILON, name=name)


def _stem(name: str, width: int) -> Sequential:
    """Return the layers that cut the image into patches of 4x4."""
    conv = layers.Conv2D(width, 4, strides=4, name=f"{name}_stem_conv")
    return Sequential([conv, _norm(f"{name}_stem_layernorm")], name=f"{name}_stem")


def _downsampling(name: str, width: int, index: int) -> Sequential:
    """Return the layers that halve the image before a stage."""
    start = f"{name}_downsampling"
    conv = layers.Conv2D(width, 2, strides=2, name=f"{start}_conv_{index}")
    return Sequential([_norm(f"{start}_layernorm_{index}"), conv], name=f"{start}_block_{index}")


def _block(x: Any, width: int, name: str) -> Any:
    """Return `x + scale(mlp(norm(conv(x))))`, where the convolution is depthwise, 7x7."""
    y = layers.Conv2D(width, 7, padding="same", groups=width, name=f"{name}_depthwise_conv")(x)
    y = _norm(f"{name}_layernorm")(y)
    y = layers.Dense(4 * width, name=f"{name}_pointwise_conv_1")(y)
    y = layers.Activation("gelu", name=f"{name}_gelu")(y)
    y = layers.Dense(width, name=f"{name}_pointwise_conv_2")(y)
    y = LayerScale(1e-6, width, name=f"{name}_layer_scale")(y)
    # Where training with stochastic depth would drop `y`.
    y = layers.Activation("linear", name=f"{name}_identity")(y)
    return x + y


def _preprocessed(frame: Frame, name: str) -> Any:
    if frame.channels != 3:
        return frame.x
    norm = layers.Normalization(
        mean=[m * 255 for m in MEAN],
        variance=[(d * 255) ** 2 for d in DEVIATION],
        name=f"{name}_prestem_normalization",
    )
    return norm(frame.x)


def _convnext(
    frame: Frame, depths: tuple[int, ...], width: int, name: str, preprocess: bool
) -> Any:
    x = _preprocessed(frame, name) if preprocess else frame.x
    x = _stem(name, width)(x)
    for stage, depth in enumerate(depths):
        if stage:
            x = _downsampling(name, width << stage, stage - 1)(x)
        for i in range(depth):
            x = _block(x, width << stage, f"{name}_stage_{stage}_block_{i}")
    if not frame.include_top:
        return _norm()(frame.pooled(x, (None, None)))
    x = layers.GlobalAveragePooling2D(name=f"{name}_head_gap")(x)
    x = _norm(f"{name}_head_layernorm")(x)
    return frame.classified(x, name=f"{name}_head_dense")


def _member(title: str, depths: tuple[int, ...], width: int):
    label = f"convnext_{title.removeprefix('ConvNeXt').lower()}"

    def application(
        include_top: bool = True,
        include_preprocessing: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        name: str | None = label,
    ) -> Model:
        frame = Frame(
            title,
            _SIZE,
            Published("convnext", label),
            include_top=include_top,
            weights=weights,
            input_tensor=input_tensor,
            input_shape=input_shape,
            pooling=pooling,
            classes=classes,
            classifier_activation=classifier_activation,
        )
        x = _convnext(frame, depths, width, str(name), include_preprocessing)
        return frame.model(x, name)

    application.__doc__ = f"Return {title}, made for images of {_SIZE}x{_SIZE}."
    return documented(
        application,
        title,
        "Liu et al. 2022, https://arxiv.org/abs/2201.03545",
        "in [0, 255], or standardised without `include_preprocessing`",
    )


ConvNeXtTiny = _member("ConvNeXtTiny", (3, 3, 9, 3), 96)
ConvNeXtSmall = _member("ConvNeXtSmall", (3, 3, 27, 3), 96)
ConvNeXtBase = _member("ConvNeXtBase", (3, 3, 27, 3), 128)
ConvNeXtLarge = _member("ConvNeXtLarge", (3, 3, 27, 3), 192)
ConvNeXtXLarge = _member("ConvNeXtXLarge", (3, 3, 27, 3), 256)
