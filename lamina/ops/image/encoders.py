"""Tensors to image files: JPEG, which needs Pillow, and PNG."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.engine import convert_to_tensor, dtypes, host_op, type_of
from lamina.ops.image import png
from lamina.ops.image.codecs import bad, pillow
from lamina.ops.strings.operands import checked_choice, objects

__all__ = ["encode_jpeg", "encode_png"]

_XMP = b"http://ns.adobe.com/xap/1.0/\0"  # what such a segment starts with


def to_jpeg(pixels: np.ndarray, who: str, **options: Any) -> bytes:
    """Return uint8 pixels `(H, W, 1 or 3)` as the bytes of a JPEG file."""
    plain = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    out = io.BytesIO()
    pillow(who).fromarray(np.ascontiguousarray(plain)).save(out, "JPEG", **options)
    return out.getvalue()


def _infer_file(kinds: Sequence[Any], **attributes: Any) -> Any:
    return (type_of(kinds[0].dims[:-3], dtypes.string),), None


@host_op(_infer_file)
def _encode_jpeg(
    image, who="", quality=95, progressive=False, optimize=False, fine=False, dpi=(), xmp=""
):
    options = {"quality": quality, "progressive": progressive, "optimize": optimize, "dpi": dpi}
    subsampling = 0 if fine else 2
    data = to_jpeg(image, who, subsampling=subsampling, **options)
    if xmp:  # the segment APP1, behind the first, JFIF's APP0
        body = _XMP + xmp.encode()
        place = 4 + int.from_bytes(data[4:6], "big")
        head = b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big")
        data = data[:place] + head + body + data[place:]
    return objects([data], ())


def _xmp(text, who):
    text = text.decode() if isinstance(text, bytes) else text
    most = 0xFFFF - 2 - len(_XMP)
    if len(text.encode()) > most:
        raise bad(who, f"xmp_metadata must have at most {most} bytes", "leave a part of it out")
    return text


def encode_jpeg(
    image,
    format: Any = "",
    quality: Any = 95,
    progressive: Any = False,
    optimize_size: Any = False,
    chroma_downsampling: Any = True,
    density_unit: Any = "in",
    x_density: Any = 300,
    y_density: Any = 300,
    xmp_metadata: Any = "",
    name=None,
):
    r"""Return an image as the bytes of a JPEG file.

    Args:
        image: uint8, `(H, W, C)`, C 1 or 3.
        format: "", "grayscale" or "rgb", which C must agree with.
        quality: 0 to 100.
        progressive: Whether the file shows coarse before fine.
        optimize_size: Whether the file is made smaller, with more time.
        chroma_downsampling: Whether colours have half the resolution.
        density_unit: "in" or "cm", the unit of the densities.
        x_density: Pixels per unit.
        y_density: Pixels per unit.
        xmp_metadata: XMP, text of XML that the file carries; "" for none.
        name: Accepted, unused.

    Returns:
        A scalar string.

    Raises:
        InvalidArgumentError: another shape, or options that are out of range.
        ImportError: Pillow is not installed.

    Example:
        >>> tf.io.encode_jpeg(tf.zeros((8, 8, 3), tf.uint8)).numpy()[:3]
        b'\xff\xd8\xff'
    """
    who = "tf.io.encode_jpeg"
    x = convert_to_tensor(image, dtypes.uint8)
    shape = x.shape.as_list()
    if len(shape) != 3:
        raise bad(who, f"image must be 3-dimensional, (H, W, C); got shape {shape}", "image[0]")
    allowed = {"": (1, 3), "grayscale": (1,), "rgb": (3,)}
    checked_choice(format, tuple(allowed), f"{who}: `format`")
    if shape[-1] is not None and shape[-1] not in allowed[format]:
        names = " or ".join(map(str, allowed[format]))
        raise bad(who, f"image must have {names} channels, got {shape}", "cut the alpha channel")
    if not 0 <= quality <= 100:
        raise bad(who, f"quality must be in [0,100], got {quality}", "pass 95")
    scale = {"in": 1.0, "cm": 2.54}[checked_choice(density_unit, ("in", "cm"), "`density_unit`")]
    return _encode_jpeg(
        x,
        who=who,
        quality=int(quality),
        progressive=bool(progressive),
        optimize=bool(optimize_size),
        fine=not chroma_downsampling,
        dpi=(round(x_density * scale), round(y_density * scale)),
        xmp=_xmp(xmp_metadata, who),
    )


@host_op(_infer_file)
def _encode_png(image, level=-1):
    lead = image.shape[:-3]
    flat = image.reshape(-1, *image.shape[-3:])
    return objects([png.encode(one, level) for one in flat], lead)


def encode_png(image, compression: Any = -1, name=None):
    """Return images as the bytes of PNG files.

    Args:
        image: uint8 or uint16, `(..., H, W, C)`, C 1 to 4: gray, with alpha, RGB, with alpha.
        compression: 0 (none) to 9 (most); -1 is zlib's choice.
        name: Accepted, unused.

    Returns:
        Strings `(...)`.

    Raises:
        InvalidArgumentError: another shape, dtype or compression.

    Example:
        >>> tf.io.encode_png(tf.zeros((2, 2, 1), tf.uint8)).numpy()[1:4]
        b'PNG'
    """
    who = "tf.io.encode_png"
    x = convert_to_tensor(image)
    if x.dtype not in (dtypes.uint8, dtypes.uint16):
        raise bad(who, f"image must be uint8 or uint16; got {x.dtype.name}", "tf.cast it")
    shape = x.shape.as_list()
    if len(shape) < 3 or shape[-1] not in (1, 2, 3, 4, None):
        raise bad(who, f"image must be (..., H, W, 1 to 4); got shape {shape}", "add a channel")
    if not -1 <= compression <= 9:
        raise bad(who, f"compression should be in [-1,9], got {compression}", "pass -1")
    return _encode_png(x, level=int(compression))
