"""Paths of weights as TensorFlow 2.0–2.15 names them: `w.h5`, and prefixes such as `ckpt/w`."""

from pathlib import Path
from typing import Any

from lamina.keras.saving import weights, whole
from lamina.keras.saving.files import as_path, replacing
from lamina.keras.spelling import note_older

__all__ = ["save_older_weights", "weights_file"]

_ENDING = ".weights.h5"


def save_older_weights(model: Any, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
    """Save weights, under Keras 3's name or an older one.

    Args:
        model: The model.
        filepath: The path.
        overwrite: Whether an existing file is replaced.
        **kwargs: As in `tf.keras.Model.save_weights`.

    Raises:
        ValueError: the model is not built, the path is that of a whole model, or the file exists
            and `overwrite` is False.
    """
    path = as_path(filepath, "save_weights")
    kind = kwargs.pop("save_format", None)
    if path.name.endswith(_ENDING) or path.suffix == ".keras" or not model.built:
        weights.save_weights(model, path, overwrite=overwrite, **kwargs)
        return
    note_older("Model.save_weights to another path", 'one that ends in ".weights.h5"')
    if path.suffix not in whole.ENDINGS and kind not in ("h5", "hdf5"):
        weights.save_weights(model, f"{path}{_ENDING}", overwrite=overwrite, **kwargs)
        return
    weights.check_overwrite(path, overwrite, "save_weights")
    with replacing(path) as file:
        whole.write_weights(model, file)


def weights_file(filepath: Any) -> Path:
    """Return the file that was written for a path.

    Args:
        filepath: What `save_weights` was given.
    """
    path = as_path(filepath, "load_weights")
    written = Path(f"{path}{_ENDING}")
    return written if not path.is_file() and written.is_file() else path
