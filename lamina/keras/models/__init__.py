"""Model and Sequential: layers with training, saving and a view of themselves; and their clones."""

import json
from typing import Any

from lamina.keras import registry
from lamina.keras.models.cloning import clone_model
from lamina.keras.models.model import Model
from lamina.keras.models.sequential import Sequential
from lamina.keras.saving.archive import load_model, save_model

__all__ = ["Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]


def model_from_json(json_string: str, custom_objects: Any = None) -> Any:
    """Return a new model from what `Model.to_json` gave."""
    return registry.deserialize_keras_object(json.loads(json_string), custom_objects)
