"""Smooth activation functions, and the softmax family."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from lamina import ops
from lamina.engine import convert_to_tensor

__all__ = [
    "celu",
    "elu",
    "exponential",
    "gelu",
    "glu",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
]


def softmax(x: Any, axis: int | Sequence[int] = -1) -> Any:
    """Return ``exp(x) / sum(exp(x))``: weights along an axis that sum to 1.

    Args:
        x: Floating point, any shape but a scalar.
        axis: The axis or axes to sum over.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.softmax(tf.constant([0.0, 0.0])).numpy()
        array([0.5, 0.5], dtype=float32)
    """
    x = convert_to_tensor(x)
    shape = tuple(x.shape)
    if isinstance(axis, int) and -len(shape) <= axis < len(shape) and shape[axis] == 1:
        warnings.warn(
            f"softmax: axis {axis} of shape {shape} has size 1, so that the result is 1 everywhere."
            f"\n  Fix: sigmoid for one class, or another axis.",
            stacklevel=2,
        )
    return _over_axes(ops.softmax, x, axis)


def log_softmax(x: Any, axis: int | Sequence[int] = -1) -> Any:
    """Return ``x - log(sum(exp(x)))``.

    Args:
        x: Floating point, any shape but a scalar.
        axis: The axis or axes to sum over.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.log_softmax(tf.constant([0.0, 0.0])).numpy()
        array([-0.6931472, -0.6931472], dtype=float32)
    """
    return _over_axes(ops.log_softmax, x, axis)


def _over_axes(function: Callable[..., Any], x: Any, axis: int | Sequence[int]) -> Any:
    """Apply a softmax over several axes as over one: they are moved to the end and flattened."""
    if not isinstance(axis, Sequence):
        return function(x, axis=axis)
    x = ops.convert_to_tensor(x)
    axes = [a % x.ndim for a in axis]
    order = [a for a in range(x.ndim) if a not in axes] + axes
    moved = ops.transpose(x, order)
    flat = ops.reshape(moved, ops.concat([ops.shape(moved)[: x.ndim - len(axes)], [-1]], 0))
    back = [order.index(a) for a in range(x.ndim)]
    return ops.transpose(ops.reshape(function(flat, axis=-1), ops.shape(moved)), back)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """Return `x` where positive, ``alpha * (exp(x) - 1)`` elsewhere.

    Args:
        x: Floating point, any shape.
        alpha: Minus the limit on the negative side.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.elu(tf.constant([-1.0, 2.0])).numpy()
        array([-0.63212055,  2.        ], dtype=float32)

    Reference: Clevert et al. 2016, https://arxiv.org/abs/1511.07289, eq. 15.
    """
    return ops.elu(x, alpha=alpha)


def selu(x: Any) -> Any:
    """Return the self-normalising ``1.0507 * elu(x, 1.6733)``.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.selu(tf.constant([-1.0, 3.0])).numpy()
        array([-1.1113307,  3.152103 ], dtype=float32)

    Reference: Klambauer et al. 2017, https://arxiv.org/abs/1706.02515, eq. 2.
    """
    return ops.selu(x)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """Return ``max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))``.

    Args:
        x: Floating point, any shape.
        alpha: Minus the limit on the negative side.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.celu(tf.constant([-1.0, 2.0])).numpy()
        array([-0.63212055,  2.        ], dtype=float32)

    Reference: Barron 2017, https://arxiv.org/abs/1704.07483, eq. 2.
    """
    return ops.celu(x, alpha)


def softplus(x: Any) -> Any:
    """Return ``log(exp(x) + 1)``.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.softplus(tf.constant([0.0])).numpy()
        array([0.6931472], dtype=float32)
    """
    return ops.softplus(x)


def softsign(x: Any) -> Any:
    """Return ``x / (|x| + 1)``.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.softsign(tf.constant([-1.0, 3.0])).numpy()
        array([-0.5 ,  0.75], dtype=float32)
    """
    return ops.softsign(x)


def silu(x: Any) -> Any:
    """Return ``x * sigmoid(x)``, also called swish.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.silu(tf.constant([0.0, 1.0])).numpy()
        array([0.       , 0.7310586], dtype=float32)

    Reference: Ramachandran et al. 2017, https://arxiv.org/abs/1710.05941.
    """
    return ops.silu(x)


def squareplus(x: Any, b: float = 4) -> Any:
    """Return ``(x + sqrt(x² + b)) / 2``.

    Args:
        x: Floating point, any shape.
        b: How smooth the corner at 0 is.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.squareplus(tf.constant([0.0])).numpy()
        array([1.], dtype=float32)

    Reference: Barron 2021, https://arxiv.org/abs/2112.11687, eq. 1.
    """
    return ops.squareplus(x, b)


def gelu(x: Any, approximate: bool = False) -> Any:
    """Return ``x * P(N(0, 1) <= x)``.

    Args:
        x: Floating point, any shape.
        approximate: Use the tanh formula in place of the error function.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.gelu(tf.constant([-1.0, 1.0])).numpy()
        array([-0.15865526,  0.8413447 ], dtype=float32)

    Reference: Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415.
    """
    return ops.gelu(x, approximate)


def glu(x: Any, axis: int = -1) -> Any:
    """Return ``a * sigmoid(b)``, where a and b are the halves of `x` along an axis.

    Args:
        x: Floating point, of even size along the axis.
        axis: The axis to halve.

    Returns:
        Shape of `x` with that axis halved.

    Example:
        >>> tf.keras.activations.glu(tf.constant([4.0, 0.0])).numpy()
        array([2.], dtype=float32)

    Reference: Dauphin et al. 2017, https://arxiv.org/abs/1612.08083, eq. 1.
    """
    return ops.glu(x, axis)


def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.tanh(tf.constant([0.0, 1.0])).numpy()
        array([0.       , 0.7615942], dtype=float32)
    """
    return ops.tanh(x)


def tanh_shrink(x: Any) -> Any:
    """Return ``x - tanh(x)``.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.tanh_shrink(tf.constant([0.0, 1.0])).numpy()
        array([0.        , 0.23840582], dtype=float32)
    """
    return ops.tanh_shrink(x)


def sigmoid(x: Any) -> Any:
    """Return ``1 / (1 + exp(-x))``.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.sigmoid(tf.constant([0.0])).numpy()
        array([0.5], dtype=float32)
    """
    return ops.sigmoid(x)


def log_sigmoid(x: Any) -> Any:
    """Return ``log(sigmoid(x))``.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.log_sigmoid(tf.constant([0.0])).numpy()
        array([-0.6931472], dtype=float32)
    """
    return ops.log_sigmoid(x)


def mish(x: Any) -> Any:
    """Return ``x * tanh(softplus(x))``.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.mish(tf.constant([0.0, 1.0])).numpy()
        array([0.       , 0.8650985], dtype=float32)

    Reference: Misra 2019, https://arxiv.org/abs/1908.08681.
    """
    return ops.mish(x)


def exponential(x: Any) -> Any:
    """Return ``exp(x)``.

    Args:
        x: Floating point, any shape.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> tf.keras.activations.exponential(tf.constant([0.0])).numpy()
        array([1.], dtype=float32)
    """
    return ops.exp(x)


swish = silu
