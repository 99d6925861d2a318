# pyright: reportPrivateUsage=false
# What JAX and NumPy give, and what `isinstance` finds in an Any, is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownLambdaType=false
"""Strings: Tensors that are always ready, as NumPy arrays of bytes, since XLA has none.

An operation on a string Tensor runs at once, on the host. What only moves elements (slices,
`tf.reshape`, `tf.gather`, `tf.where`, ...) runs its NumPy form, or else its usual body on integers
that stand for the strings. Operations of their own are made with `@host_op` (engine/hosted.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lamina.engine import dtypes, errors
from lamina.engine.signature import TensorType, infer, type_of
from lamina.engine.tensor import Tensor, ready

__all__ = [
    "BY_VALUE",
    "StringTensor",
    "from_host",
    "is_traced",
    "on_host",
    "refuse_compiling",
    "string_array",
    "types_by_value",
]

# What looks at the strings themselves, and is defined for them in TF.
BY_VALUE = frozenset({"add", "equal", "not_equal"})


class StringTensor(Tensor):
    """A Tensor of byte strings; its value is a NumPy array of `bytes` objects."""

    __slots__ = ()

    def _alias(self) -> Tensor:
        return StringTensor(self._type, None, 0, self._value)

    def _used(self) -> Any:
        refuse_compiling(f"a string Tensor of shape {self.shape}")

    def __jax_array__(self) -> Any:
        refuse_compiling(f"a string Tensor of shape {self.shape}")

    def _apply(self, op: Any, tensors: Sequence[Any], attributes: Any) -> Any:
        """Run an operation that has a string operand; engine/dispatch.py calls this."""
        return on_host(op, tensors, attributes)

    def __reduce__(self) -> Any:
        return from_host, (self._value,)


def types_by_value(label: str, kinds: Sequence[TensorType]) -> Any:
    """Return what `infer` gives of an operation on strings themselves, one of BY_VALUE."""
    numbers = tuple(type_of(k.dims, dtypes.int64) for k in kinds)
    (found,), container = infer(label, lambda x, y: x + y, numbers)
    dtype = dtypes.string if label == "add" else dtypes.bool_
    return (type_of(found.dims, dtype),), container


def refuse_compiling(what: str) -> Any:
    """Raise: strings exist only outside of compiled programs.

    Raises:
        UnimplementedError: always.
    """
    raise errors.UnimplementedError(
        f"tf.string: strings do not enter compiled programs, XLA has none; got {what}.\n"
        f"  Fix: turn them into numbers before: map the string layers or tf.strings functions "
        f"over the dataset, dataset.map(lookup)."
    )


def from_host(array: Any) -> Tensor:
    """Return a NumPy array as a ready Tensor; one of objects must hold `bytes`."""
    array = np.asarray(_as_objects(array))
    if array.dtype != object:
        return ready(array if array.ndim else array[()])
    return StringTensor(type_of(array.shape, dtypes.string), None, 0, array)


def is_traced(tensor: Any) -> bool:
    """Return whether a Tensor stands for a value of a program that is being traced."""
    return tensor is not None and tensor._value is None and not tensor._trace.eager


def on_host(op: Any, tensors: Sequence[Any], attributes: Any) -> Any:
    """Run an operation on the host now; inside a trace that needs a traced value, record it.

    Args:
        op: The operation.
        tensors: Its operands, None among them.
        attributes: Its static arguments, as `Op` keeps them.

    Returns:
        What the operation returns, ready.

    Raises:
        InvalidArgumentError: the operation is not defined for strings.
    """
    for t in tensors:
        if t is not None and type(t) is not Tensor and not isinstance(t, StringTensor):
            return t._apply(op, tensors, attributes)  # a KerasTensor: noted in its graph
    if any(map(is_traced, tensors)):
        present = [t for t in tensors if t is not None]
        return op._record(_signature(op, tensors, attributes), present, attributes)
    statics = {k: v for k, v, _ in attributes}
    if op.label == "full_like" and statics["value"] == 0 and statics["dtype"] is None:
        return from_host(np.full(tensors[0].shape, b"", dtype=object))  # tf.zeros_like
    signature = None
    if not op.is_hosted and op.label not in BY_VALUE:
        signature = _signature(op, tensors, attributes)
    if op.host is None:
        return _by_codes(op, tensors, statics, signature)
    function = op.on_arrays([] if signature is None else signature.outputs, statics)
    found = function(*[None if t is None else np.asarray(t._jax()) for t in tensors])
    if isinstance(found, list | tuple):
        return type(found)([from_host(v) for v in found])
    return from_host(found)


def _as_objects(value: Any) -> Any:
    """Return what NumPy took out of an array of objects: one element comes without an array."""
    if isinstance(value, bytes):
        array = np.empty((), dtype=object)
        array[()] = value
        return array
    return value


def _signature(op: Any, tensors: Sequence[Any], attributes: Any) -> Any:
    key = (attributes, *[None if t is None else t._type for t in tensors])
    found = op.signatures.get(key)
    if found is not None:
        return found
    try:
        made = op._signature(key)
        if op.label != "full_like" or made.outputs[0].dtype is not dtypes.string:
            return made
    except errors.InvalidArgumentError as error:
        if "dtype object" not in str(error):
            raise
    kinds = ", ".join(repr(t._type) for t in tensors if t is not None)
    raise errors.InvalidArgumentError(
        f"tf.{op.label}: the operands must be numbers; got {kinds}, and there is no such "
        f"operation on strings.\n  Fix: use tf.strings, or convert the strings to numbers."
    )


def _by_codes(op: Any, tensors: Sequence[Any], statics: dict[str, Any], signature: Any) -> Any:
    """Run an operation that moves elements on numbers that stand for the strings."""
    strings = [t for t in tensors if isinstance(t, StringTensor)]
    flat = np.concatenate([t._value.reshape(-1) for t in strings])
    table, codes = np.unique(flat, return_inverse=True)
    left = iter(np.split(codes.reshape(-1), np.cumsum([t._value.size for t in strings])[:-1]))
    operands = [
        from_host(next(left).reshape(t._value.shape).astype(np.int64))
        if isinstance(t, StringTensor)
        else t
        for t in tensors
    ]
    found = op(*operands, **statics)
    several = isinstance(found, list | tuple)
    outputs = found if several else [found]
    made = [
        _decoded(t, table) if kind.dtype is dtypes.string else t
        for t, kind in zip(outputs, signature.outputs, strict=True)
    ]
    return type(found)(made) if several else made[0]


def _decoded(codes: Tensor, table: npt.NDArray[Any]) -> Tensor:
    places = np.asarray(codes._jax())
    strings = np.empty(places.shape, dtype=object)
    strings[...] = table[places] if table.size else b""
    return from_host(strings)


def string_array(value: Any) -> npt.NDArray[Any]:
    """Return strings, or nested lists of them, as an array of `bytes` objects.

    Raises:
        TypeError: something else than str and bytes is among them.
        ValueError: the lists are not rectangular.
    """
    array = np.array(value, dtype=object)
    flat = [v if type(v) is bytes else _encoded(v) for v in array.ravel()]
    out = np.empty(len(flat), dtype=object)
    out[:] = flat
    return out.reshape(array.shape)


def _encoded(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return bytes(value)
    raise TypeError(f"strings were expected; got {value!r} ({type(value).__name__})")
