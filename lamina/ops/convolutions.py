"""Convolutions: 1 to 3 spatial axes, strided, dilated, grouped, depthwise, separable."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from lamina.engine import convert_to_tensor, local, op, static_ints
from lamina.ops import windows
from lamina.ops.convolved import Geometry, convolve, dimension_numbers
from lamina.ops.normalization import widen

__all__ = [
    "atrous_conv2d",
    "conv",
    "conv1d",
    "conv2d",
    "conv3d",
    "convolution",
    "depthwise_conv",
    "depthwise_conv2d",
    "depthwise_conv2d_backprop_filter",
    "depthwise_conv2d_backprop_input",
    "separable_conv",
    "separable_conv2d",
]

# Above this many filter taps a depthwise convolution is left to XLA's grouped one.
_MOST_TAPS = 64


def _require_channels(x, filters, first):
    """Return the number of groups; raise unless the filters fit the channels."""
    if x.ndim < filters.ndim:
        raise ValueError(
            f"the input must have rank {filters.ndim} or more, for filters of shape "
            f"{tuple(filters.shape)}; got shape {tuple(x.shape)}.\n"
            "  Fix: add the missing batch or channel axis with tf.expand_dims."
        )
    channels = x.shape[-filters.ndim + 1 if first else -1]
    if channels % filters.shape[-2] != 0 or filters.shape[-1] * filters.shape[-2] % channels != 0:
        raise ValueError(
            f"the input's channels must be a multiple of those of the filters, and their ratio "
            f"must divide the outputs; got {channels} channels, filters {tuple(filters.shape)}.\n"
            "  Fix: filters are (…, channels / groups, outputs); check the data format."
        )
    return channels // filters.shape[-2]


def _is_matmul(filters, padding, groups):
    return groups == 1 and padding in ("SAME", "VALID") and set(filters.shape[:-2]) == {1}


def _pointwise(x, filters, how):
    """Return a convolution with window 1: a matrix product, which is faster as one."""
    for axis, stride in zip(how.axes, how.strides, strict=True):
        if stride > 1:
            x = lax.slice_in_dim(x, 0, x.shape[axis], stride, axis)
    weights = jnp.reshape(filters, filters.shape[-2:])
    if how.first:
        return jnp.moveaxis(jnp.tensordot(x, weights, axes=[[1], [0]]), -1, 1)
    return jnp.matmul(x, weights)


def _for_lax(pads, how):
    """Return the padding as lax takes it: by name where unknown sizes make it symbolic."""
    known = all(isinstance(n, int) for pair in pads for n in pair)
    return pads if known else how.padding


def _sliding(x, filters, how, groups):
    """Return a convolution over one batch axis."""
    rank = filters.ndim - 2
    sizes = tuple(x.shape[axis] for axis in how.axes)
    pads = how.pads(sizes, filters.shape[:rank])
    steps = zip(how.strides, how.dilations, strict=True)
    counts = [
        windows.output_size(size + sum(pad), window, *step)
        for size, pad, window, step in zip(sizes, pads, filters.shape, steps, strict=False)
    ]
    if any(isinstance(count, int) and count == 0 for count in counts):
        outputs = filters.shape[-1]
        after = (outputs, *counts) if how.first else (*counts, outputs)
        return jnp.zeros((x.shape[0], *after), x.dtype)
    geometry = Geometry(sizes, pads, how.strides, how.dilations, how.first)
    if groups == 1 and geometry.is_for_cpu:
        return convolve(geometry, x, filters)
    return lax.conv_general_dilated(
        x,
        filters,
        how.strides,
        _for_lax(pads, how),
        rhs_dilation=how.dilations,
        dimension_numbers=dimension_numbers(rank, how.first),
        feature_group_count=groups,
    )


@op
def _conv(x, filters, *, how):
    groups = _require_channels(x, filters, how.first)
    rank = filters.ndim - 2
    leading = x.shape[: x.ndim - rank - 1]
    if len(leading) > 1:
        x = jnp.reshape(x, (-1, *x.shape[len(leading) :]))
    if _is_matmul(filters, how.padding, groups):
        y = _pointwise(x, filters, how)
    else:
        y = _sliding(x, filters, how, groups)
    return jnp.reshape(y, (*leading, *y.shape[1:])) if len(leading) > 1 else y


def _require_some(result, x, how, who):
    if 0 in result.shape:
        x = convert_to_tensor(x)
        leading = x.ndim - len(how.strides) - 2  # more than one batch axis
        space = [each + leading for each in how.axes]
        windows.require_windows(result, x, space, who, local.trace.eager)
    return result


def _convolve(who, x, filters, rank, strides, padding, data_format, dilations):
    how = windows.sliding(who, rank, strides, padding, data_format, dilations)
    return _require_some(_conv(x, filters, how=how), x, how, who)


def _rank_of(filters, who):
    shape = getattr(filters, "shape", None)
    rank = (len(jnp.shape(filters)) if shape is None else len(shape)) - 2
    if rank not in (1, 2, 3):
        raise ValueError(
            f"{who}: `filters` must have rank 3, 4 or 5; got rank {rank + 2}.\n"
            "  Fix: filters are (window…, channels, outputs)."
        )
    return rank


def conv1d(input, filters, stride, padding, data_format="NWC", dilations=None, name=None):
    """Convolve sequences.

    Args:
        input: Floating point, ``(…, W, C)``, or ``(…, C, W)`` for NCW.
        filters: ``(window, C / groups, outputs)``, same dtype.
        stride: Step of the window.
        padding: "SAME", "VALID", or pairs of zeros.
        data_format: "NWC" or "NCW".
        dilations: Distance between the filter's entries; None is 1.
        name: Accepted, unused.

    Returns:
        ``(…, W', outputs)`` in the same layout and dtype; W' is ``ceil(W / stride)`` for SAME.

    Raises:
        ValueError: shapes, padding or data format do not fit.
        InvalidArgumentError: the window is larger than the padded input.

    Example:
        >>> x = tf.reshape(tf.constant([1.0, 2.0, 3.0]), (1, 3, 1))
        >>> tf.nn.conv1d(x, tf.ones((2, 1, 1)), 1, "VALID").numpy().ravel()
        array([3., 5.], dtype=float32)
    """
    return _convolve("tf.nn.conv1d", input, filters, 1, stride, padding, data_format, dilations)


def conv2d(input, filters, strides, padding, data_format="NHWC", dilations=None, name=None):
    """Convolve images.

    Args:
        input: Floating point, ``(…, H, W, C)``, or ``(…, C, H, W)`` for NCHW.
        filters: ``(rows, columns, C / groups, outputs)``, same dtype.
        strides: Steps of the window: 1, 2 or 4 ints.
        padding: "SAME", "VALID", or pairs of zeros for each of the four axes.
        data_format: "NHWC" or "NCHW".
        dilations: Distances between the filter's entries; None is 1.
        name: Accepted, unused.

    Returns:
        ``(…, H', W', outputs)`` in the same layout and dtype.

    Raises:
        ValueError: shapes, padding or data format do not fit.
        InvalidArgumentError: the window is larger than the padded input.

    Example:
        >>> x = tf.ones((1, 3, 3, 1))
        >>> tf.nn.conv2d(x, tf.ones((2, 2, 1, 1)), 1, "VALID").numpy().ravel()
        array([4., 4., 4., 4.], dtype=float32)
    """
    return _convolve("tf.nn.conv2d", input, filters, 2, strides, padding, data_format, dilations)


def conv3d(input, filters, strides, padding, data_format="NDHWC", dilations=None, name=None):
    """Convolve volumes.

    Args:
        input: Floating point, ``(…, D, H, W, C)``, or ``(…, C, D, H, W)`` for NCDHW.
        filters: ``(depth, rows, columns, C / groups, outputs)``, same dtype.
        strides: Steps of the window: 1, 3 or 5 ints.
        padding: "SAME", "VALID", or pairs of zeros.
        data_format: "NDHWC" or "NCDHW".
        dilations: Distances between the filter's entries; None is 1.
        name: Accepted, unused.

    Returns:
        ``(…, D', H', W', outputs)`` in the same layout and dtype.

    Raises:
        ValueError: shapes, padding or data format do not fit.
        InvalidArgumentError: the window is larger than the padded input.

    Example:
        >>> x = tf.ones((1, 2, 2, 2, 1))
        >>> tf.nn.conv3d(x, tf.ones((2, 2, 2, 1, 1)), 1, "VALID").numpy().ravel()
        array([8.], dtype=float32)
    """
    return _convolve("tf.nn.conv3d", input, filters, 3, strides, padding, data_format, dilations)


def convolution(
    input, filters, strides=None, padding="VALID", data_format=None, dilations=None, name=None
):
    """Convolve over 1, 2 or 3 spatial axes, as the filters say.

    Args:
        input: Floating point, ``(…, *space, C)``, or ``(…, C, *space)``.
        filters: ``(*window, C / groups, outputs)``, same dtype.
        strides: Steps of the window; None is 1.
        padding: "SAME", "VALID", or pairs of zeros.
        data_format: None or "N…C" for channels last, "NC…" for channels first.
        dilations: Distances between the filter's entries; None is 1.
        name: Accepted, unused.

    Returns:
        ``(…, *space', outputs)`` in the same layout and dtype.

    Raises:
        ValueError: shapes, padding or data format do not fit, or strides and dilations are above 1.

    Example:
        >>> x = tf.ones((1, 3, 1))
        >>> tf.nn.convolution(x, tf.ones((2, 1, 1))).numpy().ravel()
        array([2., 2.], dtype=float32)
    """
    who = "tf.nn.convolution"
    rank = _rank_of(filters, who)
    windows.require_plain(strides, dilations, None, rank, data_format, who)
    return _convolve(who, input, filters, rank, strides, padding, data_format, dilations)


def atrous_conv2d(value, filters, rate, padding, name=None):
    """Convolve images with filters whose entries stand ``rate`` apart.

    Args:
        value: Floating point, ``(B, H, W, C)``.
        filters: ``(rows, columns, C, outputs)``, same dtype.
        rate: Distance between the filter's entries, on both axes.
        padding: "SAME" or "VALID".
        name: Accepted, unused.

    Returns:
        ``(B, H', W', outputs)``, same dtype.

    Raises:
        ValueError: shapes or padding do not fit.

    Example:
        >>> x = tf.ones((1, 3, 3, 1))
        >>> tf.nn.atrous_conv2d(x, tf.ones((2, 2, 1, 1)), 2, "VALID").numpy().ravel()
        array([4.], dtype=float32)

    Reference: Chen et al. 2018, https://arxiv.org/abs/1606.00915.
    """
    return _convolve("tf.nn.atrous_conv2d", value, filters, 2, 1, padding, "NHWC", rate)


def conv(
    inputs, kernel, strides: Any = 1, padding="valid", data_format=None, dilation_rate: Any = 1
):
    """Convolve as Keras spells it; "causal" padding too, for sequences.

    Args:
        inputs: Floating point, ``(B, *space, C)``, or channels first.
        kernel: ``(*window, C / groups, outputs)``, same dtype.
        strides: Steps of the window: an int, or one for each spatial axis.
        padding: "valid", "same" or "causal".
        data_format: "channels_last" or "channels_first"; None is the first.
        dilation_rate: Distances between the kernel's entries.

    Returns:
        ``(B, *space', outputs)`` in the same layout and dtype.

    Raises:
        ValueError: shapes, padding or data format do not fit.

    Example:
        >>> from lamina import ops
        >>> ops.conv(tf.ones((1, 3, 1)), tf.ones((2, 1, 1)), padding="causal").numpy().ravel()
        array([1., 2., 2.], dtype=float32)
    """
    rank = _rank_of(kernel, "conv")
    return _convolve("conv", inputs, kernel, rank, strides, padding, data_format, dilation_rate)


@op
def _depthwise(x, filters, *, how):
    rank = filters.ndim - 2
    channels, multiplier = filters.shape[-2:]
    if x.ndim != rank + 2 or x.shape[1 if how.first else -1] != channels:
        raise ValueError(
            f"the filters must have the input's channels; got filters {tuple(filters.shape)}, "
            f"input {tuple(x.shape)}.\n  Fix: filters are (window…, channels, multiplier)."
        )
    pads = how.pads([x.shape[axis] for axis in how.axes], filters.shape[:rank])
    taps = 1
    for size in filters.shape[:rank]:
        taps *= size
    if taps > _MOST_TAPS:
        return lax.conv_general_dilated(
            x,
            jnp.reshape(filters, (*filters.shape[:rank], 1, channels * multiplier)),
            how.strides,
            _for_lax(pads, how),
            rhs_dilation=how.dilations,
            dimension_numbers=dimension_numbers(rank, how.first),
            feature_group_count=channels,
        )
    if how.first:
        x = jnp.moveaxis(x, 1, -1)
    # A sum of shifted products: XLA fuses it, and on CPU it is 30 times faster than a grouped
    # convolution (measured: 3 × 3 filters, 64 × 28 × 28 × 32).
    wide = jnp.pad(widen(x), ((0, 0), *pads, (0, 0)))
    total: Any = 0
    for tap, seen in windows.taps(wide, filters.shape[:rank], how.strides, how.dilations):
        weights = widen(filters[tap])
        total += seen * weights[:, 0] if multiplier == 1 else seen[..., None] * weights
    if multiplier > 1:
        total = jnp.reshape(total, (*total.shape[:-2], channels * multiplier))
    total = total.astype(x.dtype)
    return jnp.moveaxis(total, -1, 1) if how.first else total


def _depthwise_convolve(who, x, filters, rank, strides, padding, data_format, dilations):
    how = windows.sliding(who, rank, strides, padding, data_format, dilations)
    return _require_some(_depthwise(x, filters, how=how), x, how, who)


def depthwise_conv2d(input, filter, strides, padding, data_format=None, dilations=None, name=None):
    """Convolve each channel of images with filters of its own.

    Args:
        input: Floating point, ``(B, H, W, C)``, or ``(B, C, H, W)`` for NCHW.
        filter: ``(rows, columns, C, M)``, same dtype.
        strides: Steps of the window: 4 ints.
        padding: "SAME", "VALID", or pairs of zeros.
        data_format: "NHWC" (None too) or "NCHW".
        dilations: Distances between the filter's entries: 2 ints; None is 1.
        name: Accepted, unused.

    Returns:
        ``(B, H', W', C * M)`` in the same layout and dtype; output ``c * M + m`` is channel c
        with its filter m.

    Raises:
        ValueError: shapes, padding or data format do not fit.

    Example:
        >>> x = tf.constant([[[[1.0, 2.0]]]])
        >>> w = tf.constant([[[[1.0, 10.0], [1.0, 10.0]]]])
        >>> tf.nn.depthwise_conv2d(x, w, [1, 1, 1, 1], "VALID").numpy().ravel()
        array([ 1., 10.,  2., 20.], dtype=float32)
    """
    who = "tf.nn.depthwise_conv2d"
    return _depthwise_convolve(who, input, filter, 2, strides, padding, data_format, dilations)


def depthwise_conv(
    inputs, kernel, strides: Any = 1, padding="valid", data_format=None, dilation_rate: Any = 1
):
    """Convolve each channel with kernels of its own, as Keras spells it.

    Args:
        inputs: Floating point, ``(B, *space, C)``, or channels first; 1 or 2 spatial axes.
        kernel: ``(*window, C, M)``, same dtype.
        strides: Steps of the window: an int, or one for each spatial axis.
        padding: "valid", "same" or "causal".
        data_format: "channels_last" or "channels_first"; None is the first.
        dilation_rate: Distances between the kernel's entries.

    Returns:
        ``(B, *space', C * M)`` in the same layout and dtype.

    Raises:
        ValueError: shapes, padding or data format do not fit.

    Example:
        >>> from lamina import ops
        >>> ops.depthwise_conv(tf.ones((1, 3, 2)), tf.ones((2, 2, 1))).shape
        TensorShape([1, 2, 2])
    """
    rank = _rank_of(kernel, "depthwise_conv")
    return _depthwise_convolve(
        "depthwise_conv", inputs, kernel, rank, strides, padding, data_format, dilation_rate
    )


def separable_conv2d(
    input,
    depthwise_filter,
    pointwise_filter,
    strides,
    padding,
    data_format=None,
    dilations=None,
    name=None,
):
    """Convolve each channel with its own filters, then mix the channels at each position.

    Args:
        input: Floating point, ``(B, H, W, C)``, or ``(B, C, H, W)`` for NCHW.
        depthwise_filter: ``(rows, columns, C, M)``, same dtype.
        pointwise_filter: ``(1, 1, C * M, outputs)``, same dtype.
        strides: Steps of the window: 4 ints.
        padding: "SAME", "VALID", or pairs of zeros.
        data_format: "NHWC" (None too) or "NCHW".
        dilations: Distances between the filter's entries: 2 ints; None is 1.
        name: Accepted, unused.

    Returns:
        ``(B, H', W', outputs)`` in the same layout and dtype.

    Raises:
        ValueError: shapes, padding or data format do not fit.

    Example:
        >>> x = tf.ones((1, 2, 2, 3))
        >>> tf.nn.separable_conv2d(
        ...     x, tf.ones((2, 2, 3, 1)), tf.ones((1, 1, 3, 1)), [1, 1, 1, 1], "VALID"
        ... ).numpy().ravel()
        array([12.], dtype=float32)

    Reference: Chollet 2017, https://arxiv.org/abs/1610.02357.
    """
    who = "tf.nn.separable_conv2d"
    y = _depthwise_convolve(
        who, input, depthwise_filter, 2, strides, padding, data_format, dilations
    )
    return _convolve(who, y, pointwise_filter, 2, 1, "VALID", data_format, 1)


def separable_conv(
    inputs,
    depthwise_kernel,
    pointwise_kernel,
    strides: Any = 1,
    padding="valid",
    data_format=None,
    dilation_rate: Any = 1,
):
    """Convolve each channel with its own kernels, then mix channels, as Keras spells it.

    Args:
        inputs: Floating point, ``(B, *space, C)``, or channels first; 1 or 2 spatial axes.
        depthwise_kernel: ``(*window, C, M)``, same dtype.
        pointwise_kernel: ``(1…, C * M, outputs)``, same dtype.
        strides: Steps of the window: an int, or one for each spatial axis.
        padding: "valid", "same" or "causal".
        data_format: "channels_last" or "channels_first"; None is the first.
        dilation_rate: Distances between the kernel's entries.

    Returns:
        ``(B, *space', outputs)`` in the same layout and dtype.

    Raises:
        ValueError: shapes, padding or data format do not fit.

    Example:
        >>> from lamina import ops
        >>> ops.separable_conv(tf.ones((1, 3, 2)), tf.ones((2, 2, 1)), tf.ones((1, 2, 5))).shape
        TensorShape([1, 2, 5])
    """
    y = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(y, pointwise_kernel, 1, "valid", data_format, 1)


@op
def _depthwise_gradient(known, out_backprop, *, shape, of_input, how):
    """Return the gradient of a depthwise convolution for its input, or for its filters."""
    if of_input:
        pull = jax.linear_transpose(
            lambda x: _depthwise.body(x, known, how=how),
            jax.ShapeDtypeStruct(shape, known.dtype),
        )
    else:
        pull = jax.linear_transpose(
            lambda w: _depthwise.body(known, w, how=how),
            jax.ShapeDtypeStruct(shape, known.dtype),
        )
    return pull(out_backprop)[0]


def depthwise_conv2d_backprop_input(
    input_sizes,
    filter,
    out_backprop,
    strides,
    padding,
    data_format="NHWC",
    dilations: Any = (1, 1, 1, 1),
    name=None,
):
    """Return the gradient of `depthwise_conv2d` with respect to its input.

    Args:
        input_sizes: Shape of the input.
        filter: ``(rows, columns, C, M)``.
        out_backprop: Gradient of the output.
        strides: Steps of the window: 4 ints.
        padding: "SAME", "VALID", or pairs of zeros.
        data_format: "NHWC" or "NCHW".
        dilations: Distances between the filter's entries: 4 ints.
        name: Accepted, unused.

    Returns:
        A Tensor of shape ``input_sizes``.

    Example:
        >>> tf.nn.depthwise_conv2d_backprop_input(
        ...     [1, 2, 2, 1], tf.ones((2, 2, 1, 1)), tf.ones((1, 1, 1, 1)), [1, 1, 1, 1], "VALID"
        ... ).numpy().ravel()
        array([1., 1., 1., 1.], dtype=float32)
    """
    who = "tf.nn.depthwise_conv2d_backprop_input"
    return _depthwise_gradient(
        filter,
        out_backprop,
        shape=static_ints(input_sizes, f"{who}: `input_sizes`"),
        of_input=True,
        how=windows.sliding(who, 2, strides, padding, data_format, dilations),
    )


def depthwise_conv2d_backprop_filter(
    input,
    filter_sizes,
    out_backprop,
    strides,
    padding,
    data_format="NHWC",
    dilations: Any = (1, 1, 1, 1),
    name=None,
):
    """Return the gradient of `depthwise_conv2d` with respect to its filters.

    Args:
        input: ``(B, H, W, C)``.
        filter_sizes: Shape of the filters.
        out_backprop: Gradient of the output.
        strides: Steps of the window: 4 ints.
        padding: "SAME", "VALID", or pairs of zeros.
        data_format: "NHWC" or "NCHW".
        dilations: Distances between the filter's entries: 4 ints.
        name: Accepted, unused.

    Returns:
        A Tensor of shape ``filter_sizes``.

    Example:
        >>> tf.nn.depthwise_conv2d_backprop_filter(
        ...     tf.ones((1, 2, 2, 1)), [2, 2, 1, 1], tf.ones((1, 1, 1, 1)), [1, 1, 1, 1], "VALID"
        ... ).numpy().ravel()
        array([1., 1., 1., 1.], dtype=float32)
    """
    who = "tf.nn.depthwise_conv2d_backprop_filter"
    return _depthwise_gradient(
        input,
        out_backprop,
        shape=static_ints(filter_sizes, f"{who}: `filter_sizes`"),
        of_input=False,
        how=windows.sliding(who, 2, strides, padding, data_format, dilations),
    )
