"""Convolutions over 1, 2 and 3 spatial axes."""

from collections.abc import Sequence
from typing import Any

from lamina import ops
from lamina.engine import Shape, Tensor
from lamina.keras import activations, constraints, initializers, regularizers
from lamina.keras.core import Adaptable, AdaptedWeight, InputSpec, checks
from lamina.keras.layers.spatial import Convolution

__all__ = [
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "Convolution1D",
    "Convolution2D",
    "Convolution3D",
]


class Conv(Adaptable, Convolution):
    """Slide a kernel over the spatial axes: ``activation(conv(inputs, kernel) + bias)``.

    Sizes: with n the input's and k the dilated kernel's, "valid" gives ``(n - k) // stride + 1``,
    "same" and "causal" ``ceil(n / stride)``.

    Args:
        filters: The number of output channels, F.
        kernel_size: The kernel's window: an int, or one for each spatial axis.
        strides: Steps of the window, as `kernel_size`.
        padding: "valid" adds nothing, "same" adds zeros on both sides; for one spatial axis
            "causal" adds them in front, so that no output sees later inputs.
        data_format: "channels_last" or "channels_first"; None takes
            ``tf.keras.config.image_data_format()``.
        dilation_rate: Distances between the kernel's entries, as `kernel_size`.
        groups: In how many groups the channels are convolved apart; divides C and F.
        activation: A function or its name; None does nothing.
        use_bias: Whether to add a bias.
        kernel_initializer: Start value of the kernel.
        bias_initializer: Start value of the bias.
        kernel_regularizer: Penalty on the kernel, or None.
        bias_regularizer: Penalty on the bias, or None.
        activity_regularizer: Penalty on the output, or None.
        kernel_constraint: Projection applied to the kernel after each update, or None.
        bias_constraint: Projection applied to the bias after each update, or None.
        **kwargs: `lora_rank` and `lora_alpha`, see `enable_lora`; and see `Layer`.

    Call:
        inputs: float, ``(B, *space, C)``, or ``(B, C, *space)``; C must be known.

    Returns:
        ``(B, *space', F)`` in the same layout and dtype.

    Weights:
        kernel: ``(*kernel_size, C / groups, F)``.
        bias: ``(F,)``, if `use_bias`.

    Raises:
        ValueError: an argument is out of range, strides and dilations are both above 1, or C is
            unknown, changes, or is no multiple of `groups`.
    """

    per_axis = ("strides", "dilation_rate")
    kernel = AdaptedWeight("kernel")

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        groups: int = 1,
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
            data_format=data_format, activity_regularizer=activity_regularizer, **kwargs
        )
        self.filters = checks.positive_int(self, "filters", filters)
        self.kernel_size = self.per_axis_sizes("kernel_size", kernel_size)
        self.strides = self.per_axis_sizes("strides", strides)
        self.padding = self.checked_padding(padding, causal=self.rank == 1)
        self.dilation_rate = self.per_axis_sizes("dilation_rate", dilation_rate)
        self.groups = checks.positive_int(self, "groups", groups)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=self.rank + 2)
        self.check_steps()
        checks.divides(self, "groups", self.groups, "filters", self.filters)

    def build(self, input_shape: Shape):
        channels = self.known_channels(input_shape)
        checks.divides(self, "groups", self.groups, "the number of channels", channels)
        self.check_windows(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels // self.groups, self.filters),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = self.bias_weight(self.filters)
        self.start_lora()

    def convolution_op(self, inputs: Tensor, kernel: Any) -> Tensor:
        """Return the convolution of `inputs` with a kernel; subclasses may change either.

        Args:
            inputs: The layer's inputs.
            kernel: ``(*kernel_size, C / groups, F)``.

        Returns:
            The outputs before bias and activation.

        Example:
            >>> class Centered(tf.keras.layers.Conv2D):
            ...     def convolution_op(self, inputs, kernel):
            ...         return super().convolution_op(inputs, kernel - tf.reduce_mean(kernel))
            >>> float(tf.reduce_max(tf.abs(Centered(1, 3)(tf.ones((1, 3, 3, 1)))))) < 1e-5
            True
        """
        return ops.conv(
            inputs, kernel, self.strides, self.padding, self.data_format, self.dilation_rate
        )

    def call(self, inputs: Tensor) -> Tensor:
        return self.finished(self.convolution_op(inputs, self.kernel))


class Conv1D(Conv):
    """Convolve sequences.

    Example:
        >>> layer = tf.keras.layers.Conv1D(4, 3, padding="same", activation="relu")
        >>> layer(tf.ones((2, 10, 8))).shape
        TensorShape([2, 10, 4])
    """

    rank = 1


class Conv2D(Conv):
    """Convolve images.

    Example:
        >>> layer = tf.keras.layers.Conv2D(4, 3, strides=2, activation="relu")
        >>> layer(tf.ones((2, 28, 28, 3))).shape
        TensorShape([2, 13, 13, 4])
    """

    rank = 2


class Conv3D(Conv):
    """Convolve volumes.

    Example:
        >>> tf.keras.layers.Conv3D(4, 3)(tf.ones((2, 8, 8, 8, 1))).shape
        TensorShape([2, 6, 6, 6, 4])
    """

    rank = 3


Convolution1D = Conv1D
Convolution2D = Conv2D
Convolution3D = Conv3D
