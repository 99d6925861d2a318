"""Combining: datasets of datasets, windows and groups."""

import os
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from lamina.data import flattening
from lamina.data import structure as nest
from lamina.data.choosing import Choosing
from lamina.data.ordering import bad, count_of
from lamina.engine import errors, static_int

__all__ = ["Combining"]


class Combining(Choosing):
    """The part of a Dataset that makes datasets of datasets."""

    def flat_map(self, map_func: Callable[..., Any], name: str | None = None) -> Self:
        """Return a dataset of the elements of the datasets that a function makes, in a row.

        Args:
            map_func: A function of an element that returns a dataset. It runs as Python.
            name: Accepted, unused.

        Example:
            >>> windows = tf.data.Dataset.range(4).window(2)
            >>> [b.numpy().tolist() for b in windows.flat_map(lambda w: w.batch(2))]
            [[0, 1], [2, 3]]
        """
        return self._then(self._wrapped(flattening.FlatMap(self._stage, map_func, "flat_map")))

    def _wrapped(self, stage: Any) -> Any:
        stage._wrap = self._then
        return stage

    def interleave(
        self,
        map_func: Callable[..., Any],
        cycle_length: Any = None,
        block_length: Any = None,
        num_parallel_calls: Any = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Self:
        """Return a dataset that takes elements in turn from the datasets that a function makes.

        Args:
            map_func: A function of an element that returns a dataset. It runs as Python.
            cycle_length: How many datasets are open at a time; None is the number of processors,
                but at most `num_parallel_calls`.
            block_length: How many elements in a row come from each; None is 1.
            num_parallel_calls: Accepted; at most `cycle_length`. The order does not depend on it.
            deterministic: Accepted; the order is always that of the arguments above.
            name: Accepted, unused.

        Raises:
            errors.InvalidArgumentError: a length below 1.

        Example:
            >>> numbers = tf.data.Dataset.range(1, 4).interleave(
            ...     lambda x: tf.data.Dataset.from_tensors(x).repeat(3), 2, 2
            ... )
            >>> [int(n) for n in numbers]
            [1, 1, 2, 2, 1, 2, 3, 3, 3]
        """
        cycle = _AUTO if cycle_length is None else static_int(cycle_length, "cycle_length")
        block = 1 if block_length is None else static_int(block_length, "block_length")
        calls = None if num_parallel_calls is None else static_int(num_parallel_calls, "calls")
        if cycle == _AUTO:
            cycle = os.cpu_count() or 1
            cycle = min(cycle, calls) if calls is not None and calls > 0 else cycle
        for argument, value in (("cycle_length", cycle), ("block_length", block)):
            if value < 1:
                raise bad("interleave", argument, "at least 1", value)
        if calls is not None and cycle_length is not None and calls > cycle:
            raise bad("interleave", "num_parallel_calls", f"at most `cycle_length`, {cycle}", calls)
        return self._then(
            self._wrapped(
                flattening.Interleave(self._stage, map_func, cycle, block, calls is not None)
            )
        )

    def window(
        self,
        size: Any,
        shift: Any = None,
        stride: Any = 1,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Self:
        """Return a dataset of windows: datasets of some neighbouring elements each.

        Args:
            size: Elements a window.
            shift: How many elements further the next window starts; None is `size`.
            stride: From how many elements one is taken.
            drop_remainder: Whether smaller windows at the end are left out.
            name: Accepted, unused.

        Returns:
            A dataset of datasets; of a tuple or dict of datasets where elements are such.

        Raises:
            errors.InvalidArgumentError: a number below 1.

        Example:
            >>> for window in tf.data.Dataset.range(5).window(3, shift=2):
            ...     print(list(window.as_numpy_iterator()))
            [np.int64(0), np.int64(1), np.int64(2)]
            [np.int64(2), np.int64(3), np.int64(4)]
            [np.int64(4)]
        """
        number = count_of("window", "size", size)
        step = number if shift is None else count_of("window", "shift", shift)
        every = count_of("window", "stride", stride)
        drop = bool(drop_remainder)
        return self._then(flattening.Window(self._stage, number, step, every, drop, self._then))

    def group_by_window(
        self,
        key_func: Callable[..., Any],
        reduce_func: Callable[..., Any],
        window_size: Any = None,
        window_size_func: Callable[..., Any] | None = None,
        name: str | None = None,
    ) -> Self:
        """Return a dataset of what a function makes of groups of elements that share a key.

        Args:
            key_func: A function of an element that returns an int64 scalar.
            reduce_func: A function of a key and a dataset of elements that returns a dataset.
            window_size: How many elements a group has; the last ones may have fewer.
            window_size_func: A function of a key that returns that number.
            name: Accepted, unused.

        Raises:
            ValueError: not exactly one of the last two is given.

        Example:
            >>> groups = tf.data.Dataset.range(6).group_by_window(
            ...     lambda x: x % 2, lambda key, window: window.batch(3), window_size=3
            ... )
            >>> [b.numpy().tolist() for b in groups]
            [[0, 2, 4], [1, 3, 5]]
        """
        if (window_size is None) == (window_size_func is None):
            raise ValueError(
                "tf.data.Dataset.group_by_window: exactly one of `window_size` and "
                f"`window_size_func` must be given; got {window_size!r} and {window_size_func!r}."
            )
        if window_size_func is None:
            fixed = count_of("group_by_window", "window_size", window_size)
            window_size_func = lambda key: fixed  # noqa: E731
        return self._then(
            flattening.GroupByWindow(
                self._stage, key_func, reduce_func, window_size_func, self._then
            )
        )

    def bucket_by_sequence_length(
        self,
        element_length_func: Callable[..., Any],
        bucket_boundaries: Any,
        bucket_batch_sizes: Any,
        padded_shapes: Any = None,
        padding_values: Any = None,
        pad_to_bucket_boundary: bool = False,
        no_padding: bool = False,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Self:
        """Return a dataset of padded batches of elements of similar length.

        Args:
            element_length_func: A function of an element that returns its length, an int32.
            bucket_boundaries: The lengths from which the next bucket is taken, increasing.
            bucket_batch_sizes: Elements a batch, for each bucket: one more than boundaries.
            padded_shapes: As of `padded_batch`.
            padding_values: As of `padded_batch`.
            pad_to_bucket_boundary: Whether unknown sizes are filled up to the boundary less 1
                rather than to the longest of the batch.
            no_padding: Whether elements are batched as they are.
            drop_remainder: Whether smaller last batches are left out.
            name: Accepted, unused.

        Raises:
            ValueError: the numbers of boundaries and batch sizes do not fit.
            errors.InvalidArgumentError: an element longer than the last boundary, with
                `pad_to_bucket_boundary`.

        Example:
            >>> rows = [[0], [1, 2, 3, 4], [5, 6, 7], [7, 8, 9, 10, 11], [13, 14, 15], [16]]
            >>> dataset = tf.data.Dataset.from_generator(
            ...     lambda: rows, output_signature=tf.TensorSpec([None], tf.int64)
            ... )
            >>> dataset = dataset.bucket_by_sequence_length(
            ...     lambda row: tf.shape(row)[0], [3, 5], [2, 2, 2]
            ... )
            >>> for batch in dataset:
            ...     print(batch.numpy().tolist())
            [[1, 2, 3, 4], [5, 6, 7, 0]]
            [[0], [16]]
            [[13, 14, 15]]
            [[7, 8, 9, 10, 11]]
        """
        boundaries = [int(b) for b in bucket_boundaries]
        sizes = [int(n) for n in bucket_batch_sizes]
        if len(sizes) != len(boundaries) + 1:
            raise ValueError(
                "tf.data.Dataset.bucket_by_sequence_length: `bucket_batch_sizes` must have one "
                f"entry more than `bucket_boundaries`; got {len(sizes)} and {len(boundaries)}."
            )

        def key(*element: Any) -> int:
            length = int(element_length_func(*element))
            return int(np.searchsorted(boundaries, length, side="right"))

        def batched(bucket: Any, window: Any) -> Any:
            number = sizes[int(bucket)]
            if no_padding:
                return window.batch(number, drop_remainder=drop_remainder)
            shapes = padded_shapes
            if shapes is None:
                shapes = nest.map_structure(lambda s: s.shape, window.element_spec)
            if pad_to_bucket_boundary:
                shapes = _filled(shapes, _boundary(boundaries, int(bucket)), window.element_spec)
            return window.padded_batch(number, shapes, padding_values, drop_remainder)

        def like(window: Any) -> Any:
            return window.batch(1) if no_padding else window.padded_batch(1, padded_shapes)

        return self._then(
            flattening.GroupByWindow(
                self._stage, key, batched, lambda k: sizes[int(k)], self._then, like
            )
        )


_AUTO = -1


def _boundary(boundaries: list[int], bucket: int) -> int:
    if bucket >= len(boundaries):
        raise errors.InvalidArgumentError(
            f"tf.data.Dataset.bucket_by_sequence_length: with `pad_to_bucket_boundary` elements "
            f"must be shorter than the last boundary, {boundaries[-1]}; one is not.\n"
            f"  Fix: filter them, or add a boundary."
        )
    return boundaries[bucket] - 1


def _filled(shapes: Any, size: int, spec: Any) -> Any:
    """Return shapes with a size in place of the unknown ones."""

    def one(shape: Any) -> Any:
        return [size if n in (None, -1) else n for n in shape]

    if not nest.is_nested(spec):
        return one(shapes)
    flat = _flat_shapes(spec, shapes)
    return nest.pack_sequence_as(spec, [one(s) for s in flat])


def _flat_shapes(spec: Any, shapes: Any) -> list[Any]:
    if not nest.is_nested(spec):
        return [shapes]
    if isinstance(spec, dict):
        return [s for k in sorted(spec) for s in _flat_shapes(spec[k], shapes[k])]
    return [s for a, b in zip(spec, shapes, strict=True) for s in _flat_shapes(a, b)]
