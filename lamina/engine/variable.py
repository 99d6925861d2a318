# pyright: reportPrivateUsage=false
# What JAX and NumPy give, and what `isinstance` finds in an Any, is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
"""Variable: the one mutable thing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, Self

import jax
import numpy as np

from lamina.engine import errors
from lamina.engine.aggregation import VariableAggregation, VariableSynchronization
from lamina.engine.context import init_scope, local, scoped_name
from lamina.engine.dispatch import convert_to_tensor, op
from lamina.engine.dtypes import DType, as_dtype, string
from lamina.engine.shapes import TensorShape
from lamina.engine.tensor import Arithmetic, Reference, Tensor

__all__ = ["Variable", "creation_hooks", "next_number", "read_all", "recording_hooks", "set_all"]

creation_hooks: list[Callable[[Any], None]] = []
"""Called with each new Variable: how `tf.function` and strategies learn of it."""

recording_hooks: list[Callable[[Sequence[Any]], None]] = []
"""Called with variables that belong to the function being recorded, though made outside of it."""

_serial = itertools.count()


def next_number() -> int:
    """Return a number above those of all variables so far, and below those to come."""
    return next(_serial)


creators: list[Callable[..., Any]] = []
"""What `tf.variable_creator_scope` put in front of making a variable; see creating.py."""


class _Creating(type):
    """Lets the creators make what `tf.Variable(...)` returns, inside of their scopes."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if creators and cls is Variable:
            return creators[-1](*args, **kwargs)
        return super().__call__(*args, **kwargs)


# What a tape notes on a variable; a copy has its own history.
_NOTES = ("_first_read", "_no_gradient")


class Variable(Arithmetic, metaclass=_Creating):
    """A value that can be assigned, and is used like a Tensor.

    Args:
        initial_value: What converts to a Tensor, or a function without arguments that returns it.
        trainable: Whether tapes watch it and layers list it as trainable; None means True.
        validate_shape: False lets later values have any shape.
        caching_device: Accepted, unused.
        name: A name; ":0" is added as in TF.
        variable_def: Accepted, unused.
        dtype: The dtype wanted; None takes that of the initial value.
        import_scope: Accepted, unused.
        constraint: A function from the new value to the value kept, for optimizers.
        synchronization: Accepted; one process keeps one copy.
        aggregation: Accepted, as `synchronization`.
        shape: The shape that values must have; None in it allows any size. Given without
            `initial_value`, the variable has no value until it is assigned.

    Raises:
        ValueError: neither `initial_value` nor `shape`, or they disagree.

    Example:
        >>> v = tf.Variable([1.0, 2.0])
        >>> v.assign_add([1.0, 1.0]).numpy()
        array([2., 3.], dtype=float32)
    """

    __array_priority__ = 100
    _stream: Any  # the random stream that a key or counter belongs to; see random.py
    # ops/operators.py installs these.
    gather_nd: Callable[..., Any]
    scatter_update: Callable[..., Variable]
    scatter_add: Callable[..., Variable]
    scatter_sub: Callable[..., Variable]
    scatter_max: Callable[..., Variable]
    scatter_min: Callable[..., Variable]
    scatter_mul: Callable[..., Variable]
    scatter_div: Callable[..., Variable]
    scatter_nd_update: Callable[..., Variable]
    scatter_nd_add: Callable[..., Variable]
    scatter_nd_sub: Callable[..., Variable]
    scatter_nd_max: Callable[..., Variable]
    scatter_nd_min: Callable[..., Variable]

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        import_scope: Any = None,
        constraint: Callable[[Any], Any] | None = None,
        synchronization: Any = None,
        aggregation: Any = None,
        shape: Any = None,
        experimental_enable_variable_lifting: bool = True,
    ) -> None:
        self._trainable = True if trainable is None else bool(trainable)
        self._name = scoped_name(name or "Variable")
        self.constraint = constraint
        auto, alone = VariableSynchronization.AUTO, VariableAggregation.NONE
        self.synchronization = auto if synchronization is None else synchronization
        self.aggregation = alone if aggregation is None else aggregation
        self._number = next(_serial)
        self._tensor: Tensor | None = None
        if initial_value is None:
            self._declare(shape, dtype)
        else:
            self._initialize(initial_value, dtype, shape, validate_shape)
        for hook in creation_hooks:
            hook(self)

    def _declare(self, shape: Any, dtype: Any) -> None:
        if shape is None:
            raise ValueError(
                f'Variable "{self._name}": `initial_value` must be given; got None.\n'
                f"  Fix: tf.Variable(tf.zeros(shape)), or pass shape= and dtype= and assign "
                f"before the first read."
            )
        self._dtype = as_dtype(dtype or "float32")
        self._shape = TensorShape(shape)

    def _initialize(self, value: Any, dtype: Any, shape: Any, validate_shape: bool) -> None:
        with init_scope():
            if callable(value):
                value = value()
            if isinstance(value, Tensor) and value._value is None and not value._trace.eager:
                value = _lifted(value, self._name)
            tensor = convert_to_tensor(value, dtype)
        self._dtype = tensor.dtype
        if shape is not None:
            self._shape = TensorShape(shape)
        else:
            self._shape = tensor.shape if validate_shape else TensorShape(None)
        self._check(tensor)
        tensor = self._tensor = _own(tensor, value)
        if tensor._value is None and tensor._trace.eager:
            tensor._trace.starts = True

    # -- facts

    @property
    def name(self) -> str:
        """The name, with ":0" behind it as in TF."""
        return f"{self._name}:0"

    @property
    def shape(self) -> TensorShape:
        """The shape that values have; None in it where any size is allowed."""
        return self._shape

    @property
    def dtype(self) -> DType:
        """The element type."""
        return self._dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._shape)

    @property
    def trainable(self) -> bool:
        """Whether tapes watch the variable of themselves."""
        return self._trainable

    @property
    def device(self) -> str:
        """The device that holds the value."""
        return self._read().device

    def get_shape(self) -> TensorShape:
        """Return the shape, as `.shape`."""
        return self._shape

    def ref(self) -> Reference:
        """Return a hashable reference, for use as a dictionary key."""
        return Reference(self)

    def is_initialized(self, name: str | None = None) -> bool:
        """Return whether the variable has a value."""
        return self._tensor is not None

    # -- reading

    def _read(self) -> Tensor:
        here = local
        tensor = self._tensor if here.trace.eager else here.trace.read(self)
        if tensor is None:
            raise errors.FailedPreconditionError(
                None,
                None,
                f'Variable "{self._name}": read before it got a value (shape {self._shape}, '
                f"dtype {self._dtype.name}).\n  Fix: assign it first, or pass initial_value.",
            )
        if here.tapes and self._trainable:
            for tape in here.tapes:
                tape.note_read(self, tensor)
        return tensor

    _as_tensor = _read

    def value(self) -> Tensor:
        """Return the value of now as a Tensor; later assignments do not change it."""
        return self._read()

    def read_value(self) -> Tensor:
        """Return the value of now as a Tensor."""
        return self._read()

    def numpy(self) -> Any:
        """Return the value of now as a NumPy array (a copy)."""
        return self._read().numpy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._read().__array__(dtype))

    def __jax_array__(self) -> Any:
        return self._read().__jax_array__()

    def __bool__(self) -> bool:
        return bool(self._read())

    def __float__(self) -> float:
        return float(self._read())

    def __int__(self) -> int:
        return int(self._read())

    def __index__(self) -> int:
        return self._read().__index__()

    def __len__(self) -> int:
        return len(self._read())

    def __iter__(self) -> Any:
        return iter(self._read())

    def __format__(self, spec: str) -> str:
        return format(self._read(), spec) if spec else repr(self)

    # -- writing

    def assign(
        self,
        value: Any,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ) -> Self:
        """Replace the value.

        Args:
            value: What converts to a Tensor of the variable's dtype and shape.
            use_locking: Accepted, unused.
            name: Accepted, unused.
            read_value: Accepted; the variable itself is returned in any case.

        Returns:
            The variable.

        Raises:
            ValueError: the shape or the dtype does not fit.
        """
        tensor = convert_to_tensor(value, self._dtype)
        self._check(tensor)
        local.trace.write(self, _own(tensor, value))
        return self

    def assign_add(
        self,
        delta: Any,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ) -> Self:
        """Add `delta` to the value; see `assign`."""
        return self.assign(_add(self._read(), convert_to_tensor(delta, self._dtype)))

    def assign_sub(
        self,
        delta: Any,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ) -> Self:
        """Subtract `delta` from the value; see `assign`."""
        return self.assign(_subtract(self._read(), convert_to_tensor(delta, self._dtype)))

    def _set(self, tensor: Tensor) -> None:
        """Replace the value by a Tensor known to fit: the optimizers' way."""
        local.trace.write(self, tensor)

    def _check(self, tensor: Tensor) -> None:
        if tensor._type.shape is self._shape or self._shape.is_compatible_with(tensor.shape):
            return
        raise ValueError(
            f'Variable "{self._name}": the value must have shape {self._shape}; got shape '
            f"{tensor.shape}, dtype {tensor.dtype.name}.\n"
            f"  Fix: reshape the value, or make the variable with shape=tf.TensorShape(None)."
        )

    # -- copies

    def __copy__(self) -> Variable:
        return self._clone()

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        made = memo[id(self)] = self._clone()
        return made

    def _clone(self) -> Variable:
        made = object.__new__(type(self))
        vars(made).update({k: v for k, v in self.__dict__.items() if k not in _NOTES})
        made._number = next(_serial)
        return made

    def __getstate__(self) -> dict[str, Any]:
        state = {k: v for k, v in self.__dict__.items() if k not in _NOTES}
        state["_tensor"] = None if self._tensor is None else self._tensor.numpy()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        value = state.pop("_tensor")
        vars(self).update(state)
        self._tensor = None if value is None else convert_to_tensor(value, self._dtype)

    # Hash by identity, for sets and dictionaries of variables; `==` compares values, as in TF.
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        head = f"<tf.Variable '{self.name}' shape={self._shape} dtype={self._dtype.name}"
        if self._tensor is None:
            return head + ", uninitialized>"
        if not local.trace.eager:
            return head + ">"
        return f"{head}, numpy={self._tensor._text()}>"


def read_all(variables: Sequence[Variable]) -> list[Tensor]:
    """Return the values of several variables: the optimizers' way, quicker than one by one."""
    here = local
    if here.trace.eager and not here.tapes:
        tensors = [v._tensor for v in variables]
        if set(map(type, tensors)) == {Tensor}:
            return tensors  # pyright: ignore[reportReturnType]
    return [v._read() for v in variables]  # one without a value: the error names it


def set_all(variables: Sequence[Variable], tensors: Sequence[Tensor]) -> None:
    """Replace the values of several variables by Tensors known to fit."""
    local.trace.write_all(variables, tensors)


def _own(tensor: Tensor, given: Any) -> Tensor:
    """Return the handle that a variable keeps: its own, and on the device.

    A number or NumPy array would be another kind of input than the results that replace it.
    """
    if isinstance(tensor._value, np.generic | np.ndarray) and tensor.dtype is not string:
        with jax.enable_x64(True):
            return Tensor(tensor._type, None, 0, jax.device_put(np.asarray(tensor._value)))
    return tensor._alias() if tensor is given else tensor


def _lifted(value: Tensor, name: str) -> Tensor:
    """Return a traced initial value computed outside, as TF lifts it."""
    found = value._trace.lift(value) if hasattr(value._trace, "lift") else None
    if found is None:
        raise _traced_start(name)
    return found


def _traced_start(name: str) -> Exception:
    return errors.TracedStartError(
        f'Variable "{name}": `initial_value` must not be computed inside the tf.function that '
        f"makes the variable; got a traced Tensor.\n"
        f"  Fix: pass a function, tf.Variable(lambda: ...), or make the variable outside."
    )


@op
def _add(x: Any, y: Any) -> Any:
    return x + y


@op
def _subtract(x: Any, y: Any) -> Any:
    return x - y
