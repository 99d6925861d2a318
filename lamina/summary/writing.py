"""What summaries hold: numbers, histograms, pictures, sound, text, and any Tensor."""

import io
import wave
from typing import Any

import numpy as np

from lamina.engine import Tensor, context, convert_to_tensor, errors
from lamina.summary.writer import emit

__all__ = ["audio", "histogram", "image", "scalar", "tag_of", "text", "write"]


def tag_of(name: str) -> str:
    """Return the name of a summary, behind the open name scopes."""
    return context.scoped_name(str(name))


def _numbers(who: str, data: Any) -> Tensor:
    """Return numbers as a Tensor.

    Raises:
        TypeError: they are strings.
    """
    tensor = convert_to_tensor(data)
    if tensor.dtype.name == "string":
        raise TypeError(
            f"tf.summary.{who}: `data` must be numbers; got dtype string.\n"
            f"  Fix: tf.summary.text writes strings."
        )
    return tensor


def _first(who: str, count: Any) -> int:
    """Return how many are written.

    Raises:
        InvalidArgumentError: fewer than none.
    """
    if int(count) < 0:
        raise errors.InvalidArgumentError(
            f"tf.summary.{who}: `max_outputs` must be at least 0; got {count}."
        )
    return int(count)


def scalar(name: str, data: Any, step: Any = None, description: str | None = None) -> Tensor:
    """Write a number.

    Args:
        name: What TensorBoard shows, behind the open name scopes.
        data: A number or scalar Tensor.
        step: The step; None is that of `tf.summary.experimental.set_step` or `as_default`.
        description: Accepted, unused.

    Returns:
        Whether it is written: not without a default writer.

    Raises:
        ValueError: there is no step, or `data` is no scalar.
        TypeError: `data` is a string.
    """
    data = _numbers("scalar", data)
    if data.ndim != 0:
        raise ValueError(
            f"tf.summary.scalar: `data` must be a scalar; got shape {data.shape} for {name!r}."
        )
    tag = tag_of(name)
    return emit(lambda file, at, x: file.add_scalar(tag, float(x), at), [data], step)


def histogram(
    name: str,
    data: Any,
    step: Any = None,
    buckets: int | None = None,
    description: str | None = None,
) -> Tensor:
    """Write how numbers are distributed.

    Args:
        name: As for `scalar`.
        data: Numbers, any shape.
        step: As for `scalar`.
        buckets: How many intervals; None is 30.
        description: Accepted, unused.

    Returns:
        Whether it is written.
    """
    tag, count = tag_of(name), 30 if buckets is None else int(buckets)

    def run(file: Any, at: int, x: Any) -> None:
        values = np.asarray(x, np.float64).reshape(-1)
        file.add_histogram(tag, values if values.size else np.zeros(1), at, bins=max(count, 1))

    return emit(run, [_numbers("histogram", data)], step)


def image(
    name: str,
    data: Any,
    step: Any = None,
    max_outputs: int = 3,
    description: str | None = None,
) -> Tensor:
    """Write pictures.

    Args:
        name: As for `scalar`.
        data: ``(K, H, W, C)`` with 1 to 4 channels; uint8, or floats in [0, 1].
        step: As for `scalar`.
        max_outputs: How many of the K are written.
        description: Accepted, unused.

    Returns:
        Whether they are written.

    Raises:
        ValueError: `data` has other than 4 axes, or other than 1 to 4 channels.
        InvalidArgumentError: `max_outputs` is negative.
    """
    data = _numbers("image", data)
    if data.ndim != 4 or data.shape[-1] not in (1, 2, 3, 4, None):
        raise ValueError(
            f"tf.summary.image: `data` must have shape (K, H, W, C), C from 1 to 4; got "
            f"{data.shape}.\n  Fix: image[None] makes a batch of one picture."
        )
    tag, count = tag_of(name), _first("image", max_outputs)

    def run(file: Any, at: int, x: Any) -> None:
        pictures = np.asarray(x)[:count]
        if pictures.dtype != np.uint8:
            pictures = (np.clip(pictures.astype(np.float64), 0, 1) * 255.5).astype(np.uint8)
        for i, picture in enumerate(pictures):
            where = tag if len(pictures) == 1 else f"{tag}/{i}"
            file.add_image(where, picture, at, dataformats="HWC")

    return emit(run, [data], step)


def text(name: str, data: Any, step: Any = None, description: str | None = None) -> Tensor:
    """Write text, which TensorBoard shows as Markdown.

    Args:
        name: As for `scalar`.
        data: A string, or a Tensor of strings: a vector is shown as rows, a matrix as a table.
        step: As for `scalar`.
        description: Accepted, unused.

    Returns:
        Whether it is written.
    """
    tag = tag_of(name)

    def run(file: Any, at: int, x: Any) -> None:
        file.add_text(tag, _markdown(np.asarray(x)), at)

    return emit(run, [convert_to_tensor(data)], step)


def _markdown(strings: np.ndarray) -> str:
    if strings.ndim == 0:
        return _string(strings.item())
    rows = strings.reshape(len(strings), -1)
    lines = ["| " + " | ".join(map(_string, row)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * rows.shape[1], *lines[1:]]) if lines else ""


def _string(x: Any) -> str:
    return x.decode() if isinstance(x, bytes) else str(x)


def audio(
    name: str,
    data: Any,
    sample_rate: int,
    step: Any = None,
    max_outputs: int = 3,
    encoding: str | None = None,
    description: str | None = None,
) -> Tensor:
    """Write sound, as WAV.

    Args:
        name: As for `scalar`.
        data: Floats in [-1, 1], ``(K, T, C)``: clips, frames, channels.
        sample_rate: Frames a second.
        step: As for `scalar`.
        max_outputs: How many of the K clips are written.
        encoding: "wav" or None.
        description: Accepted, unused.

    Returns:
        Whether it is written.

    Raises:
        ValueError: another encoding, or `data` has other than 3 axes.
        InvalidArgumentError: `max_outputs` is negative.
    """
    data = _numbers("audio", data)
    if encoding not in (None, "wav"):
        raise ValueError(f"tf.summary.audio: Unknown encoding: {encoding!r}; only 'wav' is known.")
    if data.ndim != 3:
        raise ValueError(f"tf.summary.audio: `data` must have shape (K, T, C); got {data.shape}.")
    tag, rate, count = tag_of(name), int(sample_rate), _first("audio", max_outputs)

    def run(file: Any, at: int, x: Any) -> None:
        from tensorboardX.proto.summary_pb2 import (  # pyright: ignore[reportMissingImports]
            Summary,  # pyright: ignore[reportAttributeAccessIssue]  # made at run time
        )

        for i, clip in enumerate(np.asarray(x)[:count]):
            sound = Summary.Audio(
                sample_rate=rate,
                num_channels=clip.shape[1],
                length_frames=clip.shape[0],
                encoded_audio_string=_wav(clip, rate),
                content_type="audio/wav",
            )
            value = Summary.Value(tag=f"{tag}/audio/{i}", audio=sound)
            file.file_writer.add_summary(Summary(value=[value]), at)

    return emit(run, [data], step)


def _wav(clip: np.ndarray, rate: int) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(clip.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(clip, -1, 1) * 32767).astype("<i2").tobytes())
    return out.getvalue()


def write(
    tag: str, tensor: Any, step: Any = None, metadata: Any = None, name: str | None = None
) -> Tensor:
    """Write any Tensor, for plugins of TensorBoard.

    Args:
        tag: Its name.
        tensor: The Tensor, or a function without arguments that returns it.
        step: As for `scalar`.
        metadata: A `SummaryMetadata` protocol buffer, which names the plugin, or None.
        name: Accepted, unused.

    Returns:
        Whether it is written.
    """
    data = convert_to_tensor(tensor() if callable(tensor) else tensor)

    def run(file: Any, at: int, x: Any) -> None:
        from tensorboardX.proto.summary_pb2 import (  # pyright: ignore[reportMissingImports]
            Summary,  # pyright: ignore[reportAttributeAccessIssue]  # made at run time
            SummaryMetadata,  # pyright: ignore[reportAttributeAccessIssue]  # made at run time
        )

        value = Summary.Value(tag=tag, tensor=_tensor_proto(np.asarray(x)))
        if metadata is not None:
            value.metadata.CopyFrom(SummaryMetadata.FromString(metadata.SerializeToString()))
        file.file_writer.add_summary(Summary(value=[value]), at)

    return emit(run, [data], step)


# TensorFlow's numbers for dtypes, of the `types.proto` file format.
_DTYPES = {
    "float32": 1,
    "float64": 2,
    "int32": 3,
    "uint8": 4,
    "int16": 5,
    "int8": 6,
    "object": 7,
    "int64": 9,
    "bool": 10,
}


def _tensor_proto(array: np.ndarray) -> Any:
    from tensorboardX.proto.tensor_pb2 import (  # pyright: ignore[reportMissingImports]
        TensorProto,  # pyright: ignore[reportAttributeAccessIssue]  # made at run time
    )

    if array.dtype.name not in _DTYPES:
        array = array.astype(np.float32)
    proto = TensorProto(dtype=_DTYPES[array.dtype.name])
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    if array.dtype == object:
        proto.string_val.extend(x if isinstance(x, bytes) else str(x).encode() for x in array.flat)
    else:
        proto.tensor_content = array.tobytes()
    return proto
