"""Convolutions of each channel apart, and followed by a mix of the channels."""

from collections.abc import Sequence

from lamina import ops
from lamina.engine import Shape, Tensor
from lamina.keras import activations, constraints, initializers, regularizers
from lamina.keras.core import InputSpec, checks
from lamina.keras.layers.spatial import Convolution

__all__ = [
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "SeparableConv1D",
    "SeparableConv2D",
    "SeparableConvolution1D",
    "SeparableConvolution2D",
]


class DepthwiseConv(Convolution):
    """Convolve each channel with kernels of its own: ``activation(conv + bias)``.

    Sizes: with n the input's and k the dilated kernel's, "valid" gives ``(n - k) // stride + 1``,
    "same" and "causal" ``ceil(n / stride)``.

    Args:
        kernel_size: The kernels' window: an int, or one for each spatial axis.
        strides: Steps of the window, as `kernel_size`.
        padding: "valid" adds nothing, "same" adds zeros on both sides; for one spatial axis
            "causal" adds them in front.
        depth_multiplier: The number of kernels for each channel, M.
        data_format: "channels_last" or "channels_first"; None takes
            ``tf.keras.config.image_data_format()``.
        dilation_rate: Distances between the kernels' entries, as `kernel_size`.
        activation: A function or its name; None does nothing.
        use_bias: Whether to add a bias.
        depthwise_initializer: Start value of the kernels.
        bias_initializer: Start value of the bias.
        depthwise_regularizer: Penalty on the kernels, or None.
        bias_regularizer: Penalty on the bias, or None.
        activity_regularizer: Penalty on the output, or None.
        depthwise_constraint: Projection applied to the kernels after each update, or None.
        bias_constraint: Projection applied to the bias after each update, or None.
        **kwargs: See `Layer`.

    Call:
        inputs: float, ``(B, *space, C)``, or ``(B, C, *space)``; C must be known.

    Returns:
        ``(B, *space', C * M)`` in the same layout and dtype.

    Weights:
        kernel: ``(*kernel_size, C, M)``.
        bias: ``(C * M,)``, if `use_bias`.

    Raises:
        ValueError: an argument is out of range, or C is unknown or changes.
    """

    per_axis = ("strides", "dilation_rate")

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: activations.Like | None = None,
        use_bias: bool = True,
        depthwise_initializer: initializers.Like = "glorot_uniform",
        bias_initializer: initializers.Like = "zeros",
        depthwise_regularizer: regularizers.Like | None = None,
        bias_regularizer: regularizers.Like | None = None,
        activity_regularizer: regularizers.Like | None = None,
        depthwise_constraint: constraints.Like | None = None,
        bias_constraint: constraints.Like | None = None,
        **kwargs,
    ):
        super().__init__(data_format, activity_regularizer=activity_regularizer, **kwargs)
        self.kernel_size = self.per_axis_sizes("kernel_size", kernel_size)
        self.strides = self.per_axis_sizes("strides", strides)
        self.padding = self.checked_padding(padding, causal=self.rank == 1)
        self.depth_multiplier = checks.positive_int(self, "depth_multiplier", depth_multiplier)
        self.dilation_rate = self.per_axis_sizes("dilation_rate", dilation_rate)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def build(self, input_shape: Shape):
        channels = self.known_channels(input_shape)
        self.check_windows(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.bias = self.bias_weight(channels * self.depth_multiplier)

    def call(self, inputs: Tensor) -> Tensor:
        y = ops.depthwise_conv(
            inputs, self.kernel, self.strides, self.padding, self.data_format, self.dilation_rate
        )
        return self.finished(y)


class DepthwiseConv1D(DepthwiseConv):
    """Convolve each channel of sequences with kernels of its own.

    Example:
        >>> layer = tf.keras.layers.DepthwiseConv1D(3, depth_multiplier=2)
        >>> layer(tf.ones((2, 10, 4))).shape
        TensorShape([2, 8, 8])
    """

    rank = 1


class DepthwiseConv2D(DepthwiseConv):
    """Convolve each channel of images with kernels of its own.

    Example:
        >>> layer = tf.keras.layers.DepthwiseConv2D(3, padding="same")
        >>> layer(tf.ones((2, 8, 8, 4))).shape
        TensorShape([2, 8, 8, 4])
    """

    rank = 2


class SeparableConv(Convolution):
    """Convolve each channel with kernels of its own, then mix the channels at each position.

    Sizes: with n the input's and k the dilated kernel's, "valid" gives ``(n - k) // stride + 1``,
    "same" and "causal" ``ceil(n / stride)``.

    Args:
        filters: The number of output channels, F.
        kernel_size: The kernels' window: an int, or one for each spatial axis.
        strides: Steps of the window, as `kernel_size`.
        padding: "valid" adds nothing, "same" adds zeros on both sides; for one spatial axis
            "causal" adds them in front.
        data_format: "channels_last" or "channels_first"; None takes
            ``tf.keras.config.image_data_format()``.
        dilation_rate: Distances between the kernels' entries, as `kernel_size`.
        depth_multiplier: The number of kernels for each channel, M.
        activation: A function or its name; None does nothing.
        use_bias: Whether to add a bias.
        depthwise_initializer: Start value of the channels' kernels.
        pointwise_initializer: Start value of the mixing matrix.
        bias_initializer: Start value of the bias.
        depthwise_regularizer: Penalty on the channels' kernels, or None.
        pointwise_regularizer: Penalty on the mixing matrix, or None.
        bias_regularizer: Penalty on the bias, or None.
        activity_regularizer: Penalty on the output, or None.
        depthwise_constraint: Projection applied to the kernels after each update, or None.
        pointwise_constraint: Projection applied to the matrix after each update, or None.
        bias_constraint: Projection applied to the bias after each update, or None.
        **kwargs: See `Layer`.

    Call:
        inputs: float, ``(B, *space, C)``, or ``(B, C, *space)``; C must be known.

    Returns:
        ``(B, *space', F)`` in the same layout and dtype.

    Weights:
        depthwise_kernel: ``(*kernel_size, C, M)``.
        pointwise_kernel: ``(1, …, C * M, F)``.
        bias: ``(F,)``, if `use_bias`.

    Raises:
        ValueError: an argument is out of range, or C is unknown or changes.
    """

    per_axis = ("strides", "dilation_rate")

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        depth_multiplier: int = 1,
        activation: activations.Like | None = None,
        use_bias: bool = True,
        depthwise_initializer: initializers.Like = "glorot_uniform",
        pointwise_initializer: initializers.Like = "glorot_uniform",
        bias_initializer: initializers.Like = "zeros",
        depthwise_regularizer: regularizers.Like | None = None,
        pointwise_regularizer: regularizers.Like | None = None,
        bias_regularizer: regularizers.Like | None = None,
        activity_regularizer: regularizers.Like | None = None,
        depthwise_constraint: constraints.Like | None = None,
        pointwise_constraint: constraints.Like | None = None,
        bias_constraint: constraints.Like | None = None,
        **kwargs,
    ):
        super().__init__(data_format, activity_regularizer=activity_regularizer, **kwargs)
        self.filters = checks.positive_int(self, "filters", filters)
        self.kernel_size = self.per_axis_sizes("kernel_size", kernel_size)
        self.strides = self.per_axis_sizes("strides", strides)
        self.padding = self.checked_padding(padding, causal=self.rank == 1)
        self.dilation_rate = self.per_axis_sizes("dilation_rate", dilation_rate)
        self.depth_multiplier = checks.positive_int(self, "depth_multiplier", depth_multiplier)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.pointwise_constraint = constraints.get(pointwise_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def build(self, input_shape: Shape):
        channels = self.known_channels(input_shape)
        self.check_windows(input_shape)
        self.depthwise_kernel = self.add_weight(
            name="depthwise_kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.pointwise_kernel = self.add_weight(
            name="pointwise_kernel",
            shape=(*[1] * self.rank, channels * self.depth_multiplier, self.filters),
            initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )
        self.bias = self.bias_weight(self.filters)

    def call(self, inputs: Tensor) -> Tensor:
        y = ops.separable_conv(
            inputs,
            self.depthwise_kernel,
            self.pointwise_kernel,
            self.strides,
            self.padding,
            self.data_format,
            self.dilation_rate,
        )
        return self.finished(y)


class SeparableConv1D(SeparableConv):
    """Convolve each channel of sequences, then mix the channels.

    Example:
        >>> layer = tf.keras.layers.SeparableConv1D(6, 3, padding="causal")
        >>> layer(tf.ones((2, 10, 4))).shape
        TensorShape([2, 10, 6])
    """

    rank = 1


class SeparableConv2D(SeparableConv):
    """Convolve each channel of images, then mix the channels.

    Example:
        >>> layer = tf.keras.layers.SeparableConv2D(6, 3, padding="same")
        >>> layer(tf.ones((2, 8, 8, 4))).shape
        TensorShape([2, 8, 8, 6])

    Reference: Chollet 2017, https://arxiv.org/abs/1610.02357.
    """

    rank = 2


SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D
