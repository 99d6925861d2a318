"""Images read at computed places: projective transforms, coordinates, scaling."""

import functools
import itertools
import operator

import jax
import jax.numpy as jnp
from jax import lax

from lamina.engine import op

__all__ = ["map_coordinates", "projective_transform", "scale_and_translate", "warp"]


# ---- projective transforms ----------------------------------------------------------------------


def _reflected(place, size):
    """Return places outside reflected at the border: abcd → dcba|abcd|dcba."""
    if size <= 1:
        return jnp.zeros_like(place)
    both = 2 * size
    below = jnp.where(place < -both, both * jnp.trunc(-place / both) + place, place)
    below = jnp.where(place < -size, below + both, -below - 1)
    above = place - both * jnp.trunc(place / both)
    above = jnp.where(above >= size, both - above - 1, above)
    return jnp.where(place < 0, below, jnp.where(place > size - 1, above, place))


def _wrapped(place, size):
    """Return places outside as in copies of the image side by side: abcd|abcd|abcd."""
    if size <= 1:
        return jnp.zeros_like(place)
    below = place + size * (jnp.trunc(-place / (size - 1)) + 1)
    above = place - size * jnp.trunc(place / (size - 1))
    return jnp.where(place < 0, below, jnp.where(place > size - 1, above, place))


def _inside(place, size, fill_mode):
    if fill_mode == "constant":
        return place
    if fill_mode == "reflect":
        place = _reflected(place, size)
    elif fill_mode == "wrap":
        place = _wrapped(place, size)
    return jnp.clip(place, 0, size - 1)


def _read(image, row, column, fill):
    """Return ``image[row, column]``, the fill value outside."""
    height, width = image.shape[:2]
    good = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    found = image[jnp.clip(row, 0, height - 1), jnp.clip(column, 0, width - 1)]
    return jnp.where(good[..., None], found, fill)


def _half_away(x):
    return jnp.trunc(x + jnp.where(x < 0, -0.5, 0.5))


def _projected(image, transform, size, interpolation, fill_mode, fill_value):
    y, x = (lax.broadcasted_iota(jnp.float32, size, i) for i in (0, 1))
    a = transform
    depth = a[6] * x + a[7] * y + 1
    column = _inside((a[0] * x + a[1] * y + a[2]) / depth, image.shape[1], fill_mode)
    row = _inside((a[3] * x + a[4] * y + a[5]) / depth, image.shape[0], fill_mode)
    wide = jnp.promote_types(image.dtype, jnp.float32)
    fill = jnp.asarray(fill_value, wide)
    values = image.astype(wide)
    if interpolation == "nearest":
        near_row, near_column = (_half_away(c).astype(jnp.int32) for c in (row, column))
        found = _read(values, near_row, near_column, fill)
    else:
        top, left = jnp.floor(row), jnp.floor(column)
        found = jnp.zeros((), wide)
        for i, j in itertools.product((0, 1), (0, 1)):
            weight = (row - top if i else top + 1 - row) * (
                column - left if j else left + 1 - column
            )
            at = _read(values, (top + i).astype(jnp.int32), (left + j).astype(jnp.int32), fill)
            found = found + weight[..., None] * at
    blank = jnp.broadcast_to(fill, found.shape)
    found = jnp.where((depth == 0)[..., None], blank, found)
    return found.astype(image.dtype)


@op(mixed=True)
def projective_transform(
    images, transforms, *, interpolation="bilinear", fill_mode="constant", fill_value=0.0
):
    """Read images at places that a projective transform of the output's places gives.

    The output at ``(x, y)`` is the input at ``((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k)``,
    where ``k = c0 x + c1 y + 1``.

    Args:
        images: ``(B, H, W, C)``.
        transforms: ``(B, 8)`` or ``(1, 8)``: ``a0 a1 a2 b0 b1 b2 c0 c1``.
        interpolation: "bilinear" or "nearest".
        fill_mode: What stands outside: "constant", "nearest", "reflect" or "wrap".
        fill_value: The constant.

    Returns:
        Shape and dtype of `images`.

    Example:
        >>> from lamina import ops
        >>> x = tf.reshape(tf.range(4.0), (1, 1, 4, 1))
        >>> shift = [[1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0]]
        >>> ops.image.projective_transform(x, shift).numpy().ravel()
        array([1., 2., 3., 0.], dtype=float32)
    """
    transforms = jnp.broadcast_to(
        transforms.astype(jnp.float32), (images.shape[0], transforms.shape[-1])
    )
    each = functools.partial(
        _projected,
        size=images.shape[1:3],
        interpolation=interpolation,
        fill_mode=fill_mode,
        fill_value=fill_value,
    )
    return jax.vmap(each)(images, transforms)


# ---- coordinates --------------------------------------------------------------------------------


def _place(index, size, fill_mode):
    """Return (an index inside, whether it was inside), for each mode of Keras."""
    safe = jnp.clip(index, 0, size - 1)
    if fill_mode == "constant":
        return safe, (index >= 0) & (index < size)
    if fill_mode == "wrap":
        safe = jnp.mod(index, size)
    elif fill_mode in ("mirror", "reflect"):
        safe = jnp.mod(jnp.abs(index), 2 * size)
        over = safe >= size
        safe = jnp.where(over, 2 * size - safe, safe)
        if fill_mode == "reflect":
            safe = jnp.where(over, safe - 1, safe)
        safe = jnp.clip(safe, 0, size - 1)
    return safe, None


def _neighbours(coordinate, order):
    """Return (index, weight) of the entries that a coordinate is made of."""
    if order == 0:
        whole = jnp.issubdtype(coordinate.dtype, jnp.integer)
        index = coordinate if whole else jnp.round(coordinate)
        return [(index.astype(jnp.int32), jnp.ones_like(coordinate))]
    lower = jnp.floor(coordinate)
    upper = coordinate - lower
    index = lower.astype(jnp.int32)
    return [(index, 1 - upper), (index + 1, upper)]


def _read_at(inputs, coordinates, order, fill_mode, fill_value):
    axes = []
    for coordinate, size in zip(coordinates, inputs.shape, strict=True):
        nodes = []
        for index, weight in _neighbours(coordinate, order):
            nodes.append((*_place(index, size, fill_mode), weight))
        axes.append(nodes)
    parts = []
    for corner in itertools.product(*axes):
        places, valid, weights = zip(*corner, strict=True)
        found = inputs[places].astype(weights[0].dtype)
        if fill_mode == "constant":
            good = functools.reduce(operator.and_, valid)
            found = jnp.where(good, found, jnp.asarray(fill_value, found.dtype))
        parts.append(functools.reduce(operator.mul, weights) * found)
    total = functools.reduce(operator.add, parts)
    if jnp.issubdtype(inputs.dtype, jnp.integer):
        total = jnp.round(total)
    return total.astype(inputs.dtype)


def _check_coordinates(inputs, coordinates):
    if coordinates.ndim < 2 or coordinates.shape[0] != inputs.ndim:
        raise ValueError(
            f"`coordinates` must have rank 2 or more and one row for each of the {inputs.ndim} "
            f"axes of `inputs` {inputs.shape}; got shape {coordinates.shape}.\n"
            f"  Fix: stack one array of coordinates for each axis."
        )


@op(mixed=True)
def map_coordinates(inputs, coordinates, *, order=1, fill_mode="constant", fill_value=0.0):
    """Read an array at coordinates.

    Args:
        inputs: An array of N axes.
        coordinates: ``(N, *shape)``, one coordinate for each axis.
        order: 0, the nearest entry, or 1, linear interpolation.
        fill_mode: What stands outside: "constant", "nearest", "mirror", "reflect" or "wrap".
        fill_value: The constant.

    Returns:
        ``shape``, the dtype of `inputs`; whole numbers are rounded.

    Raises:
        ValueError: the coordinates do not fit the axes.

    Example:
        >>> from lamina import ops
        >>> ops.image.map_coordinates([0.0, 10.0, 20.0], [[0.5, 1.25]]).numpy()
        array([ 5. , 12.5], dtype=float32)
    """
    _check_coordinates(inputs, coordinates)
    return _read_at(inputs, coordinates, order, fill_mode, fill_value)


@op(mixed=True)
def warp(images, rows, columns, *, order=1, fill_mode="constant", fill_value=0.0):
    """Read each image at places of its own, all channels at the same.

    Args:
        images: ``(B, H, W, C)``.
        rows: ``(B, H', W')``, the row to read for each pixel.
        columns: ``(B, H', W')``, the column.
        order: As in `map_coordinates`.
        fill_mode: Likewise.
        fill_value: Likewise.

    Returns:
        ``(B, H', W', C)``, the dtype of `images`.

    Example:
        >>> from lamina import ops
        >>> x = tf.reshape(tf.range(2.0), (1, 1, 2, 1))
        >>> ops.image.warp(x, [[[0.0]]], [[[0.5]]]).numpy().ravel()
        array([0.5], dtype=float32)
    """

    def channel(plane, row, column):
        return _read_at(plane, (row, column), order, fill_mode, fill_value)

    each = jax.vmap(channel, in_axes=(-1, None, None), out_axes=-1)
    return jax.vmap(each)(images, rows, columns)


# ---- scaling ------------------------------------------------------------------------------------


@op(mixed=True)
def scale_and_translate(
    images, scale, translation, *, output_shape, spatial_dims, method, antialias=True
):
    """Resample axes of images: entry x moves to ``scale * x + translation``.

    Args:
        images: An array.
        scale: ``(K,)``, the factor of each axis.
        translation: ``(K,)``, the shift of each axis, in entries of the output.
        output_shape: The shape of the result.
        spatial_dims: The K axes.
        method: "linear", "cubic", "lanczos3" or "lanczos5".
        antialias: Whether to widen the kernel when making axes smaller.

    Returns:
        ``output_shape``, the dtype of `images`; whole numbers are rounded.

    Example:
        >>> from lamina import ops
        >>> how = dict(output_shape=[2], spatial_dims=[0], method="linear")
        >>> ops.image.scale_and_translate([1.0, 1.0, 1.0, 1.0], [0.5], [0.0], **how).shape
        TensorShape([2])
    """
    whole = not jnp.issubdtype(images.dtype, jnp.inexact)
    values = images.astype(jnp.float32) if whole else images
    kind = jnp.promote_types(scale.dtype, translation.dtype)
    kind = kind if jnp.issubdtype(kind, jnp.inexact) else jnp.float32
    found = jax.image.scale_and_translate(
        values,
        output_shape,
        tuple(d % images.ndim for d in spatial_dims),
        scale.astype(kind),
        translation.astype(kind),
        method,
        antialias=antialias,
    )
    if whole:
        found = jnp.clip(jnp.round(found), jnp.min(values), jnp.max(values))
    return found.astype(images.dtype)
