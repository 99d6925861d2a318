"""PNG files without Pillow: writing all, and reading those of 16 bits, which Pillow cuts to 8."""

import struct
import zlib

import numpy as np

__all__ = ["decode_deep", "encode", "is_deep"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLORS = {1: 0, 2: 4, 3: 2, 4: 6}  # channels -> PNG's color type


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check


def encode(image: np.ndarray, level: int) -> bytes:
    """Return an image as the bytes of a PNG file.

    Args:
        image: uint8 or uint16, `(H, W, C)`, C from 1 to 4.
        level: zlib's compression, -1 to 9.
    """
    height, width, channels = image.shape
    form = struct.pack(">IIBBBBB", width, height, image.itemsize * 8, _COLORS[channels], 0, 0, 0)
    raw = np.ascontiguousarray(image, image.dtype.newbyteorder(">")).view(np.uint8)
    raw = raw.reshape(height, -1)
    rows = np.empty((height, raw.shape[1] + 1), np.uint8)
    rows[:, 0] = 2  # the filter "up": each byte less the one above
    rows[:, 1:] = np.diff(raw, axis=0, prepend=np.zeros((1, raw.shape[1]), np.uint8))
    packed = zlib.compress(rows.tobytes(), level)
    chunks = _chunk(b"IHDR", form) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")
    return _SIGNATURE + chunks


def is_deep(data: bytes) -> bool:
    """Return whether a file is a PNG of 16 bits a sample that `decode_deep` reads."""
    if not data.startswith(_SIGNATURE) or len(data) < 29:
        return False
    depth, color, _, _, interlace = data[24:29]
    return depth == 16 and color in _COLORS.values() and interlace == 0


def decode_deep(data: bytes) -> np.ndarray:
    """Return a PNG of 16 bits a sample as uint16, `(H, W, C)`.

    Raises:
        ValueError: the file is damaged.
    """
    width, height, _, color = struct.unpack(">IIBB", data[16:26])
    channels = {kind: count for count, kind in _COLORS.items()}[color]
    packed, at = b"", 8
    while at + 8 <= len(data):
        size = struct.unpack(">I", data[at : at + 4])[0]
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + size]
        at += 12 + size
    try:
        raw = np.frombuffer(zlib.decompress(packed), np.uint8)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    step = 2 * channels
    rows = raw[: height * (width * step + 1)].reshape(height, width * step + 1)
    out = np.zeros((height + 1, width * step + step), np.uint8)  # a blank row and column before
    for y in range(height):
        _unfilter(int(rows[y, 0]), rows[y, 1:], out[y], out[y + 1], step)
    pixels = out[1:, step:]
    return np.ascontiguousarray(pixels).view(">u2").reshape(height, width, channels).astype("u2")


def _unfilter(kind: int, row: np.ndarray, above: np.ndarray, out: np.ndarray, step: int) -> None:
    """Undo a row's filter; `above` and `out` start with a blank pixel.

    Reference: https://www.w3.org/TR/png-3/#9Filters.
    """
    if kind == 0:
        out[step:] = row
    elif kind == 1:
        pixels = row.reshape(-1, step).astype(np.uint64)
        out[step:] = np.cumsum(pixels, axis=0).astype(np.uint8).reshape(-1)
    elif kind == 2:
        out[step:] = row + above[step:]
    else:
        for at in range(step, out.size, step):
            left = out[at - step : at].astype(np.int16)
            up = above[at : at + step].astype(np.int16)
            corner = above[at - step : at].astype(np.int16)
            guess = (left + up) // 2 if kind == 3 else _paeth(left, up, corner)
            out[at : at + step] = (row[at - step : at] + guess) & 0xFF


def _paeth(left: np.ndarray, up: np.ndarray, corner: np.ndarray) -> np.ndarray:
    whole = left + up - corner
    a, b, c = np.abs(whole - left), np.abs(whole - up), np.abs(whole - corner)
    return np.where((a <= b) & (a <= c), left, np.where(b <= c, up, corner))
