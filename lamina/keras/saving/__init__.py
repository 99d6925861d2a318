"""Files of models: the `.keras` archive and `.weights.h5`."""

from lamina.keras.registry import (
    CustomObjectScope,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from lamina.keras.saving.archive import load_model, save_model
from lamina.keras.saving.sources import SourceChanged
from lamina.keras.saving.weights import load_weights, save_weights

__all__ = [
    "CustomObjectScope",
    "SourceChanged",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]
