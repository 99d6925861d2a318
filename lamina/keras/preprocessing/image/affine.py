"""One image, moved: rotated, shifted, sheared, zoomed, brighter or of other colors.

Images are arrays of rank 3; which axis is which, the arguments say. The `random_` functions draw
from NumPy's global generator (`np.random.seed`).
"""

from typing import Any

import numpy as np

from lamina.keras.utils.images import array_to_img, img_to_array, pillow

__all__ = [
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
]


def apply_affine_transform(
    x: Any,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """Return an image after a rotation, a shift, a shear and a zoom around its middle.

    Args:
        x: The image.
        theta: The rotation, in degrees.
        tx: The shift along the rows' axis, in pixels.
        ty: The shift along the columns' axis, in pixels.
        shear: The shear, in degrees.
        zx: The zoom along the rows' axis; more than 1 shows more.
        zy: The zoom along the columns' axis.
        row_axis: The axis of rows.
        col_axis: The axis of columns.
        channel_axis: The axis of channels: 0 or 2.
        fill_mode: What stands outside: "nearest", "constant", "reflect" or "wrap".
        cval: The value outside for "constant".
        order: The order of the splines between pixels, in [0, 5].

    Raises:
        ValueError: the axes are not 0, 1 and 2 in some order, or the rank is not 3.

    Example:
        >>> x = np.arange(4.0).reshape(2, 2, 1)
        >>> tf.keras.preprocessing.image.apply_affine_transform(
        ...     x, theta=90, row_axis=0, col_axis=1, channel_axis=2
        ... )[..., 0].round(3)
        array([[1., 3.],
               [0., 2.]])
    """
    from scipy.ndimage import affine_transform

    if sorted((row_axis, col_axis, channel_axis)) != [0, 1, 2] or channel_axis == 1:
        raise ValueError(
            f"apply_affine_transform: the axes must be 0, 1 and 2, and that of channels 0 or 2; "
            f"got row_axis={row_axis}, col_axis={col_axis}, channel_axis={channel_axis}."
        )
    if x.ndim != 3:
        raise ValueError(f"apply_affine_transform: `x` must have rank 3; got shape {x.shape}.")
    matrix = _matrix(theta, tx, ty, shear, zx, zy)
    if matrix is None:
        return x
    matrix = _around_middle(matrix, x.shape[row_axis], x.shape[col_axis])
    if col_axis > row_axis:  # the matrices are of (x, y), arrays of (row, column)
        matrix[:, [0, 1]] = matrix[:, [1, 0]]
        matrix[[0, 1]] = matrix[[1, 0]]
    offset: Any = matrix[:2, 2]
    planes = [
        affine_transform(plane, matrix[:2, :2], offset, order=order, mode=fill_mode, cval=cval)
        for plane in np.moveaxis(x, channel_axis, 0)
    ]
    return np.moveaxis(np.stack(planes), 0, channel_axis)


def _matrix(
    theta: float, tx: float, ty: float, shear: float, zx: float, zy: float
) -> np.ndarray | None:
    """Return the matrix of the parts that change something, or None."""
    parts = []
    if theta != 0:
        c, s = np.cos(np.deg2rad(theta)), np.sin(np.deg2rad(theta))
        parts.append([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    if tx != 0 or ty != 0:
        parts.append([[1, 0, tx], [0, 1, ty], [0, 0, 1]])
    if shear != 0:
        c, s = np.cos(np.deg2rad(shear)), np.sin(np.deg2rad(shear))
        parts.append([[1, -s, 0], [0, c, 0], [0, 0, 1]])
    if zx != 1 or zy != 1:
        parts.append([[zx, 0, 0], [0, zy, 0], [0, 0, 1]])
    found = None
    for part in parts:
        found = np.array(part) if found is None else found @ np.array(part)
    return found


def _around_middle(matrix: np.ndarray, height: int, width: int) -> np.ndarray:
    x, y = height / 2 - 0.5, width / 2 - 0.5
    there = np.array([[1, 0, x], [0, 1, y], [0, 0, 1]])
    back = np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1]])
    return there @ matrix @ back


def random_rotation(
    x: Any,
    rg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """Return an image rotated by up to `rg` degrees; see `apply_affine_transform`."""
    theta = np.random.uniform(-rg, rg)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(
        x, theta, 0, 0, 0, 1, 1, *axes, fill_mode, cval, interpolation_order
    )


def random_shift(
    x: Any,
    wrg: float,
    hrg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """Return an image shifted by up to the shares `wrg` of its width and `hrg` of its height."""
    tx = np.random.uniform(-hrg, hrg) * x.shape[row_axis]
    ty = np.random.uniform(-wrg, wrg) * x.shape[col_axis]
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(
        x, 0, tx, ty, 0, 1, 1, *axes, fill_mode, cval, interpolation_order
    )


def random_shear(
    x: Any,
    intensity: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """Return an image sheared by up to `intensity` degrees; see `apply_affine_transform`."""
    shear = np.random.uniform(-intensity, intensity)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(
        x, 0, 0, 0, shear, 1, 1, *axes, fill_mode, cval, interpolation_order
    )


def random_zoom(
    x: Any,
    zoom_range: Any,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """Return an image zoomed by two factors out of `zoom_range`, (least, most).

    Raises:
        ValueError: `zoom_range` is no pair.
    """
    if len(zoom_range) != 2:
        raise ValueError(f"random_zoom: `zoom_range` must be (least, most); got {zoom_range!r}.")
    zx, zy = zoom_factors(zoom_range)
    axes = (row_axis, col_axis, channel_axis)
    return apply_affine_transform(
        x, 0, 0, 0, 0, zx, zy, *axes, fill_mode, cval, interpolation_order
    )


def zoom_factors(zoom_range: Any) -> Any:
    """Return two random factors, or 1 and 1 where the range leaves no choice."""
    if zoom_range[0] == 1 and zoom_range[1] == 1:
        return 1, 1
    return np.random.uniform(zoom_range[0], zoom_range[1], 2)


def apply_channel_shift(x: Any, intensity: float, channel_axis: int = 0) -> np.ndarray:
    """Return an image with `intensity` added, within the range of its values.

    Args:
        x: The image.
        intensity: What is added.
        channel_axis: The axis of channels.
    """
    return np.clip(x + intensity, np.min(x), np.max(x))


def random_channel_shift(x: Any, intensity_range: float, channel_axis: int = 0) -> np.ndarray:
    """Return an image with up to `intensity_range` added or taken; see `apply_channel_shift`."""
    return apply_channel_shift(x, np.random.uniform(-intensity_range, intensity_range))


def apply_brightness_shift(x: Any, brightness: float, scale: bool = True) -> np.ndarray:
    """Return an image of another brightness, in the default data format.

    Args:
        x: The image, in the default data format.
        brightness: The factor; 0 is black.
        scale: Whether the values are scaled to 0 … 255 first, and stay so.

    Raises:
        ImportError: Pillow is not installed.
    """
    pillow("apply_brightness_shift")
    from PIL import ImageEnhance

    low, high = np.min(x), np.max(x)
    is_outside = bool(low < 0 or high > 255)
    img = array_to_img(x, scale=is_outside or scale)
    found = img_to_array(ImageEnhance.Brightness(img).enhance(brightness))
    return found / 255 * (high - low) + low if is_outside and not scale else found


def random_brightness(x: Any, brightness_range: Any, scale: bool = True) -> np.ndarray:
    """Return an image of a brightness out of `brightness_range`, (least, most).

    Raises:
        ValueError: `brightness_range` is no pair.
    """
    if len(brightness_range) != 2:
        raise ValueError(
            f"random_brightness: `brightness_range` must be (least, most); got "
            f"{brightness_range!r}."
        )
    return apply_brightness_shift(x, np.random.uniform(*brightness_range), scale)
