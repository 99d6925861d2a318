"""Folding: what passes a state on from element to element, and other batches."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from lamina.data import elements, stages, stateful
from lamina.data import structure as nest
from lamina.data.changing import Changing
from lamina.data.mapping import UserFunction
from lamina.data.ordering import bad, count_of
from lamina.engine import as_dtype, errors, local, static_ints

__all__ = ["Folding"]


class Folding(Changing):
    """The part of a Dataset whose elements depend on several before."""

    def apply(self, transformation_func: Callable[[Any], Any]) -> Any:
        """Return what a function of this dataset returns: another dataset.

        Args:
            transformation_func: A function of a dataset.

        Example:
            >>> dataset = tf.data.Dataset.range(3).apply(lambda d: d.map(lambda x: x + 1))
            >>> list(dataset.as_numpy_iterator())
            [np.int64(1), np.int64(2), np.int64(3)]
        """
        made = transformation_func(self)
        if not isinstance(made, Changing):
            raise TypeError(
                f"tf.data.Dataset.apply: `transformation_func` must return a dataset; got {made!r}."
            )
        return made

    def scan(
        self, initial_state: Any, scan_func: Callable[..., Any], name: str | None = None
    ) -> Self:
        """Return a dataset of the outputs of a function that passes a state on.

        Args:
            initial_state: A structure of what converts to Tensors.
            scan_func: A function of the state and an element that returns (new state, output).
            name: Accepted, unused.

        Raises:
            TypeError: a new state has another structure or dtype.

        Example:
            >>> sums = tf.data.Dataset.range(4).scan(np.int64(0), lambda s, x: (s + x, s + x))
            >>> [int(n) for n in sums]
            [0, 1, 3, 6]
        """
        state = elements.as_arrays(elements.tuples_above(initial_state))
        return self._then(stateful.Scan(self._stage, state, scan_func))

    def reduce(
        self, initial_state: Any, reduce_func: Callable[..., Any], name: str | None = None
    ) -> Any:
        """Return the last state of a function that passes one on over all elements.

        Args:
            initial_state: A structure of what converts to Tensors.
            reduce_func: A function of the state and an element that returns the next state.
            name: Accepted, unused.

        Returns:
            The state, in the structure of `initial_state`.

        Raises:
            TypeError: a new state has another dtype.
            errors.InvalidArgumentError: it has another structure.

        Example:
            >>> tf.data.Dataset.range(5).reduce(np.int64(0), lambda total, x: total + x).numpy()
            np.int64(10)
        """
        trace = local.trace
        if not trace.eager and trace.is_function:
            iter(self)  # type: ignore[call-overload]  # raises: Python loops over datasets
        state = elements.as_tensors(elements.as_arrays(elements.tuples_above(initial_state)))
        start = elements.spec_of(state)
        step = UserFunction(reduce_func, lambda: (start, self._stage.spec()))
        for element in self._stage.tensors(stages.Run(self._stage)):
            new = elements.as_tensors(step((state, element)))
            have, want = len(nest.flatten(new)), len(nest.flatten(state))
            if have != want:
                raise errors.InvalidArgumentError(
                    f"tf.data.Dataset.reduce: `reduce_func` must return a state like the initial "
                    f"one, with {want} parts; got {have}."
                )
            stateful.check_state("reduce", "reduce_func", state, new)
            state = new
        return state

    def take_while(self, predicate: Callable[..., Any], name: str | None = None) -> Self:
        """Return a dataset of the elements before the first for which a function is false.

        Args:
            predicate: A function of an element that returns a scalar boolean.
            name: Accepted, unused.

        Example:
            >>> [int(x) for x in tf.data.Dataset.range(9).take_while(lambda x: x < 3)]
            [0, 1, 2]
        """
        return self._then(stateful.TakeWhile(self._stage, predicate))

    def unique(self, name: str | None = None) -> Self:
        """Return a dataset of the elements without those that came before.

        Raises:
            TypeError: an element is not one Tensor.

        Example:
            >>> list(
            ...     tf.data.Dataset.from_tensor_slices([1, 37, 2, 37, 2, 1])
            ...     .unique()
            ...     .as_numpy_iterator()
            ... )
            [np.int32(1), np.int32(37), np.int32(2)]
        """
        spec = self.element_spec
        if nest.is_nested(spec):
            raise TypeError(
                f"tf.data.Dataset.unique: an element must be one Tensor; got {spec}.\n"
                f"  Fix: map to the part that counts."
            )
        return self._then(stateful.Unique(self._stage))

    def rebatch(
        self, batch_size: Any, drop_remainder: bool = False, name: str | None = None
    ) -> Self:
        """Return a dataset of the same rows in batches of other sizes.

        Args:
            batch_size: Rows a batch, or a list of sizes that come again and again.
            drop_remainder: Whether a smaller last batch is left out.
            name: Accepted, unused.

        Example:
            >>> batches = tf.data.Dataset.range(6).batch(2).rebatch(3)
            >>> [b.numpy().tolist() for b in batches]
            [[0, 1, 2], [3, 4, 5]]
        """
        given = np.asarray(batch_size)
        sizes = list(static_ints(given.reshape(-1), "batch_size"))
        if not sizes or min(sizes) < 0 or max(sizes) < 1:
            raise bad("rebatch", "batch_size", "at least 1", batch_size)
        if any(s.shape.rank == 0 for s in nest.flatten(self.element_spec)):
            raise ValueError(
                f"tf.data.Dataset.rebatch: elements must be batches; got {self.element_spec}.\n"
                f"  Fix: batch() them first."
            )
        return self._then(stateful.Rebatch(self._stage, sizes, bool(drop_remainder)))

    def ragged_batch(
        self,
        batch_size: Any,
        drop_remainder: bool = False,
        row_splits_dtype: Any = "int64",
        name: str | None = None,
    ) -> Self:
        """Return a dataset of batches of elements of different shapes, as RaggedTensors.

        Args:
            batch_size: Elements a batch.
            drop_remainder: Whether a smaller last batch is left out.
            row_splits_dtype: int32 or int64.
            name: Accepted, unused.

        Returns:
            Elements whose shape is known become dense Tensors; others ragged ones.

        Example:
            >>> rows = tf.data.Dataset.from_generator(
            ...     lambda: ([0] * n for n in (1, 3, 2)),
            ...     output_signature=tf.TensorSpec([None], tf.int32),
            ... )
            >>> next(iter(rows.ragged_batch(3))).to_list()
            [[0], [0, 0, 0], [0, 0]]
        """
        number = count_of("ragged_batch", "batch_size", batch_size)
        splits = as_dtype(row_splits_dtype).name
        return self._then(stateful.RaggedBatch(self._stage, number, bool(drop_remainder), splits))

    def sparse_batch(self, batch_size: Any, row_shape: Any, name: str | None = None) -> Self:
        """Return a dataset of batches of elements of different shapes, as SparseTensors.

        Args:
            batch_size: Elements a batch.
            row_shape: The shape of a row; elements must fit into it. None or -1 in it takes the
                largest of the batch.
            name: Accepted, unused.

        Raises:
            errors.DataLossError: an element does not fit.
        """
        number = count_of("sparse_batch", "batch_size", batch_size)
        shape = [None if n is None else int(n) for n in row_shape]
        return self._then(stateful.SparseBatch(self._stage, number, shape))

    def ignore_errors(self, log_warning: bool = False, name: str | None = None) -> Self:
        """Return a dataset without the elements whose making raises an error.

        Args:
            log_warning: Whether each error is written to stderr.
            name: Accepted, unused.
        """
        return self._then(stateful.IgnoreErrors(self._stage, bool(log_warning)))
