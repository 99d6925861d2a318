"""Dataset: a lazy pipeline of elements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lamina.data import changes, elements, sources, stages
from lamina.engine import (
    Tensor,
    TensorShape,
    TensorSpec,
    as_dtype,
    convert_to_tensor,
    errors,
    global_stream,
    nest,
    static_int,
)

__all__ = ["AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "Dataset", "DatasetIterator"]

AUTOTUNE = -1
INFINITE_CARDINALITY = stages.INFINITE
UNKNOWN_CARDINALITY = stages.UNKNOWN

_ahead_of_autotune = 4  # elements that prefetch(AUTOTUNE) makes ahead


class Dataset:
    """A lazy pipeline of elements, each a structure of Tensors.

    A structure is made of tuples and dicts; a list is one Tensor. Each pass over the dataset runs
    the pipeline anew. Nothing is read or computed before it is asked for.

    Args:
        variant_tensor: The last stage; use the `from_…` functions instead.

    Attributes:
        element_spec: The TensorSpecs of an element.

    Example:
        >>> numbers = tf.data.Dataset.range(5).map(lambda x: x * x).batch(2)
        >>> [batch.tolist() for batch in numbers.as_numpy_iterator()]
        [[0, 1], [4, 9], [16]]
    """

    def __init__(self, variant_tensor: Any) -> None:
        if not isinstance(variant_tensor, stages.Stage):
            raise TypeError(
                f"tf.data.Dataset: it is made by its `from_…` functions and `range`; got "
                f"{variant_tensor!r}.\n  Fix: tf.data.Dataset.from_tensor_slices(arrays)."
            )
        self._stage = variant_tensor

    # -- sources

    @staticmethod
    def from_tensor_slices(tensors: Any, name: str | None = None) -> Dataset:
        """Return a dataset of the rows of arrays.

        Args:
            tensors: Arrays, Tensors or lists of shape `(N, ...)`; tuples and dicts of them.
            name: Accepted, unused.

        Raises:
            ValueError: a scalar, or arrays that differ in their first size.

        Example:
            >>> pairs = tf.data.Dataset.from_tensor_slices(([1, 2], ["a", "b"]))
            >>> list(pairs.as_numpy_iterator())
            [(np.int32(1), b'a'), (np.int32(2), b'b')]
        """
        columns = elements.as_arrays(tensors)
        shapes = [np.shape(c) for c in nest.flatten(columns)]
        lengths = {s[0] if s else None for s in shapes}
        if len(lengths) != 1 or None in lengths:
            raise ValueError(
                f"tf.data.Dataset.from_tensor_slices: all arrays must have the same number of "
                f"rows, along axis 0; got shapes {shapes}.\n"
                f"  Fix: check that they belong together; lists of arrays are one array, tuples "
                f"are several."
            )
        return Dataset(sources.Slices(columns, lengths.pop()))  # type: ignore[arg-type]

    @staticmethod
    def from_tensors(tensors: Any, name: str | None = None) -> Dataset:
        """Return a dataset of one element.

        Args:
            tensors: The element.
            name: Accepted, unused.
        """
        return Dataset(sources.Constant(elements.as_arrays(tensors)))

    @staticmethod
    def from_generator(
        generator: Callable[..., Any],
        output_types: Any = None,
        output_shapes: Any = None,
        args: Any = None,
        output_signature: Any = None,
        name: str | None = None,
    ) -> Dataset:
        """Return a dataset of what a generator function yields.

        Args:
            generator: A function that returns an iterable; each pass calls it.
            output_types: A structure of dtypes; `output_signature` is preferred.
            output_shapes: Shapes that go with `output_types`; None leaves them open.
            args: Arguments of the function; it gets them as NumPy arrays.
            output_signature: A structure of TensorSpecs.
            name: Accepted, unused.

        Raises:
            TypeError: `generator` is no function, nothing says the types, or an element does not
                fit them.

        Example:
            >>> spec = tf.TensorSpec([], tf.int32)
            >>> dataset = tf.data.Dataset.from_generator(lambda: range(3), output_signature=spec)
            >>> list(dataset.as_numpy_iterator())
            [np.int32(0), np.int32(1), np.int32(2)]
        """
        if not callable(generator):
            raise TypeError(
                f"tf.data.Dataset.from_generator: `generator` must be a function that returns an "
                f"iterable; got {generator!r}.\n  Fix: pass the function without calling it."
            )
        spec = _signature(output_types, output_shapes, output_signature)
        given = [np.asarray(convert_to_tensor(a)) for a in args or ()]
        return Dataset(sources.Generated(lambda: generator(*given), spec))

    @staticmethod
    def range(*args: Any, **kwargs: Any) -> Dataset:
        """Return a dataset of integers, int64: `range(stop)`, `range(start, stop[, step])`.

        Args:
            *args: As of Python's `range`.
            **kwargs: `output_type`: the dtype; `name`.
        """
        dtype = kwargs.pop("output_type", "int64")
        kwargs.pop("name", None)
        if kwargs:
            raise TypeError(f"tf.data.Dataset.range: it does not take {sorted(kwargs)}.")
        return Dataset(sources.Numbers(_range(*[static_int(a, "range") for a in args]), dtype))

    @staticmethod
    def zip(*args: Any, datasets: Any = None, name: str | None = None) -> Dataset:
        """Return a dataset of tuples of the elements of several; the shortest ends it.

        Args:
            *args: Datasets, or one structure of them.
            datasets: The structure, by name.
            name: Accepted, unused.

        Example:
            >>> both = tf.data.Dataset.zip(tf.data.Dataset.range(2), tf.data.Dataset.range(5, 9))
            >>> list(both.as_numpy_iterator())
            [(np.int64(0), np.int64(5)), (np.int64(1), np.int64(6))]
        """
        if datasets is not None:
            args = (datasets,)
        structure: Any = args[0] if len(args) == 1 else tuple(args)
        if isinstance(structure, list):
            structure = tuple(structure)
        wrong = [d for d in nest.flatten(structure) if not isinstance(d, Dataset)]
        if wrong or not args:
            raise TypeError(
                f"tf.data.Dataset.zip: datasets were expected; got {wrong[0] if wrong else args!r}."
                f"\n  Fix: tf.data.Dataset.from_tensor_slices(array) makes one."
            )
        return Dataset(stages.Zip(nest.map_structure(lambda d: d._stage, structure)))

    # -- order and choice

    def shuffle(
        self,
        buffer_size: Any,
        seed: Any = None,
        reshuffle_each_iteration: bool | None = True,
        name: str | None = None,
    ) -> Dataset:
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
            raise _bad("shuffle", "buffer_size", "at least 1", buffer)
        again = reshuffle_each_iteration is None or bool(reshuffle_each_iteration)
        start = _fresh_seed() if seed is None else static_int(seed, "seed") & (2**63 - 1)
        return self._then(stages.Shuffle(self._stage, max(buffer, -1), start, again))

    def repeat(self, count: Any = None, name: str | None = None) -> Dataset:
        """Return a dataset of several passes; None or -1 is without end."""
        number = -1 if count is None else static_int(count, "count")
        return self._then(stages.Repeat(self._stage, number))

    def take(self, count: Any, name: str | None = None) -> Dataset:
        """Return a dataset of the first `count` elements; -1 takes all."""
        return self._then(stages.Take(self._stage, static_int(count, "count")))

    def skip(self, count: Any, name: str | None = None) -> Dataset:
        """Return a dataset without the first `count` elements; -1 skips all."""
        return self._then(stages.Skip(self._stage, static_int(count, "count")))

    def shard(self, num_shards: Any, index: Any, name: str | None = None) -> Dataset:
        """Return a dataset of each `num_shards`-th element, from `index` on."""
        number, first = static_int(num_shards, "num_shards"), static_int(index, "index")
        if not 0 <= first < number:
            raise _bad("shard", "index", f"in [0, {number})", first)
        return self._then(stages.Shard(self._stage, number, first))

    def concatenate(self, dataset: Dataset, name: str | None = None) -> Dataset:
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

    # -- elements

    def batch(
        self,
        batch_size: Any,
        drop_remainder: bool = False,
        num_parallel_calls: Any = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """Return a dataset of batches: elements stacked along a new first axis.

        Args:
            batch_size: Elements a batch, at least 1.
            drop_remainder: Whether a smaller last batch is left out.
            num_parallel_calls: Accepted; a batch is gathered at once.
            deterministic: Accepted; the order is kept.
            name: Accepted, unused.

        Raises:
            ValueError: elements of a batch differ in shape.
        """
        number = static_int(batch_size, "batch_size")
        if number < 1:
            raise _bad("batch", "batch_size", "at least 1", number)
        return self._then(changes.Batch(self._stage, number, bool(drop_remainder)))

    def padded_batch(
        self,
        batch_size: Any,
        padded_shapes: Any = None,
        padding_values: Any = None,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Dataset:
        """Return a dataset of batches of elements of different shapes, filled up to one.

        Args:
            batch_size: Elements a batch, at least 1.
            padded_shapes: A structure of shapes to fill up to; None or -1 in one, or None for
                all, takes the largest of the batch.
            padding_values: A structure of what fills up, or one value for all; None is 0, or "".
            drop_remainder: Whether a smaller last batch is left out.
            name: Accepted, unused.

        Raises:
            errors.DataLossError: an element does not fit into its shape.

        Example:
            >>> rows = tf.data.Dataset.range(1, 4).map(lambda n: tf.fill([n], n))
            >>> next(rows.padded_batch(3).as_numpy_iterator())
            array([[1, 0, 0],
                   [2, 2, 0],
                   [3, 3, 3]])
        """
        number = static_int(batch_size, "batch_size")
        if number < 1:
            raise _bad("padded_batch", "batch_size", "at least 1", number)
        shapes, values = _padding(self.element_spec, padded_shapes, padding_values)
        return self._then(
            changes.PaddedBatch(self._stage, number, bool(drop_remainder), shapes, values)
        )

    def unbatch(self, name: str | None = None) -> Dataset:
        """Return a dataset of the rows of the elements."""
        return self._then(changes.Unbatch(self._stage))

    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: Any = None,
        deterministic: bool | None = None,
        synchronous: bool | None = None,
        use_unbounded_threadpool: bool = False,
        name: str | None = None,
    ) -> Dataset:
        """Return a dataset of the results of a function.

        The function is traced and compiled, as by `tf.function`; before `batch` it runs for a
        whole batch at once. What cannot be traced runs as Python.

        Args:
            map_func: A function of an element; the parts of a tuple are its arguments.
            num_parallel_calls: Accepted; see above.
            deterministic: Accepted; the order is kept.
            synchronous: Accepted, unused.
            use_unbounded_threadpool: Accepted, unused.
            name: Accepted, unused.
        """
        return self._then(changes.Map(self._stage, map_func))

    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """Return a dataset of the elements for which a function returns true.

        Args:
            predicate: A function of an element that returns a scalar boolean.
            name: Accepted, unused.

        Example:
            >>> even = tf.data.Dataset.range(5).filter(lambda x: x % 2 == 0)
            >>> [int(x) for x in even]
            [0, 2, 4]
        """
        return self._then(changes.Filter(self._stage, predicate))

    def enumerate(self, start: Any = 0, name: str | None = None) -> Dataset:
        """Return a dataset of (number, element), counted from `start` as int64."""
        first = static_int(start, "start")
        size = self._stage.size()
        stop = first + (size if size >= 0 else 2**62)
        return self._then(stages.Zip((sources.Numbers(_range(first, stop), "int64"), self._stage)))

    def cache(self, filename: Any = "", name: str | None = None) -> Dataset:
        """Return a dataset that keeps the elements of its first whole pass in memory.

        Args:
            filename: "", for memory.
            name: Accepted, unused.

        Raises:
            errors.UnimplementedError: another `filename`.
        """
        if filename:
            raise errors.UnimplementedError(
                f'tf.data.Dataset.cache: `filename` must be "", which keeps the elements in '
                f"memory; got {filename!r}.\n  Fix: leave it out, or write the elements with "
                f"np.savez and read them with from_tensor_slices."
            )
        return self._then(changes.Cache(self._stage))

    def prefetch(self, buffer_size: Any, name: str | None = None) -> Dataset:
        """Return a dataset whose next elements are made ahead, in a thread.

        Args:
            buffer_size: How many; AUTOTUNE chooses.
            name: Accepted, unused.
        """
        number = static_int(buffer_size, "buffer_size")
        if number == 0:
            return self
        number = _ahead_of_autotune if number < 0 else number
        return self._then(changes.Prefetch(self._stage, number))

    # -- what it holds

    @property
    def element_spec(self) -> Any:
        """The TensorSpecs of an element, in its structure."""
        return self._stage.spec()

    def cardinality(self) -> Tensor:
        """Return the number of elements, int64; -1 is infinite, -2 unknown."""
        return convert_to_tensor(self._stage.size(), "int64")

    def __len__(self) -> int:
        size = self._stage.size()
        if size < 0:
            kind = "infinite" if size == stages.INFINITE else "unknown"
            raise TypeError(
                f"tf.data.Dataset: its length is {kind}.\n  Fix: use take(n), or count with "
                f"sum(1 for _ in dataset) where it ends."
            )
        return size

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> DatasetIterator:
        return DatasetIterator(self._stage)

    def as_numpy_iterator(self) -> Iterator[Any]:
        """Return an iterator over the elements as NumPy arrays and scalars."""
        return (nest.map_structure(_to_numpy, row) for row in self._stage.rows())

    def get_single_element(self, name: str | None = None) -> Any:
        """Return the only element.

        Raises:
            errors.InvalidArgumentError: there are none, or several.
        """
        rows = list(Dataset.take(self, 2))
        if len(rows) != 1:
            raise errors.InvalidArgumentError(
                f"tf.data.Dataset.get_single_element: one element was expected; there "
                f"{'are more' if rows else 'is none'}.\n  Fix: use take(1), or batch them."
            )
        return rows[0]

    def _batch_size(self) -> int | None:
        """Return the batch size of the last stage that is no prefetch or shuffle, or None."""
        stage: Any = self._stage
        while isinstance(stage, changes.Prefetch | stages.Shuffle | changes.Cache):
            stage = stage.before
        return stage.number if isinstance(stage, changes.Batch) else None

    def _passes(self) -> list[int]:
        """Return how many passes each shuffle was asked for; it decides the next order."""
        return [shuffle.passes for shuffle in stages.shuffles(self._stage)]

    def _set_passes(self, passes: list[int]) -> None:
        """Go to where `_passes` told."""
        for shuffle, number in zip(stages.shuffles(self._stage), passes, strict=True):
            shuffle.passes = number

    def _then(self, stage: stages.Stage) -> Dataset:
        return Dataset(stage)

    def _map_host(self, function: Callable[[Any], Any], spec: Any, many: Any = None) -> Dataset:
        """Return a dataset of the results of a NumPy function of an element; see HostMap."""
        return self._then(changes.HostMap(self._stage, function, spec, many))

    def __repr__(self) -> str:
        return f"<{type(self._stage).__name__}Dataset element_spec={self.element_spec}>"


class DatasetIterator:
    """One pass over a dataset."""

    def __init__(self, stage: stages.Stage) -> None:
        self._stage = stage
        self._rows = stage.rows()

    @property
    def element_spec(self) -> Any:
        """The TensorSpecs of an element."""
        return self._stage.spec()

    def get_next(self) -> Any:
        """Return the next element.

        Raises:
            errors.OutOfRangeError: there is none.
        """
        try:
            return next(self)
        except StopIteration:
            raise errors.OutOfRangeError("tf.data: the dataset has no further element.") from None

    def __iter__(self) -> DatasetIterator:
        return self

    def __next__(self) -> Any:
        return elements.as_tensors(next(self._rows))


_range = range  # inside the class the name is the method's


def _to_numpy(leaf: Any) -> Any:
    if isinstance(leaf, Tensor):
        return leaf.numpy()
    return leaf[()] if isinstance(leaf, np.ndarray) and leaf.ndim == 0 else leaf


def _fresh_seed() -> int:
    """Return a seed from the global stream."""
    key, counter = global_stream().next()
    high, low = (int(k) for k in np.asarray(key))
    return ((high << 32 | low) + 0x9E3779B97F4A7C15 * (int(counter) + 1)) & (2**63 - 1)


def _padding(spec: Any, shapes: Any, values: Any) -> tuple[list[Any], list[Any]]:
    """Return the padded shape and the padding value of each leaf."""
    leaves = nest.flatten(spec)
    if shapes is None:
        given: list[Any] = [elements.dims_of(leaf) for leaf in leaves]
    elif isinstance(spec, TensorSpec):
        given = [shapes]
    else:
        given = _shapes_like(spec, shapes)
    for shape in given:
        if shape is None:
            raise ValueError(
                "tf.data.Dataset.padded_batch: the rank of all elements must be known; it is not."
                "\n  Fix: pass `padded_shapes`."
            )
    found = [[None if n in (None, -1) else int(n) for n in TensorShape(s)] for s in given]
    if values is None or not nest.is_nested(values):
        flat: list[Any] = [values] * len(leaves)
    else:
        flat = nest.flatten(_tuples(values))
    empty = [b"" if leaf.dtype.name == "string" else 0 for leaf in leaves]
    return found, [e if v is None else _plain(v) for v, e in zip(flat, empty, strict=True)]


def _plain(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else np.asarray(value)[()]


def _shapes_like(spec: Any, shapes: Any) -> list[Any]:
    """Return the shapes of a structure like `spec` in the order of its leaves."""
    if isinstance(spec, TensorSpec):
        return [shapes]
    if isinstance(spec, dict):
        return [s for k in sorted(spec) for s in _shapes_like(spec[k], shapes[k])]
    pairs = zip(spec, shapes, strict=True)
    return [s for part, given in pairs for s in _shapes_like(part, given)]


def _signature(types: Any, shapes: Any, signature: Any) -> Any:
    if signature is not None:
        if types is not None or shapes is not None:
            raise TypeError(
                "tf.data.Dataset.from_generator: `output_signature` cannot be given together with "
                "`output_types` or `output_shapes`.\n  Fix: keep `output_signature`."
            )
        return _tuples(signature)
    if types is None:
        raise TypeError(
            "tf.data.Dataset.from_generator: the types of the elements must be given; got none.\n"
            "  Fix: pass output_signature=tf.TensorSpec(shape, dtype), or a structure of them."
        )
    types = _tuples(types)
    if shapes is None:
        return nest.map_structure(lambda t: TensorSpec(TensorShape(None), as_dtype(t)), types)
    return _with_shapes(types, shapes)


def _with_shapes(types: Any, shapes: Any) -> Any:
    if isinstance(types, tuple) and not isinstance(shapes, TensorShape):
        return tuple(_with_shapes(t, s) for t, s in zip(types, shapes, strict=True))
    if isinstance(types, dict):
        return {k: _with_shapes(types[k], shapes[k]) for k in types}
    return TensorSpec(TensorShape(shapes), as_dtype(types))


def _tuples(structure: Any) -> Any:
    """Return a structure with tuples in place of lists."""
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*[_tuples(s) for s in structure])
    if isinstance(structure, list | tuple):
        return tuple(_tuples(s) for s in structure)
    if isinstance(structure, dict):
        return {k: _tuples(v) for k, v in structure.items()}
    return structure


def _bad(method: str, argument: str, expected: str, value: Any) -> ValueError:
    return ValueError(f"tf.data.Dataset.{method}: `{argument}` must be {expected}; got {value!r}.")
