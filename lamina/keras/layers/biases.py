"""How layers with a kernel end: bias and activation.

A bias is added where Keras adds it: on TensorFlow, not always along the axis it belongs to.
"""

from typing import Any

from lamina import ops
from lamina.engine import Tensor

__all__ = ["activated", "add_bias"]


def add_bias(y: Tensor, bias: Any) -> Tensor:
    """Return ``y + bias``, and for a bias along one inner axis what Keras makes of it.

    Keras 3 on TensorFlow takes an addend with one size above 1 for a bias of the channels. If
    that size is also the last of `y`, it is added along the last axis, wherever it stood.

    Args:
        y: What a layer computed.
        bias: Broadcasts with `y`: ``(F, 1, 1)`` belongs to the third axis from the end.
    """
    sizes = [size for size in bias.shape if size != 1]
    along_last = len(sizes) == 1 and bias.shape[-1] == 1 and y.shape[-1] == sizes[0]
    return ops.add(y, ops.reshape(bias, [-1]) if along_last else bias)


def activated(layer: Any, y: Tensor) -> Tensor:
    """Return the layer's activation of `y`, or `y` where it has none."""
    return y if layer.activation is None else layer.activation(y)
