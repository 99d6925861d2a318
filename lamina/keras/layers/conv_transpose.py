"""Transposed convolutions: from the size of a convolution's output back to that of its input."""

from collections.abc import Sequence

from lamina import ops
from lamina.engine import Shape, Tensor
from lamina.keras import activations, constraints, initializers, regularizers
from lamina.keras.core import InputSpec, checks
from lamina.keras.layers.spatial import Convolution

__all__ = [
    "Conv1DTranspose",
    "Conv2DTranspose",
    "Conv3DTranspose",
    "Convolution1DTranspose",
    "Convolution2DTranspose",
    "Convolution3DTranspose",
]


class ConvTranspose(Convolution):
    """Spread each input over a kernel's window: the gradient of a convolution for its input.

    Sizes: with n the input's, k the dilated kernel's and s the stride, "valid" gives
    ``n * s + max(k - s, 0)``, "same" ``n * s``; with `output_padding` p, "valid" gives
    ``(n - 1) * s + k + p``, "same" ``(n - 1) * s + k - 2 * (k // 2) + p``.

    Args:
        filters: The number of output channels, F.
        kernel_size: The kernel's window: an int, or one for each spatial axis.
        strides: Distance of neighbouring inputs in the output, as `kernel_size`.
        padding: "valid" or "same", of the convolution whose gradient this is.
        output_padding: What is added to the output's size, less than the stride: an int, or one
            for each spatial axis. None chooses.
        data_format: "channels_last" or "channels_first"; None takes
            ``tf.keras.config.image_data_format()``.
        dilation_rate: Distances between the kernel's entries, as `kernel_size`.
        activation: A function or its name; None does nothing.
        use_bias: Whether to add a bias.
        kernel_initializer: Start value of the kernel.
        bias_initializer: Start value of the bias.
        kernel_regularizer: Penalty on the kernel, or None.
        bias_regularizer: Penalty on the bias, or None.
        activity_regularizer: Penalty on the output, or None.
        kernel_constraint: Projection applied to the kernel after each update, or None.
        bias_constraint: Projection applied to the bias after each update, or None.
        **kwargs: See `Layer`.

    Call:
        inputs: float, ``(B, *space, C)``, or ``(B, C, *space)``; C must be known.

    Returns:
        ``(B, *space', F)`` in the same layout and dtype.

    Weights:
        kernel: ``(*kernel_size, F, C)``.
        bias: ``(F,)``, if `use_bias`.

    Raises:
        ValueError: an argument is out of range, strides and dilations are both above 1, or C is
            unknown or changes.
    """

    per_axis = ("strides", "dilation_rate")

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        output_padding: int | Sequence[int] | None = None,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: activations.Like | None = None,
        use_bias: bool = True,
        kernel_initializer: initializers.Like = "glorot_uniform",
        bias_initializer: initializers.Like = "zeros",
        kernel_regularizer: regularizers.Like | None = None,
        bias_regularizer: regularizers.Like | None = None,
        activity_regularizer: regularizers.Like | None = None,
        kernel_constraint: constraints.Like | None = None,
        bias_constraint: constraints.Like | None = None,
        **kwargs,
    ):
        super().__init__(data_format, activity_regularizer=activity_regularizer, **kwargs)
        self.filters = checks.positive_int(self, "filters", filters)
        self.kernel_size = self.per_axis_sizes("kernel_size", kernel_size)
        self.strides = self.per_axis_sizes("strides", strides)
        self.padding = self.checked_padding(padding, causal=False)
        self.output_padding = self._checked_output_padding(output_padding)
        self.dilation_rate = self.per_axis_sizes("dilation_rate", dilation_rate)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(ndim=self.rank + 2)
        self.check_steps()

    def _checked_output_padding(self, value: int | Sequence[int] | None) -> tuple[int, ...] | None:
        if value is None:
            return None
        sizes = self.per_axis_sizes("output_padding", value, allow_zero=True)
        if any(size >= stride for size, stride in zip(sizes, self.strides, strict=True)):
            raise ValueError(
                f"{checks.label(self)}: `output_padding` must be less than `strides` along each "
                f"axis; got {sizes} for strides {self.strides}."
            )
        return sizes

    def build(self, input_shape: Shape):
        channels = self.known_channels(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, self.filters, channels),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = self.bias_weight(self.filters)

    def call(self, inputs: Tensor) -> Tensor:
        y = ops.transposed_conv(
            inputs,
            self.kernel,
            self.strides,
            self.padding,
            self.output_padding,
            self.data_format,
            self.dilation_rate,
        )
        return self.finished(y)


class Conv1DTranspose(ConvTranspose):
    """Transpose a convolution of sequences.

    Example:
        >>> layer = tf.keras.layers.Conv1DTranspose(4, 3, strides=2, padding="same")
        >>> layer(tf.ones((2, 10, 8))).shape
        TensorShape([2, 20, 4])
    """

    rank = 1


class Conv2DTranspose(ConvTranspose):
    """Transpose a convolution of images.

    Example:
        >>> layer = tf.keras.layers.Conv2DTranspose(4, 3, strides=2, padding="same")
        >>> layer(tf.ones((2, 7, 7, 8))).shape
        TensorShape([2, 14, 14, 4])
    """

    rank = 2


class Conv3DTranspose(ConvTranspose):
    """Transpose a convolution of volumes; `data_format` comes before `output_padding`.

    Example:
        >>> layer = tf.keras.layers.Conv3DTranspose(4, 3, strides=2, padding="same")
        >>> layer(tf.ones((2, 4, 4, 4, 1))).shape
        TensorShape([2, 8, 8, 8, 4])
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: int | Sequence[int] | None = None,
        dilation_rate: int | Sequence[int] = (1, 1, 1),
        activation: activations.Like | None = None,
        use_bias: bool = True,
        kernel_initializer: initializers.Like = "glorot_uniform",
        bias_initializer: initializers.Like = "zeros",
        kernel_regularizer: regularizers.Like | None = None,
        bias_regularizer: regularizers.Like | None = None,
        activity_regularizer: regularizers.Like | None = None,
        kernel_constraint: constraints.Like | None = None,
        bias_constraint: constraints.Like | None = None,
        **kwargs,
    ):
        super().__init__(
            filters,
            kernel_size,
            strides,
            padding,
            output_padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            **kwargs,
        )


Convolution1DTranspose = Conv1DTranspose
Convolution2DTranspose = Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
