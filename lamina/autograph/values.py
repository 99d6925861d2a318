"""The values of Python variables across branches and loops: what is a Tensor, what stays Python.

The state of a statement is the list of its variables' values. Recorded in a branch, each Tensor
in it becomes a `Slot`, an output of the branch; `agree` pairs the states of two branches into
plans, one a variable, that say what comes out.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import (
    Closed,
    Tensor,
    TensorType,
    call_trace,
    close,
    convert_to_tensor,
    errors,
    host_value,
    local,
    nest,
)

__all__ = [
    "Array",
    "ArraySlot",
    "Fixed",
    "Leaf",
    "Nested",
    "Slot",
    "Undefined",
    "UndefinedReturnValue",
    "agree",
    "copied",
    "is_constant",
    "is_traced",
    "leaves",
    "mismatch",
    "realized",
    "record",
    "restored",
    "run_closed",
    "same",
]


class UnassignedBranchError(UnboundLocalError, ValueError):
    """A variable is read that only one branch of a traced `if` assigns: TF's ValueError."""


class Undefined:
    """The value of a variable that is not assigned.

    Attributes:
        symbol_name: The variable.
        why: What an error says of it, or None.
    """

    def __init__(self, symbol_name: str, why: str | None = None) -> None:
        self.symbol_name = symbol_name
        self.why = why

    def read(self) -> Any:
        """Raise: it has no value."""
        if self.why is not None:
            raise UnassignedBranchError(self.why)
        name = self.symbol_name
        raise UnboundLocalError(f"local variable '{name}' is used before it is assigned")


class UndefinedReturnValue:
    """What a function has returned before it returns."""


def is_traced(value: Any) -> bool:
    """Return whether a value is a Tensor, or Variable, that has no value while recording."""
    if local.trace.eager:
        return False
    if isinstance(value, Tensor):
        recorded = value._value is None and value._trace is not None and not value._trace.eager
        return recorded and host_value(value) is None
    return hasattr(type(value), "_as_tensor")


def is_constant(value: Any) -> bool:
    """Return whether a Python value can become a Tensor: a number or an array."""
    return isinstance(value, bool | int | float | complex | np.generic | np.ndarray)


# ---- recording ----------------------------------------------------------------------------------


@dataclasses.dataclass(eq=False)
class _Record:
    """One branch, or one iteration: its program, and its state with Slots for Tensors."""

    closed: Closed
    values: list[Any]


class Slot:
    """An output of a recorded branch, in place of a Tensor."""

    __slots__ = ("index", "tensor", "type")

    def __init__(self, index: int, tensor: Tensor) -> None:
        self.index = index
        self.tensor = tensor
        self.type = tensor._type


class ArraySlot:
    """A TensorArray that a recorded branch leaves, with the Slot of its joined elements."""

    __slots__ = ("array", "slot")

    def __init__(self, array: Any, slot: Slot | None) -> None:
        self.array = array
        self.slot = slot


def record(fn: Callable[..., Sequence[Any]], kinds: Sequence[TensorType], what: str) -> _Record:
    """Record a function of Tensors that returns a state."""
    found: list[Any] = []

    def run(*inputs: Tensor) -> list[Tensor]:
        outputs: list[Tensor] = []

        def slot(tensor: Tensor) -> Slot:
            outputs.append(tensor)
            return Slot(len(outputs) - 1, tensor)

        def leaf(value: Any) -> Any:
            if isinstance(value, Tensor):
                return slot(value)
            if isinstance(value, ops.TensorArray):
                return ArraySlot(value, slot(value.joined()) if value.has_elements else None)
            return value

        found.extend(nest.map_structure(leaf, list(fn(*inputs))))
        return outputs

    closed, _ = close(run, kinds, what)
    return _Record(closed, found)


def run_closed(closed: Closed, arguments: Sequence[Tensor] = ()) -> list[Tensor]:
    """Record a finished program in the one around, its assignments too."""
    trace = local.trace
    outputs = call_trace(closed.trace, [*arguments, *closed.operands(trace)])
    for variable, value in zip(closed.written, outputs[closed.outputs :], strict=True):
        trace.write(variable, value)
    return list(outputs[: closed.outputs])


def copied(state: Sequence[Any]) -> list[Any]:
    """Return a state whose lists, dicts and arrays can be changed alone."""
    return [
        nest.map_structure(lambda v: v.copy() if isinstance(v, ops.TensorArray) else v, value)
        for value in state
    ]


def restored(before: Any, after: Any) -> Any:
    """Put new contents in the list or dict that the variable held, which others may hold too."""
    if before is after:
        return after
    if type(before) is list and type(after) is list:
        before[:] = after
        return before
    if type(before) is dict and type(after) is dict:
        before.clear()
        before.update(after)
        return before
    return after


# ---- plans --------------------------------------------------------------------------------------


@dataclasses.dataclass(eq=False)
class Fixed:
    """A variable that stays the Python value, or the Tensor, it is."""

    value: Any


@dataclasses.dataclass(eq=False)
class Leaf:
    """A Tensor of one type, with what each side gives: a Slot, a number, or None for zeros."""

    type: TensorType
    sides: tuple[Any, ...]

    def of(self, side: int, outputs: Sequence[Tensor]) -> Tensor:
        """Return one side's Tensor, given the outputs of its program."""
        value = self.sides[side]
        if isinstance(value, Slot):
            return outputs[value.index]
        if value is None:
            return ops.zeros(self.type.shape, self.type.dtype)
        return convert_to_tensor(value, self.type.dtype)


@dataclasses.dataclass(eq=False)
class Array:
    """A TensorArray whose joined elements are a leaf."""

    like: Any
    leaf: Leaf


@dataclasses.dataclass(eq=False)
class Nested:
    """A list, tuple or dict of plans."""

    structure: Any
    items: list[Any]


def leaves(plan: Any) -> Iterator[Leaf]:
    """Return the leaves of a plan in order."""
    if isinstance(plan, Leaf):
        yield plan
    elif isinstance(plan, Array):
        yield plan.leaf
    elif isinstance(plan, Nested):
        for item in plan.items:
            yield from leaves(item)


def realized(plan: Any, tensors: Iterator[Tensor]) -> Any:
    """Return the value that a plan stands for, with the next Tensors as its leaves."""
    if isinstance(plan, Fixed):
        return plan.value
    if isinstance(plan, Leaf):
        return next(tensors)
    if isinstance(plan, Array):
        return plan.like.of_joined(next(tensors))
    return nest.pack_sequence_as(plan.structure, [realized(p, tensors) for p in plan.items])


def mismatch(where: str, name: str, one: str, other: str, kinds: Sequence[Any]) -> Exception:
    """Return the error for a variable whose dtype or shape differs from one side to the other."""
    first, second = kinds
    if first.dtype is not second.dtype:
        return TypeError(
            f"{where}: `{name}` must have one dtype; it is {first.dtype.name} {one} and "
            f"{second.dtype.name} {other}.\n  Fix: tf.cast one of them."
        )
    return errors.TracedValueError(
        f"{where}: the shape of `{name}` depends on a Tensor; it is {first.shape} {one} and "
        f"{second.shape} {other}."
    )


def agree(where: str, names: Sequence[str], a: Sequence[Any], b: Sequence[Any]) -> list[Any]:
    """Return a plan for each variable that two branches leave in the states `a` and `b`."""
    return [_pair(where, n, x, y) for n, x, y in zip(names, a, b, strict=True)]


def _pair(where: str, name: str, a: Any, b: Any) -> Any:
    if isinstance(a, Undefined) or isinstance(b, Undefined):
        if isinstance(a, Undefined) and isinstance(b, Undefined):
            return Fixed(a)
        why = _ONE_BRANCH.format(where=where, name=name)
        if not name.isidentifier():
            # The object would keep what stands for no value: run as Python, it keeps nothing.
            raise errors.TracedValueError(why)
        return Fixed(Undefined(name, why))
    missing = isinstance(a, UndefinedReturnValue), isinstance(b, UndefinedReturnValue)
    if any(missing):
        return (
            Fixed(a) if all(missing) else _with_zeros(where, name, b if missing[0] else a, *missing)
        )
    if nest.is_nested(a) and nest.is_nested(b):
        return _pair_nested(where, name, a, b)
    if isinstance(a, ArraySlot) and isinstance(b, ArraySlot):
        return _pair_arrays(where, name, a, b)
    return _pair_leaves(where, name, a, b)


def _with_zeros(where: str, name: str, value: Any, first: bool, second: bool) -> Any:
    """Plan a value that only one side returns; the other's zeros are never looked at."""
    if nest.is_nested(value):
        flat = nest.flatten(value)
        return Nested(value, [_with_zeros(where, name, v, first, second) for v in flat])
    if isinstance(value, Slot):
        return Leaf(value.type, (None, value) if first else (value, None))
    if is_constant(value):
        kind = convert_to_tensor(value)._type
        return Leaf(kind, (None, value) if first else (value, None))
    raise _depends(where, name, value, "nothing")


def _pair_nested(where: str, name: str, a: Any, b: Any) -> Any:
    try:
        nest.assert_same_structure(a, b)
    except (TypeError, ValueError):
        raise errors.TracedValueError(
            f"{where}: the structure of `{name}` depends on a Tensor."
        ) from None
    both = zip(nest.flatten(a), nest.flatten(b), strict=True)
    return Nested(a, [_pair(where, name, x, y) for x, y in both])


def _pair_arrays(where: str, name: str, a: ArraySlot, b: ArraySlot) -> Any:
    if a.slot is None and b.slot is None:
        return Fixed(a.array)
    if a.slot is None or b.slot is None:
        # One branch wrote the first element: the other's are zeros, if the size is the same.
        known = a.slot or b.slot
        assert known is not None
        if len(a.array) != len(b.array):
            raise errors.TracedValueError(f"{where}: the size of `{name}` depends on a Tensor.")
        return Array((a if a.slot else b).array, Leaf(known.type, (a.slot, b.slot)))
    if a.slot.type is not b.slot.type:
        raise mismatch(where, name, *_BRANCHES, (a.slot.type, b.slot.type))
    return Array(a.array, Leaf(a.slot.type, (a.slot, b.slot)))


_BRANCHES = "if the condition holds", "if not"
_ONE_BRANCH = (
    "{where}: `{name}` is assigned in one branch only, and read afterwards, where either may have "
    "run.\n  Fix: assign it in both branches, or before."
)


def _pair_leaves(where: str, name: str, a: Any, b: Any) -> Any:
    if isinstance(a, Slot) and isinstance(b, Slot):
        if a.tensor is b.tensor:
            return Fixed(a.tensor)
        if a.type is not b.type:
            raise mismatch(where, name, *_BRANCHES, (a.type, b.type))
        return Leaf(a.type, (a, b))
    if same(a, b):
        return Fixed(a)
    number, slot = (a, b) if isinstance(b, Slot) else (b, a)
    if isinstance(slot, Slot) and is_constant(number):
        kind = _type_beside(number, slot.type)
        if kind is not slot.type:
            kinds = (kind, slot.type) if number is a else (slot.type, kind)
            raise mismatch(where, name, *_BRANCHES, kinds)
        return Leaf(kind, (a, b))
    if is_constant(a) and is_constant(b):
        kinds = [convert_to_tensor(v)._type for v in (a, b)]
        if kinds[0].shape != kinds[1].shape or (kinds[0].dtype.is_bool != kinds[1].dtype.is_bool):
            raise mismatch(where, name, *_BRANCHES, kinds)
        kind = kinds[1] if kinds[1].dtype.is_floating else kinds[0]
        return Leaf(kind, (a, b))
    raise _depends(where, name, a, b)


def same(a: Any, b: Any) -> bool:
    """Return whether two values are one object, or equal Python values."""
    if a is b:
        return True
    if type(a) is not type(b) or not isinstance(a, bool | int | float | str | bytes | tuple):
        return False
    return bool(a == b)


def _type_beside(number: Any, kind: TensorType) -> TensorType:
    """Return the type that a Python number has beside a Tensor of a type."""
    if isinstance(number, bool) == kind.dtype.is_bool:
        try:
            return convert_to_tensor(number, kind.dtype)._type
        except (TypeError, ValueError):
            pass
    return convert_to_tensor(number)._type


def _depends(where: str, name: str, a: Any, b: Any) -> Exception:
    shown = [f"a {'Tensor' if isinstance(v, Slot) else type(v).__name__}" for v in (a, b)]
    return errors.TracedValueError(
        f"{where}: which Python object `{name}` is depends on a Tensor; it is {shown[0]} in one "
        f"case and {shown[1]} in the other."
    )
