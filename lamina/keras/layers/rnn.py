"""RNN: a cell, built-in or of the user's own, run over the steps of sequences.

Letters: B batch, T time, F features, U units.
"""

from collections.abc import Callable, Sequence
from typing import Any

from lamina import ops
from lamina.engine import Shape, Tensor, init_scope, nest
from lamina.keras.core import Layer, checks
from lamina.keras.layers.stacked import (
    StackedRNNCells,
    build_cell,
    check_cell,
    has_bare_state,
    initial_state_of,
)
from lamina.keras.spelling import note_older
from lamina.keras.variable import Variable
from lamina.ops.loops import run_scan

__all__ = ["RNN"]

_TRANSPOSE = "tf.transpose(x, [1, 0, 2]) before and after it"


class StateCountError(ValueError, IndexError):
    """Not as many states as the cell has: Keras raises one or the other, cell by cell."""


def in_dtype(layer: Layer, y: Tensor) -> Tensor:
    """Return floats in a layer's dtype: what it wraps may compute in another."""
    return ops.cast(y, layer.compute_dtype) if y.dtype.is_floating else y


class RNN(Layer):
    """Run a cell over the steps of sequences.

    A cell is a layer with ``call(inputs, states) -> (output, states)`` and `state_size`: an int
    or a shape, or a list of them for several states. It may have `output_size` and
    ``get_initial_state(batch_size)``.

    Args:
        cell: The cell, or a list of cells, which are stacked.
        return_sequences: Return the outputs of all steps, not of the last only.
        return_state: Return the final states too.
        go_backwards: Run from the last step to the first; outputs come in that order.
        stateful: Start each batch from the final states of the one before; see `reset_state`.
        unroll: Write the steps out where their number is known: slower to compile, and faster
            for a few steps.
        zero_output_for_mask: Give zeros at masked steps, not the output of the step before.
        **kwargs: See `Layer`. `time_major`, an older argument: whether sequences, their mask and
            the outputs are ``(T, B, …)``.

    Call:
        sequences: ``(B, T, …)``, float for the built-in cells; or a structure of such.
        initial_state: The states to start from, as a list; None takes the cell's, mostly zeros.
        mask: Boolean ``(B, T)``, or None.
        training: Passed to the cell.

    Returns:
        ``(B, U)``, or ``(B, T, U)`` with `return_sequences`, what the cell gives in a step; with
        `return_state` a tuple of that and the states.
    State:
        states: with `stateful`, the final states of the last call.

    Raises:
        ValueError: the cell lacks something, the initial states do not fit, or the batch size
            of a stateful layer is unknown or changes.
    Masking:
        A masked step keeps the states. The mask passes through with `return_sequences`.

    Example:
        >>> class Counter(tf.keras.layers.Layer):
        ...     state_size = 1
        ...
        ...     def call(self, inputs, states):
        ...         total = states[0] + inputs
        ...         return total, [total]
        >>> counting = tf.keras.layers.RNN(Counter(), return_sequences=True)
        >>> counting(tf.ones((1, 3, 1))).numpy().ravel()
        array([1., 2., 3.], dtype=float32)
    """

    supports_masking = True
    _config_head_keys = (*Layer._config_head_keys, "time_major")

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ):
        time_major = kwargs.get("time_major") is True
        if time_major:
            del kwargs["time_major"]
            note_older(f"tf.keras.layers.{type(self).__name__}(time_major=)", _TRANSPOSE)
        super().__init__(**kwargs)
        self.time_major = time_major
        if isinstance(cell, list | tuple):
            cell = StackedRNNCells(cell)
        self.cell = check_cell(self, "cell", cell)
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self._lm_states: Any = None

    def _config_head(self) -> dict[str, Any]:
        # Keras 3 knows no `time_major`: the entry stands where it is needed.
        return super()._config_head() | ({"time_major": True} if self.time_major else {})

    def build(self, sequences_shape: Shape, initial_state_shape: Any = None):
        batch = 1 if self.time_major else 0
        first = _first_shape(sequences_shape)
        build_cell(self.cell, _step_shape(sequences_shape, batch))
        if self.stateful:
            if first[batch] is None:
                raise ValueError(
                    f"{checks.label(self)}: with `stateful` the batch size must be known; got "
                    f"input shape {tuple(first)}.\n"
                    f"  Fix: tf.keras.Input(batch_shape=(32, None, 8)), or stateful=False."
                )
            self._make_states(first[batch])

    def call(
        self,
        sequences: Tensor,
        initial_state: Any = None,
        mask: Tensor | None = None,
        training: bool = False,
    ) -> Any:
        if self.time_major:
            sequences = nest.map_structure(_swap_batch_and_time, sequences)
            mask = None if mask is None else nest.map_structure(_swap_batch_and_time, mask)
        batch = _first(sequences).shape[0]
        # A trace for shapes with an unknown batch has nothing to remember.
        remembers = self.stateful and batch is not None
        states = self._states_to_start_from(sequences, initial_state, remembers)
        mask = self._checked_mask(mask, sequences)
        if self._fits_kernel(sequences):
            output, states = self.cell.run_sequence(
                sequences,
                states,
                mask,
                training,
                return_sequences=self.return_sequences,
                go_backwards=self.go_backwards,
                unroll=self.unroll and sequences.shape[1] is not None,
                zero_output_for_mask=self.zero_output_for_mask,
            )
        else:
            output, states = self._run_steps(sequences, states, mask)
        self._reset_masks()
        if remembers:
            for kept, new in zip(nest.flatten(self._lm_states), nest.flatten(states), strict=True):
                kept.assign(new)
        if self.time_major and self.return_sequences:
            output = nest.map_structure(_swap_batch_and_time, output)
        output = nest.map_structure(lambda y: in_dtype(self, y), output)
        return (output, *states) if self.return_state else output

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = nest.flatten(mask)[0] if mask is not None else None
        mask = mask if self.return_sequences else None
        return [mask, *[None] * self._count_states()] if self.return_state else mask

    # -- states

    @property
    def state_size(self) -> Any:
        """The sizes of the cell's states, as a list."""
        size = self.cell.state_size
        return size if isinstance(size, list | tuple) else [size]

    def _count_states(self) -> int:
        return len(self.state_size)

    @property
    def states(self) -> Any:
        """With `stateful`, the Variables that hold the final states of the last call."""
        return self._lm_states

    def get_initial_state(self, batch_size: Any) -> list[Any]:
        """Return the states that sequences start from.

        Args:
            batch_size: B, an int or a scalar Tensor.
        """
        return initial_state_of(self.cell, batch_size)

    def reset_state(self, states: Any = None) -> None:
        """Start the next batch anew, for a stateful layer.

        Args:
            states: Values to start from; None takes the cell's initial states.

        Raises:
            ValueError: `states` are not as many as the layer has.
        """
        if self._lm_states is None:
            return
        kept = nest.flatten(self._lm_states)
        if states is None:
            states = self.get_initial_state(kept[0].shape[0])
        values = nest.flatten(states)
        self._check_count(len(values), len(kept), "states")
        for variable, value in zip(kept, values, strict=True):
            variable.assign(value)

    def reset_states(self, states: Any = None) -> None:
        """As `reset_state`."""
        self.reset_state(states)

    def _make_states(self, batch: int) -> None:
        with init_scope(), self._scope():
            self._lm_states = nest.map_structure(
                lambda value: Variable(
                    value, dtype=self.variable_dtype, trainable=False, name="rnn_state"
                ),
                self.get_initial_state(batch),
            )

    def _states_to_start_from(self, sequences: Any, given: Any, remembers: bool) -> list[Any]:
        first = _first(sequences)
        batch = first.shape[0]
        if given is None and remembers:
            kept = nest.map_structure(ops.convert_to_tensor, self._lm_states)
            self._check_batch(nest.flatten(kept)[0].shape[0], batch)
            return kept
        if given is None:
            return self.get_initial_state(ops.shape(first)[0] if batch is None else batch)
        dtype = getattr(self.cell, "compute_dtype", self.compute_dtype)
        flat = [_as_float(value, dtype) for value in nest.flatten(given)]
        self._check_count(len(flat), _count(self.state_size), "initial_state")
        return _packed_for(self.cell, iter(flat))

    def _check_count(self, count: int, wanted: int, argument: str) -> None:
        if count != wanted:
            raise StateCountError(
                f"{checks.label(self)}: `{argument}` must hold the {wanted} states of the cell; "
                f"got {count}.\n  Fix: pass a list of {wanted} Tensors, sizes {self.state_size}."
            )

    def _check_batch(self, kept: Any, batch: Any) -> None:
        if kept != batch:
            raise ValueError(
                f"{checks.label(self)}: with `stateful` all batches must have the size of the "
                f"first, {kept}; got {batch}.\n"
                f"  Fix: drop the smaller last batch, as dataset.batch(n, drop_remainder=True)."
            )

    def _checked_mask(self, mask: Any, sequences: Any) -> Tensor | None:
        if mask is None:
            return None
        mask = nest.flatten(mask)[0]
        if mask is None:
            return None
        mask = ops.cast(mask, "bool")
        if mask.ndim == 3 and mask.shape[2] == 1:
            mask = ops.squeeze(mask, [2])
        shape = _first(sequences).shape
        time = mask.shape[1] if mask.ndim == 2 else -1
        if time != shape[1] and None not in (time, shape[1]):
            raise ValueError(
                f"{checks.label(self)}: `mask` must have the shape (batch, time), "
                f"{tuple(shape[:2])}; got {tuple(mask.shape)}.\n"
                f"  Fix: one bool for each step of each sequence."
            )
        return mask

    # -- steps

    def _fits_kernel(self, sequences: Any) -> bool:
        has_kernel = getattr(self.cell, "has_kernel", None)
        return (
            has_kernel is not None
            and isinstance(sequences, Tensor)
            and sequences.ndim == 3
            and self.cell.compute_dtype == self.compute_dtype
            and has_kernel()
        )

    def _reset_masks(self) -> None:
        for cell in getattr(self.cell, "cells", [self.cell]):
            for name in ("reset_dropout_mask", "reset_recurrent_dropout_mask"):
                if hasattr(cell, name):
                    getattr(cell, name)()

    def _run_steps(
        self, sequences: Any, states: list[Any], mask: Tensor | None
    ) -> tuple[Any, list[Any]]:
        """Run the cell step by step: recorded once, and scanned over time."""
        self._draw_masks(nest.map_structure(lambda s: s[:, 0], sequences), states)
        inputs = nest.map_structure(_swap_batch_and_time, sequences)
        keep = None if mask is None else _swap_batch_and_time(mask)
        step, is_state = self._step()
        time = _first(inputs).shape[0]
        loop = _unrolled if self.unroll and time is not None else run_scan
        elements = [inputs] if keep is None else [inputs, keep]
        states, outputs = loop(
            step, states, elements, reverse=self.go_backwards, who=checks.label(self)
        )
        if outputs is None:
            return nest.flatten(states)[is_state[0]], states
        last = 0 if self.go_backwards else -1
        if keep is None and not self.return_sequences:
            return nest.map_structure(lambda y: y[last], outputs), states
        if self.go_backwards:
            # A reverse scan stacks outputs at their places in time; Keras gives them as computed.
            outputs = nest.map_structure(lambda y: ops.reverse(y, [0]), outputs)
            keep = None if keep is None else ops.reverse(keep, [0])
        if keep is not None:
            hold = {"zero": self.zero_output_for_mask, "last": not self.return_sequences}
            outputs = nest.map_structure(lambda y: ops.hold_outputs(y, keep, **hold), outputs)
        if self.return_sequences:
            outputs = nest.map_structure(_swap_batch_and_time, outputs)
        return outputs, states

    def _step(self) -> tuple[Callable[..., Any], list[int]]:
        """Return the step ``(states, [inputs, mask]) -> (states, output)``.

        The list beside it gets the number of the state that is the output, if only the last
        output is wanted and the cell returns one Tensor as both: the step then gives None.
        """
        is_state: list[int] = []

        def step(states: list[Any], element: list[Any]) -> tuple[Any, Any]:
            inputs, *mask = element
            output, new = self.cell(inputs, states)
            flat, before = nest.flatten(new), nest.flatten(states)
            if len(flat) != len(before):
                raise ValueError(
                    f"{checks.label(self.cell)}: `call` must return (output, states) with the "
                    f"{len(before)} states it was given; got {len(flat)}.\n"
                    f"  Fix: return output, [state, ...], as many as `state_size` says."
                )
            after = [ops.cast(a, b.dtype) for a, b in zip(flat, before, strict=True)]
            if mask:
                after = [_where(mask[0], a, b) for a, b in zip(after, before, strict=True)]
            elif not self.return_sequences:
                is_state[:] = [i for i, s in enumerate(after) if s is output]
            return nest.pack_sequence_as(states, after), None if is_state else output

        return step, is_state

    def _draw_masks(self, inputs: Any, states: list[Any]) -> None:
        """Let cells draw their dropout masks before the loop: all steps use the same."""
        stack = isinstance(self.cell, StackedRNNCells)
        cells = self.cell.cells if stack else [self.cell]
        for cell, state in zip(cells, states if stack else [states], strict=True):
            own = nest.flatten(state)[0]
            if hasattr(cell, "get_dropout_mask"):
                cell.get_dropout_mask(inputs)
                cell.get_recurrent_dropout_mask(own)
            inputs = own  # the size of the output, for cells that drop


def _first(sequences: Any) -> Tensor:
    return nest.flatten(sequences)[0]


def _is_shape(value: Any) -> bool:
    return not isinstance(value, dict) and not any(hasattr(n, "__len__") for n in value)


def _first_shape(shapes: Any) -> Any:
    """Return the first of a structure of shapes."""
    while not _is_shape(shapes):
        shapes = next(iter(shapes.values() if isinstance(shapes, dict) else shapes))
    return shapes


def _step_shape(shapes: Any, batch: int) -> Any:
    """Return shapes of sequences without their time, in the same structure."""
    if _is_shape(shapes):
        return (shapes[batch], *shapes[2:])
    if isinstance(shapes, dict):
        return {key: _step_shape(shape, batch) for key, shape in shapes.items()}
    return [_step_shape(shape, batch) for shape in shapes]


def _count(sizes: Any) -> int:
    """Return how many states `state_size` describes."""
    return sum(map(_count, sizes)) if isinstance(sizes, list | tuple) else 1


def _packed_for(cell: Any, values: Any) -> Any:
    """Return states as the cell takes them, from one iterator over all."""
    if isinstance(cell, StackedRNNCells):
        return [
            next(values) if has_bare_state(one) else _packed_for(one, values) for one in cell.cells
        ]
    size = cell.state_size
    return _packed_as(size if isinstance(size, list | tuple) else [size], values)


def _packed_as(sizes: Any, values: Any) -> Any:
    """Return states in the structure of `state_size`."""
    if not isinstance(sizes, list | tuple):
        return next(values)
    parts = [_packed_as(size, values) for size in sizes]
    return type(sizes)(*parts) if hasattr(sizes, "_fields") else parts


def _as_float(value: Any, dtype: Any) -> Tensor:
    value = ops.convert_to_tensor(value)
    return ops.cast(value, dtype) if value.dtype.is_floating else value


def _swap_batch_and_time(x: Tensor) -> Tensor:
    return ops.transpose(x, [1, 0, *range(2, x.ndim)])


def _where(keep: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """Return new states where ``keep (B,)`` is true, else the old ones."""
    return ops.where(ops.reshape(keep, [-1, *[1] * (new.ndim - 1)]), new, old)


def _unrolled(
    step: Callable[..., Any], states: Any, elements: Any, reverse: bool, who: str
) -> tuple[Any, Any]:
    """As `run_scan`, with the steps written out."""
    columns: Sequence[Any] = [ops.unstack(e) for e in nest.flatten(elements)]
    times = range(len(columns[0]))
    outputs = []
    for t in reversed(times) if reverse else times:
        element = nest.pack_sequence_as(elements, [column[t] for column in columns])
        states, output = step(states, element)
        outputs.append(output)
    if reverse:
        outputs.reverse()
    if outputs[0] is None:
        return states, None
    return states, nest.map_structure(lambda *parts: ops.stack(parts), *outputs)
