"""Floats rounded to the values that small integers would stand for, and their gradients."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from lamina.engine import Tensor, errors, op
from lamina.ops import checks
from lamina.ops.quotient import divided

__all__ = [
    "fake_quant_with_min_max_args",
    "fake_quant_with_min_max_args_gradient",
    "fake_quant_with_min_max_vars",
    "fake_quant_with_min_max_vars_gradient",
    "fake_quant_with_min_max_vars_per_channel",
    "fake_quant_with_min_max_vars_per_channel_gradient",
]


class FakeQuantWithMinMaxVarsGradient(NamedTuple):
    """The gradients of `fake_quant_with_min_max_vars`."""

    backprops_wrt_input: Tensor
    backprop_wrt_min: Tensor
    backprop_wrt_max: Tensor


class FakeQuantWithMinMaxVarsPerChannelGradient(NamedTuple):
    """The gradients of `fake_quant_with_min_max_vars_per_channel`."""

    backprops_wrt_input: Tensor
    backprop_wrt_min: Tensor
    backprop_wrt_max: Tensor


def _nudged(low, high, bits, narrow):
    """Return the bounds moved so that 0 is one of the values, and the distance of the values."""
    least, most = float(narrow), float(2**bits - 1)
    step = divided(high - low, jnp.full(high.shape, most - least, high.dtype))
    zero = least - divided(low, step)
    zero = jnp.floor(jnp.clip(zero, least, most) + 0.5)
    return (least - zero) * step, (most - zero) * step, step


def _is_off(low, high):
    """Return where both bounds are 0, from which TF makes zeros and passes gradients on."""
    return (low == 0) & (high == 0)


def _rounded(x, low, high, bits, narrow):
    off = _is_off(low, high)
    start, end, step = _nudged(low, jnp.where(off, 1, high), bits, narrow)
    place = jnp.clip(x, start, end) - start
    # TF's kernels differ so, which decides where a number lies between two values.
    place = divided(place, step) if low.ndim else place * divided(jnp.ones_like(step), step)
    found = jnp.floor(place + 0.5) * step + start
    return jnp.where(off, 0, found)


def _straight_through(x, low, high, bits, narrow):
    """Round, with the gradient of TF's kernels: of what lies beyond a bound it is the bound's."""
    off = _is_off(low, high)
    start, end, _ = _nudged(low, jnp.where(off, 1, high), bits, narrow)
    nearest = jnp.where((x < start) & ~off, low, jnp.where((x > end) & ~off, high, x))
    rounded = lax.stop_gradient(_rounded(x, low, high, bits, narrow))
    return rounded + (nearest - lax.stop_gradient(nearest))


def _require(x, low, high, bits, per_channel):
    for name, each in (("inputs", x), ("min", low), ("max", high)):
        checks.inexact(each, name)
        if each.dtype != jnp.float32:
            raise errors.InvalidArgumentError(
                f"`{name}` must be float32; got {each.dtype}.\n  Fix: tf.cast(x, tf.float32)."
            )
    if not 2 <= bits <= 16:
        raise errors.InvalidArgumentError(
            f"`num_bits` must lie in [2, 16]; got {bits}.\n  Fix: 8 is the usual one."
        )
    shape = x.shape[-1:] if per_channel else ()
    if low.shape != shape or high.shape != shape or (per_channel and not x.ndim):
        raise errors.InvalidArgumentError(
            f"`min` and `max` must be of shape {shape} for inputs of shape {x.shape}; got "
            f"{low.shape} and {high.shape}.\n  Fix: one number, or one for each channel."
        )


@op
def _quantized(x, low, high, *, bits, narrow, per_channel):
    _require(x, low, high, bits, per_channel)
    return _straight_through(x, low, high, bits, narrow)


@op
def _quantized_gradients(gradients, x, low, high, *, bits, narrow, per_channel):
    _require(x, low, high, bits, per_channel)
    _, pull = jax.vjp(lambda x, a, b: _straight_through(x, a, b, bits, narrow), x, low, high)
    return pull(gradients)


def _require_order(low, high, who):
    if not low < high:
        raise errors.InvalidArgumentError(
            f"{who}: `min` must be below `max`; got {low} and {high}.\n  Fix: order the bounds."
        )


def fake_quant_with_min_max_args(
    inputs, min: Any = -6, max: Any = 6, num_bits=8, narrow_range=False, name=None
):
    """Round to the ``2ⁿ`` values that n bits tell apart between fixed bounds.

    Args:
        inputs: float32, any shape.
        min: The lower bound, a number. Both are moved so that 0 is one of the values.
        max: The upper bound.
        num_bits: n, from 2 to 16.
        narrow_range: Whether the lowest value is left out.
        name: Accepted, unused.

    Returns:
        The shape and dtype of `inputs`; the gradient passes where they lie between the bounds.

    Raises:
        InvalidArgumentError: `num_bits` is out of range, `min` is not below `max`, or the inputs
            are not float32.

    Example:
        >>> x = tf.constant([-2.0, 0.3, 9.0])
        >>> tf.quantization.fake_quant_with_min_max_args(x, -1.0, 2.0, num_bits=2).numpy()
        array([-1.,  0.,  2.], dtype=float32)

    Reference: Jacob et al. 2017, https://arxiv.org/abs/1712.05877, section 3.
    """
    _require_order(min, max, "tf.quantization.fake_quant_with_min_max_args")
    return fake_quant_with_min_max_vars(inputs, float(min), float(max), num_bits, narrow_range)


def fake_quant_with_min_max_args_gradient(
    gradients, inputs, min: Any = -6, max: Any = 6, num_bits=8, narrow_range=False, name=None
):
    """Return the gradient of `fake_quant_with_min_max_args`.

    Args:
        gradients: Of its result, float32.
        inputs: What it was given.
        min: Likewise.
        max: Likewise.
        num_bits: Likewise.
        narrow_range: Likewise.
        name: Accepted, unused.

    Returns:
        `gradients` where the inputs lie between the bounds, 0 elsewhere.

    Raises:
        InvalidArgumentError: as `fake_quant_with_min_max_args`.

    Example:
        >>> q = tf.quantization
        >>> q.fake_quant_with_min_max_args_gradient([1.0, 1.0], [0.5, 7.0]).numpy()
        array([1., 0.], dtype=float32)
    """
    _require_order(min, max, "tf.quantization.fake_quant_with_min_max_args_gradient")
    return fake_quant_with_min_max_vars_gradient(
        gradients, inputs, float(min), float(max), num_bits, narrow_range
    )[0]


def fake_quant_with_min_max_vars(
    inputs, min: Any, max: Any, num_bits=8, narrow_range=False, name=None
):
    """Round to ``2ⁿ`` values between bounds that can be variables; see the one of fixed bounds.

    Args:
        inputs: float32, any shape.
        min: The lower bound, a float32 scalar; where both are 0 the result is.
        max: The upper bound.
        num_bits: n, from 2 to 16.
        narrow_range: Whether the lowest value is left out.
        name: Accepted, unused.

    Returns:
        The shape and dtype of `inputs`. The bounds get the gradients of what lies beyond them.

    Raises:
        InvalidArgumentError: `num_bits` is out of range, or dtypes or shapes are others.

    Example:
        >>> tf.quantization.fake_quant_with_min_max_vars([0.3], -1.0, 2.0, num_bits=2).numpy()
        array([0.], dtype=float32)
    """
    how = {"bits": num_bits, "narrow": narrow_range, "per_channel": False}
    return _quantized(inputs, min, max, **how)


def fake_quant_with_min_max_vars_gradient(
    gradients, inputs, min: Any, max: Any, num_bits=8, narrow_range=False, name=None
):
    """Return the gradients of `fake_quant_with_min_max_vars`.

    Args:
        gradients: Of its result, float32.
        inputs: What it was given.
        min: Likewise.
        max: Likewise.
        num_bits: Likewise.
        narrow_range: Likewise.
        name: Accepted, unused.

    Returns:
        A named tuple: the gradients of the inputs, of `min` and of `max`.

    Raises:
        InvalidArgumentError: as `fake_quant_with_min_max_vars`.

    Example:
        >>> q = tf.quantization
        >>> found = q.fake_quant_with_min_max_vars_gradient([1.0, 2.0], [0.5, 7.0], -1.0, 1.0)
        >>> float(found.backprop_wrt_max)
        2.0
    """
    how = {"bits": num_bits, "narrow": narrow_range, "per_channel": False}
    return FakeQuantWithMinMaxVarsGradient(
        *_quantized_gradients(gradients, inputs, min, max, **how)
    )


def fake_quant_with_min_max_vars_per_channel(
    inputs, min: Any, max: Any, num_bits=8, narrow_range=False, name=None
):
    """Round to ``2ⁿ`` values between bounds of each channel, the last axis.

    Args:
        inputs: float32, ``(…, C)``.
        min: The lower bounds, float32 ``(C,)``.
        max: The upper bounds.
        num_bits: n, from 2 to 16.
        narrow_range: Whether the lowest value is left out.
        name: Accepted, unused.

    Returns:
        The shape and dtype of `inputs`.

    Raises:
        InvalidArgumentError: `num_bits` is out of range, or dtypes or shapes are others.

    Example:
        >>> q = tf.quantization
        >>> x, low, high = [[0.3, 0.3]], [-1.0, 0.0], [2.0, 0.3]
        >>> q.fake_quant_with_min_max_vars_per_channel(x, low, high, num_bits=2).numpy()
        array([[0. , 0.3]], dtype=float32)
    """
    how = {"bits": num_bits, "narrow": narrow_range, "per_channel": True}
    return _quantized(inputs, min, max, **how)


def fake_quant_with_min_max_vars_per_channel_gradient(
    gradients, inputs, min: Any, max: Any, num_bits=8, narrow_range=False, name=None
):
    """Return the gradients of `fake_quant_with_min_max_vars_per_channel`.

    Args:
        gradients: Of its result, float32.
        inputs: What it was given.
        min: Likewise.
        max: Likewise.
        num_bits: Likewise.
        narrow_range: Likewise.
        name: Accepted, unused.

    Returns:
        A named tuple: the gradients of the inputs, of `min` and of `max`.

    Raises:
        InvalidArgumentError: as `fake_quant_with_min_max_vars_per_channel`.

    Example:
        >>> q = tf.quantization
        >>> found = q.fake_quant_with_min_max_vars_per_channel_gradient(
        ...     [[1.0, 2.0]], [[0.5, 7.0]], [-1.0, -1.0], [1.0, 1.0]
        ... )
        >>> found.backprop_wrt_max.numpy()
        array([0., 2.], dtype=float32)
    """
    how = {"bits": num_bits, "narrow": narrow_range, "per_channel": True}
    return FakeQuantWithMinMaxVarsPerChannelGradient(
        *_quantized_gradients(gradients, inputs, min, max, **how)
    )
