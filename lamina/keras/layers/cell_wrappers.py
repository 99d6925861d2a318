"""`tf.nn.RNNCell…Wrapper`: a cell with dropout, a way around it, or a device of its own.

Letters: B batch, F features, U units.
"""

from collections.abc import Callable
from typing import Any

from lamina import ops
from lamina.engine import Shape, init_scope, nest
from lamina.keras import random
from lamina.keras.core import Layer, checks
from lamina.keras.layers.stacked import (
    build_cell,
    check_cell,
    initial_state_of,
    output_size_of,
    size_tuple,
)

__all__ = ["RNNCellDeviceWrapper", "RNNCellDropoutWrapper", "RNNCellResidualWrapper"]


class CellWrapper(Layer):
    """A cell around another, with its states and sizes; a subclass writes `_around`.

    Args:
        cell: The cell inside.
        **kwargs: See `Layer`.
    """

    def __init__(self, cell: Any, **kwargs: Any):
        super().__init__(**kwargs)
        self.cell = check_cell(self, "cell", cell)

    def build(self, inputs_shape: Shape):
        build_cell(self.cell, inputs_shape)

    def call(self, inputs: Any, states: Any, training: bool = False, **kwargs: Any) -> Any:
        return self._around(inputs, states, kwargs)  # layers inside are told of `training`

    def _around(self, inputs: Any, states: Any, kwargs: dict[str, Any]) -> Any:
        return self.cell(inputs, states, **kwargs)

    @property
    def wrapped_cell(self) -> Any:
        """The cell inside."""
        return self.cell

    @property
    def state_size(self) -> Any:
        """The sizes of the states of the cell inside."""
        return self.cell.state_size

    @property
    def output_size(self) -> Any:
        """The size of the output of the cell inside."""
        return output_size_of(self.cell)

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None):
        """Return the states that a sequence starts from, as a list.

        Args:
            inputs: Sequences or a step of them, whose size is B if `batch_size` is None.
            batch_size: B, an int or a scalar Tensor.
            dtype: Accepted; the states have the dtype of the cell.
        """
        size = ops.shape(inputs)[0] if batch_size is None else batch_size
        return initial_state_of(self.cell, size)

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Return states of zeros.

        Args:
            batch_size: B.
            dtype: Their dtype.
        """
        return nest.map_structure(
            lambda state: ops.cast(ops.zeros_like(state), dtype),
            initial_state_of(self.cell, batch_size),
        )

    # Layers over cells ask for masks before their loop: all steps use the same.

    def get_dropout_mask(self, step_input: Any) -> Any:
        """Draw the masks of the cell inside, if it has some."""
        return self._ask("get_dropout_mask", step_input)

    def get_recurrent_dropout_mask(self, step_input: Any) -> Any:
        """Draw the masks of the cell's state, if it has some."""
        return self._ask("get_recurrent_dropout_mask", step_input)

    def reset_dropout_mask(self) -> None:
        """Let the cell inside draw its masks anew."""
        self._ask("reset_dropout_mask")

    def reset_recurrent_dropout_mask(self) -> None:
        """Let the cell inside draw the masks of its state anew."""
        self._ask("reset_recurrent_dropout_mask")

    def _ask(self, method: str, *args: Any) -> Any:
        found = getattr(self.cell, method, None)
        return None if found is None else found(*args)


class RNNCellResidualWrapper(CellWrapper):
    """Add a cell's input to its output.

    Args:
        cell: The cell.
        residual_fn: ``residual_fn(inputs, outputs)`` in place of the sum, or None.
        **kwargs: See `Layer`.

    Call:
        inputs: One step of the sequences, what the cell takes.
        states: The states of the cell.

    Returns:
        ``(output, states)``; with the sum, of the shape of the inputs.

    Raises:
        ValueError: `cell` is no cell, or the sum's shapes differ.

    Example:
        >>> cell = tf.nn.RNNCellResidualWrapper(tf.keras.layers.GRUCell(3))
        >>> tf.keras.layers.RNN(cell)(tf.ones((2, 5, 3))).shape
        TensorShape([2, 3])

    Reference: Wu et al. 2016, https://arxiv.org/abs/1609.08144, section 3.1.
    """

    def __init__(self, cell: Any, residual_fn: Callable[..., Any] | None = None, **kwargs: Any):
        super().__init__(cell, **kwargs)
        self.residual_fn = residual_fn

    def _around(self, inputs: Any, states: Any, kwargs: dict[str, Any]) -> Any:
        outputs, states = self.cell(inputs, states, **kwargs)
        combine = self.residual_fn or self._sum
        return combine(inputs, outputs), states

    def _sum(self, inputs: Any, outputs: Any) -> Any:
        for x, y in zip(nest.flatten(inputs), nest.flatten(outputs), strict=True):
            if not x.shape.is_compatible_with(y.shape):
                raise ValueError(
                    f"{checks.label(self)}: the cell's input and output must have one shape; got "
                    f"{tuple(x.shape)} and {tuple(y.shape)}.\n"
                    f"  Fix: use as many units as features, or pass residual_fn="
                    f"lambda inputs, outputs: ...."
                )
        return nest.map_structure(lambda x, y: x + y, inputs, outputs)


class RNNCellDeviceWrapper(CellWrapper):
    """Run a cell on a device.

    Args:
        cell: The cell.
        device: What `tf.device` takes, such as "/GPU:0".
        **kwargs: See `Layer`.

    Call:
        inputs: One step of the sequences, what the cell takes.
        states: The states of the cell.

    Returns:
        What the cell gives: ``(output, states)``.

    Raises:
        ValueError: `cell` is no cell.

    Example:
        >>> cell = tf.nn.RNNCellDeviceWrapper(tf.keras.layers.GRUCell(3), "/CPU:0")
        >>> cell(tf.ones((2, 4)), [tf.zeros((2, 3))])[0].shape
        TensorShape([2, 3])
    """

    def __init__(self, cell: Any, device: Any, **kwargs: Any):
        super().__init__(cell, **kwargs)
        self.device = device

    def _around(self, inputs: Any, states: Any, kwargs: dict[str, Any]) -> Any:
        with ops.device(self.device):
            return self.cell(inputs, states, **kwargs)


class RNNCellDropoutWrapper(CellWrapper):
    """Drop entries of a cell's inputs, outputs and states: always, as TensorFlow does.

    Args:
        cell: The cell.
        input_keep_prob: The share of the inputs that is kept, in (0, 1], a number or a Tensor.
        output_keep_prob: The share of the outputs that is kept.
        state_keep_prob: The share of the new states that is kept.
        variational_recurrent: Whether the same entries are dropped at all steps and for all of a
            batch: those drawn when the wrapper is made.
        input_size: With `variational_recurrent`, the size or shape of the inputs without the
            batch, F, if inputs are dropped.
        dtype: The dtype of what is dropped, with `variational_recurrent`; see `Layer` too.
        seed: An int for the same draws in each run, or None.
        dropout_state_filter_visitor: Says of a state, or of a structure of states, whether to
            drop: True, False or a structure of these. None drops in all.
        **kwargs: See `Layer`.

    Call:
        inputs: One step of the sequences, ``(B, F)`` or a structure of such.
        states: The states of the cell, ``(B, U)`` each.

    Returns:
        ``(output, states)`` of the cell's shapes. What is kept is divided by its share.
    State:
        The random stream moves on by one draw for each Tensor in which is dropped.

    Raises:
        ValueError: `cell` is no cell, a share is outside of [0, 1], or `dtype` or `input_size` is
            missing with `variational_recurrent`.
        TypeError: the filter is no function.

    Example:
        >>> cell = tf.nn.RNNCellDropoutWrapper(tf.keras.layers.GRUCell(3), input_keep_prob=0.9)
        >>> tf.keras.layers.RNN(cell)(tf.ones((2, 5, 4))).shape
        TensorShape([2, 3])

    Reference: Zaremba et al. 2014, https://arxiv.org/abs/1409.2329; with `variational_recurrent`
        Gal and Ghahramani 2015, https://arxiv.org/abs/1512.05287.
    """

    _lm_kept: Any

    def __init__(
        self,
        cell: Any,
        input_keep_prob: Any = 1.0,
        output_keep_prob: Any = 1.0,
        state_keep_prob: Any = 1.0,
        variational_recurrent: bool = False,
        input_size: Any = None,
        dtype: Any = None,
        seed: int | None = None,
        dropout_state_filter_visitor: Callable[..., Any] | None = None,
        **kwargs: Any,
    ):
        super().__init__(cell, dtype=dtype, **kwargs)
        self.input_keep_prob = self._share("input_keep_prob", input_keep_prob)
        self.output_keep_prob = self._share("output_keep_prob", output_keep_prob)
        self.state_keep_prob = self._share("state_keep_prob", state_keep_prob)
        self.variational_recurrent = variational_recurrent
        self.input_size = input_size
        self.seed = seed
        visitor = dropout_state_filter_visitor
        if visitor is not None and not callable(visitor):
            raise TypeError(
                f"{checks.label(self)}: `dropout_state_filter_visitor` must be a function; got "
                f"{visitor!r}.\n  Fix: lambda state: True, say."
            )
        self.dropout_state_filter_visitor = visitor
        self.seed_generator = random.SeedGenerator(seed)
        self.__dict__["_lm_kept"] = self._drawn_once(dtype) if variational_recurrent else None

    def _share(self, name: str, value: Any) -> Any:
        if isinstance(value, int | float) and not 0 <= value <= 1:
            raise ValueError(f"{checks.label(self)}: `{name}` must lie in [0, 1]; got {value!r}.")
        return value

    def _drawn_once(self, dtype: Any) -> dict[str, Any]:
        """Draw what all steps share: factors of inputs, outputs and states."""
        if dtype is None:
            raise ValueError(
                f"{checks.label(self)}: with `variational_recurrent`, `dtype` was expected; got "
                f"None.\n  Fix: pass dtype=tf.float32."
            )
        if self._drops(self.input_keep_prob) and self.input_size is None:
            raise ValueError(
                f"{checks.label(self)}: with `variational_recurrent` and an `input_keep_prob` "
                f"below 1, `input_size` was expected; got None.\n"
                f"  Fix: pass input_size= the number of features."
            )
        sizes = {"input": self.input_size, "output": self.output_size, "state": self.state_size}
        found = {}
        with init_scope():
            for what, size in sizes.items():
                share = getattr(self, f"{what}_keep_prob")
                if self._drops(share):
                    found[what] = [
                        self._dropped(ops.ones([1, *shape], self.compute_dtype), share)
                        for shape in _shapes(size)
                    ]
        return found

    @staticmethod
    def _drops(share: Any) -> bool:
        return not isinstance(share, int | float) or share < 1

    def _dropped(self, value: Any, share: Any) -> Any:
        return random.dropout(value, 1.0 - share, seed=self.seed_generator)

    def _around(self, inputs: Any, states: Any, kwargs: dict[str, Any]) -> Any:
        inputs = self._drop("input", inputs)
        outputs, states = self.cell(inputs, states, **kwargs)
        visitor = self.dropout_state_filter_visitor
        chosen = None if visitor is None else visitor(states)
        return self._drop("output", outputs), self._drop("state", states, chosen)

    def _drop(self, what: str, values: Any, chosen: Any = None) -> Any:
        share = getattr(self, f"{what}_keep_prob")
        if not self._drops(share):
            return values
        flat = nest.flatten(values)
        picked = nest.flatten(chosen) if chosen is not None else [True]
        if len(picked) == 1:
            picked *= len(flat)
        if self._lm_kept is None:
            dropped = [
                self._dropped(v, share) if p else v for v, p in zip(flat, picked, strict=True)
            ]
        else:
            factors = self._lm_kept[what]
            dropped = [
                v * ops.cast(f, v.dtype) if p else v
                for v, f, p in zip(flat, factors, picked, strict=True)
            ]
        return nest.pack_sequence_as(values, dropped)


def _shapes(size: Any) -> list[tuple[int, ...]]:
    """Return the shapes without the batch that a size or a list of sizes says."""
    if isinstance(size, list):
        return [shape for part in size for shape in _shapes(part)]
    return [size_tuple(size)]
