"""Functions of each string by itself: case, length, parts, regular expressions, numbers."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.engine import convert_to_tensor, dtypes, elementwise, errors, host_op, type_of
from lamina.ops import hashing
from lamina.ops.strings import regexes
from lamina.ops.strings.operands import (
    checked_choice,
    each,
    objects,
    over_flat_values,
    text_of,
    texts,
)

__all__ = [
    "as_string",
    "length",
    "lower",
    "regex_full_match",
    "regex_replace",
    "strip",
    "substr",
    "to_hash_bucket",
    "to_hash_bucket_fast",
    "to_hash_bucket_strong",
    "to_number",
    "upper",
]

_UNITS = ("BYTE", "UTF8_CHAR")

# ---- case, white space ----------------------------------------------------------------------


def _checked_encoding(encoding: str, who: str) -> str:
    encoding = text_of(encoding, f"{who}: `encoding`").lower()
    if encoding not in ("", "utf-8"):
        raise errors.InvalidArgumentError(
            f"{who}: only utf-8 or '' (no encoding) is supported, received {encoding}.\n"
            f'  Fix: pass encoding="utf-8", or leave it out for ASCII letters.'
        )
    return encoding


@host_op(elementwise(dtypes.string))
def _lower(input, encoding=""):
    if encoding:
        return each(lambda s: s.decode("utf-8", "replace").lower().encode(), input)
    return each(bytes.lower, input)


@host_op(elementwise(dtypes.string))
def _upper(input, encoding=""):
    if encoding:
        return each(lambda s: s.decode("utf-8", "replace").upper().encode(), input)
    return each(bytes.upper, input)


@over_flat_values
def lower(input, encoding="", name=None):
    """Write the letters of each string small.

    Args:
        input: Strings of any shape, or a RaggedTensor of them.
        encoding: "" changes ASCII letters only, "utf-8" all.
        name: Accepted, unused.

    Returns:
        Strings of the shape of `input`.

    Raises:
        InvalidArgumentError: another encoding, or `input` holds no strings.

    Example:
        >>> tf.strings.lower("CamelCase string and ALL CAPS").numpy()
        b'camelcase string and all caps'
    """
    encoding = _checked_encoding(encoding, "tf.strings.lower")
    return _lower(texts(input, "tf.strings.lower"), encoding=encoding)


@over_flat_values
def upper(input, encoding="", name=None):
    """Write the letters of each string as capitals.

    Args:
        input: Strings of any shape, or a RaggedTensor of them.
        encoding: "" changes ASCII letters only, "utf-8" all.
        name: Accepted, unused.

    Returns:
        Strings of the shape of `input`.

    Raises:
        InvalidArgumentError: another encoding, or `input` holds no strings.

    Example:
        >>> tf.strings.upper(["one", "Two"]).numpy()
        array([b'ONE', b'TWO'], dtype=object)
    """
    encoding = _checked_encoding(encoding, "tf.strings.upper")
    return _upper(texts(input, "tf.strings.upper"), encoding=encoding)


@host_op(elementwise(dtypes.string))
def _strip(input):
    return each(bytes.strip, input)


@over_flat_values
def strip(input, name=None):
    r"""Take ASCII white space off both ends of each string.

    Args:
        input: Strings of any shape, or a RaggedTensor of them.
        name: Accepted, unused.

    Returns:
        Strings of the shape of `input`.

    Example:
        >>> tf.strings.strip([" TensorFlow", "the library\n"]).numpy()
        array([b'TensorFlow', b'the library'], dtype=object)
    """
    return _strip(texts(input, "tf.strings.strip"))


# ---- length and parts -----------------------------------------------------------------------


def _starts(text: bytes) -> list[int]:
    """Return where the characters of UTF-8 start, and the length."""
    return [i for i, byte in enumerate(text) if byte & 0xC0 != 0x80] + [len(text)]


@host_op(elementwise(dtypes.int32))
def _length(input, unit="BYTE"):
    if unit == "BYTE":
        return each(len, input, np.int32)
    return each(lambda s: len(_starts(s)) - 1, input, np.int32)


@over_flat_values
def length(input, unit="BYTE", name=None):
    """Return the length of each string.

    Args:
        input: Strings of any shape, or a RaggedTensor of them.
        unit: "BYTE", or "UTF8_CHAR" to count characters of UTF-8.
        name: Accepted, unused.

    Returns:
        int32 of the shape of `input`.

    Raises:
        InvalidArgumentError: an unknown unit.

    Example:
        >>> tf.strings.length(["Hello", "é"], unit="UTF8_CHAR").numpy()
        array([5, 1], dtype=int32)
    """
    unit = checked_choice(unit, _UNITS, "tf.strings.length: `unit`")
    return _length(texts(input, "tf.strings.length"), unit=unit)


def _part(text: bytes, pos: int, count: int, unit: str, place: int) -> bytes:
    starts = _starts(text) if unit == "UTF8_CHAR" else range(len(text) + 1)
    size = len(starts) - 1
    if not -size <= pos <= size:
        raise errors.InvalidArgumentError(
            f"tf.strings.substr: pos {pos} out of range for string {text!r} at index {place}.\n"
            f"  Fix: `pos` must lie in [-{size}, {size}]."
        )
    first = pos + size if pos < 0 else pos
    # A negative length is a large one in TF.
    last = size if count < 0 else min(first + count, size)
    return text[starts[first] : starts[last]]


def _infer_substr(kinds: Sequence[Any], **attributes: Any) -> Any:
    dims = max((k.dims for k in kinds), key=len)
    return (type_of(dims, dtypes.string),), None


@host_op(_infer_substr)
def _substr(input, pos, len, unit="BYTE"):
    strings, places, counts = np.broadcast_arrays(input, pos, len)
    rows = zip(strings.reshape(-1), places.reshape(-1), counts.reshape(-1), strict=True)
    found = [_part(s, int(p), int(n), unit, i) for i, (s, p, n) in enumerate(rows)]
    return objects(found, strings.shape)


@over_flat_values
def substr(input, pos, len, unit="BYTE", name=None):
    """Return a part of each string.

    Args:
        input: Strings of any shape, or a RaggedTensor of them.
        pos: Where the part starts, int32 or int64; negative counts from the end. It broadcasts
            with `input`.
        len: The length of the part, of the shape of `pos`; the end of a string cuts it off.
        unit: "BYTE", or "UTF8_CHAR" to count characters of UTF-8.
        name: Accepted, unused.

    Returns:
        Strings of the joint shape.

    Raises:
        InvalidArgumentError: `pos` lies outside a string, `pos` and `len` differ in shape, or an
            unknown unit.

    Example:
        >>> tf.strings.substr(["Hello", "World"], 1, 3).numpy()
        array([b'ell', b'orl'], dtype=object)
    """
    unit = checked_choice(unit, _UNITS, "tf.strings.substr: `unit`")
    pos, count = convert_to_tensor(pos), convert_to_tensor(len)
    if not (pos.dtype.is_integer and count.dtype.is_integer):
        raise errors.InvalidArgumentError(
            f"tf.strings.substr: `pos` and `len` must be integers; got {pos.dtype.name} and "
            f"{count.dtype.name}.\n  Fix: tf.cast(pos, tf.int32)."
        )
    if pos.shape.as_list() != count.shape.as_list():
        raise errors.InvalidArgumentError(
            f"tf.strings.substr: pos and len should have the same shape, got: {pos.shape} vs. "
            f"{count.shape}.\n  Fix: pass two numbers, or two Tensors of one shape."
        )
    return _substr(texts(input, "tf.strings.substr"), pos, count, unit=unit)


# ---- regular expressions --------------------------------------------------------------------


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


@host_op(elementwise(dtypes.bool_))
def _full_match(input, pattern=""):
    found = regexes.compiled(pattern)
    return each(lambda s: found.fullmatch(_decoded(s)) is not None, input, bool)


@over_flat_values
def regex_full_match(input, pattern, name=None):
    """Return whether a regular expression matches each string as a whole.

    Args:
        input: Strings of any shape, or a RaggedTensor of them.
        pattern: A regular expression in RE2's syntax.
        name: Accepted, unused.

    Returns:
        bool of the shape of `input`.

    Raises:
        InvalidArgumentError: RE2 does not allow the pattern.

    Example:
        >>> tf.strings.regex_full_match(["TF lib", "lib TF"], ".*lib$").numpy()
        array([ True, False])
    """
    pattern = text_of(pattern, "tf.strings.regex_full_match: `pattern`")
    return _full_match(texts(input, "tf.strings.regex_full_match"), pattern=pattern)


@host_op(elementwise(dtypes.string))
def _replace(input, pattern="", rewrite="", replace_global=True):
    found = regexes.compiled(pattern)

    def change(text: bytes) -> bytes:
        new = regexes.replaced(_decoded(text), found, rewrite, replace_global)
        return new.encode("utf-8", "surrogateescape")

    return each(change, input)


@over_flat_values
def regex_replace(input, pattern, rewrite, replace_global=True, name=None):
    r"""Replace what a regular expression matches in each string.

    Args:
        input: Strings of any shape, or a RaggedTensor of them.
        pattern: A regular expression in RE2's syntax.
        rewrite: What stands for a match; `\1` to `\9` are its groups, `\0` all of it.
        replace_global: Whether all matches are replaced, or only the first.
        name: Accepted, unused.

    Returns:
        Strings of the shape of `input`.

    Raises:
        InvalidArgumentError: RE2 does not allow the pattern.

    Example:
        >>> tf.strings.regex_replace("Text with tags.<br /><b>x</b>", "<[^>]+>", " ").numpy()
        b'Text with tags.  x '
    """
    pattern = text_of(pattern, "tf.strings.regex_replace: `pattern`")
    rewrite = text_of(rewrite, "tf.strings.regex_replace: `rewrite`")
    return _replace(
        texts(input, "tf.strings.regex_replace"),
        pattern=pattern,
        rewrite=rewrite,
        replace_global=bool(replace_global),
    )


# ---- numbers --------------------------------------------------------------------------------

_NUMBERS = ("float32", "float64", "int32", "int64", "uint32", "uint64")


def _number(text: bytes, dtype: Any) -> Any:
    word = text.decode("latin-1").strip()
    try:
        if "_" in word or not word:
            raise ValueError
        if dtype.is_floating:
            is_hex = word.lstrip("+-")[:2] in ("0x", "0X")
            return dtype.as_numpy_dtype(float.fromhex(word) if is_hex else float(word))
        value = int(word)
        if not dtype.min <= value <= dtype.max:
            raise ValueError
        return value
    except ValueError:
        raise errors.InvalidArgumentError(
            f"tf.strings.to_number: StringToNumberOp could not correctly convert string: {word}\n"
            f"  Fix: tf.strings.to_number needs text of one {dtype.name}."
        ) from None


def _infer_typed(kinds: Sequence[Any], **attributes: Any) -> Any:
    return (type_of(kinds[0].dims, attributes["dtype"]),), None


@host_op(_infer_typed)
def _to_number(input, dtype=dtypes.float32):
    with np.errstate(over="ignore"):
        return each(lambda s: _number(s, dtype), input, dtype.as_numpy_dtype)


@over_flat_values
def to_number(input, out_type=dtypes.float32, name=None):
    """Read each string as a number.

    Args:
        input: Strings of any shape, or a RaggedTensor of them.
        out_type: float32, float64, int32, int64, uint32 or uint64.
        name: Accepted, unused.

    Returns:
        A Tensor of `out_type`, of the shape of `input`.

    Raises:
        InvalidArgumentError: a string is no such number, or another `out_type`.

    Example:
        >>> tf.strings.to_number(["1.5", "-2"]).numpy()
        array([ 1.5, -2. ], dtype=float32)
    """
    dtype = dtypes.as_dtype(out_type)
    checked_choice(dtype.name, _NUMBERS, "tf.strings.to_number: `out_type`")
    return _to_number(texts(input, "tf.strings.to_number"), dtype=dtype)


_FILLS = ("", " ", "-", "+", "0", "#")


def _written(value: Any, kind: str, style: str) -> str:
    if kind == "bool":
        return "true" if value else "false"
    if kind == "complex":
        return f"({style % value.real},{style % value.imag})"
    if kind == "float" and not math.isfinite(value):
        return style.replace("0", "", 1) % value if style[1:2] == "0" else style % value
    return style % value


def _style(kind: str, precision: int, notation: str, width: int, fill: str) -> str:
    """Return the format of Python's `%`, which is C's."""
    style = "%" + fill
    if width > -1:
        style += str(width)
    if kind in ("int", "uint"):
        return style + "d"
    return style + (f".{precision}" if precision > -1 else "") + notation


@host_op(elementwise(dtypes.string))
def _as_string(input, precision=-1, notation="f", width=-1, fill=""):
    if input.dtype == object:
        return input
    kind = {"b": "bool", "c": "complex", "i": "int", "u": "uint"}.get(input.dtype.kind, "float")
    style = _style(kind, precision, notation, width, fill)
    if kind == "float":
        input = input.astype(np.float64)
    found = [_written(v, kind, style).encode() for v in input.reshape(-1).tolist()]
    return objects(found, input.shape)


def _refuse_style(dtype: Any, precision: int, scientific: bool, shortest: bool, fill: str) -> None:
    why = ""
    if scientific and shortest:
        why = "Cannot select both scientific and shortest notation"
    elif fill not in _FILLS:
        why = f'Fill argument not supported: "{fill}"'
    elif not (dtype.is_floating or dtype.is_complex):
        if precision > -1:
            why = f"precision not supported for datatype {dtype.name}"
        elif scientific or shortest:
            why = f"scientific and shortest format not supported for datatype {dtype.name}"
    if why:
        raise errors.InvalidArgumentError(f"tf.as_string: {why}.\n  Fix: leave the argument out.")


@over_flat_values
def as_string(
    input,
    precision: Any = -1,
    scientific: Any = False,
    shortest: Any = False,
    width: Any = -1,
    fill: Any = "",
    name=None,
):
    """Write each number as a string.

    Args:
        input: Numbers, booleans or strings of any shape, or a RaggedTensor.
        precision: Digits after the point, of floats; -1 is 6.
        scientific: Whether floats are written as 1.5e+00.
        shortest: Whether floats are written in the shorter of both ways.
        width: The least number of characters; -1 does not pad.
        fill: What pads: "" or " " on the left, "0", "-" on the right, "+" shows the sign.
        name: Accepted, unused.

    Returns:
        Strings of the shape of `input`.

    Raises:
        InvalidArgumentError: options that contradict each other or the dtype.

    Example:
        >>> tf.strings.as_string([3, 2]).numpy()
        array([b'3', b'2'], dtype=object)
        >>> tf.strings.as_string([3.1415926, 2.71828], precision=2).numpy()
        array([b'3.14', b'2.72'], dtype=object)
    """
    x = convert_to_tensor(input)
    _refuse_style(x.dtype, precision, scientific, shortest, fill)
    return _as_string(
        x,
        precision=int(precision),
        notation="e" if scientific else "g" if shortest else "f",
        width=int(width),
        fill=fill,
    )


# ---- buckets --------------------------------------------------------------------------------


@host_op(elementwise(dtypes.int64))
def _to_hash_bucket(input, num_buckets=1):
    return each(lambda s: hashing.murmur(s) % num_buckets, input, np.int64)


@over_flat_values
def to_hash_bucket(input, num_buckets, name=None):
    """Return the bucket of each string by its MurmurHash.

    Args:
        input: Strings of any shape, or a RaggedTensor of them.
        num_buckets: The number of buckets, N, at least 1.
        name: Accepted, unused.

    Returns:
        int64 in [0, N), of the shape of `input`.

    Raises:
        InvalidArgumentError: `num_buckets` is below 1.

    Example:
        >>> tf.strings.to_hash_bucket(["a", "bcd"], 1000).numpy()
        array([868, 358])
    """
    if num_buckets < 1:
        raise errors.InvalidArgumentError(
            f"tf.strings.to_hash_bucket: `num_buckets` must be at least 1; got {num_buckets!r}."
        )
    text = texts(input, "tf.strings.to_hash_bucket")
    return _to_hash_bucket(text, num_buckets=int(num_buckets))


to_hash_bucket_fast = over_flat_values(hashing.to_hash_bucket_fast)
to_hash_bucket_strong = over_flat_values(hashing.to_hash_bucket_strong)
