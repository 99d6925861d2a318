"""TensorProto: the value of a Tensor as a message, and as bytes."""

from typing import Any

import numpy as np

from lamina.engine import convert_to_tensor, dtypes, errors
from lamina.engine.dtypes import DType
from lamina.protos.enums import DATA_TYPE
from lamina.protos.messages import Field, Message

__all__ = [
    "TensorProto",
    "TensorShapeProto",
    "array_of",
    "make_ndarray",
    "make_tensor_proto",
    "proto_of",
]


class Dim(Message):
    """The size of an axis, -1 if it is unknown, and its name."""

    size = Field(1, "int64")
    name = Field(2, "string")


class TensorShapeProto(Message):
    """A shape: its axes, or `unknown_rank`."""

    dim = Field(2, Dim, repeated=True)
    unknown_rank = Field(3, "bool")


class TensorProto(Message):
    """The value of a Tensor: raw bytes in `tensor_content`, or numbers in a field of their own.

    Example:
        >>> proto = tf.make_tensor_proto([1, 2])
        >>> proto.dtype, proto.tensor_shape.dim[0].size
        (3, 2)
    """

    dtype = Field(1, DATA_TYPE)
    tensor_shape = Field(2, TensorShapeProto)
    version_number = Field(3, "int32")
    tensor_content = Field(4, "bytes")
    float_val = Field(5, "float", repeated=True)
    double_val = Field(6, "double", repeated=True)
    int_val = Field(7, "int32", repeated=True)
    string_val = Field(8, "bytes", repeated=True)
    scomplex_val = Field(9, "float", repeated=True)
    int64_val = Field(10, "int64", repeated=True)
    bool_val = Field(11, "bool", repeated=True)
    dcomplex_val = Field(12, "double", repeated=True)
    half_val = Field(13, "int32", repeated=True)
    uint32_val = Field(16, "uint64", repeated=True)
    uint64_val = Field(17, "uint64", repeated=True)


_FIELDS = {
    "float32": "float_val",
    "float64": "double_val",
    "int8": "int_val",
    "int16": "int_val",
    "int32": "int_val",
    "uint8": "int_val",
    "uint16": "int_val",
    "int64": "int64_val",
    "bool": "bool_val",
    "string": "string_val",
    "complex64": "scomplex_val",
    "complex128": "dcomplex_val",
    "float16": "half_val",
    "bfloat16": "half_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
}


def proto_of(array: Any, dtype: DType, *, packed: bool = True) -> TensorProto:
    """Return an array as a message.

    Args:
        array: A NumPy array; strings are `bytes` objects.
        dtype: Its dtype.
        packed: Whether numbers go as raw bytes.
    """
    array = np.asarray(array)
    dims = [Dim(size=d) for d in array.shape]
    proto = TensorProto(dtype=dtype.as_datatype_enum, tensor_shape={"dim": dims})
    proto.tensor_shape.SetInParent()
    if dtype is dtypes.string:
        proto.string_val.extend(array.reshape(-1).tolist())
    elif packed:
        proto.tensor_content = np.ascontiguousarray(array).tobytes()
    else:
        getattr(proto, _FIELDS[dtype.name]).extend(_numbers(array, dtype))
    return proto


def _numbers(array: np.ndarray, dtype: DType) -> list[Any]:
    flat = array.reshape(-1)
    if dtype.is_complex:
        flat = flat.view(np.float32 if dtype.name == "complex64" else np.float64)
    if dtype.name in ("float16", "bfloat16"):
        flat = flat.view(np.uint16)
    return flat.tolist()


def array_of(proto: TensorProto) -> np.ndarray:
    """Return the value of a message; a value that stands for all others fills them.

    Raises:
        InvalidArgumentError: the numbers do not fit the shape.
    """
    dtype = dtypes.as_dtype(proto.dtype)
    shape = tuple(d.size for d in proto.tensor_shape.dim)
    count = int(np.prod(shape, dtype=np.int64))
    if proto.tensor_content:
        flat: Any = np.frombuffer(proto.tensor_content, dtype.np)
    else:
        flat = _listed(proto, dtype)
    if flat.size < count and flat.size:
        flat = np.concatenate([flat, np.repeat(flat[-1:], count - flat.size)])
    if flat.size == 0 and count:
        flat = np.full(count, b"" if dtype is dtypes.string else 0, flat.dtype)
    if flat.size != count:
        raise errors.InvalidArgumentError(
            f"a TensorProto of shape {shape} must hold {count} values; got {flat.size}.\n"
            f"  Fix: write it with tf.io.serialize_tensor or tf.make_tensor_proto."
        )
    return flat.reshape(shape)


def _listed(proto: TensorProto, dtype: DType) -> np.ndarray:
    values = list(getattr(proto, _FIELDS[dtype.name]))
    if dtype is dtypes.string:
        out = np.empty(len(values), object)
        out[:] = values
        return out
    if dtype.name in ("float16", "bfloat16"):
        return np.array(values, np.uint16).view(dtype.np)
    if dtype.is_complex:
        parts = np.float32 if dtype.name == "complex64" else np.float64
        return np.array(values, parts).view(dtype.np)
    return np.array(values, dtype.np)


def make_tensor_proto(
    values: Any,
    dtype: Any = None,
    shape: Any = None,
    verify_shape: bool = False,
    allow_broadcast: bool = False,
) -> TensorProto:
    """Return values as a TensorProto.

    Args:
        values: A Tensor, array, number, string, or nested lists.
        dtype: The dtype wanted; None infers it.
        shape: The shape; one value fills it. None is that of the values.
        verify_shape: Whether the values must have that shape already.
        allow_broadcast: Whether values broadcast to `shape`.

    Raises:
        TypeError: `verify_shape` and the shape differs.
        ValueError: the values do not fit the shape.

    Example:
        >>> tf.make_ndarray(tf.make_tensor_proto([1, 2]))
        array([1, 2], dtype=int32)
    """
    given = convert_to_tensor(values, dtype)
    array = np.asarray(given.numpy(), given.dtype.np)
    if shape is not None:
        dims = tuple(int(d) for d in shape)
        if verify_shape and array.shape != dims:
            raise TypeError(
                f"tf.make_tensor_proto: Expected Tensor's shape: {dims}, got {array.shape}.\n"
                f"  Fix: reshape the values."
            )
        spread = array.size == 1 or allow_broadcast
        array = np.broadcast_to(array, dims) if spread else array.reshape(dims)
    return proto_of(array, given.dtype, packed=array.size > 1)


def make_ndarray(tensor: TensorProto) -> np.ndarray:
    """Return the value of a TensorProto as a NumPy array.

    Args:
        tensor: The message.

    Raises:
        InvalidArgumentError: the numbers do not fit the shape.

    Example:
        >>> tf.make_ndarray(tf.make_tensor_proto([[1.5]]))
        array([[1.5]], dtype=float32)
    """
    return array_of(tensor).copy()
