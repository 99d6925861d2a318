# pyright: reportPrivateUsage=false
# What JAX and NumPy give, and what `isinstance` finds in an Any, is partly unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
"""Tensor: the immutable handle of a value that is ready, or pending in a trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import jax
import numpy as np

from lamina.engine import errors
from lamina.engine.context import local
from lamina.engine.dtypes import DType, as_dtype
from lamina.engine.shapes import TensorShape
from lamina.engine.signature import TensorType, type_of

__all__ = ["Arithmetic", "Recorder", "Tensor", "placeholder", "ready"]

# What names the Tensors of programs as TF names them; lamina.runtime puts it here.
namers: list[Callable[[Any], str]] = []
_UNROLLED = 32  # the longest Python loop over a Tensor that a program holds step by step


class Recorder(Protocol):
    """What an operation is recorded into: a pending trace (eager) or a closed one."""

    eager: bool
    alive: bool
    parent: Any

    def emit(self, signature: Any, tensors: Any) -> list[Tensor]:
        """Record one equation, and return its outputs."""
        ...

    def materialize(self, tensor: Tensor) -> Any:
        """Return the value of a Tensor of this trace."""
        ...

    def alias(self, tensor: Tensor) -> Tensor:
        """Return another handle of the same value."""
        ...

    def read(self, variable: Any) -> Tensor:
        """Return the value of a variable at this point."""
        ...

    def write(self, variable: Any, tensor: Tensor) -> None:
        """Set the value of a variable from here on."""
        ...

    def write_all(self, variables: Any, tensors: Any) -> None:
        """Set the values of several variables from here on."""
        ...


class Arithmetic:
    """The operators of Tensor and Variable, for type checkers; ops/operators.py installs them."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __add__(self, other: Any, /) -> Tensor: ...
        def __sub__(self, other: Any, /) -> Tensor: ...
        def __mul__(self, other: Any, /) -> Tensor: ...
        def __truediv__(self, other: Any, /) -> Tensor: ...
        def __floordiv__(self, other: Any, /) -> Tensor: ...
        def __mod__(self, other: Any, /) -> Tensor: ...
        def __matmul__(self, other: Any, /) -> Tensor: ...
        def __pow__(self, other: Any, /) -> Tensor: ...
        def __and__(self, other: Any, /) -> Tensor: ...
        def __or__(self, other: Any, /) -> Tensor: ...
        def __xor__(self, other: Any, /) -> Tensor: ...
        def __radd__(self, other: Any, /) -> Tensor: ...
        def __rsub__(self, other: Any, /) -> Tensor: ...
        def __rmul__(self, other: Any, /) -> Tensor: ...
        def __rtruediv__(self, other: Any, /) -> Tensor: ...
        def __rfloordiv__(self, other: Any, /) -> Tensor: ...
        def __rmod__(self, other: Any, /) -> Tensor: ...
        def __rmatmul__(self, other: Any, /) -> Tensor: ...
        def __rpow__(self, other: Any, /) -> Tensor: ...
        def __rand__(self, other: Any, /) -> Tensor: ...
        def __ror__(self, other: Any, /) -> Tensor: ...
        def __rxor__(self, other: Any, /) -> Tensor: ...
        def __lt__(self, other: Any, /) -> Tensor: ...
        def __le__(self, other: Any, /) -> Tensor: ...
        def __gt__(self, other: Any, /) -> Tensor: ...
        def __ge__(self, other: Any, /) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __abs__(self) -> Tensor: ...
        def __invert__(self) -> Tensor: ...
        def __getitem__(self, key: Any, /) -> Tensor: ...


class Tensor(Arithmetic):
    """A value of known shape and dtype that may not be computed yet.

    Operations on Tensors are recorded and run together when a value is asked for: by
    `.numpy()`, `float()`, `bool()`, `print`, `np.asarray` or `jnp.asarray`. A Tensor never
    changes.

    Attributes:
        shape: A `tf.TensorShape`; entries are None where a model is built for any size.
        dtype: A `tf.DType`.
    """

    __slots__ = ("__dict__", "__weakref__", "_slot", "_trace", "_type", "_value")
    __array_priority__ = 100
    # Known on the host without running anything: the result of `tf.shape`, small integer
    # constants. A NumPy array; of objects where it holds symbolic dimensions.
    _host: Any = None
    _keras_mask: Any = None

    def __init__(self, kind: TensorType, trace: Any, slot: int, value: Any) -> None:
        self._type = kind
        self._trace = trace
        self._slot = slot
        self._value = value

    # Facts that are always known.

    @property
    def shape(self) -> TensorShape:
        """The shape, a `tf.TensorShape`."""
        return self._type.shape

    @property
    def dtype(self) -> DType:
        """The element type, a `tf.DType`."""
        return self._type.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._type.dims)

    @property
    def name(self) -> str:
        """A name for messages; TF gives names to graph tensors only."""
        if name := self.__dict__.get("_name"):
            return name
        if namers and self._value is None and self._trace is not None and not self._trace.eager:
            return namers[-1](self)
        return f"Tensor:{self._type.dtype.name}"

    @property
    def device(self) -> str:
        """The device that holds the value, in TF's notation."""
        value = self._jax() if self._trace is None else None
        device = next(iter(value.devices())) if isinstance(value, jax.Array) else jax.devices()[0]
        return f"/job:localhost/replica:0/task:0/device:{device.platform.upper()}:{device.id}"

    def get_shape(self) -> TensorShape:
        """Return the shape, as `.shape`."""
        return self._type.shape

    def set_shape(self, shape: Any) -> None:
        """Check that the shape is compatible with `shape`; it is always known already.

        Raises:
            ValueError: the shapes differ.
        """
        if not self._type.shape.is_compatible_with(TensorShape(shape)):
            raise ValueError(
                f"Tensor.set_shape: `shape` must be compatible with {self._type.shape}; got "
                f"{TensorShape(shape)}.\n  Fix: use tf.reshape to change a shape."
            )

    def ref(self) -> Reference:
        """Return a hashable reference to this Tensor, for use as a dictionary key."""
        return Reference(self)

    # Values.

    def _jax(self) -> Any:
        """Return the value as a jax array (or the NumPy array it was made from)."""
        value = self._value
        if value is None:
            value = self._trace.materialize(self)
        return value

    def _alias(self) -> Tensor:
        """Return another handle of the same value, which tapes tell from this one."""
        if self._value is not None:
            return Tensor(self._type, None, 0, self._value)
        return self._trace.alias(self)

    def _used(self) -> Any:
        """Return the value, a NumPy array, for use in a program; the second time on the device."""
        value = self._value
        if self._slot and value.dtype != object:
            with jax.enable_x64(True):
                value = self._value = jax.device_put(value)
        self._slot = 1
        return value

    def numpy(self) -> Any:
        """Return the value as a NumPy array; a NumPy scalar for a shape of ().

        The array is a copy: writing to it changes nothing here.

        Raises:
            TracedValueError: the Tensor belongs to a `tf.function` or a loop body that is being
                traced, where there are no values yet.
        """
        value = np.array(self._jax())
        return value[()] if value.ndim == 0 else value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        value = np.asarray(self._jax())
        if dtype is not None:
            value = value.astype(dtype, copy=False)
        return np.array(value) if copy else value

    def __jax_array__(self) -> Any:
        value = self._jax()
        return value if isinstance(value, jax.Array) else jax.numpy.asarray(value)

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self.__jax_array__().__dlpack__(**kwargs)

    def __dlpack_device__(self) -> Any:
        return self.__jax_array__().__dlpack_device__()

    def _scalar(self, what: str) -> Any:
        value = np.asarray(self._jax())
        if value.size != 1:
            raise _not_scalar(self, what)
        return value.reshape(())[()]

    def __bool__(self) -> bool:
        if self._type.dims and self._type.shape.num_elements() != 1:
            raise errors.InvalidArgumentError(
                f"Tensor: a condition must be a single value; got shape {self.shape}, dtype "
                f"{self.dtype.name}. The truth value of several elements is ambiguous.\n"
                f"  Fix: use tf.reduce_any(x) or tf.reduce_all(x)."
            )
        return bool(self._scalar("bool"))

    def __float__(self) -> float:
        return float(self._scalar("float"))

    def __int__(self) -> int:
        return int(self._scalar("int"))

    def __complex__(self) -> complex:
        return complex(self._scalar("complex"))

    def __index__(self) -> int:
        if not (self.dtype.is_integer or self.dtype.is_bool):
            raise TypeError(
                f"Tensor: an index must be of integer dtype; got dtype {self.dtype.name}.\n"
                f"  Fix: tf.cast(x, tf.int32)."
            )
        return int(self._scalar("index"))

    def __len__(self) -> int:
        if not self._type.dims:
            raise TypeError("Tensor: len() needs at least one axis; got a scalar (shape ()).")
        size = self._type.shape[0]
        if size is None:
            raise TypeError(
                f"Tensor: len() of an axis of unknown size; got shape {self.shape}.\n"
                f"  Fix: use tf.shape(x)[0]."
            )
        return size

    def __iter__(self) -> Iterator[Tensor]:
        here = local
        if not here.unrolls and len(self) > _UNROLLED and not here.trace.eager:
            raise errors.LongLoopError(
                f"{here.trace.what}: a loop over {len(self)} elements of a Tensor is not unrolled."
            )
        for i in range(len(self)):
            yield self[i]  # type: ignore[index]  # ops/operators.py installs __getitem__

    def __format__(self, spec: str) -> str:
        if self._value is None and not (self._trace.eager and self._trace.alive):
            return str(self)
        return format(self.numpy(), spec)

    def __repr__(self) -> str:
        if self._value is None and not (self._trace.eager and self._trace.alive):
            return f"<tf.Tensor {self.name!r} shape={self.shape} dtype={self.dtype.name}>"
        return f"<tf.Tensor: shape={self.shape}, dtype={self.dtype.name}, numpy={self._text()}>"

    def _text(self) -> str:
        """Return the value as `repr` shows it: numbers as Python's, several rows on their own."""
        value = np.asarray(self._jax())
        if value.ndim == 0:
            return repr(value.item())
        text = repr(value)
        return f"\n{text}" if "\n" in text else text

    def __str__(self) -> str:
        if self._value is None and not (self._trace.eager and self._trace.alive):
            return f'Tensor("{self.name}", shape={self.shape}, dtype={self.dtype.name})'
        text = str(np.asarray(self._jax()))
        text = f"\n{text}" if "\n" in text else text
        return f"tf.Tensor({text}, shape={self.shape}, dtype={self.dtype.name})"

    # Copies are the Tensor itself, since it never changes.

    def __copy__(self) -> Tensor:
        return self

    def __deepcopy__(self, memo: Any) -> Tensor:
        return self

    def __reduce__(self) -> Any:
        return _from_numpy, (np.asarray(self._jax()), self.dtype)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(_no_attribute(name))


class Reference:
    """A hashable stand-in for a Tensor or Variable, equal only to itself: `x.ref()`."""

    __slots__ = ("_target",)

    def __init__(self, target: Any) -> None:
        self._target = target

    def deref(self) -> Any:
        """Return the Tensor or Variable."""
        return self._target

    def __hash__(self) -> int:
        return id(self._target)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and self._target is other._target

    def __repr__(self) -> str:
        return f"<Reference wrapping {self._target!r}>"


def ready(value: Any, dtype: DType | None = None) -> Tensor:
    """Return a Tensor of a jax or NumPy array that nobody else will write to."""
    kind = type_of(tuple(value.shape), as_dtype(value.dtype) if dtype is None else dtype)
    return Tensor(kind, None, 0, value)


def placeholder(kind: TensorType, trace: Any, slot: int) -> Tensor:
    """Return the Tensor of a slot of a trace."""
    return Tensor(kind, trace, slot, None)


def _from_numpy(value: np.ndarray, dtype: DType) -> Tensor:
    return ready(value, dtype)


def _not_scalar(tensor: Tensor, what: str) -> TypeError:
    return TypeError(
        f"Tensor: {what}() needs a single value; got shape {tensor.shape}, dtype "
        f"{tensor.dtype.name}.\n  Fix: reduce it first, for instance tf.reduce_mean(x)."
    )


_NUMPY_ONLY = {
    "astype": "tf.cast(x, dtype)",
    "reshape": "tf.reshape(x, shape)",
    "mean": "tf.reduce_mean(x)",
    "sum": "tf.reduce_sum(x)",
    "max": "tf.reduce_max(x)",
    "min": "tf.reduce_min(x)",
    "T": "tf.transpose(x)",
    "transpose": "tf.transpose(x)",
    "size": "tf.size(x)",
    "flatten": "tf.reshape(x, [-1])",
    "ravel": "tf.reshape(x, [-1])",
    "item": "x.numpy().item()",
    "tolist": "x.numpy().tolist()",
    "clip": "tf.clip_by_value(x, lo, hi)",
    "data": "x.numpy().data",
}


def _no_attribute(name: str) -> str:
    fix = _NUMPY_ONLY.get(name)
    hint = f"\n  Fix: {fix}, or x.numpy().{name}." if fix else ""
    return f"Tensor has no attribute {name!r}, as in TensorFlow.{hint}"
