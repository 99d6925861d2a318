"""Functions between strings of bytes and Unicode: code points, characters, encodings."""

import codecs
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lamina.engine import convert_to_tensor, dtypes, elementwise, errors, host_op, type_of
from lamina.ops.strings import scripts
from lamina.ops.strings.operands import (
    checked_choice,
    each,
    infer_rows,
    is_ragged,
    nested,
    objects,
    over_flat_values,
    splits_of,
    text_of,
    texts,
)

__all__ = [
    "unicode_decode",
    "unicode_decode_with_offsets",
    "unicode_encode",
    "unicode_script",
    "unicode_split",
    "unicode_split_with_offsets",
    "unicode_transcode",
]

_MODES = ("strict", "replace", "ignore")
_OUTPUTS = ("UTF-8", "UTF-16-BE", "UTF-32-BE")


def _codec(encoding: str) -> str:
    """Return Python's name of an encoding that ICU knows.

    Raises:
        InvalidArgumentError: neither knows it.
    """
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise errors.InvalidArgumentError(
            f"tf.strings: Could not create converter for input encoding: {encoding}.\n"
            f'  Fix: pass "UTF-8", "UTF-16-BE", "UTF-32-BE" or another known encoding.'
        ) from None


_MARKS = {
    "utf-16": ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")),
    "utf-32": ((codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be")),
}


def _ordered(text: bytes, codec: str) -> tuple[str, int]:
    """Return the codec with the order of bytes, and where the text starts.

    A mark says the order; without one the largest byte comes first, as in ICU.
    """
    if codec not in _MARKS:
        return codec, 0
    for mark, ordered in _MARKS[codec]:
        if text.startswith(mark):
            return ordered, len(mark)
    return f"{codec}-be", 0


def _pieces(text: bytes, codec: str) -> Iterator[tuple[str | None, int]]:
    """Yield the characters of a text, None for what is malformed, each with its first byte."""
    codec, at = _ordered(text, codec)
    while at < len(text):
        bad = len(text), len(text)
        try:
            good = text[at:].decode(codec)
        except UnicodeDecodeError as error:
            bad = at + error.start, at + error.end
            good = text[at : bad[0]].decode(codec)
        for letter in good:
            yield letter, at
            at += len(letter.encode(codec))
        if bad[0] < len(text):
            yield None, bad[0]
        at = bad[1]


def _points(text: bytes, codec: str, mode: str, char: int, control: bool) -> list[tuple[int, int]]:
    """Return the code points of a text, each with the place of its first byte."""
    out = []
    for letter, at in _pieces(text, codec):
        point = -1 if letter is None else ord(letter)
        if letter is None and mode == "strict":
            raise errors.InvalidArgumentError(
                f"tf.strings: Invalid formatting on input string: {text!r} at byte {at}.\n"
                f'  Fix: pass errors="replace" or "ignore", or another encoding.'
            )
        if point < 0 or (control and point < 0x20):
            if mode == "ignore":
                continue
            point = char
        out.append((point, at))
    return out


@host_op(infer_rows(dtypes.int32, dtypes.int64))
def _decode(input, codec="", mode="replace", char=0xFFFD, control=False):
    rows = [_points(text, codec, mode, char, control) for text in input]
    flat = [pair for row in rows for pair in row]
    points = np.array([p for p, _ in flat], np.int32)
    return points, np.array([at for _, at in flat], np.int64), splits_of(rows)


def _decoded(input: Any, encoding: Any, mode: Any, char: Any, control: Any, who: str) -> list[Any]:
    checked_choice(mode, _MODES, f"{who}: `errors`")
    statics = {
        "codec": _codec(text_of(encoding, f"{who}: `input_encoding`")),
        "mode": mode,
        "char": _checked_char(char, who),
        "control": bool(control),
    }
    value = input if is_ragged(input) else texts(input, who)
    return nested(value, lambda v: _decode(v, **statics))


def _checked_char(char: Any, who: str) -> int:
    if not 0 <= char < 0x110000 or 0xD800 <= char < 0xE000:
        raise errors.InvalidArgumentError(
            f"{who}: replacement_char out of unicode codepoint range; got {char!r}.\n"
            f"  Fix: pass a code point, as 65533."
        )
    return int(char)


def unicode_decode(
    input,
    input_encoding,
    errors="replace",
    replacement_char=65533,
    replace_control_characters=False,
    name=None,
):
    r"""Return the code points of each string.

    Args:
        input: Strings of any shape, or a RaggedTensor of them.
        input_encoding: The encoding, as "UTF-8", "UTF-16-BE" or "US-ASCII".
        errors: What malformed bytes do: "strict" raises, "replace" gives `replacement_char`,
            "ignore" leaves them out.
        replacement_char: A code point.
        replace_control_characters: Whether code points below 32 count as malformed.
        name: Accepted, unused.

    Returns:
        int32: for a scalar a vector, else a RaggedTensor with one axis more.

    Raises:
        InvalidArgumentError: an unknown encoding, or malformed bytes and "strict".

    Example:
        >>> tf.strings.unicode_decode("G\xf6", "UTF-8").numpy()
        array([ 71, 246], dtype=int32)
    """
    who, control = "tf.strings.unicode_decode", replace_control_characters
    return _decoded(input, input_encoding, errors, replacement_char, control, who)[0]


def unicode_decode_with_offsets(
    input,
    input_encoding,
    errors="replace",
    replacement_char=65533,
    replace_control_characters=False,
    name=None,
):
    r"""Return the code points of each string, and where each starts.

    Args:
        input: Strings of any shape, or a RaggedTensor of them.
        input_encoding: The encoding, as "UTF-8", "UTF-16-BE" or "US-ASCII".
        errors: What malformed bytes do: "strict", "replace" or "ignore".
        replacement_char: A code point.
        replace_control_characters: Whether code points below 32 count as malformed.
        name: Accepted, unused.

    Returns:
        Code points, int32, and the places of their first bytes, int64: for a scalar vectors,
        else RaggedTensors with one axis more.

    Raises:
        InvalidArgumentError: an unknown encoding, or malformed bytes and "strict".

    Example:
        >>> points, starts = tf.strings.unicode_decode_with_offsets("\xe9a", "UTF-8")
        >>> starts.numpy()
        array([0, 2])
    """
    who, control = "tf.strings.unicode_decode_with_offsets", replace_control_characters
    return tuple(_decoded(input, input_encoding, errors, replacement_char, control, who))


# ---- characters -----------------------------------------------------------------------------


@host_op(infer_rows(dtypes.string, dtypes.int64))
def _characters(input, codec="", mode="replace", char=0xFFFD):
    rows = [_points(text, codec, mode, char, False) for text in input]
    flat = [pair for row in rows for pair in row]
    letters = objects([chr(p).encode(codec, "replace") for p, _ in flat])
    return letters, np.array([at for _, at in flat], np.int64), splits_of(rows)


def _split(input: Any, encoding: Any, mode: Any, char: Any, who: str) -> list[Any]:
    checked_choice(mode, _MODES, f"{who}: `errors`")
    codec = _codec(text_of(encoding, f"{who}: `input_encoding`"))
    number = _checked_char(char, who)
    value = input if is_ragged(input) else texts(input, who)
    return nested(value, lambda v: _characters(v, codec=codec, mode=mode, char=number))


def unicode_split(input, input_encoding, errors="replace", replacement_char=65533, name=None):
    """Cut each string into its characters, in the same encoding.

    Args:
        input: Strings of any shape, or a RaggedTensor of them.
        input_encoding: The encoding, as "UTF-8".
        errors: What malformed bytes do: "strict", "replace" or "ignore".
        replacement_char: A code point.
        name: Accepted, unused.

    Returns:
        For a scalar a string vector, else a RaggedTensor with one axis more.

    Raises:
        InvalidArgumentError: an unknown encoding, or malformed bytes and "strict".

    Example:
        >>> tf.strings.unicode_split("hey", "UTF-8").numpy()
        array([b'h', b'e', b'y'], dtype=object)
    """
    return _split(input, input_encoding, errors, replacement_char, "tf.strings.unicode_split")[0]


def unicode_split_with_offsets(
    input, input_encoding, errors="replace", replacement_char=65533, name=None
):
    r"""Cut each string into its characters, and say where each starts.

    Args:
        input: Strings of any shape, or a RaggedTensor of them.
        input_encoding: The encoding, as "UTF-8".
        errors: What malformed bytes do: "strict", "replace" or "ignore".
        replacement_char: A code point.
        name: Accepted, unused.

    Returns:
        The characters, and the places of their first bytes, int64: for a scalar vectors, else
        RaggedTensors with one axis more.

    Raises:
        InvalidArgumentError: an unknown encoding, or malformed bytes and "strict".

    Example:
        >>> characters, starts = tf.strings.unicode_split_with_offsets("\xe9a", "UTF-8")
        >>> characters.numpy()
        array([b'\xc3\xa9', b'a'], dtype=object)
    """
    who = "tf.strings.unicode_split_with_offsets"
    return tuple(_split(input, input_encoding, errors, replacement_char, who))


# ---- encoding -------------------------------------------------------------------------------


def _encoded(points: Sequence[int], codec: str, mode: str, char: int) -> bytes:
    out = []
    for point in points:
        if not 0 <= point < 0x110000 or 0xD800 <= point < 0xE000:
            if mode == "strict":
                raise errors.InvalidArgumentError(
                    f"tf.strings.unicode_encode: Code point is out of range for Unicode, or is a "
                    f'surrogate; got {point}.\n  Fix: pass errors="replace" or "ignore".'
                )
            if mode == "ignore":
                continue
            point = char
        out.append(chr(point))
    return "".join(out).encode(codec)


def _infer_encode(kinds: Sequence[Any], **attributes: Any) -> Any:
    splits = kinds[1].dims[0] if len(kinds) > 1 else 1
    return (type_of((splits - 1,), dtypes.string),), None


@host_op(_infer_encode)
def _encode(points, splits, codec="", mode="replace", char=0xFFFD):
    numbers = points.tolist()
    pairs = zip(splits[:-1].tolist(), splits[1:].tolist(), strict=True)
    return objects([_encoded(numbers[a:b], codec, mode, char) for a, b in pairs])


def unicode_encode(input, output_encoding, errors="replace", replacement_char=65533, name=None):
    r"""Return the strings that code points spell.

    Args:
        input: int32, `(..., N)`, a Tensor or RaggedTensor of code points.
        output_encoding: "UTF-8", "UTF-16-BE" or "UTF-32-BE".
        errors: What invalid code points do: "strict" raises, "replace" gives
            `replacement_char`, "ignore" leaves them out.
        replacement_char: A code point.
        name: Accepted, unused.

    Returns:
        Strings `(...)`.

    Raises:
        InvalidArgumentError: an unknown encoding, or an invalid code point and "strict".
        ValueError: `input` is a scalar.

    Example:
        >>> tf.strings.unicode_encode([[71, 246], [97, 98]], "UTF-8").numpy()
        array([b'G\xc3\xb6', b'ab'], dtype=object)
    """
    who = "tf.strings.unicode_encode"
    statics = {
        "codec": checked_choice(output_encoding, _OUTPUTS, f"{who}: `output_encoding`").lower(),
        "mode": checked_choice(errors, _MODES, f"{who}: `errors`"),
        "char": _checked_char(replacement_char, who),
    }
    if is_ragged(input):
        return _encode_ragged(input, statics)
    from lamina.ops.shaping import reshape

    points = convert_to_tensor(input, dtype_hint=dtypes.int32)
    if not points.shape.rank:
        raise ValueError(
            f"{who}: input_tensor's rank must be at least 1; got a scalar.\n"
            f"  Fix: pass a vector of code points."
        )
    *lead, size = points.shape.as_list()
    splits = np.arange(int(np.prod(lead)) + 1, dtype=np.int64) * size
    return reshape(_encode(reshape(points, (-1,)), splits, **statics), lead)


def _encode_ragged(input: Any, statics: dict[str, Any]) -> Any:
    if is_ragged(input.values):
        return input.with_values(_encode_ragged(input.values, statics))
    if len(input.values.shape) > 1:  # ragged rows of rows of one length
        inner = unicode_encode(
            input.values, statics["codec"].upper(), statics["mode"], statics["char"]
        )
        return input.with_values(inner)
    return _encode(input.values, input.row_splits, **statics)


@host_op(elementwise(dtypes.string))
def _transcode(input, codec="", to="", mode="replace", char=0xFFFD, control=False):
    def change(text: bytes) -> bytes:
        points = _points(text, codec, mode, char, control)
        return "".join(chr(p) for p, _ in points).encode(to)

    return each(change, input)


@over_flat_values
def unicode_transcode(
    input,
    input_encoding,
    output_encoding,
    errors: Any = "replace",
    replacement_char: Any = 65533,
    replace_control_characters: Any = False,
    name=None,
):
    r"""Write each string in another encoding.

    Args:
        input: Strings of any shape, or a RaggedTensor of them.
        input_encoding: The encoding of `input`, as "UTF-8" or "ISO-8859-1".
        output_encoding: "UTF-8", "UTF-16-BE" or "UTF-32-BE".
        errors: What malformed bytes do: "strict", "replace" or "ignore".
        replacement_char: A code point.
        replace_control_characters: Whether code points below 32 count as malformed.
        name: Accepted, unused.

    Returns:
        Strings of the shape of `input`.

    Raises:
        InvalidArgumentError: an unknown encoding, or malformed bytes and "strict".

    Example:
        >>> tf.strings.unicode_transcode(["Hi"], "UTF-8", "UTF-16-BE").numpy()
        array([b'\x00H\x00i'], dtype=object)
    """
    who = "tf.strings.unicode_transcode"
    return _transcode(
        texts(input, who),
        codec=_codec(text_of(input_encoding, f"{who}: `input_encoding`")),
        to=checked_choice(output_encoding, _OUTPUTS, f"{who}: `output_encoding`").lower(),
        mode=checked_choice(errors, _MODES, f"{who}: `errors`"),
        char=_checked_char(replacement_char, who),
        control=bool(replace_control_characters),
    )


@host_op(elementwise(dtypes.int32))
def _script(input):
    return scripts.scripts(input)


@over_flat_values
def unicode_script(input, name=None):
    """Return the script of each code point, by its number in ICU: 25 is Latin, 17 Han.

    Args:
        input: int32 code points of any shape, or a RaggedTensor of them.
        name: Accepted, unused.

    Returns:
        int32 of the shape of `input`; -1 for what is no code point.

    Example:
        >>> tf.strings.unicode_script([97, 31348, 38]).numpy()
        array([25, 17,  0], dtype=int32)
    """
    return _script(convert_to_tensor(input, dtypes.int32))
