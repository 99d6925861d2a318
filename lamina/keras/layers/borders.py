"""Layers that add or cut off borders of the spatial axes."""

from collections.abc import Sequence
from typing import Any

from lamina import ops
from lamina.engine import Tensor
from lamina.keras.core import InputSpec, checks
from lamina.keras.layers.spatial import Spatial

__all__ = [
    "Cropping1D",
    "Cropping2D",
    "Cropping3D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "ZeroPadding3D",
]


def _pairs(layer: Spatial, argument: str, value: Any) -> tuple[Any, ...]:
    """Return (before, after) for each spatial axis; the pair alone for one axis.

    An int stands for all sides, an int in place of a pair for both of its sides.
    """
    rank = layer.rank
    if rank == 1:
        value = value if isinstance(value, int) else (value,)
    entries = (value,) * rank if isinstance(value, int) else value
    if not isinstance(entries, Sequence) or len(entries) != rank:
        raise ValueError(
            f"{checks.label(layer)}: `{argument}` must be an int, or {rank} ints or pairs; got "
            f"{value!r}.\n  Fix: give one entry for each spatial axis."
        )
    pairs = tuple(checks.sizes(layer, argument, each, 2, allow_zero=True) for each in entries)
    return pairs[0] if rank == 1 else pairs


class ZeroPadding(Spatial):
    """Add zeros around the spatial axes.

    Args:
        padding: How many: an int for all sides, an int for each axis, or a pair (before, after)
            for each axis.
        data_format: "channels_last" or "channels_first"; None takes
            ``tf.keras.config.image_data_format()``.
        **kwargs: See `Layer`.

    Call:
        inputs: any dtype, ``(B, *space, C)``, or ``(B, C, *space)``.

    Returns:
        The same layout and dtype; each spatial axis longer by what was added.

    Raises:
        ValueError: `padding` is negative or of another length.
    """

    per_axis = ("padding",)

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.padding = _pairs(self, "padding", padding)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Tensor) -> Tensor:
        widths = [(0, 0)] * (self.rank + 2)
        pairs = (self.padding,) if self.rank == 1 else self.padding
        for axis, pair in zip(self.spatial_axes, pairs, strict=True):
            widths[axis] = pair
        return ops.pad(inputs, widths)


class ZeroPadding1D(ZeroPadding):
    """Add zeros before and after a sequence.

    Example:
        >>> x = tf.ones((1, 2, 1))
        >>> tf.keras.layers.ZeroPadding1D((0, 1))(x).numpy().ravel()
        array([1., 1., 0.], dtype=float32)
    """

    rank = 1


class ZeroPadding2D(ZeroPadding):
    """Add zeros around an image.

    Example:
        >>> tf.keras.layers.ZeroPadding2D(((1, 0), (2, 2)))(tf.ones((1, 4, 4, 3))).shape
        TensorShape([1, 5, 8, 3])
    """

    rank = 2


class ZeroPadding3D(ZeroPadding):
    """Add zeros around a volume.

    Example:
        >>> tf.keras.layers.ZeroPadding3D(1)(tf.ones((1, 4, 4, 4, 3))).shape
        TensorShape([1, 6, 6, 6, 3])
    """

    rank = 3

    def __init__(
        self,
        padding: Any = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(padding, data_format, **kwargs)


class Cropping(Spatial):
    """Cut off the borders of the spatial axes.

    Args:
        cropping: How much: an int for all sides, an int for each axis, or a pair (before, after)
            for each axis.
        data_format: "channels_last" or "channels_first"; None takes
            ``tf.keras.config.image_data_format()``.
        **kwargs: See `Layer`.

    Call:
        inputs: any dtype, ``(B, *space, C)``, or ``(B, C, *space)``.

    Returns:
        The same layout and dtype; each spatial axis shorter by what was cut.

    Raises:
        ValueError: `cropping` is negative, of another length, or leaves nothing.
    """

    def __init__(self, cropping: Any, data_format: str | None = None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.cropping = _pairs(self, "cropping", cropping)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Tensor) -> Tensor:
        pairs = (self.cropping,) if self.rank == 1 else self.cropping
        parts = [slice(None)] * (self.rank + 2)
        for axis, (before, after) in zip(self.spatial_axes, pairs, strict=True):
            size = inputs.shape[axis]
            if size is not None and before + after >= size:
                raise ValueError(
                    f"{checks.label(self)}: `cropping` must leave something of axis {axis} of "
                    f"size {size}; got {(before, after)}.\n  Fix: cut off less."
                )
            parts[axis] = slice(before, -after or None)
        return inputs[tuple(parts)]


class Cropping1D(Cropping):
    """Cut off the ends of a sequence.

    Args:
        cropping: How many steps: an int for both ends, or a pair (before, after).
        **kwargs: See `Layer`.

    Call:
        inputs: any dtype, ``(B, T, C)``.

    Returns:
        ``(B, T', C)``, same dtype.

    Raises:
        ValueError: `cropping` is negative, of another length, or leaves nothing.

    Example:
        >>> x = tf.reshape(tf.range(4), (1, 4, 1))
        >>> tf.keras.layers.Cropping1D((1, 2))(x).numpy().ravel()
        array([1], dtype=int32)
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs):
        super().__init__(cropping, "channels_last", **kwargs)


class Cropping2D(Cropping):
    """Cut off the borders of an image.

    Example:
        >>> tf.keras.layers.Cropping2D(((1, 0), (2, 2)))(tf.ones((1, 6, 8, 3))).shape
        TensorShape([1, 5, 4, 3])
    """

    rank = 2

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs):
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(Cropping):
    """Cut off the borders of a volume.

    Example:
        >>> tf.keras.layers.Cropping3D()(tf.ones((1, 6, 6, 6, 3))).shape
        TensorShape([1, 4, 4, 4, 3])
    """

    rank = 3

    def __init__(
        self,
        cropping: Any = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs,
    ):
        super().__init__(cropping, data_format, **kwargs)
