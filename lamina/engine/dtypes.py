"""Dtypes: one DType object per dtype, and TF's rules for inferring and converting them."""

import builtins
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import ml_dtypes
import numpy as np

__all__ = [
    "DType",
    "as_dtype",
    "bfloat16",
    "bool_",
    "complex64",
    "complex128",
    "float4_e2m1fn",
    "float8_e4m3b11fnuz",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float16",
    "float32",
    "float64",
    "int2",
    "int4",
    "int8",
    "int16",
    "int32",
    "int64",
    "is_compatible",
    "python_dtype",
    "qint8",
    "qint16",
    "qint32",
    "quint8",
    "quint16",
    "string",
    "uint2",
    "uint4",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]

_ENUM_REF = 100  # TF adds this to the enum of a reference variable's dtype.

_by_enum: dict[int, "DType"] = {}
_by_spelling: dict[Any, "DType"] = {}  # names, NumPy dtypes, NumPy and Python types


class DType:
    """The element type of a Tensor, such as `tf.float32`.

    There is one object per dtype, so `is` compares too. `==` also accepts what `tf.as_dtype`
    accepts: names, NumPy dtypes and types. `DType(x)` returns the existing object.

    Args:
        type_enum: The dtype's number in TF's `DataType` enum, or anything `tf.as_dtype` accepts.
        handle_data: Accepted for TF's signature, unused.

    Attributes:
        name: The name, as in "float32".
        as_datatype_enum: The number in TF's `DataType` enum.
        as_numpy_dtype: The NumPy scalar type; `np.object_` for strings.
        np: The NumPy dtype instance.
        size: Bytes per element; 0 for strings.
        is_floating: Whether a real floating point dtype, bfloat16 and float8 included.
        is_integer: Whether a signed or unsigned integer dtype.
        is_unsigned: Whether an unsigned integer dtype.
        is_complex: Whether a complex dtype.
        is_bool: Whether `tf.bool`.
        is_numeric: Whether a number dtype, hence neither bool nor string.
        is_quantized: Whether one of qint8, quint8, qint16, quint16 and qint32, which name files'
            contents: nothing computes in them.
        is_numpy_compatible: True; every dtype here has a NumPy equivalent.

    Example:
        >>> tf.float32 == "float32", tf.float32.size, tf.int8.max
        (True, 4, 127)
    """

    __slots__ = (
        "as_datatype_enum",
        "as_numpy_dtype",
        "is_bool",
        "is_complex",
        "is_floating",
        "is_integer",
        "is_numeric",
        "is_unsigned",
        "name",
        "np",
        "size",
    )

    as_datatype_enum: int
    as_numpy_dtype: type[Any]
    is_bool: builtins.bool
    is_complex: builtins.bool
    is_floating: builtins.bool
    is_integer: builtins.bool
    is_numeric: builtins.bool
    is_unsigned: builtins.bool
    name: str
    np: np.dtype[Any]
    size: int

    is_numpy_compatible = True

    def __new__(cls, type_enum: Any, handle_data: Any = None) -> "DType":
        """Return the one object of this dtype."""
        return as_dtype(type_enum)

    @property
    def is_quantized(self) -> builtins.bool:
        """Whether a quantized dtype, such as `tf.qint8`."""
        return self.name.startswith("q")

    @property
    def base_dtype(self) -> "DType":
        """The dtype itself; TF's reference dtypes do not exist here."""
        return self

    @property
    def real_dtype(self) -> "DType":
        """The dtype of the real part: float32 for complex64, float64 for complex128."""
        if self.is_complex:
            return float32 if self is complex64 else float64
        return self

    @property
    def min(self) -> Any:
        """The smallest finite value: an int, or a NumPy scalar of a floating dtype.

        Raises:
            TypeError: the dtype is bool, string or complex.
        """
        return self._extreme("min")

    @property
    def max(self) -> Any:
        """The largest finite value: an int, or a NumPy scalar of a floating dtype.

        Raises:
            TypeError: the dtype is bool, string or complex.
        """
        return self._extreme("max")

    @property
    def limits(self) -> tuple[Any, Any]:
        """The range of an image's intensities: `(0, max)` for integers, `(0, 1)` for floats.

        Raises:
            ValueError: the dtype is not one of bool, the integers, float32 and float64.
        """
        if self.is_integer:
            return 0, self.max
        if self.is_bool:
            return 0, True
        if self is float32 or self is float64:
            return 0, 1
        raise ValueError(
            f"tf.DType.limits: expected bool, an integer dtype, float32 or float64; "
            f"got {self!r}, which does not have defined limits.\n"
            f"  Fix: use .min and .max, the range of the representable numbers."
        )

    def is_compatible_with(self, other: Any) -> builtins.bool:
        """Return whether a value of dtype `other` can be used where this dtype is declared.

        Args:
            other: Anything `tf.as_dtype` accepts.

        Returns:
            True if both are the same dtype.

        Raises:
            TypeError: `other` is not a dtype.
        """
        return as_dtype(other) is self

    def is_subtype_of(self, other: Any) -> builtins.bool:
        """Return whether `other` is this dtype: no dtype is a subtype of another."""
        return type(other) is DType and other is self

    def most_specific_common_supertype(self, types: Iterable[Any]) -> "DType | None":
        """Return this dtype if all `types` are the same, else None."""
        return self if all(self.is_subtype_of(other) for other in types) else None

    def _extreme(self, end: str) -> Any:
        if self.is_floating:
            return getattr(cast("Any", ml_dtypes.finfo(self.np)), end)
        if self.is_integer:
            return int(getattr(cast("Any", ml_dtypes.iinfo(self.np)), end))
        raise TypeError(
            f"tf.DType.{end}: expected an integer or floating dtype; got {self!r}, "
            f"whose values have no {end}imum.\n"
            f"  Fix: use the {end} of .real_dtype, or cast first."
        )

    def __eq__(self, other: object) -> builtins.bool:
        if self is other:
            return True
        if other is None or type(other) is DType:
            return False
        try:
            return as_dtype(other) is self
        except TypeError:
            return False

    def __ne__(self, other: object) -> builtins.bool:
        return not self == other

    __hash__ = object.__hash__  # objects are interned; this one costs no Python call

    def __int__(self) -> int:
        return self.as_datatype_enum

    def __repr__(self) -> str:
        return f"tf.{self.name}"

    def __str__(self) -> str:
        return f"<dtype: '{self.name}'>"

    def __reduce__(self) -> tuple[Callable[[Any], "DType"], tuple[str]]:
        return as_dtype, (self.name,)


def _define(enum: int, name: str, numpy_type: type[Any]) -> DType:
    found = object.__new__(DType)
    found.as_datatype_enum = enum
    found.name = name
    found.as_numpy_dtype = numpy_type
    found.np = np.dtype(numpy_type)
    found.size = 0 if name == "string" else found.np.itemsize
    found.is_bool = numpy_type is np.bool_
    # ml_dtypes' scalar types inherit from np.generic alone.
    found.is_integer = name.startswith(("int", "uint"))
    found.is_unsigned = name.startswith("uint")
    found.is_complex = issubclass(numpy_type, np.complexfloating)
    found.is_floating = "float" in name
    found.is_numeric = found.is_integer or found.is_floating or found.is_complex
    _by_enum[enum] = _by_enum[enum + _ENUM_REF] = found
    _by_spelling[name] = found
    if not found.is_quantized:  # their NumPy types are the plain ones'
        _by_spelling[numpy_type] = _by_spelling[found.np] = found
    return found


float32 = _define(1, "float32", np.float32)
float64 = _define(2, "float64", np.float64)
int32 = _define(3, "int32", np.int32)
uint8 = _define(4, "uint8", np.uint8)
int16 = _define(5, "int16", np.int16)
int8 = _define(6, "int8", np.int8)
string = _define(7, "string", np.object_)
complex64 = _define(8, "complex64", np.complex64)
int64 = _define(9, "int64", np.int64)
bool_ = _define(10, "bool", np.bool_)
bfloat16 = _define(14, "bfloat16", ml_dtypes.bfloat16)
uint16 = _define(17, "uint16", np.uint16)
complex128 = _define(18, "complex128", np.complex128)
float16 = _define(19, "float16", np.float16)
uint32 = _define(22, "uint32", np.uint32)
uint64 = _define(23, "uint64", np.uint64)
float8_e5m2 = _define(24, "float8_e5m2", ml_dtypes.float8_e5m2)
float8_e4m3fn = _define(25, "float8_e4m3fn", ml_dtypes.float8_e4m3fn)

float8_e4m3fnuz = _define(26, "float8_e4m3fnuz", ml_dtypes.float8_e4m3fnuz)
float8_e4m3b11fnuz = _define(27, "float8_e4m3b11fnuz", ml_dtypes.float8_e4m3b11fnuz)
float8_e5m2fnuz = _define(28, "float8_e5m2fnuz", ml_dtypes.float8_e5m2fnuz)
int4 = _define(29, "int4", ml_dtypes.int4)
uint4 = _define(30, "uint4", ml_dtypes.uint4)
int2 = _define(31, "int2", ml_dtypes.int2)
uint2 = _define(32, "uint2", ml_dtypes.uint2)
float4_e2m1fn = _define(33, "float4_e2m1fn", ml_dtypes.float4_e2m1fn)
qint8 = _define(11, "qint8", np.int8)
quint8 = _define(12, "quint8", np.uint8)
qint32 = _define(13, "qint32", np.int32)
qint16 = _define(15, "qint16", np.int16)
quint16 = _define(16, "quint16", np.uint16)

_by_spelling.update(
    {
        "half": float16,
        "float": float32,
        "double": float64,
        "int": int32,
        builtins.float: float32,
        builtins.int: int32,
        builtins.bool: bool_,
        builtins.complex: complex128,
        builtins.object: string,
        builtins.str: string,
        builtins.bytes: string,
        np.str_: string,
        np.bytes_: string,
    }
)
# C's integer types: which of them are NumPy's sized types depends on the platform.
for _c_type in (np.intc, np.uintc, np.long, np.ulong, np.longlong, np.ulonglong):
    _by_spelling[_c_type] = _by_spelling[np.dtype(_c_type).name]


def as_dtype(type_value: Any) -> DType:
    """Return the DType that `type_value` names.

    Args:
        type_value: A DType, a name ("float32", "half", "float", "double", "int", "bool", ...), a
            NumPy dtype or scalar type, a Python type (float means float32, int means int32), a
            number of TF's `DataType` enum, or an object with a `dtype` attribute.

    Returns:
        The one DType object of that dtype.

    Raises:
        TypeError: `type_value` is none of these.

    Example:
        >>> tf.as_dtype("half"), tf.as_dtype(np.int64), tf.as_dtype(float)
        (tf.float16, tf.int64, tf.float32)
    """
    if type(type_value) is DType:
        return type_value
    try:
        return _by_spelling[type_value]
    except (KeyError, TypeError):  # TypeError: not hashable
        return _search(type_value)


def _search(value: Any) -> DType:
    if type(value) is int and value in _by_enum:
        return _by_enum[value]
    if isinstance(value, np.dtype):
        # By type, so that byte order and the length of NumPy strings do not matter.
        found = _by_spelling.get(cast("np.dtype[Any]", value).type)
        if found is not None:
            return found
    elif not isinstance(value, type) and (own := getattr(value, "dtype", None)) is not None:
        return as_dtype(own)
    raise TypeError(_unknown_dtype(value))


def _unknown_dtype(value: Any) -> str:
    fix = "write a dtype such as tf.float32, or its name."
    if isinstance(value, str):
        names = [dtype.name for dtype in _by_enum.values()]
        near = [n for n in names if n.startswith(value.lower().rstrip("0123456789_t"))]
        fix = f"use one of {', '.join(sorted(set(near or names)))}."
    return (
        f"tf.as_dtype: `type_value` must be a DType, a dtype's name, a NumPy dtype or a Python "
        f"type; got {value!r} ({type(value).__name__}). Cannot convert it to a TensorFlow DType.\n"
        f"  Fix: {fix}"
    )


def is_compatible(desired: DType, got: DType) -> bool:
    """Return whether TF converts a Python value of dtype `got` to `desired` unasked.

    Bools and integers go to any number dtype, floats to any float or complex dtype, complex to
    complex; bool and string only come from themselves. TF is laxer with NumPy arrays and
    scalars: where a dtype is wanted, `astype` takes them to any number dtype or bool.

    Args:
        desired: The wanted dtype.
        got: The value's own dtype, `python_dtype(value)`.

    Returns:
        True if the conversion is allowed. Whether the values fit is not looked at.
    """
    if desired is got:
        return True
    if desired.is_integer:
        return got.is_integer or got.is_bool
    if desired.is_floating:
        return got.is_floating or got.is_integer or got.is_bool
    return desired.is_complex and (got.is_numeric or got.is_bool)


_SCALAR_TYPES: dict[type[Any], DType] = {
    float: float32,
    bool: bool_,
    complex: complex128,
    str: string,
    bytes: string,
}


def _declared_dtype(value: Any, declared: Any) -> DType:
    """Return the dtype of a value whose `dtype` is `declared`; pandas has dtypes of its own."""
    if not isinstance(declared, np.dtype | DType) and hasattr(value, "__array__"):
        declared = np.asarray(value).dtype
    return as_dtype(declared)


def python_dtype(value: Any) -> DType:
    """Return the dtype that TF gives to a Python or NumPy value when none is asked for.

    Args:
        value: A Python scalar, a NumPy array or scalar, any object with a `dtype` or an
            `__array__` method, or a sequence of these, nested at will.

    Returns:
        int32 for int (int64 where a value does not fit), float32 for float, complex128, bool,
        string. NumPy arrays and scalars, `np.float64` too, keep their dtype. In a sequence the
        first item decides, as in TF: after an int, a float makes it float32, and NumPy integers
        count as ints; float32 if it is empty.

    Raises:
        ValueError: dtypes that do not mix, an int beyond int64, or a value no Tensor can hold.
    """
    kind = cast("type[Any]", type(value))
    if kind is int:
        return _int_dtype(value, value)
    found = _SCALAR_TYPES.get(kind)
    if found is not None:
        return found
    if kind is list or kind is tuple:
        return _sequence_dtype(value)
    own = getattr(value, "dtype", None)
    if own is not None:
        return _declared_dtype(value, own)
    if isinstance(value, int):  # subclasses: IntEnum, str enums, ...
        return _int_dtype(int(value), int(value))
    for base, dtype in _SCALAR_TYPES.items():
        if isinstance(value, base):
            return dtype
    if isinstance(value, Sequence):
        return _sequence_dtype(cast("Sequence[Any]", value))
    if hasattr(value, "__array__"):
        return as_dtype(np.asarray(value).dtype)
    raise ValueError(
        f"tf.convert_to_tensor: `value` must be a number, a string, an array or a nested list of "
        f"these; got {value!r} ({type(value).__name__}).\n"
        f"  Fix: convert it to a NumPy array first; None and arbitrary objects have no dtype."
    )


def _int_dtype(low: int, high: int) -> DType:
    if low >= -(2**31) and high < 2**31:
        return int32
    if low >= -(2**63) and high < 2**63:
        return int64
    beyond = low if low < -(2**63) else high
    raise ValueError(
        f"tf.convert_to_tensor: integers must lie in int64's range [-2**63, 2**63); "
        f"got the out-of-range integer {beyond}.\n"
        f"  Fix: pass a float, or np.uint64(...) for values up to 2**64 - 1."
    )


def _sequence_dtype(values: Sequence[Any]) -> DType:
    seen: set[DType] = set()
    ints: list[int] = []  # the extremes of each run of integers
    first = _collect_dtypes(values, seen, ints)
    if first is None:
        return float32
    has_float = any(dtype.is_floating for dtype in seen)
    if first.is_integer and not has_float:
        first = _int_dtype(min(ints), max(ints)) if ints else int32
    elif first.is_integer:
        first = float32
    elif first.is_complex:
        first = complex128
    if all(is_compatible(first, dtype) for dtype in seen):
        return first
    names = ", ".join(sorted(dtype.name for dtype in seen))
    raise ValueError(
        f"tf.convert_to_tensor: the items of a sequence must have one dtype, or be numbers that "
        f"convert to that of the first; got mixed types {names}, {first.name} first.\n"
        f"  Fix: convert the items to one type, or pass np.asarray(value, dtype)."
    )


def _collect_dtypes(values: Sequence[Any], seen: set[DType], ints: list[int]) -> DType | None:
    """Add the dtypes of all leaves to `seen`; return that of the first leaf, None without any."""
    kinds: set[type[Any]] = set(map(type, values))
    if kinds == {int}:
        ints += (min(values), max(values))
        seen.add(int32)
        return int32
    if len(kinds) == 1:  # the common case, without a Python-level loop
        found = _SCALAR_TYPES.get(next(iter(kinds)))
        if found is not None:
            seen.add(found)
            return found
    first: DType | None = None
    for value in values:
        dtype = _leaf_dtype(value, seen, ints)
        first = dtype if first is None else first
    return first


def _leaf_dtype(value: Any, seen: set[DType], ints: list[int]) -> DType | None:
    found = _SCALAR_TYPES.get(cast("type[Any]", type(value)))
    if found is None and isinstance(value, int):
        ints.append(int(value))
        found = int32
    elif found is None and hasattr(value, "dtype"):
        found = python_dtype(value)
        if found.is_integer and (array := np.asarray(value)).size:
            ints += (int(array.min()), int(array.max()))
    elif found is None and isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return _collect_dtypes(cast("Sequence[Any]", value), seen, ints)
    elif found is None:
        found = python_dtype(value)
    seen.add(found)
    return found
