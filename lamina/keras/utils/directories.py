"""What the functions that make data sets from folders share: files, labels, splits."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lamina.data import AUTOTUNE, Dataset
from lamina.engine import TensorSpec
from lamina.keras import console

__all__ = ["Folder", "LabelledFiles", "as_datasets", "read_labelled"]

_MODES = ("int", "categorical", "binary", None)
_UNBATCHED_BUFFER = 1024  # files a shuffle chooses from where there is no batch size


@dataclass
class Folder:
    """What to take from a folder: the arguments that all of these functions have.

    Attributes:
        who: The function, for messages.
        what: What the files are, for messages: "images".
        formats: The endings of the files.
    """

    who: str
    what: str
    formats: tuple[str, ...]
    directory: Any
    labels: Any
    label_mode: str | None
    class_names: Any
    batch_size: int | None
    shuffle: bool
    seed: int | None
    validation_split: float | None
    subset: str | None
    follow_links: bool
    verbose: bool


@dataclass
class LabelledFiles:
    """Files with their labels.

    Attributes:
        paths: The paths.
        labels: An array with one row a file, or None.
        class_names: The names of the classes, or None.
        shuffle: Whether their data set is shuffled.
    """

    paths: list[str]
    labels: np.ndarray | None
    class_names: list[str] | None
    shuffle: bool


def read_labelled(folder: Folder) -> list[LabelledFiles]:
    """Return the files of a folder: one list, or two for `subset="both"`.

    Raises:
        ValueError: an argument is wrong, or there are no files.
    """
    _check(folder)
    seed = int(np.random.randint(10**6)) if folder.seed is None else folder.seed
    folder.seed = seed
    paths, labels, names = _index(folder)
    if folder.shuffle:
        # Files and labels in the order that Keras gives them for this seed.
        np.random.RandomState(seed).shuffle(paths)
        if labels is not None:
            np.random.RandomState(seed).shuffle(labels)
    encoded = None if labels is None else _encoded(folder, labels, names)
    if not folder.validation_split:
        return [_files(folder, paths, encoded, names, folder.shuffle, "")]
    held_out = int(folder.validation_split * len(paths))
    cut = len(paths) - held_out
    sides = []
    if folder.subset in ("training", "both"):
        console.show(f"Using {cut} files for training.")
        sides.append((slice(None, cut), folder.shuffle, "training "))
    if folder.subset in ("validation", "both"):
        console.show(f"Using {held_out} files for validation.")
        shuffled = folder.shuffle and folder.subset != "both"
        sides.append((slice(cut, None), shuffled, "validation "))
    return [
        _files(folder, paths[s], None if encoded is None else encoded[s], names, shuffled, side)
        for s, shuffled, side in sides
    ]


def as_datasets(
    folder: Folder,
    files: list[LabelledFiles],
    load: Callable[[str], np.ndarray],
    spec: TensorSpec,
    batch: Callable[[Dataset, int], Dataset] = Dataset.batch,
) -> Any:
    """Return the data set of each list of files: batches of (what `load` gives, label).

    Args:
        folder: What was asked for.
        files: The lists.
        load: Reads one file.
        spec: What `load` gives.
        batch: How elements become a batch.
    """
    found = []
    for listed in files:
        dataset = _dataset(folder, listed, load, spec)
        if folder.batch_size is not None:
            dataset = batch(dataset, folder.batch_size)
        dataset = dataset.prefetch(AUTOTUNE)
        dataset.class_names = listed.class_names  # type: ignore[attr-defined]
        dataset.file_paths = listed.paths  # type: ignore[attr-defined]
        found.append(dataset)
    return found if folder.subset == "both" else found[0]


def _dataset(
    folder: Folder, files: LabelledFiles, load: Callable[[str], np.ndarray], spec: TensorSpec
) -> Dataset:
    paths = np.empty(len(files.paths), object)
    paths[:] = [p.encode() for p in files.paths]
    if files.labels is None:
        dataset = Dataset.from_tensor_slices(paths)
    else:
        dataset = Dataset.from_tensor_slices((paths, files.labels))
    if files.shuffle:
        buffer = folder.batch_size * 8 if folder.batch_size else _UNBATCHED_BUFFER
        dataset = dataset.shuffle(buffer, seed=folder.seed)
    if files.labels is None:
        return dataset._map_host(lambda path: load(path.decode()), spec)
    label = TensorSpec(files.labels.shape[1:], files.labels.dtype)
    return dataset._map_host(lambda pair: (load(pair[0].decode()), pair[1]), (spec, label))


# ---- arguments ----------------------------------------------------------------------------------


def _check(folder: Folder) -> None:
    who, split, subset = folder.who, folder.validation_split, folder.subset
    if folder.label_mode not in _MODES:
        raise ValueError(f"{who}: `label_mode` must be one of {_MODES}; got {folder.label_mode!r}.")
    _check_labels(folder)
    if split and not 0 < split < 1:
        raise ValueError(f"{who}: `validation_split` must lie in (0, 1); got {split!r}.")
    if bool(split) != bool(subset):
        raise ValueError(
            f"{who}: `subset` and `validation_split` go together; got subset={subset!r} and "
            f"validation_split={split!r}.\n  Fix: pass both, or neither."
        )
    if subset not in ("training", "validation", "both", None):
        raise ValueError(
            f'{who}: `subset` must be "training", "validation" or "both"; got {subset!r}.'
        )
    if split and folder.shuffle and folder.seed is None:
        raise ValueError(
            f"{who}: a split of shuffled files needs a `seed`, so that the two sides have no file "
            f"in common; got None.\n  Fix: pass the same seed for both."
        )
    if folder.labels is None or folder.label_mode is None:
        folder.labels = folder.label_mode = None


def _check_labels(folder: Folder) -> None:
    labels = folder.labels
    if labels is None or (isinstance(labels, str) and labels == "inferred"):
        if folder.class_names is not None and labels is None:
            raise ValueError(f"{folder.who}: `class_names` needs labels; got labels=None.")
        return
    if not isinstance(labels, list | tuple):
        raise ValueError(
            f'{folder.who}: `labels` must be "inferred", None, or a list with an int for each '
            f"file; got {labels!r}."
        )
    if folder.class_names:
        raise ValueError(
            f'{folder.who}: `class_names` goes with labels="inferred"; got a list of labels.'
        )


# ---- files and labels ---------------------------------------------------------------------------


def _index(folder: Folder) -> tuple[list[str], Any, list[str] | None]:
    """Return paths, class numbers (or None) and class names (or None)."""
    root = os.fspath(folder.directory)
    inferred = isinstance(folder.labels, str)
    names = _class_folders(folder, root) if inferred else [""]
    paths: list[str] = []
    numbers: list[int] = []
    for number, name in enumerate(names):
        found = _files_below(os.path.join(root, name), folder.formats, folder.follow_links)
        paths.extend(found)
        numbers.extend([number] * len(found))
    labels: Any = np.array(numbers, "int32") if inferred else None
    classes: list[str] | None = list(names) if inferred else None
    if not inferred and folder.labels is not None:
        if len(folder.labels) != len(paths):
            raise ValueError(
                f"{folder.who}: `labels` must have one entry for each file; got "
                f"{len(folder.labels)} for {len(paths)} files in {root!r}."
            )
        labels = np.array(folder.labels, "int32")
        classes = [str(label) for label in sorted(set(folder.labels))]
    if folder.verbose:
        tail = f" belonging to {len(classes)} classes." if classes is not None else "."
        console.show(f"Found {len(paths)} files{tail}")
    return paths, labels, classes


def _class_folders(folder: Folder, root: str) -> Sequence[str]:
    found = [
        name
        for name in sorted(os.listdir(root))
        if os.path.isdir(os.path.join(root, name)) and not name.startswith(".")
    ]
    if folder.class_names is None:
        return found
    if not set(folder.class_names) <= set(found):
        raise ValueError(
            f"{folder.who}: `class_names` must be folders in {root!r}; got "
            f"{list(folder.class_names)}, there are {found}."
        )
    return folder.class_names


def _files_below(root: str, formats: tuple[str, ...], follow_links: bool) -> list[str]:
    """Return the paths of the files with these endings, by folder and name."""
    return [
        os.path.join(place, name)
        for place, _, names in sorted(os.walk(root, followlinks=follow_links))
        for name in sorted(names)
        if name.lower().endswith(formats)
    ]


def _encoded(folder: Folder, labels: Any, names: list[str] | None) -> np.ndarray:
    count = len(names or ())
    if folder.label_mode == "binary":
        if count != 2:
            raise ValueError(
                f'{folder.who}: label_mode="binary" needs 2 classes; there are {count}: {names}.'
            )
        return np.asarray(labels, "float32")[:, None]
    if folder.label_mode == "categorical":
        return (np.asarray(labels)[:, None] == np.arange(count)).astype("float32")
    return np.asarray(labels, "int32")


def _files(
    folder: Folder, paths: list[str], labels: Any, names: Any, shuffle: bool, side: str
) -> LabelledFiles:
    if not paths:
        raise ValueError(
            f"{folder.who}: no {side}{folder.what} were found in {os.fspath(folder.directory)!r}; "
            f"the endings looked for are {folder.formats}.\n  Fix: check the folder and the split."
        )
    return LabelledFiles(paths, labels, names, shuffle)
