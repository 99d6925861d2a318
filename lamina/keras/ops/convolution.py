"""tf.keras.ops: convolutions, pooling, patches of images."""

from collections.abc import Sequence
from typing import Any

from lamina import ops
from lamina.engine import Tensor, convert_to_tensor
from lamina.keras.policy import standardize_data_format

__all__ = [
    "adaptive_average_pool",
    "adaptive_max_pool",
    "average_pool",
    "conv",
    "conv_transpose",
    "depth_to_space",
    "depthwise_conv",
    "fold",
    "max_pool",
    "separable_conv",
    "space_to_depth",
    "unfold",
]

_Sizes = int | Sequence[int]


# ---- convolutions -----------------------------------------------------------------------------


def conv(
    inputs: Any,
    kernel: Any,
    strides: _Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: _Sizes = 1,
) -> Tensor:
    """Convolve over 1, 2 or 3 spatial axes.

    Args:
        inputs: Floating point, ``(B, *space, C)``, or channels first.
        kernel: ``(*window, C / groups, outputs)``, same dtype.
        strides: Steps of the window.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; None is the configured one.
        dilation_rate: Distances between the kernel's entries.

    Returns:
        ``(B, *space', outputs)`` in the same layout and dtype.

    Raises:
        ValueError: shapes, padding or data format do not fit.

    Example:
        >>> tf.keras.ops.conv(tf.ones((1, 5, 2)), tf.ones((3, 2, 4))).shape
        TensorShape([1, 3, 4])
    """
    where = standardize_data_format(data_format)
    return ops.conv(inputs, convert_to_tensor(kernel), strides, padding, where, dilation_rate)


def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: _Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: _Sizes = 1,
) -> Tensor:
    """Convolve each channel with kernels of its own, over 1 or 2 spatial axes.

    Args:
        inputs: Floating point, ``(B, *space, C)``, or channels first.
        kernel: ``(*window, C, M)``, same dtype.
        strides: Steps of the window.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; None is the configured one.
        dilation_rate: Distances between the kernel's entries.

    Returns:
        ``(B, *space', C * M)`` in the same layout and dtype.

    Raises:
        ValueError: shapes, padding or data format do not fit.

    Example:
        >>> tf.keras.ops.depthwise_conv(tf.ones((1, 5, 2)), tf.ones((3, 2, 4))).shape
        TensorShape([1, 3, 8])
    """
    where = standardize_data_format(data_format)
    kernel = convert_to_tensor(kernel)
    return ops.depthwise_conv(inputs, kernel, strides, padding, where, dilation_rate)


def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: _Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: _Sizes = 1,
) -> Tensor:
    """Convolve each channel with its own kernels, then mix channels.

    Args:
        inputs: Floating point, ``(B, *space, C)``, or channels first.
        depthwise_kernel: ``(*window, C, M)``, same dtype.
        pointwise_kernel: ``(1…, C * M, outputs)``, same dtype.
        strides: Steps of the window.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; None is the configured one.
        dilation_rate: Distances between the kernel's entries.

    Returns:
        ``(B, *space', outputs)`` in the same layout and dtype.

    Raises:
        ValueError: shapes, padding or data format do not fit.

    Example:
        >>> x, depthwise, pointwise = tf.ones((1, 5, 2)), tf.ones((3, 2, 1)), tf.ones((1, 2, 4))
        >>> tf.keras.ops.separable_conv(x, depthwise, pointwise).shape
        TensorShape([1, 3, 4])
    """
    where = standardize_data_format(data_format)
    depthwise, pointwise = map(convert_to_tensor, (depthwise_kernel, pointwise_kernel))
    return ops.separable_conv(inputs, depthwise, pointwise, strides, padding, where, dilation_rate)


def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: _Sizes = 1,
    padding: str = "valid",
    output_padding: _Sizes | None = None,
    data_format: str | None = None,
    dilation_rate: _Sizes = 1,
) -> Tensor:
    """Return the gradient of `conv` for its input, with the output size that Keras chooses.

    Args:
        inputs: Floating point, ``(B, *space, C)``, or channels first.
        kernel: ``(*window, outputs, C)``, same dtype.
        strides: Steps of the window.
        padding: "valid" or "same".
        output_padding: Entries added to one side of the output; None chooses.
        data_format: "channels_last" or "channels_first"; None is the configured one.
        dilation_rate: Distances between the kernel's entries.

    Returns:
        ``(B, *space', outputs)`` in the same layout and dtype.

    Raises:
        ValueError: shapes, padding or data format do not fit.

    Example:
        >>> tf.keras.ops.conv_transpose(tf.ones((1, 3, 2)), tf.ones((3, 4, 2)), 2).shape
        TensorShape([1, 7, 4])
    """
    where = standardize_data_format(data_format)
    kernel = convert_to_tensor(kernel)
    return ops.transposed_conv(
        inputs, kernel, strides, padding, output_padding, where, dilation_rate
    )


# ---- pooling ----------------------------------------------------------------------------------


def max_pool(
    inputs: Any,
    pool_size: _Sizes,
    strides: _Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Return the maximum of each window.

    Args:
        inputs: Numbers, ``(B, *space, C)``, or channels first.
        pool_size: Sizes of the window.
        strides: Steps of the window; None is `pool_size`.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; None is the configured one.

    Returns:
        ``(B, *space', C)`` in the same layout and dtype.

    Example:
        >>> x = tf.reshape(tf.constant([1.0, 3.0, 2.0, 0.0]), (1, 4, 1))
        >>> tf.keras.ops.max_pool(x, 2).numpy().ravel()
        array([3., 2.], dtype=float32)
    """
    where = standardize_data_format(data_format)
    strides = pool_size if strides is None else strides
    return ops.max_pool(inputs, pool_size, strides, padding.upper(), where)


def average_pool(
    inputs: Any,
    pool_size: _Sizes,
    strides: _Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Return the mean of each window.

    Args:
        inputs: Floating point, ``(B, *space, C)``, or channels first.
        pool_size: Sizes of the window.
        strides: Steps of the window; None is `pool_size`.
        padding: "valid" or "same"; padding does not count.
        data_format: "channels_last" or "channels_first"; None is the configured one.

    Returns:
        ``(B, *space', C)`` in the same layout and dtype.

    Example:
        >>> x = tf.reshape(tf.constant([1.0, 3.0, 2.0, 0.0]), (1, 4, 1))
        >>> tf.keras.ops.average_pool(x, 2).numpy().ravel()
        array([2., 1.], dtype=float32)
    """
    where = standardize_data_format(data_format)
    strides = pool_size if strides is None else strides
    return ops.avg_pool(inputs, pool_size, strides, padding.upper(), where)


def adaptive_average_pool(
    inputs: Any, output_size: _Sizes, data_format: str | None = None
) -> Tensor:
    """Return means over as many windows as the output has entries.

    Args:
        inputs: Floating point, ``(B, *space, C)``, or channels first; sizes known.
        output_size: Entries of the output.
        data_format: "channels_last" or "channels_first"; None is the configured one.

    Returns:
        ``(B, *output_size, C)`` in the same layout and dtype.

    Example:
        >>> x = tf.reshape(tf.constant([1.0, 3.0, 2.0]), (1, 3, 1))
        >>> tf.keras.ops.adaptive_average_pool(x, 2).numpy().ravel()
        array([2. , 2.5], dtype=float32)
    """
    return ops.adaptive_average_pool(inputs, output_size, standardize_data_format(data_format))


def adaptive_max_pool(inputs: Any, output_size: _Sizes, data_format: str | None = None) -> Tensor:
    """Return maxima over as many windows as the output has entries.

    Args:
        inputs: Numbers, ``(B, *space, C)``, or channels first; sizes known.
        output_size: Entries of the output.
        data_format: "channels_last" or "channels_first"; None is the configured one.

    Returns:
        ``(B, *output_size, C)`` in the same layout and dtype.

    Example:
        >>> x = tf.reshape(tf.constant([1.0, 3.0, 2.0]), (1, 3, 1))
        >>> tf.keras.ops.adaptive_max_pool(x, 2).numpy().ravel()
        array([3., 3.], dtype=float32)
    """
    return ops.adaptive_max_pool(inputs, output_size, standardize_data_format(data_format))


# ---- patches ----------------------------------------------------------------------------------


def _pair(value: _Sizes) -> tuple[int, ...]:
    return (value, value) if isinstance(value, int) else tuple(value)


def _require_rank(who: str, x: Any, rank: int) -> Tensor:
    x = convert_to_tensor(x)
    if x.ndim != rank:
        raise ValueError(f"{who}: `x` must have rank {rank}; got shape {tuple(x.shape)}.")
    return x


def unfold(
    x: Any, kernel_size: _Sizes, dilation: _Sizes = 1, padding: _Sizes = 0, stride: _Sizes = 1
) -> Tensor:
    """Return the patches of images as columns.

    Args:
        x: ``(B, C, H, W)``.
        kernel_size: Height and width of a patch.
        dilation: Distances between its entries.
        padding: Zeros put before and after each axis.
        stride: Distances between patches.

    Returns:
        ``(B, C * kh * kw, L)`` for L patches, same dtype.

    Raises:
        ValueError: `x` has another rank.

    Example:
        >>> tf.keras.ops.unfold(tf.ones((1, 3, 4, 4)), 2, stride=2).shape
        TensorShape([1, 12, 4])
    """
    x = _require_rank("unfold", x, 4)
    return ops.unfold(
        x,
        kernel=_pair(kernel_size),
        dilation=_pair(dilation),
        padding=_pair(padding),
        stride=_pair(stride),
    )


def fold(
    x: Any,
    output_size: _Sizes,
    kernel_size: _Sizes,
    dilation: _Sizes = 1,
    padding: _Sizes = 0,
    stride: _Sizes = 1,
) -> Tensor:
    """Sum columns back into images, where patches overlap.

    Args:
        x: ``(B, C * kh * kw, L)``.
        output_size: Height and width of the images.
        kernel_size: What `unfold` was given.
        dilation: Likewise.
        padding: Likewise.
        stride: Likewise.

    Returns:
        ``(B, C, *output_size)``, same dtype.

    Raises:
        ValueError: `x` has another rank, or does not fit the other arguments.

    Example:
        >>> tf.keras.ops.fold(tf.ones((1, 12, 4)), 4, 2, stride=2).shape
        TensorShape([1, 3, 4, 4])
    """
    x = _require_rank("fold", x, 3)
    return ops.fold(
        x,
        size=_pair(output_size),
        kernel=_pair(kernel_size),
        dilation=_pair(dilation),
        padding=_pair(padding),
        stride=_pair(stride),
    )


def _check_block(who: str, block_size: int) -> None:
    if block_size < 2:
        raise ValueError(f"{who}: `block_size` must be 2 or more; got {block_size}.")


def _images_last(change: Any, x: Any, block_size: int, data_format: str) -> Tensor:
    if standardize_data_format(data_format) == "channels_last":
        return change(x, block_size)
    return ops.transpose(change(ops.transpose(x, (0, 2, 3, 1)), block_size), (0, 3, 1, 2))


def depth_to_space(x: Any, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Move groups of channels into blocks of pixels.

    Args:
        x: ``(B, H, W, C)``, or channels first.
        block_size: n, the side of a block.
        data_format: "channels_last" or "channels_first".

    Returns:
        ``(B, n H, n W, C / n²)`` in the same layout and dtype.

    Raises:
        ValueError: `block_size` is less than 2, or does not fit.

    Example:
        >>> tf.keras.ops.depth_to_space(tf.ones((1, 2, 2, 12)), 2).shape
        TensorShape([1, 4, 4, 3])
    """
    _check_block("depth_to_space", block_size)
    return _images_last(ops.depth_to_space, x, block_size, data_format)


def space_to_depth(x: Any, block_size: int, data_format: str = "channels_last") -> Tensor:
    """Move blocks of pixels into groups of channels.

    Args:
        x: ``(B, H, W, C)``, or channels first.
        block_size: n, the side of a block.
        data_format: "channels_last" or "channels_first".

    Returns:
        ``(B, H / n, W / n, n² C)`` in the same layout and dtype.

    Raises:
        ValueError: `block_size` is less than 2, or does not fit.

    Example:
        >>> tf.keras.ops.space_to_depth(tf.ones((1, 4, 4, 3)), 2).shape
        TensorShape([1, 2, 2, 12])
    """
    _check_block("space_to_depth", block_size)
    return _images_last(ops.space_to_depth, x, block_size, data_format)
