"""tf.keras.ops.image: blurs, and images read at other places."""

from typing import Any

from lamina import ops
from lamina.engine import Tensor, convert_to_tensor
from lamina.keras import random
from lamina.keras.core import graph_function
from lamina.keras.policy import standardize_data_format
from lamina.ops import image as kernels

__all__ = [
    "affine_transform",
    "elastic_transform",
    "gaussian_blur",
    "map_coordinates",
    "perspective_transform",
    "scale_and_translate",
]

_INTERPOLATIONS = ("nearest", "bilinear")  # by order
_FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
_METHODS = {
    "linear": "linear",
    "bilinear": "linear",
    "trilinear": "linear",
    "triangle": "linear",
    "cubic": "cubic",
    "bicubic": "cubic",
    "tricubic": "cubic",
    "lanczos3": "lanczos3",
    "lanczos5": "lanczos5",
}


def _check_choice(who: str, what: str, value: Any, choices: Any) -> None:
    if value not in choices:
        raise ValueError(f"{who}: `{what}` must be one of {tuple(choices)}; got {value!r}.")


def _batch(who: str, images: Any, is_first: bool) -> tuple[Tensor, bool]:
    """Return images as ``(B, H, W, C)``, and whether there was only one."""
    x = convert_to_tensor(images)
    if x.ndim not in (3, 4):
        raise ValueError(
            f"{who}: the images must have rank 3, or 4 for a batch; got shape {tuple(x.shape)}."
        )
    alone = x.ndim == 3
    x = ops.expand_dims(x, 0) if alone else x
    return ops.transpose(x, (0, 2, 3, 1)) if is_first else x, alone


def _back(x: Tensor, is_first: bool, alone: bool) -> Tensor:
    x = ops.transpose(x, (0, 3, 1, 2)) if is_first else x
    return ops.squeeze(x, axis=0) if alone else x


def affine_transform(
    images: Any,
    transform: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Read images at places that a projective transform of the output's places gives.

    With ``k = c0 x + c1 y + 1``, the output at (x, y) is the input at
    ``((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k)``.

    Args:
        images: ``(B, H, W, C)`` or ``(H, W, C)``, or channels first.
        transform: ``(B, 8)`` or ``(8,)``: ``a0 a1 a2 b0 b1 b2 c0 c1``.
        interpolation: "bilinear" or "nearest".
        fill_mode: What stands outside: "constant", "nearest", "wrap" or "reflect".
        fill_value: The constant.
        data_format: "channels_last" or "channels_first"; None is the configured one.

    Returns:
        Shape and dtype of `images`.

    Raises:
        ValueError: an argument is unknown, or a rank does not fit.

    Example:
        >>> x = tf.reshape(tf.range(3.0), (1, 3, 1))
        >>> shift = tf.constant([1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0])
        >>> tf.keras.ops.image.affine_transform(x, shift).numpy().ravel()
        array([1., 2., 0.], dtype=float32)
    """
    who = "affine_transform"
    _check_choice(who, "interpolation", interpolation, _INTERPOLATIONS)
    _check_choice(who, "fill_mode", fill_mode, ("constant", "nearest", "wrap", "reflect"))
    is_first = standardize_data_format(data_format) == "channels_first"
    x, alone = _batch(who, images, is_first)
    transform = convert_to_tensor(transform)
    if transform.ndim not in (1, 2):
        raise ValueError(
            f"{who}: `transform` must have rank 1, or 2 for a batch; got shape "
            f"{tuple(transform.shape)}."
        )
    found = kernels.projective_transform(
        x,
        transform if transform.ndim == 2 else ops.expand_dims(transform, 0),
        interpolation=interpolation,
        fill_mode=fill_mode,
        fill_value=fill_value,
    )
    return _back(found, is_first, alone)


def _homography(start: Tensor, end: Tensor) -> Tensor:
    """Return the transform that takes the end points to the start points: ``(B, 8)``."""
    x, y = end[..., 0], end[..., 1]
    one, none = ops.ones_like(x), ops.zeros_like(x)
    zeros, places = [none] * 3, [x, y, one]
    rows = [
        ops.stack([*parts, -u * x, -u * y], axis=-1)
        for parts, u in (([*places, *zeros], start[..., 0]), ([*zeros, *places], start[..., 1]))
    ]
    matrix = ops.concat(rows, axis=-2)  # (B, 8, 8)
    sides = ops.concat([start[..., 0], start[..., 1]], axis=-1)
    return ops.squeeze(ops.solve(matrix, ops.expand_dims(sides, -1)), axis=-1)


def perspective_transform(
    images: Any,
    start_points: Any,
    end_points: Any,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Move four points of images to four others, and what is between them in perspective.

    Args:
        images: ``(B, H, W, C)`` or ``(H, W, C)``, or channels first.
        start_points: ``(B, 4, 2)`` or ``(4, 2)``: (x, y) of the corners in the input.
        end_points: The same shape: where they stand in the output.
        interpolation: "bilinear" or "nearest".
        fill_value: What stands outside.
        data_format: "channels_last" or "channels_first"; None is the configured one.

    Returns:
        Shape and dtype of `images`.

    Raises:
        ValueError: an argument is unknown, or a shape does not fit.

    Example:
        >>> corners = tf.constant([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0], [3.0, 3.0]])
        >>> x = tf.random.uniform((4, 4, 1))
        >>> y = tf.keras.ops.image.perspective_transform(x, corners, corners)
        >>> float(tf.reduce_max(tf.abs(x - y))) < 1e-4
        True
    """
    who = "perspective_transform"
    _check_choice(who, "interpolation", interpolation, _INTERPOLATIONS)
    is_first = standardize_data_format(data_format) == "channels_first"
    x, alone = _batch(who, images, is_first)
    start, end = (ops.cast(p, "float32") for p in (start_points, end_points))
    if start.shape != end.shape or start.ndim not in (2, 3) or tuple(start.shape)[-2:] != (4, 2):
        raise ValueError(
            f"{who}: `start_points` and `end_points` must both have shape (4, 2), or (B, 4, 2) "
            f"for a batch; got {tuple(start.shape)} and {tuple(end.shape)}."
        )
    if start.ndim == 2:
        start, end = ops.expand_dims(start, 0), ops.expand_dims(end, 0)
    found = kernels.projective_transform(
        x, _homography(start, end), interpolation=interpolation, fill_value=fill_value
    )
    return _back(found, is_first, alone)


def map_coordinates(
    inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Tensor:
    """Read an array at coordinates.

    Args:
        inputs: An array of N axes.
        coordinates: ``(N, *shape)``, one coordinate for each axis.
        order: 0, the nearest entry, or 1, linear interpolation.
        fill_mode: What stands outside: "constant", "nearest", "wrap", "mirror" or "reflect".
        fill_value: The constant.

    Returns:
        ``shape``, the dtype of `inputs`.

    Raises:
        ValueError: the coordinates do not fit, or `fill_mode` is unknown.
        NotImplementedError: `order` is greater than 1.

    Example:
        >>> x = tf.constant([0.0, 10.0, 20.0])
        >>> tf.keras.ops.image.map_coordinates(x, [[0.5, 1.25]], order=1).numpy()
        array([ 5. , 12.5], dtype=float32)
    """
    _check_choice("map_coordinates", "fill_mode", fill_mode, _FILL_MODES)
    if order not in (0, 1):
        raise NotImplementedError(f"map_coordinates: `order` must be 0 or 1; got {order}.")
    return kernels.map_coordinates(
        inputs, coordinates, order=order, fill_mode=fill_mode, fill_value=fill_value
    )


def _gaussian(size: int, sigma: Any, dtype: Any) -> Tensor:
    places = ops.cast(ops.range(size), dtype) - (size - 1) / 2
    weights = ops.exp(-0.5 * ops.square(places / ops.cast(sigma, dtype)))
    return weights / ops.reduce_sum(weights)


def gaussian_blur(
    images: Any,
    kernel_size: Any = (3, 3),
    sigma: Any = (1.0, 1.0),
    data_format: str | None = None,
) -> Tensor:
    """Blur images with a Gaussian; outside of them is 0.

    Args:
        images: Floating point, ``(B, H, W, C)`` or ``(H, W, C)``, or channels first.
        kernel_size: Height and width of the window.
        sigma: Widths of the Gaussian, in pixels.
        data_format: "channels_last" or "channels_first"; None is the first.

    Returns:
        Shape and dtype of `images`.

    Raises:
        ValueError: the images have another rank.

    Example:
        >>> tf.keras.ops.image.gaussian_blur(tf.ones((5, 5, 1))).numpy()[2, 2]
        array([1.], dtype=float32)
    """
    is_first = data_format == "channels_first"
    x, alone = _batch("gaussian_blur", images, is_first)
    height, width = (int(n) for n in kernel_size)
    # As Keras lays it out: entry 0 of both arguments belongs to x, and the rows are cut anew.
    across, down = (_gaussian(n, s, x.dtype) for n, s in zip((height, width), sigma, strict=True))
    kernel = ops.reshape(
        ops.expand_dims(down, 1) * ops.expand_dims(across, 0), (height, width, 1, 1)
    )
    found = ops.depthwise_conv(x, ops.tile(kernel, (1, 1, x.shape[-1], 1)), padding="same")
    return _back(found, is_first, alone)


@graph_function
def elastic_transform(
    images: Any,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Tensor:
    """Move the pixels of images by a smooth random field.

    Args:
        images: Floating point, ``(B, H, W, C)`` or ``(H, W, C)``, or channels first.
        alpha: How far they move.
        sigma: How smooth the field is.
        interpolation: "bilinear" or "nearest".
        fill_mode: What stands outside; see `map_coordinates`.
        fill_value: The constant.
        seed: An int or SeedGenerator; None draws from the global generator.
        data_format: "channels_last" or "channels_first"; None is the configured one.

    Returns:
        Shape and dtype of `images`.

    Raises:
        ValueError: an argument is unknown, or the images have another rank.

    Example:
        >>> tf.keras.ops.image.elastic_transform(tf.ones((1, 8, 8, 3)), seed=1).shape
        TensorShape([1, 8, 8, 3])

    Reference: Simard et al. 2003, "Best practices for convolutional neural networks".
    """
    who = "elastic_transform"
    _check_choice(who, "interpolation", interpolation, _INTERPOLATIONS)
    _check_choice(who, "fill_mode", fill_mode, _FILL_MODES)
    is_first = standardize_data_format(data_format) == "channels_first"
    x, alone = _batch(who, images, is_first)
    batch, height, width = tuple(x.shape)[:3]
    window = 6 * int(sigma) | 1
    field = random.normal(
        (1 if batch is None else batch, height, width, 2), dtype=x.dtype, seed=seed
    )
    moved = alpha * gaussian_blur(field * sigma, (window, window), (sigma, sigma))
    rows = ops.cast(ops.reshape(ops.range(height), (height, 1)), x.dtype) + moved[..., 0]
    columns = ops.cast(ops.range(width), x.dtype) + moved[..., 1]
    found = kernels.warp(
        x,
        rows,
        columns,
        order=_INTERPOLATIONS.index(interpolation),
        fill_mode=fill_mode,
        fill_value=fill_value,
    )
    return _back(found, is_first, alone)


def scale_and_translate(
    images: Any,
    output_shape: Any,
    scale: Any,
    translation: Any,
    spatial_dims: Any,
    method: str,
    antialias: bool = True,
) -> Tensor:
    """Resample axes of images: entry x moves to ``scale * x + translation``.

    Args:
        images: An array.
        output_shape: The shape of the result.
        scale: ``(K,)``, the factor of each axis.
        translation: ``(K,)``, the shift of each axis, in entries of the output.
        spatial_dims: The K axes.
        method: "linear", "cubic", "lanczos3" or "lanczos5"; "bilinear" and the like mean these.
        antialias: Whether to widen the kernel when making axes smaller.

    Returns:
        `output_shape`, the dtype of `images`.

    Raises:
        ValueError: `method` is unknown.

    Example:
        >>> x = tf.constant([1.0, 1.0, 3.0, 3.0])
        >>> tf.keras.ops.image.scale_and_translate(x, (8,), [2.0], [0.0], (0,), "linear").shape
        TensorShape([8])
    """
    _check_choice("scale_and_translate", "method", method, _METHODS)
    return kernels.scale_and_translate(
        images,
        scale,
        translation,
        output_shape=tuple(output_shape),
        spatial_dims=tuple(spatial_dims),
        method=_METHODS[method],
        antialias=antialias,
    )
