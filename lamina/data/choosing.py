"""Choosing: one dataset of several, and elements drawn by their class."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from lamina.data import flattening, stateful
from lamina.data import structure as nest
from lamina.data.changing import Changing
from lamina.data.folding import Folding
from lamina.data.seeds import fresh_seed
from lamina.engine import convert_to_tensor, static_int

__all__ = ["Choosing"]


class Choosing(Folding):
    """The part of a Dataset that takes elements of several."""

    @staticmethod
    def sample_from_datasets(
        datasets: Any,
        weights: Any = None,
        seed: Any = None,
        stop_on_empty_dataset: bool = False,
        rerandomize_each_iteration: bool | None = None,
        name: str | None = None,
    ) -> Any:
        """Return a dataset whose elements come from datasets drawn at random.

        Args:
            datasets: A list of datasets of one structure.
            weights: How probable each is; a list, a Tensor, or a dataset of them. None: equally.
            seed: An int; None takes one from the global stream.
            stop_on_empty_dataset: Whether it ends with the first dataset that ends. Else what is
                left of the others comes.
            rerandomize_each_iteration: Whether each pass draws anew; None does where no seed is
                given.
            name: Accepted, unused.

        Raises:
            ValueError: no datasets, or as many weights as datasets are not given.
            TypeError: the datasets differ in structure or dtypes.
        """
        parts = _stages("sample_from_datasets", datasets)
        if isinstance(weights, Changing):
            shares: Any = weights._stage
        elif weights is None:
            shares = np.full(len(parts), 1 / len(parts))
        else:
            shares = np.asarray(convert_to_tensor(weights), np.float64)
            if shares.shape != (len(parts),):
                raise ValueError(
                    f"tf.data.Dataset.sample_from_datasets: `weights` must have one entry for each "
                    f"of {len(parts)} datasets; got shape {shares.shape}."
                )
        again = seed is None if rerandomize_each_iteration is None else rerandomize_each_iteration
        start = fresh_seed() if seed is None else static_int(seed, "seed") & (2**63 - 1)
        stop = bool(stop_on_empty_dataset)
        if len(parts) == 1:
            return datasets[0]
        return datasets[0]._then(flattening.Sampled(parts, shares, start, stop, bool(again)))

    @staticmethod
    def choose_from_datasets(
        datasets: Any, choice_dataset: Any, stop_on_empty_dataset: bool = True
    ) -> Any:
        """Return a dataset whose elements come from the datasets that another one names.

        Args:
            datasets: A list of datasets of one structure.
            choice_dataset: A dataset of int64 scalars, places in `datasets`.
            stop_on_empty_dataset: Whether it ends when the dataset that is next has no element
                left; else that is passed over.

        Example:
            >>> parts = [tf.data.Dataset.from_tensors(w).repeat() for w in ("a", "b")]
            >>> chosen = tf.data.Dataset.choose_from_datasets(parts, tf.data.Dataset.range(2))
            >>> list(chosen.as_numpy_iterator())
            [b'a', b'b']
        """
        parts = _stages("choose_from_datasets", datasets)
        spec: Any = getattr(choice_dataset, "element_spec", None)
        if getattr(spec, "dtype", None) != "int64" or spec.shape.rank not in (0, None):
            raise TypeError(
                f"tf.data.Dataset.choose_from_datasets: `choice_dataset` must be a dataset of "
                f"int64 scalars; got {choice_dataset!r}.\n  Fix: tf.cast(choice, tf.int64)."
            )
        stop = bool(stop_on_empty_dataset)
        return datasets[0]._then(flattening.Chosen(parts, choice_dataset._stage, stop))

    def rejection_resample(
        self,
        class_func: Callable[..., Any],
        target_dist: Any,
        initial_dist: Any = None,
        seed: Any = None,
        name: str | None = None,
    ) -> Self:
        """Return a dataset of (class, element) with the classes as frequent as wanted.

        Args:
            class_func: A function of an element that returns its class, int32 in [0, classes).
            target_dist: The wanted share of each class, a float array.
            initial_dist: The share that each class has; None counts as elements come.
            seed: An int; None takes one from the global stream.
            name: Accepted, unused.

        Example:
            >>> ones = tf.data.Dataset.from_tensor_slices([0, 0, 0, 1]).repeat(100)
            >>> even = ones.rejection_resample(lambda x: x, [0.5, 0.5], [0.75, 0.25], seed=1)
            >>> bool(0.4 < np.mean([int(c) for c, _ in even]) < 0.6)
            True
        """
        target = np.asarray(convert_to_tensor(target_dist), np.float64)
        initial = None
        if initial_dist is not None:
            initial = np.asarray(convert_to_tensor(initial_dist), np.float64)
            if initial.shape != target.shape:
                raise ValueError(
                    f"tf.data.Dataset.rejection_resample: `initial_dist` must have the shape of "
                    f"`target_dist`, {target.shape}; got {initial.shape}."
                )
        start = fresh_seed() if seed is None else static_int(seed, "seed") & (2**63 - 1)
        return self._then(stateful.Resampled(self._stage, class_func, target, initial, start))


def _stages(who: str, datasets: Any) -> list[Any]:
    parts = list(datasets)
    if not parts:
        raise ValueError(f"tf.data.Dataset.{who}: `datasets` must hold datasets; got none.")
    first = parts[0].element_spec
    for other in parts[1:]:
        spec = other.element_spec
        same = [str(getattr(s, "dtype", type(s))) for s in nest.flatten(first)] == [
            str(getattr(s, "dtype", type(s))) for s in nest.flatten(spec)
        ]
        try:
            nest.assert_same_structure(first, spec)
        except TypeError:
            same = False
        if not same:
            raise TypeError(
                f"tf.data.Dataset.{who}: all datasets must have the same structure and dtypes; got "
                f"{first} and {spec}.\n  Fix: map them to one."
            )
    return [d._stage for d in parts]
