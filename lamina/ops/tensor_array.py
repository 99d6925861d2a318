"""tf.TensorArray: a sequence of Tensors of one type, written and read one at a time."""

from typing import Any

import jax.numpy as jnp

from lamina.engine import (
    Tensor,
    TensorShape,
    as_dtype,
    convert_to_tensor,
    errors,
    host_value,
    local,
    op,
    static_int,
    static_ints,
)

__all__ = ["TensorArray", "TensorArraySpec"]


class TensorArray:
    """A sequence of Tensors of one dtype, each written and read by its index.

    Elements are kept apart while every index is known; the first write at an index that is
    computed in the program joins them in one Tensor, and from then on they have one shape. Use
    what `write`, `scatter`, `split` and `unstack` return, as in TensorFlow.

    Args:
        dtype: The dtype of the elements.
        size: How many there are, known while recording; 0 with `dynamic_size`.
        dynamic_size: Whether writes past the end make it longer.
        clear_after_read: Whether an element can be read once only, as in TensorFlow's eager code;
            None keeps the elements.
        tensor_array_name: Accepted, unused.
        handle: Accepted, unused.
        flow: Accepted, unused.
        infer_shape: Whether all elements must have the shape of the first one written.
        element_shape: The shape of each element, or None.
        colocate_with_first_write_call: Accepted, unused.
        name: Accepted, unused.

    Raises:
        OutOfRangeError: a write past the end of an array of fixed size, or a read outside.
        InvalidArgumentError: an element of another dtype or shape.

    Example:
        >>> squares = tf.TensorArray(tf.int32, size=0, dynamic_size=True)
        >>> for i in range(4):
        ...     squares = squares.write(i, i * i)
        >>> squares.stack().numpy()
        array([0, 1, 4, 9], dtype=int32)

    Differs from TF:
        Inside `tf.function` the size is part of the program. A loop over `tf.range` may make an
        array longer by writing at its own counter; with other growth at computed indices the
        function runs eagerly.
    """

    def __init__(
        self,
        dtype,
        size=None,
        dynamic_size=None,
        clear_after_read=None,
        tensor_array_name=None,
        handle=None,
        flow=None,
        infer_shape=True,
        element_shape=None,
        colocate_with_first_write_call=True,
        name=None,
    ):
        self.dtype = as_dtype(dtype)
        self.dynamic_size = bool(dynamic_size)
        self._shape = None if element_shape is None else TensorShape(element_shape)
        self._one_shape = infer_shape
        self._clears = bool(clear_after_read)
        count = 0 if size is None else static_int(size, "size")
        self._items: list[Tensor | None] = [None] * count
        self._joined: Tensor | None = None  # (size, *element shape), in place of the items

    @property
    def element_shape(self) -> TensorShape:
        """The shape of each element, as far as it is known."""
        if self._joined is not None:
            return self._joined.shape[1:]
        return TensorShape(None) if self._shape is None else self._shape

    @property
    def flow(self):
        """What TensorFlow orders the operations by; None here."""
        return

    @property
    def handle(self):
        """TensorFlow's reference to the array; None here."""
        return

    # -- elements

    def write(self, index, value, name=None) -> "TensorArray":
        """Set one element.

        Args:
            index: int, a single value.
            value: What converts to a Tensor of the array's dtype.
            name: Accepted, unused.

        Returns:
            The array to go on with.
        """
        value = self._element(value)
        at = _known(index)
        if at is None or (self._joined is not None and 0 <= at < len(self)):
            bound = _bound(index) if at is None else 0
            if at is None and not bound and self.dynamic_size:
                raise errors.TracedValueError(
                    "tf.TensorArray.write: the size of the array depends on an index that is "
                    "computed in the program. With dynamic_size=False and its `size` it does not."
                )
            joined = self.joined(value, bound)
            return self._with(_set_row(joined, convert_to_tensor(index), value))
        if at < 0 or (at >= len(self) and not self.dynamic_size):
            raise self._outside("write", at)
        items = list(self._apart()) if not local.trace.eager else self._apart()
        items.extend([None] * (at + 1 - len(items)))
        items[at] = value
        array = self if local.trace.eager else self._with(None)  # as in TF: in eager code the same
        array._items, array._joined = items, None
        return array

    def read(self, index, name=None) -> Tensor:
        """Return one element; zeros where none was written and the shape is known."""
        at = _known(index)
        if at is None:
            return _row(self.joined(), convert_to_tensor(index))
        if not 0 <= at < len(self):
            raise self._outside("read", at)
        if self._joined is not None:
            return self._joined[at]
        found = self._items[at]
        if found is None:
            found = self._zeros("read")
        if self._clears and local.trace.eager:
            self._items[at] = None
        return found

    def size(self, name=None) -> Tensor:
        """Return the number of elements, int32."""
        return convert_to_tensor(len(self))

    def __len__(self) -> int:
        return len(self._items) if self._joined is None else int(self._joined.shape[0])

    # -- all of them

    def stack(self, name=None) -> Tensor:
        """Return all elements as one Tensor of shape `(size, *element_shape)`."""
        return self.joined()

    def unstack(self, value, name=None) -> "TensorArray":
        """Return an array of the rows of `value`."""
        return self._with(convert_to_tensor(value, self.dtype))

    def gather(self, indices, name=None) -> Tensor:
        """Return the elements at `indices`, shape `(len(indices), *element_shape)`."""
        return _rows(self.joined(), convert_to_tensor(indices))

    def scatter(self, indices, value, name=None) -> "TensorArray":
        """Set the elements at `indices` to the rows of `value`."""
        rows = convert_to_tensor(value, self.dtype)
        known = host_value(convert_to_tensor(indices))
        if known is None:
            joined = self.joined(rows[0])
            return self._with(_set_row(joined, convert_to_tensor(indices), rows))
        array = self
        for i, at in enumerate(known.reshape(-1)):
            array = array.write(int(at), rows[i])
        return array

    def concat(self, name=None) -> Tensor:
        """Return the elements joined along their first axis, which may differ in size."""
        if self._joined is not None:
            return _merged(self._joined)
        return _chain(*[self._zeros("concat") if t is None else t for t in self._items])

    def split(self, value, lengths, name=None) -> "TensorArray":
        """Set the elements to consecutive pieces of `value`, of the given lengths."""
        value = convert_to_tensor(value, self.dtype)
        sizes = static_ints(lengths, "lengths")
        if sum(sizes) != value.shape[0]:
            raise errors.InvalidArgumentError(
                f"tf.TensorArray.split: `lengths` must add up to the first axis of `value`, "
                f"{value.shape[0]}; got {list(sizes)}."
            )
        ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
        self._items = [value[e - n : e] for e, n in zip(ends, sizes, strict=True)]
        self._joined = None
        return self

    def identity(self) -> "TensorArray":
        """Return the array."""
        return self

    def grad(self, source, flow=None, name=None):
        """Raise: GradientTape differentiates arrays as it does Tensors.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            "tf.TensorArray.grad: it is TensorFlow 1's way.\n  Fix: use tf.GradientTape."
        )

    def close(self, name=None) -> None:
        """Do nothing; Python frees the elements."""

    # -- as loops and branches see it

    def joined(self, like: Tensor | None = None, at_least: int = 0) -> Tensor:
        """Return all elements as one Tensor, zeros where none was written.

        Args:
            like: An element that tells the shape if there is none yet.
            at_least: The size to grow to.
        """
        if self._joined is None:
            known = next((t for t in (*self._items, like) if t is not None), None)
            if known is None:
                known = self._zeros("stack")
            zeros = None if all(t is not None for t in self._items) else _zeros_like(known)
            items = [zeros if t is None else t for t in self._items]
            joined = _stacked(*items) if items else _zeros_like(known)[None][:0]
        else:
            joined = self._joined
        size = int(joined.shape[0])
        return _grown(joined, size=at_least) if at_least > size else joined

    @property
    def has_elements(self) -> bool:
        """Whether the type of the elements is known, so that they can be joined."""
        known = self._joined is not None or any(t is not None for t in self._items)
        return known or (self._shape is not None and self._shape.is_fully_defined())

    def of_joined(self, joined: Tensor) -> "TensorArray":
        """Return such an array with other elements, joined in one Tensor."""
        return self._with(joined)

    def copy(self) -> "TensorArray":
        """Return an array of its own with the same elements."""
        made = self._with(self._joined)
        made._items = list(self._items)
        return made

    def _with(self, joined: Tensor | None) -> "TensorArray":
        made = object.__new__(TensorArray)
        made.__dict__.update(self.__dict__)
        made._joined = joined
        return made

    def _apart(self) -> list:
        if self._joined is None:
            return self._items
        return [self._joined[i] for i in range(len(self))]

    def _element(self, value) -> Tensor:
        value = convert_to_tensor(value, self.dtype)
        known = self._shape
        if self._one_shape and known is None:
            self._shape = value.shape
        elif known is not None and not known.is_compatible_with(value.shape):
            raise errors.InvalidArgumentError(
                f"tf.TensorArray: elements must have shape {known}; got {value.shape}.\n"
                f"  Fix: reshape it, or make the array with infer_shape=False."
            )
        return value

    def _zeros(self, what) -> Tensor:
        shape = self.element_shape
        if not shape.is_fully_defined():
            raise errors.InvalidArgumentError(
                f"tf.TensorArray.{what}: an element that was never written has no shape.\n"
                f"  Fix: write all elements, or give `element_shape`."
            )
        return _zeros(shape=tuple(shape), dtype=self.dtype)

    def _outside(self, what, at):
        return errors.OutOfRangeError(
            f"tf.TensorArray.{what}: the index must lie in [0, {len(self)}); got {at}.\n"
            f"  Fix: give a larger `size`, or dynamic_size=True to write past the end."
        )

    def __repr__(self) -> str:
        return f"<tf.TensorArray: size={len(self)}, dtype={self.dtype.name}>"


class TensorArraySpec:
    """The type of a TensorArray: what its elements are.

    Args:
        element_shape: The shape of each element, or None.
        dtype: The dtype of the elements.
        dynamic_size: Whether it can grow.
        infer_shape: Whether all elements have one shape.
    """

    def __init__(self, element_shape=None, dtype="float32", dynamic_size=False, infer_shape=True):
        self.element_shape = TensorShape(element_shape)
        self.dtype = as_dtype(dtype)
        self.dynamic_size = dynamic_size
        self.infer_shape = infer_shape

    def __repr__(self) -> str:
        return f"TensorArraySpec({self.element_shape}, {self.dtype.name})"


def _known(index) -> int | None:
    """Return an index as an int; None if it is computed in the program that is recorded."""
    if isinstance(index, Tensor) or hasattr(type(index), "_as_tensor"):
        if local.trace.eager:
            return int(index)
        found = host_value(convert_to_tensor(index))
        return None if found is None else int(found)
    return int(index)


def _bound(index: Any) -> int:
    """Return the size that writes at a loop's counter lead to; 0 for other indices."""
    return getattr(index, "__dict__", {}).get("_loop_bound", 0)


@op(mixed=True)
def _set_row(array, index, value):
    return array.at[index].set(value)


@op(mixed=True)
def _row(array, index):
    return array[index]


@op(mixed=True)
def _rows(array, indices):
    return array[indices]


@op
def _stacked(*items):
    return jnp.stack(items)


@op
def _chain(*items):
    return jnp.concatenate(items, axis=0)


@op
def _merged(array):
    return jnp.reshape(array, (array.shape[0] * array.shape[1], *array.shape[2:]))


@op
def _grown(array, *, size):
    return jnp.pad(array, [(0, size - array.shape[0])] + [(0, 0)] * (array.ndim - 1))


@op(differentiable=False)
def _zeros_like(x):
    return jnp.zeros_like(x)


@op(differentiable=False)
def _zeros(*, shape, dtype):
    return jnp.zeros(shape, dtype.np)
