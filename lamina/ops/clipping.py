"""Keeping values, or the norms of tensors, within bounds."""

from typing import Any

import jax.numpy as jnp

from lamina.engine import Tensor, Variable, convert_to_tensor, errors, op
from lamina.ops import checks
from lamina.ops.math import larger, smaller
from lamina.ops.rows import IndexedSlices

__all__ = ["clip_by_global_norm", "clip_by_norm", "clip_by_value", "global_norm"]


@op
def clip_by_value(t, clip_value_min, clip_value_max):
    """Return ``t`` with values below and above the bounds moved to them.

    Args:
        t: Real numbers.
        clip_value_min: Lower bound of the same dtype, one number or broadcastable to `t`.
        clip_value_max: Upper bound, likewise.

    Returns:
        The shape and dtype of `t`. On a bound the gradient still goes to `t`, as in TF.

    Raises:
        ValueError: the bounds broadcast `t` to another shape.

    Example:
        >>> tf.clip_by_value([-3.0, 0.5, 3.0], -1.0, 1.0).numpy()
        array([-1. ,  0.5,  1. ], dtype=float32)
    """
    out = larger(smaller(checks.numeric(t, "t"), clip_value_max), clip_value_min)
    if out.shape != t.shape:
        raise ValueError(
            f"the bounds must broadcast to the shape of `t`, {t.shape}; got "
            f"{clip_value_min.shape} and {clip_value_max.shape}.\n"
            "  Fix: tf.broadcast_to(t, shape) first, if that is meant."
        )
    return out


@op
def _clip_by_norm(t, clip_norm, *, axes):
    axes = checks.axes(t, axes, "axes")
    squared = jnp.sum(checks.inexact(t, "t") * t, axis=axes, keepdims=True)
    positive = squared > 0
    norm = jnp.where(positive, jnp.sqrt(jnp.where(positive, squared, 1)), squared)
    clipped = t * clip_norm / larger(norm, clip_norm)
    if clipped.shape != t.shape:
        raise errors.ArgumentError(
            f"`clip_norm` must broadcast to the shape {t.shape} of `t`; got {clip_norm.shape}.\n"
            "  Fix: one norm for each slice, with 1 along `axes`."
        )
    return clipped


def clip_by_norm(t, clip_norm, axes: Any = None, name=None):
    """Return ``t``, scaled to the norm `clip_norm` where its own is larger.

    Args:
        t: Float; of `tf.IndexedSlices`, the rows given count.
        clip_norm: The largest norm, above 0, of the same dtype; broadcastable to `t`.
        axes: Dimensions over which the norm is taken; None for all.
        name: Accepted, unused.

    Returns:
        ``t * clip_norm / max(||t||, clip_norm)``, of the shape and dtype of `t`; `tf.IndexedSlices`
        for such.

    Raises:
        ArgumentError: `clip_norm` broadcasts `t` to another shape.

    Example:
        >>> tf.clip_by_norm([3.0, 4.0], 1.0).numpy()
        array([0.6, 0.8], dtype=float32)
    """
    return _like_given(t, _clip_by_norm(_numbers_of(t), clip_norm, axes=axes))


def _numbers_of(t):
    return t.values if isinstance(t, IndexedSlices) else t


def _like_given(t, clipped):
    is_rows = isinstance(t, IndexedSlices)
    return IndexedSlices(clipped, t.indices, t.dense_shape) if is_rows else clipped


def _square_sum(tensors):
    return sum(jnp.sum(jnp.square(jnp.abs(checks.inexact(t, "t_list")))) for t in tensors)


@op(mixed=True)
def _global_norm(*tensors):
    return jnp.sqrt(_square_sum(tensors))


@op(mixed=True)
def _scale_to_norm(norm, clip_norm, *tensors):
    clip_norm = clip_norm.astype(norm.dtype)
    scale = clip_norm * smaller(1 / norm, 1 / clip_norm)
    scale = jnp.where(jnp.isfinite(norm), scale, jnp.nan)
    return [t * scale.astype(t.dtype) for t in tensors]


def _present(t_list, who):
    """Return a list of tensors without its Nones.

    Raises:
        TypeError: `t_list` is not a list of tensors.
    """
    if isinstance(t_list, Tensor | Variable) or not isinstance(t_list, list | tuple):
        raise TypeError(
            f"{who}: `t_list` must be a list of tensors; got {type(t_list).__name__}.\n"
            "  Fix: pass `[t]` for one tensor."
        )
    return [t for t in t_list if t is not None]


def global_norm(t_list, name=None):
    """Return the Euclidean norm of all numbers of several tensors together.

    Args:
        t_list: Float tensors of any shapes; None entries are left out.
        name: Accepted, unused.

    Returns:
        A scalar of their dtype, the widest of several; 0 of float32 if there are none.

    Raises:
        TypeError: `t_list` is not a list or tuple.

    Example:
        >>> tf.linalg.global_norm([tf.constant([3.0]), None, tf.constant([4.0])]).numpy()
        np.float32(5.0)
    """
    tensors = [_numbers_of(t) for t in _present(t_list, "tf.linalg.global_norm")]
    return _global_norm(*tensors) if tensors else convert_to_tensor(0.0)


def clip_by_global_norm(t_list, clip_norm, use_norm=None, name=None):
    """Return tensors scaled by one factor, such that their joint norm is at most `clip_norm`.

    Args:
        t_list: Float tensors or `tf.IndexedSlices` of any shapes; None entries stay None.
        clip_norm: The largest joint norm, above 0.
        use_norm: The joint norm, if it is known already.
        name: Accepted, unused.

    Returns:
        A list of the scaled tensors, each of its shape, and the joint norm before. All are NaN
        if the norm is not finite.

    Raises:
        TypeError: `t_list` is not a list or tuple.

    Example:
        >>> clipped, norm = tf.clip_by_global_norm([tf.constant([3.0, 4.0])], 1.0)
        >>> clipped[0].numpy(), norm.numpy()
        (array([0.6, 0.8], dtype=float32), np.float32(5.0))

    Reference: Pascanu et al. 2012, https://arxiv.org/abs/1211.5063, algorithm 1.
    """
    tensors = [_numbers_of(t) for t in _present(t_list, "tf.clip_by_global_norm")]
    norm = global_norm(t_list) if use_norm is None else convert_to_tensor(use_norm)
    if not tensors:
        return list(t_list), norm
    scaled = iter(_scale_to_norm(norm, clip_norm, *tensors))
    return [None if t is None else _like_given(t, next(scaled)) for t in t_list], norm
