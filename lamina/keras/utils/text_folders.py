"""text_dataset_from_directory: text files of a folder as a data set."""

from typing import Any

import numpy as np

from lamina.engine import TensorSpec
from lamina.keras.utils.directories import Folder, as_datasets, read_labelled

__all__ = ["text_dataset_from_directory"]


def text_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Any = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Return a data set of the `.txt` files of a folder, with one folder in it for each class.

    Args:
        directory: The folder.
        labels: "inferred" from the folders, None, or a list of ints, in the order of the paths.
        label_mode: "int", "binary" (0.0 or 1.0), "categorical" (one-hot), or None.
        class_names: The folders to take, in the order of their numbers; None takes all, by name.
        batch_size: Texts a batch; None gives single texts.
        max_length: The bytes that are kept of a text, or None.
        shuffle: Whether the order is random, and another one in each pass.
        seed: The seed of the order.
        validation_split: The share held out for validation, in (0, 1).
        subset: "training", "validation", or "both" for a list of the two.
        follow_links: Whether links to folders are followed.
        format: "tf": a `tf.data.Dataset`.
        verbose: Whether to print how many files were found.

    Returns:
        A `tf.data.Dataset` of strings `(B,)`, or of (strings, labels). Its `class_names` is a list.

    Raises:
        ValueError: an argument is wrong, or no text was found.

    Example:
        >>> folder = getfixture("tmp_path")
        >>> for name in ("bad", "good"):
        ...     (folder / name).mkdir()
        ...     _ = (folder / name / "1.txt").write_text(f"a {name} one")
        >>> texts = tf.keras.utils.text_dataset_from_directory(folder, shuffle=False)
        Found 2 files belonging to 2 classes.
        >>> next(texts.as_numpy_iterator())
        (array([b'a bad one', b'a good one'], dtype=object), array([0, 1], dtype=int32))
    """
    who = "text_dataset_from_directory"
    if format != "tf":
        raise ValueError(f'{who}: `format` must be "tf"; got {format!r}.')
    folder = Folder(
        *(who, "text files", (".txt",), directory, labels, label_mode, class_names, batch_size),
        *(shuffle, seed, validation_split, subset, follow_links, verbose),
    )
    files = read_labelled(folder)

    def load(path: str) -> np.ndarray:
        with open(path, "rb") as file:
            text = file.read() if max_length is None else file.read(max_length)
        found = np.empty((), object)
        found[()] = text
        return found

    return as_datasets(folder, files, load, TensorSpec([], "string"))
