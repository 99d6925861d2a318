"""Convolutions of JAX arrays, both ways, with gradients that are fast on CPU.

A convolution, its gradient for the input (a transposed convolution) and its gradient for the
filters are three operations on one geometry, and the derivative of each is made of the other two.
JAX derives them too, but as convolutions that slide the output over the input, or over filters with
their axes exchanged. XLA's CPU compiler runs some of these 4 times slower, and in loops, where it
does not put them right, up to 200 times (measured: 3 x 3 and 4 x 4 filters, 16 to 512 channels).
"""

import functools
import itertools
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.custom_derivatives import SymbolicZero

from lamina.ops import windows
from lamina.ops.normalization import widen

__all__ = ["Geometry", "convolve", "deconvolve", "dimension_numbers"]

# Up to this many taps a convolution of one channel is a sum of shifted products, and the filters'
# gradient of a few channels, an image's, is one product of all windows.
_FUSED_TAPS = 25
_FEW_CHANNELS = 4

# Up to this many taps each gets a product of its own in the filters' gradient. More run in a loop,
# which takes a quarter to a half longer, and compiles two kernels, not one of 30 ms for each tap.
_WRITTEN_TAPS = 9


def dimension_numbers(rank, first, filters="IO"):
    """Return lax's names of the axes of input, filters and output."""
    space = "DHW"[3 - rank :]
    data = f"NC{space}" if first else f"N{space}C"
    return data, space + filters, data


class Geometry(NamedTuple):
    """How a convolution without groups slides over its input.

    Attributes:
        sizes: The spatial sizes of its input.
        pads: Zeros (before, after) on each spatial axis.
        strides: Steps of the window.
        dilations: Distances between the filter's entries.
        first: Whether channels come first.
    """

    sizes: tuple[Any, ...]
    pads: tuple[tuple[Any, Any], ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    first: bool

    @property
    def is_for_cpu(self):
        """Whether to compute in the ways that are fast on CPU: all sizes are known there."""
        known = all(isinstance(n, int) for n in itertools.chain(self.sizes, *self.pads))
        return known and jax.default_backend() == "cpu"

    def spans(self, filters):
        """Return what the window spans on each axis."""
        return [(n - 1) * d + 1 for n, d in zip(filters.shape[:-2], self.dilations, strict=True)]


def convolve(geometry, x, filters):
    """Return the convolution.

    Args:
        geometry: How it slides.
        x: ``(B, *sizes, C)``, or channels first.
        filters: ``(*window, C, outputs)``.
    """
    return _channels_last(_convolve, geometry, x, filters)


def deconvolve(geometry, y, filters):
    """Return the transposed convolution, which takes the convolution's output to its input.

    Args:
        geometry: How the convolution slides.
        y: ``(B, *space, outputs)``, or channels first.
        filters: ``(*window, C, outputs)``.
    """
    return _channels_last(_deconvolve, geometry, y, filters)


def _channels_last(function, geometry, x, filters):
    if not (geometry.first and geometry.is_for_cpu):
        return function(geometry, x, filters)
    last = geometry._replace(first=False)
    return jnp.moveaxis(function(last, jnp.moveaxis(x, 1, -1), filters), -1, 1)


def _convolved(geometry, x, filters):
    rank = len(geometry.sizes)
    few = math.prod(filters.shape[:-2]) <= _FUSED_TAPS
    if filters.shape[-2] == 1 and few and geometry.is_for_cpu:
        return _summed(geometry, x, filters)
    return lax.conv_general_dilated(
        x,
        filters,
        geometry.strides,
        geometry.pads,
        rhs_dilation=geometry.dilations,
        dimension_numbers=dimension_numbers(rank, geometry.first),
    )


def _summed(geometry, x, filters):
    """Return the convolution of one channel: a sum of products, which XLA fuses."""
    wide = _padded(widen(x), [(*pads, 0) for pads in geometry.pads])
    window = filters.shape[:-2]
    total: Any = 0
    for tap, seen in windows.taps(wide, window, geometry.strides, geometry.dilations):
        total += seen * widen(filters[tap][0])
    return total.astype(x.dtype)


def _deconvolved(geometry, y, filters):
    axes = windows.spatial_axes(len(geometry.sizes), geometry.first)
    pads = []
    for i, span in enumerate(geometry.spans(filters)):
        low = span - 1 - geometry.pads[i][0]
        inside = (y.shape[axes[i]] - 1) * geometry.strides[i] + 1
        pads.append((low, geometry.sizes[i] - inside - low + span - 1))
    rank = len(pads)
    filters, kind = jnp.flip(filters, tuple(range(rank))), "OI"
    if geometry.is_for_cpu:  # in loops XLA runs filters of exchanged axes 30 times slower
        filters, kind = jnp.swapaxes(filters, -1, -2), "IO"
    return lax.conv_general_dilated(
        y,
        filters,
        (1,) * rank,
        pads,
        lhs_dilation=geometry.strides,
        rhs_dilation=geometry.dilations,
        dimension_numbers=dimension_numbers(rank, geometry.first, kind),
    )


def _filters_gradient(geometry, x, y, filters):
    """Return the gradient of a convolution's filters, given that of its output, y."""
    if not geometry.is_for_cpu:
        return _transposed(lambda f: _convolved(geometry, x, f), filters, y)
    window, inputs, outputs = filters.shape[:-2], *filters.shape[-2:]
    pads, turned = [], []
    for i, span in enumerate(geometry.spans(filters)):
        low, size, count = geometry.pads[i][0], x.shape[i + 1], y.shape[i + 1]
        pads.append((low, (count - 1) * geometry.strides[i] + span - size - low, 0))
        turned.append((span - 1 - low, size + low - count, 0))
    if outputs < min(inputs, 16) and set(geometry.strides) == {1}:
        # There are fewer outputs to cut out than inputs: slide them over the inputs.
        found = _products(geometry, _padded(y, turned), x, window)
        return jnp.swapaxes(jnp.flip(found, tuple(range(len(window)))), -1, -2)
    return _products(geometry, _padded(x, pads), y, window)


def _padded(x, pads):
    """Return x with zeros on its spatial axes."""
    return lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), *pads, (0, 0, 0)])


def _products(geometry, x, y, window):
    """Return for each tap of the window the product of what it sees of x with y, over all places.

    Args:
        geometry: For strides and dilations.
        x: ``(B, *padded space, C)``.
        y: ``(B, *space, D)``.
        window: The window's sizes.

    Returns:
        ``(*window, C, D)``.
    """
    taps = math.prod(window)
    # As matrices: of other products XLA transposes the arrays, when these are transposed back.
    over = _as_matrix(y)
    few = x.shape[-1] <= _FEW_CHANNELS and taps <= _FUSED_TAPS
    counts = y.shape[1:-1]
    if few and all(counts):
        found = _as_matrix(_seen(geometry, x, counts, window)).T @ over
    elif few or taps <= _WRITTEN_TAPS:
        parts = windows.taps(x, window, geometry.strides, geometry.dilations)
        found = [_as_matrix(part).T @ over for _, part in parts]
    else:
        starts = np.indices(window).reshape(len(window), -1).T * np.array(geometry.dilations)
        lengths = ((n - 1) * stride + 1 for n, stride in zip(counts, geometry.strides, strict=True))
        shape = (x.shape[0], *lengths, x.shape[-1])
        steps = (1, *geometry.strides, 1)

        def product(start):
            part = lax.dynamic_slice(x, (0, *start, 0), shape)
            return _as_matrix(lax.slice(part, (0,) * len(shape), shape, steps)).T @ over

        found = lax.map(product, starts)
    return jnp.reshape(jnp.asarray(found), (*window, x.shape[-1], y.shape[-1]))


def _seen(geometry, x, counts, window):
    """Return what the window sees at each place, ``(B, *counts, taps * C)``: one axis at a time.

    So XLA compiles a kernel for each row and each column of the window, not one for each tap.
    """
    steps = list(zip(counts, window, geometry.strides, geometry.dilations, strict=True))
    for axis, (count, taps, stride, dilation) in reversed(list(enumerate(steps, 1))):
        length = (count - 1) * stride + 1
        starts = [tap * dilation for tap in range(taps)]
        parts = [lax.slice_in_dim(x, at, at + length, stride, axis) for at in starts]
        x = jnp.concatenate(parts, -1)
    return x


def _as_matrix(x):
    return jnp.reshape(x, (-1, x.shape[-1]))


def _transposed(function, like, change):
    """Return the transpose of a linear function, applied; transposed back, it is the function."""
    (found,) = jax.linear_transpose(function, like)(change)
    return found


def _differentiable(function, other):
    """Return a function of (geometry, x, filters) whose gradient for x is the other one.

    The changes are written as transposes of what the gradients are: a backward pass transposes
    them back, and runs these.
    """
    made = jax.custom_jvp(function, nondiff_argnums=(0,))
    forward = function is _convolved

    def derivative(geometry, primals, tangents):
        (x, filters), (dx, dfilters) = primals, tangents
        y = made(geometry, x, filters)

        def gradient(y):
            ends = (x, y) if forward else (y, x)
            return _filters_gradient(geometry, *ends, filters)

        changes = []
        if not isinstance(dx, SymbolicZero):
            changes.append(_transposed(lambda y: other(geometry, y, filters), y, dx))
        if not isinstance(dfilters, SymbolicZero):
            changes.append(_transposed(gradient, y, dfilters))
        return y, functools.reduce(jnp.add, changes) if changes else jnp.zeros_like(y)

    made.defjvp(derivative, symbolic_zeros=True)
    return made


_convolve = _differentiable(_convolved, _deconvolved)
_deconvolve = _differentiable(_deconvolved, _convolved)
