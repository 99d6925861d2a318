"""Layers that make spatial axes longer, by repeating or interpolating."""

from collections.abc import Sequence
from typing import Any

from lamina import ops
from lamina.engine import Tensor
from lamina.keras.core import InputSpec, checks
from lamina.keras.layers.spatial import Spatial
from lamina.ops.image import resize

__all__ = ["UpSampling1D", "UpSampling2D", "UpSampling3D"]


class UpSampling(Spatial):
    """Repeat each value along the spatial axes.

    Args:
        size: How often: an int, or one for each spatial axis.
        data_format: "channels_last" or "channels_first"; None takes
            ``tf.keras.config.image_data_format()``.
        **kwargs: See `Layer`.

    Call:
        inputs: any dtype, ``(B, *space, C)``, or ``(B, C, *space)``.

    Returns:
        The same layout and dtype; each spatial axis longer by its factor.

    Raises:
        ValueError: `size` is not positive or of another length.
    """

    per_axis = ("size",)

    def __init__(self, size: int | Sequence[int] = 2, data_format: str | None = None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.size = self.per_axis_sizes("size", size)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Tensor) -> Tensor:
        for axis, factor in zip(self.spatial_axes, self.size, strict=True):
            if factor > 1:
                inputs = ops.repeat(inputs, factor, axis=axis)
        return inputs


class UpSampling1D(UpSampling):
    """Repeat each step of a sequence.

    Args:
        size: How often.
        **kwargs: See `Layer`.

    Call:
        inputs: any dtype, ``(B, T, C)``.

    Returns:
        ``(B, T * size, C)``, same dtype.

    Raises:
        ValueError: `size` is not positive.

    Example:
        >>> x = tf.reshape(tf.range(2), (1, 2, 1))
        >>> tf.keras.layers.UpSampling1D(2)(x).numpy().ravel()
        array([0, 0, 1, 1], dtype=int32)
    """

    rank = 1

    def __init__(self, size: int = 2, **kwargs):
        super().__init__(size, "channels_last", **kwargs)
        self.size: Any = self.size[0]  # as in Keras' config

    def call(self, inputs: Tensor) -> Tensor:
        return ops.repeat(inputs, self.size, axis=1)


class UpSampling2D(UpSampling):
    """Make images larger, by repeating pixels or by interpolation.

    Args:
        size: By how much: an int, or one for rows and one for columns.
        data_format: "channels_last" or "channels_first"; None takes
            ``tf.keras.config.image_data_format()``.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        **kwargs: See `Layer`.

    Call:
        inputs: numbers, ``(B, H, W, C)``, or ``(B, C, H, W)``; sizes must be known to
            interpolate.

    Returns:
        The same layout and dtype, ``H * size[0]`` rows and ``W * size[1]`` columns.

    Raises:
        ValueError: an argument is out of range.

    Example:
        >>> tf.keras.layers.UpSampling2D((2, 3))(tf.ones((1, 4, 4, 3))).shape
        TensorShape([1, 8, 12, 3])
    """

    rank = 2

    def __init__(
        self,
        size: int | Sequence[int] = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs,
    ):
        super().__init__(size, data_format, **kwargs)
        known = ("bicubic", "bilinear", "lanczos3", "lanczos5", "nearest")
        self.interpolation = checks.choice(self, "interpolation", interpolation.lower(), known)

    def call(self, inputs: Tensor) -> Tensor:
        if self.interpolation == "nearest":
            return super().call(inputs)
        first = self.data_format == "channels_first"
        images = ops.transpose(inputs, (0, 2, 3, 1)) if first else inputs
        sizes = ops.shape(images)
        target = [sizes[1] * self.size[0], sizes[2] * self.size[1]]
        images = ops.cast(resize(images, target, self.interpolation), inputs.dtype)
        return ops.transpose(images, (0, 3, 1, 2)) if first else images


class UpSampling3D(UpSampling):
    """Repeat each value of a volume.

    Example:
        >>> tf.keras.layers.UpSampling3D()(tf.ones((1, 2, 2, 2, 3))).shape
        TensorShape([1, 4, 4, 4, 3])
    """

    rank = 3
