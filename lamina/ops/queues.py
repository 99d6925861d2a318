"""Queues: Tensors that one part of a program hands to another, in threads of its own or not.

They live on the host: a `tf.function` that meets one runs eagerly. No gradient passes through.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.engine import (
    DType,
    Tensor,
    TensorShape,
    as_dtype,
    convert_to_tensor,
    dtypes,
    errors,
    static_int,
)
from lamina.ops.hosting import eager_in_functions
from lamina.ops.random import next_seed
from lamina.ops.waiting import Buffer, OrderedBuffer, ShuffledBuffer

__all__ = ["FIFOQueue", "PaddingFIFOQueue", "PriorityQueue", "QueueBase", "RandomShuffleQueue"]


class QueueBase:
    """A queue of elements, each of one or more Tensors; the base of all queues.

    Args:
        dtypes: A dtype, or a list of one for each part of an element.
        shapes: A shape, or a list of them, as of `dtypes`; None leaves them open.
        names: A string, or a list of one for each part, for elements that are dicts; or None.
        queue_ref: The `queue_ref` of another queue, whose elements these are.

    Attributes:
        dtypes: The list of dtypes.
        shapes: The list of TensorShapes.
        names: The list of names, or None.
        name: The queue's name.

    Raises:
        ValueError: `shapes` or `names` has another length than `dtypes`.
    """

    name = "queue"

    def __init__(self, dtypes: Any, shapes: Any, names: Any, queue_ref: Any) -> None:
        kinds = list(dtypes) if isinstance(dtypes, list | tuple) else [dtypes]
        self._dtypes = [as_dtype(kind) for kind in kinds]
        self._shapes = _shape_list(shapes, len(self._dtypes))
        self._names = [names] if isinstance(names, str) else names and list(names)
        for what, found in (("shapes", self._shapes), ("names", self._names or self._dtypes)):
            if len(found) != len(self._dtypes):
                raise ValueError(
                    f"{self._who}: `{what}` must have the length of `dtypes`, {len(self._dtypes)}; "
                    f"got {found}."
                )
        self._buffer: Buffer = queue_ref

    @property
    def _who(self) -> str:
        return f"tf.queue.{type(self).__name__}"

    @property
    def dtypes(self) -> list[DType]:
        """The dtype of each part of an element."""
        return self._dtypes

    @property
    def shapes(self) -> list[TensorShape]:
        """The shape of each part of an element."""
        return self._shapes

    @property
    def names(self) -> list[str] | None:
        """The name of each part of an element, or None."""
        return self._names

    @property
    def queue_ref(self) -> Any:
        """What holds the elements."""
        return self._buffer

    @staticmethod
    def from_list(index: Any, queues: Any) -> "QueueBase":
        """Return a queue of several, as `queues[index]` does.

        Args:
            index: An integer; may be a Tensor.
            queues: A list of queues with the same dtypes and names.

        Raises:
            TypeError: `queues` is no list of queues, or their dtypes or names differ.
            errors.InvalidArgumentError: there is no such queue.
        """
        who = "tf.queue.QueueBase.from_list"
        is_list = isinstance(queues, list) and bool(queues)
        if not is_list or not all(isinstance(q, QueueBase) for q in queues):
            raise TypeError(f"{who}: `queues` must be a list of queues; got {queues!r}.")
        first = queues[0]
        if any(q.dtypes != first.dtypes or q.names != first.names for q in queues):
            raise TypeError(
                f"{who}: all queues must have the same dtypes and names; got "
                f"{[(q.dtypes, q.names) for q in queues]}."
            )
        eager_in_functions("a choice of a tf.queue")
        place = static_int(index, "index")
        if not 0 <= place < len(queues):
            raise errors.InvalidArgumentError(
                f"{who}: `index` must lie in [0, {len(queues)}); got {place}."
            )
        return queues[place]

    # ---- in -------------------------------------------------------------------------------------

    def enqueue(self, vals: Any, name: str | None = None) -> None:
        """Put an element into the queue; wait while there is no room.

        Args:
            vals: A Tensor; a list or tuple of one for each part; or a dict of them by name.
            name: Accepted, unused.

        Raises:
            errors.CancelledError: the queue is closed.
            errors.InvalidArgumentError: there are more or fewer Tensors than parts.
            ValueError: a Tensor has another dtype or shape, or a dict other names.
        """
        eager_in_functions("a tf.queue")
        parts = self._parts_of(vals)
        for part, shape in zip(parts, self._shapes, strict=True):
            self._check(part, shape)
        self._buffer.put([tuple(parts)])

    def enqueue_many(self, vals: Any, name: str | None = None) -> None:
        """Put the rows of Tensors into the queue as elements; wait while there is no room.

        Args:
            vals: As of `enqueue`, of shapes `(n, …)`.
            name: Accepted, unused.

        Raises:
            errors.CancelledError: the queue is closed.
            errors.InvalidArgumentError: there are more or fewer Tensors than parts.
            ValueError: a Tensor has another dtype or shape, or fewer rows than another.
        """
        eager_in_functions("a tf.queue")
        parts = self._parts_of(vals)
        for part, shape in zip(parts, self._shapes, strict=True):
            self._check(part, TensorShape([None]).concatenate(shape))
        if len({part.shape[0] for part in parts}) > 1:
            raise ValueError(
                f"{self._who}: all parts must have the same number of rows; got shapes "
                f"{[part.shape for part in parts]}."
            )
        self._buffer.put(list(zip(*parts, strict=True)))

    def _parts_of(self, vals: Any) -> list[np.ndarray]:
        if isinstance(vals, dict) != bool(self._names):
            raise ValueError(
                f"{self._who}: a dict was expected if the queue has names, and only then; it has "
                f"{self._names}; got {vals!r}."
            )
        if self._names:
            if set(vals) != set(self._names):
                raise ValueError(
                    f"{self._who}: an element must have the names {sorted(self._names)}; got "
                    f"{sorted(vals)}."
                )
            vals = [vals[key] for key in self._names]
        parts = list(vals) if isinstance(vals, list | tuple) else [vals]
        if len(parts) != len(self._dtypes):
            raise errors.InvalidArgumentError(
                f"{self._who}: an element has {len(self._dtypes)} parts; got {len(parts)}.\n"
                f"  Fix: one Tensor in a list for each of {self._dtypes}."
            )
        pairs = zip(parts, self._dtypes, strict=True)
        return [np.asarray(convert_to_tensor(part, kind)) for part, kind in pairs]

    def _check(self, part: np.ndarray, shape: TensorShape) -> None:
        if not shape.is_compatible_with(part.shape):
            raise ValueError(
                f"{self._who}: a part of shape {shape} was expected; got shape {part.shape}."
            )

    # ---- out ------------------------------------------------------------------------------------

    def dequeue(self, name: str | None = None) -> Any:
        """Take an element out of the queue; wait for one until the queue is closed.

        Returns:
            A Tensor, a list of them where an element has several parts, or a dict by name.

        Raises:
            errors.OutOfRangeError: the queue is closed and empty.
        """
        eager_in_functions("a tf.queue")
        return self._given(list(self._buffer.take(1, 1)[0]))

    def dequeue_many(self, n: Any, name: str | None = None) -> Any:
        """Take elements out of the queue, put together along a new first axis.

        Args:
            n: How many; they are waited for until the queue is closed.
            name: Accepted, unused.

        Returns:
            As `dequeue`, of shapes `(n, …)`.

        Raises:
            errors.OutOfRangeError: the queue is closed, and has fewer.
            errors.InvalidArgumentError: `n` is negative, or the queue's shapes are not known.
        """
        count = self._count_of(n, "dequeue_many")
        return self._together(self._buffer.take(count, count))

    def dequeue_up_to(self, n: Any, name: str | None = None) -> Any:
        """Do as `dequeue_many` does, but take what is left of a closed queue.

        Raises:
            errors.OutOfRangeError: the queue is closed and empty.
            errors.InvalidArgumentError: `n` is negative, or the queue's shapes are not known.
        """
        count = self._count_of(n, "dequeue_up_to")
        return self._together(self._buffer.take(count, min(count, 1)))

    def _count_of(self, n: Any, method: str) -> int:
        eager_in_functions("a tf.queue")
        count = static_int(n, "n")
        if count < 0:
            raise errors.InvalidArgumentError(
                f"{self._who}.{method}: `n` must be at least 0; got {count}."
            )
        if not all(self._has_size(shape) for shape in self._shapes):
            raise errors.InvalidArgumentError(
                f"{self._who}.{method}: the shapes of all parts must be known; got {self._shapes}."
                f"\n  Fix: give `shapes` when the queue is made."
            )
        return count

    def _has_size(self, shape: TensorShape) -> bool:
        return shape.is_fully_defined()

    def _together(self, rows: Sequence[tuple[np.ndarray, ...]]) -> Any:
        if rows:
            return self._given([self._stacked(part) for part in zip(*rows, strict=True)])
        sizes = [[0, *(n or 0 for n in shape)] for shape in self._shapes]
        pairs = zip(sizes, self._dtypes, strict=True)
        return self._given([np.empty(size, kind.np) for size, kind in pairs])

    def _stacked(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack(parts)

    def _given(self, parts: list[np.ndarray]) -> Any:
        pairs = zip(parts, self._dtypes, strict=True)
        found = [convert_to_tensor(part, kind) for part, kind in pairs]
        if self._names:
            return dict(zip(self._names, found, strict=True))
        return found[0] if len(found) == 1 else found

    # ---- ends -----------------------------------------------------------------------------------

    def close(self, cancel_pending_enqueues: bool = False, name: str | None = None) -> None:
        """Let no more elements come; those in the queue can still be taken.

        Args:
            cancel_pending_enqueues: Whether an `enqueue` that waits for room in another thread
                raises CancelledError.
            name: Accepted, unused.

        Raises:
            errors.CancelledError: the queue is closed already.
        """
        eager_in_functions("a tf.queue")
        self._buffer.close(bool(cancel_pending_enqueues))

    def is_closed(self, name: str | None = None) -> Tensor:
        """Return whether the queue is closed, a boolean scalar."""
        eager_in_functions("a tf.queue")
        return convert_to_tensor(self._buffer.is_closed)

    def size(self, name: str | None = None) -> Tensor:
        """Return how many elements are in the queue, an int32 scalar."""
        eager_in_functions("a tf.queue")
        return convert_to_tensor(len(self._buffer), dtypes.int32)


def _shape_list(shapes: Any, count: int) -> list[TensorShape]:
    if shapes is None:
        return [TensorShape(None)] * count
    if isinstance(shapes, TensorShape) or all(isinstance(n, int | None) for n in shapes):
        is_none = isinstance(shapes, list) and not shapes and count != 1
        return [] if is_none else [TensorShape(shapes)]
    return [TensorShape(shape) for shape in shapes]


def _capacity_of(capacity: Any) -> int:
    return static_int(capacity, "capacity")


class FIFOQueue(QueueBase):
    """A queue whose elements leave in the order in which they came.

    Args:
        capacity: How many elements there may be; negative: any number.
        dtypes: A dtype, or a list of one for each part of an element.
        shapes: A shape, or a list of them; `dequeue_many` needs them. None leaves them open.
        names: A string, or a list of one for each part, for elements that are dicts; or None.
        shared_name: Accepted, unused: a queue is shared by passing it on.
        name: The queue's name.

    Raises:
        ValueError: `shapes` or `names` has another length than `dtypes`.

    Example:
        >>> queue = tf.queue.FIFOQueue(10, tf.int32, shapes=())
        >>> queue.enqueue(7)
        >>> queue.enqueue_many([[8, 9]])
        >>> int(queue.dequeue()), queue.dequeue_many(2).numpy().tolist()
        (7, [8, 9])
    """

    def __init__(
        self,
        capacity: Any,
        dtypes: Any,
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "fifo_queue",
    ) -> None:
        self.name = name
        super().__init__(dtypes, shapes, names, Buffer(_capacity_of(capacity), self._who))


class PaddingFIFOQueue(QueueBase):
    """A FIFO queue whose elements may differ in size: `dequeue_many` fills them up with zeros.

    Args:
        capacity: How many elements there may be; negative: any number.
        dtypes: A dtype, or a list of one for each part of an element.
        shapes: A list of shapes, None in them for the sizes that differ.
        names: A string, or a list of one for each part, for elements that are dicts; or None.
        shared_name: Accepted, unused: a queue is shared by passing it on.
        name: The queue's name.

    Raises:
        ValueError: there are no `shapes`, or `shapes` or `names` has another length than `dtypes`.

    Example:
        >>> queue = tf.queue.PaddingFIFOQueue(10, tf.int32, shapes=[[None]])
        >>> queue.enqueue([[1]])
        >>> queue.enqueue([[2, 3]])
        >>> queue.dequeue_many(2).numpy().tolist()
        [[1, 0], [2, 3]]
    """

    def __init__(
        self,
        capacity: Any,
        dtypes: Any,
        shapes: Any,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "padding_fifo_queue",
    ) -> None:
        self.name = name
        if shapes is None:
            raise ValueError(
                f"{self._who}: `shapes` must be given; got None.\n"
                f"  Fix: a list of shapes, with None where sizes differ."
            )
        super().__init__(dtypes, shapes, names, Buffer(_capacity_of(capacity), self._who))

    def _has_size(self, shape: TensorShape) -> bool:
        return shape.rank is not None

    def _stacked(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        size = np.max([part.shape for part in parts], axis=0).astype(int)
        empty = b"" if parts[0].dtype == object else 0
        found = np.full([len(parts), *size.tolist()], empty, parts[0].dtype)
        for row, part in zip(found, parts, strict=True):
            row[tuple(slice(n) for n in part.shape)] = part
        return found


class RandomShuffleQueue(QueueBase):
    """A queue whose elements leave in random order.

    Args:
        capacity: How many elements there may be; negative: any number.
        min_after_dequeue: How many elements stay in it to choose from, until it is closed.
        dtypes: A dtype, or a list of one for each part of an element.
        shapes: A shape, or a list of them; `dequeue_many` needs them. None leaves them open.
        names: A string, or a list of one for each part, for elements that are dicts; or None.
        seed: An integer, or None for one that follows from `tf.random.set_seed`.
        shared_name: Accepted, unused: a queue is shared by passing it on.
        name: The queue's name.

    Raises:
        ValueError: `shapes` or `names` has another length than `dtypes`.
        errors.InvalidArgumentError: `min_after_dequeue` is negative, or not below the capacity.

    Example:
        >>> queue = tf.queue.RandomShuffleQueue(10, 0, tf.int32, shapes=())
        >>> queue.enqueue_many([[1, 2, 3]])
        >>> sorted(queue.dequeue_many(3).numpy().tolist())
        [1, 2, 3]
    """

    def __init__(
        self,
        capacity: Any,
        min_after_dequeue: Any,
        dtypes: Any,
        shapes: Any = None,
        names: Any = None,
        seed: int | None = None,
        shared_name: str | None = None,
        name: str = "random_shuffle_queue",
    ) -> None:
        self.name = name
        room = _capacity_of(capacity)
        least = static_int(min_after_dequeue, "min_after_dequeue")
        if least < 0 or least >= room >= 0:
            raise errors.InvalidArgumentError(
                f"{self._who}: `min_after_dequeue` must be at least 0 and below the capacity, "
                f"{room}; got {least}."
            )
        buffer = ShuffledBuffer(room, self._who, least, next_seed(seed))
        super().__init__(dtypes, shapes, names, buffer)


class PriorityQueue(QueueBase):
    """A queue whose elements leave in the order of their first part, an int64; small ones first.

    Args:
        capacity: How many elements there may be; negative: any number.
        types: A dtype, or a list of one for each part of an element behind the priority.
        shapes: A shape, or a list of them, as of `types`; None leaves them open.
        names: A string, or a list of one for each part, the priority among them; or None.
        shared_name: Accepted, unused: a queue is shared by passing it on.
        name: The queue's name.

    Raises:
        ValueError: `shapes` or `names` has another length than there are parts.

    Example:
        >>> queue = tf.queue.PriorityQueue(10, tf.string, shapes=())
        >>> queue.enqueue((2, "later"))
        >>> queue.enqueue((1, "first"))
        >>> [part.numpy() for part in queue.dequeue()]
        [np.int64(1), b'first']
    """

    def __init__(
        self,
        capacity: Any,
        types: Any,
        shapes: Any = None,
        names: Any = None,
        shared_name: str | None = None,
        name: str = "priority_queue",
    ) -> None:
        self.name = name
        kinds = list(types) if isinstance(types, list | tuple) else [types]
        parts = [TensorShape([]), *_shape_list(shapes, len(kinds))]
        buffer = OrderedBuffer(_capacity_of(capacity), self._who)
        super().__init__([dtypes.int64, *kinds], parts, names, buffer)
