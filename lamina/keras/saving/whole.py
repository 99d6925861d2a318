"""`.h5`: a whole model in one HDF5 file, as Keras 2 wrote it and Keras 3 still reads it.

The file holds the architecture and what compile was given as JSON, the layers' arrays in the order
of `model.layers`, and the optimizer's in the order of its variables. Subclassed models are left to
the `.keras` format, which keeps their places.
"""

import inspect
import json
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.keras import optimizers, registry
from lamina.keras.core import Layer
from lamina.keras.core.checks import label
from lamina.keras.saving import hdf5, older, weights
from lamina.late import late_module

if TYPE_CHECKING:
    import h5py
else:
    h5py = late_module("h5py")

__all__ = ["ENDINGS", "load", "write", "write_weights"]

ENDINGS = (".h5", ".hdf5")
_KERAS = "3.15.1"  # whose files these are like


# ---- saving -----------------------------------------------------------------------------------


def write(model: Any, file: Any, include_optimizer: bool = True) -> None:
    """Write a model into an open file.

    Args:
        model: A functional or sequential model, built.
        file: A binary file that can be read back.
        include_optimizer: Whether compile's arguments and the optimizer's state are written.

    Raises:
        ValueError: the model has a `call` of its own.
    """
    config = registry.serialize_keras_object(model)
    compiled = config.pop("compile_config", None)
    config.pop("build_config", None)
    if not registry.is_own(type(model)) or "layers" not in config["config"]:
        raise ValueError(
            f"save_model: a functional or sequential model was expected for an .h5 file; got "
            f"{label(model)}, which has a `call` of its own.\n"
            f"  Fix: save it as .keras, or its weights with model.save_weights(…)."
        )
    with h5py.File(file, "w") as h5:
        h5.attrs["keras_version"] = _KERAS
        h5.attrs["backend"] = "jax"
        h5.attrs["model_config"] = json.dumps(config)
        _write_layers(h5.create_group("model_weights"), model)
        if include_optimizer and compiled:
            h5.attrs["training_config"] = json.dumps(_training(model, compiled))
            if model.optimizer is not None and model.optimizer.built:
                named = [(v.path, v) for v in model.optimizer.variables]
                _write_arrays(h5.create_group("optimizer_weights"), named)


def write_weights(model: Any, file: Any) -> None:
    """Write the layers' arrays alone into an open file, in Keras 2's layout.

    Args:
        model: The model, built.
        file: A binary file that can be read back.
    """
    with h5py.File(file, "w") as h5:
        _write_layers(h5, model)


def _training(model: Any, compiled: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("loss", "loss_weights", "metrics", "weighted_metrics", "run_eagerly")
    optimizer = registry.serialize_keras_object(model.optimizer)
    return {
        **{key: compiled.get(key) for key in kept},
        "optimizer_config": {k: optimizer[k] for k in ("class_name", "config")},
    }


def _write_layers(group: Any, model: Any) -> None:
    group.attrs["layer_names"] = _texts([layer.name for layer in model.layers])
    group.attrs["backend"] = "jax"
    group.attrs["keras_version"] = _KERAS
    for layer in model.layers:
        named = [(f"{layer.name}/{v.path}", v) for v in older.weights_of(layer)]
        _write_arrays(group.create_group(layer.name), named)
    own = [(v.path, v) for v in older.own_weights_of(model)]
    _write_arrays(group.create_group("top_level_model_weights"), own)


def _write_arrays(group: Any, named: list[tuple[str, Any]]) -> None:
    names: list[str] = []
    for path, variable in named:
        name = path
        while name in names:
            name += "_1"
        names.append(name)
        group[name] = np.asarray(variable.numpy())
    group.attrs["weight_names"] = _texts(names)


def _texts(names: list[str]) -> Any:
    return np.array([name.encode("utf-8") for name in names], dtype="S")


# ---- loading ----------------------------------------------------------------------------------


def load(file: Any, size: int, who: str, custom_objects: Any, compiled: bool) -> Any:
    """Return the model of an open file.

    Args:
        file: The file.
        size: Its bytes.
        who: Its name, for messages.
        custom_objects: Name → class or function.
        compiled: Whether to compile it as it was, with the optimizer's state.

    Raises:
        ValueError: the file has no architecture, or its weights do not fit, or it is damaged.
    """
    with hdf5.damage_explained(who, size):
        h5 = h5py.File(file, "r")
    with h5:
        config = _json(h5, "model_config", who)
        training = _json(h5, "training_config", who) if "training_config" in h5.attrs else None
        states = older.names_of(h5["optimizer_weights"]) if "optimizer_weights" in h5 else []
    if config is None:
        raise ValueError(
            f"{who}: a whole model was expected; the file has weights alone.\n"
            f"  Fix: make the model, and call model.load_weights(…)."
        )
    with registry.CustomObjectScope(custom_objects), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the file's spellings, not the user's
        model = _model(config, who)
        if compiled and training:
            _compile(model, training, who)
    file.seek(0)
    with weights.arrays(file, size, who, model) as (groups, places):
        weights.load_into(model, groups, who, places)
    if compiled and training and states:
        _load_optimizer(model, file, size, states, who)
    return model


def _json(h5: Any, name: str, who: str) -> Any:
    value = h5.attrs.get(name)
    if value is None:
        return None
    try:
        return json.loads(value.decode("utf-8") if isinstance(value, bytes) else str(value))
    except ValueError:
        raise ValueError(f"{who}: JSON was expected in {name!r}; the file is damaged.") from None


def _model(config: Any, who: str) -> Any:
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        raise ValueError(f"{who}: a model's config was expected; got {type(config).__name__}.")
    if config["class_name"] == "Model":  # the functional models of TensorFlow 2.0–2.2
        config = {**config, "class_name": "Functional"}
    try:
        model = registry.deserialize_keras_object(_modern(config), hint="keras.models")
    except Exception as error:
        error.add_note(f"While loading the architecture in {who}.")
        raise
    if not isinstance(model, Layer):
        raise ValueError(f"{who}: a model was expected; got {config['class_name']!r}.")
    return model


def _modern(value: Any) -> Any:
    """Return a config of Keras 2 with the arguments that today's layers have."""
    if isinstance(value, list):
        return [_modern(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: _modern(item) for key, item in value.items()}
    config = found.get("config")
    if isinstance(config, dict) and isinstance(found.get("class_name"), str):
        if found["class_name"] == "InputLayer" and "batch_input_shape" in config:
            config["batch_shape"] = config.pop("batch_input_shape")
        if found["class_name"] == "BatchNormalization" and isinstance(config.get("axis"), list):
            config["axis"] = config["axis"][0]
    return found


def _compile(model: Any, training: Any, who: str) -> None:
    given = training.get("optimizer_config") or {}
    name, config = given.get("class_name"), dict(given.get("config") or {})
    try:
        cls = type(optimizers.get(name))
        config.setdefault("learning_rate", config.get("lr"))
        known = set(inspect.signature(cls.__init__).parameters) | {
            "clipnorm",
            "clipvalue",
            "name",
            "weight_decay",
        }
        kept = {k: v for k, v in config.items() if k in known and v is not None}
        optimizer = optimizers.deserialize({"class_name": name, "config": kept})
        keys = ("loss", "loss_weights", "metrics", "weighted_metrics")
        arguments = {k: _objects(training.get(k)) for k in keys}
        model.compile(optimizer=optimizer, **arguments)
    except Exception as error:
        error.add_note(f"While compiling the model of {who}; pass compile=False to load without.")
        raise


def _objects(value: Any) -> Any:
    """Return losses and metrics: names stay, configs become objects."""
    if isinstance(value, dict) and "class_name" in value:
        return registry.deserialize_keras_object(value)
    if isinstance(value, dict):
        return {key: _objects(item) for key, item in value.items()}
    return [_objects(item) for item in value] if isinstance(value, list) else value


def _load_optimizer(model: Any, file: Any, size: int, names: list[str], who: str) -> None:
    file.seek(0)
    with h5py.File(file, "r") as h5:
        arrays = {
            f"{path}/{key}" if key else path: array
            for path, store in hdf5.read(h5, size, who).items()
            for key, array in store.items()
        }
        missing = [name for name in names if f"optimizer_weights/{name}" not in arrays]
        if missing:
            raise ValueError(f"{who}: the optimizer's arrays {missing} are missing.")
        found = [np.asarray(arrays[f"optimizer_weights/{name}"]) for name in names]
    model.optimizer.build(model.trainable_variables)
    mine = list(model.optimizer.variables)
    if [tuple(v.shape) for v in mine] != [value.shape for value in found]:
        warnings.warn(
            f"{who}: the optimizer's state does not fit and is left out: "
            f"{len(found)} arrays for {len(mine)} variables of {model.optimizer.name}.",
            UserWarning,
            stacklevel=4,
        )
        return
    for variable, value in zip(mine, found, strict=True):
        variable.assign(value)
