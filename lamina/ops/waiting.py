"""Where the elements of a queue wait: thread-safe buffers with a capacity and an end."""

import heapq
import itertools
from collections import deque
from collections.abc import Sequence
from threading import Condition
from typing import Any

import numpy as np

from lamina.engine import errors

__all__ = ["Buffer", "OrderedBuffer", "ShuffledBuffer"]

_Element = tuple[np.ndarray, ...]


class Buffer:
    """Elements in the order in which they came.

    Args:
        capacity: How many there may be; who brings more waits. Negative: any number.
        who: The queue, for errors.

    Attributes:
        is_closed: Whether no more elements may come.
    """

    def __init__(self, capacity: int, who: str) -> None:
        self.is_closed = False
        self._capacity, self._who = capacity, who
        self._changed = Condition()
        self._cancelled = False
        self._items: Any = self._made()

    def __len__(self) -> int:
        return len(self._items)

    def _made(self) -> Any:
        return deque()

    def _put(self, element: Any) -> None:
        self._items.append(element)

    def _take(self) -> Any:
        return self._items.popleft()

    def _put_back(self, elements: Sequence[Any]) -> None:
        self._items.extendleft(reversed(elements))

    def _ready(self) -> int:
        """Return how many elements may be taken now."""
        return len(self._items)

    def put(self, elements: Sequence[_Element]) -> None:
        """Take in some elements, one after the other, as there is room.

        Raises:
            CancelledError: it is closed, or its close cancelled this.
        """
        with self._changed:
            if self.is_closed:
                raise self._closed("an element cannot be enqueued")
            for element in elements:
                while 0 <= self._capacity <= len(self._items):
                    if self._cancelled:
                        raise self._closed("the enqueue that waited for room was cancelled")
                    self._changed.wait()
                self._put(element)
                self._changed.notify_all()

    def take(self, count: int, at_least: int) -> list[_Element]:
        """Give some elements out; those that are missing are waited for until it is closed.

        Args:
            count: How many.
            at_least: How many there must be of a closed buffer.

        Raises:
            OutOfRangeError: it is closed, and has fewer.
        """
        found: list[_Element] = []
        with self._changed:
            while len(found) < count:
                if self._ready() > 0:
                    found.append(self._take())
                    self._changed.notify_all()
                elif self.is_closed:
                    break
                else:
                    self._changed.wait()
            if len(found) < at_least:
                self._put_back(found)
                raise errors.OutOfRangeError(
                    f"{self._who}: it is closed and has insufficient elements (requested "
                    f"{at_least}, current size {len(self._items)}).\n"
                    f"  Fix: end the loop here; dequeue_up_to gives those that are left."
                )
        return found

    def close(self, cancel: bool) -> None:
        """Let no more elements come.

        Args:
            cancel: Whether those who wait for room are sent away.

        Raises:
            CancelledError: it is closed already.
        """
        with self._changed:
            if self.is_closed and not (cancel and not self._cancelled):
                raise self._closed("it cannot be closed again")
            self.is_closed = True
            self._cancelled = cancel
            self._changed.notify_all()

    def _closed(self, what: str) -> errors.CancelledError:
        return errors.CancelledError(f"{self._who}: it is closed; {what}.")


class ShuffledBuffer(Buffer):
    """Elements of which any may be next.

    Args:
        capacity: As of Buffer.
        who: As of Buffer.
        least: How many stay in it to choose from, until it is closed.
        seed: An int.
    """

    def __init__(self, capacity: int, who: str, least: int, seed: int) -> None:
        super().__init__(capacity, who)
        self._least = least
        self._random = np.random.default_rng(seed)

    def _made(self) -> Any:
        return []

    def _take(self) -> Any:
        place = int(self._random.integers(len(self._items)))
        self._items[place], self._items[-1] = self._items[-1], self._items[place]
        return self._items.pop()

    def _put_back(self, elements: Sequence[Any]) -> None:
        self._items.extend(elements)

    def _ready(self) -> int:
        return len(self._items) - (0 if self.is_closed else self._least)


class OrderedBuffer(Buffer):
    """Elements of which the one with the smallest first part is next; of equal ones the oldest."""

    def __init__(self, capacity: int, who: str) -> None:
        super().__init__(capacity, who)
        self._numbers = itertools.count()

    def _made(self) -> Any:
        return []

    def _put(self, element: Any) -> None:
        heapq.heappush(self._items, (int(element[0]), next(self._numbers), element))

    def _take(self) -> Any:
        return heapq.heappop(self._items)[2]

    def _put_back(self, elements: Sequence[Any]) -> None:
        for element in elements:
            self._put(element)
