"""Layers that move values without computing: shapes, order of axes, repeats."""

import math
from collections.abc import Sequence

from lamina import ops
from lamina.engine import Shape, Tensor
from lamina.keras import policy
from lamina.keras.core import InputSpec, Layer, checks

__all__ = ["Flatten", "Permute", "RepeatVector", "Reshape"]


class Flatten(Layer):
    """Put all axes but the batch into one.

    Args:
        data_format: "channels_last", or "channels_first": then channels are moved to the end
            first. None takes ``tf.keras.config.image_data_format()``.
        **kwargs: See `Layer`.

    Call:
        inputs: any dtype, ``(B, d1, …, dn)``.

    Returns:
        ``(B, d1 * … * dn)``, ``(B, 1)`` for ``(B,)``.

    Raises:
        ValueError: an unknown data format.

    Example:
        >>> tf.keras.layers.Flatten()(tf.ones((2, 3, 4))).shape
        TensorShape([2, 12])
    """

    def __init__(self, data_format: str | None = None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = policy.standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Tensor) -> Tensor:
        shape = tuple(inputs.shape)
        if self.data_format == "channels_first" and len(shape) > 2:
            inputs = ops.transpose(inputs, (0, *range(2, len(shape)), 1))
        return ops.reshape(inputs, _with_batch(inputs, [_product(shape[1:])]))


def _product(sizes: Sequence[int | None]) -> int:
    """Return the number of elements, -1 if a size is unknown."""
    return -1 if None in sizes else math.prod(s or 0 for s in sizes)


def _with_batch(x: Tensor, sizes: Sequence[int]) -> list[int | Tensor]:
    """Return a shape for `ops.reshape` that keeps the batch axis of `x`; -1 in it stays."""
    batch = x.shape[0]
    if batch is not None:
        return [batch, *sizes]
    return [ops.shape(x)[0], *sizes] if -1 in sizes or 0 in sizes else [-1, *sizes]


class Reshape(Layer):
    """Give each example another shape.

    Args:
        target_shape: The shape without the batch; -1 at most once, for what is left.
        **kwargs: See `Layer`.

    Call:
        inputs: any dtype, ``(B, …)``.

    Returns:
        ``(B, *target_shape)``.

    Raises:
        ValueError: the target does not hold the elements of an example.

    Example:
        >>> tf.keras.layers.Reshape((2, -1))(tf.ones((5, 6))).shape
        TensorShape([5, 2, 3])
    """

    def __init__(self, target_shape: Sequence[int], **kwargs):
        super().__init__(**kwargs)
        self.target_shape = checks.int_tuple(self, "target_shape", target_shape)
        if self.target_shape.count(-1) > 1 or min(self.target_shape, default=0) < -1:
            raise ValueError(
                f"{checks.label(self)}: `target_shape` must hold sizes, and -1 at most once; got "
                f"{self.target_shape}."
            )

    def build(self, input_shape: Shape):
        self._fit(tuple(input_shape))

    def call(self, inputs: Tensor) -> Tensor:
        sizes = self._fit(tuple(inputs.shape))
        if inputs.shape[0] is None and -1 in sizes:
            return ops.reshape_examples(inputs, sizes=sizes)
        return ops.reshape(inputs, _with_batch(inputs, sizes))

    def _fit(self, input_shape: tuple[int | None, ...]) -> tuple[int, ...]:
        """Return the target with -1 replaced, if the input's sizes are known."""
        held = _product(input_shape[1:])
        if held == -1:
            return self.target_shape
        known = math.prod(size for size in self.target_shape if size != -1)
        has_free = -1 in self.target_shape
        fits = (known > 0 and held % known == 0) if has_free else held == known
        if not fits:
            raise ValueError(
                f"{checks.label(self)}: `target_shape` must hold the {held} elements of an "
                f"example, of shape {input_shape[1:]}; got {self.target_shape}.\n"
                f"  Fix: change a size, or let one be -1."
            )
        return tuple(held // known if size == -1 else size for size in self.target_shape)


class Permute(Layer):
    """Reorder the axes of each example.

    Args:
        dims: The axes of the input in their new order, counted from 1: ``(2, 1)`` swaps two.
        **kwargs: See `Layer`.

    Call:
        inputs: any dtype, ``(B, d1, …, dn)``, n the length of `dims`.

    Returns:
        ``(B, …)``, axes in the new order.

    Raises:
        ValueError: `dims` is no order of 1 … n, or the input has another rank.

    Example:
        >>> tf.keras.layers.Permute((2, 1))(tf.ones((5, 2, 3))).shape
        TensorShape([5, 3, 2])
    """

    def __init__(self, dims: Sequence[int], **kwargs):
        super().__init__(**kwargs)
        self.dims = checks.int_tuple(self, "dims", dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                f"{checks.label(self)}: `dims` must hold each of 1 … {len(self.dims)} once; got "
                f"{self.dims}.\n  Fix: the batch axis stays, and is not counted."
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Tensor) -> Tensor:
        return ops.transpose(inputs, (0, *self.dims))


class RepeatVector(Layer):
    """Repeat each example along a new time axis.

    Args:
        n: The number of repeats.
        **kwargs: See `Layer`.

    Call:
        inputs: any dtype, ``(B, F)``.

    Returns:
        ``(B, n, F)``.

    Raises:
        TypeError: `n` is no int.
        ValueError: the input has another rank.

    Example:
        >>> tf.keras.layers.RepeatVector(3)(tf.constant([[1, 2]])).numpy()
        array([[[1, 2],
                [1, 2],
                [1, 2]]], dtype=int32)
    """

    def __init__(self, n: int, **kwargs):
        super().__init__(**kwargs)
        self.n = checks.integer(self, "n", n)
        checks.positive_int(self, "n", n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Tensor) -> Tensor:
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, axis=1)
