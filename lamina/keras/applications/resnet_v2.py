"""ResNet V2: residual blocks that normalize and activate before each convolution.

Reference: He et al. 2016, https://arxiv.org/abs/1603.05027, fig. 4e.

Example:
    >>> model = tf.keras.applications.ResNet50V2(
    ...     include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg"
    ... )
    >>> model.output_shape
    (None, 2048)
"""

import functools
from typing import Any

from lamina.keras import layers
from lamina.keras.applications.frame import Frame, Published
from lamina.keras.applications.imagenet_utils import decode_predictions
from lamina.keras.applications.imagenet_utils import tf_input as preprocess_input
from lamina.keras.applications.member import member
from lamina.keras.applications.resnet import activated, started

__all__ = [
    "ResNet50V2",
    "ResNet101V2",
    "ResNet152V2",
    "decode_predictions",
    "preprocess_input",
]


def _block(x: Any, filters: int, stride: int, name: str, widen: bool) -> Any:
    """Return `shortcut + bottleneck(relu(norm(x)))`; a strided block picks pixels of `x`."""
    before = activated(x, f"{name}_preact")
    if widen:
        shortcut = layers.Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(before)
    else:
        shortcut = layers.MaxPooling2D(1, strides=stride)(x) if stride > 1 else x
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_1_conv")(before)
    x = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(activated(x, f"{name}_1"))
    x = layers.Conv2D(filters, 3, strides=stride, use_bias=False, name=f"{name}_2_conv")(x)
    x = layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(activated(x, f"{name}_2"))
    return layers.Add(name=f"{name}_out")([shortcut, x])


def _resnet(frame: Frame, depths: tuple[int, ...]) -> Any:
    x = started(frame.x, bare=True)
    for stage, depth in enumerate(depths):
        for i in range(depth):
            # The last block of a stage halves the image, but for the last stage.
            stride = 2 if i == depth - 1 and stage < len(depths) - 1 else 1
            x = _block(x, 64 << stage, stride, f"conv{stage + 2}_block{i + 1}", widen=i == 0)
    return frame.ended(activated(x, "post"))


def _member(title: str, depths: tuple[int, ...]):
    name = title.lower()
    return member(
        title,
        name,
        functools.partial(_resnet, depths=depths),
        Published("resnet", f"{name}_weights_tf_dim_ordering_tf_kernels"),
        size=224,
        reference="He et al. 2016, https://arxiv.org/abs/1603.05027",
        pixels="in [-1, 1], as `resnet_v2.preprocess_input` gives them",
    )


ResNet50V2 = _member("ResNet50V2", (3, 4, 6, 3))
ResNet101V2 = _member("ResNet101V2", (3, 4, 23, 3))
ResNet152V2 = _member("ResNet152V2", (3, 8, 36, 3))
