"""Changing: what becomes of the elements."""

import os
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from lamina.data import changes, elements
from lamina.data import structure as nest
from lamina.data.elements import tuples
from lamina.data.ordering import AUTOTUNE, Ordering, bad, count_of
from lamina.engine import TensorSpec, static_int

__all__ = ["Changing"]

_AHEAD = 4  # elements that prefetch(AUTOTUNE) makes ahead


class Changing(Ordering):
    """The part of a Dataset that makes other elements."""

    def batch(
        self,
        batch_size: Any,
        drop_remainder: bool = False,
        num_parallel_calls: Any = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Self:
        """Return a dataset of batches: elements stacked along a new first axis.

        Args:
            batch_size: Elements a batch, at least 1.
            drop_remainder: Whether a smaller last batch is left out.
            num_parallel_calls: Accepted; a batch is gathered at once.
            deterministic: Accepted; the order is kept.
            name: Accepted, unused.

        Raises:
            errors.InvalidArgumentError: elements of a batch differ in shape; when it is made.
        """
        number = count_of("batch", "batch_size", batch_size)
        return self._then(changes.Batch(self._stage, number, bool(drop_remainder)))

    def padded_batch(
        self,
        batch_size: Any,
        padded_shapes: Any = None,
        padding_values: Any = None,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Self:
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
            >>> rows = tf.data.Dataset.from_generator(
            ...     lambda: [[1], [2, 2], [3, 3, 3]],
            ...     output_signature=tf.TensorSpec([None], tf.int32),
            ... )
            >>> next(rows.padded_batch(3).as_numpy_iterator())
            array([[1, 0, 0],
                   [2, 2, 0],
                   [3, 3, 3]], dtype=int32)
        """
        number = count_of("padded_batch", "batch_size", batch_size)
        shapes, values = _padding(self.element_spec, padded_shapes, padding_values)
        return self._then(
            changes.PaddedBatch(self._stage, number, bool(drop_remainder), shapes, values)
        )

    def unbatch(self, name: str | None = None) -> Self:
        """Return a dataset of the rows of the elements.

        Raises:
            ValueError: a part of the elements is a scalar, or parts are known to have different
                lengths; as an InvalidArgumentError when an element shows it.
        """
        firsts = [(elements.dims_of(s) or [None])[0] for s in nest.flatten(self.element_spec)]
        if len(set(firsts) - {None}) > 1:
            raise ValueError(
                f"tf.data.Dataset.unbatch: all parts of an element must have one length; got "
                f"{[n for n in firsts if n is not None]}.\n  Fix: check the arrays along axis 0."
            )
        scalars = [s for s in nest.flatten(self.element_spec) if elements.dims_of(s) == []]
        if scalars:
            raise ValueError(
                f"tf.data.Dataset.unbatch: all parts of an element must have a first axis; got "
                f"{self.element_spec}.\n  Fix: leave unbatch out, or batch first."
            )
        return self._then(changes.Unbatch(self._stage))

    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: Any = None,
        deterministic: bool | None = None,
        synchronous: bool | None = None,
        use_unbounded_threadpool: bool = False,
        name: str | None = None,
    ) -> Self:
        """Return a dataset of the results of a function.

        The function is traced and compiled, as by `tf.function`; before `batch` it runs for a
        whole batch at once. What cannot be traced runs as Python.

        Args:
            map_func: A function of an element; the parts of a tuple are its arguments.
            num_parallel_calls: In how many threads it runs where it runs as Python, for strings,
                files and `tf.py_function`; AUTOTUNE is one for each processor. None runs it in the
                thread that asks.
            deterministic: Accepted; the order is kept.
            synchronous: Accepted, unused.
            use_unbounded_threadpool: Accepted, unused.
            name: Accepted, unused.
        """
        threads = 1
        if num_parallel_calls is not None:
            threads = static_int(num_parallel_calls, "num_parallel_calls")
            if threads < 1 and threads != AUTOTUNE:
                raise bad("map", "num_parallel_calls", "at least 1, or AUTOTUNE", threads)
            threads = (os.cpu_count() or 1) if threads < 1 else threads
        return self._then(changes.Map(self._stage, map_func, threads))

    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> Self:
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

    def prefetch(self, buffer_size: Any, name: str | None = None) -> Self:
        """Return a dataset whose next elements are made ahead, in a thread.

        Args:
            buffer_size: How many; AUTOTUNE or None chooses.
            name: Accepted, unused.
        """
        number = AUTOTUNE if buffer_size is None else static_int(buffer_size, "buffer_size")
        if number < 0 and number != AUTOTUNE:
            raise bad("prefetch", "buffer_size", "at least 0, or AUTOTUNE", number)
        if number == 0:
            return self
        number = _AHEAD if number < 0 else number
        return self._then(changes.Prefetch(self._stage, number))

    def _map_host(self, function: Callable[[Any], Any], spec: Any, many: Any = None) -> Self:
        """Return a dataset of the results of a NumPy function of an element; see HostMap."""
        return self._then(changes.HostMap(self._stage, function, spec, many))


def _padding(spec: Any, shapes: Any, values: Any) -> tuple[list[Any], list[Any]]:
    """Return the padded shape and the padding value of each leaf."""
    leaves = nest.flatten(spec)
    wrong = [leaf for leaf in leaves if type(leaf) is not TensorSpec]
    if wrong:
        raise TypeError(
            f"tf.data.Dataset.padded_batch: all parts of an element must be Tensors, not ragged, "
            f"sparse, None or datasets; got {wrong[0]!r}.\n  Fix: batch, which keeps ragged and "
            f"sparse parts as they are."
        )
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
    found = [_sizes_of(s) for s in given]
    for shape, leaf in zip(found, leaves, strict=True):
        _check_holds(shape, elements.dims_of(leaf))
    if values is None or not nest.is_nested(values):
        flat: list[Any] = [values] * len(leaves)
    else:
        flat = nest.flatten(tuples(values))
    empty = [b"" if leaf.dtype.name == "string" else 0 for leaf in leaves]
    pairs = zip(flat, empty, leaves, strict=True)
    return found, [e if v is None else _filling(v, leaf) for v, e, leaf in pairs]


def _check_holds(shape: list[int | None], dims: list[Any] | None) -> None:
    """Raise if what is known of the shape of elements does not fit into a padded shape."""
    if dims is None:
        return
    pairs = zip(dims, shape, strict=False)
    if len(dims) != len(shape) or any(
        n is not None and to is not None and n > to for n, to in pairs
    ):
        raise ValueError(
            f"tf.data.Dataset.padded_batch: a padded shape must hold the elements of shape "
            f"{tuple(dims)}; got {tuple(shape)}.\n  Fix: take None or a larger size there."
        )


def _sizes_of(shape: Any) -> list[int | None]:
    """Return a padded shape as a list.

    Raises:
        TypeError: it has sizes that are no integers.
        ValueError: it has several axes.
    """
    sizes = np.asarray(tuple(shape), object)
    if sizes.ndim > 1:
        raise ValueError(
            f"tf.data.Dataset.padded_batch: a padded shape must have one axis; got {shape!r}."
        )
    if any(n is not None and np.asarray(n).dtype.kind not in "iu" for n in sizes):
        raise TypeError(
            f"tf.data.Dataset.padded_batch: a padded shape must hold integers or None; got "
            f"{shape!r}.\n  Fix: cast it to tf.int64."
        )
    return [None if n in (None, -1) else int(n) for n in sizes]


def _filling(value: Any, leaf: Any) -> Any:
    """Return what fills up a leaf, which must be of its kind.

    Raises:
        TypeError: it would be another number as a value of the leaf's dtype, or is none.
        ValueError: it is no scalar.
    """
    found = value.encode() if isinstance(value, str) else np.asarray(value)[()]
    is_text = isinstance(found, bytes)
    if not is_text and np.ndim(found):
        raise ValueError(
            f"tf.data.Dataset.padded_batch: `padding_values` must be scalars; got {value!r}."
        )
    fits = is_text == (leaf.dtype.name == "string")
    if fits and not is_text and not (leaf.dtype.is_floating or leaf.dtype.is_complex):
        fits = np.asarray(found).astype(leaf.dtype.np) == found
    if not fits:
        raise TypeError(
            f"tf.data.Dataset.padded_batch: `padding_values` must be of the dtype of what they "
            f"fill up, {leaf.dtype.name}; got {value!r}."
        )
    return found


def _shapes_like(spec: Any, shapes: Any) -> list[Any]:
    """Return the shapes of a structure like `spec` in the order of its leaves."""
    if isinstance(spec, TensorSpec):
        return [shapes]
    if isinstance(spec, dict):
        return [s for k in sorted(spec) for s in _shapes_like(spec[k], shapes[k])]
    pairs = zip(spec, shapes, strict=True)
    return [s for part, given in pairs for s in _shapes_like(part, given)]
