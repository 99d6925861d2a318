"""DirectoryIterator and DataFrameIterator: random variations of image files."""

import os
import warnings
from typing import Any

import numpy as np

from lamina.keras import console, policy
from lamina.keras.preprocessing.image.iterator import Iterator, save_batch
from lamina.keras.utils.images import img_to_array, load_img

__all__ = ["DataFrameIterator", "DirectoryIterator"]

_CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}


class _Files(Iterator):
    """What both share: reading, varying, and the form of the targets."""

    image_data_generator: Any
    class_mode: str | None
    classes: Any
    class_indices: dict[str, int]
    _paths: list[str]
    _weights: Any = None

    def _set_images(
        self,
        generator: Any,
        target_size: Any,
        color_mode: str,
        data_format: str | None,
        dtype: Any,
        subset: str | None,
    ) -> None:
        name = type(self).__name__
        if color_mode not in _CHANNELS:
            raise ValueError(
                f"{name}: `color_mode` must be one of {tuple(_CHANNELS)}; got {color_mode!r}."
            )
        if subset not in ("training", "validation", None):
            raise ValueError(
                f'{name}: `subset` must be "training" or "validation"; got {subset!r}.'
            )
        self.image_data_generator = generator
        self.target_size = tuple(target_size)
        self.color_mode = color_mode
        self.data_format = data_format or policy.image_data_format()
        self.dtype = dtype or policy.floatx()
        channels = _CHANNELS[color_mode]
        first = self.data_format == "channels_first"
        self.image_shape = (channels, *self.target_size) if first else (*self.target_size, channels)
        self.subset = subset
        share = 0.0 if generator is None else generator._validation_split
        self.split = {None: None, "validation": (0, share), "training": (share, 1)}[subset]

    def _set_saving(
        self, folder: Any, prefix: str, form: str, interpolation: str, keep_aspect_ratio: bool
    ) -> None:
        self.save_to_dir = folder
        self.save_prefix = prefix
        self.save_format = form
        self.interpolation = interpolation
        self.keep_aspect_ratio = keep_aspect_ratio

    def _part(self, items: list[Any]) -> list[Any]:
        """Return the share of a list that the subset takes."""
        if self.split is None:
            return items
        start, stop = (int(share * len(items)) for share in self.split)
        return items[start:stop]

    @property
    def filepaths(self) -> list[str]:
        """The paths of the images."""
        return self._paths

    @property
    def labels(self) -> Any:
        """The classes' numbers, or the targets."""
        return self.classes

    @property
    def sample_weight(self) -> Any:
        """The weights of the samples, or None."""
        return self._weights

    def _get_batches_of_transformed_samples(self, index_array: Any) -> Any:
        images = np.zeros((len(index_array), *self.image_shape), self.dtype)
        for i, j in enumerate(index_array):
            image = load_img(
                self._paths[j],
                self.color_mode,
                self.target_size,
                self.interpolation,
                self.keep_aspect_ratio,
            )
            pixels = img_to_array(image, self.data_format)
            varies = self.image_data_generator
            images[i] = varies._varied(pixels) if varies is not None else pixels
        save_batch(self, images, index_array, int(1e7))
        if self.class_mode is None:
            return images
        targets = self._targets_of(images, index_array)
        if self._weights is None:
            return images, targets
        return images, targets, self._weights[index_array]

    def _targets_of(self, images: np.ndarray, index_array: Any) -> Any:
        if self.class_mode == "input":
            return images.copy()
        if self.class_mode in ("binary", "sparse"):
            return np.array([self.classes[j] for j in index_array], self.dtype)
        if self.class_mode == "multi_output":
            return [output[index_array] for output in self.labels]
        if self.class_mode == "raw":
            return self.labels[index_array]
        found = np.zeros((len(images), len(self.class_indices)), self.dtype)
        for i, j in enumerate(index_array):
            found[i, self.classes[j]] = 1.0
        return found


class DirectoryIterator(_Files):
    """Batches of the images of a folder, with one folder in it for each class.

    Args:
        directory: The folder.
        image_data_generator: What varies the images.
        target_size: (height, width) to resize to.
        color_mode: "grayscale", "rgb" or "rgba".
        classes: The folders to take, in the order of their numbers; None takes all, by name.
        class_mode: "categorical" (one-hot), "binary", "sparse", "input" (the images), or None.
        batch_size: Images a batch.
        shuffle: Whether each pass has another order.
        seed: The seed.
        data_format: "channels_last" or "channels_first"; None is the default one.
        save_to_dir: A folder to save the varied images in, or None.
        save_prefix: What their names start with.
        save_format: Their format.
        follow_links: Whether links to folders are followed.
        subset: "training" or "validation", by the generator's `validation_split`; None is all.
        interpolation: As in `tf.keras.utils.load_img`.
        keep_aspect_ratio: As there.
        dtype: The dtype of the images; None is floatx.

    Raises:
        ValueError: an argument is wrong.
    """

    allowed_class_modes = frozenset(["categorical", "binary", "sparse", "input", None])

    def __init__(
        self,
        directory: Any,
        image_data_generator: Any,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = None,
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: Any = None,
    ) -> None:
        self._set_images(image_data_generator, target_size, color_mode, data_format, dtype, subset)
        self._set_saving(save_to_dir, save_prefix, save_format, interpolation, keep_aspect_ratio)
        self.directory = directory
        self.class_mode = _mode(self, class_mode)
        root = os.fspath(directory)
        names = classes or sorted(
            n for n in os.listdir(root) if os.path.isdir(os.path.join(root, n))
        )
        self.num_classes = len(names)
        self.class_indices = {name: i for i, name in enumerate(names)}
        self.filenames: list[str] = []
        numbers: list[int] = []
        for number, name in enumerate(names):
            found = self._part(_images(root, name, self.white_list_formats, follow_links))
            self.filenames += found
            numbers += [number] * len(found)
        self.samples = len(self.filenames)
        self.classes = np.array(numbers, "int32")
        self._paths = [os.path.join(root, name) for name in self.filenames]
        console.show(f"Found {self.samples} images belonging to {self.num_classes} classes.")
        super().__init__(self.samples, batch_size, shuffle, seed)


def _mode(iterator: Any, class_mode: str | None) -> str | None:
    if class_mode not in iterator.allowed_class_modes:
        modes = sorted(iterator.allowed_class_modes, key=str)
        raise ValueError(
            f"{type(iterator).__name__}: `class_mode` must be one of {modes}; got {class_mode!r}."
        )
    return class_mode


def _images(root: str, name: str, endings: tuple[str, ...], follow_links: bool) -> list[str]:
    """Return the images below a class' folder, as paths from the root."""
    return [
        os.path.relpath(os.path.join(place, file), root)
        for place, _, files in sorted(os.walk(os.path.join(root, name), followlinks=follow_links))
        for file in sorted(files)
        if file.lower().endswith(endings)
    ]


class DataFrameIterator(_Files):
    """Batches of the images that a data frame lists.

    Args:
        dataframe: A pandas data frame.
        directory: The folder that the names start from; None for absolute paths.
        image_data_generator: What varies the images.
        x_col: The column of file names.
        y_col: The column of targets, or a list of columns.
        weight_col: The column of sample weights, or None.
        target_size: (height, width) to resize to.
        color_mode: "grayscale", "rgb" or "rgba".
        classes: The classes to take, in the order of their numbers; None takes all, sorted.
        class_mode: "categorical" (one-hot; a list of classes gives several ones), "binary",
            "sparse", "input" (the images), "raw", "multi_output", or None.
        batch_size: Images a batch.
        shuffle: Whether each pass has another order.
        seed: The seed.
        data_format: "channels_last" or "channels_first"; None is the default one.
        save_to_dir: A folder to save the varied images in, or None.
        save_prefix: What their names start with.
        save_format: Their format.
        subset: "training" or "validation", by the generator's `validation_split`; None is all.
        interpolation: As in `tf.keras.utils.load_img`.
        keep_aspect_ratio: As there.
        dtype: The dtype of the images; None is floatx.
        validate_filenames: Whether names without a file are left out, with a warning.

    Raises:
        ValueError: an argument is wrong.
        TypeError: the targets do not fit `class_mode`.
    """

    allowed_class_modes = frozenset(
        ["binary", "categorical", "input", "multi_output", "raw", "sparse", None]
    )

    def __init__(
        self,
        dataframe: Any,
        directory: Any = None,
        image_data_generator: Any = None,
        x_col: str = "filename",
        y_col: Any = "class",
        weight_col: str | None = None,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        data_format: str | None = "channels_last",
        save_to_dir: Any = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
        dtype: Any = "float32",
        validate_filenames: bool = True,
    ) -> None:
        self._set_images(image_data_generator, target_size, color_mode, data_format, dtype, subset)
        self._set_saving(save_to_dir, save_prefix, save_format, interpolation, keep_aspect_ratio)
        self.directory = os.fspath(directory) if directory is not None else ""
        self.class_mode = _mode(self, class_mode)
        rows = dataframe[[*dict.fromkeys(_columns(x_col, y_col, weight_col, class_mode))]]
        rows = rows[rows[x_col].map(lambda name: isinstance(name, str))]
        if validate_filenames:
            rows = self._with_files(rows, x_col)
        if class_mode in ("binary", "categorical", "sparse"):
            rows = self._with_classes(rows, y_col, classes)
        rows = rows.iloc[self._part(list(range(len(rows))))]
        self.filenames = rows[x_col].tolist()
        self._paths = [os.path.join(self.directory, name) for name in self.filenames]
        self._set_targets(rows, y_col)
        if weight_col is not None:
            self._weights = rows[weight_col].to_numpy()
        self.samples = len(self.filenames)
        kinds = f" belonging to {len(self.class_indices)} classes" if self.class_indices else ""
        console.show(f"Found {self.samples} validated image filenames{kinds}.")
        super().__init__(self.samples, batch_size, shuffle, seed)

    def _with_files(self, rows: Any, x_col: str) -> Any:
        def is_image(name: str) -> bool:
            path = os.path.join(self.directory, name)
            return name.lower().endswith(self.white_list_formats) and os.path.isfile(path)

        good = rows[x_col].map(is_image).astype(bool)
        if not good.all():
            warnings.warn(
                f"DataFrameIterator: {int((~good).sum())} names in column {x_col!r} have no image "
                f"file; they are left out.",
                stacklevel=4,
            )
        return rows[good]

    def _with_classes(self, rows: Any, y_col: str, classes: Any) -> Any:
        """Return the rows of the wanted classes, and note the classes' numbers."""
        kinds = (str, list, tuple) if self.class_mode == "categorical" else (str,)
        if not all(isinstance(v, kinds) for v in rows[y_col]):
            raise TypeError(
                f"DataFrameIterator: with class_mode={self.class_mode!r}, column {y_col!r} must "
                f"hold {' or '.join(k.__name__ for k in kinds)}.\n"
                f"  Fix: convert it, or pass class_mode='raw'."
            )
        names = list(classes) if classes else sorted({n for v in rows[y_col] for n in _list(v)})
        self.class_indices = {name: i for i, name in enumerate(names)}
        if self.class_mode == "binary" and len(names) != 2:
            raise ValueError(
                f'DataFrameIterator: class_mode="binary" needs 2 classes; there are {names}.'
            )
        wanted = rows[y_col].map(lambda v: any(n in self.class_indices for n in _list(v)))
        return rows[wanted.astype(bool)]

    def _set_targets(self, rows: Any, y_col: Any) -> None:
        self.class_indices = getattr(self, "class_indices", {})
        self.classes = None
        self._targets: Any = None
        if self.class_indices:
            numbers = [
                [self.class_indices[n] for n in _list(v) if n in self.class_indices]
                for v in rows[y_col]
            ]
            one_each = all(isinstance(v, str) for v in rows[y_col])
            self.classes = [n[0] for n in numbers] if one_each else numbers
        elif self.class_mode == "raw":
            self._targets = rows[y_col].to_numpy()
        elif self.class_mode == "multi_output":
            if not isinstance(y_col, list | tuple):
                raise TypeError(
                    f'DataFrameIterator: class_mode="multi_output" needs a list of columns as '
                    f"`y_col`; got {y_col!r}."
                )
            self._targets = [np.stack([np.asarray(v) for v in rows[c]]) for c in y_col]

    @property
    def labels(self) -> Any:
        """The classes' numbers, or the targets."""
        return self._targets if self._targets is not None else self.classes


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _columns(x_col: str, y_col: Any, weight_col: str | None, class_mode: str | None) -> list[str]:
    found = [x_col]
    if class_mode not in ("input", None):
        found += [y_col] if isinstance(y_col, str) else list(y_col)
    return found if weight_col is None else [*found, weight_col]
