"""Ordering: which elements come, and when."""

from typing import Any, Self

from lamina.data import sources, stages
from lamina.data import structure as nest
from lamina.data.making import Making
from lamina.data.seeds import fresh_seed
from lamina.data.shuffling import Shuffle
from lamina.engine import errors, static_int

__all__ = ["AUTOTUNE", "Ordering", "bad", "count_of"]

AUTOTUNE = -1


class Ordering(Making):
    """The part of a Dataset that chooses and orders elements."""

    element_spec: Any

    def shuffle(
        self,
        buffer_size: Any,
        seed: Any = None,
        reshuffle_each_iteration: bool | None = True,
        name: str | None = None,
    ) -> Self:
        """Return a dataset whose elements come in random order.

        Args:
            buffer_size: How many elements the next one is drawn from: the whole number of them
                for a uniform order. What is kept are indices where that is possible.
            seed: An int; None draws one from the global stream (`tf.random.set_seed`).
            reshuffle_each_iteration: Whether each pass has another order.
            name: Accepted, unused.
        """
        buffer = static_int(buffer_size, "buffer_size")
        if buffer < 1 and buffer != stages.UNKNOWN and buffer != AUTOTUNE:
            raise bad("shuffle", "buffer_size", "at least 1", buffer)
        again = reshuffle_each_iteration is None or bool(reshuffle_each_iteration)
        start = fresh_seed() if seed is None else static_int(seed, "seed") & (2**63 - 1)
        return self._then(Shuffle(self._stage, max(buffer, -1), start, again))

    def repeat(self, count: Any = None, name: str | None = None) -> Self:
        """Return a dataset of several passes; None or -1 is without end."""
        number = -1 if count is None else static_int(count, "count")
        return self._then(stages.Repeat(self._stage, number))

    def take(self, count: Any, name: str | None = None) -> Self:
        """Return a dataset of the first `count` elements; -1 takes all."""
        return self._then(stages.Take(self._stage, static_int(count, "count")))

    def skip(self, count: Any, name: str | None = None) -> Self:
        """Return a dataset without the first `count` elements; -1 skips all."""
        return self._then(stages.Skip(self._stage, static_int(count, "count")))

    def shard(self, num_shards: Any, index: Any, name: str | None = None) -> Self:
        """Return a dataset of each `num_shards`-th element, from `index` on."""
        number, first = static_int(num_shards, "num_shards"), static_int(index, "index")
        if not 0 <= first < number:
            raise bad("shard", "index", f"in [0, {number})", first)
        return self._then(stages.Shard(self._stage, number, first))

    def concatenate(self, dataset: Any, name: str | None = None) -> Self:
        """Return a dataset of these elements, then those of another of the same structure."""
        first, second = self.element_spec, dataset.element_spec
        try:
            nest.assert_same_structure(first, second)
            same = all(
                a.dtype == b.dtype
                for a, b in zip(nest.flatten(first), nest.flatten(second), strict=True)
            )
        except (TypeError, ValueError):
            same = False
        if not same:
            raise TypeError(
                f"tf.data.Dataset.concatenate: both datasets must have the same structure and "
                f"dtypes; got {first} and {second}.\n  Fix: map one of them to the other's."
            )
        return self._then(stages.Concatenate(self._stage, dataset._stage))

    def enumerate(self, start: Any = 0, name: str | None = None) -> Self:
        """Return a dataset of (number, element), counted from `start` as int64."""
        first = static_int(start, "start")
        stop = first + sources.ENDLESS
        return self._then(stages.Zip((sources.Numbers(range(first, stop), "int64"), self._stage)))


def bad(method: str, argument: str, expected: str, value: Any) -> errors.InvalidArgumentError:
    """Return the error of an argument that is out of range."""
    return errors.InvalidArgumentError(
        f"tf.data.Dataset.{method}: `{argument}` must be {expected}; got {value!r}."
    )


def count_of(method: str, argument: str, value: Any) -> int:
    """Return an argument that must be an int of at least 1.

    Raises:
        errors.InvalidArgumentError: it is smaller.
    """
    number = static_int(value, argument)
    if number < 1:
        raise bad(method, argument, "at least 1", number)
    return number
