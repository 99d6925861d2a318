"""tf.keras.export: models as programs."""

from lamina.keras.saving.export import ExportedModel, load

__all__ = ["ExportedModel", "load"]
