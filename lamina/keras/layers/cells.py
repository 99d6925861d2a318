"""Recurrent cells: one step of SimpleRNN, GRU and LSTM.

Letters: B batch, T time, F features, U units, G gates.
"""

from collections.abc import Sequence
from typing import Any

from lamina import ops
from lamina.engine import Shape, Tensor, nest
from lamina.keras import activations, constraints, initializers, registry, regularizers
from lamina.keras.core import checks
from lamina.keras.layers.dropping import DroppingCell

__all__ = ["GRUCell", "LSTMCell", "SimpleRNNCell"]


class _Cell(DroppingCell):
    """What the built-in cells share: settings, weights and the fused kernel.

    A subclass writes `call`, one step, and `_kernel`, the op of `lamina.ops` that runs that same
    step over a whole sequence.
    """

    _config_as_given = ("seed",)

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
        kernel_constraint: constraints.Like | None = None,
        recurrent_constraint: constraints.Like | None = None,
        bias_constraint: constraints.Like | None = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        kwargs.pop("implementation", None)  # tf.keras offered two ways of computing the same
        super().__init__(**kwargs)
        self.units = checks.positive_int(self, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.set_dropout(dropout, recurrent_dropout, seed)
        self.state_size: Any = self.units
        self.output_size = self.units

    def build(self, input_shape: Shape):
        width = self.gates * self.units
        self.kernel = self.add_weight(
            name="kernel",
            shape=(checks.known_size(self, input_shape, -1), width),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units, width),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=self._bias_shape(),
                initializer=self._start_of_bias(),
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def _start_of_bias(self) -> Any:
        return self.bias_initializer

    def get_initial_state(self, batch_size: Any = None) -> list[Tensor]:
        """Return the states that a sequence starts from: zeros ``(B, U)``.

        Args:
            batch_size: B, an int or a scalar Tensor.
        """
        sizes = nest.flatten(self.state_size)
        return [ops.zeros([batch_size, size], self.compute_dtype) for size in sizes]

    # -- the whole sequence in one operation

    def run_sequence(
        self,
        sequences: Tensor,
        states: Sequence[Tensor],
        mask: Tensor | None,
        training: bool,
        **settings: bool,
    ) -> tuple[Tensor, list[Tensor]]:
        """Run the cell over sequences ``(B, T, F)``.

        Args:
            sequences: The sequences.
            states: The initial states.
            mask: Boolean ``(B, T)``, or None.
            training: Whether to drop.
            **settings: As in `lamina.ops.rnn`.

        Returns:
            (output, final states).
        """
        sequences = checks.real(self, sequences, self.compute_dtype)  # integers are welcome too
        masks = self._masks(sequences[:, 0], states[0], training) if training else (None, None)
        weights = self.kernel, self.recurrent_kernel, self.bias
        output, *after = self._kernel(
            sequences, *states, *weights, mask, *masks, **settings, **self._kernel_settings()
        )
        return output, after

    def _kernel(self, *operands: Any, **settings: Any) -> Any:
        raise NotImplementedError

    def _kernel_settings(self) -> dict[str, Any]:
        return {"activation": _kernel_name(self.activation)}

    def has_kernel(self) -> bool:
        """Return whether `run_sequence` computes what `call` does, step by step."""
        settings = self._kernel_settings()
        return type(self).call in _PLAIN_CALLS and None not in settings.values()


def open_forget_gate(initializer: Any, units: int) -> Any:
    """Return an initializer of LSTM's bias ``(4 U,)``: ones for the forget gate, which is second.

    Args:
        initializer: That of the other gates.
        units: U.
    """

    def start(shape: Shape, dtype: Any = None) -> Tensor:
        first = initializer((units,), dtype=dtype)
        rest = initializer((2 * units,), dtype=dtype)
        return ops.concat([first, ops.ones((units,), dtype), rest], axis=0)

    return start


def _kernel_name(activation: Any) -> str | None:
    """Return what `lamina.ops.rnn` calls an activation; None for one of the user's own."""
    if not registry.is_public_function(activation):
        return None
    name = registry.function_name(activation)
    return name if name in ops.ACTIVATIONS else None


def _matmul(x: Tensor, weights: Tensor, mask: Tensor | None) -> Tensor:
    """Return ``x @ weights``, the columns of each gate from x with its own factors.

    Shapes: x ``(B, F)``, weights ``(F, G U)``, mask ``(G, B, F)`` or None → ``(B, G U)``.
    """
    if mask is None:
        return ops.matmul(x, weights)
    gates = mask.shape[0]
    parts = zip(ops.unstack(mask, gates), ops.split(weights, gates, axis=-1), strict=True)
    return ops.concat([ops.matmul(x * factor, part) for factor, part in parts], axis=-1)


def _single(states: Any) -> Tensor:
    return states[0] if isinstance(states, list | tuple) else states


def _alike(state: Tensor, states: Any) -> Any:
    """Return a new state as the states were given: in a list, or alone."""
    return [state] if isinstance(states, list | tuple) else state


class SimpleRNNCell(_Cell):
    """One step of SimpleRNN: ``h' = activation(x W + h R + b)``.

    Args:
        units: The size of state and output, U.
        activation: A function or its name; None does nothing.
        use_bias: Whether to add a bias.
        kernel_initializer: Start value of W.
        recurrent_initializer: Start value of R.
        bias_initializer: Start value of b.
        kernel_regularizer: Penalty on W, or None.
        recurrent_regularizer: Penalty on R, or None.
        bias_regularizer: Penalty on b, or None.
        kernel_constraint: Projection applied to W after each update, or None.
        recurrent_constraint: Projection applied to R after each update, or None.
        bias_constraint: Projection applied to b after each update, or None.
        dropout: The share of the inputs that is dropped while training, in [0, 1).
        recurrent_dropout: The share of the state that is dropped while training, in [0, 1).
        seed: An int for the same draws in each run, or None.
        **kwargs: See `Layer`.

    Call:
        sequence: float, one step of the sequences, ``(B, F)``.
        states: ``[h]``, ``(B, U)``; or h.
        training: Whether to drop.

    Returns:
        ``(output, states)``: output ``(B, U)``, dtype of the input; states as they were given.
    Weights:
        kernel: W, ``(F, U)``.
        recurrent_kernel: R, ``(U, U)``.
        bias: b, ``(U,)``, if `use_bias`.

    Raises:
        ValueError: `units` is not positive, or a share lies outside [0, 1).

    Example:
        >>> cell = tf.keras.layers.SimpleRNNCell(2)
        >>> output, states = cell(tf.ones((3, 4)), cell.get_initial_state(3))
        >>> output.shape
        TensorShape([3, 2])
    """

    def call(self, sequence: Tensor, states: Any, training: bool = False) -> tuple[Tensor, Any]:
        h = _single(states)
        masks = self._masks(sequence, h, training)
        y = _matmul(sequence, self.kernel, masks[0])
        if self.bias is not None:
            y = y + self.bias
        h = self.activation(y + _matmul(h, self.recurrent_kernel, masks[1]))
        return h, _alike(h, states)

    def _kernel(self, *operands: Any, **settings: Any) -> Any:
        return ops.simple_rnn(*operands, **settings)


class GRUCell(_Cell):
    """One step of GRU: ``h' = σ(z) h + (1 - σ(z)) activation(g)``.

    z, the reset gate r and the candidate g are linear in x and h; in g, r scales h before or
    after its product with the weights.

    Args:
        units: The size of state and output, U.
        activation: Of the candidate, a function or its name; None does nothing.
        recurrent_activation: Of the two gates, σ.
        use_bias: Whether to add biases.
        kernel_initializer: Start value of the kernel.
        recurrent_initializer: Start value of the recurrent kernel.
        bias_initializer: Start value of the bias.
        kernel_regularizer: Penalty on the kernel, or None.
        recurrent_regularizer: Penalty on the recurrent kernel, or None.
        bias_regularizer: Penalty on the bias, or None.
        kernel_constraint: Projection applied to the kernel after each update, or None.
        recurrent_constraint: Projection applied to the recurrent kernel, or None.
        bias_constraint: Projection applied to the bias after each update, or None.
        dropout: The share of the inputs that is dropped while training, in [0, 1).
        recurrent_dropout: The share of the state that is dropped while training, in [0, 1).
        reset_after: Whether r acts after the product, as in cuDNN.
        seed: An int for the same draws in each run, or None.
        **kwargs: See `Layer`.

    Call:
        inputs: float, one step of the sequences, ``(B, F)``.
        states: ``[h]``, ``(B, U)``; or h.
        training: Whether to drop.

    Returns:
        ``(output, states)``: output ``(B, U)``, dtype of the input; states as they were given.
    Weights:
        kernel: ``(F, 3 U)``, gates in the order z, r, g.
        recurrent_kernel: ``(U, 3 U)``.
        bias: ``(2, 3 U)`` with `reset_after`, of the inputs and the states; else ``(3 U,)``.

    Raises:
        ValueError: `units` is not positive, or a share lies outside [0, 1).

    Example:
        >>> cell = tf.keras.layers.GRUCell(2)
        >>> output, states = cell(tf.ones((3, 4)), cell.get_initial_state(3))
        >>> output.shape
        TensorShape([3, 2])

    Differs from TF: recurrent dropout acts on what is multiplied by weights, not on the state
    that is carried on.

    Reference: Cho et al. 2014, https://arxiv.org/abs/1406.1078.
    """

    gates = 3

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
        kernel_constraint: constraints.Like | None = None,
        recurrent_constraint: constraints.Like | None = None,
        bias_constraint: constraints.Like | None = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            units,
            activation,
            use_bias,
            kernel_initializer,
            recurrent_initializer,
            bias_initializer,
            kernel_regularizer,
            recurrent_regularizer,
            bias_regularizer,
            kernel_constraint,
            recurrent_constraint,
            bias_constraint,
            dropout,
            recurrent_dropout,
            seed,
            **kwargs,
        )
        self.recurrent_activation = activations.get(recurrent_activation)
        self.reset_after = reset_after

    def call(self, inputs: Tensor, states: Any, training: bool = False) -> tuple[Tensor, Any]:
        h = _single(states)
        masks = self._masks(inputs, h, training)
        outer, inner = self._biases()
        xz, xr, xg = self._gates(inputs, self.kernel, masks[0], outer)
        if self.reset_after:
            hz, hr, hg = self._gates(h, self.recurrent_kernel, masks[1], inner)
            hg = self.recurrent_activation(xr + hr) * hg
        else:
            hz, hr, _ = self._gates(h, self.recurrent_kernel, masks[1], None)
            reset = self.recurrent_activation(xr + hr) * h
            reset = reset if masks[1] is None else reset * masks[1][2]
            hg = ops.matmul(reset, ops.split(self.recurrent_kernel, 3, axis=-1)[2])
        z = self.recurrent_activation(xz + hz)
        h = z * h + (1 - z) * self.activation(xg + hg)
        return h, _alike(h, states)

    def _gates(self, x: Tensor, kernel: Tensor, mask: Tensor | None, bias: Any) -> list[Tensor]:
        y = _matmul(x, kernel, mask)
        return ops.split(y if bias is None else y + bias, 3, axis=-1)

    def _biases(self) -> tuple[Any, Any]:
        """Return the biases of the inputs and of the states."""
        if self.bias is None:
            return None, None
        return (self.bias[0], self.bias[1]) if self.reset_after else (self.bias, None)

    def _bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def _kernel(self, *operands: Any, **settings: Any) -> Any:
        return ops.gru(*operands, **settings)

    def _kernel_settings(self) -> dict[str, Any]:
        return {
            "activation": _kernel_name(self.activation),
            "recurrent_activation": _kernel_name(self.recurrent_activation),
            "reset_after": self.reset_after,
        }


class LSTMCell(_Cell):
    """One step of LSTM: ``c' = σ(f) c + σ(i) tanh(g)``, ``h' = σ(o) tanh(c')``.

    The gates i, f, o and the candidate g are linear in x and h.

    Args:
        units: The size of states and output, U.
        activation: Of candidate and output (tanh above), a function or its name; None does
            nothing.
        recurrent_activation: Of the three gates, σ.
        use_bias: Whether to add a bias.
        kernel_initializer: Start value of the kernel.
        recurrent_initializer: Start value of the recurrent kernel.
        bias_initializer: Start value of the bias.
        unit_forget_bias: Whether the bias of f starts at 1 (Jozefowicz et al. 2015).
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
        inputs: float, one step of the sequences, ``(B, F)``.
        states: ``[h, c]``, ``(B, U)`` each.
        training: Whether to drop.

    Returns:
        ``(output, [h, c])``: output ``(B, U)``, dtype of the input.
    Weights:
        kernel: ``(F, 4 U)``, gates in the order i, f, g, o.
        recurrent_kernel: ``(U, 4 U)``.
        bias: ``(4 U,)``, if `use_bias`.

    Raises:
        ValueError: `units` is not positive, or a share lies outside [0, 1).

    Example:
        >>> cell = tf.keras.layers.LSTMCell(2)
        >>> output, states = cell(tf.ones((3, 4)), cell.get_initial_state(3))
        >>> output.shape, len(states)
        (TensorShape([3, 2]), 2)

    Reference: Hochreiter and Schmidhuber 1997, "Long Short-Term Memory".
    """

    gates = 4

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
        kernel_constraint: constraints.Like | None = None,
        recurrent_constraint: constraints.Like | None = None,
        bias_constraint: constraints.Like | None = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            units,
            activation,
            use_bias,
            kernel_initializer,
            recurrent_initializer,
            bias_initializer,
            kernel_regularizer,
            recurrent_regularizer,
            bias_regularizer,
            kernel_constraint,
            recurrent_constraint,
            bias_constraint,
            dropout,
            recurrent_dropout,
            seed,
            **kwargs,
        )
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [self.units, self.units]

    def call(self, inputs: Tensor, states: Any, training: bool = False) -> tuple[Tensor, Any]:
        h, c = states
        masks = self._masks(inputs, h, training)
        gates = _matmul(inputs, self.kernel, masks[0])
        gates = gates + _matmul(h, self.recurrent_kernel, masks[1])
        if self.bias is not None:
            gates = gates + self.bias
        i, f, g, o = ops.split(gates, 4, axis=-1)
        gate = self.recurrent_activation
        c = gate(f) * c + gate(i) * self.activation(g)
        h = gate(o) * self.activation(c)
        return h, [h, c]

    def _start_of_bias(self) -> Any:
        start = self.bias_initializer
        return open_forget_gate(start, self.units) if self.unit_forget_bias else start

    def _kernel(self, *operands: Any, **settings: Any) -> Any:
        return ops.lstm(*operands, **settings)

    def _kernel_settings(self) -> dict[str, Any]:
        return {
            "activation": _kernel_name(self.activation),
            "recurrent_activation": _kernel_name(self.recurrent_activation),
        }


# What the fused kernels compute; a subclass with a `call` of its own runs step by step.
_PLAIN_CALLS = (SimpleRNNCell.call, GRUCell.call, LSTMCell.call)
