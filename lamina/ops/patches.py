"""Patches of arrays: cut out, summed back, put in."""

import itertools

import jax
import jax.numpy as jnp
from jax import lax

from lamina.engine import op
from lamina.ops import windows

__all__ = ["cut_patches", "fold", "unfold", "update_slice"]


def _taps(x, first, window, strides, dilations):
    """Return the entries under each place of the window: a list of strided cuts of ``x``."""
    sizes = [
        windows.output_size(x.shape[first + i], window[i], strides[i], dilations[i])
        for i in range(len(window))
    ]
    taps = []
    for place in itertools.product(*map(range, window)):
        tap = x
        for i, k in enumerate(place):
            tap = windows.shifted(tap, first + i, k * dilations[i], sizes[i], strides[i])
        taps.append(tap)
    return taps


def _padded(x, first, pads):
    if not any(before or after for before, after in pads):
        return x
    rest = x.ndim - first - len(pads)
    return lax.pad(
        x,
        jnp.zeros((), x.dtype),
        [(0, 0, 0)] * first + [(*each, 0) for each in pads] + [(0, 0, 0)] * rest,
    )


@op
def cut_patches(x, *, sizes, strides, dilations, padding):
    """Cut patches over any number of spatial axes, laid out in the last axis.

    Args:
        x: ``(B, *space, C)``.
        sizes: Sizes of the patch.
        strides: Distances between patches.
        dilations: Distances between the entries of a patch.
        padding: "VALID" or "SAME" (zeros).

    Returns:
        ``(B, *space', prod(sizes) * C)``, same dtype.

    Example:
        >>> from lamina import ops
        >>> how = dict(sizes=[2], strides=[2], dilations=[1], padding="VALID")
        >>> ops.cut_patches(tf.reshape(tf.range(4), (1, 4, 1)), **how).numpy()
        array([[[0, 1],
                [2, 3]]], dtype=int32)
    """
    pads = windows.pads(padding, x.shape[1:-1], sizes, strides, dilations)
    return jnp.concatenate(_taps(_padded(x, 1, pads), 1, sizes, strides, dilations), axis=-1)


def _unfolded(x, kernel, dilation, padding, stride):
    """Return the patches of ``(B, C, H, W)`` as columns: ``(B, C * kh * kw, L)``."""
    x = _padded(x, 2, [(p, p) for p in padding])
    taps = jnp.stack(_taps(x, 2, kernel, stride, dilation), axis=2)  # (B, C, kh * kw, h, w)
    batch, channels, places, rows, columns = taps.shape
    return jnp.reshape(taps, (batch, channels * places, rows * columns))


@op
def unfold(x, *, kernel, dilation, padding, stride):
    """Return the patches of images as columns.

    Args:
        x: ``(B, C, H, W)``.
        kernel: ``(kh, kw)``.
        dilation: Distances between the entries of a patch.
        padding: Zeros put before and after each axis.
        stride: Distances between patches.

    Returns:
        ``(B, C * kh * kw, L)`` for L patches, same dtype.

    Example:
        >>> from lamina import ops
        >>> how = dict(kernel=(2, 2), dilation=(1, 1), padding=(0, 0), stride=(2, 2))
        >>> ops.unfold(tf.ones((1, 3, 4, 4)), **how).shape
        TensorShape([1, 12, 4])
    """
    return _unfolded(x, kernel, dilation, padding, stride)


@op
def fold(x, *, size, kernel, dilation, padding, stride):
    """Sum columns back into images, where patches overlap: the transpose of `unfold`.

    Args:
        x: ``(B, C * kh * kw, L)``.
        size: ``(H, W)`` of the images.
        kernel: ``(kh, kw)``.
        dilation: What `unfold` was given.
        padding: Likewise.
        stride: Likewise.

    Returns:
        ``(B, C, H, W)``, same dtype.

    Raises:
        ValueError: the columns do not fit the other arguments.

    Example:
        >>> from lamina import ops
        >>> how = dict(kernel=(2, 2), dilation=(1, 1), padding=(0, 0), stride=(1, 1))
        >>> ops.fold(tf.ones((1, 4, 4)), size=(3, 3), **how).numpy()[0, 0]
        array([[1., 2., 1.],
               [2., 4., 2.],
               [1., 2., 1.]], dtype=float32)
    """
    channels = x.shape[1] // (kernel[0] * kernel[1])
    image = jax.ShapeDtypeStruct((x.shape[0], channels, *size), x.dtype)

    def columns(y):
        return _unfolded(y, kernel, dilation, padding, stride)

    wanted = jax.eval_shape(columns, image).shape
    if wanted != x.shape:
        raise ValueError(
            f"`x` must have shape {wanted} for images {image.shape} and kernel {kernel}; got "
            f"{x.shape}.\n  Fix: pass the arguments that `unfold` was given."
        )
    if not jnp.issubdtype(x.dtype, jnp.inexact):  # only those have linear transposes
        wide = fold.body(
            x.astype(jnp.float64),
            size=size,
            kernel=kernel,
            dilation=dilation,
            padding=padding,
            stride=stride,
        )
        return wide.astype(x.dtype)
    (summed,) = jax.linear_transpose(columns, image)(x)
    return summed


@op(mixed=True)
def update_slice(x, updates, starts):
    """Put a block into an array.

    Args:
        x: ``(d1, …, dn)``.
        updates: The block, same rank and dtype, at most as large.
        starts: ``(n,)``, int: where the block starts; moved so that it lies inside.

    Returns:
        Shape and dtype of `x`.

    Raises:
        ValueError: rank or dtype of the block differ, or it is too large.

    Example:
        >>> from lamina import ops
        >>> ops.update_slice([1, 2, 3, 4], [9, 9], [1]).numpy()
        array([1, 9, 9, 4], dtype=int32)
    """
    if x.dtype != updates.dtype or x.ndim != updates.ndim or starts.shape != (x.ndim,):
        raise ValueError(
            f"`updates` must have the rank and dtype of the array, and `start_indices` one entry "
            f"for each axis; got {x.shape} {x.dtype}, {updates.shape} {updates.dtype}, and "
            f"{starts.shape}.\n  Fix: tf.cast or tf.reshape the updates."
        )
    return lax.dynamic_update_slice(x, updates, [starts[i] for i in range(x.ndim)])
