"""Images of many sizes: compiling a program for each takes longer than NumPy needs for the image.

In a folder of photographs many have a size of their own. A program for one takes some ten
milliseconds to compile, NumPy resizes it in two; after that all have one size.
"""

from collections import defaultdict

from lamina.engine import Tensor, local

__all__ = ["is_rare_size"]

_FEW, _OFTEN = 2, 64  # how often a size comes before it is worth a program: alone, among many
_MANY = 8  # sizes
_KEPT = 4096
_seen: defaultdict[object, dict[object, int]] = defaultdict(dict)


def is_rare_size(image, what):
    """Return whether an operation on an image should run by NumPy, since its size is rare.

    Args:
        image: What may be a Tensor. One that waits for its value, is watched by a tape, is not on
            the CPU, or stands for others in a trace, is left to a program.
        what: The operation and its attributes; a key.
    """
    if type(image) is not Tensor or (value := image._value) is None or image.ndim != 3:
        return False
    if not local.trace.eager or local.tapes:
        return False
    if local.device is not None or not image.dtype.is_numeric or not _is_near(value):
        return False
    sizes = _seen[what]
    count = sizes[image._type] = sizes.pop(image._type, 0) + 1
    if len(sizes) > _KEPT:
        sizes.pop(next(iter(sizes)), None)  # another thread may have been as quick
    return count <= (_OFTEN if len(sizes) > _MANY else _FEW)


def _is_near(value):
    """Return whether an array is in the memory of the CPU."""
    devices = getattr(value, "devices", None)
    return devices is None or all(d.platform == "cpu" for d in devices())
