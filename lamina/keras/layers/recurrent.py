"""SimpleRNN, GRU and LSTM: built-in cells over sequences, one operation for all steps."""

from typing import Any

from lamina.keras import activations, constraints, initializers, regularizers
from lamina.keras.core import InputSpec, checks
from lamina.keras.layers.cells import GRUCell, LSTMCell, SimpleRNNCell
from lamina.keras.layers.rnn import RNN

__all__ = ["GRU", "LSTM", "SimpleRNN"]


def of_cell(name: str) -> Any:
    """Return a property of a layer that is an attribute of its cell."""
    return property(
        lambda self: getattr(self.cell, name),
        lambda self, value: setattr(self.cell, name, value),
        doc=f"The cell's `{name}`.",
    )


class BuiltinRNN(RNN):
    """An RNN over a built-in cell, whose settings are the layer's own."""

    _config_as_given = ("seed",)
    _config_omit = ("use_cudnn",)
    _config_head_keys = (*RNN._config_head_keys, "zero_output_for_mask")

    units = of_cell("units")
    activation = of_cell("activation")
    use_bias = of_cell("use_bias")
    kernel_initializer = of_cell("kernel_initializer")
    recurrent_initializer = of_cell("recurrent_initializer")
    bias_initializer = of_cell("bias_initializer")
    kernel_regularizer = of_cell("kernel_regularizer")
    recurrent_regularizer = of_cell("recurrent_regularizer")
    bias_regularizer = of_cell("bias_regularizer")
    kernel_constraint = of_cell("kernel_constraint")
    recurrent_constraint = of_cell("recurrent_constraint")
    bias_constraint = of_cell("bias_constraint")
    dropout = of_cell("dropout")
    recurrent_dropout = of_cell("recurrent_dropout")
    seed = of_cell("seed")

    def __init__(self, cell: Any, **kwargs: Any):
        kwargs.pop("implementation", None)  # tf.keras offered two ways of computing the same
        super().__init__(cell, **kwargs)
        self.input_spec = InputSpec(ndim=3)

    def _config_head(self) -> dict[str, Any]:
        return {**super()._config_head(), "zero_output_for_mask": self.zero_output_for_mask}


class SimpleRNN(BuiltinRNN):
    """Run ``h' = activation(x W + h R + b)`` over sequences; see `SimpleRNNCell`.

    As in Keras 3, the penalty on the output is dropped; `tf.keras.layers.ActivityRegularization`
    after the layer adds one.

    Letters: B batch, T time, F features, U units.

    Args:
        units: The size of state and output, U.
        activation: A function or its name; None does nothing.
        use_bias: Whether to add a bias.
        kernel_initializer: Start value of the kernel.
        recurrent_initializer: Start value of the recurrent kernel.
        bias_initializer: Start value of the bias.
        kernel_regularizer: Penalty on the kernel, or None.
        recurrent_regularizer: Penalty on the recurrent kernel, or None.
        bias_regularizer: Penalty on the bias, or None.
        activity_regularizer: Accepted, and without effect, as in Keras 3; see below.
        kernel_constraint: Projection applied to the kernel after each update, or None.
        recurrent_constraint: Projection applied to the recurrent kernel, or None.
        bias_constraint: Projection applied to the bias after each update, or None.
        dropout: The share of the inputs that is dropped while training, in [0, 1).
        recurrent_dropout: The share of the state that is dropped while training, in [0, 1).
        return_sequences: Return the outputs of all steps, not of the last only.
        return_state: Return the final states too.
        go_backwards: Run from the last step to the first; outputs come in that order.
        stateful: Start each batch from the final states of the one before.
        unroll: Write the steps out where their number is known.
        seed: An int for the same draws in each run, or None.
        **kwargs: `zero_output_for_mask`: zeros at masked steps, not the output before; and
            see `Layer`.

    Call:
        sequences: float, ``(B, T, F)``.
        initial_state: ``[h]``, ``(B, U)`` each; None is zeros.
        mask: Boolean ``(B, T)``, or None.
        training: Whether to drop.

    Returns:
        ``(B, U)``, or ``(B, T, U)`` with `return_sequences`, dtype of the inputs; with
        `return_state` a tuple of that and h.
    Weights:
        kernel: ``(F, U)``.
        recurrent_kernel: ``(U, U)``.
        bias: ``(U,)``, if `use_bias`.
    State:
        states: with `stateful`, the final states of the last call; `reset_state` clears them.

    Raises:
        ValueError: `units` is not positive, a share lies outside [0, 1), the initial states do
            not fit, or the batch size of a stateful layer is unknown or changes.
    Masking:
        A masked step keeps the states. The mask passes through with `return_sequences`.

    Example:
        >>> layer = tf.keras.layers.SimpleRNN(4, return_sequences=True, return_state=True)
        >>> y, h = layer(tf.ones((2, 5, 3)))
        >>> y.shape, h.shape
        (TensorShape([2, 5, 4]), TensorShape([2, 4]))
    """

    _config_omit_none = ("seed",)

    def __init__(
        self,
        units: int,
        activation: activations.Like | None = "tanh",
        use_bias: bool = True,
        kernel_initializer: initializers.Like = "glorot_uniform",
        recurrent_initializer: initializers.Like = "orthogonal",
        bias_initializer: initializers.Like = "zeros",
        kernel_regularizer: regularizers.Like | None = None,
        recurrent_regularizer: regularizers.Like | None = None,
        bias_regularizer: regularizers.Like | None = None,
        activity_regularizer: regularizers.Like | None = None,
        kernel_constraint: constraints.Like | None = None,
        recurrent_constraint: constraints.Like | None = None,
        bias_constraint: constraints.Like | None = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ):
        cell = SimpleRNNCell(
            units,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
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
            name="simple_rnn_cell",
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            **kwargs,
        )


class GRU(BuiltinRNN):
    """Run a gated recurrent unit over sequences; see `GRUCell`.

    Letters: B batch, T time, F features, U units.

    Args:
        units: The size of state and output, U.
        activation: Of the candidate, a function or its name; None does nothing.
        recurrent_activation: Of the two gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Start value of the kernel.
        recurrent_initializer: Start value of the recurrent kernel.
        bias_initializer: Start value of the bias.
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
        unroll: Write the steps out where their number is known.
        reset_after: Whether the reset gate acts after the product, as in cuDNN.
        use_cudnn: Accepted; the compiler chooses.
        **kwargs: `zero_output_for_mask`: zeros at masked steps, not the output before; and
            see `Layer`.

    Call:
        sequences: float, ``(B, T, F)``.
        initial_state: ``[h]``, ``(B, U)`` each; None is zeros.
        mask: Boolean ``(B, T)``, or None.
        training: Whether to drop.

    Returns:
        ``(B, U)``, or ``(B, T, U)`` with `return_sequences`, dtype of the inputs; with
        `return_state` a tuple of that and h.
    Weights:
        kernel: ``(F, 3 U)``.
        recurrent_kernel: ``(U, 3 U)``.
        bias: ``(2, 3 U)`` with `reset_after`, else ``(3 U,)``; if `use_bias`.
    State:
        states: with `stateful`, the final states of the last call; `reset_state` clears them.

    Raises:
        ValueError: `units` is not positive, a share lies outside [0, 1), the initial states do
            not fit, or the batch size of a stateful layer is unknown or changes.
    Masking:
        A masked step keeps the states. The mask passes through with `return_sequences`.

    Example:
        >>> layer = tf.keras.layers.GRU(4, return_sequences=True, return_state=True)
        >>> y, h = layer(tf.ones((2, 5, 3)))
        >>> y.shape, h.shape
        (TensorShape([2, 5, 4]), TensorShape([2, 4]))

    Reference: Cho et al. 2014, https://arxiv.org/abs/1406.1078.
    """

    recurrent_activation = of_cell("recurrent_activation")
    reset_after = of_cell("reset_after")

    def __init__(
        self,
        units: int,
        activation: activations.Like | None = "tanh",
        recurrent_activation: activations.Like | None = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: initializers.Like = "glorot_uniform",
        recurrent_initializer: initializers.Like = "orthogonal",
        bias_initializer: initializers.Like = "zeros",
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
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: bool | str = "auto",
        **kwargs: Any,
    ):
        cell = GRUCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            reset_after=reset_after,
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
            name="gru_cell",
        )
        super().__init__(
            cell,
            activity_regularizer=activity_regularizer,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            **kwargs,
        )
        self.use_cudnn = checks.choice(self, "use_cudnn", use_cudnn, ("auto", True, False))


class LSTM(BuiltinRNN):
    """Run a long short-term memory over sequences; see `LSTMCell`.

    Letters: B batch, T time, F features, U units.

    Args:
        units: The size of state and output, U.
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
        unroll: Write the steps out where their number is known.
        use_cudnn: Accepted; the compiler chooses.
        **kwargs: `zero_output_for_mask`: zeros at masked steps, not the output before; and
            see `Layer`.

    Call:
        sequences: float, ``(B, T, F)``.
        initial_state: ``[h, c]``, ``(B, U)`` each; None is zeros.
        mask: Boolean ``(B, T)``, or None.
        training: Whether to drop.

    Returns:
        ``(B, U)``, or ``(B, T, U)`` with `return_sequences`, dtype of the inputs; with
        `return_state` a tuple of that and h, c.
    Weights:
        kernel: ``(F, 4 U)``.
        recurrent_kernel: ``(U, 4 U)``.
        bias: ``(4 U,)``, if `use_bias`.
    State:
        states: with `stateful`, the final states of the last call; `reset_state` clears them.

    Raises:
        ValueError: `units` is not positive, a share lies outside [0, 1), the initial states do
            not fit, or the batch size of a stateful layer is unknown or changes.
    Masking:
        A masked step keeps the states. The mask passes through with `return_sequences`.

    Example:
        >>> layer = tf.keras.layers.LSTM(4, return_sequences=True, return_state=True)
        >>> y, h, c = layer(tf.ones((2, 5, 3)))
        >>> y.shape, c.shape
        (TensorShape([2, 5, 4]), TensorShape([2, 4]))

    Reference: Hochreiter and Schmidhuber 1997, "Long Short-Term Memory".
    """

    recurrent_activation = of_cell("recurrent_activation")
    unit_forget_bias = of_cell("unit_forget_bias")

    def __init__(
        self,
        units: int,
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
        unroll: bool = False,
        use_cudnn: bool | str = "auto",
        **kwargs: Any,
    ):
        cell = LSTMCell(
            units,
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
            name="lstm_cell",
        )
        super().__init__(
            cell,
            activity_regularizer=activity_regularizer,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            **kwargs,
        )
        self.use_cudnn = checks.choice(self, "use_cudnn", use_cudnn, ("auto", True, False))
