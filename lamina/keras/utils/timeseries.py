"""timeseries_dataset_from_array: windows of a series as a data set."""

from typing import Any

import numpy as np

from lamina.data import AUTOTUNE, Dataset
from lamina.engine import TensorSpec, convert_to_tensor

__all__ = ["timeseries_dataset_from_array"]

_WHO = "timeseries_dataset_from_array"
_UNBATCHED_BUFFER = 1024  # windows a shuffle chooses from where there is no batch size


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> Dataset:
    """Return a data set of windows of a series.

    Window i starts at step `i * sequence_stride`, and takes each `sampling_rate`-th step.

    Args:
        data: The series, `(T, ...)`.
        targets: An array whose row i belongs to the window that starts at step i; None for
            windows alone.
        sequence_length: Steps a window, L.
        sequence_stride: Steps between the starts of two windows.
        sampling_rate: Steps between two of a window.
        batch_size: Windows a batch; None gives single ones.
        shuffle: Whether the order is random.
        seed: The seed of the order.
        start_index: The first step used; None is 0.
        end_index: The step after the last one used; None is T.
        format: "tf": a `tf.data.Dataset`.

    Returns:
        A `tf.data.Dataset` of `(B, L, ...)`, or of (windows, targets).

    Raises:
        ValueError: an index, a stride or a rate does not fit the series.

    Example:
        >>> series = np.arange(6)
        >>> windows = tf.keras.utils.timeseries_dataset_from_array(series, series[3:], 3)
        >>> next(windows.as_numpy_iterator())
        (array([[0, 1, 2],
               [1, 2, 3],
               [2, 3, 4]]), array([3, 4, 5]))
    """
    _check_range(len(data), start_index, end_index)
    _check_steps(len(data), "sampling_rate", sampling_rate)
    _check_steps(len(data), "sequence_stride", sequence_stride)
    if format != "tf":
        raise ValueError(f'{_WHO}: `format` must be "tf"; got {format!r}.')
    start, end = start_index or 0, end_index or len(data)
    count = end - start - (sequence_length - 1) * sampling_rate
    if targets is not None:
        count = min(count, len(targets))
    starts = np.arange(0, count, sequence_stride, dtype="int64")
    if shuffle:
        seed = int(np.random.randint(10**6)) if seed is None else seed
        np.random.RandomState(seed).shuffle(starts)
    dataset = _windows(starts, data, targets, sequence_length * sampling_rate, sampling_rate, start)
    if shuffle:
        dataset = dataset.shuffle(batch_size * 8 if batch_size else _UNBATCHED_BUFFER, seed=seed)
    if batch_size is not None:
        dataset = dataset.batch(batch_size)
    return dataset.prefetch(AUTOTUNE)


def _windows(
    starts: np.ndarray, data: Any, targets: Any, span: int, rate: int, first: int
) -> Dataset:
    steps = np.asarray(convert_to_tensor(data))[first:]
    offsets = np.arange(0, span, rate)
    spec = TensorSpec([len(offsets), *steps.shape[1:]], steps.dtype)
    dataset = Dataset.from_tensor_slices(starts)
    if targets is None:
        return dataset._map_host(
            lambda i: steps[i + offsets], spec, lambda many: steps[many[:, None] + offsets]
        )
    wanted = np.asarray(convert_to_tensor(targets))[first:]
    return dataset._map_host(
        lambda i: (steps[i + offsets], wanted[i]),
        (spec, TensorSpec(wanted.shape[1:], wanted.dtype)),
        lambda many: (steps[many[:, None] + offsets], wanted[many]),
    )


def _check_range(length: int, start: int | None, end: int | None) -> None:
    if start and not 0 <= start < length:
        raise ValueError(
            f"{_WHO}: `start_index` must lie in [0, {length}), the length of the data; got {start}."
        )
    if end and not max(start or 0, 0) < end < length:
        raise ValueError(
            f"{_WHO}: `end_index` must be higher than `start_index` ({start}) and lower than the "
            f"length of the data, {length}; got {end}."
        )


def _check_steps(length: int, name: str, value: int) -> None:
    if not 0 < value < length:
        raise ValueError(
            f"{_WHO}: `{name}` must lie in [1, {length}), the length of the data; got {value}."
        )
