"""audio_dataset_from_directory: `.wav` files of a folder as a data set."""

from typing import Any

import numpy as np

from lamina.data import Dataset
from lamina.engine import TensorSpec, errors
from lamina.keras.utils.directories import Folder, as_datasets, read_labelled
from lamina.late import late_module

__all__ = ["audio_dataset_from_directory"]

wave = late_module("wave")

_BYTES = 2  # a sample, of 16-bit PCM


def audio_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Any = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """Return a data set of the `.wav` files of a folder, with one folder in it for each class.

    Args:
        directory: The folder.
        labels: "inferred" from the folders, None, or a list of ints, in the order of the paths.
        label_mode: "int", "binary" (0.0 or 1.0), "categorical" (one-hot), or None.
        class_names: The folders to take, in the order of their numbers; None takes all, by name.
        batch_size: Sounds a batch; None gives single sounds.
        sampling_rate: Samples a second to convert to, or None.
        output_sequence_length: The samples of each sound, cut or filled with zeros; None fills
            up to the longest of a batch.
        ragged: Whether the sounds of a batch keep their lengths: batches are `tf.RaggedTensor`s.
        shuffle: Whether the order is random, and another one in each pass.
        seed: The seed of the order.
        validation_split: The share held out for validation, in (0, 1).
        subset: "training", "validation", or "both" for a list of the two.
        follow_links: Whether links to folders are followed.
        verbose: Whether to print how many files were found.

    Returns:
        A `tf.data.Dataset` of sounds, float32 `(B, T, channels)` in [-1, 1), or of (sounds,
        labels). Its `class_names` is a list.

    Raises:
        ValueError: an argument is wrong, or no sound was found.
        errors.UnimplementedError: a file is not 16-bit PCM.
    """
    who = "audio_dataset_from_directory"
    if ragged and output_sequence_length is not None:
        raise ValueError(
            f"{who}: `ragged` and `output_sequence_length` exclude each other.\n"
            f"  Fix: leave one of the two out."
        )
    if sampling_rate is not None and (not isinstance(sampling_rate, int) or sampling_rate <= 0):
        raise ValueError(f"{who}: `sampling_rate` must be a positive int; got {sampling_rate!r}.")
    folder = Folder(
        *(who, "sounds", (".wav",), directory, labels, label_mode, class_names, batch_size),
        *(shuffle, seed, validation_split, subset, follow_links, verbose),
    )
    files = read_labelled(folder)
    length = output_sequence_length
    batch = Dataset.padded_batch if length is None else Dataset.batch
    batch = Dataset.ragged_batch if ragged else batch
    spec = TensorSpec([length, None], "float32")
    return as_datasets(folder, files, lambda p: _load(p, sampling_rate, length), spec, batch)


def _load(path: str, rate: int | None, length: int | None) -> np.ndarray:
    """Return the samples of a file, float32 `(T, channels)`."""
    with wave.open(path, "rb") as file:
        if file.getsampwidth() != _BYTES:
            raise errors.UnimplementedError(
                f"audio_dataset_from_directory: files must be 16-bit PCM; {path!r} has "
                f"{8 * file.getsampwidth()} bits.\n  Fix: convert it."
            )
        own_rate, channels = file.getframerate(), file.getnchannels()
        raw = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    found = raw.reshape(-1, channels).astype("float32") / 32768
    if rate is not None and rate != own_rate:
        from scipy.signal import resample_poly

        common = int(np.gcd(rate, own_rate))
        found = resample_poly(found, rate // common, own_rate // common).astype("float32")
    if length is None:
        return found
    return np.pad(found[:length], ((0, max(length - len(found), 0)), (0, 0)))
