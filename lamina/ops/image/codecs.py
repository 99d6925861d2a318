"""Image files to Tensors: JPEG, PNG, GIF, BMP, WebP. Reading needs Pillow."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina.engine import (
    dtypes,
    errors,
    host_op,
    static_ints,
    symbolic_dim,
    type_of,
)
from lamina.ops.image import png
from lamina.ops.strings.operands import checked_choice, texts

__all__ = [
    "decode_and_crop_jpeg",
    "decode_bmp",
    "decode_gif",
    "decode_image",
    "decode_jpeg",
    "decode_png",
    "decode_webp",
    "extract_jpeg_shape",
    "is_jpeg",
]

# Whether a function refuses BMP files, or all others.
_NOT = {
    "tf.io.decode_jpeg": True,
    "tf.io.decode_png": True,
    "tf.io.decode_gif": True,
    "tf.io.decode_bmp": False,
}
_ANY = "One of JPEG, PNG, GIF, BMP, WebP required"


def pillow(who: str) -> Any:
    """Return Pillow's `PIL.Image`.

    Raises:
        ImportError: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise ImportError(
            f"{who}: it needs Pillow, which is not installed.\n  Fix: pip install lamina[images]"
        ) from None
    return Image


def bad(who: str, why: str, fix: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(f"{who}: {why}.\n  Fix: {fix}.")


def format_of(data: bytes) -> str:
    """Return the format of an image file by its first bytes, "" if it is none."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data.startswith(b"BM"):
        return "BMP"
    return "WEBP" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else ""


# ---- one picture ----------------------------------------------------------------------------


def _opened(data: bytes, who: str) -> Any:
    image = pillow(who)
    try:
        return image.open(io.BytesIO(data))
    except (OSError, SyntaxError, ValueError) as error:  # PIL's own is an OSError
        raise bad(who, f"the file cannot be read: {error}", "check the file") from None


def _loaded(picture: Any, mode: str, who: str) -> np.ndarray:
    """Return a picture's pixels in one of Pillow's modes, `(H, W, C)`."""
    try:
        pixels = np.array(picture if picture.mode == mode else picture.convert(mode))
    except (OSError, SyntaxError, ValueError) as error:
        raise bad(who, f"the file is damaged: {error}", "check the file") from None
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _jpeg(data: bytes, channels: int, ratio: int, who: str) -> np.ndarray:
    if channels == 4:
        raise bad(who, "JPEG does not support 4 channels", "pass channels=3")
    picture = _opened(data, who)
    gray = picture.mode == "L" if channels == 0 else channels == 1
    if ratio != 1 or (gray and picture.mode != "L"):
        size = tuple(-(-s // ratio) for s in picture.size)
        picture.draft("L" if gray else "RGB", size)
    return _loaded(picture, "L" if gray else "RGB", who)


_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def _png_mode(picture: Any) -> str:
    """Return the mode of the channels that a PNG file has."""
    if "transparency" in picture.info or picture.mode in ("LA", "RGBA", "PA"):
        return "LA" if picture.mode in ("L", "LA", "1") else "RGBA"
    return "L" if picture.mode in ("1", "L", "I", "I;16", "F") else "RGB"


def _gray(pixels: np.ndarray) -> np.ndarray:
    """Return RGB as gray, with libpng's integers and its rounding down."""
    red, green, blue = np.moveaxis(pixels[..., :3].astype(np.uint64), -1, 0)
    total = (9798 * red + 19235 * green + 3735 * blue) >> np.uint64(15)
    return total.astype(pixels.dtype)[..., None]


def _png(data: bytes, channels: int, who: str) -> np.ndarray:
    """Return a PNG, uint8, or uint16 if the file has 16 bits."""
    if png.is_deep(data):
        try:
            found = png.decode_deep(data)
        except ValueError as error:
            raise bad(who, f"Invalid PNG data: {error}", "check the file") from None
    else:
        picture = _opened(data, who)
        found = _loaded(picture, _png_mode(picture), who)
    return _with_channels(found, channels)


def _with_channels(pixels: np.ndarray, channels: int) -> np.ndarray:
    """Return pixels of 1 to 4 channels with another number of them; 0 leaves them."""
    count = pixels.shape[-1]
    if channels in (0, count):
        return pixels
    color = pixels[..., : count - 1 if count in (2, 4) else count]
    if channels <= 2:
        color = color if color.shape[-1] == 1 else _gray(color)
    elif color.shape[-1] == 1:
        color = np.repeat(color, 3, axis=-1)
    if channels in (1, 3):
        return color
    full = np.full((*color.shape[:-1], 1), np.iinfo(pixels.dtype).max, pixels.dtype)
    alpha = pixels[..., -1:] if count in (2, 4) else full
    return np.concatenate([color, alpha], axis=-1)


def _bmp(data: bytes, channels: int, who: str) -> np.ndarray:
    if channels not in (0, 3, 4):
        raise bad(who, f"`channels` must be 0, 3 or 4 for BMP, but got {channels}", "pass 3")
    picture = _opened(data, who)
    own = "L" if picture.mode in ("L", "1") else "RGBA" if picture.mode == "RGBA" else "RGB"
    return _loaded(picture, _MODES[channels] if channels else own, who)


def _frames(data: bytes, mode: str, who: str, is_one: bool) -> np.ndarray:
    picture = _opened(data, who)
    found = [_loaded(picture.copy(), mode, who)]
    while not is_one:
        try:
            picture.seek(picture.tell() + 1)
        except EOFError:
            break
        found.append(_loaded(picture.copy(), mode, who))
    return np.stack(found)


def _webp(data: bytes, channels: int, who: str, is_one: bool) -> np.ndarray:
    if channels not in (0, 3, 4):
        raise bad(who, "WebP only supports 3 or 4 channels", "pass channels=3")
    own = "RGBA" if _opened(data, who).mode == "RGBA" else "RGB"
    return _frames(data, _MODES[channels] if channels else own, who, is_one)


# ---- all formats ----------------------------------------------------------------------------


def _in_dtype(pixels: np.ndarray, dtype: Any, form: str) -> np.ndarray:
    """Return pixels as uint8, uint16, or float32 in [0, 1]."""
    if dtype is dtypes.float32:
        return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
    if pixels.dtype == dtype.np:
        return pixels
    if dtype is dtypes.uint8:
        return (pixels >> 8).astype(np.uint8)
    # PNG's samples are stretched, others moved.
    return pixels.astype(np.uint16) * np.uint16(257 if form == "PNG" else 256)


def _decoded(data: np.ndarray, who: str, channels: int, dtype: Any, animated: Any, ratio: int):
    """Return an image file's pixels.

    Args:
        data: A scalar array of bytes.
        who: The function, for messages.
        channels: The number of channels, 0 for those of the file.
        dtype: uint8, uint16 or float32.
        animated: True gives frames of a GIF or WebP an axis, False takes the first, None
            allows one frame only.
        ratio: What JPEG files are made smaller by.
    """
    if data.ndim:
        raise bad(
            who,
            f"`contents` must be scalar but got shape {list(data.shape)}",
            "use tf.map_fn or dataset.map for several",
        )
    raw = bytes(data[()])
    form = format_of(raw)
    if form and who in _NOT and (form == "BMP") == _NOT[who]:
        name = {"JPEG": "jpeg", "PNG": "png", "GIF": "gif", "BMP": "bmp", "WEBP": "webp"}[form]
        raise bad(who, f"Trying to decode {form} format using a wrong op", f"tf.io.decode_{name}")
    if form == "JPEG":
        found = _jpeg(raw, channels, ratio, who)
    elif form == "PNG":
        found = _png(raw, channels, who)
    elif form == "BMP":
        found = _bmp(raw, channels, who)
    elif form == "GIF":
        found = _gif(raw, channels, who, animated)
    elif form == "WEBP":
        found = _webp(raw, channels, who, animated is False)
        found = found[0] if animated is False else found
    else:
        raise bad(who, f"Unknown image file format. {_ANY}", "check what the file holds")
    return _in_dtype(found, dtype, form)


def _gif(raw: bytes, channels: int, who: str, animated: Any) -> np.ndarray:
    if channels not in (0, 3):
        raise bad(who, f"channels must be 0 or 3 for GIF, got {channels}", "pass 3")
    found = _frames(raw, "RGB", who, animated is False)
    if animated is None and len(found) > 1:
        raise bad(
            who,
            f"Got {len(found)} frames, but animated gifs can only be decoded by tf.io.decode_gif "
            f"or tf.io.decode_image",
            "use one of these",
        )
    return found if animated else found[0]


def _infer_image(rank: int) -> Callable[..., Any]:
    def infer(kinds: Sequence[Any], **attributes: Any) -> Any:
        channels = attributes.get("channels") or (3 if rank == 4 else symbolic_dim("channels"))
        sizes = [symbolic_dim(n) for n in ("frames", "height", "width")][4 - rank :]
        return (type_of((*sizes, channels), attributes.get("dtype") or dtypes.uint8),), None

    return infer


@host_op(_infer_image(3))
def _decode(contents, who="", channels=0, dtype=dtypes.uint8, animated=None, ratio=1):
    return _decoded(contents, who, channels, dtype, animated, ratio)


def _checked_channels(channels: Any, allowed: tuple[int, ...], who: str) -> int:
    number = 0 if channels is None else int(channels)
    if number not in allowed:
        names = ", ".join(map(str, allowed[:-1]))
        raise bad(who, f"`channels` must be {names} or {allowed[-1]} but got {channels}", "pass 3")
    return number


def decode_jpeg(
    contents,
    channels: Any = 0,
    ratio: Any = 1,
    fancy_upscaling: Any = True,
    try_recover_truncated: Any = False,
    acceptable_fraction: Any = 1,
    dct_method: Any = "",
    name=None,
):
    """Read a JPEG file; PNG, and GIF and WebP of one frame, are read too.

    Args:
        contents: A scalar string, the bytes of the file.
        channels: 1 for gray, 3 for RGB, 0 for what the file has.
        ratio: 1, 2, 4 or 8: what height and width are divided by.
        fancy_upscaling: Accepted, unused: colours are always smoothed.
        try_recover_truncated: Accepted, unused: a file that is cut off is an error.
        acceptable_fraction: Accepted, unused.
        dct_method: Accepted, unused: the accurate one.
        name: Accepted, unused.

    Returns:
        uint8, `(H, W, channels)`.

    Raises:
        InvalidArgumentError: the bytes are no such file, or another number of channels.
        ImportError: Pillow is not installed.

    Differs from TF: TF's default transform is less accurate; pixels differ by a few units.

    Example:
        >>> file = tf.io.encode_jpeg(tf.zeros((8, 6, 3), tf.uint8))
        >>> tf.io.decode_jpeg(file).shape
        TensorShape([8, 6, 3])
    """
    who = "tf.io.decode_jpeg"
    number = _checked_channels(channels, (0, 1, 3, 4), who)
    step = _checked_ratio(ratio, who)
    return _decode(_contents(contents, who), who=who, channels=number, ratio=step)


def _contents(contents: Any, who: str) -> Any:
    return texts(contents, who)


def _checked_ratio(ratio: Any, who: str) -> int:
    if ratio not in (1, 2, 4, 8):
        raise bad(who, f"ratio must be 1, 2, 4, or 8, got {ratio}", "tf.image.resize after it")
    return int(ratio)


def decode_and_crop_jpeg(
    contents,
    crop_window,
    channels: Any = 0,
    ratio: Any = 1,
    fancy_upscaling: Any = True,
    try_recover_truncated: Any = False,
    acceptable_fraction: Any = 1,
    dct_method: Any = "",
    name=None,
):
    """Read a part of a JPEG file.

    Args:
        contents: A scalar string, the bytes of the file.
        crop_window: `(y, x, height, width)` of the part, in pixels.
        channels: 1 for gray, 3 for RGB, 0 for what the file has.
        ratio: 1, 2, 4 or 8: what height and width are divided by before.
        fancy_upscaling: Accepted, unused.
        try_recover_truncated: Accepted, unused.
        acceptable_fraction: Accepted, unused.
        dct_method: Accepted, unused.
        name: Accepted, unused.

    Returns:
        uint8, `(height, width, channels)`.

    Raises:
        InvalidArgumentError: the bytes are no JPEG file, or the window lies outside.
        ImportError: Pillow is not installed.

    Example:
        >>> file = tf.io.encode_jpeg(tf.zeros((8, 6, 3), tf.uint8))
        >>> tf.io.decode_and_crop_jpeg(file, [2, 1, 4, 3]).shape
        TensorShape([4, 3, 3])
    """
    who = "tf.io.decode_and_crop_jpeg"
    top, left, height, width = static_ints(crop_window, "tf.io.decode_and_crop_jpeg(crop_window)")
    image = decode_jpeg(contents, channels, ratio)
    rows, columns = image.shape.as_list()[:2]
    if (
        min(top, left) < 0
        or min(height, width) < 1
        or (top + height > rows or left + width > columns)
    ):
        raise bad(
            who,
            f"Invalid JPEG data or crop window: {(top, left, height, width)} of an image of "
            f"{rows} by {columns}",
            "keep the window inside",
        )
    return image[top : top + height, left : left + width]


def decode_png(contents, channels: Any = 0, dtype: Any = dtypes.uint8, name=None):
    """Read a PNG file; JPEG, and GIF and WebP of one frame, are read too.

    Args:
        contents: A scalar string, the bytes of the file.
        channels: 1 for gray, 2 with alpha, 3 for RGB, 4 with alpha, 0 for what the file has.
        dtype: uint8 or uint16.
        name: Accepted, unused.

    Returns:
        A Tensor of `dtype`, `(H, W, channels)`.

    Raises:
        InvalidArgumentError: the bytes are no such file, or another number of channels.
        ImportError: Pillow is not installed.

    Example:
        >>> tf.io.decode_png(tf.io.encode_png(np.uint8([[[1, 2, 3]]]))).numpy()
        array([[[1, 2, 3]]], dtype=uint8)
    """
    who = "tf.io.decode_png"
    kind = dtypes.as_dtype(dtype)
    checked_choice(kind.name, ("uint8", "uint16"), f"{who}: `dtype`")
    number = _checked_channels(channels, (0, 1, 2, 3, 4), who)
    return _decode(_contents(contents, who), who=who, channels=number, dtype=kind)


def decode_bmp(contents, channels: Any = 0, name=None):
    """Read a BMP file.

    Args:
        contents: A scalar string, the bytes of the file.
        channels: 3 for RGB, 4 with alpha, 0 for what the file has.
        name: Accepted, unused.

    Returns:
        uint8, `(H, W, channels)`.

    Raises:
        InvalidArgumentError: the bytes are no such file, or another number of channels.
        ImportError: Pillow is not installed.
    """
    who = "tf.io.decode_bmp"
    number = _checked_channels(channels, (0, 1, 3, 4), who)
    return _decode(_contents(contents, who), who=who, channels=number)


@host_op(_infer_image(4))
def _decode_frames(contents, who="", channels=0, dtype=dtypes.uint8):
    found = _decoded(contents, who, channels, dtype, True, 1)
    return found if found.ndim == 4 else found[None]


def decode_gif(contents, name=None):
    """Read the frames of a GIF file; JPEG and PNG give one frame.

    Args:
        contents: A scalar string, the bytes of the file.
        name: Accepted, unused.

    Returns:
        uint8, `(N, H, W, 3)`.

    Raises:
        InvalidArgumentError: the bytes are no such file.
        ImportError: Pillow is not installed.

    Example:
        >>> tf.io.decode_gif(tf.io.encode_png(np.zeros((2, 2, 3), np.uint8))).shape
        TensorShape([1, 2, 2, 3])
    """
    who = "tf.io.decode_gif"
    return _decode_frames(_contents(contents, who), who=who, channels=3)


def decode_webp(contents, channels: Any = 0, dtype: Any = dtypes.uint8, name=None):
    """Read the frames of a WebP file.

    Args:
        contents: A scalar string, the bytes of the file.
        channels: 3 for RGB, 4 with alpha, 0 for what the file has.
        dtype: uint8.
        name: Accepted, unused.

    Returns:
        uint8, `(N, H, W, channels)`.

    Raises:
        InvalidArgumentError: the bytes are no such file, or another number of channels.
        ImportError: Pillow is not installed.
    """
    who = "tf.io.decode_webp"
    checked_choice(dtypes.as_dtype(dtype).name, ("uint8",), f"{who}: `dtype`")
    number = _checked_channels(channels, (0, 3, 4), who)
    return _decode_frames(_contents(contents, who), who=who, channels=number)


def decode_image(
    contents,
    channels: Any = None,
    dtype: Any = dtypes.uint8,
    name=None,
    expand_animations: Any = True,
):
    """Read an image file of any format: JPEG, PNG, GIF, BMP, WebP.

    Args:
        contents: A scalar string, the bytes of the file.
        channels: The number of channels; None or 0 for what the file has.
        dtype: uint8, uint16 or float32; floats lie in [0, 1].
        name: Accepted, unused.
        expand_animations: Whether a GIF or WebP gives all frames, `(N, H, W, C)`, or the first.

    Returns:
        A Tensor of `dtype`, `(H, W, C)`, or `(N, H, W, C)` of GIF and WebP files.

    Raises:
        InvalidArgumentError: the bytes are no such file, or a number of channels that its
            format does not have.
        ImportError: Pillow is not installed.

    Example:
        >>> file = tf.io.encode_png(np.uint8([[[255, 0, 0]]]))
        >>> tf.io.decode_image(file, dtype=tf.float32).numpy()
        array([[[1., 0., 0.]]], dtype=float32)
    """
    who = "tf.io.decode_image"
    kind = dtypes.as_dtype(dtype)
    checked_choice(kind.name, ("uint8", "uint16", "float32"), f"{who}: `dtype`")
    number = _checked_channels(channels, (0, 1, 3, 4), who)
    animated = bool(expand_animations)
    text = _contents(contents, who)
    return _decode(text, who=who, channels=number, dtype=kind, animated=animated)


def from_jpeg(data: bytes, channels: int, who: str) -> np.ndarray:
    """Return the pixels of a JPEG file, uint8, `(H, W, channels)`."""
    return _jpeg(data, channels, 1, who)


# ---- looking at files -----------------------------------------------------------------------


def _infer_flag(kinds: Sequence[Any], **attributes: Any) -> Any:
    return (type_of(kinds[0].dims, dtypes.bool_),), None


@host_op(_infer_flag)
def _is_jpeg(contents):
    flags = [s.startswith(b"\xff\xd8\xff") for s in contents.reshape(-1)]
    return np.array(flags, bool).reshape(contents.shape)


def is_jpeg(contents, name=None):
    """Return whether files start as JPEG files do.

    Args:
        contents: Strings of any shape, the bytes of files.
        name: Accepted, unused.

    Returns:
        bool of the shape of `contents`.

    Example:
        >>> tf.io.is_jpeg(b"no image").numpy()
        np.False_
    """
    return _is_jpeg(_contents(contents, "tf.io.is_jpeg"))


def _infer_shape(kinds: Sequence[Any], **attributes: Any) -> Any:
    return (type_of((3,), attributes["dtype"]),), None


@host_op(_infer_shape)
def _jpeg_shape(contents, dtype=dtypes.int32):
    who = "tf.io.extract_jpeg_shape"
    data = contents[()]
    if contents.ndim or format_of(data) != "JPEG":
        raise bad(who, f"Invalid JPEG data, size {len(data)}", "check the file")
    picture = _opened(data, who)
    width, height = picture.size
    return np.array([height, width, len(picture.getbands())], dtype.np)


def extract_jpeg_shape(contents, output_type: Any = dtypes.int32, name=None):
    """Return the shape of the image in a JPEG file, without reading the pixels.

    Args:
        contents: A scalar string, the bytes of the file.
        output_type: int32 or int64.
        name: Accepted, unused.

    Returns:
        Three integers: height, width, channels.

    Raises:
        InvalidArgumentError: the bytes are no JPEG file.
        ImportError: Pillow is not installed.

    Example:
        >>> file = tf.io.encode_jpeg(tf.zeros((8, 6, 3), tf.uint8))
        >>> tf.io.extract_jpeg_shape(file).numpy()
        array([8, 6, 3], dtype=int32)
    """
    who = "tf.io.extract_jpeg_shape"
    kind = dtypes.as_dtype(output_type)
    checked_choice(kind.name, ("int32", "int64"), f"{who}: `output_type`")
    return _jpeg_shape(_contents(contents, who), dtype=kind)
