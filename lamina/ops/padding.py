"""Repeating, padding, reversing, rolling, and blocks of space."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina.engine import (
    Tensor,
    Variable,
    convert_to_tensor,
    errors,
    local,
    op,
    static_int,
    static_ints,
)
from lamina.ops.array import dimensions
from lamina.ops.shaping import axis_in

__all__ = [
    "batch_to_space",
    "depth_to_space",
    "pad",
    "repeat",
    "reverse",
    "reverse_sequence",
    "roll",
    "space_to_batch",
    "space_to_batch_nd",
    "space_to_depth",
    "tile",
]


@op
def _tile(input, *, multiples):
    if len(multiples) != jnp.ndim(input):
        raise errors.InvalidArgumentError(
            f"`multiples` must have one entry per axis of shape {jnp.shape(input)}; got "
            f"{multiples}.\n  Fix: use 1 for axes that are not repeated."
        )
    return jnp.tile(input, multiples)


def tile(input, multiples, name=None):
    """Repeat a whole Tensor along each axis.

    Args:
        input: A Tensor of rank r.
        multiples: r repeat counts.
        name: Accepted, unused.

    Returns:
        A Tensor whose axis i is `multiples[i]` times as long.

    Raises:
        InvalidArgumentError: the number of counts differs from the rank, or one is negative.

    Example:
        >>> tf.tile([1, 2], (2,)).numpy()
        array([1, 2, 1, 2], dtype=int32)
    """
    return _tile(input, multiples=dimensions(multiples, "tf.tile"))


@op
def _repeat(input, *, repeats, axis):
    if axis is None or not input.ndim:
        input, axis = jnp.ravel(input), 0 if axis is None else axis
    if not -input.ndim <= axis < input.ndim:
        raise ValueError(
            f"`axis` must lie in [{-input.ndim}, {input.ndim}); got {axis}.\n"
            "  Fix: axes count from 0, or from -1 at the end."
        )
    axis %= input.ndim
    if len(repeats) == 1:
        return jnp.repeat(input, repeats[0], axis)
    if input.shape[axis] != len(repeats):
        raise errors.InvalidArgumentError(
            f"`repeats` must have one count, or one for each of {input.shape[axis]} elements; got "
            f"{len(repeats)}.\n  Fix: give as many counts as `input` has elements along `axis`."
        )
    places = np.repeat(np.arange(len(repeats)), np.maximum(np.array(repeats, np.int64), 0))
    return jnp.take(input, places, axis, mode="clip")


def repeat(input, repeats, axis=None, name=None):
    """Repeat each element along an axis.

    Args:
        input: A Tensor.
        repeats: One count, or one per element of the axis.
        axis: The axis; None flattens first.
        name: Accepted, unused.

    Returns:
        A Tensor whose size along `axis` is the sum of the counts.

    Raises:
        ValueError: `axis` is out of range, or `repeats` has more axes than one.
        InvalidArgumentError: there are not as many counts as elements.

    Example:
        >>> tf.repeat([1, 2], [3, 1]).numpy()
        array([1, 1, 1, 2], dtype=int32)
    """
    if np.ndim(repeats) > 1:
        raise ValueError(
            f"tf.repeat: `repeats` must be a scalar or a vector; got {np.ndim(repeats)} axes.\n"
            f"  Fix: tf.reshape(repeats, [-1])."
        )
    return _repeat(input, repeats=static_ints(repeats, "tf.repeat(repeats)"), axis=axis)


@op
def _pad(tensor, constant_values, *, paddings):
    widths = [(before, after, 0) for before, after in paddings]
    return lax.pad(tensor, constant_values, widths)


@op
def _pad_mirrored(tensor, *, paddings, mode):
    for size, pair in zip(tensor.shape, paddings, strict=True):
        limit = size - 1 if mode == "reflect" else size
        if isinstance(size, int) and max(pair) > limit:
            raise errors.InvalidArgumentError(
                f"`paddings` must not exceed what a mirror holds, {limit} for size {size} in mode "
                f"{mode}; got {pair}.\n  Fix: pad less, or pad twice."
            )
    return mirrored(tensor, paddings, mode)


def mirrored(x: Any, paddings: Any, mode: str) -> Any:
    """Return a jax array with each axis mirrored at its ends.

    Args:
        x: The array; sizes may be unknown while a program is recorded.
        paddings: A pair (before, after) for each axis, no more than the mirror holds.
        mode: "reflect" (without the edge) or "symmetric" (with it).
    """
    known = all(isinstance(n, int) for n in (*x.shape, *(n for pair in paddings for n in pair)))
    if known:
        return jnp.pad(x, paddings, mode)
    edge = 0 if mode == "reflect" else 1
    for axis, (before, after) in enumerate(paddings):
        if isinstance(before, int) and before == 0 and isinstance(after, int) and after == 0:
            continue
        size = x.shape[axis]
        places = jnp.arange(size + before + after) - before
        places = jnp.where(places < 0, -places - edge, places)
        places = jnp.where(places >= size, 2 * (size - 1) + edge - places, places)
        x = jnp.take(x, places, axis, mode="clip")
    return x


def _pairs(paddings, rank, who):
    """Return paddings as a tuple of `rank` pairs of sizes."""
    if isinstance(paddings, list | tuple):
        pairs = tuple(static_ints(each, f"{who}(paddings)") for each in paddings)
    else:
        flat = static_ints(paddings, f"{who}(paddings)")
        pairs = tuple(zip(flat[::2], flat[1::2], strict=False))
    if any(len(each) != 2 for each in pairs) or (rank is not None and len(pairs) != rank):
        raise errors.InvalidArgumentError(
            f"{who}: `paddings` must have shape ({rank or 'rank'}, 2); got {pairs}.\n"
            "  Fix: give one [before, after] per axis."
        )
    if any(isinstance(each, int) and each < 0 for pair in pairs for each in pair):
        raise errors.InvalidArgumentError(
            f"{who}: `paddings` must not be negative; got {pairs}.\n  Fix: use a slice to crop."
        )
    return pairs


def pad(tensor, paddings, mode="CONSTANT", constant_values: Any = 0, name=None):
    """Add elements before and after each axis.

    Args:
        tensor: A Tensor of rank r.
        paddings: r pairs `[before, after]`.
        mode: "CONSTANT", "REFLECT" (mirror without the edge) or "SYMMETRIC" (with it), in any
            case.
        constant_values: The scalar to pad with in the constant mode.
        name: Accepted, unused.

    Returns:
        A Tensor of the dtype of `tensor`.

    Raises:
        InvalidArgumentError: there is not one pair per axis, or a size is negative or, for
            mirrors, larger than the axis.
        ValueError: `mode` is unknown.

    Example:
        >>> tf.pad([1, 2, 3], [[2, 0]], "REFLECT").numpy()
        array([3, 2, 1, 2, 3], dtype=int32)
    """
    tensor = convert_to_tensor(tensor)
    pairs = _pairs(paddings, tensor.shape.rank, "tf.pad")
    kind = mode.lower()
    if kind == "constant":
        if tensor.dtype.is_bool and not isinstance(constant_values, Tensor | Variable):
            constant_values = bool(constant_values)
        return _pad(tensor, constant_values, paddings=pairs)
    if kind not in ("reflect", "symmetric"):
        raise ValueError(
            f'tf.pad: `mode` must be "CONSTANT", "REFLECT" or "SYMMETRIC"; got {mode!r}.\n'
            "  Fix: use one of these three."
        )
    return _pad_mirrored(tensor, paddings=pairs, mode=kind)


# --- reversing and rolling ------------------------------------------------------------------------


@op
def _reverse(tensor, *, axis):
    return lax.rev(tensor, [axis_in(each, jnp.ndim(tensor)) for each in axis])


def reverse(tensor, axis, name=None):
    """Reverse the order along axes.

    Args:
        tensor: A Tensor.
        axis: A list of axes.
        name: Accepted, unused.

    Returns:
        A Tensor of the same shape.

    Raises:
        InvalidArgumentError: an axis is out of range or given twice, or `axis` is no list.

    Example:
        >>> tf.reverse([1, 2, 3], [0]).numpy()
        array([3, 2, 1], dtype=int32)
    """
    if isinstance(axis, int) or np.ndim(axis) == 0:
        raise errors.InvalidArgumentError(
            f"tf.reverse: `axis` must be a list of axes; got {axis!r}.\n  Fix: axis=[{axis!r}]."
        )
    return _reverse(tensor, axis=static_ints(axis, "tf.reverse(axis)"))


@op
def _roll(input, *, shift, axis):
    return jnp.roll(input, shift, axis)


@op(mixed=True)
def _roll_by(input, shift, *, axis):
    return jnp.roll(input, shift, axis)


def roll(input, shift, axis, name=None):
    """Shift elements along axes; what leaves one end enters at the other.

    Args:
        input: A Tensor.
        shift: The number of places, or one per axis; it may be a Tensor.
        axis: The axis or axes.
        name: Accepted, unused.

    Returns:
        A Tensor of the same shape.

    Raises:
        InvalidArgumentError: an axis is out of range, or there is not one shift for each axis.

    Example:
        >>> tf.roll([1, 2, 3], 1, 0).numpy()
        array([3, 1, 2], dtype=int32)
    """
    input = convert_to_tensor(input)
    axes = tuple(axis_in(each, input.ndim) for each in static_ints(axis, "tf.roll(axis)"))
    if isinstance(shift, Tensor | Variable):
        _require_one_each(shift.shape.num_elements(), axes)
        return _roll_by(input, shift, axis=axes)
    shift = static_ints(shift, "tf.roll(shift)")
    _require_one_each(len(shift), axes)
    return _roll(input, shift=shift, axis=axes)


def _require_one_each(count, axes):
    if count not in (None, len(axes)):
        raise errors.InvalidArgumentError(
            f"tf.roll: `shift` must hold one number for each axis; got {count} for axes {axes}.\n"
            "  Fix: give as many shifts as axes."
        )


def reverse_sequence(input, seq_lengths, seq_axis=None, batch_axis=None, name=None):
    """Reverse the first steps of each row, and keep the others.

    Args:
        input: A Tensor.
        seq_lengths: An integer vector: the number of steps to reverse in each row.
        seq_axis: The axis of steps; None is 0.
        batch_axis: The axis of rows; None is 0.
        name: Accepted, unused.

    Returns:
        A Tensor of the same shape.

    Raises:
        InvalidArgumentError: the two axes are one, there is not one length for each row, or a
            length that is known without running a program is negative or larger than there are
            steps.

    Example:
        >>> tf.reverse_sequence([[1, 2, 3], [4, 5, 6]], [2, 3], seq_axis=1).numpy()
        array([[2, 1, 3],
               [6, 5, 4]], dtype=int32)
    """
    input, seq_lengths = convert_to_tensor(input), convert_to_tensor(seq_lengths)
    steps, rows = axis_in(seq_axis or 0, input.ndim), axis_in(batch_axis or 0, input.ndim)
    known = seq_lengths._host if local.trace.eager else None
    fits = steps != rows and seq_lengths.shape.is_compatible_with([input.shape[rows]])
    if fits and known is not None and known.size and known.dtype != object:
        fits = known.min() >= 0 and known.max() <= (input.shape[steps] or known.max())
    if not fits:
        raise errors.InvalidArgumentError(
            f"tf.reverse_sequence: `seq_lengths` must hold one length of axis {steps} for each row "
            f"along axis {rows}, another one; got {seq_lengths!s} for shape {input.shape}.\n"
            "  Fix: pass `seq_axis` and `batch_axis`, and lengths within the axis."
        )
    return _reverse_sequence(input, seq_lengths, seq_axis=steps, batch_axis=rows)


def _reverse_on_host(input, seq_lengths, *, seq_axis, batch_axis):
    rows = np.moveaxis(input, (batch_axis, seq_axis), (0, 1)).copy()
    for row, length in zip(rows, seq_lengths, strict=True):
        row[:length] = row[:length][::-1]
    return np.moveaxis(rows, (0, 1), (batch_axis, seq_axis))


def _type_of_reversed(kinds, seq_axis, batch_axis):
    return kinds[:1], None


@op(mixed=True, host=_reverse_on_host, infer=_type_of_reversed)
def _reverse_sequence(input, seq_lengths, *, seq_axis, batch_axis):
    steps = lax.broadcasted_iota(seq_lengths.dtype, input.shape, seq_axis)
    line = [-1 if i == batch_axis else 1 for i in range(input.ndim)]
    lengths = jnp.reshape(seq_lengths, line)
    places = jnp.where(steps < lengths, lengths - 1 - steps, steps)
    return jnp.take_along_axis(input, places, seq_axis)


# --- blocks of space ------------------------------------------------------------------------------


@op
def _space_to_batch(input, *, block, paddings):
    rank = len(block)
    rest = [(0, 0, 0)] * (jnp.ndim(input) - 1 - rank)
    widths = [(0, 0, 0), *[(a, b, 0) for a, b in paddings], *rest]
    padded = lax.pad(input, jnp.zeros((), input.dtype), widths)
    batch, tail = padded.shape[0], padded.shape[1 + rank :]
    cells = [each // size for each, size in zip(padded.shape[1:], block, strict=False)]
    pairs = [n for cell in zip(cells, block, strict=True) for n in cell]
    parts = jnp.reshape(padded, (batch, *pairs, *tail))
    inner, outer = range(2, 2 * rank + 1, 2), range(1, 2 * rank, 2)
    parts = jnp.transpose(parts, (*inner, 0, *outer, *range(2 * rank + 1, parts.ndim)))
    return jnp.reshape(parts, (batch * math.prod(block), *cells, *tail))


def space_to_batch(input, block_shape, paddings, name=None):
    """Move blocks of the space axes into the batch axis.

    Args:
        input: A Tensor `(B, s1, …, sM, …)`.
        block_shape: M block sizes, or one for all of `paddings`.
        paddings: M pairs of zeros to add; each padded size must be a multiple of its block.
        name: Accepted, unused.

    Returns:
        A Tensor `(B * prod(block_shape), s1 / b1, …, sM / bM, …)`.

    Example:
        >>> tf.space_to_batch(tf.zeros((1, 4, 4, 1)), [2, 2], [[0, 0], [0, 0]]).shape
        TensorShape([4, 2, 2, 1])
    """
    pairs = _pairs(paddings, None, "tf.space_to_batch")
    block = static_ints(block_shape, "tf.space_to_batch(block_shape)")
    block = block * len(pairs) if len(block) == 1 else block
    return _space_to_batch(input, block=block, paddings=pairs)


space_to_batch_nd = space_to_batch


@op
def _batch_to_space(input, *, block, crops):
    rank = len(block)
    cells, tail = input.shape[1 : 1 + rank], input.shape[1 + rank :]
    batch = input.shape[0] // math.prod(block)
    parts = jnp.reshape(input, (*block, batch, *cells, *tail))
    order = [n for i in range(rank) for n in (rank + 1 + i, i)]
    parts = jnp.transpose(parts, (rank, *order, *range(2 * rank + 1, parts.ndim)))
    sizes = [a * b for a, b in zip(cells, block, strict=True)]
    if any(isinstance(n, int) and a + b > n for n, (a, b) in zip(sizes, crops, strict=True)):
        raise errors.InvalidArgumentError(
            f"`crops` must leave something of the sizes {tuple(sizes)}; got {crops}.\n"
            "  Fix: crop less."
        )
    whole = jnp.reshape(parts, (batch, *sizes, *tail))
    widths = [(0, 0, 0), *[(-a, -b, 0) for a, b in crops], *[(0, 0, 0)] * len(tail)]
    return lax.pad(whole, jnp.zeros((), input.dtype), widths)


def batch_to_space(input, block_shape, crops, name=None):
    """Move parts of the batch axis into blocks of space: the inverse of `tf.space_to_batch`.

    Args:
        input: A Tensor `(B, s1, …, sM, …)`, B a multiple of `prod(block_shape)`.
        block_shape: M block sizes, or one for all of `crops`.
        crops: M pairs of elements to cut off afterwards.
        name: Accepted, unused.

    Returns:
        A Tensor `(B / prod(block_shape), s1 * b1 - crops, …, sM * bM - crops, …)`.

    Example:
        >>> tf.batch_to_space(tf.zeros((4, 2, 2, 1)), [2, 2], [[0, 0], [0, 0]]).shape
        TensorShape([1, 4, 4, 1])
    """
    pairs = _pairs(crops, None, "tf.batch_to_space")
    block = static_ints(block_shape, "tf.batch_to_space(block_shape)")
    block = block * len(pairs) if len(block) == 1 else block
    return _batch_to_space(input, block=block, crops=pairs)


def _require_block(input, block_size, who):
    """Return an image batch and the side of its blocks, 2 or more."""
    input, block_size = convert_to_tensor(input), static_int(block_size, f"{who}(block_size)")
    if input.ndim != 4 or block_size < 2:
        raise errors.InvalidArgumentError(
            f"{who}: `input` must have rank 4, and `block_size` be 2 or more; got shape "
            f"{input.shape} and {block_size}.\n  Fix: add the batch's axis."
        )
    return input, block_size


def _channels_last(fn, x, data_format):
    """Apply a function of NHWC images to images of either format."""
    if data_format == "NHWC":
        return fn(x)
    if data_format == "NCHW":
        return jnp.moveaxis(fn(jnp.moveaxis(x, 1, -1)), -1, 1)
    raise ValueError(
        f'`data_format` must be "NHWC" or "NCHW"; got {data_format!r}.\n  Fix: use one of these.'
    )


@op
def _space_to_depth(input, *, block_size, data_format):
    def move(x):
        batch, height, width, channels = x.shape
        cells = height // block_size, width // block_size
        x = jnp.reshape(x, (batch, cells[0], block_size, cells[1], block_size, channels))
        return jnp.reshape(jnp.swapaxes(x, 2, 3), (batch, *cells, block_size**2 * channels))

    return _channels_last(move, input, data_format)


def space_to_depth(input, block_size, data_format="NHWC", name=None):
    """Move square blocks of an image into its channels.

    Args:
        input: A Tensor `(B, H, W, C)`, or `(B, C, H, W)` as `data_format` says.
        block_size: The block's side b, which divides H and W.
        data_format: "NHWC" or "NCHW".
        name: Accepted, unused.

    Returns:
        A Tensor `(B, H / b, W / b, C * b * b)`, or its NCHW form.

    Raises:
        InvalidArgumentError: `input` has another rank, b is below 2 or does not divide H and W.

    Example:
        >>> tf.nn.space_to_depth(tf.zeros((1, 4, 4, 2)), 2).shape
        TensorShape([1, 2, 2, 8])
    """
    input, block_size = _require_block(input, block_size, "tf.nn.space_to_depth")
    return _space_to_depth(input, block_size=block_size, data_format=data_format)


@op
def _depth_to_space(input, *, block_size, data_format):
    def move(x):
        batch, height, width, channels = x.shape
        depth = channels // block_size**2
        x = jnp.reshape(x, (batch, height, width, block_size, block_size, depth))
        sides = height * block_size, width * block_size
        return jnp.reshape(jnp.swapaxes(x, 2, 3), (batch, *sides, depth))

    return _channels_last(move, input, data_format)


def depth_to_space(input, block_size, data_format="NHWC", name=None):
    """Move channels of an image into square blocks: the inverse of `tf.nn.space_to_depth`.

    Args:
        input: A Tensor `(B, H, W, C)`, or `(B, C, H, W)` as `data_format` says.
        block_size: The block's side b; b * b divides C.
        data_format: "NHWC" or "NCHW".
        name: Accepted, unused.

    Returns:
        A Tensor `(B, H * b, W * b, C / (b * b))`, or its NCHW form.

    Raises:
        InvalidArgumentError: `input` has another rank, b is below 2, or b * b does not divide C.

    Example:
        >>> tf.nn.depth_to_space(tf.zeros((1, 2, 2, 8)), 2).shape
        TensorShape([1, 4, 4, 2])
    """
    input, block_size = _require_block(input, block_size, "tf.nn.depth_to_space")
    return _depth_to_space(input, block_size=block_size, data_format=data_format)
