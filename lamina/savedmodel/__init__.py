"""Objects with their variables and programs in a folder: `tf.saved_model`.

Bottom to top: structures and options, signatures, reading, writing, experimental.
"""

from lamina.savedmodel.options import Asset, LoadOptions, SaveOptions
from lamina.savedmodel.reading import contains_saved_model, load
from lamina.savedmodel.writing import save

__all__ = ["Asset", "LoadOptions", "SaveOptions", "contains_saved_model", "load", "save"]
