"""tf.keras.ops.nn: activations, convolutions, normalisation, losses, attention."""

from typing import Any

from lamina import ops
from lamina.engine import Tensor, convert_to_tensor
from lamina.keras import activations
from lamina.keras.activations import (
    celu,
    elu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    swish,
    tanh_shrink,
    threshold,
)
from lamina.keras.ops import convolution, losses, normalization
from lamina.keras.ops.convolution import *
from lamina.keras.ops.losses import *
from lamina.keras.ops.normalization import *

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "polar",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh_shrink",
    "threshold",
    *convolution.__all__,
    *losses.__all__,
    *normalization.__all__,
]


def relu(x: Any) -> Tensor:
    """Return ``max(x, 0)``.

    Args:
        x: Real numbers, any shape.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.ops.relu(tf.constant([-1.0, 2.0])).numpy()
        array([0., 2.], dtype=float32)
    """
    return ops.relu(x)


def gelu(x: Any, approximate: bool = True) -> Tensor:
    """Return ``x * P(N(0, 1) <= x)``.

    Args:
        x: Floating point, any shape.
        approximate: Whether tanh stands for the error function, as in the paper.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.ops.gelu(tf.constant([0.0, 1.0])).numpy()
        array([0.      , 0.841192], dtype=float32)

    Reference: Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415.
    """
    return ops.gelu(x, approximate=approximate)


def softmax(x: Any, axis: Any = -1) -> Tensor:
    """Return ``exp(x) / sum(exp(x))``: weights that sum to 1.

    Args:
        x: Floating point, any shape.
        axis: The axis or axes to sum over; None is all.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.ops.softmax(tf.constant([0.0, 0.0])).numpy()
        array([0.5, 0.5], dtype=float32)
    """
    return _over(activations.softmax, convert_to_tensor(x), axis)


def log_softmax(x: Any, axis: Any = -1) -> Tensor:
    """Return ``x - log(sum(exp(x)))``.

    Args:
        x: Floating point, any shape.
        axis: The axis or axes to sum over; None is all.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.ops.log_softmax(tf.constant([0.0, 0.0])).numpy()
        array([-0.6931472, -0.6931472], dtype=float32)
    """
    return _over(activations.log_softmax, x, axis)


def _over(function: Any, x: Any, axis: Any) -> Tensor:
    if axis is not None:
        return function(x, axis)
    x = convert_to_tensor(x)
    return ops.reshape(function(ops.reshape(x, [-1]), -1), ops.shape(x))


def polar(abs_: Any, angle: Any) -> Tensor:
    """Return complex numbers of given absolute values and angles.

    Args:
        abs_: Floating point, any shape.
        angle: The same shape and dtype, in radians.

    Returns:
        Complex, the same shape.

    Example:
        >>> tf.keras.ops.nn.polar(tf.constant([2.0]), tf.constant([0.0])).numpy()
        array([2.+0.j], dtype=complex64)
    """
    abs_, angle = convert_to_tensor(abs_), convert_to_tensor(angle)
    return ops.complex(abs_ * ops.cos(angle), abs_ * ops.sin(angle))
