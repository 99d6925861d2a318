"""Blocks of code that run otherwise: without state, symbolically, with less memory."""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Self

from lamina import engine, ops
from lamina.engine import Tensor, Variable

__all__ = [
    "RematScope",
    "StatelessScope",
    "SymbolicScope",
    "in_symbolic_scope",
    "name_scope",
    "remat",
    "remat_mode",
]


class _Open(threading.local):
    """The scopes that are open in this thread, innermost last."""

    def __init__(self) -> None:
        self.stateless: list[StatelessScope] = []
        self.symbolic = 0
        self.remat: list[RematScope] = []


_open = _Open()
# Whether any thread may have a stateless scope open: reads of variables ask this first.
_used = [False]


class StatelessScope:
    """A block in which variables have other values, and keep their own when it ends.

    Args:
        state_mapping: Pairs of a `tf.keras.Variable` and its value inside; variables that are
            not named start from their own.
        collect_losses: Accepted; layers keep their losses.
        initialize_variables: Accepted; variables have values at once.

    State:
        `get_current_value` gives what the block assigned.

    Raises:
        ValueError: a key is no `tf.keras.Variable`, or a value has another shape.

    Example:
        >>> v = tf.keras.Variable(1.0)
        >>> with tf.keras.StatelessScope([(v, tf.constant(5.0))]) as scope:
        ...     _ = v.assign(v + 1.0)
        >>> v.numpy(), scope.get_current_value(v).numpy()
        (np.float32(1.0), np.float32(6.0))
    """

    def __init__(
        self,
        state_mapping: Any = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ) -> None:
        self.collect_losses = collect_losses
        self.initialize_variables = initialize_variables
        self.losses: list[Any] = []
        self.state_mapping: dict[int, Tensor] = {}
        self._kept: list[Variable] = []  # an id stands for one object while it lives
        for variable, value in state_mapping or ():
            if not isinstance(variable, Variable):
                raise ValueError(
                    f"StatelessScope: each key of `state_mapping` must be a tf.keras.Variable; "
                    f"got {variable!r}.\n  Fix: pass pairs (variable, value)."
                )
            tensor = ops.cast(value, variable._dtype)
            if not variable.shape.is_compatible_with(tensor.shape):
                raise ValueError(
                    f'StatelessScope: the value of variable "{variable.name}" must have shape '
                    f"{tuple(variable.shape)}; got {tuple(tensor.shape)}."
                )
            self.add_update((variable, tensor))

    def add_loss(self, loss: Any) -> None:
        """Note a loss, in `losses`."""
        self.losses.append(loss)

    def add_update(self, update: tuple[Any, Any]) -> None:
        """Give a variable another value inside: (variable, value)."""
        variable, value = update
        if id(variable) not in self.state_mapping:
            self._kept.append(variable)
        self.state_mapping[id(variable)] = value

    def get_current_value(self, variable: Any) -> Any:
        """Return the value that a variable has inside, None if it was neither given nor set."""
        return self.state_mapping.get(id(variable))

    def __enter__(self) -> Self:
        _used[0] = True
        _open.stateless.append(self)
        return self

    def __exit__(self, *_: Any) -> None:
        _open.stateless.remove(self)


def value_inside(variable: Any) -> Any:
    """Return the value of a variable in the innermost stateless scope that has one, or None."""
    for scope in reversed(_open.stateless):
        found = scope.get_current_value(variable)
        if found is not None:
            return found
    return None


def assigned_inside(variable: Any, value: Any) -> bool:
    """Note an assignment in the innermost stateless scope; return whether there is one."""
    if not _open.stateless:
        return False
    _open.stateless[-1].add_update((variable, value))
    return True


class SymbolicScope:
    """A block in which only shapes and dtypes count.

    Layers trace themselves for KerasTensors without it; programs ask `in_symbolic_scope`.

    Example:
        >>> with tf.keras.SymbolicScope():
        ...     pass
    """

    def __enter__(self) -> Self:
        _open.symbolic += 1
        return self

    def __exit__(self, *_: Any) -> None:
        _open.symbolic -= 1


def in_symbolic_scope() -> bool:
    """Return whether a `SymbolicScope` is open."""
    return _open.symbolic > 0


_REMAT_MODES = ("full", "activations", "larger_than", "list_of_layers", None)


class RematScope:
    """A block in which new layers recompute values for gradients in place of keeping them.

    Args:
        mode: "full", all layers; "activations", their activation functions; "larger_than", layers
            with outputs larger than the threshold; "list_of_layers", those named; None, none.
        output_size_threshold: Entries of an output, for "larger_than".
        layer_names: Names, for "list_of_layers".

    Raises:
        ValueError: `mode` is unknown.

    Example:
        >>> with tf.keras.RematScope("full"):
        ...     layer = tf.keras.layers.Dense(2)
        >>> layer(tf.ones([1, 3])).shape
        TensorShape([1, 2])

    Reference: Chen et al. 2016, https://arxiv.org/abs/1604.06174.
    """

    def __init__(
        self,
        mode: str | None = "full",
        output_size_threshold: int = 1024,
        layer_names: Sequence[str] | None = None,
    ) -> None:
        if mode not in _REMAT_MODES:
            raise ValueError(f"RematScope: `mode` must be one of {_REMAT_MODES}; got {mode!r}.")
        self.mode = mode
        self.output_size_threshold = output_size_threshold
        self.layer_names = list(layer_names or [])

    def __enter__(self) -> Self:
        _open.remat.append(self)
        return self

    def __exit__(self, *_: Any) -> None:
        _open.remat.remove(self)


def remat_mode() -> RematScope | None:
    """Return the innermost `RematScope` that is open and asks for something."""
    scope = _open.remat[-1] if _open.remat else None
    return None if scope is None or scope.mode is None else scope


def remat(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return `f` with its intermediate values recomputed for the gradient, not kept.

    Args:
        f: A function of Tensors; it may read variables, but not assign them.

    Returns:
        A function with the same values and gradients.

    Example:
        >>> cube = tf.keras.remat(lambda x: x * x * x)
        >>> cube(tf.constant(2.0)).numpy()
        np.float32(8.0)

    Reference: Chen et al. 2016, https://arxiv.org/abs/1604.06174.
    """
    return engine.recompute_grad(f)


def name_scope(name: str, **kwargs: Any) -> AbstractContextManager[str]:
    """Put `name` before the paths of the variables made inside the block.

    Args:
        name: One level of the path.
        **kwargs: Accepted: `caller`, `deduplicate`.

    Returns:
        A context manager.

    Raises:
        ValueError: `name` is no string, or has "/" in it.

    Example:
        >>> with tf.keras.name_scope("encoder"):
        ...     v = tf.keras.Variable(1.0, name="scale")
        >>> v.path
        'encoder/scale'
    """
    if not isinstance(name, str) or "/" in name:
        raise ValueError(f'name_scope: `name` must be a string without "/"; got {name!r}.')
    return engine.name_scope(name)
