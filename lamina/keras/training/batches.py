"""Batches: what fit, evaluate and predict take their data from, behind one small interface."""

import itertools
import random
import warnings
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from lamina import ops
from lamina.data import INFINITE_CARDINALITY, Dataset
from lamina.data.seeds import fresh_seed
from lamina.engine import Tensor, Variable, nest, ready
from lamina.keras import policy
from lamina.keras.callbacks.position import random_state, set_random_state
from lamina.keras.core import calling
from lamina.keras.training.py_dataset import PyDataset, ahead_of_use
from lamina.nest import flatten as flatten_whole
from lamina.nest import map_structure as map_structure_whole

__all__ = [
    "Batches",
    "as_batches",
    "pack_x_y_sample_weight",
    "split_validation",
    "unpack_x_y_sample_weight",
]

_DEFAULT_BATCH = 32


class Batches(Protocol):
    """A source of batches."""

    @property
    def size(self) -> int | None:
        """The number of batches in one pass, or None if only the end will tell."""
        ...

    def epoch(self) -> Iterator[Any]:
        """Return an iterator over one pass, of `x` or `(x, y[, sample_weight])`."""
        ...

    def ran_out(self, number: int, limit: int) -> None:
        """Say that the data gave fewer batches than were asked for."""
        ...

    def position(self) -> Any:
        """Return where the next pass starts, as plain values, or None if that is not known."""
        ...

    def seek(self, position: Any) -> None:
        """Have the next pass start from a position."""
        ...


class _Source:
    """What the sources of batches have in common."""

    def ran_out(self, number: int, limit: int) -> None:
        warnings.warn(
            f"the data ran out after {number} batches of {limit} asked for; the epoch ends there."
            f"\n  Fix: repeat the data, or ask for fewer steps.",
            stacklevel=3,
        )

    def position(self) -> Any:
        return random_state()

    def seek(self, position: Any) -> None:
        set_random_state(position)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Return `(x, y, sample_weight)` of a batch, None for what it lacks.

    Raises:
        ValueError: a tuple of more than three entries.
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple) or hasattr(data, "_fields"):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            f"a batch must be `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`; got a tuple of "
            f"{len(data)} entries.\n  Fix: put several inputs in a list, as one `x`."
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Return a batch as data sources give it: the entries from the end that are None left out."""
    if y is None:
        return x if not isinstance(x, tuple | list) else (x,)
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def as_batches(
    x: Any,
    y: Any,
    sample_weight: Any,
    batch_size: int | None = None,
    shuffle: Any = False,
    class_weight: Mapping[int, float] | None = None,
    steps: int | None = None,
) -> Batches:
    """Return the batches of whatever a user passes as data.

    Args:
        x: Arrays, Tensors, structures of them; a dataset, generator, `PyDataset`, data loader.
        y: The targets, for arrays.
        sample_weight: The weights, for arrays.
        batch_size: Samples a batch, for arrays; None is 32.
        shuffle: For arrays: True, False or "batch" (whole batches change places).
        class_weight: A factor for each class number, which becomes the sample weights.
        steps: The batches to be used, or None.

    Raises:
        ValueError: the arrays differ in length, or `y` is given beside a dataset.
        TypeError: data of an unknown kind.
    """
    if x is None:
        raise ValueError("`x` must be given: arrays, a dataset or a generator; got None.")
    x = nest.map_structure(_sparse, x) if _is_scipy(x) else x
    if nest.has_composites(x):
        rows = _CompositeRows((x, y, sample_weight), batch_size or 32, shuffle)
        return _Iterable(rows, _weigher(class_weight))
    if _is_arrays(x):
        return _Arrays(x, y, sample_weight, batch_size, shuffle, class_weight)
    if y is not None or sample_weight is not None:
        raise ValueError(
            f"`y` and `sample_weight` go with arrays; the data here is a {type(x).__name__}, which "
            f"must give (x, y) itself.\n  Fix: leave them out."
        )
    weigh = _weigher(class_weight)
    _check_end(x, steps)
    if isinstance(x, PyDataset):
        return _Indexed(x, shuffle, weigh)
    if hasattr(x, "__getitem__") and hasattr(x, "__len__") and not hasattr(x, "element_spec"):
        return _Indexed(x, shuffle, weigh)
    if hasattr(x, "__next__"):
        return _Once(x, weigh)
    if hasattr(x, "__iter__"):
        return _Iterable(x, weigh)
    raise TypeError(
        f"the data must be arrays, a dataset, a generator or a PyDataset; got {x!r} "
        f"({type(x).__name__})."
    )


def _check_end(x: Any, steps: int | None) -> None:
    """Raise for data without an end of which no number of batches is asked for."""
    endless = isinstance(x, Dataset) and int(x.cardinality()) == INFINITE_CARDINALITY
    if steps is None and (endless or (isinstance(x, PyDataset) and x.num_batches is None)):
        raise ValueError(
            f"the data, a {type(x).__name__}, has no end, and the number of batches is not given."
            f"\n  Fix: pass `steps_per_epoch` to fit, `validation_steps` for validation data, "
            f"`steps` to evaluate and predict."
        )


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic | Tensor | Variable) or (
        hasattr(value, "__array__") and hasattr(value, "shape")
    )


def _is_scipy(value: Any) -> bool:
    """Return whether a value is a sparse matrix of SciPy, or a structure with one."""
    leaves = nest.flatten(value) if isinstance(value, list | tuple | dict) else [value]
    return any(hasattr(leaf, "tocoo") for leaf in leaves)


def _sparse(value: Any) -> Any:
    """Return a sparse matrix of SciPy as a `tf.SparseTensor`, other values as they are."""
    if not hasattr(value, "tocoo"):
        return value
    matrix = value.tocsr().sorted_indices().tocoo()
    values = matrix.data if matrix.data.dtype != np.float64 else matrix.data.astype(policy.floatx())
    indices = np.stack([matrix.row, matrix.col], axis=1).astype("int64")
    return import_module("lamina.sparse").SparseTensor(indices, values, matrix.shape)


def _is_arrays(value: Any) -> bool:
    if _is_array(value) or hasattr(value, "to_numpy"):
        return True
    if isinstance(value, list | tuple | dict):
        leaves = nest.flatten(value)
        numbers = (int, float, bool, str, bytes, np.generic)
        return all(v is None or _is_array(v) or isinstance(v, numbers) for v in leaves)
    return False


def _arrays(value: Any) -> Any:
    """Return a structure of data with NumPy arrays, or Tensors, as leaves."""
    if value is None or isinstance(value, Tensor):
        return value
    if isinstance(value, list) and value and not any(map(_is_array, nest.flatten(value))):
        return _array(value)  # a list of numbers is one array
    if isinstance(value, list | tuple | dict):
        return nest.map_structure(_column, value)
    return _column(value)


def _column(value: Any) -> Any:
    """Return an array of samples; a pandas Series is a column, (B, 1), as in Keras."""
    array = _array(value)
    return array[:, None] if hasattr(value, "iloc") and array.ndim == 1 else array


def _array(value: Any) -> Any:
    if value is None or isinstance(value, Tensor):
        return value
    if isinstance(value, Variable):
        return value._read()
    if hasattr(value, "tocoo"):
        return _sparse(value)
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    array = np.asarray(value)
    if array.dtype == object and not calling.holds_strings(array):
        try:
            array = array.astype(policy.floatx())
        except (TypeError, ValueError):
            return array
    if array.dtype == np.float64:
        array = array.astype(policy.floatx())
    return array


def _shuffled(count: int) -> np.ndarray:
    """Return the numbers below `count` in random order, which `tf.random.set_seed` decides.

    As in TensorFlow, NumPy's generator is left alone: `np.random.seed` before `fit` gives the
    program the same numbers after it.
    """
    return np.random.default_rng(fresh_seed()).permutation(count)


class _Arrays(_Source):
    """Arrays in memory: each batch is one slice, or one gather, of each of them."""

    def __init__(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        batch_size: int | None,
        shuffle: Any,
        class_weight: Mapping[int, float] | None,
    ) -> None:
        x, y, sample_weight = _arrays(x), _arrays(y), _arrays(sample_weight)
        if class_weight is not None:
            if sample_weight is not None:
                raise ValueError(
                    "`class_weight` and `sample_weight` cannot both be given.\n"
                    "  Fix: multiply the class weights into `sample_weight`."
                )
            sample_weight = _weights_of_classes(y, class_weight)
        if sample_weight is not None:
            self._parts: tuple[Any, ...] = (x, y, sample_weight)
        else:
            self._parts = (x,) if y is None else (x, y)
        self._flat = [t for t in nest.flatten(list(self._parts)) if t is not None]
        self._count = _common_length(self._parts)
        self._batch = _DEFAULT_BATCH if batch_size is None else int(batch_size)
        if self._batch < 1:
            raise ValueError(f"`batch_size` must be at least 1; got {batch_size}.")
        self._shuffle = shuffle
        self.size: int | None = -(-self._count // self._batch)

    def epoch(self) -> Iterator[Any]:
        starts = np.arange(0, self._count, self._batch)
        if self._shuffle == "batch":
            starts = _shuffled(len(starts)) * self._batch
        elif self._shuffle:
            order = _shuffled(self._count)
            for start in starts:
                yield self._take(order[start : start + self._batch])
            return
        for start in starts:
            yield self._take(slice(start, start + self._batch))

    def _take(self, which: Any) -> Any:
        found = [nest.map_structure(lambda a: _rows(a, which), part) for part in self._parts]
        return pack_x_y_sample_weight(*found)


def _rows(array: Any, which: Any) -> Any:
    if array is None:
        return None
    if isinstance(array, Tensor):
        return array[which] if isinstance(which, slice) else ops.gather(array, which)
    rows = array[which]
    # As a Tensor it is not copied: the arrays given to `fit` do not change while it runs.
    return ready(rows) if rows.dtype.kind in "fiubc" else rows


def _common_length(parts: tuple[Any, ...]) -> int:
    names = ("x", "y", "sample_weight")
    sizes = {
        name: [len(a) if len(a.shape) else None for a in nest.flatten(part) if a is not None]
        for name, part in zip(names, parts, strict=False)
    }
    lengths = {n for found in sizes.values() for n in found}
    if len(lengths) != 1 or None in lengths:
        shown = ", ".join(f"{k}: {v if len(v) != 1 else v[0]}" for k, v in sizes.items())
        raise ValueError(
            f"all arrays must have the same number of samples, along axis 0; got {shown}.\n"
            f"  Fix: check that x, y and sample_weight belong together."
        )
    return lengths.pop()  # type: ignore[return-value]


def _weights_of_classes(y: Any, class_weight: Mapping[int, float]) -> np.ndarray:
    if y is None or isinstance(y, list | tuple | dict):
        raise ValueError(
            "`class_weight` works for a single output with targets `y`.\n"
            "  Fix: pass `sample_weight` for models with several outputs."
        )
    labels = np.asarray(y)
    if labels.ndim > 1:
        labels = labels.argmax(-1) if labels.shape[-1] > 1 else labels[..., 0]
    labels = labels.astype("int64")
    factors = np.ones(int(max(labels.max(initial=0), *class_weight, 0)) + 1, policy.floatx())
    for label, factor in class_weight.items():
        factors[int(label)] = factor
    return factors[labels]


def _weigher(class_weight: Mapping[int, float] | None) -> Callable[[Any], Any]:
    """Return a function that adds sample weights by class to batches of a data source."""
    if class_weight is None:
        return lambda batch: batch

    def add(batch: Any) -> Any:
        x, y, sample_weight = unpack_x_y_sample_weight(batch)
        if sample_weight is not None:
            raise ValueError("`class_weight` and `sample_weight` cannot both be given.")
        return x, y, _weights_of_classes(y, class_weight)

    return add


def _as_batch(item: Any) -> Any:
    """Return an item of a data source with the leaves as they are trained on.

    A bare `x` stays bare, as a `train_step` that unpacks nothing expects it.
    """
    item = tuple(item) if isinstance(item, list) else item
    if not isinstance(item, tuple) or hasattr(item, "_fields"):
        return nest.map_structure(_array, item)
    return tuple(nest.map_structure(_array, part) for part in item)


class _Iterable(_Source):
    """A dataset or loader that can be gone through again and again."""

    def __init__(self, source: Any, weigh: Callable[[Any], Any]) -> None:
        self._source = source
        self._weigh = weigh
        self._running: Iterator[Any] | None = None
        try:
            size = len(source)
        except TypeError:
            size = None
        self.size: int | None = size

    def epoch(self) -> Iterator[Any]:
        for item in self._source:
            yield self._weigh(_as_batch(item))

    def position(self) -> Any:
        passes = self._source._passes() if isinstance(self._source, Dataset) else None
        return {"random": random_state(), "passes": passes}

    def seek(self, position: Any) -> None:
        set_random_state(position["random"])
        if position["passes"] is not None:
            self._source._set_passes(position["passes"])


class _Once(_Source):
    """A generator: each pass goes on where the one before stopped."""

    size: int | None = None

    def __init__(self, source: Iterator[Any], weigh: Callable[[Any], Any]) -> None:
        self._source = source
        self._weigh = weigh

    def epoch(self) -> Iterator[Any]:
        while True:
            try:
                item = next(self._source)
            except StopIteration:
                return
            yield self._weigh(_as_batch(item))

    def position(self) -> Any:
        return None  # nobody but the generator knows


class _Indexed(_Source):
    """A `PyDataset` or Sequence: batch i is `source[i]`."""

    def __init__(self, source: Any, shuffle: Any, weigh: Callable[[Any], Any]) -> None:
        self._source = source
        self._shuffle = bool(shuffle)
        self._weigh = weigh
        self._numbers = itertools.count()  # of batches without end: epochs go on in them

    @property
    def size(self) -> int | None:
        """The number of batches now; a PyDataset may change it between epochs."""
        if isinstance(self._source, PyDataset):
            return self._source.num_batches
        return len(self._source)

    def epoch(self) -> Iterator[Any]:
        begin = getattr(self._source, "on_epoch_begin", None)
        if begin is not None:
            begin()
        size = self.size
        if size is None:
            order: Any = self._numbers
        else:
            order = list(range(size))
            if self._shuffle:
                random.shuffle(order)  # Python's generator, as Keras does here
        for item in ahead_of_use(self._source, order):
            yield self._weigh(_as_batch(item))
        end = getattr(self._source, "on_epoch_end", None)
        if end is not None:
            end()


def split_validation(
    x: Any, y: Any, sample_weight: Any, fraction: float
) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    """Split arrays into the first samples, to train on, and the last, to validate on.

    Args:
        x: As in `fit`.
        y: As in `fit`.
        sample_weight: As in `fit`.
        fraction: The share to validate on, in (0, 1).

    Raises:
        ValueError: the data is no arrays, or one side would be empty.
    """
    if not _is_arrays(x):
        raise ValueError(
            f"`validation_split` works for arrays; got a {type(x).__name__}.\n"
            f"  Fix: pass `validation_data`."
        )
    if not 0 < fraction < 1:
        raise ValueError(f"`validation_split` must lie in [0, 1); got {fraction!r}.")
    parts = [_arrays(v) for v in (x, y, sample_weight)]
    count = _common_length(tuple(p for p in parts if p is not None))
    cut = int(count * (1.0 - fraction))
    if cut in (0, count):
        raise ValueError(
            f"`validation_split` of {fraction} leaves one side of {count} samples empty.\n"
            f"  Fix: give more samples, or another share."
        )
    sides = [
        tuple(nest.map_structure(lambda a: _rows(a, which), p) for p in parts)  # noqa: B023
        for which in (slice(0, cut), slice(cut, None))
    ]
    return sides[0], sides[1]  # type: ignore[return-value]


class _CompositeRows:
    """Batches of data with ragged or sparse Tensors among the inputs."""

    def __init__(self, data: tuple[Any, Any, Any], batch_size: int, shuffle: Any) -> None:
        self._data = data[: 3 if data[2] is not None else 2 if data[1] is not None else 1]
        leaves = flatten_whole(data[0])
        self._count = int(leaves[0].shape[0])
        self._size, self._shuffle = batch_size, bool(shuffle)
        sizes = {int(np.shape(v)[0] if isinstance(v, list) else v.shape[0]) for v in leaves}
        if len(sizes) > 1:
            raise ValueError(
                f"`x` must hold as many samples in each part; got {sorted(sizes)}.\n"
                f"  Fix: cut the longer ones."
            )

    def __len__(self) -> int:
        return -(-self._count // self._size)

    def __iter__(self) -> Iterator[Any]:
        starts = list(range(0, self._count, self._size))
        if self._shuffle:  # whole batches change places: rows of sparse data lie together
            starts = [starts[i] for i in _shuffled(len(starts))]
        for start in starts:
            yield map_structure_whole(lambda v, start=start: self._part(v, start), self._data)

    def _part(self, value: Any, start: int) -> Any:
        stop = min(start + self._size, self._count)
        if hasattr(value, "dense_shape"):
            first = [start] + [0] * (len(value.shape) - 1)
            sizes = [stop - start, *map(int, value.shape[1:])]
            return import_module("lamina.sparse").slice(value, first, sizes)
        return None if value is None else value[start:stop]
