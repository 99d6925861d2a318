"""Sliding windows: layouts, sizes, strides and paddings as TF and Keras spell them.

What convolutions and poolings share. A layout is one boolean: whether channels come first.
"""

import dataclasses
import functools
import itertools
from typing import Any

import jax.numpy as jnp
from jax import lax

from lamina.engine import errors, static_ints

__all__ = [
    "Sliding",
    "channels_come_first",
    "output_size",
    "pads",
    "per_axis",
    "require_plain",
    "require_windows",
    "shifted",
    "sliding",
    "spatial_axes",
    "spelled_padding",
    "taps",
]

_MSG_TOO_LARGE = (
    "the window must fit into the padded input; got a window that spans {span}, an input of size "
    "{size}.\n  Fix: use padding 'SAME', or a smaller window."
)
_LAST = frozenset({None, "channels_last", "NWC", "NHWC", "NDHWC"})
_FIRST = frozenset({"channels_first", "NCW", "NCHW", "NCDHW"})


def channels_come_first(data_format, who):
    """Return whether ``data_format`` puts channels before the spatial axes.

    Args:
        data_format: TF's ("NHWC", "NCW", …) or Keras's ("channels_last") name, or None.
        who: The function to name in errors.

    Raises:
        ArgumentError: the name is unknown.
    """
    if data_format in _LAST:
        return False
    if data_format in _FIRST:
        return True
    raise errors.ArgumentError(
        f"{who}: `data_format` must be one of NWC, NHWC, NDHWC, NCW, NCHW, NCDHW, channels_last, "
        f"channels_first; got {data_format!r}.\n  Fix: 'NHWC' is the usual one for images."
    )


def spatial_axes(rank, first):
    """Return the spatial axes of an input with ``rank`` of them after one batch axis."""
    return tuple(range(2, rank + 2)) if first else tuple(range(1, rank + 1))


def per_axis(value, rank, first, who):
    """Return one int for each spatial axis.

    Args:
        value: None (all 1), an int, or a sequence of 1, ``rank`` or ``rank + 2`` ints, the last
            with batch and channels at their places in the layout.
        rank: How many spatial axes there are.
        first: Whether channels come first.
        who: Function and argument to name in errors.

    Raises:
        ValueError: the length does not fit.
        ArgumentError: an entry is not positive.
        InvalidArgumentError: batch or channel entries are not 1.
    """
    if value is None:
        return (1,) * rank
    sizes = (value,) if type(value) is int else static_ints(value, who)
    if len(sizes) == 1:
        sizes = sizes * rank
    elif len(sizes) == rank + 2:
        batch, channel = sizes[0], sizes[1 if first else -1]
        if (batch, channel) != (1, 1):
            raise errors.InvalidArgumentError(
                f"{who} must be 1 for batch and channels; got {sizes}.\n"
                "  Fix: windows move along the spatial axes only."
            )
        sizes = sizes[2:] if first else sizes[1:-1]
    if len(sizes) != rank:
        raise ValueError(
            f"{who} must be an int, or have 1, {rank} or {rank + 2} entries; got {sizes}.\n"
            "  Fix: give one entry for each spatial axis."
        )
    if any(size < 1 for size in sizes):
        raise errors.ArgumentError(
            f"{who} must be positive; got {sizes}.\n  Fix: 1 is the smallest value."
        )
    return sizes


def spelled_padding(padding, rank, first, who) -> Any:
    """Return a padding as "SAME", "VALID", "CAUSAL", or one (before, after) for each spatial axis.

    Args:
        padding: A name in any case, or pairs for the spatial or for all axes.
        rank: How many spatial axes there are.
        first: Whether channels come first.
        who: The function to name in errors.

    Raises:
        ArgumentError: the name is unknown, or pairs are missing.
        InvalidArgumentError: batch or channels would be padded.
    """
    if isinstance(padding, str):
        name = padding.upper()
        if name in ("SAME", "VALID") or (name == "CAUSAL" and rank == 1):
            return name
    elif isinstance(padding, list | tuple) and len(padding) in (rank, rank + 2):
        pairs = tuple(static_ints(pair, f"{who}: `padding`") for pair in padding)
        if len(pairs) == rank + 2:
            if pairs[0] != (0, 0) or pairs[1 if first else -1] != (0, 0):
                raise errors.InvalidArgumentError(
                    f"{who}: `padding` must be [0, 0] for batch and channels; got {padding}.\n"
                    "  Fix: pad spatial axes only."
                )
            pairs = pairs[2:] if first else pairs[1:-1]
        if all(len(pair) == 2 for pair in pairs):
            return pairs
    raise errors.ArgumentError(
        f"{who}: `padding` must be 'SAME', 'VALID', or a list with [before, after] for each axis; "
        f"got {padding!r}.\n  Fix: 'SAME' keeps the size at stride 1, 'VALID' adds nothing."
    )


@dataclasses.dataclass(frozen=True)
class Sliding:
    """How a window slides: the static attribute of every kernel in this family.

    Attributes:
        strides: Steps of the window, one for each spatial axis.
        padding: What `spelled_padding` returned.
        dilations: Distances between the window's entries.
        first: Whether channels come first.
        window: Sizes of the window; None where filters have them.
    """

    strides: tuple[int, ...]
    padding: str | tuple[tuple[int, int], ...]
    dilations: tuple[int, ...]
    first: bool
    window: tuple[int, ...] | None = None

    @property
    def axes(self):
        """The spatial axes of the input."""
        return spatial_axes(len(self.strides), self.first)

    def pads(self, sizes, window):
        """Return the (before, after) zeros for each spatial axis of an input."""
        return pads(self.padding, sizes, window, self.strides, self.dilations)


def _hashable(value):
    return tuple(map(_hashable, value)) if isinstance(value, list | tuple) else value


@functools.lru_cache(maxsize=1024)
def _sliding(who, rank, strides, padding, data_format, dilations, window):
    first = channels_come_first(data_format, who)
    sizes = None if window is None else per_axis(window, rank, first, f"{who}: `ksize`")
    if strides is None and sizes is not None:
        strides = sizes
    return Sliding(
        strides=per_axis(strides, rank, first, f"{who}: `strides`"),
        padding=spelled_padding(padding, rank, first, who),
        dilations=per_axis(dilations, rank, first, f"{who}: `dilations`"),
        first=first,
        window=sizes,
    )


def sliding(who, rank, strides, padding, data_format, dilations: Any = 1, window=None):
    """Return how a window slides, from arguments as TF and Keras spell them.

    Args:
        who: The function to name in errors.
        rank: How many spatial axes there are.
        strides: See `per_axis`; None is the window's size, or 1 where there is none.
        padding: See `spelled_padding`.
        data_format: See `channels_come_first`.
        dilations: See `per_axis`.
        window: See `per_axis`; None where filters have the sizes.

    Raises:
        ValueError: an argument is not one of those.
    """
    arguments = [_hashable(v) for v in (strides, padding, data_format, dilations, window)]
    try:
        return _sliding(who, rank, *arguments)
    except TypeError:  # Tensors and arrays do not hash
        return _sliding.__wrapped__(who, rank, *arguments)


def pads(padding, sizes, windows, strides, dilations):
    """Return the (before, after) zeros for each spatial axis.

    Args:
        padding: What `spelled_padding` returned.
        sizes: Input sizes.
        windows: Window sizes.
        strides: Steps of the window.
        dilations: Distances between the window's entries.
    """
    if padding == "VALID":
        return tuple((0, 0) for _ in sizes)
    if padding == "CAUSAL":
        return (((windows[0] - 1) * dilations[0], 0),)
    if padding != "SAME":
        return padding
    found = []
    for size, window, stride, dilation in zip(sizes, windows, strides, dilations, strict=True):
        missing = (-(-size // stride) - 1) * stride + (window - 1) * dilation + 1 - size
        missing = max(missing, 0)
        found.append((missing // 2, missing - missing // 2))
    return tuple(found)


def output_size(size, window, stride, dilation):
    """Return how many windows fit into a (padded) size; 0 where the window is a little too large.

    Raises:
        InvalidArgumentError: the window is too large by two steps or more: TF's kernels divide by
            the stride, which drops the fraction, and refuse what is below 0 then.
    """
    span = (window - 1) * dilation + 1
    if not isinstance(size, int):
        return (size - span) // stride + 1
    if size and size - span + 2 * stride <= 0:
        raise errors.InvalidArgumentError(_MSG_TOO_LARGE.format(span=span, size=size))
    return max((size - span) // stride + 1, 0)


def require_plain(strides, dilations, padding, rank, data_format, who):
    """Raise for dilated windows that TF does not slide: by steps, or padded with "SAME" to pool.

    Args:
        strides: See `per_axis`.
        dilations: See `per_axis`.
        padding: A name, None where "SAME" is no matter.
        rank: How many spatial axes there are.
        data_format: See `channels_come_first`.
        who: The function to name in errors.

    Raises:
        ValueError: dilations above 1 come with such.
    """
    first = channels_come_first(data_format, who)
    apart = per_axis(dilations, rank, first, f"{who}: `dilations`")
    steps = per_axis(strides, rank, first, f"{who}: `strides`")
    if max(apart) > 1 and (max(steps) > 1 or padding == "SAME"):
        raise ValueError(
            f"{who}: `dilations` above 1 go with strides of 1, and in pooling with 'VALID'; got "
            f"dilations {apart}, strides {steps}, padding {padding!r}.\n"
            "  Fix: leave one of them at 1."
        )


def require_windows(result, given, space, who, eager):
    """Return `result` unless windows were too large for `given` where TF refuses that.

    TF's kernels give an empty result in eager code (`output_size`); where shapes are inferred
    first, in functions, TF raises.

    Raises:
        ArgumentError: a spatial size of `result` is 0, and not that of `given`.
    """
    if eager or 0 not in result.shape:
        return result
    for axis in space:
        if result.shape[axis] == 0 and given.shape[axis]:
            message = _MSG_TOO_LARGE.format(span="more", size=given.shape[axis])
            raise errors.ArgumentError(f"{who}: {message}")
    return result


def shifted(x, axis, offset, count, stride):
    """Return ``count`` entries along ``axis``, from ``offset`` on, ``stride`` apart."""
    if isinstance(count, int) and count == 0:
        return lax.slice_in_dim(x, 0, 0, 1, axis)
    return lax.slice_in_dim(x, offset, offset + (count - 1) * stride + 1, stride, axis)


def taps(x, sizes, strides, dilations):
    """Yield (index of the tap, the input as the tap sees it), over all taps of a window.

    Args:
        x: ``(B, *space, C)``, padded.
        sizes: Window sizes.
        strides: Steps of the window.
        dilations: Distances between the window's entries.
    """
    counts = [
        output_size(x.shape[axis], *window)
        for axis, window in enumerate(zip(sizes, strides, dilations, strict=True), 1)
    ]
    if any(isinstance(count, int) and count == 0 for count in counts):
        x = jnp.zeros((x.shape[0], *counts, x.shape[-1]), x.dtype)
        yield from ((tap, x) for tap in itertools.product(*map(range, sizes)))
        return
    steps = (1, *strides, 1)
    for tap in itertools.product(*map(range, sizes)):
        starts, ends = [0], [x.shape[0]]
        for i, at in enumerate(tap):
            starts.append(at * dilations[i])
            ends.append(starts[-1] + (counts[i] - 1) * strides[i] + 1)
        yield tap, lax.slice(x, (*starts, 0), (*ends, x.shape[-1]), steps)
