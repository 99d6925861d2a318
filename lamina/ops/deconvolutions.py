"""Transposed convolutions: the gradient of a convolution as an operation of its own."""

from typing import Any

import jax.numpy as jnp

from lamina.engine import convert_to_tensor, errors, op, static_ints
from lamina.ops import windows
from lamina.ops.convolved import Geometry, deconvolve

__all__ = [
    "atrous_conv2d_transpose",
    "conv1d_transpose",
    "conv2d_transpose",
    "conv3d_transpose",
    "conv_transpose",
    "transposed_conv",
]


def _keras_size(size, window, stride, padding, output_padding):
    """Return Keras's output size; ``window`` is the span with dilation."""
    if output_padding is None:
        return size * stride + (max(window - stride, 0) if padding == "VALID" else 0)
    trimmed = 2 * (window // 2) if padding == "SAME" else 0
    return (size - 1) * stride + window - trimmed + output_padding


def _require_size(size, output, window, stride, padding):
    """Raise unless a convolution of ``output`` gives ``size``."""
    if not isinstance(size, int) or not isinstance(output, int) or isinstance(padding, tuple):
        return
    back = _size_before(output, window, stride, padding)
    if back != size:
        raise errors.InvalidArgumentError(
            f"`output_shape` must be one whose convolution has the input's size; got {output}, "
            f"which gives {back}, for an input of {size} (window {window}, stride {stride}, "
            f"{padding}).\n  Fix: {size * stride} is usual for SAME, "
            f"{(size - 1) * stride + window} for VALID."
        )


def _size_before(output, window, stride, padding):
    """Return the size that a convolution gives to ``output``: the one a transposed one starts from.

    It tells an unknown size, which must be this one.
    """
    if padding == "SAME":
        return -(-output // stride)
    zeros = sum(padding) if isinstance(padding, tuple) else 0
    return -(-(output + zeros - window + 1) // stride)


@op
def _conv_transpose(x, filters, *, how, sizes=None, output_padding=None):
    rank = filters.ndim - 2
    if x.ndim != rank + 2 or x.shape[1 if how.first else -1] != filters.shape[-1]:
        raise ValueError(
            f"the filters must have the input's channels last; got filters "
            f"{tuple(filters.shape)}, input {tuple(x.shape)}.\n"
            "  Fix: filters are (window…, outputs, channels), the other way round than in conv."
        )
    padding = how.padding
    outputs, pads = [], []
    for i, axis in enumerate(how.axes):
        size, stride = x.shape[axis], how.strides[i]
        span = (filters.shape[i] - 1) * how.dilations[i] + 1
        extra = None if output_padding is None else output_padding[i]
        output = _keras_size(size, span, stride, padding, extra) if sizes is None else sizes[i]
        if sizes is not None:
            _require_size(size, output, span, stride, padding)
            if not isinstance(size, int) and isinstance(output, int):
                how_wide = padding if isinstance(padding, str) else padding[i]
                size = _size_before(output, span, stride, how_wide)
                x = jnp.take(x, jnp.arange(size), axis, mode="clip")
        ((before, _),) = windows.pads(
            padding if isinstance(padding, str) else (padding[i],),
            [output],
            [filters.shape[i]],
            [stride],
            [how.dilations[i]],
        )
        outputs.append(output)
        pads.append((before, (size - 1) * stride + span - before - output))
    geometry = Geometry(tuple(outputs), tuple(pads), how.strides, how.dilations, how.first)
    return deconvolve(geometry, x, filters)


def _transpose(who, x, filters, output_shape, rank, strides, padding, data_format, dilations):
    how = windows.sliding(who, rank, strides, padding, data_format, dilations)
    # Only the spatial sizes matter: the batch may be unknown.
    if not isinstance(output_shape, list | tuple):
        output_shape = output_shape if len(output_shape.shape) else [output_shape] * rank
    if len(output_shape) == rank + 2:
        _require_channels(who, output_shape[1 if how.first else -1], filters)
        output_shape = output_shape[2:] if how.first else output_shape[1:-1]
    sizes = static_ints(output_shape, f"{who}: `output_shape`")
    return _conv_transpose(x, filters, how=how, sizes=sizes)


def _require_channels(who, channels, filters):
    """Raise unless the channels of `output_shape`, where they are a number, are the filters'."""
    made = convert_to_tensor(filters).shape[-2:-1]
    if isinstance(channels, int) and not made.is_compatible_with([channels]):
        raise errors.ArgumentError(
            f"{who}: `output_shape` must have the filters' {made[0]} outputs as channels; got "
            f"{channels}.\n  Fix: filters are (window…, outputs, channels)."
        )


def conv1d_transpose(
    input,
    filters,
    output_shape,
    strides,
    padding="SAME",
    data_format="NWC",
    dilations=None,
    name=None,
):
    """Return the gradient of `conv1d` for its input: sequences grow by the stride.

    Args:
        input: Floating point, ``(B, W, C)``, or ``(B, C, W)`` for NCW.
        filters: ``(window, outputs, C)``, same dtype.
        output_shape: Shape of the result: ``(B, W', outputs)``.
        strides: Step of the window.
        padding: "SAME" or "VALID", of the convolution whose gradient this is.
        data_format: "NWC" or "NCW".
        dilations: Distance between the filter's entries; None is 1.
        name: Accepted, unused.

    Returns:
        A Tensor of shape ``output_shape``.

    Raises:
        ValueError: shapes, padding or data format do not fit.
        InvalidArgumentError: no convolution takes ``output_shape`` to the input's size.

    Example:
        >>> x = tf.reshape(tf.constant([1.0, 2.0]), (1, 2, 1))
        >>> tf.nn.conv1d_transpose(x, tf.ones((2, 1, 1)), [1, 4, 1], 2).numpy().ravel()
        array([1., 1., 2., 2.], dtype=float32)
    """
    who = "tf.nn.conv1d_transpose"
    return _transpose(
        who, input, filters, output_shape, 1, strides, padding, data_format, dilations
    )


def conv2d_transpose(
    input,
    filters,
    output_shape,
    strides,
    padding="SAME",
    data_format="NHWC",
    dilations=None,
    name=None,
):
    """Return the gradient of `conv2d` for its input: images grow by the strides.

    Args:
        input: Floating point, ``(B, H, W, C)``, or ``(B, C, H, W)`` for NCHW.
        filters: ``(rows, columns, outputs, C)``, same dtype.
        output_shape: Shape of the result: ``(B, H', W', outputs)``.
        strides: Steps of the window: 1, 2 or 4 ints.
        padding: "SAME", "VALID", or pairs of zeros, of the convolution whose gradient this is.
        data_format: "NHWC" or "NCHW".
        dilations: Distances between the filter's entries; None is 1.
        name: Accepted, unused.

    Returns:
        A Tensor of shape ``output_shape``.

    Raises:
        ValueError: shapes, padding or data format do not fit.
        InvalidArgumentError: no convolution takes ``output_shape`` to the input's size.

    Example:
        >>> y = tf.nn.conv2d_transpose(
        ...     tf.ones((1, 1, 1, 1)), tf.ones((2, 2, 1, 1)), [1, 2, 2, 1], 2
        ... )
        >>> y.numpy().ravel()
        array([1., 1., 1., 1.], dtype=float32)

    Reference: Zeiler et al. 2010, "Deconvolutional Networks".
    """
    who = "tf.nn.conv2d_transpose"
    return _transpose(
        who, input, filters, output_shape, 2, strides, padding, data_format, dilations
    )


def conv3d_transpose(
    input,
    filters,
    output_shape,
    strides,
    padding="SAME",
    data_format="NDHWC",
    dilations=None,
    name=None,
):
    """Return the gradient of `conv3d` for its input: volumes grow by the strides.

    Args:
        input: Floating point, ``(B, D, H, W, C)``, or ``(B, C, D, H, W)`` for NCDHW.
        filters: ``(depth, rows, columns, outputs, C)``, same dtype.
        output_shape: Shape of the result: ``(B, D', H', W', outputs)``.
        strides: Steps of the window: 1, 3 or 5 ints.
        padding: "SAME" or "VALID", of the convolution whose gradient this is.
        data_format: "NDHWC" or "NCDHW".
        dilations: Distances between the filter's entries; None is 1.
        name: Accepted, unused.

    Returns:
        A Tensor of shape ``output_shape``.

    Raises:
        ValueError: shapes, padding or data format do not fit.
        InvalidArgumentError: no convolution takes ``output_shape`` to the input's size.

    Example:
        >>> x, w = tf.ones((1, 1, 1, 1, 1)), tf.ones((2, 2, 2, 1, 1))
        >>> float(tf.reduce_sum(tf.nn.conv3d_transpose(x, w, [1, 2, 2, 2, 1], 2)))
        8.0
    """
    who = "tf.nn.conv3d_transpose"
    return _transpose(
        who, input, filters, output_shape, 3, strides, padding, data_format, dilations
    )


def conv_transpose(
    input,
    filters,
    output_shape,
    strides,
    padding="SAME",
    data_format=None,
    dilations=None,
    name=None,
):
    """Return the gradient of `convolution` for its input, over 1, 2 or 3 spatial axes.

    Args:
        input: Floating point, ``(B, *space, C)``, or ``(B, C, *space)``.
        filters: ``(*window, outputs, C)``, same dtype.
        output_shape: Shape of the result.
        strides: Steps of the window: an int, or one for each spatial axis.
        padding: "SAME" or "VALID", of the convolution whose gradient this is.
        data_format: None or "N…C" for channels last, "NC…" for channels first.
        dilations: Distances between the filter's entries; None is 1.
        name: Accepted, unused.

    Returns:
        A Tensor of shape ``output_shape``.

    Raises:
        ValueError: shapes, padding or data format do not fit.
        InvalidArgumentError: no convolution takes ``output_shape`` to the input's size.

    Example:
        >>> x = tf.ones((1, 2, 1))
        >>> tf.nn.conv_transpose(x, tf.ones((2, 1, 1)), [1, 4, 1], 2).shape
        TensorShape([1, 4, 1])
    """
    rank = len(jnp.shape(filters) if not hasattr(filters, "shape") else filters.shape) - 2
    return _transpose(
        "tf.nn.conv_transpose",
        input,
        filters,
        output_shape,
        rank,
        strides,
        padding,
        data_format,
        dilations,
    )


def atrous_conv2d_transpose(value, filters, output_shape, rate, padding, name=None):
    """Return the gradient of `atrous_conv2d` for its input.

    Args:
        value: Floating point, ``(B, H, W, C)``.
        filters: ``(rows, columns, outputs, C)``, same dtype.
        output_shape: Shape of the result: ``(B, H', W', outputs)``.
        rate: Distance between the filter's entries, on both axes.
        padding: "SAME" or "VALID".
        name: Accepted, unused.

    Returns:
        A Tensor of shape ``output_shape``.

    Raises:
        ValueError: shapes or padding do not fit.

    Example:
        >>> x, w = tf.ones((1, 1, 1, 1)), tf.ones((2, 2, 1, 1))
        >>> y = tf.nn.atrous_conv2d_transpose(x, w, [1, 3, 3, 1], 2, "VALID")
        >>> y[0, :, :, 0].numpy()
        array([[1., 0., 1.],
               [0., 0., 0.],
               [1., 0., 1.]], dtype=float32)
    """
    who = "tf.nn.atrous_conv2d_transpose"
    return _transpose(who, value, filters, output_shape, 2, 1, padding, "NHWC", rate)


def transposed_conv(
    inputs,
    kernel,
    strides: Any = 1,
    padding="valid",
    output_padding=None,
    data_format=None,
    dilation_rate: Any = 1,
):
    """Return the gradient of `conv` for its input, with the output size that Keras chooses.

    With s the size, k the (dilated) window: "same" gives ``s * stride``, "valid"
    ``s * stride + max(k - stride, 0)``; with ``output_padding`` p, "same" gives
    ``(s - 1) * stride + k - 2 * (k // 2) + p``, "valid" ``(s - 1) * stride + k + p``.

    Args:
        inputs: Floating point, ``(B, *space, C)``, or channels first.
        kernel: ``(*window, outputs, C)``, same dtype.
        strides: Steps of the window: an int, or one for each spatial axis.
        padding: "valid" or "same".
        output_padding: None, an int, or one for each spatial axis.
        data_format: "channels_last" or "channels_first"; None is the first.
        dilation_rate: Distances between the kernel's entries.

    Returns:
        ``(B, *space', outputs)`` in the same layout and dtype.

    Raises:
        ValueError: shapes, padding or data format do not fit.

    Example:
        >>> from lamina import ops
        >>> ops.transposed_conv(tf.ones((1, 3, 1)), tf.ones((3, 2, 1)), 2, "same").shape
        TensorShape([1, 6, 2])
    """
    rank = len(kernel.shape) - 2
    how = windows.sliding("conv_transpose", rank, strides, padding, data_format, dilation_rate)
    if isinstance(output_padding, int):
        output_padding = (output_padding,) * rank
    return _conv_transpose(inputs, kernel, how=how, output_padding=output_padding)
