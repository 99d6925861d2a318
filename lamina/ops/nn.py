"""Neural-network functions of no larger family: biases, dropout, embeddings."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina.engine import Tensor, convert_to_tensor, errors, op, type_of
from lamina.ops import checks, clipping, indexing, shaping, stateless, windows
from lamina.ops.keys import folded
from lamina.ops.random import draw

__all__ = [
    "bias_add",
    "dropout",
    "dropout_from",
    "embedding_lookup",
    "general_dropout",
    "isotonic_regression",
    "l2_loss",
    "stateless_dropout",
]


@op
def _bias_add(value, bias, first=False):
    if bias.ndim != 1 or value.ndim < 2:
        raise ValueError(
            f"`bias` must be a vector and `value` have rank 2 or more; got {tuple(bias.shape)} and "
            f"{tuple(value.shape)}.\n  Fix: use + for other shapes."
        )
    channels = value.shape[1 if first else -1]
    if bias.shape[0] != channels:
        raise ValueError(
            f"`bias` must have one entry for each channel; got {bias.shape[0]} entries, "
            f"{channels} channels.\n  Fix: check the data format."
        )
    if first:
        bias = jnp.reshape(bias, (-1, *[1] * (value.ndim - 2)))
    return value + bias


def bias_add(value, bias, data_format=None, name=None):
    """Add one number to each channel.

    Args:
        value: Numbers, ``(B, …, C)``, or ``(B, C, …)``.
        bias: ``(C,)``, same dtype.
        data_format: None or "N…C" for channels last, "NC…" for channels first.
        name: Accepted, unused.

    Returns:
        Shape and dtype of ``value``.

    Raises:
        ValueError: the shapes do not fit, or the data format is unknown.

    Example:
        >>> tf.nn.bias_add([[1.0, 2.0]], [10.0, 20.0]).numpy()
        array([[11., 22.]], dtype=float32)
    """
    known = {"N...C": False, "NC...": True}
    if data_format in known:
        first = known[data_format]
    else:
        first = windows.channels_come_first(data_format, "tf.nn.bias_add")
    return _bias_add(value, bias, True) if first else _bias_add(value, bias)


@op
def l2_loss(t):
    """Return half the sum of squares.

    Args:
        t: Floating point, any shape.

    Returns:
        A scalar of the same dtype.

    Raises:
        InvalidArgumentError: ``t`` is not floating point.

    Example:
        >>> tf.nn.l2_loss([3.0, 4.0]).numpy()
        np.float32(12.5)
    """
    checks.inexact(t, "t")
    return jnp.sum(jnp.square(t)) / 2


def _noise_shape(noise_shape, x):
    if noise_shape is None:
        return tuple(x.shape)
    if len(noise_shape) != x.ndim:
        raise errors.ArgumentError(
            f"`noise_shape` must have one entry for each axis of `x`; got {noise_shape} for "
            f"shape {tuple(x.shape)}.\n  Fix: use 1 where one decision holds for a whole axis."
        )
    return tuple(
        x.shape[i] if size is None or size == -1 else size for i, size in enumerate(noise_shape)
    )


def _type_of_dropped(kinds, *, noise_shape=None):
    """Return the type of `x`, broadcast to the noise's shape as TF does."""
    x = kinds[2]
    if noise_shape is None:
        return (x,), None
    noise = _noise_shape(noise_shape, x.struct())
    if all(size in (1, whole) for size, whole in zip(noise, x.dims, strict=True)):
        return (x,), None
    try:
        return (type_of(jnp.broadcast_shapes(x.dims, noise), x.dtype),), None
    except ValueError:
        raise errors.ArgumentError(
            f"`noise_shape` must broadcast with the shape {x.shape} of `x`; got "
            f"{tuple(noise_shape)}.\n  Fix: use 1 where one decision holds for a whole axis."
        ) from None


@op(mixed=True, infer=_type_of_dropped)
def dropout_from(key, counter, x, rate, *, noise_shape=None):
    """Set entries to 0 with probability ``rate``, and divide the others by ``1 - rate``.

    Args:
        key: Of a random stream, uint32 ``(2,)``.
        counter: How many draws came before.
        x: Floating point, any shape.
        rate: Scalar in [0, 1).
        noise_shape: Where 1, one decision holds for the whole axis; None decides for each entry.

    Returns:
        Shape and dtype of ``x``.

    Raises:
        ValueError: ``noise_shape`` does not have the rank of ``x``.

    Example:
        >>> from lamina import ops
        >>> key = tf.constant([1, 2], tf.uint32)
        >>> float(tf.reduce_max(ops.dropout_from(key, 0, tf.ones(100), 0.5)))
        2.0
    """
    shape = _noise_shape(noise_shape, x)
    keep = jax.random.uniform(folded(key, counter), shape, jnp.float32) >= rate.astype(jnp.float32)
    return jnp.where(keep, x / (1 - rate).astype(x.dtype), 0)


def _scalar_rate(who, rate):
    """Return a rate that is no Python number as a Tensor: a floating-point scalar."""
    found = convert_to_tensor(rate)
    if found.ndim or not found.dtype.is_floating:
        raise ValueError(
            f"{who}: `rate` must be a number or a floating-point scalar; got {rate!r}.\n"
            "  Fix: it is the fraction that is dropped."
        )
    return found


def _drop(source, who, x, rate, noise_shape):
    x = convert_to_tensor(x)
    if not x.dtype.is_floating:
        raise ValueError(
            f"{who}: `x` must be floating point, since the entries are scaled; got "
            f"{x.dtype.name}{tuple(x.shape)}.\n  Fix: tf.cast(x, tf.float32)."
        )
    if isinstance(rate, int | float):
        if not 0 <= rate < 1:
            raise ValueError(
                f"{who}: `rate` must lie in [0, 1); got {rate}.\n"
                "  Fix: it is the fraction that is dropped."
            )
        if rate == 0:
            return x
    else:
        rate = _scalar_rate(who, rate)
    if noise_shape is not None and not hasattr(noise_shape, "dtype"):
        noise_shape = tuple(noise_shape)
    return dropout_from(*source(), x, rate, noise_shape=noise_shape)


def dropout(x, rate, noise_shape=None, seed=None, name=None):
    """Set entries to 0 with probability ``rate``, and divide the others by ``1 - rate``.

    Args:
        x: Floating point, any shape.
        rate: Fraction dropped, in [0, 1): a number or a scalar Tensor.
        noise_shape: Where 1, one decision holds for the whole axis; None decides for each entry.
        seed: Of the stream of random numbers; None uses the global one.
        name: Accepted, unused.

    Returns:
        Shape and dtype of ``x``, and the same expectation.

    State:
        The random stream moves on by one draw.

    Raises:
        ValueError: ``rate`` is out of range, or ``x`` is not floating point.

    Example:
        >>> float(tf.reduce_max(tf.nn.dropout(tf.ones(100), 0.5)))
        2.0

    Reference: Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from
    Overfitting".
    """
    return _drop(lambda: draw(seed), "tf.nn.dropout", x, rate, noise_shape)


def stateless_dropout(x, rate, seed, rng_alg=None, noise_shape=None, name=None):
    """Drop entries as `dropout` does, as a pure function of a seed.

    Args:
        x: Floating point, any shape.
        rate: Fraction dropped, in [0, 1).
        seed: Two integers.
        rng_alg: Accepted, unused.
        noise_shape: Where 1, one decision holds for the whole axis; None decides for each entry.
        name: Accepted, unused.

    Returns:
        Shape and dtype of ``x``.

    Raises:
        ValueError: ``rate`` is out of range, or ``x`` is not floating point.

    Example:
        >>> from lamina import ops
        >>> x = tf.ones(10)
        >>> a = ops.stateless_dropout(x, 0.5, seed=[1, 2])
        >>> b = ops.stateless_dropout(x, 0.5, seed=[1, 2])
        >>> bool(tf.reduce_all(a == b))
        True
    """
    who = "tf.nn.experimental.stateless_dropout"
    return _drop(lambda: stateless._source(seed), who, x, rate, noise_shape)


@op(mixed=True)
def _drop_below(x, noise, rate):
    keep = noise >= rate.astype(noise.dtype)
    return jnp.where(keep, x / (1 - rate).astype(x.dtype), 0)


def general_dropout(x, rate, uniform_sampler, noise_shape=None, name=None):
    """Drop entries as `dropout` does, with random numbers of your own.

    Args:
        x: Floating point, any shape.
        rate: Fraction dropped, in [0, 1).
        uniform_sampler: ``(shape, dtype) → Tensor`` of numbers uniform in [0, 1).
        noise_shape: Where 1, one decision holds for the whole axis; None decides for each entry.
        name: Accepted, unused.

    Returns:
        Shape and dtype of ``x``.

    Example:
        >>> from lamina import ops
        >>> half = lambda shape, dtype: tf.fill(shape, tf.cast(0.5, dtype))
        >>> ops.general_dropout(tf.ones(2), 0.4, half).numpy().round(2)
        array([1.67, 1.67], dtype=float32)
    """
    x = convert_to_tensor(x)
    shape = x.shape if noise_shape is None else _noise_shape(noise_shape, x)
    return _drop_below(x, uniform_sampler(shape=shape, dtype=x.dtype), rate)


def embedding_lookup(params: Any, ids, max_norm=None, name=None):
    """Return the rows of ``params`` that ``ids`` names.

    Args:
        params: ``(V, …)``; or a list or tuple of tensors that together have V rows; a list of
            lists is one too, each a tensor.
        ids: Integers in [0, V), any shape.
        max_norm: Rows with a larger Euclidean norm are scaled down to it; None scales nothing.
        name: Accepted, unused.

    Returns:
        ``(*ids.shape, …)``, the dtype of ``params``.

    Raises:
        ValueError: ``params`` is empty.
        InvalidArgumentError: an id is out of range (where that can be known).

    Example:
        >>> tf.nn.embedding_lookup(tf.constant([[1.0, 2.0], [3.0, 4.0]]), [1, 1]).numpy()
        array([[3., 4.],
               [3., 4.]], dtype=float32)
    """
    if params is None or (isinstance(params, list | tuple) and not params):
        raise ValueError(
            f"tf.nn.embedding_lookup: `params` must hold at least one tensor; got {params!r}.\n"
            "  Fix: pass the embedding matrix."
        )
    ids = convert_to_tensor(ids)
    if isinstance(params, list | tuple):
        parts = [convert_to_tensor(part) for part in params]
        if parts[0].ndim:  # numbers are no tensors with rows
            params = parts[0] if len(parts) == 1 else shaping.concat(parts, 0)
    rows = indexing.gather(params, ids)
    if max_norm is None:
        return rows
    return clipping.clip_by_norm(rows, max_norm, axes=tuple(range(len(ids.shape), len(rows.shape))))


class IsotonicRegression(NamedTuple):
    """What `tf.nn.isotonic_regression` returns: the values and the pieces that they form."""

    output: Tensor
    segments: Tensor


@op
def _isotonic(x, *, decreasing, axis):
    if not jnp.issubdtype(x.dtype, jnp.floating):
        x = x.astype(jnp.float32 if x.dtype.itemsize < 4 else jnp.float64)
    x = jnp.moveaxis(x, axis, -1)
    size = x.shape[-1]
    # The classical min-max formula on all means of x[j..k], then one average for each segment:
    # so that the gradient is TF's, the average over the segment.
    fixed = lax.stop_gradient(x if decreasing else -x)
    sums = jnp.cumsum(jnp.pad(fixed, [(0, 0)] * (x.ndim - 1) + [(1, 0)]), axis=-1)
    lengths = np.arange(1, size + 1)[None, :] - np.arange(size)[:, None]
    means = (sums[..., None, 1:] - sums[..., :-1, None]) / np.maximum(lengths, 1).astype(x.dtype)
    means = jnp.where(lengths > 0, means, -jnp.inf)
    highest = jnp.flip(lax.cummax(jnp.flip(means, -1), axis=means.ndim - 1), -1)  # max over k ≥ i
    lowest = lax.cummin(jnp.where(lengths > 0, highest, jnp.inf), axis=means.ndim - 2)
    fit = jnp.diagonal(lowest, axis1=-2, axis2=-1)  # min over j ≤ i
    starts = jnp.concatenate([jnp.zeros_like(fit[..., :1], bool), fit[..., 1:] < fit[..., :-1]], -1)
    segments = jnp.cumsum(starts.astype(jnp.int32), axis=-1, dtype=jnp.int32)
    same = (segments[..., :, None] == segments[..., None, :]).astype(x.dtype)
    averages = jnp.einsum("...ij,...j->...i", same, x) / jnp.sum(same, axis=-1)
    return jnp.moveaxis(averages, -1, axis), jnp.moveaxis(segments, -1, axis)


def isotonic_regression(inputs, decreasing=True, axis: Any = -1):
    """Return the nearest monotone sequence, in the sense of least squares.

    Args:
        inputs: Numbers of any shape; integers are converted to float64, those below 32 bits to
            float32. Memory grows with the square of the axis' size.
        decreasing: Whether the result must not increase; else it must not decrease.
        axis: The axis along which it is monotone.

    Returns:
        A namedtuple ``(output, segments)``: output of the shape of ``inputs``; segments, int32,
        numbers the pieces on which the output is constant.

    Example:
        >>> y, segments = tf.nn.isotonic_regression(tf.constant([3.0, 1.0, 2.0]))
        >>> y.numpy(), segments.numpy()
        (array([3. , 1.5, 1.5], dtype=float32), array([0, 1, 1], dtype=int32))

    Reference: Barlow et al. 1972, "Statistical Inference under Order Restrictions".
    """
    return IsotonicRegression(*_isotonic(inputs, decreasing=decreasing, axis=axis))
