"""tf.io: whole files, and bytes to numbers: raw, base64, compressed, serialized Tensors."""

import base64
import binascii
import glob
import gzip
import json
import os
import re
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.engine import (
    Tensor,
    convert_to_tensor,
    dtypes,
    elementwise,
    errors,
    from_host,
    host_op,
    symbolic_dim,
    type_of,
)
from lamina.ops.paths import as_op_error, open_file, path_of
from lamina.ops.strings.operands import each, objects, over_flat_values, texts
from lamina.protos import tensor, wire

__all__ = [
    "decode_base64",
    "decode_compressed",
    "decode_json_example",
    "decode_raw",
    "encode_base64",
    "match_filenames_once",
    "matching_files",
    "parse_tensor",
    "read_file",
    "serialize_tensor",
    "write_file",
]

# ---- whole files ----------------------------------------------------------------------------


def _scalar(array: np.ndarray, what: str) -> bytes:
    if array.ndim:
        raise errors.InvalidArgumentError(
            f"{what} must be scalar, but had shape: {list(array.shape)}.\n"
            f"  Fix: pass one string; tf.map_fn and dataset.map take several one by one."
        )
    return bytes(array[()])


@host_op(elementwise(dtypes.string))
def _read_file(filename):
    with open_file(_scalar(filename, "Input filename tensor")) as file:
        return objects([file.read()], ())


def read_file(filename, name=None):
    """Return what a file holds.

    Args:
        filename: A scalar string or `os.PathLike`.
        name: Accepted, unused.

    Returns:
        A scalar string.

    Raises:
        NotFoundError: there is no such file.
        InvalidArgumentError: `filename` is not a scalar.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "a.txt")
        >>> tf.io.write_file(path, "asdf")
        >>> tf.io.read_file(path).numpy()
        b'asdf'
    """
    if isinstance(filename, os.PathLike):
        filename = os.fspath(filename)
    return _read_file(texts(filename, "tf.io.read_file"))


def write_file(filename, contents, name=None):
    """Write a string to a file; directories that are missing are made.

    Args:
        filename: A scalar string.
        contents: A scalar string.
        name: Accepted, unused.

    Raises:
        PermissionDeniedError: the file may not be written.
        InvalidArgumentError: an argument is not a scalar.

    Example:
        >>> import os, tempfile
        >>> tf.io.write_file(os.path.join(tempfile.mkdtemp(), "new", "a.txt"), b"text")
    """
    text = texts(contents, "tf.io.write_file").numpy()
    data = _scalar(np.asarray(text, object), "Contents tensor")
    path = path_of(filename)
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    except OSError as error:
        raise as_op_error(error, path) from None
    with open_file(path, "wb") as file:
        file.write(data)


def _infer_files(kinds: Sequence[Any], **attributes: Any) -> Any:
    return (type_of((symbolic_dim("files"),), dtypes.string),), None


@host_op(_infer_files)
def _matching_files(pattern):
    found: list[str] = []
    for one in pattern.reshape(-1):
        found += glob.glob(path_of(one), include_hidden=True)
    return objects([os.fsencode(f) for f in sorted(found)])


def matching_files(pattern, name=None):
    """Return the paths that match patterns, in order.

    Args:
        pattern: A scalar or vector of patterns with `*`, `?` and `[...]`.
        name: Accepted, unused.

    Returns:
        A string vector.

    Example:
        >>> tf.io.matching_files("/no/such/*").shape
        TensorShape([0])
    """
    return _matching_files(texts(pattern, "tf.io.matching_files"))


def match_filenames_once(pattern, name=None):
    """Return the paths that match patterns, as `tf.io.matching_files`.

    Args:
        pattern: A scalar or vector of patterns.
        name: Accepted, unused.

    Returns:
        A string vector.

    Example:
        >>> tf.io.match_filenames_once("/no/such/*").shape
        TensorShape([0])
    """
    return matching_files(pattern)


# ---- raw bytes ------------------------------------------------------------------------------


def _infer_raw(kinds: Sequence[Any], **attributes: Any) -> Any:
    length = attributes["fixed_length"]
    dtype = attributes["out_dtype"]
    last = symbolic_dim("raw") if length is None else length // dtype.size
    return (type_of((*kinds[0].dims, last), dtype),), None


@host_op(_infer_raw)
def _decode_raw(input_bytes, out_dtype=dtypes.uint8, little_endian=True, fixed_length=None):
    flat = input_bytes.reshape(-1).tolist()
    length = fixed_length
    if length is not None:
        flat = [s[:length].ljust(length, b"\0") for s in flat]
    length = len(flat[0]) if flat else 0
    for i, s in enumerate(flat):
        if len(s) != length:
            raise errors.InvalidArgumentError(
                f"tf.io.decode_raw: DecodeRaw requires input strings to all be the same "
                f"size, but element {i} has "
                f"size {len(s)} != {length}.\n  Fix: pass fixed_length to pad or cut them."
            )
    if length % out_dtype.size:
        raise errors.InvalidArgumentError(
            f"tf.io.decode_raw: Input to DecodeRaw has length {length} that is not a "
            f"multiple of {out_dtype.size}, "
            f"the size of {out_dtype.name}.\n  Fix: check `out_type`."
        )
    kind = out_dtype.np if little_endian else out_dtype.np.newbyteorder(">")
    found = np.frombuffer(b"".join(flat), kind).astype(out_dtype.np)
    return found.reshape(*input_bytes.shape, length // out_dtype.size)


def decode_raw(input_bytes, out_type, little_endian=True, fixed_length=None, name=None):
    """Read the bytes of strings as numbers.

    Args:
        input_bytes: Strings of any shape, of one length.
        out_type: The dtype of the numbers.
        little_endian: Whether the lowest byte comes first.
        fixed_length: Strings are cut or filled with zeros to this many bytes; None leaves them.
        name: Accepted, unused.

    Returns:
        A Tensor of `out_type`, of the shape of `input_bytes` and one axis more.

    Raises:
        InvalidArgumentError: the strings differ in length, or the length is no multiple of the
            numbers' size.

    Example:
        >>> tf.io.decode_raw(["1", "2"], tf.uint8).numpy()
        array([[49], [50]], dtype=uint8)
    """
    dtype = dtypes.as_dtype(out_type)
    if fixed_length is not None and int(fixed_length) % dtype.size:
        raise errors.InvalidArgumentError(
            f"tf.io.decode_raw: fixed_length ({fixed_length}) must be a multiple of the size of "
            f"out_type ({dtype.size}).\n  Fix: round it."
        )
    return _decode_raw(
        texts(input_bytes, "tf.io.decode_raw"),
        out_dtype=dtype,
        little_endian=bool(little_endian),
        fixed_length=None if fixed_length is None else int(fixed_length),
    )


# ---- base64, compression --------------------------------------------------------------------


@host_op(elementwise(dtypes.string))
def _encode_base64(input, pad=False):
    def change(text: bytes) -> bytes:
        found = base64.urlsafe_b64encode(text)
        return found if pad else found.rstrip(b"=")

    return each(change, input)


@over_flat_values
def encode_base64(input, pad: Any = False, name=None):
    """Write strings in base64, in the form for URLs.

    Args:
        input: Strings of any shape, or a RaggedTensor of them.
        pad: Whether `=` fills the last group of four.
        name: Accepted, unused.

    Returns:
        Strings of the shape of `input`.

    Example:
        >>> tf.io.encode_base64("hi?>~").numpy()
        b'aGk_Pn4'
    """
    return _encode_base64(texts(input, "tf.io.encode_base64"), pad=bool(pad))


def _from_base64(text: bytes) -> bytes:
    try:
        if re.fullmatch(rb"[A-Za-z0-9_-]*={0,2}", text) is None:
            raise ValueError
        whole = text.rstrip(b"=")
        return base64.urlsafe_b64decode(whole + b"=" * (-len(whole) % 4))
    except (ValueError, binascii.Error):
        raise errors.InvalidArgumentError(
            f"tf.io.decode_base64: Invalid character found in base64: {text!r}.\n"
            f"  Fix: pass the form for URLs, with - and _ in place of + and /."
        ) from None


@host_op(elementwise(dtypes.string))
def _decode_base64(input):
    return each(_from_base64, input)


@over_flat_values
def decode_base64(input, name=None):
    """Read strings of base64, in the form for URLs.

    Args:
        input: Strings of any shape, or a RaggedTensor of them, padded or not.
        name: Accepted, unused.

    Returns:
        Strings of the shape of `input`.

    Raises:
        InvalidArgumentError: a string is not base64.

    Example:
        >>> tf.io.decode_base64("aGk_Pn4").numpy()
        b'hi?>~'
    """
    return _decode_base64(texts(input, "tf.io.decode_base64"))


@host_op(elementwise(dtypes.string))
def _decode_compressed(bytes, compression_type=""):
    unpack = {"": lambda s: s, "ZLIB": zlib.decompress, "GZIP": gzip.decompress}[compression_type]
    try:
        return each(unpack, bytes)
    except (zlib.error, OSError, EOFError) as error:
        raise errors.DataLossError(
            None,
            None,
            f"tf.io.decode_compressed: inflate() failed: {error}.\n"
            f"  Fix: check `compression_type`.",
        ) from None


def decode_compressed(bytes, compression_type="", name=None):
    """Unpack compressed strings.

    Args:
        bytes: Strings of any shape.
        compression_type: "", "ZLIB" or "GZIP".
        name: Accepted, unused.

    Returns:
        Strings of the shape of `bytes`.

    Raises:
        DataLossError: a string is not so compressed.
        InvalidArgumentError: another `compression_type`.

    Example:
        >>> import zlib
        >>> tf.io.decode_compressed(zlib.compress(b"text"), "ZLIB").numpy()
        b'text'
    """
    if compression_type not in ("", "ZLIB", "GZIP"):
        raise errors.InvalidArgumentError(
            f"tf.io.decode_compressed: Only ZLIB, GZIP or NONE are supported compressions; got "
            f"{compression_type!r}.\n  Fix: pass one of these."
        )
    return _decode_compressed(
        texts(bytes, "tf.io.decode_compressed"), compression_type=compression_type
    )


# ---- Tensors --------------------------------------------------------------------------------


def _infer_serialized(kinds: Sequence[Any], **attributes: Any) -> Any:
    return (type_of((), dtypes.string),), None


@host_op(_infer_serialized)
def _serialize(value, dtype=dtypes.float32):
    return objects([tensor.proto_of(value, dtype).SerializeToString()], ())


def serialize_tensor(tensor, name=None):
    """Return a Tensor as a string, from which `tf.io.parse_tensor` makes it again.

    Args:
        tensor: A Tensor.
        name: Accepted, unused.

    Returns:
        A scalar string, the bytes of a TensorProto.

    Example:
        >>> tf.io.parse_tensor(tf.io.serialize_tensor([1, 2]), tf.int32).numpy()
        array([1, 2], dtype=int32)
    """
    value = convert_to_tensor(tensor)
    return _serialize(value, dtype=value.dtype)


def parse_tensor(serialized, out_type, name=None) -> Tensor:
    """Return the Tensor that `tf.io.serialize_tensor` made a string of.

    Args:
        serialized: A scalar string.
        out_type: The Tensor's dtype.
        name: Accepted, unused.

    Returns:
        A Tensor of `out_type`.

    Raises:
        InvalidArgumentError: the bytes are no Tensor, or one of another dtype.

    Example:
        >>> tf.io.parse_tensor(tf.io.serialize_tensor("a"), tf.string).numpy()
        b'a'
    """
    dtype = dtypes.as_dtype(out_type)
    text = np.asarray(texts(serialized, "tf.io.parse_tensor").numpy(), object)
    data = _scalar(text, "Expected `serialized` to be a scalar:")
    try:
        proto = tensor.TensorProto.FromString(data)
    except wire.DecodeError as error:
        raise errors.InvalidArgumentError(
            f"tf.io.parse_tensor: Could not parse `serialized` as TensorProto: {error}.\n"
            f"  Fix: pass what tf.io.serialize_tensor returned."
        ) from None
    if proto.dtype != dtype.as_datatype_enum:
        came = dtypes.as_dtype(proto.dtype).name if proto.dtype else "none"
        raise errors.InvalidArgumentError(
            f"tf.io.parse_tensor: Type mismatch between parsed tensor ({came}) and dtype "
            f"({dtype.name}).\n  Fix: pass out_type=tf.{came}."
        )
    return from_host(tensor.array_of(proto))


def decode_json_example(json_examples, name=None):
    """Return records given as JSON in their binary form, for `tf.io.parse_example`.

    Args:
        json_examples: Strings of any shape, each a `tf.train.Example` in JSON.
        name: Accepted, unused.

    Returns:
        Strings of the shape of `json_examples`.

    Raises:
        InvalidArgumentError: a string is no such JSON.

    Example:
        >>> text = '{"features": {"feature": {"a": {"int64List": {"value": ["3"]}}}}}'
        >>> description = {"a": tf.io.FixedLenFeature([], tf.int64)}
        >>> record = tf.io.decode_json_example(text)
        >>> tf.io.parse_single_example(record, description)["a"].numpy()
        np.int64(3)
    """
    return _from_json(texts(json_examples, "tf.io.decode_json_example"))


@host_op(elementwise(dtypes.string))
def _from_json(json_examples):
    return each(_example_of_json, json_examples)


def _example_of_json(text: bytes) -> bytes:
    from lamina.protos import Example

    try:
        example = Example()
        for name, feature in json.loads(text)["features"]["feature"].items():
            target = example.features.feature[name]
            for kind, found in feature.items():
                values = found.get("value", [])
                if kind in ("bytesList", "bytes_list"):
                    target.bytes_list.value.extend(base64.b64decode(v) for v in values)
                elif kind in ("int64List", "int64_list"):
                    target.int64_list.value.extend(int(v) for v in values)
                else:
                    target.float_list.value.extend(float(v) for v in values)
        return example.SerializeToString()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise errors.InvalidArgumentError(
            f"tf.io.decode_json_example: Error while parsing JSON: {error!r}.\n"
            f"  Fix: pass the JSON form of a tf.train.Example."
        ) from None
