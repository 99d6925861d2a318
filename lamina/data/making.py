"""Making: how a dataset starts."""

import glob
import os
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from lamina.data import composites, elements, sources, stages
from lamina.data import structure as nest
from lamina.data.elements import tuples
from lamina.data.seeds import fresh_seed
from lamina.engine import (
    TensorShape,
    TensorSpec,
    as_dtype,
    convert_to_tensor,
    errors,
    static_int,
)
from lamina.engine.typespec import TypeSpec

__all__ = ["Making"]


class Making:
    """The part of a Dataset that makes new ones."""

    _stage: stages.Stage

    def __init__(self, variant_tensor: Any) -> None:
        if not isinstance(variant_tensor, stages.Stage):
            raise TypeError(
                f"tf.data.Dataset: it is made by its `from_…` functions and `range`; got "
                f"{variant_tensor!r}.\n  Fix: tf.data.Dataset.from_tensor_slices(arrays)."
            )
        self._stage = variant_tensor

    def _then(self, stage: stages.Stage) -> Self:
        """Return a dataset with one stage more; of a subclass too, a plain one."""
        return self._of(stage)

    @classmethod
    def _of(cls, stage: Any) -> Any:
        """Return the dataset of a stage."""
        return cls(stage)

    @classmethod
    def from_tensor_slices(cls, tensors: Any, name: str | None = None) -> Self:
        """Return a dataset of the rows of arrays.

        Args:
            tensors: Arrays, Tensors or lists of shape `(N, ...)`; tuples and dicts of them. None
                stays None in each element.
            name: Accepted, unused.

        Raises:
            ValueError: a scalar, or arrays that differ in their first size.

        Example:
            >>> pairs = tf.data.Dataset.from_tensor_slices(([1, 2], ["a", "b"]))
            >>> list(pairs.as_numpy_iterator())
            [(np.int32(1), b'a'), (np.int32(2), b'b')]
        """
        columns = elements.as_arrays(tensors)
        given = [column for column in nest.flatten(columns) if column is not None]
        lengths = {composites.rows_in(column) for column in given}
        if len(lengths) != 1 or None in lengths:
            raise ValueError(
                f"tf.data.Dataset.from_tensor_slices: all arrays must have the same number of "
                f"rows, along axis 0; got shapes {[np.shape(column) for column in given]}.\n"
                f"  Fix: check that they belong together; lists of arrays are one array, tuples "
                f"are several."
            )
        return cls._of(sources.Slices(columns, lengths.pop() or 0))

    @classmethod
    def from_tensors(cls, tensors: Any, name: str | None = None) -> Self:
        """Return a dataset of one element.

        Args:
            tensors: The element.
            name: Accepted, unused.
        """
        return cls._of(sources.Constant(elements.as_arrays(tensors)))

    @classmethod
    def from_generator(
        cls,
        generator: Callable[..., Any],
        output_types: Any = None,
        output_shapes: Any = None,
        args: Any = None,
        output_signature: Any = None,
        name: str | None = None,
    ) -> Self:
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
        given = [np.asarray(convert_to_tensor(a))[()] for a in args or ()]
        return cls._of(sources.Generated(lambda: generator(*given), spec))

    @classmethod
    def range(cls, *args: Any, **kwargs: Any) -> Self:
        """Return a dataset of integers, int64: `range(stop)`, `range(start, stop[, step])`.

        Args:
            *args: As of Python's `range`.
            **kwargs: `output_type`: the dtype; `name`.

        Raises:
            ValueError: there are no numbers, or more than three.
            errors.InvalidArgumentError: the step is 0, or the dtype is not one of numbers.
        """
        dtype = kwargs.pop("output_type", "int64")
        kwargs.pop("name", None)
        if kwargs:
            raise TypeError(f"tf.data.Dataset.range: it does not take {sorted(kwargs)}.")
        if not 1 <= len(args) <= 3:
            raise ValueError(
                f"tf.data.Dataset.range: it takes (stop), (start, stop) or (start, stop, step); "
                f"got {len(args)} numbers."
            )
        numbers = [static_int(a, "range") for a in args]
        if numbers[2:] == [0]:
            raise errors.InvalidArgumentError("tf.data.Dataset.range: `step` must not be 0.")
        kind = as_dtype(dtype)
        if not (kind.is_integer or kind.is_floating):
            raise errors.InvalidArgumentError(
                f"tf.data.Dataset.range: `output_type` must be a dtype of numbers; got {kind.name}."
            )
        return cls._of(sources.Numbers(_range(*numbers), kind))

    @classmethod
    def counter(
        cls, start: Any = 0, step: Any = 1, dtype: Any = "int64", name: str | None = None
    ) -> Self:
        """Return a dataset of numbers without end, from `start` in steps of `step`.

        Args:
            start: The first.
            step: What is added each time.
            dtype: The dtype.
            name: Accepted, unused.

        Example:
            >>> list(tf.data.Dataset.counter(2, 5).take(3).as_numpy_iterator())
            [np.int64(2), np.int64(7), np.int64(12)]
        """
        first, each = static_int(start, "start"), static_int(step, "step")
        if each == 0:
            one: Any = cls.range(first, first + 1, output_type=dtype)
            return one.repeat()
        numbers = _range(first, first + each * sources.ENDLESS, each)
        return cls._of(sources.Numbers(numbers, dtype, "Scan"))

    @classmethod
    def random(
        cls,
        seed: Any = None,
        rerandomize_each_iteration: bool | None = None,
        name: str | None = None,
    ) -> Self:
        """Return a dataset of random integers in [0, 2**32), int64, without end.

        Args:
            seed: An int; None takes one from the global stream.
            rerandomize_each_iteration: Whether each pass has others; None does where no seed is
                given.
            name: Accepted, unused.

        Example:
            >>> drawn = list(tf.data.Dataset.random(seed=4).take(3).as_numpy_iterator())
            >>> len(set(drawn)), drawn[0].dtype
            (3, dtype('int64'))
        """
        start = fresh_seed() if seed is None else static_int(seed, "seed") & (2**63 - 1)
        again = seed is None if rerandomize_each_iteration is None else rerandomize_each_iteration
        return cls._of(sources.Drawn(start, bool(again)))

    @classmethod
    def list_files(
        cls, file_pattern: Any, shuffle: bool | None = None, seed: Any = None,
        name: str | None = None,
    ) -> Self:  # fmt: skip
        """Return a dataset of the names of the files that match patterns.

        Args:
            file_pattern: A pattern with `*`, `?` and `[…]`, or a list or Tensor of them.
            shuffle: Whether each pass has another random order; None does. Else they are sorted.
            seed: An int, for the order.
            name: Accepted, unused.

        Raises:
            errors.InvalidArgumentError: no file matches.

        Example:
            >>> import os, tempfile
            >>> where = tempfile.mkdtemp()
            >>> for name in ("b.txt", "a.txt"):
            ...     open(os.path.join(where, name), "w").close()
            >>> files = tf.data.Dataset.list_files(where + "/*.txt", shuffle=False)
            >>> [os.path.basename(f).decode() for f in files.as_numpy_iterator()]
            ['a.txt', 'b.txt']
        """
        if isinstance(file_pattern, os.PathLike):
            file_pattern = os.fspath(file_pattern)
        if isinstance(file_pattern, list | tuple):
            file_pattern = [os.fspath(p) if isinstance(p, os.PathLike) else p for p in file_pattern]
        given = np.asarray(convert_to_tensor(file_pattern)).reshape(-1)
        if given.dtype != object and len(given):
            raise TypeError(
                f"tf.data.Dataset.list_files: `file_pattern` must be strings; got {file_pattern!r}."
            )
        patterns = [p.decode() for p in given]
        found = sorted({path for pattern in patterns for path in glob.glob(pattern)})
        if not found:
            raise errors.InvalidArgumentError(
                f"tf.data.Dataset.list_files: No files matched pattern: {', '.join(patterns)}\n"
                f"  Fix: check the path, from {os.getcwd()} if it is relative."
            )
        made: Any = cls.from_tensor_slices(found)
        return made if shuffle is not None and not shuffle else made.shuffle(len(found), seed)

    @classmethod
    def zip(cls, *args: Any, datasets: Any = None, name: str | None = None) -> Self:
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
        wrong = [d for d in nest.flatten(structure) if not isinstance(d, Making)]
        if wrong or not args:
            raise TypeError(
                f"tf.data.Dataset.zip: datasets were expected; got {wrong[0] if wrong else args!r}."
                f"\n  Fix: tf.data.Dataset.from_tensor_slices(array) makes one."
            )
        return cls._of(stages.Zip(nest.map_structure(lambda d: d._stage, structure)))


_range = range  # inside the class the name is the method's


def _signature(types: Any, shapes: Any, signature: Any) -> Any:
    if signature is not None:
        if types is not None or shapes is not None:
            raise TypeError(
                "tf.data.Dataset.from_generator: `output_signature` cannot be given together with "
                "`output_types` or `output_shapes`.\n  Fix: keep `output_signature`."
            )
        wrong = [s for s in nest.flatten(tuples(signature)) if not isinstance(s, TypeSpec)]
        if wrong:
            raise TypeError(
                f"tf.data.Dataset.from_generator: `output_signature` must hold type specs; got "
                f"{wrong[0]!r}.\n  Fix: tf.TensorSpec(shape, dtype)."
            )
        return tuples(signature)
    if types is None:
        raise TypeError(
            "tf.data.Dataset.from_generator: the types of the elements must be given; got none.\n"
            "  Fix: pass output_signature=tf.TensorSpec(shape, dtype), or a structure of them."
        )
    if isinstance(types, list):
        raise TypeError(
            f"tf.data.Dataset.from_generator: `output_types` must be a dtype, or a tuple or dict "
            f"of them; got {types!r}.\n  Fix: a tuple, for elements that are tuples."
        )
    types = tuples(types)
    if shapes is None:
        return nest.map_structure(lambda t: TensorSpec(TensorShape(None), as_dtype(t)), types)
    return _with_shapes(types, shapes)


def _with_shapes(types: Any, shapes: Any) -> Any:
    if isinstance(types, tuple) and not isinstance(shapes, TensorShape):
        return tuple(_with_shapes(t, s) for t, s in zip(types, shapes, strict=True))
    if isinstance(types, dict):
        return {k: _with_shapes(types[k], shapes[k]) for k in types}
    return TensorSpec(TensorShape(shapes), as_dtype(types))
