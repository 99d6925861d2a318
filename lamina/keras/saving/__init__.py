"""Files of models: the `.keras` archive and `.weights.h5`."""

from lamina.keras.saving.archive import load_model, save_model
from lamina.keras.saving.weights import load_weights, save_weights

__all__ = ["load_model", "load_weights", "save_model", "save_weights"]
