# pyright: reportPrivateUsage=false
# Numbers of other classes come as Any.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownLambdaType=false
"""Python floats that change between steps, as inputs of the programs that read them.

`model.beta = 0.5` in a callback must take effect at the next step, and must not compile the step
anew each time. So a float attribute that changed becomes a variable, and compiled programs read
that: through a `LiftedFloat`, which counts as a float everywhere. Where it meets a Tensor it is
recorded; where Python needs its value (`if self.beta > 0`, `math.exp(self.beta)`) it gives it, and
remembers that the program holds for this value only.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from lamina.engine.context import init_scope, local, versions
from lamina.engine.dispatch import op
from lamina.engine.dtypes import DType, float32, float64
from lamina.engine.tensor import Tensor
from lamina.engine.variable import Variable

__all__ = ["LiftedFloat", "Quantity"]


class Quantity:
    """A float that changes between steps.

    Attributes:
        value: The value of now.
        is_fixed: Whether a program was traced with the value itself in it.
        decided: What programs were traced on: (comparison, other number) -> result.
    """

    __slots__ = ("_variable", "decided", "is_fixed", "value")

    def __init__(self, value: float) -> None:
        self.value = value
        self.is_fixed = False
        self.decided: dict[tuple[str, float], bool] = {}
        with init_scope():
            self._variable = Variable(np.float64(value), trainable=False, name="quantity")

    def change(self, value: float) -> None:
        """Set the value; programs that hold the one before are traced anew."""
        self.value = value
        self._variable.assign(np.float64(value))
        holds = all(getattr(value, how)(x) is was for (how, x), was in self.decided.items())
        if self.is_fixed or not holds:
            versions.structure += 1
            self.decided.clear()

    def read(self) -> Any:
        """Return the float; while a program is traced, a stand-in for it."""
        if local.trace.eager:
            return self.value
        return LiftedFloat(self.value, self._variable._read(), (self,), is_plain=True)


class LiftedFloat:
    """A float inside a trace that may be another one when the program runs.

    Args:
        value: Its value of now.
        tensor: The same as a float64 Tensor of the trace.
        quantities: What it was computed from.
        is_plain: Whether it is the one quantity itself.
    """

    __slots__ = ("_is_plain", "_quantities", "_tensor", "_value")
    # Ufuncs leave it to the methods here.
    __array_ufunc__ = None

    def __init__(
        self,
        value: float,
        tensor: Tensor,
        quantities: tuple[Quantity, ...],
        is_plain: bool = False,
    ) -> None:
        self._is_plain = is_plain
        self._value = value
        self._tensor = tensor
        self._quantities = quantities

    @property
    def __class__(self) -> type:  # type: ignore[override]  # isinstance(x, float) holds
        return float

    def _weakly(self, dtype: DType | None) -> Tensor:
        """Return it as a Tensor of the dtype of what it meets, as a Python float would be."""
        wanted = float32 if dtype is None else dtype
        if not (wanted.is_floating or wanted.is_complex):
            raise TypeError(
                f"tf.convert_to_tensor: {self._value!r} (float) does not convert to dtype "
                f"{wanted.name}.\n  Fix: tf.cast the Tensor it meets to a float dtype."
            )
        return self._tensor if wanted is float64 else _cast(self._tensor, dtype=wanted)

    def _as_number(self) -> float:
        """Return the value of now, and note that the program depends on it."""
        for quantity in self._quantities:
            quantity.is_fixed = True
        return self._value

    def __bool__(self) -> bool:
        return bool(self.__ne__(0.0))

    def __hash__(self) -> int:
        return hash(self._as_number())

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._value, name)  # a probe for what floats lack fixes nothing
        self._as_number()
        return found

    def __reduce__(self) -> Any:
        return float, (self._as_number(),)


def _recorded(compute: Callable[..., Any], name: str) -> Any:
    """Return an arithmetic method whose result is a LiftedFloat too."""

    def method(self: LiftedFloat, *others: Any) -> Any:
        values: list[Any] = []
        tensors: list[Any] = []
        quantities = self._quantities
        for other in others:
            if type(other) is LiftedFloat:
                quantities = (*quantities, *other._quantities)
                values.append(other._value)
                tensors.append(other._tensor)
            elif type(other) in (int, float):
                values.append(other)
                tensors.append(float(other))
            elif isinstance(other, Tensor) or hasattr(type(other), "_as_tensor"):
                return NotImplemented  # the Tensor's own method takes it
            else:
                return compute(self._as_number(), *others)
        found = compute(self._value, *values)
        if type(found) is not float:  # (-8.0) ** 0.5
            return compute(self._as_number(), *values)
        return LiftedFloat(found, compute(self._tensor, *tensors), quantities)

    method.__name__ = name
    return method


def _by_value(name: str) -> Any:
    """Return the method of float, on the value of now."""
    of_float = getattr(float, name)

    def method(self: LiftedFloat, *others: Any) -> Any:
        given = [o._as_number() if type(o) is LiftedFloat else o for o in others]
        return of_float(self._as_number(), *given)

    method.__name__ = name
    return method


def _comparison(name: str) -> Any:
    """Return a comparison: with a number it holds until the value crosses that."""
    by_value = _by_value(name)

    def method(self: LiftedFloat, other: Any) -> Any:
        if not self._is_plain or type(other) not in (int, float):
            return by_value(self, other)
        other = float(other)
        found = getattr(self._value, name)(other)
        self._quantities[0].decided[name, other] = found
        return found

    method.__name__ = name
    return method


def _reflected(compute: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, y: compute(y, x)


for _name in ("add", "sub", "mul", "truediv", "pow"):
    _compute = getattr(operator, _name)
    setattr(LiftedFloat, f"__{_name}__", _recorded(_compute, f"__{_name}__"))
    setattr(LiftedFloat, f"__r{_name}__", _recorded(_reflected(_compute), f"__r{_name}__"))
for _name in ("neg", "pos", "abs"):
    setattr(LiftedFloat, f"__{_name}__", _recorded(getattr(operator, _name), f"__{_name}__"))
for _name in (
    *("float", "int", "round", "trunc", "floor", "ceil", "format", "repr", "str"),
    *("floordiv", "rfloordiv", "mod", "rmod", "divmod", "rdivmod"),
):
    setattr(LiftedFloat, f"__{_name}__", _by_value(f"__{_name}__"))
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(LiftedFloat, f"__{_name}__", _comparison(f"__{_name}__"))


@op(differentiable=False)
def _cast(x: Any, *, dtype: Any) -> Any:
    return x.astype(dtype.np)
