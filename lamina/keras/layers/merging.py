"""Layers that make one Tensor of several, and the functions of the same names."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from lamina import ops
from lamina.engine import Tensor
from lamina.keras.core import Layer, checks
from lamina.ops.sparse.calculating import dense_of
from lamina.ops.sparse.making import from_dense
from lamina.ops.sparse.tensor import is_sparse

__all__ = [
    "Add",
    "Average",
    "Concatenate",
    "Dot",
    "Maximum",
    "Minimum",
    "Multiply",
    "Subtract",
    "add",
    "average",
    "concatenate",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]


def _listed(layer: Layer, shapes: Any, count: int | None = None) -> list[tuple[Any, ...]]:
    """Return the shapes of the inputs, which must be a list: of `count` if given."""
    is_list = isinstance(shapes, list | tuple) and all(isinstance(s, list | tuple) for s in shapes)
    if not is_list or not shapes or (count is not None and len(shapes) != count):
        got = f"{len(shapes)} of shapes {list(shapes)}" if is_list else f"shape {shapes}"
        wanted = "a list of Tensors" if count is None else f"a list of {count} Tensors"
        raise ValueError(f"{checks.label(layer)}: the input must be {wanted}; got {got}.")
    return [tuple(s) for s in shapes]


def _same_dtype(inputs: Sequence[Tensor]) -> list[Tensor]:
    """Return the inputs in one dtype: the widest float among them, else the widest integer."""
    first = inputs[0].dtype
    if all(x.dtype is first for x in inputs):
        return list(inputs)
    widest = max((x.dtype for x in inputs), key=_width)
    return [ops.cast(x, widest) for x in inputs]


def _width(dtype: Any) -> tuple[bool, bool, int]:
    return dtype.is_complex, dtype.is_floating, dtype.size


class Merge(Layer):
    """Combine Tensors elementwise, with broadcasting.

    Call:
        inputs: A list of Tensors ``(B, …)``. Shapes broadcast; to one of lower rank, axes of
            size 1 are added after the batch.

    Returns:
        The broadcast shape; the dtype of the inputs.

    Raises:
        ValueError: the input is no list, or the shapes do not broadcast.

    Masking:
        What any input keeps is kept; if an input has no mask, all is. Multiply, Maximum and
        Minimum leave out masked steps of an input where another one has them.
    """

    supports_masking = True
    combine: ClassVar[Callable[..., Tensor]]
    takes: ClassVar[int | None] = None

    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    def build(self, input_shape: Any):
        shapes = _listed(self, input_shape, self.takes)
        batches = {s[0] for s in shapes if s and s[0] is not None}
        if len(batches) > 1 and 1 not in batches:
            raise ValueError(
                f"{checks.label(self)}: the inputs must have one batch size; got shapes {shapes}."
            )
        functools.reduce(self._broadcast, [s[1:] for s in shapes])

    def _broadcast(self, one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
        rank = max(len(one), len(other))
        padded = [(1,) * (rank - len(s)) + s for s in (one, other)]
        sizes = []
        for a, b in zip(*padded, strict=True):
            if None not in (a, b) and a != b and 1 not in (a, b):
                raise ValueError(
                    f"{checks.label(self)}: the shapes of the inputs must broadcast; got {one} "
                    f"and {other}, without the batch."
                )
            sizes.append(b if a == 1 else a)
        return tuple(sizes)

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        return _unmasked(self.merged(_aligned(inputs)), inputs)

    def merged(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return the inputs, of one dtype and rank, combined."""
        return functools.reduce(type(self).combine, inputs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Tensor | None:
        masks = _checked_masks(self, inputs, mask)
        if not masks or any(m is None for m in masks):
            return None
        return functools.reduce(ops.logical_or, [ops.cast(m, "bool") for m in masks])


def _checked_masks(layer: Layer, inputs: Any, mask: Any) -> Sequence[Any]:
    """Return the masks of the inputs, one for each; none at all if there are none."""
    if mask is None:
        return ()
    for name, value in (("mask", mask), ("inputs", inputs)):
        if not isinstance(value, list | tuple):
            raise ValueError(
                f"{checks.label(layer)}: `{name}` must be a list in `compute_mask`, with an entry "
                f"for each input; got {value!r}."
            )
    if len(mask) != len(inputs):
        raise ValueError(
            f"{checks.label(layer)}: `mask` must have an entry for each input in `compute_mask`; "
            f"got {len(mask)} for {len(inputs)} inputs."
        )
    return mask


def _kept(inputs: Sequence[Tensor]) -> list[Tensor | None]:
    """Return the inputs' masks, with axes of size 1 for the features."""
    found: list[Tensor | None] = []
    for x in inputs:
        mask = x._keras_mask
        while mask is not None and mask.ndim < x.ndim:
            mask = ops.expand_dims(mask, -1)
        found.append(mask)
    return found


def _of_kept(combine: Callable[..., Tensor], inputs: Sequence[Tensor]) -> Tensor:
    """Combine inputs, where one of two is masked by taking the other."""
    masks = _kept(inputs)
    y, kept = inputs[0], masks[0]
    for x, mask in zip(inputs[1:], masks[1:], strict=True):
        if mask is not None:
            x = ops.where(mask, x, y)
        if kept is not None:
            y = ops.where(kept, y, x)
        kept = None if mask is None or kept is None else ops.logical_or(kept, mask)
        y = combine(y, x)
    return y


def _aligned(inputs: Sequence[Tensor]) -> list[Tensor]:
    """Return the inputs in one dtype, and of one rank: axes of size 1 come after the batch."""
    rank = max(x.ndim for x in inputs)
    tensors = []
    for x in _same_dtype(inputs):
        for _ in range(rank - x.ndim if x.ndim else 0):
            x = ops.expand_dims(x, 1)
        tensors.append(x)
    return tensors


class Add(Merge):
    """Add Tensors.

    Example:
        >>> tf.keras.layers.Add()([tf.constant([1.0]), tf.constant([2.0])]).numpy()
        array([3.], dtype=float32)
    """

    combine = staticmethod(ops.add)


class Subtract(Merge):
    """Subtract the second of two Tensors from the first.

    Example:
        >>> tf.keras.layers.Subtract()([tf.constant([1.0]), tf.constant([2.0])]).numpy()
        array([-1.], dtype=float32)
    """

    combine = staticmethod(ops.subtract)
    takes = 2


class Multiply(Merge):
    """Multiply Tensors.

    Example:
        >>> tf.keras.layers.Multiply()([tf.constant([2.0]), tf.constant([3.0])]).numpy()
        array([6.], dtype=float32)
    """

    combine = staticmethod(ops.multiply)

    def merged(self, inputs: Sequence[Tensor]) -> Tensor:
        masks = _kept(inputs)
        if all(mask is None for mask in masks):
            return super().merged(inputs)
        y = super().merged(
            [
                x if mask is None else ops.where(mask, x, ops.ones_like(x))
                for x, mask in zip(inputs, masks, strict=True)
            ]
        )
        known = [mask for mask in masks if mask is not None]
        if len(known) < len(masks):
            return y
        return ops.where(functools.reduce(ops.logical_or, known), y, ops.zeros_like(y))


class Average(Merge):
    """Take the mean of Tensors.

    Example:
        >>> tf.keras.layers.Average()([tf.constant([1.0]), tf.constant([2.0])]).numpy()
        array([1.5], dtype=float32)
    """

    combine = staticmethod(ops.add)

    def merged(self, inputs: Sequence[Tensor]) -> Tensor:
        return super().merged(inputs) / len(inputs)


class Maximum(Merge):
    """Take the maximum of Tensors; at a tie the gradient goes to the first.

    Example:
        >>> tf.keras.layers.Maximum()([tf.constant([1.0]), tf.constant([2.0])]).numpy()
        array([2.], dtype=float32)
    """

    combine = staticmethod(ops.maximum)

    def merged(self, inputs: Sequence[Tensor]) -> Tensor:
        return _of_kept(ops.maximum, inputs)


class Minimum(Merge):
    """Take the minimum of Tensors; at a tie the gradient goes to the first.

    Example:
        >>> tf.keras.layers.Minimum()([tf.constant([1.0]), tf.constant([2.0])]).numpy()
        array([1.], dtype=float32)
    """

    combine = staticmethod(ops.minimum)

    def merged(self, inputs: Sequence[Tensor]) -> Tensor:
        return _of_kept(ops.minimum, inputs)


class Concatenate(Layer):
    """Join Tensors along an axis.

    Args:
        axis: The axis; not the batch, in general.
        **kwargs: See `Layer`.

    Call:
        inputs: A list of Tensors whose shapes agree but for `axis`.

    Returns:
        The same shape with the sizes along `axis` added; the widest of the dtypes.

    Raises:
        ValueError: the input is no list, or the shapes do not agree.

    Masking:
        Along a mask's axis the masks are joined; else what any input keeps is kept.

    Example:
        >>> tf.keras.layers.Concatenate()([tf.ones((2, 3)), tf.zeros((2, 1))]).numpy()
        array([[1., 1., 1., 0.],
               [1., 1., 1., 0.]], dtype=float32)
    """

    supports_masking = True

    def __init__(self, axis: int = -1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape: Any):
        shapes = _listed(self, input_shape)
        axis = checks.axis_in_range(self, "axis", self.axis, len(shapes[0]))
        for shape in shapes[1:]:
            differs = len(shape) != len(shapes[0]) or any(
                None not in (a, b) and a != b and i != axis
                for i, (a, b) in enumerate(zip(shape, shapes[0], strict=False))
            )
            if differs:
                raise ValueError(
                    f"{checks.label(self)}: the shapes of the inputs must agree but for axis "
                    f"{axis}; got {shapes}."
                )

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        return _unmasked(ops.concat(_same_dtype(inputs), self.axis), inputs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Tensor | None:
        mask = _checked_masks(self, inputs, mask)
        if all(m is None for m in mask):
            return None
        ranks = {m.ndim for m in mask if m is not None}
        rank, axis = max(ranks), self.axis % inputs[0].ndim
        filled = [
            _full_mask(x, rank) if m is None else m for x, m in zip(inputs, mask, strict=True)
        ]
        if axis < rank:
            return ops.concat(filled, axis)
        return functools.reduce(ops.logical_or, filled)


def _unmasked(y: Tensor, inputs: Sequence[Tensor]) -> Tensor:
    """Return a result without the mask that operators carried; `compute_mask` says what holds."""
    if y._keras_mask is not None and not any(y is x for x in inputs):
        y._keras_mask = None
    return y


def _full_mask(x: Tensor, rank: int) -> Tensor:
    """Return a mask that keeps all of a Tensor's first `rank` axes."""
    kept = x[(..., *[0] * (x.ndim - rank))] if x.ndim > rank else x
    return ops.ones_like(kept, dtype="bool")


class Dot(Layer):
    """Multiply and sum two Tensors along an axis of each, example by example.

    Args:
        axes: The axis of both inputs, or one for each; not the batch.
        normalize: Whether to divide by the Euclidean norms along the axes first: the cosine.
        **kwargs: See `Layer`.

    Call:
        inputs: A list of two Tensors, float, ``(B, …)``.

    Returns:
        ``(B, …)``: the other axes of the first, then those of the second; ``(B, 1)`` if there
        are none.

    Raises:
        TypeError: `axes` is neither an int nor several.
        ValueError: `axes` holds more than two, the input is no list of two, or sizes differ.

    Example:
        >>> x = tf.constant([[1.0, 2.0]])
        >>> tf.keras.layers.Dot(axes=1)([x, x]).numpy()
        array([[5.]], dtype=float32)
    """

    supports_masking = True

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(axes, int | list | tuple):
            raise TypeError(
                f"{checks.label(self)}: `axes` must be an integer or two; got {axes!r}."
            )
        if not isinstance(axes, int) and len(checks.int_tuple(self, "axes", axes)) != 2:
            raise ValueError(
                f"{checks.label(self)}: `axes` must be an integer or two; got {axes!r}."
            )
        self.axes = axes
        self.normalize = normalize

    def _counted(self, ranks: Sequence[int]) -> list[int]:
        """Return the axis of each input, counted from the front."""
        axes = [self.axes] * 2 if isinstance(self.axes, int) else self.axes
        counted = [
            checks.axis_in_range(self, "axes", axis, rank)
            for axis, rank in zip(axes, ranks, strict=True)
        ]
        if 0 in counted:
            raise ValueError(
                f"{checks.label(self)}: `axes` must not be the batch axis; got {self.axes}."
            )
        return counted

    def build(self, input_shape: Any):
        first, second = _listed(self, input_shape, 2)
        axes = self._counted([len(first), len(second)])
        sizes = first[axes[0]], second[axes[1]]
        if None not in sizes and sizes[0] != sizes[1]:
            raise ValueError(
                f"{checks.label(self)}: the inputs must have one size along `axes` {self.axes}; "
                f"got {sizes[0]} and {sizes[1]}, of shapes {first} and {second}."
            )

    def call(self, inputs: Sequence[Tensor]) -> Any:
        first, second = map(dense_of, _same_dtype(inputs))
        axes = self._counted([first.ndim, second.ndim])
        if self.normalize:
            first = ops.l2_normalize(first, axis=axes[0])
            second = ops.l2_normalize(second, axis=axes[1])
        y = ops.einsum(_dot_equation(first.ndim, second.ndim, axes), first, second)
        y = ops.expand_dims(y, 1) if y.ndim == 1 else y
        return from_dense(y) if all(map(is_sparse, inputs)) else y

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """Return None: which products count depends on what they are for."""


def _dot_equation(first: int, second: int, axes: Sequence[int]) -> str:
    """Return the einsum equation of a batched product of two Tensors of these ranks."""
    letters = iter("cdefghijklmnopqrstuvwxyz")
    terms = []
    for rank, axis in zip((first, second), axes, strict=True):
        terms.append(["a", *["b" if i == axis else next(letters) for i in range(1, rank)]])
    kept = [letter for term in terms for letter in term if letter not in "ab"]
    return f"{''.join(terms[0])},{''.join(terms[1])}->a{''.join(kept)}"


# ---- functions ----------------------------------------------------------------------------------


def add(inputs: Sequence[Tensor], **kwargs) -> Tensor:
    """Return `Add` of the inputs; `kwargs` go to its constructor.

    Example:
        >>> tf.keras.layers.add([tf.constant([1.0]), tf.constant([2.0])]).numpy()
        array([3.], dtype=float32)
    """
    return Add(**kwargs)(inputs)


def subtract(inputs: Sequence[Tensor], **kwargs) -> Tensor:
    """Return `Subtract` of the two inputs; `kwargs` go to its constructor.

    Example:
        >>> tf.keras.layers.subtract([tf.constant([1.0]), tf.constant([2.0])]).numpy()
        array([-1.], dtype=float32)
    """
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Sequence[Tensor], **kwargs) -> Tensor:
    """Return `Multiply` of the inputs; `kwargs` go to its constructor.

    Example:
        >>> tf.keras.layers.multiply([tf.constant([2.0]), tf.constant([3.0])]).numpy()
        array([6.], dtype=float32)
    """
    return Multiply(**kwargs)(inputs)


def average(inputs: Sequence[Tensor], **kwargs) -> Tensor:
    """Return `Average` of the inputs; `kwargs` go to its constructor.

    Example:
        >>> tf.keras.layers.average([tf.constant([1.0]), tf.constant([2.0])]).numpy()
        array([1.5], dtype=float32)
    """
    return Average(**kwargs)(inputs)


def maximum(inputs: Sequence[Tensor], **kwargs) -> Tensor:
    """Return `Maximum` of the inputs; `kwargs` go to its constructor.

    Example:
        >>> tf.keras.layers.maximum([tf.constant([1.0]), tf.constant([2.0])]).numpy()
        array([2.], dtype=float32)
    """
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Sequence[Tensor], **kwargs) -> Tensor:
    """Return `Minimum` of the inputs; `kwargs` go to its constructor.

    Example:
        >>> tf.keras.layers.minimum([tf.constant([1.0]), tf.constant([2.0])]).numpy()
        array([1.], dtype=float32)
    """
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Sequence[Tensor], axis: int = -1, **kwargs) -> Tensor:
    """Return `Concatenate` of the inputs along an axis; `kwargs` go to its constructor.

    Example:
        >>> tf.keras.layers.concatenate([tf.constant([1.0]), tf.constant([2.0])], 0).numpy()
        array([1., 2.], dtype=float32)
    """
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs: Sequence[Tensor], axes: int | Sequence[int] = -1, **kwargs) -> Tensor:
    """Return `Dot` of the two inputs along axes; `kwargs` go to its constructor.

    Example:
        >>> x = tf.constant([[1.0, 2.0]])
        >>> tf.keras.layers.dot([x, x], axes=1).numpy()
        array([[5.]], dtype=float32)
    """
    return Dot(axes=axes, **kwargs)(inputs)
