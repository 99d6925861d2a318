"""Older names of whole namespaces and classes, and what they are called now."""

import sys
import types
from importlib import import_module
from typing import Any

from lamina.keras.spelling import note_older
from lamina.scope.absent import MissingName, public_name

__all__ = ["MODULES", "RENAMED", "get", "module_target", "older_target", "resolve"]

_PACKAGE = __name__.split(".", maxsplit=1)[0]

# Name of TensorFlow 2.0–2.15: today's.
RENAMED: dict[str, str] = {
    "tf.compat.v2": "tf",
    "tf.keras.__internal__": "tf.keras",
    "tf.keras.engine.Input": "tf.keras.Input",
    "tf.keras.engine.InputLayer": "tf.keras.layers.InputLayer",
    "tf.keras.engine.InputSpec": "tf.keras.InputSpec",
    "tf.keras.engine.Layer": "tf.keras.Layer",
    "tf.keras.engine.Model": "tf.keras.Model",
    "tf.keras.engine.Sequential": "tf.keras.Sequential",
    "tf.keras.engine.base_layer": "tf.keras.layers",
    "tf.keras.engine.input_layer": "tf.keras.layers",
    "tf.keras.engine.sequential": "tf.keras.models",
    "tf.keras.engine.topology": "tf.keras.layers",
    "tf.keras.engine.training": "tf.keras.models",
    "tf.keras.experimental.CosineDecay": "tf.keras.optimizers.schedules.CosineDecay",
    "tf.keras.experimental.CosineDecayRestarts": (
        "tf.keras.optimizers.schedules.CosineDecayRestarts"
    ),
    "tf.keras.layers.CuDNNGRU": "tf.keras.layers.GRU",
    "tf.keras.layers.CuDNNLSTM": "tf.keras.layers.LSTM",
    "tf.keras.layers.experimental.EinsumDense": "tf.keras.layers.EinsumDense",
    "tf.keras.layers.experimental.preprocessing": "tf.keras.layers",
    "tf.keras.mixed_precision.experimental.LossScaleOptimizer": (
        "tf.keras.mixed_precision.LossScaleOptimizer"
    ),
    "tf.keras.mixed_precision.experimental.Policy": "tf.keras.mixed_precision.Policy",
    "tf.keras.mixed_precision.experimental.global_policy": "tf.keras.mixed_precision.global_policy",
    "tf.keras.mixed_precision.experimental.set_policy": (
        "tf.keras.mixed_precision.set_global_policy"
    ),
    "tf.keras.optimizers.experimental": "tf.keras.optimizers",
    "tf.keras.saving.object_registration": "tf.keras.saving",
    "tf.keras.saving.saving_api": "tf.keras.saving",
    "tf.keras.saving.saving_lib": "tf.keras.saving",
    "tf.keras.saving.serialization_lib": "tf.keras.saving",
    "tf.keras.utils.data_utils": "tf.keras.utils",
    "tf.keras.utils.generic_utils": "tf.keras.utils",
    "tf.keras.utils.io_utils": "tf.keras.utils",
    "tf.keras.utils.layer_utils": "tf.keras.utils",
    "tf.keras.utils.np_utils": "tf.keras.utils",
    "tf.keras.utils.vis_utils": "tf.keras.utils",
}

# Modules that only an import statement names, below tf.keras: today's.
MODULES: dict[str, str] = {
    "applications.resnet_v1": "applications.resnet",
    "backend.tensorflow_backend": "backend",
    "engine.base_layer": "layers",
    "engine.input_spec": "layers",
    "engine.keras_tensor": "",
    "engine.network": "models",
    "engine.functional": "models",
    "layers.advanced_activations": "layers",
    "layers.attention": "layers",
    "layers.convolutional": "layers",
    "layers.convolutional_recurrent": "layers",
    "layers.core": "layers",
    "layers.embeddings": "layers",
    "layers.merge": "layers",
    "layers.merging": "layers",
    "layers.noise": "layers",
    "layers.normalization": "layers",
    "layers.pooling": "layers",
    "layers.preprocessing": "layers",
    "layers.recurrent": "layers",
    "layers.recurrent_v2": "layers",
    "layers.regularization": "layers",
    "layers.reshaping": "layers",
    "layers.rnn": "layers",
    "layers.wrappers": "layers",
    "legacy_tf_layers": "layers",
    "objectives": "losses",
    "optimizer_v2": "optimizers",
    "optimizers.optimizer_v2": "optimizers",
    "optimizers.adam": "optimizers",
    "optimizers.learning_rate_schedule": "optimizers.schedules",
    "optimizers.schedules.learning_rate_schedule": "optimizers.schedules",
    "preprocessing.timeseries": "preprocessing",
    "regularizers.regularizers": "regularizers",
    "saving.hdf5_format": "models",
    "saving.save": "models",
}


def module_target(path: str) -> str | None:
    """Return what a module of Keras 2 is now, below tf.keras; None if it is not known.

    Args:
        path: The module's name below tf.keras, as in "layers.core".
    """
    parts = path.split(".")
    for count in range(len(parts), 0, -1):
        head = ".".join(parts[:count])
        if head in MODULES:
            # tensorflow.python.keras.optimizer_v2.adam: the classes stand in one namespace now.
            return MODULES[head]
    return None


def older_target(symbol: str) -> str | None:
    """Return today's name of an older one, or None.

    Args:
        symbol: The name, as in "tf.keras.layers.experimental.preprocessing.Rescaling".

    Example:
        >>> from lamina.scope import older_target
        >>> older_target("tf.keras.layers.experimental.preprocessing.Rescaling")
        'tf.keras.layers.Rescaling'
    """
    parts = symbol.split(".")
    for count in range(len(parts), 1, -1):
        target = RENAMED.get(".".join(parts[:count]))
        if target is not None:
            return ".".join([target, *parts[count:]])
    return None


class _Older(types.ModuleType):
    """A namespace that TensorFlow no longer has, of names that have moved."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return resolve(f"{public_name(self.__name__)}.{name}")


def resolve(symbol: str) -> Any:
    """Return what an older name stands for, after one note.

    Args:
        symbol: The name, as in "tf.keras.layers.experimental".

    Raises:
        MissingName: it is no older name either; an AttributeError.
    """
    target = RENAMED.get(symbol)
    if target is not None:
        if symbol != "tf.compat.v2":
            note_older(symbol, target)
        return get(target)
    if any(name.startswith(f"{symbol}.") for name in RENAMED):
        full = _PACKAGE + symbol.removeprefix("tf")
        space = sys.modules.setdefault(full, _Older(full, f"Names that have moved: {symbol}."))
        space.__path__ = []  # names below it are imported too
        return space
    raise MissingName(symbol)


def get(symbol: str) -> Any:
    """Return what a name stands for.

    Args:
        symbol: The name, as in "tf.nn.relu".

    Raises:
        AttributeError: there is no such name.

    Example:
        >>> from lamina.scope import older
        >>> older.get("tf.float32")
        tf.float32
    """
    _, *rest = symbol.split(".")
    value: Any = import_module(_PACKAGE)
    for name in rest:
        value = getattr(value, name)
    return value
