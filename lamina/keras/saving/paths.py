"""Paths of weights as TensorFlow 2.0–2.15 names them: `w.h5`, and checkpoints such as `ckpt/w`."""

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from lamina.keras.core.checks import label
from lamina.keras.saving import shards, weights, whole
from lamina.keras.saving.files import as_path, replacing
from lamina.keras.spelling import note_older

__all__ = ["load_any_weights", "save_older_weights", "weights_kind"]

_ENDING = ".weights.h5"
_INSTEAD = f'one that ends in "{_ENDING}"'


def weights_kind(path: Path, save_format: Any = None) -> str:
    """Return what `save_weights` writes to a path: "keras", "h5" or "checkpoint".

    Args:
        path: The path.
        save_format: None, "tf" for a checkpoint, or "h5", which a path without an ending gets.

    Raises:
        ValueError: `save_format` is another, or it says "tf" and the ending another.

    Example:
        >>> from pathlib import Path
        >>> from lamina.keras.saving.paths import weights_kind
        >>> weights_kind(Path("training/cp-0001.ckpt"))
        'checkpoint'
    """
    if save_format not in (None, "tf", "tensorflow", "h5", "hdf5", "keras"):
        raise ValueError(
            f'save_weights: `save_format` must be "tf" or "h5"; got {save_format!r}.\n'
            f"  Fix: leave it out, and use {_INSTEAD}."
        )
    is_hdf5 = path.suffix in whole.ENDINGS or path.suffix == ".keras"
    if save_format in ("tf", "tensorflow"):
        if is_hdf5:
            raise ValueError(
                f'save_weights: with save_format="tf", `filepath` must be a prefix without '
                f"{path.suffix!r}; got {str(path)!r}.\n  Fix: leave out `save_format`."
            )
        return "checkpoint"
    if path.name.endswith((_ENDING, shards.ENDING)) or path.suffix == ".keras":
        return "keras"
    return "h5" if is_hdf5 or save_format in ("h5", "hdf5") else "checkpoint"


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
    kind = weights_kind(path, kwargs.pop("save_format", None))
    if kwargs.get("max_shard_size") is not None:
        weights.save_weights(model, path, overwrite=overwrite, **kwargs)
        return
    if kwargs.get("options") is not None and kind == "checkpoint":
        del kwargs["options"]  # one process writes one file, whatever they say
    if kind == "keras" or not model.built:
        weights.save_weights(model, _known_ending(path), overwrite=overwrite, **kwargs)
        return
    note_older("Model.save_weights to another path", _INSTEAD)
    if kind == "checkpoint":
        _refuse(f"{label(model)}.save_weights", path, kwargs)
        weights.check_overwrite(_index(path), overwrite, "save_weights")
        _save_checkpoint(model, path)
        return
    weights.check_overwrite(path, overwrite, "save_weights")
    with replacing(path) as file:
        whole.write_weights(model, file)


def _known_ending(path: Path) -> Path:
    """Return the path; a model without weights is refused for that alone, not for its ending."""
    is_other = not path.name.endswith((_ENDING, shards.ENDING)) and path.suffix != ".keras"
    return Path(f"{path}{_ENDING}") if is_other else path


def _index(path: Path) -> Path:
    return Path(f"{path}.index")


def _save_checkpoint(model: Any, path: Path) -> None:
    # Checkpoints know models: they stand above them.
    above = import_module("lamina.checkpoint")
    folder = os.path.dirname(path) or "."
    os.makedirs(folder, exist_ok=True)
    above.write_below(model, str(path))
    above.state.update_checkpoint_state(folder, str(path), [str(path)])


def load_any_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> Any:
    """Load weights from a file of any kind that `save_weights` wrote.

    Args:
        model: The model.
        filepath: The path that `save_weights` was given, or that `tf.train.latest_checkpoint`
            returned.
        skip_mismatch: As in `tf.keras.Model.load_weights`.
        **kwargs: As in `tf.keras.Model.load_weights`.

    Returns:
        None; for a checkpoint its status, see `tf.train.Checkpoint.restore`.

    Raises:
        ValueError: weights do not fit, or `skip_mismatch` or others that checkpoints do not know
            are asked of one.
        AssertionError: nothing in the checkpoint is the model's.
    """
    path = as_path(filepath, "load_weights")
    prefix = _checkpoint_at(path)
    if prefix is not None:
        given = {"skip_mismatch": skip_mismatch, **kwargs}
        given.pop("options", None)
        _refuse(f"{label(model)}.load_weights", path, given)
        status = import_module("lamina.checkpoint").restore_below(model, str(prefix))
        status.assert_nontrivial_match()
        return status
    written = Path(f"{path}{_ENDING}")
    found = written if not path.is_file() and written.is_file() else path
    weights.load_weights(model, found, skip_mismatch=skip_mismatch, **kwargs)
    return None


def _checkpoint_at(path: Path) -> Path | None:
    """Return the prefix of the checkpoint at a path, a SavedModel's included, or None."""
    inside = path / "variables" / "variables"
    for prefix in (path, inside):
        if not path.is_file() and _index(prefix).is_file():
            return prefix
    if path.is_dir() and (path / "checkpoint").is_file():
        raise ValueError(
            f"load_weights: a file was expected; {str(path)!r} is a folder of checkpoints.\n"
            f"  Fix: model.load_weights(tf.train.latest_checkpoint({str(path)!r}))."
        )
    return None


def _refuse(who: str, path: Path, kwargs: dict[str, Any]) -> None:
    """Raise for arguments that the files of Keras know, and checkpoints do not."""
    given = sorted(k for k, v in kwargs.items() if v not in (None, False, ()))
    if given:
        raise ValueError(
            f"{who}: no other arguments were expected with {str(path)!r}, a checkpoint, whose "
            f"values are found by the attributes' names; got {given}.\n"
            f"  Fix: leave them out, or use a path that ends in {_ENDING!r}."
        )
