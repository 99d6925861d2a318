"""`.keras`: a zip archive of the architecture, the weights, and what compile was given.

`metadata.json`, `config.json` and `model.weights.h5` are as Keras 3 writes and reads them; files of
vocabularies and the like go under `assets/`. `lamina.json` beside them holds the version, what the
first call was given, replaced layers, and the source of the user's classes, for comparing alone.
"""

import datetime
import json
import tempfile
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lamina.keras import registry
from lamina.keras.core import Layer
from lamina.keras.core.checks import label
from lamina.keras.optimizers import Optimizer
from lamina.keras.saving import (
    building,
    exact,
    folders,
    orbax,
    replaced,
    sources,
    weights,
    whole,
    zipped,
)
from lamina.keras.saving.files import HDF5, ZIP, as_path, describe, open_existing, replacing
from lamina.keras.saving.layout import saveables
from lamina.keras.spelling import note_older

__all__ = ["load_model", "save_model"]

_FORMAT = 1
_KERAS = "3.15.1"  # whose files these are like
_EXPECTED = "a .keras file"
_HDF5_NAMES = ("h5", "hdf5")
_Members = zipped.Archive | folders.Folder
_CONFIG, _WEIGHTS, _NOTES = "config.json", "model.weights.h5", "lamina.json"


# ---- saving -----------------------------------------------------------------------------------


def save_model(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    zipped: bool | None = None,
    **kwargs: Any,
) -> None:
    """Save a model to a `.keras` file: architecture, weights, compile's arguments, optimizer.

    Keras 3 loads the file too, if the model is made of its own layers. The file takes the place of
    an older one in one step.

    A path that ends in ".h5" or ".hdf5" gives Keras 2's format, which Keras 3 reads too.

    Args:
        model: The model.
        filepath: A path that ends in ".keras", ".h5" or ".hdf5", or an open binary file.
        overwrite: Whether an existing file is replaced.
        zipped: Whether the file is a zip archive; False gives a folder of its members, at a path
            without an ending.
        **kwargs: `include_optimizer=False` leaves out the optimizer's state;
            `save_format` is "keras" or "h5", which a path without an ending gets.

    Raises:
        ValueError: another ending or format, or the file exists and `overwrite` is False.
        TypeError: an argument of a layer can neither be stored as a value nor by name.

    Example:
        >>> model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
        >>> path = getfixture("tmp_path") / "model.keras"
        >>> model.save(path)
        >>> same = tf.keras.models.load_model(path)
        >>> bool(tf.reduce_all(same(tf.ones([1, 2])) == model(tf.ones([1, 2]))))
        True
    """
    include_optimizer = kwargs.pop("include_optimizer", True)
    _check_save_arguments({"zipped": zipped, **kwargs})
    if not model.built:
        warnings.warn(
            f"save_model: {label(model)} is not built, so the file will hold no weights.\n"
            f"  Fix: call it on data, or model.build(input_shape), first.",
            UserWarning,
            stacklevel=3,
        )
    if hasattr(filepath, "write"):
        _write(model, filepath, include_optimizer)
        return
    path = as_path(filepath, "save_model")
    if zipped is False:
        _save_folder(model, path, overwrite, include_optimizer)
        return
    if kwargs.get("save_format") in _HDF5_NAMES and path.suffix == "":
        path = path.with_suffix(".h5")
    if path.suffix in whole.ENDINGS:
        weights.check_overwrite(path, overwrite, "save_model")
        note_older("Model.save to .h5", 'a path that ends in ".keras"')
        with replacing(path) as file:
            whole.write(model, file, include_optimizer)
        return
    if path.suffix != ".keras":
        raise ValueError(
            f"save_model: `filepath` must end in '.keras'; got {str(path)!r}.\n"
            f"  Fix: use {path.with_suffix('.keras').name!r}; or model.save_weights(…) for the "
            f"weights alone."
        )
    weights.check_overwrite(path, overwrite, "save_model")
    with replacing(path) as file:
        _write(model, file, include_optimizer)


def _save_folder(model: Any, path: Path, overwrite: bool, include_optimizer: bool) -> None:
    if path.suffix in (".keras", *whole.ENDINGS):
        raise ValueError(
            f"save_model: with `zipped=False`, `filepath` must be a folder's name, without "
            f"{path.suffix!r}; got {str(path)!r}.\n  Fix: leave out the ending, or `zipped`."
        )
    weights.check_overwrite(path, overwrite, "save_model")
    _write_members(model, folders.Writer(path), include_optimizer)
    (path / "assets").mkdir(exist_ok=True)


def _check_save_arguments(kwargs: dict[str, Any]) -> None:
    given = {k: v for k, v in kwargs.items() if v is not None}
    given.pop("zipped", None)
    if given.pop("save_format", "keras") not in ("keras", *_HDF5_NAMES):
        raise ValueError(
            f"save_model: `save_format` must be 'keras' or 'h5'; got {kwargs['save_format']!r}.\n"
            f"  Fix: leave it out, and use a path that ends in '.keras'."
        )
    if given:
        raise ValueError(
            f"save_model: `include_optimizer`, `zipped` and `save_format` are known; got "
            f"{sorted(given)}."
        )


def _write(model: Any, file: Any, include_optimizer: bool) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        _write_members(model, archive, include_optimizer)


def _write_members(model: Any, archive: Any, include_optimizer: bool) -> None:
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    config = registry.serialize_keras_object(model)
    skip = frozenset() if include_optimizer else frozenset([id(model.__dict__.get("optimizer"))])
    archive.writestr("metadata.json", json.dumps({"keras_version": _KERAS, "date_saved": now}))
    archive.writestr(_CONFIG, json.dumps(config))
    with tempfile.TemporaryFile() as h5:
        weights.write(model, h5, skip)
        h5.seek(0)
        with archive.open(_WEIGHTS, "w", force_zip64=True) as member:
            while block := h5.read(1 << 20):
                member.write(block)
    _write_assets(model, archive)
    archive.writestr(_NOTES, json.dumps(_notes(model, config)), zipfile.ZIP_DEFLATED)


def _write_assets(model: Any, archive: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for path, obj in saveables(model):
            if hasattr(obj, "save_assets"):
                place = Path(folder, *path.split("/"))
                place.mkdir(parents=True, exist_ok=True)
                obj.save_assets(str(place))
        for file in sorted(Path(folder).rglob("*")):
            if file.is_file():
                archive.write(file, f"assets/{file.relative_to(folder).as_posix()}")


def _notes(model: Any, config: Any) -> dict[str, Any]:
    """Return what lamina keeps beside Keras' members."""
    is_written_out = model.__dict__.get("_graph") is not None  # Keras' paths are exact then
    return {
        "format": _FORMAT,
        "model": f"{type(model).__module__}.{type(model).__qualname__}",
        "exact": exact.notes(config),
        "sources": sources.collect(model),
        "replaced": replaced.notes(model),
        **({} if is_written_out else building.notes(model)),
    }


# ---- loading ----------------------------------------------------------------------------------


def load_model(
    filepath: Any,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Load a model from a `.keras` file of lamina or of Keras 3, or an `.h5` file of Keras 2 or 3.

    No code in the file is run, no module is imported for it, and nothing outside of it is read: it
    can name lamina's own classes, those that this program defined or registered, and those in
    `custom_objects`.

    Args:
        filepath: The path of a file or, saved with ``zipped=False`` or by `OrbaxCheckpoint`, of a
            folder; or an open binary file.
        custom_objects: Name → class or function, for those that this program does not define.
        compile: Whether to compile the model as it was, with the optimizer's state.
        safe_mode: Accepted; loading is always safe, and lambdas do not load.

    Returns:
        The model. One whose weights depend on data of unknown shape takes them at its first call.

    Raises:
        MissingFileError: there is no such file; a FileNotFoundError and a ValueError.
        UnknownNameError: a class or function is unknown; a TypeError and a ValueError.
        ValueError: weights are missing, too many or of another shape; or the file is damaged, of
            another kind, or declares or refers to what it does not hold.
    """
    if hasattr(filepath, "read"):
        with zipped.Archive(filepath, "load_model") as archive:
            return _load(archive, custom_objects, compile, safe_mode)
    path = as_path(filepath, "load_model")
    if (path / _CONFIG).is_file():
        folder = folders.Folder(path, f"load_model({str(path)!r})")
        return _load(folder, custom_objects, compile, safe_mode)
    step = orbax.step_of(path)
    if step is not None:
        return _load_step(step, custom_objects, compile, safe_mode)
    with open_existing(path, "load_model", _EXPECTED) as file:
        name = f"load_model({str(path)!r})"
        head = file.read(64)
        if head.startswith(HDF5):
            file.seek(0)
            return whole.load(file, path.stat().st_size, name, custom_objects, compile)
        if not head.startswith(ZIP):
            raise ValueError(
                f"{name}: {_EXPECTED}, a zip archive, was expected; got {describe(head)}.\n"
                f"  Fix: save the model with model.save('model.keras'); for a file of weights "
                f"alone, make the model and call model.load_weights(…)."
            )
        with zipped.Archive(file, name) as archive:
            return _load(archive, custom_objects, compile, safe_mode)


def _load(archive: _Members, custom_objects: Any, compiled: bool, safe_mode: bool) -> Any:
    config = archive.json(_CONFIG)
    notes = archive.json(_NOTES) if _NOTES in archive else {}
    if not isinstance(config, dict) or not isinstance(notes, dict):
        raise ValueError(
            f"{archive.who}: the config of a model was expected in {_CONFIG!r}; got "
            f"{type(config).__name__}."
        )
    config = exact.restored(config, notes.get("exact"))
    with registry.CustomObjectScope(custom_objects):
        model = _made(config, notes, compiled, safe_mode, archive.who)
        _load_state(model, archive)
    sources.warn_of_changes(model, notes.get("sources"), archive.who, stacklevel=3)
    return model


def _load_step(step: Any, custom_objects: Any, compiled: bool, safe_mode: bool) -> Any:
    """Return the model of a step that `OrbaxCheckpoint` saved."""
    who = f"load_model({str(step)!r})"
    config = orbax.config(step, who)
    with registry.CustomObjectScope(custom_objects):
        model = _made(config, {}, compiled, safe_mode, who)
    orbax.restore(model, step)
    return model


def _made(config: Any, notes: Any, compiled: bool, safe_mode: bool, who: str) -> Any:
    """Return the model of a config, built and compiled as it was."""
    build_config = config.pop("build_config", None)
    compile_config = config.pop("compile_config", None)
    try:
        model = registry.deserialize_keras_object(config, safe_mode=safe_mode)
    except Exception as error:
        error.add_note(f"While loading {_CONFIG} of {who}.")
        raise
    if not isinstance(model, Layer):
        raise ValueError(f"{who}: a model was expected; got {config.get('class_name')!r}.")
    replaced.apply(model, notes.get("replaced"), who)
    building.build(model, build_config, notes)
    if compiled and compile_config:
        _compile(model, compile_config, who)
    return model


def _compile(model: Any, config: Any, who: str) -> None:
    try:
        model.compile_from_config(config)
    except Exception as error:
        error.add_note(
            f"While compiling the model of {who}; pass compile=False to load it without."
        )
        raise


def _load_state(model: Any, archive: _Members) -> None:
    if any(name.startswith("assets/") for name in archive.names()):
        _load_assets(model, archive)
    with (
        archive.spooled(_WEIGHTS) as (file, size),
        weights.arrays(file, size, archive.who) as (found, places),
    ):
        weights.load_into(model, found, archive.who, places, strict_optimizer=True)


def _load_assets(model: Any, archive: _Members) -> None:
    with tempfile.TemporaryDirectory() as folder:
        archive.extract("assets/", Path(folder))
        for path, obj in saveables(model):
            place = Path(folder, *path.split("/"))
            if hasattr(obj, "load_assets") and place.is_dir() and not isinstance(obj, Optimizer):
                obj.load_assets(str(place))
