"""Lasting: iterators that a failed step leaves usable, as TF's are; it would end a generator.

What has one thing to do for each element is a function that `stepping` calls. What is easier to
read as a generator takes its elements `caught`, yields the errors on, and is made `lasting`.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

__all__ = ["Failed", "caught", "flattened", "lasting", "later", "stepping"]


def stepping(step: Callable[[], Any]) -> Iterator[Any]:
    """Return an iterator over what a function returns, until it raises StopIteration."""
    return itertools.starmap(step, itertools.repeat(()))


def later(start: Callable[[], Iterable[Any]]) -> Iterator[Any]:
    """Return an iterator over what a function returns, which is called for the first element."""
    return itertools.chain.from_iterable(itertools.starmap(start, ((),)))


def flattened(parts: Iterator[Iterable[Any]]) -> Iterator[Any]:
    """Return an iterator over the elements of each part; a part that fails is passed over."""
    return itertools.chain.from_iterable(map(_part, caught(parts)))  # it ends where `parts` raises


def _part(part: Any) -> Iterable[Any]:
    return map(_given, (part,)) if type(part) is Failed else part


class Failed:
    """An element that could not be made, among those of a generator.

    Args:
        error: Why.
    """

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


def caught(items: Iterator[Any]) -> Iterator[Any]:
    """Return an iterator over items, with a `Failed` where one raises."""

    def step() -> Any:
        try:
            return next(items)
        except StopIteration:
            raise
        except Exception as error:
            return Failed(error)

    return stepping(step)


def lasting(items: Iterator[Any]) -> Iterator[Any]:
    """Return an iterator over a generator's items that raises where it yields a `Failed`."""
    return map(_given, items)


def _given(item: Any) -> Any:
    if type(item) is Failed:
        raise item.error
    return item
