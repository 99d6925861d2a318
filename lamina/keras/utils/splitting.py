"""split_dataset: a data set as two."""

import random
from typing import Any

import numpy as np

from lamina.data import AUTOTUNE, Dataset
from lamina.engine import Tensor, nest

__all__ = ["split_dataset"]


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Dataset, Dataset]:
    """Return the first and the last elements of a data set, as two data sets.

    All elements are read into memory. Batches are taken apart, and made again after the split.

    Args:
        dataset: A `tf.data.Dataset`, or an array, or a list or tuple of arrays of one length.
        left_size: The number of elements of the left one, an int, or their share, a float in
            (0, 1); None takes what the right one leaves.
        right_size: Likewise for the right one.
        shuffle: Whether the elements change places first.
        seed: The seed of that.
        preferred_backend: Accepted; both are `tf.data.Dataset`.

    Raises:
        TypeError: `dataset` is something else, or a size is no number.
        ValueError: no size is given, or the sizes do not fit.

    Example:
        >>> left, right = tf.keras.utils.split_dataset(np.arange(10), left_size=0.8)
        >>> int(left.cardinality()), int(right.cardinality())
        (8, 2)
    """
    if left_size is None and right_size is None:
        raise ValueError(
            "split_dataset: `left_size` or `right_size` must be given; got neither.\n"
            "  Fix: split_dataset(dataset, left_size=0.8)."
        )
    columns, count, batch = _columns(dataset)
    left, right = _sizes(left_size, right_size, count)
    order = np.arange(count)
    if shuffle:
        places = order.tolist()
        random.Random(random.randint(0, 10**6) if seed is None else seed).shuffle(places)
        order = np.array(places)

    def side(which: np.ndarray) -> Dataset:
        found = Dataset.from_tensor_slices(nest.map_structure(lambda c: c[which], columns))
        return (found.batch(batch) if batch else found).prefetch(AUTOTUNE)

    return side(order[:left]), side(order[count - right :])


def _columns(dataset: Any) -> tuple[Any, int, int | None]:
    """Return all elements, stacked, their number, and the batch size or None."""
    if isinstance(dataset, Dataset):
        batch = dataset._batch_size()
        plain = dataset if batch is None else dataset.unbatch()
        rows = list(plain.as_numpy_iterator())
        if not rows:
            raise ValueError("split_dataset: `dataset` must hold elements; it is empty.")
        return nest.map_structure(lambda *leaves: np.stack(leaves), *rows), len(rows), batch
    if isinstance(dataset, np.ndarray | Tensor):
        return np.asarray(dataset), len(dataset), None
    if isinstance(dataset, list | tuple):
        arrays = tuple(np.asarray(a) for a in dataset)
        lengths = {a.shape[0] if a.ndim else None for a in arrays}
        if len(lengths) != 1 or None in lengths:
            raise ValueError(
                f"split_dataset: `dataset` must hold arrays of one length; got shapes "
                f"{[a.shape for a in arrays]}."
            )
        return arrays, arrays[0].shape[0], None
    raise TypeError(
        f"split_dataset: `dataset` must be a tf.data.Dataset, an array, or a list or tuple of "
        f"arrays; got {type(dataset).__name__}."
    )


def _sizes(left: Any, right: Any, count: int) -> tuple[int, int]:
    """Return the two sizes as numbers of elements."""
    for name, size in (("left_size", left), ("right_size", right)):
        if size is not None and type(size) not in (int, float):
            raise TypeError(
                f"split_dataset: `{name}` must be an int, a float or None; got {size!r} "
                f"({type(size).__name__})."
            )
        highest = 1 if isinstance(size, float) else count
        if size is not None and not 0 < size < highest:
            raise ValueError(
                f"split_dataset: `{name}` must lie between 0 and {highest}; got {size!r}."
            )
    left = round(left * count) if isinstance(left, float) else left
    right = round(right * count) if isinstance(right, float) else right
    left = count - right if left is None else left
    right = count - left if right is None else right
    if left + right > count:
        raise ValueError(
            f"split_dataset: the two sizes must not exceed the {count} elements together; got "
            f"{left} and {right}."
        )
    if left == 0 or right == 0:
        raise ValueError(
            f"split_dataset: both sides must hold elements; of {count}, they get {left} and "
            f"{right}.\n  Fix: choose other sizes."
        )
    return left, right
