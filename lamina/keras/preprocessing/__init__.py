"""tf.keras.preprocessing: what older programs prepare images, sequences and texts with."""

from lamina.keras.preprocessing import image, sequence, text
from lamina.keras.utils.image_folders import image_dataset_from_directory
from lamina.keras.utils.text_folders import text_dataset_from_directory
from lamina.keras.utils.timeseries import timeseries_dataset_from_array

__all__ = [
    "image",
    "image_dataset_from_directory",
    "sequence",
    "text",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
]
