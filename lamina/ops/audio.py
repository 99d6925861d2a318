"""tf.audio: WAV files of 16-bit samples."""

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lamina.engine import (
    Tensor,
    convert_to_tensor,
    dtypes,
    errors,
    host_op,
    static_int,
    symbolic_dim,
    type_of,
)
from lamina.ops.strings.operands import objects, texts

__all__ = ["decode_wav", "encode_wav"]

_SCALE = 32768  # of 16-bit samples


class DecodeWav(NamedTuple):
    """What `tf.audio.decode_wav` returns.

    Attributes:
        audio: float32 in [-1, 1), `(samples, channels)`.
        sample_rate: int32, samples a second.
    """

    audio: Tensor
    sample_rate: Tensor


def _bad(why: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(
        f"tf.audio.decode_wav: {why}.\n  Fix: pass a WAV file of 16-bit PCM samples."
    )


def _chunks(data: bytes) -> dict[bytes, bytes]:
    if data[:4] != b"RIFF":
        raise _bad(f"Header mismatch: Expected RIFF but found {data[:4].decode('latin-1')}")
    if data[8:12] != b"WAVE":
        raise _bad(f"Header mismatch: Expected WAVE but found {data[8:12].decode('latin-1')}")
    out, at = {}, 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack("<I", data[at + 4 : at + 8])[0]
        out.setdefault(name, data[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    return out


def _infer_decode(kinds: Sequence[Any], **attributes: Any) -> Any:
    dims = [
        symbolic_dim(name) if size < 0 else size
        for name, size in (("samples", attributes["samples"]), ("channels", attributes["channels"]))
    ]
    return (type_of(tuple(dims), dtypes.float32), type_of((), dtypes.int32)), tuple


@host_op(_infer_decode)
def _decode_wav(contents, channels=-1, samples=-1):
    if contents.ndim:
        raise _bad(f"`contents` must be a scalar; got shape {list(contents.shape)}")
    parts = _chunks(contents[()])
    if len(parts.get(b"fmt ", b"")) < 16 or b"data" not in parts:
        raise _bad("the format or the data is missing")
    _, count, rate, _, _, bits = struct.unpack("<HHIIHH", parts[b"fmt "][:16])
    if bits != 16 or not count:
        raise _bad(f"Can only read 16-bit WAV files, but received {bits} bits")
    raw = parts[b"data"]
    whole = len(raw) // (2 * count) * 2 * count
    found = np.frombuffer(raw[:whole], "<i2").reshape(-1, count).astype(np.float32)
    return _sized(found / np.float32(_SCALE), channels, samples), np.int32(rate)


def _sized(audio: np.ndarray, channels: int, samples: int) -> np.ndarray:
    """Cut or fill up: further channels repeat the last, further samples are 0."""
    if channels >= 0:
        last = np.minimum(np.arange(channels), audio.shape[1] - 1)
        audio = audio[:, last]
    if samples >= 0:
        missing = max(samples - len(audio), 0)
        audio = np.pad(audio[:samples], ((0, missing), (0, 0)))
    return np.ascontiguousarray(audio)


def decode_wav(contents, desired_channels=-1, desired_samples=-1, name=None):
    """Read a WAV file of 16-bit samples.

    Args:
        contents: A scalar string, the bytes of the file.
        desired_channels: The number of channels; fewer in the file repeat the last one. -1
            takes the file's.
        desired_samples: The number of samples; the end is cut off or filled with 0. -1 takes
            the file's.
        name: Accepted, unused.

    Returns:
        A named tuple of `audio`, float32 in [-1, 1), `(samples, channels)`, and `sample_rate`,
        int32, in Hz.

    Raises:
        InvalidArgumentError: the bytes are no such file.

    Example:
        >>> wav = tf.audio.encode_wav(tf.zeros((4, 1)), 16000)
        >>> audio, rate = tf.audio.decode_wav(wav)
        >>> audio.shape, rate.numpy()
        (TensorShape([4, 1]), np.int32(16000))
    """
    found = _decode_wav(
        texts(contents, "tf.audio.decode_wav"),
        channels=static_int(desired_channels, "desired_channels"),
        samples=static_int(desired_samples, "desired_samples"),
    )
    return DecodeWav(*found)


def _infer_text(kinds: Sequence[Any], **attributes: Any) -> Any:
    return (type_of((), dtypes.string),), None


@host_op(_infer_text)
def _encode_wav(audio, sample_rate):
    if audio.ndim != 2:
        raise errors.InvalidArgumentError(
            f"tf.audio.encode_wav: audio must be 2-dimensional, (samples, channels); got shape "
            f"{list(audio.shape)}.\n  Fix: audio[:, tf.newaxis]."
        )
    count, rate = audio.shape[1], int(sample_rate)
    scaled = np.clip(np.rint(audio.astype(np.float32) * _SCALE), -_SCALE, _SCALE - 1)
    raw = scaled.astype("<i2").tobytes()
    form = struct.pack("<HHIIHH", 1, count, rate, rate * count * 2, count * 2, 16)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(raw)) + raw
    return objects([b"RIFF" + struct.pack("<I", len(body)) + body], ())


def encode_wav(audio, sample_rate, name=None):
    """Return samples as the bytes of a WAV file.

    Args:
        audio: float32 in [-1, 1], `(samples, channels)`; what lies outside is cut off.
        sample_rate: int32, samples a second.
        name: Accepted, unused.

    Returns:
        A scalar string.

    Raises:
        InvalidArgumentError: `audio` has another rank.

    Example:
        >>> len(tf.audio.encode_wav(tf.zeros((4, 1)), 16000).numpy())
        52
    """
    return _encode_wav(convert_to_tensor(audio, dtypes.float32), convert_to_tensor(sample_rate))
