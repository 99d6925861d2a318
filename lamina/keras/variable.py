"""Variable as Keras spells it: made from an initializer, named by its path, cast by policy."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import numpy as np

from lamina import engine, ops
from lamina.engine import DType, Tensor, as_dtype, context, convert_to_tensor
from lamina.keras import initializers, policy, scopes
from lamina.keras.naming import auto_name
from lamina.keras.promotion import result_type
from lamina.ops.numpy.products import ranked_product

__all__ = ["Variable", "autocast"]

# Whether any variable was ever told to take its gradient as its value: optimizers ask this first.
overwriting = [False]


@contextmanager
def autocast(dtype: Any) -> Iterator[None]:
    """Read float variables as `dtype` inside the block; None reads them as they are.

    Layers do so when their policy computes in another dtype than it stores. Variables made
    with ``autocast=False`` keep their dtype.
    """
    here = context.local
    before = here.compute_dtype
    here.compute_dtype = None if dtype is None else as_dtype(dtype)
    try:
        yield
    finally:
        here.compute_dtype = before


class Variable(engine.Variable):
    """A value that can be assigned: the weights of layers and the state of metrics.

    Args:
        initializer: The start value, or a function of ``(shape, dtype=)`` or an initializer's
            name that gives it.
        shape: The shape; needed for a function or a name.
        dtype: The dtype; None takes that of the value, or ``tf.keras.config.floatx()``.
        trainable: Whether tapes watch it.
        autocast: Whether layers read it in the compute dtype of their policy.
        aggregation: "none", "mean", "sum" or "only_first_replica": how copies on several devices
            become one; one process keeps one copy.
        synchronization: Accepted, as `aggregation`.
        name: The last part of the path; None makes "variable", "variable_1", ….
        layout: Accepted; `tf.keras.distribution` lays variables out.
        **kwargs: Accepted for Keras' signature, unused.

    Raises:
        ValueError: a name with "/" in it, or a function without `shape`.

    Example:
        >>> v = tf.keras.Variable("ones", shape=(2,), name="scale")
        >>> v.assign(3.0 * v)
        <Variable path=scale, shape=(2,), dtype=float32, value=[3. 3.]>
        >>> v.value.numpy()
        array([3., 3.], dtype=float32)
    """

    def __init__(
        self,
        initializer: Any,
        shape: Sequence[int] | None = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str | None = "auto",
        name: str | None = None,
        layout: Any = None,
        **kwargs: Any,
    ):
        name = name or auto_name("variable")
        if not isinstance(name, str) or "/" in name:
            raise ValueError(
                f'Variable: `name` must be a string without "/"; got {name!r}.\n'
                "  Fix: levels of the path come from tf.keras.name_scope and the layers."
            )
        if isinstance(initializer, str):
            initializer = initializers.get(initializer)
        start, dtype = _start_value(initializer, shape, dtype, name)
        super().__init__(
            start,
            trainable=trainable,
            name=name,
            dtype=dtype,
            aggregation=aggregation,
            synchronization=synchronization,
        )
        self.path = context.scoped_name(name)
        self.autocast = autocast
        self.regularizer: Callable | None = None
        self._overwrites = False
        self._lm_trainable_asked = bool(trainable)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def dtype(self) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]  # TF: a DType
        """The dtype by name, as Keras has it."""
        return self._dtype.name

    @property
    def value(self) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]  # TF: a method
        """The value of now as a Tensor, in the compute dtype inside a layer's call."""
        return self._as_tensor()

    @property
    def trainable(self) -> bool:
        """Whether tapes watch the variable, and optimizers change it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool):
        self._trainable = bool(value)

    @property
    def overwrite_with_gradient(self) -> bool:
        """Whether optimizers assign the gradient in place of applying it."""
        return self._overwrites

    @overwrite_with_gradient.setter
    def overwrite_with_gradient(self, value: bool):
        if not isinstance(value, bool):
            raise TypeError(
                f'Variable "{self.path}": `overwrite_with_gradient` must be a bool; got {value!r} '
                f"({type(value).__name__}).\n  Fix: True or False."
            )
        self._overwrites = value
        overwriting[0] |= value

    def _read(self) -> Tensor:
        if scopes._used[0]:
            inside = scopes.value_inside(self)
            if inside is not None:
                return inside
        return super()._read()

    def _set(self, tensor: Tensor) -> None:
        if not (scopes._used[0] and scopes.assigned_inside(self, tensor)):
            super()._set(tensor)

    def _as_tensor(self) -> Tensor:
        tensor = self._read()
        dtype = context.local.compute_dtype
        if dtype is None or dtype is tensor.dtype or not self.autocast:
            return tensor
        return ops.cast(tensor, dtype) if tensor.dtype.is_floating else tensor

    def assign(self, value: Any, *args: Any, **kwargs: Any) -> Self:
        """Replace the value.

        Args:
            value: What converts to the variable's shape; it is cast to the variable's dtype.
            *args: Accepted, unused.
            **kwargs: Accepted, unused.

        Returns:
            The variable.

        Raises:
            ValueError: the shape does not fit.
        """
        fitted = self._fitted(value)
        if scopes._used[0] and scopes.assigned_inside(self, fitted):
            self._check(fitted)
            return self
        return super().assign(fitted)

    def assign_add(self, value: Any, *args: Any, **kwargs: Any) -> Self:
        """Add `value` to the value; see `assign`."""
        return super().assign_add(self._fitted(value))

    def assign_sub(self, value: Any, *args: Any, **kwargs: Any) -> Self:
        """Subtract `value` from the value; see `assign`."""
        return super().assign_sub(self._fitted(value))

    def _fitted(self, value: Any) -> Tensor:
        if isinstance(value, int | float | list | tuple):
            return convert_to_tensor(value, self._dtype)
        return ops.cast(value, self._dtype)

    def __pos__(self) -> Tensor:
        return self._as_tensor()

    def __invert__(self) -> Tensor:
        return ~self._as_tensor()

    def __round__(self, ndigits: int | None = None) -> Tensor:
        scale = 10.0 ** (ndigits or 0)
        return ops.round(self._as_tensor() * scale) / scale if ndigits else ops.round(self)

    def __repr__(self) -> str:
        head = f"<Variable path={self.path}, shape={tuple(self.shape)}, dtype={self.dtype}"
        if self._tensor is None or not context.local.trace.eager:
            return head + ">"
        return f"{head}, value={self.numpy()}>"


def _start_value(initializer: Any, shape: Any, dtype: Any, name: str) -> tuple[Any, DType | None]:
    """Return what the engine starts from: a function without arguments, or the value itself."""
    if callable(initializer):
        if shape is None:
            raise ValueError(
                f'Variable "{name}": `shape` must be given with an initializer; got None with '
                f"{initializer!r}.\n  Fix: pass shape=(…), () for a scalar."
            )
        dtype = as_dtype(dtype or policy.floatx())
        return (lambda: ops.cast(initializer(tuple(shape), dtype=dtype), dtype)), dtype
    if dtype is None and type(initializer) is float:  # NumPy's float64 keeps its dtype
        dtype = policy.floatx()
    if dtype is None:
        return initializer, None
    return (lambda: ops.cast(initializer, dtype)), as_dtype(dtype)


# ---- operators ------------------------------------------------------------------------------

_LOGICAL = {  # of numbers too, unlike TensorFlow's
    f"__{prefix}{name}__": getattr(ops, f"logical_{name}")
    for prefix in ("", "r")
    for name in ("and", "or", "xor")
}
_REFLECTED = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
_PROMOTING = (
    *(f"__{name}__" for name in _REFLECTED),
    *(f"__r{name}__" for name in _REFLECTED),
    *(f"__{name}__" for name in ("eq", "ne", "lt", "le", "gt", "ge")),
)


def _promoting(name: str) -> Callable[[Variable, Any], Any]:
    """Return an operator of variables that takes operands of other dtypes, as Keras' do.

    TensorFlow's refuse them. NumPy's arrays take the variable's dtype, unless it is of a narrower
    kind: floats are not cut to integers.
    """
    divides = name in ("__truediv__", "__rtruediv__")
    apply = {"__matmul__": _matmul, "__rmatmul__": _rmatmul}.get(name) or getattr(Tensor, name)

    def method(self: Variable, other: Any) -> Any:
        mine = self._as_tensor()
        kind = type(other)
        if isinstance(other, Tensor | engine.Variable) or _is_broader(other, mine.dtype):
            other = convert_to_tensor(other)
            kind = other.dtype
        if kind is mine.dtype and not (divides and kind.is_integer):
            return apply(mine, other)
        if isinstance(kind, DType) and _is_number(kind) and _is_number(mine.dtype):
            both = [mine.dtype.name, kind.name]
        elif kind in (int, float) and _is_number(mine.dtype):
            both = [mine.dtype.name, kind]
        else:
            return apply(mine, other)
        dtype = result_type(*both, float) if divides else result_type(*both)
        if isinstance(kind, DType):
            other = ops.cast(other, dtype)
        return apply(mine if mine.dtype.name == dtype else ops.cast(mine, dtype), other)

    method.__name__ = name
    return method


def _matmul(x: Tensor, y: Any) -> Any:
    return _product(x, convert_to_tensor(y, x.dtype))


def _rmatmul(y: Tensor, x: Any) -> Any:
    return _product(convert_to_tensor(x, y.dtype), y)


def _product(x: Tensor, y: Tensor) -> Any:
    """Multiply matrices, and vectors, which TensorFlow's operator refuses."""
    return ops.matmul(x, y) if min(len(x.shape), len(y.shape)) > 1 else ranked_product(x, y)


def _logical(function: Callable[[Any, Any], Tensor]) -> Callable[[Variable, Any], Tensor]:
    def method(self: Variable, other: Any) -> Tensor:
        return function(ops.cast(self._as_tensor(), "bool"), ops.cast(other, "bool"))

    return method


def _is_broader(value: Any, dtype: DType) -> bool:
    """Return whether an array of NumPy's holds a broader kind of number than a dtype does."""
    if not isinstance(value, np.ndarray | np.generic):
        return False
    kinds = "bbiuffcc"  # V: bfloat16
    mine, its = (
        k.replace("V", "f") for k in (np.dtype(dtype.as_numpy_dtype).kind, value.dtype.kind)
    )
    return kinds.find(its) // 2 > kinds.find(mine) // 2


def _is_number(dtype: DType) -> bool:
    return dtype.is_floating or dtype.is_integer or dtype.is_complex or dtype.is_bool


for _name in _PROMOTING:
    setattr(Variable, _name, _promoting(_name))
for _name, _function in _LOGICAL.items():
    setattr(Variable, _name, _logical(_function))
Variable.__hash__ = engine.Variable.__hash__
