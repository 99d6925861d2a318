"""ConvLSTM: a long short-term memory whose products with weights are convolutions.

Letters: B batch, T time, C channels, F filters.
"""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from lamina import ops
from lamina.engine import Shape, Tensor
from lamina.keras import activations, constraints, initializers, regularizers
from lamina.keras.core import InputSpec, checks
from lamina.keras.layers.cells import open_forget_gate
from lamina.keras.layers.dropping import DroppingCell
from lamina.keras.layers.recurrent import BuiltinRNN, of_cell
from lamina.keras.layers.spatial import Convolution, with_sections

__all__ = ["ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"]


class ConvLSTMCell(DroppingCell, Convolution):
    """One step of ConvLSTM: ``c' = σ(f) c + σ(i) tanh(g)``, ``h' = σ(o) tanh(c')``.

    The gates i, f, o and the candidate g are convolutions of x and of h, added.

    Args:
        rank: The number of spatial axes: 1, 2 or 3.
        filters: The number of output channels, F.
        kernel_size: The window of both kernels: an int, or one for each spatial axis.
        strides: Steps of the window on the inputs.
        padding: "valid" or "same", of the inputs; states are always convolved with "same".
        data_format: "channels_last" or "channels_first"; None takes
            ``tf.keras.config.image_data_format()``.
        dilation_rate: Distances between the entries of the inputs' kernel.
        activation: Of candidate and output (tanh above), a function or its name.
        recurrent_activation: Of the three gates, σ.
        use_bias: Whether to add a bias.
        kernel_initializer: Start value of the kernel.
        recurrent_initializer: Start value of the recurrent kernel.
        bias_initializer: Start value of the bias.
        unit_forget_bias: Whether the bias of f starts at 1.
        kernel_regularizer: Penalty on the kernel, or None.
        recurrent_regularizer: Penalty on the recurrent kernel, or None.
        bias_regularizer: Penalty on the bias, or None.
        kernel_constraint: Projection applied to the kernel after each update, or None.
        recurrent_constraint: Projection applied to the recurrent kernel, or None.
        bias_constraint: Projection applied to the bias after each update, or None.
        dropout: The share of the inputs that is dropped while training, in [0, 1).
        recurrent_dropout: The share of the state that is dropped while training, in [0, 1).
        seed: An int for the same draws in each run, or None.
        **kwargs: See `Layer`.

    Call:
        inputs: float, one step of the sequences, ``(B, *space, C)``, or ``(B, C, *space)``.
        states: ``[h, c]``, of the shape of the output.
        training: Whether to drop.

    Returns:
        ``(output, [h, c])``: output ``(B, *space', F)`` in the same layout and dtype.

    Weights:
        kernel: ``(*kernel_size, C, 4 F)``, gates in the order i, f, g, o.
        recurrent_kernel: ``(*kernel_size, F, 4 F)``.
        bias: ``(4 F,)``, if `use_bias`.

    Raises:
        ValueError: an argument is out of range, or a spatial size or C is unknown.
    """

    gates = 4
    _config_as_given = ("seed",)

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: activations.Like | None = "tanh",
        recurrent_activation: activations.Like | None = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: initializers.Like = "glorot_uniform",
        recurrent_initializer: initializers.Like = "orthogonal",
        bias_initializer: initializers.Like = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: regularizers.Like | None = None,
        recurrent_regularizer: regularizers.Like | None = None,
        bias_regularizer: regularizers.Like | None = None,
        kernel_constraint: constraints.Like | None = None,
        recurrent_constraint: constraints.Like | None = None,
        bias_constraint: constraints.Like | None = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.rank = checks.choice(self, "rank", rank, (1, 2, 3))
        self.filters = checks.positive_int(self, "filters", filters)
        self.kernel_size = self.per_axis_sizes("kernel_size", kernel_size)
        self.strides = self.per_axis_sizes("strides", strides)
        self.padding = self.checked_padding(padding, causal=False)
        self.dilation_rate = self.per_axis_sizes("dilation_rate", dilation_rate)
        self.check_steps()
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.unit_forget_bias = unit_forget_bias
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.set_dropout(dropout, recurrent_dropout, seed)
        self.state_size = [self.filters, self.filters]
        self._lm_space: tuple[int, ...] = ()

    def build(self, inputs_shape: Shape, states_shape: Any = None):
        checks.rank(self, inputs_shape, expected=self.rank + 2)
        sizes = [checks.known_size(self, inputs_shape, axis) for axis in self.spatial_axes]
        self._lm_space = tuple(self._output_size(axis, size) for axis, size in enumerate(sizes))
        self.kernel = self.add_weight(
            name="kernel",
            shape=(
                *self.kernel_size,
                checks.known_size(self, inputs_shape, self.channel_axis),
                4 * self.filters,
            ),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(*self.kernel_size, self.filters, 4 * self.filters),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        start = self.bias_initializer
        if self.unit_forget_bias:
            start = open_forget_gate(start, self.filters)
        self.bias = self.bias_weight(4 * self.filters, start)

    def call(self, inputs: Tensor, states: Any, training: bool = False) -> tuple[Tensor, Any]:
        h, c = states
        masks = self._masks(inputs, h, training)
        steps = (self.strides, self.padding, self.data_format, self.dilation_rate)
        gates = _convolve(inputs, self.kernel, masks[0], *steps)
        if self.bias is not None:
            last = self.data_format == "channels_last"
            gates = gates + (self.bias if last else ops.reshape(self.bias, [-1, *[1] * self.rank]))
        recurrent = (1, "same", self.data_format, 1)
        gates = gates + _convolve(h, self.recurrent_kernel, masks[1], *recurrent)
        i, f, g, o = ops.split(gates, 4, axis=self.channel_axis)
        gate = self.recurrent_activation
        c = gate(f) * c + gate(i) * self.activation(g)
        h = gate(o) * self.activation(c)
        return h, [h, c]

    def get_initial_state(self, batch_size: Any = None) -> list[Tensor]:
        """Return the states that a sequence starts from: zeros ``(B, *space', F)``.

        Args:
            batch_size: B, an int or a scalar Tensor.
        """
        first = self.data_format == "channels_first"
        sizes = (self.filters, *self._lm_space) if first else (*self._lm_space, self.filters)
        return [ops.zeros([batch_size, *sizes], self.compute_dtype) for _ in range(2)]

    def _output_size(self, axis: int, size: int) -> int:
        if self.padding == "same":
            return math.ceil(size / self.strides[axis])
        window = self.kernel_size[axis]
        return ops.output_size(size, window, self.strides[axis], self.dilation_rate[axis])


def _convolve(
    x: Tensor,
    kernel: Tensor,
    mask: Tensor | None,
    strides: Any,
    padding: str,
    layout: str,
    rate: Any,
) -> Tensor:
    """Return the convolution of x, the channels of each gate from x with its own factors.

    Shapes: kernel ``(*window, C, 4 F)``, mask ``(4, *x.shape)`` or None → 4 F channels.
    """
    if mask is None:
        return ops.conv(x, kernel, strides, padding, layout, rate)
    gates = mask.shape[0]
    parts = zip(ops.unstack(mask, gates), ops.split(kernel, gates, axis=-1), strict=True)
    y = [ops.conv(x * factor, part, strides, padding, layout, rate) for factor, part in parts]
    return ops.concat(y, axis=-1 if layout == "channels_last" else 1)


class ConvLSTM(BuiltinRNN):
    """Run a long short-term memory with convolutions over sequences; see `ConvLSTMCell`.

    Letters: B batch, T time, C channels, F filters.

    Args:
        filters: The number of output channels, F.
        kernel_size: The window of both kernels: an int, or one for each spatial axis.
        strides: Steps of the window on the inputs.
        padding: "valid" or "same", of the inputs; states are always convolved with "same".
        data_format: "channels_last" or "channels_first"; None takes
            ``tf.keras.config.image_data_format()``.
        dilation_rate: Distances between the entries of the inputs' kernel.
        activation: Of candidate and output, a function or its name; None does nothing.
        recurrent_activation: Of the three gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Start value of the kernel.
        recurrent_initializer: Start value of the recurrent kernel.
        bias_initializer: Start value of the bias.
        unit_forget_bias: Whether the bias of the forget gate starts at 1.
        kernel_regularizer: Penalty on the kernel, or None.
        recurrent_regularizer: Penalty on the recurrent kernel, or None.
        bias_regularizer: Penalty on the bias, or None.
        activity_regularizer: Penalty on the output, or None.
        kernel_constraint: Projection applied to the kernel after each update, or None.
        recurrent_constraint: Projection applied to the recurrent kernel, or None.
        bias_constraint: Projection applied to the bias after each update, or None.
        dropout: The share of the inputs that is dropped while training, in [0, 1).
        recurrent_dropout: The share of the state that is dropped while training, in [0, 1).
        seed: An int for the same draws in each run, or None.
        return_sequences: Return the outputs of all steps, not of the last only.
        return_state: Return the final states too.
        go_backwards: Run from the last step to the first; outputs come in that order.
        stateful: Start each batch from the final states of the one before.
        **kwargs: `unroll` and `zero_output_for_mask`, see `RNN`; and see `Layer`.

    Call:
        sequences: float, ``(B, T, *space, C)``, or ``(B, T, C, *space)``; all but B and T must
            be known.
        initial_state: ``[h, c]``, the shape of one output; None is zeros.
        mask: Boolean ``(B, T)``, or None.
        training: Whether to drop.

    Returns:
        ``(B, *space', F)``, or ``(B, T, *space', F)`` with `return_sequences`, in the layout and
        dtype of the inputs; with `return_state` a tuple of that and h, c.
    Weights:
        kernel: ``(*kernel_size, C, 4 F)``.
        recurrent_kernel: ``(*kernel_size, F, 4 F)``.
        bias: ``(4 F,)``, if `use_bias`.
    State:
        states: with `stateful`, the final states of the last call; `reset_state` clears them.

    Raises:
        ValueError: an argument is out of range, a size is unknown, the initial states do not
            fit, or the batch size of a stateful layer is unknown or changes.
    Masking:
        A masked step keeps the states. The mask passes through with `return_sequences`.

    Reference: Shi et al. 2015, https://arxiv.org/abs/1506.04214, without peepholes.
    """

    rank: ClassVar[int] = 0
    _config_head_keys = (*BuiltinRNN._config_head_keys, "unroll")

    filters = of_cell("filters")
    kernel_size = of_cell("kernel_size")
    strides = of_cell("strides")
    padding = of_cell("padding")
    data_format = of_cell("data_format")
    dilation_rate = of_cell("dilation_rate")
    recurrent_activation = of_cell("recurrent_activation")
    unit_forget_bias = of_cell("unit_forget_bias")

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        cls.__doc__ = with_sections(cls.__doc__, ConvLSTM.__doc__)

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: activations.Like | None = "tanh",
        recurrent_activation: activations.Like | None = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: initializers.Like = "glorot_uniform",
        recurrent_initializer: initializers.Like = "orthogonal",
        bias_initializer: initializers.Like = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: regularizers.Like | None = None,
        recurrent_regularizer: regularizers.Like | None = None,
        bias_regularizer: regularizers.Like | None = None,
        activity_regularizer: regularizers.Like | None = None,
        kernel_constraint: constraints.Like | None = None,
        recurrent_constraint: constraints.Like | None = None,
        bias_constraint: constraints.Like | None = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ):
        cell = ConvLSTMCell(
            self.rank,
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
            name="conv_lstm_cell",
        )
        super().__init__(
            cell,
            activity_regularizer=activity_regularizer,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            **kwargs,
        )
        self.input_spec = InputSpec(ndim=self.rank + 3)

    def _config_head(self) -> dict[str, Any]:
        return {**super()._config_head(), "unroll": self.unroll}


class ConvLSTM1D(ConvLSTM):
    """Run a convolutional LSTM over sequences of rows.

    Example:
        >>> layer = tf.keras.layers.ConvLSTM1D(4, 3, padding="same")
        >>> layer(tf.ones((2, 5, 8, 1))).shape
        TensorShape([2, 8, 4])
    """

    rank = 1


class ConvLSTM2D(ConvLSTM):
    """Run a convolutional LSTM over sequences of images.

    Example:
        >>> layer = tf.keras.layers.ConvLSTM2D(4, 3, return_sequences=True)
        >>> layer(tf.ones((2, 5, 8, 8, 1))).shape
        TensorShape([2, 5, 6, 6, 4])
    """

    rank = 2


class ConvLSTM3D(ConvLSTM):
    """Run a convolutional LSTM over sequences of volumes.

    Example:
        >>> layer = tf.keras.layers.ConvLSTM3D(4, 2, return_state=True)
        >>> [each.shape for each in layer(tf.ones((2, 3, 4, 4, 4, 1)))]
        [TensorShape([2, 3, 3, 3, 4]), TensorShape([2, 3, 3, 3, 4]), TensorShape([2, 3, 3, 3, 4])]
    """

    rank = 3
