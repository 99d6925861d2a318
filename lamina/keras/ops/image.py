"""tf.keras.ops.image: colours, sizes, patches, transforms of images."""

from typing import Any

from lamina import ops
from lamina.engine import Tensor, convert_to_tensor
from lamina.keras.core import graph_function
from lamina.keras.ops.core import saturate_cast
from lamina.keras.ops.distortion import *
from lamina.keras.ops.distortion import __all__ as _distortion
from lamina.keras.policy import standardize_data_format
from lamina.keras.promotion import is_float_dtype, is_int_dtype, result_type
from lamina.ops import image as kernels

__all__ = [
    "crop_images",
    "extract_patches",
    "extract_patches_3d",
    "hsv_to_rgb",
    "pad_images",
    "resize",
    "rgb_to_grayscale",
    "rgb_to_hsv",
    "sobel_edges",
    "ssim",
    *_distortion,
]


# ---- layout -----------------------------------------------------------------------------------


def _images(who: str, images: Any) -> Tensor:
    x = convert_to_tensor(images)
    if x.ndim not in (3, 4):
        raise ValueError(
            f"{who}: the images must have rank 3, or 4 for a batch; got shape {tuple(x.shape)}.\n"
            f"  Fix: add or remove axes of size 1."
        )
    return x


def _is_first(data_format: str | None) -> bool:
    return standardize_data_format(data_format) == "channels_first"


def _channels_last(x: Tensor, is_first: bool) -> Tensor:
    if not is_first:
        return x
    return ops.transpose(x, (0, 2, 3, 1) if x.ndim == 4 else (1, 2, 0))


def _channels_back(x: Tensor, is_first: bool) -> Tensor:
    if not is_first:
        return x
    return ops.transpose(x, (0, 3, 1, 2) if x.ndim == 4 else (2, 0, 1))


# ---- colours ----------------------------------------------------------------------------------


def rgb_to_grayscale(images: Any, data_format: str | None = None) -> Tensor:
    """Return images with one channel of brightness.

    Args:
        images: ``(B, H, W, 3)`` or ``(H, W, 3)``, or channels first; with one channel they come
            back as they are.
        data_format: "channels_last" or "channels_first"; None is the configured one.

    Returns:
        The same shape with 1 channel, same dtype.

    Raises:
        ValueError: the images have another rank or number of channels.

    Example:
        >>> tf.keras.ops.image.rgb_to_grayscale(tf.ones((2, 2, 3))).shape
        TensorShape([2, 2, 1])
    """
    x, is_first = _images("rgb_to_grayscale", images), _is_first(data_format)
    x = _channels_last(x, is_first)
    if x.shape[-1] not in (1, 3):
        raise ValueError(
            f"rgb_to_grayscale: the images must have 3 channels, or 1; got shape "
            f"{tuple(x.shape)} with channels last.\n  Fix: check `data_format`."
        )
    if x.shape[-1] == 3:
        values = ops.cast(x, result_type(x.dtype, float))
        weights = ops.constant([[0.2989], [0.587], [0.114]], values.dtype)
        x = ops.cast(ops.tensordot(values, weights, 1), x.dtype)
    return _channels_back(x, is_first)


def _floats(who: str, images: Any) -> Tensor:
    x = _images(who, images)
    if not is_float_dtype(x.dtype):
        raise ValueError(
            f"{who}: the images must be floating point; got {x.dtype.name}.\n"
            f"  Fix: tf.cast(images, tf.float32) / 255."
        )
    return x


def rgb_to_hsv(images: Any, data_format: str | None = None) -> Tensor:
    """Return images as hue, saturation and value.

    Args:
        images: Floating point in [0, 1], ``(B, H, W, 3)`` or ``(H, W, 3)``, or channels first.
        data_format: "channels_last" or "channels_first"; None is the configured one.

    Returns:
        Shape and dtype of `images`; all three in [0, 1].

    Raises:
        ValueError: the images have another rank or are not floating point.

    Example:
        >>> tf.keras.ops.image.rgb_to_hsv(tf.constant([[[1.0, 0.0, 0.0]]])).numpy()
        array([[[0., 1., 1.]]], dtype=float32)
    """
    x, is_first = _floats("rgb_to_hsv", images), _is_first(data_format)
    _check_channels("rgb_to_hsv", x, is_first)
    return _channels_back(kernels.rgb_to_hsv(_channels_last(x, is_first)), is_first)


def hsv_to_rgb(images: Any, data_format: str | None = None) -> Tensor:
    """Return images of hue, saturation and value as red, green and blue.

    Args:
        images: Floating point in [0, 1], ``(B, H, W, 3)`` or ``(H, W, 3)``, or channels first.
        data_format: "channels_last" or "channels_first"; None is the configured one.

    Returns:
        Shape and dtype of `images`.

    Raises:
        ValueError: the images have another rank or are not floating point.

    Example:
        >>> tf.keras.ops.image.hsv_to_rgb(tf.constant([[[0.0, 1.0, 1.0]]])).numpy()
        array([[[1., 0., 0.]]], dtype=float32)
    """
    x, is_first = _floats("hsv_to_rgb", images), _is_first(data_format)
    _check_channels("hsv_to_rgb", x, is_first)
    return _channels_back(kernels.hsv_to_rgb(_channels_last(x, is_first)), is_first)


def _check_channels(who: str, images: Any, is_first: bool) -> None:
    count = tuple(images.shape)[-3 if is_first else -1]
    if isinstance(count, int) and count != 3:
        raise ValueError(
            f"{who}: the images must have 3 channels; got {count}, shape {tuple(images.shape)}.\n"
            f'  Fix: data_format="channels_last" or "channels_first" says where they are.'
        )


# ---- sizes ------------------------------------------------------------------------------------


_INTERPOLATIONS = ("bilinear", "nearest", "lanczos3", "lanczos5", "bicubic")


def _check_resize(size: Any, interpolation: str, fill_mode: str, crop: bool, pad: bool) -> None:
    if len(size) != 2 or min(size) <= 0:
        raise ValueError(f"resize: `size` must be two positive ints; got {size!r}.")
    if interpolation not in _INTERPOLATIONS:
        raise ValueError(
            f"resize: `interpolation` must be one of {_INTERPOLATIONS}; got {interpolation!r}."
        )
    if fill_mode != "constant":
        raise ValueError(f"resize: `fill_mode` must be 'constant'; got {fill_mode!r}.")
    if crop and pad:
        raise ValueError(
            "resize: at most one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio` may be "
            "true; got both."
        )


@graph_function
def resize(
    images: Any,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Tensor:
    """Resize images.

    Args:
        images: ``(B, H, W, C)`` or ``(H, W, C)``, or channels first.
        size: The new height and width.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        antialias: Whether to widen the kernel when making images smaller.
        crop_to_aspect_ratio: Whether to cut the sides off first, to the new aspect ratio.
        pad_to_aspect_ratio: Whether to pad the sides first, to the new aspect ratio.
        fill_mode: "constant".
        fill_value: What is padded with.
        data_format: "channels_last" or "channels_first"; None is the configured one.

    Returns:
        Images of the new size, same dtype; whole numbers are rounded.

    Raises:
        ValueError: an argument is out of range.

    Example:
        >>> tf.keras.ops.image.resize(tf.ones((1, 4, 4, 3)), (2, 8)).shape
        TensorShape([1, 2, 8, 3])
    """
    _check_resize(size, interpolation, fill_mode, crop_to_aspect_ratio, pad_to_aspect_ratio)
    given, is_first = _images("resize", images), _is_first(data_format)
    x = _channels_last(given, is_first)
    if crop_to_aspect_ratio:
        x = _cropped_to_ratio(x, size)
    elif pad_to_aspect_ratio:
        x = _padded_to_ratio(x, size, fill_value)
    found = kernels.resize(x, tuple(size), method=interpolation, antialias=antialias)
    found = _channels_back(found, is_first)
    if found.dtype == given.dtype:
        return found
    return saturate_cast(ops.round(found) if is_int_dtype(given.dtype) else found, given.dtype)


def _known_size(x: Tensor) -> tuple[int, int]:
    height, width = x.shape[-3], x.shape[-2]
    if height is None or width is None:
        raise ValueError(
            f"resize: height and width must be known to keep the aspect ratio; got shape "
            f"{tuple(x.shape)}.\n  Fix: give them to tf.keras.Input."
        )
    return height, width


def _cropped_to_ratio(x: Tensor, size: Any) -> Tensor:
    height, width = _known_size(x)
    rows = max(1, min(height, int(float(width * size[0]) / size[1])))
    columns = max(1, min(width, int(float(height * size[1]) / size[0])))
    top, left = (height - rows) // 2, (width - columns) // 2
    return x[..., top : top + rows, left : left + columns, :]


def _padded_to_ratio(x: Tensor, size: Any, fill_value: float) -> Tensor:
    height, width = _known_size(x)
    rows = max(height, int(float(width * size[0]) / size[1]))
    columns = max(width, int(float(height * size[1]) / size[0]))
    top, left = (rows - height) // 2, (columns - width) // 2
    around = [[0, 0]] * (x.ndim - 3) + [[top, top], [left, left], [0, 0]]
    return ops.pad(x, around, constant_values=ops.cast(fill_value, x.dtype))


def _sides(who: str, names: tuple[str, str, str], values: tuple[Any, Any, Any]) -> None:
    given = dict(zip(names, values, strict=True))
    if sum(v is None for v in values) != 1:
        raise ValueError(f"{who}: exactly two of {list(names)} must be given; got {given}.")
    for name, value in given.items():
        if value is not None and value < 0:
            raise ValueError(f"{who}: `{name}` must not be negative; got {value}.")


def _fitted(who: str, before: Any, after: Any, rest: Any, what: str) -> tuple[Any, Any]:
    """Return both paddings of an axis, from two of (before, after, their sum)."""
    before = rest - after if before is None else before
    after = rest - before if after is None else after
    for value in (before, after):
        if isinstance(value, int) and value < 0:
            raise ValueError(
                f"{who}: {what} must not be negative; got {value}.\n"
                f"  Fix: check the target size against that of the images."
            )
    return before, after


def _rest(size: Any, target: Any, sign: int) -> Any:
    return None if target is None else sign * (target - size)


@graph_function
def pad_images(
    images: Any,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Put zeros around images.

    Args:
        images: ``(B, H, W, C)`` or ``(H, W, C)``, or channels first.
        top_padding: Rows above. Two of top, bottom and target height are given.
        left_padding: Columns to the left. Two of left, right and target width are given.
        bottom_padding: Rows below.
        right_padding: Columns to the right.
        target_height: The new height.
        target_width: The new width.
        data_format: "channels_last" or "channels_first"; None is the configured one.

    Returns:
        The padded images, same dtype.

    Raises:
        ValueError: too many or too few arguments are given, or they do not fit.

    Example:
        >>> tf.keras.ops.image.pad_images(tf.ones((2, 2, 3)), 1, 1, 1, 1).shape
        TensorShape([4, 4, 3])
    """
    who = "pad_images"
    x, is_first = _images(who, images), _is_first(data_format)
    rows = (top_padding, bottom_padding, target_height)
    columns = (left_padding, right_padding, target_width)
    _sides(who, ("top_padding", "bottom_padding", "target_height"), rows)
    _sides(who, ("left_padding", "right_padding", "target_width"), columns)
    height, width = tuple(x.shape)[-2:] if is_first else tuple(x.shape)[-3:-1]
    sides = [
        _side_to_pad(who, rows, height, "the rows to add"),
        _side_to_pad(who, columns, width, "the columns to add"),
    ]
    around = [list(widths) for widths, _ in sides]
    around = [[0, 0], *around] if is_first else [*around, [0, 0]]
    padded = ops.pad(x, [[0, 0]] * (x.ndim - 3) + around)
    for axis, (_, cut) in zip(_sides_of(is_first), sides, strict=True):
        padded = padded if cut is None else _window(padded, axis, *cut)
    return padded


def _sides_of(is_first: bool) -> tuple[int, int]:
    """Return the axes of height and width."""
    return (-2, -1) if is_first else (-3, -2)


def _window(x: Tensor, axis: int, before: Any, after: Any, target: int) -> Tensor:
    """Return `target` rows of an axis of unknown size, counted from one of its ends."""
    axis += x.ndim
    first = ops.shape(x)[axis] - after - target if before is None else before
    return ops.gather(x, first + ops.range(target), axis=axis)


def _side_to_pad(who: str, given: Any, size: Any, what: str) -> tuple[Any, Any]:
    """Return how much to add on both sides of an axis, and which window of that to keep.

    Where the size is not known, enough is added for any, and cut to the target.
    """
    before, after, target = given
    if isinstance(size, int) or target is None:
        return _fitted(who, before, after, _rest(size, target, 1), what), None
    if after is None:
        return (before, target), (0, None, target)
    return (target, after), (None, 0, target)


@graph_function
def crop_images(
    images: Any,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Cut the borders off images.

    Args:
        images: ``(B, H, W, C)`` or ``(H, W, C)``, or channels first.
        top_cropping: Rows above. Two of top, bottom and target height are given.
        left_cropping: Columns to the left. Two of left, right and target width are given.
        bottom_cropping: Rows below.
        right_cropping: Columns to the right.
        target_height: The new height.
        target_width: The new width.
        data_format: "channels_last" or "channels_first"; None is the configured one.

    Returns:
        The cropped images, same dtype.

    Raises:
        ValueError: too many or too few arguments are given, or they do not fit.

    Example:
        >>> tf.keras.ops.image.crop_images(tf.ones((4, 4, 3)), 1, 1, 1, 1).shape
        TensorShape([2, 2, 3])
    """
    who = "crop_images"
    x, is_first = _images(who, images), _is_first(data_format)
    rows = (top_cropping, bottom_cropping, target_height)
    columns = (left_cropping, right_cropping, target_width)
    _sides(who, ("top_cropping", "bottom_cropping", "target_height"), rows)
    _sides(who, ("left_cropping", "right_cropping", "target_width"), columns)
    height, width = tuple(x.shape)[-2:] if is_first else tuple(x.shape)[-3:-1]
    sides = ((rows, height, "the rows to cut"), (columns, width, "the columns to cut"))
    for axis, (given, size, what) in zip(_sides_of(is_first), sides, strict=True):
        x = _cropped(who, x, axis, given, size, what)
    return x


def _cropped(who: str, x: Tensor, axis: int, given: Any, size: Any, what: str) -> Tensor:
    """Return what stays of an axis."""
    before, after, target = given
    if target is not None and not isinstance(size, int):
        return _window(x, axis, before, after, target)
    before, after = _fitted(who, before, after, _rest(size, target, -1), what)
    kept = slice(before, _end(who, size, before, after))
    return x[(..., kept, *[slice(None)] * (-axis - 1))]


def _end(who: str, size: Any, before: Any, after: Any) -> Any:
    if isinstance(size, int) and size - before - after < 0:
        raise ValueError(
            f"{who}: the target size must not be negative; got {size - before - after} of {size}."
        )
    return None if after == 0 else -after


# ---- patches ----------------------------------------------------------------------------------


def _patches(
    who: str, x: Any, size: Any, strides: Any, rate: Any, padding: str, first: bool, rank: int
) -> Tensor:
    x = convert_to_tensor(x)
    if x.ndim not in (rank + 1, rank + 2):
        raise ValueError(
            f"{who}: the input must have rank {rank + 1}, or {rank + 2} for a batch; got shape "
            f"{tuple(x.shape)}."
        )
    sizes, steps, rates = (
        (v,) * rank if isinstance(v, int) else tuple(v) for v in (size, strides or size, rate)
    )
    alone = x.ndim == rank + 1
    x = ops.expand_dims(x, 0) if alone else x
    inside = range(2, rank + 2)
    x = ops.transpose(x, (0, *inside, 1)) if first else x
    found = ops.cut_patches(x, sizes=sizes, strides=steps, dilations=rates, padding=padding.upper())
    found = ops.transpose(found, (0, rank + 1, *range(1, rank + 1))) if first else found
    return ops.squeeze(found, axis=0) if alone else found


def extract_patches(
    images: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Cut images into patches, laid out in the channels.

    Args:
        images: ``(B, H, W, C)`` or ``(H, W, C)``, or channels first; volumes for three sizes.
        size: Height and width of a patch, or depth, height and width.
        strides: Distances between patches; None is `size`.
        dilation_rate: Distances between the pixels of a patch.
        padding: "valid" or "same" (zeros).
        data_format: "channels_last" or "channels_first"; None is the configured one.

    Returns:
        ``(B, rows, columns, h w C)`` in the same layout and dtype.

    Raises:
        TypeError: `size` is no int or tuple.
        ValueError: `size` has not 2 or 3 entries, or the rank does not fit.

    Example:
        >>> tf.keras.ops.image.extract_patches(tf.ones((1, 4, 4, 3)), (2, 2)).shape
        TensorShape([1, 2, 2, 12])
    """
    if not isinstance(size, int | tuple | list):
        raise TypeError(
            f"extract_patches: `size` must be an int or a tuple; got {size!r} "
            f"({type(size).__name__})."
        )
    rank = 2 if isinstance(size, int) else len(size)
    if rank not in (2, 3):
        raise ValueError(f"extract_patches: `size` must have 2 or 3 entries; got {size!r}.")
    first = _is_first(data_format)
    return _patches("extract_patches", images, size, strides, dilation_rate, padding, first, rank)


def extract_patches_3d(
    volumes: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Cut volumes into patches, laid out in the channels.

    Args:
        volumes: ``(B, D, H, W, C)`` or ``(D, H, W, C)``, or channels first.
        size: Depth, height and width of a patch.
        strides: Distances between patches; None is `size`.
        dilation_rate: Distances between the entries of a patch.
        padding: "valid" or "same" (zeros).
        data_format: "channels_last" or "channels_first"; None is the configured one.

    Returns:
        ``(B, layers, rows, columns, d h w C)`` in the same layout and dtype.

    Raises:
        TypeError: `size` is neither a number nor three of them.
        ValueError: the rank or `strides` does not fit.

    Example:
        >>> tf.keras.ops.image.extract_patches_3d(tf.ones((1, 4, 4, 4, 2)), 2).shape
        TensorShape([1, 2, 2, 2, 16])
    """
    first, who = _is_first(data_format), "extract_patches_3d"
    if not isinstance(size, int) and not (isinstance(size, list | tuple) and len(size) == 3):
        raise TypeError(f"{who}: `size` must be an int or three of them; got {size!r}.")
    if isinstance(strides, list | tuple) and len(strides) != 3:
        raise ValueError(f"{who}: `strides` must be an int or three of them; got {strides!r}.")
    return _patches(who, volumes, size, strides, dilation_rate, padding, first, 3)


# ---- measures ---------------------------------------------------------------------------------


def sobel_edges(images: Any, data_format: str | None = None) -> Tensor:
    """Return the derivatives of images along both axes.

    Args:
        images: Floating point, ``(B, H, W, C)``, or channels first.
        data_format: "channels_last" or "channels_first"; None is the configured one.

    Returns:
        ``(*images.shape, 2)``: along height and width.

    Example:
        >>> tf.keras.ops.image.sobel_edges(tf.ones((1, 4, 4, 3))).shape
        TensorShape([1, 4, 4, 3, 2])
    """
    is_first = _is_first(data_format)
    edges = kernels.sobel_edges(_channels_last(convert_to_tensor(images), is_first))
    return ops.transpose(edges, (0, 3, 1, 2, 4)) if is_first else edges


def ssim(
    image1: Any,
    image2: Any,
    max_val: float = 1.0,
    filter_size: int = 11,
    filter_sigma: float = 1.5,
    k1: float = 0.01,
    k2: float = 0.03,
    data_format: str | None = None,
) -> Tensor:
    """Return how similar images look, 1 for equal ones.

    Args:
        image1: ``(B, H, W, C)`` or ``(H, W, C)``, or channels first.
        image2: The same shape and dtype.
        max_val: The greatest value that pixels can have.
        filter_size: Side of the window that is compared.
        filter_sigma: Width of the Gaussian that weights it.
        k1: Steadies the comparison of brightness.
        k2: Steadies that of contrast.
        data_format: "channels_last" or "channels_first"; None is the configured one.

    Returns:
        ``(B,)`` or a scalar, the dtype of `image1`.

    Raises:
        ValueError: an image has another rank.

    Example:
        >>> x = tf.ones((1, 16, 16, 1))
        >>> tf.keras.ops.image.ssim(x, x).numpy()
        array([1.], dtype=float32)

    Reference: Wang et al. 2004, "Image quality assessment", eq. 13.
    """
    is_first = _is_first(data_format)
    pair = [_channels_last(_images("ssim", x), is_first) for x in (image1, image2)]
    kind = result_type(pair[0].dtype, float)
    first, second = (ops.cast(x, kind) for x in pair)
    found = kernels.ssim(first, second, max_val, filter_size, filter_sigma, k1, k2)
    return ops.cast(found, pair[0].dtype)
