"""What recurrent layers ask of a cell, and cells stacked on each other."""

import functools
import inspect
from collections.abc import Sequence
from typing import Any

from lamina import ops
from lamina.engine import Shape, Tensor
from lamina.keras.core import Layer, checks

__all__ = ["StackedRNNCells"]


def check_cell(who: Any, argument: str, cell: Any) -> Any:
    """Return `cell` if it has what a cell needs."""
    for needed in ("call", "state_size"):
        if not hasattr(cell, needed):
            raise ValueError(
                f"{checks.label(who)}: `{argument}` must have a `{needed}`; got {cell!r} "
                f"({type(cell).__name__}).\n"
                f"  Fix: a cell is a layer with `call(inputs, states)` -> (output, states), and "
                f"`state_size`, an int or a list of them."
            )
    return cell


def output_size_of(cell: Any) -> Any:
    """Return the size of a cell's output: its `output_size`, else that of its first state."""
    size = getattr(cell, "output_size", None)
    if size is not None:
        return size
    return cell.state_size[0] if isinstance(cell.state_size, list | tuple) else cell.state_size


def size_tuple(size: Any) -> tuple[int, ...]:
    """Return a size, an int or a shape, as a shape without the batch axis."""
    return (size,) if isinstance(size, int) else tuple(size)


def initial_state_of(cell: Any, batch_size: Any) -> Any:
    """Return the states that a cell starts from, as a list: its own choice, else zeros."""
    own = getattr(cell, "get_initial_state", None)
    dtype = getattr(cell, "compute_dtype", "float32")
    if own is None:
        state = _zeros(cell.state_size, batch_size, dtype)
    elif _takes_dtype(getattr(own, "__func__", own)):  # as tf.keras called it
        state = own(inputs=None, batch_size=batch_size, dtype=dtype)
    else:
        state = own(batch_size=batch_size)
    if isinstance(state, list | tuple):
        return state if hasattr(state, "_fields") else list(state)  # namedtuples keep their names
    return [state]


def has_bare_state(cell: Any) -> bool:
    """Return whether a stack has a cell's state in no list: it says one size, and no start."""
    return not hasattr(cell, "get_initial_state") and not isinstance(cell.state_size, list | tuple)


@functools.lru_cache
def _takes_dtype(method: Any) -> bool:
    return "dtype" in inspect.signature(method).parameters


def _zeros(size: Any, batch_size: Any, dtype: Any) -> Any:
    if isinstance(size, list | tuple):
        parts = [_zeros(s, batch_size, dtype) for s in size]
        return type(size)(*parts) if hasattr(size, "_fields") else parts
    return ops.zeros([batch_size, *size_tuple(size)], dtype)


def build_cell(cell: Any, input_shape: Any) -> None:
    """Make the weights of a cell for one step of the input, unless it has them."""
    if isinstance(cell, Layer) and not cell.built:
        cell.build(input_shape)


class StackedRNNCells(Layer):
    """Cells on top of each other: each reads the output of the one before.

    Args:
        cells: The cells, lowest first.
        **kwargs: See `Layer`.

    Call:
        inputs: One step of the sequences, what the first cell takes.
        states: A list with the states of each cell.

    Returns:
        ``(output, states)``: the output of the last cell, and the new states of all.

    Raises:
        ValueError: a cell has no `call` or no `state_size`.

    Example:
        >>> cells = [tf.keras.layers.LSTMCell(4), tf.keras.layers.GRUCell(3)]
        >>> stacked = tf.keras.layers.StackedRNNCells(cells)
        >>> stacked.state_size, stacked.output_size
        ([[4, 4], 3], 3)
        >>> tf.keras.layers.RNN(stacked)(tf.ones((2, 5, 3))).shape
        TensorShape([2, 3])
    """

    def __init__(self, cells: Sequence[Any], **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(cells, list | tuple) or not cells:
            raise ValueError(
                f"{checks.label(self)}: `cells` must be a list of cells; got {cells!r}.\n"
                f"  Fix: StackedRNNCells([LSTMCell(32), LSTMCell(32)])."
            )
        self.cells = [check_cell(self, "cells", cell) for cell in cells]

    def build(self, input_shape: Shape):
        batch = input_shape[0]
        shape: Any = input_shape
        for cell in self.cells:
            build_cell(cell, shape)
            shape = (batch, *size_tuple(output_size_of(cell)))

    def call(
        self, inputs: Tensor, states: Any, training: bool = False, **kwargs: Any
    ) -> tuple[Tensor, list[Any]]:
        after = []
        for cell, state in zip(self.cells, states, strict=True):
            is_bare = isinstance(state, Tensor)
            inputs, state = cell(inputs, [state] if is_bare else state, **kwargs)
            after.append(state[0] if is_bare and isinstance(state, list | tuple) else state)
        return inputs, after

    @property
    def state_size(self) -> list[Any]:
        """The sizes of the states of each cell."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        """The size of the last cell's output."""
        return output_size_of(self.cells[-1])

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Return the states that a sequence starts from, for each cell."""
        states = [initial_state_of(cell, batch_size) for cell in self.cells]
        pairs = zip(self.cells, states, strict=True)
        return [state[0] if has_bare_state(cell) else state for cell, state in pairs]
