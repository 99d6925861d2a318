"""Pooling: maxima and means over windows, over all positions, or into a fixed number of cells."""

from collections.abc import Sequence
from typing import Any

from lamina import ops
from lamina.engine import Tensor
from lamina.keras.core import InputSpec, checks
from lamina.keras.layers.spatial import Spatial

__all__ = [
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAveragePooling3D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalMaxPooling3D",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
]


# ---- windows ------------------------------------------------------------------------------------


class Pooling(Spatial):
    """Reduce each window of the spatial axes to one value, for each channel."""

    _lm_needs_no_build = True
    per_axis = ("pool_size",)

    def _set_window(self, pool_size: Any, strides: Any, padding: str) -> None:
        self.pool_size = self.per_axis_sizes("pool_size", pool_size)
        self.strides = (
            self.pool_size if strides is None else self.per_axis_sizes("strides", strides)
        )
        name = padding.lower() if isinstance(padding, str) else padding
        self.padding = checks.choice(self, "padding", name, ("valid", "same"))
        self.input_spec = InputSpec(ndim=self.rank + 2)


class MaxPooling(Pooling):
    """Take the maximum of each window, for each channel.

    Sizes: n becomes ``(n - pool_size) // strides + 1`` for "valid", ``ceil(n / strides)`` for
    "same".

    Args:
        pool_size: The window: an int, or one for each spatial axis.
        strides: Steps of the window, as `pool_size`; None takes `pool_size`.
        padding: "valid" takes full windows only, "same" takes those at the border too.
        data_format: "channels_last" or "channels_first"; None takes
            ``tf.keras.config.image_data_format()``.
        name: The layer's name.
        **kwargs: See `Layer`.

    Call:
        inputs: numbers, ``(B, *space, C)``, or ``(B, C, *space)``.

    Returns:
        ``(B, *space', C)`` in the same layout and dtype.

    Raises:
        ValueError: an argument is out of range, or the input has another rank.
    """

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs,
    ):
        super().__init__(data_format, name=name, **kwargs)
        self._set_window(pool_size, strides, padding)

    def call(self, inputs: Tensor) -> Tensor:
        return ops.max_pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class MaxPooling1D(MaxPooling):
    """Take the maximum of each window of a sequence.

    Example:
        >>> x = tf.reshape(tf.constant([1.0, 3.0, 2.0, 0.0]), (1, 4, 1))
        >>> tf.keras.layers.MaxPooling1D(2)(x).numpy().ravel()
        array([3., 2.], dtype=float32)
    """

    rank = 1


class MaxPooling2D(MaxPooling):
    """Take the maximum of each window of an image.

    Example:
        >>> tf.keras.layers.MaxPooling2D()(tf.ones((2, 28, 28, 3))).shape
        TensorShape([2, 14, 14, 3])
    """

    rank = 2


class MaxPooling3D(MaxPooling):
    """Take the maximum of each window of a volume.

    Example:
        >>> tf.keras.layers.MaxPooling3D()(tf.ones((2, 8, 8, 8, 3))).shape
        TensorShape([2, 4, 4, 4, 3])
    """

    rank = 3


class AveragePooling(Pooling):
    """Take the mean of each window, for each channel.

    Sizes: n becomes ``(n - pool_size) // strides + 1`` for "valid", ``ceil(n / strides)`` for
    "same". Padding does not count in the mean.

    Args:
        pool_size: The window: an int, or one for each spatial axis.
        strides: Steps of the window, as `pool_size`; None takes `pool_size`.
        padding: "valid" takes full windows only, "same" takes those at the border too.
        data_format: "channels_last" or "channels_first"; None takes
            ``tf.keras.config.image_data_format()``.
        name: The layer's name.
        **kwargs: See `Layer`.

    Call:
        inputs: float, ``(B, *space, C)``, or ``(B, C, *space)``.

    Returns:
        ``(B, *space', C)`` in the same layout and dtype.

    Raises:
        ValueError: an argument is out of range, or the input has another rank.
    """

    def __init__(
        self,
        pool_size: int | Sequence[int],
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs,
    ):
        super().__init__(data_format, name=name, **kwargs)
        self._set_window(pool_size, strides, padding)

    def call(self, inputs: Tensor) -> Tensor:
        return ops.avg_pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class AveragePooling1D(AveragePooling):
    """Take the mean of each window of a sequence.

    Example:
        >>> x = tf.reshape(tf.constant([1.0, 3.0, 2.0, 0.0]), (1, 4, 1))
        >>> tf.keras.layers.AveragePooling1D(2)(x).numpy().ravel()
        array([2., 1.], dtype=float32)
    """

    rank = 1


class AveragePooling2D(AveragePooling):
    """Take the mean of each window of an image.

    Example:
        >>> tf.keras.layers.AveragePooling2D(2)(tf.ones((2, 28, 28, 3))).shape
        TensorShape([2, 14, 14, 3])
    """

    rank = 2


class AveragePooling3D(AveragePooling):
    """Take the mean of each window of a volume.

    Example:
        >>> tf.keras.layers.AveragePooling3D(2)(tf.ones((2, 8, 8, 8, 3))).shape
        TensorShape([2, 4, 4, 4, 3])
    """

    rank = 3


# ---- all positions ------------------------------------------------------------------------------


class GlobalPooling(Spatial):
    """Reduce all positions to one value, for each channel.

    Args:
        data_format: "channels_last" or "channels_first"; None takes
            ``tf.keras.config.image_data_format()``.
        keepdims: Whether the spatial axes stay, with size 1.
        **kwargs: See `Layer`.

    Call:
        inputs: float, ``(B, *space, C)``, or ``(B, C, *space)``.

    Returns:
        ``(B, C)``, or the rank of the inputs with `keepdims`; same dtype.

    Raises:
        ValueError: the input has another rank.
    """

    _lm_needs_no_build = True

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs):
        super().__init__(data_format, **kwargs)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)


class GlobalMaxPooling(GlobalPooling):
    """Take the maximum over all positions, for each channel."""

    __doc__ = GlobalPooling.__doc__

    def call(self, inputs: Tensor) -> Tensor:
        return ops.reduce_max(inputs, axis=self.spatial_axes, keepdims=self.keepdims)


class GlobalMaxPooling1D(GlobalMaxPooling):
    """Take the maximum over time, for each channel.

    Example:
        >>> tf.keras.layers.GlobalMaxPooling1D()(tf.constant([[[1.0], [3.0]]])).numpy()
        array([[3.]], dtype=float32)
    """

    rank = 1


class GlobalMaxPooling2D(GlobalMaxPooling):
    """Take the maximum over an image, for each channel.

    Example:
        >>> tf.keras.layers.GlobalMaxPooling2D()(tf.ones((2, 4, 5, 3))).shape
        TensorShape([2, 3])
    """

    rank = 2


class GlobalMaxPooling3D(GlobalMaxPooling):
    """Take the maximum over a volume, for each channel.

    Example:
        >>> tf.keras.layers.GlobalMaxPooling3D()(tf.ones((2, 4, 5, 6, 3))).shape
        TensorShape([2, 3])
    """

    rank = 3


class GlobalAveragePooling(GlobalPooling):
    """Take the mean over all positions, for each channel."""

    __doc__ = GlobalPooling.__doc__

    def call(self, inputs: Tensor) -> Tensor:
        return ops.reduce_mean(inputs, axis=self.spatial_axes, keepdims=self.keepdims)


class GlobalAveragePooling1D(GlobalAveragePooling):
    """Take the mean over time, for each channel; with a mask, over the steps that count.

    Example:
        >>> tf.keras.layers.GlobalAveragePooling1D()(tf.constant([[[1.0], [3.0]]])).numpy()
        array([[2.]], dtype=float32)
    """

    rank = 1
    supports_masking = True

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is None:
            return super().call(inputs)
        axis = self.spatial_axes[0]
        kept = ops.expand_dims(ops.cast(mask, inputs.dtype), self.channel_axis)
        total = ops.reduce_sum(inputs * kept, axis=axis, keepdims=self.keepdims)
        return total / ops.reduce_sum(kept, axis=axis, keepdims=self.keepdims)

    def compute_mask(self, inputs: Tensor, mask: Tensor | None = None) -> None:
        """Return None: time is gone."""


class GlobalAveragePooling2D(GlobalAveragePooling):
    """Take the mean over an image, for each channel.

    Example:
        >>> tf.keras.layers.GlobalAveragePooling2D()(tf.ones((2, 4, 5, 3))).shape
        TensorShape([2, 3])
    """

    rank = 2


class GlobalAveragePooling3D(GlobalAveragePooling):
    """Take the mean over a volume, for each channel.

    Example:
        >>> tf.keras.layers.GlobalAveragePooling3D()(tf.ones((2, 4, 5, 6, 3))).shape
        TensorShape([2, 3])
    """

    rank = 3


# ---- a fixed number of cells --------------------------------------------------------------------


class AdaptivePooling(Spatial):
    """Reduce windows of such sizes that the output has a given size.

    With n entries and m cells, cell i covers ``[floor(i n / m), ceil((i + 1) n / m))``.

    Args:
        output_size: The number of cells: an int, or one for each spatial axis.
        data_format: "channels_last" or "channels_first"; None takes
            ``tf.keras.config.image_data_format()``.
        **kwargs: See `Layer`.

    Call:
        inputs: float, ``(B, *space, C)``, or ``(B, C, *space)``; the sizes must be known.

    Returns:
        ``(B, *output_size, C)`` in the same layout and dtype.

    Raises:
        ValueError: `output_size` is not positive, or the input has another rank.
    """

    def __init__(self, output_size: int | Sequence[int], data_format: str | None = None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.output_size = self.per_axis_sizes("output_size", output_size)
        self.input_spec = InputSpec(ndim=self.rank + 2)


class AdaptiveMaxPooling(AdaptivePooling):
    """Take maxima over a fixed number of cells."""

    __doc__ = AdaptivePooling.__doc__

    def call(self, inputs: Tensor) -> Tensor:
        return ops.adaptive_max_pool(inputs, self.output_size, self.data_format)


class AdaptiveMaxPooling1D(AdaptiveMaxPooling):
    """Take the maximum of each of a fixed number of parts of a sequence.

    Example:
        >>> tf.keras.layers.AdaptiveMaxPooling1D(4)(tf.ones((2, 10, 3))).shape
        TensorShape([2, 4, 3])
    """

    rank = 1


class AdaptiveMaxPooling2D(AdaptiveMaxPooling):
    """Take the maximum of each of a fixed number of cells of an image.

    Example:
        >>> tf.keras.layers.AdaptiveMaxPooling2D(4)(tf.ones((2, 10, 9, 3))).shape
        TensorShape([2, 4, 4, 3])
    """

    rank = 2


class AdaptiveMaxPooling3D(AdaptiveMaxPooling):
    """Take the maximum of each of a fixed number of cells of a volume.

    Example:
        >>> tf.keras.layers.AdaptiveMaxPooling3D(2)(tf.ones((2, 5, 5, 5, 3))).shape
        TensorShape([2, 2, 2, 2, 3])
    """

    rank = 3


class AdaptiveAveragePooling(AdaptivePooling):
    """Take means over a fixed number of cells."""

    __doc__ = AdaptivePooling.__doc__

    def call(self, inputs: Tensor) -> Tensor:
        return ops.adaptive_average_pool(inputs, self.output_size, self.data_format)


class AdaptiveAveragePooling1D(AdaptiveAveragePooling):
    """Take the mean of each of a fixed number of parts of a sequence.

    Example:
        >>> tf.keras.layers.AdaptiveAveragePooling1D(4)(tf.ones((2, 10, 3))).shape
        TensorShape([2, 4, 3])
    """

    rank = 1


class AdaptiveAveragePooling2D(AdaptiveAveragePooling):
    """Take the mean of each of a fixed number of cells of an image.

    Example:
        >>> tf.keras.layers.AdaptiveAveragePooling2D(4)(tf.ones((2, 10, 9, 3))).shape
        TensorShape([2, 4, 4, 3])
    """

    rank = 2


class AdaptiveAveragePooling3D(AdaptiveAveragePooling):
    """Take the mean of each of a fixed number of cells of a volume.

    Example:
        >>> tf.keras.layers.AdaptiveAveragePooling3D(2)(tf.ones((2, 5, 5, 5, 3))).shape
        TensorShape([2, 2, 2, 2, 3])
    """

    rank = 3


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
